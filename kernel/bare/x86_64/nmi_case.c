/* SPDX-License-Identifier: MIT */
/*
 * nmi_case.c - x86-64: non-maskable interrupts between any two instructions of a sequence
 *
 * What    The trap flag stops after each instruction of kmem_cache_alloc and kmem_cache_free, with
 *         interrupts off as well; there the handler allocates and frees as an NMI may. Real
 *         NMIs from another CPU take and give back the region while CPUs stop each other; and CPU 1
 *         sends one to CPU 0 behind each instruction with which it takes, empties and publishes
 *         the region of CPU 0.
 * Boot    steps=1 for the case that takes long; plant=nmi leaves ashlar_nmi_enter out: then these
 *         cases must fail
 */
#include "../bare_test.h"
#include "port/bare/percpu.h"
#include "x86.h"

#define KEPT 8u

static struct kmem_cache *c;
static void *kept[KEPT];
static unsigned steps;
static unsigned refused; /* found the dummy: the way to the array was closed */
static bool planted;

/* What an NMI's handler does. The interrupted code holds no lock: it is on the fast path. */
static void handler(void)
{
	void *entered = planted ? NULL : ashlar_nmi_enter();
	void **slot = &kept[steps++ % KEPT];

	refused += entered != NULL;
	if (*slot)
		kmem_cache_free(c, *slot);
	*slot = kmem_cache_alloc(c, GFP_NOWAIT);
	if (!planted)
		ashlar_nmi_leave(entered);
}

static void step(struct trap_frame *f)
{
	(void)f;
	handler();
}

static inline void steps_on(void)
{
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
}

static inline void steps_off(void)
{
	__asm__ volatile("pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" ::: "memory", "cc");
}

/* Is any of these objects one that somebody else has? */
static bool all_differ(void *const *held, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = i + 1; k < count; k++)
			if (held[i] == held[k])
				return false;
		for (unsigned k = 0; k < KEPT; k++)
			if (held[i] == kept[k])
				return false;
	}
	return true;
}

/* Any context: the interrupted code may hold any lock. */
static void step_nolock(struct trap_frame *f)
{
	void *entered = ashlar_nmi_enter();
	void **slot = &kept[steps++ % KEPT];

	(void)f;
	kfree_nolock(*slot);
	*slot = kmalloc_nolock(64, 0, -1);
	refused += *slot == NULL;
	ashlar_nmi_leave(entered);
}

/* Arrays that refill and flush, slabs that come and go, a cache's whole life: with an NMI behind
 * each instruction, thus under each lock. */
static void work_stepped(void **held, unsigned count)
{
	struct kmem_cache *own = kmem_cache_create("stepped whole", 500, 0, 0, NULL);

	for (unsigned i = 0; own && i < count; i++)
		held[i] = i % 2 ? kmem_cache_alloc(own, GFP_KERNEL) : kmalloc(64, GFP_KERNEL);
	for (unsigned i = 0; own && i < count; i++)
		kfree(held[i]);
	kmem_cache_destroy(own);
}

TEST(nmi_without_locks_between_any_two_instructions)
{
	static void *held[300];

	if (!setting_number("steps", 0))
		SKIP("no steps=1 on the boot line: some ten seconds");
	steps = refused = 0;
	irqs_on();
	trap_step = step_nolock;
	steps_on();
	work_stepped(held, 300);
	steps_off();
	trap_step = NULL;
	irqs_off();
	tap_note_number("instructions with an NMI behind them", steps);
	tap_note_number("of these, kmalloc_nolock had nothing at hand", refused);
	EXPECT_GT(steps, 20000);
	EXPECT_GT(steps - refused, steps / 4);
	for (unsigned i = 0; i < KEPT; i++) {
		kfree(kept[i]);
		kept[i] = NULL;
	}
	irqs_on();
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}

TEST(nmi_between_any_two_instructions)
{
	void *held[32];

	const char *plant = setting("plant");

	planted = plant && plant[0] == 'n';
	c = kmem_cache_create("stepped", 64, 0, 0, NULL);
	REQUIRE(c != NULL);
	for (unsigned i = 0; i < 32; i++)
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned i = 0; i < 32; i++)
		kmem_cache_free(c, held[i]);
	steps = refused = 0;
	trap_step = step;
	for (unsigned i = 0; i < 32; i++) {
		steps_on();
		held[i] = kmem_cache_alloc(c, GFP_KERNEL);
		steps_off();
	}
	EXPECT(all_differ(held, 32));
	for (unsigned i = 0; i < 32; i++) {
		steps_on();
		kmem_cache_free(c, held[i]);
		steps_off();
	}
	trap_step = NULL;
	tap_note_number("instructions with an NMI behind them", steps);
	EXPECT_GT(steps, 64 * 15);
	EXPECT_EQ(refused, steps);
	for (unsigned i = 0; i < KEPT; i++) {
		if (kept[i])
			kmem_cache_free(c, kept[i]);
		kept[i] = NULL;
	}
	irqs_on();
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}

static uint64_t arrived;

static void nmi(struct trap_frame *f)
{
	void *entered = ashlar_nmi_enter();

	(void)f;
	__atomic_add_fetch(&arrived, 1, __ATOMIC_RELAXED);
	ashlar_nmi_leave(entered);
}

static void work(struct cpu *cpu)
{
	uint64_t random = cpu->number;
	void *p[16] = { NULL };

	for (unsigned i = 0; i < rounds(3000); i++) {
		void **slot = &p[next_random(&random) % 16];

		kfree(*slot);
		*slot = kmalloc(1 + next_random(&random) % 500, GFP_KERNEL);
		if (i % 64 == cpu->number)
			kmem_cache_shrink(c);
		if (i % 8 == 0)
			arch_send_nmi(&machine.cpu[(cpu->number + 1) % machine.cpus]);
	}
	for (unsigned i = 0; i < 16; i++)
		kfree(p[i]);
}

TEST(nmi_while_cpus_stop_each_other)
{
	if (machine.cpus < 2)
		SKIP("one CPU");
	c = kmem_cache_create("nmi", 64, 0, 0, NULL);
	arrived = 0;
	trap_nmi = nmi;
	irqs_on();
	cpus_run(work);
	trap_nmi = nmi;
	kmem_cache_destroy(c);
	tap_note_number("NMIs", arrived);
	EXPECT_GT(arrived, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}

/* ---- another CPU publishes for one that is in an NMI --------------------------------------- */

static struct {
	uint32_t wanted; /* NMIs that CPU 1 has sent */
	uint32_t inside; /* the last of them that CPU 0 has entered */
	uint32_t gone;   /* the last that it has left */
	uint32_t leave;  /* it may leave those up to this one */
	uint32_t last;   /* CPU 1 is done */
	unsigned hold;   /* instructions of CPU 1 that an NMI lasts */
	unsigned closed; /* stops after which CPU 0's pops never found their array again */
	uint64_t pairs;  /* of CPU 0 */
} duel;

static void nmi_lasting(struct trap_frame *f)
{
	void *entered = ashlar_nmi_enter();
	void **slot = &kept[duel.wanted % KEPT];
	uint32_t me = duel.wanted;

	(void)f;
	kfree_nolock(*slot);
	*slot = kmalloc_nolock(64, 0, -1);
	__atomic_store_n(&duel.inside, me, __ATOMIC_RELEASE);
	while ((int32_t)(__atomic_load_n(&duel.leave, __ATOMIC_ACQUIRE) - me) < 0)
		arch_relax();
	kfree_nolock(*slot);
	*slot = kmalloc_nolock(64, 0, -1);
	ashlar_nmi_leave(entered);
	__atomic_store_n(&duel.gone, me, __ATOMIC_RELEASE);
}

static void wait_until(const uint32_t *word, uint32_t value)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value)
		arch_relax();
}

/* Behind an instruction of CPU 1: one NMI ends after duel.hold of them, the next begins. */
static void step_other(struct trap_frame *f)
{
	(void)f;
	if (steps++ % (duel.hold + 1) == 0) {
		duel.wanted++;
		arch_send_nmi(&machine.cpu[0]);
		wait_until(&duel.inside, duel.wanted);
	}
	if (steps % (duel.hold + 1) == 0) {
		__atomic_store_n(&duel.leave, duel.wanted, __ATOMIC_RELEASE);
		wait_until(&duel.gone, duel.wanted);
	}
}

static void stop_stepped(void)
{
	uint64_t seen;

	trap_step = step_other;
	steps_on();
	kmem_cache_shrink(c);
	steps_off();
	trap_step = NULL;
	__atomic_store_n(&duel.leave, duel.wanted, __ATOMIC_RELEASE);
	wait_until(&duel.gone, duel.wanted);
	seen = __atomic_load_n(&duel.pairs, __ATOMIC_RELAXED);
	while (__atomic_load_n(&duel.pairs, __ATOMIC_RELAXED) - seen < 20)
		arch_relax();
	duel.closed += port_percpu_alloc[0] == port_percpu_dummy;
}

static void fight(struct cpu *cpu)
{
	void *held[16];

	if (cpu->number == 1) {
		for (duel.hold = 0; duel.hold < 4; duel.hold++)
			stop_stepped();
		__atomic_store_n(&duel.last, 1, __ATOMIC_RELEASE);
	}
	while (cpu->number == 0 && !__atomic_load_n(&duel.last, __ATOMIC_ACQUIRE)) {
		for (unsigned i = 0; i < 16; i++)
			held[i] = kmem_cache_alloc(c, GFP_KERNEL);
		EXPECT(all_differ(held, 16));
		for (unsigned i = 0; i < 16; i++)
			kmem_cache_free(c, held[i]);
		__atomic_add_fetch(&duel.pairs, 16, __ATOMIC_RELAXED);
	}
}

TEST(nmi_while_another_cpu_publishes_for_this_one)
{
	if (machine.cpus < 2)
		SKIP("one CPU");
	c = kmem_cache_create("published", 64, 0, 0, NULL);
	REQUIRE(c != NULL);
	steps = 0;
	trap_nmi = nmi_lasting;
	irqs_on();
	cpus_run(fight);
	trap_nmi = nmi;
	tap_note_number("instructions of a CPU that stops another", steps);
	tap_note_number("NMIs meanwhile", duel.wanted);
	EXPECT_GT(duel.wanted, 1000);
	EXPECT_EQ(duel.closed, 0);
	for (unsigned i = 0; i < KEPT; i++) {
		kfree(kept[i]);
		kept[i] = NULL;
	}
	kmem_cache_destroy(c);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}
