/* SPDX-License-Identifier: MIT */
/*
 * nolock_test.c - who may not wait, on real threads: signal handlers, locks that others hold, no
 *                 system call, no fault
 *
 * What    A handler interrupts the thread that holds the node's lock, at a moment that the test
 *         chooses and then at any; another thread stops everything for good; a process that is
 *         killed for the first system call. Each ends by its alarm if anybody waits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "cache/array.h"
#include "cache/cache.h"
#include "page/map.h"
#include "thread.h"

#ifndef sigev_notify_thread_id /* glibc has no name for it yet */
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { SLOTS = 128, BATCH = 500, MICROSECONDS = 40 };

static struct kmem_cache *c; /* kmalloc-64 */
static void *volatile from_handler;
static void *volatile for_handler;
static volatile sig_atomic_t signals, pended, denied;

static bool prepare(void)
{
	void *p = kmalloc(64, GFP_KERNEL);

	c = cache_node_at(map.ids[map_pfn(p)])->cache;
	kfree(p);
	return true;
}

static struct kmem_cache_node *own_node(void)
{
	return &c->node[0];
}

/* ---- a handler over a held lock ---------------------------------------------------------- */

static void handle_one(int sig)
{
	(void)sig;
	from_handler = kmalloc_nolock(64, 0, -1);
	kfree_nolock(for_handler);
}

/* Every lock of the node's in the interrupted thread's hands: the array is closed, too. */
TEST_MODES(nolock_a_handler_over_the_lock)
{
	struct sigaction sa = { .sa_handler = handle_one };
	void *p[2];

	REQUIRE(prepare());
	sigaction(SIGUSR1, &sa, NULL);
	for (unsigned i = 0; i < 2; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	for_handler = p[0];
	lock_acquire(&own_node()->lock);
	raise(SIGUSR1);
	lock_release(&own_node()->lock);
	EXPECT_NOT_NULL(from_handler);
	kfree(from_handler);
	for_handler = p[1];
	init_stop();
	raise(SIGUSR1);
	EXPECT_EQ(*map_state(p[1]), STATE_PENDING);
	EXPECT_NULL(from_handler); /* every way was closed */
	init_resume();
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(*map_state(p[1]), STATE_FREE);
}

/* ---- a storm ------------------------------------------------------------------------------ */

struct stamp {
	uint32_t *p;
	uint32_t mark;
};

static struct stamp slots[SLOTS]; /* the handler's: one thread gets the signals */

static void stamp_check(struct stamp *s)
{
	for (unsigned i = 0; i < 16; i++)
		if (s->p[i] != s->mark)
			abort(); /* two owners */
}

static void handle_storm(int sig)
{
	int saved = errno;

	(void)sig;
	signals++;
	for (struct stamp *s = slots; s < slots + SLOTS; s++) {
		if (!s->p)
			continue;
		stamp_check(s);
		kfree_nolock(s->p);
		pended +=
			*map_state(s->p) == STATE_PENDING; /* a look: it may be another's by now */
	}
	for (struct stamp *s = slots; s < slots + SLOTS; s++) {
		s->p = kmalloc_nolock(64, 0, -1);
		s->mark = 0x51000000u + (uint32_t)signals * SLOTS + (uint32_t)(s - slots);
		for (unsigned i = 0; s->p && i < 16; i++)
			s->p[i] = s->mark;
		denied += !s->p;
	}
	errno = saved;
}

/* This thread gets @signal again and again. */
static bool start_storm(int signal, timer_t *timer)
{
	struct itimerspec often = { { 0, MICROSECONDS * 1000 }, { 0, MICROSECONDS * 1000 } };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal };

	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	return timer_create(CLOCK_MONOTONIC, &event, timer) == 0 &&
	       timer_settime(*timer, 0, &often, NULL) == 0;
}

/* Batches, so that the lock is held much of the time. */
static void work(unsigned rounds)
{
	void *objects[BATCH];

	for (unsigned r = 0; r < rounds; r++) {
		if (kmem_cache_alloc_bulk(c, GFP_KERNEL, BATCH, objects) != BATCH)
			abort();
		for (unsigned i = 0; i < BATCH; i++)
			memset(objects[i], (int)r, 64);
		kmem_cache_free_bulk(c, BATCH, objects);
		if (r % 64 == 0)
			kmem_cache_shrink(c);
	}
}

static void *work_blocked(void *rounds)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	work(*(unsigned *)rounds);
	return NULL;
}

TEST_MODES(nolock_a_storm_of_handlers)
{
	struct sigaction sa = { .sa_handler = handle_storm };
	unsigned rounds = thread_turns(4000, 20000, 2000000);
	pthread_t other;
	timer_t timer;
	char text[128];

	if (THREAD_SANITIZED)
		SKIP("ThreadSanitizer keeps signals back until a call that it knows");
	REQUIRE(prepare());
	sigaction(SIGUSR2, &sa, NULL);
	REQUIRE(pthread_create(&other, NULL, work_blocked, &rounds) == 0);
	REQUIRE(start_storm(SIGUSR2, &timer));
	work(rounds);
	timer_delete(timer);
	pthread_join(other, NULL);
	snprintf(text, sizeof(text), "%d signals, %d frees were pending, %d allocations denied",
		 (int)signals, (int)pended, (int)denied);
	tap_note(text);
	EXPECT_GT(signals, 100);
	EXPECT_GT(pended, 0);
	for (unsigned i = 0; i < SLOTS; i++)
		if (slots[i].p) {
			stamp_check(&slots[i]);
			kfree(slots[i].p);
		}
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(own_node()->pending, 0);
	EXPECT_NULL(own_node()->queue);
}

/* Frees that are pending on two CPUs and a third that sweeps, as fast as they can. */
static bool stop; /* atomic */

static void *pend(void *argument)
{
	(void)argument;
	while (!READ_ONCE(stop)) {
		void *p = kmalloc(64, GFP_KERNEL);

		*map_state(p) = STATE_FREE; /* as released; no array, no lock: pending at once */
		slab_pend(own_node(), p);
	}
	return NULL;
}

TEST_MODES(nolock_pending_against_sweeps)
{
	pthread_t pending[2];
	uint64_t swept = 0;

	REQUIRE(prepare());
	for (unsigned i = 0; i < 2; i++)
		REQUIRE(pthread_create(&pending[i], NULL, pend, NULL) == 0);
	while (!READ_ONCE(own_node()->queue))
		sched_yield();
	for (unsigned r = thread_turns(2000, 20000, 1000000); r > 0; r--) {
		swept += READ_ONCE(own_node()->queue) != NULL;
		slab_lock(own_node());
		lock_release(&own_node()->lock);
		if (r % 256 == 0)
			kmem_cache_shrink(c);
	}
	WRITE_ONCE(stop, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(pending[i], NULL);
	EXPECT_GT(swept, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(own_node()->pending, 0);
	EXPECT_NULL(own_node()->queue);
}

/* In a child: nothing is on its way to the node, and nothing scans for it for ever. */
static int fork_child(void)
{
	void *p[64];

	if (own_node()->pending || own_node()->queue)
		return 2;
	for (unsigned i = 0; i < 64; i++) {
		p[i] = kmalloc(64, GFP_KERNEL);
		memset(p[i], 1, 64);
	}
	lock_acquire(&own_node()->lock);
	for (unsigned i = 0; i < 64; i++) {
		*map_state(p[i]) = STATE_FREE;
		slab_pend(own_node(), p[i]);
	}
	lock_release(&own_node()->lock);
	slab_lock(own_node());
	lock_release(&own_node()->lock);
	if (own_node()->pending || own_node()->queue)
		return 3;
	return ashlar_audit() ? 4 : 0;
}

TEST_MODES(nolock_a_child_waits_for_no_half_free)
{
	pthread_t pending[2];

	if (THREAD_SANITIZED)
		SKIP("ThreadSanitizer ends children of programs with threads");
	REQUIRE(prepare());
	WRITE_ONCE(stop, false);
	for (unsigned i = 0; i < 2; i++)
		REQUIRE(pthread_create(&pending[i], NULL, pend, NULL) == 0);
	for (unsigned r = thread_turns(60, 400, 20000); r > 0; r--) {
		int status = -1;
		pid_t child = fork();

		if (child == 0)
			_exit(fork_child());
		REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
		EXPECT_EQ(status, 0);
		slab_lock(own_node());
		lock_release(&own_node()->lock);
	}
	WRITE_ONCE(stop, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(pending[i], NULL);
}

/* ---- everything is held --------------------------------------------------------------------- */

static int ends[2][2];

static void *hold_all(void *argument)
{
	char byte = 0;

	(void)argument;
	init_stop();
	if (write(ends[0][1], &byte, 1) != 1 || read(ends[1][0], &byte, 1) != 1)
		abort();
	init_resume();
	return NULL;
}

TEST_MODES(nolock_another_thread_holds_everything)
{
	static const gfp_t gfps[] = { GFP_ATOMIC, GFP_NOWAIT, 0, GFP_ATOMIC | __GFP_ZERO };
	static const size_t sizes[] = { 16, 64, 1000, 32768, 50000, 1 << 20, 16 << 20 };
	pthread_t holder;
	void *p[4];
	char byte;

	REQUIRE(prepare());
	for (unsigned i = 0; i < 4; i++)
		p[i] = kmalloc(64, GFP_KERNEL);
	REQUIRE(pipe(ends[0]) == 0 && pipe(ends[1]) == 0);
	REQUIRE(pthread_create(&holder, NULL, hold_all, NULL) == 0);
	REQUIRE(read(ends[0][0], &byte, 1) == 1);
	for (unsigned g = 0; g < 4; g++)
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			EXPECT_NULL(ashlar_kmalloc(sizes[i], gfps[g]));
	EXPECT_NULL(kmalloc_nolock(64, 0, -1));
	for (unsigned i = 0; i < 4; i++)
		kfree_nolock(p[i]);
	EXPECT_EQ(own_node()->pending, 4);
	REQUIRE(write(ends[1][1], &byte, 1) == 1);
	pthread_join(holder, NULL);
	EXPECT_EQ(ashlar_audit(), 0);
	EXPECT_EQ(own_node()->pending, 0);
}

/* ---- no system call, no fault -------------------------------------------------------------- */

static const size_t warm_sizes[] = { 16, 64, 200, 1000, 4000, 16000 };

#define WARM (sizeof(warm_sizes) / sizeof(warm_sizes[0]))

static void *warm[WARM][400];

/* As many as the size's batches and slabs behind them; each byte of them was touched. */
static bool take_warm(gfp_t gfp)
{
	for (unsigned s = 0; s < WARM; s++)
		for (unsigned i = 0; i < 400; i++) {
			warm[s][i] = ashlar_kmalloc(warm_sizes[s], gfp);
			if (!warm[s][i])
				return false;
			memset(warm[s][i], 1, warm_sizes[s]);
		}
	return true;
}

static void give_warm(void)
{
	for (unsigned s = 0; s < WARM; s++)
		for (unsigned i = 0; i < 400; i++)
			kfree_nolock(warm[s][i]);
}

/* The kernel kills for all calls but read, write, exit and sigreturn. */
TEST_MODES(nolock_no_system_call)
{
	int status = -1;
	pid_t child;

	if (THREAD_SANITIZED)
		SKIP("ThreadSanitizer makes system calls of its own");
	REQUIRE(take_warm(GFP_KERNEL));
	give_warm();
	child = fork();
	if (child == 0) {
		bool got = true;

		got = take_warm(GFP_ATOMIC); /* this CPU's arrays, and pages of the copy */
		give_warm();
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
			_exit(77);
		for (unsigned r = 0; got && r < 50; r++) {
			got = take_warm(r % 2 ? GFP_ATOMIC : GFP_NOWAIT);
			if (got)
				give_warm();
		}
		syscall(SYS_exit, got ? 0 : 1);
	}
	REQUIRE(child > 0 && waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("seccomp is refused here");
	EXPECT_EQ(status, 0);
}

TEST_MODES(nolock_no_fault_on_touched_memory)
{
	struct rusage before;
	struct rusage after;
	unsigned cpu;

	/* Another CPU's arrays hold other objects. */
	REQUIRE(thread_cpus(&cpu, 1) == 1 && thread_pin(cpu));
	for (unsigned r = 0; r < 3; r++) {
		REQUIRE(take_warm(GFP_KERNEL));
		give_warm();
	}
	getrusage(RUSAGE_THREAD, &before);
	for (unsigned r = 0; r < 10; r++) {
		REQUIRE(take_warm(GFP_ATOMIC));
		give_warm();
	}
	getrusage(RUSAGE_THREAD, &after);
	EXPECT_EQ(after.ru_minflt - before.ru_minflt, 0);
	EXPECT_EQ(after.ru_nvcsw - before.ru_nvcsw, 0); /* it never slept */
}
