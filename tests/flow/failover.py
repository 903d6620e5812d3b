"""What moves answers, and how soon: a responder that dies or hangs, drains, forces; and that all of it survives kill
-9."""

import json
import time

import harness
import statefiles
from harness import Daemon, Responder, check, equal, until

ZONE = "edge.example.com"
NAME, OTHER = "app." + ZONE, "other." + ZONE
# On a busy machine a responder must not be taken for a dead one: it is the bound that is tested, which follows.
INTERVAL_S, TIMEOUT_S, RISE, FALL = 0.2 * harness.pace(), 0.2 * harness.pace(), 2, 2
BOUND_S = INTERVAL_S * FALL + TIMEOUT_S + 0.1
NEAR, FAR = "203.0.113.1", "203.0.113.2"
CLIENT = "10.1.2.0/24"


class Bench:
    """Two responders, `near` (preferred by the client) and `far`, and the config that checks them."""

    def __init__(self, kind="http", interval_s=INTERVAL_S, **fields):
        self.near = Responder("127.0.1.1")
        self.far = Responder("127.0.1.2", self.near.port)
        alb = {"type": kind, "port": self.near.port, "interval": f"{int(interval_s * 1000)}ms",
               "timeout": f"{int(TIMEOUT_S * 1000)}ms", "rise": RISE, "fall": FALL, **fields}
        if kind == "http":
            alb.setdefault("path", "/healthz")
        app = {"ttl": "30s", "check": "alb", "targets": {
            "near": {"addresses": [NEAR], "check-address": "127.0.1.1"},
            "far": {"addresses": [FAR], "check-address": "127.0.1.2"}}}
        self.config = {
            "domains": harness.DOMAIN,
            "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
            "checks": {"alb": alb},
            "sites": {"near": {"kind": "wavelength", "location": [40.0, -74.0], "region": "far", "reach": ["one"]},
                      "far": {"kind": "region", "location": [39.0, -77.0]}},
            "apps": {NAME: app, OTHER: app},
        }
        self.files = {"ranges.csv": "prefix,carrier,latitude,longitude\n10.1.0.0/16,one,40.0,-74.0\n"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.near.close()
        self.far.close()

    def daemon(self, **more):
        return Daemon(self.config, self.files, **more)


def answer(daemon, name=NAME):
    return daemon.query(name, ecs=CLIENT).addresses


def moves(daemon, to, within_s, what):
    """Asks without pause until the answer is `to`; the seconds it took. What a busy machine withholds meanwhile from the
    daemon, the responders and who asks is allowed for."""
    return until(lambda: answer(daemon) == [to], within_s * harness.slowness(), what, every_s=0.002,
                 held=harness.Withheld(daemon.process.pid))


def target_dies():
    """Connections refused, no answer, a wrong status, a wrong body: moved within interval x fall + timeout + 100 ms."""
    with Bench(**{"expect-status": [200, "204-299"], "expect-body": "ok"}) as bench, bench.daemon() as d:
        def refuse(): bench.near.down()
        def hang(): bench.near.delay_s = 10 * TIMEOUT_S
        def fail(): bench.near.status = 503
        def wrong(): bench.near.body = b"on fire"
        for break_it in (refuse, hang, fail, wrong):
            equal(answer(d), [NEAR])
            break_it()
            took = moves(d, FAR, BOUND_S, f"{break_it.__name__}: the answer moves")
            print(f"  {break_it.__name__}: moved after {took * 1000:.0f} ms of {BOUND_S * 1000:.0f}")
            if break_it is refuse:
                bench.near.up()
            bench.near.delay_s, bench.near.status, bench.near.body = 0, 200, b"ok"
            took = moves(d, NEAR, INTERVAL_S * RISE + TIMEOUT_S + 0.1 + (TIMEOUT_S if break_it is hang else 0),
                         "comes back")
            check(took > 0.0)
        # A status that is expected is no failure.
        bench.near.status = 250
        time.sleep(INTERVAL_S * (FALL + 1))
        equal(answer(d), [NEAR])


def blip():
    """Fewer failures than `fall` move nothing, but leave a line where they begin and where they end, and are counted."""
    with Bench(fall=4) as bench, bench.daemon() as d:
        for _ in range(2):
            bench.near.status = 500
            time.sleep(INTERVAL_S * 2)
            bench.near.status = 200
            end = time.monotonic() + INTERVAL_S * 3
            while time.monotonic() < end:
                equal(answer(d), [NEAR])
        for app in (NAME, OTHER):
            began = d.log().count(f"health: the check of {app} at near fails, 1 of 4 times until it counts as down: HTTP status "
                                  "500, expected 200-299\n")
            ended = d.log().count(f"health: the check of {app} at near succeeds again after ")
            check(began == ended == 2, began, ended, d.log())
            near = next(t for t in d.ctl_json("apps", app)["apps"][0]["targets"] if t["site"] == "near")["health"]
            check(2 <= near["failures"] <= 6 < near["probes"], near)
            equal((near["streak"], near["up"]), (0, True))
        equal(d.ctl_json("stats")["checks_failing"], 0)
        bench.near.status = 500
        until(lambda: d.ctl_json("stats")["checks_failing"], harness.PATIENCE_S, "a check that fails")


def tcp_check():
    with Bench("tcp") as bench, bench.daemon() as d:
        equal(answer(d), [NEAR])
        bench.near.down()
        moves(d, FAR, BOUND_S, "the answer moves")
        bench.near.up()
        moves(d, NEAR, INTERVAL_S * RISE + TIMEOUT_S + 0.1, "comes back")


def probes_say_who():
    """Path and Host as configured; the app's name when no host is; the interval kept."""
    with Bench(path="/check?x=1", host="alb.internal") as bench, bench.daemon():
        time.sleep(INTERVAL_S * 10)
        hits = bench.near.hits
        equal({(line, host) for _, line, host in hits}, {("GET /check?x=1 HTTP/1.1", "alb.internal")})
        # Two apps probe it.
        check(2 * 6 <= len(hits) <= 2 * 14, f"{len(hits)} probes in ten intervals of two targets")
    with Bench() as bench, bench.daemon():
        until(lambda: len(bench.near.hits) >= 2, harness.PATIENCE_S, "probes")
        equal({host for _, _, host in bench.near.hits}, {NAME, OTHER})


def all_down():
    """Everything reachable is down: fail open, in order."""
    with Bench() as bench, bench.daemon() as d:
        bench.near.status = bench.far.status = 500
        until(lambda: d.query(NAME, ecs=CLIENT).addresses == [NEAR], harness.PATIENCE_S, "near while probes fail")
        time.sleep(BOUND_S)
        equal(answer(d), [NEAR])
        bench.far.status = 200
        # Now far is up again, and near is skipped, unless a limit on simultaneous failures keeps the last good state.
        time.sleep(INTERVAL_S * RISE + TIMEOUT_S)
        check(answer(d) in ([NEAR], [FAR]))


def drains():
    """Acknowledged: the very next query has moved. --app, --for, --reason, undrain, force."""
    with Bench() as bench, bench.daemon() as d:
        took = []
        for _ in range(5):
            d.ctl("drain", "near", "--reason", "maintenance of the rack")
            held, begun = harness.Withheld(d.process.pid), time.monotonic()
            got = answer(d)
            took.append(time.monotonic() - begun - held.s())
            equal(got, [FAR], "first answer after the drain")
            equal(answer(d, OTHER), [FAR])
            d.ctl("undrain", "near")
            equal(answer(d), [NEAR], "first answer after the undrain")
        # The best of five: other tests run on this machine at the same time.
        check(min(took) < 0.01 * harness.slowness(), f"the moved answer took {min(took) * 1000:.1f} ms")
        d.ctl("drain", "near", "--app", NAME)
        equal((answer(d), answer(d, OTHER)), ([FAR], [NEAR]))
        d.ctl("undrain", "near", "--app", NAME)
        equal(answer(d), [NEAR])
        # Of whole seconds: up to one less.
        lasts_s = 1 + harness.pace()
        d.ctl("drain", "near", "--for", f"{lasts_s}s", "--reason", "a new disk")
        equal(answer(d), [FAR])
        took = moves(d, NEAR, lasts_s + 1.5, "the drain runs out")
        check("the drain of near for every app has expired; set by uid " in d.log() and "reason: a new disk" in d.log(),
              "the log does not say which drain has expired")
        check(took > 0.3, f"it ran out after {took:.2f} s")
        d.ctl("force", f"{NAME}/near", "down")
        equal((answer(d), answer(d, OTHER)), ([FAR], [NEAR]))
        d.ctl("force", f"{NAME}/near", "auto")
        equal(answer(d), [NEAR])
        # Forced up takes precedence over the probes.
        d.ctl("force", f"{NAME}/near", "up")
        bench.near.status = 500
        time.sleep(BOUND_S)
        equal((answer(d), answer(d, OTHER)), ([NEAR], [FAR]))
        d.ctl("force", f"{NAME}/near", "auto")
        equal(answer(d), [FAR])
        # A drained site stays drained when all the rest is down.
        d.ctl("drain", "near")
        bench.far.status = 500
        time.sleep(BOUND_S)
        equal(answer(d), [FAR])


def refused_overrides():
    """Unknown names are refused with their own exit code, and change nothing."""
    with Bench() as bench, bench.daemon() as d:
        refused = (("drain", "nowhere"), ("drain", "near", "--app", "nope." + ZONE), ("undrain", "nowhere"),
                   ("undrain", "near", "--app", "nope." + ZONE), ("force", f"{NAME}/nowhere", "down"),
                   ("sites", "nowhere"), ("apps", "nope." + ZONE), ("apps", "--site", "nowhere"))
        wrong = (("drain", "near", "--for", "soon"), ("drain",), ("force", NAME, "down"),
                 ("force", f"{NAME}/near", "sideways"), ("force", f"{NAME}/near"), ("nonsense",), (), ("explain", NAME),
                 ("explain", NAME, "--client", "bad"), ("drain", "near", "--bogus", "1"), ("status", "x"), ("stats", "x"),
                 ("version", "x"), ("reload", "x"))
        nothing = (("undrain", "near"), ("undrain", "near", "--app", NAME), ("force", f"{NAME}/near", "auto"))
        for code, rows in ((1, refused), (2, wrong), (3, nothing)):
            for words in rows:
                done = d.ctl(*words, code=code)
                check(done.err.strip(), "nothing said", words)
        equal(answer(d), [NEAR])
        for words in (("status",), ("sites",), ("apps",), ("explain", NAME, "--client", CLIENT), ("stats",), ("version",),
                      ("reload",), ("drain", "near"), ("drain", "near"), ("undrain", "near"), ("force", f"{NAME}/near", "up"),
                      ("force", f"{NAME}/near", "auto")):
            d.ctl(*words, code=0)
        for words in nothing:
            d.ctl(*words, code=3)
        # What is drained with its whole site has nothing of its own to lift, but is not as it was asked for.
        d.ctl("drain", "near")
        d.ctl("undrain", "near", "--app", NAME, code=1)
        d.write_config("{")
        d.ctl("reload", code=2)


def shown():
    """What the verbs show agrees with what is answered; tables for people too."""
    with Bench() as bench, bench.daemon() as d:
        d.ctl("drain", "near", "--reason", "shown")
        for verb in ("status", "sites", "apps", "stats", "version"):
            done = d.ctl(verb)
            check(isinstance(done.json, dict), verb, done)
            check(d.ctl(verb, as_json=False).out.strip(), verb)
        check("near" in json.dumps(d.ctl_json("sites")) and "shown" in json.dumps(d.ctl_json("status"))
              + json.dumps(d.ctl_json("sites")))
        explained = d.ctl_json("explain", NAME, "--client", "10.1.2.3")
        equal((explained["decision"]["site"], explained["scope"]), ("far", 16))
        equal([row["site"] for row in explained["candidates"]], ["near", "far"])
        check("far" in d.ctl("explain", NAME, "--client", CLIENT, as_json=False).out)
        before = d.ctl_json("stats")["queries"]
        for _ in range(10):
            answer(d)
        equal(d.ctl_json("stats")["queries"] - before, 10)
        far = d.ctl_json("sites", "far")["sites"][0]["answers"]
        check(far >= 10, f"{far} answers held far")
        equal(d.ctl_json("sites", "near")["sites"][0]["answers"], 0)
        far = d.ctl_json("sites", "far")["sites"][0]["answers"]
        d.reload()
        equal(d.ctl_json("sites", "far")["sites"][0]["answers"], far, "a reload takes nothing away")
        answer(d)
        equal(d.ctl_json("sites", "far")["sites"][0]["answers"], far + 1)


def survives_kill():
    """kill -9 at any moment: drains, forces and the last health are there after the start, for the very first
    answer."""
    with Bench() as bench, bench.daemon() as d:
        d.ctl("drain", "near", "--app", OTHER, "--reason", "kept")
        d.ctl("force", f"{NAME}/far", "up")
        d.kill()
        d.start()
        equal((answer(d), answer(d, OTHER)), ([NEAR], [FAR]), "drain after kill -9")
        d.ctl("undrain", "near")
        d.ctl("force", f"{NAME}/far", "auto")
        d.kill()
        d.start()
        equal((answer(d), answer(d, OTHER)), ([NEAR], [NEAR]), "undrain after kill -9")
        # Health: near dies, is remembered (written at most two seconds later), and hangs at the start, so that a
        # first round would have to wait for it.
        bench.near.status = 500
        moves(d, FAR, BOUND_S, "the answer moves")
        time.sleep(2.5)
        def since():
            targets = d.ctl_json("apps", NAME)["apps"][0]["targets"]
            return {target["site"]: target["health"]["since"] for target in targets}
        before = since()
        check(before["near"] and before["far"], before)
        d.kill()
        bench.near.delay_s = 2
        d.start()
        equal(answer(d), [FAR], "first answer after the start")
        equal(since(), before, "since when they are up or down")
        # Many kills in the middle of changes.
        bench.near.delay_s, bench.near.status = 0, 200
        with d.control() as order:
            order("drain", site="near")
        for turn in range(6):
            with d.control() as order:
                for _ in range(turn * 3):
                    order("drain", force=True, site="far", reason="again")
                    order("undrain", site="far")
            d.kill()
            d.start()
            equal(answer(d), [FAR], "drained after kill -9")


def first_round():
    """Without a saved state the first answer already knows what the first round of probes found."""
    with Bench(interval_s=10) as bench:
        bench.near.status = 503
        with bench.daemon() as d:
            equal(answer(d), [FAR], "first answer")
    with Bench(interval_s=10) as bench:
        bench.near.delay_s = 5
        with bench.daemon() as d:
            equal(answer(d), [FAR], "first answer, near hangs")
    # Health saved for one address does not count for another.
    with Bench(interval_s=10) as bench, bench.daemon() as d:
        equal(answer(d), [NEAR])
        d.stop()
        rows = statefiles.run(d.folder / "state", statefiles.HEALTH,
                              "SELECT app, word & 1 FROM health WHERE site = 'near'")
        equal(sorted(rows), [(NAME, 1), (OTHER, 1)], "both are saved as up")
        bench.config["apps"][NAME]["targets"]["near"]["check-address"] = "127.0.1.9"
        d.write_config(bench.config)
        d.start()
        equal(answer(d), [FAR], "first answer, the address is another one")


def gone_while_stopped():
    """The health of a target that was taken away while no daemon ran is not believed when it comes back."""
    with Bench(interval_s=10) as bench, bench.daemon() as d:
        def rows():
            return sorted(statefiles.run(d.folder / "state", statefiles.HEALTH, "SELECT app, site FROM health"))
        both = [(NAME, "far"), (NAME, "near"), (OTHER, "far"), (OTHER, "near")]
        d.stop()
        equal(rows(), both)
        with_near = bench.config["apps"][NAME]
        bench.config["apps"][NAME] = {**with_near, "targets": {"far": with_near["targets"]["far"]}}
        d.write_config(bench.config)
        d.start()
        d.stop()
        equal(rows(), [both[0], *both[2:]])
        bench.config["apps"][NAME] = with_near
        bench.near.status = 503
        d.write_config(bench.config)
        d.start()
        equal(answer(d), [FAR], "first answer, near is probed before it")


def overrides_in_first_round():
    """A drain is accepted while the first round waits for a responder, and holds from the first answer."""
    with Bench(interval_s=10, timeout="3s") as bench:
        bench.far.delay_s = 2
        with bench.daemon(start=False) as d:
            d.start(wait=False)
            until(d.socket_path.exists, harness.PATIENCE_S, "the control socket", every_s=0.005)
            until(lambda: d.ctl("version", code=None).code == 0, harness.PATIENCE_S, "the daemon")
            d.ctl("drain", "near")
            check("waits for the first round" in d.ctl("reload", as_json=False).out, "the reload's words")
            equal(d.ctl_json("status")["serving"], False)
            d.wait_ready()
            equal(answer(d), [FAR], "first answer")


GARBAGE = (b"", b"{", b"\0\xff" * 500, b"[]", b"SQLite format 3\0" + b"\xff" * 4096)


def damaged_state():
    """A damaged state file is set aside and logged, and the daemon serves; the drain holds while one file is intact."""
    with Bench() as bench, bench.daemon() as d:
        folder = d.folder / "state"
        for n, garbage in enumerate(GARBAGE):
            for names, served in (((statefiles.STATE,), FAR), ((statefiles.COPY,), FAR), ((statefiles.HEALTH,), FAR),
                                  (statefiles.BOTH, NEAR)):
                d.ctl("drain", "near")
                equal(answer(d), [FAR])
                d.stop()
                told, aside = d.log().count("damaged"), len(list(folder.glob("*.damaged-*")))
                for name in names:
                    statefiles.garble(folder, name, garbage)
                d.start()
                equal(answer(d), [served], f"first answer, garbage {n} in {names}")
                equal(len(list(folder.glob("*.damaged-*"))), aside + len(names), f"set aside, garbage {n} in {names}")
                check(d.log().count("damaged") > told, "nothing in the log")
                check(all((folder / name).stat().st_size > len(garbage) for name in names), "no new file")


if __name__ == "__main__":
    harness.run(target_dies, blip, tcp_check, probes_say_who, all_down, drains, refused_overrides, shown, survives_kill,
                first_round, gone_while_stopped, overrides_in_first_round, damaged_state)
