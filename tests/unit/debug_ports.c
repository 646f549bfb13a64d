/* Debug ports: what is written to them becomes lines, and not too many. */
#include "core/hw/debug_ports.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_bus.h"

#include "base/loop.h"
#include "core/bus/platform.h"
#include "core/profile/profile.h"

struct fixture {
	struct fake_bus io;
	struct loop loop;
	struct device_host host;
	struct device device;
	char told[65536];
};

static struct fixture fixture;

static void notice(void *host, const char *text)
{
	size_t used = strlen(fixture.told);

	assert_ptr_equal(host, &fixture.host);
	snprintf(fixture.told + used, sizeof(fixture.told) - used, "%s\n", text);
}

static int setup(void **state)
{
	(void)state;
	memset(&fixture, 0, sizeof(fixture));
	fixture.host = (struct device_host){ .io = &fixture.io.bus, .loop = &fixture.loop,
					     .notice = notice };
	fixture.device = (struct device){ .type = &debug_ports_device, .host = &fixture.host,
					  .state = calloc(1, debug_ports_device.size) };
	assert_non_null(fixture.device.state);
	assert_int_equal(loop_init(&fixture.loop, NULL), 0);
	return debug_ports_device.create(&fixture.device, NULL);
}

static int teardown(void **state)
{
	(void)state;
	debug_ports_device.destroy(&fixture.device);
	loop_destroy(&fixture.loop);
	free(fixture.device.state);
	return 0;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* What the I/O thread tells until it has nothing left. */
static const char *told(void)
{
	struct loop_task task = { .run = stop, .arg = &fixture.loop };

	loop_post(&fixture.loop, &task);
	assert_int_equal(loop_run(&fixture.loop), 0);
	return fixture.told;
}

static void write_text(uint16_t port, const char *text)
{
	for (; *text; text++)
		out(&fixture.io, port, (uint8_t)*text);
}

static void lines_are_told_whole(void **state)
{
	char wide[300];

	(void)state;
	assert_int_equal(in(&fixture.io, PLATFORM_DEBUG_PORT), 0xe9);
	write_text(PLATFORM_DEBUG_PORT, "one");
	write_text(PLATFORM_BOCHS_PORT, "other\r\n\n");
	assert_string_equal(told(), "port 0xe9: other\n");
	write_text(PLATFORM_DEBUG_PORT, " more\n");
	assert_string_equal(told(), "port 0xe9: other\nport 0x402: one more\n");
	memset(wide, 'x', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	*fixture.told = '\0';
	write_text(PLATFORM_DEBUG_PORT, wide);
	assert_int_equal(strlen(told()), 2 * (strlen("port 0x402: ") + 127 + 1));
}

static void codes_are_told_when_they_change(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		out(&fixture.io, PLATFORM_POST_PORT, 0);
	out(&fixture.io, PLATFORM_POST_PORT, 0x5a);
	assert_int_equal(in(&fixture.io, PLATFORM_POST_PORT), 0x5a);
	assert_string_equal(told(), "port 0x80: code 0x00\nport 0x80: code 0x5a\n");
}

static void there_is_an_end_of_lines(void **state)
{
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * DEBUG_LINES_MAX; i++) {
		write_text(PLATFORM_DEBUG_PORT, "again\n");
		told();
	}
	for (const char *at = fixture.told; *at; at++)
		count += *at == '\n';
	assert_int_equal(count, DEBUG_LINES_MAX + 1);
	assert_non_null(strstr(fixture.told, "again\nport 0x402: says more, which is not shown\n"));
}

/* Nobody serves the loop: the guest goes on, and lines are lost. */
static void nobody_is_waited_for(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		write_text(PLATFORM_DEBUG_PORT, "line\n");
	assert_true(strlen(told()) < 100 * strlen("port 0x402: line\n"));
	assert_false(debug_ports_device.wanted(&(struct profile){ 0 }, 0));
	assert_true(debug_ports_device.wanted(&(struct profile){ .debug_ports = true }, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_are_told_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(codes_are_told_when_they_change, setup, teardown),
		cmocka_unit_test_setup_teardown(there_is_an_end_of_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_is_waited_for, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
