/*
 * vCPU threads and VM exits. KVM api.rst §5. All of it on the vCPU's own
 * thread but vcpu_create(), vcpu_order() and vcpu_destroy(), which are the
 * I/O thread's.
 */
#include "core/machine/vcpu.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"
#include "core/machine/vm.h"

#define PIO_DATA 4096 /* where KVM puts the data of a port access: behind struct kvm_run's page */
#define MSR_MISC_ENABLE 0x1a0
#define MISC_ENABLE_FAST_STRINGS 1
#define MSR_MTRR_DEFAULT_TYPE 0x2ff
#define MTRR_ENABLED_WRITE_BACK 0x806

static const struct thread_role vcpu_role = { .name = "vcpu", .pooled = true };

/* --- exits: true when the vCPU goes on --- */

static inline bool exit_io(struct vcpu *vcpu, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	struct bus *bus = &vcpu->vm->io;

	for (uint32_t left = run->io.count; left; left--, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			bus_write(bus, run->io.port, data, run->io.size);
		else
			bus_read(bus, run->io.port, data, run->io.size);
	}
	return true;
}

static inline bool exit_mmio(struct vcpu *vcpu, struct kvm_run *run)
{
	struct bus *bus = &vcpu->vm->mmio;

	if (run->mmio.is_write)
		bus_write(bus, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	else
		bus_read(bus, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	return true;
}

static bool exit_continue(struct vcpu *vcpu)
{
	(void)vcpu;
	return true;
}

static bool exit_shutdown(struct vcpu *vcpu)
{
	vm_end_guest(vcpu->vm, VM_CRASHED, vcpu, "vCPU %u: triple fault", vcpu->index);
	return false;
}

static bool exit_fail_entry(struct vcpu *vcpu)
{
	vm_end_guest(vcpu->vm, VM_CRASHED, vcpu,
		     "vCPU %u: the processor refused to enter the guest, reason 0x%llx",
		     vcpu->index,
		     (unsigned long long)vcpu->run->fail_entry.hardware_entry_failure_reason);
	return false;
}

static bool exit_internal_error(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	char bytes[3 * 15 + 1] = "";
	struct kvm_regs regs = { 0 };
	unsigned size;

	if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION) {
		vm_end_guest(vcpu->vm, VM_CRASHED, vcpu, "vCPU %u: KVM internal error %u", vcpu->index,
			     run->internal.suberror);
		return false;
	}
	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (run->emulation_failure.ndata >= 4 &&
	    (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		size = run->emulation_failure.insn_size;
		if (size > sizeof(run->emulation_failure.insn_bytes))
			size = sizeof(run->emulation_failure.insn_bytes);
		for (unsigned i = 0; i < size; i++)
			snprintf(bytes + 3 * i, sizeof(bytes) - 3 * i, " %02x",
				 run->emulation_failure.insn_bytes[i]);
	}
	vm_end_guest(vcpu->vm, VM_CRASHED, vcpu,
		     "vCPU %u: KVM cannot emulate the instruction at 0x%llx%s%s", vcpu->index,
		     (unsigned long long)regs.rip, *bytes ? ":" : "", bytes);
	return false;
}

static bool exit_system_event(struct vcpu *vcpu)
{
	uint32_t type = vcpu->run->system_event.type;

	if (type == KVM_SYSTEM_EVENT_SHUTDOWN)
		vm_end_guest(vcpu->vm, VM_POWERED_OFF, NULL, "powered off");
	else if (type == KVM_SYSTEM_EVENT_RESET)
		vm_end_guest(vcpu->vm, VM_RESET, NULL, "reset");
	else
		vm_end_guest(vcpu->vm, VM_CRASHED, vcpu, "vCPU %u: system event %u", vcpu->index, type);
	return false;
}

static bool exit_unknown(struct vcpu *vcpu)
{
	vm_end_guest(vcpu->vm, VM_CRASHED, vcpu, "vCPU %u: exit %s (%u), hardware reason 0x%llx",
		     vcpu->index, vcpu_exit_name(vcpu->run->exit_reason), vcpu->run->exit_reason,
		     (unsigned long long)vcpu->run->hw.hardware_exit_reason);
	return false;
}

/* Every exit has a name; handle_exit() serves IO and MMIO itself. */
static const struct {
	const char *name;
	bool (*handle)(struct vcpu *vcpu);
} exits[VCPU_EXIT_REASONS] = {
	[KVM_EXIT_UNKNOWN] = { "UNKNOWN", exit_unknown },
	[KVM_EXIT_EXCEPTION] = { "EXCEPTION", exit_unknown },
	[KVM_EXIT_IO] = { "IO", NULL },
	[KVM_EXIT_HYPERCALL] = { "HYPERCALL", exit_unknown },
	[KVM_EXIT_DEBUG] = { "DEBUG", exit_unknown },
	[KVM_EXIT_HLT] = { "HLT", exit_continue },
	[KVM_EXIT_MMIO] = { "MMIO", NULL },
	[KVM_EXIT_IRQ_WINDOW_OPEN] = { "IRQ_WINDOW_OPEN", exit_continue },
	[KVM_EXIT_SHUTDOWN] = { "SHUTDOWN", exit_shutdown },
	[KVM_EXIT_FAIL_ENTRY] = { "FAIL_ENTRY", exit_fail_entry },
	[KVM_EXIT_INTR] = { "INTR", exit_continue },
	[KVM_EXIT_SET_TPR] = { "SET_TPR", exit_continue },
	[KVM_EXIT_TPR_ACCESS] = { "TPR_ACCESS", exit_unknown },
	[KVM_EXIT_NMI] = { "NMI", exit_unknown },
	[KVM_EXIT_INTERNAL_ERROR] = { "INTERNAL_ERROR", exit_internal_error },
	[KVM_EXIT_WATCHDOG] = { "WATCHDOG", exit_unknown },
	[KVM_EXIT_SYSTEM_EVENT] = { "SYSTEM_EVENT", exit_system_event },
	[KVM_EXIT_IOAPIC_EOI] = { "IOAPIC_EOI", exit_continue },
	[KVM_EXIT_HYPERV] = { "HYPERV", exit_unknown },
	[KVM_EXIT_X86_RDMSR] = { "X86_RDMSR", exit_unknown },
	[KVM_EXIT_X86_WRMSR] = { "X86_WRMSR", exit_unknown },
	[KVM_EXIT_DIRTY_RING_FULL] = { "DIRTY_RING_FULL", exit_unknown },
	[KVM_EXIT_AP_RESET_HOLD] = { "AP_RESET_HOLD", exit_unknown },
	[KVM_EXIT_X86_BUS_LOCK] = { "X86_BUS_LOCK", exit_continue },
};

const char *vcpu_exit_name(unsigned reason)
{
	return reason < VCPU_EXIT_REASONS && exits[reason].name ? exits[reason].name : "other";
}

static bool handle_rare_exit(struct vcpu *vcpu, uint32_t reason)
{
	if (reason < VCPU_EXIT_REASONS && exits[reason].handle)
		return exits[reason].handle(vcpu);
	return exit_unknown(vcpu);
}

static inline bool handle_exit(struct vcpu *vcpu, struct kvm_run *run)
{
	uint32_t reason = run->exit_reason;
	uint32_t slot = reason < VCPU_EXIT_REASONS ? reason : VCPU_EXIT_REASONS - 1;
	_Atomic uint64_t *count = &vcpu->exits[slot];

	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	if (likely(reason == KVM_EXIT_IO))
		return exit_io(vcpu, run);
	if (likely(reason == KVM_EXIT_MMIO))
		return exit_mmio(vcpu, run);
	return handle_rare_exit(vcpu, reason);
}

/* --- orders --- */

/* Does what it was told; false when the thread is to end. */
static bool obey_order(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	enum vcpu_order order;

	pthread_mutex_lock(&vm->pause_lock);
	while ((order = atomic_load(&vcpu->order)) == VCPU_PAUSE) {
		if (vcpu->state != order) {
			vcpu->state = order;
			pthread_cond_broadcast(&vm->paused);
		}
		pthread_cond_wait(&vm->paused, &vm->pause_lock);
	}
	vcpu->state = order;
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&vm->paused);
	pthread_mutex_unlock(&vm->pause_lock);
	return order == VCPU_RUN;
}

static inline bool obey(struct vcpu *vcpu)
{
	return likely(atomic_load_explicit(&vcpu->order, memory_order_acquire) == VCPU_RUN) ||
	       obey_order(vcpu);
}

void vcpu_hold(struct vcpu *vcpu)
{
	enum vcpu_order running = VCPU_RUN;

	atomic_compare_exchange_strong(&vcpu->order, &running, VCPU_PAUSE);
}

void vcpu_order(struct vcpu *vcpus, unsigned count, enum vcpu_order order)
{
	struct vm *vm;

	if (!count)
		return;
	vm = vcpus[0].vm;
	pthread_mutex_lock(&vm->pause_lock);
	for (unsigned i = 0; i < count; i++) {
		atomic_store_explicit(&vcpus[i].order, order, memory_order_release);
		if (order != VCPU_RUN)
			__atomic_store_n(&vcpus[i].run->immediate_exit, 1, __ATOMIC_RELAXED);
	}
	pthread_cond_broadcast(&vm->paused);
	if (order != VCPU_RUN)
		for (unsigned i = 0; i < count; i++)
			pthread_kill(vcpus[i].thread.id, KVM_KICK_SIGNAL);
	/* One that is to run may have ended the guest, and held all of them, before we look. */
	for (unsigned i = 0; order != VCPU_RUN && i < count; i++)
		while (vcpus[i].state != order)
			pthread_cond_wait(&vm->paused, &vm->pause_lock);
	pthread_mutex_unlock(&vm->pause_lock);
	if (order == VCPU_STOP)
		for (unsigned i = 0; i < count; i++) {
			thread_join(&vcpus[i].thread);
			vcpus[i].started = false;
		}
}

/*
 * KVM_RUN; 0 or a negative errno. The system call stands here and not in the C
 * library, because an exit can leave the host's TLB cold, and each page on the
 * way back to the guest is then a walk: a sixtieth of an exit, measured where
 * KVM runs without VT-x.
 */
static inline long enter_guest(int fd)
{
	long result = SYS_ioctl;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"((long)fd), "S"((long)KVM_RUN), "d"(0l)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((aligned(EXIT_PAGE))) EXIT_PATH static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct kvm_run *run = vcpu->run;
	clockid_t clock;
	sigset_t kick;

	if (!pthread_getcpuclockid(pthread_self(), &clock))
		atomic_store(&vcpu->clock, clock);
	sigemptyset(&kick);
	sigaddset(&kick, KVM_KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	while (obey(vcpu)) {
		long result = enter_guest(vcpu->fd);

		/* Walks that go on together, and not each when the one before has told its address. */
		__builtin_prefetch(vcpu);
		__builtin_prefetch((const uint8_t *)run + PIO_DATA);
		if (likely(result == 0)) {
			if (unlikely(!handle_exit(vcpu, run)))
				vcpu_hold(vcpu);
		} else if (result != -EINTR && result != -EAGAIN) {
			vm_end_guest(vcpu->vm, VM_CRASHED, vcpu, "vCPU %u: KVM_RUN: %s", vcpu->index,
				     strerrordesc_np((int)-result));
			vcpu_hold(vcpu);
		}
	}
	atomic_store(&vcpu->clock, CLOCK_REALTIME);
	return NULL;
}

/* --- making one --- */

/* The host's CPUID with what differs from vCPU to vCPU: the APIC ID. Intel SDM vol. 2, CPUID. */
static int set_cpuid(struct vcpu *vcpu, const struct kvm_host *host, unsigned count)
{
	size_t size = sizeof(host->cpuid.head) +
		      host->cpuid.head.nent * sizeof(host->cpuid.head.entries[0]);
	struct kvm_cpuid2 *cpuid = malloc(size); /* too large for a stack that stays resident */
	int err = 0;

	if (!cpuid)
		return -ENOMEM;
	memcpy(cpuid, &host->cpuid, size);
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		switch (entry->function) {
		case 0x1:
			entry->ebx = (entry->ebx & 0xffff) | count << 16 | vcpu->index << 24;
			entry->ecx |= 1u << 31; /* a hypervisor is there */
			break;
		case 0xb:
		case 0x1f:
			entry->edx = vcpu->index;
			break;
		case 0x8000001e:
			entry->eax = vcpu->index;
			break;
		default:
			break;
		}
	}
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0)
		err = -errno;
	free(cpuid);
	return err;
}

/* What firmware would have set; a KVM that lacks one of them refuses it, and the guest copes. */
static void set_msrs(struct vcpu *vcpu)
{
	static const struct kvm_msr_entry entries[] = {
		{ .index = MSR_MISC_ENABLE, .data = MISC_ENABLE_FAST_STRINGS },
		{ .index = MSR_MTRR_DEFAULT_TYPE, .data = MTRR_ENABLED_WRITE_BACK },
	};
	union {
		struct kvm_msrs head;
		uint8_t room[sizeof(struct kvm_msrs) + sizeof(entries)];
	} msrs = { .head.nmsrs = ARRAY_SIZE(entries) };

	memcpy(msrs.head.entries, entries, sizeof(entries));
	(void)ioctl(vcpu->fd, KVM_SET_MSRS, &msrs);
}

/* The boot processor begins at the kernel's entry; the others wait for INIT and SIPI. */
static int set_entry(struct vcpu *vcpu, struct cause *cause)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = { .rflags = 2 };

	if (vcpu->index)
		return 0;
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return cause_errno(cause, errno, "vCPU 0: KVM_GET_SREGS");
	boot_vcpu_state(&vcpu->vm->entry, &sregs, &regs);
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu->fd, KVM_SET_REGS, &regs) < 0)
		return cause_errno(cause, errno, "vCPU 0: KVM refuses its first state");
	return 0;
}

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index, struct cause *cause)
{
	const struct kvm_host *host = vm->config->kvm;
	void *run;
	int err;

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		return cause_errno(cause, errno, "vCPU %u: KVM_CREATE_VCPU", index);
	run = mmap(NULL, host->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return cause_errno(cause, errno, "vCPU %u: mmap", index);
	vcpu->run = run;
	err = set_cpuid(vcpu, host, vm->vcpu_count);
	if (err < 0)
		return cause_errno(cause, -err, "vCPU %u: KVM_SET_CPUID2", index);
	set_msrs(vcpu);
	return set_entry(vcpu, cause);
}

int vcpu_start(struct vcpu *vcpu, struct cause *cause)
{
	char name[THREAD_NAME_MAX + 8];
	int err;

	vcpu->state = VCPU_RUN;
	atomic_store(&vcpu->order, VCPU_RUN);
	snprintf(name, sizeof(name), "vcpu%u-%.8s", vcpu->index, vcpu->vm->config->profile->name);
	err = thread_start(&vcpu->thread, &vcpu_role, name, vcpu_thread, vcpu);
	if (err)
		return cause_errno(cause, -err, "vCPU %u: thread", vcpu->index);
	vcpu->started = true;
	return 0;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->vm->config->kvm->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	vcpu->run = NULL;
	vcpu->fd = -1;
}

uint64_t vcpu_cpu_time(const struct vcpu *vcpu)
{
	clockid_t clock = atomic_load(&vcpu->clock);
	struct timespec ts;

	/* The thread may end meanwhile; then the clock is gone. */
	if (clock == CLOCK_REALTIME || clock_gettime(clock, &ts) < 0)
		return 0;
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

void vcpu_describe(const struct vcpu *vcpu, char *text, size_t size)
{
	struct kvm_regs r;
	struct kvm_sregs s;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &r) < 0 || ioctl(vcpu->fd, KVM_GET_SREGS, &s) < 0) {
		snprintf(text, size, "vCPU %u: its registers cannot be read", vcpu->index);
		return;
	}
	snprintf(text, size,
		 "vCPU %u\n"
		 "rip %016llx  rflags %016llx\n"
		 "rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx\n"
		 "rsi %016llx  rdi %016llx  rbp %016llx  rsp %016llx\n"
		 "r8  %016llx  r9  %016llx  r10 %016llx  r11 %016llx\n"
		 "r12 %016llx  r13 %016llx  r14 %016llx  r15 %016llx\n"
		 "cr0 %016llx  cr2 %016llx  cr3 %016llx  cr4 %016llx\n"
		 "efer %llx  cs %04x:%llx  ss %04x  ds %04x  es %04x  fs %04x  gs %04x\n"
		 "gdt %llx/%04x  idt %llx/%04x  tr %04x  apic base %llx",
		 vcpu->index, r.rip, r.rflags, r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp,
		 r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, s.cr0, s.cr2, s.cr3,
		 s.cr4, s.efer, s.cs.selector, s.cs.base, s.ss.selector, s.ds.selector,
		 s.es.selector, s.fs.selector, s.gs.selector, s.gdt.base, s.gdt.limit, s.idt.base,
		 s.idt.limit, s.tr.selector, s.apic_base);
}
