/* SPDX-License-Identifier: MIT */
/*
 * sequence_test.c - each sequence is stopped at each of its instructions, and starts again
 *
 * What    A tracer stops a thread at every instruction of every critical section that this
 *         program contains. While the thread stands there nothing happens, or a thread of
 *         the same CPU works on the same arrays, or one of another CPU empties them. Then the
 *         tracer shows that the kernel sent the sequence back to its beginning.
 * How     The linker gives the bounds of the descriptors; tracer.h does the rest. doors.c does the
 *         same to the library that programs preload.
 * Rules   SQ1  a thread stopped inside a sequence continues at its abort address
 *         SQ2  every instruction of every sequence was stopped at
 *         SQ3  no object is lost, doubled, or written by anybody but its owner
 */
#define _GNU_SOURCE
#include <sys/rseq.h>

#include "cache/array.h"
#include "cache/cache.h"
#include "thread/step.h"
#include "thread/thread.h"

/* The descriptors of every sequence that the compiler has put into this program. */
extern const struct rseq_cs __start___rseq_cs[] __attribute__((visibility("hidden")));
extern const struct rseq_cs __stop___rseq_cs[] __attribute__((visibility("hidden")));

#if STEP_SUPPORTED

#include "thread/tracer.h"

static struct kmem_cache *cache;
static struct kmem_cache *fresh; /* its arrays are taken away again and again */
static unsigned cpus[2];

/* ---- the traced process ---------------------------------------------------------- */

struct holder {
	uint64_t owner;
	void *held[SEQUENCE_HELD];
	size_t bytes[SEQUENCE_HELD];
	unsigned at;
};

/* Free what was held longest and hold @p instead; NULL only frees. */
static void holder_swap(struct holder *h, void *p, size_t bytes)
{
	unsigned i = h->at++ % SEQUENCE_HELD;

	if (h->held[i]) {
		stage_fault(stamp_remove(h->held[i], h->bytes[i], h->owner));
		if (h->bytes[i] == 64)
			kmem_cache_free(cache, h->held[i]);
		else
			kfree(h->held[i]);
	}
	h->held[i] = p;
	h->bytes[i] = bytes;
	if (p)
		stamp(p, bytes, h->owner);
}

static void holder_close(struct holder *h)
{
	for (unsigned i = 0; i < SEQUENCE_HELD; i++)
		holder_swap(h, NULL, 0);
}

/* Each public operation that may have a sequence of its own. */
static void stage_singles(struct holder *h)
{
	volatile size_t size = 48;

	holder_swap(h, kmem_cache_alloc(cache, GFP_KERNEL), 64);
	holder_swap(h, kmem_cache_zalloc(cache, GFP_KERNEL), 64);
	holder_swap(h, kmem_cache_alloc_node(cache, GFP_KERNEL, 0), 64);
	holder_swap(h, kmalloc(size, GFP_KERNEL), 48);
	holder_swap(h, kzalloc(size, GFP_KERNEL), 48);
	holder_swap(h, kmalloc_node(size, GFP_KERNEL, 0), 48);
	holder_swap(h, kmalloc_array(1, size, GFP_KERNEL), 48);
	holder_swap(h, kcalloc(1, size, GFP_KERNEL), 48);
	holder_swap(h, krealloc(NULL, size, GFP_KERNEL), 48);
	kfree_sensitive(kmalloc(size, GFP_KERNEL));
	krealloc(kmalloc(size, GFP_KERNEL), 0, GFP_KERNEL);
	kfree(krealloc(kmalloc(size, GFP_KERNEL), 4 * size, GFP_KERNEL));
}

/* The node that an object belongs to. */
static struct kmem_cache_node *home(const void *p)
{
	return cache_node_at(map.ids[map_pfn(p)]);
}

/* The sequences of slow paths: an array that fills up or comes into being meanwhile. */
static void stage_slow(struct holder *h)
{
	void *p = cache_alloc_slow(cache, GFP_KERNEL);

	stamp(p, 64, h->owner);
	stage_fault(stamp_remove(p, 64, h->owner));
	*map_state(p) = STATE_FREE;
	cache_free_slow(home(p), p);
	p = kmem_cache_alloc(fresh, GFP_KERNEL);
	array_retire(fresh);
	kmem_cache_free(fresh, p);
	kmem_cache_destroy(kmem_cache_create("brief", 64, 0, 0, NULL));
}

/* The bulk sequences, and those that only a slow path runs; what they move stays free. */
static void stage_batches(struct holder *h)
{
	void *batch[SEQUENCE_BULK];
	unsigned n = array_pop_bulk(cache->header_offset, batch, SEQUENCE_BULK);
	unsigned pushed = array_push_bulk(cache->header_offset, batch, n);
	void *p = array_pop(cache->header_offset);

	if (pushed < n)
		cache_put(cache->node, batch + pushed, n - pushed);
	if (p && !array_push(home(p)->header_offset, p))
		cache_put(home(p), &p, 1);
	if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, SEQUENCE_BULK, batch)) {
		for (unsigned i = 0; i < SEQUENCE_BULK; i++)
			stamp(batch[i], 64, h->owner + i);
		for (unsigned i = 0; i < SEQUENCE_BULK; i++)
			stage_fault(stamp_remove(batch[i], 64, h->owner + i));
		kmem_cache_free_bulk(cache, SEQUENCE_BULK, batch);
	}
}

/* The same CPU: uses what the stopped thread was about to take. Another: takes it all away. */
static void *stage_work(void *number)
{
	enum worker me = (enum worker)(uintptr_t)number;
	struct holder h = { .owner = 1000 * (uint64_t)me };

	thread_pin(cpus[me == WORKER_OTHER_CPU]);
	while (stage_wait(me)) {
		for (unsigned i = 0; i < 3; i++) {
			stage_singles(&h);
			stage_batches(&h);
		}
		if (me == WORKER_OTHER_CPU)
			kmem_cache_shrink(cache);
		stage->worked++;
		sem_post(&stage->done[me]);
	}
	holder_close(&h);
	return NULL;
}

_Noreturn static void stage_traced(void)
{
	struct holder h = { .owner = 1 };
	pthread_t threads[WORKERS];

	alarm(thread_alarm());
	thread_pin(cpus[0]);
	for (uintptr_t w = WORKER_SAME_CPU; w < WORKERS; w++)
		pthread_create(&threads[w], NULL, stage_work, (void *)w);
	stage_trace_me();
	while (!stage_finishing()) {
		stage_singles(&h);
		stage_batches(&h);
		stage_slow(&h);
	}
	holder_close(&h);
	for (unsigned w = WORKER_SAME_CPU; w < WORKERS; w++) {
		sem_post(&stage->go[w]);
		pthread_join(threads[w], NULL);
	}
	stage->faults += ashlar_audit();
	stage->faults += kmem_cache_shrink(cache) != 0; /* SQ3: every bit is back */
	_exit(stage->faults != 0);
}

/* Every sequence of this program; false iff there are too many. */
static unsigned sequence_find(void)
{
	unsigned n = 0;

	for (const struct rseq_cs *d = __start___rseq_cs; d < __stop___rseq_cs; d++) {
		if (n < SEQUENCE_MOST)
			sequences[n] = (struct sequence){
				.start = (uintptr_t)d->start_ip,
				.end = (uintptr_t)(d->start_ip + d->post_commit_offset),
				.abort = (uintptr_t)d->abort_ip,
				.descriptor = (uintptr_t)d,
			};
		n++;
	}
	return n;
}

static bool stage_open(void)
{
	int status;

	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (stage == MAP_FAILED)
		return false;
	stage_prepare();
	if (thread_cpus(cpus, 2) == 1)
		cpus[1] = cpus[0];
	cache = kmem_cache_create("sequence", 64, 0, 0, NULL);
	fresh = kmem_cache_create("fresh", 64, 0, 0, NULL);
	traced = fork();
	if (traced == 0)
		stage_traced();
	return traced > 0 && waitpid(traced, &status, 0) == traced && WIFSTOPPED(status);
}

static void every_instruction(void)
{
	unsigned count = sequence_find();
	unsigned instructions = 0;
	unsigned left_out = 0;

	REQUIRE(count >= 8 && count <= SEQUENCE_MOST);
	REQUIRE(stage_open());
	for (unsigned i = 0; i < count; i++) {
		if (!sequence_explore(&sequences[i])) {
			tap_note_number("no way leads to sequence", i);
			left_out++;
			continue;
		}
		if (!sequence_run(&sequences[i])) {
			tap_note_number("sequence", i);
			break;
		}
		instructions += sequences[i].count;
	}
	EXPECT_EQ(stage_end(), 0);
	EXPECT_EQ(stage->faults, 0);
	EXPECT_GE(aborts, WORKERS * instructions); /* SQ1, SQ2 */
	EXPECT_GT(stage->worked, 0);
	EXPECT_LE(left_out, count / 5); /* copies in the unwinding of what failed */
	tap_note_number("sequences", count);
	tap_note_number("instructions", instructions);
	tap_note_number("aborts", aborts);
}

/* The descriptors are what the kernel demands: else it would kill the process at the first. */
TEST(sequence_SQ1_SQ2_SQ3_every_instruction)
{
	MODE("rseq");
	every_instruction();
}

/* The other CPU is of another node: pops and pushes go to different arrays. */
TEST(sequence_SQ1_SQ2_SQ3_two_nodes)
{
	if (!thread_elsewhere_prepared("rseq", "percpu=rseq;fake_numa=2", __func__, NULL))
		every_instruction();
}

TEST(sequence_descriptors_are_sound)
{
	for (const struct rseq_cs *d = __start___rseq_cs; d < __stop___rseq_cs; d++) {
		const unsigned char *abort = (const unsigned char *)(uintptr_t)d->abort_ip;
		uint32_t signature;

		memcpy(&signature, abort - 4, sizeof(signature));
		EXPECT_EQ(signature, RSEQ_SIG);
		EXPECT_EQ(d->version, 0);
		EXPECT_EQ(d->flags, 0);
		EXPECT_EQ((uintptr_t)d % 32, 0);
		EXPECT_GE((uintptr_t)d->abort_ip - (uintptr_t)d->start_ip, d->post_commit_offset);
	}
}

#else

TEST(sequence_every_instruction)
{
	SKIP("no sequences for this processor");
}

#endif
