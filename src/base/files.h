/* The process's table of open files, and files themselves. */
#ifndef BASE_FILES_H
#define BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes room for that many open files, as far as the hard limit allows; what it
 * cannot have is no error here. For a process that has one thread yet: a table
 * that threads share doubles only after an RCU grace period, for which whoever
 * opens the file waits, often 10 ms and more.
 */
void files_reserve(unsigned count);

/*
 * Puts something in the place of a standard input, output or error that is closed, so
 * that no file opened later gets its number: reading that input, or writing that output,
 * fails with EBADF. Before anything else is opened.
 */
void files_fill_standard(void);

/* Removes a file that has no content; whether it did. Any thread. */
bool files_remove_empty(const char *path);

/*
 * Gives a file another name, unless something has that: as renameat2(2) with RENAME_NOREPLACE, also
 * on file systems that do not know it. 0, or a negative errno, and it has its old name. Any thread.
 */
int files_name(const char *from, const char *to);

/*
 * Reads the start of a file, such as one of /proc, as a string of less than size bytes; false, and
 * "", if there is nothing of it to be had.
 */
bool files_read_start(const char *path, char *text, size_t size);

#endif
