/* The beginning of a process behind walls. Its only thread. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/plain.h"
#include "sandbox/helper.h"
#include "sandbox/sandbox.h"

#define STATUS_FAILED 1
#define STATUS_USAGE 64

static const struct sandbox_kind *find_kind(const struct sandbox_kind *const *kinds,
					    const char *name)
{
	while (*kinds && strcmp((*kinds)->name, name) != 0)
		kinds++;
	return *kinds;
}

static void __attribute__((noreturn)) fail(struct channel *channel, const char *text)
{
	snprintf(channel->page->said, sizeof(channel->page->said), "%s", text);
	_exit(STATUS_FAILED);
}

static void __attribute__((noreturn)) become(const struct sandbox_kind *kind, const char *label)
{
	struct channel channel;
	struct cause cause;
	uint64_t one = 1;
	uint32_t walls;
	int error = channel_attach(&channel, &kind->layout, HELPER_FD_MEMORY, HELPER_FD_WAKE,
				   HELPER_FD_PEER);

	if (error) {
		plain_say("%s%s is started by vmdeck alone", HELPER_PREFIX, kind->name);
		_exit(STATUS_USAGE);
	}
	/* A reader that goes away is an error of that write. */
	signal(SIGPIPE, SIG_IGN);
	if (kind->prepare && kind->prepare(&cause) < 0)
		fail(&channel, cause.text);
	walls = walls_enter(&kind->walls);
	if (!walls)
		fail(&channel, "this kernel has no seccomp, which it does not run without");
	atomic_store(&channel.page->walls, walls);
	atomic_store(&channel.page->ready, 1);
	if (write(channel.peer_fd, &one, sizeof(one)) != sizeof(one))
		fail(&channel, "its eventfd cannot be written to");
	kind->run(&channel, label);
	_exit(0);
}

void sandbox_entry(int argc, char **argv, const struct sandbox_kind *const *kinds)
{
	const struct sandbox_kind *kind;
	size_t prefix = strlen(HELPER_PREFIX);

	if (argc != 2 || strncmp(argv[0], HELPER_PREFIX, prefix) != 0)
		return;
	kind = find_kind(kinds, argv[0] + prefix);
	if (!kind)
		return;
	prctl(PR_SET_NAME, argv[0]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	become(kind, argv[1]);
}
