/* demo.elf as data of the monitor. */
	.section .rodata
	.globl	demo_image, demo_image_size
	.balign	4096
	.type	demo_image, @object
demo_image:
	.incbin	"src/demo/demo.elf"
1:	.size	demo_image, 1b - demo_image
	.balign	8
	.type	demo_image_size, @object
demo_image_size:
	.quad	1b - demo_image
	.size	demo_image_size, 8

	.section .note.GNU-stack, "", @progbits
