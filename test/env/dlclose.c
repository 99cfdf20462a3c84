/* SPDX-License-Identifier: MIT */
/*
 * dlclose.c - open the named library, allocate from it, close it: it must still be there
 *
 * Why     A thread's rseq area may point into the library's code at any time: were the
 *         code unmapped, the kernel would kill the process at the next preemption.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	void *so = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	void *(*take)(size_t, unsigned int); /* malloc, or kmalloc with its flags */
	void (*give)(void *);
	void *p;

	if (!so) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	*(void **)&take = dlsym(so, argc > 2 ? argv[2] : "malloc");
	*(void **)&give = dlsym(so, argc > 3 ? argv[3] : "free");
	if (!take || !give)
		return 3;
	p = take(100, 0);
	dlclose(so);
	memset(p, 1, 100);
	if (!dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD))
		return 4;
	give(p);
	free(malloc(10));
	puts("still there");
	return 0;
}
