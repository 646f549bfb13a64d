/* Why a switch drops frames, in words for people. Pure. */
#ifndef TUI_MODEL_DROPS_H
#define TUI_MODEL_DROPS_H

#include <stdbool.h>

struct drop_reason {
	const char *name; /* of switch.list, "no buffer" */
	bool usual;	  /* part of how things are or were set up; nobody needs to do anything */
	const char *says;
};

/* What is known of a reason; NULL: nothing. */
const struct drop_reason *drop_reason(const char *name);

#endif
