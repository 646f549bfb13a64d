# tui: the screen. Reaches guests through control alone.
noinst_LIBRARIES += src/tui/libtui.a
src_tui_libtui_a_SOURCES = \
	%D%/tui.c %D%/tui.h \
	%D%/canvas/chart.c %D%/canvas/chart.h \
	%D%/canvas/clipboard.c %D%/canvas/clipboard.h \
	%D%/canvas/draw.c %D%/canvas/draw.h \
	%D%/canvas/terminal.c %D%/canvas/terminal.h \
	%D%/canvas/text.c %D%/canvas/text.h \
	%D%/console/emulation.c %D%/console/emulation.h \
	%D%/console/emulator.c %D%/console/emulator.h \
	%D%/console/emulator_process.c %D%/console/emulator_process.h \
	%D%/console/find.c %D%/console/find.h \
	%D%/console/frame.h \
	%D%/console/grid.c %D%/console/grid.h \
	%D%/console/kept.c %D%/console/kept.h \
	%D%/console/key_sequence.c %D%/console/key_sequence.h \
	%D%/console/picture.c %D%/console/picture.h \
	%D%/console/sequence_guard.c %D%/console/sequence_guard.h \
	%D%/console/tty.c %D%/console/tty.h \
	%D%/model/dissection.c %D%/model/dissection.h \
	%D%/model/drops.c %D%/model/drops.h \
	%D%/model/flow.c %D%/model/flow.h \
	%D%/model/fuzzy.c %D%/model/fuzzy.h \
	%D%/model/json.h \
	%D%/model/messages.c %D%/model/messages.h \
	%D%/model/model.c %D%/model/model.h \
	%D%/model/netmodel.c %D%/model/netmodel.h \
	%D%/model/packet_file.c %D%/model/packet_file.h \
	%D%/model/status.c %D%/model/status.h \
	%D%/model/stream.c %D%/model/stream.h \
	%D%/ui/commands.c %D%/ui/commands.h \
	%D%/ui/config.h \
	%D%/ui/dissector.c %D%/ui/dissector.h \
	%D%/ui/edit.c %D%/ui/edit.h \
	%D%/ui/frame.c %D%/ui/frame.h \
	%D%/ui/held.c %D%/ui/held.h \
	%D%/ui/hex.c %D%/ui/hex.h \
	%D%/ui/history.c %D%/ui/history.h \
	%D%/ui/keys.c %D%/ui/keys.h \
	%D%/ui/marked.c %D%/ui/marked.h \
	%D%/ui/media.c %D%/ui/media.h \
	%D%/ui/mistakes.c %D%/ui/mistakes.h \
	%D%/ui/orders.c %D%/ui/orders.h \
	%D%/ui/page.c %D%/ui/page.h \
	%D%/ui/palette.c %D%/ui/palette.h \
	%D%/ui/palette_list.c %D%/ui/palette_list.h \
	%D%/ui/palette_run.c %D%/ui/palette_run.h \
	%D%/ui/profiles.c %D%/ui/profiles.h \
	%D%/ui/prompt.c %D%/ui/prompt.h \
	%D%/ui/samples.c %D%/ui/samples.h \
	%D%/ui/saving.c %D%/ui/saving.h \
	%D%/ui/settings.c %D%/ui/settings.h \
	%D%/ui/scroll.c %D%/ui/scroll.h \
	%D%/ui/server.c %D%/ui/server.h \
	%D%/ui/style.c %D%/ui/style.h \
	%D%/ui/subscribe.c %D%/ui/subscribe.h \
	%D%/ui/suspend.c %D%/ui/suspend.h \
	%D%/ui/switches.c %D%/ui/switches.h \
	%D%/ui/ui.c %D%/ui/ui.h \
	%D%/ui/view.h \
	%D%/views/console.c \
	%D%/views/console_copy.c %D%/views/console_search.c \
	%D%/views/console_prefix.c %D%/views/console_sides.c \
	%D%/views/console_state.h %D%/views/console_status.c \
	%D%/views/console_cells.c %D%/views/console_cells.h \
	%D%/views/console_vga.c %D%/views/console_vga.h \
	%D%/views/deck.c \
	%D%/views/deck_spans.c %D%/views/deck_spans.h \
	%D%/views/deck_table.c %D%/views/deck_table.h \
	%D%/views/frame.c \
	%D%/views/guest.c \
	%D%/views/guest_list.c %D%/views/guest_list.h \
	%D%/views/help.c \
	%D%/views/host_line.c %D%/views/host_line.h \
	%D%/views/layout.c %D%/views/layout.h \
	%D%/views/log.c \
	%D%/views/map.c \
	%D%/views/network.c \
	%D%/views/network_capture.c %D%/views/network_capture.h \
	%D%/views/network_draw.c %D%/views/network_draw.h \
	%D%/views/network_held.c %D%/views/network_held.h \
	%D%/views/network_save.c %D%/views/network_save.h \
	%D%/views/network_state.c %D%/views/network_state.h \
	%D%/views/packet.c \
	%D%/views/panel.c %D%/views/panel.h \
	%D%/views/port.c \
	%D%/views/stream.c \
	%D%/views/table.c %D%/views/table.h

TUI_LIBS = src/tui/libtui.a $(SANDBOX_LIBS) $(CONTROL_LIBS) $(NCURSES_LIBS) $(VTERM_LIBS) $(JANSSON_LIBS)

# The screen on a mock server, in tmux.
EXTRA_PROGRAMS += tests/e2e/tui_client
tests_e2e_tui_client_SOURCES = tests/e2e/tui_client.c
tests_e2e_tui_client_LDADD = $(TUI_LIBS)
dist_check_SCRIPTS += tests/e2e/tui_mock.sh
EXTRA_DIST += tests/e2e/mock_server.py
CLEANFILES += tests/e2e/tui_client
check_DATA += tests/e2e/tui_client

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/tui_chart tests/unit/tui_dissection tests/unit/tui_emulation tests/unit/tui_emulator \
	tests/unit/tui_flow tests/unit/tui_grid tests/unit/tui_guard tests/unit/tui_keys tests/unit/tui_layout tests/unit/tui_list tests/unit/tui_model \
	tests/unit/tui_settings \
	tests/unit/tui_network tests/unit/tui_orders tests/unit/tui_palette tests/unit/tui_sizes tests/unit/tui_subscribe tests/unit/tui_text
tests_unit_tui_chart_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_dissection_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_emulation_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_emulator_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_flow_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_grid_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_settings_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_guard_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_keys_SOURCES = tests/unit/tui_keys.c tests/unit/fake_screen.c \
	tests/unit/fake_screen.h
tests_unit_tui_keys_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_layout_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_list_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_model_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_network_SOURCES = tests/unit/tui_network.c tests/unit/fake_screen.c \
	tests/unit/fake_screen.h
tests_unit_tui_network_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_orders_SOURCES = tests/unit/tui_orders.c tests/unit/fake_screen.c \
	tests/unit/fake_screen.h
tests_unit_tui_orders_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_palette_SOURCES = tests/unit/tui_palette.c tests/unit/fake_screen.c \
	tests/unit/fake_screen.h
tests_unit_tui_palette_LDADD = src/cli/libcli.a $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_sizes_SOURCES = tests/unit/tui_sizes.c tests/unit/fake_screen.c \
	tests/unit/fake_screen.h
tests_unit_tui_sizes_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_subscribe_SOURCES = tests/unit/tui_subscribe.c tests/unit/fake_screen.c \
	tests/unit/fake_screen.h
tests_unit_tui_subscribe_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
tests_unit_tui_text_LDADD = $(TUI_LIBS) $(CMOCKA_LIBS)
endif
