/* See filters.h. seccomp(2), prctl(2). */
#include "sandbox/filters.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "sandbox/filters.inc"

static const struct {
	const char *name, *whose;
	unsigned short length;
	const struct sock_filter *program;
} filters[] = {
#define FILTER_ROW(NAME, name, whose) \
	[FILTER_##NAME] = { #name, whose, ARRAY_SIZE(name##_program), name##_program },
	FILTERS(FILTER_ROW)
#undef FILTER_ROW
};

const char *filter_name(enum call_filter filter)
{
	return filters[filter].name;
}

const char *filter_whose(enum call_filter filter)
{
	return filters[filter].whose;
}

int filter_enter(enum call_filter filter)
{
	/* The kernel only reads it. */
	struct sock_fprog program = { filters[filter].length,
				      (struct sock_filter *)filters[filter].program };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/*
	 * Without the flag kernels before 5.16 switch speculation off for the thread,
	 * which costs a vCPU dear and protects what shares no memory with anybody.
	 */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		    &program) != 0)
		return -errno;
	return 0;
}
