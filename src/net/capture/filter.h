/*
 * Packet filters: pcap-filter(7) expressions, compiled by libpcap, that name
 * no hosts. libpcap resolves names while it compiles, which may ask a name
 * server and block; so an expression is read first, word by word, and only
 * one whose every word is a keyword, a number or an address reaches libpcap.
 * Common services ("port https") are replaced by their numbers.
 */
#ifndef NET_CAPTURE_FILTER_H
#define NET_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <pcap/pcap.h>

#include "base/cause.h"

#define FILTER_TEXT_MAX 4096u

struct filter {
	struct bpf_program program; /* no instructions: everything matches */
	u_int (*run)(const struct bpf_insn *, const u_char *, u_int, u_int); /* bpf_filter() */
};

/*
 * 0, or -EINVAL, -ELIBACC (no libpcap) with a cause. Any thread; blocks for no longer than
 * the compiler takes.
 */
int filter_compile(struct filter *filter, const char *expression, struct cause *cause);
void filter_free(struct filter *filter); /* valid on a zeroed one */

/* Whether a frame of size bytes, the first captured of which are in data, matches. Any thread. */
static inline bool filter_match(const struct filter *filter, const uint8_t *data, uint32_t captured,
				uint32_t size)
{
	return !filter->program.bf_insns ||
	       filter->run(filter->program.bf_insns, data, size, captured);
}

/*
 * What reaches libpcap: expression in other words, at most room bytes with the
 * zero. 0, or -EINVAL with a cause that names the word. For the tests, too.
 */
int filter_rewrite(char *out, size_t room, const char *expression, struct cause *cause);

#endif
