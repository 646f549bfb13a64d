/* See session.h. */
#include "roles/session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/lock_file.h"
#include "base/paths.h"
#include "base/plain.h"
#include "control/endpoint.h"
#include "core/deck/marks.h"
#include "sandbox/confine.h"
#include "sandbox/helper.h"

#define OPEN_FILES 16384 /* a guest has up to 16, a connection through NAT one */
#define OPEN_FILES_ALONE 1024
#define LISTEN_AFTER (5 * NS_PER_MS)
#define LOOK_INTERVAL (2 * NS_PER_S)
#define PLACE_TRIES 20
#define PLACE_PAUSE (50 * NS_PER_MS)

static const struct thread_role deck_role = { .name = "deck" };

int deck_session_dial(void *arg, struct cause *cause)
{
	struct deck_session *session = arg;
	int fds[2], err = -ECONNREFUSED;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return cause_errno(cause, errno, "socketpair");
	pthread_mutex_lock(&session->lock);
	if (session->server)
		err = server_adopt(session->server, fds[0]);
	else
		close(fds[0]);
	pthread_mutex_unlock(&session->lock);
	if (err < 0) {
		close(fds[1]);
		return cause_errno(cause, -err, "control server");
	}
	return fds[1];
}

static void start_guests(void *arg)
{
	struct deck_session *session = arg;

	deck_autostart(session->deck);
}

static void stop_deck(void *arg)
{
	struct deck_session *session = arg;

	loop_stop(deck_loop(session->deck));
}

/* Of one that is alone its role hears of the end, and ends it, unless there is none to hear of. */
static void ended_alone(void *arg)
{
	struct deck_session *session = arg;

	if (deck_gave_up(session->deck))
		stop_deck(session);
}

/* Presses every power button, or takes the power; unless it is alone, the deck ends then. */
static void end_guests(void *arg, bool force)
{
	struct deck_session *session = arg;

	if (session->alone)
		deck_end(session->deck, force, ended_alone, session);
	else
		server_end(session->server, force);
}

static void press_buttons(void *arg)
{
	end_guests(arg, false);
}

static void take_power(void *arg)
{
	end_guests(arg, true);
}

static void end_quietly(void *arg)
{
	struct deck_session *session = arg;

	deck_end(session->deck, true, ended_alone, session);
}

/* Guests may run, and nobody can be asked any more what is to become of them. */
static void force_off(void *arg)
{
	struct deck_session *session = arg;

	deck_end(session->deck, true, stop_deck, session);
}

/* The screen has gone: without it and without guests the deck would stay for nobody. */
static void screen_left(void *arg)
{
	struct deck_session *session = arg;

	server_leave(session->server, getpid());
}

void deck_session_serve(struct deck_session *session)
{
	struct server *server;

	confine_thread(FILTER_DECK);
	loop_run(deck_loop(session->deck));
	pthread_mutex_lock(&session->lock);
	server = session->server;
	session->server = NULL;
	pthread_mutex_unlock(&session->lock);
	session->captures_left = !server_free(server);
}

static void *deck_thread(void *arg)
{
	deck_session_serve(arg);
	return NULL;
}

/* Another deck may have the socket: then this one is not to be reached from outside. */
static void listen_alone(void *arg)
{
	struct deck_session *session = arg;
	struct cause cause;

	if (server_listen(session->server, session->endpoint, &cause) == -EADDRINUSE)
		deck_notice(session->deck, "another deck has the socket, so commands such as "
			    "'vmdeck list' do not reach this guest; --socket gives it one of its "
			    "own");
}

/*
 * A deck that lost its socket, or has it elsewhere, still has its guests: another one over
 * the same profiles would start them a second time.
 */
static int lock_profiles(struct deck_session *session, const char *guests_folder,
			 struct cause *cause)
{
	char state[PATH_MAX], folder[PATH_MAX];
	struct lock_file_owner owner;
	struct cause why;
	int err;

	if (!realpath(guests_folder, folder))
		snprintf(folder, sizeof(folder), "%s", guests_folder);
	err = paths_state(state, &why);
	if (!err)
		err = paths_make(state, &why);
	if (!err && asprintf(&session->lock_path, "%s/deck-%016llx.lock", state,
			     (unsigned long long)marks_hash(0, folder, strlen(folder))) < 0)
		session->lock_path = NULL;
	if (session->lock_path)
		err = session->lock_fd = lock_file_open(session->lock_path,
							session->endpoint->paths[0], &owner, &why);
	if (err >= 0)
		return 0;
	free(session->lock_path);
	session->lock_path = NULL;
	if (err == -EAGAIN)
		return cause_set(cause, EBUSY, "%s: a deck with these profiles runs already, "
				 "process %ld; 'vmdeck --socket %s' shows it", guests_folder,
				 (long)owner.pid, owner.note);
	deck_notice(session->deck, "another deck with the same profiles would not be noticed: %s",
		 why.text);
	return 0;
}

/* The folder of the lock can be removed, and the lock with it. */
static void look_at_lock(void *arg)
{
	struct deck_session *session = arg;
	struct lock_file_owner owner;
	char state[PATH_MAX];
	int fd;

	loop_timer_set(deck_loop(session->deck), &session->look, LOOK_INTERVAL);
	if (lock_file_is_there(session->lock_path, session->lock_fd) ||
	    paths_state(state, NULL) < 0 || paths_make(state, NULL) < 0)
		return;
	fd = lock_file_open(session->lock_path, session->endpoint->paths[0], &owner, NULL);
	if (fd < 0)
		return;
	close(session->lock_fd);
	session->lock_fd = fd;
}

/*
 * Its socket and, of those of a folder, its profiles. A deck that is ending has them still: it
 * is given a moment.
 */
static int take_place(struct deck_session *session, const char *guests_folder,
		      struct cause *cause)
{
	static const struct timespec pause = { 0, PLACE_PAUSE };
	bool listens = false;
	int err = 0;

	for (unsigned i = 0; i < PLACE_TRIES; i++) {
		if (!listens)
			err = server_listen(session->server, session->endpoint, cause);
		listens = !err || listens;
		if (listens)
			err = guests_folder ? lock_profiles(session, guests_folder, cause) : 0;
		if (err != -EADDRINUSE && err != -EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return err;
}

static void prepare(struct deck_session *session)
{
	session->start = (struct loop_task){ .run = start_guests, .arg = session };
	session->over = (struct loop_task){ .run = end_quietly, .arg = session };
	session->off = (struct loop_task){ .run = force_off, .arg = session };
	session->press = (struct loop_task){ .run = press_buttons, .arg = session };
	session->force = (struct loop_task){ .run = take_power, .arg = session };
	session->left = (struct loop_task){ .run = screen_left, .arg = session };
	session->signals = (struct deck_signals){ .fd = -1, .came = end_guests, .arg = session };
	session->listen = (struct loop_timer){ .fire = listen_alone, .arg = session };
	session->look = (struct loop_timer){ .fire = look_at_lock, .arg = session };
	pthread_mutex_init(&session->lock, NULL);
}

int deck_session_open(struct deck_session *session, const struct role_config *config,
		      struct cause *cause)
{
	bool own = config->demo || config->profile;
	const struct deck_config deck_config = {
		.builtin = config->builtin,
		.guests_folder = own ? NULL : config->guests_folder,
		.switches_folder = config->demo ? NULL : config->switches_folder,
		.profiles = session->profiles,
		.demo = config->demo,
		.demo_guests = config->demo_guests,
	};
	int err = 0;

	prepare(session);
	session->profiles[0] = config->profile;
	session->endpoint = config->endpoint;
	if (!session->alone)
		err = deck_signals_open(&session->signals, !session->keep, cause);
	if (err)
		return err;
	confine_process();
	/* The C library reads it once, for whoever asks first; a vCPU thread may open no file. */
	tzset();
	err = helper_start(NULL, cause);
	if (err)
		return err;
	files_reserve(session->alone ? OPEN_FILES_ALONE : OPEN_FILES);
	err = deck_new(&session->deck, &deck_config, cause);
	if (!err)
		err = server_new(&session->server, session->deck, cause);
	if (err)
		return err;
	server_on_quit(session->server, stop_deck, session);
	if (session->keep)
		server_keep(session->server);
	if (session->alone) {
		if (session->endpoint)
			loop_timer_set(deck_loop(session->deck), &session->listen, LISTEN_AFTER);
		return 0;
	}
	err = deck_signals_watch(&session->signals, deck_loop(session->deck), cause);
	if (err)
		return err;
	loop_post(deck_loop(session->deck), &session->start);
	err = take_place(session, own ? NULL : config->guests_folder, cause);
	if (!err && session->lock_path)
		look_at_lock(session);
	if (!err)
		logfile_open(&session->log, session->deck);
	return err;
}

int deck_session_start(struct deck_session *session, struct cause *cause)
{
	int err = thread_start(&session->thread, &deck_role, NULL, deck_thread, session);

	session->started = !err;
	return err ? cause_errno(cause, -err, "deck thread") : 0;
}

void deck_session_close(struct deck_session *session)
{
	if (session->started)
		thread_join(&session->thread);
	session->started = false;
	session->captures_left |= !server_free(session->server);
	session->server = NULL;
	deck_signals_close(&session->signals);
	if (session->deck) {
		loop_unpost(deck_loop(session->deck), &session->start);
		loop_timer_cancel(deck_loop(session->deck), &session->listen);
		loop_timer_cancel(deck_loop(session->deck), &session->look);
		logfile_close(&session->log);
		deck_given_up(session->deck, session->given_up, sizeof(session->given_up));
		if (session->captures_left)
			deck_leave(session->deck);
		else
			(void)deck_free(session->deck);
	}
	session->deck = NULL;
	if (session->lock_path)
		lock_file_close(session->lock_path, session->lock_fd);
	free(session->lock_path);
	session->lock_path = NULL;
	pthread_mutex_destroy(&session->lock);
}

bool deck_session_gave_up(const struct deck_session *session)
{
	return *session->given_up || session->captures_left;
}

void deck_session_say_given_up(const struct deck_session *session)
{
	if (*session->given_up)
		plain_say("ended without the guests that did not end: %s", session->given_up);
	if (session->captures_left)
		plain_say("ended without captures that did not end, for a file system with their "
			  "files does not answer");
}
