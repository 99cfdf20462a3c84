/* SPDX-License-Identifier: MIT */
/*
 * boot.S - RISC-V: from supervisor mode with paging off to C, the other harts' start, traps
 *
 * What    One root table of 1 GiB leaves (Sv39) maps memory where it is, and as the direct map, in
 *         which the image is linked.
 * Why     OpenSBI 1.1 says that a hart starts, and then writes where (sbi_hsm_hart_start): one that
 *         looks just then enters here, as the first one did. So who enters second is such a hart.
 */
#define STACK_BYTES 32768
#define BOOT_CPU_STACK 48
#define FRAME 144

	.section .text.boot, "ax"
	.global boot_entry
boot_entry:
	csrw sie, zero
	lla t0, boot_entered
	li t1, 1
	amoswap.w.aqrl t1, t1, (t0)
	bnez t1, boot_again
	lla t0, boot_root
	li t1, 0xef /* a leaf: valid, read, write, execute, global, accessed, dirty */
	li t2, 256
	li t3, 0x800 /* entry 256, where the direct map begins */
	add t3, t0, t3
1:	sd t1, 0(t0)
	addi t4, t2, -128
	blez t4, 2f
	sd t1, 0(t3) /* 128 GiB of it; behind lie the windows */
	addi t3, t3, 8
2:	addi t0, t0, 8
	li t4, 1 << 28
	add t1, t1, t4
	addi t2, t2, -1
	bnez t2, 1b
	la t5, boot_up_address
	ld t5, 0(t5)
	j boot_paging
boot_up:
	la t0, boot_stack_end
	mv sp, t0
	li s0, 0
	call arch_boot
	j .

boot_again:
	lla t0, boot_starts
	ld a1, 0(t0)
/* Another hart: a1 is its struct cpu, an address of the direct map. */
	.global boot_cpu
boot_cpu:
	csrw sie, zero
	la t5, boot_cpu_up_address
	ld t5, 0(t5)
	j boot_paging
boot_cpu_up:
	ld sp, BOOT_CPU_STACK(a1)
	li t0, STACK_BYTES
	add sp, sp, t0
	li s0, 0
	mv a0, a1
	call arch_cpu_main
	j .

/* Paging on, and on at t5, which is an address of the direct map. Keeps a0 and a1. */
boot_paging:
	lla t0, boot_root
	srli t0, t0, 12
	li t1, 8
	slli t1, t1, 60
	or t0, t0, t1
	sfence.vma
	csrw satp, t0
	sfence.vma
	jr t5

	.balign 8
boot_up_address:
	.quad boot_up
boot_cpu_up_address:
	.quad boot_cpu_up

	.text
	.balign 4
	.global trap_door
trap_door:
	addi sp, sp, -FRAME
	sd ra, 0(sp)
	sd t0, 8(sp)
	sd t1, 16(sp)
	sd t2, 24(sp)
	sd a0, 32(sp)
	sd a1, 40(sp)
	sd a2, 48(sp)
	sd a3, 56(sp)
	sd a4, 64(sp)
	sd a5, 72(sp)
	sd a6, 80(sp)
	sd a7, 88(sp)
	sd t3, 96(sp)
	sd t4, 104(sp)
	sd t5, 112(sp)
	sd t6, 120(sp)
	csrr t0, sepc
	csrr t1, sstatus
	sd t0, 128(sp)
	sd t1, 136(sp)
	call trap
	ld t0, 128(sp)
	ld t1, 136(sp)
	csrw sepc, t0
	csrw sstatus, t1
	ld ra, 0(sp)
	ld t0, 8(sp)
	ld t1, 16(sp)
	ld t2, 24(sp)
	ld a0, 32(sp)
	ld a1, 40(sp)
	ld a2, 48(sp)
	ld a3, 56(sp)
	ld a4, 64(sp)
	ld a5, 72(sp)
	ld a6, 80(sp)
	ld a7, 88(sp)
	ld t3, 96(sp)
	ld t4, 104(sp)
	ld t5, 112(sp)
	ld t6, 120(sp)
	addi sp, sp, FRAME
	sret

	.global setjmp, longjmp
setjmp:
	sd ra, 0(a0)
	sd sp, 8(a0)
	sd s0, 16(a0)
	sd s1, 24(a0)
	sd s2, 32(a0)
	sd s3, 40(a0)
	sd s4, 48(a0)
	sd s5, 56(a0)
	sd s6, 64(a0)
	sd s7, 72(a0)
	sd s8, 80(a0)
	sd s9, 88(a0)
	sd s10, 96(a0)
	sd s11, 104(a0)
	li a0, 0
	ret
longjmp:
	ld ra, 0(a0)
	ld sp, 8(a0)
	ld s0, 16(a0)
	ld s1, 24(a0)
	ld s2, 32(a0)
	ld s3, 40(a0)
	ld s4, 48(a0)
	ld s5, 56(a0)
	ld s6, 64(a0)
	ld s7, 72(a0)
	ld s8, 80(a0)
	ld s9, 88(a0)
	ld s10, 96(a0)
	ld s11, 104(a0)
	mv a0, a1
	ret

	.section .bss.boot, "aw", @nobits
	.balign 4096
	.global boot_root
boot_root:
	.skip 4096
boot_stack:
	.skip STACK_BYTES
boot_stack_end:
boot_entered:
	.skip 8

	.section .note.GNU-stack, "", @progbits
