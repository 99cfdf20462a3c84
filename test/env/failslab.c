/* SPDX-License-Identifier: MIT */
/* failslab.c - every way to ask for memory, with errno where it fails: "done" only if none did */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed;

static void *worked(void *p, const char *what)
{
	if (p)
		return p;
	if (errno != ENOMEM)
		printf("%s: errno %d\n", what, errno);
	failed = 1;
	return NULL;
}

static void grow(size_t from, size_t to)
{
	char *p = worked(malloc(from), "malloc"), *q;

	if (!p)
		return;
	memset(p, 1, from);
	errno = 0;
	q = worked(realloc(p, to), "realloc");
	if ((q ? q : p)[from - 1] != 1)
		puts("realloc lost the contents");
	free(q ? q : p);
}

int main(void)
{
	void *p = NULL;
	int error;

	for (size_t size = 1; size < 200000; size = size * 3 + 1) {
		errno = 0;
		free(worked(calloc(1, size), "calloc"));
		errno = 0;
		free(worked(memalign(4096, size), "memalign"));
		errno = 0;
		grow(size, size * 2);
	}
	error = posix_memalign(&p, 64, 1000);
	if (error) {
		if (error != ENOMEM)
			printf("posix_memalign: %d\n", error);
		failed = 1;
	}
	free(p);
	puts(failed ? "went on" : "done");
	return 0;
}
