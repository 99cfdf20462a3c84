/* SPDX-License-Identifier: MIT */
/*
 * fault.c - what a processor says of an access that faulted (Linux)
 *
 * What    The instruction, and whether it read or wrote, out of the context that a signal's
 *         handler is given.
 * Source  x86: page fault error code, bit 1. aarch64: ESR_EL1, WnR is bit 6, in the record of this
 *         name that the kernel puts behind the registers (sigcontext.h).
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "port/linux/linux.h"

#if defined(__x86_64__)
const void *linux_fault_place(const void *context, enum linux_access *access)
{
	const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;

	*access = registers[REG_ERR] & 2 ? LINUX_WRITE : LINUX_READ;
	return (const void *)(uintptr_t)registers[REG_RIP];
}
#elif defined(__aarch64__)
#include <asm/sigcontext.h>

const void *linux_fault_place(const void *context, enum linux_access *access)
{
	const mcontext_t *machine = &((const ucontext_t *)context)->uc_mcontext;
	const unsigned char *at = (const unsigned char *)machine->__reserved;
	const unsigned char *end = at + sizeof(machine->__reserved);

	*access = LINUX_TOUCH;
	while (end - at >= (ptrdiff_t)sizeof(struct esr_context)) {
		const struct esr_context *record = (const void *)at;

		if (record->head.magic == 0 || record->head.size == 0)
			break;
		if (record->head.magic == ESR_MAGIC) {
			*access = record->esr & 64 ? LINUX_WRITE : LINUX_READ;
			break;
		}
		at += record->head.size;
	}
	return (const void *)(uintptr_t)machine->pc;
}
#else
const void *linux_fault_place(const void *context, enum linux_access *access)
{
	(void)context;
	*access = LINUX_TOUCH;
	return NULL;
}
#endif
