/*
 * What passes between the screen and the process that emulates a terminal:
 * records on their channel. Both sides check what they take.
 */
#ifndef TUI_CONSOLE_FRAME_H
#define TUI_CONSOLE_FRAME_H

#include <stdint.h>

#include "tui/console/find.h"

/* Marks of records to the process. */
enum {
	TO_TERMINAL_NEW,    /* struct terminal_size: forgets the one before */
	TO_TERMINAL_RESIZE, /* struct terminal_size */
	TO_TERMINAL_BACK,   /* uint32_t: shows that many lines above the last ones */
	TO_TERMINAL_DRAWN,  /* uint32_t: the number of a frame; the grid may be written to again */
	TO_TERMINAL_BYTES,  /* what the guest printed */
	TO_TERMINAL_OLD,    /* likewise, a while ago: nothing answers it */
	TO_TERMINAL_FIND,   /* struct terminal_find */
	TO_TERMINAL_MOUSE,  /* struct terminal_mouse */
};

/* Marks of records from it. */
enum {
	FROM_TERMINAL_FRAME,  /* struct frame: the grid is written, and stays until it was drawn */
	FROM_TERMINAL_ANSWER, /* bytes for the guest: reports that it asked for */
	FROM_TERMINAL_FOUND,  /* struct terminal_found: to each struct terminal_find */
};

#define TERMINAL_PIECE_MAX 1024 /* bytes of a guest's, or for it, in a record */

struct terminal_size {
	uint32_t terminal; /* counts those that were made, from 1 on */
	uint32_t rows, columns;
};

struct terminal_mouse {
	uint32_t row, column; /* of the screen */
	uint32_t button;      /* 1 to 3; of the wheel 4, up, and 5 */
	uint32_t pressed;     /* 0: released */
};

enum find_step {
	FIND_FIRST, /* the newest line that has the text */
	FIND_OLDER, /* the next one above the line that was found last */
	FIND_NEWER, /* or below it */
};

struct terminal_find {
	uint32_t number; /* from 1 on */
	uint32_t step;	 /* enum find_step */
	struct find_text text;
};

struct terminal_found {
	uint32_t number;
	uint32_t found; /* 0: there is no such line */
	uint32_t back;	/* lines to scroll back to, so that it is in sight, */
	uint32_t row;	/* and its row then */
};

enum {
	FRAME_CURSOR = 1,	 /* it is to be seen */
	FRAME_ALTERNATE = 2,	 /* a full-screen program has switched to the other screen */
	FRAME_CURSOR_KEYS = 4,	 /* DECCKM: they send what is for applications */
	FRAME_MOUSE = 8,	 /* the guest asks for the mouse */
};

struct frame {
	uint32_t number;   /* from 1 on */
	uint32_t terminal; /* that of struct terminal_size */
	uint32_t rows, columns;
	uint32_t row, column; /* of the cursor */
	uint32_t scrollback;  /* lines kept above the screen */
	uint32_t back;	      /* lines that the grid is above the last ones */
	uint32_t flags;	      /* FRAME_* */
};

#endif
