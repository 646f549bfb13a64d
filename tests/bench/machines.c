/*
 * Our machines, in process, as bare.c does it without us: the whole machine
 * that a profile describes, with its devices, I/O thread and rings.
 *
 *   machines loop PROFILE MIB COUNT    start and end them; prints ns to the first byte of each
 *   machines keep PROFILE MIB COUNT    start and keep them; prints ns of all, memory of each
 *
 * The first byte is the console's, as the deck thread sees it.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/loop.h"
#include "core/kvm/kvm.h"
#include "core/machine/console.h"
#include "core/machine/machine.h"
#include "core/profile/profile.h"
#include "core/profile/read.h"
#include "measure.h"
#include "net/network.h"
#include "sandbox/confine.h"
#include "sandbox/filters.h"

struct guest {
	struct bench *bench;
	struct profile profile;
	struct console console;
	struct console_reader reader;
	struct machine *machine;
	struct loop_task changed;
	bool printed, ended;
};

struct bench {
	struct loop loop;
	struct kvm_host *kvm;
	struct network *network;
	struct net_switch *sw;
	struct profile *profile;
	unsigned printed, ended, wanted;
	bool ending;
};

static void fail(const char *text)
{
	fprintf(stderr, "machines: %s\n", text);
	exit(1);
}

static void printed(void *arg)
{
	struct guest *guest = arg;

	if (guest->printed)
		return;
	guest->printed = true;
	if (++guest->bench->printed == guest->bench->wanted)
		loop_stop(&guest->bench->loop);
}

static void changed(void *arg)
{
	struct guest *guest = arg;
	struct machine_status status;

	machine_get_status(guest->machine, &status);
	if (status.phase != MACHINE_ENDED || guest->ended)
		return;
	if (!guest->bench->ending)
		fail(status.reason);
	guest->ended = true;
	if (++guest->bench->ended == guest->bench->wanted)
		loop_stop(&guest->bench->loop);
}

static void post_changed(void *arg)
{
	struct guest *guest = arg;

	loop_post(&guest->bench->loop, &guest->changed);
}

static void prepare(struct bench *bench, struct guest *guest)
{
	static unsigned number;

	*guest = (struct guest){ .bench = bench, .profile = *bench->profile };
	snprintf(guest->profile.name, sizeof(guest->profile.name), "bench%u", number++);
	for (unsigned i = 0; i < PROFILE_NETS_MAX; i++) {
		const struct profile_net *net = bench->profile->nets[i];

		if (!net)
			continue;
		guest->profile.nets[i] = malloc(sizeof(*net));
		if (!guest->profile.nets[i])
			fail("no memory");
		*guest->profile.nets[i] = *net;
		profile_derive_mac(guest->profile.name, i, guest->profile.nets[i]->mac);
	}
	guest->changed = (struct loop_task){ .run = changed, .arg = guest };
	guest->reader = (struct console_reader){ .more = printed, .arg = guest };
	console_init(&guest->console, &bench->loop);
	console_follow(&guest->console, &guest->reader, true);
}

static void start(struct guest *guest)
{
	struct machine_config config = {
		.kvm = guest->bench->kvm, .profile = &guest->profile,
		.network = guest->bench->network, .consoles = { &guest->console },
		.changed = post_changed, .arg = guest
	};
	struct cause cause;

	if (machine_start(&guest->machine, &config, &cause) < 0)
		fail(cause.text);
}

static void end(struct bench *bench, struct guest *guests, unsigned count)
{
	bench->ending = true;
	bench->ended = 0;
	bench->wanted = count;
	for (unsigned i = 0; i < count; i++)
		machine_order(guests[i].machine, METHOD_GUEST_OFF);
	while (bench->ended < bench->wanted)
		loop_run(&bench->loop);
	for (unsigned i = 0; i < count; i++) {
		machine_free(guests[i].machine);
		loop_unpost(&bench->loop, &guests[i].changed);
		console_unfollow(&guests[i].console, &guests[i].reader);
		console_destroy(&guests[i].console);
		for (unsigned n = 0; n < PROFILE_NETS_MAX; n++)
			free(guests[i].profile.nets[n]);
	}
}

/* Starts count guests and waits for a byte of each; the time that took. */
static uint64_t start_all(struct bench *bench, struct guest *guests, unsigned count)
{
	uint64_t begin;

	bench->printed = 0;
	bench->wanted = count;
	bench->ending = false;
	for (unsigned i = 0; i < count; i++)
		prepare(bench, &guests[i]);
	begin = clock_monotonic();
	for (unsigned i = 0; i < count; i++)
		start(&guests[i]);
	while (bench->printed < count)
		loop_run(&bench->loop);
	return clock_monotonic() - begin;
}

static void loop(struct bench *bench, unsigned count)
{
	struct guest guest;

	for (unsigned i = 0; i < count; i++) {
		printf("start %" PRIu64 "\n", start_all(bench, &guest, 1));
		end(bench, &guest, 1);
	}
}

/* What only the first guest costs is spent before the count begins. */
static void keep(struct bench *bench, unsigned count)
{
	struct guest *guests = calloc(count, sizeof(*guests));
	struct footprint before, after;
	struct guest first;
	uint64_t ns, ram = 0;

	if (!guests)
		fail("no memory");
	start_all(bench, &first, 1);
	usleep(SETTLE_US);
	before = footprint_now();
	ns = start_all(bench, guests, count);
	usleep(SETTLE_US);
	after = footprint_now();
	for (unsigned i = 0; i < count; i++)
		ram += machine_memory(guests[i].machine);
	print_kept(ns, count, ram, &before, &after);
	end(bench, guests, count);
	end(bench, &first, 1);
	free(guests);
}

int main(int argc, char **argv)
{
	struct switch_config config = { .name = "bench" };
	struct bench bench = { 0 };
	struct profile_report report = { 0 };
	struct cause cause;

	if (argc != 5)
		return 2;
	raise_file_limit();
	files_reserve(16384); /* as the deck does */
	if (profile_read(&bench.profile, argv[2], &report) < 0)
		fail(report.count ? report.mistakes[0].text : argv[2]);
	bench.profile->memory = (uint64_t)atoi(argv[3]) << 20;
	if (loop_init(&bench.loop, &cause) < 0 || kvm_open(&bench.kvm, &cause) < 0 ||
	    network_new(&bench.network, &cause) < 0 ||
	    switch_new(&bench.sw, bench.network, &config, &cause) < 0)
		fail(cause.text);
	confine_thread(FILTER_DECK); /* as the deck's thread, of which guests' are born */
	if (!strcmp(argv[1], "loop"))
		loop(&bench, (unsigned)atoi(argv[4]));
	else
		keep(&bench, (unsigned)atoi(argv[4]));
	switch_free(bench.sw);
	network_free(bench.network);
	kvm_close(bench.kvm);
	loop_destroy(&bench.loop);
	profile_free(bench.profile);
	profile_report_free(&report);
	return 0;
}
