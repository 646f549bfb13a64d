/* See seed.h. */
#include "core/disk/seed.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/paths.h"
#include "core/disk/cloud.h"
#include "sandbox/program.h"

#define LABEL "cidata"
#define SECTOR 2048u
#define DOCUMENTS_AT (4u << 20) /* in the file, behind all that becomes the image */
#define SIZE_FIELD (16 * SECTOR + 80) /* ECMA-119 §8.4.8: of the volume, sectors */
#define PATIENCE 20000 /* ms */

_Static_assert(DOCUMENTS_AT % SECTOR == 0, "a sector begins there");

/* --- its arguments --- */

struct arguments {
	const char *list[16 + 5 * CLOUD_DOCUMENTS];
	char device[PATH_MAX + 8]; /* of the file that is read and written */
	/* Where in it the documents are, and what they are called on the CD. */
	char numbers[2 * CLOUD_DOCUMENTS][24], names[CLOUD_DOCUMENTS][32];
};

static void make_arguments(struct arguments *out, const char *path,
			   const struct cloud_documents *documents)
{
	/* Nobody's configuration counts. */
	const char *const first[] = {
		"-no_rc", "-report_about", "FAILURE", "-outdev", out->device, "-volid", LABEL,
		"-joliet", "on", "-padding", "0",
	};
	uint64_t at = DOCUMENTS_AT;
	unsigned n = 0;

	snprintf(out->device, sizeof(out->device), "stdio:%s", path);
	while (n < ARRAY_SIZE(first)) {
		out->list[n] = first[n];
		n++;
	}
	for (unsigned i = 0; i < CLOUD_DOCUMENTS; i++) {
		if (!documents->list[i].text)
			continue;
		snprintf(out->numbers[2 * i], sizeof(out->numbers[0]), "%" PRIu64, at);
		snprintf(out->numbers[2 * i + 1], sizeof(out->numbers[0]), "%zu",
			 documents->list[i].size);
		snprintf(out->names[i], sizeof(out->names[0]), "/%s", cloud_document_name(i));
		out->list[n++] = "-cut_out";
		out->list[n++] = path;
		out->list[n++] = out->numbers[2 * i];
		out->list[n++] = out->numbers[2 * i + 1];
		out->list[n++] = out->names[i];
		at += documents->list[i].size;
	}
	out->list[n++] = "-commit";
	out->list[n] = NULL;
}

static int run(const char *path, const struct cloud_documents *documents, struct cause *cause)
{
	const struct program_file files[] = { { path, true }, { NULL, false } };
	struct arguments arguments;
	struct program_order order = { .program = PROGRAM_XORRISO, .arguments = arguments.list,
				       .files = files, .fds = { -1, -1 } };
	struct program_process process;
	int err;

	make_arguments(&arguments, path, documents);
	err = program_start(&process, &order, cause);
	return err ? err : program_wait(&process, -1, PATIENCE, cause);
}

/* --- the image --- */

static int write_documents(int fd, const struct cloud_documents *documents)
{
	off_t at = DOCUMENTS_AT;

	for (unsigned i = 0; i < CLOUD_DOCUMENTS; i++) {
		const char *text = documents->list[i].text;
		size_t left = text ? documents->list[i].size : 0;

		while (left) {
			ssize_t n = pwrite(fd, text, left, at);

			if (n < 0 && errno != EINTR)
				return -errno;
			n = n < 0 ? 0 : n;
			text += n;
			left -= (size_t)n;
			at += n;
		}
	}
	return 0;
}

/* Cuts off what is behind the volume: the documents once more. Another program's word is checked. */
static int cut(int fd)
{
	uint32_t sectors;
	off_t size;

	if (pread(fd, &sectors, sizeof(sectors), SIZE_FIELD) != sizeof(sectors))
		return -EIO;
	size = (off_t)le32toh(sectors) * SECTOR;
	if (size <= (off_t)SIZE_FIELD || size > (off_t)DOCUMENTS_AT)
		return -EIO;
	return ftruncate(fd, size) < 0 ? -errno : 0;
}

static int make_image(int fd, const char *path, const struct cloud_documents *documents,
		      struct cause *cause)
{
	int err = write_documents(fd, documents);

	if (err)
		return cause_errno(cause, -err, "%s", path);
	err = run(path, documents, cause);
	if (err)
		return err;
	err = cut(fd);
	return err ? cause_errno(cause, -err, "what %s made is no CD",
				 program_name(PROGRAM_XORRISO)) : 0;
}

/* A file in the folder of sockets, whose name is gone when the image is made. */
static int make_file(const struct cloud_documents *documents, struct cause *cause)
{
	char path[PATH_MAX];
	int fd, err = paths_make_runtime(path, cause);
	size_t size;

	if (err)
		return err;
	size = strlen(path);
	if ((size_t)snprintf(path + size, sizeof(path) - size, "/seed-XXXXXX") >=
	    sizeof(path) - size)
		return cause_errno(cause, ENAMETOOLONG, "%.100s...", path);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return cause_errno(cause, errno, "%s", path);
	err = make_image(fd, path, documents, cause);
	(void)unlink(path);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int seed_make(const struct profile *profile, struct cause *cause)
{
	struct cloud_documents documents;
	int fd = cloud_make(&documents, profile, cause);

	if (!fd) {
		fd = make_file(&documents, cause);
		cloud_free(&documents);
	}
	return fd < 0 ? cause_prefix(cause, fd, "[cloud]") : fd;
}

void seed_check(const struct profile *profile,
		void (*found)(void *arg, const char *key, bool warning, const char *text),
		void *arg)
{
	char path[PATH_MAX];
	struct cause cause;

	if (program_find(PROGRAM_XORRISO, path, &cause) < 0)
		found(arg, "", false, cause.text);
	cloud_check(profile, found, arg);
}
