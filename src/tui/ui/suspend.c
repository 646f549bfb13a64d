/*
 * See suspend.h. Screen thread.
 *
 * The shell waits for the launcher or, attached, for this process. The signal goes to the whole
 * job, of which a script may be a part. A deck in this process is no part of what stops: the
 * process only keeps its hands off the terminal until the shell continues the job.
 */
#include "tui/ui/suspend.h"

#include <curses.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A shell with job control gives each of its jobs a process group. */
static bool is_job(void)
{
	return getpgrp() != getsid(0);
}

void suspend(struct tui *tui)
{
	if (!is_job()) {
		tui_say(tui, SEVERITY_WARNING, NULL, "The screen was not started by a shell that "
			"could bring it back, so it stays.");
		return;
	}
	loop_remove(&tui->loop, &tui->input);
	terminal_suspend(&tui->terminal);
	tui->stopped = true;
	kill(0, SIGTSTP); /* suspend_job() does the rest, when it is heard of here */
}

void suspend_job(struct tui *tui)
{
	const struct tui_config *config = tui->deck->config;

	kill(config->launcher ? config->launcher : getpid(), SIGSTOP);
}

void suspend_ended(struct tui *tui)
{
	if (!tui->stopped) {
		/* Somebody else stopped it, and may have written to the terminal. */
		if (!tui->terminal.suspended)
			clearok(curscr, TRUE);
		tui_dirty(tui);
		return;
	}
	/* In the background there is nothing to do: as others do that write there, it stops. */
	if (tcgetpgrp(STDIN_FILENO) != getpgrp()) {
		suspend_job(tui);
		return;
	}
	tui->stopped = false;
	if (tui->finished) {
		loop_stop(&tui->loop);
		return;
	}
	terminal_resume(&tui->terminal);
	if (loop_add(&tui->loop, &tui->input, STDIN_FILENO, EPOLLIN, tui->input.ready, tui) < 0)
		tui_finish(tui, TUI_HANGUP);
	tui_dirty(tui);
}
