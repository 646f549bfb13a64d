/* See nat_forward.h. */
#include "net/port/nat_forward.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define AGAIN_NS (5 * NS_PER_S)

static void unlisten(struct nat_forwarder *forwarder)
{
	struct nat_stack *stack = nat_host_stack(forwarder->host, forwarder->slot);
	const struct net_forwards *forwards = &forwarder->wanted.forwards;

	/* Another stack's sockets are not ours: they were closed with the stack. */
	if (stack && forwarder->stack == nat_stack_number(stack))
		for (uint32_t i = 0; i < forwards->count; i++)
			if (forwarder->errors[i] == 0)
				nat_stack_unlisten(stack, &forwards->list[i]);
	forwarder->stack = 0;
	for (uint32_t i = 0; i < NET_FORWARDS_MAX; i++)
		forwarder->errors[i] = -1;
	loop_timer_cancel(forwarder->host->loop, &forwarder->again);
}

/* Those that do not listen yet. */
static void listen_to(struct nat_forwarder *forwarder, struct nat_stack *stack)
{
	const struct net_forwards *forwards = &forwarder->wanted.forwards;
	bool failed = false;

	for (uint32_t i = 0; i < forwards->count; i++) {
		int error;

		if (forwarder->errors[i] == 0)
			continue;
		error = -nat_stack_listen(stack, &forwards->list[i], forwarder->address);
		if (error != forwarder->errors[i])
			forwarder->say(forwarder->arg, forwarder->slot, i, error);
		forwarder->errors[i] = error;
		failed |= error != 0;
	}
	if (failed)
		loop_timer_set(forwarder->host->loop, &forwarder->again, AGAIN_NS);
}

static void again(void *arg)
{
	struct nat_forwarder *forwarder = arg;
	struct nat_stack *stack = nat_host_stack(forwarder->host, forwarder->slot);

	if (!stack || forwarder->stack != nat_stack_number(stack))
		return;
	listen_to(forwarder, stack);
	forwarder->host->ops->due(forwarder->host->arg);
}

void nat_forward_look(struct nat_forwarder *forwarder)
{
	struct nat_stack *stack = nat_host_stack(forwarder->host, forwarder->slot);
	uint32_t address = forwarder->wanted.address;

	if (!stack)
		return;
	if (forwarder->stack == nat_stack_number(stack)) {
		/* What the guest uses is taken once: it may have several. */
		if (!address || address == forwarder->address)
			return;
	} else if (!address) {
		address = nat_stack_address(stack);
		if (!address)
			return;
	}
	unlisten(forwarder);
	forwarder->stack = nat_stack_number(stack);
	forwarder->address = address;
	listen_to(forwarder, stack);
}

void nat_forward_set(struct nat_forwarder **out, struct nat_host *host, uint32_t slot,
		     const struct nat_forwards *wanted, nat_forward_say *say, void *arg)
{
	struct nat_forwarder *forwarder = *out ? *out : calloc(1, sizeof(*forwarder));
	bool leased;

	if (!forwarder)
		return;
	leased = wanted->address && wanted->address != forwarder->wanted.address;
	if (!*out) {
		forwarder->host = host;
		forwarder->slot = slot;
		forwarder->say = say;
		forwarder->arg = arg;
		forwarder->again = (struct loop_timer){ .fire = again, .arg = forwarder };
		forwarder->wanted = *wanted;
		unlisten(forwarder);
		*out = forwarder;
	} else if (memcmp(&forwarder->wanted.forwards, &wanted->forwards,
			  sizeof(wanted->forwards)) != 0) {
		unlisten(forwarder);
	}
	forwarder->wanted = *wanted;
	/* One that was just given an address has had no other connections; it may never send. */
	if (leased)
		nat_host_stack_new(host, slot);
	nat_forward_look(forwarder);
}

void nat_forward_free(struct nat_forwarder **out)
{
	if (!*out)
		return;
	unlisten(*out);
	free(*out);
	*out = NULL;
}
