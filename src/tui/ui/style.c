/* How states of guests and severities of messages look. Screen thread. */
#include "tui/ui/style.h"

unsigned style_state(enum guest_state state)
{
	static const unsigned styles[GUEST_STATE_COUNT] = {
		[GUEST_INVALID] = INK_BAD,
		[GUEST_DEFINED] = INK_TEXT | DRAW_DIM,
		[GUEST_STARTING] = INK_ACCENT,
		[GUEST_RUNNING] = INK_GOOD,
		[GUEST_PAUSED] = INK_WARN,
		[GUEST_STOPPING] = INK_WARN,
		[GUEST_STOPPED] = INK_TEXT | DRAW_DIM,
		[GUEST_CRASHED] = INK_BAD | DRAW_BOLD,
		[GUEST_FAILED] = INK_BAD,
	};

	return styles[state];
}

const char *style_state_sign(enum guest_state state)
{
	static const enum sign signs[GUEST_STATE_COUNT] = {
		[GUEST_INVALID] = SIGN_CROSS,  [GUEST_DEFINED] = SIGN_RING,
		[GUEST_STARTING] = SIGN_HALF,  [GUEST_RUNNING] = SIGN_DOT,
		[GUEST_PAUSED] = SIGN_PAUSE,   [GUEST_STOPPING] = SIGN_HALF,
		[GUEST_STOPPED] = SIGN_RING,   [GUEST_CRASHED] = SIGN_CROSS,
		[GUEST_FAILED] = SIGN_CROSS,
	};

	return draw_sign(signs[state]);
}

unsigned style_severity(enum severity severity)
{
	static const unsigned styles[] = {
		[SEVERITY_EVENT] = INK_TEXT, [SEVERITY_GOOD] = INK_GOOD,
		[SEVERITY_WARNING] = INK_WARN, [SEVERITY_ERROR] = INK_BAD,
	};

	return styles[severity];
}
