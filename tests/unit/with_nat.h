/* The beginning of a test program that has switches with NAT, whose processes are this program. */
#ifndef TESTS_UNIT_WITH_NAT_H
#define TESTS_UNIT_WITH_NAT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/port/nat_process.h"
#include "sandbox/helper.h"
#include "sandbox/sandbox.h"

/* In main(), first of all; the processes are of this kind, which is called "nat". */
static inline void begin_with(const struct sandbox_kind *nat, int argc, char **argv)
{
	const struct sandbox_kind *const kinds[] = { nat, NULL };
	struct cause cause;

	sandbox_entry(argc, argv, kinds);
	if (helper_start(NULL, &cause) == 0)
		return;
	fprintf(stderr, "%s\n", cause.text);
	exit(1);
}

static inline void begin_with_nat(int argc, char **argv)
{
	begin_with(&nat_process, argc, argv);
}

/* The first child of a process, or 0. */
static inline int child_of(int pid)
{
	char path[64];
	int child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "r");
	if (file && fscanf(file, "%d", &child) != 1)
		child = 0;
	if (file)
		fclose(file);
	return child;
}

/* The process of NAT, of which there is one, and which the helper's helper has started; or 0. */
static inline int nat_pid(void)
{
	return child_of(child_of(child_of(getpid())));
}

#endif
