/* SPDX-License-Identifier: MIT */
/*
 * startup.c - what does the allocator add to the shortest program there is?
 *
 *   startup COUNT PRELOAD [PROGRAM]      PRELOAD may be "" for the libc's own malloc
 *
 * Starts PROGRAM (/bin/true) COUNT times with LD_PRELOAD set for it alone, and prints the median
 * milliseconds from fork to exit. A shell script starts thousands of these.
 */
#include "bench.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static double startup_once(char *program)
{
	char *argv[] = { program, NULL };
	uint64_t start = bench_wall_ns();
	int status;
	pid_t pid;

	if (posix_spawn(&pid, program, NULL, NULL, argv, environ))
		bench_die("posix_spawn");
	if (waitpid(pid, &status, 0) != pid || status)
		bench_die(program);
	return (double)(bench_wall_ns() - start) / 1e6;
}

static int startup_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	uint32_t count = bench_arg(argc, argv, 1, 50);
	char *program = argc > 3 ? argv[3] : "/bin/true";
	double *ms = bench_alloc(count * sizeof(*ms));

	if (argc < 3 || !count) {
		fprintf(stderr, "usage: startup COUNT PRELOAD [PROGRAM]\n");
		return 2;
	}
	unsetenv("LD_PRELOAD");
	if (argv[2][0])
		setenv("LD_PRELOAD", argv[2], 1);
	for (uint32_t i = 0; i < count; i++)
		ms[i] = startup_once(program);
	qsort(ms, count, sizeof(*ms), startup_compare);
	printf("bench=startup ms=%.4f best_ms=%.4f\n", ms[count / 2], ms[0]);
	return 0;
}
