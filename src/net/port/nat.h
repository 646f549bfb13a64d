/*
 * NAT for one switch, by libslirp: guests reach what this process can reach,
 * without root, and services on the host's loopback by the switch's address.
 * IPv4 only. All functions are for the loop's thread, and all instances of a
 * process share that thread: libslirp keeps its clock and DNS cache per process.
 */
#ifndef NET_PORT_NAT_H
#define NET_PORT_NAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/loop.h"

struct nat;

/* Addresses in host byte order. */
struct nat_config {
	uint32_t address; /* the gateway; on the host, loopback */
	uint32_t dns;     /* passes DNS on to the host's resolver */
	uint8_t prefix;
	/* A frame for the network, valid during the call; and the end of a burst of them. */
	void (*send)(void *arg, const uint8_t *frame, size_t size);
	void (*sent)(void *arg);
	void *arg;
};

int nat_new(struct nat **out, struct loop *loop, const struct nat_config *config,
	    struct cause *cause);
void nat_free(struct nat *nat); /* NULL is valid */

/* A burst of frames that nat_guard() let pass: begin, any number of them, end. */
void nat_begin(struct nat *nat);
void nat_input(struct nat *nat, const uint8_t *frame, size_t size);
void nat_end(struct nat *nat);

#endif
