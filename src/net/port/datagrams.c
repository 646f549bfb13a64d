/* See datagrams.h. */
#include "net/port/datagrams.h"

#include <errno.h>
#include <stdlib.h>

#include "net/switch/switch.h"

int datagrams_init(struct datagrams *datagrams)
{
	datagrams->fd = -1;
	datagrams->bytes = malloc(DATAGRAMS_IN * DATAGRAM_MAX);
	return datagrams->bytes ? 0 : -ENOMEM;
}

void datagrams_destroy(struct datagrams *datagrams)
{
	free(datagrams->bytes);
	datagrams->bytes = NULL;
}

int datagrams_receive(struct datagrams *datagrams)
{
	int count;

	for (unsigned i = 0; i < DATAGRAMS_IN; i++) {
		datagrams->in_parts[i] = (struct iovec){ datagrams->bytes + i * DATAGRAM_MAX,
							 DATAGRAM_MAX };
		datagrams->from[i].ss_family = 0; /* it stays so of a Unix socket without a name */
		datagrams->in[i].msg_hdr = (struct msghdr){
			.msg_iov = &datagrams->in_parts[i], .msg_iovlen = 1,
			.msg_name = &datagrams->from[i], .msg_namelen = sizeof(datagrams->from[i]),
		};
	}
	count = recvmmsg(datagrams->fd, datagrams->in, DATAGRAMS_IN, MSG_DONTWAIT, NULL);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return count;
}

static void refuse(struct net_port *net_port, enum net_verdict verdict, unsigned count)
{
	for (unsigned i = 0; net_port && i < count; i++)
		switch_port_refuse(net_port, verdict);
}

int datagrams_flush(struct datagrams *datagrams, struct net_port *net_port)
{
	enum net_verdict why = NET_DROP_NO_BUFFER;
	unsigned sent = 0, count = datagrams->out_count;
	bool told = false;
	int result = 0;

	datagrams->out_count = 0;
	while (sent < count && !result) {
		int n = sendmmsg(datagrams->fd, datagrams->out + sent, count - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			sent += (unsigned)n;
		} else if (n < 0 && errno == EMSGSIZE) {
			refuse(net_port, NET_DROP_LONG, 1);
			sent++;
		} else if (n < 0 && errno == ECONNREFUSED && !told) {
			told = true; /* of an earlier one: the call told of it in this one's place */
		} else if (n < 0 && (errno == ECONNREFUSED || errno == ENOENT)) {
			why = NET_DROP_LINK_DOWN; /* nobody is there */
			break;
		} else if (n < 0 && errno != EINTR) {
			result = -errno;
		}
	}
	refuse(net_port, why, count - sent);
	return result == -EAGAIN ? 0 : result;
}

void datagrams_put(struct datagrams *datagrams, const struct inbox_frame *frame,
		   struct net_port *net_port)
{
	struct iovec *parts;
	unsigned i;

	if (datagrams->out_count == NET_BURST_MAX)
		(void)datagrams_flush(datagrams, net_port); /* an error comes again */
	i = datagrams->out_count++;
	parts = datagrams->out_parts[i];
	parts[0] = (struct iovec){ datagrams->prefix, datagrams->prefix_size };
	parts[1] = (struct iovec){ (void *)(uintptr_t)frame->data, frame->size };
	datagrams->out[i].msg_hdr = (struct msghdr){
		.msg_iov = datagrams->prefix_size ? parts : parts + 1,
		.msg_iovlen = datagrams->prefix_size ? 2 : 1,
		.msg_name = (void *)(uintptr_t)datagrams->to, .msg_namelen = datagrams->to_size,
	};
}
