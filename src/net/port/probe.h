/*
 * Frames by which a port of a switch finds that it is part of a loop: what goes out by one port
 * and comes in by one of the same switch. Pure but for the key; any thread.
 */
#ifndef NET_PORT_PROBE_H
#define NET_PORT_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/names.h"

#define PROBE_SIZE 102u

/* A broadcast frame, of IEEE 802's type for local experiments, from a port of a switch. */
void probe_write(uint8_t out[PROBE_SIZE], const char *sw, const char *port);

/*
 * Whether it is one from this process and that switch; then port is the one that it is from. It
 * has a key of the process, so nobody makes one up who has not seen one.
 */
bool probe_read(const uint8_t *frame, size_t size, const char *sw, char port[NAME_SIZE]);

#endif
