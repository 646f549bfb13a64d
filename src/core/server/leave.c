/* Leaving the deck: who ends it, and when. Deck thread. */
#include "core/server/leave.h"

#include "control/endpoint.h"

static bool is_alive(const struct guest *guest)
{
	return guest_state_in(guest_get_state(guest), GUEST_ALIVE);
}

static void deck_ended(void *arg)
{
	struct leave *leave = arg;

	if (leave->quit)
		leave->quit(leave->quit_arg);
}

void leave_end(struct leave *leave, bool force)
{
	/* A shutdown is under way, and somebody may have no more patience. */
	if (leave->quitting && !force)
		return;
	leave->quitting = true;
	deck_end(leave->deck, force, deck_ended, leave);
}

static bool is_only_client(const struct leave *leave, pid_t client)
{
	const struct peer *peer;
	pid_t pid;

	for (peer = leave->peers->first; peer; peer = peer->next)
		if (endpoint_check_peer(peer->fd, &pid, NULL) < 0 || pid != client)
			return false;
	return true;
}

bool leave_client(struct leave *leave, pid_t client)
{
	struct guest *guest;

	for (size_t i = 0; (guest = deck_guest(leave->deck, i)); i++)
		if (is_alive(guest))
			return false;
	if (leave->kept)
		return false;
	leave->left = true;
	if (!is_only_client(leave, client))
		return false;
	leave_end(leave, true);
	return true;
}

static void last_peer_went(void *arg)
{
	struct leave *leave = arg;

	if (leave->left && !leave->peers->first)
		leave_client(leave, 0);
}

/* Later, as the deck may end and with it the server, in which a connection is being closed. */
void leave_last_closed(struct leave *leave)
{
	if (leave->left)
		loop_post(deck_loop(leave->deck), &leave->last_peer);
}

void leave_revoke(struct leave *leave)
{
	leave->left = false;
}

void leave_init(struct leave *leave, struct deck *deck, const struct peers *peers)
{
	leave->deck = deck;
	leave->peers = peers;
	leave->last_peer = (struct loop_task){ .run = last_peer_went, .arg = leave };
}

void leave_destroy(struct leave *leave)
{
	loop_unpost(deck_loop(leave->deck), &leave->last_peer);
}
