#!/usr/bin/env python3
"""Guests that are made by a command: their profiles and images, and their first start."""
import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
import firmware as f

MIB = 1 << 20
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"


def values(text):
    """The lines of a profile that are no comments."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def read(path):
    with open(path) as file:
        return file.read()


def image(folder, *args):
    """Where a guest's image goes."""
    return os.path.join(folder.path, "data/vmdeck", *args)


def need_firmware():
    if not os.path.exists(f.SEABIOS):
        d.skip("the package seabios is not installed")


def test_an_image_becomes_a_guest_that_starts():
    d.need("qemu-img")
    f.need_seabios()
    with d.Deck() as deck:
        code = f.boot_sector(deck)
        disk = f.disk_image(deck, "disk.img", code, b"sector: read 1\r\n\0", b"old")
        source = os.path.join(deck.path, "cloud.qcow2")
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", disk, source], check=True)
        made = deck.run("new", "web", "--from", source, "--disk", "8M", "--memory", "64M")
        assert made.returncode == 0 and not made.stderr, made
        assert "vmdeck start web" in made.stdout and image(deck, "web.img") in made.stdout, made
        assert os.stat(image(deck, "web.img")).st_size == 8 * MIB
        assert values(read(f"{deck.guests}/web.ini")) == [
            "[guest]", "name = web", "memory = 64M", "cpus = 1", "autostart = no", "rng = yes",
            "balloon = yes", "[boot]", "firmware = bios", "[disk0]",
            f"path = {image(deck, 'web.img')}", "format = raw", "[net0]", "switch = lan"]
        assert deck.state("web") == "defined"
        assert deck.run("start", "web").returncode == 0
        console = deck.console("web")
        console.expect("sector: read 1")
        console.send("K")
        deck.wait_state("web", "stopped")
        with open(disk, "rb") as first:
            first.seek(2 * f.SECTOR)
            assert first.read(3) == b"old", "what was copied has changed"


def test_a_cloud_image_gets_a_user():
    need_firmware()
    d.need("qemu-img", "ssh-keygen", "xorriso")
    with d.Folder() as folder:
        source = folder.write("a.img", "x" * 4096)
        key = os.path.join(folder.path, "id")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        private = folder.run("new", "web", "--from", source, "--ssh-key", key)
        assert private.returncode == 1 and private.stderr == (
            f"vmdeck: --ssh-key: {key}: is a private key, which stays here; name its public one, "
            f"{key}.pub\n"), private
        wrong = folder.run("new", "web", "--from", source, "--user", "Me")
        assert wrong.returncode == 1 and "--user: 'Me' is no user's name" in wrong.stderr, wrong
        uefi = ["--uefi"] if os.path.exists(OVMF) else []
        made = folder.run("new", "web", "--from", source, "--ssh-key", key + ".pub", "--user", "me",
                          *uefi, "--dry-run")
        assert made.returncode == 0, made
        assert values(made.stdout)[-5:] == ["[vsock]", "cid = 3", "[cloud]", "user = me",
                                            f"ssh_key = {key}.pub"], made
        assert f"firmware = {'uefi' if uefi else 'bios'}" in values(made.stdout), made
        # Without a name it is that of who asks, or one that is no host's root.
        own = folder.run("new", "web", "--from", source, "--ssh-key", key + ".pub", "--dry-run")
        assert re.search(r"^user = \w+$", own.stdout, re.M) and "user = root" not in own.stdout, own
        kernel = folder.run("new", "web", "--kernel", source, "--uefi")
        assert kernel.returncode == 2 and "--uefi" in kernel.stderr, kernel


def test_an_overlay_copies_nothing():
    need_firmware()
    d.need("qemu-img", "qemu-storage-daemon")
    with d.Folder() as folder:
        source = os.path.join(folder.path, "a.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", source, "1M"], check=True)
        made = folder.json("new", "web", "--from", source, "--overlay")
        assert made["image"] == source and made["format"] == "qcow2", made
        assert {"format = qcow2", "overlay = keep", f"path = {source}"} <= set(
            values(read(made["profile"]))), read(made["profile"])
        assert not os.path.exists(image(folder))
        wrong = folder.run("new", "db", "--from", source, "--overlay", "--disk", "2M")
        assert wrong.returncode == 2 and "--disk is for a copy" in wrong.stderr, wrong


def test_a_cd_and_a_kernel():
    need_firmware()
    with d.Folder() as folder:
        cd = folder.write("net inst.iso", "x" * 4096)
        made = folder.json("new", "lab", "--iso", cd, "--disk", "20G", "--memory", "2G", "--cpus", "2")
        assert made == {"guest": "lab", "profile": f"{folder.guests}/lab.ini",
                        "image": image(folder, "lab.img"), "format": "raw"}, made
        assert os.stat(made["image"]).st_size == 20 << 30 and not os.stat(made["image"]).st_blocks
        text = values(read(made["profile"]))
        assert {"memory = 2G", "cpus = 2", 'boot_device = "disk0, disk1"', "format = raw",
                f'path = "{cd}"', "cdrom = yes"} <= set(text), text
        assert folder.run("check").returncode == 0
        # A CD alone, and nothing is made.
        live = folder.run("new", "live", "--iso", cd, "--dry-run")
        assert live.returncode == 0 and "[disk0]" not in live.stdout, live
        assert "boot_device" not in live.stdout and not os.path.exists(f"{folder.guests}/live.ini")
        kernel = folder.run("new", "dev", "--kernel", folder.write("k", "no kernel" * 1000),
                            "--dry-run")
        assert kernel.returncode == 1 and "--kernel: " in kernel.stderr, kernel
        dry = folder.json("new", "live", "--iso", cd, "--net", "lan", "--net", "lan", "--dry-run")
        assert dry["image"] is None and "[net1]\n" in dry["text"], dry


def test_nothing_is_written_over():
    need_firmware()
    d.need("qemu-img")
    with d.Folder() as folder:
        source = folder.write("a.img", "x" * 4096)
        new = ("new", "web", "--from", source)
        assert folder.run(*new).returncode == 0
        profile = f"{folder.guests}/web.ini"
        before = os.stat(image(folder, "web.img")).st_ino
        again = folder.run(*new, "--image", os.path.join(folder.path, "b.img"))
        assert again.returncode == 1 and "--force" in again.stderr, again
        again = folder.run(*new, "--force")
        assert again.returncode == 1 and "--image" in again.stderr, again
        assert os.stat(image(folder, "web.img")).st_ino == before
        again = folder.run(*new, "--force", "--image", os.path.join(folder.path, "b.img"))
        assert again.returncode == 0 and f"path = {folder.path}/b.img" in read(profile), again
        # The name, by another file.
        os.rename(profile, f"{folder.guests}/other.ini")
        again = folder.run(*new, "--image", os.path.join(folder.path, "c.img"))
        assert again.returncode == 1 and "another profile" in again.stderr, again
        assert os.listdir(folder.guests) == ["other.ini"]
        assert not os.path.exists(os.path.join(folder.path, "c.img"))


def test_mistakes_leave_nothing_behind():
    need_firmware()
    d.need("qemu-img")
    with d.Folder() as folder:
        source = folder.write("a.img", "x" * 4096)
        hidden = os.path.join(folder.path, "hidden.img")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", hidden, "1M"], check=True)
        based = os.path.join(folder.path, "based.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", source, "-F", "raw", based],
                       check=True)
        for words, status, text in (
                (["new"], 2, "new needs NAME"),
                (["new", "a b", "--from", source], 2, "is no name"),
                (["new", "a"], 2, "one of --from, --iso and --kernel"),
                (["new", "a", "--from", source, "--iso", source], 2, "one of --from"),
                (["new", "a", "--iso", source, "--image", "x"], 2, "--disk"),
                (["new", "a", "--iso", source, "--append", "x"], 2, "--append goes with --kernel"),
                (["new", "a", "--iso", source, "--disk", "3"], 2, "not the size of a disk"),
                (["new", "a", "--from", source, "--disk", "1K"], 1, "made smaller"),
                (["new", "a", "--from", source + "x"], 1, "--from: "),
                (["new", "a", "--from", hidden], 1, "--from-format qcow2"),
                (["new", "a", "--from", folder.write("text", "no image\n" * 9)], 1, "is a text file"),
                (["new", "a", "--from", folder.write("odd.img", "\0" * 999)], 1, "has 999 bytes"),
                (["new", "a", "--from", based], 1, "--others"),
                (["new", "a", "--from", source, "--memory", "1x"], 1, "--memory: "),
                (["new", "a", "--from", source, "--net", "moon"], 1, "--net: "),
                (["new", "a", "--from", source, "--format", "moon"], 1, "--format: "),
                (["new", "a", "--iso", source + "\n", "--disk", "1M"], 1, "control character")):
            wrong = folder.run(*words)
            assert wrong.returncode == status and text in wrong.stderr, (words, wrong)
            assert not wrong.stdout, wrong
        assert not os.listdir(folder.guests)
        assert not os.path.exists(image(folder)) or not os.listdir(image(folder))
        assert not os.listdir(os.path.join(folder.path, "run/vmdeck"))
        forced = folder.run("new", "text", "--from", f"{folder.path}/text", "--from-format", "raw")
        assert forced.returncode == 0, forced
        assert re.match("vmdeck: warning: .*/text is a text file", forced.stderr), forced
        assert folder.run("new", "a", "--from", hidden, "--from-format", "qcow2").returncode == 0
        assert os.stat(image(folder, "a.img")).st_size == MIB


def test_an_interrupt_leaves_nothing_behind():
    """With a copy that has begun and does not end."""
    need_firmware()
    d.need("script")
    with d.Folder() as folder:
        tools = os.path.join(folder.path, "tools")
        tool = folder.write("tools/qemu-img", "#!/bin/sh\n"
                            'case "$1" in info) echo \'{"virtual-size": 4096}\'; exit;; esac\n'
                            f"for last; do :; done; echo part >\"$last\"; echo $$ >{tools}/begun\n"
                            'printf "    (12.34/100%%)\\r"; exec sleep 1000\n')
        os.chmod(tool, 0o755)
        source = folder.write("a.img", "x" * 4096)
        env = dict(folder.env, PATH=f"{tools}:{os.environ['PATH']}")
        shown = os.path.join(folder.path, "shown")
        command = f"exec {d.VMDECK} new web --from {source}"
        with open(shown, "wb") as out:
            process = subprocess.Popen(["script", "-qec", command, "/dev/null"], env=env,
                                       stdin=subprocess.PIPE, stdout=out)
        d.wait_for(lambda: "web: 12 %" in read(shown), "the progress")
        os.kill(int(read(f"{tools}/begun")), signal.SIGINT)
        assert process.wait(d.PATIENCE) == 1
        process.stdin.close()
        assert "interrupted" in read(shown), read(shown)
        assert not os.listdir(image(folder)) and not os.listdir(folder.guests)


if __name__ == "__main__":
    d.main()
