/* SPDX-License-Identifier: MIT */
/*
 * smp_case.c - all CPUs at once, with timer interrupts that allocate
 *
 * What    Each CPU allocates, frees its own objects and those of others, makes and destroys
 *         caches, shrinks; each object carries a stamp that its next owner checks. Timer
 *         interrupts do the same with GFP_ATOMIC and without locks in the middle of all this.
 *         Audits at the end.
 */
#include "bare_test.h"

#define SLOTS 256u    /* objects on their way from CPU to CPU */
#define OWN 64u       /* objects of each CPU's interrupts */
#define HELD 400u     /* objects that a CPU holds at once: more than its array has */
#define PERIOD 200000 /* of the timer: instructions with icount, else nanoseconds or so */

struct stamp {
	uint64_t self; /* the address: another owner would have written its own */
	uint64_t size;
};

static void *slots[SLOTS]; /* exchanged whole */
static struct kmem_cache *shared_cache;
static uint64_t wrong;
static uint64_t failed; /* allocations that found nothing */
static uint64_t nolock_got;

static struct {
	uint64_t random;
	uint64_t irq_random;
	void *own[OWN];
} each[KERNEL_MAX_CPUS];

static void *stamped(void *p, uint64_t size)
{
	struct stamp *s = p;

	if (!p) {
		__atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	s->self = (uintptr_t)p;
	s->size = size;
	*(uint8_t *)((uintptr_t)p + size - 1) = (uint8_t)((uintptr_t)p >> 4);
	return p;
}

/* The object that its last owner gave away unchanged. */
static void check(void *p)
{
	struct stamp *s = p;

	if (s->self != (uintptr_t)p ||
	    (s->size > sizeof(*s) &&
	     *(uint8_t *)((uintptr_t)p + s->size - 1) != (uint8_t)((uintptr_t)p >> 4)))
		__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
	s->self = 0;
}

static void check_and_free(void *p)
{
	if (!p)
		return;
	check(p);
	kfree(p);
}

/* Nobody waits for a lock: what is not at hand is not given, and that is no failure. Blocks of
 * pages are not its business. */
static void *some_nolock(uint64_t size)
{
	void *p = kmalloc_nolock(size <= 4096 ? size : 4096, 0, -1);

	nolock_got += p != NULL;
	return p ? stamped(p, size <= 4096 ? size : 4096) : NULL;
}

static void check_and_free_nolock(void *p)
{
	struct stamp *s = p;

	if (!p || s->size > 4096) {
		check_and_free(p);
		return;
	}
	check(p);
	kfree_nolock(p);
}

/* Mostly small; sometimes whole pages. */
static uint64_t some_size(uint64_t r)
{
	if (r % 64 == 0)
		return 32 + (r >> 8) % 60000;
	return 32 + (r >> 8) % (r % 8 == 0 ? 4000 : 300);
}

static void tick(void)
{
	unsigned cpu = this_cpu()->number;

	for (unsigned i = 0; i < 4; i++) {
		uint64_t r = next_random(&each[cpu].irq_random);
		void **slot = &each[cpu].own[r % OWN];
		uint64_t size = some_size(r >> 8);

		if (r & 128)
			check_and_free_nolock(*slot);
		else
			check_and_free(*slot);
		*slot = r & 256 ? some_nolock(size) :
				  stamped(r & 64 ? kmalloc(size, GFP_ATOMIC) :
						   kmem_cache_alloc(shared_cache, GFP_ATOMIC),
					  r & 64 ? size : 200);
	}
}

static void exchange(uint64_t *random)
{
	uint64_t r = next_random(random);
	uint64_t size = some_size(r >> 8);
	void *p = r & 1 ? stamped(kmalloc(size, GFP_KERNEL), size) :
			  stamped(kmem_cache_alloc(shared_cache, GFP_KERNEL), 200);

	check_and_free(__atomic_exchange_n(&slots[(r >> 40) % SLOTS], p, __ATOMIC_ACQ_REL));
}

static void make_and_destroy(uint64_t *random)
{
	static const char *const names[] = { "first", "second", "third" };
	unsigned size = 32 + (unsigned)(next_random(random) % 1000);
	struct kmem_cache *c = kmem_cache_create(names[size % 3], size, 0, 0, NULL);
	void *held[40];

	if (!c)
		return;
	for (unsigned i = 0; i < 40; i++)
		held[i] = stamped(kmem_cache_alloc(c, GFP_KERNEL), size);
	for (unsigned i = 0; i < 40; i++)
		check_and_free(held[i]);
	kmem_cache_destroy(c);
}

/* A busy host may let the machine run far before a timer's interrupt comes. */
static bool wants_ticks(const struct cpu *cpu, unsigned done)
{
	return cpu->timer && *(volatile const uint64_t *)&cpu->timers < 3 && done < rounds(200000);
}

static void work(struct cpu *cpu)
{
	uint64_t *random = &each[cpu->number].random;

	*random = setting_number("seed", 1) * 1000 + cpu->number;
	each[cpu->number].irq_random = *random + 500;
	if (cpu->timer)
		arch_timer(PERIOD);
	for (unsigned i = 0; i < rounds(2000) || wants_ticks(cpu, i); i++) {
		exchange(random);
		if (i % 256 == cpu->number * 16)
			make_and_destroy(random);
		if (i % 512 == 100)
			kmem_cache_shrink(shared_cache);
		if (i % 2048 == 1000 && cpu->number == 1)
			ashlar_purge();
	}
	arch_timer(0);
}

static void run(bool timers)
{
	uint64_t ticks = 0;

	wrong = failed = nolock_got = 0;
	shared_cache = kmem_cache_create("shared", 200, 0, 0, NULL);
	for (unsigned i = 0; i < machine.cpus; i++) {
		machine.cpu[i].timer = timers ? tick : NULL;
		machine.cpu[i].timers = 0;
	}
	irqs_on();
	cpus_run(work);
	irqs_off();
	for (unsigned i = 0; i < SLOTS; i++) {
		check_and_free(slots[i]);
		slots[i] = NULL;
	}
	for (unsigned i = 0; i < machine.cpus; i++) {
		ticks += machine.cpu[i].timers;
		machine.cpu[i].timer = NULL;
		for (unsigned k = 0; k < OWN; k++) {
			check_and_free(each[i].own[k]);
			each[i].own[k] = NULL;
		}
	}
	irqs_on();
	kmem_cache_destroy(shared_cache);
	tap_note_number("timer interrupts", ticks);
	tap_note_number("allocations that failed", failed);
	tap_note_number("objects of kmalloc_nolock in interrupts, or so", nolock_got);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(failed, 0); /* there is much more memory than this */
	if (timers)
		EXPECT_GT(ticks, machine.cpus);
	if (timers)
		EXPECT_GT(nolock_got, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}

TEST(smp_cpus_exchange_objects)
{
	run(false);
}

TEST(smp_interrupts_allocate_meanwhile)
{
	run(true);
}

/* Each CPU takes and gives back what its arrays and lists do not have, so that all want the same
 * locks all the time. */
static void take_atomic(struct cpu *cpu)
{
	gfp_t gfp = cpu->number % 2 ? GFP_ATOMIC : GFP_NOWAIT;
	void *held[HELD];

	for (unsigned i = 0; i < rounds(100); i++) {
		struct page *page = alloc_pages(gfp, 6);

		for (unsigned k = 0; k < HELD; k++)
			held[k] = stamped(kmem_cache_alloc(shared_cache, gfp), 200);
		__atomic_add_fetch(&failed, page == NULL, __ATOMIC_RELAXED);
		if (page)
			__free_pages(page, 6);
		for (unsigned k = 0; k < HELD; k++)
			check_and_free(held[k]);
	}
}

/* What is free is had, whoever holds a lock just then: in a kernel nobody sleeps with one. */
TEST(smp_atomic_requests_wait_for_locks)
{
	wrong = failed = 0;
	shared_cache = kmem_cache_create("atomic", 200, 0, 0, NULL);
	irqs_on();
	cpus_run(take_atomic);
	kmem_cache_destroy(shared_cache);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(failed, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}

/* All pages that the CPUs have, for the shrinker to take. */
static struct {
	uint32_t lock;
	unsigned count;
	void **first;
} pages;

static void pages_lock(void)
{
	while (__atomic_exchange_n(&pages.lock, 1, __ATOMIC_ACQUIRE))
		ashlar_host_relax();
}

static void pages_unlock(void)
{
	__atomic_store_n(&pages.lock, 0, __ATOMIC_RELEASE);
}

static void **pages_pop(void)
{
	void **page;

	pages_lock();
	page = pages.first;
	if (page) {
		pages.first = *page;
		pages.count--;
	}
	pages_unlock();
	return page;
}

static size_t pages_count(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return pages.count;
}

static size_t pages_scan(struct shrinker *s, gfp_t gfp, size_t most)
{
	size_t n = 0;
	void **page;

	(void)s;
	(void)gfp;
	for (; n < most && (page = pages_pop()); n++)
		free_pages((unsigned long)page, 0);
	return n;
}

static void fill_pages(struct cpu *cpu)
{
	(void)cpu;
	for (unsigned i = 0; i < rounds(20000); i++) {
		void **page = (void **)__get_free_pages(GFP_KERNEL, 0);

		if (!page) {
			__atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
			continue;
		}
		pages_lock();
		*page = pages.first;
		pages.first = page;
		pages.count++;
		pages_unlock();
	}
}

/* All memory can be had again: nobody goes without, whoever runs the shrinker. */
TEST(smp_a_shrinker_frees_for_all)
{
	static struct shrinker s = { .count = pages_count, .scan = pages_scan };

	failed = 0;
	irqs_on();
	ashlar_register_shrinker(&s);
	cpus_run(fill_pages);
	ashlar_unregister_shrinker(&s);
	tap_note_number("pages that are held at the end", pages.count);
	while (pages_scan(&s, GFP_KERNEL, 1))
		continue;
	EXPECT_EQ(failed, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}

/* Each CPU stops all others, all the time. */
static void stop_others(struct cpu *cpu)
{
	struct kmem_cache *c = shared_cache;

	for (unsigned i = 0; i < rounds(150); i++) {
		void *p = kmem_cache_alloc(c, GFP_KERNEL);

		kmem_cache_shrink(c);
		if (p)
			kmem_cache_free(c, p);
		if (i % 16 == cpu->number)
			make_and_destroy(&each[cpu->number].random);
	}
}

TEST(smp_cpus_that_stop_each_other_do_not_hang)
{
	shared_cache = kmem_cache_create("stopped", 64, 0, 0, NULL);
	irqs_on();
	cpus_run(stop_others);
	kmem_cache_destroy(shared_cache);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}
