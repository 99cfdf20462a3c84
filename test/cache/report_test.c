/* SPDX-License-Identifier: MIT */
/*
 * report_test.c - what is said of each misuse, word for word
 */
#include "base/bits.h"
#include "cache/cache.h"
#include "cache/hold.h"
#include "cache/init.h"
#include "cache/kmalloc.h"
#include "cache/large.h"
#include "cache/option.h"
#include "cache/report.h"
#include "sim_help.h"

static struct kmem_cache *c;
static struct kmem_cache *d;
static char *p;
static char *wrong;
static struct help_text expected;

static bool setup(void)
{
	sim_reset();
	c = kmem_cache_create("cats", 100, 0, 0, NULL);
	d = kmem_cache_create("dogs", 100, 0, 0, NULL);
	p = c && d ? kmem_cache_alloc(c, GFP_KERNEL) : NULL;
	if (!p)
		return false;
	for (unsigned i = 0; i < 100; i++)
		p[i] = (char)i;
	return true;
}

#define BYTES_0_31                                                                               \
	"  bytes    00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17 18 " \
	"19 1a 1b 1c 1d 1e 1f\n"

static void free_to_c(void)
{
	kmem_cache_free(c, wrong);
}

static void free_to_d(void)
{
	kmem_cache_free(d, wrong);
}

static void free_wrong(void)
{
	kfree(wrong);
}

TEST(report_double_free_in_an_array)
{
	REQUIRE(setup());
	wrong = p;
	kmem_cache_free(c, p);
	EXPECT(help_aborts(free_to_c));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(
			&expected,
			"ashlar: kmem_cache_free(%p): double free: this object of cats is "
			"already free\n"
			"  object   cats [%p - %p), number 0 of its slab, in an array\n" BYTES_0_31,
			p, p, p + 112));
	EXPECT_EQ(ashlar_audit(), 0); /* the heap is as it was */
}

TEST(report_double_free_in_the_slab)
{
	REQUIRE(setup());
	kmem_cache_alloc(c, GFP_KERNEL); /* so that the slab stays */
	wrong = p;
	kmem_cache_free(c, p);
	kmem_cache_shrink(c);
	EXPECT(help_aborts(free_wrong));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(
			&expected,
			"ashlar: kfree(%p): double free: this object of cats is already "
			"free\n"
			"  object   cats [%p - %p), number 0 of its slab, in the slab\n" BYTES_0_31,
			p, p, p + 112));
}

TEST(report_interior_pointer)
{
	REQUIRE(setup());
	wrong = p + 40;
	EXPECT(help_aborts(free_to_c));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&expected,
			    "ashlar: kmem_cache_free(%p): invalid free: 40 bytes inside an "
			    "object of cats that starts at %p\n"
			    "  object   cats [%p - %p), number 0 of its slab, in use\n" BYTES_0_31,
			    wrong, p, p, p + 112));
	wrong = p + 48; /* a granule, too */
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "invalid free: 48 bytes inside an object of cats"));
	EXPECT_EQ(ashlar_audit(), 0);
}

/* An object that a mempool or a sheaf has is nobody's. */
TEST(report_free_of_what_is_held)
{
	REQUIRE(setup());
	wrong = p;
	EXPECT_EQ(hold(p), HOLD_DONE);
	EXPECT(help_aborts(free_to_c));
	EXPECT(help_contains(sim.text, "): double free: this object of cats is held\n"));
	EXPECT(help_contains(sim.text, "number 0 of its slab, held: Ashlar's own, or waiting in a "
				       "mempool, in a sheaf or for RCU\n"));
	hold_end(p);
	kmem_cache_free(c, p);
	EXPECT_EQ(ashlar_audit(), 0);
}

/* Whose descriptor is freed by mistake goes on, and so does its cache. */
static void free_described(void *descriptor, void (*run)(void), const char *function)
{
	wrong = descriptor;
	EXPECT(help_aborts(run));
	EXPECT(help_contains(
		sim.text,
		help_format(&expected,
			    "ashlar: %s(%p): invalid free: this describes the cache dogs: "
			    "kmem_cache_destroy ends it\n  object   kmem_cache",
			    function, wrong)));
	EXPECT(help_contains(sim.text, " of its slab, held: Ashlar's own, or waiting in "));
}

static void free_nolock(void)
{
	kfree_nolock(wrong);
}

static void free_bulk(void)
{
	kmem_cache_free_bulk(c, 1, (void *[]){ wrong });
}

static void grow_wrong(void)
{
	wrong = krealloc(wrong, 10000, GFP_KERNEL);
}

static void shrink_inside(void)
{
	kmem_cache_shrink((struct kmem_cache *)(void *)wrong);
}

TEST(report_K6_free_of_a_descriptor)
{
	void *other;

	REQUIRE(setup());
	free_described(d, free_wrong, "kfree");
	free_described(d, free_to_c, "kmem_cache_free");
	free_described(d, free_to_d, "kmem_cache_free");
	free_described(d, free_bulk, "kmem_cache_free");
	free_described(d, free_nolock, "kfree_nolock");
	free_described(d->node, free_wrong, "kfree");
	wrong = (char *)d;
	EXPECT(help_aborts(grow_wrong));
	EXPECT(help_contains(sim.text, "invalid pointer: this describes the cache dogs"));
	for (wrong = (char *)d + 1; wrong < (char *)d + 200;
	     wrong += wrong == (char *)d + 1 ? 15 : 16)
		EXPECT(help_aborts(shrink_inside));
	EXPECT(!kmalloc_owns(d));
	EXPECT_EQ(kmem_cache_size(d), 100);
	REQUIRE((other = kmem_cache_alloc(d, GFP_KERNEL)) != NULL);
	kmem_cache_free(d, other);
	kmem_cache_destroy(d);
	wrong = (char *)d; /* now it is a free object like others */
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "double free: this object of kmem_cache is already free"));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(report_between_the_objects)
{
	REQUIRE(setup());
	wrong = p + c->shape.objects * 112u; /* the waste at the end of the slab */
	EXPECT(help_aborts(free_wrong));
	EXPECT_TEXT_EQ(sim.text, help_format(&expected,
					     "ashlar: kfree(%p): invalid free: no object starts "
					     "here, between the objects of cats\n",
					     wrong));
}

TEST(report_wrong_cache)
{
	REQUIRE(setup());
	wrong = p;
	EXPECT(help_aborts(free_to_d));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&expected,
			    "ashlar: kmem_cache_free(%p): wrong cache: freed to dogs, this "
			    "object is of cats\n  hint     kfree frees objects of any cache\n",
			    p));
	wrong = ashlar_kmalloc(50000, GFP_KERNEL);
	EXPECT(help_aborts(free_to_d));
	EXPECT(help_contains(sim.text,
			     "freed to dogs, this object is of no cache (a large block)"));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(report_foreign_pointer)
{
	static char stranger[64] __attribute__((aligned(16)));

	REQUIRE(setup());
	wrong = stranger;
	EXPECT(help_aborts(free_to_c));
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&expected,
				   "ashlar: kmem_cache_free(%p): invalid free: this memory is not "
				   "Ashlar's\n  arena    [%p - %p), in use below %p\n",
				   wrong, (void *)map.base, map_address(map.nr_pages),
				   (void *)(map.base + (map.granules << GRANULE_SHIFT))));
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "ashlar: kfree("));
	wrong = (char *)map_address(map.nr_pages) - PAGE_SIZE; /* the arena, but nothing yet */
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "invalid free: no block starts here\n"));
}

TEST(report_large_blocks)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup());
	p = ashlar_kmalloc(50000, GFP_KERNEL);
	REQUIRE(p != NULL);
	wrong = p + 8192;
	EXPECT(help_aborts(free_wrong));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&expected,
			    "ashlar: kfree(%p): invalid free: 8192 bytes inside a large block "
			    "of 53248 bytes that starts at %p\n"
			    "  address  in Ashlar's memory, page %d\n",
			    wrong, p, map_pfn(wrong)));
	kfree(p);
	wrong = p;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "double free: this memory is already free\n"));
	wrong = p + 24;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "invalid free: no block starts here\n"));
	EXPECT_EQ(hold(p = ashlar_kmalloc(50000, GFP_KERNEL)), HOLD_DONE);
	wrong = p;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "double free: this large block is held"));
	hold_end(p);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(report_mapping_freed_twice)
{
	REQUIRE(setup());
	p = ashlar_kmalloc((size_t)12 << 20, GFP_KERNEL);
	REQUIRE(p != NULL);
	wrong = p + 4096;
	EXPECT(help_aborts(free_wrong));
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&expected,
				   "ashlar: kfree(%p): invalid free: 4096 bytes inside a large "
				   "block of 12582912 bytes that starts at %p\n"
				   "  block    [%p - %p), a mapping of its own\n",
				   wrong, p, p, p + ((size_t)12 << 20)));
	kfree(p);
	REQUIRE(large_kept_pages() == 0);
	wrong = p;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "this memory is not Ashlar's"));
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(report_mapping_kept_and_freed_twice)
{
	REQUIRE(setup());
	options.keep = (u64)1 << 30;
	p = ashlar_kmalloc((size_t)12 << 20, GFP_KERNEL);
	REQUIRE(p != NULL);
	kfree(p);
	REQUIRE(large_kept_pages() != 0);
	wrong = p;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "double free: this large block is already free\n"));
	wrong = p + 4096;
	EXPECT(help_aborts(free_wrong));
	EXPECT(help_contains(sim.text, "4096 bytes inside a large block that is already free\n"));
}

static void size_of(void)
{
	ksize(wrong);
}

static void resize(void)
{
	wrong = krealloc(wrong, 10, GFP_KERNEL);
}

static void wipe(void)
{
	kfree_sensitive(wrong);
}

TEST(report_use_after_free)
{
	REQUIRE(setup());
	wrong = p;
	kfree(p);
	EXPECT(help_aborts(size_of));
	EXPECT(help_contains(sim.text, "): use after free: this object of cats is already free"));
	EXPECT(help_aborts(resize));
	EXPECT(help_contains(sim.text, "ashlar: krealloc("));
	EXPECT(help_aborts(wipe));
	EXPECT(help_contains(sim.text, "ashlar: kfree_sensitive("));
	EXPECT(help_contains(sim.text, "): double free: this object"));
	wrong = p + 16;
	EXPECT(help_aborts(size_of));
	EXPECT(help_contains(sim.text, "): invalid pointer: 16 bytes inside an object of cats"));
}

static void claim(void)
{
	kmem_cache_alloc(c, GFP_KERNEL);
}

static struct array_cache *array_now(void)
{
	return (struct array_cache *)sim.region[0] + c->header_offset / 16;
}

/* Two CPUs freed one object in the same moment: it is in two arrays, or twice in one. */
TEST(report_raced_double_free_found_at_the_next_alloc)
{
	struct array_cache *a;

	REQUIRE(setup());
	kmem_cache_free(c, p);
	a = array_now();
	a->entry[a->avail++] = p;
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), p);
	EXPECT(help_aborts(claim));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&expected,
			    "ashlar: malloc: corruption: object %p of cats was handed out "
			    "while in use\n  cause    it was freed twice at the same time, or "
			    "an array of Ashlar's was overwritten\n",
			    p));
}

static void bulk(void)
{
	void *two[2] = { wrong, wrong };

	kmem_cache_free_bulk(c, 2, two);
}

TEST(report_bulk_with_one_object_twice)
{
	REQUIRE(setup());
	wrong = p;
	EXPECT(help_aborts(bulk));
	EXPECT(help_contains(sim.text, "double free: this object of cats is already free"));
}

static void sized(void)
{
	report_size("free_sized", wrong, 7);
}

TEST(report_wrong_size)
{
	PAGES_OF_4_KIB();
	REQUIRE(setup());
	wrong = p;
	EXPECT(help_aborts(sized));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&expected,
			    "ashlar: free_sized(%p): wrong size: freed with 7 bytes, this "
			    "object is of cats\n  sizes    this cache serves up to 100 bytes\n",
			    p));
	wrong = ashlar_kmalloc(50000, GFP_KERNEL);
	EXPECT(help_aborts(sized));
	EXPECT(help_contains(sim.text, "bytes, this is a large block of 53248 bytes\n"));
}
