/* What the keys of a terminal send to a guest: xterm's, without modifyOtherKeys. Pure. */
#ifndef TUI_CONSOLE_KEY_SEQUENCE_H
#define TUI_CONSOLE_KEY_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <wchar.h>

#define KEY_SEQUENCE_MAX 16

/*
 * The bytes of a key: a character, or (special) a KEY_* of curses; how many, 0 if it
 * sends nothing. cursor_keys: the guest asked for those of applications (DECCKM).
 */
size_t key_sequence(char out[KEY_SEQUENCE_MAX], wint_t key, bool special, bool cursor_keys);

/*
 * Keys with Shift, Alt and Ctrl, for curses to know: the n-th one's code, which
 * key_sequence() takes for a special key, and what xterm sends for it, as a string. *code
 * is 0 where there is no such key; false behind the last one.
 */
bool key_sequence_modified(unsigned n, int *code, char out[KEY_SEQUENCE_MAX]);

#endif
