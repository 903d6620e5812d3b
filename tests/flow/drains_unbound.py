"""Drains behind a real resolver: no client gets a drained target once `edgesteerctl drain --wait` has returned. Daemon, unbound
and edgesteerctl go by a clock that goes faster; each run drains a site of an app, at once, over a time or later, while clients
ask on and on. 40 runs; with EDGESTEER_LONG=1 a thousand."""

import os
import random
import socket
import subprocess

import harness
import wire
from burst import Burst
from busy import pace
from fastclock import FastClock
from harness import Daemon, check, equal
from resolver import Unbound

ZONE = "edge.example.com"
SITES = {"r1": [40.0, -74.0], "r2": [50.0, 8.0], "r3": [35.0, 139.0]}
ADDRESSES = {site: f"203.0.113.{i + 1}" for i, site in enumerate(SITES)}
# Each site has clients of its own, with the others after it.
RANGES = "prefix,latitude,longitude\n" + "".join(f"10.{i + 1}.0.0/16,{lat},{lon}\n"
                                                for i, (lat, lon) in enumerate(SITES.values()))
APPS, RUNS, LONG_RUNS, CLIENTS = 20, 40, 1000, 6
# An answer may be under way for a second, which is then a tenth of one.
PACE = 10
LOOKS = 5  # after --wait has returned
ROUND_MAX_S = 1200  # of the daemon's


def name(app):
    return f"a{app}.{ZONE}"


def config():
    """Every app has a TTL of its own."""
    apps = {name(app): {"ttl": f"{random.randint(1, 9)}s", "targets": {site: {"addresses": [ADDRESSES[site]]} for site in SITES}}
            for app in range(APPS)}
    return {"server": {"ttl-lead": "5s"}, "domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
            "sites": {site: {"kind": "region", "location": location} for site, location in SITES.items()}, "apps": apps}


class Run:
    """A drain of one site of an app, its clients, and the edgesteerctl that waits."""

    def __init__(self, daemon, app):
        self.app, self.site, self.looks = app, random.choice(list(SITES)), 0
        self.is_held = False  # a cache handed the target out though the daemon did not any more
        self.nets = [f"10.{random.randint(1, len(SITES))}.{random.randrange(256)}.0/24" for _ in range(CLIENTS)]
        self.queries = [wire.query(name(app), flags=wire.RD, additional=[wire.opt(wire.ecs(net))]) for net in self.nets]
        self.octets = socket.inet_aton(ADDRESSES[self.site])
        self.words = [self.site, "--app", name(app)]
        self.lead_s = random.choice([None, None, random.randint(3, 20)])  # how much later it starts
        if not self.lead_s and random.random() < 0.5:
            self.words += ["--over", f"{random.randint(1, 15)}s"]
        self.command = [harness.program("edgesteerctl"), "-s", str(daemon.socket_path), "drain", *self.words, "--wait"]
        self.env, self.process, self.is_safe = {**harness.program_env(), **daemon.env}, None, False

    def start(self, order):
        at = ["--at", f"@{order('drains')['now'] + self.lead_s}"] if self.lead_s else []
        self.process = subprocess.Popen(self.command + at, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)

    def has_returned(self, order):
        """Whether --wait has."""
        if self.is_safe or self.process is None or self.process.poll() is None:
            return self.is_safe
        _, said = self.process.communicate()
        if self.lead_s and "is not after now" in said:  # by the time that it was read
            self.lead_s *= 2
            self.start(order)
            return False
        equal(self.process.returncode, 0, self.process.args, said)
        self.is_safe = True
        return True

    def see(self, replies, was_drained, had_returned):
        """`replies` to its clients, and what was so before they asked."""
        gets = [net for net, reply in zip(self.nets, replies) if self.octets in reply]
        check(not had_returned or not gets, f"{' '.join(self.words)}: --wait had returned, and {gets} get the target")
        self.is_held = self.is_held or bool(was_drained and gets)
        self.looks += had_returned


def look(burst, order, runs):
    """All clients ask through the resolver."""
    drained = {(row["app"], row["site"]) for row in order("drains")["drains"] if row["phase"] == "drained"}
    returned = [run.has_returned(order) for run in runs]
    replies = burst.ask([query for run in runs for query in run.queries], patience_s=3)
    for number, run in enumerate(runs):
        run.see(replies[number * CLIENTS:(number + 1) * CLIENTS], (name(run.app), run.site) in drained, returned[number])


def one_round(daemon, clock, burst, order, count):
    """So many runs at once; how many of them a cache had something of."""
    runs = [Run(daemon, app) for app in random.sample(range(APPS), count)]
    look(burst, order, runs)
    for run in runs:
        run.start(order)
    begun_s = clock.now_s()
    while min(run.looks for run in runs) < LOOKS:
        check(clock.now_s() - begun_s < ROUND_MAX_S, "some drains do not become safe")
        look(burst, order, runs)
    for run in runs:
        order("undrain", site=run.site, app=name(run.app))
    return sum(run.is_held for run in runs)


def safe_is_safe():
    runs, held = LONG_RUNS if os.environ.get("EDGESTEER_LONG") else RUNS, 0
    with Daemon(config(), {"ranges.csv": RANGES}, start=False) as d:
        clock, fast = FastClock(d), max(1, int(PACE / pace()))
        d.start()
        clock.pace(1)
        with Unbound(d.folder, d.port, ZONE, min_ttl_s=0, env=d.env) as resolver, Burst("127.0.0.1", resolver.port) as burst, \
                d.control() as order:
            clock.pace(fast)
            for first in range(0, runs, APPS):
                held += one_round(d, clock, burst, order, min(APPS, runs - first))
                d.reload(config())  # other TTLs, with the old ones in caches
    print(f"  {runs} runs; in {held} of them the resolver still handed out what the daemon did not any more")
    check(held > runs / 10, "the resolver's cache hardly mattered")


if __name__ == "__main__":
    harness.run(safe_is_safe, limit_s=1800 if os.environ.get("EDGESTEER_LONG") else 120)
