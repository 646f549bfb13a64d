/*
 * Chooses the loader and sets up the first vCPU. The machine's thread.
 *
 * Entry states: PVH as in Xen's docs/misc/pvh.pandoc, Linux as in the 64-bit
 * section of Documentation/arch/x86/boot.rst; segment caches as in Intel SDM
 * vol. 3 § 3.4.5.
 */
#include "core/boot/boot.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/boot/map.h"

#define CR0_PE 0x1u
#define CR0_ET 0x10u
#define CR0_PG 0x80000000u
#define CR4_PAE 0x20u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define RFLAGS_FIXED 0x2u

#define SELECTOR_CODE 0x10
#define SELECTOR_DATA 0x18

#define BZIMAGE_MAGIC_OFFSET 0x202
#define HEAD_SIZE 1024 /* headers of a kernel lie in it, most often all of them */

/* The kinds of kernel are told apart by what they begin with. */
static int load_kernel(const struct load_image *image, const struct boot_source *source,
		       const struct guest_memory *memory, uint64_t rsdp, struct boot_entry *entry,
		       struct cause *cause)
{
	if (image->held >= BZIMAGE_MAGIC_OFFSET + 4) {
		if (memcmp(image->bytes, "\177ELF", 4) == 0)
			return elf_load(image, source, memory, rsdp, entry, cause);
		if (memcmp(image->bytes + BZIMAGE_MAGIC_OFFSET, "HdrS", 4) == 0)
			return bzimage_load(image, source, memory, rsdp, entry, cause);
	}
	return cause_set(cause, ENOEXEC, "%s: not a bzImage and not an ELF with a PVH note; "
			 "name a Linux kernel image", image->name);
}

/* Whether a list such as "name|ip" has the key of a word such as "name=web". */
static bool has_option(const char *options, const char *word)
{
	size_t size = strcspn(word, " ="), length;

	for (; *options; options += length + (options[length] == '|')) {
		length = strcspn(options, "|");
		if (length == size && memcmp(options, word, size) == 0)
			return true;
	}
	return false;
}

/* A command line of the built-in guest's that was meant for a kernel. */
static int check_options(const struct boot_source *source, struct cause *cause)
{
	const char *word = source->cmdline ? source->cmdline : "", *next;

	for (; *word; word = next) {
		next = boot_next_word(word);
		if (*word != ' ' && !has_option(source->image->options, word))
			return cause_set(cause, EINVAL, "cmdline: '%.*s' is for a kernel, and "
					 "none is given (the built-in guest knows %s alone)",
					 (int)strcspn(word, " "), word, source->image->options);
	}
	return 0;
}

const char *boot_next_word(const char *word)
{
	bool quoted = false;

	if (*word == ' ')
		return word + strspn(word, " ");
	for (; *word && (quoted || *word != ' '); word++)
		quoted ^= *word == '"';
	return word;
}

int boot_load(const struct boot_source *source, struct guest_memory *memory, uint64_t rsdp,
	      struct boot_entry *entry, struct cause *cause)
{
	struct load_image image = { .name = "the built-in guest", .fd = -1 };
	uint8_t head[HEAD_SIZE];
	int error = 0;

	memset(entry, 0, sizeof(*entry));
	if (boot_low_top(memory) <= LOAD_RAM_BASE)
		return cause_set(cause, ENOMEM, "memory: a guest needs more than 1 MiB");
	if (source->kernel) {
		error = image_open(&image, source->kernel, cause);
		image.look = source->look;
	} else if (source->image) {
		image.bytes = source->image->data;
		image.held = image.size = source->image->size;
		error = source->image->options ? check_options(source, cause) : 0;
	}
	if (!error)
		error = image_hold(&image, head, sizeof(head), cause);
	if (!error)
		error = load_kernel(&image, source, memory, rsdp, entry, cause);
	image_close(&image);
	return error;
}

static struct kvm_segment flat_segment(uint16_t selector, bool code, bool code64)
{
	struct kvm_segment segment = {
		.base = 0, .limit = 0xffffffff, .selector = selector,
		.type = code ? 0xb : 0x3, /* accessed; execute/read or read/write */
		.present = 1, .s = 1, .g = 1, .db = !code64, .l = code64,
	};

	return segment;
}

void boot_vcpu_state(const struct boot_entry *entry, struct kvm_sregs *sregs,
		     struct kvm_regs *regs)
{
	bool long_mode = entry->mode == BOOT_LONG64;
	struct kvm_segment data = flat_segment(SELECTOR_DATA, false, false);

	sregs->cs = flat_segment(SELECTOR_CODE, true, long_mode);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->tr = (struct kvm_segment){ .limit = 0x67, .type = 0xb, .present = 1 };
	sregs->ldt = (struct kvm_segment){ .type = 0x2, .unusable = 1 };
	memset(&sregs->gdt, 0, sizeof(sregs->gdt));
	memset(&sregs->idt, 0, sizeof(sregs->idt));
	sregs->gdt.base = entry->gdt;
	sregs->gdt.limit = entry->gdt_limit;
	sregs->cr0 = CR0_PE | CR0_ET;
	sregs->cr2 = sregs->cr3 = sregs->cr4 = sregs->efer = 0;
	if (long_mode) {
		sregs->cr0 |= CR0_PG;
		sregs->cr3 = entry->page_table;
		sregs->cr4 = CR4_PAE;
		sregs->efer = EFER_LME | EFER_LMA;
	}

	memset(regs, 0, sizeof(*regs));
	regs->rip = entry->rip;
	regs->rflags = RFLAGS_FIXED;
	if (long_mode)
		regs->rsi = entry->start_info;
	else
		regs->rbx = entry->start_info;
}
