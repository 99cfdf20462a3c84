/* SPDX-License-Identifier: MIT */
/*
 * wait_case.c - who waits for a lock that another CPU holds tells the processor so
 */
#include "bare_test.h"
#include "base/lock.h"

#define TURNS 1000u
#define MOST (1u << 25) /* turns of the holder: ten seconds */

static struct lock held;

/* The first CPU holds the lock, without a call that would say so, until the second has waited for
 * some turns. */
static void wait_for_the_first(struct cpu *cpu)
{
	uint64_t before = READ_ONCE(machine.cpu[1].relaxed);

	if (cpu->number == 1) {
		while (READ_ONCE(held.word) == LOCK_FREE)
			arch_relax();
		lock_acquire(&held);
		lock_release(&held);
	}
	if (cpu->number != 0)
		return;
	EXPECT(lock_try(&held));
	for (unsigned i = 0; i < MOST && READ_ONCE(machine.cpu[1].relaxed) - before < TURNS; i++)
		arch_relax();
	EXPECT_GE(READ_ONCE(machine.cpu[1].relaxed) - before, TURNS);
	lock_release(&held);
}

TEST(wait_LK4_for_who_tried)
{
	if (machine.cpus == 1)
		SKIP("one CPU waits for nobody");
	if (PORT_HOST_LOCK)
		SKIP("how to wait is the kernel's matter");
	cpus_run(wait_for_the_first);
	EXPECT_EQ(held.word, LOCK_FREE);
}
