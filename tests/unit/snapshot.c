/*
 * The built-in guest, saved under TCP and disk traffic and loaded into fresh virtual
 * machines of the same process, over and over; and states that are damaged. Skips
 * without /dev/kvm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/machine/machine.h"
#include "with_nat.h"
#include "world.h"

#define ROUNDS 20
#define ATTEMPTS 60  /* at so many rounds */
#define MIB_FIRST 8u /* of each job; more where they end before the save */
#define MIB_MAX (WORLD_DISK_SIZE / (1u << 20) - 1)
#define BEGUN 65536 /* bytes that a job has moved before the save */
#define DAMAGES 150

/* The guest that it talks to. */
struct peer {
	struct profile profile;
	struct profile_net net;
	struct machine *machine;
	struct line line;
};

static void changed(void *arg)
{
	(void)arg;
}

static void start_peer(struct peer *peer, struct world *world)
{
	const struct machine_config config = {
		.kvm = world->kvm,
		.profile = &peer->profile,
		.builtin = &world->builtin,
		.network = world->network,
		.consoles = { &peer->line.console },
		.changed = changed,
	};
	struct cause cause;

	memset(peer, 0, sizeof(*peer));
	line_init(&peer->line, world);
	strcpy(peer->profile.name, "two");
	peer->profile.cpus = 1;
	peer->profile.memory = 16u << 20;
	peer->profile.cmdline = (char *)"name=two ip=10.0.2.12/24";
	peer->profile.nets[0] = &peer->net;
	strcpy(peer->profile.nets[0]->switch_name, "lan");
	profile_derive_mac("two", 0, peer->profile.nets[0]->mac);
	if (machine_start(&peer->machine, &config, &cause))
		fail_msg("%s", cause.text);
}

static void end_peer(struct peer *peer)
{
	machine_order(peer->machine, METHOD_GUEST_OFF);
	machine_free(peer->machine);
	line_destroy(&peer->line);
}

/* The guest's clock, ms since it started. Forgets what it said before. */
static uint64_t uptime(struct world *world)
{
	unsigned long s, ms;
	char said[SAID_SIZE];

	line_type(&world->line, "status\n");
	world_expect(world, &world->line, "uptime ", said);
	assert_int_equal(sscanf(said, "uptime %lu.%lu", &s, &ms), 2);
	world_expect(world, &world->line, "peers: ", said);
	world->line.size = 0;
	return s * 1000 + ms;
}

/* TCP both ways and a write to the disk, each of so many MiB, are under way. */
static void start_jobs(struct world *world, struct peer *peer, unsigned mib)
{
	struct device_counters before = guest_moved(world), now;
	uint64_t begun = clock_monotonic();
	char out[64], in[64], write[64];

	snprintf(out, sizeof(out), "tcp 10.0.2.12 %uM&\n", mib);
	snprintf(in, sizeof(in), "tcp 10.0.2.11 %uM&\n", mib);
	snprintf(write, sizeof(write), "disk write 4096 %uM&\n", mib);
	line_type(&world->line, out);
	line_type(&peer->line, in);
	line_type(&world->line, write);
	do {
		assert_true(clock_monotonic() - begun < PATIENCE);
		world_run(world, GLANCE);
		now = guest_moved(world);
	} while (now.write_bytes - before.write_bytes < BEGUN ||
		 now.in_bytes - before.in_bytes < BEGUN ||
		 now.out_bytes - before.out_bytes < BEGUN);
}

/* They come to their end and are right. */
static void expect_ends(struct world *world, struct peer *peer, unsigned mib)
{
	char verify[64];

	world_expect_right(world, &world->line, "tcp: ", "checksum right");
	world_expect_right(world, &peer->line, "tcp: ", "checksum right");
	world_expect_right(world, &world->line, "disk: write ", " bytes in ");
	snprintf(verify, sizeof(verify), "disk verify 4096 %uM\n", mib);
	line_type(&world->line, verify);
	world_expect_right(world, &world->line, "disk: verify ", ", right");
}

static void start_both(struct world *world, struct peer *peer)
{
	char said[SAID_SIZE];

	guest_describe(world, 2, 16u << 20, "name=one ip=10.0.2.11/24");
	start_peer(peer, world);
	guest_start(world);
	world_expect(world, &world->line, "net: 10.0.2.11", said);
	world_expect(world, &peer->line, "net: 10.0.2.12", said);
}

static void test_built_in_guest(void **state)
{
	unsigned attempts = 0, rounds = 0, mib = MIB_FIRST;
	uint64_t begun = clock_monotonic(), before = 0;
	struct world *world = *state;
	struct peer peer;

	start_both(world, &peer);
	while (rounds < ROUNDS) {
		uint64_t now;
		bool over; /* one of them, before the save: this round does not count */

		assert_in_range(attempts++, 0, ATTEMPTS);
		start_jobs(world, &peer, mib);
		world_run(world, rounds * 7 % 40 * NS_PER_MS);
		guest_save_and_load(world);
		over = line_find(&world->line, "disk: ") || line_find(&world->line, "tcp: ") ||
		       line_find(&peer.line, "tcp: ");
		expect_ends(world, &peer, mib);
		if (!over)
			rounds++;
		else if (mib < MIB_MAX)
			mib *= 2;
		/* Its clock neither went back nor passed by ours. */
		now = uptime(world);
		assert_in_range(now, before, (clock_monotonic() - begun) / NS_PER_MS + 1000);
		before = now;
	}
	guest_end(world);
	end_peer(&peer);
}

/* Changed at random behind its RAM: refused with a cause, or a machine that does us no harm. */
/* SeaBIOS, between its first line and its last, in another machine each time. */
static void test_firmware(void **state)
{
	struct world *world = *state;
	char said[SAID_SIZE];

	if (access("/usr/share/seabios/bios-256k.bin", R_OK)) {
		print_message("the package seabios is not installed\n");
		skip();
	}
	guest_describe(world, 1, 32u << 20, "");
	world->profile.firmware = FIRMWARE_BIOS;
	world->profile.firmware_serial = true;
	guest_start(world);
	world_expect(world, &world->line, "SeaBIOS (version ", said);
	guest_save_and_load(world);
	world_expect(world, &world->line, "Booting from Hard Disk...", said);
	guest_save_and_load(world);
	world_expect(world, &world->line, "No bootable device.", said);
	guest_end(world);
}

static void test_damage(void **state)
{
	unsigned seed = 1, refused = 0;
	struct world *world = *state;
	struct saved saved, damaged;
	struct cause cause = { "" };
	struct peer peer;
	size_t parts[2];

	start_both(world, &peer);
	start_jobs(world, &peer, MIB_FIRST);
	saved = guest_save(world);
	parts[0] = (size_t)((uint8_t *)memmem(saved.data, saved.size, "vcpu0/", 6) - saved.data);
	parts[1] = (size_t)((uint8_t *)memmem(saved.data, saved.size, "kvm/", 4) - saved.data);
	damaged = (struct saved){ malloc(saved.size), saved.size };
	for (unsigned round = 0; round < DAMAGES; round++) {
		size_t from = parts[round % 2];

		*cause.text = '\0';
		memcpy(damaged.data, saved.data, saved.size);
		for (unsigned i = 0; i < 1 + round % 4; i++)
			damaged.data[from + (unsigned)rand_r(&seed) % (saved.size - from)] =
				(uint8_t)(rand_r(&seed) >> 8);
		if (guest_load(world, &damaged, &cause)) {
			assert_string_not_equal(cause.text, "");
			refused++;
			continue;
		}
		world_run(world, 3 * NS_PER_MS);
		guest_end_machine(world);
	}
	assert_in_range(refused, 1, DAMAGES - 1);
	atomic_store(&world->ended, false);
	/* Its connections are of the past, but it lives. */
	if (guest_load(world, &saved, &cause))
		fail_msg("%s", cause.text);
	uptime(world);
	free(damaged.data);
	free(saved.data);
	guest_end(world);
	end_peer(&peer);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_built_in_guest, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_firmware, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_damage, world_setup, world_teardown),
	};

	begin_with_nat(argc, argv);
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		perror("skipped: /dev/kvm");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
