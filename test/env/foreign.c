/* SPDX-License-Identifier: MIT */
/*
 * foreign.c - free, realloc and measure pointers from the C library's own heap
 *
 * What    "foreign free", "foreign realloc", "foreign usable". Prints whether the C
 *         library's own count of bytes in use went down.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 50000, N = 100 };

int main(int argc, char **argv)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW), *p[N];
	void *(*libc_malloc)(size_t);
	struct mallinfo2 (*libc_info)(void);
	size_t full;

	*(void **)&libc_malloc = dlsym(libc, "__libc_malloc");
	*(void **)&libc_info = dlsym(libc, "mallinfo2");
	if (argc < 2 || !libc_malloc || !libc_info)
		return 2;
	puts("start");
	fflush(stdout);
	for (int i = 0; i < N; i++)
		p[i] = memset(libc_malloc(SIZE), i, SIZE);
	full = libc_info().uordblks;
	for (int i = 0; i < N; i++) {
		if (!strcmp(argv[1], "usable")) {
			if (malloc_usable_size(p[i]) < SIZE)
				puts("too small");
		} else if (!strcmp(argv[1], "realloc")) {
			p[i] = realloc(p[i], 2 * SIZE);
			if (((char *)p[i])[SIZE - 1] != (char)i)
				puts("lost the content");
			free(p[i]);
			continue;
		}
		free(p[i]);
	}
	printf("the C library's heap shrank: %s\n",
	       libc_info().uordblks + (size_t)SIZE * N / 2 < full ? "yes" : "no");
	return 0;
}
