/*
 * Wireshark's sharkd, which takes one packet apart in a process of its own, without network,
 * files or much memory, and has DISSECTOR_LIMIT for that. It is hostile: it reads what guests
 * sent. Screen thread only; nothing here waits.
 */
#ifndef TUI_UI_DISSECTOR_H
#define TUI_UI_DISSECTOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/clock.h"
#include "base/loop.h"

#define DISSECTOR_LIMIT (10 * NS_PER_S)

struct dissector;

struct dissector_ops {
	/*
	 * A line that it wrote, without its end. Other than 0: that was the last one that is wanted,
	 * and it is ended; the dissector is to be freed by its owner still.
	 */
	int (*line)(void *arg, const char *line, size_t size);

	/* It has ended, or is, before that; why is a part of a sentence, foreign text. */
	void (*failed)(void *arg, const char *why);
};

/*
 * Starts it for packet number frame, from 1 on, of a capture file of so many bytes, which are
 * copied. NULL with a cause, such as that it is not installed.
 */
struct dissector *dissector_start(struct loop *loop, const uint8_t *file, size_t size,
				  size_t frame, const struct dissector_ops *ops, void *arg,
				  struct cause *cause);

/* Ends it, if there is one; not inside its ops. */
void dissector_free(struct dissector *dissector);

#endif
