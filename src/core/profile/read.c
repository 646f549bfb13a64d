/*
 * Reads profiles: every section and key of a file is looked up in the table
 * of keys, checked by its type and stored where the table says. Any thread.
 */
#include "core/profile/read.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ini.h"
#include "core/profile/folder.h"
#include "core/profile/keys.h"
#include "core/profile/values.h"
#include "net/service/dhcp.h"

#define EXCERPT 48

/* A file being read into a struct profile or a switch_config. */
struct reader {
	const struct profile_section *sections;
	struct ini *ini;
	struct profile_report *report;
	char *folder; /* of the file, absolute */
	char name[NAME_MAX + 1]; /* that the file gives */
	bool misread; /* a value was wrong: what depends on several is not looked at */
	struct profile *guest; /* one of the two is NULL */
	struct switch_config *sw;
};

/* The record that a section's keys go to; NULL if it is only there with the section. */
static char *section_record(struct reader *reader, const struct profile_section *section,
			    unsigned number)
{
	if (section->port)
		return (char *)port_section_find(reader->sw, section->port, number);
	return (char *)profile_section_record(section, reader->sw ? (char *)reader->sw :
								    (char *)reader->guest, number);
}

static void take_mistake(void *arg, unsigned line, const char *text)
{
	profile_report_add(arg, line, "%s", text);
}

/* Gives fields of a record their standard values. */
static int set_record(struct reader *reader, const struct profile_section *section, char *record)
{
	char fault[PROFILE_FAULT_SIZE];
	struct profile_value value;
	int error = 0;

	for (const struct profile_key *key = section->keys; !error && key->key; key++) {
		if (!key->standard)
			continue;
		error = profile_value_parse(&value, key, key->standard, fault);
		if (!error)
			error = profile_value_store(record, key, &value, key->standard,
						    reader->folder);
	}
	return error;
}

/* Of records that are there in any case. */
static int set_standards(struct reader *reader)
{
	const struct profile_section *section;
	int error = 0;

	for (section = reader->sections; section->kind; section++)
		for (unsigned i = 0; !error && i < section->count; i++) {
			char *record = section_record(reader, section, i);

			if (record)
				error = set_record(reader, section, record);
		}
	return error;
}

static int add_record(struct reader *reader, const struct profile_section *section,
		      unsigned number)
{
	char *record = section->port ?
			       (char *)port_section_add(reader->sw, section->port, number) :
			       calloc(1, section->size);

	if (!record)
		return -ENOMEM;
	if (!section->port)
		profile_section_put(section, (char *)reader->guest, number, record);
	return set_record(reader, section, record);
}

/* Of who takes a key for a section, such as "[cpu]": that key, or its plural, and where it belongs. */
static const char *key_like(const struct profile_section *sections, const char *name,
			    const struct profile_section **of)
{
	size_t length = strlen(name);

	for (*of = sections; (*of)->kind; ++*of)
		for (const struct profile_key *row = (*of)->keys; row->key; row++)
			if (strncasecmp(row->key, name, length) == 0 &&
			    (!row->key[length] || strcmp(row->key + length, "s") == 0))
				return row->key;
	return NULL;
}

static void report_section(struct reader *reader, const struct ini_section *section)
{
	const struct profile_section *guess = profile_section_guess(reader->sections,
								    section->name);
	const struct profile_section *of;
	char text[EXCERPT];
	const char *key;

	ini_excerpt(section->name, text, sizeof(text));
	if (guess && guess->count > 1)
		profile_report_add(reader->report, section->line,
				   "[%s] is no section; the %ss are [%s0] to [%s%u]", text,
				   guess->kind, guess->kind, guess->kind, guess->count - 1);
	else if (guess)
		profile_report_add(reader->report, section->line,
				   "[%s] is no section; did you mean [%s]?", text, guess->kind);
	else if ((key = key_like(reader->sections, section->name, &of)))
		profile_report_add(reader->report, section->line,
				   "[%s] is no section; %s is a key of [%s%s]", text, key, of->kind,
				   of->count > 1 ? "0" : "");
	else
		profile_report_add(reader->report, section->line,
				   "[%s] is no section of a %s's profile", text,
				   reader->sw ? "switch" : "guest");
}

static void report_key(struct reader *reader, const struct profile_section *section,
		       const struct ini_entry *entry)
{
	const char *guess = profile_key_guess(section, entry->key);
	const struct profile_section *other;
	char text[EXCERPT];

	ini_excerpt(entry->key, text, sizeof(text));
	for (other = reader->sections; other->kind; other++) {
		if (!profile_key_find(other, entry->key))
			continue;
		profile_report_add(reader->report, entry->line, "%s: is no key of [%s]; it belongs "
				   "to [%s%s]", text, entry->section, other->kind,
				   other->count > 1 ? "0" : "");
		return;
	}
	if (guess)
		profile_report_add(reader->report, entry->line,
				   "%s: is no key of [%s]; did you mean '%s'?", text,
				   entry->section, guess);
	else
		profile_report_add(reader->report, entry->line, "%s: is no key of [%s]", text,
				   entry->section);
}

/* A section's header: unknown ones and missing keys. */
static int take_section(struct reader *reader, const struct ini_section *header)
{
	const struct profile_section *section;
	unsigned number;

	section = profile_section_find(reader->sections, header->name, &number);
	if (!section) {
		report_section(reader, header);
		return 0;
	}
	for (const struct profile_key *key = section->keys; key->key; key++)
		if (key->required && !ini_find(reader->ini, header->name, key->key))
			profile_report_add(reader->report, header->line, "[%s] needs a '%s'",
					   header->name, key->key);
	if (section->present != PROFILE_NOWHERE)
		*(bool *)(section_record(reader, section, number) + section->present) = true;
	return section_record(reader, section, number) ? 0 : add_record(reader, section, number);
}

static int take_entry(struct reader *reader, const struct ini_entry *entry)
{
	const struct profile_section *section;
	const struct profile_key *key;
	char fault[PROFILE_FAULT_SIZE];
	struct profile_value value;
	unsigned number;

	section = profile_section_find(reader->sections, entry->section, &number);
	if (!section)
		return 0;
	key = profile_key_find(section, entry->key);
	if (!key) {
		report_key(reader, section, entry);
		return 0;
	}
	if (profile_value_parse(&value, key, entry->value, fault)) {
		profile_report_add(reader->report, entry->line, "%s: %s", key->key, fault);
		reader->misread = true;
		return 0;
	}
	return profile_value_store(section_record(reader, section, number), key, &value,
				   entry->value, reader->folder);
}

/* Splits the path and opens the file; the report says what is wrong with either. */
static int reader_open(struct reader *reader, const char *path)
{
	size_t size, prefix = strlen(path);
	const char *name = profile_file_name(path, &size), *text;
	struct cause cause = { "" };
	int error;

	error = ini_open(&reader->ini, path, take_mistake, reader->report, &cause);
	if (error) {
		text = cause.text;
		if (!strncmp(text, path, prefix) && !strncmp(text + prefix, ": ", 2))
			text += prefix + 2;
		profile_report_add(reader->report, 0, "%.200s", text);
		return error;
	}
	snprintf(reader->name, sizeof(reader->name), "%.*s", (int)size, name);
	reader->folder = profile_path_folder(path);
	if (reader->folder)
		return 0;
	error = -errno;
	profile_report_add(reader->report, 0, "its folder cannot be found: %s", strerror(-error));
	return error;
}

static int reader_take(struct reader *reader)
{
	const struct ini_section *section;
	const struct ini_entry *entry;
	size_t i;
	int error;

	error = set_standards(reader);
	for (i = 0; !error && (section = ini_section(reader->ini, i)); i++)
		error = take_section(reader, section);
	for (i = 0; !error && (entry = ini_entry(reader->ini, i)); i++)
		error = take_entry(reader, entry);
	return error;
}

/* The name that the file's name gives. */
static void take_file_name(struct reader *reader, char *name, const char *remedy)
{
	char text[EXCERPT];

	if (name_valid(reader->name))
		snprintf(name, NAME_SIZE, "%.*s", NAME_SIZE - 1, reader->name);
	else
		profile_report_add(reader->report, 0, "'%s' is no name (" NAME_RULE "); %s",
				   ini_excerpt(reader->name, text, sizeof(text)), remedy);
}

/* Disks without an image, and two of one image, of which one at least is written to. */
static void check_disks(struct reader *reader)
{
	const struct profile_disk *disks = reader->guest->disks;
	unsigned i, j;
	char name[16];

	for (j = 0; j < PROFILE_DISKS_MAX; j++) {
		snprintf(name, sizeof(name), "disk%u", j);
		if (disks[j].present && !disks[j].cdrom && !ini_find(reader->ini, name, "path"))
			profile_report_add(reader->report, ini_line(reader->ini, name, "path"),
					   "[%s] needs a 'path'", name);
		for (i = 0; i < j; i++) {
			if (!disks[i].path || !disks[j].path ||
			    strcmp(disks[i].path, disks[j].path) ||
			    (profile_disk_is_read(&disks[i]) && profile_disk_is_read(&disks[j])))
				continue;
			profile_report_add(reader->report, ini_line(reader->ini, name, "path"),
					   "path: is the image of [disk%u] as well; two disks can "
					   "share one if both have readonly=yes or overlay=", i);
			break;
		}
	}
}

/* Serial numbers that a guest cannot be told, or that two disks have. */
static void check_serials(struct reader *reader)
{
	const struct profile_disk *disks = reader->guest->disks;
	char name[16];

	for (unsigned j = 0; j < PROFILE_DISKS_MAX; j++) {
		const char *serial = disks[j].serial;
		unsigned line;

		if (!serial || !*serial)
			continue;
		snprintf(name, sizeof(name), "disk%u", j);
		line = ini_line(reader->ini, name, "serial");
		if (!profile_serial_valid(serial))
			profile_report_add(reader->report, line, "serial: is no serial number; "
					   "use up to %d letters, digits, '-', '_' and '.'",
					   PROFILE_SERIAL_MAX);
		for (unsigned i = 0; i < j; i++)
			if (disks[i].serial && !strcmp(disks[i].serial, serial))
				profile_report_add(reader->report, line, "serial: is that of "
						   "[disk%u] as well; give each disk its own", i);
	}
}

/* Of a port that a section makes. */
static void check_settings(struct reader *reader, const char *section,
			   const struct net_port_settings *settings, bool card)
{
	struct cause cause;
	const char *key = net_port_settings_fault(settings, card, &cause);

	if (key && !reader->misread)
		profile_report_add(reader->report, ini_line(reader->ini, section, key), "%s",
				   cause.text);
}

/* What cards of one guest must not share. */
static void check_cards(struct reader *reader, unsigned i, unsigned j)
{
	const struct profile_net *one = reader->guest->nets[i], *other = reader->guest->nets[j];
	char name[16];

	if (!one || !other)
		return;
	snprintf(name, sizeof(name), "net%u", j);
	if (!memcmp(one->mac, other->mac, NET_MAC_SIZE))
		profile_report_add(reader->report, ini_line(reader->ini, name, "mac"),
				   "mac: is the address of [net%u] as well; give each card its own",
				   i);
	if (other->address && one->address == other->address &&
	    !strcmp(one->switch_name, other->switch_name))
		profile_report_add(reader->report, ini_line(reader->ini, name, "address"),
				   "address: is that of [net%u] on the same switch as well; give "
				   "each card its own", i);
}

static void check_nets(struct reader *reader)
{
	static const uint8_t none[NET_MAC_SIZE];
	struct profile_net *const *nets = reader->guest->nets;
	char name[16];

	for (unsigned j = 0; j < PROFILE_NETS_MAX; j++) {
		if (!nets[j])
			continue;
		if (!memcmp(nets[j]->mac, none, sizeof(none)))
			profile_derive_mac(reader->guest->name, j, nets[j]->mac);
		snprintf(name, sizeof(name), "net%u", j);
		check_settings(reader, name, &nets[j]->port, true);
		for (unsigned i = 0; i < j; i++)
			check_cards(reader, i, j);
	}
}

static bool is_disk(const struct profile *guest, const char *section)
{
	char name[16];

	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++) {
		snprintf(name, sizeof(name), "disk%u", i);
		if (guest->disks[i].present && !strcmp(section, name))
			return true;
	}
	return false;
}

static void check_boot_device(struct reader *reader)
{
	const char *at = reader->guest->boot_device;
	char name[NAME_SIZE];

	while (profile_next_device(&at, name)) {
		if (is_disk(reader->guest, name))
			continue;
		profile_report_add(reader->report, ini_line(reader->ini, "boot", "boot_device"),
				   "boot_device: this guest has no [%s]; name its disks, such as "
				   "disk0", name);
		return;
	}
}

/* What the guest begins with. */
static void check_firmware(struct reader *reader)
{
	const struct profile *guest = reader->guest;

	if (profile_firmware(guest) == FIRMWARE_NONE) {
		if (guest->firmware_file)
			profile_report_add(reader->report,
					   ini_line(reader->ini, "boot", "firmware_file"),
					   "firmware_file: is for a firmware, and this guest has "
					   "none; write firmware=bios or firmware=uefi too");
	} else if (guest->kernel && profile_firmware(guest) == FIRMWARE_BIOS) {
		profile_report_add(reader->report, ini_line(reader->ini, "boot", "firmware"),
				   "firmware: a guest begins with a BIOS or with a kernel, not "
				   "both; leave out kernel= to start from a disk, or firmware= to "
				   "start the kernel");
	} else if (!guest->kernel && ini_find(reader->ini, "boot", "cmdline")) {
		profile_report_add(reader->report, ini_line(reader->ini, "boot", "cmdline"),
				   "cmdline: is for a kernel, and this guest starts from its disk; "
				   "it needs a kernel too, or firmware=none for the built-in guest");
	}
}

/* What no single key shows. */
static void check_guest(struct reader *reader)
{
	struct profile *guest = reader->guest;

	if (!ini_find(reader->ini, "guest", "name"))
		take_file_name(reader, guest->name, "rename the file, or write name= in [guest]");
	if (guest->initrd && !ini_find(reader->ini, "boot", "kernel"))
		profile_report_add(reader->report, ini_line(reader->ini, "boot", "initrd"),
				   "initrd: is for a kernel, and none is given");
	check_firmware(reader);
	check_boot_device(reader);
	check_disks(reader);
	check_serials(reader);
	check_nets(reader);
}

/* Ports whose keys do not fit each other. */
static void check_sections(struct reader *reader)
{
	const struct port_section *section = reader->sw->sections;
	char name[NAME_SIZE];
	struct cause cause;

	for (; section; section = section->next) {
		port_section_name(section, name);
		check_settings(reader, name, &section->settings, false);
		if (section->kind->check && section->kind->check(reader->sw, section, &cause) < 0)
			profile_report_add(reader->report, ini_line(reader->ini, name, ""),
					   "[%s]: %s", name, cause.text);
	}
}

static void check_switch(struct reader *reader)
{
	const struct ini_entry *entry = ini_find(reader->ini, "switch", "uplink");
	struct switch_config *sw = reader->sw;
	struct cause cause;

	take_file_name(reader, sw->name, "rename the file: it names the switch");
	if (!ini_line(reader->ini, "switch", "uplink"))
		profile_report_add(reader->report, 0, "has no section [switch]");
	if (entry)
		sw->uplink = port_find_uplink(entry->value);
	if (!reader->misread && sw->uplink && sw->uplink->check && sw->uplink->check(sw, NULL, &cause))
		profile_report_add(reader->report, ini_line(reader->ini, "switch", "uplink"),
				   "uplink: %s", cause.text);
	if (!reader->misread && sw->address &&
	    dhcp_check_pool(&sw->dhcp.pool, sw->address, sw->prefix, &cause))
		profile_report_add(reader->report, ini_line(reader->ini, "switch", "pool"), "%s",
				   cause.text);
	if (!reader->misread)
		check_sections(reader);
}

/* Reads the opened file into the reader's record. */
static int reader_read(struct reader *reader)
{
	int error = reader_take(reader);

	if (error) {
		profile_report_add(reader->report, 0, "%s", strerror(-error));
		return error;
	}
	if (reader->guest)
		check_guest(reader);
	else
		check_switch(reader);
	return reader->report->count ? -EINVAL : 0;
}

static void reader_close(struct reader *reader)
{
	ini_free(reader->ini);
	free(reader->folder);
}

int profile_read_partly(struct profile **out, const char *path, struct profile_report *report)
{
	struct reader reader = { .sections = profile_guest_sections(), .report = report };
	const char *slash = strrchr(path, '/');
	struct profile *guest = NULL;
	int error;

	*report = (struct profile_report){ 0 };
	error = reader_open(&reader, path);
	if (error)
		goto out;
	reader.guest = guest = calloc(1, sizeof(*guest));
	if (guest)
		guest->path = profile_path_join(reader.folder, slash ? slash + 1 : path);
	if (guest && guest->path) {
		error = reader_read(&reader);
	} else {
		error = -ENOMEM;
		profile_report_add(report, 0, "%s", strerror(ENOMEM));
	}
out:
	reader_close(&reader);
	if (error && error != -EINVAL) {
		profile_free(guest);
		guest = NULL;
	}
	*out = guest;
	return error;
}

int profile_read(struct profile **out, const char *path, struct profile_report *report)
{
	int error = profile_read_partly(out, path, report);

	if (error) {
		profile_free(*out);
		*out = NULL;
	}
	return error;
}

int profile_read_switch(struct switch_config *out, const char *path,
			struct profile_report *report)
{
	struct reader reader = { .sections = profile_switch_sections(), .report = report,
				 .sw = out };
	int error;

	memset(out, 0, sizeof(*out));
	*report = (struct profile_report){ 0 };
	error = reader_open(&reader, path);
	if (!error)
		error = reader_read(&reader);
	reader_close(&reader);
	if (error)
		switch_config_free(out);
	return error;
}
