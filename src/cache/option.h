/* SPDX-License-Identifier: MIT */
/*
 * option.h - what may be chosen when a program starts
 *
 * What    ASHLAR_OPTIONS="name=value;name=value" (a boot line elsewhere), read
 *         once, before the first slab. The name of a switch alone means name=1.
 * Rules   O1  an unknown name, a bad value or a number out of range is reported once and ignored
 *         O2  where the process has more rights than its caller, only options that harden
 *             are honoured
 */
#ifndef ASHLAR_CACHE_OPTION_H
#define ASHLAR_CACHE_OPTION_H

#include "base/base.h"

#define OPTION_TEXT_MAX 192u

struct options {
	u64 percpu;                       /* 0: choose; else 1 + enum port_percpu_mode */
	u64 audit;                        /* prove all rules at exit */
	u64 foreign_libc;                 /* a pointer from nowhere goes to libc */
	u64 keep_deepbind;                /* dlopen's RTLD_DEEPBIND is left alone */
	u64 limit;                        /* bytes the arena may have; 0: by the machine */
	u64 soft_limit;                   /* bytes above which nothing is kept (R4); 0: none */
	u64 reap;                         /* new slabs between two ticks of the reaper; 0: none */
	u64 random_seq;                   /* objects are given out in random order */
	u64 fake_numa;                    /* so many NUMA nodes are made up; 0: the machine's */
	u64 keep;                         /* bytes of free memory that are kept beside live/16 */
	u64 slab_merge;                   /* caches that are alike become one */
	u64 stats;                        /* calls are counted (gate.h) */
	u64 init_on_alloc;                /* objects are cleared when handed out (gate.h) */
	u64 init_on_free;                 /* and when they come back */
	u64 fail_nth;                     /* this call fails; 0: none */
	u64 guard;                        /* one refill in about so many is guarded; 0: none */
	u64 guard_each;                   /* not refills are counted, but allocations */
	u64 guard_slots;                  /* guarded objects at one time; 0: CONFIG_GUARD_SLOTS */
	char failslab[OPTION_TEXT_MAX];   /* which others do (fault.h) */
	char slab_debug[OPTION_TEXT_MAX]; /* letters and caches (letters.h) */
	char report[OPTION_TEXT_MAX];     /* directory for the record at exit; empty: none */
};

extern struct options options internal_data;

void option_read(const char *text, bool secure);

/* Another text for slab_debug=; false, with nothing changed, iff it is wrong or too long. */
bool option_set_debug(const char *text);

/* Print name, values and meaning of every option. */
void option_print(void);

#endif
