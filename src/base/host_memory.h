/*
 * How much memory there is for this process and what it starts, and word of it
 * running short. proc_meminfo(5), cgroups(7), the kernel's accounting/psi.rst.
 * Any thread.
 */
#ifndef BASE_HOST_MEMORY_H
#define BASE_HOST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct host_memory {
	uint64_t total;	    /* bytes of the host; 0: unknown */
	uint64_t available; /* bytes that can be had without swapping, as the kernel estimates */
	uint64_t limit;	    /* bytes that this process can have at most: total, or less */
	bool grouped;	    /* a control group sets that limit */
};

/* root comes before "/proc" and "/sys", and is "" but for tests. What is unknown sets no limit. */
void host_memory_read(struct host_memory *out, const char *root);

/*
 * A descriptor that has EPOLLPRI whenever tasks of the host have waited for memory for 0.15 s
 * of 2 s, at most once in these; the caller's to close. It costs nothing until then.
 * -ENOENT or -EOPNOTSUPP when the kernel does not account for pressure (PSI), -EPERM, -EACCES
 * and so on.
 */
int host_memory_watch(void);

#endif
