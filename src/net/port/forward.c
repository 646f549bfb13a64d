/* See forward.h. */
#include "net/port/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int net_forwards_parse(struct net_forwards *out, const char *text, const char **fault)
{
	char word[WORD_MAX];
	size_t size;

	*out = (struct net_forwards){ 0 };
	for (;; text += size) {
		struct net_forward forward;

		text += strspn(text, " \t");
		size = strcspn(text, " \t");
		if (!size)
			return 0;
		*fault = text;
		if (size >= sizeof(word) || out->count == NET_FORWARDS_MAX)
			return -EINVAL;
		memcpy(word, text, size);
		word[size] = '\0';
		if (!parse_word(&forward, word) || is_there(out, &forward))
			return -EINVAL;
		out->list[out->count++] = forward;
	}
}

void net_forward_text(const struct net_forward *forward, char out[NET_FORWARD_TEXT])
{
	uint32_t a = forward->address;

	snprintf(out, NET_FORWARD_TEXT, "%u.%u.%u.%u:%u", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff,
		 a & 0xff, forward->port);
}
