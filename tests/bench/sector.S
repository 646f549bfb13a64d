/* A boot sector that is reached, and switches the machine off: ACPI's S5 of either monitor. */
	.code16
	.globl	entry
entry:
	cli
	mov	$0x604, %dx		/* PM1 control */
	mov	$0x3c00, %ax
	out	%ax, %dx
	mov	$0x2000, %ax
	out	%ax, %dx
1:	hlt
	jmp	1b
	.org	510
	.word	0xaa55
	.org	0x100000		/* the disk that it is on */
