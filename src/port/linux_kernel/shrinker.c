/* SPDX-License-Identifier: MIT */
/*
 * shrinker.c - Linux is short of memory, and asks who has some to spare
 *
 * What    A shrinker as Linux has them: count says how many pages could be had, scan gives some.
 *         And a tick, so that what nobody uses goes back before anybody asks.
 * Rules   SK1 it may run inside an allocation of Ashlar's own, in the same task: these are made
 *             with no lock held that it takes (PG4 of pages.c)
 *         SK2 it waits for no disk and no file system, so it asks nothing of the request's flags
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/workqueue.h>

#include "linux_kernel.h"

static struct {
	size_t (*spare)(void);
	size_t (*give)(size_t pages);
	void (*tick)(void);
	struct delayed_work work;
	atomic_long_t shrunk;
	atomic_long_t nested;
} ashlar_spare;

static unsigned long shrinker_count(struct shrinker *shrinker, struct shrink_control *control)
{
	return ashlar_spare.spare();
}

static unsigned long shrinker_scan(struct shrinker *shrinker, struct shrink_control *control)
{
	size_t given;

	if (linux_kernel_is_waiting())
		atomic_long_inc(&ashlar_spare.nested);
	given = ashlar_spare.give(control->nr_to_scan);
	atomic_long_add((long)given, &ashlar_spare.shrunk);
	return given ? given : SHRINK_STOP;
}

static void shrinker_tick(struct work_struct *work)
{
	ashlar_spare.tick();
	schedule_delayed_work(&ashlar_spare.work, round_jiffies_relative(HZ));
}

static struct shrinker shrinker = {
	.count_objects = shrinker_count,
	.scan_objects = shrinker_scan,
	.seeks = DEFAULT_SEEKS,
};

int linux_kernel_shrinker_open(size_t (*spare)(void), size_t (*give)(size_t pages),
			       void (*tick)(void))
{
	int error;

	ashlar_spare.spare = spare;
	ashlar_spare.give = give;
	ashlar_spare.tick = tick;
	error = register_shrinker(&shrinker, "ashlar");
	if (error)
		return error;
	INIT_DELAYED_WORK(&ashlar_spare.work, shrinker_tick);
	schedule_delayed_work(&ashlar_spare.work, round_jiffies_relative(HZ));
	return 0;
}

void linux_kernel_shrinker_close(void)
{
	cancel_delayed_work_sync(&ashlar_spare.work);
	unregister_shrinker(&shrinker);
}

size_t linux_kernel_shrunk(void)
{
	return (size_t)atomic_long_read(&ashlar_spare.shrunk);
}

size_t linux_kernel_nested(void)
{
	return (size_t)atomic_long_read(&ashlar_spare.nested);
}
