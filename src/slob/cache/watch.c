/* SPDX-License-Identifier: MIT */
/*
 * watch.c - options of debugging on slob: what it has, and what is refused with the reason
 *
 * What    Every free walks its page in any case, which is what letter F asks for; allocations
 *         can be made to fail (cache/fault.h), by letter A for caches by their names. Single
 *         caches have no room beside their objects for red zones, owners and poison, and there
 *         are no arrays to be tuned, counted or shuffled.
 * State   watch_failing: some call may have to fail
 */
#include "cache/watch.h"
#include "ashlar/debug.h"
#include "base/text.h"
#include "cache/block.h"
#include "cache/cache.h"
#include "cache/fault.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/letters.h"
#include "cache/option.h"
#include "cache/report.h"

#define WATCH_EINVAL (-22)
#define WATCH_HAS (SLAB_CONSISTENCY_CHECKS | SLAB_FAILSLAB)

bool watch_failing;

static void watch_refuse(const char *option, const char *why)
{
	report_refusal(PORT_OPTIONS_NAME, option, why);
}

void watch_start(void)
{
	if (letters_any(options.slab_debug) & SLAB_DEBUG_FLAGS & ~WATCH_HAS)
		watch_refuse("slab_debug",
			     "slob has no room beside objects for Z P U T: F (always on) "
			     "and A can be had");
	if (options.random_seq)
		watch_refuse("random_seq", "slob gives the first gap that is large enough");
	if (options.fake_numa)
		watch_refuse("fake_numa", "slob's nodes are those of its regions");
	if (options.soft_limit)
		watch_refuse("soft_limit", "slob keeps what keep= says, and caches nothing");
	if (options.slab_merge)
		watch_refuse("slab_merge", "slob's caches share all pages as it is");
	if (options.guard)
		watch_refuse("guard", "slob cuts all objects from the same pages");
	if (options.stats)
		watch_refuse("stats", "slob has no arrays that could hit or miss");
	fault_init();
	fault_spread();
}

int fault_spread(void)
{
	WRITE_ONCE(watch_failing, fault_is_set());
	return 0;
}

/* FT1: by the name of its cache, or of the one that the slab engine would have. */
bool watch_strikes(const struct kmem_cache *c, size_t size, gfp_t gfp)
{
	const char *name;
	struct text t;

	if (!c && (size == 0 || size > CONFIG_KMALLOC_MAX_CACHE))
		return fault_large && fault_strikes(NULL, size, gfp);
	if (!c)
		kmalloc_class_name(&t, "kmalloc-", kmalloc_class_size(ashlar_kmalloc_class(size)));
	name = c ? c->name : t.bytes;
	if (!((fault_flags(name) | letters_flags(options.slab_debug, name)) & SLAB_FAILSLAB))
		return false;
	return fault_strikes(name, size, gfp);
}

/* ---- single caches, while the program runs ------------------------------------------- */

int ashlar_kmem_cache_debug(struct kmem_cache *c, const char *letters)
{
	size_t length = 0;
	u32 flags = 0;

	cache_check(c, "kmem_cache_debug");
	while (letters && letters[length])
		length++;
	if (!init_ready() || (length && !letters_read(letters, length, &flags)))
		return WATCH_EINVAL;
	if (!(flags & ~SLAB_CONSISTENCY_CHECKS))
		return 0;
	report_refusal("kmem_cache_debug", kmalloc_class_of(c) ? "kmalloc" : c->name,
		       "slob has no room beside objects for Z P U T; F is always on");
	return WATCH_EINVAL;
}

int ashlar_slab_debug(const char *setting)
{
	const char *text = setting ? setting : "";

	if (!init_ready())
		return WATCH_EINVAL;
	if (letters_any(text) & SLAB_DEBUG_FLAGS & ~WATCH_HAS) {
		report_refusal("ashlar_slab_debug", text,
			       "slob has no room beside objects for Z P U T");
		return WATCH_EINVAL;
	}
	if (!option_set_debug(text))
		return WATCH_EINVAL;
	fault_set_lettered(false);
	return fault_spread();
}

/* Every object of every cache: what a write beyond one damages first is the next header. */
int ashlar_kmem_cache_validate(struct kmem_cache *c)
{
	cache_check(c, "kmem_cache_validate");
	return init_ready() ? (int)size_min(ashlar_audit(), INT32_MAX) : 0;
}

bool ashlar_kmem_dump_obj(const void *p)
{
	const char *start;
	struct kmem_cache *c;
	size_t bytes;
	enum slob_found found;
	struct text t;

	if (!pages_zone(p))
		return false;
	found = block_extent(p, &start, &bytes, &c);
	if (found != SLOB_USED && found != SLOB_INSIDE)
		return false;
	text_init(&t);
	text_str(&t, "ashlar: object ");
	text_pointer(&t, start);
	text_str(&t, " of ");
	text_str(&t, c ? c->name : "kmalloc");
	text_str(&t, ", ");
	text_dec(&t, bytes);
	text_str(&t, " bytes\n");
	text_print(&t);
	return true;
}
