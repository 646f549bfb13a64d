"""Exits to user space of SeaBIOS and of Linux on their way, beside QEMU's: rows for run.py.

Both sides have the same devices, and tests/bench/exits counts both. Of Linux only what
comes after its first instruction counts: what a kernel takes on the same machine that
switches off at once is subtracted, which with QEMU is its firmware.
"""
import os
import subprocess
import sys

import deck as d

GOAL = 0.6
PATIENCE = 600  # s
HERE = "tests/bench"
QEMU = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host,arch-capabilities=off", "-nodefaults",
        "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
        "-M", "q35,hpet=off,sata=off,smbus=off,vmport=off", "-m", "64"]
DISK = ["-drive", f"file={HERE}/sector.bin,if=none,id=d,format=raw,readonly=on",
        "-device", "virtio-blk-pci,drive=d"]
NET = ["-netdev", "hubport,id=n,hubid=0", "-device", "virtio-net-pci,netdev=n,romfile="]
CMDLINE = "console=ttyS0 quiet"


class Uncounted(Exception):
    """There is no row; why is the text."""


def count(folder, *command):
    ran = subprocess.run([f"{HERE}/exits", *command], stdin=subprocess.DEVNULL, text=True,
                         env=folder.env, capture_output=True, timeout=PATIENCE, check=False)
    if ran.returncode:
        raise Uncounted(ran.stderr.strip() or f"{command[0]} failed")
    return int(ran.stdout)


def ours(folder, boot, more=""):
    path = folder.write("exits.ini", f"[guest]\nname = exits\nmemory = 64M\n[boot]\n{boot}\n"
                        f"[disk0]\npath = {os.path.abspath(HERE)}/sector.bin\nformat = raw\n"
                        f"readonly = yes\n{more}")
    return count(folder, "./vmdeck", "run", path)


def seabios(folder):
    return ours(folder, "firmware = bios"), count(folder, *QEMU, *DISK, "-device", "isa-vga")


def linux(folder):
    build = subprocess.run([os.path.join(d.SRCDIR, "tests/linux/build")], text=True, check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if build.returncode:
        raise Uncounted("the Linux test kernel cannot be built here")
    guest = build.stdout.strip()
    initrd = f"{guest}/initrd.cpio"
    found = []
    for kernel in (f"{guest}/vmlinux", os.path.abspath(f"{HERE}/off.elf")):
        found.append((ours(folder, f"kernel = {kernel}\ninitrd = {initrd}\ncmdline = {CMDLINE}",
                           "[net0]\nswitch = lan\n"),
                      count(folder, *QEMU, *DISK, *NET, "-kernel", kernel, "-initrd", initrd,
                            "-append", CMDLINE)))
    whole, first = found
    return whole[0] - first[0], whole[1] - first[1]


ROWS = (
    ("exits of SeaBIOS to the boot sector, with a VGA", seabios),
    ("exits of Linux, first instruction to power off", linux),
)


def measure():
    """One row each; those that cannot be had are named on standard error."""
    rows = []
    with d.Folder() as folder:
        folder.write("config/vmdeck/switches/lan.ini", "[switch]\nuplink = none\n")
        for what, figures in ROWS:
            try:
                mine, qemu = figures(folder)
            except (Uncounted, subprocess.TimeoutExpired, OSError) as error:
                print(f"bench: left out: {what}: {error}", file=sys.stderr)
                continue
            rows.append({"what": what, "unit": "exits", "vmdeck": mine, "qemu": qemu,
                         "of_qemu": mine / qemu, "met": mine <= GOAL * qemu})
    return rows


def table(rows):
    for row in rows:
        verdict = "met" if row["met"] else "MISSED"
        print(f"16   {row['what']:<46} exits: vmdeck {row['vmdeck']}, QEMU {row['qemu']}, "
              f"{row['of_qemu']:.2f} x; {verdict}: <= {GOAL:.2f} x QEMU")
