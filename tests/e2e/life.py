#!/usr/bin/env python3
"""How decks and guests begin and end: signals, the socket, orders one after the other."""
import fcntl
import glob
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PLAIN = "[guest]\nmemory = 16M\nautostart = yes\n"


def deaf(folder, *printed):
    """The profile of a guest that prints bytes, with a pause between two lots of them, and halts
    with its interrupts off: no button reaches it."""
    code, text = b"", b"\0".join((*printed, b""))
    for _ in printed:
        code += (b"\x66\xba\xf8\x03"  # mov dx, 0x3f8
                 b"\xac\x84\xc0\x74\x03\xee\xeb\xf8"  # lodsb; test al, al; jz; out dx, al; jmp
                 b"\xb9\x00\x00\x04\x00\xe2\xfe")  # mov ecx, 0x40000; loop
    code = b"\xbe" + struct.pack("<I", 0x100000 + 5 + len(code) + 4) + code  # mov esi, text
    code += b"\xfa\xf4\xeb\xfd" + text  # cli; hlt; jmp to hlt
    note = struct.pack("<III4sI", 4, 4, 18, b"Xen\0", 0x100000)
    at = 64 + 2 * 56
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0x100000, 64, 0, 0, 64,
                         56, 2, 0, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, at, 0x100000, 0x100000, len(code), len(code), 1)
    notes = struct.pack("<IIQQQQQQ", 4, 4, at + len(code), 0, 0, len(note), len(note), 4)
    path = os.path.join(folder.path, "deaf.elf")
    with open(path, "wb") as file:
        file.write((header + load + notes + code + note).ljust(4096, b"\0"))
    return f"{PLAIN}[boot]\nkernel = {path}\n"


def states(folder):
    result = folder.run("list", "--json")
    return {} if result.returncode else {
        guest["name"]: guest["state"] for guest in d.json.loads(result.stdout)["guests"]}


def wait_states(folder, **wanted):
    d.wait_for(lambda: wanted.items() <= states(folder).items(), str(wanted))


def wait_prompt(folder):
    """Until the guest that hears of its power button has begun to."""
    d.wait_for(lambda: ">" in folder.run("show", "plain").stdout, "the guest's prompt")


def wait_listening(folder):
    wait_states(folder, deaf="running", plain="running")
    wait_prompt(folder)


class Screen:
    """The screen in a terminal of its own, whose keys can be pressed."""

    def __init__(self, folder, *args):
        self.fd, other = os.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = folder.start(
            *args, stdin=other, stdout=other, stderr=other, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(other)
        self.folder = folder
        self.text = b""

    def see(self, text):
        end = time.monotonic() + d.PATIENCE
        while text not in self.text:
            left = max(0, end - time.monotonic())
            assert select.select([self.fd], [], [], left)[0], f"no {text!r} in {self.text[-4000:]!r}"
            self.text += os.read(self.fd, 65536)

    def keys(self, keys):
        self.text = b""
        os.write(self.fd, keys)

    def deck(self):
        with open(self.folder.socket + ".lock") as file:
            return int(file.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        self.process.wait(d.PATIENCE)


def test_keys_behind_the_escape_of_run():
    d.need_kvm()
    with d.Folder() as folder:
        with Screen(folder, "run", folder.write("deaf.ini", deaf(folder, b"one"))) as screen:
            screen.see(b"Ctrl-] s presses the power button")
            screen.see(b"one")
            screen.keys(b"\x1d?")
            screen.see(b"b sends a break to the serial port, Ctrl-] types it")
            screen.keys(b"\x1db")
            screen.see(b"the guest does not read its serial port")
            screen.keys(b"\x1df")
            assert screen.process.wait(d.PATIENCE) == 0


def test_what_is_said_breaks_no_sequence():
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("deaf.ini", deaf(folder, b"one\033[?6", b"6htwo", b"three\033[?6"))
        with Screen(folder, "run", path) as screen:
            screen.see(b"Ctrl-] s presses the power button")
            screen.see(b"three\033[?6")
            text = screen.text
            screen.keys(b"\x1df")
            screen.see(b"\r\n")
            screen.process.wait(d.PATIENCE)
            text += screen.text
        assert b"one\033[?66htwo" in text and b"three\033[?6\030" in text, text


def with_deaf_and_plain(folder):
    folder.guest("deaf", deaf(folder))
    folder.guest("plain", PLAIN)


def gone(folder):
    return not os.path.exists(folder.socket)


def test_sigterm_of_a_deck_that_was_left_presses_buttons():
    d.need_kvm()
    with d.Folder() as folder:
        with_deaf_and_plain(folder)
        with Screen(folder) as screen:
            wait_listening(folder)
            screen.see(b"plain")
            screen.keys(b"q")
            screen.see(b"leave them running")
            screen.keys(b"l")
            screen.see(b"go on running")
            deck = screen.deck()
        events = folder.connect()
        folder.call("events.subscribe", {}, events)
        # Not for a hang-up, nor for the key of a terminal that it has left.
        os.kill(deck, signal.SIGHUP)
        os.kill(deck, signal.SIGINT)
        assert states(folder) == {"deaf": "running", "plain": "running"}
        os.kill(deck, signal.SIGTERM)
        wait_states(folder, plain="stopped")
        assert states(folder)["deaf"] == "running"
        # It is a state on a screen that comes now: what happens meanwhile does not hide it.
        with Screen(folder) as screen:
            screen.see(b"deck is being ended")
            assert folder.run("pause", "deaf").returncode == 0
            screen.see(b"deaf is paused")
            screen.keys(b"\x0c")
            screen.see(b"deck is being ended")
            screen.keys(b"q")
            screen.see(b"Guests are still shutting down")
            screen.keys(b"x")
        os.kill(deck, signal.SIGTERM)
        with events, events.makefile() as lines:
            told = lines.read()
        assert "2 guests have 30 seconds from the power button on" in told, told
        d.wait_for(lambda: gone(folder), "the socket to be removed")


def test_sigterm_of_a_deck_with_a_screen_counts_once_for_its_two_processes():
    d.need_kvm()
    with d.Folder() as folder:
        with_deaf_and_plain(folder)
        with Screen(folder) as screen:
            wait_listening(folder)
            # As who ends a control group does.
            screen.process.send_signal(signal.SIGTERM)
            os.kill(screen.deck(), signal.SIGTERM)
            wait_states(folder, plain="stopped")
            assert states(folder)["deaf"] == "running"
            screen.process.send_signal(signal.SIGTERM)
            screen.see(b"the deck was ended")
            assert screen.process.wait(d.PATIENCE) == 0
        assert gone(folder)


def signal_set(process, name, number):
    """Whether a signal is in a process's set "SigBlk" or "SigIgn"."""
    with open(f"/proc/{process.pid}/status") as file:
        sets = dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)
    return bool(int(sets[name], 16) & 1 << number - 1)


def heard(process, number):
    """Whether a process does something about a signal, other than to ignore it."""
    return signal_set(process, "SigBlk", number) or not signal_set(process, "SigIgn", number)


def test_what_was_ignored_stays_ignored():
    d.need_kvm()
    with d.Folder() as folder:
        def start(command, **options):
            return subprocess.Popen(["sh", "-c", f"trap '' INT HUP; exec {d.VMDECK} {command}"],
                                    env=folder.env, stdin=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, **options)

        run = start("run " + folder.write("plain.ini", PLAIN), stdout=subprocess.DEVNULL)
        wait_states(folder, plain="running")
        wait_prompt(folder)
        others = [start(command, stdout=subprocess.PIPE)
                  for command in ("console plain", "capture -w -")]
        for process in others:
            assert process.stdout.read(1), process.communicate()  # it is in its loop
        for process in run, *others:
            for number in signal.SIGINT, signal.SIGHUP:
                assert not heard(process, number), (process.args, number)
                process.send_signal(number)
            assert heard(process, signal.SIGTERM), process.args
        run.send_signal(signal.SIGTERM)
        # Had the others been heard, this one would have been the second: switched off.
        told = run.communicate(timeout=d.PATIENCE)[1].decode()
        assert run.returncode == 0 and "power button pressed" in told, told
        assert "forced" not in told and "switched" not in told, told
        for process in others:
            process.communicate(timeout=d.PATIENCE)


def test_a_terminal_that_goes_with_its_login_takes_no_power():
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("deaf.ini", deaf(folder))
        run = folder.start("run", path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True)
        wait_states(folder, deaf="running")
        for number in signal.SIGHUP, signal.SIGHUP, signal.SIGTERM:
            run.send_signal(number)
            time.sleep(0.3)
        assert states(folder) == {"deaf": "running"}
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=d.PATIENCE)
        assert run.returncode == 0


def left_behind(folder):
    """Sockets and locks in a home whose deck is gone."""
    return [name for _, _, names in os.walk(folder.path) for name in names
            if name.endswith((".sock", ".lock"))]


def wait_begun(process):
    """Until it has started the process that starts others, which comes before what it locks."""
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    if not os.path.exists(children):
        d.skip("this kernel does not tell the children of a process")
    while True:
        with open(children) as file:
            if file.read():
                return


def test_signals_are_the_same_from_the_start():
    with d.Folder() as folder:
        for number in signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGINT:
            process = folder.start("--headless", stdin=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
            wait_begun(process)
            process.send_signal(number)
            if number in (signal.SIGHUP, signal.SIGQUIT):
                d.wait_for(lambda: folder.run("list").returncode == 0 or
                           process.poll() is not None, "the deck")
                process.send_signal(signal.SIGTERM)
            assert process.wait(d.PATIENCE) == 0, (number, process.returncode)
            assert not left_behind(folder), (number, left_behind(folder))


def test_a_screen_that_begins_does_not_die_of_its_terminal():
    with d.Folder() as folder:
        for number in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP:
            with Screen(folder) as screen:
                lock = folder.socket + ".lock"
                while not os.path.exists(lock) or not os.path.getsize(lock):
                    pass
                os.kill(screen.deck(), number)
                if number == signal.SIGINT:
                    screen.see(b"No guests")
                    screen.keys(b"q")
                assert screen.process.wait(d.PATIENCE) == 0, number
            d.wait_for(lambda: not left_behind(folder), f"the end of all after {number}")


def test_run_hears_a_signal_that_comes_before_its_guest():
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("plain.ini", PLAIN)
        for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT:
            run = folder.start("run", path, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
            wait_begun(run)
            run.send_signal(number)
            # Two more switch it off, as its guest may not have seen the button yet.
            run.send_signal(signal.SIGTERM)
            run.send_signal(signal.SIGINT)
            told = run.communicate(timeout=d.PATIENCE)[1]
            assert run.returncode == 0, (number, told)


def from_elsewhere(deck, *args):
    """A command of another login, of cron(8) or sudo(8): it has another folder for sockets."""
    return subprocess.run([d.VMDECK, *args], env=dict(deck.env, XDG_RUNTIME_DIR="/nonexistent"),
                          capture_output=True, text=True, timeout=d.PATIENCE,
                          stdin=subprocess.DEVNULL)


def test_a_deck_is_found_from_other_logins():
    with d.Deck() as deck:
        deck.guest("one", PLAIN)
        deck.run("reload")
        listed = from_elsewhere(deck, "list")
        assert listed.returncode == 0 and "one" in listed.stdout, listed
        refused = from_elsewhere(deck, "--demo")
        assert refused.returncode == 1 and "a deck is running" in refused.stderr, refused
        # Another deck has other profiles; what it finds taken it leaves alone.
        with d.Folder() as other:
            other.env["XDG_STATE_HOME"] = deck.env["XDG_STATE_HOME"]
            process = other.start("--headless", stderr=subprocess.PIPE, text=True)
            try:
                d.wait_for(lambda: os.path.exists(other.socket), "the other deck")
                assert "one" not in other.run("list").stdout
                assert "one" in from_elsewhere(deck, "list").stdout
            finally:
                process.terminate()
                process.communicate(timeout=d.PATIENCE)
        assert "one" in from_elsewhere(deck, "list").stdout


def test_a_socket_that_goes_away_is_made_again():
    with d.Deck() as deck:
        deck.guest("one", PLAIN)
        runtime = deck.env["XDG_RUNTIME_DIR"]
        second = os.path.join(deck.path, "state/vmdeck/deck.sock")
        attached = deck.connect()
        os.unlink(deck.socket)
        d.wait_for(lambda: os.path.exists(deck.socket), "the socket to come back")
        os.unlink(second)
        d.wait_for(lambda: os.path.exists(second), "the second socket to come back")
        d.shutil.rmtree(runtime)
        for _ in range(20):
            assert deck.run("list").returncode == 0
        # Who comes now attaches, and nobody starts the same guests again.
        refused = deck.run("--headless")
        assert refused.returncode == 1, refused
        refused = deck.run("--headless", "--socket", os.path.join(deck.path, "other.sock"))
        assert refused.returncode == 1 and f"process {deck.process.pid}" in refused.stderr, refused
        os.mkdir(runtime, 0o700)
        d.wait_for(lambda: os.path.exists(deck.socket), "the first socket")
        assert deck.run("list").returncode == 0
        deck.call("guest.list", connection=attached)
        attached.close()
        with open(deck.errors) as file:
            told = file.read()
        assert told.count("the deck's socket was made here") == 2, told
        assert told.count(f"commands find the deck at {second}") == 1, told


def test_profiles_are_locked_again_when_the_state_folder_has_gone():
    with d.Deck() as deck:
        state = os.path.join(deck.path, "state/vmdeck")
        d.shutil.rmtree(state)
        d.wait_for(lambda: os.path.exists(state) and
                   any(re.match(r"deck-.*\.lock", name) for name in os.listdir(state)),
                   "the lock to come back")
        refused = deck.run("--headless", "--socket", os.path.join(deck.path, "other.sock"))
        assert refused.returncode == 1 and f"process {deck.process.pid}" in refused.stderr, refused


def test_a_deck_waits_for_one_that_is_ending():
    with d.Folder() as folder:
        first = folder.start("--headless", stderr=subprocess.PIPE, text=True)
        d.wait_for(lambda: folder.run("list").returncode == 0, "the first deck")
        for _ in range(3):
            first.send_signal(signal.SIGTERM)
            second = folder.start("--headless", stderr=subprocess.PIPE, text=True)
            first.communicate(timeout=d.PATIENCE)
            d.wait_for(lambda: folder.run("list").returncode == 0 or second.poll() is not None,
                       "the next deck")
            assert second.poll() is None, second.communicate()
            first = second
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=d.PATIENCE)


def test_a_socket_of_somebody_else_is_not_removed():
    with d.Deck() as deck:
        other = d.socket.socket(d.socket.AF_UNIX)
        d.shutil.rmtree(deck.env["XDG_RUNTIME_DIR"])
        os.makedirs(os.path.dirname(deck.socket), 0o700)
        os.chmod(deck.env["XDG_RUNTIME_DIR"], 0o700)
        other.bind(deck.socket)
        other.listen()
        time.sleep(3)
        assert os.path.exists(deck.socket)
        assert from_elsewhere(deck, "list").returncode == 0
        other.close()
        os.unlink(deck.socket)
        d.wait_for(lambda: os.path.exists(deck.socket), "the first socket")


def test_run_needs_no_socket():
    d.need_kvm()
    with d.Folder() as folder:
        path = folder.write("plain.ini", PLAIN)
        folder.env["XDG_RUNTIME_DIR"] = os.path.join(folder.path, "r" * 100)
        os.mkdir(folder.env["XDG_RUNTIME_DIR"], 0o700)
        run = folder.start("run", path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
        assert run.stdout.read(1), run.communicate()
        run.send_signal(signal.SIGTERM)
        errors = run.communicate(timeout=d.PATIENCE)[1].decode()
        assert run.returncode == 0, errors
        assert "no other command reaches it" in errors, errors


def test_orders_one_after_the_other():
    d.need_kvm()
    with d.Deck(prepare=with_deaf_and_plain) as deck:
        wait_states(deck, deaf="running", plain="running")

        def well(*command):
            result = deck.run(*command)
            assert result.returncode == 0, (command, result.stderr)
            return deck.call("guest.show", {"guest": "plain"})

        # Whether it is still on its way down, or has not begun to go.
        console = deck.console("plain")
        console.expect("plain> ")
        for stop in ["stop"], ["stop", "--force"], ["stop", "--force"]:
            well(*stop, "plain")
            assert well("start", "plain")["state"] == "running"
        assert well("pause", "--wait", "plain")["state"] == "paused"
        assert well("resume", "--wait", "plain")["state"] == "running"
        for count in 1, 2:
            shown = well("reset", "--wait", "plain")
            assert (shown["state"], shown["restarts"]) == ("running", count), shown
        assert "restarted 2 times" in deck.run("list").stdout
        # A paused one is resumed to see its power button.
        console.close()
        console = deck.console("plain", backlog=False)
        well("reset", "--wait", "plain")
        console.expect("plain> ")
        console.close()
        well("pause", "--wait", "plain")
        assert well("stop", "--wait", "plain")["state"] == "stopped"

        # One that is deaf is not waited for without end, and what was pressed shows.
        well("stop", "deaf")
        assert "power button pressed" in deck.run("list").stdout
        for command in "stop --wait", "start":
            result = deck.run(*command.split(), "--timeout", "1", "deaf")
            assert result.returncode == 1, result
            assert "deaf has not stopped within 1 second" in result.stderr, result.stderr
            assert "vmdeck stop --force deaf" in result.stderr, result.stderr
        well("pause", "--wait", "deaf")
        result = deck.run("start", "deaf")
        assert result.returncode == 1 and "deaf is paused; only" in result.stderr, result
        assert "one that is paused can be resumed" in result.stderr, result
        well("stop", "deaf")
        deck.wait_state("deaf", "running")
        with open(os.path.join(deck.path, "state/vmdeck/deck.log")) as log:
            told = [line.split("] ", 1)[1] for line in log]
        assert told[-2:] == ["deaf: running\n", "deaf: power button pressed\n"], told[-4:]
        waiting = deck.start("start", "deaf")
        well("stop", "--force", "deaf")
        assert waiting.wait(d.PATIENCE) == 0
        assert deck.state("deaf") == "running" and "pressed" not in deck.run("list").stdout
        result = deck.run("pause", "plain")
        assert "plain is stopped; only a guest that is running can be paused" in result.stderr


def test_addresses_outlast_their_deck():
    """And a guest's is no other's, whatever order they start in."""
    d.need_kvm()

    def addresses(folder):
        return {guest["name"]: guest["nets"][0].get("address")
                for guest in folder.json("list")["guests"]}

    def given_by_a_deck(folder, *names):
        deck = folder.start("--headless", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
        wait_states(folder, one="defined", two="defined")
        for name in names:
            assert folder.run("start", name).returncode == 0
            d.wait_for(lambda: addresses(folder)[name], "an address")
        given = addresses(folder)
        assert folder.run("shutdown", "--force").returncode == 0
        assert deck.wait(d.PATIENCE) == 0
        return given
    with d.Folder() as folder:
        for name in "one", "two":
            folder.guest(name, "[guest]\nmemory = 16M\n[net0]\nswitch = lan\n")
        before = given_by_a_deck(folder, "one", "two")
        (path,) = glob.glob(os.path.join(folder.path, "state/vmdeck/leases-*.json"))
        with open(path) as file:
            kept = d.json.load(file)["switches"]["lan"]
        assert {lease["address"] for lease in kept} == set(before.values()), kept
        assert given_by_a_deck(folder, "two", "one") == before
        # What is none is said, and begins anew.
        with open(path, "w") as file:
            file.write('{"switches": [')
        assert given_by_a_deck(folder, "two")["two"] == before["one"]
        with open(os.path.join(folder.path, "state/vmdeck/deck.log")) as log:
            assert "guests may have other addresses than before: " in log.read()


def test_orders_to_one_that_resets_itself():
    """Whenever they come, also between two of its starts."""
    d.need_kvm()
    with d.Deck(prepare=lambda folder: folder.guest(
            "loop", "[guest]\nmemory = 16M\n[boot]\ncmdline = 'name=loop cmd=\"reboot\"'\n")) as deck:
        assert deck.run("start", "loop").returncode == 0
        d.wait_for(lambda: deck.call("guest.show", {"guest": "loop"})["restarts"] > 6,
                   "the guest to reset itself")
        for i in range(3):
            time.sleep(i * 0.23)
            for command in "pause", "resume", "reset":
                result = deck.run(command, "--wait", "--timeout", "20", "loop")
                assert result.returncode == 0, (i, command, result.stderr)
                assert command != "pause" or deck.state("loop") == "paused"


def test_start_says_when_it_fails():
    d.need_kvm()
    with d.Deck() as deck:
        deck.guest("broken", f"[guest]\nmemory = 16M\n[boot]\nkernel = {deck.path}/none\n")
        deck.call("deck.reload")
        result = deck.run("start", "broken")
        assert result.returncode == 1 and "none" in result.stderr, result


d.main()
