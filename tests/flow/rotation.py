"""Targets by host name over a long time, which passes faster for the daemon: addresses that rotate at each TTL for ten
minutes, then a name server that is away for more than an hour. NSD is the name server, in true time."""

import contextlib
import os
import time

import harness
from aliases import APP, BOS, CLIENT, NAMES, RANGES, USE1, ZONE, NameServer, config, targets
from busy import Withheld
from fastclock import FastClock
from harness import Daemon, check, equal

# In seconds of the daemon's. An ALB's addresses have a TTL of a minute; those of the carrier's have one below the floor.
PACE, STEP_S, MINUTES, REGION_EVERY, REGION_TTL_S = 20, 5, 10, 9, 45
FLOOR_S, RETRY_S, RETRY_MAX_S, JITTER, STALE_TTL_S = 5, 5, 300, 1.1, 30
MAX_AGE_S, SAVE_PAUSE_S = 3600, 60
# What the daemon may need for a look-up and its turn of the loop: 25 ms of true time.
SLACK_S = 0.025 * PACE
OUTSIDE = "155.146.48.9"  # of another zone's block
APPS = {APP: {"ttl": "60s", "targets": {BOS: {"alias": f"bos.{ZONE}"}, USE1: {"alias": f"lb.{ZONE}"}}}}


def carrier_addresses(step):
    """One to three, which no other step has."""
    return sorted(f"155.146.{step // 64}.{step % 64 * 4 + i}" for i in range(1 + step % 3))


def names(step):
    region = step // REGION_EVERY
    return {"bos": "bos-1", "bos-1": carrier_addresses(step) + ([OUTSIDE] if step % 7 == 0 else []),
            f"lb {REGION_TTL_S}": [f"203.0.113.{region + 1}", f"2001:db8::{region + 1:x}"]}


class Followed:
    """What one client is answered with while it changes: at each step other addresses."""

    def __init__(self, daemon, clock, held, client, kind, ttl_s, addresses):
        self.daemon, self.clock, self.held, self.client, self.kind, self.ttl_s = daemon, clock, held, client, kind, ttl_s
        self.steps, self.addresses, self.superseded, self.oldest_s, self.seen = {}, addresses, {}, 0, set()

    def served(self, step):
        """The name server has the addresses of this step, and none of those before."""
        self.steps[tuple(self.addresses(step))] = step
        for before in self.steps.values():
            if before < step:
                self.superseded.setdefault(before, (self.clock.now_s(), self.held.s()))

    def ask(self):
        asked_s = self.clock.now_s()
        reply = self.daemon.query(APP, self.kind, ecs=self.client)
        step = self.steps.get(tuple(reply.addresses))
        check(step is not None, self.kind, "for", self.client, "was never to be answered:", reply.addresses)
        check(reply.answer[0].ttl <= max(self.ttl_s, FLOOR_S), "TTL", reply.answer[0].ttl)
        self.seen.add(step)
        if step in self.superseded:
            since_s, held_s = self.superseded[step]
            most_s = max(self.ttl_s, FLOOR_S) * JITTER + RETRY_S * JITTER + SLACK_S
            self.oldest_s = max(self.oldest_s, asked_s - since_s)
            check(asked_s - since_s < most_s + (self.held.s() - held_s) * PACE,
                  f"{self.kind} for {self.client}: {reply.addresses} were answered {asked_s - since_s:.1f} s after the name "
                  f"server had others, {most_s:.1f} s at most")


def processes(server):
    """Those of the name server. The one that answers is replaced when a zone has changed."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
            if bytes(server.folder / "nsd.conf") in file.read():
                found.add(int(name))
    return found


def rotate(daemon, clock, server):
    held = Withheld(daemon.process.pid)
    carrier = Followed(daemon, clock, held, CLIENT, "A", 3, carrier_addresses)
    region = [Followed(daemon, clock, held, "10.99.0.1/32", kind, REGION_TTL_S, addresses) for kind, addresses in
              (("A", lambda step: [names(step)[f"lb {REGION_TTL_S}"][0]]),
               ("AAAA", lambda step: [names(step)[f"lb {REGION_TTL_S}"][1]]))]
    everything = [carrier, *region]
    for followed in everything:
        followed.steps[tuple(followed.addresses(0))] = 0
    step, begun_s, answers, is_served = 0, clock.now_s(), 0, True
    while clock.now_s() < begun_s + MINUTES * 60:
        if is_served and clock.now_s() >= begun_s + (step + 1) * STEP_S:
            step, is_served = step + 1, False
            for followed in everything:  # from now on they may be answered
                followed.steps.setdefault(tuple(followed.addresses(step)), step)
            old = processes(server)
            server.change(names(step))
        # Until it has ended, the old process may still answer.
        if not is_served and server.is_current() and processes(server) != old and len(processes(server)) == len(old):
            is_served = True
            for followed in everything:
                followed.served(step)
        for followed in everything:
            followed.ask()
            answers += 1
        time.sleep(0.002)
    print(f"  {step} steps; {answers} answers, of {len(carrier.seen)} steps; the oldest {carrier.oldest_s:.1f} and "
          f"{max(one.oldest_s for one in region):.1f} s")
    check(len(carrier.seen) > step * 2 / 3 and len(region[0].seen) > step / REGION_EVERY * 2 / 3 and step > 60,
          "too few rotations were seen")
    check(f"the address {OUTSIDE} of bos.{ZONE} is refused" in daemon.log())


def answer(daemon, client=CLIENT, kind="A"):
    return daemon.query(APP, kind, ecs=client).addresses


def check_last_good(daemon, clock, held, good, failed_s, older_s=0):
    """What the name server had last is answered, for a short time, and its age is told. `older_s`: how much too old it may
    be taken for."""
    for client, kind, addresses in good:
        reply = daemon.query(APP, kind, ecs=client)
        equal(reply.addresses, addresses)
        check(reply.answer[0].ttl <= STALE_TTL_S, "TTL", reply.answer[0].ttl)
    equal(daemon.query(APP, "A", ecs="10.99.0.1/32").answer[0].ttl, STALE_TTL_S)
    for site, ttl_s in ((BOS, FLOOR_S), (USE1, REGION_TTL_S)):
        before_s = clock.now_s() - failed_s
        target = targets(daemon, site)
        check(target["stale"], target)
        most_s = clock.now_s() - failed_s + ttl_s * JITTER + SLACK_S + 1 + older_s + held.s() * PACE
        check(before_s - 1 <= target["age_s"] <= most_s, f"{before_s:.1f} to {most_s:.1f} s old:", target)


def lose_for_an_hour(daemon, clock, server):
    last = names(MINUTES * 60 // STEP_S + 1)
    server.change(last)
    good = [(CLIENT, "A", [address for address in last["bos-1"] if address != OUTSIDE]),
            ("10.99.0.1/32", "A", last[f"lb {REGION_TTL_S}"][:1]), ("10.99.0.1/32", "AAAA", last[f"lb {REGION_TTL_S}"][1:])]
    held = Withheld(daemon.process.pid)
    clock.until(lambda: all(answer(daemon, client, kind) == addresses for client, kind, addresses in good),
                (REGION_TTL_S + RETRY_S) * JITTER + SLACK_S, "the last addresses", held)
    server.stop()
    failed_s = clock.now_s()
    clock.until(lambda: targets(daemon, BOS)["stale"] and targets(daemon, USE1)["stale"],
                (REGION_TTL_S + RETRY_S) * JITTER + SLACK_S, "stale", held)
    check_last_good(daemon, clock, held, good, failed_s)
    # After half an hour, and a restart.
    clock.pace(20 * PACE)
    clock.until(lambda: clock.now_s() - failed_s > MAX_AGE_S / 2, MAX_AGE_S, "half an hour")
    clock.pace(PACE)
    check_last_good(daemon, clock, held, good, failed_s)
    equal(daemon.log().count("`alias-max-age`"), 0)
    # While addresses stay, when they were last confirmed is saved once a minute.
    daemon.restart()
    check_last_good(daemon, clock, held, good, failed_s, SAVE_PAUSE_S)
    # After the hour.
    clock.pace(20 * PACE)
    clock.until(lambda: daemon.log().count("longer than `alias-max-age`") == 2, MAX_AGE_S, "warnings that they are old")
    clock.pace(PACE)
    check(clock.now_s() - failed_s >= MAX_AGE_S - REGION_TTL_S * JITTER - SAVE_PAUSE_S, "warned after", clock.now_s() - failed_s)
    check_last_good(daemon, clock, held, good, failed_s, SAVE_PAUSE_S)
    stats = daemon.ctl_json("stats")
    equal((stats["aliases_stale"], stats["aliases_empty"]), (2, 0))
    check(stats["alias_age"] >= MAX_AGE_S, stats)


def come_back(daemon, clock, server):
    """Within the retry time, which the daemon tells."""
    server.write(NAMES)
    server.start()
    clock.pace(5 * PACE)
    held = Withheld(daemon.process.pid)
    for site, client, addresses in ((BOS, CLIENT, ["155.146.0.10", "155.146.0.11"]), (USE1, "10.99.0.1/32", ["203.0.113.10"])):
        next_s = targets(daemon, site)["next_s"]
        check(next_s <= RETRY_MAX_S * JITTER + 1, "the next look-up is in", next_s)
        clock.until(lambda: answer(daemon, client) == addresses, next_s + 5 * SLACK_S + 1, "fresh ones", held)
        check(not targets(daemon, site)["stale"])
    check("is resolved again" in daemon.log())


def ten_minutes_and_an_hour():
    with Daemon({"domains": harness.DOMAIN}, {"ranges.csv": RANGES}, start=False) as daemon:
        clock = FastClock(daemon)
        server = NameServer(daemon.folder, names(0))
        try:
            written = config(server, APPS)
            written["resolver"]["timeout"] = "10s"  # half a second, or a tenth, of true time
            daemon.write_config(written)
            daemon.start()
            clock.pace(PACE)
            rotate(daemon, clock, server)
            lose_for_an_hour(daemon, clock, server)
            come_back(daemon, clock, server)
        finally:
            if server.process.poll() is None:
                server.stop()


if __name__ == "__main__":
    harness.run(ten_minutes_and_an_hour, limit_s=120)
