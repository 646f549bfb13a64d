/*
 * The network of one process: the list of its switches and the thread that
 * serves their uplinks. Any thread; nothing here is on a frame's way.
 */
#include "net/network.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/switch/switch_private.h"

int network_new(struct network **out, struct cause *cause)
{
	struct network *network = calloc(1, sizeof(*network));
	int error;

	if (!network)
		return cause_errno(cause, ENOMEM, "the virtual network");
	pthread_mutex_init(&network->lock, NULL);
	error = capture_hub_new(&network->capture, cause);
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
	while (network->switches)
		switch_free(network->switches);
	uplink_free(network->uplink);
	capture_hub_free(network->capture);
	pthread_mutex_destroy(&network->lock);
	free(network);
}

struct capture_hub *network_capture_hub(struct network *network)
{
	return network->capture;
}

static struct net_switch *find(struct network *network, const char *name)
{
	struct net_switch *sw = network->switches;

	while (sw && strcmp(sw->config.name, name))
		sw = sw->next;
	return sw;
}

struct net_switch *network_find_switch(struct network *network, const char *name)
{
	struct net_switch *sw;

	pthread_mutex_lock(&network->lock);
	sw = find(network, name);
	pthread_mutex_unlock(&network->lock);
	return sw;
}

size_t network_list_switches(struct network *network, struct net_switch **out, size_t room)
{
	size_t count = 0;

	pthread_mutex_lock(&network->lock);
	for (struct net_switch *sw = network->switches; sw; sw = sw->next, count++)
		if (count < room)
			out[count] = sw;
	pthread_mutex_unlock(&network->lock);
	return count;
}

/* Puts the switch at the end of the list; -EEXIST. */
static int enlist(struct network *network, struct net_switch *sw)
{
	struct net_switch **end = &network->switches;
	int error = 0;

	pthread_mutex_lock(&network->lock);
	while (*end)
		end = &(*end)->next;
	if (find(network, sw->config.name))
		error = -EEXIST;
	else
		*end = sw;
	pthread_mutex_unlock(&network->lock);
	return error;
}

static void delist(struct network *network, struct net_switch *sw)
{
	pthread_mutex_lock(&network->lock);
	for (struct net_switch **at = &network->switches; *at; at = &(*at)->next) {
		if (*at == sw) {
			*at = sw->next;
			break;
		}
	}
	pthread_mutex_unlock(&network->lock);
}

static int attach_uplink(struct net_switch *sw, struct cause *cause)
{
	struct network *network = sw->network;
	int error = 0;

	if (!sw->config.address)
		return 0;
	pthread_mutex_lock(&network->lock);
	if (!network->uplink)
		error = uplink_new(&network->uplink, cause);
	pthread_mutex_unlock(&network->lock);
	if (!error)
		error = uplink_attach(&sw->uplink, network->uplink, sw, &sw->config, cause);
	return error;
}

int switch_new(struct net_switch **out, struct network *network,
	       const struct switch_config *config, struct cause *cause)
{
	struct net_switch *sw = calloc(1, sizeof(*sw));
	int error;

	if (!sw)
		return cause_errno(cause, ENOMEM, "switch %s", config->name);
	sw->config = *config;
	sw->config.name[sizeof(sw->config.name) - 1] = 0;
	sw->network = network;
	if (mac_table_init(&sw->macs)) {
		free(sw);
		return cause_errno(cause, ENOMEM, "switch %s", config->name);
	}
	error = enlist(network, sw);
	if (error) {
		cause_set(cause, EEXIST, "switch %s: there is one of that name already",
			  sw->config.name);
	} else {
		capture_hub_add_switch(network->capture, &sw->captured, sw->config.name);
		error = attach_uplink(sw, cause);
		if (!error) {
			*out = sw;
			return 0;
		}
		cause_prefix(cause, error, "switch %s", sw->config.name);
	}
	switch_free(sw);
	return error;
}

void switch_free(struct net_switch *sw)
{
	if (!sw)
		return;
	uplink_detach(sw->uplink);
	capture_hub_remove_switch(sw->network->capture, &sw->captured);
	delist(sw->network, sw);
	for (uint32_t i = 0; i < NET_PORTS_MAX; i++)
		assert(!atomic_load(&sw->ports[i]));
	mac_table_destroy(&sw->macs);
	free(sw);
}

const struct switch_config *switch_get_config(const struct net_switch *sw)
{
	return &sw->config;
}

size_t switch_list_leases(struct net_switch *sw, struct dhcp_lease_info *out, size_t room)
{
	return sw->uplink ? uplink_list_leases(sw->uplink, out, room) : 0;
}
