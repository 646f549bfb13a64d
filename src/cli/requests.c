/* See requests.h. */
#include "cli/requests.h"

#include "cli/fail.h"
#include "cli/output.h"
#include "cli/session.h"
#include "control/message_text.h"

void request_add(struct cli *cli, enum method_id method, json_t *params)
{
	if (!cli->requests)
		cli->requests = json_array();
	json_array_append_new(cli->requests, json_pack("{s:o, s:o}", "method",
						       message_text(method_table[method].name),
						       "params", params ? params : json_object()));
}

int requests_plain(struct cli *cli)
{
	const struct method *method = &method_table[cli->command->method];
	bool guest = method->args[0].name && method->args[0].type == METHOD_NAME;

	request_add(cli, (enum method_id)cli->command->method,
		    guest ? json_pack("{s:o}", method->args[0].name, message_text(cli->argv[0]))
			  : NULL);
	return CLI_OK;
}

int requests_ask(struct cli *cli)
{
	int status = cli->command->requests(cli);
	struct link *link = status ? NULL : session_open(cli);
	json_t *request, *result;
	size_t i;

	if (!status && !link)
		status = CLI_FAILED;
	for (i = 0; link && i < json_array_size(cli->requests); i++) {
		request = json_array_get(cli->requests, i);
		result = session_call(link, text_of(request, "method", ""),
				      json_incref(json_object_get(request, "params")));
		if (!result)
			status = CLI_FAILED;
		json_decref(result);
	}
	link_free(link);
	json_decref(cli->requests);
	cli->requests = NULL;
	return status;
}

int requests_print(struct cli *cli)
{
	json_t *request;
	int status;
	size_t i;

	if (!cli->command->requests)
		return usage_error(NULL, "--dry-run: '%s' asks nothing of a deck", cli->command->name);
	status = cli->command->requests(cli);
	json_array_foreach(cli->requests, i, request)
		if (!status)
			output_json_line(request);
	json_decref(cli->requests);
	cli->requests = NULL;
	return status;
}
