"""Sites with a ceiling: what is above it spills to the next in reach, always the same clients, and comes back."""

import threading
import time

import harness
from harness import Daemon, check, equal, until

NAME = "app.edge.example.com"
ADDRESSES = {"w1": "155.146.1.1", "w2": "155.146.1.2", "r1": "203.0.113.1"}
RANGES = "prefix,carrier,latitude,longitude\n10.0.0.0/8,one,50,0\n"
CLIENTS = 256
TARGET_CEILING, SITE_CEILING = 40, 60


def config(**ceilings):
    sites = {"w1": {"kind": "wavelength", "reach": ["one"], "location": [50, 0]},
             "w2": {"kind": "wavelength", "reach": ["one"], "location": [50, 2]},
             "r1": {"kind": "region", "location": [38, -77]}}
    for site, ceiling in ceilings.items():
        sites[site]["ceiling"] = ceiling
    return {
        "domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}], "sites": sites,
        "apps": {NAME: {"targets": {site: {"addresses": [address]} for site, address in ADDRESSES.items()}}},
    }


class Asking:
    """Clients that ask in turn, so many a second; who got what last."""

    def __init__(self, daemon, rate):
        self.daemon, self.rate, self.got, self.moves, self.ends = daemon, rate, {}, 0, False
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends = True
        self.thread.join()

    def run(self):
        begun, asked = time.monotonic(), 0
        while not self.ends:
            if asked > (time.monotonic() - begun) * self.rate:
                time.sleep(0.002)
                continue
            client = asked % CLIENTS
            reply = self.daemon.query(NAME, ecs=f"10.1.{client}.0/24")
            site = next(name for name, address in ADDRESSES.items() if reply.addresses == [address])
            self.moves += self.got.get(client, site) != site
            self.got[client] = site
            asked += 1

    def count(self, site):
        return sum(got == site for got in list(self.got.values()))


def site(d, name):
    return next(one for one in d.ctl_json("sites")["sites"] if one["name"] == name)


def spills():
    with Daemon(config(w1=TARGET_CEILING), {"ranges.csv": RANGES}) as d:
        equal(site(d, "w1")["share"], 1)
        check("ceiling" not in site(d, "w2"), "none")
        scope = d.query(NAME, ecs="10.1.1.0/24").scope
        check(scope < 24, scope)
        with Asking(d, 200) as asking:
            until(lambda: site(d, "w1")["share"] < 0.35, harness.PATIENCE_S, "it spills")
            until(lambda: 0.1 * CLIENTS < asking.count("w1") < 0.35 * CLIENTS, harness.PATIENCE_S, "who stays")
            equal(asking.count("r1"), 0)  # the next in reach takes the rest
            equal(d.query(NAME, ecs="10.1.1.0/24").scope, 24)  # a hash decides
            text = d.ctl_json("explain", NAME, "--client", "10.1.1.0/24")
            check(any("takes " in step and "% of its clients" in step for step in text["steps"]), text["steps"])
            # Across a reload, that stays as it is.
            before = site(d, "w1")["share"]
            d.ctl_json("reload")
            check(site(d, "w1")["share"] < 0.4, before, site(d, "w1"))
            # With the rest drained, everybody gets it all the same.
            d.ctl_json("drain", "w2")
            d.ctl_json("drain", "--force", "r1")
            until(lambda: asking.count("w1") == CLIENTS, harness.PATIENCE_S, "nobody else")
            d.ctl_json("undrain", "w2")
            until(lambda: asking.count("w1") < 0.35 * CLIENTS, harness.PATIENCE_S, "spills again")
        # The demand is over: all come back.
        until(lambda: site(d, "w1")["share"] == 1, harness.PATIENCE_S, "all")
        until(lambda: d.query(NAME, ecs="10.1.1.0/24").scope == scope, harness.PATIENCE_S, "as before")


def two():
    """The next one has a ceiling too: what is above both goes on."""
    with Daemon(config(w1=TARGET_CEILING, w2=SITE_CEILING), {"ranges.csv": RANGES}) as d, Asking(d, 250) as asking:
        until(lambda: site(d, "w1")["share"] < 0.3 and asking.count("r1") > 0.3 * CLIENTS, harness.PATIENCE_S, "both spill")
        until(lambda: 0.05 * CLIENTS < asking.count("w2") < 0.5 * CLIENTS, harness.PATIENCE_S, "some at the second")
        check(asking.count("w1") > 0, "some at the first")


if __name__ == "__main__":
    harness.run(spills, two, limit_s=240)
