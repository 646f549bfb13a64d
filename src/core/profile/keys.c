/*
 * The tables of profile keys, and looking things up in them. Any thread.
 */
#include "core/profile/keys.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/checked.h"
#include "base/suggest.h"
#include "control/names.h"
#include "core/profile/profile.h"
#include "net/service/dhcp_options.h"

#define GUEST(field) offsetof(struct profile, field)
#define DISK(field) offsetof(struct profile_disk, field)
#define NET(field) offsetof(struct profile_net, field)
#define VSOCK(field) offsetof(struct profile_vsock, field)
#define SHARE(field) offsetof(struct profile_share, field)
#define CLOUD(field) offsetof(struct profile_cloud, field)

#define ON_BACKEND_HELP \
	"What happens when the program that serves it ends: with {Ic pause} the guest is paused, " \
	"and resuming it starts the program again; with {Ic stop} the guest goes on, gets an error " \
	"for what it had asked for and asks for, and starts the program again when its driver " \
	"resets the device, or somebody pauses and resumes the guest."

#define MIB (1ull << 20)
#define TIB (1ull << 40)

static const struct profile_key guest_keys[] = {
	{ .key = "name", .type = PROFILE_NAME, .offset = GUEST(name),
	  .help = "What the guest is called: 1 to 31 letters, digits, {Ql -}, {Ql _} and {Ql .}, "
		  "with a letter or a digit first. "
		  "Without this key it is the name of the file without {Pa " NAME_FILE_SUFFIX "}." },
	{ .key = "cpus", .type = PROFILE_COUNT, .offset = GUEST(cpus), .min = 1,
	  .max = PROFILE_CPUS_MAX, .standard = "1",
	  .help = "Number of virtual CPUs. "
		  "The guest finds them as one socket with so many cores, unless the next keys say "
		  "otherwise." },
	{ .key = "cpu_sockets", .type = PROFILE_COUNT, .offset = GUEST(cpu_sockets), .min = 1,
	  .max = PROFILE_CPUS_MAX,
	  .help = "Number of sockets that the CPUs are in. "
		  "{Ic cpu_sockets}, {Ic cpu_cores} and {Ic cpu_threads} must multiply to "
		  "{Ic cpus}; of those that are missing the threads are one, and the others what "
		  "is left." },
	{ .key = "cpu_cores", .type = PROFILE_COUNT, .offset = GUEST(cpu_cores), .min = 1,
	  .max = PROFILE_CPUS_MAX, .help = "Number of cores in each socket." },
	{ .key = "cpu_threads", .type = PROFILE_COUNT, .offset = GUEST(cpu_threads), .min = 1,
	  .max = PROFILE_CPUS_MAX, .help = "Number of threads of each core." },
	{ .key = "cpu_mask", .type = PROFILE_STRING, .offset = GUEST(cpu_mask), .standard = "",
	  .help = "Features of the host's processor that the guest does not find, by the names "
		  "that {Pa /proc/cpuinfo} has for them, with commas or spaces between them, such "
		  "as {Li avx512f,avx2}. "
		  "Where KVM works without VT-x and AMD-V it may show them all the same; "
		  "{Nm vmdeck Cm doctor} says so." },
	{ .key = "memory", .type = PROFILE_SIZE, .offset = GUEST(memory), .min = 16 * MIB,
	  .max = TIB, .standard = "128M",
	  .help = "Size of the guest's memory, a multiple of 1M." },
	{ .key = "backing", .type = PROFILE_CHOICE, .offset = GUEST(backing),
	  .choices = "auto|anon|memfd|hugetlb", .standard = "auto",
	  .help = "What the guest's memory is made of: memory of {Xr vmdeck 1} alone ({Ic anon}), "
		  "a file in memory that other processes can share ({Ic memfd}, see "
		  "{Xr memfd_create 2}), or such a file of huge pages, which the host must have set "
		  "aside ({Ic hugetlb}; see {Va vm.nr_hugepages} in {Xr proc 5}). "
		  "With {Ic auto} it is {Ic memfd} for a guest with a device that another program "
		  "serves, and {Ic anon} otherwise." },
	{ .key = "overcommit", .type = PROFILE_BOOL, .offset = GUEST(overcommit), .standard = "no",
	  .help = "Whether the guest starts although all running guests together would then have "
		  "more memory than the host, of which a section below tells." },
	{ .key = "autostart", .type = PROFILE_BOOL, .offset = GUEST(autostart), .standard = "no",
	  .help = "Whether the guest starts when {Xr vmdeck 1} starts. A profile that appears, or "
		  "is changed to say so, while that runs starts nothing." },
	{ .key = "tags", .type = PROFILE_STRING, .offset = GUEST(tags), .standard = "",
	  .help = "Words by which people find the guest among others, with blanks or commas between "
		  "them, such as {Li lab web}: a filter {Li #lab} on the screen, and "
		  "{Nm vmdeck Cm list} with {Fl -tag Ar lab}, list those that have it." },
	{ .key = "rng", .type = PROFILE_BOOL, .offset = GUEST(rng), .standard = "no",
	  .help = "Whether the guest has a virtio device that gives it random bytes of the host, "
		  "640 KiB a second at most." },
	{ .key = "console", .type = PROFILE_CHOICE, .offset = GUEST(console),
	  .choices = "serial|virtio", .standard = "serial",
	  .help = "The guest's console, which the screen and {Nm vmdeck Cm console} show. "
		  "{Ic serial} is its serial port, {Li ttyS0} in Linux; with {Ic virtio} it has "
		  "a virtio console beside that, {Li hvc0}, which prints at a fraction of the "
		  "cost and knows the size of the window that it is shown in." },
	{ .key = "vga", .type = PROFILE_CHOICE, .offset = GUEST(vga), .choices = "auto|no|yes",
	  .standard = "auto",
	  .help = "Whether the guest has a VGA screen, of which its text modes are shown, and a "
		  "PS/2 keyboard. "
		  "With {Ic auto} it has them if it is started by {Ic firmware=bios}; UEFI firmware "
		  "has no driver for this screen and uses the serial port." },
	{ .key = "balloon", .type = PROFILE_BOOL, .offset = GUEST(balloon), .standard = "no",
	  .help = "Whether the guest has a virtio memory balloon: it gives free memory back to "
		  "the host of its own accord, and as much as {Ic vmdeck balloon} asks for, takes "
		  "it again when it runs short, and says how much of its memory it uses." },
	{ .key = "on_panic", .type = PROFILE_CHOICE, .offset = GUEST(on_panic),
	  .choices = "no|report|pause|reset|stop", .standard = "no",
	  .help = "What becomes of the guest when its kernel has panicked, of which a driver for "
		  "the device {Li pvpanic} tells: an event and a note beside its state "
		  "({Ic report}), and no more than that, or it is paused, reset or ended as one "
		  "that has crashed. "
		  "With {Ic no} it has no such device." },
	{ .key = "watchdog", .type = PROFILE_CHOICE, .offset = GUEST(watchdog),
	  .choices = "no|report|pause|reset|stop", .standard = "no",
	  .help = "What becomes of the guest when it has started its watchdog, an Intel i6300ESB, "
		  "and does not restart that in time; as for {Ic on_panic}. "
		  "With {Ic no} it has none. "
		  "While the guest is paused no time passes for the watchdog." },
	{ .key = NULL },
};

static const struct profile_key boot_keys[] = {
	{ .key = "kernel", .type = PROFILE_PATH, .offset = GUEST(kernel),
	  .help = "Path of the Linux kernel to start, a bzImage or an ELF {Pa vmlinux}. "
		  "Without this key the guest starts by its firmware, or, if it has none, the "
		  "built-in demo guest is started." },
	{ .key = "initrd", .type = PROFILE_PATH, .offset = GUEST(initrd),
	  .help = "Path of the kernel's initial RAM disk. It needs {Ic kernel}." },
	{ .key = "cmdline", .type = PROFILE_STRING, .offset = GUEST(cmdline), .standard = "",
	  .help = "Command line of the kernel." },
	{ .key = "firmware", .type = PROFILE_CHOICE, .offset = GUEST(firmware),
	  .choices = "none|bios|uefi|auto", .standard = "auto",
	  .help = "What the guest begins with. "
		  "{Ic bios} is SeaBIOS, of the package {Li seabios}, and {Ic uefi} is OVMF, of the "
		  "package {Li ovmf}: they start what is on a disk. "
		  "UEFI firmware starts {Ic kernel}, if there is one, as an EFI program in their "
		  "place. "
		  "With {Ic none} it is {Ic kernel} or the built-in demo guest. "
		  "{Ic auto} is {Ic bios} if the guest has a disk and no {Ic kernel}, else "
		  "{Ic none}." },
	{ .key = "firmware_file", .type = PROFILE_PATH, .offset = GUEST(firmware_file),
	  .help = "Path of another image of the firmware than its package's." },
	{ .key = "boot_device", .type = PROFILE_STRING, .offset = GUEST(boot_device),
	  .standard = "",
	  .help = "The disks that the firmware tries first, in their order: {Ic disk1, disk0}. "
		  "Those that are not named are tried after them, as they are numbered." },
	{ .key = "debug_ports", .type = PROFILE_BOOL, .offset = GUEST(debug_ports),
	  .standard = "no",
	  .help = "Whether what the guest writes to the ports 0x80 (codes of a self-test), 0xe9 "
		  "and 0x402 (text, such as that of SeaBIOS) appears as events, up to 256 lines "
		  "from each start or reset. It slows firmware down." },
	{ .key = "firmware_serial", .type = PROFILE_BOOL, .offset = GUEST(firmware_serial),
	  .standard = "yes",
	  .help = "Whether the serial port shows, and takes keys for, what uses the screen by "
		  "calls of the BIOS: SeaBIOS itself, boot loaders, DOS. "
		  "{Ic firmware=uefi} always uses the serial port." },
	{ .key = NULL },
};

static const struct profile_key disk_keys[] = {
	{ .key = "path", .type = PROFILE_PATH, .offset = DISK(path),
	  .help = "Path of the disk's image, a file or a block device. "
		  "This key is required, except with {Ic cdrom=yes}: then the drive is empty. "
		  "Disks can share an image if all of them have {Ic readonly=yes}, {Ic cdrom=yes} or an "
		  "{Ic overlay}. "
		  "When the file system of a sparse image is full, the guest is paused before it "
		  "loses a write; make room, then resume it." },
	{ .key = "format", .type = PROFILE_CHOICE, .offset = DISK(format),
	  .choices = "auto|raw|qcow2|vmdk|vdi|vhdx|luks|nbd|rbd", .standard = "auto",
	  .help = "Format of the image. It is never guessed from the image's bytes, which a guest "
		  "could have written: with {Ic auto} the image is a raw one, and one "
		  "that begins like another format is refused: qcow2, QED, VMDK, VDI, VHD, VHDX, "
		  "Parallels, LUKS, a compressed file, or, unless {Ic readonly=yes}, a CD's. "
		  "With {Ic raw} the guest has it as it is, and a warning is given. "
		  "The other formats are served by {Li qemu-storage-daemon}, as virtio disks: see a "
		  "section below. "
		  "{Ic vmdk}, {Ic vdi} and {Ic vhdx} are read only and need {Ic readonly=yes}." },
	{ .key = "backing_files", .type = PROFILE_BOOL, .offset = DISK(backing_files),
	  .standard = "no",
	  .help = "Whether files that the image names are opened, too: the backing file or the "
		  "data file of a qcow2 image, the extents of a VMDK image. "
		  "An image of somebody else can name any file of yours." },
	{ .key = "overlay", .type = PROFILE_CHOICE, .offset = DISK(overlay),
	  .choices = "no|discard|keep", .standard = "no",
	  .help = "Whether the image stays as it is and what the guest writes goes to a layer over "
		  "it, which is forgotten when the guest stops ({Ic discard}), or kept for the next "
		  "time ({Ic keep}). For images in {Ic raw}, {Ic qcow2}, {Ic vdi} and {Ic vmdk}; see a "
		  "section below." },
	{ .key = "secret_file", .type = PROFILE_PATH, .offset = DISK(secret_file),
	  .help = "Path of the file with the passphrase of an image with {Ic format=luks}. All its "
		  "bytes count, a newline at its end as well. Without it, who starts the guest is "
		  "asked for the passphrase, which the deck then keeps in memory until the guest "
		  "has ended: a reset does not ask again, {Ic autostart} cannot." },
	{ .key = "on_backend", .type = PROFILE_CHOICE, .offset = DISK(on_backend),
	  .choices = "pause|stop", .standard = "pause",
	  .help = ON_BACKEND_HELP },
	{ .key = "readonly", .type = PROFILE_BOOL, .offset = DISK(readonly), .standard = "no",
	  .help = "Whether the guest is kept from writing to the disk. "
		  "With {Ic bus=sata} its driver is not told so beforehand: writes fail." },
	{ .key = "bus", .type = PROFILE_CHOICE, .offset = DISK(bus), .choices = "virtio|sata",
	  .standard = "virtio",
	  .help = "How the guest reaches the disk: {Ic virtio} is the faster, {Ic sata}, behind "
		  "an AHCI controller, is for systems without a virtio driver." },
	{ .key = "cdrom", .type = PROFILE_BOOL, .offset = DISK(cdrom), .standard = "no",
	  .help = "Whether it is a CD-ROM drive with the image of a CD or DVD, which is only "
		  "read. It is always behind the AHCI controller, whatever {Ic bus} says." },
	{ .key = "cache", .type = PROFILE_CHOICE, .offset = DISK(cache),
	  .choices = "writeback|none", .standard = "writeback",
	  .help = "Whether a raw image is read and written by way of the host's page cache "
		  "({Ic writeback}), or past it ({Ic none}), which leaves the host's memory to others "
		  "and needs a file system that can. "
		  "Either way what the guest has flushed is on the host's disk." },
	{ .key = "serial", .type = PROFILE_STRING, .offset = DISK(serial),
	  .help = "Serial number of the disk, up to 20 letters, digits, {Ql -}, {Ql _} and {Ql .}. "
		  "Linux guests have a virtio disk as {Pa /dev/disk/by-id/virtio-} with it behind, so "
		  "that it is found whatever its number. "
		  "Without this key it is {Li vmdeck-disk0} and so on." },
	{ .key = "queues", .type = PROFILE_COUNT, .offset = DISK(queues), .min = 1,
	  .max = PROFILE_QUEUES_MAX,
	  .help = "Number of queues of a virtio disk, so that CPUs need not wait for each other "
		  "there. "
		  "Without this key there is one for each CPU, up to 4." },
	{ .key = NULL },
};

static const struct profile_key net_keys[] = {
	{ .key = "switch", .type = PROFILE_NAME, .offset = NET(switch_name), .required = true,
	  .help = "Name of the virtual switch that the card is plugged into; see "
		  "{Xr vmdeck-switch 5}." },
	{ .key = "model", .type = PROFILE_CHOICE, .offset = NET(model),
	  .choices = "virtio|e1000e", .standard = "virtio",
	  .help = "What the guest finds: {Ic virtio} is the faster, {Ic e1000e}, Intel's 82574L, "
		  "is for systems without a virtio driver." },
	{ .key = "mac", .type = PROFILE_MAC, .offset = NET(mac),
	  .help = "MAC address of the card, such as {Li 52:54:00:12:34:56}. "
		  "Group addresses are refused. "
		  "Without this key it is an address that begins with {Li 52:54:00} and is derived "
		  "from the guest's name and the card's number, so that it stays the same." },
	{ .key = "queue_size", .type = PROFILE_CHOICE, .offset = NET(queue_size),
	  .choices = "256|512|1024|2048|4096", .standard = "1024",
	  .help = "Frames that each of the queues of a virtio card can hold. A large one loses "
		  "fewer when many come at once, and takes more of the guest's memory." },
	{ .key = "address", .type = PROFILE_PARSED, .offset = NET(address),
	  .size = sizeof(uint32_t), .parse = dhcp_parse_address,
	  .help = "IPv4 address that the switch gives to the card by DHCP, in the switch's network, "
		  "such as {Li 10.0.2.50}; no other card gets it, and no other one on the switch may "
		  "have this key with the same. "
		  "Without this key it is one that is free, and the same again as long as that is "
		  "so." },
	{ .key = "forward", .type = PROFILE_PARSED, .offset = NET(forwards),
	  .size = sizeof(struct net_forwards), .parse = net_forwards_parse,
	  .help = "TCP ports of this host that lead to the guest's, as {Li 2222:22 8080:80}, on a "
		  "switch with {Ic uplink=nat}: connections to port 2222 of 127.0.0.1 go to the "
		  "guest's port 22. "
		  "With an address before it, as in {Li 0.0.0.0:2222:22}, it is that one of this "
		  "host, or, as here, each, where other machines come in, too; the guest sees who "
		  "they are, and programs of this host as the switch's address. "
		  "They lead to the address that the guest was given by DHCP, or to the one that it "
		  "uses, from when that is known on. "
		  "A port that is in use, or below 1024 where that takes a privilege, is said, and "
		  "tried again. "
		  "There can be 16." },
	{ .key = NULL },
};

static const struct profile_key vsock_keys[] = {
	{ .key = "cid", .type = PROFILE_COUNT, .offset = VSOCK(cid), .min = 3,
	  .max = UINT32_MAX - 1, .standard = "3",
	  .help = "The guest's own address. "
		  "Guests do not reach each other by it, so it need not be theirs alone." },
	{ .key = "path", .type = PROFILE_PATH, .offset = VSOCK(path),
	  .help = "Path of the Unix socket that programs of the host connect to, in a folder to "
		  "which others cannot write. "
		  "Without this key it is {Pa $XDG_RUNTIME_DIR/vmdeck/NAME.vsock}, where NAME "
		  "is the guest's; {Nm vmdeck Cm show} says where it is." },
	{ .key = NULL },
};

static const struct profile_key share_keys[] = {
	{ .key = "path", .type = PROFILE_PATH, .offset = SHARE(path), .required = true,
	  .help = "Path of the folder." },
	{ .key = "tag", .type = PROFILE_STRING, .offset = SHARE(tag), .required = true,
	  .help = "Name by which the guest mounts it: 1 to 36 bytes." },
	{ .key = "readonly", .type = PROFILE_BOOL, .offset = SHARE(readonly), .standard = "no",
	  .help = "Whether the guest is kept from changing anything." },
	{ .key = "on_backend", .type = PROFILE_CHOICE, .offset = SHARE(on_backend),
	  .choices = "pause|stop", .standard = "pause",
	  .help = ON_BACKEND_HELP },
	{ .key = NULL },
};

static const struct profile_key cloud_keys[] = {
	{ .key = "user", .type = PROFILE_STRING, .offset = CLOUD(user),
	  .help = "Name of the user who is made in the guest, in the place of the one whom the "
		  "image itself would make, with that one's groups and rights." },
	{ .key = "password_file", .type = PROFILE_PATH, .offset = CLOUD(password_file),
	  .help = "Path of a file, which nobody else can read, with the user's password, in clear "
		  "or as {Xr crypt 5} has it. The guest gets its hash. Without {Ic ssh_key} it is "
		  "good for {Xr ssh 1}, too." },
	{ .key = "ssh_key", .type = PROFILE_PATH, .offset = CLOUD(ssh_key),
	  .help = "Path of a file with public keys, one a line, by which {Xr ssh 1} lets the user "
		  "in, such as {Pa ~/.ssh/id_ed25519.pub}." },
	{ .key = "hostname", .type = PROFILE_STRING, .offset = CLOUD(hostname),
	  .help = "Name of the host; without this key it is that of the guest." },
	{ .key = "timezone", .type = PROFILE_STRING, .offset = CLOUD(timezone),
	  .help = "Its time zone, such as {Li Europe/Berlin}." },
	{ .key = "packages", .type = PROFILE_STRING, .offset = CLOUD(packages),
	  .help = "Packages that are installed, with blanks or commas between them." },
	{ .key = "upgrade", .type = PROFILE_BOOL, .offset = CLOUD(upgrade), .standard = "no",
	  .help = "Whether all packages are brought up to date." },
	{ .key = "run", .type = PROFILE_STRING, .offset = CLOUD(run),
	  .help = "A command of the shell that root runs when all this is done." },
	{ .key = "user_data", .type = PROFILE_PATH, .offset = CLOUD(user_data),
	  .help = "Path of a file of user data for cloud-init, which is passed on as it is, in the "
		  "place of the other keys but {Ic hostname}." },
	{ .key = NULL },
};

/* Those of a section, and with other offsets those of what its record holds besides. */
static struct profile_key net_and_port_keys[64];

static const struct profile_section guest_sections[] = {
	{ .kind = "guest", .count = 1, .present = PROFILE_NOWHERE, .keys = guest_keys },
	{ .kind = "boot", .count = 1, .present = PROFILE_NOWHERE, .keys = boot_keys },
	{ .kind = "disk", .count = PROFILE_DISKS_MAX, .offset = GUEST(disks),
	  .size = sizeof(struct profile_disk), .present = DISK(present), .keys = disk_keys,
	  .help = "Each describes a disk." },
	{ .kind = "net", .count = PROFILE_NETS_MAX, .offset = GUEST(nets), .apart = true,
	  .size = sizeof(struct profile_net), .present = PROFILE_NOWHERE, .keys = net_and_port_keys,
	  .help = "Each describes a network card." },
	{ .kind = "vsock", .count = 1, .offset = GUEST(vsock), .size = sizeof(struct profile_vsock),
	  .present = VSOCK(present), .keys = vsock_keys,
	  .help = "It gives the guest a virtio socket device, of which a section below tells; it "
		  "may be empty." },
	{ .kind = "share", .count = PROFILE_SHARES_MAX, .offset = GUEST(shares),
	  .size = sizeof(struct profile_share), .present = SHARE(present), .keys = share_keys,
	  .help = "Each describes a folder of the host that the guest can mount, by virtio-fs: "
		  "{Li mount -t virtiofs TAG /mnt} in Linux. The program {Li virtiofsd} serves it." },
	{ .kind = "cloud", .count = 1, .offset = GUEST(cloud), .size = sizeof(struct profile_cloud),
	  .present = CLOUD(present), .keys = cloud_keys,
	  .help = "With this section, which can be empty, an image with cloud-init is set up as "
		  "it says; see below." },
	{ .kind = NULL },
};

/* What profile_key.h promises of the fields. */
_Static_assert(sizeof(((struct profile *)0)->name) == NAME_SIZE, "NAME");
_Static_assert(sizeof(((struct profile_net *)0)->switch_name) == NAME_SIZE, "NAME");

size_t profile_keys_add(struct profile_key *to, size_t count, size_t room,
			const struct profile_key *keys, size_t offset)
{
	for (; keys && keys->key; keys++) {
		assert(count < room - 1);
		to[count] = *keys;
		if (keys->offset != PROFILE_NOWHERE)
			to[count].offset += offset;
		count++;
	}
	return count;
}

static void gather(void)
{
	const size_t room = ARRAY_SIZE(net_and_port_keys);
	size_t count = profile_keys_add(net_and_port_keys, 0, room, net_keys, 0);

	profile_keys_add(net_and_port_keys, count, room, net_port_keys, NET(port));
}

const struct profile_section *profile_guest_sections(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, gather);
	return guest_sections;
}

const char *profile_section_record(const struct profile_section *section, const char *base,
				   unsigned number)
{
	const char *record;

	if (!section->apart)
		return base + section->offset + number * section->size;
	memcpy(&record, base + section->offset + number * sizeof(record), sizeof(record));
	return record;
}

void profile_section_put(const struct profile_section *section, char *base, unsigned number,
			 char *record)
{
	memcpy(base + section->offset + number * sizeof(record), &record, sizeof(record));
}

const struct profile_section *profile_section_find(const struct profile_section *sections,
						   const char *name, unsigned *number)
{
	for (; sections->kind; sections++) {
		size_t size = strlen(sections->kind);
		const char *rest = name + size;

		if (strncmp(name, sections->kind, size))
			continue;
		*number = 0;
		if (sections->count == 1 && !*rest)
			return sections;
		if (sections->count == 1 || *rest < '0' ||
		    *rest >= (char)('0' + sections->count) || rest[1])
			continue;
		*number = (unsigned)(*rest - '0');
		return sections;
	}
	return NULL;
}

const struct profile_key *profile_key_find(const struct profile_section *section, const char *key)
{
	for (const struct profile_key *row = section->keys; row->key; row++)
		if (!strcmp(row->key, key))
			return row;
	return NULL;
}

const char *profile_key_guess(const struct profile_section *section, const char *key)
{
	struct suggestion suggestion = { .wrong = key };

	for (const struct profile_key *row = section->keys; row->key; row++)
		suggest_offer(&suggestion, row->key);
	return suggestion.best;
}

const struct profile_section *profile_section_guess(const struct profile_section *sections,
						    const char *name)
{
	char kind[SUGGEST_MAX];
	struct suggestion suggestion = { .wrong = kind };
	size_t size = strcspn(name, "0123456789");

	if (size >= sizeof(kind))
		return NULL;
	memcpy(kind, name, size);
	kind[size] = '\0';
	for (const struct profile_section *row = sections; row->kind; row++)
		suggest_offer(&suggestion, row->kind);
	while (suggestion.best && sections->kind != suggestion.best)
		sections++;
	return suggestion.best ? sections : NULL;
}
