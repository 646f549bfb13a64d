/* The terminal's clipboard. Screen thread only. */
#ifndef TUI_CANVAS_CLIPBOARD_H
#define TUI_CANVAS_CLIPBOARD_H

#include <stddef.h>

#include "tui/canvas/terminal.h"

#define CLIPBOARD_MAX (48u << 10) /* bytes: xterm takes 64 KiB once they are encoded */

/*
 * Hands the terminal what is to be in its clipboard, by OSC 52 (xterm's ctlseqs): size bytes, at
 * most CLIPBOARD_MAX. Whether it takes them cannot be seen, and is a setting of many. false: it is
 * of a type that would show them instead, and got nothing.
 */
bool clipboard_set(const struct terminal *terminal, const char *text, size_t size);

/* Bytes in base64 (RFC 4648, section 4); out has room for clipboard_encoded(size) + 1. */
void clipboard_encode(const char *text, size_t size, char *out);

static inline size_t clipboard_encoded(size_t size)
{
	return (size + 2) / 3 * 4;
}

#endif
