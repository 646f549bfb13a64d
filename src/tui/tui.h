/*
 * The screen: an ncurses front end that reaches guests only through the
 * control protocol.
 *
 * It runs on the thread that calls tui_run(), the only one that calls
 * ncurses. That thread never waits for a guest or for the connection.
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "base/cause.h"
#include "tui/ui/config.h"

/*
 * Shows the screen until it ends. 0 and *result; with TUI_LOST the cause says
 * what happened to the connection. -ENOTTY without a terminal, -EINVAL for a
 * TERM that cannot be used, -EPROTO for a server that speaks something else,
 * and what dial returned, with a cause. The terminal is as it was before in
 * every case. While it runs, SIGWINCH, SIGHUP, SIGTERM, SIGINT, SIGQUIT and SIGTSTP
 * are handled here, but for those that the caller blocked or ignores; what the
 * caller had set is put back. SIGHUP, SIGTERM and SIGQUIT give TUI_HANGUP.
 */
int tui_run(const struct tui_config *config, enum tui_result *result, struct cause *cause);

#endif
