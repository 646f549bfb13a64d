/* What is tried to get out of walls. After cmocka.h; all by one test program. */
#ifndef TESTS_UNIT_ATTEMPTS_H
#define TESTS_UNIT_ATTEMPTS_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* What there is to be reached outside. */
struct target {
	pid_t owner, sibling;
	char secret[96], folder[96], named[96]; /* a file, where it is, a socket there */
	char abstract[64];
	uint16_t port;
	uint64_t memory; /* an address of the owner's */
};

/* --- attempts: 0 or an errno --- */

static int outcome(long result)
{
	return result < 0 ? errno : 0;
}

static int read_file(const struct target *target)
{
	return outcome(open(target->secret, O_RDONLY));
}

static int read_etc(const struct target *target)
{
	(void)target;
	return outcome(open("/etc/passwd", O_RDONLY));
}

static int read_process(const struct target *target)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", target->owner);
	return outcome(open(path, O_RDONLY));
}

static int list_processes(const struct target *target)
{
	(void)target;
	return opendir("/proc") ? 0 : errno;
}

static int write_file(const struct target *target)
{
	return outcome(open(target->secret, O_WRONLY));
}

static int create_file(const struct target *target)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/new", target->folder);
	return outcome(open(path, O_WRONLY | O_CREAT, 0600));
}

static int create_folder(const struct target *target)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/folder", target->folder);
	return outcome(mkdir(path, 0700));
}

static int connect_to(int family, const void *address, size_t size)
{
	int fd = socket(family, SOCK_STREAM, 0);

	return fd < 0 ? errno : outcome(connect(fd, address, (socklen_t)size));
}

static int connect_named(const struct target *target)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", target->named);
	return connect_to(AF_UNIX, &address, sizeof(address));
}

static size_t abstract_address(struct sockaddr_un *address, const char *name)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path + 1, name, strlen(name));
	return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
}

static int connect_abstract(const struct target *target)
{
	struct sockaddr_un address;
	size_t size = abstract_address(&address, target->abstract);

	return connect_to(AF_UNIX, &address, size);
}

static int connect_tcp(const struct target *target)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(target->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return connect_to(AF_INET, &address, sizeof(address));
}

/* A signal that nobody minds. */
static int signal_owner(const struct target *target)
{
	return outcome(kill(target->owner, SIGURG));
}

static int signal_sibling(const struct target *target)
{
	return outcome(kill(target->sibling, SIGURG));
}

static int trace_owner(const struct target *target)
{
	return outcome(ptrace(PTRACE_SEIZE, target->owner, NULL, NULL));
}

static int read_owner(const struct target *target)
{
	char to;
	struct iovec local = { &to, 1 }, remote = { (void *)(uintptr_t)target->memory, 1 };

	return outcome(process_vm_readv(target->owner, &local, 1, &remote, 1, 0));
}

static int write_owner(const struct target *target)
{
	char from = 1;
	struct iovec local = { &from, 1 }, remote = { (void *)(uintptr_t)target->memory, 1 };

	return outcome(process_vm_writev(target->owner, &local, 1, &remote, 1, 0));
}

static int execute(const struct target *target)
{
	(void)target;
	execl("/bin/true", "true", NULL);
	return errno;
}

static int fork_process(const struct target *target)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)target;
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int map_code(const struct target *target)
{
	(void)target;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED ? errno : 0;
}

static int take_memory(const struct target *target)
{
	(void)target;
	return mmap(NULL, 2ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED ? errno : 0;
}

static const struct attempt {
	const char *name;
	int (*act)(const struct target *target);
	bool network;	/* a process that has the network may succeed */
	bool reading;	/* one that reads /etc may */
	bool sanitized; /* sanitizers need it themselves */
} attempts[] = {
	{ "read-file", read_file, false, false, false },
	{ "read-etc", read_etc, false, true, false },
	{ "read-process", read_process, false, false, false },
	{ "list-processes", list_processes, false, false, false },
	{ "write-file", write_file, false, false, false },
	{ "create-file", create_file, false, false, false },
	{ "create-folder", create_folder, false, false, false },
	{ "connect-named", connect_named, false, false, false },
	{ "connect-abstract", connect_abstract, false, false, false },
	{ "connect-tcp", connect_tcp, true, false, false },
	{ "signal-owner", signal_owner, false, false, false },
	{ "signal-sibling", signal_sibling, false, false, false },
	{ "trace-owner", trace_owner, false, false, false },
	{ "read-owner", read_owner, false, false, false },
	{ "write-owner", write_owner, false, false, false },
	{ "execute", execute, false, false, false },
	{ "fork", fork_process, false, false, true },
	{ "map-code", map_code, false, false, true },
	{ "take-memory", take_memory, false, false, true },
};

#endif
