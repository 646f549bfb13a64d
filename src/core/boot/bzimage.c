/*
 * Loads a Linux bzImage by the 64-bit boot protocol. The machine's thread.
 *
 * Documentation/arch/x86/boot.rst ("The Real-Mode Kernel Header", "64-bit Boot
 * Protocol") and zero-page.rst. The real-mode part is not used: its header is
 * copied to the zero page, and the kernel begins 0x200 into the rest.
 */
#include "core/boot/load.h"

#include <asm/bootparam.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "core/boot/map.h"

#define HEADER_OFFSET 0x1f1
#define HEADER_JUMP_END 0x202 /* the length byte at 0x201 counts from here */
#define HEADER_SIZE_MIN (offsetof(struct setup_header, init_size) + 4)
#define BOOT_FLAG 0xaa55
#define PROTOCOL_MIN 0x20c /* the first with xloadflags */
#define SECTOR_SIZE 512u
#define SETUP_SECTORS_DEFAULT 4
#define ENTRY_64 0x200
#define LOADER_UNDEFINED 0xff

#define PAGE_PRESENT 0x1u
#define PAGE_WRITE 0x2u
#define PAGE_LARGE 0x80u
#define PAGE_ENTRIES 512u
#define PAGE_SIZE 4096u
#define LARGE_SIZE 0x200000ull
#define DIRECTORIES 4 /* of 1 GiB each */

/* Base 0, limit 4 GiB: Intel SDM vol. 3 § 3.4.5. */
#define GDT_CODE64 0x00af9b000000ffffull
#define GDT_DATA 0x00cf93000000ffffull

_Static_assert(sizeof(struct boot_params) == PAGE_SIZE, "the zero page is a page");
_Static_assert(LOAD_PAGE_TABLE + (2 + DIRECTORIES) * PAGE_SIZE == LOAD_LOW_END, "page tables");

/* Where the protected-mode part of the file goes. */
struct placement {
	uint64_t file_offset;
	uint64_t file_size;
	struct load_range ram; /* it, and what it needs to unpack itself */
};

static int read_header(const struct load_image *image, struct setup_header *hdr,
		       struct cause *cause)
{
	uint64_t size;
	int error;

	error = image_read(image, HEADER_OFFSET, hdr, sizeof(*hdr), cause);
	if (error)
		return error;
	if (hdr->boot_flag != BOOT_FLAG)
		return cause_set(cause, ENOEXEC, "%s: a bzImage without its boot flag; "
				 "the file is damaged", image->name);
	if (hdr->version < PROTOCOL_MIN)
		return cause_set(cause, ENOEXEC,
				 "%s: boot protocol %u.%u; 2.12 or later is needed (Linux 3.8)",
				 image->name, hdr->version >> 8, hdr->version & 0xff);
	if (!(hdr->xloadflags & XLF_KERNEL_64))
		return cause_set(cause, ENOEXEC, "%s: a kernel without a 64-bit entry point; "
				 "a kernel for x86-64 is needed", image->name);
	size = HEADER_JUMP_END + (hdr->jump >> 8) - HEADER_OFFSET;
	if (size < HEADER_SIZE_MIN)
		return cause_set(cause, ENOEXEC, "%s: its setup header ends after %llu bytes; "
				 "the file is damaged", image->name, (unsigned long long)size);
	/* What lies behind the header is code. */
	if (size < sizeof(*hdr))
		memset((uint8_t *)hdr + size, 0, sizeof(*hdr) - size);
	return 0;
}

static int place_kernel(const struct load_image *image, const struct setup_header *hdr,
			const struct guest_memory *memory, struct placement *place,
			struct cause *cause)
{
	unsigned sectors = hdr->setup_sects ? hdr->setup_sects : SETUP_SECTORS_DEFAULT;
	uint64_t base = hdr->pref_address, align = hdr->kernel_alignment, start, size;

	place->file_offset = (sectors + 1) * SECTOR_SIZE;
	size = (uint64_t)hdr->syssize * 16;
	/* syssize is rounded up to paragraphs. */
	if (size == 0 || image->size + 15 < place->file_offset + size)
		return cause_set(cause, ENOEXEC,
				 "%s: %llu bytes, but its header speaks of %llu; "
				 "it is damaged or cut short", image->name,
				 (unsigned long long)image->size,
				 (unsigned long long)(place->file_offset + size));
	if (size > image->size - place->file_offset)
		size = image->size - place->file_offset;
	place->file_size = size;

	if (hdr->relocatable_kernel && (align == 0 || (align & (align - 1))))
		return cause_set(cause, ENOEXEC, "%s: a kernel alignment of 0x%llx; "
				 "the file is damaged", image->name, (unsigned long long)align);
	if (base == 0)
		base = hdr->relocatable_kernel ? align_up(LOAD_RAM_BASE, align) : LOAD_RAM_BASE;
	if (base < LOAD_RAM_BASE || base >= MEMORY_LOW_MAX)
		return cause_set(cause, ENOEXEC, "%s: a load address of 0x%llx; it must lie "
				 "between 1 MiB and 2 GiB", image->name, (unsigned long long)base);
	/* It unpacks itself where it runs: at its own alignment behind its load address. */
	start = hdr->relocatable_kernel ? align_up(base, align) : base;
	if (hdr->init_size > size)
		size = hdr->init_size;
	place->ram = (struct load_range){ base, start - base + size };
	if (!memory_at(memory, base, place->ram.size))
		return cause_set(cause, ENOMEM, "%s: needs memory up to %llu MiB, but the guest "
				 "has %llu MiB; give it more memory", image->name,
				 (unsigned long long)((base + place->ram.size + 0xfffff) >> 20),
				 (unsigned long long)(memory->size >> 20));
	return 0;
}

/* Identity map of the first 4 GiB, and the GDT that the protocol names. */
static void write_tables(uint8_t *low, struct boot_entry *entry)
{
	uint64_t *pml4 = (void *)(low + LOAD_PAGE_TABLE - LOAD_LOW_BASE);
	uint64_t *pdpt = pml4 + PAGE_ENTRIES, *pd = pdpt + PAGE_ENTRIES;
	uint64_t *gdt = (void *)(low + LOAD_GDT - LOAD_LOW_BASE);
	uint64_t flags = PAGE_PRESENT | PAGE_WRITE;
	unsigned i;

	pml4[0] = (LOAD_PAGE_TABLE + PAGE_SIZE) | flags;
	for (i = 0; i < DIRECTORIES; i++)
		pdpt[i] = (LOAD_PAGE_TABLE + (2 + i) * PAGE_SIZE) | flags;
	for (i = 0; i < DIRECTORIES * PAGE_ENTRIES; i++)
		pd[i] = i * LARGE_SIZE | PAGE_LARGE | flags;
	gdt[2] = GDT_CODE64;
	gdt[3] = GDT_DATA;
	entry->page_table = LOAD_PAGE_TABLE;
	entry->gdt = LOAD_GDT;
	entry->gdt_limit = 4 * sizeof(*gdt) - 1;
}

static void write_zero_page(struct boot_params *zero, const struct setup_header *hdr,
			    const struct guest_memory *memory, const struct placement *place,
			    const struct load_initrd *initrd, uint64_t rsdp)
{
	struct boot_range map[BOOT_MAP_MAX];
	unsigned i, count = boot_memory_map(memory, map);

	zero->hdr = *hdr;
	zero->hdr.type_of_loader = LOADER_UNDEFINED;
	zero->hdr.code32_start = (uint32_t)place->ram.base;
	zero->hdr.cmd_line_ptr = LOAD_CMDLINE;
	zero->hdr.ramdisk_image = (uint32_t)initrd->base;
	zero->hdr.ramdisk_size = (uint32_t)initrd->size;
	zero->hdr.setup_data = 0;
	zero->acpi_rsdp_addr = rsdp;
	zero->e820_entries = (uint8_t)count;
	for (i = 0; i < count; i++)
		zero->e820_table[i] = (struct boot_e820_entry){ map[i].base, map[i].size,
								map[i].type };
}

int bzimage_load(const struct load_image *image, const struct boot_source *source,
		 const struct guest_memory *memory, uint64_t rsdp, struct boot_entry *entry,
		 struct cause *cause)
{
	uint8_t *low = memory_at(memory, LOAD_LOW_BASE, LOAD_LOW_END - LOAD_LOW_BASE);
	struct load_initrd initrd;
	struct setup_header hdr;
	struct placement place = { 0 };
	int error;

	if (!low)
		return cause_set(cause, ENOMEM, "memory: a guest needs more than 1 MiB");
	error = read_header(image, &hdr, cause);
	if (!error)
		error = place_kernel(image, &hdr, memory, &place, cause);
	if (!error)
		error = load_cmdline(memory, source->cmdline, LOAD_CMDLINE, LOAD_PAGE_TABLE,
				     hdr.cmdline_size, cause);
	if (!error)
		error = image_load(image, place.file_offset,
				   memory_at(memory, place.ram.base, place.file_size),
				   place.file_size, cause);
	if (!error)
		error = load_initrd(memory, source, (uint64_t)hdr.initrd_addr_max + 1,
				    &place.ram, 1, &initrd, cause);
	if (error)
		return error;
	write_tables(low, entry);
	write_zero_page((void *)(low + LOAD_ZERO_PAGE - LOAD_LOW_BASE), &hdr, memory, &place,
			&initrd, rsdp);
	entry->mode = BOOT_LONG64;
	entry->rip = place.ram.base + ENTRY_64;
	entry->start_info = LOAD_ZERO_PAGE;
	return 0;
}
