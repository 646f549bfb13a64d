/* "vmdeck --headless": the core without a screen. The main thread is the deck thread. */
#include <poll.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/plain.h"
#include "roles/roles.h"
#include "roles/say.h"
#include "roles/session.h"

struct headless {
	struct deck_session session;
	struct deck_listener journal;
};

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
	char text[JOURNAL_SENTENCE];

	(void)arg;
	if (journal_sentence(event, text, sizeof(text)))
		tell("%s", text);
}

/* The deck's thread is this one. */
int role_headless(const struct role_config *config)
{
	struct headless headless = { .session.keep = true };
	struct deck_session *session = &headless.session;
	struct cause cause;

	deck_signals_block_all();
	if (deck_session_open(session, config, &cause) < 0) {
		deck_session_close(session);
		return complain(&cause);
	}
	headless.journal = (struct deck_listener){ .event = tell_event };
	deck_listen(session->deck, &headless.journal);
	deck_replay(session->deck, &headless.journal);
	deck_session_serve(session);
	deck_unlisten(session->deck, &headless.journal);
	deck_session_close(session);
	deck_session_say_given_up(session);
	return deck_session_gave_up(session);
}
