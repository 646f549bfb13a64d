/*
 * libFuzzer: a guest's output on its whole way: the channel, the guard, libvterm,
 * the grid, and the screen's copy of it, with a size that changes. A part of the
 * input begins with a byte: 0 and two more are a new size, 1 and one more so many
 * lines back, other values so many bytes that the guest printed. What passes the
 * guard is read a second time here, by other code, and has to be the same however it
 * is cut.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/modes.h"
#include "lib/fuzz.h"
#include "tui/console/emulator_process.h"
#include "tui/console/picture.h"
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
	/* Floods of what is dear, and endless repetition. */
	SEED("\000\072\237\060\033#8\033#8x\033[2J\033[65535L\033[65535M\033[65535S\033[65535T"
	     "\001\005\020\033[65535@\033[65535P\033[65535X\0030\314\201\033[2b\r\nA\344\270\255"
	     "\033[999b\nq\033[999b\033c\033[?1049h\033[?3h\033[6n\033[c\033[?1h"),
	{ NULL, 0 },
};

struct passed {
	uint8_t *data;
	size_t size;
	bool narrow; /* of the last character, as check() sees it */
};

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

/* What is spelled of the modes sets just those. */
static void same_modes(const uint8_t *data, size_t size)
{
	struct modes modes = { 0 }, again = { 0 };
	char text[MODES_SPELL_MAX];
	size_t n;

	modes_read(&modes, data, size);
	n = modes_spell(&modes, text);
	REQUIRE(n <= sizeof(text));
	modes_read(&again, (const uint8_t *)text, n);
	REQUIRE(again.changed == modes.changed);
}

struct both {
	struct channel screen, process;
	struct emulator_server *server;
	struct picture picture;
	struct terminal_size size;
};

static int copy_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void begin(struct both *both)
{
	const struct channel_layout *layout = &emulator_process.layout;

	memset(both, 0, sizeof(*both));
	REQUIRE(channel_create(&both->screen, layout, NULL) == 0);
	REQUIRE(channel_attach(&both->process, layout, copy_fd(both->screen.memory_fd),
			       copy_fd(both->screen.peer_fd), copy_fd(both->screen.wake_fd)) == 0);
	both->server = emulator_server_new(&both->process);
	REQUIRE(both->server);
}

static void end(struct both *both)
{
	emulator_server_free(both->server);
	picture_destroy(&both->picture);
	channel_destroy(&both->process);
	channel_destroy(&both->screen);
}

static void say(struct both *both, const void *data, size_t size, uint32_t mark)
{
	void *record = channel_reserve(&both->screen.out, (uint32_t)size);

	REQUIRE(record);
	memcpy(record, data, size);
	channel_commit(&both->screen.out, (uint32_t)size, mark);
	channel_publish(&both->screen.out);
}

static void answer(const uint8_t *data, size_t size, void *arg)
{
	(void)arg;
	REQUIRE(size > 0 && data[0] == 033);
}

static void check_picture(const struct picture *picture)
{
	const struct frame *frame = &picture->frame;

	REQUIRE(frame->row < frame->rows && frame->column < frame->columns);
	for (uint32_t row = 0; row < frame->rows; row++) {
		const struct grid_cell *cells = picture_row(picture, (int)row);

		for (uint32_t i = 0; i < frame->columns; i++) {
			REQUIRE(cells[i].width == 1 || cells[i].width == 2);
			REQUIRE(cells[i].c >= ' ' && cells[i].c <= 0x10ffff);
			if (cells[i].width == 2)
				i++;
			REQUIRE(i < frame->columns);
		}
	}
}

/* Lets the process take everything, and takes what it shows. */
static void look(struct both *both)
{
	uint32_t drawn;

	while (emulator_server_turn(both->server))
		;
	REQUIRE(picture_input(&both->picture, &both->screen, answer, NULL) == 0);
	drawn = picture_take(&both->picture, &both->screen, &both->size);
	if (!drawn)
		return;
	/* Else it is of a size that the process had not been told yet when its turn was over. */
	if (both->picture.frame.number == drawn)
		check_picture(&both->picture);
	say(both, &drawn, sizeof(drawn), TO_TERMINAL_DRAWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *printed = malloc(size + !size);
	size_t printed_size = 0;
	struct both both;

	begin(&both);
	both.size = (struct terminal_size){ 1, 10, 40 };
	REQUIRE(printed);
	say(&both, &both.size, sizeof(both.size), TO_TERMINAL_NEW);
	while (size > 0) {
		size_t n = *data++;
		uint32_t back;

		size--;
		if (n == 0 && size >= 2) {
			both.size.rows = 2u + data[0] % 60;
			both.size.columns = 2u + data[1] % 160;
			say(&both, &both.size, sizeof(both.size), TO_TERMINAL_RESIZE);
			n = 2;
		} else if (n == 1 && size >= 1) {
			back = data[0];
			say(&both, &back, sizeof(back), TO_TERMINAL_BACK);
		} else {
			n = n < size ? n : size;
			say(&both, data, n, n % 4 ? TO_TERMINAL_BYTES : TO_TERMINAL_OLD);
			memcpy(printed + printed_size, data, n);
			printed_size += n;
		}
		data += n;
		size -= n;
		look(&both);
	}
	end(&both);
	same(printed, printed_size);
	same_modes(printed, printed_size);
	free(printed);
	return 0;
}
