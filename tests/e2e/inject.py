#!/usr/bin/env python3
"""Frames that are put in at a port: of captures, and one as bytes."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PORT = "one/net0"

deck_of_two = d.Shared(d.deck_of_two)


def inject(deck, *words, **how):
    done = deck.run("port", "inject", *words, **how)
    assert done.returncode == 0, done
    return done.stdout


class Capture:
    """So many packets of ICMP of the switch, as a file."""

    def __init__(self, deck, name, count):
        self.path = os.path.join(deck.path, name)
        self.capture = deck.start("capture", "-f", "icmp", "-c", str(count), "-i", PORT, "-w",
                                  self.path, stderr=subprocess.PIPE, text=True)
        d.wait_for(lambda: os.path.exists(self.path) and os.path.getsize(self.path),
                   "the capture to begin")

    def types(self):
        _, errors = self.capture.communicate(timeout=d.PATIENCE)
        assert self.capture.returncode == 0, errors
        result = subprocess.run(["tshark", "-n", "-r", self.path, "-Y", "!icmp.checksum.status==0",
                                 "-T", "fields", "-e", "icmp.type"], capture_output=True,
                                text=True, timeout=d.PATIENCE)
        assert result.returncode == 0, result
        return result.stdout.split()


def frame(deck, size=60, to="ff" * 6):
    """From one to all others, of a type that nobody answers."""
    ports = {row["name"]: row for row in deck.call("switch.list")["switches"][0]["ports"]}
    return bytes.fromhex(to + ports[PORT]["mac"].replace(":", "") + "88b5").ljust(size, b"\0")


@deck_of_two.case
def test_a_captured_request_is_answered_again(deck):
    d.need("tshark")
    once = Capture(deck, "once.pcapng", 2)
    deck.console_of_one.command("ping two 1 10", "1 sent, 1 received")
    assert once.types() == ["8", "0"]
    requests = os.path.join(deck.path, "requests.pcapng")
    subprocess.run(["tshark", "-r", once.path, "-Y", "icmp.type == 8", "-w", requests], check=True,
                   capture_output=True, timeout=d.PATIENCE)
    again = Capture(deck, "again.pcapng", 2)
    assert inject(deck, PORT, requests) == "1 frame: 1 forward\n"
    assert again.types() == ["8", "0"]
    # The same from standard input, and both packets of the first capture at one's port:
    # the answer is from an address that is two's.
    with open(once.path, "rb") as file:
        text = inject(deck, PORT, "-", "--fast", "--json", stdin=file)
    assert '"forged source": 1' in text and '"forward": 1' in text and '"frames": 2' in text, text


@deck_of_two.case
def test_what_is_put_in_is_counted(deck):
    def counted():
        ports = {row["name"]: row for row in deck.call("switch.list")["switches"][0]["ports"]}
        return ports[PORT]["drops"].get("forged source", 0)

    before = counted()
    data = frame(deck)
    assert inject(deck, PORT, "--data", data.hex()) == "1 frame: 1 flood\n"
    forged = data[:6] + bytes.fromhex("52550a000202") + data[12:]  # the gateway's
    raw = os.path.join(deck.path, "frame")
    with open(raw, "wb") as file:
        file.write(forged)
    assert inject(deck, PORT, "--data", "@" + raw) == "1 frame: 1 forged source\n"
    assert counted() == before + 1


@deck_of_two.case
def test_a_capture_keeps_its_pace(deck):
    data = frame(deck)
    path = d.pcap(os.path.join(deck.path, "pace.pcap"), [(7.0, data, 60), (7.8, data, 60)])
    for words, least in (((), 0.8), (("--fast",), 0)):
        begin = os.times().elapsed
        assert inject(deck, PORT, path, *words) == "2 frames: 2 flood\n"
        assert os.times().elapsed - begin >= least - 0.02, words


@deck_of_two.case
def test_packets_that_are_no_whole_frames_are_left_out(deck):
    data = frame(deck)
    path = d.pcap(os.path.join(deck.path, "cut.pcap"),
                [(1, data, 60), (1, data[:40], 60), (1, b"", 0), (1, data[:13], 13), (1, data, 60)])
    done = deck.run("port", "inject", PORT, path)
    assert done.returncode == 0 and done.stdout == "2 frames: 2 flood\n", done
    assert "3 packets left out: cut short, too short or too long" in done.stderr, done


@deck_of_two.case
def test_what_is_wrong_is_a_sentence(deck):
    data = frame(deck)
    good = d.pcap(os.path.join(deck.path, "good.pcap"), [(1, data, 60)])
    broken = os.path.join(deck.path, "broken.pcap")
    with open(good, "rb") as file, open(broken, "wb") as out:
        out.write(file.read()[:-20])
    wifi = d.pcap(os.path.join(deck.path, "wifi.pcap"), [(1, data, 60)], link=105)
    text = os.path.join(deck.path, "text")
    with open(text, "w", encoding="ascii") as file:
        file.write("no capture \x1b[31m\n" * 10)
    for words, said in (
            ((PORT, "/nowhere"), "/nowhere: No such file"),
            ((PORT, deck.path), f"{deck.path}: "),
            ((PORT, text), "text: unknown file format"),
            ((PORT, wifi), "wifi.pcap: its packets are no Ethernet frames (link type 105)"),
            ((PORT, broken), "broken.pcap: truncated dump file"),
            (("one/net7", good), "port 'one/net7': there is none"),
            ((PORT, "--data", "00"), "data: 14 to 65550 bytes in hexadecimal are needed")):
        done = deck.run("port", "inject", *words)
        assert done.returncode == 1 and said in done.stderr and "\x1b" not in done.stderr, (words,
                                                                                            done)
    for words in ((PORT,), (PORT, good, good), (PORT, good, "--data", "00"), ()):
        assert deck.run("port", "inject", *words).returncode == 2, words
    assert deck.run("port", "set", "--fast", PORT, "mtu=0").returncode == 2


if __name__ == "__main__":
    d.main()
