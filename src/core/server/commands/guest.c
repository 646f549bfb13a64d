/* The commands of one guest, and what the protocol shows of a guest. Deck thread. */
#include "core/server/commands/commands.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "control/message.h"
#include "control/names.h"
#include "core/bus/device.h"
#include "core/deck/check.h"
#include "core/server/aside.h"
#include "core/server/json.h"
#include "core/server/leases.h"
#include "core/virtio/vsock.h"
#include "net/network.h"

#define TAIL_LINES 20
#define LOOK_PATIENCE (1 * NS_PER_S)

/* Adds to the cards of a guest what their addresses are; the first of them, or 0. */
static uint32_t add_addresses(json_t *object, const struct leases *leases,
			      const struct profile *profile)
{
	json_t *nets = json_object_get(object, "nets");
	uint32_t first = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++) {
		uint32_t address;

		if (!profile->nets[i])
			continue;
		address = leases_find(leases, profile->nets[i]);
		if (!first)
			first = address;
		json_object_set_new(json_array_get(nets, n++), "address",
				    address ? address_json(address) : json_null());
	}
	return first;
}

#define PORT_SSH 22

/* Where this host leads to the guest's ssh port, or NULL. */
static const struct net_forward *find_ssh(const struct profile *profile)
{
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++) {
		const struct profile_net *net = profile->nets[i];

		for (uint32_t n = 0; net && n < net->forwards.count; n++)
			if (net->forwards.list[n].to == PORT_SSH)
				return &net->forwards.list[n];
	}
	return NULL;
}

/*
 * The command by which the guest's user, or whoever is one, is reached: by vsock, at a port of
 * the host or at an address; or null. *here: from this host.
 */
static json_t *ssh_json(const struct profile *profile, uint32_t address, bool *here)
{
	const char *user = profile->cloud.user, *way = "";
	const struct net_forward *forward = find_ssh(profile);
	char host[NAME_SIZE + sizeof(NAME_HOST_SUFFIX)], port[12] = "", line[512];
	bool vsock = profile->vsock.present && user;

	*here = vsock || forward;
	if (!*here && !(user && address))
		return json_null();
	if (forward)
		address = forward->address ? forward->address : INADDR_LOOPBACK;
	if (vsock) {
		way = "-o ProxyCommand='vmdeck connect %h 22' ";
		snprintf(host, sizeof(host), "%s" NAME_HOST_SUFFIX, profile->name);
	} else {
		snprintf(host, sizeof(host), "%u.%u.%u.%u", address >> 24, address >> 16 & 0xff,
			 address >> 8 & 0xff, address & 0xff);
		if (forward && forward->port != PORT_SSH)
			snprintf(port, sizeof(port), " -p %u", forward->port);
	}
	snprintf(line, sizeof(line), "ssh %s%s%s%s%s", way, user ? user : "", user ? "@" : "",
		 host, port);
	return message_text(line);
}

/* "host": "127.0.0.1:2222", "port": 22 */
static json_t *forwards_json(const struct net_forwards *forwards)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < forwards->count; i++) {
		char place[NET_FORWARD_TEXT];

		net_forward_text(&forwards->list[i], place);
		json_array_append_new(list, json_pack("{s:o, s:i}", "host", message_text(place),
						      "port", forwards->list[i].to));
	}
	return list;
}

/* How a guest that runs is reached. */
static void add_ways(json_t *object, const struct request *request, const struct profile *profile)
{
	struct leases *leases = leases_take(deck_network(request->deck));
	uint32_t address = add_addresses(object, leases, profile);
	char *path = NULL;
	bool here;

	if (profile->vsock.present)
		(void)vsock_find_path(profile, &path, NULL);
	json_object_set_new(object, "vsock", message_text(path));
	json_object_set_new(object, "ssh", ssh_json(profile, address, &here));
	json_object_set_new(object, "ssh_from", message_text(here ? "host" : "switch"));
	leases_free(leases);
	free(path);
}

static json_t *nets_json(const struct profile *profile)
{
	json_t *list = json_array();

	for (unsigned i = 0; profile && i < PROFILE_NETS_MAX; i++)
		if (profile->nets[i])
			json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o}",
				"name", json_sprintf("net%u", i),
				"model", message_text(profile_net_model_name(
						profile->nets[i]->model)),
				"switch", message_text(profile->nets[i]->switch_name),
				"mac", mac_json(profile->nets[i]->mac),
				"forwards", forwards_json(&profile->nets[i]->forwards)));
	return list;
}

/* A disk whose path is of this process alone is a built-in guest's, in memory. */
static json_t *disks_json(const struct guest *guest, const struct profile *profile)
{
	json_t *list = json_array();

	for (unsigned i = 0; profile && i < PROFILE_DISKS_MAX; i++) {
		const char *path = guest_disk_path(guest, i);
		bool own = path && strncmp(path, "/proc/self/", strlen("/proc/self/")) == 0;

		if (profile->disks[i].present)
			json_array_append_new(list, json_pack("{s:o, s:o, s:b, s:b, s:b, s:b}",
				"name", json_sprintf("disk%u", i),
				"path", message_text(own ? NULL : path),
				"in_memory", own,
				"readonly", profile_disk_is_readonly(&profile->disks[i]),
				"cdrom", profile->disks[i].cdrom,
				"locked", guest_is_locked(guest, i)));
	}
	return list;
}

/* "" is the deck's way to say that there is none. */
static json_t *text_or_null(const char *text)
{
	return message_text(text && *text ? text : NULL);
}

static json_t *time_or_null(uint64_t ns)
{
	return ns ? json_integer((json_int_t)ns) : json_null();
}

static json_t *tags_json(const struct profile *profile)
{
	const char *at = profile && profile->tags ? profile->tags : "";
	json_t *list = json_array();
	char tag[128];

	for (size_t n; *(at += strspn(at, " \t,")); at += n) {
		n = strcspn(at, " \t,");
		snprintf(tag, sizeof(tag), "%.*s", n < sizeof(tag) ? (int)n : (int)sizeof(tag) - 1,
			 at);
		json_array_append_new(list, message_text(tag));
	}
	return list;
}

static json_t *guest_json(const struct guest *guest)
{
	const struct profile *profile = guest_profile(guest);
	char pending[GUEST_PENDING_SIZE], orphaned[GUEST_ORPHANED_SIZE];
	json_t *object;

	guest_pending(guest, pending);
	guest_orphaned(guest, orphaned);
	object = json_pack("{s:o, s:o, s:i, s:I, s:o, s:b, s:I, s:o}",
			   "name", message_text(guest_name(guest)),
			   "state", message_text(guest_state_name(guest_get_state(guest))),
			   "cpus", profile ? (int)profile->cpus : 0,
			   "memory", profile ? (json_int_t)profile->memory : 0,
			   "profile", message_text(guest_profile_path(guest)),
			   "autostart", profile ? profile->autostart : false,
			   "since", (json_int_t)guest_since(guest),
			   "reason", text_or_null(guest_reason(guest)));
	if (object) {
		json_object_set_new(object, "held", text_or_null(guest_held(guest)));
		json_object_set_new(object, "tags", tags_json(profile));
		json_object_set_new(object, "pressed", time_or_null(guest_pressed(guest)));
		json_object_set_new(object, "restarts",
				    json_integer((json_int_t)guest_restarts(guest)));
		json_object_set_new(object, "starts_again",
				    json_boolean(guest_starts_again(guest)));
		json_object_set_new(object, "nets", nets_json(profile));
		json_object_set_new(object, "disks", disks_json(guest, profile));
		json_object_set_new(object, "console",
				    message_text(profile_console_name(guest_shown_console(guest))));
		json_object_set_new(object, "vga", json_boolean(guest_has_screen(guest)));
		json_object_set_new(object, "pending", text_or_null(pending));
		json_object_set_new(object, "orphaned", text_or_null(orphaned));
		json_object_set_new(object, "mistakes", mistakes_json(guest_mistakes(guest)));
	}
	return object;
}

static int list_guests(struct request *request, struct cause *cause)
{
	struct leases *leases = leases_take(deck_network(request->deck));
	json_t *list = json_array();
	struct guest *guest;
	int error = 0;

	for (size_t i = 0; !error && (guest = deck_guest(request->deck, i)); i++) {
		json_t *object = guest_json(guest);

		if (object && guest_profile(guest) &&
		    guest_state_in(guest_get_state(guest), GUEST_ALIVE))
			add_addresses(object, leases, guest_profile(guest));
		error = json_array_append_new(list, object);
	}
	leases_free(leases);
	if (error) {
		json_decref(list);
		return cause_errno(cause, ENOMEM, "guest.list");
	}
	request->result = json_pack("{s:o}", "guests", list);
	return 0;
}

static json_t *exits_json(const struct guest *guest)
{
	struct guest_exit_count rows[64];
	size_t count = guest_exits(guest, rows, ARRAY_SIZE(rows));
	json_t *list = json_array();

	for (size_t i = 0; i < count && i < ARRAY_SIZE(rows); i++)
		json_array_append_new(list, json_pack("{s:o, s:I}", "reason",
						      message_text(rows[i].reason), "count",
						      (json_int_t)rows[i].count));
	return list;
}

/* Of the console that is shown; of the serial one as long as there is nothing on it. */
static json_t *tail_json(struct guest *guest)
{
	char *text = console_tail(guest_console(guest, guest_shown_console(guest)), TAIL_LINES);
	json_t *list = json_array();
	char *rest, *line;

	if (text && !*text) {
		free(text);
		text = console_tail(guest_console(guest, CONSOLE_SERIAL), TAIL_LINES);
	}
	rest = text;
	while (rest && (line = strsep(&rest, "\n")))
		if (rest || *line)
			json_array_append_new(list, message_text(line));
	free(text);
	return list;
}

static json_t *devices_json(const struct guest *guest)
{
	size_t room = guest_devices(guest, NULL, 0), count = 0;
	struct guest_device *rows = calloc(room + 1, sizeof(*rows));
	json_t *list = json_array();

	if (rows)
		count = guest_devices(guest, rows, room);
	for (size_t i = 0; i < count && i < room; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}",
						      "name", message_text(rows[i].name),
						      "status", message_text(rows[i].status)));
	free(rows);
	return list;
}

/* What a guest says of its memory; null when it has no balloon. */
static json_t *memory_json(const struct guest *guest)
{
	static const char *const names[DEVICE_MEMORY_STATS] = {
		[MEMORY_SWAP_IN] = "swap_in", [MEMORY_SWAP_OUT] = "swap_out",
		[MEMORY_MAJOR_FAULTS] = "major_faults", [MEMORY_MINOR_FAULTS] = "minor_faults",
		[MEMORY_FREE] = "free", [MEMORY_TOTAL] = "total",
		[MEMORY_AVAILABLE] = "available", [MEMORY_CACHES] = "caches",
		[MEMORY_HUGE_PAGES] = "huge_pages", [MEMORY_HUGE_FAILURES] = "huge_failures",
	};
	struct device_memory memory;
	json_t *object;

	guest_memory_view(guest, &memory);
	if (!memory.present)
		return json_null();
	object = json_pack("{s:I, s:I}", "target", (json_int_t)memory.target, "balloon",
			   (json_int_t)memory.balloon);
	if (object && memory.known)
		json_object_set_new(object, "age_ms",
				    json_integer((json_int_t)(memory.age / NS_PER_MS)));
	for (unsigned i = 0; object && i < DEVICE_MEMORY_STATS; i++)
		if (memory.known & 1u << i)
			json_object_set_new(object, names[i],
					    json_integer((json_int_t)memory.stats[i]));
	return object;
}

/*
 * A guest of which more is to be said than the deck knows: the mistakes in the rest of a profile
 * that cannot be read as a whole, and whether the images are there whose passphrases are missing.
 */
struct look {
	json_t *guest; /* NULL: it was shown without that */
	bool profile;
	struct deck_config config;
	struct profile_report report;
	unsigned locked;		/* disks by number */
	char *images[PROFILE_DISKS_MAX]; /* of these */
	char path[];
};

static void look_work(void *arg)
{
	struct look *look = arg;

	if (look->profile)
		deck_check(&look->config, look->path, &look->report);
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		if (look->images[i] && access(look->images[i], F_OK) < 0)
			look->locked &= ~(1u << i);
}

/* Adds a mistake that is not there yet to those of a guest, in its place by line. */
static void add_mistake(json_t *list, const struct profile_mistake *mistake)
{
	json_t *row, *new = mistake_json(mistake);
	size_t i, at = json_array_size(list);

	json_array_foreach(list, i, row) {
		if (json_equal(row, new)) {
			json_decref(new);
			return;
		}
		if (at > i && json_integer_value(json_object_get(row, "line")) > mistake->line)
			at = i;
	}
	json_array_insert_new(list, at, new);
}

/* No passphrase is asked for of an image that is not there. */
static void tell_locked(const json_t *disks, const struct look *look)
{
	char name[DEVICE_NAME_MAX];
	json_t *row;
	size_t at;

	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++) {
		snprintf(name, sizeof(name), "disk%u", i);
		json_array_foreach(disks, at, row)
			if (look->images[i] &&
			    !strcmp(json_string_value(json_object_get(row, "name")), name))
				json_object_set_new(row, "locked",
						    json_boolean(look->locked & 1u << i));
	}
}

static json_t *look_late(void *arg)
{
	struct look *look = arg;
	json_t *guest = look->guest;

	look->guest = NULL;
	return guest;
}

static int look_finish(void *arg, struct deck *deck, json_t **result, struct cause *cause)
{
	struct look *look = arg;

	(void)deck;
	(void)cause;
	for (size_t i = 0; i < look->report.count; i++)
		add_mistake(json_object_get(look->guest, "mistakes"), &look->report.mistakes[i]);
	tell_locked(json_object_get(look->guest, "disks"), look);
	*result = look_late(look);
	return 0;
}

static void look_release(void *arg)
{
	struct look *look = arg;

	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		free(look->images[i]);
	profile_report_free(&look->report);
	free(look);
}

/* NULL: there is nothing to look at, or no memory for that. */
static struct look *look_new(const struct request *request)
{
	bool mistakes = guest_mistakes(request->guest)->count;
	const char *path = mistakes ? guest_profile_path(request->guest) : "";
	struct look *look = calloc(1, sizeof(*look) + strlen(path) + 1);

	if (!look)
		return NULL;
	look->profile = mistakes;
	strcpy(look->path, path);
	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		if (guest_is_locked(request->guest, i)) {
			look->images[i] = strdup(guest_disk_path(request->guest, i));
			look->locked |= 1u << i;
		}
	if (look->profile || look->locked)
		return look;
	free(look);
	return NULL;
}

/*
 * False: the guest is shown as the deck knows it, which it is also where a file system does not
 * answer in time, or has not yet when it was asked before.
 */
static bool look_closer(struct request *request, json_t *guest)
{
	static const struct aside_kind kind = { .work = look_work, .finish = look_finish,
						.late = look_late, .patience = LOOK_PATIENCE,
						.release = look_release };
	/* Who shows it again and again would leave no thread for what else may wait. */
	struct look *look = request->server->overdue ? NULL : look_new(request);

	if (!look)
		return false;
	/* What it must not share with those beside it the deck knows. */
	look->config = *deck_get_config(request->deck);
	look->config.guests_folder = NULL;
	if (aside_begin(request, &kind, look, NULL) < 0) {
		look_release(look);
		return false;
	}
	look->guest = guest;
	return true;
}

static int show_guest(struct request *request, struct cause *cause)
{
	const struct profile *profile = guest_profile(request->guest);
	json_t *object = guest_json(request->guest);

	if (!object)
		return cause_errno(cause, ENOMEM, "guest.show");
	if (profile) {
		json_object_set_new(object, "firmware",
				    text_or_null(guest_firmware(request->guest)));
		json_object_set_new(object, "kernel", message_text(profile->kernel));
		json_object_set_new(object, "initrd", message_text(profile->initrd));
		json_object_set_new(object, "cmdline", text_or_null(profile->cmdline));
		json_object_set_new(object, "ssh", json_null());
		json_object_set_new(object, "ssh_from", json_null());
		json_object_set_new(object, "vsock", json_null());
		if (guest_state_in(guest_get_state(request->guest), GUEST_ALIVE))
			add_ways(object, request, profile);
	}
	json_object_set_new(object, "exits", exits_json(request->guest));
	json_object_set_new(object, "registers", text_or_null(guest_registers(request->guest)));
	json_object_set_new(object, "console_tail", tail_json(request->guest));
	json_object_set_new(object, "devices", devices_json(request->guest));
	json_object_set_new(object, "memory_view", memory_json(request->guest));
	if (!look_closer(request, object))
		request->result = object;
	return 0;
}

static int unlock(struct request *request, struct cause *cause)
{
	return guest_unlock(request->guest, param_string(request, "device"),
			    param_string(request, "secret"), cause);
}

const struct handler guest_commands[] = {
	{ METHOD_GUEST_LIST, .run = list_guests },
	{ METHOD_GUEST_SHOW, .run = show_guest },
	{ METHOD_GUEST_UNLOCK, .run = unlock },
	HANDLERS_END
};
