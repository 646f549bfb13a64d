/* See nat_order.h. */
#include "net/port/nat_order.h"

#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"

#define IP 14u
#define TCP (IP + 20u)
#define TCP_HEADER 20u
#define ETHERTYPE_IP 0x0800
#define PROTOCOL_TCP 6
#define SYN 0x02u
#define ACK 0x10u

void nat_order_init(struct nat_order *order)
{
	if (getrandom(&order->seed, sizeof(order->seed), GRND_NONBLOCK) != sizeof(order->seed))
		order->seed = (uintptr_t)order * 0x9e3779b97f4a7c15ull;
	order->seed |= 1;
}

/* Bytes of payload, or -1: it is not TCP in an IPv4 packet without options. */
static int payload_of(const uint8_t *frame, size_t size)
{
	unsigned total, headers;

	if (size < TCP + TCP_HEADER || get_be16(frame + 12) != ETHERTYPE_IP || frame[IP] != 0x45 ||
	    frame[IP + 9] != PROTOCOL_TCP)
		return -1;
	total = get_be16(frame + IP + 2);
	headers = TCP - IP + (frame[TCP + 12] >> 4) * 4u;
	return total < headers ? -1 : (int)(total - headers);
}

/* Port 0 is nobody's, so it is not 0. */
static uint64_t make_key(uint16_t guest_port, uint16_t port, uint32_t address)
{
	return (uint64_t)guest_port << 48 | (uint64_t)port << 32 | address;
}

static unsigned set_of(const struct nat_order *order, uint64_t key)
{
	return (unsigned)((key ^ key >> 29) * order->seed >> 40) & (NAT_ORDER_SETS - 1);
}

/* The connection's entry, or the one of its set that was answered longest ago; the first then. */
static struct nat_order_entry *to_front(struct nat_order *order, uint64_t key)
{
	struct nat_order_entry *set = order->entries[set_of(order, key)], entry;
	unsigned at = 0;

	while (at < NAT_ORDER_WAYS - 1 && set[at].key != key)
		at++;
	if (at) {
		entry = set[at];
		memmove(set + 1, set, at * sizeof(*set));
		set[0] = entry;
	}
	return set;
}

void nat_order_sent(struct nat_order *order, const uint8_t *frame, size_t size)
{
	struct nat_order_entry *entry;
	uint32_t missing;
	uint64_t key;

	if (payload_of(frame, size) < 0 || !(frame[TCP + 13] & ACK))
		return;
	key = make_key(get_be16(frame + TCP + 2), get_be16(frame + TCP), get_be32(frame + IP + 12));
	missing = get_be32(frame + TCP + 8);
	entry = to_front(order, key);
	if (entry->key == key && entry->missing == missing && !(frame[TCP + 13] & SYN))
		return;
	order->kept -= entry->kept;
	*entry = (struct nat_order_entry){ .key = key, .missing = missing };
}

bool nat_order_admits(struct nat_order *order, const uint8_t *frame, size_t size)
{
	struct nat_order_entry *entry;
	uint64_t key;
	unsigned at = 0;

	if (payload_of(frame, size) <= 0)
		return true;
	key = make_key(get_be16(frame + TCP), get_be16(frame + TCP + 2), get_be32(frame + IP + 16));
	entry = order->entries[set_of(order, key)];
	while (entry->key != key && ++at < NAT_ORDER_WAYS)
		entry++;
	if (entry->key != key || (int32_t)(get_be32(frame + TCP + 4) - entry->missing) <= 0)
		return true;
	if (entry->kept >= NAT_ORDER_CONNECTION || order->kept >= NAT_ORDER_GUEST)
		return false;
	entry->kept++;
	order->kept++;
	return true;
}
