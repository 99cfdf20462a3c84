/* SPDX-License-Identifier: MIT */
/*
 * option_test.c - every name, every kind of value, what is refused and what is ignored
 */
#include "cache/init.h"
#include "cache/option.h"
#include "sim_help.h"

static void read_one(const char *text)
{
	help_clear();
	option_read(text, false);
}

TEST(option_names_and_values)
{
	read_one("percpu=rseq;audit=1;foreign=libc;deepbind=keep;limit=64m;keep=3k;report=/tmp/x");
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(options.percpu, 1);
	EXPECT_EQ(options.audit, 1);
	EXPECT_EQ(options.foreign_libc, 1);
	EXPECT_EQ(options.keep_deepbind, 1);
	EXPECT_EQ(options.limit, 64u << 20);
	EXPECT_EQ(options.keep, 3u << 10);
	EXPECT_TEXT_EQ(options.report, "/tmp/x");
	read_one("percpu=lock");
	EXPECT_EQ(options.percpu, 2);
	read_one("percpu=pretend");
	EXPECT_EQ(options.percpu, 3);
	read_one("limit=2g");
	EXPECT_EQ(options.limit, (u64)2 << 30);
	read_one("limit=17");
	EXPECT_EQ(options.limit, 17);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(option_default_values)
{
	read_one(NULL);
	read_one("");
	read_one(";;;");
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(options.percpu, 0);
	EXPECT_EQ(options.audit, 0);
	EXPECT_EQ(options.limit, 0);
	EXPECT_EQ(options.keep, CONFIG_KEEP_BYTES);
	EXPECT_TEXT_EQ(options.report, "");
}

TEST(option_a_name_alone_means_one)
{
	read_one("audit");
	EXPECT_EQ(options.audit, 1);
	EXPECT_TEXT_EQ(sim.text, "");
}

/* What is no switch needs a value: "limit" is not a limit of one byte. */
TEST(option_a_name_alone_is_not_enough)
{
	static const char *const names[] = { "limit",  "soft_limit", "keep",        "reap",
					     "report", "failslab",   "fail_nth",    "guard",
					     "percpu", "fake_numa",  "guard_slots", "foreign" };
	struct help_text t;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct options before = options;

		read_one(names[i]);
		EXPECT_TEXT_EQ(sim.text,
			       help_format(&t,
					   "ashlar: ASHLAR_OPTIONS: no value in '%s', ignored\n",
					   names[i]));
		EXPECT_EQ(memcmp(&before, &options, sizeof(options)), 0);
	}
}

static void bad(const char *one)
{
	struct help_text t;

	read_one(one);
	EXPECT_TEXT_EQ(
		sim.text,
		help_format(&t, "ashlar: ASHLAR_OPTIONS: bad value in '%s', ignored\n", one));
}

TEST(option_O1_bad_values_are_told_and_ignored)
{
	options.limit = 5;
	bad("limit=");
	bad("limit=x");
	bad("limit=-1");
	bad("limit=1kk");
	bad("limit=1t");
	bad("limit= 1");
	bad("limit=k");
	bad("limit=18446744073709551616"); /* 2^64 */
	bad("limit=99999999999999999999999");
	bad("limit=17179869184g"); /* 2^64 again */
	EXPECT_EQ(options.limit, 5);
	bad("percpu=");
	bad("percpu=fast");
	bad("percpu=rse");
	bad("percpu=rseqs");
	bad("percpu=1");
	EXPECT_EQ(options.percpu, 0);
	bad("foreign=1");
	bad("deepbind=yes");
	read_one("limit=18446744073709551615");
	EXPECT_EQ(options.limit, UINT64_MAX);
	EXPECT_TEXT_EQ(sim.text, "");
}

TEST(option_O1_numbers_out_of_range_are_told_and_ignored)
{
	static const char *const switches[] = { "audit",       "random_seq", "slab_merge",
						"stats",       "guard_each", "init_on_alloc",
						"init_on_free" };
	struct help_text t;

	for (unsigned i = 0; i < ARRAY_SIZE(switches); i++) {
		bad(help_format(&t, "%s=2", switches[i]));
		read_one(help_format(&t, "%s=1", switches[i]));
		read_one(help_format(&t, "%s=0", switches[i]));
		EXPECT_TEXT_EQ(sim.text, "");
	}
	EXPECT_EQ(options.slab_merge, 0);
	bad("fake_numa=1");
	bad("fake_numa=9");
	bad("fake_numa=99");
	EXPECT_EQ(options.fake_numa, 0);
	bad(help_format(&t, "guard_slots=%d", ((size_t)1 << MAX_ORDER) / 2));
	bad("guard_slots=99999");
	EXPECT_EQ(options.guard_slots, 0);
	bad("guard=2147483648");
	EXPECT_EQ(options.guard, 0);
	read_one("fake_numa=2;fake_numa=8;guard_slots=63;guard=2147483647;reap=99999");
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(options.fake_numa, 8);
	EXPECT_EQ(options.guard_slots, 63);
	read_one("fake_numa=0");
	EXPECT_TEXT_EQ(sim.text, "");
	EXPECT_EQ(options.fake_numa, 0);
}

TEST(option_O1_unknown_names_are_told)
{
	read_one("speed=9;audit=1");
	EXPECT_TEXT_EQ(sim.text, "ashlar: ASHLAR_OPTIONS: unknown option 'speed', ignored\n");
	EXPECT_EQ(options.audit, 1);
	read_one("=3");
	EXPECT_TEXT_EQ(sim.text, "ashlar: ASHLAR_OPTIONS: no name in '=3', ignored\n");
	read_one("AUDIT=1");
	EXPECT_TEXT_EQ(sim.text, "ashlar: ASHLAR_OPTIONS: unknown option 'AUDIT', ignored\n");
}

TEST(option_O1_text_of_any_length)
{
	struct help_text t;
	static char path[OPTION_TEXT_MAX + 1];

	memset(path, 'p', OPTION_TEXT_MAX - 1);
	read_one(help_format(&t, "report=%s;audit=1", path));
	EXPECT_TEXT_EQ(options.report, path);
	EXPECT_TEXT_EQ(sim.text, "");
	path[OPTION_TEXT_MAX - 1] = 'p';
	read_one(help_format(&t, "report=%s", path));
	EXPECT(help_contains(sim.text, "bad value in 'report=ppp"));
	EXPECT_EQ(options.report[OPTION_TEXT_MAX - 1], '\0');
	read_one("report=");
	EXPECT_TEXT_EQ(options.report, "");
}

TEST(option_O2_only_hardening_where_rights_are_more)
{
	help_clear();
	option_read("percpu=lock;keep=0;report=/etc;foreign=libc;audit=1;limit=1m;bad=1", true);
	EXPECT_EQ(options.percpu, 0);
	EXPECT_EQ(options.keep, CONFIG_KEEP_BYTES);
	EXPECT_EQ(options.foreign_libc, 0);
	EXPECT_TEXT_EQ(options.report, "");
	EXPECT_EQ(options.audit, 1);
	EXPECT_EQ(options.limit, 1u << 20);
}

TEST(option_read_once_at_start)
{
	sim_reset();
	sim.options = "percpu=lock;keep=1m";
	REQUIRE(init_ready());
	EXPECT_TEXT_EQ(init_facts.percpu, "lock");
	EXPECT_EQ(options.keep, 1u << 20);
}

TEST(option_secure_start)
{
	sim_reset();
	sim.options = "percpu=lock;limit=32m";
	sim.secure = true;
	REQUIRE(init_ready());
	EXPECT_TEXT_EQ(init_facts.percpu, "pretend");
	EXPECT_LE(init_facts.arena_bytes, 32u << 20);
}

TEST(option_print_names_all)
{
	static const char *const names[] = { "  percpu=rseq|lock|pretend  ",
					     "  audit  ",
					     "  foreign=libc  ",
					     "  deepbind=keep  ",
					     "  limit  ",
					     "  keep  ",
					     "  report  " };

	help_clear();
	option_print();
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!EXPECT(help_contains(sim.text, names[i])))
			tap_note(names[i]);
}
