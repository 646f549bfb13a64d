# sandbox: processes of their own for what guests feed and is not ours.
noinst_LIBRARIES += src/sandbox/libsandbox.a
src_sandbox_libsandbox_a_SOURCES = \
	%D%/backend.c %D%/backend.h \
	%D%/channel.c %D%/channel.h \
	%D%/confine.c %D%/confine.h \
	%D%/entry.c \
	%D%/filters.c %D%/filters.h \
	%D%/helper.c %D%/helper.h %D%/helper_private.h \
	%D%/helper_child.c \
	%D%/landlock.c \
	%D%/opener.c %D%/opener.h \
	%D%/opening.c %D%/opening.h \
	%D%/probe.c %D%/probe.h \
	%D%/program.c %D%/program.h \
	%D%/program_process.c \
	%D%/program_walls.c %D%/program_walls.h \
	%D%/sandbox.c %D%/sandbox.h \
	%D%/view.c %D%/view.h \
	%D%/walls.c %D%/walls.h

# The filters' programs, made of their table by a program that is not installed.
noinst_PROGRAMS += %D%/make_filters
src_sandbox_make_filters_SOURCES = %D%/make_filters.c %D%/filters_table.h
src_sandbox_make_filters_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
src_sandbox_make_filters_LDADD = $(SECCOMP_LIBS)
nodist_src_sandbox_libsandbox_a_SOURCES = %D%/filters.inc
BUILT_SOURCES += %D%/filters.inc
CLEANFILES += %D%/filters.inc

src/sandbox/filters.$(OBJEXT): %D%/filters.inc
%D%/filters.inc: %D%/make_filters$(EXEEXT)
	$(AM_V_GEN)%D%/make_filters$(EXEEXT) >$@.tmp && mv $@.tmp $@

SANDBOX_LIBS = src/sandbox/libsandbox.a $(BASE_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/channel tests/unit/filters tests/unit/opener tests/unit/program \
	tests/unit/sandbox
tests_unit_channel_LDADD = $(SANDBOX_LIBS) $(CMOCKA_LIBS)
tests_unit_filters_LDADD = $(SANDBOX_LIBS) $(CMOCKA_LIBS)
tests_unit_opener_LDADD = $(SANDBOX_LIBS) $(CMOCKA_LIBS)
tests_unit_program_SOURCES = tests/unit/program.c tests/lib/refuse.h
tests_unit_program_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_program_LDADD = $(SANDBOX_LIBS) $(CMOCKA_LIBS)
tests_unit_sandbox_LDADD = $(SANDBOX_LIBS) $(CMOCKA_LIBS)
endif
