/* SPDX-License-Identifier: MIT */
/*
 * heap_guard.h - guarded objects, printed; nothing iff nothing is guarded
 */
#ifndef ASHLAR_TOOL_HEAP_GUARD_H
#define ASHLAR_TOOL_HEAP_GUARD_H

#include <stdio.h>

#include "heap.h"

/* A line of the short form of ashlar info. */
void heap_guard_print(FILE *out, const struct heap *h);

#endif
