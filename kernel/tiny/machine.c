/* SPDX-License-Identifier: MIT */
/*
 * machine.c - from reset to main, semihosting, and what a compiler expects to find
 *
 * Source  Armv7-M Architecture Reference Manual B1.5; Arm, "Semihosting for AArch32 and AArch64"
 */
#include "machine.h"

#include <stdint.h>

#include "base/memory.h"

#define SYS_WRITE 0x05
#define SYS_OPEN 0x01
#define SYS_EXIT_EXTENDED 0x20
#define ADP_STOPPED_APPLICATION_EXIT 0x20026

extern char image_data_load[], image_data[], image_data_end[], image_bss[], image_bss_end[];
extern char core_data_load[], core_data[], core_data_end[], core_bss[], core_bss_end[];
extern char image_stack_end[];

static int semihosting(int what, const void *with)
{
	register int r0 __asm__("r0") = what;
	register const void *r1 __asm__("r1") = with;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
}

void machine_write(const char *text, size_t bytes)
{
	static int console = -1;

	if (console < 0) {
		static const char name[] = ":tt";
		const uintptr_t open[] = { (uintptr_t)name, 4 /* "w" */, sizeof(name) - 1 };

		console = semihosting(SYS_OPEN, open);
	}
	const uintptr_t write[] = { (uintptr_t)console, (uintptr_t)text, bytes };

	semihosting(SYS_WRITE, write);
}

_Noreturn void machine_exit(int status)
{
	const uintptr_t how[] = { ADP_STOPPED_APPLICATION_EXIT, (uintptr_t)status };

	for (;;)
		semihosting(SYS_EXIT_EXTENDED, how);
}

void machine_forget(void)
{
	memcpy(core_data, core_data_load, (size_t)(core_data_end - core_data));
	memset(core_bss, 0, (size_t)(core_bss_end - core_bss));
}

void machine_start(void);

void machine_start(void)
{
	memcpy(image_data, image_data_load, (size_t)(image_data_end - image_data));
	memset(image_bss, 0, (size_t)(image_bss_end - image_bss));
	machine_forget();
	machine_exit(main());
}

_Noreturn static void machine_fault(void)
{
	static const char text[] = "Bail out! a fault of the processor\n";

	machine_write(text, sizeof(text) - 1);
	machine_exit(99);
}

__attribute__((used, section(".vectors"))) static const void *const vectors[16] = {
	image_stack_end,       (void *)machine_start, (void *)machine_fault, (void *)machine_fault,
	(void *)machine_fault, (void *)machine_fault, (void *)machine_fault,
};

/* ---- what compilers call ----------------------------------------------------------- */

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	while (bytes--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	if (t <= f)
		return memcpy(to, from, bytes);
	while (bytes--)
		t[bytes] = f[bytes];
	return to;
}

void *memset(void *to, int byte, size_t bytes)
{
	uint32_t word = (uint8_t)byte * 0x01010101u;
	char *t = to;

	for (; bytes && (uintptr_t)t % 4; bytes--)
		*t++ = (char)byte;
	for (; bytes >= 4; bytes -= 4, t += 4)
		*(uint32_t *)(void *)t = word;
	while (bytes--)
		*t++ = (char)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	for (; bytes; bytes--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/* setjmp and longjmp, for tests of what ends a program. */
__asm__(".syntax unified\n"
	".thumb\n"
	".global setjmp\n"
	".thumb_func\n"
	"setjmp:\n"
	"	mov r12, sp\n"
	"	stmia r0, {r4-r12, lr}\n"
	"	movs r0, #0\n"
	"	bx lr\n"
	".global longjmp\n"
	".thumb_func\n"
	"longjmp:\n"
	"	ldmia r0, {r4-r12, lr}\n"
	"	mov sp, r12\n"
	"	mov r0, r1\n"
	"	bx lr\n");
