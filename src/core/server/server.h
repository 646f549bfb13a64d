/*
 * The control server: the deck as the protocol of vmdeck-protocol(7) shows it.
 *
 * Deck thread, on deck_loop(), unless a function says otherwise. Nothing here
 * waits for a client: what a client does not read is queued up to a bound, then
 * dropped and counted, then the client is closed.
 */
#ifndef CORE_SERVER_SERVER_H
#define CORE_SERVER_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/cause.h"
#include "control/endpoint.h"
#include "core/deck/deck.h"

struct server;

#define SERVER_PEERS_MAX 256

/* A server of deck, which must outlive it, with no way in yet. -ENOMEM with a cause. */
int server_new(struct server **out, struct deck *deck, struct cause *cause);

/*
 * Listens on a Unix socket at the endpoint's first path, mode 0600; makes its folder, mode
 * 0700, if that is missing. -EADDRINUSE when a live core (the cause has its pid) or another
 * program is there; a socket that a dead one left is replaced. -EACCES when others may write
 * to the folder. Once for each server. It listens at the endpoint's other path, too, unless
 * that cannot be had, which is no failure.
 *
 * A socket that goes away is made again within seconds, as soon as it can be; of the first
 * one the deck's log says so.
 */
int server_listen(struct server *server, const struct endpoint *endpoint, struct cause *cause);

/*
 * Serves fd, a connected stream socket (one end of a socketpair), and takes it over in
 * every case. Any thread, while the deck's loop lives. 0 or -ENOMEM.
 */
int server_adopt(struct server *server, int fd);

/* Has quit(arg) called, once, when deck.quit or server_end() has ended the last guest. */
void server_on_quit(struct server *server, void (*quit)(void *arg), void *arg);

/* A deck that its clients do not keep alive, nor end by leaving: deck.quit "idle" spares it. */
void server_keep(struct server *server);

/* Ends the guests and then the deck, as a client's deck.quit does; force: at once. */
void server_end(struct server *server, bool force);

/*
 * The process client leaves the deck. If no guest is alive and server_keep() was not
 * called, the deck ends: now (true) or, while other processes are connected, with the
 * last of them, unless a guest changes its state before. Deck thread.
 */
bool server_leave(struct server *server, pid_t client);

/*
 * Tells all who subscribed to events of the end, closes all connections, ends their
 * captures and removes the socket. The loop need not run any more. Valid for NULL. False:
 * captures have not ended in 10 s, as their files are on a file system that does not answer;
 * then what they use, the deck and its network, has to stay until the process has ended.
 */
bool server_free(struct server *server);

#endif
