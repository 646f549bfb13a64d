/*
 * virtio over PCI: the transport of one device. virtio 1.2 §4.1.
 *
 * One BAR holds everything. A vCPU's register writes take the device's lock;
 * a queue's doorbell is an ioeventfd from the moment the driver is ready, so
 * that a kick wakes the guest's I/O thread without an exit to user space.
 */
#ifndef CORE_VIRTIO_PCI_H
#define CORE_VIRTIO_PCI_H

#include "base/loop.h"
#include "core/bus/pci.h"
#include "core/virtio/virtio.h"

struct virtio_pci_queue {
	struct virtio_pci *transport;
	struct loop_task task;	 /* the queue is to be served, without a kick */
	struct loop_source source;
	int kick_fd;		 /* eventfd, or -1: no driver has run, or no file was left */
	uint64_t doorbell;	 /* where its ioeventfd is attached, or BUS_NOWHERE */
	_Atomic uint16_t vector; /* MSI-X vector, or VIRTIO_NO_VECTOR */
};

struct virtio_pci {
	struct pci_function function;
	struct virtio *device;
	const struct guest_memory *memory;
	struct loop *loop;
	int vm_fd;
	/* The rest is guarded by the device's lock; what is atomic, for who writes it. */
	_Atomic uint8_t status;
	atomic_bool resetting;	 /* a reset waits for requests in flight */
	bool master;		 /* the function may use guest memory */
	uint16_t queue_select;
	uint32_t device_feature_select, driver_feature_select;
	uint64_t driver_features;
	unsigned access;	 /* offset of the configuration access capability */
	_Atomic uint16_t config_vector;
	_Atomic uint8_t generation; /* of the device configuration, §4.1.4.3.1 */
	pthread_mutex_t isr_lock; /* ISR and the level of INTA# change together; taken last */
	uint8_t isr;
	_Atomic(const char *) broken_why; /* or NULL; a literal */
	struct virtio_pci_queue queues[VIRTIO_QUEUES_MAX];
};

/* What is saved of a device on PCI; what its type has beside it is its row's. */
struct __attribute__((packed)) virtio_pci_registers {
	struct pci_registers function;
	uint64_t features; /* negotiated */
	uint64_t driver_features;
	uint32_t device_feature_select, driver_feature_select;
	uint16_t queue_select, config_vector;
	uint8_t status, isr, generation;
	uint16_t vectors[VIRTIO_QUEUES_MAX];
	struct virtq_registers queues[VIRTIO_QUEUES_MAX];
};

/*
 * Puts device at PCI device number slot. Called on the guest's I/O thread while
 * the machine is built; transport and device must outlive it.
 */
int virtio_pci_create(struct virtio_pci *transport, struct virtio *device, struct pci *pci,
		      unsigned slot, const struct guest_memory *memory, struct loop *loop,
		      int vm_fd, struct cause *cause);

/* I/O thread, all vCPUs stopped. Valid on one that was not created but zeroed. */
void virtio_pci_destroy(struct virtio_pci *transport);

/*
 * Stops the device's use of guest memory, as a reset by the driver would. True
 * when nothing is in flight; otherwise ask again. I/O thread, vCPUs stopped.
 */
bool virtio_pci_quiesce(struct virtio_pci *transport);

/*
 * The machine stands still, or goes on: while it is paused the device begins nothing
 * new; afterwards it looks at all its queues. I/O thread.
 */
void virtio_pci_pause(struct virtio_pci *transport, bool paused);

/* The device is paused and nothing is in flight. I/O thread. */
void virtio_pci_save(struct virtio_pci *transport, struct virtio_pci_registers *registers);

/*
 * Takes over what was saved into a device just created, paused, whose memory is what it
 * was. NULL, or what of it cannot be so; then it is good for virtio_pci_destroy() only.
 * Doorbells and routes are made anew; an interrupt that was on its way is raised again.
 */
const char *virtio_pci_load(struct virtio_pci *transport,
			    const struct virtio_pci_registers *registers);

/* Whether who serves queues, with these features of its, can do what the transport offers. */
bool virtio_pci_serves(uint64_t features);

/*
 * Of a device that is served elsewhere: the eventfd of queue n's doorbell, or -1 if there is none
 * yet. It stays the transport's.
 */
int virtio_pci_doorbell(const struct virtio_pci *transport, unsigned n);

/*
 * Has kick() called for the doorbell of such a device while nobody else hears it, or no longer. 0
 * or a negative errno. I/O thread, device lock held.
 */
int virtio_pci_hear(struct virtio_pci *transport, unsigned n, bool hear);

/*
 * The eventfd by which another process raises queue n's interrupt, which reaches KVM without
 * passing here; it stays the transport's. -1: that interrupt is no MSI-X vector, and only
 * virtio_interrupt() raises it. The device's lock is not held.
 */
int virtio_pci_call(struct virtio_pci *transport, unsigned n);

/*
 * "running", "idle", "idle, no bus master", "needs reset: why": for the screen. Any
 * thread; it waits for nobody, so what is under way may be seen by half.
 */
void virtio_pci_describe(struct virtio_pci *transport, char *text, size_t size);

#endif
