/*
 * Whole machines saved in the middle of their work and loaded into fresh ones of the same
 * process: the built-in guest under TCP and disk traffic, over and over, and Linux.
 * Skips without /dev/kvm.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/machine/machine.h"
#include "core/machine/snapshot.h"
#include "demo/image.h"
#include "net/network.h"

#define PATIENCE (240 * NS_PER_S)
#define GLANCE (2 * NS_PER_MS) /* how often the console is looked at */
#define ROUNDS 20
#define ATTEMPTS 60 /* at so many rounds */
#define MIB_FIRST 8u /* each job's; more when a machine is so fast that they end before the save */
#define MIB_MAX 256u
#define BEGUN 65536 /* bytes that a job has moved before the save */
#define DISK_SIZE ((MIB_MAX + 1ull) << 20)
#define ADDRESS 0x0a000202u /* of the switch */
#define LINUX_DISK (4u << 20)
#define BODY_SIZE 65536

/* A guest's console, as somebody who types and reads. */
struct line {
	struct console console;
	struct console_reader reader;
	char text[65536]; /* what has come and was not yet looked for */
	size_t size;
};

/* What machines live in; this thread is the I/O thread of the one that is saved. */
struct world {
	struct kvm_host *kvm;
	struct network *network;
	struct net_switch *sw;
	struct boot_image builtin;
	struct loop loop, deck_loop; /* the latter is never run */
	struct loop_timer glance;
	atomic_bool ended; /* by the guest */

	struct profile profile;
	struct vm_config config;
	struct vm *vm;
	struct line line;
	int disk_fd;
};

static void guest_ended(void *arg)
{
	struct world *world = arg;

	atomic_store(&world->ended, true);
	loop_stop(&world->loop);
}

static void disk_full(void *arg, const char *why)
{
	(void)arg;
	fail_msg("%s", why);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static int setup(void **state)
{
	const struct switch_config config = { .name = "lan", .uplink = &port_nat,
					      .address = ADDRESS, .prefix = 24 };
	struct world *world = calloc(1, sizeof(*world));
	struct cause cause;

	assert_int_equal(kvm_open(&world->kvm, &cause), 0);
	assert_int_equal(network_new(&world->network, &cause), 0);
	assert_int_equal(switch_new(&world->sw, world->network, &config, &cause), 0);
	assert_int_equal(loop_init(&world->loop, &cause), 0);
	assert_int_equal(loop_init(&world->deck_loop, &cause), 0);
	world->glance = (struct loop_timer){ .fire = stop_loop, .arg = &world->loop };
	world->builtin = (struct boot_image){ demo_image, demo_image_size };
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	switch_free(world->sw);
	network_free(world->network);
	loop_destroy(&world->loop);
	loop_destroy(&world->deck_loop);
	kvm_close(world->kvm);
	free(world);
	return 0;
}

/* --- consoles --- */

static void line_init(struct line *line, struct world *world)
{
	memset(line, 0, sizeof(*line));
	assert_int_equal(console_init(&line->console, &world->deck_loop), 0);
	console_follow(&line->console, &line->reader, true);
}

static void line_destroy(struct line *line)
{
	console_unfollow(&line->console, &line->reader);
	console_destroy(&line->console);
}

static void type(struct line *line, const char *text)
{
	assert_int_equal(console_input(&line->console, (const uint8_t *)text, strlen(text)),
			 strlen(text));
}

/* Where in line->text the guest has printed that, and the line to its end; or NULL. */
static char *look_for(struct line *line, const char *wanted)
{
	size_t room = sizeof(line->text) - 1 - line->size;
	uint64_t lost;
	char *found;

	assert_true(room > 0);
	line->size += console_read(&line->console, &line->reader,
				   (uint8_t *)line->text + line->size, room, &lost);
	line->text[line->size] = '\0';
	found = strstr(line->text, wanted);
	return found && strchr(found, '\n') ? found : NULL;
}

static void run_for(struct world *world, uint64_t ns)
{
	loop_timer_set(&world->loop, &world->glance, ns);
	loop_run(&world->loop);
	loop_timer_cancel(&world->loop, &world->glance);
}

/*
 * Serves the machine until its console, or that of another one, has said it; what it
 * said from there to the line's end is taken out of the text.
 */
static void expect(struct world *world, struct line *line, const char *wanted, char said[256])
{
	uint64_t end = clock_monotonic() + PATIENCE;
	size_t length;
	char *found;

	while (!(found = look_for(line, wanted))) {
		if (clock_monotonic() > end)
			fail_msg("no '%s' in '%s'", wanted, line->text);
		if (atomic_load(&world->ended)) {
			vm_stop(world->vm);
			fail_msg("no '%s' in '%s'; it ended: %s", wanted, line->text,
				 world->vm->cpus.reason);
		}
		run_for(world, GLANCE);
	}
	length = strcspn(found, "\r\n");
	snprintf(said, 256, "%.*s", (int)length, found);
	line->size -= length;
	memmove(found, found + length, line->size - (size_t)(found - line->text) + 1);
}

/* The same, and what it said must go on like that. */
static void expect_right(struct world *world, struct line *line, const char *wanted,
			 const char *right)
{
	char said[256];

	expect(world, line, wanted, said);
	if (!strstr(said, right))
		fail_msg("'%s' does not say '%s'", said, right);
}

/* --- the machine that is saved --- */

static void describe_guest(struct world *world, unsigned cpus, uint64_t memory,
			   const char *cmdline)
{
	struct profile *profile = &world->profile;
	char path[64];

	memset(profile, 0, sizeof(*profile));
	atomic_store(&world->ended, false);
	strcpy(profile->name, "one");
	profile->cpus = cpus;
	profile->memory = memory;
	profile->cmdline = strdup(cmdline);
	profile->nets[0].present = true;
	strcpy(profile->nets[0].switch_name, "lan");
	profile_derive_mac("one", 0, profile->nets[0].mac);
	world->disk_fd = memfd_create("one", MFD_CLOEXEC);
	assert_int_equal(ftruncate(world->disk_fd, DISK_SIZE), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", world->disk_fd);
	profile->disks[0].present = true;
	profile->disks[0].path = strdup(path);
	line_init(&world->line, world);
	world->config = (struct vm_config){
		.kvm = world->kvm, .profile = profile, .builtin = &world->builtin,
		.network = world->network, .console = &world->line.console,
		.loop = &world->loop, .ended = guest_ended, .full = disk_full, .arg = world,
	};
}

static void start_guest(struct world *world)
{
	struct cause cause;

	if (vm_create(&world->vm, &world->config, &cause) || vm_start(world->vm, &cause))
		fail_msg("%s", cause.text);
}

static void end_machine(struct world *world)
{
	vm_stop(world->vm);
	while (!vm_quiesced(world->vm))
		run_for(world, GLANCE);
	vm_destroy(world->vm);
	world->vm = NULL;
}

static void end_guest(struct world *world)
{
	end_machine(world);
	line_destroy(&world->line);
	free(world->profile.cmdline);
	free(world->profile.disks[0].path);
	free(world->profile.kernel);
	free(world->profile.initrd);
	close(world->disk_fd);
}

static struct device_counters moved(const struct world *world)
{
	struct device_counters sum = { 0 };

	devices_sample(&world->vm->devices, &sum);
	return sum;
}

/* The machine stops where it is, is gone, and another one goes on. */
static void save_and_load(struct world *world)
{
	struct state_writer writer = { 0 };
	struct state_reader reader;
	struct cause cause;
	uint8_t *data = NULL;
	size_t size = 0;

	vm_pause(world->vm);
	while (!vm_drained(world->vm))
		run_for(world, GLANCE);
	if (vm_save(world->vm, &writer, &cause) || state_end(&writer, &data, &size, &cause))
		fail_msg("%s", cause.text);
	end_machine(world);
	if (state_open(&reader, data, size, &cause) ||
	    vm_load(&world->vm, &world->config, &reader, &cause) || vm_start(world->vm, &cause))
		fail_msg("%s", cause.text);
	state_close(&reader);
	free(data);
}

/* --- the built-in guest, and one that it talks to --- */

struct peer {
	struct profile profile;
	struct machine *machine;
	struct line line;
};

static void changed(void *arg)
{
	(void)arg;
}

static void start_peer(struct peer *peer, struct world *world)
{
	const struct machine_config config = {
		.kvm = world->kvm, .profile = &peer->profile, .builtin = &world->builtin,
		.network = world->network, .console = &peer->line.console, .changed = changed,
	};
	struct cause cause;

	memset(peer, 0, sizeof(*peer));
	line_init(&peer->line, world);
	strcpy(peer->profile.name, "two");
	peer->profile.cpus = 1;
	peer->profile.memory = 16u << 20;
	peer->profile.cmdline = (char *)"name=two ip=10.0.2.12/24";
	peer->profile.nets[0].present = true;
	strcpy(peer->profile.nets[0].switch_name, "lan");
	profile_derive_mac("two", 0, peer->profile.nets[0].mac);
	if (machine_start(&peer->machine, &config, &cause))
		fail_msg("%s", cause.text);
}

static void end_peer(struct peer *peer)
{
	machine_order(peer->machine, METHOD_GUEST_OFF);
	machine_free(peer->machine);
	line_destroy(&peer->line);
}

/* The guest's clock, ms since it started. Forgets what it said before. */
static uint64_t uptime(struct world *world)
{
	unsigned long s, ms;
	char said[256];

	type(&world->line, "status\n");
	expect(world, &world->line, "uptime ", said);
	assert_int_equal(sscanf(said, "uptime %lu.%lu", &s, &ms), 2);
	expect(world, &world->line, "peers: ", said);
	world->line.size = 0;
	return s * 1000 + ms;
}

/*
 * TCP both ways and a write to the disk, saved in their midst, come to their end and are
 * right. False: one of them was over before.
 */
static bool save_under_way(struct world *world, struct peer *peer, unsigned mib,
			   unsigned delay_ms)
{
	char out[64], in[64], write[64], verify[64];
	struct device_counters before, now;
	bool midst;

	snprintf(out, sizeof(out), "tcp 10.0.2.12 %uM&\n", mib);
	snprintf(in, sizeof(in), "tcp 10.0.2.11 %uM&\n", mib);
	snprintf(write, sizeof(write), "disk write 4096 %uM&\n", mib);
	snprintf(verify, sizeof(verify), "disk verify 4096 %uM\n", mib);
	before = moved(world);
	type(&world->line, out);
	type(&peer->line, in);
	type(&world->line, write);
	do {
		run_for(world, GLANCE);
		now = moved(world);
	} while (now.write_bytes - before.write_bytes < BEGUN ||
		 now.in_bytes - before.in_bytes < BEGUN || now.out_bytes - before.out_bytes < BEGUN);
	run_for(world, delay_ms * NS_PER_MS);
	save_and_load(world);
	midst = !look_for(&world->line, "disk: ") && !look_for(&world->line, "tcp: ") &&
		!look_for(&peer->line, "tcp: ");
	expect_right(world, &world->line, "tcp: ", "checksum right");
	expect_right(world, &peer->line, "tcp: ", "checksum right");
	expect_right(world, &world->line, "disk: write ", " bytes in ");
	type(&world->line, verify);
	expect_right(world, &world->line, "disk: verify ", ", right");
	return midst;
}

static void test_built_in_guest(void **state)
{
	unsigned attempts = 0, rounds = 0, mib = MIB_FIRST;
	struct world *world = *state;
	uint64_t begun, before = 0;
	struct peer peer;
	char said[256];

	describe_guest(world, 2, 16u << 20, "name=one ip=10.0.2.11/24");
	start_peer(&peer, world);
	begun = clock_monotonic();
	start_guest(world);
	expect(world, &world->line, "net: 10.0.2.11", said);
	expect(world, &peer.line, "net: 10.0.2.12", said);
	while (rounds < ROUNDS) {
		uint64_t now;

		assert_in_range(attempts++, 0, ATTEMPTS);
		if (save_under_way(world, &peer, mib, rounds * 7 % 40))
			rounds++;
		else if (mib < MIB_MAX)
			mib *= 2;
		/* Its clock neither went back nor passed by ours. */
		now = uptime(world);
		assert_in_range(now, before, (clock_monotonic() - begun) / NS_PER_MS + 1000);
		before = now;
	}
	end_guest(world);
	end_peer(&peer);
}

/* --- Linux --- */

/* Sends the first half of a page to whoever asks, and the other one when it is told to. */
struct server {
	int fd, go[2];
	unsigned port;
	uint8_t body[BODY_SIZE];
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct server *server = arg;
	int fd = accept(server->fd, NULL, NULL);
	char request[1024], head[128];

	assert_true(fd >= 0 && read(fd, request, sizeof(request)) > 0);
	snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n", BODY_SIZE);
	assert_int_equal(write(fd, head, strlen(head)), strlen(head));
	assert_int_equal(write(fd, server->body, BODY_SIZE / 2), BODY_SIZE / 2);
	assert_int_equal(read(server->go[0], request, 1), 1);
	assert_int_equal(write(fd, server->body + BODY_SIZE / 2, BODY_SIZE / 2), BODY_SIZE / 2);
	close(fd);
	return NULL;
}

static void server_start(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	for (unsigned i = 0; i < BODY_SIZE; i++)
		server->body[i] = (uint8_t)(i * 7 + i / 256);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pipe(server->go), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_end(struct server *server)
{
	pthread_join(server->thread, NULL);
	close(server->fd);
	close(server->go[0]);
	close(server->go[1]);
}

/* IEEE 802.3. */
static uint32_t crc32(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xffffffff;

	while (size--) {
		crc ^= *data++;
		for (unsigned i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

/* "LG: job BYTES CRC32", with these bytes. */
static void expect_sum(struct world *world, const char *job, const uint8_t *data, size_t size)
{
	unsigned long count;
	unsigned sum;
	char said[256];

	expect(world, &world->line, job, said);
	assert_int_equal(sscanf(said + strlen(job), "%lu %x", &count, &sum), 2);
	assert_int_equal(count, size);
	assert_int_equal(sum, crc32(data, size));
}

/* The folder of the test kernel; false without what it is built with, if there is none yet. */
static bool find_linux(char path[256])
{
	char command[512];
	FILE *file;
	int status;

	snprintf(command, sizeof(command), "%s/tests/linux/build </dev/null",
		 getenv("srcdir") ? getenv("srcdir") : ".");
	file = popen(command, "r");
	assert_non_null(file);
	if (!fgets(path, 256, file))
		*path = '\0';
	path[strcspn(path, "\n")] = '\0';
	status = pclose(file);
	if (status && WEXITSTATUS(status) != 77)
		fail_msg("the Linux test kernel cannot be built");
	return !status;
}

/* In the middle of a page that it gets through NAT, and of a write to its disk. */
static void test_linux(void **state)
{
	struct world *world = *state;
	struct server server;
	char folder[256], text[512], said[256];
	uint8_t *disk;

	if (!find_linux(folder))
		skip();
	server_start(&server);
	snprintf(text, sizeof(text), "console=ttyS0 quiet "
		 "lg=dhcp,http=10.0.2.2:%u/page,disk=%u,echo,button", server.port, LINUX_DISK);
	describe_guest(world, 1, 64u << 20, text);
	snprintf(text, sizeof(text), "%s/vmlinux", folder);
	world->profile.kernel = strdup(text);
	snprintf(text, sizeof(text), "%s/initrd.cpio", folder);
	world->profile.initrd = strdup(text);
	start_guest(world);
	expect(world, &world->line, "LG: dhcp 10.0.2.", said);
	run_for(world, NS_PER_S / 2); /* the first half comes in, or waits in NAT */
	save_and_load(world);
	assert_null(look_for(&world->line, "LG: http"));
	assert_int_equal(write(server.go[1], "", 1), 1);
	expect_sum(world, "LG: http ", server.body, BODY_SIZE);
	server_end(&server);

	while (!moved(world).write_bytes)
		run_for(world, GLANCE);
	save_and_load(world);
	assert_null(look_for(&world->line, "LG: disk"));
	disk = mmap(NULL, LINUX_DISK, PROT_READ, MAP_SHARED, world->disk_fd, 0);
	assert_ptr_not_equal(disk, MAP_FAILED);
	expect(world, &world->line, "LG: listening", said);
	expect_sum(world, "LG: disk ", disk, LINUX_DISK);
	munmap(disk, LINUX_DISK);

	type(&world->line, "still there\nend\n");
	expect(world, &world->line, "LG: echo still there", said);
	expect(world, &world->line, "LG: waiting", said);
	vm_power_button(world->vm);
	expect(world, &world->line, "LG: button", said);
	while (!atomic_load(&world->ended))
		run_for(world, GLANCE);
	vm_stop(world->vm);
	assert_string_equal(world->vm->cpus.reason, "powered off");
	end_guest(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_built_in_guest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_linux, setup, teardown),
	};

	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		perror("skipped: /dev/kvm");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
