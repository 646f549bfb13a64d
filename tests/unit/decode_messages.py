"""Messages of many protocols, shaped as in their RFCs' examples, for decode_frames.py."""
import struct

hx = bytes.fromhex


def ber(tag, *parts):
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


def attributes(*rows):
    return b"".join(bytes([kind, len(value) + 2]) + value for kind, value in rows)


NAME = b"\3www\7example\3com\0"
MAC = hx("525400123456")


def dns(flags, kind=1, answers=b"", count=0):
    return struct.pack(">HHHHHH", 0x1234, flags, 1, count, 0, 0) + NAME + \
        struct.pack(">HH", kind, 1) + answers


def record(kind, data):
    return b"\xc0\x0c" + struct.pack(">HHLH", kind, 1, 60, len(data)) + data


def dhcp(op, kind):
    return struct.pack(">BBBBLHH", op, 1, 6, 0, 0x11223344, 0, 0) + b"\0" * 16 + \
        MAC.ljust(16, b"\0") + b"\0" * 192 + hx("63825363") + bytes([53, 1, kind, 255]) + b"\0" * 50


def dhcp6(kind, options=b""):
    return bytes([kind]) + hx("123456") + hx("0001000a00030001525400123456") + options


def radius(code):
    return bytes([code, 7]) + struct.pack(">H", 20 + 7) + b"\x5a" * 16 + attributes((1, b"alice"))


def snmp(pdu, version=1):
    bindings = ber(0x30, ber(0x30, ber(6, hx("2b06010201010100")), ber(5)))
    return ber(0x30, ber(2, bytes([version])), ber(4, b"public"),
               ber(pdu, ber(2, b"\1"), ber(2, b"\0"), ber(2, b"\0"), bindings))


def isakmp(version, exchange):
    return b"\1" * 8 + b"\0" * 8 + bytes([0, version, exchange, 8]) + struct.pack(">LL", 0, 28)


def kerberos(kind):
    return ber(0x60 | kind, ber(0x30, ber(0xa1, ber(2, b"\5")), ber(0xa2, ber(2, bytes([kind])))))


def ldap(kind, *parts):
    return ber(0x30, ber(2, b"\1"), ber(kind, *parts))


RESULT = (ber(10, b"\0"), ber(4), ber(4))


def bgp(kind, data=b""):
    return b"\xff" * 16 + struct.pack(">HB", 19 + len(data), kind) + data


def rpc(program, version, procedure, stream=False):
    call = struct.pack(">LLLLLLLLLL", 0x77, 0, 2, program, version, procedure, 0, 0, 0, 0)
    return (struct.pack(">L", 0x80000000 | len(call)) if stream else b"") + call


def smb2(command, answer):
    head = b"\xfeSMB" + struct.pack("<HHLHHLLQLLQ", 64, 0, 0, command, 1, answer, 0, 1, 0, 0, 0) + \
        b"\0" * 16
    body = head + struct.pack("<HH", 4, 0)
    return struct.pack(">L", len(body)) + body


def tls(kind, body, version=0x0303):
    return struct.pack(">BHH", kind, version, len(body)) + body


def hello(kind, extensions=b""):
    body = hx("0303") + b"\x11" * 32 + b"\0" + \
        (hx("00021301") + hx("0100") if kind == 1 else hx("130100")) + \
        struct.pack(">H", len(extensions)) + extensions
    return bytes([kind]) + struct.pack(">L", len(body))[1:] + body


SNI = hx("00000010000e00000b") + b"example.com"


def iscsi(op, flags=0x80):
    return (bytes([op, flags]) + b"\0" * 46)


def coap(kind, code):
    return bytes([0x40 | kind << 4, code]) + hx("1234") + b"\xb4time"


def modbus(function, data):
    return struct.pack(">HHHBB", 1, 0, 2 + len(data), 1, function) + data


def mysql(number, data):
    return struct.pack("<L", len(data))[:3] + bytes([number]) + data


def pgsql(kind, data):
    return kind + struct.pack(">L", len(data) + 4) + data


def netbios(name, kind):
    raw = name.ljust(15) + bytes([kind])
    return b"\x20" + bytes(65 + half for c in raw for half in (c >> 4, c & 15)) + b"\0"


def stun(kind):
    return struct.pack(">HHL", kind, 0, 0x2112a442) + b"i" * 12


SIP = b" SIP/2.0\r\nVia: SIP/2.0/UDP a.example.com\r\nFrom: <sip:a@example.com>;tag=1\r\n" \
      b"To: <sip:b@example.com>\r\nCall-ID: 1@a\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
HELD = b"\x0a\0\2\1"

OSPF = hx("0201002c0a000201000000000000000000000000000000 00".replace(" ", "")) + \
    hx("ffffff00000a0201000000280a0002010000000 0".replace(" ", ""))

# IP protocol, bytes, text
RAW_IP = {
    "OSPF hello": (89, OSPF, "Hello Packet, router 10.0.2.1, area 0.0.0.0"),
    "OSPF description": (89, hx("020200200a0002010000000000000000000000000000000005dc02070000000 1".replace(" ", "")),
                         "DB Description, router 10.0.2.1, area 0.0.0.0"),
    "OSPF request": (89, hx("020300240a00020100000000000000000000000000000000000000010a0002010a000201"),
                     "LS Request, router 10.0.2.1, area 0.0.0.0"),
    "OSPF update": (89, hx("0204001c0a0002010000000000000000000000000000000000000000"),
                    "LS Update, router 10.0.2.1, area 0.0.0.0"),
    "OSPF acknowledge": (89, hx("020500180a00020100000000000000000000000000000000"),
                         "LS Acknowledge, router 10.0.2.1, area 0.0.0.0"),
    "PIM hello": (103, hx("2000dfff0001000200690013000400000001"), "Hello"),
    "PIM join": (103, hx("2300dfff01000a000201000000d2"), "Join/Prune"),
    "EIGRP hello": (88, hx("0205ee6900000000000000000000000000000001") +
                    hx("0001000c010001000000000f"), "Hello"),
    "VRRP 2": (112, hx("210164010001ba52") + HELD + b"\0" * 8,
               "Announcement (v2), group 1, priority 100"),
    "VRRP 3": (112, hx("310100010064ba52") + HELD,
               "Announcement (v3), group 1, priority 0 (stops being master)"),
    "ESP": (50, hx("0000100100000007") + b"\x5a" * 40,
            "ESP (SPI=0x00001001, sequence 7), 48 bytes"),
    "RSVP": (46, hx("1001000040000008")),
    "SCTP INIT": (132, hx("80000b5900000000000000000100001400000001000100000001000100000001"),
                  "32768 > 2905 INIT"),
    "SCTP SACK": (132, hx("80000b59000000010000000003000010000000010000ffff00000000"),
                  "32768 > 2905 SACK"),
    "IPComp": (108, hx("06000002") + b"\x5a" * 20),
    "DCCP": (33, hx("138817700400000000000001000000000000000100000000")),
    "UDP-Lite": (136, hx("1388177000080000") + b"hello"),
    "L2TPv3": (115, hx("00000000c80300140000000000000000800800000000 0006".replace(" ", ""))),
    "GRE keepalive": (47, hx("00000000"), "[GRE]"),
    "unknown": (200, b"x" * 20),
}
RAW_IP = {label: row if len(row) == 3 else row + ("",) for label, row in RAW_IP.items()}

HSRP1 = hx("0000100303640100") + b"cisco\0\0\0" + HELD
HSRP2 = hx("012802000604 0001".replace(" ", "")) + MAC + hx("00000064") + hx("00000bb800002710") + \
    HELD + b"\0" * 12
RIP_ROUTE = struct.pack(">HH", 2, 0) + b"\x0a\0\0\0" + b"\xff\0\0\0" + b"\0\0\0\0" + b"\0\0\0\1"
DTLS_HELLO = hello(1)

MESSAGES_UDP = [
    ("DNS query", 50001, 53, dns(0x0100), "Standard query 0x1234 A www.example.com"),
    ("DNS answer", 53, 50001, dns(0x8180, 1, record(1, HELD), 1),
     "Standard query response 0x1234 A www.example.com A 10.0.2.1"),
    ("DNS no name", 53, 50001, dns(0x8183), "Standard query response 0x1234 No such name A www.example.com"),
    ("DNS update", 50001, 53, dns(0x2800, 6), "Dynamic update 0x1234 SOA www.example.com"),
    ("MDNS query", 5353, 5353, dns(0, 12), "Standard query 0x1234 PTR www.example.com"),
    ("MDNS answer", 5353, 5353, dns(0x8400, 12, record(12, b"\xc0\x0c"), 1), ""),
    ("LLMNR", 50001, 5355, dns(0, 28), "Standard query 0x1234 AAAA www.example.com"),
    ("NBNS query", 137, 137, hx("80010110000100000000 0000".replace(" ", "")) + netbios(b"WEB", 0x20)
     + hx("00200001"), "Name query WEB<20>"),
    ("NBNS registration", 137, 137, hx("800129100001000000000001") + netbios(b"WEB", 0) + hx("00200001")
     + hx("c00c002000010000000000060000") + HELD, "Registration WEB<00>"),
    ("NBDS", 138, 138, hx("1102800a") + HELD + hx("008a00440000") + netbios(b"WEB", 0)
     + netbios(b"GROUP", 0x1d), "Direct_group datagram WEB<00>"),
    ("NTP client", 50001, 123, hx("23000000") + b"\0" * 44, "NTP Version 4, client"),
    ("NTP server", 123, 50001, hx("240106ec") + b"\0" * 44, "NTP Version 4, server"),
    ("NTP broadcast", 123, 123, hx("1d0106ec") + b"\0" * 44, "NTP Version 3, broadcast"),
    ("NTP control", 50001, 123, hx("160100010000000000000000"), "NTP Version 2, control"),
    ("TFTP read", 50001, 69, b"\0\1pxelinux.0\0octet\0", "Read Request, File: pxelinux.0"),
    ("TFTP write", 50001, 69, b"\0\2x\0octet\0", "Write Request, File: x"),
    ("syslog", 50001, 514, b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - failed",
     "AUTH.CRIT: 1 2003-10-11T22:14:15.003Z host su - ID47 - failed"),
    ("old syslog", 514, 514, b"<165>Aug 24 05:34:00 host prog: hi",
     "LOCAL4.NOTICE: Aug 24 05:34:00 host prog: hi"),
    ("SSDP search", 50001, 1900, b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n",
     "M-SEARCH * HTTP/1.1"),
    ("SSDP answer", 1900, 50001, b"HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n", "HTTP/1.1 200 OK"),
    ("HSRP", 1985, 1985, HSRP1, "Hello (state Active), group 1, priority 100"),
    ("HSRP coup", 1985, 1985, b"\0\1\4" + HSRP1[3:], "Coup (state Speak), group 1, priority 100"),
    ("HSRPv2", 1985, 1985, HSRP2, "Hello (state Active)"),
    ("GLBP", 3222, 3222, hx("010000010000") + MAC, ""),
    ("RIPv1", 520, 520, hx("02010000") + RIP_ROUTE, "Response, 1 routes"),
    ("RIPv2", 520, 520, hx("01020000") + RIP_ROUTE, "Request, 1 routes"),
    ("RIPng", 521, 521, hx("02010000") + hx("20010db8") + b"\0" * 12 + hx("00004001"),
     "Response, 1 routes"),
    ("BFD up", 50001, 3784, hx("20c0031800000001000000020000c3500000c35000000000"),
     "State: Up, Diagnostic 0, My 0x00000001, Your 0x00000002"),
    ("BFD down", 50001, 3784, hx("2140031800000001000000000 00f4240000f424000000000".replace(" ", "")),
     "State: Down, Diagnostic 1, My 0x00000001, Your 0x00000000"),
    ("BFD multihop", 50001, 4784, hx("20c0031800000001000000020000c3500000c35000000000"), ""),
    ("LDP hello", 646, 646, hx("0001001e0a00020100000100001400000001040000040 00f0000".replace(" ", ""))
     + hx("04010004") + HELD, "Hello Message"),
    ("XDMCP", 50001, 177, hx("000100020001 00".replace(" ", "")), ""),
    ("SRVLOC", 50001, 427, hx("02010000180000000000 00010002").replace(b" ", b"") + b"en" + b"\0" * 10, ""),
    ("PTP sync", 319, 319, hx("0002002c") + b"\0" * 40, "Sync"),
    ("PTP announce", 320, 320, hx("0b020040") + b"\0" * 60, "Announce"),
    ("RMCP ASF", 50001, 623, hx("06000006000011be80000000"), "ASF"),
    ("IPMI", 50001, 623, hx("060 0ff07000000000000000000 09".replace(" ", "")) + hx("2018c88100388e04b5"), ""),
    ("VXLAN cut", 50001, 4789, b"\x08\0\0\0\0\0\x2a\0" + b"\0" * 6, ""),
    ("STUN request", 50001, 3478, stun(1), "Binding Request"),
    ("STUN answer", 3478, 50001, stun(0x101), "Binding Success Response"),
    ("STUN elsewhere", 50001, 50002, stun(1), "Binding Request"),
    ("TURN allocate", 50001, 3478, stun(3), "Allocate Request"),
    ("SIP invite", 5060, 5060, b"INVITE sip:b@example.com" + SIP, "INVITE sip:b@example.com SIP/2.0"),
    ("SIP answer", 5060, 5060, SIP[1:9].strip() + b" 200 OK\r\n" + SIP[10:], "SIP/2.0 200 OK"),
    ("SIP options", 50001, 5060, b"OPTIONS sip:b@example.com" + SIP, ""),
    ("MGCP", 50001, 2427, b"AUEP 1 aaln/1@gw.example.com MGCP 1.0\r\n", ""),
    ("IAX2", 4569, 4569, hx("8001000000000000000006 0b".replace(" ", "")), ""),
    ("RTP of no known call", 16384, 16386, hx("8000000100000000 12345678".replace(" ", "")) + b"\xd5" * 160, ""),
    ("CoAP GET", 50001, 5683, coap(0, 1), "CON, MID:4660, GET"),
    ("CoAP content", 5683, 50001, coap(2, 69), "ACK, MID:4660, 2.05 Content"),
    ("CoAP missing", 5683, 50001, coap(2, 132), "ACK, MID:4660, 4.04 Not Found"),
    ("ISAKMP main", 500, 500, isakmp(0x10, 2), "Identity Protection (Main Mode)"),
    ("IKEv2", 500, 500, isakmp(0x20, 34), "IKE_SA_INIT MID=00 Request"),
    ("IKEv2 by NAT", 4500, 4500, b"\0\0\0\0" + isakmp(0x20, 35), "IKE_AUTH MID=00 Request"),
    ("ESP by NAT", 4500, 4500, hx("0000100100000007") + b"\x5a" * 40,
     "ESP (SPI=0x00001001, sequence 7), 48 bytes"),
    ("NAT keepalive", 4500, 4500, b"\xff", "NAT-keepalive"),
    ("Kerberos AS", 50001, 88, kerberos(10), "AS-REQ"),
    ("Kerberos TGS", 50001, 88, kerberos(12), "TGS-REQ"),
    ("CLDAP", 50001, 389, ldap(0x63, ber(4), ber(10, b"\0"), ber(10, b"\0"), ber(2, b"\0"),
                               ber(2, b"\0"), ber(1, b"\0"), ber(0x87, b"objectClass"), ber(0x30)),
     "searchRequest"),
    ("portmap", 50001, 111, rpc(100000, 2, 3) + b"\0" * 16, "V2 procedure 3 Call XID 0x00000077"),
    ("mount", 50001, 50003, rpc(100005, 3, 1) + hx("0000000161000000"), ""),
    ("NFS by UDP", 900, 2049, rpc(100003, 3, 0), "V3 procedure 0 Call XID 0x00000077"),
    ("NetFlow 5", 50001, 2055, hx("00050001") + b"\0" * 20 + b"\0" * 48, ""),
    ("NetFlow 9", 50001, 2055, hx("00090000") + b"\0" * 16, ""),
    ("IPFIX", 50001, 4739, hx("000a0010") + b"\0" * 12, ""),
    ("sFlow", 50001, 6343, hx("0000000500000001") + HELD + b"\0" * 16, ""),
    ("GTP echo", 2152, 2152, hx("32010004000000000001 0000".replace(" ", "")), "Echo request"),
    ("GTPv2", 2123, 2123, hx("400100090001000003000100 09".replace(" ", "")), ""),
    ("CAPWAP", 50001, 5246, hx("0010020000000000") + hx("00000001000300 00".replace(" ", "")), ""),
    ("LISP map request", 4342, 4342, hx("10000001") + b"\0" * 28, ""),
    ("Babel", 6696, 6696, hx("2a02000a0408000000010190 0000".replace(" ", "")), ""),
    ("OLSR", 698, 698, hx("00140001c98600100a00020101000001") + hx("00000503"), ""),
    ("AODV", 654, 654, hx("0100000000000001") + HELD + b"\0" * 12, ""),
    ("BACnet", 47808, 47808, hx("810b000c0120ffff00ff1008"), ""),
    ("QUIC initial", 50001, 443, hx("c300000001088394c8f03e5157080000449e") + b"\x5a" * 1182,
     "Initial, DCID=8394c8f03e515708"),
    ("DTLS", 50001, 50004, hx("16feff0000000000000000") + struct.pack(">H", len(DTLS_HELLO) + 8) + DTLS_HELLO[:4]
     + hx("0000000000") + DTLS_HELLO[1:4] + DTLS_HELLO[4:], ""),
    ("DTLS data", 50001, 50004, hx("17fefd00010000000000010020") + b"\x5a" * 32, "Application Data"),
    ("WireGuard initiation", 50001, 51820, hx("01000000") + b"\x5a" * 144,
     "Handshake Initiation, 148 bytes"),
    ("WireGuard answer", 51820, 50001, hx("02000000") + b"\x5a" * 88, "Handshake Response, 92 bytes"),
    ("WireGuard data", 51820, 51820, hx("04000000") + b"\x5a" * 44, "Transport Data, 48 bytes"),
    ("BitTorrent DHT", 6881, 6881, b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", "Query"),
    ("ENIP", 50001, 44818, hx("6300") + b"\0" * 22, ""),
    ("L2TP control", 1701, 1701, hx("c802001400000000000000008008000000000001"), "[L2TP] SCCRQ"),
    ("nothing known", 40000, 40001, b"hello", "40000 > 40001 Len=5"),
    ("empty", 40000, 40001, b"", "40000 > 40001 Len=0"),
]
MESSAGES_UDP += [(f"DHCP {kind}", *((68, 67) if op == 1 else (67, 68)), dhcp(op, kind), "")
                 for op, kind in ((1, 1), (2, 2), (1, 3), (1, 4), (2, 5), (2, 6), (1, 7), (1, 8))]
MESSAGES_UDP += [(f"DHCPv6 {kind}", 546, 547, dhcp6(kind), f"{name} XID: 0x123456") for kind, name in (
    (1, "Solicit"), (2, "Advertise"), (3, "Request"), (5, "Renew"), (7, "Reply"), (8, "Release"),
    (11, "Information-request"))]
MESSAGES_UDP += [("DHCPv6 with an address", 547, 546, dhcp6(7, hx("000300280000000100000e10000015180005001820010db8")
                  + b"\0" * 11 + b"\x0f" + hx("00000e1000001c20")), "Reply XID: 0x123456 IAA: 2001:db8::f")]
MESSAGES_UDP += [(f"RADIUS {code}", 50001, port, radius(code), f"{name} id=7, User-Name alice")
                 for code, port, name in ((1, 1812, "Access-Request"), (2, 1812, "Access-Accept"),
                                          (3, 1812, "Access-Reject"), (4, 1813, "Accounting-Request"),
                                          (11, 1812, "Access-Challenge"), (43, 3799, "CoA-Request"),
                                          (40, 3799, "Disconnect-Request"))]
MESSAGES_UDP += [(f"SNMP {pdu:#x}", 50001, 162 if pdu == 0xa7 else 161, snmp(pdu), f"SNMPv2c community public {name}")
                 for pdu, name in ((0xa0, "get-request"), (0xa1, "get-next-request"),
                                   (0xa2, "get-response"), (0xa3, "set-request"), (0xa7, "snmpV2-trap"))]

MESSAGES_TCP = [
    ("DNS", 50001, 53, struct.pack(">H", 33) + dns(0x0100), "Standard query 0x1234 A www.example.com"),
    ("HTTP GET", 50001, 80, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x HTTP/1.1"),
    ("HTTP POST", 50001, 8080, b"POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", "POST /x HTTP/1.1"),
    ("HTTP JSON", 80, 50001, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
     b"Content-Length: 2\r\n\r\n{}", "HTTP/1.1 200 OK"),
    ("HTTP not found", 80, 50001, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 404 Not Found"),
    ("HTTP to be continued", 50001, 80, b"POST /x HTTP/1.1\r\nContent-Length: 900\r\n\r\nhi", ""),
    ("HTTP elsewhere", 50001, 9999, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /x HTTP/1.1"),
    ("HTTP/2", 50001, 80, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hx("000000040000000000"), "Magic"),
    ("TLS client hello", 50001, 443, tls(22, hello(1, SNI), 0x0301), ""),
    ("TLS server hello", 443, 50001, tls(22, hello(2)), "Server Hello"),
    ("TLS 1.3 server hello", 443, 50001, tls(22, hello(2, hx("002b00020304"))), "Server Hello"),
    ("TLS data", 443, 50001, tls(23, b"\x5a" * 40), "Application Data"),
    ("TLS alert", 443, 50001, tls(21, b"\2\x28"), "Alert"),
    ("TLS elsewhere", 50001, 9443, tls(22, hello(1, SNI), 0x0301), ""),
    ("TLS to be continued", 443, 50001, tls(23, b"\x5a" * 400)[:200], ""),
    ("SSH banner", 22, 50001, b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
    ("FTP", 21, 50001, b"220 ready\r\n", "220 ready"),
    ("FTP command", 50001, 21, b"USER anonymous\r\n", "USER anonymous"),
    ("TELNET", 50001, 23, hx("fffd18fffd20"), ""),
    ("SMTP", 25, 50001, b"220 mail.example.com ESMTP\r\n", "220 mail.example.com ESMTP"),
    ("SMTP command", 50001, 587, b"EHLO a\r\n", "EHLO a"),
    ("POP", 110, 50001, b"+OK ready\r\n", "+OK ready"),
    ("IMAP", 143, 50001, b"* OK ready\r\n", "* OK ready"),
    ("WHOIS", 50001, 43, b"example.com\r\n", ""),
    ("FINGER", 50001, 79, b"alice\r\n", ""),
    ("NNTP", 119, 50001, b"200 ready\r\n", ""),
    ("RTSP", 50001, 554, b"OPTIONS rtsp://a/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", ""),
    ("IRC", 50001, 6667, b"NICK alice\r\n", "NICK alice"),
    ("rsync", 50001, 873, b"@RSYNCD: 31.0\n", ""),
    ("LPD", 50001, 515, b"\2lp\n", ""),
    ("TACACS+", 50001, 49, hx("c0010101000000070000000 4".replace(" ", "")) + b"\x5a" * 4,
     "Authentication request, sequence 1"),
    ("Kerberos", 50001, 88, struct.pack(">L", len(kerberos(10))) + kerberos(10), "AS-REQ"),
    ("COTP", 50001, 102, hx("0300000b06e00000000100"), ""),
    ("RDP", 50001, 3389, hx("0300002c27e00000000000") + b"Cookie: mstshash=alice\r\n"[:25]
     + hx("0100080003000000"), ""),
    ("portmap", 50001, 111, rpc(100000, 2, 4, True), "V2 procedure 4 Call XID 0x00000077"),
    ("NFS", 900, 2049, rpc(100003, 4, 0, True), "V4 procedure 0 Call XID 0x00000077"),
    ("NBSS request", 50001, 139, hx("81000044") + netbios(b"SRV", 0x20) + netbios(b"WEB", 0),
     "Session request"),
    ("NBSS keepalive", 50001, 445, hx("85000000"), "Session keep-alive"),
    ("LDAP unbind", 50001, 389, ber(0x30, ber(2, b"\3"), b"\x42\0"), "unbindRequest"),
    ("LDAP bind", 50001, 389, ldap(0x60, ber(2, b"\3"), ber(4), ber(0x80)), "bindRequest"),
    ("LDAP bound", 389, 50001, ldap(0x61, *RESULT), "bindResponse"),
    ("LDAP done", 389, 50001, ldap(0x65, *RESULT), "searchResDone"),
    ("BGP open", 50001, 179, bgp(1, hx("04fde800b4") + HELD + b"\0"), "OPEN Message"),
    ("BGP update", 50001, 179, bgp(2, hx("00000000")), "UPDATE Message"),
    ("BGP notification", 50001, 179, bgp(3, hx("0602")), "NOTIFICATION Message"),
    ("BGP keepalives", 50001, 179, bgp(4) + bgp(4), "KEEPALIVE Message, KEEPALIVE Message"),
    ("BGP refresh", 50001, 179, bgp(5, hx("00010001")), "ROUTE-REFRESH Message"),
    ("LDP init", 50001, 646, hx("000100200a000201000002000016000000010500000e0001001e00001000") + HELD
     + hx("0000"), "Initialization Message"),
    ("MQTT connect", 50001, 1883, hx("100d00044d5154540402003c0001") + b"a", "Connect Command"),
    ("MQTT ack", 1883, 50001, hx("20020000"), "Connect Ack"),
    ("MQTT publish", 50001, 1883, b"\x30\x07\0\3t/xhi", "Publish Message [t/x]"),
    ("MQTT ping", 50001, 1883, hx("c000"), "Ping Request"),
    ("Modbus read", 50001, 502, modbus(3, hx("00000002")),
     "Query: Trans: 1; Unit: 1, Func: Read Holding Registers"),
    ("Modbus answer", 502, 50001, modbus(3, hx("0400010002")),
     "Response: Trans: 1; Unit: 1, Func: Read Holding Registers"),
    ("Modbus exception", 502, 50001, modbus(0x83, hx("02")), ""),
    ("DNP3", 50001, 20000, hx("056405c901000000de8e"), "from 0 to 1"),
    ("iSCSI login", 50001, 3260, iscsi(0x43, 0x87), "Login Command"),
    ("iSCSI command", 50001, 3260, iscsi(0x01), "SCSI Command"),
    ("iSCSI answer", 3260, 50001, iscsi(0x21), "SCSI Response"),
    ("MySQL greeting", 3306, 50001, mysql(0, b"\x0a" + b"8.0.36\0" + b"\1\0\0\0" + b"s" * 8 + b"\0" +
                                          hx("fff7ff0200ffdf15") + b"\0" * 10 + b"t" * 12 + b"\0"),
     "Server Greeting 8.0.36"),
    ("MySQL query", 50001, 3306, mysql(0, b"\3select 1"), ""),
    ("PostgreSQL SSL", 50001, 5432, hx("0000000804d2162f"), "SSL request"),
    ("PostgreSQL start", 50001, 5432, struct.pack(">LL", 8 + 12, 0x30000) + b"user\0alice\0\0"[:12], ""),
    ("PostgreSQL query", 50001, 5432, pgsql(b"Q", b"select 1\0"), "Simple query select 1."),
    ("PostgreSQL ready", 5432, 50001, pgsql(b"Z", b"I"), "Ready for query"),
    ("Redis", 50001, 6379, b"*1\r\n$4\r\nPING\r\n", "*1"),
    ("memcached", 50001, 11211, b"get x\r\n", ""),
    ("VNC", 5900, 50001, b"RFB 003.008\n", "RFB 003.008"),
    ("X11", 50001, 6000, hx("6c000b000000000000000000"), ""),
    ("PPTP", 50001, 1723, struct.pack(">HHLHH", 156, 1, 0x1a2b3c4d, 1, 0) + b"\0" * 144, ""),
    ("Diameter", 50001, 3868, hx("010000148000011800000000000000010000000 1".replace(" ", "")),
     "Device-Watchdog Request"),
    ("BitTorrent", 50001, 6881, b"\x13BitTorrent protocol" + b"\0" * 8 + b"h" * 20 + b"p" * 20,
     "Handshake"),
    ("OpenFlow hello", 50001, 6653, hx("0400000800000001"), ""),
    ("AMQP", 50001, 5672, b"AMQP\0\0\x09\1", ""),
    ("XMPP", 50001, 5222, b"<?xml version='1.0'?><stream:stream to='a' xmlns='jabber:client' "
     b"xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>", ""),
    ("Git", 50001, 9418, b"0030git-upload-pack /x.git\0host=example.com\0", ""),
    ("RPKI", 50001, 323, hx("0102000000000008"), ""),
    ("Socks", 50001, 1080, hx("050100"), ""),
    ("MongoDB", 50001, 27017, struct.pack("<LLLLLBL", 26, 1, 0, 2013, 0, 0, 5) + b"\0", ""),
    ("DCE RPC bind", 50001, 49152, hx("05000b0310000000480000000100000010161016000000000100000000000100")
     + b"\x11" * 20 + hx("045d888aeb1cc9119fe808002b10486002000000"), "Bind"),
    ("nothing known", 40000, 40001, b"hello", ""),
]
# Where the address is a part of the protocol; these are not sent by IPv6.
TARGETS = {"HSRP": hx("e0000002"), "HSRP coup": hx("e0000002"), "HSRPv2": hx("e0000066")}

MESSAGES_TCP += [(f"SMB2 {command} {answer}", *((445, 50001) if answer else (50001, 445)),
                  smb2(command, answer), f"{name} {'Response' if answer else 'Request'}")
                 for command, name in ((0, "Negotiate Protocol"), (1, "Session Setup"), (3, "Tree Connect"),
                                       (5, "Create"), (6, "Close"), (8, "Read"), (14, "Find"))
                 for answer in (0, 1)]
