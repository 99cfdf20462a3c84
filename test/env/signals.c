/* SPDX-License-Identifier: MIT */
/*
 * signals.c - signals at any moment: storms, alternate stacks, _exit from a handler
 *
 * What    "storm"    the timer interrupts malloc and free; the handler does not allocate
 *         "handler"  the handler allocates, on its own stack, while the program computes
 *                    and other threads allocate
 *         "nested"   the handler interrupts malloc and allocates (no C library allows it;
 *                    Ashlar's fast path does: one thread, one processor, warm arrays)
 *         "exit"     the handler ends the process in the middle of malloc
 * Why     A signal aborts a restartable sequence: nothing may be lost or handed out twice.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "stamp.h"

enum { SLOTS = 200, MILLISECONDS = 800, CHILDREN = 300 };

static volatile sig_atomic_t signals, stop;
static char mode;

static void handler(int sig)
{
	struct stamp s;

	(void)sig;
	signals++;
	if (mode == 'e')
		_exit(0);
	if (mode == 'h' || mode == 'n') {
		stamp_new(&s, 64, (uint64_t)signals);
		stamp_free(&s);
	}
}

static void start_timer(long microseconds)
{
	static char stack[64 << 10];
	struct itimerval it = { { 0, microseconds }, { 0, microseconds } };
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART };

	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void stop_timer(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
}

static void *allocate(void *arg)
{
	struct stamp slots[SLOTS] = { { 0 } };
	uint64_t random = (uint64_t)(uintptr_t)arg;

	while (!stop)
		stamp_step(slots, SLOTS, &random);
	for (int i = 0; i < SLOTS; i++)
		stamp_free(&slots[i]);
	return NULL;
}

static int time_is_up(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000 >
	       stamp_rounds(MILLISECONDS);
}

static void pairs(void)
{
	struct stamp s;

	for (uint64_t i = 0; i < 1000; i++) {
		stamp_new(&s, 64, i);
		stamp_free(&s);
	}
}

static void run(void)
{
	static struct stamp slots[SLOTS];
	struct timespec start;
	uint64_t random = 1;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!time_is_up(&start)) {
		if (mode == 'n')
			pairs();
		for (int i = 0; i < 1000 && mode == 's'; i++)
			stamp_step(slots, SLOTS, &random);
	}
	stop_timer();
	for (int i = 0; i < SLOTS; i++)
		stamp_free(&slots[i]);
}

static int exits(void)
{
	int children = stamp_rounds(CHILDREN);
	int good = 0;

	for (int i = 0; i < children; i++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid) {
			start_timer(100 + i * 7);
			allocate((void *)1);
		}
		good += waitpid(pid, &status, 0) == pid && !status;
	}
	printf("%d children left from a handler\n", good);
	return good != children;
}

static void one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	pthread_t t[2];
	sigset_t alarm;

	mode = argc > 1 ? argv[1][0] : 's';
	if (mode == 'e')
		return exits();
	if (mode == 'n') {
		one_processor();
		pairs();
	} else {
		sigemptyset(&alarm);
		sigaddset(&alarm, SIGALRM);
		pthread_sigmask(SIG_BLOCK, &alarm, NULL);
		for (uintptr_t i = 0; i < 2; i++)
			pthread_create(&t[i], NULL, allocate, (void *)(i + 2));
		pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	}
	start_timer(50);
	run();
	stop = 1;
	if (mode != 'n')
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
	printf("signals: %s\n", signals > 100 ? "many" : "too few");
	return 0;
}
