/*
 * What the files of the virtio PCI transport share. virtio 1.2 §4.1.
 *
 * pci.c knows the BAR and the capabilities and hands accesses on; pci_common.c
 * is the common configuration and the device's status; pci_queue.c has the
 * doorbells and the interrupts; pci_state.c pauses, saves and loads. The
 * device's lock is held in all calls unless it says otherwise.
 */
#ifndef CORE_VIRTIO_PCI_PRIVATE_H
#define CORE_VIRTIO_PCI_PRIVATE_H

#include "core/virtio/pci.h"

#define COMMON_SIZE 0x38u /* of struct virtio_pci_common_cfg, §4.1.4.3 */

/* The doorbells in BAR 0: queue n has the one at BAR_NOTIFY + n * NOTIFY_STEP. */
#define BAR_NOTIFY 0x1000u
#define NOTIFY_STEP 4u

#define VIRTIO_NO_VECTOR 0xffff

/* pci_common.c: offset is below COMMON_SIZE; what lies across registers reads as 0. */
uint64_t virtio_pci_common_read(struct virtio_pci *transport, unsigned offset);
void virtio_pci_common_write(struct virtio_pci *transport, unsigned offset, uint64_t value,
			     unsigned length);

#define VIRTIO_STATUS_FEATURES_OK 0x08
#define VIRTIO_STATUS_DRIVER_OK 0x04
#define VIRTIO_STATUS_NEEDS_RESET 0x40

/* Whether these are features that were offered, with VIRTIO_F_VERSION_1, §3.1.1. */
bool virtio_pci_may_negotiate(const struct virtio_pci *transport, uint64_t features);

/*
 * Whether the driver has set DRIVER_OK: set-up is over. Memory may still be out of bounds.
 * Without the lock: whether it was so a moment ago.
 */
bool virtio_pci_driver_ready(const struct virtio_pci *transport);

/* Starts or stops the device, as status and bus mastering allow. */
void virtio_pci_update_running(struct virtio_pci *transport);

/* As the driver's writing 0 to the status does. It goes on as long as transport->resetting. */
void virtio_pci_reset(struct virtio_pci *transport);

/* pci_queue.c: I/O thread, no lock held; the machine is being built or taken apart. */
void virtio_pci_open_queues(struct virtio_pci *transport);
void virtio_pci_close_queues(struct virtio_pci *transport);

/*
 * Attaches the ioeventfds where the BAR is now, if the device runs. Without
 * one, as when KVM refuses or there are too many open files, the doorbell is an
 * MMIO exit and works all the same.
 */
void virtio_pci_place_doorbells(struct virtio_pci *transport);

/* Has the I/O thread serve the queue. Any thread, no lock needed. */
void virtio_pci_ring(struct virtio_pci_queue *queue);

/* Reads and clears the ISR, and lowers INTA#, §4.1.4.5. Any thread, no lock needed. */
uint8_t virtio_pci_take_isr(struct virtio_pci *transport);

#endif
