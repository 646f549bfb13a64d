/* eject, insert: the media of guests' CD-ROM drives. */
#include "cli/commands.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/paths.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/session.h"
#include "control/message_text.h"
#include "control/names.h"

/* Place of the option in the commands' rows. */
enum { MEDIA_FORCE };

/* The only drive of a guest, for who names none. */
static bool find_drive(struct link *link, const char *guest, char drive[NAME_SIZE])
{
	json_t *shown = session_call(link, "guest.show",
				     json_pack("{s:o}", "guest", message_text(guest)));
	unsigned count = 0;
	json_t *disk;
	size_t i;

	if (!shown)
		return false;
	json_array_foreach(json_object_get(shown, "disks"), i, disk)
		if (json_is_true(json_object_get(disk, "cdrom")) && !count++)
			snprintf(drive, NAME_SIZE, "%s", text_of(disk, "name", ""));
	json_decref(shown);
	if (count > 1)
		fail("%s: it has %u CD-ROM drives; say which, such as %s/%s", guest, count, guest,
		     drive);
	else if (!count)
		fail("%s: it has no CD-ROM drive; a disk with cdrom=yes in its profile is one",
		     guest);
	return count == 1;
}

/* path: NULL takes the medium out. */
static bool exchange(const struct cli *cli, struct link *link, const char *path)
{
	char guest[NAME_SIZE], drive[NAME_SIZE] = "";
	const char *word = cli->argv[0], *slash = strchrnul(word, '/');
	json_t *params, *result;

	if (slash - word >= NAME_SIZE || strlen(slash) > NAME_SIZE) {
		fail("'%s' is no drive of a guest; write one such as web/disk1", word);
		return false;
	}
	snprintf(guest, sizeof(guest), "%.*s", (int)(slash - word), word);
	if (*slash)
		snprintf(drive, sizeof(drive), "%s", slash + 1);
	else if (!find_drive(link, guest, drive))
		return false;
	params = json_pack("{s:o, s:o, s:b}", "guest", message_text(guest), "device",
			   message_text(drive), "force", cli->values[MEDIA_FORCE].set);
	if (path)
		json_object_set_new(params, "path", message_text(path));
	result = session_call(link, path ? "guest.insert" : "guest.eject", params);
	json_decref(result);
	return result;
}

static int run(struct cli *cli, const char *path)
{
	struct link *link = session_open(cli);
	bool done = link && exchange(cli, link, path);

	link_free(link);
	return done ? CLI_OK : CLI_FAILED;
}

int eject_main(struct cli *cli)
{
	return run(cli, NULL);
}

int insert_main(struct cli *cli)
{
	char path[PATH_MAX];
	struct cause cause;

	if (paths_typed(path, cli->argv[1], &cause) < 0)
		return fail("%s", cause.text);
	return run(cli, path);
}
