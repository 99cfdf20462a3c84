/* SPDX-License-Identifier: MIT */
/*
 * own_user.c - is every allocation served by own_malloc.c, and is Ashlar inert?
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int (*own_has)(const void *);

static void *thread(void *arg)
{
	char *p = strdup("a copy made by the C library");

	if (!own_has(p))
		puts("strdup: not ours");
	free(p);
	return arg;
}

/* Inert: no address space is reserved. */
static long address_space_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPeak: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/* The definition behind the program's must be whole, too: all of one allocator. */
static void use_the_next(void)
{
	void *(*next_malloc)(size_t), *(*next_realloc)(void *, size_t), *p;
	void (*next_free)(void *);

	*(void **)&next_malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&next_realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&next_free = dlsym(RTLD_NEXT, "free");
	for (size_t n = 1; n < 10 << 20; n = n * 3) {
		p = next_malloc(n);
		if (!p || own_has(p))
			puts("the next malloc is not another one");
		memset(p, 1, n);
		p = next_realloc(p, n + 20);
		next_free(p);
	}
}

int main(int argc, char **argv)
{
	pthread_t t[8];
	void *p = NULL, *so = dlopen("libm.so.6", RTLD_NOW);

	*(void **)&own_has = dlsym(RTLD_DEFAULT, "own_has");
	if (!own_has)
		return 2;
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], NULL, thread, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	if (posix_memalign(&p, 256, 100) || !own_has(p))
		puts("posix_memalign: not ours");
	free(p);
	if (argc > 1 && !strcmp(argv[1], "next"))
		use_the_next();
	if (so)
		dlclose(so);
	printf("address space below 1 GiB: %s\n", address_space_kb() < 1 << 20 ? "yes" : "no");
	return 0;
}
