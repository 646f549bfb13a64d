#!/usr/bin/python3
"""Ports that lead out of the deck: what joins by them, and what comes of bad peers."""
import os
import select
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/e2e"))
import deck as d

LAN = "[switch]\naddress = 10.0.2.2/24\n"
GUEST = "[guest]\nmemory = 16M\n[net0]\nswitch = lan\n"


def lan(text):
    """What prepares a deck with a switch and a guest on it."""
    def prepare(folder):
        folder.write("config/vmdeck/switches/lan.ini", LAN + text.replace("@", folder.path))
        folder.guest("a", GUEST)
    return prepare


def switch(deck):
    return next(row for row in deck.call("switch.list")["switches"] if row["name"] == "lan")


def port(deck, name):
    return next((row for row in switch(deck)["ports"] if row["name"] == name), {})


def wait_state(deck, name, text):
    d.wait_for(lambda: text in port(deck, name).get("state", ""), f"{name} to be {text!r}")


def said(deck, text):
    return text in open(deck.errors).read()


def wait_said(deck, text):
    d.wait_for(lambda: said(deck, text), f"{text!r} in {open(deck.errors).read()!r}")


def arp(mac, address):
    """A request for 10.0.2.2 from there."""
    return (b"\xff" * 6 + mac + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01" + mac +
            socket.inet_aton(address) + bytes(6) + socket.inet_aton("10.0.2.2")).ljust(60, b"\0")


def framed(frame):
    return struct.pack(">I", len(frame)) + frame


def read_frame(connection):
    def read(size):
        data = b""
        while len(data) < size:
            part = connection.recv(size - len(data))
            assert part, "the connection was closed"
            data += part
        return data
    return read(struct.unpack(">I", read(4))[0])


def answered(connection, mac, address):
    """Whether the switch answers ARP over a stream; a flood before that may cost some requests."""
    end = time.monotonic() + d.PATIENCE
    while time.monotonic() < end:
        connection.sendall(framed(arp(mac, address)))
        while select.select([connection], [], [], 1)[0]:
            frame = read_frame(connection)
            if frame[:6] == mac and frame[12:14] == b"\x08\x06":
                return frame[28:32] == socket.inet_aton("10.0.2.2")
    return False


def joined(path):
    def connect():
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(d.PATIENCE)
        try:
            connection.connect(path)
        except OSError:
            connection.close()
            return None
        return connection
    return d.wait_for(connect, f"somebody to listen at {path}")


def test_qemu_joins_by_stream_and_gets_an_address():
    d.need("qemu-system-x86_64")
    if not os.path.exists("/usr/lib/ipxe/qemu/pxe-e1000.rom"):
        d.skip("the package ipxe-qemu is not installed")
    with d.Deck(prepare=lan("[stream0]\nlisten = @/a.sock\n")) as deck:
        wait_state(deck, "lan/stream0", "waits for somebody to connect to")
        qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-m", "64", "-display", "none", "-nodefaults",
             "-vga", "std", "-boot", "n",
             "-netdev", f"stream,id=n,server=off,addr.type=unix,addr.path={deck.path}/a.sock",
             "-device", "e1000,netdev=n,mac=52:54:00:aa:bb:cc"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            wait_state(deck, "lan/stream0", "somebody is connected")
            lease = d.wait_for(lambda: next(iter(switch(deck)["leases"]), None), "a lease")
            assert lease["mac"] == "52:54:00:aa:bb:cc" and lease["port"] == "lan/stream0", lease
        finally:
            qemu.kill()
            qemu.wait()
        wait_state(deck, "lan/stream0", "waits for somebody to connect to")


def test_decks_join_by_streams_and_find_each_other_again():
    d.need_kvm()
    with d.Deck(prepare=lan("[stream0]\nlisten = @/a.sock\n")) as one:
        far = (f"[stream0]\nconnect = {one.path}/a.sock\n[stream1]\n"
               "connect = tcp://127.0.0.1:9\n")
        with d.Deck(prepare=lambda folder: (folder.guest("a", GUEST), folder.write(
                "config/vmdeck/switches/lan.ini", "[switch]\n" + far))) as other:
            wait_state(other, "lan/stream0", "connected to")
            # What cannot be reached takes nothing with it, and is said once.
            wait_said(other, "switch lan: stream1: tcp://127.0.0.1:9: Connection refused; it is "
                             "tried again every second")
            # The guest of one has its address from the switch of the other.
            assert other.run("start", "a").returncode == 0
            lease = d.wait_for(lambda: next(iter(switch(one)["leases"]), None), "a lease")
            assert lease["port"] == "lan/stream0", lease
            assert other.run("stop", "--force", "a").returncode in (0, 2)
            other.wait_state("a", "stopped", "off", "exited")
            # The profile of a switch is compared with all that is in it.
            one.write("config/vmdeck/switches/lan.ini", LAN + f"[stream0]\nlisten = {one.path}/b\n")
            wait_said(one, "switch lan: as its profile says now")
            wait_said(other, "switch lan: stream0: ")
            wait_state(other, "lan/stream0", f"{one.path}/a.sock: ")
            one.write("config/vmdeck/switches/lan.ini",
                      LAN + f"[stream0]\nlisten = {one.path}/a.sock\n")
            wait_state(other, "lan/stream0", "connected to")
            wait_said(other, "switch lan: stream0 works again: connected to")
            assert open(other.errors).read().count("stream1") == 1
            assert "connected to" in other.run("switches").stdout


def test_a_bad_peer_of_a_stream_is_sent_away():
    with d.Deck(prepare=lan("[stream0]\nlisten = @/a.sock\n")) as deck:
        path = f"{deck.path}/a.sock"
        for length in 0, 65551, 0xffffffff:
            with joined(path) as peer:
                peer.sendall(struct.pack(">I", length) + bytes(100))
                d.wait_for(lambda: not peer.recv(65536), "the connection's end")
        wait_said(deck, "switch lan: stream0: a peer was sent away: it was to have a frame of 0 bytes")
        with joined(path) as peer:  # byte by byte, and one that ends in the middle
            for byte in framed(arp(b"\x02\0\0\0\0\x09", "10.0.2.90")):
                peer.sendall(bytes([byte]))
            frame = read_frame(peer)
            assert frame[:6] == b"\x02\0\0\0\0\x09", frame
            peer.sendall(framed(bytes(1000))[:500])
        with joined(path) as peer:
            assert answered(peer, b"\x02\0\0\0\0\x09", "10.0.2.90")
            # One that reads nothing holds up nobody.
            flood = framed(arp(b"\x02\0\0\0\0\x09", "10.0.2.90")) * 1000
            peer.settimeout(1)
            try:
                for _ in range(200):
                    peer.sendall(flood)
            except socket.timeout:
                pass
            assert switch(deck)["ports"]
        with joined(path) as peer:
            assert answered(peer, b"\x02\0\0\0\0\x0a", "10.0.2.91")
            assert open(deck.errors).read().count("was sent away") == 1


def test_frames_come_by_datagrams():
    with d.Deck(prepare=lan("[stream0]\ntype = dgram\nlisten = @/a\nconnect = @/b\n"
                            "[stream1]\ntype = dgram\nlisten = udp://127.0.0.1:0\n"
                            "connect = udp://127.0.0.1:9\n")) as deck:
        # There is no port 0; the profile says so, and the switch is made once that is mended.
        wait_said(deck, "lan.ini:7: [stream1]: ")
        deck.write("config/vmdeck/switches/lan.ini",
                   LAN + f"[stream0]\ntype = dgram\nlisten = {deck.path}/a\n"
                   f"connect = {deck.path}/b\n")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            peer.settimeout(d.PATIENCE)
            peer.bind(f"{deck.path}/b")
            wait_state(deck, "lan/stream0", "open at")
            mac = b"\x02\0\0\0\0\x0b"
            peer.sendto(bytes(5), f"{deck.path}/a")
            peer.sendto(arp(mac, "10.0.2.92"), f"{deck.path}/a")
            frame = peer.recv(70000)
            assert frame[:6] == mac and frame[28:32] == socket.inet_aton("10.0.2.2"), frame
            d.wait_for(lambda: port(deck, "lan/stream0")["drops"].get("too short") == 1,
                       "the short one to be counted")
            # Nobody else is heard, and who comes back is.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
                before = port(deck, "lan/stream0")["out_frames"]
                for _ in range(10):
                    stranger.sendto(arp(mac, "10.0.2.92"), f"{deck.path}/a")
        os.unlink(f"{deck.path}/b")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            peer.settimeout(d.PATIENCE)
            peer.bind(f"{deck.path}/b")
            peer.sendto(arp(mac, "10.0.2.92"), f"{deck.path}/a")
            assert peer.recv(70000)[:6] == mac
            assert port(deck, "lan/stream0")["out_frames"] == before + 1
        # Two of its kind find each other, whichever comes first.
        deck.write("config/vmdeck/switches/lan.ini",
                   LAN + f"[stream0]\ntype = dgram\nlisten = {deck.path}/c\n"
                   f"connect = {deck.path}/d\n")
        deck.write("config/vmdeck/switches/wan.ini",
                   f"[switch]\n[stream0]\ntype = dgram\nlisten = {deck.path}/d\n"
                   f"connect = {deck.path}/c\n[stream1]\nlisten = {deck.path}/e\n")
        with joined(f"{deck.path}/e") as peer:
            assert answered(peer, mac, "10.0.2.92")


def capture(stamps, frame, kind=1, cut=()):
    """A pcap file of a frame at those seconds; some of them are captured in part."""
    parts = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, kind)]
    for i, stamp in enumerate(stamps):
        kept = len(frame) - (1 if i in cut else 0)
        parts += [struct.pack("<IIII", int(stamp), round(stamp % 1 * 1e6), kept, len(frame)),
                  frame[:kept]]
    return b"".join(parts)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def arrivals(path, count):
    """When frames come to one who joins by stream0."""
    times = []
    with joined(path) as peer:
        for _ in range(count):
            read_frame(peer)
            times.append(time.monotonic())
    return times


def test_a_capture_is_played_at_a_pace():
    frame = arp(b"\x02\0\0\0\0\x0d", "10.0.2.94")

    def prepare(folder):
        write(f"{folder.path}/slow", capture([5.25, 5.75, 6.25, 6.5], frame, cut=(3,)))
        lan("[stream0]\nlisten = @/a.sock\n[replay0]\npath = @/slow\n"
            "[replay1]\npath = @/none\nbegin = now\n")(folder)

    with d.Deck(prepare=prepare) as deck:
        # It waits for somebody to hear it, has its pace, and leaves out what is not whole.
        wait_state(deck, "lan/replay0", "waits for somebody on the switch")
        times = arrivals(f"{deck.path}/a.sock", 3)
        assert 0.5 < times[2] - times[0] < 10, times
        wait_state(deck, "lan/replay0", "slow, 3 packets")
        assert "has played" in port(deck, "lan/replay0")["state"]
        wait_said(deck, "switch lan: replay0: ")
        assert said(deck, "slow: 1 packet is left out: not whole, or too long")
        # A file that is missing is looked for again.
        wait_said(deck, "none: No such file or directory; it is tried again every second")
        write(f"{deck.path}/none", b"text, and no capture at all, but long enough for a header")
        wait_state(deck, "lan/replay1", "unknown file format")
        write(f"{deck.path}/none", capture([1], frame, kind=113))
        wait_state(deck, "lan/replay1", "its packets are no Ethernet frames (link type 113)")
        # Ten times faster and again and again; then as fast as it goes.
        write(f"{deck.path}/none", capture([0, 1], frame))
        deck.write("config/vmdeck/switches/lan.ini",
                   LAN + f"[stream0]\nlisten = {deck.path}/b.sock\n"
                   f"[replay0]\npath = {deck.path}/none\nspeed = 10\nloop = yes\n")
        times = arrivals(f"{deck.path}/b.sock", 21)
        assert 0.5 < times[20] - times[0] < 10, times
        write(f"{deck.path}/many", capture(range(20000), frame))
        deck.write("config/vmdeck/switches/lan.ini",
                   LAN + f"[replay0]\npath = {deck.path}/many\nspeed = max\nbegin = now\n")
        wait_state(deck, "lan/replay0", "many, 20000 packets")
        assert port(deck, "lan/replay0")["out_frames"] == 20000
        assert [row["port"] for row in switch(deck)["macs"]].count("lan/replay0") == 1


def test_a_pcapng_file_is_played_and_a_broken_one_is_said():
    d.need("editcap")
    frame = arp(b"\x02\0\0\0\0\x0d", "10.0.2.94")

    def prepare(folder):
        write(f"{folder.path}/one", capture([1, 2, 3], frame))
        subprocess.run(["editcap", "-F", "pcapng", f"{folder.path}/one", f"{folder.path}/two"],
                       check=True, capture_output=True)
        with open(f"{folder.path}/two", "rb") as file:
            data = file.read()
        write(f"{folder.path}/cut", data[:-10])
        write(f"{folder.path}/lies", data[:-60] + b"\xff" * 60)
        lan("".join(f"[replay{i}]\npath = @/{name}\nspeed = max\nbegin = now\n"
                    for i, name in enumerate(("two", "cut", "lies"))))(folder)

    with d.Deck(prepare=prepare) as deck:
        wait_state(deck, "lan/replay0", "two, 3 packets")
        wait_state(deck, "lan/replay1", "cut: truncated")
        wait_state(deck, "lan/replay2", "lies: ")
        assert "2 packets" in port(deck, "lan/replay2")["state"] or \
            port(deck, "lan/replay2")["out_frames"] >= 2, port(deck, "lan/replay2")


class Namespace:
    """A deck that is root in a network and user namespace of its own, and the host there."""

    def __init__(self, text, *commands):
        d.need("unshare", "nsenter", "ip", "busybox")
        if subprocess.run(["unshare", "-rn", "ip", "link"], capture_output=True).returncode:
            d.skip("unshare -rn is refused here")
        self.text, self.commands, self.others = text, commands, []

    def __enter__(self):
        run = ["unshare", "-rn", "sh", "-c", 'while [ $# -gt 1 ] && [ "$1" != -- ]; do '
               '$1 || exit 1; shift; done; shift; exec "$@"', "sh", *self.commands, "--"]
        self.deck = d.Deck(prepare=lan(self.text), wrapper=run)
        return self

    def inside(self, *command, pid=None):
        return ["nsenter", "--preserve-credentials", "-U", "-n", "-t",
                str(pid or self.deck.process.pid), *command]

    def run(self, *command, pid=None):
        return subprocess.run(self.inside(*command, pid=pid), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=d.PATIENCE)

    def must(self, *command, pid=None):
        result = self.run(*command, pid=pid)
        assert result.returncode == 0, result
        return result.stdout

    def another(self):
        """One more network namespace; the process ID of who is in it."""
        other = subprocess.Popen(self.inside("unshare", "-n", "sh", "-c",
                                             "echo ready; exec sleep 600"),
                                 stdout=subprocess.PIPE)
        self.others.append(other)
        assert other.stdout.readline() == b"ready\n"
        self.must("ip", "link", "set", "lo", "up", pid=other.pid)
        return other.pid

    def __exit__(self, *_):
        for other in self.others:
            other.kill()
            other.wait()
        self.deck.__exit__()


def lease_script(folder):
    path = folder.write("lease", "#!/bin/sh\n[ \"$1\" != bound ] || "
                        "ip addr add $ip/24 dev $interface\n")
    os.chmod(path, 0o755)
    return path


def test_dhclient_gets_and_gives_back_an_address_on_a_tap_device():
    d.need("dhclient")
    with Namespace("[tap0]\nname = vm0\n") as host:
        deck = host.deck
        wait_state(deck, "lan/tap0", "vm0")
        script = deck.write("script", "#!/bin/sh\ncase $reason in BOUND|RENEW|REBOOT)\n"
                            "ip addr replace $new_ip_address/24 dev $interface;; esac\n")
        os.chmod(script, 0o755)
        client = ("dhclient", "-sf", script, "-lf", f"{deck.path}/leases", "-pf",
                  f"{deck.path}/pid", "-cf", "/dev/null")
        host.must(*client, "-1", "vm0")
        try:
            lease = next(iter(switch(deck)["leases"]))
            assert lease["port"] == "lan/tap0", lease
            assert lease["address"] in host.must("ip", "addr", "show", "vm0")
        finally:
            host.run(*client, "-r", "vm0")
        d.wait_for(lambda: not switch(deck)["leases"], "the lease to be given back")


def test_a_tap_device_is_a_card_of_the_host():
    tap = "[tap0]\nname = vm0\n[tap1]\nname = there\n[tap2]\nname = vm2\nbridge = br0\n"
    with Namespace(tap, "ip tuntap add dev there mode tap", "ip link add br0 type bridge") as host:
        deck = host.deck
        wait_state(deck, "lan/tap0", "vm0")
        wait_state(deck, "lan/tap1", "there")
        wait_state(deck, "lan/tap2", "vm2, a port of br0")
        assert "master br0" in host.must("ip", "link", "show", "vm2")
        # The host gets an address from the switch, by a real client, and reaches it.
        host.must("busybox", "udhcpc", "-i", "vm0", "-n", "-q", "-s", lease_script(deck))
        assert [lease["port"] for lease in switch(deck)["leases"]] == ["lan/tap0"]
        host.must("busybox", "ping", "-c", "3", "-i", "0.2", "-I", "vm0", "10.0.2.2")
        host.must("busybox", "arping", "-c", "2", "-I", "vm0", "10.0.2.2")
        # Its port has settings, as that of a card.
        assert deck.run("port", "set", "lan/tap0", "link=down").returncode == 0
        assert host.run("busybox", "arping", "-c", "1", "-w", "1", "-I", "vm0",
                        "10.0.2.2").returncode
        assert deck.run("port", "set", "lan/tap0", "link=up").returncode == 0
        host.must("busybox", "arping", "-c", "2", "-I", "vm0", "10.0.2.2")
        # One that goes away comes back.
        host.must("ip", "link", "del", "vm0")
        wait_said(deck, "switch lan: tap0: vm0 is gone: ")
        wait_said(deck, "switch lan: tap0 works again: vm0")
        host.must("busybox", "udhcpc", "-i", "vm0", "-n", "-q", "-s", lease_script(deck))
        # What belongs to somebody else, or is nothing of the kind.
        deck.write("config/vmdeck/switches/other.ini",
                   "[switch]\n[tap0]\nname = vm0\n[tap1]\nname = lo\n"
                   "[tap2]\nname = vm3\nbridge = br9\n")
        wait_said(deck, "switch other: tap0: vm0 is in use by another program; it is tried again")
        wait_said(deck, "switch other: tap1: lo is no TAP device")
        wait_said(deck, "switch other: tap2: there is no bridge br9")
        host.must("ip", "link", "add", "br9", "type", "bridge")
        wait_said(deck, "switch other: tap2 works again: vm3, a port of br9")


def test_an_address_in_use_is_not_given():
    """To a host that has it of its own accord; of a switch with NAT, and of one without."""
    for uplink in "none", "nat":
        tap = f"uplink = {uplink}\n[tap0]\nname = vm0\n[tap1]\nname = vm1\n"
        with Namespace(tap) as host:
            deck = host.deck
            wait_state(deck, "lan/tap0", "vm0")
            wait_state(deck, "lan/tap1", "vm1")
            host.must("ip", "addr", "add", "10.0.2.15/24", "dev", "vm0")
            host.must("busybox", "arping", "-c", "2", "-I", "vm0", "10.0.2.2")
            host.must("busybox", "udhcpc", "-i", "vm1", "-n", "-q", "-s", lease_script(deck))
            assert [lease["address"] for lease in switch(deck)["leases"]] == ["10.0.2.16"], deck


def test_a_port_to_watch_at_has_copies():
    d.need("tshark")
    with Namespace("[tap0]\nname = vm0\n[tap1]\nname = watch\nspan = mirrored\n") as host:
        deck = host.deck
        wait_state(deck, "lan/tap0", "vm0")
        wait_state(deck, "lan/tap1", "watch")
        host.must("busybox", "udhcpc", "-i", "vm0", "-n", "-q", "-s", lease_script(deck))
        deck.call("port.set", {"port": "lan/tap0", "settings": {"mirror": "both"}})
        with subprocess.Popen(host.inside("tshark", "-n", "-l", "-i", "watch", "-f", "icmp", "-c", "6",
                                          "-T", "fields", "-e", "icmp.type", "-e", "ip.dst"),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as reader:
            while reader.poll() is None:
                host.must("busybox", "ping", "-c", "1", "-I", "vm0", "10.0.2.2")
            shown = [line.split() for line in reader.stdout]
        own = switch(deck)["leases"][0]["address"]
        pair = [["8", "10.0.2.2"], ["0", own]]
        assert shown in (pair * 3, (pair * 4)[1:7]), shown
        # It is there to watch, and no part of the network.
        host.must("ip", "addr", "add", "10.0.2.200/24", "dev", "watch")
        assert host.run("busybox", "arping", "-c", "1", "-w", "1", "-I", "watch",
                        "10.0.2.2").returncode
        ports = {port["name"]: port for port in switch(deck)["ports"]}
        assert ports["lan/tap1"]["drops"]["span port"] > 0, ports


def test_a_loop_is_found_broken_and_said():
    with Namespace("[tap0]\nname = vm0\nbridge = br0\n[tap1]\nname = vm1\nbridge = br0\n",
                   "ip link add br0 type bridge") as host:
        deck = host.deck
        wait_state(deck, "lan/tap0", "vm0")
        wait_state(deck, "lan/tap1", "vm1")
        host.must("ip", "link", "set", "br0", "up")
        # One broadcast frame, which goes round.
        host.must("ip", "addr", "add", "10.0.2.99/24", "dev", "br0")
        host.run("busybox", "arping", "-c", "1", "-w", "2", "-I", "br0", "10.0.2.77")
        wait_said(deck, " many times a second: a loop, or two with one address")
        wait_said(deck, " s, again and again: what leaves by tap")
        d.wait_for(lambda: any("switched off" in port(deck, f"lan/tap{i}").get("state", "")
                               for i in (0, 1)), "a port to be switched off")
        states = [port(deck, f"lan/tap{i}")["state"] for i in (0, 1)]
        assert sum("switched off" in state for state in states) == 1, states
        # Now it is quiet, and the other port goes on.
        def frames():
            return sum(port(deck, f"lan/tap{i}")["out_frames"] for i in (0, 1))
        before = frames()
        host.must("busybox", "ping", "-c", "3", "-I", "br0", "10.0.2.2")
        assert frames() - before < 1000, (before, frames())
        assert open(deck.errors).read().count("many times a second") == 1


def test_a_card_of_the_host_leads_to_its_network():
    with Namespace("[pcap0]\ninterface = near\n[pcap1]\ninterface = lo\n"
                   "[pcap2]\ninterface = none\n[stream0]\nlisten = @/a.sock\n") as host:
        deck, other = host.deck, host.another()
        wait_said(deck, "switch lan: pcap0: there is no network card near; it is tried again")
        wait_said(deck, "switch lan: pcap1: lo is no Ethernet card")
        host.must("ip", "link", "add", "near", "type", "veth", "peer", "name", "far",
                  "netns", str(other))
        host.must("ip", "link", "set", "near", "up")
        host.must("ip", "link", "set", "far", "up", pid=other)
        wait_said(deck, "switch lan: pcap0 works again: near")
        host.must("busybox", "udhcpc", "-i", "far", "-n", "-q", "-s", lease_script(deck), pid=other)
        assert [lease["port"] for lease in switch(deck)["leases"]] == ["lan/pcap0"]
        host.must("busybox", "ping", "-c", "3", "-i", "0.2", "10.0.2.2", pid=other)
        # A tag is there again, although the kernel has taken it out.
        tagged = arp(b"\x02\0\0\0\0\x0e", "10.0.3.1")
        tagged = tagged[:12] + b"\x81\0\0\x07" + tagged[12:]
        near = host.must("ip", "-o", "link", "show", "near").split("link/ether ")[1].split()[0]
        own = bytes.fromhex(near.replace(":", "")) + tagged[6:]
        send = ("import socket, sys\ns = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
                "s.bind(('far', 0))\nfor data in sys.argv[1:]:\n    s.send(bytes.fromhex(data))\n")
        with joined(f"{deck.path}/a.sock") as peer:
            wait_state(deck, "lan/stream0", "somebody")
            host.must("python3", "-c", send, own.hex(), tagged.hex(), pid=other)
            frame = read_frame(peer)
            while frame != tagged:
                assert frame[:6] != own[:6], frame  # what is for the host is not for guests
                frame = read_frame(peer)
        host.must("ip", "link", "del", "near")
        wait_state(deck, "lan/pcap0", "there is no network card near")


def test_a_host_joins_by_vxlan():
    with Namespace("[vxlan0]\nremote = 192.0.2.2\nvni = 42\n", "ip link set lo up") as host:
        deck, other = host.deck, host.another()
        wait_state(deck, "lan/vxlan0", "network 42 at 192.0.2.2")
        host.must("ip", "link", "add", "near", "type", "veth", "peer", "name", "far",
                  "netns", str(other))
        for pid, card, number in (None, "near", 1), (other, "far", 2):
            host.must("ip", "addr", "add", f"192.0.2.{number}/24", "dev", card, pid=pid)
            host.must("ip", "link", "set", card, "up", pid=pid)
        host.must("ip", "link", "add", "vx0", "type", "vxlan", "id", "42", "remote", "192.0.2.1",
                  "dstport", "4789", pid=other)
        host.must("ip", "link", "set", "vx0", "up", pid=other)
        host.must("busybox", "udhcpc", "-i", "vx0", "-n", "-q", "-s", lease_script(deck), pid=other)
        assert [lease["port"] for lease in switch(deck)["leases"]] == ["lan/vxlan0"]
        # In fragments, too.
        for size in "56", "1472":
            host.must("busybox", "ping", "-c", "2", "-i", "0.2", "-s", size, "10.0.2.2", pid=other)
        # Of another network, without a VNI, too short, and from another address.
        send = ("import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                "for data in sys.argv[1:]:\n"
                "    s.sendto(bytes.fromhex(data), ('192.0.2.1', 4789))\n")
        frame = arp(b"\x02\0\0\0\0\x0c", "10.0.2.93").hex()
        host.must("python3", "-c", send, "0800000000002b00" + frame, "0000000000002a00" + frame,
                  "0800", "", pid=other)
        d.wait_for(lambda: port(deck, "lan/vxlan0")["drops"].get("bad header", 0) >= 3,
                   "headers to be refused")
        host.must("python3", "-c", send, "0800000000002a00" + frame)
        d.wait_for(lambda: port(deck, "lan/vxlan0")["drops"].get("bad source", 0) >= 1,
                   "a stranger to be refused")
        assert frame[12:24] not in str(switch(deck)["macs"]).replace(":", "")
        # The UDP port is one port's.
        deck.write("config/vmdeck/switches/other.ini",
                   "[switch]\n[vxlan0]\nremote = 192.0.2.2\nvni = 43\n")
        wait_said(deck, "switch other: vxlan0: UDP port 4789 is in use, by a device of the host or "
                        "another port; write another one here and there, port=")


def test_a_tap_device_needs_a_privilege_or_an_owner():
    if os.geteuid() != 0:
        d.skip("the user has no such privilege to give up")
    d.need("setpriv")
    drop = "setpriv", "--bounding-set", "-net_admin"
    with d.Deck(prepare=lan("[tap0]\nname = vmdeck-test0\n"), wrapper=drop) as deck:
        wait_said(deck, "switch lan: tap0: vmdeck-test0 is not there or not yours, and making one "
                        "needs CAP_NET_ADMIN; as root: ip tuntap add dev vmdeck-test0 mode tap "
                        "user $USER; it is tried again every second")


def test_a_tap_device_of_the_user_needs_no_privilege():
    if os.geteuid() != 0:
        d.skip("nobody here can make one for another user")
    d.need("setpriv", "unshare", "ip")
    nobody = 65534
    prepare = lan("[tap0]\nname = mine\n[tap1]\nname = yours\n[tap2]\nname = down\n")

    def give_away(folder):
        prepare(folder)
        for path, folders, files in os.walk(folder.path):
            for name in (".", *folders, *files):
                os.chown(os.path.join(path, name), nobody, nobody)

    make = "".join(f"ip tuntap add dev {name} mode tap user {user} && "
                   for name, user in (("mine", nobody), ("yours", 1), ("down", nobody)))
    run = ("unshare", "-n", "sh", "-c", make + "ip link set mine up && ip link set yours up && "
           f'exec setpriv --reuid={nobody} --regid={nobody} --clear-groups "$@"', "sh")
    with d.Deck(prepare=give_away, wrapper=run) as deck:
        wait_state(deck, "lan/tap0", "mine")
        wait_said(deck, "switch lan: tap1: yours is not there or not yours, and making one needs")
        wait_said(deck, "switch lan: tap2: down is down; as root: ip link set down up; it is tried")


if __name__ == "__main__":
    d.main()
