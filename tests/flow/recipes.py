"""The recipes of conf/observe in the real nginx and HAProxy: connections from clients' addresses become lines, and these what
`observe` knows of the clients. nginx and haproxy: ./bootstrap check fetches them."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess

import harness
from harness import Daemon, Skip, check, equal, free_port, program, until

APP = "app.e.x"
SITE = "us-east-1"
RECIPES = harness.TOP / "conf" / "observe"
CLIENTS = [f"127.10.{i}.{k}" for i in (1, 2) for k in (1, 2, 3)]
CONFIG = {
    "domains": {"e.x": {"ns": ["n.x"]}}, "observe": {"samples": 1, "hosts": 1}, "sites": {SITE: {}},
    "apps": {APP: {"targets": {SITE: {"addresses": ["192.0.2.1"]}}}},
}


def tool(name):
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:{harness.TOP / 'build' / 'tools' / 'usr' / 'sbin'}")
    if not found or subprocess.run([found, "-v"], capture_output=True, check=False).returncode:
        raise Skip(f"{name} is not installed")
    return found


@contextlib.contextmanager
def running(*words, **more):
    """A server that is stopped at the end."""
    with subprocess.Popen([str(word) for word in words], **more) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextlib.contextmanager
def observing(d, line, reads):
    """What a recipe tells to run: a shell's pipeline. It is there when it reads from that file; all its processes end."""
    line = line.replace("edgesteerctl", f"{program('edgesteerctl')} -s {d.socket_path}").replace("from-log", str(RECIPES / "from-log"))
    with open(d.folder / "pipeline", "wb") as log, \
            subprocess.Popen(["/bin/sh", "-c", line], stdout=log, stderr=log, env=harness.program_env(), start_new_session=True) as process:
        try:
            until(lambda: is_read(reads, process.pid), 20 * harness.slowness(), f"{reads} is read", 0.02)
            yield
        finally:
            os.killpg(process.pid, 15)


def is_read(path, group):
    """Whether a process of the group has the file open."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(folder.name)) == group and any(os.readlink(fd) == str(path) for fd in (folder / "fd").iterdir()):
                return True
    return False


def connect(client, port, request, tls=None):
    """One request of a client; the reply's head."""
    with socket.create_connection(("127.0.0.1", port), 10, (client, 0)) as plain:
        with tls.wrap_socket(plain, server_hostname="rtt.example.com") if tls else contextlib.nullcontext(plain) as sock:
            sock.sendall(f"{request} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            reply = b""
            while more := sock.recv(65536):
                reply += more
    return reply.decode()


def until_open(port):
    def is_open():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False
    until(is_open, 20 * harness.slowness(), f"port {port} is open", 0.02)


def observed(d, client):
    found = d.ctl_json("explain", APP, "--client", client).get("observed", [])
    return {one["site"]: one for one in found}


def until_observed(d, ask, hosts):
    """The clients connect until the daemon knows of each prefix what they make known: all of one host, or each of itself."""
    def known():
        for client in CLIENTS:
            ask(client)
        return all(observed(d, client).get(SITE, {"hosts": 0})["hosts"] >= hosts for client in CLIENTS)
    until(known, 30 * harness.slowness(), "their round trips arrive", 0.1)
    for client in CLIENTS:
        one = observed(d, client)[SITE]
        check(0 < one["ms"] < 1000 and one["samples"] >= 1 and one["enough"], one)
        equal(one["hosts"], hosts, one)
    shown = d.ctl_json("discovery")["observe"]
    equal((shown["prefixes"], shown["unknown_sites"]), (2, 0))
    return shown


class Nginx:
    """nginx with a recipe inside `http { }`, whose files are in the daemon's folder and whose port is `port`."""

    def __init__(self, d, recipe, server=""):
        self.folder, self.port = d.folder / "nginx", free_port()
        self.folder.mkdir()
        text = (RECIPES / recipe).read_text()
        for path in ("/var/log/nginx/", "/etc/nginx/"):
            check(path in text or path == "/etc/nginx/", recipe, "has no", path)
            text = text.replace(path, f"{self.folder}/")
        text, count = re.subn(r"listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;", text)
        equal(count, 0 if server else 1)
        self.log = self.folder / re.search(rf"{self.folder}/(\w+\.log)", text)[1]
        self.log.touch()
        temp = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
            f"events {{ }}\nhttp {{ {temp}\naccess_log off;\n{text}\n{server.replace('PORT', str(self.port))}\n}}\n"
            .replace("access_log off;\n", "" if server else "access_log off;\n"))
        for name in ("rtt", "probe"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                            "-subj", "/CN=rtt.example.com", "-keyout", str(self.folder / f"{name}.key"), "-out",
                            str(self.folder / f"{name}.pem")], capture_output=True, check=True)

    def run(self):
        return running(tool("nginx"), "-p", self.folder, "-c", self.folder / "nginx.conf", stderr=subprocess.DEVNULL)


def unverified():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_nginx():
    tool("nginx")
    with Daemon(CONFIG) as d:
        nginx = Nginx(d, "nginx.conf", "server { listen 127.0.0.1:PORT; location / { return 200 hello; } }")
        with nginx.run(), observing(d, f"exec tail -n0 -F {nginx.log} | from-log | edgesteerctl observe -", nginx.log):
            until_open(nginx.port)
            shown = until_observed(d, lambda client: check("hello" in connect(client, nginx.port, "GET /")), 1)
            equal(shown["bad"], 0, shown)
        line = nginx.log.read_text().splitlines()[-1].split()
        equal((line[0] in CLIENTS + ["127.0.0.1"], line[1], line[3]), (True, SITE, os.uname().nodename))


def test_beacons_collector():
    """Clients say what they like of the site and the time; each is a host of its own."""
    tool("nginx")
    with Daemon(CONFIG) as d:
        nginx, tls = Nginx(d, "beacon-nginx.conf"), unverified()
        with nginx.run(), observing(d, f"exec tail -n0 -F {nginx.log} | edgesteerctl observe -", nginx.log):
            until_open(nginx.port)
            for client in CLIENTS:
                reply = connect(client, nginx.port, f"POST /rtt?site={SITE}&ms=12.5", tls)
                check(reply.startswith("HTTP/1.1 204"), reply)
            connect("127.10.3.1", nginx.port, "POST /rtt?site=us%20east%20999&ms=<b>", tls)
            until(lambda: all(observed(d, client).get(SITE, {"hosts": 0})["hosts"] == 3 for client in CLIENTS),
                  20 * harness.slowness(), "each client is one host", 0.1)
            equal({observed(d, client)[SITE]["ms"] for client in CLIENTS}, {12.5})
            until(lambda: d.ctl_json("discovery")["observe"]["bad"] == 1, 10 * harness.slowness(), "rubbish is counted", 0.1)
            # One client fills no log.
            many = [connect("127.10.4.1", nginx.port, f"POST /rtt?site={SITE}&ms=1", tls) for _ in range(20)]
            limited = [reply for reply in many if reply.startswith("HTTP/1.1 503")]
            check(len(limited) >= 10 and len(nginx.log.read_text().splitlines()) == 7 + len(many) - len(limited), many)


def test_error_logging():
    """A browser's report makes the site's kernel know the round trip, whatever it says."""
    tool("nginx")
    with Daemon(CONFIG) as d:
        nginx, tls = Nginx(d, "nel-nginx.conf"), unverified()
        with nginx.run(), observing(d, f"exec tail -n0 -F {nginx.log} | from-log | edgesteerctl observe -", nginx.log):
            until_open(nginx.port)
            shown = until_observed(d, lambda client: check(connect(client, nginx.port, "POST /nel", tls).startswith("HTTP/1.1 204")), 3)
            equal(shown["bad"], 0, shown)


def test_haproxy():
    haproxy = tool("haproxy")
    with Daemon(CONFIG) as d:
        port, fifo, path = free_port(), d.folder / "haproxy-rtt", d.folder / "haproxy.cfg"
        os.mkfifo(fifo)
        text = (RECIPES / "haproxy.cfg").read_text()
        check("3<>/run/haproxy-rtt" in text)
        path.write_text(f"defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    timeout connect 5s\n{text}"
                        f"    bind 127.0.0.1:{port}\n    http-request return status 200 content-type text/plain string hello\n")
        with running("/bin/sh", "-c", 'exec "$0" -f "$1" 3<>"$2"', haproxy, path, fifo), \
                observing(d, f"from-log < {fifo} | edgesteerctl observe -", fifo):
            until_open(port)
            shown = until_observed(d, lambda client: check("hello" in connect(client, port, "GET /")), 1)
            equal(shown["bad"], 0, shown)


if __name__ == "__main__":
    harness.run(test_nginx, test_beacons_collector, test_error_logging, test_haproxy, limit_s=200)
