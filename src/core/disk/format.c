/* See format.h. QEMU's block drivers, RFC 1952, RFC 8878, ECMA-119 §8.1, file(1). */
#include "core/disk/format.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONVERT "convert it with qemu-img convert -O raw"
#define READ_AS(format) "set format=" format " and readonly=yes"
#define UNPACK(tool) "unpack it with " tool, .packed = true
#define HEAD_SIZE 128 /* bytes, where most magics lie */
#define MAGIC_MAX 32
#define MAGIC(text) .magic = text, .length = sizeof(text) - 1

static const struct image_format formats[] = {
	{ "qcow", "a QCOW image", CONVERT, MAGIC("QFI\xfb\0\0\0\x01") },
	{ "qcow2", "a qcow2 image", "set format=qcow2", MAGIC("QFI\xfb") },
	{ "qed", "a QED image", CONVERT, MAGIC("QED\0") },
	{ "vmdk", "a VMDK image", READ_AS("vmdk"), MAGIC("KDMV") },
	{ "vmdk", "a VMDK image", READ_AS("vmdk"), MAGIC("COWD") },
	{ "vmdk", "the description of a VMDK image", READ_AS("vmdk"), MAGIC("# Disk DescriptorFile") },
	{ "vdi", "a VDI image", READ_AS("vdi"), MAGIC("\x7f\x10\xda\xbe"), .offset = 64 },
	{ "vpc", "a VHD image", CONVERT, MAGIC("conectix") },
	{ "vpc", "a VHD image", CONVERT, MAGIC("conectix"), .offset = -512 },
	{ "vhdx", "a VHDX image", READ_AS("vhdx"), MAGIC("vhdxfile") },
	{ "dmg", "an Apple disk image", CONVERT, MAGIC("koly"), .offset = -512 },
	{ "parallels", "a Parallels image", CONVERT, MAGIC("WithoutFreeSpace") },
	{ "parallels", "a Parallels image", CONVERT, MAGIC("WithouFreSpacExt") },
	{ "cloop", "a cloop image", CONVERT, MAGIC("#!/bin/sh\n#V2.0 Format") },
	{ "bochs", "a Bochs image", CONVERT, MAGIC("Bochs Virtual HD Image") },
	{ "cow", "a layer of User Mode Linux", "join it with its image by uml_moo",
	  MAGIC("OOOM") },
	{ "simg", "an Android sparse image", UNPACK("simg2img"), MAGIC("\x3a\xff\x26\xed") },
	{ "wim", "a WIM archive", UNPACK("wimapply"), MAGIC("MSWIM\0\0\0") },
	{ "ewf", "an EWF image", UNPACK("ewfexport"), MAGIC("EVF\x09\r\n\xff\0") },
	{ "ewf", "an EWF image", UNPACK("ewfexport"), MAGIC("EVF2\r\n\x81\0") },
	{ "luks", "encrypted with LUKS", "set format=luks", MAGIC("LUKS\xba\xbe") },
	{ "gzip", "compressed with gzip", UNPACK("gunzip"), MAGIC("\x1f\x8b\x08") },
	{ "bzip2", "compressed with bzip2", UNPACK("bunzip2"), MAGIC("BZh") },
	{ "xz", "compressed with xz", UNPACK("unxz"), MAGIC("\xfd" "7zXZ\0") },
	{ "zstd", "compressed with zstd", UNPACK("unzstd"), MAGIC("\x28\xb5\x2f\xfd") },
	{ "lz4", "compressed with lz4", UNPACK("unlz4"), MAGIC("\x04\x22\x4d\x18") },
	{ "lzma", "compressed with lzma", UNPACK("unlzma"), MAGIC("\x5d\0\0\x80\0") },
	{ "lzip", "compressed with lzip", UNPACK("lzip -d"), MAGIC("LZIP\x01") },
	{ "lzop", "compressed with lzop", UNPACK("lzop -d"), MAGIC("\x89LZO\0\r\n\x1a\n") },
	{ "compress", "compressed with compress", UNPACK("uncompress"), MAGIC("\x1f\x9d") },
	{ "rar", "a RAR archive", UNPACK("unrar x"), MAGIC("Rar!\x1a\x07") },
	{ "zip", "a zip archive", UNPACK("unzip"), MAGIC("PK\x03\x04") },
	{ "7z", "a 7z archive", UNPACK("7z x"), MAGIC("7z\xbc\xaf\x27\x1c") },
	{ "iso", "an image of a CD", "set readonly=yes", .readable = true, MAGIC("CD001"),
	  .offset = 32769 },
	{ .name = NULL },
};

/* Whether a row's magic is there; the first bytes of the file have been read already. */
static bool has_magic(const struct image_format *row, int fd, uint64_t size, const char *head,
		      size_t head_size)
{
	uint64_t offset = (uint64_t)row->offset;
	char bytes[MAGIC_MAX];

	if (row->offset < 0)
		offset += size;
	if (offset > size || size - offset < row->length)
		return false;
	if (offset + row->length <= head_size)
		return !memcmp(head + offset, row->magic, row->length);
	return pread(fd, bytes, row->length, (off_t)offset) == row->length &&
	       !memcmp(bytes, row->magic, row->length);
}

const struct image_format *image_format_find(int fd, uint64_t size)
{
	char head[HEAD_SIZE];
	ssize_t head_size = pread(fd, head, sizeof(head), 0);

	for (const struct image_format *row = formats; row->name; row++)
		if (has_magic(row, fd, size, head, head_size < 0 ? 0 : (size_t)head_size))
			return row;
	return NULL;
}

const struct image_format *image_format_look(const char *path)
{
	const struct image_format *format = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		format = image_format_find(fd, (uint64_t)st.st_size);
	close(fd);
	return format;
}
