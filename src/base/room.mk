# base: what knows nothing of guests.
noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	%D%/bytes.h \
	%D%/cause.c %D%/cause.h \
	%D%/checked.h \
	%D%/clock.h \
	%D%/control_sequence.c %D%/control_sequence.h \
	%D%/counter.h \
	%D%/files.c %D%/files.h \
	%D%/filter.c %D%/filter.h \
	%D%/host_load.c %D%/host_load.h \
	%D%/host_memory.c %D%/host_memory.h \
	%D%/ini.c %D%/ini.h \
	%D%/ini_value.c %D%/ini_value.h \
	%D%/library.c %D%/library.h \
	%D%/lock_file.c %D%/lock_file.h \
	%D%/loop.c %D%/loop.h \
	%D%/modes.c %D%/modes.h \
	%D%/mutex.c %D%/mutex.h \
	%D%/paths.c %D%/paths.h \
	%D%/plain.c %D%/plain.h \
	%D%/profile_key.c %D%/profile_key.h \
	%D%/savefile.c %D%/savefile.h \
	%D%/sentence.c %D%/sentence.h \
	%D%/state.c %D%/state.h \
	%D%/suggest.c %D%/suggest.h \
	%D%/thread.c %D%/thread.h \
	%D%/units.c %D%/units.h \
	%D%/watch.c %D%/watch.h \
	%D%/words.c %D%/words.h \
	%D%/worker.c %D%/worker.h

BASE_LIBS = src/base/libbase.a $(INIPARSER_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/loop
tests_unit_loop_SOURCES = tests/unit/loop.c tests/lib/refuse.h
tests_unit_loop_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_loop_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/mutex
tests_unit_mutex_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/modes
tests_unit_modes_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/host_load
tests_unit_host_load_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/host_memory
tests_unit_host_memory_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/ini
tests_unit_ini_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/paths
tests_unit_paths_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/plain
tests_unit_plain_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS) -lutil

check_PROGRAMS += tests/unit/sentence
tests_unit_sentence_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/files
tests_unit_files_SOURCES = tests/unit/files.c tests/unit/open_files.h
tests_unit_files_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/state
tests_unit_state_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/thread
tests_unit_thread_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
endif
