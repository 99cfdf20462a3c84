/* SPDX-License-Identifier: MIT */
/*
 * array.c - see array.h
 *
 * State   cpus[]: what each CPU has; the port's table says who may use it
 */
#include "base/check.h"
#include "base/lock.h"
#include "base/memory.h"
#include "cache/array_own.h"
#include "cache/cache.h"
#include "page/node.h"
#include "port/port.h"

/* Entry blocks are cut from blocks of this order, 32 KiB or a page, so that arrays in use lie
 * together. */
#define ARRAY_CHUNK_ORDER (PORT_PAGE_SHIFT < 15 ? 15u - PORT_PAGE_SHIFT : 0u)
#define ARRAY_REGION_BYTES ((size_t)CONFIG_MAX_IDS * ARRAY_CACHE_SIZE)
#define ARRAY_REGION_ORDER (16u - PORT_PAGE_SHIFT)

STATIC_ASSERT(sizeof(struct array_cache) == ARRAY_CACHE_SIZE, "ids are turned into offsets");
STATIC_ASSERT(ARRAY_REGION_BYTES == PAGE_SIZE << ARRAY_REGION_ORDER, "a region is one block");

struct arrays arrays;

void array_init(unsigned cpus)
{
	arrays.cpus = cpus;
}

void array_publish(unsigned number, struct array_cache *region)
{
	port_percpu_publish(number, region, region + arrays.cpu[number].node);
}

/* ---- LOCK mode: own the region for the length of one operation ---------- */

static unsigned array_pop_owned(u32 header_offset, void **objects, unsigned count)
{
	unsigned cpu = percpu_cpu();
	struct array_cache *region = percpu_own(cpu);
	struct array_cache *a;
	unsigned n;

	if (!region)
		return 0;
	a = array_header(region, header_offset);
	n = a->avail < count ? a->avail : count;
	if (n) {
		a->avail = (u16)(a->avail - n);
		WRITE_ONCE(a->idle, 0);
		for (unsigned i = 0; i < n; i++)
			objects[i] = a->entry[a->avail + i];
	}
	percpu_disown(cpu, region);
	return n;
}

static unsigned array_push_owned(u32 header_offset, void *const *objects, unsigned count)
{
	unsigned cpu = percpu_cpu();
	struct array_cache *region = percpu_own(cpu);
	struct array_cache *a;
	unsigned room;

	if (!region)
		return 0;
	a = array_header(region, header_offset);
	room = (unsigned)(a->limit - a->avail);
	if (count > room)
		count = room;
	for (unsigned i = 0; i < count; i++)
		a->entry[a->avail + i] = objects[i];
	a->avail = (u16)(a->avail + count);
	percpu_disown(cpu, region);
	return count;
}

/* ---- either mode -------------------------------------------------------- */

bool array_pop_lock(size_t header_offset, void **object)
{
	unsigned cpu = percpu_cpu();
	struct array_cache *region = percpu_own(cpu);
	struct array_cache *a;
	bool got;

	if (unlikely(!region))
		return false;
	a = array_header(percpu_alloc_region(cpu), header_offset);
	got = a->avail != 0;
	if (likely(got)) {
		WRITE_ONCE(a->idle, 0);
		*object = a->entry[--a->avail];
	}
	percpu_disown(cpu, region);
	return got;
}

bool array_push_lock(size_t header_offset, void *object)
{
	unsigned cpu = percpu_cpu();
	struct array_cache *region = percpu_own(cpu);
	struct array_cache *a;
	bool room;

	if (unlikely(!region))
		return false;
	a = array_header(region, header_offset);
	room = a->avail < a->limit;
	if (likely(room))
		a->entry[a->avail++] = object;
	percpu_disown(cpu, region);
	return room;
}

unsigned array_pop_bulk(u32 header_offset, void **objects, unsigned count)
{
	if (percpu_ready())
		return port_percpu_pop_bulk(header_offset, objects, count);
	return array_pop_owned(header_offset, objects, count);
}

unsigned array_push_bulk(u32 header_offset, void *const *objects, unsigned count)
{
	if (percpu_ready())
		return port_percpu_push_bulk(header_offset, objects, count);
	return array_push_owned(header_offset, objects, count);
}

/* This CPU's header, to look at its mark; NULL where there is none. */
static struct array_cache *array_here(u32 header_offset)
{
	unsigned cpu = percpu_cpu();
	struct array_cache *region = NULL;

	if (cpu < arrays.cpus)
		region = LOAD_ACQUIRE(arrays.cpu[cpu].region);
	return region ? array_header(region, header_offset) : NULL;
}

bool array_is_idle(u32 header_offset)
{
	const struct array_cache *a = array_here(header_offset);

	return a && READ_ONCE(a->idle);
}

void array_mark_flush(u32 header_offset)
{
	struct array_cache *a = array_here(header_offset);

	if (a)
		WRITE_ONCE(a->idle, ARRAY_IDLE_FLUSH);
}

/* ---- stopping a CPU; array_lock is held ---------------------------------- */

struct array_cache *array_stop(unsigned cpu)
{
	struct array_cache *region = port_percpu_own(cpu);

	for (unsigned turns = 0; !region; region = port_percpu_own(cpu)) {
		port_relax();
		if (++turns % 64 == 0)
			port_yield();
	}
	if (port_percpu_fence((int)cpu))
		return region;
	array_publish(cpu, region);
	return NULL;
}

/* ---- making regions and entry blocks ------------------------------------- */

/* Cut an entry block for @limit objects from the CPU's chunk; false iff the chunk is too small.
 * A block that an earlier cache with this id left behind serves again if it is large enough. */
static bool array_furnish(struct array_cpu *cpu, struct array_cache *a, unsigned limit)
{
	size_t bytes = size_align(limit * sizeof(void *), CACHE_LINE);

	if (a->capacity < limit) {
		if (cpu->chunk_left < bytes)
			return false;
		a->entry = (void **)(void *)cpu->chunk;
		a->capacity = (u16)limit;
		cpu->chunk += bytes;
		cpu->chunk_left -= bytes;
	}
	a->limit = (u16)limit;
	return true;
}

unsigned array_limit(const struct array_cpu *cpu, const struct kmem_cache_node *n)
{
	const struct kmem_cache *c = n->cache;

	if (READ_ONCE(c->debug.slow) || c->limit == 0)
		return 0; /* each object is looked at: no array anywhere */
	return n->node == cpu->node ? c->limit : c->batchcount;
}

/* A block of ours, zeroed if @zeroed; NULL iff memory is exhausted. */
static void *array_table(unsigned order, unsigned node, bool zeroed)
{
	bool zero;
	struct page *head = page_alloc(order, GFP_KERNEL, node, &zero);

	if (!head)
		return NULL;
	head->kind = PAGE_TABLE;
	if (zeroed && !zero)
		memset(map_page_address(head), 0, PAGE_SIZE << order);
	return map_page_address(head);
}

static void array_table_free(void *table, unsigned order)
{
	if (table)
		page_free(&map.pages[map_pfn(table)], order);
}

static void array_add_chunk(struct array_cpu *cpu, void *chunk)
{
	cpu->chunk = chunk;
	cpu->chunk_left = PAGE_SIZE << ARRAY_CHUNK_ORDER;
}

/* Arrays in a new region for each cache there is, on the CPU's own node. */
static void array_furnish_all(struct array_cpu *cpu, struct array_cache *region)
{
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		const struct kmem_cache_node *n = LOAD_ACQUIRE(map_ids[id].node);

		/* destroy frees it after array_retire, which waits for this lock */
		if (n && n->node == cpu->node)
			array_furnish(cpu, &region[id], array_limit(cpu, n));
	}
}

/* A CPU that was never seen gets a region; false also where nobody knows its node yet. */
static bool array_make_region(unsigned number)
{
	unsigned node = node_of_cpu(number);
	struct array_cpu *cpu = &arrays.cpu[number];
	struct array_cache *region;
	void *chunk;
	bool made = false;

	if (node == PORT_NODE_UNKNOWN)
		return false;
	region = array_table(ARRAY_REGION_ORDER, node, true);
	chunk = array_table(ARRAY_CHUNK_ORDER, node, false);
	lock_acquire(&arrays.lock);
	if (!cpu->region && region && chunk) {
		array_add_chunk(cpu, chunk);
		cpu->node = node;
		array_furnish_all(cpu, region);
		STORE_RELEASE(cpu->region, region);
		arrays.regions++;
		arrays.on_node[node]++;
		array_publish(number, region);
		made = true;
	}
	lock_release(&arrays.lock);
	if (!made) {
		array_table_free(region, ARRAY_REGION_ORDER);
		array_table_free(chunk, ARRAY_CHUNK_ORDER);
	}
	return made;
}

/* Give a CPU that has a region an array for @n, under array_lock; *@chunk is used up if the
 * CPU's own is too small. */
static bool array_equip_cpu(unsigned number, const struct kmem_cache_node *n, void **chunk)
{
	struct array_cpu *cpu = &arrays.cpu[number];
	struct array_cache *region = array_stop(number);
	unsigned limit = array_limit(cpu, n);
	bool done;

	if (!region)
		return false;
	done = array_furnish(cpu, array_header(region, n->header_offset), limit);
	if (!done && *chunk) {
		array_add_chunk(cpu, *chunk);
		*chunk = NULL;
		done = array_furnish(cpu, array_header(region, n->header_offset), limit);
	}
	array_publish(number, region);
	return done;
}

static noinline bool array_equip_here(const struct kmem_cache_node *n, unsigned number)
{
	struct array_cpu *cpu = &arrays.cpu[number];
	struct array_cache *region = LOAD_ACQUIRE(cpu->region);
	bool done = !region;
	void *chunk = NULL;

	if (number >= arrays.cpus || READ_ONCE(n->cache->debug.slow) || n->cache->limit == 0 ||
	    (!region && !array_make_region(number)))
		return false;
	if (!region)
		tune_cpu_came();
	region = LOAD_ACQUIRE(cpu->region);
	if (READ_ONCE(array_header(region, n->header_offset)->limit) != 0)
		return done;
	if (READ_ONCE(cpu->chunk_left) < size_align(n->cache->limit * sizeof(void *), CACHE_LINE))
		chunk = array_table(ARRAY_CHUNK_ORDER, cpu->node, false);
	lock_acquire(&arrays.lock);
	if (array_header(region, n->header_offset)->limit == 0)
		done = array_equip_cpu(number, n, &chunk);
	lock_release(&arrays.lock);
	array_table_free(chunk, ARRAY_CHUNK_ORDER);
	return done;
}

bool array_equip(const struct kmem_cache_node *n)
{
	unsigned number = percpu_cpu();
	struct array_cache *region = LOAD_ACQUIRE(arrays.cpu[number].region);

	if (likely(region) && READ_ONCE(array_header(region, n->header_offset)->limit) != 0)
		return false; /* the usual: there is one */
	return array_equip_here(n, number);
}

bool array_has_room(const struct kmem_cache_node *n)
{
	struct array_cache *region = LOAD_ACQUIRE(arrays.cpu[port_cpu()].region);
	struct array_cache *a;

	if (!region)
		return false;
	a = array_header(region, n->header_offset);
	return READ_ONCE(a->avail) < READ_ONCE(a->limit);
}

/* ---- taking objects back -------------------------------------------------- */

/* Close one CPU's arrays of a cache, which are empty; false iff one is not, or the CPU cannot be
 * stopped. */
static bool array_close(unsigned number, const struct kmem_cache *c)
{
	struct array_cache *region = array_stop(number);
	struct array_cache *a;
	bool done = true;

	if (!region)
		return false;
	a = array_header(region, c->header_offset);
	for (unsigned node = 0; node < node_table.count && done; node++) {
		done = a[node].avail == 0;
		if (done)
			a[node].limit = 0;
	}
	array_publish(number, region);
	return done;
}

bool array_retire(struct kmem_cache *c)
{
	bool done = true;

	array_drain(c);
	/* A region that is being made may still get an array for it: that holds the lock, too. */
	lock_acquire(&arrays.lock);
	for (unsigned number = 0; number < arrays.cpus && done; number++)
		if (arrays.cpu[number].region)
			done = array_close(number, c);
	lock_release(&arrays.lock);
	return done;
}

size_t array_count_node(const struct kmem_cache_node *n)
{
	size_t count = 0;

	for (unsigned number = 0; number < arrays.cpus; number++) {
		struct array_cache *region = LOAD_ACQUIRE(arrays.cpu[number].region);

		if (region)
			count += READ_ONCE(array_header(region, n->header_offset)->avail);
	}
	return count;
}

size_t array_count(const struct kmem_cache *c)
{
	size_t count = 0;

	for (unsigned node = 0; node < node_table.count; node++)
		count += array_count_node(&c->node[node]);
	return count;
}

unsigned array_cpus(void)
{
	return READ_ONCE(arrays.regions);
}

unsigned array_cpus_on(unsigned node)
{
	return READ_ONCE(arrays.on_node[node]);
}

const void *array_regions(size_t *step, unsigned *count)
{
	*step = sizeof(arrays.cpu[0]);
	*count = arrays.cpus;
	return &arrays.cpu[0].region;
}

/* A1, and every entry a free object of the cache whose array it is in. */
static size_t array_audit_cpu(struct array_cache *region)
{
	size_t faults = 0;

	for (u32 id = 0; id < CONFIG_MAX_IDS; id++) {
		const struct array_cache *a = &region[id];

		faults += a->avail > a->limit || a->limit > a->capacity;
		faults += a->avail != 0 && !map_ids[id].node; /* K1 */
		for (unsigned i = 0; i < a->avail; i++) {
			const void *p = a->entry[i];

			faults += !map_contains(p) ||
				  map.ids[map_pfn(p)] != id * ARRAY_CACHE_SIZE ||
				  *map_state(p) != STATE_FREE;
		}
	}
	return faults;
}

size_t array_audit(void)
{
	size_t faults = 0;

	for (unsigned number = 0; number < arrays.cpus; number++)
		if (arrays.cpu[number].region)
			faults += array_audit_cpu(arrays.cpu[number].region);
	return faults;
}

bool array_lock_all(void)
{
	lock_acquire_more(&arrays.lock);
	for (unsigned number = 0; number < arrays.cpus; number++)
		while (arrays.cpu[number].region && !port_percpu_own(number))
			port_yield();
	return port_percpu_fence(-1);
}

void array_forget(void)
{
	for (unsigned number = 0; number < arrays.cpus; number++)
		for (u32 id = 0; arrays.cpu[number].region && id < CONFIG_MAX_IDS; id++)
			if (arrays.cpu[number].region[id].avail)
				arrays.cpu[number].region[id].avail = 0;
}

void array_unlock_all(void)
{
	for (unsigned number = 0; number < arrays.cpus; number++)
		if (arrays.cpu[number].region)
			array_publish(number, arrays.cpu[number].region);
	lock_release(&arrays.lock);
}
