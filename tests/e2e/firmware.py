#!/usr/bin/env python3
"""Guests that start by their firmware: SeaBIOS, and what it finds on disks."""
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

SECTOR = 512
LINUX_PATIENCE = 900  # GRUB and the kernel run an emulated instruction at a time on some hosts
SEABIOS = "/usr/share/seabios/bios-256k.bin"


def need_seabios():
    d.need_kvm()
    if not os.path.exists(SEABIOS):
        d.skip("the package seabios is not installed")


def assemble(folder, name, address, size):
    """A program of tests/firmware for that address, as bytes."""
    d.need("as", "ld", "cpp")
    source = os.path.join(d.SRCDIR, f"tests/firmware/{name}.S")
    made = os.path.join(folder.path, name)
    plain = subprocess.run(["cpp", "-P", source], stdout=subprocess.PIPE, check=True)
    subprocess.run(["as", "--32", "-o", made + ".o", "-"], input=plain.stdout, check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-N", "-e", "start", "-Ttext", hex(address),
                    "--oformat", "binary", "-o", made, made + ".o"], check=True)
    with open(made, "rb") as file:
        code = file.read()
    assert len(code) == size
    return code


def boot_sector(folder):
    return assemble(folder, "sector", 0x7c00, SECTOR)


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


def test_sata_disks_are_in_the_boot_order():
    need_seabios()

    def prepare(folder):
        code = boot_sector(folder)
        wrong = disk_image(folder, "wrong.img", code, b"sector: the wrong disk\r\n\0")
        disk = disk_image(folder, "disk.img", code, b"sector: the right disk\r\n\0")
        folder.guest("dos", f"[guest]\nmemory = 32M\n[boot]\nboot_device = disk2\n"
                            f"[disk0]\npath = {wrong}\nreadonly = yes\n"
                            f"[disk1]\npath = {wrong}\nreadonly = yes\nbus = sata\n"
                            f"[disk2]\npath = {disk}\nbus = sata\n")

    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "dos").returncode == 0
        console = deck.console("dos")
        console.expect("sector: up")
        assert console.expect(" disk").endswith("the right")


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
ORDERS = """insmod linux
linux (hd0,msdos1)/bzImage console=ttyS0 quiet lg=button
initrd (hd0,msdos1)/initrd
boot
"""


def need_grub():
    d.need("grub-mkimage", "mke2fs")
    if not os.path.isdir(GRUB):
        d.skip("the package grub-pc-bin is not installed")


def modules(*names):
    """Modules of GRUB and those that they need, as files of its partition."""
    with open(f"{GRUB}/moddep.lst") as file:
        needs = dict(line.rstrip("\n").split(":") for line in file)
    wanted, found = list(names), {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = f"{GRUB}/{name}.mod"
            wanted += needs[name].split()
    return {f"i386-pc/{name}.mod": path for name, path in found.items()}


def file_system(folder, files):
    """An ext2 file system with these files, as bytes. Its blocks are large ones, for each of
    which GRUB has a long way to go."""
    root, image = os.path.join(folder.path, "root"), os.path.join(folder.path, "fs.img")
    for name, source in files.items():
        os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
        os.symlink(source, os.path.join(root, name))
    size = sum(os.path.getsize(source) for source in files.values())
    with open(image, "wb") as file:
        file.truncate((size + size // 8 + (8 << 20)) >> 20 << 20)
    copied = os.path.join(folder.path, "copied")
    subprocess.run(["cp", "-rL", root, copied], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext2", "-F", "-b", "65536", "-d", copied, image],
                   check=True, stderr=subprocess.DEVNULL)
    with open(image, "rb") as file:
        return file.read()


def grub_disk(folder, orders, files, *names):
    """A disk with GRUB before its first partition, which holds the files and modules."""
    early, core = os.path.join(folder.path, "early.cfg"), os.path.join(folder.path, "core.img")
    with open(early, "w") as file:
        file.write(orders)
    # The modules that read the others: unpacking is slow where the processor is emulated.
    subprocess.run(["grub-mkimage", "-O", "i386-pc", "-p", "(hd0,msdos1)", "-c", early, "-o", core,
                    "biosdisk", "part_msdos", "ext2"], check=True)
    content = file_system(folder, {**files, **modules(*names)})
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


@d.aside
def test_grub_boots_linux_from_a_partition():
    need_seabios()
    need_grub()
    files = {"bzImage": f"{d.linux_kernel()}/bzImage", "initrd": f"{d.linux_kernel()}/initrd.cpio"}

    def prepare(folder):
        disk = grub_disk(folder, ORDERS, files, "linux")
        folder.guest("linux", f"[guest]\nmemory = 64M\n[disk0]\npath = {disk}\n")

    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("GRUB loading")
        console.expect("LG: up", LINUX_PATIENCE)
        console.expect("LG: waiting", LINUX_PATIENCE)
        assert deck.run("stop", "linux").returncode == 0
        console.expect("LG: button", LINUX_PATIENCE)
        deck.wait_state("linux", "stopped", seconds=LINUX_PATIENCE)
        assert deck.call("guest.show", {"guest": "linux"})["reason"] == "powered off"


VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"  # 528 KiB, and OVMF itself what is left of 4 MiB


def uefi_guest(folder):
    """Firmware of our own that uses the flash chip as OVMF does."""
    d.need_kvm()
    if not os.path.exists(VARIABLES):
        d.skip("the package ovmf is not installed")
    size = (4 << 20) - os.path.getsize(VARIABLES)
    image = os.path.join(folder.path, "image")
    with open(image, "wb") as file:
        file.seek(size - 0x1000)
        file.write(assemble(folder, "flash", 0xfffff000, 0x1000))
    folder.guest("web", f"[guest]\nmemory = 16M\n[boot]\nfirmware = uefi\n"
                        f"firmware_file = {image}\n")
    return os.path.join(folder.path, "state/vmdeck/uefi/web.fd")


def test_variables_survive():
    """A reset, a power-off, and SIGKILL with a command that has not come to its end."""
    with d.Folder() as folder:
        file = uefi_guest(folder)

        def run(*dialogue, kill=False):
            process = folder.start("run", "web", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
            said = b""
            for answer, expected in dialogue:
                process.stdin.write(answer)
                process.stdin.flush()
                while expected not in said:
                    line = process.stdout.readline()
                    assert line, f"no {expected} in {said}"
                    said = said + line
                said = said[said.index(expected) + len(expected):]
            if kill:
                process.kill()
            process.stdin.write(b"" if kill else b"o")
            process.stdin.close()
            process.stdout.read()
            process.wait()

        run((b"", b"web.fd is new"), (b"", b"flash: has <>"), (b"", b"wrote <A>"),
            (b"n", b"wrote <B>"), (b"r", b"flash: has <AB>"), (b"", b"wrote <C>"))
        run((b"", b"flash: has <ABC>"), (b"", b"wrote <D>"), (b"n", b"wrote <E>"), kill=True)
        run((b"", b"flash: has <ABCDE>"), (b"", b"wrote <F>"), (b"e", b"erased"),
            (b"", b"wrote <A>"))
        with open(file, "rb") as cells, open(VARIABLES, "rb") as template:
            expected = bytearray(template.read())
            expected[0x50000:0x51000] = b"A".ljust(0x1000, b"\xff")
            assert cells.read() == expected


def test_variables_that_cannot_be_used():
    with d.Deck(prepare=uefi_guest) as deck:
        profile, file = f"{deck.guests}/web.ini", f"{deck.path}/state/vmdeck/uefi/web.fd"
        assert deck.run("check", profile).returncode == 0
        assert not os.path.exists(file)
        assert deck.run("start", "web").returncode == 0
        deck.console("web").expect("wrote <A>")
        assert deck.run("check", profile).returncode == 0
        other = deck.run("run", deck.write("web.ini", open(profile).read()))
        assert other.returncode == 1 and f"{file} is in use by process" in other.stderr, other
        assert deck.run("stop", "--force", "web").returncode == 0
        deck.wait_state("web", "stopped")
        os.truncate(file, 4096)
        for command in ("check", profile), ("start", "web"):
            said = deck.run(*command)
            assert said.returncode == 1, said
            assert f"{file} has 4096 bytes, and UEFI variables" in said.stdout + said.stderr, said
        os.unlink(file)
        os.mkdir(file)
        assert f"{file} cannot be opened: Is a directory" in deck.run("start", "web").stderr


if __name__ == "__main__":
    d.main()
