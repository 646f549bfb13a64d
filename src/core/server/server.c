/*
 * The control server: its socket, its peers, and the events of the deck.
 * Deck thread; server_adopt() from any. unix(7).
 */
#include "core/server/server.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/endpoint.h"
#include "control/message.h"
#include "core/server/dispatch.h"
#include "core/server/parts.h"
#include "core/server/streams/streams.h"

#define ACCEPT_PER_TURN 16
#define LOOK_INTERVAL (2 * NS_PER_S)
/* Where the folder is watched: folders further up may be moved away, or covered by a mount. */
#define LOOK_RARELY (60 * NS_PER_S)
#define OPENERS_MAX 4
#define OPENERS_PATIENCE (2 * NS_PER_S) /* at the end of the deck */
#define CAPTURES_PATIENCE (10 * NS_PER_S) /* the same, with what they have still to write */
#define ACCEPT_PAUSE (100 * NS_PER_MS) /* after running out of file descriptors */

static const struct thread_role worker_role = { .name = "worker" };
static const struct thread_role opener_role = { .name = "opener" };

struct adopted {
	int fd;
	struct adopted *next;
};

static void take_event(void *arg, const struct deck_event *event)
{
	struct server *server = arg;

	bool gone = event->kind == DECK_EVENT_PROFILES && event->guest;

	if (event->kind == DECK_EVENT_STATE)
		leave_revoke(&server->leave);
	for (size_t i = 0; gone && streams[i]; i++)
		if (streams[i]->guest_gone)
			streams[i]->guest_gone(server, event->guest);
	for (size_t i = 0; streams[i]; i++)
		if (streams[i]->event)
			streams[i]->event(server, event);
}

static void end_streams(struct server *server)
{
	for (size_t i = 0; streams[i]; i++)
		if (streams[i]->end)
			streams[i]->end(server);
}

/* Says why in the protocol's words, as far as the socket takes it at once. */
static void turn_away(int fd, const char *why)
{
	size_t size;
	char *line = message_line(message_error(NULL, CONTROL_ERROR_FAILED, why, EUSERS), &size);

	if (line)
		send(fd, line, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	free(line);
	close(fd);
}

static void admit(struct server *server, int fd)
{
	struct cause cause;

	if (endpoint_check_peer(fd, NULL, &cause) < 0)
		turn_away(fd, cause.text);
	else if (server->peers.count >= SERVER_PEERS_MAX)
		turn_away(fd, "the deck has as many connections as it takes; close some");
	else if (!server->spares.count)
		turn_away(fd, "the deck is at its limit of open files; stop guests, or start it "
			  "with a higher one (ulimit -n)");
	else
		peer_new(&server->peers, fd);
}

static void accept_from_all(struct server *server, uint32_t events)
{
	for (unsigned i = 0; i < ENDPOINT_PATHS; i++)
		if (server->places[i].listen_fd >= 0)
			loop_change(server->loop, &server->places[i].accepting, events);
}

static void accept_ready(void *arg, uint32_t events)
{
	struct place *place = arg;
	struct server *server = place->server;
	int fd;

	(void)events;
	for (unsigned i = 0; i < ACCEPT_PER_TURN; i++) {
		fd = spares_accept(&server->spares, place->listen_fd);
		if (fd >= 0) {
			admit(server, fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			accept_from_all(server, 0);
			loop_timer_set(server->loop, &server->accept_again, ACCEPT_PAUSE);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

static void accept_again(void *arg)
{
	accept_from_all(arg, EPOLLIN);
}

static void adopt_waiting(void *arg)
{
	struct server *server = arg;
	struct adopted *list, *next;

	pthread_mutex_lock(&server->adopt_lock);
	list = server->adopted;
	server->adopted = NULL;
	pthread_mutex_unlock(&server->adopt_lock);
	for (; list; list = next) {
		next = list->next;
		peer_new(&server->peers, list->fd);
		free(list);
	}
}

int server_adopt(struct server *server, int fd)
{
	struct adopted *adopted = malloc(sizeof(*adopted));

	if (!adopted) {
		close(fd);
		return -ENOMEM;
	}
	adopted->fd = fd;
	pthread_mutex_lock(&server->adopt_lock);
	adopted->next = server->adopted;
	server->adopted = adopted;
	pthread_mutex_unlock(&server->adopt_lock);
	loop_post(server->loop, &server->adopt_task);
	return 0;
}

static void last_peer_closed(void *arg)
{
	struct server *server = arg;

	leave_last_closed(&server->leave);
}

static void look(void *arg);

/* A socket, or its lock. */
static bool is_of_a_place(void *arg, const char *name)
{
	const struct server *server = arg;

	for (unsigned i = 0; i < ENDPOINT_PATHS; i++) {
		const char *path = server->endpoint.paths[i], *slash = strrchr(path, '/');
		const char *base = slash ? slash + 1 : path;
		size_t size = strlen(base);

		if (size && strncmp(name, base, size) == 0 &&
		    (!name[size] || strcmp(name + size, ".lock") == 0))
			return true;
	}
	return false;
}

static void watch_places(struct server *server)
{
	const char *folders[WATCH_FOLDERS] = { NULL };

	_Static_assert(ENDPOINT_PATHS <= WATCH_FOLDERS, "a watch sees all places");
	for (unsigned i = 0; i < ENDPOINT_PATHS; i++) {
		char *folder = server->folders[i];

		snprintf(folder, sizeof(server->folders[i]), "%s", server->endpoint.paths[i]);
		if (*folder)
			folders[i] = dirname(folder);
	}
	watch_init(&server->watch, server->loop, folders, is_of_a_place, look, server, NULL);
}

/* Where the first place is taken away, it is looked at often, as it may be free again. */
static void look_later(struct server *server)
{
	bool rarely = server->watch.loop && place_is_there(&server->places[0]);

	loop_timer_set(server->loop, &server->look, rarely ? LOOK_RARELY : LOOK_INTERVAL);
}

static void leave_place(struct server *server, struct place *place)
{
	loop_remove(server->loop, &place->accepting);
	place_close(place);
}

static void stop_listening(struct server *server)
{
	watch_destroy(&server->watch);
	loop_timer_cancel(server->loop, &server->accept_again);
	for (unsigned i = 0; i < ENDPOINT_PATHS; i++)
		leave_place(server, &server->places[i]);
}

/* The first one's folders are the system's to make. */
static int take_place(struct server *server, struct place *place, struct cause *cause)
{
	int error = place_open(place, place != server->places, cause);

	if (error < 0)
		return error;
	error = loop_add(server->loop, &place->accepting, place->listen_fd, EPOLLIN, accept_ready,
			 place);
	if (error == 0)
		return 0;
	place_close(place);
	return cause_errno(cause, -error, "control socket");
}

/* The deck's first place, which had gone, could be made again, or could not. */
static void tell(struct server *server, int error, const struct cause *cause)
{
	const char *path = server->places[0].path;

	if (error == 0)
		deck_notice(server->deck, "%s: the deck's socket was made here, as it had gone",
			    path);
	else if (!server->astray && place_is_there(&server->places[1]))
		deck_notice(server->deck, "%s: the deck's socket has gone; until it can be made "
			    "again, commands find the deck at %s", path, server->places[1].path);
	else if (!server->astray)
		deck_notice(server->deck, "the socket has gone, so nothing reaches this deck until "
			    "it can be made again: %s", cause->text);
	server->astray = error < 0;
}

/* Runtime folders go away, and come back. The last place first, so that there is always one. */
static void look(void *arg)
{
	struct server *server = arg;

	for (unsigned i = ENDPOINT_PATHS; i-- > 0;) {
		struct place *place = &server->places[i];
		struct cause cause;
		int error;

		if (!place->path || place_is_there(place))
			continue;
		leave_place(server, place);
		error = take_place(server, place, &cause);
		if (i == 0)
			tell(server, error, &cause);
	}
	look_later(server);
}

int server_new(struct server **out, struct deck *deck, struct cause *cause)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		return cause_errno(cause, ENOMEM, "control server");
	server->deck = deck;
	server->loop = deck_loop(deck);
	for (unsigned i = 0; i < ENDPOINT_PATHS; i++)
		server->places[i] = (struct place)PLACE_CLOSED;
	pthread_mutex_init(&server->adopt_lock, NULL);
	server->adopt_task = (struct loop_task){ .run = adopt_waiting, .arg = server };
	server->accept_again = (struct loop_timer){ .fire = accept_again, .arg = server };
	server->look = (struct loop_timer){ .fire = look, .arg = server };
	spares_fill(&server->spares);
	worker_init(&server->worker, server->loop, &worker_role, 1);
	worker_init(&server->openers, server->loop, &opener_role, OPENERS_MAX);
	server->peers = (struct peers){ .loop = server->loop, .line = dispatch_line,
					.last_closed = last_peer_closed, .arg = server };
	leave_init(&server->leave, deck, &server->peers);
	server->listener = (struct deck_listener){ .event = take_event, .arg = server };
	deck_listen(deck, &server->listener);
	*out = server;
	return 0;
}

int server_listen(struct server *server, const struct endpoint *endpoint, struct cause *cause)
{
	int error;

	server->endpoint = *endpoint;
	for (unsigned i = 0; i < ENDPOINT_PATHS; i++) {
		const char *path = server->endpoint.paths[i];

		server->places[i].server = server;
		server->places[i].path = *path ? path : NULL;
	}
	error = take_place(server, &server->places[0], cause);
	if (error < 0)
		return error;
	/* For who looks elsewhere, or later; another deck may have it. */
	for (unsigned i = 1; i < ENDPOINT_PATHS; i++)
		if (server->places[i].path)
			take_place(server, &server->places[i], NULL);
	watch_places(server);
	look_later(server);
	return 0;
}

void server_on_quit(struct server *server, void (*quit)(void *arg), void *arg)
{
	server->leave.quit = quit;
	server->leave.quit_arg = arg;
}

void server_keep(struct server *server)
{
	server->leave.kept = true;
}

void server_end(struct server *server, bool force)
{
	leave_end(&server->leave, force);
}

bool server_leave(struct server *server, pid_t client)
{
	return leave_client(&server->leave, client);
}

/* Also of those that began while the others were waited for. */
static bool end_captures(struct server *server)
{
	for (unsigned round = 0; round < 2; round++) {
		end_streams(server);
		if (!worker_leave(&server->worker, CAPTURES_PATIENCE))
			return false;
	}
	worker_destroy(&server->worker);
	return true;
}

bool server_free(struct server *server)
{
	struct peer *peer;

	if (!server)
		return true;
	loop_timer_cancel(server->loop, &server->look);
	stop_listening(server);
	loop_unpost(server->loop, &server->adopt_task);
	adopt_waiting(server);
	deck_unlisten(server->deck, &server->listener);
	end_streams(server);
	while ((peer = server->peers.first)) {
		/* The answer to deck.quit, say. */
		frame_writer_flush(&peer->out, peer->fd);
		peer_close(peer);
	}
	leave_destroy(&server->leave);
	/* A file system may not answer before the process has ended. */
	if (!end_captures(server))
		return false;
	if (!worker_leave(&server->openers, OPENERS_PATIENCE))
		return true;
	worker_destroy(&server->openers);
	spares_close(&server->spares);
	pthread_mutex_destroy(&server->adopt_lock);
	free(server);
	return true;
}
