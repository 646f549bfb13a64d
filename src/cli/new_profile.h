/* The commented profile that "vmdeck new" writes. Main thread. */
#ifndef CLI_NEW_PROFILE_H
#define CLI_NEW_PROFILE_H

#include "cli/profile_words.h"

/* The options of which it is made, and others of the command. */
extern const struct option_row new_options[];

/* What is not on the command line as it stands. */
struct new_guest {
	const char *name;
	const char *image;  /* of its first disk, an absolute path, or NULL */
	const char *format; /* of the image */
};

/* What the line that names the image comes from, for trial_check(). */
const struct profile_word *new_profile_image(void);

/* CLI_OK, or CLI_FAILED after a sentence on stderr. */
int new_profile_make(struct profile_words *words, const struct cli *cli,
		     const struct new_guest *guest);

#endif
