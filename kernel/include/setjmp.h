/* SPDX-License-Identifier: MIT */
/*
 * setjmp.h - the C library's header for tests that catch the end of a program
 */
#ifndef ASHLAR_KERNEL_SETJMP_H
#define ASHLAR_KERNEL_SETJMP_H

typedef unsigned long jmp_buf[32];

int setjmp(jmp_buf env) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf env, int value);

#endif
