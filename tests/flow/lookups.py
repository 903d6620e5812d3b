"""The plugin exec as it looks clients up: lines of JSON both ways, many questions under way, and programs that answer late,
wrongly, for others, or not at all, do not read, or die."""

import json
import os
import pathlib
import signal
import tempfile
import time

import harness
from harness import check, equal, until
from looker import Looker

# What programs begin with: questions as they come, and a way to say something.
HEAD = """#!/usr/bin/env python3
import json, os, sys, threading, time
def say(**members): sys.stdout.write(json.dumps(members) + "\\n"); sys.stdout.flush()
def questions():
    for line in sys.stdin:
        yield json.loads(line)
"""
SITE = "us-east-1-wl1-bos-wlz-1"


class Program:
    """A program, and the plugin that runs it."""

    def __init__(self, text, **options):
        self.folder = tempfile.TemporaryDirectory(prefix="edgesteer-lookups-")
        self.path = pathlib.Path(self.folder.name) / "program"
        self.path.write_text(HEAD.replace("#!/usr/bin/env python3", f"#!{os.path.realpath('/proc/self/exe')}") + text,
                             encoding="utf-8")
        self.path.chmod(0o700)
        self.looker = Looker("exec", {"command": json.dumps([str(self.path)]), "env:PYTHONUNBUFFERED": "1", **options})

    def __enter__(self):
        self.looker.__enter__()
        return self.looker

    def __exit__(self, *what):
        self.looker.__exit__(*what)
        self.folder.cleanup()
        until(lambda: not self.pids(), 5, "no program is left")

    def pids(self):
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(self.path).encode() in entry.read_bytes() and b"--look-up" not in entry.read_bytes():
                    found.append(int(entry.parent.name))
            except OSError:
                pass
        return found


def many_at_a_time_in_any_order():
    gather = """
held = []
for q in questions():
    assert "timeout" in q and q["prefix-length"] in (24, 48), q
    if q["address"] == "192.0.2.1":
        say(id=q["id"], outcome="not-found")
    else:
        held.append(q)
    if len(held) == 200:
        for q in reversed(held):
            say(id=q["id"], sites=["site-" + q["address"].replace(":", "-"), q.get("app", "none")], carrier="verizon", lifetime=60)
        held = []
"""
    with Program(gather) as looker:
        numbers = {looker.start(f"198.51.100.{i}" if i else "2001:db8::7", app="a.example.com" if i % 2 else "-",
                                within_ms=30000): i for i in range(200)}
        equal(looker.ask("192.0.2.1", within_ms=30000), "not-found")
        for number, i in numbers.items():
            site = f"site-198.51.100.{i}" if i else "site-2001-db8--7"
            equal(looker.wait(number), f"found {site},{'a.example.com' if i % 2 else 'none'} carrier=verizon lifetime=60")


def what_a_question_has():
    show = """
for q in questions():
    say(id=q["id"], sites=["x"], **{"class": "-".join(sorted(q)) + "-" + str(q.get("port", 0))})
"""
    with Program(show) as looker:
        equal(looker.ask("198.51.100.7"), "found x class=address-id-prefix-length-timeout-0")
        equal(looker.ask("198.51.100.7", port=53, app="a.b"),
              "found x class=address-app-direct-id-port-prefix-length-timeout-53")


def late_and_unknown_ones_are_passed_over():
    late = """
first = None
for q in questions():
    if first is None:
        first = q["id"]
        time.sleep(q["timeout"] + 0.1)
        continue
    say(id=first, sites=["late"])
    say(id=999999, sites=["unknown"])
    say(id=-1)
    say(id=q["id"], sites=["right"])
    say(id=q["id"], sites=["again"])
"""
    with Program(late) as looker:
        number = looker.start("198.51.100.7", within_ms=100)
        equal(looker.ask("198.51.100.8"), "found right")
        equal(looker.ask("198.51.100.9"), "found right")
        check(number not in looker.answers, looker.answers)
        equal(looker.said("report"), [])


def bad_lines_end_it():
    for line, said in (("not json", "line 1 of its output: not JSON: column "), ('[]', "expected an object with the `id`"),
                       ('{"id": 1, "sites": 7}', "`sites` is neither a text nor a list of texts"),
                       ('{"id": 1, "colour": 7}', "unknown key `colour`"), ("\\0\\1", "line 1 of its output: not JSON"),
                       ("x" * 70000, "line 1 of its output: longer than 64 KiB")):
        once = f"""
mark = sys.argv[0] + ".mark"
for q in questions():
    if not os.path.exists(mark):
        open(mark, "w").close()
        print({line!r}.replace("\\\\0", "\\0"), flush=True)
        time.sleep(100)
    say(id=q["id"], sites=["good"])
"""
        with Program(once) as looker:
            equal(looker.ask("198.51.100.7"), "broken: the program has ended")
            looker.hear(said)
            equal(looker.ask("198.51.100.7"), "broken: the program has failed, and is started again in a while")
            until(lambda: looker.ask("198.51.100.7") == "found good", 5, "it is started again", every_s=0.1)


def one_that_is_killed():
    wait = """
for q in questions():
    if q["address"] == "192.0.2.1":
        continue
    say(id=q["id"], sites=["good"])
"""
    program = Program(wait)
    with program as looker:
        equal(looker.ask("198.51.100.7"), "found good")
        numbers = [looker.start("192.0.2.1", within_ms=20000) for _ in range(20)]
        time.sleep(0.2)
        for pid in program.pids():
            os.kill(pid, signal.SIGKILL)
        equal({looker.wait(number) for number in numbers}, {"broken: the program has ended"})
        looker.hear("has ended: signal 9: it is started again")
        until(lambda: looker.ask("198.51.100.7") == "found good", 5, "it is started again", every_s=0.1)
    with Program("sys.exit(3)") as looker:
        looker.hear("has ended: exit status 3: it is started again")
    with Program("os.close(1)\ntime.sleep(100)") as looker:
        looker.hear("has ended: signal 15: it is started again")


def one_that_does_not_answer_or_read():
    for text in ("for q in questions(): pass", "time.sleep(100)"):
        with Program(text, deadline="1s") as looker:
            begun = time.monotonic()
            for _ in range(3000):  # more than there is room for
                looker.start("198.51.100.7", app="a" * 200, within_ms=500)
            looker.hear("has answered nothing for 1 s: it is ended, and started again")
            check(time.monotonic() - begun < 5 * harness.slowness(), "it took long to notice")
            check(harness.sanitizer() or looker.peak_kb() < 30000, "kB of memory:", looker.peak_kb())
    with Program("for q in questions():\n    time.sleep(0.4)\n    say(id=q['id'], sites=['x'])", deadline="1s") as looker:
        for _ in range(8):  # slow, but not silent
            equal(looker.ask("198.51.100.7"), "found x")
        equal(looker.said("has answered nothing"), [])


def the_one_in_the_manual():
    text = (harness.TOP / "conf" / "edgesteer-plugins.7").read_text(encoding="utf-8")
    example = text.partition("table of its own:\n.Bd -literal -offset indent\n#!/usr/bin/python3\n")[2].partition(".Ed\n")[0]
    check("for line in sys.stdin" in example, example)
    with Program(example) as looker:
        equal(looker.ask("198.51.100.7"), f"found {SITE}")
        equal(looker.ask("198.51.100.200"), "not-found")
        equal(looker.ask("2001:db8::1"), "not-found")


def one_that_ignores_the_end():
    stubborn = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for q in questions(): say(id=q["id"], sites=["x"])
time.sleep(100)
"""
    with Program(stubborn) as looker:
        equal(looker.ask("198.51.100.7"), "found x")


if __name__ == "__main__":
    harness.run(many_at_a_time_in_any_order, what_a_question_has, late_and_unknown_ones_are_passed_over, bad_lines_end_it,
                one_that_is_killed, one_that_does_not_answer_or_read, the_one_in_the_manual, one_that_ignores_the_end)
