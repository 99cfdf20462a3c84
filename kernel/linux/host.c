/* SPDX-License-Identifier: MIT */
/*
 * host.c - Linux, as the tests see it
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "host.h"

#define HOST_THREADS 64u
#define HOST_LINE 240u

/* ---- the log: TAP comes in pieces, the log takes lines ------------------------ */

void tap_write(const char *text, size_t bytes);
const char *tap_setting(const char *name);

void tap_write(const char *text, size_t bytes)
{
	static char line[HOST_LINE + 1];
	static size_t used;

	for (size_t i = 0; i < bytes; i++) {
		if (text[i] != '\n' && used < HOST_LINE)
			line[used++] = text[i];
		if (text[i] != '\n')
			continue;
		line[used] = '\0';
		printk(KERN_NOTICE "%s\n", line);
		used = 0;
	}
}

const char *tap_setting(const char *name)
{
	(void)name;
	return NULL;
}

void host_report(const char *who, const char *what, uint64_t total, uint64_t nothing,
		 unsigned operations)
{
	printk(KERN_NOTICE "bench: %s %s %llu\n", who, what, (total - nothing) / operations);
}

/* ---- threads ------------------------------------------------------------------ */

struct host_thread {
	void (*run)(unsigned);
	unsigned number;
	struct completion done;
};

static struct host_thread host_thread[HOST_THREADS];

static int host_thread_main(void *argument)
{
	struct host_thread *t = argument;

	t->run(t->number);
	complete(&t->done);
	return 0;
}

unsigned host_cpus(void)
{
	return num_online_cpus();
}

bool host_threads(unsigned count, void (*run)(unsigned))
{
	unsigned started = 0;

	for (; started < count && started < HOST_THREADS; started++) {
		struct host_thread *t = &host_thread[started];
		struct task_struct *task;

		t->run = run;
		t->number = started;
		init_completion(&t->done);
		task = kthread_create(host_thread_main, t, "ashlar/%u", started);
		if (IS_ERR(task))
			break;
		kthread_bind(task, started % num_online_cpus());
		wake_up_process(task);
	}
	for (unsigned i = 0; i < started; i++)
		wait_for_completion(&host_thread[i].done);
	return started == count;
}

void host_yield(void)
{
	cond_resched();
}

void host_interrupt_all(void (*run)(void *), void *argument)
{
	on_each_cpu(run, argument, 1);
}

/* ---- timers -------------------------------------------------------------------- */

struct host_timer {
	struct hrtimer timer;
	unsigned cpu;
};

static struct {
	struct host_timer timer[HOST_THREADS];
	void (*run)(unsigned);
	void (*work)(unsigned);
	u64 ns;
} host_timing;

static enum hrtimer_restart host_timer_fires(struct hrtimer *timer)
{
	struct host_timer *t = container_of(timer, struct host_timer, timer);

	host_timing.run(t->cpu);
	hrtimer_forward_now(timer, ns_to_ktime(host_timing.ns));
	return HRTIMER_RESTART;
}

static void host_timed_thread(unsigned number)
{
	struct host_timer *t = &host_timing.timer[number];

	t->cpu = number;
	hrtimer_init(&t->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	t->timer.function = host_timer_fires;
	hrtimer_start(&t->timer, ns_to_ktime(host_timing.ns), HRTIMER_MODE_REL_PINNED_HARD);
	host_timing.work(number);
	hrtimer_cancel(&t->timer);
}

bool host_timers(unsigned us, void (*run)(unsigned), void (*work)(unsigned))
{
	host_timing.run = run;
	host_timing.work = work;
	host_timing.ns = (u64)us * NSEC_PER_USEC;
	return host_threads(num_online_cpus(), host_timed_thread);
}

static LIST_HEAD(host_taken);
static DEFINE_SPINLOCK(host_taken_lock);

size_t host_take(size_t pages)
{
	size_t n = 0;

	for (; n < pages; n++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);

		if (!page)
			break;
		spin_lock(&host_taken_lock);
		list_add(&page->lru, &host_taken);
		spin_unlock(&host_taken_lock);
	}
	return n;
}

void host_release(void)
{
	struct page *page;
	struct page *next;

	list_for_each_entry_safe(page, next, &host_taken, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

void host_rest(unsigned seconds)
{
	msleep(seconds * 1000);
}

size_t host_free_bytes(void)
{
	return (size_t)global_zone_page_state(NR_FREE_PAGES) << PAGE_SHIFT;
}
