/* SPDX-License-Identifier: MIT */
/*
 * fork2000.c - fork two thousand times while four threads allocate
 *
 * What    "fork2000 COUNT". Each child allocates, verifies what it inherited, starts a thread that
 *         allocates too, and exits. "fork2000 COUNT vfork" does the same with vfork, whose
 *         child allocates, and every fourth time with vfork + exec and posix_spawn.
 * Why     fork catches the other threads in the middle of malloc: the child must find
 *         every lock free and every array whole. A vfork child that really shares memory
 *         runs unprotected on its parent's arrays: the stamps would show two owners.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

#include "stamp.h"

enum { THREADS = 4, SLOTS = 300 };

static int stop;
static struct stamp main_slots[SLOTS];
extern char **environ;

static void live(struct stamp *slots, uint64_t *random, int steps)
{
	while (steps--)
		stamp_step(slots, SLOTS, random);
}

static void empty(struct stamp *slots)
{
	for (int i = 0; i < SLOTS; i++)
		stamp_free(&slots[i]);
}

static void *allocate(void *arg)
{
	struct stamp slots[SLOTS] = { { 0 } };
	uint64_t random = (uint64_t)(uintptr_t)arg;

	/* The pause leaves the processors to the children: many forks still meet a busy thread. */
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		live(slots, &random, 200);
		usleep(300);
	}
	empty(slots);
	return NULL;
}

static void *child_thread(void *arg)
{
	struct stamp slots[SLOTS] = { { 0 } };
	uint64_t random = 77;

	live(slots, &random, 200);
	empty(slots);
	return arg;
}

static void forked_child(uint64_t random)
{
	pthread_t t;

	empty(main_slots);
	live(main_slots, &random, 200);
	if (pthread_create(&t, NULL, child_thread, NULL) || pthread_join(t, NULL))
		_exit(2);
	empty(main_slots);
	exit(0);
}

/* Legal with memory shared and with memory copied: it leaves nothing behind. */
static void vforked_child(void)
{
	struct stamp s[64];

	for (uint64_t round = 0; round < 4; round++) {
		for (uint64_t i = 0; i < 64; i++)
			stamp_new(&s[i], 16 + i * 7, i);
		for (uint64_t i = 0; i < 64; i++)
			stamp_free(&s[i]);
	}
	_exit(0);
}

static pid_t start(int n, int use_vfork)
{
	static char *const argv[] = { "true", NULL };
	pid_t pid;

	if (!use_vfork) {
		pid = fork();
		if (!pid)
			forked_child((uint64_t)n + 1);
	} else if (n % 8 == 0) {
		if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ))
			pid = -1;
	} else {
		pid = vfork();
		if (!pid && n % 8 == 4) {
			execv("/bin/true", argv);
			_exit(3);
		}
		if (!pid)
			vforked_child();
	}
	return pid;
}

int main(int argc, char **argv)
{
	int children = argc > 1 ? atoi(argv[1]) : 2000;
	int use_vfork = argc > 2 && !strcmp(argv[2], "vfork");
	uint64_t random = 5;
	pthread_t t[THREADS];
	int good = 0;

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, allocate, (void *)(i + 1)))
			stamp_die("pthread_create");
	for (int n = 0; n < children; n++) {
		int status = -1;
		pid_t pid;

		live(main_slots, &random, 20);
		pid = start(n, use_vfork);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			fprintf(stderr, "child %d: status %#x\n", n, (unsigned int)status);
		else
			good++;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	empty(main_slots);
	fprintf(stderr, "%d of %d children ended well\n", good, children);
	printf("%s children ended well\n", good == children ? "all" : "not all");
	return good != children;
}
