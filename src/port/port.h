/* SPDX-License-Identifier: MIT */
/*
 * port.h - floor 0: all that the machine gives
 *
 * What    The whole contract between Ashlar and its home. The floors above
 *         call these functions and memcpy, memset, memmove, memcmp, and
 *         nothing else: `make lint` proves it on the joined objects.
 * Homes   linux  a process: one reservation of address space, futexes, rseq
 *         bare   a kernel: the memory of the machine, interrupts, several CPUs
 *         sim    tests: a fixed arena, one thread, the test chooses the CPU
 * Rules   All sizes are bytes, positive, multiples of PAGE_SIZE where memory is
 *         meant. No function calls back into a floor above. None allocates
 *         through malloc. Functions may be called from any thread at any time,
 *         with or without Ashlar's locks, unless they say otherwise.
 *
 * Beside this header each port has two more, found through the include path:
 *   port_config.h   its numbers
 *   percpu.h        the per-CPU sequences: percpu_pop, percpu_push, inline,
 *                   because they are the fast paths
 */
#ifndef ASHLAR_PORT_PORT_H
#define ASHLAR_PORT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port_config.h"

/* What the machine is; filled once by port_init. */
struct port_machine {
	size_t ram_bytes;     /* memory that the machine has */
	size_t address_bytes; /* address space that may still be reserved */
	unsigned cpus;        /* CPU numbers are 0 .. cpus-1, at most PORT_MAX_CPUS */
	unsigned nodes;       /* NUMA nodes are 0 .. nodes-1, at most PORT_MAX_NODES */
	size_t page_bytes;    /* the grain of port_map and port_discard, >= PAGE_SIZE */
	uint64_t random;      /* bits that an attacker cannot guess */
};

enum port_percpu_mode {
	PORT_PERCPU_RSEQ,    /* restartable sequences */
	PORT_PERCPU_LOCK,    /* the owner of a CPU's slot works, the others go to the node */
	PORT_PERCPU_PRETEND, /* the sequences of RSEQ without the kernel, for one thread */
};

/* ---- start ------------------------------------------------------------- */

/* Look at the machine. Called once, before any other function, by one thread. */
void port_init(struct port_machine *machine);

/* The option string of this home (ASHLAR_OPTIONS, the boot line), or NULL. *@secure is
 * set where the process runs with more rights than its caller: only options that harden
 * are honoured then. */
const char *port_options(bool *secure);

/* ---- memory ------------------------------------------------------------ */

/* The arena of a home whose memory has its place (a kernel's direct map): its start, aligned to
 * @align, and its bytes. false where address space has to be reserved for it. */
bool port_arena(size_t align, void **start, size_t *bytes);

/* Narrow the part [*@start, *@start + *@bytes) of the arena to the first run in it that there is
 * memory for; false iff there is none. With @take it is the caller's from now on. In a process all
 * of the arena is memory. */
bool port_memory(void **start, size_t *bytes, bool take);

/* Reserve @bytes of address space aligned to @align, with no memory behind it: every
 * access faults. NULL iff it cannot be had. Called once, at start. Of a home that has port_arena it
 * is asked for the tables only. */
void *port_reserve(size_t bytes, size_t align);

/* Give reserved space that has nothing behind it back to the system for good. */
void port_release(void *start, size_t bytes);

/* The address space that this home may use, and what of it is mapped or reserved. Returns false
 * where there is no limit. */
bool port_address_space(size_t *limit, size_t *used);

/* Let reads of a reserved range give zeros, without memory. Returns false if refused. May be asked
 * for a range that gives zeros already. */
bool port_map_zeros(void *start, size_t bytes);

/* Put memory, zeros, behind a reserved range that has none (or zeros of port_map_zeros).
 * Returns false, with nothing changed, iff memory or address space is exhausted. A home that
 * populates may leave a part done, does not wait, and leaves memory that is there as it is. */
bool port_map(void *start, size_t bytes);

/* For homes where a page gets no memory by being touched (PORT_POPULATES 1): what comes online in
 * the arena has none, what was discarded there has none, and reading it is no zeros but a fault,
 * until port_populate has put memory of any contents behind it. Pages that have memory keep it.
 * False, perhaps with a part done, iff there is not enough; @ask is PORT_ASK_*. No locks are held.
 * In these homes port_map_zeros takes memory away where there is some.
 * port_relieve: port_map was refused; wait until there is memory again. False iff there is none. */
#define PORT_ASK_WAIT 1u /* and let others write to disks for it, call file systems: */
#define PORT_ASK_IO 2u
#define PORT_ASK_FS 4u
#define PORT_ASK_URGENT 8u /* a part of the reserves, for who may not wait */
#if PORT_POPULATES
bool port_populate(void *start, size_t bytes, unsigned ask);
bool port_relieve(unsigned ask);
#else
static inline bool port_populate(void *start, size_t bytes, unsigned ask)
{
	(void)start;
	(void)bytes;
	(void)ask;
	return true;
}

static inline bool port_relieve(unsigned ask)
{
	(void)ask;
	return false;
}
#endif

/* Make [start, start+bytes) reserved again: its memory and its charge go back. */
void port_unmap(void *start, size_t bytes);

/* The contents of a mapped range are not needed: give the memory back now; the next read
 * gives zeros. Returns false, with the contents kept, where it could not (locked pages). */
bool port_discard(void *start, size_t bytes);

/* Ask for memory in pages as large as the system has them, or (@on false) not any more. Returns
 * false where there is no such choice. The contents stay. */
bool port_huge(void *start, size_t bytes, bool on);

/* Mappings of their own for blocks too large for the arena. NULL iff exhausted.
 * port_mapping_resize may move the block; on failure the old one stays as it was. */
void *port_mapping_alloc(size_t bytes, size_t align);
void port_mapping_free(void *start, size_t bytes);
void *port_mapping_resize(void *start, size_t old_bytes, size_t new_bytes);

/* Bytes from the arena's start that devices reach which cannot reach all of memory: @kind 0, DMA
 * (on a PC 16 MiB), 1, DMA32 (4 GiB); may be more than the arena has. 0 where there is no such
 * kind. Constant. */
size_t port_zone_bytes(unsigned kind);

/* What comes online in this range shall be memory of NUMA node @node, as far as it has any;
 * false where that cannot be asked for. Called only where there are several nodes. */
bool port_bind(void *start, size_t bytes, unsigned node);

/* Of a home whose memory has its place: shorten [@start, @start + *@bytes) of the arena to what
 * comes before memory of another node than its first memory's, which is *@node (as it was, if there
 * is none). false where memory becomes a node's by port_bind. Called only with several nodes. */
bool port_node_run(const void *start, size_t *bytes, unsigned *node);

/* How far node @to is from @from, as ACPI's SLIT has it: 10 is the node itself. */
unsigned port_node_distance(unsigned from, unsigned to);

/* ---- CPUs -------------------------------------------------------------- */

/* The CPU this thread runs on, 0 .. cpus-1; may be stale when it returns. */
unsigned port_cpu(void);

/* The node of CPU @cpu, on which this thread has just been; PORT_NODE_UNKNOWN if the machine can
 * tell only of the CPU that it runs on, and the thread has moved. Called only where there are
 * several nodes. */
#define PORT_NODE_UNKNOWN 255u
unsigned port_cpu_node(unsigned cpu);

/* Choose the per-CPU mode: @wanted is a port_percpu_mode, or -1 for the best that works
 * here. @dummy is the region that is always empty and always full. Every CPU starts with
 * it. Returns the mode and, in *@why, a phrase that says why it is that one. */
enum port_percpu_mode port_percpu_init(int wanted, void *dummy, const char **why);

/* Take CPU @cpu's region out of the sequences' reach. Returns it, or NULL if somebody
 * else has it. In RSEQ mode a sequence that has begun may still use it until
 * port_percpu_fence(cpu) has returned true. */
void *port_percpu_own(unsigned cpu);

/* Give CPU @cpu the region @region (first use, or the end of ownership). @alloc are the headers
 * of the CPU's own node in it: what percpu_pop indexes. */
void port_percpu_publish(unsigned cpu, void *region, void *alloc);

/* Wait until no sequence that began before this call is running on @cpu (-1: on any
 * CPU). Returns false iff the system refuses: then nothing may be assumed. */
bool port_percpu_fence(int cpu);

/* Batches through the same sequences, on the CPU that runs it. @header_offset is id * 16 of any
 * node: these index the region, as percpu_push does.
 * pop: takes min(@count, avail) newest objects, oldest of them first, returns how many.
 * push: stores the first min(@count, limit - avail), in order, returns how many. */
unsigned port_percpu_pop_bulk(unsigned header_offset, void **objects, unsigned count);
unsigned port_percpu_push_bulk(unsigned header_offset, void *const *objects, unsigned count);

/* ---- waiting ----------------------------------------------------------- */

/* Sleep while *@word is @value, until port_wake; may return at any time. */
void port_wait(uint32_t *word, uint32_t value);
void port_wake(uint32_t *word);

/* Let another thread run: its turn may be what this one waits for. */
void port_yield(void);

/* A hint to the processor inside a short spin. */
static inline void port_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

/* ---- who calls ----------------------------------------------------------- */

#define PORT_TRACE_FRAMES 14u
#define PORT_NO_CLOCK 1u /* for a moment, where nobody tells the time */

/* A moment, and who was at work in it. */
struct port_trace {
	void *frames[PORT_TRACE_FRAMES]; /* where the calls return to, innermost first; then NULL */
	uint64_t now_ns;                 /* since some moment, never 0; or PORT_NO_CLOCK */
	uint32_t thread;                 /* its number here */
	uint32_t cpu;
};

/* Get ready to see the callers. The one function that may allocate through malloc: never called
 * from inside an allocation. Without it port_trace works, but may see no frames. */
void port_trace_start(void);

/* A word that goes with this thread (in a kernel: with this task, wherever it runs), 0 at first.
 * Neither allocates nor waits. A home keeps at least the bits PORT_TASK_KEPT of it; false, with
 * nothing changed, where it has no such word. */
#define PORT_TASK_KEPT 7u
uintptr_t port_task_word(void);
bool port_task_set(uintptr_t word);

/* The number of the thread that runs this, not 0. */
uint32_t port_thread(void);

/* The callers of this function, outside Ashlar. Neither allocates nor waits. */
void port_trace(struct port_trace *trace);

/* What is known of code address @address, "function+0x12 (file)", cut to @bytes; or "". */
void port_symbol(const void *address, char *text, size_t bytes);

/* ---- the world --------------------------------------------------------- */

/* Write text for the user (standard error, the console). Best effort. */
void port_write(const char *text, size_t bytes);

/* End the program (abort, panic). */
_Noreturn void port_abort(void);

#endif
