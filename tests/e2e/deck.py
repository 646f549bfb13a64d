"""What the end-to-end tests share: a deck of their own in a temporary folder.

A test is a program: it names its cases as functions whose names begin with
"test_" and ends with main(). A case fails by an assertion, and skips by
skip(). Every process that a test starts is ended by its process ID.
"""
import concurrent.futures
import functools
import inspect
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

SRCDIR = os.path.abspath(os.environ.get("srcdir", "."))
VMDECK = os.path.abspath("./vmdeck")
PATIENCE = 120  # seconds; generous, the machine may be busy
CRASHES = (signal.SIGSYS, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)
# What a guest has when it asks for it, in the profile's first section and some more.
DEVICES = ("rng = yes\nvga = yes\nballoon = yes\non_panic = report\nwatchdog = report\n"
           "console = virtio\n[vsock]\n[net1]\nswitch = lan\nmodel = e1000e\n"
           "[disk2]\ncdrom = yes\n")

# What a job in the background is started with must not reach what the tests end by these.
for number, action in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGQUIT, signal.SIG_DFL),
                       (signal.SIGINT, signal.default_int_handler)):
    signal.signal(number, action)


class Skip(Exception):
    pass


def skip(why):
    raise Skip(why)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


def need_kvm():
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skip("/dev/kvm is missing or not ours to open")


_linux_kernel = []


def linux_kernel():
    """The folder of the test kernel; built the first time, which takes minutes."""
    need_kvm()
    if not _linux_kernel:
        build = subprocess.run([os.path.join(SRCDIR, "tests/linux/build")], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        if build.returncode == 77:
            skip("the packages that the Linux kernel is built with are not installed")
        assert build.returncode == 0, "the Linux test kernel cannot be built"
        _linux_kernel.append(build.stdout.strip())
    return _linux_kernel[0]


def wait_for(condition, what, seconds=PATIENCE):
    """Calls condition until it returns something true; returns that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s in vain for {what}"
        time.sleep(0.05)


def read_until(file, text, seconds=PATIENCE):
    """Reads a program's output until this comes; what it read. Fails when it does not come."""
    got, end = "", time.monotonic() + seconds
    while text not in got:
        ready, _, _ = select.select([file], [], [], max(0, end - time.monotonic()))
        assert ready, f"no {text!r} in {got!r}"
        data = os.read(file.fileno(), 4096)
        assert data, f"it ended without {text!r}: {got!r}"
        got += data.decode("utf-8", "replace")
    return got


class Folder:
    """A temporary home with its own XDG folders."""

    wrapper = ()  # the command that start() starts vmdeck by

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="vmdeck-test-")
        self.guests = os.path.join(self.path, "config/vmdeck/guests")
        self.switches = os.path.join(self.path, "config/vmdeck/switches")
        os.makedirs(self.guests)
        os.makedirs(self.switches)
        os.mkdir(os.path.join(self.path, "run"), 0o700)
        self.env = dict(
            os.environ,
            HOME=self.path,
            XDG_CONFIG_HOME=os.path.join(self.path, "config"),
            XDG_DATA_HOME=os.path.join(self.path, "data"),
            XDG_STATE_HOME=os.path.join(self.path, "state"),
            XDG_RUNTIME_DIR=os.path.join(self.path, "run"),
            LC_ALL="C.UTF-8",
            TERM="xterm-256color",
        )
        self.env.pop("VMDECK_SOCKET", None)
        for sanitizer in ("ASAN", "TSAN", "UBSAN"):  # no thread may start who tells the lines
            self.env.setdefault(f"{sanitizer}_OPTIONS", "symbolize=0")
        self.socket = os.path.join(self.path, "run/vmdeck/deck.sock")

    def write(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def guest(self, name, text):
        return self.write(f"config/vmdeck/guests/{name}.ini", text)

    def run(self, *args, **options):
        """A subcommand; returns what subprocess.run() does."""
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([VMDECK, *args], env=self.env, capture_output=True, text=True,
                              timeout=PATIENCE, **options)

    def json(self, *args):
        result = self.run(*args, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(self.socket)
        return connection

    def call(self, method, params=None, connection=None):
        """One request; its result, or the error as RuntimeError."""
        own = connection is None
        connection = connection or self.connect()
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        connection.sendall(json.dumps(request).encode() + b"\n")
        if own:
            with connection, connection.makefile("rb") as lines:
                answer = json.loads(lines.readline())
        else:
            answer = json.loads(read_line(connection))
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        return answer["result"]

    def start(self, *args, **options):
        return subprocess.Popen([*self.wrapper, VMDECK, *args], env=self.env, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if os.path.exists(self.socket):  # a core that was left running by a case that failed
            self.run("shutdown", "--force")
        shutil.rmtree(self.path, ignore_errors=True)


class Deck(Folder):
    """A deck without a screen."""

    def __init__(self, *args, prepare=None, wrapper=()):
        super().__init__()
        self.wrapper = wrapper
        if prepare:
            prepare(self)
        self.errors = os.path.join(self.path, "stderr")
        self.process = self.start("--headless", *args, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=open(self.errors, "wb"))
        try:
            wait_for(self.ready, "the deck's socket")
        except BaseException:
            self.__exit__()
            raise

    def ready(self):
        assert self.process.poll() is None, open(self.errors).read()
        try:
            self.connect().close()
            return True
        except OSError:
            return False

    def state(self, guest):
        for entry in self.call("guest.list")["guests"]:
            if entry["name"] == guest:
                return entry["state"]
        return None

    def wait_state(self, guest, *states, seconds=PATIENCE):
        wait_for(lambda: self.state(guest) in states, f"{guest} to be {' or '.join(states)}",
                 seconds)

    def console(self, guest, backlog=True, which=None):
        return Console(self, guest, backlog, which)

    def __exit__(self, *_):
        crashed = -(self.process.poll() or 0) in CRASHES
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        errors = open(self.errors).read()
        super().__exit__()
        assert "Sanitizer" not in errors and not crashed, \
            f"the deck ended with {self.process.returncode}: {errors}"


QUIET = """[guest]
name = {name}
cpus = {cpus}
memory = 32M
[boot]
cmdline = name={name}
firmware = none
[net0]
switch = lan
"""


def quiet_deck(*guests, cpus=1, guest="", extra=""):
    """Guests of the built-in program that do nothing by themselves, started."""
    need_kvm()

    def prepare(folder):
        for name in guests:
            profile = QUIET.format(name=name, cpus=cpus).replace("[boot]", guest + "[boot]")
            folder.guest(name, profile + extra.format(folder=folder.path, name=name))
            for disk in (f"{name}.img", f"{name}-sata.img"):
                with open(os.path.join(folder.path, disk), "wb") as image:
                    image.truncate(16 << 20)

    deck = Deck(prepare=prepare)
    for name in guests:
        result = deck.run("start", name)
        assert result.returncode == 0, result
    return deck


def deck_of_two():
    """Guests one and two that know of each other; deck.console_of_one is open."""
    deck = quiet_deck("one", "two")
    console = deck.console_of_one = deck.console("one")
    console.expect("one>")
    deck.get_acquainted = lambda: wait_for(lambda: console.answered("ping two 1 10", "1 received"),
                                           "one to know two")
    wait_for(lambda: len(deck.call("switch.list")["switches"][0]["leases"]) == 2, "two leases")
    deck.get_acquainted()
    return deck


def read_line(connection):
    """Up to a newline, one byte at a time: what follows may be a raw stream."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        assert byte, "the connection was closed"
        line += byte
    return line


def pcap(path, packets, link=1):
    """A classic capture: of each packet the seconds, the bytes, and its length before it was cut."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, link))
        for seconds, data, size in packets:
            file.write(struct.pack("<IIII", int(seconds), int(seconds % 1 * 1e6), len(data), size))
            file.write(data)
    return path


class Console:
    """A guest's console as a raw stream; which: not the one that is shown."""

    def __init__(self, deck, guest, backlog, which):
        self.connection = deck.connect()
        deck.call("console.open", {"guest": guest, "backlog": backlog, "console": which},
                  self.connection)
        self.text = ""
        self.at = 0

    def expect(self, text, seconds=PATIENCE):
        """Reads until text has come since the last match; returns what came before it."""
        end = time.monotonic() + seconds
        while True:
            found = self.text.find(text, self.at)
            if found >= 0:
                before = self.text[self.at:found]
                self.at = found + len(text)
                return before
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} on the console: {self.text[-2000:]!r}"
            self.connection.settimeout(left)
            try:
                data = self.connection.recv(65536)
            except socket.timeout:
                continue
            assert data, f"console closed before {text!r}: {self.text[-2000:]!r}"
            self.text += data.decode("utf-8", "replace")

    def send(self, text):
        self.connection.sendall(text.encode())

    def command(self, command, answer, seconds=PATIENCE):
        self.send(command + "\r")
        return self.expect(answer, seconds)

    def answered(self, command, answer, prompt="one>"):
        """Whether the answer is in what comes between the command, as it is echoed, and the next
        prompt: there may be prompts of before. A guest that is being reset echoes nothing, and
        guests know each other's names after a while."""
        try:
            self.command(command, command, 5)
        except AssertionError:
            return False
        return answer in self.expect(prompt)

    def close(self):
        self.connection.close()


class Shared:
    """What takes long to make and serves several cases, until one of them fails: the next one
    gets another. Without a case that asks for it, it is not made."""

    every = []

    def __init__(self, make):
        self.make, self.made = make, None
        Shared.every.append(self)

    def case(self, function):
        """The case that function is, called with what is shared."""
        @functools.wraps(function)
        def run():
            self.made = self.made or self.make()
            try:
                function(self.made)
            except Skip:
                raise
            except BaseException:
                self.close()
                raise
        return run

    def close(self):
        made, self.made = self.made, None
        if made:
            made.__exit__()


def own_cases():
    """The calling program's functions, in their order."""
    module = sys.modules["__main__"]
    cases = [(name, case) for name, case in inspect.getmembers(module, inspect.isfunction)
             if name.startswith("test_")]
    return sorted(cases, key=lambda case: inspect.unwrap(case[1]).__code__.co_firstlineno)


def run_case(name, case):
    """One of "ok", "skip" and "not ok", which it prints."""
    begin, result, why = time.monotonic(), "ok", ""
    try:
        case()
    except Skip as reason:
        result, why = "skip", f": {reason}"
    except Exception:
        result = "not ok"
        traceback.print_exc()
    print(f"{result} - {name}{why or f' ({time.monotonic() - begin:.1f} s)'}", flush=True)
    return result


def aside(case):
    """A case that mostly waits or takes long: it runs beside those of its program that are not
    so, one after the other."""
    case.aside = True
    return case


def main(cases=None):
    """Runs (name, function) of cases, or own_cases(); exit status 77 when all of them skip."""
    only = sys.argv[1:]
    cases = own_cases() if cases is None else cases
    unknown = set(only) - {name for name, _ in cases}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")
    cases = [(name, case) for name, case in cases if not only or name in only]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # nothing stays behind
    waiting = [entry for entry in cases if hasattr(entry[1], "aside")]
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            beside = [pool.submit(run_case, *entry) for entry in waiting]
            results = [run_case(*entry) for entry in cases if entry not in waiting]
            results += [case.result() for case in beside]
    finally:
        ends = [run_case("the end of what cases share", shared.close)
                for shared in Shared.every if shared.made]
    results += ends
    sys.exit(1 if "not ok" in results else 77 if results and set(results) == {"skip"} else 0)
