/*
 * console.open: the connection becomes a guest's console. Deck thread.
 *
 * Output waits in the console's own ring, which the guest overwrites: a client
 * that reads slowly loses the oldest bytes and is told how many. Input waits for the
 * guest, here and with the client, which can give up; that it waits is an event.
 */
#include "core/server/streams/streams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/message_text.h"
#include "core/profile/profile.h"

#define QUEUE_MAX CONSOLE_SIZE /* bytes beyond the ring that wait for the client */
#define RETRY_FIRST (1 * NS_PER_MS)
#define RETRY_LAST (64 * NS_PER_MS)
#define PATIENCE (2 * NS_PER_S) /* with a guest that takes nothing, before it is said */

struct console_session {
	struct peer *peer;
	struct guest *guest;
	struct console *console; /* one of its */
	struct console_reader reader;
	struct loop_timer retry; /* what it was typed into was full */
	uint64_t delay;
	uint64_t waits_since; /* nothing was taken; 0: all was */
	bool told;	      /* that it waits */
	bool until_end; /* the connection ends with the guest */
};

static void tell_lost(struct peer *peer, uint64_t lost)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "\r\n[vmdeck: %llu bytes were lost]\r\n",
			 (unsigned long long)lost);

	peer_raw_write(peer, text, (size_t)n, 2 * QUEUE_MAX);
}

static bool is_alive(const struct guest *guest)
{
	return guest_state_in(guest_get_state(guest), GUEST_ALIVE);
}

/* From the ring to the client's queue, as long as that is short. May close, and free the session. */
static void pump(void *arg)
{
	struct console_session *session = arg;
	struct peer *peer = session->peer;
	uint8_t data[4096];
	uint64_t lost;
	size_t n;

	while (peer->out.size + sizeof(data) <= QUEUE_MAX) {
		lost = 0;
		n = console_read(session->console, &session->reader, data,
				 sizeof(data), &lost);
		if (lost)
			tell_lost(peer, lost);
		if (n == 0 || peer_raw_write(peer, data, n, 2 * QUEUE_MAX) < 0)
			break;
	}
	if (session->until_end && !peer->out.size && !is_alive(session->guest))
		peer_close(peer);
}

static void wait_for_guest(struct console_session *session, size_t waiting, bool progress)
{
	uint64_t now = clock_monotonic();

	if (!session->waits_since || progress)
		session->waits_since = now;
	if (!session->told && now - session->waits_since >= PATIENCE) {
		session->told = true;
		guest_say(session->guest, "the guest does not read its console: %zu bytes "
			  "that were typed wait", waiting);
	}
	loop_timer_set(session->peer->peers->loop, &session->retry, session->delay);
}

static size_t input(void *arg, const uint8_t *data, size_t size)
{
	struct console_session *session = arg;
	size_t taken = size;

	if (session->peer->role == METHOD_OBSERVE)
		return size;
	if (is_alive(session->guest))
		taken = console_input(session->console, data, size);
	if (taken)
		session->delay = RETRY_FIRST;
	else if (session->delay < RETRY_LAST)
		session->delay *= 2;
	if (taken < size) {
		wait_for_guest(session, size - taken, taken > 0);
	} else {
		session->waits_since = 0;
		session->told = false;
	}
	return taken;
}

static void retry(void *arg)
{
	struct console_session *session = arg;

	peer_raw_resume(session->peer);
}

/* Whoever types no more may still want to read, though not of the guest's next start. */
static void input_end(void *arg)
{
	struct console_session *session = arg;

	session->until_end = true;
	pump(session);
}

static void closed(void *arg)
{
	struct console_session *session = arg;

	loop_timer_cancel(session->peer->peers->loop, &session->retry);
	console_unfollow(session->console, &session->reader);
	if (session->waits_since && is_alive(session->guest))
		guest_say(session->guest, "%zu bytes that were typed are lost: the guest did not "
			  "read its console", session->peer->in.size);
	free(session);
}

static const struct raw_ops console_ops = {
	.input = input,
	.input_end = input_end,
	.writable = pump,
	.closed = closed,
};

static void begin(struct peer *peer, void *arg)
{
	struct console_session *session = arg;

	peer_make_raw(peer, &console_ops, session);
	if (peer->raw == &console_ops)
		pump(session);
}

/* The one that is asked for, an enum profile_console; else the one that is shown. */
static unsigned console_of(const struct request *request)
{
	const char *asked = param_string(request, "console");

	for (unsigned i = 0; asked && i < CONSOLES; i++)
		if (strcmp(asked, profile_console_name(i)) == 0)
			return i;
	return guest_shown_console(request->guest);
}

static int find_console(const struct request *request, unsigned *console, struct cause *cause)
{
	*console = console_of(request);
	if (*console == CONSOLE_SERIAL || *console == guest_shown_console(request->guest))
		return 0;
	return cause_set(cause, ENODEV, "%s has no virtio console; console=virtio in its profile "
			 "gives it one", guest_name(request->guest));
}

static int open_console(struct request *request, struct cause *cause)
{
	struct console_session *session;
	uint64_t backlog;
	unsigned console;
	int err = find_console(request, &console, cause);

	if (err)
		return err;
	session = calloc(1, sizeof(*session));
	if (!session)
		return cause_errno(cause, ENOMEM, "console.open");
	session->peer = request->peer;
	session->guest = request->guest;
	session->console = guest_console(request->guest, console);
	session->delay = RETRY_FIRST;
	session->reader = (struct console_reader){ .more = pump, .arg = session };
	session->retry = (struct loop_timer){ .fire = retry, .arg = session };
	backlog = console_follow(session->console, &session->reader, param_bool(request, "backlog"));
	request->result = json_pack("{s:I, s:o}", "backlog", (json_int_t)backlog, "console",
				    message_text(profile_console_name(console)));
	session->until_end = param_bool(request, "until_end");
	request->then = begin;
	request->then_arg = session;
	return 0;
}

static int set_window(struct request *request, struct cause *cause)
{
	unsigned console;
	int err = find_console(request, &console, cause);

	if (err)
		return err;
	console_window(guest_console(request->guest, console),
		       (unsigned)param_integer(request, "rows", 0),
		       (unsigned)param_integer(request, "columns", 0));
	return 0;
}

/* A line has breaks where it is a serial one, whatever the guest's console is. */
static int send_break(struct request *request, struct cause *cause)
{
	const char *sysrq = param_string(request, "sysrq");
	size_t size = sysrq ? strlen(sysrq) : 0;
	int err;

	if (sysrq && (size > 1 || sysrq[0] <= ' ' || sysrq[0] > '~'))
		return cause_set(cause, EINVAL, "sysrq: it is one character of ASCII");
	err = console_break(guest_console(request->guest, CONSOLE_SERIAL),
			    (const uint8_t *)sysrq, size);
	if (err)
		return cause_errno(cause, -err, "%s: the guest does not read its serial port",
				   guest_name(request->guest));
	return 0;
}

static void close_guest(struct server *server, const struct guest *guest)
{
	struct peer *peer, *next;

	for (peer = server->peers.first; peer; peer = next) {
		struct console_session *session = peer->raw_arg;

		next = peer->next;
		if (peer->raw == &console_ops && session->guest == guest)
			peer_close(peer);
	}
}

/* A guest may have ended, and with it what some wait for. */
static void take_event(struct server *server, const struct deck_event *event)
{
	struct peer *peer, *next;

	if (event->kind != DECK_EVENT_STATE || is_alive(event->guest))
		return;
	for (peer = server->peers.first; peer; peer = next) {
		struct console_session *session = peer->raw_arg;

		next = peer->next;
		if (peer->raw == &console_ops && session->guest == event->guest)
			pump(session);
	}
}

static const struct handler handlers[] = {
	{ METHOD_CONSOLE_OPEN, .run = open_console },
	{ METHOD_CONSOLE_WINDOW, .run = set_window },
	{ METHOD_CONSOLE_BREAK, .run = send_break },
	HANDLERS_END
};

const struct stream_kind console_stream = {
	.handlers = handlers,
	.event = take_event,
	.guest_gone = close_guest,
};
