/* What the benchmark programs share: host memory, and lines that the driver reads. */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* A number of kB behind key in a file of /proc, in bytes; 0 when it is not there. */
static inline uint64_t proc_bytes(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	uint64_t value = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			sscanf(line + strlen(key), ": %" SCNu64, &value);
	if (file)
		fclose(file);
	return value << 10;
}

#define SETTLE_US 200000 /* before memory is looked at */

struct footprint {
	uint64_t available; /* bytes that the host could still give */
	uint64_t resident;  /* bytes of this process in memory */
};

static inline struct footprint footprint_now(void)
{
	return (struct footprint){ proc_bytes("/proc/meminfo", "MemAvailable"),
				   proc_bytes("/proc/self/smaps_rollup", "Rss") };
}

/* Memory of each of count further machines, their RAM (ram bytes resident in all) apart. */
static inline void print_kept(uint64_t ns, unsigned count, uint64_t ram,
			      const struct footprint *before, const struct footprint *after)
{
	int64_t host = (int64_t)(before->available - after->available - ram);
	int64_t user = (int64_t)(after->resident - before->resident - ram);

	printf("kept %" PRIu64 " %" PRId64 " %" PRId64 "\n", ns, host / count, user / count);
}

/* Many machines need many files. */
static inline void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

#endif
