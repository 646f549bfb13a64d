/* How many files this process has open. */
#ifndef TESTS_UNIT_OPEN_FILES_H
#define TESTS_UNIT_OPEN_FILES_H

#include <dirent.h>

static unsigned open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

#endif
