/* See nic.h. */
#include "core/bus/nic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/names.h"
#include "core/profile/check.h"
#include "core/profile/profile.h"
#include "net/network.h"
#include "net/port/port.h"

/* Whether the host's ports can lead there. */
static int check_forwards(const struct profile_net *net, const struct switch_config *config,
			  struct cause *cause)
{
	if (!net->forwards.count || (config->uplink && config->uplink->forwards))
		return 0;
	return cause_set(cause, EINVAL, "forward: switch %s has no way for the ports of this host; it needs "
			 "uplink=nat", net->switch_name);
}

/* Whether the switch can give it. */
static int check_address(const struct profile_net *net, const struct switch_config *config,
			 struct cause *cause)
{
	uint32_t hosts = config->prefix ? UINT32_MAX >> config->prefix : 0;
	uint32_t host = net->address & hosts;

	if (!net->address)
		return 0;
	if (!config->address)
		return cause_set(cause, EINVAL, "address: switch %s gives no addresses; it needs "
				 "one of its own", net->switch_name);
	if ((net->address ^ config->address) & ~hosts || !host || host == hosts ||
	    net->address == config->address || net->address == switch_config_dns(config))
		return cause_set(cause, EINVAL, "address: is none of a guest in the network of "
				 "switch %s, %u.%u.%u.%u/%u", net->switch_name,
				 config->address >> 24, config->address >> 16 & 0xff,
				 config->address >> 8 & 0xff, config->address & 0xff,
				 config->prefix);
	return 0;
}

void nic_check_switches(const struct profile_check *check)
{
	struct profile_net *const *nets = check->profile->nets;
	char section[DEVICE_NAME_MAX];
	struct cause cause;

	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++) {
		struct switch_config config = { 0 };

		if (!nets[i] || !*nets[i]->switch_name)
			continue;
		snprintf(section, sizeof(section), "%s%u", NIC_NAME, i);
		if (check->find_switch(check->arg, nets[i]->switch_name, &config, &cause) < 0)
			check->found(check->arg, section, "switch", false, cause.text);
		else if (check_forwards(nets[i], &config, &cause) < 0)
			check->found(check->arg, section, "forward", false, cause.text);
		else if (check_address(nets[i], &config, &cause) < 0)
			check->found(check->arg, section, "address", false, cause.text);
		switch_config_free(&config);
	}
}

int nic_connect(const struct device *device, struct net_port **port,
		const struct net_port_ops *ops, void *backend, struct cause *cause)
{
	const struct device_host *host = device->host;
	const struct profile_net *net = host->profile->nets[device->number];
	struct net_port_config config = { .kind = port_guest.name, .accepts = NET_ACCEPTS_NOTHING };
	struct net_switch *sw;
	char name[NET_PORT_NAME_MAX];

	sw = host->network ? network_find_switch(host->network, net->switch_name) : NULL;
	if (!sw)
		return cause_set(cause, ENOENT, "%s: there is no switch named %s; describe it in "
				 "switches/%s" NAME_FILE_SUFFIX, device->name, net->switch_name,
				 net->switch_name);
	if (check_forwards(net, switch_get_config(sw), cause) < 0 ||
	    check_address(net, switch_get_config(sw), cause) < 0)
		return cause_prefix(cause, -EINVAL, "%s", device->name);
	snprintf(name, sizeof(name), "%s/%s", host->profile->name, device->name);
	config.name = name;
	config.forwards = &net->forwards;
	config.wanted_ip = net->address;
	config.goes_on = host->goes_on;
	config.settings = &net->port;
	config.kept = host->nics ? &host->nics->ports[device->number] : NULL;
	memcpy(config.addresses[0].mac, net->mac, NET_MAC_SIZE);
	return switch_port_add(port, sw, &config, ops, backend, cause);
}

void nics_kept_free(struct nics_kept *kept)
{
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++)
		net_port_kept_free(kept->ports[i]);
}

void nic_sample(const struct net_port *port, struct device_counters *sum)
{
	struct net_port_counters counters;

	if (!port)
		return;
	switch_port_counters(port, &counters);
	sum->out_bytes += counters.rx_bytes;
	sum->out_frames += counters.rx_frames;
	sum->in_bytes += counters.tx_bytes;
	sum->in_frames += counters.tx_frames;
	sum->forged_frames += counters.drops[NET_DROP_FORGED];
}
