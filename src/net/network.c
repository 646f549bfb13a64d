/*
 * The network of one process: the list of its switches and the thread that
 * serves their uplinks. Any thread; nothing here is on a frame's way.
 */
#include "net/network.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/suggest.h"
#include "net/port/port.h"
#include "net/port/thread.h"
#include "net/switch/release.h"
#include "net/switch/switch_private.h"

struct network {
	struct switch_set set;
	struct uplink_listener listener;
	struct uplink *uplink; /* under the set's lock; made with the first port that it serves */
};

/* A switch and what it has of its own accord. */
struct network_switch {
	struct net_switch sw;
	struct network *network;
	struct switch_config config;
	struct port *ports;
};

static struct network_switch *of_network(const struct net_switch *sw)
{
	return container_of(sw, struct network_switch, sw);
}

/* Under the lock. */
static int need_uplink(struct network *network, struct cause *cause)
{
	return network->uplink ? 0 : uplink_new(&network->uplink, &network->listener, cause);
}

static int start_uplink(struct network *network, struct cause *cause)
{
	int error;

	pthread_mutex_lock(&network->set.lock);
	error = need_uplink(network, cause);
	pthread_mutex_unlock(&network->set.lock);
	return error;
}

/* switch_set.serve() */
static int serve(struct switch_set *set, struct cause *cause)
{
	struct network *network = container_of(set, struct network, set);
	int error = need_uplink(network, cause);

	if (!error)
		late_serve(&set->late, &network->uplink->loop);
	return error;
}

int network_new(struct network **out, struct cause *cause)
{
	struct network *network = calloc(1, sizeof(*network));
	int error;

	if (!network)
		return cause_errno(cause, ENOMEM, "the virtual network");
	pthread_mutex_init(&network->set.lock, NULL);
	late_init(&network->set.late, release_due);
	network->set.serve = serve;
	error = capture_hub_new(&network->set.capture, cause);
	if (error) {
		network_free(network);
		return error;
	}
	*out = network;
	return 0;
}

void network_free(struct network *network)
{
	if (!network)
		return;
	while (network->set.switches)
		switch_free(network->set.switches);
	uplink_free(network->uplink);
	late_destroy(&network->set.late);
	capture_hub_free(network->set.capture);
	pthread_mutex_destroy(&network->set.lock);
	free(network);
}

void network_listen(struct network *network, const struct uplink_listener *listener)
{
	network->listener = *listener;
	network->set.notice = listener->notice;
	network->set.held = listener->held;
	network->set.notice_arg = listener->arg;
}

struct capture_hub *network_capture_hub(struct network *network)
{
	return network->set.capture;
}

struct net_switch *network_find_switch(struct network *network, const char *name)
{
	struct net_switch *sw;

	pthread_mutex_lock(&network->set.lock);
	sw = switch_find(&network->set, name);
	pthread_mutex_unlock(&network->set.lock);
	return sw;
}

size_t network_list_switches(struct network *network, struct net_switch **out, size_t room)
{
	size_t count = 0;

	pthread_mutex_lock(&network->set.lock);
	for (struct net_switch *sw = network->set.switches; sw; sw = sw->next, count++)
		if (count < room)
			out[count] = sw;
	pthread_mutex_unlock(&network->set.lock);
	return count;
}

static int add_port(struct network_switch *member, const struct port_kind *kind,
		    const struct port_section *section, struct cause *cause)
{
	const struct switch_config *config = &member->config;
	struct port *port;
	int error = kind->check ? kind->check(config, section, cause) : 0;

	if (!error)
		error = start_uplink(member->network, cause);
	if (!error)
		error = kind->create(&port, member->network->uplink, &member->sw, config, section,
				     cause);
	if (error)
		return error;
	port->next = member->ports;
	member->ports = port;
	return 0;
}

/* Those that the switch has of its own accord. */
static int add_ports(struct network_switch *member, struct cause *cause)
{
	const struct port_section *section;
	char name[NAME_SIZE];
	int error = 0;

	for (const struct port_kind *const *kind = port_kinds; *kind && !error; kind++)
		if ((*kind)->wanted && (*kind)->wanted(&member->config))
			error = add_port(member, *kind, NULL, cause);
	for (section = member->config.sections; section && !error; section = section->next) {
		error = add_port(member, section->kind, section, cause);
		if (error) {
			port_section_name(section, name);
			cause_prefix(cause, error, "%s", name);
		}
	}
	return error;
}

/* A switch without its past is better than none. */
static void keep_past(const struct network_switch *member)
{
	const struct uplink_listener *listener = &member->network->listener;
	const struct switch_config *config = &member->config;
	struct cause cause = { "" };
	int error;

	if (!config->past.bytes)
		return;
	error = capture_hub_keep(member->network->set.capture, config->name, &config->past, &cause);
	if (error < 0 && listener->notice) {
		cause_prefix(&cause, error, "switch %s keeps nothing of its past", config->name);
		listener->notice(listener->arg, cause.text);
	}
}

int switch_new(struct net_switch **out, struct network *network,
	       const struct switch_config *config, struct cause *cause)
{
	struct network_switch *member = calloc(1, sizeof(*member));
	int error;

	if (!member || switch_config_copy(&member->config, config) < 0) {
		free(member);
		return cause_errno(cause, ENOMEM, "switch %s", config->name);
	}
	member->network = network;
	member->config.name[sizeof(member->config.name) - 1] = 0;
	error = switch_init(&member->sw, &network->set, member->config.name,
			    (uint64_t)config->patience * NS_PER_MS);
	if (error == -EEXIST) {
		cause_set(cause, EEXIST, "switch %s: there is one of that name already",
			  member->config.name);
	} else if (error) {
		cause_errno(cause, -error, "switch %s", member->config.name);
	} else {
		keep_past(member);
		error = add_ports(member, cause);
		if (!error) {
			*out = &member->sw;
			return 0;
		}
		cause_prefix(cause, error, "switch %s", member->config.name);
	}
	switch_free(&member->sw);
	return error;
}

void switch_free(struct net_switch *sw)
{
	struct network_switch *member;
	struct port *port;

	if (!sw)
		return;
	member = of_network(sw);
	while ((port = member->ports)) {
		member->ports = port->next;
		port->kind->destroy(port);
	}
	switch_destroy(sw);
	switch_config_free(&member->config);
	free(member);
}

const struct switch_config *switch_get_config(const struct net_switch *sw)
{
	return &of_network(sw)->config;
}

/* Under the lock: the port of a name, or NULL with a cause. */
static struct net_port *find_port(struct network *network, const char *name, struct cause *cause)
{
	struct net_port *port = switch_find_port(&network->set, name);
	struct suggestion suggestion = { .wrong = name };

	if (port)
		return port;
	switch_suggest_port(&network->set, &suggestion);
	if (suggestion.best)
		cause_set(cause, ENOENT, "port '%s': there is none; did you mean '%s'?", name,
			  suggestion.best);
	else
		cause_set(cause, ENOENT, "port '%s': there is none; a guest's has its name and the "
			  "card's, such as web/net0, while it runs", name);
	return NULL;
}

int network_get_port(struct network *network, const char *name, struct net_port_settings *out,
		     struct cause *cause)
{
	struct net_port *port;

	pthread_mutex_lock(&network->set.lock);
	port = find_port(network, name, cause);
	if (port)
		port_settings(port, out);
	pthread_mutex_unlock(&network->set.lock);
	return port ? 0 : -ENOENT;
}

int network_set_port(struct network *network, const char *name,
		     const struct net_port_settings *settings, struct cause *cause)
{
	struct net_port *port;
	int error = -ENOENT;

	pthread_mutex_lock(&network->set.lock);
	port = find_port(network, name, cause);
	if (port)
		error = port_set(port, settings, cause);
	pthread_mutex_unlock(&network->set.lock);
	return error;
}

int network_break_port(struct network *network, const char *name, struct filter *filter,
		       const char *words, struct cause *cause)
{
	struct net_port *port;
	int error = -ENOENT;

	pthread_mutex_lock(&network->set.lock);
	port = find_port(network, name, cause);
	if (port)
		error = port_set_break(port, filter, words, cause);
	pthread_mutex_unlock(&network->set.lock);
	return error;
}

/* Of bytes that nobody else writes to; rest lasts as long. */
static struct net_frame frame_of(const uint8_t *data, uint32_t size, struct iovec *rest)
{
	uint32_t head = size < NET_HEAD_MAX ? size : NET_HEAD_MAX;

	*rest = (struct iovec){ (uint8_t *)data + head, size - head };
	return (struct net_frame){ .head = data, .head_size = head, .size = size, .rest = rest,
				   .rest_count = rest->iov_len != 0 };
}

int network_inject_port(struct network *network, const char *name, const uint8_t *data,
			uint32_t size, struct switch_injected *out, struct cause *cause)
{
	struct iovec rest;
	const struct net_frame frame = frame_of(data, size, &rest);
	struct net_port *port;
	int error = -ENOENT;

	pthread_mutex_lock(&network->set.lock);
	port = find_port(network, name, cause);
	if (port)
		error = port_put_frame(port, &frame, out, cause);
	pthread_mutex_unlock(&network->set.lock);
	return error;
}

static int decide(struct net_port *port, const struct net_decision *decision, struct cause *cause)
{
	struct iovec rest;
	struct net_frame frame;
	int error = -ENOENT;

	if (decision->data) {
		frame = frame_of(decision->data, decision->size, &rest);
	}
	if (port->hold)
		error = hold_decide(port->hold, decision->drop, decision->data ? &frame : NULL);
	if (error == -ENOENT)
		return cause_set(cause, ENOENT, "port '%s' holds no frame", port->name);
	if (error == -EALREADY)
		return cause_set(cause, EALREADY, "port '%s': that is decided, and what it holds "
				 "goes on when the guests do", port->name);
	return error ? cause_errno(cause, -error, "port '%s'", port->name) : 0;
}

int network_decide_port(struct network *network, const char *name,
			const struct net_decision *decision, struct cause *cause)
{
	struct net_port *port;
	int error = -ENOENT;

	pthread_mutex_lock(&network->set.lock);
	port = find_port(network, name, cause);
	if (port)
		error = decide(port, decision, cause);
	pthread_mutex_unlock(&network->set.lock);
	return error;
}

/* How many of room entries are left behind count of them. */
static size_t left(size_t room, size_t count)
{
	return count < room ? room - count : 0;
}

size_t switch_describe(struct net_switch *sw, struct port_field *out, size_t room)
{
	uint64_t lost = switch_lost(sw);
	size_t count = 0;

	if (lost && room) {
		out->name = "lost";
		snprintf(out->text, sizeof(out->text), "%" PRIu64 " frame%s that %s held back, with "
			 "the port", lost, lost == 1 ? "" : "s", lost == 1 ? "was" : "were");
	}
	count += lost != 0;
	for (const struct port *port = of_network(sw)->ports; port; port = port->next)
		if (port->kind->describe && !port->section)
			count += port->kind->describe(port, count < room ? out + count : NULL,
						      left(room, count));
	return count;
}

/* The port that a section of that name makes, or NULL. */
static const struct port *find_section(const struct network_switch *member, const char *name)
{
	char section[NAME_SIZE];

	for (const struct port *port = member->ports; port; port = port->next) {
		if (!port->section)
			continue;
		port_section_name(port->section, section);
		if (!strcmp(section, name))
			return port;
	}
	return NULL;
}

size_t switch_describe_port(struct net_switch *sw, const char *name, struct port_field *out,
			    size_t room)
{
	size_t length = strlen(sw->name);
	const struct port *port = NULL;

	if (!strncmp(name, sw->name, length) && name[length] == '/')
		port = find_section(of_network(sw), name + length + 1);
	return port && port->kind->describe ? port->kind->describe(port, out, room) : 0;
}

size_t switch_list_leases(struct net_switch *sw, struct dhcp_lease_info *out, size_t room)
{
	size_t count = 0;

	for (struct port *port = of_network(sw)->ports; port; port = port->next)
		if (port->kind->list_leases)
			count += port->kind->list_leases(port, count < room ? out + count : NULL,
							 left(room, count));
	return count;
}

void switch_restore_lease(struct net_switch *sw, const struct dhcp_lease_info *lease)
{
	for (struct port *port = of_network(sw)->ports; port; port = port->next)
		if (port->kind->restore_lease)
			port->kind->restore_lease(port, lease);
}
