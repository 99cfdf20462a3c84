/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - memory that readers may still look at
 *
 * What    Frees that wait until every reader who could have seen the object has left, on
 *         whichever RCU the program has: it binds liburcu, or a kernel its own, through five
 *         functions. kfree_rcu frees an object after a grace period; a cache made with
 *         SLAB_TYPESAFE_BY_RCU reuses objects at once, but its pages stay what they are until
 *         one has passed. (On slob each object stays until one has passed.)
 * Context Any thread that may call the bound RCU's call_rcu; not signal handlers.
 * Source  Linux Documentation/RCU/; Desnoyers et al., "User-Level Implementations of
 *         Read-Copy Update" (IEEE TPDS 2012)
 */
#ifndef ASHLAR_RCU_H
#define ASHLAR_RCU_H

#include "ashlar/slab.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Two words inside an object: what kfree_rcu and the bound call_rcu need. liburcu's and Linux's
 * struct rcu_head have this size, and serve as well. */
struct ashlar_rcu_head {
	void *reserved[2];
};

/*
 * What Ashlar needs of an RCU. All but read_lock and read_unlock are called without any of
 * Ashlar's locks. None may be NULL.
 */
struct ashlar_rcu_ops {
	/* A reader's section begins, ends. */
	void (*read_lock)(void);
	void (*read_unlock)(void);
	/* Call @func(@head) after a grace period, from any thread; does not wait. */
	void (*call)(struct ashlar_rcu_head *head, void (*func)(struct ashlar_rcu_head *head));
	/* Wait for a grace period. */
	void (*synchronize)(void);
	/* Wait until everything that was given to call() before has been called. */
	void (*barrier)(void);
};

/*
 * Use this RCU from now on. @ops must stay. Call it once, before the first cache or object that
 * needs it. Returns 0; -EINVAL (-22) if a function is missing; -EBUSY (-16) if another is bound.
 */
ASHLAR_API int ashlar_rcu_bind(const struct ashlar_rcu_ops *ops);

/* The bound RCU's, for code that is used with more than one. */
ASHLAR_API void ashlar_rcu_read_lock(void);
ASHLAR_API void ashlar_rcu_read_unlock(void);

/*
 * Free @p, a block of kmalloc, kvmalloc or any cache, after a grace period. @head is two words
 * inside of it. Does not wait and cannot fail. A second free before is reported. Without a bound
 * RCU the program ends.
 */
ASHLAR_API void ashlar_kvfree_call_rcu(void *head, void *p);

/* The same for blocks without such a place. It may wait for a grace period: not for readers. */
ASHLAR_API void ashlar_kvfree_rcu_mightsleep(void *p);

/* Wait until all that was given to these functions before, and all slabs that were released (on
 * slob: objects of SLAB_TYPESAFE_BY_RCU caches that were freed) before, has been freed. Not for
 * readers. */
ASHLAR_API void ashlar_rcu_barrier(void);

/* Blocks and slabs that wait for their grace period at this moment. */
ASHLAR_API size_t ashlar_rcu_pending(void);

#ifndef ASHLAR_NO_SHORT_NAMES

/* kfree_rcu(p, field): @field of *p is a struct ashlar_rcu_head, or two words as good. NULL is
 * ignored. */
#define kvfree_rcu(p, field)                                                              \
	do {                                                                              \
		__typeof__(p) block_ = (p);                                               \
		/* two words, or this is no array */                                      \
		(void)sizeof(char[sizeof(block_->field) >= 2 * sizeof(void *) ? 1 : -1]); \
		if (block_)                                                               \
			ashlar_kvfree_call_rcu((void *)&block_->field, (void *)block_);   \
	} while (0)
#define kfree_rcu(p, field) kvfree_rcu(p, field)

ASHLAR_API void kvfree_rcu_mightsleep(void *p) ASHLAR_LINK(ashlar_kvfree_rcu_mightsleep);
ASHLAR_API void kfree_rcu_mightsleep(void *p) ASHLAR_LINK(ashlar_kvfree_rcu_mightsleep);

#endif

#ifdef __cplusplus
}
#endif

#endif
