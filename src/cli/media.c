/* eject, insert: the media of guests' CD-ROM drives. */
#include "cli/commands.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/paths.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/requests.h"
#include "control/message_text.h"
#include "control/names.h"

/* Place of the option in the commands' rows. */
enum { MEDIA_FORCE };

/* The only drive of a guest, for who names none. */
static bool find_drive(struct cli *cli, const char *guest, char drive[NAME_SIZE])
{
	unsigned count = 0;
	json_t *shown;
	json_t *disk;
	size_t i;

	if (!cli->look) {
		fail("which drive of %s is meant only its deck knows; say which, such as %s/disk1",
		     guest, guest);
		return false;
	}
	shown = cli->look(cli, "guest.show", json_pack("{s:o}", "guest", message_text(guest)));
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
static int exchange(struct cli *cli, const char *path)
{
	char guest[NAME_SIZE], drive[NAME_SIZE] = "";
	const char *word = cli->argv[0], *slash = strchrnul(word, '/');
	json_t *params;

	if (slash - word >= NAME_SIZE || strlen(slash) > NAME_SIZE)
		return fail("'%s' is no drive of a guest; write one such as web/disk1", word);
	snprintf(guest, sizeof(guest), "%.*s", (int)(slash - word), word);
	if (*slash)
		snprintf(drive, sizeof(drive), "%s", slash + 1);
	else if (!find_drive(cli, guest, drive))
		return CLI_FAILED;
	params = json_pack("{s:o, s:o, s:b}", "guest", message_text(guest), "device",
			   message_text(drive), "force", cli->values[MEDIA_FORCE].set);
	if (path)
		json_object_set_new(params, "path", message_text(path));
	request_add(cli, path ? METHOD_GUEST_INSERT : METHOD_GUEST_EJECT, params);
	return CLI_OK;
}

int eject_requests(struct cli *cli)
{
	return exchange(cli, NULL);
}

int insert_requests(struct cli *cli)
{
	char path[PATH_MAX];
	struct cause cause;

	if (paths_typed(path, cli->argv[1], &cause) < 0)
		return fail("%s", cause.text);
	return exchange(cli, path);
}
