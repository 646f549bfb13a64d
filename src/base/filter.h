/*
 * Packet filters as they run: programs of the BSD packet filter, compiled in a
 * process of their own (filter_compiler.h), checked here, and run on each
 * packet. Any thread.
 */
#ifndef BASE_FILTER_H
#define BASE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cause.h"

#define FILTER_INSNS_MAX 4096u

/* As struct bpf_insn of libpcap and struct sock_filter of Linux. */
struct filter_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/* All zero: everything matches. */
struct filter {
	struct filter_insn *insns;
	uint32_t count;
	bool memory; /* it uses the scratch memory */
};

/*
 * Copies a program that came from outside, if it can be run whatever packet comes: 1 to
 * FILTER_INSNS_MAX instructions, each known, that end in a return, with no jump out of it.
 * 0, -EINVAL or -ENOMEM with a cause.
 */
int filter_set(struct filter *filter, const struct filter_insn *insns, uint32_t count,
	       struct cause *cause);
void filter_free(struct filter *filter); /* leaves one that matches everything */

/*
 * Whether a frame of size bytes, the first captured of which are in data, matches. A packet
 * that ends before what is looked at does not.
 */
bool filter_match(const struct filter *filter, const uint8_t *data, uint32_t captured,
		  uint32_t size);

#define FILTER_WINDOW 60u /* bytes of the shortest frames on a wire */

/*
 * What a filter said of a packet and which of its first bytes that hung on: one with the same
 * bytes there gets the same answer, without a run. All zero: nothing is known.
 */
struct filter_memo {
	uint64_t bytes; /* bit i: byte i was looked at */
	uint8_t data[FILTER_WINDOW];
	bool known, match;
};

/*
 * Whether it may match, if data is no more than its head: false only if that is sure. filter is
 * not one that matches everything, and the memo is of it.
 */
bool filter_may_match(const struct filter *filter, const uint8_t *data, uint32_t captured,
		      uint32_t size, struct filter_memo *memo);

#endif
