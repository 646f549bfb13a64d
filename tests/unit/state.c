/* Saved state: what is written is read again, and nothing else is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/state.h"

#define HEADER 48 /* bytes, before a record's own */
#define FRAME 8

struct saved {
	uint8_t *data;
	size_t size;
	struct state_reader reader;
	struct cause cause;
};

/* "one", version 3, of four bytes; "two", version 1, of nothing; "big", of a MiB. */
static int setup(void **state)
{
	struct saved *saved = calloc(1, sizeof(*saved));
	struct state_writer writer = { 0 };
	uint8_t *big;

	state_put(&writer, "one", 3, "\1\2\3\4", 4);
	state_put(&writer, "two", 1, "", 0);
	big = state_add(&writer, "big", 1, 1 << 20);
	big[(1 << 20) - 1] = 7;
	assert_int_equal(state_end(&writer, &saved->data, &saved->size, &saved->cause), 0);
	*state = saved;
	return 0;
}

static int teardown(void **state)
{
	struct saved *saved = *state;

	state_close(&saved->reader);
	free(saved->data);
	free(saved);
	return 0;
}

static void open_saved(struct saved *saved)
{
	if (state_open(&saved->reader, saved->data, saved->size, &saved->cause))
		fail_msg("%s", saved->cause.text);
}

static void refused(struct saved *saved, int result, const char *says)
{
	assert_int_equal(result, -EINVAL);
	if (!strstr(saved->cause.text, says))
		fail_msg("'%s' does not say '%s'", saved->cause.text, says);
}

static void test_there_and_back(void **state)
{
	struct saved *saved = *state;
	const uint8_t *data;
	uint8_t four[4];
	size_t size;

	open_saved(saved);
	/* In any order. */
	assert_int_equal(state_find(&saved->reader, "big", 1, 1, 1 << 20, &data, &size, NULL), 0);
	assert_int_equal(size, 1 << 20);
	assert_int_equal(data[0], 0);
	assert_int_equal(data[size - 1], 7);
	assert_int_equal(state_get(&saved->reader, "one", 3, four, 4, NULL), 0);
	assert_memory_equal(four, "\1\2\3\4", 4);
	refused(saved, state_all_found(&saved->reader, &saved->cause), "two: nothing here takes it");
	assert_int_equal(state_find(&saved->reader, "two", 1, 0, 0, &data, &size, NULL), 0);
	assert_int_equal(size, 0);
	assert_int_equal(state_all_found(&saved->reader, NULL), 0);
}

static void test_other_records_are_refused(void **state)
{
	struct saved *saved = *state;
	struct state_reader *reader = &saved->reader;
	struct cause *cause = &saved->cause;
	uint8_t four[5] = { 9, 9, 9, 9, 9 };
	const uint8_t *data;
	size_t size;

	open_saved(saved);
	refused(saved, state_get(reader, "three", 1, four, 4, cause), "three: it is not there");
	refused(saved, state_get(reader, "on", 3, four, 4, cause), "on: it is not there");
	refused(saved, state_get(reader, "one", 2, four, 4, cause),
		"one: version 3, but 2 is what is known here");
	refused(saved, state_get(reader, "one", 3, four, 3, cause), "one: 4 bytes instead of 3");
	refused(saved, state_get(reader, "one", 3, four, 5, cause), "one: 4 bytes instead of 5");
	refused(saved, state_find(reader, "one", 3, 5, 9, &data, &size, cause), "instead of 5 or more");
	refused(saved, state_find(reader, "one", 3, 1, 3, &data, &size, cause), "instead of 3 or less");
	assert_memory_equal(four, "\11\11\11\11\11", 5);
	refused(saved, state_refuse(cause, "one", "index %d is too large", 7),
		"saved state: one: index 7 is too large");
}

/* Each end but the true ones, between two records, is noticed. */
static void test_cut_short(void **state)
{
	struct saved *saved = *state;
	size_t one = FRAME + HEADER + 8, two = one + HEADER;

	for (size_t size = 0; size < saved->size; size = size < 200 ? size + 1 : size + 4093) {
		int err = state_open(&saved->reader, saved->data, size, &saved->cause);

		assert_int_equal(err, size == FRAME || size == one || size == two ? 0 : -EINVAL);
		state_close(&saved->reader);
	}
}

static void test_damage(void **state)
{
	static const struct {
		size_t at, size;
		uint8_t value; /* of all these bytes */
		const char *says;
	} damages[] = {
		{ 0, 1, 'V', "this is none" },
		{ 6, 1, 2, "another version" },
		{ FRAME, 1, 0, "head of a record is damaged" },	   /* no name */
		{ FRAME, 32, 'x', "head of a record is damaged" }, /* a name without an end */
		{ FRAME + 1, 1, '\033', "head of a record is damaged" }, /* no text for a terminal */
		{ FRAME + 1, 1, 0x9b, "head of a record is damaged" },
		{ FRAME + 36, 1, 1, "head of a record is damaged" },
		{ FRAME + 47, 1, 0xff, "one: 18374686479671623684 bytes, but it ends after" },
		{ FRAME + 43, 1, 0x80, "one: 2147483652 bytes, but it ends after" },
	};
	struct saved *saved = *state;
	uint8_t before[FRAME + HEADER];

	memcpy(before, saved->data, sizeof(before));
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		memset(saved->data + damages[i].at, damages[i].value, damages[i].size);
		refused(saved, state_open(&saved->reader, saved->data, saved->size, &saved->cause),
			damages[i].says);
		state_close(&saved->reader);
		memcpy(saved->data, before, sizeof(before));
	}
	open_saved(saved);
}

static void test_no_memory(void **state)
{
	struct state_writer writer = { 0 };
	struct cause cause;
	uint8_t *data = NULL;
	size_t size;

	(void)state;
	state_put(&writer, "one", 1, "x", 1);
	assert_null(state_add(&writer, "huge", 1, SIZE_MAX));
	state_put(&writer, "two", 1, "x", 1);
	assert_int_equal(state_end(&writer, &data, &size, &cause), -ENOMEM);
	assert_null(data);

	/* It is empty again. */
	assert_int_equal(state_end(&writer, &data, &size, &cause), 0);
	assert_int_equal(size, FRAME);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_records_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_short, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
