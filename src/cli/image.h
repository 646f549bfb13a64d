/*
 * Images of disks, as subcommands make them. A new raw one is made here, what else there
 * is to do is qemu-img's, which knows the formats and their locks. What an image is its name
 * or an option says, never its bytes: a guest can have written them.
 *
 * Paths are absolute, which qemu-img takes for nothing else. What fails has said so on
 * stderr. Main thread.
 */
#ifndef CLI_IMAGE_H
#define CLI_IMAGE_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"

#define IMAGE_PACKAGE "qemu-utils" /* brings qemu-img */

/* The format that a file's name says; a constant. */
const char *image_format(const char *path);

/* The absolute path of a word; false: there is none. */
bool image_path(char path[PATH_MAX], const char *word);

/* Bytes in whole sectors; 0: text is no size of a disk. */
uint64_t image_size(const char *text);

/* Says that it is none. CLI_USAGE. */
int image_bad_size(const struct cli *cli, const char *text);

/* Runs qemu-img, whose output is of no interest. CLI_OK or CLI_FAILED. */
int image_tool(const char *const *argv);

/* Makes one without content. CLI_OK, or CLI_FAILED, also where something is already. */
int image_create(const char *path, const char *format, uint64_t size);

/* What qemu-img says of one, the caller's; NULL: it failed. */
json_t *image_info(const char *path, const char *format);

/*
 * CLI_OK if the image, of that info, names no other file, or if others: an image of somebody
 * else can name any file of this user.
 */
int image_check_others(const char *path, const json_t *info, bool others);

/*
 * Of an image that is taken for a raw one: CLI_FAILED if what it holds speaks against that. Where
 * the user says so, by an option of that name, it is a warning.
 */
int image_check_raw(const struct cli *cli, const char *path, const char *option, bool said);

struct image_copy {
	const char *from, *from_format;
	const char *to, *to_format;
	bool others;	  /* as image_check_others() */
	const char *name; /* of what is made, for the progress */
	uint64_t size;	  /* of the disk, at least; or 0: as it is */
};

/*
 * Copies one into a new file, with the progress on a terminal; an interrupt ends it. CLI_OK,
 * or CLI_FAILED, also where something is already, and then nothing is left of it.
 */
int image_copy(const struct image_copy *copy);

#endif
