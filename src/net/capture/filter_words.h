/*
 * The words of packet filters, pcap-filter(7) expressions that name no hosts.
 * libpcap resolves names while it compiles, which may ask a name server and
 * block; so an expression is read first, word by word, and only one whose every
 * word is a keyword, a number or an address goes on to libpcap. Common services
 * ("port https") are replaced by their numbers. Any thread.
 */
#ifndef NET_CAPTURE_FILTER_WORDS_H
#define NET_CAPTURE_FILTER_WORDS_H

#include <stddef.h>

#include "base/cause.h"

#define FILTER_TEXT_MAX 4096u /* bytes of an expression */
#define FILTER_REWRITTEN_MAX (4 * FILTER_TEXT_MAX) /* and of what it becomes, with the zero */
#define FILTER_WORDS_MAX 512u
#define FILTER_DEPTH_MAX 32u /* of parentheses */

/*
 * What goes on to libpcap: expression in other words, at most room bytes with
 * the zero. 0, or -EINVAL with a cause that names the word, or the bound.
 */
int filter_rewrite(char *out, size_t room, const char *expression, struct cause *cause);

#endif
