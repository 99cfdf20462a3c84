/* SPDX-License-Identifier: MIT */
/*
 * shape_test.c - H1 to H4 for every stride up to 64 KiB and many above
 */
#include "engine/shape.h"
#include "page/page.h"
#include "sim_help.h"
#include "tap.h"

#define STRIDE_MAX ((size_t)8 << 20)

/* Every multiple of 16 while they are many, then steps that hit and miss the powers of two. */
static size_t next_stride(size_t stride)
{
	return stride < 65536 ? stride + 16 : stride + (stride / 64 & ~(size_t)15) + 16;
}

static struct shape choose(size_t stride)
{
	struct shape s = { .stride = 0 };

	EXPECT(shape_choose(&s, stride, 16));
	return s;
}

TEST(shape_H1_objects_and_waste_fill_the_slab)
{
	for (size_t stride = 16; stride <= STRIDE_MAX; stride = next_stride(stride)) {
		struct shape s = choose(stride);

		REQUIRE(s.stride == stride);
		REQUIRE(s.objects >= 1);
		REQUIRE((size_t)s.objects * stride + s.waste_bytes == shape_slab_bytes(&s));
		REQUIRE(s.order <= MAX_ORDER);
	}
}

TEST(shape_H2_bitmap_fits_the_descriptors)
{
	for (size_t stride = 16; stride <= STRIDE_MAX; stride = next_stride(stride)) {
		struct shape s = choose(stride);

		REQUIRE(s.objects <= ((size_t)PAGE_WORDS * 64) << s.order);
		REQUIRE(s.objects <= UINT16_MAX);
		REQUIRE((s.objects + 63) / 64 <= 256); /* the hint is a byte */
	}
}

TEST(shape_H3_reciprocal_is_exact)
{
	for (size_t stride = 16; stride <= STRIDE_MAX; stride = next_stride(stride)) {
		struct shape s = choose(stride);

		for (u64 i = 0; i < s.objects; i++)
			REQUIRE((i * stride * s.reciprocal) >> 32 == i);
	}
}

static bool is_good(const struct shape *s, unsigned order)
{
	size_t bytes = PAGE_SIZE << order;
	size_t objects = size_min(bytes / s->stride, ((size_t)PAGE_WORDS * 64) << order);

	if (objects == 0)
		return false;
	if ((bytes - objects * s->stride) * 8 > bytes)
		return order == MAX_ORDER;
	return objects >= 8 || order >= PORT_SLAB_ORDER + 2;
}

TEST(shape_H4_smallest_good_order)
{
	for (size_t stride = 16; stride <= STRIDE_MAX; stride = next_stride(stride)) {
		struct shape s = choose(stride);

		REQUIRE(s.order >= PORT_SLAB_ORDER);
		REQUIRE(is_good(&s, s.order));
		for (unsigned o = PORT_SLAB_ORDER; o < s.order; o++)
			REQUIRE(!is_good(&s, o));
	}
}

TEST(shape_H4_waste_is_at_most_an_eighth)
{
	for (size_t stride = 16; stride <= (size_t)1 << 20; stride = next_stride(stride)) {
		struct shape s = choose(stride);

		REQUIRE((size_t)s.waste_bytes * 8 <= shape_slab_bytes(&s));
	}
}

TEST(shape_known_ones)
{
	struct shape s = choose(16);

	PAGES_OF_4_KIB();
	EXPECT_EQ(s.order, 4);
	EXPECT_EQ(s.objects, 4096);
	EXPECT_EQ(s.waste_bytes, 0);
	EXPECT_EQ(s.colours, 1);
	s = choose(48);
	EXPECT_EQ(s.objects, 1365);
	EXPECT_EQ(s.waste_bytes, 16);
	EXPECT_EQ(s.colours, 1);
	s = choose(32768);
	EXPECT_EQ(s.order, 6);
	EXPECT_EQ(s.objects, 8);
	s = choose(STRIDE_MAX);
	EXPECT_EQ(s.order, MAX_ORDER);
	EXPECT_EQ(s.objects, 1);
}

TEST(shape_colours_fit_the_waste)
{
	for (size_t align = 16; align <= 4096; align *= 2) {
		for (size_t stride = align; stride <= 32768; stride += align) {
			struct shape s;
			size_t last;

			REQUIRE(shape_choose(&s, stride, align));
			REQUIRE(s.colour_off % align == 0);
			REQUIRE(s.colour_off >= CACHE_LINE);
			REQUIRE(s.colours >= 1 && s.colours <= 255);
			last = (size_t)(s.colours - 1) * s.colour_off;
			REQUIRE(last <= s.waste_bytes);
			if (s.colours < 255)
				REQUIRE(last + s.colour_off > s.waste_bytes);
		}
	}
}

TEST(shape_too_large_is_refused)
{
	struct shape s;

	EXPECT_FALSE(shape_choose(&s, STRIDE_MAX + 16, 16));
	EXPECT_FALSE(shape_choose(&s, STRIDE_MAX * 2, 16));
}
