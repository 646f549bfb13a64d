# net: packets. Switch, ports (one file a backend), capture, decode.
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES = \
	%D%/network.c %D%/network.h \
	%D%/capture/capture.c %D%/capture/capture.h \
	%D%/capture/capture_private.h \
	%D%/capture/filter_compiler.c %D%/capture/filter_compiler.h \
	%D%/capture/filter_words.c %D%/capture/filter_words.h \
	%D%/capture/hub.c \
	%D%/capture/merge.c \
	%D%/capture/names.c \
	%D%/capture/past.c \
	%D%/capture/pcapng.c %D%/capture/pcapng.h \
	%D%/capture/pool.c \
	%D%/capture/sink.c \
	%D%/capture/stamp.c %D%/capture/stamp.h \
	%D%/capture/tap.c \
	%D%/capture/writer.c %D%/capture/writer.h \
	%D%/decode/bridge.c \
	%D%/decode/decode.c %D%/decode/decode.h \
	%D%/decode/field.c \
	%D%/decode/files.c \
	%D%/decode/hosts.c \
	%D%/decode/icmp.c \
	%D%/decode/ip.c \
	%D%/decode/names.c \
	%D%/decode/parts.h \
	%D%/decode/ports.c \
	%D%/decode/routing.c \
	%D%/decode/secure.c \
	%D%/decode/sequence.c %D%/decode/sequence.h \
	%D%/decode/summary.h \
	%D%/decode/text.c %D%/decode/text.h \
	%D%/decode/transport.c \
	%D%/decode/tunnel.c \
	%D%/decode/web.c \
	%D%/frame/copy.h \
	%D%/frame/checksum.c %D%/frame/checksum.h \
	%D%/frame/frame.c %D%/frame/frame.h \
	%D%/frame/pieces.c %D%/frame/pieces.h \
	%D%/port/burst.c %D%/port/burst.h \
	%D%/port/config.c \
	%D%/port/datagrams.c %D%/port/datagrams.h \
	%D%/port/forward.c %D%/port/forward.h \
	%D%/port/guest.c \
	%D%/port/inbox.c %D%/port/inbox.h \
	%D%/port/nat.c \
	%D%/port/nat_channel.h \
	%D%/port/nat_forward.c %D%/port/nat_forward.h \
	%D%/port/nat_guard.c %D%/port/nat_guard.h \
	%D%/port/nat_process.c %D%/port/nat_process.h \
	%D%/port/nat_order.c %D%/port/nat_order.h \
	%D%/port/nat_segments.c %D%/port/nat_segments.h \
	%D%/port/nat_stack.c %D%/port/nat_stack.h \
	%D%/port/outside.c %D%/port/outside.h \
	%D%/port/own.c %D%/port/own.h \
	%D%/port/pcap.c \
	%D%/port/place.c %D%/port/place.h \
	%D%/port/port.c %D%/port/port.h \
	%D%/port/probe.c %D%/port/probe.h \
	%D%/port/replay.c \
	%D%/port/replay_process.c %D%/port/replay_process.h \
	%D%/port/reserve.c %D%/port/reserve.h \
	%D%/port/served.c %D%/port/served.h \
	%D%/port/share.c %D%/port/share.h \
	%D%/port/stream.c \
	%D%/port/stream_frames.c %D%/port/stream_frames.h \
	%D%/port/tap.c \
	%D%/port/thread.c %D%/port/thread.h \
	%D%/port/vnet_port.c %D%/port/vnet_port.h \
	%D%/port/vxlan.c \
	%D%/port/vxlan_header.c %D%/port/vxlan_header.h \
	%D%/service/dhcp.c %D%/service/dhcp.h \
	%D%/service/dhcp_frame.c %D%/service/dhcp_frame.h \
	%D%/service/dhcp_message.c %D%/service/dhcp_message.h \
	%D%/service/dhcp_options.c %D%/service/dhcp_options.h \
	%D%/service/responder.c %D%/service/responder.h \
	%D%/switch/breakpoint.c \
	%D%/switch/burst.h \
	%D%/switch/configure.c \
	%D%/switch/deliver.c \
	%D%/switch/forward.c \
	%D%/switch/hold.c %D%/switch/hold.h \
	%D%/switch/impair.c %D%/switch/impair.h \
	%D%/switch/kept.c %D%/switch/kept.h \
	%D%/switch/lane.c %D%/switch/lane.h \
	%D%/switch/late.c %D%/switch/late.h \
	%D%/switch/mac_table.c %D%/switch/mac_table.h \
	%D%/switch/offload.c %D%/switch/offload.h \
	%D%/switch/parking.c %D%/switch/parking.h \
	%D%/switch/port_set.h \
	%D%/switch/inject.c \
	%D%/switch/release.c %D%/switch/release.h \
	%D%/switch/settings.c %D%/switch/settings.h \
	%D%/switch/shape.c %D%/switch/shape.h \
	%D%/switch/span.c %D%/switch/span.h \
	%D%/switch/switch.c %D%/switch/switch.h \
	%D%/switch/switch_private.h \
	%D%/switch/vlan.c %D%/switch/vlan.h \
	%D%/switch/waiting.c %D%/switch/waiting.h
# libpcap and libslirp are loaded when they are needed: see base/library.h.
NET_LIBS = src/net/libnet.a $(SANDBOX_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/switch tests/unit/offload tests/unit/capture tests/unit/filter \
	tests/unit/capture_ports tests/unit/capture_past tests/unit/capture_tshark \
	tests/unit/capture_cost tests/unit/shape tests/unit/impair \
	tests/unit/hold tests/unit/inject tests/unit/span
tests_unit_switch_SOURCES = tests/unit/switch.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_switch_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_shape_SOURCES = tests/unit/shape.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_shape_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_span_SOURCES = tests/unit/span.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_span_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_hold_SOURCES = tests/unit/hold.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_hold_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_inject_SOURCES = tests/unit/inject.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_inject_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_impair_LDADD = $(NET_LIBS) $(CMOCKA_LIBS) -lm
tests_unit_offload_SOURCES = tests/unit/offload.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_offload_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_capture_SOURCES = tests/unit/capture.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_capture_LDADD = $(NET_LIBS) $(CMOCKA_LIBS) $(PCAP_LIBS)
tests_unit_capture_past_SOURCES = tests/unit/capture_past.c \
	tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_capture_past_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_capture_ports_SOURCES = tests/unit/capture_ports.c \
	tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_capture_ports_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
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

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/decode tests/unit/dhcp tests/unit/inbox tests/unit/nat_guard \
	tests/unit/nat_order tests/unit/nat_process tests/unit/nat_segments tests/unit/place tests/unit/probe \
	tests/unit/reserve tests/unit/share tests/unit/uplink tests/unit/uplink_switch
tests_unit_decode_SOURCES = tests/unit/decode.c tests/unit/decode_packets.h
tests_unit_decode_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_dhcp_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_inbox_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_nat_order_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_nat_process_SOURCES = tests/unit/nat_process.c tests/unit/with_nat.h
tests_unit_nat_process_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_nat_segments_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_nat_guard_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_probe_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_place_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_reserve_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_share_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_uplink_SOURCES = tests/unit/uplink.c tests/unit/with_nat.h
tests_unit_uplink_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_uplink_switch_SOURCES = tests/unit/uplink_switch.c tests/unit/with_nat.h
tests_unit_uplink_switch_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/unit/decode_tshark
tests_unit_decode_tshark_SOURCES = tests/unit/decode_tshark.c tests/unit/decode_packets.h
tests_unit_decode_tshark_LDADD = $(PCAP_LIBS)

check_PROGRAMS += tests/unit/decode_corpus
tests_unit_decode_corpus_SOURCES = tests/unit/decode_corpus.c
tests_unit_decode_corpus_LDADD = $(NET_LIBS)
EXTRA_DIST += tests/unit/decode_frames.py tests/unit/decode_messages.py
