/* The decoders of the layers, which call each other by tables. Pure; any thread. */
#ifndef NET_DECODE_PARTS_H
#define NET_DECODE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/decode/text.h"

/*
 * A row: what follows a type, a protocol number or a port. decode says
 * everything of it and is true, or it says nothing and is false where this is
 * not its protocol after all; then the packet is as it was. A row without decode has a name only. A
 * row without a name is named by its decoder.
 */
struct dissector {
	uint16_t number;
	const char *name;
	bool (*decode)(struct packet *packet);
};

/* Tries the rows of that number. Whether one of them took it. */
bool dissect(const struct dissector *rows, size_t count, unsigned number, struct packet *packet);
#define DISSECT(rows, number, packet) dissect(rows, ARRAY_SIZE(rows), number, packet)

/* The layers, in decode.c, ip.c and transport.c. */
bool decode_ethernet(struct packet *packet);
bool decode_ethertype(struct packet *packet, unsigned type);
bool decode_known_ethertype(struct packet *packet, unsigned type); /* false: nothing is said */
bool decode_ip4(struct packet *packet);
bool decode_ip6(struct packet *packet);
bool decode_ip_protocol(struct packet *packet, unsigned protocol);
bool decode_udp(struct packet *packet);
bool decode_tcp(struct packet *packet);
bool decode_sctp(struct packet *packet);

/* Ports by name: the tables are in ports.c. */
bool decode_udp_payload(struct packet *packet);
bool decode_tcp_payload(struct packet *packet);

/* icmp.c */
bool decode_icmp4(struct packet *packet);
bool decode_icmp6(struct packet *packet);
bool decode_igmp(struct packet *packet);

/* bridge.c: what bridges tell each other */
bool decode_lldp(struct packet *packet);
bool decode_llc(struct packet *packet);
bool decode_slow(struct packet *packet);
bool decode_eapol(struct packet *packet);

/* tunnel.c: packets in packets */
bool decode_mpls(struct packet *packet);
bool decode_pppoe_discovery(struct packet *packet);
bool decode_pppoe_session(struct packet *packet);
bool decode_macsec(struct packet *packet);
bool decode_pbb(struct packet *packet);
bool decode_nsh(struct packet *packet);
bool decode_gre(struct packet *packet);
bool decode_ether_ip(struct packet *packet);
bool decode_ah(struct packet *packet);
bool decode_esp(struct packet *packet);
bool decode_esp_udp(struct packet *packet);
bool decode_vxlan(struct packet *packet);
bool decode_vxlan_gpe(struct packet *packet);
bool decode_geneve(struct packet *packet);
bool decode_gtp(struct packet *packet);
bool decode_teredo(struct packet *packet);
bool decode_l2tp(struct packet *packet);

/* routing.c */
bool decode_ospf(struct packet *packet);
bool decode_pim(struct packet *packet);
bool decode_eigrp(struct packet *packet);
bool decode_vrrp(struct packet *packet);
bool decode_hsrp(struct packet *packet);
bool decode_glbp(struct packet *packet);
bool decode_rip(struct packet *packet);
bool decode_bfd(struct packet *packet);
bool decode_bgp(struct packet *packet);
bool decode_ldp(struct packet *packet);
bool decode_isis(struct packet *packet);

/* names.c: DNS and its kin */
bool decode_dns(struct packet *packet);
bool decode_nbns(struct packet *packet);
bool decode_nbds(struct packet *packet);

/* hosts.c: what configures and watches hosts */
bool decode_dhcp(struct packet *packet);
bool decode_dhcp6(struct packet *packet);
bool decode_ntp(struct packet *packet);
bool decode_tftp(struct packet *packet);
bool decode_snmp(struct packet *packet);
bool decode_syslog(struct packet *packet);
bool decode_radius(struct packet *packet);
bool decode_tacacs(struct packet *packet);
bool decode_isakmp(struct packet *packet);
bool decode_kerberos(struct packet *packet);
bool decode_ldap(struct packet *packet);
bool decode_ptp(struct packet *packet);
bool decode_rmcp(struct packet *packet);
bool decode_wireguard(struct packet *packet);
bool decode_netflow(struct packet *packet);

/* web.c: HTTP, TLS and what else is told by its first bytes */
bool decode_line(struct packet *packet);
bool decode_http(struct packet *packet);
bool decode_ssh(struct packet *packet);
bool decode_tls(struct packet *packet);
bool decode_dtls(struct packet *packet);
bool decode_quic(struct packet *packet);
bool decode_sip(struct packet *packet);
bool decode_stun(struct packet *packet);
bool decode_bittorrent(struct packet *packet);

/* files.c: storage, databases, desktops */
bool decode_smb(struct packet *packet);
bool decode_rpc(struct packet *packet);
bool decode_rpc_call(struct packet *packet);
bool decode_dcerpc(struct packet *packet);
bool decode_iscsi(struct packet *packet);
bool decode_tpkt(struct packet *packet);
bool decode_mysql(struct packet *packet);
bool decode_postgres(struct packet *packet);
bool decode_vnc(struct packet *packet);
bool decode_redis(struct packet *packet);

/* field.c: things and plants */
bool decode_mqtt(struct packet *packet);
bool decode_coap(struct packet *packet);
bool decode_bacnet(struct packet *packet);
bool decode_modbus(struct packet *packet);
bool decode_dnp3(struct packet *packet);
bool decode_openflow(struct packet *packet);
bool decode_diameter(struct packet *packet);

#define SEQUENCE_SYN 0x02u
#define SEQUENCE_ACK 0x10u

/*
 * Makes the numbers of a segment relative: 0 is the SYN's, and where none was seen the first
 * one that was is 1, as Wireshark has it. packet->out has its addresses. Without a table they
 * stay what they are.
 */
void sequence_relative(const struct packet *packet, unsigned from, unsigned to, unsigned flags,
		       uint32_t *sequence, uint32_t *acknowledged);

#endif
