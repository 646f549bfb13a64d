/* See resizing.h. */
#include "core/deck/resizing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/names.h"
#include "core/bus/device.h"
#include "core/disk/disk.h"

struct resizing {
	char guest[NAME_SIZE], device[DEVICE_NAME_MAX];
	struct device_size size;
	int error; /* of the file; then cause says why */
	struct cause cause;
};

int resizing_new(struct resizing **out, struct guest *guest, const char *device, uint64_t bytes,
		 struct cause *cause)
{
	struct device_size size = { .bytes = bytes };
	struct resizing *resizing;
	int err = guest_resize(guest, device, &size, cause);

	*out = NULL;
	if (err || !size.growth)
		return err;
	resizing = calloc(1, sizeof(*resizing));
	if (!resizing) {
		disk_growth_free(size.growth);
		return cause_errno(cause, ENOMEM, "%s: %s", guest_name(guest), device);
	}
	snprintf(resizing->guest, sizeof(resizing->guest), "%s", guest_name(guest));
	snprintf(resizing->device, sizeof(resizing->device), "%s", device);
	resizing->size = size;
	*out = resizing;
	return 0;
}

void resizing_run(struct resizing *resizing)
{
	resizing->error = disk_growth_run(resizing->size.growth, &resizing->cause);
}

int resizing_finish(struct resizing *resizing, struct deck *deck, struct cause *cause)
{
	struct guest *guest = deck_find(deck, resizing->guest);

	if (resizing->error)
		return cause_set(cause, -resizing->error, "%s: %s: %s", resizing->guest,
				 resizing->device, resizing->cause.text);
	if (!guest || !guest_state_in(guest_get_state(guest), GUEST_ALIVE))
		return 0;
	return guest_resize(guest, resizing->device, &resizing->size, cause);
}

void resizing_free(struct resizing *resizing)
{
	disk_growth_free(resizing->size.growth);
	free(resizing);
}
