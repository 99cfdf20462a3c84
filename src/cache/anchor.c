/* SPDX-License-Identifier: MIT */
/*
 * anchor.c - see anchor.h
 *
 * State   ashlar_anchor. It lies in .data, not in .bss: its magic number is there before
 *         anything runs, and in every core file.
 */
#include "cache/anchor.h"
#include "cache/account.h"
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/guard.h"
#include "cache/init.h"
#include "cache/large.h"
#include "page/node.h"
#include "page/zone.h"
#include "port/array_cache.h"

#define ANCHOR_FIELD(type, member)                                  \
	{                                                           \
		offsetof(type, member), sizeof(((type *)0)->member) \
	}
#define ANCHOR_POINTER(type, member)                   \
	{                                              \
		offsetof(type, member), sizeof(void *) \
	}
#define ANCHOR_NODE(member) ANCHOR_FIELD(struct kmem_cache_node, member)
#define ANCHOR_CACHE(member) ANCHOR_FIELD(struct kmem_cache, member)
#define ANCHOR_ZONE(member) ANCHOR_FIELD(struct zone, member)
#define ANCHOR_GROUP(member) ANCHOR_FIELD(struct ashlar_group, member)
#define ANCHOR_GUARD(member) ANCHOR_FIELD(struct guard_figures, member)
#define ANCHOR_LARGE(member) ANCHOR_FIELD(struct large_figures, member)

STATIC_ASSERT(ASHLAR_NAME_BYTES == CACHE_NAME_MAX, "a row holds every name");

struct ashlar_anchor ashlar_anchor = {
	.magic = ASHLAR_ANCHOR_MAGIC,
	.version = ASHLAR_ANCHOR_VERSION,
	.bytes = sizeof(struct ashlar_anchor),
	.state = ASHLAR_STATE_IDLE,
	.page_bytes = PAGE_SIZE,
	.header_bytes = ARRAY_CACHE_SIZE,
	.node_bytes = sizeof(struct kmem_cache_node),
	.cache_bytes = sizeof(struct kmem_cache),
	.zone_bytes = sizeof(struct zone),
	.group_bytes = sizeof(struct ashlar_group),
	.nr_fields = ASHLAR_FIELDS,
	.fields = {
		[ASHLAR_NODE_CACHE] = ANCHOR_POINTER(struct kmem_cache_node, cache),
		[ASHLAR_NODE_HEADER_OFFSET] = ANCHOR_NODE(header_offset),
		[ASHLAR_NODE_SLABS] = ANCHOR_NODE(slabs),
		[ASHLAR_NODE_SLABS_PEAK] = ANCHOR_NODE(slabs_peak),
		[ASHLAR_NODE_SLABS_EMPTY] = ANCHOR_NODE(empty_slabs),
		[ASHLAR_NODE_SLABS_GROWN] = ANCHOR_NODE(grown),
		[ASHLAR_NODE_OBJECTS_FREE] = ANCHOR_NODE(free_objects),
		[ASHLAR_NODE_SHARED_AVAIL] = ANCHOR_NODE(shared_avail),
		[ASHLAR_CACHE_NAME] = ANCHOR_CACHE(name),
		[ASHLAR_CACHE_OBJECT_SIZE] = ANCHOR_CACHE(object_size),
		[ASHLAR_CACHE_STRIDE] = ANCHOR_CACHE(shape.stride),
		[ASHLAR_CACHE_OBJECTS] = ANCHOR_CACHE(shape.objects),
		[ASHLAR_CACHE_ORDER] = ANCHOR_CACHE(shape.order),
		[ASHLAR_CACHE_ALIGN] = ANCHOR_CACHE(align),
		[ASHLAR_CACHE_LIMIT] = ANCHOR_CACHE(limit),
		[ASHLAR_CACHE_BATCHCOUNT] = ANCHOR_CACHE(batchcount),
		[ASHLAR_CACHE_SHARED_FACTOR] = ANCHOR_CACHE(shared_factor),
		[ASHLAR_ARRAY_AVAIL] = ANCHOR_FIELD(struct array_cache, avail),
		[ASHLAR_ZONE_MANAGED] = ANCHOR_ZONE(managed_pages),
		[ASHLAR_ZONE_FREE] = ANCHOR_ZONE(free_pages),
		[ASHLAR_ZONE_DIRTY] = ANCHOR_ZONE(dirty_pages),
		[ASHLAR_ZONE_REFAULTED] = ANCHOR_ZONE(refaulted),
		[ASHLAR_ZONE_DISCARDED] = ANCHOR_ZONE(discarded),
		[ASHLAR_PCP_PAGES] = { 0, sizeof(u32) },
		[ASHLAR_PAGES_PEAK] = { 0, sizeof(size_t) },
		[ASHLAR_LARGE_RUNS] = ANCHOR_LARGE(runs),
		[ASHLAR_LARGE_USED] = ANCHOR_LARGE(used),
		[ASHLAR_LARGE_KEPT] = ANCHOR_LARGE(kept),
		[ASHLAR_GROUP_NAME] = ANCHOR_GROUP(name),
		[ASHLAR_GROUP_BYTES] = ANCHOR_GROUP(bytes),
		[ASHLAR_GROUP_PEAK] = ANCHOR_GROUP(peak),
		[ASHLAR_GROUP_LIMIT] = ANCHOR_GROUP(limit),
		[ASHLAR_GROUP_OBJECTS] = ANCHOR_GROUP(objects),
		[ASHLAR_GROUP_REFUSED] = ANCHOR_GROUP(refused),
		[ASHLAR_NODE_SLABS_FULL] = ANCHOR_NODE(full_slabs),
		[ASHLAR_CACHE_FLAGS] = ANCHOR_CACHE(flags),
		[ASHLAR_CACHE_DEBUG] = ANCHOR_CACHE(debug.flags),
		[ASHLAR_CACHE_CTOR] = ANCHOR_CACHE(ctor),
		[ASHLAR_NODE_TAKEN] = ANCHOR_NODE(taken),
		[ASHLAR_NODE_TAKEN_PEAK] = ANCHOR_NODE(taken_peak),
		[ASHLAR_NODE_FREE_PEAK] = ANCHOR_NODE(free_peak),
		[ASHLAR_CACHE_COUNTED] = ANCHOR_CACHE(counts.on),
		[ASHLAR_CACHE_ALLOC_HIT] = ANCHOR_CACHE(counts.alloc_hit),
		[ASHLAR_CACHE_ALLOC_MISS] = ANCHOR_CACHE(counts.alloc_miss),
		[ASHLAR_CACHE_FREE_HIT] = ANCHOR_CACHE(counts.free_hit),
		[ASHLAR_CACHE_FREE_MISS] = ANCHOR_CACHE(counts.free_miss),
		[ASHLAR_CACHE_ERRORS] = ANCHOR_CACHE(counts.errors),
		[ASHLAR_CACHE_FAR_ALLOCS] = ANCHOR_CACHE(counts.far_allocs),
		[ASHLAR_CACHE_FAR_FREES] = ANCHOR_CACHE(counts.far_frees),
		[ASHLAR_CACHE_OVERFLOWS] = ANCHOR_CACHE(counts.overflows),
		[ASHLAR_NODE_PENDING] = ANCHOR_NODE(pending),
		[ASHLAR_ZONE_NODE] = ANCHOR_ZONE(node),
		[ASHLAR_ZONE_KIND] = ANCHOR_ZONE(kind),
		[ASHLAR_ZONE_FIRST] = ANCHOR_ZONE(first_pfn),
		[ASHLAR_ZONE_END] = ANCHOR_ZONE(end_pfn),
		[ASHLAR_ZONE_MIN] = ANCHOR_ZONE(watermark[WATERMARK_MIN]),
		[ASHLAR_ZONE_LOW] = ANCHOR_ZONE(watermark[WATERMARK_LOW]),
		[ASHLAR_ZONE_HIGH] = ANCHOR_ZONE(watermark[WATERMARK_HIGH]),
		[ASHLAR_ZONE_RESERVE_DMA] = ANCHOR_ZONE(lowmem_reserve[ZONE_DMA]),
		[ASHLAR_ZONE_RESERVE_DMA32] = ANCHOR_ZONE(lowmem_reserve[ZONE_DMA32]),
		[ASHLAR_ZONE_RESERVE_NORMAL] = ANCHOR_ZONE(lowmem_reserve[ZONE_NORMAL]),
		[ASHLAR_ZONE_BLOCKS] = ANCHOR_ZONE(area[0].count),
		[ASHLAR_ZONE_BLOCKS_NEXT] = ANCHOR_ZONE(area[1].count),
		[ASHLAR_ZONE_BLOCKS_LAST] = ANCHOR_ZONE(area[NR_ORDERS - 1].count),
		[ASHLAR_CACHE_GUARDED] = ANCHOR_CACHE(counts.guarded),
		[ASHLAR_GUARD_SAMPLED] = ANCHOR_GUARD(sampled),
		[ASHLAR_GUARD_MISSED] = ANCHOR_GUARD(missed),
		[ASHLAR_GUARD_SLOTS] = ANCHOR_GUARD(slots),
		[ASHLAR_GUARD_USED] = ANCHOR_GUARD(used),
	},
};

static void anchor_text(char *to, size_t bytes, const char *from)
{
	size_t n = 0;

	for (; from && from[n] && n < bytes - 1; n++)
		to[n] = from[n];
	to[n] = '\0';
}

void anchor_init(void)
{
	struct ashlar_anchor *a = &ashlar_anchor;
	struct page_tables pages;
	unsigned cpus;
	size_t step;

	page_tables(&pages);
	a->arena = map.base;
	a->arena_bytes = map.nr_pages << PAGE_SHIFT;
	a->nodes = (struct ashlar_table){ (uintptr_t)&map_ids[0].node, sizeof(map_ids[0]),
					  CONFIG_MAX_IDS };
	a->regions.address = (uintptr_t)array_regions(&step, &cpus);
	a->regions.step = (u32)step;
	a->regions.count = cpus;
	a->zones = (struct ashlar_table){ (uintptr_t)pages.zones, sizeof(struct zone),
					  pages.zone_count };
	a->pcps = (struct ashlar_table){ (uintptr_t)pages.pcp_pages, (u32)pages.pcp_step, cpus };
	a->groups =
		(struct ashlar_table){ (uintptr_t)account_groups, sizeof(void *), ACCOUNT_GROUPS };
	a->pages = (uintptr_t)pages.peak_pages;
	a->large = (uintptr_t)large_figures();
	a->guard = (uintptr_t)guard_figures();
	anchor_text(a->percpu, sizeof(a->percpu), init_facts.percpu);
	anchor_text(a->why, sizeof(a->why), init_facts.percpu_why);
	STORE_RELEASE(a->state, ASHLAR_STATE_SERVING);
}

void anchor_pages(struct ashlar_pages *pages)
{
	struct page_stat s;

	page_stat(&s);
	*pages = (struct ashlar_pages){
		.peak = s.peak_pages << PAGE_SHIFT,
		.online = s.online_pages << PAGE_SHIFT,
		.free = s.free_pages << PAGE_SHIFT,
		.pcp = s.pcp_pages << PAGE_SHIFT,
		.dirty = s.dirty_pages << PAGE_SHIFT,
		.runs = READ_ONCE(large_figures()->runs) << PAGE_SHIFT,
		.mappings = large_used_pages() << PAGE_SHIFT,
		.kept = large_kept_pages() << PAGE_SHIFT,
		.discarded = s.discarded << PAGE_SHIFT,
		.refaulted = s.refaulted << PAGE_SHIFT,
	};
}

/* A cache's row has the sums of its nodes. */
static void anchor_add_node(struct ashlar_row *row, const struct kmem_cache_node *n)
{
	row->slabs += READ_ONCE(n->slabs);
	row->slabs_peak += READ_ONCE(n->slabs_peak);
	row->slabs_empty += READ_ONCE(n->empty_slabs);
	row->slabs_grown += READ_ONCE(n->grown);
	row->objects_free += READ_ONCE(n->free_objects);
	row->objects_shared += READ_ONCE(n->shared_avail);
	row->objects_pending += READ_ONCE(n->pending);
}

bool anchor_row(u32 id, struct ashlar_row *row)
{
	const struct kmem_cache_node *n = LOAD_ACQUIRE(map_ids[id].node);
	const struct kmem_cache *c;

	if (!n || n->node != 0)
		return false;
	c = n->cache;
	*row = (struct ashlar_row){
		.objects_array = array_count(c),
		.object_size = c->object_size,
		.stride = c->shape.stride,
		.objects = c->shape.objects,
		.order = c->shape.order,
		.align = c->align,
		.limit = c->limit,
		.batchcount = c->batchcount,
		.shared_factor = c->shared_factor,
		.slabs_full = READ_ONCE(n->full_slabs),
		.ctor = (uintptr_t)c->ctor,
		.flags = c->flags,
		.debug = c->debug.flags,
		.taken = READ_ONCE(n->taken),
		.taken_peak = READ_ONCE(n->taken_peak),
		.free_peak = READ_ONCE(n->free_peak),
		.counted = READ_ONCE(c->counts.on),
		.alloc_hit = READ_ONCE(c->counts.alloc_hit),
		.alloc_miss = READ_ONCE(c->counts.alloc_miss),
		.free_hit = READ_ONCE(c->counts.free_hit),
		.free_miss = READ_ONCE(c->counts.free_miss),
		.errors = READ_ONCE(c->counts.errors),
		.far_allocs = READ_ONCE(c->counts.far_allocs),
		.far_frees = READ_ONCE(c->counts.far_frees),
		.overflows = READ_ONCE(c->counts.overflows),
		.objects_guarded = READ_ONCE(c->counts.guarded),
	};
	for (unsigned node = 0; node < node_table.count; node++)
		anchor_add_node(row, &c->node[node]);
	anchor_text(row->name, sizeof(row->name), c->name);
	return true;
}
