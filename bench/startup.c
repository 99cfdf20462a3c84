/* SPDX-License-Identifier: MIT */
/*
 * startup.c - what does the allocator add to the shortest program there is?
 *
 *   startup COUNT PRELOAD [PROGRAM]      PRELOAD may be "" for the libc's own malloc
 *
 * Starts PROGRAM (/bin/true) COUNT times with LD_PRELOAD set for it alone, and prints the median
 * milliseconds from fork to exit, and of CPU time. A shell script starts thousands of these.
 */
#include "bench.h"

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct startup_time {
	double ms, cpu_ms;
};

static double startup_cpu_ms(const struct rusage *use)
{
	return (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1e3 +
	       (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1e3;
}

static struct startup_time startup_once(char *program)
{
	char *argv[] = { program, NULL };
	uint64_t start = bench_wall_ns();
	struct rusage use;
	int status;
	pid_t pid;

	if (posix_spawn(&pid, program, NULL, NULL, argv, environ))
		bench_die("posix_spawn");
	if (wait4(pid, &status, 0, &use) != pid || status)
		bench_die(program);
	return (struct startup_time){
		.ms = (double)(bench_wall_ns() - start) / 1e6,
		.cpu_ms = startup_cpu_ms(&use),
	};
}

static int startup_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	uint32_t count = bench_arg(argc, argv, 1, 50);
	static char standard[] = "/bin/true";
	char *program = argc > 3 ? argv[3] : standard;
	double *ms = bench_alloc(count * sizeof(*ms));
	double *cpu_ms = bench_alloc(count * sizeof(*cpu_ms));

	if (argc < 3 || !count) {
		fprintf(stderr, "usage: startup COUNT PRELOAD [PROGRAM]\n");
		return 2;
	}
	unsetenv("LD_PRELOAD");
	if (argv[2][0])
		setenv("LD_PRELOAD", argv[2], 1);
	for (uint32_t i = 0; i < count; i++) {
		struct startup_time t = startup_once(program);

		ms[i] = t.ms;
		cpu_ms[i] = t.cpu_ms;
	}
	qsort(ms, count, sizeof(*ms), startup_compare);
	qsort(cpu_ms, count, sizeof(*cpu_ms), startup_compare);
	printf("bench=startup ms=%.4f cpu_ms=%.4f\n", ms[count / 2], cpu_ms[count / 2]);
	return 0;
}
