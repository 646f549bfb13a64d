/* What the views show in terminals of all sizes. */
#include <curses.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "base/checked.h"
#include "fake_screen.h"
#include "tui/ui/frame.h"
#include "tui/ui/orders.h"
#include "tui/views/guest_list.h"
#include "tui/views/network_state.h"

#define ROWS_MAX 60
#define COLUMNS_MAX 260

/* Names of 31 characters, which is the most, that differ at their end. */
#define LONG "kernel-regression-x86-64-guest"

static const char guests[] =
	"{\"guests\":["
	"{\"name\":\"" LONG "1\",\"state\":\"running\",\"cpus\":4,\"memory\":1073741824,"
	"\"nets\":[{\"name\":\"net0\",\"switch\":\"lan\"}],"
	"\"disks\":[{\"name\":\"disk0\",\"path\":\"/var/lib/a/long/path/to/an/image.raw\"}]},"
	"{\"name\":\"" LONG "2\",\"state\":\"paused\",\"cpus\":1},"
	"{\"name\":\"bad\",\"state\":\"invalid\",\"mistakes\":[{\"line\":3,"
	"\"text\":\"memory: 'lots' is not a size; write 512M or 2G\"}]},"
	"{\"name\":\"crashed\",\"state\":\"crashed\",\"reason\":\"vCPU 0: triple fault\"}]}";

static const char one_guest[] =
	"{\"guests\":[{\"name\":\"web\",\"state\":\"running\",\"cpus\":1,\"memory\":1048576,"
	"\"restarts\":1234567}]}";

static const char two_defined[] =
	"{\"guests\":[{\"name\":\"web\",\"state\":\"defined\",\"profile\":\"/g/web.ini\"},"
	"{\"name\":\"zoo\",\"state\":\"defined\",\"profile\":\"/g/zoo.ini\"}]}";

/* The results of switch.list and capture.list, and a notification of packets, in one. */
static const char network_lists[] =
	"{\"switches\":[{\"name\":\"lan\",\"uplink\":\"nat\",\"address\":\"10.0.2.2/24\",\"ports\":["
	"{\"name\":\"lan/nat\",\"mac\":\"52:55:0a:00:02:02\",\"drops\":{\"no buffer\":3}},"
	"{\"name\":\"" LONG "1/net0\",\"mac\":\"52:54:00:00:00:01\","
	"\"drops\":{\"link down\":12345678}},"
	"{\"name\":\"lan/stream0\",\"mac\":null,\"state\":\"connected to tcp://192.0.2.1:4000\"}],"
	"\"leases\":[{\"mac\":\"52:54:00:00:00:01\",\"address\":\"10.0.2.15\",\"remaining\":3000,"
	"\"port\":\"" LONG "1/net0\",\"hostname\":\"demo\"}],"
	"\"macs\":[{\"mac\":\"52:54:00:00:00:01\",\"port\":\"" LONG "1/net0\",\"age\":3}]},"
	"{\"name\":\"a-switch-with-a-rather-long-name\",\"address\":\"10.0.3.2/24\"}],"
	"\"packets\":[{\"from\":\"fe80::5054:ff:fe12:3456\",\"to\":\"ff02::1:ff12:3456\","
	"\"protocol\":\"ICMPv6\",\"verdict\":\"flood\",\"text\":\"Neighbor Solicitation\"},"
	"{\"from\":\"10.0.2.15\",\"to\":\"255.255.255.255\",\"protocol\":\"DHCP\","
	"\"from_port\":\"" LONG "1/net0\",\"verdict\":\"no buffer\",\"text\":\"Discover xid 0x1\"}],"
	"\"captures\":[{\"capture\":1,\"path\":\"/home/somebody/captures/lan-20260101.pcapng\"}]}";

static const char show[] =
	"{\"name\":\"crashed\",\"state\":\"crashed\",\"profile\":\"/home/somebody/guests/crashed.ini\","
	"\"reason\":\"vCPU 0: triple fault\",\"nets\":[{\"name\":\"net0\",\"switch\":\"lan\","
	"\"mac\":\"52:54:00:00:00:01\"}],"
	"\"devices\":[{\"name\":\"virtio-net0\",\"status\":\"driver ready\"}],"
	"\"registers\":\"vCPU 0\\n"
	"rip 0000000000109ca7  rflags 0000000000010246\\n"
	"rax 0000000000000001  rbx 0000000000000002  rcx 0000000000000003  rdx 0000000000000004\\n"
	"r8  0000000000000008  r9  0000000000000009  r10 000000000000000a  r11 000000000000000b\","
	"\"exits\":[{\"reason\":\"IRQ_WINDOW_OPEN\",\"count\":123456},{\"reason\":\"HLT\",\"count\":5}],"
	"\"console_tail\":[\"line 1\",\"line 2\",\"\",\"line 4\",\"line 5\",\"line 6\",\"line 7\",\"line 8\","
	"\"line 9\",\"line 10\",\"a longer line that is broken where it has to be: 11\",\"line 12\","
	"\"line 13\",\"line 14\",\"line 15\",\"line 16\",\"line 17\",\"line 18\",\"line 19\",\"line 20\"]}";

static wchar_t cells[ROWS_MAX][COLUMNS_MAX + 1];

static void network(struct tui *tui)
{
	struct netmodel *model = &tui->deck->network;
	json_t *json = json_loads(network_lists, 0, NULL);

	assert_non_null(json);
	netmodel_switches(model, json, 1);
	for (unsigned i = 0; i < 20; i++)
		netmodel_packets(model, json);
	model->captures = json_incref(json_object_get(json, "captures"));
	json_decref(json);
}

/* Draws the screen in that size, and reads it into cells. */
static void draw(struct tui *tui, int rows, int columns)
{
	resizeterm(rows, columns);
	draw_erase();
	frame_draw(tui);
	for (int y = 0; y < rows; y++)
		assert_int_equal(mvinnwstr(y, 0, cells[y], columns), columns);
}

/* Whether a line of the screen has the text. */
static bool shows(const wchar_t *text)
{
	for (int y = 0; y < LINES; y++)
		if (wcsstr(cells[y], text))
			return true;
	return false;
}

static void print_screen(void)
{
	printf("%d columns, %d rows:\n", COLS, LINES);
	for (int y = 0; y < LINES; y++)
		printf("%ls|\n", cells[y]);
}

static void assert_shows(const wchar_t *text)
{
	if (shows(text))
		return;
	print_screen();
	fail_msg("there is no \"%ls\"", text);
}

/* Whether the frame whose upper left corner is there is whole. */
static bool is_framed(int y, int x)
{
	int right = x + 1, bottom = y + 1;

	while (right < COLS && cells[y][right] != L'╮')
		right++;
	while (bottom < LINES && cells[bottom][x] == L'│')
		bottom++;
	if (right == COLS || bottom == LINES || cells[bottom][x] != L'╰' ||
	    cells[bottom][right] != L'╯')
		return false;
	for (int i = y + 1; i < bottom; i++)
		if (cells[i][right] != L'│')
			return false;
	return true;
}

static void assert_frames(void)
{
	for (int y = 0; y < LINES; y++)
		for (int x = 0; x < COLS; x++)
			if (cells[y][x] == L'╭' && !is_framed(y, x)) {
				print_screen();
				fail_msg("a frame at %d, %d is broken", x, y);
			}
}

/* Nothing covers header and footer. */
static void assert_edges(void)
{
	if (LINES >= 6 && wcsncmp(cells[0], L" vmdeck", 7) != 0) {
		print_screen();
		fail_msg("no header");
	}
	if (LINES >= 8 && !wcsstr(cells[LINES - 1], L"q back") &&
	    !wcsstr(cells[LINES - 1], L"Enter details")) {
		print_screen();
		fail_msg("no footer");
	}
}

static void all_sizes(struct tui *tui)
{
	static const int heights[] = { 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 30, 40, 50 };

	for (unsigned i = 0; i < ARRAY_SIZE(heights); i++)
		for (int width = 20; width <= 250; width += width < 64 ? 1 : 9) {
			draw(tui, heights[i], width);
			assert_frames();
			assert_edges();
		}
}

static int start(void **state)
{
	*state = fake_screen_new(&keys_table);
	return 0;
}

static int stop(void **state)
{
	fake_screen_free(*state);
	return 0;
}

static void test_deck(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	all_sizes(tui);
	fake_screen_guests(screen, one_guest);
	all_sizes(tui);
	fake_screen_guests(screen, guests);
	for (unsigned i = 0; i < 4; i++) {
		all_sizes(tui);
		tui->top->ops->command(tui->top, COMMAND_DOWN);
	}
	tui->top->ops->command(tui->top, COMMAND_LIST_ALONE);
	all_sizes(tui);
	draw(tui, 24, 80);
	assert_false(shows(L"CPU ──"));
	assert_shows(L"│ crashed ");
	tui->top->ops->command(tui->top, COMMAND_CHARTS_ALONE);
	all_sizes(tui);
	draw(tui, 24, 80);
	assert_shows(L"CPU ──");
	assert_false(shows(L"invalid"));
	tui->top->ops->command(tui->top, COMMAND_CHARTS_ALONE);
	draw(tui, 24, 80);
	assert_shows(L"CPU ──");
	assert_shows(L"invalid");
}

static void test_network(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	tui_open(tui, "network", NULL);
	all_sizes(tui);
	network(tui);
	for (unsigned i = 0; i < 3; i++) {
		all_sizes(tui);
		tui->top->ops->command(tui->top, COMMAND_HOLD);
		all_sizes(tui);
		tui->top->ops->command(tui->top, COMMAND_NEXT);
	}
	draw(tui, 50, 200);
	assert_shows(LONG L"1/net0");
	assert_shows(L"10.0.2.15  kernel-reg");
	assert_shows(L"lan/stream0  connected to tcp://192.0.2.1:4000");
	draw(tui, 40, 120);
	assert_shows(L"00:00:00.000 kernel-r");
	tui->top->ops->command(tui->top, COMMAND_NAMES);
	draw(tui, 40, 120);
	assert_shows(L"00:00:00.000 10.0.2.15 ");
	assert_shows(L" dropped at kernel-");
	tui->top->ops->command(tui->top, COMMAND_RIGHT);
	draw(tui, 40, 120);
	assert_shows(L" at kernel-");
	assert_false(shows(L" dropped at kernel-"));
	tui->top->ops->command(tui->top, COMMAND_LEFT);
	draw(tui, 5, 20);
	assert_shows(L" held ");
	tui->top->ops->command(tui->top, COMMAND_HOLD);
	tui->deck->network.missed = 1234;
	draw(tui, 24, 80);
	assert_shows(L" following; 1.2k were left out ");
}

/* A frame that waits is seen at every size, and so is what can be done with it. */
static void test_held_frame(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_t *breaks = json_loads(
		"{\"breakpoints\":[{\"port\":\"web/net0\",\"filter\":\"icmp\",\"frame\":{"
		"\"since\":7,\"size\":18,\"behind\":3,\"from\":\"10.0.2.15\",\"to\":"
		"\"10.0.2.2\",\"protocol\":\"ICMP\",\"summary\":\"Echo request\",\"data\":"
		"\"48656c6c6f0102030405060708090a0b0c0d\"}}]}", 0, NULL);

	network(tui);
	tui_open(tui, "network", NULL);
	netmodel_breaks(&tui->deck->network, breaks);
	json_decref(breaks);
	all_sizes(tui);
	draw(tui, 40, 120);
	assert_shows(L"Frame held at web/net0: icmp");
	assert_shows(L"10.0.2.15 > 10.0.2.2 ICMP Echo request");
	assert_shows(L"0000  48 65 6c 6c 6f 01 02");
	assert_shows(L"Hello...");
	assert_shows(L" p pass  d drop  e edit ");
	assert_shows(L" 18 bytes, 3 more behind it ");
	draw(tui, 5, 20);
	assert_shows(L"Frame held at");
	assert_shows(L" p pass  d drop ");
	tui_open(tui, "frame", NULL);
	all_sizes(tui);
	for (unsigned i = 0; i < 4; i++) {
		tui->top->ops->command(tui->top, COMMAND_DOWN);
		draw(tui, 6, 20);
	}
	assert_shows(L"│ 0c 0d");
}

/* Each reason for drops by itself, and what is this port's alone of leases and addresses. */
static void test_port(void **state)
{
	static const char lists[] =
		"{\"switches\":[{\"name\":\"lan\",\"ports\":[{\"name\":\"web/net0\",\"kind\":"
		"\"guest\",\"drops\":{\"no buffer\":7,\"link down\":12,\"new one\":1},"
		"\"settings\":{\"loss\":\"1%\"},\"out_impaired\":{\"lost\":4}},{\"name\":\"db/net0\"}],"
		"\"leases\":[{\"address\":\"10.0.2.15\",\"port\":\"web/net0\",\"hostname\":\"www\","
		"\"mac\":\"52:54:00:00:00:01\",\"remaining\":60},{\"address\":\"10.0.2.16\","
		"\"port\":\"db/net0\"}],\"macs\":[{\"mac\":\"52:54:00:00:00:01\",\"port\":"
		"\"web/net0\",\"age\":3,\"vlan\":7},{\"mac\":\"52:54:00:00:00:02\",\"port\":"
		"\"db/net0\"}]}]}";
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_t *json = json_loads(lists, 0, NULL);

	tui_open(tui, "network", NULL);
	netmodel_switches(&tui->deck->network, json, 1);
	json_decref(json);
	assert_false(tui->top->ops->command(tui->top, COMMAND_OPEN));
	tui_open(tui, "port", NULL);
	all_sizes(tui);
	draw(tui, 40, 120);
	assert_shows(L"  7 no buffer ");
	assert_shows(L" 12 link down ");
	assert_shows(L"  1 new one");
	assert_shows(L"the receiver was too slow to take it");
	assert_shows(L"loss=1%");
	assert_shows(L"4 lost");
	assert_shows(L"web  10.0.2.15  52:54:00:00:00:01  calls itself www  for 1m00s");
	assert_shows(L"52:54:00:00:00:01  3s ago  VLAN 7");
	assert_false(shows(L"10.0.2.16"));
	assert_false(shows(L"52:54:00:00:00:02"));
	json = json_loads("{\"switches\":[]}", 0, NULL);
	netmodel_switches(&tui->deck->network, json, 2);
	json_decref(json);
	draw(tui, 24, 80);
	assert_shows(L"This port is not there any more.");
}

/* A connection is read at every size; one that is none says so. */
static void test_stream(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_t *packets = json_loads(
		"{\"packets\":[{\"text\":\"no TCP\",\"data\":\"00\"},{\"text\":\"x\",\"data\":\""
		"525400000002525400000001080045000036000140004006" "00000a00020f0a000210"
		"0050005100000100000000005018010000000000" "68656c6c6f0a1b5b6d776f726c64\"}]}", 0, NULL);

	assert_non_null(packets);
	network(tui);
	tui_open(tui, "network", NULL);
	netmodel_forget_packets(&tui->deck->network);
	netmodel_packets(&tui->deck->network, packets);
	json_decref(packets);
	assert_false(tui->top->ops->command(tui->top, COMMAND_OPEN));
	tui_open(tui, "stream", NULL);
	all_sizes(tui);
	draw(tui, 24, 80);
	assert_shows(L"10.0.2.15:80 ▶ 10.0.2.16:81");
	assert_shows(L"│ > hello");
	assert_shows(L"│ > .[mworld");
	tui_back(tui);
	assert_true(netmodel_held(&tui->deck->network));
	tui->top->ops->command(tui->top, COMMAND_UP);
	assert_false(tui->top->ops->command(tui->top, COMMAND_OPEN));
	tui_open(tui, "stream", NULL);
	draw(tui, 24, 80);
	assert_shows(L"The selected packet is not of a TCP connection.");
}

/* Switches that go may take the chosen one with them. */
static void test_fewer_switches(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	struct network_view *view;
	json_t *many = json_pack("{s:[]}", "switches");

	for (unsigned i = 0; i < 9; i++)
		json_array_append_new(json_object_get(many, "switches"),
				      json_pack("{s:s}", "name", "lan"));
	netmodel_switches(&tui->deck->network, many, 1);
	tui_open(tui, "network", NULL);
	view = tui->top->state;
	tui->top->ops->command(tui->top, COMMAND_NEXT);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	assert_int_equal(view->selected, 9);
	draw(tui, 40, 120);
	assert_shows(L"all switches  0 ports");
	json_array_clear(json_object_get(many, "switches"));
	json_array_append_new(json_object_get(many, "switches"),
			      json_pack("{s:s}", "name", "remains"));
	netmodel_switches(&tui->deck->network, many, 2);
	json_decref(many);
	draw(tui, 24, 80);
	assert_shows(L"│ remains  0 ports");
}

/* What a list leaves out is said; where there is room nothing is left out. */
static void test_long_lists(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_t *lists = json_loads("{\"switches\":[{\"name\":\"lan\"}]}", 0, NULL);
	json_t *lan = json_array_get(json_object_get(lists, "switches"), 0);
	char text[32];

	json_object_set_new(lan, "ports", json_array());
	json_object_set_new(lan, "leases", json_array());
	for (unsigned i = 1; i <= 13; i++) {
		snprintf(text, sizeof(text), "g%u/net0", i);
		json_array_append_new(json_object_get(lan, "ports"), json_pack("{s:s}", "name", text));
		snprintf(text, sizeof(text), "10.0.2.%u", i + 14);
		json_array_append_new(json_object_get(lan, "leases"),
				      json_pack("{s:s}", "address", text));
	}
	json_object_set_new(json_array_get(json_object_get(lan, "ports"), 12), "settings",
			    json_pack("{s:s, s:s}", "delay", "20ms", "loss", "1%"));
	netmodel_switches(&tui->deck->network, lists, 1);
	json_decref(lists);
	tui_open(tui, "network", NULL);
	draw(tui, 50, 200);
	assert_shows(L"│ g13/net0 delay=20ms loss=1% ");
	assert_shows(L"│ 10.0.2.27");
	assert_false(shows(L" of 13 "));
	draw(tui, 40, 120);
	assert_shows(L" 1-11 of 13 ");
	assert_shows(L" 1-9 of 13 ");
	tui->top->ops->command(tui->top, COMMAND_NEXT);
	tui->top->ops->command(tui->top, COMMAND_NEXT);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	draw(tui, 40, 120);
	assert_shows(L" 3-13 of 13 ");
}

/* So is what is below the end of a page. */
static void test_long_pages(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	tui_open(tui, "help", NULL);
	draw(tui, 30, 120);
	assert_shows(L"▼");
	assert_shows(L" more lines");
	tui->top->ops->command(tui->top, COMMAND_LAST);
	draw(tui, 30, 120);
	assert_false(shows(L" more lines"));
	draw(tui, 60, 200);
	assert_false(shows(L" more lines"));
}

/* What keeps a guest from starting is seen before somebody tries. */
static void test_mistakes(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_int_t request;
	json_t *params;

	fake_screen_guests(screen, two_defined);
	tui->top->ops->tick(tui->top);
	request = fake_screen_wait(screen, "profile.check");
	tui->top->ops->tick(tui->top); /* asks once */
	assert_null(fake_screen_asked(screen, &request, &params));
	draw(tui, 40, 120);
	assert_shows(L"web is not running");
	fake_screen_answer(screen, request, "{\"mistakes\":[{\"line\":5,\"text\":"
					    "\"switch: there is no switch named lab\"}]}");
	draw(tui, 40, 120);
	assert_shows(L"line 5: switch: there is no switch named lab");
	tui_open(tui, "guest", "web");
	fake_screen_answer(screen, fake_screen_wait(screen, "guest.show"),
			   "{\"name\":\"web\",\"state\":\"defined\",\"mistakes\":[]}");
	draw(tui, 40, 120);
	assert_shows(L"line 5: switch: there is no switch named lab");
	tui_back(tui);
	/* Those of another guest are its own. */
	tui->top->ops->command(tui->top, COMMAND_DOWN);
	draw(tui, 40, 120);
	assert_shows(L"zoo is not running");
	tui->top->ops->tick(tui->top);
	fake_screen_answer(screen, fake_screen_wait(screen, "profile.check"),
			   "{\"mistakes\":[]}");
	draw(tui, 40, 120);
	assert_shows(L"zoo is not running");
}

static struct tui *open_crashed(struct fake_screen *screen)
{
	fake_screen_guests(screen, guests);
	tui_open(&screen->tui, "guest", "crashed");
	fake_screen_answer(screen, fake_screen_wait(screen, "guest.show"), show);
	return &screen->tui;
}

static void test_other_views(void **state)
{
	static const char *const views[] = { "log", "help" };
	struct tui *tui = open_crashed(*state);

	all_sizes(tui);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	all_sizes(tui);
	messages_add(&tui->messages, SEVERITY_EVENT, 0, LONG "1", "is running, as it was before");
	for (unsigned i = 0; i < ARRAY_SIZE(views); i++) {
		tui_open(tui, views[i], NULL);
		all_sizes(tui);
		draw(tui, 24, 20);
		assert_false(shows(L"…"));
	}
}

/* The list has heads even with one guest, and where it is as small as it gets. */
static void test_heads(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, one_guest);
	for (int rows = 5; rows <= 50; rows++) {
		draw(tui, rows, rows < 12 ? 20 : 80);
		assert_shows(L"Name");
		assert_shows(L"web");
		if (COLS == 80)
			assert_shows(L"● running  ×1.2M ");
	}
}

/* Names that differ look different, and one that is cut says so. */
static void test_names(void **state)
{
	static const struct {
		int columns;
		const wchar_t *one, *other;
	} cases[] = {
		{ 200, LONG L"1 ", LONG L"2 " },
		{ 120, LONG L"1 ", LONG L"2 " },
		{ 80, L"kernel-reg…-64-guest1 ", L"kernel-reg…-64-guest2 " },
		{ 24, L"kernel-reg…64-guest1 ", L"kernel-reg…64-guest2 " },
		{ 20, L"kernel-r…-guest1 ", L"kernel-r…-guest2 " },
	};
	struct fake_screen *screen = *state;

	fake_screen_guests(screen, guests);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		draw(&screen->tui, 24, cases[i].columns);
		assert_shows(cases[i].one);
		assert_shows(cases[i].other);
	}
}

/* A mark stands before its guest, on the smallest screen, too; the header counts them. */
static void test_marks(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, guests);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	tui->top->ops->command(tui->top, COMMAND_MARK);
	all_sizes(tui);
	draw(tui, 24, 80);
	assert_shows(L"│◆crashed ");
	assert_shows(L" 1 marked · 1 crashed · 4 guests · 1 running");
	draw(tui, 6, 50);
	assert_shows(L" vmdeck");
	assert_shows(L"1 marked · 1 crashed ");
	draw(tui, 5, 20);
	assert_shows(L"◆crashed");
}

/* Where on the screen the text is. */
static void click(struct tui *tui, const wchar_t *text)
{
	for (int y = 0; y < LINES; y++) {
		const wchar_t *at = wcsstr(cells[y], text);

		if (!at)
			continue;
		tui->top->ops->click(tui->top, y, (int)(at - cells[y]));
		return;
	}
	fail_msg("there is no \"%ls\" to click on", text);
}

/* The column that sorts is marked, and is there before others; the selection stays. */
static void test_sorted(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, guests);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	draw(tui, 24, 80);
	assert_shows(L"▲Name ");
	click(tui, L"State");
	draw(tui, 24, 80);
	assert_shows(L"▲State");
	assert_string_equal(tui->top->ops->guest(tui->top), "crashed");
	click(tui, L"State");
	draw(tui, 24, 80);
	assert_shows(L"▼State");
	tui->top->ops->command(tui->top, COMMAND_SORT_RIGHT);
	tui->top->ops->command(tui->top, COMMAND_SORT_RIGHT);
	for (unsigned i = 0; i < SORT_COUNT; i++) {
		all_sizes(tui);
		tui->top->ops->command(tui->top, COMMAND_SORT_RIGHT);
	}
	draw(tui, 24, 80);
	assert_shows(L"▼Uptime");
	tui->top->ops->command(tui->top, COMMAND_SORT_REVERSE);
	draw(tui, 24, 44);
	assert_shows(L"▲Uptime");
	click(tui, L"kernel-r…-guest2");
	assert_string_equal(tui->top->ops->guest(tui->top), LONG "2");
	/* Beside the list, and where a list without guests stood, is nothing. */
	tui->top->ops->click(tui->top, 0, 0);
	fake_screen_guests(screen, "{\"guests\":[]}");
	draw(tui, 24, 80);
	tui->top->ops->click(tui->top, 2, 20);
	tui->top->ops->click(tui->top, 3, 20);
}

/* Guests that change places are asked for anew only if their samples are not there. */
static void test_samples(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_t *list = json_pack("{s:[]}", "guests"), *rows = json_object_get(list, "guests");
	json_t *first, *last, *again;
	char name[16];

	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		json_array_append_new(rows, json_pack("{s:s, s:s}", "name", name, "state",
						      "running"));
	}
	assert_true(model_guests(&tui->deck->model, list));
	json_decref(list);
	draw(tui, 24, 80); /* five of them */
	first = tui->top->ops->stats(tui->top);
	assert_int_equal(json_array_size(first), 5);
	assert_string_equal(json_string_value(json_array_get(first, 4)), "g4");
	assert_int_equal(tui->top->ops->needs(tui->top), VIEW_NEEDS_HOST);
	while (!(tui->top->ops->needs(tui->top) & VIEW_NEEDS_ALL))
		tui->top->ops->command(tui->top, COMMAND_SORT_RIGHT);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	draw(tui, 24, 80);
	last = tui->top->ops->stats(tui->top);
	assert_int_equal(json_array_size(last), 10);
	tui->top->ops->command(tui->top, COMMAND_FIRST);
	draw(tui, 24, 80);
	again = tui->top->ops->stats(tui->top);
	assert_true(json_equal(last, again));
	json_decref(again);
	/* There is no end of room for them, and none where they stay in their places. */
	for (unsigned i = 0; i < 12; i++) {
		tui->top->ops->command(tui->top, COMMAND_PAGE_DOWN);
		draw(tui, 24, 80);
		again = tui->top->ops->stats(tui->top);
		assert_true(json_array_size(again) <= 40);
		json_decref(again);
	}
	do {
		tui->top->ops->command(tui->top, COMMAND_SORT_RIGHT);
		draw(tui, 24, 80);
	} while (!shows(L"▲Name"));
	tui->top->ops->command(tui->top, COMMAND_FIRST);
	draw(tui, 24, 80);
	again = tui->top->ops->stats(tui->top);
	assert_true(json_equal(first, again));
	json_decref(again);
	json_decref(last);
	json_decref(first);
}

/* A question, and a second key for one of its answers. */
static void test_sort_question(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, guests);
	for (unsigned i = 0; i < 2; i++) {
		draw(tui, 24, 80);
		assert_shows(i ? L"▼Mem" : L"▲Name");
		tui->top->ops->command(tui->top, COMMAND_SORT);
		draw(tui, 24, 80);
		assert_shows(L"Sort by? n: name, s: state, r: restarts, ");
		prompt_key(&tui->prompt, i ? KEY_F(6) : 'm', i);
		assert_false(tui->prompt.active);
	}
	draw(tui, 24, 80);
	assert_shows(L"▲Mem");
	tui->top->ops->command(tui->top, COMMAND_SORT);
	draw(tui, 24, 80);
	prompt_key(&tui->prompt, KEY_F(7), true);
	draw(tui, 24, 80);
	assert_shows(L"▲Mem");
	/* A letter may come with the key. */
	tui->top->ops->command(tui->top, COMMAND_SORT);
	prompt_key(&tui->prompt, 's', false);
	draw(tui, 24, 80);
	assert_shows(L"▲State");
}

/* What wants looking after is seen in the list, and counted in the header. */
static void test_trouble(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	char list[160];

	for (unsigned i = 0; i < 4; i++) {
		snprintf(list, sizeof(list), "{\"guests\":[{\"name\":\"lab\",\"state\":\"paused\"},"
			 "{\"name\":\"web\",\"state\":\"running\",\"restarts\":%u},"
			 "{\"name\":\"x\",\"state\":\"failed\"}]}", 20 + i);
		fake_screen_guests(screen, list);
	}
	draw(tui, 24, 80);
	assert_shows(L"web      ↻ looping  ×23");
	assert_shows(L"lab      ‖ paused");
	assert_shows(L" 1 failed · 1 looping · 3 guests · 1 running · 1 paused");
	tui->top->ops->command(tui->top, COMMAND_SORT_RIGHT);
	draw(tui, 24, 80);
	assert_true(wcsstr(cells[4], L" web ") != NULL);
}

static void tell_host(struct tui *tui, const char *values)
{
	json_t *begin = json_loads("{\"cpus\":8,\"memory\":34359738368,\"kvm\":true}", 0, NULL);
	json_t *params = json_loads(values, 0, NULL);

	assert_true(begin && params);
	model_host_begins(&tui->deck->model, begin);
	model_host_tells(&tui->deck->model, params);
	json_decref(begin);
	json_decref(params);
}

/* The host's line says what it has room for, and is at no guest's cost. */
static void test_host(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, guests);
	draw(tui, 24, 80);
	assert_false(shows(L" Host "));
	tell_host(tui, "{\"values\":{\"cpu\":234,\"available\":17179869184,\"memory_pressure\":0.4}}");
	draw(tui, 50, 160);
	assert_shows(L"memory pressure 0.4% · KVM  ");
	tell_host(tui, "{\"values\":{\"guests_cpu\":120,\"guests_memory\":1073741824,\"guests_read\":0,"
		       "\"guests_write\":1000,\"guests_in\":0,\"guests_out\":0}}");
	all_sizes(tui);
	draw(tui, 24, 80);
	assert_shows(L" Host CPU 234% of 8 · memory 16.0G of 32.0G · memory pressure 0.4% · KVM ");
	draw(tui, 40, 120);
	assert_shows(L"· KVM · guests CPU 120% memory 1.0G");
	draw(tui, 50, 160);
	assert_shows(L"memory 1.0G · read 0 write 1.0kB/s · net in 0 out 0");
	/* What is not told stays as it was; what was never told is not there. */
	tell_host(tui, "{\"values\":{\"memory_pressure\":12}}");
	draw(tui, 50, 160);
	assert_shows(L"CPU 234% of 8 · memory 16.0G of 32.0G · memory pressure 12.0% · KVM");
	assert_false(shows(L"I/O pressure"));
	tui->deck->model.machine.kvm = false;
	draw(tui, 24, 80);
	assert_shows(L" Host no KVM · CPU 234%");
	draw(tui, 15, 80);
	assert_false(shows(L" Host "));
}

/* Columns are as wide as the guests in sight ask for, not those that a filter keeps out. */
static void test_filtered_names(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, guests);
	draw(tui, 24, 80);
	assert_false(shows(L"▲Name       State "));
	tui->top->ops->command(tui->top, COMMAND_FILTER);
	for (const char *c = "bad\r"; *c; c++)
		prompt_key(&tui->prompt, (wint_t)*c, false);
	draw(tui, 24, 80);
	assert_shows(L"▲Name       State ");
}

static void keys(struct tui *tui, const char *text)
{
	for (; *text; text++)
		prompt_key(&tui->prompt, (wint_t)(unsigned char)*text, false);
	draw(tui, 24, 80);
}

/* The list follows what is typed; Enter keeps it, Esc takes it back with the selection. */
static void test_filter_is_live(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, guests);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	tui->top->ops->command(tui->top, COMMAND_FILTER);
	keys(tui, "bad");
	assert_true(tui->prompt.active);
	assert_shows(L"Guests matching bad");
	assert_shows(L"│ bad ");
	assert_false(shows(L"│ crashed "));
	keys(tui, "\177"); /* takes the last letter */
	assert_shows(L"Guests matching ba");
	keys(tui, "x");
	assert_shows(L"No guest's name contains \"bax\".");
	keys(tui, "\033");
	assert_false(tui->prompt.active);
	assert_shows(L"│ crashed ");
	assert_string_equal(tui->top->ops->guest(tui->top), "crashed");
	tui->top->ops->command(tui->top, COMMAND_FILTER);
	keys(tui, "KERN\r");
	assert_shows(L"Guests matching KERN");
	/* What was there before comes back, not all guests. */
	tui->top->ops->command(tui->top, COMMAND_FILTER);
	keys(tui, "2");
	assert_shows(L"No guest's name contains \"KERN2\".");
	keys(tui, "\003");
	assert_shows(L"Guests matching KERN");
	assert_shows(L"guest1 ");
}

/* A register and its value stay together. */
static void test_registers(void **state)
{
	struct tui *tui = open_crashed(*state);

	draw(tui, 40, 120);
	assert_shows(L"rip 0000000000109ca7 ");
	assert_shows(L" rflags 0000000000010246");
	assert_shows(L"rax 0000000000000001  rbx 0000000000000002 ");
	assert_shows(L"rcx 0000000000000003  rdx 0000000000000004 ");
	assert_shows(L"r8  0000000000000008  r9  0000000000000009 ");
	draw(tui, 60, 30);
	for (unsigned i = 1; i <= 4; i++) {
		wchar_t pair[32];

		swprintf(pair, ARRAY_SIZE(pair), L" r%cx 000000000000000%u ", "abcd"[i - 1], i);
		assert_shows(pair);
	}
	draw(tui, 60, 250);
	assert_shows(L"  rcx 0000000000000003  rdx 0000000000000004 ");
}

/* Of the console the end is what matters. */
static void test_last_lines(void **state)
{
	struct tui *tui = open_crashed(*state);

	draw(tui, 60, 120);
	assert_shows(L"line 1 ");
	assert_shows(L"line 20");
	draw(tui, 24, 120);
	assert_shows(L"line 20");
	assert_shows(L"line 19");
	assert_false(shows(L"line 1 "));
	draw(tui, 32, 80); /* there is room for three */
	assert_shows(L"Last lines of the console");
	assert_shows(L"line 18");
	assert_shows(L"line 20");
	draw(tui, 24, 80);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	draw(tui, 24, 80);
	assert_shows(L"Last lines of the console");
	assert_shows(L"line 4 ");
	assert_shows(L"line 20");

	/* A screen that grows does not stay behind the end. */
	draw(tui, 60, 250);
	draw(tui, 60, 250);
	assert_shows(L"State");
	assert_shows(L"line 20");

	/* The smallest one shows the end, too. */
	draw(tui, 5, 20);
	tui->top->ops->command(tui->top, COMMAND_LAST);
	draw(tui, 5, 20);
	for (unsigned i = 17; i <= 20; i++) {
		wchar_t line[16];

		swprintf(line, ARRAY_SIZE(line), L"line %u", i);
		assert_shows(line);
	}
}

/* Whatever the size, the keys that answer a question are all seen. */
static void test_questions(void **state)
{
	static const int sizes[][2] = { { 50, 200 }, { 24, 80 }, { 8, 24 }, { 5, 20 } };
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	fake_screen_guests(screen, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\"},"
				   "{\"name\":\"db\",\"state\":\"paused\"}]}");
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		order_give(tui->deck, "web", "guest.reset");
		draw(tui, sizes[i][0], sizes[i][1]);
		assert_shows(L"Reset web?");
		assert_shows(L"y: reset it");
		assert_shows(L"let it");
		quit_ask(tui->deck);
		draw(tui, sizes[i][0], sizes[i][1]);
		assert_shows(L"1 guest is");
		assert_shows(L"l: leave");
		assert_shows(L"other key: stay");
		assert_false(shows(L"Enter details")); /* a key that would do something else */
	}
	tui->prompt.active = false;
	tui->top->ops->command(tui->top, COMMAND_FILTER);
	prompt_key(&tui->prompt, 'w', false);
	prompt_key(&tui->prompt, '\r', false);
	draw(tui, 24, 80);
	assert_shows(L"Guests matching w");
	assert_false(shows(L"│ db "));
	assert_non_null(keys_find(&keys_table, tui->top->ops, 27));
	tui->top->ops->command(tui->top, keys_find(&keys_table, tui->top->ops, 27)->command);
	draw(tui, 24, 80);
	assert_shows(L"│ db ");
	tui->top->ops->command(tui->top, COMMAND_FILTER);
	for (const char *c = "0123456789abcdef"; *c; c++)
		prompt_key(&tui->prompt, (wint_t)*c, false);
	draw(tui, 5, 20);
	assert_shows(L"Show guests with:");
	assert_shows(L"123456789abcdef");
	draw(tui, 24, 80);
	assert_shows(L" Enter done  Esc cancel  Ctrl-U clear");
	assert_false(shows(L"q leave"));
}

/* A state stands for long, and hides none of what comes meanwhile. */
static void test_states(void **state)
{
	static const int sizes[][2] = { { 50, 200 }, { 24, 80 }, { 15, 80 }, { 5, 20 } };
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	tui_open(tui, "log", NULL);
	tui_state(tui, STATUS_SHUTDOWN, "Shutting down: waiting for web, db and two others. After "
		  "30 seconds they are forced off; q asks whether to do so now.");
	for (unsigned i = 0; i < 60; i++)
		tui_message(tui, SEVERITY_EVENT, i, NULL, i < 59 ? "an event" : "the last");
	status_hush(&tui->status);
	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		draw(tui, sizes[i][0], sizes[i][1]);
		assert_shows(L"Shutting down");
		assert_shows(L"the last");
	}
}

/* What is wrong is read on the smallest screen, too, where a path alone would fill it. */
static void test_causes(void **state)
{
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;

	free(tui->deck->model.deck);
	tui->deck->model.deck = strdup("/home/somebody/.config/vmdeck/guests");
	fake_screen_guests(screen, "{\"guests\":[]}");
	draw(tui, 5, 20);
	assert_shows(L"one with vmdeck new");
	assert_shows(L" …/guests, or try");
	assert_shows(L"vmdeck --demo");
	draw(tui, 24, 80);
	assert_shows(L"/home/somebody/.config/vmdeck/guests");

	fake_screen_guests(screen, guests);
	tui_say(tui, SEVERITY_ERROR, NULL, "/home/somebody/.config/vmdeck/guests/web.conf:12: "
		"memory: 'lots' is not a size; write 512M or 2G");
	draw(tui, 5, 20);
	assert_shows(L"Name");
	assert_shows(L"memory: 'lots' is");
	assert_shows(L"512M or 2G");
	draw(tui, 24, 80);
	assert_shows(L"/home/somebody/.config/vmdeck/guests/web.conf:12: memory");
}

/* Where a sentence has one line, a long path does not push out what is wrong. */
static void test_sentences(void **state)
{
#define FOLDERS "/home/somebody/a-rather-long-folder-name/and-another-one-of-that-kind/and-so-on/" \
	"until-the-path-has-more-columns-than-any-pane/has"
	static const char failed[] =
		"{\"guests\":[{\"name\":\"web\",\"state\":\"failed\",\"reason\":"
		"\"disk0: " FOLDERS "/web.img does not exist\"}]}";
	static const int sizes[][2] = { { 50, 200 }, { 40, 120 }, { 24, 80 } };
	struct fake_screen *screen = *state;
	struct tui *tui = &screen->tui;
	json_t *captures = json_loads("[{\"capture\":1,\"path\":\"" FOLDERS "/lan.pcapng\"}]", 0,
				      NULL);

	fake_screen_guests(screen, failed);
	tui_message(tui, SEVERITY_ERROR, 0, "web", "disk1: " FOLDERS "/web.img is a folder");
	tui_hush(tui);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		draw(tui, sizes[i][0], sizes[i][1]);
		assert_shows(L"/web.img does not exist");
		if (i < 2)
			assert_shows(L"web: disk1: …/web.img is a folder");
	}
	network(tui);
	json_decref(tui->deck->network.captures);
	tui->deck->network.captures = captures;
	tui_open(tui, "network", "");
	draw(tui, 24, 80);
	assert_shows(L"to …/lan.pcapng");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_deck, start, stop),
		cmocka_unit_test_setup_teardown(test_network, start, stop),
		cmocka_unit_test_setup_teardown(test_held_frame, start, stop),
		cmocka_unit_test_setup_teardown(test_port, start, stop),
		cmocka_unit_test_setup_teardown(test_stream, start, stop),
		cmocka_unit_test_setup_teardown(test_fewer_switches, start, stop),
		cmocka_unit_test_setup_teardown(test_long_lists, start, stop),
		cmocka_unit_test_setup_teardown(test_long_pages, start, stop),
		cmocka_unit_test_setup_teardown(test_mistakes, start, stop),
		cmocka_unit_test_setup_teardown(test_other_views, start, stop),
		cmocka_unit_test_setup_teardown(test_heads, start, stop),
		cmocka_unit_test_setup_teardown(test_names, start, stop),
		cmocka_unit_test_setup_teardown(test_marks, start, stop),
		cmocka_unit_test_setup_teardown(test_trouble, start, stop),
		cmocka_unit_test_setup_teardown(test_host, start, stop),
		cmocka_unit_test_setup_teardown(test_sorted, start, stop),
		cmocka_unit_test_setup_teardown(test_sort_question, start, stop),
		cmocka_unit_test_setup_teardown(test_samples, start, stop),
		cmocka_unit_test_setup_teardown(test_filtered_names, start, stop),
		cmocka_unit_test_setup_teardown(test_filter_is_live, start, stop),
		cmocka_unit_test_setup_teardown(test_registers, start, stop),
		cmocka_unit_test_setup_teardown(test_last_lines, start, stop),
		cmocka_unit_test_setup_teardown(test_questions, start, stop),
		cmocka_unit_test_setup_teardown(test_states, start, stop),
		cmocka_unit_test_setup_teardown(test_causes, start, stop),
		cmocka_unit_test_setup_teardown(test_sentences, start, stop),
	};
	int failed;

	if (!fake_terminal_open(40, 120, true))
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fake_terminal_close();
	return failed;
}
