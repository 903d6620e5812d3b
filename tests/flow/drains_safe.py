"""What caches hold: a thousand drains at random, whole, over a time and later, by a clock that goes faster; behind a cache that
is correct no client gets a target once its drain is called safe."""

import random

import harness
from fastclock import FastClock
from harness import Daemon, check, equal

ZONE = "edge.example.com"
APPS, ROUNDS, PACE = 50, 20, 20
SITES = ("r1", "r2")
NETS = [f"10.{n}.0.0/24" for n in range(4)]
ROUND_MAX_S = 120  # of the daemon's


def name(n):
    return f"a{n}.{ZONE}"


def config(ttls):
    return {"server": {"ttl-lead": "5s"}, "domains": harness.DOMAIN, "sites": {site: {"kind": "region"} for site in SITES},
            "apps": {name(n): {"ttl": f"{ttl}s", "targets": {site: {"addresses": [f"203.0.113.{i + 1}"]}
                                                             for i, site in enumerate(SITES)}} for n, ttl in enumerate(ttls)}}


class Cache:
    """A resolver's cache: it asks when an answer has expired, not before. Its time is the daemon's."""

    def __init__(self, daemon, clock):
        self.daemon, self.clock, self.held = daemon, clock, {}

    def get(self, app, net):
        """The address that a client gets now."""
        now_s = self.clock.now_s()
        address, until_s = self.held.get((app, net), (None, 0))
        if until_s <= now_s:
            asked_s = self.clock.now_s()  # the answer is not older than that
            record, = self.daemon.query(name(app), ecs=net).answer
            address, until_s = record.value, asked_s + record.ttl
            self.held[app, net] = (address, until_s)
        return address


def words_for(app, order):
    """A drain of the first site, of one of three kinds."""
    words = {"site": "r1", "app": name(app)}
    kind = random.randrange(3)
    if kind == 1:
        words["over"] = f"{random.randint(1, 15)}s"
    if kind == 2:
        words["at"] = f"@{order('drains')['now'] + random.randint(3, 20)}"
    return words


def one_round(clock, cache, order):
    """Drains every app; each until it is safe, and a little longer."""
    for app in range(APPS):
        order("drain", **words_for(app, order))
    begun_s, safe, checked = clock.now_s(), set(), dict.fromkeys(range(APPS), 0)
    while min(checked.values()) < 3:
        check(clock.now_s() - begun_s < ROUND_MAX_S, "some drains do not become safe")
        for drain in order("drains")["drains"]:
            if drain["safe_left_s"] == 0:
                safe.add(int(drain["app"].split(".")[0][1:]))
        for app in range(APPS):
            was_safe = app in safe
            got = {cache.get(app, net) for net in NETS}
            check(not was_safe or "203.0.113.1" not in got, f"{name(app)}: safe, and a cache hands it out: {got}")
            checked[app] += was_safe
    for app in range(APPS):
        order("undrain", site="r1", app=name(app))
    return clock.now_s() - begun_s


def safe_is_safe():
    with Daemon(config([random.randint(1, 9) for _ in range(APPS)]), start=False) as d:
        clock = FastClock(d)
        d.start()
        clock.pace(PACE)
        cache = Cache(d, clock)
        with d.control() as order:
            for n in range(ROUNDS):
                for app in range(APPS):
                    for net in NETS:
                        cache.get(app, net)
                one_round(clock, cache, order)
                if n % 5 == 4:  # other TTLs, with the old ones in caches
                    d.reload(config([random.randint(1, 9) for _ in range(APPS)]))
            equal(order("drains")["drains"], [])


if __name__ == "__main__":
    harness.run(safe_is_safe)
