/*
 * libFuzzer: what sharkd answers about a packet. Whatever it is, fields lie in each other and their
 * bytes in the packet, what is shown is a part of them, and no filter is longer than its place.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/fuzz.h"
#include "tui/model/dissection.h"

#define CAPTURED 64

#define SEED(text) { text, sizeof(text) - 1 }

const struct fuzz_seed fuzz_seeds[] = {
	SEED("{\"id\":2,\"result\":{\"tree\":[{\"l\":\"Ethernet II\",\"h\":[0,14],\"f\":\"eth\",\"n\":["
	     "{\"l\":\"Source: a\",\"h\":[6,6],\"f\":\"eth.src == 52:54:00:00:00:01\"},"
	     "{\"l\":\"Type\",\"h\":[12,2],\"f\":\"eth.type == 0x0806\"}]},"
	     "{\"l\":\"ARP\",\"h\":[14,28],\"ds\":1,\"f\":\"arp\"}]}}"),
	SEED("{\"id\":1,\"error\":{\"code\":-1,\"message\":\"no\"}}"),
	SEED("{\"id\":2,\"result\":{\"tree\":[{\"n\":[{\"n\":[{\"n\":[{\"l\":\"a\"}]}]}]}]}}"),
	{ NULL, 0 },
};

static void check_field(const struct dissection *dissection, uint32_t i, const uint8_t *data)
{
	const struct dissection_field *field = &dissection->fields[i];
	char out[128];

	REQUIRE(field->label && field->filter && field->depth < DISSECTION_DEPTH);
	REQUIRE(field->inner < dissection->count - i);
	REQUIRE(field->at <= CAPTURED && field->size <= CAPTURED - field->at);
	for (uint32_t n = 1; n <= field->inner; n++)
		REQUIRE(dissection->fields[i + n].depth > field->depth);
	if (dissection_filter(field, data, CAPTURED, out, sizeof(out)))
		REQUIRE(strlen(out) < sizeof(out) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t packet[CAPTURED];
	struct dissection dissection = { 0 };
	struct cause cause;

	if (dissection_read(&dissection, (const char *)data, size, CAPTURED, &cause) == 1) {
		REQUIRE(dissection.count && dissection.count <= DISSECTION_FIELDS);
		for (uint32_t i = 0; i < dissection.count; i++)
			check_field(&dissection, i, packet);
		dissection_rows(&dissection, "e");
		REQUIRE(dissection.row_count <= dissection.count);
	}
	dissection_free(&dissection);
	return 0;
}
