/* XDG folders: variables that are set, unset and wrong; folders that are not ours alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"

static int setup(void **state)
{
	static char folder[64];

	strcpy(folder, "/tmp/vmdeck-paths-XXXXXX");
	*state = mkdtemp(folder);
	setenv("HOME", folder, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	unsetenv("XDG_RUNTIME_DIR");
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	return system(command);
}

static void assert_below(const char *path, const char *folder, const char *rest)
{
	assert_int_equal(strncmp(path, folder, strlen(folder)), 0);
	assert_string_equal(path + strlen(folder), rest);
}

static void what_a_person_types(void **state)
{
	char path[PATH_MAX], folder[PATH_MAX], expected[PATH_MAX + 8];
	struct cause cause;

	assert_int_equal(paths_typed(path, "/x/y", NULL), 0);
	assert_string_equal(path, "/x/y");
	assert_int_equal(paths_typed(path, "~/x y", NULL), 0);
	assert_below(path, *state, "/x y");
	assert_int_equal(paths_typed(path, "~", NULL), 0);
	assert_string_equal(path, *state);
	assert_int_equal(paths_typed(path, "~bob/x", &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "~bob/x"));
	assert_int_equal(paths_typed(path, "", &cause), -EINVAL);
	assert_non_null(getcwd(folder, sizeof(folder)));
	snprintf(expected, sizeof(expected), "%s/./x~", folder);
	assert_int_equal(paths_typed(path, "./x~", NULL), 0);
	assert_string_equal(path, expected);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(paths_typed(path, "x", NULL), 0);
	assert_string_equal(path, "/x");
	assert_int_equal(chdir(folder), 0);
}

static void variables_before_home(void **state)
{
	char path[PATH_MAX], config[256];

	assert_int_equal(paths_state(path, NULL), 0);
	assert_below(path, *state, "/.local/state/vmdeck");
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_int_equal(paths_state(path, NULL), 0);
	assert_below(path, *state, "/.local/state/vmdeck");
	setenv("XDG_STATE_HOME", "/var/x", 1);
	assert_int_equal(paths_state(path, NULL), 0);
	assert_string_equal(path, "/var/x/vmdeck");
	assert_int_equal(paths_data(path, NULL), 0);
	assert_below(path, *state, "/.local/share/vmdeck");

	snprintf(config, sizeof(config), "%s/conf", (char *)*state);
	setenv("XDG_CONFIG_HOME", config, 1);
	snprintf(path, sizeof(path), "%s/vmdeck/guests", config);
	assert_int_equal(paths_make(path, NULL), 0);
	assert_int_equal(paths_profiles(path, "guests", NULL), 0);
	assert_below(path, config, "/vmdeck/guests");
}

static void long_variables_are_refused(void **state)
{
	char value[PATH_MAX + 16], path[PATH_MAX];
	struct cause cause;

	(void)state;
	memset(value, 'x', sizeof(value));
	value[0] = '/';
	value[sizeof(value) - 1] = '\0';
	setenv("XDG_STATE_HOME", value, 1);
	assert_int_equal(paths_state(path, &cause), -ENAMETOOLONG);
}

static void runtime_folder_is_named_and_not_made(void **state)
{
	char path[PATH_MAX];
	struct cause cause;
	struct stat st;

	setenv("XDG_RUNTIME_DIR", *state, 1);
	assert_int_equal(paths_runtime(path, &cause), 0);
	assert_below(path, *state, "/vmdeck");
	assert_int_equal(stat(path, &st), -1);
}

static void runtime_folder_of_others_is_passed_over(void **state)
{
	char path[PATH_MAX];
	struct cause cause;

	assert_int_equal(chmod(*state, 0755), 0);
	setenv("XDG_RUNTIME_DIR", *state, 1);
	assert_int_equal(paths_runtime(path, &cause), 0);
	assert_int_not_equal(strncmp(path, *state, strlen(*state)), 0);
}

static void runtime_folder_to_which_others_write_is_refused(void **state)
{
	char path[PATH_MAX];
	struct cause cause;

	setenv("XDG_RUNTIME_DIR", *state, 1);
	assert_int_equal(paths_make_runtime(path, &cause), 0);
	assert_int_equal(paths_make_runtime(path, &cause), 0);
	assert_int_equal(chmod(path, 0720), 0);
	assert_int_equal(paths_make_runtime(path, &cause), -EACCES);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(*state, path), 0);
	assert_int_equal(paths_make_runtime(path, &cause), -EACCES);
	assert_non_null(strstr(cause.text, path));
	assert_int_equal(unlink(path), 0);
}

static void folders_are_made_in_depth(void **state)
{
	char path[PATH_MAX], file[256];
	struct cause cause;
	struct stat st;
	FILE *stream;

	snprintf(path, sizeof(path), "%s/a//b/c/", (char *)*state);
	assert_int_equal(paths_make(path, &cause), 0);
	assert_int_equal(paths_make(path, &cause), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(file, sizeof(file), "%s/a/file", (char *)*state);
	stream = fopen(file, "w");
	assert_non_null(stream);
	fclose(stream);
	assert_int_equal(paths_make(file, &cause), -ENOTDIR);
	strcat(file, "/x");
	assert_int_equal(paths_make(file, &cause), -ENOTDIR);
	assert_non_null(strstr(cause.text, file));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_person_types, setup, teardown),
		cmocka_unit_test_setup_teardown(variables_before_home, setup, teardown),
		cmocka_unit_test_setup_teardown(long_variables_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(runtime_folder_is_named_and_not_made, setup, teardown),
		cmocka_unit_test_setup_teardown(runtime_folder_of_others_is_passed_over, setup,
						teardown),
		cmocka_unit_test_setup_teardown(runtime_folder_to_which_others_write_is_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(folders_are_made_in_depth, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
