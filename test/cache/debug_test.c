/* SPDX-License-Identifier: MIT */
/*
 * debug_test.c - DB1 to DB6: patterns, and the reports word for word
 */
#include "debug_help.h"
#include "port/port.h"

/* ---- patterns ------------------------------------------------------------------------ */

TEST(debug_DB1_red_zones_of_every_size)
{
	REQUIRE(setup_flags(1, FZPU, NULL));
	for (unsigned size = 1; size <= 9000; size += size < 200 ? 1 : 517) {
		struct kmem_cache *one = kmem_cache_create("one", size, 0, FZPU, NULL);
		u8 *q = kmem_cache_alloc(one, GFP_KERNEL);

		REQUIRE(q);
		EXPECT_EQ((uintptr_t)q % 16, 0);
		EXPECT(all_are(q - 16, 16, 0xcc));
		EXPECT(all_are(q + size, 8, 0xcc));
		EXPECT(all_are(q, size, 0x5a));
		kmem_cache_alloc(one, GFP_KERNEL); /* the slab stays */
		kmem_cache_free(one, q);
		EXPECT(all_are(q - 16, 16, 0xbb));
		EXPECT(all_are(q + size, 8, 0xbb));
		EXPECT(all_are(q, size - 1, 0x6b)); /* DB2 */
		EXPECT_EQ(q[size - 1], 0xa5);
		EXPECT_EQ(kmem_cache_validate(one), 0);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(debug_alignment_is_kept)
{
	REQUIRE(setup());
	for (unsigned align = 16; align <= 65536; align *= 2) {
		struct kmem_cache *one = kmem_cache_create("one", 24, align, FZPU, NULL);
		void *q = kmem_cache_alloc(one, GFP_KERNEL);

		REQUIRE(q);
		EXPECT_EQ((uintptr_t)q % align, 0);
		EXPECT_EQ((uintptr_t)kmem_cache_alloc(one, GFP_KERNEL) % align, 0);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

static void alone(unsigned long flags)
{
	bool room = flags & (SLAB_RED_ZONE | SLAB_STORE_USER);

	REQUIRE(setup_flags(100, flags, NULL));
	EXPECT_EQ(p[0] == 0x5a, flags == SLAB_POISON);
	EXPECT_EQ(c->shape.stride == 112, !room);
	EXPECT_EQ(c->debug.size_at != 0, room);
	kmem_cache_free(c, p);
	EXPECT_EQ(kmem_cache_validate(c), 0);
	kmem_cache_destroy(c);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(debug_F_alone)
{
	alone(SLAB_CONSISTENCY_CHECKS);
}

TEST(debug_Z_alone)
{
	alone(SLAB_RED_ZONE);
}

TEST(debug_P_alone)
{
	alone(SLAB_POISON);
}

TEST(debug_U_alone)
{
	alone(SLAB_STORE_USER);
}

TEST(debug_arrays_stay_closed)
{
	REQUIRE(setup());
	for (unsigned i = 0; i < 300; i++)
		EXPECT_NOT_NULL(kmem_cache_alloc(c, GFP_KERNEL));
	kmem_cache_free(c, p);
	EXPECT_EQ(array_count(c), 0);
	EXPECT_EQ(c->node->shared_avail, 0);
}

static unsigned constructed;

static void construct(void *object)
{
	constructed++;
	*(u32 *)object = 42;
}

TEST(debug_DB6_constructors_run_again_with_poison)
{
	constructed = 0;
	REQUIRE(setup_flags(100, FZPU, construct));
	EXPECT_EQ(*(u32 *)(void *)p, 42);
	EXPECT_EQ(constructed, 1);
	kmem_cache_free(c, p);
	EXPECT_EQ(p[0], 0x6b);
	EXPECT_PTR_EQ(kmem_cache_alloc(c, GFP_KERNEL), p);
	EXPECT_EQ(*(u32 *)(void *)p, 42);
	EXPECT_EQ(constructed, 2);
}

TEST(debug_DB6_constructors_run_once_without)
{
	constructed = 0;
	REQUIRE(setup_flags(100, SLAB_RED_ZONE, construct));
	EXPECT_EQ(constructed, c->shape.objects);
	EXPECT_EQ(*(u32 *)(void *)p, 42);
	kmem_cache_free(c, p);
	EXPECT_EQ(*(u32 *)(void *)p, 42);
}

TEST(debug_zeros_do_not_touch_the_red_zone)
{
	sim_reset();
	sim.options = "slab_debug=FZP";
	for (size_t size = 1; size <= 32768; size += size / 7 + 1) {
		u8 *q = kzalloc(size, GFP_KERNEL);

		REQUIRE(q);
		EXPECT(all_are(q, size, 0));
		EXPECT(all_are(q - 16, 16, 0xcc));
		EXPECT_EQ(q[size], 0xcc);
		EXPECT_EQ(ksize(q), size);
		kfree(q);
	}
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(debug_sizes_that_are_constant_are_kept)
{
	u8 *q;

	sim_reset();
	sim.options = "slab_debug=FZP";
	q = kmalloc(100, GFP_KERNEL); /* the first call of the program */
	REQUIRE(q);
	EXPECT_EQ(ksize(q), 100);
	EXPECT_EQ(q[100], 0xcc);
	q = kmalloc(100, GFP_KERNEL | __GFP_ZERO);
	EXPECT_EQ(q[99], 0);
	EXPECT_EQ(q[100], 0xcc);
}

TEST(debug_realloc_keeps_the_red_zone)
{
	u8 *q;

	sim_reset();
	sim.options = "slab_debug=FZP";
	q = ashlar_kmalloc(100, GFP_KERNEL);
	REQUIRE(q);
	memset(q, 1, 100);
	q = krealloc(q, 90, GFP_KERNEL);
	EXPECT_EQ(ksize(q), 90);
	EXPECT_EQ(q[90], 0xcc);
	q = krealloc(q, 5000, GFP_KERNEL | __GFP_ZERO);
	EXPECT(all_are(q, 90, 1));
	EXPECT_EQ(q[4999], 0);
	EXPECT_EQ(q[5000], 0xcc);
	kfree(q);
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(debug_power_of_two_sizes_are_aligned)
{
	sim_reset();
	sim.options = "slab_debug";
	for (size_t size = 16; size <= 32768; size *= 2) {
		void *q = ashlar_kmalloc(size, GFP_KERNEL);

		REQUIRE(q);
		EXPECT_EQ((uintptr_t)q % size, 0);
	}
}

/* ---- reports ------------------------------------------------------------------------- */

static void said(const char *first, const char *found)
{
	struct help_text t;

	EXPECT(help_contains(sim.text, help_format(&t, first, p)));
	EXPECT(help_contains(sim.text, found));
}

TEST(debug_report_overflow)
{
	REQUIRE(setup());
	p[100] = 0x41;
	EXPECT(help_aborts(free_p));
	said("ashlar: overflow: object %p of cats was written past its end\n",
	     ", 1 byte past its end; 1 byte is wrong\n");
	EXPECT(help_contains(sim.text, "  allocated by thread 7 on CPU 0, 0 ms ago\n"
				       "    #0  0x1000 code+0x1000\n"
				       "    #1  0x2000 code+0x2000\n"));
}

TEST(debug_report_without_a_clock)
{
	REQUIRE(setup());
	sim.now_ns = PORT_NO_CLOCK;
	p = kmem_cache_alloc(c, GFP_KERNEL);
	p[100] = 0x41;
	EXPECT(help_aborts(free_p));
	EXPECT(help_contains(sim.text, "  allocated by thread 7 on CPU 0\n    #0  0x1000 code"));
	EXPECT(!help_contains(sim.text, " ago"));
}

TEST(debug_report_underflow)
{
	REQUIRE(setup());
	p[-3] = p[-2] = 0x41;
	EXPECT(help_aborts(free_p));
	said("ashlar: underflow: object %p of cats was written before its start\n",
	     ", 3 bytes before its start; 2 bytes are wrong\n");
}

TEST(debug_report_one_bit)
{
	REQUIRE(setup());
	p[101] ^= 0x10;
	EXPECT(help_aborts(free_p));
	said("overflow: object %p", "found    dc instead of cc at 0x");
	EXPECT(help_contains(sim.text, "by one bit: it may be the machine's memory\n"));
}

TEST(debug_report_far_overflow)
{
	REQUIRE(setup());
	p[c->debug.end] = 0;
	EXPECT(help_aborts(free_p));
	said("overflow: object %p of cats was written far past its end: into the padding\n", "");
}

TEST(debug_report_write_after_free)
{
	REQUIRE(setup());
	kmem_cache_free(c, p);
	p[99] = 0x41;
	sim.now_ns = 9000000;
	EXPECT(help_aborts(alloc_p));
	said("ashlar: use after free: object %p of cats was written after it was freed\n",
	     ", free; seen at its allocation\n  found    41 instead of a5 at ");
	EXPECT(help_contains(sim.text, "  freed by thread 7 on CPU 0, 4 ms ago\n"));
}

TEST(debug_report_write_after_free_beside)
{
	REQUIRE(setup());
	kmem_cache_free(c, p);
	p[-1] = 0;
	EXPECT(help_aborts(alloc_p));
	said("underflow: object %p of cats was written before its start while it was free\n", "");
}

TEST(debug_report_at_the_end_of_the_slab)
{
	REQUIRE(setup());
	kmem_cache_free(c, p);
	p[50] = 0;
	EXPECT(help_aborts(shrink_c));
	said("use after free: object %p", "seen at the end of its slab\n");
}

TEST(debug_report_double_free_names_both)
{
	REQUIRE(setup());
	sim.thread = 7;
	kmem_cache_free(c, p);
	EXPECT(help_aborts(free_p));
	said("ashlar: kmem_cache_free(%p): double free: this object of cats is already free\n",
	     "  allocated by thread 7 on CPU 0, ");
	EXPECT(help_contains(sim.text, "  freed by thread 8 on CPU 0, "));
}

TEST(debug_dump_obj)
{
	struct help_text t;

	REQUIRE(setup());
	help_clear();
	EXPECT(kmem_dump_obj(p + 10));
	EXPECT(help_contains(sim.text,
			     help_format(&t,
					 "ashlar: %p is byte 10 of an object\n"
					 "  object   cats [%p - %p), 100 bytes asked for, "
					 "in use, number 0 of its slab\n"
					 "  allocated by thread 7",
					 p + 10, p, p + 100)));
	EXPECT(!kmem_dump_obj(&t));
}

TEST(debug_trace)
{
	struct help_text t;

	REQUIRE(setup_flags(100, SLAB_TRACE, NULL));
	EXPECT(help_contains(sim.text, help_format(&t,
						   "ashlar: trace: cats alloc %p by thread 7 on "
						   "CPU 0\n    #0  0x1000 ",
						   p)));
	help_clear();
	kmem_cache_free(c, p);
	EXPECT(help_contains(sim.text, "ashlar: trace: cats free 0x"));
}
