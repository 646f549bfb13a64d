#!/usr/bin/env python3
"""The host's file system is full: a guest's write is held, not lost, and others go on.

The file system is a small one of our own, in a mount namespace that the deck shares.
"""
import json
import os
import signal
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PLAIN = "[guest]\nmemory = 16M\n[boot]\ncmdline = name={name}\nfirmware = none\n"
AT, SIZE = 1 << 20, 64 << 10
WRITE = f"disk write {AT} {SIZE} force"


def enter_own_mounts():
    """Begins again in a mount namespace of our own, if that can be had."""
    if "VMDECK_TEST_MOUNTS" in os.environ:
        return
    os.environ["VMDECK_TEST_MOUNTS"] = "no"
    for enter in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        try:
            can = subprocess.run(enter + ["mount", "-t", "tmpfs", "none", "/tmp"],
                                 stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
        except FileNotFoundError:
            return
        if can:
            os.environ["VMDECK_TEST_MOUNTS"] = "yes"
            os.execvp("unshare", enter + [sys.executable, *sys.argv])


def need_mounts():
    if os.environ["VMDECK_TEST_MOUNTS"] != "yes":
        d.skip("no mount namespace with a tmpfs can be made here")


class Small:
    """A file system of 2 MiB in the test's folder, which is full from the start."""

    def prepare(self, folder):
        self.path = os.path.join(folder.path, "small")
        self.ballast = os.path.join(self.path, "ballast")
        self.image = os.path.join(self.path, "one.img")
        os.mkdir(self.path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", self.path], check=True)
        with open(self.image, "wb") as image:
            image.truncate(16 << 20)
        self.fill()
        folder.guest("one", PLAIN.format(name="one") + f"[disk0]\npath = {self.image}\n")
        folder.guest("two", PLAIN.format(name="two"))
        self.sentence = f"disk0: {self.image}: no space left on device; free some, then resume"

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"\1" * 4096)
            except OSError:
                pass

    def make_room(self):
        os.truncate(self.ballast, 1 << 20)

    def remove(self):
        """Out of the folder, so that it can be deleted; for who has files open it stays."""
        subprocess.run(["umount", "--lazy", self.path], check=True)


class FullDeck(d.Deck):
    """A deck with the guest "one", whose image has no room, and the guest "two"."""

    def __init__(self):
        d.need_kvm()
        need_mounts()
        self.small = Small()
        super().__init__(prepare=self.small.prepare)
        for name in ("one", "two"):
            result = self.run("start", name)
            assert result.returncode == 0, result

    def hold(self, boots=1):
        """Has the guest write, which began so often; returns its console when it is paused."""
        console = self.console("one")
        for _ in range(boots):
            console.expect("Type help.")
        console.expect("one>")
        console.send(WRITE + "\r")
        self.wait_state("one", "paused")
        return console

    def reason(self):
        return self.call("guest.show", {"guest": "one"})["reason"]

    def __exit__(self, *args):
        self.small.remove()
        super().__exit__(*args)


def pattern():
    """What the guest writes: see pattern_fill() in src/demo/command_load.c."""
    data = b""
    for sector in range(AT // 512, (AT + SIZE) // 512):
        word = ((sector * 2654435761) & 0xffffffff ^ 1) | 1
        for _ in range(128):
            word ^= word << 13 & 0xffffffff
            word ^= word >> 17
            word ^= word << 5 & 0xffffffff
            data += struct.pack("<I", word)
    return data


def read_pause(connection):
    """Reads the events of "one" until it is paused; the text that says why."""
    while True:
        event = json.loads(d.read_line(connection))["params"]
        if event["guest"] != "one" or event["kind"] != "state":
            continue
        assert event["state"] in ("running", "paused"), event
        if event["state"] == "paused":
            return event["text"]
        assert not event["text"], event


def test_held_write_arrives_after_room_was_made():
    with FullDeck() as deck:
        other = deck.console("two")
        other.expect("two>")
        deck.wait_state("one", "running")
        events = deck.connect()
        deck.call("events.subscribe", {}, events)
        capture = deck.start("capture", "-w", os.path.join(deck.path, "all.pcapng"),
                             stderr=subprocess.PIPE, text=True)
        console = deck.hold()
        sentence = deck.small.sentence
        assert read_pause(events) == sentence
        assert deck.reason() == sentence
        for command in (["list"], ["show", "one"]):
            assert sentence in deck.run(*command).stdout

        # Without room: the same again, and nothing is lost meanwhile.
        assert deck.run("resume", "one").returncode == 0
        assert read_pause(events) == sentence
        assert deck.reason() == sentence
        assert deck.state("two") == "running"
        other.command("disk read 0 0", "there is no disk")

        deck.small.make_room()
        assert deck.run("resume", "one").returncode == 0
        console.expect(f"disk: write {SIZE} bytes")
        assert deck.state("one") == "running" and deck.reason() is None
        assert sentence not in deck.run("list").stdout
        with open(deck.small.image, "rb") as image:
            image.seek(AT)
            assert image.read(SIZE) == pattern()
        console.command(f"disk verify {AT} {SIZE}", "right")
        assert capture.poll() is None, "the capture has ended"
        capture.send_signal(signal.SIGINT)
        capture.communicate(timeout=d.PATIENCE)
        assert capture.returncode == 0


def test_off_and_reset_need_no_room():
    with FullDeck() as deck:
        deck.hold()
        assert deck.run("reset", "one").returncode == 0
        deck.wait_state("one", "running")
        assert deck.reason() is None
        again = deck.hold(boots=2)
        result = deck.run("stop", "--force", "--wait", "one")
        assert result.returncode == 0, result
        assert deck.state("one") == "stopped" and deck.reason() == "switched off"
        again.close()
        # The image is free again, and a write that was given up is not on it.
        deck.small.make_room()
        assert deck.run("start", "--wait", "one").returncode == 0
        with open(deck.small.image, "rb") as image:
            image.seek(AT)
            assert image.read(SIZE) == bytes(SIZE)


def test_pause_by_hand_and_by_want_of_room():
    with FullDeck() as deck:
        console = deck.hold()
        result = deck.run("pause", "one")
        assert result.returncode == 1 and "is paused" in result.stderr, result
        deck.small.make_room()
        assert deck.run("resume", "one").returncode == 0
        console.expect(f"disk: write {SIZE} bytes")
        assert deck.run("pause", "one").returncode == 0
        deck.wait_state("one", "paused")
        assert deck.reason() is None


@d.aside
def test_deck_ends_while_a_write_is_held():
    for command in (["shutdown", "--wait"], ["shutdown", "--force", "--wait"]):
        with FullDeck() as deck:
            deck.hold()
            result = deck.run(*command)
            assert result.returncode == 0, result
            assert deck.process.wait(d.PATIENCE) == 0


def run_and_resume(folder, small, process):
    # What is typed before the guest has its console may be lost.
    d.read_until(process.stdout, "one>")
    process.stdin.write(WRITE.encode() + b"\r")
    d.read_until(process.stderr, f"vmdeck: {small.sentence}\n")
    small.make_room()
    assert folder.run("resume", "one").returncode == 0
    d.read_until(process.stdout, f"disk: write {SIZE} bytes")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=d.PATIENCE)
    assert process.returncode == 0


def test_run_says_it_and_is_resumed_from_outside():
    d.need_kvm()
    need_mounts()
    small = Small()
    with d.Folder() as folder:
        small.prepare(folder)
        process = folder.start("run", os.path.join(folder.guests, "one.ini"), bufsize=0,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        try:
            run_and_resume(folder, small, process)
        finally:
            process.kill()
            process.communicate()
            small.remove()


def test_a_capture_without_any_room_leaves_no_file():
    said = "nothing could be written, so the file was removed"
    with FullDeck() as deck:
        path = os.path.join(deck.small.path, "x.pcapng")
        result = deck.run("capture", "-w", path)
        assert result.returncode == 1 and said in result.stderr, result
        assert not os.path.exists(path)
        # One that was there stays, and says so.
        open(path, "wb").close()
        result = deck.run("capture", "-w", path)
        assert result.returncode == 1 and "nothing could be written\n" in result.stderr, result
        assert os.path.getsize(path) == 0
        os.remove(path)
        # The deck's own, as the screen has it made, goes by itself.
        number = deck.call("capture.start", {"path": path})["capture"]
        ended = lambda: deck.call("capture.list")["captures"][0]["ended"]
        d.wait_for(ended, "the capture to end")
        assert not os.path.exists(path)
        assert said in ended() and path in ended(), ended()
        assert said in deck.call("capture.stop", {"capture": number})["ended"]


enter_own_mounts()
d.main()
