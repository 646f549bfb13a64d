/* disk: images of disks, see image.h. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/plain.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/fail.h"
#include "cli/image.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/session.h"
#include "control/message_text.h"
#include "control/states.h"

/* Places of the options in the command's row. */
enum { OPTION_FORMAT, OPTION_TO, OPTION_OTHERS, OPTION_SHRINK, OPTION_REPAIR };

#define ARGS_MAX 12

static const char *format_given(const struct cli *cli, unsigned option, const char *path)
{
	return cli->values[option].set ? cli->values[option].text : image_format(path);
}

static int check_others(const struct cli *cli, const char *path, const json_t *info)
{
	return image_check_others(path, info, cli->values[OPTION_OTHERS].set);
}

/* Whether an image may be of the format that an option or its name says. */
static bool check_format(const struct cli *cli, const char *path, const char *format)
{
	return strcmp(format, "raw") != 0 ||
	       image_check_raw(cli, path, "format", cli->values[OPTION_FORMAT].set) == CLI_OK;
}

/* --- create --- */

static void put_created(const char *path, const char *format, uint64_t size)
{
	json_t *made = json_pack("{s:o, s:o, s:I}", "filename", message_text(path), "format",
				 message_text(format), "virtual-size", (json_int_t)size);

	output_json(made);
	json_decref(made);
}

static int create(struct cli *cli)
{
	uint64_t size = image_size(cli->argv[2]);
	char path[PATH_MAX];
	const char *format;
	int status;

	if (!size)
		return image_bad_size(cli, cli->argv[2]);
	if (!image_path(path, cli->argv[1]))
		return CLI_FAILED;
	format = format_given(cli, OPTION_FORMAT, path);
	status = image_create(path, format, size);
	if (status == CLI_OK && cli->json)
		put_created(path, format, size);
	else if (status == CLI_OK)
		plain_print(stdout, "%s: a disk of %s, %s\n", path, cli->argv[2], format);
	return status;
}

/* --- info --- */

static void put_size(const char *name, const json_t *info, const char *key)
{
	char text[TEXT_NUMBER];

	plain_print(stdout, "%-10s %s (%lld bytes)\n", name,
		    text_size(text, (double)number_of(info, key)), (long long)number_of(info, key));
}

static void put_info(const char *path, const json_t *info)
{
	const char *backing = text_of(info, "backing-filename", NULL);

	plain_print(stdout, "%-10s %s\n", "image", path);
	plain_print(stdout, "%-10s %s\n", "format", text_of(info, "format", "?"));
	put_size("disk", info, "virtual-size");
	put_size("on host", info, "actual-size");
	if (backing)
		plain_print(stdout, "%-10s %s (%s)\n", "backing", backing,
			    text_of(info, "backing-filename-format", "of unknown format"));
	if (json_is_true(json_object_get(info, "encrypted")))
		plain_print(stdout, "%-10s yes\n", "encrypted");
	if (json_is_true(json_object_get(info, "dirty-flag")))
		plain_print(stdout, "%-10s it was not closed; 'vmdeck disk check' looks at it\n",
			    "dirty");
}

static int info(struct cli *cli)
{
	char path[PATH_MAX];
	json_t *answer;

	if (!image_path(path, cli->argv[1]))
		return CLI_FAILED;
	answer = image_info(path, format_given(cli, OPTION_FORMAT, path));
	if (!answer)
		return CLI_FAILED;
	if (cli->json)
		output_json(answer);
	else
		put_info(path, answer);
	json_decref(answer);
	return CLI_OK;
}

/* --- resize --- */

/* The disk of a guest that runs whose image it is: a row of guest.list, or NULL. */
static const json_t *find_user(const json_t *guests, const char *path, const char **guest)
{
	const json_t *row, *disk;
	struct stat image, other;
	size_t i, j;

	if (stat(path, &image) < 0)
		return NULL;
	json_array_foreach((json_t *)guests, i, row) {
		enum guest_state state = guest_state_find(text_of(row, "state", ""));

		if (!guest_state_in(state, GUEST_ALIVE))
			continue;
		*guest = text_of(row, "name", "");
		json_array_foreach(json_object_get(row, "disks"), j, disk)
			if (stat(text_of(disk, "path", ""), &other) == 0 &&
			    other.st_dev == image.st_dev && other.st_ino == image.st_ino)
				return disk;
	}
	return NULL;
}

/*
 * An image that a guest of the deck uses is made larger by the deck, which tells the guest.
 * False: there is no such guest.
 */
static bool resize_in_use(struct cli *cli, const char *path, uint64_t size, int *status)
{
	struct link *link = session_open_if_any(cli);
	json_t *list = link ? session_call(link, "guest.list", NULL) : NULL, *result = NULL;
	const char *guest = NULL;
	const json_t *disk = find_user(json_object_get(list, "guests"), path, &guest);

	if (disk) {
		result = session_call(link, "guest.resize",
				      json_pack("{s:o, s:o, s:I}", "guest", message_text(guest),
						"device", message_text(text_of(disk, "name", "")),
						"size", (json_int_t)size));
		*status = result ? CLI_OK : CLI_FAILED;
	}
	if (result)
		plain_print(stdout, "%s: %s, and %s has been told\n", path, cli->argv[2], guest);
	json_decref(result);
	json_decref(list);
	link_free(link);
	return disk;
}

static int resize(struct cli *cli)
{
	uint64_t size = image_size(cli->argv[2]), now;
	char path[PATH_MAX], bytes[24];
	const char *argv[ARGS_MAX] = { "qemu-img", "resize", "-q", "-f" };
	unsigned n = 4;
	const char *format;
	json_t *before;
	int status;

	if (!size)
		return image_bad_size(cli, cli->argv[2]);
	if (!image_path(path, cli->argv[1]))
		return CLI_FAILED;
	if (resize_in_use(cli, path, size, &status))
		return status;
	format = format_given(cli, OPTION_FORMAT, path);
	if (!check_format(cli, path, format))
		return CLI_FAILED;
	before = image_info(path, format);
	if (!before || check_others(cli, path, before) != CLI_OK) {
		json_decref(before);
		return CLI_FAILED;
	}
	now = (uint64_t)number_of(before, "virtual-size");
	json_decref(before);
	if (size < now && !cli->values[OPTION_SHRINK].set)
		return fail("%s: is larger, of %" PRIu64 " bytes; --shrink cuts off what lies "
			    "behind", path, now);
	argv[n++] = format;
	if (size < now)
		argv[n++] = "--shrink";
	snprintf(bytes, sizeof(bytes), "%" PRIu64, size);
	argv[n++] = path;
	argv[n++] = bytes;
	return image_tool(argv);
}

/* --- convert --- */

static int convert(struct cli *cli)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct image_copy copy = { .from = from, .to = to, .name = cli->argv[2],
				   .others = cli->values[OPTION_OTHERS].set };

	if (!image_path(from, cli->argv[1]) || !image_path(to, cli->argv[2]))
		return CLI_FAILED;
	copy.from_format = format_given(cli, OPTION_FORMAT, from);
	copy.to_format = format_given(cli, OPTION_TO, to);
	return check_format(cli, from, copy.from_format) ? image_copy(&copy) : CLI_FAILED;
}

/* --- check --- */

static int check(struct cli *cli)
{
	const char *argv[ARGS_MAX] = { "qemu-img", "check", "--output=json", "-f" };
	struct program program = { .argv = argv, .package = IMAGE_PACKAGE };
	char path[PATH_MAX];
	json_t *info, *answer = NULL;
	long long errors, leaks;
	unsigned n = 4;
	int status;

	if (!image_path(path, cli->argv[1]))
		return CLI_FAILED;
	argv[n++] = format_given(cli, OPTION_FORMAT, path);
	if (strcmp(argv[n - 1], "raw") == 0)
		return fail("%s: a raw image has nothing to check; --format says what it is", path);
	info = image_info(path, argv[n - 1]);
	status = info ? check_others(cli, path, info) : CLI_FAILED;
	json_decref(info);
	if (status != CLI_OK)
		return status;
	if (cli->values[OPTION_REPAIR].set) {
		argv[n++] = "-r";
		argv[n++] = "all";
	}
	argv[n++] = path;
	status = program_run(&program);
	if (program.out)
		answer = json_loads(program.out, JSON_REJECT_DUPLICATES, NULL);
	free(program.out);
	if (!answer)
		return status == 0 ? CLI_OK : CLI_FAILED;
	errors = number_of(answer, "corruptions") + number_of(answer, "check-errors");
	leaks = number_of(answer, "leaks");
	if (cli->json)
		output_json(answer);
	else if (errors || leaks)
		plain_print(stdout, "%s: %lld errors, %lld clusters that nothing uses%s\n", path,
			    errors, leaks, cli->values[OPTION_REPAIR].set ? "" :
					   "; --repair mends what it can");
	else
		plain_print(stdout, "%s: no errors\n", path);
	json_decref(answer);
	return status == 0 ? CLI_OK : CLI_FAILED;
}

static const struct {
	const char *name;
	int words; /* behind the name */
	int (*run)(struct cli *cli);
} verbs[] = {
	{ "create", 2, create }, { "info", 1, info }, { "resize", 2, resize },
	{ "convert", 2, convert }, { "check", 1, check },
};

int disk_main(struct cli *cli)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(cli->argv[0], verbs[i].name) != 0)
			continue;
		if (cli->argc != verbs[i].words + 1)
			return usage_error(cli->command, "disk %s takes %d word%s", verbs[i].name,
					   verbs[i].words, verbs[i].words == 1 ? "" : "s");
		return verbs[i].run(cli);
	}
	return usage_error(cli->command, "disk knows create, info, resize, convert and check, not "
			   "'%s'", cli->argv[0]);
}
