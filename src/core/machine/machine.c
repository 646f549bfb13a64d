/*
 * The guest's I/O thread. Functions of machine.h run on any thread and reach
 * the virtual machine under vm_lock; the rest is the I/O thread's.
 */
#include "core/machine/machine.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "core/bus/disks.h"
#include "core/bus/nic.h"
#include "core/machine/vm.h"
#include "sandbox/confine.h"

/* RAM is looked through so much a sample, which costs less than a millisecond. */
#define MEMORY_SLICE (2ull << 30)

#define QUIESCE_POLL (2 * NS_PER_MS)

/* A guest may reset itself so often at once; one that goes on is built anew once each pace. */
#define RESTART_BURST 5
#define RESTART_PACE NS_PER_S

/* One that resets itself so soon after its power button was pressed was to end. */
#define PRESSED_FOR (30 * NS_PER_S)

static const struct thread_role io_role = {
	.name = "io", .pooled = true, .confine = confine_by_birth, .kind = FILTER_DECK,
};

#define ORDERS 5 /* that a machine takes */

struct machine {
	struct machine_config config;
	struct thread thread;
	struct loop loop;
	struct vm_config vm_config;
	bool watchdog_reset; /* as in struct device_host; the next as well */
	int64_t clock_offset;
	struct disks_media media; /* guarded by vm_lock */
	struct nics_kept nics;
	struct vm *vm; /* written by the I/O thread under vm_lock */
	struct memory_survey survey; /* of its RAM, guarded by vm_lock */
	pthread_mutex_t vm_lock;
	struct loop_task orders[ORDERS];
	struct loop_task ended; /* from who ended the guest */
	struct loop_timer quiesce, restart;
	uint64_t restarts_due;	/* CLOCK_MONOTONIC: when all restarts so far are due at that pace */
	bool off, reset;	/* ordered */
	bool hold;		/* so is a pause, which the next one that runs begins with */
	uint64_t pressed; /* CLOCK_MONOTONIC: its power button, after any order to reset; or 0 */
	atomic_bool hand_over;	/* see machine_hand_over() */
	char *registers;	/* of a crash; the I/O thread's until MACHINE_ENDED */
	uint64_t exits[VCPU_EXIT_REASONS]; /* of the last one, guarded by vm_lock */
	pthread_mutex_t status_lock;
	/* struct machine_status, with what most machines never say apart from them. */
	struct {
		enum machine_phase phase;
		unsigned restarts, changes;
		enum vm_end end;
		bool again;
		const char *remark;
		char *reason, *stall; /* NULL: "" */
	} status;
};

/* Without memory for it, a text is not told. */
static void set_text(char **text, const char *said)
{
	free(*text);
	*text = *said ? strdup(said) : NULL;
}

/* reason may be NULL: as it was. */
static void set_phase(struct machine *machine, enum machine_phase phase, const char *reason)
{
	pthread_mutex_lock(&machine->status_lock);
	machine->status.phase = phase;
	if (reason)
		set_text(&machine->status.reason, reason);
	pthread_mutex_unlock(&machine->status_lock);
	machine->config.changed(machine->config.arg);
}

/* why: "" when it was ordered. */
static void set_paused(struct machine *machine, const char *why)
{
	pthread_mutex_lock(&machine->status_lock);
	machine->status.changes += *why != '\0';
	set_text(&machine->status.stall, why);
	pthread_mutex_unlock(&machine->status_lock);
	set_phase(machine, MACHINE_PAUSED, NULL);
}

static void sum_exits(const struct vm *vm, uint64_t exits[VCPU_EXIT_REASONS])
{
	for (unsigned i = 0; i < vm->cpus.count; i++)
		for (unsigned reason = 0; reason < VCPU_EXIT_REASONS; reason++)
			exits[reason] += counter_get(&vm->vcpus[i].exits[reason]);
}

static void set_vm(struct machine *machine, struct vm *vm)
{
	pthread_mutex_lock(&machine->vm_lock);
	memset(machine->exits, 0, sizeof(machine->exits));
	if (machine->vm)
		sum_exits(machine->vm, machine->exits);
	machine->vm = vm;
	memory_survey_end(&machine->survey);
	pthread_mutex_unlock(&machine->vm_lock);
}

/* --- orders --- */

static void order_power_button(void *arg)
{
	struct machine *machine = arg;

	machine->pressed = clock_monotonic();
	machine->hold = false;
	if (machine->vm)
		vm_power_button(machine->vm);
	else
		loop_stop(&machine->loop);
}

static bool is_pressed(const struct machine *machine)
{
	return machine->pressed && clock_monotonic() - machine->pressed < PRESSED_FOR;
}

static void order_off(void *arg)
{
	struct machine *machine = arg;

	machine->off = true;
	machine->hold = false;
	loop_stop(&machine->loop);
}

static void order_reset(void *arg)
{
	struct machine *machine = arg;

	machine->reset = true;
	machine->hold = false;
	machine->pressed = 0;
	loop_stop(&machine->loop);
}

/* One that has just ended, to begin anew, is paused then. */
static void order_pause(void *arg)
{
	struct machine *machine = arg;

	machine->hold = machine->status.phase != MACHINE_PAUSED;
	if (!machine->vm || machine->status.phase != MACHINE_RUNNING)
		return;
	vm_pause(machine->vm);
	if (machine->vm->cpus.end != VM_RUNS)
		return;
	machine->hold = false;
	set_paused(machine, "");
}

static void order_resume(void *arg)
{
	struct machine *machine = arg;

	machine->hold = false;
	if (!machine->vm || machine->status.phase != MACHINE_PAUSED)
		return;
	vm_resume(machine->vm);
	set_phase(machine, MACHINE_RUNNING, NULL);
}

static const struct {
	enum method_id method;
	void (*run)(void *arg);
} orders[ORDERS] = {
	{ METHOD_GUEST_STOP, order_power_button },
	{ METHOD_GUEST_OFF, order_off },
	{ METHOD_GUEST_PAUSE, order_pause },
	{ METHOD_GUEST_RESUME, order_resume },
	{ METHOD_GUEST_RESET, order_reset },
};

int machine_order(struct machine *machine, enum method_id order)
{
	for (unsigned i = 0; i < ORDERS; i++)
		if (orders[i].method == order) {
			loop_post(&machine->loop, &machine->orders[i]);
			return 0;
		}
	return -ENOSYS;
}

/* --- life --- */

/* Also of a guest that was paused meanwhile. */
static void stall(void *arg, const char *why)
{
	struct machine *machine = arg;

	if (machine->status.phase == MACHINE_RUNNING)
		vm_pause(machine->vm);
	set_paused(machine, why);
}

/* Until it begins anew. */
static void set_remark(void *arg, const char *what)
{
	struct machine *machine = arg;

	pthread_mutex_lock(&machine->status_lock);
	machine->status.changes++;
	machine->status.remark = what;
	pthread_mutex_unlock(&machine->status_lock);
	machine->config.changed(machine->config.arg);
}

static void tell_notice(void *arg, const char *text)
{
	const struct machine_config *config = &((struct machine *)arg)->config;
	struct cause whole;

	cause_set(&whole, 0, "%s: %s", config->profile->name, text);
	if (config->notice)
		config->notice(config->notice_arg, whole.text);
}

/* On the thread that ended the guest. */
static void guest_ended(void *arg)
{
	struct machine *machine = arg;

	loop_post(&machine->loop, &machine->ended);
}

static void stop_loop(void *arg)
{
	struct machine *machine = arg;

	loop_stop(&machine->loop);
}

static void poll_quiesced(void *arg)
{
	struct machine *machine = arg;

	if (vm_quiesced(machine->vm))
		loop_stop(&machine->loop);
	else
		loop_timer_set(&machine->loop, &machine->quiesce, QUIESCE_POLL);
}

/* It has ended, by itself or by an order. Whether it is to begin anew, unless it crashes meanwhile. */
static void begin_stopping(struct machine *machine, const struct vm *vm)
{
	pthread_mutex_lock(&machine->status_lock);
	machine->status.again = !machine->off && !is_pressed(machine) &&
				(machine->reset || vm->cpus.end == VM_RESET);
	pthread_mutex_unlock(&machine->status_lock);
	set_phase(machine, MACHINE_STOPPING, NULL);
}

/* Ends the vCPUs, lets requests in flight finish, and takes the machine apart. */
static void tear_down(struct machine *machine)
{
	struct vm *vm = machine->vm;

	vm_attach_consoles(vm, false);
	/* Requests complete through the loop, which orders may stop early. */
	while (!vm_quiesced(vm)) {
		loop_timer_set(&machine->loop, &machine->quiesce, QUIESCE_POLL);
		loop_run(&machine->loop);
	}
	loop_timer_cancel(&machine->loop, &machine->quiesce);
	set_vm(machine, NULL);
	vm_destroy(vm);
	loop_unpost(&machine->loop, &machine->ended);
}

/* One virtual machine from its making to its end; true when it is to begin anew. */
static bool run_once(struct machine *machine, struct cause *cause)
{
	struct vm *vm;
	bool again;

	pthread_mutex_lock(&machine->status_lock);
	machine->status.end = VM_RUNS;
	machine->status.again = false;
	machine->status.remark = "";
	pthread_mutex_unlock(&machine->status_lock);
	free(machine->registers);
	machine->registers = NULL;
	machine->reset = false;
	if (vm_create(&vm, &machine->vm_config, cause) < 0)
		return false;
	set_vm(machine, vm);
	vm_start(vm, machine->hold);
	if (machine->hold)
		set_paused(machine, "");
	else
		set_phase(machine, MACHINE_RUNNING, NULL);
	machine->hold = false;
	if (!machine->off && !machine->reset)
		loop_run(&machine->loop);
	begin_stopping(machine, vm);
	vm_stop(vm);
	again = !machine->off && (vm->cpus.end == VM_RESET || machine->reset);
	pthread_mutex_lock(&machine->status_lock);
	machine->status.end = vm->cpus.end == VM_CRASHED ? VM_CRASHED : VM_POWERED_OFF;
	pthread_mutex_unlock(&machine->status_lock);
	machine->registers = vm->cpus.registers;
	vm->cpus.registers = NULL;
	cause_set(cause, 0, "%s", vm->cpus.end != VM_RUNS ? vm->cpus.reason :
		  machine->off ? "switched off" : "reset");
	tear_down(machine);
	return again;
}

/*
 * After a reset: building a machine costs the host far more than resetting it
 * costs the guest, so a guest that does nothing else has to wait. Nobody waits
 * for an order to reset. False: it was switched off meanwhile, by its button or at once.
 */
static bool wait_for_turn(struct machine *machine)
{
	uint64_t now = clock_monotonic(), ahead;

	if (machine->reset)
		return true;
	if (machine->restarts_due < now)
		machine->restarts_due = now;
	machine->restarts_due += RESTART_PACE;
	ahead = machine->restarts_due - now;
	if (ahead <= RESTART_BURST * RESTART_PACE)
		return true;
	loop_timer_set(&machine->loop, &machine->restart, ahead - RESTART_BURST * RESTART_PACE);
	while (machine->restart.armed && !machine->off && !machine->reset && !is_pressed(machine))
		loop_run(&machine->loop);
	loop_timer_cancel(&machine->loop, &machine->restart);
	return !machine->off && !is_pressed(machine);
}

/* In place, as each page of a thread's stack is one for each guest. */
static void add_to_cause(struct cause *cause, const char *text)
{
	size_t used = strnlen(cause->text, sizeof(cause->text) - strlen(text) - 1);

	strcpy(cause->text + used, text);
}

static void *machine_thread(void *arg)
{
	struct machine *machine = arg;
	struct cause cause = { "" };

	while (run_once(machine, &cause)) {
		if (is_pressed(machine)) {
			add_to_cause(&cause, ", after its power button was pressed");
			break;
		}
		pthread_mutex_lock(&machine->status_lock);
		machine->status.restarts++;
		pthread_mutex_unlock(&machine->status_lock);
		set_phase(machine, MACHINE_STARTING, cause.text);
		if (!wait_for_turn(machine)) {
			cause_set(&cause, 0, "switched off");
			break;
		}
		if (atomic_load(&machine->hand_over) && !machine->hold) {
			pthread_mutex_lock(&machine->status_lock);
			machine->status.end = VM_RESET;
			pthread_mutex_unlock(&machine->status_lock);
			break;
		}
	}
	set_phase(machine, MACHINE_ENDED, cause.text);
	return NULL;
}

int machine_start(struct machine **out, const struct machine_config *config, struct cause *cause)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	char name[THREAD_NAME_MAX];
	int err;

	if (!machine)
		return cause_errno(cause, ENOMEM, "%s", config->profile->name);
	machine->config = *config;
	machine->status.restarts = config->restarts;
	err = loop_init(&machine->loop, cause);
	if (err) {
		free(machine);
		return cause_prefix(cause, err, "%s", config->profile->name);
	}
	machine->vm_config = (struct vm_config){
		.kvm = config->kvm,
		.profile = config->profile,
		.builtin = config->builtin,
		.network = config->network,
		.media = &machine->media,
		.nics = &machine->nics,
		.secrets = config->secrets,
		.loop = &machine->loop,
		.watchdog_reset = &machine->watchdog_reset,
		.clock_offset = &machine->clock_offset,
		.ended = guest_ended,
		.full = stall,
		.remark = set_remark,
		.notice = tell_notice,
		.arg = machine,
	};
	memcpy(machine->vm_config.consoles, config->consoles, sizeof(config->consoles));
	for (unsigned i = 0; i < ORDERS; i++)
		machine->orders[i] = (struct loop_task){ .run = orders[i].run, .arg = machine };
	machine->ended = (struct loop_task){ .run = stop_loop, .arg = machine };
	machine->quiesce = (struct loop_timer){ .fire = poll_quiesced, .arg = machine };
	machine->restart = (struct loop_timer){ .fire = stop_loop, .arg = machine };
	pthread_mutex_init(&machine->vm_lock, NULL);
	pthread_mutex_init(&machine->status_lock, NULL);

	snprintf(name, sizeof(name), "io-%.12s", config->profile->name);
	err = thread_start(&machine->thread, &io_role, name, machine_thread, machine);
	if (err) {
		loop_destroy(&machine->loop);
		free(machine);
		return cause_errno(cause, -err, "%s: I/O thread", config->profile->name);
	}
	*out = machine;
	return 0;
}

void machine_free(struct machine *machine)
{
	thread_join(&machine->thread);
	loop_destroy(&machine->loop);
	pthread_mutex_destroy(&machine->vm_lock);
	pthread_mutex_destroy(&machine->status_lock);
	disks_media_free(&machine->media);
	nics_kept_free(&machine->nics);
	free(machine->registers);
	free(machine->status.reason);
	free(machine->status.stall);
	free(machine);
}

char *machine_take_registers(struct machine *machine)
{
	char *registers = machine->registers;

	machine->registers = NULL;
	return registers;
}

void machine_hand_over(struct machine *machine, bool whether)
{
	atomic_store(&machine->hand_over, whether);
}

void machine_get_status(struct machine *machine, struct machine_status *out)
{
	pthread_mutex_lock(&machine->status_lock);
	out->phase = machine->status.phase;
	out->restarts = machine->status.restarts;
	out->end = machine->status.end;
	out->changes = machine->status.changes;
	out->again = machine->status.again;
	out->remark = machine->status.remark;
	snprintf(out->reason, sizeof(out->reason), "%s",
		 machine->status.reason ? machine->status.reason : "");
	snprintf(out->stall, sizeof(out->stall), "%s",
		 machine->status.stall ? machine->status.stall : "");
	pthread_mutex_unlock(&machine->status_lock);
}

/* --- what others see --- */

bool machine_sample(struct machine *machine, struct machine_counters *out)
{
	const struct vm *vm;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&machine->vm_lock);
	vm = machine->vm;
	if (vm) {
		out->cpus = vm->cpus.count;
		for (unsigned i = 0; i < vm->cpus.count; i++)
			out->cpu_ns[i] = vcpu_cpu_time(&vm->vcpus[i]);
		sum_exits(vm, out->exits);
		devices_sample(&vm->devices, &out->devices);
	} else {
		memcpy(out->exits, machine->exits, sizeof(out->exits));
	}
	pthread_mutex_unlock(&machine->vm_lock);
	return vm != NULL;
}

uint64_t machine_memory(struct machine *machine)
{
	uint64_t resident = 0;

	pthread_mutex_lock(&machine->vm_lock);
	if (machine->vm)
		resident = memory_resident(&machine->vm->memory, &machine->survey, MEMORY_SLICE);
	pthread_mutex_unlock(&machine->vm_lock);
	return resident;
}

bool machine_screen(struct machine *machine, struct screen *out)
{
	bool there;

	pthread_mutex_lock(&machine->vm_lock);
	there = machine->vm && devices_screen(&machine->vm->devices, out);
	pthread_mutex_unlock(&machine->vm_lock);
	return there;
}

size_t machine_keys(struct machine *machine, const uint8_t *text, size_t size)
{
	size_t taken = 0;

	pthread_mutex_lock(&machine->vm_lock);
	if (machine->vm)
		taken = devices_keys(&machine->vm->devices, text, size);
	pthread_mutex_unlock(&machine->vm_lock);
	return taken;
}

static int being_built(struct cause *cause)
{
	return cause_set(cause, ESHUTDOWN, "the machine is being built; try again");
}

int machine_resize(struct machine *machine, const char *device, struct device_size *size,
		   struct cause *cause)
{
	int err;

	pthread_mutex_lock(&machine->vm_lock);
	err = machine->vm ? devices_resize(&machine->vm->devices, device, size, cause)
			  : being_built(cause);
	pthread_mutex_unlock(&machine->vm_lock);
	return err;
}

int machine_exchange(struct machine *machine, const char *device, struct disk **medium, bool force,
		     struct cause *cause)
{
	int err;

	pthread_mutex_lock(&machine->vm_lock);
	err = machine->vm ? devices_exchange(&machine->vm->devices, device, medium, force, cause)
			  : being_built(cause);
	pthread_mutex_unlock(&machine->vm_lock);
	return err;
}

bool machine_medium(const struct machine *machine, unsigned disk, const char **path)
{
	*path = machine->media.drives[disk].path;
	return machine->media.drives[disk].exchanged;
}

void machine_memory_view(struct machine *machine, bool look, struct device_memory *out)
{
	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&machine->vm_lock);
	if (machine->vm)
		devices_memory(&machine->vm->devices, look, out);
	pthread_mutex_unlock(&machine->vm_lock);
}

size_t machine_devices(struct machine *machine, struct guest_device *out, size_t room)
{
	size_t count = 0;

	pthread_mutex_lock(&machine->vm_lock);
	if (machine->vm)
		count = devices_describe(&machine->vm->devices, out, room);
	pthread_mutex_unlock(&machine->vm_lock);
	return count;
}
