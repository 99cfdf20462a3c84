/* SPDX-License-Identifier: MIT */
/*
 * overcommit.c - what a process is charged for, before and after it gives memory back
 *
 * Why     Under overcommit mode 2 every writable private page counts, touched or not:
 *         a heap that is only discarded still counts, one that is unmapped does not.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>

#include "stamp.h"

enum { N = 64 << 10, SIZE = 1000 };

static void *table[N];

/* The sum of all mappings that the kernel charges ("ac"), in KiB */
static long charged_kb(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	long size = 0, sum = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Size: %ld kB", &size) == 1)
			continue;
		if (!strncmp(line, "VmFlags:", 8) && strstr(line, " ac"))
			sum += size;
	}
	if (f)
		fclose(f);
	return sum;
}

static void *thread(void *arg)
{
	for (int i = 0; i < 10000; i++)
		free(malloc(i));
	return arg;
}

int main(void)
{
	long start = charged_kb(), full, end;
	void *volatile huge;
	pthread_t t[4];

	for (int i = 0; i < N; i++) {
		table[i] = malloc(SIZE);
		if (!table[i])
			return 2;
		memset(table[i], 1, SIZE);
	}
	full = charged_kb();
	for (int i = 0; i < N; i++)
		free(table[i]);
	malloc_trim(0);
	end = charged_kb();
	fprintf(stderr, "charged: %ld KiB at the start, %ld full, %ld after the trim\n", start,
		full, end);
	printf("a small program is charged little: %s\n", start < 16 << 10 ? "yes" : "no");
	printf("the charge follows use: %s\n", full - start < 80 << 10 ? "yes" : "no");
	printf("the charge goes back: %s\n", end - start <= (full - start) / 4 ? "yes" : "no");
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, thread, NULL))
			return 3;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	errno = 0;
	huge = malloc((size_t)1 << 46);
	printf("64 TiB are refused: %s\n", !huge && errno == ENOMEM ? "yes" : "no");
	return 0;
}
