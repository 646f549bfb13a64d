/* What is opened in the deck's place: files and sockets, and what cannot be. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox/helper.h"
#include "sandbox/opening.h"

#define LIMIT 20000 /* ms, for a host that is busy */

static char folder[] = "/tmp/vmdeck-opener-XXXXXX";

static void name_of(char out[108], const char *name)
{
	snprintf(out, 108, "%s/%s", folder, name);
}

/* Waits for what becomes of an order. */
static int ask(const struct opener_order *order, enum opener_step *step)
{
	struct cause cause;
	struct pollfd wait = { .fd = opening_start(order, &cause), .events = POLLIN };
	int fd;

	assert_true(wait.fd >= 0);
	do
		assert_int_equal(poll(&wait, 1, LIMIT), 1);
	while ((fd = opening_take(wait.fd, step)) == -EAGAIN);
	close(wait.fd);
	if (fd >= 0) {
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	}
	return fd;
}

static int ask_file(const char *path)
{
	struct opener_order order = { .what = OPENER_FILE };
	enum opener_step step;

	snprintf(order.path, sizeof(order.path), "%s", path);
	return ask(&order, &step);
}

static void set_path(struct sockaddr_storage *out, uint32_t *size, const char *name)
{
	struct sockaddr_un *path = (void *)out;

	path->sun_family = AF_UNIX;
	name_of(path->sun_path, name);
	*size = sizeof(*path);
}

static int ask_socket(int type, const char *local, const char *peer, enum opener_step *step)
{
	struct opener_order order = { .what = OPENER_SOCKET };

	order.socket.type = type;
	if (local)
		set_path(&order.socket.local, &order.socket.local_size, local);
	if (peer)
		set_path(&order.socket.peer, &order.socket.peer_size, peer);
	return ask(&order, step);
}

static void files_are_opened_to_be_read(void **state)
{
	char path[108];
	FILE *file;
	int fd;

	(void)state;
	name_of(path, "file");
	assert_int_equal(ask_file(path), -ENOENT);
	file = fopen(path, "w");
	assert_true(file && fputs("text", file) >= 0 && fclose(file) == 0);
	assert_int_equal(ask_file(path), -ENOEXEC);
	file = fopen(path, "w");
	assert_true(file && fputs("\x0a\x0d\x0d\x0a", file) >= 0 && fclose(file) == 0);
	fd = ask_file(path);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, path, 10), 4);
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	/* What is no file is not waited for. */
	name_of(path, "pipe");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(ask_file(path), -EINVAL);
	assert_int_equal(ask_file(folder), -EISDIR);
}

static void sockets_are_for_their_user_alone(void **state)
{
	struct stat status;
	enum opener_step step;
	char path[108];
	int one, other;

	(void)state;
	assert_int_equal(ask_socket(SOCK_STREAM, NULL, "a", &step), -ENOENT);
	assert_int_equal(step, OPENER_CONNECT);
	one = ask_socket(SOCK_STREAM, "a", NULL, &step);
	assert_true(one >= 0);
	name_of(path, "a");
	assert_int_equal(lstat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	other = ask_socket(SOCK_STREAM, NULL, "a", &step);
	assert_true(other >= 0);
	close(other);
	/* One that is served stays, one that is left behind does not, nor does a file give way. */
	assert_int_equal(ask_socket(SOCK_STREAM, "a", NULL, &step), -EADDRINUSE);
	assert_int_equal(step, OPENER_BIND);
	close(one);
	one = ask_socket(SOCK_STREAM, "a", NULL, &step);
	assert_true(one >= 0);
	close(one);
	assert_int_equal(ask_socket(SOCK_STREAM, "file", NULL, &step), -EADDRINUSE);
}

static void datagrams_go_both_ways(void **state)
{
	enum opener_step step;
	struct pollfd wait = { .events = POLLIN };
	int one, other;
	char text[8];

	(void)state;
	assert_int_equal(ask_socket(SOCK_DGRAM, "b", "c", &step), -ENOENT);
	one = ask_socket(SOCK_DGRAM, "c", NULL, &step);
	other = ask_socket(SOCK_DGRAM, "b", "c", &step);
	assert_true(one >= 0 && other >= 0);
	assert_int_equal(send(other, "text", 4, 0), 4);
	wait.fd = one;
	assert_int_equal(poll(&wait, 1, LIMIT), 1);
	assert_int_equal(recv(one, text, sizeof(text), 0), 4);
	close(one);
	close(other);
}

static void nonsense_is_refused(void **state)
{
	struct opener_order order = { .what = OPENER_COUNT };
	enum opener_step step;

	(void)state;
	assert_int_equal(ask(&order, &step), -EINVAL);
	order.what = OPENER_FILE;
	memset(order.path, 'x', sizeof(order.path));
	assert_int_equal(ask(&order, &step), -EINVAL);
	order.what = OPENER_TAP;
	assert_int_equal(ask(&order, &step), -EINVAL);
	memset(&order, 0, sizeof(order));
	order.socket.local_size = sizeof(order.socket.local) + 1;
	assert_int_equal(ask(&order, &step), -EINVAL);
}

int main(void)
{
	static const char *const names[] = { "file", "pipe", "a", "b", "c" };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_opened_to_be_read),
		cmocka_unit_test(sockets_are_for_their_user_alone),
		cmocka_unit_test(datagrams_go_both_ways),
		cmocka_unit_test(nonsense_is_refused),
	};
	struct cause cause;
	char path[108];
	int failed;

	if (helper_start(NULL, &cause) < 0 || !mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		name_of(path, names[i]);
		unlink(path);
	}
	rmdir(folder);
	return failed;
}
