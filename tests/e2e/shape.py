#!/usr/bin/env python3
"""What ports are set to, seen by the guests at them."""
import contextlib
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
import ports


@contextlib.contextmanager
def two_guests(keys=""):
    """A deck with two quiet built-in guests, of which the first has these keys for its card; and
    what has it ping the second."""
    d.need_kvm()
    text = "[guest]\nmemory = 32M\n[boot]\ncmdline = name={}\n[net0]\nswitch = lan\n"
    with d.Deck(prepare=lambda folder: [folder.guest("one", text.format("one") + keys),
                                        folder.guest("two", text.format("two"))]) as deck:
        for guest in ("one", "two"):
            assert deck.run("start", guest).returncode == 0
        console = deck.console("one")
        console.expect("one>")

        def leases():
            return {lease["port"]: lease["address"]
                    for lease in deck.call("switch.list")["switches"][0]["leases"]}
        address = d.wait_for(lambda: len(leases()) == 2 and leases()["two/net0"], "two leases")

        def ping(count, pause):
            """Sent, received, and the least round trip in ms."""
            console.send(f"ping {address} {count} {pause}\r")
            console.expect("ping: ")
            line = console.expect("\n")
            sent, received = map(int, re.search(r"(\d+) sent, (\d+) received", line).groups())
            least = re.search(r"min/avg/max (\d+)/", line)
            return sent, received, int(least[1]) / 1000 if least else None

        d.wait_for(lambda: ping(1, 100)[1], "an answer")
        yield deck, ping


def settings(deck, port):
    ports = {row["name"]: row for switch in deck.call("switch.list")["switches"]
             for row in switch["ports"]}
    return ports[port]


def test_delay_and_loss_come_and_go():
    with two_guests("out_delay = 30ms\n") as (deck, ping):
        assert deck.run("port", "show", "one/net0").stdout == "out_delay = 30ms\n"
        assert ping(3, 10)[2] >= 30
        assert deck.run("port", "set", "one/net0", "out_delay=0", "delay=20ms").returncode == 0
        assert ping(5, 50)[2] >= 20
        assert deck.run("port", "set", "one/net0", "delay=0", "loss=10%", "seed=1").returncode == 0
        before = settings(deck, "one/net0")["in_frames"]
        sent, received, _ = ping(300, 4)  # a busy host loses some more
        row = settings(deck, "one/net0")
        lost = row["in_impaired"]["lost"]
        assert lost == row["drops"]["lost on purpose"]
        assert received < sent
        seen = row["in_frames"] - before + lost
        assert 0.04 < lost / seen < 0.18, (lost, seen)
        assert deck.run("port", "set", "one/net0", "loss=0%", "seed=0").returncode == 0
        assert deck.run("port", "show", "one/net0").stdout == ""
        ping(50, 4)
        assert settings(deck, "one/net0")["in_impaired"]["lost"] == lost
        assert ping(10, 50)[2] < 20


def test_what_is_set_outlives_a_reset_but_not_the_guest():
    with two_guests("mtu = 1000\n") as (deck, _):
        def shown():
            return deck.run("port", "show", "one/net0").stdout

        def again(console, *order):
            assert deck.run(*order).returncode == 0
            console.expect("Type help.")  # not its prompt, which comes again with each message
            d.wait_for(shown, "its port")
        with contextlib.closing(deck.console("one", backlog=False)) as console:
            assert deck.run("port", "set", "one/net0", "link=down", "mtu=900").returncode == 0
            again(console, "reset", "one")
            assert shown() == "link = down\nmtu = 900\n"
            assert deck.run("port", "set", "one/net0", "link=up", "mtu=0", "vlan=5").returncode == 0
            again(console, "reset", "one")
            assert shown() == "vlan = 5\n"
            assert deck.run("stop", "--force", "--wait", "one").returncode == 0
            again(console, "start", "one")
            assert shown() == "mtu = 1000\n"
            # What waits in the profile comes with a reset, and its settings with it.
            assert deck.run("port", "set", "one/net0", "mtu=900").returncode == 0
            deck.guest("one", "[guest]\nmemory = 32M\n[boot]\ncmdline = name=one\n"
                              "[net0]\nswitch = lan\nmtu = 800\n")
            d.wait_for(lambda: deck.call("guest.show", {"guest": "one"})["pending"], "the new profile")
            again(console, "reset", "one")
            assert shown() == "mtu = 800\n"


# In the host's network: asks by AF_PACKET for addresses in VLANs (0: without a tag), and prints
# for each the VLAN of the answer, or "none". The kernel has the tag in what comes beside a frame.
ASK = """
import select, socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("vm0", 0))
s.setsockopt(263, 8, 1)
mac = s.getsockname()[4]
for word in sys.argv[1:]:
    address, vlan = word.split("@")
    arp = (b"\\x08\\x06\\0\\x01\\x08\\0\\x06\\x04\\0\\x01" + mac + socket.inet_aton("10.0.2.99") +
           bytes(6) + socket.inet_aton(address))
    tag = struct.pack(">HH", 0x8100, int(vlan)) if int(vlan) else b""
    answer, end = "none", time.monotonic() + 3
    s.send((b"\\xff" * 6 + mac + tag + arp).ljust(64, b"\\0"))
    while answer == "none" and select.select([s], [], [], max(0, end - time.monotonic()))[0]:
        frame, beside, _, _ = s.recvmsg(2048, 256)
        if frame[12:14] == b"\\x08\\x06" and frame[20:22] == b"\\0\\x02" and frame[:6] == mac:
            status, tci = struct.unpack("I12xH", beside[0][2][:18])
            answer = str(tci) if status & 0x10 else "0"
    print(answer)
"""


def test_a_trunk_speaks_802_1q():
    """Guests in VLANs, and the host at a TAP device that is a trunk; tshark reads the capture."""
    d.need("tshark")
    guest = ("[guest]\nmemory = 32M\n[boot]\ncmdline = 'name={0} ip={1}/24,10.0.2.2'\n"
             "[net0]\nswitch = lan\nvlan = {2}\n")
    with ports.Namespace("[tap0]\nname = vm0\n") as host:
        deck = host.deck
        ports.wait_state(deck, "lan/tap0", "vm0")
        for name, address, vlan in (("ten", "10.0.2.50", 10), ("twenty", "10.0.2.51", 20)):
            deck.guest(name, guest.format(name, address, vlan))
            assert deck.run("start", name).returncode == 0
            deck.console(name).expect("by command line")
        assert deck.run("port", "set", "lan/tap0", "trunk=10", "vlan=20").returncode == 0
        path = os.path.join(deck.path, "vlans.pcapng")
        capture = deck.start("capture", "-i", "lan/tap0", "-w", path, stderr=subprocess.PIPE)
        d.wait_for(lambda: os.path.exists(path) and os.path.getsize(path), "the capture to begin")
        answers = host.must("python3", "-c", ASK, "10.0.2.50@10", "10.0.2.51@0", "10.0.2.50@0",
                            "10.0.2.51@10", "10.0.2.51@30").split()
        assert answers == ["10", "0", "none", "none", "none"], answers
        capture.send_signal(signal.SIGINT)
        assert capture.wait(d.PATIENCE) == 0
        shown = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "vlan.id", "-e",
                                "arp.dst.proto_ipv4", "-Y", "arp.opcode == 1 && vlan"],
                               capture_output=True, text=True, check=True).stdout.split("\n")
        assert shown[:3] == ["10\t10.0.2.50", "10\t10.0.2.51", "30\t10.0.2.51"], shown
        assert settings(deck, "lan/tap0")["drops"]["other vlan"] >= 1


def test_what_is_wrong_is_a_sentence():
    with two_guests() as (deck, _):
        for words, text in (
                (("one/net0", "dlay=20ms"), "dlay: is no setting of a port; did you mean 'delay'?"),
                (("one/net0", "delay=20"), "delay: '20' is not a time; write one such as 20ms"),
                (("one/net0", "reorder=5%"), "one/net0: reorder: does nothing without delay"),
                (("lan/nat", "lock=mac"), "lan/nat: lock: is for cards of guests"),
                (("one/net0", "loss=101%"), "loss: 101% is out of range; it can be 0 to 100%"),
                (("one/net1", "loss=1%"), "port 'one/net1': there is none; did you mean 'one/net0'?")):
            done = deck.run("port", "set", *words)
            assert done.returncode == 1 and text in done.stderr, done
        assert settings(deck, "one/net0")["settings"] == {}


if __name__ == "__main__":
    d.main()
