#!/usr/bin/env python3
"""Disks in other formats and shared folders: Linux writes them by way of other programs."""
import errno
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
import proc

PATIENCE = 600  # the kernel runs one emulated instruction at a time on some hosts
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


def pattern(path, size=SIZE):
    """What the guest says of what it has written there."""
    return [str(size), f"{zlib.crc32(open(path, 'rb').read(size)):08x}"]


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


# --- one Linux that writes to disks and to folders, for the cases that look at them ---

BASE = os.urandom(SIZE) * 16
WHOLE = len(BASE) // 2  # of what is written to the first disk
VIRTIOFSD = ("/usr/bin", "/usr/lib/qemu", "/usr/libexec")
DISKS = """[disk0]
path = @/disk.qcow2
format = qcow2
backing_files = yes
[disk1]
path = @/base.raw
format = raw
overlay = discard
[disk2]
path = @/base.vdi
format = vdi
overlay = keep
"""
LUKS = """[disk3]
path = @/disk.luks
format = luks
secret_file = @/key
"""
SHARES = """[share0]
path = @/mine
tag = mine
[share1]
path = @/theirs
tag = theirs
readonly = yes
"""


class Written(d.Deck):
    """A deck whose guest "linux" has written to its disks and has gone off. What it said of each
    is in the order in which it did: by the name of the device as it knows it."""

    def __init__(self):
        self.devices = ["vda", "vdb", "vdc"]
        self.shares = any(os.access(f"{place}/virtiofsd", os.X_OK) for place in VIRTIOFSD)
        self.no_luks = None
        super().__init__(prepare=self.prepare)
        try:
            self.said = self.start_and_wait()
        except BaseException:
            self.__exit__()
            raise

    def prepare(self, folder):
        def at(name):
            return os.path.join(folder.path, name)
        for name in "base.img", "base.raw":
            with open(at(name), "wb") as file:
                file.write(BASE)
        image("create", "-q", "-f", "qcow2", "-F", "raw", "-b", "base.img", at("disk.qcow2"))
        image("convert", "-f", "raw", "-O", "vdi", at("base.img"), at("base.vdi"))
        self.vdi = open(at("base.vdi"), "rb").read()
        folder.write("key", "open, sesame")
        self.secret = ["--object", f"secret,id=key,file={at('key')}"]
        try:
            encrypted("create", "-q", "-f", "luks", *self.secret, "-o",
                      "key-secret=key,iter-time=100", at("disk.luks"), "1M")
            self.devices.append("vdd")
        except d.Skip as why:
            self.no_luks = why
        for name in "mine", "theirs":
            os.mkdir(at(name))
            with open(at(f"{name}/file"), "wb") as file:
                file.write(bytes(SIZE))
        words = [f"on={device},disk={SIZE if device != 'vda' else WHOLE}"
                 for device in self.devices]
        if self.shares:
            words += [f"share=mine,on=../share/file,disk={SIZE},unshare,share=theirs,read={SIZE}",
                      f"disk={SIZE}"]
        text = DISKS + ("" if self.no_luks else LUKS) + (SHARES if self.shares else "")
        folder.guest("linux", profile(",".join(words), text.replace("@", folder.path)))

    def at(self, name):
        return os.path.join(self.path, name)

    def start_and_wait(self, meanwhile=lambda console: None):
        """Starts it; what it says of each device: bytes, checksum."""
        console = self.console("linux", backlog=False)
        assert self.run("start", "linux").returncode == 0
        meanwhile(console)
        said = {}
        for device in self.devices + (["mine"] if self.shares else []):
            console.expect("LG: disk ", PATIENCE)
            said[device] = console.expect("\n", PATIENCE).split()
        if self.shares:
            console.expect("LG: read ", PATIENCE)
            said["theirs"] = console.expect("\n", PATIENCE).split()
            console.expect(f"LG: fail /dev/../share/file {errno.EROFS}", PATIENCE)
        self.wait_state("linux", "stopped", seconds=PATIENCE)
        d.wait_for(lambda: not backends(self), "the end of what served the disks and folders")
        return said

    def flat(self, name, *args):
        """The content of an image."""
        image("convert", "-O", "raw", *(args or [self.at(name)]), self.at("flat.img"))
        with open(self.at("flat.img"), "rb") as file:
            return file.read()


def make_written():
    d.need("qemu-img", "qemu-storage-daemon")
    d.linux_kernel()
    return Written()


written = d.Shared(make_written)


@written.case
def test_qcow2_on_a_backing_file(deck):
    flat = deck.flat("disk.qcow2")
    assert subprocess.run(["qemu-img", "check", "-q", deck.at("disk.qcow2")]).returncode == 0
    assert pattern(deck.at("flat.img"), WHOLE) == deck.said["vda"]
    assert flat[WHOLE:] == BASE[WHOLE:] and flat[:WHOLE] != BASE[:WHOLE]
    assert open(deck.at("base.img"), "rb").read() == BASE


@written.case
def test_luks(deck):
    """Is read by QEMU's own means."""
    if deck.no_luks:
        raise deck.no_luks
    plain = deck.flat("disk.luks", *deck.secret, "--image-opts",
                      f"driver=luks,key-secret=key,file.filename={deck.at('disk.luks')}")
    with open(deck.at("disk.luks"), "rb") as file:
        assert any(plain[:4096]) and plain[:4096] not in file.read()
    assert pattern(deck.at("flat.img")) == deck.said["vdd"]


@written.case
def test_shared_folders(deck):
    """One is written to and read, one can only be read; both by their tags."""
    if not deck.shares:
        d.skip("virtiofsd is not installed")
    assert deck.said["mine"] == pattern(deck.at("mine/file"))
    assert deck.said["theirs"] == pattern(deck.at("theirs/file"))
    assert open(deck.at("theirs/file"), "rb").read() == bytes(SIZE)


@written.case
def test_layers_and_pauses_and_a_reset_in_the_middle_of_writing(deck):
    """One layer is forgotten with its guest, one is kept; the images stay as they are."""
    layers = deck.at("state/vmdeck/overlays")
    layer = os.path.join(layers, "linux-disk2.qcow2")
    assert os.listdir(layers) == [os.path.basename(layer)]
    first = os.stat(layer).st_ino

    def disturb(console):
        console.expect("LG: up", PATIENCE)
        assert deck.run("reset", "linux").returncode == 0
        console.expect("LG: up", PATIENCE)
        for _ in range(20):
            assert deck.run("pause", "--wait", "linux").returncode == 0
            assert deck.run("resume", "--wait", "linux").returncode == 0

    assert deck.start_and_wait(disturb) == deck.said
    assert os.listdir(layers) == [os.path.basename(layer)]
    assert os.stat(layer).st_ino == first
    for path in layer, deck.at("disk.qcow2"):
        assert subprocess.run(["qemu-img", "check", "-q", path]).returncode == 0, path
    assert deck.flat(layer)[SIZE:] == BASE[SIZE:]
    assert pattern(deck.at("flat.img")) == deck.said["vdc"]
    assert open(deck.at("base.raw"), "rb").read() == BASE
    assert open(deck.at("base.vdi"), "rb").read() == deck.vdi


# --- and those that need one of their own ---


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

    def __init__(self, folder, name):
        self.image = os.path.join(folder, f"{name}.img")
        self.socket = os.path.join(folder, f"{name}.socket")
        self.process = None

    def disk(self, number):
        return (f"[disk{number}]\nformat = nbd\n"
                f"path = nbd+unix:///vol,1?socket={self.socket}\n")

    def __enter__(self):
        self.process = subprocess.Popen(["qemu-nbd", "-t", "-f", "raw", "-e", "9", "-x", "vol,1",
                                         "-k", self.socket, self.image],
                                        stderr=subprocess.DEVNULL)
        d.wait_for(lambda: os.path.exists(self.socket), "the NBD server")
        return self

    def signal(self, number):
        os.kill(self.process.pid, number)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def wait_idle(deck, guest):
    """Until the guest's processor has nothing to do but its clock's interrupts."""
    def tasks():  # which it is not named as before it has begun
        return [task for task, name, _ in proc.threads(deck.process.pid)
                if name == f"vcpu0-{guest}"]
    task, = d.wait_for(tasks, f"{guest}'s processor")

    def sleeps():
        times = 0
        for _ in range(30):
            with open(f"/proc/{task}/stat") as file:
                times += file.read().rpartition(")")[2].split()[0] == "S"
            time.sleep(0.02)
        return times > 18
    d.wait_for(sleeps, f"{guest} to wait for something", PATIENCE)


def test_what_was_asked_of_a_daemon_that_is_killed():
    """Requests that it had taken are done by the next one; or the guest gets an error for them."""
    d.need("qemu-img", "qemu-storage-daemon", "qemu-nbd")
    servers = []

    def prepare(folder):
        servers.extend(NbdServer(folder.path, name) for name in ("waits", "goes"))
        for server in servers:
            image("create", "-q", "-f", "raw", server.image, "1M")
        folder.guest("linux", profile(
            f"echo,disk={SIZE},echo,on=vdb,disk={SIZE}",
            servers[0].disk(0) + servers[1].disk(1) + "on_backend = stop\n"))

    def kill_in_the_middle(device):
        wait_idle(deck, "linux")
        os.kill(served(deck, "linux", device)[0], signal.SIGKILL)

    def go_on():
        deck.wait_state("linux", "paused")
        waits.signal(signal.SIGCONT)
        assert deck.run("resume", "--wait", "linux").returncode == 0

    with d.Deck(prepare=prepare) as deck, servers[0] as waits, servers[1] as goes:
        assert deck.run("start", "linux").returncode == 0
        waits.signal(signal.SIGSTOP)
        kill_in_the_middle("disk0")  # of a look for partitions
        go_on()
        console = deck.console("linux")
        console.expect("LG: listening", PATIENCE)
        waits.signal(signal.SIGSTOP)
        console.send("end\n")
        kill_in_the_middle("disk0")  # of writing
        go_on()
        console.expect("LG: disk ", PATIENCE)
        assert console.expect("\n", PATIENCE).split() == pattern(waits.image)

        events = deck.connect()
        deck.call("events.subscribe", {}, events)
        console.expect("LG: listening", PATIENCE)
        goes.signal(signal.SIGSTOP)
        console.send("end\n")
        kill_in_the_middle("disk1")
        console.expect(f"LG: fail fsync {errno.EIO}", PATIENCE)
        deck.wait_state("linux", "stopped", seconds=PATIENCE)
        while not (text := json.loads(d.read_line(events))["params"]["text"]).startswith("linux: disk1"):
            pass
        assert text == ("linux: disk1: qemu-storage-daemon was ended by signal 9 (Killed); "
                        "the guest gets errors until it resets the device"), text


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


F_OFD_SETLK = 37  # of fcntl.h
PLAIN = "[guest]\nmemory = 16M\n[boot]\nfirmware = none\n[disk0]\npath = @/"
SHARED = {  # guests by name, and what they have of few images
    "one": "x.qcow2\nformat = qcow2\n",
    "two": "sym.qcow2\nformat = qcow2\n",
    "as-it-is": "x.qcow2\nformat = raw\n",
    "raw": "raw.img\n",
    "over": "raw.img\noverlay = discard\n",
    "kept": "hard.img\noverlay = keep\n",
    "based": "based.qcow2\nformat = qcow2\nbacking_files = yes\n",
    "layer": "state/vmdeck/overlays/kept-disk0.qcow2\nformat = qcow2\nbacking_files = yes\n",
    "twice": "x.qcow2\nformat = qcow2\n[disk1]\npath = @/sym.qcow2\nformat = qcow2\n",
    "both": "raw.img\noverlay = discard\n[disk1]\npath = @/hard.img\n",
}
CLASHES = [  # who runs, who is started beside that, what is said of it
    ("one", "two", "@/sym.qcow2 is in use as disk0 of the guest one (@/x.qcow2 there); stop"),
    ("one", "as-it-is", "@/x.qcow2 is in use as disk0 of the guest one; stop that one"),
    ("as-it-is", "one", "@/x.qcow2 is in use as disk0 of the guest as-it-is; stop that one"),
    ("over", "raw", "@/raw.img is what disk0 of the guest over is based on, so it must not"),
    ("raw", "over", "@/raw.img is written to as disk0 of the guest raw, so nothing can be"),
    ("raw", "based", "@/raw.img is written to as disk0 of the guest raw, so nothing can be"),
    ("based", "raw", "@/raw.img is what disk0 of the guest based is based on, so it must not"),
    ("over", "kept", None),
    ("over", "based", None),
    ("kept", "layer", "kept-disk0.qcow2 is in use as disk0 of the guest kept; stop that one"),
    (None, "twice", "disk1: @/sym.qcow2 is the image of disk0 (@/x.qcow2 there) as well"),
    (None, "both", "disk0: @/raw.img is written to as disk1 (@/hard.img there), so nothing"),
]
CHECKED = {
    "twice": "path: @/sym.qcow2 is the image of disk0 (@/x.qcow2 there) as well",
    "both": "path: @/hard.img is what disk0 (@/raw.img there) is based on",
}


def test_an_image_has_one_writer_whoever_serves_it():
    d.need_kvm()
    d.need("qemu-img", "qemu-io", "qemu-storage-daemon")

    def prepare(folder):
        def at(name):
            return os.path.join(folder.path, name)
        image("create", "-q", "-f", "qcow2", at("x.qcow2"), "10M")
        os.truncate(at("x.qcow2"), 1 << 20)
        image("create", "-q", "-f", "raw", at("raw.img"), "1M")
        image("create", "-q", "-f", "qcow2", "-F", "raw", "-b", at("raw.img"), at("based.qcow2"))
        os.symlink("x.qcow2", at("sym.qcow2"))
        os.link(at("raw.img"), at("hard.img"))
        for name, keys in SHARED.items():
            folder.guest(name, (PLAIN + keys).replace("@", folder.path))

    with d.Deck(prepare=prepare) as deck:
        for first, second, said in CLASHES:
            running = [first] if first else []
            for name in running:
                started = deck.run("start", name)
                assert started.returncode == 0, started
            started = deck.run("start", second)
            if said:
                assert started.returncode == 1, (first, second)
                assert said.replace("@", deck.path) in started.stderr, (first, second, started)
            else:
                assert started.returncode == 0, (first, second, started)
                running.append(second)
            for name in running:
                assert deck.run("stop", "--force", "--wait", name).returncode == 0
        # Of what is below a layer nobody else is a writer.
        assert deck.run("start", "over").returncode == 0
        written = subprocess.run(["qemu-io", "-f", "raw", "-c", "write 0 512",
                                  os.path.join(deck.path, "raw.img")], text=True,
                                 capture_output=True)
        assert written.returncode and "Failed to get" in written.stderr, written
        assert deck.run("stop", "--force", "--wait", "over").returncode == 0
        # A process of somebody else, which writes to it by QEMU's locks.
        with open(os.path.join(deck.path, "raw.img"), "rb+") as file:
            for byte in 101, 201:
                lock = struct.pack("hhqqi", fcntl.F_RDLCK, os.SEEK_SET, byte, 1, 0)
                fcntl.fcntl(file, F_OFD_SETLK, lock)
            for name in "raw", "over", "based":
                started = deck.run("start", name)
                # Of which process, that depends on what the deck may see.
                assert re.search(r"/raw\.img is in use by (a )?process .*\(it holds a write lock\)",
                                 started.stderr), started
        for name, said in CHECKED.items():
            checked = deck.run("check", f"{deck.guests}/{name}.ini")
            assert checked.returncode == 1, checked
            assert said.replace("@", deck.path) in checked.stdout + checked.stderr, checked


CASES = [
    ("base", "path = @/a.qcow2\nformat = qcow2\n"),
    ("loop", "path = @/a.qcow2\nformat = qcow2\nbacking_files = yes\n"),
    ("big", "path = @/big.qcow2\nformat = qcow2\n"),
    ("cut", "path = @/cut.qcow2\nformat = qcow2\n"),
    ("raw", "path = @/raw.img\nformat = qcow2\n"),
    ("vmdk", "path = @/raw.img\nformat = vmdk\n"),
    ("gone", "path = @/gone.qcow2\nformat = qcow2\n"),
    ("luks", "path = @/gone.luks\nformat = luks\nsecret_file = @/raw.img\n"),
    ("typed", "path = @/gone.luks\nformat = luks\n"),
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
    "typed": "@/gone.luks does not exist; correct the path",
    "url": "nbd:// is no address for format=nbd; write nbd://HOST:PORT/EXPORT",
    "both": "overlay= is for what a guest writes, and it does not with readonly=yes",
    "remote": "overlay= is for images in files, and not for format=nbd; remove it",
    "serial": "serial= is not for a disk that qemu-storage-daemon serves; remove it",
    "sata": "format=qcow2 is for virtio disks; set bus=virtio",
}

if __name__ == "__main__":
    d.main()
