/* SPDX-License-Identifier: MIT */
/*
 * thread_churn.c - threads come and go by the thousand and leave their objects to others
 *
 * What    Many threads (20,000, or the number given), 16 at a time. Each allocates stamped
 *         objects, takes over those
 *         of an earlier thread, verifies and frees them, and leaves its own behind.
 * Why     Memory must not die with its thread, must not be lost with it either: at the
 *         end the peak resident size is bounded, whatever the number of threads.
 */
#include <pthread.h>
#include <sys/resource.h>

#include "stamp.h"

enum { AT_ONCE = 16, OBJECTS = 64 };

struct bag {
	struct stamp s[OBJECTS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct bag *left[AT_ONCE];
static pthread_key_t key;

/* Runs as the thread ends, when its thread-local storage is being torn down. */
static void at_thread_exit(void *p)
{
	struct stamp s;

	stamp_new(&s, 2000, 3);
	stamp_free(&s);
	free(p);
}

static struct bag *swap(struct bag *b, uint64_t seed)
{
	struct bag **slot = &left[seed % AT_ONCE];
	struct bag *old;

	pthread_mutex_lock(&lock);
	old = *slot;
	*slot = b;
	pthread_mutex_unlock(&lock);
	return old;
}

static void bag_free(struct bag *b)
{
	if (!b)
		return;
	for (int i = 0; i < OBJECTS; i++)
		stamp_free(&b->s[i]);
	free(b);
}

static void *come_and_go(void *arg)
{
	uint64_t seed = (uint64_t)(uintptr_t)arg, random = seed + 1;
	struct bag *b = calloc(1, sizeof(*b));

	if (!b || pthread_setspecific(key, malloc(300)))
		stamp_die("out of memory");
	for (int i = 0; i < OBJECTS; i++)
		stamp_new(&b->s[i], stamp_size(&random), seed * OBJECTS + (uint64_t)i);
	bag_free(swap(b, seed));
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
	pthread_t t[AT_ONCE];
	struct rusage ru;

	if (pthread_key_create(&key, at_thread_exit))
		stamp_die("pthread_key_create");
	for (uintptr_t n = 0; n < threads; n++) {
		if (n >= AT_ONCE)
			pthread_join(t[n % AT_ONCE], NULL);
		if (pthread_create(&t[n % AT_ONCE], NULL, come_and_go, (void *)n))
			stamp_die("pthread_create");
	}
	for (int i = 0; i < AT_ONCE; i++) {
		pthread_join(t[i], NULL);
		bag_free(swap(NULL, (uint64_t)i));
	}
	getrusage(RUSAGE_SELF, &ru);
	fprintf(stderr, "peak %ld KiB\n", ru.ru_maxrss);
	printf("%lu threads, peak below 64 MiB: %s\n", threads,
	       ru.ru_maxrss < 64 << 10 ? "yes" : "no");
	return 0;
}
