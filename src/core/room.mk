# core: machines. kvm vm memory bus irq flat; boot, hw, virtio, disk below.
noinst_LIBRARIES += src/core/libcore.a
src_core_libcore_a_SOURCES = \
	%D%/bus.c %D%/bus.h \
	%D%/console.h %D%/deck.h \
	%D%/irq.c %D%/irq.h \
	%D%/memory.c %D%/memory.h \
	%D%/pci.c %D%/pci.h \
	%D%/pci_msix.c %D%/pci_msix.h \
	%D%/platform.h %D%/profile.h %D%/stats.h \
	%D%/virtio/net.c %D%/virtio/net.h \
	%D%/virtio/pci.c %D%/virtio/pci.h \
	%D%/virtio/queue.c %D%/virtio/queue.h \
	%D%/virtio/virtio.h

CORE_LIBS = src/core/libcore.a $(NET_LIBS) $(CONTROL_LIBS) $(BASE_LIBS) $(URING_LIBS)

# disks
src_core_libcore_a_SOURCES += \
	%D%/disk/disk.h %D%/disk/image.h \
	%D%/disk/lock.c %D%/disk/raw.c %D%/disk/ring.c \
	%D%/virtio/blk.c %D%/virtio/blk.h
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/disk tests/unit/disk_lock tests/unit/blk
tests_unit_disk_SOURCES = tests/unit/disk.c tests/unit/scratch.h
tests_unit_disk_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_disk_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_disk_lock_SOURCES = tests/unit/disk_lock.c tests/unit/scratch.h
tests_unit_disk_lock_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_disk_lock_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_blk_SOURCES = tests/unit/blk.c tests/unit/scratch.h
tests_unit_blk_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_blk_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
endif
