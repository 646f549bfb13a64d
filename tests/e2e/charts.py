#!/usr/bin/env python3
"""What the charts show agrees within 5 % with a load that this test imposes."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PROFILE = """[guest]
cpus = {cpus}
memory = 32M
[boot]
cmdline = name={name}
firmware = none
[disk0]
path = {folder}/{name}.img
[net0]
switch = lan
"""
UDP_PAYLOAD, UDP_FRAME = 1400, 1442


def loaded_deck():
    d.need_kvm()

    def prepare(folder):
        for name, cpus in (("one", 2), ("two", 1)):
            folder.guest(name, PROFILE.format(name=name, cpus=cpus, folder=folder.path))
            with open(os.path.join(folder.path, f"{name}.img"), "wb") as image:
                image.truncate(16 << 20)

    deck = d.Deck(prepare=prepare)
    for name in ("one", "two"):
        assert deck.run("start", name).returncode == 0
        console = deck.console(name)
        console.expect(f"{name}>")
        console.close()
    return deck


def history(deck, guest):
    answer = deck.call("stats.subscribe", {"guests": [guest], "interval_ms": 1000, "history": True})
    return answer["history"]["interval_ms"] / 1000, answer["history"]["guests"][0]["fields"]


def area(deck, guest, field):
    """The chart's area: what its rate sums up to, in two minutes at the most."""
    interval, fields = history(deck, guest)
    return sum(fields[field]) * interval


def assert_close(shown, true, what):
    assert true > 0 and abs(shown - true) <= 0.05 * true, f"{what}: shown {shown}, true {true}"


def thread_seconds(deck, name):
    """Seconds that a thread of the deck ran, and that it waited for a CPU, as the kernel counts."""
    tasks = f"/proc/{deck.process.pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/comm") as comm:
            if comm.read().strip() == name:
                with open(f"{tasks}/{task}/schedstat") as stat:
                    ran, waited = stat.read().split()[:2]
                    return int(ran) / 1e9, int(waited) / 1e9
    raise AssertionError(f"no thread {name}")


def stolen_seconds():
    """Seconds that the hypervisor below this machine, if there is one, kept its CPUs back."""
    with open("/proc/stat") as stat:
        return int(stat.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def test_cpu_chart_of_each_vcpu():
    load = (60, 30)
    with loaded_deck() as deck:
        console = deck.console("one", backlog=False)
        for n, percent in enumerate(load):
            console.send(f"cpu {percent} {n}\r")
        time.sleep(3)
        before = [thread_seconds(deck, f"vcpu{n}-one") for n in range(2)]
        start, stolen = time.monotonic(), stolen_seconds()
        interval, _ = history(deck, "one")
        time.sleep(40 * interval)
        _, fields = history(deck, "one")
        after = [thread_seconds(deck, f"vcpu{n}-one") for n in range(2)]
        window = time.monotonic() - start
        ran = [after[n][0] - before[n][0] for n in range(2)]
        kept = stolen_seconds() - stolen + sum(after[n][1] - before[n][1] for n in range(2))
        for n in range(2):
            shown = sum(fields[f"cpu{n}"][-40:]) / 100 * interval
            assert_close(shown, ran[n], f"vCPU {n}, seconds")
        assert_close(sum(fields["cpu"][-40:]) / 100 * interval, sum(ran), "both vCPUs, seconds")
        if kept < 0.02 * sum(ran):
            for n, percent in enumerate(load):
                assert_close(ran[n], window * percent / 100, f"load of vCPU {n}, seconds")
        else:
            print(f"the host kept {kept:.1f} s of CPU back: the load itself is not compared")


def test_disk_chart():
    with loaded_deck() as deck:
        console = deck.console("one", backlog=False)
        for direction in ("write", "read"):
            field = f"disk_{direction}"
            before = area(deck, "one", field)
            console.send(f"load disk-{direction} 2000000 8\r")
            console.expect(f"load: disk-{direction} ")
            moved = int(re.match(r"(\d+) bytes", console.expect(" us:")).group(1))
            time.sleep(1.5)
            assert_close(area(deck, "one", field) - before, moved, field)


def test_network_chart():
    with loaded_deck() as deck:
        console = deck.console("one", backlog=False)

        def address():
            leases = deck.call("switch.list")["switches"][0]["leases"]
            return [lease["address"] for lease in leases if lease["hostname"] == "two"]
        two = d.wait_for(address, "a lease of two")[0]
        console.command(f"ping {two} 2", "2 sent")
        before = area(deck, "one", "net_out"), area(deck, "two", "net_in")
        console.send(f"load net {two} 1000000 8\r")
        console.expect("load: net ")
        payload = int(re.match(r"(\d+) bytes", console.expect(" us:")).group(1))
        time.sleep(1.5)
        true = payload / UDP_PAYLOAD * UDP_FRAME
        assert_close(area(deck, "one", "net_out") - before[0], true, "out of one")
        assert_close(area(deck, "two", "net_in") - before[1], true, "into two")


d.main()
