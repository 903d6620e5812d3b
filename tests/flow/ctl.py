"""edgesteerctl alone, against a scripted control socket: the requests it sends for its arguments, its output and its
exit codes; and its bash completion."""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import harness
from harness import Skip, check, equal, program


class Script:
    """A control socket that sends the given replies, one per connection (the last one for ever): an object, bytes as
    they are, or None: nothing. `requests` are the objects that came; `hold_s`: wait before each reply."""

    def __init__(self, *replies, hold_s=0.0, close_first=False):
        self.folder = tempfile.mkdtemp(dir=harness.memory_folder())
        self.path = os.path.join(self.folder, "control.sock")
        self.replies, self.hold_s, self.close_first = list(replies), hold_s, close_first
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, connection):
        line = b"" if self.close_first else connection.makefile("rb").readline()
        if line:
            check(line.endswith(b"\n"), "the request does not end")
            self.requests.append(json.loads(line))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        time.sleep(self.hold_s)
        if isinstance(reply, dict):
            reply = json.dumps(reply).encode() + b"\n"
        if reply:
            connection.sendall(reply)

    def run(self, *words, env=None, socket_option=True, timeout_s=harness.PATIENCE_S):
        command = [program("edgesteerctl")] + (["-s", self.path] if socket_option else []) + list(words)
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, env={**os.environ, "TZ": "UTC", "XDG_CONFIG_HOME": "/nowhere", **(env or {})},
                              check=False)
        check(b"Sanitizer" not in done.stderr, done.stderr)
        return done.returncode, done.stdout.decode(), done.stderr.decode()


OK = {"ok": True}
# Every verb with the words that it needs.
WORDS = {"status": [], "sites": [], "apps": [], "drain": ["x"], "undrain": ["x"], "force": ["a/b", "up"],
         "explain": ["a", "--client", "10.0.0.1"], "reload": [], "stats": [], "version": []}


def requests():
    """Words and options, in any order, become the fields of the request."""
    rows = [
        (["status"], {"verb": "status"}),
        (["sites"], {"verb": "sites"}),
        (["sites", "bos"], {"verb": "sites", "site": "bos"}),
        (["apps", "--site", "bos"], {"verb": "apps", "site": "bos"}),
        (["apps", "a.example"], {"verb": "apps", "app": "a.example"}),
        (["drain", "bos"], {"verb": "drain", "site": "bos"}),
        (["drain", "bos", "--for", "2h", "--reason", "disk füll", "--app", "a"],
         {"verb": "drain", "site": "bos", "for": "2h", "reason": "disk füll", "app": "a"}),
        (["--for=2h", "drain", "--reason=--x", "bos"], {"verb": "drain", "site": "bos", "for": "2h", "reason": "--x"}),
        (["drain", "--", "--odd"], {"verb": "drain", "site": "--odd"}),
        (["drain", "bos", "--force"], {"verb": "drain", "site": "bos", "force": True}),
        (["drain", "bos", "--dry-run", "--over", "1h"], {"verb": "plan drain", "site": "bos", "over": "1h"}),
        (["--dry-run", "undrain", "a.example/bos"], {"verb": "plan undrain", "app": "a.example", "site": "bos"}),
        (["plan", "force", "a.example/bos", "up"], {"verb": "plan force", "app": "a.example", "site": "bos", "to": "up"}),
        (["explain", "a", "--without", "x", "--client", "10.0.0.1", "--without", "y,z"],
         {"verb": "explain", "name": "a", "client": "10.0.0.1", "without": "x,y,z"}),
        (["undrain", "bos", "--app", "a"], {"verb": "undrain", "site": "bos", "app": "a"}),
        (["force", "a.example/bos", "down"], {"verb": "force", "app": "a.example", "site": "bos", "to": "down"}),
        (["force", "a/b/bos", "up"], {"verb": "force", "app": "a/b", "site": "bos", "to": "up"}),
        (["explain", "a.example", "--client", "10.0.0.0/24"],
         {"verb": "explain", "name": "a.example", "client": "10.0.0.0/24"}),
        (["reload"], {"verb": "reload"}),
        (["reload", "--force"], {"verb": "reload", "force": True}),
        (["stats"], {"verb": "stats"}),
        (["version"], {"verb": "version"}),
    ]
    with Script(OK) as script:
        for words, expected in rows:
            script.requests.clear()
            code, _, err = script.run(*words)
            equal((code, err), (0, ""), words)
            equal(script.requests, [expected], words)


def times():
    """A local time reaches the daemon as one with a time zone, whatever else the words are of."""
    whats = (["bos", "--app", "a.example"], ["a.example/bos"], ["bos"])
    with Script(OK) as script:
        for verb in ("drain",), ("plan", "drain"):
            for what in whats:
                for option in "--at", "--until":
                    script.requests.clear()
                    equal(script.run(*verb, *what, option, "2026-12-09 14:03", env={"TZ": "XYZ-2"})[::2], (0, ""), verb, what)
                    equal(script.run(*verb, *what, option, "23:00", env={"TZ": "XYZ-2"})[::2], (0, ""), verb, what)
                    day, clock = (request[option[2:]] for request in script.requests)
                    equal((day, clock[-10:]), ("2026-12-09T12:03:00Z", "T21:00:00Z"), verb, what, option)
                    equal([request.get("app") for request in script.requests], [None if what == ["bos"] else "a.example"] * 2)
        script.requests.clear()
        code, out, err = script.run("drain", "a.example/bos", "--at", "soon")
        check((code, out) == (2, "") and "--at: 'soon' is not a time like 14:03" in err, err)
        equal(script.requests, [])


def usage():
    """What is wrong with a command is said without asking the daemon, and the exit code is 2."""
    rows = [
        ([], "a verb is missing"),
        (["drian"], "no verb 'drian', did you mean 'drain'?\n"),
        (["statsu"], "no verb 'statsu', did you mean 'status'?\n"),
        (["hlep"], "no verb 'hlep', did you mean 'help'?\n"),
        (["help", "statsu"], "no verb 'statsu', did you mean 'status'?\n"),
        (["xyzzy"], "no verb 'xyzzy'\n"),
        (["drain"], "drain needs SITE"),
        (["drain", "a", "b"], "drain takes no more than SITE\n"),
        (["drain", "a", "--reason", "disk", "full"],
         "drain takes no more than SITE: put a reason of several words in quotes, as in --reason 'disk full'\n"),
        (["drain", "a", "--for", "2", "hours"],
         "drain takes no more than SITE: put a time of several words into one, as in --for 2h or --for 1d12h\n"),
        (["drain", "a.example/bos", "--app", "b.example"], "'a.example/bos' names an app, and --app does too\n"),
        (["undrain"], "undrain needs SITE"),
        (["drain", "bos", "--at", "soon"], "--at: 'soon' is not a time like 14:03"),
        (["drain", "bos", "--until", "2026-02-30 10:00"], "--until: '2026-02-30 10:00' is not a time"),
        (["sites", "a.example/bos"], "'a.example/bos' is not a SITE\n"),
        (["drain", "/bos"], "'/bos' is not a SITE\n"),
        (["drain", "a/"], "'a/' is not a SITE\n"),
        (["status", "x", "--reason", "y"], "status takes no words\n"),
        (["status", "x"], "status takes no words"),
        (["drain", "a", "--client", "10.0.0.1"], "drain does not take --client"),
        (["undrain", "a", "--force"], "undrain does not take --force"),
        (["explain", "a"], "explain needs --client"),
        (["force", "a/b"], "force needs APP/SITE up|down|auto"),
        (["force", "ab", "up"], "'ab' is not APP/SITE"),
        (["force", "a/", "up"], "'a/' is not APP/SITE"),
        (["force", "/a", "up"], "'/a' is not APP/SITE"),
        (["drain", "a", "--for"], "--for needs an argument"),
        (["drain", "a", "--fro", "1h"], "no option '--fro', did you mean 'for'?"),
        (["drain", "a", "--force", "-xs"], "no option '-x'"),
        (["drain", "a", "--force=yes"], "--force takes no argument"),
        (["drain", "a", "--app", "x", "--app", "y"], "--app is given twice"),
        (["status", "--timeout", "soon"], "--timeout: 'soon' is not"),
        (["status", "--timeout", "0"], "--timeout: '0' is not"),
        (["drain", b"a\xff"], "not UTF-8"),
        (["drain", "\x1b[31m", "x", "y"], "no more than SITE"),
        (["\x1b[31m"], "no verb '?[31m'"),
        (["load", "bos", "-5"], "'-5' is no option: before words that begin with '-', like a number below 0, put --"),
    ]
    with Script(OK) as script:
        for words, text in rows:
            code, out, err = script.run(*words)
            equal((code, out), (2, ""), words)
            check(text in err and "\x1b" not in err, words, repr(err))
            code, out, _ = script.run(*words, "--json") if "--" not in words and words[-1:] != ["--for"] else (2, None, "")
            check(code == 2 and (out is None or json.loads(out)["code"] == 2), words, out)  # programs are told in their way
        # Those of two words are listed by their first one, asked for or not.
        for first, seconds in ("plan", ("drain", "undrain", "force")), ("brake", ("release",)):
            for words in [first], [first, "adopt", "x", "50"], [first, "bogus"]:
                code, out, err = script.run(*words)
                equal((code, out), (2, ""), words)
                check(f"{first} needs a second word" in err and all(f"\n  {first} {second} " in err for second in seconds), err)
            for words in ["help", first], [first, "--help"], [first, "bogus", "-h"]:
                code, out, err = script.run(*words)
                equal((code, err, len(out.splitlines())), (0, "", len(seconds)), words)
                check(all(f"  {first} {second} " in out for second in seconds), out)
        check("\n  learned forget " in script.run("help", "learned")[1], "listed below the help of a verb")
        equal(script.requests, [])
        equal(script.run("load", "--", "bos", "-5")[0], 0)
        equal(script.requests, [{"verb": "load", "site": "bos", "load": "-5"}])


def help_and_version():
    with Script(OK) as script:
        code, out, err = script.run("--help")
        equal((code, err), (0, ""))
        for verb in "status sites apps drain undrain force explain reload stats version".split():
            check(f"\n  {verb} " in out, verb)
            code, of_verb, _ = script.run(verb, "--help")
            equal(code, 0)
            check(f"usage: edgesteerctl {verb}" in of_verb, of_verb)
            equal(script.run("help", verb), (0, of_verb, ""))
        equal(script.run("help"), (0, out, ""))
        equal(script.run("help", "help"), (0, out, ""))
        check("--socket" in out and "--socket" not in of_verb, "what all verbs take is said once")
        check("APP/SITE" in script.run("drain", "-h")[1] and "*" in script.run("drain", "-h")[1], "what a SITE is")
        check("--reason" in script.run("drain", "-h")[1] and "--client" not in script.run("drain", "-h")[1])
        code, out, _ = script.run("--version")
        check(code == 0 and out.startswith("edgesteerctl "), out)
        equal(script.requests, [])


def outcomes():
    """Exit codes and where messages go; --json always prints the reply."""
    refused = {"ok": False, "error": "no site 'x'", "code": 1}
    wrong = {"ok": False, "error": "the config is refused (2 errors)", "errors": ["e.yaml:1:2: a", "e.yaml:3:4: b\x1b[2J"],
             "warnings": ["careful"], "code": 2}
    with Script(refused) as script:
        code, out, err = script.run("drain", "x")
        equal((code, out, err), (1, "", "edgesteerctl: no site 'x'\n"))
        code, out, _ = script.run("--json", "drain", "x")
        equal((code, json.loads(out)), (1, refused))
    with Script(wrong) as script:
        code, out, err = script.run("reload")
        equal((code, out), (2, ""))
        equal(err, "edgesteerctl: the config is refused (2 errors)\ne.yaml:1:2: a\ne.yaml:3:4: b?[2J\nwarning: careful\n")
        code, out, _ = script.run("reload", "--json")
        equal((code, json.loads(out)), (2, wrong))
        check("\x1b" not in out)
    with Script({**OK, "warnings": ["app x: no target is left"], "site": "bos"}) as script:
        code, out, err = script.run("drain", "bos")
        equal((code, err), (0, "warning: app x: no target is left\n"))
        check(out.startswith("bos is drained"), out)
    # Whatever the verb, the reply's code is the exit code if it is one of a reply, else 1.
    for verb, words in WORDS.items():
        for code, expected in ((0, 1), (1, 1), (2, 2), (3, 3), (4, 1), (5, 5), ("3", 1)):
            with Script({"ok": False, "error": "no", "code": code}) as script:
                equal(script.run(verb, *words), (expected, "", "edgesteerctl: no\n"), verb, code)
    # Only an explicit success counts.
    for reply in ({}, {"ok": "yes"}, {"ok": False}, {"ok": False, "code": 0, "error": ""}, {"ok": 1}, b"[]\n", b"{}\n"):
        with Script(reply) as script:
            equal(script.run("drain", "bos")[0], 1, reply)


def monitoring():
    """check: one line, and the exit codes of monitoring plugins; nothing else looks like CRITICAL or WARNING."""
    counts = {"targets": 8, "up": 5, "down": 2, "drained": 1, "apps": 3, "apps_without_target": 0}
    figures = "5 of 8 targets up, 1 drained | up=5;;;0;8 down=2;;;0;8 drained=1;;;0;8 apps_without_target=0;;;0;3\n"
    for level, found, expected in (("ok", "", (0, "EDGESTEER OK - " + figures, "")),
                                   ("warning", "a/b \u00e4|c\x1b", (1, "EDGESTEER WARNING - a/b \u00e4/c?; " + figures, "")),
                                   ("critical", "x", (2, "EDGESTEER CRITICAL - x; " + figures, "")),
                                   ("new", "x", (3, "EDGESTEER UNKNOWN - x; " + figures, ""))):
        with Script({"ok": True, "level": level, "found": found, **counts}) as script:
            equal(script.run("check"), expected, level)
            code, out, _ = script.run("--json", "check", "app")
            equal((code, json.loads(out)["level"]), (expected[0], level))
            equal([request.get("app") for request in script.requests], [None, "app"])
    for code in 1, 2, 3:
        with Script({"ok": False, "error": "no app 'x'", "code": code}) as script:
            equal(script.run("check", "x"), (3, "EDGESTEER UNKNOWN - no app 'x'\n", ""), code)
            equal(script.run("check", "x", "--json")[0], 3, code)
    with Script(OK) as script:
        for words in (["check", "a", "b"], ["check", "--site", "x"], ["check", "--nix"], ["--timeout", "x", "check"]):
            code, out, err = script.run(*words)
            equal((code, out), (3, "EDGESTEER UNKNOWN - the command line is wrong, see standard error\n"), words)
            check(err, words)
        equal(script.requests, [])
        script.stop()
        code, out, _ = script.run("check")
        check(code == 3 and out.startswith("EDGESTEER UNKNOWN - cannot reach the daemon"), out)


def damaged_replies():
    for reply, text, expected in ((b"", "without a reply", 4), (b'{"ok": true', "without a reply", 4),
                                  (b"hello\n", "not JSON", 1), (b"\0\xff\n", "not JSON", 1),
                                  (b"[" * 100000 + b"\n", "not JSON", 1), (b"x" * (65 << 20), "too large", 1)):
        with Script(reply) as script:
            code, out, err = script.run("status")
            check(code == expected and out == "" and text in err, reply[:20], code, err)
            code, out, _ = script.run("--json", "status")
            equal((code, json.loads(out)["ok"], json.loads(out)["code"]), (expected, False, expected))
    with Script({"ok": False, "error": "too many connections", "code": 1}, close_first=True) as script:
        code, _, err = script.run("status")  # refused before the request was read
        check(code == 1 and "too many connections" in err, err)


def no_daemon():
    with Script(OK) as script:
        missing = script.path + ".missing"
        for verb, words in WORDS.items():
            equal(script.run("-s", missing, verb, *words, socket_option=False)[:2], (4, ""), verb)
        code, out, err = script.run("-s", missing, "status", socket_option=False)
        check(code == 4 and out == "" and "is edgesteerd running?" in err and missing in err, err)
        script.stop()
        code, _, err = script.run("status")
        check(code == 4 and "is edgesteerd running?" in err, err)
        code, _, err = script.run("-s", "x" * 200, "status", socket_option=False)
        check(code == 4 and "longer than 107 bytes" in err, err)
        code, out, _ = script.run("-s", missing, "--json", "status", socket_option=False)
        check(code == 4 and json.loads(out)["ok"] is False, out)
    if os.getuid() == 0:
        with Script(OK) as script:
            os.chmod(script.folder, 0o755)
            os.chmod(script.path, 0o600)
            # A sanitizer's options name files of ours, which that user may not be able to read.
            env = {name: value for name, value in os.environ.items() if not name.endswith("SAN_OPTIONS")}
            done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", program("edgesteerctl"), "-s", script.path,
                                   "status"], capture_output=True, check=False, env=env)
            if b"failed to execute" not in done.stderr:  # the build may be where nobody else can look
                check(done.returncode == 4 and b"no permission" in done.stderr, done)


def socket_choice():
    with Script(OK) as script:
        equal(script.run("status", socket_option=False, env={"EDGESTEER_SOCKET": script.path})[0], 0)
        equal(len(script.requests), 1)
        equal(script.run("status", env={"EDGESTEER_SOCKET": "/nowhere"})[0], 0)  # the option is stronger
        code, _, err = script.run("status", socket_option=False, env={"EDGESTEER_SOCKET": ""})
        check(code in (0, 4) and (code == 0 or "/run/edgesteer/control.sock" in err), err)


def timeouts():
    with Script(OK, hold_s=3 * harness.pace()) as script:
        begun = time.monotonic()
        code, _, err = script.run("status", "--timeout", "1s")
        check(code == 4 and "no reply within 1 s" in err, err)
        check(time.monotonic() - begun < 2.5 * harness.slowness() * harness.pace(), "took too long")


def many_apps():
    """A list that comes in parts is put together."""
    def part(name, **more):
        return {**OK, "apps": [{"name": name, "ttl_s": 30, "targets": [{"site": "s", "state": "up"}]}], **more}

    with Script(part("a", next=1), part("b", next=2), part("c")) as script:
        code, out, _ = script.run("--json", "apps", "--site", "s")
        equal(code, 0)
        reply = json.loads(out)
        equal([app["name"] for app in reply["apps"]], ["a", "b", "c"])
        check("next" not in reply)
        equal([request.get("from") for request in script.requests], [None, 1, 2])
        check(all(request["site"] == "s" for request in script.requests))
    with Script(part("a", next=1), {"ok": False, "error": "starting", "code": 1}) as script:
        code, out, err = script.run("apps")
        equal((code, out), (1, ""))
    # A reload in between: entries may be in neither part. The list is requested again, a few times.
    one, two = {"generation": 1}, {"generation": 2}
    with Script(part("a", **one, next=1), part("c", **two, next=2), part("b", **two, next=1), part("c", **two)) as script:
        code, out, _ = script.run("--json", "apps")
        equal((code, [app["name"] for app in json.loads(out)["apps"]]), (0, ["b", "c"]))
        equal([request.get("from") for request in script.requests], [None, 1, None, 1])
    with Script(*[part("a", generation=n, next=1) for n in range(11)]) as script:
        code, out, err = script.run("apps")
        check(code == 1 and out == "" and "reloaded during each of 5 attempts" in err, err)
        equal(len(script.requests), 10)
    with Script(part("a", next=1), part("b", next=1)) as script:  # a daemon that never ends is not followed
        equal(script.run("apps")[0], 0)
        equal(len(script.requests), 2)


def many_overrides():
    """The same for the overrides of a status; if they keep changing, the first part is shown, with a warning."""
    def part(first, **more):
        return {**OK, "drain_count": 3, "force_count": 2, "drains": [{"site": f"s{first}"}, {"site": f"s{first + 1}"}],
                "forces": [{"app": "a", "site": f"f{first}"}], "overrides_revision": 1, **more}

    end = {"drains": [{"site": "s2"}], "forces": [{"app": "a", "site": "f2"}]}
    with Script(part(0, next=2, pid=7), part(2, **end)) as script:
        code, out, _ = script.run("--json", "status")
        reply = json.loads(out)
        equal((code, reply["pid"], "next" in reply), (0, 7, False))
        equal([drain["site"] for drain in reply["drains"]], ["s0", "s1", "s2"])
        equal([force["site"] for force in reply["forces"]], ["f0", "f2"])
        equal([request.get("from") for request in script.requests], [None, 2])
    with Script(part(0, next=2), part(2, **{**end, "overrides_revision": 2}), part(7, next=2, overrides_revision=2),
                part(2, **{**end, "overrides_revision": 2})) as script:
        out = script.run("status")[1]
        check("s7" in out and "s8" in out and "s2" in out and "s0" not in out, out)
    with Script(*[part(0, next=2, overrides_revision=n) for n in range(11)]) as script:
        code, out, err = script.run("status")
        check(code == 0 and "s1" in out and "drains: 3 in all" in out and "the lists are incomplete" in err, out, err)


STATUS = {
    "ok": True, "version": "9.9", "pid": 77, "started": 1000, "serving": True, "generation": 3, "generation_built": 2000,
    "epoch": 8, "workers": 2, "zones": 1, "apps": 2, "sites": 3, "prefixes": 1290000, "places": 40,
    "states": {"total": 6, "up": 4, "down": 1, "drained": 1, "unchecked": 2},
    "locate": [{"name": "ranges carriers.csv", "prefixes": 1200}, {"name": "mmdb", "prefixes": 9}],
    "health": {"probes": 12, "failures": 3, "late": 4, "under_way": 2, "waiting": 1, "settled": True},
    "last_reload": 86400, "last_reload_ok": False, "last_reload_errors": 2, "last_reload_error": "e.yaml:1:2: w\x1brong",
    "watch": {"files": 3, "last": 86400, "file": "/d/carriers.csv", "more": 2, "refused": "/d/carriers.csv:2: no \x1bprefix"},
    "drain_count": 2, "drains": [{"site": "bos", "app": None, "since": 0, "until": 86400, "who": "uid 0", "reason": "évil\x1b]0;x\x07"},
                                 {"site": "nyc", "app": "a.example", "since": 86400, "until": None, "who": "uid 1",
                                  "no_effect": "no such app"}],
    "force_count": 1, "forces": [{"app": "a.example", "site": "bos", "to": "down", "who": "uid 0", "since": 86400,
                                "reason": "rack 7 \x1bburns"}],
}


def tables():
    """What people read: aligned by what the screen shows, harmless to it."""
    with Script(STATUS) as script:
        _, out, _ = script.run("status")
        for text in ("edgesteerd   9.9, process 77", "generation 3", "1290000 prefixes", "6: 4 up, 1 down, 1 drained; 2 without",
                     "ranges carriers.csv, 1200 prefixes", "1970-01-02 00:00:00 +0000, failed",
                     "in service\n             2 errors, the first: e.yaml:1:2: w?rong\n", "évil?]0;x?", "undrain", "(all)",
                     "watching     3 files\n", "last change  1970-01-02 00:00:00 +0000, /d/carriers.csv and 2 more: REFUSED",
                     "\n             /d/carriers.csv:2: no ?prefix\n", "has no effect: no such app", "rack 7 ?burns\n", " 12, of which 3 failed and 4 were late; 2 under way, 1 waiting\n"):
            check(text in out, text, out)
        check("\x1b" not in out and "\x07" not in out, repr(out))
    sites = {"ok": True, "sites": [
        {"name": "bös", "kind": "wavelength", "region": "use1", "reach": ["verizon", "att"],
         "targets": {"up": 1, "down": 20, "drained": 300}, "answers": 1234, "drained": {"until": 86400, "reason": "rack"}},
        {"name": "日本", "kind": "region", "region": None, "reach": "public", "targets": {"up": 5, "down": 0, "drained": 0},
         "drained": None}]}
    with Script(sites) as script:
        _, out, _ = script.run("sites")
        equal(out.splitlines(), [
            "SITE  KIND        REGION  REACH         UP  DOWN  DRAINED  ANSWERS  DRAIN",
            "bös   wavelength  use1    verizon, att   1    20      300     1234  until 1970-01-02 00:00:00 +0000: rack",
            "日本  region              public         5     0        0",
        ])
    apps = {"ok": True, "apps": [{"name": "a.example", "ttl_s": 30, "targets": [
        {"site": "bos", "state": "down", "forced": "down", "addresses": ["192.0.2.1", "2001:db8::1"], "answers": 7,
         "health": {"text": "HTTP status 503", "since": 0, "last_probe": 0, "probes": 9, "failures": 3}},
        {"site": "nyc", "state": "up", "cname": "alb.example.net", "health": None}]}]}
    with Script(apps) as script:
        _, out, _ = script.run("apps")
        equal(out.splitlines(), [
            "APP        SITE  STATE               ANSWER                  TTL  ANSWERS  FAILED  HEALTH",
            "a.example  bos   down (forced down)  192.0.2.1, 2001:db8::1   30        7       3  HTTP status 503",
            "a.example  nyc   up                  alb.example.net          30                   no check",
        ])
    with Script({**OK, "steps": ["locate: here", "answer: bos"], "candidates": [
            {"site": "bos", "kind": "wavelength", "reachable": True, "ms": 10.25, "km": 3.04, "basis": "distance", "state": "up"},
            {"site": "ber", "kind": "wavelength", "reachable": False, "ms": None, "km": None, "state": "up"}]}) as script:
        _, out, _ = script.run("explain", "a", "--client", "10.0.0.1")
        check(out.startswith("locate: here\nanswer: bos\n\n") and "10.2" in out and "no" in out, out)
    with Script({**OK, "queries": 42, "udp": {"drops": 1}, "load": [0.5, 2]}) as script:
        _, out, _ = script.run("stats")
        equal([line.split() for line in out.splitlines()],
              [["COUNTER", "VALUE"], ["queries", "42"], ["udp.drops", "1"], ["load.0", "0.5"], ["load.1", "2"]])
    with Script({**OK, "sites": []}) as script:
        equal(script.run("sites")[1], "")
    with Script({**OK, "vantages": []}) as script:
        equal(script.run("vantages")[1], "no vantage has reported\n")
    with Script({**OK, "drains": [], "adoptions": [{"app": "a", "percent": 5, "to": 5, "phase": "steady"}]}) as script:
        check(script.run("drains")[1].startswith("nothing is drained\n\nADOPTED APP  "), script.run("drains")[1])
    rows = [{"name": name, "ceiling": 12, "rate": rate, "share": 1, "location": [52.52, 0.1]}
            for name, rate in (("a", 13.7847), ("b", 12), ("c", None))]
    with Script({**OK, "sites": rows}) as script:
        out = script.run("sites")[1]
        check(all(text in out for text in ("13.8 of 12/s", "12 of 12/s", "unknown of 12/s")), out)
        check('"location":[52.52,0.1]' in script.run("--json", "sites")[1].replace(" ", ""), "as many digits as it has")
    for count, said in ((1, "1 drain is held in memory only"), (2, "2 drains are held in memory only")):
        with Script({**STATUS, "volatile_count": count}) as script:
            check(f"NOT SAVED: {said}" in script.run("status")[1], said)


def overrides_damaged():
    """It is near the top of the status until the file is removed."""
    serving = "sites that were drained may be in service\n"
    rows = [
        ({"file": "/s/state.db.damaged-86400\x1b", "time": 86400, "files": 1, "kept": 3, "lost": 2},
         ["overrides    a damaged state file was set aside on 1970-01-02 00:00:00 +0000: /s/state.db.damaged-86400?\n",
          "LOST: at least 2; 3 were kept\n", serving, "to clear this message\n"], []),
        ({"file": "/s/x", "time": 86400, "files": 3},
         ["/s/x, and 2 earlier\n", serving, "clear this message"], ["were kept", "LOST"]),
        ({"file": "/s/x", "time": 86400, "files": 1, "kept": 3, "lost": 0},
         ["none is known to be lost; 3 were kept\n", "clear this message"], [serving, "LOST"]),
        ({"file": None, "time": None, "files": 0, "kept": 4, "lost": 0},
         ["overrides    a state file was missing, older or not writable at the start\n",
          "none is known to be lost; 4 were kept\n"], [serving, "clear this message", "not known"]),
        ({"file": None, "time": None, "files": 0, "kept": 4, "lost": 1},
         ["a state file was missing, older or not writable at the start\n", "LOST: at least 1; 4 were kept\n", serving],
         ["clear this message"]),
        ({"file": None, "time": None, "files": 0, "kept": 4, "lost": 0, "lost_unknown": True},
         ["             4 were kept; whether there were more cannot be known\n", serving], ["LOST", "none is known"]),
        ({"file": None},
         ["overrides    cannot read the state folder: it is not known whether any are lost\n"], ["missing"]),
    ]
    for damaged, texts, others in rows:
        with Script({**STATUS, "overrides_damaged": damaged}) as script:
            out = script.run("status")[1]
            for text in texts:
                check(text in out, text, out)
            for text in others:
                check(text not in out, text, out)
            check("\x1b" not in out and out.index("overrides  ") < out.index("serving  "), out)
    with Script({**STATUS, "changes_refused": {"since": 86400, "why": "/s/state.db cannot be written: No space\x1b"}}) as script:
        check("overrides    changes are REFUSED since 1970-01-02 00:00:00 +0000: /s/state.db cannot be written: No space?\n"
              in script.run("status")[1])
    with Script(STATUS) as script:
        check("overrides  " not in script.run("status")[1])


def overrides():
    """The effect of an override, in words."""
    alice = {"who": "uid 7 (alice)", "reason": "disk dying\x1b[2J", "since": 86400, "until": None}
    rows = [
        (["drain", "bos"], {"site": "bos", "targets": 1, "apps": ["a"], "replaced": alice, "warnings": ["it ends sooner"]},
         "It replaces the drain until undrained, given 1970-01-02 00:00:00 +0000 by uid 7 (alice): disk dying?[2J\n"),
        (["drain", "bos"], {"site": "bos", "targets": 1, "replaced": {**alice, "until": 172800, "reason": None}},
         "It replaces the drain until 1970-01-03 00:00:00 +0000, given 1970-01-02 00:00:00 +0000 by uid 7 (alice)\n"),
        (["drain", "bos", "--dry-run"], {"plan": {"verb": "drain", "site": "bos", "targets": 1}, "warnings": ["all is lost"],
                                         "replaced": {**alice, "phase": "scheduled", "start": 90000, "until": 172800}},
         "drain bos would be done; targets: 1.\nIt would replace the drain from 1970-01-02 01:00:00 +0000 until "
         "1970-01-03 00:00:00 +0000, given 1970-01-02 00:00:00 +0000 by uid 7 (alice): disk dying?[2J\n"),
        (["drain", "bos", "--dry-run"],
         {"plan": {"verb": "drain", "site": "bos", "targets": 1},
          "effect": {"queries": 200, "samples": 200, "clients": 40, "seconds": 60, "moved": 100, "lost": 60, "lost_clients": 10,
                     "lost_apps": ["a"]},
          "ceilings": [{"site": "nyc", "app": None, "ceiling": 9, "before": 15.8, "after": 20, "over": True}]},
         "20.0 % would be answered with another site.\n"
         "30.0 % of the queries, of 25.0 % of the clients, would get NO TARGET: a\n"
         "CEILING OF  CEILING  IN FULL/S  THEN/S\nnyc             9.0       15.8    20.0  OVER\n"
         "In full: also what spills to other sites now, and a drain under way as at its end.\n"),
        (["drain", "bos", "--app", "a"], {"site": "bos", "app": "a", "targets": 1, "apps": ["a"], "site_drain": alice},
         "a at bos is drained until undrained; it gets no clients already, as the whole site is drained\n  a\n"
         "It holds beside the drain until undrained, given 1970-01-02 00:00:00 +0000 by uid 7 (alice): disk dying?[2J\n"),
        (["drain", "bos", "--app", "a"], {"site": "bos", "app": "a", "targets": 1, "apps": ["a"], "site_drain": None},
         "a at bos is drained until undrained; targets that get no more clients: 1\n  a\n"),
        (["drain", "*"], {"site": "*", "targets": 9, "apps": ["a", "b", "c"]}, "clients: 9\n  a\n  b\n  c\nAfter "),
        (["drain", "*"], {"site": "*", "targets": 9, "apps": list("abcdef")}, "\n  e\n  and 1 more app\nAfter "),
        (["drain", "*"], {"site": "*", "targets": 9999, "apps": list("abcdefg"), "apps_cut": True}, "\n  e\n  and 2 or more apps\nAfter "),
        (["undrain", "bos"], {"site": "bos", "targets": 3, "up": 1, "still_drained": 0},
         "bos is not drained any more; targets that get clients again: 1\n"
         "2 more of its targets are not drained any more, but down\n"),
        (["undrain", "bos"], {"site": "bos", "targets": 0, "up": 0, "ended_count": 7,
                              "ended": [{**alice, "app": "a.example"}] + [alice] * 5},
         "It ends the drain of a.example until undrained, given 1970-01-02 00:00:00 +0000 by uid 7 (alice): disk dying?[2J\n" +
         "It ends the drain until undrained, given 1970-01-02 00:00:00 +0000 by uid 7 (alice): disk dying?[2J\n" * 4 +
         "and 2 more drains\n"),
        (["undrain", "bos"], {"site": "bos", "targets": 2, "up": 2, "still_drained": 1},
         "bos is not drained any more; targets that get clients again: 2\n"
         "1 of its targets stay drained: another drain holds (edgesteerctl status)\n"),
        (["undrain", "bos"], {"site": "bos", "targets": 2, "up": None, "still_drained": 0},
         "bos is not drained any more; targets that get clients again: 2\n"
         "Those that the first round of health checks finds down do not.\n"),
    ]
    for words, reply, text in rows:
        with Script({**OK, **reply}) as script:
            code, out, err = script.run(*words)
            equal(code, 0)
            check(text in out and "\x1b" not in out, out)
            equal("It replaces" in out or "It would replace" in out, "replaced" in reply, out)
            equal(err, "".join(f"warning: {line}\n" for line in reply.get("warnings", [])))


def odd_replies():
    """A reply with missing fields, or fields of other types, is shown as far as possible."""
    odd = [7, "text", None, [], {}, [7, None, "x", {}, []], {"a": 1}, [[]]]
    keys = ("sites apps drains forces overrides_damaged changes_refused locate states health steps candidates warnings errors site app "
            "targets reason until since safe_after version next generation replaced site_drain up still_drained ended ended_count forced").split()
    for verb, more in WORDS.items():
        for value in odd:
            with Script({"ok": True, **{key: value for key in keys}}, {"ok": True}) as script:
                code, _, err = script.run(verb, *more)
                check(code == 0, verb, value, err)


def manual():
    """The manual lists the fields of the requests as the daemon does."""
    text = (harness.TOP / "conf" / "edgesteerctl.1").read_text(encoding="utf-8")
    begin = text.index(".Sh PROTOCOL")
    text = text[begin:text.index(".Sh EXIT STATUS", begin)]
    listed = {}
    for name, fields in re.findall(r"^\.It Cm ([a-z ]+)\n((?:\.Li .*|those of\n\.Cm .*))$", text, re.M):
        listed[name] = fields.partition("\n.Cm ")[2] or fields[len(".Li "):].split(", ")
    listed = {name: listed[fields] if isinstance(fields, str) else fields for name, fields in listed.items()}
    without = re.search(r"may be left out;\n\.Cm (.*)\nand\n\.Cm (.*)\nhave none", text)
    listed.update({name: [] for name in [*without[1].split(" , "), without[2]]})
    with harness.Daemon({"domains": harness.DOMAIN}) as d, d.control() as control:
        verbs = {verb["name"]: [field["name"] + ("" if field["needed"] else "?") for field in verb["fields"]]
                 for verb in control("verbs")["verbs"]}
    equal({name: sorted(fields) for name, fields in listed.items()}, {name: sorted(fields) for name, fields in verbs.items()})


def on_a_terminal():
    """Colours and the progress of a reload are for terminals only."""
    def on_pty(script, *words):
        master, slave = pty.openpty()
        child = subprocess.Popen([program("edgesteerctl"), "-s", script.path, *words], stdout=slave, stderr=slave,
                                 stdin=slave, env={**os.environ, "TERM": "xterm", "NO_COLOR": ""})
        os.close(slave)
        text = b""
        while select.select([master], [], [], 10)[0]:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(master)
        return child.wait(), text.decode()

    apps = {"ok": True, "apps": [{"name": "a", "targets": [{"site": "b", "state": "down"}, {"site": "c", "state": "up"}]}]}
    with Script(apps) as script:
        code, out = on_pty(script, "apps")
        check(code == 0 and "\x1b[31mdown\x1b[0m" in out and "\x1b[32mup\x1b[0m" in out, repr(out))
        check("\x1b" not in script.run("apps")[1])
    with Script({"ok": True, "generation": 4}, hold_s=2.3) as script:
        code, out = on_pty(script, "reload")
        check(code == 0 and "… 2 s" in out and out.rstrip().endswith("generation 4 is served"), repr(out))
        equal(script.run("reload")[2], "")
    with Script({"ok": True, "generation": 4, "serving": False}) as script:
        check("generation 4 waits for the first round" in script.run("reload")[1])


def full_disk():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    with Script(STATUS) as script, open("/dev/full", "w", encoding="utf-8") as full:
        for words in (["status"], ["--json", "status"]):
            done = subprocess.run([program("edgesteerctl"), "-s", script.path, *words], stdout=full, stderr=subprocess.PIPE,
                                  check=False)
            check(done.returncode == 1 and b"cannot write" in done.stderr, done)


COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_edgesteerctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completion():
    bash = shutil.which("bash")
    if not bash:
        raise Skip("no bash")
    sites = {"ok": True, "sites": [{"name": "bos"}, {"name": "nyc"}]}
    apps = {"ok": True, "apps": [{"name": "a.example", "targets": [{"site": "bos", "state": "up", "drained": {"site": "bos"}},
                                                                  {"site": "nyc", "state": "up"}]}]}
    tools = os.path.dirname(program("edgesteerctl"))

    def complete(reply, *words, home="/nowhere"):
        with Script(reply) as script:
            env = {**os.environ, "PATH": tools + os.pathsep + os.environ["PATH"], "EDGESTEER_SOCKET": script.path, "XDG_CONFIG_HOME": home}
            done = subprocess.run([bash, "-c", COMPLETE, "bash", str(harness.TOP / "conf" / "edgesteerctl.bash"),
                                   "edgesteerctl", *words], capture_output=True, env=env, check=True, text=True)
            equal(done.stderr, "", words)
            return done.stdout.split()

    equal(complete(OK, "st"), ["status", "stats"])
    equal(complete(OK, "help", "st"), ["status", "stats"])
    equal(complete(apps, "drain", "a.example/"), ["a.example/bos", "a.example/nyc"])
    equal(complete(apps, "plan", "drain", "a.example/n"), ["a.example/nyc"])
    kinds = {"ok": True, "sites": [{"name": "bos", "region": "us-east-1", "reach": ["verizon"]}, {"name": "nyc", "region": None, "reach": "public"},
                                   {"name": "ber", "region": "eu-central-1", "reach": ["telekom", "verizon"]}]}
    equal(complete(kinds, "drain", "--region", ""), ["us-east-1", "eu-central-1"])
    equal(complete(kinds, "drain", "--carrier", ""), ["verizon", "telekom"])
    drained = {"ok": True, "drains": [{"site": "us-*", "app": None, "reason": "x"}, {"site": "bos", "app": "a.example"}]}
    equal(complete(drained, "undrain", ""), ["us-*", "a.example/bos"])
    equal(complete(drained, "plan", "undrain", "a"), ["a.example/bos"])
    equal(complete({"ok": True, "zones": [{"name": "edge.example.com", "serial": 1}]}, "zones", ""), ["edge.example.com"])
    equal(complete(OK, "compare", "--w"), ["--weights"])
    equal(complete(OK, "learned", "import", "--s"), ["--socket"])
    equal(complete(OK, "learned", "import", "--d"), ["--dry-run"])
    equal(complete(OK, "learned", "export", "--s"), ["--socket", "--site", "--source"])
    with tempfile.TemporaryDirectory(dir=harness.memory_folder()) as home:
        os.makedirs(os.path.join(home, "edgesteer"))
        with open(os.path.join(home, "edgesteer", "ctl.yaml"), "w", encoding="ascii") as file:
            file.write("default: prod\ngroups:\n  prod:\n    members:\n      ns1: {socket: /x}\n  # none\n  test: {members: {a: {socket: /y}}}\n")
        equal(complete(OK, "-g", "", home=home), ["prod", "test"])
    equal(complete(OK, "--json", "un"), ["undrain"])
    equal(complete(sites, "drain", ""), ["bos", "nyc"])
    equal(complete(sites, "drain", "n"), ["nyc"])
    equal(complete(sites, "drain", "bos", ""), [])
    equal(complete(apps, "drain", "bos", "--app", ""), ["a.example"])
    equal(complete(OK, "drain", "bos", "--re"), ["--region", "--reason"])
    equal(complete(sites, "drain", "--over", "10m", ""), ["bos", "nyc"])
    equal(complete(OK, "drains", "--e"), ["--ended"])
    equal(complete(OK, "plan", ""), ["drain", "undrain", "force"])
    equal(complete(sites, "plan", "drain", "n"), ["nyc"])
    equal(complete(sites, "explain", "a", "--without", ""), ["bos", "nyc"])
    equal(complete(apps, "force", ""), ["a.example/bos", "a.example/nyc"])
    equal(complete(apps, "force", "a.example/bos", "d"), ["down"])
    equal(complete(apps, "plan", "force", ""), ["a.example/bos", "a.example/nyc"])
    equal(complete(apps, "plan", "force", "a.example/bos", "d"), ["down"])
    equal(complete(apps, "explain", "a"), ["a.example"])
    equal(complete({"ok": False, "error": "x"}, "drain", ""), [])


if __name__ == "__main__":
    harness.run(requests, times, usage, help_and_version, outcomes, monitoring, damaged_replies, no_daemon, socket_choice, timeouts, many_apps,
                many_overrides, tables, overrides_damaged, overrides, odd_replies, on_a_terminal, full_disk, completion, manual)
