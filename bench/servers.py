"""The servers that bench/run compares: how each is configured for the same work, started, observed and stopped."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

import scene

GDNSD_ORDER = 3  # sites a gdnsd list names: without health checks only the first counts


def on_cpu(cpu, realtime=False):
    """What a child does before exec: binds itself to one CPU, and with `realtime` takes priority over all else there."""

    def prepare():
        os.sched_setaffinity(0, {cpu})
        if realtime:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))

    return prepare


def query(name, number):
    """An A question with EDNS and the client 198.51.100.0/24."""
    head = struct.pack("!6H", number, 0, 1, 0, 0, 1)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    option = struct.pack("!HHHBB3s", 8, 7, 1, 24, 0, bytes([198, 51, 100]))
    return head + labels + struct.pack("!BHH", 0, 1, 1) + struct.pack("!BHHIH", 0, 41, 1232, 0, len(option)) + option


def run_load(build, server, clients, *more):
    """bench/load against a server, on the other core; what it found."""
    command = [os.path.join(build, "bench", "load"), "--server", server.endpoint, "--name", server.pattern, "--clients",
               clients, "--pid", str(server.pid), "--json", "-", *(["--names", str(server.names)] if server.names else []),
               *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=on_cpu(1))
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return json.loads(done.stdout)


class Server:
    """One server process on one core. Subclasses write its config in __init__ and give `command`."""

    name = table = command = None
    pattern, names = scene.APP, 0  # what is asked for: bench/load's --name and --names
    checked = True  # whether it gives DNS answers that can be checked
    realtime = False

    def __init__(self, folder, port, cpu):
        self.folder, self.port, self.cpu = folder, port, cpu
        self.process = None
        os.makedirs(folder, exist_ok=True)

    @property
    def endpoint(self):
        return f"127.0.0.1@{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def first_reply(self, limit_s):
        """Queries until there is an answer with an address (or any answer, where they are not checked)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", self.port))
            sock.settimeout(0.002)
            end = time.monotonic() + limit_s
            for number in range(1, 1 << 30):
                if time.monotonic() > end or self.process.poll() is not None:
                    return None
                try:
                    sock.send(query(self.pattern.replace("#", "0"), number & 0xffff))
                    reply = sock.recv(4096)
                    if not self.checked or struct.unpack("!H", reply[6:8])[0] > 0:
                        return reply
                except ConnectionRefusedError:
                    time.sleep(0.001)
                except TimeoutError:
                    pass
        return None

    def start(self, limit_s=60):
        """Seconds from exec to the first answer; None when there is none in time, with the reason in `trouble`."""
        log = open(os.path.join(self.folder, "log"), "w", encoding="utf-8")
        began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdout=log, stderr=log,
                                        preexec_fn=on_cpu(self.cpu, self.realtime))
        log.close()
        if self.first_reply(limit_s) is None:
            self.stop()
            return None
        return time.monotonic() - began

    @property
    def trouble(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-5:]).strip() or "no answer in time"

    def memory_kb(self):
        """(peak, now) of the resident set."""
        found = {}
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                key, _, value = line.partition(":")
                if key in ("VmHWM", "VmRSS"):
                    found[key] = int(value.split()[0])
        return found["VmHWM"], found["VmRSS"]

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


class Echo(Server):
    name, checked = "echo", False

    def __init__(self, folder, port, cpu, table, app, binary, grow):
        super().__init__(folder, port, cpu)
        self.table, self.pattern, self.names = table, app.pattern, app.names
        self.command = [binary, "--listen", self.endpoint, "--workers", "1", "--grow", str(grow)]


class Gdnsd(Server):
    """The plugin geoip with a nets file of the same prefixes: to each the first sites of its order. Where smaller nets
    cover a larger one wholly, gdnsd merges them and takes either's answer (its manual tells to clean the data first), so
    such larger ones, which decide nothing, are left out."""

    name = "gdnsd"

    def __init__(self, folder, port, cpu, table, rows, app):
        super().__init__(folder, port, cpu)
        self.table = table
        binary = shutil.which("gdnsd") or "/usr/sbin/gdnsd"
        self.command = [binary, "-c", folder, "start"]
        for name in ("run", "state"):
            os.makedirs(os.path.join(folder, name), mode=0o750, exist_ok=True)
        for name in ("geoip", "zones"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        centres = "\n".join(f"      {name} => {address}" for name, address in scene.ADDRESSES.items())
        self.write("config", f"""options => {{
  listen => {{ 127.0.0.1:{port} => {{ udp_threads => 1, tcp_threads => 1 }} }}
  run_dir => {folder}/run
  state_dir => {folder}/state
}}
plugins => {{ geoip => {{
  maps => {{ table => {{ datacenters => [ {", ".join(scene.ADDRESSES)} ], nets => nets }} }}
  resources => {{ app => {{
    map => table
    dcmap => {{
{centres}
    }}
  }} }}
}} }}
""")
        self.write("zones/" + scene.DOMAIN, "@ 3600 SOA ns1 hostmaster 1 7200 3600 1209600 30\n@ 3600 NS ns1\n"
                                            "ns1 3600 A 192.0.2.1\napp 30/30 DYNA geoip!app\n")
        lists = {}
        with open(os.path.join(folder, "geoip", "nets"), "w", encoding="ascii") as nets:
            for prefix, place in scene.without_covered(rows):
                if place not in lists:
                    lists[place] = " => [ " + ", ".join(app.order(place)[:GDNSD_ORDER]) + " ]\n"
                nets.write(prefix + lists[place])

    def write(self, name, content):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(content)

    @staticmethod
    def version():
        binary = shutil.which("gdnsd") or "/usr/sbin/gdnsd"
        if not os.access(binary, os.X_OK):
            return None
        told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False)
        return next((line for line in (told.stderr + told.stdout).splitlines() if "version" in line), "unknown")


class Edgesteerd(Server):
    name = "edgesteerd"

    def __init__(self, folder, port, cpu, table, csv, app, binary, own_tables=None):
        super().__init__(folder, port, cpu)
        self.table, self.pattern, self.names = table, app.pattern, app.names
        path = os.path.join(folder, "edgesteer.yaml")
        self.command = [binary, "-c", path]
        config = {
            "server": {"listen": [self.endpoint], "workers": 1, "control": os.path.join(folder, "control.sock"),
                       "state-dir": os.path.join(folder, "state")},
            "domains": {scene.DOMAIN: {"ns": ["ns1.example.net"], "hostmaster": "hostmaster." + scene.DOMAIN}},
            "locate": [{"plugin": "ranges", "file": csv}],
            **app.config(),
        }
        if own_tables is not None:  # an older daemon does not know it
            config["steering"] = {"own-tables": own_tables}
        # JSON is YAML.
        with open(path, "w", encoding="ascii") as file:
            json.dump(config, file, indent=1)
