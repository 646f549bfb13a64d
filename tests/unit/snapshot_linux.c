/*
 * Linux, saved in its midst and loaded into fresh virtual machines of the same process.
 * Skips without /dev/kvm, and without what the test kernel is built with.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "with_nat.h"
#include "world.h"

#define DISK (4u << 20)
#define BODY_SIZE 65536

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

	/* What fails here is missed by the guest. */
	snprintf(head, sizeof(head), "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n", BODY_SIZE);
	if (read(fd, request, sizeof(request)) > 0 && write(fd, head, strlen(head)) > 0 &&
	    write(fd, server->body, BODY_SIZE / 2) == BODY_SIZE / 2 &&
	    read(server->go[0], request, 1) == 1 &&
	    write(fd, server->body + BODY_SIZE / 2, BODY_SIZE / 2) == BODY_SIZE / 2)
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
	char said[SAID_SIZE];

	world_expect(world, &world->line, job, said);
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

static char sockets[] = "/tmp/vmdeck-test-XXXXXX";

/* What it prints is on a virtio console alone; it has a vsock. */
static void give_virtio(struct world *world)
{
	char path[64];

	assert_non_null(mkdtemp(sockets));
	snprintf(path, sizeof(path), "%s/vsock", sockets);
	world->profile.vsock = (struct profile_vsock){ .present = true, .cid = 3,
						       .path = strdup(path) };
	world->profile.console = CONSOLE_VIRTIO;
	world->config.consoles[CONSOLE_SERIAL] = NULL;
	world->config.consoles[CONSOLE_VIRTIO] = &world->line.console;
}

/* A program of the host's has the guest send back what it writes. */
static void call_by_vsock(struct world *world, const uint8_t *data, size_t size)
{
	static const char line[] = "CONNECT 1234\n", answer[] = "OK 1073741824\n";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t written = 0, got = 0, total = sizeof(answer) - 1 + size;
	uint8_t *back = malloc(total);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	uint64_t end = clock_monotonic() + PATIENCE;
	ssize_t n = 0;

	strcpy(address.sun_path, world->profile.vsock.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
	while (got < total && !atomic_load(&world->ended)) {
		/* Behind the answer, as far as there is room. */
		n = got ? write(fd, data + written, size - written) : 0;
		written += n > 0 ? (size_t)n : 0;
		n = read(fd, back + got, total - got);
		got += n > 0 ? (size_t)n : 0;
		if (!n || clock_monotonic() > end)
			fail_msg("%zu of %zu bytes came back, %s", got, total,
				 n ? "and no more" : "then the end");
		world_run(world, GLANCE);
	}
	assert_int_equal(got, total);
	assert_memory_equal(back, answer, sizeof(answer) - 1);
	assert_memory_equal(back + sizeof(answer) - 1, data, size);
	free(back);
	close(fd);
}

/*
 * In the middle of a page that it gets through NAT, and of a write to its disk. Each of its
 * CPUs, in two sockets, runs before and after.
 */
static void test_linux(void **state)
{
	struct world *world = *state;
	struct server server;
	char folder[256], text[512], said[SAID_SIZE];
	uint8_t *disk;

	if (!find_linux(folder))
		skip();
	server_start(&server);
	snprintf(text, sizeof(text),
		 "console=hvc0 quiet "
		 "lg=cpus,dhcp,http=10.0.2.2:%u/page,disk=%u,listen=1234,cpus,echo,button",
		 server.port, DISK);
	guest_describe(world, 4, 64u << 20, text);
	world->profile.cpu_sockets = 2;
	snprintf(text, sizeof(text), "%s/vmlinux", folder);
	world->profile.kernel = strdup(text);
	snprintf(text, sizeof(text), "%s/initrd.cpio", folder);
	world->profile.initrd = strdup(text);
	give_virtio(world);
	guest_start(world);
	world_expect_right(world, &world->line, "LG: cpus ", "cpus 4");
	world_expect(world, &world->line, "LG: dhcp 10.0.2.", said);
	world_run(world, NS_PER_S / 2); /* the first half comes in, or waits in NAT */
	guest_save_and_load(world);
	assert_null(line_find(&world->line, "LG: http"));
	assert_int_equal(write(server.go[1], "", 1), 1);
	expect_sum(world, "LG: http ", server.body, BODY_SIZE);
	server_end(&server);

	while (!guest_moved(world).write_bytes)
		world_run(world, GLANCE);
	guest_save_and_load(world);
	assert_null(line_find(&world->line, "LG: disk"));
	disk = mmap(NULL, DISK, PROT_READ, MAP_SHARED, world->disk_fd, 0);
	assert_ptr_not_equal(disk, MAP_FAILED);
	world_expect(world, &world->line, "LG: calls", said);
	expect_sum(world, "LG: disk ", disk, DISK);
	munmap(disk, DISK);

	guest_save_and_load(world);
	call_by_vsock(world, server.body, BODY_SIZE);
	expect_sum(world, "LG: vsock ", server.body, BODY_SIZE);
	world_expect_right(world, &world->line, "LG: cpus ", "cpus 4");
	world_expect(world, &world->line, "LG: listening", said);
	line_type(&world->line, "still there\nend\n");
	world_expect(world, &world->line, "LG: echo still there", said);
	world_expect(world, &world->line, "LG: waiting", said);
	vm_power_button(world->vm);
	world_expect(world, &world->line, "LG: button", said);
	while (!atomic_load(&world->ended))
		world_run(world, GLANCE);
	vm_stop(world->vm);
	assert_string_equal(world->vm->cpus.reason, "powered off");
	guest_end(world);
	free(world->profile.vsock.path);
	rmdir(sockets);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_linux, world_setup, world_teardown),
	};

	begin_with_nat(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		perror("skipped: /dev/kvm");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
