/* SPDX-License-Identifier: MIT */
/*
 * page_help.h - for cases that count pages, on every machine: bare, inside Linux, simulated
 */
#ifndef ASHLAR_TEST_PAGE_HELP_H
#define ASHLAR_TEST_PAGE_HELP_H

#include "base/base.h"
#include "tap.h"

/* In a case that counts pages, or bytes of them, as they are in a process. */
#define PAGES_OF_4_KIB()                               \
	do {                                           \
		if (PORT_PAGE_SHIFT != 12)             \
			SKIP("counts pages of 4 KiB"); \
	} while (0)

#endif
