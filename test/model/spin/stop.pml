/* SPDX-License-Identifier: MIT */
/*
 * stop.pml - per-CPU arrays by restartable sequences, and stopping a CPU
 *
 * What    table[cpu] names the region of a CPU, or 0: the dummy, read-only,
 *         always empty and always full. A sequence loads the CPU number and
 *         table[cpu], reads the header, moves entries and commits with one
 *         store to avail; whatever else runs on its CPU sends it back to its
 *         start. A pop loads alloc[cpu] instead, the same region as its node
 *         sees it. Stopping a CPU: exchange 0 into table[cpu] (0 out: somebody
 *         else owns it), store 0 into alloc[cpu], fence, read and write the
 *         region at leisure, publish: alloc[cpu] first, then table[cpu].
 * Model   A thread begins a sequence on any CPU (it may have moved since the
 *         last one). running[cpu] is the thread whose sequence is alive there.
 *         A new sequence on the CPU, a fence and an interruption out of the
 *         blue overwrite it; a step of a sequence is taken only while it still
 *         names the thread, otherwise the thread restarts, on any CPU. Code
 *         outside sequences touches no region except as an owner, so it does
 *         not matter on which CPU it runs.
 * Proved  P1  each object is in one place: below avail in one region, in one
 *             hand or batch, or at the node; checked after each commit
 *         P2  between fence and publish nobody but the owner touches a region
 *         P3  the dummy is never written
 *         P4  a region has one owner at most, and avail <= limit <= capacity
 *         P5  no dead end
 * Bounds  NCPU CPUs, NWORK threads that alloc, free, refill and flush, NSTOP
 *         that stop CPUs; NOBJ objects; arrays of CAP; any number of rounds.
 * Faults  M_NO_FENCE         the owner does not fence
 *         M_FENCE_IGNORED    the owner goes on although the fence was refused
 *         M_TABLE_OUTSIDE    table[cpu] is loaded before the sequence
 *         M_CPU_OUTSIDE      the CPU number is loaded before the sequence
 *         M_COMMIT_FIRST     push stores avail before the entry
 *         M_FLUSH_CLAIMS     flush stores avail = 0 before it has copied
 *         M_STOP_SPLIT       table[cpu] is loaded, then stored: no exchange
 *         M_PUBLISH_EARLY    the region is published before the owner is done
 *         M_DUMMY_ROOM       the dummy is empty but not full
 *         M_ALLOC_STAYS      the owner leaves alloc[cpu] as it is
 *         M_ALLOC_LAST       alloc[cpu] is published after table[cpu]
 *         NO_P2 drops P2, so that P1 can be seen to catch by itself.
 */
#ifndef NCPU
#define NCPU	2
#endif
#ifndef NWORK
#define NWORK	2
#endif
#ifndef NSTOP
#define NSTOP	1
#endif
#ifndef NOBJ
#define NOBJ	3
#endif
#ifndef OPS0
#define OPS0	15	/* what worker 0 does: 1 pop, 2 push, 4 refill, 8 flush */
#endif
#ifndef OPS1
#define OPS1	15	/* and the other workers */
#endif
#define OPS(t)	(t == 0 -> OPS0 : OPS1)
#define CAP	2
#define NREG	(NCPU + 1)
#define NPROC	(NWORK + NSTOP)
#define ALL	((1 << NOBJ) - 1)
#define NOBODY	255

byte table[NCPU];		/* 0 or the number of a region, 1 .. NCPU */
byte alloc[NCPU];		/* the same, for pops */
byte avail[NREG];
byte limit[NREG];
byte entry[NREG * CAP];		/* objects are 1 .. NOBJ */
byte node;			/* set of objects at the node: behind its lock, one step each */

byte running[NCPU] = NOBODY;	/* whose sequence is alive on this CPU */
byte doomed = NOBODY;		/* has just been sent back to its start */

/* What the proof watches. */
byte held[NPROC];		/* set of objects in a thread's hand and batch */
byte owner[NREG] = NOBODY;
bool fenced[NREG];		/* between fence and publish */

#ifdef M_DUMMY_ROOM
#define LIMIT0	1
#else
#define LIMIT0	0
#endif

#define E(r, i)		entry[(r) * CAP + (i)]
#ifndef M_CPU_OUTSIDE
#define x		c
#endif
#define BIT(o)		(1 << ((o) - 1))

/* P1, P3, P4 in one walk; part of the step before it. */
byte w_seen, w_r, w_i, w_o;
inline audit()
{
	assert(avail[0] == 0 && limit[0] == LIMIT0 && entry[0] == 0 && entry[1] == 0);	/* P3 */
	w_seen = node;
	w_i = 0;
	do
	:: w_i < NPROC -> assert((w_seen & held[w_i]) == 0); w_seen = w_seen | held[w_i]; w_i++
	:: else -> break
	od;
	w_r = 1;
	do
	:: w_r < NREG ->
		assert(avail[w_r] <= limit[w_r] && limit[w_r] <= CAP);			/* P4 */
		w_i = 0;
		do
		:: w_i < avail[w_r] ->
			w_o = E(w_r, w_i);
			assert(w_o != 0 && (w_seen & BIT(w_o)) == 0);			/* P1 */
			w_seen = w_seen | BIT(w_o);
			w_i++
		:: else -> break
		od;
		w_r++
	:: else -> break
	od;
	assert(w_seen == ALL);								/* P1 */
	w_seen = 0; w_r = 0; w_i = 0; w_o = 0
}

#ifdef NO_P2
#define P2	skip
#else
#define P2	assert(!fenced[r])
#endif

/*
 * One instruction of a sequence. If the thread's sequence is no more the one
 * alive on its CPU, the kernel has moved it to its start.
 */
#define STEP	if :: running[x] != me -> goto again :: else -> P2;
#define DONE	fi

/*
 * The first instructions: note the sequence, load the CPU number. Whoever was in
 * a sequence on this CPU is sent back. That thread forgets what it had loaded as
 * its very next step, before anybody else moves: it could do nothing else anyway,
 * and this keeps the state space small. For the same reason entries above avail,
 * left by a push that did not come to its commit, become 0; audit and the pops
 * assert that no 0 is ever taken for an object.
 */
#define SEAT(p, who)	d_step { w_o = running[p]; running[p] = who; tidy(p); doomed = w_o; w_o = 0 }
#define UNSEAT(p)	SEAT(p, NOBODY)
#define MAY_RUN	(doomed == NOBODY || doomed == _pid - 1)	/* init is 0 */

inline tidy(p)
{
	if :: avail[p + 1] < 1 -> E(p + 1, 0) = 0 :: else -> skip fi;
	if :: avail[p + 1] < 2 -> E(p + 1, 1) = 0 :: else -> skip fi
}

inline choose(v)
{
	if
	:: v = 0
#if NCPU > 1
	:: v = 1
#endif
#if NCPU > 2
	:: v = 2
#endif
	fi
}

#define REGION	if :: what == POP -> r = alloc[c] :: else -> r = table[c] fi

inline forget()		/* locals that nobody will read again */
{
	what = 0; x = 0; c = 0; r = 0; a = 0; o = 0; i = 0; n = 0;
	batch[0] = 0; batch[1] = 0
}

proctype worker(byte me) provided (MAY_RUN)
{
	byte what;		/* the sequence: POP, PUSH, TAKE_ALL, PUSH_BATCH */
	byte c;			/* the CPU number it loaded */
	byte r, a, o, i;	/* region, avail, object, index */
	byte batch[CAP];	/* private buffer of refill and flush, oldest first */
	byte n;			/* objects in it that are ours */
#ifdef M_CPU_OUTSIDE
	byte x;			/* the CPU it runs on; else the same as c */
#endif

#define POP		1
#define PUSH		2
#define TAKE_ALL	3
#define PUSH_BATCH	4

idle:
	atomic {
		if
		:: (OPS(me) & 1) && held[me] == 0 -> what = POP		/* alloc */
		:: (OPS(me) & 4) && held[me] == 0 && node != 0 -> goto refill	/* alloc, array empty */
		:: (OPS(me) & 2) && held[me] != 0 -> what = PUSH		/* free */
			if
			:: (held[me] & 1) -> o = 1
			:: (held[me] & 2) -> o = 2
			:: (held[me] & 4) -> o = 3
			fi
		:: held[me] != 0 ->			/* free that goes straight to the node */
			node = node | held[me]; held[me] = 0; audit(); goto idle
		:: (OPS(me) & 8) -> what = TAKE_ALL	/* flush: the array was full */
		fi;
#ifdef M_CPU_OUTSIDE
		choose(c);
#endif
#ifdef M_TABLE_OUTSIDE
		choose(c);
		REGION;
#endif
		goto again
	};

refill:	/* the node gives a batch under its lock; one object is for the caller */
	atomic {
		o = 1;
		do
		:: o <= NOBJ && n < CAP ->
			if
			:: node & BIT(o) -> node = node & ~BIT(o); held[me] = held[me] | BIT(o); batch[n] = o; n++
			:: else -> skip
			fi;
			o++
		:: else -> break
		od;
		o = 0;
		if
		:: n == 0 -> goto idle
		:: n == 1 -> forget(); goto idle
		:: n > 1 -> n--; batch[n] = 0; what = PUSH_BATCH; goto again
		fi
	};

again:	/* where the kernel sends a sequence back to: nothing that it loaded counts */
	atomic {
		a = 0; i = 0;
#ifndef M_TABLE_OUTSIDE
		r = 0;
#ifndef M_CPU_OUTSIDE
		c = 0;
#endif
#endif
		if :: what == POP -> o = 0 :: else -> skip fi;
		if :: what == TAKE_ALL -> batch[0] = 0; batch[1] = 0 :: else -> skip fi;
		if :: doomed == me -> doomed = NOBODY :: else -> skip fi
	};
	atomic {	/* note the sequence, load the CPU number, load its region */
#ifdef M_CPU_OUTSIDE
		choose(x);
#endif
#ifndef M_TABLE_OUTSIDE
#ifndef M_CPU_OUTSIDE
		choose(c);
#endif
		REGION;
#endif
		SEAT(x, me)
	};
	atomic {
		STEP a = avail[r]; DONE;
		if
		:: what == POP && a != 0 -> goto pop
		:: what == PUSH -> goto push
		:: what == TAKE_ALL && a != 0 -> goto take_all
		:: what == PUSH_BATCH -> goto push_batch
		:: (what == POP || what == TAKE_ALL) && a == 0 -> goto leave
		:: UNSEAT(x); goto again	/* a signal, or code without sequences */
		fi
	};

pop:	/* percpu_pop */
	atomic { STEP o = E(r, a - 1); DONE };
	atomic { STEP avail[r] = a - 1; E(r, a - 1) = 0; running[x] = NOBODY;
		assert(o != 0); held[me] = held[me] | BIT(o); audit(); DONE; forget(); goto idle };

push:	/* percpu_push */
	atomic { STEP if
		:: a >= limit[r] -> goto leave	/* full: the caller flushes, or frees to the node */
		:: else -> skip
		fi; DONE;
#ifndef M_COMMIT_FIRST
		E(r, a) = o
#else
		avail[r] = a + 1
#endif
	};
	atomic { STEP
#ifndef M_COMMIT_FIRST
		avail[r] = a + 1;
#else
		E(r, a) = o;
#endif
		running[x] = NOBODY; held[me] = held[me] & ~BIT(o); audit(); DONE; forget(); goto idle };

take_all: /* port_percpu_pop_bulk: copy all entries, commit avail = 0 */
#ifdef M_FLUSH_CLAIMS
	atomic { STEP avail[r] = 0; DONE };
#endif
	do
	:: i < a -> atomic { STEP batch[i] = E(r, i); i++; DONE }
	:: i == a -> break
	od;
	atomic {
#ifndef M_FLUSH_CLAIMS
		STEP avail[r] = 0; DONE;
#endif
		running[x] = NOBODY;
		n = a;
		i = 0;
		do
		:: i < n ->
			assert(batch[i] != 0);
			if :: avail[r] == 0 -> E(r, i) = 0 :: else -> skip fi;
			held[me] = held[me] | BIT(batch[i]);
			i++
		:: else -> break
		od;
		audit();
		c = 0; r = 0; a = 0; i = 0
	};
	atomic {	/* the oldest half goes to the node, under its lock */
		node = node | BIT(batch[0]);
		held[me] = held[me] & ~BIT(batch[0]);
		batch[0] = batch[1]; batch[1] = 0;
		n--;
		audit();
		if
		:: n == 0 -> forget(); goto idle
		:: else -> what = PUSH_BATCH; goto again	/* the newest half goes back */
		fi
	};

push_batch: /* port_percpu_push_bulk: as many as fit; the rest is for the node */
	do
	:: i < n && a + i < limit[r] -> atomic { STEP E(r, a + i) = batch[i]; i++; DONE }
	:: !(i < n && a + i < limit[r]) -> break
	od;
	atomic {
		if
		:: i == 0 -> goto leave
		:: else -> skip
		fi;
		STEP avail[r] = a + i; DONE;
		running[x] = NOBODY;
		do
		:: i > 0 -> i--; held[me] = held[me] & ~BIT(batch[i])
		:: else -> break
		od;
		audit(); forget(); goto idle	/* what did not fit stays in the hand */
	};

leave:	/* empty or full: out of the sequence, nothing committed */
	atomic {
		if :: running[x] == me -> UNSEAT(x) :: else -> skip fi;
		if :: doomed == me -> doomed = NOBODY :: else -> skip fi;
		forget();
		goto idle
	}
}

proctype stopper(byte me) provided (MAY_RUN)
{
	byte c, r, a;
	byte batch[CAP];

idle:
	/* port_percpu_own */
	atomic {
		choose(c);
		r = table[c];
#ifdef M_STOP_SPLIT
	};
	atomic {
#endif
		table[c] = 0;
		if
		:: r == 0 -> c = 0; goto idle			/* another owner: skip */
		:: else -> assert(owner[r] == NOBODY); owner[r] = me	/* P4 */
		fi
	};

#ifdef M_ALLOC_STAYS
#define CLOSE	skip
#else
#define CLOSE	alloc[c] = 0
#endif

	/* the second store, and port_percpu_fence: a pop that begins between the two is one that
	 * began before */
	if
#ifdef M_NO_FENCE
	:: CLOSE
#else
	:: atomic { CLOSE; fenced[r] = true; UNSEAT(c) }
#endif
	:: CLOSE ->						/* refused by the system */
#ifndef M_FENCE_IGNORED
		goto publish
#endif
	fi;

	/* the owner's work: take all, or the oldest, or only change the limit */
	atomic { a = avail[r]; batch[0] = E(r, 0); batch[1] = E(r, 1) };
#ifdef M_PUBLISH_EARLY
	atomic { fenced[r] = false; alloc[c] = r };
	atomic { table[c] = r; owner[r] = NOBODY };
#endif
	if
	:: a > 0 -> atomic {
		held[me] = BIT(batch[0]);
		if :: a > 1 -> held[me] = held[me] | BIT(batch[1]) :: else -> skip fi;
		avail[r] = 0; E(r, 0) = 0; E(r, 1) = 0; audit() }
	:: a > 1 -> atomic {
		held[me] = BIT(batch[0]); E(r, 0) = batch[1]; E(r, 1) = 0;
		avail[r] = 1; audit() }
#ifndef LIMIT_STAYS
	:: a < 2 -> limit[r] = 1
	:: limit[r] = CAP
#endif
	:: skip
	fi;

publish: /* port_percpu_publish, and only then to the node (A5) */
#ifndef M_PUBLISH_EARLY
#ifndef M_ALLOC_LAST
	atomic { fenced[r] = false; alloc[c] = r };
#else
	atomic { fenced[r] = false; table[c] = r; owner[r] = NOBODY };
#endif
#endif
	atomic {
#ifdef M_ALLOC_LAST
		alloc[c] = r;
#else
#ifndef M_PUBLISH_EARLY
		table[c] = r; owner[r] = NOBODY;
#endif
#endif
		node = node | held[me]; held[me] = 0; audit();
		c = 0; r = 0; a = 0; batch[0] = 0; batch[1] = 0;
		goto idle
	}
}

init {
	byte i;
	atomic {
		i = 0;
		do
		:: i < NCPU -> table[i] = i + 1; alloc[i] = i + 1; limit[i + 1] = CAP; i++
		:: else -> break
		od;
		limit[0] = LIMIT0;
		E(1, 0) = 1; E(1, 1) = 2; avail[1] = 2;
		node = ALL & ~3;
		i = 0;
		do
		:: i < NWORK -> run worker(i); i++
		:: else -> break
		od;
		do
		:: i < NPROC -> run stopper(i); i++
		:: else -> break
		od;
		i = 0
	}
}
