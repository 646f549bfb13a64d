# cli: the subcommands.
noinst_LIBRARIES += src/cli/libcli.a
src_cli_libcli_a_SOURCES = \
	%D%/capture.c \
	%D%/cli.h \
	%D%/command.h \
	%D%/complete.c \
	%D%/console.c \
	%D%/deck.c \
	%D%/guests.c \
	%D%/help.c \
	%D%/options.c \
	%D%/output.c \
	%D%/pcapng.c %D%/pcapng.h \
	%D%/session.c \
	%D%/signals.c %D%/signals.h \
	%D%/stats.c \
	%D%/switches.c \
	%D%/table.c
src_cli_libcli_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

CLI_LIBS = src/cli/libcli.a $(CONTROL_LIBS) -lm
