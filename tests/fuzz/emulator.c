/*
 * libFuzzer: a guest's output through the guard into libvterm, on a screen whose
 * size changes. A record begins with a byte: 0 and two more are a new size, other
 * values so many bytes that the guest printed. What passes the guard is read a
 * second time here, by other code, and has to be the same however it is cut.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/fuzz.h"
#include "tui/console/emulator.h"
#include "tui/console/sequence_guard.h"

#define SEED(text) { text, sizeof(text) - 1 }

/* Sizes and what leaves the screen; parameters, REP and strings; characters. */
const struct fuzz_seed fuzz_seeds[] = {
	SEED("\0000\224\036\033[40;45r\033[44;99H\0337\033[38;5;9mred\000\002\022"
	     "\016\033[S\033[T\012\0338\033#6\033H\000\000\000\010\0338\015\012\033[1J"
	     "\0000('\033[?1049h\033[?69h\033[3;9s\033M\033[4L\033[2'}\033[?1049l"),
	SEED("\000\010&&\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15m"
	     ",\033[1;2:3;4;5;6;7;8;9;10;11;12;13;14;15;16;17m"
	     "/A\033[99999999999999999999b\033[999bA\344\270\255\033[999b\033([1;1m"
	     "2\033]0;title\007\033P$qm\033\\\033_x\033\\A\033[3b\033[18446744073709551615"
	     "m"),
	SEED("\000\000\003"
	     "3\344\270\255A\314\201\033[9b\302\200\033[K\033H\302\237\343\202\231\343\202"
	     "\231\343\202\231x\303\012A\303B\360\237\220\247\015\033[4h\342\224\200\303"
	     "\251\016\016\345\013\033*0\033N\344\270\255\033)B\004\314\201\314\201"),
	{ NULL, 0 },
};

struct passed {
	uint8_t *data;
	size_t size;
	bool narrow; /* of the last character, as check() sees it */
};

#define REQUIRE(condition)       \
	do {                     \
		if (!(condition)) \
			abort(); \
	} while (0)

static size_t check_csi(struct passed *passed, const uint8_t *data, size_t size)
{
	unsigned long value = 0;
	unsigned separators = 0;
	size_t i = 2, leaders, parameters;

	while (i < size && data[i] >= '<' && data[i] <= '?')
		i++;
	leaders = i - 2;
	for (; i < size && data[i] >= '0' && data[i] <= ';'; i++) {
		bool digit = data[i] <= '9';

		separators += !digit;
		value = digit ? value * 10 + data[i] - '0' : 0;
		REQUIRE(value <= 65535 && separators < 16);
	}
	parameters = i;
	while (i < size && data[i] >= ' ' && data[i] <= '/')
		i++;
	REQUIRE(i < size && data[i] >= '@' && data[i] <= '~' && i < 128);
	REQUIRE(data[i] != 'b' || leaders || i > parameters || passed->narrow);
	return i + 1;
}

static size_t check_sequence(struct passed *passed, const uint8_t *data, size_t size)
{
	size_t i = 1;

	REQUIRE(size > 1 && !strchr("X^_8", data[1]));
	if (data[1] == '[')
		return check_csi(passed, data, size);
	if (data[1] == 'P' || data[1] == ']') {
		for (i = 2; i < size && data[i] >= ' ' && data[i] != 0x7f; i++)
			;
		REQUIRE(i < size && i < 128);
		if (data[i] == 7 && data[1] == ']')
			return i + 1;
		REQUIRE(i + 1 < size && data[i] == 033 && data[i + 1] == '\\');
		return i + 2;
	}
	while (i < size && data[i] >= ' ' && data[i] <= '/')
		i++;
	REQUIRE(i < size && data[i] >= '0' && data[i] <= '~' && i < 128);
	REQUIRE(i == 1 || !strchr("[P]", data[i]));
	return i + 1;
}

static size_t check_character(struct passed *passed, const uint8_t *data, size_t size)
{
	static const uint8_t least[] = { 0xc0, 0xe0, 0xf0, 0xf8, 0xfc, 0xfe };
	uint32_t c;
	size_t i, n = 1;

	while (n < sizeof(least) && data[0] >= least[n - 1] && data[0] < 0xfe)
		n++;
	c = data[0] & (0x7fu >> n);
	REQUIRE(size >= n);
	for (i = 1; i < n; i++) {
		REQUIRE(data[i] >= 0x80 && data[i] < 0xc0);
		c = c << 6 | (data[i] & 0x3f);
	}
	REQUIRE(n == 1 || ((c < 0x80 || c >= 0xa0) && c != 0x3099));
	passed->narrow = n == 1 || (c >= 0xa0 && c < 0x300) || (c >= 0x2500 && c < 0x25a0) ||
			 c == 0xfffd;
	return n;
}

/* Each call has whole sequences within bounds. */
static void check(const uint8_t *data, size_t size, void *arg)
{
	struct passed *passed = arg;

	memcpy(passed->data + passed->size, data, size);
	passed->size += size;
	while (size > 0) {
		size_t n = data[0] == 033 ? check_sequence(passed, data, size) :
			   data[0] < 0x20 || data[0] == 0x7f ? 1 :
			   check_character(passed, data, size);

		data += n;
		size -= n;
	}
}

/* Through a guard in pieces of so many bytes. */
static struct passed guarded(const uint8_t *data, size_t size, size_t piece)
{
	struct passed passed = { malloc(size * 5 + 3), 0, false };
	struct sequence_guard guard;

	REQUIRE(passed.data);
	sequence_guard_init(&guard, check, &passed);
	for (size_t at = 0; at < size; at += piece)
		sequence_guard_input(&guard, data + at, size - at < piece ? size - at : piece);
	return passed;
}

static void same(const uint8_t *data, size_t size)
{
	struct passed whole = guarded(data, size, size + 1);
	struct passed again = guarded(whole.data, whole.size, 7);

	REQUIRE(again.size == whole.size && memcmp(again.data, whole.data, whole.size) == 0);
	free(again.data);
	for (size_t piece = 1; piece <= 3; piece++) {
		struct passed pieces = guarded(data, size, piece);

		REQUIRE(pieces.size == whole.size &&
			memcmp(pieces.data, whole.data, whole.size) == 0);
		free(pieces.data);
	}
	free(whole.data);
}

static void output(const char *data, size_t size, void *arg)
{
	uint8_t *sum = arg;

	for (size_t i = 0; i < size; i++)
		*sum += (uint8_t)data[i];
}

static void look(struct emulator *emulator, int rows, int columns)
{
	static struct emulator_cell cells[1000];
	int row, column;

	for (int i = -(int)emulator_scrollback(emulator); i < rows; i++)
		emulator_row(emulator, i, cells, columns);
	emulator_cursor(emulator, &row, &column);
	REQUIRE(row >= 0 && row < rows && column >= 0 && column < columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sum = 0, *printed = malloc(size + !size);
	struct emulator *emulator = emulator_new(10, 40, output, &sum);
	int rows = 10, columns = 40;
	size_t printed_size = 0;

	REQUIRE(printed && emulator);
	while (size > 0) {
		size_t n = *data++;

		size--;
		if (n == 0 && size >= 2) {
			rows = 2 + data[0] % 60;
			columns = 2 + data[1] % 160;
			emulator_resize(emulator, rows, columns);
			n = 2;
		} else {
			n = n < size ? n : size;
			emulator_input(emulator, data, n);
			memcpy(printed + printed_size, data, n);
			printed_size += n;
		}
		data += n;
		size -= n;
		look(emulator, rows, columns);
	}
	emulator_free(emulator);
	same(printed, printed_size);
	free(printed);
	return 0;
}
