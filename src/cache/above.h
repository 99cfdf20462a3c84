/* SPDX-License-Identifier: MIT */
/*
 * above.h - what a floor above this one leaves here, so that all can be stopped, proved and emptied
 *
 * What    fork stops everything, an audit proves everything, and a request that finds no
 *         memory empties everything. A floor that has locks, rules or idle memory of its
 *         own enters what is to be done about them, once; who never uses that floor has nothing
 *         of it here.
 * Rules   AB1 an entry stays for good
 *         AB2 stop and resume are called with no lock held but those of floors above; resume ends
 *             what stop began, in the child of a fork after forget
 *         AB3 shrink is called without a lock, by any thread, in several at a time
 */
#ifndef ASHLAR_CACHE_ABOVE_H
#define ASHLAR_CACHE_ABOVE_H

#include "base/base.h"

struct above {
	void (*stop)(void);     /* take every lock of the floor */
	void (*resume)(void);   /* release them */
	void (*forget)(void);   /* fork's child: other threads are gone */
	size_t (*audit)(void);  /* while all is stopped: faults found */
	size_t (*shrink)(void); /* give back what is idle: pages */
	struct above *next;     /* above.c's */
};

void above_enter(struct above *entry);

/* Stop all there are, and say which these are: others may come meanwhile. */
struct above *above_stop(void);
void above_resume(struct above *stopped);
void above_forget(struct above *stopped);
size_t above_audit(struct above *stopped);

/* Pages that came back. */
size_t above_shrink(void);

#endif
