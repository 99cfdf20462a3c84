/* SPDX-License-Identifier: MIT */
/*
 * stdint.h - for files that see Linux's headers: its types instead of the compiler's
 */
#ifndef ASHLAR_SHIM_STDINT_H
#define ASHLAR_SHIM_STDINT_H

#include <linux/types.h>

#endif
