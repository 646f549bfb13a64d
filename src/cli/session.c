/* The connection to the deck. */
#include "cli/session.h"

#include <errno.h>

#include "cli/fail.h"
#include "control/endpoint.h"

static struct link *connect_to(struct cli *cli, bool needed)
{
	struct endpoint endpoint;
	struct link *link;
	struct cause cause;
	int error = endpoint_find(&endpoint, cli->socket, &cause);

	if (error == 0)
		error = link_open(&link, &endpoint, &cause);
	if (error == 0)
		return link;
	if (error != -ENOENT && error != -ECONNREFUSED && error != -ENOTDIR)
		fail("%s", cause.text);
	else if (needed)
		fail("no deck is running (no socket at %s); start one with 'vmdeck' or "
		     "'vmdeck run'", endpoint.paths[0]);
	return NULL;
}

struct link *session_open(struct cli *cli)
{
	return connect_to(cli, true);
}

struct link *session_open_if_any(struct cli *cli)
{
	return connect_to(cli, false);
}

json_t *session_call(struct link *link, const char *method, json_t *params)
{
	struct cause cause;
	json_t *result;

	if (link_call(link, method, params, &result, &cause) < 0) {
		fail("%s", cause.text);
		return NULL;
	}
	return result;
}

json_t *session_ask(struct cli *cli, const char *method, json_t *params)
{
	struct link *link = session_open(cli);
	json_t *result = NULL;

	if (link)
		result = session_call(link, method, params);
	else
		json_decref(params);
	link_free(link);
	return result;
}

json_t *session_try(const struct cli *cli, const char *method)
{
	struct endpoint endpoint;
	json_t *result = NULL;
	struct link *link;

	if (endpoint_find(&endpoint, cli->socket, NULL) < 0 ||
	    link_open(&link, &endpoint, NULL) < 0)
		return NULL;
	if (link_call(link, method, NULL, &result, NULL) < 0)
		result = NULL;
	link_free(link);
	return result;
}
