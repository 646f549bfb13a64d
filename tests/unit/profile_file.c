/* Profiles as files: copied, renamed, removed. */
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

#include "control/profile_file.h"

#define PROFILE                                                                                 \
	"# my guest\r\n"                                                                         \
	"[guest]\n"                                                                             \
	"  Name = web   ; of old\n"                                                              \
	"memory = 1G # enough\n"                                                                \
	"\n"                                                                                    \
	"[boot]\n"                                                                              \
	"cmdline = name=x\n"                                                                     \
	"[disk0]\n"                                                                             \
	"path = /web.img\n"                                                                     \
	"[Net0]\n"                                                                              \
	"switch = lan\n"                                                                        \
	"mac=52:54:00:00:00:01\n"                                                               \
	"; address = 10.0.2.7\n"                                                                \
	"address = 10.0.2.8\n"                                                                  \
	"forward = 2222:22\n"                                                                   \
	"[vsock]\n"                                                                             \
	"name = kept"

static char folder[64];

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const char *text_of(const char *name)
{
	static char text[2048];
	FILE *file = fopen(in_folder(name), "r");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/vmdeck-profiles-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	put("web.ini", PROFILE);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void a_copy_has_nothing_that_is_one_guests_alone(void **state)
{
	char path[PATH_MAX];
	struct cause cause;

	(void)state;
	assert_int_equal(profile_file_copy(in_folder("web.ini"), "web2", path, &cause), 0);
	assert_string_equal(path, in_folder("web2.ini"));
	assert_string_equal(text_of("web2.ini"),
			    "# my guest\r\n[guest]\nmemory = 1G # enough\n\n[boot]\ncmdline = name=x\n"
			    "[disk0]\npath = /web.img\n[Net0]\nswitch = lan\n"
			    "; address = 10.0.2.7\n[vsock]\nname = kept");
	assert_string_equal(text_of("web.ini"), PROFILE);
}

static void who_is_renamed_keeps_all_but_the_name(void **state)
{
	char path[PATH_MAX];
	struct cause cause;

	(void)state;
	assert_int_equal(profile_file_rename(in_folder("web.ini"), "shop", path, &cause), 0);
	assert_null(strstr(text_of("shop.ini"), "Name"));
	assert_non_null(strstr(text_of("shop.ini"), "mac=52:54:00:00:00:01\n"));
	assert_non_null(strstr(text_of("shop.ini"), "forward = 2222:22\n"));
	assert_int_equal(access(in_folder("web.ini"), F_OK), -1);
	assert_int_equal(profile_file_remove(in_folder("shop.ini"), &cause), 0);
	assert_int_equal(profile_file_remove(in_folder("shop.ini"), &cause), -ENOENT);
	assert_non_null(strstr(cause.text, "shop.ini"));
}

static void nothing_is_written_over(void **state)
{
	static const char *const wrong[] = { "", "../web", "a b", "-x", "x/y" };
	char path[PATH_MAX], long_text[70000];
	struct cause cause;

	(void)state;
	put("db.ini", "[guest]\n");
	assert_int_equal(profile_file_copy(in_folder("web.ini"), "db", path, &cause), -EEXIST);
	assert_non_null(strstr(cause.text, "choose another name"));
	assert_int_equal(profile_file_rename(in_folder("web.ini"), "db", path, &cause), -EEXIST);
	assert_string_equal(text_of("db.ini"), "[guest]\n");
	assert_string_equal(text_of("web.ini"), PROFILE);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(profile_file_copy(in_folder("web.ini"), wrong[i], path, &cause),
				 -EINVAL);
	assert_int_equal(profile_file_copy(in_folder("none.ini"), "x", path, &cause), -ENOENT);
	assert_int_equal(profile_file_copy(folder, "x", path, &cause), -EINVAL);
	memset(long_text, '#', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	put("long.ini", long_text);
	assert_int_equal(profile_file_copy(in_folder("long.ini"), "x", path, &cause), -EFBIG);
	assert_int_equal(access(in_folder("x.ini"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_has_nothing_that_is_one_guests_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(who_is_renamed_keeps_all_but_the_name, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_is_written_over, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
