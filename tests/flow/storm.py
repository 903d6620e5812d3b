"""Everything at once, and a stop in the middle of it: reloads, comparisons, ways back, drains, adoptions, forces, reports, what is
measured and forgotten, plans and queries. It is for the sanitizers above all, which see what is used by two threads at once or
after its end; without one it shows that the daemon ends as it should, and begins again with what was acknowledged."""

import contextlib
import itertools
import random
import threading
import time

import harness
from harness import Daemon, check, equal, until

ZONE = "edge.example.com"
APPS = [f"app{n}.{ZONE}" for n in range(6)]
SITES = {"w1": {"kind": "wavelength", "reach": ["one"], "location": [50, 0], "ceiling": 1000},
         "w2": {"kind": "wavelength", "reach": ["one"], "location": [40, -74]},
         "r1": {"kind": "region", "location": [38, -77]}, "r2": {"kind": "region", "location": [51.5, 0]}}
STORMS, STORM_S, SEED = 3, 2, 11
WANTED = "reload", "compare", "rollback", "drain", "undrain", "adopt", "force", "report", "observe", "query"  # to be done in each


def config(ttl):
    targets = {site: {"addresses": [f"192.0.2.{n + 1}"]} for n, site in enumerate(SITES)}
    return {"domains": {ZONE: {"ns": ["ns.example.net"]}}, "sites": SITES,
            "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
            "guard": "100%", "observe": {"samples": 1, "hosts": 1, "explore": "5%"},
            "apps": {app: {"ttl": f"{ttl}s", "targets": targets} for app in APPS}}


RANGES = "prefix,carrier,latitude,longitude\n" + "".join(f"10.{i}.0.0/16,one,{30 + i % 30},{-i}\n" for i in range(64))


def orders(dice):
    """One each, of what may be refused too."""
    app, site = dice.choice(APPS), dice.choice(["w1", "w2", "r2"])  # r1 stays, so that everybody gets something
    client = f"10.{dice.randrange(64)}.{dice.randrange(256)}.{dice.randrange(256)}"
    return [("drain", {"site": site, "over": dice.choice(["1s", "1h"]), "force": True}), ("drain", {"site": site, "app": app}),
            ("undrain", {"site": site}), ("undrain", {"site": site, "over": "1s"}), ("adopt", {"app": app, "percent": str(dice.randrange(101))}),
            ("adopt", {"app": app, "end": True}), ("force", {"app": app, "site": site, "to": dice.choice(["up", "down", "auto"])}),
            ("report", {"app": app, "site": site, "to": dice.choice(["up", "down"]), "vantage": f"v{dice.randrange(4)}", "ttl": "5s"}),
            ("plan drain", {"site": site}), ("explain", {"name": app, "client": client, "without": "r1"}), ("status", {}), ("apps", {}),
            ("drains", {"ended": True}), ("discovery", {}), ("learned", {}), ("stats", {}),
            ("observe", {"lines": "".join(f"10.{dice.randrange(64)}.{i}.7 {site} {dice.randrange(1, 90)} h{i % 3}\n" for i in range(20))}),
            ("learned forget", {"prefix": f"10.{dice.randrange(64)}.0.0/16"})]


class Storm:
    """Threads that go on until the daemon has gone."""

    def __init__(self, d, seed):
        self.d, self.is_over, self.stops, self.done, self.wrong = d, False, False, {}, []
        works = [self.operate] * 3 + [self.load, self.ask]
        self.threads = [threading.Thread(target=self.work, args=(work, random.Random(seed + n))) for n, work in enumerate(works)]
        for thread in self.threads:
            thread.start()

    def work(self, work, dice):
        with contextlib.suppress(OSError, ValueError):  # the connection has ended
            try:
                work(dice)
            except harness.Failure as failure:
                if not self.stops:  # else what came too late for the daemon
                    self.wrong.append(failure)

    def note(self, verb, reply):
        check("ok" in reply, verb, reply)
        key = verb, reply["ok"]
        self.done[key] = self.done.get(key, 0) + 1

    def operate(self, dice):
        with self.d.control() as control:
            while not self.is_over:
                verb, fields = dice.choice(orders(dice))
                self.note(verb, control(verb, ok=None, **fields))

    def load(self, dice):
        kinds = [("reload", {}), ("rollback", {}), ("compare", {"weights": True}), ("reload", {"check": True})]
        with self.d.control() as control:
            for n in itertools.count():
                if self.is_over:
                    break
                verb, fields = kinds[n] if n < len(kinds) else dice.choice(kinds)
                if verb == "reload":
                    self.d.write_config(config(dice.randrange(1, 60)))
                self.note(verb, control(verb, ok=None, **fields))

    def ask(self, dice):
        while not self.is_over:
            reply = self.d.query(dice.choice(APPS), ecs=f"10.{dice.randrange(64)}.{dice.randrange(256)}.0/24")
            self.note("query", {"ok": bool(reply.addresses)})

    def missing(self):
        return [verb for verb in WANTED if not self.done.get((verb, True))]

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        check(not self.wrong, *self.wrong)


def stopped_in_the_middle():
    with Daemon(config(30), {"ranges.csv": RANGES}) as d:
        done = {}
        for n in range(STORMS):
            storm = Storm(d, SEED + 100 * n)
            time.sleep(STORM_S)
            until(lambda storm=storm: storm.wrong or not storm.missing(), harness.PATIENCE_S, "each is done once")
            storm.stops = True
            storm.is_over = n % 2 == 1  # told before, or found out
            equal(d.stop(), 0, "it ends as it should")
            storm.is_over = True
            storm.end()
            for key, count in storm.done.items():
                done[key] = done.get(key, 0) + count
            d.start()
        check(not done.get(("query", False)), "everybody gets something", done)
        print(" ", ", ".join(f"{verb} {count}" for (verb, ok), count in sorted(done.items()) if ok))


if __name__ == "__main__":
    harness.run(stopped_in_the_middle, limit_s=180)
