#!/usr/bin/env python3
"""The built-in deck: its guests live, talk and die as they should, and captures show it."""
import concurrent.futures
import contextlib
import fcntl
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
import proc

QUIET = d.QUIET
quiet_deck = d.quiet_deck


def tshark(path, *args):
    result = subprocess.run(["tshark", "-n", "-r", path, *args], capture_output=True, text=True,
                            timeout=d.PATIENCE)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_demo_deck_lives():
    d.need_kvm()
    d.need("tshark")
    with d.Deck("--demo") as deck:
        guests = [guest["name"] for guest in deck.call("guest.list")["guests"]]
        assert len(guests) == 3, guests
        for guest in guests:
            deck.wait_state(guest, "running")
        assert "\ndisk0      in memory, " in deck.run("show", guests[0]).stdout

        def leases():
            return {(lease["port"], lease["hostname"])
                    for lease in deck.call("switch.list")["switches"][0]["leases"]}
        d.wait_for(lambda: leases() == {(f"{guest}/net0", guest) for guest in guests},
                   "a lease for each guest")
        shown = deck.run("switches").stdout
        for guest in guests:
            assert re.search(rf"^  10\.0\.2\.\d+ .* {guest}/net0 .* {guest}$", shown, re.M), shown

        path = os.path.join(deck.path, "all.pcapng")
        capture = deck.start("capture", "-w", path, stderr=subprocess.PIPE, text=True)
        for guest in guests:
            console = deck.console(guest)
            console.expect("transfers (0 bad)", 180)
            console.close()

        def protocols():
            if not os.path.exists(path) or not os.path.getsize(path):
                return set()
            # The capture is being written: what tshark says of its end does not matter.
            shown = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e",
                                    "_ws.col.Protocol"], capture_output=True, text=True)
            return set(shown.stdout.split())
        d.wait_for(lambda: {"ARP", "ICMP", "UDP", "TCP"} <= protocols(), "all protocols", 180)
        capture.send_signal(signal.SIGINT)
        _, errors = capture.communicate(timeout=d.PATIENCE)
        assert capture.returncode == 0 and re.search(r"\d+ packets captured", errors), errors
        names = set(tshark(path, "-T", "fields", "-e", "frame.interface_name").split())
        assert {f"{guest}/net0" for guest in guests} <= names, names
        # Checksums hold, also those that a guest left to the switch.
        bad = tshark(path, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
                     "-o", "udp.check_checksum:TRUE", "-Y",
                     "ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0")
        assert not bad, bad

        history = deck.call("stats.subscribe", {"guests": guests, "interval_ms": 1000,
                                                "history": True})["history"]
        for guest in history["guests"]:
            for field in ("cpu", "memory", "net_in", "net_out"):
                assert max(guest["fields"][field]) > 0, (guest["name"], field)


def test_capture_to_a_pipe_and_with_a_filter():
    d.need("tshark")
    with quiet_deck("one", "two") as deck:
        console = deck.console("one")
        console.expect("one>")
        d.wait_for(lambda: len(deck.call("switch.list")["switches"][0]["leases"]) == 2, "two leases")
        d.wait_for(lambda: console.answered("ping two 1 10", "1 received"), "one to know two")
        capture = deck.start("capture", "-i", "one/net0", "-f", "icmp", "-w", "-",
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        reader = subprocess.Popen(["tshark", "-n", "-l", "-i", "-", "-c", "3", "-T", "fields", "-e",
                                   "frame.interface_name", "-e", "_ws.col.Protocol", "-e",
                                   "frame.packet_flags_direction"],
                                  stdin=capture.stdout, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
        capture.stdout.close()
        while reader.poll() is None:
            console.command("ping two 2 100", "2 sent, 2 received")
        shown, _ = reader.communicate(timeout=d.PATIENCE)
        # What it sends and what it gets, in turn, from where the capture began.
        directions = (1, 2, 1, 2)
        assert [line.split("\t") for line in shown.splitlines()] in [
            [["one/net0", "ICMP", f"0x0000000{direction}"] for direction in directions[at:at + 3]]
            for at in range(2)], shown
        # Its reader went away: it ends by itself, at the next packet at the latest.
        console.command("ping two 1", "1 sent")
        capture.wait(d.PATIENCE)


def test_power_button_pause_and_reset():
    with quiet_deck("one") as deck:
        console = deck.console("one")
        console.expect("one>")
        assert deck.run("pause", "one").returncode == 0
        deck.wait_state("one", "paused")
        console.send("status\r")
        time.sleep(0.5)
        assert deck.run("pause", "one").returncode == 1
        assert deck.run("resume", "one").returncode == 0
        console.expect("uptime")
        assert deck.run("reset", "one").returncode == 0
        console.expect("demo guest")
        console.expect("one>")
        console.command("reboot", "demo guest")
        console.expect("one>")
        assert deck.run("stop", "one").returncode == 0
        deck.wait_state("one", "stopped")
        assert deck.call("guest.show", {"guest": "one"})["reason"] == "powered off"
        console.close()
        again = deck.console("one", backlog=False)
        assert deck.run("start", "one").returncode == 0
        again.expect("one>")


def test_a_card_has_its_own_address():
    with quiet_deck("one", extra="address = 10.0.2.77\n") as deck:
        def address():
            return deck.call("guest.list")["guests"][0]["nets"][0].get("address")
        d.wait_for(lambda: address() == "10.0.2.77", "the address of its profile")
        deck.guest("two", QUIET.format(name="two", cpus=1) + "address = 10.0.3.7\n")
        for command in ("check", os.path.join(deck.guests, "two.ini")), ("start", "two"):
            said = deck.run(*command)
            assert said.returncode == 1, said
            assert ("address: is none of a guest in the network of switch lan, 10.0.2.2/24" in
                    said.stdout + said.stderr), said


def test_a_kept_address_is_none_before_it_is_given():
    with quiet_deck("one") as deck:
        def address():
            return deck.call("guest.list")["guests"][0]["nets"][0].get("address")
        before = d.wait_for(address, "an address")
        assert deck.run("port", "break", "one/net0", "udp port 67").returncode == 0
        assert deck.run("reset", "one").returncode == 0
        d.wait_for(lambda: "DHCP" in deck.run("port", "held").stdout, "the guest to ask")
        leases = deck.call("switch.list")["switches"][0]["leases"]
        assert [lease["address"] for lease in leases] == [before]
        assert address() is None
        assert deck.run("port", "break", "one/net0", "off").returncode == 0
        assert d.wait_for(address, "an address") == before


def test_addresses_are_listed_as_they_are_given():
    with quiet_deck("one", "two") as deck:
        told = deck.start("events", stdout=subprocess.PIPE, text=True)
        events = deck.connect()
        deck.call("events.subscribe", {}, events)
        assert deck.run("reset", "--wait", "one").returncode == 0

        def address(name):
            guests = {guest["name"]: guest for guest in deck.call("guest.list")["guests"]}
            return guests[name]["nets"][0].get("address")
        # The event comes with the address, and each guest's is its own.
        d.wait_for(lambda: address("one") and address("two"), "two addresses")
        assert address("one") != address("two")
        lines = [line.split() for line in deck.run("list").stdout.splitlines()]
        assert lines[0][5] == "ADDRESS"
        assert [line[5] for line in lines[1:]] == [address("one"), address("two")], lines
        deck.run("stop", "--force", "--wait", "two")
        assert address("two") is None
        assert deck.run("start", "two").returncode == 0
        kinds = []
        while "addresses" not in kinds:
            kinds.append(json.loads(d.read_line(events))["params"]["kind"])
        d.wait_for(lambda: address("two"), "an address again")
        # For a person that is no news: each line has some.
        assert deck.run("shutdown", "--force").returncode == 0
        lines = told.communicate(timeout=d.PATIENCE)[0].splitlines()
        assert any("running" in line for line in lines), lines
        assert all(len(line.split(None, 2)) == 3 and line.split()[-1] not in
                   ("addresses", "profiles") for line in lines), lines


def test_much_input_at_once():
    with quiet_deck("one") as deck:
        console = deck.console("one")
        console.expect("one>")
        console.send("nonsense\r" * 400 + "status\r")
        console.expect("uptime")
        assert console.text.count("no such command") == 400
        # The console still wakes up for a single key.
        console.command("help", "poweroff")


def at_its_prompt(deck, guest, which=None):
    """The console of a guest that runs for the first time, or is started again here. What is
    typed before it has its console may be lost."""
    runs = deck.state(guest) in ("starting", "running")
    console = deck.console(guest, backlog=runs, which=which)
    if not runs:
        assert deck.run("start", guest).returncode == 0
    console.expect(f"{guest}>")
    return console


def test_crashes_leave_reason_registers_and_last_lines():
    with quiet_deck("one", "two") as deck:
        other = deck.console("two")
        other.expect("two>")
        for how, reason in (("triple", "triple fault"), ("mmio", None), ("invalid", None)):
            console = at_its_prompt(deck, "one")
            console.send(f"crash {how}\r")
            try:
                deck.wait_state("one", "crashed", seconds=30)
            except AssertionError:
                # A KVM that emulates nothing runs this instruction as it is.
                assert how == "invalid", how
                console.close()
                continue
            shown = deck.call("guest.show", {"guest": "one"})
            assert reason is None or reason in shown["reason"], shown["reason"]
            assert shown["reason"] and "rip" in shown["registers"], shown
            assert any(f"crash {how}" in line for line in shown["console_tail"]), shown["console_tail"]
            assert shown["exits"], shown
            console.close()
        assert deck.state("two") == "running"
        other.command("status", "uptime")


def test_a_hostile_guest_disturbs_nobody():
    with quiet_deck("bad", "good", guest=d.DEVICES,
                    extra="[disk0]\npath = {folder}/{name}.img\n"
                          "[disk1]\nbus = sata\npath = {folder}/{name}-sata.img\n") as deck:
        good = deck.console("good", which="serial")
        good.expect("good>")
        for seed in range(1, 4):
            bad = at_its_prompt(deck, "bad", "serial")
            bad.send(f"fuzz {seed} 3000\r")
            end = time.monotonic() + 60
            while deck.state("bad") == "running" and time.monotonic() < end:
                try:
                    bad.expect("fuzz: ", 1)
                    break
                except AssertionError:
                    pass
            deck.run("stop", "--force", "bad")
            deck.wait_state("bad", "stopped", "crashed")
            bad.close()
            good.command("disk write 65536 65536 force", "disk: write 65536 bytes")
            good.command("disk verify 65536 65536", "right")
        assert deck.state("good") == "running"


def pattern(offset, size):
    """What the guest's "disk write" leaves there."""
    words = []
    for sector in range(offset // 512, (offset + size) // 512):
        state = (sector * 2654435761 & 0xffffffff ^ sector >> 32 ^ 1) | 1
        for _ in range(128):
            state ^= state << 13 & 0xffffffff
            state ^= state >> 17
            state ^= state << 5 & 0xffffffff
            words.append(state)
    return struct.pack(f"<{len(words)}I", *words)


def test_what_was_flushed_is_there_after_a_kill():
    """VMDECK_KILL_ROUNDS says how often, 5 without it."""
    d.need_kvm()
    chance, size = random.Random(1), 65536
    for _ in range(int(os.environ.get("VMDECK_KILL_ROUNDS", 5))):
        with d.Folder() as folder:
            image = folder.write("one.img", "")
            os.truncate(image, 32 << 20)
            profile = folder.write("one.ini", "[guest]\nname = one\nmemory = 32M\n[boot]\n"
                                   "firmware = none\ncmdline = name=one\n"
                                   f"[disk0]\npath = {image}\n")
            process = folder.start("run", profile, bufsize=0, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            try:
                d.read_until(process.stdout, "one>")
                process.stdin.write(f"disk write {size} {size} force\r".encode())
                d.read_until(process.stdout, f"disk: write {size} bytes")
                process.stdin.write(b"disk write 1M 16M\r")
                time.sleep(chance.random() / 20)
            finally:
                process.kill()
                process.communicate()
            with open(image, "rb") as file:
                file.seek(size)
                assert file.read(size) == pattern(size, size)


def test_disk_bytes_arrive_on_the_image():
    with quiet_deck("one", extra="[disk0]\npath = {folder}/{name}.img\n") as deck:
        console = deck.console("one")
        console.expect("one>")
        image = os.path.join(deck.path, "one.img")
        before = open(image, "rb").read()
        console.command("disk write 1048576 1048576", "disk: write 1048576 bytes")
        after = open(image, "rb").read()
        assert after[:512].startswith(b"VMDECK DEMO DISK"), after[:32]
        written = after[1 << 20:2 << 20]
        assert written != before[1 << 20:2 << 20] and len(set(written)) > 1
        assert after[2 << 20:] == before[2 << 20:]
        deck.run("stop", "--force", "one")
        deck.wait_state("one", "stopped")
        # What was there before is what is read: the pattern is verified by a guest anew.
        again = deck.console("one", backlog=False)
        deck.run("start", "one")
        again.expect("one>")
        again.command("disk verify 1048576 1048576", "right")


def run_in_the_foreground(folder, path, keys):
    """Types keys once the guest has its prompt; returns exit status, output, errors."""
    run = folder.start("run", path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    output = b""
    while not output.endswith(b"fore> "):
        byte = run.stdout.read(1)
        assert byte, (output, run.communicate()[1])
        output += byte
    more, errors = run.communicate(keys, timeout=d.PATIENCE)
    return run.returncode, (output + more).decode(), errors.decode()


def test_a_forged_address_is_refused_and_told():
    with quiet_deck("one", "two") as deck:
        events = deck.connect()
        deck.call("events.subscribe", {}, events)
        one, two = deck.console("one"), deck.console("two")
        one.command("ip", "10.0.2.")
        two.command("ip", "10.0.2.")
        one.command("attack forged 2", "attack: forged: ")
        one.expect("one>")

        def text():
            while True:
                event = json.loads(d.read_line(events))["params"]
                if event["kind"] == "log" and event["text"].startswith("forged source: "):
                    assert event["guest"] == "one", event
                    return event["text"]
        assert re.fullmatch(r"forged source: \d+ frames dropped that .*", text())
        ports = {port["name"]: port for port in deck.call("switch.list")["switches"][0]["ports"]}
        # All that it sent but its own ARP, to find out whom there is to forge.
        assert ports["one/net0"]["drops"]["forged source"] > 1000, ports
        assert "forged source" not in ports["two/net0"]["drops"]
        assert "forged source" in deck.run("switches").stdout
        two.command("ping 10.0.2.2 3 100", "3 received")


def fetch(port):
    """The built-in guest's page, or why there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=d.PATIENCE) as page:
            return page.read().decode()
    except OSError as error:
        return f"error: {error}"


def test_ports_of_the_host_lead_to_guests():
    """From when a guest has an address until it ends, as soon as nobody else has them."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(3)]
        for one in taken:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(("127.0.0.1", 0))
            one.listen()
        web, ssh, busy = (one.getsockname()[1] for one in taken)
        for one in taken[:2]:
            one.close()
        deck = stack.enter_context(quiet_deck(
            "one", extra=f"forward = {web}:80 {ssh}:22 {busy}:80\n"))
        events = deck.connect()
        history = json.dumps(deck.call("events.subscribe", {"history": True}, events))
        d.wait_for(lambda: fetch(web).startswith("guest one\n"), "its page")
        assert "refused" in fetch(1) and "error" in fetch(ssh)

        # What is in use is said, and had once it is free.
        wanted = f"one/net0: 127.0.0.1:{busy} does not lead to its port 80: Address already in use"
        while wanted not in history:
            history = d.read_line(events).decode()
        taken[2].close()
        d.wait_for(lambda: fetch(busy).startswith("guest one\n"), "its page, there too")

        shown = deck.call("guest.show", {"guest": "one"})
        assert shown["nets"][0]["forwards"] == [
            {"host": f"127.0.0.1:{web}", "port": 80}, {"host": f"127.0.0.1:{ssh}", "port": 22},
            {"host": f"127.0.0.1:{busy}", "port": 80}], shown
        assert (shown["ssh"], shown["ssh_from"]) == (f"ssh 127.0.0.1 -p {ssh}", "host"), shown
        assert f"port 80 from 127.0.0.1:{web}" in deck.run("show", "one").stdout

        # Many at once, each whole; and again when the process that has the ports was ended.
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(fetch, [web] * 16))
        assert all(page.startswith("guest one\n") for page in pages), pages
        os.kill(next(pid for pid in proc.processes(deck.process.pid)
                     if proc.read(f"/proc/{pid}/cmdline").startswith("vmdeck-nat")), signal.SIGKILL)
        d.wait_for(lambda: fetch(web).startswith("guest one\n"), "its page, again")

        assert deck.run("stop", "--force", "--wait", "one").returncode == 0
        d.wait_for(lambda: "refused" in fetch(web), "the end of the way")
        assert deck.run("start", "--wait", "one").returncode == 0
        d.wait_for(lambda: fetch(web).startswith("guest one\n"), "the way, anew")


def test_run_in_the_foreground():
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("fore.ini", QUIET.format(name="fore", cpus=2))
        status, output, errors = run_in_the_foreground(folder, path, b"status\rpoweroff\r")
        assert status == 0, errors
        assert "demo guest" in output and "uptime" in output, output
        # What a pipe has from the start waits until the guest reads.
        early = folder.run("run", path, stdin=None, input="status\rpoweroff\r")
        assert early.returncode == 0 and "fore> status\n" in early.stdout, early
        status, _, errors = run_in_the_foreground(folder, path, b"crash triple\r")
        assert status == 1 and "triple fault" in errors and "rip" in errors, errors


def test_a_kernel_without_a_console_is_wondered_at():
    d.need_kvm()
    # ELF, PVH's note, and at 1 MiB: hlt; jmp to it.
    kernel = b"".join((
        struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0),
        struct.pack("<IIQQQQQQ", 4, 0, 176, 0, 0, 20, 20, 4),
        struct.pack("<IIQQQQQQ", 1, 0, 196, 0, 0x100000, 512, 4096, 0),
        struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x100000), b"\xf4\xeb\xfd", bytes(509)))
    with d.Folder() as folder:
        path = os.path.join(folder.path, "silent")
        with open(path, "wb") as file:
            file.write(kernel)
        run = folder.start("run", "--kernel", path, "--append", "quiet", stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
        d.wait_for(lambda: folder.run("list").returncode == 0, "the guest's deck")
        # Another one is not reached, and says so.
        other = folder.start("run", "--kernel", path, stderr=subprocess.PIPE, text=True)
        said = other.stderr.readline()
        assert "another deck has the socket" in said, said
        other.kill()
        other.wait()
        said = run.stderr.readline()
        assert ": nothing was printed so far, and its command line has no console=ttyS0" in said, said
        run.send_signal(signal.SIGTERM)
        said = run.stderr.readline()
        assert "power button" in said, said
        run.send_signal(signal.SIGTERM)
        assert run.wait(d.PATIENCE) == 0 and not run.stdout.read()


def run_into_a_pipe(folder, blocking):
    """A guest in the foreground, and the end of a small pipe that its output goes to."""
    path = folder.write("fore.ini", QUIET.format(name="fore", cpus=1))
    output, other = os.pipe()
    fcntl.fcntl(other, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(other, blocking)
    run = folder.start("run", path, stdin=subprocess.PIPE, stdout=other, stderr=subprocess.PIPE)
    os.close(other)
    text = b""
    while not text.endswith(b"fore> "):
        byte = os.read(output, 1)
        assert byte, (text, run.communicate()[1])
        text += byte
    return run, output


def waiting(fd):
    """Bytes that a pipe has."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))[0]


def read_all(fd):
    with open(fd, "rb") as file:
        return file.read().decode()


def stopped(folder):
    shown = folder.run("list", "--json")
    return shown.returncode == 0 and json.loads(shown.stdout)["guests"][0]["state"] == "stopped"


def test_run_waits_for_who_reads_its_output():
    d.need_kvm()
    for blocking in False, True:
        with d.Folder() as folder:
            run, output = run_into_a_pipe(folder, blocking)
            run.stdin.write(b"help\r" * 20 + b"poweroff\r")
            run.stdin.flush()
            # The guest is over and the deck alive while nobody reads.
            d.wait_for(lambda: stopped(folder), "the guest to stop")
            refused = folder.run("start", "fore")
            assert refused.returncode == 1 and "being ended" in refused.stderr, refused
            assert run.poll() is None
            text = read_all(output)
            assert run.wait(d.PATIENCE) == 0
            assert text.count("help - this list") == 20, text[-2000:]
            assert text.rstrip().endswith("poweroff"), text[-200:]
            assert not run.communicate()[1]


def test_run_says_what_was_lost():
    d.need_kvm()
    with d.Folder() as folder:
        run, output = run_into_a_pipe(folder, True)
        run.stdin.write(b"help\r" * 300 + b"poweroff\r")
        run.stdin.flush()
        d.wait_for(lambda: stopped(folder), "the guest to stop")
        text = read_all(output)
        assert run.wait(d.PATIENCE) == 0
        lost = re.search(r"^\[vmdeck: (\d+) bytes were lost\]\r$", text, re.M)
        assert lost and int(lost.group(1)) > 10000, text[-2000:]
        assert text.rstrip().endswith("poweroff"), text[-200:]
        # On a busy host the guest lets so much wait for a while.
        assert re.fullmatch(r"(vmdeck: the guest does not read its console: .* wait\n)*",
                            run.communicate()[1].decode())

        # Who does not want to wait ends it.
        run, output = run_into_a_pipe(folder, False)
        run.stdin.write(b"help\r" * 20 + b"poweroff\r")
        run.stdin.flush()
        d.wait_for(lambda: stopped(folder), "the guest to stop")
        run.send_signal(signal.SIGTERM)
        errors = run.communicate(timeout=d.PATIENCE)[1].decode()
        assert re.search(r"^vmdeck: \d+ bytes of the console were lost", errors), errors
        os.close(output)


def test_run_goes_on_without_its_output():
    d.need_kvm()
    with d.Folder() as folder:
        run, output = run_into_a_pipe(folder, True)
        os.close(output)
        run.stdin.write(b"status\rhelp\r")
        run.stdin.flush()
        said = run.stderr.readline().decode()
        assert said.startswith("vmdeck: standard output: Broken pipe; the guest goes on"), said
        assert folder.json("list")["guests"][0]["state"] == "running"
        errors = run.communicate(b"help\rpoweroff\r", timeout=d.PATIENCE)[1]
        assert run.returncode == 1 and not errors, errors


def test_every_thread_has_a_name_of_its_own():
    wanted = {"vmdeck", "io-one", "vcpu0-one", "vcpu1-one", "uplink", "capture", "worker"}
    with quiet_deck("one", cpus=2) as deck:
        deck.wait_state("one", "running")
        deck.call("capture.start", {"path": os.path.join(deck.path, "x.pcapng")})
        tasks = f"/proc/{deck.process.pid}/task"

        def names():
            found = {open(f"{tasks}/{task}/comm").read().strip() for task in os.listdir(tasks)}
            return {name for name in found if not name.startswith(("iou-", "kvm-"))}  # the kernel's
        d.wait_for(lambda: names() == wanted, "each thread to have its name")


def read_status(task):
    with open(f"{task}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def filters_of(process):
    """How many filters each thread has, of those that are behind their walls."""
    tasks = [read_status(f"{process}/task/{task}") for task in os.listdir(f"{process}/task")]
    # Sanitizers have threads of their own, which are named like the process.
    return {task["Name"]: task["Seccomp_filters"] for task in tasks
            if task["Seccomp"] == "2" and task["NoNewPrivs"] == "1" and
            not task["Name"].startswith(("iou-", "kvm-")) and
            (not task["Name"].startswith(("vcpu", "capture")) or not int(task["CapEff"], 16))}


def test_every_thread_of_run_has_its_walls():
    """But for the first one, which has the terminal, and starts the guest before the deck's."""
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("one.ini", QUIET.format(name="one", cpus=1))
        run = folder.start("run", path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        wanted = {"deck": "1", "io-one": "1", "vcpu0-one": "2"}
        d.wait_for(lambda: wanted.items() <= filters_of(f"/proc/{run.pid}").items(),
                   "each thread to be behind its walls")
        run.communicate(b"poweroff\r", timeout=d.PATIENCE)


def test_every_thread_has_its_walls():
    with quiet_deck("one", cpus=2) as deck:
        deck.wait_state("one", "running")
        deck.call("capture.start", {"path": os.path.join(deck.path, "x.pcapng")})
        process = f"/proc/{deck.process.pid}"
        filters = {"vmdeck": "1", "io-one": "1", "vcpu0-one": "2", "vcpu1-one": "2",
                   "uplink": "1", "worker": "1", "capture": "2"}
        d.wait_for(lambda: filters_of(process) == filters, "each thread to be behind its walls")
        with open(f"{process}/limits") as file:
            assert re.search(r"Max core file size +1 +1 ", file.read())
        with open(f"{process}/smaps") as file:
            sizes = re.findall(r"^Size: +(\d+) kB\n(?:.*\n)*?VmFlags:(.*)", file.read(), re.M)
        assert any(int(size) >= 32 << 10 and " dd" in flags for size, flags in sizes), sizes


def test_run_without_standard_output():
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("fore.ini", QUIET.format(name="fore", cpus=1))
        run = subprocess.Popen(["sh", "-c", f"exec {d.VMDECK} run {path} >&-"], env=folder.env,
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        said = run.stderr.readline().decode()
        assert said.startswith("vmdeck: standard output: Bad file descriptor; the guest"), said
        d.wait_for(lambda: folder.run("list").returncode == 0, "the deck's socket")
        run.communicate(b"poweroff\r", timeout=d.PATIENCE)
        assert run.returncode == 1


def test_the_second_signal_ends_run_although_nobody_reads():
    d.need_kvm()
    with d.Folder() as folder:
        run, output = run_into_a_pipe(folder, True)
        run.stdin.write(b"help\r" * 100)
        run.stdin.flush()
        def begins():
            return "Type help." in folder.run("show", "fore").stdout
        d.wait_for(lambda: waiting(output) and not begins(), "more output than anybody reads")
        # Two that come at once would be one.
        run.send_signal(signal.SIGTERM)
        errors = d.read_until(run.stderr, "power button")
        run.send_signal(signal.SIGTERM)
        errors += run.communicate(timeout=d.PATIENCE)[1].decode()
        os.close(output)
        assert run.returncode == 0 and "bytes of the console were lost" in errors, errors


def test_list_and_show_as_json():
    with quiet_deck("one") as deck:
        deck.wait_state("one", "running")
        assert [guest["name"] for guest in deck.json("list")["guests"]] == ["one"]
        assert deck.json("show", "one")["state"] == "running"
        assert json.loads(deck.run("switches", "--json").stdout)["switches"][0]["name"] == "lan"


d.main()
