/*
 * What a device is to its machine: a row of a table (machine/devices.c), and its
 * instances.
 *
 * A row lies in the device's own file, reads its own part of the profile, and says
 * what there is to do for it in a machine's life; the machine walks the table and
 * names no device. Functions are for the guest's I/O thread except where they say
 * otherwise.
 */
#ifndef CORE_BUS_DEVICE_H
#define CORE_BUS_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "core/bus/bus.h"
#include "core/profile/profile.h"

struct ahci;
struct coalesced;
struct disk;
struct disk_growth;
struct disk_ring;
struct disks_media;
struct fw_cfg;
struct guest_memory;
struct irq_router;
struct loop;
struct network;
struct nics_kept;
struct pci;
struct profile_check;
struct screen;
struct secrets;
struct state_reader;
struct state_writer;

/* What a device finds in its machine; valid while it lives. */
struct device_host {
	struct bus *io, *mmio;
	struct coalesced *coalesced; /* writes to io that wait; NULL: none does */
	struct irq_router *irq;
	const struct guest_memory *memory;
	struct loop *loop; /* the guest's I/O loop */
	int vm_fd;	   /* KVM's */
	const struct profile *profile;
	struct network *network; /* NULL if the profile has no NIC */
	struct pci *pci;	 /* from the row of the PCI host on */
	struct fw_cfg *fw_cfg;	 /* from its row on, if the machine has firmware */
	uint64_t firmware_size;	 /* of its image, bytes; 0: there is none */
	struct disk_ring *disks; /* from the row of the ring on, if there are disks */
	struct disks_media *media; /* what people have put into drives; see disks.h */
	bool goes_on; /* devices are created to be loaded: their guest goes on where it was */
	struct nics_kept *nics;	   /* what they have set ports to, or NULL; see nic.h */
	const struct secrets *secrets; /* passphrases that were typed, or NULL; see secrets.h */
	struct ahci *ahci;	 /* from the row of the controller on, if one of these needs it */
	bool *watchdog_reset;	 /* I/O thread: what reset the machine last was its watchdog */
	int64_t *clock_offset;	 /* I/O thread, kept over resets: guest's time less the host's, s */

	/*
	 * What a chip's wires end in: host is this struct, console an enum profile_console. vCPU
	 * thread; print() any.
	 */
	void (*print)(void *host, unsigned console, const uint8_t *data, size_t size);
	void (*power_off)(void *host); /* the guest switched itself off */
	void (*reset)(void *host);     /* the guest asked for a reset */
	/*
	 * Something is wrong with the guest, and its profile says what becomes of it, which is not
	 * REMEDY_NONE; why, as a sentence that stays. A vCPU that calls it does not go on in the
	 * guest before that is done. Any thread.
	 */
	void (*remedy)(void *host, enum profile_remedy remedy, const char *why);
	/*
	 * I/O thread: the guest has to wait, since there is no room for a write or who serves a
	 * device has ended; why, as a sentence.
	 */
	void (*full)(void *host, const char *why);
	/* I/O thread: somebody should know of a device that works all the same; a sentence. */
	void (*notice)(void *host, const char *text);
};

#define DEVICE_NAME_MAX 24 /* with the NUL */

/* One instance of a row. */
struct device {
	const struct device_type *type;
	struct device_host *host;
	void *state;	 /* type->size bytes */
	bool owned;	 /* the state lies in the heap */
	unsigned number; /* 0 to type->max - 1: in the profile */
	unsigned slot;	 /* PCI device number, of one with type->pci */
	char name[DEVICE_NAME_MAX];
};

/* What devices have moved since they were created. */
struct device_counters {
	uint64_t read_bytes, read_requests, write_bytes, write_requests; /* disks */
	uint64_t in_bytes, in_frames;					 /* to the guest */
	uint64_t out_bytes, out_frames;
	uint64_t forged_frames; /* refused: they claimed an address of somebody else */
};

/* A device that the guest's driver can break, as people see it. */
struct guest_device {
	char name[DEVICE_NAME_MAX]; /* "disk0", "net0" */
	char status[168];	    /* "running", "needs reset: why" */
};

/* What a guest says of its memory, in the order of virtio's tags (virtio 1.2 §5.5.6.3). */
enum device_memory_stat {
	MEMORY_SWAP_IN, MEMORY_SWAP_OUT, MEMORY_MAJOR_FAULTS, MEMORY_MINOR_FAULTS, MEMORY_FREE,
	MEMORY_TOTAL, MEMORY_AVAILABLE, MEMORY_CACHES, MEMORY_HUGE_PAGES, MEMORY_HUGE_FAILURES,
	DEVICE_MEMORY_STATS
};

struct device_memory {
	bool present;	  /* there is a balloon; otherwise the rest means nothing */
	uint64_t target;  /* bytes of its RAM that the guest is to be left with */
	uint64_t balloon; /* bytes that it has given back */
	uint32_t known;	  /* bit n: stats[n] is one that it has said */
	uint64_t age;	  /* ns since it did */
	uint64_t stats[DEVICE_MEMORY_STATS]; /* bytes, and counts of faults and huge pages */
};

/*
 * A row. A machine is built from the first row to the last, and stopped, reset and
 * torn down in reverse. What is NULL is nothing to do.
 */
/*
 * The size that a device is to have. If resize() sets growth, that is to be carried out (see
 * disk.h) and freed by the caller, and resize() called again with it in between.
 */
struct device_size {
	uint64_t bytes;
	struct disk_growth *growth; /* NULL at first */
};

struct device_type {
	const char *name; /* "COM1"; of several instances without the number: "disk" */
	size_t size;	  /* of the state, which is all zero before create() */
	bool hot;	  /* exits by the thousand: the state lies on the exit page (exit_path.h) */
	bool pci;	  /* an instance has a PCI device number, the same in every machine */
	bool shares_slots; /* with pci: an instance has that of the row before, of which one is wanted */
	bool shares_memory; /* another process reads and writes the guest's RAM for it */
	unsigned max;	  /* instances that a machine can have; 0: it has exactly one */
	/* Whether the profile asks for this instance; NULL: always. */
	bool (*wanted)(const struct profile *profile, unsigned number);

	/*
	 * Tells of what create() of its instances would not get, of what the profile names. Any
	 * thread, without a machine.
	 */
	void (*check)(const struct profile_check *check);
	/* 0, or a negative errno with a cause that names the profile's key or the device. */
	int (*create)(struct device *device, struct cause *cause);
	void (*destroy)(struct device *device); /* reset; valid when create() failed half way */

	/* The machine runs from now on; when it was paused the device goes on where it was. */
	void (*start)(struct device *device);
	/*
	 * The vCPUs stand still: begin nothing new, but keep everything. True when nothing is
	 * in flight that will touch the guest; otherwise it may be called again.
	 */
	bool (*stop)(struct device *device);
	/*
	 * For good, the vCPUs have ended: forget the driver's requests. True when none is
	 * in flight; otherwise it is called again.
	 */
	bool (*reset)(struct device *device);

	/*
	 * What the guest has made of the device, as a plain struct of saved bytes: numbers of
	 * fixed width, no pointers, no room between fields. Saved while it is stopped.
	 */
	uint32_t version; /* of that struct's layout, from 1 on */
	size_t saved;	  /* bytes; 0: nothing is kept */
	void (*save)(struct device *device, void *registers); /* all zero before */
	/*
	 * Takes over what save() gave, perhaps of a hostile file, into a device just created.
	 * NULL, or what is wrong: the name of a field that no guest can bring to that value;
	 * then the device is good for destroy() only.
	 */
	const char *(*load)(struct device *device, const void *registers);

	/* Somebody pressed the power button. */
	void (*power_button)(struct device *device);
	unsigned console; /* of one with input(): an enum profile_console */
	/* Somebody types; returns how many bytes found room. Any thread. */
	size_t (*input)(struct device *device, const uint8_t *data, size_t size);
	/* Somebody sends a break; false: it has no room now. NULL: it knows none. Any thread. */
	bool (*line_break)(struct device *device);
	/* The window that it is shown in has another size, below 65536. Any thread. */
	void (*window)(struct device *device, unsigned rows, unsigned columns);
	/*
	 * Somebody types on its keyboard, whole keys as a terminal sends them (see ps2_typing.h);
	 * returns how many bytes found room. Any thread.
	 */
	size_t (*keys)(struct device *device, const uint8_t *data, size_t size);
	/* Fills in what its screen shows. Any thread. */
	void (*screen)(struct device *device, struct screen *out);

	/*
	 * Whether it serves that section of the profile ("disk0"), of which a guest can start;
	 * then the path by which firmware knows it, as in QEMU's bootorder.
	 */
	bool (*boot_path)(const struct device *device, const char *section, char *path,
			  size_t size);

	/* Its status in a few words, if a driver can break it. Any thread. */
	void (*describe)(struct device *device, char *text, size_t size);
	/*
	 * The size of what it gives to the guest is to be another: of a disk, of the memory that a
	 * balloon leaves. What takes a file is left to the caller, see struct device_size. 0, or a
	 * negative errno with a cause that does not name the device. Any thread.
	 */
	int (*resize)(struct device *device, struct device_size *size, struct cause *cause);
	/*
	 * Takes the medium out of a drive and, if another one is given, puts that in, which is
	 * prepared (see disks_describe_medium()) and the device's from here on; force: also one
	 * that the guest holds. 0, and *medium is what was to come in its place before, or NULL; or
	 * a negative errno with a cause that does not name the device. What *medium is then is
	 * the caller's, to be closed. Any thread.
	 */
	int (*exchange)(struct device *device, struct disk **medium, bool force,
			struct cause *cause);
	/*
	 * What the guest says of its memory; look: somebody wants to know, so that it is asked
	 * anew when that is old, for the next call. Any thread.
	 */
	void (*memory_view)(struct device *device, bool look, struct device_memory *out);
	/* Adds its counters to a sum. Any thread. */
	void (*sample)(const struct device *device, struct device_counters *sum);
};

/* Memory for states, aligned to 8 bytes. */
struct device_room {
	uint8_t *at;
	size_t left; /* bytes */
};

/* The devices of a machine. host and the room are the caller's to fill in. */
struct device_set {
	struct device_host host;
	struct device_room hot;	 /* for states with type->hot, which lie nowhere else */
	struct device_room cold; /* for others, as far as it goes; those behind lie in the heap */
	struct device *devices; /* in the order of the table */
	unsigned count;
};

/* Whether the profile asks for a device of the table that shares the guest's RAM. Any thread. */
bool devices_share_memory(const struct device_type *const *table, const struct profile *profile);

/* Calls check() of the rows of a table that ends with NULL. Any thread. */
void devices_check(const struct device_type *const *table, const struct profile_check *check);

/*
 * Creates what the profile asks for of a table that ends with NULL; the devices do
 * not run. A negative errno with a cause; then devices_destroy() is still to be
 * called.
 */
int devices_create(struct device_set *set, const struct device_type *const *table,
		   struct cause *cause);
void devices_destroy(struct device_set *set); /* reset, or never started */

/* Calls the functions of their names. */
void devices_start(struct device_set *set);
bool devices_stop(struct device_set *set);
bool devices_reset(struct device_set *set);
void devices_power_button(struct device_set *set);

/* Appends a record for each device to saved state; they are stopped. */
void devices_save(struct device_set *set, struct state_writer *writer);

/*
 * Loads the records of the devices, which have just been created. -EINVAL or -ENOMEM
 * with a cause that names the device and the field; then they are to be destroyed.
 */
int devices_load(struct device_set *set, struct state_reader *reader, struct cause *cause);

/* boot_path() of the one that serves the section; false: none does. */
bool devices_boot_path(const struct device_set *set, const char *section, char *path,
		       size_t size);

/* Types into the device of that console; 0 if there is none. Any thread. */
size_t devices_input(struct device_set *set, unsigned console, const uint8_t *data, size_t size);

/* Sends that device a break: 0, -EAGAIN: no room now, or -EOPNOTSUPP: it knows none. Any thread. */
int devices_break(struct device_set *set, unsigned console);

/* Tells that device of its window, if it is one that wants to know. Any thread. */
void devices_window(struct device_set *set, unsigned console, unsigned rows, unsigned columns);

/* The same into the first one that has a keyboard. Any thread. */
size_t devices_keys(struct device_set *set, const uint8_t *data, size_t size);

/* What the first one that has a screen shows; false if there is none. Any thread. */
bool devices_screen(struct device_set *set, struct screen *out);

/* The sum of all counters. Any thread. */
void devices_sample(const struct device_set *set, struct device_counters *sum);

/* Calls exchange() of the device of that name; errors as of devices_resize(). Any thread. */
int devices_exchange(struct device_set *set, const char *name, struct disk **medium, bool force,
		     struct cause *cause);

/*
 * Calls resize() of the device of that name. -ENOENT with a cause when there is none, -EINVAL
 * when its size is not to be changed. Any thread.
 */
int devices_resize(struct device_set *set, const char *name, struct device_size *size,
		   struct cause *cause);

/* Calls memory_view() of the first device that has it, or sets *out to zeroes. Any thread. */
void devices_memory(struct device_set *set, bool look, struct device_memory *out);

/* Fills at most room rows; returns how many there are. Any thread. */
size_t devices_describe(const struct device_set *set, struct guest_device *out, size_t room);

#endif
