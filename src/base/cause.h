/*
 * A cause: why an operation failed, as a sentence that a person can act on.
 *
 * Functions return a negative errno; those whose failure reaches a person
 * also fill a cause. The sentence names the file, line, key or device first,
 * then what is wrong, then what to do. Any thread.
 */
#ifndef BASE_CAUSE_H
#define BASE_CAUSE_H

#define CAUSE_SIZE 512

struct cause {
	char text[CAUSE_SIZE];
};

/*
 * Writes the sentence and returns -error, so that a failure is one line:
 * return cause_set(cause, ENOENT, "%s: no such kernel", path);
 * error is a positive errno; cause may be NULL. Longer text ends in an ellipsis.
 */
int cause_set(struct cause *cause, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, followed by ": " and the system's text for error. */
int cause_errno(struct cause *cause, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts "what: " before the sentence that a deeper layer wrote, unless that begins
 * with it already. Returns error unchanged (a negative errno), for use in a return
 * statement.
 */
int cause_prefix(struct cause *cause, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
