/*
 * What a process of its own gives up before it looks at anything of a guest's.
 * In that process, which has one thread.
 *
 * Walls stand behind each other, and each is there for when another has a hole
 * or a host does not have it. The helper brings the namespaces (helper.c).
 */
#ifndef SANDBOX_WALLS_H
#define SANDBOX_WALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/filters.h"

struct walls {
	const char *const *readable; /* absolute paths of what it may read, ended by NULL; or NULL */
	uint64_t memory;	     /* bytes of address space */
	unsigned descriptors;	     /* its standard ones and the channel's included */
	bool network;		     /* shares the host's; false: it has none */
	enum call_filter filter;
};

/* X(NAME, what it is called, what follows from it, what follows from not having it) */
#define WALL_LIST(X) \
	X(USER, "user namespace", "it is nobody outside of its own", \
	  "it is the same user as vmdeck") \
	X(MOUNT, "mount namespace", "it sees no file but those it needs", \
	  "it sees the host's folders") \
	X(PID, "process namespace", "it sees no other process", \
	  "it sees the host's processes") \
	X(IPC, "IPC namespace", "it shares no memory or queue by name", \
	  "it shares the host's message queues") \
	X(NET, "network namespace", "unless it is NAT, it has no network", \
	  "only seccomp keeps it from the network") \
	X(NOT_ROOT, "not root", "it is not root outside", \
	  "it is root") \
	X(CAPABILITIES, "no capabilities", "it may nothing that root may", \
	  "it keeps root's privileges") \
	X(NO_NEW_PRIVS, "no new privileges", "no program makes it more", \
	  "it could become more by executing a program") \
	X(LANDLOCK, "Landlock", "files, sockets and signals are closed to it", \
	  "only the other walls keep it from files") \
	X(SECCOMP, "seccomp", "only the system calls that it needs are open", \
	  "every system call is open to it") \
	X(LIMITS, "limits", "its memory and descriptors have bounds", \
	  "its memory and descriptors have no bound") \
	X(NO_CORE, "no core dump", "what it held is written nowhere", \
	  "what it held can be written to a file")

enum {
#define WALL_NUMBER(NAME, name, with, without) WALL_NUMBER_##NAME,
	WALL_LIST(WALL_NUMBER)
#undef WALL_NUMBER
	WALL_COUNT,
};

enum wall {
#define WALL_BIT(NAME, name, with, without) WALL_##NAME = 1 << WALL_NUMBER_##NAME,
	WALL_LIST(WALL_BIT)
#undef WALL_BIT
};

/*
 * Enters them for good, and returns which are in force: WALL_*. Each that the host
 * does not give is left out, but for seccomp: without it 0 is returned, and the
 * process must end. Descriptors from HELPER_FD_COUNT on are closed.
 */
uint32_t walls_enter(const struct walls *walls);

/* Those that a process with these walls has where the host gives everything. */
uint32_t walls_wanted(const struct walls *walls);

/*
 * number: 0 to WALL_COUNT - 1, of the bit. "mount namespace"; and what
 * follows from its being in force or not, of a process: "it sees ...".
 */
const char *wall_name(unsigned number);
const char *wall_means(unsigned number, bool in_force);

#endif
