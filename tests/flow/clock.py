"""A drain ends by the wall clock, also when that clock is set: an hour forward, as after a suspend, or back."""

import struct
import time

import harness
import statefiles
from harness import Daemon, Skip, check, equal, until

ZONE = "edge.example.com"
NAME = "app." + ZONE
FIRST, SECOND = "203.0.113.1", "203.0.113.2"
CONFIG = {
    "domains": harness.DOMAIN,
    "sites": {"r1": {"kind": "region", "location": [40.0, -74.0]}, "r2": {"kind": "region", "location": [41.0, -75.0]}},
    "apps": {NAME: {"targets": {"r1": {"addresses": [FIRST]}, "r2": {"addresses": [SECOND]}}}},
}


class Clock:
    """The daemon's wall clock."""

    def __init__(self, daemon):
        if harness.sanitizer():
            raise Skip("a sanitizer's library has to come first")
        self.path = daemon.folder / "ahead"
        self.ahead(0)
        daemon.env = {"LD_PRELOAD": harness.library("wallclock", daemon.folder), "WALLCLOCK_FILE": str(self.path)}

    def ahead(self, seconds):
        # In place: the daemon has it mapped.
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("q", seconds))


def drained(daemon):
    return [site["drained"] is not None for site in daemon.ctl_json("sites")["sites"] if site["name"] == "r1"] == [True]


def clock_is_set():
    with Daemon(CONFIG, start=False) as d:
        clock = Clock(d)
        d.start()
        equal(d.query(NAME).addresses, [FIRST])
        d.ctl("drain", "r1", "--for", "10m")
        equal((d.query(NAME).addresses, drained(d)), ([SECOND], True))
        clock.ahead(-3600)
        time.sleep(1.5)
        equal((d.query(NAME).addresses, drained(d)), ([SECOND], True), "an hour back")
        clock.ahead(3600)
        until(lambda: d.query(NAME).addresses == [FIRST], 3 * harness.pace(), "the drain ends with its time")
        check(not drained(d) and d.ctl_json("status")["drain_count"] == 0)
        check("has expired" in d.log(), d.log())


def over_a_time():
    """A drain over a time goes on by its own clock: one that is set moves nobody back. One that starts later starts when its
    time has come, however that has come."""

    def moved():
        return d.ctl_json("drains")["drains"][0]["moved"]

    with Daemon(CONFIG, start=False) as d:
        clock = Clock(d)
        d.start()
        d.ctl("drain", "r1", "--over", "12s")
        last = 0
        for ahead in (-3600, 3600, 0, -3600):
            clock.ahead(ahead)
            time.sleep(1)
            check(last < moved() < 1, f"{last}, then {moved()}")
            last = moved()
        until(lambda: moved() == 1, 12 * harness.pace(), "it ends when it was to end")
        until(lambda: d.query(NAME).addresses == [SECOND], 3 * harness.pace(), "all clients have gone")
        d.ctl("undrain", "r1")
        clock.ahead(0)
        d.ctl("drain", "r1", "--at", f"@{int(time.time()) + 1800}")
        clock.ahead(-3600)
        time.sleep(1.5)
        equal(d.query(NAME).addresses, [FIRST])
        clock.ahead(3600)
        until(lambda: d.query(NAME).addresses == [SECOND], 3 * harness.pace(), "its time has come")
        clock.ahead(-3600)
        time.sleep(1.5)
        equal(d.query(NAME).addresses, [SECOND], "it has begun")
        left_s = d.ctl_json("drains")["drains"][0]["safe_left_s"]
        check(left_s <= 30 + 3, left_s)  # the TTL, and what safe.c adds


def once_more():
    """A drain over a time that had taken all clients, and is not that far any more as the clock was set back while nobody was there:
    it takes them all once more."""

    def row():
        return d.ctl_json("drains")["drains"][0]

    with Daemon(CONFIG, start=False) as d:
        clock = Clock(d)
        d.start()
        d.ctl("drain", "r1", "--over", "1000s")
        d.kill()
        clock.ahead(1500)
        d.start()
        equal((row()["phase"], row()["moved"]), ("drained", 1))
        until(lambda: statefiles.provided(d, "/safe"), harness.PATIENCE_S, "when it is safe is written")
        d.kill()
        clock.ahead(1000 - 15 * harness.pace())
        d.start()
        now = row()
        check(now["phase"] == "draining" and 0.8 < now["moved"] < 1, now)
        until(lambda: row()["phase"] == "drained", harness.PATIENCE_S * harness.pace(), "it has taken all")
        equal([target["state"] for target in d.ctl_json("apps")["apps"][0]["targets"] if target["site"] == "r1"], ["drained"])
        left_s = row()["safe_left_s"]
        check(0 < left_s <= 33, left_s)  # answers from before the start count, since then they have had the short TTL


def ends_as_it_began():
    """One over a time that comes to its end gives its clients back over the same time, by its own clock too: not at once,
    wherever the wall clock is set, also after a kill -9, and it is over when the time is."""

    def row():
        return next(iter(d.ctl_json("drains")["drains"]), {"phase": "over", "moved": 0})

    with Daemon(CONFIG, start=False) as d:
        clock = Clock(d)
        d.start()
        d.ctl("drain", "r1", "--over", "10s", "--for", "30m", "--reason", "new disk")
        until(lambda: row()["moved"] >= 0.4, harness.PATIENCE_S, "some have gone")
        most = row()["moved"]
        clock.ahead(1801)
        until(lambda: row()["phase"] == "returning", 3 * harness.pace(), "its time is up")
        last = row()["moved"]
        check(0 < last <= most + 0.3, most, last)
        until(lambda: d.ctl_json("status")["volatile_count"] == 0, harness.PATIENCE_S, "that is saved")
        for ahead in (5401, -1799):
            clock.ahead(ahead)
            time.sleep(1)
            now = row()
            check(now["phase"] == "returning" and 0 < now["moved"] < last, now, last)
            last = now["moved"]
        clock.ahead(1801)
        d.kill()
        d.start()
        check(row()["phase"] in ("returning", "over") and row()["moved"] < last, row())
        clock.ahead(-3600)
        until(lambda: row()["phase"] == "over", 12 * harness.pace(), "it is over")
        equal(d.query(NAME).addresses, [FIRST])
        equal([(was["reason"], was["how"], was["ended_who"]) for was in d.ctl_json("drains", "--ended")["ended"]],
              [("new disk", "ran out", None)])
        check("has come to its end, and gives its clients back" in d.log() and "has given all clients back" in d.log(), d.log())
        # One that ended while nobody was there is where it would be.
        clock.ahead(0)
        d.ctl("drain", "r1", "--over", "1000s", "--for", "1000s")
        d.kill()
        clock.ahead(1500)
        d.start()
        until(lambda: row()["phase"] == "returning", harness.PATIENCE_S, "it has turned")
        check(0.4 < row()["moved"] <= 0.5, row())
        d.ctl("undrain", "r1")
        equal((row()["phase"], d.query(NAME).addresses), ("over", [FIRST]))


def adopted():
    """A share that was given by a clock that has been set back before a restart holds all the same, as it does without the restart."""
    with Daemon(CONFIG, start=False) as d:
        clock = Clock(d)

        def answers():
            return [d.query(NAME, ecs=f"10.0.{n}.0/24").addresses for n in range(40)]

        d.start()
        clock.ahead(3600)
        equal(answers(), [[FIRST]] * 40)
        d.ctl("adopt", NAME, "0")
        was = answers()
        check([FIRST] in was and [SECOND] in was, was)
        clock.ahead(0)
        equal(answers(), was)
        d.kill()
        d.start()
        equal(answers(), was, "an hour before it was given")


def what_is_learned():
    """Nothing that was learned or measured is older, or fresher, for a clock that is set, a month forward and back. All that is
    kept is kept by the clock as it is now, and serves on after a start by another."""
    day_s = 86400
    more = {"learned": {"agree": 1, "max-stale": "7d"}, "observe": {"hosts": 1}}

    def observe(prefix, **sites):
        d.write("lines", "".join(f"{prefix}{i} {site} {ms} a\n" for site, ms in sites.items() for i in range(1, 8)))
        d.ctl("observe", str(d.folder / "lines"))
        learns(prefix)

    def learns(prefix):
        until(lambda: d.query(NAME, ecs=f"{prefix}0/24").addresses == [SECOND], 10 * harness.pace(), f"{prefix} is learned")

    def kept():
        """When the rows say that each was heard last."""
        return [int(text.split("\t")[13]) for text in statefiles.provided(d, "/learned").values()]

    def until_kept(count, ahead):
        until(lambda: len(kept()) == count and all(abs(heard - time.time() - ahead) < 600 for heard in kept()), 10 * harness.pace(),
              f"all are kept by a clock that is {ahead} s ahead")

    def entries():
        return d.ctl_json("learned")["learned"]

    with Daemon(CONFIG | more, start=False) as d:
        clock = Clock(d)
        d.start()
        observe("10.0.1.", r1=40, r2=20)
        for number, ahead in enumerate((day_s, 30 * day_s, 0, -30 * day_s, 0), 2):
            clock.ahead(ahead)
            until_kept(number - 1, ahead)  # after a look at what is too old
            observe(f"10.0.{number}.", r1=40, r2=20)
            learns("10.0.1.")
            equal({entry["state"] for entry in entries()}, {"fresh"})
            heard = [entry["heard"] for entry in entries()]  # told by the clock as it is
            check(len(heard) == number and all(abs(one - time.time() - ahead) < 600 for one in heard), heard)
            equal([one["samples"] for one in d.ctl_json("explain", NAME, "--client", "10.0.1.7")["observed"]], [7, 7])
        equal(d.ctl_json("discovery")["expired"], 0)
        for before, after in ((day_s, 0), (0, day_s)):
            clock.ahead(before)
            until_kept(6, before)
            d.stop()
            clock.ahead(after)
            d.start()
            equal((len(entries()), {entry["state"] for entry in entries()}), (6, {"stale"}))
            learns("10.0.6.")


def many_begin():
    """Of very many drains that begin at once some are looked at again, one after another, while others are heard."""
    sites = {f"s{n}": {"kind": "region"} for n in range(10)}
    apps = {f"large{n}.{ZONE}": {"targets": {site: {"addresses": [f"10.{n >> 8}.{n & 255}.{number + 1}"]}
                                             for number, site in enumerate(sites)}} for n in range(3000)}
    alone = {f"alone{n}.{ZONE}": {"targets": {"s0": {"addresses": [f"10.16.{n >> 8}.{n & 255}"]}}} for n in range(300)}
    with Daemon({"domains": harness.DOMAIN, "sites": sites, "apps": apps | alone}, folder=harness.memory_folder(), start=False) as d:
        clock = Clock(d)
        d.start()
        with d.control() as order:
            begins_s = int(time.time()) + 3600
            for app in alone:
                order("drain", site="s0", app=app, at=f"@{begins_s}", force=True)
            clock.ahead(3601)
            longest_s = 0
            while "more drains have begun" not in d.log():
                began = time.monotonic()
                order("version")
                longest_s = max(longest_s, time.monotonic() - began)
                time.sleep(0.01)
        print(f"  a verb waited {longest_s:.3f} s at most")
        check(longest_s < 0.4 * harness.pace(), f"a verb waited {longest_s:.3f} s")
        equal((d.log().count("begins, by force: it leaves clients with nothing"), d.log().count(" begins; set by ")), (100, len(alone)))
        check("200 more drains have begun at the same time, and were not looked at again" in d.log(), d.log()[-500:])


if __name__ == "__main__":
    harness.run(clock_is_set, over_a_time, once_more, ends_as_it_began, adopted, what_is_learned, many_begin)
