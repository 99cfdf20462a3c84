/* SPDX-License-Identifier: MIT */
/*
 * claim.pml - the state byte against a double free that races
 *
 * What    free: the byte must be IN_USE, store FREE, push. alloc: pop, the byte
 *         must be FREE, store IN_USE. Check and store are plain accesses: two
 *         CPUs can both see IN_USE, both store FREE and both push. Behind the
 *         arrays a slab's bit may be set once only (slab_put_bit). When a slab's
 *         pages are given back its bytes stay: STATE_FREE is also what memory
 *         shows that is no object.
 * Model   One object, and two CPUs that have both just seen IN_USE in the same
 *         wrong pair of frees. From there on each does what the library and
 *         well-behaved owners do, in any order, for ever, until a check reports.
 * Proved  O1  the object never has two owners, unless excused: while the byte
 *             was claimed, (a) the other CPU stood between the two accesses of
 *             its free, or (b) between the two accesses of its own claim, or
 *             (c) the slab had been released with a second copy still owned or
 *             in an array
 *         O2  nobody owns an object whose pages are gone, unless excused, or
 *             the slab was released inside a window of (a) or (b)
 * Limits  STRICT_FREE (without excuse a), STRICT_CLAIM (without b) and
 *         STRICT_PAGES (without c) must fail: that is how far the bytes reach.
 *         (a) and (b) last a few instructions; plain bytes cannot close them.
 *         ATOMIC_CLAIM, a claim that compares and stores in one step, closes (b);
 *         BYTES_NONE, a state of its own for memory that is no object, together with
 *         RELEASE_CHECK, a look at the bytes of a slab that is released, closes (c).
 *         A free after the object has a new owner is not a race; no byte shows it.
 * Faults  M_NO_CLAIM_CHECK  alloc does not look
 */
#define NONE	0
#define FREE	1
#define IN_USE	2

byte state = IN_USE;
byte copies[2];			/* times the object is in CPU's array */
bool slab_bit;			/* free in its slab */
bool gone;			/* the slab's pages are back on the page floor */
bool elsewhere;			/* ... and somebody else has them */

/* What the proof watches */
byte owners;
bool owns[2];			/* owner by an alloc on this CPU */
bool freeing[2] = true;		/* between check and store of a free */
bool claiming[2];		/* between check and store of a claim */
bool moving[2];			/* a copy on its way: stored not pushed, popped not claimed or put */
bool excused;
bool caught;			/* reported: the program has ended */

inline check_owners()
{
	assert(owners <= 1 || excused);				/* O1 */
	assert(owners == 0 || !gone || excused)			/* O2 */
}

inline got_it()
{
	owns[me] = true; owners++;
#ifndef STRICT_FREE
	if :: freeing[1 - me] -> excused = true :: else -> skip fi;
#endif
	check_owners()
}

proctype cpu(byte me)
{
	goto store_free;

idle:
	if
	:: caught -> goto end
	:: atomic { !caught && owns[me] ->			/* its owner frees it, once */
		if
		:: state != IN_USE -> caught = true; goto end
		:: else -> owns[me] = false; owners--; freeing[me] = true
		fi }; goto store_free
	:: atomic { !caught && copies[me] > 0 -> copies[me]--; moving[me] = true }; goto claim
	:: atomic { !caught && copies[me] > 0 -> copies[me]--; moving[me] = true }; goto put
	:: atomic { !caught && slab_bit && !gone -> slab_bit = false; copies[me]++ }; goto idle	/* refill */
	:: atomic { !caught && slab_bit && !gone ->			/* slab_release */
#ifdef RELEASE_CHECK
		if :: state != FREE -> caught = true; goto end :: else -> skip fi;
#endif
		slab_bit = false; gone = true;
#ifdef BYTES_NONE
		state = NONE;
#endif
#ifndef STRICT_PAGES
		if :: copies[0] + copies[1] > 0 || moving[0] || moving[1] || owners > 0 -> excused = true :: else -> skip fi;
#endif
		if
		:: claiming[0] || claiming[1] || freeing[0] || freeing[1] -> excused = true
		:: else -> skip
		fi
		}; goto idle
	:: atomic { !caught && gone && !elsewhere -> elsewhere = true }; goto idle
	:: atomic { !caught && elsewhere -> elsewhere = false }; goto idle
	:: atomic { !caught && gone && !elsewhere ->		/* grown again, same shape */
		gone = false; state = FREE; slab_bit = true }; goto idle
	fi;

store_free:
	if
	:: caught -> goto end
	:: atomic { !caught -> state = FREE; freeing[me] = false; moving[me] = true }
	fi;
	atomic { copies[me]++; moving[me] = false; goto idle };

claim:	/* object_claim */
	atomic {
		moving[me] = false;
		if
#ifndef M_NO_CLAIM_CHECK
		:: state != FREE -> caught = true; goto end
#endif
		:: else -> claiming[me] = true
		fi;
#ifndef STRICT_CLAIM
		if :: claiming[1 - me] -> excused = true :: else -> skip fi;
#endif
#ifdef ATOMIC_CLAIM
		claiming[me] = false; state = IN_USE; got_it(); goto idle
#endif
	};
	atomic { claiming[me] = false; state = IN_USE; got_it(); goto idle };

put:	/* slab_put_bit: under the node's lock, so one step */
	atomic {
		moving[me] = false;
		if
		:: gone -> caught = true; goto end		/* CHECK: the owner of the page */
		:: !gone && slab_bit -> caught = true; goto end	/* CHECK: put once */
		:: !gone && !slab_bit -> slab_bit = true; goto idle
		fi
	};

end:	skip
}

init { atomic { run cpu(0); run cpu(1) } }
