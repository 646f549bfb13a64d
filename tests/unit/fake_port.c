#include "fake_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/capture/filter_compiler.h"
#include "net/capture/filter_words.h"
#include "net/port/thread.h"

/* An uplink, and a kind of port, that do nothing: the real ones are not under test. */
int uplink_new(struct uplink **out, const struct uplink_listener *listener, struct cause *cause)
{
	(void)listener;
	*out = calloc(1, sizeof(**out));
	return loop_init(&(*out)->loop, cause);
}

void uplink_free(struct uplink *uplink)
{
	if (uplink)
		loop_destroy(&uplink->loop);
	free(uplink);
}

static bool kind_wanted(const struct switch_config *config)
{
	return config->address;
}

static int kind_create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		       const struct switch_config *config, const struct port_section *section,
		       struct cause *cause)
{
	static struct port port;

	(void)uplink;
	(void)sw;
	(void)section;
	if (config->prefix > 30)
		return cause_set(cause, EINVAL, "prefix %u", config->prefix);
	port.kind = *port_kinds;
	*out = &port;
	return 0;
}

static void kind_destroy(struct port *port)
{
	(void)port;
}

static size_t kind_list_leases(struct port *port, struct dhcp_lease_info *out, size_t room)
{
	(void)port;
	if (room)
		memset(out, 0, sizeof(*out));
	return 1;
}

static const struct port_kind fake_kind = {
	.name = "fake",
	.wanted = kind_wanted,
	.create = kind_create,
	.destroy = kind_destroy,
	.list_leases = kind_list_leases,
};

const struct port_kind *const port_kinds[] = { &fake_kind, NULL };

static _Noreturn void die(const struct cause *cause)
{
	fprintf(stderr, "%s\n", cause->text);
	abort();
}

static void keep(struct fake_port *fake, uint32_t from, const struct net_frame *frame)
{
	struct fake_frame *kept = &fake->kept[fake->count++];
	uint8_t *at;

	kept->size = frame->size;
	kept->from = from;
	kept->offload = frame->offload;
	kept->data = at = malloc(frame->size + 1);
	memcpy(at, frame->head, frame->head_size);
	at += frame->head_size;
	for (uint32_t i = 0; i < frame->rest_count; i++) {
		memcpy(at, frame->rest[i].iov_base, frame->rest[i].iov_len);
		at += frame->rest[i].iov_len;
	}
	if (at != kept->data + frame->size)
		abort();
}

static atomic_uint all_calls;

static unsigned deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			unsigned count, enum net_verdict *verdicts)
{
	struct fake_port *fake = backend;
	unsigned taken = 0;

	if (atomic_load(&fake->gone))
		atomic_fetch_add(&fake->intruded, 1);
	pthread_mutex_lock(&fake->lock);
	fake->last_call = atomic_fetch_add(&all_calls, 1) + 1;
	if (!fake->calls++)
		fake->first_call = fake->last_call;
	for (unsigned i = 0; i < count; i++) {
		if (fake->down) {
			verdicts[i] = NET_DROP_LINK_DOWN;
		} else if (fake->count >= fake->room) {
			verdicts[i] = NET_DROP_NO_BUFFER;
		} else {
			keep(fake, from, frames[i]);
			taken++;
		}
	}
	pthread_mutex_unlock(&fake->lock);
	return taken;
}

static void flush(void *backend)
{
	struct fake_port *fake = backend;

	if (atomic_load(&fake->gone))
		atomic_fetch_add(&fake->intruded, 1);
	atomic_fetch_add(&fake->flushes, 1);
}

static void forget(void *backend, uint32_t from)
{
	struct fake_port *fake = backend;

	if (atomic_load(&fake->gone))
		atomic_fetch_add(&fake->intruded, 1);
	fake->forgotten++;
	fake->last_forgotten = from;
}

static void set_link(void *backend, bool up)
{
	struct fake_port *fake = backend;

	fake->links++;
	fake->up = up;
}

static const struct net_port_ops ops = {
	.deliver = deliver, .flush = flush, .forget = forget, .link = set_link,
};

void fake_mac(uint8_t *mac, unsigned number)
{
	const uint8_t bytes[] = { 2, 0, 0, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
				  (uint8_t)number };

	memcpy(mac, bytes, sizeof(bytes));
}

static void open_port(struct fake_port *fake, struct net_switch *sw,
		      const struct net_port_config *config)
{
	struct cause cause;

	memset(fake, 0, sizeof(*fake));
	pthread_mutex_init(&fake->lock, NULL);
	fake->room = FAKE_KEPT;
	memcpy(fake->mac, config->addresses[0].mac, NET_MAC_SIZE);
	if (switch_port_add(&fake->port, sw, config, &ops, fake, &cause))
		die(&cause);
}

void fake_port_open(struct fake_port *fake, struct net_switch *sw, const char *name,
		    unsigned number, uint32_t accepts)
{
	struct net_port_config config = { .name = name, .kind = "guest", .accepts = accepts };

	fake_mac(config.addresses[0].mac, number);
	open_port(fake, sw, &config);
}

void fake_port_open_set(struct fake_port *fake, struct net_switch *sw, const char *name,
			unsigned number, const struct net_port_settings *settings)
{
	fake_port_open_kept(fake, sw, name, number, settings, NULL);
}

void fake_port_open_kept(struct fake_port *fake, struct net_switch *sw, const char *name,
			 unsigned number, const struct net_port_settings *settings,
			 struct net_port_kept **kept)
{
	struct net_port_config config = { .name = name, .kind = "guest", .settings = settings,
					  .kept = kept };

	fake_mac(config.addresses[0].mac, number);
	open_port(fake, sw, &config);
}

void fake_port_open_at(struct fake_port *fake, struct net_switch *sw, const char *name,
		       const struct net_port_address *addresses, unsigned count)
{
	struct net_port_config config = { .name = name, .kind = "service" };

	memcpy(config.addresses, addresses, count * sizeof(*addresses));
	open_port(fake, sw, &config);
}

void fake_port_clear(struct fake_port *fake)
{
	pthread_mutex_lock(&fake->lock);
	while (fake->count)
		free(fake->kept[--fake->count].data);
	fake->calls = 0;
	atomic_store(&fake->flushes, 0);
	pthread_mutex_unlock(&fake->lock);
}

void fake_port_close(struct fake_port *fake)
{
	if (fake->port)
		switch_port_remove(fake->port);
	fake->port = NULL;
	atomic_store(&fake->gone, true);
	fake_port_clear(fake);
}

void fake_frame(struct net_frame *frame, struct iovec *rest, uint8_t *data, uint32_t size,
		const uint8_t *to, const uint8_t *from)
{
	memset(frame, 0, sizeof(*frame));
	memcpy(data, to, NET_MAC_SIZE);
	memcpy(data + NET_MAC_SIZE, from, NET_MAC_SIZE);
	frame->head = data;
	frame->head_size = size < NET_HEAD_MAX ? size : NET_HEAD_MAX;
	frame->size = size;
	rest->iov_base = data + frame->head_size;
	rest->iov_len = size - frame->head_size;
	frame->rest = rest;
	frame->rest_count = rest->iov_len ? 1 : 0;
}

void fake_send(struct fake_port *from, const uint8_t *to, const uint8_t *source, uint32_t size)
{
	static _Thread_local uint8_t data[NET_FRAME_MAX + 64];
	struct net_frame frame;
	struct iovec rest;

	for (uint32_t i = 12; i < size; i++)
		data[i] = (uint8_t)i;
	data[12] = 0x88; /* an Ethertype for experiments */
	data[13] = 0xb5;
	fake_frame(&frame, &rest, data, size, to, source);
	switch_input(from->port, &frame, 1);
}

static unsigned ring_deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			     unsigned count, enum net_verdict *verdicts)
{
	struct fake_ring *ring = backend;

	(void)from;
	(void)verdicts;
	for (unsigned i = 0; i < count; i++) {
		uint8_t *to = fake_slot(ring->slots, ring->at++);

		net_head_copy(to, frames[i]->head, frames[i]->head_size);
		to += frames[i]->head_size;
		for (uint32_t k = 0; k < frames[i]->rest_count; k++) {
			memcpy(to, frames[i]->rest[k].iov_base, frames[i]->rest[k].iov_len);
			to += frames[i]->rest[k].iov_len;
		}
	}
	return count;
}

static void ring_flush(void *backend)
{
	(void)backend;
}

static const struct net_port_ops ring_ops = { .deliver = ring_deliver, .flush = ring_flush };

void fake_ring_open(struct fake_ring *ring, struct net_switch *sw, const char *name,
		    unsigned number)
{
	struct net_port_config config = { .name = name, .kind = "guest" };
	struct cause cause;

	fake_mac(config.addresses[0].mac, number);
	ring->slots = aligned_alloc(4096, FAKE_RING_SIZE);
	memset(ring->slots, 0, FAKE_RING_SIZE);
	if (switch_port_add(&ring->port, sw, &config, &ring_ops, ring, &cause))
		die(&cause);
}

void fake_ring_close(struct fake_ring *ring)
{
	switch_port_remove(ring->port);
	free(ring->slots);
}

void fake_filter(struct capture_config *config, struct filter *program)
{
	static struct filter_insn insns[FILTER_INSNS_MAX];
	char text[FILTER_REWRITTEN_MAX];
	struct cause cause;
	int count;

	*program = (struct filter){ 0 };
	config->program = program;
	if (!config->filter)
		return;
	if (filter_rewrite(text, sizeof(text), config->filter, &cause))
		die(&cause);
	count = filter_process_compile(insns, text, &cause);
	if (count < 0 || filter_set(program, insns, (uint32_t)count, &cause))
		die(&cause);
}

struct capture *fake_capture(struct network *network, const struct capture_config *config)
{
	struct capture_config with = *config;
	struct filter program;
	struct capture *capture;
	struct cause cause;

	fake_filter(&with, &program);
	if (capture_start(&capture, network_capture_hub(network), &with, &cause))
		die(&cause);
	return capture;
}

struct net_switch *fake_switch(struct network **network, const char *name)
{
	return fake_switch_past(network, name, &(struct past_config){ 0 });
}

struct net_switch *fake_switch_past(struct network **network, const char *name,
				    const struct past_config *past)
{
	struct switch_config config = { .past = *past };
	struct net_switch *sw;
	struct cause cause;

	snprintf(config.name, sizeof(config.name), "%s", name);
	if ((!*network && network_new(network, &cause)) ||
	    switch_new(&sw, *network, &config, &cause))
		die(&cause);
	return sw;
}

int fake_lan_setup(void **state)
{
	struct fake_lan *lan = calloc(1, sizeof(*lan));

	lan->sw = fake_switch(&lan->network, "lan");
	fake_port_open(&lan->a, lan->sw, "a/net0", 1, 0);
	fake_port_open(&lan->b, lan->sw, "b/net0", 2, 0);
	fake_port_open(&lan->c, lan->sw, "c/net0", 3, 0);
	*state = lan;
	return 0;
}

int fake_lan_teardown(void **state)
{
	struct fake_lan *lan = *state;

	fake_port_close(&lan->a);
	fake_port_close(&lan->b);
	fake_port_close(&lan->c);
	network_free(lan->network);
	free(lan);
	return 0;
}
