# core: machines. kvm vm memory bus irq flat; boot, hw, virtio, disk below.
noinst_LIBRARIES += src/core/libcore.a
src_core_libcore_a_SOURCES = \
	%D%/bus.c %D%/bus.h \
	%D%/console.h %D%/deck.h \
	%D%/irq.c %D%/irq.h \
	%D%/memory.c %D%/memory.h \
	%D%/platform.h %D%/stats.h \
	%D%/profile.c %D%/profile.h \
	%D%/profile_files.c \
	%D%/profile_keys.c %D%/profile_keys.h \
	%D%/profile_report.c %D%/profile_report.h \
	%D%/profile_values.c %D%/profile_values.h \
	%D%/virtio/queue.c %D%/virtio/queue.h \
	%D%/virtio/virtio.h

CORE_LIBS = src/core/libcore.a $(NET_LIBS) $(CONTROL_LIBS) $(BASE_LIBS) $(URING_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/profile
tests_unit_profile_SOURCES = tests/unit/profile.c
tests_unit_profile_CPPFLAGS = $(AM_CPPFLAGS) -DMAN_FOLDER='"$(abs_top_srcdir)/man"'
tests_unit_profile_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_profile_LDADD = src/core/libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
endif
