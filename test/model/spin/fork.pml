/* SPDX-License-Identifier: MIT */
/*
 * fork.pml - making regions, and fork in the middle of everything
 *
 * What    A CPU's region is made once, under array_lock, by the slow path that
 *         finds none (array_make_region); array_strip stops a CPU under the same
 *         lock and flushes after it. Fork takes array_lock, owns every region,
 *         fences, takes the other locks, and copies the process; parent and
 *         child then publish and unlock (array_lock_all, array_unlock_all). The
 *         child goes on with the forking thread alone.
 * Model   Arrays have room for one object: stop.pml has the rest. The copy is
 *         not one step: the page with the entries is copied before the page with
 *         the headers, while the parent's other threads run. In the child they
 *         stand still for ever; what they had in hand is lost there, nothing else.
 * Proved  F1  a region is made at most once for a CPU, and never replaced
 *         F2  in the child each object is in one place at most, and each
 *             region that was made is in the table
 *         F3  the child can stop every CPU, take every lock and end
 *         F4  no dead end in the parent
 * Bounds  NCPU CPUs, a thread that forks, one that makes and strips, one that
 *         pushes and pops, one more that makes (not with NO_MAKER); two objects;
 *         any number of rounds until the child.
 * Faults  M_NO_RECHECK      array_make_region does not look again under the lock
 *         M_FORK_NO_FENCE   fork goes on where the fence was refused
 *         M_FORK_NO_NODE    fork does not take the node's lock
 *         M_FORK_NO_ARRAY   fork does not take array_lock: it skips what is owned
 *                           (with pan -E: F2 is what must catch it, not a dead end)
 *         M_FORK_LATE_ARRAY fork takes array_lock after the regions
 *         M_NODE_FIRST      the flush keeps the node's lock while it asks for array_lock
 */
#ifndef NCPU
#define NCPU	2
#endif
#define NOBODY	255
#define FORKER	0
#define STRIPPER 1
#define USER	2
#define MAKER	3

byte table[NCPU];		/* 1: the CPU's region; 0: the dummy */
bool made[NCPU];		/* arrays.cpu[].region */
byte avail[NCPU];		/* page of headers */
byte entry[NCPU];		/* page of entries */
byte node;			/* set of objects at the node; its lock's */
byte array_lock = NOBODY;
byte node_lock = NOBODY;

byte running[NCPU] = NOBODY;	/* as in stop.pml */
byte held[4];			/* set of objects in hand */
byte copy[NCPU];		/* the child's page of entries */
bool child;			/* we follow the child from here */
bool over;			/* ... and it has ended well */

#define BIT(o)		(1 << ((o) - 1))
#define ALIVE		(!child || over || _pid - 1 == FORKER)

inline lock_acquire(l)	{ atomic { l == NOBODY -> l = me } }
inline lock_release(l)	{ atomic { assert(l == me); l = NOBODY } }

/* array_stop: wait for an owner (in RSEQ mode there is none: A4), then fence */
inline array_stop()
{
	atomic { table[c] == 1 -> table[c] = 0 };
	running[c] = NOBODY
}

inline array_strip()
{
	lock_acquire(array_lock);
	array_stop();
	atomic { if :: avail[c] == 1 -> held[me] = held[me] | BIT(entry[c]) :: else -> skip fi; avail[c] = 0; entry[c] = 0 };
	table[c] = 1;				/* port_percpu_publish */
	lock_release(array_lock)
}

inline cache_put()
{
	lock_acquire(node_lock);
	atomic { node = node | held[me]; held[me] = 0 };
#ifdef M_NODE_FIRST
	lock_acquire(array_lock);
	lock_release(array_lock);
#endif
	lock_release(node_lock)
}

inline array_make_region()
{
	/* found arrays.cpu[c].region == NULL; the block of pages is ready */
	lock_acquire(array_lock);
	if
#ifdef M_NO_RECHECK
	:: true ->
#else
	:: !made[c] ->
#endif
		atomic { assert(!made[c]); made[c] = true };	/* F1 */
		table[c] = 1
	:: made[c] -> skip
	fi;
	lock_release(array_lock)
}

/* F2 */
inline child_audit()
{
	d_step {
		w = node; c = 0;
		do
		:: c < NCPU ->
			assert(!made[c] || table[c] == 1);
			if
			:: avail[c] == 1 -> assert(entry[c] != 0 && !(w & BIT(entry[c]))); w = w | BIT(entry[c])
			:: else -> skip
			fi;
			c++
		:: else -> break
		od;
		c = 0; w = 0
	}
}

inline own_regions()
{
	do
	:: c < NCPU && made[c] ->
#ifdef M_FORK_NO_ARRAY
		atomic { if :: table[c] == 1 -> mine = mine | (1 << c) :: else -> skip fi; table[c] = 0 };
#else
		atomic { table[c] == 1 -> table[c] = 0; mine = mine | (1 << c) };
#endif
		c++
	:: c < NCPU && !made[c] -> c++
	:: c == NCPU -> c = 0; break
	od;
#ifndef M_FORK_NO_FENCE
	/* port_percpu_fence(-1) */
	atomic { running[0] = NOBODY;
#if NCPU > 1
		running[1] = NOBODY
#endif
	};
#endif
}

inline publish_regions()
{
	do
	:: c < NCPU && (mine & (1 << c)) -> atomic { assert(table[c] == 0); table[c] = 1 }; c++
	:: c < NCPU && !(mine & (1 << c)) -> c++
	:: c == NCPU -> c = 0; mine = 0; break
	od
}

proctype forker(byte me) provided (ALIVE)
{
	byte c, w;
	byte mine;		/* regions that fork owns */

idle:
	if
	:: skip
	:: goto gone		/* a program need not fork */
	fi;
#ifdef M_FORK_NO_ARRAY
	own_regions();
#else
#ifdef M_FORK_LATE_ARRAY
	own_regions();
	lock_acquire(array_lock);
#else
	lock_acquire(array_lock);
	own_regions();
#endif
#endif
#ifndef M_FORK_NO_NODE
	lock_acquire(node_lock);	/* cache_lock_all, large_lock_all, page_lock_all */
#endif

	/* fork(2): the page of entries, later the page of headers */
	atomic { copy[0] = entry[0];
#if NCPU > 1
		copy[1] = entry[1]
#endif
	};
	if
	:: atomic { child = true; entry[0] = copy[0]; copy[0] = 0;
#if NCPU > 1
		entry[1] = copy[1]; copy[1] = 0
#endif
		}
	:: atomic { copy[0] = 0;	/* the parent goes on */
#if NCPU > 1
		copy[1] = 0
#endif
		}
	fi;

#ifndef M_FORK_NO_NODE
	lock_release(node_lock);
#endif
	publish_regions();
#ifndef M_FORK_NO_ARRAY
	lock_release(array_lock);
#endif
	if
	:: !child -> goto idle
	:: child -> skip
	fi;

	/* the child: everything is in its place, and everything still works */
	child_audit();
	do
	:: c < NCPU ->
		if
		:: !made[c] -> array_make_region()
		:: made[c] -> skip
		fi;
		array_strip();
		cache_put();
		c++
	:: c == NCPU -> break
	od;
	over = true;

gone:	skip
}

proctype stripper(byte me) provided (ALIVE)
{
	byte c;

	do
	:: over -> break
	:: !over && held[me] == 0 ->
		if
		:: c = 0
#if NCPU > 1
		:: c = 1
#endif
		fi;
		if
		:: made[c] -> array_strip(); if :: held[me] != 0 -> cache_put() :: held[me] == 0 -> skip fi
		:: !made[c] -> array_make_region()
		fi;
		c = 0
	:: !over -> break
	od unless { over }
}

#ifndef NO_MAKER
proctype maker(byte me) provided (ALIVE)
{
	byte c;
	{
		if
		:: !made[c] -> array_make_region()
		:: made[c] -> skip
		fi
	} unless { over }
}
#endif

proctype user(byte me) provided (ALIVE)
{
	byte c, r, o;
	{
		skip;
idle:		if
		:: atomic { held[me] != 0 -> if :: (held[me] & 1) -> o = 1 :: (held[me] & 2) -> o = 2 fi }; goto push
		:: held[me] != 3 -> goto pop
		:: held[me] == 0 && node != 0 -> goto refill
		:: goto gone
		fi;

push:		atomic { r = 0; if :: c = 0
#if NCPU > 1
			:: c = 1
#endif
			fi; running[c] = me; r = table[c] };
		atomic { if :: running[c] != me -> goto push :: else -> if :: r == 0 || avail[c] == 1 -> running[c] = NOBODY; o = 0; r = 0; c = 0; goto idle :: else -> skip fi fi };
		atomic { if :: running[c] != me -> goto push :: else -> entry[c] = o fi };
		atomic { if :: running[c] != me -> goto push :: else -> avail[c] = 1; running[c] = NOBODY; held[me] = held[me] & ~BIT(o); o = 0; r = 0; c = 0; goto idle fi };

pop:		atomic { r = 0; o = 0; if :: c = 0
#if NCPU > 1
			:: c = 1
#endif
			fi; running[c] = me; r = table[c] };
		atomic { if :: running[c] != me -> goto pop :: else -> if :: r == 0 || avail[c] == 0 -> running[c] = NOBODY; o = 0; r = 0; c = 0; goto idle :: else -> o = entry[c] fi fi };
		atomic { if :: running[c] != me -> goto pop :: else -> avail[c] = 0; running[c] = NOBODY; held[me] = held[me] | BIT(o); o = 0; r = 0; c = 0; goto idle fi };

refill:		lock_acquire(node_lock);
		atomic { held[me] = node; node = 0 };
		lock_release(node_lock);
		goto idle;

gone:		skip
	} unless { over }
}

init {
	atomic {
		node = 3;
		run forker(FORKER);
		run stripper(STRIPPER);
		run user(USER);
#ifndef NO_MAKER
		run maker(MAKER)
#endif
	}
}
