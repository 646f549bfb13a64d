/*
 * A PS/2 keyboard, as its controller has it: bytes to it, bytes from it, and keys
 * that are struck. The controller's lock guards it.
 */
#ifndef CORE_HW_PS2_KEYBOARD_H
#define CORE_HW_PS2_KEYBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of scan codes that wait at most, as a keyboard's own buffer has: drivers take a
 * controller for missing that gives them more at once.
 */
#define PS2_BYTES_MAX 16
#define PS2_REPLIES 4

/* What is saved of it. */
struct ps2_keyboard {
	uint8_t replies[PS2_REPLIES]; /* to commands, before anything else */
	uint8_t reply_count;
	uint8_t keys[PS2_BYTES_MAX];	 /* pressed or released, see ps2_typing.h */
	uint8_t released[PS2_BYTES_MAX]; /* 1: each of them was */
	uint8_t key_count;
	uint8_t given;	  /* bytes of the first one that were read */
	uint8_t set;	  /* of scan codes: 1 or 2 */
	uint8_t scanning; /* 0: keys wait */
	uint8_t command;  /* waits for its data byte, else 0 */
	uint8_t last;	  /* byte that was read */
};

/* As after power-on, when its self test has ended. */
void ps2_keyboard_reset(struct ps2_keyboard *keyboard);

/* A byte from the controller. */
void ps2_keyboard_write(struct ps2_keyboard *keyboard, uint8_t value);

/* The next byte for the controller; false if there is none. */
bool ps2_keyboard_read(struct ps2_keyboard *keyboard, uint8_t *value);

/* Strikes the keys of a text (see ps2_stroke()); returns how many bytes of it found room. */
size_t ps2_keyboard_type(struct ps2_keyboard *keyboard, const uint8_t *text, size_t size);

/* Whether it can be in that state. */
bool ps2_keyboard_possible(const struct ps2_keyboard *keyboard);

/* A byte of set 2 in set 1, as a controller translates: 0x80 and more mostly stay. */
uint8_t ps2_translate(uint8_t value);

#endif
