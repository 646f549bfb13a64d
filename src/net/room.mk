# net: packets. Switch, ports (one file a backend), capture, decode.
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES = $(net_switch_sources)
# libpcap and libslirp are loaded when they are needed: see base/library.h.
NET_LIBS = src/net/libnet.a $(BASE_LIBS)

# switch
net_switch_sources = \
	%D%/capture.c %D%/capture.h %D%/capture_private.h \
	%D%/capture_hub.c \
	%D%/capture_pool.c \
	%D%/capture_sink.c \
	%D%/capture_tap.c \
	%D%/capture_writer.c \
	%D%/filter.c %D%/filter.h \
	%D%/forward.c \
	%D%/frame.c %D%/frame.h \
	%D%/mac_table.c %D%/mac_table.h \
	%D%/network.c \
	%D%/offload.c %D%/offload.h \
	%D%/pcapng.c %D%/pcapng.h \
	%D%/switch.c %D%/switch.h %D%/switch_private.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/switch tests/unit/offload tests/unit/capture tests/unit/filter \
	tests/unit/capture_tshark tests/unit/capture_cost
tests_unit_switch_SOURCES = tests/unit/switch.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_switch_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_offload_SOURCES = tests/unit/offload.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_offload_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_capture_SOURCES = tests/unit/capture.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_capture_LDADD = $(NET_LIBS) $(CMOCKA_LIBS) $(PCAP_LIBS)
tests_unit_capture_tshark_SOURCES = tests/unit/capture_tshark.c \
	tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_capture_tshark_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_capture_cost_SOURCES = tests/unit/capture_cost.c \
	tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_capture_cost_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_filter_LDADD = $(NET_LIBS) $(CMOCKA_LIBS) $(PCAP_LIBS)
endif

EXTRA_PROGRAMS += tests/bench/switch
tests_bench_switch_SOURCES = tests/bench/switch.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_bench_switch_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_bench_switch_LDADD = $(NET_LIBS)

# The switch's own port and decoding.
src_net_libnet_a_SOURCES += \
	%D%/bytes.h \
	%D%/decode.c %D%/decode.h %D%/decode_app.c %D%/decode_ip.c %D%/decode_parts.h \
	%D%/dhcp.c %D%/dhcp.h \
	%D%/dhcp_message.c %D%/dhcp_message.h \
	%D%/nat.c %D%/nat.h \
	%D%/nat_guard.c %D%/nat_guard.h \
	%D%/responder.c %D%/responder.h \
	%D%/uplink.c %D%/uplink.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/decode tests/unit/dhcp tests/unit/nat_guard tests/unit/uplink \
	tests/unit/uplink_switch
tests_unit_decode_SOURCES = tests/unit/decode.c tests/unit/decode_packets.h
tests_unit_decode_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_dhcp_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_nat_guard_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_uplink_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_uplink_switch_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/unit/decode_tshark
tests_unit_decode_tshark_SOURCES = tests/unit/decode_tshark.c tests/unit/decode_packets.h
tests_unit_decode_tshark_LDADD = $(PCAP_LIBS)
