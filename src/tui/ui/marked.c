/* An order to all guests that are marked. Screen thread. */
#include "tui/ui/marked.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sentence.h"
#include "control/message_text.h"
#include "control/methods.h"
#include "tui/ui/orders.h"

#define NAMED_MOST 4   /* guests in a list of a sentence */
#define REASONS_MOST 3 /* of refusals */

/* A guest, and what is ordered of it; the method is NULL for one that is in no state for it. */
struct marked_guest {
	struct marked *marked;
	char name[128];
	const struct method *method;
	char *refusal;
};

/* An order, from its question until all guests have answered. */
struct marked {
	struct marked *next; /* in the deck's list */
	struct tui_deck *deck;
	const struct method *method; /* as it is called, of all of them */
	bool asking;		     /* not given yet */
	size_t waiting;		     /* answers */
	char choices[2][64];	     /* of the question */
	size_t count;
	struct marked_guest guests[];
};

static void release(struct marked *marked)
{
	struct marked **at = &marked->deck->marked;

	while (*at != marked)
		at = &(*at)->next;
	*at = marked->next;
	for (size_t i = 0; i < marked->count; i++)
		free(marked->guests[i].refusal);
	free(marked);
}

void marked_forget(struct tui_deck *deck)
{
	while (deck->marked)
		release(deck->marked);
}

/* A question whose answer never came was taken off by another. */
static void forget_questions(struct tui_deck *deck)
{
	struct marked *at = deck->marked, *next;

	for (; at; at = next) {
		next = at->next;
		if (at->asking)
			release(at);
	}
}

/* --- sentences --- */

static bool is_ordered(const struct marked_guest *guest)
{
	return guest->method && !guest->refusal;
}

static bool is_left(const struct marked_guest *guest)
{
	return !guest->method;
}

/* "db, web, lab and 4 more", of those that are meant. Returns how many there are. */
static size_t add_names(const struct marked *marked,
			bool (*meant)(const struct marked_guest *guest), char *out, size_t size)
{
	size_t count = 0, named = 0, most;

	for (size_t i = 0; i < marked->count; i++)
		count += meant(&marked->guests[i]);
	most = count == NAMED_MOST + 1 ? count : NAMED_MOST; /* a name is as short as "1 more" */
	for (size_t i = 0; i < marked->count && named < most; i++) {
		if (!meant(&marked->guests[i]))
			continue;
		named++;
		sentence_add(out, size, strlen(out), "%s%s", named == 1 ? "" :
			     named == count ? " and " : ", ", marked->guests[i].name);
	}
	if (count > named)
		sentence_add(out, size, strlen(out), " and %zu more", count - named);
	return count;
}

/* "web: no such disk; lab: ...". The server's words may begin with the name. */
static void add_refusals(const struct marked *marked, char *out, size_t size)
{
	size_t told = 0;

	for (size_t i = 0; i < marked->count; i++) {
		const struct marked_guest *guest = &marked->guests[i];
		size_t n = strlen(guest->name);

		if (!guest->refusal)
			continue;
		sentence_add(out, size, strlen(out), "%s", told ? "; " : "");
		if (told++ >= REASONS_MOST)
			sentence_add(out, size, strlen(out), "%s", guest->name);
		else if (strncmp(guest->refusal, guest->name, n) == 0 &&
			 strchr(": ", guest->refusal[n]))
			sentence_add(out, size, strlen(out), "%s", guest->refusal);
		else
			sentence_add(out, size, strlen(out), "%s: %s", guest->name,
				     guest->refusal);
	}
}

static void say_result(const struct marked *marked)
{
	char text[1800], names[640] = "", left[640] = "", refusals[1000] = "";
	const char *given = marked->method->order->given;

	*text = '\0';
	add_refusals(marked, refusals, sizeof(refusals));
	if (*refusals)
		sentence_add(text, sizeof(text), 0, "Refused: %s. ", refusals);
	if (add_names(marked, is_ordered, names, sizeof(names)))
		sentence_add(text, sizeof(text), strlen(text), "%c%s: %s. ",
			     toupper((unsigned char)*given), given + 1, names);
	if (add_names(marked, is_left, left, sizeof(left)))
		sentence_add(text, sizeof(text), strlen(text), "Left as %s: %s.",
			     strstr(left, " and ") ? "they are" : "it is", left);
	text[strlen(text) - (text[strlen(text) - 1] == ' ')] = '\0';
	tui_say(marked->deck->tui, *refusals ? SEVERITY_ERROR : SEVERITY_GOOD, NULL, "%s", text);
}

/* --- giving --- */

static void answered(void *arg, json_t *result, const struct client_error *error)
{
	struct marked_guest *guest = arg;
	struct marked *marked = guest->marked;

	(void)result;
	if (error)
		guest->refusal = strdup(*error->message ? error->message : "without a reason");
	if (--marked->waiting)
		return;
	/* Without a code the connection was lost, which ends the screen. */
	if (!error || error->code)
		say_result(marked);
	release(marked);
}

static void give(struct marked *marked)
{
	marked->asking = false;
	marked->waiting = 1; /* until all are asked */
	for (size_t i = 0; i < marked->count; i++) {
		struct marked_guest *guest = &marked->guests[i];

		if (!guest->method)
			continue;
		marked->waiting++;
		if (!tui_call(marked->deck, guest->method->name,
			      json_pack("{s:o}", "guest", message_text(guest->name)), answered,
			      guest)) {
			guest->refusal = strdup("it could not be asked");
			marked->waiting--;
		}
	}
	if (--marked->waiting == 0)
		release(marked);
}

static void confirmed(void *arg, int choice, const char *text)
{
	struct marked *marked = arg;

	(void)text;
	if (choice)
		give(marked);
	else
		release(marked);
}

/* "force it off": "Force db and web off? They lose ...", "y: force them off". */
static void ask(struct marked *marked)
{
	const char *what = marked->method->order->confirm, *it = strstr(what, " it");
	struct tui *tui = marked->deck->tui;
	char names[560] = "", left[160] = "";
	size_t rest;

	marked->asking = true;
	add_names(marked, is_ordered, names, sizeof(names));
	rest = add_names(marked, is_left, left, sizeof(left));
	if (rest)
		snprintf(left, sizeof(left), " %zu that %s marked, too, %s not in a state for it.",
			 rest, rest > 1 ? "are" : "is", rest > 1 ? "are" : "is");
	snprintf(marked->choices[0], sizeof(marked->choices[0]), "%.*s them%s", (int)(it - what),
		 what, it + strlen(" it"));
	tui->asked_choices[0] = (struct choice){ 'y', marked->choices[0] };
	tui->asked_choices[1] = (struct choice){ 0, "leave them as they are" };
	prompt_ask(&tui->prompt, tui->asked_choices, confirmed, marked, "%c%.*s %s%s?%s%s",
		   toupper((unsigned char)*what), (int)(it - what) - 1, what + 1, names,
		   it + strlen(" it"), marked->method->order->loses ?
		   " They lose what they have not written to their disks yet." : "", left);
}

/* --- collecting --- */

static bool is_legal(const struct tui_guest *guest, const struct method *method)
{
	return method && guest_state_in(order_state(guest), method->states);
}

/* Whether a marked guest may have that done to it. */
static bool some_legal(const struct model *model, const struct method *method)
{
	for (size_t i = 0; i < model->guest_count; i++)
		if (model->guests[i]->marked && is_legal(model->guests[i], method))
			return true;
	return false;
}

/*
 * A key for both pauses where it can, and else lets all go on; what starts has guests that are
 * paused go on as well.
 */
static void collect(struct marked *marked, const struct model *model, const struct method *method)
{
	const struct method *other = method->order->counterpart ?
		&method_table[method->order->counterpart] : NULL;
	bool legal = some_legal(model, method);

	marked->method = legal || !other ? method : other;
	if (legal && method != &method_table[METHOD_GUEST_START])
		other = NULL;
	for (size_t i = 0; i < model->guest_count; i++) {
		const struct tui_guest *guest = model->guests[i];
		struct marked_guest *one = &marked->guests[marked->count];

		if (!guest->marked)
			continue;
		marked->count++;
		one->marked = marked;
		snprintf(one->name, sizeof(one->name), "%s", guest->name);
		one->method = is_legal(guest, method) ? method :
			      is_legal(guest, other) ? other : NULL;
	}
}

void marked_order(struct tui_deck *deck, const char *order)
{
	const struct method *method = method_find(order);
	size_t count = model_marked(&deck->model), fit = 0;
	struct marked *marked;
	char states[GUEST_STATES_TEXT];

	forget_questions(deck);
	marked = calloc(1, sizeof(*marked) + count * sizeof(marked->guests[0]));
	if (!marked) {
		tui_say(deck->tui, SEVERITY_ERROR, NULL, "There is no memory for so many guests.");
		return;
	}
	marked->deck = deck;
	marked->next = deck->marked;
	deck->marked = marked;
	collect(marked, &deck->model, method);
	for (size_t i = 0; i < marked->count; i++)
		fit += marked->guests[i].method != NULL;
	if (!fit) {
		guest_states_text(method->states, states);
		tui_say(deck->tui, SEVERITY_ERROR, NULL, "None of the marked guests can be %s: "
			"only one that is %s can.", method->order->done, states);
		release(marked);
	} else if (marked->method->order->confirm) {
		ask(marked);
	} else {
		give(marked);
	}
}
