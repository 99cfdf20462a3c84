/* SPDX-License-Identifier: MIT */
/*
 * pending.pml - the queue of slabs where frees wait, and slabs that join (engine/slab_try.c)
 *
 * What    Who cannot have the node's lock counts up on the slab, puts the slab on a stack if
 *         it was the first, and stores PENDING. Who has the lock takes the whole stack,
 *         puts back what is PENDING, counts down, and puts a slab that still has a count on
 *         the stack again. A slab that is full of free objects may be released: its
 *         descriptor is somebody else's then. A new slab joins the same way.
 * Model   NSLAB slabs of two objects. NFREE threads without the lock, each frees what is in
 *         use, or makes a slab; one that has the lock sweeps, takes objects, releases slabs.
 *         For ever, in any order.
 * Proved  E8  after each sweep a slab with a count is on the stack, once, or a thread is about
 *             to put it there; a slab without one has nothing PENDING
 *         Q1  no thread touches a slab that is gone
 *         Q3  an object is put only into a slab that has joined, and once
 * Faults  M_STATE_FIRST    PENDING, then the count
 *         M_NEXT_LATE      the sweeper reads `next` after it has counted down
 *         M_NO_REQUEUE     what was announced and is not PENDING yet is forgotten
 *         M_CLEAR          the sweeper stores 0 instead of counting down
 *         M_PUSH_SPLIT     a load and a store instead of the compare-exchange
 *         M_OUT_FIRST      a new slab's object is handed out before the slab is queued
 */
#ifndef NSLAB
#define NSLAB	2
#endif
#ifndef NFREE
#define NFREE	2
#endif
#define NOBJ	4
#define IN_USE	0
#define FREE	1
#define PENDING	2
#define SLAB(o)	((o) / 2)

byte state[NOBJ];		/* all in use at first */
bool free_bit[NOBJ];			/* free in its slab */
bool owned[NOBJ] = true;	/* by whoever may free it */
byte count[NSLAB];
byte next[NSLAB];		/* number of the next slab on the stack + 1; 0: the last */
byte queue;			/* the first */
bool joined[NSLAB] = true;
bool arriving[NSLAB];
bool gone[NSLAB];

/* What the proof watches */
byte pushing[NSLAB];		/* threads about to put it there */

inline push(s)
{
	atomic { first = queue; assert(!gone[s]); next[s] = first };
	do
#ifdef M_PUSH_SPLIT
	:: queue == first -> atomic { queue = s + 1; pushing[s]--; break }
#else
	:: atomic { queue == first -> queue = s + 1; pushing[s]--; break }
#endif
	:: atomic { queue != first -> first = queue; assert(!gone[s]); next[s] = first }
	od
}

inline announce(s)
{
	atomic { assert(!gone[s]); old = count[s]; count[s]++;		/* Q1 */
		if :: old == 0 -> pushing[s]++ :: else -> skip fi };
	if
	:: old == 0 -> push(s)
	:: else -> skip
	fi
}

proctype freer()
{
	byte o, s, old, first;

	do
	:: atomic { owned[0] || owned[1] || (NSLAB > 1 && (owned[2] || owned[3]));
		if
		:: owned[0] -> o = 0
		:: owned[1] -> o = 1
		:: NSLAB > 1 && owned[2] -> o = 2
		:: NSLAB > 1 && owned[3] -> o = 3
		fi;
		owned[o] = false; state[o] = FREE; s = SLAB(o) };	/* object_release */
#ifdef M_STATE_FIRST
		state[o] = PENDING;
		announce(s)
#else
		announce(s);
		atomic { assert(!gone[s]); state[o] = PENDING }		/* Q1 */
#endif
	:: atomic { gone[0] || (NSLAB > 1 && gone[NSLAB - 1]);		/* slab_prepare, slab_arrive */
		if :: gone[0] -> s = 0 :: NSLAB > 1 && gone[NSLAB - 1] -> s = NSLAB - 1 fi;
		gone[s] = false; arriving[s] = true; o = 2 * s;
		state[o] = IN_USE; free_bit[o] = false; state[o + 1] = FREE; free_bit[o + 1] = true;
#ifdef M_OUT_FIRST
		owned[o] = true
#endif
		};
		announce(s);
#ifndef M_OUT_FIRST
		owned[o] = true
#endif
	od
}

inline put(o)
{
	assert(joined[SLAB(o)] && !free_bit[o]);				/* Q3 */
	state[o] = FREE; free_bit[o] = true
}

/* Of what is announced, all that has its state by now. */
inline collect(o)
{
	atomic {
		if
		:: state[o] == PENDING && done < waiting -> put(o); done++
		:: else -> skip
		fi }
}

inline reach(s)
{
	at = queue; steps = 0;
	do
	:: at == 0 || at == s + 1 || steps > NSLAB -> break
	:: else -> at = next[at - 1]; steps++
	od;
	assert(steps <= NSLAB);						/* no ring */
	assert(count[s] == 0 || at == s + 1 || pushing[s] > 0);		/* E8 */
	assert(count[s] > 0 || (state[2 * (s)] != PENDING && state[2 * (s) + 1] != PENDING))
}

inline take(o)
{
	SLAB(o) < NSLAB && joined[SLAB(o) % NSLAB] && free_bit[o] -> free_bit[o] = false; state[o] = IN_USE; owned[o] = true
}

proctype holder()
{
	byte head, s, after, waiting, done, first, at, steps, rest;

	do
	:: atomic { queue != 0 -> head = queue; queue = 0 };		/* slab_sweep */
		do
		:: head == 0 -> break
		:: head != 0 ->
			atomic { s = head - 1; after = next[s]; waiting = count[s]; done = 0 };
			atomic {
				if
				:: arriving[s] -> arriving[s] = false; joined[s] = true; done = 1
				:: else -> skip
				fi };
			collect(2 * s); collect(2 * s + 1);
#ifdef M_CLEAR
			atomic { count[s] = 0; rest = 0 };
#else
			atomic { count[s] = count[s] - done; rest = count[s];
				if :: rest != 0 -> pushing[s]++ :: else -> skip fi };
#endif
#ifdef M_NEXT_LATE
			after = next[s];
#endif
			if
#ifdef M_NO_REQUEUE
			:: rest != 0 -> pushing[s]--
#else
			:: rest != 0 -> push(s)
#endif
			:: else -> skip
			fi;
			head = after
		od;
		atomic { reach(0); if :: NSLAB > 1 -> reach(NSLAB - 1) :: else -> skip fi }
	:: atomic { take(0) }
	:: atomic { take(1) }
	:: atomic { take(2) }
	:: atomic { take(3) }
	:: atomic { joined[0] && free_bit[0] && free_bit[1] ->	/* slab_release */
		assert(count[0] == 0); joined[0] = false; gone[0] = true; free_bit[0] = false; free_bit[1] = false }
	:: atomic { NSLAB > 1 && joined[NSLAB - 1] && free_bit[2] && free_bit[3] ->
		assert(count[NSLAB - 1] == 0); joined[NSLAB - 1] = false; gone[NSLAB - 1] = true;
		free_bit[2] = false; free_bit[3] = false }
	od
}

init {
	atomic {
		byte i;
		for (i : 1 .. NFREE) { run freer() }
		run holder()
	}
}
