/*
 * disk: images of disks. A new raw one is made here, what else there is to do
 * is qemu-img's, which knows the formats and their locks. What an image is its
 * name or --format says, never its bytes: a guest can have written them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/paths.h"
#include "base/plain.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/program.h"
#include "control/message_text.h"

/* Places of the options in the command's row. */
enum { OPTION_FORMAT, OPTION_TO, OPTION_OTHERS, OPTION_SHRINK, OPTION_REPAIR };

#define ARGS_MAX 12
#define SECTOR 512
#define IMAGE_MAX (1ull << 60) /* bytes */

/* The formats by the endings of names; the first is a file's without a known one. */
static const struct {
	const char *ending, *format;
} endings[] = {
	{ ".img", "raw" }, { ".raw", "raw" }, { ".iso", "raw" }, { ".qcow2", "qcow2" },
	{ ".vmdk", "vmdk" }, { ".vdi", "vdi" }, { ".vhdx", "vhdx" }, { ".vhd", "vpc" },
};

static const char *format_of(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t size = strlen(endings[i].ending);

		if (length > size && strcasecmp(path + length - size, endings[i].ending) == 0)
			return endings[i].format;
	}
	return endings[0].format;
}

static const char *format_given(const struct cli *cli, unsigned option, const char *path)
{
	return cli->values[option].set ? cli->values[option].text : format_of(path);
}

/* An absolute path, which qemu-img takes for nothing else. */
static bool absolute(char path[PATH_MAX], const char *word)
{
	struct cause cause;

	if (paths_typed(path, word, &cause) == 0)
		return true;
	fail("%s", cause.text);
	return false;
}

/* Whole sectors; 0: it is none. */
static uint64_t size_of(const char *text)
{
	uint64_t bytes;

	if (text_take_size(text, &bytes) < 0 || bytes > IMAGE_MAX || bytes % SECTOR)
		return 0;
	return bytes;
}

static int bad_size(const struct cli *cli, const char *text)
{
	return usage_error(cli->command, "'%s' is not the size of a disk; write 512M or 20G, in "
			   "whole sectors of %d bytes", text, SECTOR);
}

static int qemu_img(struct program *program, const char *const *argv)
{
	*program = (struct program){ .argv = argv, .package = "qemu-utils",
				     .printed = program->printed, .arg = program->arg };
	return program_run(program);
}

/* One whose output is of no interest. */
static int qemu_img_quietly(const char *const *argv)
{
	struct program program = { 0 };
	int status = qemu_img(&program, argv);

	free(program.out);
	return status == 0 ? CLI_OK : CLI_FAILED;
}

/* --- create --- */

static int create_raw(const char *path, uint64_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0 && errno == EEXIST)
		return fail("%s: is there already; name another file, or remove it", path);
	if (fd < 0)
		return fail("%s: %s", path, strerror(errno));
	if (ftruncate(fd, (off_t)size) < 0) {
		fail("%s: %s", path, strerror(errno));
		close(fd);
		(void)unlink(path);
		return CLI_FAILED;
	}
	close(fd);
	return CLI_OK;
}

static void put_created(const char *path, const char *format, uint64_t size)
{
	json_t *made = json_pack("{s:o, s:o, s:I}", "filename", message_text(path), "format",
				 message_text(format), "virtual-size", (json_int_t)size);

	output_json(made);
	json_decref(made);
}

static int create(struct cli *cli)
{
	uint64_t size = size_of(cli->argv[2]);
	char path[PATH_MAX], bytes[24];
	const char *format;
	struct stat st;
	int status;

	if (!size)
		return bad_size(cli, cli->argv[2]);
	if (!absolute(path, cli->argv[1]))
		return CLI_FAILED;
	format = format_given(cli, OPTION_FORMAT, path);
	if (strcmp(format, "raw") == 0) {
		status = create_raw(path, size);
	} else if (lstat(path, &st) == 0) {
		status = fail("%s: is there already; name another file, or remove it", path);
	} else {
		snprintf(bytes, sizeof(bytes), "%" PRIu64, size);
		status = qemu_img_quietly((const char *const[]){ "qemu-img", "create", "-q", "-f",
								 format, path, bytes, NULL });
	}
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

static json_t *ask_info(const char *path, const char *format)
{
	struct program program = { 0 };
	const char *const argv[] = { "qemu-img", "info", "-U", "--output=json", "-f", format, path,
				     NULL };
	json_t *info = NULL;

	int status = qemu_img(&program, argv);

	if (status == 0 && program.out)
		info = json_loads(program.out, JSON_REJECT_DUPLICATES, NULL);
	if (status == 0 && !info)
		fail("%s: what qemu-img says of it cannot be read", path);
	free(program.out);
	return info;
}

static int info(struct cli *cli)
{
	char path[PATH_MAX];
	json_t *answer;

	if (!absolute(path, cli->argv[1]))
		return CLI_FAILED;
	answer = ask_info(path, format_given(cli, OPTION_FORMAT, path));
	if (!answer)
		return CLI_FAILED;
	if (cli->json)
		output_json(answer);
	else
		put_info(path, answer);
	json_decref(answer);
	return CLI_OK;
}

/* --- other files --- */

/* A file that reading the image would read as well, because the image says so; or NULL. */
static const char *other_file(const json_t *info, const char *path)
{
	const json_t *own = json_object_get(json_object_get(info, "format-specific"), "data");
	const char *name = text_of(info, "backing-filename", text_of(own, "data-file", NULL));
	json_t *extent;
	size_t i;

	json_array_foreach(json_object_get(own, "extents"), i, extent)
		if (!name && strcmp(text_of(extent, "filename", path), path) != 0)
			name = text_of(extent, "filename", NULL);
	return name;
}

/* An image of somebody else can name any file of this user. */
static int check_others(const struct cli *cli, const char *path, const json_t *info)
{
	const char *other = other_file(info, path);

	if (!other || cli->values[OPTION_OTHERS].set)
		return CLI_OK;
	return fail("%s: the image names another file, %s; --others has it opened as well, if you "
		    "trust the image", path, other);
}

static int ask_others(const struct cli *cli, const char *path)
{
	json_t *info = ask_info(path, format_given(cli, OPTION_FORMAT, path));
	int status = info ? check_others(cli, path, info) : CLI_FAILED;

	json_decref(info);
	return status;
}

/* --- resize --- */

static int resize(struct cli *cli)
{
	uint64_t size = size_of(cli->argv[2]), now;
	char path[PATH_MAX], bytes[24];
	const char *argv[ARGS_MAX] = { "qemu-img", "resize", "-q", "-f" };
	unsigned n = 4;
	const char *format;
	json_t *before;

	if (!size)
		return bad_size(cli, cli->argv[2]);
	if (!absolute(path, cli->argv[1]))
		return CLI_FAILED;
	format = format_given(cli, OPTION_FORMAT, path);
	before = ask_info(path, format);
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
	return qemu_img_quietly(argv);
}

/* --- convert --- */

struct progress {
	bool shown;
	const char *name;
	char line[64];
	size_t size;
};

/* qemu-img's "    (12.34/100%)" and a carriage return. */
static void show_progress(void *arg, const char *text, size_t size)
{
	struct progress *progress = arg;

	for (size_t i = 0; i < size; i++) {
		const char *percent;

		if (text[i] != '\r' && text[i] != '\n') {
			if (progress->size < sizeof(progress->line) - 1)
				progress->line[progress->size++] = text[i];
			continue;
		}
		progress->line[progress->size] = '\0';
		progress->size = 0;
		percent = strchr(progress->line, '(');
		if (!percent)
			continue;
		plain_print(stderr, "\rvmdeck: %s: %.0f %%", progress->name,
			    strtod(percent + 1, NULL));
		fflush(stderr);
		progress->shown = true;
	}
}

/* Into a file beside it, which takes its name when it is whole. */
static int convert_to(const struct cli *cli, const char *from, const char *to, const char *part)
{
	struct progress progress = { .name = cli->argv[2] };
	bool terminal = isatty(STDERR_FILENO);
	struct program program = { .printed = terminal ? show_progress : NULL, .arg = &progress };
	const char *const argv[] = { "qemu-img", "convert", terminal ? "-p" : "-q", "-f",
				     format_given(cli, OPTION_FORMAT, from), "-O",
				     format_given(cli, OPTION_TO, to), from, part, NULL };
	int status = qemu_img(&program, argv);

	free(program.out);
	if (progress.shown)
		fputs("\n", stderr);
	if (status != 0)
		return CLI_FAILED;
	/* Never over a file that came meanwhile. */
	if (renameat2(AT_FDCWD, part, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		return fail("%s: %s", to, strerror(errno));
	return CLI_OK;
}

static int convert(struct cli *cli)
{
	char from[PATH_MAX], to[PATH_MAX], part[PATH_MAX];
	struct stat st;
	int status;

	if (!absolute(from, cli->argv[1]) || !absolute(to, cli->argv[2]))
		return CLI_FAILED;
	if (lstat(to, &st) == 0)
		return fail("%s: is there already; name another file, or remove it", to);
	if (snprintf(part, sizeof(part), "%s.%ld.part", to, (long)getpid()) >= (int)sizeof(part))
		return fail("%s: %s", to, strerror(ENAMETOOLONG));
	status = ask_others(cli, from);
	if (status == CLI_OK)
		status = convert_to(cli, from, to, part);
	(void)unlink(part);
	return status;
}

/* --- check --- */

static int check(struct cli *cli)
{
	const char *argv[ARGS_MAX] = { "qemu-img", "check", "--output=json", "-f" };
	struct program program = { 0 };
	char path[PATH_MAX];
	json_t *answer = NULL;
	long long errors, leaks;
	unsigned n = 4;
	int status;

	if (!absolute(path, cli->argv[1]))
		return CLI_FAILED;
	argv[n++] = format_given(cli, OPTION_FORMAT, path);
	if (strcmp(argv[n - 1], "raw") == 0)
		return fail("%s: a raw image has nothing to check; --format says what it is", path);
	if (ask_others(cli, path) != CLI_OK)
		return CLI_FAILED;
	if (cli->values[OPTION_REPAIR].set) {
		argv[n++] = "-r";
		argv[n++] = "all";
	}
	argv[n++] = path;
	status = qemu_img(&program, argv);
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
