/*
 * The 82574 over rings built by hand, at a real switch with another port: registers,
 * transmission with what drivers leave to the NIC, reception into all kinds of descriptors,
 * filters, the three ways of interrupts, and drivers that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/bus/platform.h"
#include "core/hw/e1000e.h"
#include "fake_port.h"
#include "fake_router.h"
#include "net/frame/checksum.h"
#include "settle.h"

#define RAM (1u << 20)
#define SLOT 3
#define CONFIG (PLATFORM_ECAM_BASE + (SLOT << 15))
#define TX_RING 0x1000u
#define RX_RING 0x2000u
#define TX_DATA 0x10000u
#define RX_DATA 0x40000u
#define RING_BYTES 256u
#define RING_COUNT 16u

#define CTRL 0x0000
#define STATUS 0x0008
#define EERD 0x0014
#define CTRL_EXT 0x0018
#define MDIC 0x0020
#define ICR 0x00c0
#define ITR 0x00c4
#define ICS 0x00c8
#define IMS 0x00d0
#define IMC 0x00d8
#define EIAC 0x00dc
#define IAM 0x00e0
#define IVAR 0x00e4
#define EITR 0x00e8
#define RCTL 0x0100
#define TCTL 0x0400
#define PBA 0x1000
#define PSRCTL 0x2170
#define RDBAL 0x2800
#define TDBAL 0x3800
#define HEAD 0x10
#define TAIL 0x18
#define RNBC 0x40a0
#define ROC 0x40ac
#define GPRC 0x4074
#define GPTC 0x4080
#define GOTCL 0x4090
#define RFCTL 0x5008
#define MTA 0x5200
#define RA 0x5400
#define VFTA 0x5600
#define SWSM 0x5b50

#define RCTL_PLAIN 0x04008002u /* enabled, broadcasts, without FCS */
#define CTRL_VME 0x40000000u
#define END 0x01000000u
#define FCS 0x02000000u
#define TSE 0x04000000u
#define REPORT 0x08000000u
#define EXTENDED 0x20000000u
#define DATA 0x00100000u
#define VLE 0x40000000u
#define TXSM 0x200u
#define IXSM 0x100u
#define TXDW 0x01u
#define LSC 0x04u
#define RXO 0x40u
#define RXT0 0x80u
#define RXQ0 0x100000u
#define TXQ0 0x400000u
#define OTHER 0x1000000u
#define ASSERTED 0x80000000u

static const uint8_t own_mac[] = { 2, 0, 0, 0, 0, 0x77 };

struct bench {
	struct bus io, mmio;
	struct irq_router irq;
	struct pci pci;
	struct guest_memory memory;
	struct loop loop;
	struct network *network;
	struct e1000e nic;
	struct fake_port peer;
	uint32_t sent, given; /* descriptors of the first transmit queue, and of reception */
};

/* --- a machine --- */

static uint32_t get(struct bench *bench, uint32_t offset)
{
	uint32_t value = 0;

	bus_read(&bench->mmio, bench->nic.function.bars[0].base + offset, &value, 4);
	return value;
}

static void set(struct bench *bench, uint32_t offset, uint32_t value)
{
	bus_write(&bench->mmio, bench->nic.function.bars[0].base + offset, &value, 4);
}

static void set_config(struct bench *bench, unsigned offset, uint32_t value, unsigned length)
{
	bus_write(&bench->mmio, CONFIG + offset, &value, length);
}

static uint8_t *at(struct bench *bench, uint64_t address)
{
	return memory_at(&bench->memory, address, 1);
}

/* Rings of 16 descriptors, both directions on; kind: bits of RCTL beside the usual ones. */
static void start_driver(struct bench *bench, uint32_t rctl)
{
	set(bench, CTRL, 0x04000000);
	set_config(bench, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
	memset(at(bench, TX_RING), 0, RING_BYTES);
	memset(at(bench, RX_RING), 0, RING_BYTES);
	bench->sent = bench->given = 0;
	set(bench, TDBAL, TX_RING);
	set(bench, TDBAL + 8, RING_BYTES);
	set(bench, RDBAL, RX_RING);
	set(bench, RDBAL + 8, RING_BYTES);
	set(bench, TCTL, 2);
	set(bench, RCTL, RCTL_PLAIN | rctl);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct net_port_config config = { .name = "a/net0", .kind = "guest",
					  .accepts = NET_ACCEPTS_NOTHING };
	struct net_switch *sw;
	struct cause cause;

	fake_router_clear();
	assert_int_equal(loop_init(&bench->loop, &cause), 0);
	assert_int_equal(memory_create(&bench->memory, RAM, &cause), 0);
	assert_int_equal(pci_create(&bench->pci, &bench->io, &bench->mmio, &bench->irq, &cause), 0);
	assert_int_equal(e1000e_create(&bench->nic, &bench->pci, SLOT, &bench->memory,
				       &bench->loop, own_mac, &cause), 0);
	sw = fake_switch(&bench->network, "lan");
	memcpy(config.addresses[0].mac, own_mac, sizeof(own_mac));
	assert_int_equal(switch_port_add(&bench->nic.port, sw, &config, &e1000e_port_ops,
					 &bench->nic, &cause), 0);
	fake_port_open(&bench->peer, sw, "b/net0", 1, 0);
	e1000e_pause(&bench->nic, false);
	start_driver(bench, 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	switch_port_remove(bench->nic.port);
	fake_port_close(&bench->peer);
	network_free(bench->network);
	e1000e_destroy(&bench->nic);
	pci_destroy(&bench->pci);
	memory_destroy(&bench->memory);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

/* --- registers --- */

static uint16_t read_eeprom(struct bench *bench, unsigned word)
{
	set(bench, EERD, word << 2 | 1);
	assert_true(get(bench, EERD) & 2);
	return (uint16_t)(get(bench, EERD) >> 16);
}

static uint16_t read_phy(struct bench *bench, unsigned number)
{
	set(bench, MDIC, 0x08200000 | number << 16);
	assert_int_equal(get(bench, MDIC) & 0x50000000, 0x10000000);
	return (uint16_t)get(bench, MDIC);
}

static void write_phy(struct bench *bench, unsigned number, uint16_t value)
{
	set(bench, MDIC, 0x04200000 | number << 16 | value);
}

static void test_identity(void **state)
{
	struct bench *bench = *state;
	uint8_t mac[6], byte = 0;
	uint16_t sum = 0;

	assert_int_equal(get(bench, RA), 0x00000002);
	assert_int_equal(get(bench, RA + 4), 0x80007700);
	for (unsigned i = 0; i < 64; i++)
		sum = (uint16_t)(sum + read_eeprom(bench, i));
	assert_int_equal(sum, 0xbaba);
	for (unsigned i = 0; i < 3; i++) {
		mac[2 * i] = (uint8_t)read_eeprom(bench, i);
		mac[2 * i + 1] = (uint8_t)(read_eeprom(bench, i) >> 8);
	}
	assert_memory_equal(mac, own_mac, sizeof(mac));
	set(bench, EERD, 64 << 2 | 1);
	assert_false(get(bench, EERD) & 2);
	assert_int_equal(read_phy(bench, 2) << 16 | read_phy(bench, 3), 0x01410cb1);
	set(bench, MDIC, 0x08400000); /* another PHY */
	assert_int_equal(get(bench, MDIC) & 0x50000000, 0x50000000);
	write_phy(bench, 22, 5); /* another page has none of the registers behind 15 */
	assert_int_equal(read_phy(bench, 17), 0);
	assert_int_equal(read_phy(bench, 2), 0x0141);

	/* The semaphore is taken by reading; the packet buffer is 40 KiB for both. */
	assert_int_equal(get(bench, SWSM), 0);
	assert_int_equal(get(bench, SWSM), 1);
	set(bench, SWSM, 0);
	assert_int_equal(get(bench, SWSM), 0);
	set(bench, PBA, 32);
	assert_int_equal(get(bench, PBA), 8 << 16 | 32);
	set(bench, CTRL, 0x04000000);
	assert_int_equal(get(bench, PBA), 8 << 16 | 32);
	assert_int_equal(get(bench, RCTL), 0);

	set(bench, 4, CTRL_VME); /* CTRL once more */
	assert_int_equal(get(bench, CTRL), CTRL_VME);
	assert_int_equal(get(bench, 4), CTRL_VME);
	assert_int_equal(get(bench, STATUS) & 2, 2);

	/* What is not there, and what is not a word. */
	set(bench, 0x1fffc, ~0u);
	assert_int_equal(get(bench, 0x1fffc), 0);
	bus_write(&bench->mmio, bench->nic.function.bars[0].base + RCTL, &byte, 1);
	bus_read(&bench->mmio, bench->nic.function.bars[0].base + RA + 1, &byte, 1);
	assert_int_equal(byte, 0);
}

static void test_ports(void **state)
{
	struct bench *bench = *state;
	uint16_t base = (uint16_t)bench->nic.function.bars[2].base;
	uint32_t value = RA, ports[2] = { RCTL, 0x00008002 };

	bus_write(&bench->io, base, &value, 4);
	bus_read(&bench->io, base + 4u, &value, 4);
	assert_int_equal(value, 2);
	bus_write(&bench->io, base, &ports[0], 4);
	bus_write(&bench->io, base + 4u, &ports[1], 4);
	assert_int_equal(get(bench, RCTL), ports[1]);
	value = 0x20000;
	bus_write(&bench->io, base, &value, 4);
	bus_write(&bench->io, base + 4u, &value, 4);
	bus_read(&bench->io, base + 4u, &value, 4);
	assert_int_equal(value, 0);
}

/* --- transmission --- */

static void put_descriptor(struct bench *bench, uint64_t first, uint32_t command, uint32_t status)
{
	uint8_t *d = at(bench, TX_RING + 16 * bench->sent);

	memcpy(d, &first, 8);
	memcpy(d + 8, &command, 4);
	memcpy(d + 12, &status, 4);
	bench->sent = (bench->sent + 1) % RING_COUNT;
}

static void send_all(struct bench *bench)
{
	set(bench, TDBAL + TAIL, bench->sent);
	settle(&bench->loop);
	assert_int_equal(get(bench, TDBAL + HEAD), bench->sent);
}

static void context(struct bench *bench, uint8_t ip, uint8_t l4, uint8_t field, bool v4,
		    bool segment, uint8_t header, uint16_t mss)
{
	uint64_t first = ip | (uint64_t)(ip + 10) << 8 | (uint64_t)(l4 - 1) << 16 |
			 (uint64_t)l4 << 32 | (uint64_t)field << 40;

	put_descriptor(bench, first,
		       EXTENDED | 0x01000000 | (v4 ? 0x02000000 : 0) | (segment ? TSE : 0),
		       (uint32_t)header << 8 | (uint32_t)mss << 16);
}

/* A frame for the peer, of IPv4 or IPv6, with TCP and a payload that counts. */
static uint32_t make_tcp(uint8_t *frame, bool v6, uint32_t payload)
{
	uint32_t ip = v6 ? 40 : 20, size = 14 + ip + 20 + payload;

	memset(frame, 0, 14 + ip + 20);
	fake_mac(frame, 1);
	memcpy(frame + 6, own_mac, 6);
	put_be16(frame + 12, v6 ? 0x86dd : 0x0800);
	frame[14] = v6 ? 0x60 : 0x45;
	frame[14 + (v6 ? 6 : 9)] = 6;
	frame[14 + ip - 1] = 9; /* some address */
	frame[14 + ip + 12] = 0x50;
	frame[14 + ip + 13] = 0x98; /* ACK, PSH, CWR */
	for (uint32_t i = 0; i < payload; i++)
		frame[size - payload + i] = (uint8_t)(i * 7 + i / 256);
	return size;
}

/* A frame of TCP that the peer has got is right; its payload's size. */
static uint32_t check_tcp(const struct fake_frame *frame, uint32_t from)
{
	const uint8_t *ip = frame->data + 14;
	bool v6 = get_be16(frame->data + 12) == 0x86dd;
	uint32_t header = v6 ? 40 : 20, size = frame->size - 14 - header;

	assert_int_equal(frame->offload.flags, 0);
	if (v6) {
		assert_int_equal(get_be16(ip + 4), size);
	} else {
		assert_int_equal(get_be16(ip + 2), header + size);
		assert_int_equal(checksum_fold(checksum_add(0, ip, header)), 0);
	}
	assert_int_equal(checksum_fold(checksum_add(checksum_pseudo(ip, v6, 6, size), ip + header,
						    size)), 0);
	for (uint32_t i = 0; i < size - 20; i++)
		assert_int_equal(ip[header + 20 + i], (uint8_t)((from + i) * 7 + (from + i) / 256));
	return size - 20;
}

static void test_legacy_frame_in_parts(void **state)
{
	struct bench *bench = *state;
	uint8_t *data = at(bench, TX_DATA);
	uint32_t size = make_tcp(data, false, 1000);

	set(bench, IMS, TXDW);
	put_descriptor(bench, TX_DATA, 10 | FCS, 0);
	put_descriptor(bench, TX_DATA + 10, 490 | FCS, 0);
	put_descriptor(bench, 0, FCS, 0);
	put_descriptor(bench, TX_DATA + 500, (size - 500) | END | FCS | REPORT, 0);
	send_all(bench);
	assert_int_equal(bench->peer.count, 1);
	assert_int_equal(bench->peer.kept[0].size, size);
	assert_memory_equal(bench->peer.kept[0].data, data, size);
	assert_int_equal(at(bench, TX_RING + 12)[0], 0);
	assert_int_equal(at(bench, TX_RING + 3 * 16 + 12)[0], 1);
	assert_int_equal(get(bench, ICR), ASSERTED | TXDW | TXQ0 | 2);
	assert_int_equal(get(bench, GPTC), 1);
	assert_int_equal(get(bench, GPTC), 0);
	assert_int_equal(get(bench, GOTCL), size + 4);

	/* A frame whose end is not there yet waits for it. */
	put_descriptor(bench, TX_DATA, 60, 0);
	set(bench, TDBAL + TAIL, bench->sent);
	settle(&bench->loop);
	assert_int_equal(get(bench, TDBAL + HEAD), bench->sent - 1);
	assert_int_equal(bench->peer.count, 1);
	put_descriptor(bench, TX_DATA + 60, (size - 60) | END, 0);
	send_all(bench);
	assert_int_equal(bench->peer.count, 2);
	assert_memory_equal(bench->peer.kept[1].data, data, size);
}

static void test_second_queue(void **state)
{
	struct bench *bench = *state;
	uint32_t size = make_tcp(at(bench, TX_DATA), false, 100);

	put_descriptor(bench, TX_DATA, size | END | REPORT, 0);
	set(bench, TDBAL + 0x100, TX_RING);
	set(bench, TDBAL + 0x108, RING_BYTES);
	set(bench, TDBAL + 0x100 + TAIL, 1);
	settle(&bench->loop);
	assert_int_equal(bench->peer.count, 1);
	assert_int_equal(get(bench, TDBAL + 0x100 + HEAD), 1);
	assert_int_equal(get(bench, TDBAL + HEAD), 0);
	assert_true(get(bench, ICR) & TXQ0 << 1);
}

/* The sum of the pseudo header, as drivers leave it. */
static void leave_partial(uint8_t *frame, bool v6, uint32_t size)
{
	uint16_t partial = (uint16_t)~checksum_fold(checksum_pseudo(frame + 14, v6, 6, size));

	memcpy(frame + 14 + (v6 ? 40 : 20) + 16, &partial, 2);
}

static void test_checksums(void **state)
{
	struct bench *bench = *state;
	uint8_t *data = at(bench, TX_DATA);
	uint32_t size = make_tcp(data, false, 333);

	put_be16(data + 16, (uint16_t)(size - 14));
	leave_partial(data, false, size - 34);
	context(bench, 14, 34, 50, true, false, 0, 0);
	put_descriptor(bench, TX_DATA, size | EXTENDED | DATA | END, TXSM | IXSM);
	send_all(bench);
	assert_int_equal(bench->peer.count, 1);
	assert_int_equal(check_tcp(&bench->peer.kept[0], 0), 333);

	/* A legacy descriptor says itself where it is; the context stays for the next. */
	data[24] = data[25] = 0;
	put_descriptor(bench, TX_DATA, size | 50 << 16 | END | TSE, 34 << 8);
	put_descriptor(bench, TX_DATA, size | EXTENDED | DATA | END, TXSM | IXSM);
	send_all(bench);
	assert_int_equal(bench->peer.count, 3);
	assert_int_equal(check_tcp(&bench->peer.kept[2], 0), 333);
	assert_memory_equal(bench->peer.kept[1].data + 34, bench->peer.kept[2].data + 34, size - 34);

	/* With a tag, and for a port that takes the checksum as it is. */
	set(bench, CTRL, CTRL_VME);
	switch_port_accepts(bench->peer.port, NET_ACCEPTS_CSUM);
	put_descriptor(bench, TX_DATA, size | EXTENDED | DATA | END | VLE, TXSM | IXSM | 0x2005 << 16);
	send_all(bench);
	assert_int_equal(bench->peer.kept[3].size, size + 4);
	assert_int_equal(get_be32(bench->peer.kept[3].data + 12), 0x81002005);
	assert_memory_equal(bench->peer.kept[3].data + 16, data + 12, 10);
	assert_int_equal(bench->peer.kept[3].offload.flags, NET_OFFLOAD_NEEDS_CSUM);
	assert_int_equal(bench->peer.kept[3].offload.csum_start, 38);
	assert_int_equal(bench->peer.kept[3].offload.csum_offset, 16);
}

static void send_segments(struct bench *bench, bool v6, uint32_t payload, uint16_t mss)
{
	uint8_t *data = at(bench, TX_DATA), l4 = v6 ? 54 : 34;
	uint32_t size = make_tcp(data, v6, payload);

	leave_partial(data, v6, 0); /* without the length, which the NIC adds */
	context(bench, 14, l4, l4 + 16, !v6, true, l4 + 20, mss);
	put_descriptor(bench, TX_DATA, 54 | EXTENDED | DATA | TSE, TXSM | IXSM);
	put_descriptor(bench, TX_DATA + 54, (size - 54) | EXTENDED | DATA | TSE | END, 0);
	send_all(bench);
}

static void test_segments(void **state)
{
	struct bench *bench = *state;

	for (unsigned v6 = 0; v6 < 2; v6++) {
		uint32_t got = 0;

		fake_port_clear(&bench->peer);
		send_segments(bench, v6, 5000, 1400);
		assert_int_equal(bench->peer.count, 4);
		for (unsigned i = 0; i < 4; i++)
			got += check_tcp(&bench->peer.kept[i], got);
		assert_int_equal(got, 5000);
		assert_int_equal(get(bench, GPTC), 4);
	}
	/* One segment is a frame with a checksum. */
	fake_port_clear(&bench->peer);
	send_segments(bench, false, 1400, 1400);
	assert_int_equal(bench->peer.count, 1);
	assert_int_equal(check_tcp(&bench->peer.kept[0], 0), 1400);

	/* Who takes segments gets all of them as one, with lengths and sums that are right. */
	fake_port_clear(&bench->peer);
	switch_port_accepts(bench->peer.port, NET_ACCEPTS_CSUM | NET_ACCEPTS_TSO4);
	send_segments(bench, false, 5000, 1400);
	assert_int_equal(bench->peer.count, 1);
	assert_int_equal(bench->peer.kept[0].offload.gso_type, NET_GSO_TCPV4 | NET_GSO_ECN);
	assert_int_equal(bench->peer.kept[0].offload.gso_size, 1400);
	assert_int_equal(bench->peer.kept[0].offload.header_size, 54);
	assert_int_equal(get_be16(bench->peer.kept[0].data + 16), 5040);
	checksum_finish(bench->peer.kept[0].data, bench->peer.kept[0].size, 34, 16);
	bench->peer.kept[0].offload.flags = 0;
	assert_int_equal(check_tcp(&bench->peer.kept[0], 0), 5000);
}

/* --- reception --- */

/* Gives count descriptors of 2 or 4 words, whose buffers are 0x4000 apart. */
static void give(struct bench *bench, unsigned count, unsigned words)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t *d = (uint64_t *)(void *)at(bench, RX_RING + 8 * words * bench->given);

		for (unsigned w = 0; w < words; w++)
			d[w] = w == words - 1 && words == 2
				       ? 0
				       : RX_DATA + (bench->given * words + w) * 0x4000ull;
		bench->given = (bench->given + 1) % (RING_COUNT * 2 / words);
	}
	set(bench, RDBAL + TAIL, bench->given * words / 2);
}

static uint64_t written(struct bench *bench, unsigned word)
{
	return ((uint64_t *)(void *)at(bench, RX_RING))[word];
}

static void hear(struct bench *bench, uint32_t size)
{
	uint8_t source[6];

	fake_mac(source, 1);
	fake_send(&bench->peer, own_mac, source, size);
}

static void test_receive_legacy(void **state)
{
	struct bench *bench = *state;

	give(bench, 15, 2);
	hear(bench, 1000);
	assert_true(written(bench, 1) == (1000 | 0x07ull << 32));
	assert_memory_equal(at(bench, RX_DATA), own_mac, 6);
	assert_int_equal(at(bench, RX_DATA + 999)[0], (uint8_t)(at(bench, RX_DATA + 998)[0] + 1));
	assert_int_equal(get(bench, RDBAL + HEAD), 1);

	/* What is short is filled up; with FCS it is longer. */
	memset(at(bench, RX_DATA + 0x8000), 0xff, 100);
	set(bench, RCTL, RCTL_PLAIN & ~0x04000000u);
	hear(bench, 30);
	assert_true(written(bench, 3) == (64 | 0x07ull << 32));
	assert_int_equal(at(bench, RX_DATA + 0x8000 + 63)[0], 0);
	assert_int_equal(at(bench, RX_DATA + 0x8000 + 64)[0], 0xff);

	/* A frame over three buffers of 512 bytes. */
	set(bench, RCTL, RCTL_PLAIN | 2 << 16);
	hear(bench, 1500);
	assert_true(written(bench, 5) == (512 | 0x01ull << 32));
	assert_true(written(bench, 7) == (512 | 0x01ull << 32));
	assert_true(written(bench, 9) == (476 | 0x07ull << 32));
	assert_int_equal(get(bench, RDBAL + HEAD), 5);
	assert_int_equal(get(bench, GPRC), 3);
}

static void test_receive_extended(void **state)
{
	struct bench *bench = *state;

	set(bench, RFCTL, 0x8000);
	give(bench, 3, 2);
	hear(bench, 1514);
	assert_true(written(bench, 0) == 0);
	assert_true(written(bench, 1) == (7 | 1514ull << 32));
	hear(bench, 1515);
	assert_int_equal(get(bench, ROC), 1);
	set(bench, RCTL, RCTL_PLAIN | 0x20 | 4 << 27); /* long frames, buffers of 4 KiB */
	hear(bench, 5000);
	assert_true(written(bench, 3) == (1 | 4096ull << 32));
	assert_true(written(bench, 5) == (7 | 904ull << 32));
	/* There is none left. */
	assert_int_equal(get(bench, ICR) & RXO, 0);
	hear(bench, 60);
	assert_int_equal(get(bench, RNBC), 1);
	assert_true(get(bench, ICR) & RXO);
}

static void test_receive_packet_split(void **state)
{
	struct bench *bench = *state;

	set(bench, RFCTL, 0x8000);
	set(bench, PSRCTL, 0x04040401); /* 128 bytes, 4 KiB, 4 KiB, 4 KiB */
	set(bench, RCTL, RCTL_PLAIN | 0x20 | 1 << 10);
	give(bench, 7, 4);
	assert_int_equal(get(bench, RDBAL + TAIL), 14);
	hear(bench, 5000);
	assert_true(written(bench, 0) == 0);
	assert_true(written(bench, 1) == (7 | 128ull << 32));
	assert_true(written(bench, 2) == (4096ull << 16 | 776ull << 32));
	assert_int_equal(get(bench, RDBAL + HEAD), 2);
	assert_memory_equal(at(bench, RX_DATA), own_mac, 6);
	hear(bench, 90);
	assert_true(written(bench, 5) == (7 | 90ull << 32));
	assert_true(written(bench, 6) == 0);
}

static void test_vlan(void **state)
{
	struct bench *bench = *state;
	uint8_t data[104] = { 0 }, mac[6];
	struct net_frame frame;
	struct iovec rest;

	fake_mac(mac, 1);
	put_be32(data + 12, 0x8100a123);
	put_be16(data + 16, 0x1234);
	fake_frame(&frame, &rest, data, sizeof(data), own_mac, mac);
	give(bench, 8, 2);
	switch_input(bench->peer.port, &frame, 1);
	assert_true(written(bench, 1) == (104 | 0x07ull << 32));
	set(bench, CTRL, CTRL_VME);
	switch_input(bench->peer.port, &frame, 1);
	assert_true(written(bench, 3) == (100 | 0x0full << 32 | 0xa123ull << 48));
	assert_int_equal(get_be16(at(bench, RX_DATA + 0x8000 + 12)), 0x1234);
	set(bench, RCTL, RCTL_PLAIN | 0x40000);
	switch_input(bench->peer.port, &frame, 1);
	assert_int_equal(get(bench, RDBAL + HEAD), 2);
	set(bench, VFTA + 4 * (0x123 >> 5), 1u << (0x123 & 31));
	switch_input(bench->peer.port, &frame, 1);
	assert_int_equal(get(bench, RDBAL + HEAD), 3);
}

static void test_filters(void **state)
{
	static const struct {
		uint8_t address[6];
		uint32_t rctl, mta; /* mta: the bit of the table, + 1 */
		bool taken;
	} rows[] = {
		{ { 2, 0, 0, 0, 0, 0x77 }, 0, 0, true },
		{ { 2, 0, 0, 0, 0, 0x78 }, 0, 0, false },
		{ { 2, 0, 0, 0, 0, 0x78 }, 0x08, 0, true },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 0, 0, true },
		{ { 0x33, 0x33, 0, 0, 0, 0x01 }, 0, 0, false },
		{ { 0x33, 0x33, 0, 0, 0, 0x01 }, 0x10, 0, true },
		{ { 0x33, 0x33, 0, 0, 0xf0, 0x01 }, 0, 0x01f + 1, true },
		{ { 0x33, 0x33, 0, 0, 0xf0, 0x01 }, 3 << 12, 0x1f0 + 1, true },
		{ { 0x33, 0x33, 0, 0, 0xf0, 0x01 }, 3 << 12, 0x01f + 1, false },
	};
	struct bench *bench = *state;
	uint8_t source[6];
	uint32_t head = 0;

	fake_mac(source, 1);
	give(bench, 15, 2);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		set(bench, RCTL, RCTL_PLAIN | rows[i].rctl);
		for (unsigned n = 0; n < 128; n++)
			set(bench, MTA + 4 * n, 0);
		if (rows[i].mta)
			set(bench, MTA + 4 * ((rows[i].mta - 1) >> 5), 1u << ((rows[i].mta - 1) & 31));
		fake_send(&bench->peer, rows[i].address, source, 60);
		head += rows[i].taken;
		assert_int_equal(get(bench, RDBAL + HEAD), head);
	}
	/* Without broadcasts, and by another address of the table. */
	set(bench, RCTL, RCTL_PLAIN & ~0x8000u);
	fake_send(&bench->peer, rows[3].address, source, 60);
	set(bench, RA + 8, 0x00000002);
	set(bench, RA + 12, 0x80007800);
	fake_send(&bench->peer, rows[1].address, source, 60);
	assert_int_equal(get(bench, RDBAL + HEAD), head + 1);
}

static uint64_t drops(struct bench *bench, enum net_verdict verdict)
{
	struct net_port_counters counters;

	switch_port_counters(bench->nic.port, &counters);
	return counters.drops[verdict];
}

static void test_link(void **state)
{
	struct bench *bench = *state;

	give(bench, 15, 2);
	assert_int_equal(get(bench, STATUS) & 0xc3, 0x83);
	get(bench, ICR);
	write_phy(bench, 0, 0x1940); /* power down */
	assert_int_equal(get(bench, STATUS) & 2, 0);
	assert_int_equal(read_phy(bench, 1) & 4, 0);
	assert_int_equal(get(bench, ICR), LSC);
	hear(bench, 60);
	assert_int_equal(drops(bench, NET_DROP_LINK_DOWN), 1);
	write_phy(bench, 0, 0x1340); /* power, and negotiation */
	assert_int_equal(read_phy(bench, 0), 0x1140);
	assert_int_equal(get(bench, ICR), LSC);
	hear(bench, 60);
	assert_int_equal(get(bench, RDBAL + HEAD), 1);
	/* The cable is pulled out; a reset does not plug it in again. */
	get(bench, ICR);
	e1000e_port_ops.link(&bench->nic, false);
	assert_int_equal(get(bench, STATUS) & 2, 0);
	assert_int_equal(read_phy(bench, 1) & 0x24, 0);
	assert_int_equal(get(bench, ICR), LSC);
	hear(bench, 60);
	assert_int_equal(drops(bench, NET_DROP_LINK_DOWN), 2);
	write_phy(bench, 0, 0x9140);
	assert_int_equal(get(bench, STATUS) & 2, 0);
	get(bench, ICR);
	e1000e_port_ops.link(&bench->nic, false);
	assert_int_equal(get(bench, ICR), 0);
	e1000e_port_ops.link(&bench->nic, true);
	assert_int_equal(get(bench, STATUS) & 2, 2);
	assert_int_equal(get(bench, ICR), LSC);
	/* Nor does anything come in while it is paused, is off, or may not write. */
	e1000e_pause(&bench->nic, true);
	hear(bench, 60);
	e1000e_pause(&bench->nic, false);
	set(bench, RCTL, 0);
	hear(bench, 60);
	set(bench, RCTL, RCTL_PLAIN);
	set(bench, CTRL, 4);
	assert_int_equal(get(bench, STATUS) & 0x80000, 0);
	hear(bench, 60);
	set(bench, CTRL, 0);
	set_config(bench, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	hear(bench, 60);
	assert_int_equal(drops(bench, NET_DROP_LINK_DOWN), 6);
	assert_int_equal(get(bench, RDBAL + HEAD), 1);
}

/* --- interrupts --- */

static bool line(void)
{
	return fake_router.level[PLATFORM_PCI_GSI + SLOT % PCI_INTX_LINES];
}

static void test_interrupt_line(void **state)
{
	struct bench *bench = *state;

	give(bench, 15, 2);
	hear(bench, 60);
	assert_false(line());
	set(bench, IMS, RXT0);
	assert_true(line());
	/* Reading ends it, and masks if the driver wants that. */
	set(bench, CTRL_EXT, 0x08000000);
	set(bench, IAM, ~0u);
	assert_int_equal(get(bench, ICR), ASSERTED | RXT0 | RXQ0);
	assert_false(line());
	assert_int_equal(get(bench, IMS), 0);
	/* What did not interrupt is left alone, unless nothing may. */
	set(bench, IMS, LSC);
	hear(bench, 60);
	assert_int_equal(get(bench, ICR), RXT0 | RXQ0);
	assert_int_equal(get(bench, ICR), RXT0 | RXQ0);
	set(bench, IMC, LSC);
	assert_int_equal(get(bench, ICR), RXT0 | RXQ0);
	set(bench, CTRL_EXT, 0);
	assert_int_equal(get(bench, ICR), RXT0 | RXQ0);
	assert_int_equal(get(bench, ICR), 0);
	/* By writing: single ones. */
	set(bench, IMS, RXT0 | LSC);
	set(bench, IAM, 0);
	set(bench, ICS, RXT0 | LSC);
	assert_int_equal(get(bench, ICS), RXT0 | LSC);
	set(bench, ICR, RXT0);
	assert_true(line());
	set(bench, ICR, LSC);
	assert_false(line());
	set(bench, ICS, LSC);
	set(bench, CTRL, 0x04000000);
	assert_false(line());
}

/* How often vector n of MSI-X was raised since the last time. */
static uint64_t raised(struct bench *bench, unsigned n)
{
	uint64_t count = 0;

	if (bench->nic.function.vectors[n].fd >= 0 &&
	    read(bench->nic.function.vectors[n].fd, &count, sizeof(count)) < 0)
		return 0;
	return count;
}

/* Vector 0 for reception, 1 for transmission, 2 for the rest, as Linux has them. */
/* Its sender has not come to telling of them when the machine stops. */
static void test_pause_tells_of_frames(void **state)
{
	uint8_t data[60] = { 0 }, source[6];
	const struct net_frame *frames[1];
	enum net_verdict verdict;
	struct bench *bench = *state;
	struct net_frame frame;
	struct iovec rest;

	fake_mac(source, 1);
	fake_frame(&frame, &rest, data, sizeof(data), own_mac, source);
	frames[0] = &frame;
	set(bench, IMS, RXT0);
	give(bench, 1, 2);
	assert_int_equal(e1000e_port_ops.deliver(&bench->nic, 0, frames, 1, &verdict), 1);
	assert_false(line());
	e1000e_pause(&bench->nic, true);
	assert_true(line());
	assert_true(get(bench, ICR) & RXT0);
}

static void enable_msix(struct bench *bench)
{
	uint64_t table = bench->nic.function.bars[3].base;
	uint32_t words[] = { 0xfee00000, 0, 0x40, 0 };

	for (unsigned n = 0; n < 3; n++)
		for (unsigned i = 0; i < 4; i++)
			bus_write(&bench->mmio, table + 16 * n + 4 * i, &words[i], 4);
	set_config(bench, bench->nic.function.msix_capability + 2, 0x8000, 2);
	set(bench, IVAR, 0x800a0908);
	set(bench, EIAC, RXQ0 | TXQ0);
	set(bench, IMS, RXQ0 | TXQ0 | OTHER | LSC);
}

static void test_msix(void **state)
{
	struct bench *bench = *state;
	uint32_t size = make_tcp(at(bench, TX_DATA), false, 100);

	enable_msix(bench);
	give(bench, 15, 2);
	hear(bench, 60);
	assert_int_equal(raised(bench, 0), 1);
	/* The message took cause and mask with it: the driver asks for the next. */
	assert_int_equal(get(bench, IMS), TXQ0 | OTHER | LSC);
	hear(bench, 60);
	assert_int_equal(raised(bench, 0), 0);
	set(bench, IMS, RXQ0);
	assert_int_equal(raised(bench, 0), 1);
	put_descriptor(bench, TX_DATA, size | END | REPORT, 0);
	send_all(bench);
	assert_int_equal(raised(bench, 1), 1);
	assert_int_equal(raised(bench, 2), 0);
	/* The link: it stays until the driver has read it. */
	set(bench, IMS, RXQ0);
	write_phy(bench, 0, 0x1940);
	assert_int_equal(raised(bench, 2), 1);
	set(bench, ICS, LSC);
	assert_int_equal(raised(bench, 2), 0);
	assert_int_equal(get(bench, ICR) & (OTHER | LSC), OTHER | LSC);
	write_phy(bench, 0, 0x1140);
	assert_int_equal(raised(bench, 2), 1);
	/* A cause that stands is no news when another comes. */
	set(bench, ICR, OTHER);
	set(bench, EIAC, OTHER);
	set(bench, IMS, OTHER | RXQ0);
	set(bench, ICS, LSC);
	assert_int_equal(raised(bench, 2), 1);
	set(bench, IMS, OTHER);
	hear(bench, 60);
	assert_int_equal(raised(bench, 0), 1);
	assert_int_equal(raised(bench, 2), 0);
	/* Who has no vector has none. */
	set(bench, IVAR, 0);
	hear(bench, 60);
	assert_int_equal(raised(bench, 0), 0);
}

static void test_msi(void **state)
{
	struct bench *bench = *state;
	struct pci_function *function = &bench->nic.function;
	uint64_t count = 0;

	set_config(bench, function->msi_capability + 4, 0xfee00000, 4);
	set_config(bench, function->msi_capability + 2, 1, 2);
	set(bench, IMS, RXT0);
	give(bench, 15, 2);
	hear(bench, 60);
	hear(bench, 60);
	assert_false(line());
	assert_int_equal(read(function->message.fd, &count, sizeof(count)), 8);
	assert_int_equal(count, 1);
	assert_int_equal(get(bench, ICR), ASSERTED | RXT0 | RXQ0);
	hear(bench, 60);
	assert_int_equal(read(function->message.fd, &count, sizeof(count)), 8);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

static void run_for(struct bench *bench, uint64_t ns)
{
	struct loop_timer limit = { .fire = stop_loop, .arg = &bench->loop };

	loop_timer_set(&bench->loop, &limit, ns);
	assert_int_equal(loop_run(&bench->loop), 0);
}

/* Between two there is the interval that the driver wants; the second is not lost. */
static void test_intervals(void **state)
{
	struct bench *bench = *state;

	set(bench, ITR, 0xffff); /* 16.8 ms */
	set(bench, IMS, RXT0 | LSC);
	give(bench, 15, 2);
	hear(bench, 60);
	assert_true(line());
	set(bench, ICS, LSC); /* a line that is up is not held */
	assert_int_equal(get(bench, ICR), ASSERTED | RXT0 | RXQ0 | LSC);
	assert_false(line());
	hear(bench, 60);
	assert_false(line());
	assert_int_equal(get(bench, ICR), RXT0 | RXQ0);
	run_for(bench, 40 * NS_PER_MS);
	assert_true(line());
	/* Held, and gone before it was told. */
	get(bench, ICR);
	hear(bench, 60);
	set(bench, IMC, ~0u);
	run_for(bench, 40 * NS_PER_MS);
	assert_false(line());

	start_driver(bench, 0);
	set(bench, EITR, 0xffff);
	enable_msix(bench);
	give(bench, 15, 2);
	hear(bench, 60);
	assert_int_equal(raised(bench, 0), 1);
	set(bench, IMS, RXQ0);
	hear(bench, 60);
	assert_int_equal(raised(bench, 0), 0);
	run_for(bench, 40 * NS_PER_MS);
	assert_int_equal(raised(bench, 0), 1);
}

/* --- drivers that lie --- */

static void test_bad_rings(void **state)
{
	static const struct {
		uint32_t low, high, length, head, tail;
	} rows[] = {
		{ RAM - 128, 0, 256, 0, 2 },	   /* half in RAM */
		{ TX_RING, 1, 256, 0, 2 },	   /* nowhere */
		{ TX_RING, 0, 0, 0, 2 },	   /* none */
		{ TX_RING, 0, 256, 0, 16 },	   /* a tail behind it */
		{ TX_RING, 0, 256, 0xffff, 2 },	   /* a head behind it */
		{ 0xfffffff0, 0xffffffff, 0xfff80, 0, 2 },
	};
	struct bench *bench = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned ring = RDBAL; ring <= TDBAL; ring += TDBAL - RDBAL) {
			set(bench, ring, rows[i].low);
			set(bench, ring + 4, rows[i].high);
			set(bench, ring + 8, rows[i].length);
			set(bench, ring + HEAD, rows[i].head);
			set(bench, ring + TAIL, rows[i].tail);
		}
		settle(&bench->loop);
		hear(bench, 60);
	}
	assert_int_equal(bench->peer.count, 0);
	assert_int_equal(drops(bench, NET_DROP_NO_BUFFER), ARRAY_SIZE(rows));
}

static void test_bad_frames(void **state)
{
	struct bench *bench = *state;
	uint32_t size = make_tcp(at(bench, TX_DATA), false, 100);

	/* In no RAM; too long; too short. */
	put_descriptor(bench, RAM - 10, 60 | END, 0);
	put_descriptor(bench, TX_DATA, 0xfffff | EXTENDED | DATA | END, 0);
	put_descriptor(bench, TX_DATA, 65000 | EXTENDED | DATA, 0);
	put_descriptor(bench, TX_DATA, 65000 | EXTENDED | DATA | END, 0);
	put_descriptor(bench, TX_DATA, 10 | END | VLE, 0);
	send_all(bench);
	assert_int_equal(bench->peer.count, 0);
	assert_int_equal(drops(bench, NET_DROP_SHORT), 1);
	/* Headers that are not where the context says, no segment size, a checksum before its start. */
	context(bench, 14, 200, 216, true, true, 220, 100);
	put_descriptor(bench, TX_DATA, size | EXTENDED | DATA | TSE | END, TXSM);
	context(bench, 14, 34, 50, true, true, 54, 0);
	put_descriptor(bench, TX_DATA, size | EXTENDED | DATA | TSE | END, TXSM);
	context(bench, 255, 34, 20, true, false, 54, 0);
	put_descriptor(bench, TX_DATA, size | EXTENDED | DATA | END, TXSM | IXSM);
	send_all(bench);
	assert_int_equal(bench->peer.count, 0);
	assert_int_equal(drops(bench, NET_DROP_BAD_OFFLOAD), 3);
	/* A buffer that is not RAM, or at no address. */
	bench->given = 0;
	give(bench, 2, 2);
	memset(at(bench, RX_RING), 0, 8);
	hear(bench, 60);
	memset(at(bench, RX_RING), 0xff, 8);
	hear(bench, 60);
	assert_int_equal(drops(bench, NET_DROP_NO_BUFFER), 2);
	assert_int_equal(get(bench, RDBAL + HEAD), 0);
}

/* Frames and contexts without end do not hold the thread, nor what comes behind them. */
static void test_endless(void **state)
{
	struct bench *bench = *state;
	const uint32_t count = 0xfff80 / 16;
	struct guest_memory more;
	struct cause cause;
	uint32_t *ring;

	assert_int_equal(memory_create(&more, 4u << 20, &cause), 0);
	bench->nic.memory = &more;
	ring = memory_at(&more, 0, 0xfff80);
	for (unsigned kind = 0; kind < 2; kind++) {
		for (uint32_t i = 0; i < count; i++)
			ring[4 * i + 2] = kind ? EXTENDED : 0; /* contexts; parts of no length */
		make_tcp(memory_at(&more, 0x200000, 2000), false, 100);
		ring[4 * (count - 3) + 2] = END;
		ring[4 * (count - 2)] = 0x200000;
		ring[4 * (count - 2) + 2] = 154 | END;
		set(bench, TDBAL, 0);
		set(bench, TDBAL + 8, 0xfff80);
		set(bench, TDBAL + HEAD, 0);
		set(bench, TDBAL + TAIL, count - 1);
		for (unsigned i = 0; i < 100 && get(bench, TDBAL + HEAD) != count - 1; i++)
			settle(&bench->loop);
		assert_int_equal(get(bench, TDBAL + HEAD), count - 1);
		assert_int_equal(bench->peer.count, kind + 1);
	}
	/* One whose end never comes is forgotten with its ring. */
	for (uint32_t i = 0; i < count; i++)
		ring[4 * i + 2] = 0;
	set(bench, TDBAL + HEAD, 0);
	set(bench, TDBAL + TAIL, count - 1);
	for (unsigned i = 0; i < 100 && get(bench, TDBAL + HEAD) != count - 1; i++)
		settle(&bench->loop);
	assert_int_equal(get(bench, TDBAL + HEAD), count - 1);
	ring[2] = 154 | END;
	ring[0] = 0x200000;
	set(bench, TDBAL + HEAD, 0);
	set(bench, TDBAL + TAIL, 1);
	settle(&bench->loop);
	assert_int_equal(bench->peer.count, 3);
	bench->nic.memory = &bench->memory;
	memory_destroy(&more);
}

/* A port that resets the NIC, as another CPU may, while that sends to it. */
static unsigned deliver_and_reset(void *backend, uint32_t from,
				  const struct net_frame *const *frames, unsigned count,
				  enum net_verdict *verdicts)
{
	(void)from;
	(void)frames;
	(void)verdicts;
	set(backend, CTRL, 0x04000000);
	return count;
}

static void no_flush(void *backend)
{
	(void)backend;
}

static void test_reset_in_a_burst(void **state)
{
	static const struct net_port_ops ops = { .deliver = deliver_and_reset, .flush = no_flush };
	struct net_port_config config = { .name = "c/net0", .kind = "guest" };
	struct bench *bench = *state;
	struct net_port *port;
	struct cause cause;
	uint32_t size;

	fake_mac(config.addresses[0].mac, 2);
	assert_int_equal(switch_port_add(&port, network_find_switch(bench->network, "lan"), &config,
					 &ops, bench, &cause), 0);
	size = make_tcp(at(bench, TX_DATA), false, 100);
	fake_mac(at(bench, TX_DATA), 2);
	put_descriptor(bench, TX_DATA, size | END | REPORT, 0);
	set(bench, TDBAL + TAIL, 1);
	settle(&bench->loop);
	assert_int_equal(at(bench, TX_RING + 12)[0], 0);
	assert_int_equal(get(bench, TDBAL + HEAD), 0);
	assert_int_equal(get(bench, ICR), 0);
	switch_port_remove(port);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_identity),
		TEST(test_ports),
		TEST(test_legacy_frame_in_parts),
		TEST(test_second_queue),
		TEST(test_checksums),
		TEST(test_segments),
		TEST(test_receive_legacy),
		TEST(test_receive_extended),
		TEST(test_receive_packet_split),
		TEST(test_vlan),
		TEST(test_filters),
		TEST(test_link),
		TEST(test_interrupt_line),
		TEST(test_pause_tells_of_frames),
		TEST(test_msix),
		TEST(test_msi),
		TEST(test_intervals),
		TEST(test_bad_rings),
		TEST(test_bad_frames),
		TEST(test_endless),
		TEST(test_reset_in_a_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
