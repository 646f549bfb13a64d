/*
 * libFuzzer: the records of all devices, saved of a guest in the middle of its work and
 * then changed: each three bytes of the input are an offset and what stands there. What
 * is loaded all the same meets a guest that touches everything.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/device_bench.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }

/* In the order of the table: the serial port begins at 56, the VGA ends at the end. */
const struct fuzz_seed fuzz_seeds[] = {
	SEED(""),
	SEED("\x38\x00\x0f\x40\x00\x01\x42\x00\x10"),
	SEED("\x00\x06\xff\x10\x06\xff\x20\x06\x00\x40\x06\x81"),
	SEED("\x00\x0a\x01\x80\x0a\x02\xc0\x0a\x04\x00\x0b\x08\x80\x0b\x10"),
	SEED("\x00\x0c\xff\x80\x0c\xff\x00\x0d\xff\x80\x0d\xff\x00\x0e\xff\x80\x0e\xff"),
	{ NULL, 0 },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device_bench bench;
	static struct bench_saved saved;
	static int disk_fd = -1;
	struct cause cause;
	uint8_t *copy;

	if (!saved.data) {
		disk_fd = bench_disk_file();
		saved = bench_save(disk_fd);
	}
	copy = malloc(saved.size);
	if (!copy)
		abort();
	memcpy(copy, saved.data, saved.size);
	for (; size >= 3; data += 3, size -= 3)
		copy[(data[0] | data[1] << 8) % saved.size] = data[2];
	bench_create(&bench, disk_fd);
	if (!bench_load(&bench, saved.ram, copy, saved.size, &cause))
		bench_drive(&bench);
	bench_destroy(&bench);
	free(copy);
	return 0;
}
