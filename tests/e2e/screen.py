#!/usr/bin/env python3
"""The screen with the real core behind it: keys pressed in tmux at 120x40, screens compared."""
import itertools
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
import firmware as f


class Terminal:
    """A terminal of tmux with the program in it, on a tmux server of its own."""

    numbers = itertools.count()

    def __init__(self, folder, *args, size=(120, 40), env=()):
        d.need("tmux")
        self.name = f"vmdeck-test-{os.getpid()}-{next(Terminal.numbers)}"
        self.folder = folder
        command = shlex.join(["env", *env, d.VMDECK, *args])
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]),
                  f"{command}; echo ended with $?; exec cat")

    def tmux(self, *args):
        return subprocess.run(["tmux", "-L", self.name, *args], env=self.folder.env, check=True,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def see(self, pattern, seconds=d.PATIENCE):
        """Waits until the screen shows pattern; returns the match."""
        try:
            return d.wait_for(lambda: re.search(pattern, self.screen(), re.M), pattern, seconds)
        except AssertionError:
            raise AssertionError(f"no {pattern!r} on the screen:\n{self.screen()}") from None

    def gone(self):
        """Waits until the program has ended and the terminal is the shell's again; its exit status."""
        return int(self.see(r"^ended with (\d+)").group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True)


class Shell(Terminal):
    """A shell with job control in a terminal of its own."""

    def __init__(self, folder, size=(80, 24)):
        d.need("tmux")
        self.name = f"vmdeck-test-{os.getpid()}-{next(Terminal.numbers)}"
        self.folder = folder
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]),
                  "env PS1='shell> ' bash --norc -i")
        self.see("^shell>")

    def paste(self, text):
        self.tmux("set-buffer", text)
        self.tmux("paste-buffer", "-p")


def held_packets_stay(terminal):
    def packets():
        return re.findall(r"^│ \d\d:\d\d:\d\d\.\d{3} .*│$", terminal.screen(), re.M)
    terminal.keys("Space")
    terminal.see("held; .* since; Space follows")
    before = packets()
    terminal.keys("?")
    terminal.see("power button")
    terminal.keys("Escape")
    terminal.see("held; .* since; Space follows")
    assert before and packets() == before
    terminal.keys("Space")
    terminal.see("following")
    d.wait_for(lambda: packets() != before, "more packets")


def a_capture_is_ended_by_the_screen_that_began_it(folder, terminal):
    path = os.path.join(folder.path, "own.pcapng")
    terminal.keys("w")
    terminal.see("Capture lan to")
    terminal.keys("~/none/own.pcapng", "Enter")
    terminal.see("No such file")
    terminal.keys("w")
    terminal.see("Capture lan to .*~/none/own.pcapng")
    terminal.keys("C-u", "~/own.pcapng", "Enter")
    terminal.see(re.escape(f"Capturing to {path}; x ends it."))
    with Terminal(folder) as other:
        other.see(r"web +● running")
        other.keys("n")
        other.see(f"capturing .*{re.escape(path)}")
        other.see("● 1 capture ")
        other.keys("w")
        other.see(r"Capture lan to")
        other.keys("~/other.pcapng", "Enter")
        other.see("2 captures run; x ends the selected one")
        # Its own is selected; the first screen's is ended after a question alone.
        other.keys("x")
        other.see(r"The capture has \d+ packets?")
        other.keys("x")
        other.see("This screen did not begin the capture to")
        other.keys("n")
        other.keys("q")
        other.see("╭─ Guests")
        other.see("● 1 capture ")
    terminal.see(r"capturing \(x ends it\) lan: \d+ packets")
    terminal.keys("x")
    terminal.see(r"The capture has \d+ packets?")
    assert os.path.getsize(path)


def totals_are_of_what_is_listed(screen):
    """In what was drawn at one time; as far as numbers are rounded."""
    cpu = [float(number) for number in re.findall(r"^│ \w+ +● running +([\d.]+) ", screen, re.M)]
    memory = [float(number) for number in re.findall(r"^│ \w+ +● running .*? ([\d.]+)M ", screen, re.M)]
    row = re.search(r"^│ together +([\d.]+) .*? ([\d.]+)M ", screen, re.M)
    assert len(cpu) == len(memory) == 3, screen
    assert abs(float(row[1]) - sum(cpu)) <= 0.7, screen
    assert abs(float(row[2]) - sum(memory)) <= 0.3, screen


def test_demo_deck_from_first_sight_to_shut_down():
    d.need_kvm()
    with d.Folder() as folder, Terminal(folder, "--demo") as terminal:
        for name in ("db", "lab", "web"):
            terminal.see(rf"│ {name} +● running")
        totals_are_of_what_is_listed(
            terminal.see(r"(^│ \w+ +● running .* [\d.]+M .*\n){3}│ together .* [\d.]+M ").string)
        # Every chart draws: braille dots in each of its boxes.
        terminal.see(r"╭─ CPU +\d+\.\d%.*╭─ Network")
        terminal.see(r"╭─ Memory +\d+\.\dM +of 48\.0M.*╭─ Disk")
        terminal.see("[\u2801-\u28ff]{4}")

        terminal.keys("?")
        terminal.see("power button")
        terminal.keys("Escape")

        terminal.keys("n")
        terminal.see(r"lan +10\.0\.2\.2/24 +uplink nat")
        for name in ("db", "lab", "web"):
            terminal.see(rf"10\.0\.2\.\d+ +{name} ")
        terminal.see(r"(web|db|lab) +(web|db|lab) +ICMP +Echo \(ping\) re")
        # What is under way stays on the status line, whatever happens.
        terminal.keys("w")
        terminal.see("Capture lan to")
        terminal.keys("Enter")
        terminal.see(r"^ Capturing to \S+\.pcapng; x ends it")
        assert folder.run("pause", "db").returncode == 0
        terminal.see(r"^ db is paused\n Capturing to ")
        assert folder.run("resume", "db").returncode == 0
        terminal.see(r"^ db is running\n Capturing to ")
        terminal.keys("x")
        terminal.see(r"The capture has \d+ packets?")
        d.wait_for(lambda: "Capturing to" not in terminal.screen(), "the capture's end")
        held_packets_stay(terminal)
        a_capture_is_ended_by_the_screen_that_began_it(folder, terminal)
        terminal.keys("Escape")
        terminal.see("╭─ Guests")

        terminal.keys("c")
        terminal.see("q leaves")
        terminal.see("vmdeck demo guest|demo: ")
        terminal.keys("status", "Enter")
        terminal.see(r"^memory 4\d+ KiB")
        terminal.keys("C-]", "q")
        terminal.see("╭─ Guests")

        terminal.keys("p")
        terminal.see(r"db +\S paused")
        terminal.see(r"3 guests · 2 running · 1 paused")
        terminal.keys("s")
        terminal.see(r"db +\S running")
        terminal.keys("F")
        terminal.see("Force db off")
        terminal.keys("x")  # not confirmed
        terminal.see(r"db +\S running")
        d.wait_for(lambda: "Force db off" not in terminal.screen(), "the question to go")
        terminal.keys("F")
        terminal.see("Force db off")
        terminal.keys("y")
        terminal.see(r"db +\S stopped")
        terminal.keys("s")
        terminal.see(r"db +\S running")

        terminal.keys("q")
        terminal.see("l: leave them running")
        terminal.keys("s")
        assert terminal.gone() == 0
        assert folder.run("list").returncode == 1


def test_many_guests_are_managed_from_the_list():
    d.need_kvm()
    with d.Folder() as folder, Terminal(folder, "--demo=6") as terminal:
        terminal.see(r"6 guests · 6 running")
        terminal.see(r"^ Host CPU \d+% of \d+ · memory \S+ of \S+ .* · KVM · ")
        terminal.see(r"^│ together +\d")
        # A part of names, as it is typed, and what is marked there.
        terminal.keys("/", "g", "u")
        terminal.see("Guests matching gu ")
        d.wait_for(lambda: "│ web " not in terminal.screen(), "the others to go")
        terminal.keys("Enter")
        terminal.keys("*")
        terminal.see("3 marked · 6 guests")
        terminal.keys("Escape")  # the marks
        d.wait_for(lambda: "marked" not in terminal.screen(), "no marks")
        terminal.keys("*", "/", "C-u", "Enter")
        terminal.see(r"◆guest5 +● running")
        terminal.see(r"^│ web +● running")
        # One order for all of them, and one question.
        terminal.keys("p")
        terminal.see(r"Paused: guest4, guest5 and guest6\.")
        terminal.see(r"3 marked · 6 guests · 3 running · 3 paused")
        assert {g["name"] for g in folder.json("list")["guests"] if g["state"] == "paused"} == \
            {"guest4", "guest5", "guest6"}
        terminal.keys("F")
        terminal.see(r"Force guest4, guest5 and guest6 off\? They lose what")
        terminal.keys("x")
        d.wait_for(lambda: "Force guest4" not in terminal.screen(), "the question to go")
        terminal.see(r"3 marked · 6 guests · 3 running · 3 paused")
        terminal.keys("F")
        terminal.see(r"Force guest4, guest5 and guest6 off\?")
        terminal.keys("y")
        terminal.see(r"guest6 +○ stopped")
        terminal.see(r"6 guests · 3 running")
        # Sorted by state, those that run come before those that are down.
        terminal.keys("u", "F6")
        terminal.see(r"Sort by\?")
        terminal.keys("Escape")
        d.wait_for(lambda: "Sort by" not in terminal.screen(), "the question to go")
        terminal.keys("F6", "s")
        terminal.see(r"▲State")
        names = re.findall(r"^│ (\w+) +[●○] (?:running|stopped)", terminal.screen(), re.M)
        assert names == ["db", "lab", "web", "guest4", "guest5", "guest6"], names
        # The power button asks.
        terminal.keys("g", "S")
        terminal.see(r"Shut db down\?")
        terminal.keys("n")
        d.wait_for(lambda: "Shut db down" not in terminal.screen(), "the question to go")
        terminal.keys("l")
        d.wait_for(lambda: "╭─ CPU" not in terminal.screen(), "the charts to go")
        assert folder.json("show", "db")["state"] == "running"
        terminal.keys("v")
        terminal.see("╭─ CPU")
        terminal.keys("q")
        terminal.see("s: shut them down")
        terminal.keys("s")
        assert terminal.gone() == 0


def test_a_guest_that_resets_itself_stands_out():
    d.need_kvm()
    with d.Deck(prepare=lambda folder: folder.guest(
            "loop", "[guest]\nmemory = 16M\n[boot]\ncmdline = 'name=loop cmd=\"reboot\"'\n")) as deck, \
            Terminal(deck, size=(80, 24)) as terminal:
        terminal.see(r"loop +○ defined")
        terminal.keys("s")
        terminal.see(r"loop +↻ looping +×\d+", 30)
        terminal.see(r"1 looping · 1 guest")
        terminal.keys("F")
        terminal.see(r"Force loop off\?")
        terminal.keys("y")
        terminal.see(r"loop +○ stopped")


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def emulators(folder):
    """The processes that emulate the terminals of screens of that folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if not file.read().startswith(b"vmdeck-emulator\0"):
                    continue
            with open(f"/proc/{parent(parent(pid))}/environ", "rb") as file:
                if folder.path.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass  # it has ended
    return found


def emulator(folder):
    return d.wait_for(lambda: emulators(folder), "a process for the terminal")[0]


def test_a_terminal_that_fails_takes_no_key_with_it():
    d.need_kvm()
    with d.Folder() as folder, Terminal(folder, "--demo", size=(80, 24)) as terminal:
        terminal.see(r"web +● running")
        assert not emulators(folder)
        terminal.keys("c")
        terminal.see("^db>")
        terminal.keys("quiet", "Enter")
        terminal.see("^db> quiet\n(.*\n)*db>$")
        terminal.keys("sta")
        os.kill(emulator(folder), signal.SIGKILL)
        terminal.keys("tus", "Enter")
        terminal.see(r"^ The terminal failed: it was ended by signal 9 \(Killed\)\. +Ctrl-\] q leaves")
        terminal.see("^db> status\n(.*\n)*memory 4\\d+ KiB")

        # One that hangs is ended; leaving does not wait for that, nor does anything else.
        os.kill(emulator(folder), signal.SIGSTOP)
        terminal.keys("sink", "Enter")
        terminal.see("The terminal failed: it did not answer")
        terminal.see("^db> sink")
        pid = emulator(folder)
        os.kill(pid, signal.SIGSTOP)
        terminal.keys("Enter", "C-]", "q")
        terminal.see("╭─ Guests", 1)
        terminal.keys("q")
        terminal.see("s: shut them down")
        terminal.keys("s")
        assert terminal.gone() == 0
        d.wait_for(lambda: not emulators(folder) and not os.path.exists(f"/proc/{pid}"),
                   "its end")


def test_a_hostile_console_holds_nobody():
    d.need_kvm()
    with d.Folder() as folder, Terminal(folder, "--demo") as terminal:
        terminal.see(r"web +● running")
        terminal.keys("c")
        terminal.see("^db>")
        pid = emulator(folder)
        terminal.keys("attack console 4", "Enter")
        time.sleep(1)
        for width, height in (60, 12), (200, 50), (120, 40):
            terminal.tmux("resize-window", "-x", str(width), "-y", str(height))
        terminal.keys("C-]", "q")
        terminal.see("╭─ Guests", 2)
        terminal.keys("c")
        terminal.see("^ db ● running")
        time.sleep(4)
        # The guest's line editor got what answered its attack.
        terminal.keys("C-c", "Enter", "status", "Enter")
        terminal.see("^peers: ")
        assert emulators(folder) == [pid]


def test_commands_are_typed_in_the_palette():
    d.need_kvm()
    with d.Folder() as folder:
        with Terminal(folder, "--demo", size=(80, 24)) as terminal:
            terminal.see(r"web +● running")
            terminal.keys(":", "pse")
            terminal.see(r"^  pause +pauses guests")
            terminal.keys("Tab", "w", "Tab", "Enter")
            terminal.see(r"web +\S paused")
            terminal.keys(":", "pasue web", "Enter")
            terminal.see(r"there is no command 'pasue'; did you mean 'pause'\?\n : pasue web$")
            # What the deck refuses keeps the line as well.
            terminal.keys("C-u", "pause web", "Enter")
            terminal.see(r"^ web is paused; only .*\n .*can be resumed\n : pause web$")
            terminal.keys("C-u", "port set web/net0 loss=1%", "Enter")
            terminal.see("^ Done: port set web/net0 loss=1%")
            assert "loss = 1%" in folder.run("port", "show", "web/net0").stdout
            terminal.keys(":", "reset db", "Enter")
            terminal.see("Reset db\\?")
            terminal.keys("n")
            terminal.keys("C-p", "capture -i lan -w ~/palette.pcapng", "Enter")
            terminal.see(r"^ Capturing to \S+/palette\.pcapng; x ends it")
            terminal.keys(":", "console lab", "Enter")
            terminal.see("^ lab ● running")
            terminal.keys(":", "C-p")  # the guest's
            terminal.see(":$|: *$")
            terminal.keys("C-]", "q", ":", "list", "Enter")
            terminal.see("╭─ Guests")
            terminal.keys(":", "list", "Enter")
            terminal.see("It is on the screen already")
            # What a key has asked for is the newest line.
            terminal.keys("p")
            terminal.see(r"db +\S paused")
            terminal.keys(":", "Up")
            terminal.see("^ : pause db$")
            terminal.keys("Escape", "q")
            terminal.see("l: leave")
            terminal.keys("s")
            assert terminal.gone() == 0
        kept = os.path.join(folder.path, "state/vmdeck/commands")
        assert os.stat(kept).st_mode & 0o777 == 0o600
        with open(kept) as file:
            lines = file.read().splitlines()
        assert "port set web/net0 loss=1%" in lines and "pause db" in lines, lines


def stops_and_comes_back(terminal, question):
    terminal.keys("C-z")
    terminal.see(r"^\[1\]\+ +Stopped(.*\n)+shell>")
    assert terminal.tmux("display", "-p", "#{alternate_on}") == "0\n"
    terminal.keys("echo $((40 + 2))", "Enter")
    terminal.see("^42$")
    terminal.keys("fg", "Enter")
    terminal.see("╭─ Guests")
    if question:
        terminal.see("l: leave them running")


def test_a_screen_stops_for_its_shell():
    d.need_kvm()
    with d.Folder() as folder, Shell(folder) as terminal:
        terminal.keys(f"{shlex.quote(d.VMDECK)} --demo", "Enter")
        terminal.see(r"web +● running")
        stops_and_comes_back(terminal, False)
        terminal.keys("p")
        terminal.see(r"db +\S paused")
        # Guests go on meanwhile, and what happens to them is seen then.
        terminal.keys("C-z")
        terminal.see(r"^\[1\]\+ +Stopped(.*\n)+shell>")
        assert folder.run("resume", "--wait", "db").returncode == 0
        terminal.keys("bg; sleep 1; fg", "Enter")
        terminal.see(r"db +● running")
        terminal.keys("q")
        terminal.see("l: leave them running")
        stops_and_comes_back(terminal, True)
        terminal.keys("l")
        terminal.see("the guests go on running")
        # The same attached.
        terminal.keys("clear", "Enter", shlex.quote(d.VMDECK), "Enter")
        terminal.see(r"web +● running")
        stops_and_comes_back(terminal, False)
        terminal.keys("q")
        terminal.see("s: shut them down")
        terminal.keys("s")
        terminal.see("^shell> *$")


def test_a_screen_without_a_shell_stays():
    with d.Folder() as folder, Terminal(folder) as terminal:
        terminal.see("No guests")
        terminal.keys("C-z")
        terminal.see("not started by a shell that could bring it back")
        terminal.keys("q")
        assert terminal.gone() == 0


def test_pasted_text_is_no_command():
    d.need_kvm()
    with d.Folder() as folder, Shell(folder) as terminal:
        terminal.keys(f"{shlex.quote(d.VMDECK)} --demo", "Enter")
        terminal.see(r"web +● running")
        terminal.paste("pFy\nq\x1b")
        terminal.see("Pasted text is not taken for keys; : opens a line for commands")
        terminal.see(r"3 guests · 3 running")
        # A line takes it as text; what is pasted runs nothing.
        terminal.keys(":")
        terminal.paste("pause\nweb\n")
        terminal.see("^ : pause web *$")
        terminal.keys("Enter")
        terminal.see(r"web +\S paused")
        # A question is not answered by it.
        terminal.keys("Z")
        terminal.see("Reset db")
        terminal.paste("y")
        time.sleep(0.2)
        terminal.see("Reset db")
        terminal.keys("n", "c")
        terminal.see("^db>")
        terminal.paste("quiet\nstatus\n")
        terminal.see("^memory 4\\d+ KiB")
        terminal.keys("C-]", "q", "q")
        terminal.see("l: leave")
        terminal.keys("s")
        terminal.see("^shell> *$")


def test_the_end_of_a_pasted_line_is_no_part_of_a_passphrase():
    with d.Folder() as folder, Shell(folder) as terminal:
        image = folder.write("locked.img", "x" * 4096)
        folder.guest("locked", f"[guest]\nmemory = 32M\n[disk0]\npath = {image}\nformat = luks\n")
        terminal.keys(shlex.quote(d.VMDECK), "Enter")
        terminal.see(r"locked +\S ")
        terminal.keys("s")
        terminal.see("locked: passphrase of disk0")
        terminal.paste("sesame\n")
        terminal.see(r"^ \*{6} *$")
        terminal.keys("Escape")
        terminal.see("1 guest ")
        terminal.keys("q")
        terminal.see("^shell> *$")


def beyond_ascii(terminal):
    return "".join(sorted(set(re.findall(r"[^\x00-\x7f]", terminal.screen()))))


def test_terminals_with_fewer_glyphs():
    d.need_kvm()
    with d.Folder() as folder:
        with Terminal(folder, "--demo", env=["TERM=linux"]) as terminal:
            terminal.see(r"web +• running")
            terminal.see("┌─ CPU .*┐┌─ Network")
            terminal.see("[▄█]{2}")
            assert not set(beyond_ascii(terminal)) - set("·•─│┌┐└┘▀▄█▲▼►"), beyond_ascii(terminal)
            terminal.keys("n")
            terminal.see("uplink nat")
            terminal.keys("Escape", "Enter")
            terminal.see("VM exits")
            assert not set(beyond_ascii(terminal)) - set("·•─│┌┐└┘▀▄█▲▼►■"), beyond_ascii(terminal)
        with Terminal(folder, env=["TERM=vt100"], size=(80, 24)) as terminal:
            terminal.see(r"web +\* running")
            terminal.see(r"^\+- CPU ")
            terminal.see("#{2}")
            terminal.keys("?")
            terminal.see("power button")
            terminal.keys("Escape", "c")
            terminal.see("^db>")
            terminal.keys("C-]", "q")
            terminal.see("Guests")
            assert not beyond_ascii(terminal), beyond_ascii(terminal)
        with Terminal(folder, env=["TERM=vt100", "VMDECK_GLYPHS=all"]) as terminal:
            terminal.see(r"web +● running")
            terminal.see("[\u2801-\u28ff]{4}")


def test_a_read_only_screen_watches():
    d.need_kvm()
    with d.Folder() as folder:
        with Terminal(folder, "-R") as terminal:
            assert terminal.gone() == 1
            terminal.see("^vmdeck: no deck is running; --read-only watches one that is")
        with Terminal(folder, "--demo") as other, Terminal(folder, "-R") as terminal:
            terminal.see(r"^ vmdeck read-only .* 3 running$")
            for key in "p", "S", "F", "e", "R":
                terminal.keys(key)
                terminal.see(r"^ This screen is read-only \(-R\)")
                terminal.keys("Down")
                d.wait_for(lambda: "\n This screen" not in terminal.screen(), "the refusal to go")
            # Keys that would be refused are not offered.
            footer = terminal.see(r"^ Enter details .*").group()
            assert "? help" in footer and "start" not in footer and "power" not in footer, footer
            assert "s start  q leave" in other.see(r"^ Enter details .*").group()
            terminal.keys("Home", ":", "reset", "Enter")
            terminal.see(r"This screen is read-only .*\n : reset")
            terminal.keys("Escape", "c")
            terminal.see("read-only: nothing is typed")
            terminal.see("^db>")
            terminal.keys("status", "Enter")
            other.see(r"db +● running")
            other.keys("c")
            other.see("^db>")
            other.keys("help", "Enter")
            terminal.see("poweroff")
            assert "status" not in re.findall("^db>.*", terminal.screen(), re.M)[-1]
            assert not re.search("^db> *status", terminal.screen(), re.M), terminal.screen()
            terminal.keys("C-]", "q", "q")
            assert terminal.gone() == 0
            states = [guest["state"] for guest in folder.json("list")["guests"]]
            assert states == ["running"] * 3, states


def test_keys_behind_the_prefix_of_a_console():
    d.need_kvm()
    with d.Folder() as folder, Terminal(folder, "--demo") as terminal:
        terminal.see(r"web +● running")
        terminal.keys("c")
        terminal.see("^db>")
        terminal.keys("C-]")
        terminal.see("q leave  Ctrl-] send it  Tab other side  ] next guest")
        terminal.keys("]")
        terminal.see("^ lab ● running")
        terminal.see("^lab>")
        terminal.keys("C-]", "[")
        terminal.see("^ db ● running")
        terminal.keys("C-]", "x")
        terminal.see("does nothing behind Ctrl-]")
        terminal.keys("C-]", "Z")
        terminal.see("Reset db?")
        terminal.keys("n")
        # Nothing of that has come to the guest.
        terminal.keys("status", "Enter")
        terminal.see("^db> status\n(.*\n)*memory 4\\d+ KiB")
        path = os.path.join(folder.path, "db.txt")
        terminal.keys("C-]", "w")
        terminal.see("Save what db has printed to:")
        terminal.keys(path, "Enter")
        terminal.see("What db has printed is in .*db.txt")
        with open(path) as file:
            text = file.read()
        assert 'vmdeck demo guest "db"' in text and "\33" not in text and "\r" not in text, text
        terminal.keys("C-]", "w", path, "Enter")
        terminal.see("db.txt: File exists")
        # Upward, from the last line on; what nobody printed is said to be nowhere.
        terminal.keys("C-]", "/")
        terminal.see("Search:")
        terminal.keys("demo guest", "Enter")
        terminal.see("n older  N newer")
        terminal.keys("n")
        terminal.see("in no further line")
        terminal.keys("/", "nobody printed this", "Enter")
        terminal.see("nowhere in what the console keeps")
        terminal.keys("Escape")
        terminal.see("q leaves")
        # The line of the cursor, and from a place on; tmux has it then.
        terminal.tmux("set", "-s", "set-clipboard", "on")
        terminal.keys("C-]", "y")
        terminal.see("Space begin  Enter copy")
        terminal.keys("Enter")
        terminal.see("bytes were handed to the terminal")
        assert terminal.tmux("show-buffer") == "db>", terminal.tmux("show-buffer")
        terminal.keys("C-]", "y", *["Up"] * 60, "Down", "Right", "Space", "Down", "End", "y")
        terminal.see("bytes were handed to the terminal")
        d.wait_for(lambda: terminal.tmux("show-buffer") != "db>", "the second copy")
        copied = terminal.tmux("show-buffer")
        assert re.fullmatch('mdeck demo guest "db": .*\nnet: .*', copied), copied
        # A key behind a break: the small guest takes it for one that is typed.
        terminal.keys("C-]", "r")
        terminal.see("SysRq key")
        terminal.keys("j", "Enter")
        terminal.see("^db> .*j$")
        assert folder.run("break", "db", "jj").returncode == 2
        assert folder.run("break", "db", "k").returncode == 0
        terminal.see("^db> .*jk$")
        assert "no VGA screen" in folder.run("break", "--keyboard", "db", "h").stderr
        terminal.keys("C-]", "Escape", "C-]", ":")
        terminal.see("^ : *$")
        terminal.keys("pause db", "Enter")
        terminal.see("^ db .*paused")
        terminal.keys("C-]", "s")
        terminal.see("^ db .*running")
        terminal.keys("C-]", "q")
        terminal.see("╭─ Guests")
        terminal.keys("q")
        terminal.see("s: shut them down")
        terminal.keys("s")
        assert terminal.gone() == 0


def test_what_was_shown_of_a_console_comes_back():
    d.need_kvm()
    with d.Folder() as folder, Terminal(folder, "--demo") as terminal:
        terminal.see(r"web +● running")
        terminal.keys("c")
        terminal.see("^db>")
        terminal.keys("quiet", "Enter", "status", "Enter")
        terminal.see("^db> status\n(.*\n)*memory 4\\d+ KiB")
        terminal.keys("C-]", "q")
        terminal.see("╭─ Guests")
        terminal.keys("Down", "c")  # another guest's
        terminal.see("^ lab ● running")
        terminal.see("^lab>")
        terminal.keys("C-]", "q")
        terminal.see("╭─ Guests")
        terminal.keys("Up", "c")
        terminal.see("^db> status\n(.*\n)*memory 4\\d+ KiB")
        terminal.tmux("resize-window", "-x", "60", "-y", "12")
        terminal.see("^db>")
        terminal.see("^ db ● running")
        # A long line is cut in two, and whole again.
        terminal.tmux("resize-window", "-x", "30", "-y", "40")
        terminal.see("^vmdeck demo guest .{,12}\n")
        terminal.tmux("resize-window", "-x", "120", "-y", "40")
        terminal.see("^vmdeck demo guest .*Type help")
        terminal.keys("help", "Enter")
        terminal.see("poweroff")
        assert len(emulators(folder)) == 1


def test_guests_are_copied_renamed_and_deleted():
    with d.Folder() as folder, Terminal(folder, size=(120, 24)) as terminal:
        image = folder.write("web.img", "\0" * 512)
        folder.guest("web", "[guest]\nmemory = 16M\n[boot]\nfirmware = none\n[disk0]\n"
                     f"path = {image}\nformat = raw\n")
        terminal.see("web +○|web +o")
        terminal.keys("/", "#la")
        terminal.see("No guest")
        terminal.keys("Escape", "y")
        terminal.see("Name of the copy of web:")
        terminal.keys("shop", "Enter")
        terminal.see("shop is a copy of web, and has its disks, which one guest at a time can use")
        terminal.see("^│.shop ")
        terminal.keys("y", "shop", "Enter")
        terminal.see("shop.ini is there already; choose another name")
        terminal.keys("r")
        terminal.see("New name of")
        terminal.keys("C-u", "store", "Enter")
        terminal.see("(shop|web) is called store now")
        terminal.see("^│.store ")
        terminal.keys("D")
        terminal.see("Delete the profile of .*The images of its disks stay")
        terminal.keys("n", "Home", "D")
        terminal.see("Delete the profile of shop")
        terminal.keys("y")
        terminal.see("The profile of (shop|web|store) is gone; its disks' images are where they were")
        assert os.path.exists(image)
        d.wait_for(lambda: len(os.listdir(folder.guests)) == 1, "one profile")


def test_keys_and_colours_are_a_persons_own():
    d.need_kvm()
    with d.Folder() as folder:
        folder.write("config/vmdeck/screen.ini", "[colours]\ntheme = colour-blind\nbad = pink\n"
                     "[keys]\npause = P\nnetwork = p F5\nstrat = x\n")
        with Terminal(folder, "--demo", size=(110, 24), env=["TERM=xterm-256color"]) as terminal:
            terminal.see(r"web +● running")
            assert "38;5;32m" in terminal.tmux("capture-pane", "-pe")  # what is well
            terminal.keys("P")
            terminal.see(r"db +‖ paused")
            terminal.see(" P pause  p network ")
            terminal.keys("p")
            terminal.see("Packets")
            terminal.keys("q", "F5")
            terminal.see("Packets")
            terminal.keys("q", "n", "L")
            terminal.see(r"screen\.ini:3: bad: 'pink' is no colour")
            terminal.see(r"screen\.ini:7: strat: keys do nothing of that name; did you\s+mean start")


def test_a_map_shows_who_is_where():
    d.need_kvm()
    with d.Folder() as folder, Terminal(folder, "--demo", size=(100, 16)) as terminal:
        terminal.see(r"web +● running")
        terminal.keys("M")
        terminal.see("▶ Map")
        terminal.see(r"^ lan +10.0.2.2/24 +leads out by nat\n ├─ – lan/nat ")
        terminal.see(r" ├─ ● db/net0 +10\.0\.2\.\d+ +■+·* ▲ +[\d.]+k?B/s ▼ +[\d.]+k?B/s\n")
        terminal.see(r" └─ ● web/net0 +10\.0\.2\.\d+ ")
        terminal.keys("End", "p")  # orders are for the guest of the line
        terminal.see(r" └─ ‖ web/net0")
        terminal.keys("Enter")
        terminal.see("▶ Details of web|▶ web")
        terminal.keys("q", "Home", "Down", "Enter")
        terminal.see("▶ Port lan/nat")
        terminal.keys("q", "Up", "Enter")
        terminal.see("▶ Network|Packets")
        terminal.keys("q", "q")
        terminal.see("╭─ Guests")


def test_charts_span_longer_times():
    d.need_kvm()
    with d.Folder() as folder, Terminal(folder, "--demo", size=(110, 34)) as terminal:
        terminal.see(r"web +● running")
        terminal.see("─2m ─+ 1m ─+ now─")
        for whole, half in ("10m", "5m"), ("1h", "30m"), ("24h", "12h"):
            terminal.keys("t")
            terminal.see(f"─{whole} ─+ {half} ─+ now─")
            terminal.see("Memory  [0-9.]+M  of 48.0M")
        terminal.keys("t")
        terminal.see("─2m ─+ 1m ─+ now─")
        done = folder.run("stats", "--past", "10m", "db")
        assert done.returncode == 0 and re.fullmatch(
            r"FROM +CPU% +MEMORY.*\n(\d+-\d+-\d+ \d+:\d+:\d+ +[\d.]+ +[\d.]+M .*\n)+", done.stdout), done
        fields = folder.json("stats", "--past", "1h", "db")["fields"]
        assert len(fields["cpu"]) == 60 and fields["memory"][-1] > 1 << 20, fields
        assert folder.run("stats", "--past", "1h").returncode == 2


def test_leaving_guests_running_and_coming_back():
    d.need_kvm()
    with d.Folder() as folder:
        with Terminal(folder, "--demo") as terminal:
            for name in "db", "lab", "web":
                terminal.see(name + r" +● running")
            terminal.keys("q")
            terminal.see("l: leave them running")
            terminal.keys("l")
            assert terminal.gone() == 0
            terminal.see("the guests go on running")
        since = {guest["name"]: guest["since"] for guest in folder.json("list")["guests"]}
        # A terminal that goes away takes nobody with it either.
        with Terminal(folder) as terminal:
            terminal.see(r"web +● running")
        with Terminal(folder) as terminal:
            terminal.see(r"web +● running")
            assert since == {guest["name"]: guest["since"]
                             for guest in folder.json("list")["guests"]}
            # What happened before this screen is in its log, and in a file.
            terminal.keys("L")
            terminal.see(r"^ \d\d:\d\d:\d\d +web is running")
            with open(os.path.join(folder.path, "state/vmdeck/deck.log")) as file:
                lines = file.read().splitlines()
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[\d+\] the deck begins", lines[0])
            assert any(line.endswith("] web: running") for line in lines), lines
            terminal.keys("/", "LAB is r")
            terminal.see(r"Messages with LAB is r")
            terminal.see(r"^ \d\d:\d\d:\d\d +lab is running")
            assert "web is running" not in terminal.screen(), terminal.screen()
            terminal.keys("Enter", "Escape")
            terminal.see(r"^ \d\d:\d\d:\d\d +web is running")
            terminal.keys("q")
            terminal.see("╭─ Guests")
            terminal.keys("q")
            terminal.see("s: shut them down")
            terminal.keys("s")
            assert terminal.gone() == 0
        d.wait_for(lambda: folder.run("list").returncode == 1, "the core to end")


def test_a_closed_terminal_leaves_the_guests_running():
    d.need_kvm()
    with d.Folder() as folder:
        with Terminal(folder, "--demo") as terminal:
            terminal.see(r"web +● running")
        states = [guest["state"] for guest in folder.json("list")["guests"]]
        assert states == ["running"] * 3, states
        assert folder.run("shutdown").returncode == 0
        d.wait_for(lambda: folder.run("list").returncode == 1, "the core to end")


def test_a_deck_that_somebody_ends_is_no_loss():
    with d.Deck() as deck, Terminal(deck) as terminal:
        terminal.see("No guests")
        assert deck.run("shutdown").returncode == 0
        assert terminal.gone() == 0
        terminal.see("^vmdeck: the deck was ended")
    with d.Folder() as folder, Terminal(folder) as terminal:
        terminal.see("No guests")
        assert folder.run("shutdown").returncode == 0
        assert terminal.gone() == 0
        terminal.see("^vmdeck: the deck was ended")


def test_a_deck_that_dies_is_a_loss():
    with d.Deck() as deck, Terminal(deck) as terminal:
        terminal.see("No guests")
        deck.process.kill()
        assert terminal.gone() == 1
        terminal.see("^vmdeck: the deck has ended or closed the connection")
        deck.process.wait()
        os.unlink(deck.socket)


def owner(folder):
    """The process that has the deck."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(folder.socket)
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(peer[:4], sys.byteorder)


def is_given_back(terminal):
    modes = ("alternate_on", "keypad_flag", "keypad_cursor_flag", "mouse_any_flag",
             "mouse_sgr_flag", "cursor_flag")
    shown = terminal.tmux("display", "-p", " ".join(f"#{{{mode}}}" for mode in modes))
    assert shown == "0 0 0 0 0 1\n", shown


def test_a_deck_that_is_killed_gives_the_terminal_back():
    with d.Folder() as folder, Terminal(folder) as terminal:
        terminal.see("No guests")
        os.kill(owner(folder), signal.SIGKILL)
        assert terminal.gone() == 128 + signal.SIGKILL
        is_given_back(terminal)
        os.unlink(folder.socket)


def test_signals_to_the_launcher_are_the_screens():
    with d.Folder() as folder, Terminal(folder) as terminal:
        terminal.see("No guests")
        launcher = parent(owner(folder))
        os.kill(launcher, signal.SIGTSTP)  # as little as a key
        os.kill(launcher, signal.SIGHUP)
        assert terminal.gone() == 0
        is_given_back(terminal)


def test_a_deck_that_is_left_with_nothing_to_keep_ends():
    d.need_kvm()
    with d.Folder() as folder:
        with Terminal(folder, "--demo=2") as terminal:
            terminal.see(r"db +● running")
            terminal.keys("q", "s")  # the second one before there is a question
            terminal.see("l: leave them running")
            terminal.keys("l")
            assert terminal.gone() == 0
        guests = [guest["name"] for guest in folder.json("list")["guests"]]
        assert folder.run("stop", "--force", "--wait", *guests).returncode == 0
        # Somebody else is on it: it stays.
        with Terminal(folder) as one, Terminal(folder) as other:
            for terminal in one, other:
                terminal.see("stopped")
            one.keys("q")
            assert one.gone() == 0
            assert "deck" not in one.screen(), one.screen()
            assert folder.run("list").returncode == 0
            # Its own console does not count as somebody else.
            other.keys("c")
            other.see("q leaves")
            other.keys("C-]", "q")
            other.see("╭─ Guests")
            other.keys("q")
            assert other.gone() == 0
            other.see("^vmdeck: no guest runs any more, so the deck has ended")
        d.wait_for(lambda: folder.run("list").returncode == 1, "the core to end")


def test_a_terminal_that_goes_with_nothing_running_takes_the_deck():
    with d.Folder() as folder:
        with Terminal(folder) as terminal:
            terminal.see("No guests")
        d.wait_for(lambda: folder.run("list").returncode == 1, "the core to end")


def test_a_headless_deck_stays():
    with d.Deck() as deck:
        with Terminal(deck) as terminal:
            terminal.see("No guests")
            terminal.keys("q")
            assert terminal.gone() == 0
        assert deck.run("list").returncode == 0
        assert deck.process.poll() is None


def test_a_dumb_terminal_is_told_and_starts_no_guest():
    with d.Folder() as folder, Terminal(folder, "--demo", env=("TERM=dumb",)) as terminal:
        assert terminal.gone() == 1
        assert terminal.screen().startswith("vmdeck: TERM=dumb: "), terminal.screen()


def test_a_small_terminal_says_so_and_recovers():
    with d.Folder() as folder, Terminal(folder, size=(20, 5)) as terminal:
        terminal.see("No guests")
        terminal.tmux("resize-window", "-x", "120", "-y", "40")
        terminal.see("╭─ Guests")
        terminal.tmux("resize-window", "-x", "60", "-y", "20")
        terminal.see("Guests")
        terminal.keys("q")
        assert terminal.gone() == 0


def test_what_is_said_leaves_half_of_a_low_screen():
    with d.Folder() as folder:
        folder.guest("mine", "[guest]\nmemory = 32M\n")
        folder.write("config/vmdeck/switches/wan.ini", "[switch]\nuplink = moon\n")
        with Terminal(folder, size=(20, 5)) as terminal:
            terminal.see(r"^ mine .*\n(.*\n)? …/wan\.ini:2:\n uplink: 'moon' is…")


def test_a_profile_is_edited_and_its_mistakes_shown():
    with d.Folder() as folder:
        folder.guest("mine", "[guest]\nmemory = 32M\n")
        editor = folder.write("editor", "#!/bin/sh\nprintf '[guest]\\nmemory = lots\\n' >\"$1\"\n")
        os.chmod(editor, 0o755)
        with Terminal(folder, env=(f"VISUAL={editor}",)) as terminal:
            terminal.see(r"mine +\S defined")
            terminal.keys("e")
            terminal.see(r"mine\.ini:2: memory: .*edit it again")
            terminal.keys("Escape")
            terminal.see(r"mine +\S invalid")
            terminal.keys("L")
            terminal.see("▶ Messages")
            assert terminal.screen().count("mine.ini:2: memory") == 1, terminal.screen()
            terminal.keys("q")
            terminal.keys("q")
            assert terminal.gone() == 0


def test_an_editor_that_stops_stops_the_screen():
    d.need("bash")
    shell = ("bash", "--norc", "-ic", '"$0"; echo stopped; read; fg')

    def prepare(folder):
        folder.guest("mine", "[guest]\nmemory = 32M\n")
        os.chmod(folder.write("editor", "#!/bin/sh\nkill -TSTP 0\n"), 0o755)
    with d.Deck(prepare=prepare) as deck, d.Folder() as own:
        prepare(own)
        # The deck is another process, or the screen's own.
        for folder in deck, own:
            env = (f"VISUAL={folder.path}/editor", *shell)
            with Terminal(folder, env=env) as terminal:
                terminal.see(r"mine +\S defined")
                terminal.keys("e")
                terminal.see("^stopped")
                terminal.keys("Enter")
                terminal.see(r"mine\.ini is valid")
                terminal.keys("q")
                assert terminal.gone() == 0


def test_an_editor_that_fails_has_edited_nothing():
    with d.Folder() as folder:
        folder.guest("mine", "[guest]\nmemory = 32M\n")
        for editor, what in (("/nonexistent/editor", "could not be run"),
                             ("false", "ended with status 1")):
            with Terminal(folder, env=(f"VISUAL={editor}",)) as terminal:
                terminal.see(r"mine +\S defined")
                terminal.keys("e")
                terminal.see(f"The editor '{editor}' {what}, and the profile is as it was")
                assert "is valid" not in terminal.screen(), terminal.screen()
                terminal.keys("q")
                assert terminal.gone() == 0


def test_profiles_come_to_an_empty_screen_and_change_under_it():
    d.need_kvm()
    with d.Folder() as folder:
        os.rmdir(folder.guests)
        editor = folder.write("editor", "#!/bin/sh\nsed -i s/32M/48M/ \"$1\"\n")
        os.chmod(editor, 0o755)
        with Terminal(folder, env=(f"VISUAL={editor}",)) as terminal:
            terminal.see("No guests yet. Make one with vmdeck new or a profile")
            folder.guest("mine", "[guest]\nmemory = 32M\n")
            terminal.see(r"mine +\S defined")
            terminal.see(r"mine:? new profile")
            terminal.keys("s")
            terminal.see(r"mine +\S running")
            terminal.keys("e")
            terminal.see(r"mine: its profile has changed: memory; that applies when it is reset or "
                         r"started\s+next")
            terminal.keys("Enter")
            terminal.see("Pending +memory, from the next reset or start on")
            terminal.keys("Escape")
            terminal.keys("R")
            terminal.see("Nothing has changed in the profiles since they were read last: 1 guest|reset or started next")
            terminal.see("mine running for .* new at its next reset: memory")
            terminal.keys("Z")
            terminal.see(r"and\s+gets\s+its\s+profile's\s+new\s+memory")
            terminal.keys("y")
            terminal.see("reset, and it has its profile's new memory")
            assert "applies" not in "".join(terminal.screen().splitlines()[-4:]), terminal.screen()
            terminal.keys("L")
            terminal.see("its profile's new memory")
            assert terminal.screen().count("mine: its profile has changed") == 1, terminal.screen()
            terminal.keys("q", "q")
            terminal.see("shut it down")
            terminal.keys("s")
            assert terminal.gone() == 0


# GRUB asks the keyboard controller itself: it has interrupts switched on for a moment now and
# then, in which a host that emulates such code delivers hardly any, and the BIOS needs them.
GRUB_CFG = """insmod terminal
insmod at_keyboard
insmod echo
insmod sleep
insmod true
terminal_input at_keyboard
set timeout=-1
menuentry 'First entry' { true; }
menuentry 'Second entry' { echo 'the second was chosen'; sleep 600; }
"""


def menu_disk(folder):
    """An image with GRUB, and its menu."""
    f.need_grub()
    if not os.path.exists("/usr/share/seabios/vgabios-isavga.bin"):
        d.skip("the package seabios is not installed")
    return f.grub_disk(folder, "", {"grub.cfg": folder.write("grub.cfg", GRUB_CFG)}, "normal",
                       "echo", "true", "sleep", "at_keyboard", "terminal")


def test_a_boot_loader_is_worked_with_on_the_vga_screen():
    d.need_kvm()
    with d.Folder() as folder:
        image = menu_disk(folder)
        folder.guest("box", f"[guest]\nmemory = 32M\n[disk0]\npath = {image}\nformat = raw\n")
        with Terminal(folder, size=(100, 30)) as terminal:
            terminal.see("box")
            terminal.keys("s")
            terminal.see("running")
            terminal.keys("c")
            terminal.see(r"^SeaBIOS [^$]*Ctrl-\] Tab VGA")
            terminal.keys("C-]", "Tab")
            terminal.see(r"^SeaBIOS [^$]*Ctrl-\] Tab serial")
            terminal.see(r"^ *│\*First entry", 3 * d.PATIENCE)
            terminal.keys("Down")
            terminal.see(r"│\*Second entry")
            once = subprocess.run([d.VMDECK, "console", "--vga", "box"], env=folder.env,
                                  capture_output=True, text=True)
            assert "│*Second entry" in once.stdout, once
            with Terminal(folder, "console", "--vga", "box", size=(90, 12)) as other:
                other.see(r"│\*Second entry")
                other.keys("Enter")
                other.see("^the second was chosen")
                other.keys("C-]")
                assert other.gone() == 0
            terminal.see("^the second was chosen")
            terminal.keys("C-]", "q")
            terminal.see("running")
            terminal.keys("F")
            terminal.see("Force box off")
            terminal.keys("y")
            terminal.see("stopped")
            terminal.keys("q")
            assert terminal.gone() == 0


def test_a_silent_console_gives_way_to_the_vga_screen():
    """Until somebody turns: then that side is kept."""
    d.need_kvm()
    if not os.path.exists("/usr/share/seabios/vgabios-isavga.bin"):
        d.skip("the package seabios is not installed")
    with d.Folder() as folder:
        folder.guest("mute", "[guest]\nmemory = 32M\n[boot]\nfirmware = bios\n"
                             "firmware_serial = no\n")
        with Terminal(folder, size=(100, 30)) as terminal:
            terminal.see("mute")
            terminal.keys("s")
            terminal.see("mute +● running")
            terminal.keys("c")
            terminal.see(r"^SeaBIOS [^$]*Ctrl-\] Tab serial")
            terminal.keys("C-]", "Tab")
            terminal.see("Ctrl-] Tab VGA")
            terminal.keys("C-]", "q")
            terminal.see("╭─ Guests")
            terminal.keys("c")
            terminal.see("Ctrl-] Tab VGA")
            time.sleep(1)
            terminal.see("Ctrl-] Tab VGA")
            terminal.keys("C-]", "q")
            terminal.see("╭─ Guests")
            terminal.keys("F")
            terminal.see("Force mute off")
            terminal.keys("y")
            terminal.see("stopped")
            terminal.keys("q")
            assert terminal.gone() == 0


def test_a_packet_is_taken_apart():
    d.need_kvm()
    d.need("sharkd")
    with d.Folder() as folder:
        with Terminal(folder, "--demo", size=(100, 40)) as terminal:
            terminal.see("web +● running")
            terminal.keys("n")
            terminal.see("ICMP Echo")
            terminal.keys("/", "icmp", "Enter")
            terminal.see("Packets matching icmp")
            terminal.see("ICMP Echo .*request")
            terminal.keys("Enter")
            terminal.see(r"^│ - Internet Control Message Protocol")
            terminal.see(r"^│ \+ Ethernet II, Src: ")
            # What lies in a field; it is the selected one, so its bytes are those of the header.
            terminal.keys("Enter")
            terminal.see(r"^│ \+ Internet Control Message Protocol")
            terminal.keys("Right")
            terminal.see(r"^│ {5}Checksum: 0x")
            terminal.keys("/", "source addr")
            terminal.see(r"^│ {5}Source Address: 10\.0\.2\.1")
            assert "Checksum" not in terminal.screen()
            terminal.keys("Enter")
            terminal.keys("G")
            # As two bytes of hexadecimal digits and their text, which stand out.
            d.wait_for(lambda: re.search(r"\x1b\[7m0a.*\x1b\[0?m|\x1b\[7m0", terminal.tmux(
                "capture-pane", "-pe")), "bytes that stand out")
            address = terminal.see(r"Source Address: ([\d.]+)").group(1)
            terminal.keys("c")
            terminal.see(f"Packets matching src host {re.escape(address)}")
            # A port is behind the other panes.
            terminal.keys("Tab", "Enter")
            terminal.see("Port lan/nat")


def test_without_sharkd_a_packet_is_what_the_list_says():
    d.need_kvm()
    d.need("sharkd", "unshare")
    hidden = ("unshare", "-m", "sh", "-c",
              "mount --bind /dev/null \"$(command -v sharkd)\" && exec \"$@\"", "sh")
    if subprocess.run([*hidden, "true"], capture_output=True).returncode:
        d.skip("nothing can be mounted here")
    with d.Folder() as folder:
        with Terminal(folder, "--demo", size=(100, 40), env=hidden) as terminal:
            terminal.see("web +● running")
            terminal.keys("n")
            terminal.see("ICMP Echo")
            terminal.keys("Enter")
            terminal.see("sharkd is not installed; install the package")
            terminal.see("Source: 10[.]0[.]2[.]")
            terminal.see("^│ 0000 +([0-9a-f]{2} ){14}")


# What stands in for sharkd, and what is said then.
FALSE_SHARKDS = (
    ("sleep 1000", "sharkd did not answer in time"),
    ("echo none >&2; exit 3", "sharkd ended with status 3: none"),
    ("echo '{\"id\":2,\"result\":5}'; sleep 1000", "of sharkd: the answer has no fields"),
    ("echo '{\"id\":1,\"error\":{\"message\":\"no such file\"}}'; sleep 1000", "no such file"),
    ("yes a | tr -d '\\n'", "sharkd answers too much"),
)


def test_a_false_sharkd_holds_nothing_up():
    d.need_kvm()
    with d.Folder() as folder:
        script = folder.write("tools/sharkd", "#!/bin/sh\n")
        os.chmod(script, 0o755)
        with Terminal(folder, "--demo", size=(100, 40),
                      env=(f"VMDECK_PROGRAMS={folder.path}/tools",)) as terminal:
            terminal.see("web +● running")
            terminal.keys("n")
            terminal.see("ICMP Echo")
            for words, said in FALSE_SHARKDS:
                folder.write("tools/sharkd", f"#!/bin/sh\n{words}\n")
                os.chmod(script, 0o755)
                terminal.keys("Enter")
                # The keys go on, and what the list says is there.
                terminal.keys("Down", "Down")
                terminal.see("Source: ")
                terminal.see(f"Only what the list says is shown: [^│]*{re.escape(said)}")
                terminal.keys("q")
                terminal.see("╭─ Packets")


if __name__ == "__main__":
    d.main()
