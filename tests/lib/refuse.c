/* Runs a program on a host that refuses system calls: refuse CALL=ERRNO... -- PROGRAM [ARGUMENT...] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/refuse.h"

static const struct {
	const char *name;
	long call;
} calls[] = {
	{ "epoll_pwait2", SYS_epoll_pwait2 },
	{ "faccessat2", SYS_faccessat2 },
	{ "io_uring_enter", SYS_io_uring_enter },
	{ "io_uring_setup", SYS_io_uring_setup },
	{ "landlock_create_ruleset", SYS_landlock_create_ruleset },
};

/* One word of the command line; false: it is none. */
static int parse(struct refusal *refusal, const char *word)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strlen(calls[i].name) != length || strncmp(calls[i].name, word, length))
			continue;
		refusal->call = calls[i].call;
		refusal->error = word[length] ? atoi(word + length + 1) : 0;
		return refusal->error > 0;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct refusal refusals[REFUSALS_MAX];
	unsigned count = 0;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (count == REFUSALS_MAX || !parse(&refusals[count++], argv[i])) {
			fprintf(stderr, "refuse: '%s' cannot be refused\n", argv[i]);
			return 2;
		}
	if (i + 1 >= argc || refuse_calls(refusals, count) < 0) {
		perror("refuse");
		return 2;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 2;
}
