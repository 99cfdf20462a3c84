/* SPDX-License-Identifier: MIT */
/*
 * stddef.h - for files that see Linux's headers: its types instead of the compiler's
 */
#ifndef ASHLAR_SHIM_STDDEF_H
#define ASHLAR_SHIM_STDDEF_H

#include <linux/types.h>

#endif
