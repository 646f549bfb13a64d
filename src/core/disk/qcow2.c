/* See qcow2.h. */
#include "core/disk/qcow2.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

#define MAGIC 0x514649fbu
#define DATA_FILE 4ull	      /* of the incompatible features */
#define SIZE_MAX_BYTES (1ull << 60)

struct __attribute__((packed)) header {
	uint32_t magic, version;
	uint64_t backing_offset;
	uint32_t backing_size, cluster_bits;
	uint64_t size;
	uint32_t encryption, l1_size;
	uint64_t l1_offset, refcount_offset;
	uint32_t refcount_clusters, snapshots;
	uint64_t snapshots_offset;
	/* From version 3 on */
	uint64_t incompatible, compatible, autoclear;
	uint32_t refcount_order, header_size;
};

/* An image that is made: its header, a table of one block of counts, that, its L1 table. */
#define CLUSTER_BITS 16
#define CLUSTER (1u << CLUSTER_BITS)
enum { REFCOUNT_TABLE = 1, REFCOUNT_BLOCK, L1_TABLE }; /* clusters */
#define L1_SPAN ((uint64_t)CLUSTER * (CLUSTER / 8)) /* bytes of the disk that an entry is for */
#define L1_MAX (32u << 20)			     /* bytes, of what QEMU takes */

#define EXTENSION_BACKING_FORMAT 0xe2792acau
#define EXTENSION_DATA_FILE 0x44415441u
#define EXTENSIONS_MAX 64

static int damaged(const char *path, const char *what, struct cause *cause)
{
	return cause_set(cause, EINVAL, "%s: %s; look at it with vmdeck disk check", path, what);
}

static int read_backing(struct qcow2_header *out, const struct header *header, int fd,
			const char *path, struct cause *cause)
{
	uint64_t offset = be64toh(header->backing_offset);
	uint32_t size = be32toh(header->backing_size);

	out->backing[0] = '\0';
	if (!offset || !size)
		return 0;
	if (size > QCOW2_NAME_MAX || offset > INT64_MAX ||
	    pread(fd, out->backing, size, (off_t)offset) != (ssize_t)size)
		return damaged(path, "the name of what it is based on is cut off", cause);
	out->backing[size] = '\0';
	if (strlen(out->backing) != size)
		return damaged(path, "the name of what it is based on is none", cause);
	return 0;
}

/* The extension that names it; an image that has such a file without naming it is left to QEMU. */
static int read_data_file(struct qcow2_header *out, const struct header *header, int fd,
			  const char *path, struct cause *cause)
{
	off_t at = be32toh(header->header_size);
	uint32_t extension[2];

	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		uint32_t size;

		if (pread(fd, extension, sizeof(extension), at) != sizeof(extension) ||
		    !extension[0])
			break;
		at += (off_t)sizeof(extension);
		size = be32toh(extension[1]);
		if (be32toh(extension[0]) != EXTENSION_DATA_FILE) {
			at += ((off_t)size + 7) / 8 * 8;
			continue;
		}
		if (!size || size > QCOW2_NAME_MAX ||
		    pread(fd, out->data_file, size, at) != (ssize_t)size)
			return damaged(path, "the name of the file with its data is cut off",
				       cause);
		out->data_file[size] = '\0';
		return 0;
	}
	return damaged(path, "it does not name the file with its data", cause);
}

int qcow2_read(struct qcow2_header *out, int fd, const char *path, struct cause *cause)
{
	struct header header = { 0 };
	uint32_t version, cluster_bits;
	ssize_t n = pread(fd, &header, sizeof(header), 0);

	version = be32toh(header.version);
	if (n < (ssize_t)(version == 2 ? offsetof(struct header, incompatible) : sizeof(header)))
		return damaged(path, "the image is cut off", cause);
	cluster_bits = be32toh(header.cluster_bits);
	if (be32toh(header.magic) != MAGIC || version < 2 || version > 3 || cluster_bits < 9 ||
	    cluster_bits > 21)
		return damaged(path, "its header makes no sense", cause);
	out->size = be64toh(header.size);
	out->has_data_file = version == 3 && (be64toh(header.incompatible) & DATA_FILE);
	if (out->size > SIZE_MAX_BYTES)
		return damaged(path, "it says that it is larger than any disk", cause);
	out->data_file[0] = '\0';
	if (out->has_data_file) {
		int err = read_data_file(out, &header, fd, path, cause);

		if (err)
			return err;
	}
	return read_backing(out, &header, fd, path, cause);
}

/* Offsets from one another are multiples of 8. Returns where the next is. */
static size_t put(uint8_t *at, size_t offset, const void *data, size_t size)
{
	memcpy(at + offset, data, size);
	return offset + (size + 7) / 8 * 8;
}

/* The header's cluster, up to what is not 0 in it; its size, or 0: the name is too long. */
static size_t fill_header(uint8_t cluster[4096], struct header *header, const char *backing,
			  const char *format)
{
	const size_t size = strlen(backing), format_size = strlen(format);
	const uint32_t extension[] = { htobe32(EXTENSION_BACKING_FORMAT),
				       htobe32((uint32_t)format_size) };
	size_t at = sizeof(*header);

	if (size > QCOW2_NAME_MAX)
		return 0;
	memset(cluster, 0, 4096);
	at = put(cluster, at, extension, sizeof(extension));
	at = put(cluster, at, format, format_size) + 8; /* 0, which ends the extensions */
	header->backing_offset = htobe64(at);
	header->backing_size = htobe32((uint32_t)size);
	put(cluster, 0, header, sizeof(*header));
	return put(cluster, at, backing, size);
}

static int write_at(int fd, const void *data, size_t size, off_t offset)
{
	ssize_t n = pwrite(fd, data, size, offset);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -ENOSPC;
}

/* Each of the first clusters has one user. */
static int write_refcounts(int fd, uint32_t clusters)
{
	const uint64_t table = htobe64((uint64_t)REFCOUNT_BLOCK * CLUSTER);
	uint16_t counts[L1_TABLE + L1_MAX / CLUSTER];
	int err = write_at(fd, &table, sizeof(table), REFCOUNT_TABLE * CLUSTER);

	for (uint32_t i = 0; i < clusters; i++)
		counts[i] = htobe16(1);
	return err ? err : write_at(fd, counts, clusters * sizeof(counts[0]),
				    REFCOUNT_BLOCK * CLUSTER);
}

int qcow2_create(int fd, uint64_t size, const char *backing, const char *backing_format)
{
	const uint64_t l1_bytes = (size / L1_SPAN + (size % L1_SPAN != 0)) * 8;
	const uint32_t clusters = L1_TABLE + (uint32_t)((l1_bytes + CLUSTER - 1) / CLUSTER);
	struct header header = {
		.magic = htobe32(MAGIC),
		.version = htobe32(3),
		.cluster_bits = htobe32(CLUSTER_BITS),
		.size = htobe64(size),
		.l1_size = htobe32((uint32_t)(l1_bytes / 8)),
		.l1_offset = htobe64((uint64_t)L1_TABLE * CLUSTER),
		.refcount_offset = htobe64((uint64_t)REFCOUNT_TABLE * CLUSTER),
		.refcount_clusters = htobe32(1),
		.refcount_order = htobe32(4),
		.header_size = htobe32(sizeof(header)),
	};
	uint8_t cluster[4096];
	size_t used;
	int err;

	if (l1_bytes > L1_MAX)
		return -EFBIG;
	used = fill_header(cluster, &header, backing, backing_format);
	if (!used)
		return -ENAMETOOLONG;
	if (ftruncate(fd, (off_t)clusters * CLUSTER) < 0)
		return -errno;
	err = write_refcounts(fd, clusters);
	return err ? err : write_at(fd, cluster, used, 0);
}

/* The path of what an image names; "json:", "nbd:" and the like are none. */
static int find_named(char out[PATH_MAX], const char *path, const char *name, struct cause *cause)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
	const char *colon = strchr(name, ':');
	int n;

	if (colon && !memchr(name, '/', (size_t)(colon - name)))
		return cause_set(cause, EINVAL, "%s names %s, which is no path of a file; correct "
				 "it with qemu-img rebase, or convert the image with vmdeck disk "
				 "convert", path, name);
	if (*name == '/')
		folder = 0;
	n = snprintf(out, PATH_MAX, "%.*s%s", (int)folder, path, name);
	if (n > 0 && n < PATH_MAX)
		return 0;
	return cause_set(cause, ENAMETOOLONG, "%s: the path of what it is based on is too long",
			 path);
}

/* 1: it is another qcow2 image; 0: it is none, or not to be looked at. */
static int look_at(struct qcow2_header *out, struct stat *st, const char *path,
		   const char *based_on, struct cause *cause)
{
	int fd = open(based_on, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err;
	uint32_t magic = 0;

	if (fd < 0)
		return cause_errno(cause, errno, "%s is based on %s, which cannot be opened", path,
				   based_on);
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode) ||
	    pread(fd, &magic, sizeof(magic), 0) != sizeof(magic) || be32toh(magic) != MAGIC) {
		close(fd);
		return 0;
	}
	err = qcow2_read(out, fd, based_on, cause);
	close(fd);
	return err ? err : 1;
}

int qcow2_follow(const struct qcow2_header *header, const struct disk_file *file, const char *path,
		 void (*found)(void *arg, const char *path, bool data), void *arg,
		 struct cause *cause)
{
	struct stat seen[QCOW2_CHAIN_MAX];
	struct qcow2_header next = *header;
	char at[PATH_MAX], named[PATH_MAX];
	unsigned count = 1;
	int r;

	seen[0] = file->st;
	snprintf(at, sizeof(at), "%s", path);
	for (;;) {
		struct stat st;

		if (*next.data_file) {
			r = find_named(named, at, next.data_file, cause);
			if (r)
				return r;
			found(arg, named, true);
		}
		if (!*next.backing)
			return 0;
		r = find_named(named, at, next.backing, cause);
		if (r)
			return r;
		r = look_at(&next, &st, at, named, cause);
		if (r < 0)
			return r;
		found(arg, named, false);
		if (!r)
			return 0;
		for (unsigned i = 0; i < count; i++)
			if (disk_file_same(&seen[i], &st))
				return cause_set(cause, ELOOP, "%s is based on itself, by way of "
						 "%s", path, at);
		if (count == QCOW2_CHAIN_MAX)
			return cause_set(cause, ELOOP, "%s is based on more than %u images, one on "
					 "the other; join some with qemu-img", path,
					 QCOW2_CHAIN_MAX);
		seen[count++] = st;
		memcpy(at, named, sizeof(at));
	}
}
