/*
 * The table of system calls: a row for each call, with those that may make it.
 * Whoever includes this defines what becomes of a row; no guards, therefore.
 *
 *	CALL(call, who)			whatever its arguments are
 *	WHEN(call, who, n, mask, value)	if argument n, counted from 0, has value under
 *					mask; several rows of a call: one of them
 *	WHEN_BOTH(call, who, n, mask, value, n2, mask2, value2)	if two of them have
 *	FAILS(call, who, error)		it fails with that error, and nobody ends
 *	FAILS_WHEN(call, who, n, mask, value, error)	both
 *	DEADLY(call, who)		it ends the process
 *
 * who: names of FILTERS(), joined by |, or THREADS, PROCESSES, ALL, or MOST, which
 * is all but vCPU threads: each instruction of their filter is a fifth of a
 * microsecond of a guest's start. A call that
 * has no row for somebody fails (THREADS) or ends the process (PROCESSES). What is
 * newer than the table does not exist for anybody (ENOSYS): C libraries try new
 * calls and go on with older ones. They also decide which call a function makes,
 * so that all shapes of one function stand here.
 */

/* --- what every program does: memory, threads' own affairs, clocks, waiting --- */

CALL(read, ALL)
CALL(write, ALL)
CALL(readv, MOST)
CALL(writev, MOST)
CALL(close, ALL)
CALL(futex, ALL)
CALL(futex_waitv, MOST)
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
CALL(rt_sigaction, MOST)
CALL(sigaltstack, MOST)
CALL(rseq, ALL)
CALL(set_robust_list, ALL)
CALL(set_tid_address, MOST)
CALL(membarrier, MOST)
CALL(gettid, ALL)
CALL(getpid, ALL)
CALL(getuid, MOST)
CALL(geteuid, MOST)
CALL(getgid, MOST)
CALL(getegid, MOST)
CALL(getrandom, ALL)
CALL(sched_yield, ALL)
CALL(sched_getaffinity, MOST)
CALL(getcpu, MOST)
CALL(clock_gettime, ALL)
CALL(clock_getres, MOST)
CALL(gettimeofday, ALL)
CALL(time, MOST)
CALL(nanosleep, ALL)
CALL(clock_nanosleep, ALL)
CALL(poll, MOST)
CALL(ppoll, MOST)
CALL(select, MOST)
CALL(pselect6, MOST)
CALL(epoll_create1, MOST)
CALL(epoll_ctl, ALL)
CALL(epoll_wait, MOST)
CALL(epoll_pwait, MOST)
CALL(epoll_pwait2, MOST)
CALL(eventfd2, ALL)
CALL(fstat, MOST)
CALL(lseek, MOST)
CALL(uname, MOST)
CALL(sysinfo, MOST)
CALL(getrlimit, MOST)
CALL(getrusage, MOST)
WHEN(prctl, ALL, 0, UINT32_MAX, PR_SET_NAME)
WHEN(prctl, MOST, 0, UINT32_MAX, PR_SET_VMA)
/* How standard I/O asks whether it writes to a terminal. */
WHEN(ioctl, MOST, 1, UINT32_MAX, TCGETS)
WHEN(fcntl, MOST, 1, UINT32_MAX, F_GETFL)
WHEN(fcntl, MOST & THREADS, 1, UINT32_MAX, F_SETFL)
WHEN(fcntl, MOST, 1, UINT32_MAX, F_GETFD)
WHEN(fcntl, MOST, 1, UINT32_MAX, F_SETFD)
/* abort() asks for it first and then ends without. */
FAILS(tgkill, PROCESSES, EPERM)
/* Without new limits: the fourth argument is where they go, the third where they come from. */
WHEN(prlimit64, MOST, 2, UINT64_MAX, 0)

/* --- files --- */

CALL(openat, DECK)
CALL(inotify_add_watch, DECK)
CALL(inotify_rm_watch, DECK)
CALL(open, DECK)
CALL(newfstatat, MOST)
CALL(stat, DECK)
CALL(lstat, DECK)
CALL(statx, DECK)
CALL(statfs, DECK)
CALL(fstatfs, DECK)
CALL(access, DECK)
CALL(faccessat, DECK)
CALL(faccessat2, DECK)
CALL(readlink, DECK | CAPTURE)
CALL(readlinkat, DECK | CAPTURE)
CALL(pread64, DECK | COMPILER)
CALL(pwrite64, DECK | CAPTURE | VCPU)
CALL(preadv, DECK | DISK)
CALL(preadv2, DECK | DISK)
CALL(pwritev, DECK | CAPTURE | DISK)
CALL(pwritev2, DECK | CAPTURE | DISK)
CALL(ftruncate, DECK | CAPTURE | UPLINK)
CALL(memfd_create, DECK | UPLINK)
CALL(mlock, DECK)
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
CALL(fsync, DECK | CAPTURE)
CALL(fdatasync, DECK | CAPTURE | DISK | VCPU)
CALL(fallocate, DECK | CAPTURE | DISK)
CALL(mincore, DECK)
CALL(dup, DECK | UPLINK)
WHEN(fcntl, DECK | UPLINK | CAPTURE, 1, UINT32_MAX, F_DUPFD_CLOEXEC)
WHEN(fcntl, DECK, 1, UINT32_MAX, F_SETLK)
WHEN(fcntl, DECK, 1, UINT32_MAX, F_OFD_SETLK)
WHEN(fcntl, DECK, 1, UINT32_MAX, F_OFD_GETLK)
WHEN(fcntl, DECK | UPLINK, 1, UINT32_MAX, F_ADD_SEALS)
WHEN(fcntl, DECK | UPLINK, 1, UINT32_MAX, F_GET_SEALS)
WHEN(fcntl, DECK | CAPTURE, 1, UINT32_MAX, F_SETPIPE_SZ)
WHEN(ioctl, DECK, 1, UINT32_MAX, BLKGETSIZE64)
WHEN(ioctl, DECK, 1, UINT32_MAX, BLKROGET)
/* Their rings are held to reading and writing of the guest's own files: core/disk/uring.c. */
CALL(io_uring_setup, DECK)
CALL(io_uring_enter, DECK)
CALL(io_uring_register, DECK)

/* --- to be found by others, and finding them --- */

WHEN(socket, DECK, 0, UINT32_MAX, AF_UNIX)
CALL(socketpair, DECK | UPLINK)
CALL(connect, DECK)
CALL(bind, DECK)
CALL(listen, DECK)
CALL(accept4, DECK | UPLINK)
CALL(getsockopt, DECK | UPLINK)
CALL(getsockname, DECK)
CALL(getpeername, DECK)
CALL(shutdown, DECK)
CALL(sendto, DECK | CAPTURE | UPLINK)
CALL(recvfrom, DECK | UPLINK)
CALL(sendmsg, DECK | CAPTURE | UPLINK)
/* Of ports that lead out by sockets, which the helper opens: see opener.h. */
CALL(recvmsg, UPLINK)
CALL(recvmmsg, UPLINK)
CALL(sendmmsg, UPLINK)

/* --- threads --- */

/* Its arguments lie in memory, where no filter can look; the C library goes on with clone(). */
FAILS(clone3, MOST, ENOSYS)
WHEN(clone, DECK, 0, CLONE_THREAD | CLONE_VM | OWN_NAMESPACES, CLONE_THREAD | CLONE_VM)
/* A thread enters the filter of its own when it has been born with its parent's. */
CALL(seccomp, DECK)
WHEN(prctl, DECK, 0, UINT32_MAX, PR_SET_NO_NEW_PRIVS)
CALL(capset, DECK)
CALL(capget, DECK)
CALL(signalfd4, DECK)

/* --- virtual machines --- */

WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_RUN)
/* All that /dev/kvm and what comes of it is asked for: KVMIO is the type of each. */
WHEN(ioctl, DECK, 1, 0xff00, KVMIO << 8)
/* A crash is described by the vCPU's own thread. */
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_GET_REGS)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_GET_SREGS)
/* KVM_KICK_SIGNAL: how a vCPU is taken out of its guest. */
WHEN(tgkill, DECK, 2, UINT32_MAX, SIGUSR1)
/*
 * A guest moves the interrupts and the doorbells of its devices. What comes from outside raises
 * the line of a NIC that has no messages.
 */
WHEN(ioctl, VCPU | UPLINK, 1, UINT32_MAX, KVM_IRQ_LINE)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_SET_GSI_ROUTING)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_IRQFD)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_IOEVENTFD)
WHEN(ioctl, VCPU, 1, UINT32_MAX, KVM_SIGNAL_MSI)

/* --- libslirp: sockets that connect, and those at which the host's ports are forwarded --- */

WHEN(socket, NAT, 0, UINT32_MAX, AF_INET)
/* How the C library asks for an interface's number, which a name server's address may have. */
FAILS_WHEN(socket, NAT, 0, UINT32_MAX, AF_UNIX, EACCES)
CALL(connect, NAT)
CALL(bind, NAT)
CALL(listen, NAT)
CALL(accept, NAT)
CALL(accept4, NAT)
CALL(getsockname, NAT)
CALL(shutdown, NAT)
CALL(getsockopt, NAT)
CALL(setsockopt, NAT)
CALL(getpeername, NAT)
CALL(sendto, NAT)
CALL(recvfrom, NAT)
CALL(recvmsg, NAT)
WHEN(ioctl, NAT, 1, UINT32_MAX, FIONREAD)
/* Never back: the deck has the eventfds, too, and would wait where it must not. */
WHEN_BOTH(fcntl, NAT, 1, UINT32_MAX, F_SETFL, 2, O_NONBLOCK | O_ASYNC, O_NONBLOCK)
CALL(stat, NAT)
/* glib makes a random number of it, without /dev/urandom. */
CALL(getppid, NAT)

/* --- reading small files of the system's, and no other --- */

WHEN(openat, NAT | COMPILER, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)
WHEN(open, NAT | COMPILER, 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)
/* Names that would be asked for on the network are not found. */
FAILS(socket, COMPILER, EACCES)

/* --- what only an attacker tries; vCPU threads have that from the deck's filter --- */

DEADLY(execve, THREADS & ~VCPU)
DEADLY(execveat, THREADS & ~VCPU)
DEADLY(fork, THREADS & ~VCPU)
DEADLY(vfork, THREADS & ~VCPU)
DEADLY(ptrace, THREADS & ~VCPU)
DEADLY(process_vm_readv, THREADS & ~VCPU)
DEADLY(process_vm_writev, THREADS & ~VCPU)
DEADLY(pidfd_getfd, THREADS & ~VCPU)
DEADLY(unshare, THREADS & ~VCPU)
DEADLY(setns, THREADS & ~VCPU)
DEADLY(mount, THREADS & ~VCPU)
DEADLY(umount2, THREADS & ~VCPU)
DEADLY(pivot_root, THREADS & ~VCPU)
DEADLY(chroot, THREADS & ~VCPU)
DEADLY(open_tree, THREADS & ~VCPU)
DEADLY(move_mount, THREADS & ~VCPU)
DEADLY(fsopen, THREADS & ~VCPU)
DEADLY(fsmount, THREADS & ~VCPU)
DEADLY(open_by_handle_at, THREADS & ~VCPU)
DEADLY(bpf, THREADS & ~VCPU)
DEADLY(perf_event_open, THREADS & ~VCPU)
DEADLY(userfaultfd, THREADS & ~VCPU)
DEADLY(keyctl, THREADS & ~VCPU)
DEADLY(add_key, THREADS & ~VCPU)
DEADLY(request_key, THREADS & ~VCPU)
DEADLY(init_module, THREADS & ~VCPU)
DEADLY(finit_module, THREADS & ~VCPU)
DEADLY(delete_module, THREADS & ~VCPU)
DEADLY(kexec_load, THREADS & ~VCPU)
DEADLY(kexec_file_load, THREADS & ~VCPU)
DEADLY(modify_ldt, THREADS & ~VCPU)
DEADLY(iopl, THREADS & ~VCPU)
DEADLY(ioperm, THREADS & ~VCPU)
DEADLY(setuid, THREADS & ~VCPU)
DEADLY(setgid, THREADS & ~VCPU)
DEADLY(setreuid, THREADS & ~VCPU)
DEADLY(setregid, THREADS & ~VCPU)
DEADLY(setresuid, THREADS & ~VCPU)
DEADLY(setresgid, THREADS & ~VCPU)
DEADLY(setgroups, THREADS & ~VCPU)
