/* SPDX-License-Identifier: MIT */
/*
 * secure.c - a setuid program that is linked with Ashlar: which options does it obey?
 *
 * What    Prints AT_SECURE, and whether freed memory was cleared (init_on_free=1, a
 *         hardening option); "foreign" then frees a pointer of the C library's heap, which
 *         foreign=libc would allow.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

int main(int argc, char **argv)
{
	void *(*libc_malloc)(size_t);
	unsigned char *volatile p = malloc(2000);
	int left = 0;

	(void)argv;
	setvbuf(stdout, NULL, _IONBF, 0);
	memset(p, 0x5b, 2000);
	free(p);
	for (int i = 0; i < 2000; i++)
		left += p[i] == 0x5b;
	printf("secure %d\ncleared %d\n", getauxval(AT_SECURE) != 0, !left);
	*(void **)&libc_malloc = dlsym(dlopen("libc.so.6", RTLD_NOW), "__libc_malloc");
	if (argc > 1 && libc_malloc)
		free(libc_malloc(100));
	puts("end");
	return 0;
}
