/* SPDX-License-Identifier: MIT */
/*
 * task_case.c - memalloc scopes belong to the task that has begun them
 *
 * What    ashlar_host_task gives the word of the running task. Two tasks with stacks of their own
 *         take turns on one CPU, and the CPUs take turns; memory is exhausted, so that a
 *         shrinker tells whether a request may use it.
 */
#include <setjmp.h>

#include "bare_test.h"

#define STACK_BYTES ((size_t)16 << 10)

static struct task here; /* the test's own */
static struct task other;
static struct task *running;
static unsigned long stacks[STACK_BYTES / sizeof(unsigned long)] __attribute__((aligned(16)));

static unsigned scans;
static uint32_t turn;
static unsigned other_ran;

static size_t count_one(struct shrinker *s, gfp_t gfp)
{
	(void)s;
	(void)gfp;
	return 1;
}

static size_t scan_none(struct shrinker *s, gfp_t gfp, size_t n)
{
	(void)s;
	(void)gfp;
	(void)n;
	__atomic_add_fetch(&scans, 1, __ATOMIC_RELAXED);
	return 0;
}

static struct shrinker shrinker = { .count = count_one, .scan = scan_none };

/* Does a shrinker that needs @needs run for a request of this task that cannot be served? */
static bool runs(gfp_t needs)
{
	shrinker.needs = needs;
	__atomic_store_n(&scans, 0, __ATOMIC_RELAXED);
	EXPECT_EQ(__get_free_pages(GFP_KERNEL | __GFP_NORETRY, PORT_MAX_ORDER), 0);
	return __atomic_load_n(&scans, __ATOMIC_RELAXED) != 0;
}

static void *exhaust(void)
{
	void *list = NULL;
	void **block;

	while ((block = (void *)__get_free_pages(GFP_KERNEL | __GFP_NORETRY, PORT_MAX_ORDER))) {
		*block = list;
		list = block;
	}
	ashlar_register_shrinker(&shrinker);
	return list;
}

static void recover(void *list)
{
	ashlar_unregister_shrinker(&shrinker);
	while (list) {
		void *next = *(void **)list;

		free_pages((unsigned long)list, PORT_MAX_ORDER);
		list = next;
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

static void switch_to(struct task *next)
{
	if (setjmp(running->registers))
		return;
	running = next;
	this_cpu()->task = next;
	longjmp(next->registers, 1);
}

/* @next begins with @run at the top of its stack when it is switched to first; it never returns. */
static void prepare(struct task *next, void (*run)(void))
{
	*next = (struct task){ 0 };
	if (setjmp(next->registers))
		panic("a task began as another one");
	next->registers[TASK_STACK] = (unsigned long)stacks + sizeof(stacks) - TASK_STACK_SKEW;
	next->registers[TASK_START] = (unsigned long)run;
}

/* Both scopes are open in turns: noio here, nofs there. */
static void other_task(void)
{
	EXPECT(runs(__GFP_FS)); /* the other one's nofs is not ours */
	memalloc_noio_save();
	EXPECT_FALSE(runs(__GFP_IO));
	other_ran++;
	switch_to(&here);
	EXPECT_FALSE(runs(__GFP_IO)); /* he has ended his, we have not */
	memalloc_noio_restore(0);
	EXPECT(runs(__GFP_IO));
	other_ran++;
	switch_to(&here);
	panic("a task that has ended goes on");
}

TEST(task_scopes_are_each_tasks_own)
{
	void *list;
	unsigned before;

	irqs_on();
	list = exhaust();
	running = &here;
	this_cpu()->task = &here;
	prepare(&other, other_task);
	EXPECT(runs(__GFP_FS));
	before = memalloc_nofs_save();
	EXPECT_FALSE(runs(__GFP_FS));
	switch_to(&other);
	EXPECT_FALSE(runs(__GFP_FS));
	EXPECT(runs(__GFP_IO)); /* his noio is not ours */
	memalloc_nofs_restore(before);
	EXPECT(runs(__GFP_FS));
	switch_to(&other);
	EXPECT(runs(__GFP_FS));
	EXPECT_EQ(other_ran, 2);
	EXPECT_EQ(here.ashlar | other.ashlar, 0);
	this_cpu()->task = NULL;
	recover(list);
	irqs_off();
}

/* One after the other: the first CPU has a scope, the others have none. */
static void in_turn(struct cpu *cpu)
{
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != cpu->number)
		ashlar_host_relax();
	EXPECT_EQ(runs(__GFP_FS), cpu->number != 0);
	__atomic_store_n(&turn, cpu->number + 1, __ATOMIC_RELEASE);
}

TEST(task_scopes_do_not_reach_other_cpus)
{
	void *list;
	unsigned before;

	irqs_on();
	list = exhaust();
	before = memalloc_nofs_save();
	turn = 0;
	cpus_run(in_turn);
	EXPECT_EQ(turn, machine.cpus);
	memalloc_nofs_restore(before);
	EXPECT(runs(__GFP_FS));
	recover(list);
	irqs_off();
}
