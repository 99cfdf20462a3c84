/* SPDX-License-Identifier: MIT */
/* double_free_race.c - two threads free the same object at the same moment */
#include <pthread.h>

#include "misuse.h"

static pthread_barrier_t gate;
static void *shared;

static void *racer(void *first)
{
	for (int round = 0; round < 100000; round++) {
		if (first)
			shared = malloc(64);
		pthread_barrier_wait(&gate);
		free(shared);
		pthread_barrier_wait(&gate);
	}
	return NULL;
}

int main(void)
{
	pthread_t t;

	pthread_barrier_init(&gate, NULL, 2);
	pthread_create(&t, NULL, racer, NULL);
	racer(&gate);
	return 0;
}
