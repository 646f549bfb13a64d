/*
 * NICs: the virtio device, its transport, and its port of a switch. The guest's
 * I/O thread.
 */
#include "core/virtio/net_device.h"

#include <string.h>

#include "core/bus/nic.h"
#include "core/profile/profile.h"
#include "core/virtio/net.h"
#include "core/virtio/pci_device.h"

struct net_device {
	struct virtio_pci transport;
	struct virtio_net net;
};

static bool nic_wanted(const struct profile *profile, unsigned number)
{
	return profile->nets[number] && profile->nets[number]->model == NET_MODEL_VIRTIO;
}

static int create_nic(struct device *device, struct cause *cause)
{
	const struct profile_net *profile = device->host->profile->nets[device->number];
	struct net_device *nic = device->state;
	int err;

	virtio_net_init(&nic->net, profile->mac, profile_net_queue_size(profile));
	err = virtio_device_create(device, &nic->net.device, cause);
	if (err)
		return err;
	virtio_net_pause(&nic->net, true);
	return nic_connect(device, &nic->net.port, &virtio_net_port_ops, &nic->net, cause);
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

	nic_sample(nic->net.port, sum);
}

/* The driver knows its MAC address, and must find the same. */
struct __attribute__((packed)) net_registers {
	struct virtio_pci_registers transport;
	uint8_t mac[NET_MAC_SIZE];
	uint8_t unplugged; /* 0 or 1: what the driver was told of its link */
};

static void save_nic(struct device *device, void *to)
{
	struct net_registers *registers = to;
	struct net_device *nic = device->state;

	virtio_pci_save(&nic->transport, &registers->transport);
	memcpy(registers->mac, nic->net.mac, sizeof(registers->mac));
	registers->unplugged = virtio_net_is_unplugged(&nic->net);
}

static const char *load_nic(struct device *device, const void *from)
{
	const struct net_registers *registers = from;
	struct net_device *nic = device->state;
	const char *wrong;

	if (memcmp(registers->mac, nic->net.mac, sizeof(registers->mac)) != 0)
		return "the NIC has another MAC address";
	if (registers->unplugged > 1)
		return "link";
	wrong = virtio_pci_load(&nic->transport, &registers->transport);
	if (!wrong && registers->unplugged != virtio_net_is_unplugged(&nic->net))
		virtio_net_tell_link(&nic->net);
	return wrong;
}

const struct device_type net_device = {
	.name = NIC_NAME,
	.size = sizeof(struct net_device),
	.pci = true,
	.max = PROFILE_NETS_MAX,
	.wanted = nic_wanted,
	.check = nic_check_switches,
	.create = create_nic,
	.destroy = destroy_nic,
	.start = start_nic,
	.stop = stop_nic,
	.reset = virtio_device_reset,
	.version = 2,
	.saved = sizeof(struct net_registers),
	.save = save_nic,
	.load = load_nic,
	.describe = virtio_device_describe,
	.sample = sample_nic,
};
