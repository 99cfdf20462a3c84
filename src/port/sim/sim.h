/* SPDX-License-Identifier: MIT */
/*
 * sim.h - the machine as a test sets it up
 *
 * What    A fixed arena of host memory, any number of CPUs and nodes, one thread.
 *         The test writes the fields; the port reads them.
 * Use     sim_reset(), change fields, then init_ready(); afterwards change sim.cpu,
 *         sim.fail_at and sim.now_ns as the test goes on.
 */
#ifndef ASHLAR_PORT_SIM_SIM_H
#define ASHLAR_PORT_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port_config.h"

#define SIM_PLACES 20u

struct sim {
	/* What the machine is: read at start. */
	size_t arena_bytes;   /* address space that port_reserve can give */
	size_t mapping_bytes; /* most bytes that mappings may have together */
	unsigned cpus;
	unsigned nodes;
	const char *options; /* as ASHLAR_OPTIONS, or NULL */
	bool secure;         /* the process has more rights than its caller */
	bool lock_mode;      /* no sequences: LOCK mode */
	unsigned cpu_node[PORT_MAX_CPUS];
	struct {
		size_t bytes; /* 0: no more of them */
		unsigned node;
	} place[SIM_PLACES]; /* memory has its place, from the arena's start on; none: it has not */
	size_t zone_bytes[2]; /* of the arena, DMA and DMA32; 0: no such memory */
	unsigned char distance[PORT_MAX_NODES][PORT_MAX_NODES]; /* 0: 10 to itself, else 20 */

	/* What the test turns while it runs. */
	unsigned cpu;         /* the CPU that "runs" */
	uint32_t thread;      /* and the thread, as port_trace says */
	uint64_t fail_at;     /* the fail_at'th request for memory from now on fails; 0: none */
	bool fail_on;         /* every request from then on fails */
	bool fence_refused;   /* port_percpu_fence returns false */
	bool discard_refused; /* port_discard returns false: the pages are locked */
	bool huge_refused;    /* port_huge returns false */
	bool relief_refused;  /* port_relieve returns false (PORT_POPULATES) */
	bool task_refused;    /* there is no such word as task_word */
	void (*watch)(void);  /* run inside each call for or about memory, before it is served,
			      * and in each wait: to look at locks, to do what others might */

	void *frames[4];     /* what port_trace sees of the callers */
	uint64_t now_ns;     /* and when */
	uintptr_t task_word; /* the running thread's: a test that changes threads changes it */
	uintptr_t hole;      /* part of the arena that there is no memory for: address and bytes */
	size_t hole_bytes;   /* 0: none */

	size_t address_limit; /* of the address space, lowered while it runs; 0: none */

	/* What happened. */
	size_t released;                    /* bytes of reserved space given back for good */
	uint64_t requests;                  /* for memory: maps and mappings */
	size_t mapped_bytes;                /* in mappings now */
	uint64_t discarded;                 /* bytes given back by port_discard */
	size_t huge_bytes;                  /* asked for in large pages now */
	unsigned asked;                     /* PORT_ASK_* of the last port_populate */
	uint64_t relieved;                  /* port_relieve calls */
	uint64_t fences;                    /* port_percpu_fence calls */
	uint64_t waits;                     /* port_wait calls: none may happen in one thread */
	uint64_t wakes;                     /* port_wake calls */
	size_t bound_bytes[PORT_MAX_NODES]; /* by port_bind, ever */
	char text[4096];                    /* what port_write was given, newest last */
	size_t text_bytes;

	/* The port's own. */
	bool ready;
	bool relieving; /* a port_relieve runs */
	void *dummy;
	void *region[PORT_MAX_CPUS];
	void *alloc[PORT_MAX_CPUS]; /* the same, at the CPU's own node */
};

extern struct sim sim;

/* A machine of 64 MiB, 4 CPUs and 1 node that never started. Forgets all that was allocated. */
void sim_reset(void);

/* May the byte at @p be read, or would that fault? */
bool sim_is_open(const void *p);

/* Where port_abort continues, if set (a jmp_buf): for tests of reports. */
extern void *sim_abort_jump;

#endif
