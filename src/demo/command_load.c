/*
 * Commands that use disk, memory, CPUs and exits. CPU 0, tasks.
 */
#include "clock.h"
#include "command.h"
#include "console.h"
#include "cpu.h"
#include "disk.h"
#include "machine.h"
#include "memory.h"
#include "nic.h"
#include "task.h"
#include "uart.h"
#include "virtio.h"

#define CHUNK DISK_TRANSFER_MAX
#define AREA 4096u /* writes leave the marker's block alone */

static uint32_t sector_seed(uint64_t sector, uint32_t seed)
{
	return ((uint32_t)sector * 2654435761u ^ (uint32_t)(sector >> 32) ^ seed) | 1;
}

void pattern_fill(uint8_t *buffer, uint64_t offset, uint32_t length, uint32_t seed)
{
	for (uint32_t at = 0; at + SECTOR <= length; at += SECTOR) {
		uint32_t state = sector_seed((offset + at) / SECTOR, seed), word;

		for (unsigned i = 0; i < SECTOR; i += 4) {
			word = random_next(&state);
			memcpy(buffer + at + i, &word, 4);
		}
	}
}

bool pattern_matches(const uint8_t *buffer, uint64_t offset, uint32_t length, uint32_t seed)
{
	uint8_t wanted[SECTOR];

	for (uint32_t at = 0; at + SECTOR <= length; at += SECTOR) {
		pattern_fill(wanted, offset + at, SECTOR, seed);
		if (memcmp(wanted, buffer + at, SECTOR) != 0)
			return false;
	}
	return true;
}

static const char *disk_piece(const char *what, uint64_t offset, uint8_t *buffer, uint32_t length)
{
	const char *why;

	if (strcmp(what, "write") == 0) {
		pattern_fill(buffer, offset, length, 1);
		return disk_transfer(DISK_WRITE, offset, buffer, length);
	}
	why = disk_transfer(DISK_READ, offset, buffer, length);
	if (why == NULL && strcmp(what, "verify") == 0 &&
	    !pattern_matches(buffer, offset, length, 1))
		why = "the data differ from what \"disk write\" writes";
	return why;
}

bool command_disk(unsigned count, char **words)
{
	bool write = strcmp(words[1], "write") == 0;
	uint64_t offset, bytes, done = 0, start = clock_now(), time;
	const char *why = NULL;
	uint8_t *buffer;

	if ((!write && strcmp(words[1], "read") != 0 && strcmp(words[1], "verify") != 0) ||
	    !parse_number(words[2], true, &offset) || !parse_number(words[3], true, &bytes) ||
	    (count > 4 && (!write || strcmp(words[4], "force") != 0)))
		return false;
	if (disk_size() != 0 && (offset > disk_size() || bytes > disk_size() - offset))
		return command_failed("disk", "beyond the end of the disk");
	buffer = disk_buffer();
	if (buffer == NULL)
		why = "no buffer is free";
	else if (write && count == 4)
		why = disk_size() == 0 ? "there is no disk" : disk_claim();
	while (why == NULL && (done < bytes || done == 0) && !command_stopped()) {
		why = disk_piece(words[1], offset + done, buffer, minimum(CHUNK, bytes - done));
		if (why == NULL)
			done += minimum(CHUNK, bytes - done);
		if (bytes == 0)
			break;
	}
	if (why == NULL && write)
		why = disk_transfer(DISK_FLUSH, 0, NULL, 0);
	disk_free(buffer);
	time = maximum((clock_now() - start) / 1000, 1);
	if (why != NULL)
		print("disk: %s at %lu: %s\n", words[1], offset + done, why);
	else
		print("disk: %s %lu bytes in %lu us: %lu bytes/s%s\n", words[1], done, time,
		      done * 1000000 / time, strcmp(words[1], "verify") == 0 ? ", right" : "");
	return true;
}

static void load_disk(bool write, uint64_t rate, uint64_t seconds)
{
	uint32_t length = maximum(4096, minimum(rate / 20 & -4096ull, CHUNK));
	uint64_t start = clock_now(), now, done = 0, offset = AREA, time, due;
	const char *why = disk_size() < AREA + CHUNK ? "the disk is too small" : NULL;
	uint8_t *buffer = disk_buffer();

	if (disk_size() == 0)
		why = "there is no disk";
	else if (buffer == NULL)
		why = "no buffer is free";
	else if (why == NULL && write)
		why = disk_claim();
	while (why == NULL && (now = clock_now()) < start + seconds * SECOND) {
		due = (now - start) / 1000 * rate / 1000000;
		if (done + length > due) {
			uint64_t next = start + (done + length) * 1000 / rate * 1000000 +
					(done + length) * 1000 % rate * 1000000 / rate;

			if (!command_sleep_until(minimum(next + 1000, start + seconds * SECOND)))
				break;
			continue;
		}
		if (write)
			pattern_fill(buffer, offset, length, 1);
		why = disk_transfer(write ? DISK_WRITE : DISK_READ, offset, buffer, length);
		done += length;
		offset += length;
		if (offset + length > disk_size())
			offset = AREA;
		if (command_stopped())
			break;
	}
	disk_free(buffer);
	time = maximum((clock_now() - start) / 1000, 1);
	if (!command_failed("load", why))
		print("load: disk-%s %lu bytes in %lu us: %lu bytes/s\n", write ? "write" : "read",
		      done, time, done * 1000000 / time);
}

bool command_load(unsigned count, char **words)
{
	bool net = strcmp(words[1], "net") == 0, write = strcmp(words[1], "disk-write") == 0;
	uint64_t rate, seconds;
	unsigned at = net ? 3 : 2;

	if (count != at + 2 || !parse_number(words[at], true, &rate) ||
	    !parse_number(words[at + 1], false, &seconds) || rate == 0 || rate > 1ull << 36 ||
	    seconds > 86400)
		return false;
	if (net)
		return load_net(words[2], rate, seconds);
	if (!write && strcmp(words[1], "disk-read") != 0)
		return false;
	load_disk(write, rate, seconds);
	return true;
}

bool command_mem(unsigned count, char **words)
{
	uint64_t mib, pages, start = clock_now(), wrong = 0;

	(void)count;
	if (!parse_number(words[1], false, &mib))
		return false;
	pages = mib < 1ull << 40 ? mib * 256 : UINT64_MAX;
	if (pages > memory_free_pages()) {
		print("mem: only %lu MiB are free\n", memory_free_pages() / 256);
		return true;
	}
	for (unsigned pass = 0; pass < 2; pass++) {
		for (uint64_t n = 0; n < pages && !command_stopped(); n++) {
			uint64_t *page = (uint64_t *)memory_free_page(n);

			for (unsigned i = 0; i < 512; i += 8) {
				if (pass == 0)
					page[i] = n * 512 + i;
				else
					wrong += page[i] != n * 512 + i;
			}
			if (n % 1024 == 1023)
				task_yield();
		}
	}
	print("mem: %lu MiB in %lu us, wrong words %lu\n", mib, (clock_now() - start) / 1000,
	      wrong);
	return true;
}

bool command_cpu(unsigned count, char **words)
{
	uint64_t percent, index;

	if (!parse_number(words[1], false, &percent) || percent > 100 ||
	    (count > 2 && !parse_number(words[2], false, &index)))
		return false;
	if (count > 2 && (index >= CPUS_MAX || !cpus[index].online)) {
		print("cpu: there is no vCPU %lu\n", index);
		return true;
	}
	for (unsigned i = 0; i < CPUS_MAX; i++)
		if (cpus[i].online && (count == 2 || i == index))
			cpu_set_load(i, percent * 10);
	return true;
}

bool command_exits(unsigned count, char **words)
{
	bool mmio = count > 2 && strcmp(words[2], "mmio") == 0;
	const struct virtio *device = nic_present() ? nic_device() : disk_device();
	uint64_t number, start, time;

	if (!parse_number(words[1], true, &number) || (count > 2 && !mmio) || number == 0)
		return false;
	if (mmio && device->common == 0) {
		print("exits: there is no virtio device\n");
		return true;
	}
	start = clock_now();
	for (uint64_t i = 0; i < number && !command_stopped(); i++) {
		if (mmio)
			mmio_read8(device->common + VIRTIO_STATUS);
		else
			in8(UART_PORT + 7);
		/* The console's ^C gets a turn now and then. */
		if (i % 65536 == 65535)
			task_yield();
	}
	time = clock_now() - start;
	print("exits: %lu %s reads in %lu us: %lu ns each\n", number, mmio ? "mmio" : "port",
	      time / 1000, time / number);
	return true;
}
