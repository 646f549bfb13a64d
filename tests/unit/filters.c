/*
 * Filters of system calls, each entered by a child process: what they let
 * through, what fails, and what ends the process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/thread.h"
#include "sandbox/filters.h"

#define REFUSED (-EPERM)
#define IS_THREAD(filter) ((filter) >= FILTER_THREADS)

/* What a child ended with: its exit status, or minus the signal. */
static int ended(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static pid_t test; /* the parent's id */

static int behind(unsigned filter, int (*act)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		/* Not cmocka's, which returns from it. */
		signal(SIGABRT, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		prctl(PR_SET_DUMPABLE, 0);
		_exit(filter_enter(filter) ? 99 : -act());
	}
	return ended(pid);
}

/* What it does without a filter: an act that cannot succeed shows nothing. */
static int without(int (*act)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(-act());
	return ended(pid);
}

/* --- acts: 0 or a negative errno --- */

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

static void *nothing(void *arg)
{
	return arg;
}

/* What the C library does without being asked. */
static int live(void)
{
	struct timespec moment = { 0, 1000 };
	char *memory = malloc(4 << 20);

	if (!memory)
		return -ENOMEM;
	memset(memory, 1, 4 << 20);
	free(memory);
	fprintf(stderr, "%s", "");
	setvbuf(stdout, NULL, _IOFBF, 0);
	printf("%s", "\n");
	fflush(stdout);
	nanosleep(&moment, NULL);
	return 0;
}

static int start_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, nothing, NULL);

	return error ? -error : -pthread_join(thread, NULL);
}

static int fork_process(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int execute(void)
{
	execl("/bin/true", "true", NULL);
	return -errno;
}

static int map_code(void)
{
	return result((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? -errno : result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int read_memory(void)
{
	char from = 1, to;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return result(syscall(SYS_process_vm_readv, getpid(), &local, 1ul, &remote, 1ul, 0ul));
}

static int open_file(void)
{
	return result(open("/dev/null", O_RDWR));
}

static int open_packets(void)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int open_network(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_unix(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

/* Of a descriptor that is none: what is let through is answered by the kernel. */
static int run_guest(void)
{
	return result(ioctl(-1, KVM_RUN, 0));
}

static int create_guest(void)
{
	return result(ioctl(-1, KVM_CREATE_VM, 0));
}

static int raise_line(void)
{
	return result(ioctl(-1, KVM_IRQ_LINE, NULL));
}

static int signal_other(void)
{
	return result(syscall(SYS_tgkill, test, test, 0));
}

/* Of a descriptor that is none, as above. */
static int make_blocking(void)
{
	return result(fcntl(-1, F_SETFL, 0));
}

/* Of another process, the new ones. */
static int change_limit(void)
{
	const struct rlimit64 none = { 0, 0 };

	return result(syscall(SYS_prlimit64, test, RLIMIT_CORE, &none, NULL));
}

static int make_nonblocking(void)
{
	return result(fcntl(-1, F_SETFL, O_NONBLOCK));
}

static int call_new(void)
{
	return result(syscall(100000));
}

static int give_up(void)
{
	abort();
}

/* --- tests --- */

#define FOR_EACH(filter) for (unsigned filter = 0; filter < FILTER_COUNT; filter++)

/* The answer of a call that filter does not know. */
static int refusal(unsigned filter)
{
	return IS_THREAD(filter) ? EPERM : -SIGSYS;
}

/* And of one that only an attacker makes. vCPU threads are born with the deck's filter. */
static int deadly(unsigned filter)
{
	return filter == FILTER_VCPU ? EPERM : -SIGSYS;
}

static void the_c_library_works(void **state)
{
	(void)state;
	FOR_EACH(filter)
	{
		assert_int_equal(behind(filter, live), 0);
		assert_int_equal(behind(filter, call_new), ENOSYS);
	}
}

static void giving_up_ends_the_process(void **state)
{
	(void)state;
	FOR_EACH(filter)
		assert_true(behind(filter, give_up) < 0);
}

static void threads_are_started_by_those_who_do(void **state)
{
	(void)state;
	assert_int_equal(without(start_thread), 0);
	assert_int_equal(behind(FILTER_DECK, start_thread), 0);
#ifndef THREAD_SANITIZED
	assert_int_equal(behind(FILTER_VCPU, start_thread), EPERM);
	assert_int_equal(behind(FILTER_EMULATOR, start_thread), -SIGSYS);
#endif
}

static void nobody_starts_processes(void **state)
{
	(void)state;
	assert_int_equal(without(fork_process), 0);
	assert_int_equal(without(execute), 0);
	FOR_EACH(filter)
	{
#ifndef THREAD_SANITIZED
		assert_int_equal(behind(filter, fork_process), refusal(filter));
#endif
		assert_int_equal(behind(filter, execute), deadly(filter));
	}
}

static void nobody_makes_code(void **state)
{
	(void)state;
	assert_int_equal(without(map_code), 0);
	assert_int_equal(without(make_code), 0);
#ifndef THREAD_SANITIZED
	FOR_EACH(filter)
	{
		assert_int_equal(behind(filter, map_code), refusal(filter));
		assert_int_equal(behind(filter, make_code), refusal(filter));
	}
#endif
}

static void nobody_reads_other_processes(void **state)
{
	(void)state;
	assert_int_equal(without(read_memory), 0);
	FOR_EACH(filter)
		assert_int_equal(behind(filter, read_memory), deadly(filter));
}

static void files_are_opened_by_those_who_do(void **state)
{
	(void)state;
	assert_int_equal(without(open_file), 0);
#ifndef THREAD_SANITIZED
	FOR_EACH(filter)
		assert_int_equal(behind(filter, open_file),
				 filter == FILTER_DECK ? 0 : refusal(filter));
#endif
}

static void sockets_are_opened_by_those_who_do(void **state)
{
	(void)state;
	assert_int_equal(without(open_network), 0);
	assert_int_equal(without(open_unix), 0);
	FOR_EACH(filter)
	{
		int refused = filter == FILTER_COMPILER ? EACCES : refusal(filter);

		assert_int_equal(behind(filter, open_packets), refused);
		assert_int_equal(behind(filter, open_unix), filter == FILTER_DECK ? 0 :
							    filter == FILTER_NAT ? EACCES : refused);
		assert_int_equal(behind(filter, open_network), filter == FILTER_NAT ? 0 : refused);
	}
}

static void a_vcpu_runs_its_guest_and_makes_no_other(void **state)
{
	(void)state;
	assert_int_equal(behind(FILTER_VCPU, run_guest), EBADF);
	assert_int_equal(behind(FILTER_VCPU, create_guest), EPERM);
	assert_int_equal(behind(FILTER_DECK, create_guest), EBADF);
	assert_int_equal(behind(FILTER_NAT, run_guest), -SIGSYS);
}

/* Frames come from a guest's own threads and from outside, and devices' lines follow them. */
static void lines_are_raised_by_those_who_deliver_frames(void **state)
{
	(void)state;
	FOR_EACH(filter)
	{
		bool delivers = filter == FILTER_DECK || filter == FILTER_VCPU ||
				filter == FILTER_UPLINK;

		assert_int_equal(behind(filter, raise_line), delivers ? EBADF : refusal(filter));
	}
	assert_int_equal(behind(FILTER_UPLINK, run_guest), EPERM);
	assert_int_equal(behind(FILTER_UPLINK, create_guest), EPERM);
}

static void nobody_signals_as_they_please(void **state)
{
	(void)state;
	assert_int_equal(without(signal_other), 0);
#ifndef THREAD_SANITIZED
	FOR_EACH(filter)
		assert_int_equal(behind(filter, signal_other), EPERM);
#endif
}

static void nobody_changes_limits(void **state)
{
	(void)state;
	assert_int_equal(without(change_limit), 0);
#ifndef THREAD_SANITIZED
	FOR_EACH(filter)
		assert_int_equal(behind(filter, change_limit), refusal(filter));
#endif
}

/* What the deck reads and writes without waiting is a process's, too. */
static void no_process_makes_the_deck_wait(void **state)
{
	(void)state;
	for (unsigned filter = 0; filter < FILTER_THREADS; filter++) {
		assert_int_equal(behind(filter, make_blocking), -SIGSYS);
		assert_int_equal(behind(filter, make_nonblocking),
				 filter == FILTER_NAT ? EBADF : -SIGSYS);
	}
}

static void a_second_one_holds_beside_the_first(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(filter_enter(FILTER_DECK) || filter_enter(FILTER_VCPU) ||
		      open_unix() != REFUSED || create_guest() != REFUSED ||
		      run_guest() != -EBADF);
	assert_int_equal(ended(pid), 0);
}

static void each_has_names(void **state)
{
	(void)state;
	assert_string_equal(filter_name(FILTER_VCPU), "vcpu");
	FOR_EACH(filter)
		assert_true(*filter_name(filter) && *filter_whose(filter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_c_library_works),
		cmocka_unit_test(giving_up_ends_the_process),
		cmocka_unit_test(threads_are_started_by_those_who_do),
		cmocka_unit_test(nobody_starts_processes),
		cmocka_unit_test(nobody_makes_code),
		cmocka_unit_test(nobody_reads_other_processes),
		cmocka_unit_test(files_are_opened_by_those_who_do),
		cmocka_unit_test(sockets_are_opened_by_those_who_do),
		cmocka_unit_test(a_vcpu_runs_its_guest_and_makes_no_other),
		cmocka_unit_test(lines_are_raised_by_those_who_deliver_frames),
		cmocka_unit_test(nobody_signals_as_they_please),
		cmocka_unit_test(nobody_changes_limits),
		cmocka_unit_test(no_process_makes_the_deck_wait),
		cmocka_unit_test(a_second_one_holds_beside_the_first),
		cmocka_unit_test(each_has_names),
	};

	test = getpid();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
