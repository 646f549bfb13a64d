/*
 * A small TCP.
 */
#ifndef DEMO_TCP_H
#define DEMO_TCP_H

#include "lib.h"

struct tcp;

struct tcp_counters {
	uint64_t retransmitted, opened, accepted, failed;
};

extern struct tcp_counters tcp_counters;

void tcp_input(uint32_t from, const uint8_t *segment, unsigned length);

/* Retransmits what is due; when to be called next. */
uint64_t tcp_timers(uint64_t now);

/* Connections to that port are accepted; progress() is called, between tasks, after each change. */
void tcp_listen(uint16_t port, void (*progress)(struct tcp *connection));

/* Connects; the task waits. NULL without success. */
struct tcp *tcp_connect(uint32_t ip, uint16_t port, uint64_t timeout);

/* Takes what there is room for; the number of bytes. */
unsigned tcp_write(struct tcp *connection, const void *data, unsigned length);

/* Takes what has come, at most length bytes. */
unsigned tcp_read(struct tcp *connection, void *data, unsigned length);

/* No more data has come and none will: the peer has closed, or the connection is broken. */
bool tcp_ended(const struct tcp *connection);
bool tcp_broken(const struct tcp *connection);

/* All that was written has been acknowledged. */
bool tcp_drained(const struct tcp *connection);

/* Closes our direction after what was written. */
void tcp_shutdown(struct tcp *connection);

/* Lets go of a connection; it is closed in the background. */
void tcp_close(struct tcp *connection);

/* A word of the owner's, 0 at first. */
uint64_t *tcp_word(struct tcp *connection, unsigned n);
#define TCP_WORDS 4

unsigned tcp_open_count(void);

#endif
