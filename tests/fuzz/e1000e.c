/*
 * libFuzzer: a guest that drives an 82574. Each eight bytes of the input are what is done, a
 * byte more of that, an offset and a value; what the card sends is taken apart by the bench's
 * switch, and frames come in for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/hw/e1000e.h"
#include "lib/device_bench.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }
#define RAM (1u << 20)
#define TX_RING 0x1000u
#define RX_RING 0x2000u
#define RING 256u
#define STEPS_MAX 512

/*
 * Kinds: 0 a register is written, 1 memory, 2 the loop runs, 3 registers are read, 4 a frame
 * comes in (of value bytes, with the low byte of its address and a tag), 5 a descriptor is
 * sent: of 64-bit words whose halves are this step's value and the next step's.
 */
const struct fuzz_seed fuzz_seeds[] = {
	/* A frame out in two parts, one in; the interrupt is taken. */
	SEED("\1\0\0\100\2\0\0\1\1\0\4\100\0\0\2\0" "\5\0\0\100\0\0\0\0\5\1\12\0\0\0\0\0"
	     "\5\0\100\100\0\0\0\0\5\1\100\0\0\13\0\0" "\2\0\0\0\0\0\0\0" "\0\0\320\0\201\0\0\0"
	     "\0\0\030\050\17\0\0\0" "\4\167\0\0\74\0\0\0\3\0\300\0\4\0\0\0"),
	/* Contexts and segments: TSE, TXSM, IXSM, VLE. */
	SEED("\0\0\0\0\101\2\0\100" "\5\0\16\30\41\0\0\0\5\1\0\0\0\47\0\0\5\0\42\62\0\0\0\0"
	     "\5\1\0\0\0\65\144\0\5\0\0\100\0\0\0\0\5\1\0\10\0\157\0\3" "\2\0\0\0\0\0\0\0"),
	/* Extended descriptors, packet split, long frames, other sizes. */
	SEED("\0\0\010\120\0\200\0\0\0\0\0\1\42\204\0\4\0\0\030\050\17\0\0\0\4\167\0\0\350\23\0\0"
	     "\0\0\160\041\1\4\4\4\0\0\0\1\42\204\0\4\4\167\0\1\350\23\0\0\2\0\0\0\0\0\0\0"),
	/* Intervals, resets, the PHY without power, a pause, the EEPROM. */
	SEED("\0\0\304\0\1\0\0\0\0\0\320\0\377\377\377\377\0\0\310\0\377\377\377\377\2\0\0\0\0\0\0\0"
	     "\0\0\40\0\100\11\40\4\0\0\40\0\100\23\40\4\6\0\0\0\0\0\0\0\0\0\24\0\1\0\0\0\0\0\0\0\0\0\0\4"),
	{ NULL, 0 },
};

static struct bus io, mmio;
static struct irq_router irq;
static struct guest_memory memory;
static struct loop loop;
static struct pci pci;
static struct e1000e nic;

static void set(uint32_t offset, uint32_t value)
{
	nic.function.ops->bar_write(&nic.function, 0, offset, &value, 4);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void run(uint64_t ns)
{
	struct loop_timer limit = { .fire = stop, .arg = &loop };

	loop_timer_set(&loop, &limit, ns);
	REQUIRE(loop_run(&loop) == 0);
	loop_timer_cancel(&loop, &limit);
}

/* A word of the transmit ring, and the next one: a descriptor has two of them. */
static void describe(const uint8_t *step)
{
	static const unsigned words = RING / 8;
	static unsigned at;

	at = step[1] & 1 ? at | 1 : (at + 2) % words & ~1u;
	memory_write(&memory, TX_RING + 8 * at, step + 2, 6);
	if (step[1] & 1)
		set(0x3818, (at / 2 + 1) % (words / 2));
}

static void deliver(const uint8_t *step)
{
	static uint8_t data[NET_FRAME_MAX];
	uint32_t size = (step[4] | (uint32_t)step[5] << 8) % 20000;
	struct net_frame frame = { .head = data, .rest_count = size > NET_HEAD_MAX };
	const struct net_frame *list = &frame;
	enum net_verdict verdict = NET_FORWARD;
	struct iovec rest = { data + NET_HEAD_MAX, size > NET_HEAD_MAX ? size - NET_HEAD_MAX : 0 };

	memset(data, 0, 18);
	data[0] = step[2];
	data[5] = step[1];
	data[12] = step[3] & 1 ? 0x81 : 0x08;
	data[15] = step[3];
	frame.size = size < NET_FRAME_MIN ? NET_FRAME_MIN : size;
	frame.head_size = frame.size < NET_HEAD_MAX ? frame.size : NET_HEAD_MAX;
	frame.rest = &rest;
	e1000e_port_ops.deliver(&nic, 0, &list, 1, &verdict);
	e1000e_port_ops.flush(&nic);
}

static void take(const uint8_t *step)
{
	uint32_t offset = step[2] | (uint32_t)step[3] << 8, value;
	uint8_t data[8];

	memcpy(&value, step + 4, sizeof(value));
	switch (step[0] % 7) {
	case 0:
		set(offset & 0xfffc, value);
		break;
	case 1:
		memory_write(&memory, offset, &value, sizeof(value));
		break;
	case 2:
		run(NS_PER_MS / 10);
		break;
	case 3:
		nic.function.ops->bar_read(&nic.function, 0, offset, data, 1 + value % 8);
		break;
	case 4:
		deliver(step);
		break;
	case 5:
		describe(step);
		break;
	default:
		e1000e_pause(&nic, true);
		run(NS_PER_MS / 10);
		e1000e_pause(&nic, false);
	}
}

/* What it has become can be saved, and another one be made of it. */
static void check_saved(void)
{
	static struct e1000e other;
	static struct e1000e_saved saved;
	struct cause cause;

	memset(&other, 0, sizeof(other));
	memset(&saved, 0, sizeof(saved));
	e1000e_pause(&nic, true);
	e1000e_save(&nic, &saved);
	REQUIRE(!e1000e_create(&other, &pci, 4, &memory, &loop, nic.mac, &cause));
	/* Each lies somewhere else. */
	memcpy(saved.function.config + PCI_BAR0, other.function.config + PCI_BAR0, 24);
	saved.function.config[PCI_INTERRUPT_LINE] = other.function.config[PCI_INTERRUPT_LINE];
	REQUIRE(!e1000e_load(&other, &saved));
	e1000e_destroy(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 0x77 };
	struct cause cause;

	memset(&io, 0, sizeof(io));
	memset(&mmio, 0, sizeof(mmio));
	memset(&nic, 0, sizeof(nic));
	REQUIRE(!loop_init(&loop, &cause) && !memory_create(&memory, RAM, &cause));
	REQUIRE(!pci_create(&pci, &io, &mmio, &irq, &cause));
	REQUIRE(!e1000e_create(&nic, &pci, 3, &memory, &loop, mac, &cause));
	REQUIRE(!switch_port_add(&nic.port, NULL, &(struct net_port_config){ .name = "a/net1" },
				 &e1000e_port_ops, &nic, &cause));
	e1000e_pause(&nic, false);
	nic.function.ops->master_changed(&nic.function, true);
	set(0x3800, TX_RING);
	set(0x3808, RING);
	set(0x2800, RX_RING);
	set(0x2808, RING);
	for (uint64_t i = 0, address; i < RING / 16; i++) {
		address = 0x10000 + i * 0x8000;
		memory_write(&memory, RX_RING + 16 * i, &address, sizeof(address));
	}
	set(0x2818, RING / 16 - 1);
	set(0x0400, 2);
	set(0x0100, 0x04008002);
	for (unsigned i = 0; i < STEPS_MAX && size >= 8; i++, data += 8, size -= 8)
		take(data);
	run(NS_PER_MS / 10);
	check_saved();
	switch_port_remove(nic.port);
	nic.port = NULL;
	e1000e_destroy(&nic);
	pci_destroy(&pci);
	bus_destroy(&mmio);
	bus_destroy(&io);
	memory_destroy(&memory);
	loop_destroy(&loop);
	return 0;
}
