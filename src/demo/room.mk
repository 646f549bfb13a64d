# demo: the built-in guest, a freestanding program with its own flags, and
# its file as data for the monitor.
DEMO_CFLAGS = -std=gnu11 -Os -ffreestanding -nostdlib -static -fno-pic \
	-mno-red-zone -mcmodel=small -march=x86-64 -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-builtin -fno-sanitize=all \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(WERROR_CFLAGS) \
	-s -Wl,-n -Wl,--build-id=none -Wl,-z,noexecstack

DEMO_CODE = \
	%D%/boot.S \
	%D%/acpi.c \
	%D%/attack.c \
	%D%/attack_console.c \
	%D%/attack_machine.c \
	%D%/attack_net.c \
	%D%/background.c \
	%D%/clock.c \
	%D%/command.c \
	%D%/command_end.c \
	%D%/command_load.c \
	%D%/command_net.c \
	%D%/command_rate.c \
	%D%/console.c \
	%D%/cpu.c \
	%D%/disk.c \
	%D%/fuzz.c \
	%D%/lib.c \
	%D%/link.c \
	%D%/memory.c \
	%D%/net.c \
	%D%/nic.c \
	%D%/pci.c \
	%D%/peers.c \
	%D%/start.c \
	%D%/task.c \
	%D%/tcp.c \
	%D%/uart.c \
	%D%/virtio.c
DEMO_INCLUDED = \
	%D%/acpi.h \
	%D%/attack.h \
	%D%/background.h \
	%D%/clock.h \
	%D%/command.h \
	%D%/console.h \
	%D%/cpu.h \
	%D%/disk.h \
	%D%/events.h \
	%D%/layout.h \
	%D%/lib.h \
	%D%/machine.h \
	%D%/memory.h \
	%D%/net.h \
	%D%/nic.h \
	%D%/pci.h \
	%D%/peers.h \
	%D%/start.h \
	%D%/task.h \
	%D%/tcp.h \
	%D%/uart.h \
	%D%/virtio.h

EXTRA_DIST += $(DEMO_CODE) $(DEMO_INCLUDED) %D%/demo.ld
CLEANFILES += %D%/demo.elf

%D%/demo.elf: $(DEMO_CODE) $(DEMO_INCLUDED) %D%/demo.ld
	$(AM_V_at)$(MKDIR_P) %D%
	$(AM_V_CCLD)$(CC) $(DEMO_CFLAGS) -Wl,-T,$(srcdir)/%D%/demo.ld -o $@ \
		$(DEMO_CODE:%=$(srcdir)/%)

noinst_LIBRARIES += src/demo/libdemo.a
src_demo_libdemo_a_SOURCES = %D%/image.S %D%/image.h
src_demo_libdemo_a_CCASFLAGS = -Wa,-I,$(builddir)
%D%/libdemo_a-image.$(OBJEXT): %D%/demo.elf

DEMO_LIBS = src/demo/libdemo.a

dist_check_SCRIPTS += tests/demo-guest
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/demo_console tests/unit/demo_lib
tests_unit_demo_console_LDADD = $(CMOCKA_LIBS)
tests_unit_demo_lib_LDADD = $(CMOCKA_LIBS)
endif
