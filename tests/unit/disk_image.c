/* Images before a start: what they are, whether they can be opened, and what is said if not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <errno.h>

#include <cmocka.h>

#include "base/checked.h"
#include "core/disk/check.h"
#include "core/disk/lock.h"
#include "core/disk/open.h"
#include "loop_device.h"
#include "scratch.h"

#define IMAGE_SIZE (1u << 20)

static int setup(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	*state = scratch;
	return scratch && !scratch_create(scratch) ? scratch_image(scratch, "x.img", IMAGE_SIZE) :
						     -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.img", "y.img", "link.img", "fifo", NULL };
	int r = scratch_remove(*state, files);

	free(*state);
	return r;
}

static void expect_cause(struct scratch *scratch, int error, const char *words)
{
	struct disk_config config = { .name = "disk0", .path = scratch->path };
	struct cause cause = { "" };
	struct disk_file file;

	assert_int_equal(disk_file_open(&file, &config, &cause), -error);
	assert_int_equal(file.fd, -1);
	assert_memory_equal(cause.text, scratch->path, strlen(scratch->path));
	if (!strstr(cause.text, words))
		fail_msg("'%s' does not say '%s'", cause.text, words);
}

static void causes_say_what_to_do(void **state)
{
	struct scratch *scratch = *state;
	char text[1000];

	memset(text, 'a', sizeof(text));
	snprintf(scratch->path, sizeof(scratch->path), "%s/none.img", scratch->folder);
	expect_cause(scratch, ENOENT, "does not exist; make one with truncate");
	snprintf(scratch->path, sizeof(scratch->path), "%s", scratch->folder);
	expect_cause(scratch, EINVAL, "is a directory");
	snprintf(scratch->path, sizeof(scratch->path), "%s/fifo", scratch->folder);
	assert_int_equal(mkfifo(scratch->path, 0600), 0);
	expect_cause(scratch, EINVAL, "neither a file nor a block device");
	scratch_image(scratch, "y.img", 0);
	expect_cause(scratch, EINVAL, "is empty; give it a size");
	scratch_image(scratch, "y.img", 1000);
	expect_cause(scratch, EINVAL, "has 1000 bytes, which is no multiple of 512");
	scratch_image(scratch, "y.img", 511);
	expect_cause(scratch, EINVAL, "has only 511 bytes, less than a sector, so it is no raw image");
	scratch_write(scratch->path, "hello\n", 6);
	expect_cause(scratch, EINVAL, "is a text file, so it is no raw image; correct the path");
	scratch_write(scratch->path, text, sizeof(text));
	expect_cause(scratch, EINVAL, "is a text file");
	/* The first sector says what it is; an image of text in whole sectors may be one. */
	text[511] = 0;
	scratch_write(scratch->path, text, sizeof(text));
	expect_cause(scratch, EINVAL, "round it up with truncate");
}

/* What the images of other kinds have where, and words of what is said of them. */
static const struct {
	off_t offset;
	const char *bytes;
	size_t length;
	const char *says;
	bool readable;
} formats[] = {
#define BYTES(text) text, sizeof(text) - 1
	{ 0, BYTES("QFI\xfb"), "is a qcow2 image; set format=qcow2, or set format=raw", false },
	{ 0, BYTES("QFI\xfb\0\0\0\x01"), "is a QCOW image; convert it with qemu-img", false },
	{ 0, BYTES("QED\0"), "is a QED image", false },
	{ 0, BYTES("KDMV"), "is a VMDK image", false },
	{ 0, BYTES("COWD"), "is a VMDK image", false },
	{ 0, BYTES("# Disk DescriptorFile"), "is the description of a VMDK image", false },
	{ 64, BYTES("\x7f\x10\xda\xbe"), "is a VDI image", false },
	{ 0, BYTES("conectix"), "is a VHD image", false },
	{ IMAGE_SIZE - 512, BYTES("conectix"), "is a VHD image", false },
	{ 0, BYTES("vhdxfile"), "is a VHDX image", false },
	{ IMAGE_SIZE - 512, BYTES("koly"), "is an Apple disk image; convert it", false },
	{ 0, BYTES("WithoutFreeSpace"), "is a Parallels image", false },
	{ 0, BYTES("WithouFreSpacExt"), "is a Parallels image", false },
	{ 0, BYTES("#!/bin/sh\n#V2.0 Format\n"), "is a cloop image; convert it", false },
	{ 0, BYTES("Bochs Virtual HD Image"), "is a Bochs image; convert it", false },
	{ 0, BYTES("OOOM\0\0\0\2"), "is a layer of User Mode Linux; join it with its", false },
	{ 0, BYTES("\x3a\xff\x26\xed"), "is an Android sparse image; unpack it with simg2img", false },
	{ 0, BYTES("MSWIM\0\0\0"), "is a WIM archive; unpack it", false },
	{ 0, BYTES("EVF\x09\r\n\xff\0"), "is an EWF image; unpack it with ewfexport", false },
	{ 0, BYTES("EVF2\r\n\x81\0"), "is an EWF image", false },
	{ 0, BYTES("LUKS\xba\xbe"), "is encrypted with LUKS; set format=luks, or", false },
	{ 0, BYTES("\x1f\x8b\x08"), "is compressed with gzip; unpack it", false },
	{ 0, BYTES("BZh9"), "is compressed with bzip2", false },
	{ 0, BYTES("\xfd" "7zXZ\0"), "is compressed with xz", false },
	{ 0, BYTES("\x28\xb5\x2f\xfd"), "is compressed with zstd", false },
	{ 0, BYTES("\x04\x22\x4d\x18"), "is compressed with lz4", false },
	{ 0, BYTES("\x5d\0\0\x80\0"), "is compressed with lzma", false },
	{ 0, BYTES("LZIP\x01"), "is compressed with lzip; unpack it with lzip -d", false },
	{ 0, BYTES("\x89LZO\0\r\n\x1a\n"), "is compressed with lzop", false },
	{ 0, BYTES("\x1f\x9d\x90"), "is compressed with compress", false },
	{ 0, BYTES("Rar!\x1a\x07\x01\0"), "is a RAR archive", false },
	{ 0, BYTES("PK\x03\x04"), "is a zip archive; unpack it", false },
	{ 0, BYTES("7z\xbc\xaf\x27\x1c"), "is a 7z archive", false },
	{ 32769, BYTES("CD001"), "is an image of a CD; set readonly=yes", true },
};

static void make_image(struct scratch *scratch, unsigned format)
{
	int fd;

	scratch_image(scratch, "y.img", IMAGE_SIZE);
	fd = open(scratch->path, O_WRONLY);
	assert_int_equal(pwrite(fd, formats[format].bytes, formats[format].length,
				formats[format].offset), formats[format].length);
	close(fd);
}

/* What a drive's medium is to be is no disk that somebody could make or a key describe. */
static void causes_of_media(void **state)
{
	struct scratch *scratch = *state;
	struct disk_config config = { .name = "disk1", .path = scratch->path, .readonly = true,
				      .cdrom = true };
	struct cause cause = { "" };
	struct disk_file file;

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		make_image(scratch, i);
		assert_int_equal(disk_file_open(&file, &config, &cause),
				 formats[i].readable ? 0 : -EINVAL);
		if (formats[i].readable)
			disk_file_close(&file);
		else
			assert_true(strstr(cause.text, "; name the image of a CD") ||
				    strstr(cause.text, "; unpack it with"));
	}
	scratch_write(scratch->path, "hello\n", 6);
	assert_int_equal(disk_file_open(&file, &config, &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "is a text file, so it is no raw image; name the image"));
	scratch_image(scratch, "y.img", 1000);
	assert_int_equal(disk_file_open(&file, &config, &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "has 1000 bytes, which is no multiple of 512; name the"));
	scratch_image(scratch, "y.img", 0);
	assert_int_equal(disk_file_open(&file, &config, &cause), -EINVAL);
	assert_non_null(strstr(cause.text, "is empty; name the image of a CD"));
}

/* A guest would take the header of another kind of image for its data, and write over it. */
static void other_formats_are_no_raw_images(void **state)
{
	struct scratch *scratch = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		make_image(scratch, i);
		expect_cause(scratch, EINVAL, formats[i].says);
		expect_cause(scratch, EINVAL, "or set format=raw");
	}
}

static void whoever_says_raw_is_warned(void **state)
{
	struct scratch *scratch = *state;
	struct disk_config config = { .name = "disk0", .path = scratch->path, .raw = true };
	struct disk_file file;
	struct cause warning;

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		make_image(scratch, i);
		for (unsigned readonly = 0; readonly < 2; readonly++) {
			config.readonly = readonly;
			assert_int_equal(disk_file_open(&file, &config, &warning), 0);
			disk_file_close(&file);
			if (readonly && formats[i].readable)
				assert_string_equal(warning.text, "");
			else
				assert_non_null(strstr(warning.text, "with format=raw the guest"));
		}
	}
	make_image(scratch, 0);
	assert_int_equal(truncate(scratch->path, 1000), 0);
	assert_int_equal(disk_file_open(&file, &config, &warning), -EINVAL);
	assert_non_null(strstr(warning.text, "is a qcow2 image, and its 1000 bytes are no multiple"));
	assert_null(strstr(warning.text, "truncate"));
	scratch_image(scratch, "y.img", IMAGE_SIZE);
	assert_int_equal(disk_file_open(&file, &config, &warning), 0);
	disk_file_close(&file);
	assert_string_equal(warning.text, "");
}

static void readonly_devices_are_not_written_to(void **state)
{
	struct scratch *scratch = *state;
	char path[32], image[sizeof(scratch->path)];
	struct disk_config config = { .name = "disk0", .path = path, .readonly = true };
	struct disk_file file;

	strcpy(image, scratch->path);
	if (!loop_device_attach(image, true, path))
		skip();
	strcpy(scratch->path, path);
	expect_cause(scratch, EROFS, "is a read-only device; set readonly=yes");
	assert_int_equal(disk_file_open(&file, &config, NULL), 0);
	assert_int_equal(file.size, IMAGE_SIZE);
	disk_file_close(&file);
	loop_device_detach(path);
}

static const struct disk_config configs[] = {
	{ .name = "disk0", .path = "x.img" },
	{ .name = "disk1", .path = "y.img", .raw = true },
	{ .name = "disk2", .path = "none.img" },
};

static void take_finding(void *arg, unsigned number, bool warning, const char *text)
{
	unsigned *found = arg;

	assert_int_equal(number, ++*found);
	assert_int_equal(warning, number == 1);
	assert_memory_equal(text, configs[number].path, strlen(configs[number].path));
	assert_non_null(strstr(text, number == 1 ? "is a qcow2 image; with format=raw" :
						   "does not exist; make one with truncate"));
}

/* "vmdeck check" looks as a start does. */
static void checked_as_at_a_start(void **state)
{
	struct scratch *scratch = *state;
	unsigned found = 0;
	char *folder = getcwd(NULL, 0);

	make_image(scratch, 0);
	assert_int_equal(chdir(scratch->folder), 0);
	disk_check(configs, ARRAY_SIZE(configs), take_finding, &found);
	assert_int_equal(found, 2);
	assert_int_equal(chdir(folder), 0);
	free(folder);
}

/* Root may write anything, so the test becomes somebody else. */
static void cause_of_missing_permission(void **state)
{
	struct scratch *scratch = *state;

	chmod(scratch->folder, 0755);
	chmod(scratch->path, 0444);
	if (!geteuid() && seteuid(65534) < 0)
		skip();
	expect_cause(scratch, EACCES, "no permission to write to it");
	if (!getuid())
		assert_int_equal(seteuid(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(causes_say_what_to_do),
		TEST(causes_of_media),
		TEST(other_formats_are_no_raw_images),
		TEST(whoever_says_raw_is_warned),
		TEST(readonly_devices_are_not_written_to),
		TEST(checked_as_at_a_start),
		TEST(cause_of_missing_permission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
