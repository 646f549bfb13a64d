/* What the files of the helper share: what it is asked for, and how a child begins. */
#ifndef SANDBOX_HELPER_PRIVATE_H
#define SANDBOX_HELPER_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/helper.h"

/* The status socket's other end, and what each process gets; some get a file, too. */
#define PROCESS_FDS 4
#define REQUEST_FDS (2 + PROGRAM_FDS) /* of a program, with standard error, at most */
_Static_assert(REQUEST_FDS > PROCESS_FDS, "there is room for either");
#define PROGRAM_ARGUMENTS 160 /* with what else is said in words: see struct request */

/* What a helper starts. */
enum helper_kind { HELPER_OF_PROCESSES, HELPER_OF_PROGRAMS, HELPER_KINDS };

struct request {
	/* Of a process behind walls */
	char name[HELPER_NAME_MAX];
	char label[HELPER_LABEL_MAX];
	/* Of both; a process has PROGRAM_NETWORK, and uses what its filter lets it, or none */
	enum program_network network;
	/* Nothing is executed: the words are a struct opener_order */
	bool opens;
	/* Of a program */
	enum program program;
	bool has_files, talks;
	uint32_t count;
	/*
	 * Of the words, each with its NUL: the folder that is read only or "", then, with
	 * has_files, files, each behind 'r' or 'w', and "", then the arguments. The rest is not
	 * sent.
	 */
	uint32_t size;
	char arguments[HELPER_ARGUMENTS_MAX];
};

#define REQUEST_SIZE(arguments_size) (offsetof(struct request, arguments) + (arguments_size))

/* The same, of one that opens something and says so itself on status_fd. */
pid_t helper_start_opener(int self, const struct request *request, int status_fd);

/*
 * In the helper, whose pidfd is self: starts a child with the descriptors behind the status
 * socket's; image is what a process behind walls executes. Its pid, with *refused as in struct
 * helper_report, or -1 with errno.
 */
pid_t helper_start_child(enum helper_kind kind, int self, int image, struct request *request,
			 const int *fds, uint32_t *refused);

#endif
