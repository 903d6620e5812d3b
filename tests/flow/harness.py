"""The real daemon on loopback: starts edgesteerd with a made-up config in a folder of its own, asks it, orders it about
and checks that it ends well. Used by every scenario in this folder; owns the processes, folders and ports it hands out.

A scenario is a program: `python3 tests/flow/NAME.py [TEST...]`, exit code 0: passed, 77: skipped, 1: failed. It
finds the daemon in $EDGESTEERD, or in $abs_top_builddir, the current folder, the top of the tree and its build
folder."""

import contextlib
import functools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import wire
from burst import Burst
from busy import Withheld, pace

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = TOP / "tests" / "data"
SKIP = 77
# From 10240 up to the start of the kernel's ephemeral ports.
PORTS = range(10240, 32000)
# For what must come and how soon is not the question.
PATIENCE_S = 60


class Failure(AssertionError):
    """Something is not as it must be."""


class Skip(Exception):
    """This cannot be tested here; the text says why."""


def check(condition, *what):
    if not condition:
        raise Failure(" ".join(str(word) for word in what))


def equal(got, expected, *what):
    check(got == expected, *what, f"\n    got      {got!r}\n    expected {expected!r}")


def program(name):
    """The path of a program of the build."""
    given = os.environ.get(name.upper())
    if given:
        return str(pathlib.Path(given).resolve())
    builds = [os.environ.get("abs_top_builddir"), os.environ.get("top_builddir")]
    if os.environ.get("EDGESTEERD"):
        builds.insert(0, os.path.dirname(os.environ["EDGESTEERD"]))
    for folder in [b for b in builds if b] + [".", TOP, TOP / "build"]:
        path = pathlib.Path(folder) / name
        if path.is_file():
            return str(path.resolve())
    raise Skip(f"{name} is not built: say where it is with {name.upper()}=PATH")


@functools.cache
def sanitizer():
    """Which sanitizer the daemon was built with: "address", "thread" or None."""
    binary = pathlib.Path(program("edgesteerd")).read_bytes()
    if b"__tsan_init" in binary:
        return "thread"
    return "address" if b"__asan_init" in binary else None


# Time allowed grows by this much in builds that are slow on purpose.
def slowness():
    return 3 if sanitizer() else 1


# ---- Ports -----------------------------------------------------------------------------------------------------------

_reserved = []


def free_port():
    """A port free on 127.0.0.1 and ::1 for UDP and TCP, kept from scenarios that run beside this one: a socket on
    127.0.0.2 stands for it until this process ends. (The daemon's own SO_REUSEPORT would let two of them share a
    port unseen.)"""
    for _ in range(1000):
        port = random.choice(PORTS)
        guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            guard.bind(("127.0.0.2", port))
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(family, kind) as probe:
                        probe.bind((host, port))
        except OSError:
            guard.close()
            continue
        _reserved.append(guard)
        return port
    raise Failure("no free port found")


# ---- Stand-ins for load balancers -----------------------------------------------------------------------------------


class Responder:
    """A small HTTP server that can be switched: `status`, `body`, `delay_s`, down() (connections refused) and up().
    `hits` are (time.monotonic(), request line, Host)."""

    def __init__(self, host="127.0.0.1", port=None, status=200, body=b"ok"):
        self.host, self.port = host, port or free_port()
        self.status, self.body, self.delay_s, self.hits = status, body, 0.0, []
        self._listener = None
        self._closed = False
        self.up()

    def up(self):
        check(self._listener is None, "responder is up already")
        listener = socket.create_server((self.host, self.port), backlog=256)
        self._listener = listener
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def down(self):
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    close = down

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    def _serve(self, listener):
        while self._listener is listener:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        try:
            self._answer_one(connection)
        finally:
            Withheld.thread_ends()

    def _answer_one(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE_S)
            request = b""
            while b"\r\n\r\n" not in request:
                got = connection.recv(4096)
                if not got:
                    return
                request += got
            lines = request.decode("latin-1").split("\r\n")
            host = [line[5:].strip() for line in lines if line.lower().startswith("host:")]
            self.hits.append((time.monotonic(), lines[0], host[0] if host else None))
            time.sleep(self.delay_s)
            connection.sendall(b"HTTP/1.1 %d Status\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" %
                               (self.status, len(self.body), self.body))


# ---- The daemon ------------------------------------------------------------------------------------------------------

DOMAIN = {"edge.example.com": {"ns": ["ns1.example.net", "ns2.example.net"], "hostmaster": "hostmaster.example.net"}}


def program_env():
    """The environment of the daemon and of edgesteerctl: sanitizers that end with an exit code of their own."""
    env = dict(os.environ)
    env.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=1:halt_on_error=1")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    suppressions = TOP / "tests" / "tsan.supp"
    env.setdefault("TSAN_OPTIONS", "halt_on_error=0:exitcode=66" +
                   (f":suppressions={suppressions}" if suppressions.exists() else ""))
    return env


class Ctl:
    """What edgesteerctl did: exit code, what it printed, and that as JSON when it is JSON."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        try:
            self.json = json.loads(done.stdout)
        except ValueError:
            self.json = None

    def __repr__(self):
        return f"<exit {self.code}: {self.out!r} {self.err!r}>"


class Control:
    """A connection to the control socket, for scenarios that give thousands of requests."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE_S)
        until(lambda: self.sock.connect_ex(str(path)) == 0, PATIENCE_S, "the control socket is listened at")
        self.file = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()

    def __call__(self, verb, ok=True, **fields):
        self.sock.sendall(json.dumps({"verb": verb, **fields}).encode() + b"\n")
        reply = json.loads(self.file.readline())
        if ok is not None:
            equal(reply.get("ok"), ok, f"{verb} {fields}: {reply}")
        return reply


class Daemon:
    """edgesteerd in a folder of its own. `config` is a dict (written as JSON, which is YAML) or text with {port},
    {port6} and {folder} to fill in. `files` are written beside it. `folder`: where its folder is
    made. Use as a context manager: leaving it ends the
    daemon and checks its exit code and log."""

    def __init__(self, config, files=None, env=None, workers=2, start=True, log_level="info", popen=None, prefix=(),
                 folder=None):
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="edgesteer-flow-", dir=folder))
        self.folder.chmod(0o755)
        self.config_path = self.folder / "edgesteer.yaml"
        self.socket_path = self.folder / "control.sock"
        self.log_path = self.folder / "log"
        self.env, self.workers, self.popen, self.log_level = env or {}, workers, popen or {}, log_level
        self.prefix = list(prefix)
        self.process = None
        self.expect_exit = 0
        for name, content in (files or {}).items():
            self.write(name, content)
        self.write_config(config)
        if start:
            try:
                self.start()
            except BaseException:
                self.dump_log()
                self._end()
                raise

    # -- Files

    def write(self, name, content):
        path = self.folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
        return path

    def write_config(self, config):
        if isinstance(config, dict):
            server = {"listen": [f"127.0.0.1@{self.port}", f"::1@{self.port}"], "workers": self.workers,
                      "control": str(self.socket_path), "state-dir": str(self.folder / "state"),
                      "log-level": self.log_level, "watch": "off"}  # scenarios reload when they want to
            server.update(config.get("server", {}))
            config = json.dumps({**config, "server": {k: v for k, v in server.items() if v is not None}}, indent=1)
        self.config_path.write_text(config)

    # -- Life

    def start(self, wait=True):
        env = {**program_env(), **self.env}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.prefix, program("edgesteerd"), "-c", str(self.config_path)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, **self.popen)
        self.started = time.monotonic()
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout_s=None):
        """Until a query is answered, whatever the answer."""
        deadline = time.monotonic() + (timeout_s or PATIENCE_S)
        probe = wire.query(".", "NS", ident=1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", self.port))
            sock.settimeout(0.02)
            while time.monotonic() < deadline:
                check(self.process.poll() is None, f"the daemon ended with exit code {self.process.returncode}")
                try:
                    sock.send(probe)
                    sock.recv(512)
                    return
                except ConnectionRefusedError:
                    time.sleep(0.005)
                except socket.timeout:
                    pass
        raise Failure("the daemon does not answer")

    def stop(self, signum=signal.SIGTERM, timeout_s=None):
        """Ends the daemon and returns its exit code."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.send_signal(signum)
        try:
            return process.wait(timeout_s or PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure(f"the daemon does not end on signal {signum}") from None

    def kill(self):
        self.stop(signal.SIGKILL)

    def restart(self):
        self.stop()
        return self.start()

    def signal(self, signum):
        self.process.send_signal(signum)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        try:
            if self.process is not None:
                ended = self.process.poll()
                code = self.stop() if ended is None else ended
                check(kind is not None or code == self.expect_exit, f"the daemon ended with exit code {code}")
            for line in self.sanitizer_lines():
                raise Failure(f"sanitizer: {line}")
        except BaseException:
            self.dump_log()
            self._end()
            raise
        if kind is not None and not issubclass(kind, Skip):
            self.dump_log()
        self._end()
        return False

    def _end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if os.environ.get("EDGESTEER_FLOW_KEEP"):
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- Log

    def log(self):
        try:
            return self.log_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def sanitizer_lines(self):
        return re.findall(r".*(?:Sanitizer|runtime error:).*", self.log())

    def dump_log(self):
        lines = self.log().splitlines()
        print(f"--- log of the daemon ({len(lines)} lines, the last 150)", file=sys.stderr)
        print("\n".join(lines[-150:]), file=sys.stderr)
        print("---", file=sys.stderr, flush=True)

    # -- Requests

    def start_ctl(self, *words):
        """Starts edgesteerctl, without waiting for it."""
        return subprocess.Popen([program("edgesteerctl"), "-s", str(self.socket_path), "--json", *words],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=program_env())

    def ctl(self, *words, code=0, as_json=True):
        """Runs edgesteerctl. `code`: the exit code it must have; None: any."""
        command = [program("edgesteerctl"), "-s", str(self.socket_path)] + (["--json"] if as_json else []) + list(words)
        done = Ctl(subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=program_env(),
                                  check=False))
        check("Sanitizer" not in done.err, "sanitizer in edgesteerctl:", done.err)
        if code is not None:
            equal(done.code, code, f"exit code of edgesteerctl {' '.join(words)}: {done}")
        return done

    def ctl_json(self, *words):
        done = self.ctl(*words)
        check(done.json is not None, "no JSON from edgesteerctl", *words, done)
        return done.json

    def reload(self, config=None, code=0):
        if config is not None:
            self.write_config(config)
        return self.ctl("reload", code=code)

    def control(self):
        return Control(self.socket_path)

    def control_octets(self, data, timeout_s=5):
        """Sends octets over the control socket and returns what comes until it closes or falls silent."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout_s)
            sock.connect(str(self.socket_path))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
            out = b""
            with contextlib.suppress(socket.timeout, ConnectionResetError):
                while not out.endswith(b"\n"):
                    got = sock.recv(65536)
                    if not got:
                        break
                    out += got
            return out

    # -- Queries

    def query(self, name, kind="A", ecs=None, edns=None, tcp=False, source=None, six=False, raw=False, tries=3,
              **message):
        """Asks and returns the Reply. `ecs`: "ADDRESS/LEN" or a whole option in bytes; `edns`: True, or wire.opt()'s
        arguments; `message`: wire.query()'s. UDP is tried again after a second or more, but silence is a failure."""
        additional = list(message.pop("additional", ()))
        options = b""
        if ecs is not None:
            options = ecs if isinstance(ecs, bytes) else wire.ecs(ecs)
        if ecs is not None or edns:
            arguments = dict(edns) if isinstance(edns, dict) else {}
            arguments["options"] = options + arguments.get("options", b"")
            additional.append(wire.opt(**arguments))
        message.setdefault("ident", random.randrange(65536))
        data = wire.query(name, kind, additional=additional, **message)
        for left in reversed(range(tries)):
            reply = self.send_tcp(data, six=six) if tcp else self.send(data, source=source, six=six)
            if reply is not None:
                break
            check(left, f"no answer to {name} {kind}")
        if raw:
            return reply
        parsed = wire.Reply(reply)
        equal(parsed.id, message["ident"], "id of the reply")
        check(parsed.qr, "QR is not set")
        return parsed

    def send(self, data, source=None, six=False, timeout_s=None):
        """One datagram; the reply's octets or None."""
        family = socket.AF_INET6 if six else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            if source:
                sock.bind((source, 0))
            sock.settimeout(timeout_s or slowness() * pace())
            sock.connect(("::1" if six else "127.0.0.1", self.port))
            sock.send(data)
            try:
                return sock.recv(65535)
            except (socket.timeout, ConnectionRefusedError):
                return None

    def connect(self, six=False, timeout_s=PATIENCE_S):
        sock = socket.create_connection(("::1" if six else "127.0.0.1", self.port), timeout=timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def send_tcp(self, data, six=False, timeout_s=PATIENCE_S):
        with self.connect(six, timeout_s) as sock:
            sock.sendall(struct.pack("!H", len(data)) + data)
            return recv_message(sock)

    def ask(self, queries, six=False):
        """Many queries in octets over one UDP socket (their ids are set here): the replies' octets in order. A query
        whose answer is lost is sent again."""
        with self.burst(six) as burst:
            return burst.ask(queries, patience_s=slowness() * pace())

    def burst(self, six=False):
        return Burst("::1" if six else "127.0.0.1", self.port)


def recv_exactly(sock, size):
    out = b""
    while len(out) < size:
        got = sock.recv(size - len(out))
        if not got:
            return None
        out += got
    return out


def recv_message(sock):
    """One message over TCP, or None when the other side closed."""
    try:
        head = recv_exactly(sock, 2)
        return None if head is None else recv_exactly(sock, struct.unpack("!H", head)[0])
    except ConnectionResetError:
        return None


def cpu_s(pid):
    """What the process has cost so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid):
    """Its resident set."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def library(name, folder):
    """tests/flow/NAME.c to be preloaded: the build's, or one made here; in the scenario's folder, as a path in LD_PRELOAD
    may have no spaces."""
    path = folder / (name + ".so")
    built = os.path.join(os.path.dirname(program("edgesteerd")), "tests", "flow", name + ".so")
    if os.path.exists(built):
        shutil.copy(built, path)
        return str(path)
    compiler = shutil.which(os.environ.get("CC", "cc").split()[0])
    if compiler is None:
        raise Skip(f"no C compiler for {name}.c")
    source = TOP / "tests" / "flow" / (name + ".c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(path), str(source)], check=True)
    return str(path)


def memory_folder():
    """A folder where fsync costs nothing, for scenarios that give thousands of overrides; None where there is none."""
    folder = "/dev/shm"
    return folder if os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK) else None


def until(condition, timeout_s, what, every_s=0.01, held=None):
    """Waits until condition() is true; returns the seconds it took. `held`: a Withheld, which is allowed for."""
    begun = time.monotonic()
    while not condition():
        took = time.monotonic() - begun
        check(took < timeout_s or held and took < timeout_s + held.s(),
              f"not within {timeout_s:.3f} s: {what}" + (f" (withheld: {held.s():.3f} s)" if held else ""))
        time.sleep(every_s)
    return time.monotonic() - begun


# ---- Running a scenario ----------------------------------------------------------------------------------------------


def run(*tests, limit_s=60):
    """Runs a scenario's tests (those named on the command line, or all) and exits. A test hangs at most until
    `limit_s`, more where the machine is slow."""
    def too_long(*_):
        raise Failure(f"took longer than {limit_s * slowness() * pace()} s")

    signal.signal(signal.SIGALRM, too_long)
    wanted = sys.argv[1:]
    outcome = {"ok": 0, "failed": 0, "skipped": 0}
    for test in tests:
        name = test.__name__
        if wanted and name not in wanted:
            continue
        begun, result, why = time.monotonic(), "ok", ""
        try:
            signal.alarm(limit_s * slowness() * pace())
            test()
        except Skip as skipped:
            result, why = "skipped", f": {skipped}"
        except Exception:  # whatever it is, the other tests still run
            traceback.print_exc()
            result = "failed"
        finally:
            signal.alarm(0)
        outcome[result] += 1
        print(f"{result} {name} ({time.monotonic() - begun:.2f} s){why}", flush=True)
    if outcome["failed"] or not any(outcome.values()):
        sys.exit(1)
    sys.exit(0 if outcome["ok"] else SKIP)
