/*
 * The registers of a VGA. vCPU threads; vga_save() and vga_load() while none runs.
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem"; ports and bits
 * as in FreeVGA's "VGA Hardware". The retrace is not timed: each look at the status
 * finds it changed, so that no guest waits for one.
 */
#include "core/hw/vga.h"

#include <string.h>

#include "core/bus/platform.h"
#include "core/hw/fw_cfg.h"
#include "core/hw/rom.h"
#include "core/hw/vga_private.h"
#include "core/kvm/coalesced.h"
#include "core/profile/check.h"
#include "core/profile/profile.h"

/* Ports, from 0x3b0 on. */
enum {
	PORT_ATTRIBUTE = 0x10, PORT_ATTRIBUTE_READ = 0x11,
	PORT_MISC_WRITE = 0x12, /* read: input status 0 */
	PORT_ENABLE = 0x13,
	PORT_SEQUENCER = 0x14, PORT_SEQUENCER_DATA = 0x15,
	PORT_DAC_MASK = 0x16, PORT_DAC_READ = 0x17, PORT_DAC_WRITE = 0x18, PORT_DAC_DATA = 0x19,
	PORT_FEATURE = 0x1a, PORT_MISC = 0x1c,
	PORT_GRAPHICS = 0x1e, PORT_GRAPHICS_DATA = 0x1f,
	/* With MISC_COLOUR from 0x3d0 on, without from 0x3b0 on: */
	PORT_CRTC = 0x04, PORT_CRTC_DATA = 0x05,
	PORT_STATUS = 0x0a, /* write: feature control */
	PORT_COUNT = 0x30,
};

#define COLOUR_PORTS 0x20 /* from those of 0x3b0 on */
#define NOTHING 0xff

#define MISC_COLOUR 0x01u
#define STATUS_BLANK 0x01u
#define STATUS_RETRACE 0x08u
#define DAC_READING 3
#define DAC_BITS 0x3fu
#define ATTRIBUTE_INDEX 0x3fu /* with VGA_SEEN */

static const struct rom_source bios = { "vgabios-isavga.bin", ROM_SEABIOS_FOLDERS,
					ROM_SEABIOS_PACKAGE };

static uint8_t dac_read(struct vga_registers *regs)
{
	uint8_t value = regs->dac[regs->dac_read][regs->dac_component];

	if (++regs->dac_component == 3) {
		regs->dac_component = 0;
		regs->dac_read++;
	}
	return value;
}

static void dac_write(struct vga_registers *regs, uint8_t value)
{
	regs->dac[regs->dac_write][regs->dac_component] = value & DAC_BITS;
	if (++regs->dac_component == 3) {
		regs->dac_component = 0;
		regs->dac_write++;
	}
}

/* To the port of an attribute's index and data in turn. */
static void attribute_write(struct vga_registers *regs, uint8_t value)
{
	unsigned index = regs->attribute_index & (VGA_ATTRIBUTES - 1);

	if (!regs->attribute_data)
		regs->attribute_index = value & ATTRIBUTE_INDEX;
	else
		regs->attributes[index] = value;
	regs->attribute_data ^= 1;
}

static void crtc_write(struct vga_registers *regs, uint8_t value)
{
	uint8_t *overflow = &regs->crtc[VGA_CRTC_OVERFLOW];

	if (regs->crtc_index > VGA_CRTC_OVERFLOW || !(regs->crtc[VGA_CRTC_RETRACE_END] & VGA_PROTECT))
		regs->crtc[regs->crtc_index] = value;
	else if (regs->crtc_index == VGA_CRTC_OVERFLOW)
		*overflow = (uint8_t)((*overflow & ~VGA_OVERFLOW_COMPARE) |
				      (value & VGA_OVERFLOW_COMPARE));
}

static uint8_t status_read(struct vga_registers *regs)
{
	regs->status ^= STATUS_BLANK | STATUS_RETRACE;
	regs->attribute_data = 0;
	return regs->status;
}

static uint8_t read_common(struct vga_registers *regs, unsigned port)
{
	switch (port) {
	case PORT_ATTRIBUTE:
		return regs->attribute_index;
	case PORT_ATTRIBUTE_READ:
		return regs->attributes[regs->attribute_index & (VGA_ATTRIBUTES - 1)];
	case PORT_MISC_WRITE:
		return 0;
	case PORT_ENABLE:
		return regs->enabled;
	case PORT_SEQUENCER:
		return regs->sequencer_index;
	case PORT_SEQUENCER_DATA:
		return regs->sequencer[regs->sequencer_index];
	case PORT_DAC_MASK:
		return regs->dac_mask;
	case PORT_DAC_READ:
		return regs->dac_state;
	case PORT_DAC_WRITE:
		return regs->dac_write;
	case PORT_DAC_DATA:
		return dac_read(regs);
	case PORT_FEATURE:
		return regs->feature;
	case PORT_MISC:
		return regs->misc;
	case PORT_GRAPHICS:
		return regs->graphics_index;
	case PORT_GRAPHICS_DATA:
		return regs->graphics[regs->graphics_index];
	default:
		return NOTHING;
	}
}

static void write_common(struct vga_registers *regs, unsigned port, uint8_t value)
{
	switch (port) {
	case PORT_ATTRIBUTE:
		attribute_write(regs, value);
		break;
	case PORT_MISC_WRITE:
		regs->misc = value;
		break;
	case PORT_ENABLE:
		regs->enabled = value & 1;
		break;
	case PORT_SEQUENCER:
		regs->sequencer_index = value & (VGA_SEQUENCER - 1);
		break;
	case PORT_SEQUENCER_DATA:
		regs->sequencer[regs->sequencer_index] = value;
		break;
	case PORT_DAC_MASK:
		regs->dac_mask = value;
		break;
	case PORT_DAC_READ:
		regs->dac_read = value;
		regs->dac_component = 0;
		regs->dac_state = DAC_READING;
		break;
	case PORT_DAC_WRITE:
		regs->dac_write = value;
		regs->dac_component = 0;
		regs->dac_state = 0;
		break;
	case PORT_DAC_DATA:
		dac_write(regs, value);
		break;
	case PORT_GRAPHICS:
		regs->graphics_index = value & (VGA_GRAPHICS - 1);
		break;
	case PORT_GRAPHICS_DATA:
		regs->graphics[regs->graphics_index] = value;
		break;
	}
}

/* Of the ports that are in two places, the one of the place that the guest has chosen. */
static unsigned chosen(const struct vga_registers *regs, unsigned port)
{
	unsigned place = regs->misc & MISC_COLOUR ? COLOUR_PORTS : 0;

	return port >= place ? port - place : PORT_COUNT;
}

static uint8_t read_port(struct vga_registers *regs, unsigned port)
{
	switch (chosen(regs, port)) {
	case PORT_CRTC:
		return regs->crtc_index;
	case PORT_CRTC_DATA:
		return regs->crtc[regs->crtc_index];
	case PORT_STATUS:
		return status_read(regs);
	default:
		return read_common(regs, port);
	}
}

static void write_port(struct vga_registers *regs, unsigned port, uint8_t value)
{
	switch (chosen(regs, port)) {
	case PORT_CRTC:
		regs->crtc_index = value & (VGA_CRTC - 1);
		break;
	case PORT_CRTC_DATA:
		crtc_write(regs, value);
		break;
	case PORT_STATUS:
		regs->feature = value;
		break;
	default:
		write_common(regs, port, value);
	}
}

/* Two bytes are an index and its data more often than not. */
static void ports_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct vga *vga = device;
	uint8_t *bytes = data;

	coalesced_drain(vga->coalesced);
	mutex_lock(&vga->lock);
	for (unsigned i = 0; i < length; i++)
		bytes[i] = read_port(&vga->regs, (unsigned)offset + i);
	mutex_unlock(&vga->lock);
}

/* No write is seen before something is read, the screen too, so all of them may wait. */
static void write_ports(void *device, uint64_t offset, const void *data, unsigned length)
{
	struct vga *vga = device;
	const uint8_t *bytes = data;

	mutex_lock(&vga->lock);
	for (unsigned i = 0; i < length; i++)
		write_port(&vga->regs, (unsigned)offset + i, bytes[i]);
	mutex_unlock(&vga->lock);
}

static void ports_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	const struct vga *vga = device;

	coalesced_drain(vga->coalesced);
	write_ports(device, offset, data, length);
}

static const struct bus_ops ports = { "VGA", ports_read, ports_write };

int vga_init(struct vga *vga, struct bus *bus, uint64_t base, struct cause *cause)
{
	int range = bus_add(bus, base, PORT_COUNT, &ports, vga, cause);

	if (range < 0)
		return range;
	memset(vga, 0, sizeof(*vga));
	vga->regs.dac_mask = 0xff;
	return 0;
}

void vga_save(struct vga *vga, struct vga_registers *registers)
{
	coalesced_drain(vga->coalesced);
	mutex_lock(&vga->lock);
	*registers = vga->regs;
	mutex_unlock(&vga->lock);
}

static bool dac_possible(const struct vga_registers *registers)
{
	const uint8_t *colour = registers->dac[0];

	for (size_t i = 0; i < sizeof(registers->dac); i++)
		if (colour[i] & ~DAC_BITS)
			return false;
	return registers->dac_component < 3 &&
	       (!registers->dac_state || registers->dac_state == DAC_READING);
}

const char *vga_load(struct vga *vga, const struct vga_registers *registers)
{
	if (registers->crtc_index >= VGA_CRTC || registers->sequencer_index >= VGA_SEQUENCER ||
	    registers->graphics_index >= VGA_GRAPHICS || registers->attribute_data > 1 ||
	    registers->attribute_index & ~ATTRIBUTE_INDEX)
		return "index";
	if (registers->status & ~(STATUS_BLANK | STATUS_RETRACE))
		return "status";
	if (registers->enabled > 1)
		return "enable";
	if (!dac_possible(registers))
		return "DAC";
	mutex_lock(&vga->lock);
	vga->regs = *registers;
	mutex_unlock(&vga->lock);
	return NULL;
}

/* Firmware finds its BIOS there, which is not of PCI, and runs it before it shows anything. */
static int add_bios(struct fw_cfg *fw_cfg, struct cause *cause)
{
	struct rom rom;
	int err = rom_find(&rom, &bios, cause);

	if (err)
		return err;
	err = fw_cfg_add_file(fw_cfg, "vgaroms/vgabios.bin", rom.data, rom.size, cause);
	rom_free(&rom);
	return err;
}

static void check_bios(const struct profile_check *check)
{
	const struct profile *profile = check->profile;
	struct cause cause;
	struct rom rom;

	if (!profile_has_vga(profile) || profile_firmware(profile) != FIRMWARE_BIOS)
		return;
	if (rom_find(&rom, &bios, &cause) == 0)
		rom_free(&rom);
	else
		check->found(check->arg, "guest", "vga", false, cause.text);
}

static int create_vga(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	struct vga *vga = device->state;
	int err = vga_init(vga, host->io, PLATFORM_VGA_PORT, cause);

	vga->coalesced = host->coalesced;
	if (!err)
		coalesced_add(vga->coalesced, PLATFORM_VGA_PORT, PORT_COUNT, write_ports, vga);
	if (err || profile_firmware(host->profile) != FIRMWARE_BIOS)
		return err;
	return add_bios(host->fw_cfg, cause);
}

static void save_device(struct device *device, void *registers)
{
	vga_save(device->state, registers);
}

static const char *load_device(struct device *device, const void *registers)
{
	return vga_load(device->state, registers);
}

static void show(struct device *device, struct screen *out)
{
	vga_screen(device->state, device->host->memory, out);
}

static bool wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile_has_vga(profile);
}

const struct device_type vga_device = {
	.name = "VGA",
	.size = sizeof(struct vga),
	.wanted = wanted,
	.check = check_bios,
	.create = create_vga,
	.version = 1,
	.saved = sizeof(struct vga_registers),
	.save = save_device,
	.load = load_device,
	.screen = show,
};
