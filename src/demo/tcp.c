/*
 * TCP (RFC 9293) in its simplest useful form: segments are taken in order
 * only, lost ones are sent again from the first (RFC 6298 timer, and at the
 * third duplicate ACK), no window scaling, no options but MSS. CPU 0, in
 * tasks and between them.
 */
#include "tcp.h"

#include "clock.h"
#include "memory.h"
#include "net.h"
#include "task.h"

#define CONNECTIONS 16
#define LISTENERS 4
#define BUFFER 16384u /* each way, a power of two */
#define MSS 1460u
#define TRIES 8
#define RTO_LEAST (200 * MILLISECOND)
#define RTO_MOST (4 * SECOND)
#define LINGER SECOND         /* in TIME-WAIT */
#define ABANDON (20 * SECOND) /* after tcp_close(), for a peer that does not close */

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum state { FREE, SYN_SENT, SYN_RECEIVED, ESTABLISHED };

struct tcp {
	enum state state;
	bool owned, broken;
	bool fin_wanted, fin_sent, fin_acked, fin_received;
	uint32_t remote;
	uint16_t local_port, remote_port;
	uint32_t una, nxt, high; /* first unacknowledged, next to send, highest sent + 1 */
	uint32_t window, mss;    /* the peer's */
	uint32_t receive_next, told_window;
	uint8_t *out, *in;              /* rings */
	unsigned out_start, out_length; /* from una */
	unsigned in_start, in_length;
	unsigned duplicates, tries;
	uint64_t due, rto; /* due 0: nothing to repeat */
	uint64_t srtt, variance, timed_at;
	uint32_t timed; /* sequence number whose ACK ends the measurement at timed_at (0: none) */
	uint64_t free_at;
	void (*progress)(struct tcp *);
	uint64_t words[TCP_WORDS];
};

struct tcp_counters tcp_counters;

static struct tcp connections[CONNECTIONS];
static struct {
	uint16_t port;
	void (*progress)(struct tcp *);
} listeners[LISTENERS];

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static void ring_copy_in(uint8_t *ring, unsigned at, const uint8_t *from, unsigned length)
{
	unsigned first = minimum(length, BUFFER - (at &= BUFFER - 1));

	memcpy(ring + at, from, first);
	memcpy(ring, from + first, length - first);
}

static void ring_copy_out(const uint8_t *ring, unsigned at, uint8_t *to, unsigned length)
{
	unsigned first = minimum(length, BUFFER - (at &= BUFFER - 1));

	memcpy(to, ring + at, first);
	memcpy(to + first, ring, length - first);
}

/* One segment; length bytes from offset of the out ring. False when it could not be sent. */
static bool send(struct tcp *c, uint32_t sequence, unsigned flags, unsigned offset, unsigned length)
{
	unsigned header = flags & SYN ? 24 : 20;
	uint8_t *tcp = net_packet(c->remote, IP_TCP);

	if (tcp == NULL)
		return false;
	put16(tcp, c->local_port);
	put16(tcp + 2, c->remote_port);
	put32(tcp + 4, sequence);
	put32(tcp + 8, flags & ACK ? c->receive_next : 0);
	put16(tcp + 12, header << 10 | flags);
	c->told_window = BUFFER - c->in_length;
	put16(tcp + 14, c->told_window);
	put32(tcp + 16, 0);
	if (flags & SYN)
		put32(tcp + 20, 2 << 24 | 4 << 16 | MSS);
	ring_copy_out(c->out, c->out_start + offset, tcp + header, length);
	put16(tcp + 16,
	      net_checksum(net_pseudo_sum(net_address.ip, c->remote, IP_TCP, header + length), tcp,
			   header + length));
	net_send(header + length);
	return true;
}

/* Answers a segment that belongs to no connection. RFC 9293 §3.5.2 */
static void refuse(uint32_t from, const uint8_t *segment, unsigned flags, unsigned length)
{
	struct tcp none = {
		.remote = from,
		.local_port = get16(segment + 2),
		.remote_port = get16(segment),
		.receive_next = get32(segment + 4) + length + !!(flags & SYN) + !!(flags & FIN),
		.in_length = BUFFER,
	};

	if (flags & RST)
		return;
	if (flags & ACK)
		send(&none, get32(segment + 8), RST, 0, 0);
	else
		send(&none, 0, RST | ACK, 0, 0);
}

static void arm(struct tcp *c)
{
	c->due = clock_now() + minimum(c->rto << minimum(c->tries, 5), RTO_MOST);
}

static void send_data(struct tcp *c)
{
	while (!c->fin_sent) {
		unsigned sent = c->nxt - c->una;
		unsigned length = minimum(c->out_length - sent, c->mss);

		length = minimum(length, c->window > sent ? c->window - sent : 0);
		if (length == 0 || !send(c, c->nxt, ACK | PSH, sent, length))
			break;
		c->nxt += length;
		if (c->timed_at == 0 && !before(c->nxt - length, c->high)) {
			c->timed_at = clock_now();
			c->timed = c->nxt;
		}
		if (before(c->high, c->nxt))
			c->high = c->nxt;
	}
	if (c->fin_wanted && !c->fin_sent && c->nxt - c->una == c->out_length &&
	    send(c, c->nxt, ACK | FIN, 0, 0)) {
		c->fin_sent = true;
		c->nxt++;
		if (before(c->high, c->nxt))
			c->high = c->nxt;
	}
}

static void output(struct tcp *c)
{
	if (c->state == ESTABLISHED)
		send_data(c);
	if (c->due == 0 &&
	    (c->nxt != c->una || c->out_length > 0 || (c->fin_wanted && !c->fin_acked)))
		arm(c);
}

static void break_off(struct tcp *c)
{
	c->broken = true;
	c->due = 0;
	tcp_counters.failed++;
	if (!c->owned)
		c->state = FREE;
	else if (c->progress != NULL)
		c->progress(c);
	task_event();
}

static void retransmit(struct tcp *c)
{
	tcp_counters.retransmitted++;
	c->timed_at = 0;
	c->nxt = c->una;
	c->fin_sent = false;
	if (c->state == SYN_SENT || c->state == SYN_RECEIVED) {
		send(c, c->una, c->state == SYN_SENT ? SYN : SYN | ACK, 0, 0);
		c->nxt = c->una + 1;
	} else if (c->window == 0 && c->out_length > 0) {
		send(c, c->una, ACK | PSH, 0, 1);
		c->high = before(c->high, c->una + 1) ? c->una + 1 : c->high;
	} else {
		send_data(c);
	}
	arm(c);
}

uint64_t tcp_timers(uint64_t now)
{
	uint64_t next = NEVER;

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct tcp *c = &connections[i];

		if (c->state != FREE && c->free_at != 0 && c->free_at <= now)
			c->state = FREE;
		if (c->state == FREE || c->broken)
			continue;
		if (c->due != 0 && c->due <= now) {
			if (++c->tries > TRIES)
				break_off(c);
			else
				retransmit(c);
		}
		if (c->state != FREE && c->due != 0)
			next = minimum(next, c->due);
		if (c->state != FREE && c->free_at != 0)
			next = minimum(next, c->free_at);
	}
	return next;
}

static struct tcp *create(uint32_t remote, uint16_t local_port, uint16_t remote_port)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct tcp *c = &connections[i];
		uint8_t *buffers = c->out;
		uint32_t first = (uint32_t)clock_now() * 2654435761u;

		if (c->state != FREE)
			continue;
		if (buffers == NULL)
			buffers = memory_take(2 * BUFFER);
		if (buffers == NULL)
			return NULL;
		*c = (struct tcp){ .remote = remote,
				   .local_port = local_port,
				   .remote_port = remote_port,
				   .out = buffers,
				   .in = buffers + BUFFER,
				   .owned = true,
				   .una = first,
				   .nxt = first + 1,
				   .high = first + 1,
				   .mss = MSS,
				   .window = MSS,
				   .rto = 300 * MILLISECOND };
		return c;
	}
	return NULL;
}

/* Round-trip time by RFC 6298. */
static void measure(struct tcp *c)
{
	uint64_t time = clock_now() - c->timed_at, difference;

	c->timed_at = 0;
	if (c->srtt == 0) {
		c->srtt = time;
		c->variance = time / 2;
	} else {
		difference = time > c->srtt ? time - c->srtt : c->srtt - time;
		c->variance = (3 * c->variance + difference) / 4;
		c->srtt = (7 * c->srtt + time) / 8;
	}
	c->rto = maximum(RTO_LEAST, minimum(c->srtt + 4 * c->variance, RTO_MOST));
}

static void acknowledge(struct tcp *c, uint32_t ack, unsigned window, bool bare)
{
	uint32_t acked = ack - c->una, data;

	if (before(ack, c->una) || before(c->high, ack))
		return;
	if (acked == 0) {
		if (bare && window == c->window && c->nxt != c->una && ++c->duplicates == 3)
			retransmit(c);
		c->window = window;
		return;
	}
	if (c->timed_at != 0 && !before(ack, c->timed))
		measure(c);
	data = minimum(acked, c->out_length);
	c->fin_acked |= acked > c->out_length && c->fin_wanted;
	c->out_start += data;
	c->out_length -= data;
	c->una = ack;
	if (before(c->nxt, ack))
		c->nxt = ack;
	if (c->fin_acked)
		c->fin_sent = true;
	c->window = window;
	c->duplicates = 0;
	c->tries = 0;
	c->due = 0;
}

/* True when something of the segment calls for an answer. */
static bool receive(struct tcp *c, uint32_t sequence, const uint8_t *data, unsigned length,
		    bool fin)
{
	unsigned room, skip;

	if (length == 0 && !fin)
		return sequence != c->receive_next;
	skip = c->receive_next - sequence;
	if (before(c->receive_next, sequence) || skip > length || c->fin_received)
		return true;
	room = minimum(length - skip, BUFFER - c->in_length);
	ring_copy_in(c->in, c->in_start + c->in_length, data + skip, room);
	c->in_length += room;
	c->receive_next += room;
	if (fin && skip + room == length) {
		c->receive_next++;
		c->fin_received = true;
	}
	return true;
}

static void settle(struct tcp *c)
{
	if (c->owned && c->progress != NULL)
		c->progress(c);
	if (!c->owned && c->fin_acked && c->fin_received)
		c->free_at = clock_now() + LINGER;
	output(c);
	task_event();
}

/* SYN-SENT: RFC 9293 §3.10.7.3. SYN-RECEIVED ends with the first good ACK. */
static bool handshake(struct tcp *c, const uint8_t *segment, unsigned flags)
{
	uint32_t ack = get32(segment + 8);

	if (flags & ACK && ack != c->una + 1)
		return false;
	if (c->state == SYN_SENT) {
		if ((flags & (SYN | ACK)) != (SYN | ACK))
			return false;
		c->receive_next = get32(segment + 4) + 1;
	} else if (!(flags & ACK)) {
		if (flags & SYN)
			send(c, c->una, SYN | ACK, 0, 0);
		return false;
	}
	c->state = ESTABLISHED;
	c->una = c->nxt = c->high = ack;
	c->window = get16(segment + 14);
	c->due = 0;
	c->tries = 0;
	if (flags & SYN)
		send(c, c->nxt, ACK, 0, 0);
	return true;
}

static void accept(uint32_t from, const uint8_t *segment)
{
	struct tcp *c;

	for (unsigned i = 0; i < LISTENERS; i++) {
		if (listeners[i].progress == NULL || listeners[i].port != get16(segment + 2))
			continue;
		c = create(from, get16(segment + 2), get16(segment));
		if (c == NULL)
			return;
		c->state = SYN_RECEIVED;
		c->receive_next = get32(segment + 4) + 1;
		c->progress = listeners[i].progress;
		tcp_counters.accepted++;
		send(c, c->una, SYN | ACK, 0, 0);
		arm(c);
		return;
	}
	refuse(from, segment, SYN, 0);
}

static void read_mss(struct tcp *c, const uint8_t *options, unsigned length)
{
	for (unsigned at = 0; at < length && options[at] != 0;) {
		unsigned size = options[at] == 1 ? 1 : at + 1 < length ? options[at + 1] : 0;

		if (size == 0 || (size == 1 && options[at] != 1) || at + size > length)
			return;
		if (options[at] == 2 && size == 4)
			c->mss = maximum(64, minimum(MSS, get16(options + at + 2)));
		at += size;
	}
}

static void input(struct tcp *c, const uint8_t *segment, unsigned flags, unsigned header,
		  unsigned length)
{
	uint32_t sequence = get32(segment + 4);
	bool answer;

	if (flags & RST) {
		if (c->state == SYN_SENT ? flags & ACK && get32(segment + 8) == c->una + 1
					 : sequence == c->receive_next)
			break_off(c);
		return;
	}
	if (flags & SYN)
		read_mss(c, segment + 20, header - 20);
	if (c->state != ESTABLISHED) {
		if (!handshake(c, segment, flags))
			return;
	} else if (flags & SYN) {
		send(c, c->nxt, ACK, 0, 0);
		return;
	}
	if (!(flags & ACK))
		return;
	if (!(flags & SYN)) {
		acknowledge(c, get32(segment + 8), get16(segment + 14),
			    length == 0 && !(flags & FIN));
		answer = receive(c, sequence, segment + header, length, flags & FIN);
		if (answer)
			send(c, c->nxt, ACK, 0, 0);
	}
	settle(c);
}

void tcp_input(uint32_t from, const uint8_t *segment, unsigned length)
{
	unsigned header, flags;

	header = length >= 20 ? (segment[12] >> 4) * 4 : 0;
	if (header < 20 || header > length ||
	    net_checksum(net_pseudo_sum(from, net_address.ip, IP_TCP, length), segment, length)) {
		net_counters.bad++;
		return;
	}
	flags = segment[13] & 0x1f;
	length -= header;
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct tcp *c = &connections[i];

		if (c->state == FREE || c->broken || c->remote != from ||
		    c->local_port != get16(segment + 2) || c->remote_port != get16(segment))
			continue;
		input(c, segment, flags, header, length);
		return;
	}
	if ((flags & (SYN | ACK | RST)) == SYN)
		accept(from, segment);
	else
		refuse(from, segment, flags, length);
}

void tcp_listen(uint16_t port, void (*progress)(struct tcp *connection))
{
	for (unsigned i = 0; i < LISTENERS; i++) {
		if (listeners[i].progress == NULL) {
			listeners[i].port = port;
			listeners[i].progress = progress;
			return;
		}
	}
}

struct tcp *tcp_connect(uint32_t ip, uint16_t port, uint64_t timeout)
{
	static uint16_t next_port;
	uint64_t limit = clock_now() + timeout;
	struct tcp *c;

	if (!net_resolve(ip, timeout))
		return NULL;
	if (next_port < 49152)
		next_port = 49152 + clock_now() / 1000 % 16000;
	c = create(ip, next_port++, port);
	if (c == NULL)
		return NULL;
	c->state = SYN_SENT;
	tcp_counters.opened++;
	send(c, c->una, SYN, 0, 0);
	arm(c);
	while (c->state != ESTABLISHED && !c->broken && clock_now() < limit)
		task_wait(limit);
	if (c->state == ESTABLISHED && !c->broken)
		return c;
	c->state = FREE;
	return NULL;
}

unsigned tcp_write(struct tcp *c, const void *data, unsigned length)
{
	length = c->broken || c->fin_wanted ? 0 : minimum(length, BUFFER - c->out_length);
	ring_copy_in(c->out, c->out_start + c->out_length, data, length);
	c->out_length += length;
	output(c);
	return length;
}

unsigned tcp_read(struct tcp *c, void *data, unsigned length)
{
	length = minimum(length, c->in_length);
	ring_copy_out(c->in, c->in_start, data, length);
	c->in_start += length;
	c->in_length -= length;
	if (length > 0 && c->told_window < BUFFER / 2 && BUFFER - c->in_length >= BUFFER / 2 &&
	    !c->fin_received && !c->broken)
		send(c, c->nxt, ACK, 0, 0);
	return length;
}

bool tcp_ended(const struct tcp *c)
{
	return c->in_length == 0 && (c->fin_received || c->broken);
}

bool tcp_broken(const struct tcp *c)
{
	return c->broken;
}

bool tcp_drained(const struct tcp *c)
{
	return c->out_length == 0;
}

void tcp_shutdown(struct tcp *c)
{
	c->fin_wanted = true;
	output(c);
}

void tcp_close(struct tcp *c)
{
	c->owned = false;
	if (c->broken) {
		c->state = FREE;
		return;
	}
	c->free_at = clock_now() + (c->fin_acked && c->fin_received ? LINGER : ABANDON);
	tcp_shutdown(c);
}

uint64_t *tcp_word(struct tcp *c, unsigned n)
{
	return &c->words[n];
}

unsigned tcp_open_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CONNECTIONS; i++)
		count += connections[i].state != FREE && connections[i].owned;
	return count;
}
