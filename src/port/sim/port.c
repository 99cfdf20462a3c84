/* SPDX-License-Identifier: MIT */
/*
 * port.c - a machine in a test's hands
 *
 * What    The contract of port.h on memory of the host (host.h), with every request
 *         counted and any one of them refused. Memory that is offline really
 *         faults, so that a use after it went back is seen.
 */
#include <setjmp.h>

#include "percpu.h"
#include "port/port.h"
#include "port/sim/host.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);

#define SIM_PAGE ((size_t)1 << PORT_PAGE_SHIFT)

struct sim sim;
void *sim_abort_jump;

static char *sim_arena;
static size_t sim_arena_bytes;
static const char *sim_placed; /* where sim.place begins */

void sim_reset(void)
{
	if (sim_arena)
		sim_host_release(sim_arena, sim_arena_bytes);
	sim_arena = NULL;
	sim_placed = NULL;
	sim = (struct sim){
		.arena_bytes = (size_t)64 << 20,
		.mapping_bytes = (size_t)256 << 20,
		.cpus = 4,
		.nodes = 1,
	};
}

/* Let the test look, or do what another thread would; not again for what it calls itself. */
static void sim_watch(void)
{
	void (*watch)(void) = sim.watch;

	if (!watch)
		return;
	sim.watch = NULL;
	watch();
	sim.watch = watch;
}

/* Count a request; false iff the test wants it refused. */
static bool sim_request(void)
{
	sim_watch();
	sim.requests++;
	if (sim.fail_at && --sim.fail_at == 0) {
		if (sim.fail_on)
			sim.fail_at = 1;
		return false;
	}
	return true;
}

void port_init(struct port_machine *machine)
{
	*machine = (struct port_machine){
		.ram_bytes = sim.arena_bytes,
		.address_bytes = sim.arena_bytes * 2,
		.cpus = sim.cpus,
		.nodes = sim.nodes,
		.page_bytes = SIM_PAGE,
		.random = 0x5eed,
	};
}

const char *port_options(bool *secure)
{
	*secure = sim.secure;
	return sim.options;
}

bool port_arena(size_t align, void **start, size_t *bytes)
{
	(void)align;
	(void)start;
	(void)bytes;
	return false;
}

/* All but the hole. */
bool port_memory(void **start, size_t *bytes, bool take)
{
	uintptr_t from = (uintptr_t)*start;
	uintptr_t end = from + *bytes;
	uintptr_t hole_end = sim.hole + sim.hole_bytes;

	(void)take;
	if (from >= sim.hole && from < hole_end)
		from = hole_end;
	else if (sim.hole > from && sim.hole < end)
		end = sim.hole;
	if (from >= end)
		return false;
	*start = (void *)from;
	*bytes = end - from;
	return true;
}

void *port_reserve(size_t bytes, size_t align)
{
	if (bytes > sim.arena_bytes + ((size_t)32 << 20))
		return NULL;
	sim_arena_bytes = bytes + align;
	sim_arena = sim_host_reserve(sim_arena_bytes);
	if (!sim_arena)
		return NULL;
	return (void *)(((uintptr_t)sim_arena + align - 1) & ~(uintptr_t)(align - 1));
}

void port_release(void *start, size_t bytes)
{
	sim.released += bytes;
	sim_host_release(start, bytes);
}

bool port_address_space(size_t *limit, size_t *used)
{
	*limit = sim.address_limit;
	*used = sim_arena_bytes - sim.released;
	return sim.address_limit != 0;
}

bool port_map_zeros(void *start, size_t bytes)
{
	if (PORT_POPULATES)
		sim_host_close(start, bytes);
	return sim_host_open(start, bytes, false);
}

bool port_map(void *start, size_t bytes)
{
	return sim_request() && sim_host_open(start, bytes, true);
}

bool sim_is_open(const void *p)
{
	return sim_host_is_open(p);
}

void port_unmap(void *start, size_t bytes)
{
	sim_watch();
	sim_host_close(start, bytes);
}

bool port_discard(void *start, size_t bytes)
{
	sim_watch();
	if (sim.discard_refused)
		return false;
	sim.discarded += bytes;
	if (!PORT_POPULATES)
		return sim_host_clear(start, bytes);
	sim_host_close(start, bytes);
	return true;
}

#if PORT_POPULATES
bool port_populate(void *start, size_t bytes, unsigned ask)
{
	sim.asked = ask;
	return sim_request() && sim_host_open(start, bytes, true);
}

bool port_relieve(unsigned ask)
{
	sim.relieving = true;
	sim_watch();
	sim.relieving = false;
	sim.asked = ask;
	sim.relieved++;
	return !sim.relief_refused;
}
#endif

bool port_huge(void *start, size_t bytes, bool on)
{
	(void)start;
	sim_watch();
	if (sim.huge_refused)
		return false;
	sim.huge_bytes += on ? bytes : 0 - bytes;
	return true;
}

void *port_mapping_alloc(size_t bytes, size_t align)
{
	void *p;

	if (!sim_request() || bytes > sim.mapping_bytes - sim.mapped_bytes)
		return NULL;
	p = sim_host_block(bytes, align < SIM_PAGE ? SIM_PAGE : align);
	if (!p)
		return NULL;
	sim.mapped_bytes += bytes;
	return memset(p, 0, bytes);
}

void port_mapping_free(void *start, size_t bytes)
{
	sim_watch();
	sim.mapped_bytes -= bytes;
	sim_host_block_free(start);
}

void *port_mapping_resize(void *start, size_t old_bytes, size_t new_bytes)
{
	void *p = port_mapping_alloc(new_bytes, SIM_PAGE);

	if (!p)
		return NULL;
	memcpy(p, start, old_bytes < new_bytes ? old_bytes : new_bytes);
	port_mapping_free(start, old_bytes);
	return p;
}

size_t port_zone_bytes(unsigned kind)
{
	return sim.zone_bytes[kind];
}

bool port_bind(void *start, size_t bytes, unsigned node)
{
	(void)start;
	sim.bound_bytes[node] += bytes;
	return node < sim.nodes;
}

/* As sim.place says, if it does. The first question is about the arena's start. */
bool port_node_run(const void *start, size_t *bytes, unsigned *node)
{
	size_t end = 0;
	size_t at;

	if (!sim_placed)
		sim_placed = start;
	at = (size_t)((const char *)start - sim_placed);
	for (unsigned i = 0; i < SIM_PLACES && sim.place[i].bytes; i++) {
		end += sim.place[i].bytes;
		if (at < end) {
			*node = sim.place[i].node;
			if (*bytes > end - at)
				*bytes = end - at;
			return true;
		}
	}
	return sim.place[0].bytes != 0;
}

unsigned port_node_distance(unsigned from, unsigned to)
{
	if (sim.distance[from][to])
		return sim.distance[from][to];
	return from == to ? 10 : 20;
}

unsigned port_cpu_node(unsigned cpu)
{
	return sim.cpu_node[cpu];
}

unsigned port_cpu(void)
{
	return sim.cpu;
}

enum port_percpu_mode port_percpu_init(int wanted, void *dummy, const char **why)
{
	bool lock = sim.lock_mode || wanted == PORT_PERCPU_LOCK;

	sim.dummy = dummy;
	for (unsigned i = 0; i < PORT_MAX_CPUS; i++)
		sim.region[i] = sim.alloc[i] = dummy;
	sim.ready = !lock;
	*why = "simulated";
	return lock ? PORT_PERCPU_LOCK : PORT_PERCPU_PRETEND;
}

void *port_percpu_own(unsigned cpu)
{
	void *region = sim.region[cpu];

	if (region == sim.dummy)
		return NULL;
	sim.region[cpu] = sim.alloc[cpu] = sim.dummy;
	return region;
}

void port_percpu_publish(unsigned cpu, void *region, void *alloc)
{
	sim.alloc[cpu] = alloc;
	sim.region[cpu] = region;
}

bool port_percpu_fence(int cpu)
{
	(void)cpu;
	sim.fences++;
	return !sim.fence_refused;
}

unsigned port_percpu_pop_bulk(unsigned header_offset, void **objects, unsigned count)
{
	struct array_cache *a = percpu_header(header_offset);
	unsigned n = a->avail < count ? a->avail : count;

	if (n == 0)
		return 0;
	a->avail = (uint16_t)(a->avail - n);
	a->idle = 0;
	memcpy(objects, &a->entry[a->avail], n * sizeof(void *));
	return n;
}

unsigned port_percpu_push_bulk(unsigned header_offset, void *const *objects, unsigned count)
{
	struct array_cache *a = percpu_header(header_offset);
	unsigned room = (unsigned)(a->limit - a->avail);
	unsigned n = room < count ? room : count;

	if (n == 0)
		return 0;
	memcpy(&a->entry[a->avail], objects, n * sizeof(void *));
	a->avail = (uint16_t)(a->avail + n);
	return n;
}

void port_wait(uint32_t *word, uint32_t value)
{
	(void)word;
	(void)value;
	sim_watch();
	sim.waits++;
	if (sim.waits > 1000)
		sim_host_die("sim: a lock is waited for by the only thread\n");
}

void port_wake(uint32_t *word)
{
	(void)word;
	sim.wakes++;
}

void port_yield(void)
{
	port_wait(NULL, 0);
}

void port_trace_start(void)
{
}

uintptr_t port_task_word(void)
{
	return sim.task_word;
}

bool port_task_set(uintptr_t word)
{
	if (sim.task_refused)
		return false;
	sim.task_word = word;
	return true;
}

uint32_t port_thread(void)
{
	return sim.thread + 1;
}

void port_trace(struct port_trace *trace)
{
	*trace = (struct port_trace){
		.now_ns = sim.now_ns,
		.thread = port_thread(),
		.cpu = sim.cpu,
	};
	memcpy(trace->frames, sim.frames, sizeof(sim.frames));
}

void port_symbol(const void *address, char *text, size_t bytes)
{
	static const char begin[] = "code+0x";
	unsigned shift = 60;
	size_t n = 0;

	while (shift && (uintptr_t)address >> shift == 0)
		shift -= 4;
	for (; begin[n] && n + 1 < bytes; n++)
		text[n] = begin[n];
	for (;; shift -= 4) {
		if (n + 1 < bytes)
			text[n++] = "0123456789abcdef"[(uintptr_t)address >> shift & 15];
		if (shift == 0)
			break;
	}
	text[n] = '\0';
}

void port_write(const char *text, size_t bytes)
{
	if (bytes > sizeof(sim.text) - 1)
		bytes = sizeof(sim.text) - 1;
	if (sim.text_bytes + bytes > sizeof(sim.text) - 1)
		sim.text_bytes = 0;
	memcpy(sim.text + sim.text_bytes, text, bytes);
	sim.text_bytes += bytes;
	sim.text[sim.text_bytes] = '\0';
}

_Noreturn void port_abort(void)
{
	if (sim_abort_jump)
		longjmp(*(jmp_buf *)sim_abort_jump, 1);
	sim_host_die(sim.text);
}
