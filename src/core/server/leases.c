/* See leases.h. They are sorted, as a list of guests asks for each card. */
#include "core/server/leases.h"

#include <stdlib.h>
#include <string.h>

#include "core/profile/profile.h"
#include "net/network.h"

/* Of one switch. */
struct leases {
	const char *name;
	struct dhcp_lease_info *list;
	size_t count;
	struct leases *next;
};

static int compare(const void *one, const void *other)
{
	const struct dhcp_lease_info *a = one, *b = other;

	return memcmp(a->mac, b->mac, NET_MAC_SIZE);
}

/* What is kept for a card that has not asked since it is there, or is another's, is no address. */
static size_t keep_those_of_cards(struct dhcp_lease_info *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (list[i].card)
			list[kept++] = list[i];
	return kept;
}

/* *next is what there is already; NULL, too, where the switch has given none. */
static struct leases *take(struct net_switch *sw, struct leases *next)
{
	size_t room = switch_list_leases(sw, NULL, 0), count;
	struct leases *leases = room ? calloc(1, sizeof(*leases)) : NULL;

	if (!leases)
		return next;
	leases->list = calloc(room, sizeof(*leases->list));
	count = leases->list ? switch_list_leases(sw, leases->list, room) : 0;
	leases->count = keep_those_of_cards(leases->list, count < room ? count : room);
	if (leases->count)
		qsort(leases->list, leases->count, sizeof(*leases->list), compare);
	leases->name = switch_get_config(sw)->name;
	leases->next = next;
	return leases;
}

struct leases *leases_take(struct network *network)
{
	size_t room = network_list_switches(network, NULL, 0), count;
	struct net_switch **switches = calloc(room + 1, sizeof(struct net_switch *));
	struct leases *leases = NULL;

	if (!switches)
		return NULL;
	count = network_list_switches(network, switches, room);
	for (size_t i = 0; i < count && i < room; i++)
		leases = take(switches[i], leases);
	free(switches);
	return leases;
}

void leases_free(struct leases *leases)
{
	while (leases) {
		struct leases *next = leases->next;

		free(leases->list);
		free(leases);
		leases = next;
	}
}

uint32_t leases_find(const struct leases *leases, const struct profile_net *net)
{
	const struct dhcp_lease_info *found;
	struct dhcp_lease_info wanted;

	while (leases && strcmp(leases->name, net->switch_name))
		leases = leases->next;
	if (!leases || !leases->count)
		return 0;
	memcpy(wanted.mac, net->mac, NET_MAC_SIZE);
	found = bsearch(&wanted, leases->list, leases->count, sizeof(wanted), compare);
	return found ? found->address : 0;
}
