/*
 * NAT in a process of its own, one a switch: libslirp is fed by guests, and what
 * breaks it breaks this process alone. What it is told: see nat_channel.h.
 */
#ifndef NET_PORT_NAT_PROCESS_H
#define NET_PORT_NAT_PROCESS_H

#include "sandbox/sandbox.h"

extern const struct sandbox_kind nat_process;

#endif
