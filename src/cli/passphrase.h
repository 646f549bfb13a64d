/* A passphrase that is typed at the terminal, which does not show it. One thread. */
#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include "base/cause.h"

#define PASSPHRASE_MAX 1024 /* bytes, with its NUL */

/*
 * Asks for that of a guest's disk ("disk0", at path) on the controlling terminal, whatever the
 * standard streams are. 0 with a line in out, to be wiped by the caller; -ENOTTY: there is no
 * terminal; another negative errno with a cause: it was not given.
 */
int passphrase_ask(const char *guest, const char *disk, const char *path,
		   char out[PASSPHRASE_MAX], struct cause *cause);

#endif
