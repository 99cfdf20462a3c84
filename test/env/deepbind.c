/* SPDX-License-Identifier: MIT */
/*
 * deepbind.c - a plugin opened with RTLD_DEEPBIND
 *
 * What    Prints whether the plugin's malloc is the program's. "cross" frees in the
 *         program what the plugin allocated, as programs do.
 * Why     RTLD_DEEPBIND makes the plugin look into the C library first: it would
 *         allocate there and free here.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	void *so = dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND);
	void *(*plugin_malloc)(void), *(*take)(size_t), *p;
	void (*give)(void *);

	if (!so) {
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	*(void **)&plugin_malloc = dlsym(so, "plugin_malloc");
	*(void **)&take = dlsym(so, "plugin_take");
	*(void **)&give = dlsym(so, "plugin_give");
	printf("plugin's malloc is %s\n",
	       plugin_malloc() == dlsym(RTLD_DEFAULT, "malloc") ? "the program's" : "another");
	for (size_t n = 1; n < 1 << 20; n *= 3) {
		p = take(n);
		give(p);
		if (argc > 2) {
			free(take(n));
			give(malloc(n));
		}
	}
	dlclose(so);
	return 0;
}
