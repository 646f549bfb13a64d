#!/usr/bin/env python3
"""Linux as a guest: networks, disks, media, vsock, the console, the power button, its panic."""
import contextlib
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PATIENCE = 600  # the kernel runs one emulated instruction at a time on some hosts
BODY = bytes(range(256)) * 80


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_):
        pass


def profile(image, asked, more=""):
    return (f"[guest]\nmemory = 64M\n[boot]\nkernel = {d.linux_kernel()}/{image}\n"
            f"initrd = {d.linux_kernel()}/initrd.cpio\n"
            f"cmdline = console=ttyS0 quiet lg={asked}\n{more}")


# --- one Linux for the cases that only need one that runs ---

DEVICES = ("rng = yes\nballoon = yes\nconsole = virtio\nwatchdog = report\n"
           "on_panic = pause\n[vsock]\n")
DISK, SATA_DISK = 1 << 20, 8 << 20


class Linux(d.Deck):
    """A deck with a Linux that has a device of each kind and does what is typed to it. All of it
    is on hvc0; its cards are on switches of their own, each with NAT."""

    def __init__(self):
        self.contents = {"one": os.urandom(150000).hex(), "two": os.urandom(3000).hex()}
        super().__init__(prepare=self.prepare)
        try:
            self.call("console.window", {"guest": "linux", "rows": 30, "columns": 90})
            assert self.run("start", "linux").returncode == 0
            self.typed = self.console("linux")
            self.typed.expect("LG: up", PATIENCE)
            self.typed.expect("LG: typing", PATIENCE)
        except BaseException:
            self.__exit__()
            raise

    def prepare(self, folder):
        image, sata, one = (os.path.join(folder.path, name)
                            for name in ("disk.img", "sata.img", "one.iso"))
        text = profile("vmlinux", "type", f"[disk0]\npath = {image}\n"
                       f"[disk1]\npath = {one}\ncdrom = yes\n"
                       f"[disk2]\npath = {sata}\nbus = sata\n[net0]\nswitch = lan\n"
                       "[net1]\nswitch = wan\nmodel = e1000e\n")
        folder.guest("linux", text.replace("ttyS0", "hvc0").replace("[boot]", DEVICES + "[boot]"))
        folder.guest("other", "[boot]\ncmdline = name=other\nfirmware = none\n"
                              "[net0]\nswitch = wan\n")
        for number, name in enumerate(("lan", "wan")):
            folder.write(f"config/vmdeck/switches/{name}.ini", "[switch]\nuplink = nat\n"
                         f"address = 10.0.{number + 2}.2/24\nloopback = yes\n")
        for path, size in (image, DISK), (sata, SATA_DISK):
            with open(path, "wb") as file:
                file.truncate(size)
        for name, content in self.contents.items():
            folder.write(f"{name}/data.bin", content)
            subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", f"{name}.iso", name],
                           cwd=folder.path, check=True, capture_output=True)

    def ask(self, word, answer=None):
        """Types a word; what is said behind the answer's name, which is the word's own."""
        self.typed.send(word + "\r")
        self.typed.expect(f"LG: {answer or word.partition('=')[0]}", PATIENCE)
        return self.typed.expect("\n", PATIENCE).strip()

    def sum_of(self, word):
        """What is said of bytes: how many, and their checksum."""
        count, checksum = self.ask(word).split()
        return int(count), int(checksum, 16)

    def shown(self):
        return self.call("guest.show", {"guest": "linux"})

    def leases(self, port):
        return [lease["address"] for switch in self.call("switch.list")["switches"]
                for lease in switch["leases"] if lease["port"] == port]


def make_linux():
    d.need("xorriso")
    d.linux_kernel()
    return Linux()


linux = d.Shared(make_linux)


@contextlib.contextmanager
def captured(deck):
    """The path of a capture of all that passes meanwhile, which is whole behind that."""
    path = os.path.join(deck.path, "linux.pcapng")
    capture = deck.start("capture", "-w", path, stderr=subprocess.PIPE, text=True)
    d.wait_for(lambda: os.path.exists(path) and os.path.getsize(path), "the capture to begin")
    yield path
    capture.send_signal(signal.SIGINT)
    _, errors = capture.communicate(timeout=d.PATIENCE)
    assert capture.returncode == 0, errors


def tshark(path, *args):
    return subprocess.run(["tshark", "-n", "-r", path, *args], capture_output=True, text=True,
                          check=True).stdout


def size_and_sum(data):
    return len(data), zlib.crc32(data)


def written(path, size):
    """Size and checksum of what is at the start of an image, behind which there is nothing."""
    with open(path, "rb") as file:
        image = file.read()
    assert any(image[:size]) and not any(image[size:])
    return size_and_sum(image[:size])


@linux.case
def test_dhcp_http_and_disk(deck):
    d.need("tshark")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with captured(deck) as path:
        address = deck.ask("dhcp")
        assert deck.leases("linux/net0") == [address]
        assert deck.shown()["nets"][0]["address"] == address
        assert f" on lan, {address}, " in deck.run("show", "linux").stdout
        assert deck.sum_of(f"http=10.0.2.2:{server.server_port}/file") == size_and_sum(BODY)
    assert deck.sum_of("disk=65536") == written(os.path.join(deck.path, "disk.img"), 65536)
    shown = tshark(path, "-d", f"tcp.port=={server.server_port},http", "-T", "fields", "-e",
                   "frame.interface_name", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info")
    for wanted in (r"linux/net0\tDHCP\t.*DHCP Request", r"lan/nat\tDHCP\t.*DHCP ACK",
                   r"linux/net0\tHTTP\tGET /file", r"lan/nat\tHTTP\t.*200 OK"):
        assert re.search(wanted, shown), (wanted, shown)
    server.shutdown()


def send_back(server):
    """Sends back what comes, connection by connection."""
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            while data := connection.recv(1 << 16):
                connection.sendall(data)


def tcp_sum(size):
    """What init.c sends: CRC-32 of size bytes of its pattern."""
    block = b"".join((i * 2654435761 & 0xffffffff).to_bytes(4, "little")
                     for i in range(0, 4096, 4))
    return size_and_sum((block * (size // 4096 + 1))[:size])


@linux.case
def test_e1000e(deck):
    """DHCP, and TCP that comes back from the host through NAT, and from a guest with virtio."""
    d.need("tshark")
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=send_back, args=(server,), daemon=True).start()
    port, size = server.getsockname()[1], 60000
    with server, captured(deck) as path:
        assert deck.run("start", "other").returncode == 0
        deck.typed.send("card=eth1\r")
        address = deck.ask("dhcp")
        assert deck.leases("linux/net1") == [address]
        assert deck.sum_of(f"tcp=10.0.3.2:{port}:{size}") == tcp_sum(size)
        address = d.wait_for(lambda: deck.leases("other/net0"), "a lease of the other guest")[0]
        assert deck.sum_of(f"tcp={address}:7:{size}") == tcp_sum(size)
    assert deck.run("stop", "--force", "other").returncode == 0
    shown = tshark(path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T",
                   "fields", "-e", "frame.interface_name", "-e", "frame.len", "-e",
                   "ip.checksum.status", "-e", "tcp.checksum.status", "-Y", "tcp")
    rows = [row.split("\t") for row in shown.splitlines()]
    assert any(row[0] == "linux/net1" and int(row[1]) > 1514 for row in rows), "no segmentation"
    assert not [row for row in rows if row[2] == "0" or row[3] == "0"], shown


@linux.case
def test_links_go_down_and_up(deck):
    """Linux finds the links of both kinds of cards as they are set, and nothing comes through."""
    for number in range(2):
        port = f"linux/net{number}"
        deck.typed.send(f"card=eth{number}\r")
        deck.ask("dhcp")
        deck.ask("carrier=up")
        assert deck.run("port", "set", port, "link=down").returncode == 0
        deck.ask("carrier=down")
        assert deck.run("port", "show", port).stdout == "link = down\n"
        assert deck.run("port", "set", port, "link=up").returncode == 0
        deck.ask("carrier=up")
        assert deck.run("port", "show", port).stdout == ""
        deck.ask(f"arp=10.0.{number + 2}.2")
    deck.typed.send("card=eth0\r")


@linux.case
def test_sata_disk_and_cd(deck):
    deck.typed.send("on=sda\r")
    assert deck.sum_of("disk=1048576") == written(os.path.join(deck.path, "sata.img"), 1 << 20)
    deck.typed.send("on=sr0\r")
    assert deck.sum_of("file=data.bin") == size_and_sum(deck.contents["one"].encode())


def view(deck):
    return deck.shown()["memory_view"]


def said_since(deck, begin):
    """The guest's statistics, if they are of a time behind begin."""
    said = view(deck)
    age = said.get("age_ms")
    return said if age is not None and age < (time.monotonic() - begin) * 1000 else None


def resident(deck):
    return deck.json("stats", "linux")["guests"][0]["values"]["memory"]


def meminfo(deck):
    """MemTotal and MemFree, bytes, of the guest's own /proc/meminfo."""
    return [int(number) << 10 for number in deck.ask("memory").split()]


@linux.case
def test_random_numbers_and_balloon(deck):
    count, checksum = deck.sum_of("random=300")
    assert count == 300 and checksum != zlib.crc32(bytes(300)), checksum

    # What it says of its memory is what it finds, at the time at which it is asked.
    begin = time.monotonic()
    total, free = meminfo(deck)
    said = d.wait_for(lambda: said_since(deck, begin), "statistics of this moment")
    assert said["total"] == total and abs(said["free"] - free) < 1 << 20, (said, free)
    shown = deck.run("show", "linux").stdout
    assert re.search(r"^its view +uses [0-9.]+M of [0-9.]+M$", shown, re.M), shown

    # What is asked for is taken from its free memory, of which the host then has more.
    deck.ask("touch=12")
    before = resident(deck)
    assert deck.run("balloon", "linux", "24M").returncode == 0
    d.wait_for(lambda: view(deck)["balloon"] == 40 << 20, "the balloon to be inflated", PATIENCE)
    less = meminfo(deck)[1]
    assert abs(free - less - (40 << 20)) < 4 << 20, (free, less)
    d.wait_for(lambda: resident(deck) < before - (4 << 20), "the host to have it")
    assert "holds 40.0M" in deck.run("show", "linux").stdout

    # A guest that needs more than is left takes a part of it back, a MiB at a time.
    deck.ask(f"touch={(less >> 20) + 1}")
    assert view(deck)["balloon"] < 40 << 20
    assert deck.run("balloon", "linux", "64M").returncode == 0
    d.wait_for(lambda: view(deck)["balloon"] == 0, "the balloon to be empty", PATIENCE)
    assert abs(meminfo(deck)[1] - free) < 4 << 20
    result = deck.run("balloon", "linux", "65M")
    assert result.returncode == 1 and "balloon: it has 64.0M" in result.stderr, result


@linux.case
def test_alarm_of_the_real_time_clock(deck):
    assert int(deck.ask("alarm=2")) >= 1000


@linux.case
def test_virtio_console(deck):
    """All of it is on hvc0, which has what is typed and the size of the window."""
    assert deck.ask("window") == "30 90"
    deck.call("console.window", {"guest": "linux", "rows": 50, "columns": 132})
    # The guest hears of it by an interrupt, and some moments later.
    d.wait_for(lambda: deck.ask("window") == "50 132", "the size")
    deck.ask("flood=60000")
    assert "console    running, 132x50" in deck.run("show", "linux").stdout
    # Long input, which waits until it is read.
    deck.typed.send("".join(f"sleep={n:0100}\r" for n in range(10)))
    deck.ask("memory")
    tail = deck.shown()["console_tail"]
    assert any("LG: memory" in line for line in tail), tail


def echo(listener, ended):
    """Sends back what comes, and says how much that was."""
    connection, _ = listener.accept()
    total = 0
    with connection:
        while data := connection.recv(1 << 16):
            connection.sendall(data)
            total += len(data)
    ended.append(total)


@linux.case
def test_vsock_both_ways(deck):
    sent, ended = 1 << 20, []  # several times what either end has room for
    data = os.urandom(1 << 20)
    pattern = bytes((at * 31 >> 3) & 0xff for at in range(sent))
    path = os.path.join(deck.path, "run/vmdeck/linux.vsock")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(path + "_77")
        listener.listen()
        threading.Thread(target=echo, args=(listener, ended), daemon=True).start()
        assert deck.sum_of(f"vsock=77/{sent}") == size_and_sum(pattern)
        d.wait_for(lambda: ended == [sent], "the end of the connection")

        deck.ask("listen=1234", "calls")
        client.connect(path)
        client.sendall(b"CONNECT 1234\n")
        client.settimeout(PATIENCE)
        back = client.makefile("rb")
        assert back.readline() == b"OK 1073741824\n"
        threading.Thread(target=lambda: (client.sendall(data),
                                         client.shutdown(socket.SHUT_WR))).start()
        assert back.read() == data
        deck.typed.expect("LG: vsock ", PATIENCE)
        assert deck.typed.expect("\n", PATIENCE).split() == [
            str(len(data)), f"{zlib.crc32(data):08x}"]


@linux.case
def test_connect_is_a_port_of_the_guest(deck):
    data = os.urandom(1 << 20)
    deck.ask("listen=1234", "calls")
    nobody = deck.run("connect", "linux", "9")
    assert nobody.returncode == 1 and "nothing listens at its port 9" in nobody.stderr, nobody
    back = subprocess.run([d.VMDECK, "connect", "linux.vmdeck", "1234"], input=data,
                          env=deck.env, capture_output=True, timeout=PATIENCE)
    assert back.returncode == 0 and back.stdout == data, back.stderr
    deck.typed.expect("LG: vsock ", PATIENCE)
    wrong = deck.run("connect", "linux", "4294967295")
    assert wrong.returncode == 2 and "is no port" in wrong.stderr, wrong
    early = deck.run("connect", "other", "1234")
    assert early.returncode == 1 and "does not run" in early.stderr, early


@linux.case
def test_disks_that_change(deck):
    """A disk grows and media are exchanged while Linux runs; it finds what there is."""
    no_medium = "123"
    sums = {name: size_and_sum(content.encode()) for name, content in deck.contents.items()}
    image, one, two = (os.path.join(deck.path, name) for name in ("disk.img", "one.iso", "two.iso"))
    deck.typed.send("on=vda\r")
    assert deck.ask("size") == str(DISK)
    grown = deck.run("disk", "resize", image, "3M")
    assert grown.returncode == 0 and "linux has been told" in grown.stdout, grown
    assert os.path.getsize(image) == 3 << 20
    # Linux looks at its disk a moment after the interrupt.
    d.wait_for(lambda: deck.ask("size") == str(3 << 20), "the disk to grow")
    smaller = deck.run("disk", "resize", image, "2M")
    assert smaller.returncode == 1 and "linux: disk0: it has 3.0M; while" in smaller.stderr
    stays = deck.run("disk", "resize", one, "4M")
    assert stays.returncode == 1 and "a SATA drive cannot tell" in stays.stderr, stays

    deck.typed.send("on=sr0\r")
    assert deck.sum_of("file=data.bin") == sums["one"]
    assert deck.run("insert", "linux", two).returncode == 0
    assert deck.sum_of("file=data.bin") == sums["two"]
    shown = deck.run("show", "linux").stdout
    assert re.search(r"disk1 +/.*/two.iso \(read-only\), running$", shown, re.M), shown

    # What the guest holds stays, unless it has to go.
    deck.ask("hold")
    held = deck.run("eject", "linux/disk1")
    assert held.returncode == 1 and "holds the medium" in held.stderr, held
    assert deck.run("eject", "--force", "linux/disk1").returncode == 0
    deck.ask("drop")
    assert deck.ask("medium") == no_medium
    assert "disk1      no medium" in deck.run("show", "linux").stdout
    assert deck.run("insert", "linux/disk1", two).returncode == 0
    assert deck.sum_of("file=data.bin") == sums["two"]

    # The guest opens the tray; that and the medium are so after a reset, until it closes it.
    deck.ask("eject")
    assert "its tray is open" in deck.run("show", "linux").stdout
    assert deck.run("reset", "linux").returncode == 0
    deck.typed.expect("LG: typing", PATIENCE)
    shown = deck.run("show", "linux").stdout
    assert re.search(r"disk1 +/.*/two.iso \(read-only\), running, its tray is open$", shown,
                     re.M), shown
    deck.typed.send("on=sr0\r")
    assert deck.ask("medium") == "0"
    assert deck.sum_of("file=data.bin") == sums["two"]
    for words, sentence in ((("insert", "linux", image), "vmdeck: linux: disk1: /"),
                            (("insert", "linux", "/no/such.iso"), "does not exist"),
                            (("insert", "linux/disk0", two), "disk0 is no drive"),
                            (("eject", "nobody/disk0"), "nobody"),
                            (("eject", "linux/x/y"), "")):
        refused = deck.run(*words)
        assert refused.returncode == 1 and sentence in refused.stderr, refused
    assert deck.sum_of("file=data.bin") == sums["two"]


@linux.case
def test_watchdog_and_panic(deck):
    """The one is only told of, the other pauses the guest; what is told of stands beside it."""
    def told():
        guest = deck.shown()
        return guest["state"], guest["reason"]

    neglected = "its watchdog has waited in vain for a sign of life"
    assert told() == ("running", None)
    deck.ask("watchdog=1")
    d.wait_for(lambda: told() == ("running", neglected), "the watchdog to bite", PATIENCE)
    listed = deck.run("list").stdout
    assert neglected in listed, listed
    deck.typed.send("panic\r")
    deck.typed.expect("Kernel panic", PATIENCE)
    deck.wait_state("linux", "paused", seconds=PATIENCE)
    assert told() == ("paused", "its kernel panicked")
    restarts = deck.shown()["restarts"]
    assert deck.run("resume", "linux").returncode == 0
    d.wait_for(lambda: deck.shown()["restarts"] > restarts, "the kernel to reset the machine",
               PATIENCE)
    assert told()[1] is None
    # What it said last and its sockets are looked at when it is off.
    assert deck.run("stop", "--force", "--wait", "linux").returncode == 0
    tail = deck.shown()["console_tail"]
    assert any("Kernel panic" in line for line in tail), tail
    assert not os.path.exists(os.path.join(deck.path, "run/vmdeck/linux.vsock"))
    linux.close()


# --- and those that need one of their own ---


@d.aside
def test_bzimage_boots_and_reboots_with_the_pics():
    """A system that does not use the IOAPIC, nor messages: its devices, and what comes to a card
    from outside, raise lines."""
    def prepare(folder):
        with open(os.path.join(folder.path, "disk.img"), "wb") as image:
            image.truncate(DISK)
        folder.guest("linux", profile("bzImage", "dhcp,disk=65536,reboot noapic pci=nomsi",
                                      f"[disk0]\npath = {folder.path}/disk.img\n"
                                      "[net0]\nswitch = lan\nmodel = e1000e\n"))
        folder.write("config/vmdeck/switches/lan.ini",
                     "[switch]\nuplink = nat\naddress = 10.0.2.2/24\n")

    d.linux_kernel()
    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: up", PATIENCE)
        console.expect("LG: dhcp 10.0.2.", PATIENCE)
        console.expect("LG: disk ", PATIENCE)
        count, checksum = console.expect("\n", PATIENCE).split()
        image = os.path.join(deck.path, "disk.img")
        assert (int(count), int(checksum, 16)) == written(image, 65536)
        console.expect("LG: up", PATIENCE)
        assert deck.state("linux") == "running"
        deck.run("stop", "--force", "linux")
        deck.wait_state("linux", "stopped")
        assert deck.call("guest.show", {"guest": "linux"})["reason"] == "switched off"


@d.aside
def test_run_takes_a_kernel_by_options():
    """And the power button, which is pressed from outside."""
    folder_of_kernel = d.linux_kernel()
    with d.Folder() as folder:
        image = folder.write("root.img", "\0" * (1 << 20))
        process = folder.start("run", "--kernel", f"{folder_of_kernel}/vmlinux", "--initrd",
                               f"{folder_of_kernel}/initrd.cpio", "--append",
                               "console=ttyS0 quiet lg=read=4096,button", "--memory", "64M",
                               "--disk", image, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        d.read_until(process.stdout, "LG: read 4096 ", PATIENCE)
        d.read_until(process.stdout, "LG: waiting", PATIENCE)
        guest = folder.json("list")["guests"][0]["name"]
        assert folder.run("stop", "--wait", guest).returncode == 0
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0 and b"LG: button" in output, (output, errors)
        assert b"power button pressed" in errors, errors
        # What is no mistake is said once.
        process = folder.start("run", "--kernel", f"{folder_of_kernel}/vmlinux", "--append",
                               "console=ttyS0 earlyprintk=ttyS0 acpi=off", stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout.read(1)
        process.kill()
        told = process.communicate()[1]
        assert told.count("acpi=off") == 1, told


if __name__ == "__main__":
    d.main()
