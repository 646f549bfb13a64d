/*
 * The built-in guest: an ELF64 file with a PVH entry note, as bytes.
 */
#ifndef DEMO_IMAGE_H
#define DEMO_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* What start_option() of the guest is asked for: the words of its command line. */
#define DEMO_OPTIONS "cmd|demo|ip|name"

extern const uint8_t demo_image[];
extern const size_t demo_image_size; /* bytes */

#endif
