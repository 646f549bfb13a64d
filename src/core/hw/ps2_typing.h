/*
 * What people type, as keys of a keyboard with US layout. Pure.
 *
 * A key is its make code in scan code set 1, with PS2_EXTENDED one that comes after 0xe0.
 */
#ifndef CORE_HW_PS2_TYPING_H
#define CORE_HW_PS2_TYPING_H

#include <stddef.h>
#include <stdint.h>

#define PS2_EXTENDED 0x80u

enum { PS2_SHIFT = 1, PS2_ALT = 2, PS2_CTRL = 4, PS2_SYSRQ = 8 };

#define PS2_KEY_SHIFT 0x2a
#define PS2_KEY_ALT 0x38
#define PS2_KEY_CTRL 0x1d
#define PS2_KEY_SYSRQ 0x54 /* PrintScreen while Alt is held */

struct ps2_stroke {
	uint8_t key; /* 0: none, what was typed is not on the keyboard */
	uint8_t modifiers; /* PS2_*, held meanwhile */
};

/*
 * The first key of a text as a terminal sends it: UTF-8, control characters, escape sequences
 * of xterm and the Linux console. Returns how many bytes it is, 1 to size; size is not 0. An
 * escape character that begins nothing is the key Esc, or Alt with the character behind it.
 * Alt and PrintScreen, as the keyboard protocol of kitty has it (CSI 57361;3u), are held while
 * the character behind is struck, if there is one: Linux' Magic SysRq.
 */
size_t ps2_stroke(const uint8_t *text, size_t size, struct ps2_stroke *out);

#endif
