/*
 * A kernel that UEFI firmware starts: OVMF (QemuKernelLoaderFsDxe) reads it, its initial RAM
 * disk and command line from fw_cfg before it looks at disks, and starts it as the EFI
 * program that it is. The machine's thread; firmware_check_kernel() any.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/boot/boot.h"
#include "core/boot/firmware.h"
#include "core/boot/load.h"
#include "core/hw/fw_cfg.h"
#include "core/profile/profile.h"

#define DOS_HEADER 64
#define DOS_PE_OFFSET 60 /* where it says where the PE header is */

/* One file and the items that it becomes. */
struct part {
	const char *path; /* NULL: none */
	enum fw_cfg_key size, data;
	bool program; /* it is the kernel */
};

static void list_parts(const struct profile *profile, struct part parts[2])
{
	parts[0] = (struct part){ profile->kernel, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, true };
	parts[1] = (struct part){ profile->initrd, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, false };
}

/* Microsoft PE format, "MS-DOS Stub" and "Signature". */
static int check_program(const struct load_image *image, struct cause *cause)
{
	uint8_t header[DOS_HEADER];
	char signature[4];
	uint32_t at;

	if (image->size >= sizeof(header)) {
		int err = image_read(image, 0, header, sizeof(header), cause);

		if (err)
			return err;
		memcpy(&at, header + DOS_PE_OFFSET, sizeof(at));
		at = le32toh(at);
		if (!memcmp(header, "MZ", 2) && at <= image->size - sizeof(signature) &&
		    image_read(image, at, signature, sizeof(signature), NULL) == 0 &&
		    !memcmp(signature, "PE\0", 4))
			return 0;
	}
	return cause_set(cause, ENOEXEC, "%s: not a program for UEFI; name a bzImage that was built "
			 "with CONFIG_EFI_STUB, or write firmware=none", image->name);
}

static int open_part(const struct part *part, const struct profile *profile,
		     struct load_image *image, struct cause *cause)
{
	int err = image_open(image, part->path, cause);

	if (!err && image->size >= profile->memory)
		err = cause_set(cause, ENOMEM, "%s: has %llu MiB and does not fit into the guest's "
				"memory; choose a larger memory=", part->path,
				(unsigned long long)image->size >> 20);
	return !err && part->program ? check_program(image, cause) : err;
}

/* OVMF takes the size as 32 bits; what is longer finds no place below 4 GiB anyway. */
static int add_item(struct fw_cfg *fw_cfg, enum fw_cfg_key size_key, enum fw_cfg_key data_key,
		    void *data, uint64_t size, struct cause *cause)
{
	uint32_t length = htole32((uint32_t)size);
	int err = fw_cfg_add(fw_cfg, size_key, &length, sizeof(length), cause);

	if (err)
		free(data);
	else
		fw_cfg_give(fw_cfg, data_key, data, (size_t)size);
	return err;
}

static int add_part(const struct part *part, struct fw_cfg *fw_cfg, const struct profile *profile,
		    struct cause *cause)
{
	struct load_image image;
	void *data = NULL;
	int err = open_part(part, profile, &image, cause);

	if (!err && (image.size > UINT32_MAX || !(data = malloc(image.size + 1))))
		err = cause_errno(cause, ENOMEM, "%s", part->path);
	if (!err)
		err = image_read(&image, 0, data, image.size, cause);
	if (err)
		free(data);
	else
		err = add_item(fw_cfg, part->size, part->data, data, image.size, cause);
	image_close(&image);
	return err;
}

int firmware_add_kernel(const struct device_set *devices, struct cause *cause)
{
	const struct profile *profile = devices->host.profile;
	struct fw_cfg *fw_cfg = devices->host.fw_cfg;
	struct part parts[2];
	char *cmdline;
	int err = 0;

	if (!profile->kernel)
		return 0;
	list_parts(profile, parts);
	for (unsigned i = 0; !err && i < 2; i++)
		if (parts[i].path)
			err = add_part(&parts[i], fw_cfg, profile, cause);
	if (err)
		return err;
	cmdline = strdup(profile->cmdline);
	if (!cmdline)
		return cause_errno(cause, ENOMEM, "cmdline");
	return add_item(fw_cfg, FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA, cmdline,
			strlen(cmdline) + 1, cause);
}

void firmware_check_kernel(const struct profile_check *check)
{
	static const char *const keys[] = { "kernel", "initrd" };
	struct part parts[2];

	if (!check->profile->kernel || profile_firmware(check->profile) != FIRMWARE_UEFI)
		return;
	list_parts(check->profile, parts);
	for (unsigned i = 0; i < 2; i++) {
		struct load_image image;
		struct cause cause;

		if (!parts[i].path)
			continue;
		if (open_part(&parts[i], check->profile, &image, &cause) < 0)
			check->found(check->arg, "boot", keys[i], false, cause.text);
		image_close(&image);
	}
	boot_warn(check);
}
