/*
 * What is typed on a guest's keyboard, on its way there by screen.type: a keyboard takes
 * few keys at a time, so that the rest waits here. On a base loop, whose thread it is.
 */
#ifndef CONTROL_TYPING_H
#define CONTROL_TYPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "control/client.h"

#define TYPING_MAX 4096

struct typing {
	struct client *client;
	struct loop *loop;
	const char *guest; /* the caller's, valid as long as this */
	/* Some was lost, or none is any more; or NULL. */
	void (*changed)(void *arg);
	void *arg;
	struct loop_timer again;
	uint64_t delay; /* ns, until it is tried again */
	bool asked;	/* an answer is awaited */
	size_t lost;	/* bytes that found no room since the guest took some */
	size_t size;
	char text[TYPING_MAX + 1];
};

/* Begins, with client, loop, guest, changed and arg set and all else zero. */
void typing_begin(struct typing *typing);

/*
 * Types what a terminal sent. A key's sequence may come in two pieces, so that one that is
 * not whole waits a moment. What no keyboard has is passed over: all beyond ASCII.
 */
void typing_add(struct typing *typing, const char *text, size_t size);

#define SYSRQ_TEXT 16

/*
 * Spells a Magic SysRq key of Linux, one character of ASCII that is no blank, for a keyboard.
 * false: it is none.
 */
bool sysrq_spell(char out[SYSRQ_TEXT], const char *key);

/* Forgets what waits. The client is still there, or was freed before. */
void typing_end(struct typing *typing);

#endif
