/* Mistakes of profiles beyond their reading. Screen thread. */
#include "tui/ui/mistakes.h"

#include <string.h>

#include "base/clock.h"
#include "control/message_text.h"
#include "tui/model/json.h"

#define AGAIN_NS (60 * NS_PER_S)

static void found(void *arg, json_t *result, const struct client_error *error)
{
	struct tui_deck *deck = arg;
	json_t *list = json_object_get(result, "mistakes");

	deck->looking = false;
	if (error || !json_is_array(list))
		return;
	json_decref(deck->mistakes);
	deck->mistakes = json_incref(list);
	tui_dirty(deck->tui);
}

/* Whether what is known is about that guest, as it was last listed or before. */
static bool is_about(const struct tui_deck *deck, const struct tui_guest *guest)
{
	return strcmp(json_text(deck->looked_at, "name"), guest->name) == 0;
}

void mistakes_look(struct tui_deck *deck, const struct tui_guest *guest)
{
	const char *path = guest ? json_text(guest->json, "profile") : "";
	uint64_t now = clock_monotonic();

	/* A path that the deck looks at is an order to it. */
	if (!*path || deck->looking || deck->config->read_only || guest_state_in(guest->state, GUEST_ALIVE) ||
	    (guest->json == deck->looked_at && now - deck->looked < AGAIN_NS))
		return;
	deck->looked = now;
	if (!is_about(deck, guest)) {
		json_decref(deck->mistakes);
		deck->mistakes = NULL;
	}
	json_decref(deck->looked_at);
	deck->looked_at = json_incref(guest->json);
	deck->looking = tui_call(deck, "profile.check", json_pack("{s:o}", "path",
				 message_text(path)), found, deck);
}

const json_t *mistakes_of(const struct tui_deck *deck, const struct tui_guest *guest)
{
	const json_t *known = json_object_get(guest->json, "mistakes");

	return is_about(deck, guest) && json_array_size(deck->mistakes) >= json_array_size(known) &&
	       !guest_state_in(guest->state, GUEST_ALIVE) ? deck->mistakes : known;
}

void mistakes_forget(struct tui_deck *deck)
{
	json_decref(deck->mistakes);
	json_decref(deck->looked_at);
	deck->mistakes = deck->looked_at = NULL;
}
