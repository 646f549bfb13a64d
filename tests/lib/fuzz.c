/*
 * Runs a fuzz target without libFuzzer: over the files named as arguments, or
 * over mutations of its seeds, FUZZ_ROUNDS of them (default 4000). With "--seeds FOLDER" it
 * writes the seeds there, for libFuzzer to begin with.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536

/* xorshift64*, so that every run sees the same inputs. */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ull;
}

/* Changes, removes, doubles or inserts a few bytes. Returns the new size. */
static size_t mutate(uint8_t *data, size_t size, uint64_t *state)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff, '\n', '=', '[', ']', '"', '\\' };
	unsigned times = 1 + (unsigned)(random_next(state) % 6);

	while (times--) {
		size_t at = size ? random_next(state) % size : 0;
		size_t n = size ? 1 + random_next(state) % (size - at) : 0;

		switch (random_next(state) % 5) {
		case 0:
			if (size)
				data[at] = (uint8_t)random_next(state);
			break;
		case 1:
			if (size)
				data[at] = values[random_next(state) % sizeof(values)];
			break;
		case 2:
			if (n > 16)
				n = 16;
			memmove(data + at, data + at + n, size - at - n);
			size -= n;
			break;
		case 3:
			if (size + n > INPUT_MAX)
				break;
			memmove(data + at + n, data + at, size - at);
			size += n;
			break;
		default:
			if (size == INPUT_MAX)
				break;
			memmove(data + at + 1, data + at, size - at);
			data[at] = values[random_next(state) % sizeof(values)];
			size++;
		}
	}
	return size;
}

/* The input is given in a block of its own size, so that a sanitizer sees its end. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int feed_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	feed(data, size);
	return 0;
}

static int write_seeds(const char *folder)
{
	char path[4096];

	for (unsigned i = 0; fuzz_seeds[i].data; i++) {
		FILE *file;
		bool whole;

		snprintf(path, sizeof(path), "%s/seed%u", folder, i);
		file = fopen(path, "wb");
		whole = file && fwrite(fuzz_seeds[i].data, 1, fuzz_seeds[i].size, file) ==
					fuzz_seeds[i].size;
		if (!file || fclose(file) || !whole) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static uint8_t data[INPUT_MAX];
	const char *given = getenv("FUZZ_ROUNDS");
	size_t round, rounds = given ? strtoul(given, NULL, 10) : 4000;
	uint64_t state = 88172645463325252ull;
	size_t seeds = 0, size;
	int i, failed = 0;

	if (argc == 3 && !strcmp(argv[1], "--seeds"))
		return write_seeds(argv[2]);
	for (i = 1; i < argc; i++)
		failed |= feed_file(argv[i]);
	if (argc > 1)
		return failed;
	for (; fuzz_seeds[seeds].data; seeds++)
		feed(fuzz_seeds[seeds].data, fuzz_seeds[seeds].size);
	for (round = 0; seeds && round < rounds; round++) {
		const struct fuzz_seed *seed = &fuzz_seeds[round % seeds];

		size = seed->size < INPUT_MAX ? seed->size : INPUT_MAX;
		memcpy(data, seed->data, size);
		feed(data, mutate(data, size, &state));
	}
	printf("%zu inputs\n", rounds + seeds);
	return 0;
}
