# tests: unit tests are listed by the room that they test.
# make(1) begins them in this order: those that take longest come first.
TESTS = $(E2E_TESTS) $(check_PROGRAMS) $(dist_check_SCRIPTS)
dist_check_SCRIPTS += %D%/completion.sh %D%/include-check %D%/manuals.sh %D%/summary.sh
EXTRA_DIST += %D%/README.md %D%/lib/summary

# The Linux guest of the end-to-end tests. Nothing here is built by make: a
# test that needs it calls tests/linux/build.
EXTRA_DIST += %D%/linux/README.md %D%/linux/build %D%/linux/emulated-cpl0.patch \
	%D%/linux/guest.config %D%/linux/init.c %D%/linux/lz4-store

if HAVE_CMOCKA
NO_CMOCKA = :
else
NO_CMOCKA = echo "cmocka was not found: the unit tests were not built"
endif

# In place of automake's rule: the same, with the logs of tests that failed
# printed, and behind it what was skipped and why, what failed, and the line
# that counts, "N passed, N failed, N skipped".
check-TESTS: $(check_PROGRAMS) $(dist_check_SCRIPTS)
	@rm -f $(TEST_LOGS) $(TEST_LOGS:.log=.trs) $(TEST_SUITE_LOG); \
	status=0; \
	VERBOSE=1 $(MAKE) $(AM_MAKEFLAGS) $(TEST_SUITE_LOG) || status=$$?; \
	$(NO_CMOCKA); \
	$(SHELL) $(top_srcdir)/tests/lib/summary $(TEST_LOGS:.log=.trs) >tests/summary.log || \
		status=1; \
	cat tests/summary.log; \
	exit $$status
MOSTLYCLEANFILES += tests/summary.log

# All devices of a machine without the machine.
check_LIBRARIES = tests/lib/libdevice_bench.a
tests_lib_libdevice_bench_a_SOURCES = tests/lib/device_bench.c tests/lib/device_bench.h
tests_lib_libdevice_bench_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
check_LIBRARIES += tests/lib/libfake_port.a
tests_lib_libfake_port_a_SOURCES = tests/unit/fake_port.c tests/unit/fake_port.h
DEVICE_BENCH_LIBS = tests/lib/libdevice_bench.a $(CORE_LIBS)

# What is planted behind the walls of each kind of process tries to get out.
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/walls
tests_unit_walls_SOURCES = tests/unit/walls.c tests/unit/attempts.h
tests_unit_walls_LDADD = $(TUI_LIBS) $(NET_LIBS) $(CMOCKA_LIBS)
endif

# Fuzz targets run over changed seeds in "make check"; "make fuzz" builds each
# of them with libFuzzer, as tests/fuzz/NAME.fuzz (clang, from clean objects:
# ./configure CC=clang --enable-sanitizer=address,undefined,fuzzer-no-link).
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
FUZZ_FILES = tests/lib/fuzz.c tests/lib/fuzz.h
FUZZ_TESTS =

FUZZ_TESTS += tests/fuzz/ahci
tests_fuzz_ahci_SOURCES = tests/fuzz/ahci.c $(FUZZ_FILES)
tests_fuzz_ahci_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_ahci_LDADD = $(DEVICE_BENCH_LIBS)

FUZZ_TESTS += tests/fuzz/board
tests_fuzz_board_SOURCES = tests/fuzz/board.c $(FUZZ_FILES)
tests_fuzz_board_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_board_LDADD = $(DEVICE_BENCH_LIBS)

FUZZ_TESTS += tests/fuzz/channel
tests_fuzz_channel_SOURCES = tests/fuzz/channel.c $(FUZZ_FILES)
tests_fuzz_channel_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_channel_LDADD = $(SANDBOX_LIBS)

FUZZ_TESTS += tests/fuzz/cloud
tests_fuzz_cloud_SOURCES = tests/fuzz/cloud.c $(FUZZ_FILES)
tests_fuzz_cloud_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_cloud_LDADD = $(CORE_LIBS)

FUZZ_TESTS += tests/fuzz/console_text
tests_fuzz_console_text_SOURCES = tests/fuzz/console_text.c $(FUZZ_FILES)
tests_fuzz_console_text_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_console_text_LDADD = $(CLI_LIBS)

FUZZ_TESTS += tests/fuzz/decode
tests_fuzz_decode_SOURCES = tests/fuzz/decode.c $(FUZZ_FILES)
tests_fuzz_decode_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_decode_LDADD = $(NET_LIBS)

FUZZ_TESTS += tests/fuzz/device_state
tests_fuzz_device_state_SOURCES = tests/fuzz/device_state.c $(FUZZ_FILES)
tests_fuzz_device_state_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_device_state_LDADD = $(DEVICE_BENCH_LIBS)

FUZZ_TESTS += tests/fuzz/dhcp
tests_fuzz_dhcp_SOURCES = tests/fuzz/dhcp.c $(FUZZ_FILES)
tests_fuzz_dhcp_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_dhcp_LDADD = $(NET_LIBS)

FUZZ_TESTS += tests/fuzz/dissection
tests_fuzz_dissection_SOURCES = tests/fuzz/dissection.c $(FUZZ_FILES)
tests_fuzz_dissection_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_dissection_LDADD = $(TUI_LIBS)

FUZZ_TESTS += tests/fuzz/e1000e
tests_fuzz_e1000e_SOURCES = tests/fuzz/e1000e.c $(FUZZ_FILES)
tests_fuzz_e1000e_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_e1000e_LDADD = $(DEVICE_BENCH_LIBS)

FUZZ_TESTS += tests/fuzz/emulator
tests_fuzz_emulator_SOURCES = tests/fuzz/emulator.c $(FUZZ_FILES)
tests_fuzz_emulator_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_emulator_LDADD = $(TUI_LIBS)

FUZZ_TESTS += tests/fuzz/filter
tests_fuzz_filter_SOURCES = tests/fuzz/filter.c $(FUZZ_FILES)
tests_fuzz_filter_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_filter_LDADD = $(NET_LIBS)

FUZZ_TESTS += tests/fuzz/firmware
tests_fuzz_firmware_SOURCES = tests/fuzz/firmware.c $(FUZZ_FILES)
tests_fuzz_firmware_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_firmware_LDADD = $(CORE_LIBS)

FUZZ_TESTS += tests/fuzz/flash
tests_fuzz_flash_SOURCES = tests/fuzz/flash.c $(FUZZ_FILES)
tests_fuzz_flash_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_flash_LDADD = $(CORE_LIBS)

FUZZ_TESTS += tests/fuzz/i8042
tests_fuzz_i8042_SOURCES = tests/fuzz/i8042.c $(FUZZ_FILES)
tests_fuzz_i8042_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_i8042_LDADD = $(CORE_LIBS)

FUZZ_TESTS += tests/fuzz/ini
tests_fuzz_ini_SOURCES = tests/fuzz/ini.c $(FUZZ_FILES)
tests_fuzz_ini_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_ini_LDADD = $(BASE_LIBS)

FUZZ_TESTS += tests/fuzz/kernel_image
tests_fuzz_kernel_image_SOURCES = tests/fuzz/kernel_image.c $(FUZZ_FILES) tests/lib/pvh_image.h
tests_fuzz_kernel_image_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_kernel_image_LDADD = $(CORE_LIBS)

FUZZ_TESTS += tests/fuzz/line
tests_fuzz_line_SOURCES = tests/fuzz/line.c $(FUZZ_FILES)
tests_fuzz_line_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_line_LDADD = $(CLI_LIBS)

FUZZ_TESTS += tests/fuzz/message
tests_fuzz_message_SOURCES = tests/fuzz/message.c $(FUZZ_FILES)
tests_fuzz_message_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_message_LDADD = $(CLI_LIBS)

FUZZ_TESTS += tests/fuzz/nat_guard
tests_fuzz_nat_guard_SOURCES = tests/fuzz/nat_guard.c $(FUZZ_FILES)
tests_fuzz_nat_guard_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_nat_guard_LDADD = $(NET_LIBS)

FUZZ_TESTS += tests/fuzz/nat_stack
tests_fuzz_nat_stack_SOURCES = tests/fuzz/nat_stack.c $(FUZZ_FILES)
tests_fuzz_nat_stack_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_nat_stack_LDADD = $(NET_LIBS)

FUZZ_TESTS += tests/fuzz/pcapng
tests_fuzz_pcapng_SOURCES = tests/fuzz/pcapng.c $(FUZZ_FILES)
tests_fuzz_pcapng_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_pcapng_LDADD = $(CLI_LIBS)

FUZZ_TESTS += tests/fuzz/picture
tests_fuzz_picture_SOURCES = tests/fuzz/picture.c $(FUZZ_FILES)
tests_fuzz_picture_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_picture_LDADD = $(TUI_LIBS)

FUZZ_TESTS += tests/fuzz/plain
tests_fuzz_plain_SOURCES = tests/fuzz/plain.c $(FUZZ_FILES)
tests_fuzz_plain_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_plain_LDADD = $(CONTROL_LIBS)

FUZZ_TESTS += tests/fuzz/queries
tests_fuzz_queries_SOURCES = tests/fuzz/queries.c $(FUZZ_FILES)
tests_fuzz_queries_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_queries_LDADD = $(CLI_LIBS)

FUZZ_TESTS += tests/fuzz/shape
tests_fuzz_shape_SOURCES = tests/fuzz/shape.c $(FUZZ_FILES)
tests_fuzz_shape_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_shape_LDADD = tests/lib/libfake_port.a $(NET_LIBS)

FUZZ_TESTS += tests/fuzz/state
tests_fuzz_state_SOURCES = tests/fuzz/state.c $(FUZZ_FILES)
tests_fuzz_state_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_state_LDADD = $(BASE_LIBS)

FUZZ_TESTS += tests/fuzz/vhost_user
tests_fuzz_vhost_user_SOURCES = tests/fuzz/vhost_user.c $(FUZZ_FILES)
tests_fuzz_vhost_user_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_vhost_user_LDADD = $(CORE_LIBS)

FUZZ_TESTS += tests/fuzz/virtio
tests_fuzz_virtio_SOURCES = tests/fuzz/virtio.c $(FUZZ_FILES)
tests_fuzz_virtio_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_virtio_LDADD = $(DEVICE_BENCH_LIBS)
FUZZ_TESTS += tests/fuzz/vsock
tests_fuzz_vsock_SOURCES = tests/fuzz/vsock.c $(FUZZ_FILES)
tests_fuzz_vsock_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_vsock_LDADD = $(DEVICE_BENCH_LIBS)

FUZZ_TESTS += tests/fuzz/vxlan
tests_fuzz_vxlan_SOURCES = tests/fuzz/vxlan.c $(FUZZ_FILES)
tests_fuzz_vxlan_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_vxlan_LDADD = $(NET_LIBS)
FUZZ_TESTS += tests/fuzz/stream_frames
tests_fuzz_stream_frames_SOURCES = tests/fuzz/stream_frames.c $(FUZZ_FILES)
tests_fuzz_stream_frames_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_stream_frames_LDADD = $(NET_LIBS)

FUZZ_TESTS += tests/fuzz/vga
tests_fuzz_vga_SOURCES = tests/fuzz/vga.c $(FUZZ_FILES)
tests_fuzz_vga_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_vga_LDADD = $(CORE_LIBS)

check_PROGRAMS += $(FUZZ_TESTS)
FUZZ_TARGETS = $(FUZZ_TESTS:=.fuzz)

$(FUZZ_TARGETS): tests/fuzz/%.fuzz: tests/fuzz/%.c $(noinst_LIBRARIES) $(check_LIBRARIES)
	@$(MKDIR_P) $(@D)
	$(AM_V_CCLD)$(CC) $(DEFS) -I. $(FUZZ_CPPFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) \
		$(AM_LDFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(srcdir)/tests/fuzz/$*.c \
		$(tests_fuzz_$*_LDADD) $(LIBS)

fuzz: $(FUZZ_TARGETS)
.PHONY: fuzz
CLEANFILES += $(FUZZ_TARGETS)

# "make coverage": which lines of devices unit tests and fuzz targets run, in a tree of its
# own; it fails below 85 %.
coverage:
	rm -rf coverage
	$(MAKE) $(AM_MAKEFLAGS) distdir distdir=coverage
	cd coverage && ./configure -q CC='$(CC)' LDFLAGS='$(LDFLAGS) --coverage' \
		CFLAGS='-O1 -g --coverage -fprofile-update=atomic'
	cd coverage && $(MAKE) $(AM_MAKEFLAGS) all $(check_PROGRAMS)
	$(srcdir)/tests/lib/coverage coverage
.PHONY: coverage
EXTRA_DIST += %D%/lib/coverage
distclean-local: remove-coverage
remove-coverage:
	rm -rf coverage
.PHONY: remove-coverage

# End-to-end tests run the program itself, in a home of their own. The longest come first.
E2E_TESTS = tests/e2e/linux.py tests/e2e/firmware.py tests/e2e/storage.py tests/e2e/screen.py \
	tests/e2e/neighbours.py tests/e2e/charts.py tests/e2e/demo.py tests/e2e/full.py \
	tests/e2e/cloud.py tests/e2e/life.py tests/e2e/mistakes.py tests/e2e/new.py \
	tests/e2e/profiles.py tests/e2e/images.py tests/e2e/captures.py tests/e2e/hung.py \
	tests/e2e/ports.py tests/e2e/shape.py tests/e2e/breakpoint.py \
	tests/e2e/inject.py tests/e2e/consoles.py
EXTRA_DIST += $(E2E_TESTS)
EXTRA_DIST += tests/e2e/consoles/vim.seq tests/e2e/consoles/htop.seq tests/e2e/consoles/dmesg.seq
EXTRA_DIST += tests/firmware/flash.S tests/firmware/sector.S tests/e2e/deck.py \
	tests/e2e/proc.py tests/e2e/soak.py

# Hosts that refuse system calls, for the end-to-end tests.
EXTRA_PROGRAMS += tests/lib/refuse
tests_lib_refuse_SOURCES = tests/lib/refuse.c tests/lib/refuse.h
tests_lib_refuse_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_lib_refuse_LDADD =
CLEANFILES += tests/lib/refuse
check_DATA += tests/lib/refuse

# A deck under attack for ten minutes, and programs killed in mid-write; not part of "make check".
SOAK_SECONDS = 600
SOAK_KILLS = 200
soak: vmdeck tests/unit/ahci tests/unit/blk_device
	VMDECK_KILL_ROUNDS=$(SOAK_KILLS) tests/unit/ahci
	VMDECK_KILL_ROUNDS=$(SOAK_KILLS) tests/unit/blk_device
	VMDECK_KILL_ROUNDS=$(SOAK_KILLS) $(top_srcdir)/tests/e2e/demo.py \
		test_what_was_flushed_is_there_after_a_kill
	$(top_srcdir)/tests/e2e/soak.py --seconds $(SOAK_SECONDS) $(SOAK_FLAGS)
.PHONY: soak

# Guests that need a KVM like that of hardware, emulated; not part of "make check".
EXTRA_DIST += %D%/nested/README.md %D%/nested/check %D%/nested/cloud.case %D%/nested/debian.case \
	%D%/nested/disk.case %D%/nested/e1000e.case %D%/nested/installer.case \
	%D%/nested/ipxe.case %D%/nested/lib.bash %D%/nested/memtest.case \
	%D%/nested/qemu_cr8.c %D%/nested/uefi.case
check-nested: vmdeck
	VMDECK=$(abs_top_builddir)/vmdeck $(top_srcdir)/tests/nested/check $(NESTED_CASES)
.PHONY: check-nested

include tests/bench/room.mk
