/* SPDX-License-Identifier: MIT */
/*
 * inspect.c - see inspect.h: comparing, and walks over a cache's slabs
 *
 * See     dossier.c for what a report says
 */
#include "cache/inspect.h"
#include "base/check.h"
#include "cache/cache.h"
#include "cache/dossier.h"
#include "page/map.h"

/* Compare [from, end) with one byte; true iff all are as they should be. */
static bool inspect_range(struct dossier *f, const char *from, const char *end,
			  enum debug_byte want)
{
	f->wrong = 0;
	for (const char *at = from; at < end; at++) {
		if ((u8)*at == (u8)want)
			continue;
		if (f->wrong++ == 0) {
			f->at = (const u8 *)at;
			f->want = (u8)want;
			f->bits = (u8)((u8)*at ^ (u8)want);
		}
	}
	return f->wrong == 0;
}

static bool inspect_say(struct dossier *f, enum dossier_kind kind)
{
	f->kind = kind;
	return false;
}

/* DB1 */
static bool inspect_red(const struct kmem_cache *c, const char *p, bool active, struct dossier *f)
{
	enum debug_byte red = active ? DEBUG_RED_ACTIVE : DEBUG_RED_INACTIVE;
	size_t size = active ? debug_size(c, p) : c->object_size;

	if (!c->debug.red)
		return true;
	if (!inspect_range(f, p + size, p + c->debug.size_at, red))
		return inspect_say(f, active ? DOSSIER_OVERFLOW : DOSSIER_FREE_OVERFLOW);
	if (!inspect_range(f, p - c->debug.red, p, red))
		return inspect_say(f, active ? DOSSIER_UNDERFLOW : DOSSIER_FREE_UNDERFLOW);
	return true;
}

/* DB2 */
static bool inspect_poison(const struct kmem_cache *c, const char *p, struct dossier *f)
{
	const char *last = p + c->object_size - 1;

	if (!(c->debug.flags & SLAB_POISON))
		return true;
	if (!inspect_range(f, p, last, DEBUG_FREE) || !inspect_range(f, last, last + 1, DEBUG_END))
		return inspect_say(f, DOSSIER_WRITTEN_FREE);
	return true;
}

/* F: the padding behind, and the slab's own record of the object. */
static bool inspect_sanity(const struct kmem_cache *c, const char *p, struct dossier *f)
{
	const char *end = p + c->shape.stride - c->debug.red;
	const struct kmem_cache_node *n = cache_node_at(map.ids[map_pfn(p)]);
	struct slab_object o;

	if (!(c->debug.flags & SLAB_CONSISTENCY_CHECKS))
		return true;
	if (c->debug.size_at && !inspect_range(f, p + c->debug.end, end, DEBUG_IN_USE))
		return inspect_say(f, DOSSIER_PADDING);
	f->at = (const u8 *)p;
	f->wrong = 0;
	if (!n || n->cache != c || !slab_find(n, p, &o) || o.start != p || o.free)
		return inspect_say(f, DOSSIER_SLAB);
	return true;
}

static bool inspect_object(const struct kmem_cache *c, const char *p, bool active,
			   struct dossier *f)
{
	*f = (struct dossier){ .cache = c, .object = p, .active = active };
	return inspect_red(c, p, active, f) && (active || inspect_poison(c, p, f));
}

void inspect_expect(const struct kmem_cache *c, void *p, bool active, const char *moment)
{
	struct dossier f;

	if (likely(inspect_object(c, p, active, &f) && inspect_sanity(c, p, &f)))
		return;
	f.moment = moment;
	dossier_print(&f);
	check_end(); /* IN1 */
}

void inspect_slab(const struct kmem_cache *c, struct page *head)
{
	char *p = slab_first(&c->shape, head);
	struct dossier f;

	for (unsigned i = 0; i < c->shape.objects; i++, p += c->shape.stride) {
		if (inspect_object(c, p, false, &f))
			continue;
		f.moment = "the end of its slab";
		dossier_print(&f);
		check_end();
	}
}

/* ---- walks ------------------------------------------------------------------------------- */

/* The next slab of @c at or after page *@pfn, which moves on; NULL: there is none. Owners are
 * compared, not looked into: what is seen without a lock may be of the past. */
static struct page *inspect_next(const struct kmem_cache *c, size_t *pfn)
{
	size_t end = READ_ONCE(map.granules) >> (PAGE_SHIFT - GRANULE_SHIFT);

	for (; *pfn < end; ++*pfn) {
		struct page *head = &map.pages[*pfn];

		if (map_is_known(*pfn) && READ_ONCE(head->kind) == PAGE_SLAB &&
		    cache_has_node(c, READ_ONCE(head->owner))) {
			*pfn += (size_t)1 << c->shape.order;
			return head;
		}
	}
	return NULL;
}

static bool inspect_is_in_use(const char *p)
{
	return LOAD_ACQUIRE(*map_state(p)) == map_state_in_use(p);
}

/* Is the object wrong? Neither in use nor in the slab: somebody has it in hand (IN3). */
static bool inspect_is_wrong(const struct kmem_cache_node *n, const char *p, struct dossier *f)
{
	struct slab_object o;

	if (!inspect_is_in_use(p))
		return slab_find(n, p, &o) && o.free && !inspect_object(n->cache, p, false, f);
	for (unsigned look = 0; look < 2; look++)
		if (inspect_object(n->cache, p, true, f) || !inspect_is_in_use(p))
			return false;
	return true;
}

/* The first object that is wrong, of number *@i or later; *@i moves behind it. */
static bool inspect_find_wrong(struct page *head, unsigned *i, struct dossier *f)
{
	struct kmem_cache_node *n = head->owner;
	const struct shape *s = n->shape;
	bool found = false;

	slab_lock(n);
	for (; !found && head->kind == PAGE_SLAB && head->owner == n && *i < s->objects; ++*i)
		found = inspect_is_wrong(n, slab_first(s, head) + (size_t)*i * s->stride, f);
	lock_release(&n->lock);
	return found;
}

size_t inspect_cache(const struct kmem_cache *c)
{
	size_t wrong = 0;
	size_t pfn = 0;

	if (!c->debug.flags)
		return 0;
	for (struct page *head = inspect_next(c, &pfn); head; head = inspect_next(c, &pfn)) {
		struct dossier f;

		for (unsigned i = 0; inspect_find_wrong(head, &i, &f); wrong++) {
			f.moment = "validation";
			dossier_print(&f); /* IN2 */
		}
	}
	return wrong;
}

void inspect_leaks(const struct kmem_cache *c)
{
	struct dossier_leaks leaks = { .cache = c };
	size_t pfn = 0;

	if (!c->debug.track_at)
		return;
	for (struct page *head = inspect_next(c, &pfn); head; head = inspect_next(c, &pfn)) {
		char *p = slab_first(&c->shape, head);

		for (unsigned i = 0; i < c->shape.objects; i++, p += c->shape.stride)
			if (inspect_is_in_use(p))
				dossier_add_leak(&leaks, p);
	}
	dossier_print_leaks(&leaks);
}
