# sandbox: processes of their own for what guests feed and is not ours.
noinst_LIBRARIES += src/sandbox/libsandbox.a
src_sandbox_libsandbox_a_SOURCES = \
	%D%/channel.c %D%/channel.h \
	%D%/entry.c \
	%D%/helper.c %D%/helper.h \
	%D%/sandbox.c %D%/sandbox.h \
	%D%/walls.c %D%/walls.h

SANDBOX_LIBS = src/sandbox/libsandbox.a $(BASE_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/channel tests/unit/sandbox
tests_unit_channel_LDADD = $(SANDBOX_LIBS) $(CMOCKA_LIBS)
tests_unit_sandbox_LDADD = $(SANDBOX_LIBS) $(CMOCKA_LIBS)
endif
