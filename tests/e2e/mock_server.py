#!/usr/bin/env python3
"""A control server with synthetic guests, for tests of the screen.

mock_server.py SOCKET [many|COUNT]   speaks /the control protocol/ on a Unix socket.
With "many" there are sixty guests, else COUNT. Ends when its standard input ends.
"""
import json
import math
import os
import random
import selectors
import socket
import sys
import time

INTERVAL = 0.5
FIELDS = ["cpu", "memory", "disk_read", "disk_write", "disk_read_ops",
          "disk_write_ops", "net_in", "net_out", "net_in_frames",
          "net_out_frames", "exits"]
EVIL = "evil\x1b]0;owned\x07\x1b[2J\u202egnp"


class Guest:
    def __init__(self, name, state, cpus, memory, seed, **more):
        self.name, self.state, self.cpus, self.memory = name, state, cpus, memory
        self.seed = seed
        self.since = time.time_ns() - 8000 * 10**9
        self.reason = more.get("reason")
        self.profile = more.get("profile")
        self.restarts = more.get("restarts", 0)
        self.pressed = more.get("pressed")
        self.mistakes = more.get("mistakes", [])
        self.exits = {"IO": 91234, "MMIO": 401233, "HLT": 120055, "IRQ_WINDOW": 3022}

    def alive(self):
        return self.state in ("starting", "running", "paused", "stopping")

    def sample(self, t):
        rnd = random.Random(self.seed * 1000003 + int(t * 2))
        on = 1.0 if self.state == "running" else 0.0
        v = {}
        total = 0.0
        for n in range(self.cpus):
            x = 45 + 40 * math.sin(t / (9 + 3 * n) + self.seed + n) + rnd.uniform(-12, 12)
            x = max(0.0, min(100.0, x)) * on
            v["cpu%d" % n] = round(x, 2)
            total += x
        v["cpu"] = round(total, 2)
        v["memory"] = int(self.memory * (0.55 + 0.2 * math.sin(t / 40 + self.seed))) if self.alive() else 0
        burst = max(0.0, math.sin(t / 7 + self.seed)) ** 3
        v["disk_read"] = on * int(4.2e6 * burst * rnd.uniform(0.6, 1.0))
        v["disk_write"] = on * int(1.3e6 * max(0.0, math.cos(t / 5 + self.seed)) * rnd.uniform(0.5, 1))
        v["disk_read_ops"] = v["disk_read"] / 4096
        v["disk_write_ops"] = v["disk_write"] / 4096
        v["net_in"] = on * (int(9.4e5 * burst) + rnd.randrange(3000))
        v["net_out"] = on * (int(2.1e5 * burst) + rnd.randrange(1500))
        v["net_in_frames"] = v["net_in"] / 900
        v["net_out_frames"] = v["net_out"] / 300
        v["exits"] = on * 3000 * (0.2 + burst)
        return v

    def json(self):
        return {"name": self.name, "state": self.state, "cpus": self.cpus,
                "memory": self.memory, "profile": self.profile, "autostart": False,
                "since": self.since, "reason": self.reason, "restarts": self.restarts,
                "pressed": self.pressed,
                "nets": [{"name": "net0", "switch": "lan", "mac": "52:54:00:12:34:%02x" % self.seed}],
                "disks": [{"name": "disk0", "path": "/var/lib/vmdeck/%s.img" % self.name,
                           "readonly": False}],
                "mistakes": self.mistakes}

    def show(self):
        for reason in self.exits:
            self.exits[reason] += 731 if self.state == "running" else 0
        crashed = self.state == "crashed"
        return dict(self.json(),
                    exits=[{"reason": r, "count": c} for r, c in self.exits.items()],
                    registers="rip ffffffff8100a3f2  rsp ffffc90000013e28  rflags 00010046\n"
                              "rax 0000000000000000  rbx ffff888003a4c000  rcx 0000000000000001\n"
                              "cr0 80050033  cr2 0000000000000010  cr3 0000000002a0a000" if crashed else None,
                    console_tail=["[    1.203411] Kernel panic - not syncing: Attempted to kill init!",
                                  "[    1.203902] CPU: 0 PID: 1 Comm: init Not tainted",
                                  "[    1.204877] ---[ end Kernel panic ]---"] if crashed else
                    ["login: root", "# uptime", " 12:00:01 up 2:13"],
                    devices=[{"name": "virtio-net0", "status": "driver ready, 2 queues of 256"},
                             {"name": "virtio-blk0", "status": "driver ready, 1 queue of 128"},
                             {"name": "serial", "status": "ttyS0"}])


class Client:
    def __init__(self, sock):
        self.sock, self.input, self.output = sock, b"", b""
        self.raw = None
        self.subscriptions = {}
        self.packets = None
        self.host = None
        self.events = False


class Server:
    def __init__(self, path, many):
        self.log = open(path + ".log", "a")
        folder = os.path.dirname(path)
        self.guests = [Guest("db", "running", 4, 4 << 30, 2, profile=folder + "/db.ini"),
                       Guest("web", "running", 2, 1 << 30, 1),
                       Guest("build-box", "stopped", 8, 8 << 30, 3, reason="The guest powered itself off.")]
        if many == "hostile":
            self.guests += [Guest(EVIL, "running", 1, 1 << 29, 4, reason=EVIL),
                            Guest("y" * 3000, "running", 1, 1 << 29, 7),
                            Guest("x" * 40, "crashed", 1, 1 << 29, 5, reason="triple fault\x1b[31m"),
                            Guest("bad", "invalid", 1, 1 << 29, 6,
                                  mistakes=[{"line": 3, "text": "memory: 'x' is not a size; write 512M or 2G"}])]
            self.guests[1].restarts = 14
            self.guests[1].pressed = time.time_ns() - 64 * 10**9
        more = 57 if many == "many" else int(many) - len(self.guests) if many.isdigit() else 0
        self.guests += [Guest("node%02d" % i, "running", 1, 1 << 28, 10 + i) for i in range(more)]
        self.next = 1
        self.captures = {}
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.selector.register(sys.stdin, selectors.EVENT_READ, "stdin")
        self.clients = []
        self.frames = 0

    def find(self, name):
        for g in self.guests:
            if g.name == name:
                return g
        raise ValueError("no guest is called %s" % name)

    def send(self, client, message):
        client.output += json.dumps(message).encode() + b"\n"

    def event(self, guest, text=""):
        guest.since = time.time_ns()
        for c in self.clients:
            if c.events:
                self.send(c, {"jsonrpc": "2.0", "method": "event", "params": {
                    "time": time.time_ns(), "guest": guest.name, "kind": "state",
                    "state": guest.state, "text": text}})

    def order(self, params, states, state):
        g = self.find(params["guest"])
        if g.state not in states:
            raise ValueError("%s: is %s, so that it cannot be ordered this" % (g.name, g.state))
        g.state = state
        self.event(g)
        return {}

    def call(self, client, method, p):
        self.log.write(method + " " + json.dumps(p) + "\n")
        self.log.flush()
        if method == "hello":
            return {"version": 1, "program": "vmdeck mock", "pid": os.getpid(),
                    "host": "mockhost", "deck": "demo"}
        if method == "guest.list":
            return {"guests": [g.json() for g in self.guests]}
        if method == "guest.show":
            return self.find(p["guest"]).show()
        if method == "guest.start":
            return self.order(p, ("defined", "stopped", "crashed"), "running")
        if method == "guest.stop":
            return self.order(p, ("running",), "stopped")
        if method == "guest.off":
            return self.order(p, ("running", "paused", "stopping"), "stopped")
        if method == "guest.pause":
            return self.order(p, ("running",), "paused")
        if method == "guest.resume":
            return self.order(p, ("paused",), "running")
        if method == "guest.reset":
            return self.order(p, ("running",), "running")
        if method == "deck.reload":
            return {"guests": len(self.guests)}
        if method == "profile.check":
            with open(p["path"]) as f:
                lines = f.read().split("\n")
            return {"mistakes": [{"line": i + 1, "text": "%s: is not a key of a profile" % l}
                                 for i, l in enumerate(lines) if "wrong" in l]}
        if method == "stats.subscribe":
            names = [g.name for g in self.guests] if p["guests"] == "*" else p["guests"]
            for name in names:
                self.find(name)
            number = self.next
            self.next += 1
            client.subscriptions[number] = names
            now = time.time()
            result = {"subscription": number, "fields": FIELDS}
            if p.get("history"):
                out = []
                for name in names:
                    g = self.find(name)
                    samples = [g.sample(now - INTERVAL * (239 - i)) for i in range(240)]
                    out.append({"name": name, "fields": {f: [s[f] for s in samples] for f in samples[0]}})
                result["history"] = {"interval_ms": 500, "guests": out}
            return result
        if method == "host.subscribe":
            client.host = self.next
            self.next += 1
            return {"subscription": client.host, "cpus": 8, "memory": 32 << 30, "kvm": True}
        if method == "host.cancel":
            client.host = None
            return {}
        if method == "stats.cancel":
            client.subscriptions.pop(p["subscription"], None)
            return {}
        if method == "events.subscribe":
            client.events = True
            return {"history": [{"time": time.time_ns() - 60 * 10**9, "guest": None, "kind": "log",
                                 "state": None, "text": "a capture has ended"}]}
        if method == "switch.list":
            n = self.frames
            return {"switches": [
                {"name": "lan", "uplink": "nat", "address": "10.0.2.2/24", "ports": [
                    {"name": "db/net0", "kind": "guest", "mac": "52:54:00:12:34:02", "out_frames": 1200 + n,
                     "out_bytes": 883000 + 700 * n, "in_frames": 1100 + n, "in_bytes": 120000 + 90 * n, "drops": {}},
                    {"name": "web/net0", "kind": "guest", "mac": "52:54:00:12:34:01", "out_frames": 64000 + n,
                     "out_bytes": 9000000 + 1500 * n, "in_frames": 500 + n, "in_bytes": 40000 + 60 * n,
                     "drops": {"no buffer": 12, "bad source": 3}},
                    {"name": "lan/nat", "kind": "nat", "mac": "52:55:0a:00:02:02", "out_frames": 10, "out_bytes": 900,
                     "in_frames": 9, "in_bytes": 800, "drops": {}}],
                 "leases": [{"mac": "52:54:00:12:34:02", "address": "10.0.2.15", "port": "db/net0",
                             "remaining": 3500, "hostname": "demo"},
                            {"mac": "52:54:00:12:34:01", "address": "10.0.2.16", "port": "web/net0",
                             "remaining": 1200, "hostname": "demo"}],
                 "macs": [{"mac": "52:54:00:12:34:02", "port": "db/net0", "age": 3},
                          {"mac": "52:54:00:12:34:01", "port": "web/net0", "age": 1}]},
                {"name": "backbone", "uplink": "none", "address": None, "ports": [], "leases": [], "macs": []}]}
        if method == "packets.subscribe":
            if p.get("filter") and "nonsense" in p["filter"]:
                raise ValueError("filter: syntax error in filter expression: syntax error")
            client.packets = (self.next, p.get("switch"), p.get("filter"))
            self.next += 1
            return {"subscription": client.packets[0]}
        if method == "packets.cancel":
            client.packets = None
            return {}
        if method == "capture.start":
            number = self.next
            self.next += 1
            path = p.get("path") or "/tmp/state/vmdeck/lan-20250101-120000.pcapng"
            self.captures[number] = {"capture": number, "path": path, "ports": p.get("ports"),
                                     "filter": p.get("filter"), "records": 120, "bytes": 34567,
                                     "dropped": 0, "ended": None}
            return {"capture": number, "path": path}
        if method == "capture.stop":
            self.captures.pop(p["capture"])
            return {"records": 123, "bytes": 34567, "dropped": 0}
        if method == "capture.list":
            return {"captures": list(self.captures.values())}
        if method == "console.open":
            client.raw = self.find(p["guest"])
            return {}
        if method == "deck.quit":
            for g in self.guests:
                if g.alive():
                    g.state = "stopped"
                    self.event(g, "shut down")
            return {}
        raise KeyError(method)

    def line(self, client, line):
        message = json.loads(line)
        answer = {"jsonrpc": "2.0", "id": message.get("id")}
        try:
            answer["result"] = self.call(client, message["method"], message.get("params") or {})
        except KeyError as e:
            answer["error"] = {"code": -32601, "message": "no such method: %s" % e}
        except (ValueError, OSError) as e:
            answer["error"] = {"code": -32000, "message": str(e), "data": {"errno": "EINVAL"}}
        self.send(client, answer)
        if client.raw and "MOCK_CONSOLE" in os.environ:
            with open(os.environ["MOCK_CONSOLE"], "rb") as file:
                client.output += file.read()
        elif client.raw:
            name = client.raw.name[:20]
            client.output += ("Welcome to %s\r\n" % name).encode()
            client.output += b"".join(b"boot line %d\r\n" % i for i in range(1, 101))
            client.output += b"\x1b[38;2;18;52;86mtrue \x1b[38;5;208mcube \x1b[38;5;244mgrey\x1b[0m\r\n"
            client.output += b"\x1b[1;32mgreen\x1b[0m \x1b[7mreverse\x1b[0m \x1b]0;title\x07\xe4\xb8\xad\xe6\x96\x87 e\xcc\x81\r\n"
            client.output += b"\x1b[6n$ "

    def typed(self, client, data):
        self.log.write("typed %s\n" % data.hex())
        self.log.flush()
        client.output += data.replace(b"\r", b"\r\n$ ")
        if data == b"m":
            client.output += b"ouse on\x1b[?1000h\x1b[?1006h"

    def read(self, client):
        try:
            data = client.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(client.sock)
            client.sock.close()
            self.clients.remove(client)
            return
        if client.raw:
            self.typed(client, data)
            return
        client.input += data
        while b"\n" in client.input and not client.raw:
            line, client.input = client.input.split(b"\n", 1)
            self.line(client, line)
        if client.raw and client.input:
            self.typed(client, client.input)
            client.input = b""

    def tick(self):
        self.frames += 17
        now = time.time()
        for c in self.clients:
            for number, names in c.subscriptions.items():
                self.send(c, {"jsonrpc": "2.0", "method": "stats", "params": {
                    "subscription": number, "time": time.time_ns(),
                    "guests": [{"name": n, "values": self.find(n).sample(now)} for n in names]}})
            if c.host:
                self.send(c, {"jsonrpc": "2.0", "method": "host", "params": {
                    "subscription": c.host, "time": time.time_ns(), "values": {
                        "cpu": 230, "available": 20 << 30, "cpu_pressure": 1.5,
                        "memory_pressure": 0, "io_pressure": 0.1, "guests_cpu": 140,
                        "guests_memory": 3 << 30, "guests_read": 5000000, "guests_write": 0,
                        "guests_in": 1000, "guests_out": 2000}}})
            if c.packets:
                packets = []
                for i in range(3):
                    n = self.frames + i
                    packets.append({
                        "time": time.time_ns(), "from_port": "db/net0", "to_port": "web/net0", "verdict": "forward",
                        "size": 98, "from": "10.0.2.15", "to": "10.0.2.16", "protocol": "TCP",
                        "text": "49152 > 80 [ACK] seq %d ack 1 win 64240 len 1448" % n})
                packets.append({
                    "time": time.time_ns(), "from_port": "web/net0", "to_port": None, "verdict": "no buffer",
                    "size": 60, "from": "10.0.2.16", "to": "255.255.255.255", "protocol": "DHCP",
                    "text": "Discover xid 0x1234" + ("\x1b[2J" if self.frames % 2 else "")})
                self.send(c, {"jsonrpc": "2.0", "method": "packets", "params": {
                    "subscription": c.packets[0], "dropped": 0, "packets": packets}})

    def run(self):
        due = time.time() + INTERVAL
        while True:
            for key, _ in self.selector.select(max(0.0, due - time.time())):
                if key.data == "stdin":
                    if not os.read(0, 4096):
                        return
                elif key.data is None:
                    sock, _ = self.listener.accept()
                    client = Client(sock)
                    self.clients.append(client)
                    self.selector.register(sock, selectors.EVENT_READ, client)
                else:
                    self.read(key.data)
            if time.time() >= due:
                due = time.time() + INTERVAL
                self.tick()
            for c in list(self.clients):
                try:
                    while c.output:
                        c.output = c.output[c.sock.send(c.output):]
                except OSError:
                    c.output = b""


if __name__ == "__main__":
    Server(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "").run()
