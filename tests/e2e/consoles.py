#!/usr/bin/env python3
"""Output of full-screen programs, recorded at 80x23, on a guest's console and in tmux itself: each
cell that is not blank has the same character, colours and attributes."""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS, COLUMNS = 23, 80
FLAGS = {1: "bold", 4: "underlined", 7: "reverse"}


class Style:
    """What SGR has set, as far as the screen shows it."""

    def __init__(self):
        self.set([])

    def set(self, numbers):
        numbers = numbers or [0]
        while numbers:
            n = numbers.pop(0)
            if n == 0:
                self.fg = self.bg = None
                self.flags = set()
            elif n in (38, 48):
                count = 1 if numbers.pop(0) == 5 else 3
                colour = tuple(numbers[:count])
                del numbers[:count]
                setattr(self, "fg" if n == 38 else "bg", colour)
            elif n in (39, 49):
                setattr(self, "fg" if n == 39 else "bg", None)
            elif 30 <= n <= 37 or 90 <= n <= 97:
                self.fg = (n - 30 if n < 90 else n - 82,)
            elif 40 <= n <= 47 or 100 <= n <= 107:
                self.bg = (n - 40 if n < 100 else n - 92,)
            elif n in FLAGS:
                self.flags = self.flags | {FLAGS[n]}
            elif n - 20 in FLAGS or n == 22:
                self.flags = self.flags - {FLAGS.get(n - 20, "bold")}

    def seen(self, blank):
        """What is to be seen of it: of a blank neither its ink nor whether that is bold."""
        shown = self.flags & {"underlined", "reverse"} if blank else self.flags
        return (None if blank and not shown else self.fg, self.bg, frozenset(shown))


def cells(captured):
    """Rows of (character, style) of what tmux gave with -e."""
    style, rows = Style(), []
    for line in captured.split("\n")[:ROWS]:
        row = []
        for piece in re.findall(r"\x1b\[[\d;:]*m|\x0e|\x0f|.", line):
            if piece.startswith("\x1b"):
                style.set([int(n) for n in re.findall(r"\d+", piece)])
            elif piece not in "\x0e\x0f":
                row.append((piece, style.seen(piece == " ")))
        while row and row[-1] == (" ", (None, None, frozenset())):
            row.pop()
        rows.append(row)
    return rows


class Tmux:
    def __init__(self, name, rows, command):
        self.name = f"vmdeck-test-{os.getpid()}-{name}"
        self.run("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(rows), command)

    def run(self, *args):
        return subprocess.run(["tmux", "-L", self.name, *args], check=True, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL).stdout

    def cells(self):
        return cells(self.run("capture-pane", "-p", "-e"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True)


def compare(name):
    d.need("tmux")
    client = os.path.abspath("tests/e2e/tui_client")
    if not os.path.exists(client):
        d.skip("make check builds what it needs, tests/e2e/tui_client")
    recorded = os.path.join(HERE, "consoles", name)
    with d.Folder() as folder:
        path = os.path.join(folder.path, "socket")
        mock = subprocess.Popen([sys.executable, os.path.join(HERE, "mock_server.py"), path],
                                stdin=subprocess.PIPE, env={**os.environ, "MOCK_CONSOLE": recorded})
        try:
            d.wait_for(lambda: os.path.exists(path), "the server")
            shell = "LC_ALL=C.UTF-8 TERM=tmux-256color"
            with Tmux("itself", ROWS, f"stty -echo; cat {recorded}; exec sleep 1000") as itself, \
                    Tmux("console", ROWS + 1, f"env {shell} {client} {path}") as console:
                d.wait_for(lambda: "running" in console.run("capture-pane", "-p"), "the screen")
                console.run("send-keys", "c")
                d.wait_for(lambda: "q leaves" in console.run("capture-pane", "-p"), "the console")
                end = time.monotonic() + 20
                while console.cells() != itself.cells() and time.monotonic() < end:
                    time.sleep(0.1)
                wanted, found = itself.cells(), console.cells()
                assert any(len(row) > 10 for row in wanted), wanted
                for y, (one, other) in enumerate(zip(wanted, found)):
                    assert one == other, f"{name}, row {y}:\n{one}\nis\n{other}"
        finally:
            mock.stdin.close()
            mock.wait()


def test_vim():
    """Split, with matches, a selection, wide characters, line numbers."""
    compare("vim.seq")


def test_htop():
    """Meters, a tree, a menu."""
    compare("htop.seq")


def test_dmesg():
    compare("dmesg.seq")


if __name__ == "__main__":
    d.main()
