#!/usr/bin/env python3
"""Images of disks: made, looked at, resized, converted and checked, beside qemu-img."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

MIB = 1 << 20


def qemu_info(path):
    return json.loads(subprocess.run(["qemu-img", "info", "--output=json", path], check=True,
                                     capture_output=True, text=True).stdout)


def test_a_raw_image_needs_nothing_else():
    with d.Folder() as folder:
        path = os.path.join(folder.path, "a.img")
        env = dict(folder.env, PATH="/nowhere")
        made = subprocess.run([d.VMDECK, "disk", "create", path, "20M"], env=env,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert made.returncode == 0 and os.stat(path).st_size == 20 * MIB, made
        assert os.stat(path).st_blocks == 0, "the image is not sparse"
        again = folder.run("disk", "create", path, "1G")
        assert again.returncode == 1 and "is there already" in again.stderr, again
        assert os.stat(path).st_size == 20 * MIB
        info = subprocess.run([d.VMDECK, "disk", "info", path], env=env, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        assert info.returncode == 1 and "qemu-utils" in info.stderr, info
        for size in ("10", "1X", "1 ", "0", "9999999T", "1GB"):
            wrong = folder.run("disk", "create", path + "x", size)
            assert wrong.returncode == 2 and "is not the size of a disk" in wrong.stderr, wrong
            assert not os.path.exists(path + "x")


def test_images_are_what_qemu_img_says():
    d.need("qemu-img")
    with d.Folder() as folder:
        raw, qcow2 = (os.path.join(folder.path, name) for name in ("a.img", "b.qcow2"))
        with open(raw, "wb") as file:
            file.write(os.urandom(MIB) + bytes(3 * MIB))
        done = folder.run("disk", "convert", raw, qcow2)
        assert done.returncode == 0 and not done.stdout, done
        assert qemu_info(qcow2)["format"] == "qcow2"
        assert subprocess.run(["qemu-img", "compare", "-q", raw, qcow2], check=False).returncode == 0
        assert folder.json("disk", "info", qcow2)["virtual-size"] == 4 * MIB
        assert folder.run("disk", "check", qcow2).stdout == f"{qcow2}: no errors\n"
        assert folder.run("disk", "resize", qcow2, "8M").returncode == 0
        assert qemu_info(qcow2)["virtual-size"] == 8 * MIB
        smaller = folder.run("disk", "resize", raw, "1M")
        assert smaller.returncode == 1 and "--shrink" in smaller.stderr, smaller
        assert os.stat(raw).st_size == 4 * MIB
        assert folder.run("disk", "resize", "--shrink", raw, "1M").returncode == 0
        assert os.stat(raw).st_size == MIB
        # What holds another format, or none, is not taken for a raw disk, but by who says so.
        hidden = shutil.copy(qcow2, os.path.join(folder.path, "hidden.img"))
        text = folder.write("notes.img", "no image\n")
        for words in ["resize", hidden, "16M"], ["convert", hidden, "c.img"]:
            refused = folder.run("disk", *words)
            assert refused.returncode == 1 and "--format qcow2 has it read" in refused.stderr, refused
        refused = folder.run("disk", "convert", text, "c.img")
        assert refused.returncode == 1 and "is a text file" in refused.stderr, refused
        forced = folder.run("disk", "convert", "--format", "raw", text, f"{folder.path}/c.img")
        assert forced.returncode == 0 and ": warning: " in forced.stderr, forced
        assert not [name for name in os.listdir(folder.path) if name.endswith(".part")]


def test_an_image_reads_no_other_file_unasked():
    d.need("qemu-img")
    with d.Folder() as folder:
        secret, image, copy = (os.path.join(folder.path, name)
                               for name in ("secret", "b.qcow2", "c.img"))
        folder.write("secret", "s" * 65536)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw",
                        image], check=True)
        refused = folder.run("disk", "convert", image, copy)
        assert refused.returncode == 1 and secret in refused.stderr, refused
        assert not os.path.exists(copy)
        for words in ("resize", image, "1M"), ("check", image):
            refused = folder.run("disk", *words)
            assert refused.returncode == 1 and secret in refused.stderr, refused
        assert folder.run("disk", "convert", "--others", image, copy).returncode == 0
        with open(copy, "rb") as file:
            assert file.read() == b"s" * 65536


def test_what_is_broken_is_said():
    d.need("qemu-img")
    with d.Folder() as folder:
        image = folder.write("c.qcow2", "x" * 4096)
        for words in (("info", image), ("check", image), ("convert", image, image + ".img"),
                      ("resize", image, "1G")):
            result = folder.run("disk", *words)
            assert result.returncode == 1 and result.stderr.startswith("vmdeck: "), result
            assert "qcow2" in result.stderr, result
        for words in (("info", "no.img"), ("check", "no.qcow2"), ("resize", "no.qcow2", "1G"),
                      ("convert", "no.vmdk", image + ".img")):
            result = folder.run("disk", *words, cwd=folder.path)
            assert result.returncode == 1, result
            assert result.stderr == \
                f"vmdeck: {folder.path}/{words[1]}: No such file or directory\n", result
        assert not os.path.exists(image + ".img")
        wrong = folder.run("disk", "explode", image)
        assert wrong.returncode == 2 and "create, info, resize" in wrong.stderr, wrong


d.main()
