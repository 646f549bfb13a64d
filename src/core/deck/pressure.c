/* See pressure.h. Deck thread. */
#include "core/deck/pressure.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/host_memory.h"

void pressure_felt(struct pressure *pressure)
{
	uint64_t now = clock_monotonic();
	struct host_memory memory;

	loop_timer_set(pressure->loop, &pressure->over, PRESSURE_CLEARS);
	if (pressure->told && now - pressure->told < PRESSURE_AGAIN)
		return;
	pressure->told = now;
	host_memory_read(&memory, "");
	journal_emit(pressure->journal, NULL, DECK_EVENT_LOG,
		     "the host runs short of memory: programs wait for it, and %llu of %llu MiB are "
		     "available; pause or stop guests before the kernel ends the deck with all of "
		     "them",
		     (unsigned long long)memory.available >> 20,
		     (unsigned long long)memory.total >> 20);
}

static void over(void *arg)
{
	struct pressure *pressure = arg;
	struct host_memory memory;

	pressure->told = 0;
	host_memory_read(&memory, "");
	journal_emit(pressure->journal, NULL, DECK_EVENT_LOG,
		     "the host has memory again, %llu of %llu MiB are available",
		     (unsigned long long)memory.available >> 20,
		     (unsigned long long)memory.total >> 20);
}

static void ready(void *arg, uint32_t events)
{
	struct pressure *pressure = arg;

	if (events & EPOLLPRI)
		pressure_felt(pressure);
	else
		loop_remove(pressure->loop, &pressure->source);
}

void pressure_init(struct pressure *pressure, struct loop *loop, struct journal *journal)
{
	*pressure = (struct pressure){ .loop = loop, .journal = journal,
				       .over = { .fire = over, .arg = pressure },
				       .fd = host_memory_watch() };
	if (pressure->fd >= 0)
		loop_add(loop, &pressure->source, pressure->fd, EPOLLPRI, ready, pressure);
}

void pressure_destroy(struct pressure *pressure)
{
	if (!pressure->loop)
		return;
	loop_timer_cancel(pressure->loop, &pressure->over);
	loop_remove(pressure->loop, &pressure->source);
	if (pressure->fd >= 0)
		close(pressure->fd);
	pressure->loop = NULL;
}
