/* SPDX-License-Identifier: MIT */
/*
 * record.c - libashlar-record.so: writes down what a program asks its malloc for
 *
 * What    Stands before the program's malloc by preloading, passes every call on, and puts an
 *         event into a mapped file (ashlar/trace.h). A table tells the number of an address.
 *         Nothing of it is in the other libraries: who does not record does not pay.
 * Why     A mapped file keeps what was written when the program is killed, calls _exit or
 *         another program: nothing has to be flushed.
 * State   rec, under its lock
 * Rules   RE1  an address is in the table from after its allocation to before its release: with one
 *              lock for all the file has each allocation before its free
 *         RE2  nothing here allocates but by mmap; the lock is not held while malloc is called, but
 *              for realloc, which is both a release and an allocation
 *         RE3  the child of a fork records nothing; a program that it becomes has a file of its own
 * Input   ASHLAR_RECORD: the file; FILE.PID if it is there already
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ashlar/trace.h"

#define RECORD_API __attribute__((visibility("default")))
#define RECORD_WINDOW ((size_t)1 << 20)
#define RECORD_PAGE ((size_t)65536) /* windows begin at multiples of the largest page size */
#define RECORD_EARLY ((size_t)65536)

struct entry {
	uintptr_t address; /* 0: none */
	uint64_t object;
	uint64_t size;
};

static struct {
	int locked; /* atomic */
	bool on;
	int fd;
	struct ashlar_trace_header *header;
	uint8_t *window; /* RECORD_WINDOW bytes of the file from window_at on */
	size_t window_at;
	struct entry *table;
	size_t capacity; /* a power of two */
	size_t used;
	uint64_t live;
} rec = { .fd = -1 };

/* The malloc behind. */
static struct {
	void *(*malloc)(size_t);
	void (*free)(void *);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*memalign)(size_t, size_t);
	bool looking; /* one thread: the program has not begun */
} next;

/* What dlsym needs while it looks for malloc. */
static char early[RECORD_EARLY] __attribute__((aligned(16)));
static size_t early_used;

static void *early_alloc(size_t size)
{
	size_t at = early_used;

	if (size > RECORD_EARLY - at - 16)
		return NULL;
	early_used = (at + size + 15) & ~(size_t)15;
	return early + at;
}

static bool early_is(const void *p)
{
	return (uintptr_t)p - (uintptr_t)early < RECORD_EARLY;
}

static void *next_find(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

/* false: dlsym asks for memory. */
static bool next_ready(void)
{
	if (next.malloc)
		return true;
	if (next.looking)
		return false;
	next.looking = true;
	*(void **)&next.free = next_find("free");
	*(void **)&next.calloc = next_find("calloc");
	*(void **)&next.realloc = next_find("realloc");
	*(void **)&next.memalign = next_find("memalign");
	*(void **)&next.malloc = next_find("malloc");
	return true;
}

static void lock(void)
{
	while (__atomic_exchange_n(&rec.locked, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void unlock(void)
{
	__atomic_store_n(&rec.locked, 0, __ATOMIC_RELEASE);
}

/* ---- the table ----------------------------------------------------------------------- */

static size_t table_slot(uintptr_t address)
{
	return (address >> 4) * 0x9e3779b97f4a7c15u >> 20 & (rec.capacity - 1);
}

static struct entry *table_find(uintptr_t address)
{
	size_t i = table_slot(address);

	while (rec.table[i].address && rec.table[i].address != address)
		i = (i + 1) & (rec.capacity - 1);
	return &rec.table[i];
}

static bool table_grow(void)
{
	struct entry *old = rec.table;
	size_t count = rec.capacity;
	size_t capacity = count ? count * 2 : 65536;
	void *fresh = mmap(NULL, capacity * sizeof(struct entry), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fresh == MAP_FAILED)
		return false;
	rec.table = fresh;
	rec.capacity = capacity;
	for (size_t i = 0; i < count; i++)
		if (old[i].address)
			*table_find(old[i].address) = old[i];
	if (old)
		munmap(old, count * sizeof(struct entry));
	return true;
}

/* Close the gap: what comes behind moves up if it could not be found otherwise. */
static void table_remove(struct entry *e)
{
	size_t gap = (size_t)(e - rec.table);
	size_t mask = rec.capacity - 1;

	for (size_t i = (gap + 1) & mask; rec.table[i].address; i = (i + 1) & mask) {
		size_t home = table_slot(rec.table[i].address);

		if (((i - home) & mask) >= ((i - gap) & mask)) {
			rec.table[gap] = rec.table[i];
			gap = i;
		}
	}
	rec.table[gap].address = 0;
	rec.used--;
}

/* ---- the file ------------------------------------------------------------------------ */

static void record_stop(void)
{
	rec.on = false;
}

/* The window that holds what is written next. */
static bool record_window(void)
{
	size_t at = rec.header->length & ~(RECORD_PAGE - 1);
	void *fresh;

	if (ftruncate(rec.fd, (off_t)(at + RECORD_WINDOW)) != 0)
		return false;
	fresh = mmap(NULL, RECORD_WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED, rec.fd, (off_t)at);
	if (fresh == MAP_FAILED)
		return false;
	if (rec.window)
		munmap(rec.window, RECORD_WINDOW);
	rec.window = fresh;
	rec.window_at = at;
	return true;
}

/* Append an event of one or two numbers; @two: there is a second. */
static void record_event(uint64_t first, bool two, uint64_t second)
{
	size_t at = rec.header->length - rec.window_at;
	size_t n;

	if (at + ASHLAR_TRACE_EVENT_BYTES > RECORD_WINDOW) {
		if (!record_window()) {
			record_stop(); /* the disk is full: what there is stays readable */
			return;
		}
		at = rec.header->length - rec.window_at;
	}
	n = ashlar_trace_put(rec.window + at, first);
	if (two)
		n += ashlar_trace_put(rec.window + at + n, second);
	rec.header->events++;
	rec.header->length += n;
}

static void record_live(uint64_t more, uint64_t less)
{
	rec.live += more - less;
	if (rec.live > rec.header->live_peak)
		rec.header->live_peak = rec.live;
}

/* An allocation has succeeded; @align is its log2, 0 for the usual one. */
static void *record_alloc(void *p, size_t size, unsigned align)
{
	struct entry *e;

	if (!p || !rec.on)
		return p;
	lock();
	if (rec.on && rec.used * 4 >= rec.capacity * 3 && !table_grow())
		record_stop();
	if (rec.on) {
		e = table_find((uintptr_t)p);
		rec.used += !e->address;
		*e = (struct entry){ (uintptr_t)p, rec.header->objects++, size };
		record_event((uint64_t)size << 2 | (align ? ASHLAR_TRACE_ALIGNED : 0), align,
			     align);
		record_live(size, 0);
	}
	unlock();
	return p;
}

static uint64_t record_back(const struct entry *e)
{
	return rec.header->objects - 1 - e->object;
}

/* @p is about to be freed. What was there before recording began is unknown. */
static void record_free(const void *p)
{
	struct entry *e;

	if (!p || !rec.on)
		return;
	lock();
	e = table_find((uintptr_t)p);
	if (rec.on && e->address) {
		record_event(record_back(e) << 2 | ASHLAR_TRACE_FREE, false, 0);
		record_live(0, e->size);
		table_remove(e);
	}
	unlock();
}

/* RE2: nobody may get the old address and write so before we have. */
static void *record_realloc(void *p, size_t size)
{
	struct entry *e;
	struct entry was;
	void *q;

	lock();
	e = table_find((uintptr_t)p);
	was = *e;
	q = next.realloc(p, size);
	if (q && was.address && rec.on) {
		record_event(record_back(&was) << 2 | ASHLAR_TRACE_RESIZE, true, size);
		record_live(size, was.size);
		table_remove(e);
		e = table_find((uintptr_t)q);
		rec.used += !e->address;
		*e = (struct entry){ (uintptr_t)q, was.object, size };
	}
	unlock();
	return q;
}

/* ---- the program begins, forks ---------------------------------------------------------- */

static void record_name(struct ashlar_trace_header *h)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, h->command, sizeof(h->command) - 1);

	for (ssize_t i = 0; i + 1 < n; i++)
		if (h->command[i] == '\0')
			h->command[i] = ' ';
	if (fd >= 0)
		close(fd);
}

static int record_open(const char *path)
{
	static char own[4096]; /* the program's first stack need not have as much */
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd >= 0 || errno != EEXIST)
		return fd;
	if (snprintf(own, sizeof(own), "%s.%ld", path, (long)getpid()) >= (int)sizeof(own))
		return -1;
	return open(own, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

static void before_fork(void)
{
	lock();
}

static void after_fork(void)
{
	unlock();
}

static void after_fork_child(void)
{
	record_stop(); /* RE3 */
	unlock();
}

__attribute__((constructor)) static void record_start(void)
{
	const char *path = getenv("ASHLAR_RECORD");
	struct ashlar_trace_header *h;

	if (!path || !next_ready() || pthread_atfork(before_fork, after_fork, after_fork_child))
		return;
	rec.fd = record_open(path);
	if (rec.fd < 0 || ftruncate(rec.fd, (off_t)RECORD_PAGE) != 0)
		return;
	h = mmap(NULL, sizeof(*h), PROT_READ | PROT_WRITE, MAP_SHARED, rec.fd, 0);
	if (h == MAP_FAILED)
		return;
	*h = (struct ashlar_trace_header){
		.magic = ASHLAR_TRACE_MAGIC,
		.version = ASHLAR_TRACE_VERSION,
		.bytes = sizeof(*h),
		.length = sizeof(*h),
		.pid = (uint32_t)getpid(),
	};
	record_name(h);
	rec.header = h;
	rec.on = table_grow() && record_window();
}

__attribute__((destructor)) static void record_end(void)
{
	lock();
	if (rec.header && rec.on && ftruncate(rec.fd, (off_t)rec.header->length) == 0)
		record_stop();
	unlock();
}

/* ---- the family ------------------------------------------------------------------------ */

RECORD_API void *malloc(size_t size)
{
	if (!next_ready())
		return early_alloc(size);
	return record_alloc(next.malloc(size), size, 0);
}

RECORD_API void free(void *p)
{
	int saved = errno;

	if (early_is(p) || !next_ready())
		return;
	record_free(p);
	errno = saved;
	next.free(p);
}

RECORD_API void *calloc(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	if (!next_ready())
		return early_alloc(bytes); /* used once: it is zero */
	return record_alloc(next.calloc(count, size), bytes, 0);
}

RECORD_API void *realloc(void *p, size_t size)
{
	void *q;

	if (!next_ready())
		return p ? NULL : early_alloc(size);
	if (!p)
		return malloc(size);
	if (early_is(p)) {
		q = malloc(size);
		if (q)
			memcpy(q, p,
			       size < RECORD_EARLY - (size_t)((char *)p - early) ?
				       size :
				       RECORD_EARLY - (size_t)((char *)p - early));
		return q;
	}
	if (size == 0) {
		record_free(p);
		return next.realloc(p, 0);
	}
	return rec.on ? record_realloc(p, size) : next.realloc(p, size);
}

RECORD_API void *reallocarray(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

static unsigned log2_of(size_t align)
{
	return align > 16 ? (unsigned)__builtin_ctzl(align) : 0;
}

RECORD_API void *memalign(size_t align, size_t size)
{
	if (!next_ready())
		return NULL;
	return record_alloc(next.memalign(align, size), size, log2_of(align));
}

RECORD_API void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

RECORD_API int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (align < sizeof(void *) || (align & (align - 1)))
		return EINVAL;
	p = memalign(align, size);
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

RECORD_API void *valloc(size_t size)
{
	return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

RECORD_API void *pvalloc(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return memalign(page, (size + page - 1) & ~(page - 1));
}
