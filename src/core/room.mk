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

# boot: kernels and tables; hw: chips by part name.
src_core_libcore_a_SOURCES += \
	%D%/boot/acpi.c %D%/boot/acpi.h \
	%D%/boot/boot.c %D%/boot/boot.h \
	%D%/boot/bzimage.c \
	%D%/boot/elf.c \
	%D%/boot/image.c %D%/boot/load.h \
	%D%/hw/i8042.c %D%/hw/i8042.h \
	%D%/hw/ich9_pm.c %D%/hw/ich9_pm.h \
	%D%/hw/mc146818.c %D%/hw/mc146818.h \
	%D%/hw/uart16550.c %D%/hw/uart16550.h
nodist_src_core_libcore_a_SOURCES = %D%/boot/dsdt.inc
EXTRA_DIST += %D%/boot/dsdt.asl
BUILT_SOURCES += %D%/boot/dsdt.inc
CLEANFILES += %D%/boot/dsdt.inc %D%/boot/dsdt.aml %D%/boot/dsdt.log

%D%/boot/dsdt.aml: %D%/boot/dsdt.asl
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(IASL) -ve -p $(@D)/dsdt $(srcdir)/%D%/boot/dsdt.asl >$(@D)/dsdt.log 2>&1 || \
		{ cat $(@D)/dsdt.log >&2; rm -f $@; exit 1; }

# The bytes as the initializer of a C array.
%D%/boot/dsdt.inc: %D%/boot/dsdt.aml
	$(AM_V_GEN)od -An -v -tx1 %D%/boot/dsdt.aml | $(SED) 's/ \(..\)/ 0x\1,/g' >$@.tmp && \
		mv $@.tmp $@

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/acpi tests/unit/boot tests/unit/i8042 tests/unit/ich9_pm \
	tests/unit/mc146818 tests/unit/uart16550
tests_unit_i8042_SOURCES = tests/unit/i8042.c
tests_unit_i8042_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_i8042_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_mc146818_SOURCES = tests/unit/mc146818.c
tests_unit_mc146818_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_mc146818_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_boot_SOURCES = tests/unit/boot.c
tests_unit_boot_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_boot_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_acpi_SOURCES = tests/unit/acpi.c
tests_unit_acpi_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_acpi_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_ich9_pm_SOURCES = tests/unit/ich9_pm.c
tests_unit_ich9_pm_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_ich9_pm_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_uart16550_SOURCES = tests/unit/uart16550.c
tests_unit_uart16550_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_uart16550_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
endif
