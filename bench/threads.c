/* SPDX-License-Identifier: MIT */
/*
 * threads.c - what does a thread cost that allocates a little and then waits?
 *
 *   threads [COUNT]
 *
 * COUNT threads, all alive at once, hold about 6 KiB each in 30 objects of 16 to 400 bytes. Printed
 * is the growth of the resident size for each of them, its stack (one or two pages) included: the
 * stacks are equal for all allocators. Many services are like this: a thread for each connection.
 */
#include "bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#define OBJECTS 30

static struct threads {
	pthread_barrier_t ready, finish;
} threads;

static double threads_rss_kib(void)
{
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (n <= 0)
		bench_die("read of /proc/self/statm");
	text[n] = 0;
	return (double)strtoul(strchr(text, ' '), NULL, 10) * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static void *threads_body(void *argument)
{
	struct bench_rng rng = bench_seed((uintptr_t)argument);
	void *object[OBJECTS];

	for (int i = 0; i < OBJECTS; i++) {
		uint32_t size = bench_between(&rng, 16, 400);

		object[i] = bench_alloc(size);
		memset(object[i], 1, size);
	}
	pthread_barrier_wait(&threads.ready);
	pthread_barrier_wait(&threads.finish);
	for (int i = 0; i < OBJECTS; i++)
		free(object[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	uint32_t count = bench_arg(argc, argv, 1, 1000);
	pthread_t *thread = bench_alloc(count * sizeof(*thread));
	uint64_t start = bench_wall_ns();
	double before, during;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	pthread_barrier_init(&threads.ready, NULL, count + 1);
	pthread_barrier_init(&threads.finish, NULL, count + 1);
	before = threads_rss_kib();
	for (uintptr_t i = 0; i < count; i++)
		if (pthread_create(&thread[i], &attr, threads_body, (void *)i))
			bench_die("pthread_create");
	pthread_barrier_wait(&threads.ready);
	during = threads_rss_kib();
	pthread_barrier_wait(&threads.finish);
	for (uint32_t i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	printf("bench=threads kib=%.2f after_kib=%.2f ns=%.0f\n", (during - before) / count,
	       (threads_rss_kib() - before) / count, (double)(bench_wall_ns() - start) / count);
	return 0;
}
