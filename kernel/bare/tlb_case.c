/* SPDX-License-Identifier: MIT */
/*
 * tlb_case.c - memory that comes online is the same for every CPU, whatever it has asked before
 *
 * What    The other CPUs ask about all addresses before anything is online, and while it comes: a
 *         translation that they keep of a table then must not be an old one when they free.
 */
#include "bare_test.h"

static void **tlb_list;
static uint64_t tlb_low, tlb_high;
static unsigned tlb_allowed; /* so that the question is asked */
static uint32_t tlb_all;     /* all memory is online */

static void tlb_ask(void)
{
	for (uint64_t at = tlb_low; at < tlb_high; at += MIB)
		if (ashlar_usercopy_allowed(ashlar_phys_to_virt(at), 8))
			__atomic_add_fetch(&tlb_allowed, 1, __ATOMIC_RELAXED);
}

static void tlb_look(struct cpu *cpu)
{
	if (cpu->number != 0)
		tlb_ask();
}

/* The first takes all there is; the others go on asking. */
static void tlb_grow(struct cpu *cpu)
{
	unsigned held = 0;
	void **p;

	while (cpu->number != 0 && !__atomic_load_n(&tlb_all, __ATOMIC_ACQUIRE))
		tlb_ask();
	if (cpu->number != 0)
		return;
	while ((p = kmalloc(1000, GFP_KERNEL | __GFP_NORETRY))) {
		*p = tlb_list;
		tlb_list = (void **)p;
		held++;
	}
	__atomic_store_n(&tlb_all, 1, __ATOMIC_RELEASE);
	tap_note_number("objects", held);
}

/* Each of the others frees a part. */
static void tlb_free(struct cpu *cpu)
{
	static uint32_t turn = 1;

	while (cpu->number != 0) {
		uint32_t now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE);
		unsigned count = 1000;

		if (!tlb_list && now == cpu->number)
			__atomic_store_n(&turn, 0, __ATOMIC_RELEASE);
		if (now == 0 || !__atomic_load_n(&turn, __ATOMIC_ACQUIRE))
			return;
		if (now != cpu->number) {
			ashlar_host_relax();
			continue;
		}
		while (tlb_list && count--) {
			void **next = *tlb_list;

			kfree(tlb_list);
			tlb_list = next;
		}
		__atomic_store_n(&turn, now + 1 < machine.cpus ? now + 1 : 1, __ATOMIC_RELEASE);
	}
}

TEST(tlb_of_other_cpus)
{
	uint64_t start;
	uint64_t end;
	unsigned node;

	if (machine.cpus == 1)
		SKIP("one CPU");
	tlb_low = UINT64_MAX;
	for (unsigned i = 0; ashlar_boot_range(i, &start, &end, &node); i++) {
		tlb_low = start < tlb_low ? start : tlb_low;
		tlb_high = end > tlb_high ? end : tlb_high;
	}
	irqs_on();
	cpus_run(tlb_look);
	cpus_run(tlb_grow);
	cpus_run(tlb_free);
	EXPECT_TRUE(tlb_list == NULL);
	EXPECT_EQ(ashlar_audit(), 0);
	irqs_off();
}
