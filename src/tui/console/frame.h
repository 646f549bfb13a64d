/*
 * What passes between the screen and the process that emulates a terminal:
 * records on their channel. Both sides check what they take.
 */
#ifndef TUI_CONSOLE_FRAME_H
#define TUI_CONSOLE_FRAME_H

#include <stdint.h>

/* Marks of records to the process. */
enum {
	TO_TERMINAL_NEW,    /* struct terminal_size: forgets the one before */
	TO_TERMINAL_RESIZE, /* struct terminal_size */
	TO_TERMINAL_BACK,   /* uint32_t: shows that many lines above the last ones */
	TO_TERMINAL_DRAWN,  /* uint32_t: the number of a frame; the grid may be written to again */
	TO_TERMINAL_BYTES,  /* what the guest printed */
	TO_TERMINAL_OLD,    /* likewise, a while ago: nothing answers it */
};

/* Marks of records from it. */
enum {
	FROM_TERMINAL_FRAME,  /* struct frame: the grid is written, and stays until it was drawn */
	FROM_TERMINAL_ANSWER, /* bytes for the guest: reports that it asked for */
};

#define TERMINAL_PIECE_MAX 1024 /* bytes of a guest's, or for it, in a record */

struct terminal_size {
	uint32_t terminal; /* counts those that were made, from 1 on */
	uint32_t rows, columns;
};

enum {
	FRAME_CURSOR = 1,	 /* it is to be seen */
	FRAME_ALTERNATE = 2,	 /* a full-screen program has switched to the other screen */
	FRAME_CURSOR_KEYS = 4,	 /* DECCKM: they send what is for applications */
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
