/*
 * The start of the guest, and everything that runs at CPL 0.
 *
 * PVH boot (Xen docs/misc/pvh.pandoc): entered in unpaged 32-bit protected
 * mode with ebx = hvm_start_info. A few instructions later the CPU is at
 * CPL 3, where all work is done; a host whose KVM emulates CPL 0 makes each
 * instruction here cost a microsecond. GDT, IDT, TSSs and the first page
 * tables are therefore laid out by the assembler, and an interrupt handler
 * only notes its vector in a byte of its CPU's record.
 *
 * This section is linked first, at 1 MiB, and stays below 64 KiB, so that an
 * address in it is 0x100000 + (label - boot_start): a constant.
 */
#include "layout.h"

	.pushsection .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	pvh_entry
	.popsection

	.section .boot, "awx", @progbits
	.globl	boot_start
boot_start:
	.code32
	.globl	pvh_entry
pvh_entry:
	mov	$0xd0, %al
	out	%al, $0x80
	lgdt	gdt_pointer
	xor	%esi, %esi

/* ebx: start info (CPU 0), esi: index of this CPU */
enter_long_mode:
	mov	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	$page_root, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER.LME */
	mov	$0x100, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x80010033, %eax	/* PG, WP, NE, ET, MP, PE */
	mov	%eax, %cr0
	ljmp	$SELECTOR_CODE0, $long_mode

	.code64
long_mode:
	lidt	idt_pointer
	mov	%esi, %eax
	shl	$4, %eax
	add	$SELECTOR_TSS, %eax
	ltr	%ax
	mov	%esi, %edi
	shl	$CPU_SHIFT, %edi
	add	$cpus, %edi		/* first argument: this CPU's record */
	lea	CPU_SERVICE_TOP(%rdi), %rsp
	lea	CPU_SIZE(%rdi), %rax
	push	$SELECTOR_DATA3
	push	%rax
	push	$2
	push	$SELECTOR_CODE3
	push	$enter_user
	iretq

/* Linked into the ordinary text: the first instructions at CPL 3. */
	.pushsection .text, "ax", @progbits
enter_user:
	xor	%ebp, %ebp
	mov	%ebx, %edx		/* third argument: start info */
	push	%rbp
	jmp	guest_start
	.popsection

/* The other CPUs begin here, in real mode, in a copy below 1 MiB. */
	.code16
	.globl	trampoline, trampoline_end
trampoline:
	cli
	lgdtl	%cs:(trampoline_gdt - trampoline)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$SELECTOR_CODE32, $ap_entry
trampoline_gdt:
	.word	gdt_end - gdt - 1
	.long	gdt
trampoline_end:

	.code32
ap_entry:
	mov	$SELECTOR_DATA0, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	mov	$1, %esi
	lock xadd %esi, ap_next
	cmp	$CPUS_MAX, %esi
	jb	enter_long_mode
1:	cli
	hlt
	jmp	1b

	.code64

/*
 * Interrupts run on the stack of IST 1, so the CPU's record lies a known way
 * above rsp. The EOI is a store to the xAPIC that needs no register.
 */
	.macro	interrupt name, slot
\name:	movb	$1, 40 + \slot(%rsp)
	movabs	%eax, LAPIC_BASE + 0xb0
	iretq
	.endm

	interrupt irq_timer, PENDING_TIMER
	interrupt irq_receive, PENDING_RECEIVE
	interrupt irq_transmit, PENDING_TRANSMIT
	interrupt irq_disk, PENDING_DISK
	interrupt irq_serial, PENDING_SERIAL
	interrupt irq_call, PENDING_CALL
/* Level triggered: CPL 3 quiets the device, then writes the EOI. */
irq_power:
	movb	$1, 40 + PENDING_POWER(%rsp)
	iretq
irq_stray:
	movabs	%eax, LAPIC_BASE + 0xb0
irq_spurious:
	iretq

/* int3 from CPL 3: rax says what is wanted; see service.h. */
service:
	cmp	$SERVICE_HALT, %eax
	jne	1f
	cmpq	$0, 40 + CPU_PENDING - CPU_SERVICE_TOP(%rsp)
	jne	2f
	sti
	hlt
2:	iretq
1:	cmp	$SERVICE_WRITE_MSR, %eax
	jne	1f
	mov	%edi, %eax
	wrmsr
	iretq
1:	cmp	$SERVICE_CPUID, %eax
	jne	1f
	mov	%edi, %eax
	cpuid
	iretq
1:	cmp	$SERVICE_INTERRUPTS_ON, %eax
	jne	1f
	orq	$0x200, 16(%rsp)
	iretq
1:	cmp	$SERVICE_NO_IDT, %eax
	jne	1f
	lidt	idt_none
	iretq
1:	cmp	$SERVICE_LOAD_FLOAT, %eax
	jne	1f
	flds	(%rdi)
	iretq
1:	cmp	$SERVICE_JUMP, %eax
	jne	1f
	jmp	*%rdi
1:	cli
	hlt
	jmp	1b

/* Other exceptions: note vector, error and RIP, go on in fault() at CPL 3. */
	.altmacro
	.macro	exception n
exception_\n:
	.if	!((0x60227d00 >> \n) & 1)	/* those that push an error code by themselves */
	push	$0
	.endif
	push	$\n
	jmp	exception_common
	.endm
	.set	n, 0
	.rept	32
	.if	n != 2 && n != 3
	exception %n
	.endif
	.set	n, n + 1
	.endr
exception_common:
	testb	$3, 24(%rsp)
	jnz	1f
	lidt	idt_none		/* at CPL 0: a triple fault, which is seen */
	ud2
1:
	pop	%rdi
	pop	%rsi
	mov	(%rsp), %rdx
	mov	%cr2, %rcx
	movq	$fault, (%rsp)
	movq	$SELECTOR_CODE3, 8(%rsp)
	andq	$-16, 24(%rsp)
	subq	$8, 24(%rsp)
	iretq

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff	/* 0x08 32-bit code */
	.quad	0x00af9b000000ffff	/* 0x10 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x18 data */
	.quad	0
	.quad	0x00cff3000000ffff	/* 0x28 data, DPL 3 */
	.quad	0x00affb000000ffff	/* 0x30 64-bit code, DPL 3 */
	.quad	0
	.set	n, 0
	.rept	CPUS_MAX		/* 0x40 and up: TSSs, to the end of the bitmap */
	.word	io_bitmap + 8192 - tss - n * TSS_STRIDE
	.word	tss - boot_start + n * TSS_STRIDE
	.byte	0x10, 0x89, 0, 0
	.quad	0
	.set	n, n + 1
	.endr
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
idt_pointer:
	.word	idt_end - idt - 1
	.quad	idt
idt_none:
	.word	0
	.quad	0

	.macro	gate handler, type, ist
	.word	\handler - boot_start, SELECTOR_CODE0
	.byte	\ist, \type
	.word	0x10
	.quad	0
	.endm
	.macro	exception_gate n
	gate	exception_\n, 0x8e, 0
	.endm

	.balign	16
idt:	.set	n, 0
	.rept	32
	.if	n == 2
	gate	irq_spurious, 0x8e, 1
	.elseif	n == 3
	gate	service, 0xee, 0
	.else
	exception_gate %n
	.endif
	.set	n, n + 1
	.endr
	.rept	VECTOR_TIMER - 32
	gate	irq_stray, 0x8e, 1
	.endr
	gate	irq_timer, 0x8e, 1
	gate	irq_receive, 0x8e, 1
	gate	irq_transmit, 0x8e, 1
	gate	irq_disk, 0x8e, 1
	gate	irq_serial, 0x8e, 1
	gate	irq_power, 0x8e, 1
	gate	irq_call, 0x8e, 1
	.rept	255 - VECTOR_CALL - 1
	gate	irq_stray, 0x8e, 1
	.endr
	gate	irq_spurious, 0x8e, 1
idt_end:

/* One TSS for each CPU, 64-bit format; they share the I/O permission bitmap behind them. */
	.balign	128
tss:	.set	n, 0
	.rept	CPUS_MAX
	.long	0
	.quad	cpus + (n << CPU_SHIFT) + CPU_SERVICE_TOP	/* RSP0 */
	.quad	0, 0, 0
	.quad	cpus + (n << CPU_SHIFT) + CPU_PENDING		/* IST 1 */
	.fill	6, 8, 0
	.long	0, 0
	.word	0, io_bitmap - tss - n * TSS_STRIDE
	.balign	TSS_STRIDE
	.set	n, n + 1
	.endr
io_bitmap:
	.fill	8192, 1, 0
	.byte	0xff

	.balign	4
ap_next:				/* index of the next CPU that comes up */
	.long	1

/* The first 2 MiB, for everybody; page_map() fills in the rest. */
	.globl	page_root, page_top, page_first
	.balign	4096
page_root:
	.quad	page_top + 0x67
	.fill	511, 8, 0
page_top:
	.quad	page_first + 0x67
	.fill	511, 8, 0
page_first:
	.quad	0xe7
	.fill	511, 8, 0

/* void task_switch(uint64_t *save_rsp, uint64_t rsp) */
	.text
	.globl	task_switch
task_switch:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
