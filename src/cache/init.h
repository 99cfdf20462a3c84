/* SPDX-License-Identifier: MIT */
/*
 * init.h - from nothing to a working allocator, once
 */
#ifndef ASHLAR_CACHE_INIT_H
#define ASHLAR_CACHE_INIT_H

#include "base/base.h"

/* Start Ashlar if it has not started yet; from any thread. false iff this machine gives no
 * memory: then every allocation fails. Cheap when it has. */
bool init_ready(void);

/* Has the start come to its end? Never waits. */
bool init_done(void);

/* Has anybody asked for memory yet? */
bool init_begun(void);

/* How it went, for tools and reports. */
struct init_facts {
	const char *percpu; /* "rseq", "lock" or "pretend" */
	const char *percpu_why;
	size_t arena_bytes;
	size_t ram_bytes;
	unsigned cpus;
};
extern struct init_facts init_facts;

/* Where audits may happen with audit=1: no lock is held. @now: this one shall. */
void init_audit_point(bool now);

/* Stop everything (every CPU, every lock) and let it go on: fork and audits. The child of a
 * fork has no other threads: it also forgets what these were about. */
void init_stop(void);
void init_resume(void);
void init_resume_child(void);

#endif
