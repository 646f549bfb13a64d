/*
 * A NIC as a port of a switch: Intel's 82574L (8086:10d3), after its datasheet.
 *
 * Registers are written on vCPU threads. What the guest sends goes into the switch on the
 * guest's I/O thread, which a doorbell wakes; what others send arrives on theirs, through
 * e1000e_port_ops. Received checksums are left to the driver, and the second receive queue
 * stays empty.
 *
 * Locks: e1000e.lock guards all but what the I/O thread does with a burst on its way out;
 * it is not held while frames are handed to the switch.
 */
#ifndef CORE_HW_E1000E_H
#define CORE_HW_E1000E_H

#include "base/loop.h"
#include "core/bus/pci.h"
#include "core/hw/e1000e_registers.h"
#include "core/kvm/memory.h"
#include "net/port/reserve.h"
#include "net/switch/switch.h"

#define E1000E_TX_QUEUES 2
#define E1000E_PHY_REGISTERS 32

/* Context descriptors that drivers left for what comes: of checksums, of segments. */
struct e1000e_contexts {
	uint64_t words[2][2];
};

/* What is saved of a NIC. */
struct __attribute__((packed)) e1000e_saved {
	struct pci_registers function;
	uint8_t mac[NET_MAC_SIZE];
	uint32_t registers[E1000E_WORDS];
	uint16_t phy[E1000E_PHY_REGISTERS];
	uint32_t io_address;
	uint8_t unplugged; /* 0 or 1: what the driver was told of its link */
	struct __attribute__((packed)) {
		uint64_t contexts[2][2];
		uint8_t skipping; /* 0 or 1 */
	} tx[E1000E_TX_QUEUES];
};

struct e1000e_tx {
	struct e1000e_contexts contexts;
	bool skipping;	     /* the rest of a frame that has too many parts */
	unsigned generation; /* another one: what was fetched of the ring is void */
};

/* Interrupts that have an interval of their own: the vectors, and the line or MSI. */
#define E1000E_LINE E1000E_VECTORS
#define E1000E_INTERVALS (E1000E_VECTORS + 1)

struct e1000e {
	struct pci_function function;
	const struct guest_memory *memory;
	struct loop *loop;
	struct net_port *port; /* NULL: it is in no switch */
	uint8_t mac[NET_MAC_SIZE];
	struct loop_task tx_task; /* there may be something to send */

	pthread_mutex_t lock;
	uint32_t reg[E1000E_WORDS];
	uint16_t phy[E1000E_PHY_REGISTERS];
	uint32_t io_address;
	bool master;	/* the function may use guest memory */
	bool paused;	/* by the machine */
	bool unplugged; /* from the switch */
	bool receiving; /* frames can be delivered */
	struct e1000e_tx tx[E1000E_TX_QUEUES];
	struct reserve reserve; /* of the receive queue */
	uint32_t rx_causes;	/* of interrupts, to be told at the end of a burst */

	uint32_t active; /* causes that are there and allowed, as of the last look */
	bool asserted;	 /* the driver has been told of them, by the line or MSI */
	uint32_t fire;	 /* messages to be sent when the lock has been given back */
	uint32_t held;	 /* interrupts whose interval is not over */
	uint64_t next[E1000E_INTERVALS]; /* when it is; CLOCK_MONOTONIC, ns; 0: any time */
	struct loop_task held_task;
	struct loop_timer held_timer;
};

/* Puts the NIC at PCI device number slot; it is paused. */
int e1000e_create(struct e1000e *nic, struct pci *pci, unsigned slot,
		  const struct guest_memory *memory, struct loop *loop,
		  const uint8_t mac[NET_MAC_SIZE], struct cause *cause);

/* What its port, nic->port, is to do, with the NIC as backend; after e1000e_create(). */
extern const struct net_port_ops e1000e_port_ops;

/*
 * While it is paused nothing is sent, and frames for it are dropped, and counted as link
 * down. I/O thread.
 */
void e1000e_pause(struct e1000e *nic, bool paused);

/* "running" or "idle": for the screen. Any thread. */
void e1000e_describe(struct e1000e *nic, char *text, size_t size);

/* It has left its switch, and no vCPU runs; valid when it was half created. */
void e1000e_destroy(struct e1000e *nic);

/* While it is paused. */
void e1000e_save(struct e1000e *nic, struct e1000e_saved *saved);
const char *e1000e_load(struct e1000e *nic, const struct e1000e_saved *saved);

#endif
