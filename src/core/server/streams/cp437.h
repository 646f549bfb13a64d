/* Code page 437, what a VGA's own font shows. Pure. */
#ifndef CORE_SERVER_STREAMS_CP437_H
#define CORE_SERVER_STREAMS_CP437_H

#include <stdint.h>

/* The code point that looks like a character; always one that is printed, one column wide. */
uint16_t cp437_code_point(uint8_t code);

#endif
