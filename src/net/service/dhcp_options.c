/* See dhcp_options.h. */
#include "net/service/dhcp_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define LABEL_MAX 63
#define EXCERPT 60

enum {
	OPTION_DOMAIN = 15,
	OPTION_MTU = 26,
	OPTION_NTP = 42,
	OPTION_SEARCH = 119,
	OPTION_ROUTES = 121,
};

static int __attribute__((format(printf, 3, 4)))
fail(char *fault, size_t room, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(fault, room, format, ap);
	va_end(ap);
	return -EINVAL;
}

/* The next word of *text, up to a blank or one of ends, as a string; false: there is none. */
static bool take_word(const char **text, const char *ends, char *word, size_t room)
{
	const char *at = *text + strspn(*text, " \t");
	char stops[16];
	size_t size;

	snprintf(stops, sizeof(stops), " \t%s", ends);
	size = strcspn(at, stops);
	*text = at + size;
	if (!size || size >= room)
		return false;
	memcpy(word, at, size);
	word[size] = '\0';
	return true;
}

static bool is_over(const char *text)
{
	return !text[strspn(text, " \t")];
}

/* Of a host, as far as that can be said without its network. */
static bool read_address(const char *text, uint32_t *out)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	*out = ntohl(address.s_addr);
	return *out >> 24 != 0 && *out >> 24 != 127 && *out >> 28 < 0xe;
}

int dhcp_parse_address(void *out, const char *text, char *fault, size_t room)
{
	if (read_address(text, out))
		return 0;
	return fail(fault, room, "'%.*s' is no address of a host; write one such as 10.0.2.50",
		    EXCERPT, text);
}

int dhcp_parse_pool(void *out, const char *text, char *fault, size_t room)
{
	char first[INET_ADDRSTRLEN], last[INET_ADDRSTRLEN];
	struct dhcp_pool *pool = out;
	const char *at = text;

	if (take_word(&at, "-", first, sizeof(first)) && *(at += strspn(at, " \t")) == '-' &&
	    (at++, take_word(&at, "", last, sizeof(last))) && is_over(at) &&
	    read_address(first, &pool->first) && read_address(last, &pool->last) &&
	    pool->first <= pool->last)
		return 0;
	return fail(fault, room, "'%.*s' is no range of addresses; write one such as "
		    "10.0.2.100-10.0.2.199", EXCERPT, text);
}

int dhcp_parse_addresses(void *out, const char *text, char *fault, size_t room)
{
	struct dhcp_addresses *addresses = out;
	char word[INET_ADDRSTRLEN];
	const char *at = text;

	while (addresses->count < DHCP_ADDRESSES_MAX && take_word(&at, ",", word, sizeof(word)) &&
	       read_address(word, &addresses->list[addresses->count])) {
		addresses->count++;
		at += strspn(at, ", \t");
		if (!*at)
			return 0;
	}
	return fail(fault, room, "'%.*s' is no list of up to %d addresses of hosts; write some "
		    "such as 10.0.2.9 10.0.2.10", EXCERPT, text, DHCP_ADDRESSES_MAX);
}

static bool is_label(const char *text, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_";

	return size && size <= LABEL_MAX && strspn(text, letters) >= size && *text != '-' &&
	       text[size - 1] != '-';
}

/* RFC 1035 §2.3.1, and the underscore. */
static bool is_domain(const char *text)
{
	size_t size;

	for (;; text += size + 1) {
		size = strcspn(text, ".");
		if (!is_label(text, size))
			return false;
		if (!text[size])
			return true;
	}
}

int dhcp_parse_domain(void *out, const char *text, char *fault, size_t room)
{
	if (strlen(text) >= DHCP_DOMAIN_MAX || !is_domain(text))
		return fail(fault, room, "'%.*s' is no domain; write one such as lab.example",
			    EXCERPT, text);
	snprintf(out, DHCP_DOMAIN_MAX, "%s", text);
	return 0;
}

/* RFC 1035 §3.1. False: it finds no room. */
static bool add_name(struct dhcp_search *search, const char *name)
{
	size_t size;

	if (search->size + strlen(name) + 2 > sizeof(search->bytes))
		return false;
	for (;; name += size + 1) {
		size = strcspn(name, ".");
		search->bytes[search->size++] = (uint8_t)size;
		memcpy(search->bytes + search->size, name, size);
		search->size += (uint32_t)size;
		if (!name[size])
			break;
	}
	search->bytes[search->size++] = 0;
	return true;
}

int dhcp_parse_search(void *out, const char *text, char *fault, size_t room)
{
	char word[DHCP_DOMAIN_MAX];
	const char *at = text;

	while (take_word(&at, ",", word, sizeof(word)) && is_domain(word) && add_name(out, word)) {
		at += strspn(at, ", \t");
		if (!*at)
			return 0;
	}
	return fail(fault, room, "'%.*s' is no list of domains, of %d letters in all; write some "
		    "such as lab.example example.org", EXCERPT, text, DHCP_SEARCH_MAX);
}

static bool read_network(char *text, uint32_t *network, uint32_t *prefix)
{
	char *slash = strchr(text, '/'), *end;
	struct in_addr address;
	unsigned long value;

	if (!slash || slash[1] < '0' || slash[1] > '9')
		return false;
	*slash = '\0';
	value = strtoul(slash + 1, &end, 10);
	if (*end || value > 32 || inet_pton(AF_INET, text, &address) != 1)
		return false;
	*network = ntohl(address.s_addr);
	*prefix = (uint32_t)value;
	return value == 32 || !(*network & (UINT32_MAX >> value));
}

int dhcp_parse_routes(void *out, const char *text, char *fault, size_t room)
{
	struct dhcp_routes *routes = out;
	char network[24], via[8], gateway[INET_ADDRSTRLEN];
	const char *at = text;

	while (routes->count < DHCP_ROUTES_MAX && take_word(&at, ",", network, sizeof(network)) &&
	       take_word(&at, ",", via, sizeof(via)) && !strcmp(via, "via") &&
	       take_word(&at, ",", gateway, sizeof(gateway)) &&
	       read_network(network, &routes->list[routes->count].network,
			    &routes->list[routes->count].prefix) &&
	       read_address(gateway, &routes->list[routes->count].gateway)) {
		routes->count++;
		at += strspn(at, " \t");
		if (!*at)
			return 0;
		if (*at++ != ',')
			break;
	}
	return fail(fault, room, "'%.*s' is no list of up to %d routes; write some such as "
		    "192.168.7.0/24 via 10.0.2.9, 10.9.0.0/16 via 10.0.2.9", EXCERPT, text,
		    DHCP_ROUTES_MAX);
}

/* --- writing --- */

struct options {
	uint8_t *out;
	size_t used, room;
};

static void add(struct options *options, uint8_t code, const void *data, size_t size)
{
	if (!size || size > UINT8_MAX || options->room - options->used < size + 2)
		return;
	options->out[options->used++] = code;
	options->out[options->used++] = (uint8_t)size;
	memcpy(options->out + options->used, data, size);
	options->used += size;
}

static size_t put_route(uint8_t *out, uint32_t network, uint32_t prefix, uint32_t gateway)
{
	size_t bytes = (prefix + 7) / 8;
	uint8_t whole[4];

	put_be32(whole, network);
	out[0] = (uint8_t)prefix;
	memcpy(out + 1, whole, bytes);
	put_be32(out + 1 + bytes, gateway);
	return 1 + bytes + 4;
}

static void add_routes(struct options *options, const struct dhcp_routes *routes, uint32_t router)
{
	uint8_t data[(DHCP_ROUTES_MAX + 1) * 9];
	size_t size = 0;

	if (!routes->count)
		return;
	for (uint32_t i = 0; i < routes->count; i++)
		size += put_route(data + size, routes->list[i].network, routes->list[i].prefix,
				  routes->list[i].gateway);
	if (router)
		size += put_route(data + size, 0, 0, router);
	add(options, OPTION_ROUTES, data, size);
}

size_t dhcp_options_write(const struct dhcp_settings *settings, uint32_t router, uint8_t *out,
			  size_t room)
{
	struct options options = { .out = out, .room = room };
	uint8_t addresses[4 * DHCP_ADDRESSES_MAX], mtu[2];

	add(&options, OPTION_DOMAIN, settings->domain, strlen(settings->domain));
	if (settings->mtu) {
		put_be16(mtu, (uint16_t)settings->mtu);
		add(&options, OPTION_MTU, mtu, sizeof(mtu));
	}
	add_routes(&options, &settings->routes, router);
	add(&options, OPTION_SEARCH, settings->search.bytes, settings->search.size);
	for (uint32_t i = 0; i < settings->ntp.count; i++)
		put_be32(addresses + 4 * i, settings->ntp.list[i]);
	add(&options, OPTION_NTP, addresses, 4 * settings->ntp.count);
	return options.used;
}
