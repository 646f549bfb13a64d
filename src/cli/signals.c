/* Signals as file descriptors (signalfd(2)). Main thread, before others start. */
#include "cli/signals.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* nohup(1), and "command &" in a script, say so. */
static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int signals_open_set(const sigset_t *wanted, sigset_t *before)
{
	sigset_t set = *wanted;

	signal(SIGPIPE, SIG_IGN);
	/* One that is blocked would be kept for the file descriptor although it is ignored. */
	for (int number = 1; number < NSIG; number++)
		if (sigismember(&set, number) == 1 && is_ignored(number))
			sigdelset(&set, number);
	pthread_sigmask(SIG_BLOCK, &set, before);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static sigset_t those(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	return set;
}

int signals_open(sigset_t *before)
{
	sigset_t set = those();

	return signals_open_set(&set, before);
}

int signals_take(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

void signals_close(int fd, const sigset_t *before)
{
	if (fd >= 0)
		close(fd);
	pthread_sigmask(SIG_SETMASK, before, NULL);
}
