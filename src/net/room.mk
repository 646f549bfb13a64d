# net: packets. Switch, ports (one file a backend), capture, decode.
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES = $(net_switch_sources)
src_net_libnet_a_CFLAGS = $(AM_CFLAGS) $(PCAP_CFLAGS)
NET_LIBS = src/net/libnet.a $(BASE_LIBS) $(PCAP_LIBS)

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
	%D%/switch.c %D%/switch.h %D%/switch_private.h %D%/uplink.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/switch tests/unit/offload tests/unit/capture tests/unit/filter \
	tests/unit/capture_tshark
tests_unit_switch_SOURCES = tests/unit/switch.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_switch_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_switch_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_offload_SOURCES = tests/unit/offload.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_offload_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_offload_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_capture_SOURCES = tests/unit/capture.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_capture_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PCAP_CFLAGS)
tests_unit_capture_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_capture_tshark_SOURCES = tests/unit/capture_tshark.c \
	tests/unit/fake_port.c tests/unit/fake_port.h
tests_unit_capture_tshark_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PCAP_CFLAGS)
tests_unit_capture_tshark_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_filter_SOURCES = tests/unit/filter.c
tests_unit_filter_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PCAP_CFLAGS)
tests_unit_filter_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
endif

EXTRA_PROGRAMS += tests/bench/switch
tests_bench_switch_SOURCES = tests/bench/switch.c tests/unit/fake_port.c tests/unit/fake_port.h
tests_bench_switch_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit
tests_bench_switch_LDADD = $(NET_LIBS)
