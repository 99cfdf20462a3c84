/* SPDX-License-Identifier: MIT */
/*
 * fence_test.c - sandboxes: the fence refused, before and after the start; no system calls
 *
 * What    seccomp filters that refuse membarrier, from before exec or from now on, and one
 *         that kills for every system call but those by which a test ends.
 * Rules   FN1 refused at the start: lock mode, and everything works
 *         FN2 refused later: a CPU cannot be stopped, so what its arrays hold stays there;
 *             nothing else changes, and nothing is lost
 *         FN3 allocations and frees that find their objects in arrays, shared arrays and
 *             slabs make no system call
 *         FN4 where some kernels are not trusted and this one does not tell its release: lock
 *             mode, and everything works
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "cache/array.h"
#include "cache/cache.h"
#include "percpu.h"
#include "port/port.h"
#include "thread/thread.h"

#define FENCE_HELD 400u
#define FENCE_THREADS 4u
#define FENCE_BYTES 64u

static struct kmem_cache *cache;

/* ---- filters -------------------------------------------------------------------- */

#define LOAD_NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define UNLESS(number, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, (skip))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))

/* For all threads of the process, and what it will exec. */
static bool filter_install(struct sock_filter *code, unsigned short length)
{
	struct sock_fprog program = { .len = length, .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ==
		       0;
}

static bool filter_no_fence(void)
{
	struct sock_filter code[] = {
		LOAD_NUMBER,
		UNLESS(SYS_membarrier, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
	};

	return filter_install(code, sizeof(code) / sizeof(code[0]));
}

static bool filter_no_release(void)
{
	struct sock_filter code[] = {
		LOAD_NUMBER,
		UNLESS(SYS_uname, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM),
		RETURN(SECCOMP_RET_ALLOW),
	};

	return filter_install(code, sizeof(code) / sizeof(code[0]));
}

static bool filter_no_calls(void)
{
	struct sock_filter code[] = {
		LOAD_NUMBER,          UNLESS(SYS_exit_group, 1), RETURN(SECCOMP_RET_ALLOW),
		UNLESS(SYS_write, 1), RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_KILL_PROCESS),
	};

	return filter_install(code, sizeof(code) / sizeof(code[0]));
}

/* ---- work ----------------------------------------------------------------------- */

static void fence_fill(struct kmem_cache *c, void **objects, uint64_t owner)
{
	for (unsigned i = 0; i < FENCE_HELD; i++) {
		objects[i] = kmem_cache_alloc(c, GFP_KERNEL);
		stamp(objects[i], FENCE_BYTES, owner + i);
	}
}

static void fence_empty(struct kmem_cache *c, void **objects, uint64_t owner)
{
	for (unsigned i = 0; i < FENCE_HELD; i++) {
		thread_fault(stamp_remove(objects[i], FENCE_BYTES, owner + i));
		kmem_cache_free(c, objects[i]);
	}
}

static void *fence_thread(void *number)
{
	uint64_t owner = 1000 * ((uintptr_t)number + 1);
	unsigned turns = thread_turns(200, 2000, 20000);
	void *objects[FENCE_HELD];

	for (unsigned i = 0; i < turns; i++) {
		fence_fill(cache, objects, owner);
		fence_empty(cache, objects, owner);
		if (i % 16 == 0)
			kmem_cache_shrink(cache);
		if (i % 64 == 0)
			ashlar_purge();
	}
	return NULL;
}

TEST(fence_FN1_refused_at_the_start)
{
	if (thread_elsewhere_prepared("lock", "percpu=rseq", __func__, filter_no_fence))
		return;
	cache = kmem_cache_create("fence", FENCE_BYTES, 0, 0, NULL);
	thread_run(FENCE_THREADS, fence_thread);
	thread_close(cache);
}

TEST(fence_FN4_release_refused)
{
	if (!PERCPU_KERNELS_DIFFER)
		SKIP("no kernel is known to break rseq on this processor");
	if (thread_elsewhere_prepared("lock", "", __func__, filter_no_release))
		return;
	cache = kmem_cache_create("fence", FENCE_BYTES, 0, 0, NULL);
	thread_run(FENCE_THREADS, fence_thread);
	thread_close(cache);
}

/* FN1, a program that knows nothing of us. */
TEST(fence_FN1_refused_to_a_preloaded_program)
{
	const char *build = getenv("ASHLAR_BUILD");
	char library[512];
	int status = -1;
	pid_t child;

	snprintf(library, sizeof(library), "%s/libashlar-malloc.so", build ? build : "build");
	if (access(library, R_OK) != 0)
		SKIP("no libashlar-malloc.so in ASHLAR_BUILD");
	child = fork();
	if (child == 0) {
		setenv("LD_PRELOAD", library, 1);
		setenv("ASHLAR_OPTIONS", "audit=1", 1);
		if (filter_no_fence())
			execl("/bin/sh", "sh", "-c",
			      "seq 1 20000 | sort -r | sort -n | tail -n 1 | grep -qx 20000",
			      (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
}

static void fence_fork(void)
{
	void *objects[FENCE_HELD];
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		alarm(20);
		fence_fill(cache, objects, 5);
		fence_empty(cache, objects, 5);
		_exit(thread_faults() ? 1 : 0);
	}
	waitpid(child, &status, 0);
	EXPECT_EQ(status, 0);
}

TEST(fence_FN2_refused_later)
{
	void *objects[FENCE_HELD];
	struct kmem_cache *late;
	size_t parked;

	MODE("rseq");
	cache = kmem_cache_create("fence", FENCE_BYTES, 0, 0, NULL);
	fence_fill(cache, objects, 1);
	fence_empty(cache, objects, 1);
	parked = array_count(cache);
	REQUIRE(parked > 0);
	REQUIRE(filter_no_fence());
	EXPECT_FALSE(port_percpu_fence(-1));
	EXPECT_EQ(kmem_cache_shrink(cache), 1);
	EXPECT_EQ(array_count(cache), parked);
	thread_run(FENCE_THREADS, fence_thread);
	late = kmem_cache_create("late", FENCE_BYTES, 0, 0, NULL); /* gets no array any more */
	fence_fill(late, objects, 1);
	fence_empty(late, objects, 1);
	EXPECT_EQ(kmem_cache_shrink(late), 0);
	kmem_cache_destroy(late);
	fence_fork();
	EXPECT_EQ(thread_faults(), 0);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Warm up, and then the same again without the kernel. */
static void fence_quiet_work(void **objects)
{
	volatile size_t size = 200;

	for (unsigned i = 0; i < 1000; i++) {
		fence_fill(cache, objects, i);
		kfree(ashlar_kmalloc(size, GFP_KERNEL));
		kfree(krealloc(ashlar_kmalloc(size, GFP_KERNEL), 3 * size, GFP_KERNEL));
		fence_empty(cache, objects, i);
	}
}

TEST_MODES(fence_FN3_no_system_calls)
{
	void *objects[FENCE_HELD];
	unsigned cpu;

	if (THREAD_SANITIZED)
		SKIP("the sanitizer makes system calls of its own");
	REQUIRE(thread_cpus(&cpu, 1) == 1 && thread_pin(cpu));
	cache = kmem_cache_create("fence", FENCE_BYTES, 0, 0, NULL);
	fence_quiet_work(objects);
	REQUIRE(filter_no_calls());
	fence_quiet_work(objects);
	EXPECT_EQ(thread_faults(), 0);
	if (thread_faults() == 0)
		_exit(0); /* without what libc does at the end */
}
