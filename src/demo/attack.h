/*
 * A hostile guest's attacks: words of one command, a step at a time.
 */
#ifndef DEMO_ATTACK_H
#define DEMO_ATTACK_H

#include "lib.h"

/* One that runs. */
struct attack {
	uint32_t target;     /* whom it is for: an address, by default the gateway's; 0: none */
	uint8_t mac[6];      /* of the next hop to it */
	uint32_t chance;     /* of random_next() */
	uint64_t step;       /* steps that were taken */
};

/* One row. */
struct attack_word {
	const char *word, *help;
	const char *unit;	/* what it counts */
	bool network;		/* it needs the target's MAC, and a network */
	bool (*begin)(struct attack *attack); /* may be NULL; false: it cannot be, which was said */
	unsigned (*step)(struct attack *attack); /* does a little; how many, 0: no room now */
	void (*end)(struct attack *attack);	 /* may be NULL */
};

static inline uint32_t attack_pick(struct attack *attack, uint32_t limit)
{
	return random_next(&attack->chance) % limit;
}

/* attack_net.c */
bool attack_forged_begin(struct attack *attack);
unsigned attack_fragments(struct attack *attack);
unsigned attack_urgent(struct attack *attack);
unsigned attack_options(struct attack *attack);
unsigned attack_udp(struct attack *attack);
unsigned attack_icmp(struct attack *attack);
unsigned attack_tcp(struct attack *attack);
unsigned attack_forged(struct attack *attack);
unsigned attack_dhcp(struct attack *attack);
bool attack_jumbo_begin(struct attack *attack);
unsigned attack_jumbo(struct attack *attack);
void attack_jumbo_end(struct attack *attack);

/* attack_console.c */
unsigned attack_console(struct attack *attack);
unsigned attack_prints(struct attack *attack);
void attack_console_end(struct attack *attack);

/* attack_machine.c */
unsigned attack_ports(struct attack *attack);
bool attack_device_begin(struct attack *attack);
unsigned attack_mmio(struct attack *attack);
unsigned attack_nowhere(struct attack *attack);
unsigned attack_halts(struct attack *attack);
unsigned attack_kicks(struct attack *attack);
unsigned attack_bars(struct attack *attack);
unsigned attack_masks(struct attack *attack);
unsigned attack_resets(struct attack *attack);

#endif
