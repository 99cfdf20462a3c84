/* SPDX-License-Identifier: MIT */
/*
 * api.c - what malloc and its family promise, as TAP
 *
 * What    Each promise of C, POSIX and the manual pages that a program may lean on:
 *         alignment, size 0, failure and errno, contents, sizes near the ends of the range.
 * Why     The same program passes on the plain C library, so it asks for nothing of our own.
 * Note    Where the C library is free to choose, and so are we, both answers pass.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int count, failed;
static volatile size_t near_max[] = {
	(size_t)PTRDIFF_MAX - 4096,
	(size_t)PTRDIFF_MAX,
	(size_t)PTRDIFF_MAX + 1,
	SIZE_MAX - (1 << 20),
	SIZE_MAX - 4096,
	SIZE_MAX - 64,
	SIZE_MAX - 15,
	SIZE_MAX - 1,
	SIZE_MAX,
};
enum { NEAR_MAX = sizeof(near_max) / sizeof(near_max[0]) };

static void ok(int good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, name);
	failed += !good;
}

static int aligned(const void *p, size_t to)
{
	return p && !((uintptr_t)p & (to - 1));
}

/* NULL with ENOMEM, as every failure must be */
static int refused(void *p)
{
	int good = !p && errno == ENOMEM;

	errno = 0;
	return good;
}

static size_t byte_at(size_t i, size_t seed)
{
	return (i * 131 + seed * 29 + 7) & 0xff;
}

static void fill(unsigned char *p, size_t n, size_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)byte_at(i, seed);
}

static int holds(const unsigned char *p, size_t n, size_t seed)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte_at(i, seed))
			return 0;
	return 1;
}

static int zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return 0;
	return 1;
}

/* The next size of a walk over all sizes: every byte at first, then larger steps */
static size_t next_size(size_t n)
{
	return n < 300 ? n + 1 : n + n / 17 + 1;
}

static void sizes_and_alignment(void)
{
	int align = 1, usable = 1, write_all = 1, distinct = 1;

	for (size_t n = 0; n < (size_t)20 << 20; n = next_size(n)) {
		unsigned char *p = malloc(n), *q = malloc(n);

		align &= aligned(p, 16) && aligned(q, 16);
		distinct &= p != q;
		usable &= malloc_usable_size(p) >= n;
		fill(p, malloc_usable_size(p), n);
		fill(q, n, n + 1);
		write_all &= holds(p, malloc_usable_size(p), n);
		free(p);
		free(q);
	}
	ok(align, "malloc: every object is aligned to 16 bytes");
	ok(distinct, "malloc: live objects differ, also those of size 0");
	ok(usable, "malloc_usable_size: at least what was asked for");
	ok(write_all, "malloc_usable_size: all of it can be written");
	ok(malloc_usable_size(NULL) == 0, "malloc_usable_size: 0 for NULL");
}

static void free_keeps_errno(void)
{
	int good = 1;

	for (size_t n = 1; n < (size_t)64 << 20; n *= 2) {
		void *p = malloc(n);

		errno = 4242;
		free(p);
		good &= errno == 4242;
	}
	free(NULL);
	ok(good && errno == 4242, "free: keeps errno, for every size and for NULL");
	errno = 0;
}

static void too_large(void)
{
	int m = 1, c = 1, r = 1, a = 1, x = 1, kept = 1;
	void *volatile p;

	for (int i = 0; i < NEAR_MAX; i++) {
		size_t n = near_max[i];
		unsigned char *old = malloc(100);

		errno = 0;
		p = malloc(n);
		m &= refused(p);
		p = calloc(1, n);
		c &= refused(p);
		p = calloc(n, 1);
		c &= refused(p);
		fill(old, 100, 5);
		p = realloc(old, n);
		r &= refused(p);
		kept &= holds(old, 100, 5);
		p = realloc(NULL, n);
		r &= refused(p);
		p = memalign(64, n);
		a &= refused(p);
		p = aligned_alloc(4096, n);
		a &= refused(p);
		p = valloc(n);
		x &= refused(p);
		p = pvalloc(n);
		x &= refused(p);
		free(old);
	}
	ok(m, "malloc: sizes near the largest give NULL and ENOMEM");
	ok(c, "calloc: sizes near the largest give NULL and ENOMEM");
	ok(r, "realloc: sizes near the largest give NULL and ENOMEM");
	ok(kept, "realloc: on failure the old object is as it was");
	ok(a, "memalign, aligned_alloc: sizes near the largest give NULL and ENOMEM");
	ok(x, "valloc, pvalloc: sizes near the largest give NULL and ENOMEM");
}

static void products(void)
{
	static volatile size_t n[][2] = {
		{ SIZE_MAX, 2 },           { 2, SIZE_MAX },
		{ SIZE_MAX / 2 + 1, 2 },   { (size_t)1 << 32, (size_t)1 << 32 },
		{ SIZE_MAX / 16 + 2, 16 }, { (size_t)1 << 33, ((size_t)1 << 31) + 1 },
		{ SIZE_MAX, SIZE_MAX },    { 0x5555555555555556u, 3 },
	};
	int c = 1, r = 1, kept = 1;
	void *volatile p;

	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		unsigned char *old = malloc(50);

		fill(old, 50, i);
		errno = 0;
		p = calloc(n[i][0], n[i][1]);
		c &= refused(p);
		p = reallocarray(old, n[i][0], n[i][1]);
		r &= refused(p);
		p = reallocarray(NULL, n[i][0], n[i][1]);
		r &= refused(p);
		kept &= holds(old, 50, i);
		free(old);
	}
	ok(c, "calloc: a product that overflows gives NULL and ENOMEM");
	ok(r && kept,
	   "reallocarray: a product that overflows gives NULL and ENOMEM, the object stays");
	p = reallocarray(NULL, 10, 10);
	ok(p && malloc_usable_size(p) >= 100, "reallocarray: allocates for NULL");
	p = reallocarray(p, 1000, 10);
	ok(p && malloc_usable_size(p) >= 10000, "reallocarray: grows");
	free(p);
	p = calloc(0, 10);
	ok(p != NULL, "calloc: no elements is an object of size 0");
	free(p);
	p = calloc(SIZE_MAX, 0);
	ok(p != NULL, "calloc: elements of size 0 are an object of size 0");
	free(p);
}

static void calloc_is_zero(void)
{
	int good = 1;

	for (size_t n = 1; n < (size_t)12 << 20; n = next_size(n)) {
		unsigned char *p[4];

		for (int i = 0; i < 4; i++) {
			p[i] = malloc(n);
			memset(p[i], 0xff, malloc_usable_size(p[i]));
		}
		for (int i = 0; i < 4; i++)
			free(p[i]);
		for (int i = 0; i < 4; i++) {
			p[i] = calloc(i % 2 ? 1 : n, i % 2 ? n : 1);
			good &= p[i] && zero(p[i], n);
			memset(p[i], 0xff, n);
		}
		for (int i = 0; i < 4; i++)
			free(p[i]);
	}
	ok(good, "calloc: zero also where memory was used before, for all sizes");
}

static void realloc_keeps(void)
{
	static const size_t size[] = {
		1,
		15,
		16,
		17,
		31,
		40,
		64,
		100,
		112,
		113,
		200,
		256,
		257,
		511,
		513,
		1000,
		1024,
		1025,
		1500,
		2047,
		2049,
		3000,
		4095,
		4096,
		4097,
		6000,
		8192,
		8193,
		12000,
		16384,
		16385,
		30000,
		32768,
		32769,
		40000,
		65536,
		65537,
		100000,
		131072,
		200000,
		300000,
		1 << 20,
		(1 << 20) + 1,
		3 << 20,
		8 << 20,
		(8 << 20) + 1,
		9 << 20,
		33 << 20,
	};
	enum { N = sizeof(size) / sizeof(size[0]) };
	int good = 1, align = 1;

	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < N; k++) {
			size_t least = size[i] < size[k] ? size[i] : size[k];
			unsigned char *p = malloc(size[i]);

			/* The large ones cost most: look at their start and end only. */
			size_t head = least < 70000 ? least : 70000;

			fill(p, head, i + k);
			p[least - 1] = 0x77;
			p = realloc(p, size[k]);
			align &= aligned(p, 16) && malloc_usable_size(p) >= size[k];
			good &= p[least - 1] == 0x77 && holds(p, head - (head == least), i + k);
			free(p);
		}
	}
	ok(good, "realloc: keeps the content from every size to every size");
	ok(align, "realloc: alignment and size are right from every size to every size");
}

static void realloc_grows(void)
{
	unsigned char *p = NULL;
	int good = 1;
	size_t old = 0;

	for (size_t n = 1; n < (size_t)16 << 20; n += n / 5 + 1) {
		p = realloc(p, n);
		good &= p && holds(p, old < 50000 ? old : 50000, 3);
		fill(p, n < 50000 ? n : 50000, 3);
		old = n;
	}
	while (old > 1) {
		old -= old / 5 + 1;
		p = realloc(p, old ? old : 1);
		good &= p && holds(p, old < 50000 ? old : 50000, 3);
	}
	free(p);
	ok(good, "realloc: a block that grows and shrinks in steps keeps its content");
}

static void realloc_edges(void)
{
	void *volatile p = realloc(NULL, 24);

	ok(p && malloc_usable_size(p) >= 24, "realloc: allocates for NULL");
	errno = 77;
	p = realloc(p, 0);
	ok(p == NULL && errno == 77, "realloc: size 0 frees, returns NULL, keeps errno");
	p = realloc(NULL, 0);
	ok(p != NULL, "realloc: NULL and size 0 allocate an object of size 0");
	free(p);
	p = malloc(40);
	ok(realloc(p, 40) == p, "realloc: the same size stays where it is");
	free(p);
}

static void aligned_calls(void)
{
	int m = 1, a = 1, pm = 1, stay = 1;

	for (size_t to = 1; to <= (size_t)4 << 20; to *= 2) {
		for (size_t n = 0; n < 70000; n = n * 3 + 1) {
			unsigned char *p = memalign(to, n), *q = aligned_alloc(to, n);
			void *r = NULL;

			m &= aligned(p, to) && aligned(p, 16) && malloc_usable_size(p) >= n;
			a &= aligned(q, to) && aligned(q, 16) && malloc_usable_size(q) >= n;
			if (to >= sizeof(void *))
				pm &= !posix_memalign(&r, to, n) && aligned(r, to) &&
				      malloc_usable_size(r) >= n;
			fill(p, n, to);
			p = realloc(p, n + 100);
			stay &= holds(p, n, to);
			free(p);
			free(q);
			free(r);
		}
	}
	ok(m, "memalign: every power of two up to 4 MiB");
	ok(a, "aligned_alloc: every power of two up to 4 MiB");
	ok(pm, "posix_memalign: every power of two up to 4 MiB");
	ok(stay, "realloc: keeps the content of aligned objects");
}

static void posix_memalign_errors(void)
{
	static volatile size_t bad[] = { 0, 1, 2, 4, 7, 9, 12, 24, 48, 100, 4095, SIZE_MAX };
	void *const mark = &bad;
	void *p = mark;
	int good = 1;

	errno = 123;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		good &= posix_memalign(&p, bad[i], 64) == EINVAL && p == mark && errno == 123;
	ok(good, "posix_memalign: a wrong alignment gives EINVAL, errno and the pointer stay");
	good = 1;
	for (int i = 0; i < NEAR_MAX; i++)
		good &= posix_memalign(&p, 64, near_max[i]) == ENOMEM && p == mark;
	ok(good, "posix_memalign: too much gives ENOMEM, the pointer stays");
}

/* glibc rounds such alignments up, others refuse them: never a crash, never less alignment */
static void odd_alignments(void)
{
	static volatile size_t odd[] = { 3, 6, 24, 48, 100, 1000, 5000 };
	int good = 1;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		void *p;

		errno = 0;
		p = memalign(odd[i], 50);
		good &= p ? aligned(p, 16) : errno == EINVAL;
		free(p);
		errno = 0;
		p = aligned_alloc(odd[i], 50);
		good &= p ? aligned(p, 16) : errno == EINVAL;
		free(p);
	}
	ok(good, "memalign, aligned_alloc: no power of two gives EINVAL or more alignment");
	errno = 0;
	good = 1;
	for (int i = 0; i < 3; i++) {
		size_t huge = ((size_t)1 << 62) << (i == 2);
		void *volatile p = memalign(huge, i == 1 ? SIZE_MAX / 2 : 10);

		good &= !p && (errno == ENOMEM || errno == EINVAL);
	}
	ok(good, "memalign: an alignment as large as the address space is refused");
}

static void page_calls(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int v = 1, pv = 1;

	for (size_t n = 0; n < 300000; n = n * 3 + 1) {
		void *p = valloc(n), *q = pvalloc(n);

		v &= aligned(p, page) && malloc_usable_size(p) >= n;
		pv &= aligned(q, page) && malloc_usable_size(q) >= (n + page - 1) / page * page;
		free(p);
		free(q);
	}
	ok(v, "valloc: aligned to a page");
	ok(pv, "pvalloc: aligned to a page, and the size is rounded up to pages");
}

static void statistics(void)
{
	enum { N = 1000, SIZE = 4000 };
	static void *p[N];
	struct mallinfo2 before = mallinfo2(), after;
	struct mallinfo old;

	for (int i = 0; i < N; i++) {
		p[i] = malloc(SIZE);
		memset(p[i], 1, SIZE);
	}
	after = mallinfo2();
	old = mallinfo();
	ok(after.uordblks + after.hblkhd >= before.uordblks + before.hblkhd + (size_t)N * SIZE,
	   "mallinfo2: what is in use grows by what was allocated");
	ok(after.arena + after.hblkhd >= (size_t)N * SIZE &&
		   after.arena + after.hblkhd < (size_t)1 << 32,
	   "mallinfo2: what came from the system is a sane number");
	ok((unsigned int)old.uordblks >= (unsigned int)N * SIZE / 2, "mallinfo: tells the same");
	for (int i = 0; i < N; i++)
		free(p[i]);
	after = mallinfo2();
	ok(after.uordblks + after.hblkhd < before.uordblks + before.hblkhd + (size_t)N * SIZE / 4,
	   "mallinfo2: what is in use shrinks by what was freed");
	malloc_trim(0);
	ok(malloc_trim(0) == 0 || malloc_trim(1 << 20) >= 0, "malloc_trim: answers 0 or 1");
	ok(mallopt(M_MMAP_THRESHOLD, 256 << 10) == 1, "mallopt: 1 for a known setting");
	ok(mallopt(M_TRIM_THRESHOLD, 256 << 10) == 1, "mallopt: 1 for another known setting");
	ok(mallopt(M_ARENA_MAX, 1) == 1, "mallopt: 1 for M_ARENA_MAX");
	ok(malloc_info(1, stdout) != 0, "malloc_info: refuses options");
}

/* "api xml" prints malloc_info's XML alone, for a parser to judge; "api stats" malloc_stats. */
int main(int argc, char **argv)
{
	void *some[3] = { malloc(100), malloc(50000), malloc(5 << 20) };

	if (argc > 1 && !strcmp(argv[1], "xml"))
		return some[0] ? malloc_info(0, stdout) : 1;
	if (argc > 1 && !strcmp(argv[1], "stats")) {
		malloc_stats();
		return 0;
	}
	sizes_and_alignment();
	free_keeps_errno();
	too_large();
	products();
	calloc_is_zero();
	realloc_keeps();
	realloc_grows();
	realloc_edges();
	aligned_calls();
	posix_memalign_errors();
	odd_alignments();
	page_calls();
	statistics();
	for (int i = 0; i < 3; i++)
		free(some[i]);
	printf("1..%d\n", count);
	return failed != 0;
}
