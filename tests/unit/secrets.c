/* Passphrases of encrypted disks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/disk/secrets.h"

static struct profile encrypted(const char *first, const char *second)
{
	return (struct profile){ .disks = {
		{ .present = true, .format = DISK_FORMAT_LUKS, .path = (char *)first },
		{ .present = true, .format = DISK_FORMAT_LUKS, .path = (char *)second },
		{ .present = true, .format = DISK_FORMAT_LUKS, .path = (char *)second,
		  .secret_file = (char *)first },
		{ .present = true, .format = DISK_FORMAT_QCOW2, .path = (char *)second },
	} };
}

static void assert_secret(const struct secrets *secrets, unsigned number, const char *path,
			  const char *text)
{
	char read_back[SECRET_MAX] = "";
	int fd;

	assert_int_equal(secrets_open(secrets, number, path, &fd), 0);
	if (!text) {
		assert_int_equal(fd, -1);
		return;
	}
	assert_int_equal(read(fd, read_back, sizeof(read_back)), strlen(text));
	assert_string_equal(read_back, text);
	close(fd);
}

static void one_is_kept_for_each_disk(void **state)
{
	const struct profile profile = encrypted("/a", "/b");
	struct secrets *secrets = NULL;
	struct cause cause;

	(void)state;
	assert_true(secrets_lack(NULL, &profile, 0));
	assert_false(secrets_lack(NULL, &profile, 2)); /* it is in a file */
	assert_false(secrets_lack(NULL, &profile, 3));
	assert_secret(NULL, 0, "/a", NULL);
	assert_int_equal(secrets_put(&secrets, 1, "/b", "a long one", &cause), 0);
	assert_int_equal(secrets_put(&secrets, 1, "/b", "short", &cause), 0);
	assert_true(secrets_lack(secrets, &profile, 0));
	assert_false(secrets_lack(secrets, &profile, 1));
	assert_secret(secrets, 0, "/a", NULL);
	assert_secret(secrets, 1, "/b", "short");
	secrets_free(&secrets);
	assert_null(secrets);
	secrets_free(&secrets);
}

static void another_image_has_another_one(void **state)
{
	const struct profile before = encrypted("/a", "/b"), after = encrypted("/a", "/c");
	struct secrets *secrets = NULL;
	struct cause cause;

	(void)state;
	assert_int_equal(secrets_put(&secrets, 0, "/a", "one", &cause), 0);
	assert_int_equal(secrets_put(&secrets, 1, "/b", "two", &cause), 0);
	/* Also where the one before it is to be kept, such as at a reset that may be taken back. */
	assert_true(secrets_lack(secrets, &after, 1));
	assert_secret(secrets, 1, "/c", NULL);
	assert_secret(secrets, 1, "/b", "two");
	secrets_keep_for(secrets, &after);
	assert_secret(secrets, 0, "/a", "one");
	assert_secret(secrets, 1, "/b", NULL);
	secrets_keep_for(secrets, NULL);
	assert_true(secrets_lack(secrets, &before, 0));
	secrets_free(&secrets);
}

static void what_is_no_passphrase_is_refused(void **state)
{
	struct secrets *secrets = NULL;
	char text[SECRET_MAX + 1];
	struct cause cause;

	(void)state;
	assert_int_equal(secrets_put(&secrets, 0, "/a", "", &cause), -EINVAL);
	assert_string_equal(cause.text, "its passphrase is empty");
	memset(text, 'x', sizeof(text));
	text[SECRET_MAX] = '\0';
	assert_int_equal(secrets_put(&secrets, 0, "/a", text, &cause), -EINVAL);
	assert_string_equal(cause.text, "its passphrase is longer than 479 bytes; set secret_file= to a "
			    "file with it");
	assert_null(secrets);
	text[SECRET_MAX - 1] = '\0';
	assert_int_equal(secrets_put(&secrets, 0, "/a", text, &cause), 0);
	assert_secret(secrets, 0, "/a", text);
	secrets_free(&secrets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_kept_for_each_disk),
		cmocka_unit_test(another_image_has_another_one),
		cmocka_unit_test(what_is_no_passphrase_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
