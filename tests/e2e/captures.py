#!/usr/bin/env python3
"""Captures of what guests send, ended and cut into files as asked, read by Wireshark's tools."""
import glob
import json
import os
import re
import signal
import ssl
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deck as d
from screen import Terminal


def tool(program, *args):
    result = subprocess.run([program, *args], capture_output=True, text=True, timeout=d.PATIENCE)
    assert result.returncode == 0, (program, args, result)
    return result.stdout


def fields(path, *names, show=""):
    wanted = [word for name in names for word in ("-e", name)]
    return [line.split("\t") for line in
            tool("tshark", "-n", "-r", path, "-Y", show, "-T", "fields", *wanted).splitlines()]


def make():
    d.need("tshark", "capinfos", "editcap")
    return d.deck_of_two()


deck_of_two = d.Shared(make)


def ping(deck, count):
    deck.console_of_one.command(f"ping two {count} 10", f"{count} sent, {count} received")


def ends(capture):
    _, errors = capture.communicate(timeout=d.PATIENCE)
    assert capture.returncode == 0, errors
    return errors


def begin(deck, path, *args, pattern=None):
    """A capture to path that has begun."""
    capture = deck.start("capture", *args, "-w", path, stderr=subprocess.PIPE, text=True)
    d.wait_for(lambda: any(os.path.getsize(name) for name in glob.glob(pattern or path)),
               "the capture to begin")
    return capture


@deck_of_two.case
def test_a_count_ends_a_capture(deck):
    path = os.path.join(deck.path, "count.pcapng")
    capture = begin(deck, path, "-c", "3", "-s", "0", "-f", "icmp")
    ping(deck, 4)
    assert "3 packets captured\n0 packets dropped" in ends(capture)
    assert len(fields(path, "frame.number")) == 3
    assert re.search(r"Number of packets: *3\n", tool("capinfos", "-M", path))


@deck_of_two.case
def test_time_ends_a_capture(deck):
    path = os.path.join(deck.path, "time.pcapng")
    begun = time.monotonic()
    capture = begin(deck, path, "-a", "duration:1.5", "-i", "two/net0")
    ping(deck, 2)
    ends(capture)
    assert 1.4 < time.monotonic() - begun < 60
    assert fields(path, "icmp.type", show="icmp") == [["8"], ["0"]] * 2


@deck_of_two.case
def test_classic_pcap(deck):
    path = os.path.join(deck.path, "classic.pcap")
    for option in (("-P",), ("-F", "pcap")):
        capture = begin(deck, path, *option, "-c", "4", "-f", "icmp")
        ping(deck, 2)
        ends(capture)
        assert "nanosecond" in tool("capinfos", "-t", path)
        assert fields(path, "icmp.type") == [["8"], ["0"]] * 2
        begun = float(fields(path, "frame.time_epoch")[0][0])
        assert abs(time.time() - begun) < 3600
        os.remove(path)
    # To another program as tcpdump's "-w -" would be.
    capture = deck.start("capture", "-P", "-c", "2", "-f", "icmp", "-w", "-",
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    reader = subprocess.Popen(["tshark", "-n", "-l", "-r", "-", "-T", "fields", "-e", "icmp.type"],
                              stdin=capture.stdout, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    capture.stdout.close()
    while reader.poll() is None:
        ping(deck, 1)
    assert reader.communicate(timeout=d.PATIENCE)[0].split() == ["8", "0"]
    assert capture.wait(d.PATIENCE) == 0


@deck_of_two.case
def test_files_follow_each_other(deck):
    path = os.path.join(deck.path, "ring.pcapng")
    pattern = os.path.join(deck.path, "ring_*.pcapng")
    capture = begin(deck, path, "-b", "packets:5", "-b", "files:3", "-f", "icmp", pattern=pattern)
    ping(deck, 12)  # 24 packets: five files, the last with 4
    d.wait_for(lambda: any("_00005_" in name for name in glob.glob(pattern)), "the last file")
    capture.send_signal(signal.SIGINT)
    errors = ends(capture)
    assert "24 packets captured\n0 packets dropped" in errors, errors
    names = sorted(glob.glob(pattern))
    assert [re.fullmatch(r".*/ring_(\d{5})_\d{14}\.pcapng", name)[1] for name in names] == \
           ["00003", "00004", "00005"], names
    assert [len(fields(name, "frame.number")) for name in names] == [5, 5, 4]
    for name in names:
        assert {"one/net0", "two/net0"} == {line[0] for line in
                                            fields(name, "frame.interface_name")}
        assert errors.count(f"File: {name}\n") == 1
    # No packet is missing between them.
    joined = os.path.join(deck.path, "joined.pcapng")
    tool("mergecap", "-a", "-w", joined, *names)
    numbers = [int(line[0]) for line in fields(joined, "icmp.seq", show="icmp.type == 8")]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers


@deck_of_two.case
def test_a_capture_of_several_files_ends(deck):
    path = os.path.join(deck.path, "few")
    capture = begin(deck, path, "-b", "duration:0.3", "-a", "files:3", pattern=path + "_*")
    errors = ends(capture)
    names = sorted(glob.glob(path + "_*"))
    assert len(names) == 3 and errors.count("File: ") == 3, (names, errors)
    for name in names:
        assert "pcapng" in tool("capinfos", "-t", name)


@deck_of_two.case
def test_addresses_have_names_and_frames_verdicts(deck):
    path = os.path.join(deck.path, "names.pcapng")
    for option, wanted in (((), {"one", "two", "lan"}), (("-n",), set())):
        capture = begin(deck, path, "-i", "lan", "-c", "4", "-f", "icmp or arp", *option)
        deck.console_of_one.command("ping 10.0.2.2 2 10", "2 sent, 2 received")
        ping(deck, 2)
        ends(capture)
        shown = subprocess.run(["tshark", "-N", "n", "-r", path, "-T", "fields", "-e", "ip.src_host"],
                               capture_output=True, text=True, timeout=d.PATIENCE).stdout
        names = {line for line in shown.split() if not re.fullmatch(r"[0-9.]+", line)}
        assert names and names <= wanted if wanted else not names, shown
        os.remove(path)
    # What nobody has is flooded, and said so: what Wireshark calls the hardware's verdict is ours.
    capture = begin(deck, path, "-i", "one", "-c", "1", "-f", "arp")
    deck.console_of_one.command("ping 10.0.2.99 1 10", "1 sent")
    ends(capture)
    shown = fields(path, "frame.verdict.hw")
    assert [re.sub(r"[: ]", "", line[0]) for line in shown] == [b"flood".hex()], shown


def guest_of(name, switch="lan"):
    return f"[guest]\nname = {name}\nmemory = 32M\n[boot]\ncmdline = name={name}\n" \
           f"firmware = none\n[net0]\nswitch = {switch}\n[net1]\nswitch = {switch}\n"


@deck_of_two.case
def test_a_guest_is_waited_for_and_captured_again(deck):
    deck.guest("later", guest_of("later"))
    deck.call("deck.reload")
    path = os.path.join(deck.path, "later.pcapng")
    capture = begin(deck, path, "-i", "later")
    for life in range(2):
        assert deck.run("start", "later").returncode == 0
        d.wait_for(lambda: len(fields_so_far(path, "dhcp.type == 1", "later/net")) > 2 * life,
                   "its first words", 60)
        assert deck.run("stop", "--force", "--wait", "later").returncode == 0
    capture.send_signal(signal.SIGINT)
    errors = ends(capture)
    assert "later is not there yet; the capture waits for it" in errors, errors
    names = {line[0] for line in fields(path, "frame.interface_name")}
    assert names and names <= {"later/net0", "later/net1"}, names
    result = deck.run("capture", "-i", "latr", "-w", path)
    assert result.returncode == 1 and "did you mean 'later" in result.stderr, result


@deck_of_two.case
def test_wireshark_has_the_deck_in_its_list(deck):
    folder = os.path.join(deck.path, "extcap")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        bin = os.path.join(deck.path, "bin")
        os.mkdir(bin)
        os.symlink(d.VMDECK, os.path.join(bin, "vmdeck"))
        os.symlink(os.path.join(d.SRCDIR, "conf/extcap/vmdeck"), os.path.join(folder, "vmdeck"))
    env = dict(deck.env, WIRESHARK_EXTCAP_DIR=folder,
               PATH=os.path.join(deck.path, "bin") + ":" + os.environ["PATH"])

    # To root tshark does not listen: there the folder comes into the place of its own.
    place = re.search(r"Extcap path: *\t*(.*)", tool("tshark", "-G", "folders"))[1]
    tshark = ["tshark"]
    if os.geteuid() == 0:
        tshark = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', folder,
                  place, "tshark"]
        if not os.path.isdir(place) or subprocess.run([*tshark, "-v"], capture_output=True).returncode:
            d.skip("tshark's folder of extcap programs cannot be another")

    def run(*args):
        result = subprocess.run([*tshark, *args], env=env, capture_output=True, text=True,
                                timeout=d.PATIENCE)
        assert result.returncode == 0, result
        return result.stdout
    shown = run("-D")
    for line in ("vmdeck:lan (vmdeck: switch lan)", "vmdeck:one (vmdeck: guest one)",
                 "vmdeck:two:net0 (vmdeck: port two/net0)"):
        assert line in shown, shown
    assert "EN10MB" in run("-i", "vmdeck:lan", "-L")
    reader = subprocess.Popen([*tshark, "-n", "-l", "-i", "vmdeck:two:net0", "-f", "icmp", "-c",
                               "4", "-T", "fields", "-e", "icmp.type"],
                              env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while reader.poll() is None:
        ping(deck, 1)
    shown, errors = reader.communicate(timeout=d.PATIENCE)
    assert reader.returncode == 0, errors
    assert sorted(line.split()[0] for line in shown.splitlines()) == ["0", "0", "8", "8"], shown
    config = deck.run("extcap", "--extcap-config", "--extcap-interface=vmdeck:lan").stdout
    assert "{call=--past}" in config, config
    # No deck, no interfaces; and mistakes are said.
    with d.Folder() as other:
        assert other.run("extcap", "--extcap-interfaces").stdout.count("interface {") == 0
        assert other.run("extcap", "--extcap-dlts", "--extcap-interface", "eth0").returncode == 2
        assert other.run("extcap").returncode == 2


class Conversation:
    """Client and server of TLS in this process, and the segments that they would have sent."""

    def __init__(self, folder):
        certificate = os.path.join(folder, "certificate.pem")
        tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             "/CN=two", "-keyout", certificate, "-out", certificate + ".x")
        with open(certificate + ".x", encoding="ascii") as made, open(certificate, "a",
                                                                      encoding="ascii") as file:
            file.write(made.read())
        self.keys = os.path.join(folder, "keys")
        self.packets = []
        self.sent = [1000, 5000]  # of the client, of the server
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        client.keylog_filename = self.keys
        self.come, self.go = ([ssl.MemoryBIO(), ssl.MemoryBIO()] for _ in range(2))
        self.ends = [client.wrap_bio(self.come[0], self.go[0]),
                     server.wrap_bio(self.come[1], self.go[1], server_side=True)]

    def segment(self, side, data):
        sequence, answer = self.sent[side], self.sent[1 - side]
        ports = (40000, 443) if side == 0 else (443, 40000)
        addresses = bytes([10, 9, 9, 1 + side, 10, 9, 9, 2 - side])
        tcp = struct.pack(">HHIIBBHHH", *ports, sequence, answer, 0x50, 0x18, 60000, 0, 0)
        head = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(data), 1, 0, 64, 6, 0)
        # To others by an address that nobody has, from one that anybody may have.
        self.packets.append((1, bytes.fromhex("02aaaaaaaa0202aaaaaaaa010800") + head + addresses +
                             tcp + data, 54 + len(data)))
        self.sent[side] += len(data)

    def pass_on(self):
        for side in range(2):
            data = self.go[side].read()
            self.come[1 - side].write(data)
            for at in range(0, len(data), 1400):
                self.segment(side, data[at:at + 1400])

    def shake_hands(self):
        for _ in range(6):
            for end in self.ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                self.pass_on()

    def say(self, side, text):
        self.ends[side].write(text)
        self.pass_on()


@deck_of_two.case
def test_tls_is_read_by_the_keys_in_the_file(deck):
    d.need("openssl")
    talk = Conversation(deck.path)
    path = os.path.join(deck.path, "tls.pcapng")
    frames = os.path.join(deck.path, "tls.pcap")
    options = ("--tls-keys", talk.keys, "-i", "one/net0", "-f", "tcp port 443")
    captures = [begin(deck, path, *options),
                begin(deck, path.replace("tls", "cut"), *options, "-b", "packets:6",
                      pattern=os.path.join(deck.path, "cut_*.pcapng"))]
    talk.shake_hands()
    talk.say(0, b"GET /secret HTTP/1.0\r\n\r\n")
    talk.say(1, b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    assert deck.run("port", "inject", "one/net0", d.pcap(frames, talk.packets)).returncode == 0
    for capture in captures:
        os.kill(capture.pid, signal.SIGINT)
        ends(capture)
    assert fields(path, "http.request.uri", show="http.request") == [["/secret"]]
    # Each of several files has the keys.
    files = glob.glob(os.path.join(deck.path, "cut_*.pcapng"))
    assert len(files) > 1
    for name in files:
        with open(name, "rb") as file:
            assert b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" in file.read(), name
    assert deck.run("capture", "-P", "--tls-keys", talk.keys, "-w", path).returncode == 2
    done = deck.run("capture", "--tls-keys", deck.path, "-w", path)
    assert done.returncode == 2 and "is no regular file" in done.stderr, done


def test_a_switch_keeps_its_past():
    d.need_kvm()
    d.need("tshark", "capinfos")

    def prepare(folder):
        folder.guest("one", guest_of("one"))
        folder.guest("two", guest_of("two"))
        with open(os.path.join(folder.switches, "lan.ini"), "w") as file:
            file.write("[switch]\naddress = 10.0.2.2/24\npast = 4M\npast_snap = 64\n")
    with d.Deck(prepare=prepare) as deck:
        assert deck.run("start", "--wait", "one", "two").returncode == 0
        console = deck.console("one")
        console.expect("one>")
        d.wait_for(lambda: console.answered("ping 10.0.2.2 1 10", "1 received"), "an answer")
        console.command("ping 10.0.2.2 5 10", "5 sent, 5 received")
        path = os.path.join(deck.path, "past.pcapng")
        result = deck.run("capture", "--past", "5m", "-i", "lan", "-w", path)
        assert result.returncode == 0 and "0 packets dropped" in result.stderr, result
        shown = fields(path, "icmp.type", "frame.interface_name", "frame.cap_len", "frame.len",
                       show="icmp")
        assert [line[0] for line in shown[-10:]] == ["8", "0"] * 5, shown
        assert {line[1] for line in shown} == {"one/net0", "lan/dhcp"}, shown
        assert all(int(line[2]) == min(int(line[3]), 64) for line in shown), shown
        capinfos = tool("capinfos", "-o", path)
        assert "Strict time order:   True" in capinfos, capinfos
        # Of one that is no more, by a filter.
        assert deck.run("stop", "--force", "--wait", "one").returncode == 0
        result = deck.run("capture", "--past", "60", "-i", "one", "-f", "icmp", "-w", path)
        assert result.returncode == 0 and len(fields(path, "icmp.type")) >= 10, result
        # It goes on where an end is named.
        result = deck.run("capture", "--past", "1h", "-i", "lan", "-f", "udp port 67", "-w", path)
        before = len(fields(path, "frame.number"))
        assert before, result
        capture = begin(deck, path, "--past", "1h", "-c", str(before + 2), "-f", "udp port 67")
        assert deck.run("start", "--wait", "one").returncode == 0
        ends(capture)
        assert len(fields(path, "frame.number")) == before + 2
        for words, said in ((("--past", "0s"), "is no time"), (("--past", "x"), "is no time")):
            result = deck.run("capture", "-w", path, *words)
            assert result.returncode == 2 and said in result.stderr, result
    with d.Deck() as deck:
        result = deck.run("capture", "--past", "30s", "-w", os.path.join(deck.path, "x"))
        assert result.returncode == 1 and "nothing of the past is kept" in result.stderr, result


def fields_so_far(path, show, wanted):
    """Of a file that is being written, what tshark says of whose end does not matter."""
    shown = subprocess.run(["tshark", "-n", "-r", path, "-Y", show, "-T", "fields", "-e",
                            "frame.interface_name"], capture_output=True, text=True).stdout
    return [line for line in shown.split() if wanted in line]


def test_wrong_limits_are_said():
    with d.Folder() as folder:
        for words, said in ((("-a", "hours:3"), "--autostop: 'hours:3' is none of duration:"),
                            (("-b", "files:3"), "needs another --ring-buffer"),
                            (("-a", "files:3"), "needs --ring-buffer"),
                            (("-b", "filesize:x"), "has no number that can be used"),
                            (("-F", "erf"), "neither pcapng nor pcap")):
            result = folder.run("capture", "-w", "x", *words)
            assert result.returncode == 2 and said in result.stderr, result
        result = folder.run("capture", "-w", "-", "-b", "packets:3")
        assert result.returncode == 2 and "name of a file" in result.stderr, result


@deck_of_two.case
def test_an_incident_is_a_folder(deck):
    ping(deck, 2)
    above = os.path.join(deck.path, "incidents")
    made = json.loads(deck.run("incident", "one", "--to", above, "--json").stdout)
    assert made["left_out"] == 0 and os.listdir(above) == [os.path.basename(made["path"])], made
    assert re.fullmatch(r"one-\d{8}-\d{6}", os.path.basename(made["path"])), made
    with open(os.path.join(made["path"], "guest.json")) as file:
        shown = json.load(file)
    assert shown["name"] == "one" and shown["console_tail"], shown
    with open(os.path.join(made["path"], "events.json")) as file:
        events = [json.loads(line) for line in file]
    assert any(event["state"] == "running" for event in events if event["kind"] == "state"), events
    # Whole, and before it was asked for.
    packets = fields(os.path.join(made["path"], "packets.pcapng"), "frame.len", "frame.cap_len",
                     show="icmp")
    assert len(packets) >= 4 and all(row[0] == row[1] for row in packets), packets
    # What comes is there, too.
    later = os.path.join(deck.path, "later")
    asked = deck.start("incident", "one", "--to", later, "--after", "4", stdout=subprocess.PIPE,
                       text=True)
    d.wait_for(lambda: glob.glob(later + "/.one-*/packets.pcapng"), "the capture")
    assert not glob.glob(later + "/one-*")
    deck.console_of_one.command("ping two 5 10", "5 sent, 5 received")
    path = asked.communicate(timeout=d.PATIENCE)[0].strip()
    assert asked.returncode == 0 and os.listdir(later) == [os.path.basename(path)], path
    more = fields(os.path.join(path, "packets.pcapng"), "frame.len", show="icmp")
    assert len(more) >= len(packets) + 10, (len(packets), len(more))
    # Which waits for something first.
    for option, text, cause in (("--filter", "icmp[icmptype] = icmp-echo", "ping two 1 10"),
                                ("--event", "paused", None)):
        above = os.path.join(deck.path, "waiting" + option)
        waiting = deck.start("incident", "one", "--to", above, option, text,
                             stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        assert waiting.poll() is None and not os.path.exists(above)
        if cause:
            deck.console_of_one.command(cause, "1 sent, 1 received")
        else:
            assert deck.run("pause", "one").returncode == 0
        path = waiting.communicate(timeout=d.PATIENCE)[0].strip()
        assert waiting.returncode == 0 and os.listdir(above) == [os.path.basename(path)], path
    assert deck.run("resume", "one").returncode == 0
    both = deck.run("incident", "one", "--event", "crashed", "--filter", "arp")
    assert both.returncode == 2 and "do not go together" in both.stderr, both
    wrong = deck.run("incident", "one", "--filter", "nonsense")
    assert wrong.returncode == 1 and "is no word of a filter" in wrong.stderr, wrong
    # It asks for what it says that it would.
    asked = [json.loads(line)["method"] for line in
             deck.run("--dry-run", "incident", "one").stdout.splitlines()]
    assert {"guest.show", "events.subscribe", "stats.history", "switch.list"} <= set(asked), asked
    assert any(method.startswith("capture.") for method in asked), asked
    # One that there is not leaves nothing behind.
    none = deck.run("incident", "none", "--to", os.path.join(deck.path, "no"))
    assert none.returncode == 1 and "'none'" in none.stderr, none
    assert os.listdir(os.path.join(deck.path, "no")) == []


@deck_of_two.case
def test_a_screen_filters_and_saves_what_it_lists(deck):
    listed = os.path.join(deck.path, "listed.pcapng")
    marked = os.path.join(deck.path, "marked.pcapng")
    with Terminal(deck) as terminal:
        terminal.see("● running.*\n.*● running")
        terminal.keys("n")
        terminal.see("Packets.*following")
        ping(deck, 3)
        terminal.see(r"one +two +ICMP +Echo \(ping\) request")
        terminal.see(r"two +one +ICMP +Echo \(ping\) reply")
        # What is there already is filtered, and is there again afterwards.
        terminal.keys("f", "icmp[icmptype] = icmp-echo", "Enter")
        terminal.see("Packets matching icmp")
        d.wait_for(lambda: "reply" not in terminal.screen(), "the replies to be hidden")
        terminal.keys("s")
        terminal.see("Save the packets that are listed to:")
        terminal.keys(listed, "Enter")
        terminal.see(r"3 packets \(.*listed\.pcapng")
        terminal.keys("f", "C-u", "Enter")
        terminal.see("Echo \\(ping\\) reply")
        terminal.keys("Home", "m", "s")  # whatever came at the end since
        terminal.see("Save the 1 marked packet to:")
        terminal.keys(marked, "Enter")
        terminal.see(r"1 packet \(.*marked\.pcapng")
    assert fields(listed, "icmp.type", "frame.interface_name") == [["8", "one/net0"]] * 3
    assert all(row[0] == row[1] for row in fields(listed, "frame.len", "frame.cap_len"))
    assert len(fields(marked, "frame.number")) == 1


d.main()
