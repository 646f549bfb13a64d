# core: machines, the deck that keeps them, and its server. Rooms: see src/README.md.
noinst_LIBRARIES += src/core/libcore.a
# Without jump tables: they lie on pages of their own, see bus/exit_path.h.
src_core_libcore_a_CFLAGS = $(AM_CFLAGS) -fno-jump-tables
src_core_libcore_a_SOURCES = \
	%D%/boot/acpi.c %D%/boot/acpi.h \
	%D%/boot/acpi_loader.c \
	%D%/boot/boot.c %D%/boot/boot.h \
	%D%/boot/bzimage.c \
	%D%/boot/check.c \
	%D%/boot/elf.c \
	%D%/boot/firmware.c %D%/boot/firmware.h \
	%D%/boot/firmware_items.c \
	%D%/boot/firmware_kernel.c \
	%D%/boot/image.c \
	%D%/boot/load.h \
	%D%/boot/map.c %D%/boot/map.h \
	%D%/boot/smbios.c %D%/boot/smbios.h \
	%D%/bus/bus.c %D%/bus/bus.h \
	%D%/bus/device.c %D%/bus/device.h \
	%D%/bus/disks.c %D%/bus/disks.h \
	%D%/bus/exit_path.h \
	%D%/bus/nic.c %D%/bus/nic.h \
	%D%/bus/pci.c %D%/bus/pci.h \
	%D%/bus/pci_function.c %D%/bus/pci_function.h \
	%D%/bus/pci_msi.c %D%/bus/pci_msi.h \
	%D%/bus/pci_msix.c %D%/bus/pci_msix.h \
	%D%/bus/pci_vector.c %D%/bus/pci_vector.h \
	%D%/bus/platform.h \
	%D%/bus/reset.c %D%/bus/reset.h \
	%D%/bus/screen.h \
	%D%/deck/breaks.c %D%/deck/breaks.h \
	%D%/deck/check.c %D%/deck/check.h \
	%D%/deck/config.h \
	%D%/deck/conflict.c %D%/deck/conflict.h \
	%D%/deck/deck.c %D%/deck/deck.h \
	%D%/deck/demo.c %D%/deck/demo.h \
	%D%/deck/guest.c %D%/deck/guest.h %D%/deck/guest_private.h \
	%D%/deck/guest_hold.c \
	%D%/deck/guest_machine.c \
	%D%/deck/guest_state.c \
	%D%/deck/insertion.c %D%/deck/insertion.h \
	%D%/deck/lease_file.c %D%/deck/lease_file.h \
	%D%/deck/journal.c %D%/deck/journal.h \
	%D%/deck/life.c %D%/deck/life.h \
	%D%/deck/marks.c %D%/deck/marks.h \
	%D%/deck/notices.c %D%/deck/notices.h \
	%D%/deck/pressure.c %D%/deck/pressure.h \
	%D%/deck/refusals.c %D%/deck/refusals.h \
	%D%/deck/resizing.c %D%/deck/resizing.h \
	%D%/deck/roster.c %D%/deck/roster.h \
	%D%/deck/services.h \
	%D%/deck/stats.c %D%/deck/stats.h \
	%D%/deck/stats_private.h \
	%D%/deck/switches.c %D%/deck/switches.h \
	%D%/disk/check.c %D%/disk/check.h \
	%D%/disk/claim.c %D%/disk/claim.h \
	%D%/disk/cloud.c %D%/disk/cloud.h \
	%D%/disk/cloud_files.c %D%/disk/cloud_files.h \
	%D%/disk/direct.c %D%/disk/direct.h \
	%D%/disk/disk.h \
	%D%/disk/file.h \
	%D%/disk/format.c %D%/disk/format.h \
	%D%/disk/growth.c \
	%D%/disk/holder.c %D%/disk/holder.h \
	%D%/disk/image.h \
	%D%/disk/lock.c %D%/disk/lock.h \
	%D%/disk/open.c %D%/disk/open.h \
	%D%/disk/overlay.c %D%/disk/overlay.h \
	%D%/disk/pool.c \
	%D%/disk/qcow2.c %D%/disk/qcow2.h \
	%D%/disk/raw.c \
	%D%/disk/ring.c \
	%D%/disk/secrets.c %D%/disk/secrets.h \
	%D%/disk/seed.c %D%/disk/seed.h \
	%D%/disk/storage.c %D%/disk/storage.h \
	%D%/disk/uring.c \
	%D%/hw/ahci.c %D%/hw/ahci.h %D%/hw/ahci_private.h \
	%D%/hw/ahci_device.c %D%/hw/ahci_device.h \
	%D%/hw/ahci_medium.c \
	%D%/hw/ahci_port.c \
	%D%/hw/ahci_state.c \
	%D%/hw/ata.c %D%/hw/ata.h \
	%D%/hw/ata_disk.c \
	%D%/hw/atapi.c \
	%D%/hw/cfi_flash.c %D%/hw/cfi_flash.h \
	%D%/hw/debug_ports.c %D%/hw/debug_ports.h \
	%D%/hw/e1000e.c %D%/hw/e1000e.h %D%/hw/e1000e_private.h \
	%D%/hw/e1000e_count.c \
	%D%/hw/e1000e_device.c %D%/hw/e1000e_device.h \
	%D%/hw/e1000e_interrupt.c \
	%D%/hw/e1000e_phy.c \
	%D%/hw/e1000e_registers.c %D%/hw/e1000e_registers.h \
	%D%/hw/e1000e_rx.c \
	%D%/hw/e1000e_state.c \
	%D%/hw/e1000e_tx.c \
	%D%/hw/fw_cfg.c %D%/hw/fw_cfg.h \
	%D%/hw/i6300esb.c %D%/hw/i6300esb.h \
	%D%/hw/i8042.c %D%/hw/i8042.h \
	%D%/hw/ich9_pm.c %D%/hw/ich9_pm.h \
	%D%/hw/mc146818.c %D%/hw/mc146818.h %D%/hw/mc146818_private.h \
	%D%/hw/mc146818_events.c \
	%D%/hw/ovmf.c %D%/hw/ovmf.h \
	%D%/hw/ps2_keyboard.c %D%/hw/ps2_keyboard.h \
	%D%/hw/ps2_typing.c %D%/hw/ps2_typing.h \
	%D%/hw/port92.c %D%/hw/port92.h \
	%D%/hw/pvpanic.c %D%/hw/pvpanic.h \
	%D%/hw/q35.c %D%/hw/q35.h \
	%D%/hw/rom.c %D%/hw/rom.h \
	%D%/hw/uart16550.c %D%/hw/uart16550.h \
	%D%/hw/uefi_variables.c %D%/hw/uefi_variables.h \
	%D%/hw/uefi_variables_file.c %D%/hw/uefi_variables_file.h \
	%D%/hw/vga.c %D%/hw/vga.h %D%/hw/vga_private.h \
	%D%/hw/vga_text.c \
	%D%/kvm/coalesced.c %D%/kvm/coalesced.h \
	%D%/kvm/features.c %D%/kvm/features.h \
	%D%/kvm/irq.c %D%/kvm/irq.h \
	%D%/kvm/kvm.c %D%/kvm/kvm.h \
	%D%/kvm/memory.c %D%/kvm/memory.h \
	%D%/kvm/memory_state.c \
	%D%/kvm/state.c %D%/kvm/state.h \
	%D%/machine/console.c %D%/machine/console.h \
	%D%/machine/cpuid.c %D%/machine/cpuid.h \
	%D%/machine/exits.c \
	%D%/machine/devices.c %D%/machine/devices.h \
	%D%/machine/machine.c %D%/machine/machine.h \
	%D%/machine/room.c %D%/machine/room.h \
	%D%/machine/snapshot.c %D%/machine/snapshot.h \
	%D%/machine/vcpu.c %D%/machine/vcpu.h %D%/machine/vcpu_private.h \
	%D%/machine/vcpu_state.c \
	%D%/machine/vm.c %D%/machine/vm.h \
	%D%/profile/check.h \
	%D%/profile/differ.c %D%/profile/differ.h \
	%D%/profile/find.c %D%/profile/find.h \
	%D%/profile/folder.c %D%/profile/folder.h \
	%D%/profile/keys.c %D%/profile/keys.h \
	%D%/profile/port_settings.c %D%/profile/port_settings.h \
	%D%/profile/profile.c %D%/profile/profile.h \
	%D%/profile/read.c %D%/profile/read.h \
	%D%/profile/report.c %D%/profile/report.h \
	%D%/profile/switch_keys.c \
	%D%/profile/topology.c %D%/profile/topology.h \
	%D%/profile/values.c %D%/profile/values.h \
	%D%/virtio/balloon.c %D%/virtio/balloon.h \
	%D%/virtio/blk.c %D%/virtio/blk.h \
	%D%/virtio/blk_command.c %D%/virtio/blk_command.h \
	%D%/virtio/blk_device.c %D%/virtio/blk_device.h \
	%D%/virtio/console.c %D%/virtio/console.h \
	%D%/virtio/net_device.c %D%/virtio/net_device.h \
	%D%/virtio/net.c %D%/virtio/net.h %D%/virtio/net_private.h \
	%D%/virtio/net_receive.c \
	%D%/virtio/net_transmit.c \
	%D%/virtio/pci.c %D%/virtio/pci.h \
	%D%/virtio/pci_common.c \
	%D%/virtio/pci_device.c %D%/virtio/pci_device.h \
	%D%/virtio/pci_private.h \
	%D%/virtio/pci_queue.c \
	%D%/virtio/pci_state.c \
	%D%/virtio/queue.c %D%/virtio/queue.h \
	%D%/virtio/rng.c %D%/virtio/rng.h \
	%D%/virtio/vsock.c %D%/virtio/vsock.h %D%/virtio/vsock_private.h \
	%D%/virtio/vsock_host.c \
	%D%/virtio/vsock_packet.c \
	%D%/virtio/vhost_blk.c %D%/virtio/vhost_blk.h \
	%D%/virtio/vhost_device.c %D%/virtio/vhost_device.h \
	%D%/virtio/vhost_fs.c %D%/virtio/vhost_fs.h \
	%D%/virtio/vhost_inflight.c %D%/virtio/vhost_inflight.h \
	%D%/virtio/vhost_device_private.h \
	%D%/virtio/vhost_refuse.c \
	%D%/virtio/vhost_state.c \
	%D%/virtio/vhost_user.c %D%/virtio/vhost_user.h \
	%D%/virtio/virtio.h

# server: the control protocol's side of the deck; apart, so that its tests bring their own deck.
noinst_LIBRARIES += src/core/libserver.a
src_core_libserver_a_SOURCES = \
	%D%/server/aside.c %D%/server/aside.h \
	%D%/server/dispatch.c %D%/server/dispatch.h \
	%D%/server/filters.c %D%/server/filters.h \
	%D%/server/json.c %D%/server/json.h \
	%D%/server/leases.c %D%/server/leases.h \
	%D%/server/leave.c %D%/server/leave.h \
	%D%/server/parts.h \
	%D%/server/peer.c %D%/server/peer.h \
	%D%/server/place.c %D%/server/place.h \
	%D%/server/request.c %D%/server/request.h \
	%D%/server/server.c %D%/server/server.h \
	%D%/server/socket.c %D%/server/socket.h \
	%D%/server/spares.c %D%/server/spares.h \
	%D%/server/commands/commands.h \
	%D%/server/commands/deck.c \
	%D%/server/commands/guest.c \
	%D%/server/commands/breakpoint.c \
	%D%/server/commands/media.c \
	%D%/server/commands/resize.c \
	%D%/server/commands/switch.c \
	%D%/server/streams/capture.c \
	%D%/server/streams/capture_config.c %D%/server/streams/capture_config.h \
	%D%/server/streams/capture_file.c %D%/server/streams/capture_file.h \
	%D%/server/streams/capture_stream.c \
	%D%/server/streams/console.c \
	%D%/server/streams/cp437.c %D%/server/streams/cp437.h \
	%D%/server/streams/events.c \
	%D%/server/streams/host.c \
	%D%/server/streams/packets.c \
	%D%/server/streams/screen.c \
	%D%/server/streams/stats.c \
	%D%/server/streams/streams.h \
	%D%/server/streams/table.c

SERVER_LIBS = src/core/libserver.a $(CONTROL_LIBS)

# A deck without machines, and the little of a real one that it has.
FAKE_DECK = tests/unit/fake_deck.c tests/unit/fake_deck.h %D%/deck/guest_state.c \
	%D%/machine/console.c %D%/profile/keys.c %D%/profile/port_settings.c \
	%D%/profile/profile.c %D%/profile/report.c %D%/profile/values.c src/net/switch/settings.c \
	src/net/port/forward.c src/net/service/dhcp_options.c

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/screen tests/unit/server
tests_unit_screen_SOURCES = tests/unit/screen.c $(FAKE_DECK)
tests_unit_screen_LDADD = $(SERVER_LIBS) $(CMOCKA_LIBS)
tests_unit_server_SOURCES = tests/unit/server.c $(FAKE_DECK)
tests_unit_server_LDADD = $(SERVER_LIBS) $(CMOCKA_LIBS)
endif

CORE_LIBS = src/core/libserver.a src/core/libcore.a $(NET_LIBS) $(CONTROL_LIBS) $(BASE_LIBS) $(URING_LIBS) $(CRYPT_LIBS)

# The machine's ACPI code, compiled into an array.
nodist_src_core_libcore_a_SOURCES = %D%/boot/dsdt.inc
EXTRA_DIST += %D%/boot/dsdt.asl
BUILT_SOURCES += %D%/boot/dsdt.inc
CLEANFILES += %D%/boot/dsdt.inc %D%/boot/dsdt.aml %D%/boot/dsdt.log

%D%/boot/dsdt.aml: %D%/boot/dsdt.asl
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(IASL) -ve -p $(@D)/dsdt $(srcdir)/%D%/boot/dsdt.asl >$(@D)/dsdt.log 2>&1 || \
		{ cat $(@D)/dsdt.log >&2; rm -f $@; exit 1; }

# The bytes as the initializer of a C array.
src/core/boot/libcore_a-acpi.$(OBJEXT): %D%/boot/dsdt.inc
%D%/boot/dsdt.inc: %D%/boot/dsdt.aml
	$(AM_V_GEN)od -An -v -tx1 %D%/boot/dsdt.aml | $(SED) 's/ \(..\)/ 0x\1,/g' >$@.tmp && \
		mv $@.tmp $@

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/acpi tests/unit/boot tests/unit/boot_entry tests/unit/fw_cfg \
	tests/unit/i8042 tests/unit/ich9_pm tests/unit/mc146818 tests/unit/ps2_keyboard \
	tests/unit/q35 tests/unit/debug_ports tests/unit/port92 tests/unit/rom tests/unit/smbios \
	tests/unit/uart16550 tests/unit/vga tests/unit/cfi_flash tests/unit/uefi_variables_file \
	tests/unit/firmware_kernel
tests_unit_firmware_kernel_SOURCES = tests/unit/firmware_kernel.c tests/unit/fake_bus.h \
	tests/unit/fake_fw_cfg.h tests/unit/scratch.h
tests_unit_firmware_kernel_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_cfi_flash_SOURCES = tests/unit/cfi_flash.c tests/unit/fake_bus.h
tests_unit_cfi_flash_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_uefi_variables_file_SOURCES = tests/unit/uefi_variables_file.c tests/unit/scratch.h
tests_unit_uefi_variables_file_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_debug_ports_SOURCES = tests/unit/debug_ports.c tests/unit/fake_bus.h
tests_unit_debug_ports_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_port92_SOURCES = tests/unit/port92.c tests/unit/fake_bus.h
tests_unit_port92_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_rom_SOURCES = tests/unit/rom.c tests/unit/scratch.h
tests_unit_rom_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_smbios_SOURCES = tests/unit/smbios.c tests/unit/fake_bus.h \
	tests/unit/fake_fw_cfg.h
tests_unit_smbios_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_q35_SOURCES = tests/unit/q35.c tests/unit/fake_bus.h
tests_unit_q35_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_boot_entry_SOURCES = tests/unit/boot_entry.c tests/lib/guest_memory.h tests/lib/pvh_image.h
tests_unit_boot_entry_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_boot_entry_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_fw_cfg_SOURCES = tests/unit/fw_cfg.c tests/unit/fake_bus.h \
	tests/unit/fake_fw_cfg.h
tests_unit_fw_cfg_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_i8042_SOURCES = tests/unit/i8042.c tests/unit/fake_bus.h
tests_unit_i8042_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_mc146818_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_boot_SOURCES = tests/unit/boot.c tests/lib/guest_memory.h tests/unit/scratch.h
tests_unit_boot_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_boot_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_acpi_SOURCES = tests/unit/acpi.c tests/unit/fake_bus.h tests/unit/fake_fw_cfg.h \
	tests/unit/scratch.h
tests_unit_acpi_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_ich9_pm_SOURCES = tests/unit/ich9_pm.c tests/unit/fake_bus.h
tests_unit_ich9_pm_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_uart16550_SOURCES = tests/unit/uart16550.c tests/unit/fake_bus.h
tests_unit_uart16550_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_ps2_keyboard_SOURCES = tests/unit/ps2_keyboard.c tests/unit/fake_bus.h
tests_unit_ps2_keyboard_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_vga_SOURCES = tests/unit/vga.c tests/unit/fake_bus.h
tests_unit_vga_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/profile
tests_unit_profile_CPPFLAGS = $(AM_CPPFLAGS) -DMAN_FOLDER='"$(abs_top_builddir)/man"' \
	-DCONF_FOLDER='"$(abs_top_srcdir)/conf"'
tests_unit_profile_LDADD = src/core/libcore.a $(NET_LIBS) $(CONTROL_LIBS) $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/bus tests/unit/device tests/unit/virtqueue tests/unit/console tests/unit/machine
check_PROGRAMS += tests/unit/cloud
tests_unit_cloud_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/topology
tests_unit_topology_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/cpuid
tests_unit_cpuid_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/vcpu_state
tests_unit_vcpu_state_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/ahci
tests_unit_ahci_SOURCES = tests/unit/ahci.c tests/lib/refuse.h tests/unit/killed.h \
	tests/unit/scratch.h tests/unit/small_fs.h
tests_unit_ahci_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_ahci_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/blk_device
tests_unit_blk_device_SOURCES = tests/unit/blk_device.c tests/unit/killed.h
tests_unit_blk_device_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_blk_device_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/device_state
tests_unit_device_state_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_device_state_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/snapshot tests/unit/snapshot_linux
tests_unit_snapshot_SOURCES = tests/unit/snapshot.c tests/unit/world.c tests/unit/world.h \
	tests/unit/with_nat.h
tests_unit_snapshot_LDADD = $(CORE_LIBS) $(DEMO_LIBS) $(CMOCKA_LIBS)
tests_unit_snapshot_linux_SOURCES = tests/unit/snapshot_linux.c tests/unit/world.c \
	tests/unit/with_nat.h \
	tests/unit/world.h
tests_unit_snapshot_linux_LDADD = $(CORE_LIBS) $(DEMO_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/pci
tests_unit_pci_SOURCES = tests/unit/pci.c tests/unit/fake_router.c tests/unit/fake_router.h \
	tests/unit/settle.h
tests_unit_pci_LDADD = src/core/libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/coalesced
tests_unit_coalesced_SOURCES = tests/unit/coalesced.c tests/unit/fake_bus.h
tests_unit_coalesced_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/irq
tests_unit_irq_LDADD = src/core/libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/pci_function
tests_unit_pci_function_SOURCES = tests/unit/pci_function.c tests/unit/fake_router.c \
	tests/unit/fake_router.h
tests_unit_pci_function_LDADD = src/core/libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/virtio_net
tests_unit_virtio_net_SOURCES = tests/unit/virtio_net.c tests/unit/settle.h
tests_unit_virtio_net_LDADD = src/core/libcore.a $(NET_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/virtio_net_stay
tests_unit_virtio_net_stay_SOURCES = tests/unit/virtio_net_stay.c tests/unit/fake_router.c \
	tests/unit/fake_router.h tests/unit/settle.h
tests_unit_virtio_net_stay_LDADD = src/core/libcore.a $(NET_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/e1000e
tests_unit_e1000e_SOURCES = tests/unit/e1000e.c tests/unit/fake_port.c tests/unit/fake_port.h \
	tests/unit/fake_router.c tests/unit/fake_router.h tests/unit/settle.h
tests_unit_e1000e_LDADD = src/core/libcore.a $(NET_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/balloon
tests_unit_balloon_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_balloon_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/vsock
tests_unit_vsock_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_vsock_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/vhost_device
tests_unit_vhost_device_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_vhost_device_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/qcow2 tests/unit/secrets tests/unit/vhost_inflight \
	tests/unit/vhost_user
tests_unit_qcow2_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_secrets_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_vhost_inflight_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_vhost_user_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/pvpanic
tests_unit_pvpanic_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_pvpanic_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/i6300esb
tests_unit_i6300esb_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_i6300esb_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/virtio_console
tests_unit_virtio_console_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_virtio_console_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/virtio_rng
tests_unit_virtio_rng_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_virtio_rng_LDADD = $(DEVICE_BENCH_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/check
tests_unit_check_SOURCES = tests/unit/check.c tests/lib/pvh_image.h
tests_unit_check_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_check_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/watch
tests_unit_watch_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/deck
tests_unit_deck_SOURCES = tests/unit/deck.c tests/unit/with_nat.h
tests_unit_deck_LDADD = $(CORE_LIBS) $(DEMO_LIBS) $(CMOCKA_LIBS)
tests_unit_machine_SOURCES = tests/unit/machine.c tests/lib/pvh_image.h tests/unit/open_files.h
tests_unit_machine_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_machine_LDADD = $(CORE_LIBS) $(DEMO_LIBS) $(CMOCKA_LIBS)
tests_unit_bus_SOURCES = tests/unit/bus.c tests/lib/guest_memory.h
tests_unit_bus_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_bus_LDADD = src/core/libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_device_LDADD = src/core/libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_virtqueue_SOURCES = tests/unit/virtqueue.c tests/lib/guest_memory.h
tests_unit_virtqueue_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_virtqueue_LDADD = src/core/libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
tests_unit_console_LDADD = src/core/libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/disk tests/unit/disk_device tests/unit/disk_direct \
	tests/unit/disk_full tests/unit/disk_image tests/unit/disk_lock \
	tests/unit/blk
tests_unit_disk_image_SOURCES = tests/unit/disk_image.c tests/unit/loop_device.h \
	tests/unit/scratch.h
tests_unit_disk_image_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_disk_SOURCES = tests/unit/disk.c tests/lib/refuse.h tests/unit/scratch.h
tests_unit_disk_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_disk_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_disk_device_SOURCES = tests/unit/disk_device.c tests/lib/refuse.h \
	tests/unit/loop_device.h tests/unit/scratch.h
tests_unit_disk_device_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_disk_device_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_disk_direct_SOURCES = tests/unit/disk_direct.c tests/lib/refuse.h tests/unit/scratch.h
tests_unit_disk_direct_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_disk_direct_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_disk_full_SOURCES = tests/unit/disk_full.c tests/lib/refuse.h tests/unit/scratch.h \
	tests/unit/small_fs.h
tests_unit_disk_full_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_disk_full_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_disk_lock_SOURCES = tests/unit/disk_lock.c tests/unit/scratch.h
tests_unit_disk_lock_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_unit_blk_SOURCES = tests/unit/blk.c tests/lib/refuse.h tests/unit/scratch.h
tests_unit_blk_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_blk_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
endif
