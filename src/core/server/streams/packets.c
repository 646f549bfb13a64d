/*
 * packets.subscribe: a line about each packet. The capture writer's thread
 * leaves copies of the first bytes in a bounded list, the deck thread swaps
 * the list for an empty one every 50 ms and describes what is in it.
 */
#include "core/server/streams/capture_config.h"
#include "core/server/streams/streams.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "control/message.h"
#include "net/decode/decode.h"
#include "net/network.h"

#define PACKETS_MAX 200 /* of one notification */
#define PACKETS_SNAP 512
#define LISTS_MAX 64 /* of all clients */
#define PACKETS_INTERVAL (50 * NS_PER_MS)

struct packet {
	uint64_t time_ns;
	uint32_t size, captured;
	enum net_verdict verdict;
	bool has_to;
	char port[NET_PORT_NAME_MAX], to[NET_PORT_NAME_MAX];
	uint8_t data[PACKETS_SNAP];
};

struct packets {
	struct subscription base;
	struct server *server;
	struct capture_order order;
	const char *ports[2];
	char switch_name[NAME_SIZE];
	struct capture *capture;
	struct worker_job job;
	struct answer answer;
	bool subscribed;

	pthread_mutex_t lock; /* guards what follows, up to the task */
	struct packet *filling;
	unsigned count;
	uint64_t lost;
	struct loop_task arrived;

	struct packet *draining; /* deck thread */
	struct loop_timer timer;
	uint64_t lost_in_capture; /* of its counter, already reported */
	uint64_t dropped;	  /* not yet reported */
};

static void packets_free(struct packets *packets)
{
	loop_unpost(packets->server->loop, &packets->arrived);
	loop_timer_cancel(packets->server->loop, &packets->timer);
	capture_order_destroy(&packets->order);
	pthread_mutex_destroy(&packets->lock);
	free(packets->filling);
	free(packets->draining);
	packets->server->packet_lists--;
	free(packets);
}

static void copy_name(char to[NET_PORT_NAME_MAX], const char *from)
{
	strncpy(to, from, NET_PORT_NAME_MAX - 1);
	to[NET_PORT_NAME_MAX - 1] = '\0';
}

/* Capture writer. Must not wait: the lock is held elsewhere only to swap two pointers. */
static void take_records(void *arg, const struct capture_record *records, unsigned count)
{
	struct packets *packets = arg;
	unsigned before, i;

	pthread_mutex_lock(&packets->lock);
	before = packets->count;
	for (i = 0; i < count && packets->count < PACKETS_MAX; i++) {
		struct packet *packet = &packets->filling[packets->count++];
		const struct capture_record *record = &records[i];

		packet->time_ns = record->time_ns;
		packet->size = record->size;
		packet->verdict = record->verdict;
		packet->captured = record->captured < PACKETS_SNAP ? record->captured
								    : PACKETS_SNAP;
		memcpy(packet->data, record->data, packet->captured);
		copy_name(packet->port, record->port);
		packet->has_to = record->to != NULL;
		copy_name(packet->to, record->to ? record->to : "");
	}
	packets->lost += count - i;
	pthread_mutex_unlock(&packets->lock);
	if (before == 0)
		loop_post(packets->server->loop, &packets->arrived);
}

/* Capture writer. A list that only we read does not end by itself; stopping is all there is. */
static void capture_ended(void *arg, int error, const struct cause *cause)
{
	(void)arg;
	(void)error;
	(void)cause;
}

static json_t *packet_json(const struct packet *packet)
{
	struct packet_summary summary;

	packet_summarize(packet->data, packet->captured, packet->size, &summary);
	return json_pack("{s:I, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}",
			 "time", (json_int_t)packet->time_ns,
			 "from_port", message_text(packet->port),
			 "to_port", message_text(packet->has_to ? packet->to : NULL),
			 "verdict", message_text(net_verdict_name(packet->verdict)),
			 "size", (json_int_t)packet->size,
			 "from", message_text(summary.from), "to", message_text(summary.to),
			 "protocol", message_text(summary.protocol),
			 "text", message_text(summary.text));
}

/* Swaps the lists; returns how many packets draining holds. */
static unsigned take_list(struct packets *packets)
{
	struct packet *empty = packets->draining;
	struct capture_stats stats;
	unsigned count;

	pthread_mutex_lock(&packets->lock);
	packets->draining = packets->filling;
	packets->filling = empty;
	count = packets->count;
	packets->count = 0;
	packets->dropped += packets->lost;
	packets->lost = 0;
	pthread_mutex_unlock(&packets->lock);
	capture_get_stats(packets->capture, &stats);
	packets->dropped += stats.dropped - packets->lost_in_capture;
	packets->lost_in_capture = stats.dropped;
	return count;
}

static void drain(void *arg)
{
	struct packets *packets = arg;
	struct peer *peer = packets->base.peer;
	unsigned count = take_list(packets);
	json_t *list, *params;

	if (!peer_may_notify(peer)) {
		packets->dropped += count;
		return;
	}
	if (count == 0 && packets->dropped == 0)
		return;
	list = json_array();
	for (unsigned i = 0; i < count; i++)
		json_array_append_new(list, packet_json(&packets->draining[i]));
	params = json_pack("{s:I, s:I, s:o}", "subscription", (json_int_t)packets->base.id,
			   "dropped", (json_int_t)packets->dropped, "packets", list);
	packets->dropped = 0;
	peer_send(peer, message_notification("packets", params)); /* may end the subscription */
}

static void arrived(void *arg)
{
	struct packets *packets = arg;

	if (packets->subscribed && !packets->timer.armed)
		loop_timer_set(packets->server->loop, &packets->timer, PACKETS_INTERVAL);
}

static void stop_work(void *arg)
{
	struct packets *packets = arg;

	capture_stop(packets->capture, NULL);
}

static void stop_done(void *arg)
{
	packets_free(arg);
}

static void stop(struct packets *packets)
{
	packets->subscribed = false;
	loop_timer_cancel(packets->server->loop, &packets->timer);
	packets->job = (struct worker_job){ .work = stop_work, .done = stop_done,
					    .arg = packets };
	capture_stop_later(packets->server, &packets->job);
}

static void cancel(struct subscription *base)
{
	stop(container_of(base, struct packets, base));
}

static void start_work(void *arg)
{
	struct packets *packets = arg;

	packets->order.error = capture_start(&packets->capture,
			network_capture_hub(deck_network(packets->server->deck)),
			&packets->order.config, &packets->order.cause);
}

static void start_done(void *arg)
{
	struct packets *packets = arg;
	struct answer answer = packets->answer; /* answering may end the subscription */

	if (packets->order.error < 0) {
		answer_error(&answer, packets->order.error, &packets->order.cause);
		packets_free(packets);
		return;
	}
	packets->order.error = answer.peer->mode == PEER_CLOSED ? -ENOTCONN
			 : peer_subscribe(answer.peer, &packets->base, &packets->order.cause);
	if (packets->order.error < 0) {
		answer_error(&answer, packets->order.error, &packets->order.cause);
		stop(packets);
		return;
	}
	packets->subscribed = true;
	arrived(packets);
	answer_result(&answer, json_pack("{s:I}", "subscription", (json_int_t)packets->base.id));
}

static struct packets *packets_new(struct request *request, struct cause *cause)
{
	struct packets *packets = calloc(1, sizeof(*packets));

	if (!packets)
		return NULL;
	pthread_mutex_init(&packets->lock, NULL);
	packets->server = request->server;
	packets->server->packet_lists++;
	packets->base.kind = METHOD_PACKETS_SUBSCRIBE;
	packets->base.cancel = cancel;
	packets->arrived = (struct loop_task){ .run = arrived, .arg = packets };
	packets->timer = (struct loop_timer){ .fire = drain, .arg = packets };
	packets->job = (struct worker_job){ .work = start_work, .done = start_done,
					    .arg = packets };
	packets->filling = calloc(PACKETS_MAX, sizeof(struct packet));
	packets->draining = calloc(PACKETS_MAX, sizeof(struct packet));
	if (packets->filling && packets->draining &&
	    capture_order_read(&packets->order, request, cause) == 0)
		return packets;
	packets_free(packets);
	return NULL;
}

static int subscribe(struct request *request, struct cause *cause)
{
	const char *name = param_string(request, "switch");
	struct packets *packets;
	int error;

	if (request->server->packet_lists >= LISTS_MAX)
		return cause_set(cause, ENOSPC, "packets are being listed %d times already",
				 LISTS_MAX);
	error = name ? capture_check_name(request, name, NULL, cause) : 0;
	if (error < 0)
		return error;
	packets = packets_new(request, cause);
	if (!packets)
		return cause_errno(cause, ENOMEM, "packets.subscribe");
	if (name) {
		strncpy(packets->switch_name, name, sizeof(packets->switch_name) - 1);
		packets->ports[0] = packets->switch_name;
		packets->order.config.ports = packets->ports;
	}
	packets->order.config.snap = PACKETS_SNAP;
	packets->order.config.records = take_records;
	packets->order.config.ended = capture_ended;
	packets->order.config.arg = packets;
	error = capture_order_run(&packets->order, request->server, &packets->job, cause);
	if (error < 0) {
		packets_free(packets);
		return error;
	}
	request_defer(request, &packets->answer);
	return 0;
}

static int cancel_request(struct request *request, struct cause *cause)
{
	return peer_cancel(request->peer, param_integer(request, "subscription", 0),
			   METHOD_PACKETS_SUBSCRIBE, cause);
}

static const struct handler handlers[] = {
	{ METHOD_PACKETS_SUBSCRIBE, .run = subscribe },
	{ METHOD_PACKETS_CANCEL, .run = cancel_request },
	HANDLERS_END
};

const struct stream_kind packets_stream = {
	.handlers = handlers,
};
