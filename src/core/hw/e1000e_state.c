/*
 * Saving and loading the 82574. The guest's I/O thread; the machine stands still, and no
 * frame is on its way: what the driver has asked for since is between head and tail.
 */
#include "core/hw/e1000e_private.h"

void e1000e_save(struct e1000e *nic, struct e1000e_saved *saved)
{
	pci_function_save(&nic->function, &saved->function);
	pthread_mutex_lock(&nic->lock);
	memcpy(saved->mac, nic->mac, sizeof(saved->mac));
	memcpy(saved->registers, nic->reg, sizeof(saved->registers));
	memcpy(saved->phy, nic->phy, sizeof(saved->phy));
	saved->io_address = nic->io_address;
	saved->unplugged = nic->unplugged;
	for (unsigned n = 0; n < E1000E_TX_QUEUES; n++) {
		memcpy(saved->tx[n].contexts, nic->tx[n].contexts.words,
		       sizeof(saved->tx[n].contexts));
		saved->tx[n].skipping = nic->tx[n].skipping;
	}
	pthread_mutex_unlock(&nic->lock);
}

/* What no driver can bring it to. */
static const char *find_wrong(const struct e1000e *nic, const struct e1000e_saved *saved)
{
	if (memcmp(saved->mac, nic->mac, sizeof(saved->mac)))
		return "the NIC has another MAC address";
	for (unsigned i = 0; i < e1000e_row_count; i++)
		for (unsigned n = 0; n < e1000e_rows[i].count; n++)
			if ((saved->registers[e1000e_rows[i].first + n] ^ e1000e_rows[i].reset) &
			    ~e1000e_rows[i].bits)
				return "registers";
	for (unsigned i = 0; i < E1000E_PHY_REGISTERS; i++)
		if ((saved->phy[i] ^ e1000e_phy_default(i)) & ~e1000e_phy_bits(i))
			return "PHY registers";
	if (saved->unplugged > 1)
		return "link";
	for (unsigned n = 0; n < E1000E_TX_QUEUES; n++)
		if (saved->tx[n].skipping > 1)
			return "transmit queue";
	return NULL;
}

const char *e1000e_load(struct e1000e *nic, const struct e1000e_saved *saved)
{
	const char *wrong = find_wrong(nic, saved);

	if (wrong)
		return wrong;
	pthread_mutex_lock(&nic->lock);
	memcpy(nic->reg, saved->registers, sizeof(nic->reg));
	memcpy(nic->phy, saved->phy, sizeof(nic->phy));
	nic->io_address = saved->io_address;
	for (unsigned n = 0; n < E1000E_TX_QUEUES; n++) {
		memcpy(nic->tx[n].contexts.words, saved->tx[n].contexts,
		       sizeof(nic->tx[n].contexts.words));
		nic->tx[n].skipping = saved->tx[n].skipping;
	}
	pthread_mutex_unlock(&nic->lock);
	/* This starts it, if the driver had. */
	wrong = pci_function_load(&nic->function, &saved->function);
	if (wrong)
		return wrong;
	pthread_mutex_lock(&nic->lock);
	e1000e_interrupt_again(nic);
	if (saved->unplugged != nic->unplugged)
		e1000e_tell_link(nic);
	e1000e_unlock(nic);
	return NULL;
}
