/*
 * The subcommands as processes: this program runs itself with "cli" as its
 * first argument, and that process is vmdeck's command line against a server
 * on a deck without machines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/checked.h"
#include "cli/cli.h"
#include "cli/pcapng.h"
#include "fake_deck.h"

extern char **environ;

/* --- the process --- */

static int check_profile(const char *path, check_found *found, void *arg, struct cause *cause)
{
	if (!path || strstr(path, "none"))
		return cause_set(cause, ENOENT, "%s: no profile", path ? path : "yours");
	if (strstr(path, "good") || strstr(path, "/run-"))
		return 0;
	found(arg, path, 4, false, "cpus: 0 is too few; write 1 to 64");
	found(arg, path, 0, false, "there is no\033[2J [guest] section");
	found(arg, path, 7, true, "cmdline: pci=off: finds nothing");
	return -EINVAL;
}

static int print_hook(const char *name, const char *socket, int argc, char **argv)
{
	printf("%s socket=%s", name, socket ? socket : "-");
	for (int i = 0; i < argc; i++)
		printf(" %s", argv[i]);
	printf("\n");
	return 5;
}

static void offer_profiles(void (*each)(void *arg, const char *name), void *arg)
{
	each(arg, "mail");
	each(arg, "web");
}

/* Shows a profile that was made of options. */
static int run_hook(const char *socket, const char *guest)
{
	FILE *made = strstr(guest, "/run-") ? fopen(guest, "r") : NULL;
	char *argv[] = { made ? (char *)"made" : (char *)guest };
	int c;

	print_hook("run", socket, 1, argv);
	while (made && (c = getc(made)) != EOF)
		putchar(c);
	if (made)
		fclose(made);
	return 5;
}

static int screen_hook(const char *socket, int argc, char **argv)
{
	return print_hook("screen", socket, argc, argv);
}

static const char *setting(size_t number)
{
	static const char *const keys[] = { "link", "mtu" };

	return number < sizeof(keys) / sizeof(keys[0]) ? keys[number] : NULL;
}

static const struct cli_hooks hooks = {
	.check = check_profile, .profiles = offer_profiles, .setting = setting, .run = run_hook,
	.screen = screen_hook,
	.screen_args = "[--demo]",
	.screen_help = "  --demo                         the built-in deck\n",
};

/* --- starting it --- */

#define WORDS_MAX 16

struct process {
	pid_t pid;
	int out, err;
};

static int self;

static void start(struct process *process, const char *line)
{
	char *argv[WORDS_MAX + 3] = { (char *)"cli-test", (char *)"cli" }, *copy = strdup(line);
	char *rest = copy, path[64];
	posix_spawn_file_actions_t actions;
	int out[2], err[2], n = 2;

	while ((argv[n] = strsep(&rest, " ")) && n < WORDS_MAX)
		n++;
	if (n == 3 && !*argv[2])
		argv[2] = NULL;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, err[1], 2);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self);
	assert_int_equal(posix_spawn(&process->pid, path, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	close(err[1]);
	process->out = out[0];
	process->err = err[0];
	free(copy);
}

static void read_text(int fd, char *text, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size - 1 && (n = read(fd, text + done, size - 1 - done)) > 0)
		done += (size_t)n;
	text[done] = '\0';
	close(fd);
}

static char out[65536], err[8192];

static int finish(struct process *process)
{
	int status;

	read_text(process->out, out, sizeof(out));
	read_text(process->err, err, sizeof(err));
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Runs a command line to its end; its output is in out and err. */
static int vmdeck(const char *line)
{
	struct process process;

	start(&process, line);
	return finish(&process);
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' lacks '%s'", text, part);
}

static json_t *parsed(void)
{
	json_error_t error;
	json_t *value = json_loads(out, 0, &error);

	if (!value)
		fail_msg("%s: %s", error.text, out);
	return value;
}

/* --- tests --- */

static void help_lists_every_command(void **state)
{
	static const char *const names[] = { "run", "list", "show", "start", "stop", "pause",
		"resume", "reset", "console", "capture", "extcap", "check", "doctor", "switches", "stats",
		"events", "reload", "shutdown", "help" };
	char line[64];

	(void)state;
	assert_int_equal(vmdeck("--help"), 0);
	has(out, "--demo");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(line, sizeof(line), "\n  %s ", names[i]);
		assert_int_equal(vmdeck("--help"), 0);
		has(out, line);
		snprintf(line, sizeof(line), "help %s", names[i]);
		assert_int_equal(vmdeck(line), 0);
		snprintf(line, sizeof(line), "Usage: vmdeck %s", names[i]);
		has(out, line);
	}
	assert_int_equal(vmdeck("--help"), 0);
	has(out, "\n  eject GUEST/DISK        takes ");
	has(out, "\n  insert GUEST/DISK IMAGE puts ");
	assert_int_equal(vmdeck("capture --help"), 0);
	has(out, "--filter FILTER");
	assert_int_equal(vmdeck("help stop"), 0);
	has(out, "A guest must be starting, running, paused or stopping.");
	assert_int_equal(vmdeck("help reset"), 0);
	has(out, "A guest must be starting, running or paused.");
	assert_int_equal(vmdeck("--version"), 0);
	has(out, "vmdeck ");
}

/* Options in the place of a profile are one, which is gone afterwards. */
static void run_makes_a_profile_of_options(void **state)
{
	(void)state;
	assert_int_equal(vmdeck("run --kernel /k/bzImage.x --append a=\"b;c\" -m 64M -d /a -d /b "
				"--net=lan"), 5);
	assert_string_equal(out, "run socket=- made\n[guest]\nname = a\nmemory = 64M\n"
				 "[boot]\nkernel = /k/bzImage.x\ncmdline = 'a=\"b;c\"'\n"
				 "[disk0]\npath = /a\nformat = raw\n"
				 "[disk1]\npath = /b\nformat = raw\n[net0]\nswitch = lan\n");
	assert_int_equal(vmdeck("run --name x --cpus 2"), 5);
	assert_string_equal(out, "run socket=- made\n[guest]\nname = x\ncpus = 2\n");
	assert_int_equal(vmdeck("run --append \"'"), 1);
	has(err, "--append: a profile cannot have this value: it has both kinds of quotes");
	assert_int_equal(vmdeck("run web --memory 1G"), 2);
	assert_int_equal(vmdeck("run"), 2);
	has(err, "--kernel");
}

static void hooks_get_their_arguments(void **state)
{
	(void)state;
	assert_int_equal(vmdeck("--socket /s run web.ini"), 5);
	assert_string_equal(out, "run socket=/s web.ini\n");
	assert_int_equal(vmdeck(""), 5);
	has(out, "screen socket=-");
	assert_int_equal(vmdeck("--socket=/s --demo"), 5);
	has(out, "screen socket=/s");
	has(out, " --demo\n");
}

static void a_wrong_command_line_is_status_2(void **state)
{
	(void)state;
	assert_int_equal(vmdeck("lst"), 2);
	has(err, "there is no command 'lst'; did you mean 'list'?");
	assert_int_equal(vmdeck("stat"), 2);
	has(err, "did you mean 'stats'?");
	assert_int_equal(vmdeck("start"), 2);
	assert_string_equal(err, "vmdeck: start needs GUEST...\ntry 'vmdeck help start'\n");
	assert_int_equal(vmdeck("list web"), 2);
	has(err, "one word too many");
	assert_int_equal(vmdeck("stop --froce web"), 2);
	has(err, "did you mean --force?");
	assert_int_equal(vmdeck("stop -x web"), 2);
	assert_int_equal(vmdeck("start --json web"), 2);
	assert_int_equal(vmdeck("start --timeout 0 --wait db"), 2);
	assert_int_equal(vmdeck("stop --timeout 1 db"), 2);
	assert_int_equal(vmdeck("start --timeout"), 2);
	assert_int_equal(vmdeck("capture"), 2);
	has(err, "--write");
	assert_int_equal(vmdeck("capture -s 99999 -w -"), 2);
	assert_int_equal(vmdeck("capture -i web/net0 -i a//b -w -"), 2);
	has(err, "--interface: 'a//b' is neither a port, such as web/net0, nor a switch");
	assert_int_equal(vmdeck("console --escape no web"), 2);
	assert_int_equal(vmdeck("help nothing"), 2);
	assert_string_equal(out, "");
}

static void without_a_deck_it_says_so(void **state)
{
	char folder[] = "/tmp/vmdeck-test-XXXXXX";

	(void)state;
	assert_int_equal(vmdeck("--socket /nonexistent/deck.sock list"), 1);
	assert_string_equal(err, "vmdeck: no deck is running (no socket at "
				 "/nonexistent/deck.sock); start one with 'vmdeck' or "
				 "'vmdeck run'\n");
	assert_int_equal(vmdeck("list --socket /nonexistent/deck.sock"), 1);
	unsetenv("VMDECK_SOCKET");
	assert_non_null(mkdtemp(folder));
	setenv("XDG_RUNTIME_DIR", folder, 1);
	setenv("XDG_STATE_HOME", folder, 1); /* not that of somebody who runs the tests */
	assert_int_equal(vmdeck("list"), 1);
	rmdir(folder);
	has(err, folder);
	has(err, "/vmdeck/deck.sock");
}

static void guests_are_listed(void **state)
{
	json_t *value;

	(void)state;
	assert_int_equal(vmdeck("list"), 0);
	has(out, "NAME");
	has(out, "web     running");
	has(out, "512M");
	assert_null(strchr(out, '\033'));
	assert_int_equal(vmdeck("ls --json"), 0);
	value = parsed();
	assert_int_equal(json_array_size(json_object_get(value, "guests")), 3);
	json_decref(value);
}

static void a_guest_is_shown_without_its_escapes(void **state)
{
	json_t *value;

	fake_print(*state, "web", "log\033[2Jin: \xc2\x9b", 13);
	assert_int_equal(vmdeck("show web"), 0);
	has(out, "net0       virtio, 52:54:00:01:02:03 on lan, 10.0.2.15, running");
	has(out, "\nlogin      ssh me@10.0.2.15, from guests of its switch");
	has(out, "12345678901");
	has(out, "kernel     /boot/vmlinuz\n");
	has(out, "cmdline    dyndbg=\"file a.c; file b.c\" quiet\n");
	has(out, "login: ");
	assert_null(strchr(out, '\033'));
	assert_null(strstr(out, "\xc2\x9b"));
	assert_int_equal(vmdeck("show broken"), 0);
	/* Those that its deck knows, and between them what else is wrong with the file. */
	has(out, "\n/profiles/broken.ini:3: memory: 'x' is not a size; write 512M or 2G\n"
		 "/profiles/broken.ini:4: cpus: 0 is too few; write 1 to 64\n"
		 "/profiles/broken.ini:7: colour: there is no such key in [guest]\n");
	assert_int_equal(vmdeck("list"), 0);
	has(out, "broken.ini:3: memory: 'x' is not a size; write 512M or 2G (and 1 more)\n");
	assert_int_equal(vmdeck("show --json web"), 0);
	has(out, "\\u009b");
	assert_null(strstr(out, "\xc2\x9b"));
	value = parsed();
	assert_string_equal(json_string_value(json_object_get(value, "name")), "web");
	json_decref(value);
	assert_int_equal(vmdeck("show wbe"), 1);
	assert_string_equal(err, "vmdeck: guest 'wbe': there is none; did you mean 'web'?\n");
}

static void orders_are_given_and_waited_for(void **state)
{
	struct fake_deck *fake = *state;

	assert_int_equal(vmdeck("start db"), 0);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
	assert_int_equal(vmdeck("start db"), 1);
	has(err, "db is running; only a guest that is defined, stopping, stopped, crashed or "
		 "failed can be started");
	assert_int_equal(vmdeck("pause db web"), 0);
	assert_int_equal(vmdeck("resume db web"), 0);
	assert_int_equal(vmdeck("pause --wait db web"), 0);
	assert_int_equal(vmdeck("resume --wait db web"), 0);
	assert_int_equal(vmdeck("stop nobody web"), 1); /* goes on after a failure */
	has(err, "nobody");
	assert_int_equal(vmdeck("stop --wait db"), 0);
	assert_int_equal(vmdeck("start -w web"), 0);
	assert_int_equal(vmdeck("stop -fw web"), 0);
	atomic_store(&fake->start_crashes, true);
	assert_int_equal(vmdeck("start --wait web"), 1);
	assert_string_equal(err, "vmdeck: web: crashed: triple fault\n");
	assert_int_equal(vmdeck("reset web"), 1);
}

static void waiting_has_its_limit(void **state)
{
	struct fake_deck *fake = *state;
	struct process process;

	fake_set_state(fake, "web", GUEST_STOPPING, "");
	start(&process, "start --timeout 1 db web");
	assert_int_equal(finish(&process), 1);
	assert_string_equal(err, "vmdeck: web does not run within 1 second\n");
	start(&process, "pause --wait db web"); /* web refuses */
	assert_int_equal(finish(&process), 1);
	assert_string_equal(err, "vmdeck: web is stopping; only a guest that is running can be "
				 "paused\n");
	assert_int_equal(vmdeck("stop --wait db web"), 0);
}

#define SHOWN(state, since, restarts)                                                        \
	"\"result\":{\"name\":\"web\",\"state\":\"" state "\",\"since\":" #since ",\"restarts\":" \
	#restarts "}"
#define EVENT(kind, state, text)                                                         \
	"\"method\":\"event\",\"params\":{\"time\":2,\"guest\":\"web\",\"kind\":\"" kind        \
	"\",\"state\":" state ",\"text\":\"" text "\"}"
#define OFF EVENT("state", "\"stopped\"", "switched off")
#define NONE "\"error\":{\"code\":-32000,\"message\":\"guest 'web': there is none\"}"
#define ANSWERS_MAX 8

/* Decks as far as an order asks: events, and an answer to each request; then they end. */
static const struct played {
	const char *command, *error; /* NULL: it succeeds */
	const char *answers[ANSWERS_MAX];
} played[] = {
	/* That of "run" ends with its guest. */
	{ "stop --wait web", NULL,
	  { "\"result\":{}", SHOWN("stopping", 1, 0), "\"result\":{}", OFF } },
	/* A guest is forgotten as it stops, and before what it did last was looked at. */
	{ "stop -fw web", NULL,
	  { "\"result\":{}", SHOWN("running", 1, 2), "\"result\":{}",
	    EVENT("log", "null", "restarted 1 more time"), OFF, NONE } },
	{ "reset -w web", "vmdeck: web: stopped: switched off\n",
	  { "\"result\":{}", SHOWN("running", 1, 2), "\"result\":{}", OFF, NONE } },
	{ "stop -fw web", "vmdeck: guest 'web': there is none\n",
	  { "\"result\":{}", SHOWN("running", 1, 2), "\"result\":{}", NONE } },
	/* One that resets itself at once may never be seen to run. */
	{ "reset -w web", NULL,
	  { "\"result\":{}", SHOWN("running", 1, 2), "\"result\":{}", SHOWN("starting", 2, 3),
	    SHOWN("starting", 2, 4) } },
	{ "start web", NULL,
	  { "\"result\":{}", SHOWN("stopped", 1, 9), "\"result\":{}", SHOWN("starting", 2, 15) } },
};

static void play_deck(int listener, const struct played *deck)
{
	FILE *peer = fdopen(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "r+");
	const char *more;
	char line[4096];
	int requests = 0;

	for (int i = 0; i < ANSWERS_MAX && deck->answers[i]; i++) {
		if (!strncmp(deck->answers[i], "\"method\"", 8)) {
			fprintf(peer, "{\"jsonrpc\":\"2.0\",%s}\n", deck->answers[i]);
			continue;
		}
		fflush(peer);
		assert_non_null(fgets(line, sizeof(line), peer));
		fprintf(peer, "{\"jsonrpc\":\"2.0\",%s,\"id\":%d}\n", deck->answers[i],
			++requests);
	}
	fflush(peer);
	/* Until it hangs up, or asks for more. */
	more = fgets(line, sizeof(line), peer);
	(void)more;
	fclose(peer);
}

static void what_a_deck_tells_before_its_end_counts(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct fake_deck *fake = *state;
	struct process process;
	char command[256];

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/short.sock", fake->folder);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(played); i++) {
		snprintf(command, sizeof(command), "--socket %s %s", address.sun_path,
			 played[i].command);
		start(&process, command);
		play_deck(listener, &played[i]);
		assert_int_equal(finish(&process), played[i].error ? 1 : 0);
		assert_string_equal(err, played[i].error ? played[i].error : "");
	}
	close(listener);
	unlink(address.sun_path);
}

static void profiles_are_checked_without_a_deck(void **state)
{
	json_t *value;

	(void)state;
	unsetenv("VMDECK_SOCKET");
	assert_int_equal(vmdeck("check good.ini"), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("check good.ini bad.ini"), 1);
	assert_string_equal(out, "bad.ini:4: cpus: 0 is too few; write 1 to 64\n"
				 "bad.ini: there is no\xef\xbf\xbd[2J [guest] section\n"
				 "bad.ini:7: warning: cmdline: pci=off: finds nothing\n");
	assert_int_equal(vmdeck("check none good.ini"), 1);
	assert_string_equal(err, "vmdeck: none: no profile\n");
	assert_int_equal(vmdeck("check"), 1);
	assert_string_equal(err, "vmdeck: yours: no profile\n");
	assert_int_equal(vmdeck("check b\351d\033.ini"), 1);
	has(out, "b\xef\xbf\xbd""d\xef\xbf\xbd.ini:4: cpus: ");
	assert_int_equal(vmdeck("check --json b\351d.ini"), 1);
	value = parsed();
	assert_int_equal(json_array_size(json_object_get(value, "warnings")), 1);
	assert_int_equal(json_array_size(json_object_get(value, "mistakes")), 2);
	has(out, "\"profile\": \"b\xef\xbf\xbd""d.ini\"");
	json_decref(value);
}

static void switches_are_listed(void **state)
{
	json_t *value;

	(void)state;
	assert_int_equal(vmdeck("switches"), 0);
	has(out, "lan: 10.0.2.2/24, uplink nat");
	has(out, "quiet: no address, uplink none");
	has(out, "no buffer 3");
	has(out, "1h00m");
	has(out, "  VLAN  FRAMES  BYTES\n  10         3   2.0K\n");
	assert_int_equal(vmdeck("network quiet"), 0);
	assert_null(strstr(out, "lan:"));
	assert_int_equal(vmdeck("switches lna"), 1);
	has(err, "did you mean 'lan'?");
	assert_int_equal(vmdeck("switches --json lan"), 0);
	value = parsed();
	assert_int_equal(json_array_size(json_object_get(value, "switches")), 1);
	json_decref(value);
}

static void ports_are_set_and_shown(void **state)
{
	json_t *value;

	(void)state;
	assert_int_equal(vmdeck("port show web/net0"), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("port set web/net0 link=down"), 0);
	assert_int_equal(vmdeck("port show web/net0"), 0);
	assert_string_equal(out, "link = down\n");
	assert_int_equal(vmdeck("port show --json web/net0"), 0);
	value = parsed();
	assert_string_equal(json_string_value(json_object_get(json_object_get(value, "settings"),
							      "link")), "down");
	json_decref(value);
	assert_int_equal(vmdeck("switches lan"), 0);
	has(out, "SET TO");
	has(out, "link=down\n");
	assert_int_equal(vmdeck("port set web/net0 lnk=up"), 1);
	has(err, "lnk: is no setting of a port; did you mean 'link'?");
	assert_int_equal(vmdeck("port set web/net0 link=left"), 1);
	has(err, "link: 'left' is unknown here");
	assert_int_equal(vmdeck("port set web/net9 link=up"), 1);
	assert_int_equal(vmdeck("port show wbe/net0"), 1);
	has(err, "did you mean 'web/net0'?");
	assert_int_equal(vmdeck("port set web/net0 link"), 2);
	has(err, "'link': a setting is written key=value");
	assert_int_equal(vmdeck("port set web/net0"), 2);
	assert_int_equal(vmdeck("port show web/net0 x"), 2);
	assert_int_equal(vmdeck("port look web/net0"), 2);
	assert_int_equal(vmdeck("port set web/net0 link=up"), 0);
	assert_int_equal(vmdeck("switches lan"), 0);
	assert_null(strstr(out, "SET TO"));
}

static void frames_are_held_and_let_go(void **state)
{
	json_t *value, *rows;

	(void)state;
	assert_int_equal(vmdeck("port held"), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("port break web/net0 bad"), 1);
	has(err, "filter: 'bad': syntax error");
	assert_int_equal(vmdeck("port break web/net9 arp"), 1);
	has(err, "port 'web/net9': there is none");
	assert_int_equal(vmdeck("port break web/net0 arp"), 0);
	assert_int_equal(vmdeck("port held"), 0);
	has(out, "web/net0: 10.0.2.15 > 10.0.2.2 ARP number 0\n  70 bytes, since ");
	has(out, ", 2 frames behind it\n"
		 "  0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................\n");
	has(out, "\n  0030  30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  0123456789:;<=>?\n"
		 "  0040  40 41 42 43 44 45                                @ABCDE\n");
	assert_int_equal(vmdeck("port held --json"), 0);
	value = parsed();
	rows = json_object_get(value, "breakpoints");
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "filter")),
			    "arp");
	json_decref(value);
	/* Other bytes, written in any way. */
	assert_int_equal(vmdeck("port pass web/net0 --data 00:01:02:03:04:05:06:07:08:09:0A:0B:0C"), 1);
	has(err, "data: 14 to 65550 bytes in hexadecimal are needed");
	assert_int_equal(vmdeck("port pass web/net0 --data 0x01"), 2);
	has(err, "--data: 'x' is no hexadecimal digit");
	assert_int_equal(vmdeck("port pass web/net0 --data 41:42:43:44:45:46:47:48:49:4A:4B:4c4D4e"), 0);
	assert_int_equal(vmdeck("port held"), 0);
	has(out, "14 bytes");
	has(out, "it; goes on when the guests do\n");
	has(out, "ABCDEFGHIJKLMN\n");
	assert_int_equal(vmdeck("port pass web/net0 --data @no/such/file"), 1);
	has(err, "no/such/file: No such file or directory");
	assert_int_equal(vmdeck("port drop web/net0 --data 00"), 2);
	has(err, "port drop takes no --data");
	assert_int_equal(vmdeck("port drop web/net0"), 0);
	assert_int_equal(vmdeck("port held"), 0);
	assert_string_equal(out, "web/net0: stops 'arp', and holds nothing\n");
	assert_int_equal(vmdeck("port drop web/net0"), 1);
	has(err, "holds no frame");
	assert_int_equal(vmdeck("port break web/net0 off"), 0);
	assert_int_equal(vmdeck("port held"), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("port break web/net0"), 2);
	assert_int_equal(vmdeck("port held web/net0"), 2);
}

static void frames_are_put_in(void **state)
{
	(void)state;
	assert_int_equal(vmdeck("port inject web/net0 --data ff:ff:ff:ff:ff:ff:02:00:00:00:00:01:"
				"08:06:00"), 0);
	assert_string_equal(out, "1 frame: 1 flood\n");
	assert_int_equal(vmdeck("port inject --json web/net0 --data 020000000002020000000001080001"), 0);
	has(out, "\"forged source\"");
	assert_int_equal(vmdeck("port inject db/net0 --data 020000000002020000000001080000"), 1);
	assert_string_equal(out, "");
	has(err, "port 'db/net0': there is none");
	assert_int_equal(vmdeck("port inject web/net0 /nowhere"), 1);
	has(err, "/nowhere: No such file or directory");
	assert_int_equal(vmdeck("port inject web/net0"), 2);
}

static void statistics_are_shown_once_or_watched(void **state)
{
	struct fake_deck *fake = *state;
	struct process process;
	char line[4096];
	json_t *value;
	size_t n = 0;

	fake_sample(fake, "web", 10);
	assert_int_equal(vmdeck("stats"), 0);
	has(out, "CPU%");
	has(out, "web");
	has(out, "10.0");
	assert_int_equal(vmdeck("stats --json web"), 0);
	value = parsed();
	assert_int_equal(json_array_size(json_object_get(value, "guests")), 1);
	json_decref(value);
	assert_int_equal(vmdeck("stats wbe"), 1);
	assert_int_equal(vmdeck("stats \033b\351"), 1);
	start(&process, "stats --watch --json -n 100");
	while (n < sizeof(line) - 1 && read(process.out, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	value = json_loads(line, 0, NULL);
	assert_non_null(value);
	json_decref(value);
	kill(process.pid, SIGTERM);
	waitpid(process.pid, NULL, 0);
	close(process.out);
	close(process.err);
}

/* Starts a command whose output nobody reads, or has stopped to read. */
static int unread(const char *line)
{
	struct process process;

	start(&process, line);
	close(process.out);
	process.out = open("/dev/null", O_RDONLY);
	return finish(&process);
}

static void a_reader_that_goes_away_ends_a_command_quietly(void **state)
{
	static const char *const lines[] = { "help", "--help", "help stats", "list", "list --json",
					     "show web", "switches", "stats", "events", "stats -w",
					     "events --json", "stats --watch --json", "check bad.ini",
					     "complete st", "reload" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		fake_sample(*state, "web", 10);
		assert_int_equal(unread(lines[i]), strstr(lines[i], "bad") ? 1 : 0);
		assert_string_equal(err, "");
	}
}

static void events_are_printed_until_the_deck_ends(void **state)
{
	struct fake_deck *fake = *state;
	struct process process;
	char first[4096];
	json_t *value;
	size_t n = 0;

	start(&process, "events --json");
	while (n < sizeof(first) - 1 && read(process.out, first + n, 1) == 1 && first[n] != '\n')
		n++; /* it has subscribed */
	fake_set_state(fake, "web", GUEST_CRASHED, "triple \033fault");
	fake_teardown(state);
	assert_int_equal(finish(&process), 0);
	fake_setup(state);
	value = json_loads(out, JSON_DISABLE_EOF_CHECK, NULL);
	assert_string_equal(json_string_value(json_object_get(value, "state")), "crashed");
	json_decref(value);
	value = json_loads(strchr(out, '\n'), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(value, "kind")), "ended");
	json_decref(value);
}

static void events_of_before_are_printed(void **state)
{
	(void)state;
	assert_int_equal(vmdeck("events --past"), 0);
	assert_non_null(strstr(out, "-            log  said at start-up\n"));
	assert_non_null(strstr(out, "web          crashed  triple fault\n"));
	assert_int_equal(vmdeck("events --past web"), 0);
	assert_null(strstr(out, "start-up"));
	assert_non_null(strstr(out, "web          crashed  triple fault\n"));
	assert_int_equal(vmdeck("events --past --json db"), 0);
	assert_string_equal(out, "");
}

static void a_deck_is_reloaded_and_shut_down(void **state)
{
	struct fake_deck *fake = *state;
	json_t *value;

	assert_int_equal(vmdeck("reload"), 0);
	assert_string_equal(out, "web: its profile has changed: \xef\xbf\xbdmemory\n"
				 "db: its profile is gone\n3 guests\n");
	assert_int_equal(vmdeck("reload --json"), 0);
	value = parsed();
	json_decref(value);
	assert_int_equal(vmdeck("shutdown"), 0);
	assert_true(atomic_load(&fake->quit));
	assert_false(atomic_load(&fake->forced));
}

static void wait_captures(struct fake_deck *fake, unsigned count)
{
	for (int i = 0; i < 10000 && fake_captures(fake) != count; i++)
		usleep(1000);
	assert_int_equal(fake_captures(fake), count);
}

/* The trial capture has come and gone, and the real one runs. */
static void wait_stream(struct process *process, struct fake_deck *fake, size_t size)
{
	uint8_t data[256];
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(process->out, data, sizeof(data));

		assert_true(n > 0);
		done += (size_t)n;
	}
	wait_captures(fake, 1);
}

static void a_capture_to_a_pipe_ends_well_when_interrupted(void **state)
{
	struct fake_deck *fake = *state;
	struct process process;

	start(&process, "capture -i lan -f tcp -w -");
	wait_stream(&process, fake, 48);
	fake_packets(fake, 7);
	kill(process.pid, SIGINT);
	assert_int_equal(finish(&process), 0);
	has(err, "7 packets captured\n0 packets dropped\n");
	wait_captures(fake, 0);
	assert_int_equal(vmdeck("capture -f bad -w -"), 1);
	assert_string_equal(err, "vmdeck: filter: 'bad': syntax error\n");
}

static void a_capture_whose_reader_goes_ends_quietly(void **state)
{
	struct fake_deck *fake = *state;
	struct process process;

	start(&process, "capture -w -");
	wait_stream(&process, fake, 48);
	close(process.out);
	process.out = open("/dev/null", O_RDONLY);
	assert_int_equal(finish(&process), 0);
	has(err, "packets captured");
	assert_null(strstr(err, "vmdeck:"));
}

static void a_capture_to_a_file_is_whole(void **state)
{
	struct fake_deck *fake = *state;
	struct process process;
	char path[128], line[256];
	FILE *file;
	uint8_t data[4096];
	size_t size, whole;
	struct pcapng_shape shape = { 0 };

	snprintf(path, sizeof(path), "%s/x.pcapng", fake->folder);
	snprintf(line, sizeof(line), "capture -i web/net0 -i lan -s 64 -w %s", path);
	start(&process, line);
	for (int i = 0; i < 10000 && access(path, F_OK) < 0; i++)
		usleep(1000);
	wait_captures(fake, 1);
	fake_packets(fake, 3);
	kill(process.pid, SIGTERM);
	assert_int_equal(finish(&process), 0);
	has(err, "3 packets captured");
	file = fopen(path, "r");
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	unlink(path);
	assert_int_equal(size, 28 + 20 + 3 * 36 + 40);
	assert_int_equal(pcapng_shape_whole(&shape, data, size, true, &whole), 3);
	assert_int_equal(whole, size);
}

static void a_deck_that_ends_ends_the_capture_with_a_message(void **state)
{
	struct fake_deck *fake = *state;
	struct process process;

	start(&process, "capture -w -");
	wait_stream(&process, fake, 48);
	fake_end_captures(fake, EIO, "the writer failed");
	assert_int_equal(finish(&process), 1);
	has(err, "the deck ended the capture");
}

/* The command with a word or NULL on a terminal of its own; returns its side. */
static int on_terminal(const char *command, const char *word, pid_t *pid)
{
	int fd;

	*pid = forkpty(&fd, NULL, NULL, NULL);
	if (*pid == 0) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", self);
		execl(path, "cli-test", "cli", command, word, (char *)NULL);
		_exit(127);
	}
	return fd;
}

static void wait_text(int fd, char *text, size_t size, const char *part)
{
	size_t n = strlen(text);
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	while (!strstr(text, part)) {
		ssize_t got;

		assert_int_equal(poll(&ready, 1, 20000), 1);
		got = read(fd, text + n, size - 1 - n);
		assert_true(got > 0);
		n += (size_t)got;
		text[n] = '\0';
	}
}

/* Whether "list" colours what runs on a terminal of this type. */
static bool is_coloured(const char *term)
{
	char text[8192] = "";
	pid_t pid;
	int fd;

	setenv("TERM", term, 1);
	fd = on_terminal("list", NULL, &pid);
	wait_text(fd, text, sizeof(text), "running");
	waitpid(pid, NULL, 0);
	close(fd);
	return strchr(text, '\033');
}

static void colours_are_for_terminals_and_users_that_want_them(void **state)
{
	char text[8192] = "";
	pid_t pid;
	int fd;

	assert_true(is_coloured("xterm"));
	assert_false(is_coloured("dumb"));
	setenv("NO_COLOR", "1", 1);
	assert_false(is_coloured("xterm"));
	fake_sample(*state, "web", 10);
	fd = on_terminal("stats", "--watch", &pid);
	wait_text(fd, text, sizeof(text), "\033[H\033[J"); /* no colour */
	close(fd);
	waitpid(pid, NULL, 0);
	unsetenv("NO_COLOR");
}

static void a_console_without_terminal_copies(void **state)
{
	struct fake_deck *fake = *state;
	struct process process;
	char text[16] = "";
	size_t n = 0;

	fake_print(fake, "web", "backlog", 7);
	start(&process, "console web");
	while (n < 7) {
		ssize_t got = read(process.out, text + n, sizeof(text) - 1 - n);

		assert_true(got > 0);
		n += (size_t)got;
	}
	assert_memory_equal(text, "backlog", 7);
	fake_remove(fake, "web");
	assert_int_equal(finish(&process), 1);
	has(err, "the deck closed the console");
}

/* Although the guest prints nothing. */
static void a_console_whose_reader_goes_ends_quietly(void **state)
{
	struct process process;
	char text[8];

	fake_print(*state, "web", "backlog", 7);
	start(&process, "console web");
	assert_int_equal(read(process.out, text, sizeof(text)), 7);
	close(process.out);
	process.out = open("/dev/null", O_RDONLY);
	assert_int_equal(finish(&process), 0);
	assert_string_equal(err, "");
}

static void shells_get_candidates_from_the_table(void **state)
{
	(void)state;
	assert_int_equal(vmdeck("complete st"), 0);
	assert_string_equal(out, "start\nstop\nstats\n");
	assert_int_equal(vmdeck("complete start "), 0);
	assert_string_equal(out, "db\n"); /* the one that can be started */
	assert_int_equal(vmdeck("complete stop w"), 0);
	assert_string_equal(out, "web\n");
	assert_int_equal(vmdeck("complete connect "), 0);
	assert_string_equal(out, "web\n"); /* the one that is alive */
	fake_set_state(*state, "web", GUEST_STOPPING, "");
	assert_int_equal(vmdeck("complete pause "), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("complete stop -wf "), 0);
	assert_string_equal(out, "web\n");
	assert_int_equal(vmdeck("complete stop --f"), 0);
	assert_string_equal(out, "--force\n");
	assert_int_equal(vmdeck("complete capture -i "), 0);
	assert_string_equal(out, "lan\nz/nat\nweb/net0\nweb9/net0\nweb10/net0\nquiet\nbroken\ndb\nweb\n");
	assert_int_equal(vmdeck("complete capture -w "), 0);
	assert_string_equal(out, "<file>\n");
	assert_int_equal(vmdeck("complete run "), 0);
	assert_string_equal(out, "mail\nweb\n<file>\n");
	assert_int_equal(vmdeck("complete run web "), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("complete run --"), 0);
	has(out, "--kernel\n--initrd\n--append\n");
	assert_int_equal(vmdeck("complete run --net "), 0);
	assert_string_equal(out, "lan\nquiet\n");
	assert_int_equal(vmdeck("complete port "), 0);
	assert_string_equal(out, "set\nshow\nbreak\nheld\npass\ndrop\ninject\n");
	assert_int_equal(vmdeck("complete port held "), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("complete port pass web/"), 0);
	assert_string_equal(out, "web/net0\n");
	assert_int_equal(vmdeck("complete port pass web/net0 --d"), 0);
	assert_string_equal(out, "--data\n");
	assert_int_equal(vmdeck("complete port set w"), 0);
	assert_string_equal(out, "web/net0\nweb9/net0\nweb10/net0\n");
	assert_int_equal(vmdeck("complete port set web/net0 "), 0);
	assert_string_equal(out, "link=\nmtu=\n");
	assert_int_equal(vmdeck("complete port set web/net0 link=up m"), 0);
	assert_string_equal(out, "mtu=\n");
	assert_int_equal(vmdeck("complete port show web/net0 "), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("complete switches "), 0);
	assert_string_equal(out, "lan\nquiet\n");
	/* What is there already is not offered again, and nothing beyond what a command takes. */
	assert_int_equal(vmdeck("complete stats "), 0);
	assert_string_equal(out, "broken\ndb\nweb\n");
	assert_int_equal(vmdeck("complete stats web -n 500 "), 0);
	assert_string_equal(out, "broken\ndb\n");
	assert_int_equal(vmdeck("complete capture -i lan -i "), 0);
	assert_string_equal(out, "z/nat\nweb/net0\nweb9/net0\nweb10/net0\nquiet\nbroken\ndb\nweb\n");
	assert_int_equal(vmdeck("complete stats --watch --"), 0);
	assert_string_equal(out, "--interval\n--past\n--json\n--socket\n--help\n");
	assert_int_equal(vmdeck("complete capture -i lan --i"), 0);
	assert_string_equal(out, "--interface\n");
	assert_int_equal(vmdeck("complete show web "), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("complete help stop "), 0);
	assert_string_equal(out, "");
	/* Behind "--" there are only words. */
	assert_int_equal(vmdeck("complete stats web -- "), 0);
	assert_string_equal(out, "broken\ndb\n");
	assert_int_equal(vmdeck("complete stats -- --"), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("complete --"), 0);
	assert_string_equal(out, "--socket\n--dry-run\n--help\n--version\n--demo\n");
	assert_int_equal(vmdeck("complete --socket "), 0);
	assert_string_equal(out, "<file>\n");
	assert_int_equal(vmdeck("complete show --socket /nonexistent "), 0);
	assert_string_equal(out, "");
	assert_int_equal(vmdeck("complete --socket /nonexistent show "), 0);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
}

/* Each line is a request as it would be sent; the deck gets none. */
static void what_would_be_asked_is_printed(void **state)
{
	static const char *const lines[][2] = {
		{ "stop web db", "{\"method\":\"guest.stop\",\"params\":{\"guest\":\"web\"}}\n"
				 "{\"method\":\"guest.stop\",\"params\":{\"guest\":\"db\"}}\n" },
		{ "stop --force web", "{\"method\":\"guest.off\",\"params\":{\"guest\":\"web\"}}\n" },
		{ "port set web/net0 loss=1%", "{\"method\":\"port.set\",\"params\":{\"port\":"
		  "\"web/net0\",\"settings\":{\"loss\":\"1%\"}}}\n" },
		{ "insert web/disk1 /a.iso", "{\"method\":\"guest.insert\",\"params\":{\"guest\":\"web\","
		  "\"device\":\"disk1\",\"force\":false,\"path\":\"/a.iso\"}}\n" },
		{ "capture -i web -f tcp --past 30s -w /x", "{\"method\":\"capture.stream\",\"params\":"
		  "{\"ports\":[\"web\"],\"filter\":\"tcp\",\"past\":30000}}\n" },
		{ "stats", "{\"method\":\"stats.subscribe\",\"params\":{\"guests\":\"*\","
			   "\"interval_ms\":250}}\n" },
		{ "shutdown -f", "{\"method\":\"deck.quit\",\"params\":{\"mode\":\"off\"}}\n" },
		{ "list", "{\"method\":\"guest.list\",\"params\":{}}\n" },
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(line, sizeof(line), "--dry-run --socket /nonexistent %s", lines[i][0]);
		assert_int_equal(vmdeck(line), 0);
		assert_string_equal(out, lines[i][1]);
		assert_string_equal(err, "");
	}
	assert_int_equal(vmdeck("--dry-run shutdown"), 0);
	assert_int_equal(vmdeck("list"), 0);
	has(out, "web     running");
	assert_int_equal(vmdeck("--dry-run eject web"), 1);
	has(err, "which drive of web is meant only its deck knows");
	assert_int_equal(vmdeck("--dry-run port inject web/net0 x.pcap"), 2);
	has(err, "the frames of a capture are not printed by --dry-run");
	assert_int_equal(vmdeck("--dry-run stop"), 2);
	assert_int_equal(vmdeck("--dry-run help"), 2);
	has(err, "--dry-run: 'help' asks nothing of a deck");
	assert_int_equal(vmdeck("--dry-run --demo"), 2);
	assert_string_equal(out, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(help_lists_every_command),
		TEST(run_makes_a_profile_of_options),
		TEST(hooks_get_their_arguments),
		TEST(a_wrong_command_line_is_status_2),
		TEST(without_a_deck_it_says_so),
		TEST(guests_are_listed),
		TEST(a_guest_is_shown_without_its_escapes),
		TEST(orders_are_given_and_waited_for),
		TEST(waiting_has_its_limit),
		TEST(what_a_deck_tells_before_its_end_counts),
		TEST(profiles_are_checked_without_a_deck),
		TEST(switches_are_listed),
		TEST(ports_are_set_and_shown),
		TEST(frames_are_held_and_let_go),
		TEST(frames_are_put_in),
		TEST(statistics_are_shown_once_or_watched),
		TEST(a_reader_that_goes_away_ends_a_command_quietly),
		TEST(events_are_printed_until_the_deck_ends),
		TEST(events_of_before_are_printed),
		TEST(a_deck_is_reloaded_and_shut_down),
		TEST(a_capture_to_a_pipe_ends_well_when_interrupted),
		TEST(a_capture_whose_reader_goes_ends_quietly),
		TEST(a_capture_to_a_file_is_whole),
		TEST(a_deck_that_ends_ends_the_capture_with_a_message),
		TEST(colours_are_for_terminals_and_users_that_want_them),
		TEST(a_console_without_terminal_copies),
		TEST(a_console_whose_reader_goes_ends_quietly),
		TEST(shells_get_candidates_from_the_table),
		TEST(what_would_be_asked_is_printed),
	};

	if (argc > 1 && strcmp(argv[1], "cli") == 0) {
		argv[1] = argv[0];
		signal(SIGPIPE, SIG_IGN); /* as main() of vmdeck does */
		return cli_main(argc - 1, argv + 1, &hooks);
	}
	self = open("/proc/self/exe", O_RDONLY);
	unsetenv("NO_COLOR");
	signal(SIGINT, SIG_DFL); /* which a job in the background is started to ignore */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
