/*
 * What is known of a guest before it starts: its profile. Any thread; a
 * profile is immutable once read.
 */
#ifndef CORE_PROFILE_PROFILE_H
#define CORE_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "control/names.h"
#include "net/frame/frame.h"
#include "net/port/forward.h"
#include "net/switch/settings.h"

#define PROFILE_DISKS_MAX 4
#define PROFILE_NETS_MAX 4
#define PROFILE_SHARES_MAX 4
#define PROFILE_CPUS_MAX 255
#define PROFILE_SERIAL_MAX 20 /* characters */
#define PROFILE_QUEUES_MAX 4  /* of a disk */

/* By what a guest and people speak, in the order of the choices of key and protocol. */
enum profile_console { CONSOLE_SERIAL, CONSOLE_VIRTIO, CONSOLES };

/* In the order of the keys' choices. */
enum profile_vga { PROFILE_VGA_AUTO, PROFILE_VGA_NO, PROFILE_VGA_YES };
enum net_model { NET_MODEL_VIRTIO, NET_MODEL_E1000E };
enum disk_bus { DISK_BUS_VIRTIO, DISK_BUS_SATA };
enum disk_cache { DISK_CACHE_WRITEBACK, DISK_CACHE_NONE };
enum disk_format {
	DISK_FORMAT_AUTO, DISK_FORMAT_RAW, DISK_FORMAT_QCOW2, DISK_FORMAT_VMDK, DISK_FORMAT_VDI,
	DISK_FORMAT_VHDX, DISK_FORMAT_LUKS, DISK_FORMAT_NBD, DISK_FORMAT_RBD
};
enum disk_overlay { DISK_OVERLAY_NONE, DISK_OVERLAY_DISCARD, DISK_OVERLAY_KEEP };
enum profile_on_backend { ON_BACKEND_PAUSE, ON_BACKEND_STOP };
enum profile_firmware { FIRMWARE_NONE, FIRMWARE_BIOS, FIRMWARE_UEFI, FIRMWARE_AUTO };

/* What becomes of a guest of which something is wrong; in the order of the keys' choices. */
enum profile_remedy { REMEDY_NONE, REMEDY_REPORT, REMEDY_PAUSE, REMEDY_RESET, REMEDY_STOP };

/* In the order of the key's choices. */
enum profile_backing { BACKING_AUTO, BACKING_ANON, BACKING_MEMFD, BACKING_HUGETLB };

struct profile_disk {
	bool present;
	/* Absolute, or relative to the profile's folder and made absolute; or a URL; or NULL. */
	char *path;
	unsigned bus; /* an enum disk_bus; of a CD-ROM it is always SATA */
	bool cdrom;   /* without a path it is empty */
	bool readonly;
	unsigned format; /* an enum disk_format */
	unsigned cache;	 /* an enum disk_cache */
	char *serial;	 /* NULL or "": one by its number */
	unsigned queues; /* of virtio; 0: by the number of CPUs */
	bool backing_files; /* what the image names is opened, too */
	unsigned overlay;   /* an enum disk_overlay */
	char *secret_file;  /* the key of an encrypted image; or NULL */
	unsigned on_backend; /* an enum profile_on_backend */
};

struct profile_share {
	bool present;
	char *path; /* of a folder */
	char *tag;  /* by which the guest mounts it */
	bool readonly;
	unsigned on_backend; /* an enum profile_on_backend */
};

struct profile_net {
	char switch_name[NAME_SIZE];
	unsigned model; /* an enum net_model */
	unsigned queue_size; /* a choice: profile_net_queue_size() has the number */
	struct net_port_settings port;
	uint8_t mac[NET_MAC_SIZE]; /* given, or derived from guest name and NIC number (52:54:00:...) */
	struct net_forwards forwards;
	uint32_t address; /* that DHCP is to give it, host byte order; 0: any */
};

struct profile_vsock {
	bool present;
	unsigned cid;
	char *path; /* of the socket for programs of the host; NULL: by the guest's name */
};

/* What a cloud image is told at its first start. Texts are NULL when they are not given. */
struct profile_cloud {
	bool present;
	char *user, *password_file, *ssh_key, *hostname, *timezone, *packages, *run;
	bool upgrade;
	char *user_data; /* a file in the place of all this */
};

struct profile {
	char *path; /* of the file; NULL for a built-in guest */
	char name[NAME_SIZE];
	unsigned cpus;
	unsigned cpu_sockets, cpu_cores, cpu_threads; /* 0: see topology_find() */
	char *cpu_mask; /* features that it does not see, as features_check() takes; "" if none */
	uint64_t memory; /* bytes */
	unsigned backing; /* an enum profile_backing */
	bool overcommit; /* it may start although the host has less for all guests together */
	bool autostart;
	char *tags; /* words for people, with blanks or commas between them; "" if none */
	bool balloon;  /* a virtio device takes memory back, and says what the guest has */
	bool rng;      /* a virtio device gives the host's random bytes */
	unsigned vga; /* an enum profile_vga */
	unsigned on_panic; /* an enum profile_remedy; NONE: no device tells of it */
	unsigned watchdog; /* an enum profile_remedy; NONE: there is none */
	unsigned console; /* an enum profile_console: the one that is shown; the serial one is there */
	char *kernel;  /* NULL: the built-in demo guest */
	char *initrd;  /* or NULL */
	char *cmdline; /* "" if none */
	unsigned firmware; /* an enum profile_firmware */
	char *firmware_file; /* its image; NULL: that of its package */
	char *boot_device; /* "disk1,disk0": what firmware tries first; "" or NULL: their order */
	bool debug_ports; /* what is written to them becomes events */
	bool firmware_serial; /* what it shows by BIOS calls appears on the serial port too */
	struct profile_disk disks[PROFILE_DISKS_MAX];
	struct profile_net *nets[PROFILE_NETS_MAX]; /* NULL: not there */
	struct profile_vsock vsock;
	struct profile_share shares[PROFILE_SHARES_MAX];
	struct profile_cloud cloud;
};

void profile_free(struct profile *profile); /* NULL is valid */

/* The firmware that the guest starts by: the profile's, or what auto stands for. */
enum profile_firmware profile_firmware(const struct profile *profile);

/* The name of one, "bios"; NULL of FIRMWARE_NONE. */
const char *profile_firmware_name(enum profile_firmware firmware);

/*
 * Takes the next section of a list as boot_device, which may be NULL, and moves on. One that
 * is too long for a name is "?". False at the end.
 */
bool profile_next_device(const char **list, char section[NAME_SIZE]);

/* "serial" or "virtio". */
const char *profile_console_name(enum profile_console console);
const char *profile_net_model_name(enum net_model model); /* "virtio", "e1000e" */

/* Descriptors of each queue of a virtio NIC, a power of two: 256..4096. */
unsigned profile_net_queue_size(const struct profile_net *net);

/* Whether the guest has a VGA screen with a keyboard: the profile's, or if it has a BIOS. */
bool profile_has_vga(const struct profile *profile);
/* Whether the guest cannot write to a disk. */
bool profile_disk_is_readonly(const struct profile_disk *disk);

/* Whether nobody writes to its image: that, or what is written goes into a layer. */
bool profile_disk_is_read(const struct profile_disk *disk);

/* Whether it is a serial number of a disk: of letters, digits, '-', '_' and '.'. */
bool profile_serial_valid(const char *serial);

/* Derives the MAC address of a guest's NIC from its name: 52:54:00 and a hash. */
void profile_derive_mac(const char *guest, unsigned nic, uint8_t mac[NET_MAC_SIZE]);

#endif
