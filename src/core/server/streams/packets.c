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
#include "control/protocol.h"
#include "core/server/json.h"
#include "net/decode/decode.h"
#include "net/network.h"

#define PACKETS_MAX 200 /* of one notification */
#define PACKETS_SNAP 512 /* to be described */
#define BYTES_LEAST 128u  /* sent of each, if bytes are asked for; and of all in one interval, */
#define BYTES_SPARE (96u * 1024) /* so much more */
#define MESSAGE_ROOM (CONTROL_MESSAGE_MAX - 8192) /* of one notification */
#define LINE_MOST 1024 /* one packet's, without its bytes */
#define MESSAGES_MAX 8
#define LISTS_MAX 64 /* of all clients */
#define PACKETS_INTERVAL (50 * NS_PER_MS)

struct packet {
	uint64_t time_ns;
	uint32_t size, captured;
	enum net_verdict verdict;
	bool has_to;
	char port[NET_PORT_NAME_MAX], to[NET_PORT_NAME_MAX];
	const uint8_t *data; /* in the list's bytes */
};

struct list {
	struct packet *packets; /* PACKETS_MAX of them */
	uint8_t *bytes;
	size_t used;
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
	uint32_t bytes;	 /* of each packet that the client wants; 0: none */
	bool program;	 /* it wants that of its filter, */
	json_t *insns;	 /* which is this, or NULL */

	pthread_mutex_t lock; /* guards what follows, up to the task */
	struct list *filling;
	unsigned count;
	uint64_t lost;
	struct loop_task arrived;

	struct list *draining; /* deck thread */
	struct list lists[2];
	struct sequence_table sequences;
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
	for (unsigned i = 0; i < 2; i++) {
		free(packets->lists[i].packets);
		free(packets->lists[i].bytes);
	}
	json_decref(packets->insns);
	packets->server->packet_lists--;
	free(packets);
}

static void copy_name(char to[NET_PORT_NAME_MAX], const char *from)
{
	strncpy(to, from, NET_PORT_NAME_MAX - 1);
	to[NET_PORT_NAME_MAX - 1] = '\0';
}

/* Bytes that a list has room for. */
static size_t list_room(const struct packets *packets)
{
	return (size_t)PACKETS_MAX * PACKETS_SNAP + (packets->bytes > PACKETS_SNAP ? BYTES_SPARE : 0);
}

/* How many bytes of a packet are kept, with so many packets of the list to come. */
static uint32_t take_bytes(const struct packets *packets, uint32_t captured, unsigned to_come)
{
	size_t left = list_room(packets) - packets->filling->used - (size_t)to_come * PACKETS_SNAP;
	uint32_t most = packets->bytes > PACKETS_SNAP ? packets->bytes : PACKETS_SNAP;

	captured = captured < most ? captured : most;
	return captured < left ? captured : (uint32_t)left;
}

/* Capture writer. Must not wait: the lock is held elsewhere only to swap two pointers. */
static void take_records(void *arg, const struct capture_record *records, unsigned count)
{
	struct packets *packets = arg;
	unsigned before, i;

	pthread_mutex_lock(&packets->lock);
	before = packets->count;
	for (i = 0; i < count && packets->count < PACKETS_MAX; i++) {
		struct list *list = packets->filling;
		struct packet *packet = &list->packets[packets->count++];
		const struct capture_record *record = &records[i];
		uint8_t *data = list->bytes + list->used;

		packet->time_ns = record->time_ns;
		packet->size = record->size;
		packet->verdict = record->verdict;
		packet->captured = take_bytes(packets, record->captured,
					      PACKETS_MAX - packets->count);
		memcpy(data, record->data, packet->captured);
		packet->data = data;
		list->used += packet->captured;
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

static json_t *packet_json(struct packets *packets, const struct packet *packet, uint32_t bytes)
{
	struct packet_summary summary;
	json_t *json;

	packet_summarize_next(&packets->sequences, packet->data, packet->captured, packet->size,
			      &summary);
	json = json_pack("{s:I, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}",
			 "time", (json_int_t)packet->time_ns,
			 "from_port", message_text(packet->port),
			 "to_port", message_text(packet->has_to ? packet->to : NULL),
			 "verdict", message_text(net_verdict_name(packet->verdict)),
			 "size", (json_int_t)packet->size,
			 "from", message_text(summary.from), "to", message_text(summary.to),
			 "protocol", message_text(summary.protocol),
			 "text", message_text(summary.text));
	if (bytes)
		json_object_set_new(json, "data", hex_json(packet->data, bytes));
	return json;
}

/* How many bytes of a packet are sent; what is more than the least is taken from spare. */
static uint32_t sent_bytes(const struct packets *packets, const struct packet *packet,
			   uint32_t *spare)
{
	uint32_t bytes = packet->captured < packets->bytes ? packet->captured : packets->bytes;
	uint32_t more = bytes > BYTES_LEAST ? bytes - BYTES_LEAST : 0;

	if (more > *spare)
		more = *spare;
	*spare -= more;
	return (bytes < BYTES_LEAST ? bytes : BYTES_LEAST) + more;
}

/* Notifications of as many packets as a message holds; returns how many there are. */
static unsigned make_messages(struct packets *packets, unsigned count, json_t *messages[])
{
	uint32_t spare = BYTES_SPARE, bytes;
	size_t room = 0;
	unsigned made = 0;
	json_t *list = NULL;

	for (unsigned i = 0; i < count || (i == 0 && packets->dropped); i++) {
		bytes = i < count ? sent_bytes(packets, &packets->draining->packets[i], &spare) : 0;
		if (!list || room < LINE_MOST + 2 * (size_t)bytes) {
			if (made == MESSAGES_MAX) {
				packets->dropped += count - i;
				break;
			}
			list = json_array();
			room = MESSAGE_ROOM;
			messages[made++] = json_pack("{s:I, s:I, s:o}", "subscription",
						     (json_int_t)packets->base.id, "dropped",
						     (json_int_t)packets->dropped, "packets", list);
			packets->dropped = 0;
		}
		if (i < count)
			json_array_append_new(list, packet_json(packets, &packets->draining->packets[i],
							       bytes));
		room -= LINE_MOST + 2 * (size_t)bytes;
	}
	return made;
}

/* Swaps the lists; returns how many packets draining holds. */
static unsigned take_list(struct packets *packets)
{
	struct list *empty = packets->draining;
	struct capture_stats stats;
	unsigned count;

	empty->used = 0;
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
	json_t *messages[MESSAGES_MAX];
	unsigned made;

	if (!peer_may_notify(peer)) {
		packets->dropped += count;
		return;
	}
	made = make_messages(packets, count, messages);
	for (unsigned i = 0; i < made; i++) /* may end the subscription */
		peer_send(peer, message_notification("packets", messages[i]));
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

/* [[code, jt, jf, k]] of a filter, [] of one that matches everything. */
static json_t *program_json(const struct filter *filter)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < filter->count; i++) {
		const struct filter_insn *insn = &filter->insns[i];

		json_array_append_new(list, json_pack("[i, i, i, I]", insn->code, insn->jt,
						      insn->jf, (json_int_t)insn->k));
	}
	return list;
}

static void start_work(void *arg)
{
	struct packets *packets = arg;

	if (packets->program) /* the capture takes the filter over */
		packets->insns = program_json(&packets->order.program);
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
	answer_result(&answer, json_pack("{s:I, s:O*}", "subscription",
					 (json_int_t)packets->base.id, "program", packets->insns));
}

static struct packets *packets_new(struct request *request, struct cause *cause)
{
	struct packets *packets = calloc(1, sizeof(*packets));
	bool room = true;

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
	packets->bytes = (uint32_t)param_integer(request, "bytes", 0);
	packets->program = json_is_true(json_object_get(request->params, "program"));
	packets->filling = &packets->lists[0];
	packets->draining = &packets->lists[1];
	for (unsigned i = 0; i < 2; i++) {
		packets->lists[i].packets = calloc(PACKETS_MAX, sizeof(struct packet));
		packets->lists[i].bytes = malloc(list_room(packets));
		room = room && packets->lists[i].packets && packets->lists[i].bytes;
	}
	if (room &&
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
	packets->order.config.snap = packets->bytes > PACKETS_SNAP ? packets->bytes : PACKETS_SNAP;
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
