/*
 * The scheduler of CPU 0: events, tasks, load, and rest until the next point
 * of time that somebody waits for. Nothing ticks.
 */
#include "task.h"

#include "clock.h"
#include "cpu.h"
#include "events.h"

#define TASKS_MAX 16
#define STACK_SIZE 8192

struct task {
	uint64_t rsp;
	uint64_t wake_at;
	bool used, sleeping; /* sleeping: no event wakes it */
	uint32_t seen;       /* events at the last turn */
	void (*run)(void *argument);
	void *argument;
};

void task_switch(uint64_t *save_rsp, uint64_t rsp);

static struct task tasks[TASKS_MAX];
static uint8_t stacks[TASKS_MAX][STACK_SIZE] __attribute__((aligned(64)));
static struct task *current;
static uint64_t scheduler_rsp;
static uint32_t events;

static void leave(void)
{
	task_switch(&current->rsp, scheduler_rsp);
}

static void enter(void)
{
	current->run(current->argument);
	current->used = false;
	leave();
	__builtin_trap();
}

bool task_start(void (*run)(void *argument), void *argument)
{
	for (unsigned i = 0; i < TASKS_MAX; i++) {
		struct task *task = &tasks[i];
		uint64_t *top = (uint64_t *)(stacks[i] + STACK_SIZE - 16);

		if (task->used || task == current)
			continue;
		/* What task_switch() pops: six registers, then the return address. */
		*top = (uintptr_t)enter;
		memset(top - 6, 0, 6 * sizeof(*top));
		*task = (struct task){ .rsp = (uintptr_t)(top - 6),
				       .used = true,
				       .run = run,
				       .argument = argument,
				       .seen = events - 1 };
		return true;
	}
	return false;
}

void *task_argument(void)
{
	return current != NULL ? current->argument : NULL;
}

static void pause(uint64_t until, bool sleeping)
{
	current->wake_at = until;
	current->sleeping = sleeping;
	current->seen = events;
	leave();
}

void task_sleep(uint64_t ns)
{
	pause(clock_now() + ns, true);
}

void task_wait(uint64_t until)
{
	pause(until, false);
}

void task_event(void)
{
	events++;
}

void task_yield(void)
{
	pause(0, true);
}

/* One turn for each task that is due; returns when the next one is. */
static uint64_t run_due(void)
{
	uint64_t now = clock_now(), next = NEVER;

	for (unsigned i = 0; i < TASKS_MAX; i++) {
		struct task *task = &tasks[i];

		if (!task->used)
			continue;
		if (task->wake_at <= now || (!task->sleeping && task->seen != events)) {
			current = task;
			task_switch(&scheduler_rsp, task->rsp);
			current = NULL;
			now = clock_now();
		}
		if (task->used)
			next = minimum(next,
				       !task->sleeping && task->seen != events ? 0 : task->wake_at);
	}
	return next;
}

void tasks_run(void)
{
	struct cpu *cpu = &cpus[0];

	for (;;) {
		uint64_t next = events_handle(cpu_take_pending(cpu));
		uint64_t again, now;

		next = minimum(next, run_due());
		now = clock_now();
		if (next <= now || cpu->pending != 0)
			continue;
		if (cpu_wants_load(cpu, now, &again)) {
			for (unsigned i = 0; i < 200 && cpu->pending == 0; i++)
				relax();
			continue;
		}
		if (!events_rest())
			continue;
		cpu_set_timer(cpu, minimum(next, again));
		cpu_halt(cpu);
	}
}
