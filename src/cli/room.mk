# cli: the subcommands.
noinst_LIBRARIES += src/cli/libcli.a
src_cli_libcli_a_SOURCES = \
	%D%/breakpoint.c %D%/breakpoint.h \
	%D%/capture_reader.c %D%/capture_reader.h %D%/inject.c %D%/inject.h \
	%D%/capture.c \
	%D%/capture_files.c %D%/capture_files.h \
	%D%/capture_limits.c %D%/capture_limits.h \
	%D%/cli.c %D%/cli.h \
	%D%/command.c %D%/command.h \
	%D%/commands.h \
	%D%/complete.c %D%/complete.h \
	%D%/connect.c \
	%D%/console.c \
	%D%/console_session.c %D%/console_session.h \
	%D%/deck.c \
	%D%/disk.c \
	%D%/doctor.c \
	%D%/extcap.c \
	%D%/fail.c %D%/fail.h \
	%D%/incident.c \
	%D%/guests.c \
	%D%/help.c %D%/help.h \
	%D%/hooks.h \
	%D%/image.c %D%/image.h \
	%D%/line.c %D%/line.h \
	%D%/media.c \
	%D%/new.c \
	%D%/new_profile.c %D%/new_profile.h \
	%D%/options.c %D%/options.h \
	%D%/orders.c \
	%D%/output.c %D%/output.h \
	%D%/passphrase.c %D%/passphrase.h \
	%D%/pcapng.c %D%/pcapng.h \
	%D%/pcapng_copy.c %D%/pcapng_copy.h \
	%D%/profiles.c \
	%D%/profile_words.c %D%/profile_words.h \
	%D%/port.c \
	%D%/program.c %D%/program.h \
	%D%/queries.c %D%/queries.h \
	%D%/requests.c %D%/requests.h \
	%D%/resize.c \
	%D%/run.c \
	%D%/screen_text.c %D%/screen_text.h \
	%D%/session.c %D%/session.h \
	%D%/signals.c %D%/signals.h \
	%D%/stats.c \
	%D%/switches.c \
	%D%/table.c %D%/table.h \
	%D%/tls_keys.c %D%/tls_keys.h \
	%D%/trial.c %D%/trial.h \
	%D%/vga.c %D%/vga.h \
	%D%/window.c %D%/window.h

CLI_LIBS = src/cli/libcli.a $(SANDBOX_LIBS) $(CONTROL_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/cli tests/unit/pcapng_copy
tests_unit_cli_SOURCES = tests/unit/cli.c $(FAKE_DECK)
tests_unit_cli_LDADD = src/cli/libcli.a $(SANDBOX_LIBS) $(SERVER_LIBS) $(CMOCKA_LIBS) -lutil
tests_unit_pcapng_copy_LDADD = src/cli/libcli.a $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/line
tests_unit_line_LDADD = $(CLI_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/passphrase
tests_unit_passphrase_LDADD = src/cli/libcli.a $(BASE_LIBS) $(CMOCKA_LIBS) -lutil

check_PROGRAMS += tests/unit/cli_console
tests_unit_cli_console_SOURCES = tests/unit/cli_console.c $(FAKE_DECK)
tests_unit_cli_console_LDADD = src/cli/libcli.a $(SANDBOX_LIBS) $(SERVER_LIBS) $(CMOCKA_LIBS) -lutil

check_PROGRAMS += tests/unit/remote_screen
tests_unit_remote_screen_SOURCES = tests/unit/remote_screen.c $(FAKE_DECK)
tests_unit_remote_screen_LDADD = src/cli/libcli.a $(SANDBOX_LIBS) $(SERVER_LIBS) $(CMOCKA_LIBS)
endif
