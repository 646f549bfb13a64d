/* Kernel loading with hand-made images, good, bad and mutated. */
#include "core/boot/boot.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checked.h"
#include "core/boot/map.h"
#include "core/bus/platform.h"
#include "lib/guest_memory.h"
#include "scratch.h"

#define MIB 0x100000ull
#define MEMORY_SIZE (64 * MIB)
#define RSDP PLATFORM_ACPI_BASE

/* An ELF with a note and two segments, at these places of the file. */
#define ELF_NOTE 0x200
#define ELF_TEXT 0x1000
#define ELF_DATA 0x2000
#define ELF_SIZE 0x2100
#define ELF_ENTRY 0x100010

struct elf_file {
	Elf64_Ehdr eh;
	Elf64_Phdr note, text, data;
	uint8_t rest[ELF_SIZE - sizeof(Elf64_Ehdr) - 3 * sizeof(Elf64_Phdr)];
};

struct elf_note {
	Elf64_Nhdr other;
	char other_name[4];
	uint8_t other_desc[8];
	Elf64_Nhdr entry;
	char entry_name[4];
	uint32_t address;
};

#define BZ_SETUP_SECTORS 3
#define BZ_KERNEL ((BZ_SETUP_SECTORS + 1) * 512)
#define BZ_CODE 0x3000
#define BZ_SIZE (BZ_KERNEL + BZ_CODE)

struct fixture {
	struct guest_memory memory;
	char folder[40], kernel[64], initrd[64];
	struct elf_file elf;
	uint8_t bzimage[BZ_SIZE];
	struct boot_entry entry;
	struct cause cause;
};

static void make_elf(struct elf_file *elf)
{
	struct elf_note note = {
		{ 4, 7, 1 }, "GNU", "1234567", { 4, 4, 18 }, "Xen", ELF_ENTRY,
	};

	memset(elf, 0, sizeof(*elf));
	memcpy(elf->eh.e_ident, ELFMAG, 4);
	elf->eh.e_ident[EI_CLASS] = ELFCLASS64;
	elf->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	elf->eh.e_type = ET_EXEC;
	elf->eh.e_machine = EM_X86_64;
	elf->eh.e_phoff = sizeof(Elf64_Ehdr);
	elf->eh.e_phentsize = sizeof(Elf64_Phdr);
	elf->eh.e_phnum = 3;
	elf->note = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = ELF_NOTE, .p_filesz = sizeof(note),
				  .p_memsz = sizeof(note), .p_align = 4 };
	elf->text = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = ELF_TEXT, .p_paddr = 0x100000,
				  .p_filesz = 0x800, .p_memsz = 0x800 };
	elf->data = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = ELF_DATA, .p_paddr = 0x200000,
				  .p_filesz = 0x100, .p_memsz = 0x400000 };
	memcpy((uint8_t *)elf + ELF_NOTE, &note, sizeof(note));
	memset((uint8_t *)elf + ELF_TEXT, 0x90, 0x800);
	memset((uint8_t *)elf + ELF_DATA, 0xda, 0x100);
}

static struct setup_header *bz_header(struct fixture *f)
{
	return (void *)(f->bzimage + 0x1f1);
}

static void make_bzimage(struct fixture *f)
{
	struct setup_header *hdr = bz_header(f);

	memset(f->bzimage, 0, sizeof(f->bzimage));
	hdr->setup_sects = BZ_SETUP_SECTORS;
	hdr->syssize = BZ_CODE / 16;
	hdr->boot_flag = 0xaa55;
	hdr->jump = 0xeb | 0x6a << 8;
	memcpy(&hdr->header, "HdrS", 4);
	hdr->version = 0x20f;
	hdr->loadflags = LOADED_HIGH;
	hdr->initrd_addr_max = 0x7fffffff;
	hdr->kernel_alignment = 0x200000;
	hdr->relocatable_kernel = 1;
	hdr->xloadflags = XLF_KERNEL_64;
	hdr->cmdline_size = 2047;
	hdr->pref_address = 0x1000000;
	hdr->init_size = 0x900000;
	memset(f->bzimage + BZ_KERNEL, 0xcc, BZ_CODE);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(memory_create(&f->memory, MEMORY_SIZE, NULL), 0);
	/* So that what is touched can be counted. */
	madvise(f->memory.regions[0].host, MEMORY_SIZE, MADV_NOHUGEPAGE);
	strcpy(f->folder, "/tmp/vmdeck-boot-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->kernel, sizeof(f->kernel), "%s/kernel", f->folder);
	snprintf(f->initrd, sizeof(f->initrd), "%s/initrd", f->folder);
	make_elf(&f->elf);
	make_bzimage(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->kernel);
	unlink(f->initrd);
	assert_int_equal(rmdir(f->folder), 0);
	memory_destroy(&f->memory);
	free(f);
	return 0;
}

/* Loads a kernel of bytes that lies in memory (the built-in one) or in a file. */
static int load(struct fixture *f, const void *kernel, size_t size, bool in_file,
		const char *initrd, const char *cmdline)
{
	struct boot_source source = { .initrd = initrd, .cmdline = cmdline };
	const struct boot_image image = { .data = kernel, .size = size };

	memory_clear(&f->memory);
	f->cause.text[0] = 0;
	if (in_file) {
		scratch_write(f->kernel, kernel, size);
		source.kernel = f->kernel;
	} else {
		source.image = &image;
	}
	return boot_load(&source, &f->memory, RSDP, &f->entry, &f->cause);
}

static void refused(struct fixture *f, const void *kernel, size_t size, int error, const char *says)
{
	assert_int_equal(load(f, kernel, size, true, NULL, "x"), -error);
	if (!strstr(f->cause.text, says) || strncmp(f->cause.text, f->kernel, strlen(f->kernel)))
		fail_msg("cause: %s", f->cause.text);
}

static uint64_t get(struct fixture *f, uint64_t address, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(memory_read(&f->memory, address, &value, size), 0);
	return value;
}

static void test_memory_map(void **state)
{
	struct guest_memory memory = { .count = 2, .size = 0xc0000000 };
	struct boot_range map[BOOT_MAP_MAX];
	struct fixture *f = *state;
	unsigned i, n;

	n = boot_memory_map(&f->memory, map);
	assert_int_equal(n, 4);
	memory.regions[0] = (struct memory_region){ .base = 0, .size = MEMORY_LOW_MAX };
	memory.regions[1] = (struct memory_region){ .base = MEMORY_HIGH_BASE, .size = 0x40000000 };
	n = boot_memory_map(&memory, map);
	assert_int_equal(n, 5);
	assert_int_equal(map[0].size, PLATFORM_EBDA);
	assert_int_equal(map[1].type, BOOT_RANGE_RESERVED);
	assert_int_equal(map[2].base, MIB);
	assert_int_equal(map[2].size, MEMORY_LOW_MAX - MIB);
	assert_int_equal(map[3].base, PLATFORM_ECAM_BASE);
	assert_int_equal(map[3].type, BOOT_RANGE_RESERVED);
	assert_int_equal(map[4].base, MEMORY_HIGH_BASE);
	assert_int_equal(map[4].size, 0x40000000);
	for (i = 1; i < n; i++)
		assert_true(map[i - 1].base + map[i - 1].size <= map[i].base);
}

static void check_pvh(struct fixture *f)
{
	uint64_t info = f->entry.start_info, map, i;

	assert_int_equal(f->entry.mode, BOOT_PVH32);
	assert_int_equal(f->entry.rip, ELF_ENTRY);
	assert_int_equal(get(f, 0x100000, 4), 0x90909090);
	assert_int_equal(get(f, 0x1007fc, 8), 0x90909090);
	assert_int_equal(get(f, 0x2000fc, 8), 0xdadadada);
	assert_int_equal(get(f, info, 4), 0x336ec578);
	assert_int_equal(get(f, info + 4, 4), 1);
	assert_int_equal(get(f, info + 32, 8), RSDP);
	map = get(f, info + 40, 8);
	assert_int_equal(get(f, info + 48, 4), 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(get(f, map + 24 * i + 16, 8), i % 2 ? 2 : 1);
	assert_int_equal(get(f, map + 48, 8), MIB);
	assert_int_equal(get(f, map + 56, 8), MEMORY_SIZE - MIB);
}

static void test_pvh(void **state)
{
	struct memory_survey survey = { 0 };
	struct fixture *f = *state;
	char text[16];

	assert_int_equal(load(f, &f->elf, ELF_SIZE, false, NULL, NULL), 0);
	check_pvh(f);
	assert_int_equal(get(f, f->entry.start_info + 12, 4), 0);
	assert_int_equal(get(f, f->entry.start_info + 24, 8), 0);
	/* One page of low memory, one of each segment. */
	assert_int_equal(memory_resident(&f->memory, &survey, MEMORY_SIZE), 3 * 4096);
	memory_survey_end(&survey);

	assert_int_equal(load(f, &f->elf, ELF_SIZE, true, NULL, "console=ttyS0"), 0);
	check_pvh(f);
	memory_read(&f->memory, get(f, f->entry.start_info + 24, 8), text, 14);
	assert_string_equal(text, "console=ttyS0");
}

static void test_pvh_initrd(void **state)
{
	struct fixture *f = *state;
	uint64_t module, base;
	char data[5000];

	memset(data, 0x77, sizeof(data));
	scratch_write(f->initrd, data, sizeof(data));
	assert_int_equal(load(f, &f->elf, ELF_SIZE, true, f->initrd, NULL), 0);
	check_pvh(f);
	assert_int_equal(get(f, f->entry.start_info + 12, 4), 1);
	module = get(f, f->entry.start_info + 16, 8);
	base = get(f, module, 8);
	assert_int_equal(base, MEMORY_SIZE - 8192);
	assert_int_equal(get(f, module + 8, 8), sizeof(data));
	assert_int_equal(get(f, base + 4992, 8), 0x7777777777777777);
	assert_int_equal(get(f, base + 5000, 8), 0);

	/* A kernel at the top of the memory: the initrd goes below it. */
	f->elf.data.p_paddr = MEMORY_SIZE - 0x400000;
	assert_int_equal(load(f, &f->elf, ELF_SIZE, true, f->initrd, NULL), 0);
	base = get(f, get(f, f->entry.start_info + 16, 8), 8);
	assert_int_equal(base, MEMORY_SIZE - 0x400000 - 8192);

	/* No room at all, an empty one, none. */
	f->elf.data.p_paddr = 0x101000;
	f->elf.data.p_memsz = MEMORY_SIZE - 0x101000;
	assert_int_equal(load(f, &f->elf, ELF_SIZE, true, f->initrd, NULL), -ENOMEM);
	assert_non_null(strstr(f->cause.text, "no room for an initrd"));
	make_elf(&f->elf);
	scratch_write(f->initrd, "", 0);
	assert_int_equal(load(f, &f->elf, ELF_SIZE, true, f->initrd, NULL), -EINVAL);
	unlink(f->initrd);
	assert_int_equal(load(f, &f->elf, ELF_SIZE, true, f->initrd, NULL), -ENOENT);
	assert_int_equal(strncmp(f->cause.text, f->initrd, strlen(f->initrd)), 0);
}

static struct elf_note *elf_note(struct fixture *f)
{
	return (void *)((uint8_t *)&f->elf + ELF_NOTE);
}

#define REFUSED_ELF(f, change, error, says)                   \
	do {                                                  \
		make_elf(&(f)->elf);                          \
		change;                                       \
		refused(f, &(f)->elf, ELF_SIZE, error, says); \
	} while (0)

static void test_pvh_broken(void **state)
{
	struct fixture *f = *state;
	struct elf_file *elf = &f->elf;

	REFUSED_ELF(f, elf->eh.e_ident[EI_CLASS] = ELFCLASS32, ENOEXEC, "32-bit ELF");
	REFUSED_ELF(f, elf->eh.e_machine = EM_AARCH64, ENOEXEC, "another processor");
	REFUSED_ELF(f, elf->eh.e_type = ET_REL, ENOEXEC, "not executable");
	REFUSED_ELF(f, elf->eh.e_phnum = 0, ENOEXEC, "program headers");
	REFUSED_ELF(f, elf->eh.e_phnum = 0xffff, ENOEXEC, "program headers");
	REFUSED_ELF(f, elf->eh.e_phentsize = 8, ENOEXEC, "program headers");
	REFUSED_ELF(f, elf->eh.e_phoff = ELF_SIZE - 8, ENOEXEC, "cut short");
	REFUSED_ELF(f, elf->eh.e_phoff = UINT64_MAX - 8, ENOEXEC, "cut short");
	REFUSED_ELF(f, elf_note(f)->entry.n_type = 17, ENOEXEC, "PVH note");
	REFUSED_ELF(f, elf_note(f)->entry_name[0] = 'L', ENOEXEC, "PVH note");
	REFUSED_ELF(f, elf->note.p_type = PT_NULL, ENOEXEC, "PVH note");
	REFUSED_ELF(f, elf_note(f)->entry.n_descsz = 5, ENOEXEC, "longer than its segment");
	REFUSED_ELF(f, elf_note(f)->entry.n_descsz = 3, ENOEXEC, "4 nor 8 bytes");
	REFUSED_ELF(f, elf_note(f)->other.n_namesz = UINT32_MAX, ENOEXEC,
		    "longer than its segment");
	REFUSED_ELF(f, elf->note.p_filesz = UINT64_MAX, ENOEXEC, "64 KiB");
	REFUSED_ELF(f, elf->note.p_offset = UINT64_MAX - 3, ENOEXEC, "cut short");
	REFUSED_ELF(f, elf_note(f)->address = 0x100800, ENOEXEC, "entry point");
	REFUSED_ELF(f, elf_note(f)->address = 0, ENOEXEC, "entry point");
	REFUSED_ELF(f, elf->text.p_memsz = 0x7ff, ENOEXEC, "larger in the file");
	REFUSED_ELF(f, elf->data.p_memsz = UINT64_MAX, ENOMEM, "more memory");
	REFUSED_ELF(f, elf->data.p_paddr = MEMORY_SIZE - 0x3fffff, ENOMEM, "more memory");
	REFUSED_ELF(f, elf->data.p_paddr = UINT64_MAX - 0xfff, ENOMEM, "more memory");
	REFUSED_ELF(f, elf->data.p_paddr = 0x1007ff, ENOEXEC, "overlap");
	REFUSED_ELF(f, elf->text.p_paddr = 0x6000, ENOEXEC, "belongs to the machine");
	REFUSED_ELF(f, elf->text.p_paddr = 0x9f800, ENOEXEC, "belongs to the machine");
	REFUSED_ELF(f, elf->text.p_offset = ELF_SIZE - 0x7ff, ENOEXEC, "cut short");
	REFUSED_ELF(f, elf->text.p_offset = UINT64_MAX - 0x10, ENOEXEC, "cut short");

	make_elf(elf);
	refused(f, elf, 0x400, ENOEXEC, "cut short");
	refused(f, elf, 10, ENOEXEC, "not a bzImage and not an ELF");
	refused(f, "", 0, ENOEXEC, "not a bzImage and not an ELF");
	assert_int_equal(load(f, "", 0, false, NULL, NULL), -ENOEXEC);
	/* A segment of zeroes alone may point anywhere in the file. */
	elf->data.p_filesz = 0;
	elf->data.p_offset = UINT64_MAX;
	assert_int_equal(load(f, elf, ELF_SIZE, true, NULL, NULL), 0);
}

static void test_files(void **state)
{
	struct boot_source source = { 0 };
	struct fixture *f = *state;

	source.kernel = f->kernel;
	assert_int_equal(boot_load(&source, &f->memory, 0, &f->entry, &f->cause), -ENOENT);
	source.kernel = f->folder;
	assert_int_equal(boot_load(&source, &f->memory, 0, &f->entry, &f->cause), -EINVAL);
	assert_int_equal(mkfifo(f->kernel, 0600), 0);
	source.kernel = f->kernel;
	assert_int_equal(boot_load(&source, &f->memory, 0, &f->entry, &f->cause), -EINVAL);
	assert_non_null(strstr(f->cause.text, "not a regular file"));
}

static void check_bzimage(struct fixture *f, uint64_t base)
{
	uint64_t zero = f->entry.start_info, i;

	assert_int_equal(f->entry.mode, BOOT_LONG64);
	assert_int_equal(f->entry.rip, base + 0x200);
	assert_int_equal(get(f, base, 4), 0xcccccccc);
	assert_int_equal(get(f, base + BZ_CODE - 4, 8), 0xcccccccc);
	assert_int_equal(get(f, zero + 0x1ef, 1), 0);
	assert_memory_equal(memory_at(&f->memory, zero + 0x202, 4), "HdrS", 4);
	assert_int_equal(get(f, zero + 0x210, 1), 0xff);
	assert_int_equal(get(f, zero + 0x214, 4), base);
	assert_int_equal(get(f, zero + 0x070, 8), RSDP);
	assert_int_equal(get(f, zero + 0x1e8, 1), 4);
	assert_int_equal(get(f, zero + 0x2d0 + 2 * 20, 8), MIB);
	assert_int_equal(get(f, zero + 0x2d0 + 2 * 20 + 8, 8), MEMORY_SIZE - MIB);
	assert_int_equal(get(f, zero + 0x2d0 + 2 * 20 + 16, 4), 1);

	/* The first 4 GiB map to themselves. */
	for (i = 0; i < 2048; i++) {
		uint64_t pdpt = get(f, f->entry.page_table, 8);
		uint64_t pd = get(f, (pdpt & ~0xfffull) + i / 512 * 8, 8);
		uint64_t page = get(f, (pd & ~0xfffull) + i % 512 * 8, 8);

		assert_int_equal(pdpt & 0xfff, 3);
		assert_int_equal(pd & 0xfff, 3);
		assert_int_equal(page, i << 21 | 0x83);
	}
}

static void test_bzimage(void **state)
{
	struct fixture *f = *state;
	char cmdline[2049], text[2049], data[5000];
	uint64_t zero;

	memset(cmdline, 'c', sizeof(cmdline));
	cmdline[2047] = 0;
	memset(data, 0x77, sizeof(data));
	scratch_write(f->initrd, data, sizeof(data));
	assert_int_equal(load(f, f->bzimage, BZ_SIZE, true, f->initrd, cmdline), 0);
	check_bzimage(f, 0x1000000);
	zero = f->entry.start_info;
	memory_read(&f->memory, get(f, zero + 0x228, 4), text, sizeof(text));
	assert_string_equal(text, cmdline);
	assert_int_equal(get(f, zero + 0x218, 4), MEMORY_SIZE - 8192);
	assert_int_equal(get(f, zero + 0x21c, 4), sizeof(data));
	assert_int_equal(get(f, MEMORY_SIZE - 8192 + 4992, 8), 0x7777777777777777);

	cmdline[2047] = 'c';
	cmdline[2048] = 0;
	assert_int_equal(load(f, f->bzimage, BZ_SIZE, true, NULL, cmdline), -E2BIG);

	bz_header(f)->initrd_addr_max = 0x2ffffff;
	assert_int_equal(load(f, f->bzimage, BZ_SIZE, true, f->initrd, NULL), 0);
	assert_int_equal(get(f, zero + 0x218, 4), 0x3000000 - 8192);
	/* Only below the kernel is room. */
	bz_header(f)->initrd_addr_max = 0x1900fff;
	assert_int_equal(load(f, f->bzimage, BZ_SIZE, true, f->initrd, NULL), 0);
	assert_int_equal(get(f, zero + 0x218, 4), 0x1000000 - 8192);
	bz_header(f)->initrd_addr_max = 0;
	assert_int_equal(load(f, f->bzimage, BZ_SIZE, true, f->initrd, NULL), -ENOMEM);

	make_bzimage(f);
	bz_header(f)->pref_address = 0;
	assert_int_equal(load(f, f->bzimage, BZ_SIZE, true, NULL, NULL), 0);
	check_bzimage(f, 0x200000);
}

#define REFUSED_BZ(f, change, error, says)                  \
	do {                                                \
		struct setup_header *hdr = bz_header(f);    \
		make_bzimage(f);                            \
		change;                                     \
		refused(f, (f)->bzimage, BZ_SIZE, error, says); \
	} while (0)

static void test_bzimage_broken(void **state)
{
	struct fixture *f = *state;

	REFUSED_BZ(f, hdr->header = 0, ENOEXEC, "not a bzImage and not an ELF with a PVH note");
	REFUSED_BZ(f, hdr->boot_flag = 0, ENOEXEC, "boot flag");
	REFUSED_BZ(f, hdr->version = 0x20b, ENOEXEC, "boot protocol 2.11;");
	REFUSED_BZ(f, hdr->xloadflags = 0, ENOEXEC, "64-bit entry point");
	REFUSED_BZ(f, hdr->jump = 0xeb, ENOEXEC, "setup header ends");
	REFUSED_BZ(f, hdr->jump = 0xeb | 0x40 << 8, ENOEXEC, "setup header ends");
	REFUSED_BZ(f, hdr->setup_sects = 0xff, ENOEXEC, "cut short");
	REFUSED_BZ(f, hdr->syssize = 0, ENOEXEC, "cut short");
	REFUSED_BZ(f, hdr->syssize = UINT32_MAX, ENOEXEC, "cut short");
	REFUSED_BZ(f, hdr->syssize += 1, ENOEXEC, "cut short");
	REFUSED_BZ(f, hdr->kernel_alignment = 0, ENOEXEC, "alignment");
	REFUSED_BZ(f, hdr->kernel_alignment = 0x300000, ENOEXEC, "alignment");
	REFUSED_BZ(f, hdr->pref_address = 0x8000, ENOEXEC, "load address");
	REFUSED_BZ(f, hdr->pref_address = UINT64_MAX, ENOEXEC, "load address");
	REFUSED_BZ(f, hdr->kernel_alignment = 0x80000000, ENOMEM, "more memory");
	REFUSED_BZ(f, hdr->init_size = UINT32_MAX, ENOMEM, "more memory");
	REFUSED_BZ(f, hdr->pref_address = MEMORY_SIZE, ENOMEM, "more memory");
	make_bzimage(f);
	refused(f, f->bzimage, BZ_KERNEL, ENOEXEC, "cut short");
	/* A file whose last paragraph is not full. */
	assert_int_equal(load(f, f->bzimage, BZ_SIZE - 15, true, NULL, NULL), 0);
	refused(f, f->bzimage, BZ_SIZE - 16, ENOEXEC, "cut short");
}

static void test_vcpu_state(void **state)
{
	struct boot_entry pvh = { .mode = BOOT_PVH32, .rip = 0x1000010, .start_info = 0x6000 };
	struct boot_entry linux64 = { .mode = BOOT_LONG64, .rip = 0x1000200, .start_info = 0x7000,
				      .page_table = 0xa000, .gdt = 0x500, .gdt_limit = 31 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	(void)state;
	memset(&sregs, 0xff, sizeof(sregs));
	sregs.apic_base = 0xfee00900;
	boot_vcpu_state(&pvh, &sregs, &regs);
	assert_int_equal(regs.rip, 0x1000010);
	assert_int_equal(regs.rbx, 0x6000);
	assert_int_equal(regs.rflags, 2);
	assert_int_equal(sregs.cr0, 0x11);
	assert_int_equal(sregs.cr4, 0);
	assert_int_equal(sregs.efer, 0);
	assert_int_equal(sregs.cs.db, 1);
	assert_int_equal(sregs.cs.l, 0);
	assert_int_equal(sregs.cs.limit, 0xffffffff);
	assert_int_equal(sregs.tr.limit, 0x67);
	assert_int_equal(sregs.apic_base, 0xfee00900);

	boot_vcpu_state(&linux64, &sregs, &regs);
	assert_int_equal(regs.rsi, 0x7000);
	assert_int_equal(sregs.cr0, 0x80000011);
	assert_int_equal(sregs.cr3, 0xa000);
	assert_int_equal(sregs.cr4, 0x20);
	assert_int_equal(sregs.efer, 0x500);
	assert_int_equal(sregs.cs.selector, 0x10);
	assert_int_equal(sregs.cs.l, 1);
	assert_int_equal(sregs.cs.db, 0);
	assert_int_equal(sregs.ds.selector, 0x18);
	assert_int_equal(sregs.gdt.limit, 31);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Changes bytes of the headers; whatever is loaded must begin inside RAM. */
static void mutate(struct fixture *f, const uint8_t *good, size_t size, size_t headers,
		   size_t first, unsigned rounds)
{
	static const uint8_t extremes[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	uint64_t seed = 0x9e3779b97f4a7c15;
	uint8_t *image = malloc(size);
	unsigned changes, loaded = 0;
	size_t cut;

	assert_non_null(image);
	while (rounds--) {
		memcpy(image, good, size);
		for (changes = 1 + next_random(&seed) % 4; changes; changes--)
			image[first + next_random(&seed) % headers] =
				next_random(&seed) % 2 ?
					extremes[next_random(&seed) % sizeof(extremes)] :
					(uint8_t)next_random(&seed);
		cut = next_random(&seed) % 8 ? size : next_random(&seed) % size;
		if (load(f, image, cut, false, NULL, "mutated") != 0) {
			assert_true(strlen(f->cause.text) > 20);
			continue;
		}
		assert_non_null(memory_at(&f->memory, f->entry.rip, 1));
		loaded++;
	}
	assert_true(loaded > 0);
	free(image);
}

static void test_mutations(void **state)
{
	struct fixture *f = *state;

	mutate(f, (const uint8_t *)&f->elf, ELF_SIZE, ELF_NOTE + sizeof(struct elf_note), 0, 4000);
	mutate(f, f->bzimage, BZ_SIZE, sizeof(struct setup_header), 0x1f1, 4000);
}

static void test_small_memory(void **state)
{
	struct fixture *f = *state;
	const struct boot_image image = { .data = &f->elf, .size = ELF_SIZE };
	const struct boot_source source = { .image = &image };
	struct guest_memory small;

	assert_int_equal(memory_create(&small, 0x100000, NULL), 0);
	assert_int_equal(boot_load(&source, &small, 0, &f->entry, &f->cause), -ENOMEM);
	memory_destroy(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pvh, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pvh_initrd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pvh_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bzimage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bzimage_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vcpu_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mutations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
