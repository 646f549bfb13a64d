/* Tables of devices: which are made, in which order they are called, and what a failure leaves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/bus/device.h"
#include "core/profile/profile.h"

static char story[1024]; /* what was called, in order */
static const char *fails; /* the name of the device that cannot be created */
static unsigned busy;	  /* calls of stop or reset that have to be repeated */

static void tell(const struct device *device, const char *what)
{
	size_t used = strlen(story);

	snprintf(story + used, sizeof(story) - used, "%s %s, ", what, device->name);
}

static int create(struct device *device, struct cause *cause)
{
	tell(device, "create");
	if (device->type->size)
		for (size_t i = 0; i < device->type->size; i++)
			assert_int_equal(((uint8_t *)device->state)[i], 0);
	if (fails && !strcmp(fails, device->name))
		return strcmp(fails, "clock") ? cause_set(cause, EBUSY, "busy") : -ENOMEM;
	if (device->type->size)
		memset(device->state, 0xff, device->type->size);
	return 0;
}

static void destroy(struct device *device)
{
	tell(device, "destroy");
}

static void start(struct device *device)
{
	tell(device, "start");
}

static bool stop(struct device *device)
{
	tell(device, "stop");
	return !busy || !busy--;
}

static bool reset(struct device *device)
{
	tell(device, "reset");
	return !busy || !busy--;
}

static size_t input(struct device *device, const uint8_t *data, size_t size)
{
	(void)data;
	tell(device, "type");
	return size - 1;
}

static void window(struct device *device, unsigned rows, unsigned columns)
{
	assert_true(rows == 24 && columns == 80);
	tell(device, "window");
}

static void power_button(struct device *device)
{
	tell(device, "press");
}

static void describe(struct device *device, char *text, size_t size)
{
	snprintf(text, size, "slot %u", device->slot);
}

static void sample(const struct device *device, struct device_counters *sum)
{
	sum->in_bytes += 10 + device->number;
}

static bool disk_wanted(const struct profile *profile, unsigned number)
{
	return profile->disks[number].present;
}

static const struct device_type port_type = {
	.name = "port", .size = 20, .hot = true, .create = create, .start = start,
	.console = 1, .input = input,
};
static const struct device_type ring_type = {
	.name = "ring", .pci = true, .create = create, .destroy = destroy, .reset = reset,
};
static const struct device_type disk_type = {
	.name = "disk", .size = 7, .pci = true, .max = PROFILE_DISKS_MAX, .wanted = disk_wanted,
	.create = create, .destroy = destroy, .start = start, .stop = stop, .reset = reset,
	.describe = describe, .sample = sample,
};
static const struct device_type clock_type = {
	.name = "clock", .size = 8, .hot = true, .pci = true, .create = create, .destroy = destroy,
	.stop = stop, .describe = describe, .input = input, .window = window,
	.power_button = power_button,
};
static const struct device_type *const table[] = {
	&port_type, &ring_type, &disk_type, &clock_type, NULL,
};

static _Alignas(8) uint8_t hot[32], cold[12];
static struct profile profile;
static struct device_set set;

static int setup(void **state)
{
	(void)state;
	profile = (struct profile){ .disks = { [1].present = true, [3].present = true } };
	memset(hot, 0xaa, sizeof(hot));
	memset(cold, 0xaa, sizeof(cold));
	*story = '\0';
	fails = NULL;
	busy = 0;
	set = (struct device_set){ .host.profile = &profile, .hot = { hot, sizeof(hot) },
				    .cold = { cold, sizeof(cold) } };
	return 0;
}

static void expect(const char *told)
{
	assert_string_equal(story, told);
	*story = '\0';
}

static void test_life(void **state)
{
	(void)state;
	assert_int_equal(devices_create(&set, table, NULL), 0);
	expect("create port, create ring, create disk1, create disk3, create clock, ");
	devices_start(&set);
	expect("start port, start disk1, start disk3, ");
	busy = 1;
	assert_false(devices_stop(&set));
	assert_true(devices_stop(&set));
	expect("stop clock, stop disk3, stop disk1, stop clock, stop disk3, stop disk1, ");
	busy = 1;
	assert_false(devices_reset(&set));
	assert_true(devices_reset(&set));
	expect("reset disk3, reset disk1, reset ring, reset disk3, reset disk1, reset ring, ");
	devices_destroy(&set);
	expect("destroy clock, destroy disk3, destroy disk1, destroy ring, ");
	devices_destroy(&set);
	expect("");
}

/* States lie where the machine has room; PCI device numbers do not depend on other devices. */
static void test_places(void **state)
{
	struct guest_device rows[4];

	(void)state;
	assert_int_equal(devices_create(&set, table, NULL), 0);
	assert_ptr_equal(set.devices[0].state, hot);
	assert_ptr_equal(set.devices[4].state, hot + 24);
	assert_null(set.devices[1].state);
	assert_ptr_equal(set.devices[2].state, cold); /* there is room for one of the two */
	assert_ptr_not_equal(set.devices[3].state, cold + 8);
	assert_int_equal(devices_describe(&set, rows, 2), 3);
	assert_int_equal(devices_describe(&set, rows, 4), 3);
	assert_string_equal(rows[0].name, "disk1");
	assert_string_equal(rows[0].status, "slot 3");
	assert_string_equal(rows[1].status, "slot 5");
	assert_string_equal(rows[2].name, "clock");
	assert_string_equal(rows[2].status, "slot 6");
	devices_destroy(&set);
}

static void test_abilities(void **state)
{
	struct device_counters sum = { .in_bytes = 99 };

	(void)state;
	assert_int_equal(devices_create(&set, table, NULL), 0);
	*story = '\0';
	assert_int_equal(devices_input(&set, 1, (const uint8_t *)"abc", 3), 2);
	devices_window(&set, 1, 24, 80);
	assert_int_equal(devices_input(&set, 0, (const uint8_t *)"abc", 3), 2);
	devices_window(&set, 0, 24, 80);
	assert_int_equal(devices_input(&set, 2, (const uint8_t *)"abc", 3), 0);
	devices_window(&set, 2, 24, 80);
	devices_power_button(&set);
	expect("type port, type clock, window clock, press clock, ");
	devices_sample(&set, &sum);
	assert_int_equal(sum.in_bytes, 24);
	devices_destroy(&set);
	assert_int_equal(devices_input(&set, 0, (const uint8_t *)"abc", 3), 0);
}

static void test_failure(void **state)
{
	struct cause cause = { "from before" };

	(void)state;
	fails = "disk1";
	assert_int_equal(devices_create(&set, table, &cause), -EBUSY);
	assert_string_equal(cause.text, "busy");
	devices_destroy(&set);
	expect("create port, create ring, create disk1, destroy disk1, destroy ring, ");

	setup(NULL);
	fails = "clock";
	assert_int_equal(devices_create(&set, table, &cause), -ENOMEM);
	assert_non_null(strstr(cause.text, "clock: "));
	devices_destroy(&set);

	/* No room on the page: it has no state to destroy. */
	setup(NULL);
	set.hot.left = 24;
	assert_int_equal(devices_create(&set, table, &cause), -ENOMEM);
	assert_non_null(strstr(cause.text, "clock: "));
	*story = '\0';
	devices_destroy(&set);
	expect("destroy disk3, destroy disk1, destroy ring, ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_life, setup),
		cmocka_unit_test_setup(test_places, setup),
		cmocka_unit_test_setup(test_abilities, setup),
		cmocka_unit_test_setup(test_failure, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
