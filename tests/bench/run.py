#!/usr/bin/env python3
"""What "make bench" runs: the benchmark of machines, exits, disks, frames between two NICs and
two guests, and the screen.

The arguments are those of tests/bench/bench. The guests are of the built-in
program; one floods the other for two seconds at a time, and the receiver says
what arrived. Without /dev/kvm there are no rows.
"""
import json
import os
import re
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import deck as d
import disks
import exits
import screens

PROFILE = "[guest]\nmemory = 32M\n[boot]\ncmdline = name={name}\n[net0]\nswitch = lan\n"
SIZES = (60, 1514)
ROUNDS = 3
SECONDS = 2


def prepare(folder):
    for name in ("one", "two"):
        folder.guest(name, PROFILE.format(name=name))


def rate(console, command, answer):
    console.send(command + "\r")
    console.expect(answer)
    return int(re.search(r"(\d+) frames/s", console.expect("\n")).group(1))


def frames_between_guests():
    rows = []
    with d.Deck(prepare=prepare) as deck:
        consoles = {}
        for name in ("one", "two"):
            deck.run("start", name)
            consoles[name] = deck.console(name)
            consoles[name].expect(f"{name}>")

        def leases():
            found = deck.call("switch.list")["switches"][0]["leases"]
            return {lease["hostname"]: lease["address"] for lease in found}
        d.wait_for(lambda: len(leases()) == 2, "two leases")
        address = leases()["two"]
        consoles["one"].command(f"ping {address} 1", "1 sent")
        for size in SIZES:
            sent, received = [], []
            rate(consoles["two"], "sink", "sink: ")
            for _ in range(ROUNDS):
                sent.append(rate(consoles["one"], f"flood {address} {size} {SECONDS}", "flood: "))
                received.append(rate(consoles["two"], "sink", "sink: "))
            rows.append({"what": f"frames of {size} bytes from guest to guest", "unit": "frames/s",
                         "sent": statistics.median(sent), "received": statistics.median(received)})
    return rows


def frames_between_nics():
    """Without guests: what two virtio cards do to a frame, beside a bare copy of it."""
    rows = subprocess.run(["tests/bench/nics"], check=True, text=True, stdout=subprocess.PIPE).stdout
    return [{"what": f"frames of {size} bytes from NIC to NIC, M/s of CPU", "vmdeck": float(nics),
             "bare": float(bare), "of_bare": float(ratio), "past": float(past),
             "capture": float(capture), "filtered": float(filtered)}
            for size, nics, bare, ratio, past, capture, filtered in
            (row.split() for row in rows.splitlines())]


def main():
    bench = subprocess.run(["tests/bench/bench", *sys.argv[1:]], text=True,
                           stdout=subprocess.PIPE if "--json" in sys.argv else None)
    if bench.returncode or "--help" in sys.argv:
        sys.exit(bench.returncode)
    kvm = os.access("/dev/kvm", os.R_OK | os.W_OK)
    counted = exits.measure() if kvm and "--no-qemu" not in sys.argv else []
    of_disks = disks.measure() if kvm else []
    nics = frames_between_nics()
    rows = frames_between_guests() if kvm else []
    shown = screens.measure()
    if "--json" in sys.argv:
        print(json.dumps({"machines": json.loads(bench.stdout), "exits": counted,
                          "disks": of_disks, "nics": nics, "guests": rows, "screens": shown}, indent=1))
        return
    exits.table(counted)
    disks.table(of_disks)
    for row in nics:
        print(f"-    {row['what']:<46} {row['vmdeck']:.2f}, a bare copy {row['bare']:.2f}: "
              f"{row['of_bare']:.2f} of it; with a past {row['past']:.2f}, captured "
              f"{row['capture']:.2f}, filtered out {row['filtered']:.2f} of that")
    for row in rows:
        print(f"-    {row['what']:<46} {row['unit']}: {row['sent']:.0f} sent, "
              f"{row['received']:.0f} received (median of {ROUNDS})")
    screens.table(shown)


if __name__ == "__main__":
    main()
