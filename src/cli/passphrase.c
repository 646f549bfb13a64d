/* See passphrase.h. termios(3). */
#include "cli/passphrase.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/plain.h"
#include "cli/signals.h"

/* Takes a character off the end, which may have several bytes. */
static size_t erase(const char *out, size_t n)
{
	while (n && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
		n--;
	return n ? n - 1 : 0;
}

/* The next key; false: there is none any more, or a signal has come. */
static bool read_key(int fd, int signals, char *key)
{
	struct pollfd wait[] = { { .fd = fd, .events = POLLIN },
				 { .fd = signals, .events = POLLIN } };

	while (poll(wait, ARRAY_SIZE(wait), -1) < 0)
		if (errno != EINTR)
			return false;
	return !wait[1].revents && read(fd, key, 1) == 1;
}

/* Keys, of a terminal that neither shows them nor makes lines or signals of them. */
static int read_keys(int fd, int signals, char out[PASSPHRASE_MAX])
{
	size_t n = 0;
	char key;

	for (;;) {
		if (!read_key(fd, signals, &key) || key == CTRL('c') || (key == CTRL('d') && !n))
			return -ECANCELED;
		if (key == '\r' || key == '\n')
			break;
		if (key == 0x7f || key == CTRL('h'))
			n = erase(out, n);
		else if (key == CTRL('u'))
			n = 0;
		else if (n + 1 == PASSPHRASE_MAX)
			return -E2BIG;
		else if ((unsigned char)key >= ' ')
			out[n++] = key;
	}
	out[n] = '\0';
	return 0;
}

/* The terminal shows the question, and not what is typed. */
static int ask(FILE *terminal, const char *guest, const char *disk, const char *path,
	       char out[PASSPHRASE_MAX])
{
	struct termios saved, quiet;
	sigset_t before;
	int signals, err;

	if (tcgetattr(fileno(terminal), &saved) < 0)
		return -ENOTTY;
	quiet = saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	plain_print(terminal, "%s: passphrase of %s, %s: ", guest, disk, path);
	fflush(terminal);
	/* What was typed before the question is no answer to it. */
	if (tcsetattr(fileno(terminal), TCSAFLUSH, &quiet) < 0)
		return -ENOTTY;
	signals = signals_open(&before);
	err = read_keys(fileno(terminal), signals, out);
	/* The rest of one that was too long is not for the shell to show and to run. */
	tcsetattr(fileno(terminal), err ? TCSAFLUSH : TCSADRAIN, &saved);
	fputc('\n', terminal);
	fflush(terminal);
	signals_close(signals, &before); /* one that has come does what it does */
	return err;
}

int passphrase_ask(const char *guest, const char *disk, const char *path,
		   char out[PASSPHRASE_MAX], struct cause *cause)
{
	FILE *terminal = fopen("/dev/tty", "r+e");
	int err = -ENOTTY;

	if (terminal) {
		err = ask(terminal, guest, disk, path, out);
		fclose(terminal);
	}
	if (err)
		explicit_bzero(out, PASSPHRASE_MAX);
	if (err && err != -ENOTTY)
		cause_set(cause, -err, "%s: it was not started, as %s", guest,
			  err == -E2BIG ? "the passphrase is too long"
					: "no passphrase was given");
	return err;
}
