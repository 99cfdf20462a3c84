/* SPDX-License-Identifier: MIT */
/*
 * heap.h - the figures of one process
 *
 * What    The same structure whether they were read out of a running process, out of a core
 *         file, or out of the record that a process left at its end.
 */
#ifndef ASHLAR_TOOL_HEAP_H
#define ASHLAR_TOOL_HEAP_H

#include "ashlar/anchor.h"
#include "tool.h"

struct target;

/* Sums over all caches; bytes. */
struct heap_sums {
	uint64_t live;    /* what the program has: objects and large blocks */
	uint64_t objects; /* objects in use: a number */
	uint64_t large;   /* of `live`, large blocks */
	uint64_t slabs;   /* slabs, with all that is in them */
	uint64_t idle;    /* free objects in slabs */
	uint64_t arrays;  /* free objects in CPUs' and shared arrays */
	uint64_t waste;   /* what is left over in slabs beside objects */
	uint64_t lists;   /* free pages with memory behind them, and kept mappings */
	uint64_t tables;  /* the library's own arrays */
};

/* A group that pays for memory (<ashlar/account.h>). */
struct heap_group {
	char name[ASHLAR_NAME_BYTES];
	uint64_t bytes;   /* charged, with all groups below */
	uint64_t peak;    /* most at one time */
	uint64_t limit;   /* 0: none */
	uint64_t objects; /* objects and blocks */
	uint64_t refused; /* charges */
};

#define HEAP_ORDERS 24 /* orders of free blocks that are read, at most */
#define HEAP_KINDS 3

/* A zone of pages; pages, but for the numbers. */
struct heap_zone {
	uint64_t node;
	uint64_t kind;  /* 0 DMA, 1 DMA32, 2 Normal */
	uint64_t pages; /* address space that is its own, online or not */
	uint64_t managed;
	uint64_t free;
	uint64_t dirty; /* of `free`, with memory behind them */
	uint64_t min;   /* watermarks */
	uint64_t low;
	uint64_t high;
	uint64_t reserve[HEAP_KINDS]; /* kept from requests whose highest kind this is */
	uint64_t blocks[HEAP_ORDERS]; /* free blocks of each order: a number */
	unsigned orders;
};

/* Guarded objects (guard=): numbers. */
struct heap_guard {
	uint64_t sampled; /* ever */
	uint64_t missed;  /* while all slots were in use, ever */
	uint64_t slots;   /* 0: nothing is guarded, or it is not known */
	uint64_t used;
};

struct heap {
	uint32_t pid;
	uint32_t parent;
	uint32_t cpus;
	uint32_t audited; /* 1: all rules were proved at the end */
	bool ended;       /* from a record: the figures are those at the end */
	uint64_t page_bytes;
	uint64_t rss_peak; /* 0: not known */
	uint64_t user_us;
	uint64_t system_us;
	struct ashlar_pages pages;
	uint32_t events[ASHLAR_EVENTS];
	char percpu[8];
	char why[ASHLAR_WHY_BYTES];
	char message[ASHLAR_MESSAGE_BYTES];
	char command[ASHLAR_COMMAND_BYTES];
	struct heap_sums sums;
	struct heap_guard guard; /* not in a record */
	struct ashlar_row *rows;
	size_t nr_rows;
	struct heap_group *groups; /* none in a record */
	size_t nr_groups;
	struct heap_zone *zones; /* none in a record, none of slob */
	size_t nr_zones;
};

/* Read a record; false iff the file is not one, or damaged. Nothing is said. */
bool heap_read_record(struct heap *h, const char *path);

/* Read what @t holds; false, said, iff it cannot be read. */
bool heap_read_target(struct heap *h, struct target *t);

/* Is it of the slob engine? Then its rows are ASHLAR_ROW_UNITS and ASHLAR_ROW_INSIDE. */
bool heap_is_slob(const struct heap *h);

void heap_free(struct heap *h);

/* @a * @b, or the largest number there is. */
uint64_t heap_times(uint64_t a, uint64_t b);

/* Is it a cache of Ashlar's own? No object of the program's is in it. */
bool heap_row_is_ours(const struct ashlar_row *r);

/* Figures of one cache. */
uint64_t heap_row_total(const struct ashlar_row *r);  /* objects in its slabs, and guarded ones */
uint64_t heap_row_parked(const struct ashlar_row *r); /* of them free, in arrays */
uint64_t heap_row_used(const struct ashlar_row *r);   /* of them the program's */
uint64_t heap_slab_bytes(const struct heap *h, const struct ashlar_row *r);

#endif
