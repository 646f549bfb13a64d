/*
 * The life of a guest's machine: one thread, the guest's I/O thread, that
 * builds the virtual machine, serves its devices, and tears it down.
 *
 * Orders go to that thread as messages and are obeyed in order of arrival;
 * what becomes of them is seen in the status. A reset by the guest or by an
 * order tears the machine down and builds it again on the same thread; a guest
 * that resets itself over and over has to wait for it, as MACHINE_STARTING. One
 * whose power button was pressed is not built again by a reset of its own within
 * 30 seconds, nor while it waits.
 */
#ifndef CORE_MACHINE_MACHINE_H
#define CORE_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "control/methods.h"
#include "core/bus/device.h"
#include "core/machine/vcpu.h"
#include "core/profile/profile.h"

struct boot_image;
struct console;
struct machine;
struct network;
struct screen;

enum machine_phase {
	MACHINE_STARTING,
	MACHINE_RUNNING,
	MACHINE_PAUSED,
	MACHINE_STOPPING, /* vCPUs have ended, devices are being torn down */
	MACHINE_ENDED	  /* nothing is left but the thread, to be joined */
};

struct machine_status {
	enum machine_phase phase;
	unsigned restarts;
	bool again; /* of MACHINE_STOPPING: it was reset, and begins anew */
	/*
	 * Of MACHINE_ENDED: VM_POWERED_OFF, VM_CRASHED, VM_RUNS if it could not be started, or
	 * VM_RESET after machine_hand_over().
	 */
	enum vm_end end;
	char reason[CAUSE_SIZE];	   /* why it ended or began anew; or "" */
	unsigned changes;		   /* of what follows */
	char stall[CAUSE_SIZE];		   /* of MACHINE_PAUSED: why, or "" when ordered */
	const char *remark; /* of MACHINE_RUNNING: what is wrong with it, or ""; a constant */
};

struct machine_config {
	const struct kvm_host *kvm;
	const struct profile *profile; /* must outlive the machine, as must builtin */
	const struct boot_image *builtin; /* what a profile without a kernel runs; see load.h */
	struct network *network;       /* NULL if the profile has no NIC */
	const struct secrets *secrets; /* see secrets.h; or NULL; outlives the machine */
	struct console *consoles[CONSOLES]; /* by enum profile_console; NULL: nobody reads it */
	unsigned restarts; /* of the guest before; the status counts on from there */
	void (*changed)(void *arg);    /* the status changed; on the I/O thread, no lock held */
	void *arg;
	/* Sentences about the guest that begin with its name; on the I/O thread. NULL: nobody. */
	void (*notice)(void *arg, const char *text);
	void *notice_arg;
};

/* Starts the thread and returns at once; -EAGAIN, -EMFILE, -ENOMEM with a cause. */
int machine_start(struct machine **out, const struct machine_config *config, struct cause *cause);

/*
 * Gives an order to a guest, of a method that has one and is not guest.start. Any thread, until
 * machine_free(). Ignored where it makes no sense; -ENOSYS when there is no function for it.
 */
int machine_order(struct machine *machine, enum method_id order);

/*
 * Whether the next reset ends the machine, with VM_RESET, instead of building it again: because
 * the guest is to have another profile then. Any thread.
 */
void machine_hand_over(struct machine *machine, bool whether);

/* Any thread. */
void machine_get_status(struct machine *machine, struct machine_status *out);

/*
 * The registers of a crash as several lines of text, or NULL; the caller's to
 * free. Once, after MACHINE_ENDED.
 */
char *machine_take_registers(struct machine *machine);

/* Joins the thread, which takes as long as it lives: wait for MACHINE_ENDED first. */
void machine_free(struct machine *machine);

/* Counters since the machine was last built. */
struct machine_counters {
	unsigned cpus;
	uint64_t cpu_ns[PROFILE_CPUS_MAX]; /* CPU time of each vCPU thread */
	struct device_counters devices;
	uint64_t exits[VCPU_EXIT_REASONS];
};

/* Any thread. While no virtual machine stands: false, and the exits of the last one. */
bool machine_sample(struct machine *machine, struct machine_counters *out);

/*
 * Bytes of RAM that the host holds for the guest. Any thread. Of RAM beyond 2 GiB a part is
 * looked at in each call, in turn, so that a call takes a bounded time.
 */
uint64_t machine_memory(struct machine *machine);

/* What its screen shows; false when it has none or no virtual machine stands. Any thread. */
bool machine_screen(struct machine *machine, struct screen *out);

/* Types on its keyboard (see device.h); returns how many bytes found room. Any thread. */
size_t machine_keys(struct machine *machine, const uint8_t *text, size_t size);

/*
 * Any thread: see devices_resize(), devices_exchange() and devices_memory(). While no virtual
 * machine stands: -ESHUTDOWN with a cause; zeroes.
 */
int machine_resize(struct machine *machine, const char *device, struct device_size *size,
		   struct cause *cause);
int machine_exchange(struct machine *machine, const char *device, struct disk **medium, bool force,
		     struct cause *cause);

/*
 * What is in a drive since machine_exchange(), by the number of its disk: a path, or NULL; false:
 * it has not been called for it. For the thread that calls that, until it does again.
 */
bool machine_medium(const struct machine *machine, unsigned disk, const char **path);
void machine_memory_view(struct machine *machine, bool look, struct device_memory *out);

/* Any thread. Fills at most room rows; returns how many there are. */
size_t machine_devices(struct machine *machine, struct guest_device *out, size_t room);

#endif
