/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - the memory limit of the control group that a program will run in
 */
#ifndef ASHLAR_TOOL_CGROUP_H
#define ASHLAR_TOOL_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes that this process's control group, and those above it, may use: the hard limit, or the one
 * above which the kernel reclaims. 0: none is set, or none can be read. */
uint64_t cgroup_limit(bool soft);

#endif
