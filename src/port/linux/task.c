/* SPDX-License-Identifier: MIT */
/*
 * task.c - a word that goes with a thread
 *
 * What    port_task_word and port_task_set on a key of the C library's. Its first 32 keys have
 *         their place in the thread's own block: neither reading nor setting one allocates. The
 *         key is made at the start, before the program's; a later one is given back, and then
 *         there is no word.
 * Why     No thread-local storage of ours: what dlopen does to it allocates.
 */
#include <pthread.h>

#include "port/linux/linux.h"
#include "port/port.h"

#define TASK_KEYS 32u /* PTHREAD_KEY_2NDLEVEL_SIZE of glibc; musl has all keys in place */

static pthread_key_t task_key;
static bool task_has_key;

void linux_task_init(void)
{
	task_has_key = pthread_key_create(&task_key, NULL) == 0;
	if (task_has_key && task_key >= TASK_KEYS) {
		pthread_key_delete(task_key);
		task_has_key = false;
	}
}

uintptr_t port_task_word(void)
{
	return task_has_key ? (uintptr_t)pthread_getspecific(task_key) : 0;
}

bool port_task_set(uintptr_t word)
{
	return task_has_key && pthread_setspecific(task_key, (const void *)word) == 0;
}
