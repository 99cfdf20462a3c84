/* SPDX-License-Identifier: MIT */
/*
 * module.c - Ashlar inside Linux: its tests, and the benchmark beside Linux's own allocator
 *
 * What    insmod ashlar.ko          run the tests
 *         insmod ashlar.ko bench=1  measure instead (one CPU, -icount)
 *         insmod ashlar.ko memory=1 measure what objects take of the machine's memory
 *         only=TEXT                 the cases whose name contains it
 *         options="..."             what ASHLAR_OPTIONS is to a process
 *         /sys/module/ashlar/parameters/failed   how many cases have failed
 *         rmmod ashlar              every page goes back to Linux
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "host.h"
#include "linux_kernel.h"

static char *options;
module_param(options, charp, 0444);
static bool bench;
module_param(bench, bool, 0444);
static bool memory;
module_param(memory, bool, 0444);
static char *only;
module_param(only, charp, 0444);
static unsigned int failed;
module_param(failed, uint, 0444);

static int __init ashlar_module_init(void)
{
	int error = linux_kernel_open(options);

	if (!error)
		error = linux_kernel_shrinker_open(reclaim_spare, reclaim_give, reclaim_tick);
	if (error)
		return error;
	if (bench) {
		bench_linux();
		bench_ashlar();
		return 0;
	}
	if (memory) {
		memory_linux();
		memory_ashlar();
		return 0;
	}
	failed = tests_run(only);
	return 0;
}

static void __exit ashlar_module_exit(void)
{
	linux_kernel_shrinker_close();
	linux_kernel_close();
	printk(KERN_NOTICE "# pages still held: %zu\n", linux_kernel_pages());
}

module_init(ashlar_module_init);
module_exit(ashlar_module_exit);
MODULE_DESCRIPTION("Ashlar's slab allocator, tested inside Linux");
MODULE_LICENSE("Dual MIT/GPL");
