"""What vantages elsewhere report of targets: whose clients move for whose word, how reports age, what one that lies can do, and
what is held when everything fails at once."""

import json
import re
import time

import harness
from fastclock import FastClock
from harness import Control, Daemon, Responder, check, equal, until
from door import JSON, OPERATE, READ, REPORT, Door, bearer

ZONE = "edge.example.com"
NAME = "app." + ZONE
EDGE, NEAR, FAR = "203.0.113.1", "203.0.113.2", "203.0.113.3"
ONE, TWO, NONE = "10.1.2.0/24", "10.2.2.0/24", "10.3.2.0/24"  # clients of carriers one and two, and of none


def config(quorum=1, **more):
    return {"domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
            "sites": {"edge": {"kind": "wavelength", "location": [40.0, -74.0], "region": "near", "reach": ["one"]},
                      "near": {"kind": "region", "location": [39.0, -77.0]},
                      "far": {"kind": "region", "location": [45.0, -120.0]}},
            "apps": {NAME: {"quorum": quorum, "targets": {"edge": {"addresses": [EDGE]}, "near": {"addresses": [NEAR]},
                                                          "far": {"addresses": [FAR]}}}}, **more}


FILES = {"ranges.csv": "prefix,carrier,latitude,longitude\n10.1.0.0/16,one,40.0,-74.0\n10.2.0.0/16,two,40.0,-74.0\n"
                       "10.3.0.0/16,,40.0,-74.0\n"}


def report(daemon, vantage, site, to, *more, code=0):
    return daemon.ctl("report", f"{NAME}/{site}", to, "--vantage", vantage, *more, code=code)


def answers(daemon):
    return tuple(daemon.query(NAME, ecs=client).addresses[0] for client in (ONE, TWO, NONE))


def soon(daemon, expected, what):
    until(lambda: answers(daemon) == expected, harness.PATIENCE_S, what)


def a_column_of_its_own():
    """A carrier's vantage moves that carrier's clients alone, at its own zone as at a site that everybody reaches; the others'
    word counts again once it is silent."""
    with Daemon(config(), FILES) as daemon:
        equal(answers(daemon), (EDGE, NEAR, NEAR))
        before = daemon.query(NAME, ecs=TWO).scope
        report(daemon, "cell-1", "edge", "down", "--carrier", "ONE")
        soon(daemon, (NEAR, NEAR, NEAR), "its own zone")
        report(daemon, "cell-1", "near", "down", "--carrier", "one", "--ttl", "3s")
        soon(daemon, (FAR, NEAR, NEAR), "a site that others reach too")
        equal(daemon.query(NAME, ecs=TWO).scope, before, "none of one's clients is in its block")
        shown = {t["site"]: t for t in daemon.ctl_json("apps", NAME)["apps"][0]["targets"]}
        equal(shown["near"]["state"], "up")
        equal([(v["vantage"], v["carrier"], v["up"]) for v in shown["near"]["vantages"]], [("cell-1", "one", False)])
        steps = "\n".join(daemon.ctl_json("explain", NAME, "--client", ONE)["steps"])
        check("near is down as vantage cell-1 sees it, for clients of one" in steps, steps)
        report(daemon, "lab", "near", "down")
        soon(daemon, (FAR, FAR, FAR), "the others' word for the others")
        report(daemon, "cell-1", "near", "up", "--carrier", "one", "--ttl", "3s")
        soon(daemon, (NEAR, FAR, FAR), "a carrier's word against the others'")
        daemon.ctl("force", f"{NAME}/near", "up")
        soon(daemon, (NEAR, NEAR, NEAR), "what is forced is forced for all")
        daemon.ctl("force", f"{NAME}/near", "auto")
        soon(daemon, (NEAR, FAR, FAR), "and no longer")
        daemon.reload()
        equal(answers(daemon), (NEAR, FAR, FAR), "a reload keeps what is reported")
        soon(daemon, (FAR, FAR, FAR), "its word has aged out")
        report(daemon, "lab", "near", "up")
        report(daemon, "cell-2", "near", "down", "--carrier", "two")
        soon(daemon, (NEAR, FAR, NEAR), "one block to the table, two carriers")
        check(before < 16, before)
        equal([daemon.query(NAME, ecs=client).scope for client in (TWO, NONE)], [16, 16], "no scope may join their clients")


def one_that_lies():
    """With a quorum of two nobody takes a site down alone, while another is fresh."""
    with Daemon(config(quorum=2), FILES) as daemon:
        report(daemon, "honest", "near", "up", "--ttl", "3s")
        report(daemon, "liar", "near", "down")
        time.sleep(0.3)
        equal(answers(daemon), (EDGE, NEAR, NEAR))
        report(daemon, "second", "near", "down")
        soon(daemon, (EDGE, FAR, FAR), "two say so")
        report(daemon, "second", "near", "up", "--ttl", "2s")
        soon(daemon, (EDGE, NEAR, NEAR), "one of them has come to its senses")
        soon(daemon, (EDGE, FAR, FAR), "the others are silent: all that are fresh say so")


def wrong_clocks():
    """An hour off, either way: told, and bounded."""
    with Daemon(config(), FILES) as daemon:
        now = int(time.time())
        refused = report(daemon, "slow", "near", "down", "--observed-at", str(now - 3600), code=1)
        check(re.search(r"\b360\d s ago", (refused.json or {}).get("error", refused.err)), refused)  # and what that took
        equal(answers(daemon), (EDGE, NEAR, NEAR))
        ahead = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3600))
        reply = report(daemon, "fast", "near", "down", "--observed-at", ahead, "--ttl", "2s").json
        check(3590 <= reply["skew_s"] <= 3601, reply)
        soon(daemon, (EDGE, FAR, FAR), "it counts as seen now")
        soon(daemon, (EDGE, NEAR, NEAR), "and not for an hour longer")
        check("its clock, or ours, is wrong" in daemon.log(), daemon.log())
        report(daemon, "fast", "near", "down", "--observed-at", str(now - 3600), code=1)
        fast, = daemon.ctl_json("vantages")["vantages"]  # of the other, nothing has been taken
        check((fast["name"], fast["reports"], fast["stale"]) == ("fast", 1, 1) and fast["skew_s"] < -3590, fast)
        for wrong in ("yesterday", "-1", "1e400", "2026-13-01T00:00:00Z"):
            report(daemon, "x", "near", "down", f"--observed-at={wrong}", code=2)
        report(daemon, "x y", "near", "down", code=2)
        report(daemon, "x", "near", "down", "--ttl", "2h", code=2)
        report(daemon, "x", "nowhere", "down", code=1)
        report(daemon, "x", "near", "sideways", code=2)
        equal([v["name"] for v in daemon.ctl_json("vantages")["vantages"]], ["fast"], "what is refused leaves nothing")


def unknown_carriers():
    """A report for clients of a carrier that nobody has is refused, as one of an unknown site is; one that only a source has is
    taken."""
    with Daemon(config(), FILES) as daemon:
        for carrier, said in (("nosuch", "no carrier 'nosuch': neither a site nor a source of places has it"),
                              ("onne", "did you mean 'one'?")):
            refused = report(daemon, "cell", "near", "down", "--carrier", carrier, code=1)
            check(said in refused.json["error"], refused)
        equal(daemon.ctl_json("vantages")["vantages"], [])
        report(daemon, "cell", "near", "down", "--carrier", "two")
        report(daemon, "cell", "edge", "down", "--carrier", "One")
        equal(sorted(v["carrier"] for v in daemon.ctl_json("vantages")["vantages"]), ["one", "two"])


def over_http():
    """Batches, by who may report."""
    with Door() as door:
        site = {"app": NAME, "site": "us-east-1", "up": False}
        batch = {"vantage": "agent-7", "ttl": "1m", "reports": [site, {**site, "site": "us-west-2", "up": True},
                                                                {**site, "app": "no.such.app"}]}
        body = json.dumps(batch)
        for token, status in ((READ, 403), ("wrong-token-0123456", 401), (None, 401), (REPORT, 200)):
            got, reply = door("/v1/health", "POST", {**JSON, **(bearer(token) if token else {})}, body)
            equal(got, status, reply)
        equal((reply["taken"], reply["stale"], reply["unknown"], reply["unknown_first"]), (2, 0, 1, ["no.such.app/us-east-1"]))
        until(lambda: door.daemon.query(NAME).addresses == ["203.0.113.2"], harness.PATIENCE_S, "it counts")
        equal(door("/v1/drain", "POST", {**JSON, **bearer(REPORT)}, json.dumps({"site": "us-east-1"}))[0], 403)
        for wrong in ({**batch, "reports": []}, {**batch, "reports": [site] * 1001}, {**batch, "vantage": ""},
                      {**batch, "vantage": "a/b"}, {**batch, "reports": [{"app": NAME}]}, {**batch, "reports": "all"},
                      {**batch, "ttl": "1ms"}, {**batch, "observed_at": "soon"}, {**batch, "observed_at": -5}):
            got, reply = door("/v1/health", "POST", {**JSON, **bearer(REPORT)}, json.dumps(wrong))
            equal((got, reply["ok"]), (400, False), wrong, reply)
        metrics = door("/metrics")[1]
        check('edgesteer_reports_total 2' in metrics and 'edgesteer_http_denied_total{reason="scope"} 2' in metrics, metrics)


# ---- the brake ------------------------------------------------------------------------------------------------------

INTERVAL_S = 0.3 * harness.pace()


class Outage:
    """Four targets at two sites under one region, and one elsewhere, each app's check at a responder of its site."""

    def __init__(self, brake_max="1m"):
        self.sites = {"a": Responder("127.0.1.1")}
        port = self.sites["a"].port
        self.sites.update({"b": Responder("127.0.1.2", port), "c": Responder("127.0.1.3", port)})
        check_ = {"type": "http", "port": port, "interval": f"{int(INTERVAL_S * 1000)}ms", "rise": 1, "fall": 2}
        targets = {s: {"addresses": [f"203.0.113.{i + 1}"], "check-address": f"127.0.1.{i + 1}"}
                   for i, s in enumerate(self.sites)}
        self.daemon = Daemon({
            "domains": harness.DOMAIN, "checks": {"c": check_}, "health": {"brake-max": brake_max},
            "sites": {"a": {"kind": "az", "region": "r"}, "b": {"kind": "az", "region": "r"}, "c": {"kind": "region"}},
            "apps": {**{f"{name}.{ZONE}": {"check": "c", "targets": targets} for name in ("app", "other")},
                     f"unwatched.{ZONE}": {"targets": {s: {"addresses": ["203.0.113.9"]} for s in self.sites}}}})

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.daemon.__exit__(*why)
        for site in self.sites.values():
            site.close()

    def fail(self, *sites):
        for site in sites:
            self.sites[site].down()

    def held(self):
        return self.daemon.ctl_json("status")["targets_held"]

    def answer(self):
        return self.daemon.query(NAME).addresses

    def is_held(self):
        until(lambda: self.held() == 4, harness.PATIENCE_S, "the brake holds")
        until(lambda: self.answer() == ["203.0.113.1"], harness.PATIENCE_S, "as it was")
        line = self.daemon.ctl("check", code=1, as_json=False).out
        check("the brake holds 4 targets" in line, line)
        check("BRAKE" in self.daemon.ctl("status", as_json=False).out)
        check("everything in the region r has failed at once" in self.daemon.log(), self.daemon.log())


def released_by_an_operator():
    with Outage() as outage:
        outage.daemon.ctl("brake", "release", code=3)
        outage.fail("a", "b")
        outage.is_held()
        outage.daemon.reload()
        equal(outage.held(), 4, "a reload holds on")
        outage.daemon.ctl("brake", "release")
        until(lambda: outage.answer() == ["203.0.113.3"], harness.PATIENCE_S, "it moves")
        equal(outage.held(), 0)


def released_by_time():
    with Outage("2s") as outage:
        began = time.monotonic()
        outage.fail("a", "b")
        outage.is_held()
        until(lambda: outage.answer() == ["203.0.113.3"], harness.PATIENCE_S, "it moves")
        check(time.monotonic() - began >= 2, "too soon")
        check("no longer holds the region r: after `brake-max`" in outage.daemon.log(), outage.daemon.log())


def released_by_a_second_vantage():
    with Outage() as outage:
        outage.fail("a", "b")
        outage.is_held()
        for app in ("app", "other"):
            for site in "ab":
                outage.daemon.ctl("report", f"{app}.{ZONE}/{site}", "down", "--vantage", "lab")
        until(lambda: outage.answer() == ["203.0.113.3"], harness.PATIENCE_S, "it moves")
        until(lambda: "a second vantage says" in outage.daemon.log(), harness.PATIENCE_S, "it is told")


def seen_by_two():
    """A real outage that two vantages see moves as soon as the checks have failed."""
    with Outage() as outage:
        began = time.monotonic()
        outage.fail("a", "b")
        for app in ("app", "other"):
            for site in "ab":
                outage.daemon.ctl("report", f"{app}.{ZONE}/{site}", "down", "--vantage", "lab")
        bound_s = INTERVAL_S * 2 + 1 * harness.pace()
        until(lambda: outage.answer() == ["203.0.113.3"], bound_s + 5, "it moves")
        took_s = time.monotonic() - began
        check(took_s <= bound_s, f"{took_s:.2f} s, more than {bound_s:.2f}")
        time.sleep(INTERVAL_S * 3)
        equal((outage.answer(), outage.held()), (["203.0.113.3"], 0))


FLAP_S, HOUR_S = 3, 3600


def an_hour_of_flapping():
    """A target that flaps every 3 s for an hour, by a clock that goes when it is told to, moves its clients nine times at most."""
    daemon = Daemon(config(), FILES, start=False)
    clock = FastClock(daemon)
    with daemon:
        daemon.start()
        moves, before = 0, answers(daemon)[1]
        with Control(daemon.socket_path) as control:
            def target():
                return control("apps", app=NAME)["apps"][0]["targets"][1]

            def is_settled():
                believed = up and "damped_for_s" not in target()
                return daemon.query(NAME, ecs=TWO).addresses == [NEAR if believed else FAR]

            for turn in range(HOUR_S // FLAP_S):
                up = turn % 2 == 1
                control("report", app=NAME, site="near", to="up" if up else "down", vantage="lab", ttl="10m")
                until(is_settled, harness.PATIENCE_S, "what is believed is answered", 0.001)
                now = daemon.query(NAME, ecs=TWO).addresses[0]
                moves += now != before
                before = now
                clock.jump(FLAP_S)
            print(f"  {moves} moves in {turn + 1} turns")
            check(3 <= moves <= 9, moves)
            equal((before, target()["vantages"][0]["up"]), (FAR, True), "it is not believed")
            check(target()["damped_for_s"] > 0 and target()["penalty"] >= 1500, target())
            control("report", app=NAME, site="near", to="up", vantage="lab", ttl="1h")
            clock.jump(target()["damped_for_s"] - 5)
            equal(answers(daemon)[1], FAR)
            clock.jump(6)
        until(lambda: answers(daemon)[1] == NEAR, harness.PATIENCE_S, "it is still, and gets its clients back")


def panic():
    """With too few targets up, health is ignored."""
    apps = {NAME: {"panic": "50%", "targets": {"edge": {"addresses": [EDGE]}, "near": {"addresses": [NEAR]},
                                               "far": {"addresses": [FAR]}}}}
    with Daemon({**config(), "apps": apps}, FILES) as daemon:
        report(daemon, "lab", "edge", "down", "--ttl", "1m")
        soon(daemon, (NEAR, NEAR, NEAR), "one of three")
        report(daemon, "lab", "near", "down", "--ttl", "4s")
        soon(daemon, (EDGE, NEAR, NEAR), "two of three: panic")
        equal(daemon.ctl_json("status")["targets_panicking"], 3)
        daemon.ctl("force", f"{NAME}/near", "down")
        soon(daemon, (EDGE, FAR, FAR), "what is forced down is down")
        daemon.ctl("force", f"{NAME}/near", "auto")
        soon(daemon, (NEAR, NEAR, NEAR), "the panic is over")


def slow_start():
    """A target that is up again takes its clients little by little."""
    with Daemon({**config(), "apps": {NAME: {**config()["apps"][NAME], "slow-start": "1h"}}}, FILES) as daemon:
        report(daemon, "lab", "near", "down")
        soon(daemon, (EDGE, FAR, FAR), "down")
        report(daemon, "lab", "near", "up")
        until(lambda: daemon.ctl_json("apps", NAME)["apps"][0]["targets"][1].get("slow_start") in (5, 4), harness.PATIENCE_S, "it starts")
        clients = [f"10.2.{i}.0/24" for i in range(250)]
        back = sum(daemon.query(NAME, ecs=client).addresses == [NEAR] for client in clients)
        check(1 <= back <= 35, f"{back} of 250, expected about 13")


if __name__ == "__main__":
    harness.run(a_column_of_its_own, one_that_lies, wrong_clocks, unknown_carriers, over_http, released_by_an_operator, released_by_time,
                released_by_a_second_vantage, seen_by_two, an_hour_of_flapping, panic, slow_start, limit_s=150)
