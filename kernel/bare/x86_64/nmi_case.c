/* SPDX-License-Identifier: MIT */
/*
 * nmi_case.c - x86-64: non-maskable interrupts between any two instructions of a sequence
 *
 * What    The trap flag stops after each instruction of kmem_cache_alloc and kmem_cache_free, with
 *         interrupts off as well; there the handler allocates and frees as an NMI may. Real
 *         NMIs from another CPU take and give back the region while CPUs stop each other. An NMI
 *         begins and ends behind any two instructions of another CPU that publishes.
 * Boot    steps=1 for the case that takes long; plant=nmi leaves ashlar_nmi_enter out: then these
 *         cases must fail
 */
#include "../bare_test.h"
#include "port/bare/percpu.h"
#include "port/port.h"
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
	unsigned begin; /* the NMI begins behind this instruction of the other CPU, */
	unsigned end;   /* and ends behind this one */
	void *entered;
	void *held;
} lasting;

static void lasting_use(void)
{
	kfree_nolock(lasting.held);
	lasting.held = kmalloc_nolock(64, 0, -1);
}

/* This CPU is the one that publishes; for the handler it is the one that the region belongs to. */
static void step_lasting(struct trap_frame *f)
{
	uint32_t other = this_cpu()->number;

	(void)f;
	this_cpu()->number = 0;
	if (steps == lasting.begin) {
		lasting.entered = ashlar_nmi_enter();
		lasting_use();
	}
	if (steps == lasting.end) {
		lasting_use();
		ashlar_nmi_leave(lasting.entered);
	}
	this_cpu()->number = other;
	steps++;
}

/* As another CPU: the region of CPU 0 is taken and published. Returns its instructions. */
static unsigned publish_stepped(void)
{
	void *alloc = port_percpu_alloc[0];
	void *region;

	steps = 0;
	this_cpu()->number = 1;
	region = port_percpu_own(0);
	trap_step = step_lasting;
	steps_on();
	port_percpu_publish(0, region, alloc);
	steps_off();
	trap_step = NULL;
	this_cpu()->number = 0;
	return steps;
}

static void fill_and_compare(void)
{
	void *held[40];

	for (unsigned i = 0; i < 40; i++)
		held[i] = kmalloc(64, GFP_KERNEL);
	EXPECT(all_differ(held, 40));
	for (unsigned i = 0; i < 40; i++)
		EXPECT_PTR_NE(held[i], lasting.held);
	for (unsigned i = 0; i < 40; i++)
		kfree(held[i]);
}

TEST(nmi_while_another_cpu_publishes_for_this_one)
{
	unsigned most;
	unsigned closed = 0;

	fill_and_compare();
	lasting.begin = lasting.end = UINT32_MAX;
	most = publish_stepped();
	fill_and_compare();
	for (unsigned begin = 0; begin < most; begin++)
		for (unsigned end = begin; end < most; end++) {
			irqs_off();
			lasting.begin = begin;
			lasting.end = end;
			publish_stepped();
			irqs_on();
			fill_and_compare();
			closed += port_percpu_alloc[0] == port_percpu_dummy ||
				  port_percpu_table[0] == port_percpu_dummy;
		}
	tap_note_number("instructions of publishing", most);
	EXPECT_GT(most, 10);
	EXPECT_EQ(closed, 0);
	kfree(lasting.held);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}
