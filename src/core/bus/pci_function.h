/*
 * What the files of PCI share: the bus, its functions, and what a function says
 * of itself before it is added. PCI Local Bus 3.0 §6.
 *
 * A function fills one ops struct and embeds struct pci_function; the core owns
 * configuration space, BAR moves (pci.c), MSI (pci_msi.c) and MSI-X (pci_msix.c).
 *
 * Locks: pci.lock, then whatever a function's ops take.
 */
#ifndef CORE_BUS_PCI_FUNCTION_H
#define CORE_BUS_PCI_FUNCTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/bus/bus.h"
#include "core/bus/pci_vector.h"
#include "core/kvm/irq.h"

#define PCI_CONFIG_SIZE 256
#define PCI_DEVICES 32
#define PCI_BARS 6
#define PCI_MSIX_MAX 32 /* vectors of one function */
#define PCI_INTX_LINES 4

/* Offsets in configuration space that functions use. */
#define PCI_VENDOR_ID 0x00
#define PCI_DEVICE_ID 0x02
#define PCI_COMMAND 0x04
#define PCI_STATUS 0x06
#define PCI_REVISION 0x08
#define PCI_CLASS 0x09 /* interface, subclass, class */
#define PCI_HEADER_TYPE 0x0e
#define PCI_BAR0 0x10
#define PCI_SUBSYSTEM_VENDOR 0x2c
#define PCI_CAPABILITIES 0x34
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_INTERRUPT_PIN 0x3d
#define PCI_COMMAND_IO 0x1u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u
#define PCI_COMMAND_INTX_OFF 0x400u

struct pci;
struct pci_function;

struct pci_function_ops {
	const char *name;
	/* Accesses to a BAR that are not the MSI-X tables. vCPU thread, no lock held. */
	void (*bar_read)(struct pci_function *function, unsigned bar, uint64_t offset, void *data,
			 unsigned length);
	void (*bar_write)(struct pci_function *function, unsigned bar, uint64_t offset,
			  const void *data, unsigned length);
	/*
	 * A memory BAR answers at base from now on; BUS_NOWHERE: not at all. pci.lock held. May be
	 * NULL.
	 */
	void (*bar_moved)(struct pci_function *function, unsigned bar, uint64_t base);
	/*
	 * The driver allows or forbids the function's use of guest memory, §6.2.2; forbidden at
	 * first. Messages are held back by the core. pci.lock held. May be NULL.
	 */
	void (*master_changed)(struct pci_function *function, bool master);
	/* Configuration space, after the core's part; pci.lock held. Each may be NULL. */
	void (*config_read)(struct pci_function *function, unsigned offset, unsigned length);
	void (*config_written)(struct pci_function *function, unsigned offset, unsigned length);
};

enum pci_bar_type { PCI_BAR_MEMORY, PCI_BAR_IO };

struct pci_bar {
	struct pci_function *function;
	enum pci_bar_type type;
	uint32_t size;		/* 0: there is none */
	int range;		/* on its bus */
	_Atomic uint64_t base;	/* or BUS_NOWHERE; changed with pci.lock held */
};

struct pci_function {
	const struct pci_function_ops *ops;
	struct pci *pci;
	uint8_t device;			    /* 0..31; the function number is 0 */
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];  /* bits that the guest may change */
	unsigned next_capability;	    /* where pci_add_capability() puts the next one */
	struct pci_bar bars[PCI_BARS];
	bool master;			    /* by the command register; guarded by pci.lock */
	unsigned msix_count, msix_capability, msix_bar;
	uint32_t msix_table, msix_pending;  /* offsets in that BAR */
	struct pci_vector *vectors;	    /* msix_count of them, while it is added */
	atomic_bool msix_enabled;
	unsigned msi_capability;	    /* 0: none */
	struct pci_vector message;	    /* of MSI */
	atomic_bool msi_enabled;
	bool intx;			    /* the function asks for INTA#; guarded by intx_lock */
	bool intx_off;			    /* by the command register; guarded by intx_lock */
};

/* What is saved of a function: its configuration space and its vectors. */
struct __attribute__((packed)) pci_registers {
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t msi_pending; /* 0 or 1 */
	struct __attribute__((packed)) {
		uint64_t address;
		uint32_t data;
		uint8_t masked, pending; /* 0 or 1 */
	} vectors[PCI_MSIX_MAX];
};

struct pci {
	struct bus *io, *mmio;
	struct irq_router *irq;
	pthread_mutex_t lock; /* guards configuration space */
	struct pci_function *functions[PCI_DEVICES];
	_Atomic uint32_t address; /* port 0xcf8 */
	uint64_t next[2];	  /* where the next BAR of each type is placed */
	pthread_mutex_t intx_lock;
	uint32_t intx[PCI_INTX_LINES]; /* devices that assert the line, one bit each */
	uint8_t isa[PCI_INTX_LINES];   /* the ISA interrupt that the line leads to, too; 0: none */
	uint16_t isa_levels;	       /* of those interrupts, one bit each */
};

/* Fills in a function's identity; class_code is 0xCCSSII. Before pci_add(). */
void pci_function_init(struct pci_function *function, const struct pci_function_ops *ops,
		       uint16_t vendor, uint16_t device_id, uint32_t class_code);

/*
 * Gives the function BAR number 0 to 5 of size bytes: a power of two, of memory at least
 * 4096, of ports 4 to 256. Before pci_add().
 */
void pci_add_bar(struct pci_function *function, unsigned bar, enum pci_bar_type type,
		 uint32_t size);

/*
 * Appends a capability of size bytes (with its two header bytes); returns its
 * offset. The caller fills in the rest of it in function->config.
 */
unsigned pci_add_capability(struct pci_function *function, uint8_t id, unsigned size);

#endif
