/* The profiles of the built-in deck. Deck thread. */
#include "core/deck/demo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net/port/port.h"

#define DISK_SIZE (16u << 20)

const struct switch_config demo_switch = {
	.name = "lan",
	.uplink = &port_nat,
	.address = 0x0a000202, /* 10.0.2.2 */
	.prefix = 24,
	.patience = 5,
	.past = { .bytes = 16u << 20, .seconds = 300, .snap = 128 },
};

/* The first guests have names and sizes of their own; those after them are numbered. */
static const struct {
	const char *name;
	unsigned cpus, memory_mib;
} guests[DEMO_GUESTS] = {
	{ "web", 2, 64 },
	{ "db", 1, 48 },
	{ "lab", 1, 32 },
};

static int make_disk(struct profile_disk *disk, const char *name, struct cause *cause)
{
	char path[64];
	int fd = memfd_create(name, MFD_CLOEXEC);
	int error;

	if (fd >= 0 && ftruncate(fd, DISK_SIZE) == 0) {
		/* The number in the path is valid in this process only, and so is the disk. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		disk->path = strdup(path);
	}
	if (disk->path) {
		disk->present = true;
		return fd;
	}
	error = errno;
	if (fd >= 0)
		close(fd);
	return cause_errno(cause, error, "%s: disk0", name);
}

int demo_profile(struct profile **out, unsigned n, int *disk_fd, struct cause *cause)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	char cmdline[128];
	int fd;

	*disk_fd = -1;
	if (!profile)
		return cause_errno(cause, ENOMEM, "demo");
	profile->cpus = n < DEMO_GUESTS ? guests[n].cpus : 1;
	profile->memory = (uint64_t)(n < DEMO_GUESTS ? guests[n].memory_mib : 16) << 20;
	profile->autostart = true;
	profile->overcommit = true; /* it touches a few MiB, and many are wanted at once */
	if (n < DEMO_GUESTS)
		snprintf(profile->name, sizeof(profile->name), "%s", guests[n].name);
	else
		snprintf(profile->name, sizeof(profile->name), "guest%u", n + 1);
	snprintf(cmdline, sizeof(cmdline), "name=%s demo", profile->name);
	profile->cmdline = strdup(cmdline);
	/* With the smallest queues, for the same reason. */
	profile->nets[0] = calloc(1, sizeof(*profile->nets[0]));
	if (profile->nets[0]) {
		memcpy(profile->nets[0]->switch_name, demo_switch.name, sizeof(demo_switch.name));
		profile_derive_mac(profile->name, 0, profile->nets[0]->mac);
	}
	fd = profile->cmdline && profile->nets[0] ?
		     make_disk(&profile->disks[0], profile->name, cause) :
				cause_errno(cause, ENOMEM, "demo");
	if (fd < 0) {
		profile_free(profile);
		return fd;
	}
	*disk_fd = fd;
	*out = profile;
	return 0;
}
