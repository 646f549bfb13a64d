/* See insertion.h. */
#include "core/deck/insertion.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/names.h"
#include "core/disk/disk.h"

struct insertion {
	struct disk_config config;
	char guest[NAME_SIZE];
	bool force;
	unsigned wish; /* see guest_wants() */
	struct disk *medium; /* NULL before it is open, or error and cause say why */
	int error;
	struct cause cause;
	char path[];
};

int insertion_new(struct insertion **out, struct guest *guest, const char *device,
		  const char *path, bool force, struct cause *cause)
{
	struct insertion *insertion = calloc(1, sizeof(*insertion) + strlen(path) + 1);
	int err;

	if (!insertion)
		return cause_errno(cause, ENOMEM, "%s: %s", guest_name(guest), device);
	err = guest_describe_medium(guest, device, &insertion->config, &insertion->wish, cause);
	if (err) {
		free(insertion);
		return err;
	}
	snprintf(insertion->guest, sizeof(insertion->guest), "%s", guest_name(guest));
	insertion->config.guest = insertion->guest;
	insertion->config.path = strcpy(insertion->path, path);
	insertion->force = force;
	*out = insertion;
	return 0;
}

void insertion_open(struct insertion *insertion)
{
	insertion->error = disk_prepare(&insertion->medium, &insertion->config, &insertion->cause);
}

int insertion_finish(struct insertion *insertion, struct deck *deck, struct cause *cause)
{
	struct guest *guest = deck_find(deck, insertion->guest);

	if (insertion->error)
		return cause_set(cause, -insertion->error, "%s: %s", insertion->guest,
				 insertion->cause.text);
	if (!guest)
		return cause_set(cause, ENOENT, "%s: the guest is gone", insertion->guest);
	if (!guest_wants(guest, insertion->config.name, insertion->wish))
		return cause_set(cause, ECANCELED, "%s: %s: something else was ordered while %s was "
				 "being opened", insertion->guest, insertion->config.name,
				 insertion->path);
	return guest_exchange(guest, insertion->config.name, &insertion->medium, insertion->force,
			      cause);
}

void insertion_free(struct insertion *insertion)
{
	disk_close(insertion->medium);
	free(insertion);
}
