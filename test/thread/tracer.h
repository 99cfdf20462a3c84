/* SPDX-License-Identifier: MIT */
/*
 * tracer.h - stops a thread at each instruction of a sequence, and sees it start again
 *
 * What    The traced process runs the same operations again and again, and has two more threads
 *         that work when they are told to. The tracer stands outside and knows the bounds of the
 *         sequences; where they come from is its user's matter.
 * How     Where instructions begin is found by stepping through a sequence with `rseq_cs` cleared:
 *         with it, each step would restart the sequence, and it would never end. The workers hold
 *         their breath while a breakpoint lies in the text that they share.
 */
#ifndef ASHLAR_TEST_THREAD_TRACER_H
#define ASHLAR_TEST_THREAD_TRACER_H

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/rseq.h>

#include "thread/step.h"
#include "thread/thread.h"

#define SEQUENCE_MOST 64u         /* descriptors */
#define SEQUENCE_INSTRUCTIONS 64u /* in one of them */
#define SEQUENCE_TURNS 200u       /* steps through one that is not seen whole yet */
#define SEQUENCE_BULK 31u         /* each part of a copy: one, two, four, and eight three times */
#define SEQUENCE_HELD 23u
#define SEQUENCE_WAIT_MS 1000u

enum worker { WORKER_NONE, WORKER_SAME_CPU, WORKER_OTHER_CPU, WORKERS };

/* What tracer and traced process both see. */
static struct stage {
	sem_t go[WORKERS];
	sem_t done[WORKERS];
	bool finish;       /* atomic */
	uintptr_t rseq_cs; /* where the traced thread's rseq_cs is */
	uint64_t faults;   /* atomic */
	uint64_t worked;   /* turns of the workers */
} * stage;

/* ---- the traced process ---------------------------------------------------------- */

static void stage_fault(bool held)
{
	if (!held)
		__atomic_fetch_add(&stage->faults, 1, __ATOMIC_RELAXED);
}

static bool stage_finishing(void)
{
	return __atomic_load_n(&stage->finish, __ATOMIC_ACQUIRE);
}

/* Semaphores for @stage, which is zeros. */
static void stage_prepare(void)
{
	for (unsigned w = 0; w < WORKERS; w++) {
		sem_init(&stage->go[w], 1, 0);
		sem_init(&stage->done[w], 1, 0);
	}
}

/* Before the first operation, of the thread that is to be stopped: from now on it is traced. */
static void stage_trace_me(void)
{
	stage->rseq_cs = (uintptr_t)__builtin_thread_pointer() + (uintptr_t)__rseq_offset +
			 offsetof(struct rseq, rseq_cs);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
}

/* A worker's wait for its turn; false: there are no more. */
static bool stage_wait(enum worker me)
{
	while (sem_wait(&stage->go[me]) != 0)
		;
	return !stage_finishing();
}

/* ---- the tracer --------------------------------------------------------------------- */

struct sequence {
	uintptr_t start;
	uintptr_t end;
	uintptr_t abort;
	uintptr_t descriptor;
	uintptr_t at[SEQUENCE_INSTRUCTIONS]; /* ascending */
	unsigned count;
	unsigned turns; /* how often it was stepped through */
};

static pid_t traced;
static struct sequence sequences[SEQUENCE_MOST];
static unsigned aborts;

static long peek(uintptr_t address)
{
	return ptrace(PTRACE_PEEKTEXT, traced, (void *)address, NULL);
}

static void poke(uintptr_t address, uint64_t word)
{
	ptrace(PTRACE_POKETEXT, traced, (void *)address, (void *)word);
}

/* Wait for a stop; false iff there is none for long, or the process has ended. */
static bool trace_wait(void)
{
	int status = 0;

	for (unsigned i = 0; i < SEQUENCE_WAIT_MS * 5; i++) {
		if (waitpid(traced, &status, WNOHANG) == traced)
			return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
		usleep(i < 100 ? 1 : 50);
	}
	kill(traced, SIGSTOP); /* it stops here, for us to go on with something else */
	waitpid(traced, &status, 0);
	return false;
}

static bool trace_step(void)
{
	return ptrace(PTRACE_SINGLESTEP, traced, NULL, NULL) == 0 && trace_wait();
}

/* Let the thread run until it stands before the instruction at @address. */
static bool trace_run_to(uintptr_t address)
{
	uint64_t word = (uint64_t)peek(address);
	bool there;

	poke(address, step_with_breakpoint(word));
	there = ptrace(PTRACE_CONT, traced, NULL, NULL) == 0 && trace_wait() &&
		step_ip(traced) == address + STEP_BREAKPOINT_BYTES;
	poke(address, word);
	if (there)
		step_set_ip(traced, address);
	return there;
}

static void sequence_learn(struct sequence *s, uintptr_t ip)
{
	unsigned i = 0;

	while (i < s->count && s->at[i] < ip)
		i++;
	if ((i < s->count && s->at[i] == ip) || s->count == SEQUENCE_INSTRUCTIONS)
		return;
	memmove(&s->at[i + 1], &s->at[i], (s->count - i) * sizeof(s->at[0]));
	s->at[i] = ip;
	s->count++;
}

/* A gap that is larger than an instruction is a part that was jumped over. */
static bool sequence_is_whole(const struct sequence *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		uintptr_t next = i + 1 < s->count ? s->at[i + 1] : s->end;

		if (next - s->at[i] > STEP_INSTRUCTION_MOST)
			return false;
	}
	return s->count > 0;
}

/* Step through without protection, which is safe while the workers wait. */
static bool sequence_explore(struct sequence *s)
{
	for (; s->turns < SEQUENCE_TURNS && !sequence_is_whole(s); s->turns++) {
		if (!trace_run_to(s->start))
			return false;
		poke(stage->rseq_cs, 0);
		while (step_ip(traced) - s->start < s->end - s->start) {
			sequence_learn(s, step_ip(traced));
			if (!trace_step())
				return false;
		}
	}
	return sequence_is_whole(s);
}

static bool worker_turn(enum worker w)
{
	struct timespec until;

	if (w == WORKER_NONE)
		return true;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	sem_post(&stage->go[w]);
	return sem_timedwait(&stage->done[w], &until) == 0;
}

/* Stop at @ip for the @visit-th time within one run of the sequence, have @w work, and see the
 * sequence abort (SQ1). False: it did not. A visit that the sequence does not make is none. */
static bool sequence_stop(const struct sequence *s, uintptr_t ip, unsigned visit, enum worker w)
{
	if (!trace_run_to(ip))
		return false;
	for (unsigned i = 0; i < visit; i++) {
		poke(stage->rseq_cs, 0);
		do
			if (!trace_step())
				return false;
		while (step_ip(traced) != ip && step_ip(traced) - s->start < s->end - s->start);
		if (step_ip(traced) != ip)
			return true;
		poke(stage->rseq_cs, s->descriptor);
	}
	if (!worker_turn(w) || !trace_run_to(s->abort))
		return false;
	aborts++;
	return true;
}

/* Each instruction of @s, alone and with each worker; inside loops also on later rounds. */
static bool sequence_run(const struct sequence *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		for (unsigned visit = 0; visit < 3; visit++) {
			for (enum worker w = WORKER_NONE; w < WORKERS; w++) {
				if (!EXPECT(sequence_stop(s, s->at[i], visit, w))) {
					tap_note_number("byte of the sequence",
							s->at[i] - s->start);
					return false;
				}
			}
		}
	}
	return true;
}

/* The end of the traced process: its status. */
static int stage_end(void)
{
	int status = -1;

	__atomic_store_n(&stage->finish, true, __ATOMIC_RELEASE);
	ptrace(PTRACE_DETACH, traced, NULL, NULL);
	waitpid(traced, &status, 0);
	return status;
}

#endif
