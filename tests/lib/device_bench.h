/*
 * All devices of a machine without the machine: the table of device_table over two
 * buses, RAM and a loop, with a fake interrupt router and a fake switch. Its guest is
 * whoever calls bench_use() and bench_drive().
 */
#ifndef TESTS_LIB_DEVICE_BENCH_H
#define TESTS_LIB_DEVICE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/bus/device.h"
#include "core/bus/disks.h"
#include "core/kvm/irq.h"
#include "core/kvm/memory.h"
#include "core/profile/profile.h"

#define BENCH_RAM (1u << 20)
#define BENCH_IMAGE (64u << 10) /* bytes of the disk */
#define BENCH_CPUS 2		/* so many queues it has */

struct device_bench {
	struct bus io, mmio;
	struct irq_router irq;
	struct guest_memory memory;
	struct loop loop;
	struct profile profile;
	struct profile_net nets[PROFILE_NETS_MAX]; /* where it has them */
	struct disks_media media;
	int sata_fd; /* of disk1, which is behind AHCI, or -1 */
	_Alignas(8) uint8_t hot[1024];
	struct device_set set;
	unsigned event_idx; /* bit n: the driver of bench_device n has agreed on that feature */
};

/* What the devices did to what is around them, since the start of the program. */
struct bench_effects {
	bool level[IRQ_LINES]; /* of the lines */
	unsigned sent;	       /* frames from the guest */
	unsigned remedies[REMEDY_STOP + 1];
	const char *why; /* of the last remedy */
	bool watchdog_reset;
	int64_t clock_offset;
	unsigned printed, power_offs, resets; /* printed: bytes, of any console */
	uint8_t last[64]; /* bytes printed, or the last of them, at printed % 64 on */
	bool may_wait;	  /* the guest may have to, for a disk; else that ends the program */
	unsigned waits, notices;
};

extern struct bench_effects bench_effects;

/* A file for a disk, which stays open; -1 where io_uring cannot be used. */
int bench_disk_file(void);

/*
 * Creates the devices of a guest with two NICs (see bench_deliver()) and, with disk_fd not
 * -1, one disk. What it needs and cannot get ends the program.
 */
void bench_create(struct device_bench *bench, int disk_fd);

/* The same of a profile that change() has another say in; NULL: it has not. */
void bench_create_changed(struct device_bench *bench, int disk_fd,
			  void (*change)(struct profile *profile));

/* What a reset of the machine does: destroys them, and makes them again. */
void bench_renew(struct device_bench *bench);

/* Stops, resets and destroys them, and frees what is around them. */
void bench_destroy(struct device_bench *bench);

/*
 * A guest with drivers for all of them, and all devices run. In the end one more frame is
 * to be sent and one more sector to be read than the devices know of.
 */
void bench_use(struct device_bench *bench);

/* Stops the devices, and waits until they are drained. */
void bench_stop(struct device_bench *bench);

/* The path of its vsock, in a folder that is there until the program ends. */
const char *bench_vsock_path(void);

/* What was saved of a guest, with its RAM and its interrupt lines. */
struct bench_saved {
	uint8_t *data, *ram;
	size_t size; /* of data */
	bool level[IRQ_LINES];
};

/* Of one in the middle of its work; its devices are gone then. */
struct bench_saved bench_save(int disk_fd);

/* Of one that exists; it stays, stopped. */
struct bench_saved bench_save_devices(struct device_bench *bench);
void bench_saved_free(struct bench_saved *saved);

/* Loads size bytes of data into one just created, with that RAM; as devices_load(). */
int bench_load(struct device_bench *bench, const uint8_t *ram, const uint8_t *data, size_t size,
	       struct cause *cause);

/* Starts the devices and touches whatever a guest, a switch and a person can touch. */
void bench_drive(struct device_bench *bench);

/* Its drivers, when there are no others: of the devices with virtio's transport. */

enum bench_device {
	BENCH_DISK, BENCH_NIC, BENCH_RNG, BENCH_BALLOON, BENCH_VSOCK, BENCH_CONSOLE, BENCH_DEVICES
};

#define BENCH_RING 8u		/* descriptors of a ring */
#define BENCH_BUFFERS 0x40000u	/* from here to the end of the RAM there is nothing else */
#define BENCH_NEXT 1
#define BENCH_WRITE 2
#define BENCH_EVENT_IDX (1u << 29)

/*
 * Resets the device, agrees on features (the low half) and sets the first queues up; false:
 * it does not agree.
 */
bool bench_start_driver(struct device_bench *bench, enum bench_device device, unsigned queues,
			uint32_t features, bool msix);

/* The device's configuration; what the common one says of it. */
uint64_t bench_config(struct device_bench *bench, enum bench_device device, unsigned offset,
		      unsigned length);
void bench_set_config(struct device_bench *bench, enum bench_device device, unsigned offset,
		      uint64_t value, unsigned length);
uint8_t bench_status(struct device_bench *bench, enum bench_device device);
uint8_t bench_generation(struct device_bench *bench, enum bench_device device);

/* devices_resize(), with what a file takes in between. */
int bench_resize(struct device_bench *bench, const char *device, uint64_t bytes,
		 struct cause *cause);

/*
 * Queue n: a descriptor, followed by the next one; a head made available; the doorbell, which
 * is rung if the device wants it for the head that was made available last.
 */
void bench_describe(struct device_bench *bench, enum bench_device device, unsigned n, unsigned i,
		    uint64_t address, uint32_t length, uint16_t flags);
void bench_offer(struct device_bench *bench, enum bench_device device, unsigned n, uint16_t head);
void bench_kick(struct device_bench *bench, enum bench_device device, unsigned n);

/* The used index, and the length of the newest entry. */
unsigned bench_used(struct device_bench *bench, enum bench_device device, unsigned n);
uint32_t bench_used_length(struct device_bench *bench, enum bench_device device, unsigned n);

/* The guest's RAM from there on. */
void *bench_at(struct device_bench *bench, uint64_t address);

/* Serves the devices until the queue's used index is that, or for 10 s. */
bool bench_wait_used(struct device_bench *bench, enum bench_device device, unsigned n,
		     unsigned wanted);

/* How many requests the disk's and the NIC's drivers find done: the used indices. */
unsigned bench_disk_used(struct device_bench *bench);
unsigned bench_sent_used(struct device_bench *bench);

/* The drivers ask for one more: a sector to be read, a frame to be sent. */
void bench_disk_read(struct device_bench *bench);
void bench_send(struct device_bench *bench);

/*
 * A request in queue n of the disk, of one at a time: type and sector of its header, size bytes
 * of data; its status when it is done.
 */
#define BENCH_DISK_DATA (BENCH_BUFFERS + 0x20000u) /* a page for each queue */

void bench_disk_ask(struct device_bench *bench, unsigned n, uint32_t type, uint64_t sector,
		    uint32_t size);
uint8_t bench_disk_status(struct device_bench *bench, unsigned n);

/* Where the configuration space of a device of PCI lies in mmio, by the device's name. */
uint64_t bench_function(struct device_bench *bench, const char *name);

/* The commands that the driver of the SATA disk still waits for: bits. */
uint32_t bench_sata_waits(struct device_bench *bench);

/* A broadcast of 60 bytes for NIC 0, of virtio, or 1, an e1000e; whether it was taken. */
bool bench_deliver(unsigned nic);

/* The switch plugs a card's cable in or pulls it out; whether the e1000e tells of that: once. */
void bench_set_link(unsigned nic, bool up);
bool bench_e1000e_link_changed(struct device_bench *bench);

/* The e1000e card has sent up to that descriptor of 8; its driver asks for one more frame. */
unsigned bench_e1000e_head(struct device_bench *bench);
void bench_e1000e_send(struct device_bench *bench);

/* Lets the loop do what there is to do. */
void bench_settle(struct device_bench *bench);

#endif
