#!/usr/bin/env python3
"""decode_frames.py CAPTURE LINES: frames of many protocols for the tests of the decoder.

The shapes are those of the RFCs' examples. CAPTURE is a pcap file; LINES has a line for each
of its frames: a label and, behind a tab, what the decoder must say of it, if that is stated here.
"""
import struct
import sys

from decode_messages import MESSAGES_TCP, MESSAGES_UDP, RAW_IP, TARGETS

FRAMES = []
A, B = bytes.fromhex("525400123456"), bytes.fromhex("52550a000202")


def add(label, data, text=""):
    FRAMES.append((label, data.ljust(60, b"\0"), text))


def total(data):
    data += b"\0" * (len(data) % 2)
    sum_ = sum(struct.unpack(f">{len(data) // 2}H", data))
    while sum_ >> 16:
        sum_ = (sum_ & 0xffff) + (sum_ >> 16)
    return ~sum_ & 0xffff


# Each frame has hosts of its own, so that none is taken for a part of another's conversation.
NUMBER = 0


def hosts(wide):
    global NUMBER
    NUMBER += 1
    ends = (NUMBER & 0x3fff) << 2 | 1
    low = struct.pack(">H", ends), struct.pack(">H", ends + 1)
    return [(bytes.fromhex("20010db8") + b"\0" * 10 if wide else b"\x0a\x01") + x for x in low]


def eth(kind, data, to=B):
    return to + A + struct.pack(">H", kind) + data


def llc(data, to=B):
    return to + A + struct.pack(">H", len(data)) + data


def checked(protocol, data, pseudo):
    """The checksum of what has one over the addresses."""
    place = {17: 6, 6: 16, 58: 2}.get(protocol)
    if place is None:
        return data
    data = data[:place] + b"\0\0" + data[place + 2:]
    return data[:place] + struct.pack(">H", total(pseudo + data)) + data[place + 2:]


def ip4(protocol, data, ttl=64, fragment=0, to=None):
    source, target = hosts(False)
    target = to or target
    data = checked(protocol, data, source + target + struct.pack(">HH", protocol, len(data)))
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 1, fragment, ttl, protocol, 0,
                       source, target)
    return head[:10] + struct.pack(">H", total(head)) + head[12:] + data


def ip6(protocol, data, hops=64, before=b""):
    """before: an extension header's bytes; its kind is said by protocol as (kind, protocol)."""
    source, target = hosts(True)
    first, last = protocol if isinstance(protocol, tuple) else (protocol, protocol)
    data = before + checked(last, data, source + target + struct.pack(">LL", len(data), last))
    return struct.pack(">LHBB16s16s", 6 << 28, len(data), first, hops, source, target) + data


def udp(source, target, data):
    return struct.pack(">HHHH", source, target, 8 + len(data), 0) + data


def tcp(source, target, data, flags=0x18, options=b""):
    return struct.pack(">HHLLBBHHH", source, target, 1000, 2000 if flags & 16 else 0,
                       (20 + len(options)) << 2, flags, 64240, 0, 0) + options + data


def icmp(kind, code, data):
    raw = struct.pack(">BBH", kind, code, 0) + data
    return raw[:2] + struct.pack(">H", total(raw)) + raw[4:]


PING = bytes.fromhex("00010007") + b"abcdefghijklmnop"


def arp(op=1):
    return bytes.fromhex("0001080006040001") [:6] + struct.pack(">H", op) + A + \
        b"\x0a\0\2\x0f" + b"\0" * 6 + b"\x0a\0\2\2"


def inner():
    """What travels in tunnels, made anew for each: label, Ethernet type, bytes, text."""
    dns = bytes.fromhex("123401000001000000000000") + b"\3www\7example\3com\0\0\1\0\1"
    yield "ping", 0x0800, ip4(1, icmp(8, 0, PING)), \
        "Echo (ping) request id=0x0001, seq=7, ttl=64"
    yield "UDP", 0x0800, ip4(17, udp(40000, 40001, b"hello")), "40000 > 40001 Len=5"
    yield "DNS", 0x0800, ip4(17, udp(40002, 53, dns)), \
        "Standard query 0x1234 A www.example.com"
    yield "SYN", 0x0800, ip4(6, tcp(40003, 80, b"", 2)), \
        "40003 > 80 [SYN] Seq=1000 Win=64240 Len=0"
    yield "HTTP", 0x0800, ip4(6, tcp(40004, 80, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")), \
        "GET / HTTP/1.1"
    yield "ping in IPv6", 0x86dd, ip6(58, icmp(128, 0, PING)), \
        "Echo (ping) request id=0x0001, seq=7, ttl=64"
    yield "DNS in IPv6", 0x86dd, ip6(17, udp(40005, 53, dns)), \
        "Standard query 0x1234 A www.example.com"
    yield "OSPF", 0x0800, ip4(89, RAW_IP["OSPF hello"][1]), \
        "Hello Packet, router 10.0.2.1, area 0.0.0.0"


def ip(kind, data):
    """By 4 or 41 into an IPv4 packet."""
    return eth(0x0800, ip4(4 if kind == 0x0800 else 41, data))


def gre(flags, middle):
    return lambda k, d: eth(0x0800, ip4(47, struct.pack(">HH", flags, k) + middle + d))


def in_udp(port, head, frame=False):
    return lambda k, d: eth(0x0800, ip4(17, udp(50000, port, head(k) +
                                                (eth(k, d) if frame else d))))


PPP = {0x0800: b"\0\x21", 0x86dd: b"\0\x57"}
TUNNELS = {
    "VLAN": (lambda k, d: eth(0x8100, struct.pack(">HH", 5, k) + d), "[VLAN 5] "),
    "QinQ": (lambda k, d: eth(0x88a8, struct.pack(">HHHH", 7, 0x8100, 5, k) + d),
             "[VLAN 7] [VLAN 5] "),
    "IP in IPv4": (ip, ""),
    "IP in IPv6": (lambda k, d: eth(0x86dd, ip6(4 if k == 0x0800 else 41, d)), ""),
    "GRE": (gre(0, b""), "[GRE] "),
    "GRE with key": (gre(0x2000, b"\0\0\0\x2a"), "[GRE 42] "),
    "GRE with all": (gre(0xb000, b"\0\0\0\0\0\0\0\x2a\0\0\0\1"), "[GRE 42] "),
    "NVGRE": (lambda k, d: eth(0x0800, ip4(47, bytes.fromhex("2000655800002a00") + eth(k, d))),
              "[GRE 10752] "),
    "ERSPAN II": (lambda k, d: eth(0x0800, ip4(
        47, bytes.fromhex("100088be00000001") + bytes.fromhex("1005006400000000") + eth(k, d))),
        "[GRE] [ERSPAN 100] "),
    "MPLS": (lambda k, d: eth(0x8847, struct.pack(">L", 100 << 12 | 0x140) + d), "[MPLS 100] "),
    "MPLS of two": (lambda k, d: eth(0x8847, struct.pack(">LL", 100 << 12 | 0x40,
                                                         200 << 12 | 0x140) + d),
                    "[MPLS 100/200] "),
    "PPPoE": (lambda k, d: eth(0x8864, struct.pack(">BBHH", 0x11, 0, 9, len(d) + 2) + PPP[k] + d),
              "[PPPoE 9] "),
    "L2TP": (in_udp(1701, lambda k: bytes.fromhex("000200010001ff03") + PPP[k]), "[L2TP] "),
    "VXLAN": (in_udp(4789, lambda k: b"\x08\0\0\0\0\0\x2a\0", True), "[VXLAN 42] "),
    "Geneve": (in_udp(6081, lambda k: b"\0\0\x65\x58\0\0\x2a\0", True), "[Geneve 42] "),
    "Geneve with options": (in_udp(6081, lambda k: bytes.fromhex("0200655800002a00010880010000000c"),
                                   True), "[Geneve 42] "),
    "MPLS in UDP": (in_udp(6635, lambda k: struct.pack(">L", 100 << 12 | 0x140)), "[MPLS 100] "),
    "AH": (lambda k, d: eth(0x0800, ip4(51, struct.pack(
        ">BBHLL", 4 if k == 0x0800 else 41, 4, 0, 0x100, 1) + b"\0" * 12 + d)),
        "[AH 0x00000100] "),
    "EtherIP": (lambda k, d: eth(0x0800, ip4(97, b"\x30\0" + eth(k, d))), "[EtherIP] "),
    "VXLAN in VLAN": (lambda k, d: eth(0x8100, struct.pack(">HH", 5, 0x0800) + ip4(
        17, udp(50000, 4789, b"\x08\0\0\0\0\0\x2a\0" + eth(k, d)))), "[VLAN 5] [VXLAN 42] "),
}


def add_tunnels():
    for name, (wrap, text) in TUNNELS.items():
        for label, kind, data, said in inner():
            add(f"{label} in {name}", wrap(kind, data), text + said)


LLC_STP = bytes.fromhex("424203")
BRIDGE = bytes.fromhex("8000525400123456000000048000525500000202800100001400020 00f00".replace(" ", ""))


def snap(oui, kind, data):
    return llc(bytes.fromhex("aaaa03" + oui) + struct.pack(">H", kind) + data)


def add_link():
    for op in (1, 2):
        add(f"ARP {op}", eth(0x0806, arp(op)))
    add("RARP", eth(0x8035, arp(3)))
    add("ARP by SNAP", snap("000000", 0x0806, arp()))
    group = bytes.fromhex("0180c2000000")
    add("STP", llc(LLC_STP + b"\0\0\0\0\0" + BRIDGE, group),
        "Conf. Root = 32768/0/52:54:00:12:34:56  Cost = 4  Port = 0x8001")
    add("RSTP", llc(LLC_STP + b"\0\0\2\2\x3c" + BRIDGE + b"\0", group),
        "RST. Root = 32768/0/52:54:00:12:34:56  Cost = 4  Port = 0x8001")
    mst = b"\0\x40" + b"\0" + b"region".ljust(32, b"\0") + b"\0" * 18 + b"\0" * 13
    add("MSTP", llc(LLC_STP + b"\0\0\3\2\x3c" + BRIDGE + b"\0" + mst, group),
        "MST. Root = 32768/0/52:54:00:12:34:56  Cost = 4  Port = 0x8001")
    add("TCN", llc(LLC_STP + b"\0\0\0\x80", group), "Topology Change Notification")
    add("PVST+", snap("00000c", 0x010b, b"\0\0\0\0\0" + BRIDGE))
    add("CDP", snap("00000c", 0x2000, bytes.fromhex("02b40000") + b"\0\1\0\7r1x\0\3\0\x08eth0"),
        "CDP version 2 Device r1x Port eth0")
    add("VTP", snap("00000c", 0x2003, bytes.fromhex("0101000464656d6f") + b"\0" * 64))
    add("DTP", snap("00000c", 0x2004, bytes.fromhex("0100010008") + b"demo" + b"\0\2\0\5\3"))
    add("UDLD", snap("00000c", 0x0111, bytes.fromhex("2101000000010008") + b"r1xx"))
    add("LLDP", eth(0x88cc, bytes.fromhex("02070452540012345604050565746830060200780a037765620000"),
                    bytes.fromhex("0180c200000e")),
        "Chassis 52:54:00:12:34:56 Port eth0 Name web")
    lacp = b"\1\1\1\x14\x80\0" + A + bytes.fromhex("000d800000013d000000") + b"\2\x14" + \
        b"\0" * 18 + b"\3\x10" + b"\0" * 14
    add("LACP", eth(0x8809, lacp.ljust(110, b"\0"), bytes.fromhex("0180c2000002")),
        "v1 ACTOR 52:54:00:12:34:56 P: 1 K: 13")
    add("OAM", eth(0x8809, bytes.fromhex("03005000") + b"\1\x10" + b"\0" * 40,
                   bytes.fromhex("0180c2000002")))
    for code, name in ((9, "Initiation (PADI)"), (7, "Offer (PADO)"), (0x19, "Request (PADR)"),
                       (0x65, "Session-confirmation (PADS)"), (0xa7, "Terminate (PADT)")):
        add(f"PPPoED {code}", eth(0x8863, struct.pack(">BBHH", 0x11, code, 0, 4) + b"\1\1\0\0"),
            "Active Discovery " + name)
    for protocol, name in ((0xc021, "LCP"), (0x8021, "IPCP"), (0x8057, "IPV6CP"), (0xc023, "PAP"),
                           (0xc223, "CHAP"), (0x80fd, "CCP")):
        for code in (1, 2):
            add(f"{name} {code}", eth(0x8864, struct.pack(">BBHHHBBH", 0x11, 0, 9, 6, protocol,
                                                          code, 1, 4)))
    for kind in (0, 1, 2, 3):
        body = b"\1\1\0\5\1" if kind == 0 else b""
        add(f"EAPOL {kind}", eth(0x888e, struct.pack(">BBH", 1, kind, len(body)) + body))
    add("EAP success", eth(0x888e, bytes.fromhex("0100000403010004")), "Success")
    add("MACsec", eth(0x88e5, bytes.fromhex("2c000000000152540012345600 01".replace(" ", "")) +
                      b"\x5a" * 48), "MACsec frame, packet number 1")
    add("PTP", eth(0x88f7, bytes.fromhex("0002002c") + b"\0" * 40), "Sync")
    add("loopback", eth(0x9000, b"\0\0\1\0" + b"\0" * 42))
    add("MAC control", eth(0x8808, bytes.fromhex("0001ffff"), bytes.fromhex("0180c2000001")))
    add("AoE", eth(0x88a2, bytes.fromhex("1000000100000000000100") + b"\0" * 20))
    add("WoL", eth(0x0842, b"\xff" * 6 + A * 16))
    add("no type of ours", eth(0x88b5, b"x" * 46))
    add("IS-IS", llc(bytes.fromhex("fefe03831b0100110100000000525400123456001e05d900400101") +
                     b"\0" * 30), "P2P HELLO")
    for kind, name in ((15, "HELLO"), (18, "LSP"), (20, "LSP"), (24, "CSNP"), (26, "PSNP")):
        add(f"IS-IS {kind}", llc(bytes.fromhex("fefe03831b0100") + bytes([kind]) +
                                 bytes.fromhex("01000002") + b"\0" * 40))


def add_network():
    for kind, code in ((0, 0), (3, 0), (3, 1), (3, 3), (3, 4), (5, 1), (8, 0), (11, 0), (12, 0),
                       (13, 0), (14, 0), (9, 0), (10, 0)):
        rest = b"\0\0\0\0" + ip4(17, udp(5000, 6000, b"hello")) if kind in (3, 5, 11, 12) else PING
        add(f"ICMP {kind}/{code}", eth(0x0800, ip4(1, icmp(kind, code, rest))))
    for kind in (1, 2, 3, 4, 128, 129):
        rest = b"\0\0\5\xdc" + ip6(17, udp(5000, 6000, b"hello")) if kind < 100 else PING
        add(f"ICMPv6 {kind}", eth(0x86dd, ip6(58, icmp(kind, 0, rest))))
    router = bytes.fromhex("fe80000000000000505400fffe123456")
    add("RS", eth(0x86dd, ip6(58, icmp(133, 0, b"\0" * 4 + b"\1\1" + A), 255)),
        "Router Solicitation from 52:54:00:12:34:56")
    prefix = bytes.fromhex("030440c0000151800000384000000000") + bytes.fromhex("20010db8") + b"\0" * 12
    add("RA", eth(0x86dd, ip6(58, icmp(134, 0, bytes.fromhex("40c0070800000000000000 00".replace(" ", ""))
                                       + b"\1\1" + A + prefix), 255)),
        "Router Advertisement from 52:54:00:12:34:56, lifetime 1800 s, managed, other, "
        "prefix 2001:db8::/64")
    for kind in (135, 136):
        add(f"ND {kind}", eth(0x86dd, ip6(58, icmp(kind, 0, b"\0" * 4 + router + bytes(
            [kind - 134, 1]) + A), 255)))
    add("ND redirect", eth(0x86dd, ip6(58, icmp(137, 0, b"\0" * 4 + router + router), 255)))
    hop = bytes.fromhex("3a00050200000100")
    add("MLDv2", eth(0x86dd, ip6((0, 58), icmp(143, 0, bytes.fromhex("00000001 04000000".replace(
        " ", "")) + bytes.fromhex("ff0200000000000000000000000000fb")), 1, hop)),
        "Multicast Listener Report Message v2 to exclude ff02::fb")
    for kind in (130, 131, 132):
        add(f"MLD {kind}", eth(0x86dd, ip6((0, 58), icmp(kind, 0, b"\0" * 4 + bytes.fromhex(
            "ff0200000000000000000000000000fb")), 1, hop)))
    group = b"\xe0\0\0\xfb"
    for label, kind, code, rest, text in (
            ("v1 query", 0x11, 0, b"\0" * 4, ""), ("v2 query", 0x11, 100, group, ""),
            ("v3 query", 0x11, 100, group + b"\2\x7d\0\0", ""),
            ("v1 report", 0x12, 0, group, ""), ("leave", 0x17, 0, group, ""),
            ("v2 report", 0x16, 0, group, "Membership Report group 224.0.0.251"),
            ("v3 report", 0x22, 0, b"\0\0\0\1\1\0\0\1" + group + b"\x0a\0\2\1",
             "Membership Report include 224.0.0.251 of 1 sources")):
        add(f"IGMP {label}", eth(0x0800, ip4(2, icmp(kind, code, rest), 1)), text)
    for label, (protocol, data, text) in RAW_IP.items():
        add(label, eth(0x0800, ip4(protocol, data)), text)
        if protocol not in (2, 88, 112, 54):
            add(f"{label} in IPv6", eth(0x86dd, ip6(protocol, data)),
                text if protocol != 89 else "")
    add("first fragment", eth(0x0800, ip4(17, udp(1, 2, b"x" * 24), 64, 0x2000)))
    add("later fragment", eth(0x0800, ip4(17, b"x" * 32, 64, 185)))
    add("IPv6 fragment", eth(0x86dd, ip6(44, bytes.fromhex("1100000100000063") + b"x" * 32)))
    add("no next header", eth(0x86dd, ip6(59, b"")), "IPv6 no next header")
    for options in (b"", b"\2\4\5\xb4", b"\1\1\x08\x0a" + b"\0" * 8):
        for flags in (2, 0x12, 0x10, 0x11, 4, 0x14):
            add(f"TCP {flags:#x}", eth(0x0800, ip4(6, tcp(40000, 9999, b"", flags, options))))
    add("MPTCP", eth(0x0800, ip4(6, tcp(40000, 9999, b"", 2, bytes.fromhex("1e0c0081") + b"k" * 8))))
    for wide in (False, True):
        for table, protocol, make in ((MESSAGES_UDP, 17, udp), (MESSAGES_TCP, 6, tcp)):
            for label, source, target, data, text in table:
                if wide and label in TARGETS:
                    continue
                segment = make(source, target, data)
                packet = ip6(protocol, segment, 255) if wide else \
                    ip4(protocol, segment, 255, to=TARGETS.get(label))
                add(label + (" in IPv6" if wide else ""), eth(0x86dd if wide else 0x0800, packet),
                    text)


def main():
    add_link()
    add_network()
    add_tunnels()
    with open(sys.argv[1], "wb") as out:
        out.write(struct.pack("<LHHLLLL", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number, (_, data, _) in enumerate(FRAMES):
            out.write(struct.pack("<LLLL", number, 0, len(data), len(data)) + data)
    with open(sys.argv[2], "w", encoding="ascii") as out:
        for label, _, text in FRAMES:
            out.write(f"{label}\t{text}\n")


main()
