/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - run a program under a preloaded library and say what it used.
 *
 *   spawn RESULT PRELOAD PROGRAM [ARG...]      PRELOAD may be ""
 *
 * RESULT gets one line: wall and CPU milliseconds (of it and all descendants it waited for)
 * and the peak resident KiB of the largest process among them. A small program of its own, as
 * a child's peak starts at the size of the process that forked it: under Python every program would
 * seem to need what Python needs.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

static double spawn_ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static void spawn_print(const char *path, double wall_ms, const struct rusage *use, int status)
{
	FILE *result = fopen(path, "we");

	if (!result)
		bench_die(path);
	fprintf(result, "wall_ms=%.3f cpu_ms=%.3f rss_kib=%ld faults=%ld status=%d\n", wall_ms,
		spawn_ms(use->ru_utime) + spawn_ms(use->ru_stime), use->ru_maxrss, use->ru_minflt,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fclose(result);
}

int main(int argc, char **argv)
{
	struct rusage use;
	uint64_t start;
	int status;
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: spawn RESULT PRELOAD PROGRAM [ARG...]\n");
		return 2;
	}
	unsetenv("LD_PRELOAD");
	if (argv[2][0])
		setenv("LD_PRELOAD", argv[2], 1);
	start = bench_wall_ns();
	errno = posix_spawnp(&pid, argv[3], NULL, NULL, argv + 3, environ);
	if (errno)
		bench_die(argv[3]);
	while (wait4(pid, &status, 0, &use) != pid)
		if (errno != EINTR)
			bench_die("wait4");
	spawn_print(argv[1], (double)(bench_wall_ns() - start) / 1e6, &use, status);
	return 0;
}
