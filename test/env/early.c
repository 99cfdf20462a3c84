/* SPDX-License-Identifier: MIT */
/*
 * early.c - memory that is needed before main starts and after it has returned
 *
 * Why     Constructors run in an order that no program controls; the allocator must be
 *         ready for the first of them and still there for the last destructor.
 */
#include <pthread.h>

#include "stamp.h"

static struct stamp preinit[8], own[8], thread_made, from_dep;
void dep_take(struct stamp *s);

static void fill(struct stamp *s)
{
	for (uint64_t i = 0; i < 8; i++)
		stamp_new(&s[i], (size_t)1 << (2 * i), i);
}

static void empty(struct stamp *s)
{
	for (int i = 0; i < 8; i++)
		stamp_free(&s[i]);
}

static void *thread(void *arg)
{
	stamp_new(arg, 500, 1);
	return NULL;
}

static void before_all(void)
{
	fill(preinit);
}

__attribute__((section(".preinit_array"), used)) static void (*first)(void) = before_all;

__attribute__((constructor)) static void come(void)
{
	pthread_t t;

	fill(own);
	dep_take(&from_dep);
	if (!pthread_create(&t, NULL, thread, &thread_made))
		pthread_join(t, NULL);
}

__attribute__((destructor)) static void go(void)
{
	struct stamp s;

	empty(preinit);
	stamp_new(&s, 100000, 4);
	stamp_free(&s);
	puts("program: destructor");
}

static void at_exit(void)
{
	empty(own);
	fill(own);
	empty(own);
	puts("program: atexit");
}

int main(void)
{
	atexit(at_exit);
	stamp_free(&from_dep);
	stamp_free(&thread_made);
	puts("program: main");
	return 0;
}
