/* The watchdog of Intel's 6300ESB; see watchdog of a profile. */
#ifndef CORE_HW_I6300ESB_H
#define CORE_HW_I6300ESB_H

#include <stdint.h>

#include "core/bus/device.h"
#include "core/bus/pci_function.h"

/* What is saved of it. */
struct __attribute__((packed)) i6300esb_registers {
	struct pci_registers pci; /* with its registers in configuration space */
	uint32_t preload[2];	  /* ticks of each stage */
	uint8_t stage;		  /* 1 or 2: which one runs; 0: none */
	uint8_t unlocked;	  /* bytes of the sequence that have come: 0 to 2 */
	uint8_t interrupt;	  /* 0 or 1: the first stage has ended */
	uint8_t expired;	  /* 0 or 1: the second one has */
	uint64_t left;		  /* ns of the stage; it is saved while it does not run */
};

extern const struct device_type i6300esb_device;

#endif
