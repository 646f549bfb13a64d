/*
 * Programs of others that serve a guest's devices: what they are called, where they
 * are looked for, and which package brings them. Only these are ever executed, whatever
 * the process that executes them (helper.h) is asked for. Any thread.
 */
#ifndef SANDBOX_PROGRAM_H
#define SANDBOX_PROGRAM_H

#include <limits.h>
#include <stdbool.h>

#include "base/cause.h"

enum program { PROGRAM_STORAGE_DAEMON, PROGRAM_VIRTIOFSD, PROGRAM_COUNT };

/* A folder that is searched first, an absolute path. */
#define PROGRAM_FOLDER_VARIABLE "VMDECK_PROGRAMS"

/* "qemu-storage-daemon". A constant. */
const char *program_name(enum program program);

/*
 * Whether it needs to be root in a user namespace of its own where its user is not root:
 * it makes itself a room out of namespaces.
 */
bool program_needs_namespaces(enum program program);

/*
 * Where it is. 0, or -ENOENT with a cause that begins with its name and names Debian's
 * package.
 */
int program_find(enum program program, char out[PATH_MAX], struct cause *cause);

#endif
