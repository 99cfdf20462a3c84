/* SPDX-License-Identifier: MIT */
/*
 * boot.S - x86-64: from PVH's 32-bit entry to C, the other CPUs' start, the doors of traps
 *
 * What    Firmware enters with paging off and ebx at its start info. The first GiB is mapped three
 *         times: where it is, in the direct map, and for the image.
 */
#define IMAGE 0xffffffff80000000
#define PHYSICAL(symbol) ((symbol) - IMAGE)
#define PRESENT_WRITE 3
#define STACK_BYTES 32768

	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 8, 18 /* name, descriptor, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad PHYSICAL(boot_entry)

	.section .bss
	.balign 4096
	.global boot_root
boot_root:
	.skip 4096
boot_low: /* 512 GiB each: of the bottom and the direct map; of the image */
	.skip 4096
boot_high:
	.skip 4096
boot_first: /* the first GiB in pages of 2 MiB */
	.skip 4096
boot_stack:
	.skip STACK_BYTES
boot_stack_end:

	.section .text.boot, "ax"
	.code32
	.global boot_entry
boot_entry:
	cli
	cld
	movl $PHYSICAL(boot_low) + PRESENT_WRITE, PHYSICAL(boot_root)
	movl $PHYSICAL(boot_low) + PRESENT_WRITE, PHYSICAL(boot_root) + 273 * 8
	movl $PHYSICAL(boot_high) + PRESENT_WRITE, PHYSICAL(boot_root) + 511 * 8
	movl $PHYSICAL(boot_first) + PRESENT_WRITE, PHYSICAL(boot_low)
	movl $PHYSICAL(boot_first) + PRESENT_WRITE, PHYSICAL(boot_high) + 510 * 8
	movl $PHYSICAL(boot_first), %edi
	movl $0x83, %eax
	movl $512, %ecx
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 1b
	movl $PHYSICAL(boot_root), %eax
	movl $PHYSICAL(boot_gdt_pointer), %esi
	movl $PHYSICAL(boot_long), %edi

/* To long mode with the root in eax, a GDT pointer at esi, and on at edi. */
	.global boot_to_long
boot_to_long:
	movl %eax, %cr3
	movl %cr4, %eax
	orl $0xa0, %eax /* PAE, PGE */
	movl %eax, %cr4
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x900, %eax /* LME, NXE */
	wrmsr
	movl %cr0, %eax
	orl $0x80010001, %eax /* PG, WP, PE */
	movl %eax, %cr0
	lgdt (%esi)
	pushl $8
	pushl %edi
	lret

	.code64
boot_long:
	movabsq $boot_up, %rax
	jmp *%rax
boot_up:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	leaq boot_stack_end(%rip), %rsp
	lgdt boot_gdt_high(%rip)
	xorl %ebp, %ebp
	movl %ebx, %edi
	call arch_boot
	ud2

	.balign 16
boot_gdt:
	.quad 0
	.quad 0x00af9a000000ffff /* 64-bit code */
	.quad 0x00cf92000000ffff /* data */
boot_gdt_pointer:
	.word 23
	.quad PHYSICAL(boot_gdt)
boot_gdt_high:
	.word 23
	.quad boot_gdt

/* The start of another CPU, copied to 0x8000: real mode, cs = 0x800. */
	.global boot_cpu, boot_cpu_end
	.code16
boot_cpu:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl 0x8000 + boot_cpu_gdt - boot_cpu
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $8, $0x8000 + boot_cpu_32 - boot_cpu
	.code32
boot_cpu_32:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %ss
	movl $0x8ff0, %esp
	movl $PHYSICAL(boot_root), %eax
	movl $PHYSICAL(boot_gdt_pointer), %esi
	movl $PHYSICAL(boot_cpu_long), %edi
	movl $PHYSICAL(boot_to_long), %edx
	jmp *%edx
	.balign 8
boot_cpu_gdt_table:
	.quad 0
	.quad 0x00cf9a000000ffff
	.quad 0x00cf92000000ffff
boot_cpu_gdt:
	.word 23
	.long 0x8000 + boot_cpu_gdt_table - boot_cpu
boot_cpu_end:

	.code64
boot_cpu_long:
	movabsq $boot_cpu_up, %rax
	jmp *%rax
boot_cpu_up:
	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	lgdt boot_gdt_high(%rip)
	movq boot_cpu_argument(%rip), %rdi
	movq boot_cpu_stack(%rip), %rsp
	xorl %ebp, %ebp
	call arch_cpu_main
	ud2

	.section .data
	.global boot_cpu_argument, boot_cpu_stack
boot_cpu_argument:
	.quad 0
boot_cpu_stack:
	.quad 0

/* The doors: error code or 0, number, all registers; then trap(frame). */
	.section .text
	.balign 16
	.global trap_doors
trap_doors:
	.set vector, 0
	.rept 64
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	pushq $0
	.endif
	pushq $vector
	jmp trap_enter
	.set vector, vector + 1
	.endr

trap_enter:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	movq %rsp, %rbp
	andq $-16, %rsp
	cld
	call trap
	movq %rbp, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	iretq

/* int setjmp(jmp_buf), void longjmp(jmp_buf, int): what the callee keeps, and where to go on. */
	.global setjmp, longjmp
setjmp:
	movq %rbx, (%rdi)
	movq %rbp, 8(%rdi)
	movq %r12, 16(%rdi)
	movq %r13, 24(%rdi)
	movq %r14, 32(%rdi)
	movq %r15, 40(%rdi)
	leaq 8(%rsp), %rax
	movq %rax, 48(%rdi)
	movq (%rsp), %rax
	movq %rax, 56(%rdi)
	xorl %eax, %eax
	ret
longjmp:
	movq (%rdi), %rbx
	movq 8(%rdi), %rbp
	movq 16(%rdi), %r12
	movq 24(%rdi), %r13
	movq 32(%rdi), %r14
	movq 40(%rdi), %r15
	movq 48(%rdi), %rsp
	movl %esi, %eax
	jmp *56(%rdi)

	.section .note.GNU-stack, "", @progbits
