/*
 * Which system calls are open to what: seccomp(2). A filter is a row here and a
 * column of the table in filters_table.h; the programs are made of that table
 * when vmdeck is built, so that entering one costs a single system call and
 * needs no library.
 *
 * A process of its own that makes another call ends (SIGSYS). In the deck's own
 * threads such a call fails with EPERM, because their process is all guests'; it
 * ends with it when the call is one that only an attacker makes.
 */
#ifndef SANDBOX_FILTERS_H
#define SANDBOX_FILTERS_H

/*
 * X(NAME, name, whose it is). Processes of their own first, the one that may
 * least at the head, and then, from FILTER_THREADS on, threads of the deck.
 */
#define FILTERS(X)                                                          \
	X(EMULATOR, emulator, "processes that emulate terminals")           \
	X(COMPILER, compiler, "processes that compile filters or read captures")     \
	X(NAT, nat, "processes that translate addresses")                   \
	X(DECK, deck, "the deck's thread, its worker, guests' I/O threads") \
	X(VCPU, vcpu, "vCPU threads")                                       \
	X(UPLINK, uplink, "the thread that serves the switches' own ports") \
	X(CAPTURE, capture, "the thread that writes captures")              \
	X(DISK, disk, "threads that serve disks where io_uring is refused")

enum call_filter {
#define FILTER_NAME(NAME, name, whose) FILTER_##NAME,
	FILTERS(FILTER_NAME)
#undef FILTER_NAME
	FILTER_COUNT,
	FILTER_THREADS = FILTER_DECK,
};

/* "vcpu". A constant. */
const char *filter_name(enum call_filter filter);

/* "vCPU threads". A constant. */
const char *filter_whose(enum call_filter filter);

/*
 * The calling thread, and those that it will start, are held to it for good, and
 * can gain no privileges by execve(2) any more. One more can be entered, and
 * then both hold. 0 or a negative errno: -EINVAL, -ENOSYS if the kernel has no
 * seccomp, -EPERM if a filter that is there already does not let it.
 */
int filter_enter(enum call_filter filter);

#endif
