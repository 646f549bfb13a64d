/*
 * vCPU threads, their orders, and the exits that are not rare. KVM api.rst §5.
 * What makes, orders and destroys them is the I/O thread's, the rest a vCPU's own.
 */
#include "core/machine/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
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
#include "base/sentence.h"
#include "core/machine/vcpu_private.h"
#include "sandbox/confine.h"

#define PIO_DATA 4096 /* where KVM puts the data of a port access: behind struct kvm_run's page */
#define MSR_MISC_ENABLE 0x1a0
#define MISC_ENABLE_FAST_STRINGS 1
#define MSR_MTRR_DEFAULT_TYPE 0x2ff
#define MTRR_ENABLED_WRITE_BACK 0x806
#define REGISTERS_SIZE 2048

static const struct thread_role vcpu_role = {
	.name = "vcpu", .pooled = true, .confine = confine_thread, .kind = FILTER_VCPU,
};

/* --- exits: true when the vCPU goes on --- */

static inline bool exit_io(struct vcpu *vcpu, struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	struct bus *bus = vcpu->io;

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
	struct bus *bus = vcpu->mmio;

	if (run->mmio.is_write)
		bus_write(bus, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	else
		bus_read(bus, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	return true;
}

static inline bool handle_exit(struct vcpu *vcpu, struct kvm_run *run)
{
	uint32_t reason = run->exit_reason;
	uint32_t slot = reason < VCPU_EXIT_REASONS ? reason : VCPU_EXIT_REASONS - 1;

	counter_add(&vcpu->exits[slot], 1);
	if (likely(reason == KVM_EXIT_IO))
		return exit_io(vcpu, run);
	if (likely(reason == KVM_EXIT_MMIO))
		return exit_mmio(vcpu, run);
	return vcpu_rare_exit(vcpu, reason);
}

/* --- orders --- */

/*
 * Does what it was told; false when the thread is to end. An access to a device that
 * made the last exit is not over before KVM is entered again, which keeps the result
 * and the place in the code to itself until then (KVM api.rst §5). So a vCPU that is to
 * pause goes round once more, without going on in the guest.
 */
static bool obey_order(struct vcpu *vcpu, long result)
{
	struct vcpu_set *set = vcpu->set;
	enum vcpu_order order;

	pthread_mutex_lock(&set->lock);
	if (result == 0 && atomic_load(&vcpu->order) == VCPU_PAUSE) {
		__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&set->lock);
		return true;
	}
	while ((order = atomic_load(&vcpu->order)) == VCPU_PAUSE) {
		if (vcpu->state != order) {
			vcpu->state = order;
			pthread_cond_broadcast(&set->obeyed);
		}
		pthread_cond_wait(&set->obeyed, &set->lock);
	}
	vcpu->state = order;
	if (vcpu->run)
		__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_RELAXED);
	pthread_cond_broadcast(&set->obeyed);
	pthread_mutex_unlock(&set->lock);
	return order == VCPU_RUN;
}

/* result: of the last enter_guest(). */
static inline bool obey(struct vcpu *vcpu, long result)
{
	return likely(result == 0 &&
		      atomic_load_explicit(&vcpu->order, memory_order_acquire) == VCPU_RUN) ||
	       obey_order(vcpu, result);
}

/* Takes the vCPU out of the guest at its next exit, until it is given another order. Any thread. */
static void hold(struct vcpu *vcpu)
{
	enum vcpu_order running = VCPU_RUN;

	atomic_compare_exchange_strong(&vcpu->order, &running, VCPU_PAUSE);
}

void vcpus_hold(struct vcpu_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		hold(&set->vcpus[i]);
}

void vcpus_order(struct vcpu_set *set, enum vcpu_order order)
{
	unsigned count = set->threads;
	struct vcpu *vcpus = set->vcpus;

	pthread_mutex_lock(&set->lock);
	for (unsigned i = 0; i < count; i++) {
		atomic_store_explicit(&vcpus[i].order, order, memory_order_release);
		if (order != VCPU_RUN && vcpus[i].run)
			__atomic_store_n(&vcpus[i].run->immediate_exit, 1, __ATOMIC_RELAXED);
	}
	pthread_cond_broadcast(&set->obeyed);
	if (order != VCPU_RUN)
		for (unsigned i = 0; i < count; i++)
			pthread_kill(vcpus[i].thread.id, KVM_KICK_SIGNAL);
	/* One that is to run may have ended the guest, and held all of them, before we look. */
	for (unsigned i = 0; order != VCPU_RUN && i < count; i++)
		while (vcpus[i].state != order)
			pthread_cond_wait(&set->obeyed, &set->lock);
	pthread_mutex_unlock(&set->lock);
	while (order == VCPU_STOP && set->threads)
		thread_join(&vcpus[--set->threads].thread);
}

void vcpus_resume(struct vcpu_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		(void)ioctl(set->vcpus[i].fd, KVM_KVMCLOCK_CTRL, 0);
	vcpus_order(set, VCPU_RUN);
}

/* The registers as several lines of text. The vCPU's own thread. */
static void describe(const struct vcpu *vcpu, char *text, size_t size)
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

void vcpus_end(struct vcpu_set *set, enum vm_end end, const struct vcpu *crashed,
	       const char *format, ...)
{
	bool first;
	va_list ap;

	pthread_mutex_lock(&set->lock);
	first = set->end == VM_RUNS;
	if (first) {
		set->end = end;
		va_start(ap, format);
		sentence_format(set->reason, sizeof(set->reason), format, ap);
		va_end(ap);
		if (crashed && (set->registers = malloc(REGISTERS_SIZE)))
			describe(crashed, set->registers, REGISTERS_SIZE);
	}
	pthread_mutex_unlock(&set->lock);
	/* It does nothing any more after it has switched itself off. */
	vcpus_hold(set);
	if (first)
		set->config.ended(set->config.arg);
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
	struct kvm_run *run;
	clockid_t clock;
	sigset_t kick;
	long result;
	bool runs;

	if (!pthread_getcpuclockid(pthread_self(), &clock))
		atomic_store(&vcpu->clock, clock);
	sigemptyset(&kick);
	sigaddset(&kick, KVM_KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	/* Before its first order there is no vCPU yet. */
	runs = obey(vcpu, -EINTR);
	for (run = vcpu->run; runs; runs = obey(vcpu, result)) {
		result = enter_guest(vcpu->fd);
		/* Walks that go on together, and not each when the one before has told its address. */
		__builtin_prefetch(vcpu);
		__builtin_prefetch((const uint8_t *)run + PIO_DATA);
		if (likely(result == 0)) {
			if (unlikely(!handle_exit(vcpu, run)))
				hold(vcpu);
		} else if (result != -EINTR && result != -EAGAIN) {
			vcpus_end(vcpu->set, VM_CRASHED, vcpu, "vCPU %u: KVM_RUN: %s", vcpu->index,
				  strerrordesc_np((int)-result));
			hold(vcpu);
		}
	}
	atomic_store(&vcpu->clock, CLOCK_REALTIME);
	return NULL;
}

/* --- making them --- */

static int start_thread(struct vcpu_set *set, unsigned index, struct cause *cause)
{
	struct vcpu *vcpu = &set->vcpus[index];
	char name[THREAD_NAME_MAX + 8];
	int err;

	vcpu->set = set;
	vcpu->index = index;
	vcpu->state = VCPU_RUN;
	atomic_store(&vcpu->order, VCPU_PAUSE);
	snprintf(name, sizeof(name), "vcpu%u-%.8s", index, set->config.name);
	err = thread_start(&vcpu->thread, &vcpu_role, name, vcpu_thread, vcpu);
	if (err)
		return cause_errno(cause, -err, "vCPU %u: thread", index);
	set->threads++;
	return 0;
}

int vcpus_begin(struct vcpu_set *set, const struct vcpu_config *config, struct vcpu *vcpus,
		struct cause *cause)
{
	unsigned count = topology_cpus(&config->topology);
	int err = 0;

	set->config = *config;
	set->vcpus = vcpus;
	pthread_mutex_init(&set->lock, NULL);
	pthread_cond_init(&set->obeyed, NULL);
	for (unsigned i = 0; !err && i < count; i++)
		err = start_thread(set, i, cause);
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

/* KVM gave an error; it says how many vCPUs there can be only when it is asked. */
static int refuse_vcpu(const struct vcpu_set *set, unsigned index, int error, struct cause *cause)
{
	unsigned most = kvm_vcpus_max(set->config.kvm);

	if (topology_cpus(&set->config.topology) > most)
		return cause_set(cause, error, "this host's KVM gives a guest at most %u vCPUs; "
				 "choose a smaller cpus=", most);
	return cause_errno(cause, error, "vCPU %u: KVM_CREATE_VCPU", index);
}

static int create_vcpu(struct vcpu_set *set, unsigned index, int vm_fd, struct cause *cause)
{
	const struct vcpu_config *config = &set->config;
	struct vcpu *vcpu = &set->vcpus[index];
	void *run;
	int err;

	vcpu->io = config->io;
	vcpu->mmio = config->mmio;
	/* Its number is its APIC ID. */
	vcpu->fd = ioctl(vm_fd, KVM_CREATE_VCPU,
			 (unsigned long)topology_apic_id(&config->topology, index));
	if (vcpu->fd < 0)
		return refuse_vcpu(set, index, errno, cause);
	set->count++;
	run = mmap(NULL, config->kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return cause_errno(cause, errno, "vCPU %u: mmap", index);
	vcpu->run = run;
	err = vcpu_set_cpuid(vcpu);
	if (err < 0)
		return cause_errno(cause, -err, "vCPU %u: KVM_SET_CPUID2", index);
	set_msrs(vcpu);
	return 0;
}

int vcpus_create(struct vcpu_set *set, int vm_fd, struct cause *cause)
{
	int err = 0;

	for (unsigned i = 0; !err && i < set->threads; i++)
		err = create_vcpu(set, i, vm_fd, cause);
	return err;
}

void vcpus_destroy(struct vcpu_set *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		struct vcpu *vcpu = &set->vcpus[i];

		if (vcpu->run)
			munmap(vcpu->run, set->config.kvm->run_size);
		vcpu->run = NULL;
		close(vcpu->fd);
	}
	set->count = 0;
}

void vcpus_finish(struct vcpu_set *set)
{
	vcpus_order(set, VCPU_STOP);
	free(set->registers);
	pthread_mutex_destroy(&set->lock);
	pthread_cond_destroy(&set->obeyed);
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
