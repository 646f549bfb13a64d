/*
 * The table of learned addresses. See the header for who may call what.
 *
 * The rules of learning and ageing are those of IEEE 802.1Q §8.7 and §8.8.
 */
#include "net/switch/mac_table.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>

/*
 * An address is multiplied by an odd number modulo 2^48, which can be undone. The top of the
 * product chooses the window; the rest of it and the VLAN are in the entry, which so has room
 * for all of it.
 */
#define INDEX_BITS 13
#define WINDOW_BITS 9
#define REST_BITS (48 - WINDOW_BITS)
#define PORT_SHIFT (REST_BITS + 12)
#define ENTRY_ADDRESS ((1ull << PORT_SHIFT) - 1)
#define ENTRY_OWNED (1ull << 63)
#define ENTRY_PORT(entry) ((uint32_t)((entry) >> PORT_SHIFT & 0xfff) - 1)
#define VLAN_STEP 0x9e3779b97f4bull /* so that VLANs have their windows for one MAC */
/* One mapping: zeroed, windows on cache lines, and no page is touched before it is used. */
#define TABLE_SIZE (MAC_ENTRIES * (sizeof(uint64_t) + sizeof(uint32_t)))

_Static_assert(MAC_ENTRIES == 1u << INDEX_BITS, "the hash yields INDEX_BITS");
_Static_assert(MAC_ENTRIES / MAC_WINDOW == 1u << WINDOW_BITS, "windows");
_Static_assert(NET_PORTS_MAX < 0xfff && PORT_SHIFT + 12 <= 63, "a port fits an entry");

int mac_table_init(struct mac_table *table)
{
	uint8_t *memory = mmap(NULL, TABLE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	table->entries = (void *)memory;
	table->stamps = (void *)(memory + MAC_ENTRIES * sizeof(*table->entries));
	if (getrandom(&table->key, sizeof(table->key), GRND_NONBLOCK) != sizeof(table->key))
		table->key = (uintptr_t)table * 0x9e3779b97f4a7c15ull;
	table->key |= 1;
	/* Newton's iteration doubles the bits that are right: 3, 6, ..., 96. */
	table->inverse = table->key;
	for (unsigned i = 0; i < 5; i++)
		table->inverse *= 2 - table->key * table->inverse;
	return 0;
}

void mac_table_destroy(struct mac_table *table)
{
	if (table->entries)
		munmap(table->entries, TABLE_SIZE);
	table->entries = NULL;
	table->stamps = NULL;
}

static uint64_t entry_load(const struct mac_table *table, uint32_t index)
{
	return atomic_load_explicit(&table->entries[index], memory_order_relaxed);
}

/* Not seen for so long that a learned address is no more. */
static bool silent(const struct mac_table *table, uint32_t index, uint32_t now)
{
	uint32_t stamp = atomic_load_explicit(&table->stamps[index], memory_order_relaxed);

	return (int32_t)(now - stamp) > MAC_AGE_MAX;
}

static bool expired(const struct mac_table *table, uint32_t index, uint64_t entry, uint32_t now)
{
	return !(entry & ENTRY_OWNED) && silent(table, index, now);
}

/* The product; it is the MAC's again by its inverse. */
static uint64_t product_of(const struct mac_table *table, uint64_t mac)
{
	return (mac * table->key + MAC_VLAN(mac) * VLAN_STEP) & MAC_BITS;
}

/* What an entry has of the address. */
static uint64_t part_of(const struct mac_table *table, uint64_t mac)
{
	return (product_of(table, mac) & ((1ull << REST_BITS) - 1)) | MAC_VLAN(mac) << REST_BITS;
}

static uint64_t make_entry(const struct mac_table *table, uint64_t mac, uint32_t port)
{
	return part_of(table, mac) | (uint64_t)(port + 1) << PORT_SHIFT;
}

/* First index of the address's window. */
static uint32_t window_of(const struct mac_table *table, uint64_t mac)
{
	return (uint32_t)(product_of(table, mac) >> REST_BITS) * MAC_WINDOW;
}

/* The address of the entry at index. */
static uint64_t address_of(const struct mac_table *table, uint32_t index, uint64_t entry)
{
	uint64_t vlan = (entry & ENTRY_ADDRESS) >> REST_BITS;
	uint64_t product = (entry & ((1ull << REST_BITS) - 1)) |
			   (uint64_t)(index / MAC_WINDOW) << REST_BITS;

	return ((product - vlan * VLAN_STEP) * table->inverse & MAC_BITS) | vlan << 48;
}

uint32_t mac_table_find(const struct mac_table *table, uint64_t mac, uint32_t now)
{
	uint32_t first = window_of(table, mac);
	uint64_t part = part_of(table, mac);

	for (uint32_t i = first; i < first + MAC_WINDOW; i++) {
		uint64_t entry = entry_load(table, i);

		if ((entry & ENTRY_ADDRESS) == part && entry && !expired(table, i, entry, now))
			return ENTRY_PORT(entry);
	}
	return MAC_NONE;
}

/* Puts new (0: nothing) where old was, unless somebody was faster. */
static bool replace(struct mac_table *table, uint32_t index, uint64_t old, uint64_t new)
{
	/* In one order with find_owner()'s loads: of who learns and who owns one sees the other. */
	if (!atomic_compare_exchange_strong_explicit(&table->entries[index], &old, new,
						     memory_order_seq_cst, memory_order_relaxed))
		return false;
	if (old)
		atomic_fetch_sub_explicit(&table->learned[ENTRY_PORT(old)], 1,
					  memory_order_relaxed);
	if (new)
		atomic_fetch_add_explicit(&table->learned[ENTRY_PORT(new)], 1,
					  memory_order_relaxed);
	return true;
}

static bool is_at_limit(const struct mac_table *table, uint32_t port, bool own)
{
	/* Its own address is learned in each VLAN that it sends in. */
	uint32_t limit = own ? 0 : atomic_load_explicit(&table->limits[port], memory_order_relaxed);

	return atomic_load_explicit(&table->learned[port], memory_order_relaxed) >=
	       (limit ? limit : MAC_PER_PORT);
}

static bool port_is_full(struct mac_table *table, uint32_t port, bool own, uint32_t now)
{
	if (!is_at_limit(table, port, own))
		return false;
	/* Of two who send from one port, as when one is injected, one looks. */
	if (atomic_exchange_explicit(&table->swept[port], now, memory_order_relaxed) == now)
		return true;
	for (uint32_t i = 0; i < MAC_ENTRIES; i++) {
		uint64_t entry = entry_load(table, i);

		if (entry && ENTRY_PORT(entry) == port && expired(table, i, entry, now))
			replace(table, i, entry, 0);
	}
	return is_at_limit(table, port, own);
}

/*
 * The entry of the window that mac shall go into: its own if it has one, else
 * a free or expired one, else, for who will own it, one that is not owned.
 */
static uint32_t choose(const struct mac_table *table, uint64_t mac, bool owned, uint32_t now)
{
	uint32_t first = window_of(table, mac), best = MAC_NONE;
	uint64_t part = part_of(table, mac);
	int best_rank = 0;

	for (uint32_t i = first; i < first + MAC_WINDOW; i++) {
		uint64_t entry = entry_load(table, i);
		int rank = 0;

		if (entry && (entry & ENTRY_ADDRESS) == part)
			return i;
		if (!entry)
			rank = 3;
		else if (expired(table, i, entry, now))
			rank = 2;
		else if (owned && !(entry & ENTRY_OWNED))
			rank = 1;
		if (rank > best_rank) {
			best_rank = rank;
			best = i;
		}
	}
	return best;
}

/* The port that owns the address, in whatever VLAN it sends, or MAC_NONE. */
static uint32_t find_owner(const struct mac_table *table, uint64_t mac)
{
	uint32_t first = window_of(table, mac & MAC_BITS);
	uint64_t part = part_of(table, mac & MAC_BITS);

	for (uint32_t i = first; i < first + MAC_WINDOW; i++) {
		uint64_t entry = atomic_load_explicit(&table->entries[i], memory_order_seq_cst);

		if ((entry & ENTRY_ADDRESS) == part && entry & ENTRY_OWNED)
			return ENTRY_PORT(entry);
	}
	return MAC_NONE;
}

/* Takes out what was learned of a MAC, in all VLANs. */
static void unlearn(struct mac_table *table, uint64_t mac)
{
	for (uint32_t i = 0; i < MAC_ENTRIES; i++) {
		uint64_t entry;

		do
			entry = entry_load(table, i);
		while (entry && (address_of(table, i, entry) & MAC_BITS) == mac &&
		       !(entry & ENTRY_OWNED) && !replace(table, i, entry, 0));
	}
}

int mac_table_own(struct mac_table *table, uint64_t mac, uint32_t port, uint32_t now)
{
	uint64_t entry = make_entry(table, mac, port) | ENTRY_OWNED, old;
	uint32_t index, owner = find_owner(table, mac);

	if (owner != MAC_NONE)
		return owner == port ? 0 : -EEXIST;
	do {
		index = choose(table, mac, true, now);
		if (index == MAC_NONE)
			return -ENOSPC;
		old = entry_load(table, index);
	} while (!replace(table, index, old, entry));
	/* Not yet seen as a source. */
	atomic_store_explicit(&table->stamps[index], now - MAC_AGE_MAX - 1, memory_order_relaxed);
	unlearn(table, mac);
	return 0;
}

static void set_hint(struct mac_hint *hint, uint64_t mac, uint64_t entry, uint32_t index)
{
	hint->mac = mac;
	hint->entry = entry;
	hint->index = index;
}

/* Of one address a second: in a loop any will do, and nothing is kept of all of them. */
static void note_move(struct mac_flaps *flaps, uint64_t mac, uint32_t from, uint32_t to,
		      uint32_t now)
{
	if (atomic_load_explicit(&flaps->second, memory_order_relaxed) != now) {
		atomic_store_explicit(&flaps->second, now, memory_order_relaxed);
		atomic_store_explicit(&flaps->mac, mac, memory_order_relaxed);
		atomic_store_explicit(&flaps->count, 1, memory_order_relaxed);
	} else if (atomic_load_explicit(&flaps->mac, memory_order_relaxed) == mac &&
		   atomic_fetch_add_explicit(&flaps->count, 1, memory_order_relaxed) + 1 ==
			   MAC_FLAPS && flaps->tell) {
		flaps->tell(flaps->arg, mac, from, to);
	}
}

bool mac_table_learn_slow(struct mac_table *table, struct mac_hint *hint, uint64_t mac,
			  uint32_t port, uint32_t now)
{
	uint64_t entry = make_entry(table, mac, port), old;
	uint32_t index = choose(table, mac, false, now), owner = find_owner(table, mac);

	if (owner != MAC_NONE && owner != port)
		return false;
	if (index == MAC_NONE)
		return true;
	old = entry_load(table, index);
	if (owner == port && !MAC_VLAN(mac))
		entry |= ENTRY_OWNED;
	else if (old != entry && port_is_full(table, port, owner == port, now))
		return true;
	old = entry_load(table, index);
	if (old != entry && old & ENTRY_OWNED)
		return true; /* just given to somebody; the next frame learns of it */
	atomic_store_explicit(&table->stamps[index], now, memory_order_relaxed);
	if (old != entry && !replace(table, index, old, entry))
		return true; /* another port took the place; the next frame learns again */
	owner = find_owner(table, mac);
	if (owner != MAC_NONE && owner != port) {
		replace(table, index, entry, 0);
		return false;
	}
	if (old != entry && ((old ^ entry) & ENTRY_ADDRESS) == 0 && old && ENTRY_PORT(old) != port)
		note_move(&table->flaps, mac & MAC_BITS, ENTRY_PORT(old), port, now);
	set_hint(hint, mac, entry, index);
	return true;
}

void mac_table_forget(struct mac_table *table, uint32_t port)
{
	for (uint32_t i = 0; i < MAC_ENTRIES; i++) {
		uint64_t entry = entry_load(table, i);

		if (entry && ENTRY_PORT(entry) == port)
			replace(table, i, entry, 0);
	}
	atomic_store_explicit(&table->swept[port], 0, memory_order_relaxed);
}

bool mac_table_get(const struct mac_table *table, uint32_t index, uint32_t now, uint64_t *mac,
		   uint32_t *port, uint32_t *age)
{
	uint64_t entry = entry_load(table, index);
	int32_t seconds;

	if (!entry || silent(table, index, now))
		return false;
	seconds = (int32_t)(now -
			    atomic_load_explicit(&table->stamps[index], memory_order_relaxed));
	*mac = address_of(table, index, entry);
	*port = ENTRY_PORT(entry);
	*age = seconds > 0 ? (uint32_t)seconds : 0;
	return true;
}
