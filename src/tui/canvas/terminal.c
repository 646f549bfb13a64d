/*
 * The terminal: entering and leaving curses, signals. Screen thread.
 *
 * A signal may reach any thread of the process, so that its handler only
 * leaves a note in an atomic and an eventfd: no signalfd, whose signals all
 * threads would have to block.
 */
#include "tui/canvas/terminal.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#include "base/checked.h"

/* What curses would define away. */
#undef columns
#undef lines

static const int signals[TERMINAL_SIGNALS] = { SIGWINCH, SIGHUP, SIGTERM, SIGINT, SIGQUIT,
					      SIGTSTP, SIGCONT };

/* Signal handlers have no argument: one terminal a process, as curses has it. */
static atomic_uint signals_seen;
static atomic_int signal_fd = -1;

static void note_signal(int number)
{
	int error = errno;
	uint64_t one = 1;
	ssize_t n;

	atomic_fetch_or(&signals_seen, 1u << number);
	n = write(atomic_load(&signal_fd), &one, sizeof(one));
	(void)n;
	errno = error;
}

unsigned terminal_signals(struct terminal *terminal)
{
	uint64_t count;
	ssize_t n = read(terminal->signal_fd, &count, sizeof(count));

	(void)n;
	return atomic_exchange(&signals_seen, 0);
}

static int take_signals(struct terminal *terminal, struct cause *cause)
{
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };
	sigset_t blocked;

	terminal->signal_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (terminal->signal_fd < 0)
		return cause_errno(cause, errno, "signals of the screen");
	atomic_store(&signals_seen, 0);
	atomic_store(&signal_fd, terminal->signal_fd);
	sigemptyset(&action.sa_mask);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	for (unsigned i = 0; i < TERMINAL_SIGNALS; i++) {
		sigaction(signals[i], NULL, &terminal->actions_before[i]);
		/* Who blocked one sees to it himself; one that was ignored stays so. */
		if (sigismember(&blocked, signals[i]) != 1 &&
		    terminal->actions_before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	terminal->signals_taken = true;
	return 0;
}

/* The locale of this thread, so that the rest of the process keeps its own. */
static void take_locale(struct terminal *terminal)
{
	terminal->locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	if (!terminal->locale)
		return;
	terminal->locale_before = uselocale(terminal->locale);
	terminal->utf8 = strcmp(nl_langinfo_l(CODESET, terminal->locale), "UTF-8") == 0;
}

int terminal_check(struct cause *cause)
{
	const char *term = getenv("TERM");
	bool places;
	int error;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cause_set(cause, ENOTTY,
				 "the screen needs a terminal for standard input and output; without "
				 "one, use the commands (vmdeck --help lists them)");
	if (!term || !*term)
		return cause_set(cause, EINVAL,
				 "TERM is not set: set it to the terminal's type, for example "
				 "TERM=xterm-256color");
	if (setupterm(term, STDOUT_FILENO, &error) != OK)
		return cause_set(cause, EINVAL,
				 "TERM=%.60s: the terminal database does not know this type; set "
				 "another one, for example TERM=xterm (Debian's ncurses-term has "
				 "more of them)", term);
	places = cursor_address && clear_screen;
	del_curterm(cur_term);
	if (places)
		return 0;
	return cause_set(cause, EINVAL,
			 "TERM=%.60s: this terminal cannot place its cursor; the screen needs one "
			 "that can, the commands do not (vmdeck --help lists them)", term);
}

/* The Linux console, and those that are older than OSC, show such a string instead. */
static bool passes_over_strings(const char *term)
{
	return strncmp(term, "linux", 5) != 0 && strncmp(term, "vt", 2) != 0;
}

/* Terminals that know no such mode pass over it, if they speak ECMA-48 at all. */
static void mark_pastes(struct terminal *terminal, bool marked)
{
	if (!terminal->marks_pastes)
		return;
	if (marked)
		fputs("\033[?2004h", stdout);
	else
		fputs("\033[?2004l", stdout);
	fflush(stdout);
}

/*
 * Until curses has come back from endwin() for the first time, it writes out its buffer after each move
 * of the cursor (seen in 6.4): with 20 charts 80 system calls a frame.
 */
static void write_frames_whole(void)
{
	endwin();
	refresh();
}

static int take_screen(struct terminal *terminal, struct cause *cause)
{
	const char *no_color = getenv("NO_COLOR");

	terminal->screen = newterm(NULL, stdout, stdin);
	if (!terminal->screen)
		return cause_set(cause, EINVAL, "TERM=%.60s: curses cannot use this terminal",
				 getenv("TERM"));
	write_frames_whole();
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	intrflush(stdscr, FALSE);
	leaveok(stdscr, FALSE);
	set_escdelay(25);
	curs_set(0);
	terminal->colour = !(no_color && *no_color) && has_colors() && start_color() == OK;
	if (terminal->colour)
		use_default_colors();
	terminal->glyphs = draw_glyphs(getenv("TERM"), terminal->utf8, getenv("VMDECK_GLYPHS"));
	terminal->utf8 = terminal->glyphs != GLYPHS_ASCII;
	terminal->marks_pastes = strncmp(cursor_address, "\033[", 2) == 0;
	terminal->clipboard = terminal->marks_pastes && passes_over_strings(getenv("TERM"));
	mark_pastes(terminal, true);
	return 0;
}

int terminal_start(struct terminal *terminal, struct cause *cause)
{
	int error;

	memset(terminal, 0, sizeof(*terminal));
	terminal->signal_fd = -1;
	error = terminal_check(cause);
	if (error)
		return error;
	terminal->modes_saved = tcgetattr(STDIN_FILENO, &terminal->modes_before) == 0;
	error = take_signals(terminal, cause);
	if (error)
		return error;
	take_locale(terminal);
	error = take_screen(terminal, cause);
	if (error)
		terminal_stop(terminal);
	return error;
}

void terminal_stop(struct terminal *terminal)
{
	if (terminal->screen) {
		if (!terminal->suspended) {
			mark_pastes(terminal, false);
			endwin();
		}
		delscreen(terminal->screen);
		terminal->screen = NULL;
	}
	if (terminal->modes_saved)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->modes_before);
	terminal->modes_saved = false;
	if (terminal->locale) {
		uselocale(terminal->locale_before);
		freelocale(terminal->locale);
		terminal->locale = (locale_t)0;
	}
	if (terminal->signals_taken) {
		for (unsigned i = 0; i < TERMINAL_SIGNALS; i++)
			sigaction(signals[i], &terminal->actions_before[i], NULL);
		atomic_store(&signal_fd, -1);
	}
	terminal->signals_taken = false;
	if (terminal->signal_fd >= 0)
		close(terminal->signal_fd);
	terminal->signal_fd = -1;
}

void terminal_suspend(struct terminal *terminal)
{
	def_prog_mode();
	mark_pastes(terminal, false);
	endwin();
	terminal->suspended = true;
}

void terminal_resume(struct terminal *terminal)
{
	terminal->suspended = false;
	reset_prog_mode();
	mark_pastes(terminal, true);
	terminal_resize(terminal);
	clearok(curscr, TRUE);
	curs_set(0);
}

static const struct {
	mmask_t pressed, released;
} mouse_buttons[] = {
	{ BUTTON1_PRESSED, BUTTON1_RELEASED }, { BUTTON2_PRESSED, BUTTON2_RELEASED },
	{ BUTTON3_PRESSED, BUTTON3_RELEASED }, { BUTTON4_PRESSED, 0 }, { BUTTON5_PRESSED, 0 },
};

void terminal_mouse(struct terminal *terminal, enum terminal_mouse_use use)
{
	mmask_t all = 0;

	if (terminal->mouse == use)
		return;
	terminal->mouse = use;
	for (size_t i = 0; i < ARRAY_SIZE(mouse_buttons); i++)
		all |= mouse_buttons[i].pressed | mouse_buttons[i].released;
	mouseinterval(0); /* nothing waits for a second click */
	mousemask(use == TERMINAL_MOUSE_NONE ? 0 :
		  use == TERMINAL_MOUSE_ALL  ? all :
					       BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED,
		  NULL);
}

bool terminal_clicked(struct terminal_click *click)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(mouse_buttons); i++) {
		if (!(event.bstate & (mouse_buttons[i].pressed | mouse_buttons[i].released)))
			continue;
		*click = (struct terminal_click){ event.y, event.x, (int)i + 1,
						  event.bstate & mouse_buttons[i].pressed };
		return true;
	}
	return false;
}

void terminal_resize(struct terminal *terminal)
{
	struct winsize size;

	if (terminal->suspended || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	if (size.ws_row && size.ws_col && (size.ws_row != LINES || size.ws_col != COLS))
		resizeterm(size.ws_row, size.ws_col);
}
