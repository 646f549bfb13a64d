/*
 * The guest of the benchmarks: a PVH kernel (Xen docs/misc/pvh.pandoc) whose
 * first instructions write one byte to COM1. Without EXITS that is all; with
 * EXITS it goes on to 64-bit CPL 3 and writes the byte again after every EXITS
 * writes to a device register, for ever. With OFF it switches the machine off.
 *
 * Everything lies in one section at 1 MiB, so that an address is a constant.
 */
	.set	BASE, 0x100000
	.set	COM1, 0x3f8
	.set	SCRATCH, 0x3ff		/* COM1's scratch register: no effect */

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	entry

	.section .guest, "awx", @progbits
	.globl	entry
begin:
	.code32
entry:
	mov	$COM1, %edx
	mov	$'x', %al
	out	%al, %dx
#ifdef OFF
	mov	$0x604, %edx		/* PM1 control: ACPI's S5 of either monitor */
	mov	$0x3c00, %eax
	out	%ax, %dx
	mov	$0x2000, %eax
	out	%ax, %dx
#endif
#ifndef EXITS
1:	cli
	hlt
	jmp	1b
#else
	lgdt	gdt_pointer
	mov	$0x20, %eax		/* PAE */
	mov	%eax, %cr4
	mov	$level4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER.LME */
	mov	$0x100, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x80000011, %eax	/* PG, ET, PE */
	mov	%eax, %cr0
	ljmp	$0x18, $long_mode
	.code64
long_mode:
	mov	$stack, %esp
	mov	$0x30, %eax
	ltr	%ax
	push	$0x23
	push	$stack
	push	$2
	push	$0x2b
	push	$user
	iretq
user:
	mov	$COM1, %edx
	mov	$'x', %al
	out	%al, %dx
	mov	$EXITS, %ecx
	mov	$SCRATCH, %edx
1:	out	%al, %dx
	dec	%ecx
	jnz	1b
	jmp	user

	.balign	16
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* 08: code, 32 bits */
	.quad	0x00cf93000000ffff	/* 10: data */
	.quad	0x00af9b000000ffff	/* 18: code, 64 bits */
	.quad	0x00cff3000000ffff	/* 20: data, CPL 3 */
	.quad	0x00affb000000ffff	/* 28: code, 64 bits, CPL 3 */
	.set	TSS, BASE + (tss - begin)
	.word	tss_end - tss - 1, TSS & 0xffff /* 30: TSS */
	.byte	TSS >> 16, 0x89, 0, TSS >> 24
	.quad	0
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt

/* All ports are open to CPL 3: a map of zeroes behind the TSS. */
tss:	.fill	0x66, 1, 0
	.word	0x68
	.fill	8192, 1, 0
	.byte	0xff
tss_end:

	.balign	4096			/* the first 2 MiB, one to one, for CPL 3 */
level4:	.quad	level3 + 7
	.fill	511, 8, 0
level3:	.quad	level2 + 7
	.fill	511, 8, 0
level2:	.quad	0x87
	.fill	511, 8, 0
	.fill	512, 1, 0
stack:
#endif
	.section .note.GNU-stack, "", @progbits
