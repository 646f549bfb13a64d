/*
 * libFuzzer: a frame with whatever tags and offload, from a port with whatever settings to others.
 * Four bytes choose what the sender and its three receivers are set to, then there are ten of
 * struct net_offload, two of how the rest of the frame lies, and the frame.
 */
#include <string.h>

#include "lib/fuzz.h"
#include "net/switch/switch_private.h"
#include "unit/fake_port.h"

#define CHOICES 4
#define HEADER (CHOICES + sizeof(struct net_offload) + 2)

#define SEED(text) { text, sizeof(text) - 1 }

/* Plain, a tag, a priority, two tags; TCP to be segmented, with and without a tag */
const struct fuzz_seed fuzz_seeds[] = {
	SEED("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377\377\377\377\377\2\0\0\0\0\1\x88\xb5 text"),
	SEED("\7\1\6\17\0\0\0\0\0\0\0\0\0\0\1\0\377\377\377\377\377\377\2\0\0\0\0\1"
	     "\x81\0\0\12\x88\xb5 text"),
	SEED("\7\1\6\17\0\0\0\0\0\0\0\0\0\0\2\0\377\377\377\377\377\377\2\0\0\0\0\1"
	     "\x81\0\x60\0\x81\0\0\24\x88\xb5 text"),
	SEED("\17\1\6\26\1\1\66\0\144\0\42\0\20\0\3\4\2\0\0\0\0\2\2\0\0\0\0\1\x8\0"
	     "\x45\0\0\0\0\0\0\0\x40\6\0\0\12\0\0\1\12\0\0\2\0\1\0\2\0\0\0\0\0\0\0\0\x50\20\0\0"
	     "\0\0\0\0 text that is long enough"),
	SEED("\x26\x11\x46\17\1\1\72\0\144\0\46\0\20\0\3\4\377\377\377\377\377\377\2\0\0\0\0\1"
	     "\x81\0\0\12\x8\0\x45\0\0\0\0\0\0\0\x40\6\0\0\12\0\0\1\12\0\0\2\0\1\0\2\0\0\0\0"
	     "\0\0\0\0\x50\20\0\0\0\0\0\0 text that is long enough"),
	{ NULL, 0 },
};

/* Of VLANs 10 and 20, and of all else that can be set. */
static void choose(struct net_port_settings *settings, uint8_t byte)
{
	memset(settings, 0, sizeof(*settings));
	settings->vlan = byte & 1 ? 10 : 0;
	if (byte & 2)
		settings->trunk.bits[0] |= 1 << 10;
	if (byte & 4)
		settings->trunk.bits[0] |= 1 << 20;
	settings->mtu = byte & 8 ? 100 : 0;
	settings->lock = byte >> 4 & 3 ? NET_LOCK_MAC_IP : NET_LOCK_NO;
	settings->private = byte & 0x40;
	if (byte & 0x80) {
		settings->impairments[byte >> 4 & 1].duplicate = NET_SHARE_ALL;
		settings->impairments[byte >> 4 & 1].corrupt = NET_SHARE_ALL / 2;
		settings->impairments[byte >> 4 & 1].seed = byte;
	}
}

/* The frame, followed by as many zeros as padding says, its rest in pieces. */
static void send_frame(struct fake_port *from, const uint8_t *data, uint32_t size,
		       const struct net_offload *offload, unsigned pieces, unsigned padding)
{
	static uint8_t bytes[NET_FRAME_MAX + 256 * 300];
	struct iovec rests[NET_REST_MAX];
	struct net_frame frame = { .head = bytes, .offload = *offload };
	uint32_t at;

	memset(bytes, 0, sizeof(bytes));
	if (size > NET_FRAME_MAX)
		size = NET_FRAME_MAX;
	memcpy(bytes, data, size);
	frame.size = size + padding * 300;
	frame.head_size = frame.size < NET_HEAD_MAX ? frame.size : NET_HEAD_MAX;
	at = frame.head_size;
	while (at < frame.size) {
		uint32_t left = frame.size - at;
		uint32_t part = frame.rest_count + 1 < 1 + pieces % NET_REST_MAX && left > 1 ? 1 : left;

		rests[frame.rest_count++] = (struct iovec){ bytes + at, part };
		at += part;
	}
	frame.rest = rests;
	switch_input(from->port, &frame, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t accepts[] = {
		0, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4 | NET_ACCEPTS_TSO6, NET_ACCEPTS_CSUM,
	};
	static struct network *network;
	static struct net_switch *sw;
	static struct fake_port ports[4];
	struct net_port_settings settings;
	struct net_offload offload;
	struct cause cause;

	if (size < HEADER)
		return 0;
	if (!sw) {
		sw = fake_switch(&network, "lan");
		for (unsigned i = 0; i < 4; i++)
			fake_port_open(&ports[i], sw, (const char *[]){ "a/net0", "b/net0", "c/net0",
				       "d/net0" }[i], i + 1, i ? accepts[i - 1] : 0);
	}
	for (unsigned i = 0; i < CHOICES; i++) {
		choose(&settings, data[i]);
		REQUIRE(switch_port_set(ports[i].port, &settings, &cause) == 0);
	}
	memcpy(&offload, data + CHOICES, sizeof(offload));
	send_frame(&ports[0], data + HEADER, (uint32_t)(size - HEADER), &offload, data[HEADER - 2],
		   data[HEADER - 1]);
	late_run(&sw->set->late);
	for (unsigned i = 0; i < 4; i++)
		fake_port_clear(&ports[i]);
	return 0;
}
