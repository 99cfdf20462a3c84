/* SPDX-License-Identifier: MIT */
/*
 * dlopen_many.c - four threads open, use and close libraries that allocate
 *
 * What    Each thread opens its copies of plugin.so again and again, lets the plugin
 *         allocate, keeps an object of a plugin that is closed, and verifies it later.
 * Why     A library's constructors, destructors and thread-local storage allocate and
 *         free while the loader's own lock is held; its objects outlive it.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "stamp.h"

enum { THREADS = 4, COPIES = 4, ROUNDS = 500 };

static void *open_all(void *arg)
{
	struct stamp kept[COPIES] = { { 0 } };
	long id = (long)arg;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < COPIES; i++) {
			void (*use)(struct stamp *, uint64_t);
			char name[64];
			void *so;

			snprintf(name, sizeof(name), "./plugin%ld.so", id * COPIES + i);
			so = dlopen(name, i % 2 ? RTLD_NOW : RTLD_LAZY | RTLD_LOCAL);
			if (!so)
				stamp_die(dlerror());
			use = (void (*)(struct stamp *, uint64_t))dlsym(so, "plugin_use");
			if (!use)
				stamp_die("plugin_use is missing");
			stamp_free(&kept[i]);
			use(&kept[i], (uint64_t)(round * COPIES + i));
			dlclose(so);
			stamp_check(&kept[i]);
		}
	}
	for (int i = 0; i < COPIES; i++)
		stamp_free(&kept[i]);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, open_all, (void *)i))
			stamp_die("pthread_create");
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("opened %d libraries\n", THREADS * COPIES * ROUNDS);
	return 0;
}
