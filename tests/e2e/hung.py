#!/usr/bin/env python3
"""Files that nobody answers for, as on a network file system whose server is gone: what is
asked of them waits, the deck does not."""
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

GUEST = """[guest]
memory = 32M
[boot]
cmdline = name={name}
firmware = none
[disk0]
cdrom = yes
"""
SOON = 20  # seconds, for what takes milliseconds, or two seconds at the end, where nobody waits

libc = ctypes.CDLL(None, use_errno=True)


class HungFiles:
    """A file system (FUSE, linux/fuse.h) with one file, of 1 MiB of zeroes at first. Whoever
    wants of it what is held waits until somebody calls release(), which is an open at first; after
    deafen(), whoever asks for anything."""

    LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, INIT = 1, 2, 3, 4, 14, 15, 26
    GETLK, SETLK, SETLKW, POSIX_LOCKS, UNLOCKED = 31, 32, 33, 2, 2
    ROOT, MEDIUM = 1, 2

    def __init__(self, path, flags=0):
        self.path, self.medium = path, os.path.join(path, "medium")
        self.size, self.flags = 1 << 20, flags
        self.held, self.waiting, self.lock = {self.OPEN}, [], threading.Lock()
        self.asked, self.released, self.deaf = threading.Event(), threading.Event(), False
        self.begun = threading.Event()
        os.makedirs(path)
        try:
            self.fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            d.skip(f"/dev/fuse: {error.strerror}")
        options = f"fd={self.fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if libc.mount(b"hung", path.encode(), b"fuse", 6, options.encode()):
            os.close(self.fd)
            d.skip(f"nothing can be mounted here: {os.strerror(ctypes.get_errno())}")
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        self.begun.wait()

    def attributes(self, node):
        mode, size = (0o40755, 0) if node == self.ROOT else (0o100644, self.size)
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1,
                           os.getuid(), os.getgid(), 0, 4096, 0)

    def answer(self, unique, data=b"", error=0):
        with contextlib.suppress(OSError):
            os.write(self.fd, struct.pack("<IiQ", 16 + len(data), -error, unique) + data)

    def take(self, code, unique, node, data):
        with self.lock:
            if code in self.held:
                self.waiting.append((code, unique, node, data))
                self.asked.set()
                return
        self.do(code, unique, node, data)

    def do(self, code, unique, node, data):
        if code == self.INIT:
            self.answer(unique, struct.pack("<IIIIHHIIHHIIHHI24x", 7, 31, 65536, self.flags, 8, 8,
                                            65536, 1, 16, 0, 0, 0, 0, 0, 0)[:64])
        elif code == self.LOOKUP and data == b"medium\0":
            self.answer(unique, struct.pack("<QQQQII", self.MEDIUM, 0, 0, 0, 0, 0) +
                        self.attributes(self.MEDIUM))
        elif code == self.LOOKUP:
            self.answer(unique, error=errno.ENOENT)
        elif code in (self.GETATTR, self.SETATTR):
            if code == self.SETATTR:
                self.size = struct.unpack_from("<IIQQ", data)[3]
            self.answer(unique, struct.pack("<QII", 0, 0, 0) + self.attributes(node))
        elif code == self.OPEN:
            self.answer(unique, struct.pack("<QII", 1, 0, 0))
        elif code == self.READ:
            offset, size = struct.unpack_from("<QI", data, 8)
            self.answer(unique, bytes(max(0, min(size, self.size - offset))))
        elif code == self.GETLK:
            self.answer(unique, struct.pack("<QQII", 0, 0, self.UNLOCKED, 0))
        elif code in (self.SETLK, self.SETLKW):
            self.answer(unique)
        elif code != self.FORGET:
            self.answer(unique, error=errno.ENOSYS)

    def serve(self):
        while True:
            select.select([self.fd], [], [])
            if self.deaf:
                self.asked.set()
                self.released.wait()
            try:
                request = os.read(self.fd, 1 << 17)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.EINTR):
                    continue
                return  # it is unmounted
            _, code, unique, node = struct.unpack_from("<IIQQ", request)
            self.take(code, unique, node, request[40:])
            self.begun.set()

    def hold(self, *codes):
        """These wait from now on, and no others."""
        with self.lock:
            self.held = set(codes)
            self.asked.clear()

    def deafen(self):
        self.deaf = True

    def release(self):
        self.released.set()
        with self.lock:
            self.held, waiting, self.waiting = set(), self.waiting, []
        for request in waiting:
            self.do(*request)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()
        libc.umount2(self.path.encode(), 3)  # MNT_FORCE, MNT_DETACH: also one in use
        self.thread.join(d.PATIENCE)
        os.close(self.fd)


@contextlib.contextmanager
def deck_and_files(flags=0):
    d.need_kvm()
    with d.Deck(prepare=lambda folder: folder.guest("one", GUEST.format(name="one"))) as deck, \
            HungFiles(os.path.join(deck.path, "hung"), flags) as files:
        assert deck.run("start", "one").returncode == 0
        yield deck, files


def answers_soon(deck):
    begin = time.monotonic()
    assert deck.state("one") == "running"
    assert time.monotonic() - begin < SOON


def disk_of(deck):
    return deck.call("guest.show", {"guest": "one"})["disks"][0]


def test_insert():
    with deck_and_files() as (deck, files):
        insert = deck.start("insert", "one", files.medium, stderr=subprocess.PIPE, text=True)
        assert files.asked.wait(d.PATIENCE)
        answers_soon(deck)
        assert insert.poll() is None and disk_of(deck)["path"] is None
        files.release()
        assert insert.wait(d.PATIENCE) == 0, insert.stderr.read()
        assert disk_of(deck)["path"] == files.medium


def test_the_last_order_counts():
    with deck_and_files() as (deck, files):
        insert = deck.start("insert", "one", files.medium, stderr=subprocess.PIPE, text=True)
        assert files.asked.wait(d.PATIENCE)
        other = deck.write("other.iso", " " * 4096)
        assert deck.run("insert", "one", other).returncode == 0
        files.release()
        assert insert.wait(d.PATIENCE) == 1
        assert "one: disk0: something else was ordered" in insert.stderr.read()
        assert disk_of(deck)["path"] == other


def test_insert_into_a_guest_that_is_gone():
    with deck_and_files() as (deck, files):
        insert = deck.start("insert", "one", files.medium, stderr=subprocess.PIPE, text=True)
        assert files.asked.wait(d.PATIENCE)
        assert deck.run("stop", "--force", "--wait", "one").returncode == 0
        files.release()
        assert insert.wait(d.PATIENCE) == 1
        assert "one: it does not run" in insert.stderr.read()


def test_insert_into_a_guest_that_is_another():
    with deck_and_files() as (deck, files):
        insert = deck.start("insert", "one", files.medium, stderr=subprocess.PIPE, text=True)
        assert files.asked.wait(d.PATIENCE)
        assert deck.run("stop", "--force", "--wait", "one").returncode == 0
        assert deck.run("start", "one").returncode == 0
        files.release()
        assert insert.wait(d.PATIENCE) == 1
        assert "one: disk0: something else was ordered" in insert.stderr.read()
        assert disk_of(deck)["path"] is None


def with_image(files, name):
    return GUEST.format(name=name).replace("cdrom = yes", f"path = {files.medium}\nreadonly = yes")


def test_profiles_that_are_looked_at():
    """By the one connection that a screen has."""
    with deck_and_files() as (deck, files):
        deck.guest("two", with_image(files, "two") + "\nx = y\n")
        profile = deck.write("three.ini", with_image(files, "three"))
        deck.call("deck.reload")
        with deck.connect() as screen:
            for number, method, params in ((1, "profile.check", {"path": profile}),
                                           (2, "guest.show", {"guest": "two"}),
                                           (3, "guest.list", {})):
                screen.sendall(json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                                           "params": params}).encode() + b"\n")
            assert json.loads(d.read_line(screen))["id"] == 3
            assert files.asked.wait(d.PATIENCE)
            files.release()
            check, show = sorted((json.loads(d.read_line(screen)) for _ in range(2)),
                                 key=lambda answer: answer["id"])
        assert check["result"]["mistakes"] == [], check
        assert "x: is no key" in show["result"]["mistakes"][0]["text"], show


def test_quit():
    """The deck ends, although it is asked to look at an image that does not open."""
    with deck_and_files() as (deck, files):
        files.deafen()
        profile = deck.write("two.ini", with_image(files, "two"))
        asking = threading.Thread(target=ask_for_nothing,
                                  args=(deck, "profile.check", {"path": profile}))
        asking.start()
        assert files.asked.wait(d.PATIENCE)
        answers_soon(deck)
        assert deck.run("shutdown", "--force").returncode == 0
        assert deck.process.wait(SOON) == 0
        asking.join(d.PATIENCE)


def ask_for_nothing(deck, method, params):
    with contextlib.suppress(json.JSONDecodeError):  # the connection ends without an answer
        deck.call(method, params)


def test_a_passphrase_that_is_missing():
    """Whether its image is there is looked at by who shows the guest, and not for long."""
    with deck_and_files() as (deck, files):
        image = with_image(files, "two").replace("readonly = yes", "format = luks")
        deck.guest("two", image)
        deck.guest("gone", image.replace("two", "gone").replace("medium", "medium.gone"))
        deck.call("deck.reload")
        assert locked_when_listed(deck) == {"two": True, "gone": True, "one": False}
        assert deck.call("guest.show", {"guest": "two"})["disks"][0]["locked"]
        assert not deck.call("guest.show", {"guest": "gone"})["disks"][0]["locked"]
        files.deafen()
        answers_soon(deck)
        assert locked_when_listed(deck)["two"]
        begin = time.monotonic()
        assert deck.call("guest.show", {"guest": "two"})["disks"][0]["locked"]
        assert time.monotonic() - begin < SOON
        deck.call("guest.start", {"guest": "two"})
        answers_soon(deck)
        assert deck.state("two") == "starting"
        files.release()
        deck.wait_state("two", "failed")


def test_guests_that_are_shown_again_and_again():
    """What hangs takes one of the threads for that, not all of them."""
    with deck_and_files() as (deck, files):
        deck.guest("two", with_image(files, "two").replace("readonly = yes", "format = luks"))
        deck.call("deck.reload")
        files.deafen()
        for _ in range(6):
            assert deck.call("guest.show", {"guest": "two"})["disks"][0]["locked"]
        other = deck.write("other.iso", " " * 4096)
        insert = deck.start("insert", "one", other, stderr=subprocess.PIPE, text=True)
        assert insert.wait(SOON) == 0, insert.stderr.read()
        assert disk_of(deck)["path"] == other


def locked_when_listed(deck):
    return {guest["name"]: guest["disks"][0]["locked"]
            for guest in deck.call("guest.list")["guests"]}


def test_a_disk_that_does_not_grow():
    with deck_and_files() as (deck, files):
        files.release()
        deck.guest("two", with_image(files, "two").replace("readonly = yes", ""))
        assert deck.run("start", "two").returncode == 0
        files.hold(files.SETATTR)
        resize = deck.start("disk", "resize", files.medium, "2M", stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)
        assert files.asked.wait(d.PATIENCE)
        answers_soon(deck)
        assert deck.state("two") == "running"
        again = deck.run("disk", "resize", files.medium, "3M")
        assert again.returncode == 1 and "is being made larger already" in again.stderr, again.stderr
        assert deck.run("pause", "--wait", "two").returncode == 0
        assert resize.poll() is None
        files.release()
        assert resize.wait(d.PATIENCE) == 0, resize.stderr.read()
        assert files.size == 2 << 20
        assert deck.run("resume", "--wait", "two").returncode == 0


def test_locks_that_do_not_come():
    """Nobody else's image waits for them."""
    with deck_and_files(HungFiles.POSIX_LOCKS) as (deck, files):
        files.release()
        profile = deck.guest("two", with_image(files, "two"))
        assert deck.run("start", "two").returncode == 0
        files.hold(files.SETLK, files.SETLKW)
        asking = threading.Thread(target=deck.call, args=("profile.check", {"path": profile}))
        asking.start()
        assert files.asked.wait(d.PATIENCE)
        begin = time.monotonic()
        assert deck.run("insert", "one", deck.write("other.iso", " " * 4096)).returncode == 0
        assert time.monotonic() - begin < SOON
        assert asking.is_alive()
        files.release()
        asking.join(d.PATIENCE)
        assert deck.run("stop", "--force", "--wait", "two").returncode == 0


def test_a_request_that_is_not_answered():
    """The guest is there for all else."""
    with deck_and_files() as (deck, files):
        files.release()
        deck.guest("two", with_image(files, "two"))
        assert deck.run("start", "two").returncode == 0
        console = deck.console("two")
        console.expect("two> ")
        files.hold(files.READ)
        console.send("disk read 65536 512\r")
        assert files.asked.wait(d.PATIENCE)
        for order in "pause", "resume":
            result = deck.run(order, "--wait", "--timeout", str(SOON), "two")
            assert result.returncode == 0, result.stderr
        files.release()
        console.expect("disk: read 512 bytes")


def test_a_reset_comes_in_time():
    """Also while the machine stops that is being reset."""
    with deck_and_files() as (deck, files):
        files.release()
        deck.guest("two", with_image(files, "two").replace(
            "name=two", "'name=two cmd=\"disk read 0 512\"'"))
        files.hold(files.READ)
        deck.call("deck.reload")
        files.release()
        assert deck.run("start", "two").returncode == 0
        files.hold(files.READ)
        console = deck.console("two")
        console.send("disk read 65536 512\r")
        assert files.asked.wait(d.PATIENCE)
        deck.call("guest.reset", {"guest": "two"})
        deck.wait_state("two", "stopping")
        deck.call("guest.reset", {"guest": "two"})
        deck.call("guest.pause", {"guest": "two"})
        files.release()
        deck.wait_state("two", "paused")
        assert deck.call("guest.show", {"guest": "two"})["restarts"] == 1


GIVEN_UP = "two: given up: its power was taken, and its machine does not end"


@contextlib.contextmanager
def one_that_does_not_start():
    with deck_and_files() as (deck, files):
        deck.guest("two", with_image(files, "two"))
        files.deafen()
        deck.call("guest.start", {"guest": "two"})
        assert files.asked.wait(d.PATIENCE)
        answers_soon(deck)
        assert deck.state("two") == "starting"
        yield deck


def ends_without_it(deck):
    assert deck.process.wait(SOON) == 1
    assert GIVEN_UP in open(deck.errors).read()
    with open(os.path.join(deck.path, "state/vmdeck/deck.log")) as log:
        assert GIVEN_UP in log.read()
    assert not os.path.exists(deck.socket)


def test_the_end_of_a_deck_with_a_guest_that_does_not_end():
    with one_that_does_not_start() as deck:
        assert deck.run("shutdown", "--force").returncode == 0
        ends_without_it(deck)


def test_the_end_of_a_deck_with_a_capture_that_does_not_begin():
    with deck_and_files() as (deck, files):
        deck.guest("two", GUEST.format(name="two") + "[net0]\nswitch = lan\n")
        assert deck.run("start", "two").returncode == 0
        files.deafen()
        asking = threading.Thread(target=ask_for_nothing, args=(
            deck, "capture.start", {"ports": ["two/net0"],
                                    "path": os.path.join(files.path, "x.pcapng")}))
        asking.start()
        assert files.asked.wait(d.PATIENCE)
        answers_soon(deck)
        assert deck.run("shutdown", "--force").returncode == 0
        assert deck.process.wait(SOON) == 1
        assert "ended without captures that did not end" in open(deck.errors).read()
        asking.join(d.PATIENCE)


def test_a_second_signal_has_no_patience():
    with one_that_does_not_start() as deck:
        deck.process.send_signal(signal.SIGTERM)
        deck.wait_state("two", "stopping")
        begin = time.monotonic()
        deck.process.send_signal(signal.SIGTERM)
        ends_without_it(deck)
        assert time.monotonic() - begin < 8  # with what the guest beside it takes


def read_all(terminal, out):
    with contextlib.suppress(OSError):  # nobody has it open any more
        while piece := os.read(terminal, 4096):
            out += piece


def test_the_shell_has_its_terminal_back():
    """Where the kernel cannot end the deck's process before the file system has answered."""
    d.need_kvm()
    with d.Folder() as folder, HungFiles(os.path.join(folder.path, "hung")) as files:
        folder.guest("two", with_image(files, "two"))
        terminal, other = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        screen = folder.start(stdin=other, stdout=other, stderr=other, start_new_session=True,
                              preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(other)
        shown = bytearray()
        reader = threading.Thread(target=read_all, args=(terminal, shown), daemon=True)
        reader.start()
        d.wait_for(lambda: b"defined" in shown, "the screen")
        folder.call("guest.start", {"guest": "two"})
        assert files.asked.wait(d.PATIENCE)
        os.write(terminal, b"q")
        d.wait_for(lambda: b"shut it down" in shown, "a question")
        os.write(terminal, b"s")
        assert screen.wait(SOON) == 1
        d.wait_for(lambda: b"ended without the guests that did not end: two" in shown, "who it was")
        files.release()
        reader.join(d.PATIENCE)
        os.close(terminal)


@contextlib.contextmanager
def run_of_one(text):
    d.need_kvm()
    with d.Folder() as folder, HungFiles(os.path.join(folder.path, "hung")) as files:
        files.deafen()
        profile = folder.write("two.ini", text(files))
        run = folder.start("run", profile, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True)
        assert files.asked.wait(d.PATIENCE)
        yield run


def test_run_ends_without_it():
    with run_of_one(lambda files: with_image(files, "two")) as run:
        run.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        run.send_signal(signal.SIGTERM)
        assert run.wait(SOON) == 1
        assert "given up: its power was taken" in run.stderr.read()


def test_run_ends_before_it_has_begun():
    with run_of_one(lambda files: with_image(files, "two").replace("readonly = yes",
                                                                   "format = luks")) as run:
        run.send_signal(signal.SIGTERM)
        assert run.wait(SOON) == -signal.SIGTERM


if __name__ == "__main__":
    d.main()
