/* See lease_file.h. */
#include "core/deck/lease_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/paths.h"
#include "control/message_text.h"
#include "core/deck/journal.h"
#include "core/deck/marks.h"

#define KEPT_MAX 8192u
#define FILE_MAX (4 << 20) /* bytes of one that is read */
#define WRITE_DELAY NS_PER_S

static uint64_t now_s(void)
{
	return clock_wall() / NS_PER_S;
}

/* --- reading --- */

static bool read_lease(struct kept_lease *out, const char *switch_name, const json_t *json)
{
	const char *mac = json_string_value(json_object_get(json, "mac"));
	const char *address = json_string_value(json_object_get(json, "address"));
	const char *hostname = json_string_value(json_object_get(json, "hostname"));
	json_int_t expires = json_integer_value(json_object_get(json, "expires"));
	unsigned bytes[NET_MAC_SIZE];
	struct in_addr in;
	int end = 0;

	memset(out, 0, sizeof(*out));
	if (!mac || !address || expires <= 0 ||
	    sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
		   &bytes[4], &bytes[5], &end) != 6 || mac[end] ||
	    inet_pton(AF_INET, address, &in) != 1)
		return false;
	for (unsigned i = 0; i < NET_MAC_SIZE; i++)
		out->lease.mac[i] = (uint8_t)bytes[i];
	out->lease.address = ntohl(in.s_addr);
	out->lease.port = DHCP_NO_PORT;
	snprintf(out->lease.hostname, sizeof(out->lease.hostname), "%s", hostname ? hostname : "");
	snprintf(out->switch_name, sizeof(out->switch_name), "%s", switch_name);
	out->expires = (uint64_t)expires;
	return true;
}

static void read_all(struct lease_file *file, const json_t *root)
{
	json_t *switches = json_object_get(root, "switches"), *list, *lease;
	const char *name;
	size_t i;

	json_object_foreach(switches, name, list)
		json_array_foreach(list, i, lease) {
			if (file->count == KEPT_MAX)
				return;
			if (name_valid(name) &&
			    read_lease(&file->kept[file->count], name, lease))
				file->count++;
		}
}

static json_t *load(const char *path, struct cause *cause)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	json_t *root = NULL;
	json_error_t error;
	struct stat st;

	if (fd < 0) {
		cause_errno(cause, errno, "%s", path);
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		cause_set(cause, EINVAL, "%s: is no file of leases", path);
	else if (!(root = json_loadfd(fd, 0, &error)))
		cause_set(cause, EINVAL, "%s:%d: %s", path, error.line, error.text);
	close(fd);
	return root;
}

static void read_file(struct lease_file *file)
{
	struct cause cause;
	json_t *root;

	if (access(file->path, F_OK) < 0)
		return;
	file->kept = calloc(KEPT_MAX, sizeof(*file->kept));
	root = file->kept ? load(file->path, &cause) : NULL;
	if (root)
		read_all(file, root);
	else if (file->kept)
		journal_emit(file->journal, NULL, DECK_EVENT_LOG, "guests may have other addresses "
			     "than before: %s", cause.text);
	json_decref(root);
}

/* --- what there is by now --- */

/* Those of switches that are there, and of the others what was kept. */
static void take_leases(struct lease_file *file)
{
	size_t switches_room = network_list_switches(file->network, NULL, 0), room = 0, n = 0;
	struct net_switch **switches = calloc(switches_room + 1, sizeof(struct net_switch *));
	size_t switches_count, used = 0;
	struct dhcp_lease_info *leases;
	struct kept_lease *kept;
	uint64_t now = now_s();

	if (!switches)
		return;
	switches_count = network_list_switches(file->network, switches, switches_room);
	for (size_t i = 0; i < switches_count && i < switches_room; i++)
		room += switch_list_leases(switches[i], NULL, 0);
	kept = calloc(room + file->count + 1, sizeof(*kept));
	leases = calloc(room + 1, sizeof(*leases));
	for (size_t i = 0; kept && leases && i < switches_count && i < switches_room; i++) {
		n = switch_list_leases(switches[i], leases, room);
		for (size_t j = 0; j < n && j < room && used < room; j++, used++) {
			kept[used].lease = leases[j];
			kept[used].expires = now + leases[j].remaining_s;
			snprintf(kept[used].switch_name, sizeof(kept[used].switch_name), "%s",
				 switch_get_config(switches[i])->name);
		}
	}
	for (size_t i = 0; kept && leases && i < file->count; i++)
		if (file->kept[i].expires > now &&
		    !network_find_switch(file->network, file->kept[i].switch_name))
			kept[used++] = file->kept[i];
	if (kept && leases) {
		free(file->kept);
		file->kept = kept;
		file->count = used < KEPT_MAX ? used : KEPT_MAX;
	} else {
		free(kept);
	}
	free(leases);
	free(switches);
}

/* --- writing --- */

static json_t *lease_json(const struct kept_lease *kept)
{
	const uint8_t *m = kept->lease.mac;
	uint32_t a = kept->lease.address;

	return json_pack("{s:o, s:o, s:o, s:I}",
		"mac", json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
				    m[5]),
		"address", json_sprintf("%u.%u.%u.%u", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff,
					a & 0xff),
		"hostname", message_text(kept->lease.hostname),
		"expires", (json_int_t)kept->expires);
}

static json_t *leases_json(const struct lease_file *file)
{
	json_t *switches = json_object();

	for (size_t i = 0; i < file->count; i++) {
		json_t *list = json_object_get(switches, file->kept[i].switch_name);

		if (!list) {
			list = json_array();
			json_object_set_new(switches, file->kept[i].switch_name, list);
		}
		json_array_append_new(list, lease_json(&file->kept[i]));
	}
	return json_pack("{s:o}", "switches", switches);
}

/* 0 or an errno. */
static int write_text(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t n = write(fd, text, size);

		if (n <= 0)
			return n < 0 ? errno : EIO;
		text += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Another file takes its name when it is whole. */
static int replace(const char *path, const char *text, size_t size, struct cause *cause)
{
	char temporary[PATH_MAX];
	int fd, error;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary))
		return cause_errno(cause, ENAMETOOLONG, "%s", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return cause_errno(cause, errno, "%s", path);
	error = write_text(fd, text, size);
	if (close(fd) < 0 && !error)
		error = errno;
	if (!error && rename(temporary, path) < 0)
		error = errno;
	if (!error)
		return 0;
	unlink(temporary);
	return cause_errno(cause, error, "%s", path);
}

static void write_file(void *arg)
{
	struct lease_file *file = arg;
	struct cause cause;
	json_t *root;
	size_t size;
	char *text;
	int error;

	take_leases(file);
	root = leases_json(file);
	text = root ? message_dump(root, JSON_INDENT(1), &size) : NULL;
	error = text ? replace(file->path, text, size, &cause) :
		       cause_errno(&cause, ENOMEM, "%s", file->path);
	free(text);
	json_decref(root);
	if (error && !file->failed)
		journal_emit(file->journal, NULL, DECK_EVENT_LOG, "guests may have other addresses "
			     "next time: %s", cause.text);
	file->failed = error != 0;
	file->written = true;
}

/* --- the file --- */

void lease_file_open(struct lease_file *file, const char *guests_folder, struct loop *loop,
		     struct network *network, struct journal *journal)
{
	char state[PATH_MAX], folder[PATH_MAX];

	*file = (struct lease_file){ .loop = loop, .network = network, .journal = journal };
	file->write = (struct loop_timer){ .fire = write_file, .arg = file };
	if (!guests_folder || paths_state(state, NULL) < 0 || paths_make(state, NULL) < 0)
		return;
	if (!realpath(guests_folder, folder))
		snprintf(folder, sizeof(folder), "%s", guests_folder);
	if (asprintf(&file->path, "%s/leases-%016llx.json", state,
		     (unsigned long long)marks_hash(0, folder, strlen(folder))) < 0)
		file->path = NULL;
	if (file->path)
		read_file(file);
}

void lease_file_close(struct lease_file *file)
{
	/* Leases may have been lengthened since, too. */
	if (file->path)
		take_leases(file);
	if (file->path && (file->count || file->written)) {
		loop_timer_cancel(file->loop, &file->write);
		write_file(file);
	}
	free(file->path);
	free(file->kept);
	*file = (struct lease_file){ 0 };
}

void lease_file_restore(const struct lease_file *file, struct net_switch *sw)
{
	const char *name = switch_get_config(sw)->name;
	uint64_t now = now_s();

	for (size_t i = 0; i < file->count; i++) {
		struct dhcp_lease_info lease = file->kept[i].lease;

		if (strcmp(file->kept[i].switch_name, name) || file->kept[i].expires <= now)
			continue;
		lease.remaining_s = (uint32_t)(file->kept[i].expires - now);
		switch_restore_lease(sw, &lease);
	}
}

void lease_file_changed(struct lease_file *file)
{
	if (file->path && !file->write.armed)
		loop_timer_set(file->loop, &file->write, WRITE_DELAY);
}
