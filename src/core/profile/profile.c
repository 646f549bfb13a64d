/* A profile's end, and the addresses that follow from it. Any thread. */
#include "core/profile/profile.h"

#include <stdlib.h>
#include <string.h>

static void free_cloud(struct profile_cloud *cloud)
{
	free(cloud->user);
	free(cloud->password_file);
	free(cloud->ssh_key);
	free(cloud->hostname);
	free(cloud->timezone);
	free(cloud->packages);
	free(cloud->run);
	free(cloud->user_data);
}

void profile_free(struct profile *profile)
{
	unsigned i;

	if (!profile)
		return;
	for (i = 0; i < PROFILE_DISKS_MAX; i++) {
		free(profile->disks[i].path);
		free(profile->disks[i].serial);
		free(profile->disks[i].secret_file);
	}
	for (i = 0; i < PROFILE_SHARES_MAX; i++) {
		free(profile->shares[i].path);
		free(profile->shares[i].tag);
	}
	for (i = 0; i < PROFILE_NETS_MAX; i++)
		free(profile->nets[i]);
	free(profile->vsock.path);
	free_cloud(&profile->cloud);
	free(profile->kernel);
	free(profile->initrd);
	free(profile->cmdline);
	free(profile->firmware_file);
	free(profile->boot_device);
	free(profile->cpu_mask);
	free(profile->path);
	free(profile);
}

enum profile_firmware profile_firmware(const struct profile *profile)
{
	if (profile->firmware != FIRMWARE_AUTO)
		return profile->firmware;
	for (unsigned i = 0; !profile->kernel && i < PROFILE_DISKS_MAX; i++)
		if (profile->disks[i].present)
			return FIRMWARE_BIOS;
	return FIRMWARE_NONE;
}

bool profile_has_vga(const struct profile *profile)
{
	if (profile->vga != PROFILE_VGA_AUTO)
		return profile->vga == PROFILE_VGA_YES;
	return profile_firmware(profile) == FIRMWARE_BIOS;
}

const char *profile_console_name(enum profile_console console)
{
	static const char *const names[CONSOLES] = { "serial", "virtio" };

	return names[console];
}

const char *profile_net_model_name(enum net_model model)
{
	return model == NET_MODEL_E1000E ? "e1000e" : "virtio";
}

unsigned profile_net_queue_size(const struct profile_net *net)
{
	return 256u << net->queue_size;
}

const char *profile_firmware_name(enum profile_firmware firmware)
{
	static const char *const names[] = { [FIRMWARE_BIOS] = "bios",
					     [FIRMWARE_UEFI] = "uefi" };

	return firmware < sizeof(names) / sizeof(names[0]) ? names[firmware] : NULL;
}

bool profile_next_device(const char **list, char section[NAME_SIZE])
{
	static const char separators[] = ", ";
	size_t size;

	if (!*list)
		return false;
	*list += strspn(*list, separators);
	size = strcspn(*list, separators);
	strcpy(section, "?");
	if (size < NAME_SIZE) {
		memcpy(section, *list, size);
		section[size] = '\0';
	}
	*list += size;
	return size;
}

bool profile_disk_is_readonly(const struct profile_disk *disk)
{
	return disk->readonly || disk->cdrom;
}

bool profile_disk_is_read(const struct profile_disk *disk)
{
	return profile_disk_is_readonly(disk) || disk->overlay;
}

bool profile_serial_valid(const char *serial)
{
	size_t size = strspn(serial, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789-_.");

	return size && size <= PROFILE_SERIAL_MAX && !serial[size];
}

/* FNV-1a over the name and the number, folded to the three bytes that vary. */
void profile_derive_mac(const char *guest, unsigned nic, uint8_t mac[NET_MAC_SIZE])
{
	uint32_t hash = 2166136261u;

	for (; *guest; guest++)
		hash = (hash ^ (uint8_t)*guest) * 16777619u;
	hash = (hash ^ '/') * 16777619u;
	hash = (hash ^ (uint8_t)nic) * 16777619u;
	hash ^= hash >> 24;
	memcpy(mac, (uint8_t[]){ 0x52, 0x54, 0x00, (uint8_t)(hash >> 16), (uint8_t)(hash >> 8),
				 (uint8_t)hash }, NET_MAC_SIZE);
}
