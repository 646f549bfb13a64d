#!/usr/bin/env python3
"""Guests that start by their firmware: SeaBIOS, and what it finds on disks."""
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

SECTOR = 512
LINUX_PATIENCE = 500  # GRUB and the kernel run an emulated instruction at a time on some hosts
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
        folder.guest("none", "[guest]\nmemory = 32M\n[boot]\nfirmware = bios\n"
                             "debug_ports = yes\n")
        folder.guest("mute", "[guest]\nmemory = 32M\n[boot]\nfirmware = bios\n"
                             "firmware_serial = no\n")

    with d.Deck(prepare=prepare) as deck:
        told = os.path.join(deck.path, "events")
        events = deck.start("events", stdout=open(told, "w"), stderr=subprocess.DEVNULL)
        assert deck.run("start", "none", "mute").returncode == 0
        console = deck.console("none")
        console.expect("No bootable device.")
        assert deck.run("reset", "none").returncode == 0
        console.expect("SeaBIOS (version ")
        d.wait_for(lambda: "none: port 0x402: No bootable device." in open(told).read(),
                   "what SeaBIOS tells its debug port")
        events.terminate()
        events.wait()
        assert not deck.call("guest.show", {"guest": "mute"})["console_tail"]
        assert deck.state("mute") == "running"


GRUB = "/usr/lib/grub/i386-pc"
PARTITION = 2048  # sector
ORDERS = """linux (hd0,msdos1)/bzImage console=ttyS0 quiet lg=button
initrd (hd0,msdos1)/initrd
boot
"""


def file_system(folder, files):
    """An ext2 file system with these files in its root, as bytes."""
    root, image = os.path.join(folder.path, "root"), os.path.join(folder.path, "fs.img")
    os.mkdir(root)
    for name, source in files.items():
        os.symlink(source, os.path.join(root, name))
    size = sum(os.path.getsize(source) for source in files.values())
    with open(image, "wb") as file:
        file.truncate((size + size // 8 + (2 << 20)) >> 20 << 20)
    copied = os.path.join(folder.path, "copied")
    subprocess.run(["cp", "-rL", root, copied], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext2", "-d", copied, image], check=True)
    with open(image, "rb") as file:
        return file.read()


def grub_disk(folder, orders, files):
    """A disk with GRUB before its first partition, which holds the files."""
    early, core = os.path.join(folder.path, "early.cfg"), os.path.join(folder.path, "core.img")
    with open(early, "w") as file:
        file.write(orders)
    # A short list: unpacking is slow where the processor is emulated.
    subprocess.run(["grub-mkimage", "-O", "i386-pc", "-p", "(hd0,msdos1)", "-c", early, "-o", core,
                    "biosdisk", "part_msdos", "ext2", "linux"], check=True)
    content = file_system(folder, files)
    with open(os.path.join(GRUB, "boot.img"), "rb") as file:
        boot = file.read()[:446]
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", PARTITION,
                        len(content) // SECTOR)
    path = os.path.join(folder.path, "grub.img")
    with open(path, "wb") as disk, open(core, "rb") as code:
        disk.write(boot + entry + bytes(48) + b"\x55\xaa" + code.read())
        assert disk.tell() <= PARTITION * SECTOR
        disk.seek(PARTITION * SECTOR)
        disk.write(content)
    return path


def test_grub_boots_linux_from_a_partition():
    need_seabios()
    d.need("grub-mkimage", "mke2fs")
    if not os.path.isdir(GRUB):
        d.skip("the package grub-pc-bin is not installed")
    files = {"bzImage": f"{d.linux_kernel()}/bzImage", "initrd": f"{d.linux_kernel()}/initrd.cpio"}

    def prepare(folder):
        disk = grub_disk(folder, ORDERS, files)
        folder.guest("linux", f"[guest]\nmemory = 64M\n[disk0]\npath = {disk}\n")

    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("GRUB loading")
        console.expect("LG: up", LINUX_PATIENCE)
        console.expect("LG: waiting", LINUX_PATIENCE)
        assert deck.run("stop", "linux").returncode == 0
        deck.wait_state("linux", "stopped")


if __name__ == "__main__":
    d.main()
