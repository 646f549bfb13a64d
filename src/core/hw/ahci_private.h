/*
 * What the files of the AHCI controller share: ahci.c has the registers and the
 * controller's life, ahci_port.c executes commands, ahci_state.c saves and loads.
 */
#ifndef CORE_HW_AHCI_PRIVATE_H
#define CORE_HW_AHCI_PRIVATE_H

#include "core/hw/ahci.h"

/* GHC, § 3.1.2 */
#define CONTROL_RESET 0x1u
#define CONTROL_INTERRUPTS 0x2u
#define CONTROL_AHCI 0x80000000u

/* PxIS, § 3.3.5 */
#define PORT_IS_D2H 0x1u
#define PORT_IS_PIO 0x2u
#define PORT_IS_BITS 0x8u	   /* Set Device Bits FIS */
#define PORT_IS_CONNECT 0x40u	   /* as PxSERR has it */
#define PORT_IS_HOST_FATAL 0x20000000u
#define PORT_IS_TASK_FILE 0x40000000u
#define PORT_IS_CLEARABLE 0x7d8000afu /* all but what PxSERR has */

/* PxCMD, § 3.3.7 */
#define PORT_CMD_START 0x1u
#define PORT_CMD_OVERRIDE 0x8u
#define PORT_CMD_RECEIVE 0x10u
#define PORT_CMD_SLOT_SHIFT 8
#define PORT_CMD_SLOT 0x1f00u
#define PORT_CMD_RECEIVING 0x4000u
#define PORT_CMD_RUNNING 0x8000u
#define PORT_CMD_ATAPI 0x1000000u
#define PORT_CMD_WRITABLE 0x0f000017u /* ST, SUD, POD, FRE, ATAPI, DLAE, ALPE, ASP */

#define PORT_SERR_EXCHANGED 0x4000000u
#define PORT_TFD_AFTER_RESET 0x0150u /* the diagnostic found nothing; ready */

/* PxIS as the driver reads it: some of it is PxSERR's. Lock held. */
uint32_t ahci_port_is(const struct ahci_port *port);

/* Has the interrupt follow PxIS. Lock held. */
void ahci_port_interrupt(struct ahci_port *port);

/* The same, and whatever still asks is told of anew: the last message is gone. Lock held. */
void ahci_interrupt_again(struct ahci *ahci);

/* Looks at the drive's tray, for who wants to know. Lock held, I/O thread. */
void ahci_port_see_tray(struct ahci_port *port);

/* The driver's stop is over: nothing is executed. Lock held. */
void ahci_port_stopped(struct ahci_port *port);

/* ahci_port.c: the memory of commands. I/O thread. 0 or -ENOMEM. */
int ahci_port_open(struct ahci_port *port);
void ahci_port_close(struct ahci_port *port); /* valid when it was not opened */

/* ahci_medium.c: exchanges the medium if that is due and no command is executed. I/O thread. */
void ahci_port_exchange(struct ahci_port *port);

/* The loop has delivered a run of requests that are done. I/O thread. */
void ahci_port_batch(void *port);

#endif
