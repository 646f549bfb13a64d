/*
 * The last page of firmware that keeps letters in the flash chip below it: it says which
 * are there, adds the next one by the chip's commands, and waits on the serial port to be
 * told what to do: r resets, o switches off, e erases the block, anything else adds one more.
 *
 *	as --32 flash.S -o flash.o && ld -m elf_i386 -N -e start -Ttext 0xfffff000 --oformat binary ...
 */
#define CELLS 0xffc50000		/* a block that new variables leave erased */
#define COM1 0x3f8

	.code32
	.globl start
start:
	movw $0x10, %ax
	movw %ax, %ds
	movw %ax, %es
	movl $CELLS, %edi

	/* Clear status leaves the cells to be read; status is then 0. */
	movb $0x50, (%edi)
	movb (%edi), %bl
	movb $0x70, (%edi)
	movb (%edi), %bh
	movb $0xff, (%edi)
	cmpb %bl, (%edi)
	jne wrong
	testb %bh, %bh
	jnz wrong

	movl $has, %esi
	call print
1:	movb (%edi), %al
	cmpb $0xff, %al
	je 2f
	call put
	incl %edi
	jmp 1b
2:	call end_line

/* The next letter at edi. What is read then is the status, until the array is asked for. */
add:
	movl %edi, %ecx
	subl $CELLS, %ecx
	addb $'A', %cl
	movb $0x10, (%edi)
	movb %cl, (%edi)
	cmpb $0x80, (%edi)
	jne wrong
	movl $wrote, %esi
	call print
	movb %cl, %al
	call put
	call end_line
wait:
	movw $COM1 + 5, %dx
	inb %dx, %al
	testb $1, %al
	jz wait
	movw $COM1, %dx
	inb %dx, %al
	movb $0xff, (%edi)
	cmpb %cl, (%edi)
	jne wrong
	incl %edi
	cmpb $'r', %al
	je reset
	cmpb $'o', %al
	je off
	cmpb $'e', %al
	jne add

	movl $CELLS, %edi
	movb $0x20, (%edi)
	movb $0xd0, (%edi)
	cmpb $0x80, (%edi)
	jne wrong
	movb $0xff, (%edi)
	cmpl $-1, (%edi)
	jne wrong
	movl $erased, %esi
	call print
	jmp add

reset:
	movw $0xcf9, %dx
	movb $0x06, %al
	outb %al, %dx
	jmp halt
off:
	movw $0x604, %dx		/* PM1 control: soft off */
	movw $0x3c00, %ax
	outw %ax, %dx
	jmp halt
wrong:
	movl $bad, %esi
	call print
halt:
	hlt
	jmp halt

end_line:
	movl $end, %esi
/* The text at esi, up to its NUL. */
print:
	lodsb
	testb %al, %al
	jz 1f
	call put
	jmp print
1:	ret

put:
	movw $COM1, %dx
	outb %al, %dx
	ret

has:	.asciz "flash: has <"
wrote:	.asciz "flash: wrote <"
erased:	.asciz "flash: erased\r\n"
bad:	.asciz "flash: wrong\r\n"
end:	.asciz ">\r\n"

	.balign 8
table:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
pointer: .word . - table - 1
	.long table

	.org 0xfc0
	.code16
enter:
	lgdtl %cs:pointer - start + 0xf000
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $0x08, $start

	.org 0xff0			/* where a processor begins */
	jmp enter
	.org 0x1000
