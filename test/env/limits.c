/* SPDX-License-Identifier: MIT */
/*
 * limits.c - life under a limit of address space
 *
 * What    "start"  the limit was there at the start: threads and dlopen must still work,
 *                  and a fair part of the limit must be usable
 *         "lower"  the limit is lowered while the program runs
 *         Both then allocate until it fails, go on, free, and allocate again.
 * Why     Address space that we reserve is taken from the program: there must be enough
 *         left for stacks and libraries; and running out is an answer, not an end.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>

#include "stamp.h"

enum { MIB = 1 << 20, THREADS = 4, MOST = 1 << 16 };

static void *table[MOST];

static void *thread(void *arg)
{
	struct stamp slots[50] = { { 0 } };
	uint64_t random = (uint64_t)(uintptr_t)arg + 1;

	for (int i = 0; i < 20000; i++) {
		struct stamp *s = &slots[stamp_random(&random) % 50];

		if (s->p)
			stamp_free(s);
		else
			stamp_new(s, 1 + random % 2000, random);
	}
	for (int i = 0; i < 50; i++)
		stamp_free(&slots[i]);
	return NULL;
}

/* With stacks of half a MiB, four threads and a library fit into 64 MiB. */
static void threads_and_libraries(void)
{
	pthread_attr_t attr;
	pthread_t t[THREADS];
	int started = 0;
	void *so;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, MIB / 2);
	for (uintptr_t i = 0; i < THREADS; i++)
		started += !pthread_create(&t[i], &attr, thread, (void *)i);
	for (int i = 0; i < started; i++)
		pthread_join(t[i], NULL);
	printf("%d threads\n", started);
	so = dlopen("libm.so.6", RTLD_NOW);
	printf("dlopen: %s\n", so ? "yes" : dlerror());
	if (so)
		dlclose(so);
}

/* Allocate up to a limit that must come; returns the number of objects. */
static int exhaust(size_t size)
{
	int n = 0;

	errno = 0;
	while (n < MOST && (table[n] = malloc(size)) != NULL)
		memset(table[n++], 1, size < 4096 ? size : 4096);
	return n;
}

static int empty(int n)
{
	for (int i = 0; i < n; i++)
		free(table[i]);
	return n;
}

static void run_out(size_t size)
{
	int n = exhaust(size), error = errno, m;
	void *p;

	printf("%zu bytes: ends with %s, ", size, error == ENOMEM ? "ENOMEM" : "something else");
	errno = 0;
	p = calloc(1, (size_t)200 * MIB);
	printf("too much is refused: %s, ", !p && errno == ENOMEM ? "yes" : "no");
	free(p);
	empty(n);
	m = empty(exhaust(size));
	printf("a fair part was usable: %s, ", n * size > 12 * (size_t)MIB ? "yes" : "no");
	printf("all works again: %s\n", m > n / 4 * 3 ? "yes" : "no");
	fprintf(stderr, "%zu bytes: %d, then %d\n", size, n, m);
}

static void set_limit(rlim_t bytes)
{
	struct rlimit rl;

	getrlimit(RLIMIT_AS, &rl);
	rl.rlim_cur = bytes;
	if (setrlimit(RLIMIT_AS, &rl))
		stamp_die("setrlimit");
}

/* Below what is mapped already: nothing more may be mapped, what is there still works. */
static void lower(void)
{
	static struct stamp slots[1000];
	uint64_t random = 3;

	for (int i = 0; i < 20000; i++)
		stamp_step(slots, 1000, &random);
	set_limit(MIB);
	for (int i = 0; i < 1000; i++)
		stamp_free(&slots[i]);
	for (uint64_t i = 0; i < 1000; i++)
		stamp_new(&slots[i], 50, i);
	for (int i = 0; i < 1000; i++)
		stamp_free(&slots[i]);
	puts("limit below what is mapped: small objects still come and go");
	set_limit(RLIM_INFINITY);
	for (int i = 0; i < 20000; i++)
		stamp_step(slots, 1000, &random);
	for (int i = 0; i < 1000; i++)
		stamp_free(&slots[i]);
	puts("limit lifted: all works again");
	threads_and_libraries();
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "lower")) {
		lower();
		return 0;
	}
	threads_and_libraries();
	run_out(1000);
	run_out(100000);
	run_out(3 * MIB);
	threads_and_libraries();
	return 0;
}
