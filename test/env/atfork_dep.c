/* SPDX-License-Identifier: MIT */
/* atfork_dep.c - a dependency whose fork handlers allocate and free */
#include <pthread.h>

#include "stamp.h"

static struct stamp kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void prepare(void)
{
	pthread_mutex_lock(&lock);
	stamp_free(&kept);
	for (uint64_t i = 1; i < 200; i++) {
		stamp_new(&kept, i * 40, i);
		stamp_free(&kept);
	}
	stamp_new(&kept, 70000, 1);
}

static void after(void)
{
	stamp_free(&kept);
	stamp_new(&kept, 5000, 2);
	pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void come(void)
{
	pthread_atfork(prepare, after, after);
}

/* What a library's own threads do: hold its lock and allocate */
void dep_use(void);
void dep_use(void)
{
	struct stamp s;

	pthread_mutex_lock(&lock);
	stamp_new(&s, 900, 3);
	stamp_free(&s);
	pthread_mutex_unlock(&lock);
}
