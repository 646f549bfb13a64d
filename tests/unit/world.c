/* See world.h. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/machine/snapshot.h"
#include "demo/image.h"

#define ADDRESS 0x0a000202u /* of the switch */

static void guest_ended(void *arg)
{
	struct world *world = arg;

	atomic_store(&world->ended, true);
	loop_stop(&world->loop);
}

static void disk_full(void *arg, const char *why)
{
	(void)arg;
	fail_msg("%s", why);
}

static void stop_loop(void *arg)
{
	loop_stop(arg);
}

int world_setup(void **state)
{
	const struct switch_config config = {
		.name = "lan", .uplink = &port_nat, .address = ADDRESS, .prefix = 24,
		.loopback = true,
	};
	struct world *world = calloc(1, sizeof(*world));
	struct cause cause;

	assert_int_equal(kvm_open(&world->kvm, &cause), 0);
	assert_int_equal(network_new(&world->network, &cause), 0);
	assert_int_equal(switch_new(&world->sw, world->network, &config, &cause), 0);
	assert_int_equal(loop_init(&world->loop, &cause), 0);
	assert_int_equal(loop_init(&world->deck_loop, &cause), 0);
	world->glance = (struct loop_timer){ .fire = stop_loop, .arg = &world->loop };
	world->builtin = (struct boot_image){ .data = demo_image, .size = demo_image_size };
	*state = world;
	return 0;
}

int world_teardown(void **state)
{
	struct world *world = *state;

	if (world->vm) /* the test has failed */
		guest_end_machine(world);
	switch_free(world->sw);
	network_free(world->network);
	loop_destroy(&world->loop);
	loop_destroy(&world->deck_loop);
	kvm_close(world->kvm);
	free(world);
	return 0;
}

/* --- consoles --- */

void line_init(struct line *line, struct world *world)
{
	memset(line, 0, sizeof(*line));
	assert_int_equal(console_init(&line->console, &world->deck_loop), 0);
	console_follow(&line->console, &line->reader, true);
}

void line_destroy(struct line *line)
{
	console_unfollow(&line->console, &line->reader);
	console_destroy(&line->console);
}

void line_type(struct line *line, const char *text)
{
	assert_int_equal(console_input(&line->console, (const uint8_t *)text, strlen(text)),
			 strlen(text));
}

char *line_find(struct line *line, const char *wanted)
{
	size_t room = sizeof(line->text) - 1 - line->size;
	uint64_t lost;
	char *found;

	assert_true(room > 0);
	line->size += console_read(&line->console, &line->reader,
				   (uint8_t *)line->text + line->size, room, &lost);
	line->text[line->size] = '\0';
	found = strstr(line->text, wanted);
	return found && strchr(found, '\n') ? found : NULL;
}

void world_run(struct world *world, uint64_t ns)
{
	loop_timer_set(&world->loop, &world->glance, ns);
	loop_run(&world->loop);
	loop_timer_cancel(&world->loop, &world->glance);
}

void world_expect(struct world *world, struct line *line, const char *wanted, char said[SAID_SIZE])
{
	uint64_t end = clock_monotonic() + PATIENCE;
	size_t length;
	char *found;

	while (!(found = line_find(line, wanted))) {
		if (clock_monotonic() > end)
			fail_msg("no '%s' in '%s'", wanted, line->text);
		if (atomic_load(&world->ended)) {
			vm_stop(world->vm);
			fail_msg("no '%s' in '%s'; it ended: %s", wanted, line->text,
				 world->vm->cpus.reason);
		}
		world_run(world, GLANCE);
	}
	length = strcspn(found, "\r\n");
	snprintf(said, SAID_SIZE, "%.*s", (int)length, found);
	line->size -= length;
	memmove(found, found + length, line->size - (size_t)(found - line->text) + 1);
}

void world_expect_right(struct world *world, struct line *line, const char *wanted,
			const char *right)
{
	char said[SAID_SIZE];

	world_expect(world, line, wanted, said);
	if (!strstr(said, right))
		fail_msg("'%s' does not say '%s'", said, right);
}

/* --- the machine that is saved --- */

void guest_describe(struct world *world, unsigned cpus, uint64_t memory, const char *cmdline)
{
	struct profile *profile = &world->profile;
	char path[64];

	memset(profile, 0, sizeof(*profile));
	world->net = (struct profile_net){ 0 };
	atomic_store(&world->ended, false);
	strcpy(profile->name, "one");
	profile->cpus = cpus;
	profile->memory = memory;
	profile->cmdline = strdup(cmdline);
	profile->nets[0] = &world->net;
	strcpy(profile->nets[0]->switch_name, "lan");
	profile_derive_mac("one", 0, profile->nets[0]->mac);
	world->disk_fd = memfd_create("one", MFD_CLOEXEC);
	assert_int_equal(ftruncate(world->disk_fd, WORLD_DISK_SIZE), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", world->disk_fd);
	profile->disks[0].present = true;
	profile->disks[0].path = strdup(path);
	line_init(&world->line, world);
	world->config = (struct vm_config){
		.kvm = world->kvm,
		.profile = profile,
		.builtin = &world->builtin,
		.network = world->network,
		.consoles = { &world->line.console },
		.media = &world->media,
		.clock_offset = &world->clock_offset,
		.loop = &world->loop,
		.ended = guest_ended,
		.full = disk_full,
		.arg = world,
	};
}

void guest_start(struct world *world)
{
	struct cause cause;

	if (vm_create(&world->vm, &world->config, &cause))
		fail_msg("%s", cause.text);
	vm_start(world->vm, false);
}

void guest_end_machine(struct world *world)
{
	vm_stop(world->vm);
	while (!vm_quiesced(world->vm))
		world_run(world, GLANCE);
	vm_destroy(world->vm);
	world->vm = NULL;
}

void guest_end(struct world *world)
{
	guest_end_machine(world);
	line_destroy(&world->line);
	free(world->profile.cmdline);
	free(world->profile.disks[0].path);
	free(world->profile.kernel);
	free(world->profile.initrd);
	close(world->disk_fd);
}

struct device_counters guest_moved(const struct world *world)
{
	struct device_counters sum = { 0 };

	devices_sample(&world->vm->devices, &sum);
	return sum;
}

struct saved guest_save(struct world *world)
{
	struct state_writer writer = { 0 };
	struct saved saved = { NULL, 0 };
	struct cause cause;

	vm_pause(world->vm);
	while (!vm_drained(world->vm))
		world_run(world, GLANCE);
	if (vm_save(world->vm, &writer, &cause) ||
	    state_end(&writer, &saved.data, &saved.size, &cause))
		fail_msg("%s", cause.text);
	guest_end_machine(world);
	return saved;
}

int guest_load(struct world *world, const struct saved *saved, struct cause *cause)
{
	struct state_reader reader;
	int err = state_open(&reader, saved->data, saved->size, cause);

	if (!err)
		err = vm_load(&world->vm, &world->config, &reader, cause);
	state_close(&reader);
	if (!err)
		vm_start(world->vm, false);
	else
		world->vm = NULL;
	return err;
}

void guest_save_and_load(struct world *world)
{
	struct saved saved = guest_save(world);
	struct cause cause;

	if (guest_load(world, &saved, &cause))
		fail_msg("%s", cause.text);
	free(saved.data);
}
