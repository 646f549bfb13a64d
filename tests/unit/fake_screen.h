/*
 * A screen without a terminal, with one deck whose server is the test: what it
 * was asked is read from fake_screen.server, and answered or not.
 */
#ifndef TESTS_UNIT_FAKE_SCREEN_H
#define TESTS_UNIT_FAKE_SCREEN_H

#include <jansson.h>
#include <stdbool.h>

#include "tui/ui/ui.h"

struct fake_screen {
	struct tui tui;
	int server; /* the other end of the deck's connection, non-blocking */
};

/* What screens are started with. */
extern struct tui_config fake_screen_config;

/* The views of the program, with keys; no capture runs, each console is refused: "Nobody answers." */
struct fake_screen *fake_screen_new(const struct keys *keys);
void fake_screen_free(struct fake_screen *screen);

/* A list of guests, {"guests":[]}, as if the server had sent it. */
void fake_screen_guests(struct fake_screen *screen, const char *list);

/*
 * A terminal of that size that nobody sees, to draw in; false and a sentence: there
 * is none, and the test is to be skipped. Once a program.
 */
bool fake_terminal_open(int rows, int columns, bool utf8);
void fake_terminal_close(void);

/* The next request that came, "packets.subscribe", with *id and *params (the caller's), or NULL. */
const char *fake_screen_asked(struct fake_screen *screen, json_int_t *id, json_t **params);

/* Waits for a request of the method, passing over others; its id. */
json_int_t fake_screen_wait(struct fake_screen *screen, const char *method);

/* Sends the answer to a request, {"path":"x"}, or a notification, and has the screen read it. */
void fake_screen_answer(struct fake_screen *screen, json_int_t id, const char *result);
void fake_screen_refuse(struct fake_screen *screen, json_int_t id, const char *name,
			const char *why); /* name: "ENOENT" */
void fake_screen_notify(struct fake_screen *screen, const char *method, const char *params);

#endif
