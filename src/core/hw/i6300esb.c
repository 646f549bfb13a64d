/*
 * A watchdog with two stages. Registers on vCPU threads, its time on the guest's I/O thread.
 *
 * Intel 6300ESB I/O Controller Hub data sheet § 16 (WDT). The end of the first stage sets the
 * status and no more: its interrupt would go to a second IOAPIC, or be an SMI. In free running
 * mode only a pin would change, which leads nowhere, so that no time runs.
 */
#include "core/hw/i6300esb.h"

#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mutex.h"
#include "core/bus/pci.h"

#define VENDOR_INTEL 0x8086
#define DEVICE_6300ESB_WDT 0x25ab
#define CLASS_OTHER 0x088000
#define BAR_SIZE 4096

/* Configuration space */
#define CONFIG 0x60
#define CONFIG_NO_OUTPUT 0x20u /* the end of the second stage does nothing */
#define CONFIG_FAST 0x04u      /* 1 MHz, not 1 kHz */
#define CONFIG_INTERRUPT 0x03u
#define LOCK 0x68
#define LOCK_FREE_RUNNING 0x04u
#define LOCK_ENABLE 0x02u
#define LOCK_LOCKED 0x01u
#define LOCK_MODE (LOCK_ENABLE | LOCK_FREE_RUNNING)

/* The BAR */
enum { REG_PRELOAD_1 = 0x0, REG_PRELOAD_2 = 0x4, REG_INTERRUPT = 0x8, REG_RELOAD = 0xc };

#define PRELOAD_MAX 0xfffffu
#define INTERRUPT_ACTIVE 0x01u
#define RELOAD_NOW 0x0100u
#define RELOAD_EXPIRED 0x0200u /* written: it is forgotten */
#define UNLOCK_FIRST 0x80u
#define UNLOCK_SECOND 0x86u
#define UNLOCKED 2

/* The PCI clock, which is divided by 2^15 or 2^5. */
#define PCI_HZ 33000000ull
#define SHIFT_SLOW 15
#define SHIFT_FAST 5

/* One that is only reported may expire again and again. */
#define REPORT_PACE (60 * NS_PER_S)

struct i6300esb {
	struct pci_function function;
	struct device_host *host;
	struct loop_timer timer;
	struct loop_task task; /* sets the timer anew */
	struct mutex lock;     /* guards what follows; behind pci.lock */
	uint32_t preload[2];
	uint8_t stage, unlocked, interrupt, expired;
	uint8_t mode; /* bits of LOCK_MODE as they were last */
	bool runs;	     /* the machine does */
	uint64_t due;	     /* of the stage, CLOCK_MONOTONIC, ns */
	uint64_t left;	     /* the same while the machine does not run, from then on */
	uint64_t report_due; /* not reported before; the I/O thread's */
};

static struct i6300esb *watchdog_of(struct pci_function *function)
{
	return container_of(function, struct i6300esb, function);
}

static uint64_t stage_ns(const struct i6300esb *dog, uint8_t stage)
{
	bool fast = dog->function.config[CONFIG] & CONFIG_FAST;

	return ((uint64_t)dog->preload[stage - 1] << (fast ? SHIFT_FAST : SHIFT_SLOW)) *
	       (NS_PER_S / 1000000) / (PCI_HZ / 1000000);
}

/* Begins a stage, or 0: none. Lock held; the timer is to be set then. */
static void begin(struct i6300esb *dog, uint8_t stage)
{
	dog->stage = stage;
	if (stage)
		dog->due = clock_monotonic() + stage_ns(dog, stage);
}

/* vCPU thread, lock held: from the first stage on, if its time is to run at all. */
static void restart(struct i6300esb *dog)
{
	begin(dog, dog->mode == LOCK_ENABLE ? 1 : 0);
	loop_post(dog->host->loop, &dog->task);
}

/* --- its time: I/O thread --- */

/* Lock held. */
static void set_timer(struct i6300esb *dog)
{
	uint64_t now = clock_monotonic();

	if (dog->stage && dog->runs)
		loop_timer_set(dog->host->loop, &dog->timer, dog->due > now ? dog->due - now : 0);
	else
		loop_timer_cancel(dog->host->loop, &dog->timer);
}

static void run_task(void *arg)
{
	struct i6300esb *dog = arg;

	mutex_lock(&dog->lock);
	set_timer(dog);
	mutex_unlock(&dog->lock);
}

static void bite(struct i6300esb *dog)
{
	enum profile_remedy remedy = dog->host->profile->watchdog;
	uint64_t now = clock_monotonic();

	if (remedy == REMEDY_REPORT && now < dog->report_due)
		return;
	dog->report_due = now + REPORT_PACE;
	*dog->host->watchdog_reset = remedy == REMEDY_RESET;
	dog->host->remedy(dog->host, remedy, "its watchdog has waited in vain for a sign of life");
}

static void expire(void *arg)
{
	struct i6300esb *dog = arg;
	bool bites = false;

	mutex_lock(&dog->lock);
	/* The guest may have restarted it meanwhile. */
	if (dog->stage && dog->runs && clock_monotonic() >= dog->due) {
		if (dog->stage == 1) {
			dog->interrupt = 1;
			begin(dog, 2);
		} else {
			dog->expired = 1;
			begin(dog, 0);
			bites = !(dog->function.config[CONFIG] & CONFIG_NO_OUTPUT);
		}
	}
	set_timer(dog);
	mutex_unlock(&dog->lock);
	if (bites)
		bite(dog);
}

static void start(struct device *device)
{
	struct i6300esb *dog = device->state;

	mutex_lock(&dog->lock);
	dog->runs = true;
	dog->due = clock_monotonic() + dog->left;
	set_timer(dog);
	mutex_unlock(&dog->lock);
}

static bool stop(struct device *device)
{
	struct i6300esb *dog = device->state;
	uint64_t now = clock_monotonic();

	mutex_lock(&dog->lock);
	if (dog->runs)
		dog->left = dog->stage && dog->due > now ? dog->due - now : 0;
	dog->runs = false;
	set_timer(dog);
	mutex_unlock(&dog->lock);
	return true;
}

/* --- registers: vCPU threads --- */

/* A locked watchdog stays as it is until the machine is reset. pci.lock held. */
static void hold_lock(struct i6300esb *dog)
{
	if (dog->function.config[LOCK] & LOCK_LOCKED)
		dog->function.writable[LOCK] = 0;
}

static void config_written(struct pci_function *function, unsigned offset, unsigned length)
{
	struct i6300esb *dog = watchdog_of(function);
	uint8_t mode = function->config[LOCK] & LOCK_MODE;

	if (!range_overlap(offset, length, LOCK, 1))
		return;
	mutex_lock(&dog->lock);
	if (mode != dog->mode) {
		dog->mode = mode;
		restart(dog);
	}
	mutex_unlock(&dog->lock);
	hold_lock(dog);
}

static void dog_read(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
		     unsigned length)
{
	struct i6300esb *dog = watchdog_of(function);
	uint32_t registers[4] = { 0 };

	(void)bar;
	memset(data, 0, length);
	if (!range_inside(offset, length, sizeof(registers)))
		return;
	mutex_lock(&dog->lock);
	registers[REG_PRELOAD_1 / 4] = dog->preload[0];
	registers[REG_PRELOAD_2 / 4] = dog->preload[1];
	registers[REG_INTERRUPT / 4] = dog->interrupt;
	registers[REG_RELOAD / 4] = dog->expired ? RELOAD_EXPIRED : 0;
	mutex_unlock(&dog->lock);
	memcpy(data, (const uint8_t *)registers + offset, length);
}

/* A write that the sequence before it allowed, once. Lock held. */
static void write_unlocked(struct i6300esb *dog, uint64_t offset, uint32_t value)
{
	if (offset == REG_PRELOAD_1 || offset == REG_PRELOAD_2) {
		dog->preload[offset / 4] = value & PRELOAD_MAX;
	} else if (offset == REG_RELOAD) {
		if (value & RELOAD_EXPIRED)
			dog->expired = 0;
		if (value & RELOAD_NOW)
			restart(dog);
	}
}

static void dog_write(struct pci_function *function, unsigned bar, uint64_t offset,
		      const void *data, unsigned length)
{
	struct i6300esb *dog = watchdog_of(function);
	uint32_t value = 0;

	(void)bar;
	memcpy(&value, data, length < sizeof(value) ? length : sizeof(value));
	mutex_lock(&dog->lock);
	if (offset == REG_RELOAD && value == UNLOCK_FIRST) {
		dog->unlocked = 1;
	} else if (offset == REG_RELOAD && value == UNLOCK_SECOND && dog->unlocked == 1) {
		dog->unlocked = UNLOCKED;
	} else if (offset == REG_INTERRUPT) {
		if (value & INTERRUPT_ACTIVE)
			dog->interrupt = 0;
	} else {
		if (dog->unlocked == UNLOCKED)
			write_unlocked(dog, offset, value);
		dog->unlocked = 0;
	}
	mutex_unlock(&dog->lock);
}

static const struct pci_function_ops dog_ops = {
	.name = "watchdog",
	.bar_read = dog_read,
	.bar_write = dog_write,
	.config_written = config_written,
};

/* --- the row --- */

static bool wanted(const struct profile *profile, unsigned number)
{
	(void)number;
	return profile->watchdog != REMEDY_NONE;
}

static int create(struct device *device, struct cause *cause)
{
	struct i6300esb *dog = device->state;
	struct pci_function *function = &dog->function;

	dog->host = device->host;
	dog->timer = (struct loop_timer){ .fire = expire, .arg = dog };
	dog->task = (struct loop_task){ .run = run_task, .arg = dog };
	dog->preload[0] = dog->preload[1] = PRELOAD_MAX;
	/* The system that begins then asks what reset the machine. */
	dog->expired = *dog->host->watchdog_reset;
	*dog->host->watchdog_reset = false;
	pci_function_init(function, &dog_ops, VENDOR_INTEL, DEVICE_6300ESB_WDT, CLASS_OTHER);
	pci_add_bar(function, 0, PCI_BAR_MEMORY, BAR_SIZE);
	function->config[PCI_INTERRUPT_PIN] = 0;
	function->writable[CONFIG] = CONFIG_NO_OUTPUT | CONFIG_FAST | CONFIG_INTERRUPT;
	function->writable[LOCK] = LOCK_FREE_RUNNING | LOCK_ENABLE | LOCK_LOCKED;
	return pci_add(device->host->pci, function, device->slot, cause);
}

static void destroy(struct device *device)
{
	struct i6300esb *dog = device->state;

	loop_unpost(dog->host->loop, &dog->task);
	loop_timer_cancel(dog->host->loop, &dog->timer);
	pci_remove(&dog->function);
}

static void save(struct device *device, void *to)
{
	struct i6300esb_registers *registers = to;
	struct i6300esb *dog = device->state;

	pci_function_save(&dog->function, &registers->pci);
	mutex_lock(&dog->lock);
	memcpy(registers->preload, dog->preload, sizeof(registers->preload));
	registers->stage = dog->stage;
	registers->unlocked = dog->unlocked;
	registers->interrupt = dog->interrupt;
	registers->expired = dog->expired;
	registers->left = dog->left;
	mutex_unlock(&dog->lock);
}

static const char *find_wrong(const struct i6300esb_registers *registers)
{
	uint8_t lock = registers->pci.config[LOCK];

	if (registers->preload[0] > PRELOAD_MAX || registers->preload[1] > PRELOAD_MAX)
		return "preload";
	if (registers->stage > 2 || (registers->stage && (lock & LOCK_MODE) != LOCK_ENABLE))
		return "stage";
	if (registers->unlocked > UNLOCKED)
		return "unlocking";
	if (registers->interrupt > 1 || registers->expired > 1)
		return "status";
	if (registers->left > ((uint64_t)PRELOAD_MAX << SHIFT_SLOW) * 1000 / (PCI_HZ / 1000000))
		return "time";
	return NULL;
}

static const char *load(struct device *device, const void *from)
{
	const struct i6300esb_registers *registers = from;
	struct i6300esb *dog = device->state;
	const char *wrong = find_wrong(registers);

	if (!wrong)
		wrong = pci_function_load(&dog->function, &registers->pci);
	if (wrong)
		return wrong;
	memcpy(dog->preload, registers->preload, sizeof(dog->preload));
	dog->stage = registers->stage;
	dog->unlocked = registers->unlocked;
	dog->interrupt = registers->interrupt;
	dog->expired = registers->expired;
	dog->left = registers->left;
	dog->mode = dog->function.config[LOCK] & LOCK_MODE;
	hold_lock(dog);
	return NULL;
}

const struct device_type i6300esb_device = {
	.name = "watchdog",
	.size = sizeof(struct i6300esb),
	.pci = true,
	.wanted = wanted,
	.create = create,
	.destroy = destroy,
	.start = start,
	.stop = stop,
	.version = 1,
	.saved = sizeof(struct i6300esb_registers),
	.save = save,
	.load = load,
};
