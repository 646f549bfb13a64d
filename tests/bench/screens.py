"""The screen beside htop and btop, in terminals of the same size: rows for run.py.

All of them run all the time, show new figures twice a second and are measured over the same
seconds. CPU is of a screen that has joined a deck, with all of its threads and children; the deck
is a process of its own, as the kernel is to htop, and here a mock whose figures all change. The
others have as many processes to show as the larger deck has guests. A key moves the selection
down or up, and has its time until the terminal gets the first byte.
"""
import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time

import deck as d

ROWS, COLUMNS = 40, 120
WARM_UP, SECONDS = 4, 10
KEYS = 100
GUESTS = (16, 200)
INTERVAL_MS = 500
# Arguments, what is on the first screen, and the keys for down and up.
PEERS = {"htop": (("-d", str(INTERVAL_MS // 100)), b"CPU", b"\x1bOB", b"\x1bOA"),
         "btop": ((), b"cpu", b"\x1b[B", b"\x1b[A")}
MOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e/mock_server.py")
NS_PER_S = 1e9


def family(root):
    """The process and all below it."""
    found = [root]
    for pid in found:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="utf-8") as children:
                    found += [int(child) for child in children.read().split()]
        except OSError:
            pass
    return found


class Screen:
    """A program on a terminal of its own, which is read all the time."""

    def __init__(self, command, env, first, down, up):
        self.keys = down, up
        begin = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execve(command[0], command, env)
        self.name, self.bytes = command[0], 0
        text = b""
        while first not in text:
            assert time.monotonic() < begin + d.PATIENCE, (command, text)
            if select.select([self.fd], [], [], 1)[0]:
                text += os.read(self.fd, 65536)
        self.first = time.monotonic() - begin

    def take(self):
        self.bytes += len(os.read(self.fd, 65536))

    def cpu(self):
        ran = 0
        for pid in family(self.pid):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="utf-8") as stat:
                    ran += int(stat.read().split()[0])
        return ran / NS_PER_S

    def memory(self):
        """KiB that would be free without it."""
        used = 0
        for pid in family(self.pid):
            with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as rollup:
                used += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        return used

    def press(self, key):
        """Seconds until something is on the terminal."""
        begin = time.monotonic()
        os.write(self.fd, key)
        while not select.select([self.fd], [], [], 2)[0]:
            raise AssertionError(f"no answer of {self.name} to {key}")
        took = time.monotonic() - begin
        self.take()
        return took

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def read_all(screens, seconds):
    end = time.monotonic() + seconds
    files = {screen.fd: screen for screen in screens}
    while (left := end - time.monotonic()) > 0:
        for fd in select.select(list(files), [], [], left)[0]:
            files[fd].take()


def times_of_keys(screens, screen):
    times = []
    for count in range(KEYS):
        read_all(screens, 0.05)
        times.append(screen.press(screen.keys[count % 2]))
    return sorted(times)


def compare(screens):
    """For each name: ms of CPU a second, KiB, bytes a second, and ms of keys."""
    every = list(screens.values())
    read_all(every, WARM_UP)
    before = {name: (screen.cpu(), screen.bytes) for name, screen in screens.items()}
    read_all(every, SECONDS)
    figures = {}
    for name, screen in screens.items():
        cpu, count = before[name]
        figures[name] = {"cpu": (screen.cpu() - cpu) / SECONDS * 1000, "memory": screen.memory(),
                         "bytes": (screen.bytes - count) / SECONDS,
                         "first": screen.first * 1000}
    for name, screen in screens.items():
        times = times_of_keys(every, screen)
        figures[name].update(key=statistics.median(times) * 1000,
                             key_p99=times[KEYS * 99 // 100 - 1] * 1000)
    return figures


def mock(folder, guests):
    path = os.path.join(folder.path, f"mock{guests}.sock")
    process = subprocess.Popen([sys.executable, MOCK, path, str(guests)], stdin=subprocess.PIPE)
    d.wait_for(lambda: os.path.exists(path), "the mock's socket")
    return process, path


def settings_of_btop(folder):
    path = os.path.join(folder.env["XDG_CONFIG_HOME"], "btop")
    os.makedirs(path)
    with open(os.path.join(path, "btop.conf"), "w", encoding="utf-8") as file:
        file.write(f"update_ms = {INTERVAL_MS}\n")


def open_all(folder, screens, others):
    """Screens by their names, and processes beside them, as they are started."""
    env = dict(folder.env, TERM="xterm-256color", LANG="C.UTF-8", LC_ALL="C.UTF-8")
    others += [subprocess.Popen(["sleep", "1000"]) for _ in range(max(GUESTS))]
    for count in GUESTS:
        process, path = mock(folder, count)
        others.append(process)
        screens[f"vmdeck, {count} guests"] = Screen([d.VMDECK, "--socket", path], env, b"node",
                                                    b"j", b"k")
    settings_of_btop(folder)
    for name, (arguments, *more) in PEERS.items():
        if program := shutil.which(name):
            screens[name] = Screen([program, *arguments], env, *more)


def measure():
    screens, others = {}, []
    with d.Folder() as folder:
        try:
            open_all(folder, screens, others)
            return compare(screens)
        finally:
            for screen in screens.values():
                screen.end()
            for process in others:
                process.kill()
                process.wait()


def verdict(ratio, goal):
    return f"{ratio:.2f} x htop, goal {goal}: {'met' if ratio <= goal else 'missed'}"


def table(figures):
    print(f"-    the screen, {COLUMNS} by {ROWS}, and others in the same seconds")
    for name, row in figures.items():
        print(f"       {name:<20} {row['cpu']:6.2f} ms of CPU a second, {row['memory']:5.0f} KiB, "
              f"{row['bytes']:6.0f} bytes/s; a key {row['key']:.2f} ms (99 % {row['key_p99']:.2f}), "
              f"first screen {row['first']:.0f} ms")
    for name, row in figures.items():
        if name not in PEERS and (htop := figures.get("htop")):
            print(f"       {name:<20} CPU {verdict(row['cpu'] / htop['cpu'], 0.5)}; memory "
                  f"{verdict(row['memory'] / htop['memory'], 2)}; key, 99 %, "
                  f"{verdict(row['key_p99'] / htop['key_p99'], 1)}")
