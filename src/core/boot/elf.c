/*
 * Loads an ELF64 kernel by its PVH note. The machine's thread.
 *
 * System V ABI (ELF header, program headers, notes) and Xen's PVH entry:
 * docs/misc/pvh.pandoc, public/arch-x86/hvm/start_info.h, the note
 * XEN_ELFNOTE_PHYS32_ENTRY of public/elfnote.h. Segments go to their physical
 * addresses; what lies between p_filesz and p_memsz is zero already.
 */
#include "core/boot/load.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "core/boot/map.h"
#include "core/bus/platform.h"

#define NOTE_PHYS32_ENTRY 18
#define NOTES_SIZE_MAX 65536u
#define HEADERS_MAX 128
#define SEGMENTS_MAX 16

#define START_INFO_MAGIC 0x336ec578u
#define START_INFO_VERSION 1

struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t map;
	uint32_t map_count;
	uint32_t reserved;
};

struct start_module {
	uint64_t base;
	uint64_t size;
	uint64_t cmdline;
	uint64_t reserved;
};

struct start_range {
	uint64_t base;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

/* All of it lies in one page with a short command line. */
struct start_page {
	struct start_info info;
	struct start_module module;
	struct start_range map[BOOT_MAP_MAX];
};

#define START_MODULE (LOAD_START_INFO + offsetof(struct start_page, module))
#define START_MAP (LOAD_START_INFO + offsetof(struct start_page, map))
#define START_CMDLINE (LOAD_START_INFO + sizeof(struct start_page))

_Static_assert(sizeof(struct start_info) == 56, "PVH start info");
_Static_assert(sizeof(struct start_module) == 32, "PVH module");
_Static_assert(sizeof(struct start_range) == 24, "PVH memory map");

/* What is known of the kernel while it is loaded. */
struct elf_kernel {
	const struct load_image *image;
	const struct guest_memory *memory;
	struct load_range segments[SEGMENTS_MAX];
	unsigned count;
	bool has_entry;
	uint64_t entry;
	struct cause *cause;
};

static int refuse(struct elf_kernel *kernel, const char *what)
{
	return cause_set(kernel->cause, ENOEXEC, "%s: %s", kernel->image->name, what);
}

static int load_segment(struct elf_kernel *kernel, const Elf64_Phdr *ph)
{
	uint64_t base = ph->p_paddr, size = ph->p_memsz;
	void *to;
	unsigned i;

	if (size < ph->p_filesz)
		return refuse(kernel, "a segment is larger in the file than in memory; "
				      "the file is damaged");
	if (size == 0)
		return 0;
	to = memory_at(kernel->memory, base, size);
	if (!to)
		return cause_set(kernel->cause, ENOMEM,
				 "%s: the segment of %llu KiB at 0x%llx is not inside the guest's "
				 "memory of %llu MiB; give it more memory", kernel->image->name,
				 (unsigned long long)(size / 1024), (unsigned long long)base,
				 (unsigned long long)(kernel->memory->size >> 20));
	if (range_overlap(base, size, 0, LOAD_LOW_END) ||
	    range_overlap(base, size, PLATFORM_EBDA, LOAD_RAM_BASE - PLATFORM_EBDA))
		return cause_set(kernel->cause, ENOEXEC,
				 "%s: the segment at 0x%llx lies over memory that belongs to the "
				 "machine; link the kernel to 1 MiB or above", kernel->image->name,
				 (unsigned long long)base);
	for (i = 0; i < kernel->count; i++)
		if (range_overlap(base, size, kernel->segments[i].base, kernel->segments[i].size))
			return refuse(kernel, "two segments overlap in memory; "
					      "the file is damaged");
	if (kernel->count == SEGMENTS_MAX)
		return refuse(kernel, "more than 16 segments to load");
	kernel->segments[kernel->count++] = (struct load_range){ base, size };
	if (ph->p_filesz == 0)
		return 0;
	return image_load(kernel->image, ph->p_offset, to, ph->p_filesz, kernel->cause);
}

/* A note's descriptor holds the entry point in 4 or 8 bytes, little-endian. */
static int read_entry(struct elf_kernel *kernel, uint64_t offset, uint32_t size)
{
	if (size != 4 && size != 8)
		return refuse(kernel, "its PVH note is neither 4 nor 8 bytes long");
	if (kernel->has_entry)
		return refuse(kernel, "it has two PVH notes");
	kernel->has_entry = true;
	return image_read(kernel->image, offset, &kernel->entry, size, kernel->cause);
}

static int read_notes(struct elf_kernel *kernel, const Elf64_Phdr *ph)
{
	uint64_t at = 0, align = ph->p_align == 8 ? 8 : 4, desc, next;
	Elf64_Nhdr note;
	char name[4];
	int error = 0;

	if (ph->p_filesz > NOTES_SIZE_MAX)
		return refuse(kernel, "its notes are larger than 64 KiB");
	while (!error && range_inside(at, sizeof(note), ph->p_filesz)) {
		/* Cannot wrap: image_read() refuses an offset behind the end of the file. */
		error = image_read(kernel->image, ph->p_offset + at, &note, sizeof(note),
				   kernel->cause);
		if (error)
			break;
		desc = align_up(at + sizeof(note) + note.n_namesz, align);
		next = align_up(desc + note.n_descsz, align);
		if (!range_inside(desc, note.n_descsz, ph->p_filesz))
			return refuse(kernel, "a note is longer than its segment; "
					      "the file is damaged");
		if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == sizeof(name)) {
			error = image_read(kernel->image, ph->p_offset + at + sizeof(note), name,
					   sizeof(name), kernel->cause);
			if (!error && memcmp(name, "Xen", sizeof(name)) == 0)
				error = read_entry(kernel, ph->p_offset + desc, note.n_descsz);
		}
		at = next;
	}
	return error;
}

static int check_header(struct elf_kernel *kernel, const Elf64_Ehdr *eh)
{
	if (eh->e_ident[EI_CLASS] != ELFCLASS64)
		return refuse(kernel, "a 32-bit ELF; a kernel for x86-64 is needed");
	if (eh->e_ident[EI_DATA] != ELFDATA2LSB || eh->e_machine != EM_X86_64)
		return refuse(kernel, "an ELF for another processor; "
				      "a kernel for x86-64 is needed");
	if (eh->e_type != ET_EXEC && eh->e_type != ET_DYN)
		return refuse(kernel, "an ELF that is not executable");
	if (eh->e_phentsize != sizeof(Elf64_Phdr) || eh->e_phnum == 0 || eh->e_phnum > HEADERS_MAX)
		return refuse(kernel, "its ELF program headers are damaged");
	return 0;
}

/* Notes come first, so that an ELF that is no kernel is refused before anything is loaded. */
static int load_headers(struct elf_kernel *kernel, const Elf64_Phdr *headers, unsigned count)
{
	unsigned i;
	int error;

	for (i = 0; i < count; i++) {
		error = headers[i].p_type == PT_NOTE ? read_notes(kernel, &headers[i]) : 0;
		if (error)
			return error;
	}
	if (!kernel->has_entry)
		return refuse(kernel, "not a bzImage and not an ELF with a PVH note; a Linux "
				      "vmlinux needs CONFIG_PVH=y");
	for (i = 0; i < count; i++) {
		error = headers[i].p_type == PT_LOAD ? load_segment(kernel, &headers[i]) : 0;
		if (error)
			return error;
	}
	for (i = 0; i < kernel->count; i++)
		if (kernel->entry >= kernel->segments[i].base &&
		    kernel->entry - kernel->segments[i].base < kernel->segments[i].size &&
		    kernel->entry < MEMORY_HIGH_BASE)
			return 0;
	return refuse(kernel, "its PVH entry point lies in no segment; the file is damaged");
}

static void write_start_info(const struct guest_memory *memory, struct start_page *page,
			     const struct load_initrd *initrd, const char *cmdline, uint64_t rsdp)
{
	struct boot_range map[BOOT_MAP_MAX];
	unsigned i, count = boot_memory_map(memory, map);

	page->info.magic = START_INFO_MAGIC;
	page->info.version = START_INFO_VERSION;
	page->info.rsdp = rsdp;
	page->info.map = START_MAP;
	page->info.map_count = count;
	for (i = 0; i < count; i++)
		page->map[i] = (struct start_range){ map[i].base, map[i].size, map[i].type, 0 };
	if (cmdline && *cmdline)
		page->info.cmdline = START_CMDLINE;
	if (initrd->size) {
		page->info.module_count = 1;
		page->info.modules = START_MODULE;
		page->module = (struct start_module){ .base = initrd->base, .size = initrd->size };
	}
}

/* The headers are read to the heap: a stack that was once deep stays resident. */
static int load_program(struct elf_kernel *kernel, const Elf64_Ehdr *eh)
{
	size_t size = eh->e_phnum * sizeof(Elf64_Phdr);
	Elf64_Phdr *headers = malloc(size);
	int error;

	if (!headers)
		return cause_errno(kernel->cause, ENOMEM, "program headers");
	error = image_read(kernel->image, eh->e_phoff, headers, size, kernel->cause);
	if (!error)
		error = load_headers(kernel, headers, eh->e_phnum);
	free(headers);
	return error;
}

int elf_load(const struct load_image *image, const struct boot_source *source,
	     const struct guest_memory *memory, uint64_t rsdp, struct boot_entry *entry,
	     struct cause *cause)
{
	struct elf_kernel kernel = { .image = image, .memory = memory, .cause = cause };
	struct load_initrd initrd;
	struct start_page *page;
	Elf64_Ehdr eh;
	int error;

	error = image_read(image, 0, &eh, sizeof(eh), cause);
	if (!error)
		error = check_header(&kernel, &eh);
	if (!error)
		error = load_program(&kernel, &eh);
	if (!error)
		error = load_cmdline(memory, source->cmdline, START_CMDLINE, LOAD_LOW_END,
				     LOAD_LOW_END, cause);
	if (!error)
		error = load_initrd(memory, source, MEMORY_LOW_MAX, kernel.segments,
				    kernel.count, &initrd, cause);
	if (error)
		return error;
	page = memory_at(memory, LOAD_START_INFO, sizeof(*page));
	if (!page)
		return cause_set(cause, ENOMEM, "memory: no RAM at 0x%x", LOAD_START_INFO);
	write_start_info(memory, page, &initrd, source->cmdline, rsdp);
	entry->mode = BOOT_PVH32;
	entry->rip = kernel.entry;
	entry->start_info = LOAD_START_INFO;
	return 0;
}
