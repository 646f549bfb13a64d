/*
 * The parts of a virtual machine: one table, built from its first row to its
 * last and torn down in reverse. The guest's I/O thread.
 */
#include "core/machine/vm.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/checked.h"
#include "core/boot/acpi.h"
#include "core/bus/platform.h"
#include "net/network.h"

/* Below 4 GiB and clear of everything else, for processors that cannot do without. */
#define TSS_ADDRESS 0xfffbd000ul

#define VENDOR_INTEL 0x8086
#define DEVICE_Q35_MCH 0x29c0
#define DEVICE_ICH9_LPC 0x2918
#define CLASS_HOST_BRIDGE 0x060000
#define CLASS_ISA_BRIDGE 0x060100
#define LPC_DEVICE 0x1f
#define HEADER_MULTIFUNCTION 0x80

/* Disks, then NICs, take the PCI devices from here on. */
#define FIRST_SLOT 1

/* --- wires between chips --- */

static void set_com1_line(void *arg, bool level)
{
	struct vm *vm = arg;

	irq_set_line(&vm->irq, PLATFORM_COM1_GSI, level);
}

static void set_sci_line(void *arg, bool level)
{
	struct vm *vm = arg;

	irq_set_line(&vm->irq, PLATFORM_SCI_GSI, level);
}

static void console_print(void *arg, const uint8_t *data, size_t size)
{
	struct vm *vm = arg;

	console_output(vm->config->console, data, size);
}

static size_t console_type(void *arg, const uint8_t *data, size_t size)
{
	struct vm *vm = arg;

	return uart_input(&vm->uart, data, size);
}

static void power_off(void *arg)
{
	struct vm *vm = arg;

	vcpus_end(&vm->cpus, VM_POWERED_OFF, NULL, "powered off");
}

static void reset_machine(void *arg)
{
	struct vm *vm = arg;

	vcpus_end(&vm->cpus, VM_RESET, NULL, "reset by the guest");
}

/* --- parts --- */

static int create_kvm(struct vm *vm, struct cause *cause)
{
	/* It starts a kernel thread, which any pending task work (io_uring's) interrupts. */
	do {
		vm->fd = ioctl(vm->config->kvm->fd, KVM_CREATE_VM, 0ul);
	} while (vm->fd < 0 && errno == EINTR);
	if (vm->fd < 0)
		return cause_errno(cause, errno, "KVM_CREATE_VM");
	/* Needed by some Intel processors, refused by nobody that matters. */
	(void)ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS);
	return 0;
}

static void destroy_kvm(struct vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	vm->fd = -1;
}

static int create_memory(struct vm *vm, struct cause *cause)
{
	int err = memory_create(&vm->memory, vm->config->profile->memory, cause);

	return err ? err : memory_attach(&vm->memory, vm->fd, cause);
}

static void destroy_memory(struct vm *vm)
{
	memory_destroy(&vm->memory);
}

static int create_irqchip(struct vm *vm, struct cause *cause)
{
	return irq_create(&vm->irq, vm->fd, cause);
}

static void destroy_irqchip(struct vm *vm)
{
	irq_destroy(&vm->irq);
}

static int create_uart(struct vm *vm, struct cause *cause)
{
	const struct uart_wires wires = { console_print, set_com1_line, vm };
	int err = uart_init(&vm->uart, &vm->io, PLATFORM_COM1_PORT, &wires, cause);

	if (!err)
		console_attach(vm->config->console, console_type, vm);
	return err;
}

static void destroy_uart(struct vm *vm)
{
	console_attach(vm->config->console, NULL, NULL);
}

static int create_rtc(struct vm *vm, struct cause *cause)
{
	return rtc_init(&vm->rtc, &vm->io, PLATFORM_CMOS_PORT, cause);
}

static int create_keyboard(struct vm *vm, struct cause *cause)
{
	const struct i8042_wires wires = { .reset = reset_machine, .arg = vm };

	return i8042_init(&vm->keyboard, &vm->io, PLATFORM_I8042_PORT, &wires, cause);
}

static int create_pm(struct vm *vm, struct cause *cause)
{
	const struct pm_wires wires = { set_sci_line, power_off, vm };

	return pm_init(&vm->pm, &vm->io, PLATFORM_PM_PORT, &wires, cause);
}

static const struct pci_function_ops bridge_ops = { .name = "bridge" };

static int create_pci(struct vm *vm, struct cause *cause)
{
	int err = reset_control_init(&vm->reset, &vm->io, reset_machine, vm, cause);

	if (!err)
		err = pci_create(&vm->pci, &vm->io, &vm->mmio, &vm->irq, cause);
	if (err)
		return err;
	pci_function_init(&vm->host_bridge, &bridge_ops, VENDOR_INTEL, DEVICE_Q35_MCH,
			  CLASS_HOST_BRIDGE);
	pci_function_init(&vm->lpc_bridge, &bridge_ops, VENDOR_INTEL, DEVICE_ICH9_LPC,
			  CLASS_ISA_BRIDGE);
	vm->lpc_bridge.config[PCI_HEADER_TYPE] = HEADER_MULTIFUNCTION;
	err = pci_add(&vm->pci, &vm->host_bridge, 0, 0, cause);
	return err ? err : pci_add(&vm->pci, &vm->lpc_bridge, LPC_DEVICE, 0, cause);
}

static void destroy_pci(struct vm *vm)
{
	pci_destroy(&vm->pci);
}

static int create_disk(struct vm *vm, unsigned number, struct cause *cause)
{
	const struct profile_disk *profile = &vm->config->profile->disks[number];
	struct vm_disk *disk = &vm->disks[vm->disk_count];
	struct disk_config config = { .path = profile->path, .readonly = profile->readonly };
	char serial[VIRTIO_BLK_SERIAL + 4];
	int err;

	snprintf(config.name, sizeof(config.name), "disk%u", number);
	snprintf(serial, sizeof(serial), "vmdeck-%s", config.name);
	disk->number = number;
	vm->disk_count++;
	err = disk_open(&disk->disk, vm->ring, &config, cause);
	if (!err)
		err = virtio_blk_init(&disk->device, disk->disk, serial, cause);
	if (!err)
		err = virtio_pci_create(&disk->transport, &disk->device.device, &vm->pci,
					FIRST_SLOT + number, &vm->memory, vm->config->loop, vm->fd,
					cause);
	return err;
}

static void disk_full(void *arg, const struct disk *disk, int error)
{
	struct vm *vm = arg;
	struct cause why;

	for (unsigned i = 0; i < vm->disk_count; i++) {
		unsigned number = vm->disks[i].number;

		if (vm->disks[i].disk != disk)
			continue;
		cause_set(&why, -error, "disk%u: %.400s: %s; free some, then resume", number,
			  vm->config->profile->disks[number].path,
			  error == -EDQUOT ? "no quota left" : "no space left on device");
		vm->config->full(vm->config->arg, why.text);
	}
}

static unsigned count_disks(const struct profile *profile)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PROFILE_DISKS_MAX; i++)
		count += profile->disks[i].present;
	return count;
}

static int create_disks(struct vm *vm, struct cause *cause)
{
	const struct profile *profile = vm->config->profile;
	int err;

	err = disk_ring_create(&vm->ring, vm->config->loop, cause);
	if (!err)
		disk_on_full(vm->ring, disk_full, vm);
	for (unsigned i = 0; !err && i < PROFILE_DISKS_MAX; i++) {
		if (!profile->disks[i].present)
			continue;
		if (!vm->disks)
			vm->disks = calloc(count_disks(profile), sizeof(*vm->disks));
		err = vm->disks ? create_disk(vm, i, cause) : -ENOMEM;
	}
	return err;
}

static void destroy_disks(struct vm *vm)
{
	for (unsigned i = 0; i < vm->disk_count; i++) {
		virtio_pci_destroy(&vm->disks[i].transport);
		virtio_blk_destroy(&vm->disks[i].device);
		disk_close(vm->disks[i].disk);
	}
	disk_ring_destroy(vm->ring);
	free(vm->disks);
	vm->disks = NULL;
	vm->ring = NULL;
	vm->disk_count = 0;
}

static int create_nic(struct vm *vm, unsigned number, struct cause *cause)
{
	const struct profile *profile = vm->config->profile;
	const struct profile_net *net = &profile->nets[number];
	struct vm_nic *nic = &vm->nics[vm->nic_count];
	char name[NET_PORT_NAME_MAX];
	struct net_switch *sw;
	int err;

	sw = vm->config->network ? network_find_switch(vm->config->network, net->switch_name) : NULL;
	if (!sw)
		return cause_set(cause, ENOENT, "net%u: there is no switch named %s; describe it in "
				 "switches/%s.ini", number, net->switch_name, net->switch_name);
	nic->number = number;
	vm->nic_count++;
	virtio_net_init(&nic->device, net->mac);
	err = virtio_pci_create(&nic->transport, &nic->device.device, &vm->pci,
				FIRST_SLOT + PROFILE_DISKS_MAX + number, &vm->memory,
				vm->config->loop, vm->fd, cause);
	if (err)
		return err;
	snprintf(name, sizeof(name), "%s/net%u", profile->name, number);
	return virtio_net_connect(&nic->device, sw, name, cause);
}

static unsigned count_nics(const struct profile *profile)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++)
		count += profile->nets[i].present;
	return count;
}

static int create_nics(struct vm *vm, struct cause *cause)
{
	const struct profile *profile = vm->config->profile;
	int err = 0;

	for (unsigned i = 0; !err && i < PROFILE_NETS_MAX; i++) {
		if (!profile->nets[i].present)
			continue;
		if (!vm->nics)
			vm->nics = calloc(count_nics(profile), sizeof(*vm->nics));
		err = vm->nics ? create_nic(vm, i, cause) : -ENOMEM;
	}
	return err;
}

static void destroy_nics(struct vm *vm)
{
	for (unsigned i = 0; i < vm->nic_count; i++) {
		/* No frame comes in once it has left the switch; then nobody raises its vectors. */
		virtio_net_disconnect(&vm->nics[i].device);
		virtio_pci_destroy(&vm->nics[i].transport);
		virtio_net_destroy(&vm->nics[i].device);
	}
	free(vm->nics);
	vm->nics = NULL;
	vm->nic_count = 0;
}

static int load_kernel(struct vm *vm, struct cause *cause)
{
	const struct profile *profile = vm->config->profile;
	const struct boot_source source = {
		.kernel = profile->kernel,
		.image = vm->config->builtin,
		.initrd = profile->initrd,
		.cmdline = profile->cmdline,
	};
	int err;

	err = acpi_build(&vm->memory, profile->cpus, &vm->rsdp);
	if (err)
		return cause_errno(cause, -err, "ACPI tables");
	return boot_load(&source, &vm->memory, vm->rsdp, &vm->entry, cause);
}

/* The boot processor begins at the kernel's entry; the others wait for INIT and SIPI. */
static int set_entry(struct vm *vm, struct cause *cause)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int fd = vm->vcpus[0].fd;

	if (ioctl(fd, KVM_GET_SREGS, &sregs) < 0)
		return cause_errno(cause, errno, "vCPU 0: KVM_GET_SREGS");
	boot_vcpu_state(&vm->entry, &sregs, &regs);
	if (ioctl(fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(fd, KVM_SET_REGS, &regs) < 0)
		return cause_errno(cause, errno, "vCPU 0: KVM refuses its first state");
	return 0;
}

static int create_vcpus(struct vm *vm, struct cause *cause)
{
	const struct vcpu_config config = {
		.kvm = vm->config->kvm,
		.vm_fd = vm->fd,
		.io = &vm->io,
		.mmio = &vm->mmio,
		.name = vm->config->profile->name,
		.ended = vm->config->ended,
		.arg = vm->config->arg,
	};
	int err = vcpus_create(&vm->cpus, &config, vm->vcpus, vm->config->profile->cpus, cause);

	return err ? err : set_entry(vm, cause);
}

static void destroy_vcpus(struct vm *vm)
{
	vcpus_destroy(&vm->cpus);
}

/*
 * The order matters to KVM: memory slots set after the irqchip exists take
 * milliseconds, before it a fraction of one. destroy() is called for every row
 * whose create() was, also if that failed; NULL: nothing to do.
 */
static const struct {
	const char *name;
	int (*create)(struct vm *vm, struct cause *cause);
	void (*destroy)(struct vm *vm);
} parts[] = {
	{ "KVM", create_kvm, destroy_kvm },
	{ "memory", create_memory, destroy_memory },
	{ "irqchip", create_irqchip, destroy_irqchip },
	{ "COM1", create_uart, destroy_uart },
	{ "RTC", create_rtc, NULL },
	{ "keyboard controller", create_keyboard, NULL },
	{ "power management", create_pm, NULL },
	{ "PCI", create_pci, destroy_pci },
	{ "disks", create_disks, destroy_disks },
	{ "NICs", create_nics, destroy_nics },
	{ "kernel", load_kernel, NULL },
	{ "vCPUs", create_vcpus, destroy_vcpus },
};

_Static_assert(offsetof(struct vm, vcpus) + 2 * sizeof(struct vcpu) - offsetof(struct vm, io) <=
		       EXIT_PAGE, "what an exit of two vCPUs needs is one page");

int vm_create(struct vm **out, const struct vm_config *config, struct cause *cause)
{
	size_t size = offsetof(struct vm, vcpus) + config->profile->cpus * sizeof(struct vcpu);
	struct vm *vm;
	int err = 0;

	if (posix_memalign((void **)&vm, EXIT_PAGE, size))
		return cause_errno(cause, ENOMEM, "%s", config->profile->name);
	memset(vm, 0, size);
	vm->config = config;
	vm->fd = -1;
	while (!err && vm->built < ARRAY_SIZE(parts))
		err = parts[vm->built++].create(vm, cause);
	if (err == -ENOMEM && cause && !*cause->text)
		cause_errno(cause, ENOMEM, "%s", parts[vm->built - 1].name);
	if (err) {
		vm_destroy(vm);
		return err;
	}
	*out = vm;
	return 0;
}

void vm_destroy(struct vm *vm)
{
	while (vm->built)
		if (parts[--vm->built].destroy)
			parts[vm->built].destroy(vm);
	free(vm);
}

int vm_start(struct vm *vm, struct cause *cause)
{
	return vcpus_start(&vm->cpus, cause);
}

static void pause_nics(struct vm *vm, bool paused)
{
	for (unsigned i = 0; i < vm->nic_count; i++)
		virtio_net_pause(&vm->nics[i].device, paused);
}

void vm_pause(struct vm *vm)
{
	vcpus_order(&vm->cpus, VCPU_PAUSE);
	pause_nics(vm, true);
}

void vm_resume(struct vm *vm)
{
	disk_retry(vm->ring);
	pause_nics(vm, false);
	vcpus_resume(&vm->cpus);
}

void vm_stop(struct vm *vm)
{
	vcpus_order(&vm->cpus, VCPU_STOP);
}

bool vm_quiesced(struct vm *vm)
{
	bool quiet = true;

	for (unsigned i = 0; i < vm->disk_count; i++)
		quiet &= virtio_pci_quiesce(&vm->disks[i].transport);
	/* After the reset of their devices has begun: nobody is told any more. */
	disk_give_up(vm->ring);
	return quiet;
}
