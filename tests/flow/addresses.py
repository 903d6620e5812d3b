"""A target with several addresses: each is probed on its own, and answered while it is up."""

import harness
import statefiles
from harness import Daemon, Responder, check, equal, until

ZONE = "edge.example.com"
NAME = "app." + ZONE
INTERVAL_S, TIMEOUT_S, RISE, FALL = 0.2 * harness.pace(), 0.2 * harness.pace(), 1, 2
MOVED_S = 10 * harness.PATIENCE_S
ALL = ["127.0.1.1", "127.0.1.2", "127.0.1.3"]
FAR = "203.0.113.2"


class Bench:
    """A responder at each of the addresses of `near`, which is preferred, and `far` without a check."""

    def __init__(self, near=None, interval_s=INTERVAL_S):
        first = Responder(ALL[0])
        self.responders = {ALL[0]: first, **{address: Responder(address, first.port) for address in ALL[1:]}}
        self.config = {
            "domains": harness.DOMAIN,
            "checks": {"alb": {"type": "http", "port": first.port, "path": "/healthz", "rise": RISE, "fall": FALL,
                               "interval": f"{int(interval_s * 1000)}ms", "timeout": f"{int(TIMEOUT_S * 1000)}ms"}},
            "sites": {"near": {"kind": "region", "location": [40.0, -74.0]},
                      "far": {"kind": "region", "location": [10.0, 20.0]}},
            "apps": {NAME: {"ttl": "30s", "targets": {
                "near": {"check": "alb", **(near or {"addresses": ALL})},
                "far": {"check": "none", "addresses": [FAR]}}}},
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for responder in self.responders.values():
            responder.close()

    def daemon(self, **more):
        return Daemon(self.config, **more)

    def near(self):
        return self.config["apps"][NAME]["targets"]["near"]


def answer(daemon):
    """The addresses of an answer, which is never empty."""
    reply = daemon.query(NAME)
    check(reply.rcode == 0 and reply.addresses, "an empty answer", reply)
    return sorted(reply.addresses)


def moves(daemon, to, what):
    return until(lambda: answer(daemon) == sorted(to), MOVED_S, what, every_s=0.002)


def health(daemon, site="near"):
    targets = daemon.ctl_json("apps", NAME)["apps"][0]["targets"]
    return next(target for target in targets if target["site"] == site)


def states(daemon):
    return {one["address"]: one["up"] for one in health(daemon)["health"]["addresses"]}


def one_dies():
    """It leaves the answer, and comes back; when all are dead, the target is down."""
    with Bench() as bench, bench.daemon() as d:
        equal(answer(d), ALL)
        bench.responders[ALL[1]].down()
        moves(d, [ALL[0], ALL[2]], "one dies")
        equal(states(d), {ALL[0]: True, ALL[1]: False, ALL[2]: True})
        equal(health(d)["state"], "up")
        equal(health(d)["addresses"], ALL)
        stats = d.ctl_json("stats")
        equal((stats["addresses_probed"], stats["addresses_down"]), (3, 1))
        check(f"health: {NAME} at near ({ALL[1]}) is down: " in d.log() and "; 2 of 3 addresses are up" in d.log(), d.log())
        out = d.ctl("apps", NAME, as_json=False).out
        check(f"2 of 3 addresses up; {ALL[1]}: " in out, out)
        steps = "\n".join(d.ctl_json("explain", NAME, "--client", "192.0.2.1")["steps"])
        check(f"address: {ALL[1]} is down and left out: " in steps and f"address: {ALL[0]} is up: " in steps, steps)

        bench.responders[ALL[0]].down()
        moves(d, [ALL[2]], "another one dies")
        bench.responders[ALL[2]].down()
        moves(d, [FAR], "all are dead")
        equal(health(d)["state"], "down")
        check(f"health: {NAME} at near is down: none of its addresses is up" in d.log(), d.log())
        bench.responders[ALL[0]].up()
        moves(d, [ALL[0]], "one is back")
        for address in ALL[1:]:
            bench.responders[address].up()
        moves(d, ALL, "all are back")
        equal(d.ctl_json("stats")["addresses_down"], 0)


def fails_open():
    """With nothing else left, all addresses are answered."""
    with Bench() as bench:
        del bench.config["apps"][NAME]["targets"]["far"]
        with bench.daemon() as d:
            for address in ALL:
                bench.responders[address].down()
            until(lambda: health(d)["state"] == "down", MOVED_S, "the target is down")
            equal(answer(d), ALL)


def restarts():
    """What is saved is saved for each address."""
    with Bench(interval_s=20) as bench, bench.daemon() as d:
        d.stop()
        bench.responders[ALL[2]].down()
        bench.config["checks"]["alb"]["interval"] = f"{int(INTERVAL_S * 1000)}ms"
        d.write_config(bench.config)
        d.start()
        moves(d, ALL[:2], "one is dead")
        d.stop()
        rows = statefiles.run(d.folder / "state", statefiles.HEALTH, "SELECT word & 1 FROM health")
        equal(sorted(rows), [(0,), (1,), (1,)])
        bench.responders[ALL[2]].up()
        for address in ALL: # silent from now on: what is answered is what was saved
            bench.responders[address].delay_s = 100
        bench.config["checks"]["alb"].update({"interval": "60s", "timeout": "30s"})
        d.write_config(bench.config)
        d.start()
        equal(answer(d), ALL[:2])
        equal(states(d), {ALL[0]: True, ALL[1]: True, ALL[2]: False})
        # An address that is gone is forgotten, and with it what is saved of it.
        bench.near()["addresses"] = ALL[1:]
        d.reload(bench.config)
        equal(answer(d), [ALL[1]])
        equal(states(d), {ALL[1]: True, ALL[2]: False})
        d.stop()
        equal(len(statefiles.run(d.folder / "state", statefiles.HEALTH, "SELECT word FROM health")), 2)


def check_addresses():
    """With a list of check addresses the target stands or falls as a whole."""
    own = ["198.51.100.1", "198.51.100.2"]
    with Bench({"addresses": own, "check-address": ALL[:2]}) as bench, bench.daemon() as d:
        equal(answer(d), own)
        bench.responders[ALL[0]].down()
        until(lambda: states(d) == {ALL[0]: False, ALL[1]: True}, MOVED_S, "one check address is down")
        equal(answer(d), own)
        equal(health(d)["addresses"], own)
        steps = "\n".join(d.ctl_json("explain", NAME, "--client", "192.0.2.1")["steps"])
        check(f"check address: {ALL[0]} is down: " in steps, steps)
        bench.responders[ALL[1]].down()
        moves(d, [FAR], "both are down")
        bench.responders[ALL[0]].up()
        moves(d, own, "one is back")


def reloads():
    """A reload that changes one address keeps the others' states; the new one has the target's until it is judged."""
    with Bench({"addresses": ALL[:2]}) as bench, bench.daemon() as d:
        bench.responders[ALL[1]].down()
        moves(d, [ALL[0]], "one is dead")
        probes = {one["address"]: one["probes"] for one in health(d)["health"]["addresses"]}
        bench.responders[ALL[2]].delay_s = 2 * TIMEOUT_S # not judged at once
        bench.near()["addresses"] = [ALL[2], ALL[1], ALL[0]]
        d.reload(bench.config)
        equal(answer(d), [ALL[0], ALL[2]])
        now = {one["address"]: one for one in health(d)["health"]["addresses"]}
        equal(list(now), [ALL[2], ALL[1], ALL[0]])
        check(now[ALL[0]]["up"] and now[ALL[0]]["probes"] >= probes[ALL[0]] and not now[ALL[1]]["up"], now)
        moves(d, [ALL[0]], "the new one is judged")
        bench.responders[ALL[2]].delay_s = 0
        bench.responders[ALL[1]].up()
        moves(d, ALL, "all are up")
        bench.near()["addresses"] = ALL[1:]
        for _ in range(3):
            d.reload(bench.config)
            equal(answer(d), ALL[1:])


if __name__ == "__main__":
    harness.run(one_dies, fails_open, restarts, check_addresses, reloads)
