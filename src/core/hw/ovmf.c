/* See ovmf.h. Builds that need system management mode are not among them. */
#include "core/hw/ovmf.h"

#include <errno.h>
#include <stdbool.h>

#include "base/checked.h"

#define FOLDERS "/usr/share/OVMF:/usr/share/edk2/ovmf"
#define PACKAGE "ovmf"

/* In the order in which they are preferred. */
static const struct {
	struct rom_source image, variables;
} builds[] = {
	{ { "OVMF_CODE_4M.fd", FOLDERS, PACKAGE }, { "OVMF_VARS_4M.fd", FOLDERS, PACKAGE } },
	{ { "OVMF_CODE.fd", FOLDERS, PACKAGE }, { "OVMF_VARS.fd", FOLDERS, PACKAGE } },
};

int ovmf_find_image(struct rom *rom, struct cause *cause)
{
	int err = rom_find(rom, &builds[0].image, cause);

	for (size_t i = 1; err == -ENOENT && i < ARRAY_SIZE(builds); i++)
		if (rom_find(rom, &builds[i].image, NULL) == 0)
			return 0;
	return err;
}

static bool fit(size_t image, size_t variables)
{
	size_t both = image + variables;

	return variables % 4096 == 0 && (both & (both - 1)) == 0;
}

int ovmf_find_variables(struct rom *rom, size_t image_size, struct cause *cause)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(builds); i++) {
		int r = rom_find(rom, &builds[i].variables, i ? NULL : cause);

		if (r == 0 && fit(image_size, rom->size))
			return 0;
		if (i == 0)
			err = r;
		rom_free(rom);
	}
	/* Without the first there is at best one for another image. */
	return err ? err : cause_set(cause, EINVAL, "the package " PACKAGE " has no variables for "
				     "firmware of %zu bytes", image_size);
}
