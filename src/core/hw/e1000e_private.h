/*
 * What the files of the 82574 share. Intel 82574 datasheet § 10.
 *
 * e1000e.c has the registers and the NIC's life; e1000e_registers.c the table of them;
 * e1000e_phy.c the PHY and the EEPROM; e1000e_interrupt.c causes, masks and messages;
 * e1000e_tx.c and e1000e_rx.c the rings; e1000e_count.c the statistics; e1000e_state.c
 * saves and loads. The lock is held in all calls unless it says otherwise.
 */
#ifndef CORE_HW_E1000E_PRIVATE_H
#define CORE_HW_E1000E_PRIVATE_H

#include "core/hw/e1000e.h"

#define CTRL_MASTER_OFF 0x00000004u
#define CTRL_RESET 0x04000000u
#define CTRL_VLAN_MODE 0x40000000u
#define CTRL_PHY_RESET 0x80000000u
#define CTRL_EXT_EIAME 0x01000000u
#define CTRL_EXT_IAME 0x08000000u
#define RCTL_ENABLE 0x00000002u
#define TCTL_ENABLE 0x00000002u

#define CAUSE_TXDW 0x00000001u	 /* transmit descriptor written back */
#define CAUSE_TXQE 0x00000002u	 /* transmit queue empty */
#define CAUSE_LSC 0x00000004u	 /* link status change */
#define CAUSE_RXDMT0 0x00000010u /* few receive descriptors left */
#define CAUSE_RXO 0x00000040u	 /* receive overrun */
#define CAUSE_RXT0 0x00000080u	 /* a frame was received */
#define CAUSE_MDAC 0x00000200u	 /* MDIC has done */
#define CAUSE_RXQ0 0x00100000u	 /* with MSI-X: queues */
#define CAUSE_TXQ0 0x00400000u
#define CAUSE_OTHER 0x01000000u
#define CAUSE_ASSERTED 0x80000000u

/* Bytes: the unit in which heads and tails count, in both directions. */
#define DESCRIPTOR_SIZE 16u

/* --- e1000e.c --- */

/* Whether the driver lets the device use guest memory. */
static inline bool e1000e_may_access(const struct e1000e *nic)
{
	return nic->master && !(nic->reg[REG_CTRL] & CTRL_MASTER_OFF);
}

/* Gives the lock back, then sends the messages that there are to be sent. */
void e1000e_unlock(struct e1000e *nic);

/* Whether frames can be delivered may have changed. */
void e1000e_update_receiving(struct e1000e *nic);

/* The ring at that address, of size bytes; NULL: there is none, or not in RAM. */
static inline void *e1000e_ring(const struct e1000e *nic, uint32_t low, uint32_t high,
				uint32_t size)
{
	return memory_at(nic->memory, (uint64_t)high << 32 | low, size);
}

/* --- e1000e_phy.c --- */

void e1000e_phy_reset(struct e1000e *nic);
bool e1000e_link_is_up(const struct e1000e *nic);
void e1000e_write_mdic(struct e1000e *nic, uint32_t value);
void e1000e_write_eerd(struct e1000e *nic, uint32_t value);

/* The bits of a PHY register that can differ from what it is after a reset. */
uint16_t e1000e_phy_bits(unsigned number);
uint16_t e1000e_phy_default(unsigned number);

/* The cable is in or out as it was not before. Lock held. */
void e1000e_tell_link(struct e1000e *nic);

/* e1000e_port_ops.link() */
void e1000e_set_link(void *backend, bool up);

/* --- e1000e_interrupt.c --- */

/* There are causes for an interrupt. */
void e1000e_raise(struct e1000e *nic, uint32_t causes);

uint32_t e1000e_read_icr(struct e1000e *nic);
void e1000e_write_icr(struct e1000e *nic, uint32_t value);
void e1000e_write_ims(struct e1000e *nic, uint32_t value);
void e1000e_write_imc(struct e1000e *nic, uint32_t value);

/* As after a reset, but for the registers. */
void e1000e_reset_interrupts(struct e1000e *nic);

/* What was told before a load may not have arrived: it is told again. */
void e1000e_interrupt_again(struct e1000e *nic);

/* The I/O thread, no lock held. */
void e1000e_open_interrupts(struct e1000e *nic);
void e1000e_close_interrupts(struct e1000e *nic);

/* --- e1000e_tx.c --- */

/* The task of sending: the I/O thread, no lock held. */
void e1000e_transmit(void *arg);

/* --- e1000e_rx.c --- */

/* Raises the causes that frames have left. */
void e1000e_tell_received(struct e1000e *nic);

/* --- e1000e_count.c --- */

/* Statistics, by their offsets from the first one, § 10.2.7. */
enum e1000e_count {
	COUNT_MPC = 0x10 / 4,	/* missed */
	COUNT_PRC64 = 0x5c / 4, /* received, by size */
	COUNT_GPRC = 0x74 / 4,
	COUNT_BPRC = 0x78 / 4,
	COUNT_MPRC = 0x7c / 4,
	COUNT_GPTC = 0x80 / 4,
	COUNT_GORC = 0x88 / 4, /* two words: bytes */
	COUNT_GOTC = 0x90 / 4, /* the same */
	COUNT_RNBC = 0xa0 / 4, /* no buffer */
	COUNT_ROC = 0xac / 4,	/* too long */
	COUNT_TOR = 0xc0 / 4,	/* two words */
	COUNT_TOT = 0xc8 / 4,	/* two words */
	COUNT_TPR = 0xd0 / 4,
	COUNT_TPT = 0xd4 / 4,
	COUNT_PTC64 = 0xd8 / 4,
	COUNT_MPTC = 0xf0 / 4,
	COUNT_BPTC = 0xf4 / 4,
	COUNT_IAC = 0x100 / 4, /* interrupts */
	COUNT_TSCTC = 0xf8 / 4, /* frames that were segmented */
};

void e1000e_count(struct e1000e *nic, enum e1000e_count which);

/* A frame that was received, by its address and its size without FCS. */
void e1000e_count_received(struct e1000e *nic, const uint8_t *head, uint32_t size);
void e1000e_count_sent(struct e1000e *nic, const struct net_frame *frame);

/* Reads one, which clears it; the number is from the first one. */
uint32_t e1000e_read_count(struct e1000e *nic, unsigned number);

#endif
