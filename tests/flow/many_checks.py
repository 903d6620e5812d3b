"""More probes than the daemon has time or room for: requests go first, and late probes are reported."""

import contextlib
import json
import pathlib
import re
import resource
import signal
import socket

import harness
from harness import Daemon, Responder, check, equal, until

ZONE = "edge.example.com"
PROBES = 600
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Crowd:
    """A load balancer that delays every response, then answers all at once."""

    def __init__(self, size):
        self.size, self.waiting = size, []
        self.listener = socket.create_server(("127.0.0.1", harness.free_port()), backlog=size)
        self.listener.settimeout(harness.PATIENCE_S)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in [self.listener, *self.waiting]:
            sock.close()

    def gather(self):
        """Until all of them have asked."""
        while len(self.waiting) < self.size:
            self.waiting.append(self.listener.accept()[0])
        for sock in self.waiting:
            sock.settimeout(harness.PATIENCE_S)
            check(sock.recv(4096), "a probe asks nothing")

    def answer(self):
        for sock in self.waiting:
            sock.sendall(REPLY)


@contextlib.contextmanager
def standing_still(daemon):
    """The daemon does nothing for as long as this lasts."""
    stat = pathlib.Path(f"/proc/{daemon.process.pid}/stat")
    daemon.signal(signal.SIGSTOP)
    try:
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", harness.PATIENCE_S, "the daemon stops")
        yield
    finally:
        daemon.signal(signal.SIGCONT)


def requests_go_first():
    """Hundreds of probes have their answers to read when a request comes: it is carried out before most of them are."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files[1] < PROBES + 100:
        raise harness.Skip(f"no more than {files[1]} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files[0], PROBES + 100), files[1]))
    with Crowd(PROBES) as crowd:
        config = {
            "server": {"probes": PROBES},
            "domains": harness.DOMAIN,
            "checks": {"alb": {"type": "http", "port": crowd.port, "path": "/", "interval": "60s", "timeout": "60s"}},
            "sites": {"here": {"kind": "region", "location": [40.0, -74.0]}},
            "apps": {f"app{i}.{ZONE}": {"check": "alb", "targets": {"here": {"addresses": ["127.0.0.1"]}}}
                     for i in range(PROBES)},
        }
        with Daemon(config, start=False) as d:
            d.start(wait=False)
            crowd.gather()
            with standing_still(d):
                crowd.answer()
                order = d.control()
                # One request alone: a second one would leave the probes as much time as the disk takes for the first.
                order.sock.sendall(b'{"verb": "stats"}\n')
            with order:
                reply = json.loads(order.file.readline())
                check(reply["probes"] < PROBES // 3, f"{reply['probes']} of {PROBES} probes were read before the request")
                until(lambda: order("stats")["probes"] >= PROBES, harness.PATIENCE_S, "the probes")
                equal(order("stats")["probe_failures"], 0)


def lateness_is_reported():
    """With a limit of half the probes, `stats` and `status` count the late ones, and the log has one line with the
    reason."""
    with Responder(status=200) as alb:
        alb.delay_s = 0.05
        config = {
            "server": {"probes": 1},
            "domains": harness.DOMAIN,
            "checks": {"alb": {"type": "http", "port": alb.port, "path": "/", "interval": "200ms", "timeout": "200ms"}},
            "sites": {"here": {"kind": "region", "location": [40.0, -74.0]}},
            "apps": {f"app{i}.{ZONE}": {"check": "alb", "targets": {"here": {"addresses": ["127.0.0.1"]}}}
                     for i in range(8)},
        }
        with Daemon(config) as d:
            until(lambda: d.ctl_json("stats")["probes_late"] >= 8, harness.PATIENCE_S, "late probes")
            check(d.ctl_json("status")["health"]["late"] >= 8, "status does not say it")
            lines = re.findall(r"warning: health: probes are late: app\d\.\S+ at here is probed \S+ s after it was due "
                               r"and \d more are waiting, because `probes` allows no more at once", d.log())
            equal(len(lines), 1, d.log())


if __name__ == "__main__":
    harness.run(requests_go_first, lateness_is_reported)
