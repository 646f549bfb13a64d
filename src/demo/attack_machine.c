/*
 * Attacks by exits: accesses that cost the monitor something each. What moves a device
 * puts it back before the driver has a turn. CPU 0, tasks.
 */
#include "attack.h"
#include "console.h"
#include "disk.h"
#include "machine.h"
#include "nic.h"
#include "pci.h"
#include "task.h"
#include "virtio.h"

#define BATCH 64
#define NOWHERE 0xd0000000ul /* below 4 GiB, mapped, and neither RAM nor a BAR */
#define MSIX_MASKED 0x40000000u
#define BAR_FIRST 0x10
#define BARS 6

static struct virtio *device;

bool attack_device_begin(struct attack *attack)
{
	(void)attack;
	device = disk_size() != 0 ? disk_device() : nic_device();
	if (device->common == 0)
		print("attack: there is no virtio device\n");
	return device->common != 0;
}

unsigned attack_ports(struct attack *attack)
{
	static const uint16_t ports[] = { 0x3ff, 0x3fd, 0x608, 0x64, 0x71, 0xcfc, 0x61, 0x40 };

	for (unsigned i = 0; i < BATCH; i++)
		in8(ports[attack->step % ARRAY_SIZE(ports)]);
	return BATCH;
}

unsigned attack_mmio(struct attack *attack)
{
	(void)attack;
	for (unsigned i = 0; i < BATCH; i++)
		mmio_read8(device->common + VIRTIO_STATUS);
	return BATCH;
}

unsigned attack_nowhere(struct attack *attack)
{
	for (unsigned i = 0; i < BATCH; i += 4) {
		uint32_t at = random_next(&attack->chance);

		mmio_read32(NOWHERE + (at & 0xfffffc));
		mmio_write32(NOWHERE + (at & 0xfffffc), at);
		in32(0x1000 + (at & 0xfff));
		out32(0x1000 + (at & 0xfff), at);
	}
	return BATCH;
}

unsigned attack_halts(struct attack *attack)
{
	(void)attack;
	task_sleep(10000);
	return 1;
}

unsigned attack_kicks(struct attack *attack)
{
	(void)attack;
	for (unsigned i = 0; i < BATCH; i++) {
		uintptr_t doorbell = device->notify + i % 2 * device->notify_multiplier;

		if (doorbell + 2 <= device->notify + device->notify_size)
			mmio_write16(doorbell, i % 2);
	}
	return BATCH;
}

/* Each move makes the monitor map its doorbells anew. */
unsigned attack_bars(struct attack *attack)
{
	uint32_t command = pci_read(device->devfn, PCI_COMMAND), saved[BARS];

	(void)attack;
	for (unsigned i = 0; i < BARS; i++)
		saved[i] = pci_read(device->devfn, BAR_FIRST + 4 * i);
	for (unsigned i = 0; i < BATCH; i += 4) {
		unsigned n = i / 4 % BARS;

		pci_write(device->devfn, BAR_FIRST + 4 * n, saved[n] ^ 1u << 24);
		pci_write(device->devfn, PCI_COMMAND, command & ~(uint32_t)PCI_COMMAND_MEMORY);
		pci_write(device->devfn, PCI_COMMAND, command);
		pci_write(device->devfn, BAR_FIRST + 4 * n, saved[n]);
	}
	return BATCH;
}

/* Of each vector, and of all at once. */
unsigned attack_masks(struct attack *attack)
{
	unsigned at = pci_capability(device->devfn, 0, 0x11);
	uint32_t control = at != 0 ? pci_read(device->devfn, at) : 0;

	(void)attack;
	for (unsigned i = 0; at != 0 && i < BATCH; i += 4) {
		uintptr_t entry = device->msix + i / 4 % device->msix_entries * 16;

		mmio_write32(entry + 12, 1);
		pci_write(device->devfn, at, control | MSIX_MASKED);
		mmio_write32(entry + 12, 0);
		pci_write(device->devfn, at, control);
	}
	return at != 0 ? BATCH : 0;
}

/* The first one takes the device away from its driver. */
unsigned attack_resets(struct attack *attack)
{
	if (attack->step == 0) {
		if (device == nic_device())
			nic_give_up();
		else
			disk_give_up();
	}
	for (unsigned i = 0; i < BATCH; i++) {
		mmio_write8(device->common + VIRTIO_STATUS, 3);
		virtio_reset(device);
	}
	return BATCH;
}
