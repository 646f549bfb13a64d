/* See signals.h. signalfd(2), signal(7). */
#include "roles/signals.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/signals.h"

static void signal_came(void *arg, uint32_t events)
{
	struct deck_signals *signals = arg;
	struct signalfd_siginfo info;
	unsigned *count;

	(void)events;
	if (read(signals->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	/* Whoever ends a control group sends one to the launcher and one to its child. */
	count = (int)info.ssi_signo == DECK_SIGNAL_PASSED_ON ? &signals->passed_on : &signals->direct;
	if (++*count > signals->orders)
		signals->came(signals->arg, ++signals->orders > 1);
}

int deck_signals_open(struct deck_signals *signals, bool terminal, struct cause *cause)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, DECK_SIGNAL_PASSED_ON);
	/* Of a deck with a screen it is the key of whatever else runs in that terminal. */
	if (!terminal)
		sigaddset(&set, SIGINT);
	signals->fd = signals_open_set(&set, NULL);
	return signals->fd < 0 ? cause_errno(cause, errno, "signalfd") : 0;
}

int deck_signals_watch(struct deck_signals *signals, struct loop *loop, struct cause *cause)
{
	int err = loop_add(loop, &signals->source, signals->fd, EPOLLIN, signal_came, signals);

	signals->loop = loop;
	return err < 0 ? cause_errno(cause, -err, "signalfd") : 0;
}

void deck_signals_close(struct deck_signals *signals)
{
	if (signals->loop)
		loop_remove(signals->loop, &signals->source);
	if (signals->fd >= 0)
		close(signals->fd);
	signals->fd = -1;
}

void deck_signals_block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
}

int deck_signals_pass_on(pid_t child, int number)
{
	return kill(child, number == SIGTERM ? DECK_SIGNAL_PASSED_ON : number);
}
