#!/usr/bin/env python3
"""Linux as a guest: DHCP, HTTP through switch and NAT, a disk, the power button; and a bzImage."""
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d

PATIENCE = 300  # the kernel runs one emulated instruction at a time on some hosts
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


def test_dhcp_http_disk_and_power_button():
    d.need("tshark")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    size = 65536

    def prepare(folder):
        asked = f"dhcp,http=10.0.2.2:{server.server_port}/file,disk={size},button"
        folder.guest("linux", profile("vmlinux", asked,
                                      f"[disk0]\npath = {folder.path}/disk.img\n"
                                      "[net0]\nswitch = lan\n"))
        folder.write("config/vmdeck/switches/lan.ini", "[switch]\nuplink = nat\n"
                     "address = 10.0.2.2/24\nloopback = yes\n")
        with open(os.path.join(folder.path, "disk.img"), "wb") as image:
            image.truncate(1 << 20)

    d.linux_kernel()
    with d.Deck(prepare=prepare) as deck:
        path = os.path.join(deck.path, "linux.pcapng")
        capture = deck.start("capture", "-w", path, stderr=subprocess.PIPE, text=True)
        d.wait_for(lambda: os.path.exists(path), "the capture file")
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: up", PATIENCE)
        console.expect("LG: dhcp ", PATIENCE)
        address = console.expect("\n", PATIENCE).strip()
        leases = deck.call("switch.list")["switches"][0]["leases"]
        assert [lease["address"] for lease in leases] == [address], (address, leases)
        assert deck.call("guest.show", {"guest": "linux"})["nets"][0]["address"] == address
        assert f" on lan, {address}, " in deck.run("show", "linux").stdout
        console.expect("LG: http ", PATIENCE)
        count, checksum = console.expect("\n", PATIENCE).split()
        assert int(count) == len(BODY) and int(checksum, 16) == zlib.crc32(BODY), (count, checksum)
        console.expect("LG: disk ", PATIENCE)
        count, checksum = console.expect("\n", PATIENCE).split()
        image = open(os.path.join(deck.path, "disk.img"), "rb").read()
        assert int(count) == size and int(checksum, 16) == zlib.crc32(image[:size]), checksum
        assert any(image[:size]) and not any(image[size:])
        console.expect("LG: waiting", PATIENCE)
        assert deck.run("stop", "linux").returncode == 0
        console.expect("LG: button", PATIENCE)
        deck.wait_state("linux", "stopped", seconds=PATIENCE)
        assert deck.call("guest.show", {"guest": "linux"})["reason"] == "powered off"
        capture.send_signal(signal.SIGINT)
        _, errors = capture.communicate(timeout=d.PATIENCE)
        assert capture.returncode == 0, errors
        shown = subprocess.run(["tshark", "-n", "-r", path, "-d",
                                f"tcp.port=={server.server_port},http", "-T", "fields", "-e",
                                "frame.interface_name", "-e", "_ws.col.Protocol", "-e",
                                "_ws.col.Info"], capture_output=True, text=True, check=True).stdout
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
    return [str(size), f"{zlib.crc32((block * (size // 4096 + 1))[:size]):08x}"]


E1000E = "[net0]\nswitch = lan\nmodel = e1000e\n"
BUILT_IN = "[boot]\ncmdline = name=other\nfirmware = none\n[net0]\nswitch = lan\n"


def test_e1000e():
    """DHCP, and TCP that comes back from the host through NAT, and from a guest with virtio."""
    d.need("tshark")
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=send_back, args=(server,), daemon=True).start()
    port, size = server.getsockname()[1], 60000

    def prepare(folder):
        asked = f"dhcp,tcp=10.0.2.2:{port}:{size},type"
        folder.guest("linux", profile("vmlinux", asked, E1000E))
        folder.guest("other", BUILT_IN)
        folder.write("config/vmdeck/switches/lan.ini", "[switch]\nuplink = nat\n"
                     "address = 10.0.2.2/24\nloopback = yes\n")

    d.linux_kernel()
    with server, d.Deck(prepare=prepare) as deck:
        path = os.path.join(deck.path, "linux.pcapng")
        capture = deck.start("capture", "-w", path, stderr=subprocess.PIPE, text=True)
        d.wait_for(lambda: os.path.exists(path), "the capture file")
        for guest in "linux", "other":
            assert deck.run("start", guest).returncode == 0
        console = deck.console("linux")
        console.expect("LG: dhcp ", PATIENCE)
        console.expect("LG: tcp ", PATIENCE)
        assert console.expect("\n", PATIENCE).split() == tcp_sum(size)
        console.expect("LG: typing", PATIENCE)
        address = next(lease["address"] for lease in deck.call("switch.list")["switches"][0]["leases"]
                       if lease["port"] == "other/net0")
        console.send(f"tcp={address}:7:{size}\r")
        console.expect("LG: tcp ", PATIENCE)
        assert console.expect("\n", PATIENCE).split() == tcp_sum(size)
        console.send("end\r")
        deck.wait_state("linux", "stopped", seconds=PATIENCE)
        capture.send_signal(signal.SIGINT)
        _, errors = capture.communicate(timeout=d.PATIENCE)
        assert capture.returncode == 0, errors
        shown = subprocess.run(["tshark", "-n", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o",
                                "ip.check_checksum:TRUE", "-T", "fields", "-e",
                                "frame.interface_name", "-e", "frame.len", "-e",
                                "ip.checksum.status", "-e", "tcp.checksum.status", "-Y", "tcp"],
                               capture_output=True, text=True, check=True).stdout
        rows = [row.split("\t") for row in shown.splitlines()]
        assert any(row[0] == "linux/net0" and int(row[1]) > 1514 for row in rows), "no segmentation"
        assert not [row for row in rows if row[2] == "0" or row[3] == "0"], shown


def test_sata_disk_and_cd():
    d.need("xorriso")
    size = 1 << 20
    content = os.urandom(150000).hex()

    def prepare(folder):
        folder.guest("linux", profile("bzImage", f"on=sda,disk={size},on=sr0,file=data.bin",
                                      f"[disk0]\npath = {folder.path}/disk.img\nbus = sata\n"
                                      f"[disk1]\npath = {folder.path}/cd.iso\ncdrom = yes\n"))
        with open(os.path.join(folder.path, "disk.img"), "wb") as image:
            image.truncate(8 << 20)
        make_cd(folder, "cd", content)

    d.linux_kernel()
    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: disk ", PATIENCE)
        count, checksum = console.expect("\n", PATIENCE).split()
        console.expect("LG: file ", PATIENCE)
        assert console.expect("\n", PATIENCE).split() == [
            str(len(content)), f"{zlib.crc32(content.encode()):08x}"]
        deck.wait_state("linux", "stopped", seconds=PATIENCE)
        image = open(os.path.join(deck.path, "disk.img"), "rb").read()
        assert int(count) == size and int(checksum, 16) == zlib.crc32(image[:size]), checksum
        assert any(image[:size]) and not any(image[size:])


def make_cd(folder, name, content):
    folder.write(f"{name}/data.bin", content)
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", f"{name}.iso", name],
                   cwd=folder.path, check=True, capture_output=True)


def ask(console, word, answer):
    console.send(word + "\r")
    console.expect(f"LG: {answer}", PATIENCE)
    return console.expect("\n", PATIENCE).strip()


def test_disks_that_change():
    """A disk grows and media are exchanged while Linux runs; it finds what there is."""
    d.need("xorriso")
    contents = {name: os.urandom(3000).hex() for name in ("one", "two")}
    no_medium = "123"

    def prepare(folder):
        folder.guest("linux", profile("vmlinux", "type",
                                      f"[disk0]\npath = {folder.path}/disk.img\n"
                                      f"[disk1]\npath = {folder.path}/one.iso\ncdrom = yes\n"))
        with open(os.path.join(folder.path, "disk.img"), "wb") as image:
            image.truncate(1 << 20)
        for name, content in contents.items():
            make_cd(folder, name, content)

    def file_of(console):
        count, checksum = ask(console, "file=data.bin", "file ").split()
        return int(checksum, 16)

    d.linux_kernel()
    with d.Deck(prepare=prepare) as deck:
        sums = {name: zlib.crc32(content.encode()) for name, content in contents.items()}
        image = os.path.join(deck.path, "disk.img")
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: typing", PATIENCE)
        assert ask(console, "size", "size ") == str(1 << 20)
        grown = deck.run("disk", "resize", image, "3M")
        assert grown.returncode == 0 and "linux has been told" in grown.stdout, grown
        assert os.path.getsize(image) == 3 << 20
        # Linux looks at its disk a moment after the interrupt.
        d.wait_for(lambda: ask(console, "size", "size ") == str(3 << 20), "the disk to grow")
        smaller = deck.run("disk", "resize", image, "2M")
        assert smaller.returncode == 1 and "linux: disk0: it has 3.0M; while" in smaller.stderr
        stays = deck.run("disk", "resize", os.path.join(deck.path, "one.iso"), "4M")
        assert stays.returncode == 1 and "a SATA drive cannot tell" in stays.stderr, stays

        console.send("on=sr0\r")
        assert file_of(console) == sums["one"]
        two = os.path.join(deck.path, "two.iso")
        assert deck.run("insert", "linux", two).returncode == 0
        assert file_of(console) == sums["two"]
        shown = deck.run("show", "linux").stdout
        assert re.search(r"disk1 +/.*/two.iso \(read-only\), running$", shown, re.M), shown

        # What the guest holds stays, unless it has to go.
        ask(console, "hold", "hold")
        held = deck.run("eject", "linux/disk1")
        assert held.returncode == 1 and "holds the medium" in held.stderr, held
        assert deck.run("eject", "--force", "linux/disk1").returncode == 0
        ask(console, "drop", "drop")
        assert ask(console, "medium", "medium ") == no_medium
        assert "disk1      no medium" in deck.run("show", "linux").stdout
        assert deck.run("insert", "linux/disk1", two).returncode == 0
        assert file_of(console) == sums["two"]

        # The guest opens the tray; that and the medium are so after a reset, until it closes it.
        ask(console, "eject", "eject")
        assert "its tray is open" in deck.run("show", "linux").stdout
        assert deck.run("reset", "linux").returncode == 0
        console.expect("LG: typing", PATIENCE)
        shown = deck.run("show", "linux").stdout
        assert re.search(r"disk1 +/.*/two.iso \(read-only\), running, its tray is open$", shown,
                         re.M), shown
        console.send("on=sr0\r")
        assert ask(console, "medium", "medium ") == "0"
        assert file_of(console) == sums["two"]
        for words, sentence in ((("insert", "linux", image), "vmdeck: linux: disk1: /"),
                                (("insert", "linux", "/no/such.iso"), "does not exist"),
                                (("insert", "linux/disk0", two), "disk0 is no drive"),
                                (("eject", "nobody/disk0"), "nobody"),
                                (("eject", "linux/x/y"), "")):
            refused = deck.run(*words)
            assert refused.returncode == 1 and sentence in refused.stderr, refused
        assert file_of(console) == sums["two"]


def test_bzimage_boots_and_reboots():
    def prepare(folder):
        folder.guest("linux", profile("bzImage", "reboot"))

    d.linux_kernel()
    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: up", PATIENCE)
        console.expect("LG: up", PATIENCE)
        assert deck.state("linux") == "running"
        deck.run("stop", "--force", "linux")
        deck.wait_state("linux", "stopped")
        assert deck.call("guest.show", {"guest": "linux"})["reason"] == "switched off"


def test_run_takes_a_kernel_by_options():
    folder_of_kernel = d.linux_kernel()
    with d.Folder() as folder:
        image = folder.write("root.img", "\0" * (1 << 20))
        result = folder.run("run", "--kernel", f"{folder_of_kernel}/bzImage", "--initrd",
                            f"{folder_of_kernel}/initrd.cpio", "--append",
                            "console=ttyS0 quiet lg=read=4096", "--memory", "64M", "--disk", image)
        assert result.returncode == 0 and "LG: read 4096 " in result.stdout, result
        # What is no mistake is said once.
        process = folder.start("run", "--kernel", f"{folder_of_kernel}/bzImage", "--append",
                               "console=ttyS0 acpi=off", stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout.read(1)
        process.kill()
        told = process.communicate()[1]
        assert told.count("acpi=off") == 1, told


def virtio_profile():
    return profile("vmlinux", "random=300,type").replace(
        "[boot]", "rng = yes\nballoon = yes\n[boot]")


def meminfo(console):
    """MemTotal and MemFree, bytes, of the guest's own /proc/meminfo."""
    console.send("memory\r")
    console.expect("LG: memory ", PATIENCE)
    return [int(number) << 10 for number in console.expect("\n", PATIENCE).split()]


def view(deck):
    return deck.call("guest.show", {"guest": "linux"})["memory_view"]


def resident(deck):
    return deck.json("stats", "linux")["guests"][0]["values"]["memory"]


def test_random_numbers_and_balloon():
    d.linux_kernel()
    with d.Deck(prepare=lambda folder: folder.guest("linux", virtio_profile())) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: random ", PATIENCE)
        count, checksum = console.expect("\n", PATIENCE).split()
        assert int(count) == 300 and int(checksum, 16) != zlib.crc32(bytes(300)), checksum

        # What it says of its memory is what it finds, at the time at which it is asked.
        console.expect("LG: typing", PATIENCE)
        total, free = meminfo(console)
        d.wait_for(lambda: view(deck)["total"] == total, "statistics of this moment")
        assert abs(view(deck)["free"] - free) < 1 << 20, (view(deck), free)
        shown = deck.run("show", "linux").stdout
        assert re.search(r"^its view +uses [0-9.]+M of [0-9.]+M$", shown, re.M), shown

        # What is asked for is taken from its free memory, of which the host then has more.
        console.send("touch=24\r")
        console.expect("LG: touch", PATIENCE)
        before = resident(deck)
        assert deck.run("balloon", "linux", "32M").returncode == 0
        d.wait_for(lambda: view(deck)["balloon"] == 32 << 20, "the balloon to be inflated")
        less = meminfo(console)[1]
        assert abs(free - less - (32 << 20)) < 4 << 20, (free, less)
        d.wait_for(lambda: resident(deck) < before - (8 << 20), "the host to have it")
        assert "holds 32.0M" in deck.run("show", "linux").stdout
        assert deck.run("balloon", "linux", "64M").returncode == 0
        d.wait_for(lambda: view(deck)["balloon"] == 0, "the balloon to be empty")
        assert abs(meminfo(console)[1] - free) < 4 << 20
        result = deck.run("balloon", "linux", "65M")
        assert result.returncode == 1 and "balloon: it has 64.0M" in result.stderr, result


def test_virtio_console():
    """All of it is on hvc0, which has what is typed and the size of the window."""
    d.linux_kernel()
    text = profile("vmlinux", "type").replace("ttyS0", "hvc0").replace(
        "[boot]", "console = virtio\n[boot]")
    with d.Deck(prepare=lambda folder: folder.guest("linux", text)) as deck:
        deck.call("console.window", {"guest": "linux", "rows": 30, "columns": 90})
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: up", PATIENCE)
        console.expect("LG: typing", PATIENCE)
        console.send("window\r")
        console.expect("LG: window 30 90", PATIENCE)
        deck.call("console.window", {"guest": "linux", "rows": 50, "columns": 132})
        # The guest hears of it by an interrupt, and some moments later.
        d.wait_for(lambda: console.command("window", "\n", PATIENCE) and
                   console.expect("\n", PATIENCE).strip() == "LG: window 50 132", "the size")
        console.send("flood=300000\r")
        console.expect("LG: flood ", PATIENCE)
        assert "console    running, 132x50" in deck.run("show", "linux").stdout
        # Long input, which waits until it is read.
        console.send("".join(f"sleep={n:0100}\r" for n in range(10)) + "memory\r")
        console.expect("LG: memory ", PATIENCE)
        console.send("off\r")
        deck.wait_state("linux", "stopped", seconds=PATIENCE)
        tail = deck.call("guest.show", {"guest": "linux"})["console_tail"]
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


def test_vsock_both_ways():
    sent, ended = 3 << 20, []
    data = os.urandom(2 << 20)
    pattern = bytes((at * 31 >> 3) & 0xff for at in range(sent))

    d.linux_kernel()
    with d.Deck(prepare=lambda folder: folder.guest("linux", profile(
            "vmlinux", f"vsock=77/{sent},listen=1234", "[vsock]\n"))) as deck:
        path = os.path.join(deck.path, "run/vmdeck/linux.vsock")
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
            listener.bind(path + "_77")
            listener.listen()
            threading.Thread(target=echo, args=(listener, ended), daemon=True).start()
            assert deck.run("start", "linux").returncode == 0
            console = deck.console("linux")
            console.expect("LG: vsock ", PATIENCE)
            assert console.expect("\n", PATIENCE).split() == [
                str(sent), f"{zlib.crc32(pattern):08x}"]
            d.wait_for(lambda: ended == [sent], "the end of the connection")

            console.expect("LG: calls", PATIENCE)
            client.connect(path)
            client.sendall(b"CONNECT 1234\n")
            client.settimeout(PATIENCE)
            back = client.makefile("rb")
            assert back.readline() == b"OK 1073741824\n"
            threading.Thread(target=lambda: (client.sendall(data),
                                             client.shutdown(socket.SHUT_WR))).start()
            assert back.read() == data
            console.expect("LG: vsock ", PATIENCE)
            assert console.expect("\n", PATIENCE).split() == [
                str(len(data)), f"{zlib.crc32(data):08x}"]
        deck.wait_state("linux", "stopped", seconds=PATIENCE)
        assert not os.path.exists(path)


def test_connect_is_a_port_of_the_guest():
    data = os.urandom(1 << 20)

    d.linux_kernel()
    with d.Deck(prepare=lambda folder: folder.guest("linux", profile(
            "vmlinux", "listen=1234,button", "[vsock]\n"))) as deck:
        early = deck.run("connect", "linux", "1234")
        assert early.returncode == 1 and "does not run" in early.stderr, early
        assert deck.run("start", "linux").returncode == 0
        deck.console("linux").expect("LG: calls", PATIENCE)
        nobody = deck.run("connect", "linux", "9")
        assert nobody.returncode == 1 and "nothing listens at its port 9" in nobody.stderr, nobody
        back = subprocess.run([d.VMDECK, "connect", "linux.vmdeck", "1234"], input=data,
                              env=deck.env, capture_output=True, timeout=PATIENCE)
        assert back.returncode == 0 and back.stdout == data, back.stderr
        wrong = deck.run("connect", "linux", "4294967295")
        assert wrong.returncode == 2 and "is no port" in wrong.stderr, wrong


def test_interrupts_by_the_pics():
    """A system that does not use the IOAPIC, nor messages."""
    d.linux_kernel()
    with d.Folder() as folder:
        image = folder.write("root.img", "\0" * (1 << 20))
        path = folder.write("pics.ini", profile(
            "vmlinux", "disk=65536 noapic pci=nomsi", f"[disk0]\npath = {image}\n"))
        result = folder.run("run", path)
        assert result.returncode == 0 and "LG: disk 65536 " in result.stdout, result


def test_watchdog_and_panic():
    """The one is only told of, the other pauses the guest; what is told of stands beside it."""
    def prepare(folder):
        folder.guest("linux", profile("vmlinux", "type").replace(
            "[boot]", "watchdog = report\non_panic = pause\n[boot]"))

    def shown():
        guest = deck.call("guest.show", {"guest": "linux"})
        return guest["state"], guest["reason"]

    neglected = "its watchdog has waited in vain for a sign of life"
    d.linux_kernel()
    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "linux").returncode == 0
        console = deck.console("linux")
        console.expect("LG: typing", PATIENCE)
        assert shown() == ("running", None)
        console.send("watchdog=1\r")
        console.expect("LG: watchdog", PATIENCE)
        d.wait_for(lambda: shown() == ("running", neglected), "the watchdog to bite", PATIENCE)
        listed = deck.run("list").stdout
        assert neglected in listed, listed
        console.send("panic\r")
        console.expect("Kernel panic", PATIENCE)
        deck.wait_state("linux", "paused")
        assert shown() == ("paused", "its kernel panicked")
        assert deck.run("resume", "linux").returncode == 0
        d.wait_for(lambda: deck.call("guest.show", {"guest": "linux"})["restarts"],
                   "the kernel to reset the machine", PATIENCE)
        assert shown()[1] is None


if __name__ == "__main__":
    d.main()
