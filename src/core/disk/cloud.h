/*
 * What a cloud image is told at its start: section [cloud] of a profile as the documents
 * that cloud-init reads. They are JSON, which is YAML too, so that no word of a profile
 * ends where it should not. Any thread.
 *
 * cloud-init's documentation: NoCloud, "Instance metadata", "Networking config version 2".
 */
#ifndef CORE_DISK_CLOUD_H
#define CORE_DISK_CLOUD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cause.h"
#include "core/profile/profile.h"

enum cloud_document { CLOUD_META_DATA, CLOUD_USER_DATA, CLOUD_NETWORK_CONFIG, CLOUD_DOCUMENTS };

struct cloud_documents {
	struct {
		char *text;  /* NULL: there is none */
		size_t size; /* bytes */
	} list[CLOUD_DOCUMENTS];
};

/* "meta-data". A constant. */
const char *cloud_document_name(enum cloud_document document);

/*
 * Makes them of a profile that has the section, and of the files that it names. The same
 * words give the same bytes, by which cloud-init knows that it has done them already. 0, or a
 * negative errno with a cause that begins with the key.
 */
int cloud_make(struct cloud_documents *out, const struct profile *profile, struct cause *cause);
void cloud_free(struct cloud_documents *documents); /* all zero is valid */

/*
 * Tells of each key of the section that cannot be done, with a sentence without the key; as a
 * warning, of what can hardly be meant.
 */
void cloud_check(const struct profile *profile,
		 void (*found)(void *arg, const char *key, bool warning, const char *text),
		 void *arg);

#endif
