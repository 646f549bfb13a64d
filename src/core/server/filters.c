/* See filters.h. */
#include "core/server/filters.h"

#include <errno.h>

#include "core/server/parts.h"

#define COMPILING_MAX 16u /* processes at a time */

static void unlist(struct filter_order *order)
{
	*order->at = order->next;
	if (order->next)
		order->next->at = order->at;
	order->server->compiling--;
}

static void compiled(void *arg, struct filter *filter, int error, const struct cause *cause)
{
	struct filter_order *order = arg;

	unlist(order);
	order->done(order->arg, filter, error, cause);
}

int filter_order_run(struct filter_order *order, struct server *server, const char *expression,
		     struct cause *cause)
{
	int error;

	if (server->compiling >= COMPILING_MAX)
		return cause_set(cause, EAGAIN, "filter: %u others are being compiled; try again",
				 COMPILING_MAX);
	order->server = server;
	order->compiler.done = compiled;
	order->compiler.arg = order;
	error = filter_compile(&order->compiler, server->loop, expression, cause);
	if (error < 0)
		return error;
	server->compiling++;
	order->at = &server->filters;
	order->next = server->filters;
	if (order->next)
		order->next->at = &order->next;
	server->filters = order;
	return 0;
}

void filter_orders_end(struct server *server)
{
	struct filter_order *order;
	struct filter none = { 0 };
	struct cause cause;

	while ((order = server->filters)) {
		filter_compile_cancel(&order->compiler);
		unlist(order);
		order->done(order->arg, &none, cause_set(&cause, ESHUTDOWN, "the deck ends"),
			    &cause);
	}
}
