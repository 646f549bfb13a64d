/*
 * The PHY of the 82574 and its EEPROM. IEEE 802.3 § 22.2.4 (registers 0 to 15), Intel 82574
 * datasheet § 6 (EEPROM), § 10.2.2 (MDIC, EERD). The link is there as long as the PHY has
 * power and the cable is in, at 1000 Mb/s, and negotiated at once. vCPU threads; e1000e.lock held.
 */
#include "core/hw/e1000e_private.h"

#include "base/checked.h"

#define MDIC_REGISTER(value) ((value) >> 16 & 0x1f)
#define MDIC_PHY(value) ((value) >> 21 & 0x1f)
#define MDIC_WRITE 0x04000000u
#define MDIC_READ 0x08000000u
#define MDIC_READY 0x10000000u
#define MDIC_INTERRUPT 0x20000000u
#define MDIC_ERROR 0x40000000u
#define PHY_ADDRESS 1u

#define PHY_CONTROL 0
#define PHY_STATUS 1
#define PHY_COPPER_STATUS 17
#define PHY_PAGE 22
#define CONTROL_RESET 0x8000
#define CONTROL_POWER_DOWN 0x0800
#define CONTROL_RESTART 0x0200
#define STATUS_UP 0x0024	/* link, negotiated */
#define COPPER_STATUS_UP 0x0c08 /* speed and duplex known, link */

/* What the PHY is after a reset, and which bits the driver may change. */
static const struct {
	uint16_t value, bits;
} phy_registers[E1000E_PHY_REGISTERS] = {
	[PHY_CONTROL] = { 0x1140, 0x7d80 },
	[PHY_STATUS] = { 0x7949 | STATUS_UP, 0 },
	[2] = { 0x0141, 0 }, /* identifier */
	[3] = { 0x0cb1, 0 },
	[4] = { 0x0de1, 0xffff }, /* what we advertise */
	[5] = { 0xcde1, 0 },	  /* and the other side */
	[6] = { 0x000f, 0 },
	[7] = { 0x2001, 0xffff },
	[9] = { 0x0f00, 0xffff }, /* 1000 Mb/s */
	[10] = { 0x7c00, 0 },
	[15] = { 0x3000, 0 },
	[16] = { 0x0078, 0xffff }, /* copper control */
	[PHY_COPPER_STATUS] = { 0xa000 | COPPER_STATUS_UP, 0 },
	[18] = { 0, 0xffff }, /* interrupts of its own */
	[20] = { 0x0060, 0xffff },
	[PHY_PAGE] = { 0, 0x00ff },
	[25] = { 0, 0xffff },
	[26] = { 0, 0xffff },
	[29] = { 0, 0xffff },
	[30] = { 0, 0xffff },
};

uint16_t e1000e_phy_bits(unsigned number)
{
	return phy_registers[number].bits;
}

uint16_t e1000e_phy_default(unsigned number)
{
	return phy_registers[number].value;
}

bool e1000e_link_is_up(const struct e1000e *nic)
{
	return !(nic->phy[PHY_CONTROL] & CONTROL_POWER_DOWN) && !nic->unplugged;
}

void e1000e_tell_link(struct e1000e *nic)
{
	e1000e_update_receiving(nic);
	if (!(nic->phy[PHY_CONTROL] & CONTROL_POWER_DOWN))
		e1000e_raise(nic, CAUSE_LSC);
}

void e1000e_set_link(void *backend, bool up)
{
	struct e1000e *nic = backend;

	pthread_mutex_lock(&nic->lock);
	if (nic->unplugged == up) {
		nic->unplugged = !up;
		e1000e_tell_link(nic);
	}
	e1000e_unlock(nic);
}

void e1000e_phy_reset(struct e1000e *nic)
{
	for (unsigned i = 0; i < E1000E_PHY_REGISTERS; i++)
		nic->phy[i] = phy_registers[i].value;
}

/* Whether the register is there: those of other pages than the first are not. */
static bool is_shown(const struct e1000e *nic, unsigned number)
{
	return number < 16 || number == PHY_PAGE || !nic->phy[PHY_PAGE];
}

static uint16_t read_phy(const struct e1000e *nic, unsigned number)
{
	uint16_t value = nic->phy[number];

	if (!is_shown(nic, number))
		return 0;
	if (number == PHY_STATUS && !e1000e_link_is_up(nic))
		return (uint16_t)(value & ~STATUS_UP);
	if (number == PHY_COPPER_STATUS && !e1000e_link_is_up(nic))
		return (uint16_t)(value & ~COPPER_STATUS_UP);
	return value;
}

static void write_phy(struct e1000e *nic, unsigned number, uint16_t value)
{
	uint16_t bits = phy_registers[number].bits;
	bool was_up = e1000e_link_is_up(nic);

	if (!is_shown(nic, number))
		return;
	nic->phy[number] = (uint16_t)((nic->phy[number] & ~bits) | (value & bits));
	if (number != PHY_CONTROL)
		return;
	if (value & CONTROL_RESET)
		e1000e_phy_reset(nic);
	e1000e_update_receiving(nic);
	if (e1000e_link_is_up(nic) != was_up || (value & (CONTROL_RESET | CONTROL_RESTART)))
		e1000e_raise(nic, CAUSE_LSC);
}

void e1000e_write_mdic(struct e1000e *nic, uint32_t value)
{
	unsigned number = MDIC_REGISTER(value);

	value = (value & ~MDIC_ERROR) | MDIC_READY;
	if (MDIC_PHY(value) != PHY_ADDRESS)
		value |= MDIC_ERROR;
	else if (value & MDIC_READ)
		value = (value & 0xffff0000) | read_phy(nic, number);
	else if (value & MDIC_WRITE)
		write_phy(nic, number, (uint16_t)value);
	nic->reg[REG_MDIC] = value;
	if (value & MDIC_INTERRUPT)
		e1000e_raise(nic, CAUSE_MDAC);
}

/* --- the EEPROM: it cannot be written --- */

#define EEPROM_WORDS 64u /* as EECD says by a size of 0 */
#define EEPROM_SUM 0xbaba
#define EERD_START 0x1u
#define EERD_DONE 0x2u

static uint16_t content(const struct e1000e *nic, unsigned word)
{
	uint16_t value = 0;

	switch (word) {
	case 0:
	case 1:
	case 2:
		memcpy(&value, nic->mac + 2 * word, sizeof(value));
		return value;
	case 0x0b:
	case 0x0d:
		memcpy(&value, nic->function.config + PCI_DEVICE_ID, sizeof(value));
		return value;
	case 0x0c:
	case 0x0e:
		memcpy(&value, nic->function.config + PCI_VENDOR_ID, sizeof(value));
		return value;
	default:
		return 0;
	}
}

static uint16_t read_eeprom(const struct e1000e *nic, unsigned word)
{
	uint16_t sum = EEPROM_SUM;

	if (word != EEPROM_WORDS - 1)
		return content(nic, word);
	for (unsigned i = 0; i < word; i++)
		sum = (uint16_t)(sum - content(nic, i));
	return sum;
}

void e1000e_write_eerd(struct e1000e *nic, uint32_t value)
{
	unsigned word = value >> 2 & 0x3fff;

	nic->reg[REG_EERD] = word << 2;
	if ((value & EERD_START) && word < EEPROM_WORDS)
		nic->reg[REG_EERD] |= EERD_DONE | (uint32_t)read_eeprom(nic, word) << 16;
}
