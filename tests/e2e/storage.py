#!/usr/bin/env python3
"""Disks in other formats and shared folders: Linux writes them by way of other programs."""
import errno
import fcntl
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PATIENCE = 300  # the kernel runs one emulated instruction at a time on some hosts
SIZE = 65536


def profile(asked, more):
    kernel = d.linux_kernel()
    return (f"[guest]\nmemory = 64M\n[boot]\nkernel = {kernel}/vmlinux\n"
            f"initrd = {kernel}/initrd.cpio\n"
            f"cmdline = console=ttyS0 quiet lg={asked}\n{more}")


def image(*args):
    subprocess.run(["qemu-img", *args], check=True, stdout=subprocess.DEVNULL)


def encrypted(*args):
    """qemu-img measures the processor for a new key, and gives up where others use it as well."""
    for _ in range(5):
        if subprocess.run(["qemu-img", *args], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0:
            return
    d.skip("qemu-img cannot make an encrypted image here")


def pattern(path):
    """What the guest says of what it has written there."""
    return [str(SIZE), f"{zlib.crc32(open(path, 'rb').read(SIZE)):08x}"]


def backends(deck):
    """Processes of the programs that serve this deck's guests."""
    out = subprocess.run(["ps", "-o", "pid,ppid,args", "-e"], text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    rows = [line.split(None, 2) for line in out.splitlines()[1:]]
    family = {deck.process.pid}
    for _ in rows:
        family |= {int(pid) for pid, parent, _ in rows if int(parent) in family}
    return [int(pid) for pid, _, args in rows
            if int(pid) in family and re.match(r"\S*(qemu-storage-daemon|virtiofsd)", args)]


def served(deck, guest, device):
    """The process that serves a device, by what the deck says of it."""
    status = [row["status"] for row in deck.call("guest.show", {"guest": guest})["devices"]
              if row["name"] == device][0]
    return int(re.search(r"process (\d+)", status).group(1)), status


def run_to_its_end(deck, guest):
    assert deck.run("start", guest).returncode == 0
    console = deck.console(guest)
    console.expect("LG: disk ", PATIENCE)
    line = console.expect("\n", PATIENCE).split()
    deck.wait_state(guest, "stopped", seconds=PATIENCE)
    return line


def test_qcow2_on_a_backing_file():
    d.need("qemu-img", "qemu-storage-daemon")
    base = os.urandom(SIZE) * 16

    def prepare(folder):
        with open(os.path.join(folder.path, "base.img"), "wb") as file:
            file.write(base)
        image("create", "-q", "-f", "qcow2", "-F", "raw", "-b", "base.img",
              os.path.join(folder.path, "disk.qcow2"))
        folder.guest("linux", profile(f"disk={SIZE}", f"[disk0]\npath = {folder.path}/disk.qcow2\n"
                                      "format = qcow2\nbacking_files = yes\n"))

    with d.Deck(prepare=prepare) as deck:
        written = run_to_its_end(deck, "linux")
        d.wait_for(lambda: not backends(deck), "the end of qemu-storage-daemon")
        path = os.path.join(deck.path, "disk.qcow2")
        assert subprocess.run(["qemu-img", "check", "-q", path]).returncode == 0
        image("convert", "-O", "raw", path, os.path.join(deck.path, "flat.img"))
        flat = open(os.path.join(deck.path, "flat.img"), "rb").read()
        assert pattern(os.path.join(deck.path, "flat.img")) == written
        assert flat[SIZE:] == base[SIZE:] and flat[:SIZE] != base[:SIZE]
        assert open(os.path.join(deck.path, "base.img"), "rb").read() == base


def test_layers():
    """One is forgotten with its guest, one is kept; the images stay as they are."""
    d.need("qemu-img", "qemu-storage-daemon")
    base = os.urandom(SIZE) * 4

    def prepare(folder):
        raw, vdi = (os.path.join(folder.path, name) for name in ("base.img", "base.vdi"))
        with open(raw, "wb") as file:
            file.write(base)
        image("convert", "-f", "raw", "-O", "vdi", raw, vdi)
        for name, path, layer in (("forgets", raw, "format = raw\noverlay = discard"),
                                  ("keeps", vdi, "format = vdi\noverlay = keep")):
            folder.guest(name, profile(f"disk={SIZE}", f"[disk0]\npath = {path}\n{layer}\n"))

    with d.Deck(prepare=prepare) as deck:
        raw, vdi = (os.path.join(deck.path, name) for name in ("base.img", "base.vdi"))
        before = open(vdi, "rb").read()
        layers = os.path.join(deck.path, "state/vmdeck/overlays")
        written = run_to_its_end(deck, "forgets")
        assert os.listdir(layers) == []
        layer = os.path.join(layers, "keeps-disk0.qcow2")
        assert run_to_its_end(deck, "keeps") == written
        assert os.listdir(layers) == [os.path.basename(layer)]
        first = os.stat(layer).st_ino
        assert run_to_its_end(deck, "keeps") == written
        assert os.stat(layer).st_ino == first
        assert subprocess.run(["qemu-img", "check", "-q", layer]).returncode == 0
        image("convert", "-O", "raw", layer, os.path.join(deck.path, "flat.img"))
        assert pattern(os.path.join(deck.path, "flat.img")) == written
        assert open(os.path.join(deck.path, "flat.img"), "rb").read()[SIZE:] == base[SIZE:]
        assert open(raw, "rb").read() == base and open(vdi, "rb").read() == before


def start_with_passphrase(deck, guest, text):
    """Starts it at a terminal; the exit status, and what that has shown."""
    number, ours = pty.openpty()
    terminal = os.fdopen(number, "r+b", buffering=0)

    def take_terminal():
        fcntl.ioctl(ours, termios.TIOCSCTTY, 0)
    process = deck.start("start", guest, stdin=ours, stdout=ours, stderr=ours,
                         start_new_session=True, preexec_fn=take_terminal)
    os.close(ours)
    d.read_until(terminal, f"{guest}: passphrase of disk0, ")
    d.wait_for(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO, "the echo's end")
    terminal.write(text.encode() + b"\r")
    shown = b""
    try:
        while piece := terminal.read(4096):
            shown += piece
    except OSError as error:
        assert error.errno == errno.EIO  # nobody has it open any more
    terminal.close()
    return process.wait(), shown.decode()


def test_a_passphrase_is_asked_for():
    """At the terminal of who starts the guest, and never again until it has ended."""
    d.need("qemu-img", "qemu-storage-daemon")

    def prepare(folder):
        key, disk = (os.path.join(folder.path, name) for name in ("key", "disk.luks"))
        with open(key, "w") as file:
            file.write("open, sesame")
        encrypted("create", "-q", "-f", "luks", "--object", f"secret,id=key,file={key}", "-o",
                  "key-secret=key,iter-time=100", disk, "1M")
        folder.guest("asked", f"[guest]\nmemory = 32M\n[disk0]\npath = {disk}\nformat = luks\n")

    with d.Deck(prepare=prepare) as deck:
        starts_with_the_right_one(deck)


def starts_with_the_right_one(deck):
    def locked():
        return deck.call("guest.show", {"guest": "asked"})["disks"][0]["locked"]
    status, shown = start_with_passphrase(deck, "asked", "open, barley")
    assert status == 1 and "Invalid password" in shown and "barley" not in shown, shown
    assert locked()
    status, shown = start_with_passphrase(deck, "asked", "open, bar\b\b\bsesame")
    assert status == 0 and "sesame" not in shown, shown
    assert deck.run("reset", "--wait", "asked").returncode == 0 and not locked()
    # One that is wanted back while it stops has it still.
    with deck.connect() as connection, connection.makefile("rw") as lines:
        for number, method in enumerate(("guest.off", "guest.start")):
            lines.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                                    "params": {"guest": "asked"}}) + "\n")
        lines.flush()
        assert all("result" in json.loads(lines.readline()) for _ in range(2))
    deck.wait_state("asked", "running")
    assert deck.run("stop", "--force", "--wait", "asked").returncode == 0 and locked()
    result = deck.run("start", "asked", start_new_session=True)
    assert result.returncode == 1 and "is asked for its passphrase" in result.stderr, result.stderr
    result = start_with_passphrase(deck, "asked", "\x03")
    assert result[0] == 1 and "no passphrase was given" in result[1], result


def test_luks_and_nbd():
    """An encrypted image, and one that a server has; both are read by QEMU's own means."""
    d.need("qemu-img", "qemu-storage-daemon", "qemu-nbd")
    secret = ["--object", "secret,id=key,file="]

    def prepare(folder):
        key, disk, socket = (os.path.join(folder.path, name) for name in ("key", "disk", "nbd"))
        with open(key, "w") as file:
            file.write("open, sesame")
        secret[1] += key
        encrypted("create", "-q", "-f", "luks", *secret, "-o", "key-secret=key,iter-time=100",
                  disk + ".luks", "1M")
        image("create", "-q", "-f", "raw", disk + ".img", "1M")
        folder.guest("luks", profile(f"disk={SIZE}", f"[disk0]\npath = {disk}.luks\n"
                                     f"format = luks\nsecret_file = {key}\n"))
        folder.guest("nbd", profile(f"disk={SIZE}", f"[disk0]\nformat = nbd\n"
                                    f"path = nbd+unix:///vol,1?socket={socket}\n"))

    with d.Deck(prepare=prepare) as deck:
        path = os.path.join(deck.path, "disk")
        server = subprocess.Popen(["qemu-nbd", "-t", "-f", "raw", "-x", "vol,1", "-k",
                                   os.path.join(deck.path, "nbd"), path + ".img"])
        try:
            d.wait_for(lambda: os.path.exists(os.path.join(deck.path, "nbd")), "the NBD server")
            written = run_to_its_end(deck, "nbd")
        finally:
            server.terminate()
            server.wait()
        assert pattern(path + ".img") == written
        written = run_to_its_end(deck, "luks")
        assert open(path + ".luks", "rb").read().find(open(path + ".img", "rb").read(4096)) < 0
        subprocess.run(["qemu-img", "convert", *secret, "--image-opts", "-O", "raw",
                        f"driver=luks,key-secret=key,file.filename={path}.luks",
                        path + ".plain"], check=True)
        assert pattern(path + ".plain") == written


def test_a_daemon_that_is_killed_is_started_again():
    """The guest waits for it, and goes on; and nothing of it outlives a deck that is killed."""
    d.need("qemu-img", "qemu-storage-daemon")
    size = 512 * 1024

    def prepare(folder):
        path = os.path.join(folder.path, "disk.qcow2")
        image("create", "-q", "-f", "qcow2", path, "8M")
        folder.guest("linux", profile(f"disk={size},echo,disk={size},echo", f"[disk0]\n"
                                      f"path = {path}\nformat = qcow2\n"))

    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: disk ", PATIENCE)
        pid, status = served(deck, "linux", "disk0")
        assert status.startswith("running, by qemu-storage-daemon"), status
        walls = dict(line.split(":\t") for line in open(f"/proc/{pid}/status"))
        assert walls["Seccomp"].strip() == "2" and walls["NoNewPrivs"].strip() == "1", walls
        assert int(walls["CapBnd"], 16) & ~0x6 == 0, walls  # CAP_DAC_OVERRIDE, _READ_SEARCH
        os.kill(pid, signal.SIGKILL)
        deck.wait_state("linux", "paused")
        reason = deck.call("guest.show", {"guest": "linux"})["reason"]
        assert reason == ("disk0: qemu-storage-daemon was ended by signal 9 (Killed); "
                          "resume starts it again"), reason
        assert deck.run("resume", "linux").returncode == 0
        console.send("end\n")
        console.expect("LG: disk ", PATIENCE)
        assert int(console.expect("\n", PATIENCE).split()[0]) == size
        again, _ = served(deck, "linux", "disk0")
        assert again != pid
        os.kill(deck.process.pid, signal.SIGKILL)
        deck.process.wait()
        d.wait_for(lambda: not os.path.exists(f"/proc/{again}"), "its end")


class NbdServer:
    """An image as a server has it, which can be made to say nothing."""

    def __init__(self, folder):
        self.image = os.path.join(folder, "nbd.img")
        self.socket = os.path.join(folder, "nbd.socket")
        self.process = None

    def profile(self, asked, more=""):
        return profile(asked, f"[disk0]\nformat = nbd\n{more}"
                       f"path = nbd+unix:///?socket={self.socket}\n")

    def __enter__(self):
        self.process = subprocess.Popen(["qemu-nbd", "-t", "-f", "raw", "-e", "9", "-k",
                                         self.socket, self.image],
                                        stderr=subprocess.DEVNULL)
        d.wait_for(lambda: os.path.exists(self.socket), "the NBD server")
        return self

    def signal(self, number):
        os.kill(self.process.pid, number)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def test_what_was_asked_of_a_daemon_that_is_killed():
    """Requests that it had taken are done by the next one; or the guest gets an error for them."""
    d.need("qemu-img", "qemu-storage-daemon", "qemu-nbd")
    server = None

    def prepare(folder):
        nonlocal server
        server = NbdServer(folder.path)
        image("create", "-q", "-f", "raw", server.image, "1M")
        asked = f"echo,disk={SIZE}"
        folder.guest("waits", server.profile(asked))
        folder.guest("goes", server.profile(asked, "on_backend = stop\n"))

    def kill_in_the_middle(deck, guest):
        time.sleep(3)  # for the guest to ask for something
        os.kill(served(deck, guest, "disk0")[0], signal.SIGKILL)

    def go_on(deck, guest):
        deck.wait_state(guest, "paused")
        server.signal(signal.SIGCONT)
        assert deck.run("resume", "--wait", guest).returncode == 0

    with d.Deck(prepare=prepare) as deck, server:
        assert deck.run("start", "waits").returncode == 0
        server.signal(signal.SIGSTOP)
        kill_in_the_middle(deck, "waits")  # of a look for partitions
        go_on(deck, "waits")
        console = deck.console("waits")
        console.expect("LG: up", PATIENCE)
        server.signal(signal.SIGSTOP)
        console.send("end\n")
        kill_in_the_middle(deck, "waits")  # of writing
        go_on(deck, "waits")
        console.expect("LG: disk ", PATIENCE)
        assert console.expect("\n", PATIENCE).split() == pattern(server.image)
        deck.wait_state("waits", "stopped", seconds=PATIENCE)

        events = deck.connect()
        deck.call("events.subscribe", {}, events)
        assert deck.run("start", "goes").returncode == 0
        console = deck.console("goes")
        console.expect("LG: up", PATIENCE)
        server.signal(signal.SIGSTOP)
        console.send("end\n")
        kill_in_the_middle(deck, "goes")
        console.expect(f"LG: fail fsync {errno.EIO}", PATIENCE)
        deck.wait_state("goes", "stopped", seconds=PATIENCE)
        while not (text := json.loads(d.read_line(events))["params"]["text"]).startswith("goes: disk0"):
            pass
        assert text == ("goes: disk0: qemu-storage-daemon was ended by signal 9 (Killed); "
                        "the guest gets errors until it resets the device"), text


def test_pauses_and_a_reset_in_the_middle_of_writing():
    d.need("qemu-img", "qemu-storage-daemon")
    size = 2 << 20

    def prepare(folder):
        path = os.path.join(folder.path, "disk.qcow2")
        image("create", "-q", "-f", "qcow2", path, "8M")
        folder.guest("linux", profile(f"disk={size}", f"[disk0]\npath = {path}\n"
                                      "format = qcow2\n"))

    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: up", PATIENCE)
        assert deck.run("reset", "linux").returncode == 0
        console.expect("LG: up", PATIENCE)
        for _ in range(20):
            assert deck.run("pause", "--wait", "linux").returncode == 0
            assert deck.run("resume", "--wait", "linux").returncode == 0
        console.expect("LG: disk ", PATIENCE)
        assert int(console.expect("\n", PATIENCE).split()[0]) == size
        deck.wait_state("linux", "stopped", seconds=PATIENCE)
        path = os.path.join(deck.path, "disk.qcow2")
        assert subprocess.run(["qemu-img", "check", "-q", path]).returncode == 0


def test_what_is_wrong_with_an_image_is_said():
    d.need("qemu-img", "qemu-storage-daemon")
    big = bytearray(512)
    big[0:8] = b"QFI\xfb\0\0\0\3"
    big[20:24] = (16).to_bytes(4, "big")
    big[24:32] = (8 << 60).to_bytes(8, "big")

    def prepare(folder):
        def put(name, data):
            with open(os.path.join(folder.path, name), "wb") as file:
                file.write(data)

        put("raw.img", bytes(4096))
        put("big.qcow2", big)
        put("cut.qcow2", big[:40])
        for one, other in (("a", "b"), ("b", "a")):
            image("create", "-q", "-f", "qcow2", "-u", "-F", "qcow2", "-b", other + ".qcow2",
                  os.path.join(folder.path, one + ".qcow2"), "1M")
        for name, keys in CASES:
            folder.guest(name, "[disk0]\n" + keys.replace("@", folder.path))

    with d.Deck(prepare=prepare) as deck:
        for name, _ in CASES:
            said = WANTED[name].replace("@", deck.path)
            checked = deck.run("check", deck.path + f"/config/vmdeck/guests/{name}.ini")
            assert said in checked.stdout + checked.stderr, (name, checked)
            started = deck.run("start", name)
            deck.wait_state(name, "failed", "defined", "invalid")
            text = started.stderr + deck.call("guest.show", {"guest": name}).get("reason", "")
            assert said in text, (name, text)


def test_shared_folders():
    """One is written to and read, one can only be read; both by their tags."""
    folders = ("/usr/bin", "/usr/lib/qemu", "/usr/libexec")
    if not any(os.access(f"{place}/virtiofsd", os.X_OK) for place in folders):
        d.skip("virtiofsd is not installed")

    def prepare(folder):
        shares = ""
        for number, (name, more) in enumerate((("mine", ""), ("theirs", "readonly = yes\n"))):
            path = os.path.join(folder.path, name)
            os.mkdir(path)
            with open(os.path.join(path, "file"), "wb") as file:
                file.write(bytes(SIZE))
            shares += f"[share{number}]\npath = {path}\ntag = {name}\n{more}"
        asked = (f"share=mine,on=../share/file,disk={SIZE},unshare,share=theirs,read={SIZE},"
                 f"disk={SIZE}")
        folder.guest("linux", profile(asked, shares))

    with d.Deck(prepare=prepare) as deck:
        path = os.path.join(deck.path, "{}/file").format
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: disk ", PATIENCE)
        assert console.expect("\n", PATIENCE).split() == pattern(path("mine"))
        console.expect("LG: read ", PATIENCE)
        assert console.expect("\n", PATIENCE).split() == pattern(path("theirs"))
        console.expect(f"LG: fail ../share/file {errno.EROFS}".replace("..", "/dev/.."), PATIENCE)
        deck.wait_state("linux", "stopped", seconds=PATIENCE)
        d.wait_for(lambda: not backends(deck), "the end of virtiofsd")
        assert open(path("theirs"), "rb").read() == bytes(SIZE)


CASES = [
    ("base", "path = @/a.qcow2\nformat = qcow2\n"),
    ("loop", "path = @/a.qcow2\nformat = qcow2\nbacking_files = yes\n"),
    ("big", "path = @/big.qcow2\nformat = qcow2\n"),
    ("cut", "path = @/cut.qcow2\nformat = qcow2\n"),
    ("raw", "path = @/raw.img\nformat = qcow2\n"),
    ("vmdk", "path = @/raw.img\nformat = vmdk\n"),
    ("gone", "path = @/gone.qcow2\nformat = qcow2\n"),
    ("luks", "path = @/gone.luks\nformat = luks\nsecret_file = @/raw.img\n"),
    ("url", "path = nbd://\nformat = nbd\n"),
    ("both", "path = @/raw.img\nreadonly = yes\noverlay = keep\n"),
    ("remote", "path = nbd://host\nformat = nbd\noverlay = discard\n"),
    ("serial", "path = @/a.qcow2\nformat = qcow2\nserial = X1\n"),
    ("sata", "path = @/a.qcow2\nformat = qcow2\nbus = sata\n"),
]
WANTED = {
    "base": "@/a.qcow2 names another file, which it is based on; if you trust it, set "
            "backing_files=yes, else convert it with vmdeck disk convert",
    "loop": "@/a.qcow2 is based on itself, by way of @/b.qcow2",
    "big": "@/big.qcow2: it says that it is larger than any disk; look at it with vmdeck disk check",
    "cut": "@/cut.qcow2: the image is cut off; look at it with vmdeck disk check",
    "raw": "@/raw.img is a raw image, or cut off, and not qcow2; correct format=",
    "vmdk": "format=vmdk is only read; set readonly=yes or overlay=",
    "gone": "@/gone.qcow2 does not exist; make one with vmdeck disk create --format qcow2 "
            "@/gone.qcow2 1G, or correct the path",
    "luks": "@/gone.luks does not exist; correct the path",
    "url": "nbd:// is no address for format=nbd; write nbd://HOST:PORT/EXPORT",
    "both": "overlay= is for what a guest writes, and it does not with readonly=yes",
    "remote": "overlay= is for images in files, and not for format=nbd; remove it",
    "serial": "serial= is not for a disk that qemu-storage-daemon serves; remove it",
    "sata": "format=qcow2 is for virtio disks; set bus=virtio",
}

if __name__ == "__main__":
    d.main()
