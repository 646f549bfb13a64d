/*
 * A keyboard with scan code sets 1 and 2. vCPU threads, and whoever types.
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboards". Keys are not held, so
 * that there is nothing to repeat, and there are no lights: both are set without effect.
 */
#include "core/hw/ps2_keyboard.h"

#include <string.h>

#include "base/checked.h"
#include "core/hw/ps2_typing.h"

enum {
	COMMAND_LIGHTS = 0xed,
	COMMAND_ECHO = 0xee,
	COMMAND_SET = 0xf0,
	COMMAND_IDENTIFY = 0xf2,
	COMMAND_REPEAT = 0xf3,
	COMMAND_ENABLE = 0xf4,
	COMMAND_DISABLE = 0xf5,
	COMMAND_DEFAULTS = 0xf6,
	COMMAND_RESEND = 0xfe,
	COMMAND_RESET = 0xff,
};

#define ACK 0xfa
#define REFUSED 0xfe
#define SELF_TEST_GOOD 0xaa
#define ID_FIRST 0xab
#define ID_SECOND 0x83

#define SET_STANDARD 2
#define PREFIX_EXTENDED 0xe0
#define PREFIX_RELEASED 0xf0
#define SET1_RELEASED 0x80
#define CODE_BYTES 3 /* the longest scan code */

/* Scan codes of set 2, by those of set 1. */
static const uint8_t set2[] = {
	0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66,
	0x0d, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14,
	0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a,
	0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05,
	0x06, 0x04, 0x0c, 0x03, 0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b,
	0x6b, 0x73, 0x74, 0x79, 0x69, 0x72, 0x7a, 0x70, 0x71, 0x84, 0x60, 0x61, 0x78, 0x07,
};

uint8_t ps2_translate(uint8_t value)
{
	/* No key's, but the answer to which set is used. */
	if (value == 0x02)
		return 0x41;
	for (unsigned i = 1; i < ARRAY_SIZE(set2); i++)
		if (set2[i] == value)
			return (uint8_t)i;
	return value;
}

/* The scan code of a key; returns its bytes. */
static unsigned scan_code(const struct ps2_keyboard *keyboard, uint8_t key, bool released,
			  uint8_t out[CODE_BYTES])
{
	uint8_t code = key & (uint8_t)~PS2_EXTENDED;
	unsigned n = 0;

	if (key & PS2_EXTENDED)
		out[n++] = PREFIX_EXTENDED;
	if (keyboard->set == 1) {
		out[n++] = released ? code | SET1_RELEASED : code;
		return n;
	}
	if (released)
		out[n++] = PREFIX_RELEASED;
	out[n++] = set2[code];
	return n;
}

static void reply(struct ps2_keyboard *keyboard, uint8_t value)
{
	keyboard->replies[keyboard->reply_count++] = value;
}

void ps2_keyboard_reset(struct ps2_keyboard *keyboard)
{
	memset(keyboard, 0, sizeof(*keyboard));
	keyboard->set = SET_STANDARD;
	keyboard->scanning = 1;
	keyboard->last = SELF_TEST_GOOD;
}

static void take_command(struct ps2_keyboard *keyboard, uint8_t value)
{
	switch (value) {
	case COMMAND_LIGHTS:
	case COMMAND_REPEAT:
	case COMMAND_SET:
		keyboard->command = value;
		reply(keyboard, ACK);
		break;
	case COMMAND_ECHO:
		reply(keyboard, COMMAND_ECHO);
		break;
	case COMMAND_IDENTIFY:
		reply(keyboard, ACK);
		reply(keyboard, ID_FIRST);
		reply(keyboard, ID_SECOND);
		break;
	case COMMAND_ENABLE:
	case COMMAND_DISABLE:
	case COMMAND_DEFAULTS:
		keyboard->scanning = value != COMMAND_DISABLE;
		if (value != COMMAND_ENABLE)
			keyboard->set = SET_STANDARD;
		reply(keyboard, ACK);
		break;
	case COMMAND_RESEND:
		reply(keyboard, keyboard->last);
		break;
	case COMMAND_RESET:
		ps2_keyboard_reset(keyboard);
		reply(keyboard, ACK);
		reply(keyboard, SELF_TEST_GOOD);
		break;
	default:
		reply(keyboard, REFUSED);
	}
}

static void take_data(struct ps2_keyboard *keyboard, uint8_t command, uint8_t value)
{
	if (command == COMMAND_SET && value > SET_STANDARD) {
		reply(keyboard, REFUSED);
		return;
	}
	reply(keyboard, ACK);
	if (command != COMMAND_SET)
		return;
	if (!value)
		reply(keyboard, keyboard->set);
	else
		keyboard->set = value;
	keyboard->given = 0;
}

void ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t value)
{
	uint8_t command = keyboard->command;

	keyboard->reply_count = 0;
	keyboard->command = 0;
	if (command && value < COMMAND_LIGHTS)
		take_data(keyboard, command, value);
	else
		take_command(keyboard, value);
}

static bool next_reply(struct ps2_keyboard *keyboard, uint8_t *value)
{
	if (!keyboard->reply_count)
		return false;
	*value = keyboard->replies[0];
	keyboard->reply_count--;
	memmove(keyboard->replies, keyboard->replies + 1, keyboard->reply_count);
	return true;
}

static bool next_key(struct ps2_keyboard *keyboard, uint8_t *value)
{
	uint8_t code[CODE_BYTES];
	unsigned n;

	if (!keyboard->key_count || !keyboard->scanning)
		return false;
	n = scan_code(keyboard, keyboard->keys[0], keyboard->released[0], code);
	*value = code[keyboard->given++];
	if (keyboard->given < n)
		return true;
	keyboard->given = 0;
	keyboard->key_count--;
	memmove(keyboard->keys, keyboard->keys + 1, keyboard->key_count);
	memmove(keyboard->released, keyboard->released + 1, keyboard->key_count);
	return true;
}

bool ps2_keyboard_read(struct ps2_keyboard *keyboard, uint8_t *value)
{
	if (!next_reply(keyboard, value) && !next_key(keyboard, value))
		return false;
	keyboard->last = *value;
	return true;
}

static void add(struct ps2_keyboard *keyboard, uint8_t key, bool released)
{
	keyboard->keys[keyboard->key_count] = key;
	keyboard->released[keyboard->key_count++] = released;
}

/* Bytes of what waits, as the longest of the sets has them after translation. */
static unsigned bytes_waiting(const struct ps2_keyboard *keyboard)
{
	unsigned bytes = keyboard->key_count;

	for (unsigned i = 0; i < keyboard->key_count; i++)
		bytes += keyboard->keys[i] & PS2_EXTENDED ? 1 : 0;
	return bytes;
}

/* False: there is no room. */
static bool strike(struct ps2_keyboard *keyboard, const struct ps2_stroke *stroke)
{
	static const struct {
		uint8_t modifier, key;
	} held[] = {
		{ PS2_CTRL, PS2_KEY_CTRL }, { PS2_ALT, PS2_KEY_ALT }, { PS2_SYSRQ, PS2_KEY_SYSRQ },
		{ PS2_SHIFT, PS2_KEY_SHIFT },
	};
	unsigned bytes = stroke->key & PS2_EXTENDED ? 4 : 2;

	for (unsigned i = 0; i < ARRAY_SIZE(held); i++)
		bytes += stroke->modifiers & held[i].modifier ? 2 : 0;
	if (bytes_waiting(keyboard) + bytes > PS2_BYTES_MAX)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(held); i++)
		if (stroke->modifiers & held[i].modifier)
			add(keyboard, held[i].key, false);
	add(keyboard, stroke->key, false);
	add(keyboard, stroke->key, true);
	for (unsigned i = ARRAY_SIZE(held); i--;)
		if (stroke->modifiers & held[i].modifier)
			add(keyboard, held[i].key, true);
	return true;
}

size_t ps2_keyboard_type(struct ps2_keyboard *keyboard, const uint8_t *text, size_t size)
{
	size_t taken = 0;

	while (taken < size) {
		struct ps2_stroke stroke;
		size_t n = ps2_stroke(text + taken, size - taken, &stroke);

		if (stroke.key && !strike(keyboard, &stroke))
			break;
		taken += n;
	}
	return taken;
}

bool ps2_keyboard_possible(const struct ps2_keyboard *keyboard)
{
	uint8_t code[CODE_BYTES];

	if (keyboard->reply_count > PS2_REPLIES || keyboard->key_count > PS2_BYTES_MAX ||
	    keyboard->set < 1 || keyboard->set > SET_STANDARD || keyboard->scanning > 1)
		return false;
	for (unsigned i = 0; i < keyboard->key_count; i++)
		if ((keyboard->keys[i] & ~PS2_EXTENDED) >= ARRAY_SIZE(set2) ||
		    keyboard->released[i] > 1)
			return false;
	if (keyboard->command && keyboard->command != COMMAND_LIGHTS &&
	    keyboard->command != COMMAND_REPEAT && keyboard->command != COMMAND_SET)
		return false;
	return !keyboard->given ||
	       (keyboard->key_count && keyboard->given < scan_code(keyboard, keyboard->keys[0],
								     keyboard->released[0], code));
}
