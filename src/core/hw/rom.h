/*
 * Files that a guest's firmware is made of, as packages of other projects bring them:
 * found by name, read whole. Any thread.
 */
#ifndef CORE_HW_ROM_H
#define CORE_HW_ROM_H

#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"

#define ROM_MAX (16u << 20) /* bytes: what fits between the interrupt controllers and 4 GiB */

/* A file of a package. */
struct rom_source {
	const char *name;    /* "bios-256k.bin" */
	const char *folders; /* where distributions put it: "/usr/share/seabios:/usr/share/qemu" */
	const char *package; /* Debian's */
};

/* The files of SeaBIOS. */
#define ROM_SEABIOS_FOLDERS "/usr/share/seabios:/usr/share/qemu"
#define ROM_SEABIOS_PACKAGE "seabios"

/* What was read; all zero: nothing. */
struct rom {
	uint8_t *data; /* whole pages, private to the process */
	size_t size;   /* bytes, of the file */
};

/*
 * Reads the file, from 1 byte to ROM_MAX. -ENOENT with a cause that names the package to
 * install, -EACCES, -EINVAL and so on with one that names the file.
 */
int rom_find(struct rom *rom, const struct rom_source *source, struct cause *cause);

/* The same of a path. */
int rom_read(struct rom *rom, const char *path, struct cause *cause);

void rom_free(struct rom *rom); /* also one that was not read */

#endif
