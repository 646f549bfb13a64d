/* Names, bytes and addresses as text in a packet's summary. Pure; any thread. */
#include "net/decode/text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *name_find(const struct number_name *names, size_t count, unsigned number)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

void packet_protocol(const struct packet *packet, const char *name)
{
	snprintf(packet->out->protocol, sizeof(packet->out->protocol), "%s", name);
}

void packet_say(const struct packet *packet, const char *format, ...)
{
	char *text = packet->out->text;
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, sizeof(packet->out->text) - used, format, args);
	va_end(args);
}

void packet_say_name(const struct packet *packet, const struct number_name *names, size_t count,
		     const char *what, unsigned number)
{
	const char *name = name_find(names, count, number);

	if (name)
		packet_say(packet, "%s", name);
	else
		packet_say(packet, "%s %u", what, number);
}

void packet_quote(const struct packet *packet, const uint8_t *data, size_t size)
{
	char *text = packet->out->text;
	size_t used = strlen(text);

	while (size-- && used < sizeof(packet->out->text) - 1) {
		uint8_t c = *data++;

		text[used++] = c >= ' ' && c < 0x7f ? (char)c : '.';
	}
	text[used] = '\0';
}

void packet_quote_line(const struct packet *packet, size_t max)
{
	size_t size = 0;

	while (size < packet->captured && size < max && packet->data[size] != '\r' &&
	       packet->data[size] != '\n')
		size++;
	packet_quote(packet, packet->data, size);
}

bool packet_cut(const struct packet *packet)
{
	if (packet->out->text[0])
		packet_say(packet, " ");
	packet_say(packet, packet->captured < packet->size ? "[Packet size limited during capture]"
							   : "[Malformed]");
	return true;
}

const char *mac_text(const uint8_t *mac, char out[MAC_TEXT])
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (memcmp(mac, all, sizeof(all)) == 0)
		return "Broadcast";
	snprintf(out, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return out;
}

const char *ip4_text(const uint8_t *address, char out[IP4_TEXT])
{
	return inet_ntop(AF_INET, address, out, IP4_TEXT);
}

const char *ip6_text(const uint8_t *address, char out[IP6_TEXT])
{
	return inet_ntop(AF_INET6, address, out, IP6_TEXT);
}
