/*
 * Virtual CPUs: a thread and a run loop each, and what those of a machine share.
 *
 * The thread runs KVM_RUN and dispatches the exits that need an answer at
 * once. Orders to it are messages that it acknowledges; the kick signal only
 * makes KVM_RUN return.
 */
#ifndef CORE_MACHINE_VCPU_H
#define CORE_MACHINE_VCPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/cause.h"
#include "base/counter.h"
#include "base/state.h"
#include "base/thread.h"
#include "core/bus/bus.h"
#include "core/kvm/kvm.h"
#include "core/profile/topology.h"

#define VCPU_EXIT_REASONS 48 /* reasons above are counted in the last slot */
#define VCPU_REASON_SIZE 256

/* Why the guest is over, or begins anew. */
enum vm_end {
	VM_RUNS,
	VM_POWERED_OFF, /* by itself: ACPI S5 */
	VM_RESET,	/* by itself: 0xcf9, keyboard controller */
	VM_CRASHED	/* triple fault, or what KVM cannot go on from */
};

/* What the thread is asked to do; it says so in vcpu.state. */
enum vcpu_order { VCPU_RUN, VCPU_PAUSE, VCPU_STOP };

struct vcpu {
	struct vcpu_set *set;
	struct bus *io, *mmio; /* as in the set's config */
	struct kvm_run *run;
	int fd;
	unsigned index;
	_Atomic enum vcpu_order order;
	enum vcpu_order state; /* guarded by set->lock */
	_Atomic clockid_t clock; /* the thread's CPU time; CLOCK_REALTIME: it does not run */
	struct thread thread;
	struct counter exits[VCPU_EXIT_REASONS];
};

/* What vCPUs are made from; kvm, the buses, hidden and name are valid while they live. */
struct vcpu_config {
	const struct kvm_host *kvm;
	struct topology topology;
	const char *hidden;    /* features, as features_hide() takes them; or NULL */
	struct bus *io, *mmio; /* where their accesses go */
	const char *name;      /* of the guest, for the threads' */
	/* The first that ends the guest calls it, once. */
	void (*ended)(void *arg);
	void *arg;
};

/* The vCPUs of a machine. All zero before vcpus_begin(). */
struct vcpu_set {
	struct vcpu_config config;
	struct vcpu *vcpus;
	unsigned threads, count; /* that run; that KVM has made */
	pthread_mutex_t lock;
	pthread_cond_t obeyed; /* a vCPU obeyed an order, or got a new one */
	enum vm_end end;       /* with what follows: guarded by lock until all are stopped */
	char reason[VCPU_REASON_SIZE];
	char *registers; /* of the vCPU that crashed, as text, or NULL */
};

/*
 * Starts the threads of a topology's vCPUs, which wait for vCPUs and an order: what threads
 * give up first takes its time beside the rest of the making. vcpus is the caller's room for
 * them, all zero. A negative errno with a cause; then, too, vcpus_finish(). I/O thread.
 */
int vcpus_begin(struct vcpu_set *set, const struct vcpu_config *config, struct vcpu *vcpus,
		struct cause *cause);
void vcpus_finish(struct vcpu_set *set); /* ends threads that have not been stopped */

/*
 * Makes their vCPUs, as KVM begins them: the first will run, the others wait for INIT and SIPI.
 * A negative errno with a cause. I/O thread.
 */
int vcpus_create(struct vcpu_set *set, int vm_fd, struct cause *cause);
void vcpus_destroy(struct vcpu_set *set); /* stopped or never run; valid on a half-made one */

/*
 * Gives the order to all and, but for VCPU_RUN, waits until each has
 * obeyed, which takes no longer than one exit. I/O thread. VCPU_STOP ends the
 * threads.
 */
void vcpus_order(struct vcpu_set *set, enum vcpu_order order);

/* vcpus_order(VCPU_RUN) after a pause; a guest that knows kvmclock is told that it was stopped. */
void vcpus_resume(struct vcpu_set *set);

/*
 * Saves all vCPUs, as records "vcpu0/regs" and so on. They are paused, or were never
 * started. I/O thread. A negative errno with a cause; the rest of the writer's failures
 * is told by state_end().
 */
int vcpus_save(struct vcpu_set *set, struct state_writer *writer, struct cause *cause);

/*
 * Makes vCPUs that were never started those that were saved; the guest's RAM is loaded
 * already. -EINVAL and so on with a cause; then they are of no use any more. I/O thread.
 */
int vcpus_load(struct vcpu_set *set, struct state_reader *reader, struct cause *cause);

/* Any thread: none of them goes on in the guest after its next exit, until the next order. */
void vcpus_hold(struct vcpu_set *set);

/*
 * Any thread: the guest is over, and none of them enters it again. The first call
 * counts; the format gives the reason. crashed: the calling vCPU, whose registers are
 * kept, or NULL.
 */
void vcpus_end(struct vcpu_set *set, enum vm_end end, const struct vcpu *crashed,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* CPU time of the vCPU's thread, ns; 0 when it does not run. Any thread, until vcpus_destroy(). */
uint64_t vcpu_cpu_time(const struct vcpu *vcpu);

/* "IO", "MMIO", "HLT", ...: the name of an exit reason; "other" for the last slot. Any thread. */
const char *vcpu_exit_name(unsigned reason);

#endif
