/* balloon: how much of its memory a guest is left with. */
#include "cli/commands.h"

#include "base/units.h"
#include "cli/fail.h"
#include "cli/session.h"
#include "control/message_text.h"

/* Gives a device of a guest another size. */
static int resize(struct cli *cli, const char *guest, const char *device, const char *size)
{
	json_t *result;
	uint64_t bytes;

	if (text_take_size(size, &bytes) < 0 || bytes > INT64_MAX)
		return usage_error(cli->command, "'%s' is not a size; write 512M or 2G", size);
	result = session_ask(cli, "guest.resize",
			     json_pack("{s:o, s:o, s:I}", "guest", message_text(guest), "device",
				       message_text(device), "size", (json_int_t)bytes));
	json_decref(result);
	return result ? CLI_OK : CLI_FAILED;
}

int balloon_main(struct cli *cli)
{
	return resize(cli, cli->argv[0], "balloon", cli->argv[1]);
}
