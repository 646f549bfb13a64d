/*
 * A virtual machine: all its parts, built from a profile and torn down in
 * reverse. It lives on its guest's I/O thread; vCPU threads run inside it.
 *
 * The parts are one table (vm.c) in the order in which they are built; one of
 * them is the devices, a table of their own (devices.h). A reset tears the
 * machine down and builds it again, so there is one way to a fresh machine and
 * no device can forget part of its state.
 */
#ifndef CORE_MACHINE_VM_H
#define CORE_MACHINE_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"
#include "core/boot/boot.h"
#include "core/boot/firmware.h"
#include "core/bus/bus.h"
#include "core/bus/device.h"
#include "core/kvm/coalesced.h"
#include "core/kvm/irq.h"
#include "core/kvm/kvm.h"
#include "core/kvm/memory.h"
#include "core/machine/console.h"
#include "core/machine/vcpu.h"
#include "core/profile/profile.h"

/* What a machine is made from; valid while it lives. */
struct vm_config {
	const struct kvm_host *kvm;
	const struct profile *profile;
	const struct boot_image *builtin; /* what a profile without a kernel runs */
	struct network *network;
	struct disks_media *media;
	struct nics_kept *nics;
	const struct secrets *secrets; /* or NULL */
	struct console *consoles[CONSOLES]; /* what a guest prints on NULL is lost */
	struct loop *loop; /* the guest's I/O loop */
	bool *watchdog_reset; /* as in struct device_host; the next as well */
	int64_t *clock_offset;
	/* The first that ends the guest calls it, once; any thread. */
	void (*ended)(void *arg);
	/* I/O thread: the guest has to wait; why, as a sentence. */
	void (*full)(void *arg, const char *why);
	/* I/O thread: something is wrong with the guest, which goes on; a sentence that stays. */
	void (*remark)(void *arg, const char *what);
	void (*notice)(void *arg, const char *text); /* see struct device_host */
	void *arg;
};

#define VM_HOT_SIZE 640 /* bytes for states of devices, see device.h; COM1 needs the most of it */

struct vm {
	const struct vm_config *config;
	unsigned built; /* parts that stand */
	bool goes_on;	/* it is to be loaded */
	int fd;
	struct guest_memory memory;
	struct firmware firmware;
	struct irq_router irq;
	struct coalesced coalesced;
	struct device_set devices;
	struct vcpu_set cpus;
	struct loop_task remedy;
	_Atomic(const char *) remark, stall; /* sentences for the I/O thread, or NULL */
	/* From here to the end of the page: states of devices. All but disks and NICs find room. */
	_Alignas(8) uint8_t cold[8];

	/* What each exit needs; with two vCPUs or less it is one page. */
	_Alignas(EXIT_PAGE) struct bus io;
	struct bus mmio;
	_Alignas(8) uint8_t hot[VM_HOT_SIZE];
	struct vcpu vcpus[]; /* of cpus, as many as the profile says */
};

/*
 * Tells of what would keep vm_create() from building a machine of the profile, in the order in
 * which it would. Any thread.
 */
void vm_check(const struct profile_check *check, const struct boot_image *builtin);

/*
 * Builds the machine with its kernel in RAM; its vCPUs do not run yet. On failure
 * what was built is gone again, and the cause names the profile's key or the device.
 */
int vm_create(struct vm **out, const struct vm_config *config, struct cause *cause);

/*
 * The same without a kernel: RAM is empty and the vCPUs are as KVM begins them. goes_on: it is to
 * be loaded.
 */
int vm_build(struct vm **out, const struct vm_config *config, bool goes_on, struct cause *cause);

/* Whether people type into it: from its making on, until it is to be taken apart. */
void vm_attach_consoles(struct vm *vm, bool attached);

/* Starts the vCPUs, or, paused, has them wait for vm_resume(). */
void vm_start(struct vm *vm, bool paused);

void vm_pause(struct vm *vm);

/*
 * Of a paused machine: whether nothing is in flight that will still touch the guest.
 * Call it from the loop until it is true; what a full disk holds is in flight.
 */
bool vm_drained(struct vm *vm);
void vm_resume(struct vm *vm); /* also submits again what disks hold */

void vm_power_button(struct vm *vm);

/*
 * Ends the vCPUs; then end, reason and registers of cpus can be read. Devices may
 * still have requests in flight: call vm_quiesced() from the loop until it is true.
 * It gives up what disks hold.
 */
void vm_stop(struct vm *vm);
bool vm_quiesced(struct vm *vm);

void vm_destroy(struct vm *vm); /* stopped and quiesced, or never started */

#endif
