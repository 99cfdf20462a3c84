/* SPDX-License-Identifier: MIT */
/*
 * arch.h - the processor's part of the bare port: port_irq, bare_irqs_on, bare_cpu
 */
#ifndef ASHLAR_PORT_BARE_ARCH_H
#define ASHLAR_PORT_BARE_ARCH_H

#if defined(ASHLAR_BARE_HOSTED)
#include "port/bare/hosted/arch.h"
#elif defined(__x86_64__)
#include "port/bare/x86_64/arch.h"
#elif defined(__aarch64__)
#include "port/bare/aarch64/arch.h"
#elif defined(__riscv)
#include "port/bare/riscv64/arch.h"
#else
#error "write src/port/bare/PROCESSOR/arch.h: four functions"
#endif

#endif
