/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.c - see kmalloc.h
 */
#include "cache/kmalloc.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/text.h"
#include "cache/account_object.h"
#include "cache/cache.h"
#include "cache/fault.h"
#include "cache/gate.h"
#include "cache/guard.h"
#include "cache/init.h"
#include "cache/large.h"
#include "cache/option.h"

u16 kmalloc_table[KMALLOC_TABLE_SIZE];
size_t kmalloc_fast_limit;
bool kmalloc_lock_pops;
bool kmalloc_lock_pushes;

/* What stands in for the size caches until there are any: kmalloc of a constant size may be the
 * first call of a program. They have no node; the slow path sees that. */
static struct kmem_cache kmalloc_early[CONFIG_KMALLOC_CLASSES];

#define KMALLOC_EARLY_4(i) \
	&kmalloc_early[i], &kmalloc_early[(i) + 1], &kmalloc_early[(i) + 2], &kmalloc_early[(i) + 3]
struct kmem_cache *ashlar_kmalloc_caches[CONFIG_KMALLOC_CLASSES] = {
	KMALLOC_EARLY_4(0),  KMALLOC_EARLY_4(4),  KMALLOC_EARLY_4(8),  KMALLOC_EARLY_4(12),
	KMALLOC_EARLY_4(16), KMALLOC_EARLY_4(20), KMALLOC_EARLY_4(24), KMALLOC_EARLY_4(28),
	KMALLOC_EARLY_4(32), KMALLOC_EARLY_4(36), KMALLOC_EARLY_4(40), KMALLOC_EARLY_4(44),
	KMALLOC_EARLY_4(48),
};
STATIC_ASSERT(CONFIG_KMALLOC_CLASSES == 52, "each class has its stand-in");

/* Which cache serves which size; the slow path reads it, too. */
static void kmalloc_fill_table(void)
{
	size_t i = 0;

	for (unsigned class = 0; class < CONFIG_KMALLOC_CLASSES; class ++) {
		size_t end = kmalloc_class_size(class) >> GRANULE_SHIFT;
		u16 header_offset = (u16)ashlar_kmalloc_caches[class]->header_offset;

		while (i < end)
			kmalloc_table[i++] = header_offset;
	}
}

bool kmalloc_init(void)
{
	struct text name;

	for (unsigned class = 0; class < CONFIG_KMALLOC_CLASSES; class ++) {
		size_t size = kmalloc_class_size(class);
		size_t align = (size_t)1 << bits_lowest(size);
		struct kmem_cache *c;

		kmalloc_class_name(&name, "kmalloc-", size);
		c = cache_make(name.bytes, size, align, SLAB_KMALLOC, NULL); /* KM1 */
		if (!c)
			return false;
		ashlar_kmalloc_caches[class] = c;
	}
	kmalloc_fill_table();
	return true;
}

struct kmem_cache *kmalloc_started(const struct kmem_cache *early)
{
	return init_ready() ? ashlar_kmalloc_caches[early - kmalloc_early] : NULL;
}

void kmalloc_open(bool lock_mode)
{
	kmalloc_lock_pops = lock_mode && !gate_is_on_alloc();
	kmalloc_lock_pushes = lock_mode && !gate_is_on_free();
	if (lock_mode)
		return;
	if (!gate_is_on_free())
		map_open();
	if (!gate_is_on_alloc())
		STORE_RELEASE(kmalloc_fast_limit, CONFIG_KMALLOC_MAX_CACHE);
}

struct kmem_cache *kmalloc_cache(size_t size, size_t align)
{
	unsigned class;

	if (size > CONFIG_KMALLOC_MAX_CACHE || align > CONFIG_KMALLOC_MAX_CACHE)
		return NULL;
	class = ashlar_kmalloc_class(size_max(size, 1));
	while (class < CONFIG_KMALLOC_CLASSES && kmalloc_class_size(class) % align != 0)
		class ++;
	return class < CONFIG_KMALLOC_CLASSES ? ashlar_kmalloc_caches[class] : NULL;
}

size_t kmalloc_class_bytes(const struct kmem_cache *c)
{
	return c->object_size;
}

/* ---- allocation ------------------------------------------------------------------ */

void *kmalloc_large_node(size_t size, gfp_t gfp, unsigned node)
{
	if (unlikely(READ_ONCE(fault_large)) && fault_strikes(NULL, size, gfp))
		return NULL;
	return large_alloc_node(size, PAGE_SIZE, gfp, node);
}

static void *kmalloc_large(size_t size, size_t align, gfp_t gfp)
{
	if (unlikely(READ_ONCE(fault_large)) && fault_strikes(NULL, size, gfp))
		return NULL;
	return large_alloc(size, align, gfp);
}

void *kmalloc_from(struct kmem_cache *c, size_t size, gfp_t gfp)
{
	return c->debug.slow ? cache_alloc_sized(c, gfp, size) : kmem_cache_alloc(c, gfp);
}

noinline void *kmalloc_slow(size_t size, gfp_t gfp)
{
	struct kmem_cache *c;

	if (!init_ready())
		return NULL;
	if (size - 1 >= CONFIG_KMALLOC_MAX_CACHE)
		return kmalloc_large(size, PAGE_SIZE, gfp);
	if (unlikely(gfp & ASHLAR_GFP_TYPES)) {
		c = kmalloc_type_cache(ashlar_kmalloc_class(size), gfp);
		return c ? kmalloc_from(c, size, gfp) : NULL;
	}
	c = cache_node_at(kmalloc_table[(size - 1) >> GRANULE_SHIFT])->cache;
	return cache_alloc_sized(c, gfp, size);
}

void *kmalloc_aligned(size_t size, size_t align, gfp_t gfp)
{
	struct kmem_cache *c;

	if (!init_ready())
		return NULL;
	c = kmalloc_cache(size, align);
	return c ? kmalloc_from(c, size, gfp) : kmalloc_large(size, align, gfp);
}

/* What is not the usual: a size of 0, a kind of memory, zeros, nothing in the array. */
static noinline void *kmalloc_other(size_t size, gfp_t gfp)
{
	void *p;

	if (unlikely(size == 0))
		return ZERO_SIZE_PTR;
	if (unlikely(gfp & ASHLAR_GFP_TYPES) || unlikely(!kmalloc_pop(size, &p)))
		return kmalloc_slow(size, gfp);
	if (gfp & __GFP_ZERO) /* all that may be used: krealloc adds it without looking */
		memset(p, 0, kmalloc_class_size(ashlar_kmalloc_class(size)));
	return p;
}

void *ashlar_kmalloc(size_t size, ashlar_gfp_t gfp)
{
	void *p;

	if (unlikely(gfp & (ASHLAR_GFP_TYPES | __GFP_ZERO)) || unlikely(!kmalloc_pop(size, &p)))
		return kmalloc_other(size, gfp);
	return p;
}

void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc_other(size, gfp | __GFP_ZERO);
}

void *kmalloc_array(size_t count, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return ashlar_kmalloc(bytes, gfp);
}

void *kcalloc(size_t count, size_t size, gfp_t gfp)
{
	return kmalloc_array(count, size, gfp | __GFP_ZERO);
}

/* ---- free ------------------------------------------------------------------------- */

/* The id of the object in use that starts at @p, as an offset; 0 iff none does. */
static always_inline size_t kmalloc_object(const void *p)
{
	size_t granule = object_granule(p);
	size_t header_offset;

	if (granule >= READ_ONCE(map.granules) || !map_is_known(map_pfn(p)))
		return 0;
	header_offset = object_header_offset(granule);
	if (unlikely(*map_state(p) != map_state_in_use(p)) && !account_is_charged(p))
		return 0;
	return header_offset;
}

noinline void kmalloc_free_released(void *p)
{
	cache_free_slow(cache_node_at(map.ids[map_pfn(p)]), p);
}

static bool kmalloc_free_large(void *p)
{
	if (unlikely(options.init_on_free))
		memset(p, 0, large_size(p)); /* 0 bytes of what is no block */
	return large_free(p);
}

noinline void kmalloc_free(void *p, const char *function)
{
	if (!p)
		return;
	account_settle(p);
	if (kmalloc_object(p) && object_release(map_id(map.ids[map_pfn(p)])->states, p))
		kmalloc_free_released(p);
	else if (!kmalloc_free_large(p) && !guard_free(p, NULL, function))
		report_pointer(function, p);
}

/* A free whose fast half said @how. */
static void kmalloc_finish(void *p, enum kmalloc_push how, const char *function)
{
	if (how == KMALLOC_RELEASED)
		kmalloc_free_released(p);
	else
		kmalloc_free(p, function);
}

void kfree(const void *p)
{
	void *block = (void *)(uintptr_t)p;
	enum kmalloc_push how = kmalloc_push(block);

	if (unlikely(how != KMALLOC_PUSHED) && !ZERO_OR_NULL_PTR(p))
		kmalloc_finish(block, how, "kfree");
}

void kfree_sensitive(const void *p)
{
	void *block = (void *)(uintptr_t)p;

	if (ZERO_OR_NULL_PTR(p))
		return;
	kmalloc_wipe(block, kmalloc_usable(p, "kfree_sensitive"));
	kmalloc_free(block, "kfree_sensitive");
}

/* ---- sizes -------------------------------------------------------------------------- */

bool kmalloc_owns(const void *p)
{
	return kmalloc_object(p) || large_size(p) != 0 || guard_size(p) != 0;
}

/* Z lets nobody write behind what was asked for. */
static size_t kmalloc_object_bytes(const struct kmem_cache *c, const void *p)
{
	return c->debug.red ? debug_size(c, p) : c->object_size;
}

size_t kmalloc_usable(const void *p, const char *function)
{
	size_t header_offset = kmalloc_object(p);
	size_t bytes;

	if (header_offset)
		return kmalloc_object_bytes(cache_node_at((u32)header_offset)->cache, p);
	bytes = large_size(p);
	if (!bytes)
		bytes = guard_size(p);
	if (!bytes)
		report_pointer(function, p);
	return bytes;
}

size_t ksize(const void *p)
{
	return ZERO_OR_NULL_PTR(p) ? 0 : kmalloc_usable(p, "ksize");
}

size_t kmalloc_size_roundup(size_t size)
{
	size_t pages = size_align(size, PAGE_SIZE);

	if (size == 0)
		return 0;
	if (size <= CONFIG_KMALLOC_MAX_CACHE)
		return kmalloc_class_size(ashlar_kmalloc_class(size));
	return pages < size ? SIZE_MAX : pages;
}

/* ---- realloc -------------------------------------------------------------------------- */

/* Does a block of @usable bytes serve @size well enough to stay? Not if half of it is idle. */
static bool kmalloc_stays(size_t usable, size_t size)
{
	return size <= usable && (size > usable / 2 || usable <= 64);
}

/* Another block of @size bytes for what is in @p, which has @usable. */
static void *kmalloc_move(void *p, size_t usable, size_t size, gfp_t gfp, const char *function)
{
	void *q = ashlar_kmalloc(size, gfp);
	enum kmalloc_push how;

	if (!q) /* a smaller one that cannot be had: keep the old */
		return size <= usable ? p : NULL;
	memcpy(q, p, size_min(usable, size));
	how = kmalloc_push(p);
	if (unlikely(how != KMALLOC_PUSHED))
		kmalloc_finish(p, how, function);
	return q;
}

/* @p stays; what it grows by is zero if @gfp asks for that. */
static void *kmalloc_stay(void *p, size_t usable, size_t size, gfp_t gfp)
{
	if (gfp & __GFP_ZERO)
		memset((char *)p + size, 0, usable - size);
	return p;
}

static void *kmalloc_resize_large(void *p, size_t size, gfp_t gfp, const char *function)
{
	size_t usable = large_size(p);
	void *q;

	if (!usable) /* a guarded object, or a report */
		return kmalloc_move(p, kmalloc_usable(p, function), size, gfp, function);
	if (usable <= CONFIG_KMALLOC_MAX_CACHE && kmalloc_stays(usable, size))
		return kmalloc_stay(p, usable, size, gfp);
	if (large_owner(p) || (gfp & __GFP_ACCOUNT)) /* who pays is settled with a new block */
		return kmalloc_move(p, usable, size, gfp, function);
	q = large_resize(p, size, options.init_on_alloc ? gfp | __GFP_ZERO : gfp);
	if (q) /* the rest of its last page, too */
		return kmalloc_stay(q, large_size(q), size, gfp);
	return kmalloc_move(p, usable, size, gfp, function);
}

void *kmalloc_resize(void *p, size_t size, gfp_t gfp, const char *function)
{
	size_t header_offset = kmalloc_object(p);
	const struct kmem_cache *c;
	size_t usable;

	if (!header_offset)
		return kmalloc_resize_large(p, size, gfp, function);
	c = cache_node_at((u32)header_offset)->cache;
	usable = kmalloc_object_bytes(c, p);
	if (kmalloc_stays(usable, size) && !c->debug.size_at)
		return kmalloc_stay(p, usable, size, gfp);
	return kmalloc_move(p, usable, size, gfp, function);
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	void *block = (void *)(uintptr_t)p;

	if (ZERO_OR_NULL_PTR(p))
		return ashlar_kmalloc(size, gfp);
	if (size == 0) {
		kfree(p);
		return ZERO_SIZE_PTR;
	}
	return kmalloc_resize(block, size, gfp, "krealloc");
}

void *krealloc_array(void *p, size_t count, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return krealloc(p, bytes, gfp);
}
