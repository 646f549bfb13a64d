/* clone, rename, delete: what becomes of the profile of a guest, as a file. */
#include "cli/commands.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/plain.h"
#include "base/suggest.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/session.h"
#include "control/names.h"
#include "control/profile_file.h"
#include "control/states.h"

/* A guest as the deck lists it, or NULL: no deck runs, or knows of it. The list is in *result. */
static const json_t *find_listed(const struct cli *cli, json_t **result)
{
	json_t *guest;
	size_t i;

	*result = session_try(cli, "guest.list");
	json_array_foreach(json_object_get(*result, "guests"), i,
			   guest) if (strcmp(text_of(guest, "name", ""), cli->argv[0]) ==
				      0) return guest;
	return NULL;
}

/* In the folder of profiles, where no deck says where it is. */
static int find_file(const struct cli *cli, char path[PATH_MAX])
{
	char folder[PATH_MAX];
	struct cause cause;

	if (!name_valid(cli->argv[0]))
		return fail("'%s' is no name; use " NAME_RULE, cli->argv[0]);
	if (paths_profiles(folder, "guests", &cause) < 0)
		return fail("%s", cause.text);
	if (snprintf(path, PATH_MAX, "%s/%s" NAME_FILE_SUFFIX, folder, cli->argv[0]) >= PATH_MAX)
		return fail("%s: the path is too long", folder);
	if (access(path, F_OK) < 0)
		return fail("guest '%s': there is none, nor %s", cli->argv[0], path);
	return CLI_OK;
}

/* The path of a guest's profile; idle: of one that does not run. CLI_OK, or after a message. */
static int find_profile(const struct cli *cli, bool idle, char path[PATH_MAX])
{
	json_t *result;
	const json_t *guest = find_listed(cli, &result);
	const char *listed = text_of(guest, "profile", "");
	int status = CLI_OK;

	if (!guest)
		status = find_file(cli, path);
	else if (!*listed)
		status = fail("%s is built in, and has no profile", cli->argv[0]);
	else if (idle && guest_state_in(guest_state_find(text_of(guest, "state", "")), GUEST_ALIVE))
		status = fail("%s runs; 'vmdeck stop --wait %s' shuts it down first", cli->argv[0],
			      cli->argv[0]);
	else if (snprintf(path, PATH_MAX, "%s", listed) >= PATH_MAX)
		status = fail("%s: the path is too long", listed);
	json_decref(result);
	return status;
}

static int make(struct cli *cli, bool idle,
		int (*act)(const char *path, const char *name, char out[PATH_MAX],
			   struct cause *cause))
{
	char path[PATH_MAX], out[PATH_MAX];
	struct cause cause;
	int status = find_profile(cli, idle, path);

	if (status)
		return status;
	if (act(path, cli->argv[1], out, &cause) < 0)
		return fail("%s", cause.text);
	plain_print(stdout, "%s\n", out);
	return CLI_OK;
}

int clone_main(struct cli *cli)
{
	return make(cli, false, profile_file_copy);
}

int rename_main(struct cli *cli)
{
	return make(cli, true, profile_file_rename);
}

int delete_main(struct cli *cli)
{
	char path[PATH_MAX];
	struct cause cause;
	int status = find_profile(cli, true, path);

	if (status)
		return status;
	return profile_file_remove(path, &cause) < 0 ? fail("%s", cause.text) : CLI_OK;
}
