/*
 * Parses the values of profiles. Any thread.
 */
#include "core/profile/values.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ini.h"
#include "base/paths.h"
#include "base/sentence.h"
#include "base/units.h"
#include "control/names.h"

#define EXCERPT 40
#define SIZE_UNIT (1ull << 20) /* sizes are multiples of it */

static int __attribute__((format(printf, 3, 4)))
fail(char fault[PROFILE_FAULT_SIZE], int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	sentence_format(fault, PROFILE_FAULT_SIZE, format, ap);
	va_end(ap);
	return -error;
}

void profile_size_format(uint64_t bytes, char out[32])
{
	static const char *const suffixes[] = { "", "K", "M", "G", "T" };
	unsigned i = 0;

	while (bytes && i < 4 && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(out, 32, "%llu%s", (unsigned long long)bytes, suffixes[i]);
}

/* Digits to a number. Returns what follows them, or NULL if there are none or too many. */
static const char *take_number(const char *text, uint64_t *out)
{
	const char *start = text;

	for (*out = 0; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(*text - '0'), out))
			return NULL;
	return text == start ? NULL : text;
}

static int parse_count(struct profile_value *out, const struct profile_key *key, const char *text,
		       char *fault)
{
	char excerpt[EXCERPT];
	const char *rest = take_number(text, &out->number);

	if (!rest || *rest)
		return fail(fault, EINVAL, "'%s' is not a number; write one from %llu to %llu",
			    ini_excerpt(text, excerpt, sizeof(excerpt)),
			    (unsigned long long)key->min, (unsigned long long)key->max);
	if (out->number < key->min || out->number > key->max)
		return fail(fault, ERANGE, "%s is out of range; it can be %llu to %llu",
			    ini_excerpt(text, excerpt, sizeof(excerpt)),
			    (unsigned long long)key->min, (unsigned long long)key->max);
	return 0;
}

static int parse_size(struct profile_value *out, const struct profile_key *key, const char *text,
		      char *fault)
{
	char excerpt[EXCERPT], min[32], max[32];
	int err = text_take_size(text, &out->number);

	if (err == -EINVAL)
		return fail(fault, EINVAL, "'%s' is not a size; write 512M or 2G",
			    ini_excerpt(text, excerpt, sizeof(excerpt)));
	profile_size_format(key->min, min);
	profile_size_format(key->max, max);
	if (err < 0 || out->number < key->min || out->number > key->max)
		return fail(fault, ERANGE, "%s is out of range; it can be %s to %s",
			    ini_excerpt(text, excerpt, sizeof(excerpt)), min, max);
	if (out->number % SIZE_UNIT)
		return fail(fault, EINVAL, "%s is no multiple of 1M",
			    ini_excerpt(text, excerpt, sizeof(excerpt)));
	return 0;
}

static int parse_bool(struct profile_value *out, const char *text, char *fault)
{
	char excerpt[EXCERPT];

	out->number = !strcmp(text, "yes");
	if (!out->number && strcmp(text, "no"))
		return fail(fault, EINVAL, "'%s' is neither yes nor no",
			    ini_excerpt(text, excerpt, sizeof(excerpt)));
	return 0;
}

static int parse_choice(struct profile_value *out, const struct profile_key *key, const char *text,
			char *fault)
{
	const char *choice = key->choices, *end;
	size_t size = strlen(text);
	char excerpt[EXCERPT];

	for (out->number = 0; choice; out->number++) {
		end = strchrnul(choice, '|');
		if ((size_t)(end - choice) == size && !memcmp(choice, text, size))
			return 0;
		choice = *end ? end + 1 : NULL;
	}
	return fail(fault, EINVAL, "'%s' is unknown here; it can be %s",
		    ini_excerpt(text, excerpt, sizeof(excerpt)), key->choices);
}

/* Numbers with a unit, the smallest one first; a number may have a fraction. */
struct units {
	const char *what; /* "a time; write one such as 20ms" */
	uint64_t max;	  /* 0: the key's */
	struct {
		const char *name;
		uint64_t size; /* in what is stored */
	} units[5];
};

static const struct units times = { "a time; write one such as 20ms or 1.5s", 0, {
	{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } } };
static const struct units shares = { "a share; write one such as 1% or 0.5%", 1000000, {
	{ "%", 10000 } } };
static const struct units rates = { "a rate; write one such as 10mbit or 1.5gbit", 0, {
	{ "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 } } };

/* The size of the unit, or 0. */
static uint64_t find_unit(const struct units *units, const char *name)
{
	for (unsigned i = 0; units->units[i].name; i++)
		if (!strcmp(units->units[i].name, name))
			return units->units[i].size;
	return 0;
}

/* "1.5" of a unit, rounded down, to a number of what is stored. Returns what follows, or NULL. */
static const char *take_decimal(const char *text, uint64_t *whole, uint64_t *billionths)
{
	uint64_t scale = 1000000000;

	text = take_number(text, whole);
	*billionths = 0;
	if (!text || *text != '.')
		return text;
	if (text[1] < '0' || text[1] > '9')
		return NULL;
	for (text++; *text >= '0' && *text <= '9'; text++) {
		scale /= 10;
		*billionths += (uint64_t)(*text - '0') * scale;
	}
	return text;
}

static int parse_unit(struct profile_value *out, const struct profile_key *key, const char *text,
		      const struct units *units, char *fault)
{
	uint64_t max = units->max ? units->max : key->max, whole, part, unit;
	const char *rest = take_decimal(text, &whole, &part);
	char excerpt[EXCERPT], most[PROFILE_UNIT_SIZE];

	unit = rest ? find_unit(units, rest) : 0;
	if (rest && !*rest && !whole && !part)
		return 0; /* nothing of any unit */
	if (!unit)
		return fail(fault, EINVAL, "'%s' is not %s",
			    ini_excerpt(text, excerpt, sizeof(excerpt)), units->what);
	profile_unit_format(key->type, max, most);
	if (whole > max / unit)
		return fail(fault, ERANGE, "%s is out of range; it can be 0 to %s",
			    ini_excerpt(text, excerpt, sizeof(excerpt)), most);
	out->number = whole * unit + part * unit / 1000000000;
	if (out->number > max)
		return fail(fault, ERANGE, "%s is out of range; it can be 0 to %s",
			    ini_excerpt(text, excerpt, sizeof(excerpt)), most);
	return 0;
}

void profile_unit_format(enum profile_type type, uint64_t number, char out[PROFILE_UNIT_SIZE])
{
	const struct units *units = type == PROFILE_TIME ? &times :
				    type == PROFILE_SHARE ? &shares : &rates;
	unsigned i = 0;
	int n;

	if (!number) {
		snprintf(out, PROFILE_UNIT_SIZE, "0");
		return;
	}
	/* The largest one of which it has a whole number; of shares there is one. */
	while (units->units[i + 1].name && number % units->units[i + 1].size == 0)
		i++;
	n = snprintf(out, PROFILE_UNIT_SIZE, "%llu",
		     (unsigned long long)(number / units->units[i].size));
	if (number % units->units[i].size) {
		n += snprintf(out + n, PROFILE_UNIT_SIZE - (size_t)n, ".%04llu",
			      (unsigned long long)(number % units->units[i].size));
		while (out[n - 1] == '0')
			n--;
	}
	snprintf(out + n, PROFILE_UNIT_SIZE - (size_t)n, "%s", units->units[i].name);
}

static int parse_vlans(struct profile_value *out, const char *text, char *fault)
{
	const char *at = text;
	char excerpt[EXCERPT];
	uint64_t first, last;

	if (!strcmp(text, "none"))
		return 0;
	do {
		at = take_number(at, &first);
		last = first;
		if (at && *at == '-')
			at = take_number(at + 1, &last);
		if (!at || (*at && *at != ','))
			return fail(fault, EINVAL, "'%s' are not VLANs; write 10,20-30 or none",
				    ini_excerpt(text, excerpt, sizeof(excerpt)));
		if (!first || last >= NET_VLAN_MAX || first > last)
			return fail(fault, ERANGE, "'%s' is out of range; VLANs are 1 to %u, and "
				    "the smaller one of two comes first",
				    ini_excerpt(text, excerpt, sizeof(excerpt)), NET_VLAN_MAX - 1);
		for (uint64_t vlan = first; vlan <= last; vlan++)
			out->vlans.bits[vlan / 64] |= 1ull << vlan % 64;
	} while (*at++ == ',');
	return 0;
}

void profile_vlans_format(const struct net_vlans *vlans, char *out, size_t size)
{
	size_t used = 0;

	for (uint32_t first = 1, last; first < NET_VLAN_MAX; first = last + 1) {
		char part[24];
		size_t n;

		last = first;
		if (!net_vlan_has(vlans, first))
			continue;
		while (last + 1 < NET_VLAN_MAX && net_vlan_has(vlans, last + 1))
			last++;
		n = (size_t)snprintf(part, sizeof(part), last > first ? "%s%u-%u" : "%s%u",
				     used ? "," : "", first, last);
		if (used + n + 4 > size) {
			snprintf(out + used, size - used, "...");
			return;
		}
		memcpy(out + used, part, n + 1);
		used += n;
	}
	if (!used)
		snprintf(out, size, "none");
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_mac(struct profile_value *out, const char *text, char *fault)
{
	static const uint8_t none[NET_MAC_SIZE];
	char excerpt[EXCERPT];
	const char *p = text;
	unsigned i;

	for (i = 0; i < NET_MAC_SIZE; i++, p += 3) {
		int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);

		if (low < 0 || p[2] != (i + 1 < NET_MAC_SIZE ? ':' : '\0'))
			return fail(fault, EINVAL, "'%s' is not a MAC address; write one such as "
				    "52:54:00:12:34:56", ini_excerpt(text, excerpt, sizeof(excerpt)));
		out->mac[i] = (uint8_t)(high << 4 | low);
	}
	if (out->mac[0] & 1)
		return fail(fault, EINVAL, "%s is a group address (the first byte is odd); a NIC "
			    "needs one of its own, such as 52:54:00:12:34:56", text);
	if (!memcmp(out->mac, none, sizeof(none)))
		return fail(fault, EINVAL, "%s is no address; write one such as "
			    "52:54:00:12:34:56", text);
	return 0;
}

static int parse_address(struct profile_value *out, const char *text, char *fault)
{
	const char *slash = strchr(text, '/'), *rest;
	char host[INET_ADDRSTRLEN], excerpt[EXCERPT];
	struct in_addr address;
	uint64_t prefix;
	uint32_t mask;

	if (!slash || (size_t)(slash - text) >= sizeof(host))
		goto malformed;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	rest = take_number(slash + 1, &prefix);
	if (inet_pton(AF_INET, host, &address) != 1 || !rest || *rest)
		goto malformed;
	if (prefix < 8 || prefix > 30)
		return fail(fault, ERANGE, "the prefix /%s is out of range; it can be /8 to /30",
			    ini_excerpt(slash + 1, excerpt, sizeof(excerpt)));
	out->number = ntohl(address.s_addr);
	out->prefix = (uint8_t)prefix;
	mask = UINT32_MAX << (32 - prefix);
	if (!(out->number & ~mask))
		return fail(fault, EINVAL, "%s is the address of the network itself; give the "
			    "switch one inside it, such as the next", text);
	if ((out->number | mask) == UINT32_MAX)
		return fail(fault, EINVAL, "%s is the broadcast address of its network; give the "
			    "switch another one inside it", text);
	if (out->number >> 24 == 0 || out->number >> 24 == 127 || out->number >> 28 >= 0xe)
		return fail(fault, EINVAL, "%s cannot be the address of a host; use one such as "
			    "10.0.2.2/24", text);
	return 0;

malformed:
	return fail(fault, EINVAL, "'%s' is not an IPv4 address with a prefix; write one such as "
		    "10.0.2.2/24", ini_excerpt(text, excerpt, sizeof(excerpt)));
}

/* "~/" is understood; what only a shell would is better not taken for a file's name. */
static int parse_path(const char *text, char *fault)
{
	char excerpt[EXCERPT];

	if (*text == '$')
		return fail(fault, EINVAL, "%s: variables are not known here; write ~/ for your "
			    "home folder, or the whole path",
			    ini_excerpt(text, excerpt, sizeof(excerpt)));
	if (*text == '~' && text[1] && text[1] != '/')
		return fail(fault, EINVAL, "%s: of the home folders only your own is known here, "
			    "as ~/; write the whole path",
			    ini_excerpt(text, excerpt, sizeof(excerpt)));
	return 0;
}

int profile_value_parse(struct profile_value *out, const struct profile_key *key,
			const char *text, char fault[PROFILE_FAULT_SIZE])
{
	char excerpt[EXCERPT];

	memset(out, 0, sizeof(*out));
	if (!*text && key->type != PROFILE_STRING)
		return fail(fault, EINVAL, "has no value; write one or remove the line");
	switch (key->type) {
	case PROFILE_STRING:
		return 0;
	case PROFILE_PATH:
		return parse_path(text, fault);
	case PROFILE_NAME:
		if (name_valid(text))
			return 0;
		return fail(fault, EINVAL, "'%s' is no name; use " NAME_RULE,
			    ini_excerpt(text, excerpt, sizeof(excerpt)));
	case PROFILE_BOOL:
		return parse_bool(out, text, fault);
	case PROFILE_COUNT:
		return parse_count(out, key, text, fault);
	case PROFILE_SIZE:
		return parse_size(out, key, text, fault);
	case PROFILE_MAC:
		return parse_mac(out, text, fault);
	case PROFILE_ADDRESS:
		return parse_address(out, text, fault);
	case PROFILE_CHOICE:
		return parse_choice(out, key, text, fault);
	case PROFILE_PARSED:
		return key->parse(out->parsed, text, fault, PROFILE_FAULT_SIZE);
	case PROFILE_TIME:
		return parse_unit(out, key, text, &times, fault);
	case PROFILE_SHARE:
		return parse_unit(out, key, text, &shares, fault);
	case PROFILE_RATE:
		return parse_unit(out, key, text, &rates, fault);
	case PROFILE_VLANS:
		return parse_vlans(out, text, fault);
	}
	return fail(fault, EINVAL, "has an unknown type");
}

int profile_value_store(char *record, const struct profile_key *key,
			const struct profile_value *value, const char *text, const char *folder)
{
	char *field, *copy;

	if (key->offset == PROFILE_NOWHERE)
		return 0;
	field = record + key->offset;
	switch (key->type) {
	case PROFILE_STRING:
	case PROFILE_PATH:
		copy = key->type == PROFILE_PATH ? profile_path_join(folder, text) : strdup(text);
		if (!copy)
			return -ENOMEM;
		free(*(char **)(void *)field);
		*(char **)(void *)field = copy;
		break;
	case PROFILE_NAME:
		snprintf(field, NAME_SIZE, "%s", text);
		break;
	case PROFILE_BOOL:
		*(bool *)field = value->number;
		break;
	case PROFILE_COUNT:
	case PROFILE_CHOICE:
	case PROFILE_SHARE:
		*(unsigned *)(void *)field = (unsigned)value->number;
		break;
	case PROFILE_SIZE:
	case PROFILE_TIME:
	case PROFILE_RATE:
		*(uint64_t *)(void *)field = value->number;
		break;
	case PROFILE_MAC:
		memcpy(field, value->mac, NET_MAC_SIZE);
		break;
	case PROFILE_VLANS:
		memcpy(field, &value->vlans, sizeof(value->vlans));
		break;
	case PROFILE_ADDRESS:
		*(uint32_t *)(void *)field = (uint32_t)value->number;
		*(uint8_t *)(field + sizeof(uint32_t)) = value->prefix;
		break;
	case PROFILE_PARSED:
		memcpy(field, value->parsed, key->size);
		break;
	}
	return 0;
}

char *profile_path_folder(const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t size = slash ? (size_t)(slash - file) : 0;
	char *folder, *out;

	/* With a slash at its end realpath() needs faccessat2(2), which old containers forbid. */
	while (size > 1 && file[size - 1] == '/')
		size--;
	folder = size ? strndup(file, size) : strdup(slash ? "/" : ".");
	out = folder ? realpath(folder, NULL) : NULL;
	free(folder);
	return out;
}

/* "nbd+unix://": RFC 3986 §3.1, and what says where the rest is. */
static bool is_url(const char *path)
{
	size_t size = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789+-.");

	return size && !strncmp(path + size, "://", 3);
}

char *profile_path_join(const char *folder, const char *path)
{
	char home[PATH_MAX], *out;

	if (*path == '/' || is_url(path))
		return strdup(path);
	if (*path == '~' && (!path[1] || path[1] == '/') && paths_home(home, NULL) == 0)
		return asprintf(&out, "%s%s", home, path + 1) < 0 ? NULL : out;
	return asprintf(&out, "%s/%s", folder[1] ? folder : "", path) < 0 ? NULL : out;
}
