/* See control_sequence.h. */
#include "base/control_sequence.h"

#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a
#define ESC 0x1b
#define DEL 0x7f

#define VALUE_MAX 65535u

enum state {
	GROUND, ESCAPE, PARAMETERS, STRING
};

static enum sequence_step begin(struct control_sequence *sequence, enum state state, uint8_t kind)
{
	*sequence = (struct control_sequence){ .state = state, .kind = kind, .count = 1 };
	return SEQUENCE_BEGUN;
}

static enum sequence_step whole(struct control_sequence *sequence, uint8_t final)
{
	sequence->state = GROUND;
	sequence->final = final;
	return SEQUENCE_WHOLE;
}

/* What follows ESC, or as a C1 control stands for both. */
static enum sequence_step introduce(struct control_sequence *sequence, uint8_t byte)
{
	switch (byte) {
	case '[':
		begin(sequence, PARAMETERS, byte);
		return SEQUENCE_GOES_ON;
	case ']': case 'P': case 'X': case '^': case '_':
		begin(sequence, STRING, byte);
		return SEQUENCE_GOES_ON;
	default:
		return whole(sequence, byte);
	}
}

static enum sequence_step c1(struct control_sequence *sequence, uint8_t byte)
{
	begin(sequence, ESCAPE, 0);
	return introduce(sequence, byte - 0x40) == SEQUENCE_WHOLE ? SEQUENCE_WHOLE : SEQUENCE_BEGUN;
}

static enum sequence_step ground(struct control_sequence *sequence, uint8_t byte)
{
	bool inside = sequence->missing && byte >= 0x80 && byte < 0xc0;
	bool control = byte >= 0x80 && byte < 0xa0 && (!inside || sequence->lead);

	sequence->lead = byte == 0xc2;
	sequence->missing = inside ? sequence->missing - 1
			  : byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
	return control ? c1(sequence, byte) : SEQUENCE_NONE;
}

static enum sequence_step escape(struct control_sequence *sequence, uint8_t byte)
{
	if (byte >= 0x30)
		return sequence->intermediate ? whole(sequence, byte) : introduce(sequence, byte);
	sequence->intermediate = byte;
	return SEQUENCE_GOES_ON;
}

static void digit(struct control_sequence *sequence, uint8_t byte)
{
	uint32_t *value = &sequence->values[sequence->count - 1];

	if (sequence->count <= CONTROL_SEQUENCE_VALUES && *value <= VALUE_MAX)
		*value = *value * 10 + (byte - '0');
}

static void separate(struct control_sequence *sequence)
{
	if (sequence->count <= CONTROL_SEQUENCE_VALUES)
		sequence->count++;
}

static enum sequence_step parameters(struct control_sequence *sequence, uint8_t byte)
{
	if (byte >= '@') {
		if (sequence->count > CONTROL_SEQUENCE_VALUES)
			sequence->count = CONTROL_SEQUENCE_VALUES;
		return whole(sequence, byte);
	}
	if (byte >= '<')
		sequence->marker = byte;
	else if (byte >= ':')
		separate(sequence);
	else if (byte >= '0')
		digit(sequence, byte);
	else
		sequence->intermediate = byte;
	return SEQUENCE_GOES_ON;
}

/* Of an OSC the number counts, which is its first parameter. */
static enum sequence_step string(struct control_sequence *sequence, uint8_t byte)
{
	if (byte == BEL && sequence->kind == ']')
		return whole(sequence, 0);
	sequence->asks |= byte == '?';
	if (byte >= '0' && byte <= '9' && sequence->count == 1)
		digit(sequence, byte);
	else
		sequence->count = 2;
	return SEQUENCE_GOES_ON;
}

enum sequence_step control_sequence_next(struct control_sequence *sequence, uint8_t byte)
{
	if (byte == ESC)
		return begin(sequence, ESCAPE, 0);
	if (sequence->state == GROUND)
		return ground(sequence, byte);
	if (byte == CAN || byte == SUB) {
		sequence->state = GROUND;
		return SEQUENCE_NONE;
	}
	if (sequence->state == STRING)
		return string(sequence, byte);
	if (byte >= 0x80) {
		sequence->state = GROUND;
		return ground(sequence, byte);
	}
	if (byte < ' ' || byte == DEL) /* a control that acts by itself */
		return SEQUENCE_GOES_ON;
	return sequence->state == ESCAPE ? escape(sequence, byte) : parameters(sequence, byte);
}

bool control_sequence_in_string(const struct control_sequence *sequence)
{
	return sequence->state == STRING;
}
