/*
 * A port that is a TAP device of the host: whatever the host does with a network card it does
 * with that. Documentation/networking/tuntap.rst; struct virtio_net_hdr of virtio 1.2 § 5.1.6.
 *
 * Theory of operation: a sender's thread writes its frames to the device itself, which costs a
 * system call each and neither a copy nor a wake-up; the device takes partial checksums and TSO
 * as guests leave them, so that call is often for 64 KiB. What the host sends is read on the
 * uplink thread, a bounded number of frames a turn, and is handed on with what is unfinished.
 */
#include "net/port/outside.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/checked.h"

#define FRAMES_A_TURN (2u * NET_BURST_MAX)

struct tap_section {
	struct port_section section;
	char *name, *bridge; /* bridge: or NULL */
};

struct tap {
	struct outside outside;
	const struct tap_section *section;
	struct loop_source source;
	pthread_rwlock_t lock; /* guards fd: held by who writes to it */
	int fd;		       /* or -1 */
};

_Static_assert(sizeof(struct net_offload) == 10, "struct virtio_net_hdr");

static struct tap *tap_of(struct outside *outside)
{
	return container_of(outside, struct tap, outside);
}

/* --- to the host; the senders' threads --- */

static enum net_verdict verdict_of(int error)
{
	switch (error) {
	case EIO: /* it is down */
	case EBADFD: /* it is no more */
		return NET_DROP_LINK_DOWN;
	case EINVAL:
		return NET_DROP_BAD_OFFLOAD;
	default:
		return NET_DROP_NO_BUFFER;
	}
}

static enum net_verdict write_frame(int fd, const struct net_frame *frame)
{
	struct iovec parts[2 + NET_REST_MAX];
	unsigned count = 2;

	parts[0] = (struct iovec){ (void *)(uintptr_t)&frame->offload, sizeof(frame->offload) };
	parts[1] = (struct iovec){ (void *)(uintptr_t)frame->head, frame->head_size };
	for (uint32_t i = 0; i < frame->rest_count && i < NET_REST_MAX; i++)
		parts[count++] = frame->rest[i];
	return writev(fd, parts, (int)count) < 0 ? verdict_of(errno) : NET_FORWARD;
}

static unsigned deliver(void *backend, uint32_t from, const struct net_frame *const *frames,
			unsigned count, enum net_verdict *verdicts)
{
	struct tap *tap = tap_of(backend);
	unsigned taken = 0;

	(void)from;
	pthread_rwlock_rdlock(&tap->lock);
	for (unsigned i = 0; i < count; i++) {
		enum net_verdict verdict = tap->fd < 0 ? NET_DROP_LINK_DOWN :
							 write_frame(tap->fd, frames[i]);

		if (verdict == NET_FORWARD)
			taken++;
		else
			verdicts[i] = verdict;
	}
	pthread_rwlock_unlock(&tap->lock);
	return taken;
}

static void flush(void *backend)
{
	(void)backend;
}

static const struct net_port_ops port_ops = { .deliver = deliver, .flush = flush };

/* --- from the host; the uplink thread --- */

static bool wants(const void *owner, const struct net_frame *frame)
{
	(void)owner;
	(void)frame;
	return false;
}

static const struct inbox_ops inbox_ops = { .wants = wants };

static void on_frames(void *arg, uint32_t events)
{
	struct tap *tap = arg;
	ssize_t n = 0;

	(void)events;
	for (unsigned i = 0; i < FRAMES_A_TURN; i++) {
		struct net_offload offload;
		struct iovec parts[] = { { &offload, sizeof(offload) }, { NULL, NET_FRAME_MAX } };

		parts[1].iov_base = outside_reserve(&tap->outside, NET_FRAME_MAX);
		n = readv(tap->fd, parts, ARRAY_SIZE(parts));
		if (n <= (ssize_t)sizeof(offload))
			break;
		outside_commit(&tap->outside, (size_t)n - sizeof(offload), &offload);
	}
	n = n < 0 ? -errno : n;
	outside_flush(&tap->outside);
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		outside_down(&tap->outside, "%s is gone: %s", tap->section->name, strerror((int)-n));
}

/* --- its coming up --- */

static int order(const struct outside *outside, struct opener_order *out, struct cause *cause)
{
	const struct tap_section *section = (const void *)outside->port.section;

	(void)cause;
	out->what = OPENER_TAP;
	snprintf(out->tap.name, sizeof(out->tap.name), "%s", section->name);
	snprintf(out->tap.bridge, sizeof(out->tap.bridge), "%s",
		 section->bridge ? section->bridge : "");
	return 0;
}

static void set_fd(struct tap *tap, int fd)
{
	pthread_rwlock_wrlock(&tap->lock);
	tap->fd = fd;
	pthread_rwlock_unlock(&tap->lock);
}

static void opened(struct outside *outside, int fd)
{
	struct tap *tap = tap_of(outside);
	const char *bridge = tap->section->bridge;
	int error;

	set_fd(tap, fd);
	error = loop_add(&outside->served.uplink->loop, &tap->source, fd, EPOLLIN, on_frames, tap);
	if (error)
		outside_down(outside, "%s", strerror(-error));
	else
		outside_up(outside, "%s%s%s", tap->section->name, bridge ? ", a port of " : "",
			   bridge ? bridge : "");
}

static void close_tap(struct outside *outside)
{
	struct tap *tap = tap_of(outside);
	int fd = tap->fd;

	loop_remove(&outside->served.uplink->loop, &tap->source);
	set_fd(tap, -1);
	if (fd >= 0)
		close(fd);
}

static void explain(const struct outside *outside, enum opener_step step, int error, char *out,
		    size_t size)
{
	const struct tap_section *section = (const void *)outside->port.section;
	const char *name = section->name, *bridge = section->bridge;

	if (step == OPENER_OPEN)
		snprintf(out, size, "/dev/net/tun: %s", strerror(error));
	else if (step == OPENER_ATTACH && error == EPERM)
		snprintf(out, size, "%s is not there or not yours, and making one needs "
			 "CAP_NET_ADMIN; as root: ip tuntap add dev %s mode tap user $USER", name,
			 name);
	else if (step == OPENER_ATTACH && error == EBUSY)
		snprintf(out, size, "%s is in use by another program", name);
	else if (step == OPENER_ATTACH && error == EINVAL)
		snprintf(out, size, "%s is no TAP device", name);
	else if (step == OPENER_BRIDGE && error == ENODEV)
		snprintf(out, size, "there is no bridge %s", bridge);
	else if (step == OPENER_BRIDGE && error == EPERM)
		snprintf(out, size, "to make %s a port of %s needs CAP_NET_ADMIN; as root: ip link "
			 "set %s master %s", name, bridge, name, bridge);
	else if (step == OPENER_BRIDGE)
		snprintf(out, size, "%s does not take %s: %s", bridge, name, strerror(error));
	else if (step == OPENER_UP && error == EPERM)
		snprintf(out, size, "%s is down; as root: ip link set %s up", name, name);
	else
		snprintf(out, size, "%s: %s", name, strerror(error));
}

static int prepare(struct outside *outside, struct cause *cause)
{
	struct tap *tap = tap_of(outside);

	(void)cause;
	tap->section = (const void *)outside->port.section;
	tap->fd = -1;
	pthread_rwlock_init(&tap->lock, NULL);
	return 0;
}

static void release(struct outside *outside)
{
	pthread_rwlock_destroy(&tap_of(outside)->lock);
}

static const struct outside_ops outside_ops = {
	.inbox = &inbox_ops,
	.port = &port_ops,
	.accepts = NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4 | NET_ACCEPTS_TSO6,
	.order = order,
	.opened = opened,
	.explain = explain,
	.close = close_tap,
	.release = release,
};

/* --- the kind --- */

/* netdevice(7), dev_valid_name() */
static int check_name(const char *key, const char *name, struct cause *cause)
{
	size_t length = strlen(name);

	if (length && length < IFNAMSIZ && !strpbrk(name, "/: \t%") && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0)
		return 0;
	return cause_set(cause, EINVAL, "%s: '%.20s' is no name of a network interface; write 1 to "
			 "%d characters such as vm0", key, name, IFNAMSIZ - 1);
}

static int check(const struct switch_config *config, const struct port_section *of,
		 struct cause *cause)
{
	const struct tap_section *section = (const void *)of;
	int error;

	(void)config;
	if (!section->name)
		return 0; /* that it is missing has been said */
	error = check_name("name", section->name, cause);
	if (!error && section->bridge)
		error = check_name("bridge", section->bridge, cause);
	return error;
}

static int create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, const struct port_section *section,
		  struct cause *cause)
{
	return outside_create(out, sizeof(struct tap), &port_tap, &outside_ops, uplink, sw, config,
			      section, prepare, cause);
}

static const struct profile_key keys[] = {
	{ .key = "name", .type = PROFILE_STRING, .required = true,
	  .offset = offsetof(struct tap_section, name),
	  .help = "Name of the TAP device, such as {Li vm0}. "
		  "One that is there must be the user's: root makes it by "
		  "{Ic ip tuntap add dev vm0 mode tap user NAME}, and sets it up by "
		  "{Ic ip link set vm0 up}. "
		  "One that is not there is made, and set up, which needs {Dv CAP_NET_ADMIN}; it "
		  "is gone when the switch is." },
	{ .key = "bridge", .type = PROFILE_STRING, .offset = offsetof(struct tap_section, bridge),
	  .help = "Name of a bridge of the host that the device becomes a port of, which needs "
		  "{Dv CAP_NET_ADMIN} unless it is one already. "
		  "Guests are then in the network that the bridge is in." },
	{ .key = NULL },
};

const struct port_kind port_tap = {
	.name = "tap",
	.section_keys = keys,
	.section_size = sizeof(struct tap_section),
	.section_help = "A TAP device of the host, which the host sees as a network card with the "
			"guests behind it: it can have an address, be part of a bridge, be routed "
			"and filtered.",
	.check = check,
	.create = create,
	.destroy = outside_destroy,
	.describe = outside_describe,
};
