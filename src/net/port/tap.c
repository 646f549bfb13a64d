/*
 * A port that is a TAP device of the host: whatever the host does with a network card it does
 * with that. Documentation/networking/tuntap.rst; struct virtio_net_hdr of virtio 1.2 § 5.1.6.
 *
 * Theory of operation: a sender's thread writes its frames to the device itself (vnet_port.h); as
 * that takes TSO, a system call is often for 64 KiB. What the host sends is read on the uplink
 * thread, a bounded number of frames a turn, and is handed on with what is unfinished.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#include "base/checked.h"
#include "net/port/place.h"
#include "net/port/vnet_port.h"

struct tap_section {
	struct port_section section;
	char *name, *bridge; /* bridge: or NULL */
};

static const struct tap_section *section_of(const struct outside *outside)
{
	return (const void *)outside->port.section;
}

static void on_frames(void *arg, uint32_t events)
{
	struct vnet_port *port = arg;
	ssize_t n = 0;

	(void)events;
	for (unsigned i = 0; i < VNET_PORT_FRAMES_A_TURN; i++) {
		struct net_offload offload;
		struct iovec parts[] = { { &offload, sizeof(offload) }, { NULL, NET_FRAME_MAX } };

		parts[1].iov_base = outside_reserve(&port->outside, NET_FRAME_MAX);
		n = readv(port->fd, parts, ARRAY_SIZE(parts));
		if (n <= (ssize_t)sizeof(offload))
			break;
		outside_commit(&port->outside, (size_t)n - sizeof(offload), &offload);
	}
	n = n < 0 ? -errno : n;
	outside_flush(&port->outside);
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		outside_down(&port->outside, "%s is gone: %s", section_of(&port->outside)->name,
			     strerror((int)-n));
}

/* --- its coming up --- */

static int order(const struct outside *outside, struct opener_order *out, struct cause *cause)
{
	const struct tap_section *section = section_of(outside);

	(void)cause;
	out->what = OPENER_TAP;
	snprintf(out->tap.name, sizeof(out->tap.name), "%s", section->name);
	snprintf(out->tap.bridge, sizeof(out->tap.bridge), "%s",
		 section->bridge ? section->bridge : "");
	return 0;
}

static void opened(struct outside *outside, int fd)
{
	const struct tap_section *section = section_of(outside);
	char state[64];

	snprintf(state, sizeof(state), "%s%s%s", section->name, section->bridge ? ", a port of " : "",
		 section->bridge ? section->bridge : "");
	vnet_port_open(outside, fd, on_frames, state);
}

static void explain(const struct outside *outside, enum opener_step step, int error, char *out,
		    size_t size)
{
	const struct tap_section *section = section_of(outside);
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
	else if (step == OPENER_BRIDGE && error == EBUSY)
		snprintf(out, size, "%s is a port of another bridge than %s", name, bridge);
	else if (step == OPENER_BRIDGE)
		snprintf(out, size, "%s does not take %s: %s", bridge, name, strerror(error));
	else if (step == OPENER_UP && error == EPERM)
		snprintf(out, size, "%s is down; as root: ip link set %s up", name, name);
	else
		snprintf(out, size, "%s: %s", name, strerror(error));
}

static const struct outside_ops outside_ops = {
	.inbox = &vnet_port_inbox_ops,
	.port = &vnet_port_ops,
	.accepts = VNET_PORT_ACCEPTS,
	.order = order,
	.opened = opened,
	.explain = explain,
	.close = vnet_port_close,
	.release = vnet_port_release,
};

/* --- the kind --- */

static int check(const struct switch_config *config, const struct port_section *of,
		 struct cause *cause)
{
	const struct tap_section *section = (const void *)of;
	int error;

	(void)config;
	if (!section->name)
		return 0; /* that it is missing has been said */
	error = place_check_interface("name", section->name, cause);
	if (!error && section->bridge)
		error = place_check_interface("bridge", section->bridge, cause);
	return error;
}

static int create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, const struct port_section *section,
		  struct cause *cause)
{
	return outside_create(out, sizeof(struct vnet_port), &port_tap, &outside_ops, uplink, sw, config,
			      section, vnet_port_prepare, cause);
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
