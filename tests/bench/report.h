/* Rows of the benchmark: samples of each side, medians, ratios, goals. One thread. */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include <stdbool.h>

#define ROW_SAMPLES 4096

enum { OURS, BARE, QEMU, SIDES };

struct samples {
	double values[ROW_SAMPLES];
	unsigned count;
};

struct row {
	const char *goal; /* its number in the list of goals */
	const char *what;
	const char *unit;
	bool more_is_better;
	double of_bare;	  /* goal: ours / bare at most (at least, if more is better); 0: none */
	double of_qemu;	  /* goal: how many times better than QEMU; 0: none */
	double at_most;	  /* goal: our value; 0: none */
	double above_bare; /* goal: ours - bare at most; 0: none */
	double others;	  /* part of one CPU that other programs used meanwhile */
	struct samples sides[SIDES];
	const char *note; /* or NULL */
};

/*
 * Samples of the same turn have the same number on each side, so that sides are compared in pairs,
 * which have met the same noise; where one side missed a turn the medians are compared.
 */
void row_add(struct row *row, int side, double value);
double row_median(const struct row *row, int side); /* 0 when there is no sample */

/* 1 the goal is met, 0 it is not, -1 it cannot be told. */
int row_verdict(const struct row *row);

/* A table for people, or one JSON object. */
void report_table(const struct row *rows, unsigned count);
void report_json(const struct row *rows, unsigned count);

#endif
