/*
 * A guest of the deck: orders, and what there is to see. Deck thread.
 *
 * Its machine lives on a thread of its own (machine.h); orders go there as
 * messages and come back as changes of state, so nothing here waits for a guest.
 */
#ifndef CORE_DECK_GUEST_H
#define CORE_DECK_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"
#include "control/methods.h"
#include "control/names.h"
#include "control/states.h"
#include "core/deck/stats.h"
#include "core/machine/console.h"
#include "core/profile/profile.h"

struct guest;
struct guest_device;
struct device_memory;
struct device_size;
struct disk;
struct disk_config;
struct screen;

/*
 * Gives an order, of a method that has one. 0 when it is accepted; -EBUSY with a cause in a
 * state that the method does not allow, and what else keeps a guest from being started. One
 * that is stopping is started when it has stopped.
 */
int guest_order(struct guest *guest, enum method_id method, struct cause *cause);

/*
 * Checks whether a method may be done to it in the state that it is in. 0, or -EBUSY with a
 * sentence that says why not: its state, or the first mistake of its profile.
 */
int guest_check_state(const struct guest *guest, const struct method *method, struct cause *cause);

const char *guest_name(const struct guest *guest);
enum guest_state guest_get_state(const struct guest *guest);
uint64_t guest_since(const struct guest *guest);	/* ns of the last change, CLOCK_REALTIME */
uint64_t guest_pressed(const struct guest *guest); /* the same of its power button; 0: not pressed */
unsigned guest_restarts(const struct guest *guest); /* since it was started */
bool guest_is_looping(const struct guest *guest); /* it resets itself over and over */
bool guest_is_resetting(const struct guest *guest); /* it is stopping, to begin anew */
bool guest_starts_again(const struct guest *guest); /* guest.start came while it stopped */
const char *guest_reason(const struct guest *guest); /* why stopped, crashed, failed, paused; "" */
const char *guest_held(const struct guest *guest); /* the port for whose frame it is paused; "" */
const struct profile *guest_profile(const struct guest *guest); /* NULL if invalid */
const char *guest_profile_path(const struct guest *guest); /* or NULL for a built-in guest */

#define GUEST_PENDING_SIZE 128

/* "memory, disk0 path": keys whose new values apply when it is reset or started next; or "". */
void guest_pending(const struct guest *guest, char out[GUEST_PENDING_SIZE]);

#define GUEST_ORPHANED_SIZE (NAME_SIZE + 24)

/* Of one that runs, what has become of its profile: "is gone", "is one of web now"; or "". */
void guest_orphaned(const struct guest *guest, char out[GUEST_ORPHANED_SIZE]);
const struct profile_report *guest_mistakes(const struct guest *guest);
const char *guest_firmware(const struct guest *guest);	/* "bios", or "" */
const char *guest_registers(const struct guest *guest); /* of a crash, several lines, or "" */

struct guest_exit_count {
	const char *reason; /* "IO", "MMIO", "HLT", ... */
	uint64_t count;
};

/* VM exits by reason that have happened; returns how many rows there are in all. */
size_t guest_exits(const struct guest *guest, struct guest_exit_count *out, size_t room);

/* Devices that the guest's driver can break; returns how many there are. */
size_t guest_devices(const struct guest *guest, struct guest_device *out, size_t room);

/* What the guest says of its memory, for somebody who looks; see device.h. */
void guest_memory_view(const struct guest *guest, struct device_memory *out);

/*
 * Another size for a device of a guest that is alive: see device.h. 0, or a negative errno
 * with a cause that begins with the guest's name.
 */
int guest_resize(struct guest *guest, const char *device, struct device_size *size,
		 struct cause *cause);

/*
 * The same with another medium for a drive, or none: NULL. What *medium is then is the caller's.
 */
int guest_exchange(struct guest *guest, const char *device, struct disk **medium, bool force,
		   struct cause *cause);

/*
 * Another medium for a drive is on its way: how it is to be prepared, see disk_prepare(); the path
 * is the caller's to fill in, the rest valid as long as the guest's profile. *wish is for
 * guest_wants(): false when somebody wants something else of the drive since, or the guest was
 * started anew.
 */
int guest_describe_medium(struct guest *guest, const char *device, struct disk_config *config,
			  unsigned *wish, struct cause *cause);
bool guest_wants(const struct guest *guest, const char *device, unsigned wish);

/*
 * Keeps the passphrase of an encrypted disk, "disk0", for the next start and until the guest has
 * ended after it, and is not to start again at once. 0, or a negative errno with a cause that
 * begins with the guest's name.
 */
int guest_unlock(struct guest *guest, const char *device, const char *secret,
		 struct cause *cause);

/* Whether the passphrase of a disk is still to be given before it starts, if its image is there. */
bool guest_is_locked(const struct guest *guest, unsigned disk);

/* The image of a disk that its profile has, or the medium that is in it by now; NULL: none. */
const char *guest_disk_path(const struct guest *guest, unsigned disk);

/*
 * A console of the guest's, an enum profile_console, and its statistics: see console.h,
 * stats.h. They outlive a stop.
 */
struct console *guest_console(struct guest *guest, unsigned console);
struct stats_series *guest_stats(struct guest *guest);

/* The console that its profile says is shown. */
unsigned guest_shown_console(const struct guest *guest);

/* Whether its profile gives it a VGA screen and a keyboard. */
bool guest_has_screen(const struct guest *guest);

/* See machine.h: false and 0 while there is no machine. */
bool guest_screen(const struct guest *guest, struct screen *out);
size_t guest_keys(const struct guest *guest, const uint8_t *text, size_t size);

/* Deck thread: a sentence about it for who hears events. */
void guest_say(const struct guest *guest, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
