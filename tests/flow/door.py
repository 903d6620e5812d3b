"""The HTTP door, with curl, openssl and bare sockets as its clients: the plain paths, who may do what, the verbs as over the
control socket, and peers that are slow, wrong or hostile."""

import contextlib
import hashlib
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

import harness
from harness import Daemon, Responder, Skip, check, equal, free_port, program, program_env, until
from busy import pace

READ, REPORT, OPERATE = "0123456789-read-token", "0123456789-report-token", "0123456789-operate-token"
TOKENS = (f"# scope name token\nread monitor {READ}\nreport agent {REPORT}\n"
          f"operate sre sha256:{hashlib.sha256(OPERATE.encode()).hexdigest()}\n")
READ_MS = 10000  # DOOR_READ_MS
JSON = {"Content-Type": "application/json"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def config(*http, check_port=None, **more):
    target = {"addresses": ["127.0.0.1"]}
    return {"server": {"http": list(http), **more}, "domains": harness.DOMAIN,
            "checks": {"c": {"type": "tcp", "port": check_port or 1, "interval": "1h"}} if check_port else {},
            "sites": {"us-east-1": {}, "us-west-2": {}},
            "apps": {"app.edge.example.com": {"targets": {"us-east-1": {**target, **({"check": "c"} if check_port else {})},
                                                          "us-west-2": {"addresses": ["203.0.113.2"]}}}}}


class Door:
    """A daemon with a door on loopback, and curl."""

    def __init__(self, tokens=TOKENS, tls=None, files=None, **more):
        self.port = free_port()
        self.curl = shutil.which("curl")
        if not self.curl:
            raise Skip("curl is not installed")
        http = {"listen": f"127.0.0.1@{self.port}"}
        if tokens:
            http["tokens"] = "tokens"
        if tls:
            http["tls"] = tls
        self.tls = tls
        self.config = config(http, **more)
        self.daemon = Daemon(self.config, start=False)
        for name, content in {**({"tokens": tokens} if tokens else {}), **(files or {})}.items():
            self.daemon.write(name, content).chmod(0o600)
        self.options = []

    def __enter__(self):
        try:
            self.daemon.start(wait=False)
            until(self.is_open, harness.PATIENCE_S, "the door opens")
        except BaseException:
            self.daemon.dump_log()
            self.daemon._end()
            raise
        return self

    def __exit__(self, *why):
        return self.daemon.__exit__(*why)

    def is_open(self):
        check(self.daemon.process.poll() is None, "the daemon has ended")
        if not self.daemon.socket_path.exists():
            return False  # without a connection, as one that is not accepted yet counts once the daemon runs
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            return True
        return False

    def __call__(self, path, method=None, headers=None, body=None, options=()):
        """(status, body as JSON or text), with curl; a status of 0: no response."""
        command = [self.curl, "-sS", "-m", "30", "-o", "-", "-w", "\n%{http_code}", *self.options, *options]
        for name, value in (headers or {}).items():
            command += ["-H", f"{name}: {value}"]
        if method == "HEAD":
            command.append("-I")
        elif method:
            command += ["-X", method]
        if body is not None:
            command += ["--data-binary", "@-"]
        scheme = "https" if self.tls else "http"
        done = subprocess.run([*command, f"{scheme}://localhost:{self.port}{path}"], capture_output=True, check=False,
                              input=body.encode() if isinstance(body, str) else body)
        text, _, status = done.stdout.decode().rpartition("\n")
        with contextlib.suppress(ValueError):
            return int(status), json.loads(text)
        return int(status), text

    def get(self, path, token=READ):
        return self(path, headers=bearer(token) if token else {})

    def post(self, path, fields, token=OPERATE, **headers):
        body = fields if isinstance(fields, (str, bytes)) else json.dumps(fields)
        return self(path, "POST", {**JSON, **(bearer(token) if token else {}), **headers}, body)

    def metrics(self):
        """Each sample's name with its labels, and its value."""
        status, text = self("/metrics")
        equal(status, 200)
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), timeout=harness.PATIENCE_S, source_address=(source, 0))

    def raw(self, octets, half_close=False):
        """What comes for these octets until the door closes."""
        with self.connect() as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(octets)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            return receive(sock)


def receive(sock):
    out = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while got := sock.recv(65536):
            out += got
    return out


def status_of(response):
    return int(response.split(b" ", 2)[1]) if response.startswith(b"HTTP/1.1 ") else 0


# ---- the plain paths -------------------------------------------------------------------------------------------------


def plain_paths():
    with Door(tokens=None) as door:
        equal(door("/livez"), (200, "ok\n"))
        until(lambda: door("/readyz") == (200, "ok\n"), harness.PATIENCE_S, "it serves")
        check("edgesteer_serving 1\n" in door("/metrics")[1], "metrics")
        check(door("/metrics", headers={"Accept": "application/openmetrics-text"})[1].endswith("\n# EOF\n"), "openmetrics")
        status, head = door("/metrics", "HEAD")
        check(status == 200 and "Content-Length: 0" not in head and "text/plain; version=0.0.4" in head, head)
        for path in "/", "/v1/status", "/v1/nix", "/metrics/", "/v1/drain", "/favicon.ico":
            status, reply = door(path, headers=bearer(OPERATE))
            equal((status, reply["ok"]), (403, False), path)
            check("neither `tokens` nor `client-ca`" in reply["error"], reply)
        for method in "POST", "PUT", "DELETE", "OPTIONS", "TRACE":
            equal(door("/livez", method)[0], 405, method)
        equal(door.metrics()['edgesteer_http_denied_total{reason="closed"}'], 6)


def before_the_first_round():
    """A check that does not end: alive, and not ready."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        door = Door(tokens=TOKENS)
        door.config["checks"] = {"c": {"type": "http", "port": silent.getsockname()[1], "timeout": "20s", "interval": "1m"}}
        door.config["apps"]["app.edge.example.com"]["targets"]["us-east-1"]["check"] = "c"
        door.daemon.write_config(door.config)
        with door:
            equal(door("/livez"), (200, "ok\n"))
            equal(door("/readyz")[0], 503)
            check("edgesteer_serving 0\n" in door("/metrics")[1], "not serving")
            equal(door.get("/v1/check")[1]["level"], "critical")


# ---- who may do what -------------------------------------------------------------------------------------------------


def scopes():
    """Each token at each kind of verb; what is denied changes nothing, and is counted."""
    with Door() as door:
        until(lambda: door("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        before = door.daemon.ctl_json("status")["overrides_revision"]
        rows = [  # token, GET of what shows, POST of what changes
            (None, 401, 401), ("wrong-wrong-wrong-wrong", 401, 401), (READ[:-1], 401, 401), (READ + "x", 401, 401),
            (READ, 200, 403), (REPORT, 403, 403)]
        for token, reads, changes in rows:
            equal(door.get("/v1/status", token)[0], reads, token)
            equal(door.post("/v1/drain", {"site": "us-east-1"}, token)[0], changes, token)
        for authorization in "Basic Og==", "Bearer", "Bearer ", READ, f"Bearer {READ} x":
            equal(door("/v1/status", headers={"Authorization": authorization})[0], 401, authorization)
        equal(door.daemon.ctl_json("status")["overrides_revision"], before, "nothing was done")
        equal(door.get("/v1/status", OPERATE)[0], 200)
        status, reply = door.post("/v1/drain", {"site": "us-east-1", "reason": "ALB"})
        equal((status, reply["ok"]), (200, True), reply)
        drain = door.daemon.ctl_json("status")["drains"][0]
        equal((drain["who"], drain["reason"]), ("token sre, 127.0.0.1", "ALB"))
        check('control: token sre, 127.0.0.1: {"site":"us-east-1","reason":"ALB","verb":"drain"}: done' in door.daemon.log(),
              "the log says who")
        check(OPERATE not in door.daemon.log() and READ not in door.daemon.log(), "no token in the log")
        counted = door.metrics()
        equal([counted[f'edgesteer_http_denied_total{{reason="{reason}"}}'] for reason in ("missing", "wrong", "scope", "closed")],
              [2, 11, 3, 0])
        equal(counted['edgesteer_http_responses_total{code="401"}'], 13)
        equal(counted['edgesteer_http_responses_total{code="403"}'], 3)
        with door.connect() as sock:
            sock.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            check(b'\r\nWWW-Authenticate: Bearer realm="edgesteer"\r\n' in receive(sock), "401 says how")


class Authority:
    """A CA, made with openssl."""

    def __init__(self, folder, name="ca"):
        self.openssl, self.folder, self.name = shutil.which("openssl"), pathlib.Path(folder), name
        if not self.openssl:
            raise Skip("openssl is not installed")
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3",
                 "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")

    def run(self, *words):
        subprocess.run([self.openssl, *words], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name, subject):
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
                 "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / "ext").write_text("subjectAltName=DNS:localhost\n")
        self.run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                 "-CAcreateserial", "-days", "3", "-extfile", "ext", "-out", f"{name}.pem")
        (self.folder / f"{name}.key").chmod(0o600)

    def options(self, name):
        return ["--cert", str(self.folder / f"{name}.pem"), "--key", str(self.folder / f"{name}.key")]


def certificates():
    """What a client's certificate lets do; and the door's own, which is read again at a reload."""
    door = Door(tls={"cert": "door.pem", "key": "door.key", "client-ca": "ca.pem"})
    folder = door.daemon.folder
    ca, other = Authority(folder), Authority(folder, "other")
    ca.issue("door", "/CN=localhost")
    for name, subject in {"alice": "/CN=alice/OU=operate", "bob": "/CN=bob\x1b[31m", "agent": "/CN=agent/OU=x/OU=report"}.items():
        ca.issue(name, subject)
    other.issue("mallory", "/CN=mallory/OU=operate")
    door.options = ["--cacert", str(folder / "ca.pem")]
    with door:
        until(lambda: door("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        rows = [("alice", 200, 200), ("bob", 200, 403), ("agent", 403, 403), ("mallory", 0, 0), (None, 401, 401)]
        for name, reads, changes in rows:
            mine = (other if name == "mallory" else ca).options(name) if name else []
            equal(door("/v1/version", options=mine)[0], reads, name)
            equal(door("/v1/drain", "POST", JSON, '{"site": "us-east-1"}', mine)[0], changes, name)
        equal(door.daemon.ctl_json("status")["drains"][0]["who"], "certificate alice, 127.0.0.1")
        equal(door.get("/v1/version")[0], 200, "a token does as well")
        equal(door("/v1/version", headers=bearer("wrong-wrong-wrong"), options=ca.options("alice"))[0], 401,
              "a wrong token is not made good by a certificate")
        check(door.metrics()['edgesteer_http_dropped_total{reason="tls"}'] >= 1, "failed handshakes are counted")
        done = subprocess.run([ca.openssl, "s_client", "-connect", f"127.0.0.1:{door.port}", "-tls1_1"], input=b"",
                              capture_output=True, check=False)
        check(done.returncode != 0 and b"Cipher is (NONE)" in done.stdout, "TLS 1.1")
        # Another certificate of another CA.
        with door.connect() as kept:
            context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
            secure = context.wrap_socket(kept, server_hostname="localhost")
            other.issue("door", "/CN=localhost")
            shutil.copy(folder / "other.pem", folder / "ca2.pem")
            door.daemon.reload()
            equal(door("/livez", options=["--cacert", str(folder / "ca2.pem")]), (200, "ok\n"))
            equal(door("/livez")[0], 0, "the old CA does not know it")
            secure.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            equal(status_of(receive(secure)), 200, "a connection from before stays")


def keys_refused():
    """Files that would let in whom they should not, or nobody: at a start, -t and a reload."""
    with Door() as door:
        tokens = door.daemon.folder / "tokens"
        test = [program("edgesteerd"), "-t", "-c", str(door.daemon.config_path)]

        def refused(text):
            reply = door.daemon.reload(code=2).json
            check(any(text in line for line in reply["errors"]), text, reply)
            done = subprocess.run(test, capture_output=True, text=True, env=program_env(), check=False)
            check(done.returncode == 2 and text in done.stderr, text, done)
            equal(door.get("/v1/version")[0], 200, "those from before stay")

        tokens.chmod(0o644)
        refused("may be read or written by everybody: chmod o-rwx it")
        tokens.chmod(0o600)
        tokens.write_text("read x short\n")
        refused("tokens:1: has a token that is not 16 to 256 octets long")
        tokens.write_bytes(b"read x 0123456789abcdef\0\n")
        refused("has a zero octet")
        tokens.unlink()
        refused("No such file or directory")
        tokens.write_text(TOKENS.replace(READ, "another-0123456789"))
        tokens.chmod(0o640)
        door.daemon.reload()
        equal((door.get("/v1/version")[0], door.get("/v1/version", "another-0123456789")[0]), (401, 200))
        for listen, code in ("0.0.0.0", 2), ("127.0.0.9", 0):
            door.config["server"]["http"] = [{"listen": f"{listen}@{free_port()}", "tokens": "tokens"}]
            door.daemon.write_config(door.config)
            done = subprocess.run(test, capture_output=True, text=True, env=program_env(), check=False)
            equal(done.returncode, code, done)
            equal("would be sent in the clear" in done.stderr, code == 2)
        warnings = door.daemon.reload().json["warnings"]
        check(any("server.http: takes effect when the daemon is restarted" in line for line in warnings), warnings)
        equal(door.get("/v1/version", "another-0123456789")[0], 200, "until then the old one is open")


def watched():
    """New tokens need nobody's reload."""
    with Door(watch="feeds") as door:
        equal(door.get("/v1/version")[0], 200)
        new = door.daemon.write("new", TOKENS.replace(READ, "another-0123456789"))
        new.chmod(0o600)
        new.rename(door.daemon.folder / "tokens")
        until(lambda: door.get("/v1/version", "another-0123456789")[0] == 200, harness.PATIENCE_S, "they are read", 0.1)
        equal(door.get("/v1/version")[0], 401)


def bad_pem():
    door = Door(tls={"cert": "c.pem", "key": "c.key"}, files={"c.pem": "nothing", "c.key": "nothing"})
    ca = Authority(door.daemon.folder)
    test = [program("edgesteerd"), "-t", "-c", str(door.daemon.config_path)]

    def said():
        done = subprocess.run(test, capture_output=True, text=True, env=program_env(), check=False)
        equal(done.returncode, 2, done)
        return done.stderr

    try:
        check("server.http.tls.cert: " in said(), "no certificate")
        ca.issue("c", "/CN=localhost")
        ca.run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", "c.key")
        check("server.http.tls.key: " in said(), "another's key")
        ca.issue("c", "/CN=localhost")
        (door.daemon.folder / "c.key").chmod(0o604)
        check("may be read or written by everybody" in said(), "an open key")
    finally:
        door.daemon._end()


# ---- verbs -----------------------------------------------------------------------------------------------------------


def as_over_the_socket():
    with Door() as door:
        until(lambda: door("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        app = "app.edge.example.com"
        for path, fields in (("version", {}), ("sites", {}), ("sites", {"site": "us-east-1"}), ("apps", {"app": app}),
                             ("targets", {}), ("sources", {}), ("check", {}), ("check", {"app": app}),
                             ("explain", {"name": app, "client": "192.0.2.0/24"})):
            query = "&".join(f"{name}={value}" for name, value in fields.items())
            with door.daemon.control() as control:
                expected = control(path, **fields)
            equal(door.get(f"/v1/{path}?{query}"), (200, expected), path)
        for path, fields, key in (("force", {"app": app, "site": "us-east-1", "to": "down"}, "to"),
                                  ("drain", {"site": "us-west-2", "for": "1h"}, "until"), ("undrain", {"site": "us-west-2"}, "ended"),
                                  ("force", {"app": app, "site": "us-east-1", "to": "auto"}, "to"), ("reload", {}, "generation"),
                                  ("reload", {"force": True}, "generation")):
            status, reply = door.post(f"/v1/{path}", fields)
            check(status == 200 and reply["ok"] and key in reply, path, reply)
        equal(door.post("/v1/undrain", {"site": "us-west-2"})[0], 200, "nothing to do is no fault")
        equal(door.post("/v1/undrain", {"site": "us-west-2"})[1]["code"], 3)
        door.daemon.write_config("server: 7\n")
        status, reply = door.post("/v1/reload", {})
        check(status == 400 and reply["errors"], reply)


def wrong_requests():
    """Every verb, asked wrongly in every way: an error that says so, and nothing changes."""
    huge = "x" * 100000
    with Door() as door:
        until(lambda: door("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        before = door.daemon.ctl_json("status")
        gets = [("status?from=-1", 400), ("status?from=x", 400), ("status?nix=1", 400), ("sites?site=nowhere", 409), ("sites?site=", 400),
                ("apps?app=nowhere", 409), ("apps?app=%ff", 400), ("apps?app=a&app=b", 400), ("apps?from=99999999999999999999", 400),
                ("targets?app=%00", 400), ("explain", 400), ("explain?name=x", 400), ("explain?name=x&client=y", 400),
                ("check?app=nowhere", 409), ("check?site=x", 400), ("sources?x=y", 400), ("stats?x", 400), ("version?verb=status", 400),
                ("apps?app=" + "a" * 7000, 409), ("nix", 404), ("Status", 404), ("status/", 404), ("..%2fmetrics", 404), ("drain", 405),
                ("undrain", 405), ("force", 405), ("reload", 405)]
        for path, status in gets:
            got, reply = door.get(f"/v1/{path}", OPERATE)
            equal(got, status, path[:80], reply)
            check(reply["ok"] is False and reply["error"], path, reply)
        posts = [("drain", {}, 400), ("drain", {"site": 7}, 400), ("drain", {"site": ""}, 400), ("drain", {"site": None}, 400),
                 ("drain", {"site": "nowhere"}, 409), ("drain", {"site": "us-east-1", "for": "soon"}, 400),
                 ("drain", {"site": "us-east-1", "nix": 1}, 400), ("drain", {"site": "us-east-1", "reason": huge}, 400),
                 ("drain", {"site": huge}, 409), ("drain", {"site": "us-east-1", "app": "nowhere"}, 409),
                 ("drain", {"verb": "undrain", "site": "us-east-1"}, 400), ("drain?site=us-east-1", {}, 400),
                 ("drain", "", 400), ("drain", "[]", 400), ("drain", "7", 400), ("drain", "{", 400), ("drain", "\0", 400),
                 ("drain", b'{"site": "\xff"}', 400), ("drain", '{"site": "us-east-1\\u0000"}', 400), ("drain", "[" * 100000, 400),
                 ("drain", '{"site": "us-east-1", "site": "us-west-2"}', 400), ("drain", "x" * (1 << 20), 400),
                 ("drain", "x" * ((1 << 20) + 1), 413), ("undrain", {}, 400), ("undrain", {"site": "nowhere"}, 409),
                 ("force", {}, 400), ("force", {"app": "app.edge.example.com", "site": "us-east-1"}, 400),
                 ("force", {"app": "app.edge.example.com", "site": "us-east-1", "to": "sideways"}, 400),
                 ("force", {"app": "nowhere", "site": "us-east-1", "to": "up"}, 409), ("reload", {"force": "yes"}, 400),
                 ("reload", {"x": 1}, 400), ("status", {}, 405), ("explain", {}, 405), ("nix", {}, 404)]
        for path, fields, status in posts:
            got, reply = door.post(f"/v1/{path}", fields)
            equal(got, status, path, str(fields)[:80], reply)
            check(reply["ok"] is False and reply["error"] and len(reply["error"]) < 1000, path, reply)
        for kind in None, "text/plain", "application/x-www-form-urlencoded":
            headers = {**bearer(OPERATE), "Content-Type": kind or ""}
            equal(door("/v1/drain", "POST", headers, '{"site": "us-east-1"}')[0], 415, "a browser could send that")
        for method in "PUT", "DELETE", "PATCH", "OPTIONS":
            equal(door("/v1/drain", method, {**JSON, **bearer(OPERATE)}, "{}")[0], 405, method)
        equal(door("/v1/status", "GET", bearer(READ), "{}")[0], 400, "a GET with a body")
        after = door.daemon.ctl_json("status")
        for key in "overrides_revision", "generation", "drain_count", "force_count":
            equal(after[key], before[key], key)


# ---- peers -----------------------------------------------------------------------------------------------------------


def odd_octets():
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
    rows = [
        (head + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431), (b"GET /" + b"a" * 20000, 431), (b"\x16\x03\x01\x02\x00" * 2000, 431),
        (b"\0" * 100 + b"\r\n\r\n", 400), (b"GET /livez\r\n\r\n", 400), (b"GET /livez HTTP/3.0\r\n\r\n", 505),
        (head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411), (head + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (head + b"Content-Length: 18446744073709551617\r\n\r\n", 413), (head + b"Expect: magic\r\n\r\n", 417),
        (b"GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n", 400), (b"GET /livez HTTP/1.0\r\n\r\n", 200),
    ]
    with Door() as door:
        for octets, status in rows:
            response = door.raw(octets)
            equal(status_of(response), status, octets[:60], response[:200])
            check(status == 200 or b"\r\nConnection: close\r\n" in response, response)
        # A whole request, and the end of what the peer sends.
        equal(status_of(door.raw(head + b"\r\n", half_close=True)), 200)
        equal(door.raw(head, half_close=True), b"", "half a request")
        # Three at once, in order; octet by octet; and with a body after it is asked for.
        responses = door.raw(head + b"\r\n" + head.replace(b"livez", b"nix") + b"\r\n" + head + b"Connection: close\r\n\r\n")
        equal(re.findall(rb"HTTP/1\.1 (\d+)", responses), [b"200", b"401", b"200"])
        with door.connect() as sock:
            for octet in head + b"Connection: close\r\n\r\n":
                sock.sendall(bytes([octet]))
            equal(status_of(receive(sock)), 200)
        with door.connect() as sock:
            body = b'{"site": "us-east-1"}'
            sock.sendall(b"POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                         b"Authorization: Bearer %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (OPERATE.encode(), len(body)))
            equal(sock.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            sock.sendall(body)
            equal(status_of(receive(sock)), 200)


def slow_peers():
    """Connections that send nothing, or an octet now and then, or do not read: they end, and nobody waits for them."""
    with Door() as door:
        begun = time.monotonic()
        silent, slow, greedy = door.connect(), door.connect(), door.connect()
        slow.sendall(b"GET /livez HTTP/1.1\r\n")
        greedy.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)

        def drip():
            with contextlib.suppress(OSError):
                while time.monotonic() - begun < 30:
                    slow.sendall(b"X: y\r\n")
                    time.sleep(0.3)

        got = {}
        # What is still sent after the last reply resets the connection: whoever reads late has nothing.
        reader = threading.Thread(target=lambda: got.update(slow=receive(slow)), daemon=True)
        reader.start()
        threading.Thread(target=drip, daemon=True).start()
        worst = 0
        while time.monotonic() - begun < 2:
            asked = time.monotonic()
            equal(door.daemon.ctl("version").code, 0)
            door.daemon.query("app.edge.example.com")
            equal(door("/livez")[0], 200)
            worst = max(worst, time.monotonic() - asked)
        check(worst < 1 * pace(), f"others waited {worst:.2f} s")
        equal(receive(silent), b"", "an idle one is closed without a word")
        reader.join(harness.PATIENCE_S)
        equal(status_of(got["slow"]), 408)
        took = time.monotonic() - begun
        check(READ_MS / 1000 - 1 < took < READ_MS / 1000 + 5 * pace(), f"after {took:.1f} s")
        check(door.metrics()['edgesteer_http_dropped_total{reason="timeout"}'] >= 1, "counted")
        for sock in silent, slow, greedy:
            sock.close()


def flood():
    """Octets without end, before and after what would be a request: they take no memory."""
    with Door() as door:
        before = harness.memory_kb(door.daemon.process.pid)
        most = 0
        for start in (b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b"",
                      b"POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n",
                      b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"):
            with door.connect() as sock:
                sock.settimeout(2)
                with contextlib.suppress(OSError):
                    sock.sendall(start)
                    for _ in range(1000):
                        sock.sendall(b"A" * 65536)
            most = max(most, harness.memory_kb(door.daemon.process.pid) - before)
        if not harness.sanitizer():
            check(most < 8192, f"{most} KiB more")
        equal(door("/livez")[0], 200)


def crowds():
    """One address has its share of connections, and all have theirs; who waits longest makes room."""
    with Door() as door:
        with contextlib.ExitStack() as stack:
            mine = [stack.enter_context(door.connect("127.0.0.7")) for _ in range(17)]
            equal(receive(mine[16]), b"", "one too many from one address")
            mine[0].sendall(b"GET /livez HTTP/1.0\r\n\r\n")
            equal(status_of(receive(mine[0])), 200, "the others stay")
            for last in range(8, 12):
                for _ in range(16):
                    stack.enter_context(door.connect(f"127.0.0.{last}"))
            equal(door("/livez")[0], 200, "there is room for one who asks")
            counted = door.metrics()
            check(counted['edgesteer_http_dropped_total{reason="limit"}'] >= 1, "limit")
            check(counted['edgesteer_http_dropped_total{reason="room"}'] >= 15, "room")
            check(counted["edgesteer_http_connections"] <= 64, "connections")
        until(lambda: door.metrics()["edgesteer_http_connections"] == 1, harness.PATIENCE_S, "they are gone")


def closed_while_waiting():
    """Peers that go away before their reply, which comes all the same."""
    with Door() as door:
        until(lambda: door("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        request = (b"POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"
                   b"Content-Length: 2\r\n\r\n{}" % OPERATE.encode())
        generation = door.daemon.ctl_json("status")["generation"]
        for octets in (request, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") * 10:
            with door.connect() as sock:
                sock.sendall(octets)
        until(lambda: door.daemon.ctl_json("status")["generation"] > generation, harness.PATIENCE_S, "a reload was done")
        equal(door("/livez")[0], 200)
        # The daemon ends with a request under way, and a connection open.
        kept = door.connect()
        kept.sendall(request)
        equal(door.daemon.stop(), 0)
        kept.close()


def taken_address():
    with socket.create_server(("127.0.0.1", 0)) as other:
        daemon = Daemon(config({"listen": f"127.0.0.1@{other.getsockname()[1]}"}), start=False)
        try:
            daemon.start(wait=False)
            equal(daemon.process.wait(harness.PATIENCE_S), 1)
            check(f"server.http: 127.0.0.1@{other.getsockname()[1]}: Address already in use" in daemon.log(), daemon.log())
        finally:
            daemon._end()


if __name__ == "__main__":
    harness.run(plain_paths, before_the_first_round, scopes, certificates, keys_refused, watched, bad_pem, as_over_the_socket, wrong_requests,
                odd_octets, slow_peers, flood, crowds, closed_while_waiting, taken_address)
