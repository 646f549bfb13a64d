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
