/*
 * Cooperative tasks on CPU 0. A task runs until it sleeps, waits or ends;
 * device events are handled between tasks.
 */
#ifndef DEMO_TASK_H
#define DEMO_TASK_H

#include "lib.h"

/* Starts a task; it begins at the next turn. False when there are too many. */
bool task_start(void (*run)(void *argument), void *argument);

/* Returns when so much time has gone, whatever happens. */
void task_sleep(uint64_t ns);

/* Returns at that time (ns), or earlier after any event: the caller looks whether it was its own. */
void task_wait(uint64_t until);

/* Makes waiting tasks look again. From event handlers and tasks. */
void task_event(void);

/* Lets events and other tasks have a turn. */
void task_yield(void);

/* What the running task was started with; NULL between tasks. */
void *task_argument(void);

/* Runs everything, for ever. */
__attribute__((noreturn)) void tasks_run(void);

#endif
