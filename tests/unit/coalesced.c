/* Writes that KVM keeps: done before their device is asked, in order, and once. */
#include "core/kvm/coalesced.h"

#include <stdlib.h>
#include <string.h>

#include "fake_bus.h"

#include "core/bus/device.h"
#include "core/bus/platform.h"
#include "core/hw/debug_ports.h"
#include "core/hw/mc146818.h"
#include "core/hw/vga.h"

#define ZONE 0x100

struct fixture {
	struct coalesced coalesced;
	uint8_t done[2048];
	unsigned count;
	_Alignas(8) uint8_t ring[4096];
};

static void take(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct fixture *f = device;

	assert_true(f->count + 2 <= sizeof(f->done));
	assert_in_range(length, 1, 4);
	f->done[f->count++] = (uint8_t)offset;
	f->done[f->count++] = *(const uint8_t *)data;
}

static struct kvm_coalesced_mmio_ring *ring_of(struct fixture *f)
{
	return (void *)f->ring;
}

/* As KVM does; false: there is no room, and the write makes an exit. */
static bool keep(struct fixture *f, uint64_t port, uint32_t value, uint32_t length)
{
	struct kvm_coalesced_mmio_ring *ring = ring_of(f);
	struct kvm_coalesced_mmio *entry = &ring->coalesced_mmio[ring->last];
	uint32_t next = (ring->last + 1) % COALESCED_ENTRIES;

	if (next == ring->first)
		return false;
	*entry = (struct kvm_coalesced_mmio){ .phys_addr = port, .len = length, .pio = 1 };
	memcpy(entry->data, &value, length);
	ring->last = next;
	return true;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->coalesced.vm_fd = -1;
	f->coalesced.ring = ring_of(f);
	f->coalesced.zones[f->coalesced.count++] =
		(struct coalesced_zone){ ZONE, 4, take, f };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void zone_for(struct fixture *f, uint64_t port, uint64_t size, coalesced_write *write,
		     void *device)
{
	f->coalesced.zones[f->coalesced.count++] =
		(struct coalesced_zone){ port, size, write, device };
}

static void writes_are_done_in_order_and_once(void **state)
{
	struct fixture *f = *state;

	assert_true(keep(f, ZONE, 1, 1));
	assert_true(keep(f, ZONE + 3, 2, 1));
	assert_true(keep(f, ZONE, 0x0403, 2));
	assert_int_equal(f->count, 0);
	coalesced_drain(&f->coalesced);
	assert_int_equal(f->count, 6);
	assert_memory_equal(f->done, ((const uint8_t[]){ 0, 1, 3, 2, 0, 3 }), 6);
	coalesced_drain(&f->coalesced);
	assert_int_equal(f->count, 6);
	coalesced_drain(NULL);
}

/* A page of them, several times round. */
static void a_full_ring_is_emptied(void **state)
{
	struct fixture *f = *state;
	uint8_t value = 0;

	for (unsigned round = 0; round < 5; round++) {
		unsigned kept = 0;

		f->count = 0;
		while (keep(f, ZONE, value, 1)) {
			value++;
			kept++;
		}
		assert_int_equal(kept, COALESCED_ENTRIES - 1);
		coalesced_drain(&f->coalesced);
		assert_int_equal(f->count, 2 * kept);
		assert_int_equal(f->done[f->count - 1], (uint8_t)(value - 1));
	}
}

static void what_has_no_zone_is_let_go(void **state)
{
	struct fixture *f = *state;

	zone_for(f, 0x200, 1, NULL, NULL);
	assert_true(keep(f, ZONE - 1, 1, 1));
	assert_true(keep(f, ZONE + 3, 2, 2));
	assert_true(keep(f, 0x200, 3, 1));
	coalesced_drain(&f->coalesced);
	assert_int_equal(f->count, 0);
	assert_int_equal(ring_of(f)->first, ring_of(f)->last);
}

/* While a write is being done it is still in the ring, so that nobody passes it. */
static void look_back(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct fixture *f = device;

	(void)offset;
	(void)data;
	(void)length;
	assert_int_not_equal(ring_of(f)->first, ring_of(f)->last);
	f->count++;
}

static void an_entry_leaves_when_it_is_done(void **state)
{
	struct fixture *f = *state;

	zone_for(f, 0x300, 1, look_back, f);
	assert_true(keep(f, 0x300, 1, 1));
	coalesced_drain(&f->coalesced);
	assert_int_equal(f->count, 1);
}

/* KVM refuses: there is no machine. */
static void without_kvm_nothing_is_kept(void **state)
{
	struct coalesced none = { .vm_fd = -1 };

	(void)state;
	coalesced_add(&none, ZONE, 1, take, NULL);
	coalesced_add(NULL, ZONE, 1, take, NULL);
	assert_int_equal(none.count, 0);
	coalesced_drain(&none);
}

/* Devices as the machine has them, with a zone each that the test gives them. */
static void devices_look_at_what_waits(void **state)
{
	struct fixture *f = *state;
	struct fake_bus io = { 0 };
	/* There is firmware, and that is all. */
	struct device_host host = { .io = &io.bus, .coalesced = &f->coalesced };
	struct device device = { .host = &host };
	struct vga_registers registers;
	struct mc146818 rtc;
	struct vga vga;

	assert_int_equal(rtc_init(&rtc, &io.bus, PLATFORM_CMOS_PORT, NULL, NULL), 0);
	rtc.coalesced = &f->coalesced;
	assert_true(keep(f, ZONE, 1, 1));
	in(&io, PLATFORM_CMOS_PORT + 1);
	assert_int_equal(f->count, 2);
	assert_true(keep(f, ZONE, 1, 1));
	out(&io, PLATFORM_CMOS_PORT + 1, 0);
	assert_int_equal(f->count, 4);

	assert_int_equal(vga_init(&vga, &io.bus, PLATFORM_VGA_PORT, NULL), 0);
	vga.coalesced = &f->coalesced;
	assert_true(keep(f, ZONE, 1, 1));
	in(&io, 0x3cc);
	assert_int_equal(f->count, 6);
	assert_true(keep(f, ZONE, 1, 1));
	out(&io, 0x3c8, 0);
	assert_int_equal(f->count, 8);
	assert_true(keep(f, ZONE, 1, 1));
	vga_save(&vga, &registers);
	assert_int_equal(f->count, 10);

	assert_int_equal(unassigned_ports_device.create(&device, NULL), 0);
	assert_true(keep(f, ZONE, 1, 1));
	out(&io, PLATFORM_DEBUG_PORT, 'x');
	assert_int_equal(f->count, 12);
	assert_int_equal(in(&io, PLATFORM_DEBUG_PORT), 0xff);
	assert_int_equal(in(&io, PLATFORM_BOCHS_PORT), 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_are_done_in_order_and_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_ring_is_emptied, setup, teardown),
		cmocka_unit_test_setup_teardown(what_has_no_zone_is_let_go, setup, teardown),
		cmocka_unit_test_setup_teardown(an_entry_leaves_when_it_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(without_kvm_nothing_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(devices_look_at_what_waits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
