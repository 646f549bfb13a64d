/* See program.h. */
#include "sandbox/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"

static const struct {
	const char *name, *package, *purpose;
	bool makes_walls;
} programs[PROGRAM_COUNT] = {
	[PROGRAM_STORAGE_DAEMON] = { "qemu-storage-daemon", "qemu-system-common",
				     "it serves disks that are no raw images, and layers", false },
	[PROGRAM_VIRTIOFSD] = { "virtiofsd", "virtiofsd, in Debian 12 qemu-system-common",
				"it serves shared folders", true },
	[PROGRAM_XORRISO] = { "xorriso", "xorriso",
			      "it makes the CDs that set up cloud images", false },
	[PROGRAM_SHARKD] = { "sharkd", "wireshark-common", "it takes packets apart", false },
};

/* Where distributions put programs that people start, and those that programs start. */
static const char *const folders[] = {
	"/usr/bin", "/usr/lib/qemu", "/usr/libexec", "/usr/local/bin", "/usr/local/libexec",
};

const char *program_name(enum program program)
{
	return programs[program].name;
}

static bool is_there(const char *folder, const char *name, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

	return n > 0 && n < PATH_MAX && access(out, X_OK) == 0;
}

const char *program_purpose(enum program program)
{
	return programs[program].purpose;
}

bool program_makes_walls(enum program program)
{
	return programs[program].makes_walls;
}

int program_find(enum program program, char out[PATH_MAX], struct cause *cause)
{
	const char *name = programs[program].name, *first = getenv(PROGRAM_FOLDER_VARIABLE);

	if (first && *first == '/' && is_there(first, name, out))
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(folders); i++)
		if (is_there(folders[i], name, out))
			return 0;
	return cause_set(cause, ENOENT, "%s is not installed; install the package %s", name,
			 programs[program].package);
}
