/* Headers of qcow2 images: those of others, which may say anything, and one of our own. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/disk/qcow2.h"

#define GIB (1ull << 30)

static int make_file(void)
{
	int fd = memfd_create("qcow2", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void what_is_made_can_be_read(void **state)
{
	/* To a sector, to an entry of the L1 table, to a cluster of it, and beyond. */
	static const uint64_t sizes[] = { 512, GIB / 2, GIB / 2 + 512, 4096 * GIB, 4096 * GIB + 512,
					  1ull << 50 };

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = make_file();
		struct qcow2_header header;
		struct cause cause;
		struct stat st;

		assert_int_equal(qcow2_create(fd, sizes[i], "/a/base, it is", "raw"), 0);
		assert_int_equal(qcow2_read(&header, fd, "x", &cause), 0);
		assert_true(header.size == sizes[i]);
		assert_false(header.has_data_file);
		assert_string_equal(header.backing, "/a/base, it is");
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size % 65536, 0);
		close(fd);
	}
}

static void what_is_too_large_is_not_made(void **state)
{
	char name[QCOW2_NAME_MAX + 2];
	int fd = make_file();

	(void)state;
	assert_int_equal(qcow2_create(fd, 1ull << 60, "/base", "raw"), -EFBIG);
	assert_int_equal(qcow2_create(fd, UINT64_MAX, "/base", "raw"), -EFBIG);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(qcow2_create(fd, GIB, name, "raw"), -ENAMETOOLONG);
	assert_int_equal(qcow2_create(fd, GIB, name + 1, "raw"), 0);
	close(fd);
}

static void lies_are_found(void **state)
{
	static const struct {
		unsigned offset;
		uint8_t byte;
		const char *said;
	} rows[] = {
		{ 0, 0, "x: its header makes no sense; look at it with vmdeck disk check" },
		{ 7, 4, "x: its header makes no sense; look at it with vmdeck disk check" },
		{ 7, 1, "x: its header makes no sense; look at it with vmdeck disk check" },
		{ 23, 8, "x: its header makes no sense; look at it with vmdeck disk check" },
		{ 23, 22, "x: its header makes no sense; look at it with vmdeck disk check" },
		{ 24, 0x7f, "x: it says that it is larger than any disk; look at it with vmdeck "
			    "disk check" },
		{ 8, 0x80, "x: the name of what it is based on is cut off; look at it with vmdeck "
			   "disk check" },
		{ 12, 1, "x: the name of what it is based on is cut off; look at it with vmdeck "
			 "disk check" },
		{ 18, 0x04, "x: the name of what it is based on is cut off; look at it with vmdeck "
			    "disk check" },
		{ 19, 6, "x: the name of what it is based on is none; look at it with vmdeck disk "
			 "check" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = make_file();
		struct qcow2_header header;
		struct cause cause;

		assert_int_equal(qcow2_create(fd, GIB, "/base", "raw"), 0);
		assert_int_equal(pwrite(fd, &rows[i].byte, 1, rows[i].offset), 1);
		assert_int_equal(qcow2_read(&header, fd, "x", &cause), -EINVAL);
		assert_string_equal(cause.text, rows[i].said);
		close(fd);
	}
}

/* Its extensions are the format of what it is based on, and the name of the file. */
static void what_has_its_data_elsewhere_says_so(void **state)
{
	static const uint8_t extension[] = "DATA\0\0\0\4file\0\0\0\0\0\0\0\0\0\0\0";
	const uint8_t data_file = 4;
	int fd = make_file();
	struct qcow2_header header;
	struct cause cause;

	(void)state;
	assert_int_equal(qcow2_create(fd, GIB, "/base", "raw"), 0);
	assert_int_equal(pwrite(fd, &data_file, 1, 79), 1);
	assert_int_equal(qcow2_read(&header, fd, "x", &cause), -EINVAL);
	assert_string_equal(cause.text, "x: it does not name the file with its data; look at it "
			    "with vmdeck disk check");
	/* It takes the place of the name of what it was based on. */
	assert_int_equal(pwrite(fd, extension, sizeof(extension), 104 + 16), sizeof(extension));
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 16), 4);
	assert_int_equal(qcow2_read(&header, fd, "x", &cause), 0);
	assert_true(header.has_data_file);
	assert_string_equal(header.data_file, "file");
	close(fd);
}

/* The header of version 2 is a part of that of version 3. */
static void a_header_is_there_as_a_whole(void **state)
{
	static const struct {
		uint8_t version;
		off_t whole;
	} rows[] = { { 2, 72 }, { 3, 104 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = make_file();
		struct qcow2_header header;
		struct cause cause;

		assert_int_equal(qcow2_create(fd, GIB, "/base", "raw"), 0);
		assert_int_equal(pwrite(fd, &rows[i].version, 1, 7), 1);
		assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 16), 4);
		assert_int_equal(ftruncate(fd, rows[i].whole), 0);
		assert_int_equal(qcow2_read(&header, fd, "x", &cause), 0);
		assert_int_equal(ftruncate(fd, rows[i].whole - 1), 0);
		assert_int_equal(qcow2_read(&header, fd, "x", &cause), -EINVAL);
		assert_string_equal(cause.text, "x: the image is cut off; look at it with vmdeck "
				    "disk check");
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_can_be_read),
		cmocka_unit_test(what_is_too_large_is_not_made),
		cmocka_unit_test(lies_are_found),
		cmocka_unit_test(what_has_its_data_elsewhere_says_so),
		cmocka_unit_test(a_header_is_there_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
