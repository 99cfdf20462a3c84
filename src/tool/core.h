/* SPDX-License-Identifier: MIT */
/*
 * core.h - the memory of a process that died, from its core file
 */
#ifndef ASHLAR_TOOL_CORE_H
#define ASHLAR_TOOL_CORE_H

#include "target.h"

/* Open the file t->name. Says why it cannot. */
bool core_open(struct target *t);

bool core_read(struct target *t, uint64_t address, void *to, size_t bytes);

#endif
