/* Parameters of captures, and their end. Deck thread. */
#include "core/server/streams/capture_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int capture_order_read(struct capture_order *order, const struct request *request,
		       struct cause *cause)
{
	const char *filter = param_string(request, "filter");
	json_t *ports = json_object_get(request->params, "ports");
	size_t count = json_array_size(ports);

	memset(order, 0, sizeof(*order));
	order->config.fd = -1;
	order->config.snap = (uint32_t)param_integer(request, "snap", CAPTURE_SNAP_MAX);
	if (filter)
		order->filter = strdup(filter);
	if (count) {
		order->ports = calloc(count + 1, sizeof(*order->ports));
		order->ports_json = json_incref(ports);
	}
	if ((filter && !order->filter) || (count && !order->ports)) {
		capture_order_destroy(order);
		return cause_errno(cause, ENOMEM, "capture");
	}
	for (size_t i = 0; i < count; i++) /* ports_json keeps the strings */
		order->ports[i] = json_string_value(json_array_get(ports, i));
	order->config.ports = order->ports;
	order->config.filter = order->filter;
	return 0;
}

void capture_order_destroy(struct capture_order *order)
{
	free(order->ports);
	free(order->filter);
	json_decref(order->ports_json);
	memset(order, 0, sizeof(*order));
}

void capture_stop_later(struct server *server, struct worker_job *job)
{
	if (worker_post(&server->worker, job) == 0)
		return;
	job->work(job->arg);
	job->done(job->arg);
}
