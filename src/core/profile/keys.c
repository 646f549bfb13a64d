/*
 * The tables of profile keys, and looking things up in them. Any thread.
 */
#include "core/profile/keys.h"

#include <stdint.h>
#include <string.h>

#define GUEST(field) offsetof(struct profile, field)
#define DISK(field) offsetof(struct profile_disk, field)
#define NET(field) offsetof(struct profile_net, field)
#define SWITCH(field) offsetof(struct switch_config, field)

#define MIB (1ull << 20)
#define TIB (1ull << 40)

static const struct profile_key guest_keys[] = {
	{ .section = "guest", .key = "name", .type = PROFILE_NAME, .offset = GUEST(name),
	  .help = "What the guest is called. Without it, the name of the file without .ini." },
	{ .section = "guest", .key = "cpus", .type = PROFILE_COUNT, .offset = GUEST(cpus),
	  .min = 1, .max = PROFILE_CPUS_MAX, .standard = "1",
	  .help = "Number of virtual CPUs." },
	{ .section = "guest", .key = "memory", .type = PROFILE_SIZE, .offset = GUEST(memory),
	  .min = 16 * MIB, .max = TIB, .standard = "128M",
	  .help = "Size of the guest's memory, a multiple of 1M." },
	{ .section = "guest", .key = "autostart", .type = PROFILE_BOOL,
	  .offset = GUEST(autostart), .standard = "no", .live = true,
	  .help = "Whether the guest starts when vmdeck starts." },
	{ .section = "boot", .key = "kernel", .type = PROFILE_PATH, .offset = GUEST(kernel),
	  .help = "Linux kernel to start, a bzImage or an ELF vmlinux. "
		  "Without it the built-in demo guest is started." },
	{ .section = "boot", .key = "initrd", .type = PROFILE_PATH, .offset = GUEST(initrd),
	  .help = "Initial RAM disk of the kernel." },
	{ .section = "boot", .key = "cmdline", .type = PROFILE_STRING, .offset = GUEST(cmdline),
	  .standard = "", .help = "Command line of the kernel." },
	{ .section = "disk", .key = "path", .type = PROFILE_PATH, .offset = DISK(path),
	  .required = true, .help = "Image file of the disk." },
	{ .section = "disk", .key = "format", .type = PROFILE_CHOICE, .offset = PROFILE_NOWHERE,
	  .choices = "raw", .standard = "raw", .help = "Format of the image." },
	{ .section = "disk", .key = "readonly", .type = PROFILE_BOOL, .offset = DISK(readonly),
	  .standard = "no", .help = "Whether the guest is kept from writing to the disk." },
	{ .section = "net", .key = "switch", .type = PROFILE_NAME, .offset = NET(switch_name),
	  .required = true, .help = "Virtual switch that the network card is plugged into." },
	{ .section = "net", .key = "mac", .type = PROFILE_MAC, .offset = NET(mac),
	  .help = "MAC address of the network card. Without it, one that is derived from the "
		  "guest's name and the card's number and stays the same." },
	{ .section = NULL },
};

static const struct profile_key switch_keys[] = {
	{ .section = "switch", .key = "uplink", .type = PROFILE_CHOICE,
	  .offset = SWITCH(uplink), .choices = "none|nat", .standard = "none",
	  .help = "Where the switch leads: nowhere, or out by way of this host's addresses." },
	{ .section = "switch", .key = "address", .type = PROFILE_ADDRESS,
	  .offset = SWITCH(address),
	  .help = "The switch's own IPv4 address with the prefix of its network. Guests get "
		  "theirs from it by DHCP. Needed with uplink=nat." },
	{ .section = NULL },
};

/* What profile.h promises of the fields, and the choices against the enum. */
_Static_assert(sizeof(((struct profile *)0)->name) == NAME_SIZE, "NAME");
_Static_assert(sizeof(((struct profile_net *)0)->switch_name) == NAME_SIZE, "NAME");
_Static_assert(sizeof(enum switch_uplink) == sizeof(unsigned), "CHOICE");
_Static_assert(SWITCH_UPLINK_NONE == 0 && SWITCH_UPLINK_NAT == 1, "none|nat");
_Static_assert(SWITCH(prefix) == SWITCH(address) + sizeof(uint32_t), "ADDRESS");

const struct profile_key *profile_guest_keys(void)
{
	return guest_keys;
}

const struct profile_key *profile_switch_keys(void)
{
	return switch_keys;
}

unsigned profile_section_count(const char *kind)
{
	if (!strcmp(kind, "disk"))
		return PROFILE_DISKS_MAX;
	if (!strcmp(kind, "net"))
		return PROFILE_NETS_MAX;
	return *kind ? 1 : 0;
}

const char *profile_section_kind(const struct profile_key *keys, const char *section,
				 unsigned *number)
{
	for (; keys->section; keys++) {
		size_t size = strlen(keys->section);
		unsigned count = profile_section_count(keys->section);
		const char *rest = section + size;

		if (strncmp(section, keys->section, size))
			continue;
		*number = 0;
		if (count == 1 && !*rest)
			return keys->section;
		if (count == 1 || *rest < '0' || *rest >= (char)('0' + count) || rest[1])
			continue;
		*number = (unsigned)(*rest - '0');
		return keys->section;
	}
	return NULL;
}

const struct profile_key *profile_key_find(const struct profile_key *keys, const char *section,
					   const char *key)
{
	for (; keys->section; keys++)
		if (!strcmp(keys->section, section) && !strcmp(keys->key, key))
			return keys;
	return NULL;
}

#define WORD_MAX 24

/*
 * How many letters must be added, taken away or changed to make b of a
 * (Levenshtein); WORD_MAX for words that are too long to matter.
 */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX], i, j, corner, next;
	size_t a_size = strlen(a), b_size = strlen(b);

	if (a_size >= WORD_MAX || b_size >= WORD_MAX)
		return WORD_MAX;
	for (j = 0; j <= b_size; j++)
		row[j] = j;
	for (i = 1; i <= a_size; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= b_size; j++) {
			next = corner + (a[i - 1] != b[j - 1]);
			corner = row[j];
			if (row[j] + 1 < next)
				next = row[j] + 1;
			if (row[j - 1] + 1 < next)
				next = row[j - 1] + 1;
			row[j] = next;
		}
	}
	return row[b_size];
}

/* Near enough to be a slip of the hand: a third of the letters, at least one. */
static bool is_nearer(const char *word, const char *candidate, unsigned *best)
{
	unsigned d = distance(word, candidate);
	size_t allowed = strlen(candidate) / 3;

	if (d >= *best || d > (allowed ? allowed : 1))
		return false;
	*best = d;
	return true;
}

const char *profile_key_guess(const struct profile_key *keys, const char *section, const char *key)
{
	const char *guess = NULL;
	unsigned best = WORD_MAX;

	for (; keys->section; keys++)
		if (!strcmp(keys->section, section) && is_nearer(key, keys->key, &best))
			guess = keys->key;
	return guess;
}

const char *profile_section_guess(const struct profile_key *keys, const char *section)
{
	const char *guess = NULL;
	unsigned best = WORD_MAX;
	char kind[WORD_MAX];
	size_t size = strcspn(section, "0123456789");

	if (size >= sizeof(kind))
		return NULL;
	memcpy(kind, section, size);
	kind[size] = '\0';
	for (; keys->section; keys++)
		if (is_nearer(kind, keys->section, &best))
			guess = keys->section;
	return guess;
}
