/*
 * Interrupts of the 82574: causes and masks, the three ways to the driver, and the
 * intervals that the driver wants between them. Intel 82574 datasheet § 7.4, § 10.2.4.
 * Any thread, e1000e.lock held, except that intervals end on the guest's I/O thread.
 */
#include "core/hw/e1000e_private.h"

#include "base/checked.h"
#include "base/clock.h"

/* With MSI-X, causes that are told by CAUSE_OTHER. */
#define CAUSES_OTHER 0x000f0244u /* LSC, RXO, MDAC, SRPD, ACK, MNG */
#define LINE_BIT (1u << E1000E_LINE)
#define INTERVAL_NS 256u

/* The causes with MSI-X, and where IVAR says which vector each has. */
static const struct {
	uint32_t cause;
	unsigned shift;
} sources[] = {
	{ CAUSE_RXQ0, 0 }, { CAUSE_RXQ0 << 1, 4 }, { CAUSE_TXQ0, 8 }, { CAUSE_TXQ0 << 1, 12 },
	{ CAUSE_OTHER, 16 },
};

#define IVAR_VALID 8u

static uint32_t causes_of(const struct e1000e *nic, unsigned vector)
{
	uint32_t causes = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(sources); i++)
		if ((nic->reg[REG_IVAR] >> sources[i].shift & 0xf) == (IVAR_VALID | vector))
			causes |= sources[i].cause;
	return causes;
}

static bool with_msix(const struct e1000e *nic)
{
	return atomic_load_explicit(&nic->function.msix_enabled, memory_order_relaxed);
}

static bool with_msi(const struct e1000e *nic)
{
	return atomic_load_explicit(&nic->function.msi_enabled, memory_order_relaxed);
}

static uint32_t allowed(const struct e1000e *nic)
{
	return nic->reg[REG_ICR] & nic->reg[REG_IMS];
}

/* A message is on its way: it takes causes with it, as the driver has asked for. */
static void clear_by_message(struct e1000e *nic, uint32_t causes)
{
	uint32_t cleared = causes & nic->reg[REG_EIAC];

	nic->reg[REG_ICR] &= ~cleared;
	if (!(nic->reg[REG_CTRL_EXT] & CTRL_EXT_IAME))
		nic->reg[REG_IMS] &= ~cleared;
	if (nic->reg[REG_CTRL_EXT] & CTRL_EXT_EIAME)
		nic->reg[REG_IMS] &= ~(causes & nic->reg[REG_IAM]);
}

/* Interrupt n is sent, and the next one is not before its interval is over. */
static void send(struct e1000e *nic, unsigned n)
{
	uint32_t interval = nic->reg[n == E1000E_LINE ? REG_ITR : REG_EITR + n];

	nic->held &= ~(1u << n);
	nic->next[n] = interval ? clock_monotonic() + interval * INTERVAL_NS : 0;
	e1000e_count(nic, COUNT_IAC);
	if (n == E1000E_LINE)
		nic->asserted = true;
	else
		clear_by_message(nic, allowed(nic) & causes_of(nic, n));
	if (n != E1000E_LINE || with_msi(nic))
		nic->fire |= 1u << n;
	else
		pci_intx(&nic->function, true);
}

static void want(struct e1000e *nic, unsigned n)
{
	if (!nic->next[n] || clock_monotonic() >= nic->next[n]) {
		send(nic, n);
		return;
	}
	nic->held |= 1u << n;
	loop_post(nic->loop, &nic->held_task);
}

/* Causes or masks have changed. */
static void update(struct e1000e *nic)
{
	uint32_t active = allowed(nic), fresh = active & ~nic->active;

	if (with_msix(nic)) {
		for (unsigned n = 0; fresh && n < E1000E_VECTORS; n++)
			if (fresh & causes_of(nic, n))
				want(nic, n);
	} else if (!active) {
		nic->held &= ~LINE_BIT;
		if (nic->asserted)
			pci_intx(&nic->function, false);
		nic->asserted = false;
	} else if (fresh && (!nic->asserted || with_msi(nic))) {
		want(nic, E1000E_LINE); /* a line that is up says it all */
	}
	nic->active = allowed(nic);
}

void e1000e_raise(struct e1000e *nic, uint32_t causes)
{
	nic->reg[REG_ICR] |= causes & E1000E_CAUSES;
	if (with_msix(nic) && (causes & CAUSES_OTHER))
		nic->reg[REG_ICR] |= CAUSE_OTHER;
	update(nic);
}

/* Whether there is an interrupt that the driver has been told of. */
static bool is_asserted(const struct e1000e *nic)
{
	return allowed(nic) && (nic->asserted || with_msix(nic));
}

static void mask_by_access(struct e1000e *nic)
{
	if (nic->reg[REG_CTRL_EXT] & CTRL_EXT_IAME)
		nic->reg[REG_IMS] &= ~nic->reg[REG_IAM];
}

/*
 * Reading clears it when it was the answer to an interrupt, or when the driver does without
 * them. Where reading masks them as well, one more look, for a line that others share or that
 * was seen twice, must not take causes away that nobody has been told of.
 */
uint32_t e1000e_read_icr(struct e1000e *nic)
{
	uint32_t value = nic->reg[REG_ICR];
	bool asserted = is_asserted(nic);
	bool polled = !nic->reg[REG_IMS] && !(nic->reg[REG_CTRL_EXT] & CTRL_EXT_IAME);

	if (asserted)
		value |= CAUSE_ASSERTED;
	if (asserted || polled)
		nic->reg[REG_ICR] = 0;
	if (asserted)
		mask_by_access(nic);
	update(nic);
	return value;
}

void e1000e_write_icr(struct e1000e *nic, uint32_t value)
{
	if (is_asserted(nic))
		mask_by_access(nic);
	if (value & CAUSE_OTHER)
		value |= CAUSES_OTHER;
	nic->reg[REG_ICR] &= ~value;
	update(nic);
}

void e1000e_write_ims(struct e1000e *nic, uint32_t value)
{
	nic->reg[REG_IMS] |= value & E1000E_CAUSES;
	update(nic);
}

void e1000e_write_imc(struct e1000e *nic, uint32_t value)
{
	nic->reg[REG_IMS] &= ~value;
	update(nic);
}

void e1000e_reset_interrupts(struct e1000e *nic)
{
	nic->active = nic->fire = nic->held = 0;
	nic->asserted = false;
	memset(nic->next, 0, sizeof(nic->next));
	pci_intx(&nic->function, false);
}

void e1000e_interrupt_again(struct e1000e *nic)
{
	nic->active = 0;
	nic->asserted = false;
	update(nic);
	for (unsigned n = 0; with_msix(nic) && n < E1000E_VECTORS; n++)
		if (causes_of(nic, n))
			nic->fire |= 1u << n;
}

/* --- intervals --- */

/* An interrupt that is held: it is sent, unless its cause is gone by now. */
static void end_interval(struct e1000e *nic, unsigned n)
{
	uint32_t causes = n == E1000E_LINE ? ~0u : causes_of(nic, n);

	nic->held &= ~(1u << n);
	if (allowed(nic) & causes)
		send(nic, n);
}

/* Sends what is due, and comes again for what is not. The I/O thread, no lock held. */
static void serve_held(void *arg)
{
	struct e1000e *nic = arg;
	uint64_t now = clock_monotonic(), first = UINT64_MAX;

	pthread_mutex_lock(&nic->lock);
	for (unsigned n = 0; n < E1000E_INTERVALS; n++) {
		if (!(nic->held & 1u << n))
			continue;
		if (nic->next[n] <= now)
			end_interval(nic, n);
		else if (nic->next[n] < first)
			first = nic->next[n];
	}
	nic->active = allowed(nic);
	e1000e_unlock(nic);
	if (first != UINT64_MAX)
		loop_timer_set(nic->loop, &nic->held_timer, first - now);
}

void e1000e_open_interrupts(struct e1000e *nic)
{
	nic->held_task = (struct loop_task){ .run = serve_held, .arg = nic };
	nic->held_timer = (struct loop_timer){ .fire = serve_held, .arg = nic };
}

void e1000e_close_interrupts(struct e1000e *nic)
{
	loop_timer_cancel(nic->loop, &nic->held_timer);
	loop_unpost(nic->loop, &nic->held_task);
}
