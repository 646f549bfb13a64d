/* Other sizes for devices of guests: at once, or when a file has them. Deck thread. */
#include "core/server/commands/commands.h"

#include "core/deck/resizing.h"
#include "core/server/aside.h"

static void make_larger(void *arg)
{
	resizing_run(arg);
}

static int finish(void *arg, struct deck *deck, json_t **result, struct cause *cause)
{
	(void)result;
	return resizing_finish(arg, deck, cause);
}

static void release(void *arg)
{
	resizing_free(arg);
}

static int resize(struct request *request, struct cause *cause)
{
	static const struct aside_kind kind = { .work = make_larger, .finish = finish,
						.release = release };
	struct resizing *resizing;
	int err = resizing_new(&resizing, request->guest, param_string(request, "device"),
			       param_integer(request, "size", 0), cause);

	if (err || !resizing)
		return err;
	err = aside_begin(request, &kind, resizing, cause);
	if (err)
		resizing_free(resizing);
	return err;
}

const struct handler resize_commands[] = {
	{ METHOD_GUEST_RESIZE, .run = resize },
	HANDLERS_END
};
