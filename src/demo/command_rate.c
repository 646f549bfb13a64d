/*
 * The command that reads the disk as fast as it can be, many requests at a time.
 * CPU 0, tasks.
 */
#include "clock.h"
#include "command.h"
#include "console.h"
#include "disk.h"
#include "memory.h"
#include "task.h"

#define ROOM (1u << 20) /* bytes of all requests together */
#define TIMEOUT (60 * SECOND)

struct rate {
	bool random;
	uint64_t bytes, depth; /* of a request; requests at once */
	uint64_t end, next;    /* ns; where the next one reads in order */
	uint32_t chance;
	uint64_t done;
	int numbers[DISK_DEPTH_MAX]; /* of requests, or -1 */
	uint8_t *buffer;
};

static uint64_t next_offset(struct rate *rate)
{
	uint64_t places = disk_size() / rate->bytes, place = rate->next++ % places;

	if (rate->random)
		place = random_next(&rate->chance) % places;
	return place * rate->bytes;
}

/* Takes back what has ended and begins others; how many are under way. */
static unsigned turn(struct rate *rate, bool more, const char **why)
{
	unsigned busy = 0;

	for (unsigned i = 0; i < rate->depth; i++) {
		const char *failed = NULL;

		if (rate->numbers[i] >= 0 && disk_ended(rate->numbers[i], &failed)) {
			rate->numbers[i] = -1;
			rate->done++;
		}
		if (rate->numbers[i] < 0 && more && failed == NULL)
			rate->numbers[i] = disk_begin(DISK_READ, next_offset(rate),
						      rate->buffer + i * rate->bytes, rate->bytes,
						      &failed);
		if (failed != NULL)
			*why = failed;
		busy += rate->numbers[i] >= 0;
	}
	disk_send();
	return busy;
}

static const char *read_on(struct rate *rate)
{
	const char *why = NULL;
	bool more;

	for (unsigned i = 0; i < DISK_DEPTH_MAX; i++)
		rate->numbers[i] = -1;
	do {
		more = why == NULL && clock_now() < rate->end && !command_stopped();
		if (turn(rate, more, &why) == 0)
			return why;
		task_wait(rate->end + SECOND);
	} while (clock_now() < rate->end + TIMEOUT);
	return "no answer from the disk";
}

/*
 * ROOM bytes within one page of 2 MiB, above the first one: how the host backs that one differs,
 * and what is measured must not be how many pieces a transfer has in its memory.
 */
static uint8_t *take_buffer(void)
{
	uint8_t *taken = memory_take(2 * ROOM);

	if (taken == NULL)
		return NULL;
	return taken + (-(uintptr_t)taken & (ROOM - 1));
}

bool command_rate(unsigned count, char **words)
{
	static uint8_t *buffer;
	struct rate rate = { .chance = 1, .random = strcmp(words[1], "random") == 0 };
	uint64_t seconds, start = clock_now(), time;
	const char *why = NULL;

	(void)count;
	if ((!rate.random && strcmp(words[1], "stream") != 0) ||
	    !parse_number(words[2], true, &rate.bytes) ||
	    !parse_number(words[3], false, &rate.depth) ||
	    !parse_number(words[4], false, &seconds) || rate.bytes == 0 || rate.depth == 0 ||
	    rate.depth > DISK_DEPTH_MAX || rate.bytes > ROOM / rate.depth || seconds > 3600)
		return false;
	if (buffer == NULL)
		buffer = take_buffer();
	rate.buffer = buffer;
	rate.end = start + seconds * SECOND;
	if (disk_size() < rate.bytes)
		why = "the disk is too small";
	else if (buffer == NULL)
		why = "there is no memory for a buffer";
	else
		why = read_on(&rate);
	time = maximum((clock_now() - start) / 1000, 1);
	if (!command_failed("rate", why))
		print("rate: %lu requests in %lu us: %lu requests/s\n", rate.done, time,
		      rate.done * 1000000 / time);
	return true;
}
