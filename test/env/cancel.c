/* SPDX-License-Identifier: MIT */
/*
 * cancel.c - threads that are cancelled, or that exit, in the middle of loops of malloc
 *
 * Why     malloc is no cancellation point: a thread dies between two calls, its cleanup
 *         handlers and thread-local destructors still allocate and free.
 */
#include <pthread.h>
#include <time.h>

#include "stamp.h"

enum { ROUNDS = 200, SLOTS = 64 };

static pthread_key_t key;
static int cleaned, destroyed;

static void destroy(void *p)
{
	free(p);
	free(malloc(3000));
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

static void cleanup(void *arg)
{
	struct stamp *s = arg;

	for (int i = 0; i < SLOTS; i++)
		stamp_free(&s[i]);
	free(s);
	__atomic_fetch_add(&cleaned, 1, __ATOMIC_RELAXED);
}

static void *thread(void *arg)
{
	struct stamp *s = calloc(SLOTS, sizeof(*s));
	uint64_t random = (uint64_t)(uintptr_t)arg + 1;

	pthread_setspecific(key, malloc(100));
	pthread_cleanup_push(cleanup, s);
	for (int n = 0; (uintptr_t)arg % 5 || n < 50; n++) {
		stamp_step(s, SLOTS, &random);
		pthread_testcancel();
	}
	pthread_exit(NULL);
	pthread_cleanup_pop(1);
	return NULL;
}

int main(void)
{
	uintptr_t rounds = (uintptr_t)stamp_rounds(ROUNDS);
	pthread_t t[4];

	pthread_key_create(&key, destroy);
	for (uintptr_t n = 0; n < rounds; n++) {
		for (uintptr_t i = 0; i < 4; i++)
			if (pthread_create(&t[i], NULL, thread, (void *)(n * 4 + i)))
				return 2;
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
		for (int i = 0; i < 4; i++)
			pthread_cancel(t[i]);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
	}
	/* A thread that was cancelled before its first line has nothing to clean. */
	printf("threads that came clean: %s\n",
	       cleaned && cleaned == destroyed ? "all" : "not all");
	return 0;
}
