"""A drain over an hour and its way back, as 100,000 clients see them by a clock that goes faster: at every tenth the part that has
moved is the plan's within two points, and no client moves twice, though a reload and a kill -9 fall into it."""

import socket

import harness
import wire
from fastclock import NOTICE_NS, FastClock
from harness import Daemon, check, equal, until

NAME = "app.edge.example.com"
FIRST, SECOND = "203.0.113.1", "203.0.113.2"
CONFIG = {"server": {"workers": 1}, "domains": harness.DOMAIN, "sites": {"r1": {"kind": "region"}, "r2": {"kind": "region"}},
          "apps": {NAME: {"targets": {"r1": {"addresses": [FIRST]}, "r2": {"addresses": [SECOND]}}}}}
V4_CLIENTS, V6_CLIENTS = 60_000, 40_000
OVER_S, PACE, POINTS = 3600, 300, 0.02
RELOAD_AT, KILL_AT = 3, 6  # tenths


def clients():
    yield from (f"10.{n >> 8}.{n & 255}.0/24" for n in range(V4_CLIENTS))
    yield from (f"2001:db8:{n:x}::/48" for n in range(V6_CLIENTS))


class Crowd:
    """All clients, and which of them the first site has."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.queries = [wire.query(NAME, additional=[wire.opt(wire.ecs(client))]) for client in clients()]
        self.here = [True] * len(self.queries)

    def look(self):
        """The part that the first site has, and how many have come to it and gone from it since the last look."""
        first, second = (socket.inet_aton(address) for address in (FIRST, SECOND))
        replies = self.daemon.ask(self.queries)
        here = [first in reply for reply in replies]
        equal(sum(second in reply for reply in replies) + sum(here), len(here), "every client gets one of the two")
        came = sum(now > before for now, before in zip(here, self.here))
        went = sum(now < before for now, before in zip(here, self.here))
        self.here = here
        return sum(here) / len(here), came, went


def pass_until(clock, time_s):
    """Time passes until then, but for the change of pace's notice."""
    clock.pace(PACE)
    clock.until(lambda: clock.now_s() >= time_s - PACE * NOTICE_NS / 1e9, 2 * OVER_S, "time passes")
    clock.pace(1)


def walk(daemon, clock, crowd, begun_s, is_out):
    """Along the ramp, in one direction."""
    for tenth in range(1, 11):
        pass_until(clock, begun_s + tenth * OVER_S / 10)
        reloading = daemon.start_ctl("reload") if tenth == RELOAD_AT else None
        if tenth == KILL_AT:
            daemon.kill()
            daemon.start()
        before_s = clock.now_s()
        share, came, went = crowd.look()
        plans = [min(1, (at_s - begun_s) / OVER_S) for at_s in (before_s, clock.now_s())]
        check(abs(plans[0] - tenth / 10) < POINTS, plans, tenth)  # by about the clock's own notice
        moved = 1 - share if is_out else share
        print(f"  {'out' if is_out else 'back'}, {tenth}/10: {100 * moved:.2f} % have moved, {100 * plans[0]:.2f} % are to")
        check(plans[0] - POINTS <= moved <= plans[1] + POINTS, moved, plans)
        equal(came if is_out else went, 0, "clients that moved twice")
        if reloading:
            equal(reloading.wait(harness.PATIENCE_S), 0, reloading.communicate())


def out_and_back():
    with Daemon(CONFIG, start=False) as d:
        clock = FastClock(d)
        d.start()
        clock.pace(1)
        crowd = Crowd(d)
        equal(crowd.look(), (1, 0, 0))
        begun_s = clock.now_s()
        d.ctl("drain", "r1", "--over", f"{OVER_S}s")
        walk(d, clock, crowd, begun_s, True)
        until(lambda: d.ctl_json("drains")["drains"][0]["phase"] == "drained", harness.PATIENCE_S, "it is whole")
        equal(crowd.look()[:2], (0, 0))
        begun_s = clock.now_s()
        d.ctl("undrain", "r1", "--over", f"{OVER_S}s")
        walk(d, clock, crowd, begun_s, False)
        until(lambda: not d.ctl_json("drains")["drains"], harness.PATIENCE_S, "it is over")
        share, _, went = crowd.look()  # the last of them may have been asked about before the end
        equal((share, went), (1, 0))


if __name__ == "__main__":
    harness.run(out_and_back, limit_s=400)
