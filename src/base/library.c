/* Loading shared libraries on demand. dlopen(3). Any thread. */
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

static int load(struct library *library, struct cause *cause)
{
	void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return cause_set(cause, ELIBACC, "%s cannot be loaded (%s); install %s",
				 library->file, dlerror(), library->package);
	for (size_t i = 0; i < library->count; i++) {
		void *function = dlsym(handle, library->functions[i].name);

		if (!function) {
			dlclose(handle);
			return cause_set(cause, ELIBACC, "%s has no %s; install another version "
					 "of %s", library->file, library->functions[i].name,
					 library->package);
		}
		/* A function pointer has the representation of an object pointer, POSIX dlsym(). */
		memcpy(library->functions[i].pointer, &function, sizeof(function));
	}
	library->handle = handle;
	return 0;
}

int library_load(struct library *library, struct cause *cause)
{
	int err;

	pthread_mutex_lock(&library->lock);
	err = library->handle ? 0 : load(library, cause);
	pthread_mutex_unlock(&library->lock);
	return err;
}
