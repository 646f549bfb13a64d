/*
 * Numbers with their units, as the screen and the subcommands show them: sizes
 * in powers of 1024, rates and counts in powers of 1000. What guests receive is
 * "in" and what they send "out", what they read and write is so for them. Any thread.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

#define TEXT_NUMBER 16

/* "512M", "1.2G": bytes in powers of 1024. At most 5 characters. */
const char *text_size(char out[TEXT_NUMBER], double bytes);

/*
 * Reads "512M", "2g", "4096": a number and perhaps one of K, M, G and T. 0, -EINVAL for what is
 * none, -ERANGE with UINT64_MAX for one beyond that.
 */
int text_take_size(const char *text, uint64_t *bytes);

/* "34.5k", "999": counts in powers of 1000. At most 5 characters. */
const char *text_count(char out[TEXT_NUMBER], double count);

/* "35kB/s", "9.9MB/s": bytes a second in powers of 1000; "0" when there are none. At most 8. */
const char *text_rate(char out[TEXT_NUMBER], double rate);

/* "99.9", "250": percent without the sign. */
const char *text_percent(char out[TEXT_NUMBER], double percent);

/* "42s", "5m03s", "2h13m", "3d04h". */
const char *text_age(char out[TEXT_NUMBER], double seconds);

#endif
