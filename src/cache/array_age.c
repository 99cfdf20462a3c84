/* SPDX-License-Identifier: MIT */
/*
 * array_age.c - objects leave the CPUs' arrays: all of them, those nobody touched, those too many
 *
 * What    Draining, squeezing, the reaper's tick, and new limits. Each stops a CPU, copies objects
 *         out, lets it run, and gives them to the node only then (A5).
 */
#include "base/bitmap.h"
#include "base/memory.h"
#include "cache/array_own.h"
#include "cache/squeeze.h"
#include "page/node.h"

/* The oldest @count objects, or all, of one CPU's array, as data. */
static unsigned array_strip(unsigned number, u32 header_offset, void **objects, unsigned count)
{
	struct array_cache *region;
	struct array_cache *a;
	unsigned n = 0;

	lock_acquire(&arrays.lock);
	region = array_stop(number);
	if (region) {
		a = array_header(region, header_offset);
		n = (unsigned)size_min(a->avail, count);
		if (n)
			__builtin_memcpy(objects, a->entry, n * sizeof(void *));
		a->avail = (u16)(a->avail - n);
		if (a->avail)
			__builtin_memmove(a->entry, a->entry + n, a->avail * sizeof(void *));
		array_publish(number, region);
	}
	lock_release(&arrays.lock);
	return n;
}

static void array_age(unsigned number, struct kmem_cache_node *n, unsigned count)
{
	void *objects[CONFIG_BATCH_MAX];
	unsigned got = array_strip(number, n->header_offset, objects, count);

	if (got)
		cache_put(n, objects, got); /* A5 */
}

/* TU3 for one CPU. That an array was looked at is marked without stopping the CPU: a pop that
 * comes between clears the mark, as it should. */
static void array_reap_cpu(unsigned number, struct kmem_cache *c)
{
	struct array_cpu *cpu = &arrays.cpu[number];
	struct array_cache *a = array_header(LOAD_ACQUIRE(cpu->region), c->header_offset);
	unsigned avail = READ_ONCE(a[cpu->node].avail);
	unsigned fifth = ((unsigned)READ_ONCE(a[cpu->node].limit) + 4) / 5;
	unsigned alien = READ_ONCE(c->node->reaps) % node_table.count;

	if (alien != cpu->node && READ_ONCE(a[alien].avail))
		array_age(number, &c->node[alien], CONFIG_BATCH_MAX);
	if (avail == 0)
		return;
	if (READ_ONCE(a[cpu->node].idle) != ARRAY_IDLE_TICK)
		WRITE_ONCE(a[cpu->node].idle, ARRAY_IDLE_TICK);
	else
		array_age(number, &c->node[cpu->node], fifth > avail ? (avail + 1) / 2 : fifth);
}

void array_reap(struct kmem_cache *c)
{
	for (unsigned number = 0; number < arrays.cpus; number++)
		if (LOAD_ACQUIRE(arrays.cpu[number].region))
			array_reap_cpu(number, c);
}

static void array_drain_node(struct kmem_cache_node *n)
{
	void *objects[CONFIG_BATCH_MAX];

	for (unsigned number = 0; number < arrays.cpus; number++) {
		struct array_cache *region = LOAD_ACQUIRE(arrays.cpu[number].region);
		unsigned count;

		if (!region || READ_ONCE(array_header(region, n->header_offset)->avail) == 0)
			continue;
		count = array_strip(number, n->header_offset, objects, CONFIG_BATCH_MAX);
		if (count)
			cache_put(n, objects, count); /* A5 */
	}
}

void array_drain(struct kmem_cache *c)
{
	for (unsigned node = 0; node < node_table.count; node++)
		array_drain_node(&c->node[node]);
}

/* ---- all caches at once: squeeze.h --------------------------------------------- */

static bool array_gives(const struct array_cache *a, bool all)
{
	return READ_ONCE(a->avail) && (all || READ_ONCE(a->idle));
}

bool array_is_due(unsigned cpu, const u64 *ids, bool all)
{
	struct array_cache *region = LOAD_ACQUIRE(arrays.cpu[cpu].region);

	for (size_t id = 0; region; id++) {
		id = bitmap_find(ids, id, CONFIG_MAX_IDS, true);
		if (id == CONFIG_MAX_IDS)
			break;
		if (array_gives(&region[id], all))
			return true;
	}
	for (size_t id = 0; region; id++) {
		id = bitmap_find(ids, id, CONFIG_MAX_IDS, true);
		if (id == CONFIG_MAX_IDS)
			break;
		if (READ_ONCE(region[id].avail))
			WRITE_ONCE(region[id].idle, ARRAY_IDLE_TICK); /* without stopping, as TU3 */
	}
	return false;
}

/* Of a stopped CPU. */
static unsigned array_gather_from(struct array_cache *region, const u64 *ids, bool all,
				  void **objects, u32 *id)
{
	unsigned count = 0;

	for (;; (*id)++) {
		struct array_cache *a;

		*id = (u32)bitmap_find(ids, *id, CONFIG_MAX_IDS, true);
		if (*id == CONFIG_MAX_IDS)
			return count;
		a = &region[*id];
		if (array_gives(a, all)) {
			if (a->avail > SQUEEZE_OBJECTS - count)
				return count;
			__builtin_memcpy(objects + count, a->entry, a->avail * sizeof(void *));
			count += a->avail;
			WRITE_ONCE(a->avail, 0); /* others look without stopping anybody */
			WRITE_ONCE(a->idle, 0);
		} else if (a->avail) {
			WRITE_ONCE(a->idle, ARRAY_IDLE_TICK);
		}
	}
}

unsigned array_gather(unsigned cpu, const u64 *ids, bool all, void **objects, u32 *id)
{
	struct array_cache *region;
	unsigned count = 0;

	lock_acquire(&arrays.lock);
	region = array_stop(cpu);
	if (region) {
		count = array_gather_from(region, ids, all, objects, id);
		array_publish(cpu, region);
	} else {
		*id = CONFIG_MAX_IDS;
	}
	lock_release(&arrays.lock);
	return count;
}

unsigned array_cpu_end(void)
{
	return arrays.cpus;
}

/* Take all objects of one CPU's array out and give it the cache's limit, or 0 if its block is too
 * small: then the next slow path furnishes it anew. */
static unsigned array_refit(unsigned number, const struct kmem_cache_node *n, void **objects,
			    bool *done)
{
	struct array_cpu *cpu = &arrays.cpu[number];
	unsigned limit = array_limit(cpu, n);
	struct array_cache *region;
	struct array_cache *a;
	unsigned count = 0;

	lock_acquire(&arrays.lock);
	region = array_stop(number);
	if (region) {
		a = array_header(region, n->header_offset);
		count = a->avail;
		if (count)
			__builtin_memcpy(objects, a->entry, count * sizeof(void *));
		a->avail = 0;
		a->limit = (u16)(a->capacity >= limit ? limit : 0);
		array_publish(number, region);
	} else {
		*done = false;
	}
	lock_release(&arrays.lock);
	return count;
}

bool array_retune(struct kmem_cache *c)
{
	void *objects[CONFIG_BATCH_MAX];
	bool done = true;

	for (unsigned number = 0; number < arrays.cpus; number++) {
		struct array_cache *region = LOAD_ACQUIRE(arrays.cpu[number].region);

		for (unsigned node = 0; region && node < node_table.count; node++) {
			struct kmem_cache_node *n = &c->node[node];
			unsigned count;

			if (READ_ONCE(array_header(region, n->header_offset)->limit) == 0)
				continue;
			count = array_refit(number, n, objects, &done);
			if (count)
				cache_put(n, objects, count); /* A5 */
		}
	}
	return done;
}
