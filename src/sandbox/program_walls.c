/* See program_walls.h. capabilities(7), seccomp(2), landlock(7), setrlimit(2). */
#include "sandbox/program_walls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "sandbox/confine.h"
#include "sandbox/view.h"

#define BIT(n) (1ull << (n))

/* --- capabilities --- */

/* Root's, where the deck is root's: files of other users, as the deck's own threads have them. */
#define OTHERS_FILES (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH))

static const uint64_t kept[PROGRAM_COUNT] = {
	[PROGRAM_STORAGE_DAEMON] = OTHERS_FILES,
	/* It makes its room, does what the guest's users do, and keeps less. */
	[PROGRAM_VIRTIOFSD] = OTHERS_FILES | BIT(CAP_CHOWN) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) |
			      BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_MKNOD) |
			      BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) | BIT(CAP_SYS_ADMIN) |
			      BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_RESOURCE),
};

/* Root gets by execve(2) what the bounding set has. */
static void drop_capabilities(uint64_t but)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long n = 0; n < 64; n++)
		if (!(but & BIT(n)))
			prctl(PR_CAPBSET_DROP, n, 0, 0, 0);
	confine_capabilities(but);
}

/* --- system calls --- */

/* They fail with EPERM. */
static const uint32_t refused_calls[] = {
	/* other processes */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_getfd,
	/* mounts and namespaces */
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount,
	SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_unshare,
	SYS_setns,
	SYS_open_by_handle_at, SYS_quotactl, SYS_swapon, SYS_swapoff, SYS_acct,
	/* much of the kernel */
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
	SYS_io_uring_register, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_init_module,
	SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_kexec_file_load, SYS_syslog,
	SYS_modify_ldt, SYS_iopl, SYS_ioperm, SYS_vhangup,
	/* the host */
	SYS_reboot, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
	SYS_sethostname, SYS_setdomainname,
};

#define NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWNET | CLONE_NEWCGROUP)

#define X32 0x40000000u

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_NOT(what, value, more) BPF_JUMP(BPF_JMP | (what) | BPF_K, value, 0, more)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))

/* What looks at arguments loads the number of the call again. */
static const struct sock_filter head[] = {
	LOAD(arch),
	IF_NOT(BPF_JEQ, AUDIT_ARCH_X86_64, 1),
	BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	IF_NOT(BPF_JGE, X32, 1),
	REFUSE(ENOSYS),
	/* Its flags cannot be seen; glibc has another way then. */
	IF_NOT(BPF_JEQ, SYS_clone3, 1),
	REFUSE(ENOSYS),
	IF_NOT(BPF_JEQ, SYS_clone, 4),
	LOAD(args[0]),
	IF_NOT(BPF_JSET, NAMESPACES, 1),
	REFUSE(EPERM),
	RETURN(SECCOMP_RET_ALLOW),
};

#define IF(what, value, more) BPF_JUMP(BPF_JMP | (what) | BPF_K, value, more, 0)

/*
 * What kinds of sockets it makes beside those that it was given: Landlock does not see what is
 * done with them, and by one of AF_UNIX whoever is the user commands the deck. A pair is not
 * bound to its other end.
 */
static const struct sock_filter no_pairs[] = {
	IF_NOT(BPF_JEQ, SYS_socketpair, 1),
	REFUSE(EACCES),
};

static const struct sock_filter no_sockets[] = {
	IF_NOT(BPF_JEQ, SYS_socket, 1),
	REFUSE(EACCES),
	IF_NOT(BPF_JEQ, SYS_connect, 1),
	REFUSE(EACCES),
};

static const struct sock_filter network_sockets[] = {
	IF_NOT(BPF_JEQ, SYS_socket, 6),
	LOAD(args[0]),
	IF(BPF_JEQ, AF_INET, 3),
	IF(BPF_JEQ, AF_INET6, 2),
	IF(BPF_JEQ, AF_NETLINK, 1), /* getaddrinfo(3) looks what addresses there are */
	REFUSE(EACCES),
	RETURN(SECCOMP_RET_ALLOW),
};

static const struct sock_filter local_sockets[] = {
	IF_NOT(BPF_JEQ, SYS_socket, 4),
	LOAD(args[0]),
	IF(BPF_JEQ, AF_UNIX, 1),
	REFUSE(EACCES),
	RETURN(SECCOMP_RET_ALLOW),
};

static const struct {
	const struct sock_filter *code;
	size_t count;
} sockets[] = {
	[PROGRAM_NO_NETWORK] = { no_sockets, ARRAY_SIZE(no_sockets) },
	[PROGRAM_NETWORK] = { network_sockets, ARRAY_SIZE(network_sockets) },
	[PROGRAM_LOCAL] = { local_sockets, ARRAY_SIZE(local_sockets) },
};

struct filter {
	struct sock_filter code[ARRAY_SIZE(head) + ARRAY_SIZE(no_pairs) +
				ARRAY_SIZE(network_sockets) + 2 * ARRAY_SIZE(refused_calls) + 1];
	unsigned short count;
};

_Static_assert(ARRAY_SIZE(no_sockets) <= ARRAY_SIZE(network_sockets) &&
	       ARRAY_SIZE(local_sockets) <= ARRAY_SIZE(network_sockets), "the longest");

static void add(struct filter *filter, const struct sock_filter *code, size_t count)
{
	for (size_t i = 0; i < count; i++)
		filter->code[filter->count++] = code[i];
}

static void refuse_calls(enum program_network network)
{
	static const struct sock_filter allow = RETURN(SECCOMP_RET_ALLOW);
	struct filter filter = { .count = 0 };
	struct sock_fprog program = { .filter = filter.code };

	add(&filter, head, ARRAY_SIZE(head));
	add(&filter, no_pairs, ARRAY_SIZE(no_pairs));
	add(&filter, sockets[network].code, sockets[network].count);
	for (size_t i = 0; i < ARRAY_SIZE(refused_calls); i++) {
		const struct sock_filter call[] = {
			IF_NOT(BPF_JEQ, refused_calls[i], 1),
			REFUSE(EPERM),
		};

		add(&filter, call, ARRAY_SIZE(call));
	}
	add(&filter, &allow, 1);
	program.len = filter.count;
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* --- files --- */

/*
 * What programs read of a system: libraries, and how it is set up; some only with a network. What
 * is executed is the loader, and what a script that stands for the program has it executed by.
 */
static const struct {
	const char *path;
	bool executed, network;
} system_files[] = {
	{ "/usr", true, false },	      { "/bin", true, false },
	{ "/lib", true, false },	      { "/lib64", true, false },
	{ "/etc/ld.so.cache", false, false }, { "/etc/ld.so.preload", false, false },
	{ "/etc/localtime", false, false },   { "/etc/gnutls", false, false },
	{ "/etc/crypto-policies", false, false }, { "/sys/devices", false, false },
	{ "/dev/urandom", false, false },     { "/dev/random", false, false },
	{ "/proc/self", false, false },
	{ "/etc/resolv.conf", false, true },  { "/etc/hosts", false, true },
	{ "/etc/host.conf", false, true },    { "/etc/gai.conf", false, true },
	{ "/etc/nsswitch.conf", false, true }, { "/etc/services", false, true },
	{ "/etc/protocols", false, true },    { "/etc/ssl", false, true },
	{ "/etc/ceph", false, true },
};

static void hide_files(const struct program_walls *walls)
{
	struct landlock_file files[ARRAY_SIZE(system_files) + PROGRAM_FILES_MAX + 3];
	bool network = walls->network == PROGRAM_NETWORK;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(system_files); i++)
		if (network || !system_files[i].network)
			files[count++] = (struct landlock_file){
				system_files[i].path,
				system_files[i].executed ? LANDLOCK_EXECUTE : LANDLOCK_READ
			};
	files[count++] = (struct landlock_file){ walls->executable, LANDLOCK_EXECUTE };
	files[count++] = (struct landlock_file){ "/dev/null", LANDLOCK_WRITE };
	for (size_t i = 0; i < PROGRAM_FILES_MAX && walls->files[i].path; i++)
		files[count++] = (struct landlock_file){
			walls->files[i].path,
			walls->files[i].written ? LANDLOCK_WRITE : LANDLOCK_READ
		};
	files[count] = (struct landlock_file){ NULL, LANDLOCK_READ };
	(void)landlock_enter_program(files, network);
}

/* --- all of it --- */

/* Of one that works for a moment on what guests sent; 0: it has no such limit. */
static const struct {
	rlim_t memory, seconds; /* bytes of addresses, and of the processor */
} limits[PROGRAM_COUNT] = {
	[PROGRAM_SHARKD] = { 2ul << 30, 20 },
};

static void bound(enum program program)
{
	const struct rlimit none = { 0, 0 };
	const struct rlimit memory = { limits[program].memory, limits[program].memory };
	const struct rlimit seconds = { limits[program].seconds, limits[program].seconds };

	(void)confine_cores();
	setrlimit(RLIMIT_MSGQUEUE, &none);
	if (memory.rlim_max)
		setrlimit(RLIMIT_AS, &memory);
	if (seconds.rlim_max)
		setrlimit(RLIMIT_CPU, &seconds);
}

void program_walls_enter(const struct program_walls *walls)
{
	bound(walls->program);
	drop_capabilities(kept[walls->program]);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!walls->files)
		return;
	hide_files(walls);
	refuse_calls(walls->network);
}
