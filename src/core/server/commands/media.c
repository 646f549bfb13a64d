/* The media of guests' drives: out at once, in when the image is open. Deck thread. */
#include "core/server/commands/commands.h"

#include <errno.h>
#include <stdlib.h>

#include "core/deck/insertion.h"

static int eject(struct request *request, struct cause *cause)
{
	return guest_exchange(request->guest, param_string(request, "device"), NULL,
			      param_bool(request, "force"), cause);
}

struct order {
	struct worker_job job;
	struct answer answer;
	struct deck *deck;
	struct insertion *insertion;
};

static void open_medium(void *arg)
{
	struct order *order = arg;

	insertion_open(order->insertion);
}

static void medium_opened(void *arg)
{
	struct order *order = arg;
	struct cause cause;
	int err = insertion_finish(order->insertion, order->deck, &cause);

	if (err)
		answer_error(&order->answer, err, &cause);
	else
		answer_result(&order->answer, NULL);
	free(order);
}

static int insert(struct request *request, struct cause *cause)
{
	const char *path = param_string(request, "path");
	struct order *order;
	int err;

	if (path[0] != '/')
		return cause_set(cause, EINVAL, "path: '%s' must begin with '/'", path);
	order = calloc(1, sizeof(*order));
	if (!order)
		return cause_errno(cause, ENOMEM, "guest.insert");
	order->job = (struct worker_job){ .work = open_medium, .done = medium_opened, .arg = order };
	order->deck = request->deck;
	err = insertion_new(&order->insertion, request->guest, param_string(request, "device"), path,
			    param_bool(request, "force"), cause);
	if (!err && worker_post(&request->server->openers, &order->job) < 0)
		err = insertion_finish(order->insertion, request->deck, cause);
	if (err)
		free(order);
	else
		request_detach(request, &order->answer);
	return err;
}

const struct handler media_commands[] = {
	{ METHOD_GUEST_EJECT, .run = eject },
	{ METHOD_GUEST_INSERT, .run = insert },
	HANDLERS_END
};
