/*
 * Which protocol is at which port of UDP and TCP (IANA's registry of service names), and what
 * is tried where no port says it. Pure; any thread.
 */
#include "base/checked.h"
#include "net/decode/parts.h"

static const struct dissector udp_ports[] = {
	{ 53, "DNS", decode_dns },
	{ 67, "DHCP", decode_dhcp },
	{ 68, "DHCP", decode_dhcp },
	{ 69, "TFTP", decode_tftp },
	{ 88, "KRB5", decode_kerberos },
	{ 111, NULL, decode_rpc },
	{ 123, "NTP", decode_ntp },
	{ 137, "NBNS", decode_nbns },
	{ 138, "NBDS", decode_nbds },
	{ 161, "SNMP", decode_snmp },
	{ 162, "SNMP", decode_snmp },
	{ 177, "XDMCP", NULL },
	{ 319, NULL, decode_ptp },
	{ 320, NULL, decode_ptp },
	{ 389, "CLDAP", decode_ldap },
	{ 427, "SRVLOC", NULL },
	{ 434, "MobileIP", NULL },
	{ 443, NULL, decode_quic },
	{ 496, "PIMv1", NULL },
	{ 500, "ISAKMP", decode_isakmp },
	{ 502, "Modbus/UDP", decode_modbus },
	{ 514, "Syslog", decode_syslog },
	{ 520, NULL, decode_rip },
	{ 521, NULL, decode_rip },
	{ 525, "TSP", NULL },
	{ 546, "DHCPv6", decode_dhcp6 },
	{ 547, "DHCPv6", decode_dhcp6 },
	{ 623, "RMCP", decode_rmcp },
	{ 646, "LDP", decode_ldp },
	{ 654, "AODV", NULL },
	{ 698, "OLSR v1", NULL },
	{ 701, "LMP", NULL },
	{ 921, "lw_res", NULL },
	{ 1645, "RADIUS", decode_radius },
	{ 1646, "RADIUS", decode_radius },
	{ 1700, "RADIUS", decode_radius },
	{ 1701, "L2TP", decode_l2tp },
	{ 1812, "RADIUS", decode_radius },
	{ 1813, "RADIUS", decode_radius },
	{ 1900, "SSDP", decode_line },
	{ 1985, "HSRP", decode_hsrp },
	{ 2029, "HSRP", decode_hsrp },
	{ 2049, NULL, decode_rpc },
	{ 2055, "CFLOW", decode_netflow },
	{ 2123, "GTP", decode_gtp },
	{ 2152, "GTP", decode_gtp },
	{ 2427, "MGCP", decode_line },
	{ 2727, "MGCP", decode_line },
	{ 3222, "GLBP", decode_glbp },
	{ 3389, "RDPUDP", NULL },
	{ 3478, NULL, decode_stun },
	{ 3503, "MPLS ECHO", NULL },
	{ 3544, NULL, decode_teredo },
	{ 3784, "BFD Control", decode_bfd },
	{ 3785, "BFD Echo", NULL },
	{ 3799, "RADIUS", decode_radius },
	{ 4341, "LISP", NULL },
	{ 4342, "LISP", NULL },
	{ 4500, NULL, decode_esp_udp },
	{ 4569, "IAX2", NULL },
	{ 4739, "CFLOW", decode_netflow },
	{ 4784, "BFD Control", decode_bfd },
	{ 4789, "VXLAN", decode_vxlan },
	{ 4790, "VXLAN", decode_vxlan_gpe },
	{ 5060, NULL, decode_sip },
	{ 5246, "CAPWAP-Control", NULL },
	{ 5247, "CAPWAP-Data", NULL },
	{ 5353, "MDNS", decode_dns },
	{ 5355, "LLMNR", decode_dns },
	{ 5683, "CoAP", decode_coap },
	{ 5684, NULL, decode_dtls },
	{ 6081, "Geneve", decode_geneve },
	{ 6343, "sFlow", NULL },
	{ 6635, "MPLS", decode_mpls },
	{ 6696, "Babel", NULL },
	{ 6784, "BFD Control", decode_bfd },
	{ 7784, "BFD Control", decode_bfd },
	{ 9995, "CFLOW", decode_netflow },
	{ 9996, "CFLOW", decode_netflow },
	{ 20000, "DNP 3.0", decode_dnp3 },
	{ 44818, "ENIP", NULL },
	{ 7000, "RX", NULL },
	{ 7001, "RX", NULL },
	{ 47808, "BACnet", decode_bacnet },
};

static const struct dissector tcp_ports[] = {
	{ 20, "FTP-DATA", NULL },
	{ 21, "FTP", decode_line },
	{ 22, NULL, decode_ssh },
	{ 23, "TELNET", NULL },
	{ 25, "SMTP", decode_line },
	{ 43, "WHOIS", decode_line },
	{ 49, "TACACS+", decode_tacacs },
	{ 53, "DNS", decode_dns },
	{ 70, "Gopher", decode_line },
	{ 79, "FINGER", decode_line },
	{ 88, "KRB5", decode_kerberos },
	{ 102, NULL, decode_tpkt },
	{ 110, "POP", decode_line },
	{ 111, NULL, decode_rpc },
	{ 119, "NNTP", decode_line },
	{ 139, "NBSS", decode_smb },
	{ 143, "IMAP", decode_line },
	{ 179, "BGP", decode_bgp },
	{ 323, "RPKI-RTR", NULL },
	{ 389, "LDAP", decode_ldap },
	{ 445, "NBSS", decode_smb },
	{ 502, "Modbus/TCP", decode_modbus },
	{ 513, "Rlogin", NULL },
	{ 514, "RSH", NULL },
	{ 515, "LPD", NULL },
	{ 554, "RTSP", decode_line },
	{ 587, "SMTP", decode_line },
	{ 631, "IPP", decode_http },
	{ 646, "LDP", decode_ldp },
	{ 873, "RSYNC", NULL },
	{ 1080, "Socks", NULL },
	{ 1723, "PPTP", NULL },
	{ 1883, "MQTT", decode_mqtt },
	{ 2049, NULL, decode_rpc },
	{ 3260, "iSCSI", decode_iscsi },
	{ 3268, "LDAP", decode_ldap },
	{ 3306, "MySQL", decode_mysql },
	{ 3389, NULL, decode_tpkt },
	{ 3868, "DIAMETER", decode_diameter },
	{ 5060, NULL, decode_sip },
	{ 5222, "XMPP/XML", decode_line },
	{ 5432, "PGSQL", decode_postgres },
	{ 5672, "AMQP", NULL },
	{ 5900, "VNC", decode_vnc },
	{ 5901, "VNC", decode_vnc },
	{ 6000, "X11", NULL },
	{ 6379, "RESP", decode_redis },
	{ 6633, "OpenFlow", decode_openflow },
	{ 6653, "OpenFlow", decode_openflow },
	{ 6667, "IRC", decode_line },
	{ 9418, "Git", NULL },
	{ 11211, "MEMCACHE", decode_line },
	{ 20000, "DNP 3.0", decode_dnp3 },
	{ 27017, "MONGO", NULL },
	{ 44818, "ENIP", NULL },
};

/* By their first bytes, at any port. */
static bool (*const udp_guesses[])(struct packet *packet) = {
	decode_stun,       decode_dtls,      decode_quic,     decode_sip,
	decode_bittorrent, decode_wireguard, decode_rpc_call,
};

static bool (*const tcp_guesses[])(struct packet *packet) = {
	decode_http, decode_tls, decode_sip, decode_bittorrent, decode_dcerpc,
};

static bool guess(bool (*const decoders[])(struct packet *), size_t count, struct packet *p)
{
	const struct packet whole = *p;

	for (size_t i = 0; i < count; i++) {
		if (decoders[i](p))
			return true;
		*p = whole;
	}
	return false;
}

/* The lower port is that of the service more often. */
static bool by_ports(const struct dissector *rows, size_t count, struct packet *p)
{
	unsigned low = p->from_port < p->to_port ? p->from_port : p->to_port;
	unsigned high = p->from_port < p->to_port ? p->to_port : p->from_port;

	return dissect(rows, count, low, p) || (high != low && dissect(rows, count, high, p));
}

bool decode_udp_payload(struct packet *p)
{
	return p->captured && (by_ports(udp_ports, ARRAY_SIZE(udp_ports), p) ||
			       guess(udp_guesses, ARRAY_SIZE(udp_guesses), p));
}

bool decode_tcp_payload(struct packet *p)
{
	return by_ports(tcp_ports, ARRAY_SIZE(tcp_ports), p) ||
	       guess(tcp_guesses, ARRAY_SIZE(tcp_guesses), p);
}
