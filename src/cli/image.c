/* See image.h. qemu-img(1). */
#include "cli/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/files.h"
#include "base/paths.h"
#include "base/plain.h"
#include "base/units.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/program.h"

#define SECTOR 512
#define PART ".part" /* ends the name of what is not whole yet */
#define IMAGE_MAX (1ull << 60) /* bytes */

/* The formats by the endings of names; the first is a file's without a known one. */
static const struct {
	const char *ending, *format;
} endings[] = {
	{ ".img", "raw" }, { ".raw", "raw" }, { ".iso", "raw" }, { ".qcow2", "qcow2" },
	{ ".vmdk", "vmdk" }, { ".vdi", "vdi" }, { ".vhdx", "vhdx" }, { ".vhd", "vpc" },
};

const char *image_format(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t size = strlen(endings[i].ending);

		if (length > size && strcasecmp(path + length - size, endings[i].ending) == 0)
			return endings[i].format;
	}
	return endings[0].format;
}

bool image_path(char path[PATH_MAX], const char *word)
{
	struct cause cause;

	if (paths_typed(path, word, &cause) == 0)
		return true;
	fail("%s", cause.text);
	return false;
}

uint64_t image_size(const char *text)
{
	uint64_t bytes;

	if (text_take_size(text, &bytes) < 0 || bytes > IMAGE_MAX || bytes % SECTOR)
		return 0;
	return bytes;
}

int image_bad_size(const struct cli *cli, const char *text)
{
	return usage_error(cli->command, "'%s' is not the size of a disk; write 512M or 20G, in "
			   "whole sectors of %d bytes", text, SECTOR);
}

int image_tool(const char *const *argv)
{
	struct program program = { .argv = argv, .package = IMAGE_PACKAGE };
	int status = program_run(&program);

	free(program.out);
	return status == 0 ? CLI_OK : CLI_FAILED;
}

/* Only so that it is said early: whoever makes the file makes sure. */
static bool is_free(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return true;
	fail("%s: is there already; name another file, or remove it", path);
	return false;
}

/* --- making --- */

static int create_raw(const char *path, uint64_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

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

/* A file beside path, which nobody has guessed, to become the one of that name. */
static int make_part(char part[PATH_MAX], const char *path)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (snprintf(part, PATH_MAX, "%s.XXXXXX" PART, path) >= PATH_MAX)
		return fail("%s: %s", path, strerror(ENAMETOOLONG));
	fd = mkostemps(part, sizeof(PART) - 1, O_CLOEXEC);
	if (fd < 0)
		return fail("%s: %s", path, strerror(errno));
	(void)fchmod(fd, 0666 & ~mask);
	close(fd);
	return CLI_OK;
}

/* Gives it that name if it is whole, and never over a file that came meanwhile. */
static int name_part(const char *part, const char *path, int status)
{
	int err = status == CLI_OK ? files_name(part, path) : 0;

	if (err)
		status = fail("%s: %s", path, strerror(-err));
	if (status != CLI_OK)
		(void)unlink(part);
	return status;
}

int image_create(const char *path, const char *format, uint64_t size)
{
	char bytes[24], part[PATH_MAX];
	int status;

	if (!is_free(path))
		return CLI_FAILED;
	if (strcmp(format, "raw") == 0)
		return create_raw(path, size);
	if (make_part(part, path) != CLI_OK)
		return CLI_FAILED;
	snprintf(bytes, sizeof(bytes), "%" PRIu64, size);
	status = image_tool((const char *const[]){ "qemu-img", "create", "-q", "-f", format, part,
						   bytes, NULL });
	return name_part(part, path, status);
}

/* --- looking --- */

json_t *image_info(const char *path, const char *format)
{
	const char *const argv[] = { "qemu-img", "info", "-U", "--output=json", "-f", format, path,
				     NULL };
	struct program program = { .argv = argv, .package = IMAGE_PACKAGE };
	json_t *info = NULL;
	int status;

	/* qemu-img would say it twice in one line. */
	if (access(path, F_OK) < 0) {
		fail("%s: %s", path, strerror(errno));
		return NULL;
	}
	status = program_run(&program);
	if (status == 0 && program.out)
		info = json_loads(program.out, JSON_REJECT_DUPLICATES, NULL);
	if (status == 0 && !info)
		fail("%s: what qemu-img says of it cannot be read", path);
	free(program.out);
	return info;
}

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

int image_check_others(const char *path, const json_t *info, bool others)
{
	const char *other = other_file(info, path);

	if (!other || others)
		return CLI_OK;
	return fail("%s: the image names another file, %s; --others has it opened as well, if you "
		    "trust the image", path, other);
}

int image_check_raw(const struct cli *cli, const char *path, const char *option, bool said)
{
	/* What qemu-img can be told that it is. */
	static const char *const formats[] = { "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx",
					       "parallels" };
	struct cause what;
	const char *format = cli->hooks->image_kind(path, &what);

	if (!format)
		return CLI_OK;
	if (said) {
		plain_say("warning: %s%s", what.text, *format ? "; it is taken as it is" : "");
		return CLI_OK;
	}
	if (!*format)
		return fail("%s", what.text);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(format, formats[i]) == 0)
			return fail("%s, which its name does not say; --%s %s has it read as one, "
				    "and --%s raw as it is", what.text, option, format, option);
	return fail("%s; name what is in it", what.text);
}

/* --- copying --- */

struct progress {
	const char *name;
	bool shown;
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

static int convert(const struct image_copy *copy, const char *part)
{
	struct progress progress = { .name = copy->name };
	bool terminal = isatty(STDERR_FILENO);
	const char *const argv[] = { "qemu-img", "convert", terminal ? "-p" : "-q", "-f",
				     copy->from_format, "-O", copy->to_format, copy->from, part,
				     NULL };
	struct program program = { .argv = argv, .package = IMAGE_PACKAGE,
				   .printed = terminal ? show_progress : NULL, .arg = &progress };
	int status = program_run(&program);

	free(program.out);
	if (progress.shown)
		fputs("\n", stderr);
	if (program.signal == SIGINT)
		return fail("%s: interrupted; nothing is left of it", copy->name);
	return status == 0 ? CLI_OK : CLI_FAILED;
}

static int grow(const struct image_copy *copy, uint64_t now, const char *part)
{
	char bytes[24];

	if (copy->size <= now)
		return CLI_OK;
	snprintf(bytes, sizeof(bytes), "%" PRIu64, copy->size);
	return image_tool((const char *const[]){ "qemu-img", "resize", "-q", "-f",
						 copy->to_format, part, bytes, NULL });
}

/* Into a file beside it, which takes its name when it is whole. */
static int copy_to(const struct image_copy *copy, uint64_t now, const char *part)
{
	int status = convert(copy, part);

	if (status == CLI_OK)
		status = grow(copy, now, part);
	return name_part(part, copy->to, status);
}

int image_copy(const struct image_copy *copy)
{
	char part[PATH_MAX];
	uint64_t size;
	json_t *info;
	int status;

	if (!is_free(copy->to))
		return CLI_FAILED;
	info = image_info(copy->from, copy->from_format);
	status = info ? image_check_others(copy->from, info, copy->others) : CLI_FAILED;
	size = info ? (uint64_t)number_of(info, "virtual-size") : 0;
	json_decref(info);
	if (status == CLI_OK && copy->size && copy->size < size)
		status = fail("%s: has a disk of %" PRIu64 " bytes, and none can be made smaller "
			      "without a loss", copy->from, size);
	if (status == CLI_OK)
		status = make_part(part, copy->to);
	return status == CLI_OK ? copy_to(copy, size, part) : status;
}
