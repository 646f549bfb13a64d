/* See probe.h. */
#include "sandbox/probe.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/thread.h"
#include "sandbox/confine.h"
#include "sandbox/helper.h"

#define PATIENCE (10 * NS_PER_S)

struct probe {
	struct loop loop;
	struct loop_timer patience;
	struct sandbox *sandbox;
	bool seen;
	uint32_t in_force;
	struct cause why;
};

static void run_nothing(struct channel *channel, const char *label)
{
	(void)channel;
	(void)label;
}

const struct sandbox_kind probe_process = {
	.name = "probe",
	.layout = { .to_process = 4096, .from_process = 4096 },
	.walls = { .memory = 256u << 20, .descriptors = 16, .filter = FILTER_EMULATOR },
	.once = true,
	.run = run_nothing,
};

static void on_ready(void *arg)
{
	struct probe *probe = arg;

	probe->seen = true;
	probe->in_force = sandbox_walls(probe->sandbox);
	loop_stop(&probe->loop);
}

static void on_input(void *arg)
{
	(void)arg;
}

static void on_ended(void *arg, const char *why, uint64_t again_ns)
{
	struct probe *probe = arg;

	(void)again_ns;
	cause_set(&probe->why, 0, "%s", why);
	loop_stop(&probe->loop);
}

static void give_up(void *arg)
{
	on_ended(arg, "it did not come up", 0);
}

int probe_walls(uint32_t *in_force, struct cause *cause)
{
	static const struct sandbox_ops ops = { on_ready, on_input, on_ended };
	struct probe probe = { .patience = { .fire = give_up, .arg = &probe } };
	int error = helper_start(NULL, cause);

	if (!error)
		error = loop_init(&probe.loop, cause);
	if (error)
		return error;
	error = sandbox_start(&probe.sandbox, &probe.loop, &probe_process, "", &ops, &probe, cause);
	if (!error) {
		loop_timer_set(&probe.loop, &probe.patience, PATIENCE);
		loop_run(&probe.loop);
		loop_timer_cancel(&probe.loop, &probe.patience);
		if (!probe.seen)
			error = cause_set(cause, ECHILD, "%s", probe.why.text);
		*in_force = probe.in_force;
		sandbox_stop(probe.sandbox);
	}
	loop_destroy(&probe.loop);
	return error;
}

uint32_t probe_program(enum program program)
{
	static const char *const arguments[] = { "--version", NULL };
	static const struct program_file none[] = { { NULL, false } };
	const struct program_order order = {
		.program = program, .arguments = arguments,
		.files = program_makes_walls(program) ? NULL : none, .fds = { -1 },
	};
	struct program_process process;
	struct cause cause;

	if (program_start(&process, &order, &cause) < 0)
		return 0;
	/* Whatever it says: the walls stood before it could say anything. */
	(void)program_wait(&process, -1, PATIENCE / NS_PER_MS, &cause);
	return process.refused;
}

static void *nothing(void *arg)
{
	return arg;
}

uint32_t probe_filters(void)
{
	for (unsigned filter = FILTER_THREADS; filter < FILTER_COUNT; filter++) {
		const struct thread_role role = { .name = filter_name(filter),
						  .confine = confine_thread, .kind = filter };
		struct thread thread;

		if (thread_start(&thread, &role, NULL, nothing, NULL) == 0)
			thread_join(&thread);
	}
	return ~confine_entered() & ~((1u << FILTER_THREADS) - 1) & ((1u << FILTER_COUNT) - 1);
}
