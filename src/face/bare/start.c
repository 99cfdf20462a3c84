/* SPDX-License-Identifier: MIT */
/*
 * start.c - the one call that starts everything in a kernel
 */
#include "cache/init.h"
#include "port/bare/bare.h"

bool ashlar_boot_start(const struct ashlar_boot *boot)
{
	return bare_start(boot) && init_ready();
}
