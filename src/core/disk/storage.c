/* See storage.h. */
#include "core/disk/storage.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "core/disk/format.h"
#include "core/disk/lock.h"
#include "core/disk/open.h"
#include "core/disk/qcow2.h"

#define NBD "nbd://"
#define NBD_UNIX "nbd+unix://"
#define RBD "rbd://"

/* Offsets in headers: VMware's Virtual Disk Format 1.1, VirtualBox's VDICore.h. */
#define VMDK_CAPACITY 12 /* sectors */
#define COWD_CAPACITY 12 /* sectors, 32 bits */
#define VMDK_DESCRIPTION 28 /* where it stands and how long it is, sectors */
#define VMDK_TEXT_MAX 65536
#define VDI_SIZE 368	 /* bytes */

/* How each is served, in the order of enum disk_format. */
static const struct {
	const char *driver; /* NULL: not by the daemon */
	bool file;	    /* its path is that of a file */
	bool only_read;
	const char *shape; /* of the path of one that is no file */
} kinds[] = {
	[DISK_FORMAT_AUTO] = { NULL, true, false, NULL },
	[DISK_FORMAT_RAW] = { NULL, true, false, NULL },
	[DISK_FORMAT_QCOW2] = { "qcow2", true, false, NULL },
	[DISK_FORMAT_VMDK] = { "vmdk", true, true, NULL },
	[DISK_FORMAT_VDI] = { "vdi", true, true, NULL },
	[DISK_FORMAT_VHDX] = { "vhdx", true, true, NULL },
	[DISK_FORMAT_LUKS] = { "luks", true, false, NULL },
	[DISK_FORMAT_NBD] = { "nbd", false, false,
			      NBD "HOST:PORT/EXPORT or " NBD_UNIX "/EXPORT?socket=PATH" },
	[DISK_FORMAT_RBD] = { "rbd", false, false, RBD "POOL/IMAGE" },
};

const char *storage_driver(const struct profile_disk *disk)
{
	const char *driver = kinds[disk->format].driver;

	return driver || !disk->overlay ? driver : "raw";
}

bool storage_serves(const struct profile_disk *disk)
{
	return disk->present && storage_driver(disk);
}

enum program_network storage_network(const struct profile_disk *disk)
{
	if (kinds[disk->format].file)
		return PROGRAM_NO_NETWORK;
	return strncmp(disk->path, NBD_UNIX, strlen(NBD_UNIX)) ? PROGRAM_NETWORK : PROGRAM_LOCAL;
}

/* --- looking --- */

/* Of a file that the daemon opens. */
static void add_opened(struct storage *out, const char *path, bool written)
{
	size_t size = strlen(path) + 1;

	if (out->count == PROGRAM_FILES_MAX || size > sizeof(out->text) - out->used) {
		out->full = true;
		return;
	}
	memcpy(out->text + out->used, path, size);
	out->files[out->count++] = (struct program_file){ out->text + out->used, written };
	out->used += size;
}

/* What a qcow2 image names; who writes the image writes the file with its data. */
struct named {
	struct storage *storage;
	bool written;
	bool data_is_first; /* of the image itself, not of what it is based on */
};

static void found_named(void *arg, const char *path, bool data)
{
	struct named *named = arg;

	add_opened(named->storage, path, data && named->written && named->data_is_first);
	named->data_is_first = false;
}

/* A VMDK image is a text that names its extents, or has one within, and then no room of its own. */
static bool names_extents(const struct image_format *format, const struct disk_file *file)
{
	uint64_t capacity;

	if (strncmp(format->magic, "KDMV", 4) != 0)
		return *format->magic == '#';
	return pread(file->fd, &capacity, sizeof(capacity), VMDK_CAPACITY) != sizeof(capacity) ||
	       !capacity;
}

/* Also of what cannot be read, or is too long to be looked at. */
static bool may_have_parent(const struct disk_file *file, uint64_t sector, uint64_t sectors)
{
	static const char key[] = "parentFileNameHint";
	char text[VMDK_TEXT_MAX];
	ssize_t n;

	if (sector > file->size / DISK_SECTOR || sectors > sizeof(text) / DISK_SECTOR)
		return true;
	n = pread(file->fd, text, sectors * DISK_SECTOR, (off_t)(sector * DISK_SECTOR));
	return n < 0 || memmem(text, (size_t)n, key, sizeof(key) - 1);
}

/*
 * The description of a VMDK image says what the image is based on: it stands where a header says,
 * and who does not ask that looks for it at the beginning.
 */
static bool has_parent(const struct image_format *format, const struct disk_file *file)
{
	uint64_t place[2]; /* sectors: where, and how many */

	if (may_have_parent(file, 0, VMDK_TEXT_MAX / DISK_SECTOR))
		return true;
	if (strncmp(format->magic, "KDMV", 4) != 0)
		return false;
	return pread(file->fd, place, sizeof(place), VMDK_DESCRIPTION) != sizeof(place) ||
	       may_have_parent(file, le64toh(place[0]), le64toh(place[1]));
}

static int names_others(const struct profile_disk *disk, const char *what, struct cause *cause)
{
	return cause_set(cause, EPERM, "%s names %s; if you trust it, set backing_files=yes, else "
			 "convert it with vmdeck disk convert", disk->path, what);
}

static int check_format(const struct disk_file *file, const struct profile_disk *disk,
			struct cause *cause)
{
	const struct image_format *format = image_format_find(file->fd, file->size);
	const char *driver = kinds[disk->format].driver;

	if (!format || strcmp(format->name, driver))
		return cause_set(cause, EINVAL, "%s is %s and not %s; correct format=", disk->path,
				 format ? format->what : "a raw image, or cut off,", driver);
	if (disk->format != DISK_FORMAT_VMDK || disk->backing_files)
		return 0;
	if (names_extents(format, file))
		return names_others(disk, "other files, its extents", cause);
	if (has_parent(format, file))
		return names_others(disk, "another file, which it is based on", cause);
	return 0;
}

static int check_qcow2(struct storage *out, const struct disk_file *file,
		       const struct profile_disk *disk, struct cause *cause)
{
	struct named named = { out, !profile_disk_is_read(disk), true };
	struct qcow2_header header;
	int err = qcow2_read(&header, file->fd, disk->path, cause);

	if (err)
		return err;
	if (*header.backing && !disk->backing_files)
		return names_others(disk, "another file, which it is based on", cause);
	if (header.has_data_file && !disk->backing_files)
		return names_others(disk, "another file, which has its data", cause);
	return qcow2_follow(&header, file, disk->path, found_named, &named, cause);
}

/* The folder of a VMDK image, in which what it names is. */
static void add_folder(struct storage *out, const char *path, bool written)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 0, path);
	add_opened(out, folder, written);
}

static uint64_t read_size(const struct disk_file *file, uint64_t offset, uint64_t unit)
{
	uint64_t number = 0, bytes;

	if (pread(file->fd, &number, sizeof(number), (off_t)offset) != sizeof(number) ||
	    __builtin_mul_overflow(le64toh(number), unit, &bytes))
		return 0;
	return bytes;
}

/* COWD is an older header of VMDK than the others. */
static uint64_t read_vmdk_size(const struct disk_file *file)
{
	char magic[4];
	uint32_t sectors;

	if (pread(file->fd, magic, sizeof(magic), 0) != sizeof(magic) ||
	    memcmp(magic, "COWD", sizeof(magic)) != 0)
		return read_size(file, VMDK_CAPACITY, DISK_SECTOR);
	if (pread(file->fd, &sectors, sizeof(sectors), COWD_CAPACITY) != sizeof(sectors))
		return 0;
	return (uint64_t)le32toh(sectors) * DISK_SECTOR;
}

/* Of the disk that an image of a format holds which has been checked; 0: only the daemon knows. */
static uint64_t find_size(const struct disk_file *file, const struct profile_disk *disk)
{
	struct qcow2_header header;

	switch ((enum disk_format)disk->format) {
	case DISK_FORMAT_AUTO:
	case DISK_FORMAT_RAW:
		return file->size;
	case DISK_FORMAT_QCOW2:
		return qcow2_read(&header, file->fd, disk->path, NULL) ? 0 : header.size;
	case DISK_FORMAT_VDI:
		return read_size(file, VDI_SIZE, 1);
	case DISK_FORMAT_VMDK:
		return read_vmdk_size(file);
	default:
		return 0;
	}
}

/* A layer needs to know how large it is. */
static int check_size(const struct profile_disk *disk, uint64_t size, struct cause *cause)
{
	if (!disk->overlay || (size && size % DISK_SECTOR == 0))
		return 0;
	return cause_set(cause, EINVAL, "%s: there is no layer for an image like this one; remove "
			 "overlay=, or convert the image with vmdeck disk convert", disk->path);
}

/* How an image is made depends on its format; LUKS wants a passphrase of who makes it. */
static int missing(const struct profile_disk *disk, struct cause *cause)
{
	if (disk->format != DISK_FORMAT_QCOW2 || profile_disk_is_read(disk) ||
	    !strncmp(disk->path, "/dev/", 5))
		return cause_set(cause, ENOENT, "%s does not exist; correct the path", disk->path);
	return cause_set(cause, ENOENT, "%s does not exist; make one with vmdeck disk create "
			 "--format qcow2 %s 1G, or correct the path", disk->path, disk->path);
}

static int check_file(struct storage *out, const struct profile_disk *disk, struct cause *cause)
{
	const struct disk_config config = { .path = disk->path, .readonly = profile_disk_is_read(disk),
					    .raw = disk->format == DISK_FORMAT_RAW };
	struct disk_file file;
	bool raw = !kinds[disk->format].driver;
	int err = raw ? disk_file_open(&file, &config, cause)
		      : disk_file_open_as_it_is(&file, &config, cause);

	if (err)
		return err == -ENOENT && !raw ? missing(disk, cause) : err;
	add_opened(out, disk->path, !profile_disk_is_read(disk));
	if (!raw)
		err = check_format(&file, disk, cause);
	if (!err && disk->format == DISK_FORMAT_QCOW2)
		err = check_qcow2(out, &file, disk, cause);
	if (!err && disk->format == DISK_FORMAT_VMDK && disk->backing_files)
		add_folder(out, disk->path, false);
	out->size = err ? 0 : find_size(&file, disk);
	disk_file_close(&file);
	return err ? err : check_size(disk, out->size, cause);
}

static int check_secret(const struct profile_disk *disk, struct cause *cause)
{
	struct disk_config config = { .path = disk->secret_file, .readonly = true };
	struct disk_file file;
	int err;

	err = disk_file_open_as_it_is(&file, &config, cause);
	if (!err)
		disk_file_close(&file);
	return err;
}

static int check_keys(const struct profile_disk *disk, struct cause *cause)
{
	const char *driver = storage_driver(disk);

	if (disk->cdrom || disk->bus == DISK_BUS_SATA)
		return cause_set(cause, EINVAL, "%s%s is for virtio disks; %s",
				 kinds[disk->format].driver ? "format=" : "overlay, here of ",
				 driver,
				 disk->cdrom ? "a CD-ROM's image is a raw one" : "set bus=virtio");
	if ((disk->serial && *disk->serial) || disk->queues > 1)
		return cause_set(cause, EINVAL, "%s= is not for a disk that qemu-storage-daemon "
				 "serves; remove it", disk->queues > 1 ? "queues" : "serial");
	if (disk->readonly && disk->overlay)
		return cause_set(cause, EINVAL, "overlay= is for what a guest writes, and it does "
				 "not with readonly=yes; remove one of them");
	if (kinds[disk->format].only_read && !profile_disk_is_read(disk))
		return cause_set(cause, EINVAL, "format=%s is only read; set readonly=yes or "
				 "overlay=, or convert the image with vmdeck disk convert", driver);
	if (disk->overlay && !kinds[disk->format].file)
		return cause_set(cause, EINVAL, "overlay= is for images in files, and not for "
				 "format=%s; remove it", driver);
	return 0;
}

int storage_check(struct storage *out, const struct profile_disk *disk,
		  const struct storage_paths *paths, struct cause *cause)
{
	const char *secret = paths->secret ? paths->secret : disk->secret_file;
	struct storage_arguments arguments;
	char program[PATH_MAX];
	int err = check_keys(disk, cause);

	*out = (struct storage){ .count = 0 };
	if (!err && kinds[disk->format].file)
		err = check_file(out, disk, cause);
	if (!err && disk->secret_file)
		err = check_secret(disk, cause);
	if (!err)
		err = storage_arguments(&arguments, disk, "", paths, cause);
	if (err)
		return err;
	if (secret)
		add_opened(out, secret, false);
	if (paths->layer)
		add_opened(out, paths->layer, true);
	if (out->full)
		return cause_set(cause, ENAMETOOLONG, "%.100s...: it names too many files",
				 disk->path);
	return program_find(PROGRAM_STORAGE_DAEMON, program, cause);
}

/* Whether a file is a part of the image, and one that can be claimed and locked. */
static bool is_part(const struct program_file *file, const struct profile_disk *disk,
		    struct stat *st)
{
	if (disk->secret_file && !strcmp(file->path, disk->secret_file))
		return false;
	return stat(file->path, st) == 0 && (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode));
}

int storage_claim(struct image_claim *claim, const struct storage *storage,
		  const struct profile_disk *disk)
{
	int err = 0;

	for (unsigned i = 0; i < storage->count && !err; i++) {
		const struct program_file *file = &storage->files[i];
		bool itself = file->written || (!i && !disk->overlay);
		struct stat st;

		if (is_part(file, disk, &st))
			err = image_claim_add(claim, file->path, &st,
					      itself ? IMAGE_ITSELF : IMAGE_BELOW, file->written);
	}
	return err;
}

static int try_file(const struct program_file *file, struct cause *cause)
{
	const struct disk_config config = { .path = file->path, .readonly = !file->written };
	struct image_lock *lock;
	struct disk_file opened;
	int err = disk_file_open_as_it_is(&opened, &config, cause);

	if (err)
		return err;
	err = image_lock(&lock, &opened, &config, cause);
	image_unlock(lock);
	disk_file_close(&opened);
	return err;
}

int storage_try(const struct storage *storage, const struct profile_disk *disk,
		struct cause *cause)
{
	struct stat st;
	int err = 0;

	for (unsigned i = 0; i < storage->count && !err; i++)
		if (is_part(&storage->files[i], disk, &st))
			err = try_file(&storage->files[i], cause);
	return err;
}

/* --- the daemon's arguments --- */

static void put(struct storage_arguments *out, char c)
{
	if (out->used < sizeof(out->text))
		out->text[out->used++] = c;
	else
		out->full = true;
}

/* Ends an argument and begins the next one. */
static void next(struct storage_arguments *out)
{
	if (out->used)
		put(out, '\0');
	if (out->count + 1 < ARRAY_SIZE(out->list))
		out->list[out->count++] = out->text + out->used;
	else
		out->full = true;
}

/* Words that are the daemon's own; '%' is one of the values, in which commas are doubled. */
static void add(struct storage_arguments *out, const char *words, ...)
{
	va_list values;

	va_start(values, words);
	for (; *words; words++) {
		if (*words != '%') {
			put(out, *words);
			continue;
		}
		for (const char *value = va_arg(values, const char *); *value; value++) {
			if (*value == ',')
				put(out, ',');
			put(out, *value);
		}
	}
	va_end(values);
}

static void add_node(struct storage_arguments *out)
{
	next(out);
	add(out, "--blockdev");
	next(out);
}

static void add_file_node(struct storage_arguments *out, const char *name, const char *path,
			  bool read)
{
	add_node(out);
	add(out, "driver=file,node-name=%,filename=%,read-only=%,discard=unmap", name, path,
	    read ? "on" : "off");
}

static void add_secret(struct storage_arguments *out, const char *path)
{
	next(out);
	add(out, "--object");
	next(out);
	add(out, "secret,id=key,file=%", path ? path : "");
}

/* That an image is based on nothing, or on another node, can be said in JSON only. */
static void add_image_node(struct storage_arguments *out, const struct profile_disk *disk,
			   const char *name)
{
	bool can_be_based = disk->format == DISK_FORMAT_QCOW2 || disk->format == DISK_FORMAT_VMDK;

	add_node(out);
	add(out, "{\"driver\":\"%\",\"node-name\":\"%\",\"file\":\"file\",\"read-only\":%,"
	    "\"discard\":\"unmap\"", storage_driver(disk), name,
	    profile_disk_is_read(disk) ? "true" : "false");
	add(out, can_be_based && !disk->backing_files ? ",\"backing\":null" : "");
	add(out, disk->format == DISK_FORMAT_LUKS ? ",\"key-secret\":\"key\"}" : "}");
}

static void add_file(struct storage_arguments *out, const struct profile_disk *disk,
		     const struct storage_paths *paths)
{
	if (disk->format == DISK_FORMAT_LUKS)
		add_secret(out, paths->secret ? paths->secret : disk->secret_file);
	add_file_node(out, "file", disk->path, profile_disk_is_read(disk));
	add_image_node(out, disk, disk->overlay ? "image" : "disk");
	if (!disk->overlay)
		return;
	add_file_node(out, "layer", paths->layer ? paths->layer : "", false);
	add_node(out);
	add(out, "{\"driver\":\"qcow2\",\"node-name\":\"disk\",\"file\":\"layer\","
	    "\"backing\":\"image\",\"discard\":\"unmap\"}");
}

static int wrong_shape(const struct profile_disk *disk, struct cause *cause)
{
	return cause_set(cause, EINVAL, "%s is no address for format=%s; write %s", disk->path,
			 kinds[disk->format].driver, kinds[disk->format].shape);
}

/* A part of an address, cut out of it. */
static bool copy(char *to, size_t room, const char *from, size_t size)
{
	if (!size || size >= room)
		return false;
	memcpy(to, from, size);
	to[size] = '\0';
	return true;
}

/* HOST[:PORT][/EXPORT]; an IPv6 address is in brackets. */
static bool add_nbd_host(struct storage_arguments *out, const char *address)
{
	const char *export = strchrnul(address, '/'), *colon, *end = export;
	char host[256], port[8] = "10809";
	bool bracketed = *address == '[';

	colon = memchr(address, ':', (size_t)(export - address));
	if (bracketed) {
		end = memchr(address, ']', (size_t)(export - address));
		if (!end)
			return false;
		colon = end[1] == ':' ? end + 1 : NULL;
		if (end + 1 != export && !colon)
			return false;
	} else if (colon) {
		end = colon;
	}
	if (colon && (!copy(port, sizeof(port), colon + 1, (size_t)(export - colon - 1)) ||
		      port[strspn(port, "0123456789")]))
		return false;
	if (!copy(host, sizeof(host), address + bracketed, (size_t)(end - address) - bracketed))
		return false;
	add(out, "server.type=inet,server.host=%,server.port=%,export=%", host, port,
	    *export ? export + 1 : "");
	return true;
}

/* /[EXPORT]?socket=PATH */
static bool add_nbd_unix(struct storage_arguments *out, const char *address)
{
	static const char query[] = "?socket=";
	const char *path = strstr(address, query);
	char export[256] = "";

	if (!path || !path[sizeof(query) - 1])
		return false;
	if (*address == '/')
		address++;
	if (path > address && !copy(export, sizeof(export), address, (size_t)(path - address)))
		return false;
	add(out, "server.type=unix,server.path=%,export=%", path + sizeof(query) - 1, export);
	return true;
}

static bool add_nbd(struct storage_arguments *out, const struct profile_disk *disk)
{
	add(out, "driver=nbd,node-name=disk,reconnect-delay=30,read-only=%,",
	    disk->readonly ? "on" : "off");
	if (!strncmp(disk->path, NBD_UNIX, strlen(NBD_UNIX)))
		return add_nbd_unix(out, disk->path + strlen(NBD_UNIX));
	return !strncmp(disk->path, NBD, strlen(NBD)) &&
	       add_nbd_host(out, disk->path + strlen(NBD));
}

static bool add_rbd(struct storage_arguments *out, const struct profile_disk *disk)
{
	const char *pool = disk->path + strlen(RBD), *image;
	char name[256];

	if (strncmp(disk->path, RBD, strlen(RBD)))
		return false;
	image = strchrnul(pool, '/');
	if (!copy(name, sizeof(name), pool, (size_t)(image - pool)) || !*image || !image[1])
		return false;
	add(out, "driver=rbd,node-name=disk,read-only=%,pool=%,image=%",
	    disk->readonly ? "on" : "off", name, image + 1);
	return true;
}

int storage_arguments(struct storage_arguments *out, const struct profile_disk *disk,
		      const char *fd, const struct storage_paths *paths, struct cause *cause)
{
	bool known = true;

	*out = (struct storage_arguments){ .count = 0 };
	if (kinds[disk->format].file) {
		add_file(out, disk, paths);
	} else {
		add_node(out);
		known = disk->format == DISK_FORMAT_NBD ? add_nbd(out, disk) : add_rbd(out, disk);
	}
	if (!known)
		return wrong_shape(disk, cause);
	next(out);
	add(out, "--export");
	next(out);
	add(out, "type=vhost-user-blk,id=export,node-name=disk,addr.type=fd,addr.str=%,writable=%",
	    fd, disk->readonly ? "off" : "on");
	put(out, '\0');
	if (out->full)
		return cause_set(cause, ENAMETOOLONG, "%.100s...: the path is too long",
				 disk->path);
	return 0;
}
