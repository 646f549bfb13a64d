/*
 * A virtual CPU: its thread, its run loop, its exits by reason.
 *
 * The thread runs KVM_RUN and dispatches the exits that need an answer at
 * once. Orders to it are messages that it acknowledges; the kick signal only
 * makes KVM_RUN return.
 */
#ifndef CORE_MACHINE_VCPU_H
#define CORE_MACHINE_VCPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/cause.h"
#include "base/thread.h"
#include "core/kvm/kvm.h"

struct vm;

#define VCPU_EXIT_REASONS 48 /* reasons above are counted in the last slot */

/* What the thread is asked to do; it says so in vcpu.state. */
enum vcpu_order { VCPU_RUN, VCPU_PAUSE, VCPU_STOP };

struct vcpu {
	struct vm *vm;
	unsigned index;
	int fd;
	struct kvm_run *run;
	struct thread thread;
	bool started;
	_Atomic clockid_t clock; /* the thread's CPU time; CLOCK_REALTIME: it does not run */
	_Atomic enum vcpu_order order;
	enum vcpu_order state; /* guarded by vm->pause_lock */
	_Atomic uint64_t exits[VCPU_EXIT_REASONS];
};

/* Makes vCPU index of vm, not yet running. -EINVAL and so on with a cause. */
int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index, struct cause *cause);
int vcpu_start(struct vcpu *vcpu, struct cause *cause);

/*
 * Gives the order to vCPUs 0..count-1 and, but for VCPU_RUN, waits until each has
 * obeyed, which takes no longer than one exit. I/O thread. VCPU_STOP ends the
 * threads.
 */
void vcpu_order(struct vcpu *vcpus, unsigned count, enum vcpu_order order);

void vcpu_destroy(struct vcpu *vcpu); /* the thread has ended; valid on a half-made one, fd -1 */

/* Takes the vCPU out of the guest at its next exit, until it is given another order. Any thread. */
void vcpu_hold(struct vcpu *vcpu);

/* CPU time of the vCPU's thread, ns; 0 when it does not run. Any thread, until vcpu_destroy(). */
uint64_t vcpu_cpu_time(const struct vcpu *vcpu);

/* "IO", "MMIO", "HLT", ...: the name of an exit reason; "other" for the last slot. */
const char *vcpu_exit_name(unsigned reason);

/* The registers as several lines of text; the vCPU does not run. */
void vcpu_describe(const struct vcpu *vcpu, char *text, size_t size);

#endif
