/* See probe.h. The type: IEEE 802 § 9.2.4. */
#include "net/port/probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/clock.h"

#define TYPE 0x88b5

struct probe {
	uint8_t to[NET_MAC_SIZE], from[NET_MAC_SIZE], type[2];
	uint8_t key[PROBE_KEY_SIZE];
	uint8_t padding[PROBE_SIZE - NET_FRAME_MIN - PROBE_KEY_SIZE];
};

_Static_assert(sizeof(struct probe) == PROBE_SIZE, "without gaps");

static void draw(uint8_t *out, size_t size, uint64_t now)
{
	if (getrandom(out, size, GRND_NONBLOCK) != (ssize_t)size)
		put_be32(out, (uint32_t)now); /* a host that has just started */
}

void probe_write(struct probes *probes, uint64_t now, uint8_t out[PROBE_SIZE], const char *sw,
		 const char *port)
{
	struct probe_sent *sent = &probes->sent[probes->next++ % PROBES_KEPT];
	struct probe *probe = (void *)out;

	draw(sent->key, sizeof(sent->key), now);
	if (!probes->from[0])
		draw(probes->from, sizeof(probes->from), now);
	probes->from[0] = (uint8_t)((probes->from[0] & ~3) | 2); /* one of a local address */
	sent->until = now + PROBE_TIME * NS_PER_S;
	snprintf(sent->sw, sizeof(sent->sw), "%s", sw);
	snprintf(sent->port, sizeof(sent->port), "%s", port);
	memset(probe, 0, sizeof(*probe));
	memset(probe->to, 0xff, sizeof(probe->to));
	memcpy(probe->from, probes->from, sizeof(probe->from));
	put_be16(probe->type, TYPE);
	memcpy(probe->key, sent->key, sizeof(probe->key));
}

bool probe_read(const struct probes *probes, uint64_t now, const uint8_t *frame, size_t size,
		const char *sw, char port[NAME_SIZE])
{
	const struct probe *probe = (const void *)frame;

	if (size < sizeof(*probe) || get_be16(probe->type) != TYPE)
		return false;
	for (unsigned i = 0; i < PROBES_KEPT; i++) {
		const struct probe_sent *sent = &probes->sent[i];

		if (now >= sent->until || strcmp(sent->sw, sw) != 0 ||
		    memcmp(probe->key, sent->key, sizeof(probe->key)) != 0)
			continue;
		snprintf(port, NAME_SIZE, "%s", sent->port);
		return true;
	}
	return false;
}
