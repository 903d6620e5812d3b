"""From weighted records to edgesteer: a share of an app's clients is steered, the others get any target in their reach by weight. The
share grows and shrinks without that a client moves twice, by option and by `edgesteerctl adopt`, through reloads and kill -9."""

import json
import socket

import harness
import wire
from fastclock import FastClock
from harness import Daemon, check, equal, until
from ramps import pass_until

NAME, OTHER = "app.edge.example.com", "other.edge.example.com"
NEAR, FAR, ZONE = "203.0.113.1", "203.0.113.2", "155.146.1.1"
CLIENTS = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(12_000)] + [f"2001:db8:{n:x}::/48" for n in range(8_000)]
RANGES = "prefix,carrier,latitude,longitude\n10.0.0.0/8,,50,0\n2001:db8::/32,,50,0\n172.16.0.0/12,one,50,0\n"
OVER_S, POINTS = 3600, 0.02
RELOAD_AT, KILL_AT = 3, 6  # tenths


def config(adopt=None, **more):
    """Who is steered gets the near site, who is not the far one but for a 65,536th. The zone is nearest of all, for carrier one."""
    weights = {"near": 1, "far": 65535, "zone": 1}
    targets = {site: {"addresses": [address], "weight": weights[site]}
               for site, address in (("near", NEAR), ("far", FAR), ("zone", ZONE))}
    app = {"targets": targets, **({"adopt": adopt} if adopt else {})}
    return {"server": {"workers": 1}, "domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
            "sites": {"near": {"kind": "region", "location": [50, 1]}, "far": {"kind": "region", "location": [38, -77]},
                      "zone": {"kind": "wavelength", "reach": ["one"], "location": [50, 0]}},
            "apps": {NAME: app, OTHER: {"targets": {"near": {"addresses": [NEAR]}}}}, **more}


class Crowd:
    """All clients, and which of them are steered."""

    def __init__(self, daemon, steered):
        self.daemon = daemon
        self.queries = [wire.query(NAME, additional=[wire.opt(wire.ecs(client))]) for client in CLIENTS]
        self.steered = [steered] * len(CLIENTS)

    def look(self):
        """The share that is steered, and how many have come to that and gone from it since the last look."""
        replies = self.daemon.ask(self.queries)
        near, far = ([socket.inet_aton(address) in reply for reply in replies] for address in (NEAR, FAR))
        equal(sum(near) + sum(far), len(replies), "every client gets one of those in its reach")
        came = sum(now > before for now, before in zip(near, self.steered))
        went = sum(now < before for now, before in zip(near, self.steered))
        self.steered = near
        return sum(near) / len(near), came, went


def steered(d):
    return d.ctl_json("apps", NAME)["apps"][0]["adopt"]


def walk(daemon, clock, crowd, begun_s, is_up):
    for tenth in range(1, 11):
        pass_until(clock, begun_s + tenth * OVER_S / 10)
        reloading = daemon.start_ctl("reload") if tenth == RELOAD_AT else None
        if tenth == KILL_AT:
            daemon.kill()
            daemon.start()
        before_s = clock.now_s()
        share, came, went = crowd.look()
        plans = [min(1, (at_s - begun_s) / OVER_S) for at_s in (before_s, clock.now_s())]
        done = share if is_up else 1 - share
        print(f"  {'up' if is_up else 'down'}, {tenth}/10: {100 * share:.2f} % are steered")
        check(plans[0] - POINTS <= done <= plans[1] + POINTS, done, plans)
        equal(went if is_up else came, 0, "clients that moved twice")
        if reloading:
            equal(reloading.wait(harness.PATIENCE_S), 0, reloading.communicate())


def up_and_down():
    with Daemon(config("0%"), {"ranges.csv": RANGES}, start=False) as d:
        clock = FastClock(d)
        d.start()
        clock.pace(1)
        crowd = Crowd(d, False)
        share, _, went = crowd.look()
        check(share < 0.001 and went == 0, share, went)
        begun_s = clock.now_s()
        told = d.ctl_json("adopt", NAME, "100", "--over", f"{OVER_S}s", "--reason", "step 3", "--by", "Bob")
        equal([told[key] for key in ("to", "phase", "over_s", "reason", "by", "replaced")], [100, "moving", OVER_S, "step 3", "Bob", None])
        walk(d, clock, crowd, begun_s, True)
        until(lambda: d.ctl_json("drains")["adoptions"][0]["phase"] == "holding", harness.PATIENCE_S, "it is whole")
        equal(crowd.look()[0], 1)
        begun_s = clock.now_s()
        d.ctl("adopt", NAME, "0%", "--over", f"{OVER_S}s")
        walk(d, clock, crowd, begun_s, False)
        until(lambda: d.ctl_json("drains")["adoptions"][0]["phase"] == "holding", harness.PATIENCE_S, "it is over")
        check(crowd.look()[0] < 0.001)


def turns_round():
    """Another percent in the middle of a ramp goes on from where that has come to."""
    with Daemon(config(), {"ranges.csv": RANGES}, start=False) as d:
        clock = FastClock(d)
        d.start()
        clock.pace(1)
        d.ctl("adopt", NAME, "0", "--over", "1000s")
        pass_until(clock, clock.now_s() + 600)
        crowd = Crowd(d, True)
        before = crowd.look()[0]
        check(0.3 < before < 0.5, before)
        told = d.ctl_json("adopt", NAME, "100", "--over", "1000s")
        check(abs(told["whence"] - 100 * before) < 3, told, before)
        share, _, went = crowd.look()
        check(before - 0.001 <= share < before + POINTS and went < len(CLIENTS) / 500, share, before, went)


def option_and_override():
    """Without a word of an operator the config's holds, and it holds again after that. Both survive kill -9."""
    def written(adopt=None):
        return config(adopt, guard="100%")

    with Daemon(written("10%"), {"ranges.csv": RANGES}) as d:
        crowd = Crowd(d, False)
        share, _, _ = crowd.look()
        check(abs(share - 0.1) < POINTS, share)
        equal(steered(d), {"percent": 10.0, "config": 10.0, "override": None})
        check("10 % of the clients are steered, by the config" in d.ctl("apps", as_json=False).out)

        d.ctl("adopt", NAME, "30", "--reason", "as planned")
        share, _, went = crowd.look()
        check(abs(share - 0.3) < POINTS and went == 0, share, went)
        d.kill()
        d.start()
        equal(crowd.look()[1:], (0, 0), "a restart moves nobody")
        now = steered(d)
        equal((now["percent"], now["config"], now["override"]["to"], now["override"]["reason"]), (30, 10, 30, "as planned"))
        shown = d.ctl("drains", as_json=False).out
        check(NAME in shown and "30 %" in shown and "as planned" in shown and "nothing is drained" in shown, shown)
        check("as planned" in d.ctl("status", as_json=False).out)

        d.reload(written("50%"))
        equal(crowd.look()[1:], (0, 0), "the override holds over the config's")
        was = crowd.steered
        told = d.ctl_json("adopt", NAME, "--end")
        equal((told["percent"], told["ended"]["to"]), (50, 30))
        share, _, went = crowd.look()
        check(abs(share - 0.5) < POINTS and went == 0, share, went)
        equal(d.ctl("adopt", NAME, "--end", code=3).code, 3)
        ended = d.ctl_json("drains", "--ended")["ended"]
        equal([(one["kind"], one["app"], one["to"], one["how"], one["reason"]) for one in ended],
              [("adopt", NAME, 30, ended[0]["how"], "as planned")])
        check("adopt 30 %" in d.ctl("drains", "--ended", as_json=False).out)

        d.reload(written())
        equal(steered(d), None)
        equal(crowd.look()[0], 1)
        check(sum(was) < len(was))


def explained():
    """In which half a client is, and why; the other half keeps to its reach."""
    with Daemon(config("40%"), {"ranges.csv": RANGES}) as d:
        halves = {True: 0, False: 0}
        for n in range(60):
            client = f"10.{n}.7.0/24"
            told = d.ctl_json("explain", NAME, "--client", client)
            adopt, site = told["adopt"], told["decision"]["site"]
            halves[adopt["steered"]] += 1
            equal((adopt["client"], adopt["percent"], told["scope"]), (client, 40, 24))
            equal(adopt["steered"], adopt["client_from"] <= 40, adopt)
            equal(site, "near" if adopt["steered"] else "far")
            equal(d.query(NAME, ecs=client).addresses, [NEAR if adopt["steered"] else FAR])
            line = next(step for step in told["steps"] if step.startswith("adopt: 10."))
            of = "is one of these" if adopt["steered"] else "is none of these"
            check(f"{of}, as it is one from {adopt['client_from']:.2f} % on: it gets " in line, line)
        check(all(halves.values()), halves)
        # Raised just to the client's own number, the client is steered; just below it is not.
        adopt = next(a for a in (d.ctl_json("explain", NAME, "--client", f"10.{n}.7.0/24")["adopt"] for n in range(60))
                     if not a["steered"])
        d.ctl("adopt", NAME, f"{adopt['client_from'] + 0.02:.2f}")
        check(d.ctl_json("explain", NAME, "--client", adopt["client"])["adopt"]["steered"])
        d.ctl("adopt", NAME, f"{adopt['client_from'] - 0.02:.2f}")
        check(not d.ctl_json("explain", NAME, "--client", adopt["client"])["adopt"]["steered"])
        # A zone of one carrier is answered to nobody else, drained or down sites to nobody.
        d.ctl("drain", "far")
        d.ctl("adopt", NAME, "0")
        for n in range(60):
            equal(d.query(NAME, ecs=f"10.{n}.7.0/24").addresses, [NEAR])
        d.ctl("force", f"{NAME}/near", "down")
        got = {d.query(NAME, ecs=f"172.16.{n}.0/24").addresses[0] for n in range(20)}
        equal(got, {ZONE})
        equal(d.query(NAME, ecs="10.0.7.0/24").addresses, [NEAR], "fail-open ignores health, not drains nor reach")


def refused():
    """Wrong, missing, huge and hostile arguments change nothing."""
    with Daemon(config("10%"), {"ranges.csv": RANGES}) as d:
        d.ctl("adopt", NAME, "20")
        was = d.ctl_json("drains")
        del was["now"]
        for words in ([NAME], [NAME, "101"], [NAME, "-1"], [NAME, "x"], [NAME, "1e9"], [NAME, "nan"], [NAME, "%"], [NAME, "9" * 4000],
                      [NAME, "10", "--over", "0s"], [NAME, "10", "--over", "8d"], [NAME, "10", "--over", "soon"], [NAME, "10", "20"],
                      [NAME, "10", "--end"], [NAME, "--end", "--over", "1h"], [NAME, "10", "--reason", "r" * 256], [],
                      [NAME, "10", "--site", "near"], [NAME, "\x1b[2J"], [NAME, "10%%"]):
            done = d.ctl("adopt", *words, code=2, as_json=False)
            check(done.err and "\x1b" not in done.err, words, done)
        for app in ("nowhere.edge.example.com", "x" * 4000, "../../etc", "\x1b[2J"):
            check(d.ctl("adopt", app, "10", code=1, as_json=False).err, app)
        with d.control() as control:
            for fields in ({"app": NAME, "percent": 10}, {"app": NAME, "percent": "10", "end": True}, {"app": [], "percent": "10"},
                           {"app": NAME, "percent": "10", "over": 5}, {"percent": "10"}, {"app": NAME, "percent": "10", "to": "x"}):
                check(not control("adopt", ok=False, **fields)["ok"], fields)
        now = d.ctl_json("drains")
        del now["now"]
        equal(now, was)
        # An app that a reload takes away keeps its row, is told of, and can be let go.
        d.ctl("adopt", OTHER, "5")
        less = config("10%")
        del less["apps"][OTHER]
        d.reload(less)
        adoption = next(one for one in d.ctl_json("drains")["adoptions"] if one["app"] == OTHER)
        equal(adoption["no_effect"], "no such app")
        d.ctl("adopt", OTHER, "--end")
        equal([one["app"] for one in d.ctl_json("drains")["adoptions"]], [NAME])


def checked():
    """What another `adopt` in the config would change is shown by reload --check, and not where an operator has said so."""
    with Daemon(config("0%", server={"workers": 1, "watch": "off"}, guard="100%"), {"ranges.csv": RANGES}) as d:
        crowd = Crowd(d, False)
        crowd.look()
        until(lambda: (d.ctl_json("reload", "--check")["effect"] or {}).get("queries", 0) > 0, harness.PATIENCE_S, "a sample", every_s=0.5)
        d.write_config(config("50%", server={"workers": 1, "watch": "off"}, guard="100%"))
        effect = d.ctl_json("reload", "--check")["effect"]
        check(0.3 < effect["moved"] / effect["queries"] < 0.7, json.dumps(effect))
        equal([(move["from"], move["to"]) for move in effect["moves"]], [("far", "near")])
        d.ctl("adopt", NAME, "0")
        equal(d.ctl_json("reload", "--check")["effect"]["moved"], 0)


if __name__ == "__main__":
    harness.run(option_and_override, explained, refused, checked, turns_round, up_and_down, limit_s=400)
