/* SPDX-License-Identifier: MIT */
/*
 * unit.h - the simulated machine's memory on a bare machine
 */
#ifndef ASHLAR_KERNEL_UNIT_H
#define ASHLAR_KERNEL_UNIT_H

void sim_host_init(void);

/* Everything goes back: the next case starts with no address space in use. */
void sim_host_forget(void);

#endif
