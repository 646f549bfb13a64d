#!/usr/bin/env python3
"""Guests that start by their firmware: SeaBIOS, and what it finds on disks."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

SECTOR = 512
SEABIOS = "/usr/share/seabios/bios-256k.bin"


def need_seabios():
    d.need_kvm()
    if not os.path.exists(SEABIOS):
        d.skip("the package seabios is not installed")


def boot_sector(folder):
    """The boot sector of tests/firmware, as bytes."""
    d.need("as", "ld", "cpp")
    source = os.path.join(d.SRCDIR, "tests/firmware/sector.S")
    made = os.path.join(folder.path, "sector")
    plain = subprocess.run(["cpp", "-P", source], stdout=subprocess.PIPE, check=True)
    subprocess.run(["as", "--32", "-o", made + ".o", "-"], input=plain.stdout, check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-N", "-e", "start", "-Ttext", "0x7c00",
                    "--oformat", "binary", "-o", made, made + ".o"], check=True)
    with open(made, "rb") as file:
        code = file.read()
    assert len(code) == SECTOR
    return code


def disk_image(folder, name, *sectors, size=1 << 20):
    path = os.path.join(folder.path, name)
    with open(path, "wb") as image:
        image.write(b"".join(sector.ljust(SECTOR, b"\0") for sector in sectors))
        image.truncate(size)
    return path


def test_boot_sector_uses_the_bios():
    """From the second disk, which the profile says is tried first."""
    need_seabios()

    def prepare(folder):
        code = boot_sector(folder)
        other = disk_image(folder, "other.img", code, b"sector: the wrong disk\r\n\0")
        disk = disk_image(folder, "disk.img", code, b"sector: read 1\r\n\0", b"old")
        folder.guest("dos", f"[guest]\nmemory = 32M\n[boot]\nboot_device = disk1\n"
                            f"[disk0]\npath = {other}\n[disk1]\npath = {disk}\n")

    with d.Deck(prepare=prepare) as deck:
        assert deck.call("guest.show", {"guest": "dos"})["firmware"] == "bios"
        assert deck.run("start", "dos").returncode == 0
        console = deck.console("dos")
        console.expect("SeaBIOS (version ")
        console.expect("Booting from Hard Disk...")
        console.expect("sector: up")
        console.expect("sector: read 1")
        console.send("K")
        console.expect("sector: key K")
        console.expect("sector: written")
        deck.wait_state("dos", "stopped")
        with open(os.path.join(deck.path, "disk.img"), "rb") as image:
            image.seek(2 * SECTOR)
            assert image.read(15) == b"Kector: read 1\r"


def test_no_system_and_reset():
    """Without a disk SeaBIOS says so; a reset begins with it again."""
    need_seabios()

    def prepare(folder):
        folder.guest("none", "[guest]\nmemory = 32M\n[boot]\nfirmware = bios\n")
        folder.guest("mute", "[guest]\nmemory = 32M\n[boot]\nfirmware = bios\n"
                             "firmware_serial = no\n")

    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "none", "mute").returncode == 0
        console = deck.console("none")
        console.expect("No bootable device.")
        assert deck.run("reset", "none").returncode == 0
        console.expect("SeaBIOS (version ")
        assert not deck.call("guest.show", {"guest": "mute"})["console_tail"]
        assert deck.state("mute") == "running"


d.main()
