/* Filters of packets that are compiled for who asked: a bounded number at a time. Deck thread. */
#ifndef CORE_SERVER_FILTERS_H
#define CORE_SERVER_FILTERS_H

#include "net/capture/filter_compiler.h"

struct server;

/* Embedded in what waits for it, which sets done and arg; the rest zero. */
struct filter_order {
	/* As in struct filter_compiler. */
	void (*done)(void *arg, struct filter *filter, int error, const struct cause *cause);
	void *arg;

	struct server *server;
	struct filter_compiler compiler;
	struct filter_order *next, **at; /* in the server's list */
};

/* As filter_compile(), of an expression that lives as long; -EAGAIN: too many are under way. */
int filter_order_run(struct filter_order *order, struct server *server, const char *expression,
		     struct cause *cause);

/* The server ends: none is waited for any more, and done() is called with an error. */
void filter_orders_end(struct server *server);

#endif
