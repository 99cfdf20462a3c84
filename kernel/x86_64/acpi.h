/* SPDX-License-Identifier: MIT */
/*
 * acpi.h - what ACPI's tables say of CPUs and nodes
 */
#ifndef ASHLAR_KERNEL_ACPI_H
#define ASHLAR_KERNEL_ACPI_H

#include <stdint.h>

/* Fill machine.cpu[].hardware and .node, machine.nodes and the distances, and tell the boot map
 * what memory is of which node. Physical addresses below @bytes may be read, at @memory; @rsdp is
 * where the tables begin, 0: the firmware gave none. @boot_id, an APIC id, is CPU 0. A table that
 * is not inside that memory, or contradicts itself, is said and not read, or not to its end. */
void acpi_read(const void *memory, uint64_t bytes, uint64_t rsdp, uint64_t boot_id);

#endif
