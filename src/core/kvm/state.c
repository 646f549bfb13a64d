/*
 * What the kernel keeps of a machine as a whole: 8259A pair, I/O APIC, 8254 and
 * kvmclock. KVM api.rst §4.26, §4.27, §4.29, §4.30, §4.71, §4.72.
 */
#include "core/kvm/state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/checked.h"

#define VERSION 1

#define IOAPIC_BASE 0xfec00000u
#define PIT_COUNT_MAX 0x10000u
#define PIT_MODE_NONE 0xff /* not yet programmed */

/* --- one part --- */

static bool has_part(const struct kvm_host *kvm, const struct kvm_part *part)
{
	return !part->capability || ioctl(kvm->fd, KVM_CHECK_EXTENSION, part->capability) > 0;
}

int kvm_save_part(const struct kvm_host *kvm, int fd, const struct kvm_part *part,
		  const char *scope, struct state_writer *writer, struct cause *cause)
{
	_Alignas(16) uint8_t data[KVM_PART_MAX] = { 0 };
	char record[STATE_NAME_MAX];

	if (!has_part(kvm, part))
		return 0;
	snprintf(record, sizeof(record), "%s/%s", scope, part->name);
	memcpy(data, &part->id, sizeof(part->id));
	if (ioctl(fd, part->get, data) < 0)
		return cause_errno(cause, errno, "%s: KVM does not give it", record);
	if (part->tidy)
		part->tidy(data);
	state_put(writer, record, VERSION, data, part->size);
	return 0;
}

int kvm_load_part(const struct kvm_host *kvm, int fd, const struct kvm_part *part,
		  const char *scope, struct state_reader *reader, struct cause *cause)
{
	_Alignas(16) uint8_t data[KVM_PART_MAX];
	char record[STATE_NAME_MAX];
	int err;

	if (!has_part(kvm, part))
		return 0;
	snprintf(record, sizeof(record), "%s/%s", scope, part->name);
	err = state_get(reader, record, VERSION, data, part->size, cause);
	if (err)
		return err;
	err = part->check ? part->check(data, record, cause) : 0;
	if (err)
		return err;
	if (ioctl(fd, part->set, data) < 0)
		return state_refuse(cause, record, "KVM refuses it: %s", strerror(errno));
	return 0;
}

/* --- those of a machine --- */

static int check_chip(const struct kvm_irqchip *chip, uint32_t id, const char *record,
		      struct cause *cause)
{
	if (chip->chip_id != id || chip->pad)
		return state_refuse(cause, record, "it is number %u, not %u", chip->chip_id, id);
	return 0;
}

/* level: the lines that can be level-triggered. */
static int check_pic(const struct kvm_pic_state *pic, uint8_t level, const char *record,
		     struct cause *cause)
{
	if (pic->priority_add > 7 || pic->init_state > 3)
		return state_refuse(cause, record, "state %u, first priority %u", pic->init_state,
				    pic->priority_add);
	if ((pic->read_reg_select | pic->poll | pic->special_mask | pic->auto_eoi |
	     pic->rotate_on_auto_eoi | pic->special_fully_nested_mode | pic->init4) > 1)
		return state_refuse(cause, record, "a switch is neither on nor off");
	if (pic->elcr_mask != level || (pic->elcr & ~level))
		return state_refuse(cause, record, "level-triggered lines 0x%x of 0x%x", pic->elcr,
				    pic->elcr_mask);
	return 0;
}

static int check_master(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_irqchip *chip = data;
	int err = check_chip(chip, KVM_IRQCHIP_PIC_MASTER, record, cause);

	/* Not timer, keyboard and cascade. */
	return err ? err : check_pic(&chip->chip.pic, 0xf8, record, cause);
}

static int check_slave(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_irqchip *chip = data;
	int err = check_chip(chip, KVM_IRQCHIP_PIC_SLAVE, record, cause);

	/* Not RTC and FPU. */
	return err ? err : check_pic(&chip->chip.pic, 0xde, record, cause);
}

static int check_ioapic(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_irqchip *chip = data;
	const struct kvm_ioapic_state *ioapic = &chip->chip.ioapic;
	int err = check_chip(chip, KVM_IRQCHIP_IOAPIC, record, cause);

	if (err)
		return err;
	if (ioapic->pad || ioapic->base_address != IOAPIC_BASE)
		return state_refuse(cause, record, "it is not at 0x%x", IOAPIC_BASE);
	if (ioapic->ioregsel > 0xff || ioapic->id > 0xf || ioapic->irr >> KVM_IOAPIC_NUM_PINS)
		return state_refuse(cause, record, "index 0x%x, ID 0x%x, requests 0x%x",
				    ioapic->ioregsel, ioapic->id, ioapic->irr);
	return 0;
}

static int check_pit(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_pit_state2 *pit = data;

	for (unsigned i = 0; i < ARRAY_SIZE(pit->channels); i++) {
		const struct kvm_pit_channel_state *channel = &pit->channels[i];

		if (channel->count > PIT_COUNT_MAX ||
		    (channel->mode > 5 && channel->mode != PIT_MODE_NONE))
			return state_refuse(cause, record, "channel %u: count %u in mode %u", i,
					    channel->count, channel->mode);
		if (channel->read_state > 4 || channel->write_state > 4 || channel->rw_mode > 3 ||
		    channel->count_latched > 4 || channel->status_latched > 1 ||
		    channel->bcd > 1 || channel->gate > 1)
			return state_refuse(cause, record, "channel %u: no state that it can be in",
					    i);
	}
	/* There is no HPET that could take its place. */
	if (pit->flags & ~KVM_PIT_FLAGS_SPEAKER_DATA_ON)
		return state_refuse(cause, record, "flags 0x%x", pit->flags);
	return 0;
}

static void tidy_clock(void *data)
{
	struct kvm_clock_data *clock = data;

	*clock = (struct kvm_clock_data){ .clock = clock->clock };
}

/* With its flags KVM would add the host's time that has passed; the guest stood still. */
static int check_clock(const void *data, const char *record, struct cause *cause)
{
	const struct kvm_clock_data *clock = data;

	return clock->flags ? state_refuse(cause, record, "flags 0x%x", clock->flags) : 0;
}

#define IRQCHIP(chip, record, checker) \
	{ .name = record, .get = KVM_GET_IRQCHIP, .set = KVM_SET_IRQCHIP, \
	  .size = sizeof(struct kvm_irqchip), .id = chip, .check = checker }

/* In the order of loading: the PIT raises a line of the first ones. */
static const struct kvm_part parts[] = {
	IRQCHIP(KVM_IRQCHIP_PIC_MASTER, "pic0", check_master),
	IRQCHIP(KVM_IRQCHIP_PIC_SLAVE, "pic1", check_slave),
	IRQCHIP(KVM_IRQCHIP_IOAPIC, "ioapic", check_ioapic),
	{ .name = "pit", .get = KVM_GET_PIT2, .set = KVM_SET_PIT2,
	  .size = sizeof(struct kvm_pit_state2), .check = check_pit },
	{ .name = "clock", .get = KVM_GET_CLOCK, .set = KVM_SET_CLOCK,
	  .size = sizeof(struct kvm_clock_data), .tidy = tidy_clock, .check = check_clock },
};

int kvm_save(const struct kvm_host *kvm, int vm_fd, struct state_writer *writer,
	     struct cause *cause)
{
	int err = 0;

	for (unsigned i = 0; !err && i < ARRAY_SIZE(parts); i++)
		err = kvm_save_part(kvm, vm_fd, &parts[i], "kvm", writer, cause);
	return err;
}

int kvm_load(const struct kvm_host *kvm, int vm_fd, struct state_reader *reader,
	     struct cause *cause)
{
	int err = 0;

	for (unsigned i = 0; !err && i < ARRAY_SIZE(parts); i++)
		err = kvm_load_part(kvm, vm_fd, &parts[i], "kvm", reader, cause);
	return err;
}
