/* SPDX-License-Identifier: MIT */
/*
 * percpu.h - what base/lock.h expects of a home, on a small machine: nothing
 *
 * What    With one CPU there is no lock to take (page/guard.h keeps interrupts out).
 */
#ifndef ASHLAR_PORT_PERCPU_H
#define ASHLAR_PORT_PERCPU_H

struct port_irq {
};

static inline struct port_irq port_irq_save(void)
{
	return (struct port_irq){};
}

static inline void port_irq_restore(struct port_irq irq)
{
	(void)irq;
}

#endif
