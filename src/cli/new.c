/* new: makes a guest, which is a profile with comments and the image of a disk. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/paths.h"
#include "base/plain.h"
#include "cli/commands.h"
#include "cli/fail.h"
#include "cli/image.h"
#include "cli/new_profile.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/trial.h"
#include "control/message_text.h"
#include "control/names.h"

struct making {
	struct cli *cli;
	struct new_guest guest;
	uint64_t size; /* of the disk; 0: that of what is copied */
	bool overlay;  /* the image is not copied but lies below a layer */
	char folder[PATH_MAX], profile[PATH_MAX], image[PATH_MAX], from[PATH_MAX];
	struct profile_words words;
};

static bool is_given(const struct making *making, const char *option)
{
	return option_given(making->cli, option);
}

/* Whether there will be a new image. */
static bool is_made(const struct making *making)
{
	return making->guest.image && !making->overlay;
}

/* --- what the command line asks for --- */

static int check_options(const struct making *making)
{
	static const char *const starts[] = { "from", "iso", "kernel" };
	static const struct {
		const char *option, *with;
	} pairs[] = {
		{ "initrd", "kernel" }, { "append", "kernel" }, { "from-format", "from" },
		{ "others", "from" }, { "overlay", "from" },
	};
	static const char *const copied[] = { "disk", "image", "format", "others" };
	const struct command *command = making->cli->command;
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		count += is_given(making, starts[i]);
	if (count != 1)
		return usage_error(command, "a guest starts from one of --from, --iso and --kernel");
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (is_given(making, pairs[i].option) && !is_given(making, pairs[i].with))
			return usage_error(command, "--%s goes with --%s", pairs[i].option,
					   pairs[i].with);
	for (size_t i = 0; making->overlay && i < ARRAY_SIZE(copied); i++)
		if (is_given(making, copied[i]))
			return usage_error(command, "--overlay leaves the image as it is; --%s is for "
					   "a copy", copied[i]);
	if (is_given(making, "kernel") && is_given(making, "uefi"))
		return usage_error(command, "a kernel is started without firmware; leave --uefi "
				   "out");
	if (!is_given(making, "from") && !is_given(making, "disk") &&
	    (is_given(making, "image") || is_given(making, "format")))
		return usage_error(command, "the guest has no disk; --disk says how large one is");
	return CLI_OK;
}

static int take_size(struct making *making)
{
	const char *text = option_text(making->cli, "disk");

	making->size = text ? image_size(text) : 0;
	return text && !making->size ? image_bad_size(making->cli, text) : CLI_OK;
}

static int take_name(struct making *making)
{
	const char *name = making->guest.name;
	struct cause cause;

	if (!name_valid(name))
		return usage_error(making->cli->command, "'%s' is no name; use " NAME_RULE, name);
	if (paths_profiles(making->folder, "guests", &cause) < 0)
		return fail("%s", cause.text);
	if (snprintf(making->profile, PATH_MAX, "%s/%s" NAME_FILE_SUFFIX, making->folder, name) >=
	    PATH_MAX)
		return fail("%s: %s", making->folder, strerror(ENAMETOOLONG));
	return CLI_OK;
}

/* Where the image goes: "web.img" in the user's folder of them, unless that is said. */
static int take_image(struct making *making)
{
	const char *path = option_text(making->cli, "image");
	const char *format = option_text(making->cli, "format");
	char folder[PATH_MAX];
	struct cause cause;

	if (making->overlay)
		return CLI_OK;
	making->guest.format = format ? format : path ? image_format(path) : "raw";
	if (!is_given(making, "from") && !is_given(making, "disk"))
		return CLI_OK;
	making->guest.image = making->image;
	if (path)
		return image_path(making->image, path) ? CLI_OK : CLI_FAILED;
	if (paths_data(folder, &cause) < 0)
		return fail("%s", cause.text);
	format = making->guest.format;
	if (snprintf(making->image, PATH_MAX, "%s/%s.%s", folder, making->guest.name,
		     strcmp(format, "raw") == 0 ? "img" : format) >= PATH_MAX)
		return fail("%s: %s", folder, strerror(ENAMETOOLONG));
	return CLI_OK;
}

static const char *from_format(const struct making *making)
{
	const char *format = option_text(making->cli, "from-format");

	return format ? format : image_format(making->from);
}

static int take_from(struct making *making)
{
	const char *from = option_text(making->cli, "from");

	if (!from)
		return CLI_OK;
	if (!image_path(making->from, from))
		return CLI_FAILED;
	if (access(making->from, R_OK) < 0)
		return fail("--from: %s: %s", making->from, strerror(errno));
	if (making->overlay) {
		making->guest.image = making->from;
		making->guest.format = from_format(making);
	}
	if (strcmp(from_format(making), "raw") != 0)
		return CLI_OK;
	return image_check_raw(making->cli, making->from, "from-format",
			       is_given(making, "from-format"));
}

/* --- what is there already --- */

struct namesake {
	const char *name;
	bool found;
};

static void compare(void *arg, const char *name)
{
	struct namesake *namesake = arg;

	namesake->found |= strcmp(name, namesake->name) == 0;
}

static int check_names(const struct making *making)
{
	struct namesake namesake = { making->guest.name, false };
	struct stat st;

	if (lstat(making->profile, &st) == 0 && !is_given(making, "force"))
		return fail("%s: is there already; name another guest, or --force writes over it",
			    making->profile);
	if (is_made(making) && lstat(making->image, &st) == 0)
		return fail("%s: is there already, and may be a guest's disk; name another file "
			    "with --image", making->image);
	if (lstat(making->profile, &st) == 0)
		return CLI_OK;
	making->cli->hooks->profiles(compare, &namesake);
	if (namesake.found)
		return fail("%s: another profile in %s has that name; name another guest",
			    making->guest.name, making->folder);
	return CLI_OK;
}

/* As "vmdeck check" looks at it; pending: but for what is not made yet. */
static int try(const struct making *making, bool pending)
{
	char path[PATH_MAX];
	struct cause cause;
	int status;

	if (trial_write(path, &making->words, &cause) < 0)
		return fail("%s", cause.text);
	status = trial_check(making->cli, path, &making->words,
			     pending ? new_profile_image() : NULL, false);
	(void)unlink(path);
	return status;
}

/* --- making --- */

static int make_image(const struct making *making)
{
	struct image_copy copy = { .from = making->from, .from_format = from_format(making),
				   .to = making->image,
				   .to_format = making->guest.format, .name = making->guest.name,
				   .size = making->size, .others = is_given(making, "others") };
	char folder[PATH_MAX];
	struct cause cause;

	if (!is_made(making))
		return CLI_OK;
	snprintf(folder, sizeof(folder), "%s", making->image);
	*strrchr(folder, '/') = '\0';
	if (!is_given(making, "image") && paths_make(folder, &cause) < 0)
		return fail("%s", cause.text);
	if (!is_given(making, "from"))
		return image_create(making->image, making->guest.format, making->size);
	return image_copy(&copy);
}

static int write_all(int fd, const char *text, size_t size)
{
	ssize_t n;

	for (; size; text += n, size -= (size_t)n) {
		n = write(fd, text, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return -errno;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* A file beside it takes its name when it is whole. */
static int write_profile(const struct making *making)
{
	bool force = is_given(making, "force");
	char part[PATH_MAX];
	struct cause cause;
	int fd, err;

	if (paths_make(making->folder, &cause) < 0)
		return fail("%s", cause.text);
	if (snprintf(part, sizeof(part), "%s/.%s.%ld", making->folder, making->guest.name,
		     (long)getpid()) >= (int)sizeof(part))
		return fail("%s: %s", making->folder, strerror(ENAMETOOLONG));
	(void)unlink(part);
	fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail("%s: %s", making->profile, strerror(errno));
	err = write_all(fd, making->words.text, making->words.size);
	close(fd);
	if (!err && renameat2(AT_FDCWD, part, AT_FDCWD, making->profile,
			      force ? 0 : RENAME_NOREPLACE) < 0)
		err = -errno;
	(void)unlink(part);
	return err ? fail("%s: %s", making->profile, strerror(-err)) : CLI_OK;
}

static int make(const struct making *making)
{
	int status = make_image(making);

	if (status != CLI_OK)
		return status;
	status = try(making, false);
	if (status == CLI_OK)
		status = write_profile(making);
	if (status != CLI_OK && is_made(making))
		(void)unlink(making->image);
	return status;
}

/* --- what is said of it --- */

static void put_json(const struct making *making, bool made)
{
	json_t *object = json_pack("{s:o, s:o, s:o, s:o}", "guest",
				   message_text(making->guest.name), "profile",
				   message_text(making->profile), "image",
				   message_text(making->guest.image), "format",
				   message_text(making->guest.image ? making->guest.format : NULL));

	if (!made)
		json_object_set_new(object, "text", message_text(making->words.text));
	output_json(object);
	json_decref(object);
}

static void put_next(const struct making *making, bool deck)
{
	const char *name = making->guest.name;

	plain_print(stdout, "%-10s %s\n", "profile", making->profile);
	if (making->guest.image)
		plain_print(stdout, "%-10s %s (%s)\n", "disk", making->guest.image,
			    making->guest.format);
	if (is_given(making, "ssh-key") || is_given(making, "password-file"))
		plain_print(stdout, "%-10s %sby ssh; vmdeck show %s has the line once it runs\n",
			    "login", is_given(making, "password-file") ? "on its console and " : "",
			    name);
	if (deck)
		plain_print(stdout, "%-10s vmdeck start %s, then vmdeck console %s; or s and c in the "
				    "screen\n", "next", name, name);
	else
		plain_print(stdout, "%-10s vmdeck, where s starts it and c shows its console\n",
			    "next");
}

/* Whether a deck runs, which then has the guest. */
static bool tell_deck(const struct making *making)
{
	json_t *result = session_try(making->cli, "deck.reload");

	json_decref(result);
	return result;
}

static int prepare(struct making *making)
{
	int (*const steps[])(struct making *making) = { take_size, take_name, take_image, take_from };
	int status = check_options(making);

	for (size_t i = 0; status == CLI_OK && i < ARRAY_SIZE(steps); i++)
		status = steps[i](making);
	if (status == CLI_OK)
		status = check_names(making);
	if (status == CLI_OK)
		status = new_profile_make(&making->words, making->cli, &making->guest);
	return status == CLI_OK ? try(making, true) : status;
}

int new_main(struct cli *cli)
{
	static struct making making;
	bool dry = option_given(cli, "dry-run"), deck = false;
	int status;

	making.cli = cli;
	making.guest.name = cli->argv[0];
	making.overlay = option_given(cli, "overlay");
	status = prepare(&making);
	if (status == CLI_OK && !dry)
		status = make(&making);
	if (status != CLI_OK)
		return status;
	if (!dry)
		deck = tell_deck(&making);
	if (cli->json)
		put_json(&making, !dry);
	else if (dry)
		plain_lines(stdout, making.words.text);
	else
		put_next(&making, deck);
	return CLI_OK;
}
