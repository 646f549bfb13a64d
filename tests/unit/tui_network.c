/*
 * The network's view and what it knows: packets that are held, kept below other
 * views and through filters, and captures to files that are whose.
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

#include "control/protocol.h"
#include "fake_screen.h"
#include "tui/model/json.h"
#include "tui/views/network_held.h"

/* --- the list of packets --- */

static void arrive(struct netmodel *model, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++) {
		json_t *params = json_pack("{s:i,s:[{s:i,s:s,s:s}]}", "dropped", 0, "packets",
					   "time", i, "verdict", "flood", "text", "x");

		netmodel_packets(model, params);
		json_decref(params);
	}
}

static uint64_t time_at(const struct netmodel *model, uint64_t n)
{
	const struct packet *packet = netmodel_packet(model, n);

	assert_non_null(packet);
	return packet->time;
}

static void what_is_held_stays(void **state)
{
	struct netmodel *model = calloc(1, sizeof(*model));

	(void)state;
	arrive(model, 0, 5000);
	netmodel_hold(model);
	netmodel_hold(model);
	assert_true(netmodel_held(model));
	arrive(model, 5000, 10000);
	assert_int_equal(model->shown.count, 5000);
	assert_null(netmodel_packet(model, 5000 - NETMODEL_PACKETS - 1));
	for (unsigned n = 5000 - NETMODEL_PACKETS; n < 5000; n++)
		assert_int_equal(time_at(model, n), n);
	netmodel_follow(model);
	assert_false(netmodel_held(model));
	assert_int_equal(model->missed, 10000 - NETMODEL_PACKETS);
	assert_int_equal(time_at(model, model->shown.count - 1), 14999);
	arrive(model, 15000, 1);
	assert_int_equal(time_at(model, model->shown.count - 1), 15000);
	netmodel_hold(model);
	arrive(model, 15001, 3);
	netmodel_follow(model);
	assert_int_equal(time_at(model, model->shown.count - 3), 15001);
	assert_int_equal(time_at(model, model->shown.count - 4), 15000);
	netmodel_hold(model);
	arrive(model, 15004, 3);
	netmodel_destroy(model);
	free(model);
}

static void marks_stand_between_packets(void **state)
{
	struct netmodel *model = calloc(1, sizeof(*model));

	(void)state;
	netmodel_mark(model, "nothing before it");
	assert_int_equal(model->shown.count, 0);
	arrive(model, 0, 2);
	netmodel_hold(model);
	arrive(model, 2, 1);
	netmodel_mark(model, "one");
	netmodel_mark(model, "other");
	arrive(model, 3, 1);
	assert_int_equal(model->shown.count, 5);
	assert_int_equal(time_at(model, 2), 2);
	assert_true(netmodel_packet(model, 3)->mark);
	assert_string_equal(netmodel_packet(model, 3)->fields[PACKET_TEXT], "other");
	assert_false(netmodel_packet(model, 4)->mark);
	netmodel_destroy(model);
	free(model);
}

static void addresses_have_the_names_of_guests(void **state)
{
	struct netmodel *model = calloc(1, sizeof(*model));
	json_t *lists = json_loads("{\"switches\":[{\"name\":\"lan\",\"address\":\"10.0.2.2/24\","
		"\"ports\":[{\"name\":\"web/net0\",\"mac\":\"52:54:00:00:00:01\"},"
		"{\"name\":\"lan/nat\",\"mac\":null}],\"leases\":[{\"address\":\"10.0.2.15\","
		"\"port\":\"db/net1\"},{\"address\":\"10.0.2.16\",\"port\":null}]},"
		"{\"name\":\"dmz\"}]}", 0, NULL);
	static const char *const names[][2] = {
		{ "10.0.2.15", "db" }, { "10.0.2.16", "10.0.2.16" }, { "10.0.2.1", "10.0.2.1" },
		{ "10.0.2.2", "lan" }, { "52:54:00:00:00:01", "web" }, { "", "" },
	};
	char out[100];

	(void)state;
	netmodel_switches(model, lists, 1);
	json_decref(lists);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(netmodel_name(model, names[i][0], out), names[i][1]);
	netmodel_destroy(model);
	free(model);
}

/* --- the view --- */

#define LAN "{\"switches\":[{\"name\":\"lan\"}]}"

struct fixture {
	struct fake_screen *screen;
	struct tui *tui;
	struct netmodel *model;
	json_int_t subscription;
	json_int_t listing; /* the last capture.list that was asked for, */
	json_int_t holding; /* and port.held */
};

static void command(struct fixture *fixture, enum command command)
{
	struct tui *tui = fixture->tui;

	assert_true(tui->top->ops->command(tui->top, command));
}

static void type(struct fixture *fixture, const char *text)
{
	fixture->tui->prompt.drawn = true;
	while (*text)
		prompt_key(&fixture->tui->prompt, (wint_t)*text++, false);
}

static void answer_subscription(struct fixture *fixture, json_int_t request)
{
	char result[64];

	snprintf(result, sizeof(result), "{\"subscription\":%d}", (int)++fixture->subscription);
	fake_screen_answer(fixture->screen, request, result);
}

static void packet(struct fixture *fixture)
{
	char params[128];

	snprintf(params, sizeof(params), "{\"subscription\":%d,\"packets\":[{\"text\":\"x\"}]}",
		 (int)fixture->subscription);
	fake_screen_notify(fixture->screen, "packets", params);
}

/* The next request, or NULL. */
static const char *next(struct fixture *fixture, json_int_t *id, json_t **params)
{
	const char *method = fake_screen_asked(fixture->screen, id, params);

	if (method && strcmp(method, "capture.list") == 0)
		fixture->listing = *id;
	if (method && strcmp(method, "port.held") == 0)
		fixture->holding = *id;
	return method;
}

/* The next request of the method, passing over others; what the parameter is, or "". */
static const char *asked(struct fixture *fixture, const char *method, const char *key,
			 json_int_t *id)
{
	static char text[256];
	const char *found;
	json_t *params = NULL;

	do {
		json_decref(params);
		found = next(fixture, id, &params);
		assert_non_null(found);
	} while (strcmp(found, method) != 0);
	snprintf(text, sizeof(text), "%s", json_text(params, key));
	json_decref(params);
	return text;
}

static json_int_t wait_for(struct fixture *fixture, const char *method)
{
	json_int_t id;

	asked(fixture, method, "", &id);
	return id;
}

/* Reads all requests; whether one of them was of the method. */
static bool was_asked(struct fixture *fixture, const char *method)
{
	const char *found;
	bool is = false;
	json_t *params;
	json_int_t id;

	while ((found = next(fixture, &id, &params))) {
		is = is || strcmp(found, method) == 0;
		json_decref(params);
	}
	return is;
}

static bool said(const struct fixture *fixture, const char *text)
{
	for (unsigned rank = 0; rank < STATUS_COUNT; rank++) {
		const char *said = fixture->tui->status.entries[rank].text;

		if (said && strstr(said, text))
			return true;
	}
	return false;
}

static int open_view(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	json_t *switches = json_loads(LAN, 0, NULL);

	fixture->screen = fake_screen_new(&keys_table);
	fixture->tui = &fixture->screen->tui;
	fixture->model = &fixture->tui->deck->network;
	netmodel_switches(fixture->model, switches, 1);
	json_decref(switches);
	tui_open(fixture->tui, "network", NULL);
	answer_subscription(fixture, wait_for(fixture, "packets.subscribe"));
	packet(fixture);
	*state = fixture;
	return 0;
}

static int close_view(void **state)
{
	struct fixture *fixture = *state;

	fake_screen_free(fixture->screen);
	free(fixture);
	return 0;
}

static void other_views_leave_the_list_alone(void **state)
{
	struct fixture *fixture = *state;
	static const char *const views[] = { "help", "log" };

	for (unsigned i = 0; i < 2; i++) {
		tui_open(fixture->tui, views[i], NULL);
		packet(fixture);
		tui_back(fixture->tui);
		assert_int_equal(fixture->model->shown.count, 2 + i);
	}
	assert_false(was_asked(fixture, "packets.cancel"));
	assert_false(was_asked(fixture, "packets.subscribe"));
	tui_back(fixture->tui); /* to the deck: now it ends */
	assert_true(was_asked(fixture, "packets.cancel"));
	tui_open(fixture->tui, "network", NULL);
	assert_true(was_asked(fixture, "packets.subscribe"));
	assert_int_equal(fixture->model->shown.count, 0);
}

static void filter_by(struct fixture *fixture, const char *text)
{
	command(fixture, COMMAND_FILTER);
	type(fixture, "\025"); /* Ctrl-U */
	type(fixture, text);
	type(fixture, "\r");
}

static void a_filter_adds_to_the_list(void **state)
{
	struct fixture *fixture = *state;
	json_int_t id;

	filter_by(fixture, "arp");
	assert_string_equal(asked(fixture, "packets.subscribe", "filter", &id), "arp");
	answer_subscription(fixture, id);
	packet(fixture);
	assert_int_equal(fixture->model->shown.count, 3);
	assert_string_equal(netmodel_packet(fixture->model, 1)->fields[PACKET_TEXT],
			    "matching arp from here on");
}

static void a_refused_filter_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	json_int_t id;

	filter_by(fixture, "arp");
	answer_subscription(fixture, wait_for(fixture, "packets.subscribe"));
	filter_by(fixture, "apr");
	fake_screen_refuse(fixture->screen,
			   wait_for(fixture, "packets.subscribe"), "EINVAL",
			   "no word");
	assert_string_equal(asked(fixture, "packets.subscribe", "filter", &id), "arp");
	answer_subscription(fixture, id);
	packet(fixture);
	assert_int_equal(fixture->model->shown.count, 3); /* with one mark */
	assert_true(said(fixture, "no word"));
	/* It is there to be mended, and its error goes when that is done. */
	command(fixture, COMMAND_FILTER);
	type(fixture, "\b\b");
	type(fixture, "rp\r");
	assert_string_equal(asked(fixture, "packets.subscribe", "filter", &id), "arp");
	answer_subscription(fixture, id);
	assert_false(said(fixture, "no word"));
	assert_int_equal(fixture->model->shown.count, 3);
	/* What is typed while the old one is asked for again counts all the same. */
	filter_by(fixture, "apr");
	fake_screen_refuse(fixture->screen, wait_for(fixture, "packets.subscribe"), "EINVAL",
			   "no word");
	id = wait_for(fixture, "packets.subscribe");
	filter_by(fixture, "icmp");
	answer_subscription(fixture, id);
	assert_string_equal(asked(fixture, "packets.subscribe", "filter", &id), "icmp");
	answer_subscription(fixture, id);
	assert_int_equal(fixture->model->shown.count, 4);
	assert_false(said(fixture, "no word"));
}

/* A mark is of the packet that was selected, whatever comes behind it. */
static void packets_are_marked(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < 3; i++)
		packet(fixture);
	command(fixture, COMMAND_CHOOSE);
	assert_true(netmodel_held(fixture->model));
	packet(fixture);
	command(fixture, COMMAND_UP);
	command(fixture, COMMAND_CHOOSE);
	command(fixture, COMMAND_UP);
	command(fixture, COMMAND_CHOOSE);
	command(fixture, COMMAND_CHOOSE);
	command(fixture, COMMAND_LAST); /* follows */
	assert_false(netmodel_held(fixture->model));
	assert_int_equal(fixture->model->shown.count, 5);
	for (unsigned n = 0; n < 5; n++)
		assert_int_equal(netmodel_packet(fixture->model, n)->chosen, n == 2 || n == 3);
}

/* Of type 1 or 2 by its Ethernet type's second byte. */
static void packet_of(struct fixture *fixture, unsigned type)
{
	char params[200];

	snprintf(params, sizeof(params), "{\"subscription\":%d,\"packets\":[{\"text\":\"x\",\"size\":14,"
		 "\"data\":\"52540000000252540000000108%02u\"}]}", (int)fixture->subscription, type);
	fake_screen_notify(fixture->screen, "packets", params);
}

/* What was there before is filtered as what comes; without a filter all of it is there again. */
static void a_filter_is_of_what_is_listed_too(void **state)
{
	struct fixture *fixture = *state;
	struct netmodel *model = fixture->model;
	char result[200];
	json_int_t id;

	for (unsigned i = 0; i < 6; i++)
		packet_of(fixture, i % 2 + 1);
	assert_int_equal(model->row_end - model->row_first, 7); /* with one whose bytes are not known */
	filter_by(fixture, "the second");
	asked(fixture, "packets.subscribe", "filter", &id);
	snprintf(result, sizeof(result), "{\"subscription\":%d,\"program\":"
		 "[[40,0,0,12],[21,0,1,2050],[6,0,0,1],[6,0,0,0]]}", (int)++fixture->subscription);
	fake_screen_answer(fixture->screen, id, result);
	packet_of(fixture, 2);
	/* The first, three that match, a line between, the new one. */
	assert_int_equal(model->row_end - model->row_first, 6);
	for (uint64_t row = model->row_first + 1; row < model->row_first + 4; row++)
		assert_int_equal(netmodel_packet(model, netmodel_row(model, row))->data[13], 2);
	assert_int_equal(netmodel_row_of(model, netmodel_row(model, model->row_first + 2) + 1),
			 model->row_first + 2);
	/* The selected one is among those that are shown. */
	command(fixture, COMMAND_UP);
	command(fixture, COMMAND_UP);
	assert_int_equal(network_chosen_packet(fixture->tui->top)->data[13], 2);
	/* Two lines with nothing that is shown between them are one. */
	command(fixture, COMMAND_LAST);
	filter_by(fixture, "others");
	asked(fixture, "packets.subscribe", "filter", &id);
	snprintf(result, sizeof(result), "{\"subscription\":%d,\"program\":"
		 "[[40,0,0,12],[21,0,1,2049],[6,0,0,1],[6,0,0,0]]}", (int)++fixture->subscription);
	fake_screen_answer(fixture->screen, id, result);
	assert_int_equal(model->row_end - model->row_first, 5);
	filter_by(fixture, "");
	asked(fixture, "packets.subscribe", "filter", &id);
	answer_subscription(fixture, id);
	assert_int_equal(model->row_end - model->row_first, model->shown.count);
}

static void a_conversation_becomes_a_filter(void **state)
{
	struct fixture *fixture = *state;
	json_int_t id;

	command(fixture, COMMAND_CONVERSATION);
	assert_true(said(fixture, "There is no packet here whose conversation is known."));
	packet_of(fixture, 6);
	command(fixture, COMMAND_CONVERSATION);
	assert_string_equal(asked(fixture, "packets.subscribe", "filter", &id),
			    "ether host 52:54:00:00:00:01 and ether host 52:54:00:00:00:02");
	answer_subscription(fixture, id);
	/* It is there to be changed. */
	command(fixture, COMMAND_FILTER);
	assert_true(fixture->tui->prompt.length > 20);
}

static void done_saving(struct fixture *fixture)
{
	for (unsigned i = 0; i < 1000 && !said(fixture, ".pcapng"); i++) {
		was_asked(fixture, "packets");
		fake_screen_notify(fixture->screen, "nothing", "{}"); /* the loop goes round */
		usleep(1000);
	}
}

/* What is marked is saved, else what is shown, and no file is written over. */
static void packets_are_saved(void **state)
{
	struct fixture *fixture = *state;
	char path[] = "/tmp/vmdeck-test-XXXXXX", name[64], keys[80];
	uint32_t words[64] = { 0 };
	FILE *file;
	size_t size;

	assert_non_null(mkdtemp(path));
	snprintf(name, sizeof(name), "%s/x.pcapng", path);
	snprintf(keys, sizeof(keys), "%s\r", name);
	for (unsigned i = 0; i < 3; i++)
		packet_of(fixture, i);
	command(fixture, COMMAND_CHOOSE);
	command(fixture, COMMAND_SAVE);
	assert_non_null(strstr(fixture->tui->prompt.question, "Save the 1 marked packet to:"));
	type(fixture, keys);
	done_saving(fixture);
	assert_true(said(fixture, "1 packet (") && said(fixture, ") is in /tmp"));
	file = fopen(name, "rb");
	assert_non_null(file);
	size = fread(words, 1, sizeof(words), file);
	fclose(file);
	assert_int_equal(words[0], 0x0a0d0d0a);
	assert_int_equal(words[1], 28);
	assert_int_equal(words[7], 1);
	assert_int_equal(words[7 + words[8] / 4], 6);
	assert_int_equal(words[7 + words[8] / 4 + 5], 14);
	assert_int_equal(size, 28 + words[8] + words[8 + words[8] / 4]);
	command(fixture, COMMAND_CHOOSE);
	command(fixture, COMMAND_SAVE);
	assert_non_null(strstr(fixture->tui->prompt.question, "Save the packets that are listed to:"));
	tui_hush(fixture->tui);
	type(fixture, keys);
	done_saving(fixture);
	assert_true(said(fixture, "x.pcapng: File exists"));
	assert_int_equal(unlink(name), 0);
	assert_int_equal(rmdir(path), 0);
}

/* --- breakpoints --- */

#define PORTS "{\"switches\":[{\"name\":\"lan\",\"ports\":[{\"name\":\"web/net0\"}," \
	      "{\"name\":\"db/net0\"}]}]}"

static void know_ports(struct fixture *fixture)
{
	json_t *switches = json_loads(PORTS, 0, NULL);

	netmodel_switches(fixture->model, switches, 2);
	json_decref(switches);
}

/* The port db/net0 holds a frame since then, or nothing. */
static void hold_frame(struct fixture *fixture, unsigned since)
{
	char text[400];
	json_t *result;

	snprintf(text, sizeof(text), "{\"breakpoints\":[{\"port\":\"db/net0\",\"filter\":\"icmp\","
		 "\"frame\":{\"since\":%u,\"size\":16,\"from\":\"a\",\"to\":\"b\","
		 "\"data\":\"000102030405060708090a0b0c0d0e0f\",\"decided\":false}}]}", since);
	result = json_loads(since ? text : "{\"breakpoints\":[]}", 0, NULL);
	assert_non_null(result);
	netmodel_breaks(fixture->model, result);
	json_decref(result);
	if (strcmp(fixture->tui->top->ops->id, "network") == 0)
		network_look_at_held(fixture->tui->top);
}

static void a_breakpoint_is_of_the_selected_port(void **state)
{
	struct fixture *fixture = *state;
	struct network_view *view = fixture->tui->top->state;
	json_t *params;
	json_int_t id;

	know_ports(fixture);
	view->pane = PANE_PORTS;
	command(fixture, COMMAND_DOWN);
	command(fixture, COMMAND_BREAK);
	assert_non_null(strstr(fixture->tui->prompt.question, "Stop frames from db/net0"));
	type(fixture, "\r"); /* none, where there is none */
	assert_false(was_asked(fixture, "port.break"));
	command(fixture, COMMAND_BREAK);
	type(fixture, "icmp\r");
	assert_string_equal(asked(fixture, "port.break", "filter", &id), "icmp");
	fake_screen_refuse(fixture->screen, id, "EINVAL", "no such word");
	assert_true(said(fixture, "no such word"));
	hold_frame(fixture, 1);
	command(fixture, COMMAND_BREAK);
	type(fixture, "\025\r"); /* Ctrl-U */
	while (strcmp(fake_screen_asked(fixture->screen, &id, &params), "port.break") != 0)
		json_decref(params);
	assert_string_equal(json_text(params, "port"), "db/net0");
	assert_true(json_is_null(json_object_get(params, "filter")));
	json_decref(params);
}

/* It has the keys at once, one key decides, and a second one waits for the next frame. */
static void a_held_frame_is_decided_once(void **state)
{
	struct fixture *fixture = *state;
	struct network_view *view = fixture->tui->top->state;
	json_int_t id;

	know_ports(fixture);
	fake_screen_answer(fixture->screen, fixture->holding, "{}");
	command(fixture, COMMAND_PASS);
	assert_true(said(fixture, "No port holds a frame."));
	view->pane = PANE_PORTS;
	hold_frame(fixture, 7);
	assert_int_equal(view->pane, PANE_HELD);
	command(fixture, COMMAND_DROP);
	assert_string_equal(asked(fixture, "port.decide", "decision", &id), "drop");
	command(fixture, COMMAND_DROP);
	assert_false(was_asked(fixture, "port.decide"));
	fake_screen_answer(fixture->screen, id, "{}");
	assert_true(was_asked(fixture, "port.held"));
	hold_frame(fixture, 8);
	command(fixture, COMMAND_PASS);
	assert_string_equal(asked(fixture, "port.decide", "decision", &id), "pass");
	hold_frame(fixture, 0);
	assert_int_equal(view->pane, PANE_PORTS);
}

static void press(struct fixture *fixture, const char *keys)
{
	while (*keys)
		fixture->tui->top->ops->input(fixture->tui->top, (wint_t)*keys++, false);
}

static void a_held_frame_goes_on_as_it_is_typed(void **state)
{
	struct fixture *fixture = *state;
	struct view *network = fixture->tui->top;
	json_int_t id;

	if (!fake_terminal_open(24, 80, true))
		skip();
	tui_open(fixture->tui, "frame", NULL);
	assert_ptr_equal(fixture->tui->top, network);
	assert_true(said(fixture, "No port holds a frame."));
	hold_frame(fixture, 7);
	tui_open(fixture->tui, "frame", NULL);
	fixture->tui->top->ops->draw(fixture->tui->top, (struct rect){ 0, 0, 24, 80 });
	press(fixture, "fgz5"); /* what is no digit is nothing */
	command(fixture, COMMAND_RIGHT);
	press(fixture, "E");
	command(fixture, COMMAND_LAST);
	press(fixture, "a");
	press(fixture, "b"); /* the end is the end */
	fixture->tui->top->ops->input(fixture->tui->top, KEY_IC, true);
	command(fixture, COMMAND_FIRST);
	fixture->tui->top->ops->input(fixture->tui->top, KEY_DC, true);
	tui_open(fixture->tui, "help", NULL);
	tui_back(fixture->tui);
	command(fixture, COMMAND_PASS);
	assert_string_equal(asked(fixture, "port.decide", "data", &id),
			    "0e02030405060708090a0b0c0d0e000b");
	assert_ptr_equal(fixture->tui->top, network);
	/* It is about that frame, not about one that came in its place. */
	hold_frame(fixture, 8);
	tui_open(fixture->tui, "frame", NULL);
	hold_frame(fixture, 9);
	fixture->tui->top->ops->draw(fixture->tui->top, (struct rect){ 0, 0, 24, 80 });
	command(fixture, COMMAND_PASS);
	assert_true(said(fixture, "That frame has gone on meanwhile."));
	assert_false(was_asked(fixture, "port.decide"));
	fake_terminal_close();
}

/* --- captures --- */

static void list_captures(struct fixture *fixture, const char *captures)
{
	const struct network_view *view = fixture->tui->top->state;
	bool is_old = view->listing_is_old;
	char result[256];

	fixture->tui->top->ops->tick(fixture->tui->top); /* unless one is asked for already */
	was_asked(fixture, "capture.list");
	snprintf(result, sizeof(result), "{\"captures\":[%s]}", captures);
	fake_screen_answer(fixture->screen, fixture->listing, result);
	if (!is_old)
		return;
	was_asked(fixture, "capture.list");
	fake_screen_answer(fixture->screen, fixture->listing, result);
}

static void a_path_may_be_relative_and_is_not_lost(void **state)
{
	struct fixture *fixture = *state;
	char folder[200], path[256];
	json_int_t id;

	assert_non_null(getcwd(folder, sizeof(folder)));
	snprintf(path, sizeof(path), "%s/x.pcapng", folder);
	command(fixture, COMMAND_CAPTURE);
	type(fixture, "x.pcapng\r");
	assert_string_equal(asked(fixture, "capture.start", "path", &id), path);
	fake_screen_refuse(fixture->screen, id, "EEXIST", "the file exists");
	assert_true(said(fixture, "the file exists"));
	setenv("HOME", "/home/x", 1);
	command(fixture, COMMAND_CAPTURE);
	type(fixture, "\001~/\r"); /* Ctrl-A: before what was typed */
	assert_string_equal(asked(fixture, "capture.start", "path", &id), "/home/x/x.pcapng");
	fake_screen_answer(fixture->screen, id, "{\"capture\":7,\"path\":\"/home/x/x.pcapng\"}");
	assert_true(said(fixture, "Capturing to /home/x/x.pcapng; x ends it."));
}

static void begin(struct fixture *fixture)
{
	json_int_t id;

	command(fixture, COMMAND_CAPTURE);
	type(fixture, "\r");
	assert_string_equal(asked(fixture, "capture.start", "path", &id), "");
	fake_screen_answer(fixture->screen, id, "{\"capture\":7,\"path\":\"own\"}");
}

#define OTHER "{\"capture\":5,\"path\":\"other\"}"
#define OWN "{\"capture\":7,\"path\":\"own\"}"

static void w_begins_and_ends_none(void **state)
{
	struct fixture *fixture = *state;

	list_captures(fixture, OTHER);
	for (unsigned i = 0; i < 2; i++) {
		begin(fixture);
		list_captures(fixture, OWN "," OTHER);
	}
	assert_false(was_asked(fixture, "capture.stop"));
}

/* A second screen asks before it ends what the first one began. */
static void only_its_own_capture_is_ended_without_a_question(void **state)
{
	struct fixture *fixture = *state;
	json_int_t id;

	command(fixture, COMMAND_END_CAPTURE);
	assert_true(said(fixture, "No capture runs."));
	list_captures(fixture, OTHER);
	command(fixture, COMMAND_END_CAPTURE);
	assert_non_null(strstr(fixture->tui->prompt.question,
			       "This screen did not begin the capture to other."));
	type(fixture, "x");
	assert_false(was_asked(fixture, "capture.stop"));
	begin(fixture);
	list_captures(fixture, OWN "," OTHER);
	command(fixture, COMMAND_END_CAPTURE);
	id = wait_for(fixture, "capture.stop");
	fake_screen_answer(fixture->screen, id, "{\"records\":3,\"bytes\":9,\"ended\":null}");
	assert_true(said(fixture, "The capture has 3 packets (9B), in own."));
	list_captures(fixture, OTHER);
	command(fixture, COMMAND_END_CAPTURE);
	type(fixture, "y");
	assert_true(was_asked(fixture, "capture.stop"));
}

/* Of the next capture.start: a port or a switch, or "" for all. */
static const char *scope_asked(struct fixture *fixture, json_int_t *id)
{
	static char scope[64];
	json_t *params;

	while (strcmp(next(fixture, id, &params), "capture.start") != 0)
		json_decref(params);
	snprintf(scope, sizeof(scope), "%s", json_object_get(params, "ports") ?
		 json_string_value(json_array_get(json_object_get(params, "ports"), 0)) : "");
	json_decref(params);
	return scope;
}

/* Each has its scope, and the selected one is ended. */
static void several_captures_run(void **state)
{
	struct fixture *fixture = *state;
	struct network_view *view = fixture->tui->top->state;
	json_t *params, *result;
	json_int_t id;

	know_ports(fixture);
	view->pane = PANE_PORTS;
	command(fixture, COMMAND_CAPTURE);
	assert_non_null(strstr(fixture->tui->prompt.question, "Capture web/net0 to"));
	type(fixture, "\r");
	assert_string_equal(scope_asked(fixture, &id), "web/net0");
	fake_screen_answer(fixture->screen, id, "{\"capture\":7,\"path\":\"own\"}");
	view->pane = PANE_SWITCHES;
	command(fixture, COMMAND_CAPTURE);
	type(fixture, "\r");
	assert_string_equal(scope_asked(fixture, &id), "lan");
	fake_screen_answer(fixture->screen, id, "{\"capture\":8,\"path\":\"second\"}");
	list_captures(fixture, "{\"capture\":8,\"path\":\"second\"}," OWN);
	assert_true(said(fixture, "2 captures run; x ends the selected one."));
	view->pane = PANE_CAPTURES;
	command(fixture, COMMAND_DOWN);
	command(fixture, COMMAND_END_CAPTURE);
	while (strcmp(next(fixture, &id, &params), "capture.stop") != 0)
		json_decref(params);
	assert_int_equal(json_integer_value(json_object_get(params, "capture")), 7);
	json_decref(params);
	/* All switches: no port is named. */
	result = json_loads("{\"switches\":[{\"name\":\"lan\"},{\"name\":\"dmz\"}]}", 0, NULL);
	netmodel_switches(fixture->model, result, 3);
	json_decref(result);
	view->pane = PANE_SWITCHES;
	command(fixture, COMMAND_LAST);
	command(fixture, COMMAND_CAPTURE);
	assert_non_null(strstr(fixture->tui->prompt.question, "Capture all switches to"));
	type(fixture, "\r");
	assert_string_equal(scope_asked(fixture, &id), "");
}

/* What was asked before the answer came lacks it. */
static void an_old_list_takes_no_capture_away(void **state)
{
	struct fixture *fixture = *state;
	json_int_t id;

	fixture->tui->top->ops->tick(fixture->tui->top);
	command(fixture, COMMAND_CAPTURE);
	type(fixture, "\r");
	asked(fixture, "capture.start", "", &id);
	fake_screen_answer(fixture->screen, id, "{\"capture\":7,\"path\":\"own\"}");
	fake_screen_answer(fixture->screen, fixture->listing, "{\"captures\":[]}");
	assert_true(netmodel_owns(fixture->model, 7));
	assert_true(was_asked(fixture, "capture.list"));
	fake_screen_answer(fixture->screen, fixture->listing, "{\"captures\":[" OWN "]}");
	assert_true(netmodel_owns(fixture->model, 7));
}

/* All of it, once at a time. */
static void the_past_is_saved_by_a_key(void **state)
{
	struct fixture *fixture = *state;
	json_int_t id;

	command(fixture, COMMAND_SAVE_PAST);
	id = wait_for(fixture, "capture.start");
	command(fixture, COMMAND_SAVE_PAST);
	assert_false(was_asked(fixture, "capture.start"));
	fake_screen_answer(fixture->screen, id, "{\"capture\":9,\"path\":\"/past\"}");
	id = wait_for(fixture, "capture.stop");
	fake_screen_answer(fixture->screen, id,
			   "{\"records\":30,\"bytes\":9,\"dropped\":0,\"ended\":null}");
	assert_true(said(fixture, "The past has 30 packets (9B), in /past"));
}

static void another_capture_may_end_during_the_question(void **state)
{
	struct fixture *fixture = *state;

	list_captures(fixture, OTHER);
	command(fixture, COMMAND_END_CAPTURE);
	assert_true(fixture->tui->prompt.active);
	list_captures(fixture, "");
	type(fixture, "y");
	assert_true(said(fixture, "That capture has ended meanwhile."));
	assert_false(was_asked(fixture, "capture.stop"));
}

/* Of the screen itself: whoever ended it was quicker. */
static void its_own_capture_may_have_ended_before_the_key(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	list_captures(fixture, OWN);
	command(fixture, COMMAND_END_CAPTURE);
	fake_screen_refuse(fixture->screen, wait_for(fixture, "capture.stop"), "ENOENT",
			   "there is none");
	assert_true(said(fixture, "That capture has ended meanwhile."));
}

static void what_cannot_be_sent_names_no_method(void **state)
{
	struct fixture *fixture = *state;
	char *text = malloc(CONTROL_MESSAGE_MAX);

	memset(text, 'x', CONTROL_MESSAGE_MAX - 1);
	text[CONTROL_MESSAGE_MAX - 1] = '\0';
	assert_false(tui_call(fixture->tui->deck, "guest.show", json_pack("{s:s}", "guest", text),
			      NULL, NULL));
	assert_true(said(fixture, "The request could not be sent: Message too long"));
	free(text);
}

static void its_own_capture_may_end_by_itself(void **state)
{
	struct fixture *fixture = *state;
	json_int_t id;

	begin(fixture);
	list_captures(fixture, "{\"capture\":7,\"path\":\"own\",\"ended\":\"own: no space\"}");
	id = wait_for(fixture, "capture.stop");
	fake_screen_answer(fixture->screen, id, "{\"records\":3,\"ended\":\"own: no space\"}");
	assert_true(said(fixture, "own: no space. The capture has 3 packets"));
	begin(fixture);
	list_captures(fixture, ""); /* somebody else ended it */
	command(fixture, COMMAND_END_CAPTURE);
	assert_true(said(fixture, "No capture runs."));
	assert_false(was_asked(fixture, "capture.stop"));
}

/* What is under way is followed below another view, too: it may end there. */
static void a_capture_ends_below_another_view(void **state)
{
	struct fixture *fixture = *state;
	struct network_view *network = fixture->tui->top->state;

	begin(fixture);
	list_captures(fixture, "{\"capture\":7,\"path\":\"own\"}");
	tui_open(fixture->tui, "help", NULL);
	assert_true(was_asked(fixture, "capture.list"));
	fake_screen_answer(fixture->screen, fixture->listing,
			   "{\"captures\":[{\"capture\":7,\"path\":\"own\"}]}");
	assert_true(said(fixture, "Capturing to own; x in the network's view ends it."));
	assert_true(network->captures_due.armed);
	network->captures_due.fire(network->captures_due.arg);
	assert_true(was_asked(fixture, "capture.list"));
	fake_screen_answer(fixture->screen, fixture->listing, "{\"captures\":[]}");
	assert_false(said(fixture, "Capturing to own"));
}

#define VIEW(name) cmocka_unit_test_setup_teardown(name, open_view, close_view)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_held_stays),
		cmocka_unit_test(marks_stand_between_packets),
		cmocka_unit_test(addresses_have_the_names_of_guests),
		VIEW(other_views_leave_the_list_alone),
		VIEW(a_filter_adds_to_the_list),
		VIEW(a_refused_filter_changes_nothing),
		VIEW(packets_are_marked),
		VIEW(a_filter_is_of_what_is_listed_too),
		VIEW(a_conversation_becomes_a_filter),
		VIEW(packets_are_saved),
		VIEW(a_breakpoint_is_of_the_selected_port),
		VIEW(a_held_frame_is_decided_once),
		VIEW(a_held_frame_goes_on_as_it_is_typed),
		VIEW(a_path_may_be_relative_and_is_not_lost),
		VIEW(w_begins_and_ends_none),
		VIEW(only_its_own_capture_is_ended_without_a_question),
		VIEW(several_captures_run),
		VIEW(an_old_list_takes_no_capture_away),
		VIEW(the_past_is_saved_by_a_key),
		VIEW(another_capture_may_end_during_the_question),
		VIEW(its_own_capture_may_have_ended_before_the_key),
		VIEW(what_cannot_be_sent_names_no_method),
		VIEW(its_own_capture_may_end_by_itself),
		VIEW(a_capture_ends_below_another_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
