/* SPDX-License-Identifier: MIT */
/*
 * check.c - the end of a program whose heap is no longer what it should be
 */
#include "base/check.h"
#include "base/text.h"
#include "port/port.h"

void (*check_last_words)(void);

void check_last(void)
{
	void (*words)(void) = __atomic_exchange_n(&check_last_words, NULL, __ATOMIC_ACQ_REL);

	if (words)
		words();
}

_Noreturn void check_end(void)
{
	check_last();
	port_abort();
}

_Noreturn void check_failed(const char *file, unsigned line, const char *rule)
{
	struct text t;

	text_init(&t);
	text_str(&t, "ashlar: broken rule: ");
	text_str(&t, rule);
	text_str(&t, " (");
	text_str(&t, file);
	text_str(&t, ":");
	text_dec(&t, line);
	text_str(&t, ")\n");
	text_print(&t);
	check_end();
}
