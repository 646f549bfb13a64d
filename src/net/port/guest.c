/* A guest's NIC, which core/virtio/net.c adds to its switch and takes away. */
#include "net/port/port.h"

const struct port_kind port_guest = { .name = "guest" };
