/* SPDX-License-Identifier: MIT */
/* double_free_thread.c - free in a thread what the program has freed */
#include <pthread.h>

#include "misuse.h"

static void *thread(void *p)
{
	free(p);
	return NULL;
}

int main(void)
{
	void *p = malloc(60);
	pthread_t t;

	free(say(p, p));
	pthread_create(&t, NULL, thread, p);
	pthread_join(t, NULL);
	return 0;
}
