/*
 * Attacks by bytes on the console, at whoever emulates a terminal. ECMA-48, and what
 * terminals of DEC and xterm know beyond it. CPU 0, tasks.
 */
#include "attack.h"
#include "uart.h"

#define BURST 256u

struct bytes {
	const char *text;
	size_t size;
	unsigned times; /* in a row */
};

#define BYTES(text, times) { text, sizeof(text) - 1, times }

static const struct bytes cases[] = {
	/* More parameters than a parser has room for, and larger ones than fit an int. */
	BYTES("\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17m", 4),
	BYTES("\033[1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17;18;19;20;21;22;23;24;25m", 4),
	BYTES("\033[99999999999999999999;4294967295;2147483648H", 4),
	/* A character that is repeated: a wide one at the margin, one that only combines. */
	BYTES("\r\nA\xe4\xb8\xad\033[999b", 16),
	BYTES("\r\n\xcc\x81\033[2b", 16),
	BYTES("\033[2J\033[H\xcc\x81\033[2147483647b", 4),
	/* UTF-8 that is broken off by a control, and what is none. */
	BYTES("\xe4\033[m\xf0\x9f\r\xc3\x9b\xe2\x82\n\xff\xfe\xc0\x80\xed\xa0\x80", 16),
	BYTES("A\xcc\x80\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86\xcc\x87\xcc\x88", 64),
	/* The whole screen for few bytes. */
	BYTES("\033#8", 2048),
	BYTES("\033[2J\033[999999S\033[999999T\033[999999L\033[999999M", 64),
	BYTES("\033[999999@\033[999999P\033[999999X\033[999999I\033[999999Z", 64),
	BYTES("\033[?1049h\033[?1049l\033c\033[!p", 64),
	BYTES("\033[5;4r\033[1;1r\033[99999;99999r\033M\033D\033[?6h\033[?69h\033[3;2s", 16),
	/* What is to be answered. */
	BYTES("\033[6n\033[5n\033[c\033[>c\033[0x\033[?15n\033P$qm\033\\", 256),
	/* Strings without an end. */
	BYTES("\033]0;", 1), BYTES("title without end ", 512),
	BYTES("\033\\\033P1;2;3q", 1), BYTES("#0;2;0;0;0#0!99999~", 512),
	BYTES("\033\\\033_G", 1), BYTES("\033]52;c;AAAA", 512),
	BYTES("\033\\\033[", 1), BYTES("1;", 512),
	BYTES("\033\033\030\033X\033^\x90\x9d\x9b\033\\\033c", 16),
};

/* A burst of the case that is due. */
unsigned attack_console(struct attack *attack)
{
	static unsigned row, time;
	const struct bytes *bytes = &cases[row];
	char burst[BURST];
	unsigned size = 0;

	(void)attack;
	while (size + bytes->size <= sizeof(burst) && time < bytes->times) {
		memcpy(burst + size, bytes->text, bytes->size);
		size += bytes->size;
		time++;
	}
	if (time == bytes->times) {
		time = 0;
		row = (row + 1) % ARRAY_SIZE(cases);
	}
	uart_write(burst, size);
	return size;
}

/* Leaves a terminal that can be read. */
void attack_console_end(struct attack *attack)
{
	static const char calm[] = "\030\033\\\033c\r\n";

	(void)attack;
	uart_write(calm, sizeof(calm) - 1);
}

unsigned attack_prints(struct attack *attack)
{
	char line[96];
	size_t size = format(line, sizeof(line),
			     "%lu the quick brown fox jumps over the lazy dog %08x\r\n",
			     attack->step, random_next(&attack->chance));

	uart_write(line, size);
	return size;
}
