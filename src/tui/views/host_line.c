/* See host_line.h. Screen thread. */
#include "tui/views/host_line.h"

#include <stdio.h>

#include "tui/canvas/text.h"

#define PRESSURE_SOME 1.0 /* % of time in which something waits: to be seen, */
#define PRESSURE_MUCH 10.0 /* and to be looked after */

/* Where the next piece goes, and where there is no more room for any. */
struct line {
	int y, x, end;
	bool begun, full;
};

/* A piece is there whole, or it and those that are less than it are not. */
static void add(struct line *line, unsigned style, const char *text)
{
	int width = text_width(text), gap = line->begun ? 3 : 0;

	line->full = line->full || line->x + gap + width > line->end;
	if (line->full)
		return;
	if (gap)
		draw_format(line->y, line->x, gap, INK_TEXT | DRAW_DIM, " %s ",
			    draw_sign(SIGN_SEPARATOR));
	draw_text(line->y, line->x + gap, width, style, text);
	line->x += gap + width;
	line->begun = true;
}

static void add_pressure(struct line *line, const char *of, double pressure)
{
	unsigned style = pressure >= PRESSURE_MUCH ? INK_BAD | DRAW_BOLD :
			 pressure >= PRESSURE_SOME ? INK_WARN : INK_TEXT;
	char number[TEXT_NUMBER], text[48];

	if (pressure < 0)
		return;
	snprintf(text, sizeof(text), "%s pressure %s%%", of, text_percent(number, pressure));
	add(line, style, text);
}

static void add_guests(struct line *line, const double *values)
{
	char one[TEXT_NUMBER], other[TEXT_NUMBER], text[96];

	for (unsigned i = HOST_GUESTS_CPU; i <= HOST_GUESTS_OUT; i++)
		if (values[i] < 0)
			return; /* they come together */
	snprintf(text, sizeof(text), "guests CPU %.0f%% memory %s", values[HOST_GUESTS_CPU],
		 text_size(one, values[HOST_GUESTS_MEMORY]));
	add(line, INK_TEXT, text);
	snprintf(text, sizeof(text), "read %s write %s", text_rate(one, values[HOST_GUESTS_READ]),
		 text_rate(other, values[HOST_GUESTS_WRITE]));
	add(line, INK_TEXT, text);
	snprintf(text, sizeof(text), "net in %s out %s", text_rate(one, values[HOST_GUESTS_IN]),
		 text_rate(other, values[HOST_GUESTS_OUT]));
	add(line, INK_TEXT, text);
}

void host_line_draw(struct rect r, const struct model_host *host, bool guests)
{
	struct line line = { .y = r.y, .x = r.x, .end = r.x + r.width };
	const double *values = host->values;
	char one[TEXT_NUMBER], other[TEXT_NUMBER], text[96];

	if (!host->told)
		return;
	line.x += draw_text(r.y, r.x, r.width, INK_ACCENT | DRAW_BOLD, "Host") + 1;
	if (!host->kvm)
		add(&line, INK_BAD | DRAW_BOLD, "no KVM");
	if (values[HOST_CPU] >= 0) {
		snprintf(text, sizeof(text), "CPU %.0f%% of %u", values[HOST_CPU], host->cpus);
		add(&line, INK_TEXT, text);
	}
	if (values[HOST_AVAILABLE] >= 0 && host->memory >= values[HOST_AVAILABLE]) {
		snprintf(text, sizeof(text), "memory %s of %s",
			 text_size(one, host->memory - values[HOST_AVAILABLE]),
			 text_size(other, host->memory));
		add(&line, INK_TEXT, text);
	}
	add_pressure(&line, "memory", values[HOST_MEMORY_PRESSURE]);
	if (host->kvm)
		add(&line, INK_GOOD, "KVM");
	if (guests)
		add_guests(&line, values);
	add_pressure(&line, "CPU", values[HOST_CPU_PRESSURE]);
	add_pressure(&line, "I/O", values[HOST_IO_PRESSURE]);
}
