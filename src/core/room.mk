# core: machines. kvm vm memory bus irq flat; boot, hw, virtio, disk below.
noinst_LIBRARIES += src/core/libcore.a
src_core_libcore_a_SOURCES = \
	%D%/bus.c %D%/bus.h \
	%D%/console.c %D%/console.h \
	%D%/deck.c %D%/deck.h \
	%D%/demo_deck.c %D%/demo_deck.h \
	%D%/guest.c %D%/guest.h \
	%D%/irq.c %D%/irq.h \
	%D%/memory.c %D%/memory.h \
	%D%/pci.c %D%/pci.h \
	%D%/pci_msix.c %D%/pci_msix.h \
	%D%/kvm.c %D%/kvm.h \
	%D%/machine.c %D%/machine.h \
	%D%/platform.h %D%/profile.h \
	%D%/sampler.h %D%/stats.c %D%/stats.h \
	%D%/vcpu.c %D%/vcpu.h \
	%D%/vm.c %D%/vm.h \
	%D%/virtio/net.c %D%/virtio/net.h \
	%D%/virtio/pci.c %D%/virtio/pci.h \
	%D%/virtio/queue.c %D%/virtio/queue.h \
	%D%/virtio/virtio.h

CORE_LIBS = src/core/libcore.a $(NET_LIBS) $(CONTROL_LIBS) $(BASE_LIBS) $(URING_LIBS)
