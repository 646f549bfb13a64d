/*
 * NICs: the virtio device, its transport, and its port of a switch. The guest's
 * I/O thread.
 */
#include "core/virtio/net_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/names.h"
#include "core/profile/check.h"
#include "core/virtio/net.h"
#include "core/virtio/pci_device.h"
#include "net/network.h"
#include "net/switch/switch.h"

struct net_device {
	struct virtio_pci transport;
	struct virtio_net net;
};

static bool nic_wanted(const struct profile *profile, unsigned number)
{
	return profile->nets[number].present;
}

static void check_nics(const struct profile_check *check)
{
	const struct profile_net *nets = check->profile->nets;
	char section[DEVICE_NAME_MAX];
	struct cause cause;

	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++) {
		if (!nets[i].present || !*nets[i].switch_name ||
		    check->find_switch(check->arg, nets[i].switch_name, &cause) == 0)
			continue;
		snprintf(section, sizeof(section), "%s%u", net_device.name, i);
		check->found(check->arg, section, "switch", false, cause.text);
	}
}

static int create_nic(struct device *device, struct cause *cause)
{
	const struct device_host *host = device->host;
	const struct profile_net *net = &host->profile->nets[device->number];
	struct net_device *nic = device->state;
	char name[NET_PORT_NAME_MAX];
	struct net_switch *sw;
	int err;

	sw = host->network ? network_find_switch(host->network, net->switch_name) : NULL;
	if (!sw)
		return cause_set(cause, ENOENT, "%s: there is no switch named %s; describe it in "
				 "switches/%s" NAME_FILE_SUFFIX, device->name, net->switch_name,
				 net->switch_name);
	virtio_net_init(&nic->net, net->mac);
	err = virtio_device_create(device, &nic->net.device, cause);
	if (err)
		return err;
	virtio_net_pause(&nic->net, true);
	snprintf(name, sizeof(name), "%s/%s", host->profile->name, device->name);
	return virtio_net_connect(&nic->net, sw, name, cause);
}

static void destroy_nic(struct device *device)
{
	struct net_device *nic = device->state;

	/* No frame comes in once it has left the switch; then nobody raises its vectors. */
	virtio_net_disconnect(&nic->net);
	virtio_pci_destroy(&nic->transport);
	virtio_net_destroy(&nic->net);
}

static void start_nic(struct device *device)
{
	struct net_device *nic = device->state;

	virtio_net_pause(&nic->net, false);
	virtio_device_start(device);
}

static bool stop_nic(struct device *device)
{
	struct net_device *nic = device->state;

	virtio_net_pause(&nic->net, true);
	return virtio_device_stop(device);
}

static void sample_nic(const struct device *device, struct device_counters *sum)
{
	const struct net_device *nic = device->state;
	struct net_port_counters port;

	if (!nic->net.port)
		return;
	switch_port_counters(nic->net.port, &port);
	sum->out_bytes += port.rx_bytes;
	sum->out_frames += port.rx_frames;
	sum->in_bytes += port.tx_bytes;
	sum->in_frames += port.tx_frames;
	sum->forged_frames += port.drops[NET_DROP_FORGED];
}

/* The driver knows its MAC address, and must find the same. */
struct __attribute__((packed)) net_registers {
	struct virtio_pci_registers transport;
	uint8_t mac[NET_MAC_SIZE];
};

static void save_nic(struct device *device, void *to)
{
	struct net_registers *registers = to;
	struct net_device *nic = device->state;

	virtio_pci_save(&nic->transport, &registers->transport);
	memcpy(registers->mac, nic->net.mac, sizeof(registers->mac));
}

static const char *load_nic(struct device *device, const void *from)
{
	const struct net_registers *registers = from;
	struct net_device *nic = device->state;

	if (memcmp(registers->mac, nic->net.mac, sizeof(registers->mac)) != 0)
		return "the NIC has another MAC address";
	return virtio_pci_load(&nic->transport, &registers->transport);
}

const struct device_type net_device = {
	.name = "net",
	.size = sizeof(struct net_device),
	.pci = true,
	.max = PROFILE_NETS_MAX,
	.wanted = nic_wanted,
	.check = check_nics,
	.create = create_nic,
	.destroy = destroy_nic,
	.start = start_nic,
	.stop = stop_nic,
	.reset = virtio_device_reset,
	.version = 1,
	.saved = sizeof(struct net_registers),
	.save = save_nic,
	.load = load_nic,
	.describe = virtio_device_describe,
	.sample = sample_nic,
};
