/*
 * Files that section [cloud] names. They are the user's, and may be the wrong ones: what
 * must not leave the host is not taken. Any thread.
 */
#ifndef CORE_DISK_CLOUD_FILES_H
#define CORE_DISK_CLOUD_FILES_H

#include <jansson.h>
#include <stddef.h>

#include "base/cause.h"

#define CLOUD_FILE_MAX (256u << 10) /* bytes */

/*
 * Appends the public keys of a file to a list, as it has them, one a line. 0, or a negative
 * errno with a cause that begins with the path: -EPERM for a private key.
 */
int cloud_read_keys(json_t *keys, const char *path, struct cause *cause);

/*
 * The password of a file, as crypt(5) has it, malloc'd: the file has it so, or in clear, and
 * then it is hashed with SHA-512. The salt follows from salt, so that the same password stays
 * the same text. NULL with a cause that begins with the path, also when others can read the file.
 */
char *cloud_read_password(const char *path, const char *salt, struct cause *cause);

/* A file of user data, malloc'd, with a zero behind it. NULL with a cause as above. */
char *cloud_read_user_data(const char *path, size_t *size, struct cause *cause);

#endif
