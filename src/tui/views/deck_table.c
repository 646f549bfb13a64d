/* See deck_table.h. Screen thread. */
#include "tui/views/deck_table.h"

#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "tui/canvas/text.h"
#include "tui/model/json.h"
#include "tui/ui/style.h"

static const char *const heads[COLUMN_COUNT] = {
	[COLUMN_NAME] = "Name",	    [COLUMN_STATE] = "State", [COLUMN_RESTARTS] = "Restarts",
	[COLUMN_UPTIME] = "Uptime", [COLUMN_CPU] = "CPU%",    [COLUMN_EXITS] = "Exits/s",
	[COLUMN_MEMORY] = "Mem",    [COLUMN_READ] = "Read",   [COLUMN_WRITE] = "Write",
	[COLUMN_IN] = "Net in",	    [COLUMN_OUT] = "Net out", [COLUMN_ADDRESS] = "Address",
};

/* Where the head of a column begins; before it is a blank. */
static int head_x(const struct column_layout *c, enum column column)
{
	if (column == COLUMN_STATE)
		return c->x[column] + 2; /* behind the sign */
	if (column == COLUMN_NAME || column == COLUMN_RESTARTS || column == COLUMN_ADDRESS)
		return c->x[column];
	return c->x[column] + c->width[column] - (int)strlen(heads[column]);
}

static bool is_sorted(const struct guest_list *list, enum column column)
{
	const enum column *columns = guest_sorts[list->sort].columns;

	return column == columns[0] || column == columns[1];
}

/* Before those by which the list is sorted stands which way. */
static void draw_heads(const struct column_layout *c, int y, const struct guest_list *list)
{
	const char *way = draw_sign(guest_list_falls(list) ? SIGN_FALLING : SIGN_RISING);

	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		bool sorted = is_sorted(list, i);
		int end = c->x[i] + c->width[i], x;

		if (c->width[i] < 2 || !heads[i])
			continue;
		x = head_x(c, i);
		draw_text(y, x, end - x, sorted ? INK_ACCENT | DRAW_BOLD : INK_TEXT | DRAW_DIM,
			  heads[i]);
		if (sorted)
			draw_text(y, x - 1, 1, INK_ACCENT | DRAW_BOLD, way);
	}
}

/* What columns show as a number, of one guest or of all together. */
static const struct {
	enum column column;
	enum stats_field field;
	const char *(*text)(char out[TEXT_NUMBER], double value);
} numbers[] = {
	{ COLUMN_CPU, STATS_CPU, text_percent },
	{ COLUMN_MEMORY, STATS_MEMORY, text_size },
	{ COLUMN_EXITS, STATS_EXITS, text_count },
	{ COLUMN_READ, STATS_DISK_READ, text_rate },
	{ COLUMN_WRITE, STATS_DISK_WRITE, text_rate },
	{ COLUMN_IN, STATS_NET_IN, text_rate },
	{ COLUMN_OUT, STATS_NET_OUT, text_rate },
};

static void draw_number(const struct column_layout *c, int y, unsigned number, unsigned style,
			double value)
{
	enum column column = numbers[number].column;
	char text[TEXT_NUMBER];

	draw_right(y, c->x[column], c->width[column], style, numbers[number].text(text, value));
}

static void draw_values(const struct column_layout *c, int y, const struct chart_series *s,
			const struct tui_guest *guest, unsigned style, bool chosen)
{
	unsigned good = chosen ? style : INK_GOOD, accent = chosen ? style : INK_ACCENT;

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
		draw_number(c, y, i, style, chart_last(&s[numbers[i].field]));
	draw_sparkline(y, c->x[COLUMN_CPU_LINE], c->width[COLUMN_CPU_LINE], good, &s[STATS_CPU],
		       NULL, 100.0f * (float)(guest->cpus ? guest->cpus : 1));
	draw_sparkline(y, c->x[COLUMN_MEMORY_LINE], c->width[COLUMN_MEMORY_LINE], accent,
		       &s[STATS_MEMORY], NULL, (float)guest->memory);
	draw_sparkline(y, c->x[COLUMN_DISK_LINE], c->width[COLUMN_DISK_LINE], accent,
		       &s[STATS_DISK_READ], &s[STATS_DISK_WRITE], 0);
	draw_sparkline(y, c->x[COLUMN_NET_LINE], c->width[COLUMN_NET_LINE], accent,
		       &s[STATS_NET_IN], &s[STATS_NET_OUT], 0);
}

/* Beside the state: how often it has begun anew. */
static void draw_restarts(const struct column_layout *c, int y, uint64_t restarts, unsigned style)
{
	char number[TEXT_NUMBER];

	if (c->width[COLUMN_RESTARTS])
		draw_format(y, c->x[COLUMN_RESTARTS], c->width[COLUMN_RESTARTS], style, "%s%s",
			    draw_sign(SIGN_TIMES), text_count(number, (double)restarts));
}

static void draw_uptime(const struct column_layout *c, int y, const struct tui_guest *guest,
			unsigned style)
{
	uint64_t since = json_count(guest->json, "since"), now = clock_wall();
	char age[TEXT_NUMBER];

	if (c->width[COLUMN_UPTIME] && since && since < now)
		draw_right(y, c->x[COLUMN_UPTIME], c->width[COLUMN_UPTIME], style,
			   text_age(age, (double)((now - since) / NS_PER_S)));
}

/* Where one wants looking after its name has the colour of its state, also where it is chosen. */
static void draw_state(const struct column_layout *c, struct rect row,
		       const struct tui_guest *guest, bool loops, unsigned style)
{
	unsigned state = loops ? INK_BAD | DRAW_BOLD : style_state(guest->state), name = style;

	if (loops || guest_state_in(guest->state, GUEST_BAD | GUEST_IN(GUEST_PAUSED)))
		name = state | (style & DRAW_REVERSE);
	if (style & DRAW_REVERSE)
		state = name;
	if (guest->marked)
		draw_text(row.y, row.x, 1, style & DRAW_REVERSE ? style : INK_WARN | DRAW_BOLD,
			  draw_sign(SIGN_MARK));
	draw_text(row.y, c->x[COLUMN_NAME], c->width[COLUMN_NAME], name | DRAW_BOLD | DRAW_MIDDLE,
		  guest->name);
	draw_text(row.y, c->x[COLUMN_STATE], 1, state,
		  loops ? draw_sign(SIGN_AGAIN) : style_state_sign(guest->state));
	draw_text(row.y, c->x[COLUMN_STATE] + 2, c->width[COLUMN_STATE] - 2, state,
		  loops ? "looping" : guest_state_name(guest->state));
}

static void draw_guest(const struct column_layout *c, struct rect row,
		       const struct tui_guest *guest, bool chosen)
{
	unsigned style = chosen ? INK_TEXT | DRAW_REVERSE : INK_TEXT;
	bool loops = model_loops(guest, clock_monotonic());

	if (chosen)
		draw_fill(row, style);
	draw_state(c, row, guest, loops, style);
	if (c->width[COLUMN_ADDRESS])
		draw_text(row.y, c->x[COLUMN_ADDRESS], c->width[COLUMN_ADDRESS], style,
			  guest->address);
	if (guest->restarts && guest_state_in(guest->state, GUEST_ALIVE))
		draw_restarts(c, row.y, guest->restarts,
			      chosen ? style : loops ? INK_BAD | DRAW_BOLD : INK_WARN);
	if (guest_state_in(guest->state, GUEST_ALIVE))
		draw_uptime(c, row.y, guest, style);
	if (guest->series && guest->series[STATS_CPU].filled &&
	    guest_state_in(guest->state, GUEST_ALIVE))
		draw_values(c, row.y, guest->series, guest, style, chosen);
}

/* Of all that are listed; false if there is nothing to add, or the values of some are not here. */
static bool draw_totals(const struct column_layout *c, struct rect row,
			const struct guest_list *list)
{
	double sums[ARRAY_SIZE(numbers)] = { 0 };
	size_t alive = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct tui_guest *guest = list->rows[i];

		if (!guest_state_in(guest->state, GUEST_ALIVE))
			continue;
		if (!guest->series || !guest->series[STATS_CPU].filled)
			return false;
		alive++;
		for (unsigned n = 0; n < ARRAY_SIZE(numbers); n++)
			sums[n] += (double)chart_last(&guest->series[numbers[n].field]);
	}
	if (alive < 2)
		return false;
	draw_text(row.y, c->x[COLUMN_NAME], c->width[COLUMN_NAME], INK_TEXT | DRAW_DIM,
		  "together");
	for (unsigned n = 0; n < ARRAY_SIZE(numbers); n++)
		draw_number(c, row.y, n, INK_TEXT | DRAW_DIM, sums[n]);
	return true;
}

/* Keeps the selected row in sight. */
static void follow(struct deck_table *table, size_t selected, size_t count)
{
	size_t page = (size_t)table->rows.height;

	if (selected < table->top)
		table->top = selected;
	if (page && selected >= table->top + page)
		table->top = selected - page + 1;
	if (table->top + page > count)
		table->top = count > page ? count - page : 0;
}

/* Whether a guest that runs has restarts to show. */
static bool has_restarts(const struct guest_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->rows[i]->restarts && guest_state_in(list->rows[i]->state, GUEST_ALIVE))
			return true;
	return false;
}

void deck_table_draw(struct deck_table *table, const struct guest_list *list, struct rect r,
		     size_t selected)
{
	const struct column_needs needs = {
		.names = list->names, .addresses = list->addresses,
		.restarts = has_restarts(list), .sorted = guest_sorts[list->sort].columns[0],
	};

	layout_columns(&table->columns, r.x + 1, r.width - 2, &needs);
	table->heads = (struct rect){ r.y, r.x, r.height >= 2, r.width };
	table->rows = (struct rect){ r.y + table->heads.height, r.x,
				     r.height - table->heads.height, r.width };
	follow(table, selected, list->count);
	if (table->heads.height)
		draw_heads(&table->columns, r.y, list);
	r = table->rows;
	for (int i = 0; i < r.height && table->top + (size_t)i < list->count; i++)
		draw_guest(&table->columns, (struct rect){ r.y + i, r.x, 1, r.width },
			   list->rows[table->top + (size_t)i], table->top + (size_t)i == selected);
	table->totals = list->count < (size_t)r.height &&
			draw_totals(&table->columns,
				    (struct rect){ r.y + (int)list->count, r.x, 1, r.width }, list);
}

static bool is_inside(struct rect r, int y, int x)
{
	return y >= r.y && y < r.y + r.height && x >= r.x && x < r.x + r.width;
}

enum guest_sort deck_table_head(const struct deck_table *table, int y, int x)
{
	const struct column_layout *c = &table->columns;

	if (!is_inside(table->heads, y, x))
		return SORT_COUNT;
	for (unsigned sort = 0; sort < SORT_COUNT; sort++)
		for (unsigned i = 0; i < 2; i++) {
			enum column column = guest_sorts[sort].columns[i];

			/* The mark before it belongs to it. */
			if (c->width[column] && x >= c->x[column] - 1 &&
			    x < c->x[column] + c->width[column])
				return (enum guest_sort)sort;
		}
	return SORT_COUNT;
}

size_t deck_table_row(const struct deck_table *table, int y, int x, size_t count)
{
	size_t row = table->top + (size_t)(y - table->rows.y);

	return is_inside(table->rows, y, x) && row < count ? row : count;
}
