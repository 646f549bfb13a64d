/* See probe.h. The type: IEEE 802 § 9.2.4. */
#include "net/port/probe.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/frame/frame.h"

#define TYPE 0x88b5
#define KEY_SIZE 24u

struct probe {
	uint8_t to[NET_MAC_SIZE], from[NET_MAC_SIZE], type[2];
	uint8_t key[KEY_SIZE];
	char sw[NAME_SIZE], port[NAME_SIZE];
};

_Static_assert(sizeof(struct probe) == PROBE_SIZE, "without gaps");

static uint8_t key[KEY_SIZE];

static void make_key(void)
{
	if (getrandom(key, sizeof(key), GRND_NONBLOCK) != sizeof(key))
		put_be32(key, (uint32_t)clock_monotonic()); /* a host that has just started */
}

static const uint8_t *get_key(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_key);
	return key;
}

void probe_write(uint8_t out[PROBE_SIZE], const char *sw, const char *port)
{
	struct probe *probe = (void *)out;

	memset(probe, 0, sizeof(*probe));
	memset(probe->to, 0xff, sizeof(probe->to));
	memcpy(probe->from, get_key(), sizeof(probe->from));
	probe->from[0] = (uint8_t)((probe->from[0] & ~3) | 2); /* one of a local address */
	put_be16(probe->type, TYPE);
	memcpy(probe->key, get_key(), sizeof(probe->key));
	snprintf(probe->sw, sizeof(probe->sw), "%s", sw);
	snprintf(probe->port, sizeof(probe->port), "%s", port);
}

bool probe_read(const uint8_t *frame, size_t size, const char *sw, char port[NAME_SIZE])
{
	const struct probe *probe = (const void *)frame;

	if (size < sizeof(*probe) || get_be16(probe->type) != TYPE ||
	    memcmp(probe->key, get_key(), sizeof(probe->key)) != 0 ||
	    strncmp(probe->sw, sw, sizeof(probe->sw)) != 0)
		return false;
	snprintf(port, NAME_SIZE, "%.*s", (int)sizeof(probe->port) - 1, probe->port);
	return true;
}
