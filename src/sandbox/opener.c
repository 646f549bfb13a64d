/*
 * See opener.h: connect(2), unix(7), ip(7), Documentation/networking/tuntap.rst,
 * netdevice(7).
 */
#include "sandbox/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/checked.h"
#include "sandbox/confine.h"

struct failure {
	enum opener_step step;
	int error; /* an errno */
};

static int fail(struct failure *failure, enum opener_step step)
{
	*failure = (struct failure){ step, errno };
	return -1;
}

/* A socket that nobody serves any more is in the way; true: that was so, and it is gone. */
static bool remove_stale(const struct opener_socket *order)
{
	const struct sockaddr_un *address = (const void *)&order->local;
	struct stat status;
	bool stale;
	int fd;

	if (order->local.ss_family != AF_UNIX || lstat(address->sun_path, &status) < 0 ||
	    !S_ISSOCK(status.st_mode))
		return false;
	fd = socket(AF_UNIX, order->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	stale = fd >= 0 && connect(fd, (const void *)address, order->local_size) < 0 &&
		errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return stale && unlink(address->sun_path) == 0;
}

static bool bind_local(int fd, const struct opener_socket *order)
{
	const struct sockaddr *address = (const void *)&order->local;
	const int one = 1;

	/* Others of the user's may connect, and nobody else. */
	umask(077);
	if (order->type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, address, order->local_size) == 0)
		return true;
	return errno == EADDRINUSE && (remove_stale(order) || (errno = EADDRINUSE, false)) &&
	       bind(fd, address, order->local_size) == 0;
}

/* Also of what connects to one that listens, tcp(7). */
static void set_tcp_options(int fd)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		/* A peer whose host is gone without a word is no peer after half a minute. */
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 10 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, 30000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		setsockopt(fd, options[i].level, options[i].option, &options[i].value,
			   sizeof(options[i].value));
}

/* What makes frames late, or has them lost where a fragment would do. */
static void set_options(int fd, const struct opener_socket *order, int family)
{
	const int fragments = IP_PMTUDISC_DONT, room = 1 << 20;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (family == AF_UNIX)
		return;
	if (order->type == SOCK_STREAM)
		set_tcp_options(fd);
	else if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &fragments, sizeof(fragments));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &fragments, sizeof(fragments));
}

static int open_socket(const struct opener_socket *order, struct failure *failure)
{
	int family = order->peer_size ? order->peer.ss_family : order->local.ss_family;
	int fd = socket(family, order->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fail(failure, OPENER_OPEN);
	set_options(fd, order, family);
	if (order->local_size && !bind_local(fd, order))
		return fail(failure, OPENER_BIND);
	if (order->peer_size &&
	    connect(fd, (const void *)&order->peer, order->peer_size) < 0 && errno != EINPROGRESS)
		return fail(failure, OPENER_CONNECT);
	if (!order->peer_size && order->type == SOCK_STREAM && listen(fd, 1) < 0)
		return fail(failure, OPENER_LISTEN);
	return fd;
}

static bool ask_interface(int fd, unsigned long request, const char *name, struct ifreq *ask)
{
	snprintf(ask->ifr_name, sizeof(ask->ifr_name), "%s", name);
	return ioctl(fd, request, ask) == 0;
}

/* Of a device that is there already this may have been done by who made it. */
static bool plug_in(const struct opener_tap *order, struct failure *failure)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char path[64 + 2 * IFNAMSIZ];
	struct ifreq ask = { 0 };
	bool done = fd >= 0;

	if (!done)
		fail(failure, OPENER_BRIDGE);
	snprintf(path, sizeof(path), "/sys/class/net/%s/brif/%s", order->bridge, order->name);
	if (done && *order->bridge && access(path, F_OK) < 0) {
		ask.ifr_ifindex = (int)if_nametoindex(order->name);
		done = ask_interface(fd, SIOCBRADDIF, order->bridge, &ask);
		/* Of this bridge, where that cannot be seen; else it is another's. */
		if (!done && errno == EBUSY && access("/sys/class/net", F_OK) < 0)
			done = true;
		if (!done)
			fail(failure, OPENER_BRIDGE);
	}
	if (done && ask_interface(fd, SIOCGIFFLAGS, order->name, &ask) &&
	    !(ask.ifr_flags & IFF_UP)) {
		ask.ifr_flags |= IFF_UP;
		done = ioctl(fd, SIOCSIFFLAGS, &ask) == 0;
		if (!done)
			fail(failure, OPENER_UP);
	}
	if (fd >= 0)
		close(fd);
	return done;
}

static int open_tap(const struct opener_tap *order, struct failure *failure)
{
	struct ifreq ask = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int header = 10;

	if (fd < 0)
		return fail(failure, OPENER_OPEN);
	if (!ask_interface(fd, TUNSETIFF, order->name, &ask))
		return fail(failure, OPENER_ATTACH);
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)
		return fail(failure, OPENER_OFFLOAD);
	return plug_in(order, failure) ? fd : -1;
}

/* packet(7). It gets nothing before it is bound. */
static bool set_packet_options(int fd, unsigned index)
{
	static const int options[] = { PACKET_VNET_HDR, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING };
	const struct packet_mreq all = { .mr_ifindex = (int)index, .mr_type = PACKET_MR_PROMISC };
	const int one = 1, room = 4 << 20;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (setsockopt(fd, SOL_PACKET, options[i], &one, sizeof(one)) < 0)
			return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) == 0;
}

/* The kernel's 802.11 stack has its cards there. */
static bool is_wifi(const char *interface)
{
	char path[64 + IFNAMSIZ];

	snprintf(path, sizeof(path), "/sys/class/net/%s/phy80211", interface);
	return access(path, F_OK) == 0;
}

static int open_packets(const char *interface, struct failure *failure)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq ask = { 0 };

	if (fd < 0)
		return fail(failure, OPENER_OPEN);
	if (!ask_interface(fd, SIOCGIFHWADDR, interface, &ask))
		return fail(failure, OPENER_ATTACH);
	if (is_wifi(interface))
		return fail(failure, OPENER_WIFI);
	if (ask.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return fail(failure, OPENER_ETHERNET);
	address.sll_ifindex = (int)if_nametoindex(interface);
	if (!set_packet_options(fd, (unsigned)address.sll_ifindex))
		return fail(failure, OPENER_OFFLOAD);
	if (bind(fd, (const void *)&address, sizeof(address)) < 0)
		return fail(failure, OPENER_BIND);
	return fd;
}

/*
 * By its first bytes (libpcap's savefile formats, pcapng §4.1): who asks may be somebody who has
 * taken over the deck, and other files are none of his.
 */
static bool is_capture(int fd)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d, 0xd4c3b2a1, 0x4d3cb2a1,
					   0x0a0d0d0a };
	uint32_t magic;

	if (pread(fd, &magic, sizeof(magic), 0) != sizeof(magic))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (magic == magics[i])
			return true;
	return false;
}

static int open_file(const char *path, struct failure *failure)
{
	/* A pipe must not be waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return fail(failure, OPENER_OPEN);
	if (S_ISREG(status.st_mode) && is_capture(fd))
		return fd;
	errno = S_ISREG(status.st_mode) ? ENOEXEC : S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
	return fail(failure, OPENER_OPEN);
}

/* An address of size bytes, or 0: none, of a family that ports have, and whole. */
static bool is_sound_address(const struct sockaddr_storage *address, size_t size)
{
	const struct sockaddr_un *local = (const void *)address;

	if (!size)
		return true;
	if (size > sizeof(*address) || size < sizeof(address->ss_family))
		return false;
	if (address->ss_family == AF_UNIX)
		return memchr(local->sun_path, 0, sizeof(local->sun_path)) != NULL;
	return address->ss_family == AF_INET || address->ss_family == AF_INET6;
}

/* Who has taken over the deck may say anything. */
static bool is_sound(const struct opener_order *order)
{
	switch (order->what) {
	case OPENER_SOCKET:
		return (order->socket.type == SOCK_STREAM || order->socket.type == SOCK_DGRAM) &&
		       is_sound_address(&order->socket.local, order->socket.local_size) &&
		       is_sound_address(&order->socket.peer, order->socket.peer_size);
	case OPENER_TAP:
		return memchr(order->tap.name, 0, IFNAMSIZ) && memchr(order->tap.bridge, 0, IFNAMSIZ);
	case OPENER_PACKETS:
		return memchr(order->interface, 0, IFNAMSIZ);
	case OPENER_FILE:
		return memchr(order->path, 0, sizeof(order->path));
	case OPENER_COUNT:
		break;
	}
	return false;
}

static int open_it(const struct opener_order *order, struct failure *failure)
{
	errno = EINVAL;
	if (!is_sound(order))
		return fail(failure, OPENER_OPEN);
	switch (order->what) {
	case OPENER_SOCKET:
		return open_socket(&order->socket, failure);
	case OPENER_TAP:
		return open_tap(&order->tap, failure);
	case OPENER_PACKETS:
		return open_packets(order->interface, failure);
	case OPENER_FILE:
		return open_file(order->path, failure);
	case OPENER_COUNT:
		break;
	}
	return fail(failure, OPENER_OPEN);
}

int opener_open(const struct opener_order *order, enum opener_step *step)
{
	struct failure failure = { OPENER_OPEN, 0 };
	int fd;

	confine_capabilities(1ull << CAP_NET_ADMIN | 1ull << CAP_NET_RAW |
			     1ull << CAP_NET_BIND_SERVICE | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_DAC_READ_SEARCH);
	fd = open_it(order, &failure);
	*step = failure.step;
	return fd < 0 ? -failure.error : fd;
}
