/* The screen attached to a deck that runs in another process. Main thread. */
#include "roles/attach.h"

#include <errno.h>

#include "base/plain.h"
#include "control/client.h"
#include "control/endpoint.h"
#include "control/message_text.h"
#include "roles/roles.h"
#include "roles/say.h"
#include "sandbox/helper.h"
#include "tui/tui.h"

static int dial_socket(void *arg, struct cause *cause)
{
	return endpoint_connect(arg, cause);
}

/*
 * Somebody had left the deck for its guests' sake; when nothing runs any more,
 * there is nothing to keep. Whether that is so only the deck knows.
 */
static void leave_deck(const struct endpoint *endpoint)
{
	struct link *link = NULL;
	json_t *result = NULL;
	struct cause cause;
	int err = link_open(&link, endpoint, &cause);

	if (!err)
		err = link_call(link, "deck.quit", json_pack("{s:o}", "mode", message_text("idle")),
				&result, &cause);
	/* It may have gone with the screen's own connection. */
	if (err == -ENOENT || err == -ECONNREFUSED || err == -ECONNRESET ||
	    json_is_true(json_object_get(result, "ends")))
		plain_say("no guest runs any more, so the deck has ended");
	json_decref(result);
	link_free(link);
}

int attach(const struct role_config *role)
{
	const struct endpoint *endpoint = role->endpoint;
	struct tui_config config = { .dial = dial_socket, .dial_arg = (void *)endpoint,
				     .line = role->line, .read_only = role->read_only };
	enum tui_result result;
	struct cause cause;

	if (helper_start(NULL, &cause) < 0)
		return complain(&cause);
	if (tui_run(&config, &result, &cause) < 0 || result == TUI_LOST)
		return complain(&cause);
	if (result == TUI_ENDED)
		say_ended();
	if ((result == TUI_QUIT || result == TUI_HANGUP) && !role->read_only)
		leave_deck(endpoint);
	return 0;
}
