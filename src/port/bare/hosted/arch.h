/* SPDX-License-Identifier: MIT */
/*
 * arch.h - no processor: a kernel with one CPU and no interrupts, in a process
 *
 * What    To try the bare port where a program runs: -DASHLAR_BARE_HOSTED chooses it.
 */
#ifndef ASHLAR_PORT_BARE_HOSTED_ARCH_H
#define ASHLAR_PORT_BARE_HOSTED_ARCH_H

#include <stdbool.h>
#include <stdint.h>

struct port_irq {
	uintptr_t flags;
};

static inline struct port_irq port_irq_save(void)
{
	return (struct port_irq){ 0 };
}

static inline void port_irq_restore(struct port_irq irq)
{
	(void)irq;
}

static inline bool bare_irqs_on(void)
{
	return true;
}

static inline unsigned bare_cpu(void)
{
	return 0;
}

#endif
