/* SPDX-License-Identifier: MIT */
/*
 * lower.c - the program has lowered its RLIMIT_AS: see page.h
 */
#include "page/page.h"
#include "page/pages.h"
#include "port/port.h"

size_t page_lower(void)
{
	size_t reserved = pages_unused();
	size_t limit, used, others;

	if (!port_address_space(&limit, &used))
		return 0;
	others = used - size_min(used, reserved);
	if (limit <= others)
		return pages_lower(0);
	return pages_lower(size_min(reserved, (limit - others) / 2));
}
