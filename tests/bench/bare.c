/*
 * The floor: the least that a program must do to start a guest, in the right
 * order of calls (memory slots, irqchip and PIT, vCPU), and the least loop
 * around KVM_RUN. No libraries, linked statically, and one thread but for run2.
 *
 *   bare run  KERNEL MIB          start it; COM1 is standard output
 *   bare run2 KERNEL MIB          so too, beside a second thread that sleeps
 *   bare loop KERNEL MIB COUNT    start and end machines; prints ns to the first byte of each
 *   bare keep KERNEL MIB COUNT    start and keep them; prints ns of all, memory of each
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "measure.h"

#define CPUID_MAX 256
#define PAGE 4096u
#define COM1 0x3f8

union cpuid {
	struct kvm_cpuid2 head;
	uint8_t room[sizeof(struct kvm_cpuid2) + CPUID_MAX * sizeof(struct kvm_cpuid_entry2)];
};

struct host {
	int fd;
	size_t run_size;
	union cpuid *cpuid;
	const uint8_t *kernel; /* ELF file */
	size_t kernel_size;
	uint64_t ram_size;
};

struct machine {
	int fd, vcpu;
	uint8_t *ram;
	struct kvm_run *run;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void open_host(struct host *host, const char *kernel, unsigned mib)
{
	struct stat st;
	int fd = open(kernel, O_RDONLY);

	must(fd >= 0 && !fstat(fd, &st), kernel);
	host->kernel_size = (size_t)st.st_size;
	host->kernel = mmap(NULL, host->kernel_size, PROT_READ, MAP_PRIVATE, fd, 0);
	must(host->kernel != MAP_FAILED, kernel);
	close(fd);
	host->ram_size = (uint64_t)mib << 20;
	host->fd = open("/dev/kvm", O_RDWR);
	must(host->fd >= 0, "/dev/kvm");
	host->run_size = (size_t)ioctl(host->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	host->cpuid = calloc(1, sizeof(*host->cpuid));
	must(host->cpuid != NULL, "memory");
	host->cpuid->head.nent = CPUID_MAX;
	must(!ioctl(host->fd, KVM_GET_SUPPORTED_CPUID, host->cpuid), "KVM_GET_SUPPORTED_CPUID");
}

static uint64_t load(const struct host *host, uint8_t *ram)
{
	const Elf64_Ehdr *header = (const void *)host->kernel;
	const Elf64_Phdr *segment = (const void *)(host->kernel + header->e_phoff);

	for (unsigned i = 0; i < header->e_phnum; i++)
		if (segment[i].p_type == PT_LOAD)
			memcpy(ram + segment[i].p_paddr, host->kernel + segment[i].p_offset,
			       segment[i].p_filesz);
	return header->e_entry;
}

/* As the PVH protocol wants it: 32-bit protected mode, flat, no paging. */
static void set_state(int vcpu, uint64_t entry)
{
	struct kvm_segment code = { .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1,
				    .db = 1, .s = 1, .g = 1 };
	struct kvm_segment data = { .limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
				    .db = 1, .s = 1, .g = 1 };
	struct kvm_regs regs = { .rip = entry, .rflags = 2 };
	struct kvm_sregs sregs;

	must(!ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = 0x11;
	must(!ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	must(!ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void create(struct machine *machine, const struct host *host)
{
	struct kvm_userspace_memory_region slot = { .memory_size = host->ram_size };
	struct kvm_pit_config pit = { 0 };

	machine->ram = mmap(NULL, host->ram_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(machine->ram != MAP_FAILED, "RAM");
	machine->fd = ioctl(host->fd, KVM_CREATE_VM, 0);
	must(machine->fd >= 0, "KVM_CREATE_VM");
	slot.userspace_addr = (uintptr_t)machine->ram;
	must(!ioctl(machine->fd, KVM_SET_USER_MEMORY_REGION, &slot), "memory slot");
	must(!ioctl(machine->fd, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	must(!ioctl(machine->fd, KVM_CREATE_PIT2, &pit), "KVM_CREATE_PIT2");
	machine->vcpu = ioctl(machine->fd, KVM_CREATE_VCPU, 0);
	must(machine->vcpu >= 0, "KVM_CREATE_VCPU");
	machine->run = mmap(NULL, host->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    machine->vcpu, 0);
	must(machine->run != MAP_FAILED, "vCPU");
	must(!ioctl(machine->vcpu, KVM_SET_CPUID2, host->cpuid), "KVM_SET_CPUID2");
	set_state(machine->vcpu, load(host, machine->ram));
}

static void destroy(struct machine *machine, const struct host *host)
{
	munmap(machine->run, host->run_size);
	close(machine->vcpu);
	close(machine->fd);
	munmap(machine->ram, host->ram_size);
}

/* Runs until the guest writes to COM1. */
static void run_to_byte(struct machine *machine)
{
	struct kvm_run *run = machine->run;

	for (;;) {
		if (ioctl(machine->vcpu, KVM_RUN, 0)) {
			must(errno == EINTR, "KVM_RUN"); /* it was stopped and goes on */
			continue;
		}
		if (run->exit_reason != KVM_EXIT_IO) {
			fprintf(stderr, "bare: exit %u\n", run->exit_reason);
			exit(1);
		}
		if (run->io.port == COM1)
			return;
	}
}

static void run_for_ever(const struct host *host)
{
	struct machine machine;

	create(&machine, host);
	for (;;) {
		run_to_byte(&machine);
		must(write(STDOUT_FILENO, (uint8_t *)machine.run + machine.run->io.data_offset,
			   1) == 1, "output");
	}
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/*
 * A monitor has threads besides the vCPU's, and while files are shared by
 * threads the kernel counts a reference to the file at each ioctl.
 */
static void run_beside_a_thread(const struct host *host)
{
	pthread_t thread;

	must(!pthread_create(&thread, NULL, sleep_for_ever, NULL), "thread");
	run_for_ever(host);
}

static void loop(const struct host *host, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t start = clock_monotonic();
		struct machine machine;

		create(&machine, host);
		run_to_byte(&machine);
		printf("start %" PRIu64 "\n", clock_monotonic() - start);
		destroy(&machine, host);
	}
}

static uint64_t resident(const struct machine *machine, uint64_t size)
{
	static unsigned char pages[1u << 18];
	uint64_t count = 0;

	if (size / PAGE > sizeof(pages) || mincore(machine->ram, size, pages))
		return 0;
	for (uint64_t i = 0; i < size / PAGE; i++)
		count += pages[i] & 1;
	return count * PAGE;
}

/* What only the first machine costs is spent before the count begins. */
static void keep(const struct host *host, unsigned count)
{
	struct machine *machines = calloc(count, sizeof(*machines));
	struct footprint before, after;
	uint64_t start, ns, ram = 0;
	struct machine first;

	must(machines != NULL, "memory");
	create(&first, host);
	run_to_byte(&first);
	usleep(SETTLE_US);
	before = footprint_now();
	start = clock_monotonic();
	for (unsigned i = 0; i < count; i++) {
		create(&machines[i], host);
		run_to_byte(&machines[i]);
	}
	ns = clock_monotonic() - start;
	usleep(SETTLE_US);
	after = footprint_now();
	for (unsigned i = 0; i < count; i++)
		ram += resident(&machines[i], host->ram_size);
	print_kept(ns, count, ram, &before, &after);
}

int main(int argc, char **argv)
{
	struct host host;

	if (argc < 4)
		return 2;
	raise_file_limit();
	open_host(&host, argv[2], (unsigned)atoi(argv[3]));
	if (!strcmp(argv[1], "run"))
		run_for_ever(&host);
	else if (!strcmp(argv[1], "run2"))
		run_beside_a_thread(&host);
	else if (argc > 4 && !strcmp(argv[1], "loop"))
		loop(&host, (unsigned)atoi(argv[4]));
	else if (argc > 4)
		keep(&host, (unsigned)atoi(argv[4]));
	return 0;
}
