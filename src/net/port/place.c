/* See place.h. inet(3), unix(7). */
#include "net/port/place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define ADDRESS_MAX 64

int place_parse_address(const char *text, unsigned port, struct sockaddr_storage *out,
			uint32_t *size, struct cause *cause)
{
	struct sockaddr_in *four = (void *)out;
	struct sockaddr_in6 *six = (void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		*size = sizeof(*four);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		*size = sizeof(*six);
		return 0;
	}
	return cause_set(cause, EINVAL, "'%.40s' is no IP address; write one such as 192.0.2.1 or "
			 "2001:db8::1", text);
}

/* "192.0.2.1:4000" or "[2001:db8::1]:4000". */
static int parse_internet(const char *text, struct sockaddr_storage *out, uint32_t *size,
			  struct cause *cause)
{
	bool bracket = *text == '[';
	const char *start = text + bracket;
	const char *end = bracket ? strstr(start, "]:") : strchr(start, ':');
	const char *digits = end ? end + 1 + bracket : "";
	char address[ADDRESS_MAX], *rest;
	unsigned long port = strtoul(digits, &rest, 10);

	if (!end || (size_t)(end - start) >= sizeof(address) || *digits < '0' || *digits > '9' ||
	    *rest || !port || port > UINT16_MAX)
		return cause_set(cause, EINVAL, "'%.40s' is no address with a port; write one such "
				 "as 192.0.2.1:4000 or [2001:db8::1]:4000", text);
	snprintf(address, sizeof(address), "%.*s", (int)(end - start), start);
	return place_parse_address(address, (unsigned)port, out, size, cause);
}

int place_parse(const char *text, int type, struct sockaddr_storage *out, uint32_t *size,
		struct cause *cause)
{
	static const char *const schemes[] = { "tcp://", "udp://" };
	struct sockaddr_un *path = (void *)out;
	unsigned wanted = type == SOCK_DGRAM;

	for (unsigned i = 0; i < 2; i++) {
		if (strncmp(text, schemes[i], strlen(schemes[i])) != 0)
			continue;
		if (i != wanted)
			return cause_set(cause, EINVAL, "%s is for type=%s", schemes[i],
					 i ? "dgram" : "stream");
		return parse_internet(text + strlen(schemes[i]), out, size, cause);
	}
	if (strstr(text, "://"))
		return cause_set(cause, EINVAL, "'%.40s' is neither the path of a Unix socket nor "
				 "an address such as %s192.0.2.1:4000", text, schemes[wanted]);
	if (strlen(text) >= sizeof(path->sun_path))
		return cause_set(cause, EINVAL, "the path is too long for a Unix socket: at most "
				 "%zu bytes", sizeof(path->sun_path) - 1);
	memset(out, 0, sizeof(*out));
	path->sun_family = AF_UNIX;
	memcpy(path->sun_path, text, strlen(text) + 1);
	*size = (uint32_t)sizeof(*path);
	return 0;
}

/* netdevice(7), dev_valid_name() */
int place_check_interface(const char *key, const char *name, struct cause *cause)
{
	size_t length = strlen(name);

	if (length && length < IFNAMSIZ && !strpbrk(name, "/: \t%") && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0)
		return 0;
	return cause_set(cause, EINVAL, "%s: '%.20s' is no name of a network interface; write 1 to "
			 "%d characters such as vm0", key, name, IFNAMSIZ - 1);
}
