/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the small machine that the tests boot on: a Cortex-M3 with semihosting
 */
#ifndef ASHLAR_KERNEL_TINY_MACHINE_H
#define ASHLAR_KERNEL_TINY_MACHINE_H

#include <stddef.h>

/* What the image does. */
int main(void);

/* Memory that no one uses: [machine_ram, machine_ram_end), from the linker script. */
extern char machine_ram[], machine_ram_end[];

/* Put the statics of Ashlar back to what they were at the start. */
void machine_forget(void);

/* Text for the host; the end of the machine, with an exit status for the emulator. */
void machine_write(const char *text, size_t bytes);
_Noreturn void machine_exit(int status);

#endif
