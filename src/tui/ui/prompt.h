/*
 * A question on the message line: one of several keys, or a line of text.
 * Screen thread only.
 */
#ifndef TUI_UI_PROMPT_H
#define TUI_UI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#include "tui/canvas/draw.h"

#define PROMPT_TEXT 2048

/* A key that answers a question; the last one is 0, for any other key. */
struct choice {
	char key;
	const char *does; /* "force it off" */
};

struct prompt;

/* What a line of text has above it, and keys of its own. */
struct prompt_above {
	int (*rows)(void *arg, int room);
	void (*draw)(void *arg, struct rect rect);
	bool (*key)(void *arg, wint_t key, bool special); /* false: the line's */
	void (*changed)(void *arg);			  /* the line, or the cursor's place */
	const struct prompt_hint {
		const char *label, *does;
	} *hints; /* keys for the footer, ended by one without a label */
};

struct prompt {
	bool active;
	bool drawn; /* since it was asked, or it need not be */
	char question[768];
	size_t choices_at; /* where in it they are named */
	const struct choice *choices; /* keys that answer, or NULL: a line of text */
	int also; /* another key, or KEY_* of curses, that answers as also_choice does; or 0 */
	char also_choice;
	void (*answer)(void *arg, int choice, const char *text);
	void (*typed)(void *arg, const char *text); /* after each change of a line, or NULL */
	void *arg;
	bool hidden; /* the line is a secret, and is drawn as asterisks */
	wchar_t line[PROMPT_TEXT / 4];
	size_t length, cursor;
	const struct prompt_above *above; /* or NULL */
	void *above_arg;
};

/*
 * Asks for one of the choices, which are named behind the question; answer gets
 * its key, or 0 after Esc or any other key, which is to be harmless. text is NULL.
 */
void prompt_ask(struct prompt *prompt, const struct choice *choices,
		void (*answer)(void *arg, int choice, const char *text), void *arg,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Right behind prompt_ask(): has another key, or KEY_* of curses, answer as that of a choice. */
void prompt_also(struct prompt *prompt, int key, char choice);

/* Right behind prompt_ask(), of what changes only what is shown: a key that was typed ahead counts. */
void prompt_ahead(struct prompt *prompt);

/* Asks for a line, which begins as initial; answer gets it as text, or NULL after Esc. */
void prompt_line(struct prompt *prompt, const char *initial,
		 void (*answer)(void *arg, int choice, const char *text), void *arg,
		 const char *question);

/* Right behind prompt_line(): calls typed with the line, and the arg of answer, as it changes. */
void prompt_live(struct prompt *prompt, void (*typed)(void *arg, const char *text));

/* Gives the line something above it, until it is answered. */
void prompt_above(struct prompt *prompt, const struct prompt_above *above, void *arg);

/* The line as UTF-8, up to the cursor, and all of it; and another one in its place. */
void prompt_text(const struct prompt *prompt, bool whole, char out[PROMPT_TEXT]);
void prompt_replace(struct prompt *prompt, const char *text);

/* The same for a passphrase, of which nothing is left after answer. */
void prompt_secret(struct prompt *prompt, void (*answer)(void *arg, int choice, const char *text),
		   void *arg, const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * A key; special says that it is a KEY_* of curses. One of several keys does not count that
 * was typed before its question was drawn.
 */
void prompt_key(struct prompt *prompt, wint_t key, bool special);

/* The rows that it takes of those above reserved ones; 0 without one. */
int prompt_rows(const struct prompt *prompt, int reserved);

/* Draws it at the bottom of the screen, above reserved rows. */
void prompt_draw(struct prompt *prompt, int reserved);

#endif
