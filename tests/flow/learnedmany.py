"""A hundred thousand learned prefixes, as an operator brings them in: what they take of memory, how soon a change of some of them
is answered, and that nobody waits for it."""

import random
import time

import harness
from harness import Daemon, Withheld, check, equal, until
from learned import ADDRESSES, APP, config, site
from memory import Watch, memory_mb

COUNT, BYTES_MAX, CHANGED, ROUNDS = 100_000, 32e6, 100, 20
ANSWERED_S, WAIT_MS = 0.1, 50
CLIENTS = "prefix,carrier,latitude,longitude\n10.0.0.0/7,verizon,42.3,-71.0\n2001:db8::/32,verizon,42.3,-71.0\n"
SITES = ("nyc", "nyc;bos", "region;nyc")
TABLE = "bos"


class Waits(Watch):
    """Without all the time for which the machine held up a thread of the daemon or of this process: the main thread waits for those
    that have a lock."""

    def run(self):
        with self.daemon.control() as order:
            while self.going:
                held, begun = Withheld(self.daemon.process.pid), time.monotonic()
                order("version")
                self.worst_ms = max(self.worst_ms, (time.monotonic() - begun - held.s()) * 1000)
                time.sleep(0.005)


def prefixes():
    """Anywhere in what a carrier has, a tenth of them IPv6, without order: few have a neighbour that says the same."""
    drawn = random.Random(12)
    v4, v6 = (drawn.sample(range(limit), count) for limit, count in ((1 << 17, COUNT * 9 // 10), (1 << 16, COUNT // 10)))
    found = [f"{10 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.0/24" for i in v4] + [f"2001:db8:{i:x}::/48" for i in v6]
    drawn.shuffle(found)
    return found


def answered(d, expected, begun, held):
    """Until all are answered as expected, {prefix: site}, which has to be soon after `begun`. Returns how long it took, without what
    the machine withheld."""
    left = dict(expected)
    while left:
        left = {prefix: name for prefix, name in left.items() if site(d, prefix) != name}
        took_s = time.monotonic() - begun - held.s()
        check(took_s < ANSWERED_S * harness.slowness() or not left, f"{len(left)} of {len(expected)} are not answered after {took_s:.3f} s")
    return max(0, time.monotonic() - begun - held.s())


def changes(d, order, all_):
    """Some are forgotten, one by one, and some are imported anew; returns how long it took until they were answered, at most."""
    drawn, forgot, imported = random.Random(7), [], []
    for number, prefix in enumerate(drawn.sample(all_, ROUNDS)):
        equal(site(d, prefix), SITES[all_.index(prefix) % len(SITES)].split(";")[0], prefix)
        order("learned forget", prefix=prefix)
        forgot.append(answered(d, {prefix: TABLE}, time.monotonic(), Withheld(d.process.pid)))
        # What is newer than what is there counts, by seconds: prefixes are changed once.
        some = all_[number * CHANGED:(number + 1) * CHANGED]
        to = ("region", "nyc")[number % 2]
        rows = [{"prefix": prefix, "sites": [to], "heard": int(time.time())} for prefix in some]
        reply = order("learned import", rows=rows, total=len(rows))
        equal(reply["imported"] + reply["same"], len(some), reply)
        imported.append(answered(d, dict.fromkeys(some, to), time.monotonic(), Withheld(d.process.pid)))
    return max(forgot), max(imported)


def settled(d, before):
    """How much more is resident than before, once what was only needed on the way is given back: octets."""
    def grown():
        return (memory_mb(d.process.pid)[0] - before) * (1 << 20)

    if not harness.sanitizer():  # these have an allocator of their own
        until(lambda: grown() < BYTES_MAX, 20 * harness.slowness(), f"less than {BYTES_MAX / 1e6:.0f} MB more are resident", 0.1)
    return grown()


def many():
    all_ = prefixes()
    text = config({"max": COUNT})
    del text["discovery"]
    with Daemon(text, files={"clients.csv": CLIENTS}, workers=1) as d:
        d.write("in.csv", "prefix,site\n" + "".join(f"{prefix},{SITES[i % len(SITES)]}\n" for i, prefix in enumerate(all_)))
        equal(site(d, all_[0]), TABLE)
        d.ctl("discovery")
        before, _ = memory_mb(d.process.pid)
        with Waits(d) as importing:
            equal(d.ctl_json("learned", "import", str(d.folder / "in.csv"))["imported"], COUNT)
            until(lambda: all(site(d, prefix) == SITES[i % len(SITES)].split(";")[0] for i, prefix in list(enumerate(all_))[-100:]),
                  20 * harness.slowness(), "the last ones are answered")
        with Waits(d) as changing, d.control() as order:
            forgot_s, imported_s = changes(d, order, all_)
        octets, grown = d.ctl_json("discovery")["octets"], settled(d, before)
        print(f"  {COUNT} prefixes: {octets / 1e6:.1f} MB by count, {grown / 1e6:.1f} MB more resident; forgotten within {forgot_s * 1000:.0f} "
              f"ms, {CHANGED} imported within {imported_s * 1000:.0f} ms; a verb waited {importing.worst_ms:.1f} ms while all were imported, "
              f"{changing.worst_ms:.1f} ms while some changed")
        check(octets < BYTES_MAX, f"{octets} octets by count")
        for watch in importing, changing:
            check(watch.worst_ms < WAIT_MS * harness.slowness(), f"a verb waited {watch.worst_ms:.1f} ms")
        d.restart()
        until(lambda: d.ctl_json("discovery")["entries"] == COUNT - ROUNDS, harness.PATIENCE_S, "they are back")
        print(f"  {settled(d, before) / 1e6:.1f} MB more resident after a restart")


if __name__ == "__main__":
    harness.run(many, limit_s=240)
