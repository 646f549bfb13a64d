/* Watching folders of profiles: what is told, what is not, and folders that come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/watch.h"
#include "core/profile/folder.h"

struct bench {
	char folder[64], guests[128], switches[128];
	struct loop loop;
	struct loop_timer patience;
	struct watch watch;
	unsigned calls;
};

static void changed(void *arg)
{
	struct bench *bench = arg;

	bench->calls++;
	loop_stop(&bench->loop);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct cause cause;

	strcpy(bench->folder, "/tmp/vmdeck-watch-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	snprintf(bench->guests, sizeof(bench->guests), "%s/config/vmdeck/guests", bench->folder);
	snprintf(bench->switches, sizeof(bench->switches), "%s/config/vmdeck/switches",
		 bench->folder);
	assert_int_equal(loop_init(&bench->loop, &cause), 0);
	bench->patience = (struct loop_timer){ .fire = stop, .arg = &bench->loop };
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	char command[128];

	watch_destroy(&bench->watch);
	loop_destroy(&bench->loop);
	snprintf(command, sizeof(command), "rm -r %s", bench->folder);
	free(bench);
	return system(command);
}

static bool is_profile(void *arg, const char *name)
{
	assert_non_null(arg);
	return profile_file_is(name);
}

static void begin(struct bench *bench)
{
	const char *const folders[WATCH_FOLDERS] = { bench->guests, bench->switches };
	struct cause cause;

	assert_int_equal(watch_init(&bench->watch, &bench->loop, folders, is_profile, changed, bench,
				    &cause), 0);
}

static void __attribute__((format(printf, 2, 3)))
run(struct bench *bench, const char *format, ...)
{
	char command[512];
	va_list ap;
	int n = snprintf(command, sizeof(command), "cd %s && ", bench->folder);

	va_start(ap, format);
	vsnprintf(command + n, sizeof(command) - (size_t)n, format, ap);
	va_end(ap);
	assert_int_equal(system(command), 0);
}

/* inotify's events come with the change, so that nothing has to be waited for. */
static bool is_told(struct bench *bench)
{
	unsigned before = bench->calls;

	watch_flush(&bench->watch);
	return bench->calls != before;
}

static void changes_are_told(void **state)
{
	static const char *const told[] = {
		"cp x guests/a.ini", "echo >>guests/a.ini", "chmod 600 guests/a.ini",
		"mv guests/a.ini guests/b.ini", "cp x guests/t~ && mv guests/t~ guests/c.ini",
		"ln -s ../x guests/d.ini", "ln x guests/e.ini", "rm guests/b.ini",
		"cp x switches/a.ini",
	};
	struct bench *bench = *state;

	run(bench, "mkdir -p config/vmdeck/guests config/vmdeck/switches && echo >config/vmdeck/x");
	begin(bench);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		run(bench, "cd config/vmdeck && %s", told[i]);
		if (!is_told(bench) || is_told(bench))
			fail_msg("%s: told %u times in all", told[i], bench->calls);
	}
}

/* What is no profile, is only read, or is not written yet. */
static void the_rest_is_not(void **state)
{
	struct bench *bench = *state;
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/c.ini", bench->guests);
	run(bench, "mkdir -p config/vmdeck/guests && echo >config/vmdeck/guests/a.ini");
	begin(bench);
	run(bench, "cd config/vmdeck && cat guests/a.ini && cp guests/a.ini guests/.b.ini && "
	    "cp guests/a.ini guests/b.ini~ && echo >guests/disk.img && echo >x && mkdir y && "
	    "echo >../z && rm x");
	assert_false(is_told(bench));
	/* Made, but still open for writing; then closed. */
	file = fopen(path, "w");
	assert_non_null(file);
	assert_false(is_told(bench));
	fclose(file);
	assert_true(is_told(bench));
}

static void folders_come_and_go(void **state)
{
	struct bench *bench = *state;

	begin(bench);
	assert_false(is_told(bench));
	run(bench, "mkdir other");
	assert_false(is_told(bench));
	run(bench, "mkdir -p config/vmdeck/guests && echo >config/vmdeck/guests/a.ini");
	assert_true(is_told(bench));
	run(bench, "echo >>config/vmdeck/guests/a.ini");
	assert_true(is_told(bench));
	/* Another one in its place. */
	run(bench, "mv config/vmdeck config/old && mkdir -p config/vmdeck/guests");
	assert_true(is_told(bench));
	run(bench, "echo >config/old/guests/a.ini");
	assert_false(is_told(bench));
	run(bench, "rm -r config/vmdeck/guests");
	assert_true(is_told(bench));
	run(bench, "mkdir config/vmdeck/switches");
	assert_true(is_told(bench));
	run(bench, "rm -r config && mkdir -p config/vmdeck && mkdir config/vmdeck/guests && "
	    "echo >config/vmdeck/guests/b.ini");
	assert_true(is_told(bench));
	run(bench, "rm config/vmdeck/guests/b.ini");
	assert_true(is_told(bench));
}

/* By themselves, a moment later; many of them as one. */
static void the_loop_tells_once(void **state)
{
	struct bench *bench = *state;

	run(bench, "mkdir -p config/vmdeck/guests");
	begin(bench);
	run(bench, "for i in 1 2 3 4 5 6 7 8 9; do echo >config/vmdeck/guests/$i.ini; done");
	loop_timer_set(&bench->loop, &bench->patience, 20 * NS_PER_S);
	assert_int_equal(loop_run(&bench->loop), 0);
	assert_int_equal(bench->calls, 1);
	loop_timer_set(&bench->loop, &bench->patience, NS_PER_S / 2);
	assert_int_equal(loop_run(&bench->loop), 0);
	assert_int_equal(bench->calls, 1);
	loop_timer_cancel(&bench->loop, &bench->patience);
	assert_false(is_told(bench));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changes_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(the_rest_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(the_loop_tells_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
