/*
 * Shared memory between this process and one behind walls: a ring of records
 * each way, and room beside them for what is not a message.
 *
 * Neither side trusts the other. Where a side writes it keeps its own place in
 * private, so that the peer can only make a ring look full; where it reads it
 * takes the peer's place and each record's size once and checks them, and looks
 * at a record only when it has copied it. The memory is sealed against shrinking
 * (memfd_create(2)), and each ring is mapped twice in a row, so that no record
 * is ever in two pieces.
 *
 * A ring has one writer and one reader at a time: threads that share an end
 * hold a lock of their own. An eventfd each way wakes a peer that has said that
 * it sleeps.
 */
#ifndef SANDBOX_CHANNEL_H
#define SANDBOX_CHANNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cause.h"

#define CHANNEL_SAID_MAX CAUSE_SIZE

/* In bytes. Rings are powers of two from 4096 on; shared is a multiple of 4096, or 0. */
struct channel_layout {
	uint32_t to_process;
	uint32_t from_process;
	uint32_t shared;
};

/* One ring's places, which count bytes since the beginning and wrap around at 2^32. */
struct channel_places {
	_Alignas(64) _Atomic uint32_t head; /* the writer's */
	_Atomic uint32_t reader_sleeps;
	_Alignas(64) _Atomic uint32_t tail; /* the reader's */
	_Atomic uint32_t writer_sleeps;
};

/* The first page. */
struct channel_page {
	struct channel_places to_process, from_process;
	_Alignas(64) _Atomic uint32_t ready; /* the process has entered its walls */
	_Atomic uint32_t walls;		     /* then: WALL_* of those in force */
	char said[CHANNEL_SAID_MAX];	     /* why it could not */
};

struct channel_writer {
	struct channel_places *places;
	uint8_t *bytes;
	uint32_t size;
	uint32_t head, tail; /* tail as it was last seen */
	int wake_fd;
};

struct channel_reader {
	struct channel_places *places;
	const uint8_t *bytes;
	uint32_t size;
	uint32_t head, tail;		   /* head as it was last seen */
	uint32_t record_size, record_mark; /* of the record at tail */
	int wake_fd;
};

struct channel {
	int memory_fd;	      /* -1: there is no channel */
	int wake_fd, peer_fd; /* eventfds: what wakes us, what wakes the peer */
	void *memory;
	size_t memory_size;
	struct channel_page *page;
	struct channel_writer out;
	struct channel_reader in;
	uint8_t *shared; /* NULL: layout->shared is 0 */
};

/*
 * This process's end of a new one; the process gets memory_fd, peer_fd and
 * wake_fd. All close on exec. 0 or a negative errno with a cause; to be
 * destroyed after success.
 */
int channel_create(struct channel *channel, const struct channel_layout *layout,
		   struct cause *cause);

/*
 * In the process: its end, of what it was given; wake_fd is what wakes it. 0 or
 * a negative errno: -EINVAL if the memory is not of that layout or can shrink.
 */
int channel_attach(struct channel *channel, const struct channel_layout *layout, int memory_fd,
		   int wake_fd, int peer_fd);

void channel_destroy(struct channel *channel);

/* --- writing --- */

/* The largest record that fits into a ring of size bytes. */
static inline uint32_t channel_record_max(uint32_t size)
{
	return size - 8;
}

/*
 * Room for a record of up to size bytes, to be followed by channel_commit() or
 * left alone; NULL when there is none. Of what is written there nothing may be
 * read back as if it were ours.
 */
void *channel_reserve(struct channel_writer *out, uint32_t size);

/* The record is as large as was reserved, or smaller. Not seen before channel_publish(). */
void channel_commit(struct channel_writer *out, uint32_t size, uint32_t mark);

/* Shows the peer what was committed, and wakes it if it sleeps. */
void channel_publish(struct channel_writer *out);

/* Bytes that are taken, those of the peer's mistakes included; at most the ring's size. */
uint32_t channel_used(struct channel_writer *out);

/* Asks to be woken when the peer has taken something; false: there is room for size now. */
bool channel_wait_for_room(struct channel_writer *out, uint32_t size);

/* --- reading --- */

/*
 * The next record: 1, with its size and mark, 0 when there is none, or -EPROTO
 * when the peer's places or sizes make no sense: nothing can be read any more.
 */
int channel_next(struct channel_reader *in, uint32_t *size, uint32_t *mark);

/* Copies the first size bytes of the record that channel_next() found, at most all. */
void channel_copy(const struct channel_reader *in, void *to, uint32_t size);

/* Done with that record. */
void channel_drop(struct channel_reader *in);

/* Gives back the room of those that were dropped, and wakes the peer if it waits for it. */
void channel_release(struct channel_reader *in);

/* Asks to be woken when there is a record; false: there is one now. */
bool channel_wait_for_record(struct channel_reader *in);

/* Takes note of having been woken: empties wake_fd, which does not block. */
void channel_woken(struct channel *channel);

#endif
