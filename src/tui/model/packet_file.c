/* Packets as pcapng, in the host's byte order. Pure. */
#include "tui/model/packet_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPTION_END = 0, OPTION_COMMENT = 1, OPTION_NAME = 2, OPTION_RESOLUTION = 9 };

#define MAGIC 0x1a2b3c4du
#define LINK_ETHERNET 1
#define NANOSECONDS 9
#define INTERFACES_MAX 256 /* ports; those beyond them are the last one */

struct writing {
	struct packet_file *file;
	const char *ports[INTERFACES_MAX];
	uint32_t port_count;
	bool failed;
};

/* Adds bytes, filled up to a multiple of four. */
static void put(struct writing *writing, const void *bytes, size_t size)
{
	struct packet_file *file = writing->file;
	size_t padded = (size + 3) & ~(size_t)3;

	if (!writing->failed && file->size + padded > file->room) {
		size_t room = 2 * (file->room + padded + 4096);
		uint8_t *grown = realloc(file->data, room);

		writing->failed = !grown;
		file->data = grown ? grown : file->data;
		file->room = grown ? room : file->room;
	}
	if (writing->failed || !padded)
		return;
	memset(file->data + file->size + padded - 4, 0, 4);
	memcpy(file->data + file->size, bytes, size);
	file->size += padded;
}

static void put32(struct writing *writing, uint32_t value)
{
	put(writing, &value, sizeof(value));
}

static void put_option(struct writing *writing, uint16_t code, const void *bytes, size_t size)
{
	const uint16_t head[] = { code, (uint16_t)size };

	put(writing, head, sizeof(head));
	put(writing, bytes, size);
}

/* A block begins; its length is not known yet. Returns where it is. */
static size_t begin(struct writing *writing, uint32_t type)
{
	size_t at = writing->file->size;

	put32(writing, type);
	put32(writing, 0);
	return at;
}

static void end(struct writing *writing, size_t at)
{
	uint32_t size = (uint32_t)(writing->file->size - at) + 4;

	put32(writing, size);
	if (!writing->failed)
		memcpy(writing->file->data + at + 4, &size, sizeof(size));
}

static void put_section(struct writing *writing)
{
	const uint16_t version[] = { 1, 0 };
	const uint64_t unknown = UINT64_MAX;
	size_t at = begin(writing, BLOCK_SECTION);

	put32(writing, MAGIC);
	put(writing, version, sizeof(version));
	put(writing, &unknown, sizeof(unknown));
	end(writing, at);
}

/* The interface of a port, which comes before the first packet of it. */
static uint32_t interface_of(struct writing *writing, const char *port)
{
	const uint16_t link[] = { LINK_ETHERNET, 0 };
	const uint8_t resolution = NANOSECONDS;
	size_t at;

	for (uint32_t i = 0; i < writing->port_count; i++)
		if (strcmp(writing->ports[i], port) == 0)
			return i;
	if (writing->port_count == INTERFACES_MAX)
		return INTERFACES_MAX - 1;
	at = begin(writing, BLOCK_INTERFACE);
	put(writing, link, sizeof(link));
	put32(writing, 0);
	put_option(writing, OPTION_NAME, port, strlen(port));
	put_option(writing, OPTION_RESOLUTION, &resolution, 1);
	put_option(writing, OPTION_END, NULL, 0);
	end(writing, at);
	writing->ports[writing->port_count] = port;
	return writing->port_count++;
}

static void put_packet(struct writing *writing, const struct packet *packet)
{
	uint32_t interface;
	char comment[300];
	size_t at;

	if (packet->mark)
		return;
	if (!packet->captured) {
		writing->file->unknown++;
		return;
	}
	interface = interface_of(writing, packet->fields[PACKET_FROM_PORT]);
	at = begin(writing, BLOCK_PACKET);
	put32(writing, interface);
	put32(writing, (uint32_t)(packet->time >> 32));
	put32(writing, (uint32_t)packet->time);
	put32(writing, packet->captured);
	put32(writing, packet->size > packet->captured ? packet->size : packet->captured);
	put(writing, packet->data, packet->captured);
	if (packet->dropped) {
		snprintf(comment, sizeof(comment), "dropped: %s", packet->fields[PACKET_VERDICT]);
		put_option(writing, OPTION_COMMENT, comment, strlen(comment));
		put_option(writing, OPTION_END, NULL, 0);
	}
	end(writing, at);
	writing->file->packets++;
}

static uint64_t first_packet(const struct netmodel *model)
{
	return model->shown.count > NETMODEL_PACKETS ? model->shown.count - NETMODEL_PACKETS : 0;
}

size_t packet_file_chosen(const struct netmodel *model)
{
	size_t count = 0;

	for (uint64_t n = first_packet(model); n < model->shown.count; n++)
		count += netmodel_packet(model, n)->chosen;
	return count;
}

static bool finish(struct writing *writing)
{
	if (writing->failed)
		free(writing->file->data);
	return !writing->failed;
}

bool packet_file_make(struct packet_file *file, const struct netmodel *model)
{
	struct writing writing = { .file = file };
	bool chosen = packet_file_chosen(model) > 0;

	memset(file, 0, sizeof(*file));
	put_section(&writing);
	for (uint64_t n = first_packet(model); n < model->shown.count; n++) {
		const struct packet *packet = netmodel_packet(model, n);

		if (chosen ? packet->chosen : !packet->hidden)
			put_packet(&writing, packet);
	}
	return finish(&writing);
}

bool packet_file_until(struct packet_file *file, const struct netmodel *model, uint64_t last)
{
	struct writing writing = { .file = file };

	memset(file, 0, sizeof(*file));
	put_section(&writing);
	for (uint64_t n = first_packet(model); n <= last && n < model->shown.count; n++)
		put_packet(&writing, netmodel_packet(model, n));
	return finish(&writing);
}
