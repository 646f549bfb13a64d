#!/usr/bin/env python3
"""A deck under attack for long: nothing grows, and nothing is left behind. "make soak" runs it.

Guests attack in rounds, each with what chance gives it, while others are reset, paused, crash
and are started again, and clients come and go. Between the rounds, when all is quiet, it is
looked at what the deck and its processes hold.
"""
import argparse
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
from proc import processes, usage

GATEWAY = "10.0.2.2"
GUEST = "[guest]\nmemory = 32M\n{devices}[boot]\ncmdline = 'name={name} {more}'\nfirmware = none\n" \
        "[net0]\nswitch = lan\n[disk0]\npath = {name}.img\n"
SATA = "[disk1]\nbus = sata\npath = {name}-sata.img\n"
FIGHTERS = {f"fighter{n}": f"ip=10.0.2.{200 + n}/24,{GATEWAY}" for n in range(4)}
OTHERS = {"resetter": "cmd=reboot", "crasher": 'cmd="crash triple"', "idle": ""}
ROUND = 5  # seconds
WARM = 0.3  # of the time, in which it may still grow
MAY_GROW = {"memory": 16 << 20, "descriptors": 8, "threads": 4}


def prepare(folder):
    for name, more in {**FIGHTERS, **OTHERS}.items():
        folder.guest(name, GUEST.format(name=name, more=more,
                                        devices=d.DEVICES if name in FIGHTERS else "") +
                     (SATA.format(name=name) if name in FIGHTERS else ""))
        for disk in (f"{name}.img", f"{name}-sata.img"):
            with open(os.path.join(folder.guests, disk), "wb") as image:
                image.truncate(16 << 20)


def try_call(deck, method, guest):
    """An order that the guest's state may forbid."""
    try:
        deck.call(method, {"guest": guest})
    except RuntimeError:
        pass


def words(deck):
    """What the guest knows."""
    console = deck.console("fighter0", backlog=False, which="serial")
    text = console.command("attack help 0\rstatus", "uptime")
    console.close()
    return re.findall(r"attack (\w+) -", text) + ["fuzz"]


def type_line(deck, guest, line):
    console = deck.console(guest, backlog=False, which="serial")
    console.send(line + "\r")
    return console


def fight(deck, chance, known):
    """One round; some look at what their guest prints."""
    consoles = []
    for name in FIGHTERS:
        word = chance.choice(known)
        line = "fuzz 7 1G" if word == "fuzz" else f"attack {word} {ROUND}"
        console = type_line(deck, name, line)
        if chance.random() < 0.5:
            consoles.append(console)
        else:
            console.close()
    path = os.path.join(deck.path, "soak.pcapng")
    capture = deck.call("capture.start", {"path": path, "snap": 64})["capture"]
    try_call(deck, "guest.start", "resetter")
    end = time.monotonic() + ROUND
    while time.monotonic() < end:
        try_call(deck, "guest.start", "crasher")
        try_call(deck, chance.choice(["guest.pause", "guest.resume"]), "idle")
        deck.call("guest.list")
        deck.call("switch.list")
        time.sleep(0.1)
    deck.call("capture.stop", {"capture": capture})
    os.unlink(path)
    for console in consoles:
        console.close()


def calm(deck):
    """Fighters are as they were at first; the others are down."""
    try_call(deck, "guest.off", "resetter")
    for name in FIGHTERS:
        if deck.state(name) == "running":
            deck.call("guest.reset", {"guest": name})
        else:
            try_call(deck, "guest.start", name)
    for name in FIGHTERS:
        deck.wait_state(name, "running")
        console = deck.console(name, which="serial")
        console.expect("by command line")
        console.close()
    deck.wait_state("resetter", "stopped", "failed", "defined")
    deck.wait_state("crasher", "crashed")
    try_call(deck, "guest.resume", "idle")
    time.sleep(1)


def soak(deck, seconds, chance):
    for name in (*FIGHTERS, "idle"):
        deck.call("guest.start", {"guest": name})
        deck.wait_state(name, "running")
    known, start, most, ever = words(deck), time.monotonic(), None, set()
    print(f"words: {' '.join(known)}", flush=True)
    while (at := time.monotonic() - start) < seconds or most is None:
        fight(deck, chance, known)
        ever.update(processes(deck.process.pid))
        calm(deck)
        assert deck.process.poll() is None, "the deck is gone"
        now = usage(deck.process.pid)
        print(f"{at:6.0f} s: " + ", ".join(f"{name} {n}" for name, n in now.items()), flush=True)
        if at < WARM * seconds or most is None:
            most = {name: max(n, (most or now)[name]) for name, n in now.items()}
            continue
        for name, room in MAY_GROW.items():
            assert now[name] <= most[name] + room, f"{name} grew from {most[name]} to {now[name]}"
    return ever


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    d.need_kvm()
    with d.Deck(prepare=prepare) as deck:
        ever = soak(deck, options.seconds, random.Random(options.seed))
        assert deck.run("shutdown", "--force").returncode == 0
        assert deck.process.wait(d.PATIENCE) == 0
        d.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in ever),
                   "the deck's processes to be gone", 10)
        left = os.listdir(os.path.dirname(deck.socket)) if os.path.exists(
            os.path.dirname(deck.socket)) else []
        assert not left, f"left behind: {left}"
    print("ok")


try:
    main()
except d.Skip as why:
    print(f"skipped: {why}")
    sys.exit(77)
