/*
 * Reception of the 82574: filters, and the three kinds of receive descriptors. Intel 82574
 * datasheet § 7.1. On the senders' threads under e1000e.lock.
 *
 * With packet split a frame begins in the first buffer and goes on in the next ones, as that
 * of a kind which the chip does not know to split.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "core/hw/e1000e_private.h"
#include "net/frame/pieces.h"

#define RCTL_UNICAST_ALL 0x00000008u
#define RCTL_MULTICAST_ALL 0x00000010u
#define RCTL_LONG 0x00000020u
#define RCTL_BROADCAST 0x00008000u
#define RCTL_VLAN_FILTER 0x00040000u
#define RCTL_SIZE_TIMES_16 0x02000000u
#define RCTL_STRIP_FCS 0x04000000u
#define RFCTL_EXTENDED 0x00008000u
#define RA_COUNT 16
#define RA_VALID 0x80000000u

#define STATUS_DONE 0x01u
#define STATUS_END 0x02u
#define STATUS_NO_CHECKSUM 0x04u
#define STATUS_VLAN 0x08u

#define FCS_SIZE 4u
#define TAG_SIZE 4u
#define FRAME_SHORTEST 60u  /* without FCS; what is shorter is filled up */
#define FRAME_LONGEST 1514u /* without FCS and tag, unless RCTL_LONG */
#define FRAME_HUGE 16380u
#define DESCRIPTORS_MAX 80u /* of one frame: that many buffers of 256 bytes are 20 KiB */
#define BUFFERS 4u

/* --- filters --- */

static bool is_own_address(const struct e1000e *nic, const uint8_t *address)
{
	for (unsigned i = 0; i < RA_COUNT; i++) {
		const uint32_t *ra = &nic->reg[REG_RA + 2 * i];

		if ((ra[1] & RA_VALID) && !memcmp(ra, address, NET_MAC_SIZE))
			return true;
	}
	return false;
}

static bool is_wanted_group(const struct e1000e *nic, const uint8_t *address)
{
	static const uint8_t shifts[] = { 4, 3, 2, 0 };
	uint32_t rctl = nic->reg[REG_RCTL];
	unsigned hash = ((unsigned)address[5] << 8 | address[4]) >> shifts[rctl >> 12 & 3] & 0xfff;

	return (rctl & RCTL_MULTICAST_ALL) ||
	       (nic->reg[REG_MTA + (hash >> 5)] & 1u << (hash & 31));
}

static bool is_wanted_address(const struct e1000e *nic, const uint8_t *address)
{
	static const uint8_t all[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint32_t rctl = nic->reg[REG_RCTL];

	if (!(address[0] & 1))
		return (rctl & RCTL_UNICAST_ALL) || is_own_address(nic, address);
	if (!memcmp(address, all, sizeof(all)) && (rctl & RCTL_BROADCAST))
		return true;
	return is_own_address(nic, address) || is_wanted_group(nic, address);
}

static bool is_tagged(const struct e1000e *nic, const struct net_frame *frame)
{
	return frame->head_size >= 2 * NET_MAC_SIZE + TAG_SIZE + 2 &&
	       get_be16(frame->head + 2 * NET_MAC_SIZE) == (uint16_t)nic->reg[REG_VET];
}

static uint16_t tag_of(const struct net_frame *frame)
{
	return get_be16(frame->head + 2 * NET_MAC_SIZE + 2);
}

static bool is_wanted(const struct e1000e *nic, const struct net_frame *frame)
{
	unsigned vlan;

	if (!is_wanted_address(nic, frame->head))
		return false;
	if (!(nic->reg[REG_RCTL] & RCTL_VLAN_FILTER) || !is_tagged(nic, frame))
		return true;
	vlan = tag_of(frame) & 0xfff;
	return nic->reg[REG_VFTA + (vlan >> 5)] & 1u << (vlan & 31);
}

/* --- the ring --- */

struct ring {
	uint64_t *words;     /* two of them are the unit of head and tail */
	uint32_t size;	     /* units */
	uint32_t head, free; /* free: descriptors */
	uint32_t units;	     /* of a descriptor */
	unsigned buffers;    /* in a descriptor */
	uint32_t sizes[BUFFERS], capacity;
	bool extended;
};

static void find_sizes(const struct e1000e *nic, struct ring *ring)
{
	uint32_t rctl = nic->reg[REG_RCTL], split = nic->reg[REG_PSRCTL];
	uint32_t step = rctl >> 16 & 3;

	ring->extended = nic->reg[REG_RFCTL] & RFCTL_EXTENDED;
	ring->units = ring->buffers = 1;
	if (ring->extended && (rctl >> 10 & 3) == 1) {
		ring->units = 2;
		ring->buffers = BUFFERS;
		ring->sizes[0] = (split & 0x7f) * 128;
		for (unsigned i = 1; i < BUFFERS; i++)
			ring->sizes[i] = (split >> 8 * i & 0x3f) * 1024;
	} else if (rctl >> 27 & 0xf) {
		ring->sizes[0] = (rctl >> 27 & 0xf) * 1024;
	} else {
		ring->sizes[0] = 2048u >> step;
		if (step && (rctl & RCTL_SIZE_TIMES_16))
			ring->sizes[0] *= 16;
	}
	for (unsigned i = 0; i < ring->buffers; i++)
		ring->capacity += ring->sizes[i];
}

/* False: there is no ring, or none that makes sense. */
static bool find_ring(const struct e1000e *nic, struct ring *ring)
{
	uint32_t size = nic->reg[REG_RDLEN], tail = nic->reg[REG_RDT];

	memset(ring, 0, sizeof(*ring));
	ring->words = e1000e_ring(nic, nic->reg[REG_RDBAL], nic->reg[REG_RDBAH], size);
	ring->size = size / DESCRIPTOR_SIZE;
	ring->head = nic->reg[REG_RDH];
	find_sizes(nic, ring);
	if (!ring->words || ring->head >= ring->size || tail >= ring->size ||
	    ring->head % ring->units || !ring->capacity)
		return false;
	ring->free = (tail + ring->size - ring->head) % ring->size / ring->units;
	return true;
}

/* Descriptor i from the head on. */
static uint64_t *descriptor_at(const struct ring *ring, uint32_t i)
{
	return ring->words + 2ul * ((ring->head + i * ring->units) % ring->size);
}

/* --- a frame --- */

/* Where it goes. */
struct landing {
	unsigned count, descriptors;
	struct iovec pieces[DESCRIPTORS_MAX * BUFFERS];
	uint16_t lengths[DESCRIPTORS_MAX][BUFFERS];
};

/* The buffers of so many bytes. False: there are not enough, or one is not in RAM. */
static bool land(const struct e1000e *nic, const struct ring *ring, uint32_t size,
		 struct landing *landing)
{
	landing->count = 0;
	landing->descriptors = (size - 1) / ring->capacity + 1;
	if (landing->descriptors > ring->free || landing->descriptors > DESCRIPTORS_MAX)
		return false;
	for (unsigned i = 0; i < landing->descriptors; i++) {
		const uint64_t *descriptor = descriptor_at(ring, i);

		for (unsigned b = 0; b < ring->buffers; b++) {
			uint32_t n = size < ring->sizes[b] ? size : ring->sizes[b];
			uint64_t address = __atomic_load_n(&descriptor[b], __ATOMIC_RELAXED);
			void *host = address ? memory_at(nic->memory, address, n) : NULL;

			landing->lengths[i][b] = (uint16_t)n;
			if (!n)
				continue;
			if (!host)
				return false;
			landing->pieces[landing->count++] = (struct iovec){ host, n };
			size -= n;
		}
	}
	return true;
}

/* Behind the frame come zeroes: what fills it up, and an FCS that nobody looks at. */
static void fill(const struct net_frame *frame, const struct landing *landing)
{
	struct net_frame_reader reader = { .frame = frame };

	for (unsigned i = 0; i < landing->count; i++) {
		const struct iovec *piece = &landing->pieces[i];
		size_t n = net_frame_read(&reader, piece->iov_base, piece->iov_len);

		if (n < piece->iov_len)
			memset((uint8_t *)piece->iov_base + n, 0, piece->iov_len - n);
	}
}

/* The word with the status comes last: the driver waits for it. */
static void write_back(const struct ring *ring, uint64_t *descriptor, const uint16_t *lengths,
		       uint32_t status, uint16_t tag)
{
	uint64_t last = (uint64_t)tag << 48;

	if (!ring->extended) {
		last |= lengths[0] | (uint64_t)status << 32;
	} else {
		last |= status | (uint64_t)lengths[0] << 32;
		descriptor[0] = 0; /* no hash and no checksum */
	}
	if (ring->units == 2)
		descriptor[2] = (uint64_t)lengths[1] << 16 | (uint64_t)lengths[2] << 32 |
				(uint64_t)lengths[3] << 48;
	__atomic_store_n(&descriptor[1], last, __ATOMIC_RELEASE);
}

/* Takes the tag out of the frame's head, into another one. */
static void strip_tag(struct net_frame *frame, uint8_t head[NET_HEAD_MAX])
{
	uint32_t at = 2 * NET_MAC_SIZE;

	memcpy(head, frame->head, at);
	memcpy(head + at, frame->head + at + TAG_SIZE, frame->head_size - at - TAG_SIZE);
	frame->head = head;
	frame->head_size -= TAG_SIZE;
	frame->size -= TAG_SIZE;
}

/* Few descriptors are left: fewer than a half, a quarter or an eighth of the ring. */
static bool passes_threshold(const struct e1000e *nic, const struct ring *ring, uint32_t taken)
{
	uint32_t all = ring->size / ring->units;
	uint32_t threshold = all >> ((nic->reg[REG_RCTL] >> 8 & 3) + 1);

	return ring->free > threshold && ring->free - taken <= threshold;
}

/* Puts a frame into the ring; false: no room. */
static bool receive(struct e1000e *nic, const struct ring *ring, const struct net_frame *wire)
{
	struct net_frame frame = *wire;
	uint32_t status = STATUS_DONE | STATUS_END | STATUS_NO_CHECKSUM, size;
	uint8_t head[NET_HEAD_MAX];
	struct landing landing;
	uint16_t tag = 0;

	if ((nic->reg[REG_CTRL] & CTRL_VLAN_MODE) && is_tagged(nic, &frame)) {
		tag = tag_of(&frame);
		status |= STATUS_VLAN;
		strip_tag(&frame, head);
	}
	size = frame.size < FRAME_SHORTEST ? FRAME_SHORTEST : frame.size;
	if (!(nic->reg[REG_RCTL] & RCTL_STRIP_FCS))
		size += FCS_SIZE;
	if (!land(nic, ring, size, &landing))
		return false;
	fill(&frame, &landing);
	for (unsigned i = 0; i < landing.descriptors; i++) {
		bool last = i + 1 == landing.descriptors;

		write_back(ring, descriptor_at(ring, i), landing.lengths[i],
			   last ? status : STATUS_DONE, last ? tag : 0);
	}
	nic->reg[REG_RDH] = (ring->head + landing.descriptors * ring->units) % ring->size;
	nic->rx_causes |= CAUSE_RXT0 | CAUSE_RXQ0;
	if (passes_threshold(nic, ring, landing.descriptors))
		nic->rx_causes |= CAUSE_RXDMT0;
	return true;
}

static bool is_too_long(const struct e1000e *nic, const struct net_frame *frame)
{
	uint32_t longest = is_tagged(nic, frame) ? FRAME_LONGEST + TAG_SIZE : FRAME_LONGEST;

	return frame->size > (nic->reg[REG_RCTL] & RCTL_LONG ? FRAME_HUGE : longest);
}

/*
 * What becomes of a frame: taken, or why not. One that the driver has no use for has come as
 * far as the NIC.
 */
static enum net_verdict take(struct e1000e *nic, uint32_t from, const struct net_frame *frame)
{
	struct ring ring;

	if (!nic->receiving)
		return NET_DROP_LINK_DOWN;
	if (!is_wanted(nic, frame))
		return NET_FORWARD;
	if (is_too_long(nic, frame)) {
		e1000e_count(nic, COUNT_ROC);
		return NET_DROP_LONG;
	}
	if (!find_ring(nic, &ring))
		return NET_DROP_NO_BUFFER;
	if (!reserve_admit(&nic->reserve, from, ring.free))
		return NET_DROP_OVER_SHARE;
	if (!receive(nic, &ring, frame)) {
		e1000e_count(nic, COUNT_RNBC);
		e1000e_count(nic, COUNT_MPC);
		nic->rx_causes |= CAUSE_RXO;
		return NET_DROP_NO_BUFFER;
	}
	e1000e_count_received(nic, frame->head, frame->size);
	return NET_FORWARD;
}

static unsigned deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			unsigned count, enum net_verdict *verdicts)
{
	struct e1000e *nic = backend;
	unsigned taken = 0;

	pthread_mutex_lock(&nic->lock);
	for (unsigned i = 0; i < count; i++) {
		enum net_verdict verdict = take(nic, from, frames[i]);

		if (verdict == NET_FORWARD)
			taken++;
		else
			verdicts[i] = verdict;
	}
	pthread_mutex_unlock(&nic->lock);
	return taken;
}

void e1000e_tell_received(struct e1000e *nic)
{
	if (nic->rx_causes)
		e1000e_raise(nic, nic->rx_causes);
	nic->rx_causes = 0;
}

static void flush(void *backend)
{
	struct e1000e *nic = backend;

	pthread_mutex_lock(&nic->lock);
	e1000e_tell_received(nic);
	e1000e_unlock(nic);
}

const struct net_port_ops e1000e_port_ops = {
	.deliver = deliver, .flush = flush, .link = e1000e_set_link,
};
