/* Bytes in hexadecimal. Screen thread. */
#include "tui/ui/hex.h"

#define OFFSET_WIDTH 6
#define OFFSET_FROM 8 /* bytes a line: fewer have no offset before them */

static int width_of(int bytes)
{
	return (bytes >= OFFSET_FROM ? OFFSET_WIDTH : 0) + 3 * bytes + 1 + bytes;
}

int hex_per_line(int width)
{
	int bytes = 16;

	while (bytes > 1 && width_of(bytes) > width)
		bytes /= 2;
	return bytes;
}

int hex_lines(size_t size, int width)
{
	size_t bytes = (size_t)hex_per_line(width);

	return (int)((size + bytes - 1) / bytes);
}

static bool is_changed(const struct hex *hex, size_t i)
{
	return hex->was && (i >= hex->was_size || hex->was[i] != hex->data[i]);
}

static void draw_byte(const struct hex *hex, size_t i, int y, int x, int text_x)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t byte = hex->data[i];
	bool marked = i - hex->marked_at < hex->marked;
	unsigned style = is_changed(hex, i) ? INK_WARN | DRAW_BOLD : INK_TEXT;
	unsigned mark = marked ? DRAW_REVERSE : 0;

	for (size_t d = 0; d < 2; d++) {
		const char text[] = { digits[d ? byte & 15 : byte >> 4], '\0' };

		draw_text(y, x + (int)d, 1,
			  hex->cursor == 2 * i + d ? style | DRAW_REVERSE : style | mark, text);
	}
	draw_format(y, text_x, 1,
		    hex->cursor / 2 == i || marked ? style | DRAW_REVERSE : style | DRAW_DIM,
		    "%c", byte >= 0x20 && byte < 0x7f ? byte : '.');
}

void hex_draw(struct rect r, const struct hex *hex, int top)
{
	size_t bytes = (size_t)hex_per_line(r.width);
	int x = r.x + (bytes >= OFFSET_FROM ? OFFSET_WIDTH : 0);

	for (int row = 0; row < r.height; row++) {
		size_t first = (size_t)(top + row) * bytes;

		if (first < hex->size && bytes >= OFFSET_FROM)
			draw_format(r.y + row, r.x, OFFSET_WIDTH, INK_TEXT | DRAW_DIM, "%04zx",
				    first);
		for (size_t i = 0; i < bytes && first + i < hex->size; i++)
			draw_byte(hex, first + i, r.y + row, x + 3 * (int)i,
				  x + 3 * (int)bytes + 1 + (int)i);
	}
}
