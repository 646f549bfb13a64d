/* Processes under measurement. clone(2), sched_setaffinity(2), proc(5). */
#include "side.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static cpu_set_t driver_cpu, side_cpu;
static uint64_t *started; /* shared with the child that was started last */

void side_pin_driver(void)
{
	cpu_set_t all;
	int first = -1, last = -1;

	sched_getaffinity(0, sizeof(all), &all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		first = first < 0 ? cpu : first;
		last = cpu;
	}
	CPU_ZERO(&driver_cpu);
	CPU_ZERO(&side_cpu);
	CPU_SET(first, &driver_cpu);
	CPU_SET(last, &side_cpu);
	sched_setaffinity(0, sizeof(driver_cpu), &driver_cpu);
}

/* The child: nothing is measured until the time just before exec is noted. */
static void become(const struct side *side, int out, const char *errors)
{
	int in = open("/dev/null", O_RDWR);
	int err = open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	/* Guests do not go on when the benchmark is ended. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err < 0 ? in : err, STDERR_FILENO);
	close(in);
	sched_setaffinity(0, sizeof(side_cpu), &side_cpu);
	*started = clock_monotonic();
	execvp(side->argv[0], (char *const *)side->argv);
	fprintf(stderr, "%s: %s\n", side->argv[0], strerror(errno));
	_exit(127);
}

int side_start(struct side *side, const char *errors)
{
	int ends[2];

	if (!started)
		started = mmap(NULL, sizeof(*started), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (started == MAP_FAILED || pipe2(ends, O_CLOEXEC) < 0) {
		perror(side->name);
		return -1;
	}
	side->pid = fork();
	if (!side->pid)
		become(side, ends[1], errors);
	close(ends[1]);
	side->out = ends[0];
	if (side->pid < 0) {
		perror(side->name);
		close(side->out);
		return -1;
	}
	return 0;
}

bool side_byte(struct side *side, int timeout, uint64_t *when)
{
	struct pollfd ready = { .fd = side->out, .events = POLLIN };
	char byte;

	do {
		if (poll(&ready, 1, timeout) <= 0 || read(side->out, &byte, 1) != 1)
			return false;
	} while (byte != 'x'); /* firmware may print before the guest */
	*when = clock_monotonic();
	return true;
}

uint64_t side_started(void)
{
	return *started;
}

void side_drain(struct side *side)
{
	struct pollfd ready = { .fd = side->out, .events = POLLIN };
	char bytes[256];

	while (poll(&ready, 1, 0) > 0 && read(side->out, bytes, sizeof(bytes)) > 0)
		;
}

void side_freeze(struct side *side)
{
	kill(side->pid, SIGSTOP);
}

void side_thaw(struct side *side)
{
	kill(side->pid, SIGCONT);
}

void side_end(struct side *side)
{
	if (side->pid <= 0)
		return;
	kill(side->pid, SIGKILL);
	waitpid(side->pid, NULL, 0);
	close(side->out);
	side->pid = 0;
}

bool side_lines(struct side *side, const char *errors, void (*line)(void *arg, const char *text),
		void *arg)
{
	char text[256];
	FILE *out;
	int status;

	if (side_start(side, errors) < 0)
		return false;
	out = fdopen(side->out, "r");
	while (out && fgets(text, sizeof(text), out))
		line(arg, text);
	if (out)
		fclose(out);
	if (waitpid(side->pid, &status, 0) != side->pid)
		status = -1;
	side->pid = 0;
	return !status;
}

static uint64_t usage_ns(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * NS_PER_S +
	       ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
}

void load_read(struct load *load)
{
	unsigned long long user = 0, nice = 0, system = 0, idle, wait, irq = 0, soft = 0;
	FILE *file = fopen("/proc/stat", "r");
	int n = file ? fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system,
			      &idle, &wait, &irq, &soft)
		     : 0;

	if (file)
		fclose(file);
	load->time = clock_monotonic();
	load->all = n == 7 ? (user + nice + system + irq + soft) * NS_PER_S /
				     (uint64_t)sysconf(_SC_CLK_TCK)
			   : 0;
	load->own = usage_ns(RUSAGE_SELF) + usage_ns(RUSAGE_CHILDREN);
}

double load_others(const struct load *before, const struct load *after)
{
	double all = (double)(after->all - before->all), own = (double)(after->own - before->own);

	return all > own ? (all - own) / (double)(after->time - before->time) : 0;
}
