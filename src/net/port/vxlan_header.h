/* The header of VXLAN, RFC 7348 § 5, behind those of UDP. Pure. */
#ifndef NET_PORT_VXLAN_HEADER_H
#define NET_PORT_VXLAN_HEADER_H

#include <stddef.h>
#include <stdint.h>

#define VXLAN_HEADER_SIZE 8u
#define VXLAN_VNI_MAX 0xffffffu

void vxlan_header_write(uint8_t out[VXLAN_HEADER_SIZE], uint32_t vni);

/* The network that a datagram of anybody's belongs to, whose frame is behind its header; or -1. */
int32_t vxlan_header_read(const uint8_t *data, size_t size);

#endif
