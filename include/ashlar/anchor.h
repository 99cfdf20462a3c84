/* SPDX-License-Identifier: MIT */
/*
 * anchor.h - where a tool starts reading, and what it finds there
 *
 * What    Each library that contains Ashlar exports one object, `ashlar_anchor`. It says where in
 *         the process the tables are and how their structures are laid out: field by field,
 *         offset and size. A tool that reads a live process or a core file needs this
 *         header and nothing else of the library.
 *         With report=DIR the library writes the same figures at exit, already summed up,
 *         to DIR/<pid>.<n>: one struct ashlar_record, then one struct ashlar_row for
 *         each cache.
 * Rules   AN1  `magic` never changes; `version` changes when a meaning changes
 *         AN2  readers go by the sizes and offsets that are written here, and believe none
 *              of them without a look: the process may be broken, the file damaged
 *         AN3  a reader writes nothing but `request`
 *         AN4  `fields` is the last member: new ones are added at its end
 */
#ifndef ASHLAR_ANCHOR_H
#define ASHLAR_ANCHOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASHLAR_ANCHOR_MAGIC 0x4173686c61724131ull /* "AshlarA1" */
#define ASHLAR_RECORD_MAGIC 0x4173686c61725231ull /* "AshlarR1" */
#define ASHLAR_ANCHOR_VERSION 1u

#define ASHLAR_NAME_BYTES 32u     /* a cache's name with its end */
#define ASHLAR_WHY_BYTES 96u      /* why the per-CPU mode is what it is */
#define ASHLAR_MESSAGE_BYTES 200u /* the first line of the last report */
#define ASHLAR_COMMAND_BYTES 256u

/* What the library is doing in this process. */
enum ashlar_state {
	ASHLAR_STATE_IDLE = 0,    /* loaded, but nobody has asked it for memory */
	ASHLAR_STATE_SERVING = 1, /* the tables below may be read */
};

/* What a tool may ask for; done at the next slow path, then the bit is cleared. */
#define ASHLAR_REQUEST_TRIM 1u /* give back everything that is not in use */

/* What went wrong, counted since the start. */
enum ashlar_event {
	ASHLAR_EVENT_MISUSE,  /* a wrong pointer, a second free: reported, then the end */
	ASHLAR_EVENT_FAILURE, /* an allocation found no memory */
	ASHLAR_EVENT_REFUSAL, /* kmem_cache_create was refused */
	ASHLAR_EVENT_LEAK,    /* objects still in use when their cache was destroyed */
	ASHLAR_EVENT_FAULT,   /* a rule of Ashlar's own that an audit found broken */
	ASHLAR_EVENTS
};

/* A member of a structure of the library's: an unsigned integer, a pointer or text. */
struct ashlar_field {
	uint16_t offset;
	uint16_t bytes;
};

enum ashlar_field_id {
	/* struct kmem_cache_node: ashlar_anchor.nodes points to a table of pointers to these */
	ASHLAR_NODE_CACHE, /* pointer to its struct kmem_cache */
	ASHLAR_NODE_HEADER_OFFSET,
	ASHLAR_NODE_SLABS,
	ASHLAR_NODE_SLABS_PEAK,
	ASHLAR_NODE_SLABS_EMPTY,
	ASHLAR_NODE_SLABS_GROWN,
	ASHLAR_NODE_OBJECTS_FREE,
	ASHLAR_NODE_SHARED_AVAIL,
	/* struct kmem_cache */
	ASHLAR_CACHE_NAME,
	ASHLAR_CACHE_OBJECT_SIZE,
	ASHLAR_CACHE_STRIDE,
	ASHLAR_CACHE_OBJECTS,
	ASHLAR_CACHE_ORDER,
	ASHLAR_CACHE_ALIGN,
	ASHLAR_CACHE_LIMIT,
	ASHLAR_CACHE_BATCHCOUNT,
	ASHLAR_CACHE_SHARED_FACTOR,
	/* a CPU's array of one cache: region + id * header_bytes */
	ASHLAR_ARRAY_AVAIL,
	/* struct zone */
	ASHLAR_ZONE_MANAGED,
	ASHLAR_ZONE_FREE,
	ASHLAR_ZONE_DIRTY,
	ASHLAR_ZONE_REFAULTED,
	ASHLAR_ZONE_DISCARDED,
	/* a CPU's list of pages */
	ASHLAR_PCP_PAGES,
	/* sums about pages */
	ASHLAR_PAGES_PEAK,
	/* large blocks */
	ASHLAR_LARGE_RUNS,
	ASHLAR_LARGE_USED,
	ASHLAR_LARGE_KEPT,
	/* struct ashlar_group: ashlar_anchor.groups points to a table of pointers to these */
	ASHLAR_GROUP_NAME,
	ASHLAR_GROUP_BYTES,
	ASHLAR_GROUP_PEAK,
	ASHLAR_GROUP_LIMIT,
	ASHLAR_GROUP_OBJECTS,
	ASHLAR_GROUP_REFUSED,
	/* struct kmem_cache_node and struct kmem_cache, further ones */
	ASHLAR_NODE_SLABS_FULL,
	ASHLAR_CACHE_FLAGS, /* SLAB_ flags that it was made with, ASHLAR_FLAG_OWN */
	ASHLAR_CACHE_DEBUG, /* those of debugging that are in force */
	ASHLAR_CACHE_CTOR,
	ASHLAR_NODE_TAKEN,
	ASHLAR_NODE_TAKEN_PEAK,
	ASHLAR_NODE_FREE_PEAK,
	ASHLAR_CACHE_COUNTED,
	ASHLAR_CACHE_ALLOC_HIT,
	ASHLAR_CACHE_ALLOC_MISS,
	ASHLAR_CACHE_FREE_HIT,
	ASHLAR_CACHE_FREE_MISS,
	ASHLAR_CACHE_ERRORS,
	ASHLAR_CACHE_FAR_ALLOCS, /* u64 */
	ASHLAR_CACHE_FAR_FREES,
	ASHLAR_CACHE_OVERFLOWS,
	ASHLAR_NODE_PENDING,
	/* slob alone (ashlar_anchor.percpu is "slob"): zones and caches are lists, whose first are
	 * what `zones` and `nodes` point to */
	ASHLAR_ZONE_NEXT,
	ASHLAR_ZONE_LEAST, /* fewest free pages at any time */
	ASHLAR_ZONE_PAGES, /* pointer to the descriptors of its pages, `pcps.step` bytes each */
	ASHLAR_PAGE_COUNT, /* of a run's first page: its length */
	ASHLAR_PAGE_BITS,  /* bits 0-1: 2 slob page, 3 run; 8-19: of the former, free units */
	ASHLAR_CACHE_NEXT,
	ASHLAR_CACHE_LIVE, /* objects in use */
	/* struct zone, further ones; pages */
	ASHLAR_ZONE_NODE,
	ASHLAR_ZONE_KIND,  /* 0 DMA, 1 DMA32, 2 Normal */
	ASHLAR_ZONE_FIRST, /* its first page in the arena */
	ASHLAR_ZONE_END,   /* one past its last */
	ASHLAR_ZONE_MIN,   /* its watermarks */
	ASHLAR_ZONE_LOW,
	ASHLAR_ZONE_HIGH,
	ASHLAR_ZONE_RESERVE_DMA, /* kept from requests that may have no higher kind than this */
	ASHLAR_ZONE_RESERVE_DMA32,
	ASHLAR_ZONE_RESERVE_NORMAL,
	ASHLAR_ZONE_BLOCKS,      /* free blocks of one page */
	ASHLAR_ZONE_BLOCKS_NEXT, /* of two: the next orders' are as far apart */
	ASHLAR_ZONE_BLOCKS_LAST, /* of the largest order */
	/* struct kmem_cache, a further one; guarded objects: `guard` points to their sums */
	ASHLAR_CACHE_GUARDED, /* objects in slots of their own */
	ASHLAR_GUARD_SAMPLED, /* ever */
	ASHLAR_GUARD_MISSED,  /* that were due while no slot was free, ever */
	ASHLAR_GUARD_SLOTS,   /* 0: nothing is guarded */
	ASHLAR_GUARD_USED,
	ASHLAR_FIELDS
};

/* An array of equal structures in the process. */
struct ashlar_table {
	uint64_t address;
	uint32_t step; /* bytes from one to the next */
	uint32_t count;
};

struct ashlar_anchor {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes;   /* of this structure */
	uint32_t state;   /* enum ashlar_state */
	uint32_t request; /* ASHLAR_REQUEST_ bits */
	uint64_t page_bytes;
	uint64_t arena;              /* first address of the arena */
	uint64_t arena_bytes;        /* its length, with memory behind it or not */
	struct ashlar_table nodes;   /* by id: pointer to a struct kmem_cache_node, or NULL */
	struct ashlar_table regions; /* by CPU: pointer to its array headers, or NULL */
	struct ashlar_table zones;   /* struct zone */
	struct ashlar_table pcps;    /* by CPU: its list of pages */
	struct ashlar_table groups;  /* pointer to a struct ashlar_group that pays, or NULL */
	uint64_t pages;              /* the sums about pages */
	uint64_t large;              /* the sums about large blocks */
	uint64_t guard;              /* the sums about guarded objects */
	uint32_t header_bytes;       /* of one array header */
	uint32_t node_bytes;         /* of struct kmem_cache_node, struct kmem_cache: */
	uint32_t cache_bytes;
	uint32_t zone_bytes;
	uint32_t group_bytes;
	uint32_t events[ASHLAR_EVENTS];
	uint32_t nr_fields;
	char percpu[8]; /* "rseq", "lock" or "pretend"; of the slob engine "slob" */
	char why[ASHLAR_WHY_BYTES];
	char message[ASHLAR_MESSAGE_BYTES];
	struct ashlar_field fields[ASHLAR_FIELDS];
};

/* Where pages are, in bytes. */
struct ashlar_pages {
	uint64_t peak;      /* most that was in use at one time: pages handed out and mappings */
	uint64_t online;    /* the arena's memory */
	uint64_t free;      /* of it on the free lists of zones */
	uint64_t pcp;       /* of it on CPUs' lists */
	uint64_t dirty;     /* of `free`, with memory behind it */
	uint64_t runs;      /* large blocks in the arena */
	uint64_t mappings;  /* large blocks that have a mapping of their own */
	uint64_t kept;      /* mappings kept for reuse */
	uint64_t discarded; /* given back to the system, ever */
	uint64_t refaulted; /* of that, needed again */
};

/* In a cache's flags: it has Ashlar's own descriptors, so no object in it is a program's. */
#define ASHLAR_FLAG_OWN 0x4u

/* What a row stands for. */
enum ashlar_row_kind {
	ASHLAR_ROW_CACHE,  /* a cache of the slab engine */
	ASHLAR_ROW_UNITS,  /* all slob pages: a slab is a page, an object a unit of 2 bytes */
	ASHLAR_ROW_INSIDE, /* a cache of slob: a slab is an object, which lies in these pages */
};

/* One cache. */
struct ashlar_row {
	char name[ASHLAR_NAME_BYTES];
	uint64_t slabs;          /* at this moment */
	uint64_t slabs_peak;     /* the most there were at one time */
	uint64_t slabs_empty;    /* of `slabs`, without an object in use */
	uint64_t slabs_grown;    /* made, ever */
	uint64_t objects_free;   /* in slabs */
	uint64_t objects_array;  /* in CPUs' arrays */
	uint64_t objects_shared; /* in the shared array */
	uint32_t object_size;    /* bytes, as asked for */
	uint32_t stride;         /* bytes from object to object */
	uint32_t objects;        /* in one slab */
	uint32_t order;          /* a slab is 2^order pages */
	uint32_t align;
	uint32_t limit;
	uint32_t batchcount;
	uint32_t shared_factor;
	uint64_t slabs_full; /* of `slabs`, without a free object */
	uint64_t ctor;       /* address of the constructor, or 0 */
	uint32_t flags;      /* SLAB_ flags that the cache was made with, ASHLAR_FLAG_OWN */
	uint32_t debug;      /* those of debugging that are in force */
	uint64_t taken;      /* objects taken out of slabs, ever */
	uint64_t taken_peak; /* most that were out of them at one time */
	uint64_t free_peak;  /* most free objects in slabs at one time */
	uint64_t alloc_hit;  /* these four with stats=1: an object was in the CPU's array */
	uint64_t alloc_miss; /* it had to be refilled */
	uint64_t free_hit;   /* there was room in the array */
	uint64_t free_miss;  /* it had to be flushed */
	uint64_t errors;     /* allocations that found no memory */
	uint64_t far_allocs; /* these three with stats=1: objects of another node than the CPU's */
	uint64_t far_frees;  /* the same */
	uint64_t overflows;  /* an alien array was full, and went home */
	uint64_t counted;    /* 1: stats=1 */
	uint64_t objects_pending; /* freed where no lock could be had, not swept yet */
	uint64_t kind;            /* enum ashlar_row_kind */
	uint64_t objects_guarded; /* in use, in slots of their own, in no slab */
};

/* What a process leaves behind. */
struct ashlar_record {
	uint64_t magic;
	uint32_t version;
	uint32_t bytes;     /* of this structure; the rows follow it */
	uint32_t row_bytes; /* of one row */
	uint32_t pid;
	uint32_t parent;
	uint32_t cpus;    /* CPUs that have arrays */
	uint32_t audited; /* 1: all rules of the heap were proved before this was written */
	uint64_t page_bytes;
	uint64_t rss_peak; /* the most memory the process had, as the system counts */
	uint64_t user_us;  /* processor time */
	uint64_t system_us;
	struct ashlar_pages pages;
	uint32_t events[ASHLAR_EVENTS];
	char percpu[8];
	char why[ASHLAR_WHY_BYTES];
	char message[ASHLAR_MESSAGE_BYTES];
	char command[ASHLAR_COMMAND_BYTES]; /* words with a blank between */
};

extern __attribute__((visibility("default"))) struct ashlar_anchor ashlar_anchor;

#ifdef __cplusplus
}
#endif

#endif
