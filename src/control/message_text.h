/* Text as JSON and JSON as text: the door of base/plain.h for what is JSON. Any thread. */
#ifndef CONTROL_MESSAGE_TEXT_H
#define CONTROL_MESSAGE_TEXT_H

#include <jansson.h>
#include <stddef.h>

/*
 * A JSON string of text that may not be UTF-8 (a guest printed it, a file system
 * holds it): what is not becomes U+FFFD. NULL text is JSON's null. No other way leads into
 * JSON: one that fails for a byte takes the answer with it (tests/include-check).
 */
json_t *message_text(const char *text);

/*
 * JSON text, malloc'd and with a zero behind it, its bytes in *size. What steers a terminal
 * is spelled with escapes (\u009b), so that the text can be shown and loses nothing. flags
 * are Jansson's; numbers have at most 9 digits. NULL when memory is short.
 */
char *message_dump(const json_t *value, size_t flags, size_t *size);

#endif
