/* SPDX-License-Identifier: MIT */
/*
 * fdt.h - what a device tree says of memory, CPUs and nodes
 */
#ifndef ASHLAR_KERNEL_FDT_H
#define ASHLAR_KERNEL_FDT_H

#include <stdbool.h>
#include <stdint.h>

/* Paint the boot map, fill machine.cpu[].hardware and .node, the distances and the settings, from
 * the tree at @tree, whose bytes are taken. @boot_hardware is the CPU that runs this: it becomes
 * CPU 0. false iff this is no device tree. */
bool fdt_read(const void *tree, uint64_t physical, uint64_t boot_hardware);

#endif
