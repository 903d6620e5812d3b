"""`./bootstrap demo`: it shows what it promises, leaves nothing behind however it ends, and reports what prevents it.
Its ports are always the same if they are free: it runs in a network of its own where that is allowed."""

import contextlib
import fcntl
import io
import os
import pathlib
import pty
import re
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
BOS, BOS_ROTATED, NYC, REGION = "155.146.1.10", "155.146.2.20", "155.146.65.10", "203.0.113.10"
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


def in_cluster(command):
    if not shutil.which("nsd", path=os.environ.get("PATH", "") + ":/usr/sbin") or not shutil.which("openssl"):
        raise Skip("no nsd or openssl here")
    return [*command, "--kubernetes"]


def name_servers(folder):
    """Processes with a file of this folder among their words."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if "nsd" in words[0] and any(word.startswith(folder) for word in words):
                found.append(words)
    return found


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


def shows_a_cluster():
    """Every step of it moves the answer as it says, or the demo fails; it is checked that the steps are there."""
    with stage() as (command, folder):
        done = run(in_cluster(command))
        equal((done.returncode, done.stderr), (0, ""))
        steps = re.split(r"^== ", done.stdout, flags=re.M)[1:]
        moves = [re.findall(r"\+subnet=(\S+) +-> (\S+)", step) for step in steps]
        phone = "97.0.130.0/24"
        equal(moves, [
            [(phone, NYC), ("198.51.100.0/24", REGION)],
            [(phone, BOS)],          # the Ingress appears
            [(phone, BOS_ROTATED)],  # its name has another address
            [(phone, NYC), (phone, BOS_ROTATED)],  # unready, ready
            [(phone, NYC)],          # the Ingress vanishes
            []], done.stdout)
        check("REFUSED: it is outside of the site's block" in steps[2], steps[2])
        check(re.search(r"us-east-1-wl1-bos-wlz-1 +down \(no server ready\)", steps[3]), steps[3])
        check("explain" in steps[3] and "answer: us-east-1-wl1-bos-wlz-1 (healthy)" in steps[3], steps[3])
        equal(os.listdir(folder), [])


def stays_with_a_cluster():
    """With what it names to try by hand, and nothing left after Ctrl-C, or of the name server after a kill."""
    with stage() as (command, folder):
        with terminal([*in_cluster(command), "--stay", "--port", "5398"]) as (pid, fd):
            config, = pathlib.Path(folder).glob("*/cluster/kubeconfig")
            check(config.exists(), "the file that kubectl is told of")
            check(name_servers(folder), "its name server is found")
            os.write(fd, b"\3")
            ends(pid)
        equal((os.listdir(folder), name_servers(folder)), ([], []))
        with terminal([*in_cluster(command), "--stay"]) as (pid, _):
            os.kill(pid, signal.SIGKILL)
            until(lambda: not name_servers(folder), harness.PATIENCE_S, "the name server ends with the demo")


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


def silent_balancers():
    """A probe that leaves before its answer is nothing to tell of."""
    sys.path.insert(0, str(harness.TOP / "conf/demo"))
    from sites import Balancer
    said, port = io.StringIO(), harness.free_port()
    with contextlib.redirect_stderr(said):
        balancer = Balancer("127.0.0.11", port)
        for _ in range(10):
            with socket.create_connection(("127.0.0.11", port)) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closes with a reset
                sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with socket.create_connection(("127.0.0.11", port)) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            check(b"200" in sock.recv(100), "it does not answer any more")
        balancer.stop()  # waits for its threads
    equal(said.getvalue(), "")


def wrong_words():
    for words in (["--foo"], ["--port"], ["--port", "x"], ["--port", "0"], ["--port", "65536"], ["--stay", "--stay"],
                  ["--kubernetes", "--kubernetes"]):
        done = run([DEMO, *words])
        check(done.returncode == 2 and done.stderr.startswith("usage:"), done)


if __name__ == "__main__":
    go_alone()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever began the tests with nohup did not mean the demo
    harness.run(shows, shows_a_cluster, stays_with_a_cluster, terminal_closes, interrupted, killed, beside_another,
                silent_balancers, wrong_words)
