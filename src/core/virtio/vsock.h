/*
 * The virtio socket device. virtio 1.2 §5.10: stream sockets between a guest's programs and
 * the host's, which have them as Unix sockets, as Firecracker's do.
 *
 * Whoever connects to the guest's socket and writes "CONNECT PORT\n" is connected to that port
 * of the guest, and reads "OK PORT\n" first. What a guest's program connects to port P of CID 2
 * for is the socket of that path with "_P" behind it, if somebody listens there.
 */
#ifndef CORE_VIRTIO_VSOCK_H
#define CORE_VIRTIO_VSOCK_H

#include "core/bus/device.h"

#define VSOCK_CONNECTIONS 64	 /* of one guest at once, also those that nobody has accepted */
#define VSOCK_BUFFER (64u << 10) /* bytes from the guest that a connection keeps at most */
#define VSOCK_REFUSALS 64	 /* resets for what is no connection that wait for buffers */

extern const struct device_type vsock_device;

/*
 * The path of the socket for programs of the host, of a profile with [vsock]; the caller's. 0, or
 * a negative errno with a cause. Any thread.
 */
int vsock_find_path(const struct profile *profile, char **path, struct cause *cause);

#endif
