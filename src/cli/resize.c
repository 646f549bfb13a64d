/* balloon: how much of its memory a guest is left with. */
#include "cli/commands.h"

#include "base/units.h"
#include "cli/fail.h"
#include "cli/requests.h"
#include "control/message_text.h"

/* Gives a device of a guest another size. */
static int resize(struct cli *cli, const char *guest, const char *device, const char *size)
{
	uint64_t bytes;

	if (text_take_size(size, &bytes) < 0 || bytes > INT64_MAX)
		return usage_error(cli->command, "'%s' is not a size; write 512M or 2G", size);
	request_add(cli, METHOD_GUEST_RESIZE,
		    json_pack("{s:o, s:o, s:I}", "guest", message_text(guest), "device",
			      message_text(device), "size", (json_int_t)bytes));
	return CLI_OK;
}

int balloon_requests(struct cli *cli)
{
	return resize(cli, cli->argv[0], "balloon", cli->argv[1]);
}
