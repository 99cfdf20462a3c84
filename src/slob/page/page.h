/* SPDX-License-Identifier: MIT */
/*
 * page.h - the program has lowered its RLIMIT_AS (see src/page/page.h)
 */
#ifndef ASHLAR_SLOB_PAGE_H
#define ASHLAR_SLOB_PAGE_H

#include "base/base.h"

/* Give address space that was never used back until half of what the limit leaves is reserved.
 * Returns bytes. */
size_t page_lower(void);

#endif
