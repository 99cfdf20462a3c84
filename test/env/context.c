/* SPDX-License-Identifier: MIT */
/*
 * context.c - contexts that switch stacks between malloc and free, on two threads
 *
 * Why     The allocator may lean on the thread and the processor, never on the stack.
 */
#include <pthread.h>
#include <ucontext.h>

#include "stamp.h"

enum { CONTEXTS = 50, ROUNDS = 400, SLOTS = 20 };

struct world {
	ucontext_t loop, c[CONTEXTS];
	uint64_t seed;
};

static __thread struct world *here;

static void coroutine(int id)
{
	struct stamp slots[SLOTS] = { { 0 } };
	struct world *w = here;
	uint64_t random = w->seed + (uint64_t)id + 1;

	for (int round = 0; round < ROUNDS; round++) {
		stamp_step(slots, SLOTS, &random);
		swapcontext(&w->c[id], &w->loop);
	}
	for (int i = 0; i < SLOTS; i++)
		stamp_free(&slots[i]);
}

static void *thread(void *arg)
{
	struct world *w = calloc(1, sizeof(*w));
	char *stack[CONTEXTS];

	here = w;
	w->seed = (uint64_t)(uintptr_t)arg * 1000;
	for (int i = 0; i < CONTEXTS; i++) {
		getcontext(&w->c[i]);
		stack[i] = malloc(32 << 10);
		w->c[i].uc_stack.ss_sp = stack[i];
		w->c[i].uc_stack.ss_size = 32 << 10;
		w->c[i].uc_link = &w->loop;
		makecontext(&w->c[i], (void (*)(void))coroutine, 1, i);
	}
	for (int round = 0; round <= ROUNDS; round++)
		for (int i = 0; i < CONTEXTS; i++)
			swapcontext(&w->loop, &w->c[i]);
	for (int i = 0; i < CONTEXTS; i++)
		free(stack[i]);
	free(w);
	return NULL;
}

int main(void)
{
	pthread_t t[2];

	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, thread, (void *)(i + 1));
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	puts("contexts done");
	return 0;
}
