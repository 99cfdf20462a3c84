/* SPDX-License-Identifier: MIT */
/*
 * virt.h - called by boot.S
 */
#ifndef ASHLAR_KERNEL_VIRT_H
#define ASHLAR_KERNEL_VIRT_H

#include "kernel.h"

_Noreturn void arch_boot(uint64_t tree);
_Noreturn void arch_cpu_main(struct cpu *cpu);
void trap(uint64_t door);

#endif
