# tests: unit tests are listed by the room that they test.
TESTS = $(check_PROGRAMS) $(dist_check_SCRIPTS)

# Fuzz targets run over changed seeds in "make check"; "make fuzz" builds each
# of them with libFuzzer, as tests/fuzz/NAME.fuzz (clang, from clean objects:
# ./configure CC=clang --enable-sanitizer=address,undefined,fuzzer-no-link).
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
FUZZ_TARGETS = tests/fuzz/ini.fuzz

check_PROGRAMS += tests/fuzz/ini
tests_fuzz_ini_SOURCES = tests/fuzz/ini.c tests/lib/fuzz.c tests/lib/fuzz.h
tests_fuzz_ini_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_ini_LDADD = $(BASE_LIBS)

EXTRA_PROGRAMS += $(FUZZ_TARGETS)
tests_fuzz_ini_fuzz_SOURCES = tests/fuzz/ini.c
tests_fuzz_ini_fuzz_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_ini_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_ini_fuzz_LDADD = $(BASE_LIBS)

fuzz: $(FUZZ_TARGETS)
.PHONY: fuzz
CLEANFILES += $(FUZZ_TARGETS)
