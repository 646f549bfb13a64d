/*
 * The life of real machines under KVM: orders from several threads at once,
 * resets, failures to start, and what is left afterwards. Skips without /dev/kvm.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "core/boot/boot.h"
#include "core/machine/console.h"
#include "core/machine/machine.h"
#include "demo/image.h"
#include "lib/pvh_image.h"
#include "net/network.h"
#include "open_files.h"

#define PATIENCE 240 /* seconds until a machine counts as stuck */
#define CROWD 8

struct bench {
	struct boot_image builtin;
	struct kvm_host *kvm;
	struct network *network;
	struct net_switch *sw;
	struct loop loop; /* in the deck's place; never run */
};

struct subject {
	struct bench *bench;
	struct profile profile;
	struct profile_net net;
	struct console console;
	struct machine *machine;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned changes;
	int disk_fd;
};

static int setup(void **state)
{
	const struct switch_config config = { .name = "lan" };
	struct bench *bench = calloc(1, sizeof(*bench));
	struct cause cause;

	bench->builtin = (struct boot_image){ .data = demo_image, .size = demo_image_size };
	assert_int_equal(kvm_open(&bench->kvm, &cause), 0);
	assert_int_equal(network_new(&bench->network, &cause), 0);
	assert_int_equal(switch_new(&bench->sw, bench->network, &config, &cause), 0);
	assert_int_equal(loop_init(&bench->loop, &cause), 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	switch_free(bench->sw);
	network_free(bench->network);
	loop_destroy(&bench->loop);
	kvm_close(bench->kvm);
	free(bench);
	return 0;
}

/* --- a machine --- */

static void changed(void *arg)
{
	struct subject *subject = arg;

	pthread_mutex_lock(&subject->lock);
	subject->changes++;
	pthread_cond_broadcast(&subject->cond);
	pthread_mutex_unlock(&subject->lock);
}

static void subject_init(struct subject *subject, struct bench *bench, const char *name,
			 unsigned cpus)
{
	struct profile *profile = &subject->profile;
	char text[64];

	memset(subject, 0, sizeof(*subject));
	subject->bench = bench;
	pthread_mutex_init(&subject->lock, NULL);
	pthread_cond_init(&subject->cond, NULL);
	assert_int_equal(console_init(&subject->console, &bench->loop), 0);
	snprintf(profile->name, sizeof(profile->name), "%s", name);
	profile->cpus = cpus;
	profile->memory = 16u << 20;
	snprintf(text, sizeof(text), "name=%s", name);
	profile->cmdline = strdup(text);
	profile->nets[0] = &subject->net;
	strcpy(profile->nets[0]->switch_name, "lan");
	profile_derive_mac(name, 0, profile->nets[0]->mac);
	subject->disk_fd = memfd_create(name, MFD_CLOEXEC);
	assert_true(subject->disk_fd >= 0);
	assert_int_equal(ftruncate(subject->disk_fd, 1 << 20), 0);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", subject->disk_fd);
	profile->disks[2].present = true;
	profile->disks[2].path = strdup(text);
}

static void subject_destroy(struct subject *subject)
{
	free(subject->profile.cmdline);
	free(subject->profile.disks[2].path);
	free(subject->profile.kernel);
	close(subject->disk_fd);
	console_destroy(&subject->console);
	pthread_mutex_destroy(&subject->lock);
	pthread_cond_destroy(&subject->cond);
}

static void subject_start(struct subject *subject)
{
	const struct machine_config config = {
		.kvm = subject->bench->kvm,
		.profile = &subject->profile,
		.builtin = &subject->bench->builtin,
		.network = subject->bench->network,
		.consoles = { &subject->console },
		.changed = changed,
		.arg = subject,
	};
	struct cause cause;

	assert_int_equal(machine_start(&subject->machine, &config, &cause), 0);
}

/* Waits until the machine is in this phase, and has begun anew at least this often. */
static void wait_for(struct subject *subject, enum machine_phase phase, unsigned restarts,
		     struct machine_status *status)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE;
	pthread_mutex_lock(&subject->lock);
	for (;;) {
		unsigned changes = subject->changes;

		pthread_mutex_unlock(&subject->lock);
		machine_get_status(subject->machine, status);
		pthread_mutex_lock(&subject->lock);
		if (status->phase == phase && status->restarts >= restarts)
			break;
		assert_int_not_equal(status->phase, MACHINE_ENDED);
		while (changes == subject->changes)
			assert_int_equal(pthread_cond_timedwait(&subject->cond, &subject->lock, &end),
					 0);
	}
	pthread_mutex_unlock(&subject->lock);
}

static void subject_end(struct subject *subject, struct machine_status *status)
{
	wait_for(subject, MACHINE_ENDED, 0, status);
	machine_free(subject->machine);
	subject->machine = NULL;
}

/* Waits until the guest has printed text. */
static void wait_for_output(struct subject *subject, const char *text)
{
	uint64_t end = clock_monotonic() + PATIENCE * NS_PER_S;
	bool found = false;

	while (!found) {
		char *tail = console_tail(&subject->console, 100);

		found = strstr(tail, text) != NULL;
		free(tail);
		assert_true(clock_monotonic() < end);
		if (!found)
			usleep(2000);
	}
}

/* --- tests --- */

static void test_start_and_off(void **state)
{
	struct machine_status status;
	struct subject subject;
	unsigned before;

	subject_init(&subject, *state, "one", 2);
	before = open_files();
	for (unsigned i = 0; i < 30; i++) {
		subject_start(&subject);
		/* At every moment of its start. */
		if (i % 3 == 0)
			wait_for(&subject, MACHINE_RUNNING, 0, &status);
		else if (i % 3 == 1)
			usleep(i * 50);
		machine_order(subject.machine, METHOD_GUEST_OFF);
		subject_end(&subject, &status);
		assert_int_equal(status.end, VM_POWERED_OFF);
		assert_string_equal(status.reason, "switched off");
		assert_int_equal(open_files(), before);
	}
	subject_destroy(&subject);
}

static void test_guest_switches_off(void **state)
{
	struct machine_status status;
	struct subject subject;

	subject_init(&subject, *state, "one", 1);
	subject_start(&subject);
	wait_for_output(&subject, "Type help");
	assert_int_equal(console_input(&subject.console, (const uint8_t *)"poweroff\n", 9), 9);
	subject_end(&subject, &status);
	assert_int_equal(status.end, VM_POWERED_OFF);
	assert_string_equal(status.reason, "powered off");

	/* Nobody takes input any more. */
	assert_int_equal(console_input(&subject.console, (const uint8_t *)"x", 1), 0);
	subject_destroy(&subject);
}

static void test_reset_and_devices(void **state)
{
	struct machine_status status;
	struct guest_device devices[4];
	struct machine_counters counters;
	struct subject subject;

	subject_init(&subject, *state, "one", 1);
	subject_start(&subject);
	for (unsigned i = 1; i <= 5; i++) {
		wait_for(&subject, MACHINE_RUNNING, i - 1, &status);
		machine_order(subject.machine, METHOD_GUEST_RESET);
		wait_for(&subject, MACHINE_RUNNING, i, &status);
		assert_string_equal(status.reason, "reset");
	}
	do {
		assert_true(machine_sample(subject.machine, &counters));
	} while (!counters.exits[KVM_EXIT_IO]);
	assert_int_equal(machine_devices(subject.machine, devices, 4), 2);
	assert_string_equal(devices[0].name, "disk2"); /* as in the profile */
	assert_string_equal(devices[1].name, "net0");
	assert_int_equal(counters.cpus, 1);
	assert_true(counters.cpu_ns[0] > 0);
	machine_order(subject.machine, METHOD_GUEST_OFF);
	subject_end(&subject, &status);
	subject_destroy(&subject);
}

/* A guest that does nothing but reset itself: a few times at once, then in its turn. */
static void test_reset_loop(void **state)
{
	struct machine_status status;
	struct subject subject;
	uint64_t begun;

	subject_init(&subject, *state, "one", 1);
	free(subject.profile.cmdline);
	subject.profile.cmdline = strdup("name=one cmd=\"reboot\"");
	begun = clock_monotonic();
	subject_start(&subject);
	wait_for(&subject, MACHINE_STARTING, 6, &status);
	assert_string_equal(status.reason, "reset by the guest");
	wait_for(&subject, MACHINE_STARTING, 9, &status);
	assert_true(clock_monotonic() - begun > 3 * NS_PER_S);

	/* While it waits it obeys. */
	machine_order(subject.machine, METHOD_GUEST_PAUSE);
	machine_order(subject.machine, METHOD_GUEST_OFF);
	subject_end(&subject, &status);
	assert_int_equal(status.end, VM_POWERED_OFF);
	assert_string_equal(status.reason, "switched off");
	subject_destroy(&subject);
}

/* One that resets itself over and over is paused, whenever that is ordered, and stays so. */
static void test_pause_in_a_reset_loop(void **state)
{
	struct machine_status status;
	struct subject subject;
	unsigned restarts = 0;

	subject_init(&subject, *state, "one", 1);
	free(subject.profile.cmdline);
	subject.profile.cmdline = strdup("name=one cmd=\"reboot\"");
	subject_start(&subject);
	for (unsigned i = 0; i < 8; i++) {
		wait_for(&subject, i % 2 ? MACHINE_RUNNING : MACHINE_STARTING, i, &status);
		usleep(i * 300);
		machine_order(subject.machine, METHOD_GUEST_PAUSE);
		wait_for(&subject, MACHINE_PAUSED, 0, &status);
		restarts = status.restarts;
		usleep(20000);
		machine_get_status(subject.machine, &status);
		assert_int_equal(status.phase, MACHINE_PAUSED);
		assert_int_equal(status.restarts, restarts);
		machine_order(subject.machine, METHOD_GUEST_RESUME);
	}
	wait_for(&subject, MACHINE_STARTING, restarts + 1, &status);
	/* An order that another one follows before there is a machine again. */
	machine_order(subject.machine, METHOD_GUEST_PAUSE);
	machine_order(subject.machine, METHOD_GUEST_OFF);
	subject_end(&subject, &status);
	assert_string_equal(status.reason, "switched off");
	subject_destroy(&subject);
}

/* One that resets itself over and over ends by its power button, whenever that is pressed. */
static void test_button_in_a_reset_loop(void **state)
{
	struct machine_status status;
	struct subject subject;

	subject_init(&subject, *state, "one", 1);
	free(subject.profile.cmdline);
	subject.profile.cmdline = strdup("name=one cmd=\"reboot\"");
	for (unsigned i = 0; i < 8; i++) {
		subject_start(&subject);
		wait_for(&subject, i % 2 ? MACHINE_RUNNING : MACHINE_STARTING, i, &status);
		usleep(i * 300);
		machine_order(subject.machine, METHOD_GUEST_STOP);
		subject_end(&subject, &status);
		assert_int_equal(status.end, VM_POWERED_OFF);
		if (strcmp(status.reason, "switched off") != 0)
			assert_string_equal(status.reason, "reset by the guest, after its power "
							   "button was pressed");
	}
	subject_destroy(&subject);
}

struct orderer {
	struct subject *subjects;
	unsigned count, seed;
	atomic_bool *stop;
};

/* Orders of all kinds but the last, to any of them. */
static void *give_orders(void *arg)
{
	static const enum method_id orders[] = { METHOD_GUEST_PAUSE, METHOD_GUEST_RESUME,
						 METHOD_GUEST_RESET, METHOD_GUEST_STOP };
	struct orderer *orderer = arg;
	unsigned seed = orderer->seed;

	for (unsigned i = 0; i < 150; i++) {
		struct subject *subject = &orderer->subjects[(unsigned)rand_r(&seed) % orderer->count];
		unsigned kind = (unsigned)rand_r(&seed) % 16;

		/* A power button ends the guest, which is not yet wanted. */
		machine_order(subject->machine, orders[kind < 7 ? 0 : kind < 14 ? 1 : 2]);
		usleep((unsigned)rand_r(&seed) % 3000);
	}
	return NULL;
}

static void *look(void *arg)
{
	struct orderer *orderer = arg;
	struct machine_counters counters;
	struct machine_status status;
	struct guest_device devices[8];

	while (!atomic_load(orderer->stop)) {
		for (unsigned i = 0; i < orderer->count; i++) {
			struct subject *subject = &orderer->subjects[i];

			machine_sample(subject->machine, &counters);
			machine_get_status(subject->machine, &status);
			machine_devices(subject->machine, devices, 8);
			machine_memory(subject->machine);
			console_input(&subject->console, (const uint8_t *)"status\n", 7);
		}
		usleep(500);
	}
	return NULL;
}

static void torture(struct bench *bench, unsigned count)
{
	struct subject subjects[CROWD];
	struct machine_status status;
	atomic_bool stop = false;
	struct orderer orderers[3];
	pthread_t threads[3];
	unsigned before;

	for (unsigned i = 0; i < count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "guest%u", i);
		subject_init(&subjects[i], bench, name, 1 + i % 2);
	}
	before = open_files();
	for (unsigned i = 0; i < count; i++)
		subject_start(&subjects[i]);
	for (unsigned i = 0; i < 3; i++) {
		orderers[i] = (struct orderer){ subjects, count, i + 1, &stop };
		assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? give_orders : look,
						&orderers[i]), 0);
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	for (unsigned i = 0; i < count; i++)
		machine_order(subjects[i].machine, METHOD_GUEST_OFF);
	for (unsigned i = 0; i < count; i++) {
		wait_for(&subjects[i], MACHINE_ENDED, 0, &status);
		if (status.end != VM_POWERED_OFF)
			fail_msg("%s", status.reason);
	}
	atomic_store(&stop, true);
	pthread_join(threads[2], NULL);
	for (unsigned i = 0; i < count; i++)
		machine_free(subjects[i].machine);
	assert_int_equal(open_files(), before);
	for (unsigned i = 0; i < count; i++)
		subject_destroy(&subjects[i]);
}

static void test_torture_one(void **state)
{
	torture(*state, 1);
}

static void test_torture_crowd(void **state)
{
	torture(*state, CROWD);
}

static void expect_failure(struct subject *subject, const char *reason)
{
	unsigned before = open_files();
	struct machine_status status;

	subject_start(subject);
	subject_end(subject, &status);
	assert_int_equal(status.end, VM_RUNS);
	if (!strstr(status.reason, reason))
		fail_msg("'%s' does not say '%s'", status.reason, reason);
	assert_int_equal(open_files(), before);
}

static void test_failures(void **state)
{
	struct subject subject;
	struct profile *profile = &subject.profile;
	char *path;

	subject_init(&subject, *state, "one", 1);
	strcpy(profile->nets[0]->switch_name, "elsewhere");
	expect_failure(&subject, "elsewhere");
	strcpy(profile->nets[0]->switch_name, "lan");

	path = profile->disks[2].path;
	profile->disks[2].path = (char *)"/nonexistent/disk";
	expect_failure(&subject, "/nonexistent/disk");
	profile->disks[2].path = path;

	profile->kernel = strdup("/nonexistent/kernel");
	expect_failure(&subject, "/nonexistent/kernel");

	/* A second NIC with the address of the first: the first one has to go again. */
	free(profile->kernel);
	profile->kernel = NULL;
	profile->nets[3] = profile->nets[0];
	expect_failure(&subject, "one/net3");
	subject_destroy(&subject);
}

/* What cannot be built again after a reset could not be started. */
static void test_failed_restart(void **state)
{
	char path[] = "/tmp/vmdeck-test-XXXXXX";
	int fd = mkstemp(path);
	struct machine_status status;
	struct subject subject;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, demo_image, demo_image_size), demo_image_size);
	close(fd);
	subject_init(&subject, *state, "one", 1);
	subject.profile.kernel = strdup(path);
	subject_start(&subject);
	wait_for(&subject, MACHINE_RUNNING, 0, &status);
	unlink(path);
	machine_order(subject.machine, METHOD_GUEST_RESET);
	subject_end(&subject, &status);
	assert_int_equal(status.end, VM_RUNS);
	assert_non_null(strstr(status.reason, path));
	subject_destroy(&subject);
}

/* A kernel of that code, whose vCPUs but the first stay out of it. */
static void give_code(struct subject *subject, const uint8_t *code, size_t size)
{
	struct pvh_image image = PVH_IMAGE(0);
	char path[64];

	memcpy(image.code, code, size);
	assert_int_equal(pwrite(subject->disk_fd, &image, sizeof(image), 0), sizeof(image));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", subject->disk_fd);
	subject->profile.kernel = strdup(path);
	free(subject->profile.disks[2].path);
	subject->profile.disks[2].path = NULL;
	subject->profile.disks[2].present = false;
}

/* Resuming must not wait for a vCPU that ended the guest as the first thing that it did. */
static void test_guest_that_ends_when_it_is_resumed(void **state)
{
	/* Looks at the TSC; resets through port 0xcf9 when it has jumped by 10^9. */
	static const uint8_t code[] = {
		0x0f, 0x31,			/*    rdtsc */
		0x89, 0xc3,			/*    mov %eax, %ebx */
		0x0f, 0x31,			/* 1: rdtsc */
		0x89, 0xc1,			/*    mov %eax, %ecx */
		0x29, 0xd8,			/*    sub %ebx, %eax */
		0x89, 0xcb,			/*    mov %ecx, %ebx */
		0x3d, 0x00, 0xca, 0x9a, 0x3b,	/*    cmp $1000000000, %eax */
		0x76, 0xf1,			/*    jbe 1b */
		0x66, 0xba, 0xf9, 0x0c,		/*    mov $0xcf9, %dx */
		0xb0, 0x06,			/*    mov $6, %al */
		0xee,				/*    out %al, %dx */
		0xeb, 0xfe,			/*    jmp . */
	};
	struct machine_status status;
	struct subject subject;

	subject_init(&subject, *state, "jumpy", 4);
	give_code(&subject, code, sizeof(code));
	subject_start(&subject);
	for (unsigned round = 0; round < 3; round++) {
		wait_for(&subject, MACHINE_RUNNING, round, &status);
		usleep(20000);
		machine_order(subject.machine, METHOD_GUEST_PAUSE);
		wait_for(&subject, MACHINE_PAUSED, 0, &status);
		usleep(1000000);
		machine_order(subject.machine, METHOD_GUEST_RESUME);
	}
	wait_for(&subject, MACHINE_RUNNING, 3, &status);
	machine_order(subject.machine, METHOD_GUEST_OFF);
	subject_end(&subject, &status);
	subject_destroy(&subject);
}

static uint64_t cpu_time(void)
{
	return clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

static void test_paused_guest_uses_no_cpu(void **state)
{
	static const uint8_t code[] = { 0xf4, 0xeb, 0xfd }; /* 1: hlt; jmp 1b */
	struct machine_status status;
	struct subject subject;
	uint64_t before;

	subject_init(&subject, *state, "idle", 4);
	give_code(&subject, code, sizeof(code));
	subject_start(&subject);
	wait_for(&subject, MACHINE_RUNNING, 0, &status);
	machine_order(subject.machine, METHOD_GUEST_PAUSE);
	wait_for(&subject, MACHINE_PAUSED, 0, &status);
	usleep(100000); /* what the order itself costs */
	before = cpu_time();
	sleep(1);
	assert_in_range(cpu_time() - before, 0, 20 * NS_PER_MS);
	machine_order(subject.machine, METHOD_GUEST_OFF);
	subject_end(&subject, &status);
	subject_destroy(&subject);
}

/* What the profile says is done before the vCPU that asked for it goes on. */
static void test_remedies(void **state)
{
	static const uint8_t code[] = {
		0xc6, 0x05, 0x00, 0x00, 0x00, 0xc0, 0x01, /* movb $1, 0xc0000000: it panicked */
		0x66, 0xba, 0xf9, 0x0c,			  /* mov $0xcf9, %dx */
		0xb0, 0x06,				  /* mov $6, %al */
		0xee,					  /* out %al, %dx: reset */
		0xeb, 0xfe,				  /* jmp . */
	};
	static const char panicked[] = "its kernel panicked";
	struct machine_status status;
	struct subject subject;

	subject_init(&subject, *state, "panic", 2);
	give_code(&subject, code, sizeof(code));
	subject.profile.nets[0] = NULL;
	subject.profile.on_panic = REMEDY_PAUSE;
	subject_start(&subject);
	wait_for(&subject, MACHINE_PAUSED, 0, &status);
	assert_string_equal(status.stall, panicked);
	assert_int_equal(status.restarts, 0);
	machine_order(subject.machine, METHOD_GUEST_RESUME);
	wait_for(&subject, MACHINE_PAUSED, 1, &status);
	assert_string_equal(status.reason, "reset by the guest");
	machine_order(subject.machine, METHOD_GUEST_OFF);
	subject_end(&subject, &status);

	subject.profile.on_panic = REMEDY_RESET;
	subject_start(&subject);
	wait_for(&subject, MACHINE_STARTING, 1, &status);
	assert_string_equal(status.reason, panicked);
	machine_order(subject.machine, METHOD_GUEST_OFF);
	subject_end(&subject, &status);

	subject.profile.on_panic = REMEDY_STOP;
	subject_start(&subject);
	subject_end(&subject, &status);
	assert_int_equal(status.end, VM_CRASHED);
	assert_string_equal(status.reason, panicked);
	subject_destroy(&subject);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_and_off),
		cmocka_unit_test(test_guest_switches_off),
		cmocka_unit_test(test_reset_and_devices),
		cmocka_unit_test(test_reset_loop),
		cmocka_unit_test(test_pause_in_a_reset_loop),
		cmocka_unit_test(test_button_in_a_reset_loop),
		cmocka_unit_test(test_torture_one),
		cmocka_unit_test(test_torture_crowd),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_failed_restart),
		cmocka_unit_test(test_guest_that_ends_when_it_is_resumed),
		cmocka_unit_test(test_paused_guest_uses_no_cpu),
		cmocka_unit_test(test_remedies),
	};

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		perror("skipped: /dev/kvm");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
