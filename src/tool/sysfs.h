/* SPDX-License-Identifier: MIT */
/*
 * sysfs.h - the caches as the directory /sys/kernel/slab
 */
#ifndef ASHLAR_TOOL_SYSFS_H
#define ASHLAR_TOOL_SYSFS_H

#include "heap.h"

/* Write the tree below @path, which is made if it is not there. Says what cannot be written; then
 * the rest is not either, and false is returned. */
bool sysfs_write(const struct heap *h, const char *path);

#endif
