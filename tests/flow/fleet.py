"""Several daemons and one edgesteerctl: who has an order, what becomes of those that are dead, that hang, that refuse and
that do not let it in; groups of ctl.yaml, also hostile ones; where daemons differ; two operators at once."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import harness
from door import JSON, OPERATE, READ, REPORT, TOKENS, Authority, Door, bearer
from harness import Ctl, Daemon, Responder, check, equal, program, program_env, until

APP, EAST, WEST = "app.edge.example.com", "us-east-1", "us-west-2"


def config(check_port=None, **more):
    target = {"addresses": ["127.0.0.1"]}
    base = {"domains": harness.DOMAIN, "sites": {EAST: {}, WEST: {}},
            "checks": {"c": {"type": "tcp", "port": check_port, "interval": "1s", "timeout": "1s", "rise": 1, "fall": 1}}
            if check_port else {},
            "apps": {APP: {"ttl": "1s", "targets": {EAST: {**target, **({"check": "c"} if check_port else {})},
                                                    WEST: {"addresses": ["203.0.113.2"]}}}}}
    return {**base, **more}


class Fleet:
    """Two daemons by their sockets, "a" and "b", and "c" by its door, with a group of all three."""

    def __init__(self, a=None, b=None, **door):
        self.stack = contextlib.ExitStack()
        self.home = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="edgesteer-fleet-")))
        self.a = self.stack.enter_context(Daemon(a or config()))
        self.b = self.stack.enter_context(Daemon(b or config()))
        self.door = Door(tls={"cert": "door.pem", "key": "door.key", "client-ca": "ca.pem"}, files={}, **door)
        self.ca = Authority(self.door.daemon.folder)
        self.ca.issue("door", "/CN=localhost")
        self.door.daemon.write_config({**config(), "server": self.door.config["server"]})
        self.door = self.stack.enter_context(self.door)
        self.c = self.door.daemon
        until(lambda: self.c.ctl("zones", code=None).code == 0, harness.PATIENCE_S, "c serves")
        self.url = f"https://localhost:{self.door.port}"
        self.tokens = {name: self.token(name, text) for name, text in
                       (("operate", OPERATE), ("read", READ), ("report", REPORT), ("wrong", "nobodys-0123456789"))}
        self.write({"default": "all", "groups": {"all": {"members": self.members()}}})

    def members(self, token="operate", ca="ca.pem"):
        return {"a": {"socket": str(self.a.socket_path)}, "b": {"socket": str(self.b.socket_path)},
                "c": {"url": self.url, "ca-file": str(self.c.folder / ca), "token-file": str(self.tokens[token])}}

    def token(self, name, text):
        path = self.home / f"{name}.token"
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def write(self, content):
        path = self.home / "edgesteer" / "ctl.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        path.chmod(0o600)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *why):
        return self.stack.__exit__(*why)

    def env(self, **more):
        env = {k: v for k, v in program_env().items() if not k.startswith("EDGESTEER_")}
        return {**env, "XDG_CONFIG_HOME": str(self.home), "TZ": "UTC", **more}

    def start(self, *words):
        return subprocess.Popen([program("edgesteerctl"), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.env())

    def run(self, *words, code=0, **env):
        done = Ctl(subprocess.run([program("edgesteerctl"), *words], capture_output=True, text=True, env=self.env(**env),
                                  timeout=harness.PATIENCE_S, check=False, stdin=subprocess.DEVNULL))
        check("Sanitizer" not in done.err, done.err)
        if code is not None:
            equal(done.code, code, words, done)
        return done

    def replies(self, *words, code=0):
        """By member what --json says."""
        lines = [json.loads(line) for line in self.run("--json", *words, code=code).out.splitlines()]
        return {line["member"]: line for line in lines}

    def drains(self):
        """Of what each daemon has drains, by its own socket."""
        return [sorted(drain["site"] for drain in d.ctl_json("drains")["drains"]) for d in (self.a, self.b, self.c)]


# ---- who has it ------------------------------------------------------------------------------------------------------


def everywhere():
    """Every kind of verb, with all of them there."""
    with Fleet() as fleet:
        done = fleet.run("drain", EAST, "--reason", "disk")
        equal(done.out.count(f"{EAST} is drained until undrained"), 3, done)
        check(done.out.endswith("all 3 have it: a, b, c\n") and "--- c ---\n" in done.out, done)
        equal(fleet.drains(), [[EAST]] * 3)
        equal(fleet.c.ctl_json("drains")["drains"][0]["who"], "token sre, 127.0.0.1")
        replies = fleet.replies("drains")
        equal({name: [drain["reason"] for drain in reply["drains"]] for name, reply in replies.items()},
              {name: ["disk"] for name in "abc"})
        fleet.b.ctl("undrain", EAST)
        done = fleet.run("undrain", EAST)  # it is so already on one
        check("edgesteerctl: b: " in done.err and done.out.endswith("all 3 have it: a, b, c\n"), done)
        equal(fleet.drains(), [[]] * 3)
        fleet.run("undrain", EAST, code=3)
        for words, code in (["force", f"{APP}/{EAST}", "down"], 0), (["force", f"{APP}/{EAST}", "auto"], 0), \
                (["report", f"{APP}/{EAST}", "up", "--vantage", "v"], 5), (["reload"], 0), (["reload", "--check"], 0), \
                (["learned", "forget", "--all"], 3), (["brake", "release"], 3), (["drain", "nowhere"], 1), \
                (["drain", EAST, "--for", "never"], 2):
            fleet.run(*words, code=code)
        for words in (["status"], ["apps", APP], ["sites"], ["targets"], ["zones"], ["stats"], ["version"],
                      ["explain", APP, "--client", "192.0.2.1/32"], ["sources"], ["vantages"], ["drains", "--ended"]):
            done = fleet.run(*words)
            equal([f"--- {name} ---" in done.out for name in "abc"], [True] * 3, words, done)
            equal(sorted(fleet.replies(*words)), ["a", "b", "c"], words)
        equal(fleet.replies("zones", "EDGE.example.com.")["c"]["zones"],
              fleet.c.ctl_json("zones", "edge.example.com")["zones"])
        fleet.run("zones", "nowhere.example", code=1)
        # The same of addresses; one alone is as ever, also over HTTP, and a group of one is still a group.
        url = ["--ca-file", str(fleet.c.folder / "ca.pem"), "--token-file", str(fleet.tokens["operate"])]
        for address in str(fleet.a.socket_path), fleet.url + "/":
            done = fleet.run("-s", address, *(url if "://" in address else []), "--json", "drain", WEST)
            check(done.json["ok"] and "member" not in done.json, done)
        done = fleet.run("-s", str(fleet.b.socket_path), "-s", fleet.url, *url, "drain", WEST)
        check(f"all 2 have it: {fleet.b.socket_path}, {fleet.url}\n" in done.out, done)
        equal(fleet.drains(), [[WEST]] * 3)
        fleet.write({"groups": {"one": {"members": {"a": {"socket": str(fleet.a.socket_path)}}}}})
        check("all 1 have it: a\n" in fleet.run("-g", "one", "undrain", WEST).out, "a group of one")


def planned():
    """Each plans by what it is asked, and refuses by what it has; reading is enough for a plan."""
    with Fleet() as fleet:
        fleet.write({"default": "all", "groups": {"all": {"members": fleet.members()},
                                                  "readers": {"members": fleet.members(token="read")}}})
        for words in (["plan", "drain", EAST], ["drain", EAST, "--dry-run"], ["-g", "readers", "plan", "drain", EAST],
                      ["force", f"{APP}/{EAST}", "down", "--dry-run"]):
            done = fleet.run(*words)
            equal([done.out.count(text) for text in ("Nothing has been changed", "REFUSED", "have it")], [3, 0, 0], done)
        equal(fleet.run("undrain", EAST, "--dry-run", code=3).err.count("is not drained"), 3)
        equal(fleet.drains(), [[]] * 3)
        fleet.b.ctl("drain", WEST)
        done = fleet.run("plan", "drain", EAST, code=1)
        equal(["REFUSED" in part for part in done.out.split("---\n")[1:]], [False, True, False], done)
        check("edgesteerctl: b: would be refused: it leaves clients with nothing" in done.err and "a: " not in done.err, done)
        equal({name: reply["would_be_refused"] for name, reply in fleet.replies("plan", "drain", EAST, code=1).items()},
              {"a": False, "b": True, "c": False})
        done = fleet.run("drain", EAST, code=5)
        check(done.out.endswith("2 of 3 have it: a, c; NOT: b (refused)\n"), done)
        check("edgesteerctl: b: not done: it leaves clients with nothing" in done.err, done)
        equal(fleet.drains(), [[EAST], [WEST], [EAST]])
        check(fleet.run("drain", WEST, code=5).out.endswith("1 of 3 have it: b; NOT: a (refused), c (refused)\n"), "what it has")
        fleet.run("undrain", WEST)
        fleet.run("drain", EAST)
        done = fleet.run("drain", WEST, code=1)
        check("0 of 3 have it" in done.out and done.err.count("not done: it leaves clients with nothing") == 3, done)
        fleet.run("drain", WEST, "--force")
        for reply in fleet.replies("drains").values():
            equal({row["site"]: row.get("forced", False) for row in reply["drains"]}, {EAST: False, WEST: True}, reply)
        # One that is away is worse than one that would refuse.
        fleet.b.kill()
        equal(fleet.run("plan", "drain", EAST, code=4).out.count("Nothing has been changed"), 2)


def not_everywhere():
    """One hangs, one is dead, one refuses: the others have it all the same, and soon."""
    with Fleet(a=config(server={"require-reason": "on"})) as fleet:
        done = fleet.run("drain", EAST, code=5)
        check(done.out.endswith("2 of 3 have it: b, c; NOT: a (refused)\n") and "edgesteerctl: a: " in done.err, done)
        equal(fleet.drains(), [[], [EAST], [EAST]])
        fleet.run("drain", EAST, "--reason", "x")
        equal(fleet.drains(), [[EAST]] * 3)
        # One that hangs is waited for; the others have it meanwhile.
        fleet.b.signal(signal.SIGSTOP)
        try:
            run = fleet.start("--timeout", str(2 * harness.PATIENCE_S), "undrain", EAST)
            until(lambda: not fleet.a.ctl_json("drains")["drains"] and not fleet.c.ctl_json("drains")["drains"],
                  harness.PATIENCE_S, "the others have it")
            equal(run.poll(), None)
            fleet.b.signal(signal.SIGCONT)
            out, err = run.communicate(timeout=harness.PATIENCE_S)
            equal(run.returncode, 0, out, err)
            # Or not, after a while, and may still do it.
            fleet.run("drain", EAST, "--reason", "x")
            fleet.b.signal(signal.SIGSTOP)
            replies = fleet.replies("--timeout", "2", "undrain", EAST, code=5)
            equal({name: (reply["ok"], reply.get("code")) for name, reply in replies.items()},
                  {"a": (True, None), "b": (False, 4), "c": (True, None)})
            check("no reply within 2 s" in replies["b"]["error"], replies["b"])
            fleet.run("reload", code=5)  # not the ten minutes that a reload may take
            equal(fleet.run("--timeout", "1", "status", code=4).out.count("--- "), 2)
        finally:
            fleet.b.signal(signal.SIGCONT)
        until(lambda: fleet.drains() == [[]] * 3, harness.PATIENCE_S, "it carries out what it was sent")
        fleet.c.kill()
        done = fleet.run("drain", WEST, "--reason", "x", code=5)
        check(done.out.endswith("2 of 3 have it: a, b; NOT: c (not reached)\n"), done)
        check("c: cannot reach the daemon at https://localhost:" in done.err, done)
        fleet.run("drain", "nowhere", "--reason", "x", code=1)  # two refuse, one is away: nobody has it
        fleet.run("version", code=4)
        fleet.a.kill()
        fleet.b.kill()
        done = fleet.run("drain", EAST, code=4)
        check(done.out == "0 of 3 have it; NOT: a (not reached), b (not reached), c (not reached)\n", done)


def waiting():
    """drain --wait and undrain --wait wait for all of them."""
    with Fleet(a={**config(), "apps": {APP: {**config()["apps"][APP], "ttl": "3s"}}}) as fleet:
        until(lambda: [d.ctl_json("apps")["apps"][0]["ttl_s"] for d in (fleet.a, fleet.b)] == [3, 1], harness.PATIENCE_S, "TTLs")
        for verb in "drain", "undrain":
            began = time.monotonic()
            fleet.run(verb, EAST, "--wait")
            took_s = time.monotonic() - began
            check(took_s >= 2.5, verb, took_s)  # to the second, of the longest TTL
        replies = fleet.replies("drain", EAST)
        fleet.run("drain", EAST, "--wait", "--timeout", "1", code=6)
        check(all(reply["ok"] for reply in replies.values()), replies)
        fleet.run("undrain", EAST)
        done = fleet.run("undrain", EAST, code=3)
        check(done.out == "nothing to do on any of 3: a, b, c\n", done)
        told = fleet.run("drain", EAST, "--app", APP, "--for", "3s", "--wait", code=6).err.splitlines()
        equal([line.split(f": {APP} at {EAST}: ")[0] for line in told], ["edgesteerctl: a", "edgesteerctl: b", "edgesteerctl: c"])


def observing():
    """What is measured goes to all, and what one does not take is said."""
    with Fleet(a=config(observe={}), b=config(observe={})) as fleet:
        lines = fleet.home / "lines"
        lines.write_text(f"192.0.2.1 {EAST} 10\n192.0.2.2 nowhere 10 x y z\n" + "".join(
            f"198.51.100.{i % 250} {EAST} {i % 90 + 1}\n" for i in range(4000)))
        done = fleet.run("observe", str(lines), code=5)  # c observes nothing
        check("a: " in done.err and "; NOT: c (refused)" in done.out, done)
        for daemon in fleet.a, fleet.b:
            until(lambda d=daemon: d.ctl_json("discovery")["observe"]["lines"] == 4001, harness.PATIENCE_S, "all lines")
        equal(fleet.run("-s", str(fleet.a.socket_path), "-s", str(fleet.b.socket_path), "observe", str(lines), code=2).code, 2)
        fleet.run("observe", "/nowhere/file", code=2)


# ---- who is let in ---------------------------------------------------------------------------------------------------


def denied():
    """Certificates, tokens and scopes that do not fit: said clearly, nothing done, and the others have it."""
    with Fleet() as fleet:
        Authority(fleet.c.folder, "other")
        rows = [({"ca": "other.pem"}, 4, "is not trusted, and was told nothing"), ({"token": "wrong"}, 1, "HTTP status 401"),
                ({"token": "read"}, 1, "HTTP status 403"), ({"token": "report"}, 1, "HTTP status 403")]
        for how, code, text in rows:
            fleet.write({"groups": {"all": {"members": fleet.members(**how)},
                                    "one": {"members": {"c": fleet.members(**how)["c"]}}}})
            done = fleet.run("-g", "all", "drain", EAST, code=5)
            check(text in done.err and "edgesteerctl: c: " in done.err, how, done)
            check(not any(secret in done.err + done.out for secret in (OPERATE, READ, REPORT, "nobodys")), "no token is shown", done)
            equal(fleet.drains(), [[EAST], [EAST], []], how)
            fleet.run("-g", "one", "drain", EAST, code=code)
            fleet.a.ctl("undrain", EAST)
            fleet.b.ctl("undrain", EAST)
        fleet.write({"groups": {"all": {"members": fleet.members("read")}}})
        fleet.run("-g", "all", "status")
        fleet.write({"default": "all", "groups": {"all": {"members": fleet.members()}}})
        for mode, content, text in ((0o604, None, "chmod o-rwx it"), (0o602, None, "chmod o-rwx it"), (0o600, "", "expected a token"),
                                    (0o600, "a b", "expected a token"), (0o600, "x" * 300, "expected a token"),
                                    (0o600, "\x01abc", "expected a token"), (None, None, "No such file")):
            path = fleet.tokens["operate"]
            if content is not None:
                path.write_text(content)
            if mode:
                path.chmod(mode)
            else:
                path.unlink()
            done = fleet.run("drain", EAST, code=5)
            check(text in done.err, mode, content, done)
            equal(fleet.drains(), [[EAST], [EAST], []])
        # By a certificate instead, whose key is a secret too.
        fleet.ca.issue("alice", "/CN=alice/OU=operate")
        key = fleet.c.folder / "alice.key"
        alice = ["-s", fleet.url, "--ca-file", str(fleet.c.folder / "ca.pem"), "--cert", str(key.with_suffix(".pem")), "--key", str(key)]
        fleet.run(*alice, "drain", EAST, "--app", APP)
        equal(fleet.c.ctl_json("drains")["drains"][0]["who"], "certificate alice, 127.0.0.1")
        fleet.run(*alice, "undrain", EAST)
        key.chmod(0o644)
        check("chmod o-rwx it" in fleet.run(*alice, "drain", EAST, code=4).err, "its mode")
        # Something else that listens there.
        with Responder(body=b"<html>") as other:
            address = f"http://127.0.0.1:{other.port}"
            done = fleet.run("-s", address, "status", code=1)
            check("is no door of edgesteerd: HTTP status 200" in done.err, done)
        for address, text in (("http://192.0.2.1:80", "in the clear"), ("ftp://localhost", "is not https://"), ("", "needs the path"),
                              ("https://x/path", "is more than"), ("https://user:pw@x", "is more than"), ("https://x?y", "is more than"),
                              ("https://[", "is not https://"), ("http://127.0.0.1.evil.example", "in the clear")):
            done = fleet.run("-s", address, "status", code=2)
            check(text in done.err, address, done)
        for words in (["-s", "/a", "-s", "/a", "status"], ["-s", "/a", "-g", "x", "status"], ["--token-file", "/a", "status"],
                      ["-s", "/a", "--ca-file", "/b", "status"], ["-s", "https://localhost", "--cert", "/b", "status"],
                      ["-g", "", "status"], ["-g", "a", "-g", "b", "status"], ["-s", "/a", "diff"]):
            fleet.run(*words, code=2)


def bound_tokens():
    """A token for some vantages speaks for no others, is told so, and it is counted."""
    bound = "bound-0123456789abcdef"
    both = "both-0123456789abcdef0"
    tokens = (TOKENS + f"report probe {bound} vantage=cell-*,nyc-?\nreport,read both {both} vantage=x\n"
              f"report twice {both} vantage=y\n")
    with Door(tokens=tokens) as door:
        until(lambda: door("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        entry = [{"app": APP, "site": EAST, "up": True}]
        rows = [(bound, "cell-7", 200), (bound, "cell-", 200), (bound, "nyc-1", 200), (bound, "nyc-12", 403), (bound, "xcell-7", 403),
                (bound, "CELL-7", 403), (both, "x", 200), (both, "y", 200), (both, "z", 403), (REPORT, "anybody", 200)]
        for token, vantage, status in rows:
            got, reply = door.post("/v1/health", {"vantage": vantage, "reports": entry}, token)
            equal(got, status, vantage, reply)
            got, reply = door.post("/v1/report", {"vantage": vantage, "app": APP, "site": EAST, "to": "up"}, token)
            equal(got, status, vantage, reply)
            check(status == 200 or "bound to vantages" in reply["error"], reply)
        for fields in ({}, {"vantage": 7}, {"vantage": ["cell-7"]}):
            equal(door.post("/v1/health", {**fields, "reports": entry}, bound)[0], 403, fields)
        equal(door.post("/v1/observe", {"lines": f"192.0.2.1 {EAST} 5\n"}, bound)[0], 403, "it speaks for no vantage")
        refused = 2 * sum(status == 403 for *_, status in rows) + 4
        equal(door.metrics()['edgesteer_http_denied_total{reason="vantage"}'], refused)
        equal(sorted(v["name"] for v in door.daemon.ctl_json("vantages")["vantages"]), ["anybody", "cell-", "cell-7", "nyc-1", "x", "y"])
        for line, text in (("read m 0123456789abcdef vantage=x", "without the scope `report`"),
                           ("report m 0123456789abcdef vantage=", "an empty pattern"),
                           ("report m 0123456789abcdef vantage=a,,b", "an empty pattern"),
                           ("report m 0123456789abcdef vantage=a,", "an empty pattern"),
                           ("report m 0123456789abcdef carrier=a", "is not SCOPE"),
                           ("report m 0123456789abcdef vantage=a b", "is not SCOPE"),
                           ("report m 0123456789abcdef vantage=" + "a" * 256, "longer than 255")):
            (door.daemon.folder / "tokens").write_text(line + "\n")
            errors = door.daemon.reload(code=2).json["errors"]
            check(any(text in error for error in errors), line, errors)


# ---- ctl.yaml --------------------------------------------------------------------------------------------------------


def groups():
    """Which daemons it is, and files that are wrong or hostile: every one refused, with the place, and nobody asked."""
    with Fleet() as fleet:
        a, b = str(fleet.a.socket_path), str(fleet.b.socket_path)
        both = {"members": {"a": {"socket": a}, "b": {"socket": b}}}
        fleet.write({"default": "one", "groups": {"one": {"members": {"a": {"socket": a}}}, "two": both}})
        for env, words, asked in (({}, [], 1), ({"EDGESTEER_GROUP": "two"}, [], 2), ({}, ["-g", "two"], 2),
                                  ({"EDGESTEER_GROUP": "two"}, ["--group", "one"], 1), ({"EDGESTEER_SOCKET": a}, [], 0),
                                  ({"EDGESTEER_GROUP": "two"}, ["-s", b], 0), ({"EDGESTEER_GROUP": "", "EDGESTEER_SOCKET": ""}, [], 1),
                                  ({"XDG_CONFIG_HOME": "", "HOME": str(fleet.home / "h")}, [], 1)):
            home = fleet.home / "h" / ".config"
            if not home.exists():
                home.mkdir(parents=True)
                (home / "edgesteer").symlink_to(fleet.home / "edgesteer")
            equal(fleet.run("version", *words, **env).out.count("--- "), asked, env, words)
        for env, words, text in (({"EDGESTEER_GROUP": "tow"}, [], "did you mean 'two'"), ({}, ["-g", "none"], "has no group 'none'"),
                                 ({"XDG_CONFIG_HOME": "/nowhere"}, ["-g", "two"], "does not exist")):
            check(text in fleet.run("version", *words, code=2, **env).err, words)
        member = {"socket": a}
        url = {"url": fleet.url}
        rows = [
            ("", "groups"), ("[]", "mapping"), ("groups: {", "ctl.yaml:2:1: not YAML"), ("\0", "ctl.yaml"), ("x" * (1 << 20) + "y", "larger than"),
            ("a: &a [x]\nb: *a\n", "ctl.yaml:1"), ('{"default": "x", "groups": {"y": {"members": {"a": {"socket": "/a"}}}}}', "has no 'x'"),
            ({"groups": {"g": {"members": {}}}}, "has no members"), ({"groups": {"g": {}}}, "members"),
            ({"groups": {"g": {"members": {"a": {}}}}}, "neither a `socket` nor a `url`"),
            ({"groups": {"g": {"members": {"a": {**member, **url}}}}}, "expected one of them"),
            ({"groups": {"g": {"members": {"a": {**member, "token-file": "/x"}}}}}, "are for a `url`"),
            ({"groups": {"g": {"members": {"a": {"url": "http://192.0.2.1"}}}}}, "in the clear"),
            ({"groups": {"g": {"members": {"a": {"url": "/run/x.sock"}}}}}, "is not https://"),
            ({"groups": {"g": {"members": {"a": {**url, "cert": "/x"}}}}}, "go together"),
            ({"groups": {"g": {"key": "/x", "members": {"a": url}}}}, "go together"),
            ({"groups": {"g": {"members": {"a": member, "b": member}}}}, "one daemon twice"),
            ({"groups": {"g": {"members": {"a": {"sokcet": a}}}}}, "sokcet"),
            ({"groups": {"g": {"members": {"a\x1b[2J": member}}}}, "ctl.yaml"),
            ({"groups": {"g/../x": {"members": {"a": member}}}}, "is no name"),
            ({"groups": {"g": {"members": {f"m{i}": {"socket": f"/{i}"} for i in range(65)}}}}, "64"),
            ({"groups": {"g": {"members": {"a": {"socket": [a]}}}}}, "ctl.yaml"), ({"gruops": {}}, "groups"),
        ]
        for content, text in rows:
            fleet.write(content)
            done = fleet.run("-g", "g", "drain", EAST, code=2)
            check(text in done.err and "\x1b" not in done.err, content if len(str(content)) < 300 else "long", done.err[:500])
            equal(fleet.run("-g", "g", "check", code=3).out, "EDGESTEER UNKNOWN - the command line is wrong, see standard error\n")
            fleet.run("-s", a, "version")  # which does not read it
        equal(fleet.drains(), [[]] * 3)
        path = fleet.write({"groups": {"g": both}})
        path.chmod(0o602)
        check("can be written by everybody" in fleet.run("-g", "g", "version", code=2).err, "its mode")
        path.unlink()
        os.mkfifo(path)
        check("not a regular file" in fleet.run("-g", "g", "version", code=2).err, "a FIFO is not waited for")


# ---- diff and check --------------------------------------------------------------------------------------------------


def differences():
    """Each kind of difference, one by one, and none without one."""
    with Responder() as responder, contextlib.ExitStack() as stack:
        files = {"edge.example.com.zone": zone(7), "ranges.csv": "prefix,carrier\n192.0.2.0/24,verizon\n"}
        written = config(responder.port, domains={"edge.example.com": {"file": "edge.example.com.zone"}},
                         locate=[{"plugin": "ranges", "file": "ranges.csv"}])
        daemons = [stack.enter_context(Daemon(written, files=files)) for _ in range(3)]
        words = [word for d in daemons for word in ("-s", str(d.socket_path))]
        odd = daemons[2]

        def ctl(*more, code=None):
            done = Ctl(subprocess.run([program("edgesteerctl"), *words, *more], capture_output=True, text=True, check=False,
                                      env={**program_env(), "XDG_CONFIG_HOME": "/nowhere"}, timeout=harness.PATIENCE_S))
            if code is not None:
                equal(done.code, code, more, done)
            return done

        def found():
            done = ctl("--json", "diff")
            equal(done.code, 1 if done.json["differences"] else 0, done)
            equal(done.json["same"], done.code == 0, done)
            return sorted((row["what"], row["of"]) for row in done.json["differences"])

        def same():
            return found() == []

        until(same, harness.PATIENCE_S, "they are the same")
        equal(ctl("diff", code=0).out, "3 daemons are the same\n")
        ctl("drain", EAST, "--for", "1h", "--reason", "x", code=0)
        ctl("force", f"{APP}/{WEST}", "down", code=0)
        check(same(), "what was ordered of all is the same on all", ctl("diff"))
        odd.ctl("drain", EAST, "--for", "2h", "--reason", "x")
        equal(found(), [("drain", EAST)])
        odd.ctl("drain", EAST, "--for", "1h", "--reason", "y")
        equal(found(), [("drain", EAST)])
        check(": y" in ctl("diff", code=1).out, "the reasons are shown")
        ctl("undrain", EAST, code=0)
        odd.ctl("drain", f"{APP}/{WEST}")
        equal(found(), [("drain", f"{APP}/{WEST}"), ("health", f"{APP}/{WEST}")])
        out = ctl("diff", code=1).out
        check(f"drain {APP}/{WEST}  {daemons[0].socket_path}, {daemons[1].socket_path}: none; {odd.socket_path}: drained" in out, out)
        ctl("undrain", WEST, code=0)
        odd.ctl("force", f"{APP}/{WEST}", "up")
        equal(found(), [("force", f"{APP}/{WEST}"), ("health", f"{APP}/{WEST}")])
        ctl("force", f"{APP}/{WEST}", "auto", code=0)
        check(same(), ctl("diff"))
        odd.ctl("adopt", APP, "40", "--reason", "z")
        daemons[0].ctl("adopt", APP, "90", "--over", "1h")
        equal(found(), [("adopt", APP)])
        out = ctl("diff", code=1).out
        check("90 % over 1 h" in out and "none" in out and "40 %: z" in out, out)
        ctl("adopt", APP, "--end", code=None)
        check(same(), ctl("diff"))
        # Health: one that sees another load balancer.
        with Responder() as other:
            odd.reload({**written, "checks": {"c": {**written["checks"]["c"], "port": other.port}}})
            until(lambda: found() == [("config", "")], harness.PATIENCE_S, "the config's digest")
            other.down()
            until(lambda: found() == [("config", ""), ("health", f"{APP}/{EAST}")], harness.PATIENCE_S, "health")
        odd.reload(written)
        until(same, harness.PATIENCE_S, "as before")
        # What is a daemon's own is no difference, nor is how the config is divided.
        included = dict(written)
        odd.write("apps.yaml", json.dumps({"apps": included.pop("apps")}))
        odd.reload({**included, "include": ["apps.yaml"], "server": {"log-level": "notice"}})
        until(same, harness.PATIENCE_S, "the same in two files")
        odd.reload(written)
        # A serial that is the time of the load is no difference; one that the config has is.
        for serial, expected in ((None, []), (9, [("config", ""), ("serial", "edge.example.com")])):
            ns = {"ns": ["ns1.example.net"]}
            odd.reload({**written, "domains": {"Edge.Example.com": {**ns, **({"serial": serial} if serial else {})}}})
            its, = (row["serial"] for row in odd.ctl_json("zones")["zones"])
            until(lambda its=its: time.time() >= its + 1, harness.PATIENCE_S, "the next second, as the serial is the time")
            for d in daemons[:2]:
                d.reload({**written, "domains": {"Edge.Example.com": ns}})
                check(d.ctl_json("zones")["zones"][0]["serial"] > its)
            equal(found(), expected)
        for d in daemons:
            d.reload(written)
        until(same, harness.PATIENCE_S, "as before")
        # Files: a serial goes with its file; a table whose content has another carrier.
        odd.write("edge.example.com.zone", zone(8))
        odd.reload()
        equal(found(), [("files", ""), ("serial", "edge.example.com")])
        odd.write("edge.example.com.zone", zone(7))
        odd.write("ranges.csv", files["ranges.csv"].replace("verizon", "vodafone-de"))
        odd.reload()
        equal(found(), [("files", "")])
        odd.write("ranges.csv", files["ranges.csv"] + "198.51.100.0/24,verizon\n")
        odd.reload()
        check({("files", ""), ("view", "prefixes")} <= set(found()), found())
        odd.write("ranges.csv", files["ranges.csv"])
        odd.reload()
        check(same(), ctl("diff"))
        odd.write_config("apps: [")
        odd.ctl("reload", code=2)
        equal(found(), [("reload", "")])
        odd.reload(written)
        odd.reload({**written, "apps": {**written["apps"], "b.edge.example.com": written["apps"][APP]}})
        check({("config", ""), ("view", "apps"), ("health", f"b.edge.example.com/{EAST}")} <= set(found()), found())
        odd.reload(written)
        until(same, harness.PATIENCE_S, "as before")
        # One that does not answer is not compared, and said.
        odd.signal(signal.SIGSTOP)
        done = ctl("--timeout", "1", "diff", code=5)
        check(done.out == "2 daemons are the same\n" and "no reply within 1 s" in done.err, done)
        odd.signal(signal.SIGCONT)
        for daemon in daemons:
            daemon.stop()
        ctl("diff", code=4)


def zone(serial):
    return (f"$ORIGIN edge.example.com.\n$TTL 60\n@ SOA ns1.example.net. hostmaster.example.net. {serial} 60 60 60 60\n"
            "@ NS ns1.example.net.\n@ NS ns2.example.net.\n")


def monitoring():
    """check: the worst of all on one line, with each one's figures."""
    with Responder() as responder, Fleet(b=config(responder.port)) as fleet:
        until(lambda: fleet.run("check", code=None).code == 0, harness.PATIENCE_S, "all is well")
        done = fleet.run("check")
        check(done.out.startswith("EDGESTEER OK - 3 of 3 daemons OK |") and done.out.count("\n") == 1, done)
        check("'b up'=2;;;0;2" in done.out and "'c down'=0;;;0;2" in done.out, done)
        responder.down()
        until(lambda: fleet.run("check", code=None).code == 1, harness.PATIENCE_S, "a target is down")
        check("2 of 3 daemons OK; b WARNING: " in fleet.run("check", code=1).out, "which one")
        fleet.c.kill()
        done = fleet.run("check", code=3)  # not to know is worse than a warning
        check(done.out.startswith("EDGESTEER UNKNOWN - 1 of 3 daemons OK; b WARNING: ") and "; c UNKNOWN: " in done.out, done)
        fleet.b.ctl("force", f"{APP}/{EAST}", "down")
        fleet.b.ctl("force", f"{APP}/{WEST}", "down")
        done = fleet.run("check", code=2)
        check(done.out.startswith("EDGESTEER CRITICAL - ") and done.out.count("|") == 1 and done.out.count("\n") == 1, done)
        equal({reply["member"]: reply.get("level") for reply in map(json.loads, fleet.run("--json", "check", code=2).out.splitlines())},
              {"a": "ok", "b": "critical", "c": None})


# ---- two at once -----------------------------------------------------------------------------------------------------


def two_operators():
    """Two operators at once, whose members are in another order: both changes are on all, or a refusal says which is not."""
    with Fleet() as fleet:
        members = list(fleet.members().items())
        fleet.write({"groups": {"one": {"members": dict(members)}, "two": {"members": dict(reversed(members))}}})
        for turn in range(5):
            runs = [fleet.start("-g", group, "drain", "--force", site, "--reason", f"{group}{turn}")
                    for group, site in (("one", EAST), ("two", WEST))]
            for run in runs:
                out, err = run.communicate(timeout=harness.PATIENCE_S)
                equal(run.returncode, 0, out, err)
            equal(fleet.drains(), [sorted([EAST, WEST])] * 3)
            runs = [fleet.start("-g", group, "undrain", site) for group, site in (("one", WEST), ("two", EAST))]
            for run in runs:
                equal((run.communicate(timeout=harness.PATIENCE_S), run.returncode)[1], 0)
            equal(fleet.drains(), [[]] * 3)
        # Of the same: every member has one of the two, whole; and diff says where they are not the same one.
        runs = [fleet.start("-g", group, "drain", EAST, "--reason", group) for group in ("one", "two")]
        for run in runs:
            equal((run.communicate(timeout=harness.PATIENCE_S), run.returncode)[1], 0)
        reasons = [d.ctl_json("drains")["drains"][0]["reason"] for d in (fleet.a, fleet.b, fleet.c)]
        check(set(reasons) <= {"one", "two"}, reasons)
        done = fleet.run("-g", "one", "--json", "diff", code=None)
        rows = [row for row in done.json["differences"] if row["what"] == "drain"]
        equal(len(rows), len(set(reasons)) - 1, reasons, done)
        for row in rows:
            equal([row["values"][name]["reason"] for name in "abc"], reasons)
        # One gives what the other takes back: each reply is true of its moment, and after one more all are the same.
        run = fleet.start("-g", "one", "undrain", EAST)
        other = fleet.start("-g", "two", "drain", EAST)
        check((run.communicate(timeout=harness.PATIENCE_S), run.returncode)[1] in (0, 3), "undrained, or it was")
        equal((other.communicate(timeout=harness.PATIENCE_S), other.returncode)[1], 0)
        fleet.run("-g", "one", "undrain", EAST, code=None)
        equal(fleet.drains(), [[]] * 3)


if __name__ == "__main__":
    harness.run(everywhere, planned, not_everywhere, waiting, observing, denied, bound_tokens, groups, differences, monitoring,
                two_operators)
