/* SPDX-License-Identifier: MIT */
/*
 * stamp.h - objects that carry a stamp in every byte, for the outside tests
 *
 * What    stamp_new() allocates and fills an object, stamp_check() verifies each byte,
 *         stamp_free() verifies and frees it.
 * Why     Two owners of one object, a page given back too early, a lost copy in
 *         realloc: each shows as a byte that is not the one the owner wrote.
 * Rules   A stamp depends on the seed alone, so an object may be handed to another
 *         thread or process and be verified there.
 */
#ifndef ASHLAR_TEST_STAMP_H
#define ASHLAR_TEST_STAMP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stamp {
	unsigned char *p; /* the object, NULL if the slot is empty */
	size_t size;
	uint64_t seed;
};

/* How often: @usual, a quarter of it in the quick tests, four times in the soak. */
static inline int stamp_rounds(int usual)
{
	const char *text = getenv("ASHLAR_TEST");

	if (text && !strcmp(text, "soak"))
		return usual * 4;
	return text && !strcmp(text, "quick") ? usual / 4 : usual;
}

/* Die without stdio: the heap may be broken. */
static inline void stamp_die(const char *what)
{
	if (write(2, what, strlen(what)) < 0 || write(2, "\n", 1) < 0)
		_exit(99);
	abort();
}

static inline uint64_t stamp_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static inline uint64_t stamp_word(uint64_t seed, size_t i)
{
	return (seed + i) * 0x9e3779b97f4a7c15u;
}

static inline void stamp_fill(void *p, size_t size, uint64_t seed)
{
	size_t i;
	uint64_t w;

	for (i = 0; i + 8 <= size; i += 8) {
		w = stamp_word(seed, i);
		memcpy((char *)p + i, &w, 8);
	}
	w = stamp_word(seed, i);
	memcpy((char *)p + i, &w, size - i);
}

static inline int stamp_holds(const void *p, size_t size, uint64_t seed)
{
	size_t i;
	uint64_t w;

	for (i = 0; i + 8 <= size; i += 8) {
		w = stamp_word(seed, i);
		if (memcmp((const char *)p + i, &w, 8))
			return 0;
	}
	w = stamp_word(seed, i);
	return !memcmp((const char *)p + i, &w, size - i);
}

static inline void stamp_check(const struct stamp *s)
{
	if (s->p && !stamp_holds(s->p, s->size, s->seed))
		stamp_die("stamp: an object was changed by somebody else");
}

static inline void stamp_new(struct stamp *s, size_t size, uint64_t seed)
{
	s->p = malloc(size);
	if (!s->p)
		stamp_die("stamp: out of memory");
	s->size = size;
	s->seed = seed;
	stamp_fill(s->p, size, seed);
}

static inline void stamp_free(struct stamp *s)
{
	stamp_check(s);
	free(s->p);
	s->p = NULL;
}

/* Mostly small, sometimes some KiB, seldom some hundred KiB: as programs do. */
static inline size_t stamp_size(uint64_t *random)
{
	uint64_t r = stamp_random(random);

	if (r % 1024 == 0)
		return 1 + (r >> 20) % (300 << 10);
	if (r % 16 == 0)
		return 1 + (r >> 20) % (8 << 10);
	return 1 + (r >> 20) % 400;
}

/* One step of a life: free (verified) what the slot holds, or fill it. */
static inline void stamp_step(struct stamp *slots, size_t n, uint64_t *random)
{
	struct stamp *s = &slots[stamp_random(random) % n];
	size_t size;

	if (s->p && *random % 4 == 0) {
		size = stamp_size(random);
		stamp_check(s);
		s->p = realloc(s->p, size);
		if (!s->p)
			stamp_die("stamp: out of memory");
		if (!stamp_holds(s->p, (size < s->size ? size : s->size) & ~(size_t)7, s->seed))
			stamp_die("stamp: realloc lost the content");
		s->size = size;
		stamp_fill(s->p, size, s->seed);
	} else if (s->p) {
		stamp_free(s);
	} else {
		stamp_new(s, stamp_size(random), *random);
	}
}

#endif
