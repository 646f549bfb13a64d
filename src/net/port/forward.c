/* See forward.h. */
#include "net/port/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCERPT 40 /* bytes of a word that are shown */
#define WORD_MAX (NET_FORWARD_TEXT + 6) /* with the guest's port, and the zero */

/* 1..65535, up to the end of text. */
static bool take_port(const char *text, uint16_t *port)
{
	unsigned value = 0;

	if (!*text)
		return false;
	for (; *text >= '0' && *text <= '9' && value <= UINT16_MAX; text++)
		value = value * 10 + (unsigned)(*text - '0');
	*port = (uint16_t)value;
	return !*text && value && value <= UINT16_MAX;
}

/* One word, which may be written to. */
static bool parse_word(struct net_forward *out, char *word)
{
	char *to = strrchr(word, ':'), *port;
	struct in_addr address = { .s_addr = htonl(INADDR_LOOPBACK) };

	if (!to)
		return false;
	*to++ = '\0';
	port = strrchr(word, ':');
	if (port) {
		*port++ = '\0';
		if (inet_pton(AF_INET, word, &address) != 1)
			return false;
	}
	out->address = ntohl(address.s_addr);
	return take_port(port ? port : word, &out->port) && take_port(to, &out->to);
}

static bool is_there(const struct net_forwards *forwards, const struct net_forward *wanted)
{
	for (uint32_t i = 0; i < forwards->count; i++)
		if (forwards->list[i].address == wanted->address &&
		    forwards->list[i].port == wanted->port)
			return true;
	return false;
}

static bool add_word(struct net_forwards *out, const char *text, size_t size)
{
	struct net_forward forward;
	char word[WORD_MAX];

	if (size >= sizeof(word) || out->count == NET_FORWARDS_MAX)
		return false;
	memcpy(word, text, size);
	word[size] = '\0';
	if (!parse_word(&forward, word) || is_there(out, &forward))
		return false;
	out->list[out->count++] = forward;
	return true;
}

int net_forwards_parse(void *out, const char *text, char *fault, size_t room)
{
	struct net_forwards *forwards = out;
	size_t size;

	*forwards = (struct net_forwards){ 0 };
	for (;; text += size) {
		text += strspn(text, " \t");
		size = strcspn(text, " \t");
		if (!size)
			return 0;
		if (add_word(forwards, text, size))
			continue;
		snprintf(fault, room, "'%.*s' cannot be had; write up to %d different ones, each "
			 "a port of this host and the guest's, such as 2222:22, or, for others "
			 "than this host, 0.0.0.0:2222:22", size < EXCERPT ? (int)size : EXCERPT,
			 text, NET_FORWARDS_MAX);
		return -EINVAL;
	}
}

void net_forward_text(const struct net_forward *forward, char out[NET_FORWARD_TEXT])
{
	uint32_t a = forward->address;

	snprintf(out, NET_FORWARD_TEXT, "%u.%u.%u.%u:%u", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff,
		 a & 0xff, forward->port);
}
