/*
 * The table of keys: every row leads somewhere, and whatever names a key on the
 * screen follows the table. Views are drawn by curses into a terminal that is
 * nobody's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <curses.h>

#include "base/checked.h"
#include "control/methods.h"
#include "fake_screen.h"
#include "tui/ui/frame.h"
#include "tui/ui/media.h"
#include "tui/ui/orders.h"
#include "tui/views/table.h"

#define COLUMNS 130
#define KEYS_MAX 256

static const struct view_ops *view_of(const char *id)
{
	for (size_t i = 0; i < views_count; i++)
		for (size_t m = 0; views_table[i]->modes && views_table[i]->modes[m]; m++)
			if (strcmp(views_table[i]->modes[m]->id, id) == 0)
				return views_table[i]->modes[m];
	for (size_t i = 0; i < views_count; i++)
		if (strcmp(views_table[i]->id, id) == 0)
			return views_table[i];
	return NULL;
}

static void test_rows(void **state)
{
	unsigned sets = 0;

	(void)state;
	for (size_t i = 0; i < views_count; i++)
		sets |= views_table[i]->keys;
	for (size_t i = 0; i < keys_table.count; i++) {
		const struct key *key = &keys_table.rows[i];

		assert_true(!key->sets != !key->view);
		assert_int_equal(key->sets & ~sets, 0);
		if (key->view)
			assert_non_null(view_of(key->view));
		assert_non_null(key->label);
		/* What the footer names, help explains. */
		if (key->hint)
			assert_non_null(key->help);
		if (key->command == COMMAND_OPEN)
			assert_non_null(view_of(key->target));
		if (key->command == COMMAND_ORDER) {
			assert_non_null(method_find(key->target));
			assert_non_null(method_find(key->target)->order);
			/* The question is made of it: "Force web off?" of "force it off". */
			assert_true(!method_find(key->target)->order->confirm ||
				    strstr(method_find(key->target)->order->confirm, " it"));
		}
	}
}

/* No key does two things in one view. */
static void check_keys(const struct view_ops *view)
{
	for (size_t i = 0; i < keys_table.count; i++) {
		const struct key *key = &keys_table.rows[i];

		if (keys_has(view, key) && keys_find(&keys_table, view, key->key) != key)
			fail_msg("%s is twice in the view %s", key->label, view->id);
	}
}

static bool leads(const struct view_ops *view, enum command command)
{
	return *keys_label(&keys_table, view, command, NULL);
}

/* What one key opens, which of them hangs on the pane. */
static bool is_looked_at(const struct view_ops *view)
{
	return leads(view_of("network"), COMMAND_LOOK) &&
	       (view == view_of("packet") || view == view_of("port"));
}

static void test_views(void **state)
{
	(void)state;
	for (size_t v = 0; v < views_count; v++) {
		const struct view_ops *view = views_table[v];

		check_keys(view);
		for (const struct view_ops *const *mode = view->modes; mode && *mode; mode++) {
			check_keys(*mode);
			assert_true(leads(*mode, COMMAND_BACK) || leads(*mode, COMMAND_PREFIX));
		}
		/* Each can be left, and each but the first can be come to. */
		assert_true(leads(view, COMMAND_BACK) || leads(view, COMMAND_QUIT) ||
			    leads(view, COMMAND_PREFIX));
		assert_true(v == 0 || *keys_label(&keys_table, NULL, COMMAND_OPEN, view->id) ||
			    is_looked_at(view));
	}
	assert_string_equal(keys_find(&keys_table, view_of("deck"), 's')->target, "guest.start");
	assert_null(keys_find(&keys_table, view_of("console"), 's'));
	assert_int_equal(keys_find(&keys_table, view_of("network"), 'f')->command, COMMAND_FILTER);
}

/* The same keys under other names: "q" is "q!". */
static const struct keys *renamed(void)
{
	static char labels[KEYS_MAX][32];
	static struct key rows[KEYS_MAX];
	static struct keys keys = { rows, 0 };

	assert_true(keys_table.count <= KEYS_MAX);
	for (keys.count = 0; keys.count < keys_table.count; keys.count++) {
		snprintf(labels[keys.count], sizeof(labels[0]), "%s!",
			 keys_table.rows[keys.count].label);
		rows[keys.count] = keys_table.rows[keys.count];
		rows[keys.count].label = labels[keys.count];
	}
	return &keys;
}

static int start(void **state)
{
	*state = fake_screen_new(renamed());
	return 0;
}

static int stop(void **state)
{
	fake_screen_free(*state);
	return 0;
}

static void network(struct tui *tui, const char *switches)
{
	json_t *json = json_loads(switches, 0, NULL);

	assert_non_null(json);
	netmodel_switches(&tui->deck->network, json, 1);
	json_decref(json);
}

static void command(struct tui *tui, enum command command)
{
	assert_true(tui->top->ops->command(tui->top, command));
}

/* At what is on the screen. */
static void type(struct tui *tui, const char *text)
{
	draw_erase();
	frame_draw(tui);
	while (*text)
		prompt_key(&tui->prompt, (wint_t)*text++, false);
}

static bool on_screen(struct tui *tui, const char *text)
{
	char line[COLUMNS * 4 + 1];
	bool found = false;

	draw_erase();
	frame_draw(tui);
	for (int y = 0; y < LINES && !found; y++) {
		mvinnstr(y, 0, line, sizeof(line) - 1);
		found = strstr(line, text) != NULL;
	}
	return found;
}

static bool said(struct tui *tui, const char *text)
{
	const struct message *message = messages_last(&tui->messages);

	return message && strstr(message->text, text);
}

static void test_deck(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"invalid\",\"mistakes\":"
		   "[{\"line\":1,\"text\":\"wrong\"}]}]}");
	assert_true(on_screen(tui, "Press e! to edit the profile."));
	assert_true(on_screen(tui, "Enter! details  c! console"));
	command(tui, COMMAND_FILTER);
	type(tui, "none\r");
	assert_true(on_screen(tui, "\"none\". Press /! to change"));
}

static void test_network(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	network(tui, "{\"switches\":[{\"name\":\"lan\"}]}");
	tui_open(tui, "network", NULL);
	command(tui, COMMAND_HOLD);
	assert_true(on_screen(tui, "held; Space! follows"));
}

static void test_console(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\"}]}");
	tui_open(tui, "console", "nobody");
	assert_true(said(tui, "No guest is selected."));
	assert_true(tui->top == tui->views);
	tui_open(tui, "console", "web");
	assert_true(on_screen(tui, "Nobody answers. Ctrl-]! c! opens it again."));
	assert_true(on_screen(tui, "  Ctrl-]! q! leaves"));
}

/* The next console.break has that key, or none. */
static void expect_sysrq(struct fake_screen *screen, const char *key)
{
	const char *method, *sysrq;
	json_t *params = NULL;
	json_int_t id;

	while ((method = fake_screen_asked(screen, &id, &params)) &&
	       strcmp(method, "console.break") != 0)
		json_decref(params);
	assert_non_null(method);
	sysrq = json_string_value(json_object_get(params, "sysrq"));
	assert_int_equal(!sysrq, !key);
	if (key)
		assert_string_equal(sysrq, key);
	json_decref(params);
}

/* Behind the prefix: its keys are named while it waits, and guests that do not run passed over. */
static void test_console_prefix(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"db\",\"state\":\"running\"},"
		   "{\"name\":\"off\",\"state\":\"stopped\"},{\"name\":\"web\",\"state\":\"paused\"}]}");
	tui_open(tui, "console", "db");
	assert_false(on_screen(tui, "]! next guest"));
	command(tui, COMMAND_PREFIX);
	assert_true(tui->top->mode && tui->top->mode->once);
	assert_true(on_screen(tui, "q! leave  Ctrl-]! send it  Tab! other side  ]! next guest"));
	tui->top->mode->input(tui->top, 'x', false);
	assert_true(said(tui, "That key does nothing behind Ctrl-]!"));
	assert_true(on_screen(tui, "That key does nothing behind Ctrl-]!"));
	command(tui, COMMAND_NEXT_GUEST);
	assert_string_equal(tui_chosen(tui), "web");
	command(tui, COMMAND_NEXT_GUEST);
	assert_string_equal(tui_chosen(tui), "db");
	command(tui, COMMAND_PREVIOUS_GUEST);
	assert_string_equal(tui_chosen(tui), "web");
	command(tui, COMMAND_TURN);
	assert_true(said(tui, "The guest has no other console"));
	/* The deck is asked for what the guest's lines get. */
	command(tui, COMMAND_LINE_BREAK);
	expect_sysrq(screen, NULL);
	command(tui, COMMAND_SYSRQ);
	type(tui, "hh\r");
	assert_true(said(tui, "A SysRq key is one letter or digit."));
	command(tui, COMMAND_SYSRQ);
	type(tui, "h\r");
	expect_sysrq(screen, "h");
	/* A mode does not outlast the view's being left. */
	command(tui, COMMAND_PREFIX);
	tui_back(tui);
	tui_open(tui, "console", "web");
	assert_null(tui->top->mode);
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\"}]}");
	command(tui, COMMAND_NEXT_GUEST);
	assert_true(said(tui, "No other guest runs."));
}

/* The lowest row of a VGA screen. */
static void notify_text(struct fake_screen *screen, const char *text)
{
	char params[256];

	snprintf(params, sizeof(params), "{\"subscription\":4,\"mode\":\"text\",\"columns\":80,"
		 "\"rows\":25,\"cursor\":{\"row\":24,\"column\":1,\"block\":false},"
		 "\"lines\":[{\"row\":24,\"text\":\"%s\",\"colours\":[7,7]}]}", text);
	fake_screen_notify(screen, "screen", params);
}

/* By itself Tab is the guest's while it runs. */
static void test_console_turns(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\","
				   "\"vga\":true}]}");
	tui_open(tui, "console", "web");
	assert_true(on_screen(tui, "Ctrl-]! Tab! VGA, q! leaves"));
	command(tui, COMMAND_NEXT);
	assert_true(on_screen(tui, "Tab! VGA"));
	/* It is watched meanwhile: what comes there is something to turn to. */
	fake_screen_answer(screen, fake_screen_wait(screen, "screen.subscribe"),
			   "{\"subscription\":4}");
	notify_text(screen, "");
	assert_true(on_screen(tui, "Tab! VGA, "));
	notify_text(screen, "boot");
	assert_true(on_screen(tui, "Tab! VGA (new), q! leaves"));
	command(tui, COMMAND_TURN);
	notify_text(screen, "boot: \u2502");
	assert_true(on_screen(tui, "boot: "));
	assert_true(on_screen(tui, "Ctrl-]! Tab! serial"));
	command(tui, COMMAND_PAGE_UP);
	fake_screen_wait(screen, "screen.type"); /* the guest's: there is nothing to scroll to */
	fake_screen_notify(screen, "screen", "{\"subscription\":4,\"mode\":\"graphics\","
			   "\"columns\":640,\"rows\":480,\"cursor\":null,\"lines\":[]}");
	assert_true(on_screen(tui, "graphics mode 640x480, not shown"));
	command(tui, COMMAND_NEXT);
	assert_true(on_screen(tui, "Ctrl-]! Tab! VGA"));
	/* What was seen is nothing new, another text is. */
	notify_text(screen, "menu");
	assert_true(on_screen(tui, "Tab! VGA (new)"));
	command(tui, COMMAND_TURN);
	notify_text(screen, "menu");
	assert_true(on_screen(tui, "menu"));
	command(tui, COMMAND_TURN);
	notify_text(screen, "menu");
	assert_true(on_screen(tui, "Tab! VGA, "));
	notify_text(screen, "login:");
	assert_true(on_screen(tui, "Tab! VGA (new)"));
}

/* A virtio console, the serial port beside it, the VGA: each after the other. */
static void test_console_sides(void **state)
{
	static const char *const next[] = { "Tab! serial", "Tab! VGA", "Tab! virtio" };
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\","
				   "\"vga\":true,\"console\":\"virtio\"}]}");
	tui_open(tui, "console", "web");
	for (unsigned i = 0; i < 4; i++) {
		assert_true(on_screen(tui, next[i % 3]));
		/* It hears how large the window is. */
		if (i == 0)
			fake_screen_wait(screen, "console.window");
		command(tui, COMMAND_TURN);
	}
}

static void test_help(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	tui_open(tui, "network", NULL);
	tui_open(tui, "help", NULL);
	assert_true(on_screen(tui, "q!, Esc!, Ctrl"));
	assert_true(on_screen(tui, "each w!"));
}

static void test_capture(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	network(tui, "{\"switches\":[{\"name\":\"lan\"}]}");
	tui_open(tui, "network", NULL);
	fake_screen_answer(screen, fake_screen_wait(screen, "capture.list"), "{}");
	command(tui, COMMAND_CAPTURE);
	type(tui, "\r");
	fake_screen_answer(screen, fake_screen_wait(screen, "capture.start"),
			   "{\"capture\":1,\"path\":\"x.pcapng\"}");
	assert_true(on_screen(tui, "Capturing to x.pcapng; x! ends it."));
	fake_screen_answer(screen, fake_screen_wait(screen, "capture.list"),
			   "{\"captures\":[{\"capture\":1,\"path\":\"x.pcapng\"}]}");
	/* It is a state: neither an event nor a refusal hides it, in any view. */
	tui_message(tui, SEVERITY_GOOD, 0, "web", "is running");
	assert_true(on_screen(tui, "Capturing to x.pcapng; x! ends it."));
	assert_true(on_screen(tui, "web is running"));
	tui_say(tui, SEVERITY_ERROR, NULL, "It failed.");
	assert_true(on_screen(tui, "Capturing to x.pcapng; x! ends it."));
	assert_true(on_screen(tui, "It failed."));
	tui_key_pressed(tui);
	assert_false(on_screen(tui, "It failed."));
	tui_back(tui);
	assert_true(on_screen(tui, "Capturing to x.pcapng; x! ends it."));
	fake_screen_answer(screen, fake_screen_wait(screen, "capture.list"),
			   "{\"captures\":[{\"capture\":1,\"path\":\"x.pcapng\",\"ended\":\"full\"}]}");
	assert_null(tui->status.entries[STATUS_CAPTURE].text);
}

/* A filter that was refused: what says so stays until a key, or until another one works. */
static void test_refused_filter(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	network(tui, "{\"switches\":[{\"name\":\"lan\"}]}");
	tui_open(tui, "network", NULL);
	fake_screen_answer(screen, fake_screen_wait(screen, "packets.subscribe"),
			   "{\"subscription\":1}");
	command(tui, COMMAND_FILTER);
	type(tui, "foo\r");
	fake_screen_refuse(screen, fake_screen_wait(screen, "packets.subscribe"), "EINVAL",
			   "no word: foo");
	/* All packets are asked for in its place, which takes nothing back. */
	fake_screen_answer(screen, fake_screen_wait(screen, "packets.subscribe"),
			   "{\"subscription\":2}");
	tui_message(tui, SEVERITY_EVENT, 0, "web", "is stopped");
	command(tui, COMMAND_FILTER);
	type(tui, "icmp\r");
	assert_true(on_screen(tui, "no word: foo"));
	fake_screen_answer(screen, fake_screen_wait(screen, "packets.subscribe"),
			   "{\"subscription\":3}");
	assert_false(on_screen(tui, "no word: foo"));
}

static void test_quit(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\"}]}");
	quit_ask(tui->deck);
	type(tui, "s");
	assert_true(said(tui, "waiting for web. After 30 seconds it is forced off; q! asks"));
	for (unsigned i = 0; i < 3; i++) {
		tui_message(tui, SEVERITY_ERROR, 0, "db", "crashed: triple fault");
		tui_key_pressed(tui);
		assert_true(on_screen(tui, "Shutting down: waiting for web."));
	}
}

/* A paused guest does not run. */
static void test_leaving(void **state)
{
	static const struct {
		const char *guests, *question;
	} cases[] = {
		{ "{\"name\":\"a\",\"state\":\"running\"}", "1 guest is running. l: leave it running, "
		  "s: shut it down, any other key: stay" },
		{ "{\"name\":\"a\",\"state\":\"paused\"}", "1 guest is paused. l: leave it paused, "
		  "s: shut it down, any other key: stay" },
		{ "{\"name\":\"a\",\"state\":\"stopping\"},{\"name\":\"b\",\"state\":\"running\"}",
		  "2 guests are running. l: leave them running, s: shut them down, "
		  "any other key: stay" },
		{ "{\"name\":\"a\",\"state\":\"paused\"},{\"name\":\"b\",\"state\":\"running\"}",
		  "1 guest is running, 1 is paused. l: leave them as they are, s: shut them down, "
		  "any other key: stay" },
	};
	struct fake_screen *screen = *state;
	char guests[160];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(guests, sizeof(guests), "{\"guests\":[%s]}", cases[i].guests);
		fake_screen_guests(screen, guests);
		quit_ask(screen->tui.deck);
		assert_string_equal(screen->tui.prompt.question, cases[i].question);
	}
}

/* A question names the keys that answer it, and only those do. */
static void test_question(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	char requests[1024] = "";

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\"}]}");
	for (unsigned i = 0; i < 2; i++) {
		order_give(tui->deck, "web", "guest.off");
		assert_string_equal(tui->prompt.question,
				    "Force web off? It loses what it has not written to its disks "
				    "yet. y: force it off, any other key: let it run");
		assert_int_equal(read(screen->server, requests, sizeof(requests) - 1), -1);
		/* A key that was typed before the question was there is no answer. */
		prompt_key(&tui->prompt, 'y', false);
		assert_true(tui->prompt.active);
		assert_int_equal(read(screen->server, requests, sizeof(requests) - 1), -1);
		type(tui, i ? "y" : "n");
		assert_false(tui->prompt.active);
	}
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"paused\"}]}");
	order_give(tui->deck, "web", "guest.reset");
	assert_non_null(strstr(tui->prompt.question, "any other key: leave it paused"));
	type(tui, "n");
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\"}]}");
	assert_true(read(screen->server, requests, sizeof(requests) - 1) > 0);
	assert_non_null(strstr(requests, "guest.off"));
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"stopped\"}]}");
	order_give(tui->deck, "web", "guest.off");
	assert_false(tui->prompt.active);
	assert_false(on_screen(tui, "web: web"));
	assert_true(on_screen(tui, "web is stopped; only a guest that is starting, running, paused "
				   "or stopping can be forced off"));
}

/* The power button disturbs, and destroys nothing: it is asked about, and that is all. */
static void test_power_button(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_int_t id;
	json_t *params;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\"}]}");
	for (unsigned i = 0; i < 2; i++) {
		order_give(tui->deck, "web", keys_find(tui->keys, tui->top->ops, 'S')->target);
		assert_string_equal(tui->prompt.question,
				    "Shut web down? y: shut it down, any other key: let it run");
		assert_null(fake_screen_asked(screen, &id, &params));
		type(tui, i ? "y" : "S");
	}
	fake_screen_wait(screen, "guest.stop");
	/* What a key does that is one slip away from another is asked about, whatever it is. */
	for (size_t i = 0; i < keys_table.count; i++) {
		const struct key *key = &keys_table.rows[i];

		if (key->command == COMMAND_ORDER && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ", key->key))
			assert_non_null(method_find(key->target)->order->confirm);
	}
}

/*
 * Each passphrase is asked for, is not shown, and goes before the start; none is of an image that
 * is not there, as the deck says when it has looked.
 */
static void test_encrypted_disks(void **state)
{
	static const char disks[] = "{\"disks\":["
		"{\"name\":\"disk0\",\"path\":\"/a.luks\",\"locked\":true},"
		"{\"name\":\"disk1\",\"path\":\"/b.img\",\"locked\":false},"
		"{\"name\":\"disk2\",\"path\":\"/gone.luks\",\"locked\":false},"
		"{\"name\":\"disk3\",\"path\":\"/c.luks\",\"locked\":true}]}";
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_int_t id;
	json_t *params;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"stopped\",\"disks\":["
			   "{\"name\":\"disk0\",\"path\":\"/a.luks\",\"locked\":true},"
			   "{\"name\":\"disk1\",\"path\":\"/b.img\",\"locked\":false},"
			   "{\"name\":\"disk2\",\"path\":\"/gone.luks\",\"locked\":true},"
			   "{\"name\":\"disk3\",\"path\":\"/c.luks\",\"locked\":true}]},"
			   "{\"name\":\"db\",\"state\":\"running\"}]}");
	order_give(tui->deck, "web", "guest.start");
	order_give(tui->deck, "web", "guest.start"); /* it is on its way */
	id = fake_screen_wait(screen, "guest.show");
	assert_null(fake_screen_asked(screen, &(json_int_t){ 0 }, &params));
	fake_screen_answer(screen, id, disks);
	assert_string_equal(tui->prompt.question, "web: passphrase of disk0, /a.luks:");
	type(tui, "sesam");
	assert_true(on_screen(tui, "/a.luks: *****"));
	assert_false(on_screen(tui, "sesam"));
	type(tui, "e\r");
	assert_string_equal(fake_screen_asked(screen, &id, &params), "guest.unlock");
	assert_string_equal(json_string_value(json_object_get(params, "device")), "disk0");
	assert_string_equal(json_string_value(json_object_get(params, "secret")), "sesame");
	json_decref(params);
	/* What is asked before the answer is about something else. */
	order_give(tui->deck, "db", "guest.off");
	type(tui, "n");
	fake_screen_answer(screen, id, "{}");
	fake_screen_answer(screen, fake_screen_wait(screen, "guest.show"), disks);
	assert_string_equal(tui->prompt.question, "web: passphrase of disk3, /c.luks:");
	type(tui, "open\r");
	fake_screen_answer(screen, fake_screen_wait(screen, "guest.unlock"), "{}");
	assert_false(tui->prompt.active);
	fake_screen_wait(screen, "guest.start");
	/* Who gives none has not started it. */
	order_give(tui->deck, "web", "guest.start");
	fake_screen_answer(screen, fake_screen_wait(screen, "guest.show"), disks);
	type(tui, "x\x1b");
	assert_null(fake_screen_asked(screen, &id, &params));
}

/* The next request is that one, with these words in its parameters; its id. */
static json_int_t wait_with(struct fake_screen *screen, const char *method, const char *words)
{
	json_int_t id = 0;
	json_t *params = NULL;
	const char *name;
	char *text;

	while (!(name = fake_screen_asked(screen, &id, &params)) || strcmp(name, method) != 0)
		if (name)
			json_decref(params);
	text = json_dumps(params, JSON_SORT_KEYS);
	if (!strstr(text, words))
		fail_msg("%s lacks %s", text, words);
	free(text);
	json_decref(params);
	return id;
}

static void test_media(void **state)
{
	static const char web[] = "{\"guests\":[{\"name\":\"web\",\"state\":\"running\",\"disks\":["
		"{\"name\":\"disk0\",\"path\":\"/web.img\"},"
		"{\"name\":\"disk1\",\"path\":null,\"cdrom\":true}%s]}]}";
	static const char second[] = ",{\"name\":\"disk2\",\"path\":\"/a.iso\",\"cdrom\":true}";
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	char guests[400];

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\"}]}");
	media_ask(tui->deck, "web");
	assert_true(said(tui, "it has no CD-ROM drive; a disk with cdrom=yes in its profile is"));

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"stopped\","
			   "\"disks\":[{\"name\":\"disk0\",\"cdrom\":true}]}]}");
	media_ask(tui->deck, "web");
	assert_false(tui->prompt.active);
	assert_true(said(tui, "web is stopped; only a guest that is running or paused can be"));

	/* An empty drive: the path alone, which stays until it was of use. */
	snprintf(guests, sizeof(guests), web, "");
	fake_screen_guests(screen, guests);
	media_ask(tui->deck, "web");
	assert_true(on_screen(tui, "Image for disk1 of web:"));
	type(tui, "/x.iso\r");
	fake_screen_refuse(screen, wait_with(screen, "guest.insert",
			   "\"device\": \"disk1\", \"force\": false, \"guest\": \"web\", "
			   "\"path\": \"/x.iso\""), "ENOENT", "web: disk1: /x.iso does not exist; correct the path");
	assert_true(on_screen(tui, "web: disk1: /x.iso does not exist; correct the path"));
	media_ask(tui->deck, "web");
	assert_true(on_screen(tui, "/x.iso"));
	type(tui, "\r");
	fake_screen_answer(screen, wait_with(screen, "guest.insert", "/x.iso"), "{}");
	media_ask(tui->deck, "web");
	assert_int_equal(tui->prompt.length, 0);
	type(tui, "\r");
	assert_false(tui->prompt.active);

	/* Which of several; what the guest holds is asked for again. */
	snprintf(guests, sizeof(guests), web, second);
	fake_screen_guests(screen, guests);
	media_ask(tui->deck, "web");
	assert_true(on_screen(tui, "Which drive of web? 1: disk1, 2: disk2, any other key: none"));
	type(tui, "2");
	assert_true(on_screen(tui, "disk2 of web has /a.iso. e: take it out, i: put another in,"));
	type(tui, "e");
	media_ask(tui->deck, "web");
	assert_false(tui->prompt.active); /* what is answered now is about that one */
	fake_screen_refuse(screen, wait_with(screen, "guest.eject", "\"force\": false"), "EBUSY",
			   "web: disk2: the guest holds it; --force takes it all the same");
	assert_true(on_screen(tui, "web holds the medium of disk2, and has been asked to let go"));
	type(tui, "f");
	fake_screen_answer(screen, wait_with(screen, "guest.eject", "\"force\": true"), "{}");
}

static void test_reset_of_a_changed_profile(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\","
				   "\"pending\":\"memory\"}]}");
	tui_say(tui, SEVERITY_GOOD, NULL, "web.ini is valid.");
	order_give(tui->deck, "web", "guest.reset");
	assert_true(on_screen(tui, "disks yet, and gets its profile's new memory. y: reset it"));
	assert_true(on_screen(tui, "web.ini is valid."));
	type(tui, "n");
	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\","
				   "\"mistakes\":[{\"line\":1,\"text\":\"x\"}]}]}");
	order_give(tui->deck, "web", "guest.reset");
	assert_true(on_screen(tui, "and keeps its old profile, as the new one has mistakes."));
	type(tui, "n");
}

static void test_help_keeps_the_place_in_the_messages(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	char text[32];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "line %u.", i);
		tui_message(tui, SEVERITY_EVENT, 0, NULL, text);
	}
	tui_open(tui, "log", NULL);
	assert_true(on_screen(tui, "line 99."));
	command(tui, COMMAND_FIRST);
	assert_true(on_screen(tui, "line 0."));
	tui_open(tui, "help", NULL);
	tui_back(tui);
	assert_true(on_screen(tui, "line 0."));
	tui_back(tui);
	tui_open(tui, "log", NULL);
	assert_true(on_screen(tui, "line 99."));
}

/* What a guest has come to replaces what it was doing, and the other way round. */
static void test_newest_of_a_guest(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	tui_message(tui, SEVERITY_EVENT, 0, "web", "is stopping");
	tui_message(tui, SEVERITY_ERROR, 0, "web", "triple fault");
	assert_null(tui->status.entries[STATUS_EVENT].text);
	assert_true(on_screen(tui, "triple fault"));
	tui_message(tui, SEVERITY_EVENT, 0, "web", "is starting");
	assert_null(tui->status.entries[STATUS_TROUBLE].text);
	assert_true(on_screen(tui, "web is starting"));
	/* And what was answered about it. */
	tui_say(tui, SEVERITY_WARNING, "web", "that applies when it is reset");
	assert_true(on_screen(tui, "that applies"));
	tui_message(tui, SEVERITY_EVENT, 0, "db", "is running");
	assert_true(on_screen(tui, "that applies"));
	tui_message(tui, SEVERITY_EVENT, 0, "web", "restarted: reset");
	assert_null(tui->status.entries[STATUS_ANSWER].text);
}

/* An event that says less than the answer behind it leaves it the place. */
static void test_what_is_told_twice(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	tui_message(tui, SEVERITY_EVENT, 0, NULL, "x.pcapng: no space");
	tui_say(tui, SEVERITY_ERROR, NULL, "x.pcapng: no space. The capture has 3 packets.");
	assert_null(tui->status.entries[STATUS_EVENT].text);
	assert_int_equal(tui->messages.count, 1);
	assert_true(on_screen(tui, "The capture has 3 packets."));
}

/*
 * One key pauses and resumes, and that which starts resumes, too; what is legal in
 * neither state is asked for all the same.
 */
static void test_counterpart(void **state)
{
	static const struct {
		const char *state, *order, *method;
	} cases[] = {
		{ "running", "guest.pause", "guest.pause" },
		{ "paused", "guest.pause", "guest.resume" },
		{ "stopped", "guest.pause", "guest.pause" },
		{ "stopped", "guest.start", "guest.start" },
		{ "paused", "guest.start", "guest.resume" },
		{ "running", "guest.start", "guest.start" },
	};
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	char guests[80];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char requests[1024] = "";

		snprintf(guests, sizeof(guests),
			 "{\"guests\":[{\"name\":\"web\",\"state\":\"%s\"}]}", cases[i].state);
		fake_screen_guests(screen, guests);
		order_give(tui->deck, "web", cases[i].order);
		assert_true(read(screen->server, requests, sizeof(requests) - 1) > 0);
		assert_non_null(strstr(requests, cases[i].method));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_views),
		cmocka_unit_test_setup_teardown(test_deck, start, stop),
		cmocka_unit_test_setup_teardown(test_network, start, stop),
		cmocka_unit_test_setup_teardown(test_console, start, stop),
		cmocka_unit_test_setup_teardown(test_console_prefix, start, stop),
		cmocka_unit_test_setup_teardown(test_console_turns, start, stop),
		cmocka_unit_test_setup_teardown(test_console_sides, start, stop),
		cmocka_unit_test_setup_teardown(test_help, start, stop),
		cmocka_unit_test_setup_teardown(test_capture, start, stop),
		cmocka_unit_test_setup_teardown(test_refused_filter, start, stop),
		cmocka_unit_test_setup_teardown(test_quit, start, stop),
		cmocka_unit_test_setup_teardown(test_leaving, start, stop),
		cmocka_unit_test_setup_teardown(test_question, start, stop),
		cmocka_unit_test_setup_teardown(test_power_button, start, stop),
		cmocka_unit_test_setup_teardown(test_encrypted_disks, start, stop),
		cmocka_unit_test_setup_teardown(test_media, start, stop),
		cmocka_unit_test_setup_teardown(test_reset_of_a_changed_profile, start, stop),
		cmocka_unit_test_setup_teardown(test_help_keeps_the_place_in_the_messages, start, stop),
		cmocka_unit_test_setup_teardown(test_newest_of_a_guest, start, stop),
		cmocka_unit_test_setup_teardown(test_what_is_told_twice, start, stop),
		cmocka_unit_test_setup_teardown(test_counterpart, start, stop),
	};
	int failed;

	if (!fake_terminal_open(40, COLUMNS, false))
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fake_terminal_close();
	return failed;
}
