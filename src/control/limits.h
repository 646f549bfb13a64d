/*
 * What JSON may hold, found out over its bytes before any of it is parsed: a
 * parser allocates for every value, and as deep as the text nests. Any thread.
 */
#ifndef CONTROL_LIMITS_H
#define CONTROL_LIMITS_H

#include <stddef.h>

#include "base/cause.h"

struct json_limits {
	unsigned depth;	 /* arrays and objects inside each other, the outermost included */
	unsigned values; /* of any kind, and the names of members */
	size_t string;	 /* bytes of a string as it is written, without its quotes */
	size_t number;	 /* bytes of a number, or of a word that stands for a value */
};

/*
 * Whether text stays within limits; one pass, no allocation. It need not be JSON: a parser
 * that stops at the first mistake has met no more than what was counted. 0, or -E2BIG with
 * what there is too much of and at which byte, from 1.
 */
int json_limits_check(const struct json_limits *limits, const char *text, size_t size,
		      struct cause *cause);

#endif
