"""`./bootstrap demo`: it shows what it promises, leaves nothing behind however it ends, and reports what prevents it.
Its ports are always the same if they are free: it runs in a network of its own where that is allowed."""

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import harness
from harness import Skip, check, equal, until

DEMO = str(harness.TOP / "conf/demo/run")
ALONE = "EDGESTEER_DEMO_ALONE"
STAYS = "Ctrl-C stops it"
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def go_alone():
    """Restarts in a network namespace with loopback only; continues here where that is not permitted."""
    if ALONE in os.environ:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
        return
    for way in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        with contextlib.suppress(OSError):
            if subprocess.run([*way, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                os.environ[ALONE] = "yes"
                os.execvp(way[0], [*way, sys.executable, *sys.argv])


def free():
    """Nothing listens at the demo's ports."""
    for kind, address in ((socket.SOCK_DGRAM, ("127.0.0.1", 5300)), (socket.SOCK_STREAM, ("127.0.0.11", 5380))):
        with socket.socket(socket.AF_INET, kind) as sock:
            # Connections that are over are not in the way, listeners are.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            try:
                sock.bind(address)
            except OSError:
                return False
    return True


@contextlib.contextmanager
def stage():
    """The demo's command, and a folder for all that it writes; at the end nothing may be left."""
    if not shutil.which("dig"):
        raise Skip("no dig here")
    if not free():
        raise Skip("a demo is running")
    folder = tempfile.mkdtemp(prefix="edgesteer-demo-test-")
    os.environ["TMPDIR"] = folder
    try:
        yield [DEMO, "--build", os.path.dirname(harness.program("edgesteerd"))], folder
        until(free, harness.PATIENCE_S, "the daemon and the load balancers are gone")
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def terminal(command):
    """Runs a command on a terminal of its own, which is read until the demo stays; gives process and terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    try:
        said, end = "", time.monotonic() + harness.PATIENCE_S
        while STAYS not in said:
            check(select.select([fd], [], [], end - time.monotonic())[0], "the demo does not get as far:", said)
            said += os.read(fd, 65536).decode()
        yield pid, fd
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        with contextlib.suppress(OSError):
            os.close(fd)


def ends(pid):
    """It has exited, and is not waited for again."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    until(lambda: os.waitid(os.P_PID, pid, options), harness.PATIENCE_S, "the demo ends")


def run(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * harness.PATIENCE_S, check=False)


def shows():
    with stage() as (command, folder):
        done = run(command)
        equal((done.returncode, done.stderr), (0, ""))
        check("$ edgesteerctl drain us-east-1-wl1-nyc-wlz-1 --for 2h --reason 'kernel patches'\n" in done.stdout,
              "not as a shell reads it:", done.stdout)
        equal(os.listdir(folder), [])


def terminal_closes():
    with stage() as (command, folder):
        with terminal([*command, "--stay"]) as (pid, fd):
            os.close(fd)
            ends(pid)
        equal(os.listdir(folder), [])


def interrupted():
    with stage() as (command, folder):
        with terminal([*command, "--stay"]) as (pid, fd):
            os.write(fd, b"\3")
            ends(pid)
        equal(os.listdir(folder), [])


def killed():
    with stage() as (command, _):
        with terminal([*command, "--stay"]) as (pid, _):
            os.kill(pid, signal.SIGKILL)
            until(free, harness.PATIENCE_S, "the daemon ends with the demo")


@contextlib.contextmanager
def bound(address, kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
        sock.bind(address)
        if kind == socket.SOCK_STREAM:
            sock.listen()
        yield sock


def beside_another():
    """Ports in use are passed by, whoever uses them and over whichever transport; a chosen one is that or none."""
    with stage() as (command, _):
        with terminal([*command, "--stay"]):
            done = run(command)
            equal((done.returncode, done.stderr), (0, ""))
            check("asked at 127.0.0.1 port 5301;" in done.stdout, done.stdout)
            done = run([*command, "--port", "5300"])
            equal((done.returncode, done.stderr), (1, "demo: --port 5300: in use, or not permitted, at 127.0.0.1\n"))
        until(free, harness.PATIENCE_S, "the first demo is over")
        with bound(("127.0.0.1", 5300)), bound(("127.0.0.1", 5301), socket.SOCK_STREAM), \
                bound(("127.0.0.13", 5380), socket.SOCK_STREAM):
            done = run(command)
            equal((done.returncode, done.stderr), (0, ""))
            check("asked at 127.0.0.1 port 5302;" in done.stdout, done.stdout)
            done = run([*command, "--port", "5399"])
            equal((done.returncode, done.stderr), (0, ""))
            check("asked at 127.0.0.1 port 5399;" in done.stdout, done.stdout)


def wrong_words():
    for words in (["--foo"], ["--port"], ["--port", "x"], ["--port", "0"], ["--port", "65536"], ["--stay", "--stay"]):
        done = run([DEMO, *words])
        check(done.returncode == 2 and done.stderr.startswith("usage:"), done)


if __name__ == "__main__":
    go_alone()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever began the tests with nohup did not mean the demo
    harness.run(shows, terminal_closes, interrupted, killed, beside_another, wrong_words)
