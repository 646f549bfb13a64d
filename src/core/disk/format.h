/*
 * What an image is beside raw, by the bytes that its kind begins or ends with. Any
 * thread.
 */
#ifndef CORE_DISK_FORMAT_H
#define CORE_DISK_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

struct image_format {
	const char *name;   /* "qcow2" */
	const char *what;   /* "a qcow2 image" */
	const char *remedy; /* "convert it with ..." */
	bool readable;	    /* it is of use to a guest that does not write to it */
	bool packed;	    /* an image may be in it, whatever that is for */
	const char *magic;
	uint8_t length; /* bytes of magic */
	int64_t offset; /* of magic in the file; below 0 from its end */
};

/* The row of an open file of size bytes, or NULL: nothing speaks against its being raw. */
const struct image_format *image_format_find(int fd, uint64_t size);

/* The same of a file that is not open, and of no device; NULL also when it cannot be read. */
const struct image_format *image_format_look(const char *path);

#endif
