/* SPDX-License-Identifier: MIT */
/*
 * check.h - rules that are checked while the program runs
 *
 * What    CHECK    always on; what corruption or a user's error could break
 *         ASSERT   debug builds; our own rules, one condition each
 * State   none; a failure prints the rule and ends the program
 */
#ifndef ASHLAR_BASE_CHECK_H
#define ASHLAR_BASE_CHECK_H

#include "base/base.h"

/* What somebody wants to do before a program with a broken heap ends; NULL: nothing. It may
 * neither allocate nor wait for a lock. */
extern void (*check_last_words)(void);

/* Let the last words be said, once: the program is about to end. */
void check_last(void);

/* The same, and end it. */
_Noreturn void check_end(void);

_Noreturn void check_failed(const char *file, unsigned line, const char *rule);

#define CHECK(condition, rule)                                  \
	do {                                                    \
		if (unlikely(!(condition)))                     \
			check_failed(__FILE__, __LINE__, rule); \
	} while (0)

#define ASSERT(condition)                                             \
	do {                                                          \
		if (CONFIG_DEBUG && unlikely(!(condition)))           \
			check_failed(__FILE__, __LINE__, #condition); \
	} while (0)

#endif
