/*
 * Shared libraries that are loaded when they are first needed. A library with
 * a dozen others behind it costs every start of the program a millisecond,
 * also those that never use it.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <pthread.h>
#include <stddef.h>

#include "base/cause.h"

struct library_function {
	const char *name;
	void *pointer; /* address of the function pointer that gets it */
};

/* A constant of the file that uses it, but for lock and handle. */
struct library {
	const char *file;    /* "libpcap.so.0.8" */
	const char *package; /* that brings it, for the message */
	const struct library_function *functions;
	size_t count;
	pthread_mutex_t lock;
	void *handle; /* NULL until it is loaded; it stays */
};

/*
 * Loads it, if that has not happened, and fills in all function pointers.
 * Any thread. 0, or -ELIBACC with a cause that names the package.
 */
int library_load(struct library *library, struct cause *cause);

#endif
