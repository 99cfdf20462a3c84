/* SPDX-License-Identifier: MIT */
/* audit_trim.c - one thread gives everything back while another allocates: audits find no fault */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static atomic_bool stop;

static void *trim(void *arg)
{
	while (!stop)
		malloc_trim(0);
	return arg;
}

static void take(size_t size, int count)
{
	static void *p[4000];

	for (int i = 0; i < count; i++)
		p[i] = malloc(size);
	for (int i = 0; i < count; i++)
		free(p[i]);
}

int main(void)
{
	time_t end = time(NULL) + 6;
	pthread_t t;

	if (pthread_create(&t, NULL, trim, NULL))
		return 1;
	while (time(NULL) < end) {
		take(20000, 4000);
		take(4 << 20, 20);
	}
	stop = 1;
	pthread_join(t, NULL);
	puts("end");
	return 0;
}
