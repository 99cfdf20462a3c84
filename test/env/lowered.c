/* SPDX-License-Identifier: MIT */
/*
 * lowered.c - a program lowers its RLIMIT_AS to a gibibyte, far below what Ashlar reserves
 *
 * Why     Programs that sandbox themselves do this. What is reserved and not used must go back:
 *         small blocks, mappings of their own and threads can be had as with any malloc.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int fill(int most, size_t size)
{
	int blocks = 0;

	for (; blocks < most; blocks++) {
		char *p = malloc(size);

		if (!p)
			break;
		memset(p, 1, size);
	}
	return blocks;
}

static void *thread(void *arg)
{
	free(malloc(5000));
	return arg;
}

int main(void)
{
	struct rlimit limit = { 1ul << 30, 1ul << 30 };
	pthread_t t;

	if (setrlimit(RLIMIT_AS, &limit) != 0)
		return 2;
	printf("blocks: %d\n", fill(2000, 100000));
	printf("mappings: %d\n", fill(8, 20 << 20));
	printf("thread: %d\n", pthread_create(&t, NULL, thread, NULL));
	pthread_join(t, NULL);
	printf("too much: %s\n", malloc((size_t)2 << 30) ? "given" : "refused");
	return 0;
}
