/*
 * Where a port leads, as profiles have it: "tcp://192.0.2.1:4000", "udp://[2001:db8::1]:4000", or
 * the path of a Unix socket. Pure; any thread.
 */
#ifndef NET_PORT_PLACE_H
#define NET_PORT_PLACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/cause.h"

/* type: SOCK_STREAM or SOCK_DGRAM, which it must fit. 0, or -EINVAL with a cause. */
int place_parse(const char *text, int type, struct sockaddr_storage *out, uint32_t *size,
		struct cause *cause);

/* An IP address alone, "192.0.2.1" or "2001:db8::1", with a port, 0..65535. As place_parse(). */
int place_parse_address(const char *text, unsigned port, struct sockaddr_storage *out,
			uint32_t *size, struct cause *cause);

/* Whether it can be the name of a network interface: 0, or -EINVAL with a cause that has key. */
int place_check_interface(const char *key, const char *name, struct cause *cause);

#endif
