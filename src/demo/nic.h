/*
 * The network card, virtio-net: frames in and out.
 */
#ifndef DEMO_NIC_H
#define DEMO_NIC_H

#include "lib.h"

#define FRAME_MAX 1514u
#define FRAME_MIN 60u
#define JUMBO_MAX 65549u /* with the largest IPv4 packet in it */

struct nic_counters {
	uint64_t received, received_bytes, sent, sent_bytes, dropped; /* dropped: no room to send */
};

extern struct nic_counters nic_counters;
extern uint8_t nic_mac[6];

/* False when there is none. */
bool nic_setup(void);
bool nic_present(void);

/* For the fuzzer: the device (common 0: none), which the driver leaves alone from then on. */
struct virtio *nic_device(void);
void nic_give_up(void);

/* Hands received frames, at most a burst, to net_input(). True when some are left. */
bool nic_poll(void);

/* Whether there is room for a frame now; nothing is counted as dropped. */
bool nic_room(void);

/* Room for a frame to send, or NULL: dropped. Every successful call is followed by nic_send(). */
uint8_t *nic_frame(void);
void nic_send(unsigned length);

/* Lets the device see what was sent since the last call. */
void nic_flush(void);

/* Asks for an interrupt with the next frame; false when there is one already. */
bool nic_rest(void);

/*
 * Sends the same frame over and over from descriptors of its own: as many as
 * there are free, at most limit. The number sent.
 */
unsigned nic_flood(unsigned limit);

/*
 * Sets the frame that nic_flood() sends, of at most JUMBO_MAX bytes; waits until
 * the previous one has gone. tso_size is 0, or into what segments the device is to
 * cut it: it is TCP over IPv4 without options then. False when that cannot be.
 */
bool nic_flood_frame(const uint8_t *frame, unsigned length, unsigned tso_size);

/* Waits until the flood's frames have gone, or a while. */
void nic_flood_end(void);

/* Has the task wait until half of the ring is free again, or a millisecond. */
void nic_flood_wait(void);

#endif
