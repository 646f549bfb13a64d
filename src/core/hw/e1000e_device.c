/* The 82574 and its port of a switch. The guest's I/O thread. */
#include "core/hw/e1000e_device.h"

#include "core/bus/nic.h"
#include "core/hw/e1000e.h"
#include "core/profile/profile.h"

static bool nic_wanted(const struct profile *profile, unsigned number)
{
	return profile->nets[number] && profile->nets[number]->model == NET_MODEL_E1000E;
}

static int create_nic(struct device *device, struct cause *cause)
{
	const struct device_host *host = device->host;
	struct e1000e *nic = device->state;
	int err = e1000e_create(nic, host->pci, device->slot, host->memory, host->loop,
				host->profile->nets[device->number]->mac, cause);

	return err ? err : nic_connect(device, &nic->port, &e1000e_port_ops, nic, cause);
}

static void destroy_nic(struct device *device)
{
	struct e1000e *nic = device->state;

	/* No frame comes in once it has left the switch. */
	if (nic->port)
		switch_port_remove(nic->port);
	nic->port = NULL;
	e1000e_destroy(nic);
}

static void start_nic(struct device *device)
{
	e1000e_pause(device->state, false);
}

static bool stop_nic(struct device *device)
{
	e1000e_pause(device->state, true);
	return true;
}

static void save_nic(struct device *device, void *to)
{
	e1000e_save(device->state, to);
}

static const char *load_nic(struct device *device, const void *from)
{
	return e1000e_load(device->state, from);
}

static void describe_nic(struct device *device, char *text, size_t size)
{
	e1000e_describe(device->state, text, size);
}

static void sample_nic(const struct device *device, struct device_counters *sum)
{
	const struct e1000e *nic = device->state;

	nic_sample(nic->port, sum);
}

const struct device_type e1000e_device = {
	.name = NIC_NAME,
	.size = sizeof(struct e1000e),
	.pci = true,
	.max = PROFILE_NETS_MAX,
	.wanted = nic_wanted,
	.create = create_nic,
	.destroy = destroy_nic,
	.start = start_nic,
	.stop = stop_nic,
	.reset = stop_nic,
	.version = 2,
	.saved = sizeof(struct e1000e_saved),
	.save = save_nic,
	.load = load_nic,
	.describe = describe_nic,
	.sample = sample_nic,
};
