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
#include "core/kvm/features.h"
#include "core/machine/devices.h"
#include "core/machine/room.h"

#define ANON_IS_SHARED \
	"a device that another program serves needs memory that can be shared; remove backing=anon"

/* --- what devices tell the machine --- */

static struct vm *vm_of(void *host)
{
	return container_of(host, struct vm, devices.host);
}

static void print(void *host, unsigned console, const uint8_t *data, size_t size)
{
	struct console *to = vm_of(host)->config->consoles[console];

	if (to)
		console_output(to, data, size);
}

static void power_off(void *host)
{
	vcpus_end(&vm_of(host)->cpus, VM_POWERED_OFF, NULL, "powered off");
}

static void reset(void *host)
{
	vcpus_end(&vm_of(host)->cpus, VM_RESET, NULL, "reset by the guest");
}

static void full(void *host, const char *why)
{
	const struct vm_config *config = vm_of(host)->config;

	config->full(config->arg, why);
}

static void notice(void *host, const char *text)
{
	const struct vm_config *config = vm_of(host)->config;

	config->notice(config->arg, text);
}

/* What devices of other threads left for this one. */
static void run_remedy(void *arg)
{
	struct vm *vm = arg;
	const char *remark = atomic_exchange(&vm->remark, NULL);
	const char *stall = atomic_exchange(&vm->stall, NULL);

	if (remark)
		vm->config->remark(vm->config->arg, remark);
	if (stall)
		vm->config->full(vm->config->arg, stall);
}

static void remedy(void *host, enum profile_remedy remedy, const char *why)
{
	struct vm *vm = vm_of(host);

	switch (remedy) {
	case REMEDY_NONE:
		break;
	case REMEDY_REPORT:
		atomic_store(&vm->remark, why);
		loop_post(vm->config->loop, &vm->remedy);
		break;
	case REMEDY_PAUSE:
		atomic_store(&vm->stall, why);
		vcpus_hold(&vm->cpus);
		loop_post(vm->config->loop, &vm->remedy);
		break;
	case REMEDY_RESET:
		vcpus_end(&vm->cpus, VM_RESET, NULL, "%s", why);
		break;
	case REMEDY_STOP:
		vcpus_end(&vm->cpus, VM_CRASHED, NULL, "%s", why);
		break;
	}
}

/* --- parts --- */

/* Where the states of devices are that no exit needs. */
#define COLD_START offsetof(struct vm, cold)
#define COLD_SIZE (offsetof(struct vm, io) - COLD_START)

static int create_kvm(struct vm *vm, struct cause *cause)
{
	uint64_t identity = PLATFORM_IDENTITY_BASE;

	/* It starts a kernel thread, which any pending task work (io_uring's) interrupts. */
	do {
		vm->fd = ioctl(vm->config->kvm->fd, KVM_CREATE_VM, 0ul);
	} while (vm->fd < 0 && errno == EINTR);
	if (vm->fd < 0)
		return cause_errno(cause, errno, "KVM_CREATE_VM");
	/* Needed by some Intel processors, refused by nobody that matters. */
	(void)ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	(void)ioctl(vm->fd, KVM_SET_TSS_ADDR, (unsigned long)PLATFORM_TSS_BASE);
	return 0;
}

static void destroy_kvm(struct vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	vm->fd = -1;
}

static void check_memory(const struct profile_check *check)
{
	const struct profile *profile = check->profile;
	struct guest_memory memory;
	struct cause cause;

	if (room_check(profile, 0, 0, &cause) < 0)
		check->found(check->arg, "guest", "memory", false, cause.text);
	if (profile->backing == BACKING_ANON && devices_share_memory(device_table, profile))
		check->found(check->arg, "guest", "backing", false, ANON_IS_SHARED);
	if (profile->backing != BACKING_HUGETLB)
		return;
	/* Whether the host has so many is only known when they are had. */
	if (memory_create_backed(&memory, profile->memory, MEMORY_HUGETLB, &cause) < 0)
		check->found(check->arg, "guest", "backing", false, cause.text);
	else
		memory_destroy(&memory);
}

static enum memory_backing backing(const struct profile *profile)
{
	switch ((enum profile_backing)profile->backing) {
	case BACKING_HUGETLB:
		return MEMORY_HUGETLB;
	case BACKING_MEMFD:
		return MEMORY_MEMFD;
	case BACKING_ANON:
		return MEMORY_ANON;
	case BACKING_AUTO:
		break;
	}
	return devices_share_memory(device_table, profile) ? MEMORY_MEMFD : MEMORY_ANON;
}

static int create_memory(struct vm *vm, struct cause *cause)
{
	const struct profile *profile = vm->config->profile;
	int err;

	if (profile->backing == BACKING_ANON && devices_share_memory(device_table, profile))
		return cause_set(cause, EINVAL, "backing: " ANON_IS_SHARED);
	err = memory_create_backed(&vm->memory, profile->memory, backing(profile), cause);
	return err ? err : memory_attach(&vm->memory, vm->fd, cause);
}

static void destroy_memory(struct vm *vm)
{
	memory_destroy(&vm->memory);
}

static int create_firmware(struct vm *vm, struct cause *cause)
{
	return firmware_create(&vm->firmware, vm->config->profile, vm->fd, cause);
}

static void destroy_firmware(struct vm *vm)
{
	firmware_destroy(&vm->firmware);
}

static int create_irqchip(struct vm *vm, struct cause *cause)
{
	return irq_create(&vm->irq, vm->fd, cause);
}

static void destroy_irqchip(struct vm *vm)
{
	irq_destroy(&vm->irq);
}

static size_t type(void *arg, unsigned line, const uint8_t *data, size_t size)
{
	struct vm *vm = arg;

	return devices_input(&vm->devices, line, data, size);
}

static void set_window(void *arg, unsigned line, unsigned rows, unsigned columns)
{
	struct vm *vm = arg;

	devices_window(&vm->devices, line, rows, columns);
}

static int send_break(void *arg, unsigned line)
{
	struct vm *vm = arg;

	return devices_break(&vm->devices, line);
}

static const struct console_ops console_ops = {
	.input = type,
	.send_break = send_break,
	.window = set_window,
};

void vm_attach_consoles(struct vm *vm, bool attached)
{
	for (unsigned i = 0; i < CONSOLES; i++)
		if (vm->config->consoles[i])
			console_attach(vm->config->consoles[i], attached ? &console_ops : NULL,
				       vm, i);
}

/*
 * For each zone KVM waits until nobody reads its bus any more (kvm_io_bus_register_dev()),
 * which a start feels. Firmware writes to the zones often enough for it.
 */
static struct coalesced *coalesced_of(struct vm *vm)
{
	return profile_firmware(vm->config->profile) == FIRMWARE_NONE ? NULL : &vm->coalesced;
}

static int create_devices(struct vm *vm, struct cause *cause)
{
	int err;

	vm->coalesced.vm_fd = vm->config->kvm->ring ? vm->fd : -1;
	vm->remedy = (struct loop_task){ .run = run_remedy, .arg = vm };
	vm->devices = (struct device_set){
		.host = {
			.io = &vm->io,
			.mmio = &vm->mmio,
			.coalesced = coalesced_of(vm),
			.irq = &vm->irq,
			.memory = &vm->memory,
			.loop = vm->config->loop,
			.vm_fd = vm->fd,
			.profile = vm->config->profile,
			.network = vm->config->network,
			.watchdog_reset = vm->config->watchdog_reset,
			.clock_offset = vm->config->clock_offset,
			.firmware_size = vm->firmware.rom.size,
			.media = vm->config->media,
			.nics = vm->config->nics,
			.goes_on = vm->goes_on,
			.secrets = vm->config->secrets,
			.print = print,
			.power_off = power_off,
			.reset = reset,
			.remedy = remedy,
			.full = full,
			.notice = notice,
		},
		.hot = { vm->hot, sizeof(vm->hot) },
		.cold = { (uint8_t *)vm + COLD_START, COLD_SIZE },
	};
	err = devices_create(&vm->devices, device_table, cause);
	if (!err)
		vm_attach_consoles(vm, true);
	return err;
}

static void check_devices(const struct profile_check *check)
{
	devices_check(device_table, check);
}

static void destroy_devices(struct vm *vm)
{
	vm_attach_consoles(vm, false);
	loop_unpost(vm->config->loop, &vm->remedy);
	devices_destroy(&vm->devices);
	bus_destroy(&vm->io);
	bus_destroy(&vm->mmio);
}

/* Of a machine with firmware, what that is told of the machine. */
static int create_items(struct vm *vm, struct cause *cause)
{
	return vm->devices.host.fw_cfg ? firmware_describe(&vm->devices, cause) : 0;
}

/* What only KVM can tell is left out where it cannot be opened: then no guest can be started. */
static void check_vcpus(const struct profile_check *check)
{
	const struct profile *profile = check->profile;
	struct kvm_host *kvm = NULL;
	struct topology topology;
	struct cause cause;
	unsigned most;
	bool masked;

	if (topology_find(profile, &topology, &cause) < 0)
		check->found(check->arg, "guest", "cpus", false, cause.text);
	masked = profile->cpu_mask && *profile->cpu_mask;
	if (features_check(profile->cpu_mask, &cause) < 0) {
		check->found(check->arg, "guest", "cpu_mask", false, cause.text);
		masked = false;
	}
	if ((profile->cpus == 1 && !masked) || kvm_open(&kvm, &cause) < 0)
		return;
	most = kvm_vcpus_max(kvm);
	if (profile->cpus > most) {
		cause_set(&cause, 0, "this host's KVM gives a guest at most %u vCPUs", most);
		check->found(check->arg, "guest", "cpus", false, cause.text);
	}
	if (masked && features_hidden_from_guests(kvm) == 0)
		check->found(check->arg, "guest", "cpu_mask", true, "this host's KVM shows guests "
			     "the host's processor all the same, so nothing is hidden here");
	kvm_close(kvm);
}

static int begin_vcpus(struct vm *vm, struct cause *cause)
{
	struct vcpu_config config = {
		.kvm = vm->config->kvm,
		.hidden = vm->config->profile->cpu_mask,
		.io = &vm->io,
		.mmio = &vm->mmio,
		.name = vm->config->profile->name,
		.ended = vm->config->ended,
		.arg = vm->config->arg,
	};
	int err = topology_find(vm->config->profile, &config.topology, cause);

	if (!err)
		err = features_check(config.hidden, cause);
	return err ? err : vcpus_begin(&vm->cpus, &config, vm->vcpus, cause);
}

static void finish_vcpus(struct vm *vm)
{
	if (vm->cpus.vcpus)
		vcpus_finish(&vm->cpus);
}

static int create_vcpus(struct vm *vm, struct cause *cause)
{
	uint32_t ring = vm->config->kvm->ring;
	int err = vcpus_create(&vm->cpus, vm->fd, cause);

	if (!err && ring)
		vm->coalesced.ring = (void *)((uint8_t *)vm->vcpus[0].run + ring);
	return err;
}

static void destroy_vcpus(struct vm *vm)
{
	vm->coalesced.ring = NULL;
	vcpus_destroy(&vm->cpus);
}

/*
 * The order matters to KVM: memory slots set after the irqchip exists take
 * milliseconds, before it a fraction of one. destroy() is called for every row
 * whose create() was, also if that failed; NULL: nothing to do.
 */
static const struct {
	const char *name;
	void (*check)(const struct profile_check *check);
	int (*create)(struct vm *vm, struct cause *cause);
	void (*destroy)(struct vm *vm);
} parts[] = {
	{ "vCPU threads", check_vcpus, begin_vcpus, finish_vcpus },
	{ "KVM", NULL, create_kvm, destroy_kvm },
	{ "memory", check_memory, create_memory, destroy_memory },
	{ "firmware", firmware_check, create_firmware, destroy_firmware },
	{ "irqchip", NULL, create_irqchip, destroy_irqchip },
	{ "devices", check_devices, create_devices, destroy_devices },
	{ "firmware's items", NULL, create_items, NULL },
	{ "vCPUs", NULL, create_vcpus, destroy_vcpus },
};

_Static_assert(offsetof(struct vm, io) == EXIT_PAGE && COLD_SIZE > EXIT_PAGE / 2,
	       "what no exit needs is one page");
_Static_assert(offsetof(struct vm, vcpus) + 2 * sizeof(struct vcpu) - offsetof(struct vm, io) <=
		       EXIT_PAGE, "what an exit of two vCPUs needs is one page");

int vm_build(struct vm **out, const struct vm_config *config, bool goes_on, struct cause *cause)
{
	size_t size = offsetof(struct vm, vcpus) + config->profile->cpus * sizeof(struct vcpu);
	struct vm *vm;
	int err = 0;

	if (posix_memalign((void **)&vm, EXIT_PAGE, size))
		return cause_errno(cause, ENOMEM, "%s", config->profile->name);
	memset(vm, 0, size);
	vm->config = config;
	vm->fd = -1;
	vm->goes_on = goes_on;
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

/*
 * The boot processor begins at the kernel's entry; the others wait for INIT and SIPI. Not
 * inlined: its registers would lie below boot_load() on a stack that stays resident.
 */
__attribute__((noinline)) static int set_entry(struct vm *vm, const struct boot_entry *entry,
					       struct cause *cause)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int fd = vm->vcpus[0].fd;

	if (ioctl(fd, KVM_GET_SREGS, &sregs) < 0)
		return cause_errno(cause, errno, "vCPU 0: KVM_GET_SREGS");
	boot_vcpu_state(entry, &sregs, &regs);
	if (ioctl(fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(fd, KVM_SET_REGS, &regs) < 0)
		return cause_errno(cause, errno, "vCPU 0: KVM refuses its first state");
	return 0;
}

static int load(struct vm *vm, uint64_t rsdp, struct boot_entry *entry, struct cause *cause)
{
	const struct profile *profile = vm->config->profile;
	struct boot_source source = {
		.kernel = profile->kernel,
		.image = vm->config->builtin,
		.initrd = profile->initrd,
		.cmdline = profile->cmdline,
	};
	char *named = NULL;
	int err;

	/* The built-in guest is called as its profile is, unless its options say otherwise. */
	if (!source.kernel && asprintf(&named, "%s name=%s", source.cmdline ? source.cmdline : "",
				       profile->name) < 0)
		return cause_errno(cause, ENOMEM, "cmdline");
	if (named)
		source.cmdline = named;
	err = boot_load(&source, &vm->memory, rsdp, entry, cause);
	free(named);
	return err;
}

static int boot(struct vm *vm, struct cause *cause)
{
	struct boot_entry entry;
	uint64_t rsdp;
	int err;

	/* A vCPU begins at the reset vector by itself. */
	switch (profile_firmware(vm->config->profile)) {
	case FIRMWARE_BIOS:
		return firmware_shadow(&vm->firmware, &vm->memory, cause);
	case FIRMWARE_UEFI:
		return 0;
	case FIRMWARE_NONE:
	case FIRMWARE_AUTO:
		break;
	}
	err = acpi_build(&vm->memory, &vm->cpus.config.topology, &rsdp);
	if (err)
		return cause_errno(cause, -err, "ACPI tables");
	err = load(vm, rsdp, &entry, cause);
	return err ? err : set_entry(vm, &entry, cause);
}

void vm_check(const struct profile_check *check, const struct boot_image *builtin)
{
	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i].check)
			parts[i].check(check);
	if (profile_firmware(check->profile) == FIRMWARE_NONE)
		boot_check(check, builtin);
}

int vm_create(struct vm **out, const struct vm_config *config, struct cause *cause)
{
	int err = vm_build(out, config, false, cause);

	if (err)
		return err;
	err = boot(*out, cause);
	if (err)
		vm_destroy(*out);
	return err;
}

void vm_destroy(struct vm *vm)
{
	while (vm->built)
		if (parts[--vm->built].destroy)
			parts[vm->built].destroy(vm);
	free(vm);
}

void vm_start(struct vm *vm, bool paused)
{
	devices_start(&vm->devices);
	if (paused)
		vm_pause(vm);
	else
		vcpus_order(&vm->cpus, VCPU_RUN);
}

void vm_pause(struct vm *vm)
{
	vcpus_order(&vm->cpus, VCPU_PAUSE);
	devices_stop(&vm->devices);
}

bool vm_drained(struct vm *vm)
{
	return devices_stop(&vm->devices);
}

void vm_resume(struct vm *vm)
{
	devices_start(&vm->devices);
	vcpus_resume(&vm->cpus);
}

void vm_power_button(struct vm *vm)
{
	devices_power_button(&vm->devices);
}

void vm_stop(struct vm *vm)
{
	vcpus_order(&vm->cpus, VCPU_STOP);
}

bool vm_quiesced(struct vm *vm)
{
	return devices_reset(&vm->devices);
}
