/*
 * Transmission of the 82574: descriptors become frames, and what they leave to the NIC
 * becomes what the switch knows of that. Intel 82574 datasheet § 7.2, § 7.3. The guest's
 * I/O thread.
 *
 * A ring is read without the lock, and the driver may reset the NIC meanwhile: what it
 * then finds changed is left alone. Descriptors and buffers are copied before they are
 * looked at, and every walk is bounded.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "core/hw/e1000e_private.h"
#include "net/frame/checksum.h"
#include "net/frame/pieces.h"

#define COMMAND_CONTEXT_MASK 0x20f00000u /* extended, and of which type: 0 is a context */
#define COMMAND_CONTEXT 0x20000000u
#define COMMAND_END 0x01000000u
#define COMMAND_SEGMENT 0x04000000u /* of legacy ones: insert a checksum */
#define COMMAND_REPORT 0x08000000u
#define COMMAND_EXTENDED 0x20000000u
#define COMMAND_VLAN 0x40000000u
#define STATUS_DONE 0x01u
#define OPTION_IP 0x100u   /* insert the IP header's checksum */
#define OPTION_L4 0x200u   /* and that of TCP or UDP */
#define CONTEXT_TCP 0x01000000u
#define CONTEXT_IPV4 0x02000000u

#define TCP_PROTOCOL 6
#define TCP_CHECKSUM 16u
#define TCP_FLAGS 13u
#define TCP_CWR 0x80
#define TAG_SIZE 4u

#define IOV_POOL 512u
#define FRAME_DESCRIPTORS_MAX 128u
#define BURST_DESCRIPTORS_MAX 1024u
#define BURSTS_PER_TASK 4u

struct descriptor {
	uint64_t address;
	uint32_t command; /* with the length */
	uint32_t status;  /* options, VLAN tag */
};

/* Makes the switch refuse the frame: no such segments. */
static const struct net_offload bad_offload = { .gso_type = 0xff };

/* What is done in a burst; lives on the I/O thread's stack. */
struct burst {
	struct e1000e *nic;
	struct descriptor *ring;
	unsigned queue;
	uint32_t size, head, tail; /* of the ring: descriptors */
	uint32_t fetched;	   /* descriptors in this burst */
	bool tagging;		   /* CTRL.VME */
	uint16_t tag_type;
	struct e1000e_tx state;	   /* as it will be */
	unsigned count, iov_used;
	uint64_t cost;
	struct net_frame frames[NET_BURST_MAX];
	uint8_t copies[NET_BURST_MAX][NET_HEAD_MAX];
	struct iovec iov[IOV_POOL];
};

/* The parts of a frame. */
struct draft {
	struct descriptor first, last;
	unsigned descriptors, count; /* count: of iovecs */
	struct iovec *iov;
	uint32_t size;
	bool bad; /* in no memory, or too large */
};

static bool is_context(const struct descriptor *d)
{
	return (d->command & COMMAND_CONTEXT_MASK) == COMMAND_CONTEXT;
}

static void add_part(struct burst *burst, struct draft *draft, const struct descriptor *d)
{
	uint32_t length = d->command & (d->command & COMMAND_EXTENDED ? 0xfffff : 0xffff);
	void *host;

	if (!draft->descriptors++)
		draft->first = *d;
	draft->last = *d;
	if (!length)
		return;
	host = memory_at(burst->nic->memory, d->address, length);
	if (!host || draft->count == NET_REST_MAX || length > NET_FRAME_MAX - draft->size) {
		draft->bad = true;
		return;
	}
	draft->iov[draft->count++] = (struct iovec){ host, length };
	draft->size += length;
}

static void next_descriptor(struct burst *burst, uint32_t *at, struct descriptor *out)
{
	memcpy(out, &burst->ring[*at], sizeof(*out));
	*at = *at + 1 == burst->size ? 0 : *at + 1;
	burst->fetched++;
}

/* The rest of a frame with too many descriptors. False: its end is not there yet. */
static bool skip(struct burst *burst)
{
	struct descriptor d;

	while (burst->state.skipping && burst->head != burst->tail &&
	       burst->fetched < BURST_DESCRIPTORS_MAX) {
		next_descriptor(burst, &burst->head, &d);
		if (!is_context(&d) && (d.command & COMMAND_END))
			burst->state.skipping = false;
	}
	return !burst->state.skipping;
}

/*
 * Takes the descriptors of a frame, with contexts before it. False: there is none that is
 * complete; its first descriptors stay in the ring.
 */
static bool take_frame(struct burst *burst, struct draft *draft)
{
	uint32_t at = burst->head, limit = burst->fetched + FRAME_DESCRIPTORS_MAX;
	struct descriptor d;

	*draft = (struct draft){ .iov = burst->iov + burst->iov_used };
	while (at != burst->tail && burst->fetched < limit) {
		next_descriptor(burst, &at, &d);
		if (is_context(&d)) {
			memcpy(burst->state.contexts.words[d.command & COMMAND_SEGMENT ? 1 : 0], &d,
			       sizeof(d));
		} else {
			add_part(burst, draft, &d);
			if (d.command & COMMAND_END) {
				burst->head = at;
				return true;
			}
		}
		if (!draft->descriptors)
			burst->head = at;
	}
	if (burst->fetched < limit)
		return false;
	/* So many contexts alone are no frame yet. */
	burst->head = at;
	burst->state.skipping = draft->descriptors;
	draft->bad = true;
	return true;
}

/* --- what is left to the NIC --- */

/* A context: of IP and of TCP or UDP where the header begins, its checksum is, and it ends. */
struct context {
	uint8_t ip, ip_checksum;
	uint16_t ip_end;
	uint8_t l4, l4_checksum;
	uint16_t l4_end;
	uint32_t command;
	uint8_t status, header_size;
	uint16_t segment_size;
};

_Static_assert(sizeof(struct context) == DESCRIPTOR_SIZE, "a context descriptor");

static void leave_checksum(struct net_frame *frame, uint32_t start, uint32_t field)
{
	frame->offload = (struct net_offload){ .flags = NET_OFFLOAD_NEEDS_CSUM,
					       .csum_start = (uint16_t)start,
					       .csum_offset = (uint16_t)(field - start) };
	if (field < start)
		frame->offload = bad_offload;
}

/* Of bytes of the head, into it. */
static void insert_checksum(uint8_t *head, uint32_t start, uint32_t end, uint32_t field)
{
	uint16_t sum;

	memset(head + field, 0, sizeof(sum));
	sum = checksum_fold(checksum_add(0, head + start, end - start));
	memcpy(head + field, &sum, sizeof(sum));
}

/* A checksum of IP that does not lie in the head is none. */
static void insert_ip_checksum(const struct net_frame *frame, uint8_t *head,
			       const struct context *context)
{
	uint32_t end = context->ip_end + 1u;

	if (context->ip < end && end <= frame->head_size &&
	    range_inside(context->ip_checksum, 2, frame->head_size))
		insert_checksum(head, context->ip, end, context->ip_checksum);
}

/* The lengths that the driver left out, and the checksums that depend on them. */
static bool finish_headers(const struct net_frame *frame, uint8_t *head,
			   const struct context *context)
{
	bool v6 = !(context->command & CONTEXT_IPV4);
	uint32_t ip = context->ip, tcp = context->l4, length = frame->size - ip;
	uint16_t partial;

	if (tcp < ip + (v6 ? 40u : 20u) || tcp + 20u > frame->head_size ||
	    length - (v6 ? 40 : 0) > UINT16_MAX)
		return false;
	if (v6) {
		put_be16(head + ip + 4, (uint16_t)(length - 40));
	} else {
		put_be16(head + ip + 2, (uint16_t)length);
		insert_checksum(head, ip, tcp, ip + 10);
	}
	partial = (uint16_t)~checksum_fold(
		checksum_pseudo(head + ip, v6, TCP_PROTOCOL, frame->size - tcp));
	memcpy(head + tcp + TCP_CHECKSUM, &partial, sizeof(partial));
	return true;
}

static void leave_segments(struct net_frame *frame, uint8_t *head, const struct context *context)
{
	uint8_t type = context->command & CONTEXT_IPV4 ? NET_GSO_TCPV4 : NET_GSO_TCPV6;

	if (!(context->command & CONTEXT_TCP) || !context->segment_size ||
	    context->header_size >= frame->size || !finish_headers(frame, head, context)) {
		frame->offload = bad_offload;
		return;
	}
	leave_checksum(frame, context->l4, context->l4 + TCP_CHECKSUM);
	if (frame->size - context->header_size <= context->segment_size)
		return;
	if (head[context->l4 + TCP_FLAGS] & TCP_CWR)
		type |= NET_GSO_ECN;
	frame->offload.gso_type = type;
	frame->offload.gso_size = context->segment_size;
	frame->offload.header_size = context->header_size;
}

/* Inserts the tag behind the addresses; the head has room for it. */
static void insert_tag(struct net_frame *frame, uint8_t *head, uint16_t type, uint16_t tag)
{
	uint32_t at = 2 * NET_MAC_SIZE;

	if (frame->head_size < at)
		return;
	memmove(head + at + TAG_SIZE, head + at, frame->head_size - at);
	put_be16(head + at, type);
	put_be16(head + at + 2, tag);
	frame->size += TAG_SIZE;
	frame->head_size += TAG_SIZE;
	if (frame->offload.flags)
		frame->offload.csum_start = (uint16_t)(frame->offload.csum_start + TAG_SIZE);
	if (frame->offload.gso_size)
		frame->offload.header_size = (uint16_t)(frame->offload.header_size + TAG_SIZE);
}

static void leave_offload(struct burst *burst, const struct draft *draft, struct net_frame *frame,
			  uint8_t *head)
{
	const struct descriptor *first = &draft->first, *last = &draft->last;
	bool segment = first->command & COMMAND_SEGMENT;
	struct context context;

	frame->offload = (struct net_offload){ 0 };
	if (!(first->command & COMMAND_EXTENDED)) {
		if (last->command & COMMAND_SEGMENT)
			leave_checksum(frame, last->status >> 8 & 0xff, last->command >> 16 & 0xff);
		return;
	}
	memcpy(&context, burst->state.contexts.words[segment], sizeof(context));
	if (segment) {
		leave_segments(frame, head, &context);
		return;
	}
	if (first->status & OPTION_IP)
		insert_ip_checksum(frame, head, &context);
	if (first->status & OPTION_L4)
		leave_checksum(frame, context.l4, context.l4_checksum);
}

static void add_frame(struct burst *burst, const struct draft *draft)
{
	struct net_frame *frame = &burst->frames[burst->count];
	uint8_t *head = burst->copies[burst->count];
	bool tagged = burst->tagging && (draft->last.command & COMMAND_VLAN);
	struct iovec *iov = draft->iov;
	unsigned count = draft->count;

	frame->size = draft->size;
	frame->head = head;
	frame->head_size = pieces_take(&iov, &count, head, NET_HEAD_MAX - (tagged ? TAG_SIZE : 0));
	frame->rest = iov;
	frame->rest_count = count;
	leave_offload(burst, draft, frame, head);
	if (tagged)
		insert_tag(frame, head, burst->tag_type, (uint16_t)(draft->last.status >> 16));
	burst->cost += net_frame_cost(frame);
	burst->iov_used += draft->count;
	burst->count++;
}

/* --- a burst --- */

/* False: there is nothing to be sent, or the driver does not let it. */
static bool begin(struct e1000e *nic, unsigned queue, struct burst *burst)
{
	const uint32_t *reg = nic->reg + (queue ? REG_TDBAL1 - REG_TDBAL : 0);
	bool ready;

	pthread_mutex_lock(&nic->lock);
	burst->nic = nic;
	burst->queue = queue;
	burst->size = reg[REG_TDLEN] / DESCRIPTOR_SIZE;
	burst->head = reg[REG_TDH];
	burst->tail = reg[REG_TDT];
	burst->ring = e1000e_ring(nic, reg[REG_TDBAL], reg[REG_TDBAH], reg[REG_TDLEN]);
	burst->tagging = nic->reg[REG_CTRL] & CTRL_VLAN_MODE;
	burst->tag_type = (uint16_t)nic->reg[REG_VET];
	burst->state = nic->tx[queue];
	ready = (nic->reg[REG_TCTL] & TCTL_ENABLE) && !nic->paused && e1000e_may_access(nic) &&
		burst->ring && burst->head < burst->size && burst->tail < burst->size &&
		burst->head != burst->tail;
	pthread_mutex_unlock(&nic->lock);
	burst->fetched = burst->count = burst->iov_used = 0;
	burst->cost = 0;
	return ready;
}

/* Tells the driver of what has been taken from the ring; whether it wanted to know of any. */
static bool report(const struct burst *burst, uint32_t from)
{
	bool wanted = false;

	while (from != burst->head) {
		struct descriptor *d = &burst->ring[from];

		if (__atomic_load_n(&d->command, __ATOMIC_RELAXED) & COMMAND_REPORT) {
			__atomic_fetch_or((uint8_t *)&d->status, STATUS_DONE, __ATOMIC_RELEASE);
			wanted = true;
		}
		from = from + 1 == burst->size ? 0 : from + 1;
	}
	return wanted;
}

static void end(struct burst *burst)
{
	struct e1000e *nic = burst->nic;
	unsigned queue = burst->queue;
	uint32_t *head = &nic->reg[queue ? REG_TDH1 : REG_TDH], causes = 0;

	pthread_mutex_lock(&nic->lock);
	for (unsigned i = 0; i < burst->count; i++)
		e1000e_count_sent(nic, &burst->frames[i]);
	if (nic->tx[queue].generation == burst->state.generation) {
		if (e1000e_may_access(nic) && report(burst, *head))
			causes |= CAUSE_TXDW | CAUSE_TXQ0 << queue;
		if (burst->head == nic->reg[queue ? REG_TDT1 : REG_TDT])
			causes |= CAUSE_TXQE;
		*head = burst->head;
		nic->tx[queue] = burst->state;
		e1000e_raise(nic, causes);
	}
	e1000e_unlock(nic);
}

/* Sends at most one burst; true when there may be more. */
static bool send_burst(struct e1000e *nic, unsigned queue)
{
	struct burst burst;
	struct draft draft;
	bool more = true;

	if (!begin(nic, queue, &burst))
		return false;
	while (burst.count < NET_BURST_MAX && burst.cost < NET_BURST_COST_MAX &&
	       burst.iov_used <= IOV_POOL - NET_REST_MAX && burst.fetched < BURST_DESCRIPTORS_MAX) {
		more = skip(&burst) && take_frame(&burst, &draft);
		if (!more)
			break;
		if (!draft.bad)
			add_frame(&burst, &draft);
	}
	if (burst.count && nic->port)
		switch_input(nic->port, burst.frames, burst.count);
	end(&burst);
	return more || burst.fetched >= BURST_DESCRIPTORS_MAX;
}

void e1000e_transmit(void *arg)
{
	struct e1000e *nic = arg;
	bool more = false;

	for (unsigned queue = 0; queue < E1000E_TX_QUEUES; queue++) {
		unsigned bursts = 0;

		while (bursts < BURSTS_PER_TASK && send_burst(nic, queue))
			bursts++;
		more |= bursts == BURSTS_PER_TASK;
	}
	if (more)
		loop_post(nic->loop, &nic->tx_task);
}
