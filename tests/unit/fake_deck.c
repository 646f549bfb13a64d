/* A deck without machines: see fake_deck.h. */
#include "fake_deck.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "core/bus/device.h"
#include "core/deck/check.h"
#include "core/deck/insertion.h"
#include "core/deck/resizing.h"
#include "core/disk/disk.h"
#include "core/virtio/vsock.h"
#include "net/capture/filter_compiler.h"
#include "net/decode/decode.h"
#include "net/network.h"
#include "net/service/dhcp.h"

#define GUESTS 3
#define CAPTURES 600

struct stats_series {
	unsigned fields;
	uint64_t count;
	float values[32];
};

struct guest {
	struct deck *deck;
	const char *name, *path;
	enum guest_state state;
	uint64_t since;
	unsigned restarts;
	char reason[128];
	struct profile *profile;
	struct profile_net net;
	struct profile_report report;
	struct console consoles[CONSOLES];
	struct stats_series series;
	uint64_t balloon; /* guest_resize() */
	char medium[64];  /* guest_exchange() of disk0 */
	char secret[64];  /* guest_unlock() */
};

struct deck {
	struct fake_deck *fake;
	struct loop loop;
	struct guest *guests[GUESTS];
	size_t count;
	struct deck_listener *listeners;
	void (*ended)(void *arg);
	void *ended_arg;
};

struct capture {
	struct capture_config config;
	struct capture_stats stats;
	bool ended;
};

static struct {
	pthread_mutex_t lock;
	struct capture *all[CAPTURES];
	atomic_uint prepared;
} captures = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct profile_mistake broken_mistakes[] = {
	{ 3, "memory: 'x' is not a size; write 512M or 2G" },
	{ 7, "colour: there is no such key in [guest]" },
};

/* --- deck.h --- */

static void emit(struct deck *deck, const struct guest *guest, int kind, const char *text)
{
	struct deck_event event = { .time_ns = clock_wall(), .guest = guest, .text = text };
	struct deck_listener *listener, *next;

	event.kind = kind;
	if (guest) {
		event.name = guest->name;
		event.state = guest->state;
	}
	for (listener = deck->listeners; listener; listener = next) {
		next = listener->next;
		listener->event(listener->arg, &event);
	}
}

void guest_say(const struct guest *guest, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	emit(guest->deck, guest, DECK_EVENT_LOG, text);
}

static void change(struct guest *guest, enum guest_state state, const char *reason)
{
	guest->state = state;
	guest->since = clock_wall();
	snprintf(guest->reason, sizeof(guest->reason), "%s", reason);
	emit(guest->deck, guest, DECK_EVENT_STATE, reason);
}

struct loop *deck_loop(struct deck *deck) { return &deck->loop; }
struct network *deck_network(struct deck *deck) { return (struct network *)deck; }
const char *deck_name(const struct deck *deck) { (void)deck; return "demo"; }

void deck_refresh(struct deck *deck) { (void)deck; }

void guest_pending(const struct guest *guest, char out[GUEST_PENDING_SIZE])
{
	snprintf(out, GUEST_PENDING_SIZE, "%s", guest->profile ? "memory" : "");
}

void guest_orphaned(const struct guest *guest, char out[GUEST_ORPHANED_SIZE])
{
	snprintf(out, GUEST_ORPHANED_SIZE, "%s", guest->profile ? "" : "is gone");
}

int deck_reload(struct deck *deck, const struct deck_notes *notes, struct cause *cause)
{
	(void)cause;
	notes->add(notes->arg, "web: its profile has changed: \033memory", false);
	notes->add(notes->arg, "web: its profile has changed: \033memory", true);
	notes->add(notes->arg, "db: its profile is gone", true);
	emit(deck, NULL, DECK_EVENT_PROFILES, "");
	return 0;
}

void deck_end(struct deck *deck, bool force, void (*ended)(void *arg), void *arg)
{
	atomic_store(&deck->fake->forced, force);
	for (size_t i = 0; i < deck->count; i++)
		if (deck->guests[i]->state == GUEST_RUNNING)
			change(deck->guests[i], GUEST_STOPPED, "");
	ended(arg);
}

void deck_listen(struct deck *deck, struct deck_listener *listener)
{
	listener->next = deck->listeners;
	deck->listeners = listener;
}

void deck_replay(struct deck *deck, const struct deck_listener *listener)
{
	static const struct deck_event kept[] = {
		{ .time_ns = 1, .kind = DECK_EVENT_LOG, .text = "said at start-up" },
		{ .time_ns = 2, .kind = DECK_EVENT_STATE, .name = "web", .state = GUEST_CRASHED,
		  .text = "triple fault" },
	};

	(void)deck;
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		listener->event(listener->arg, &kept[i]);
}

void deck_unlisten(struct deck *deck, struct deck_listener *listener)
{
	struct deck_listener **at;

	for (at = &deck->listeners; *at != listener; at = &(*at)->next)
		;
	*at = listener->next;
}

void deck_notice(struct deck *deck, const char *format, ...)
{
	va_list ap;

	pthread_mutex_lock(&deck->fake->lock);
	va_start(ap, format);
	vsnprintf(deck->fake->notice, sizeof(deck->fake->notice), format, ap);
	va_end(ap);
	pthread_mutex_unlock(&deck->fake->lock);
}

bool fake_noticed(struct fake_deck *fake, const char *text)
{
	bool is;

	pthread_mutex_lock(&fake->lock);
	is = strcmp(fake->notice, text) == 0;
	pthread_mutex_unlock(&fake->lock);
	return is;
}

struct guest *deck_guest(struct deck *deck, size_t index)
{
	return index < deck->count ? deck->guests[index] : NULL;
}

struct guest *deck_find(struct deck *deck, const char *name)
{
	for (size_t i = 0; i < deck->count; i++)
		if (strcmp(deck->guests[i]->name, name) == 0)
			return deck->guests[i];
	return NULL;
}

static int start_guest(struct guest *guest, struct cause *cause)
{
	if (strcmp(guest->name, "db") == 0 && guest->state == GUEST_STOPPED)
		return cause_set(cause, ENOMEM, "db: no memory; end another guest");
	if (guest->state == GUEST_STOPPING) /* it never ends */
		return 0;
	change(guest, GUEST_STARTING, "");
	if (atomic_load(&guest->deck->fake->start_crashes))
		change(guest, GUEST_CRASHED, "triple fault");
	else
		change(guest, GUEST_RUNNING, "");
	return 0;
}

int guest_order(struct guest *guest, enum method_id method, struct cause *cause)
{
	switch (method) {
	case METHOD_GUEST_START:
		return start_guest(guest, cause);
	case METHOD_GUEST_STOP:
		change(guest, GUEST_STOPPING, "");
		change(guest, GUEST_STOPPED, "power button");
		return 0;
	case METHOD_GUEST_OFF:
		change(guest, GUEST_STOPPED, "forced");
		return 0;
	case METHOD_GUEST_PAUSE:
		change(guest, GUEST_PAUSED, "");
		return 0;
	case METHOD_GUEST_RESUME:
		change(guest, GUEST_RUNNING, "");
		return 0;
	default:
		return cause_set(cause, EBUSY, "%s: resetting already", guest->name);
	}
}

const char *guest_name(const struct guest *guest) { return guest->name; }
enum guest_state guest_get_state(const struct guest *guest) { return guest->state; }
uint64_t guest_since(const struct guest *guest) { return guest->since; }
const char *guest_held(const struct guest *guest) { (void)guest; return ""; }
uint64_t guest_pressed(const struct guest *guest) { (void)guest; return 0; }
unsigned guest_restarts(const struct guest *guest) { return guest->restarts; }
bool guest_is_looping(const struct guest *guest) { (void)guest; return false; }
bool guest_is_resetting(const struct guest *guest) { (void)guest; return false; }
bool guest_starts_again(const struct guest *guest) { (void)guest; return false; }
const char *guest_reason(const struct guest *guest) { return guest->reason; }
const struct profile *guest_profile(const struct guest *guest) { return guest->profile; }
const char *guest_profile_path(const struct guest *guest) { return guest->path; }
const struct profile_report *guest_mistakes(const struct guest *guest) { return &guest->report; }
struct console *guest_console(struct guest *guest, unsigned console)
{
	return &guest->consoles[console];
}

unsigned guest_shown_console(const struct guest *guest)
{
	return strcmp(guest->name, "db") == 0 ? CONSOLE_VIRTIO : CONSOLE_SERIAL;
}

const char *guest_firmware(const struct guest *guest)
{
	return guest->profile && guest->profile->firmware == FIRMWARE_BIOS ? "bios" : "";
}

const char *guest_registers(const struct guest *guest)
{
	return guest->state == GUEST_CRASHED ? "rip 0000\nrsp 1000\n" : "";
}

const struct spans *stats_spans(const struct stats_series *series)
{
	static struct spans *spans;
	float values[SPAN_FIELDS] = { [STATS_CPU] = 50, [STATS_MEMORY] = 1 << 20 };

	(void)series;
	if (!spans) {
		spans = spans_new();
		spans_add(spans, values, 100 * NS_PER_S);
		spans_add(spans, NULL, 125 * NS_PER_S);
		values[STATS_CPU] = 25;
		spans_add(spans, values, 131 * NS_PER_S);
	}
	return spans;
}

struct stats_series *guest_stats(struct guest *guest)
{
	return guest->profile ? &guest->series : NULL;
}

size_t guest_exits(const struct guest *guest, struct guest_exit_count *out, size_t room)
{
	if (guest->state != GUEST_RUNNING)
		return 0;
	if (room > 0)
		out[0] = (struct guest_exit_count){ "IO", 12345678901 };
	if (room > 1)
		out[1] = (struct guest_exit_count){ "HLT", 7 };
	return 2;
}

void guest_memory_view(const struct guest *guest, struct device_memory *out)
{
	*out = (struct device_memory){ .present = true, .target = guest->balloon,
				       .balloon = 32 << 20,
				       .known = 1u << MEMORY_TOTAL, .age = 5 * NS_PER_MS };
	out->stats[MEMORY_TOTAL] = 120 << 20;
}

/* The balloon is resized at once, a disk by a file, which fake->answers waits for. */
struct resizing {
	struct guest *guest;
	uint64_t bytes;
};

int resizing_new(struct resizing **out, struct guest *guest, const char *device, uint64_t bytes,
		 struct cause *cause)
{
	*out = NULL;
	if (strcmp(device, "disk0") == 0) {
		*out = calloc(1, sizeof(**out));
		**out = (struct resizing){ guest, bytes };
		return 0;
	}
	if (strcmp(device, "balloon") != 0)
		return cause_set(cause, ENOENT, "%s: there is no device %s", guest->name, device);
	guest->balloon = bytes;
	return 0;
}

void resizing_run(struct resizing *resizing)
{
	const struct fake_deck *fake = resizing->guest->deck->fake;

	while (!atomic_load(&fake->answers))
		usleep(1000);
}

int resizing_finish(struct resizing *resizing, struct deck *deck, struct cause *cause)
{
	(void)deck;
	if (resizing->bytes > 1 << 30)
		return cause_set(cause, ENOSPC, "%s: disk0: no space", resizing->guest->name);
	return 0;
}

void resizing_free(struct resizing *resizing)
{
	free(resizing);
}

int guest_exchange(struct guest *guest, const char *device, struct disk **medium, bool force,
		   struct cause *cause)
{
	(void)medium;
	if (strcmp(device, "disk0") != 0)
		return cause_set(cause, ENOENT, "%s: there is no device %s", guest->name, device);
	if (!force)
		return cause_set(cause, EBUSY, "%s: %s: the guest holds the medium", guest->name,
				 device);
	guest->medium[0] = '\0';
	return 0;
}

struct insertion {
	struct guest *guest;
	char path[sizeof(((struct guest *)0)->medium)];
};

int insertion_new(struct insertion **out, struct guest *guest, const char *device,
		  const char *path, bool force, struct cause *cause)
{
	(void)force;
	if (strcmp(device, "disk0") != 0)
		return cause_set(cause, EINVAL, "%s: %s is no drive with a medium", guest->name,
				 device);
	*out = calloc(1, sizeof(**out));
	(*out)->guest = guest;
	snprintf((*out)->path, sizeof((*out)->path), "%s", path);
	return 0;
}

void insertion_open(struct insertion *insertion)
{
	const struct fake_deck *fake = insertion->guest->deck->fake;

	while (strstr(insertion->path, "hung") && !atomic_load(&fake->answers))
		usleep(1000);
}

int insertion_finish(struct insertion *insertion, struct deck *deck, struct cause *cause)
{
	(void)deck;
	(void)cause;
	strcpy(insertion->guest->medium, insertion->path);
	return 0;
}

void insertion_free(struct insertion *insertion)
{
	free(insertion);
}

/* A medium that is on its way is none of the fake's. */
void disk_close(struct disk *disk)
{
	assert(!disk);
}

int guest_unlock(struct guest *guest, const char *device, const char *secret,
		 struct cause *cause)
{
	if (strcmp(device, "disk0") != 0)
		return cause_set(cause, ENODEV, "%s: it has no %s", guest->name, device);
	snprintf(guest->secret, sizeof(guest->secret), "%s", secret);
	return 0;
}

bool guest_is_locked(const struct guest *guest, unsigned disk)
{
	return guest->profile && disk == 0 && !*guest->secret;
}

const char *guest_disk_path(const struct guest *guest, unsigned disk)
{
	return *guest->medium ? guest->medium : guest->profile->disks[disk].path;
}

size_t guest_devices(const struct guest *guest, struct guest_device *out, size_t room)
{
	if (guest->state != GUEST_RUNNING)
		return 0;
	if (room) {
		strcpy(out[0].name, "net0");
		strcpy(out[0].status, "running");
	}
	return 1;
}

bool guest_has_screen(const struct guest *guest) { return strcmp(guest->name, "web") == 0; }

bool guest_screen(const struct guest *guest, struct screen *out)
{
	struct fake_deck *fake = guest->deck->fake;

	pthread_mutex_lock(&fake->lock);
	*out = fake->screen;
	pthread_mutex_unlock(&fake->lock);
	return guest_has_screen(guest);
}

size_t guest_keys(const struct guest *guest, const uint8_t *text, size_t size)
{
	struct fake_deck *fake = guest->deck->fake;

	pthread_mutex_lock(&fake->lock);
	size = size < fake->keys_room ? size : fake->keys_room;
	memcpy(fake->keys + fake->keys_size, text, size);
	fake->keys_size += size;
	fake->keys_room -= size;
	pthread_mutex_unlock(&fake->lock);
	return size;
}

/* --- stats.h --- */

unsigned stats_fields(const struct stats_series *series) { return series->fields; }
uint64_t stats_count(const struct stats_series *series) { return series->count; }

float stats_last(const struct stats_series *series, unsigned field)
{
	return series->values[field];
}

size_t stats_history(const struct stats_series *series, unsigned field, float *out, size_t room)
{
	size_t count = series->count < room ? series->count : room;

	for (size_t i = 0; i < count; i++)
		out[i] = series->values[field];
	return count;
}

/* --- profile.h --- */

const struct deck_config *deck_get_config(const struct deck *deck)
{
	static const struct deck_config config;

	(void)deck;
	return &config;
}

int deck_check(const struct deck_config *config, const char *path, struct profile_report *report)
{
	(void)config;
	*report = (struct profile_report){ 0 };
	if (strstr(path, "broken"))
		profile_report_add(report, broken_mistakes[0].line, "%s", broken_mistakes[0].text);
	else if (!strstr(path, "bad"))
		return 0;
	profile_report_add(report, 4, "cpus: 0 is too few; write 1 to 64");
	return -EINVAL;
}

/* --- net --- */

const char *net_verdict_name(enum net_verdict verdict)
{
	static const char *const names[NET_VERDICT_COUNT] = {
		"forward", "flood", "short", "long", "same port", "no buffer", "over share",
		"link down", "bad source", "forged source",
	};

	return names[verdict];
}

static const struct port_kind outward = { .name = "nat" };
static const struct switch_config lan = { .name = "lan", .uplink = &outward,
					  .address = 0x0a000202, .prefix = 24 };
static const struct switch_config quiet = { .name = "quiet" };

size_t network_list_switches(struct network *network, struct net_switch **out, size_t room)
{
	const struct switch_config *all[] = { &lan, &quiet };

	(void)network;
	for (size_t i = 0; i < 2 && i < room; i++)
		out[i] = (struct net_switch *)all[i];
	return 2;
}

int vsock_find_path(const struct profile *profile, char **path, struct cause *cause)
{
	(void)profile;
	*path = NULL;
	return cause_set(cause, ENOENT, "no guest of these has vsock");
}

struct net_switch *network_find_switch(struct network *network, const char *name)
{
	struct net_switch *switches[2];

	network_list_switches(network, switches, 2);
	for (size_t i = 0; i < 2; i++)
		if (strcmp(switch_get_config(switches[i])->name, name) == 0)
			return switches[i];
	return NULL;
}

const struct switch_config *switch_get_config(const struct net_switch *sw)
{
	return (const struct switch_config *)sw;
}

size_t switch_describe_port(struct net_switch *sw, const char *name, struct port_field *out,
			    size_t room)
{
	(void)sw;
	if (strcmp(name, "z/nat") != 0 || !room)
		return 0;
	out->name = "state";
	strcpy(out->text, "connected to tcp://192.0.2.1:4000");
	return 1;
}

size_t switch_describe(struct net_switch *sw, struct port_field *out, size_t room)
{
	if (switch_get_config(sw) != &lan)
		return 0;
	if (room)
		*out = (struct port_field){ "address", "10.0.2.2/24" };
	return 1;
}

static struct net_port_settings web_settings; /* of web/net0 */

int network_get_port(struct network *network, const char *name, struct net_port_settings *out,
		     struct cause *cause)
{
	(void)network;
	if (strcmp(name, "web/net0"))
		return cause_set(cause, ENOENT, "port '%s': there is none", name);
	*out = web_settings;
	return 0;
}

int network_set_port(struct network *network, const char *name,
		     const struct net_port_settings *settings, struct cause *cause)
{
	(void)network;
	(void)name;
	(void)cause;
	web_settings = *settings;
	return 0;
}

/* Of web/net0: it holds a frame as soon as it is set, which other bytes replace when it is decided. */
static struct {
	char words[64];
	uint8_t data[NET_FRAME_MAX];
	uint32_t size;
	bool decided;
} web_break;

int network_break_port(struct network *network, const char *name, struct filter *filter,
		       const char *words, struct cause *cause)
{
	(void)network;
	(void)filter;
	if (strcmp(name, "web/net0"))
		return cause_set(cause, ENOENT, "port '%s': there is none", name);
	snprintf(web_break.words, sizeof(web_break.words), "%s", words ? words : "");
	web_break.size = 70;
	web_break.decided = false;
	for (unsigned i = 0; i < web_break.size; i++)
		web_break.data[i] = (uint8_t)i;
	return 0;
}

int network_decide_port(struct network *network, const char *name,
			const struct net_decision *decision, struct cause *cause)
{
	(void)network;
	if (!web_break.size || strcmp(name, "web/net0"))
		return cause_set(cause, ENOENT, "port '%s' holds no frame", name);
	web_break.size = decision->data ? decision->size : 0;
	web_break.decided = true;
	if (decision->data)
		memcpy(web_break.data, decision->data, decision->size);
	return 0;
}

/* To whom the first byte says; the last one is what is looked at. */
int network_inject_port(struct network *network, const char *name, const uint8_t *data,
			uint32_t size, struct switch_injected *out, struct cause *cause)
{
	(void)network;
	if (strcmp(name, "web/net0"))
		return cause_set(cause, ENOENT, "port '%s': there is none", name);
	out->verdict = data[0] == 0xff ? NET_FLOOD : data[size - 1] ? NET_DROP_FORGED : NET_FORWARD;
	strcpy(out->to, out->verdict == NET_FORWARD ? "db/net0" : "");
	return 0;
}

void deck_look_at_breaks(struct deck *deck)
{
	(void)deck;
}

size_t switch_list_breaks(struct net_switch *sw, struct switch_break_info *out, size_t room)
{
	if (switch_get_config(sw) != &lan || !*web_break.words)
		return 0;
	if (!room)
		return 1;
	memset(out, 0, sizeof(*out));
	strcpy(out->port, "web/net0");
	out->words = strdup(web_break.words);
	out->decided = web_break.decided;
	out->since = 1000000000ull * 1700000000;
	out->size = web_break.size;
	out->behind = 2;
	if (!out->size)
		return 1;
	out->data = malloc(out->size);
	memcpy(out->data, web_break.data, out->size);
	return 1;
}

void switch_break_free(struct switch_break_info *info)
{
	free(info->words);
	free(info->data);
}

size_t switch_list_ports(struct net_switch *sw, struct switch_port_info *out, size_t room)
{
	if (switch_get_config(sw) != &lan)
		return 0;
	if (room >= 4) {
		out[0] = (struct switch_port_info){ .name = "web10/net0", .kind = "guest" };
		out[1] = (struct switch_port_info){ .name = "web/net0", .kind = "guest", .slot = 7,
						    .mac = { 0x52, 0x54, 0, 1, 2, 3 },
						    .counters = { .rx_frames = 5, .rx_bytes = 500,
								  .tx_frames = 6,
								  .tx_bytes = 600 } };
		out[1].counters.drops[NET_DROP_NO_BUFFER] = 3;
		out[1].settings = web_settings;
		out[2] = (struct switch_port_info){ .name = "web9/net0", .kind = "guest" };
		out[3] = (struct switch_port_info){ .name = "z/nat", .kind = "nat" };
	}
	return 4;
}

size_t switch_list_vlans(struct net_switch *sw, struct switch_vlan_info *out, size_t room)
{
	(void)sw;
	if (room)
		*out = (struct switch_vlan_info){ .vlan = 10, .frames = 3, .bytes = 2048 };
	return 1;
}

size_t switch_list_macs(struct net_switch *sw, struct switch_mac_info *out, size_t room)
{
	if (switch_get_config(sw) != &lan)
		return 0;
	if (room)
		*out = (struct switch_mac_info){ { 0x52, 0x54, 0, 1, 2, 3 }, "web/net0", 9, 0 };
	return 1;
}

size_t switch_list_leases(struct net_switch *sw, struct dhcp_lease_info *out, size_t room)
{
	if (switch_get_config(sw) != &lan)
		return 0;
	if (room >= 2) {
		out[0] = (struct dhcp_lease_info){ { 0x52, 0x54, 0, 1, 2, 3 }, 0x0a00020f, 3600,
						   7, true, "demo" };
		out[1] = (struct dhcp_lease_info){ { 0x52, 0x54, 0, 1, 2, 4 }, 0x0a000210, 3600,
						   DHCP_NO_PORT, false, "demo" };
	}
	return 2;
}

void packet_summarize(const uint8_t *data, size_t captured, size_t size,
		      struct packet_summary *out)
{
	(void)size;
	memset(out, 0, sizeof(*out));
	strcpy(out->from, "10.0.2.15");
	strcpy(out->to, "10.0.2.2");
	strcpy(out->protocol, "ARP");
	snprintf(out->text, sizeof(out->text), "number %u", captured ? data[0] : 0);
}

void packet_summarize_next(struct sequence_table *sequences, const uint8_t *data, size_t captured,
			   size_t size, struct packet_summary *out)
{
	(void)sequences;
	packet_summarize(data, captured, size, out);
}

/* --- capture.h: section header, interface, packets of 4 bytes, statistics --- */

static void put_block(struct capture *capture, uint32_t type, const void *body, uint32_t size)
{
	uint32_t length = size + 12;
	uint8_t block[128];

	memcpy(block, &type, 4);
	memcpy(block + 4, &length, 4);
	memcpy(block + 8, body, size);
	memcpy(block + 8 + size, &length, 4);
	if (write(capture->config.fd, block, length) == (ssize_t)length)
		capture->stats.bytes += length;
	else
		capture->stats.dropped++;
}

struct capture_hub *network_capture_hub(struct network *network)
{
	return (struct capture_hub *)network;
}

static void tell_compiled(void *arg)
{
	struct filter_compiler *compiler = arg;
	bool bad = strcmp(compiler->expression, "bad") == 0;

	compiler->loop = NULL;
	cause_set(&compiler->cause, EINVAL, "filter: 'bad': syntax error");
	compiler->done(compiler->arg, &compiler->filter, bad ? -EINVAL : 0, &compiler->cause);
}

/* "wrong" is refused at once, "bad" later, "slow" never ends; others compile to nothing. */
int filter_compile(struct filter_compiler *compiler, struct loop *loop, const char *expression,
		   struct cause *cause)
{
	if (strcmp(expression, "wrong") == 0)
		return cause_set(cause, EINVAL, "filter: 'wrong' is no word");
	compiler->loop = loop;
	compiler->expression = expression;
	compiler->finish = (struct loop_task){ .run = tell_compiled, .arg = compiler };
	if (strcmp(expression, "slow") != 0)
		loop_post(loop, &compiler->finish);
	return 0;
}

void filter_compile_cancel(struct filter_compiler *compiler)
{
	if (compiler->loop)
		loop_unpost(compiler->loop, &compiler->finish);
}

void filter_free(struct filter *filter)
{
	(void)filter; /* they compile to nothing */
}

bool capture_hub_knows(struct capture_hub *hub, const char *name)
{
	static const char *const known[] = { "lan", "quiet", "web/net0" };

	(void)hub;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

int capture_prepare(struct capture **out, struct capture_hub *hub,
		    const struct capture_config *config, struct cause *cause)
{
	(void)hub;
	atomic_fetch_add(&captures.prepared, 1);
	(void)cause;
	*out = calloc(1, sizeof(**out));
	(*out)->config = *config;
	return 0;
}

int capture_begin(struct capture *capture, int fd, struct cause *cause)
{
	static const uint32_t section[] = { 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff };
	static const uint32_t interface[] = { 1, 65535 };

	(void)cause;
	capture->config.fd = fd;
	if (fd >= 0) {
		put_block(capture, 0x0a0d0d0a, section, sizeof(section));
		put_block(capture, 1, interface, sizeof(interface));
	}
	pthread_mutex_lock(&captures.lock);
	for (size_t i = 0; i < CAPTURES; i++)
		if (!captures.all[i]) {
			captures.all[i] = capture;
			break;
		}
	pthread_mutex_unlock(&captures.lock);
	return 0;
}

void capture_discard(struct capture *capture)
{
	free(capture);
}

int capture_start(struct capture **out, struct capture_hub *hub,
		  const struct capture_config *config, struct cause *cause)
{
	int error = capture_prepare(out, hub, config, cause);

	return error ? error : capture_begin(*out, config->fd, cause);
}

void capture_stop(struct capture *capture, struct capture_stats *last)
{
	uint32_t statistics[] = { 0, 0, 0, 5 | 8u << 16, 0, 0, 0 };

	usleep(2000); /* the real one waits for its thread */
	pthread_mutex_lock(&captures.lock);
	for (size_t i = 0; i < CAPTURES; i++)
		if (captures.all[i] == capture)
			captures.all[i] = NULL;
	pthread_mutex_unlock(&captures.lock);
	statistics[4] = (uint32_t)capture->stats.dropped;
	if (capture->config.fd >= 0) {
		put_block(capture, 5, statistics, sizeof(statistics));
		close(capture->config.fd);
	}
	if (last)
		*last = capture->stats;
	free(capture);
}

void capture_get_stats(const struct capture *capture, struct capture_stats *out)
{
	pthread_mutex_lock(&captures.lock);
	*out = capture->stats;
	pthread_mutex_unlock(&captures.lock);
}

static void feed(struct capture *capture, unsigned count)
{
	uint8_t data[4] = { 0 };
	struct capture_record record = { .time_ns = 1000, .port = "web/net0", .to = "db/net0",
					 .verdict = NET_FORWARD, .size = 60, .captured = 4,
					 .data = data };
	uint32_t packet[] = { 0, 0, 1000, 4, 60, 0 };

	for (unsigned i = 0; i < count && !capture->ended; i++) {
		data[0] = (uint8_t)i;
		if (capture->config.records)
			capture->config.records(capture->config.arg, &record, 1);
		else
			put_block(capture, 6, packet, sizeof(packet));
		capture->stats.records++;
	}
}

void fake_packets(struct fake_deck *fake, unsigned count)
{
	(void)fake;
	pthread_mutex_lock(&captures.lock);
	for (size_t i = 0; i < CAPTURES; i++)
		if (captures.all[i])
			feed(captures.all[i], count);
	pthread_mutex_unlock(&captures.lock);
}

void fake_end_captures(struct fake_deck *fake, int error, const char *why)
{
	struct cause cause;

	(void)fake;
	cause_set(&cause, 0, "%s", why);
	pthread_mutex_lock(&captures.lock);
	for (size_t i = 0; i < CAPTURES; i++) {
		struct capture *capture = captures.all[i];

		if (!capture || capture->config.records || capture->ended)
			continue;
		capture->ended = true;
		capture->config.ended(capture->config.arg, error, &cause);
	}
	pthread_mutex_unlock(&captures.lock);
}

unsigned fake_captures(struct fake_deck *fake)
{
	unsigned count = 0;

	(void)fake;
	pthread_mutex_lock(&captures.lock);
	for (size_t i = 0; i < CAPTURES; i++)
		count += captures.all[i] != NULL;
	pthread_mutex_unlock(&captures.lock);
	return count;
}

unsigned fake_prepared(struct fake_deck *fake)
{
	(void)fake;
	return atomic_load(&captures.prepared);
}

/* --- the test's side --- */

struct call {
	struct loop_task task;
	struct deck *deck;
	void (*run)(struct deck *deck, void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
};

static void run_call(void *arg)
{
	struct call *call = arg;

	call->run(call->deck, call->arg);
	pthread_mutex_lock(&call->lock);
	call->done = true;
	pthread_cond_signal(&call->wake);
	pthread_mutex_unlock(&call->lock);
}

void fake_call(struct fake_deck *fake, void (*run)(struct deck *deck, void *arg), void *arg)
{
	struct call call = { .deck = fake->deck, .run = run, .arg = arg,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .wake = PTHREAD_COND_INITIALIZER };

	call.task = (struct loop_task){ .run = run_call, .arg = &call };
	loop_post(&fake->deck->loop, &call.task);
	pthread_mutex_lock(&call.lock);
	while (!call.done)
		pthread_cond_wait(&call.wake, &call.lock);
	pthread_mutex_unlock(&call.lock);
}

static size_t type_into(void *arg, unsigned line, const uint8_t *data, size_t size)
{
	struct fake_deck *fake = arg;
	size_t room;

	(void)line;
	pthread_mutex_lock(&fake->lock);
	room = fake->typed_room - fake->typed_size;
	size = size < room ? size : room;
	memcpy(fake->typed + fake->typed_size, data, size);
	fake->typed_size += size;
	pthread_mutex_unlock(&fake->lock);
	return size;
}

static void set_window(void *arg, unsigned line, unsigned rows, unsigned columns)
{
	struct fake_deck *fake = arg;

	pthread_mutex_lock(&fake->lock);
	fake->window_line = line;
	fake->rows = rows;
	fake->columns = columns;
	pthread_mutex_unlock(&fake->lock);
}

static int send_break(void *arg, unsigned line)
{
	struct fake_deck *fake = arg;
	bool room;

	(void)line;
	pthread_mutex_lock(&fake->lock);
	room = fake->typed_size < fake->typed_room;
	fake->breaks += room;
	pthread_mutex_unlock(&fake->lock);
	return room ? 0 : -EAGAIN;
}

static const struct console_ops line_ops = {
	.input = type_into,
	.send_break = send_break,
	.window = set_window,
};

static struct guest *add_guest(struct deck *deck, const char *name, enum guest_state state,
			       unsigned cpus)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	guest->deck = deck;
	guest->name = name;
	guest->state = state;
	guest->since = clock_wall();
	for (unsigned i = 0; i < CONSOLES; i++)
		console_init(&guest->consoles[i], &deck->loop);
	deck->guests[deck->count++] = guest;
	if (!cpus) {
		guest->path = "/profiles/broken.ini";
		guest->report = (struct profile_report){ .mistakes = broken_mistakes, .count = 2 };
		return guest;
	}
	guest->series.fields = STATS_VCPU + cpus;
	guest->profile = calloc(1, sizeof(*guest->profile));
	guest->profile->cpus = cpus;
	guest->profile->memory = 512ull << 20;
	guest->net = (struct profile_net){
		.switch_name = "lan", .mac = { 0x52, 0x54, 0, 1, 2, 3 }
	};
	guest->profile->nets[0] = &guest->net;
	guest->profile->cloud.user = (char *)"me";
	guest->profile->kernel = (char *)"/boot/vmlinuz";
	guest->profile->cmdline = (char *)"dyndbg=\"file a.c; file b.c\" quiet";
	/* A file system may hold any bytes: these are not UTF-8. The other one is there. */
	guest->profile->disks[0] = (struct profile_disk){
		.present = true, .readonly = true,
		.path = strcmp(name, "db") ? (char *)"/disks/\xff.raw" : (char *)"/dev/null"
	};
	return guest;
}

static void free_guest(struct guest *guest)
{
	for (unsigned i = 0; i < CONSOLES; i++)
		console_destroy(&guest->consoles[i]);
	free(guest->profile);
	free(guest);
}

static void *deck_thread(void *arg)
{
	struct deck *deck = arg;

	loop_run(&deck->loop);
	return NULL;
}

static void note_quit(void *arg)
{
	struct fake_deck *fake = arg;

	atomic_store(&fake->quit, true);
}

void fake_start(struct fake_deck *fake)
{
	struct deck *deck = calloc(1, sizeof(*deck));
	struct cause cause;

	memset(fake, 0, sizeof(*fake));
	pthread_mutex_init(&fake->lock, NULL);
	fake->typed_room = FAKE_TYPED_MAX;
	fake->deck = deck;
	deck->fake = fake;
	strcpy(fake->folder, "/tmp/vmdeck-test-XXXXXX");
	if (!mkdtemp(fake->folder) || loop_init(&deck->loop, &cause) < 0)
		abort();
	add_guest(deck, "broken", GUEST_INVALID, 0);
	console_attach(&add_guest(deck, "db", GUEST_DEFINED, 4)->consoles[CONSOLE_VIRTIO],
		       &line_ops, fake, CONSOLE_VIRTIO);
	console_attach(&add_guest(deck, "web", GUEST_RUNNING, 2)->consoles[CONSOLE_SERIAL],
		       &line_ops, fake, CONSOLE_SERIAL);
	snprintf(fake->socket, sizeof(fake->socket), "%s/run/deck.sock", fake->folder);
	if (server_new(&fake->server, deck, &cause) < 0 ||
	    endpoint_find(&fake->endpoint, fake->socket, &cause) < 0 ||
	    server_listen(fake->server, &fake->endpoint, &cause) < 0) {
		fprintf(stderr, "%s\n", cause.text);
		abort();
	}
	server_on_quit(fake->server, note_quit, fake);
	pthread_create(&fake->thread, NULL, deck_thread, deck);
}

static void remove_folder(const char *folder)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/run", folder);
	rmdir(path);
	rmdir(folder);
}

void fake_stop(struct fake_deck *fake)
{
	loop_stop(&fake->deck->loop);
	pthread_join(fake->thread, NULL);
	server_free(fake->server);
	for (size_t i = 0; i < fake->deck->count; i++)
		free_guest(fake->deck->guests[i]);
	loop_destroy(&fake->deck->loop);
	free(fake->deck);
	pthread_mutex_destroy(&fake->lock);
	remove_folder(fake->folder);
}

int fake_setup(void **state)
{
	struct fake_deck *fake = calloc(1, sizeof(*fake));

	if (!fake)
		abort();
	fake_start(fake);
	setenv("VMDECK_SOCKET", fake->socket, 1);
	*state = fake;
	return 0;
}

int fake_teardown(void **state)
{
	fake_stop(*state);
	free(*state);
	return 0;
}

int fake_socket(struct fake_deck *fake)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    server_adopt(fake->server, pair[1]) < 0)
		abort();
	return pair[0];
}

struct link *fake_link(struct fake_deck *fake)
{
	struct link *link;

	if (link_adopt(&link, fake_socket(fake), NULL) < 0)
		abort();
	return link;
}

struct find {
	const char *name;
	struct guest *guest;
};

static void find_guest(struct deck *deck, void *arg)
{
	struct find *find = arg;

	find->guest = deck_find(deck, find->name);
}

void fake_print(struct fake_deck *fake, const char *guest, const void *data, size_t size)
{
	struct find find = { .name = guest };

	fake_call(fake, find_guest, &find);
	console_output(guest_console(find.guest, guest_shown_console(find.guest)), data, size);
}

struct sample {
	const char *name;
	float base;
};

static void sample(struct deck *deck, void *arg)
{
	struct sample *order = arg;
	struct stats_series *series = &deck_find(deck, order->name)->series;

	for (unsigned i = 0; i < series->fields; i++)
		series->values[i] = order->base + (float)i;
	series->count++;
}

void fake_sample(struct fake_deck *fake, const char *guest, float base)
{
	struct sample order = { guest, base };

	fake_call(fake, sample, &order);
}

struct state_order {
	const char *name, *reason;
	enum guest_state state;
};

static void set_state(struct deck *deck, void *arg)
{
	struct state_order *order = arg;

	change(deck_find(deck, order->name), order->state, order->reason);
}

void fake_set_state(struct fake_deck *fake, const char *guest, enum guest_state state,
		    const char *reason)
{
	struct state_order order = { guest, reason, state };

	fake_call(fake, set_state, &order);
}

static void log_text(struct deck *deck, void *arg)
{
	emit(deck, NULL, DECK_EVENT_LOG, arg);
}

void fake_log(struct fake_deck *fake, const char *text)
{
	fake_call(fake, log_text, (void *)text);
}

static void remove_guest(struct deck *deck, void *arg)
{
	struct guest *guest = deck_find(deck, arg);
	size_t at = 0;

	while (deck->guests[at] != guest)
		at++;
	memmove(deck->guests + at, deck->guests + at + 1,
		(deck->count - at - 1) * sizeof(*deck->guests));
	deck->count--;
	emit(deck, guest, DECK_EVENT_PROFILES, "gone");
	free_guest(guest);
	emit(deck, NULL, DECK_EVENT_PROFILES, "");
}

void fake_remove(struct fake_deck *fake, const char *guest)
{
	fake_call(fake, remove_guest, (void *)guest);
}
