/*
 * A port whose frames go to another host in datagrams of UDP: VXLAN, RFC 7348, with one remote
 * end. Whoever has the same network there, a host's own device or another deck, is on one
 * switch with the guests here. Only datagrams of the remote end's address are looked at.
 */
#include "net/port/outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/checked.h"
#include "net/port/datagrams.h"
#include "net/port/place.h"
#include "net/port/vxlan_header.h"

struct vxlan_section {
	struct port_section section;
	char *remote, *local; /* local: or NULL */
	unsigned vni, port;
};

struct vxlan {
	struct outside outside;
	const struct vxlan_section *section;
	struct sockaddr_storage remote;
	struct loop_source source;
	struct datagrams datagrams;
};

static struct vxlan *vxlan_of(struct outside *outside)
{
	return container_of(outside, struct vxlan, outside);
}

/* --- from the network --- */

static bool is_remote(const struct vxlan *vxlan, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *four[] = { (const void *)from, (const void *)&vxlan->remote };
	const struct sockaddr_in6 *six[] = { (const void *)from, (const void *)&vxlan->remote };

	if (from->ss_family != vxlan->remote.ss_family)
		return false;
	if (from->ss_family == AF_INET)
		return four[0]->sin_addr.s_addr == four[1]->sin_addr.s_addr;
	return !memcmp(&six[0]->sin6_addr, &six[1]->sin6_addr, sizeof(six[0]->sin6_addr));
}

static void take_datagram(struct vxlan *vxlan, int index)
{
	struct net_port *net_port = outside_net_port(&vxlan->outside);
	enum net_verdict verdict = NET_FORWARD;
	size_t size;
	const uint8_t *data = datagrams_get(&vxlan->datagrams, index, &size);

	if (!is_remote(vxlan, &vxlan->datagrams.from[index]))
		verdict = NET_DROP_BAD_SOURCE;
	else if (vxlan_header_read(data, size) != (int32_t)vxlan->section->vni)
		verdict = NET_DROP_BAD_HEADER;
	if (verdict != NET_FORWARD) {
		if (net_port)
			switch_port_refuse(net_port, verdict);
		return;
	}
	size -= VXLAN_HEADER_SIZE;
	memcpy(outside_reserve(&vxlan->outside, size), data + VXLAN_HEADER_SIZE, size);
	outside_commit(&vxlan->outside, size, NULL);
}

static void on_datagrams(void *arg, uint32_t events)
{
	struct vxlan *vxlan = arg;
	int count = datagrams_receive(&vxlan->datagrams);

	(void)events;
	for (int i = 0; i < count; i++)
		take_datagram(vxlan, i);
	outside_flush(&vxlan->outside);
	if (count < 0 && count != -ECONNREFUSED)
		outside_down(&vxlan->outside, "%s", strerror(-count));
}

/* --- to the network --- */

static void take(void *owner, const struct inbox_frame *frame)
{
	struct vxlan *vxlan = owner;
	struct net_port *net_port = outside_net_port(&vxlan->outside);

	if (vxlan->datagrams.fd < 0) {
		if (net_port)
			switch_port_refuse(net_port, NET_DROP_LINK_DOWN);
	} else {
		datagrams_put(&vxlan->datagrams, frame, net_port);
	}
}

/* What a network that is down for a while refuses is dropped, and the socket stays good. */
static void end(void *owner)
{
	struct vxlan *vxlan = owner;
	int error = datagrams_flush(&vxlan->datagrams, outside_net_port(&vxlan->outside));

	if (error)
		outside_tell(&vxlan->outside, "%s: %s", vxlan->section->remote, strerror(-error));
}

static const struct inbox_ops inbox_ops = {
	.wants = outside_wants,
	.admit = outside_admit,
	.begin = outside_begin,
	.take = take,
	.end = end,
};

/* --- its coming up --- */

static int order(const struct outside *outside, struct opener_order *out, struct cause *cause)
{
	const struct vxlan_section *section = (const void *)outside->port.section;
	const struct vxlan *vxlan = container_of(outside, struct vxlan, outside);
	const char *any = vxlan->remote.ss_family == AF_INET ? "0.0.0.0" : "::";

	out->what = OPENER_SOCKET;
	out->socket.type = SOCK_DGRAM;
	return place_parse_address(section->local ? section->local : any, section->port,
				   &out->socket.local, &out->socket.local_size, cause);
}

static void opened(struct outside *outside, int fd)
{
	struct vxlan *vxlan = vxlan_of(outside);
	int error = loop_add(&outside->served.uplink->loop, &vxlan->source, fd, EPOLLIN,
			     on_datagrams, vxlan);

	vxlan->datagrams.fd = fd;
	if (error)
		outside_down(outside, "%s", strerror(-error));
	else
		outside_up(outside, "network %u at %s", vxlan->section->vni, vxlan->section->remote);
}

static void close_socket(struct outside *outside)
{
	struct vxlan *vxlan = vxlan_of(outside);

	loop_remove(&outside->served.uplink->loop, &vxlan->source);
	if (vxlan->datagrams.fd >= 0)
		close(vxlan->datagrams.fd);
	vxlan->datagrams.fd = -1;
	vxlan->datagrams.out_count = 0;
}

static void explain(const struct outside *outside, enum opener_step step, int error, char *out,
		    size_t size)
{
	const struct vxlan_section *section = (const void *)outside->port.section;

	if (step == OPENER_BIND && error == EADDRINUSE)
		snprintf(out, size, "UDP port %u is in use, by a device of the host or another "
			 "port; write another one here and there, port=", section->port);
	else if (step == OPENER_BIND && error == EADDRNOTAVAIL)
		snprintf(out, size, "this host has no address %s", section->local);
	else
		snprintf(out, size, "UDP port %u: %s", section->port, strerror(error));
}

static int prepare(struct outside *outside, struct cause *cause)
{
	struct vxlan *vxlan = vxlan_of(outside);
	struct datagrams *datagrams = &vxlan->datagrams;
	int error;

	vxlan->section = (const void *)outside->port.section;
	error = place_parse_address(vxlan->section->remote, vxlan->section->port, &vxlan->remote,
				    &datagrams->to_size, cause);
	if (error)
		return error;
	datagrams->to = &vxlan->remote;
	datagrams->prefix_size = VXLAN_HEADER_SIZE;
	vxlan_header_write(datagrams->prefix, vxlan->section->vni);
	error = datagrams_init(datagrams);
	return error ? cause_errno(cause, -error, "port") : 0;
}

static void release(struct outside *outside)
{
	datagrams_destroy(&vxlan_of(outside)->datagrams);
}

static const struct outside_ops outside_ops = {
	.inbox = &inbox_ops,
	.order = order,
	.opened = opened,
	.explain = explain,
	.close = close_socket,
	.release = release,
};

/* --- the kind --- */

static int check_address(const char *key, const char *text, struct sockaddr_storage *out,
			 struct cause *cause)
{
	uint32_t size;
	int error = place_parse_address(text, 0, out, &size, cause);

	return error ? cause_prefix(cause, error, "%s", key) : 0;
}

static int check(const struct switch_config *config, const struct port_section *of,
		 struct cause *cause)
{
	const struct vxlan_section *section = (const void *)of;
	struct sockaddr_storage remote, local;
	int error;

	(void)config;
	if (!section->remote)
		return 0; /* that it is missing has been said */
	error = check_address("remote", section->remote, &remote, cause);
	if (!error && section->local)
		error = check_address("local", section->local, &local, cause);
	if (!error && section->local && local.ss_family != remote.ss_family)
		return cause_set(cause, EINVAL, "'remote' and 'local' must both be of IPv4, or both "
				 "of IPv6");
	return error;
}

static int create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, const struct port_section *section,
		  struct cause *cause)
{
	return outside_create(out, sizeof(struct vxlan), &port_vxlan, &outside_ops, uplink, sw,
			      config, section, prepare, cause);
}

static const struct profile_key keys[] = {
	{ .key = "remote", .type = PROFILE_STRING, .required = true,
	  .offset = offsetof(struct vxlan_section, remote),
	  .help = "IP address of the other host, such as {Li 192.0.2.1} or {Li 2001:db8::1}. "
		  "Datagrams of other addresses are dropped, and counted as of a bad source. "
		  "VXLAN has no password and hides nothing: the network in between must be "
		  "trusted with the guests." },
	{ .key = "vni", .type = PROFILE_COUNT, .required = true, .max = VXLAN_VNI_MAX,
	  .offset = offsetof(struct vxlan_section, vni),
	  .help = "Number of the network, the same on both sides. "
		  "Datagrams with another one are counted as of a bad header." },
	{ .key = "port", .type = PROFILE_COUNT, .min = 1, .max = UINT16_MAX, .standard = "4789",
	  .offset = offsetof(struct vxlan_section, port),
	  .help = "UDP port, on both sides. On this host one such port of a switch, or a device of "
		  "the host's, has it; others need another, or a {Ic local} of their own." },
	{ .key = "local", .type = PROFILE_STRING, .offset = offsetof(struct vxlan_section, local),
	  .help = "IP address of this host that datagrams come to and leave from. "
		  "Without this key it is any." },
	{ .key = NULL },
};

const struct port_kind port_vxlan = {
	.name = "vxlan",
	.section_keys = keys,
	.section_size = sizeof(struct vxlan_section),
	.section_help = "A network that another host shares by VXLAN, RFC 7348. "
			"A datagram is 50 bytes larger than the frame in it, 70 over IPv6; what "
			"does not fit the way there is sent in fragments, which an MTU of 1450 in "
			"the guests avoids.",
	.check = check,
	.create = create,
	.destroy = outside_destroy,
	.describe = outside_describe,
};
