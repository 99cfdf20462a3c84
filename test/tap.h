/* SPDX-License-Identifier: MIT */
/*
 * tap.h - the smallest test harness that unit tests need
 *
 * What    TEST(buddy_B3_no_free_buddies) { ... } is one case; it registers itself. The
 *         program prints TAP and exits with 1 when a case has failed.
 * Why     The same cases run in a process and on a bare machine, so the harness calls one
 *         function of its home, tap_write, and nothing else.
 * State   The case that runs: whether it has failed, and its reason to skip.
 * Rules   Names are FILE_RULE_what: the file tested, the rule of its header, what is shown.
 *         EXPECT_x   the case fails and goes on; gives true when it held
 *         REQUIRE    the case fails and ends
 *         SKIP       the case ends and says why
 *         Cases run in the order of file name and line. In a process each runs in a child,
 *         so that it finds every static variable as the program starts with it.
 */
#ifndef ASHLAR_TEST_TAP_H
#define ASHLAR_TEST_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tap_case {
	const char *name;
	const char *file;
	unsigned line;
	void (*run)(void);
};

/* The home's one function: put out @bytes of text. */
void tap_write(const char *text, size_t bytes);

/* What a home may have besides: run @run(@argument) where what it changes is forgotten, and
 * return its result, or 2 if it did not come back. NULL: cases run one after the other. */
extern unsigned (*tap_apart)(unsigned (*run)(const void *), const void *argument);

/* For tests that use tap_apart themselves: has this case failed? */
bool tap_has_failed(void);

/* For tests: a setting of the home (an environment variable), or NULL. */
const char *tap_setting(const char *name);

/* Run the cases whose name contains @filter (NULL: all). Returns how many failed. */
unsigned tap_run(const char *filter);

/* Print the names of the cases. */
void tap_list(void);

/* A line of text beside the results: "# text", and one with a number. */
void tap_note(const char *text);
void tap_note_number(const char *text, uint64_t number);

bool tap_expect(bool ok, const char *file, unsigned line, const char *what);
bool tap_expect_eq(uint64_t a, uint64_t b, const char *file, unsigned line, const char *what);
bool tap_expect_order(bool ok, uint64_t a, uint64_t b, const char *file, unsigned line,
		      const char *what);
bool tap_expect_ptr(const void *a, const void *b, const char *file, unsigned line,
		    const char *what);
bool tap_expect_text(const char *a, const char *b, const char *file, unsigned line,
		     const char *what);
void tap_skip(const char *reason);

/* Pointers to the cases stand side by side in a section that the linker finds the ends of. */
#define TEST(case_name)                                                                           \
	static void case_name(void);                                                              \
	static const struct tap_case case_name##_case = { #case_name, __FILE__, __LINE__,         \
							  case_name };                            \
	__attribute__((used,                                                                      \
		       section("tap_cases"))) static const struct tap_case *case_name##_pointer = \
		&case_name##_case;                                                                \
	static void case_name(void)

#define EXPECT(cond) tap_expect((cond), __FILE__, __LINE__, #cond)
#define EXPECT_TRUE(cond) EXPECT(cond)
#define EXPECT_FALSE(cond) tap_expect(!(cond), __FILE__, __LINE__, "!(" #cond ")")

/* Integers of any type; both values are printed. Signed ones are sign-extended. */
#define EXPECT_EQ(a, b) \
	tap_expect_eq((uint64_t)(a), (uint64_t)(b), __FILE__, __LINE__, #a " == " #b)
#define EXPECT_ORDER_(a, op, b)                                                                \
	({                                                                                     \
		__typeof__(1 ? (a) : (b)) left_ = (a), right_ = (b);                           \
		tap_expect_order(left_ op right_, (uint64_t)left_, (uint64_t)right_, __FILE__, \
				 __LINE__, #a " " #op " " #b);                                 \
	})
#define EXPECT_NE(a, b) EXPECT_ORDER_(a, !=, b)
#define EXPECT_LT(a, b) EXPECT_ORDER_(a, <, b)
#define EXPECT_LE(a, b) EXPECT_ORDER_(a, <=, b)
#define EXPECT_GT(a, b) EXPECT_ORDER_(a, >, b)
#define EXPECT_GE(a, b) EXPECT_ORDER_(a, >=, b)

#define EXPECT_PTR_EQ(a, b) tap_expect_ptr((a), (b), __FILE__, __LINE__, #a " == " #b)
#define EXPECT_PTR_NE(a, b) tap_expect((a) != (b), __FILE__, __LINE__, #a " != " #b)
#define EXPECT_NULL(a) tap_expect_ptr((a), NULL, __FILE__, __LINE__, #a " == NULL")
#define EXPECT_NOT_NULL(a) tap_expect((a) != NULL, __FILE__, __LINE__, #a " != NULL")
#define EXPECT_TEXT_EQ(a, b) tap_expect_text((a), (b), __FILE__, __LINE__, #a " is " #b)

#define REQUIRE(cond)              \
	do {                       \
		if (!EXPECT(cond)) \
			return;    \
	} while (0)

#define SKIP(reason)              \
	do {                      \
		tap_skip(reason); \
		return;           \
	} while (0)

#endif
