/* SPDX-License-Identifier: MIT */
/*
 * fork_test.c - a child of a program with threads can do everything
 *
 * What    Four threads allocate, free, overflow arrays and purge while the main thread forks
 *         again and again. Each child allocates of every size, starts a thread, makes and
 *         destroys a cache, shrinks and purges, forks once more, and ends with 0. The
 *         parent's objects keep their marks.
 * Rules   FK1 no lock and no CPU's arrays stay with a thread that the child does not have
 *         FK2 what the forking thread owns has its contents in the child, and can be freed
 *         FK3 child and parent do not see each other's allocations
 */
#define _GNU_SOURCE
#include <signal.h>

#include "cache/array.h"
#include "thread/thread.h"

#define FORK_THREADS 4u
#define FORK_HELD 64u
#define FORK_SIZE_MAX ((size_t)1 << 20)
#define FORK_CHILD_ALARM 20u

static struct kmem_cache *cache;

static size_t fork_size(uint64_t r)
{
	return r % 64 ? 8 + r / 64 % 256 * 8 : 8 + r / 64 % (FORK_SIZE_MAX / 64) * 8;
}

/* One turn: free a random one of the held blocks, which has its mark; hold a new one. */
static void fork_turn(void **held, size_t *sizes, uint64_t owner, uint64_t *random)
{
	uint64_t r = thread_random(random);
	unsigned i = r % FORK_HELD;

	r >>= 8;
	if (held[i]) {
		thread_fault(stamp_remove(held[i], sizes[i], owner + i));
		kfree(held[i]);
	}
	sizes[i] = r & 1 ? 128 : fork_size(r >> 1);
	held[i] =
		r & 1 ? kmem_cache_alloc(cache, GFP_KERNEL) : ashlar_kmalloc(sizes[i], GFP_KERNEL);
	if (held[i])
		stamp(held[i], sizes[i], owner + i);
}

static void fork_release(void **held, const size_t *sizes, uint64_t owner)
{
	for (unsigned i = 0; i < FORK_HELD; i++) {
		if (held[i])
			thread_fault(stamp_remove(held[i], sizes[i], owner + i));
		kfree(held[i]);
	}
}

static void *fork_thread(void *number)
{
	uint64_t owner = 1000 * ((uintptr_t)number + 1);
	void *held[FORK_HELD] = { NULL };
	size_t sizes[FORK_HELD] = { 0 };
	uint64_t random = thread_seed() + owner;

	for (unsigned i = 0; !thread_stopping(); i++) {
		fork_turn(held, sizes, owner, &random);
		if (number == NULL && i % 512 == 0)
			ashlar_purge();
		if ((uintptr_t)number == 1 && i % 64 == 0)
			kmem_cache_destroy(kmem_cache_create("parents", 64 + i % 512, 0, 0, NULL));
	}
	fork_release(held, sizes, owner);
	return NULL;
}

static void *fork_child_thread(void *unused)
{
	void *p = kmalloc(100, GFP_KERNEL);

	stamp(p, 96, 7);
	thread_fault(stamp_remove(p, 96, 7));
	kfree(p);
	return unused;
}

/* Everything that the library can do (FK1). */
static void fork_child_work(void)
{
	struct kmem_cache *c = kmem_cache_create("child", 200, 0, 0, NULL);
	void *objects[150];
	pthread_t thread;

	for (size_t size = 8; size <= FORK_SIZE_MAX; size += size < 2048 ? 56 : size / 2) {
		void *p = ashlar_kmalloc(size, GFP_KERNEL);

		stamp(p, size & ~(size_t)7, size);
		thread_fault(stamp_remove(p, size & ~(size_t)7, size));
		kfree(p);
	}
	for (unsigned i = 0; i < 150; i++)
		objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
	thread_fault(pthread_create(&thread, NULL, fork_child_thread, NULL) == 0);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < 150; i++)
		kmem_cache_free(c, objects[i]);
	thread_fault(kmem_cache_shrink(c) == 0);
	kmem_cache_destroy(c);
	kmem_cache_shrink(cache);
	ashlar_purge();
}

_Noreturn static void fork_child(void **held, const size_t *sizes, bool again)
{
	int status = 0;
	pid_t child;

	alarm(FORK_CHILD_ALARM);
	thread_stop(true);
	fork_child_work();
	fork_release(held, sizes, 9000); /* FK2 */
	if (again) {
		child = fork();
		if (child == 0) {
			fork_child_work();
			_exit(thread_faults() ? 1 : 0);
		}
		thread_fault(waitpid(child, &status, 0) == child && status == 0);
	}
	_exit(thread_faults() ? 1 : 0);
}

static bool fork_round(void **held, size_t *sizes, uint64_t *random, bool again)
{
	int status = 0;
	pid_t child;

	for (unsigned i = 0; i < 50; i++)
		fork_turn(held, sizes, 9000, random);
	child = fork();
	if (child == 0)
		fork_child(held, sizes, again);
	for (unsigned i = 0; i < 50; i++)
		fork_turn(held, sizes, 9000, random); /* FK3 */
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		tap_note_number("the child's status", (uint64_t)status);
		return false;
	}
	return true;
}

TEST_MODES(fork_FK1_FK2_FK3_threads_allocate)
{
	unsigned rounds = thread_turns(40, 250, 2000);
	pthread_t threads[FORK_THREADS];
	void *held[FORK_HELD] = { NULL };
	size_t sizes[FORK_HELD] = { 0 };
	uint64_t random = thread_seed();

	if (THREAD_SANITIZED)
		SKIP("the sanitizer's child may not start threads");
	cache = kmem_cache_create("fork", 128, 0, 0, NULL);
	thread_start(threads, FORK_THREADS, fork_thread);
	for (unsigned i = 0; i < rounds; i++)
		if (!EXPECT(fork_round(held, sizes, &random, i % 8 == 0)))
			break;
	thread_stop(true);
	thread_join(threads, FORK_THREADS);
	fork_release(held, sizes, 9000);
	thread_close(cache);
}

/* A child that shares the memory for a moment, while other threads work: it only execs. */
static bool fork_spawn(void)
{
	int status = -1;
	pid_t child = vfork();

	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

static void *fork_spawner(void *number)
{
	unsigned rounds = thread_turns(20, 200, 2000);

	for (unsigned i = 0; i < rounds; i++)
		thread_fault(fork_spawn());
	thread_stop(true);
	return number;
}

TEST_MODES(fork_FK3_vfork_and_exec)
{
	pthread_t threads[FORK_THREADS];
	pthread_t spawner;

	if (THREAD_SANITIZED)
		SKIP("the sanitizer does not know vfork");
	cache = kmem_cache_create("vfork", 128, 0, 0, NULL);
	thread_start(threads, FORK_THREADS, fork_thread);
	pthread_create(&spawner, NULL, fork_spawner, NULL);
	pthread_join(spawner, NULL);
	thread_join(threads, FORK_THREADS);
	thread_close(cache);
}
