/* SPDX-License-Identifier: MIT */
/*
 * boot.S - AArch64: from EL1 with the MMU off to C, the other CPUs' start, the doors of traps
 *
 * What    The tables serve both halves: where memory is, and the direct map, in which the image
 *         is linked. GiB 0 is device memory, the 255 others are normal memory. The granule is the
 *         library's base page:
 *
 *           4 KiB    a root of 512 entries, with blocks of 1 GiB
 *           16 KiB   a root of 8 entries, four of which have a table of blocks of 32 MiB
 *           64 KiB   a root of 1,024 entries, with blocks of 512 MiB
 */
#if ASHLAR_PAGE_SHIFT == 12
#define BLOCK_SHIFT 30
#define GRANULES (0 << 14 | 2 << 30) /* of both halves, in their own numbers */
#elif ASHLAR_PAGE_SHIFT == 14
#define BLOCK_SHIFT 25
#define GRANULES (2 << 14 | 1 << 30)
#elif ASHLAR_PAGE_SHIFT == 16
#define BLOCK_SHIFT 29
#define GRANULES (1 << 14 | 3 << 30)
#endif
#define GRANULE (1 << ASHLAR_PAGE_SHIFT)
#define BLOCKS_PER_GIB (1 << (30 - BLOCK_SHIFT))
#define DIRECT 0xffffff8000000000
#define STACK_BYTES 32768
#define FRAME 272

	.section .text.boot, "ax"
	.global boot_entry
boot_entry:
	adrp x1, boot_blocks
	add x1, x1, :lo12:boot_blocks
	mov x2, #0
	movz x3, #0x0401 /* block, access flag, MAIR 1: device */
	movz x5, #0x0701 /* the same, inner shareable, MAIR 0: normal */
1:	cmp x2, #BLOCKS_PER_GIB
	csel x3, x3, x5, lo
	orr x4, x3, x2, lsl #BLOCK_SHIFT
	str x4, [x1, x2, lsl #3]
	add x2, x2, #1
	cmp x2, #(256 * BLOCKS_PER_GIB)
	b.ne 1b
#if ASHLAR_PAGE_SHIFT == 14
	adrp x2, boot_root
	add x2, x2, :lo12:boot_root
	add x1, x1, #3 /* a table */
	mov x3, #4
2:	str x1, [x2], #8
	add x1, x1, #GRANULE
	subs x3, x3, #1
	b.ne 2b
#endif
	ldr x30, =boot_up
	b boot_mmu
boot_up:
	ldr x1, =boot_stack_end
	mov sp, x1
	mov x29, #0
	bl arch_boot
	b .

/* Another CPU: x0 is its struct cpu, an address of the direct map. */
	.global boot_cpu
boot_cpu:
	ldr x30, =boot_cpu_up
	b boot_mmu
boot_cpu_up:
	ldr x1, [x0, #BOOT_CPU_STACK]
	add x1, x1, #STACK_BYTES
	mov sp, x1
	mov x29, #0
	bl arch_cpu_main
	b .

/* MMU on, and on at x30, which is an address of the direct map. Keeps x0. */
boot_mmu:
	adrp x1, boot_root
	add x1, x1, :lo12:boot_root
	msr ttbr0_el1, x1
	msr ttbr1_el1, x1
	mov x2, #0x00ff /* MAIR 0: normal, written back; 1: device */
	msr mair_el1, x2
	ldr x2, =boot_tcr_value /* 39 bits each, cached, shared; 40 bits physical */
	msr tcr_el1, x2
	dsb ish
	tlbi vmalle1
	dsb ish
	isb
	mrs x2, sctlr_el1
	orr x2, x2, #1     /* M */
	orr x2, x2, #4     /* C */
	orr x2, x2, #0x1000 /* I */
	msr sctlr_el1, x2
	isb
	br x30
	.ltorg

	.set boot_tcr_value, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 25 << 16 | 1 << 24 | 1 << 26 | 3 << 28 | GRANULES | 2 << 32
	.set BOOT_CPU_STACK, 48

/* Doors: 16 of 128 bytes. Every trap comes from EL1 with its own stack pointer: 4 to 7. */
	.macro door number
	.balign 128
	sub sp, sp, #FRAME
	stp x0, x1, [sp]
	mov x0, #\number
	b trap_enter
	.endm

	.text
	.balign 2048
	.global trap_doors
trap_doors:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	door \n
	.endr

	.balign 128
trap_enter:
	stp x2, x3, [sp, #16]
	stp x4, x5, [sp, #32]
	stp x6, x7, [sp, #48]
	stp x8, x9, [sp, #64]
	stp x10, x11, [sp, #80]
	stp x12, x13, [sp, #96]
	stp x14, x15, [sp, #112]
	stp x16, x17, [sp, #128]
	stp x18, x19, [sp, #144]
	stp x29, x30, [sp, #160]
	mrs x1, elr_el1
	mrs x2, spsr_el1
	stp x1, x2, [sp, #176]
	bl trap
	ldp x1, x2, [sp, #176]
	msr elr_el1, x1
	msr spsr_el1, x2
	ldp x2, x3, [sp, #16]
	ldp x4, x5, [sp, #32]
	ldp x6, x7, [sp, #48]
	ldp x8, x9, [sp, #64]
	ldp x10, x11, [sp, #80]
	ldp x12, x13, [sp, #96]
	ldp x14, x15, [sp, #112]
	ldp x16, x17, [sp, #128]
	ldp x18, x19, [sp, #144]
	ldp x29, x30, [sp, #160]
	ldp x0, x1, [sp]
	add sp, sp, #FRAME
	eret

	.global setjmp, longjmp
setjmp:
	stp x19, x20, [x0]
	stp x21, x22, [x0, #16]
	stp x23, x24, [x0, #32]
	stp x25, x26, [x0, #48]
	stp x27, x28, [x0, #64]
	stp x29, x30, [x0, #80]
	mov x1, sp
	str x1, [x0, #96]
	mov w0, #0
	ret
longjmp:
	ldp x19, x20, [x0]
	ldp x21, x22, [x0, #16]
	ldp x23, x24, [x0, #32]
	ldp x25, x26, [x0, #48]
	ldp x27, x28, [x0, #64]
	ldp x29, x30, [x0, #80]
	ldr x2, [x0, #96]
	mov sp, x2
	mov w0, w1
	ret

	.section .bss.boot, "aw", @nobits
	.balign GRANULE
	.global boot_root
boot_root:
#if ASHLAR_PAGE_SHIFT == 14
	.skip GRANULE
boot_blocks:
	.skip 256 * BLOCKS_PER_GIB * 8
#else
boot_blocks:
	.skip GRANULE
#endif
boot_stack:
	.skip STACK_BYTES
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
