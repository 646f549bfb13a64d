# net: packets. Switch, ports (one file a backend), capture, decode.
noinst_LIBRARIES += src/net/libnet.a
src_net_libnet_a_SOURCES =
src_net_libnet_a_CFLAGS = $(AM_CFLAGS) $(SLIRP_CFLAGS)

NET_LIBS = src/net/libnet.a src/base/libbase.a $(SLIRP_LIBS)

# The switch's own port and decoding.
src_net_libnet_a_SOURCES += \
	%D%/bytes.h \
	%D%/decode.c %D%/decode.h %D%/decode_app.c %D%/decode_ip.c %D%/decode_parts.h \
	%D%/dhcp.c %D%/dhcp.h \
	%D%/dhcp_message.c %D%/dhcp_message.h \
	%D%/nat.c %D%/nat.h \
	%D%/responder.c %D%/responder.h \
	%D%/uplink.c %D%/uplink.h

if HAVE_CMOCKA
check_PROGRAMS += tests/unit/decode tests/unit/dhcp tests/unit/uplink
tests_unit_decode_SOURCES = tests/unit/decode.c tests/unit/decode_packets.h
tests_unit_decode_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_decode_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_dhcp_SOURCES = tests/unit/dhcp.c
tests_unit_dhcp_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_dhcp_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
tests_unit_uplink_SOURCES = tests/unit/uplink.c
tests_unit_uplink_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_uplink_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
endif

check_PROGRAMS += tests/unit/decode_tshark
tests_unit_decode_tshark_SOURCES = tests/unit/decode_tshark.c tests/unit/decode_packets.h
tests_unit_decode_tshark_CFLAGS = $(AM_CFLAGS) $(PCAP_CFLAGS)
tests_unit_decode_tshark_LDADD = $(PCAP_LIBS)
