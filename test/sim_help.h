/* SPDX-License-Identifier: MIT */
/*
 * sim_help.h - what tests on the simulated machine share
 *
 * What    Ends of the program that are caught, what was printed, a small random
 *         generator. The only place where such tests see the C library.
 */
#ifndef ASHLAR_TEST_SIM_HELP_H
#define ASHLAR_TEST_SIM_HELP_H

#include <setjmp.h>

#include "base/memory.h"
#include "port/sim/sim.h"
#include "tap.h"

/* In a case that counts pages, or bytes of them, as they are in a process. */
#define PAGES_OF_4_KIB()                               \
	do {                                           \
		if (PORT_PAGE_SHIFT != 12)             \
			SKIP("counts pages of 4 KiB"); \
	} while (0)

/* In one that needs slabs of several pages, or blocks of hundreds. */
#define PAGES_ARE_MANY()                             \
	do {                                         \
		if (PORT_PAGE_SHIFT > 14)            \
			SKIP("needs smaller pages"); \
	} while (0)

/* An arena that is soon exhausted: some sections, and what is lost to alignment. */
#define HELP_SMALL_ARENA (PORT_PAGE_SHIFT == 16 ? (size_t)24 << 20 : (size_t)8 << 20)

/* Forget what was printed. */
static inline void help_clear(void)
{
	sim.text_bytes = 0;
	sim.text[0] = '\0';
}

/* Is @words in what was printed? */
static inline bool help_said(const char *words)
{
	for (const char *at = sim.text; *at; at++) {
		size_t i = 0;

		while (words[i] && at[i] == words[i])
			i++;
		if (!words[i])
			return true;
	}
	return false;
}

/* Does @run end the program? What it said is in sim.text. */
static inline bool help_aborts(void (*run)(void))
{
	static jmp_buf back;
	volatile bool aborted = true;

	help_clear();
	sim_abort_jump = &back;
	if (setjmp(back) == 0) {
		run();
		aborted = false;
	}
	sim_abort_jump = NULL;
	return aborted;
}

/* Text built piece by piece, to compare a report with. */
struct help_text {
	char bytes[2048];
	size_t length;
};

static inline void help_str(struct help_text *t, const char *s)
{
	while (*s && t->length < sizeof(t->bytes) - 1)
		t->bytes[t->length++] = *s++;
	t->bytes[t->length] = '\0';
}

static inline void help_number(struct help_text *t, uint64_t n, unsigned base)
{
	char digits[24];
	size_t i = sizeof(digits);

	digits[--i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	help_str(t, digits + i);
}

/* @format with %p (0x...), %d (a size_t) and %s from the arguments, in order. */
static inline const char *help_format(struct help_text *t, const char *format, ...)
{
	__builtin_va_list arguments;

	__builtin_va_start(arguments, format);
	t->length = 0;
	t->bytes[0] = '\0';
	for (; *format; format++) {
		char one[2] = { *format, '\0' };

		if (*format != '%') {
			help_str(t, one);
			continue;
		}
		switch (*++format) {
		case 'p':
			help_str(t, "0x");
			help_number(t, (uintptr_t) __builtin_va_arg(arguments, void *), 16);
			break;
		case 'd':
			help_number(t, __builtin_va_arg(arguments, size_t), 10);
			break;
		default:
			help_str(t, __builtin_va_arg(arguments, const char *));
		}
	}
	__builtin_va_end(arguments);
	return t->bytes;
}

/* Does @text hold @part? */
static inline bool help_contains(const char *text, const char *part)
{
	for (; *text; text++) {
		size_t i = 0;

		while (part[i] && text[i] == part[i])
			i++;
		if (!part[i])
			return true;
	}
	return false;
}

/* Is every byte of @p's @bytes @value? */
static inline bool is_filled(const void *p, size_t bytes, char value)
{
	for (size_t i = 0; i < bytes; i++)
		if (((const char *)p)[i] != value)
			return false;
	return true;
}

/* The same numbers on every machine for one seed (splitmix64). */
static inline uint64_t help_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A number from the settings, or @otherwise. */
static inline uint64_t help_setting(const char *name, uint64_t otherwise)
{
	const char *text = tap_setting(name);
	uint64_t n = 0;

	if (!text || *text < '0' || *text > '9')
		return otherwise;
	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

/* How long random tests run: 1 quick, 2 ordinary, 100 soak. */
static inline unsigned help_effort(void)
{
	const char *text = tap_setting("ASHLAR_TEST");

	if (text && text[0] == 'q')
		return 1;
	return text && text[0] == 's' ? 100 : 2;
}

#endif
