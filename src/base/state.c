/* Records of saved state: a header each, then the bytes, padded to ALIGN. Any thread. */
#include "base/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/sentence.h"

#define MAGIC "vmdeck\1"
#define ALIGN 8

/* What all of it begins with; then the records, to the end. */
struct frame {
	char magic[8]; /* MAGIC */
};

struct header {
	char name[STATE_NAME_MAX]; /* filled up with zeroes */
	uint32_t version;
	uint32_t reserved; /* 0 */
	uint64_t size;
};

struct state_record {
	struct header header; /* a copy: the original may lie at any address */
	const uint8_t *data;
	bool found;
};

/* --- writing --- */

/* Room for size bytes more, all zero, at the end; NULL: none, and the writer says so. */
static uint8_t *extend(struct state_writer *writer, size_t size)
{
	uint8_t *data, *end;

	if (writer->error)
		return NULL;
	if (size > writer->room - writer->size) {
		size_t needed = writer->size + size, room = 2 * writer->room;

		if (room < needed)
			room = needed;
		data = realloc(writer->data, room);
		if (!data) {
			writer->error = -ENOMEM;
			return NULL;
		}
		writer->data = data;
		writer->room = room;
	}
	end = writer->data + writer->size;
	memset(end, 0, size);
	writer->size += size;
	return end;
}

static void begin(struct state_writer *writer)
{
	uint8_t *frame = writer->size ? NULL : extend(writer, sizeof(struct frame));

	if (frame)
		memcpy(frame, MAGIC, sizeof(struct frame));
}

void *state_add(struct state_writer *writer, const char *name, uint32_t version, size_t size)
{
	struct header header = { .version = version, .size = size };
	uint8_t *record;

	begin(writer);
	/* There is no such memory, and sizes would wrap. */
	record = size > SIZE_MAX / 4 ? NULL : extend(writer, sizeof(header) + align_up(size, ALIGN));
	if (!record) {
		writer->error = -ENOMEM;
		return NULL;
	}
	snprintf(header.name, sizeof(header.name), "%s", name);
	memcpy(record, &header, sizeof(header));
	return record + sizeof(header);
}

void state_put(struct state_writer *writer, const char *name, uint32_t version, const void *data,
	       size_t size)
{
	void *record = state_add(writer, name, version, size);

	if (record)
		memcpy(record, data, size);
}

int state_end(struct state_writer *writer, uint8_t **data, size_t *size, struct cause *cause)
{
	int err;

	begin(writer);
	err = writer->error;
	if (err)
		free(writer->data);
	else
		*data = writer->data;
	*size = writer->size;
	memset(writer, 0, sizeof(*writer));
	return err ? cause_errno(cause, -err, "saved state") : 0;
}

/* --- reading --- */

int state_refuse(struct cause *cause, const char *name, const char *format, ...)
{
	char text[CAUSE_SIZE];
	va_list ap;

	va_start(ap, format);
	sentence_format(text, sizeof(text), format, ap);
	va_end(ap);
	return cause_set(cause, EINVAL, "saved state: %s: %s", name, text);
}

/* Whether it ends, is not empty, and can be shown in a cause. */
static bool is_name(const char name[STATE_NAME_MAX])
{
	size_t length = strnlen(name, STATE_NAME_MAX);

	for (size_t i = 0; i < length; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return length && length < STATE_NAME_MAX;
}

/* The record at *at, which goes on behind it. */
static int read_record(struct state_record *record, const uint8_t *data, size_t size, size_t *at,
		       struct cause *cause)
{
	struct header *header = &record->header;
	size_t left;

	if (!range_inside(*at, sizeof(*header), size))
		return cause_set(cause, EINVAL, "saved state: it ends in the middle of a record");
	memcpy(header, data + *at, sizeof(*header));
	*at += sizeof(*header);
	left = size - *at;
	if (!is_name(header->name) || header->reserved)
		return cause_set(cause, EINVAL, "saved state: the head of a record is damaged");
	/* The padded size of one that fits into memory does not wrap. */
	if (header->size > left || align_up(header->size, ALIGN) > left)
		return state_refuse(cause, header->name, "%" PRIu64 " bytes, but it ends after %zu",
				    header->size, left);
	record->data = data + *at;
	*at += align_up(header->size, ALIGN);
	return 0;
}

int state_open(struct state_reader *reader, const void *data, size_t size, struct cause *cause)
{
	size_t at = sizeof(struct frame), room = 0;
	int err = 0;

	memset(reader, 0, sizeof(*reader));
	if (size < at || memcmp(data, MAGIC, at))
		return cause_set(cause, EINVAL, "saved state: this is none, or of another version");
	while (!err && at < size) {
		if (reader->count == room) {
			struct state_record *records;

			room = room ? 2 * room : 64;
			records = realloc(reader->records, room * sizeof(*records));
			if (!records) {
				err = cause_errno(cause, ENOMEM, "saved state");
				break;
			}
			reader->records = records;
		}
		reader->records[reader->count] = (struct state_record){ .data = NULL };
		err = read_record(&reader->records[reader->count], data, size, &at, cause);
		if (!err)
			reader->count++;
	}
	return err;
}

void state_close(struct state_reader *reader)
{
	free(reader->records);
	memset(reader, 0, sizeof(*reader));
}

int state_find(struct state_reader *reader, const char *name, uint32_t version, size_t min,
	       size_t max, const uint8_t **data, size_t *size, struct cause *cause)
{
	for (size_t i = 0; i < reader->count; i++) {
		struct state_record *record = &reader->records[i];
		const struct header *header = &record->header;

		if (strcmp(header->name, name))
			continue;
		if (header->version != version)
			return state_refuse(cause, name, "version %" PRIu32 ", but %" PRIu32
					    " is what is known here", header->version, version);
		if (header->size < min || header->size > max)
			return state_refuse(cause, name, "%" PRIu64 " bytes instead of %zu%s",
					    header->size, header->size < min ? min : max,
					    min == max ? "" : header->size < min ? " or more" :
										   " or less");
		record->found = true;
		*data = record->data;
		*size = header->size;
		return 0;
	}
	return state_refuse(cause, name, "it is not there");
}

int state_get(struct state_reader *reader, const char *name, uint32_t version, void *out,
	      size_t size, struct cause *cause)
{
	const uint8_t *data;
	int err = state_find(reader, name, version, size, size, &data, &size, cause);

	if (!err)
		memcpy(out, data, size);
	return err;
}

int state_all_found(const struct state_reader *reader, struct cause *cause)
{
	for (size_t i = 0; i < reader->count; i++)
		if (!reader->records[i].found)
			return state_refuse(cause, reader->records[i].header.name,
					    "nothing here takes it");
	return 0;
}
