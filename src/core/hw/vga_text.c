/*
 * What a VGA shows: its text as cells, of graphics the size. Any thread.
 *
 * FreeVGA, "VGA Text Mode Operation", "CRT Controller Registers".
 */
#include <string.h>

#include "core/bus/platform.h"
#include "core/hw/vga.h"
#include "core/hw/vga_private.h"
#include "core/kvm/memory.h"

#define CELL 2u /* bytes */
#define INK_SECOND_FONT 8u
#define UNKNOWN 0xfe /* a small square, for what is in a font of the guest's own only */

/* Where the display memory is seen, by bits 2 and 3 of the graphics controller's register. */
static const struct window {
	uint32_t base, size; /* a power of two */
} windows[4] = {
	{ PLATFORM_VGA_BASE, 0x20000 },
	{ PLATFORM_VGA_BASE, 0x10000 },
	{ PLATFORM_VGA_BASE + 0x10000, 0x8000 },
	{ PLATFORM_VGA_BASE + 0x18000, 0x8000 },
};

static unsigned pair(const struct vga_registers *regs, unsigned index)
{
	return (unsigned)regs->crtc[index] << 8 | regs->crtc[index + 1];
}

static unsigned scan_lines(const struct vga_registers *regs)
{
	uint8_t overflow = regs->crtc[VGA_CRTC_OVERFLOW];

	return regs->crtc[VGA_CRTC_LINES] + (overflow & VGA_OVERFLOW_LINES_8 ? 0x100u : 0) +
	       (overflow & VGA_OVERFLOW_LINES_9 ? 0x200u : 0) + 1;
}

/* Scan lines of a row of characters, or of pixels. */
static unsigned row_height(const struct vga_registers *regs)
{
	uint8_t height = regs->crtc[VGA_CRTC_HEIGHT];

	return ((height & VGA_HEIGHT_LESS_ONE) + 1) * (height & VGA_HEIGHT_DOUBLE ? 2 : 1);
}

static unsigned at_most(unsigned value, unsigned limit)
{
	return value < limit ? value : limit;
}

static bool is_graphics(const struct vga_registers *regs)
{
	return regs->graphics[VGA_GRAPHICS_MISC] & VGA_MISC_GRAPHICS ||
	       regs->attributes[VGA_ATTRIBUTE_MODE] & VGA_MODE_GRAPHICS;
}

static void show_graphics(const struct vga_registers *regs, struct screen *out)
{
	unsigned columns = (regs->crtc[VGA_CRTC_COLUMNS] + 1u) * 8;

	out->mode = SCREEN_GRAPHICS;
	out->columns = regs->attributes[VGA_ATTRIBUTE_MODE] & VGA_MODE_WIDE ? columns / 2 : columns;
	out->rows = scan_lines(regs) / row_height(regs);
}

/* Bits 0, 1 and 4 choose one font, the others the one of characters whose ink has bit 3. */
static bool has_two_fonts(uint8_t fonts)
{
	return ((fonts & 0x03) | (fonts >> 2 & 0x04)) != ((fonts >> 2 & 0x03) | (fonts >> 3 & 0x04));
}

static void show_second_font(struct screen_cell *cell)
{
	if (cell->attribute & INK_SECOND_FONT)
		cell->code = UNKNOWN;
	cell->attribute &= (uint8_t)~INK_SECOND_FONT;
}

static void show_cursor(const struct vga_registers *regs, unsigned position, unsigned stride,
			struct screen *out)
{
	unsigned first = regs->crtc[VGA_CRTC_CURSOR_START], height = row_height(regs);
	unsigned last = regs->crtc[VGA_CRTC_CURSOR_END] & VGA_CURSOR_LINE;
	unsigned lines = last - (first & VGA_CURSOR_LINE) + 1;

	out->row = stride ? position / stride : 0;
	out->column = stride ? position % stride : 0;
	out->cursor = stride && !(first & VGA_CURSOR_OFF) && (first & VGA_CURSOR_LINE) <= last &&
		      out->row < out->rows && out->column < out->columns;
	out->block = out->cursor && lines * 2 > height;
}

static void show_text(const struct vga_registers *regs, const struct guest_memory *memory,
		      struct screen *out)
{
	const struct window *window =
		&windows[VGA_MISC_WINDOW(regs->graphics[VGA_GRAPHICS_MISC])];
	const uint8_t *bytes = memory_at(memory, window->base, window->size);
	unsigned start = pair(regs, VGA_CRTC_START), cells = window->size / CELL;
	unsigned stride = regs->crtc[VGA_CRTC_STRIDE] * 2u;
	bool two_fonts = has_two_fonts(regs->sequencer[VGA_SEQUENCER_FONT]);

	if (!bytes)
		return;
	out->mode = SCREEN_TEXT;
	out->columns = at_most(regs->crtc[VGA_CRTC_COLUMNS] + 1u, SCREEN_COLUMNS_MAX);
	out->rows = at_most(scan_lines(regs) / row_height(regs), SCREEN_ROWS_MAX);
	out->blink = regs->attributes[VGA_ATTRIBUTE_MODE] & VGA_MODE_BLINK;
	show_cursor(regs, (pair(regs, VGA_CRTC_CURSOR) - start) % cells, stride, out);
	for (unsigned y = 0; y < out->rows; y++) {
		for (unsigned x = 0; x < out->columns; x++) {
			unsigned at = (start + y * stride + x) % cells;

			memcpy(&out->cells[y][x], bytes + (size_t)at * CELL, CELL);
			if (two_fonts)
				show_second_font(&out->cells[y][x]);
		}
	}
}

void vga_screen(struct vga *vga, const struct guest_memory *memory, struct screen *out)
{
	struct vga_registers regs;

	vga_save(vga, &regs);
	memset(out, 0, sizeof(*out));
	out->mode = SCREEN_OFF;
	if (!(regs.attribute_index & VGA_SEEN) ||
	    regs.sequencer[VGA_SEQUENCER_CLOCKING] & VGA_CLOCKING_OFF)
		return;
	if (is_graphics(&regs))
		show_graphics(&regs, out);
	else
		show_text(&regs, memory, out);
}
