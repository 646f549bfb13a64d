/*
 * Small kernels that are loaded and run under KVM, and tell what they began
 * with: the entry states of both protocols. Skips without /dev/kvm.
 */
#include <asm/bootparam.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/boot/acpi.h"
#include "core/boot/boot.h"
#include "lib/guest_memory.h"
#include "lib/pvh_image.h"

#define MEMORY_SIZE 0x4000000u
#define RESULTS 0x300000u /* the kernels write 32-bit words there, ds first */
#define DONE_PORT 0x80

/*
 * Entered 0x200 bytes into the image in long mode; loads its segments again, to use the GDT,
 * and reads the last word of the RAM through the page tables.
 */
__asm__(".pushsection .rodata\n"
	".code64\n"
	"linux_start: mov $0x300000, %rdi\n"
	"mov %ds, %eax\n mov %eax, (%rdi)\n"
	"mov %cs, %eax\n mov %eax, 4(%rdi)\n"
	"mov 0x202(%rsi), %eax\n mov %eax, 8(%rdi)\n"
	"mov 0x228(%rsi), %eax\n mov (%rax), %eax\n mov %eax, 12(%rdi)\n"
	"mov $0x18, %eax\n mov %eax, %ds\n mov %eax, %ss\n mov %eax, %es\n"
	"mov $0x80000, %esp\n"
	"push $0x10\n lea 1f(%rip), %rax\n push %rax\n lretq\n"
	"1: mov 0x3fffffc, %eax\n mov %eax, 16(%rdi)\n"
	"mov %esi, 20(%rdi)\n"
	"out %al, $0x80\n hlt\n"
	"linux_end:\n"
	".popsection\n");

/* Entered in flat 32-bit mode; reads the start info and the root pointer that it names. */
__asm__(".pushsection .rodata\n"
	".code32\n"
	"pvh_start: mov $0x300000, %edi\n"
	"mov %ds, %eax\n mov %eax, (%edi)\n"
	"mov %cs, %eax\n mov %eax, 4(%edi)\n"
	"mov (%ebx), %eax\n mov %eax, 8(%edi)\n"
	"mov 24(%ebx), %eax\n mov (%eax), %eax\n mov %eax, 12(%edi)\n"
	"mov 32(%ebx), %eax\n mov (%eax), %eax\n mov %eax, 16(%edi)\n"
	"mov %cr0, %eax\n mov %eax, 20(%edi)\n"
	"out %al, $0x80\n hlt\n"
	"pvh_end:\n"
	".code64\n"
	".popsection\n");

extern const uint8_t linux_start[], linux_end[], pvh_start[], pvh_end[];

struct fixture {
	int kvm, vm, vcpu;
	struct guest_memory memory;
	struct boot_entry entry;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct cause cause;

	assert_non_null(f);
	f->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	assert_true(f->kvm >= 0);
	f->vm = ioctl(f->kvm, KVM_CREATE_VM, 0);
	assert_true(f->vm >= 0);
	if (memory_create(&f->memory, MEMORY_SIZE, &cause) ||
	    memory_attach(&f->memory, f->vm, &cause))
		fail_msg("%s", cause.text);
	f->vcpu = ioctl(f->vm, KVM_CREATE_VCPU, 0);
	assert_true(f->vcpu >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->vcpu);
	close(f->vm);
	close(f->kvm);
	memory_destroy(&f->memory);
	free(f);
	return 0;
}

/* Loads the kernel and runs it until it is done. */
static void run(struct fixture *f, const void *kernel, size_t size)
{
	const struct boot_image image = { .data = kernel, .size = size };
	struct boot_source source = { .image = &image, .cmdline = "quiet" };
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_run *shared;
	struct cause cause;
	uint64_t rsdp;
	int map_size;

	assert_int_equal(acpi_build(&f->memory, &(struct topology){ 1, 1, 1 }, &rsdp), 0);
	if (boot_load(&source, &f->memory, rsdp, &f->entry, &cause))
		fail_msg("%s", cause.text);
	assert_int_equal(ioctl(f->vcpu, KVM_GET_SREGS, &sregs), 0);
	boot_vcpu_state(&f->entry, &sregs, &regs);
	assert_int_equal(ioctl(f->vcpu, KVM_SET_SREGS, &sregs), 0);
	assert_int_equal(ioctl(f->vcpu, KVM_SET_REGS, &regs), 0);
	map_size = ioctl(f->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	shared = mmap(NULL, (size_t)map_size, PROT_READ | PROT_WRITE, MAP_SHARED, f->vcpu, 0);
	assert_true(shared != MAP_FAILED);
	assert_int_equal(ioctl(f->vcpu, KVM_RUN, 0), 0);
	assert_int_equal(shared->exit_reason, KVM_EXIT_IO);
	assert_int_equal(shared->io.port, DONE_PORT);
	munmap(shared, (size_t)map_size);
}

static uint32_t result(struct fixture *f, unsigned index)
{
	uint32_t value = 0;

	assert_int_equal(memory_read(&f->memory, RESULTS + 4 * index, &value, 4), 0);
	return value;
}

static uint32_t text(const char *four)
{
	uint32_t value;

	memcpy(&value, four, 4);
	return value;
}

static void test_linux(void **state)
{
	static uint8_t image[4096];
	struct setup_header *hdr = (void *)(image + 0x1f1);
	uint32_t last = 0x12345678;
	struct fixture *f = *state;

	hdr->setup_sects = 1;
	hdr->syssize = 3072 / 16;
	hdr->boot_flag = 0xaa55;
	hdr->jump = 0xeb | 0x6a << 8;
	hdr->header = text("HdrS");
	hdr->version = 0x20f;
	hdr->kernel_alignment = 0x200000;
	hdr->relocatable_kernel = 1;
	hdr->xloadflags = XLF_KERNEL_64;
	hdr->cmdline_size = 255;
	hdr->pref_address = 0x1000000;
	memcpy(image + 1024 + 0x200, linux_start, (size_t)(linux_end - linux_start));
	assert_int_equal(memory_write(&f->memory, MEMORY_SIZE - 4, &last, 4), 0);
	run(f, image, sizeof(image));
	assert_int_equal(result(f, 0), 0x18);
	assert_int_equal(result(f, 1), 0x10);
	assert_int_equal(result(f, 2), text("HdrS"));
	assert_int_equal(result(f, 3), text("quie"));
	assert_int_equal(result(f, 4), last);
	assert_int_equal(result(f, 5), f->entry.start_info);
}

static void test_pvh(void **state)
{
	static struct pvh_image elf = PVH_IMAGE(0);
	struct fixture *f = *state;

	memcpy(elf.code, pvh_start, (size_t)(pvh_end - pvh_start));
	run(f, &elf, sizeof(elf));
	assert_int_equal(result(f, 2), 0x336ec578);
	assert_int_equal(result(f, 3), text("quie"));
	assert_int_equal(result(f, 4), text("RSD "));
	assert_int_equal(result(f, 5) & 0x80000001, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_linux, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pvh, setup, teardown),
	};

	if (access("/dev/kvm", R_OK | W_OK) != 0) {
		printf("/dev/kvm cannot be used\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
