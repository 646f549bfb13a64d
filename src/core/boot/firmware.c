/* The image of the firmware. Threads as in firmware.h. */
#include "core/boot/firmware.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "core/bus/platform.h"
#include "core/hw/ovmf.h"

#define STATE_NAME "firmware"
#define STATE_VERSION 1
#define PAGE 4096u

static const struct rom_source seabios = { "bios-256k.bin", ROM_SEABIOS_FOLDERS,
					   ROM_SEABIOS_PACKAGE };

static int find_image(struct rom *rom, const struct profile *profile, struct cause *cause)
{
	if (profile->firmware_file)
		return rom_read(rom, profile->firmware_file, cause);
	return profile_firmware(profile) == FIRMWARE_UEFI ? ovmf_find_image(rom, cause) :
							    rom_find(rom, &seabios, cause);
}

static int read_image(struct rom *rom, const struct profile *profile, struct cause *cause)
{
	const char *path = profile->firmware_file;
	int err = find_image(rom, profile, cause);

	/* It is memory of whole pages that ends at 4 GiB. */
	if (err || rom->size % PAGE == 0)
		return err;
	err = cause_set(cause, EINVAL, "%s: has %zu bytes; firmware has a multiple of %u",
			path ? path : profile_firmware_name(profile_firmware(profile)), rom->size,
			PAGE);
	rom_free(rom);
	return err;
}

/* With less it says nothing and stands still. */
static int check_memory(const struct profile *profile, struct cause *cause)
{
	if (profile_firmware(profile) != FIRMWARE_UEFI || profile->firmware_file ||
	    profile->memory >= OVMF_MEMORY_MIN)
		return 0;
	return cause_set(cause, EINVAL, "UEFI firmware needs at least %lluM, and what it starts "
			 "needs more", OVMF_MEMORY_MIN >> 20);
}

int firmware_find(enum profile_firmware firmware, struct cause *cause)
{
	const struct profile profile = { .firmware = firmware };
	struct rom rom;
	int err = read_image(&rom, &profile, cause);

	rom_free(&rom);
	return err;
}

void firmware_check(const struct profile_check *check)
{
	const struct profile *profile = check->profile;
	struct cause cause;
	struct rom rom;

	if (profile_firmware(profile) == FIRMWARE_NONE)
		return;
	if (check_memory(profile, &cause) < 0)
		check->found(check->arg, "guest", "memory", false, cause.text);
	else if (read_image(&rom, profile, &cause) == 0)
		rom_free(&rom);
	else
		check->found(check->arg, "boot",
			     profile->firmware_file ? "firmware_file" : "firmware", false,
			     cause.text);
	firmware_check_kernel(check);
}

int firmware_create(struct firmware *firmware, const struct profile *profile, int vm_fd,
		    struct cause *cause)
{
	struct rom *rom = &firmware->rom;
	int err;

	if (profile_firmware(profile) == FIRMWARE_NONE)
		return 0;
	err = check_memory(profile, cause);
	if (err)
		return cause_prefix(cause, err, "memory");
	err = read_image(rom, profile, cause);
	return err ? err : memory_map(vm_fd, MEMORY_SLOT_ROM, PLATFORM_ROM_END - rom->size,
				      rom->data, rom->size, true, cause);
}

void firmware_destroy(struct firmware *firmware)
{
	rom_free(&firmware->rom);
}

int firmware_shadow(const struct firmware *firmware, const struct guest_memory *memory,
		    struct cause *cause)
{
	const struct rom *rom = &firmware->rom;
	size_t room = PLATFORM_SHADOW_END - PLATFORM_SHADOW_BASE;
	size_t size = rom->size < room ? rom->size : room;

	if (memory_write(memory, PLATFORM_SHADOW_END - size, rom->data + rom->size - size, size))
		return cause_set(cause, ENOMEM, "memory: firmware needs more than 1 MiB");
	return 0;
}

void firmware_save(const struct firmware *firmware, struct state_writer *writer)
{
	const struct rom *rom = &firmware->rom;

	if (rom->data)
		state_put(writer, STATE_NAME, STATE_VERSION, rom->data, rom->size);
}

int firmware_load(struct firmware *firmware, struct state_reader *reader, struct cause *cause)
{
	struct rom *rom = &firmware->rom;

	return rom->data ? state_get(reader, STATE_NAME, STATE_VERSION, rom->data, rom->size, cause) :
			   0;
}
