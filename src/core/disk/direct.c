/* See direct.h. */
#include "core/disk/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define BOUNCE_SIZE (256u << 10) /* bytes */
#define BOUNCE_ALIGNMENT 4096u

/* A kernel before 6.1, or a file system, may not say; sectors are what all took then. */
static void ask_alignment(struct disk_file *file)
{
	struct statx st;
	int block = 0;

	file->memory_align = file->block_align = DISK_SECTOR;
	if (statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) == 0 &&
	    (st.stx_mask & STATX_DIOALIGN) && st.stx_dio_offset_align) {
		file->memory_align = st.stx_dio_mem_align;
		file->block_align = st.stx_dio_offset_align;
	} else if (S_ISBLK(file->st.st_mode) && ioctl(file->fd, BLKSSZGET, &block) == 0) {
		file->memory_align = file->block_align = (uint32_t)block;
	}
}

int direct_begin(struct disk_file *file, const char *path, struct cause *cause)
{
	if (fcntl(file->fd, F_SETFL, O_DIRECT) < 0)
		return cause_set(cause, EINVAL, "%s lies on a file system that has no way past the "
				 "page cache (O_DIRECT); set cache=writeback", path);
	ask_alignment(file);
	if (file->block_align <= DISK_SECTOR && file->memory_align <= BOUNCE_ALIGNMENT)
		return 0;
	return cause_set(cause, EINVAL, "%s can be written past the page cache by blocks of %u "
			 "bytes alone, and guests write sectors of %u; set cache=writeback", path,
			 file->block_align, DISK_SECTOR);
}

int direct_prepare(const struct disk_file *file, struct disk_request *request)
{
	for (unsigned i = 0; i < request->iov_count; i++) {
		const struct iovec *iov = &request->iov[i];

		if ((uintptr_t)iov->iov_base % file->memory_align == 0 &&
		    iov->iov_len % file->block_align == 0)
			continue;
		request->bounce = aligned_alloc(BOUNCE_ALIGNMENT, BOUNCE_SIZE);
		return request->bounce ? 0 : -ENOMEM;
	}
	return 0;
}

size_t direct_piece(const struct disk_request *request)
{
	uint64_t left = request->length - request->done_bytes;

	return left < BOUNCE_SIZE ? (size_t)left : BOUNCE_SIZE;
}

/* Copies size bytes from done_bytes on between the driver's memory and the bounce. */
static void copy(const struct disk_request *request, size_t size, bool in)
{
	const struct iovec *iov = request->iov;
	uint64_t skip = request->done_bytes;
	uint8_t *bounce = request->bounce;

	for (; size; iov++) {
		size_t piece;

		if (skip >= iov->iov_len) {
			skip -= iov->iov_len;
			continue;
		}
		piece = iov->iov_len - skip < size ? iov->iov_len - skip : size;
		if (in)
			memcpy(bounce, (uint8_t *)iov->iov_base + skip, piece);
		else
			memcpy((uint8_t *)iov->iov_base + skip, bounce, piece);
		bounce += piece;
		size -= piece;
		skip = 0;
	}
}

void direct_gather(struct disk_request *request)
{
	copy(request, direct_piece(request), true);
}

void direct_scatter(struct disk_request *request, size_t size)
{
	copy(request, size, false);
}
