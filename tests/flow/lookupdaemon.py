"""A daemon with programs that look clients up and are killed, never answer, answer after their end, or for others: nothing
stalls, nothing wrong is learned, and what was learned before serves on."""

import os
import signal
import time

import harness
import learned
from harness import Daemon, check, equal, until
from learned import APP, learns, site, stays
from lookups import HEAD

GOOD = """
for q in questions():
    say(id=q["id"], sites=["nyc"])
"""
# Only of clients of 10.10.1.0/24; the others wait forever.
FIRST_ONLY = """
for q in questions():
    if q["address"].startswith("10.10.1."):
        say(id=q["id"], sites=["nyc"])
"""


# A class of its own for every client, but for those of 10.10.1.0/24.
INVENTS = """
n = 0
for q in questions():
    if q["address"].startswith("10.10.1."):
        say(id=q["id"], sites=["nyc"])
    else:
        n += 1
        say(id=q["id"], sites=["region"], **{"class": f"made-up-{n}"})
"""


class Programmed(Daemon):
    """`text`: the program's."""

    def __init__(self, text, **more):
        config = learned.config({"agree": 1, "tries": 1})
        config["server"] = {}
        self.with_service = {**config, "discovery": [{
            "plugin": "exec", "carriers": ["verizon"], "rate": 50, "concurrency": 20, "timeout": "500ms",
            "env": {"PYTHONUNBUFFERED": "1"}, "command": ["program"], **more}]}
        self.without = config = {**self.with_service}
        del config["discovery"]
        super().__init__(self.without, files={"clients.csv": learned.CLIENTS}, start=False)
        self.path = self.folder / "program"
        self.with_service["discovery"][0]["command"] = [str(self.path)]
        self.give(text)
        self.write_config(self.with_service)
        self.start()

    def give(self, text):
        """Another program in its place, for the next start of it."""
        python = f"#!{os.path.realpath('/proc/self/exe')}"
        new = self.write("program.new", HEAD.replace("#!/usr/bin/env python3", python) + text)
        new.chmod(0o700)
        new.replace(self.path)

    def pids(self):
        found = []
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as line:
                    words = line.read().split(b"\0")
            except OSError:
                continue
            if str(self.path).encode() in words[1:]:
                found.append(int(entry))
        return found

    def service(self):
        return self.ctl_json("discovery")["services"][0]

    def rows(self):
        return {row["prefix"]: row["sites"] for row in self.ctl_json("learned")["learned"]}


def ask_about(d, clients):
    """They are asked for until each is asked about."""
    def noted():
        for client in clients:
            d.query(APP, ecs=client)
        return d.service()["in_flight"] >= len(clients)

    until(noted, 10 * harness.slowness(), "they are asked about", 0.02)


def test_killed():
    with Programmed(FIRST_ONLY, timeout="10s") as d:
        learns(d, "10.10.1.0/24", "nyc")
        waiting = [f"10.10.{i}.0/24" for i in range(2, 12)]
        ask_about(d, waiting)
        d.give(GOOD)
        for pid in d.pids():
            os.kill(pid, signal.SIGKILL)
        stays(d, "10.10.1.0/24", "nyc", 0.5)
        for client in waiting:
            learns(d, client, "nyc")
        check("signal 9" in d.log(), "it says why")
        equal(set(map(tuple, d.rows().values())), {("nyc",)})


def test_never_answers():
    with Programmed("for q in questions(): pass") as d:
        begun = time.monotonic()
        while time.monotonic() - begun < 3:
            for i in range(30):
                asked = time.monotonic()
                equal(site(d, f"10.10.{i}.0/24"), "bos")
                check(time.monotonic() - asked < 0.5 * harness.slowness(), "a query waited")
        service = d.service()
        equal((service["found"], d.rows()), (0, {}))
        check(0 < service["asked"] <= 60, "the breaker", service)
        d.give(GOOD)
        for pid in d.pids():
            os.kill(pid, signal.SIGKILL)
        learns(d, "10.10.1.0/24", "nyc", 40)


def test_answers_after_the_end():
    """Told to end, and after its input has ended, it answers what it was asked, and more."""
    stubborn = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = [q["id"] for q in questions()]
open(sys.argv[0] + ".ended", "w").close()
for number in [*held, *range(1000)]:
    say(id=number, sites=["nyc"])
time.sleep(0.3)
say(id=held[-1], sites=["nyc"])
"""
    with Programmed(stubborn, timeout="20s") as d:
        clients = [f"10.10.{i}.0/24" for i in range(10)]
        ask_about(d, clients)
        d.reload(d.without)
        until(lambda: (d.folder / "program.ended").exists(), 10 * harness.slowness(), "its input has ended")
        for client in clients:
            stays(d, client, "bos", 0.1)
        until(lambda: not d.pids(), 10 * harness.slowness(), "it has ended")
        equal(d.rows(), {})
        d.give(GOOD)
        d.reload(d.with_service)
        learns(d, clients[0], "nyc")
        d.give(stubborn)
    # And at the daemon's own end.
    with Programmed(stubborn, timeout="20s") as d:
        ask_about(d, clients)


def test_answers_for_others():
    """With the number of a question that is over, of none, or that says what it is for."""
    for reply in ('say(id=done.pop(), sites=["nyc"]) if done else say(id=q["id"], outcome="not-found") or '
                  'done.append(q["id"])',
                  'say(id=q["id"] + 1000, sites=["nyc"])',
                  'say(id=q["id"], prefix="10.10.77.0/24", sites=["nyc"])'):
        with Programmed(f"done = []\nfor q in questions(): {reply}\n") as d:
            for _ in range(20):
                for i in (1, 2, 3, 77):
                    equal(site(d, f"10.10.{i}.0/24"), "bos", reply)
                time.sleep(0.05)
            check(d.service()["asked"] > 0, reply)
            equal([sites for sites in d.rows().values() if sites], [], reply)


def test_makes_up_names():
    """A program with a class of its own for every client: so many are taken, and what it says without goes on."""
    with Programmed(INVENTS, rate=1000, concurrency=100) as d:
        def told():
            for i in range(20, 480):
                d.query(APP, ecs=f"10.{10 + i // 250}.{i % 250}.0/24")
            return d.service()["too_many_names"] > 0
        until(told, 60 * harness.slowness(), "it has made up too many", 0.1)
        equal(d.service()["names"], 256)
        learns(d, "10.10.1.0/24", "nyc")
        equal(d.log().count("has made up 256 names of carriers and classes"), 1)
        check("has made up 256 names of carriers and classes; " in d.ctl("discovery", as_json=False).out)
        check(d.ctl_json("discovery")["too_many_names"] >= d.service()["too_many_names"] > 0)


if __name__ == "__main__":
    harness.run(test_makes_up_names, test_killed, test_never_answers, test_answers_after_the_end, test_answers_for_others, limit_s=120)
