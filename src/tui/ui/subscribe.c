/* Subscriptions. Screen thread. */
#include "tui/ui/subscribe.h"

#include <stdio.h>
#include <string.h>

#include "tui/model/json.h"

#define METHOD_MAX 64

static void cancel(struct subscription *subscription)
{
	char method[METHOD_MAX];

	if (!subscription->id)
		return;
	snprintf(method, sizeof(method), "%s.cancel", subscription->name);
	tui_call(subscription->deck, method,
		 json_pack("{s:I}", "subscription", subscription->id), NULL, NULL);
	subscription->id = 0;
}

static void answered(void *arg, json_t *result, const struct client_error *error)
{
	struct subscription *subscription = arg;
	json_t *next;

	subscription->asked = false;
	if (!error)
		subscription->id = json_integer_value(json_object_get(result, "subscription"));
	subscription->answered(subscription->arg, result, error);
	next = subscription->next;
	subscription->next = NULL;
	if (next)
		subscription_start(subscription, next);
	else if (subscription->stopped)
		cancel(subscription);
}

void subscription_start(struct subscription *subscription, json_t *params)
{
	char method[METHOD_MAX];

	subscription->stopped = false;
	if (subscription->asked) {
		json_decref(subscription->next);
		subscription->next = params;
		return;
	}
	cancel(subscription);
	snprintf(method, sizeof(method), "%s.subscribe", subscription->name);
	subscription->asked = tui_call(subscription->deck, method, params, answered, subscription);
}

void subscription_stop(struct subscription *subscription)
{
	json_decref(subscription->next);
	subscription->next = NULL;
	subscription->stopped = subscription->asked;
	cancel(subscription);
}

void subscription_add(struct subscription *subscription)
{
	subscription->behind = subscription->deck->subscriptions;
	subscription->deck->subscriptions = subscription;
}

void subscription_destroy(struct subscription *subscription)
{
	json_decref(subscription->next);
	subscription->next = NULL;
}

void subscriptions_notified(struct tui_deck *deck, const char *method, const json_t *params)
{
	json_int_t id = json_integer_value(json_object_get(params, "subscription"));
	struct subscription *at = deck->subscriptions;

	while (at && (strcmp(at->name, method) != 0 || !at->id || at->id != id))
		at = at->behind;
	if (at)
		at->notified(at->arg, params);
}
