/*
 * The client of the control protocol, for the screen and the subcommands.
 *
 * struct client lives on a base loop and never waits; struct link is the
 * same conversation for a program that has nothing else to do than wait.
 * A console or a capture is a connection of its own: after the response of
 * console.open or capture.stream the connection is raw bytes, and
 * client_detach() or link_raw() hands it over.
 */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"

struct client;
struct endpoint;

/* Why a request failed: the server's words. */
struct client_error {
	int code;	     /* CONTROL_ERROR_* of protocol.h, or 0: the connection was lost */
	const char *message; /* a sentence for a person */
	const char *name;    /* "ENOENT", or "" when the server gave none */
	const char *method;  /* that was asked for, or "" for one that is in no table */
};

/*
 * The answer to one request; called once, on the loop's thread. Either result
 * or error is NULL; both are valid during the call only (json_incref() keeps
 * result). It may call any client function, client_free() included.
 */
typedef void (*client_reply)(void *arg, json_t *result, const struct client_error *error);

struct client_handlers {
	/* "stats", "event", "packets"; params is valid during the call. May be NULL. */
	void (*notification)(void *arg, const char *method, json_t *params);

	/*
	 * The server went away or spoke nonsense. Called once, after every
	 * waiting reply was called with an error; the client is still to be
	 * freed (here, or later). Never called by client_free().
	 */
	void (*closed)(void *arg, const struct cause *cause);
	void *arg;

	/* A request of that method was carried out: before its reply is called. Not to
	   free the client. May be NULL. */
	void (*done)(void *arg, const char *method);
};

/*
 * Makes a client of a connected stream socket (one end of a socketpair, say);
 * the fd becomes the client's, also on failure, and non-blocking. handlers is
 * copied. 0 or -ENOMEM, -errno of epoll, with a cause.
 */
int client_new(struct client **out, struct loop *loop, int fd,
	       const struct client_handlers *handlers, struct cause *cause);

/* Closes; waiting replies are not called. Valid inside every callback, and for NULL. */
void client_free(struct client *client);

/*
 * Sends a request. params is an object, whose reference is taken over in every
 * case, or NULL for none. reply may be NULL. 0, -ENOTCONN after the
 * connection was lost, -EMSGSIZE beyond CONTROL_MESSAGE_MAX, -ENOMEM; reply
 * is called only after 0.
 */
int client_call(struct client *client, const char *method, json_t *params, client_reply reply,
		void *arg);

/*
 * Gives up the connection to the caller: returns its fd (non-blocking, the
 * caller's to close) and, malloc'd, the bytes that had been read beyond the
 * last message (*rest may become NULL with *size 0). To be called inside the reply of
 * console.open or capture.stream; then client_free() is all that is left.
 * -ENOTCONN when there is no connection any more.
 */
int client_detach(struct client *client, uint8_t **rest, size_t *size);

/*
 * The waiting kind. Any thread, one at a time.
 */
struct link;

/*
 * Connects to a core. -ENOENT or -ECONNREFUSED: no deck is running
 * there; -EACCES: it is another user's.
 */
int link_open(struct link **out, const struct endpoint *endpoint, struct cause *cause);

/* As client_new(), of a blocking socket. */
int link_adopt(struct link **out, int fd, struct cause *cause);
void link_free(struct link *link);

/*
 * Sends a request and waits for its response; takes params over. Returns 0
 * and *result (the caller's; result may be NULL), or a negative errno with
 * the server's sentence in cause. Notifications that come meanwhile are kept
 * for link_next().
 */
int link_call(struct link *link, const char *method, json_t *params, json_t **result,
	      struct cause *cause);

/*
 * Waits for the next notification at most timeout_ms (-1: for ever). 0 and
 * *message ({"method":..., "params":...}, the caller's), -ETIMEDOUT, -EINTR, or
 * -ECONNRESET when the server has gone.
 */
int link_next(struct link *link, json_t **message, int timeout_ms, struct cause *cause);

/*
 * From here on waiting ends with -EPIPE, too, when nobody is left to read what is written to
 * fd (a pipe, a terminal).
 */
void link_set_reader(struct link *link, int fd);

/*
 * The connection as raw bytes after the response of console.open or
 * capture.stream: its fd, which stays the link's, and the bytes already read,
 * valid until link_free().
 */
int link_raw(struct link *link, const uint8_t **rest, size_t *size);

#endif
