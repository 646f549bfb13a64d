/*
 * A world for whole machines, for tests: KVM, a network with one switch "lan" that leads
 * to NAT, and a guest whose I/O thread is the test's own, with its console to type on and
 * to read. What goes wrong fails the test.
 */
#ifndef TESTS_UNIT_WORLD_H
#define TESTS_UNIT_WORLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "core/bus/disks.h"
#include "core/machine/vm.h"
#include "net/network.h"

#define PATIENCE (600 * NS_PER_S) /* busy hosts emulate the kernels of four vCPUs slowly */
#define GLANCE (2 * NS_PER_MS) /* how often consoles are looked at */
#define SAID_SIZE 256
#define WORLD_DISK_SIZE (257ull << 20) /* of the guest's, and nothing on it */

/* A guest's console, as somebody who types and reads. */
struct line {
	struct console console;
	struct console_reader reader;
	char text[65536]; /* what has come and was not yet looked for */
	size_t size;
};

/* What machines live in; this thread is the I/O thread of the one that is saved. */
struct world {
	struct kvm_host *kvm;
	struct network *network;
	struct net_switch *sw;
	struct boot_image builtin;
	struct loop loop, deck_loop; /* the latter is never run */
	struct loop_timer glance;
	atomic_bool ended; /* by the guest */

	struct profile profile;
	struct profile_net net;
	struct vm_config config;
	struct disks_media media;
	int64_t clock_offset;
	struct vm *vm;
	struct line line;
	int disk_fd;
};

struct saved {
	uint8_t *data;
	size_t size;
};

int world_setup(void **state);
int world_teardown(void **state);

void line_init(struct line *line, struct world *world);
void line_destroy(struct line *line);
void line_type(struct line *line, const char *text);

/* Where in line->text the guest has printed that, and the line to its end; or NULL. */
char *line_find(struct line *line, const char *wanted);

/* Serves the machine, if there is one, for so long. */
void world_run(struct world *world, uint64_t ns);

/*
 * Serves the machine until its console, or that of another one, has said it; what it
 * said from there to the line's end is taken out of the text.
 */
void world_expect(struct world *world, struct line *line, const char *wanted, char said[SAID_SIZE]);

/* The same, and what it said must go on like that. */
void world_expect_right(struct world *world, struct line *line, const char *wanted,
			const char *right);

/* "one", with NIC and disk; world->profile can be changed before guest_start(). */
void guest_describe(struct world *world, unsigned cpus, uint64_t memory, const char *cmdline);
void guest_start(struct world *world);
void guest_end_machine(struct world *world);
void guest_end(struct world *world);
struct device_counters guest_moved(const struct world *world);

/* The machine stops where it is, and is gone. data is the caller's to free. */
struct saved guest_save(struct world *world);

/* Another one goes on. What vm_load() says. */
int guest_load(struct world *world, const struct saved *saved, struct cause *cause);

void guest_save_and_load(struct world *world);

#endif
