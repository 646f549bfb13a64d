/*
 * Saving and loading the AHCI controller. The guest's I/O thread; the machine stands
 * still and no command is executed: what the driver has asked for since, and what
 * waits, is in PxCI.
 */
#include "core/hw/ahci_private.h"

#include <string.h>

#define CONTROL_BITS (CONTROL_AHCI | CONTROL_INTERRUPTS | CONTROL_RESET)

void ahci_save(struct ahci *ahci, struct ahci_registers *registers)
{
	pci_function_save(&ahci->function, &registers->function);
	pthread_mutex_lock(&ahci->lock);
	registers->control = ahci->control;
	registers->is = ahci->is;
	for (unsigned i = 0; i < AHCI_PORTS; i++) {
		const struct ahci_port *port = &ahci->ports[i];
		struct ahci_port_registers *to = &registers->ports[i];

		to->clb = port->clb;
		to->fb = port->fb;
		to->is = port->is;
		to->ie = port->ie;
		to->cmd = port->cmd;
		to->tfd = port->tfd;
		to->sig = port->sig;
		to->sctl = port->sctl;
		to->serr = port->serr;
		to->sact = port->sact;
		to->ci = port->ci;
		to->halted = port->halted;
		to->resetting = port->resetting;
		ata_save(&port->drive, &to->drive);
	}
	pthread_mutex_unlock(&ahci->lock);
}

/* What no driver can bring a port to. */
static const char *find_wrong(const struct ahci_port *port, const struct ahci_port_registers *from)
{
	const uint32_t command = PORT_CMD_WRITABLE | PORT_CMD_SLOT | PORT_CMD_RUNNING;

	if ((from->clb & 0x3ff) || (from->fb & 0xff))
		return "addresses";
	if ((from->is & ~PORT_IS_CLEARABLE) || (from->cmd & ~command) || (from->tfd & ~0xffffu))
		return "port registers";
	if (from->halted > 1 || from->resetting > 1)
		return "port state";
	if (!port->drive.ops && (from->ci || from->sact || from->resetting))
		return "commands for no drive";
	return NULL;
}

static const char *load_port(struct ahci_port *port, const struct ahci_port_registers *from)
{
	const char *wrong = find_wrong(port, from);

	if (wrong)
		return wrong;
	port->clb = from->clb;
	port->fb = from->fb;
	port->is = from->is;
	port->ie = from->ie;
	port->cmd = from->cmd;
	port->tfd = from->tfd;
	port->sig = from->sig;
	port->sctl = from->sctl;
	port->serr = from->serr;
	port->sact = from->sact;
	port->ci = from->ci;
	port->halted = from->halted;
	port->dropping = port->resetting = from->resetting;
	wrong = ata_load(&port->drive, &from->drive);
	ahci_port_see_tray(port);
	return wrong;
}

const char *ahci_load(struct ahci *ahci, const struct ahci_registers *registers)
{
	const char *wrong = NULL;

	if (registers->control & ~CONTROL_BITS)
		return "control";
	if (registers->is >> AHCI_PORTS)
		return "interrupts";
	pthread_mutex_lock(&ahci->lock);
	for (unsigned i = 0; !wrong && i < AHCI_PORTS; i++)
		wrong = load_port(&ahci->ports[i], &registers->ports[i]);
	ahci->control = registers->control;
	ahci->is = registers->is;
	pthread_mutex_unlock(&ahci->lock);
	if (!wrong)
		wrong = pci_function_load(&ahci->function, &registers->function);
	if (wrong)
		return wrong;
	/* The host's kernel may have had a message on its way that nothing saved knows of. */
	pthread_mutex_lock(&ahci->lock);
	ahci_interrupt_again(ahci);
	pthread_mutex_unlock(&ahci->lock);
	return NULL;
}
