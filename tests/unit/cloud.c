/* What a cloud image is told, and what of a profile's words and files is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <crypt.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/disk/cloud.h"
#include "core/disk/cloud_files.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICsYTASSAwbE0OoyEvI+7ioFEARSN5xqmNTHc+MMopPQ me@host"
#define HASH "$6$saltsalt$" \
	"kCV0kn5e0tTRW71FhScEJAQPkBAJ1rQ5ZxKOVjpYPWpGQQ6KXbJwuW7mMwxBIo6fJX6Ow0mpY6dbFEeFqXBUk."

/* A text as the field of a profile that owns it. */
#define WORD(text) (char[]){ text }

static char folder[64];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/vmdeck-cloud-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* Writes a private file of the test's folder; the path is good for some calls more. */
static char *write_file(const char *name, const char *text, size_t size)
{
	static char paths[8][128];
	static unsigned turn;
	char *path = paths[turn++ % 8];
	FILE *file;

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
	return path;
}

static char *write_text(const char *name, const char *text)
{
	return write_file(name, text, strlen(text));
}

/* The configuration of the user data; the caller's. */
static json_t *config_of(const struct cloud_documents *documents)
{
	static const char head[] = "#cloud-config\n";
	const char *text = documents->list[CLOUD_USER_DATA].text;
	json_t *config;

	assert_non_null(text);
	assert_int_equal(documents->list[CLOUD_USER_DATA].size, strlen(text));
	assert_int_equal(strncmp(text, head, strlen(head)), 0);
	config = json_loads(text + strlen(head), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(config);
	return config;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	assert_non_null(text);
	return text;
}

static void everything_is_told(void **state)
{
	struct profile profile = {
		.name = "web_1",
		.cloud = {
			.present = true,
			.user = WORD("me"),
			.password_file = write_text("password", "secret \"word\"\r\n"),
			.ssh_key = write_text("keys", "# mine\n" KEY "\n\n" KEY "2\n"),
			.timezone = WORD("Europe/Berlin"),
			.packages = WORD("nginx, git  vim"),
			.run = WORD("echo 'a: \"b\" # {' > /x"),
			.upgrade = true,
		},
	};
	const json_t *user, *keys;
	struct cloud_documents documents;
	struct cause cause;
	json_t *config, *meta;

	(void)state;
	assert_int_equal(cloud_make(&documents, &profile, &cause), 0);
	assert_null(strstr(documents.list[CLOUD_USER_DATA].text, "secret"));
	config = config_of(&documents);
	user = json_object_get(config, "user");
	assert_string_equal(text_at(user, "name"), "me");
	assert_string_equal(crypt("secret \"word\"", text_at(user, "hashed_passwd")),
			    text_at(user, "hashed_passwd"));
	assert_true(json_is_false(json_object_get(user, "lock_passwd")));
	keys = json_object_get(user, "ssh_authorized_keys");
	assert_int_equal(json_array_size(keys), 2);
	assert_string_equal(json_string_value(json_array_get(keys, 0)), KEY);
	assert_null(json_object_get(config, "ssh_pwauth"));
	assert_int_equal(json_array_size(json_object_get(config, "packages")), 3);
	assert_string_equal(json_string_value(json_array_get(json_object_get(config, "runcmd"), 0)),
			    profile.cloud.run);
	assert_true(json_is_true(json_object_get(config, "package_upgrade")));
	assert_string_equal(text_at(config, "timezone"), "Europe/Berlin");
	json_decref(config);
	meta = json_loads(documents.list[CLOUD_META_DATA].text, 0, NULL);
	assert_string_equal(text_at(meta, "local-hostname"), "web-1");
	json_decref(meta);
	assert_null(documents.list[CLOUD_NETWORK_CONFIG].text);
	cloud_free(&documents);
}

static void make(struct cloud_documents *documents, const struct profile *profile)
{
	struct cause cause;

	assert_int_equal(cloud_make(documents, profile, &cause), 0);
}

/* What changes makes another instance; what does not, the same bytes. */
static void an_instance_is_its_words(void **state)
{
	struct profile_net net = { .mac = { 2, 0, 0, 0, 0, 1 } };
	struct profile_net other_net = { .mac = { 2, 0, 0, 0, 0, 0xfe } };
	struct profile profile = {
		.name = "web",
		.cloud = { .present = true, .user = WORD("me"),
			   .password_file = write_text("p", "one\n") },
		.nets = { &net },
	};
	struct cloud_documents first, other;

	(void)state;
	make(&first, &profile);
	make(&other, &profile);
	assert_string_equal(first.list[CLOUD_META_DATA].text, other.list[CLOUD_META_DATA].text);
	assert_string_equal(first.list[CLOUD_USER_DATA].text, other.list[CLOUD_USER_DATA].text);
	cloud_free(&other);

	write_text("p", "two\n");
	make(&other, &profile);
	assert_string_not_equal(first.list[CLOUD_META_DATA].text, other.list[CLOUD_META_DATA].text);
	cloud_free(&other);

	write_text("p", "one\n");
	profile.nets[2] = &other_net;
	make(&other, &profile);
	assert_string_not_equal(first.list[CLOUD_META_DATA].text, other.list[CLOUD_META_DATA].text);
	assert_non_null(strstr(other.list[CLOUD_NETWORK_CONFIG].text, "\"02:00:00:00:00:fe\""));
	cloud_free(&other);

	/* The salt is the guest's. */
	profile.nets[2] = NULL;
	snprintf(profile.name, sizeof(profile.name), "db");
	make(&other, &profile);
	assert_string_not_equal(first.list[CLOUD_USER_DATA].text, other.list[CLOUD_USER_DATA].text);
	cloud_free(&other);
	cloud_free(&first);
}

static void a_hash_is_taken_as_it_is(void **state)
{
	struct cause cause;
	char *hash;

	(void)state;
	hash = cloud_read_password(write_text("hash", HASH "\n"), "salt", &cause);
	assert_string_equal(hash, HASH);
	free(hash);
	hash = cloud_read_password(write_text("clear", "$6 dollars"), "salt", &cause);
	assert_string_equal(crypt("$6 dollars", hash), hash);
	free(hash);
}

static void own_user_data_is_passed_on(void **state)
{
	static const char text[] = "#cloud-config\nusers: []\n";
	struct profile profile = {
		.name = "web",
		.cloud = { .present = true, .hostname = WORD("www.example.org"),
			   .user_data = write_text("own", text) },
	};
	struct cloud_documents documents;

	(void)state;
	make(&documents, &profile);
	assert_string_equal(documents.list[CLOUD_USER_DATA].text, text);
	assert_non_null(strstr(documents.list[CLOUD_META_DATA].text, "\"www.example.org\""));
	cloud_free(&documents);
}

/* --- mistakes --- */

struct found {
	char key[32], text[CAUSE_SIZE];
	unsigned count, warnings;
};

static void take_mistake(void *arg, const char *key, bool warning, const char *text)
{
	struct found *found = arg;

	found->warnings += warning;
	if (warning)
		return;
	snprintf(found->key, sizeof(found->key), "%s", key);
	snprintf(found->text, sizeof(found->text), "%s", text);
	found->count++;
}

/* One key is wrong: check says so, and so does what makes the documents. */
static void refuses(const struct profile_cloud *words, const char *key, const char *why)
{
	struct profile profile = { .name = "web", .cloud = *words };
	struct cloud_documents documents;
	struct found found = { .count = 0 };
	struct cause cause;

	profile.cloud.present = true;
	cloud_check(&profile, take_mistake, &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.key, key);
	if (!strstr(found.text, why))
		fail_msg("\"%s\" does not say \"%s\"", found.text, why);
	assert_true(cloud_make(&documents, &profile, &cause) < 0);
	assert_int_equal(strncmp(cause.text, key, strlen(key)), 0);
	assert_non_null(strstr(cause.text, why));
}

static void wrong_words_are_refused(void **state)
{
	static const char *const hosts[] = { "", "-a", "a-", "a..b", "a.", ".a", "a_b", "a b",
					     "a\nb" };
	static const char *const users[] = { "", "Me", "1a", "a b", "a:b", "a\nroot:x", "-a",
					     "a23456789012345678901234567890123" };
	static const char *const packages[] = { "-o=x", "a;b", "nginx $(x)", "a\nb" };

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		refuses(&(struct profile_cloud){ .hostname = (char *)hosts[i] }, "hostname",
			"is no name of a host");
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		refuses(&(struct profile_cloud){ .user = (char *)users[i] }, "user",
			"is no user's name");
	for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
		refuses(&(struct profile_cloud){ .packages = (char *)packages[i] }, "packages",
			"is no package");
	refuses(&(struct profile_cloud){ .timezone = WORD("../etc") }, "timezone", "is no time zone");
	refuses(&(struct profile_cloud){ .run = WORD("a\nb") }, "run", "control character");
}

static void a_user_without_a_way_in_is_a_warning(void **state)
{
	struct profile profile = { .name = "web", .cloud = { .present = true, .user = WORD("me") } };
	struct found found = { .count = 0 };

	(void)state;
	cloud_check(&profile, take_mistake, &found);
	assert_int_equal(found.count, 0);
	assert_int_equal(found.warnings, 1);
	profile.cloud.ssh_key = write_text("keys", KEY);
	cloud_check(&profile, take_mistake, &found);
	assert_int_equal(found.warnings, 1);
}

static void wrong_keys_are_refused(void **state)
{
	char *private;

	(void)state;
	private = write_text("id", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n");
	refuses(&(struct profile_cloud){ .ssh_key = private }, "ssh_key", "is a private key");
	write_text("id.pub", KEY);
	refuses(&(struct profile_cloud){ .ssh_key = private }, "ssh_key", "/id.pub");
	refuses(&(struct profile_cloud){ .ssh_key = WORD("/nonexistent/id.pub") }, "ssh_key",
		"No such file");
	refuses(&(struct profile_cloud){ .ssh_key = folder }, "ssh_key", "is no file");
	refuses(&(struct profile_cloud){ .ssh_key = write_text("empty", "# none\n") }, "ssh_key",
		"has no key");
	refuses(&(struct profile_cloud){ .ssh_key = write_text("other", KEY "\nssh-rsa AAAAC3NzaC1l\n") },
		"ssh_key", "line 2");
	refuses(&(struct profile_cloud){ .ssh_key = write_text("ssh2", "---- BEGIN SSH2 PUBLIC KEY ----\n") },
		"ssh_key", "ssh-keygen -i");
	refuses(&(struct profile_cloud){ .ssh_key = write_file("nul", KEY "\0", sizeof(KEY)) },
		"ssh_key", "is no text");
}

static void wrong_passwords_are_refused(void **state)
{
	struct profile_cloud words = { .user = WORD("me") };

	(void)state;
	words.password_file = write_text("open", "x");
	assert_int_equal(chmod(words.password_file, 0644), 0);
	refuses(&words, "password_file", "others can read it; chmod 600 ");
	words.password_file = write_text("empty", "\n");
	refuses(&words, "password_file", "is empty");
	words.password_file = write_text("two", "a\nb\n");
	refuses(&words, "password_file", "more than one line");
	words.password_file = write_text("tab", "a\tb\n");
	refuses(&words, "password_file", "control character");
	words.password_file = WORD("/nonexistent");
	refuses(&words, "password_file", "No such file");
	refuses(&(struct profile_cloud){ .password_file = write_text("p", "x") }, "password_file",
		"write user= too");
}

static void wrong_user_data_is_refused(void **state)
{
	(void)state;
	refuses(&(struct profile_cloud){ .user_data = write_text("u", "users: []\n") }, "user_data",
		"#cloud-config");
	refuses(&(struct profile_cloud){ .user_data = write_text("u", "#!/bin/sh\n"), .user = WORD("me") },
		"user_data", "leave out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_told),
		cmocka_unit_test(an_instance_is_its_words),
		cmocka_unit_test(a_hash_is_taken_as_it_is),
		cmocka_unit_test(own_user_data_is_passed_on),
		cmocka_unit_test(wrong_words_are_refused),
		cmocka_unit_test(a_user_without_a_way_in_is_a_warning),
		cmocka_unit_test(wrong_keys_are_refused),
		cmocka_unit_test(wrong_passwords_are_refused),
		cmocka_unit_test(wrong_user_data_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
