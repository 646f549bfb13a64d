/*
 * A fuzz target is one function and a few inputs to begin with. Linked with
 * tests/lib/fuzz.c it is a test that feeds it those inputs, changed in a way
 * that is the same in every run; built by clang with -fsanitize=fuzzer it is
 * a libFuzzer program ("make fuzz").
 */
#ifndef TESTS_LIB_FUZZ_H
#define TESTS_LIB_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Takes any bytes and returns 0; it must neither crash nor hang. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_seed {
	const void *data;
	size_t size;
};

extern const struct fuzz_seed fuzz_seeds[]; /* ends with data NULL */

/* What must hold of any input, or the program ends. */
#define REQUIRE(condition)                                                        \
	do {                                                                      \
		if (!(condition)) {                                               \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                  \
		}                                                                 \
	} while (0)

#endif
