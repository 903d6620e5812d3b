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


def by_load():
    """A ceiling of a figure that is pushed: over it clients go, in time and not before caches show it; they come back below it, and
    when nobody pushes any more. What is no figure, or not awaited, is refused."""
    more = config()
    more["sites"]["w1"]["load-ceiling"] = 80
    more["apps"][NAME]["ttl"] = "1s"
    more["apps"][NAME]["targets"]["w2"]["load-ceiling"] = 10
    with Daemon(more, {"ranges.csv": RANGES}) as d:
        got = {"load_ceiling": 80, "load": None, "load_age_s": None, "load_share": 1}
        equal({key: site(d, "w1")[key] for key in got}, got)
        for words, code, said in ((("r1", "5"), 1, "has no `load-ceiling`"), (("nowhere", "5"), 1, "no site"),
                                  (("w1", "-5"), 2, ""), (("w1", "nan"), 2, "expected a number"), (("w1", "1e3"), 2, "expected a number"),
                                  (("w1", "9" * 400), 2, "expected a number"), (("w1", "5", "--ttl", "2h"), 2, "from 1s to 1h"),
                                  (("w1", "5", "--app", "x"), 1, "no app"), ((f"{NAME}/w1", "5"), 1, "has no `load-ceiling`"),
                                  (("w1",), 2, "needs SITE FIGURE")):
            done = d.ctl("load", *words, code=code)
            check(said in done.err, words, done)
        equal(site(d, "w1")["load"], None, "nothing has changed")
        shown = d.ctl("load", "w1", "60", as_json=False).out
        equal(shown, "w1: 60 of 80 load\n")
        with Asking(d, 100) as asking:
            def push(figure, until_share, what):
                def pushed():
                    d.ctl("load", "w1", str(figure))
                    return until_share(site(d, "w1")["load_share"])
                until(pushed, harness.PATIENCE_S, what, 0.1)

            push(60, lambda share: share == 1, "below it nothing happens")
            begun = time.monotonic()
            push(100, lambda share: share < 0.5, "above it, clients go")
            check(time.monotonic() - begun > 1, "the TTL is waited for between two changes")
            until(lambda: asking.count("w2") > 0.3 * CLIENTS, harness.PATIENCE_S, "to the next one")
            check("takes " in d.ctl("sites", as_json=False).out)
            with d.control() as control:
                equal(control("load", site="w2", app=NAME, load=30.5)["load"], 30.5)
            until(lambda: asking.count("r1") > 0, harness.PATIENCE_S, "a target's own, too")
            target = next(row for row in d.ctl_json("apps", NAME)["apps"][0]["targets"] if row["site"] == "w2")
            check(target["load"] == 30.5 and target["load_share"] < 1, target)
            push(20, lambda share: share == 1, "they come back")
            push(100, lambda share: share < 0.7, "and go again")
            # A reload keeps it; a figure that is not pushed again counts no more.
            before = site(d, "w1")["load_share"]
            d.ctl("load", "w1", "76", "--ttl", "2s")
            d.reload()
            check(site(d, "w1")["load_share"] < 1, before)
            until(lambda: site(d, "w1")["load"] is None, harness.PATIENCE_S, "it ages out")
            until(lambda: site(d, "w1")["load_share"] == 1, harness.PATIENCE_S, "all are back")
            check("the load of w1 is not pushed any more" in d.log())


if __name__ == "__main__":
    harness.run(spills, two, by_load, limit_s=240)
