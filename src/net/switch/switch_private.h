/*
 * What the files of the switch share. Nobody else includes this.
 *
 * network->lock guards the lists of switches and ports and is never taken on
 * a frame's way. It may be held while waiting for senders, so nothing that a
 * deliver() waits for may wait for it.
 */
#ifndef NET_SWITCH_SWITCH_PRIVATE_H
#define NET_SWITCH_SWITCH_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/capture/capture_private.h"
#include "net/port/own.h"
#include "net/switch/mac_table.h"
#include "net/switch/offload.h"
#include "net/switch/switch.h"

#define CACHE_LINE 64

/* Aligned, so that no two ports share a cache line. */
struct net_port {
	/* Written by the thread that sends from this port. */
	_Atomic uint64_t reading; /* odd: inside switch_input() */
	struct mac_hint hint;
	_Atomic uint64_t rx_frames, rx_bytes;
	_Atomic uint64_t sent_drops[NET_VERDICT_COUNT];
	struct offload_scratch *scratch; /* from the first offload to resolve on */

	/* Written by those who send to it. */
	_Alignas(CACHE_LINE) _Atomic uint64_t tx_frames;
	_Atomic uint64_t tx_bytes;
	_Atomic uint64_t refused[NET_VERDICT_COUNT]; /* by its deliver() */

	/* Written rarely. */
	_Alignas(CACHE_LINE) struct net_port_ops ops;
	void *backend;
	struct net_switch *sw;
	uint64_t configured; /* its address as mac_load() has it; 0: unknown */
	struct capture_tap *tap;
	uint32_t slot;
	_Atomic uint32_t accepts;
	uint8_t mac[NET_MAC_SIZE];
	char name[NET_PORT_NAME_MAX];
};

/* What must be unique of a port, together for all of them: looking through them is quick. */
struct port_identity {
	uint64_t address; /* as configured, or 0 */
	uint64_t name;	  /* a hash */
};

struct net_switch {
	struct switch_config config;
	struct network *network;
	struct net_switch *next;
	struct uplink_port *uplink;
	struct capture_switch captured;
	struct mac_table macs;
	_Atomic uint32_t bound; /* places in use are below it */
	_Atomic(struct net_port *) ports[NET_PORTS_MAX];
	struct port_identity identities[NET_PORTS_MAX]; /* of ports; others are stale */
};

struct network {
	pthread_mutex_t lock;
	struct net_switch *switches;
	struct capture_hub *capture;
	struct uplink *uplink; /* made with the first switch that has an address */
};

#endif
