/* Series of samples, from the counters of a machine. Deck thread. */
#include "core/deck/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/deck/stats_private.h"

/* The counters behind the fields, in the order of enum stats_field. */
enum {
	COUNTER_READ_BYTES, COUNTER_WRITE_BYTES, COUNTER_READS, COUNTER_WRITES,
	COUNTER_IN_BYTES, COUNTER_OUT_BYTES, COUNTER_IN_FRAMES, COUNTER_OUT_FRAMES,
	COUNTER_EXITS, COUNTER_COUNT
};

_Static_assert(STATS_EXITS - STATS_DISK_READ + 1 == COUNTER_COUNT, "a field for each counter");

/* Only a guest with a balloon has these, and the room for them. */
#define VIEW_FIRST STATS_GUEST_TOTAL
#define VIEW_FIELDS (STATS_VCPU - VIEW_FIRST)

struct stats_series {
	unsigned cpus;
	bool view; /* of its memory by the guest itself */
	uint64_t count;
	uint64_t last_ns;
	uint64_t counters[COUNTER_COUNT];
	uint64_t forged;
	uint64_t *cpu_ns; /* of each vCPU */
	float *samples;	/* STATS_HISTORY rows of columns() */
	struct spans *spans; /* from the first sample of a guest that runs on */
};

static unsigned columns(const struct stats_series *series)
{
	return STATS_VCPU + series->cpus - (series->view ? 0 : VIEW_FIELDS);
}

/* Where a field is in a row; STATS_NONE: it has no such field. */
static unsigned column_of(const struct stats_series *series, unsigned field)
{
	if (field >= stats_fields(series))
		return STATS_NONE;
	if (series->view || field < VIEW_FIRST)
		return field;
	return field < STATS_VCPU ? STATS_NONE : field - VIEW_FIELDS;
}

struct stats_series *stats_new(unsigned cpus, bool view)
{
	struct stats_series *series = calloc(1, sizeof(*series));

	if (!series)
		return NULL;
	series->cpus = cpus;
	series->view = view;
	series->cpu_ns = calloc(cpus, sizeof(*series->cpu_ns));
	series->samples = calloc((size_t)STATS_HISTORY * columns(series), sizeof(float));
	if (!series->cpu_ns || !series->samples) {
		stats_free(series);
		return NULL;
	}
	return series;
}

void stats_free(struct stats_series *series)
{
	if (!series)
		return;
	free(series->cpu_ns);
	free(series->samples);
	spans_free(series->spans);
	free(series);
}

static void collect(const struct machine_counters *machine, uint64_t counters[COUNTER_COUNT])
{
	const struct device_counters *devices = &machine->devices;

	counters[COUNTER_READ_BYTES] = devices->read_bytes;
	counters[COUNTER_WRITE_BYTES] = devices->write_bytes;
	counters[COUNTER_READS] = devices->read_requests;
	counters[COUNTER_WRITES] = devices->write_requests;
	counters[COUNTER_IN_BYTES] = devices->in_bytes;
	counters[COUNTER_OUT_BYTES] = devices->out_bytes;
	counters[COUNTER_IN_FRAMES] = devices->in_frames;
	counters[COUNTER_OUT_FRAMES] = devices->out_frames;
	counters[COUNTER_EXITS] = 0;
	for (unsigned i = 0; i < VCPU_EXIT_REASONS; i++)
		counters[COUNTER_EXITS] += machine->exits[i];
}

/* What was added per second; a counter that went back began anew with the machine. */
static float rate(uint64_t now, uint64_t *before, double seconds)
{
	uint64_t added = now >= *before ? now - *before : now;

	*before = now;
	return (float)((double)added / seconds);
}

static void sample_view(const struct stats_series *series, struct machine *machine, float *row)
{
	struct device_memory memory;

	if (!series->view)
		return;
	machine_memory_view(machine, false, &memory);
	row[column_of(series, STATS_GUEST_TOTAL)] = (float)memory.stats[MEMORY_TOTAL];
	row[column_of(series, STATS_GUEST_AVAILABLE)] = (float)memory.stats[MEMORY_AVAILABLE];
}

/* To ask the kernel which pages it holds is dearer than all else: every other sample does. */
static float sample_memory(const struct stats_series *series, struct machine *machine)
{
	float before = series->count % 2 ? stats_last(series, STATS_MEMORY) : 0;

	return before > 0 ? before : (float)machine_memory(machine);
}

/* values: the fields of all guests stand first in a row. NULL: it does not run. */
static void add_to_spans(struct stats_series *series, const float *values, uint64_t now_ns)
{
	if (!series->spans && values)
		series->spans = spans_new();
	if (series->spans)
		spans_add(series->spans, values, now_ns);
}

_Static_assert(VIEW_FIRST == SPAN_FIELDS, "what spans keep comes first");

void stats_sample(struct stats_series *series, struct machine *machine, uint64_t now_ns)
{
	unsigned fields = columns(series), vcpu = column_of(series, STATS_VCPU);
	float *row = series->samples + (series->count % STATS_HISTORY) * fields;
	double seconds = (double)(now_ns - series->last_ns) / (double)NS_PER_S;
	struct machine_counters counters;
	uint64_t now[COUNTER_COUNT];

	memset(row, 0, fields * sizeof(*row));
	series->forged = 0;
	if (machine && machine_sample(machine, &counters) && seconds > 0) {
		row[STATS_MEMORY] = sample_memory(series, machine);
		collect(&counters, now);
		series->forged = counters.devices.forged_frames;
		for (unsigned i = 0; i < COUNTER_COUNT; i++)
			row[STATS_DISK_READ + i] = rate(now[i], &series->counters[i], seconds);
		for (unsigned i = 0; i < series->cpus && i < counters.cpus; i++) {
			row[vcpu + i] = rate(counters.cpu_ns[i], &series->cpu_ns[i],
						   seconds * (double)NS_PER_S / 100);
			row[STATS_CPU] += row[vcpu + i];
		}
		/* The first sample has nothing to be compared with. */
		if (!series->last_ns)
			for (unsigned i = 0; i < fields; i++)
				row[i] = i == STATS_MEMORY ? row[i] : 0;
		sample_view(series, machine, row);
		add_to_spans(series, row, now_ns);
	} else {
		add_to_spans(series, NULL, now_ns);
		memset(series->counters, 0, sizeof(series->counters));
		memset(series->cpu_ns, 0, series->cpus * sizeof(*series->cpu_ns));
	}
	series->last_ns = now_ns;
	series->count++;
}

uint64_t stats_forged(const struct stats_series *series)
{
	return series->forged;
}

unsigned stats_fields(const struct stats_series *series)
{
	return STATS_VCPU + series->cpus;
}

uint64_t stats_count(const struct stats_series *series)
{
	return series->count;
}

const struct spans *stats_spans(const struct stats_series *series)
{
	return series->spans;
}

float stats_last(const struct stats_series *series, unsigned field)
{
	unsigned column = column_of(series, field);

	if (!series->count || column == STATS_NONE)
		return 0;
	return series->samples[((series->count - 1) % STATS_HISTORY) * columns(series) + column];
}

size_t stats_history(const struct stats_series *series, unsigned field, float *out, size_t room)
{
	uint64_t have = series->count < STATS_HISTORY ? series->count : STATS_HISTORY;
	unsigned fields = columns(series), column = column_of(series, field);
	size_t n = have < room ? have : room;

	if (column == STATS_NONE)
		return 0;
	for (size_t i = 0; i < n; i++)
		out[i] = series->samples[((series->count - n + i) % STATS_HISTORY) * fields + column];
	return n;
}
