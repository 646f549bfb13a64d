/*
 * A 64 KiB ROM in place of firmware, for monitors that cannot start a kernel
 * without: the reset vector leads straight to one write to COM1.
 */
	.code16
	.globl	entry
entry:
	mov	$0x3f8, %dx
	mov	$'x', %al
	out	%al, %dx
1:	cli
	hlt
	jmp	1b
	.org	0xfff0
	.byte	0xe9
	.word	entry - (. + 2)
	.org	0x10000
