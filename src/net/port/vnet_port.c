/* See vnet_port.h. */
#include "net/port/vnet_port.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(struct net_offload) == 10, "struct virtio_net_hdr");

/* --- the senders' threads --- */

static enum net_verdict verdict_of(int error)
{
	switch (error) {
	case EIO:      /* a TAP device that is down */
	case EBADFD:   /* and one that is no more */
	case ENETDOWN: /* the same of others */
	case ENXIO:
		return NET_DROP_LINK_DOWN;
	case EINVAL:
		return NET_DROP_BAD_OFFLOAD;
	case EMSGSIZE:
		return NET_DROP_LONG;
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
	struct vnet_port *port = vnet_port_of(backend);
	unsigned taken = 0;

	(void)from;
	pthread_rwlock_rdlock(&port->lock);
	for (unsigned i = 0; i < count; i++) {
		enum net_verdict verdict = port->fd < 0 ? NET_DROP_LINK_DOWN :
							  write_frame(port->fd, frames[i]);

		if (verdict == NET_FORWARD)
			taken++;
		else
			verdicts[i] = verdict;
	}
	pthread_rwlock_unlock(&port->lock);
	return taken;
}

static void flush(void *backend)
{
	(void)backend;
}

static bool wants(const void *owner, const struct net_frame *frame)
{
	(void)owner;
	(void)frame;
	return false;
}

const struct net_port_ops vnet_port_ops = { .deliver = deliver, .flush = flush };
const struct inbox_ops vnet_port_inbox_ops = { .wants = wants };

/* --- the uplink thread --- */

static void set_fd(struct vnet_port *port, int fd)
{
	int before = port->fd;

	pthread_rwlock_wrlock(&port->lock);
	port->fd = fd;
	pthread_rwlock_unlock(&port->lock);
	if (before >= 0)
		close(before);
}

void vnet_port_open(struct outside *outside, int fd, void (*on_frames)(void *arg, uint32_t events),
		    const char *state)
{
	struct vnet_port *port = vnet_port_of(outside);
	int error;

	set_fd(port, fd);
	error = loop_add(&outside->served.uplink->loop, &port->source, fd, EPOLLIN, on_frames,
			 port);
	if (error)
		outside_down(outside, "%s", strerror(-error));
	else
		outside_up(outside, "%s", state);
}

void vnet_port_close(struct outside *outside)
{
	struct vnet_port *port = vnet_port_of(outside);

	loop_remove(&outside->served.uplink->loop, &port->source);
	set_fd(port, -1);
}

/* --- any thread --- */

int vnet_port_prepare(struct outside *outside, struct cause *cause)
{
	struct vnet_port *port = vnet_port_of(outside);
	pthread_rwlockattr_t kind;

	(void)cause;
	pthread_rwlockattr_init(&kind);
	/* Else senders that take turns keep the uplink thread out for ever. */
	pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&port->lock, &kind);
	pthread_rwlockattr_destroy(&kind);
	port->fd = -1;
	return 0;
}

void vnet_port_release(struct outside *outside)
{
	pthread_rwlock_destroy(&vnet_port_of(outside)->lock);
}
