/* See opening.h. unix(7). */
#include "sandbox/opening.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sandbox/helper.h"

int opening_start(const struct opener_order *order, struct cause *cause)
{
	return helper_open(order, cause);
}

union passed {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int passed_fd(struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

int opening_take(int status_fd, enum opener_step *step)
{
	struct helper_report report;
	union passed passed;
	struct iovec part = { &report, sizeof(report) };
	ssize_t n;

	*step = OPENER_OPEN;
	for (;;) {
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
					  .msg_control = &passed, .msg_controllen = sizeof(passed) };

		n = recvmsg(status_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		if (n != sizeof(report))
			return -ESRCH; /* the helper is gone */
		if (report.says == HELPER_OPENED && report.code == 0)
			return passed_fd(&message);
		*step = (enum opener_step)report.refused;
		/* -EAGAIN is ours: see opening.h */
		if (report.says == HELPER_OPENED || report.says == HELPER_REFUSED)
			return report.code == EAGAIN ? -EBUSY : -report.code;
		if (report.says != HELPER_STARTED)
			return -EIO; /* it ended without a word */
	}
}
