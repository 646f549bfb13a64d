#!/usr/bin/env python3
"""Mistakes that people make, and what they are told: one sentence, nothing lost, nothing stopped."""
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PLAIN = "[guest]\nmemory = 16M\n[boot]\ncmdline = name=plain\nfirmware = none\n"


def test_profile_mistakes_are_named_by_line():
    with d.Folder() as folder:
        path = folder.write("bad.ini", "[guest]\nmemory = 1x\nmemory = 32M\ncolour = red\n"
                            "[disk9]\npath = a\n[boot]\ninitrd = /x\n")
        result = folder.run("check", path)
        assert result.returncode == 1, result
        lines = [line.split(":")[1] for line in result.stdout.splitlines() + result.stderr.splitlines()
                 if line.startswith(path)]
        assert {"2", "3", "4", "5"} <= set(lines), result
        good = folder.write("good.ini", PLAIN)
        assert folder.run("check", good).returncode == 0


def test_check_is_as_strict_as_start():
    with d.Folder() as folder:
        kernel = folder.write("no-kernel", "x" * 4096)
        folder.guest("a", "[net0]\nswitch = wan\n")
        folder.guest("b", f"[boot]\nkernel = {kernel}\n")
        folder.guest("c", "[boot]\ncmdline = console=ttyS0\n")
        folder.guest("d", PLAIN)
        folder.write("config/vmdeck/switches/bad.ini", "[switch]\nuplink = moon\n")
        whole = folder.run("check")
        assert whole.returncode == 1 and not whole.stderr, whole
        assert [line.split(": ")[0] for line in whole.stdout.splitlines()] == [
            f"{folder.switches}/bad.ini:2", f"{folder.guests}/a.ini:2", f"{folder.guests}/b.ini:2",
            f"{folder.guests}/c.ini:2"], whole
        assert folder.run("check", os.path.dirname(folder.guests)).stdout == whole.stdout
        guests = folder.run("check", folder.guests)
        assert guests.returncode == 1 and len(guests.stdout.splitlines()) == 3, guests
        empty = folder.run("check", os.path.join(folder.path, "run"))
        assert empty.returncode == 1 and ".ini" in empty.stderr, empty


def test_run_names_a_missing_kernel():
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("k.ini", "[boot]\nkernel = /nonexistent/vmlinuz\n")
        result = folder.run("run", path)
        assert result.returncode == 1
        assert "/nonexistent/vmlinuz" in result.stderr and "No such file" in result.stderr, result
        # And by an option in the place of the profile, which leaves nothing behind.
        result = folder.run("run", "--kernel", "/nonexistent/vmlinuz", "--memory", "64M")
        assert result.returncode == 1 and result.stderr == (
            "vmdeck: --kernel: /nonexistent/vmlinuz: No such file or directory; correct its "
            "path\n"), result
        result = folder.run("run", "--memory", "12")
        assert result.returncode == 1 and "--memory: 12 is out of range" in result.stderr, result
        assert not os.listdir(os.path.join(folder.path, "run", "vmdeck")), "a profile is left"
        # The same by its name.
        folder.guest("named", "[boot]\nkernel = /nonexistent/vmlinuz\n")
        result = folder.run("run", "named")
        assert result.returncode == 1 and "/nonexistent/vmlinuz" in result.stderr, result
        result = folder.run("run", "namde")
        assert result.returncode == 1 and "did you mean 'named'?" in result.stderr, result
        path = folder.write("n.ini", "[boot]\nkernel = n.ini\n")
        result = folder.run("run", path)
        assert result.returncode == 1 and "n.ini" in result.stderr and "kernel" in result.stderr, result


def test_kvm_without_permission_names_what_to_do():
    d.need("setpriv")
    if os.getuid() != 0 or not os.path.exists("/dev/kvm"):
        d.skip("only root can become somebody who may not open /dev/kvm")
    with d.Folder() as folder:
        path = folder.write("p.ini", PLAIN)
        for at, _, _ in os.walk(folder.path):
            os.chown(at, 65534, 65534)
        # The program itself may lie where nobody else can look.
        program = os.path.join(folder.path, "vmdeck")
        subprocess.run(["cp", d.VMDECK, program], check=True)
        result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                 program, "run", path], env=folder.env, capture_output=True,
                                text=True, stdin=subprocess.DEVNULL, timeout=d.PATIENCE)
        assert result.returncode == 1, result
        assert "/dev/kvm: permission denied" in result.stderr and "group" in result.stderr, result


def test_a_log_file_is_bounded_and_one_that_cannot_be_is_told():
    log = "state/vmdeck/deck.log"
    with d.Deck(prepare=lambda folder: folder.write(log, "x" * (1 << 20) + "\n")) as deck:
        d.wait_for(lambda: os.path.exists(os.path.join(deck.path, log + ".old")), "the old log")
        with open(os.path.join(deck.path, log + ".old")) as file:
            assert file.read().endswith("] the deck begins\n")
        assert os.path.getsize(os.path.join(deck.path, log)) < 4096
        # Another deck of the same user has turned it over.
        os.rename(os.path.join(deck.path, log), os.path.join(deck.path, log + ".old"))
        deck.write("config/vmdeck/guests/web.ini", "[guest]\n")
        deck.run("reload")
        assert "web: new profile" in open(os.path.join(deck.path, log)).read()

    def fifo(folder):
        folder.write(log, "")
        os.unlink(os.path.join(folder.path, log))
        os.mkfifo(os.path.join(folder.path, log))

    for prepare in fifo, lambda folder: folder.write("state", "no folder"):
        with d.Deck(prepare=prepare) as deck:
            d.wait_for(lambda: "there is no log file" in open(deck.errors).read(),
                       "a word about it")


def test_no_deck_and_taken_socket():
    with d.Folder() as folder:
        result = folder.run("list")
        assert result.returncode == 1 and "no deck is running" in result.stderr, result
    with d.Deck() as deck:
        second = deck.run("--headless")
        assert second.returncode == 1 and str(deck.process.pid) in second.stderr, second
        assert deck.run("list").returncode == 0


def test_a_deck_without_a_screen_says_what_happens():
    def prepare(folder):
        folder.guest("broken", "[guest]\nautostart = yes\n[boot]\nkernel = missing\n")
        folder.write("config/vmdeck/switches/wrong.ini", "[switch]\nuplink = moon\n")
        os.mkfifo(os.path.join(folder.path, "config/vmdeck/switches/fifo.ini"))

    d.need_kvm()
    with d.Deck(prepare=prepare) as deck:
        deck.wait_state("broken", "failed")
        said = open(deck.errors).read()
        assert "vmdeck: broken: starting\n" in said, said
        assert "vmdeck: broken: failed: " in said and "missing" in said, said
        assert "/wrong.ini:2: uplink: " in said and "/fifo.ini: is no regular file" in said, said


# A container that gives no user namespaces.
NO_NAMESPACES = ("unshare", "--user", "--map-root-user", "sh", "-c",
                 "echo 0 >/proc/sys/user/max_user_namespaces && exec \"$0\" \"$@\"")


def doctor(*wrapper):
    run = subprocess.run([*wrapper, d.VMDECK, "doctor", "--json"], capture_output=True, text=True,
                         timeout=60)
    answer = json.loads(run.stdout)
    assert answer["ok"] == (run.returncode == 0)
    return {check["name"]: check for check in answer["checks"]}


def test_doctor_says_what_is_missing_and_what_to_do():
    checks = doctor()
    for name in ("process: seccomp", "process: no capabilities", "thread: seccomp, vcpu",
                 "core dumps", "/dev/kvm"):
        assert checks.get(name, {}).get("finding") == "ok", checks
    namespace = "process: user namespace"
    if checks[namespace]["finding"] != "ok":
        d.skip(f"this host refuses it: {checks[namespace]}")
    refused = doctor(*NO_NAMESPACES)
    assert refused[namespace]["finding"] == "missing", refused
    assert "user.max_user_namespaces" in refused[namespace]["advice"], refused


def test_doctor_names_the_walls_that_programs_lack():
    program = "qemu-storage-daemon"
    d.need(program)
    if doctor()["process: Landlock"]["finding"] != "ok":
        d.skip("this host has no Landlock")
    assert doctor()[program]["finding"] == "ok"
    refused = doctor("tests/lib/refuse", f"landlock_create_ruleset={errno.ENOSYS}", "--")[program]
    assert refused["finding"] == "missing" and ", but without Landlock" in refused["text"], refused
    assert "lsm=landlock" in refused["advice"], refused


def test_a_limit_of_no_cores_is_no_lack():
    with open("/proc/sys/kernel/core_pattern") as file:
        sent = file.read()[0] in "|@"
    checks = doctor("prlimit", "--core=0:0")
    assert checks["process: no core dump"]["finding"] == "ok", checks
    assert sent or checks["core dumps"]["finding"] == "ok", checks


def test_a_deck_says_which_walls_it_cannot_have():
    if doctor()["process: user namespace"]["finding"] != "ok":
        d.skip("this host refuses user namespaces")
    with d.Deck(wrapper=NO_NAMESPACES) as deck:
        deck.call("capture.start", {"path": os.path.join(deck.path, "x.pcapng"),
                                    "filter": "icmp"})

        def said():
            with open(deck.errors) as file:
                return [line for line in file if "refuses walls" in line]
        line, = d.wait_for(said, "the deck to say what is refused")
        assert "user namespace" in line and "seccomp" not in line, line


HOSTILE = b"k\xe9\xc2\x9b\x1b[2J\xe2\x80\xae.ini"  # Latin-1, C1, C0, right to left


def test_file_names_neither_steer_nor_lose_an_answer():
    with d.Folder() as folder:
        path = os.path.join(folder.path.encode(), HOSTILE)
        with open(path, "w") as file:
            file.write("[guest]\nx\n")
        shown = b"k" + 2 * "\ufffd".encode() + b"\xef\xbf\xbd[2J\xef\xbf\xbd.ini:2: 'x'"
        for *command, stream in (("check", "stdout"), ("run", "stderr")):
            result = subprocess.run([d.VMDECK, *command, path], env=folder.env, timeout=d.PATIENCE,
                                    capture_output=True, stdin=subprocess.DEVNULL)
            assert result.returncode == 1 and shown in getattr(result, stream), result
        result = subprocess.run([d.VMDECK, "check", "--json", path], env=folder.env,
                                timeout=d.PATIENCE, capture_output=True)
        mistakes = json.loads(result.stdout)["mistakes"]
        assert [mistake["line"] for mistake in mistakes] == [0, 2], mistakes
        assert mistakes[1]["profile"].endswith("k\ufffd\x9b\x1b[2J\u202e.ini"), mistakes
        assert rb"\u009b\u001B[2J\u202e.ini" in result.stdout, result
        for word in ("--non\x1b[31m", "non\x1b[31m"):
            result = folder.run(word)
            assert result.returncode == 2 and "non\ufffd[31m" in result.stderr, result


def test_the_log_of_a_deck_without_a_screen_is_lines_of_text():
    def prepare(folder):
        os.mkfifo(os.path.join(folder.path.encode(), b"config/vmdeck/switches", HOSTILE))

    with d.Deck(prepare=prepare) as deck:
        def said():
            with open(deck.errors, "rb") as file:
                return [line for line in file.read().split(b"\n") if b"[2J" in line]
        for line in d.wait_for(said, "the file to be named"):
            assert not re.search(rb"[\0-\x1f\xe9]|\xc2[\x80-\x9f]|\xe2\x80\xae", line), line


def test_usage():
    with d.Folder() as folder:
        for args in (["nonsense"], ["start"], ["list", "--nonsense"], ["--nonsense"], ["run"]):
            result = folder.run(*args)
            assert result.returncode == 2 and result.stderr, (args, result)
            assert not result.stdout, (args, result)
        for option in "--demo", "--headless":
            result = folder.run(option, "list")
            assert result.returncode == 2, result
            assert "go without a command; 'list' is one too many" in result.stderr, result
        assert folder.run("help").returncode == 0
        assert folder.run("--version").stdout.startswith("vmdeck ")


def test_one_image_serves_one_writer():
    d.need_kvm()

    def prepare(folder):
        image = folder.write("disk.img", "")
        os.truncate(image, 1 << 20)
        for name in ("one", "two"):
            folder.guest(name, PLAIN + f"[disk0]\npath = {image}\n")
        folder.guest("three", PLAIN)

    with d.Deck(prepare=prepare) as deck:
        for name in ("one", "three"):
            assert deck.run("start", name).returncode == 0
            deck.wait_state(name, "running")
        deck.run("start", "two")
        deck.wait_state("two", "failed")
        shown = deck.call("guest.show", {"guest": "two"})
        assert "disk.img is in use as disk0 of the guest one" in shown["reason"], shown["reason"]
        assert deck.state("one") == "running" and deck.state("three") == "running"


# What is refused, and a word of the reason that is given. The second is an old container's.
REFUSALS = (
    ((f"io_uring_setup={errno.EPERM}",), "forbidden here by a filter"),
    ((f"io_uring_enter={errno.ENOSYS}", f"epoll_pwait2={errno.EPERM}",
      f"faccessat2={errno.EPERM}"), "io_uring"),
)


def test_disks_are_served_without_io_uring():
    d.need_kvm()

    def prepare(folder):
        for name in ("one", "two"):
            image = folder.write(f"{name}.img", "")
            os.truncate(image, 1 << 20)
            folder.guest(name, f"[guest]\nmemory = 16M\n[boot]\ncmdline = name={name}\n"
                               f"firmware = none\n[disk0]\npath = {image}\n")

    for refused, reason in REFUSALS:
        wrapper = ("tests/lib/refuse", *refused, "--")
        noted = doctor(*wrapper)["io_uring"]
        assert noted["finding"] == "note" and reason in noted["text"], noted
        with d.Deck(prepare=prepare, wrapper=wrapper) as deck:
            for name in ("one", "two"):
                assert deck.run("start", name).returncode == 0
            for name in ("one", "two"):
                console = deck.console(name)
                console.expect(f"{name}>")
                console.send("disk write 0 65536 force\r")
                console.expect(f"{name}>")
                console.send("disk verify 0 65536\r")
                assert ", right" in console.expect(f"{name}>")
            with open(deck.errors) as file:
                said, = [line for line in file if "served by threads" in line]
            assert reason in said, said


def test_a_mac_is_used_once():
    def prepare(folder):
        for name in ("one", "two"):
            folder.guest(name, PLAIN + "[net0]\nswitch = lan\nmac = 52:54:00:11:22:33\n")

    with d.Deck(prepare=prepare) as deck:
        guests = {guest["name"]: guest for guest in deck.call("guest.list")["guests"]}
        assert guests["one"]["state"] == "defined"
        assert guests["two"]["state"] == "invalid"
        assert "one" in guests["two"]["mistakes"][0]["text"], guests["two"]
        result = deck.run("start", "two")
        assert result.returncode == 1 and "mistakes" in result.stderr, result


def test_what_is_listed_can_be_asked_for():
    """Files whose names name no guest, and one whose name is another guest's."""
    files = ("a b", "\u00e4", "-x", "b~2", "0123456789" * 4)

    def prepare(folder):
        for name in files:
            folder.guest(name, PLAIN)
        folder.guest("c", "[guest]\nmemory = 16M\nname = b\n[boot]\ncmdline = name=plain\n")
        folder.guest("b", "rubbish")

    with d.Deck(prepare=prepare) as deck:
        guests = deck.json("list")["guests"]
        by_file = {os.path.basename(guest["profile"])[:-len(".ini")]: guest for guest in guests}
        assert len(guests) == len(by_file) == len(files) + 2, guests
        assert by_file["c"]["name"] == "b" and by_file["c"]["state"] == "defined", guests
        assert by_file["b"]["name"] != "b", guests
        for name in files:
            texts = [mistake["text"] for mistake in by_file[name]["mistakes"]]
            assert by_file[name]["state"] == "invalid", by_file[name]
            assert any("is no name" in text and "rename the file" in text for text in texts), texts
        listed = deck.run("list").stdout
        offered = deck.run("complete", "show", "").stdout.split("\n")
        for guest in guests:
            shown = deck.run("show", guest["name"])
            assert shown.returncode == 0 and guest["profile"] in shown.stdout, (guest, shown)
            assert guest["name"] in listed and guest["name"] in offered, (guest, listed, offered)


def test_hostile_clients_disturb_nobody():
    with d.Deck() as deck:
        quiet = deck.connect()  # says nothing
        garbage = deck.connect()
        garbage.sendall(b"\0\xff{]\n" * 3)
        assert b"-32700" in d.read_line(garbage)
        flood = deck.connect()
        try:
            for _ in range(64):
                flood.sendall(b"x" * (1 << 20))  # no newline, ever
            raise AssertionError("64 MiB without a newline were taken")
        except (BrokenPipeError, ConnectionResetError):
            pass
        for params in ({"guest": 7}, {"guest": "nobody"}, {"guest": "a" * 1000}, {}):
            try:
                deck.call("guest.start", params)
                raise AssertionError(f"{params} was accepted")
            except RuntimeError as error:
                assert str(error)
        many = []
        for _ in range(400):
            try:
                many.append(deck.connect())
            except OSError:
                break
        for connection in many:
            connection.close()
        d.wait_for(lambda: deck.run("list").returncode == 0, "the deck to answer again")
        assert deck.call("hello", {"version": 1})["version"] == 1
        quiet.close()


def test_capture_says_when_the_disk_is_full():
    with d.Deck() as deck:
        process = deck.start("capture", "-w", "/dev/full", stderr=subprocess.PIPE, text=True)
        try:
            _, errors = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 1 and "No space left" in errors, errors
        assert deck.run("list").returncode == 0


def test_a_capture_says_what_it_overwrites():
    with d.Deck() as deck:
        path = deck.write("x.pcapng", "precious")
        result = deck.run("capture", "-f", "udp prt 67", "-w", path)
        assert result.returncode == 1 and open(path).read() == "precious", result
        process = deck.start("capture", "-w", path, stderr=subprocess.PIPE, text=True)
        assert process.stderr.readline() == f"{path}: overwrites the 8 bytes that were there\n"
        d.wait_for(lambda: os.path.getsize(path) > 8, "the capture to begin")
        with open(path, "rb") as file:
            assert file.read(4) == b"\n\r\r\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(d.PATIENCE) == 0


def test_bad_filter_is_explained():
    with d.Deck() as deck:
        result = deck.run("capture", "-f", "udp prt 67", "-w", os.path.join(deck.path, "x.pcapng"))
        assert result.returncode == 1 and "prt" in result.stderr, result
        result = deck.run("capture", "-i", "nobody/net0", "-w", os.path.join(deck.path, "x.pcapng"))
        assert result.returncode == 1 and "nobody/net0" in result.stderr, result


def test_a_port_that_a_guest_will_have_is_waited_for():
    with d.Deck(prepare=lambda folder: folder.guest(
            "web", "[guest]\nmemory = 16M\n[net0]\nswitch = lan\n")) as deck:
        path = os.path.join(deck.path, "x.pcapng")
        result = deck.run("capture", "-i", "wbe/net0", "-w", path)
        assert result.returncode == 1 and "did you mean 'web/net0'?" in result.stderr, result
        process = deck.start("capture", "-i", "web/net0", "-w", path, stderr=subprocess.PIPE,
                             text=True)
        assert "web/net0 is not there yet" in process.stderr.readline()
        d.wait_for(lambda: os.path.exists(path) and os.path.getsize(path), "the capture to begin")
        process.send_signal(signal.SIGINT)
        assert process.wait(d.PATIENCE) == 0
        assert "0 packets captured" in process.stderr.read()


def test_a_capture_to_a_fifo_without_a_reader_ends_by_a_signal():
    with d.Deck() as deck:
        path = os.path.join(deck.path, "fifo")
        os.mkfifo(path)
        process = deck.start("capture", "-w", path, stderr=subprocess.PIPE, text=True)
        assert "waiting for a reader" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(d.PATIENCE) == 0


def test_a_filter_that_takes_too_long_holds_nobody_up():
    hostile = " or ".join("portrange %d-%d" % (i * 10, i * 10 + 3) for i in range(170))
    with d.Deck() as deck:
        path = os.path.join(deck.path, "x.pcapng")
        process = deck.start("capture", "-f", hostile, "-w", path, stderr=subprocess.PIPE)
        answered = 0
        while True:
            assert deck.run("list").returncode == 0
            if process.poll() is not None:
                break
            answered += 1
        assert answered > 2, answered
        _, errors = process.communicate()
        assert process.returncode == 1 and b"write a shorter one" in errors, errors
        assert deck.run("capture", "-f", "tcp and and", "-w", path).returncode == 1


def test_sigterm_ends_run_by_the_power_button():
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("plain.ini", PLAIN)
        process = folder.start("run", path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        d.read_until(process.stdout, "plain>")  # it hears of its button
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=d.PATIENCE)
        assert process.returncode == 0


d.main()
