"""Each alert of conf/prometheus in its scenario, on a real daemon that a real Prometheus scrapes: those that metrics.py has not. The
rules are as they are but for their patience. (What promtool tests them with is in tests/data/prometheus.)"""

import contextlib
import os
import re
import resource
import socket
import time

import harness
from clock import Clock
from door import TOKENS
from drains import fill_disk
from harness import Control, Daemon, Responder, check, equal, pace, until
from metrics import RULES, Prometheus

ZONE = "edge.example.com"
FLAPPING, ALARMED, CHECKED = (f"{name}.{ZONE}" for name in ("flapping", "alarmed", "checked"))
SITES = {"a": {"kind": "az", "region": "r"}, "b": {"kind": "az", "region": "r"}, **{site: {"kind": "region"} for site in "cde"}}
DAY_S = 86400


class Scene:
    """A daemon and its Prometheus; `fired` are the alerts that may fire by now."""

    def __init__(self, daemon, port, ready=True):
        self.daemon, self.port, self.fired, self.stack = daemon, port, set(), contextlib.ExitStack()
        self.ready = ready

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.daemon.start(wait=self.ready)
            stack.enter_context(self.daemon)
            until(lambda: self.daemon.socket_path.exists(), harness.PATIENCE_S, "it starts")
            self.prometheus = stack.enter_context(Prometheus(self.daemon, self.port, re.sub(r"\n +for: .*", "", RULES.read_text())))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *why):
        return self.stack.__exit__(*why)

    def fires(self, alert, again=lambda: None, also=()):
        """The alert fires while `again` goes on, and nothing else that has not before; `also` may."""
        alert = f"Edgesteer{alert}"

        def is_firing():
            again()
            return alert in self.prometheus.firing()

        until(is_firing, 20 * pace(), f"{alert} fires", 0.1)
        self.fired |= {alert, *(f"Edgesteer{each}" for each in also)}
        firing = self.prometheus.firing()
        check(firing <= self.fired, firing, self.fired)
        print(f"  {alert} fires")


def config(port, check_port, **more):
    targets = {site: {"addresses": [f"203.0.113.{i + 1}"]} for i, site in enumerate("cde")}
    checked = {site: {"addresses": [f"203.0.113.{i + 1}"], "check": "c", "check-address": f"127.0.1.{i + 1}"}
               for i, site in enumerate("abc")}
    return {"server": {"http": [{"listen": f"127.0.0.1@{port}", "tokens": "tokens"}]}, "domains": harness.DOMAIN, "sites": SITES,
            "checks": {"c": {"type": "http", "port": check_port, "interval": f"{300 * pace()}ms", "rise": 1, "fall": 2}},
            "apps": {FLAPPING: {"targets": targets}, ALARMED: {"panic": "50%", "targets": targets},
                     CHECKED: {"targets": checked}, f"second.{ZONE}": {"targets": checked}}, **more}


def reported(control, app, site, to, ok=True, **more):
    return control("report", ok, app=app, site=site, to=to, vantage=f"vantage-of-{app.partition('.')[0]}", ttl="10m", **more)


def in_operation():
    """What vantages and operators do, and what happens to them. The daemon's clock is behind by more than a day, so that what it
    begins has been for a day."""
    port = harness.free_port()
    with contextlib.ExitStack() as stack:
        responders = {"a": stack.enter_context(Responder("127.0.1.1"))}
        for i, site in enumerate("bc"):
            responders[site] = stack.enter_context(Responder(f"127.0.1.{i + 2}", responders["a"].port))
        daemon = Daemon(config(port, responders["a"].port), {}, start=False)
        daemon.write("tokens", TOKENS).chmod(0o600)
        Clock(daemon).ahead(-DAY_S - 600)
        scene = stack.enter_context(Scene(daemon, port))
        control = stack.enter_context(Control(daemon.socket_path))
        time.sleep(1)
        equal(scene.prometheus.firing(), set(), "all is well")

        for to in ["down", "up"] * 5:  # each fall counts 1,000, a little less when the fourth comes
            reported(control, FLAPPING, "d", to)
            time.sleep(0.02)
        scene.fires("Flapping", also=("TargetDown",))
        for site in "de":
            reported(control, ALARMED, site, "down")
        scene.fires("Panic")
        now = int(time.time()) - DAY_S - 600
        scene.fires("ReportsStale", lambda: reported(control, FLAPPING, "e", "up", ok=False, observed_at=now - 3600))

        def knocks():
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer wrong-wrong-wrong\r\n\r\n")
                check(b" 401 " in sock.recv(4096), "it is let in")

        scene.fires("DoorDenied", lambda: [knocks() for _ in range(4)])
        daemon.ctl("drain", "c", "--app", FLAPPING)
        scene.fires("DrainForgotten")
        fill_disk(daemon)
        daemon.ctl("drain", "d", "--app", FLAPPING, code=1)
        scene.fires("OverridesUnsaved", also=("StateUnsaved",))
        fill_disk(daemon, full=False)
        for site in "ab":
            responders[site].down()
        scene.fires("Brake")


def before_it_serves():
    """Its first check does not end."""
    port = harness.free_port()
    with socket.create_server(("127.0.1.1", 0)) as silent:
        never = {"c": {"type": "http", "port": silent.getsockname()[1], "timeout": "20s", "interval": "1m"}}
        daemon = Daemon({**config(port, 1), "checks": never}, start=False)
        daemon.write("tokens", TOKENS).chmod(0o600)
        with Scene(daemon, port, ready=False) as scene:
            scene.fires("NotServing", also=("AppWithoutTarget", "TargetDown"))


def out_of_descriptors():
    """It may open no more files: its checks cannot be run, and targets stay as they are."""
    port = harness.free_port()
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Responder("127.0.1.1"))
        for i in (2, 3):
            stack.enter_context(Responder(f"127.0.1.{i}", first.port))
        daemon = Daemon(config(port, first.port), start=False)
        daemon.write("tokens", TOKENS).chmod(0o600)
        scene = stack.enter_context(Scene(daemon, port))
        pid = daemon.process.pid
        most = resource.prlimit(pid, resource.RLIMIT_NOFILE)

        def no_more():
            """A check, or a scrape, may be under way, and leaves its own behind."""
            now = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(now[0], len(os.listdir(f"/proc/{pid}/fd"))), most[1]))

        scene.fires("ChecksFail", no_more, also=("Descriptors",))
        scene.fires("Descriptors")
        equal(scene.prometheus.query('resets({__name__=~".*_(total|bucket|count|sum)", job="edgesteer"}[5m]) > 0'), [])
        resource.prlimit(pid, resource.RLIMIT_NOFILE, most)


def late_checks():
    """One check at a time is too few."""
    port = harness.free_port()
    with Responder("127.0.1.1") as slow:
        slow.delay_s = 0.1
        few = config(port, slow.port)
        few["server"]["probes"] = 1
        few["checks"]["c"].update(interval="200ms", timeout="200ms")
        targets = {"c": {"addresses": ["203.0.113.1"], "check": "c", "check-address": "127.0.1.1"}}
        few["apps"] = {f"app{i}.{ZONE}": {"targets": targets} for i in range(8)}
        daemon = Daemon(few, start=False)
        daemon.write("tokens", TOKENS).chmod(0o600)
        with Scene(daemon, port) as scene:
            scene.fires("ChecksLate", also=("TargetDown", "AppWithoutTarget"))


if __name__ == "__main__":
    harness.run(in_operation, before_it_serves, out_of_descriptors, late_checks, limit_s=150)
