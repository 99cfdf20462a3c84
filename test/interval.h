/* SPDX-License-Identifier: MIT */
/*
 * interval.h - bytes become work on the public interface, checked against intervals
 *
 * What    Every byte string is a program: allocate, free, resize, change the CPU. The model is the
 *         list of live intervals with a stamp; no two overlap, contents stay, sizes and
 *         alignments hold, and the audit finds nothing. Some of it is for who pays (account.h):
 *         nobody, unless the test has set a group.
 * Why     One model for both engines, for random tests and for libFuzzer: it speaks of slab.h
 *         only.
 */
#ifndef ASHLAR_TEST_INTERVAL_H
#define ASHLAR_TEST_INTERVAL_H

#include "ashlar/slab.h"
#include "sim_help.h"

#define INTERVAL_BLOCKS 200u
#define INTERVAL_CACHES 4u

struct interval {
	unsigned char *start;
	size_t bytes;
	unsigned cache; /* index + 1; 0: kmalloc's */
	unsigned char stamp;
};

struct interval_run {
	const uint8_t *data;
	size_t left;
	size_t largest; /* bytes of an allocation at most */
	struct interval blocks[INTERVAL_BLOCKS];
	unsigned live;
	unsigned char stamps;
	struct kmem_cache *caches[INTERVAL_CACHES];
	unsigned sizes[INTERVAL_CACHES];
	const char *fault; /* what was wrong, NULL: nothing */
};

static inline unsigned interval_byte(struct interval_run *r)
{
	if (!r->left)
		return 0;
	r->left--;
	return *r->data++;
}

static inline void interval_expect(struct interval_run *r, bool ok, const char *what)
{
	if (!ok && !r->fault)
		r->fault = what;
}

/* Small sizes often, each magnitude sometimes. */
static inline size_t interval_size(struct interval_run *r)
{
	unsigned how = interval_byte(r);
	size_t size = 1 + interval_byte(r);

	if (how < 64)
		size <<= how % 12;
	else if (how < 128)
		size = size * 16 + how;
	return size > r->largest ? 1 + size % r->largest : size;
}

/* The first and the last bytes: cheap, and where damage begins. */
static inline void interval_stamp(const struct interval *b)
{
	size_t n = b->bytes < 16 ? b->bytes : 16;

	memset(b->start, b->stamp, n);
	memset(b->start + b->bytes - n, b->stamp, n);
}

static inline bool interval_is_stamped(const struct interval *b, size_t bytes)
{
	size_t n = b->bytes < 16 ? b->bytes : 16;

	for (size_t i = 0; i < n; i++)
		if ((i < bytes && b->start[i] != b->stamp) ||
		    (bytes == b->bytes && b->start[bytes - 1 - i] != b->stamp))
			return false;
	return true;
}

static inline void interval_enter(struct interval_run *r, void *p, size_t bytes, unsigned cache)
{
	unsigned char *start = p;

	for (unsigned i = 0; i < r->live; i++)
		interval_expect(r,
				start + bytes <= r->blocks[i].start ||
					r->blocks[i].start + r->blocks[i].bytes <= start,
				"two live blocks overlap");
	r->blocks[r->live] = (struct interval){ start, bytes, cache, ++r->stamps };
	interval_stamp(&r->blocks[r->live++]);
}

static inline void interval_alloc(struct interval_run *r)
{
	size_t size = interval_size(r);
	unsigned how = interval_byte(r);
	gfp_t gfp = (how & 1 ? GFP_KERNEL : GFP_ATOMIC) | (how & 4 ? __GFP_ACCOUNT : 0);
	unsigned char *p = ashlar_kmalloc(size, gfp | (how & 2 ? __GFP_ZERO : 0));

	if (!p)
		return;
	interval_expect(r, ksize(p) >= size, "less than was asked for");
	interval_expect(r, (uintptr_t)p % sizeof(long long) == 0, "not aligned");
	if (!(size & (size - 1)) && size <= 256)
		interval_expect(r, (uintptr_t)p % size == 0, "a power of two is not aligned to it");
	for (size_t i = 0; (how & 2) && i < size; i++)
		interval_expect(r, !p[i], "not zero");
	interval_enter(r, p, ksize(p), 0);
}

static inline void interval_object(struct interval_run *r)
{
	unsigned which = interval_byte(r) % INTERVAL_CACHES;
	void *p = r->caches[which] ? kmem_cache_alloc(r->caches[which], GFP_KERNEL) : NULL;

	if (p)
		interval_enter(r, p, r->sizes[which], which + 1);
}

static inline void interval_free(struct interval_run *r)
{
	unsigned which = interval_byte(r);
	struct interval b;

	if (!r->live)
		return;
	which %= r->live;
	b = r->blocks[which];
	r->blocks[which] = r->blocks[--r->live];
	interval_expect(r, interval_is_stamped(&b, b.bytes), "contents have changed");
	if (b.cache && interval_byte(r) % 2)
		kmem_cache_free(r->caches[b.cache - 1], b.start);
	else
		kfree(b.start);
}

static inline void interval_resize(struct interval_run *r)
{
	unsigned which = interval_byte(r);
	size_t size = interval_size(r);
	struct interval b;
	void *p;

	if (!r->live)
		return;
	which %= r->live;
	b = r->blocks[which];
	if (b.cache)
		return;
	interval_expect(r, interval_is_stamped(&b, b.bytes), "contents have changed");
	r->blocks[which] = r->blocks[--r->live];
	p = krealloc(b.start, size, size % 3 ? GFP_KERNEL : GFP_KERNEL_ACCOUNT);
	if (!p) {
		r->blocks[r->live++] = b;
		return;
	}
	b.start = p;
	interval_expect(r, ksize(p) >= size, "less than was asked for");
	interval_expect(r, interval_is_stamped(&b, size < b.bytes ? size : b.bytes),
			"a resize lost the contents");
	interval_enter(r, p, ksize(p), 0);
}

static inline void interval_step(struct interval_run *r)
{
	unsigned kind = interval_byte(r);

	if (r->live == INTERVAL_BLOCKS || kind < 90)
		interval_free(r);
	else if (kind < 180)
		interval_alloc(r);
	else if (kind < 220)
		interval_object(r);
	else if (kind < 245)
		interval_resize(r);
	else
		sim.cpu = kind % sim.cpus;
}

/* Do what @data says, on an Ashlar that has started. NULL iff all was right; else what was not. */
static inline const char *interval_run(struct interval_run *r, const uint8_t *data, size_t size,
				       size_t largest)
{
	static const unsigned sizes[INTERVAL_CACHES] = { 6, 40, 100, 300 };

	*r = (struct interval_run){ .data = data, .left = size, .largest = largest };
	for (unsigned i = 0; i < INTERVAL_CACHES; i++) {
		r->sizes[i] = sizes[i];
		r->caches[i] = kmem_cache_create("interval", sizes[i], i == 0 ? 2 : 0,
						 i == 1 ? SLAB_ACCOUNT : 0, NULL);
	}
	for (unsigned n = 1; r->left && !r->fault; n++) {
		interval_step(r);
		if (n % 32 == 0)
			interval_expect(r, ashlar_audit() == 0, "the audit finds a fault");
	}
	interval_expect(r, ashlar_audit() == 0, "the audit finds a fault");
	while (r->live && !r->fault)
		interval_free(r);
	for (unsigned i = 0; i < INTERVAL_CACHES; i++)
		kmem_cache_destroy(r->caches[i]);
	interval_expect(r, ashlar_audit() == 0, "the audit finds a fault at the end");
	return r->fault;
}

#endif
