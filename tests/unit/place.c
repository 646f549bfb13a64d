/* Where ports lead: what is an address and what is none. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "net/port/place.h"

static void test_places(void **state)
{
	struct sockaddr_storage place;
	const struct sockaddr_in *four = (void *)&place;
	const struct sockaddr_in6 *six = (void *)&place;
	const struct sockaddr_un *path = (void *)&place;
	struct cause cause;
	uint32_t size;

	(void)state;
	assert_int_equal(place_parse("tcp://192.0.2.1:4000", SOCK_STREAM, &place, &size, &cause), 0);
	assert_int_equal(four->sin_family, AF_INET);
	assert_int_equal(size, sizeof(*four));
	assert_int_equal(ntohs(four->sin_port), 4000);
	assert_int_equal(ntohl(four->sin_addr.s_addr), 0xc0000201);
	assert_int_equal(place_parse("udp://[2001:db8::1]:65535", SOCK_DGRAM, &place, &size, &cause),
			 0);
	assert_int_equal(six->sin6_family, AF_INET6);
	assert_int_equal(size, sizeof(*six));
	assert_int_equal(ntohs(six->sin6_port), 65535);
	assert_int_equal(six->sin6_addr.s6_addr[15], 1);
	assert_int_equal(place_parse("/run/x", SOCK_STREAM, &place, &size, &cause), 0);
	assert_int_equal(path->sun_family, AF_UNIX);
	assert_string_equal(path->sun_path, "/run/x");
}

static void test_what_is_none(void **state)
{
	static const struct {
		const char *text;
		int type;
		const char *says;
	} cases[] = {
		{ "tcp://192.0.2.1", SOCK_STREAM, "no address with a port" },
		{ "tcp://192.0.2.1:0", SOCK_STREAM, "no address with a port" },
		{ "tcp://192.0.2.1:65536", SOCK_STREAM, "no address with a port" },
		{ "tcp://192.0.2.1:1x", SOCK_STREAM, "no address with a port" },
		{ "tcp://192.0.2.1:-1", SOCK_STREAM, "no address with a port" },
		{ "tcp://example:1", SOCK_STREAM, "no IP address" },
		{ "tcp://2001:db8::1:4000", SOCK_STREAM, "no address with a port" },
		{ "tcp://[2001:db8::1]4000", SOCK_STREAM, "no address with a port" },
		{ "tcp://", SOCK_STREAM, "no address with a port" },
		{ "tcp://192.0.2.1:4000", SOCK_DGRAM, "tcp:// is for type=stream" },
		{ "udp://192.0.2.1:4000", SOCK_STREAM, "udp:// is for type=dgram" },
		{ "http://192.0.2.1:4000", SOCK_STREAM, "neither the path" },
		{ "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaa", SOCK_STREAM, "at most 107 bytes" },
	};
	struct sockaddr_storage place;
	struct cause cause;
	uint32_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(place_parse(cases[i].text, cases[i].type, &place, &size, &cause) < 0);
		assert_non_null(strstr(cause.text, cases[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
