"""Reads of a disk by the built-in guest, beside QEMU's: rows for run.py.

Both sides run all the time, with the same image, and have their turns one after the other, in
an order that changes with each round. A ratio is the median of those of the rounds, since what
else the machine does changes from one to the next. What counts is requests a second, and requests
for a second of CPU time: of the whole process, and of it without the thread of the vCPU, which is
the guest's own. Random reads are of the page cache; the stream goes past it, as copying would be
all that is measured.
"""
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import time

import deck as d

GOAL = 1.3
IMAGE_MIB = 64
ROUNDS = 11
SECONDS = 1
ROWS = (("random 4096 1", "writeback"), ("random 4096 32", "writeback"), ("stream 1M 1", "none"))
NS_PER_S = 1e9
FIGURES = ("/s", "/CPU s", "/CPU s beside the vCPU")
QEMU = ("qemu-system-x86_64", "-name", "disk,debug-threads=on", "-accel", "kvm", "-cpu",
        "host,arch-capabilities=off", "-nodefaults", "-no-user-config", "-no-reboot",
        "-display", "none", "-serial", "stdio", "-M", "q35", "-m", "64", "-kernel",
        "src/demo/demo.elf", "-append", "name=disk", "-device",
        "virtio-blk-pci,drive=d,disable-legacy=on")


class Side:
    def __init__(self, command, env=None):
        self.process = subprocess.Popen(command, env=env, bufsize=0, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.text = b""

    def expect(self, pattern):
        end = time.monotonic() + d.PATIENCE
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < end, self.text
            if select.select([self.process.stdout], [], [], 1)[0]:
                piece = os.read(self.process.stdout.fileno(), 65536)
                assert piece, self.text
                self.text += piece
        self.text = self.text[found.end():]
        return found

    def cpu(self):
        """Seconds of all threads, and of those that are no vCPU."""
        every = own = 0
        folder = f"/proc/{self.process.pid}/task"
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/comm", encoding="utf-8") as comm, \
                    open(f"{folder}/{thread}/schedstat", encoding="utf-8") as stat:
                name, ran = comm.read(), int(stat.read().split()[0])
            every += ran
            own += 0 if re.match("vcpu|CPU ", name) else ran
        return every / NS_PER_S, own / NS_PER_S

    def turn(self, words):
        before = self.cpu()
        self.process.stdin.write(f"rate {words} {SECONDS}\r".encode())
        found = self.expect(rb"rate: (\d+) requests in \d+ us: (\d+) requests")
        used = (after - now for after, now in zip(self.cpu(), before))
        return int(found[2]), *(int(found[1]) / seconds for seconds in used)

    def end(self):
        self.process.kill()
        self.process.wait()


def sides(folder, image, cache):
    profile = folder.write("disk.ini", "[guest]\nname = disk\nmemory = 64M\n[boot]\n"
                           "firmware = none\ncmdline = name=disk\n[disk0]\n"
                           f"path = {image}\nreadonly = yes\nformat = raw\ncache = {cache}\n")
    both = {"vmdeck": Side([d.VMDECK, "run", profile], folder.env)}
    if "--no-qemu" not in sys.argv and shutil.which(QEMU[0]):
        both["qemu"] = Side([*QEMU, "-drive", f"file={image},if=none,id=d,format=raw,readonly=on,"
                             f"aio=io_uring,cache={cache}"])
    return both


def medians(samples):
    return [statistics.median(column) for column in zip(*samples)]


def measure_row(folder, image, words, cache):
    both = sides(folder, image, cache)
    turns = {name: [] for name in both}
    try:
        for side in both.values():
            side.expect(b"> ")
        for turn in range(ROUNDS):
            for name in sorted(both, reverse=turn % 2):
                turns[name].append(both[name].turn(words))
    finally:
        for side in both.values():
            side.end()
    row = {"what": f"disk, {words}, cache={cache}",
           **{name: medians(samples) for name, samples in turns.items()}}
    if "qemu" in turns:
        row["ratios"] = medians([[ours / theirs for ours, theirs in zip(*both)]
                                 for both in zip(turns["vmdeck"], turns["qemu"])])
    return row


def measure():
    with d.Folder() as folder:
        image = os.path.join(folder.path, "disk.img")
        with open(image, "wb") as file:
            for _ in range(IMAGE_MIB):
                file.write(os.urandom(1 << 20))
            os.fsync(file.fileno())
        return [measure_row(folder, image, *row) for row in ROWS]


def table(rows):
    for row in rows:
        print(f"-    {row['what']}")
        for place, figure in enumerate(FIGURES):
            text = f"       {row['vmdeck'][place]:9.0f} {figure}"
            if "ratios" in row:
                ratio = row["ratios"][place]
                goal = 1 if place == 0 else GOAL
                text += (f": {ratio:.2f} x QEMU, goal {goal}: "
                         f"{'met' if ratio >= goal else 'missed'}")
            print(text)
