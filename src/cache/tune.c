/* SPDX-License-Identifier: MIT */
/*
 * tune.c - how much the arrays hold: changed while a cache is in use, and by age
 *
 * What    kmem_cache_tune sets limit, batchcount and shared of a cache, also in the form of text
 *         that /proc/slabinfo takes; tune_cpu_came counts a CPU that has just appeared.
 *         kmem_cache_reap is one tick of the reaper: what nobody has touched since the last
 *         tick goes back by a fifth. There is no thread and no clock: the tick comes when
 *         slabs are made, for one cache in turn, or from the caller.
 * Why     Linux 6.1 mm/slab.c: do_tune_cpucache and cache_reap, whose timer held CPUs up.
 * Rules   TU1 limit is 1 .. 120, batchcount 1 .. limit; other values change nothing
 *         TU2 after a change no array has more than its new limit, no shared array more than
 *             shared * batchcount, and free_limit is (1 + CPUs of the node) * batchcount + objects
 *         TU3 a tick takes from each array that was not touched since the last one the oldest
 *             fifth of its limit, at most half; from one alien array of each CPU all
 *         TU4 every second tick takes a fifth of an untouched shared array, and, if no empty
 *             slab was used since, a fifth of free_limit in empty slabs, the longest empty first
 */
#include "cache/array.h"
#include "cache/cache.h"
#include "cache/init.h"
#include "cache/option.h"
#include "cache/reclaim.h"
#include "page/node.h"

#define TUNE_EINVAL (-22)
#define TUNE_EBUSY (-16)
#define TUNE_TEXT_MAX 128u /* bytes of a line for slabinfo */

/* ---- tuning --------------------------------------------------------------------- */

static size_t tune_free_limit(const struct kmem_cache_node *n)
{
	const struct kmem_cache *c = n->cache;

	return (1 + array_cpus_on(n->node)) * (size_t)READ_ONCE(c->batchcount) + c->shape.objects;
}

/* TU2 for one node. */
static void tune_node(struct kmem_cache_node *n)
{
	size_t shared = (size_t)n->cache->shared_factor * n->cache->batchcount;
	struct list emptied;

	list_init(&emptied);
	slab_tune(n, (u32)size_min(shared, PAGE_SIZE / sizeof(void *)), tune_free_limit(n),
		  &emptied);
	if (!list_is_empty(&emptied))
		reclaim_release(&emptied);
}

void tune_share(struct kmem_cache_node *n)
{
	u32 limit = (u32)n->cache->shared_factor * n->cache->batchcount;
	bool zero;
	struct page *head;

	if (limit == 0 || READ_ONCE(n->shared))
		return;
	head = page_alloc(0, GFP_KERNEL, n->node, &zero);
	if (!head)
		return;
	head->kind = PAGE_TABLE;
	slab_lock(n);
	if (!n->shared) {
		WRITE_ONCE(n->shared, map_page_address(head));
		n->shared_limit = (u32)size_min(limit, PAGE_SIZE / sizeof(void *));
		head = NULL;
	}
	lock_release(&n->lock);
	if (head)
		page_free(head, 0);
}

int kmem_cache_tune(struct kmem_cache *c, unsigned int limit, unsigned int batchcount,
		    unsigned int shared)
{
	bool done;

	if (c)
		cache_check(c, "kmem_cache_tune");
	if (!c || c->debug.slow || c->limit == 0 || limit < 1 || limit > CONFIG_BATCH_MAX ||
	    batchcount < 1 || batchcount > limit || shared > UINT16_MAX)
		return TUNE_EINVAL; /* TU1 */
	WRITE_ONCE(c->batchcount, (u16)size_min(batchcount, READ_ONCE(c->batchcount)));
	WRITE_ONCE(c->limit, (u16)limit); /* at no moment below batchcount */
	WRITE_ONCE(c->batchcount, (u16)batchcount);
	WRITE_ONCE(c->shared_factor, (u16)shared);
	done = array_retune(c);
	for (unsigned node = 0; node < node_table.count; node++)
		tune_node(&c->node[node]);
	return done ? 0 : TUNE_EBUSY;
}

void tune_cpu_came(void)
{
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		slab_set_free_limit(n, tune_free_limit(n));
		cache_leave(n);
	}
}

/* ---- the text of slabinfo --------------------------------------------------------- */

struct tune_line {
	const char *at;
	const char *end;
};

static size_t tune_word(struct tune_line *l, const char **word)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t'))
		l->at++;
	*word = l->at;
	while (l->at < l->end && *l->at != ' ' && *l->at != '\t' && *l->at != '\n')
		l->at++;
	return (size_t)(l->at - *word);
}

/* A decimal number, perhaps with a sign; false iff there is none. */
static bool tune_number(struct tune_line *l, long *number)
{
	const char *s;
	size_t length = tune_word(l, &s);
	bool minus = length > 1 && *s == '-';
	long n = 0;

	if (length == 0 || length > 9)
		return false;
	for (size_t i = minus; i < length; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		n = n * 10 + (s[i] - '0');
	}
	*number = minus ? -n : n;
	return true;
}

/* Is it shown under this name? Where @name has a blank, slabinfo has '_'. */
static bool tune_is_shown(const char *shown, size_t length, const char *name)
{
	size_t i = 0;

	while (i < length && name[i] && shown[i] == (name[i] == ' ' ? '_' : name[i]))
		i++;
	return i == length && !name[i];
}

/* The cache that has this name there, visited; NULL iff there is none. */
static struct kmem_cache_node *tune_find(const char *name, size_t length)
{
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		if (n->node == 0 && tune_is_shown(name, length, n->cache->name))
			return n;
		cache_leave(n);
	}
	return NULL;
}

long ashlar_slabinfo_write(const char *text, size_t bytes)
{
	struct tune_line l = { text, text + bytes };
	struct kmem_cache_node *n;
	const char *name;
	size_t length;
	long limit;
	long batchcount;
	long shared;

	if (bytes > TUNE_TEXT_MAX || !init_ready())
		return TUNE_EINVAL;
	length = tune_word(&l, &name);
	if (length == 0 || !tune_number(&l, &limit) || !tune_number(&l, &batchcount) ||
	    !tune_number(&l, &shared))
		return TUNE_EINVAL;
	n = tune_find(name, length);
	if (!n)
		return TUNE_EINVAL;
	if (limit >= 1 && batchcount >= 1 && batchcount <= limit && shared >= 0) {
		limit = (long)size_min((size_t)limit, CONFIG_BATCH_MAX);
		kmem_cache_tune(n->cache, (unsigned)limit,
				(unsigned)size_min((size_t)batchcount, (size_t)limit),
				(unsigned)size_min((size_t)shared, UINT16_MAX));
	}
	cache_leave(n);
	return (long)bytes;
}

/* ---- age -------------------------------------------------------------------------- */

static u32 tune_turn; /* ticks of single caches, ever: whose turn it is */

/* TU3, TU4 */
static void tune_reap(struct kmem_cache *c)
{
	struct list emptied;

	list_init(&emptied);
	array_reap(c);
	for (unsigned node = 0; node < node_table.count; node++)
		slab_reap(&c->node[node], &emptied);
	if (!list_is_empty(&emptied))
		reclaim_release(&emptied);
}

void kmem_cache_reap(void)
{
	if (!init_ready())
		return;
	for (u32 id = 1; id < CONFIG_MAX_IDS; id++) {
		struct kmem_cache_node *n = cache_visit(id);

		if (!n)
			continue;
		if (n->node == 0)
			tune_reap(n->cache);
		cache_leave(n);
	}
}

/* The next cache that has slabs; the ids are looked through once at most. */
void tune_tick(void)
{
	u32 end = cache_ids_end();

	for (u32 i = 0; i < end; i++) {
		u32 id = __atomic_add_fetch(&tune_turn, 1, __ATOMIC_RELAXED) % end;
		struct kmem_cache_node *n = cache_visit(id);
		bool found = n && n->node == 0 && READ_ONCE(n->grown);

		if (found)
			tune_reap(n->cache);
		if (n)
			cache_leave(n);
		if (found)
			return;
	}
}
