/*
 * A NOR flash chip with Intel's command set, as OVMF (QemuFlashFvbServicesRuntimeDxe) and
 * others know it from QEMU's machines: erased in blocks, programmed by bytes, which clears
 * bits.
 *
 * A guest reads it as memory, so there is a view for a read-only slot, in which what is
 * to be read stands in every mode; writes are exits, and come by the bus. Registers on
 * vCPU threads, under the lock.
 */
#ifndef CORE_HW_CFI_FLASH_H
#define CORE_HW_CFI_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "base/mutex.h"
#include "core/bus/bus.h"

#define CFI_FLASH_BLOCK 4096u /* bytes that are erased together */

/* Where the cells are kept. vCPU threads, one call at a time. */
struct cfi_flash_wires {
	/* They are to hold that from now on. 0, or a negative errno: they hold what they did. */
	int (*keep)(void *arg, size_t offset, const void *cells, size_t size);
	/* The driver has done a piece of its work: what was kept is to outlast the host, too. */
	void (*settle)(void *arg);
	void *arg;
};

/* Saved as they stand. The cells are kept elsewhere. */
struct cfi_flash_registers {
	uint8_t mode;	 /* what is read, an enum in cfi_flash.c */
	uint8_t pending; /* what the next write is part of, likewise */
	uint8_t status;
};

struct cfi_flash {
	struct mutex lock;
	struct cfi_flash_registers regs;
	bool unsettled;
	uint8_t *cells; /* the caller's */
	uint8_t *view;	/* whole pages */
	size_t size;	/* bytes of both */
	struct cfi_flash_wires wires;
};

/*
 * At base on the bus, with size bytes of cells, whole blocks, which stay the caller's to free
 * and are the chip's to change. -EEXIST or -ENOMEM with a cause. All zero before.
 */
int cfi_flash_init(struct cfi_flash *flash, struct bus *bus, uint64_t base, uint8_t *cells,
		   size_t size, const struct cfi_flash_wires *wires, struct cause *cause);
void cfi_flash_destroy(struct cfi_flash *flash); /* settles; valid when it was not initialized */

void cfi_flash_save(struct cfi_flash *flash, struct cfi_flash_registers *registers);

/* NULL, or the name of a field that no guest can bring to that value. */
const char *cfi_flash_load(struct cfi_flash *flash, const struct cfi_flash_registers *registers);

#endif
