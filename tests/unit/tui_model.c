/* The model: what the server sends, well-formed or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tui/model/messages.h"
#include "tui/model/model.h"
#include "tui/model/netmodel.h"
#include "tui/model/status.h"

static json_t *parse(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static void guests(struct model *model, const char *text)
{
	json_t *json = parse(text);

	model_guests(model, json);
	json_decref(json);
}

static void test_guests(void **state)
{
	struct model model = { 0 };
	struct tui_guest *web;

	(void)state;
	guests(&model, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\",\"cpus\":2,"
		       "\"memory\":1024},{\"name\":\"db\",\"state\":\"stopped\"}]}");
	assert_int_equal(model.guest_count, 2);
	assert_int_equal(model_count(&model, GUEST_ALIVE), 1);
	web = model_find(&model, "web");
	assert_int_equal(web->cpus, 2);
	model_state(&model, "db", "paused");
	assert_int_equal(model_count(&model, GUEST_ALIVE), 2);
	assert_int_equal(model_count(&model, GUEST_IN(GUEST_RUNNING)), 1);
	/* A guest that stays keeps its place in memory, and so its samples. */
	guests(&model, "{\"guests\":[{\"name\":\"new\"},{\"name\":\"web\",\"state\":\"crashed\"}]}");
	assert_ptr_equal(model_find(&model, "web"), web);
	assert_int_equal(web->state, GUEST_CRASHED);
	assert_null(model_find(&model, "db"));
	model_destroy(&model);
}

/* It is asked for again for as long as a guest restarts, and no longer. */
static void test_restarts(void **state)
{
	struct model model = { 0 };

	(void)state;
	guests(&model, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\",\"restarts\":7}]}");
	assert_false(model.restarts_grow);
	guests(&model, "{\"guests\":[{\"name\":\"new\",\"restarts\":1},"
		       "{\"name\":\"web\",\"state\":\"starting\",\"restarts\":9}]}");
	assert_true(model.restarts_grow);
	guests(&model, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\",\"restarts\":9}]}");
	assert_false(model.restarts_grow);
	/* Started anew, it counts from the beginning. */
	guests(&model, "{\"guests\":[{\"name\":\"web\",\"state\":\"running\",\"restarts\":0}]}");
	assert_false(model.restarts_grow);
	model_destroy(&model);
}

static void test_stats(void **state)
{
	struct model model = { 0 };
	json_t *history, *stats, *names = parse("[\"web\",\"gone\"]");
	const struct chart_series *series;

	(void)state;
	guests(&model, "{\"guests\":[{\"name\":\"web\",\"cpus\":2}]}");
	history = parse("{\"guests\":[{\"name\":\"web\",\"fields\":{\"cpu\":[1,2,3],\"cpu1\":[9],"
			"\"cpu99\":[1],\"nonsense\":[1]}}]}");
	model_history(&model, history);
	series = model_find(&model, "web")->series;
	assert_int_equal(series[STATS_CPU].filled, 3);
	assert_true(chart_last(&series[STATS_CPU]) == 3);
	assert_true(chart_last(&series[STATS_VCPU + 1]) == 9);
	/* What is not in a notification has not changed. */
	stats = parse("{\"guests\":[{\"name\":\"web\",\"values\":{\"memory\":77}}]}");
	model_stats(&model, stats, names, 1);
	assert_int_equal(series[STATS_CPU].filled, 4);
	assert_true(chart_last(&series[STATS_CPU]) == 3);
	assert_true(chart_last(&series[STATS_MEMORY]) == 77);
	/* Samples that were missed are as the one before them. */
	model_stats(&model, NULL, names, 3);
	assert_int_equal(series[STATS_CPU].filled, 7);
	assert_true(chart_last(&series[STATS_MEMORY]) == 77);
	model_stats(&model, stats, names, 0);
	assert_int_equal(series[STATS_CPU].filled, 7);
	json_decref(history);
	json_decref(stats);
	json_decref(names);
	model_destroy(&model);
}

/* Every member of another type than it should have. */
static void test_hostile(void **state)
{
	static const char *const texts[] = {
		"{}", "[]", "{\"guests\":5}", "{\"guests\":[null,1,\"x\",[],{}]}",
		"{\"guests\":[{\"name\":7},{\"name\":\"\"},{\"name\":\"a\",\"state\":[],\"cpus\":-1,"
		"\"memory\":\"much\",\"nets\":3,\"disks\":{},\"since\":1e300}]}",
		"{\"guests\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
		"{\"guests\":[{\"name\":\"a\",\"cpus\":9223372036854775807}]}",
		"{\"guests\":[{\"name\":\"a\",\"fields\":[],\"values\":3}]}",
		"{\"guests\":[{\"name\":\"a\",\"fields\":{\"cpu\":[null,\"x\",-5,1e308]},"
		"\"values\":{\"cpu\":[],\"memory\":-1}}]}",
		"{\"switches\":[1,{\"name\":[],\"ports\":[2,{\"name\":\"p\",\"drops\":[1]},"
		"{\"drops\":{\"x\":-1,\"y\":\"z\"},\"out_bytes\":-1}],\"leases\":[[]],\"macs\":{}}]}",
		"{\"packets\":[1,{},{\"from\":5,\"time\":-1,\"verdict\":null}],\"dropped\":-3}",
	};
	struct model model = { 0 };
	struct netmodel network = { 0 };
	json_t *names = parse("[\"a\",1,null]");

	(void)state;
	for (unsigned round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			json_t *json = parse(texts[i]);

			model_guests(&model, json);
			model_history(&model, json);
			model_stats(&model, json, names, round);
			netmodel_switches(&network, json, clock_monotonic());
			netmodel_packets(&network, json);
			json_decref(json);
		}
	for (uint64_t n = 0; n < network.shown.count; n++)
		assert_non_null(netmodel_packet(&network, n));
	netmodel_destroy(&network);
	model_destroy(&model);
	json_decref(names);
}

static void test_rates(void **state)
{
	struct netmodel network = { 0 };
	json_t *before = parse("{\"switches\":[{\"name\":\"lan\",\"ports\":[{\"name\":\"p\","
			       "\"out_bytes\":1000,\"drops\":{\"no buffer\":3,\"short\":1}}]}]}");
	json_t *after = parse("{\"switches\":[{\"name\":\"lan\",\"ports\":[{\"name\":\"p\","
			      "\"out_bytes\":5000}]}]}");

	(void)state;
	netmodel_switches(&network, before, NS_PER_S);
	assert_int_equal(network.switches[0].ports[0].drops, 4);
	assert_string_equal(network.switches[0].ports[0].why, "no buffer");
	netmodel_switches(&network, after, 3 * NS_PER_S);
	assert_true(network.switches[0].ports[0].out_rate == 2000);
	/* A counter that began anew is no rate. */
	netmodel_switches(&network, before, 4 * NS_PER_S);
	assert_true(network.switches[0].ports[0].out_rate == 0);
	json_decref(before);
	json_decref(after);
	netmodel_destroy(&network);
}

/* What was dropped before anybody looked is no news, and a link that is down is none at all. */
static void test_drops(void **state)
{
	static const struct {
		const char *drops;
		unsigned count, usual, rose; /* s */
		const char *why;
	} lists[] = {
		{ "\"no buffer\":3,\"short\":1,\"link down\":9", 4, 9, 0, "no buffer" },
		{ "\"no buffer\":3,\"short\":1,\"link down\":99", 4, 99, 0, "no buffer" },
		{ "\"no buffer\":3,\"short\":4,\"link down\":99", 7, 99, 3, "short" },
		{ "\"no buffer\":3,\"short\":4,\"link down\":99", 7, 99, 3, "short" },
	};
	struct netmodel network = { 0 };
	const struct port_row *port;
	char text[200];
	json_t *json;

	(void)state;
	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(text, sizeof(text), "{\"switches\":[{\"name\":\"lan\",\"ports\":["
			 "{\"name\":\"p\",\"drops\":{%s}}]}]}", lists[i].drops);
		json = parse(text);
		netmodel_switches(&network, json, (i + 1) * NS_PER_S);
		json_decref(json);
		port = &network.switches[0].ports[0];
		assert_int_equal(port->drops, lists[i].count);
		assert_int_equal(port->usual, lists[i].usual);
		assert_int_equal(port->rose, lists[i].rose * NS_PER_S);
		assert_string_equal(port->why, lists[i].why);
	}
	netmodel_destroy(&network);
}

static void test_packets(void **state)
{
	struct netmodel network = { 0 };
	json_t *json = parse("{\"packets\":[{\"from\":\"a\",\"verdict\":\"forward\"},"
			     "{\"from\":\"b\",\"verdict\":\"no buffer\"}],\"dropped\":2}");

	(void)state;
	for (unsigned i = 0; i < NETMODEL_PACKETS; i++)
		netmodel_packets(&network, json);
	assert_int_equal(network.shown.count, 2 * NETMODEL_PACKETS);
	assert_int_equal(network.missed, 2 * NETMODEL_PACKETS);
	assert_null(netmodel_packet(&network, NETMODEL_PACKETS - 1));
	assert_null(netmodel_packet(&network, 2 * NETMODEL_PACKETS));
	assert_string_equal(netmodel_packet(&network, NETMODEL_PACKETS)->fields[PACKET_FROM], "a");
	assert_false(netmodel_packet(&network, NETMODEL_PACKETS)->dropped);
	assert_true(netmodel_packet(&network, NETMODEL_PACKETS + 1)->dropped);
	json_decref(json);
	netmodel_destroy(&network);
}

static void test_messages(void **state)
{
	struct messages messages = { 0 };
	char text[32];

	(void)state;
	assert_null(messages_last(&messages));
	for (unsigned i = 0; i < MESSAGES_KEPT + 10; i++) {
		snprintf(text, sizeof(text), "message %u", i);
		messages_add(&messages, SEVERITY_EVENT, i + 1, i % 2 ? "web" : NULL, text);
	}
	assert_string_equal(messages_last(&messages)->text, "message 509");
	assert_string_equal(messages_last(&messages)->guest, "web");
	/* The oldest ten gave way. */
	assert_int_equal(messages_first(&messages), messages.count - MESSAGES_KEPT);
	assert_string_equal(messages_at(&messages, messages_first(&messages))->text, "message 10");
	messages_destroy(&messages);
}

/* What an event has told a moment before is not told twice by who asked for it. */
static void test_answers(void **state)
{
	struct messages messages = { 0 };
	const struct message *message;

	(void)state;
	messages_add(&messages, SEVERITY_EVENT, 0, NULL, "x.pcapng: no space");
	messages_add(&messages, SEVERITY_EVENT, 0, "web", "is running");
	message = messages_answer(&messages, SEVERITY_ERROR, NULL, "x.pcapng: no space. 3 packets.");
	assert_ptr_equal(message, messages_at(&messages, 0));
	assert_string_equal(message->text, "x.pcapng: no space. 3 packets.");
	assert_int_equal(message->severity, SEVERITY_ERROR);
	messages_answer(&messages, SEVERITY_GOOD, NULL, "3 packets.");
	assert_int_equal(messages.count, 2);
	assert_string_equal(message->text, "x.pcapng: no space. 3 packets.");
	assert_int_equal(message->severity, SEVERITY_ERROR);
	/* Another guest's, or an older one, is another message. */
	messages_answer(&messages, SEVERITY_GOOD, "db", "is running");
	assert_int_equal(messages.count, 3);
	messages_add(&messages, SEVERITY_EVENT, clock_wall() - 20 * NS_PER_S, "lab", "is running");
	messages_answer(&messages, SEVERITY_GOOD, "lab", "is running");
	assert_int_equal(messages.count, 5);
	messages_destroy(&messages);
}

/* What is shown of a status, two at most: their ranks, the first and the second, or -1. */
static void shows(struct status *status, int first, int second)
{
	const struct status_entry *shown[2] = { NULL, NULL };
	size_t count = status_pick(status, shown, 2);

	assert_int_equal(count > 0 ? shown[0] - status->entries : -1, first);
	assert_int_equal(count > 1 ? shown[1] - status->entries : -1, second);
}

static void test_status_ranks(void **state)
{
	const struct status_entry *shown[2];
	struct status status = { 0 };

	(void)state;
	shows(&status, -1, -1);
	status_put(&status, STATUS_CAPTURE, SEVERITY_WARNING, "", "capturing", 1);
	status_put(&status, STATUS_EVENT, SEVERITY_GOOD, "web", "web is running", 1);
	shows(&status, STATUS_CAPTURE, STATUS_EVENT);
	/* Events come and go beside a state; where one line has room, it is the state's. */
	status_put(&status, STATUS_EVENT, SEVERITY_GOOD, "db", "db is running", 2);
	assert_int_equal(status_pick(&status, shown, 1), 1);
	assert_string_equal(shown[0]->text, "capturing");
	assert_true(status_is_state(&status, shown[0]));
	status_put(&status, STATUS_REFUSAL, SEVERITY_ERROR, "guest.start", "no kernel", 3);
	shows(&status, STATUS_REFUSAL, STATUS_CAPTURE);
	status_put(&status, STATUS_SHUTDOWN, SEVERITY_WARNING, "", "shutting down", 4);
	shows(&status, STATUS_REFUSAL, STATUS_SHUTDOWN);
	status_hush(&status);
	shows(&status, STATUS_SHUTDOWN, STATUS_CAPTURE);
	status_take(&status, STATUS_SHUTDOWN);
	shows(&status, STATUS_CAPTURE, -1);
	status_destroy(&status);
}

static void test_status_ends(void **state)
{
	struct status status = { 0 };

	(void)state;
	/* A key ends what somebody can have read, and no event does. */
	status_put(&status, STATUS_REFUSAL, SEVERITY_ERROR, "filter", "no filter", 1);
	assert_false(status_key(&status));
	status_put(&status, STATUS_EVENT, SEVERITY_EVENT, "", "something", 2);
	assert_int_equal(status_expire(&status, 3), 2 + 12 * NS_PER_S);
	shows(&status, STATUS_REFUSAL, STATUS_EVENT);
	assert_int_equal(status_expire(&status, 3600 * NS_PER_S), 0);
	shows(&status, STATUS_REFUSAL, -1);
	assert_true(status_key(&status));
	shows(&status, -1, -1);
	/* So does a success of the same kind. */
	status_put(&status, STATUS_REFUSAL, SEVERITY_ERROR, "filter", "no filter", 1);
	assert_true(status_says(&status, STATUS_REFUSAL, "filter", "no filter"));
	assert_false(status_settle(&status, STATUS_REFUSAL, "guest.list"));
	shows(&status, STATUS_REFUSAL, -1);
	assert_true(status_settle(&status, STATUS_REFUSAL, "filter"));
	shows(&status, -1, -1);
	/* A state outlasts keys and time. */
	status_put(&status, STATUS_SHUTDOWN, SEVERITY_WARNING, "", "shutting down", 1);
	shows(&status, STATUS_SHUTDOWN, -1);
	status_key(&status);
	assert_int_equal(status_expire(&status, 3600 * NS_PER_S), 0);
	shows(&status, STATUS_SHUTDOWN, -1);
	status_destroy(&status);
}

static void list_restarts(struct model *model, const char *state, unsigned restarts)
{
	json_t *json = json_pack("{s:[{s:s, s:s, s:i}]}", "guests", "name", "web", "state", state,
				 "restarts", (int)restarts);

	assert_true(model_guests(model, json));
	json_decref(json);
}

/* Restarts close to each other are a loop, as long as they go on. */
static void test_loops(void **state)
{
	struct model model = { 0 };
	const struct tui_guest *web;
	uint64_t now = clock_monotonic();

	(void)state;
	list_restarts(&model, "running", 14); /* before anybody looked */
	web = model_find(&model, "web");
	assert_false(model_loops(web, now));
	list_restarts(&model, "running", 15);
	list_restarts(&model, "running", 16);
	assert_false(model_loops(web, now));
	list_restarts(&model, "starting", 17);
	now = clock_monotonic();
	assert_true(model_loops(web, now));
	assert_true(model_loops(web, now + 15 * NS_PER_S));
	assert_false(model_loops(web, now + 30 * NS_PER_S));
	list_restarts(&model, "stopped", 17);
	assert_false(model_loops(web, now));
	/* Started anew, it has done nothing yet. */
	list_restarts(&model, "running", 0);
	list_restarts(&model, "running", 2);
	assert_false(model_loops(web, now));
	list_restarts(&model, "running", 3);
	assert_true(model_loops(web, clock_monotonic()));
	model_destroy(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guests),
		cmocka_unit_test(test_restarts),	cmocka_unit_test(test_stats),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_rates),
		cmocka_unit_test(test_drops),	cmocka_unit_test(test_packets),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_status_ranks), cmocka_unit_test(test_status_ends),
		cmocka_unit_test(test_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
