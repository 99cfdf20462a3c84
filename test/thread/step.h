/* SPDX-License-Identifier: MIT */
/*
 * step.h - what a tracer must know of the processor: breakpoints and the instruction pointer
 *
 * What    STEP_SUPPORTED, STEP_INSTRUCTION_MOST (bytes of the longest instruction); breakpoints in
 *         a word of text; the traced thread's instruction pointer.
 */
#ifndef ASHLAR_TEST_THREAD_STEP_H
#define ASHLAR_TEST_THREAD_STEP_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)

#define STEP_SUPPORTED 1
#define STEP_INSTRUCTION_MOST 15u
#define STEP_BREAKPOINT_MASK 0xffu
#define STEP_BREAKPOINT 0xccu /* int3: the thread stops behind it */
#define STEP_BREAKPOINT_BYTES 1u
#define STEP_IP rip

#elif defined(__aarch64__)

#define STEP_SUPPORTED 1
#define STEP_INSTRUCTION_MOST 4u
#define STEP_BREAKPOINT_MASK 0xffffffffu
#define STEP_BREAKPOINT 0xd4200000u /* brk #0: the thread stops before it */
#define STEP_BREAKPOINT_BYTES 0u
#define STEP_IP pc

#else
#define STEP_SUPPORTED 0
#endif

#if STEP_SUPPORTED

static inline uint64_t step_with_breakpoint(uint64_t word)
{
	return (word & ~(uint64_t)STEP_BREAKPOINT_MASK) | STEP_BREAKPOINT;
}

static inline uintptr_t step_ip(pid_t traced)
{
	struct user_regs_struct registers = { 0 };
	struct iovec all = { &registers, sizeof(registers) };

	ptrace(PTRACE_GETREGSET, traced, NT_PRSTATUS, &all);
	return (uintptr_t)registers.STEP_IP;
}

static inline void step_set_ip(pid_t traced, uintptr_t ip)
{
	struct user_regs_struct registers = { 0 };
	struct iovec all = { &registers, sizeof(registers) };

	ptrace(PTRACE_GETREGSET, traced, NT_PRSTATUS, &all);
	registers.STEP_IP = ip;
	ptrace(PTRACE_SETREGSET, traced, NT_PRSTATUS, &all);
}

#endif

#endif
