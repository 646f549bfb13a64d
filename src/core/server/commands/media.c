/* The media of guests' drives: out at once, in when the image is open. Deck thread. */
#include "core/server/commands/commands.h"

#include <errno.h>

#include "core/deck/insertion.h"
#include "core/disk/disk.h"
#include "core/server/aside.h"

static void close_medium(void *arg)
{
	disk_close(arg);
}

static int eject(struct request *request, struct cause *cause)
{
	struct disk *medium = NULL;
	int err = guest_exchange(request->guest, param_string(request, "device"), &medium,
				 param_bool(request, "force"), cause);

	if (medium)
		aside_release(request->server, close_medium, medium);
	return err;
}

static void open_medium(void *arg)
{
	insertion_open(arg);
}

static int put_in(void *arg, struct deck *deck, json_t **result, struct cause *cause)
{
	(void)result;
	return insertion_finish(arg, deck, cause);
}

static void release(void *arg)
{
	insertion_free(arg);
}

static int insert(struct request *request, struct cause *cause)
{
	static const struct aside_kind kind = { .work = open_medium, .finish = put_in,
						.release = release };
	const char *path = param_string(request, "path");
	struct insertion *insertion;
	int err;

	if (path[0] != '/')
		return cause_set(cause, EINVAL, "path: '%s' must begin with '/'", path);
	err = insertion_new(&insertion, request->guest, param_string(request, "device"), path,
			    param_bool(request, "force"), cause);
	if (err)
		return err;
	err = aside_begin(request, &kind, insertion, cause);
	if (err)
		insertion_free(insertion);
	return err;
}

const struct handler media_commands[] = {
	{ METHOD_GUEST_EJECT, .run = eject },
	{ METHOD_GUEST_INSERT, .run = insert },
	HANDLERS_END
};
