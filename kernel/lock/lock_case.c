/* SPDX-License-Identifier: MIT */
/*
 * lock_case.c - all locks of Ashlar are the kernel's own (checked.h)
 *
 * What    The cases of bare/ run with them, too; here, that each of the library's locks is one.
 */
#include "bare_test.h"
#include "lock.h"

#define ROUNDS 2000u

static void work(struct cpu *cpu)
{
	(void)cpu;
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned long pages = __get_free_pages(GFP_KERNEL, 7); /* the zone's lock */

		EXPECT(pages != 0);
		free_pages(pages, 7);
	}
}

TEST(lock_is_the_kernels_own)
{
	struct lock_count before = lock_count_all;

	cpus_run(work);
	EXPECT_GE(lock_count_all.taken - before.taken, 2 * ROUNDS * machine.cpus);
	EXPECT_EQ(lock_count_all.taken, lock_count_all.released);
	tap_note_number("locks taken", lock_count_all.taken);
	tap_note_number("after a wait", lock_count_all.waited);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(lock_is_waited_for)
{
	struct lock_count before = lock_count_all;

	if (machine.cpus == 1)
		SKIP("one CPU waits for nobody");
	for (unsigned i = 0; i < 50 && lock_count_all.waited == before.waited; i++)
		cpus_run(work);
	EXPECT(lock_count_all.waited > before.waited);
}
