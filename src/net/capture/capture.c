/*
 * Starting and stopping captures. Any thread but the writer's; the work is in
 * capture/tap.c (the port's side) and capture/writer.c. See capture_private.h.
 */
#include "net/capture/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/capture/capture_private.h"
#include "sandbox/confine.h"

static int copy_ports(struct capture *capture, const char *const *ports, struct cause *cause)
{
	size_t count = 0;

	if (!ports)
		return 0;
	while (ports[count])
		count++;
	capture->ports = calloc(count + 1, sizeof(*capture->ports));
	if (!capture->ports)
		return cause_errno(cause, ENOMEM, "capture");
	for (size_t i = 0; i < count; i++) {
		capture->ports[i] = strdup(ports[i]);
		if (!capture->ports[i])
			return cause_errno(cause, ENOMEM, "capture");
	}
	return 0;
}

/* A switch's name has no '/', a port's has. */
static bool names_ports(const struct capture *capture)
{
	for (char **name = capture->ports; name && *name; name++)
		if (strchr(*name, '/'))
			return true;
	return false;
}

static int take_bit(struct capture *capture, struct cause *cause)
{
	if (!names_ports(capture))
		return 0;
	capture->bit = capture_hub_take_bit(capture->hub);
	if (!capture->bit)
		return cause_set(cause, ENOSPC, "%u captures of ports run already; stop one, or "
				 "capture a switch", NAMING_MAX);
	capture->missed_seen =
		counter_get(&capture->hub->missed[__builtin_ctzll(capture->bit)]);
	return 0;
}

void capture_discard(struct capture *capture)
{
	if (!capture)
		return;
	capture_hub_give_bit(capture->hub, capture->bit);
	capture_hub_give_filter(capture->hub, capture->filter_bit);
	capture_sink_close(&capture->sink);
	for (char **name = capture->ports; name && *name; name++)
		free(*name);
	free(capture->ports);
	free(capture->expression);
	filter_free(&capture->filter);
	free(capture->interfaces);
	free(capture->known);
	free(capture->batch);
	free(capture);
}

/*
 * Signals are blocked, as it has to be: a reader that goes away, or a file at
 * its limit, is an error and no signal.
 */
static const struct thread_role writer_role = {
	.name = "capture", .confine = confine_thread, .kind = FILTER_CAPTURE,
};

int capture_hub_map(struct capture_hub *hub, struct cause *cause)
{
	int error = hub->pool ? 0 : capture_pool_map(hub);

	return error ? cause_errno(cause, -error, "capture: buffers") : 0;
}

int capture_hub_start(struct capture_hub *hub, struct cause *cause)
{
	int error = capture_hub_map(hub, cause);

	if (error || hub->started)
		return error;
	error = thread_start(&hub->thread, &writer_role, NULL, capture_writer_run, hub);
	if (error)
		return cause_errno(cause, -error, "capture: thread");
	hub->started = true;
	return 0;
}

static int prepare(struct capture *capture, const struct capture_config *config,
		   struct cause *cause)
{
	int error;

	if (config->snap < 1 || config->snap > CAPTURE_SNAP_MAX)
		return cause_set(cause, EINVAL, "capture: snap length %u is not in 1..%u",
				 config->snap, CAPTURE_SNAP_MAX);
	error = copy_ports(capture, config->ports, cause);
	if (!error)
		error = take_bit(capture, cause);
	if (error)
		return error;
	if (config->filter) {
		capture->expression = strdup(config->filter);
		if (!capture->expression)
			return cause_errno(cause, ENOMEM, "capture");
	}
	pthread_mutex_lock(&capture->hub->lock);
	if (config->past_ns && !capture_past_any(capture))
		error = cause_set(cause, ENOENT, "nothing of the past is kept there; see the key past "
				  "in vmdeck-switch(5)");
	else
		error = capture_hub_start(capture->hub, cause);
	pthread_mutex_unlock(&capture->hub->lock);
	if (!error && config->program) {
		capture->filter = *config->program;
		*config->program = (struct filter){ 0 };
		if (capture->filter.insns)
			capture->filter_bit = capture_hub_take_filter(capture->hub,
								      &capture->filter);
	}
	return error;
}

int capture_prepare(struct capture **out, struct capture_hub *hub,
		    const struct capture_config *config, struct cause *cause)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int error;

	if (!capture)
		return cause_errno(cause, ENOMEM, "capture");
	capture->hub = hub;
	capture->sink.fd = -1;
	capture->snap = config->snap;
	capture->past_ns = config->past_ns;
	capture->names = config->names && !config->records;
	capture->records = config->records;
	capture->ended = config->ended;
	capture->arg = config->arg;
	error = prepare(capture, config, cause);
	if (error)
		capture_discard(capture);
	else
		*out = capture;
	return error;
}

/* fd is the capture's only if this succeeds. */
static int open_target(struct capture *capture, int fd, struct cause *cause)
{
	int error;

	if ((fd >= 0) == !!capture->records)
		return cause_set(cause, EINVAL, "capture: neither a file nor a function, or both");
	if (fd < 0) {
		capture->batch = calloc(BATCH_MAX, sizeof(*capture->batch));
		return capture->batch ? 0 : cause_errno(cause, ENOMEM, "capture");
	}
	error = capture_sink_open(&capture->sink, fd, cause);
	if (error)
		capture->sink.fd = -1;
	return error;
}

int capture_begin(struct capture *capture, int fd, struct cause *cause)
{
	struct capture_hub *hub = capture->hub;
	int error = open_target(capture, fd, cause);

	if (error)
		return error;
	pthread_mutex_lock(&hub->lock);
	capture->start = clock_monotonic();
	capture->start -= capture->past_ns < capture->start ? capture->past_ns : capture->start;
	capture->next = hub->captures;
	hub->captures = capture;
	capture_pool_advise(hub, true);
	capture_hub_update_taps(hub);
	pthread_mutex_unlock(&hub->lock);
	capture_hub_wake(hub);
	return 0;
}

int capture_start(struct capture **out, struct capture_hub *hub,
		  const struct capture_config *config, struct cause *cause)
{
	struct capture *capture;
	int error;

	error = capture_prepare(&capture, hub, config, cause);
	if (error)
		return error;
	error = capture_begin(capture, config->fd, cause);
	if (error)
		capture_discard(capture);
	else
		*out = capture;
	return error;
}

void capture_stop(struct capture *capture, struct capture_stats *last)
{
	struct capture_hub *hub;

	if (!capture)
		return;
	hub = capture->hub;
	pthread_mutex_lock(&hub->lock);
	capture->stopping = true;
	capture_hub_update_taps(hub);
	/* Behind that: what ports' threads still run of it is in bursts that began before. */
	capture->stop_time = clock_monotonic();
	capture_hub_wake(hub);
	while (!capture->done)
		pthread_cond_wait(&hub->changed, &hub->lock);
	for (struct capture **at = &hub->captures; *at; at = &(*at)->next) {
		if (*at == capture) {
			*at = capture->next;
			break;
		}
	}
	pthread_mutex_unlock(&hub->lock);
	if (last)
		capture_get_stats(capture, last);
	capture_discard(capture);
}

void capture_get_stats(const struct capture *capture, struct capture_stats *out)
{
	out->records = counter_get(&capture->count_records);
	out->bytes = counter_get(&capture->count_bytes);
	out->dropped = counter_get(&capture->count_dropped);
}
