/* SPDX-License-Identifier: MIT */
/*
 * tap.c - run the cases and print TAP
 *
 * What    Sorts the registered cases, runs each, apart from the others where the home can,
 *         and prints one line for each. Compiles freestanding: no stdio, no allocation,
 *         memory of its own below 200 bytes.
 * See     tap.h for the macros, tap_host.c for a process
 */
#include "tap.h"

/* The ends of the section; weak, because a program may have no case. */
extern const struct tap_case *__start_tap_cases[] __attribute__((weak));
extern const struct tap_case *__stop_tap_cases[] __attribute__((weak));

unsigned (*tap_apart)(unsigned (*run)(const void *), const void *argument);

static bool case_failed;
static const char *case_skipped;

static size_t text_length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

static int text_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static bool text_starts_with(const char *text, const char *start)
{
	while (*start && *text == *start) {
		text++;
		start++;
	}
	return *start == '\0';
}

static bool text_contains(const char *text, const char *part)
{
	for (; *text; text++)
		if (text_starts_with(text, part))
			return true;
	return *part == '\0';
}

static void put(const char *text)
{
	tap_write(text, text_length(text));
}

static void put_number(uint64_t n, unsigned base)
{
	char digits[20]; /* 2^64 has 20 */
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	tap_write(digits + i, sizeof(digits) - i);
}

/* Decimal, and hexadecimal where that tells more. */
static void put_value(uint64_t n)
{
	if (n >> 63) {
		put("-");
		put_number(-n, 10);
	} else {
		put_number(n, 10);
	}
	if (n > 9) {
		put(" (0x");
		put_number(n, 16);
		put(")");
	}
}

static void put_text(const char *text)
{
	if (!text) {
		put("NULL");
		return;
	}
	put("\"");
	for (; *text; text++) {
		if (*text == '\n')
			put("\\n");
		else
			tap_write(text, 1);
	}
	put("\"");
}

static bool fail(const char *file, unsigned line, const char *what)
{
	case_failed = true;
	put("# ");
	put(file);
	put(":");
	put_number(line, 10);
	put(": expected ");
	put(what);
	put("\n");
	return false;
}

static bool fail_values(const char *left, uint64_t a, const char *right, uint64_t b)
{
	put(left);
	put_value(a);
	put(right);
	put_value(b);
	put("\n");
	return false;
}

bool tap_expect(bool ok, const char *file, unsigned line, const char *what)
{
	return ok || fail(file, line, what);
}

bool tap_expect_order(bool ok, uint64_t a, uint64_t b, const char *file, unsigned line,
		      const char *what)
{
	if (ok)
		return true;
	fail(file, line, what);
	return fail_values("#   left  ", a, "\n#   right ", b);
}

bool tap_expect_eq(uint64_t a, uint64_t b, const char *file, unsigned line, const char *what)
{
	return tap_expect_order(a == b, a, b, file, line, what);
}

bool tap_expect_ptr(const void *a, const void *b, const char *file, unsigned line, const char *what)
{
	return tap_expect_order(a == b, (uintptr_t)a, (uintptr_t)b, file, line, what);
}

bool tap_expect_text(const char *a, const char *b, const char *file, unsigned line,
		     const char *what)
{
	if (a == b || (a && b && text_compare(a, b) == 0))
		return true;
	fail(file, line, what);
	put("#   left  ");
	put_text(a);
	put("\n#   right ");
	put_text(b);
	put("\n");
	return false;
}

bool tap_has_failed(void)
{
	return case_failed;
}

void tap_skip(const char *reason)
{
	case_skipped = reason;
}

void tap_note(const char *text)
{
	put("# ");
	put(text);
	put("\n");
}

void tap_note_number(const char *text, uint64_t number)
{
	put("# ");
	put(text);
	put(" ");
	put_number(number, 10);
	put("\n");
}

static bool case_before(const struct tap_case *a, const struct tap_case *b)
{
	int order = text_compare(a->file, b->file);

	return order < 0 || (order == 0 && a->line < b->line);
}

static size_t case_count(void)
{
	return (size_t)(__stop_tap_cases - __start_tap_cases);
}

/* The linker keeps no order. A few hundred cases at most: insertion is quick enough. */
static void cases_sort(void)
{
	const struct tap_case **cases = __start_tap_cases;
	size_t count = case_count();

	for (size_t i = 1; i < count; i++) {
		const struct tap_case *moving = cases[i];
		size_t to = i;

		for (; to > 0 && case_before(moving, cases[to - 1]); to--)
			cases[to] = cases[to - 1];
		cases[to] = moving;
	}
}

static bool case_is_wanted(const struct tap_case *c, const char *filter)
{
	return !filter || text_contains(c->name, filter);
}

/* One case with the number of its line. */
struct run {
	const struct tap_case *c;
	unsigned number;
};

static void put_result(bool failed, const struct run *r)
{
	put(failed ? "not ok " : "ok ");
	put_number(r->number, 10);
	put(" - ");
	put(r->c->name);
}

/* Returns 1 when the case has failed, else 0. */
static unsigned case_run(const void *argument)
{
	const struct run *r = argument;

	case_failed = false;
	case_skipped = NULL;
	r->c->run();
	put_result(case_failed, r);
	if (case_skipped && !case_failed) {
		put(" # SKIP ");
		put(case_skipped);
	}
	put("\n");
	return case_failed;
}

/* The same, apart if possible; a case that ends its process has failed. */
static unsigned case_run_apart(const struct tap_case *c, unsigned number)
{
	struct run r = { .c = c, .number = number };
	unsigned failed = tap_apart ? tap_apart(case_run, &r) : case_run(&r);

	if (failed > 1) {
		put_result(true, &r);
		put("\n");
	}
	return failed != 0;
}

unsigned tap_run(const char *filter)
{
	size_t count = case_count();
	unsigned wanted = 0, ran = 0, failed = 0;

	cases_sort();
	for (size_t i = 0; i < count; i++)
		wanted += case_is_wanted(__start_tap_cases[i], filter);

	put("1..");
	put_number(wanted, 10);
	put(wanted ? "\n" : " # SKIP no such case\n");

	for (size_t i = 0; i < count; i++)
		if (case_is_wanted(__start_tap_cases[i], filter))
			failed += case_run_apart(__start_tap_cases[i], ++ran);
	return failed;
}

void tap_list(void)
{
	size_t count = case_count();

	cases_sort();
	for (size_t i = 0; i < count; i++) {
		put(__start_tap_cases[i]->name);
		put("\n");
	}
}
