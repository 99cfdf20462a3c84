/* SPDX-License-Identifier: MIT */
/*
 * doors.c - every sequence of the library that programs preload is stopped at each instruction
 *
 * What    sequence_test.c looks at the sequences that the compiler has put into a program. malloc,
 *         free, and each form of C++'s new and delete have copies of their own in
 *         libashlar-malloc.so, in code that the compiler has made otherwise. Here that very file
 *         is loaded, and the tracer stops in it.
 * How     The section __rseq_cs of the file says how many descriptors there are and where; what is
 *         in them is read from the traced process. Some sequences run only with an option that
 *         closes the doors before them, so the same is done under several: what was stopped at
 *         under one of them is done.
 * Rules   SQ1, SQ3 of sequence_test.c
 *         SQ4  every descriptor in the library is reached; all but a few are stopped at on every
 *              instruction that lies within their bounds
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>

#include "cache/init.h"
#include "thread/step.h"
#include "thread/thread.h"

#if STEP_SUPPORTED

#include "thread/tracer.h"

#define DOORS_BYTES 48u
#define DOORS_LIBRARY "libashlar-malloc"
#define DOORS_STAGE 3 /* descriptor of the traced process: the stage */

/* ---- the traced process ------------------------------------------------------------- */

/* C23's, and C++'s under their link names. */
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);
void *doors_new(size_t size) __asm__("_Znwm");
void *doors_new_array(size_t size) __asm__("_Znam");
void doors_delete(void *p) __asm__("_ZdlPv");
void doors_delete_array(void *p) __asm__("_ZdaPv");
void doors_delete_sized(void *p, size_t size) __asm__("_ZdlPvm");
void doors_delete_array_sized(void *p, size_t size) __asm__("_ZdaPvm");
void doors_delete_nothrow(void *p, const void *tag) __asm__("_ZdlPvRKSt9nothrow_t");
void doors_delete_array_nothrow(void *p, const void *tag) __asm__("_ZdaPvRKSt9nothrow_t");
void doors_delete_aligned(void *p, size_t align) __asm__("_ZdlPvSt11align_val_t");
void doors_delete_array_aligned(void *p, size_t align) __asm__("_ZdaPvSt11align_val_t");
void doors_delete_sized_aligned(void *p, size_t size,
				size_t align) __asm__("_ZdlPvmSt11align_val_t");
void doors_delete_array_sized_aligned(void *p, size_t size,
				      size_t align) __asm__("_ZdaPvmSt11align_val_t");
void doors_delete_aligned_nothrow(void *p, size_t align,
				  const void *tag) __asm__("_ZdlPvSt11align_val_tRKSt9nothrow_t");
void doors_delete_array_aligned_nothrow(void *p, size_t align, const void *tag) __asm__(
	"_ZdaPvSt11align_val_tRKSt9nothrow_t");

static struct kmem_cache *cache;
static struct kmem_cache *watched; /* its arrays stay closed */
static unsigned cpus[2];
static volatile size_t bytes = DOORS_BYTES; /* of which the compiler knows nothing */

/* A function of its own for each way in, which gives DOORS_BYTES, and each way out. */
#define WAY_IN(name, call)           \
	static void *in_##name(void) \
	{                            \
		return call;         \
	}
#define WAY_OUT(name, call)             \
	static void out_##name(void *p) \
	{                               \
		call;                   \
	}

WAY_IN(malloc, malloc(bytes))
WAY_IN(calloc, calloc(1, bytes))
WAY_IN(realloc, realloc(NULL, bytes))
WAY_IN(grown, realloc(malloc(bytes / 3), bytes))
WAY_IN(array, reallocarray(NULL, 1, bytes))
WAY_IN(aligned, aligned_alloc(16, bytes))
WAY_IN(new, doors_new(bytes))
WAY_IN(new_array, doors_new_array(bytes))
WAY_IN(kmalloc, ashlar_kmalloc(bytes, GFP_KERNEL))
WAY_IN(constant, kmalloc(DOORS_BYTES, GFP_KERNEL))
WAY_IN(kzalloc, kzalloc(bytes, GFP_KERNEL))
WAY_IN(kmalloc_array, kmalloc_array(1, bytes, GFP_KERNEL))
WAY_IN(kcalloc, kcalloc(1, bytes, GFP_KERNEL))
WAY_IN(krealloc, krealloc(NULL, bytes, GFP_KERNEL))
WAY_IN(kgrown, krealloc(kmalloc(16, GFP_KERNEL), bytes, GFP_KERNEL))
WAY_IN(krealloc_array, krealloc_array(NULL, 1, bytes, GFP_KERNEL))
WAY_IN(kmalloc_node, kmalloc_node(bytes, GFP_KERNEL, 0))
WAY_IN(kvmalloc, kvmalloc(bytes, GFP_KERNEL))

static void *(*const ways_in[])(void) = {
	in_malloc,  in_calloc,    in_realloc, in_grown,          in_array,        in_aligned,
	in_new,     in_new_array, in_kmalloc, in_constant,       in_kzalloc,      in_kmalloc_array,
	in_kcalloc, in_krealloc,  in_kgrown,  in_krealloc_array, in_kmalloc_node, in_kvmalloc,
};

WAY_OUT(free, free(p))
WAY_OUT(realloc, p = realloc(p, 0))
WAY_OUT(moved, free(realloc(p, 20 * bytes)))
WAY_OUT(sized, free_sized(p, bytes))
WAY_OUT(aligned_sized, free_aligned_sized(p, 16, bytes))
WAY_OUT(delete, doors_delete(p))
WAY_OUT(delete_array, doors_delete_array(p))
WAY_OUT(delete_sized, doors_delete_sized(p, bytes))
WAY_OUT(delete_array_sized, doors_delete_array_sized(p, bytes))
WAY_OUT(delete_nothrow, doors_delete_nothrow(p, p))
WAY_OUT(delete_array_nothrow, doors_delete_array_nothrow(p, p))
WAY_OUT(delete_aligned, doors_delete_aligned(p, 16))
WAY_OUT(delete_array_aligned, doors_delete_array_aligned(p, 16))
WAY_OUT(delete_sized_aligned, doors_delete_sized_aligned(p, bytes, 16))
WAY_OUT(delete_array_sized_aligned, doors_delete_array_sized_aligned(p, bytes, 16))
WAY_OUT(delete_aligned_nothrow, doors_delete_aligned_nothrow(p, 16, p))
WAY_OUT(delete_array_aligned_nothrow, doors_delete_array_aligned_nothrow(p, 16, p))
WAY_OUT(kfree, kfree(p))
WAY_OUT(kfree_sensitive, kfree_sensitive(p))
WAY_OUT(krealloc, krealloc(p, 0, GFP_KERNEL))
WAY_OUT(kmoved, kfree(krealloc(p, 20 * bytes, GFP_KERNEL)))
WAY_OUT(kvfree, kvfree(p))

static void (*const ways_out[])(void *) = {
	out_free,
	out_realloc,
	out_moved,
	out_sized,
	out_aligned_sized,
	out_delete,
	out_delete_array,
	out_delete_sized,
	out_delete_array_sized,
	out_delete_nothrow,
	out_delete_array_nothrow,
	out_delete_aligned,
	out_delete_array_aligned,
	out_delete_sized_aligned,
	out_delete_array_sized_aligned,
	out_delete_aligned_nothrow,
	out_delete_array_aligned_nothrow,
	out_kfree,
	out_kfree_sensitive,
	out_krealloc,
	out_kmoved,
	out_kvfree,
};

struct holder {
	uint64_t owner;
	void *held[SEQUENCE_HELD];
	unsigned at; /* counts up: who is held, the way in, the way out */
};

static void holder_turn(struct holder *h, bool take)
{
	void **place = &h->held[h->at % SEQUENCE_HELD];

	if (*place) {
		stage_fault(stamp_remove(*place, DOORS_BYTES, h->owner));
		ways_out[h->at % ARRAY_SIZE(ways_out)](*place);
	}
	*place = take ? ways_in[h->at % ARRAY_SIZE(ways_in)]() : NULL;
	if (*place)
		stamp(*place, DOORS_BYTES, h->owner);
	h->at++;
}

static void doors_objects(const struct holder *h)
{
	void *p = kmem_cache_alloc(cache, GFP_KERNEL);
	void *q = kmem_cache_zalloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, kmem_cache_alloc_node(cache, GFP_KERNEL, 0));
	stamp(p, 64, h->owner);
	stamp(q, 64, ~h->owner);
	stage_fault(stamp_remove(p, 64, h->owner));
	kmem_cache_free(cache, p);
	stage_fault(stamp_remove(q, 64, ~h->owner));
	kmem_cache_free(cache, q);
}

static void doors_batch(struct kmem_cache *c, unsigned count, const struct holder *h)
{
	void *batch[SEQUENCE_BULK];

	if (!kmem_cache_alloc_bulk(c, GFP_KERNEL, count, batch))
		return;
	for (unsigned i = 0; i < count; i++)
		stamp(batch[i], 64, h->owner + i);
	for (unsigned i = 0; i < count; i++)
		stage_fault(stamp_remove(batch[i], 64, h->owner + i));
	kmem_cache_free_bulk(c, count, batch);
}

/* A CPU's array comes into being when the first object is freed, if none was when it was taken. */
static void doors_first_free(const struct holder *h)
{
	struct kmem_cache *brief = kmem_cache_create("brief", 64, 0, SLAB_NO_MERGE, NULL);

	doors_batch(brief, 1, h);
	kmem_cache_destroy(brief);
}

static void doors_round(struct holder *h)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ways_out); i++)
		holder_turn(h, true);
	doors_objects(h);
	doors_batch(cache, SEQUENCE_BULK, h);
	doors_batch(watched, 3, h);
}

static void doors_close(struct holder *h)
{
	for (unsigned i = 0; i < SEQUENCE_HELD; i++)
		holder_turn(h, false);
}

/* The same CPU: uses what the stopped thread was about to take. Another: takes it all away. */
static void *doors_work(void *number)
{
	enum worker me = (enum worker)(uintptr_t)number;
	struct holder h = { .owner = 1000 * (uint64_t)me };

	thread_pin(cpus[me == WORKER_OTHER_CPU]);
	while (stage_wait(me)) {
		doors_round(&h);
		if (me == WORKER_OTHER_CPU)
			malloc_trim(0);
		stage->worked++;
		sem_post(&stage->done[me]);
	}
	doors_close(&h);
	return NULL;
}

static void doors_traced(void)
{
	struct holder h = { .owner = 1 };
	pthread_t threads[WORKERS];

	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED, DOORS_STAGE, 0);
	if (stage == MAP_FAILED)
		_exit(126);
	alarm(thread_alarm());
	if (thread_cpus(cpus, 2) == 1)
		cpus[1] = cpus[0];
	thread_pin(cpus[0]);
	cache = kmem_cache_create("doors", 64, 0, SLAB_NO_MERGE, NULL);
	watched = kmem_cache_create("watched", 64, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	for (uintptr_t w = WORKER_SAME_CPU; w < WORKERS; w++)
		pthread_create(&threads[w], NULL, doors_work, (void *)w);
	stage_trace_me();
	while (!stage_finishing()) {
		doors_round(&h);
		doors_first_free(&h);
	}
	doors_close(&h);
	for (unsigned w = WORKER_SAME_CPU; w < WORKERS; w++) {
		sem_post(&stage->go[w]);
		pthread_join(threads[w], NULL);
	}
	stage->faults += ashlar_audit();
	stage->faults += kmem_cache_shrink(cache) != 0; /* SQ3: every bit is back */
	_exit(stage->faults != 0);
}

/* ---- the tracer ---------------------------------------------------------------------- */

enum done { DONE_NOT, DONE_MET, DONE_PARTLY, DONE_WHOLE };

static struct {
	uintptr_t section; /* __rseq_cs, from where the library begins */
	unsigned count;
	unsigned instructions;
	enum done done[SEQUENCE_MOST];
} library;

/* Where the section lies that has the descriptors; false iff the library has none. */
static bool library_find(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	const Elf64_Shdr *section;
	const Elf64_Ehdr *elf;
	const char *names;
	struct stat stat;

	if (file < 0 || fstat(file, &stat) != 0)
		return false;
	elf = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	close(file);
	if (elf == MAP_FAILED)
		return false;
	section = (const Elf64_Shdr *)(const void *)((const char *)elf + elf->e_shoff);
	names = (const char *)elf + section[elf->e_shstrndx].sh_offset;
	for (unsigned i = 0; i < elf->e_shnum; i++) {
		if (strcmp(names + section[i].sh_name, "__rseq_cs") != 0)
			continue;
		library.section = section[i].sh_addr;
		library.count = (unsigned)(section[i].sh_size / sizeof(struct rseq_cs));
	}
	munmap((void *)(uintptr_t)elf, (size_t)stat.st_size);
	return library.count != 0;
}

/* Where the library begins in the traced process: its first mapping is the lowest. */
static uintptr_t library_base(void)
{
	unsigned long base = 0;
	char line[512];
	FILE *maps;

	snprintf(line, sizeof(line), "/proc/%d/maps", (int)traced);
	maps = fopen(line, "r");
	while (maps && !base && fgets(line, sizeof(line), maps))
		if (strstr(line, "/" DOORS_LIBRARY))
			base = strtoul(line, NULL, 16);
	if (maps)
		fclose(maps);
	return base;
}

static void library_read(uintptr_t base)
{
	for (unsigned i = 0; i < library.count; i++) {
		uintptr_t at = base + library.section + i * sizeof(struct rseq_cs);
		uintptr_t start = (uintptr_t)peek(at + offsetof(struct rseq_cs, start_ip));

		sequences[i] = (struct sequence){
			.start = start,
			.end = start +
			       (uintptr_t)peek(at + offsetof(struct rseq_cs, post_commit_offset)),
			.abort = (uintptr_t)peek(at + offsetof(struct rseq_cs, abort_ip)),
			.descriptor = at,
		};
	}
}

/* This program anew, traced, with @options. */
static bool doors_open(const char *options)
{
	int status;
	int file;

	file = memfd_create("stage", 0);
	if (file < 0 || ftruncate(file, sizeof(*stage)) != 0)
		return false;
	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (stage == MAP_FAILED)
		return false;
	stage_prepare();
	traced = fork();
	if (traced == 0) {
		setenv("ASHLAR_OPTIONS", options, 1);
		dup2(file, DOORS_STAGE);
		execl("/proc/self/exe", "doors", "--traced", (char *)NULL);
		_exit(127);
	}
	close(file);
	return traced > 0 && waitpid(traced, &status, 0) == traced && WIFSTOPPED(status);
}

static void doors_place(const char *text, const struct sequence *s, uintptr_t base)
{
	char line[96];

	snprintf(line, sizeof(line), "%s 0x%lx of the library", text,
		 (unsigned long)(s->start - base));
	tap_note(line);
}

/* Is it to be stopped at in this run? Seen whole; or, at @last, met again and again, but never
 * whole: what is behind a jump that is always taken. Others come by by chance, and would be waited
 * for. */
static bool doors_wants(unsigned i, bool last)
{
	struct sequence *s = &sequences[i];
	bool whole;

	if (library.done[i] == DONE_WHOLE || (last && library.done[i] != DONE_MET))
		return false;
	whole = sequence_explore(s);
	if (s->count && library.done[i] == DONE_NOT)
		library.done[i] = DONE_MET;
	return whole || (last && s->turns == SEQUENCE_TURNS);
}

static void doors_run(const char *options, bool last)
{
	uintptr_t base;

	REQUIRE(doors_open(options));
	base = library_base();
	REQUIRE(base != 0);
	library_read(base);
	for (unsigned i = 0; i < library.count; i++) {
		const struct sequence *s = &sequences[i];

		if (!doors_wants(i, last))
			continue;
		if (!sequence_run(s)) {
			doors_place("stopped at", s, base);
			break;
		}
		library.done[i] = last ? DONE_PARTLY : DONE_WHOLE;
		library.instructions += s->count;
	}
	EXPECT_EQ(stage_end(), 0);
	EXPECT_EQ(stage->faults, 0);
}

/* What no way led to, and what was seen of in part. */
static unsigned doors_count(enum done done, const char *text)
{
	unsigned count = 0;

	for (unsigned i = 0; i < library.count; i++) {
		if (library.done[i] != done)
			continue;
		if (text)
			doors_place(text, &sequences[i],
				    sequences[i].descriptor - library.section -
					    i * sizeof(struct rseq_cs));
		count++;
	}
	return count;
}

TEST(doors_SQ1_SQ3_SQ4_every_sequence_of_the_library)
{
	Dl_info info;

	if (__rseq_size == 0)
		SKIP("this C library has not registered rseq");
	REQUIRE(dladdr(dlsym(RTLD_DEFAULT, "free"), &info) &&
		strstr(info.dli_fname, DOORS_LIBRARY));
	REQUIRE(library_find(info.dli_fname));
	REQUIRE(library.count <= SEQUENCE_MOST);
	doors_run("percpu=rseq", false);
	doors_run("percpu=rseq;stats=1", false); /* each call takes the slow way */
	doors_run("percpu=rseq;guard=1;guard_each=1;guard_slots=200", false); /* objects replaced */
	doors_run("percpu=rseq", true);
	EXPECT_EQ(doors_count(DONE_NOT, "no way leads to"), 0); /* SQ4 */
	EXPECT_EQ(doors_count(DONE_MET, "met, but not stopped at:"), 0);
	EXPECT_LE(doors_count(DONE_PARTLY, "not to the end:"), library.count / 8);
	EXPECT_GE(aborts, WORKERS * library.instructions); /* SQ1 */
	tap_note_number("sequences", library.count);
	tap_note_number("stopped at from end to end", doors_count(DONE_WHOLE, NULL));
	tap_note_number("instructions", library.instructions);
	tap_note_number("aborts", aborts);
}

/* A process of its own, before the harness is asked. */
__attribute__((constructor)) static void doors_begin(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--traced") == 0)
		doors_traced();
}

#else

TEST(doors_every_sequence_of_the_library)
{
	SKIP("no sequences for this processor");
}

#endif
