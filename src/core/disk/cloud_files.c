/* See cloud_files.h. RFC 4253 §6.6, sshd(8) AUTHORIZED_KEYS FILE FORMAT, crypt(5). */
#include "core/disk/cloud_files.h"

#include <crypt.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "control/message_text.h"

#define PASSWORD_MAX 512 /* bytes of the file */
#define SALT_SIZE 16	 /* characters, the most that SHA-512 takes */

/* What is to be wiped is wiped by who has it. */
static char *read_open(int fd, const struct stat *st, const char *path, size_t most, size_t *size,
		       struct cause *cause)
{
	char *text;
	ssize_t n;

	if (!S_ISREG(st->st_mode)) {
		cause_set(cause, EINVAL, "%s: is no file", path);
		return NULL;
	}
	if ((uint64_t)st->st_size > most) {
		cause_set(cause, EFBIG, "%s: is larger than %zu bytes; is it the right file?", path,
			  most);
		return NULL;
	}
	text = malloc(most + 1);
	n = text ? read(fd, text, most) : -1;
	if (n < 0) {
		cause_errno(cause, text ? errno : ENOMEM, "%s", path);
		free(text);
		return NULL;
	}
	text[n] = '\0';
	*size = (size_t)n;
	if (strlen(text) == *size)
		return text;
	cause_set(cause, EINVAL, "%s: is no text", path);
	free(text);
	return NULL;
}

/* A text file of at most so many bytes; private: nobody else may read it. */
static char *read_text(const char *path, size_t most, bool private, size_t *size,
		       struct cause *cause)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		cause_errno(cause, errno, "%s", path);
	else if (private && st.st_mode & 077)
		cause_set(cause, EPERM, "%s: others can read it; chmod 600 %s", path, path);
	else
		text = read_open(fd, &st, path, most, size, cause);
	if (fd >= 0)
		close(fd);
	return text;
}

/* --- keys --- */

static int value_of(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Decodes at most room bytes of base64 (RFC 4648 §4); returns how many there are. */
static size_t decode(const char *text, uint8_t *out, size_t room)
{
	unsigned bits = 0, value = 0;
	size_t size = 0;

	for (; value_of(*text) >= 0 && size < room; text++) {
		value = value << 6 | (unsigned)value_of(*text);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[size++] = (uint8_t)(value >> bits);
		}
	}
	return size;
}

/* "ssh-ed25519 AAAA... comment": whether what is encoded begins with the same type. */
static bool is_key(const char *line)
{
	uint8_t data[4 + 64];
	size_t type = strcspn(line, " \t"), size;
	uint32_t length;

	if (!type || type > 64 || !line[type])
		return false;
	size = decode(line + type + strspn(line + type, " \t"), data, 4 + type);
	if (size < 4 + type)
		return false;
	memcpy(&length, data, sizeof(length));
	return be32toh(length) == type && !memcmp(data + 4, line, type);
}

static int private_key(const char *path, struct cause *cause)
{
	char public[512];

	snprintf(public, sizeof(public), "%.400s.pub", path);
	return cause_set(cause, EPERM, "%s: is a private key, which stays here; name its public "
			 "one, %s", path,
			 access(public, R_OK) == 0 ? public : "whose name ends in .pub");
}

static int take_line(json_t *keys, const char *line, const char *path, unsigned number,
		     struct cause *cause)
{
	if (!*line || *line == '#')
		return 0;
	if (is_key(line))
		return json_array_append_new(keys, message_text(line)) < 0 ?
			       cause_errno(cause, ENOMEM, "%s", path) : 0;
	if (strstr(line, "PRIVATE KEY-----") || !strncmp(line, "PuTTY-User-Key", 14))
		return private_key(path, cause);
	if (strstr(line, "SSH2 PUBLIC KEY"))
		return cause_set(cause, EINVAL, "%s: is a key in another form; convert it with "
				 "ssh-keygen -i -f %s", path, path);
	return cause_set(cause, EINVAL, "%s: line %u is no public key; it should begin like "
			 "'ssh-ed25519 AAAA'", path, number);
}

int cloud_read_keys(json_t *keys, const char *path, struct cause *cause)
{
	char *text, *rest, *line;
	unsigned number = 0;
	size_t size;
	int err = 0;

	text = rest = read_text(path, CLOUD_FILE_MAX, false, &size, cause);
	if (!text)
		return -EINVAL;
	while (!err && (line = strsep(&rest, "\r\n")))
		err = take_line(keys, line + strspn(line, " \t"), path, ++number, cause);
	if (!err && !json_array_size(keys))
		err = cause_set(cause, EINVAL, "%s: has no key in it", path);
	explicit_bzero(text, size);
	free(text);
	return err;
}

/* --- passwords --- */

/* "$6$salt$hash" and its kind. */
static bool is_hash(const char *text)
{
	static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789./$=,";
	const char *second = *text == '$' ? strchr(text + 1, '$') : NULL;

	return second && strchr(second + 1, '$') && !text[strspn(text, characters)];
}

/* Two FNV-1a hashes, of 48 bits that count each. Salts need to differ, not to be secret. */
static void make_setting(char setting[4 + SALT_SIZE], const char *salt)
{
	static const char digits[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t hash = 14695981039346656037u;
	char *at = setting + 3;

	memcpy(setting, "$6$", 3);
	for (unsigned half = 0; half < 2; half++) {
		for (const char *c = salt; *c; c++)
			hash = (hash ^ (uint8_t)*c) * 1099511628211u;
		for (unsigned i = 0; i < SALT_SIZE / 2; i++)
			*at++ = digits[hash >> (16 + 6 * i) & 63];
	}
	*at = '\0';
}

static char *hash_password(const char *text, const char *salt, const char *path,
			   struct cause *cause)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	char setting[4 + SALT_SIZE], *hash = NULL;

	make_setting(setting, salt);
	if (data && crypt_r(text, setting, data) && *data->output == '$')
		hash = strdup(data->output);
	if (!hash)
		cause_set(cause, ENOMEM, "%s: the password cannot be hashed", path);
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return hash;
}

/* 0, or what is wrong with the one line of the file. */
static int check_password(const char *text, const char *path, struct cause *cause)
{
	if (!*text)
		return cause_set(cause, EINVAL, "%s: is empty; write a password, or its hash, into "
				 "it", path);
	for (const char *c = text; *c; c++)
		if (*c == '\n')
			return cause_set(cause, EINVAL, "%s: has more than one line; a password "
					 "is one", path);
		else if ((unsigned char)*c < ' ' || *c == 0x7f)
			return cause_set(cause, EINVAL, "%s: has a control character; nobody "
					 "could type that password", path);
	return 0;
}

char *cloud_read_password(const char *path, const char *salt, struct cause *cause)
{
	char *hash = NULL, *text;
	size_t size;

	text = read_text(path, PASSWORD_MAX, true, &size, cause);
	if (!text)
		return NULL;
	for (unsigned i = 0; i < 2; i++)
		if (size && text[size - 1] == "\n\r"[i])
			text[--size] = '\0';
	if (check_password(text, path, cause) == 0) {
		hash = is_hash(text) ? strdup(text) : hash_password(text, salt, path, cause);
		if (!hash && is_hash(text))
			cause_errno(cause, ENOMEM, "%s", path);
	}
	explicit_bzero(text, size);
	free(text);
	return hash;
}

/* --- user data --- */

char *cloud_read_user_data(const char *path, size_t *size, struct cause *cause)
{
	/* What cloud-init goes by: see "User-data formats" of its documentation. */
	static const char *const beginnings[] = { "#cloud-config", "#!", "#include", "#cloud-boothook",
						  "#part-handler", "## template: jinja",
						  "Content-Type:", "MIME-Version:" };
	char *text = read_text(path, CLOUD_FILE_MAX, false, size, cause);

	for (size_t i = 0; text && i < ARRAY_SIZE(beginnings); i++)
		if (!strncmp(text, beginnings[i], strlen(beginnings[i])))
			return text;
	if (text)
		cause_set(cause, EINVAL, "%s: begins with nothing that cloud-init knows, such as "
			  "#cloud-config or #!", path);
	free(text);
	return NULL;
}
