/*
 * Which files UEFI firmware is made of: those of OVMF, as distributions package them. Any
 * thread.
 *
 * An image and the variables of a new machine belong together: OVMF has both at
 * addresses that it was built with, one behind the other up to 4 GiB, and together they
 * are 1, 2 or 4 MiB.
 */
#ifndef CORE_HW_OVMF_H
#define CORE_HW_OVMF_H

#include "base/cause.h"
#include "core/hw/rom.h"

#define OVMF_MEMORY_MIN (64ull << 20) /* bytes of a guest's RAM; 48 MiB were seen to do */

/* Reads the image. Errors as of rom_find(). */
int ovmf_find_image(struct rom *rom, struct cause *cause);

/*
 * Reads the variables of a new machine with an image of image_size bytes. Errors as of
 * rom_find(), and -EINVAL if there are none for such an image.
 */
int ovmf_find_variables(struct rom *rom, size_t image_size, struct cause *cause);

#endif
