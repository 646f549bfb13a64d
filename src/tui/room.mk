# tui: the screen. Reaches guests through control alone.
noinst_LIBRARIES += src/tui/libtui.a
src_tui_libtui_a_SOURCES = \
	%D%/chart.c %D%/chart.h \
	%D%/draw.c %D%/draw.h \
	%D%/editor.c \
	%D%/emulator.c %D%/emulator.h \
	%D%/json.h \
	%D%/keys.c %D%/keys.h \
	%D%/layout.c %D%/layout.h \
	%D%/model.c %D%/model.h \
	%D%/netmodel.c %D%/netmodel.h \
	%D%/network_draw.c %D%/network_draw.h \
	%D%/orders.c \
	%D%/panel.c %D%/panel.h \
	%D%/prompt.c %D%/prompt.h \
	%D%/sequence_guard.c %D%/sequence_guard.h \
	%D%/subscribe.c \
	%D%/terminal.c %D%/terminal.h \
	%D%/text.c %D%/text.h \
	%D%/tty.c %D%/tty.h \
	%D%/tui.c %D%/tui.h \
	%D%/view.h \
	%D%/view_console.c \
	%D%/view_deck.c \
	%D%/view_guest.c \
	%D%/view_help.c \
	%D%/view_log.c \
	%D%/view_network.c

TUI_LIBS = src/tui/libtui.a $(CONTROL_LIBS) $(NCURSES_LIBS) $(VTERM_LIBS) $(JANSSON_LIBS)

# The screen on a mock server, in tmux.
EXTRA_PROGRAMS += tests/e2e/tui_client
tests_e2e_tui_client_SOURCES = tests/e2e/tui_client.c
tests_e2e_tui_client_LDADD = $(TUI_LIBS)
dist_check_SCRIPTS += tests/e2e/tui_mock.sh
EXTRA_DIST += tests/e2e/mock_server.py
CLEANFILES += tests/e2e/tui_client
check_DATA += tests/e2e/tui_client

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/tui_chart tests/unit/tui_emulator tests/unit/tui_guard \
	tests/unit/tui_layout tests/unit/tui_model tests/unit/tui_text
tests_unit_tui_chart_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_emulator_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_guard_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_layout_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_model_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_text_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
endif
