/* See claim.h. */
#include "core/disk/claim.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/disk/file.h"

/* What a disk does with a file. */
struct use {
	struct stat st;
	enum image_part part;
	bool written;
	struct use *next;
	char path[];
};

struct image_claim {
	struct use *uses;
	char *guest; /* or NULL */
	char *disk;
	bool taken;
	struct image_claim *next; /* if it is */
};

static struct image_claim *claims; /* of this process */
static pthread_mutex_t claims_mutex = PTHREAD_MUTEX_INITIALIZER;

struct image_claim *image_claim_new(const char *guest, const char *disk)
{
	struct image_claim *claim = calloc(1, sizeof(*claim));

	if (!claim)
		return NULL;
	claim->guest = guest ? strdup(guest) : NULL;
	claim->disk = strdup(disk);
	if (claim->disk && (claim->guest || !guest))
		return claim;
	image_claim_free(claim);
	return NULL;
}

int image_claim_add(struct image_claim *claim, const char *path, const struct stat *st,
		    enum image_part part, bool written)
{
	size_t size = strlen(path) + 1;
	struct use *use = malloc(sizeof(*use) + size);

	if (!use)
		return -ENOMEM;
	*use = (struct use){ .st = *st, .part = part, .written = written, .next = claim->uses };
	memcpy(use->path, path, size);
	claim->uses = use;
	return 0;
}

/* --- what does not go together --- */

static bool same_guest(const struct image_claim *one, const struct image_claim *other)
{
	return one->guest && other->guest ? !strcmp(one->guest, other->guest) :
					    one->guest == other->guest;
}

/* "disk0 of the guest web (/images/x.img there)": the path if it is another one. */
static void describe(struct cause *out, const struct image_claim *claim, bool same_guest,
		     const char *path)
{
	const char *guest = same_guest ? NULL : claim->guest;

	cause_set(out, 0, "%s%s%s%s%s%s", claim->disk, guest ? " of the guest " : "",
		  guest ? guest : "", path ? " (" : "", path ? path : "", path ? " there)" : "");
}

static int tell_clash(const struct image_claim *claim, const struct use *use,
		      const struct image_claim *other, const struct use *others,
		      struct cause *cause)
{
	bool same = same_guest(claim, other);
	const char *stop = same ? "" : "stop that one, or ";
	struct cause place;

	describe(&place, other, same, strcmp(use->path, others->path) ? others->path : NULL);
	if (use->part == IMAGE_BELOW)
		return cause_set(cause, EBUSY, "%s is written to as %s, so nothing can be based on "
				 "it; %sset readonly=yes or overlay= there", use->path, place.text,
				 stop);
	if (others->part == IMAGE_BELOW)
		return cause_set(cause, EBUSY, "%s is what %s is based on, so it must not change; "
				 "%sset readonly=yes or overlay= here", use->path, place.text, stop);
	if (same)
		return cause_set(cause, EBUSY, "%s is the image of %s as well; two disks can share "
				 "one if both have readonly=yes or overlay=", use->path, place.text);
	return cause_set(cause, EBUSY, "%s is in use as %s; %sset readonly=yes or overlay= in both",
			 use->path, place.text, stop);
}

int image_claim_clash(const struct image_claim *claim, const struct image_claim *other,
		      struct cause *cause)
{
	for (const struct use *use = claim->uses; use; use = use->next)
		for (const struct use *others = other->uses; others; others = others->next)
			if ((use->written || others->written) &&
			    disk_file_same(&use->st, &others->st))
				return tell_clash(claim, use, other, others, cause);
	return 0;
}

/* --- what is claimed --- */

int image_claim_take(struct image_claim *claim, struct cause *cause)
{
	int err = 0;

	pthread_mutex_lock(&claims_mutex);
	for (const struct image_claim *other = claims; other && !err; other = other->next)
		err = image_claim_clash(claim, other, cause);
	if (!err) {
		claim->next = claims;
		claims = claim;
		claim->taken = true;
	}
	pthread_mutex_unlock(&claims_mutex);
	return err;
}

static void give_up(struct image_claim *claim)
{
	struct image_claim **at = &claims;

	pthread_mutex_lock(&claims_mutex);
	while (*at != claim)
		at = &(*at)->next;
	*at = claim->next;
	pthread_mutex_unlock(&claims_mutex);
}

void image_claim_free(struct image_claim *claim)
{
	if (!claim)
		return;
	if (claim->taken)
		give_up(claim);
	while (claim->uses) {
		struct use *use = claim->uses;

		claim->uses = use->next;
		free(use);
	}
	free(claim->guest);
	free(claim->disk);
	free(claim);
}
