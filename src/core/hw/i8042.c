/*
 * An 8042 without mouse. vCPU threads, and whoever types.
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary
 * Device Controller". A byte for a device that is not there is answered as the
 * controller does on a time-out: 0xfe with the time-out bit. The auxiliary
 * port fails its test, so that no driver waits for a mouse.
 */
#include "core/hw/i8042.h"

#include <string.h>

#include "core/bus/platform.h"
#include "core/kvm/irq.h"
#include "core/profile/profile.h"

#define STATUS_OUTPUT 0x01u
#define STATUS_SYSTEM 0x04u
#define STATUS_COMMAND 0x08u
#define STATUS_UNLOCKED 0x10u
#define STATUS_AUX 0x20u
#define STATUS_TIMEOUT 0x40u
#define STATUS_BITS                                                                     \
	(STATUS_OUTPUT | STATUS_SYSTEM | STATUS_COMMAND | STATUS_UNLOCKED | STATUS_AUX | \
	 STATUS_TIMEOUT)

#define MODE_KEYBOARD_IRQ 0x01u
#define MODE_SYSTEM 0x04u
#define MODE_KEYBOARD_OFF 0x10u
#define MODE_AUX_OFF 0x20u
#define MODE_TRANSLATE 0x40u

#define PORT_NO_RESET 0x01u
#define PORT_A20 0x02u

enum {
	COMMAND_READ_RAM = 0x20,  /* to 0x3f */
	COMMAND_WRITE_RAM = 0x60, /* to 0x7f */
	COMMAND_AUX_OFF = 0xa7,
	COMMAND_AUX_ON = 0xa8,
	COMMAND_AUX_TEST = 0xa9,
	COMMAND_SELF_TEST = 0xaa,
	COMMAND_KEYBOARD_TEST = 0xab,
	COMMAND_KEYBOARD_OFF = 0xad,
	COMMAND_KEYBOARD_ON = 0xae,
	COMMAND_READ_PORT = 0xd0,
	COMMAND_WRITE_PORT = 0xd1,
	COMMAND_KEYBOARD_LOOP = 0xd2,
	COMMAND_AUX_LOOP = 0xd3,
	COMMAND_AUX_WRITE = 0xd4,
	COMMAND_PULSE = 0xf0, /* to 0xff: pulls the lines whose bit is 0 */
};

#define SELF_TEST_GOOD 0x55
#define KEYBOARD_TEST_GOOD 0x00
#define AUX_TEST_BAD 0x02 /* clock line stuck high */
#define DEVICE_TIMEOUT 0xfe

#define RELEASED 0xf0 /* before a code of set 2 */
#define SET1_RELEASED 0x80u

static void update_line(struct i8042 *chip)
{
	bool level = (chip->regs.status & STATUS_OUTPUT) && !(chip->regs.status & STATUS_AUX) &&
		     (chip->regs.ram[0] & MODE_KEYBOARD_IRQ);

	if (level == chip->line)
		return;
	chip->line = level;
	if (chip->wires.irq)
		chip->wires.irq(chip->wires.arg, level);
}

static void answer(struct i8042 *chip, uint8_t value, uint8_t flags)
{
	chip->regs.output = value;
	chip->regs.status &= (uint8_t)~(STATUS_AUX | STATUS_TIMEOUT);
	chip->regs.status |= STATUS_OUTPUT | flags;
}

/* False: the byte says something about the one that follows. */
static bool translate(struct i8042 *chip, uint8_t *value)
{
	if (!(chip->regs.ram[0] & MODE_TRANSLATE))
		return true;
	if (*value == RELEASED) {
		chip->regs.released = 1;
		return false;
	}
	*value = ps2_translate(*value);
	if (chip->regs.released)
		*value |= SET1_RELEASED;
	chip->regs.released = 0;
	return true;
}

/* Takes the keyboard's next byte, when there is one and room for it. */
static void take_byte(struct i8042 *chip)
{
	uint8_t value;

	if (!chip->plugged || chip->regs.status & STATUS_OUTPUT ||
	    chip->regs.ram[0] & MODE_KEYBOARD_OFF)
		return;
	while (ps2_keyboard_read(&chip->regs.keyboard, &value)) {
		if (!translate(chip, &value))
			continue;
		answer(chip, value, 0);
		return;
	}
}

/* Whether the guest pulled the reset line. */
static bool write_port(struct i8042 *chip, uint8_t value)
{
	chip->regs.output_port = value | PORT_NO_RESET;
	return !(value & PORT_NO_RESET);
}

static void write_mode(struct i8042 *chip, uint8_t value)
{
	chip->regs.ram[0] = value;
	chip->regs.status &= (uint8_t)~STATUS_SYSTEM;
	if (value & MODE_SYSTEM)
		chip->regs.status |= STATUS_SYSTEM;
}

/* Whether the guest pulled the reset line. */
static bool write_command(struct i8042 *chip, uint8_t command)
{
	chip->regs.status |= STATUS_COMMAND;
	chip->regs.command = 0;
	switch (command) {
	case COMMAND_READ_RAM ... COMMAND_READ_RAM + I8042_RAM - 1:
		answer(chip, chip->regs.ram[command - COMMAND_READ_RAM], 0);
		break;
	case COMMAND_WRITE_RAM ... COMMAND_WRITE_RAM + I8042_RAM - 1:
	case COMMAND_WRITE_PORT:
	case COMMAND_KEYBOARD_LOOP:
	case COMMAND_AUX_LOOP:
	case COMMAND_AUX_WRITE:
		chip->regs.command = command;
		break;
	case COMMAND_AUX_OFF:
		chip->regs.ram[0] |= MODE_AUX_OFF;
		break;
	case COMMAND_AUX_ON:
		chip->regs.ram[0] &= (uint8_t)~MODE_AUX_OFF;
		break;
	case COMMAND_AUX_TEST:
		answer(chip, AUX_TEST_BAD, 0);
		break;
	case COMMAND_SELF_TEST:
		write_mode(chip, chip->regs.ram[0] | MODE_SYSTEM);
		answer(chip, SELF_TEST_GOOD, 0);
		break;
	case COMMAND_KEYBOARD_TEST:
		answer(chip, KEYBOARD_TEST_GOOD, 0);
		break;
	case COMMAND_KEYBOARD_OFF:
		chip->regs.ram[0] |= MODE_KEYBOARD_OFF;
		break;
	case COMMAND_KEYBOARD_ON:
		chip->regs.ram[0] &= (uint8_t)~MODE_KEYBOARD_OFF;
		break;
	case COMMAND_READ_PORT:
		answer(chip, chip->regs.output_port, 0);
		break;
	case COMMAND_PULSE ... 0xff:
		return !(command & PORT_NO_RESET);
	}
	return false;
}

/* Whether the guest pulled the reset line. */
static bool write_data(struct i8042 *chip, uint8_t value)
{
	uint8_t command = chip->regs.command;

	chip->regs.status &= (uint8_t)~STATUS_COMMAND;
	chip->regs.command = 0;
	switch (command) {
	case COMMAND_WRITE_RAM:
		write_mode(chip, value);
		break;
	case COMMAND_WRITE_RAM + 1 ... COMMAND_WRITE_RAM + I8042_RAM - 1:
		chip->regs.ram[command - COMMAND_WRITE_RAM] = value;
		break;
	case COMMAND_WRITE_PORT:
		return write_port(chip, value);
	case COMMAND_KEYBOARD_LOOP:
	case COMMAND_AUX_LOOP: /* not marked as the auxiliary device's: there is no such port */
		answer(chip, value, 0);
		break;
	case COMMAND_AUX_WRITE:
		answer(chip, DEVICE_TIMEOUT, STATUS_AUX | STATUS_TIMEOUT);
		break;
	default:
		chip->regs.ram[0] &= (uint8_t)~MODE_KEYBOARD_OFF;
		if (chip->plugged)
			ps2_keyboard_write(&chip->regs.keyboard, value);
		else
			answer(chip, DEVICE_TIMEOUT, STATUS_TIMEOUT);
	}
	return false;
}

static void data_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct i8042 *chip = device;

	(void)offset;
	(void)length;
	mutex_lock(&chip->lock);
	*(uint8_t *)data = chip->regs.output;
	chip->regs.status &= (uint8_t)~(STATUS_OUTPUT | STATUS_AUX | STATUS_TIMEOUT);
	update_line(chip); /* each byte is an edge of its own */
	take_byte(chip);
	update_line(chip);
	mutex_unlock(&chip->lock);
}

static void status_read(void *device, uint64_t offset, void *data, unsigned length)
{
	struct i8042 *chip = device;

	(void)offset;
	(void)length;
	mutex_lock(&chip->lock);
	*(uint8_t *)data = chip->regs.status;
	mutex_unlock(&chip->lock);
}

static void write_byte(struct i8042 *chip, bool (*write)(struct i8042 *, uint8_t), uint8_t value)
{
	bool reset;

	mutex_lock(&chip->lock);
	reset = write(chip, value);
	take_byte(chip);
	update_line(chip);
	mutex_unlock(&chip->lock);
	if (reset)
		chip->wires.reset(chip->wires.arg);
}

static void data_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	(void)offset;
	(void)length;
	write_byte(device, write_data, *(const uint8_t *)data);
}

static void command_write(void *device, uint64_t offset, const void *data, unsigned length)
{
	(void)offset;
	(void)length;
	write_byte(device, write_command, *(const uint8_t *)data);
}

/* Each is a range of one port, so that an access is one byte. */
static const struct bus_ops data_ops = { "keyboard controller data", data_read, data_write };
static const struct bus_ops command_ops = { "keyboard controller", status_read, command_write };

int i8042_init(struct i8042 *chip, struct bus *bus, uint64_t port,
	       const struct i8042_wires *wires, bool keyboard, struct cause *cause)
{
	int range = bus_add(bus, port, 1, &data_ops, chip, cause);

	if (range >= 0)
		range = bus_add(bus, port + 4, 1, &command_ops, chip, cause);
	if (range < 0)
		return range;
	memset(chip, 0, sizeof(*chip));
	chip->wires = *wires;
	chip->plugged = keyboard;
	i8042_reset(chip);
	return 0;
}

void i8042_reset(struct i8042 *chip)
{
	mutex_lock(&chip->lock);
	memset(chip->regs.ram, 0, sizeof(chip->regs.ram));
	chip->regs.ram[0] = MODE_TRANSLATE | MODE_AUX_OFF | MODE_KEYBOARD_OFF;
	chip->regs.status = STATUS_UNLOCKED;
	chip->regs.output = 0;
	chip->regs.output_port = PORT_NO_RESET | PORT_A20;
	chip->regs.command = 0;
	chip->regs.released = 0;
	ps2_keyboard_reset(&chip->regs.keyboard);
	update_line(chip);
	mutex_unlock(&chip->lock);
}

size_t i8042_type(struct i8042 *chip, const uint8_t *text, size_t size)
{
	size_t taken = 0;

	if (!chip->plugged)
		return 0;
	mutex_lock(&chip->lock);
	taken = ps2_keyboard_type(&chip->regs.keyboard, text, size);
	take_byte(chip);
	update_line(chip);
	mutex_unlock(&chip->lock);
	return taken;
}

void i8042_save(struct i8042 *chip, struct i8042_registers *registers)
{
	mutex_lock(&chip->lock);
	*registers = chip->regs;
	mutex_unlock(&chip->lock);
}

/* Whether it is one that waits for a data byte, or none. */
static bool may_wait(uint8_t command)
{
	return !command || (command & ~(I8042_RAM - 1)) == COMMAND_WRITE_RAM ||
	       (command >= COMMAND_WRITE_PORT && command <= COMMAND_AUX_WRITE);
}

const char *i8042_load(struct i8042 *chip, const struct i8042_registers *registers)
{
	if ((registers->status & ~STATUS_BITS) || !(registers->status & STATUS_UNLOCKED))
		return "status";
	if (!(registers->output_port & PORT_NO_RESET))
		return "output port";
	if (!may_wait(registers->command))
		return "command";
	if (registers->released > 1 || !ps2_keyboard_possible(&registers->keyboard))
		return "keyboard";
	mutex_lock(&chip->lock);
	chip->regs = *registers;
	update_line(chip);
	mutex_unlock(&chip->lock);
	return NULL;
}

static void set_line(void *arg, bool level)
{
	const struct device_host *host = arg;

	irq_set_line(host->irq, PLATFORM_KEYBOARD_GSI, level);
}

/* Where there is none, UEFI firmware waits for it for half a minute. */
static bool has_keyboard(const struct profile *profile)
{
	return profile_has_vga(profile) || profile_firmware(profile) == FIRMWARE_UEFI;
}

/* Without a keyboard nothing raises the interrupt but a controller that is tested. */
static int create_i8042(struct device *device, struct cause *cause)
{
	struct device_host *host = device->host;
	bool keyboard = has_keyboard(host->profile);
	const struct i8042_wires wires = { keyboard ? set_line : NULL, host->reset, host };

	return i8042_init(device->state, host->io, PLATFORM_I8042_PORT, &wires, keyboard, cause);
}

static size_t type_on_keyboard(struct device *device, const uint8_t *text, size_t size)
{
	return i8042_type(device->state, text, size);
}

static void save_i8042(struct device *device, void *registers)
{
	i8042_save(device->state, registers);
}

static const char *load_i8042(struct device *device, const void *registers)
{
	return i8042_load(device->state, registers);
}

const struct device_type i8042_device = {
	.name = "keyboard controller",
	.size = sizeof(struct i8042),
	.create = create_i8042,
	.version = 2,
	.saved = sizeof(struct i8042_registers),
	.save = save_i8042,
	.load = load_i8042,
	.keys = type_on_keyboard,
};
