/* "vmdeck --headless": the core without a screen. The main thread is the deck thread. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/plain.h"
#include "roles/roles.h"
#include "roles/say.h"
#include "roles/session.h"

struct headless {
	struct deck_session session;
	int signal_fd;
	struct loop_source signals;
	struct deck_listener journal;
};

static void read_signal(void *arg, uint32_t events)
{
	struct headless *headless = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(headless->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		deck_session_end_guests(&headless->session);
}

/* A line to standard error; whoever reads it must not hold up the deck. */
static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	struct pollfd reader = { .fd = STDERR_FILENO, .events = POLLOUT };
	va_list ap;

	if (poll(&reader, 1, 0) != 1 || !(reader.revents & POLLOUT))
		return;
	va_start(ap, format);
	plain_vsay("\n", format, ap);
	va_end(ap);
}

static void tell_event(void *arg, const struct deck_event *event)
{
	const struct guest *guest = event->guest;

	(void)arg;
	if (event->kind == DECK_EVENT_STATE)
		tell("%s: %s%s%s", guest_name(guest), guest_state_name(guest_get_state(guest)),
		     *event->text ? ": " : "", event->text);
	else if (event->kind == DECK_EVENT_LOG && guest)
		tell("%s: %s", guest_name(guest), event->text);
	else if (event->kind == DECK_EVENT_LOG)
		tell("%s", event->text);
}

/* All signals are blocked, in the threads of guests as well; two of them are read here. */
static int watch_signals(struct headless *headless, struct cause *cause)
{
	struct loop *loop = deck_loop(headless->session.deck);
	sigset_t signals;
	int err;

	sigfillset(&signals);
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	headless->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (headless->signal_fd < 0)
		return cause_errno(cause, errno, "signalfd");
	err = loop_add(loop, &headless->signals, headless->signal_fd, EPOLLIN, read_signal, headless);
	return err < 0 ? cause_errno(cause, -err, "signalfd") : 0;
}

/* The deck's thread is this one. */
int role_headless(const struct role_config *config)
{
	struct headless headless = { .session.keep = true, .signal_fd = -1 };
	struct deck_session *session = &headless.session;
	struct cause cause;
	int status = 0;

	if (deck_session_open(session, config, &cause) < 0) {
		deck_session_close(session);
		return complain(&cause);
	}
	headless.journal = (struct deck_listener){ .event = tell_event };
	deck_listen(session->deck, &headless.journal);
	if (watch_signals(&headless, &cause) == 0)
		deck_session_serve(session);
	else
		status = complain(&cause);
	loop_remove(deck_loop(session->deck), &headless.signals);
	if (headless.signal_fd >= 0)
		close(headless.signal_fd);
	deck_unlisten(session->deck, &headless.journal);
	deck_session_close(session);
	return status;
}
