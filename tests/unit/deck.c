/*
 * The deck: what a reload makes of profiles that are added, renamed, swapped,
 * duplicated, broken and removed, also while their guests run; and the end. What
 * needs guests that run is skipped without /dev/kvm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/host_memory.h"
#include "control/methods.h"
#include "core/deck/deck.h"
#include "core/deck/guest_private.h"
#include "core/deck/pressure.h"
#include "demo/image.h"
#include "with_nat.h"

#define PATIENCE (240 * NS_PER_S)
#define NOTES_SIZE 4096

struct bench {
	char folder[64];
	char switches[80]; /* its folder for those, or "" */
	char notes[NOTES_SIZE]; /* what the last reading told who asked for it */
	struct deck *deck;
	struct deck_listener listener;
	struct loop_timer patience;
	const char *wanted; /* a state event of this guest ends the loop */
	enum guest_state state;
	unsigned forgotten; /* guests whose end was told */
	char log[512];	    /* the last log event */
	char all[8192];	    /* all of them, a line each */
	unsigned logs, states; /* events of these kinds */
	enum guest_state told; /* by the last state event */
	char said[512];	    /* and its text */
	unsigned ended;	    /* calls of deck_end()'s callback */
	struct loop_task starting; /* run behind each event that a guest is starting, if there is one */
	char kernel[128];
};

static void on_event(void *arg, const struct deck_event *event)
{
	struct bench *bench = arg;

	if (event->kind == DECK_EVENT_PROFILES && event->guest)
		bench->forgotten++;
	if (event->kind == DECK_EVENT_LOG) {
		snprintf(bench->log, sizeof(bench->log), "%s", event->text);
		snprintf(bench->all + strlen(bench->all),
			 sizeof(bench->all) - strlen(bench->all), "%s\n", event->text);
		bench->logs++;
	}
	if (event->kind == DECK_EVENT_STATE) {
		bench->told = guest_get_state(event->guest);
		snprintf(bench->said, sizeof(bench->said), "%s", event->text);
		bench->states++;
		if (bench->told == GUEST_STARTING && bench->starting.run)
			loop_post(deck_loop(bench->deck), &bench->starting);
	}
	if (event->kind == DECK_EVENT_STATE && bench->wanted &&
	    !strcmp(guest_name(event->guest), bench->wanted) &&
	    guest_get_state(event->guest) == bench->state)
		loop_stop(deck_loop(bench->deck));
}

static void stuck(void *arg)
{
	(void)arg;
	fail_msg("a guest did not change its state");
}

static void write_file(struct bench *bench, const char *file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void write_file(struct bench *bench, const char *file, const char *format, ...)
{
	char path[128];
	va_list ap;
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", bench->folder, file);
	out = fopen(path, "w");
	assert_non_null(out);
	va_start(ap, format);
	vfprintf(out, format, ap);
	va_end(ap);
	assert_int_equal(fclose(out), 0);
}

/* A profile of a guest that boots the demo's kernel and has nothing else. */
static void write_guest(struct bench *bench, const char *file, const char *name, const char *more)
{
	write_file(bench, file, "[guest]\nname = %s\nmemory = 16M\n[boot]\nkernel = %s\n%s", name,
		   bench->kernel, more);
}

static void remove_file(struct bench *bench, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", bench->folder, file);
	assert_int_equal(unlink(path), 0);
}

static void open_deck(struct bench *bench)
{
	const struct deck_config config = {
		.guests_folder = bench->folder,
		.switches_folder = *bench->switches ? bench->switches : NULL,
	};
	struct cause cause;

	if (deck_new(&bench->deck, &config, &cause) < 0)
		fail_msg("%s", cause.text);
	bench->listener = (struct deck_listener){ .event = on_event, .arg = bench };
	deck_listen(bench->deck, &bench->listener);
	bench->patience = (struct loop_timer){ .fire = stuck };
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	FILE *kernel;

	strcpy(bench->folder, "/tmp/vmdeck-test-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	snprintf(bench->kernel, sizeof(bench->kernel), "%s/kernel", bench->folder);
	kernel = fopen(bench->kernel, "w");
	assert_int_equal(fwrite(demo_image, 1, demo_image_size, kernel), demo_image_size);
	fclose(kernel);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	char command[128];

	if (bench->deck)
		deck_free(bench->deck);
	snprintf(command, sizeof(command), "rm -r %s", bench->folder);
	assert_int_equal(system(command), 0);
	free(bench);
	return 0;
}

static void reload(struct bench *bench)
{
	struct cause cause;

	if (deck_reload(bench->deck, NULL, &cause) < 0)
		fail_msg("%s", cause.text);
}

/* Names of all guests in order, those of invalid ones with a '!'. */
static void assert_guests(struct bench *bench, const char *expected)
{
	char names[512] = "";
	struct guest *guest;

	for (size_t i = 0; (guest = deck_guest(bench->deck, i)); i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s%s",
			 i ? " " : "", guest_name(guest),
			 guest_get_state(guest) == GUEST_INVALID ? "!" : "");
	assert_string_equal(names, expected);
}

static void wait_for(struct bench *bench, const char *name, enum guest_state wanted)
{
	struct guest *guest = deck_find(bench->deck, name);

	assert_non_null(guest);
	bench->wanted = name;
	bench->state = wanted;
	if (guest_get_state(guest) != wanted) {
		loop_timer_set(deck_loop(bench->deck), &bench->patience, PATIENCE);
		assert_int_equal(loop_run(deck_loop(bench->deck)), 0);
		loop_timer_cancel(deck_loop(bench->deck), &bench->patience);
	}
	bench->wanted = NULL;
}

static void start(struct bench *bench, const char *name)
{
	struct cause cause;

	if (guest_order(deck_find(bench->deck, name), METHOD_GUEST_START, &cause) < 0)
		fail_msg("%s", cause.text);
	wait_for(bench, name, GUEST_RUNNING);
}

static void count_end(void *arg)
{
	struct bench *bench = arg;

	bench->ended++;
	loop_stop(deck_loop(bench->deck));
}

static void end_deck(struct bench *bench)
{
	deck_end(bench->deck, true, count_end, bench);
	loop_timer_set(deck_loop(bench->deck), &bench->patience, PATIENCE);
	while (!bench->ended)
		assert_int_equal(loop_run(deck_loop(bench->deck)), 0);
	loop_timer_cancel(deck_loop(bench->deck), &bench->patience);
}

/* --- profiles --- */

static void test_reload(void **state)
{
	struct bench *bench = *state;

	write_guest(bench, "a.ini", "web", "");
	write_guest(bench, "b.ini", "db", "");
	write_file(bench, ".hidden.ini", "rubbish");
	write_file(bench, "c.txt", "rubbish");
	open_deck(bench);
	assert_guests(bench, "db web");

	/* Added, renamed inside, removed. */
	write_guest(bench, "c.ini", "cache", "");
	write_guest(bench, "a.ini", "www", "");
	reload(bench);
	assert_guests(bench, "cache db www");
	remove_file(bench, "b.ini");
	reload(bench);
	assert_guests(bench, "cache www");
	assert_int_equal(bench->forgotten, 2);

	/* Renamed outside. */
	remove_file(bench, "a.ini");
	write_guest(bench, "z.ini", "www", "");
	reload(bench);
	assert_guests(bench, "cache www");

	/* A mistake keeps the name, and its correction the guest. */
	write_file(bench, "z.ini", "[guest]\nname = www\nmemory = lots\n");
	reload(bench);
	assert_guests(bench, "cache www!");
	assert_true(guest_mistakes(deck_find(bench->deck, "www"))->count > 0);
	assert_int_equal(guest_order(deck_find(bench->deck, "www"), METHOD_GUEST_START, NULL),
			 -EBUSY);
	write_guest(bench, "z.ini", "www", "");
	reload(bench);
	assert_guests(bench, "cache www");
	assert_int_equal(guest_mistakes(deck_find(bench->deck, "www"))->count, 0);
}

static void test_order_of_names(void **state)
{
	static const char *const names[] = { "guest10", "web", "guest4", "guest", "guest04", "db" };
	struct bench *bench = *state;
	char file[16];

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(file, sizeof(file), "%u.ini", i);
		write_guest(bench, file, names[i], "");
	}
	open_deck(bench);
	assert_guests(bench, "db guest guest04 guest4 guest10 web");
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(guest_name(deck_find(bench->deck, names[i])), names[i]);
	assert_null(deck_find(bench->deck, "guest5"));
}

/* A file is read again when it is another one, and not else. */
static void test_unchanged_files(void **state)
{
	struct bench *bench = *state;
	const struct profile *before;

	write_guest(bench, "a.ini", "web", "");
	open_deck(bench);
	before = guest_profile(deck_find(bench->deck, "web"));
	/* It could change within one tick of its file system's clock. */
	reload(bench);
	assert_ptr_not_equal(guest_profile(deck_find(bench->deck, "web")), before);
	usleep(2100 * 1000);
	reload(bench);
	before = guest_profile(deck_find(bench->deck, "web"));
	reload(bench);
	assert_ptr_equal(guest_profile(deck_find(bench->deck, "web")), before);
	write_guest(bench, "a.ini", "wiki", "");
	reload(bench);
	assert_guests(bench, "wiki");
	write_guest(bench, "b.ini", "wiki", "");
	reload(bench);
	assert_guests(bench, "b! wiki");
}

/* Sixty guests with four cards each: all are told apart, and who is the same is found. */
static void test_many_addresses(void **state)
{
	struct bench *bench = *state;
	char file[32], name[32];

	for (unsigned i = 0; i < 60; i++) {
		snprintf(file, sizeof(file), "g%u.ini", i);
		snprintf(name, sizeof(name), "g%u", i);
		write_guest(bench, file, name, "[net0]\nswitch=a\n[net1]\nswitch=a\n"
			    "[net2]\nswitch=b\n[net3]\nswitch=b\n");
	}
	write_guest(bench, "h.ini", "h", "[net0]\nswitch=a\nmac=52:54:00:00:00:01\n");
	write_guest(bench, "i.ini", "i", "[net0]\nswitch=b\nmac=52:54:00:00:00:01\n");
	write_guest(bench, "j.ini", "j", "[net0]\nswitch=c\n"
		    "[net3]\nswitch=b\nmac=52:54:00:00:00:01\n");
	open_deck(bench);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		assert_int_equal(guest_get_state(deck_find(bench->deck, name)), GUEST_DEFINED);
	}
	assert_int_equal(guest_get_state(deck_find(bench->deck, "h")), GUEST_DEFINED);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "i")), GUEST_DEFINED);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "j")), GUEST_INVALID);
	assert_non_null(strstr(guest_mistakes(deck_find(bench->deck, "j"))->mistakes[0].text,
			       "mac: guest i"));
}

static void two_cards_of_a_switch_never_have_one_ip_address(void **state)
{
	struct bench *bench = *state;

	write_guest(bench, "a.ini", "a", "[net0]\nswitch=a\naddress=10.0.2.50\n"
		    "[net1]\nswitch=a\n[net2]\nswitch=a\n");
	write_guest(bench, "b.ini", "b", "[net0]\nswitch=b\naddress=10.0.2.50\n"
		    "[net1]\nswitch=a\naddress=10.0.2.51\n");
	write_guest(bench, "c.ini", "c", "[net0]\nswitch=c\n"
		    "[net3]\nswitch=a\naddress=10.0.2.51\n");
	open_deck(bench);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "a")), GUEST_DEFINED);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "b")), GUEST_DEFINED);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "c")), GUEST_INVALID);
	assert_non_null(strstr(guest_mistakes(deck_find(bench->deck, "c"))->mistakes[0].text,
			       "address: guest b"));
}

static void test_conflicts(void **state)
{
	struct bench *bench = *state;

	write_guest(bench, "a.ini", "web", "");
	write_guest(bench, "b.ini", "web", "");
	write_guest(bench, "c.ini", "c", "[net0]\nswitch = lan\nmac = 52:54:00:00:00:01\n");
	write_guest(bench, "d.ini", "d", "[net0]\nswitch = lan\nmac = 52:54:00:00:00:01\n");
	open_deck(bench);
	assert_guests(bench, "b! c d! web");
	assert_non_null(strstr(guest_mistakes(deck_find(bench->deck, "b"))->mistakes[0].text,
			       "name: guest web ("));

	/* An invalid profile gives its file's name up. */
	write_guest(bench, "a.ini", "b", "");
	remove_file(bench, "d.ini");
	write_file(bench, "b.ini", "rubbish\n");
	reload(bench);
	assert_guests(bench, "b b.2! c");
	write_guest(bench, "d.ini", "b.2", "");
	reload(bench);
	assert_guests(bench, "b b.2 b.3! c");
	remove_file(bench, "d.ini");

	/* Two files swap names. */
	write_guest(bench, "b.ini", "x", "");
	reload(bench);
	assert_guests(bench, "b c x");
	write_guest(bench, "a.ini", "x", "");
	write_guest(bench, "b.ini", "b", "");
	reload(bench);
	assert_guests(bench, "b c x");
	assert_non_null(strstr(guest_profile_path(deck_find(bench->deck, "x")), "/a.ini"));
}

/* Whoever reads a name in the list can say it in an order. */
static void test_every_name_is_one(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_file(bench, "bad name.ini", "rubbish");
	write_file(bench, "-x.ini", "rubbish");
	write_file(bench, "~~.ini", "rubbish");
	write_file(bench, "\303\244.ini", "rubbish");
	write_file(bench, "a-name-of-more-than-thirty-one-letters.ini", "rubbish");
	write_file(bench, "a-name-of-more-than-thirty-one-letters-too.ini", "rubbish");
	open_deck(bench);
	assert_guests(bench, "a-name-of-more-than-thirty-on.2! a-name-of-more-than-thirty-one-! "
			     "bad_name! unnamed! unnamed.2! x!");
	for (size_t i = 0; (guest = deck_guest(bench->deck, i)); i++)
		assert_true(name_valid(guest_name(guest)));
}

/* What the method table does not allow is refused, in the words of the protocol. */
static void assert_refusals(struct guest *guest)
{
	enum guest_state state = guest_get_state(guest);
	char expected[256], states[GUEST_STATES_TEXT];

	for (enum method_id id = 0; id < METHOD_COUNT; id++) {
		const struct method *method = &method_table[id];
		struct cause cause = { "" };

		if (!method->order || guest_state_in(state, method->states))
			continue;
		guest_states_text(method->states, states);
		if (state == GUEST_INVALID)
			snprintf(expected, sizeof(expected), "%s: its profile has mistakes: "
				 "b.ini:1: 'rubbish' is neither a [section] nor 'key = value' (and 1 more); "
				 "'vmdeck show b' lists them", guest_name(guest));
		else
			snprintf(expected, sizeof(expected), "%s is %s; only a guest that is %s "
				 "can be %s%s", guest_name(guest), guest_state_name(state), states,
				 method->order->done, state != GUEST_PAUSED ||
				 method->order->counterpart != METHOD_GUEST_RESUME ? "" :
				 "; one that is paused can be resumed");
		assert_int_equal(guest_order(guest, id, &cause), -EBUSY);
		assert_string_equal(cause.text, expected);
		assert_int_equal(guest_get_state(guest), state);
	}
}

static void test_orders_to_guests_that_do_not_run(void **state)
{
	struct bench *bench = *state;

	write_guest(bench, "a.ini", "a", "");
	write_file(bench, "b.ini", "rubbish\n[guest]\ncpus = 0\n");
	open_deck(bench);
	assert_refusals(deck_find(bench->deck, "a"));
	assert_refusals(deck_find(bench->deck, "b"));
}

/* --- with guests that run --- */

static void test_orders(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "");
	open_deck(bench);
	guest = deck_find(bench->deck, "a");
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
	assert_int_equal(guest_get_state(guest), GUEST_STARTING);
	assert_refusals(guest);
	wait_for(bench, "a", GUEST_RUNNING);
	assert_refusals(guest);
	assert_int_equal(guest_order(guest, METHOD_GUEST_PAUSE, NULL), 0);
	wait_for(bench, "a", GUEST_PAUSED);
	assert_refusals(guest);
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	assert_int_equal(guest_get_state(guest), GUEST_STOPPING);
	wait_for(bench, "a", GUEST_STOPPED);
	assert_refusals(guest);
	end_deck(bench);
}

/* What comes while it stops is done when it has, unless its power is taken once more. */
static void test_start_while_stopping(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "");
	open_deck(bench);
	start(bench, "a");
	guest = deck_find(bench->deck, "a");
	assert_int_equal(guest_order(guest, METHOD_GUEST_STOP, NULL), 0);
	assert_true(guest_pressed(guest) > 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
	assert_true(guest_starts_again(guest));
	assert_int_equal(guest_get_state(guest), GUEST_STOPPING);
	wait_for(bench, "a", GUEST_RUNNING);
	assert_false(guest_starts_again(guest) || guest_pressed(guest));
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "a", GUEST_STOPPED);
	assert_false(guest_starts_again(guest));
	end_deck(bench);
}

/* What is started when it has stopped has its profile as it is by then, or is refused. */
static void test_start_again_with_another_profile(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "");
	write_guest(bench, "b.ini", "b", "");
	open_deck(bench);
	start(bench, "a");
	start(bench, "b");

	/* Its file is another guest's by then, and the name yet another's. */
	write_guest(bench, "a.ini", "anew", "");
	reload(bench);
	guest = deck_find(bench->deck, "a");
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
	wait_for(bench, "a", GUEST_FAILED);
	assert_guests(bench, "anew b");
	write_guest(bench, "z.ini", "a", "");
	reload(bench);
	assert_guests(bench, "a anew b");
	start(bench, "anew");

	/* It has mistakes by then. */
	guest = deck_find(bench->deck, "b");
	write_file(bench, "b.ini", "[guest]\nname = b\nmemory = lots\n");
	reload(bench);
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
	wait_for(bench, "b", GUEST_FAILED);
	assert_int_equal(guest_get_state(guest), GUEST_INVALID);

	/* Another has its address by then. */
	write_guest(bench, "anew.ini", "other", "[net0]\nswitch = lan\nmac = 02:00:00:00:00:07\n");
	write_guest(bench, "a.ini", "anew", "[net0]\nswitch = lan\nmac = 02:00:00:00:00:08\n");
	reload(bench);
	write_guest(bench, "anew.ini", "other", "[net0]\nswitch = lan\nmac = 02:00:00:00:00:08\n");
	reload(bench);
	guest = deck_find(bench->deck, "anew");
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "anew", GUEST_STOPPED);
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), -EBUSY);
	assert_guests(bench, "a anew! b! other");
	end_deck(bench);
}

/* Whatever the method table has as an order, somebody carries out. */
static void test_every_order(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "");
	open_deck(bench);
	guest = deck_find(bench->deck, "a");
	for (enum method_id id = 0; id < METHOD_COUNT; id++) {
		if (!method_table[id].order)
			continue;
		if (id != METHOD_GUEST_START)
			start(bench, "a");
		if (id == METHOD_GUEST_RESUME) {
			assert_int_equal(guest_order(guest, METHOD_GUEST_PAUSE, NULL), 0);
			wait_for(bench, "a", GUEST_PAUSED);
		}
		assert_int_equal(guest_order(guest, id, NULL), 0);
		if (id != METHOD_GUEST_OFF)
			assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
		wait_for(bench, "a", GUEST_STOPPED);
	}
	end_deck(bench);
}

static void test_reload_while_running(void **state)
{
	struct bench *bench = *state;
	unsigned forgotten;

	write_guest(bench, "a.ini", "a", "");
	write_guest(bench, "b.ini", "b", "");
	write_guest(bench, "c.ini", "c", "");
	open_deck(bench);
	start(bench, "a");
	start(bench, "b");
	start(bench, "c");

	/* a is renamed inside, b's file gets another name, c's file gets a mistake, then goes. */
	write_guest(bench, "a.ini", "anew", "");
	remove_file(bench, "b.ini");
	write_guest(bench, "other.ini", "b", "");
	write_file(bench, "c.ini", "[guest]\nname = c\nmemory = lots\n");
	reload(bench);
	assert_guests(bench, "a b c other!");
	assert_true(guest_mistakes(deck_find(bench->deck, "c"))->count > 0);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "c")), GUEST_RUNNING);
	remove_file(bench, "c.ini");
	reload(bench);
	assert_guests(bench, "a b c other!");

	forgotten = bench->forgotten;
	assert_int_equal(guest_order(deck_find(bench->deck, "a"), METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "a", GUEST_STOPPED);
	assert_guests(bench, "anew b c other!");
	assert_int_equal(guest_order(deck_find(bench->deck, "b"), METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "b", GUEST_STOPPED);
	assert_guests(bench, "anew b c");
	assert_non_null(strstr(guest_profile_path(deck_find(bench->deck, "b")), "/other.ini"));
	assert_int_equal(guest_order(deck_find(bench->deck, "c"), METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "c", GUEST_STOPPED);
	assert_guests(bench, "anew b");
	assert_true(bench->forgotten >= forgotten + 3);
	start(bench, "anew");
	end_deck(bench);
}

static void add_note(void *arg, const char *sentence, bool stands)
{
	char *notes = arg;

	/* What is news and stands is told as both. */
	if (stands && strstr(notes, sentence))
		return;
	snprintf(notes + strlen(notes), NOTES_SIZE - strlen(notes), "%s\n", sentence);
}

/* What somebody hears who asks for a reading. */
static const char *notes_of_reload(struct bench *bench)
{
	struct deck_notes notes = { .add = add_note, .arg = bench->notes };

	bench->notes[0] = '\0';
	assert_int_equal(deck_reload(bench->deck, &notes, NULL), 0);
	return bench->notes;
}

/* What a file said that is gone is not repeated, and counts anew when it comes back. */
static void test_broken_and_gone(void **state)
{
	static const char gone[] =
		"a: its profile is gone; it goes on until it ends\n"
		"switch net: its profile is gone; that is applied when no running guest is on it\n";
	static const char back[] = "switch net: its profile is again what it is\n"
				   "a: its profile is again what it runs with\n";
	struct bench *bench = *state;
	const char *notes;

	snprintf(bench->switches, sizeof(bench->switches), "%s/switches", bench->folder);
	assert_int_equal(mkdir(bench->switches, 0700), 0);
	write_file(bench, "switches/net.ini", "[switch]\n");
	write_guest(bench, "a.ini", "a", "[net0]\nswitch = net\n");
	open_deck(bench);
	start(bench, "a");
	write_file(bench, "switches/net.ini", "[switch]\nuplink = moon\n");
	write_guest(bench, "a.ini", "a", "[net0]\nswitch = net\ncolour = red\n");
	for (unsigned i = 0; i < 2; i++) {
		notes = notes_of_reload(bench);
		assert_non_null(strstr(notes, "moon"));
		assert_non_null(strstr(notes, "colour"));
	}
	remove_file(bench, "switches/net.ini");
	remove_file(bench, "a.ini");
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(notes_of_reload(bench), gone);
	assert_int_equal(guest_mistakes(deck_find(bench->deck, "a"))->count, 0);

	write_file(bench, "switches/net.ini", "[switch]\n");
	write_guest(bench, "a.ini", "a", "[net0]\nswitch = net\n");
	assert_string_equal(notes_of_reload(bench), back);
	assert_string_equal(notes_of_reload(bench), "");
	end_deck(bench);
}

/* A kernel that is told what does no good here starts all the same. */
static void test_warnings(void **state)
{
	struct bench *bench = *state;

	write_guest(bench, "a.ini", "a", "cmdline = quiet pci=off\n");
	open_deck(bench);
	assert_int_equal(guest_order(deck_find(bench->deck, "a"), METHOD_GUEST_START, NULL), 0);
	assert_int_equal(bench->logs, 1);
	assert_string_equal(bench->log, "a: cmdline: pci=off: the kernel then finds no disks and "
			    "no network cards");
	end_deck(bench);
}

/* A state that a profile makes begins when the profile does. */
static void test_since_of_mistakes(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;
	uint64_t since;

	write_guest(bench, "a.ini", "a", "");
	open_deck(bench);
	guest = deck_find(bench->deck, "a");
	since = guest_since(guest);
	write_file(bench, "a.ini", "[guest]\nautostart = perhaps\n");
	assert_int_equal(deck_reload(bench->deck, NULL, NULL), 0);
	assert_int_equal(guest_get_state(guest), GUEST_INVALID);
	assert_true(guest_since(guest) > since);
	since = guest_since(guest);
	assert_int_equal(deck_reload(bench->deck, NULL, NULL), 0);
	assert_true(guest_since(guest) == since);
}

static void test_autostart(void **state)
{
	struct bench *bench = *state;
	struct guest *bad;

	write_guest(bench, "a.ini", "a", "");
	write_file(bench, "bad.ini", "[guest]\nname = bad\nmemory = 16M\nautostart = yes\n"
		   "[boot]\nkernel = %s/nothing\n", bench->folder);
	write_file(bench, "good.ini", "[guest]\nname = good\nmemory = 16M\nautostart = yes\n"
		   "[boot]\nkernel = %s\n", bench->kernel);
	write_file(bench, "ugly.ini", "[guest]\nautostart = perhaps\n");
	open_deck(bench);
	deck_autostart(bench->deck);
	wait_for(bench, "good", GUEST_RUNNING);
	bad = deck_find(bench->deck, "bad");
	wait_for(bench, "bad", guest_get_state(bad) == GUEST_INVALID ? GUEST_INVALID : GUEST_FAILED);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "a")), GUEST_DEFINED);
	if (guest_get_state(bad) == GUEST_FAILED)
		assert_non_null(strstr(guest_reason(bad), "/nothing"));
	end_deck(bench);
	assert_int_equal(bench->ended, 1);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "good")), GUEST_STOPPED);

	/* Nothing is started any more. */
	assert_int_equal(guest_order(deck_find(bench->deck, "a"), METHOD_GUEST_START, NULL), -EBUSY);
}

/* One that is paused goes on when the deck ends, to see its power button; these guests ignore it. */
/* The memory of those that run counts, with overcommit or without, until they end. */
static void test_memory_of_the_host(void **state)
{
	struct bench *bench = *state;
	struct host_memory host;
	struct cause cause;
	unsigned long long most;

	host_memory_read(&host, "");
	most = host.limit >> 20;
	write_file(bench, "all.ini", "[guest]\nmemory = %lluM\n[boot]\nkernel = %s\n", most,
		   bench->kernel);
	write_file(bench, "more.ini", "[guest]\nmemory = %lluM\n", most + 1);
	write_guest(bench, "small.ini", "small", "");
	write_file(bench, "sure.ini", "[guest]\nmemory = 16M\novercommit = yes\n[boot]\n"
		   "kernel = %s\n", bench->kernel);
	open_deck(bench);
	assert_int_equal(guest_order(deck_find(bench->deck, "more"), METHOD_GUEST_START, &cause),
			 -ENOMEM);
	assert_non_null(strstr(cause.text, "more: it wants "));
	assert_non_null(strstr(cause.text, "overcommit=yes"));
	assert_null(strstr(cause.text, "running"));
	start(bench, "all");
	assert_int_equal(guest_order(deck_find(bench->deck, "small"), METHOD_GUEST_START, &cause),
			 -ENOMEM);
	assert_non_null(strstr(cause.text, "of 1 running guest,"));
	start(bench, "sure");
	assert_int_equal(guest_order(deck_find(bench->deck, "all"), METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "all", GUEST_STOPPED);
	start(bench, "small");
	end_deck(bench);
}

struct heard {
	unsigned count;
	uint64_t newest;
	char first[64], last[64];
};

static void hear(void *arg, const struct deck_event *event)
{
	struct heard *heard = arg;

	assert_null(event->name);
	snprintf(heard->count++ ? heard->last : heard->first, sizeof(heard->last), "%s",
		 event->text);
	heard->newest = event->time_ns;
}

/* The newest events are kept for whoever comes later; that profiles were read is none. */
static void test_journal(void **state)
{
	struct journal journal = { 0 };
	struct heard heard = { 0 };
	const struct deck_listener listener = { .event = hear, .arg = &heard };
	struct deck_event event = { .name = "web", .kind = DECK_EVENT_STATE,
				    .state = GUEST_CRASHED, .text = "triple fault" };
	char text[JOURNAL_SENTENCE];

	(void)state;
	journal_replay(&journal, &listener);
	assert_int_equal(heard.count, 0);
	for (unsigned i = 0; i < JOURNAL_KEPT + 3; i++)
		journal_emit(&journal, NULL, DECK_EVENT_LOG, "event %u", i);
	journal_emit(&journal, NULL, DECK_EVENT_PROFILES, "%s", "");
	journal_replay(&journal, &listener);
	assert_int_equal(heard.count, JOURNAL_KEPT);
	assert_string_equal(heard.first, "event 3");
	assert_string_equal(heard.last, "event 502");
	assert_true(heard.newest > 0 && heard.newest <= clock_wall());
	journal_destroy(&journal);
	assert_true(journal_sentence(&event, text, sizeof(text)));
	assert_string_equal(text, "web: crashed: triple fault");
	event.kind = DECK_EVENT_PROFILES;
	assert_false(journal_sentence(&event, text, sizeof(text)));
}

static void test_pressure(void **state)
{
	struct pressure pressure = { 0 };
	struct journal journal = { 0 };
	struct loop loop;

	(void)state;
	pressure_destroy(&pressure);
	assert_int_equal(loop_init(&loop, NULL), 0);
	pressure_init(&pressure, &loop, &journal);
	assert_false(pressure.over.armed); /* it is looked for by nobody */
	pressure_felt(&pressure);
	assert_int_equal(journal.count, 1);
	assert_non_null(strstr(journal.kept[0].text, "runs short of memory"));
	assert_true(pressure.over.armed);
	pressure_felt(&pressure);
	assert_int_equal(journal.count, 1);
	pressure.told -= PRESSURE_AGAIN;
	pressure_felt(&pressure);
	assert_int_equal(journal.count, 2);
	loop_timer_cancel(&loop, &pressure.over);
	pressure.over.fire(pressure.over.arg);
	assert_int_equal(journal.count, 3);
	assert_non_null(strstr(journal.kept[2].text, "has memory again"));
	pressure_felt(&pressure);
	assert_int_equal(journal.count, 4);
	pressure_destroy(&pressure);
	pressure_destroy(&pressure);
	journal_destroy(&journal);
	loop_destroy(&loop);
}

static void test_end(void **state)
{
	struct bench *bench = *state;

	write_guest(bench, "a.ini", "a", "");
	write_guest(bench, "b.ini", "b", "");
	open_deck(bench);
	start(bench, "a");
	start(bench, "b");
	assert_int_equal(guest_order(deck_find(bench->deck, "a"), METHOD_GUEST_PAUSE, NULL), 0);
	wait_for(bench, "a", GUEST_PAUSED);
	deck_end(bench->deck, false, count_end, bench);
	wait_for(bench, "a", GUEST_RUNNING);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "b")), GUEST_RUNNING);
	end_deck(bench);
	assert_string_equal(guest_reason(deck_find(bench->deck, "a")), "switched off");
	assert_int_equal(guest_get_state(deck_find(bench->deck, "b")), GUEST_STOPPED);
	assert_int_equal(bench->ended, 1);
}

static void stop_waiting(void *arg)
{
	loop_stop(deck_loop(((struct bench *)arg)->deck));
}

/* Runs the deck for so long. */
static void wait_ns(struct bench *bench, uint64_t time)
{
	struct loop_timer over = { .fire = stop_waiting, .arg = bench };

	loop_timer_set(deck_loop(bench->deck), &over, time);
	while (over.armed)
		assert_int_equal(loop_run(deck_loop(bench->deck)), 0);
}

static int start_of(struct bench *bench, const char *guest, struct cause *cause)
{
	return guest_order(deck_find(bench->deck, guest), METHOD_GUEST_START, cause);
}

/* A switch whose profile has mistakes keeps guests from starting; those that run go on. */
static void test_broken_switch(void **state)
{
	static const char mistakes[] = "a: net0: the profile of switch net has mistakes; see "
				       "'vmdeck check ";
	struct bench *bench = *state;
	struct guest *guest;
	struct cause cause;

	snprintf(bench->switches, sizeof(bench->switches), "%s/switches", bench->folder);
	assert_int_equal(mkdir(bench->switches, 0700), 0);
	write_file(bench, "switches/net.ini", "[switch]\nfoo = bar\n");
	write_guest(bench, "a.ini", "a", "[net0]\nswitch = net\n");
	open_deck(bench);
	assert_int_equal(start_of(bench, "a", &cause), -EINVAL);
	assert_int_equal(strncmp(cause.text, mistakes, strlen(mistakes)), 0);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "a")), GUEST_DEFINED);

	write_file(bench, "switches/net.ini", "[switch]\n");
	notes_of_reload(bench);
	start(bench, "a");
	/* Once it has been made it is there for who has it. */
	write_file(bench, "switches/net.ini", "[switch]\naddress = bogus\n");
	notes_of_reload(bench);
	guest = deck_find(bench->deck, "a");
	assert_int_equal(guest_order(guest, METHOD_GUEST_RESET, NULL), 0);
	while (!guest_restarts(guest))
		wait_ns(bench, NS_PER_MS);
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "a", GUEST_STOPPED);
	assert_int_equal(start_of(bench, "a", &cause), -EINVAL);
	assert_int_equal(strncmp(cause.text, mistakes, strlen(mistakes)), 0);
	end_deck(bench);
}

/* What kept it from starting is not what is wrong with its profile. */
static void test_reason_of_mistakes(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "[net0]\nswitch = none\n");
	open_deck(bench);
	guest = deck_find(bench->deck, "a");
	assert_int_equal(start_of(bench, "a", NULL), 0);
	wait_for(bench, "a", GUEST_FAILED);
	assert_non_null(strstr(guest_reason(guest), "there is no switch named none"));
	write_guest(bench, "a.ini", "a", "memory = 4x8M\n");
	assert_int_equal(deck_reload(bench->deck, NULL, NULL), 0);
	assert_int_equal(guest_get_state(guest), GUEST_INVALID);
	assert_string_equal(guest_reason(guest), "");
}

/* A guest that resets itself as fast as it can is told of now and then, and truly. */
static void test_reset_loop(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;
	unsigned count = 0;

	write_guest(bench, "a.ini", "a", "cmdline = \"name=a cmd=reboot\"\n");
	open_deck(bench);
	guest = deck_find(bench->deck, "a");
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
	wait_ns(bench, 14 * NS_PER_S);
	assert_in_range(bench->logs, 2, 3);
	assert_in_range(bench->states, 2, 10);
	if (sscanf(bench->log, "restarted %u more times within ", &count) != 1 || count < 2)
		fail_msg("%s", bench->log);
	assert_int_not_equal(bench->told, GUEST_STOPPING);
	bench->logs = 0;
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "a", GUEST_STOPPED);
	assert_int_equal(bench->told, GUEST_STOPPED);
	assert_int_equal(bench->logs, 1); /* how many there were since */
	end_deck(bench);
}

/* A guest is to stop in whatever state its loop is just then. */
static void test_stop_in_a_reset_loop(void **state)
{
	static const enum guest_state states[] = { GUEST_STARTING, GUEST_RUNNING, GUEST_STOPPING };
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "cmdline = \"name=a cmd=reboot\"\n");
	open_deck(bench);
	guest = deck_find(bench->deck, "a");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
		while (guest_get_state(guest) != states[i] || guest_restarts(guest) < 1)
			wait_ns(bench, 1000);
		assert_int_equal(guest_order(guest, METHOD_GUEST_STOP, NULL), 0);
		if (states[i] == GUEST_STARTING)
			assert_string_equal(bench->log,
					    "switched off between two starts of its own");
		wait_for(bench, "a", GUEST_STOPPED);
		assert_true(strstr(guest_reason(guest), "switched off") ||
			    strstr(guest_reason(guest), "after its power button was pressed"));
	}
	/* Of one that stops, the start that was to follow is not wanted any more. */
	write_guest(bench, "b.ini", "b", "");
	reload(bench);
	start(bench, "b");
	guest = deck_find(bench->deck, "b");
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_STOP, NULL), 0);
	assert_false(guest_starts_again(guest));
	wait_for(bench, "b", GUEST_STOPPED);
	end_deck(bench);
}

/* What is wrong with a guest that comes again and again is told once it has lasted. */
static void test_remarks_of_a_reset_loop(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "");
	open_deck(bench);
	guest = deck_find(bench->deck, "a");
	life_begin(&guest->life);
	life_change(&guest->life, GUEST_RUNNING, "");
	snprintf(guest->reason, sizeof(guest->reason), "its kernel has panicked");
	life_change(&guest->life, GUEST_RUNNING, guest->reason);
	assert_string_equal(bench->said, guest->reason);
	life_restarted(&guest->life, 1, "reset");
	bench->states = 0;
	for (unsigned i = 2; i < 20; i++) {
		life_change(&guest->life, GUEST_STARTING, "");
		life_restarted(&guest->life, i, "reset");
		life_change(&guest->life, GUEST_RUNNING, "");
		life_change(&guest->life, GUEST_RUNNING, guest->reason);
	}
	assert_in_range(bench->states, 1, 2);
	assert_string_equal(bench->said, "");
	wait_ns(bench, 3 * NS_PER_S);
	assert_in_range(bench->states, 2, 3);
	assert_string_equal(bench->said, guest->reason);
	life_change(&guest->life, GUEST_RUNNING, "its watchdog has expired");
	assert_string_equal(bench->said, "its watchdog has expired");
	life_end(&guest->life, GUEST_STOPPED, "");
	end_deck(bench);
}

/* What a person does twice ends with the state that is. */
static void test_quick_resets(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "");
	open_deck(bench);
	start(bench, "a");
	guest = deck_find(bench->deck, "a");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(guest_order(guest, METHOD_GUEST_RESET, NULL), 0);
		wait_ns(bench, NS_PER_S / 2);
		while (guest_get_state(guest) != GUEST_RUNNING)
			wait_ns(bench, NS_PER_S / 10);
	}
	assert_int_equal(guest_order(guest, METHOD_GUEST_PAUSE, NULL), 0);
	wait_for(bench, "a", GUEST_PAUSED);
	assert_int_equal(bench->told, GUEST_PAUSED);
	assert_int_equal(guest_order(guest, METHOD_GUEST_RESET, NULL), 0);
	wait_ns(bench, NS_PER_S / 2);
	while (guest_get_state(guest) != GUEST_RUNNING || bench->told != GUEST_RUNNING)
		wait_ns(bench, NS_PER_S / 10);
	end_deck(bench);
}

/* Resets a guest that runs, and waits until it has been and runs again. */
static void reset(struct bench *bench, struct guest *guest)
{
	unsigned before = guest_restarts(guest);

	bench->all[0] = '\0';
	assert_int_equal(guest_order(guest, METHOD_GUEST_RESET, NULL), 0);
	while (guest_restarts(guest) == before || guest_get_state(guest) != GUEST_RUNNING)
		wait_ns(bench, NS_PER_S / 100);
	assert_int_equal(guest_restarts(guest), before + 1);
}

static void assert_said(struct bench *bench, const char *text)
{
	if (!strstr(bench->all, text))
		fail_msg("not said: %s\n%s", text, bench->all);
}

static void assert_pending(const struct guest *guest, const char *expected)
{
	char pending[GUEST_PENDING_SIZE];

	guest_pending(guest, pending);
	assert_string_equal(pending, expected);
}

/* As its file is by then, whether the deck has seen it before or not. */
static void test_reset_with_another_profile(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "");
	open_deck(bench);
	start(bench, "a");
	guest = deck_find(bench->deck, "a");
	write_file(bench, "a.ini", "[guest]\ncpus = 2\nmemory = 16M\n[boot]\nkernel = %s\n"
		   "[net0]\nswitch = lan\n", bench->kernel);
	reload(bench);
	assert_pending(guest, "cpus, net0");
	assert_int_equal(guest_profile(guest)->cpus, 1);
	reset(bench, guest);
	assert_int_equal(guest_profile(guest)->cpus, 2);
	assert_pending(guest, "");
	assert_said(bench, "reset, and it has its profile's new cpus, net0");
	assert_said(bench, "restarted: reset");
	write_guest(bench, "a.ini", "a", "");
	reset(bench, guest);
	assert_int_equal(guest_profile(guest)->cpus, 1);
	assert_said(bench, "it has its profile's new cpus, net0");
	reset(bench, guest);
	assert_null(strstr(bench->all, "profile"));
	assert_int_equal(guest_restarts(guest), 3);

	/* Whoever takes its power takes it also in between. */
	write_guest(bench, "a.ini", "a", "[net0]\nswitch = lan\n");
	assert_int_equal(guest_order(guest, METHOD_GUEST_RESET, NULL), 0);
	assert_int_equal(guest_order(guest, METHOD_GUEST_OFF, NULL), 0);
	wait_for(bench, "a", GUEST_STOPPED);
	wait_ns(bench, NS_PER_S / 2);
	assert_int_equal(guest_get_state(guest), GUEST_STOPPED);
	assert_non_null(guest_profile(guest)->nets[0]);
	start(bench, "a");
	assert_int_equal(guest_restarts(guest), 0);
	end_deck(bench);
}

/* What cannot be had is not taken, and what was there is there again. */
static void test_reset_with_a_profile_that_cannot_be_had(void **state)
{
	struct bench *bench = *state;
	struct host_memory host;
	char text[200];
	struct guest *guest;

	host_memory_read(&host, "");
	write_guest(bench, "a.ini", "a", "");
	open_deck(bench);
	start(bench, "a");
	guest = deck_find(bench->deck, "a");

	/* Of its disks one is not there: the machine says so; then it is. */
	snprintf(text, sizeof(text), "[disk0]\npath = %s/image\n", bench->folder);
	write_guest(bench, "a.ini", "a", text);
	for (unsigned i = 0; i < 2; i++) {
		reset(bench, guest);
		assert_said(bench, "reset as it was before, as its new profile cannot be had: ");
		assert_said(bench, "/image");
		assert_false(guest_profile(guest)->disks[0].present);
		assert_pending(guest, "disk0");
	}
	write_file(bench, "image", "%01024d", 0);
	reset(bench, guest);
	assert_said(bench, "reset, and it has its profile's new disk0");
	assert_true(guest_profile(guest)->disks[0].present);

	/* More memory than there is: the deck says so. */
	snprintf(text, sizeof(text), "[guest]\nmemory = %lluM\n[boot]\ncmdline = other\n",
		 (unsigned long long)(host.limit >> 20) + 1);
	write_file(bench, "a.ini", "%s", text);
	reset(bench, guest);
	assert_said(bench, "cannot be had: it wants ");
	assert_int_equal(guest_profile(guest)->memory, 16 << 20);

	write_file(bench, "a.ini", "[guest]\nname = a\nmemory = lots\n");
	reset(bench, guest);
	assert_said(bench, "reset as it was before, as its profile has mistakes");
	write_guest(bench, "a.ini", "other", "");
	reset(bench, guest);
	assert_said(bench, "reset as it was before: its profile is one of other now");
	assert_pending(guest, "");
	remove_file(bench, "a.ini");
	reset(bench, guest);
	assert_said(bench, "reset as it was before: its profile ");
	assert_said(bench, "a.ini: No such file or directory");
	assert_true(guest_profile(guest)->disks[0].present);
	end_deck(bench);
}

#define ADDRESS "[net0]\nswitch = lan\nmac = 52:54:00:00:00:07\n"

static void take_address(void *arg)
{
	struct bench *bench = arg;

	/* That the machine is about to end is told as a start, too. */
	if (guest_profile(deck_find(bench->deck, "a"))->nets[0]) {
		loop_post(deck_loop(bench->deck), &bench->starting);
		return;
	}
	bench->starting.run = NULL;
	write_guest(bench, "b.ini", "b", ADDRESS);
	reload(bench);
	assert_int_equal(guest_get_state(deck_find(bench->deck, "b")), GUEST_DEFINED);
}

/* While a machine is tried with the new profile, another guest comes to have the old one's. */
static void test_reset_cannot_go_back(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", ADDRESS);
	open_deck(bench);
	start(bench, "a");
	guest = deck_find(bench->deck, "a");
	write_guest(bench, "a.ini", "a", "[disk0]\npath = /nowhere/image\n");
	bench->starting = (struct loop_task){ .run = take_address, .arg = bench };
	assert_int_equal(guest_order(guest, METHOD_GUEST_RESET, NULL), 0);
	wait_for(bench, "a", GUEST_FAILED);
	assert_non_null(strstr(guest_reason(guest), "/nowhere/image does not exist"));
	assert_non_null(strstr(guest_reason(guest),
			       "nor can the one before it: mac: guest b has the same"));
	assert_null(guest_profile(guest)->nets[0]);
	start(bench, "b");
	end_deck(bench);
}

/* A guest that resets itself has its new profile, once it can be had. */
static void test_own_reset_with_another_profile(void **state)
{
	struct bench *bench = *state;
	struct guest *guest;

	write_guest(bench, "a.ini", "a", "cmdline = \"name=a cmd=reboot\"\n");
	open_deck(bench);
	guest = deck_find(bench->deck, "a");
	assert_int_equal(guest_order(guest, METHOD_GUEST_START, NULL), 0);
	write_guest(bench, "a.ini", "a", "[disk0]\npath = /nowhere/image\n");
	reload(bench);
	while (!strstr(bench->all, "cannot be had: "))
		wait_ns(bench, NS_PER_S / 100);
	assert_string_equal(guest_profile(guest)->cmdline, "name=a cmd=reboot");
	bench->all[0] = '\0';
	wait_ns(bench, 3 * NS_PER_S);
	assert_null(strstr(bench->all, "cannot be had: ")); /* it is not tried over and over */
	write_guest(bench, "a.ini", "a", "");
	reload(bench);
	while (!strstr(bench->all, "it has its profile's new cmdline"))
		wait_ns(bench, NS_PER_S / 100);
	assert_int_equal(guest_get_state(guest), GUEST_RUNNING);
	end_deck(bench);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_of_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unchanged_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(two_cards_of_a_switch_never_have_one_ip_address,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflicts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_name_is_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_orders_to_guests_that_do_not_run, setup,
						teardown),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test_setup_teardown(test_remarks_of_a_reset_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_orders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_while_stopping, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_again_with_another_profile, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_every_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload_while_running, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_and_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_switch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reason_of_mistakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_warnings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_since_of_mistakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_autostart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_of_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_in_a_reset_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quick_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_with_another_profile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset_with_a_profile_that_cannot_be_had, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_reset_cannot_go_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_reset_with_another_profile, setup,
						teardown),
	};
	size_t count = sizeof(tests) / sizeof(tests[0]);

	begin_with_nat(argc, argv);
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		perror("no guests are run: /dev/kvm");
		count = 9;
	}
	return _cmocka_run_group_tests("deck", tests, count, NULL, NULL);
}
