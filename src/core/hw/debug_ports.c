/*
 * Debug ports. Bytes on vCPU threads, under the lock; whole lines are told on the guest's
 * I/O thread.
 *
 * Port 0x80 takes the codes of a power-on self-test; 0xe9 is that of Bochs, and 0x402 of
 * SeaBIOS and OVMF, which read 0xe9 where it exists. The text is the guest's; who shows
 * an event has it printed as such.
 *
 * Without debug ports the same writes go nowhere, and make no exit: kernels pass the time by
 * port 0x80, and the VGA's BIOS, where there is firmware, writes to 0x402 without having looked.
 */
#include "core/hw/debug_ports.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/loop.h"
#include "base/mutex.h"
#include "core/bus/platform.h"
#include "core/kvm/coalesced.h"
#include "core/profile/profile.h"

#define PRESENT 0xe9
#define LINE_SIZE 128
#define WAITING 64 /* lines that the I/O thread has not told yet */

struct debug_ports;

/* One port with text. */
struct debug_text {
	struct debug_ports *ports;
	uint16_t port;
	unsigned used;
	char line[LINE_SIZE];
};

struct debug_ports {
	struct mutex lock;
	struct device_host *host;
	struct loop_task task;
	struct debug_text texts[2];
	bool coded;	 /* there has been a code */
	uint8_t code;	 /* the last */
	unsigned lines;	 /* told, or waiting to be */
	unsigned waiting, half;
	char wait[2][WAITING][LINE_SIZE + 32]; /* a half is told while the other one is filled */
};

/* Lock held. A line that finds no room is lost: the guest does not wait for its readers. */
static void tell(struct debug_ports *ports, uint16_t port, const char *what)
{
	if (ports->lines > DEBUG_LINES_MAX || ports->waiting == WAITING)
		return;
	if (ports->lines++ == DEBUG_LINES_MAX)
		what = "says more, which is not shown";
	snprintf(ports->wait[ports->half][ports->waiting++], sizeof(ports->wait[0][0]),
		 "port 0x%x: %s", port, what);
	loop_post(ports->host->loop, &ports->task);
}

static void run_task(void *arg)
{
	struct debug_ports *ports = arg;
	unsigned count, half;

	mutex_lock(&ports->lock);
	count = ports->waiting;
	half = ports->half;
	ports->waiting = 0;
	ports->half = !half;
	mutex_unlock(&ports->lock);
	for (unsigned i = 0; i < count; i++)
		ports->host->notice(ports->host, ports->wait[half][i]);
}

static void text_read(void *device, uint64_t offset, void *data, unsigned length)
{
	(void)device;
	(void)offset;
	(void)length;
	*(uint8_t *)data = PRESENT;
}

/* A range of one port, as the next one's, so that an access is one byte. */
static void text_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct debug_text *text = device;
	char byte = *(const char *)data;

	(void)offset;
	(void)length;
	mutex_lock(&text->ports->lock);
	if (byte && byte != '\n' && byte != '\r')
		text->line[text->used++] = byte;
	if (text->used && (byte == '\n' || text->used == LINE_SIZE - 1)) {
		text->line[text->used] = '\0';
		text->used = 0;
		tell(text->ports, text->port, text->line);
	}
	mutex_unlock(&text->ports->lock);
}

static void code_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct debug_ports *ports = device;

	(void)offset;
	(void)length;
	mutex_lock(&ports->lock);
	*(uint8_t *)data = ports->code;
	mutex_unlock(&ports->lock);
}

/* Kernels write there to pass the time: what is the same again is no news. */
static void code_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct debug_ports *ports = device;
	char text[16];

	(void)offset;
	(void)length;
	mutex_lock(&ports->lock);
	if (!ports->coded || ports->code != *(const uint8_t *)data) {
		ports->coded = true;
		ports->code = *(const uint8_t *)data;
		snprintf(text, sizeof(text), "code 0x%02x", ports->code);
		tell(ports, PLATFORM_POST_PORT, text);
	}
	mutex_unlock(&ports->lock);
}

static const uint16_t text_ports[] = { PLATFORM_BOCHS_PORT, PLATFORM_DEBUG_PORT };
static const struct bus_ops text_ops = { "debug port", text_read, text_write };
static const struct bus_ops code_ops = { "POST codes", code_read, code_write };

static bool debug_ports_wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile->debug_ports;
}

static int create_debug_ports(struct device *device, struct cause *cause)
{
	struct debug_ports *ports = device->state;
	struct bus *io = device->host->io;
	int range = bus_add(io, PLATFORM_POST_PORT, 1, &code_ops, ports, cause);

	ports->host = device->host;
	ports->task = (struct loop_task){ .run = run_task, .arg = ports };
	for (unsigned i = 0; range >= 0 && i < ARRAY_SIZE(text_ports); i++) {
		struct debug_text *text = &ports->texts[i];

		text->ports = ports;
		text->port = text_ports[i];
		range = bus_add(io, text->port, 1, &text_ops, text, cause);
	}
	return range < 0 ? range : 0;
}

static void destroy_debug_ports(struct device *device)
{
	struct debug_ports *ports = device->state;

	run_task(ports);
	loop_unpost(device->host->loop, &ports->task);
}

const struct device_type debug_ports_device = {
	.name = "debug ports",
	.size = sizeof(struct debug_ports),
	.wanted = debug_ports_wanted,
	.create = create_debug_ports,
	.destroy = destroy_debug_ports,
};

/* --- where nobody listens --- */

/* As nobody's: firmware that looks first finds no debug port. */
static void unassigned_read(void *device, uint64_t offset, void *data, unsigned length)
{
	(void)device;
	(void)offset;
	bus_read_nobody(data, length);
}

static void unassigned_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	(void)offset;
	(void)data;
	(void)length;
	coalesced_drain(device);
}

static const struct bus_ops unassigned_ops = { "unassigned debug ports", unassigned_read,
					       unassigned_write };

static bool unassigned_ports_wanted(const struct profile *profile, unsigned number)
{
	return !debug_ports_wanted(profile, number) &&
	       profile_firmware(profile) != FIRMWARE_NONE;
}

static int add_unassigned(struct device_host *host, uint64_t port, struct cause *cause)
{
	int range = bus_add(host->io, port, 1, &unassigned_ops, host->coalesced, cause);

	if (range >= 0)
		coalesced_add(host->coalesced, port, 1, NULL, NULL);
	return range < 0 ? range : 0;
}

static int create_unassigned_ports(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	int err = add_unassigned(host, PLATFORM_POST_PORT, cause);

	for (unsigned i = 0; !err && i < ARRAY_SIZE(text_ports); i++)
		err = add_unassigned(host, text_ports[i], cause);
	return err;
}

const struct device_type unassigned_ports_device = {
	.name = "unassigned ports",
	.wanted = unassigned_ports_wanted,
	.create = create_unassigned_ports,
};
