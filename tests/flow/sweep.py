"""Every verb, with whatever nobody ought to give it: over the command line and the control socket. What there is to give is what
the programs say themselves, so a new verb, field or option is swept as it comes. Each gets a clear error with the exit code of
the table, nothing has changed, and nothing of it reaches a terminal as more than text."""

import collections
import concurrent.futures
import json
import math
import random
import re
import subprocess

import door
import harness
from harness import Daemon, check, equal, program

NAME = "app.edge.example.com"
EAST = "us-east-1"
# Of what has the scope `read` anything may be said yes to. Of the rest what is said by people, for people; and who reports.
FREE_TEXT = {"reason", "by", "vantage", "carrier", "observed_at", "lines"}
MEANT = {("percent", "0")}  # which happen to be right
# What is right for a field that a verb needs, or that says what it is about; others need not be here.
RIGHT = {"app": NAME, "site": EAST, "to": "down", "name": NAME, "client": "10.1.2.3", "vantage": "agent", "lines": "x",
         "reports": [{"app": NAME, "site": EAST, "up": True}]}
ABOUT = {"drain": ("site",), "undrain": ("site",)}
EXIT_CODES = {0, 1, 2, 3}  # 4 and 5 are of daemons that cannot be reached
SECONDS_MAX = 5

LONG = "x" * 65536
TEXTS = ["", " ", LONG, "x" * 300, "a\tb", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "two\nlines", "\r", "\x7f", "\u0085\u009b31m",
         "\u202eover", "nowhere", "*nowhere*", "?" * 64, "**" * 30 + "y", "../../etc/passwd", "/", "//", "a/b/c", "%s%n%s", "-1", "0", "nan",
         "inf", "1e999", "99999999999999999999", "-5s", "0s", "1h1h", "99999999999999999999h", "584942417355d", "9223372036854775807",
         "@-1", "@99999999999999999999", "2026-02-30T10:00:00Z", "25:61", "300.1.2.3", "::/129", "10.0.0.0/-1", "\ud7ff\ue000",
         ",", "region:,carrier:", "{}", "[]", "null", "'; DROP TABLE override; --", "$(reboot)", "🛰" * 40]
# Of no use in JSON, or not to be had there.
OCTETS = [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"ok\x80", b"\xf5\x80\x80\x80"]
WRONG_TYPES = [None, True, False, 0, -1, 1.5, 1e300, 2**62, [], [[]], {}, {"a": 1}, ["x"] * 1000]


def bad_text(text):
    """What a terminal would not show as text."""
    return re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]", text.replace("\x1b[0m", ""))


def state(control):
    """What no refused request may change."""
    status = control("status")
    return {key: status.get(key) for key in ("overrides_revision", "generation", "digests", "config_digest", "files_digest", "drains", "forces", "adoptions")} | {
        "learned": control("learned")}


def config():
    return {**door.config(), "domains": harness.DOMAIN}


def request_of(verb, **fields):
    """A request that is right but for these fields."""
    needed = {field["name"]: RIGHT.get(field["name"], "x") for field in verb["fields"]
              if field["needed"] or field["name"] in ABOUT.get(verb["name"], ())}
    return {**needed, **fields}


def requests(verb):
    """(what is wrong, the request's line, whether it may be taken)."""
    reads, name = verb["scope"] == "read", verb["name"]

    def line(fields):
        return json.dumps({"verb": name, **fields}).encode()

    for field in verb["fields"]:
        key = field["name"]
        for text in TEXTS:
            yield key, line(request_of(verb, **{key: text[:60000]})), reads or key in FREE_TEXT or (key, text) in MEANT
        for value in WRONG_TYPES:
            is_right = isinstance(value, bool) if field["is"] == "true or false" else \
                "number" in field["is"] and isinstance(value, (int, float)) and not isinstance(value, bool)
            # An empty list is one, of which there is nothing to do.
            yield key, line(request_of(verb, **{key: value})), reads or is_right or (value == [] and field["is"] == "a list")
        for octets in OCTETS:
            yield key, line(request_of(verb, **{key: "HERE"})).replace(b"HERE", octets), False
        yield key, line(request_of(verb, **{key: "a\0b"})), False
        if field["needed"]:
            rest = request_of(verb)
            del rest[key]
            yield f"no {key}", line(rest), False
        yield f"{key} twice", line(request_of(verb, **{key: "x"}))[:-1] + b', "%s": "x"}' % key.encode(), False
    yield "unknown field", line(request_of(verb, nosuch="x")), False
    yield "many fields", line(request_of(verb, **{f"f{n}": n for n in range(2000)})), False
    yield "long name of a field", line(request_of(verb, **{"f" * 60000: 1})), False
    yield "control characters in a field's name", line(request_of(verb, **{"\x1b[31m": 1})), False
    yield "garbage behind", line(request_of(verb)) + b" x", False
    yield "two objects", line(request_of(verb)) * 2, False
    yield "cut", line(request_of(verb))[:-1], False
    yield "deep", line(request_of(verb))[:-1] + b', "deep": ' + b"[" * 30000 + b"]" * 30000 + b"}", False
    yield "in a list", b"[" + line(request_of(verb)) + b"]", False


def ask(control, octets):
    control.sock.sendall(octets + b"\n")
    return json.loads(control.file.readline())


def over_the_socket():
    with Daemon(config()) as d, d.control() as control:
        verbs = control("verbs")["verbs"]
        check(len(verbs) > 20 and {"drain", "status", "verbs"} <= {verb["name"] for verb in verbs}, verbs)
        before, asked, taken = state(control), 0, collections.Counter()
        for verb in verbs:
            for what, octets, may in requests(verb):
                where = f"{verb['name']}, {what}: {octets[:200]!r}"
                reply, asked = ask(control, octets), asked + 1
                check(isinstance(reply.get("ok"), bool), where, reply)
                if reply["ok"]:
                    check(may, "is taken:", where, str(reply)[:300])
                    taken[verb["name"]] += 1
                    if verb["scope"] != "read":
                        restore(control, before)
                    continue
                check(reply["code"] in (1, 2, 3), where, reply)
                check(0 < len(reply["error"]) < 2000 and "\n" not in reply["error"], where, reply)
            now = state(control)
            if verb["scope"] == "read":
                equal(now, before, verb["name"])
            else:
                for key in set(before) - {"overrides_revision", "generation"}:
                    equal(now[key], before[key], verb["name"], key)
            before = now
        d.ctl("version")
        print(f"  {asked} requests of {len(verbs)} verbs; taken: {sum(taken.values())}")


def restore(control, before):
    """Takes back what a verb was right to do."""
    for drain in control("status")["drains"]:
        if drain not in before["drains"]:
            control("undrain", site=drain["site"], **({"app": drain["app"]} if drain["app"] else {}))
    for force in control("status")["forces"]:
        control("force", app=force["app"], site=force["site"], to="auto")
    for adoption in control("status")["adoptions"]:
        control("adopt", app=adoption["app"], end=True)


# ---- edgesteerctl ----------------------------------------------------------------------------------------------------


def ctl(path, words):
    """Its exit code, and what it printed, in octets."""
    command = [program("edgesteerctl").encode(), b"-s", str(path).encode(), *words]
    done = subprocess.run(command, capture_output=True, timeout=harness.PATIENCE_S, env=harness.program_env(), check=False,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def vocabulary(path):
    """Each verb with its words and options, as --help has them: {verb: ([word], {option: argument or None})}."""
    text = ctl(path, [b"--help"])[1].decode()
    rows = re.findall(r"^  ([a-z]+(?: [a-z]+)?)((?: \S+)*)  ", text.partition("Options")[0], re.MULTILINE)
    found = {}
    for verb, _ in rows:
        usage = ctl(path, [*verb.encode().split(), b"--help"])[1].decode().splitlines()[0]
        options = dict(re.findall(r"--([a-z-]+)(?: ([A-Z][^\] ]*))?", usage))
        words = usage.removeprefix(f"usage: edgesteerctl {verb}").partition("--")[0].replace("[", " ").split()
        found[verb] = ([word for word in words if word.strip("]")], {name: arg or None for name, arg in options.items()})
    return found


def right_words(verb, words, options):
    """What is right for its words, and for the options that it needs."""
    known = {"APP/SITE": f"{NAME}/{EAST}", "SITE": EAST, "NAME": NAME}
    given = [known.get(word, word.split("|")[-1]).encode() for word in words if not word.endswith("]")]
    extra = [b"--client=10.1.2.3"] if "client" in options else []
    return given, extra + ([b"--vantage=agent"] if "vantage" in options else [])


def command_lines(verb, words, options):
    """(what is wrong, the words, whether it may be done)."""
    name = verb.encode().split()
    right, extra = right_words(verb, words, options)
    octets = [text.encode("utf-8", "surrogatepass") for text in TEXTS] + OCTETS
    yield "too many words", [*name, *right, *[b"more"] * 300, *extra], False
    yield "unknown option", [*name, *right, b"--nosuch=\x1b[31m", *extra], False
    yield "short option", [*name, *right, b"-\x1b", *extra], False
    if right:
        yield "nothing", name, False
    for at in range(max(len(right), 1 if words else 0)):
        for text in octets:
            if b"\0" not in text:
                yield f"word {at}", [*name, *right[:at], *([b"--"] if text[:1] == b"-" else []), text, *right[at + 1:]] if text[:1] == b"-" else \
                    [*name, *extra, *right[:at], text, *right[at + 1:]], False
    for option, argument in options.items():
        mine = [word for word in extra if not word.startswith(f"--{option}=".encode())]
        if argument is None:
            yield f"--{option}=", [*name, *right, f"--{option}=yes".encode(), *mine], False
            continue
        yield f"--{option} twice", [*name, *right, *[f"--{option}=x".encode()] * 2, *mine], False
        yield f"--{option} without", [*name, *right, *mine, f"--{option}".encode()], False
        for text in octets:
            yield f"--{option}", [*name, *right, *mine, f"--{option}=".encode() + text], option in FREE_TEXT


READS = {"status", "check", "sites", "apps", "targets", "drains", "explain", "sources", "discovery", "learned", "vantages", "zones",
         "diff", "stats", "version"}


def look(path, verb, what, words, may):
    """None, or what is wrong with what one command line did."""
    code, out, err = ctl(path, words)
    where = f"edgesteerctl {verb}, {what}: {[word[:80] for word in words]!r}: exit code {code}: {err[:500]!r}"
    if code not in EXIT_CODES and not (verb == "check"):
        return f"exit code: {where}"
    if code == 0 and not may and verb not in READS:
        return f"done: {where}"
    try:
        lines, _ = err.decode().splitlines(), out.decode()
    except UnicodeDecodeError:
        return f"not UTF-8: {where}"
    if bad_text(err.decode()) or bad_text(out.decode()):
        return f"control characters: {where} {out[:200]!r}"
    if code != 0 and verb != "check" and not lines:
        return f"nothing is said: {where}"
    if len(err) > 8192 or max(map(len, lines), default=0) > 4096:
        return f"{len(err)} octets are said: {where[:300]}"
    return None


EACH = 8 if harness.sanitizer() else 1  # which make a program that is begun thousands of times slow
DICE = random.Random(8)


def over_the_command_line():
    with Daemon(config()) as d, d.control() as control, concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = vocabulary(d.socket_path)
        known = {verb["name"] for verb in control("verbs")["verbs"]}
        check(len(found) > 20 and {"drain", "brake release"} <= set(found), found)
        check(not known - set(found) - {"health", "verbs"}, known - set(found))
        before, run, wrong = state(control), 0, []
        for verb, (words, options) in found.items():
            lines = [line for line in command_lines(verb, words, options) if line[1][-1:] != [b"--wait"]]
            jobs = [pool.submit(look, d.socket_path, verb, *line) for line in DICE.sample(lines, math.ceil(len(lines) / EACH))]
            results = [job.result() for job in jobs]
            run += len(results)
            wrong += [result for result in results if result]
            restore(control, before)
            now = state(control)
            for key in set(before) - {"overrides_revision", "generation"}:
                equal(now[key], before[key], verb, key)
        check(not wrong, f"{len(wrong)} of {run}:\n" + "\n".join(wrong[:25]))
        print(f"  {run} command lines of {len(found)} verbs")


if __name__ == "__main__":
    harness.run(over_the_socket, over_the_command_line, limit_s=240)
