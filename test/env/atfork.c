/* SPDX-License-Identifier: MIT */
/*
 * atfork.c - fork with handlers that allocate, in a dependency and in the program
 *
 * Why     A handler that allocates after the allocator has taken its locks waits for
 *         ever; so does a thread that holds a library's lock and allocates. Ours must
 *         run last before the fork and first after it.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "stamp.h"

static int stop;
static struct stamp s;
void dep_use(void);

static void prepare(void)
{
	stamp_new(&s, 40000, 6);
	dep_use();
}

static void after(void)
{
	stamp_free(&s);
	free(malloc(200));
}

static void *thread(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		dep_use();
		free(malloc(100000));
		usleep(20);
	}
	return arg;
}

int main(void)
{
	pthread_t t[3];
	int good = 0;

	pthread_atfork(prepare, after, after);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, thread, NULL))
			return 2;
	for (int i = 0; i < 400; i++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid) {
			dep_use();
			exit(0);
		}
		good += waitpid(pid, &status, 0) == pid && !status;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("%d forks\n", good);
	return good != 400;
}
