/*
 * A boot sector that uses the disk, the keyboard and the screen as DOS did, by calls of
 * the BIOS: it shows what sector 1 begins with, waits for a key, writes sector 2 with that
 * key in front, and switches the machine off by its power management.
 *
 *	as --32 sector.S -o sector.o && ld -m elf_i386 -N -e start -Ttext 0x7c00 --oformat binary ...
 */
	.code16
	.globl start

#define BUFFER 0x7e00

#define VIDEO 0x10
#define DISK 0x13
#define KEYBOARD 0x16

start:
	cli
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $0x7c00, %sp
	sti
	movb %dl, drive
	movw $hello, %si
	call print

	movb $0x42, %ah			/* extended read */
	call disk
	jc failed
	movw $BUFFER, %si
	call print

	movb $0x00, %ah
	int $KEYBOARD
	movb %al, BUFFER
	movw $key, %si
	call print
	movw $BUFFER, %si
	call print

	incb packet + 8			/* sector 2 */
	movb $0x43, %ah			/* extended write */
	movb $0, %al
	call disk
	jc failed
	movw $done, %si
	call print

	movw $0x604, %dx		/* PM1 control: soft off */
	movw $0x3c00, %ax
	outw %ax, %dx
halt:
	hlt
	jmp halt

failed:
	movw $bad, %si
	call print
	jmp halt

disk:
	movb drive, %dl
	movw $packet, %si
	int $DISK
	ret

/* The text at si, up to its NUL. */
print:
	lodsb
	testb %al, %al
	jz 1f
	movb $0x0e, %ah			/* teletype */
	movw $0x0007, %bx
	int $VIDEO
	jmp print
1:	ret

hello:	.asciz "sector: up\r\n"
key:	.asciz "sector: key "
done:	.asciz "sector: written, off\r\n"
bad:	.asciz "sector: the disk failed\r\n"
drive:	.byte 0
	.balign 4
packet:	.byte 16, 0
	.word 1				/* sectors */
	.word BUFFER, 0			/* offset, segment */
	.quad 1				/* first sector */

	.org 510
	.word 0xaa55
