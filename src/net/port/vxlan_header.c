/* See vxlan_header.h. */
#include "net/port/vxlan_header.h"

#include "base/bytes.h"

#define FLAG_VNI 0x08000000u /* that there is a VNI, without which it is no VXLAN */

void vxlan_header_write(uint8_t out[VXLAN_HEADER_SIZE], uint32_t vni)
{
	put_be32(out, FLAG_VNI);
	put_be32(out + 4, vni << 8);
}

/* What is reserved is not looked at, as the RFC has it. */
int32_t vxlan_header_read(const uint8_t *data, size_t size)
{
	if (size < VXLAN_HEADER_SIZE || !(get_be32(data) & FLAG_VNI))
		return -1;
	return (int32_t)(get_be32(data + 4) >> 8);
}
