/*
 * What the loaders of boot/ share: what to start and how it begins, files to read,
 * where things lie in low memory, and room for the initrd. Same thread as boot_load().
 */
#ifndef CORE_BOOT_LOAD_H
#define CORE_BOOT_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/kvm/memory.h"

/* A kernel that is in memory already, an ELF with a PVH note: the program's built-in guest. */
struct boot_image {
	const void *data;
	size_t size; /* bytes */
	const char *options; /* "name|ip": all words that its command line can have; NULL: any */
};

/* What to start. Nothing is kept after boot_load(). */
struct boot_source {
	const char *kernel;		/* path of a bzImage or an ELF with a PVH note; NULL: image */
	const struct boot_image *image; /* or NULL */
	const char *initrd;		/* path, or NULL */
	const char *cmdline;		/* or NULL */
	bool look; /* only see whether it can be started: headers are read, the rest is not */
};

enum boot_mode {
	BOOT_PVH32,  /* 32-bit protected mode, paging off, ebx: start info */
	BOOT_LONG64, /* long mode, identity-mapped first 4 GiB, rsi: zero page */
};

/* How the first vCPU begins; all addresses are guest-physical. */
struct boot_entry {
	enum boot_mode mode;
	uint64_t rip;
	uint64_t start_info; /* PVH start info or Linux zero page */
	uint64_t page_table; /* BOOT_LONG64: for CR3 */
	uint64_t gdt;	     /* BOOT_LONG64 */
	uint16_t gdt_limit;
};

/* Low memory that belongs to the loader; no kernel may be loaded over it. */
#define LOAD_LOW_BASE 0x6000u
#define LOAD_START_INFO 0x6000u /* PVH: start info, modules, memory map, command line */
#define LOAD_ZERO_PAGE 0x6000u	/* Linux: struct boot_params */
#define LOAD_GDT 0x7000u	/* Linux: GDT, then the command line */
#define LOAD_CMDLINE 0x7040u
#define LOAD_PAGE_TABLE 0xa000u /* Linux: PML4, PDPT, four page directories */
#define LOAD_LOW_END 0x10000u

#define LOAD_RAM_BASE 0x100000u /* RAM from here on is free for kernel and initrd */

/* A file that is read, or an image in memory; its start is in memory or the whole of it. */
struct load_image {
	const char *name;
	bool look;	      /* see struct boot_source */
	int fd;		      /* -1: all is in memory */
	const uint8_t *bytes; /* the first "held" of it */
	uint64_t held;
	uint64_t size;
};

/* Opens a regular file; image_close() is valid after a failure too. */
int image_open(struct load_image *image, const char *path, struct cause *cause);
void image_close(struct load_image *image);

/*
 * Reads exactly [offset, offset + length) to "to", which may be guest memory.
 * -ENOEXEC with a cause when the image ends before, -EIO or whatever reading says.
 */
int image_read(const struct load_image *image, uint64_t offset, void *to, uint64_t length,
	       struct cause *cause);

/* The same of what goes to guest memory; of one that is looked at only the range is checked. */
int image_load(const struct load_image *image, uint64_t offset, void *to, uint64_t length,
	       struct cause *cause);

/*
 * Has the first size bytes of a file, or all of a shorter one, in memory: headers are read piece
 * by piece. The buffer stays the image's until it is closed.
 */
int image_hold(struct load_image *image, uint8_t *buffer, uint64_t size, struct cause *cause);

/* A range of guest memory that is taken. */
struct load_range {
	uint64_t base;
	uint64_t size;
};

/* Where the initrd lies. */
struct load_initrd {
	uint64_t base;
	uint64_t size; /* 0: none */
};

/*
 * Reads the source's initrd, if it has one, as high as it goes below limit and
 * clear of the ranges taken. -ENOMEM with a cause when there is no room.
 */
int load_initrd(const struct guest_memory *memory, const struct boot_source *source,
		uint64_t limit, const struct load_range *taken, unsigned count,
		struct load_initrd *initrd, struct cause *cause);

/* Writes the command line with its zero to [address, end); -E2BIG if longer than max characters. */
int load_cmdline(const struct guest_memory *memory, const char *cmdline, uint64_t address,
		 uint64_t end, uint64_t max, struct cause *cause);

/*
 * The loaders, for an image that begins as their kind does. They fail as boot_load()
 * does; entry is set only on success.
 */
int elf_load(const struct load_image *image, const struct boot_source *source,
	     const struct guest_memory *memory, uint64_t rsdp, struct boot_entry *entry,
	     struct cause *cause);
int bzimage_load(const struct load_image *image, const struct boot_source *source,
		 const struct guest_memory *memory, uint64_t rsdp, struct boot_entry *entry,
		 struct cause *cause);

#endif
