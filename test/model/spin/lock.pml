/* SPDX-License-Identifier: MIT */
/*
 * lock.pml - the futex lock of src/base/lock.h and lock.c
 *
 * What    The word is LOCK_FREE, LOCK_HELD, LOCK_WAITED (held, and somebody
 *         may sleep) or LOCK_TRIED (held by who may make no call).
 *         lock_acquire tries once, spins a bounded number of turns, then
 *         compares and exchanges LOCK_WAITED in until what it replaced was
 *         LOCK_FREE, with port_wait between; LOCK_TRIED it leaves alone and
 *         looks again. lock_release exchanges LOCK_FREE in and wakes one
 *         thread if it gets LOCK_WAITED out. lock_try tries once.
 * Proved  K1  at most one thread is between acquire and release
 *         K2  no sleeper is forgotten: while somebody sleeps, the word is
 *             LOCK_WAITED, or a wake is on its way, or a thread is awake in
 *             lock_wait and will write LOCK_WAITED
 *         K3  nobody sleeps for ever after all others have gone (no dead end)
 *         K4  lock_try never sleeps: it takes one step, whatever the word is; who took
 *             the lock by it wakes nobody (LK3)
 * Bounds  NTHREAD threads, any number of rounds each; SPINS turns of the spin;
 *         SPURIOUS returns of port_wait that nobody asked for.
 * Faults  each makes one wrong version, and spin must object:
 *         M_TRY_SPLIT     lock_try compares and stores in two steps
 *         M_SLOW_HELD     lock_wait takes the lock with LOCK_HELD
 *         M_WAIT_BLIND    port_wait sleeps without comparing
 *         M_NO_WAKE       lock_release never wakes
 *         M_RELEASE_SPLIT lock_release loads, then stores
 *         M_TRY_WAITS     a failed lock_try goes on to lock_wait
 *         M_TRIED_OVER    lock_wait writes LOCK_WAITED over LOCK_TRIED
 *         M_TRIED_SLEEPS  lock_wait sleeps while the word is LOCK_TRIED
 *         NO_WATCH drops K2, so that K3 can be seen to catch by itself.
 */
#ifndef NTHREAD
#define NTHREAD	3
#endif
#ifndef SPINS
#define SPINS	1
#endif
#ifndef SPURIOUS
#define SPURIOUS	0
#endif

#define LOCK_FREE	0
#define LOCK_HELD	1
#define LOCK_WAITED	2
#define LOCK_TRIED	3

byte word;			/* struct lock */
bool asleep[NTHREAD];		/* the kernel's queue of this word */

/* What the proof watches; the code has none of it. */
byte holders;			/* threads between acquire and release */
byte sleepers;			/* threads with asleep set */
byte waking;			/* saw LOCK_WAITED in release, wake not done yet */
byte awake_slow;		/* in lock_wait and not asleep */
byte spurious = SPURIOUS;

#define K2	(sleepers == 0 || word == LOCK_WAITED || waking > 0 || awake_slow > 0)

inline wake(t)
{
	asleep[t] = false;
	sleepers--;
	awake_slow++
}

proctype thread(byte me)
{
	byte old;		/* what an exchange returned */
	byte turn;		/* of the spin */
	bool trying;		/* in lock_try called by the user, for K4 */
	bool quiet;		/* has the lock from lock_try */

idle:
	assert(!asleep[me]);
	if
	:: goto acquire
	:: trying = true; goto try
	:: goto gone		/* any thread may stop using the lock for ever */
	fi;

try:	/* lock_try(lock) */
#ifdef M_TRY_SPLIT
	old = word;
	if
	:: old == LOCK_FREE -> word = LOCK_TRIED; trying = false; quiet = true; goto held
	:: else -> trying = false; goto idle
	fi;
#else
	atomic {
		if
		:: word == LOCK_FREE -> word = LOCK_TRIED; trying = false; quiet = true; goto held
#ifdef M_TRY_WAITS
		:: else -> awake_slow++; goto slow
#else
		:: else -> trying = false; goto idle
#endif
		fi
	};
#endif

acquire: /* lock_acquire(lock): if (!lock_try(lock)) lock_wait(lock) */
	atomic {
		if
		:: word == LOCK_FREE -> word = LOCK_HELD; goto held
		:: else -> awake_slow++; turn = 0
		fi
	};

spin:	/* for (i < LOCK_SPINS) if (READ_ONCE(word) == FREE && lock_try()) return */
	do
	:: turn < SPINS ->
		turn++;
		if
		:: word == LOCK_FREE ->
			atomic {
				if
				:: word == LOCK_FREE -> word = LOCK_HELD; awake_slow--; turn = 0; goto held
				:: else -> skip
				fi
			}
		:: word != LOCK_FREE -> skip
		fi
	:: turn == SPINS -> turn = 0; break
	od;

slow:	/* lock_turn: read the word, compare and exchange LOCK_WAITED in */
	old = word;
#ifdef M_TRIED_SLEEPS
	atomic {
		if
		:: old == LOCK_TRIED && word == LOCK_TRIED ->
			old = 0; asleep[me] = true; sleepers++; awake_slow--; goto sleep
		:: else -> skip
		fi
	};
#endif
	atomic {
		if
#ifndef M_TRIED_OVER
		:: old == LOCK_TRIED -> old = 0; goto slow	/* port_yield */
#endif
		:: else -> skip
		fi
	};
	atomic {
		if
		:: word == old ->
#ifdef M_SLOW_HELD
			word = (old == LOCK_FREE -> LOCK_HELD : LOCK_WAITED);
#else
			word = LOCK_WAITED;
#endif
			if
			:: old == LOCK_FREE -> awake_slow--; goto held
			:: else -> old = 0
			fi
		:: word != old && (word == LOCK_FREE || word == LOCK_TRIED) -> old = 0; goto slow
		:: else -> old = 0
		fi
	};

	/* port_wait(&word, LOCK_WAITED): the kernel compares and sleeps in one step */
	atomic {
		if
#ifdef M_WAIT_BLIND
		:: true ->
#else
		:: word == LOCK_WAITED ->
#endif
			assert(!trying);				/* K4 */
			asleep[me] = true;
			sleepers++;
			awake_slow--
		:: else -> goto slow
		fi
	};
sleep:	if
	:: !asleep[me] -> goto slow
	:: atomic { asleep[me] && spurious > 0 -> spurious--; wake(me) }; goto slow
	fi;

held:
	holders++;
	assert(holders == 1);						/* K1 */
	holders--;

	/* lock_release(lock): if (exchange(word, LOCK_FREE) == LOCK_WAITED) lock_signal(lock) */
#ifdef M_RELEASE_SPLIT
	old = word;
	atomic { word = LOCK_FREE; if :: old == LOCK_WAITED -> waking++ :: else -> skip fi };
#else
	atomic { old = word; word = LOCK_FREE; if :: old == LOCK_WAITED -> waking++ :: else -> skip fi };
#endif
	assert(!quiet || old != LOCK_WAITED);				/* K4 */
	quiet = false;
	if
	:: old == LOCK_WAITED ->
		old = 0;
#ifdef M_NO_WAKE
		waking--
#else
		atomic {	/* port_wake(&word): one sleeper, the kernel promises no order */
			waking--;
			if
			:: asleep[0] -> wake(0)
			:: asleep[1] -> wake(1)
#if NTHREAD > 2
			:: asleep[2] -> wake(2)
#endif
#if NTHREAD > 3
			:: asleep[3] -> wake(3)
#endif
			:: sleepers == 0 -> skip
			fi
		}
#endif
	:: else -> old = 0
	fi;
	goto idle;

gone:	skip			/* a sleeper who never gets here is a dead end: K3 */
}

/* Looks at every state, changes none. */
#ifndef NO_WATCH
active proctype watch()
{
end:	atomic { !K2 -> assert(K2) }
}
#endif

init {
	atomic {
		run thread(0);
		run thread(1);
#if NTHREAD > 2
		run thread(2);
#endif
#if NTHREAD > 3
		run thread(3);
#endif
	}
}
