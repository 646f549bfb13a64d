/*
 * The built-in guest: an ELF64 file with a PVH entry note, as bytes.
 */
#ifndef DEMO_IMAGE_H
#define DEMO_IMAGE_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t demo_image[];
extern const size_t demo_image_size; /* bytes */

#endif
