/*
 * The network of one process: the list of its switches and the thread that
 * serves their uplinks. Any thread; nothing here is on a frame's way.
 */
#include "net/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "net/port/own.h"
#include "net/switch/switch_private.h"

struct network {
	struct switch_set set;
	struct uplink *uplink; /* under the set's lock; made with the first switch that has an address */
};

/* A switch and what it has of its own accord. */
struct network_switch {
	struct net_switch sw;
	struct network *network;
	struct switch_config config;
	struct uplink_port *own; /* or NULL */
};

static struct network_switch *of_network(const struct net_switch *sw)
{
	return container_of(sw, struct network_switch, sw);
}

int network_new(struct network **out, struct cause *cause)
{
	struct network *network = calloc(1, sizeof(*network));
	int error;

	if (!network)
		return cause_errno(cause, ENOMEM, "the virtual network");
	pthread_mutex_init(&network->set.lock, NULL);
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
	capture_hub_free(network->set.capture);
	pthread_mutex_destroy(&network->set.lock);
	free(network);
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

static int attach_uplink(struct network_switch *member, struct cause *cause)
{
	struct network *network = member->network;
	int error = 0;

	if (!member->config.address)
		return 0;
	pthread_mutex_lock(&network->set.lock);
	if (!network->uplink)
		error = uplink_new(&network->uplink, cause);
	pthread_mutex_unlock(&network->set.lock);
	if (!error)
		error = uplink_attach(&member->own, network->uplink, &member->sw, &member->config,
				      cause);
	return error;
}

int switch_new(struct net_switch **out, struct network *network,
	       const struct switch_config *config, struct cause *cause)
{
	struct network_switch *member = calloc(1, sizeof(*member));
	int error;

	if (!member)
		return cause_errno(cause, ENOMEM, "switch %s", config->name);
	member->network = network;
	member->config = *config;
	member->config.name[sizeof(member->config.name) - 1] = 0;
	error = switch_init(&member->sw, &network->set, member->config.name);
	if (error == -EEXIST) {
		cause_set(cause, EEXIST, "switch %s: there is one of that name already",
			  member->config.name);
	} else if (error) {
		cause_errno(cause, -error, "switch %s", member->config.name);
	} else {
		error = attach_uplink(member, cause);
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

	if (!sw)
		return;
	member = of_network(sw);
	uplink_detach(member->own);
	switch_destroy(sw);
	free(member);
}

const struct switch_config *switch_get_config(const struct net_switch *sw)
{
	return &of_network(sw)->config;
}

size_t switch_list_leases(struct net_switch *sw, struct dhcp_lease_info *out, size_t room)
{
	struct uplink_port *own = of_network(sw)->own;

	return own ? uplink_list_leases(own, out, room) : 0;
}
