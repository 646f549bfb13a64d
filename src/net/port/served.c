/* See served.h. */
#include "net/port/served.h"

#include "base/clock.h"

#define RETRY_INTERVAL NS_PER_MS

static const struct net_port_ops port_ops = {
	.deliver = inbox_deliver,
	.flush = inbox_flush,
	.greet = inbox_greet_sender,
	.forget = inbox_forget_sender,
};

void served_flush(struct served *served)
{
	struct net_port *net_port = inbox_port(&served->inbox);

	burst_flush(&served->uplink->burst, &served->inbox);
	if (net_port && switch_waits(net_port) && !served->retry.armed)
		loop_timer_set(&served->uplink->loop, &served->retry, RETRY_INTERVAL);
}

/* A guest's driver, above all a firmware's, may have a handful of buffers and be slow. */
static void retry(void *arg)
{
	struct served *served = arg;
	struct net_port *net_port = inbox_port(&served->inbox);

	if (net_port && switch_retry(net_port))
		loop_timer_set(&served->uplink->loop, &served->retry, RETRY_INTERVAL);
}

int served_init(struct served *served, struct uplink *uplink, const struct inbox_ops *ops,
		void *owner)
{
	served->uplink = uplink;
	served->net_port = NULL;
	served->retry = (struct loop_timer){ .fire = retry, .arg = served };
	return inbox_init(&served->inbox, &uplink->loop, ops, owner);
}

int served_plug_in(struct served *served, struct net_switch *sw,
		   const struct net_port_config *config, const struct net_port_ops *ops,
		   void *backend, struct cause *cause)
{
	struct net_port_config kept = *config;
	int error;

	kept.keeps_backlog = true;
	error = switch_port_add(&served->net_port, sw, &kept, ops ? ops : &port_ops,
				ops ? backend : &served->inbox, cause);
	if (!error)
		inbox_open(&served->inbox, served->net_port);
	return error;
}

static void forget(void *arg)
{
	struct served *served = arg;

	inbox_forget(&served->inbox);
}

void served_unplug(struct served *served)
{
	if (!served->net_port)
		return;
	switch_port_remove(served->net_port);
	served->net_port = NULL;
	uplink_call(served->uplink, forget, served);
}

void served_destroy(struct served *served)
{
	inbox_destroy(&served->inbox);
}

void served_close(struct served *served)
{
	inbox_close(&served->inbox);
	loop_timer_cancel(&served->uplink->loop, &served->retry);
	served_flush(served); /* what there was to say is dropped */
}
