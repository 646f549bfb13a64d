/*
 * exits COMMAND...: runs a command, its output thrown away, and prints how often KVM came back
 * to it: exits to user space of all vCPUs, as the kernel's tracepoint counts them, the same for
 * every monitor. 77 when this kernel does not let us count. perf_event_open(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACEPOINT "events/kvm/kvm_userspace_exit/id"
#define SKIPPED 77

static int tracepoint(void)
{
	static const char *const paths[] = { "/sys/kernel/tracing/" TRACEPOINT,
					     "/sys/kernel/debug/tracing/" TRACEPOINT };
	int id = -1;

	for (unsigned i = 0; i < 2 && id < 0; i++) {
		FILE *file = fopen(paths[i], "r");

		if (file && fscanf(file, "%d", &id) != 1)
			id = -1;
		if (file)
			fclose(file);
	}
	return id;
}

/* Counts what a process and its threads do from its exec on. */
static int open_counter(pid_t pid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .disabled = 1, .inherit = 1,
		.enable_on_exec = 1,
	};
	int id = tracepoint();

	if (id < 0)
		return -1;
	attr.config = (uint64_t)id;
	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* The child: waits until it is counted. */
static void become(char **argv, int go)
{
	int null = open("/dev/null", O_RDWR);
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(go, &byte, 1) != 1)
		_exit(127);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	int go[2], counter, status;
	uint64_t count;
	pid_t pid;

	if (argc < 2 || pipe2(go, O_CLOEXEC) < 0)
		return 2;
	pid = fork();
	if (!pid) {
		close(go[1]);
		become(argv + 1, go[0]);
	}
	counter = open_counter(pid);
	if (counter < 0) {
		fprintf(stderr, "exits: KVM's exits cannot be counted: %s\n", strerror(errno));
		return SKIPPED;
	}
	if (write(go[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid || status ||
	    read(counter, &count, sizeof(count)) != sizeof(count))
		return 1;
	printf("%" PRIu64 "\n", count);
	return 0;
}
