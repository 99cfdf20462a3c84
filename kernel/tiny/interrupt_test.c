/* SPDX-License-Identifier: MIT */
/*
 * interrupt_test.c - a handler that allocates and frees between any two instructions
 *
 * What    The processor's timer interrupts the library for firmware, which works in the same cache
 *         and the same sizes as the handler, after a random number of instructions each time.
 *         The emulator's clock goes by instructions (-icount), so runs do not differ.
 * Source  Armv7-M Architecture Reference Manual B3.2.5 (VTOR), B3.3 (SysTick)
 */
#include "ashlar/heap.h"
#include "ashlar/slab.h"
#include "machine.h"
#include "port/sim/sim.h"
#include "tap.h"

#define VTOR (*(volatile uint32_t *)0xe000ed08)
#define TIMER_CONTROL (*(volatile uint32_t *)0xe000e010)
#define TIMER_RELOAD (*(volatile uint32_t *)0xe000e014)
#define TIMER_NOW (*(volatile uint32_t *)0xe000e018)
#define TIMER_RUNS 7u /* it counts the processor's cycles, and interrupts */
#define TIMER_VECTOR 15

#define REGION 16384u
#define TURNS 10000u
#define MOST 8u

static _Alignas(256) char region[REGION];
static _Alignas(128) uint32_t vectors[16];
static struct kmem_cache *cache;
static volatile unsigned ticks, holds, got, refused;
static void *kept[MOST];
static uint32_t seed = 1;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 16;
}

/* From now: so that the work goes on however long a handler takes. */
static void timer_run(void)
{
	TIMER_RELOAD = 50 + next_random() % 400;
	TIMER_NOW = 0;
	TIMER_CONTROL = TIMER_RUNS;
}

/* An object or a block of kmalloc's comes, or one goes. */
static void tick(void)
{
	ticks++;
	TIMER_CONTROL = 0;
	if (holds < MOST && next_random() % 2) {
		kept[holds] = holds % 2 ? ashlar_kmalloc(1 + next_random() % 300, GFP_ATOMIC) :
					  kmem_cache_alloc(cache, GFP_ATOMIC);
		refused += !kept[holds];
		holds += kept[holds] != NULL;
		got++;
	} else if (holds) {
		holds--;
		if (holds % 2)
			ashlar_kfree(kept[holds]);
		else
			kmem_cache_free(cache, kept[holds]);
	}
	timer_run();
}

static void timer_start(void)
{
	const uint32_t *were = 0;

	for (unsigned i = 0; i < 16; i++)
		vectors[i] = were[i];
	vectors[TIMER_VECTOR] = (uint32_t)(uintptr_t)tick;
	VTOR = (uint32_t)(uintptr_t)vectors;
	timer_run();
}

TEST(interrupt_handlers_may_allocate_between_any_two_instructions)
{
	struct ashlar_heap_stat s;

	sim_reset();
	REQUIRE(ashlar_heap_add(region, REGION, 0) != 0);
	cache = kmem_cache_create("shared", 20, 0, 0, NULL);
	REQUIRE(cache != NULL);
	timer_start();
	for (unsigned i = 0; i < TURNS; i++) {
		void *p = kmem_cache_alloc(cache, GFP_ATOMIC);
		void *q = ashlar_kmalloc(1 + i % 300, GFP_ATOMIC);

		if (!p || !q)
			refused++;
		if (p)
			kmem_cache_free(cache, p);
		ashlar_kfree(q);
	}
	TIMER_CONTROL = 0;
	tap_note_number("interrupts:", ticks);
	tap_note_number("allocations of the handler:", got);
	EXPECT_GT(got, TURNS / 4);
	EXPECT_EQ(refused, 0);
	EXPECT_EQ(ashlar_audit(), 0);
	while (holds) {
		holds--;
		if (holds % 2)
			ashlar_kfree(kept[holds]);
		else
			kmem_cache_free(cache, kept[holds]);
	}
	EXPECT_EQ(ashlar_audit(), 0);
	kmem_cache_destroy(cache);
	EXPECT_TEXT_EQ(sim.text, "");
	ashlar_heap_stat(&s);
	EXPECT_EQ(s.used_bytes, 0);
}
