/* See tls_keys.h. draft-ietf-opsawg-pcapng § 4.7 Decryption Secrets Block. */
#include "cli/tls_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"

#define BLOCK_SECRETS 10u
#define SECRETS_TLS 0x544c534bu
#define HEADER 16u /* before the lines */

static int open_file(struct tls_keys *keys)
{
	struct stat st;

	keys->fd = open(keys->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (keys->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(keys->fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	tls_keys_close(keys);
	return -EINVAL;
}

int tls_keys_open(struct tls_keys *keys, const char *path)
{
	keys->path = path;
	keys->at = 0;
	keys->unreadable = false;
	return open_file(keys);
}

/* Bytes of whole lines that were read. */
static size_t read_lines(struct tls_keys *keys, uint8_t *text)
{
	ssize_t n = pread(keys->fd, text, TLS_KEYS_TEXT_MAX, keys->at);
	const uint8_t *end = n > 0 ? memrchr(text, '\n', (size_t)n) : NULL;

	if (end)
		return (size_t)(end + 1 - text);
	keys->unreadable = n == TLS_KEYS_TEXT_MAX;
	return 0;
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

size_t tls_keys_next(struct tls_keys *keys)
{
	size_t lines, size;
	struct stat st;

	if (!keys->path || keys->unreadable || (keys->fd < 0 && open_file(keys) < 0) || keys->fd < 0)
		return 0;
	if (fstat(keys->fd, &st) < 0)
		return 0;
	if (st.st_size < keys->at)
		keys->at = 0; /* it was begun anew */
	lines = st.st_size > keys->at ? read_lines(keys, keys->block + HEADER) : 0;
	if (!lines)
		return 0;
	keys->at += (off_t)lines;
	size = HEADER + align_up(lines, 4) + 4;
	memset(keys->block + HEADER + lines, 0, size - HEADER - lines);
	put32(keys->block, BLOCK_SECRETS);
	put32(keys->block + 4, (uint32_t)size);
	put32(keys->block + 8, SECRETS_TLS);
	put32(keys->block + 12, (uint32_t)lines);
	put32(keys->block + size - 4, (uint32_t)size);
	return size;
}

void tls_keys_close(struct tls_keys *keys)
{
	if (keys->path && keys->fd >= 0)
		close(keys->fd);
	keys->fd = -1;
}
