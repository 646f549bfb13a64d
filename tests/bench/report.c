/* Medians and how they are shown. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With more than this part of a CPU used by others a row is no figure to keep. */
#define DISTURBED 0.05

static const char *const side_names[SIDES] = { "vmdeck", "bare", "qemu" };

void row_add(struct row *row, int side, double value)
{
	struct samples *samples = &row->sides[side];

	if (samples->count < ROW_SAMPLES)
		samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(struct samples samples)
{
	if (!samples.count)
		return 0;
	qsort(samples.values, samples.count, sizeof(*samples.values), compare);
	return (samples.values[(samples.count - 1) / 2] + samples.values[samples.count / 2]) / 2;
}

double row_median(const struct row *row, int side)
{
	return median(row->sides[side]);
}

static double quotient(double ours, double other)
{
	return other != 0 ? ours / other : 0;
}

static double difference(double ours, double other)
{
	return ours - other;
}

static double compared(const struct row *row, int side, double (*with)(double ours, double other))
{
	struct samples pairs = row->sides[OURS];

	if (pairs.count != row->sides[side].count)
		return with(row_median(row, OURS), row_median(row, side));
	for (unsigned i = 0; i < pairs.count; i++)
		pairs.values[i] = with(pairs.values[i], row->sides[side].values[i]);
	return median(pairs);
}

static double ratio(const struct row *row, int side)
{
	return compared(row, side, quotient);
}

/* How many times better than QEMU. */
static double lead(const struct row *row)
{
	double r = ratio(row, QEMU);

	return row->more_is_better || r == 0 ? r : 1 / r;
}

int row_verdict(const struct row *row)
{
	double ours = row_median(row, OURS), bare = ratio(row, BARE), qemu = lead(row);
	bool told = false, met = true;

	if (ours == 0)
		return -1;
	if (row->of_bare != 0 && bare != 0) {
		told = true;
		met &= row->more_is_better ? bare >= row->of_bare : bare <= row->of_bare;
	}
	if (row->of_qemu != 0 && qemu != 0) {
		told = true;
		met &= qemu >= row->of_qemu;
	}
	if (row->at_most != 0) {
		told = true;
		met &= ours <= row->at_most;
	}
	if (row->above_bare != 0 && bare != 0) {
		told = true;
		met &= compared(row, BARE, difference) <= row->above_bare;
	}
	return told ? met : -1;
}

static bool row_has_goal(const struct row *row)
{
	return row->of_bare != 0 || row->of_qemu != 0 || row->at_most != 0 || row->above_bare != 0;
}

static void print_goal(const struct row *row)
{
	const char *sign = row->more_is_better ? ">=" : "<=", *gap = "";

	if (row->of_bare != 0) {
		printf("%s %.2f x bare", sign, row->of_bare);
		gap = ", ";
	}
	if (row->of_qemu != 0) {
		printf("%s>= %.0f x QEMU", gap, row->of_qemu);
		gap = ", ";
	}
	if (row->at_most != 0) {
		printf("%s<= %.0f %s", gap, row->at_most, row->unit);
		gap = ", ";
	}
	if (row->above_bare != 0)
		printf("%s<= bare + %.2f %s (it is %+.2f)", gap, row->above_bare, row->unit,
		       compared(row, BARE, difference));
}

static void print_value(const struct row *row, int side)
{
	if (row->sides[side].count)
		printf(" %10.2f", row_median(row, side));
	else
		printf(" %10s", "-");
}

void report_table(const struct row *rows, unsigned count)
{
	static const char *const verdicts[] = { "goal not told", "MISSED", "met" };

	printf("%-4s %-46s %-8s %10s %10s %10s  %6s  %6s  %s\n", "goal", "what", "unit", "vmdeck",
	       "bare", "qemu", "/bare", "qemu x", "result");
	for (const struct row *row = rows; row < rows + count; row++) {
		printf("%-4s %-46s %-8s", row->goal, row->what, row->unit);
		for (int side = 0; side < SIDES; side++)
			print_value(row, side);
		printf("  %6.3f  %6.2f  ", ratio(row, BARE), lead(row));
		if (row_has_goal(row)) {
			printf("%s: ", verdicts[row_verdict(row) + 1]);
			print_goal(row);
		}
		if (row->note)
			printf("; %s", row->note);
		if (row->others > DISTURBED)
			printf("; DISTURBED: others used %.0f %% of a CPU", 100 * row->others);
		printf("\n");
	}
}

void report_json(const struct row *rows, unsigned count)
{
	static const char *const verdicts[] = { "null", "false", "true" };

	printf("{\"rows\":[");
	for (const struct row *row = rows; row < rows + count; row++) {
		printf("%s{\"goal\":\"%s\",\"what\":\"%s\",\"unit\":\"%s\"", row == rows ? "" : ",",
		       row->goal, row->what, row->unit);
		for (int side = 0; side < SIDES; side++)
			if (row->sides[side].count)
				printf(",\"%s\":%.4f", side_names[side], row_median(row, side));
		printf(",\"samples\":%u,\"of_bare\":%.4f,\"above_bare\":%.4f,\"times_qemu\":%.4f,\"met\":%s,"
		       "\"others\":%.4f,\"disturbed\":%s}",
		       row->sides[OURS].count, ratio(row, BARE), compared(row, BARE, difference),
		       lead(row),
		       verdicts[row_verdict(row) + 1], row->others,
		       row->others > DISTURBED ? "true" : "false");
	}
	printf("]}\n");
}
