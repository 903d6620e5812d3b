"""Options of HTTP and HTTPS checks with real peers: client certificates and TLS sessions with Python's TLS server, HTTP/2 with
nghttpd, redirects; and the agent, which takes the same options."""

import contextlib
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile

import harness
from harness import Daemon, Skip, check, equal, free_port, program, program_env, until
from door import Authority
from probed import Probed, Server, config

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def read_request(connection):
    octets = b""
    while b"\r\n\r\n" not in octets:
        got = connection.recv(4096)
        if not got:
            raise OSError("no request")
        octets += got
    return octets.decode("latin-1")


class Https(Server):
    """Says 200. `mutual`: to clients with a certificate. `seen`: (whether the session was resumed, the client's name)."""

    def __init__(self, folder, name="server", mutual=False, version=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        if version:
            self.context.minimum_version = self.context.maximum_version = version
        if mutual:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(folder / "ca.pem")
        self.seen = []
        super().__init__(self._serve, lambda connection: self.context.wrap_socket(connection, server_side=True))

    def _serve(self, connection):
        read_request(connection)
        subject = dict(pair[0] for pair in (connection.getpeercert() or {}).get("subject", ()))
        self.seen.append((connection.session_reused, subject.get("commonName")))
        connection.sendall(OK)
        with contextlib.suppress(OSError):
            connection.unwrap()


@contextlib.contextmanager
def certificates():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        ca = Authority(folder)
        for who in ("server", "client", "other"):
            ca.issue(who, f"/CN={who}")
        Authority(folder, "strange").issue("mallory", "/CN=mallory")
        yield folder, {"type": "https", "ca-file": str(folder / "ca.pem"), "host": "localhost"}


def pair(folder, cert, key=None):
    return {"client-cert": str(folder / f"{cert}.pem"), "client-key": str(folder / f"{key or cert}.key")}


def client_certificates():
    with certificates() as (folder, base):
        new = Https(folder, mutual=True)
        old = Https(folder, mutual=True, version=ssl.TLSVersion.TLSv1_2)
        optional = Https(folder)
        rows = {"good": {**pair(folder, "client"), "port": new.port}, "old": {**pair(folder, "client"), "port": old.port},
                "nothing": {"port": new.port}, "nothing-old": {"port": old.port},
                "wrong": {**pair(folder, "mallory"), "port": new.port}, "not-asked": {**pair(folder, "client"), "port": optional.port},
                "unverified": {**pair(folder, "client"), "port": new.port, "verify": False, "ca-file": None}}
        checks = {name: {key: value for key, value in {**base, **row}.items() if value is not None} for name, row in rows.items()}
        with Probed(checks) as probed:
            probed.expect({"good": ("ok", "200"), "old": ("ok", "200"), "not-asked": ("ok", "200"), "unverified": ("ok", "200"),
                           "nothing": ("tls", "TLS: the target has sent the alert certificate required"),
                           "nothing-old": ("tls", "TLS: "), "wrong": ("tls", "TLS: the target has sent the alert unknown CA")})
            equal({name for _, name in new.seen + old.seen}, {"client"})
            equal([name for _, name in optional.seen], [None])
        for server in (new, old, optional):
            server.close()


def a_key_that_changes():
    """The files are read again at a reload, which the watcher starts by itself; and what is wrong with them is told."""
    with certificates() as (folder, base):
        with Https(folder, mutual=True) as server:
            checks = {"app": {**base, **pair(folder, "mine"), "port": server.port, "interval": "100ms", "timeout": "100ms",
                              "fall": 10}}  # on a busy machine some are late

            def put(name):
                for kind in ("key", "pem"):
                    shutil.copy(folder / f"{name}.{kind}", folder / "new")
                    (folder / "new").chmod(0o600)
                    os.replace(folder / "new", folder / f"mine.{kind}")

            put("client")
            with Probed(checks, server={"watch": "feeds"}) as probed:
                until(lambda: (False, "client") in server.seen, harness.PATIENCE_S, "it shows the first certificate")
                put("other")
                until(lambda: (False, "other") in server.seen, harness.PATIENCE_S, "then the second")
                check(probed.health("app")["up"], "and is up")
                (folder / "mine.key").chmod(0o604)
                reply = probed.daemon.ctl("reload", code=2)
                check("mine.key may be read or written by everybody: chmod o-rwx it" in reply.out, reply)
                (folder / "mine.key").chmod(0o600)
                shutil.copy(folder / "client.key", folder / "mine.key")
                reply = probed.daemon.ctl("reload", code=2)
                check("mine.key is no key, or not that of the certificate in `client-cert`" in reply.out, reply)
                check(probed.health("app")["up"], "the generation in use stays")


def sessions():
    """A session is resumed where the check says so, not elsewhere; a reload begins anew."""
    with certificates() as (folder, base):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            fast = {**base, "interval": "100ms", "timeout": "100ms"}
            with Https(folder, version=version) as with_, Https(folder, version=version) as without:
                checks = {"with": {**fast, "port": with_.port, "tls-session-resumption": True},
                          "without": {**fast, "port": without.port}}
                with Probed(checks) as probed:
                    until(lambda: min(len(with_.seen), len(without.seen)) >= 5, harness.PATIENCE_S, "five probes of each")
                    equal([reused for reused, _ in with_.seen[:5]], [False, True, True, True, True], version)
                    equal([reused for reused, _ in without.seen[:5]], [False] * 5, version)
                    before = len(with_.seen)
                    probed.daemon.ctl("reload")
                    until(lambda: False in [reused for reused, _ in with_.seen[before:]], harness.PATIENCE_S,
                          "a reload asks for a full handshake")


def redirects():
    def serve(connection):
        path = read_request(connection).split(" ")[1]
        if path == "/end":
            connection.sendall(OK)
            return
        step = int(path[1:])
        where = f"/{step - 1}" if step > 1 else "/end"
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 5\r\n\r\nmoved".encode())

    with Server(serve) as server:
        rows = {"no": {"path": "/1"}, "one": {"path": "/1", "redirects": 1}, "three": {"path": "/3", "redirects": 3},
                "too-many": {"path": "/4", "redirects": 3}, "body": {"path": "/2", "redirects": 2, "body": "^ok$"}}
        with Probed({name: {"type": "http", "port": server.port, **row} for name, row in rows.items()}) as probed:
            probed.expect({"no": ("status", "HTTP status 302, expected 200-299"), "one": ("ok", "200"), "three": ("ok", "200"),
                           "too-many": ("status", "HTTP status 302 after 3 redirects, which is the limit"), "body": ("ok", "200")})


class Nghttpd:
    """HTTP/2, which serves files of a folder."""

    def __init__(self, folder, *words):
        path = shutil.which("nghttpd", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not path:
            raise Skip("nghttp2-server is not installed")
        self.port = free_port()
        self.process = subprocess.Popen([path, "-a", "127.0.0.1", "-d", str(folder), *words[:1], str(self.port), *words[1:]],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.is_open, harness.PATIENCE_S, "nghttpd listens")

    def is_open(self):
        check(self.process.poll() is None, "nghttpd has ended")
        with contextlib.suppress(OSError):
            harness.socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def http2():
    with certificates() as (folder, base), Https(folder) as only_1, harness.Responder() as plain_1:
        (folder / "healthz").write_text("all is well")
        (folder / "long").write_bytes(b"x" * 100000 + b"well")
        with Nghttpd(folder, "--no-tls") as plain, Nghttpd(folder, "-v", str(folder / "server.key"), str(folder / "server.pem")) as tls:
            h2c = {"type": "http", "port": plain.port, "path": "/healthz", "http2": True}
            h2 = {**base, "port": tls.port, "path": "/healthz", "http2": True}
            rows = {"h2c": {**h2c, "body": "^all is [w]ell$"}, "h2": {**h2, "expect-body": "is well"},
                    "status": {**h2c, "path": "/none"}, "body": {**h2, "body": "sick"}, "long": {**h2c, "path": "/long", "body": "well"},
                    "head": {**h2c, "method": "HEAD"}, "post": {**h2, "method": "POST"},
                    "old": {**h2c, "port": plain_1.port}, "old-tls": {**h2, "port": only_1.port},
                    "without": {**h2c, "http2": False}, "unverified": {**h2, "host": "x.example.net"}}
            with Probed(rows) as probed:
                probed.expect({
                    "h2c": ("ok", "200"), "h2": ("ok", "200"), "status": ("status", "HTTP status 404"),
                    "body": ("body", "/sick/ is not in the body"), "long": ("body", "in the body's first 64 KiB"),
                    "head": ("ok", "200"), "post": ("ok", "200"), "old": ("http", "HTTP: "),
                    "old-tls": ("http", "HTTP: the target speaks HTTP/1, expected HTTP/2"), "without": ("http", "HTTP: "),
                    "unverified": ("tls", "TLS: ")})


def the_agent():
    """edgesteer-probe, by the same rows of the same config."""
    with certificates() as (folder, base), Https(folder, mutual=True) as server:
        rows = {"good": {**base, **pair(folder, "client"), "port": server.port, "body": "^ok$", "method": "PUT"},
                "bad": {**base, "port": server.port}}
        door = free_port()
        plain = {"sites": {"us-east-1": {}}, "domains": harness.DOMAIN}
        apps = {name: {"targets": row["targets"]} for name, row in config(rows)["apps"].items()}
        daemon = Daemon({**plain, "apps": apps, "server": {"http": [{"listen": f"127.0.0.1@{door}", "tokens": "tokens"}]}}, start=False)
        daemon.write("tokens", "report agent 0123456789-report-token\n").chmod(0o600)
        token = daemon.write("token", "0123456789-report-token\n")
        token.chmod(0o600)
        agent = daemon.write("agent.yaml", json.dumps(config(rows)))
        with daemon:
            daemon.start()
            process = subprocess.Popen([program("edgesteer-probe"), "-c", str(agent), "--vantage", "v", "--daemon",
                                        f"http://127.0.0.1:{door}", "--token", str(token)], env=program_env(),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                until(lambda: [(v["up"], v["down"]) for v in daemon.ctl_json("vantages")["vantages"]] == [(1, 1)],
                      harness.PATIENCE_S, "one is up, one is down")
            finally:
                process.terminate()
                equal(process.wait(30), 0)


harness.run(client_certificates, a_key_that_changes, sessions, redirects, http2, the_agent)
