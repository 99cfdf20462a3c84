/* SPDX-License-Identifier: MIT */
/*
 * fault.c - see fault.h
 *
 * State   faults: what was set, and what is left of it; changed by atomic operations, so that
 *         calls on several CPUs are counted each
 */
#include "cache/fault.h"
#include "ashlar/debug.h"
#include "base/text.h"
#include "cache/init.h"
#include "cache/letters.h"
#include "cache/option.h"
#include "port/port.h"

#define FAULT_EINVAL 22
#define FAULT_TOLD 10u /* failures that are told one by one */

bool fault_large;

/* What failslab= says: four numbers, then patterns of names. */
struct fault_setting {
	int64_t number[4]; /* interval, probability, space, times */
	size_t names;      /* where in the text these begin; at its end: there are none */
};

static struct {
	char text[OPTION_TEXT_MAX]; /* the setting, for its names */
	struct fault_setting set;
	bool on;        /* failslab, by FT1 */
	bool lettered;  /* some cache has letter A */
	size_t calls;   /* seen so far */
	intptr_t space; /* bytes still let through */
	intptr_t times; /* failures that are left, -1: without end */
	size_t failed;  /* ever */
	size_t nth;     /* calls until the one that fails; 0: not armed */
	u32 nth_thread; /* whose calls; 0: anybody's */
	bool nth_armed; /* all caches are watched for it */
} faults;

/* A whole number before ',' or the end; *@at moves behind it. */
static bool fault_number(const char *text, size_t length, size_t *at, int64_t *number)
{
	bool minus = *at < length && text[*at] == '-';
	size_t first = *at + minus;
	size_t i = first;
	int64_t n = 0;

	for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
		if (n > INT32_MAX)
			return false;
		n = n * 10 + (text[i] - '0');
	}
	if (i == first || (i < length && text[i] != ','))
		return false;
	*number = minus ? -n : n;
	*at = i + (i < length);
	return true;
}

static bool fault_parse(const char *text, size_t length, struct fault_setting *set)
{
	size_t at = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(set->number); i++)
		if (!fault_number(text, length, &at, &set->number[i]))
			return false;
	set->names = at;
	return set->number[0] >= 1 && set->number[1] >= 0 && set->number[1] <= 100 &&
	       set->number[2] >= 0 && set->number[3] >= -1;
}

bool fault_is_valid(const char *text, size_t length)
{
	struct fault_setting set;

	return length < OPTION_TEXT_MAX && fault_parse(text, length, &set);
}

static size_t fault_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* Start counting anew; @text is valid, or empty: nothing fails. */
static void fault_set(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		faults.text[i] = text[i];
	faults.text[length] = '\0';
	faults.on = length && fault_parse(faults.text, length, &faults.set);
	faults.calls = 0;
	faults.space = faults.on ? (intptr_t)faults.set.number[2] : 0;
	faults.times = faults.on ? (intptr_t)faults.set.number[3] : 0;
}

static bool fault_has_names(void)
{
	return faults.text[faults.set.names] != '\0';
}

static bool fault_lists(const char *name)
{
	return letters_list_has(faults.text + faults.set.names,
				fault_length(faults.text + faults.set.names), name);
}

/* FT1, but for a cache that has letter A itself. */
static bool fault_concerns(const char *name)
{
	if (!faults.on)
		return false;
	return fault_has_names() ? fault_lists(name) : !faults.lettered;
}

u32 fault_flags(const char *name)
{
	return faults.nth_armed || fault_concerns(name) ? SLAB_FAILSLAB : 0;
}

bool fault_is_set(void)
{
	return faults.nth_armed || faults.on;
}

static void fault_look_at_large(void)
{
	WRITE_ONCE(fault_large,
		   faults.nth_armed || (faults.on && !fault_has_names() && fault_concerns("")));
}

void fault_set_lettered(bool some)
{
	faults.lettered = some || (letters_any(options.slab_debug) & SLAB_FAILSLAB);
	fault_look_at_large();
}

void fault_init(void)
{
	fault_set(options.failslab, fault_length(options.failslab));
	faults.nth = (size_t)options.fail_nth;
	faults.nth_armed = options.fail_nth != 0;
	fault_set_lettered(false);
}

/* ---- a call ------------------------------------------------------------------------------ */

/* 0 .. 99, the same for the same call of each run (FT4; splitmix64). */
static int64_t fault_draw(u64 call)
{
	u64 z = call * 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (int64_t)((z ^ z >> 31) % 100);
}

/* Is one of the failures that are left ours? */
static bool fault_take_time(void)
{
	intptr_t left = __atomic_load_n(&faults.times, __ATOMIC_RELAXED);

	while (left > 0 && !__atomic_compare_exchange_n(&faults.times, &left, left - 1, false,
							__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return left != 0;
}

/* Is this call only seen for fail_nth, or for a letter where names come first (FT1)? */
static bool fault_spares(const char *name)
{
	if (fault_has_names())
		return !name || !fault_lists(name);
	return !name && faults.lettered;
}

static bool fault_strikes_slab(const char *name, size_t size)
{
	size_t call;

	if (!faults.on || fault_spares(name) ||
	    __atomic_load_n(&faults.times, __ATOMIC_RELAXED) == 0)
		return false;
	if (__atomic_load_n(&faults.space, __ATOMIC_RELAXED) > (intptr_t)size) {
		__atomic_fetch_sub(&faults.space, (intptr_t)size, __ATOMIC_RELAXED);
		return false;
	}
	call = __atomic_add_fetch(&faults.calls, 1, __ATOMIC_RELAXED);
	if (call % (size_t)faults.set.number[0] != 0 || fault_draw(call) >= faults.set.number[1])
		return false;
	return fault_take_time();
}

/* One call nearer to the one that fails; true: this is it. */
static bool fault_strikes_nth(void)
{
	size_t left = __atomic_load_n(&faults.nth, __ATOMIC_RELAXED);

	if (left == 0 || (faults.nth_thread && faults.nth_thread != port_thread()))
		return false;
	while (left && !__atomic_compare_exchange_n(&faults.nth, &left, left - 1, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return left == 1;
}

static cold void fault_tell(const char *name, size_t size)
{
	size_t number = __atomic_add_fetch(&faults.failed, 1, __ATOMIC_RELAXED);
	struct text t;

	if (number > FAULT_TOLD)
		return;
	text_init(&t);
	text_str(&t, "ashlar: failslab: failure ");
	text_dec(&t, number);
	text_str(&t, ": ");
	text_dec(&t, size);
	text_str(&t, size == 1 ? " byte of " : " bytes of ");
	text_str(&t, name ? name : "a large block");
	text_str(&t, number == FAULT_TOLD ? " (no more will be told)\n" : "\n");
	text_print(&t);
}

bool fault_strikes(const char *name, size_t size, gfp_t gfp)
{
	if (gfp & __GFP_NOFAIL) /* FT3 */
		return false;
	if (!fault_strikes_nth() && !fault_strikes_slab(name, size))
		return false;
	if (!(gfp & __GFP_NOWARN))
		fault_tell(name, size);
	return true;
}

/* ---- while the program runs ---------------------------------------------------------------- */

int ashlar_failslab(const char *setting)
{
	size_t length = setting ? fault_length(setting) : 0;

	if (!init_ready() || (length && !fault_is_valid(setting, length)))
		return -FAULT_EINVAL;
	fault_set(setting, length);
	fault_look_at_large();
	return fault_spread();
}

unsigned long ashlar_fail_nth(unsigned long n)
{
	bool was_armed = faults.nth_armed;
	size_t left;

	if (!init_ready())
		return 0;
	left = __atomic_exchange_n(&faults.nth, 0, __ATOMIC_RELAXED);
	faults.nth_thread = n ? port_thread() : 0;
	faults.nth_armed = n != 0;
	if (was_armed != faults.nth_armed) {
		fault_look_at_large();
		fault_spread();
	}
	__atomic_store_n(&faults.nth, n, __ATOMIC_RELAXED);
	return left;
}
