#!/usr/bin/env python3
"""Breakpoints of ports: frames that are stopped, and the guests that wait for what becomes of them."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
from screen import Terminal

REQUEST = "icmp[icmptype] = icmp-echo"
PORT = "one/net0"


deck_of_two = d.Shared(d.deck_of_two)


def port(deck, *words):
    done = deck.run("port", *words)
    assert done.returncode == 0, done
    return done.stdout


def frame(deck):
    """What the port holds; None: nothing."""
    rows = deck.json("port", "held")["breakpoints"]
    assert [row["port"] for row in rows] == [PORT], rows
    return rows[0]["frame"]


def stopped(deck):
    """The frame that the port holds, once all guests have stopped for it."""
    held = d.wait_for(lambda: frame(deck), "a frame to be held")
    for guest in ("one", "two"):
        deck.wait_state(guest, "paused")
    return held


def run_again(deck):
    for guest in ("one", "two"):
        deck.wait_state(guest, "running")
    d.wait_for(lambda: frame(deck) is None, "the frame to go on")


def drops(deck):
    ports = {row["name"]: row for row in deck.call("switch.list")["switches"][0]["ports"]}
    return ports[PORT]["drops"].get("dropped by hand", 0)


class Capture:
    """So many packets of ICMP, as they go on."""

    def __init__(self, deck, count):
        self.path = os.path.join(deck.path, "held.pcapng")
        self.capture = deck.start("capture", "-f", "icmp", "-c", str(count), "-i", PORT, "-i",
                                  "two/net0", "-w", self.path, stderr=subprocess.PIPE, text=True)
        d.wait_for(lambda: os.path.exists(self.path) and os.path.getsize(self.path),
                   "the capture to begin")

    def rows(self, *names):
        _, errors = self.capture.communicate(timeout=d.PATIENCE)
        assert self.capture.returncode == 0, errors
        words = [word for name in names for word in ("-e", name)]
        result = subprocess.run(["tshark", "-n", "-r", self.path, "-T", "fields", *words],
                                capture_output=True, text=True, timeout=d.PATIENCE)
        assert result.returncode == 0, result
        os.remove(self.path)
        return [line.split("\t") for line in result.stdout.splitlines()]


@deck_of_two.case
def test_a_ping_stops_and_goes_on(deck):
    d.need("tshark")
    port(deck, "break", PORT, REQUEST)
    assert port(deck, "held") == f"{PORT}: stops '{REQUEST}', and holds nothing\n"
    capture = Capture(deck, 4)
    console = deck.console_of_one
    console.send("ping two 2 1000\r")
    held = stopped(deck)
    assert held["protocol"] == "ICMP" and held["behind"] == 0 and not held["decided"], held
    assert len(held["data"]) == 2 * held["size"] and held["size"] == 98, held
    text = port(deck, "held")
    assert f"{PORT}: {held['from']} > {held['to']} ICMP {held['summary']}\n" in text, text
    assert "\n  0000  " + " ".join(held["data"][i:i + 2] for i in range(0, 32, 2)) in text, text
    assert f"breakpoint of {PORT}" in deck.run("list").stdout
    assert [guest["held"] for guest in deck.json("list")["guests"]] == [PORT, PORT]
    time.sleep(0.3)
    assert frame(deck)["since"] == held["since"]
    # It is let through, and then there is the next one.
    port(deck, "pass", PORT)
    d.wait_for(lambda: (frame(deck) or held)["since"] != held["since"], "the next request")
    stopped(deck)
    port(deck, "pass", PORT)
    console.expect("ping: 2 sent")
    run_again(deck)
    assert capture.rows("icmp.type") == [["8"], ["0"]] * 2
    port(deck, "break", PORT, "off")
    assert port(deck, "held") == ""
    console.command("ping two 2 10", "2 sent, 2 received")


@deck_of_two.case
def test_a_frame_is_dropped(deck):
    before = drops(deck)
    port(deck, "break", PORT, REQUEST)
    deck.console_of_one.send("ping two 1 10\r")
    stopped(deck)
    port(deck, "drop", PORT)
    deck.console_of_one.expect("1 sent, 0 received")
    run_again(deck)
    assert drops(deck) == before + 1
    port(deck, "break", PORT, "off")


@deck_of_two.case
def test_other_bytes_arrive(deck):
    d.need("tshark")
    port(deck, "break", PORT, REQUEST)
    capture = Capture(deck, 2)
    deck.console_of_one.send("ping two 1 1000\r")
    data = bytearray.fromhex(stopped(deck)["data"])
    # Two bytes each, so that the checksum stays what it is.
    data[60:62], data[62:64] = b"he", bytes([(a + b - c) & 255 for a, b, c in
                                             zip(data[60:62], data[62:64], b"he")])
    checksum(data)
    with open(os.path.join(deck.path, "frame"), "wb") as file:
        file.write(data)
    port(deck, "pass", PORT, "--data", f"@{deck.path}/frame")
    deck.console_of_one.expect("ping: 1 sent")
    run_again(deck)
    rows = capture.rows("icmp.type", "icmp.checksum.status", "data.data")
    assert [row[0] for row in rows] == ["8", "0"], rows
    # The answer has them as well.
    assert all(row[1] == "1" and row[2] == bytes(data[42:]).hex()[-len(row[2]):]
               for row in rows), (rows, data.hex())
    port(deck, "break", PORT, "off")


def checksum(data):
    """Of ICMP in an IPv4 packet without options."""
    data[36:38] = bytes(2)
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(34, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    data[36:38] = (total ^ 0xffff).to_bytes(2, "big")


@deck_of_two.case
def test_taking_it_away_lets_all_go_on(deck):
    port(deck, "break", PORT, REQUEST)
    deck.console_of_one.send("ping two 1 1000\r")
    stopped(deck)
    # What somebody else has resumed stays as it is.
    assert deck.run("resume", "two").returncode == 0
    deck.wait_state("two", "running")
    time.sleep(0.3)
    assert deck.state("two") == "running" and deck.state("one") == "paused"
    port(deck, "break", PORT, "off")
    deck.console_of_one.expect("ping: 1 sent")
    for guest in ("one", "two"):
        deck.wait_state(guest, "running")
    assert port(deck, "held") == ""


@deck_of_two.case
def test_what_is_wrong_is_a_sentence(deck):
    for words, text in (
            (("break", PORT, "tcp port"), "syntax error"),
            (("break", PORT, "tcp prt 80"), "'prt' is no word of a filter"),
            (("break", PORT, ""), "filter: a string of 1 to 4096 bytes is needed"),
            (("break", "one/net7", "tcp"), "port 'one/net7': there is none"),
            (("pass", PORT), f"port '{PORT}' holds no frame"),
            (("drop", PORT), f"port '{PORT}' holds no frame"),
            (("pass", PORT, "--data", "00"), "data: 14 to 65550 bytes in hexadecimal are needed"),
            (("pass", PORT, "--data", "@/nowhere"), "/nowhere: No such file")):
        done = deck.run("port", *words)
        assert done.returncode == 1 and text in done.stderr, (words, done)
    for words in (("break", PORT), ("held", "x"), ("pass",), ("drop", PORT, "--data", "00"),
                  ("pass", PORT, "--data", "0g")):
        assert deck.run("port", *words).returncode == 2, words
    assert port(deck, "held") == ""


def test_a_guest_ends_while_its_frame_is_held():
    with d.deck_of_two() as deck:
        for guest in ("one", "two"):  # of the one that sent it, and of the one that was to have it
            port(deck, "break", PORT, REQUEST)
            deck.console_of_one.send("ping two 1 10\r")
            stopped(deck)
            assert deck.run("stop", "--force", "--wait", guest).returncode == 0
            if guest == "one":
                deck.wait_state("two", "running")
                assert port(deck, "held") == ""
                assert deck.run("start", "one").returncode == 0
                deck.console_of_one.expect("one>")
                deck.get_acquainted()
            else:
                assert deck.state("one") == "paused" and frame(deck)
                port(deck, "pass", PORT)
                deck.console_of_one.expect("1 sent, 0 received")
                deck.wait_state("one", "running")
                d.wait_for(lambda: frame(deck) is None, "the frame to go on")


def test_a_breakpoint_stays_when_its_guest_is_reset():
    with d.deck_of_two() as deck:
        port(deck, "break", PORT, "udp port 67")
        since = 0

        def asks_again():
            rows = deck.json("port", "held")["breakpoints"]  # none while it is reset
            return rows and rows[0]["frame"] and rows[0]["frame"]["since"] > since and rows[0]["frame"]

        for _ in range(2):  # it asks for an address as it begins, and is reset at that
            assert deck.run("reset", "one").returncode == 0
            held = d.wait_for(asks_again, "the guest to ask for an address")
            since = held["since"]
            assert held["protocol"] == "DHCP", held
            stopped(deck)
        port(deck, "break", PORT, "off")
        for guest in ("one", "two"):
            deck.wait_state(guest, "running")
        assert deck.run("reset", "one").returncode == 0
        deck.get_acquainted()
        assert port(deck, "held") == ""


@deck_of_two.case
def test_a_screen_sets_it_and_decides(deck):
    with Terminal(deck) as terminal:
        terminal.see("● running.*\n.*● running")
        terminal.keys("n")
        terminal.see(PORT)
        terminal.keys("Tab", "Tab", "Home")
        while True:  # the port of a guest is behind those that lead out
            terminal.keys("b")
            if terminal.see(r"Stop frames from (\S+) matching").group(1) == PORT:
                break
            terminal.keys("C-c")
            terminal.see("Space hold")
            terminal.keys("Down")
        terminal.keys("icmp[icmptpe] = 8", "Enter")
        terminal.see("icmptpe")
        terminal.keys("b", REQUEST, "Enter")
        terminal.see(re.escape(f"{PORT} ● stops icmp"))
        # It is seen in each view, at once in this one, and one key decides.
        deck.console_of_one.send("ping two 3 1000\r")
        terminal.see(re.escape(f"Frame held at {PORT}: {REQUEST}"))
        terminal.see(re.escape(f"Frame held at {PORT}, 2 guests are paused: p passes it"))
        held = stopped(deck)
        terminal.see(re.escape(f"{held['from']} > {held['to']} ICMP {held['summary']}"))
        terminal.see("0000  " + " ".join(held["data"][i:i + 2] for i in range(0, 32, 2)))
        terminal.keys("q")
        terminal.see(re.escape(f"Frame held at {PORT}, 2 guests are paused: n shows it"))
        terminal.keys("n")
        terminal.see("p pass  d drop")
        terminal.keys("d")
        d.wait_for(lambda: (frame(deck) or held)["since"] != held["since"], "the next request")
        second = stopped(deck)
        # The last byte of it is another one in what arrives.
        terminal.see(re.escape(f"{second['from']} > {second['to']} ICMP {second['summary']}"))
        terminal.keys("e")
        terminal.see("98 bytes")
        terminal.keys("End", "G", "Left", "7", "f")
        terminal.see("7f +.*\x7f?")
        terminal.keys("Enter")  # passes it
        third = d.wait_for(lambda: (frame(deck) or second)["since"] != second["since"] and
                           frame(deck), "the last request")
        assert third["summary"] != second["summary"]
        terminal.keys("b", "C-u", "Enter")
        for guest in ("one", "two"):
            deck.wait_state(guest, "running")
        assert port(deck, "held") == ""
        d.wait_for(lambda: "Frame held" not in terminal.screen(), "the frame to be gone")
    deck.console_of_one.expect("ping: 3 sent")


if __name__ == "__main__":
    d.main()
