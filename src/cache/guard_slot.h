/* SPDX-License-Identifier: MIT */
/*
 * guard_slot.h - what is known of a guarded object, for those who tell of it
 */
#ifndef ASHLAR_CACHE_GUARD_SLOT_H
#define ASHLAR_CACHE_GUARD_SLOT_H

#include "cache/cache.h"
#include "cache/guard.h"
#include "port/port.h"

struct text;

enum guard_state {
	GUARD_FREE,    /* closed, or about to be */
	GUARD_IN_USE,  /* an object is in it */
	GUARD_HELD,    /* the same, but it is nobody's (hold.h) */
	GUARD_PENDING, /* freed by who may not wait; closed later */
};

/* All but state belongs to who has the slot: who allocates or frees its object. */
struct guard_slot {
	u32 state;                 /* atomic: enum guard_state */
	u32 size;                  /* bytes that were asked for */
	char *start;               /* constant: of its room */
	char *object;              /* the one there is, or was last; NULL: there was none yet */
	struct kmem_cache *cache;  /* whose it is; NULL: it is free (GU5) */
	struct list link;          /* guard.lock: of the queue, while free; else of itself */
	struct guard_slot *next;   /* atomic: of those that are pending */
	char name[CACHE_NAME_MAX]; /* of the cache */
	struct port_trace taken;   /* who allocated it */
	struct port_trace given;   /* who freed it; frames and time 0: nobody */
};

/* The pool, for who is told of an address. */
struct guard_pool {
	char *start;       /* of the first closed room */
	size_t room_bytes; /* of a slot, and of what lies between two */
	u32 count;         /* slots */
	struct guard_slot *slots;
};
const struct guard_pool *guard_pool(void);

/* "  object   cats [0x1000 - 0x1064), guarded, in use". */
void guard_line(struct text *t, const struct guard_slot *s);

/* Say what is known of the slot that @p lies in; false iff there was no object in it yet. */
bool guard_describe(const struct guard_slot *s, const void *p);

/* Has its object been freed? */
static inline bool guard_is_free(const struct guard_slot *s)
{
	u32 state = LOAD_ACQUIRE(s->state);

	return state == GUARD_FREE || state == GUARD_PENDING;
}

#endif
