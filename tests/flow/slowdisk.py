"""A disk on which a sync takes half a second: an override waits for it, and nothing else does. Probes keep their pace,
health is published, other verbs are answered; what is acknowledged is published, and what is not is neither."""

import struct
import threading
import time

import harness
from harness import Daemon, Responder, Skip, check, equal, until

ZONE = "edge.example.com"
NAME, CHECKED = "app." + ZONE, "checked." + ZONE
FIRST, SECOND = "203.0.113.1", "203.0.113.2"
SYNC_MS, INTERVAL_MS = 500 * harness.pace(), 100 * harness.pace()
VERB_S = 0.05      # what a verb that needs no disk may take
PUBLISH_S = 4 * INTERVAL_MS / 1000  # interval + timeout + coalescing, and as much again


class Bench:
    """A daemon on a slow disk, with one app whose first target is probed."""

    def __enter__(self):
        if harness.sanitizer():
            raise Skip("a sanitizer's library has to come first")
        self.responder = Responder("127.0.1.1")
        checks = {"c": {"type": "http", "port": self.responder.port, "path": "/", "interval": f"{INTERVAL_MS}ms",
                        "timeout": f"{INTERVAL_MS - 10}ms", "rise": 1, "fall": 1}}
        sites = {"r1": {"kind": "region", "location": [40.0, -74.0]}, "r2": {"kind": "region", "location": [41.0, -75.0]}}
        targets = {"r1": {"addresses": [FIRST]}, "r2": {"addresses": [SECOND]}}
        probed = {"r1": {**targets["r1"], "check": "c", "check-address": "127.0.1.1"}, "r2": targets["r2"]}
        config = {"domains": harness.DOMAIN, "checks": checks, "sites": sites,
                  "apps": {NAME: {"targets": targets}, CHECKED: {"targets": probed}}}
        self.daemon = Daemon(config, start=False)
        self.path = self.daemon.folder / "takes"
        self.takes(0)
        self.daemon.env = {"LD_PRELOAD": harness.library("slowsync", self.daemon.folder),
                           "SLOWSYNC_FILE": str(self.path)}
        self.daemon.start()
        self.daemon.__enter__()
        until(lambda: self.answer(CHECKED) == FIRST, harness.PATIENCE_S, "the first target is up")
        return self

    def __exit__(self, *error):
        self.takes(0)
        self.daemon.__exit__(*error)
        self.responder.close()

    def takes(self, milliseconds):
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("q", milliseconds))

    def answer(self, name=NAME):
        return self.daemon.query(name).addresses[0]


class Waiting:
    """A verb whose reply is waited for on a thread of its own."""

    def __init__(self, daemon, verb, **fields):
        self.reply, self.ended = None, None
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self._ask, args=(daemon, verb, fields))
        self.thread.start()

    def _ask(self, daemon, verb, fields):
        with daemon.control() as control:
            control.sock.settimeout(harness.PATIENCE_S)
            self.reply = control(verb, ok=None, **fields)
        self.ended = time.monotonic()

    def is_there(self):
        return self.ended is not None

    def join(self):
        self.thread.join()
        check(self.reply["ok"], self.reply)
        return self.ended - self.began


def override_waits_alone():
    with Bench() as bench:
        daemon = bench.daemon
        bench.takes(SYNC_MS)
        drain = Waiting(daemon, "drain", site="r1", app=NAME)
        longest, asked = 0.0, 0
        with daemon.control() as control:
            while not drain.is_there():
                held, began = harness.Withheld(daemon.process.pid), time.monotonic()
                control("status")
                took = time.monotonic() - began - held.s()
                longest, asked = max(longest, took), asked + 1
                # Durable, published, acknowledged, in this order.
                if bench.answer() == SECOND and not drain.is_there():
                    until(drain.is_there, harness.PATIENCE_S, "what is published is acknowledged")
        took = drain.join()
        check(took * 1000 >= SYNC_MS, f"acknowledged after {took:.3f} s, before the disk had it")
        equal(bench.answer(), SECOND, "the first query after the acknowledgement is moved")
        check(asked > 20, f"only {asked} of status in {took:.3f} s")
        check(longest < VERB_S * harness.slowness(), f"status took {longest:.3f} s while a drain waited for the disk")
        print(f"  drain: {took * 1000:.0f} ms; status meanwhile: {asked} times, at most {longest * 1000:.1f} ms")


def health_does_not_wait():
    with Bench() as bench:
        daemon, responder = bench.daemon, bench.responder
        bench.takes(SYNC_MS)
        # Drains, as they arrive in any order.
        waiting = [Waiting(daemon, "drain", site="r1", app=NAME, reason=f"{n}") for n in range(3)]
        worst, began = 0.0, time.monotonic()
        for status, wanted in ((503, SECOND), (200, FIRST)) * 3:
            responder.status = status
            held = harness.Withheld(daemon.process.pid)
            took = until(lambda wanted=wanted: bench.answer(CHECKED) == wanted, harness.PATIENCE_S, f"{wanted} is answered",
                         every_s=0.002)
            worst = max(worst, took - held.s())
        check(not all(w.is_there() for w in waiting), "the disk was not slow")
        check(worst < PUBLISH_S * harness.slowness(), f"a change of health was published after {worst:.3f} s")
        hits = [at for at, _, _ in responder.hits if at > began]
        check(len(hits) >= 6, f"{len(hits)} probes")
        gap = max(b - a for a, b in zip(hits[:-1], hits[1:]))
        check(gap < 3 * INTERVAL_MS / 1000 * harness.slowness(), f"{gap:.3f} s between two probes")
        for w in waiting:
            w.join()
        print(f"  health published within {worst * 1000:.0f} ms, at most {gap * 1000:.0f} ms between probes")


def kept_in_order():
    """What is given while the disk is busy takes effect in the order given, and is all there after kill -9."""
    with Bench() as bench:
        daemon = bench.daemon
        bench.takes(SYNC_MS // 5)
        with daemon.control() as control:
            control.sock.settimeout(harness.PATIENCE_S)
            for site in ("r1", "r2", "r1", "r2"):
                control("drain", site=site, app=NAME)
                control("undrain", site=site, app=NAME)
            control("drain", site="r1")
        daemon.kill()
        bench.takes(0)
        daemon.start()
        equal([d["site"] for d in daemon.ctl_json("status")["drains"]], ["r1"])
        equal(bench.answer(), SECOND)


if __name__ == "__main__":
    harness.run(override_waits_alone, health_does_not_wait, kept_in_order)
