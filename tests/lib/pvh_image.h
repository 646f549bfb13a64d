/* The smallest ELF kernel with a PVH entry: a note and 512 bytes of code. */
#ifndef TESTS_LIB_PVH_IMAGE_H
#define TESTS_LIB_PVH_IMAGE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

struct pvh_image {
	Elf64_Ehdr eh;
	Elf64_Phdr note, text;
	Elf64_Nhdr entry;
	char name[4];
	uint32_t address;
	uint8_t code[512];
};

/* Loaded at 1 MiB and entered at 1 MiB + start, with no code yet. */
#define PVH_IMAGE(start) { \
	.eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, \
		.e_type = ET_EXEC, .e_machine = EM_X86_64, \
		.e_phoff = offsetof(struct pvh_image, note), \
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 }, \
	.note = { .p_type = PT_NOTE, .p_offset = offsetof(struct pvh_image, entry), \
		  .p_filesz = sizeof(Elf64_Nhdr) + 8 }, \
	.text = { .p_type = PT_LOAD, .p_offset = offsetof(struct pvh_image, code), \
		  .p_paddr = 0x100000, .p_filesz = 512, .p_memsz = 8192 }, \
	.entry = { .n_namesz = 4, .n_descsz = 4, .n_type = 18 }, \
	.name = "Xen", \
	.address = 0x100000 + (start), \
}

#endif
