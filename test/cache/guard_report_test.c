/* SPDX-License-Identifier: MIT */
/*
 * guard_report_test.c - what is told of guarded objects, word for word
 */
#include "guard_help.h"

#include "ashlar/debug.h"

static char *p;
static struct help_text text;

#define TAKEN                                          \
	"  allocated by thread 7 on CPU 0, 0 ms ago\n" \
	"    #0  0x1000 code+0x1000\n    #1  0x2000 code+0x2000\n"
#define GIVEN                                      \
	"  freed by thread 7 on CPU 0, 0 ms ago\n" \
	"    #0  0x1000 code+0x1000\n    #1  0x2000 code+0x2000\n"
#define DID(what)                                     \
	"  " what " by thread 7 on CPU 0, 0 ms ago\n" \
	"    #0  0x1000 code+0x1000\n    #1  0x2000 code+0x2000\n"

/* Cats of 100 bytes lie at a multiple of 16, so 12 bytes behind one are the room's, or many. */
static bool setup_side(bool left)
{
	if (!setup_guard("guard=1;guard_slots=8"))
		return false;
	for (unsigned i = 0; i < 100; i++) {
		p = alloc();
		if (!guard_find(p) || (p == room_of(p)) == left)
			break;
		kmem_cache_free(cats, p);
	}
	help_clear();
	return guard_find(p) && (p == room_of(p)) == left;
}

static size_t room_bytes(void)
{
	return guard_pool()->room_bytes;
}

/* ---- faults ---------------------------------------------------------------------------- */

static const char *fault_text(const char *what, const char *at, const char *where,
			      const char *state, const char *tracks)
{
	return help_format(&text,
			   "ashlar: %s object %p of cats at %p, %s\n"
			   "  object   cats [%p - %p), guarded, %s\n%s",
			   what, p, at, where, p, p + 100, state, tracks);
}

TEST(guard_reads_past_the_end)
{
	REQUIRE(setup_side(false));
	EXPECT_TRUE(guard_fault(p + 112, GUARD_READ, NULL));
	EXPECT_TEXT_EQ(sim.text, fault_text("overflow: read of", p + 112, "13 bytes past its end",
					    "in use", DID("read") TAKEN));
}

TEST(guard_writes_before_the_start)
{
	REQUIRE(setup_side(true));
	EXPECT_TRUE(guard_fault(p - 1, GUARD_WRITE, NULL));
	EXPECT_TEXT_EQ(sim.text, fault_text("underflow: write to", p - 1, "1 byte before its start",
					    "in use", DID("written") TAKEN));
}

TEST(guard_touches_after_the_free)
{
	REQUIRE(setup_side(true));
	kmem_cache_free(cats, p);
	EXPECT_TRUE(guard_fault(p + 7, GUARD_TOUCH, NULL));
	EXPECT_TEXT_EQ(sim.text, fault_text("use after free: access to", p + 7, "byte 7 of it",
					    "free", DID("touched") TAKEN GIVEN));
}

/* The cache may be gone: its name is not. */
TEST(guard_GU5_reads_after_the_caches_end)
{
	REQUIRE(setup_side(true));
	kmem_cache_free(cats, p);
	kmem_cache_destroy(cats);
	EXPECT_NULL(guard_find(p)->cache);
	EXPECT_TRUE(guard_fault(p + 7, GUARD_READ, NULL));
	EXPECT_TEXT_EQ(sim.text, fault_text("use after free: read of", p + 7, "byte 7 of it",
					    "free", DID("read") TAKEN GIVEN));
}

/* Of two in use the nearer is meant: in the middle of what lies between their nearest bytes it
 * changes. */
TEST(guard_between_two_in_use)
{
	char *q;
	char *at;
	char *end;

	REQUIRE(setup_guard("guard=1;guard_slots=2"));
	p = alloc();
	q = alloc();
	REQUIRE(guard_find(p) && guard_find(q));
	end = p + 100;
	for (at = room_of(p) + room_bytes(); at < room_of(q); at += 512) {
		bool past = at - end + 1 <= q - at;

		help_clear();
		EXPECT_TRUE(guard_fault(at, GUARD_READ, NULL));
		EXPECT_TRUE(help_said(help_format(&text, "%s: read of object %p of cats",
						  past ? "overflow" : "underflow", past ? p : q)));
	}
}

TEST(guard_between_one_in_use_and_one_free)
{
	char *q;

	REQUIRE(setup_guard("guard=1;guard_slots=2"));
	p = alloc();
	q = alloc();
	REQUIRE(guard_find(p) && guard_find(q));
	kmem_cache_free(cats, p);
	help_clear();
	EXPECT_TRUE(guard_fault(room_of(p) + room_bytes(), GUARD_READ, NULL));
	EXPECT_TRUE(help_said(help_format(&text, "underflow: read of object %p of cats", q)));
	kmem_cache_free(cats, q);
	help_clear();
	EXPECT_TRUE(guard_fault(room_of(q) + room_bytes(), GUARD_READ, NULL));
	EXPECT_TRUE(help_said(help_format(&text, "use after free: read of object %p of cats", q)));
}

TEST(guard_where_nothing_was)
{
	REQUIRE(setup_guard("guard=1;guard_slots=8"));
	EXPECT_TRUE(guard_fault(guard_pool()->slots[7].start, GUARD_READ, NULL));
	EXPECT_TEXT_EQ(sim.text,
		       help_format(&text,
				   "ashlar: wild access: read of memory at %p, where no object was "
				   "yet\n" DID("read"),
				   guard_pool()->slots[7].start));
}

TEST(guard_foreign_faults_are_not_told)
{
	const struct guard_pool *pool;

	REQUIRE(setup_guard("guard=1;guard_slots=8"));
	pool = guard_pool();
	EXPECT_FALSE(guard_fault(NULL, GUARD_READ, NULL));
	EXPECT_FALSE(guard_fault(pool->start - 1, GUARD_READ, NULL));
	EXPECT_FALSE(guard_fault(pool->start + 17 * pool->room_bytes, GUARD_READ, NULL));
	EXPECT_TRUE(guard_fault(pool->start + 17 * pool->room_bytes - 1, GUARD_READ, NULL));
	options.guard = 0;
	EXPECT_FALSE(guard_fault(pool->start, GUARD_READ, NULL));
}

/* The frames of the handler are left out. */
TEST(guard_frames_begin_where_it_faulted)
{
	REQUIRE(setup_side(false));
	EXPECT_TRUE(guard_fault(p + 112, GUARD_READ, (void *)0x2000));
	EXPECT_TRUE(help_said("  read by thread 7 on CPU 0, 0 ms ago\n    #0  0x2001 code+0x2001\n"
			      "  allocated"));
}

/* ---- frees ----------------------------------------------------------------------------- */

static void free_p(void)
{
	kmem_cache_free(cats, p);
}

static void free_inside(void)
{
	kfree(p + 32);
}

static void free_beside(void)
{
	kfree(room_of(p) + (p == room_of(p) ? 1024 : 0));
}

static void free_between(void)
{
	kfree(room_of(p) + room_bytes());
}

static void free_wrong(void)
{
	kmem_cache_free(kmem_cache_create("dogs", 100, 0, 0, NULL), p);
}

static void free_nolock(void)
{
	kfree_nolock(p);
}

static void use_freed(void)
{
	ksize(p);
}

static const char *free_text(const char *first, const char *state, const char *tracks)
{
	static char line[300];
	struct help_text t;

	help_format(&t, "%s  object   cats [%p - %p), guarded, %s\n%s", first, p, p + 100, state,
		    tracks);
	memcpy(line, t.bytes, sizeof(line));
	return help_format(&text, "%s", t.bytes);
}

static const char *first(const char *format, const void *at)
{
	static struct help_text t;

	return help_format(&t, format, at, p);
}

TEST(guard_GU4_a_second_free)
{
	REQUIRE(setup_side(false));
	free_p();
	EXPECT_TRUE(help_aborts(free_p));
	EXPECT_TEXT_EQ(
		sim.text,
		free_text(first("ashlar: kmem_cache_free(%p): double free: this object of cats "
				"is already free\n",
				p),
			  "free", TAKEN GIVEN));
	EXPECT_TRUE(help_aborts(free_nolock));
	EXPECT_TRUE(help_said("double free: this object of cats is already free\n"));
	EXPECT_TRUE(help_aborts(use_freed));
	EXPECT_TRUE(help_said("use after free: this object of cats is already free\n"));
}

TEST(guard_GU4_a_second_free_while_one_waits)
{
	REQUIRE(setup_side(false));
	free_nolock();
	EXPECT_TRUE(help_aborts(free_p));
	EXPECT_TRUE(help_said("double free: this object of cats is already free\n"));
}

TEST(guard_a_free_inside)
{
	REQUIRE(setup_side(false));
	EXPECT_TRUE(help_aborts(free_inside));
	EXPECT_TEXT_EQ(sim.text,
		       free_text(first("ashlar: kfree(%p): invalid free: 32 bytes inside an "
				       "object of cats that starts at %p\n",
				       p + 32),
				 "in use", TAKEN));
}

TEST(guard_a_free_beside)
{
	REQUIRE(setup_side(false));
	EXPECT_TRUE(help_aborts(free_beside));
	EXPECT_TEXT_EQ(sim.text,
		       free_text(first("ashlar: kfree(%p): invalid free: no object starts "
				       "here, beside one of cats\n",
				       room_of(p)),
				 "in use", TAKEN));
	EXPECT_TRUE(help_aborts(free_between));
	EXPECT_TRUE(help_said("invalid free: no block starts here\n"));
}

TEST(guard_a_free_to_another_cache)
{
	REQUIRE(setup_side(false));
	EXPECT_TRUE(help_aborts(free_wrong));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&text,
			    "ashlar: kmem_cache_free(%p): wrong cache: freed to dogs, this object "
			    "is of cats\n  hint     kfree frees objects of any cache\n" TAKEN,
			    p));
}

/* ---- what lies around an object -------------------------------------------------------- */

TEST(guard_what_was_written_past_the_end_is_told_at_free)
{
	REQUIRE(setup_side(false));
	p[101] = 1;
	EXPECT_TRUE(help_aborts(free_p));
	EXPECT_TRUE(help_said(help_format(
		&text,
		"ashlar: overflow: object %p of cats was written past its end\n"
		"  object   cats [%p - %p), 100 bytes asked for, in use; seen at its free\n"
		"  found    01 instead of cc at %p, 2 bytes past its end; 1 byte is wrong\n",
		p, p, p + 100, p + 101)));
	EXPECT_TRUE(help_said(TAKEN GIVEN));
}

TEST(guard_what_was_written_before_the_start_is_told_at_free)
{
	REQUIRE(setup_side(false));
	p[-4] = 1;
	p[-3] = 2;
	EXPECT_TRUE(help_aborts(free_nolock));
	EXPECT_TRUE(help_said(help_format(
		&text,
		"ashlar: underflow: object %p of cats was written before its start\n"
		"  object   cats [%p - %p), 100 bytes asked for, in use; seen at its free\n"
		"  found    01 instead of cc at %p, 4 bytes before its start; 2 bytes are wrong\n",
		p, p, p + 100, p - 4)));
}

TEST(guard_the_far_end_of_the_room_is_looked_at)
{
	REQUIRE(setup_side(true));
	p[room_bytes() - 1] = 0;
	EXPECT_TRUE(help_aborts(free_p));
	EXPECT_TRUE(help_said("overflow: object"));
}

/* ---- others ---------------------------------------------------------------------------- */

TEST(guard_leaks_are_told_with_their_stacks)
{
	REQUIRE(setup_side(false));
	kmem_cache_destroy(cats);
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&text,
			    "ashlar: kmem_cache_destroy(\"cats\"): 1 object is still in use; the "
			    "cache stays\n  object   %p\n" TAKEN,
			    p));
	kfree(p);
	help_clear();
	kmem_cache_destroy(cats);
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(ashlar_audit(), 0);
}

TEST(guard_an_object_is_described)
{
	REQUIRE(setup_side(false));
	EXPECT_TRUE(ashlar_kmem_dump_obj(p + 5));
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&text,
			    "ashlar: %p lies where an object is or was: at %p, byte 5 of it\n"
			    "  object   cats [%p - %p), guarded, in use\n" TAKEN,
			    p + 5, p + 5, p, p + 100));
	EXPECT_FALSE(ashlar_kmem_dump_obj(room_of(p) + room_bytes()));
}

static void copy_inside(void)
{
	check_object_size(p, 100, true);
}

static void copy_past(void)
{
	check_object_size(p + 1, 100, true);
}

TEST(guard_user_copies_stay_inside)
{
	REQUIRE(setup_guard("guard=1;guard_slots=8"));
	p = ashlar_kmalloc(100, GFP_KERNEL);
	REQUIRE(guard_find(p));
	EXPECT_FALSE(help_aborts(copy_inside));
	EXPECT_TRUE(help_aborts(copy_past));
	EXPECT_TRUE(help_said("it goes beyond the object"));
	kfree(p);
	EXPECT_TRUE(help_aborts(copy_inside));
	EXPECT_TRUE(help_said("the object is free"));
}
