/*
 * Statistics registers: they are cleared by reading and stay at their largest value.
 * Intel 82574 datasheet § 10.2.7. Any thread; e1000e.lock held.
 */
#include "core/hw/e1000e_private.h"

#define FCS_SIZE 4u

static void add(struct e1000e *nic, unsigned number, uint64_t more)
{
	uint32_t *count = &nic->reg[REG_STATISTICS + number];

	*count = more > UINT32_MAX - *count ? UINT32_MAX : *count + (uint32_t)more;
}

/* Of bytes: 64 bits in two words. */
static void add_bytes(struct e1000e *nic, unsigned number, uint64_t more)
{
	uint32_t *low = &nic->reg[REG_STATISTICS + number], *high = low + 1;
	uint64_t sum = ((uint64_t)*high << 32 | *low) + more;

	if (sum < more)
		sum = UINT64_MAX;
	*low = (uint32_t)sum;
	*high = (uint32_t)(sum >> 32);
}

void e1000e_count(struct e1000e *nic, enum e1000e_count which)
{
	add(nic, which, 1);
}

/* With FCS: 64 bytes, to 127, 255, 511, 1023, and more. */
static unsigned size_class(uint32_t size)
{
	unsigned class = 0;

	for (uint32_t limit = 65; class < 5 && size >= limit; class++)
		limit = limit == 65 ? 128 : 2 * limit;
	return class;
}

static void add_group(struct e1000e *nic, const uint8_t *head, unsigned multicast,
		      unsigned broadcast, uint64_t count)
{
	static const uint8_t all[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (head[0] & 1)
		add(nic, memcmp(head, all, sizeof(all)) ? multicast : broadcast, count);
}

void e1000e_count_received(struct e1000e *nic, const uint8_t *head, uint32_t size)
{
	size += FCS_SIZE;
	add(nic, COUNT_TPR, 1);
	add(nic, COUNT_GPRC, 1);
	add_bytes(nic, COUNT_TOR, size);
	add_bytes(nic, COUNT_GORC, size);
	add(nic, COUNT_PRC64 + size_class(size), 1);
	add_group(nic, head, COUNT_MPRC, COUNT_BPRC, 1);
}

void e1000e_count_sent(struct e1000e *nic, const struct net_frame *frame)
{
	uint32_t size = frame->size, segments = 1, bytes;
	const struct net_offload *offload = &frame->offload;

	if (offload->gso_size && size > offload->header_size) {
		segments = (size - offload->header_size - 1) / offload->gso_size + 1;
		size = offload->header_size + offload->gso_size;
		add(nic, COUNT_TSCTC, 1);
	}
	bytes = frame->size + (segments - 1) * offload->header_size + segments * FCS_SIZE;
	add(nic, COUNT_TPT, segments);
	add(nic, COUNT_GPTC, segments);
	add_bytes(nic, COUNT_TOT, bytes);
	add_bytes(nic, COUNT_GOTC, bytes);
	add(nic, COUNT_PTC64 + size_class(size + FCS_SIZE), segments);
	if (frame->head_size >= NET_MAC_SIZE)
		add_group(nic, frame->head, COUNT_MPTC, COUNT_BPTC, segments);
}

uint32_t e1000e_read_count(struct e1000e *nic, unsigned number)
{
	uint32_t *count = &nic->reg[REG_STATISTICS + number], value = *count;

	*count = 0;
	return value;
}
