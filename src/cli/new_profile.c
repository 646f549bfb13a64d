/* See new_profile.h. */
#include "cli/new_profile.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "cli/options.h"

const struct option_row new_options[] = {
	{ 0, "from", OPTION_TEXT, "IMAGE", WORD_FILE, 0, 0,
	  "copies this image to be its disk, such as a distribution's cloud image" },
	{ 0, "iso", OPTION_TEXT, "FILE", WORD_FILE, 0, 0,
	  "the image of a CD or DVD to start from, such as an installer's" },
	{ 0, "kernel", OPTION_TEXT, "FILE", WORD_FILE, 0, 0, "a Linux kernel, bzImage or vmlinux" },
	{ 0, "initrd", OPTION_TEXT, "FILE", WORD_FILE, 0, 0, "its initial RAM disk" },
	{ 0, "append", OPTION_TEXT, "TEXT", WORD_ANY, 0, 0, "its command line" },
	{ 'd', "disk", OPTION_TEXT, "SIZE", WORD_ANY, 0, 0,
	  "size of its disk, such as 20G; with --from it becomes that large" },
	{ 'f', "format", OPTION_TEXT, "FORMAT", WORD_ANY, 0, 0,
	  "format of its disk's image (by the name of --image, else raw)" },
	{ 0, "image", OPTION_TEXT, "FILE", WORD_FILE, 0, 0,
	  "where its disk's image goes (NAME.img in ~/.local/share/vmdeck)" },
	{ 0, "from-format", OPTION_TEXT, "FORMAT", WORD_ANY, 0, 0,
	  "format of the image that is copied (by its name's ending)" },
	{ 0, "others", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "other files that the image names may be opened, too" },
	{ 0, "overlay", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "copies nothing: what the guest writes goes to a layer over the image" },
	{ 'm', "memory", OPTION_TEXT, "SIZE", WORD_ANY, 0, 0, "its memory (1G)" },
	{ 'c', "cpus", OPTION_TEXT, "COUNT", WORD_ANY, 0, 0, "its virtual CPUs (1)" },
	{ 'n', "net", OPTION_LIST, "SWITCH", WORD_SWITCH, 0, 0,
	  "a network card on this switch; may be repeated (lan)" },
	{ 0, "uefi", OPTION_FLAG, NULL, WORD_ANY, 0, 0, "starts it by UEFI firmware, not by a BIOS" },
	{ 'u', "user", OPTION_TEXT, "NAME", WORD_ANY, 0, 0,
	  "who can log in to a cloud image (your own name, with one of the next two)" },
	{ 'k', "ssh-key", OPTION_TEXT, "FILE", WORD_FILE, 0, 0, "the user's public keys" },
	{ 0, "password-file", OPTION_TEXT, "FILE", WORD_FILE, 0, 0,
	  "the user's password, or its hash, in a file that others cannot read" },
	{ 0, "force", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "writes over a profile that is there; never over an image" },
	{ 0, "dry-run", OPTION_FLAG, NULL, WORD_ANY, 0, 0,
	  "prints the profile and makes nothing" },
	{ .name = NULL },
};

/* What it starts from: an image, a CD beside a new disk or alone, a kernel. */
enum kind { KIND_FROM = 1, KIND_ISO = 2, KIND_LIVE = 4, KIND_KERNEL = 8 };

#define FIRMWARE (KIND_FROM | KIND_ISO | KIND_LIVE)
#define ANY (FIRMWARE | KIND_KERNEL)

/* Where a line's value comes from when no option gives it. */
enum source { STANDARD, NAME, IMAGE, FORMAT, FIRMWARE_NAME, OVERLAY, CID, USER };

struct line {
	struct profile_word word;
	unsigned kinds; /* that have it without its option */
	enum source source;
	const char *standard;
	const char *comment; /* above it, or NULL */
};

/* In the order of the profile; lines of a section follow each other. */
static const struct line lines[] = {
	{ { NULL, "guest", "name", false, NULL }, ANY, NAME, NULL, NULL },
	{ { "memory", "guest", "memory", false, NULL }, ANY, STANDARD, "1G", NULL },
	{ { "cpus", "guest", "cpus", false, NULL }, ANY, STANDARD, "1", NULL },
	{ { NULL, "guest", "autostart", false, NULL }, ANY, STANDARD, "no",
	  "Whether it starts when vmdeck does." },
	{ { NULL, "guest", "rng", false, NULL }, FIRMWARE, STANDARD, "yes",
	  "Random bytes of the host, for which a first start would else have to wait." },
	{ { NULL, "guest", "balloon", false, NULL }, FIRMWARE, STANDARD, "yes",
	  "Memory that it does not use goes back to the host." },
	{ { NULL, "boot", "firmware", false, NULL }, FIRMWARE, FIRMWARE_NAME, NULL, NULL },
	{ { NULL, "boot", "boot_device", false, NULL }, KIND_ISO, STANDARD, "disk0, disk1",
	  "From the CD while nothing is installed on the disk; 'disk1, disk0' is from the CD "
	  "always." },
	{ { "kernel", "boot", "kernel", true, NULL }, 0, STANDARD, NULL, NULL },
	{ { "initrd", "boot", "initrd", true, NULL }, 0, STANDARD, NULL, NULL },
	{ { "append", "boot", "cmdline", false, NULL }, 0, STANDARD, NULL, NULL },
	{ { "image", "disk0", "path", true, NULL }, ANY, IMAGE, NULL,
	  "While the guest is off 'vmdeck disk' makes it larger, or converts it." },
	{ { "format", "disk0", "format", false, NULL }, ANY, FORMAT, NULL, NULL },
	{ { NULL, "disk0", "overlay", false, NULL }, KIND_FROM, OVERLAY, "keep",
	  "The image stays as it is, and must; what the guest writes is kept apart from it." },
	{ { "iso", "disk1", "path", true, NULL }, 0, STANDARD, NULL,
	  "The CD; without its path the drive is empty." },
	{ { NULL, "disk1", "cdrom", false, NULL }, KIND_ISO | KIND_LIVE, STANDARD, "yes", NULL },
};

/* Those behind the network cards. */
static const struct line last_lines[] = {
	{ { NULL, "vsock", "cid", false, NULL }, ANY, CID, "3",
	  "By this device the host reaches the guest: 'vmdeck connect', and ssh by way of that." },
	{ { "user", "cloud", "user", false, NULL }, ANY, USER, NULL,
	  "What cloud-init in the image does at its first start, and again when this changes.\n"
	  "There are also hostname, timezone, packages, upgrade and run." },
	{ { "ssh-key", "cloud", "ssh_key", true, NULL }, 0, STANDARD, NULL, NULL },
	{ { "password-file", "cloud", "password_file", true, NULL }, 0, STANDARD, NULL, NULL },
};

static const struct profile_word net_word = { "net", "net", "switch", false, NULL };

const struct profile_word *new_profile_image(void)
{
	const struct line *line = lines;

	while (line->source != IMAGE)
		line++;
	return &line->word;
}

static enum kind kind_of(const struct cli *cli, const struct new_guest *guest)
{
	if (option_given(cli, "from"))
		return KIND_FROM;
	if (option_given(cli, "iso"))
		return guest->image ? KIND_ISO : KIND_LIVE;
	return KIND_KERNEL;
}

/* Who makes it, as a user of the guest, if that gets one; or NULL. */
static const char *user_name(const struct cli *cli)
{
	const struct passwd *user;

	if (!option_given(cli, "ssh-key") && !option_given(cli, "password-file"))
		return NULL;
	user = getuid() ? getpwuid(getuid()) : NULL;
	return user ? user->pw_name : "admin";
}

/* NULL: this guest does not have the line. */
static const char *value_of(const struct line *line, const struct cli *cli,
			    const struct new_guest *guest)
{
	const char *given = line->word.option ? option_text(cli, line->word.option) : NULL;

	if (given || !(line->kinds & kind_of(cli, guest)))
		return given;
	switch (line->source) {
	case NAME:
		return guest->name;
	case IMAGE:
		return guest->image;
	case FORMAT:
		return guest->image ? guest->format : NULL;
	case FIRMWARE_NAME:
		return option_given(cli, "uefi") ? "uefi" : "bios";
	case OVERLAY:
		return option_given(cli, "overlay") ? line->standard : NULL;
	case CID:
		return user_name(cli) ? line->standard : NULL;
	case USER:
		return user_name(cli);
	case STANDARD:
		break;
	}
	return line->standard;
}

static int put_line(struct profile_words *words, const struct line *line, const char *value)
{
	const char *section = line->word.section;

	if (!words->section || strcmp(words->section, section) != 0) {
		profile_words_gap(words);
		profile_words_section(words, NULL, section);
	}
	words->section = section;
	if (line->comment)
		profile_words_comment(words, line->comment);
	return profile_words_value(words, &line->word, value);
}

static int put_lines(struct profile_words *words, const struct line *list, size_t count,
		     const struct cli *cli, const struct new_guest *guest)
{
	int status = CLI_OK;

	for (size_t i = 0; status == CLI_OK && i < count; i++) {
		const char *value = value_of(&list[i], cli, guest);

		if (value)
			status = put_line(words, &list[i], value);
	}
	return status;
}

static int put_nets(struct profile_words *words, const struct cli *cli,
		    const struct new_guest *guest)
{
	const struct option_value *given = option_given(cli, net_word.option);
	const char *const standard = cli->hooks->standard_switch;
	unsigned count = given ? given->count : kind_of(cli, guest) != KIND_KERNEL;
	int status = CLI_OK;
	char section[16];

	for (unsigned i = 0; status == CLI_OK && i < count; i++) {
		const char *net = given ? given->list[i] : standard;

		snprintf(section, sizeof(section), "net%u", i);
		profile_words_gap(words);
		profile_words_section(words, &net_word, section);
		if (strcmp(net, standard) == 0)
			profile_words_comment(words, "This switch needs no profile: DHCP, and NAT "
						     "to the host's network.");
		status = profile_words_value(words, &net_word, net);
	}
	return status;
}

int new_profile_make(struct profile_words *words, const struct cli *cli,
		     const struct new_guest *guest)
{
	int status;

	memset(words, 0, sizeof(*words));
	profile_words_comment(words, "A guest, made by 'vmdeck new'. vmdeck-guest(5) explains all "
				     "keys; 'vmdeck check'\nlooks for mistakes. What is changed "
				     "counts from its next start or reset.");
	status = put_lines(words, lines, ARRAY_SIZE(lines), cli, guest);
	if (status == CLI_OK)
		status = put_nets(words, cli, guest);
	if (status == CLI_OK)
		status = put_lines(words, last_lines, ARRAY_SIZE(last_lines), cli, guest);
	return status == CLI_OK ? profile_words_end(words) : status;
}
