/* SPDX-License-Identifier: MIT */
/*
 * stdbool.h - for files that see Linux's headers: its types instead of the compiler's
 */
#ifndef ASHLAR_SHIM_STDBOOL_H
#define ASHLAR_SHIM_STDBOOL_H

#include <linux/types.h>

#endif
