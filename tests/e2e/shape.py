#!/usr/bin/env python3
"""What ports are set to, seen by the guests at them."""
import contextlib
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d


@contextlib.contextmanager
def two_guests(keys=""):
    """A deck with two quiet built-in guests that know each other; the console of the first."""
    d.need_kvm()
    text = "[guest]\nmemory = 32M\n[boot]\ncmdline = name={}\n[net0]\nswitch = lan\n"
    with d.Deck(prepare=lambda folder: [folder.guest("one", text.format("one") + keys),
                                        folder.guest("two", text.format("two"))]) as deck:
        for guest in ("one", "two"):
            assert deck.run("start", guest).returncode == 0
        console = deck.console("one")
        console.expect("one>")
        d.wait_for(lambda: len(deck.call("switch.list")["switches"][0]["leases"]) == 2, "two leases")
        # Also that they know of each other.
        d.wait_for(lambda: ping(console, 1, 100)[1], "an answer")
        yield deck, console


def ping(console, count, pause):
    """Sent, received, and the least round trip in ms."""
    console.send(f"ping two {count} {pause}\r")
    console.expect("ping: ")
    line = console.expect("\n")
    sent, received = map(int, re.search(r"(\d+) sent, (\d+) received", line).groups())
    least = re.search(r"min/avg/max (\d+)/", line)
    return sent, received, int(least[1]) / 1000 if least else None


def settings(deck, port):
    ports = {row["name"]: row for switch in deck.call("switch.list")["switches"]
             for row in switch["ports"]}
    return ports[port]


def test_delay_and_loss_come_and_go():
    with two_guests("out_delay = 30ms\n") as (deck, console):
        assert deck.run("port", "show", "one/net0").stdout == "out_delay = 30ms\n"
        assert ping(console, 3, 10)[2] >= 30
        assert deck.run("port", "set", "one/net0", "out_delay=0", "delay=20ms").returncode == 0
        sent, received, least = ping(console, 5, 50)
        assert (sent, received) == (5, 5) and 20 <= least
        assert deck.run("port", "set", "one/net0", "delay=0", "loss=10%", "seed=1").returncode == 0
        before = settings(deck, "one/net0")["in_frames"]
        sent, received, _ = ping(console, 300, 4)
        row = settings(deck, "one/net0")
        lost = row["in_impaired"]["lost"]
        # Some of the frames are of something else, such as ARP.
        assert lost == row["drops"]["lost on purpose"] and lost >= sent - received
        seen = row["in_frames"] - before + lost
        assert 0.04 < lost / seen < 0.18, (lost, seen)
        assert 0.8 < received / sent < 0.97, (sent, received)
        assert deck.run("port", "set", "one/net0", "loss=0%", "seed=0").returncode == 0
        assert deck.run("port", "show", "one/net0").stdout == ""
        assert ping(console, 50, 4)[:2] == (50, 50)


def test_what_is_wrong_is_a_sentence():
    with two_guests() as (deck, _):
        for words, text in (
                (("one/net0", "dlay=20ms"), "dlay: is no setting of a port; did you mean 'delay'?"),
                (("one/net0", "delay=20"), "delay: '20' is not a time; write one such as 20ms"),
                (("one/net0", "loss=101%"), "loss: 101% is out of range; it can be 0 to 100%"),
                (("one/net1", "loss=1%"), "port 'one/net1': there is none; did you mean 'one/net0'?")):
            done = deck.run("port", "set", *words)
            assert done.returncode == 1 and text in done.stderr, done
        assert settings(deck, "one/net0")["settings"] == {}


if __name__ == "__main__":
    d.main()
