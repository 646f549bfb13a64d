/*
 * The model: what the screen knows of a deck. Messages of the server change
 * it, views draw it. Screen thread only.
 *
 * All strings are as the server sent them; draw.h makes them harmless.
 */
#ifndef TUI_MODEL_MODEL_H
#define TUI_MODEL_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "control/fields.h"
#include "control/states.h"
#include "tui/canvas/chart.h"

/* The fields that charts show: all but those of later vCPUs. */
#define MODEL_VCPUS 8
#define MODEL_FIELDS (STATS_VCPU + MODEL_VCPUS)

struct tui_guest {
	json_t *json; /* G of guest.list */
	const char *name; /* in json */
	const char *address; /* the first that it has by DHCP, in json, or "" */
	enum guest_state state;
	unsigned cpus;
	uint64_t restarts; /* since it was started, */
	uint64_t restarted, calm_at; /* when they grew, CLOCK_MONOTONIC, ns, and from how many on */
	double memory; /* bytes configured */
	struct chart_series *series; /* MODEL_FIELDS of them, or NULL before the first sample */
	float now[STATS_VCPU]; /* the newest values, as far as model_values() was told of them */
	size_t by_name, place; /* guest_list.c: in the server's order, and in its own from 1 on */
	bool sampled; /* its samples are asked for */
	bool marked; /* by who sits at the screen: orders are for all that are */
	bool listed; /* seen in the list being merged */
};

/* The deck's host, and all its guests together. All zero: nothing is known of it. */
struct model_host {
	unsigned cpus;
	double memory; /* bytes */
	bool kvm, told; /* told: there are values */
	double values[HOST_FIELDS]; /* negative: unknown */
};

struct model {
	struct tui_guest **guests; /* in the server's order */
	size_t guest_count;
	uint64_t lists; /* that came: guests may be others after each */
	uint64_t samples; /* how often model_values() came */
	bool guests_known; /* the first list came */
	bool restarts_grow; /* of a guest that was there before, by the last two lists */
	char *deck, *host;
	struct model_host machine;
};

void model_destroy(struct model *model);

/* The result of hello. */
void model_hello(struct model *model, const json_t *result);

/* Takes over the result of guest.list; guests keep their series. false: not a list. */
bool model_guests(struct model *model, const json_t *result);

/* A guest changed its state, before the next list says so. */
void model_state(struct model *model, const char *name, const char *state);

/* NULL: there is none of this name. */
struct tui_guest *model_find(const struct model *model, const char *name);

/* How many guests are in one of these states: a set of GUEST_IN(). */
size_t model_count(const struct model *model, uint32_t states);

/*
 * Whether a guest restarts over and over, as one does whose system panics on its way up; now is
 * CLOCK_MONOTONIC, ns. Restarts before the first list do not count.
 */
bool model_loops(const struct tui_guest *guest, uint64_t now);

size_t model_marked(const struct model *model); /* how many guests are marked */

/* The history that came with the response of stats.subscribe replaces what was known. */
void model_history(struct model *model, const json_t *history);

/*
 * A stats notification, or NULL for none: steps samples more for each of the
 * names, of which all but the last are as before, as is what did not change.
 * steps 0: the newest sample is corrected.
 */
void model_stats(struct model *model, const json_t *params, const json_t *names, unsigned steps);

/* A stats notification of all guests, of whom only the newest values are kept. */
void model_values(struct model *model, const json_t *params);

/* The result of host.subscribe, and a notification of it. */
void model_host_begins(struct model *model, const json_t *result);
void model_host_tells(struct model *model, const json_t *params);

#endif
