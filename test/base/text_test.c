/* SPDX-License-Identifier: MIT */
/*
 * text_test.c - numbers, cutting at the end, comparing
 */
#include "base/text.h"
#include "port/sim/sim.h"
#include "tap.h"

/* What was printed since the last look. */
static const char *printed(struct text *t)
{
	sim.text_bytes = 0;
	sim.text[0] = '\0';
	text_print(t);
	return sim.text;
}

TEST(text_numbers)
{
	struct text t;

	text_init(&t);
	text_dec(&t, 0);
	text_char(&t, ' ');
	text_dec(&t, 1234567890);
	text_char(&t, ' ');
	text_dec(&t, UINT64_MAX);
	EXPECT_TEXT_EQ(printed(&t), "0 1234567890 18446744073709551615");
	EXPECT_EQ(t.length, 0);
	text_hex(&t, 0, 1);
	text_char(&t, ' ');
	text_hex(&t, 0xab, 4);
	text_char(&t, ' ');
	text_hex(&t, 0x12305, 2);
	text_char(&t, ' ');
	text_hex(&t, UINT64_MAX, 1);
	text_char(&t, ' ');
	text_hex(&t, 0x10, 16);
	EXPECT_TEXT_EQ(printed(&t), "0 00ab 12305 ffffffffffffffff 0000000000000010");
	text_pointer(&t, (void *)0x7f00);
	text_pointer(&t, NULL);
	EXPECT_TEXT_EQ(printed(&t), "0x7f000x0");
}

TEST(text_cut_not_overrun)
{
	struct {
		struct text t;
		u64 guard;
	} s = { .guard = 42 };

	text_init(&s.t);
	for (unsigned i = 0; i < 100; i++)
		text_str(&s.t, "0123456789");
	EXPECT_EQ(s.t.length, sizeof(s.t.bytes));
	EXPECT_EQ(s.guard, 42);
	printed(&s.t);
	EXPECT_EQ(sim.text_bytes, sizeof(s.t.bytes));
	EXPECT_EQ(sim.text[sizeof(s.t.bytes) - 1], '0' + (sizeof(s.t.bytes) - 1) % 10);
}

TEST(text_equals_whole_words)
{
	EXPECT(text_equals("audit=1", 5, "audit"));
	EXPECT_FALSE(text_equals("audit", 4, "audit"));
	EXPECT_FALSE(text_equals("audits", 6, "audit"));
	EXPECT_FALSE(text_equals("audix", 5, "audit"));
	EXPECT(text_equals("", 0, ""));
	EXPECT_FALSE(text_equals("", 0, "a"));
}
