/* See palette.h. */
#include "tui/ui/palette.h"

#include <ctype.h>
#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/suggest.h"
#include "base/words.h"
#include "control/command_line.h"
#include "control/methods.h"
#include "tui/model/json.h"
#include "tui/ui/history.h"
#include "tui/ui/palette_list.h"
#include "tui/ui/palette_run.h"

#define WORD_SIZE 64
#define TOGETHER_NS (100 * NS_PER_MS) /* in which orders are given that a key gives together */

struct palette {
	struct tui *tui;
	void (*run)(struct tui *tui, const struct key *key);
	struct history history;
	struct palette_list list;
	size_t walked;		   /* lines back in the history; 0: none of it is shown */
	char draft[PROMPT_TEXT];   /* what was typed before */
	char wrong[CAUSE_SIZE];	   /* why the line was refused, or "" */
	json_t *switches;	   /* the last answer to switch.list, or NULL */
	struct runs runs;
	const struct method *noted; /* of the newest line, where a key asked for it, */
	uint64_t noted_at;	    /* when, CLOCK_MONOTONIC */
	char noted_line[COMMAND_LINE_MAX];
};

static void open_line(struct palette *palette, const char *text, const char *wrong);

static const struct command_line *commands_of(const struct palette *palette)
{
	return palette->tui->deck->config->line;
}

/* --- what is known here --- */

static json_t *list_guests(const struct model *model)
{
	json_t *guests = json_array();

	for (size_t i = 0; i < model->guest_count; i++)
		json_array_append(guests, model->guests[i]->json);
	return json_pack("{s:o}", "guests", guests);
}

static json_t *answer_here(void *arg, const char *method, const json_t *params)
{
	struct palette *palette = arg;
	const struct model *model = &palette->tui->deck->model;
	const struct tui_guest *guest;

	if (strcmp(method, "guest.list") == 0)
		return list_guests(model);
	if (strcmp(method, "switch.list") == 0)
		return json_incref(palette->switches);
	guest = model_find(model, json_text(params, "guest"));
	return guest ? json_incref(guest->json) : NULL;
}

/* One of the guests that orders of the view are for, if some are marked; or NULL. */
static const char *find_marked(const struct tui *tui)
{
	const struct model *model = &tui->deck->model;

	for (size_t i = 0; tui->top->ops->marks && i < model->guest_count; i++)
		if (model->guests[i]->marked)
			return model->guests[i]->name;
	return NULL;
}

static struct command_place place_of(struct palette *palette)
{
	return (struct command_place){ .guest = tui_chosen(palette->tui),
				       .marked = find_marked(palette->tui),
				       .answer = answer_here, .arg = palette };
}

static void switches_listed(void *arg, json_t *result, const struct client_error *error)
{
	struct palette *palette = arg;

	if (error)
		return;
	json_decref(palette->switches);
	palette->switches = json_incref(result);
}

/* --- commands of keys --- */

/* "capture to a file": capture-to-a-file */
static void key_word(const struct key *key, char out[WORD_SIZE])
{
	snprintf(out, WORD_SIZE, "%s", key->hint);
	for (char *at = out; (at = strchr(at, ' '));)
		*at = '-';
}

/* Those that the command line has as well, that make no sense here or are refused are left out. */
static bool is_offered(const struct tui *tui, const struct key *key)
{
	if (tui->deck->config->read_only && keys_order(key))
		return false;
	return key->hint && keys_has(tui->top->ops, key) && key->command != COMMAND_ORDER &&
	       key->command != COMMAND_PALETTE && key->command > COMMAND_SCROLL_DOWN;
}

static const struct key *find_key(const struct tui *tui, const char *text)
{
	char word[WORD_SIZE];

	for (size_t i = 0; i < tui->keys->count; i++) {
		if (!is_offered(tui, &tui->keys->rows[i]))
			continue;
		key_word(&tui->keys->rows[i], word);
		if (strcmp(word, text) == 0)
			return &tui->keys->rows[i];
	}
	return NULL;
}

static void offer_keys(struct palette *palette, const char *typed)
{
	const struct tui *tui = palette->tui;
	char word[WORD_SIZE], help[256], text[300];

	for (size_t i = 0; i < tui->keys->count; i++) {
		const struct key *key = &tui->keys->rows[i];

		if (!is_offered(tui, key))
			continue;
		key_word(key, word);
		keys_help(key, help, sizeof(help));
		snprintf(text, sizeof(text), "%s (%s)", help, key->label);
		palette_list_add(&palette->list, typed, word, text, key);
	}
}

/* --- what the word can become --- */

struct offering {
	struct palette *palette;
	const char *typed;
};

static void offered(void *arg, const char *word, const char *help)
{
	struct offering *offering = arg;

	palette_list_add(&offering->palette->list, offering->typed, word, help, NULL);
}

/* The list for the word that ends at the cursor. */
static void fill_list(struct palette *palette)
{
	const struct command_line *commands = commands_of(palette);
	struct command_place place = place_of(palette);
	char text[PROMPT_TEXT];
	struct words words;
	const char *typed;

	palette_list_clear(&palette->list);
	prompt_text(&palette->tui->prompt, false, text);
	if (words_split(&words, text) < 0)
		return;
	typed = words.count && words.end != WORDS_BLANK ? words.words[words.count - 1] : "";
	if (commands)
		commands->complete(commands->arg, text, &place, offered,
				   &(struct offering){ palette, typed });
	if (words.count < 2 && !(words.count && words.end == WORDS_BLANK))
		offer_keys(palette, typed);
	palette_list_sort(&palette->list);
	words_free(&words);
}

static void changed(void *arg)
{
	struct palette *palette = arg;

	palette->wrong[0] = '\0';
	palette->walked = 0;
	fill_list(palette);
}

/* The line with the candidate in the place of its last word, ready for the next one. */
static void take(struct palette *palette, const struct candidate *candidate, char out[PROMPT_TEXT])
{
	const struct prompt *prompt = &palette->tui->prompt;
	char before[PROMPT_TEXT], whole[PROMPT_TEXT];
	struct words words;
	size_t n;

	prompt_text(prompt, false, before);
	prompt_text(prompt, true, whole);
	n = strlen(before);
	snprintf(out, PROMPT_TEXT, "%s", before);
	if (words_split(&words, before) < 0)
		return;
	if (words.count && words.end != WORDS_BLANK)
		out[words.starts[words.count - 1]] = '\0';
	for (size_t i = strlen(out); i > 0 && isspace((unsigned char)out[i - 1]); i--)
		out[i - 1] = '\0';
	words_free(&words);
	words_add(out, PROMPT_TEXT, candidate->word);
	if (candidate->word[strlen(candidate->word) - 1] != '=' && strlen(out) + 1 < PROMPT_TEXT)
		strcat(out, " ");
	if (strlen(out) + strlen(whole + n) < PROMPT_TEXT)
		strcat(out, whole + n);
}

static void complete(struct palette *palette)
{
	const struct candidate *best = palette_list_best(&palette->list);
	char text[PROMPT_TEXT];

	if (!best)
		return;
	take(palette, best, text);
	prompt_replace(&palette->tui->prompt, text);
	changed(palette);
}

/* --- what a line asks --- */

/* 0, or -ENOENT with a cause. */
static int show(struct palette *palette, const struct command_asked *asked, struct cause *cause)
{
	struct tui *tui = palette->tui;
	const struct model *model = &tui->deck->model;
	struct suggestion suggestion = { .wrong = asked->guest };

	if (*asked->guest && !model_find(model, asked->guest)) {
		for (size_t i = 0; i < model->guest_count; i++)
			suggest_offer(&suggestion, model->guests[i]->name);
		return cause_set(cause, ENOENT, "guest '%s': there is none%s%s%s", asked->guest,
				 suggestion.best ? "; did you mean '" : "",
				 suggestion.best ? suggestion.best : "",
				 suggestion.best ? "'?" : "");
	}
	if (strcmp(asked->view, tui->top->ops->id) == 0 && !*asked->guest) {
		tui_say(tui, SEVERITY_GOOD, NULL, "It is on the screen already.");
		return 0;
	}
	/* The first view is below all others. */
	while (strcmp(asked->view, tui->views[0].ops->id) == 0 && tui->top->below)
		tui_back(tui);
	tui_open(tui, asked->view, asked->guest);
	return 0;
}

/* 0, or a negative errno with a cause. */
static int read_line(struct palette *palette, const char *line, struct command_asked *asked,
		     struct cause *cause)
{
	const struct command_line *commands = commands_of(palette);
	struct command_place place = place_of(palette);

	*asked = (struct command_asked){ .requests = NULL };
	if (!commands)
		return cause_set(cause, ENOENT, "there is no command '%s'", line);
	return commands->read(commands->arg, line, &place, asked, cause);
}

/* Runs a line: 0, or a negative errno with why not. */
static int run_line(struct palette *palette, const char *line, struct cause *cause)
{
	struct command_asked asked;
	const struct key *key;
	int error = read_line(palette, line, &asked, cause);

	key = error ? find_key(palette->tui, line) : NULL;
	if (key) {
		history_add(&palette->history, line);
		palette->run(palette->tui, key);
		return 0;
	}
	if (error)
		return error;
	if (json_array_size(asked.requests)) {
		history_add(&palette->history, line);
		runs_begin(&palette->runs, &asked, line);
		return 0;
	}
	json_decref(asked.requests);
	error = asked.view ? show(palette, &asked, cause) : 0;
	if (!error)
		history_add(&palette->history, line);
	return error;
}

/* --- keys --- */

/* What was meant by one word that no command is called: it is run if it changes nothing. */
static bool is_harmless(struct palette *palette, const struct candidate *best, const char *line)
{
	struct command_asked asked;
	bool harmless;

	if (best->key)
		return true;
	harmless = read_line(palette, line, &asked, NULL) == 0 && !json_array_size(asked.requests);
	json_decref(asked.requests);
	return harmless;
}

static void trim(char *text)
{
	size_t n = strlen(text), blanks = strspn(text, " ");

	while (n > blanks && text[n - 1] == ' ')
		text[--n] = '\0';
	memmove(text, text + blanks, n - blanks + 1);
}

static void entered(void *arg, int choice, const char *text)
{
	struct palette *palette = arg;
	const struct candidate *best = palette_list_best(&palette->list);
	char line[PROMPT_TEXT], taken[PROMPT_TEXT];
	struct cause cause = { "" };

	(void)choice;
	if (!text) {
		palette_list_clear(&palette->list);
		return;
	}
	snprintf(line, sizeof(line), "%s", text);
	trim(line);
	if (!*line && !palette->list.chosen)
		return;
	if (!palette->list.chosen && run_line(palette, line, &cause) == 0) {
		history_write(&palette->history);
		return;
	}
	if (!best || (!palette->list.chosen && strchr(line, ' '))) {
		open_line(palette, line, cause.text);
		return;
	}
	prompt_replace(&palette->tui->prompt, text);
	take(palette, best, taken);
	snprintf(line, sizeof(line), "%s", taken);
	trim(line);
	cause.text[0] = '\0';
	if (is_harmless(palette, best, line) && run_line(palette, line, &cause) == 0)
		history_write(&palette->history);
	else
		open_line(palette, taken, cause.text);
}

/* Older: n + 1 lines back, or newer; behind the newest is what was typed. */
static void walk(struct palette *palette, bool older)
{
	struct prompt *prompt = &palette->tui->prompt;
	size_t walked = palette->walked;

	if (older && !history_line(&palette->history, walked))
		return;
	if (!older && !walked)
		return;
	if (!walked)
		prompt_text(prompt, true, palette->draft);
	walked += older ? 1 : (size_t)-1;
	prompt_replace(prompt, walked ? history_line(&palette->history, walked - 1)
				      : palette->draft);
	changed(palette);
	palette->walked = walked;
}

static bool palette_key(void *arg, wint_t key, bool special)
{
	struct palette *palette = arg;
	bool up = special && key == KEY_UP, down = special && key == KEY_DOWN;

	if (!special && key == '\t')
		complete(palette);
	else if (!special && (key == KEYS_CTRL('p') || key == KEYS_CTRL('n')))
		walk(palette, key == KEYS_CTRL('p'));
	else if ((up || down) && !palette->list.chosen &&
		 (palette->walked || (up && !palette->tui->prompt.length)))
		walk(palette, up);
	else if (up || down)
		palette_list_choose(&palette->list, down);
	else
		return false;
	return true;
}

/* Why the line was refused comes before words for it, where there is not room for both. */
static int wrong_rows(const struct palette *palette, int room)
{
	return *palette->wrong && room > 0 ?
		draw_lines(palette->wrong, draw_columns() - 2, room) : 0;
}

static int palette_rows(void *arg, int room)
{
	const struct palette *palette = arg;
	int wrong = wrong_rows(palette, room);

	return palette_list_rows(&palette->list, room - wrong) + wrong;
}

static void palette_draw(void *arg, struct rect rect)
{
	const struct palette *palette = arg;
	int wrong = wrong_rows(palette, rect.height);

	rect.height -= wrong;
	if (rect.height > 0)
		palette_list_draw(&palette->list, rect);
	if (!wrong)
		return;
	draw_fill((struct rect){ rect.y + rect.height, rect.x, wrong, rect.width }, INK_TEXT);
	draw_wrapped((struct rect){ rect.y + rect.height, rect.x + 1, wrong, rect.width - 2 },
		     INK_BAD | DRAW_BOLD, palette->wrong);
}

static const struct prompt_hint hints[] = {
	{ "Enter", "run" }, { "Tab", "complete" }, { "Esc", "close" },
	{ "Up, Down", "choose, or earlier lines" }, { NULL, NULL },
};

static const struct prompt_above above = {
	.rows = palette_rows,
	.draw = palette_draw,
	.key = palette_key,
	.changed = changed,
	.hints = hints,
};

static void open_line(struct palette *palette, const char *text, const char *wrong)
{
	struct prompt *prompt = &palette->tui->prompt;

	prompt_line(prompt, text, entered, palette, ":");
	prompt_above(prompt, &above, palette);
	changed(palette);
	snprintf(palette->wrong, sizeof(palette->wrong), "%s", wrong);
	tui_dirty(palette->tui);
}

void palette_open(struct tui *tui, void (*run)(struct tui *tui, const struct key *key))
{
	struct palette *palette = tui->palette;

	palette->run = run;
	history_read(&palette->history);
	tui_call(tui->deck, "switch.list", NULL, switches_listed, palette);
	open_line(palette, "", "");
}

static void refused(struct tui *tui, const char *line, const char *wrong)
{
	open_line(tui->palette, line, wrong);
}

/* --- what keys ask for --- */

/* An order to marked guests is one line, not one for each of them. */
static bool is_of_the_same(const struct palette *palette, const struct method *method)
{
	const char *newest = history_line(&palette->history, 0);

	return method->order && palette->noted == method && newest &&
	       strcmp(newest, palette->noted_line) == 0 &&
	       clock_monotonic() - palette->noted_at < TOGETHER_NS;
}

/* The line that asks for the same is the newest of the history. */
static void note(struct tui *tui, const char *method, const json_t *params)
{
	const struct command_line *commands = tui->deck->config->line;
	struct palette *palette = tui->palette;
	const struct method *found = method_find(method);
	char line[COMMAND_LINE_MAX];

	if (palette->runs.running || !commands || !found || found->role != METHOD_OPERATE ||
	    !commands->spell(commands->arg, method, params, line, sizeof(line)))
		return;
	if (!is_of_the_same(palette, found))
		snprintf(palette->noted_line, sizeof(palette->noted_line), "%s", line);
	else if (words_add(palette->noted_line, sizeof(palette->noted_line),
			   json_text(params, "guest")) == 0)
		history_drop(&palette->history);
	palette->noted = found;
	palette->noted_at = clock_monotonic();
	history_add(&palette->history, palette->noted_line);
}

int palette_start(struct tui *tui)
{
	tui->palette = calloc(1, sizeof(*tui->palette));
	if (!tui->palette)
		return -ENOMEM;
	tui->palette->tui = tui;
	tui->palette->runs = (struct runs){ .tui = tui, .refused = refused };
	tui->noted = note;
	return 0;
}

void palette_stop(struct tui *tui)
{
	struct palette *palette = tui->palette;

	if (!palette)
		return;
	tui->noted = NULL;
	runs_forget(&palette->runs);
	history_free(&palette->history);
	palette_list_clear(&palette->list);
	json_decref(palette->switches);
	free(palette);
	tui->palette = NULL;
}
