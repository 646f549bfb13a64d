/*
 * The table of system calls: a row for each call, with those that may make it.
 * Whoever includes this defines what becomes of a row; no guards, therefore.
 *
 *	CALL(call, who)			whatever its arguments are
 *	WHEN(call, who, n, mask, value)	if argument n, counted from 0, has value under
 *					mask; several rows of a call: one of them
 *	FAILS(call, who, error)		it fails with that error, and nobody ends
 *	FAILS_WHEN(call, who, n, mask, value, error)	both
 *	DEADLY(call, who)		it ends the process
 *
 * who: names of FILTERS(), joined by |, or THREADS, PROCESSES, ALL. A call that
 * has no row for somebody fails (THREADS) or ends the process (PROCESSES). What is
 * newer than the table does not exist for anybody (ENOSYS): C libraries try new
 * calls and go on with older ones. They also decide which call a function makes,
 * so that all shapes of one function stand here.
 */

/* --- what every program does: memory, threads' own affairs, clocks, waiting --- */

CALL(read, ALL)
CALL(write, ALL)
CALL(readv, ALL)
CALL(writev, ALL)
CALL(close, ALL)
CALL(futex, ALL)
CALL(futex_waitv, ALL)
CALL(brk, ALL)
CALL(munmap, ALL)
CALL(mremap, ALL)
CALL(madvise, ALL)
WHEN(mmap, ALL, 2, PROT_EXEC, 0)
WHEN(mprotect, ALL, 2, PROT_EXEC, 0)
CALL(exit, ALL)
CALL(exit_group, ALL)
CALL(restart_syscall, ALL)
CALL(rt_sigreturn, ALL)
CALL(rt_sigprocmask, ALL)
CALL(rt_sigaction, ALL)
CALL(sigaltstack, ALL)
CALL(rseq, ALL)
CALL(set_robust_list, ALL)
CALL(set_tid_address, ALL)
CALL(membarrier, ALL)
CALL(gettid, ALL)
CALL(getpid, ALL)
CALL(getuid, ALL)
CALL(geteuid, ALL)
CALL(getgid, ALL)
CALL(getegid, ALL)
CALL(getrandom, ALL)
CALL(sched_yield, ALL)
CALL(sched_getaffinity, ALL)
CALL(getcpu, ALL)
CALL(clock_gettime, ALL)
CALL(clock_getres, ALL)
CALL(gettimeofday, ALL)
CALL(time, ALL)
CALL(nanosleep, ALL)
CALL(clock_nanosleep, ALL)
CALL(poll, ALL)
CALL(ppoll, ALL)
CALL(select, ALL)
CALL(pselect6, ALL)
CALL(epoll_create1, ALL)
CALL(epoll_ctl, ALL)
CALL(epoll_wait, ALL)
CALL(epoll_pwait, ALL)
CALL(epoll_pwait2, ALL)
CALL(eventfd2, ALL)
CALL(fstat, ALL)
CALL(lseek, ALL)
CALL(uname, ALL)
CALL(sysinfo, ALL)
CALL(getrlimit, ALL)
CALL(getrusage, ALL)
WHEN(prctl, ALL, 0, UINT32_MAX, PR_SET_NAME)
WHEN(prctl, ALL, 0, UINT32_MAX, PR_SET_VMA)
/* How standard I/O asks whether it writes to a terminal. */
WHEN(ioctl, ALL, 1, UINT32_MAX, TCGETS)
WHEN(fcntl, ALL, 1, UINT32_MAX, F_GETFL)
WHEN(fcntl, ALL, 1, UINT32_MAX, F_SETFL)
WHEN(fcntl, ALL, 1, UINT32_MAX, F_GETFD)
WHEN(fcntl, ALL, 1, UINT32_MAX, F_SETFD)
/* abort() asks for it first and then ends without. */
FAILS(tgkill, PROCESSES, EPERM)
/* Without new limits: the fourth argument is where they go, the third where they come from. */
WHEN(prlimit64, ALL, 2, UINT64_MAX, 0)

/* --- files --- */

CALL(openat, DECK | IO)
CALL(open, DECK | IO)
CALL(newfstatat, ALL)
CALL(stat, DECK | IO)
CALL(lstat, DECK | IO)
CALL(statx, DECK | IO)
CALL(statfs, DECK | IO)
CALL(fstatfs, DECK | IO)
CALL(access, DECK | IO)
CALL(faccessat, DECK | IO)
CALL(faccessat2, DECK | IO)
CALL(readlink, DECK | IO)
CALL(readlinkat, DECK | IO)
CALL(pread64, DECK | IO | COMPILER)
CALL(pwrite64, DECK | IO | CAPTURE)
CALL(preadv, IO)
CALL(preadv2, IO)
CALL(pwritev, DECK | IO | CAPTURE)
CALL(pwritev2, DECK | IO | CAPTURE)
CALL(ftruncate, DECK | CAPTURE | UPLINK)
CALL(memfd_create, DECK | UPLINK)
CALL(getdents64, DECK)
CALL(getcwd, DECK)
CALL(mkdir, DECK)
CALL(mkdirat, DECK)
CALL(unlink, DECK)
CALL(unlinkat, DECK)
CALL(rename, DECK)
CALL(renameat, DECK)
CALL(renameat2, DECK)
CALL(chmod, DECK)
CALL(fchmod, DECK)
CALL(fchmodat, DECK)
CALL(fsync, DECK | IO | CAPTURE)
CALL(fdatasync, DECK | IO | CAPTURE)
CALL(fallocate, IO | CAPTURE)
CALL(mincore, DECK | IO)
CALL(dup, DECK | UPLINK)
WHEN(fcntl, DECK | IO | UPLINK | CAPTURE, 1, UINT32_MAX, F_DUPFD_CLOEXEC)
WHEN(fcntl, DECK | IO, 1, UINT32_MAX, F_OFD_SETLK)
WHEN(fcntl, DECK | IO, 1, UINT32_MAX, F_OFD_GETLK)
WHEN(fcntl, DECK | UPLINK, 1, UINT32_MAX, F_ADD_SEALS)
WHEN(fcntl, DECK | UPLINK, 1, UINT32_MAX, F_GET_SEALS)
WHEN(fcntl, DECK | CAPTURE, 1, UINT32_MAX, F_SETPIPE_SZ)
WHEN(ioctl, IO, 1, UINT32_MAX, BLKGETSIZE64)
/* Their rings are held to reading and writing of the guest's own files: core/disk/uring.c. */
CALL(io_uring_setup, IO)
CALL(io_uring_enter, IO)
CALL(io_uring_register, IO)

/* --- to be found by others, and finding them --- */

WHEN(socket, DECK, 0, UINT32_MAX, AF_UNIX)
CALL(socketpair, DECK | UPLINK)
CALL(connect, DECK)
CALL(bind, DECK)
CALL(listen, DECK)
CALL(accept4, DECK)
CALL(getsockopt, DECK)
CALL(getsockname, DECK)
CALL(getpeername, DECK)
CALL(shutdown, DECK)
CALL(sendto, DECK | CAPTURE)
CALL(recvfrom, DECK)
CALL(sendmsg, DECK | CAPTURE | UPLINK)
CALL(recvmsg, DECK | UPLINK)
/* Ends a process behind walls of which it has a descriptor. */
CALL(pidfd_send_signal, DECK | UPLINK)

/* --- threads --- */

/* Its arguments lie in memory, where no filter can look; the C library goes on with clone(). */
FAILS(clone3, ALL, ENOSYS)
WHEN(clone, DECK | IO, 0, CLONE_THREAD | CLONE_VM | OWN_NAMESPACES, CLONE_THREAD | CLONE_VM)
/* A thread enters the filter of its own when it has been born with its parent's. */
CALL(seccomp, DECK | IO)
WHEN(prctl, DECK | IO, 0, UINT32_MAX, PR_SET_NO_NEW_PRIVS)
CALL(capset, DECK | IO)
CALL(capget, DECK | IO)
CALL(setrlimit, DECK)
CALL(prlimit64, DECK)
CALL(signalfd4, DECK)

/* --- virtual machines --- */

WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_RUN)
/* Reading and writing what a vCPU and the machine hold, for crashes and for saving. */
CALL(ioctl, DECK | IO)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_GET_REGS)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_GET_SREGS)
/* KVM_KICK_SIGNAL: how a vCPU is taken out of its guest. */
WHEN(tgkill, DECK | IO, 2, UINT32_MAX, SIGUSR1)
/* A guest moves the interrupts and the doorbells of its devices. */
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_IRQ_LINE)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_SET_GSI_ROUTING)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_IRQFD)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_IOEVENTFD)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_SIGNAL_MSI)

/* --- libslirp: sockets that connect, and to which nobody connects --- */

WHEN(socket, NAT, 0, UINT32_MAX, AF_INET)
/* How the C library asks for an interface's number, which a name server's address may have. */
FAILS_WHEN(socket, NAT, 0, UINT32_MAX, AF_UNIX, EACCES)
CALL(connect, NAT)
CALL(shutdown, NAT)
CALL(getsockopt, NAT)
CALL(setsockopt, NAT)
CALL(getpeername, NAT)
CALL(sendto, NAT)
CALL(recvfrom, NAT)
CALL(recvmsg, NAT)
WHEN(ioctl, NAT, 1, UINT32_MAX, FIONREAD)
CALL(stat, NAT)
/* glib makes a random number of it, without /dev/urandom. */
CALL(getppid, NAT)

/* --- reading small files of the system's, and no other --- */

WHEN(openat, NAT | COMPILER, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)
WHEN(open, NAT | COMPILER, 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)
/* Names that would be asked for on the network are not found. */
FAILS(socket, COMPILER, EACCES)

/* --- libraries that are loaded when they are needed (base/library.h) --- */

WHEN(mmap, DECK, 2, PROT_WRITE | PROT_EXEC, PROT_EXEC)

/* --- what only an attacker tries --- */

DEADLY(execve, THREADS)
DEADLY(execveat, THREADS)
DEADLY(fork, THREADS)
DEADLY(vfork, THREADS)
DEADLY(ptrace, THREADS)
DEADLY(process_vm_readv, THREADS)
DEADLY(process_vm_writev, THREADS)
DEADLY(pidfd_getfd, THREADS)
DEADLY(unshare, THREADS)
DEADLY(setns, THREADS)
DEADLY(mount, THREADS)
DEADLY(umount2, THREADS)
DEADLY(pivot_root, THREADS)
DEADLY(chroot, THREADS)
DEADLY(open_tree, THREADS)
DEADLY(move_mount, THREADS)
DEADLY(fsopen, THREADS)
DEADLY(fsmount, THREADS)
DEADLY(open_by_handle_at, THREADS)
DEADLY(bpf, THREADS)
DEADLY(perf_event_open, THREADS)
DEADLY(userfaultfd, THREADS)
DEADLY(keyctl, THREADS)
DEADLY(add_key, THREADS)
DEADLY(request_key, THREADS)
DEADLY(init_module, THREADS)
DEADLY(finit_module, THREADS)
DEADLY(delete_module, THREADS)
DEADLY(kexec_load, THREADS)
DEADLY(kexec_file_load, THREADS)
DEADLY(modify_ldt, THREADS)
DEADLY(iopl, THREADS)
DEADLY(ioperm, THREADS)
DEADLY(setuid, THREADS)
DEADLY(setgid, THREADS)
DEADLY(setreuid, THREADS)
DEADLY(setregid, THREADS)
DEADLY(setresuid, THREADS)
DEADLY(setresgid, THREADS)
DEADLY(setgroups, THREADS)
