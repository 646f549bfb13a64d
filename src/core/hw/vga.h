/*
 * A standard VGA on the ISA bus: its registers, and what its text modes show.
 *
 * The display memory at 0xa0000 is the guest's RAM, so that no access to it is an
 * exit. In text modes that is what the hardware does: characters and attributes lie
 * at even and odd addresses of the window. The planes behind it, which fonts and
 * graphics use, are not told apart; nobody is shown them.
 */
#ifndef CORE_HW_VGA_H
#define CORE_HW_VGA_H

#include <stdint.h>

#include "base/cause.h"
#include "base/mutex.h"
#include "core/bus/device.h"
#include "core/bus/screen.h"

#define VGA_CRTC 32
#define VGA_SEQUENCER 8
#define VGA_GRAPHICS 16
#define VGA_ATTRIBUTES 32
#define VGA_COLOURS 256

/* What is saved of the chip. Each index is below the size of its array. */
struct vga_registers {
	uint8_t misc, feature, status, enabled;
	uint8_t crtc_index, sequencer_index, graphics_index;
	uint8_t attribute_index; /* with bit 5, which lets the display be seen */
	uint8_t attribute_data; /* 1: the next byte to port 0x3c0 is data */
	uint8_t dac_mask, dac_state; /* 0: written to, 3: read from */
	uint8_t dac_write, dac_read; /* colours */
	uint8_t dac_component; /* 0 to 2: of the colour */
	uint8_t crtc[VGA_CRTC], sequencer[VGA_SEQUENCER];
	uint8_t graphics[VGA_GRAPHICS], attributes[VGA_ATTRIBUTES];
	uint8_t dac[VGA_COLOURS][3]; /* 6 bits each */
};

struct vga {
	struct mutex lock;
	struct coalesced *coalesced; /* the machine's, or NULL */
	struct vga_registers regs;
};

/* Claims the ports 0x3b0 to 0x3df, at base. 0, or what bus_add() says. There is nothing to free. */
int vga_init(struct vga *vga, struct bus *bus, uint64_t base, struct cause *cause);

void vga_save(struct vga *vga, struct vga_registers *registers);

/* Takes registers over into a chip just made. NULL, or the name of one that cannot be so. */
const char *vga_load(struct vga *vga, const struct vga_registers *registers);

/* What is seen. Any thread; the guest may write meanwhile. */
void vga_screen(struct vga *vga, const struct guest_memory *memory, struct screen *out);

extern const struct device_type vga_device;

#endif
