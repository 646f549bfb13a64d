/*
 * Which port has which address: a hash of fixed size, without locks.
 *
 * An address is a MAC in a VLAN. It has a window of 16 entries (two cache lines) to be
 * in. A learned address never evicts another that is alive, and a port holds at most
 * MAC_PER_PORT, so a guest that makes up source addresses hurts only itself.
 * An address that a port was given is that port's: it evicts what was learned,
 * does not age, and no other port can learn it. The hash is keyed at random, so
 * nobody can aim at a window.
 *
 * Any thread; mac_table_learn() and mac_table_forget() of one port are for one
 * thread at a time. Time is in whole seconds of any monotonic clock.
 */
#ifndef NET_SWITCH_MAC_TABLE_H
#define NET_SWITCH_MAC_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "net/frame/frame.h"

#define MAC_ENTRIES 8192u /* a power of two */
#define MAC_WINDOW 16u
#define MAC_PER_PORT 256u
#define MAC_AGE_MAX 300 /* seconds; IEEE 802.1Q's default */
#define MAC_NONE UINT32_MAX

/* An address that goes to and fro between ports: what there is of it in the running second. */
struct mac_flaps {
	_Atomic uint64_t mac; /* the first that moved in it */
	_Atomic uint32_t second, count;

	/*
	 * Told once in a second in which it has moved MAC_FLAPS times, from one port to another. On
	 * the sender's thread, within its call into the switch; it never waits. NULL: nobody is.
	 */
	void (*tell)(void *arg, uint64_t mac, uint32_t from, uint32_t to);
	void *arg;
};

#define MAC_FLAPS 32

struct mac_table {
	uint64_t key; /* odd */
	uint64_t inverse; /* of key */
	_Atomic uint64_t *entries; /* address, port + 1, owned; 0: free */
	_Atomic uint32_t *stamps;  /* when last seen as a source */
	_Atomic uint32_t learned[NET_PORTS_MAX]; /* entries of each port */
	_Atomic uint16_t limits[NET_PORTS_MAX];	 /* of them; 0: MAC_PER_PORT */
	_Atomic uint32_t swept[NET_PORTS_MAX];	 /* when it last looked for its expired entries */
	struct mac_flaps flaps;
};

/* Where a port's last source address is, so that its next frame need not search. */
struct mac_hint {
	uint64_t mac, entry;
	uint32_t index;
};

/* An address as a number, first byte lowest; bytes[0..7] must be readable. */
static inline uint64_t mac_load(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value & 0xffffffffffffull;
}

/* An address of a VLAN has that above the MAC; one of no VLAN is the MAC alone. */
#define MAC_BITS 0xffffffffffffull
#define MAC_VLAN(mac) ((mac) >> 48)

static inline uint64_t mac_in_vlan(uint64_t mac, uint32_t vlan)
{
	return mac | (uint64_t)vlan << 48;
}

static inline bool mac_is_group(uint64_t mac)
{
	return mac & 1;
}

/* The table is zeroed. 0 or -ENOMEM. */
int mac_table_init(struct mac_table *table);
void mac_table_destroy(struct mac_table *table); /* valid on a zeroed one */

/* The port that has the address, or MAC_NONE. */
uint32_t mac_table_find(const struct mac_table *table, uint64_t mac, uint32_t now);

/*
 * The port was given this MAC, which no other one may have as its source, in any VLAN. -EEXIST if another port owns it, -ENOSPC if
 * the entries where it could be are all owned. One thread at a time for all
 * ports.
 */
int mac_table_own(struct mac_table *table, uint64_t mac, uint32_t port, uint32_t now);

/* The part of mac_table_learn() that is not inlined. */
bool mac_table_learn_slow(struct mac_table *table, struct mac_hint *hint, uint64_t mac,
			  uint32_t port, uint32_t now);

/* port, whose hint it is, sent from mac, which is not 0. False: that is another port's own. */
static inline bool mac_table_learn(struct mac_table *table, struct mac_hint *hint, uint64_t mac,
				   uint32_t port, uint32_t now)
{
	if (hint->mac == mac && atomic_load_explicit(&table->entries[hint->index],
						     memory_order_relaxed) == hint->entry) {
		if (atomic_load_explicit(&table->stamps[hint->index], memory_order_relaxed) != now)
			atomic_store_explicit(&table->stamps[hint->index], now,
					      memory_order_relaxed);
		return true;
	}
	return mac_table_learn_slow(table, hint, mac, port, now);
}

/* Of the port no more are learned than that, up to MAC_PER_PORT; 0: so many. Any thread. */
static inline void mac_table_limit(struct mac_table *table, uint32_t port, unsigned limit)
{
	atomic_store_explicit(&table->limits[port], (uint16_t)limit, memory_order_relaxed);
}

/* Takes out all that leads to port. */
void mac_table_forget(struct mac_table *table, uint32_t port);

/* Entry index of the list: false unless it was a source of late. For index < MAC_ENTRIES. */
bool mac_table_get(const struct mac_table *table, uint32_t index, uint32_t now, uint64_t *mac,
		   uint32_t *port, uint32_t *age);

#endif
