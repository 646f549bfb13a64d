/* Registers of the VGA that its ports and its text modes know. */
#ifndef CORE_HW_VGA_PRIVATE_H
#define CORE_HW_VGA_PRIVATE_H

/* CRT controller */
enum {
	VGA_CRTC_COLUMNS = 0x01, /* less one */
	VGA_CRTC_OVERFLOW = 0x07,
	VGA_CRTC_HEIGHT = 0x09,
	VGA_CRTC_CURSOR_START = 0x0a, VGA_CRTC_CURSOR_END = 0x0b,
	VGA_CRTC_START = 0x0c,	/* high byte, low byte */
	VGA_CRTC_CURSOR = 0x0e, /* likewise */
	VGA_CRTC_RETRACE_END = 0x11,
	VGA_CRTC_LINES = 0x12, /* less one; two more bits in the overflow register */
	VGA_CRTC_STRIDE = 0x13, /* of rows, in two characters */
};

#define VGA_OVERFLOW_LINES_8 0x02u
#define VGA_OVERFLOW_COMPARE 0x10u
#define VGA_OVERFLOW_LINES_9 0x40u
#define VGA_HEIGHT_LESS_ONE 0x1fu /* scan lines of a character, or repeated */
#define VGA_HEIGHT_DOUBLE 0x80u	  /* each scan line is shown twice */
#define VGA_CURSOR_OFF 0x20u
#define VGA_CURSOR_LINE 0x1fu
#define VGA_PROTECT 0x80u /* registers 0 to 7 cannot be written to */

/* Sequencer */
enum { VGA_SEQUENCER_CLOCKING = 1, VGA_SEQUENCER_FONT = 3 };

#define VGA_CLOCKING_OFF 0x20u /* the screen */

/* Graphics controller */
enum { VGA_GRAPHICS_MISC = 6 };

#define VGA_MISC_GRAPHICS 0x01u
#define VGA_MISC_WINDOW(misc) ((misc) >> 2 & 3u)

/* Attribute controller */
enum { VGA_ATTRIBUTE_MODE = 0x10 };

#define VGA_SEEN 0x20u /* of the index: the palette is the display's */
#define VGA_MODE_GRAPHICS 0x01u
#define VGA_MODE_BLINK 0x08u
#define VGA_MODE_WIDE 0x40u /* 256 colours: a pixel is two dots wide */

#endif
