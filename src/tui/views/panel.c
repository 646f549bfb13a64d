/* The four charts of a guest. Screen thread. */
#include "tui/views/panel.h"

#include <stdio.h>
#include <string.h>

#include "tui/canvas/text.h"

#define COLUMNS_MAX 512
#define ROWS_MAX 64

/* The ink of an area, by how high its row is (0..1). */
typedef unsigned (*shade)(double level);

static unsigned shade_load(double level)
{
	return level < 0.5 ? INK_GOOD : level < 0.8 ? INK_WARN : INK_BAD;
}

static unsigned shade_accent(double level)
{
	(void)level;
	return INK_ACCENT;
}

static unsigned shade_second(double level)
{
	(void)level;
	return INK_SECOND;
}

static void area(struct rect r, const struct chart_series *series, float max, bool down, shade ink)
{
	static uint8_t cells[COLUMNS_MAX * ROWS_MAX];
	static float dots[COLUMNS_MAX * 2];

	if (r.width <= 0 || r.height <= 0)
		return;
	if (r.width > COLUMNS_MAX)
		r.width = COLUMNS_MAX;
	if (r.height > ROWS_MAX)
		r.height = ROWS_MAX;
	chart_spread(series, dots, (unsigned)r.width * 2);
	chart_fill(dots, (unsigned)r.width, (unsigned)r.height, max, down, cells);
	for (int y = 0; y < r.height; y++) {
		int from = down ? y : r.height - 1 - y;
		unsigned style = ink(((double)from + 0.5) / r.height);

		for (int x = 0; x < r.width; x++)
			draw_cell(r.y + y, r.x + x, style, cells[y * r.width + x]);
	}
}

static const struct {
	const char *whole, *half;
} times[PANEL_SPANS] = { { "2m", "1m" }, { "10m", "5m" }, { "1h", "30m" }, { "24h", "12h" } };

const char *panel_span_name(unsigned span)
{
	return times[span].whole;
}

/* The time below a chart, up to now. */
static void time_axis(struct rect box, struct rect inside, unsigned span)
{
	int y = box.y + box.height - 1;

	if (inside.width < 24)
		return;
	draw_format(y, inside.x, 5, INK_TEXT | DRAW_DIM, "%s ", times[span].whole);
	draw_format(y, inside.x + inside.width / 2 - 1, 5, INK_TEXT | DRAW_DIM, " %s ",
		    times[span].half);
	draw_right(y, inside.x, inside.width, INK_TEXT | DRAW_DIM, " now");
}

/* Values on the upper edge, after the title; returns where the next one goes. */
static int legend(struct rect box, int x, unsigned style, const char *sign, const char *text)
{
	int room = box.x + box.width - 2 - x;

	if (room < (int)strlen(text) + 4)
		return x;
	if (*sign)
		x += draw_format(box.y, x, room, style, " %s", sign);
	return x + draw_format(box.y, x, room, style, " %s ", text);
}

static int title_end(struct rect box, const char *title)
{
	return box.x + 4 + text_width(title);
}

/* Takes room for axis labels off the left, when there is enough. */
static bool gutter(struct rect *r, int width)
{
	if (r->width < 32)
		return false;
	r->x += width;
	r->width -= width;
	return true;
}

static void axis(int y, int x, int width, const char *text)
{
	draw_right(y, x, width, INK_TEXT | DRAW_DIM, text);
}

static void lane(struct rect r, unsigned number, const struct chart_series *series)
{
	char text[TEXT_NUMBER];

	draw_format(r.y, r.x, 2, INK_TEXT | DRAW_DIM, "%-2u", number);
	axis(r.y, r.x + 2, 4, text_percent(text, chart_last(series)));
	area((struct rect){ r.y, r.x + 7, r.height, r.width - 7 }, series, 100, false, shade_load);
}

/* A lane for each vCPU, in one or two columns; false when they find no room. */
static bool lanes(struct rect r, const struct tui_guest *guest)
{
	unsigned count = guest->cpus, columns = 1, rows;

	if (count < 2 || count > MODEL_VCPUS || !guest->series[STATS_VCPU].filled)
		return false;
	if ((int)count > r.height)
		columns = 2;
	rows = (count + columns - 1) / columns;
	if ((int)rows > r.height || r.width / (int)columns < 16)
		return false;
	for (unsigned i = 0; i < count; i++) {
		int row = (int)(i % rows), left = r.width * (int)(i / rows) / (int)columns;
		int top = r.height * row / (int)rows, bottom = r.height * (row + 1) / (int)rows;
		int right = r.width * ((int)(i / rows) + 1) / (int)columns;

		lane((struct rect){ r.y + top, r.x + left, bottom - top,
				    right - left - (columns > 1) },
		     i, &guest->series[STATS_VCPU + i]);
	}
	return true;
}

static void panel_cpu(struct rect box, struct rect r, const struct tui_guest *guest)
{
	float max = 100.0f * (float)(guest->cpus ? guest->cpus : 1);
	char text[64], number[TEXT_NUMBER];
	int x = title_end(box, "CPU");

	snprintf(text, sizeof(text), "%s%%",
		 text_percent(number, chart_last(&guest->series[STATS_CPU])));
	x = legend(box, x, INK_GOOD, "", text);
	if (guest->cpus > 1) {
		snprintf(text, sizeof(text), "of %u vCPUs", guest->cpus);
		legend(box, x, INK_TEXT | DRAW_DIM, "", text);
	}
	if (lanes(r, guest))
		return;
	if (gutter(&r, 7)) {
		snprintf(text, sizeof(text), "%.0f%%", (double)max);
		axis(r.y, r.x - 7, 6, text);
		axis(r.y + r.height - 1, r.x - 7, 6, "0");
	}
	area(r, &guest->series[STATS_CPU], max, false, shade_load);
}

static void panel_memory(struct rect box, struct rect r, const struct tui_guest *guest)
{
	const struct chart_series *series = &guest->series[STATS_MEMORY];
	float max = guest->memory > 0 ? (float)guest->memory :
					chart_ceiling(chart_peak(series, NULL), 1);
	char text[64], number[TEXT_NUMBER], of[TEXT_NUMBER];
	int x = title_end(box, "Memory");

	snprintf(text, sizeof(text), "%s", text_size(number, chart_last(series)));
	x = legend(box, x, INK_ACCENT, "", text);
	snprintf(text, sizeof(text), "of %s", text_size(of, max));
	legend(box, x, INK_TEXT | DRAW_DIM, "", text);
	if (gutter(&r, 7)) {
		axis(r.y, r.x - 7, 6, of);
		axis(r.y + r.height - 1, r.x - 7, 6, "0");
	}
	area(r, series, max, false, shade_accent);
}

/* Two directions, each on its own scale: one upward from the middle, one downward. */
static void panel_pair(struct rect box, struct rect r, const char *title,
		       const char *const names[2], const struct chart_series *first,
		       const struct chart_series *second)
{
	float up = chart_ceiling(chart_peak(first, NULL), 1000);
	float down = chart_ceiling(chart_peak(second, NULL), 1000);
	int upper = (r.height + 1) / 2, x = title_end(box, title);
	bool named = box.width >= 38; /* else a direction is known by its sign */
	const char *gap = named ? " " : "";
	char text[64], number[TEXT_NUMBER];

	snprintf(text, sizeof(text), "%s%s%s", named ? names[0] : "", gap,
		 text_rate(number, chart_last(first)));
	x = legend(box, x, INK_ACCENT, draw_sign(SIGN_UP), text);
	snprintf(text, sizeof(text), "%s%s%s", named ? names[1] : "", gap,
		 text_rate(number, chart_last(second)));
	legend(box, x, INK_SECOND, draw_sign(SIGN_DOWN), text);
	if (gutter(&r, 8)) {
		axis(r.y, r.x - 8, 7, text_rate(number, up));
		if (r.height > 2)
			axis(r.y + r.height - 1, r.x - 8, 7, text_rate(number, down));
		if (r.height > 3)
			axis(r.y + upper - 1, r.x - 8, 7, "0");
	}
	area((struct rect){ r.y, r.x, upper, r.width }, first, up, false, shade_accent);
	area((struct rect){ r.y + upper, r.x, r.height - upper, r.width }, second, down, true,
	     shade_second);
}

void panel_draw(struct rect box, enum panel panel, const struct tui_guest *guest, unsigned span,
		const char *empty)
{
	static const char *const titles[] = { "CPU", "Network", "Memory", "Disk" };
	static const char *const directions[][2] = { { "in", "out" }, { "read", "write" } };
	struct rect r = draw_box(box, INK_TEXT | DRAW_DIM, titles[panel]);
	const struct chart_series *series = guest ? guest->series : NULL;

	if (!series || !series[STATS_CPU].filled ||
	    (!guest_state_in(guest->state, GUEST_ALIVE) &&
	     !(chart_peak(&series[STATS_CPU], NULL) > 0))) {
		draw_center(r, INK_TEXT | DRAW_DIM, empty);
		return;
	}
	switch (panel) {
	case PANEL_CPU:
		panel_cpu(box, r, guest);
		break;
	case PANEL_MEMORY:
		panel_memory(box, r, guest);
		break;
	case PANEL_DISK:
		panel_pair(box, r, titles[panel], directions[1], &series[STATS_DISK_READ],
			   &series[STATS_DISK_WRITE]);
		break;
	default:
		panel_pair(box, r, titles[panel], directions[0], &series[STATS_NET_IN],
			   &series[STATS_NET_OUT]);
		break;
	}
	if (r.height >= 3)
		time_axis(box, (struct rect){ r.y, r.x + 1, r.height, r.width - 2 }, span);
}
