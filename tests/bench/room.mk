# bench: "make bench" prints our figures beside their references, measured in
# the same run; BENCH_FLAGS=--json for a program, "--help" says more.
BENCH_GUEST_FLAGS = -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack

tests/bench/start.elf: tests/bench/guest.S tests/bench/guest.ld
	@$(MKDIR_P) tests/bench
	$(AM_V_CCLD)$(CC) $(BENCH_GUEST_FLAGS) -Wl,-n -Wl,-T,$(srcdir)/tests/bench/guest.ld -o $@ \
		$(srcdir)/tests/bench/guest.S
tests/bench/exits.elf: tests/bench/guest.S tests/bench/guest.ld
	@$(MKDIR_P) tests/bench
	$(AM_V_CCLD)$(CC) $(BENCH_GUEST_FLAGS) -DEXITS=500 -Wl,-n \
		-Wl,-T,$(srcdir)/tests/bench/guest.ld -o $@ $(srcdir)/tests/bench/guest.S
tests/bench/rom.bin: tests/bench/rom.S
	@$(MKDIR_P) tests/bench
	$(AM_V_CCLD)$(CC) $(BENCH_GUEST_FLAGS) -Wl,--oformat=binary -Wl,-Ttext=0 -Wl,-e,entry -o $@ \
		$(srcdir)/tests/bench/rom.S
tests/bench/off.elf: tests/bench/guest.S tests/bench/guest.ld
	@$(MKDIR_P) tests/bench
	$(AM_V_CCLD)$(CC) $(BENCH_GUEST_FLAGS) -DOFF -Wl,-n -Wl,-T,$(srcdir)/tests/bench/guest.ld -o $@ \
		$(srcdir)/tests/bench/guest.S
tests/bench/sector.bin: tests/bench/sector.S
	@$(MKDIR_P) tests/bench
	$(AM_V_CCLD)$(CC) $(BENCH_GUEST_FLAGS) -Wl,--oformat=binary -Wl,-Ttext=0 -Wl,-e,entry -o $@ \
		$(srcdir)/tests/bench/sector.S
BENCH_GUESTS = tests/bench/start.elf tests/bench/exits.elf tests/bench/off.elf \
	tests/bench/rom.bin tests/bench/sector.bin
EXTRA_DIST += tests/bench/run.py tests/bench/disks.py tests/bench/exits.py tests/bench/screens.py \
	tests/bench/guest.S tests/bench/guest.ld \
	tests/bench/rom.S tests/bench/sector.S
CLEANFILES += $(BENCH_GUESTS) $(BENCH_BINARIES) tests/bench/switch

BENCH_BINARIES = tests/bench/bare tests/bench/machines tests/bench/bench tests/bench/exits \
	tests/bench/nat tests/bench/nics
EXTRA_PROGRAMS += $(BENCH_BINARIES)
# Built by "make check" too, so that they do not fall behind; but for the one that is
# static, which no sanitizer can be.
check_DATA += tests/bench/machines tests/bench/bench tests/bench/exits tests/bench/nat \
	tests/bench/nics \
	tests/bench/switch
tests_bench_bare_SOURCES = tests/bench/bare.c tests/bench/measure.h
tests_bench_bare_LDFLAGS = $(AM_LDFLAGS) -static
tests_bench_machines_SOURCES = tests/bench/machines.c tests/bench/measure.h
tests_bench_machines_LDADD = $(CORE_LIBS)
tests_bench_nics_SOURCES = tests/bench/nics.c
tests_bench_nics_LDADD = $(CORE_LIBS)
tests_bench_nat_SOURCES = tests/bench/nat.c tests/unit/with_nat.h
tests_bench_nat_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_bench_nat_LDADD = $(NET_LIBS)
tests_bench_bench_SOURCES = tests/bench/bench.c tests/bench/report.c tests/bench/report.h \
	tests/bench/side.c tests/bench/side.h

bench: vmdeck $(BENCH_BINARIES) $(BENCH_GUESTS)
	$(top_srcdir)/tests/bench/run.py $(BENCH_FLAGS)
.PHONY: bench
