/* SPDX-License-Identifier: MIT */
/*
 * handover.pml - batches and slabs across the node's lock (src/engine/slab.c)
 *
 * What    A thread's private array refills from the node (slab_take) and
 *         flushes to it (slab_put). When the node has nothing, a block of pages
 *         is taken and made a slab without the lock (slab_prepare), and joins
 *         under it (slab_adopt). Emptied slabs above free_limit come out of
 *         slab_put as a list and go back to the page floor after the lock.
 *         slab_shrink empties the shared array and releases every empty slab.
 * Model   Private arrays are sets, touched by their thread only: stop.pml says
 *         why that is so. Objects are bits: slab s has objects s*OBJS ..
 *         s*OBJS+OBJS-1. The node's lock is one flag: lock.pml says why. Under
 *         the lock the code moves object by object, a step each.
 * Proved  H1  a block is given back to the page floor at most once
 *         H2  ... and never while an object of it is live, in an array, in the
 *             shared array, or in a batch
 *         H3  each object of a slab is in one place, and E1, E3 and E6 of
 *             engine.h hold, whenever the lock is free
 *         H4  after slab_put: free_objects <= free_limit, or no slab is empty
 *         H5  no dead end; one lock at a time
 * Bounds  NTHREAD threads, NSLAB blocks of OBJS objects, batches of 2, any
 *         number of rounds; any thread frees what any thread has allocated.
 * Faults  M_RELEASE_LINKED  the released slab stays on its list until the lock
 *                           has been dropped
 *         M_SHARED_IS_FREE  an object in the shared array counts as free in its
 *                           slab (against E6)
 *         M_EMPTY_LATER     whether the slab is empty is asked after the lock
 *         M_ADOPT_UNLOCKED  the fresh slab joins without the lock
 *         M_LIMIT_ONCE      slab_put releases one slab at most
 *         M_TWO_LOCKS       pages are given back under the node's lock
 *         NO_AUDIT drops H3, so that H1 and H2 can be seen to catch by themselves.
 */
#ifndef NTHREAD
#define NTHREAD	2
#endif
#ifndef NSLAB
#define NSLAB	2
#endif
#define OBJS	2
#define NOBJ	(NSLAB * OBJS)
#define BATCH	2
#ifndef ARRAY
#define ARRAY	3		/* most objects in a private array */
#endif
#ifndef FREE_LIMIT
#define FREE_LIMIT	1	/* objects */
#endif
#ifndef SHARED_LIMIT
#define SHARED_LIMIT	1
#endif
#define NOBODY	255

#define BIT(o)		(1 << (o))
#define SLAB(o)		((o) / OBJS)
#define FULL(s)		(((1 << OBJS) - 1) << ((s) * OBJS))	/* all bits of slab s */
#define COUNT(set)	(((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1) + \
			 (((set) >> 3) & 1) + (((set) >> 4) & 1) + (((set) >> 5) & 1))

/* struct kmem_cache_node */
byte lock = NOBODY;
byte shared;			/* set: the shared array */
byte bits;			/* set: all slabs' bitmaps side by side */
byte listed;			/* set of slabs on partial or empty */
byte joined;			/* set of slabs that are the node's */
byte free_objects;
byte empty_slabs;

/* The page floor */
byte pages_out;			/* set of blocks that have been handed out */

/* What the proof watches */
byte live;			/* set: objects the program has */
byte array[NTHREAD];		/* set: private arrays */
byte batch[NTHREAD];		/* set: on the way between array and node */
byte locks[NTHREAD];		/* locks held */

#define EMPTY(s)	((bits & FULL(s)) == FULL(s))
#define EVERYWHERE	(live | shared | array[0] | batch[0] | ARRAY1 | ARRAY2)
#if NTHREAD > 1
#define ARRAY1	(array[1] | batch[1])
#else
#define ARRAY1	0
#endif
#if NTHREAD > 2
#define ARRAY2	(array[2] | batch[2])
#else
#define ARRAY2	0
#endif

inline lock_acquire()
{
	atomic { lock == NOBODY -> lock = me; locks[me]++; assert(locks[me] == 1) }	/* H5 */
}

inline lock_release()
{
	atomic {
		assert(lock == me);
		audit();
		lock = NOBODY; locks[me]--
	}
}

/* H3: every object of a joined slab is in one place; E1, E3, E6. */
inline audit()
{
#ifdef NO_AUDIT
	skip
#else
	d_step {
		w = 0; w_sum = 0; w_empty = 0;
		do
		:: w < NSLAB ->
			if
			:: joined & BIT(w) ->
				w_sum = w_sum + COUNT(bits & FULL(w));
				if
				:: EMPTY(w) -> w_empty++
				:: else -> skip
				fi;
				assert(((listed & BIT(w)) != 0) == ((bits & FULL(w)) != 0));	/* E1 */
				assert(((bits | EVERYWHERE) & FULL(w)) == FULL(w));		/* H3 */
				assert((bits & EVERYWHERE & FULL(w)) == 0)			/* H3, E6 */
			:: else -> skip
			fi;
			w++
		:: else -> break
		od;
		assert(w_sum == free_objects && w_empty == empty_slabs);			/* E3 */
		assert(COUNT(shared) + COUNT(live) + COUNT(array[0] | batch[0]) + COUNT(ARRAY1) +
		       COUNT(ARRAY2) == COUNT(EVERYWHERE));					/* H3 */
		w = 0; w_sum = 0; w_empty = 0
	}
#endif
}

/* slab_take_bits for one object, slab_relist */
inline take_bit(o)
{
	if :: EMPTY(SLAB(o)) -> empty_slabs-- :: else -> skip fi;
	bits = bits & ~BIT(o);
	free_objects--;
	batch[me] = batch[me] | BIT(o);
	if
	:: (bits & FULL(SLAB(o))) == 0 -> listed = listed & ~BIT(SLAB(o))
	:: else -> skip
	fi
}

/* slab_put_bit, which CHECKs that the bit was clear */
inline put_bit(o)
{
	assert((joined & BIT(SLAB(o))) && !(bits & BIT(o)));
	bits = bits | BIT(o);
	free_objects++;
	listed = listed | BIT(SLAB(o));
	if :: EMPTY(SLAB(o)) -> empty_slabs++ :: else -> skip fi
}

/* slab_release: the slab leaves its list, the node and the sums, and waits in `emptied` */
inline detach(s)
{
	empty_slabs--;
	free_objects = free_objects - OBJS;
	emptied = emptied | BIT(s);
#ifndef M_RELEASE_LINKED
	listed = listed & ~BIT(s);
	joined = joined & ~BIT(s);
	bits = bits & ~FULL(s)
#endif
}

/* page_free: what the page floor would find broken */
inline page_free(s)
{
	atomic {
		assert(pages_out & BIT(s));						/* H1 */
		assert((EVERYWHERE & FULL(s)) == 0);					/* H2 */
		assert(locks[me] == 0);							/* H5 */
		pages_out = pages_out & ~BIT(s);
#ifdef M_RELEASE_LINKED
		listed = listed & ~BIT(s);
		joined = joined & ~BIT(s);
		bits = bits & ~FULL(s)
#endif
	}
}

proctype thread(byte me)
{
	byte o, s;		/* object, slab */
	byte emptied;		/* set: the list that slab_put and slab_shrink fill */
	byte w, w_sum, w_empty;

idle:
	atomic {
		o = 0; s = 0;
		if
		:: array[me] != 0 -> goto alloc
		:: array[me] == 0 -> goto refill
		:: live != 0 && COUNT(array[me]) < ARRAY -> goto free
		:: COUNT(array[me]) >= BATCH -> goto flush
		:: goto shrink
		fi
	};

alloc:	/* pop from the own array; the program has the object now */
	atomic {
		do
		:: (array[me] & BIT(o)) -> break
		:: !(array[me] & BIT(o)) -> o++
		od;
		array[me] = array[me] & ~BIT(o); live = live | BIT(o);
		goto idle
	};

free:	/* any live object, push to the own array */
	atomic {
		if
		:: (live & 1) -> o = 0
		:: (live & 2) -> o = 1
		:: (live & 4) -> o = 2
		:: (live & 8) -> o = 3
		:: (live & 16) -> o = 4
		:: (live & 32) -> o = 5
		fi;
		live = live & ~BIT(o); array[me] = array[me] | BIT(o);
		goto idle
	};

refill:	/* slab_take(n, end, BATCH) */
	lock_acquire();
	do
	:: COUNT(batch[me]) < BATCH && shared != 0 -> atomic {
		o = 0;
		do
		:: (shared & BIT(o)) -> break
		:: !(shared & BIT(o)) -> o++
		od;
#ifdef M_SHARED_IS_FREE
		take_bit(o);
#endif
		shared = shared & ~BIT(o); batch[me] = batch[me] | BIT(o); o = 0 }
	:: COUNT(batch[me]) < BATCH && shared == 0 && free_objects > 0 -> atomic {
		/* partial before empty; which partial one is left open: the lists' order
		 * matters for packing, not for these rules */
		if
		:: o = 0 :: o = OBJS
#if NSLAB > 2
		:: o = 2 * OBJS
#endif
		fi;
		if
		:: (listed & BIT(SLAB(o))) &&
		   (!EMPTY(SLAB(o)) || empty_slabs == COUNT(listed)) ->
			do
			:: (bits & BIT(o)) -> break
			:: !(bits & BIT(o)) -> o++
			od;
			take_bit(o)
		:: else -> skip
		fi;
		o = 0 }
	:: COUNT(batch[me]) == BATCH || (shared == 0 && free_objects == 0) -> break
	od;
	lock_release();
	if
	:: batch[me] != 0 -> atomic { array[me] = array[me] | batch[me]; batch[me] = 0 }; goto idle
	:: batch[me] == 0 -> skip
	fi;

	/* grow: pages, then slab_prepare, without a lock */
	atomic {
		if
		:: !(pages_out & 1) -> s = 0
		:: !(pages_out & 2) -> s = 1
#if NSLAB > 2
		:: !(pages_out & 4) -> s = 2
#endif
		:: else -> goto idle					/* NULL: no memory */
		fi;
		pages_out = pages_out | BIT(s)
	};
#ifdef M_ADOPT_UNLOCKED
	o = bits | FULL(s);
	atomic { bits = o; o = free_objects + OBJS };
	atomic { free_objects = o; o = s * OBJS; joined = joined | BIT(s); listed = listed | BIT(s); empty_slabs++ };
	goto idle;
#else
	/* slab_adopt: the first bits of the new slab are the grower's */
	lock_acquire();
	atomic {
		assert(!(joined & BIT(s)));
		bits = bits | FULL(s); free_objects = free_objects + OBJS;
		joined = joined | BIT(s); listed = listed | BIT(s); empty_slabs++
	};
	atomic { o = s * OBJS; take_bit(o) };
	atomic { o = s * OBJS + 1; take_bit(o) };
	lock_release();
	atomic { array[me] = array[me] | batch[me]; batch[me] = 0; goto idle };
#endif

flush:	/* a batch out of the own array, then slab_put(n, objects, BATCH, &emptied) */
	atomic {
		do
		:: COUNT(batch[me]) == BATCH -> break
		:: COUNT(batch[me]) < BATCH && (array[me] & BIT(o)) ->
			array[me] = array[me] & ~BIT(o); batch[me] = batch[me] | BIT(o); o++
		:: COUNT(batch[me]) < BATCH && !(array[me] & BIT(o)) -> o++
		od;
		o = 0
	};
	lock_acquire();
	do
	:: batch[me] != 0 -> atomic {
		o = 0;
		do
		:: (batch[me] & BIT(o)) -> break
		:: !(batch[me] & BIT(o)) -> o++
		od;
		batch[me] = batch[me] & ~BIT(o);
		if
		:: COUNT(shared) < SHARED_LIMIT ->
			shared = shared | BIT(o);
#ifdef M_SHARED_IS_FREE
			put_bit(o)
#endif
		:: else -> put_bit(o)
		fi;
		o = 0 }
	:: batch[me] == 0 -> break
	od;
#ifdef M_EMPTY_LATER
	lock_release();
#endif
	do
	:: free_objects > FREE_LIMIT && empty_slabs > 0 ->
pick:		atomic {
			if
			:: EMPTY(0) && (joined & 1) && !(emptied & 1) -> s = 0
			:: EMPTY(1) && (joined & 2) && !(emptied & 2) -> s = 1
#if NSLAB > 2
			:: EMPTY(2) && (joined & 4) && !(emptied & 4) -> s = 2
#endif
			:: else -> break
			fi
		};
		atomic { detach(s); s = 0 };
#ifdef M_LIMIT_ONCE
		break
#endif
	:: !(free_objects > FREE_LIMIT && empty_slabs > 0) -> break
	od;
#ifdef M_EMPTY_LATER
	s = 0;
	goto give_back;
#else
	assert(free_objects <= FREE_LIMIT || empty_slabs == 0);			/* H4 */
#endif
#ifdef M_TWO_LOCKS
	do
	:: (emptied & 1) -> page_free(0); emptied = emptied & ~1
	:: (emptied & 2) -> page_free(1); emptied = emptied & ~2
	:: else -> break
	od;
#endif
	lock_release();

give_back: /* the list that left the lock as data */
	do
	:: (emptied & 1) -> page_free(0); emptied = emptied & ~1
	:: (emptied & 2) -> page_free(1); emptied = emptied & ~2
#if NSLAB > 2
	:: (emptied & 4) -> page_free(2); emptied = emptied & ~4
#endif
	:: emptied == 0 -> goto idle
	od;

shrink:	/* slab_shrink(n, &emptied) */
	lock_acquire();
	do
	:: shared != 0 -> atomic {
		o = 0;
		do
		:: (shared & BIT(o)) -> break
		:: !(shared & BIT(o)) -> o++
		od;
		shared = shared & ~BIT(o);
#ifndef M_SHARED_IS_FREE
		put_bit(o);
#endif
		o = 0 }
	:: shared == 0 -> break
	od;
	do
	:: EMPTY(0) && (joined & 1) && !(emptied & 1) -> atomic { detach(0) }
	:: EMPTY(1) && (joined & 2) && !(emptied & 2) -> atomic { detach(1) }
#if NSLAB > 2
	:: EMPTY(2) && (joined & 4) && !(emptied & 4) -> atomic { detach(2) }
#endif
	:: else -> break
	od;
	lock_release();
	goto give_back
}

init {
	atomic {
		run thread(0);
#if NTHREAD > 1
		run thread(1);
#endif
#if NTHREAD > 2
		run thread(2);
#endif
	}
}
