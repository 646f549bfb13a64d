/*
 * A port that is a network card of the host, of which it gets all frames and through which it
 * sends: by a packet socket, as captures are taken, packet(7). The host itself is not reached
 * through it: what goes to the card's own address is not for guests, and what guests send leaves.
 *
 * Theory of operation: as of a TAP device (tap.c). The kernel takes the VLAN tag out of a frame
 * and tells it beside; here it is put back.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "net/port/place.h"
#include "net/port/vnet_port.h"

#define TAG_SIZE 4u
#define TAG_AT (2u * NET_MAC_SIZE)
#define TAG_TYPE 0x8100 /* IEEE 802.1Q § 9.6, where the kernel does not say which */

struct pcap_section {
	struct port_section section;
	char *interface;
};

static const struct pcap_section *section_of(const struct outside *outside)
{
	return (const void *)outside->port.section;
}

/* A frame that has come. */
struct arrival {
	struct net_offload offload;
	struct sockaddr_ll from;
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} beside;
};

/* Its size, 0 if there is nothing of use; or a negative errno. */
static ssize_t receive(const struct vnet_port *port, struct arrival *arrival, uint8_t *to,
		       struct msghdr *message)
{
	struct iovec parts[] = { { &arrival->offload, sizeof(arrival->offload) },
				 { to, NET_FRAME_MAX - TAG_SIZE } };
	ssize_t n;

	*message = (struct msghdr){ .msg_name = &arrival->from, .msg_namelen = sizeof(arrival->from),
				    .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts),
				    .msg_control = &arrival->beside,
				    .msg_controllen = sizeof(arrival->beside) };
	n = recvmsg(port->fd, message, MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if (n <= (ssize_t)(sizeof(arrival->offload) + TAG_AT) || message->msg_flags & MSG_TRUNC ||
	    arrival->from.sll_pkttype == PACKET_HOST || arrival->from.sll_pkttype == PACKET_OUTGOING)
		return 0;
	return n - (ssize_t)sizeof(arrival->offload);
}

/* Puts the VLAN tag back, if there was one; the frame's size. */
static size_t put_tag(struct arrival *arrival, uint8_t *frame, size_t size,
		      struct msghdr *message)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	struct tpacket_auxdata beside;

	if (!header || header->cmsg_level != SOL_PACKET || header->cmsg_type != PACKET_AUXDATA)
		return size;
	memcpy(&beside, CMSG_DATA(header), sizeof(beside));
	if (!(beside.tp_status & TP_STATUS_VLAN_VALID))
		return size;
	memmove(frame + TAG_AT + TAG_SIZE, frame + TAG_AT, size - TAG_AT);
	put_be16(frame + TAG_AT, beside.tp_status & TP_STATUS_VLAN_TPID_VALID ?
		 beside.tp_vlan_tpid : TAG_TYPE);
	put_be16(frame + TAG_AT + 2, beside.tp_vlan_tci);
	if (arrival->offload.flags & NET_OFFLOAD_NEEDS_CSUM)
		arrival->offload.csum_start += TAG_SIZE;
	if (arrival->offload.gso_type)
		arrival->offload.header_size += TAG_SIZE;
	return size + TAG_SIZE;
}

static void on_frames(void *arg, uint32_t events)
{
	struct vnet_port *port = arg;
	ssize_t size = 0;

	(void)events;
	for (unsigned i = 0; i < VNET_PORT_FRAMES_A_TURN && size >= 0; i++) {
		uint8_t *frame = outside_reserve(&port->outside, NET_FRAME_MAX);
		struct arrival arrival;
		struct msghdr message;

		size = receive(port, &arrival, frame, &message);
		if (size > 0)
			outside_commit(&port->outside,
				       put_tag(&arrival, frame, (size_t)size, &message),
				       &arrival.offload);
	}
	outside_flush(&port->outside);
	if (size < 0 && size != -EAGAIN && size != -EINTR)
		outside_down(&port->outside, "%s: %s", section_of(&port->outside)->interface,
			     strerror((int)-size));
}

static int order(const struct outside *outside, struct opener_order *out, struct cause *cause)
{
	const struct pcap_section *section = section_of(outside);

	(void)cause;
	out->what = OPENER_PACKETS;
	snprintf(out->interface, sizeof(out->interface), "%s", section->interface);
	return 0;
}

static void opened(struct outside *outside, int fd)
{
	vnet_port_open(outside, fd, on_frames, section_of(outside)->interface);
}

static void explain(const struct outside *outside, enum opener_step step, int error, char *out,
		    size_t size)
{
	const char *name = section_of(outside)->interface;

	if (step == OPENER_OPEN && error == EPERM)
		snprintf(out, size, "to have the packets of %s needs CAP_NET_RAW; start vmdeck with "
			 "it, or have root make a TAP device and write [tap0]", name);
	else if (step == OPENER_WIFI)
		snprintf(out, size, "%s is a Wi-Fi card: its access point takes frames from the "
			 "card's own address alone, so that guests get no answer; write "
			 "uplink=nat", name);
	else if (step == OPENER_ETHERNET)
		snprintf(out, size, "%s is no Ethernet card", name);
	else if (step == OPENER_ATTACH && error == ENODEV)
		snprintf(out, size, "there is no network card %s", name);
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
	const struct pcap_section *section = (const void *)of;

	(void)config; /* that the key is missing has been said */
	return section->interface ? place_check_interface("interface", section->interface, cause) :
				    0;
}

static int create(struct port **out, struct uplink *uplink, struct net_switch *sw,
		  const struct switch_config *config, const struct port_section *section,
		  struct cause *cause)
{
	return outside_create(out, sizeof(struct vnet_port), &port_pcap, &outside_ops, uplink, sw,
			      config, section, vnet_port_prepare, cause);
}

static const struct profile_key keys[] = {
	{ .key = "interface", .type = PROFILE_STRING, .required = true,
	  .offset = offsetof(struct pcap_section, interface),
	  .help = "Name of the network card, such as {Li eth0}. "
		  "This needs {Dv CAP_NET_RAW}, and turns the card's own filter of addresses off. "
		  "Wi-Fi cards are refused: their access points take frames from one address "
		  "alone." },
	{ .key = NULL },
};

const struct port_kind port_pcap = {
	.name = "pcap",
	.section_keys = keys,
	.section_size = sizeof(struct pcap_section),
	.section_help = "A network card of the host, of which all frames come to the guests, and by "
			"which theirs leave, as if they were plugged in beside the host. "
			"The host itself neither hears them nor is heard: a bridge with {Ic [tap0]} "
			"is for that.",
	.check = check,
	.create = create,
	.destroy = outside_destroy,
	.describe = outside_describe,
};
