/*
 * vCPUs, RAM and what the kernel keeps, saved in mid-run and loaded into a fresh virtual
 * machine that goes on; and states that are refused. Skips without /dev/kvm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/kvm/irq.h"
#include "core/kvm/memory.h"
#include "core/kvm/state.h"
#include "core/machine/vcpu.h"

#define CPUS 2
#define RAM (2u << 20)
#define CODE 0x1000 /* cs 0x100 */
#define TURNS 0x500 /* counters of the guest's */
#define TICKS 0x504
#define PORT 0x300
#define ROUNDS 40
#define PATIENCE 60 /* seconds */
#define HEADER 48 /* bytes before a record's own */
#define MSR_LSTAR 0xc0000082

/*
 * In real mode: asks the device for the next number and gives it back, for ever. The
 * PIT ticks meanwhile.
 */
extern const uint8_t guest_code[];
extern const uint32_t guest_size;
__asm__(".pushsection .rodata\n"
	".code16\n"
	"guest_code:\n"
	"	movw $tick - guest_code, 0x80\n" /* vector 0x20 */
	"	movw $0x100, 0x82\n"
	"	movb $0x11, %al\n" /* PIC: vectors from 0x20, only the timer */
	"	outb %al, $0x20\n"
	"	movb $0x20, %al\n"
	"	outb %al, $0x21\n"
	"	movb $4, %al\n"
	"	outb %al, $0x21\n"
	"	movb $1, %al\n"
	"	outb %al, $0x21\n"
	"	movb $0xfe, %al\n"
	"	outb %al, $0x21\n"
	"	movb $0x34, %al\n" /* PIT: 100 Hz */
	"	outb %al, $0x43\n"
	"	movb $0x9c, %al\n"
	"	outb %al, $0x40\n"
	"	movb $0x2e, %al\n"
	"	outb %al, $0x40\n"
	"	movw $0x300, %dx\n"
	"	sti\n"
	"1:	inl %dx, %eax\n"
	"	outl %eax, %dx\n"
	"	incl 0x500\n"
	"	jmp 1b\n"
	"tick:	pushw %ax\n"
	"	incl 0x504\n"
	"	movb $0x20, %al\n"
	"	outb %al, $0x20\n"
	"	popw %ax\n"
	"	iret\n"
	".code64\n"
	"guest_size: .long . - guest_code\n"
	".popsection\n");

struct machine {
	const struct kvm_host *kvm;
	int fd;
	struct guest_memory memory;
	struct irq_router irq;
	struct bus io, mmio;
	struct vcpu_set cpus;
	struct vcpu vcpus[CPUS];
};

/* What the guest talks to; it outlives machines, as a device's state would. */
struct sequence {
	_Atomic uint32_t next;	 /* number to be given out */
	_Atomic uint32_t wrong; /* numbers that came back and had not been given out just before */
};

static void counter_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct sequence *counter = device;
	uint32_t value = atomic_fetch_add(&counter->next, 1);

	(void)offset;
	memcpy(data, &value, length);
}

static void counter_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct sequence *counter = device;
	uint32_t value = 0;

	(void)offset;
	memcpy(&value, data, length);
	if (value != atomic_load(&counter->next) - 1)
		atomic_fetch_add(&counter->wrong, 1);
}

static void ended(void *arg)
{
	struct machine *machine = arg;

	fprintf(stderr, "the guest ended: %s\n%s\n", machine->cpus.reason, machine->cpus.registers);
	abort();
}

static struct machine *make_machine(const struct kvm_host *kvm, struct sequence *counter,
				    unsigned cpus)
{
	static const struct bus_ops ops = { "counter", counter_read, counter_write };
	struct machine *machine = calloc(1, sizeof(*machine));
	const struct vcpu_config config = {
		.kvm = kvm, .io = &machine->io, .mmio = &machine->mmio, .name = "saved",
		.topology = { 1, cpus, 1 },
		.ended = ended, .arg = machine,
	};

	machine->kvm = kvm;
	machine->fd = ioctl(kvm->fd, KVM_CREATE_VM, 0ul);
	assert_true(machine->fd >= 0);
	assert_int_equal(memory_create(&machine->memory, RAM, NULL), 0);
	assert_int_equal(memory_attach(&machine->memory, machine->fd, NULL), 0);
	assert_int_equal(irq_create(&machine->irq, machine->fd, NULL), 0);
	assert_int_equal(bus_add(&machine->io, PORT, 4, &ops, counter, NULL), 0);
	assert_int_equal(vcpus_begin(&machine->cpus, &config, machine->vcpus, NULL), 0);
	assert_int_equal(vcpus_create(&machine->cpus, machine->fd, NULL), 0);
	return machine;
}

static void end_machine(struct machine *machine)
{
	vcpus_order(&machine->cpus, VCPU_STOP);
	vcpus_destroy(&machine->cpus);
	vcpus_finish(&machine->cpus);
	irq_destroy(&machine->irq);
	memory_destroy(&machine->memory);
	close(machine->fd);
	free(machine);
}

/* Registers that the guest does not touch get values of their own. */
static void fill_registers(int fd)
{
	struct kvm_debugregs debug;
	struct kvm_xsave xsave;
	const struct { /* as struct kvm_msrs */
		uint32_t count, pad;
		struct kvm_msr_entry entry;
	} msr = { 1, 0, { .index = MSR_LSTAR, .data = 0x123456789abcull } };

	assert_int_equal(ioctl(fd, KVM_GET_DEBUGREGS, &debug), 0);
	debug.db[2] = 0x7777;
	assert_int_equal(ioctl(fd, KVM_SET_DEBUGREGS, &debug), 0);
	assert_int_equal(ioctl(fd, KVM_GET_XSAVE, &xsave), 0);
	for (unsigned i = 40; i < 40 + 64; i++) /* xmm0 to xmm15 */
		xsave.region[i] = 0x01010101 * i;
	xsave.region[128] |= 3; /* x87 and SSE are in use */
	assert_int_equal(ioctl(fd, KVM_SET_XSAVE, &xsave), 0);
	assert_int_equal(ioctl(fd, KVM_SET_MSRS, &msr), 1);
}

static void begin_guest(struct machine *machine)
{
	int fd = machine->vcpus[0].fd;
	struct kvm_regs regs = { .rflags = 2, .rsp = 0x800, .r11 = 0xabcdef, .rbp = 0x1234567 };
	struct kvm_sregs sregs;

	fill_registers(fd);
	assert_int_equal(memory_write(&machine->memory, CODE, guest_code, guest_size), 0);
	assert_int_equal(ioctl(fd, KVM_GET_SREGS, &sregs), 0);
	sregs.cs.selector = CODE >> 4;
	sregs.cs.base = CODE;
	assert_int_equal(ioctl(fd, KVM_SET_SREGS, &sregs), 0);
	assert_int_equal(ioctl(fd, KVM_SET_REGS, &regs), 0);
	vcpus_order(&machine->cpus, VCPU_RUN);
}

static uint32_t count_of(const struct machine *machine, uint64_t address)
{
	return __atomic_load_n((uint32_t *)memory_at(&machine->memory, address, 4),
			       __ATOMIC_RELAXED);
}

/* Until the counter at address has gone on by that much. */
static void wait_for(const struct machine *machine, uint64_t address, uint32_t more)
{
	uint64_t end = clock_monotonic() + PATIENCE * NS_PER_S;
	uint32_t before = count_of(machine, address);

	while (count_of(machine, address) - before < more) {
		assert_true(clock_monotonic() < end);
		usleep(100);
	}
}

struct saved {
	uint8_t *data;
	size_t size;
};

static struct saved save(struct machine *machine)
{
	struct state_writer writer = { 0 };
	struct saved saved;
	struct cause cause;

	if (vcpus_save(&machine->cpus, &writer, &cause) ||
	    kvm_save(machine->kvm, machine->fd, &writer, &cause))
		fail_msg("%s", cause.text);
	memory_save(&machine->memory, &writer);
	if (state_end(&writer, &saved.data, &saved.size, &cause))
		fail_msg("%s", cause.text);
	return saved;
}

static int load(struct machine *machine, const struct saved *saved, struct cause *cause)
{
	struct state_reader reader;
	int err = state_open(&reader, saved->data, saved->size, cause);

	if (!err)
		err = memory_load(&machine->memory, &reader, cause);
	if (!err)
		err = vcpus_load(&machine->cpus, &reader, cause);
	if (!err)
		err = kvm_load(machine->kvm, machine->fd, &reader, cause);
	if (!err)
		err = state_all_found(&reader, cause);
	state_close(&reader);
	return err;
}

static void must_load(struct machine *machine, const struct saved *saved)
{
	struct cause cause;

	if (load(machine, saved, &cause))
		fail_msg("%s", cause.text);
}

/* Where a record's own bytes begin. */
static uint8_t *find(const struct saved *saved, const char *name)
{
	uint8_t *record = memmem(saved->data, saved->size, name, strlen(name) + 1);

	assert_non_null(record);
	return record + HEADER;
}

/* That of a machine which ran until then. */
static struct saved save_running(const struct kvm_host *kvm, struct sequence *counter)
{
	struct machine *machine = make_machine(kvm, counter, CPUS);
	struct saved saved;

	begin_guest(machine);
	wait_for(machine, TICKS, 3);
	vcpus_order(&machine->cpus, VCPU_PAUSE);
	saved = save(machine);
	end_machine(machine);
	return saved;
}

/* --- tests --- */

static void test_goes_on(void **state)
{
	struct sequence counter = { 0 };
	struct machine *machine = make_machine(*state, &counter, CPUS);

	begin_guest(machine);
	wait_for(machine, TICKS, 2);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct saved saved;

		/* At any moment: between reading and writing, in the guest, in the middle of a tick. */
		wait_for(machine, TURNS, 1 + round % 5);
		vcpus_order(&machine->cpus, VCPU_PAUSE);
		saved = save(machine);
		end_machine(machine);
		machine = make_machine(*state, &counter, CPUS);
		must_load(machine, &saved);
		free(saved.data);
		vcpus_order(&machine->cpus, VCPU_RUN);
	}
	wait_for(machine, TICKS, 3);
	vcpus_order(&machine->cpus, VCPU_PAUSE);
	/* Each number came back, and was counted once; the last one may be on its way. */
	assert_int_equal(atomic_load(&counter.wrong), 0);
	assert_in_range(atomic_load(&counter.next) - count_of(machine, TURNS), 0, 1);
	end_machine(machine);
}

/* What time changes, and so is not compared. */
static void take_out_time(const struct saved *saved, const char *vcpu)
{
	char name[32];
	struct kvm_msr_entry *msr;
	uint64_t size;

	snprintf(name, sizeof(name), "%s/msrs", vcpu);
	msr = (struct kvm_msr_entry *)find(saved, name);
	memcpy(&size, (uint8_t *)msr - 8, sizeof(size));
	for (uint64_t i = 0; i < size / sizeof(*msr); i++)
		if (msr[i].index == 0x10)
			msr[i].data = 0;
}

static void take_out_times(const struct saved *saved)
{
	memset(find(saved, "kvm/clock"), 0, 8);
	for (unsigned i = 0; i < 3; i++)
		((struct kvm_pit_state2 *)find(saved, "kvm/pit"))->channels[i].count_load_time = 0;
	take_out_time(saved, "vcpu0");
	take_out_time(saved, "vcpu1");
}

static void test_nothing_is_lost(void **state)
{
	struct sequence counter = { 0 };
	struct saved first = save_running(*state, &counter), second;
	struct machine *machine = make_machine(*state, &counter, CPUS);

	must_load(machine, &first);
	second = save(machine);
	end_machine(machine);
	take_out_times(&first);
	take_out_times(&second);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.data, second.data, first.size);
	assert_memory_equal(find(&first, "vcpu0/xsave") + 160, "\50\50\50\50\51\51\51\51", 8);
	free(first.data);
	free(second.data);
}

static void test_clock_goes_on(void **state)
{
	struct sequence counter = { 0 };
	struct machine *machine = make_machine(*state, &counter, 1);
	struct kvm_clock_data clock = { .clock = 3600 * NS_PER_S };
	struct saved saved;

	assert_int_equal(ioctl(machine->fd, KVM_SET_CLOCK, &clock), 0);
	saved = save(machine);
	end_machine(machine);
	machine = make_machine(*state, &counter, 1);
	must_load(machine, &saved);
	assert_int_equal(ioctl(machine->fd, KVM_GET_CLOCK, &clock), 0);
	assert_in_range(clock.clock, 3600 * NS_PER_S, 3700 * NS_PER_S);
	end_machine(machine);
	free(saved.data);
}

/* --- what is refused --- */

#define AT(type, member, value, says, record) \
	{ record, offsetof(type, member), value, says }

static const struct {
	const char *record;
	size_t at;
	uint8_t value;
	const char *says;
} wrong[] = {
	AT(struct kvm_irqchip, chip_id, 1, "kvm/pic0: it is number 1", "kvm/pic0"),
	AT(struct kvm_irqchip, chip.pic.poll, 2, "kvm/pic1: a switch is neither", "kvm/pic1"),
	AT(struct kvm_irqchip, chip.pic.priority_add, 8, "kvm/pic1: state 0, first", "kvm/pic1"),
	AT(struct kvm_irqchip, chip.pic.init_state, 4, "kvm/pic1: state 4", "kvm/pic1"),
	AT(struct kvm_irqchip, chip.pic.elcr, 1, "kvm/pic1: level-triggered lines", "kvm/pic1"),
	AT(struct kvm_irqchip, chip.pic.elcr_mask, 0xff, "kvm/pic1: level", "kvm/pic1"),
	AT(struct kvm_irqchip, chip.ioapic.base_address, 1, "not at 0xfec00000", "kvm/ioapic"),
	AT(struct kvm_pit_state2, channels[2].mode, 6, "channel 2: count", "kvm/pit"),
	AT(struct kvm_pit_state2, channels[1].gate, 2, "channel 1: no state", "kvm/pit"),
	AT(struct kvm_pit_state2, flags, 1, "kvm/pit: flags 0x1", "kvm/pit"),
	AT(struct kvm_clock_data, flags, 4, "kvm/clock: flags 0x4", "kvm/clock"),
	AT(struct kvm_sregs, ds.type, 16, "vcpu1/sregs: segment 1 is none", "vcpu1/sregs"),
	AT(struct kvm_sregs, ldt.dpl, 4, "vcpu0/sregs: segment 7 is none", "vcpu0/sregs"),
	AT(struct kvm_sregs, interrupt_bitmap, 6, "2 interrupts", "vcpu0/sregs"),
	AT(struct kvm_sregs2, gs.l, 2, "vcpu0/sregs2: segment 4 is none", "vcpu0/sregs2"),
	AT(struct kvm_sregs2, flags, 2, "vcpu0/sregs2: KVM refuses it", "vcpu0/sregs2"),
	AT(struct kvm_xcrs, nr_xcrs, 17, "vcpu0/xcrs: KVM refuses it", "vcpu0/xcrs"),
	AT(struct kvm_xcrs, xcrs[0].value, 2, "vcpu0/xcrs: KVM refuses it", "vcpu0/xcrs"),
	AT(struct kvm_xsave, region[130], 1, "vcpu0/xsave: KVM refuses it", "vcpu0/xsave"),
	AT(struct kvm_debugregs, flags, 1, "vcpu0/debugregs: KVM refuses", "vcpu0/debugregs"),
	AT(struct kvm_vcpu_events, exception.nr, 32, "vcpu0/events: no event", "vcpu0/events"),
	AT(struct kvm_vcpu_events, interrupt.shadow, 4, "vcpu0/events: no", "vcpu0/events"),
	AT(struct kvm_vcpu_events, nmi.masked, 2, "vcpu0/events: no event", "vcpu0/events"),
	AT(struct kvm_mp_state, mp_state, 5, "vcpu1/mp_state: state 5", "vcpu1/mp_state"),
	AT(struct kvm_msr_entry, reserved, 1, "it is damaged", "vcpu0/msrs"),
	AT(struct kvm_msr_entry, index, 0xef, "there is none here", "vcpu0/msrs"),
	{ "kvm/ioapic", offsetof(struct kvm_irqchip, chip.ioapic.irr) + 3, 1, "requests 0x1000" },
	/* Paging without protection. */
	{ "vcpu0/sregs", offsetof(struct kvm_sregs, cr0) + 3, 0x80, "vcpu0/sregs: KVM refuses it" },
	{ "memory/0", 0, 1, "memory/0: 2048 KiB at 0x1, but" },
	{ "memory/0", 9, 1, "memory/0: 2048 KiB at 0x0, but" },
	{ "memory/0", 16, 0, "memory/0: 0 pages in 8192 bytes" },
};

/* It is said in time, and the process lives. */
static void test_wrong_values_are_refused(void **state)
{
	struct sequence counter = { 0 };
	struct saved saved = save_running(*state, &counter);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		uint8_t *byte = find(&saved, wrong[i].record) + wrong[i].at, before = *byte;
		struct machine *machine = make_machine(*state, &counter, CPUS);
		struct cause cause = { "nothing" };
		int err;

		*byte = wrong[i].value;
		err = load(machine, &saved, &cause);
		if (err != -EINVAL || !strstr(cause.text, wrong[i].says))
			fail_msg("%d: '%s' does not say '%s'", err, cause.text, wrong[i].says);
		end_machine(machine);
		*byte = before;
	}
	free(saved.data);
}

static void test_other_machines_are_refused(void **state)
{
	struct sequence counter = { 0 };
	struct machine *one = make_machine(*state, &counter, 1);
	struct machine *two = make_machine(*state, &counter, 2);
	struct saved of_one = save(one), of_two = save(two);
	struct cause cause;

	assert_int_equal(load(two, &of_one, &cause), -EINVAL);
	assert_string_equal(cause.text, "saved state: vcpu1/sregs: it is not there");
	assert_int_equal(load(one, &of_two, &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "vcpu1/mp_state: nothing here takes it"));
	end_machine(one);
	end_machine(two);
	free(of_one.data);
	free(of_two.data);
}

/* Bytes changed at random: refused with a cause or taken, whichever, without harm. */
static void test_damage(void **state)
{
	struct sequence counter = { 0 };
	struct saved saved = save_running(*state, &counter);
	struct saved damaged = { malloc(saved.size), saved.size };
	unsigned seed = 1, refused = 0;

	for (unsigned round = 0; round < 150; round++) {
		struct machine *machine = make_machine(*state, &counter, CPUS);
		struct cause cause = { "" };

		memcpy(damaged.data, saved.data, saved.size);
		for (unsigned i = 0; i < 8; i++)
			damaged.data[(unsigned)rand_r(&seed) % saved.size] = (uint8_t)rand_r(&seed);
		if (load(machine, &damaged, &cause)) {
			assert_string_not_equal(cause.text, "");
			refused++;
		}
		end_machine(machine);
	}
	assert_in_range(refused, 1, 150);
	free(damaged.data);
	free(saved.data);
}

static int setup(void **state)
{
	struct kvm_host *kvm;

	assert_int_equal(kvm_open(&kvm, NULL), 0);
	*state = kvm;
	return 0;
}

static int teardown(void **state)
{
	kvm_close(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_clock_goes_on),
		cmocka_unit_test(test_wrong_values_are_refused),
		cmocka_unit_test(test_other_machines_are_refused),
		cmocka_unit_test(test_damage),
	};

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		perror("skipped: /dev/kvm");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
