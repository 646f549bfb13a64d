/*
 * Section [cloud] and its files: any bytes. What comes of them is JSON of the shape that is
 * meant, whatever the words hold. The input is the words, one a line, and behind a line
 * "--" the file that all keys name.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/disk/cloud.h"
#include "lib/fuzz.h"

#define SEED(text) { text, sizeof(text) - 1 }
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICsYTASSAwbE0OoyEvI+7ioFEARSN5xqmNTHc+MMopPQ me\n"

const struct fuzz_seed fuzz_seeds[] = {
	SEED("kme\nhweb\nzEurope/Berlin\npnginx, git\nrecho \"x: y\" # {\n--\n" KEY "# more\n" KEY),
	SEED("cme\n--\n$6$salt$abcdefghijklmnopqrstuvwxyz\n"),
	SEED("cme\n--\nsecret \"word\"\n"),
	SEED("o\n--\n#cloud-config\nusers: []\n"),
	SEED("k\n--\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"),
	{ NULL, 0 },
};

/* A file in memory with a path; the caller closes it. */
static int make_file(const void *data, size_t size, char path[32])
{
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || fchmod(fd, 0600) < 0)
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* Line "kme": user "me" with keys; each letter is a key of the section. */
static void take_line(struct profile_cloud *cloud, char *line, char *path)
{
	char *word = line + 1;

	switch (*line) {
	case 'k':
		cloud->ssh_key = path;
		cloud->user = *word ? word : NULL;
		break;
	case 'c':
		cloud->password_file = path;
		cloud->user = word;
		break;
	case 'o':
		cloud->user_data = path;
		break;
	case 'h':
		cloud->hostname = word;
		break;
	case 'z':
		cloud->timezone = word;
		break;
	case 'p':
		cloud->packages = word;
		break;
	case 'r':
		cloud->run = word;
		break;
	default:
		cloud->upgrade = true;
	}
}

static void check_documents(const struct cloud_documents *documents,
			    const struct profile_cloud *cloud)
{
	static const char head[] = "#cloud-config\n";
	const char *user_data = documents->list[CLOUD_USER_DATA].text;
	json_t *meta = json_loads(documents->list[CLOUD_META_DATA].text, 0, NULL), *config, *user;

	assert(json_object_size(meta) == 2);
	json_decref(meta);
	if (cloud->user_data)
		return;
	assert(!strncmp(user_data, head, sizeof(head) - 1));
	config = json_loads(user_data + sizeof(head) - 1, JSON_REJECT_DUPLICATES, NULL);
	assert(config && json_object_size(config) <= 8);
	user = json_object_get(config, "user");
	assert(json_object_size(user) <= 4 && !json_is_object(json_object_get(user, "name")));
	assert(!cloud->run || json_array_size(json_object_get(config, "runcmd")) == 1);
	json_decref(config);
}

static void found(void *arg, const char *key, bool warning, const char *text)
{
	assert(*key && *text);
	*(unsigned *)arg += !warning;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "--\n";
	char *text = strndup((const char *)data, size), *rest = text, *line, path[32];
	const uint8_t *file = memmem(data, size, mark, sizeof(mark) - 1);
	struct profile profile = { .name = "fuzz", .cloud.present = true };
	struct cloud_documents documents;
	struct cause cause = { "" };
	unsigned mistakes = 0;
	int fd, err;

	if (!text)
		return 0;
	file = file ? file + sizeof(mark) - 1 : data + size;
	fd = make_file(file, (size_t)(data + size - file), path);
	while ((line = strsep(&rest, "\n")) && strcmp(line, "--"))
		if (*line)
			take_line(&profile.cloud, line, path);
	cloud_check(&profile, found, &mistakes);
	err = cloud_make(&documents, &profile, &cause);
	assert(!err == !mistakes && !err == !*cause.text);
	if (!err) {
		check_documents(&documents, &profile.cloud);
		cloud_free(&documents);
	}
	close(fd);
	free(text);
	return 0;
}
