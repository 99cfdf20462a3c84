/* SPDX-License-Identifier: MIT */
/*
 * option.c - see option.h: one table, one parser
 */
#include "cache/option.h"
#include "base/text.h"
#include "cache/fault.h"
#include "cache/letters.h"
#include "port/port.h"

/* Half the pages of the largest block, less one: each slot has a closed page beside it. */
#define OPTION_GUARD_SLOTS (((1u << PORT_MAX_ORDER) - 1) / 2)

struct options options = {
	.keep = CONFIG_KEEP_BYTES,
	.reap = CONFIG_REAP_SLABS,
};

enum option_kind {
	OPTION_NUMBER, /* decimal, with k, m or g behind it */
	OPTION_WORD,   /* one of words[]; the value is its index + 1 */
	OPTION_TEXT,   /* as it is */
	OPTION_BLOCKS, /* letters and caches, added to what was given before (letters.h) */
};

struct option {
	const char *name;
	enum option_kind kind;
	bool hardens; /* honoured in processes with more rights */
	u64 *number;  /* NUMBER, WORD */
	u32 least;    /* NUMBER: of what is not 0, which is always good */
	u32 most;     /* NUMBER; 0: any */
	char *text;   /* TEXT, BLOCKS */
	bool (*is_valid)(const char *text, size_t length); /* TEXT; NULL: all are */
	const char *words[4];
	const char *help;
};

static const struct option option_table[] = {
	{ .name = "percpu",
	  .kind = OPTION_WORD,
	  .number = &options.percpu,
	  .words = { "rseq", "lock", "pretend" },
	  .help = "how a CPU's arrays are guarded; default: the best that works" },
	{ .name = "audit",
	  .kind = OPTION_NUMBER,
	  .hardens = true,
	  .number = &options.audit,
	  .most = 1,
	  .help = "1: prove all rules at exit and now and then" },
	{ .name = "foreign",
	  .kind = OPTION_WORD,
	  .number = &options.foreign_libc,
	  .words = { "libc" },
	  .help = "a pointer that is not Ashlar's is given to libc's free" },
	{ .name = "deepbind",
	  .kind = OPTION_WORD,
	  .number = &options.keep_deepbind,
	  .words = { "keep" },
	  .help = "RTLD_DEEPBIND of dlopen is left alone" },
	{ .name = "limit",
	  .kind = OPTION_NUMBER,
	  .hardens = true,
	  .number = &options.limit,
	  .help = "bytes (k, m, g) that may be used at most" },
	{ .name = "soft_limit",
	  .kind = OPTION_NUMBER,
	  .hardens = true,
	  .number = &options.soft_limit,
	  .help = "bytes (k, m, g) above which shrinkers work and nothing is kept" },
	{ .name = "keep",
	  .kind = OPTION_NUMBER,
	  .number = &options.keep,
	  .help = "bytes of free memory kept for reuse, beside 1/16 of what is in use" },
	{ .name = "reap",
	  .kind = OPTION_NUMBER,
	  .number = &options.reap,
	  .help = "new slabs of a cache after which the next cache's arrays age; 0: never" },
	{ .name = "random_seq",
	  .kind = OPTION_NUMBER,
	  .hardens = true,
	  .number = &options.random_seq,
	  .most = 1,
	  .help = "1: objects are given out in random order" },
	{ .name = "fake_numa",
	  .kind = OPTION_NUMBER,
	  .number = &options.fake_numa,
	  .least = 2,
	  .most = PORT_MAX_NODES,
	  .help = "so many NUMA nodes (2..8) are made up, the CPUs dealt out to them in turn" },
	{ .name = "slab_merge",
	  .kind = OPTION_NUMBER,
	  .number = &options.slab_merge,
	  .most = 1,
	  .help = "1: caches that are alike become one, with several names" },
	{ .name = "report",
	  .kind = OPTION_TEXT,
	  .text = options.report,
	  .help = "directory into which a record is written at exit" },
	{ .name = "failslab",
	  .kind = OPTION_TEXT,
	  .text = options.failslab,
	  .is_valid = fault_is_valid,
	  .help = "interval,probability,space,times and caches: allocations fail on purpose" },
	{ .name = "fail_nth",
	  .kind = OPTION_NUMBER,
	  .number = &options.fail_nth,
	  .help = "the allocation with this number fails" },
	{ .name = "guard",
	  .kind = OPTION_NUMBER,
	  .number = &options.guard,
	  .most = INT32_MAX,
	  .help = "one refill in about so many gives an object between closed pages; 0: none" },
	{ .name = "guard_each",
	  .kind = OPTION_NUMBER,
	  .number = &options.guard_each,
	  .most = 1,
	  .help = "1: guard= counts each allocation, not each refill" },
	{ .name = "guard_slots",
	  .kind = OPTION_NUMBER,
	  .number = &options.guard_slots,
	  .most = OPTION_GUARD_SLOTS,
	  .help = "so many of these at one time (1..1023)" },
	{ .name = "init_on_alloc",
	  .kind = OPTION_NUMBER,
	  .hardens = true,
	  .number = &options.init_on_alloc,
	  .most = 1,
	  .help = "1: what is handed out is cleared" },
	{ .name = "init_on_free",
	  .kind = OPTION_NUMBER,
	  .hardens = true,
	  .number = &options.init_on_free,
	  .most = 1,
	  .help = "1: what comes back is cleared" },
	{ .name = "stats",
	  .kind = OPTION_NUMBER,
	  .number = &options.stats,
	  .most = 1,
	  .help = "1: calls are counted, for the statistics of slabinfo" },
	{ .name = "slab_debug",
	  .kind = OPTION_BLOCKS,
	  .text = options.slab_debug,
	  .help = "letters of FZPUTAO- and caches, as FZPU,kmalloc-64,dentry*: what is watched" },
};

static void option_complain(const char *what, const char *s, size_t length)
{
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: " PORT_OPTIONS_NAME ": ");
	text_str(&t, what);
	text_str(&t, " '");
	for (size_t i = 0; i < length; i++)
		text_char(&t, s[i]);
	text_str(&t, "', ignored\n");
	text_print(&t);
}

static bool option_number(const char *s, size_t length, u64 *value)
{
	size_t i = 0;
	u64 n = 0;

	for (; i < length && s[i] >= '0' && s[i] <= '9'; i++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (u64)(s[i] - '0'), &n))
			return false;
	if (i == 0 || length - i > 1)
		return false;
	if (i < length) {
		unsigned shift = s[i] == 'k' ? 10 : s[i] == 'm' ? 20 : s[i] == 'g' ? 30 : 0;

		if (!shift || n > UINT64_MAX >> shift)
			return false;
		n <<= shift;
	}
	*value = n;
	return true;
}

static bool option_is_in_range(const struct option *o, u64 n)
{
	return n == 0 || (n >= o->least && (!o->most || n <= o->most));
}

static bool option_word(const struct option *o, const char *s, size_t length)
{
	for (unsigned i = 0; i < ARRAY_SIZE(o->words) && o->words[i]; i++) {
		if (text_equals(s, length, o->words[i])) {
			*o->number = i + 1;
			return true;
		}
	}
	return false;
}

/* Blocks come one by one: a ';' between them also ends an option. */
static bool option_blocks(const struct option *o, const char *s, size_t length)
{
	size_t n = 0;

	while (o->text[n])
		n++;
	if (!letters_are_valid(s, length) || n + length + 1 >= OPTION_TEXT_MAX)
		return false;
	if (n)
		o->text[n++] = ';';
	for (size_t i = 0; i < length; i++)
		o->text[n++] = s[i];
	o->text[n] = '\0';
	return true;
}

bool option_set_debug(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	if (length >= OPTION_TEXT_MAX || !letters_are_valid(text, length))
		return false;
	for (size_t i = 0; i <= length; i++)
		WRITE_ONCE(options.slab_debug[i], text[i]);
	return true;
}

static bool option_set(const struct option *o, const char *s, size_t length)
{
	u64 n;

	switch (o->kind) {
	case OPTION_NUMBER:
		if (!option_number(s, length, &n) || !option_is_in_range(o, n))
			return false;
		*o->number = n;
		return true;
	case OPTION_WORD:
		return option_word(o, s, length);
	case OPTION_TEXT:
		if (length >= OPTION_TEXT_MAX || (o->is_valid && !o->is_valid(s, length)))
			return false;
		for (size_t i = 0; i < length; i++)
			o->text[i] = s[i];
		o->text[length] = '\0';
		return true;
	case OPTION_BLOCKS:
		return option_blocks(o, s, length);
	}
	return false;
}

static const struct option *option_find(const char *s, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++)
		if (text_equals(s, length, option_table[i].name))
			return &option_table[i];
	return NULL;
}

/* @o is in @s of @length bytes, its name the first @name of them. */
static void option_take(const struct option *o, const char *s, size_t name, size_t length)
{
	const char *value = s + name + 1;
	size_t value_length = length - name - 1;

	if (o->kind == OPTION_BLOCKS && length <= name + 1) {
		value = "FZPU"; /* the kernel's answer to no letters */
		value_length = 4;
	} else if (name == length && o->kind == OPTION_NUMBER && o->most == 1) {
		value = "1"; /* a switch */
		value_length = 1;
	} else if (name == length) {
		option_complain("no value in", s, length);
		return;
	}
	if (!option_set(o, value, value_length))
		option_complain("bad value in", s, length);
}

/* One "name=value" of @length bytes; returns the option, if there is one. */
static const struct option *option_one(const char *s, size_t length, bool secure)
{
	const struct option *o;
	size_t name = 0;

	while (name < length && s[name] != '=')
		name++;
	o = option_find(s, name);
	if (!name)
		option_complain("no name in", s, length);
	else if (!o)
		option_complain("unknown option", s, name);
	else if (o->hardens || !secure)
		option_take(o, s, name, length);
	return o;
}

/* Does it go on with what the option before has begun? Names begin with small letters. */
static bool option_goes_on(const struct option *o, const char *s)
{
	return o && o->kind == OPTION_BLOCKS &&
	       ((s[0] >= 'A' && s[0] <= 'Z') || s[0] == '-' || s[0] == ',');
}

void option_read(const char *text, bool secure)
{
	const struct option *last = NULL;

	while (text && *text) {
		size_t length = 0;

		while (text[length] && text[length] != ';')
			length++;
		if (option_goes_on(last, text)) {
			if (!secure && !option_blocks(last, text, length))
				option_complain("bad value in", text, length);
		} else if (length) {
			last = option_one(text, length, secure);
		}
		text += length + (text[length] == ';');
	}
}

void option_print(void)
{
	struct text t;

	text_init(&t);
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option *o = &option_table[i];

		text_str(&t, "  ");
		text_str(&t, o->name);
		for (unsigned w = 0; w < ARRAY_SIZE(o->words) && o->words[w]; w++) {
			text_char(&t, w ? '|' : '=');
			text_str(&t, o->words[w]);
		}
		text_str(&t, "  ");
		text_str(&t, o->help);
		text_char(&t, '\n');
		text_print(&t);
	}
}
