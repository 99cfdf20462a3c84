/* SPDX-License-Identifier: MIT */
/*
 * secure.c - a setuid program that is linked with Ashlar: which options does it obey?
 *
 * What    Prints AT_SECURE, and whether 100 MB were refused (limit=16m, a hardening option);
 *         "foreign" then frees a pointer of the C library's heap, which
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
	void *volatile p = malloc(100000000);

	(void)argv;
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("secure %d\nlimited %d\n", getauxval(AT_SECURE) != 0, !p);
	*(void **)&libc_malloc = dlsym(dlopen("libc.so.6", RTLD_NOW), "__libc_malloc");
	if (argc > 1 && libc_malloc)
		free(libc_malloc(100));
	puts("end");
	return 0;
}
