/* SPDX-License-Identifier: MIT */
/*
 * fdt.h - what a device tree says of memory, CPUs and nodes
 */
#ifndef ASHLAR_KERNEL_FDT_H
#define ASHLAR_KERNEL_FDT_H

#include <stdbool.h>
#include <stdint.h>

/* No tree has more bytes: what a caller says who knows no better. */
#define FDT_MAX_BYTES (UINT64_C(2) << 20)

/* Paint the boot map, fill machine.cpu[].hardware and .node, the distances and the settings, from
 * the tree at @tree, of which @bytes may be read, and whose bytes at @physical are taken.
 * @boot_hardware is the CPU that runs this: it becomes CPU 0. What is wrong in the tree is printed,
 * and ends the reading, or is not used. false, with nothing done, iff this is no device tree, or
 * says to be larger. */
bool fdt_read(const void *tree, uint64_t bytes, uint64_t physical, uint64_t boot_hardware);

#endif
