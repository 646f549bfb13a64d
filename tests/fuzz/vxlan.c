/* libFuzzer: the header of a VXLAN datagram. */
#include <string.h>

#include "lib/fuzz.h"
#include "net/port/vxlan_header.h"

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("\010\0\0\0\0\0\052\0aaaaaabbbbbb\010\006"),
	SEED("\377\377\377\377\377\377\377\377"),
	SEED("\0\0\0\0\0\0\052\0aaaaaabbbbbb\010\006"),
	SEED("\010\0\0\0\0\0\052"),
	{ NULL, 0 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1), again[VXLAN_HEADER_SIZE];
	int32_t vni;

	memcpy(copy, data, size);
	vni = vxlan_header_read(copy, size);
	REQUIRE(vni >= -1 && vni <= (int32_t)VXLAN_VNI_MAX);
	REQUIRE(size >= VXLAN_HEADER_SIZE || vni == -1);
	if (vni >= 0) {
		vxlan_header_write(again, (uint32_t)vni);
		REQUIRE(vxlan_header_read(again, sizeof(again)) == vni);
		REQUIRE(!memcmp(again + 4, copy + 4, 3) && (copy[0] & 8));
	}
	free(copy);
	return 0;
}
