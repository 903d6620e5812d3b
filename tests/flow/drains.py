"""Drains as an operator gives them: of patterns, regions and carriers, later and until, over a time, and by whom; what caches
may still have, across restarts; on a full disk."""

import json
import os
import random
import resource
import subprocess
import threading
import time

import door
import harness
import statefiles
from harness import Daemon, Skip, check, equal, until

ZONE = "edge.example.com"
NAME, OTHER = "app." + ZONE, "other." + ZONE
BOS, NYC, CHI = "us-east-1-wl1-bos-wlz-1", "us-east-1-wl1-nyc-wlz-1", "us-east-1-wl1-chi-wlz-1"
EAST, WEST = "us-east-1", "us-west-2"
ADDRESS = {BOS: "155.146.1.10", NYC: "155.146.21.10", CHI: "155.146.81.10", EAST: "203.0.113.1", WEST: "203.0.113.2"}
LEAD_TTL_S = 5


def config(sites=(EAST, WEST), apps=(NAME,), ttl="30s", **server):
    return {"server": server, "domains": harness.DOMAIN, "sites": {site: {} for site in sites},
            "apps": {app: {"ttl": ttl, "targets": {site: {"addresses": [ADDRESS[site]]} for site in sites}} for app in apps}}


def drained(daemon, app=NAME):
    return {row["site"] for row in daemon.ctl_json("apps", app)["apps"][0]["targets"] if row["state"].startswith("drained")}


def drains(daemon):
    return daemon.ctl_json("drains")["drains"]


def ended(daemon):
    return [(row["kind"], row["site"], row["how"]) for row in daemon.ctl_json("drains", "--ended")["ended"]]


# ---- Who -------------------------------------------------------------------------------------------------------------


def who():
    """Each has its author and, where he says so, on whose behalf; what has ended says who ended it, and how."""
    with Daemon(config()) as d:
        given = d.ctl_json("drain", EAST, "--by", "Alice", "--reason", "disk")
        check(given["who"].startswith("uid ") and given["by"] == "Alice", given)
        d.ctl("drain", EAST, "--by", "Bob", "--reason", "the other disk")
        d.ctl("undrain", EAST, "--by", "Carol")
        d.ctl("drain", WEST, "--for", "1s", "--force")
        d.ctl("force", f"{NAME}/{EAST}", "down", "--reason", "fire", "--by", "Dan")
        d.ctl("force", f"{NAME}/{EAST}", "auto")
        until(lambda: len(ended(d)) == 4, harness.PATIENCE_S, "the drain runs out")
        expected = [("drain", WEST, "ran out"), ("force", EAST, "taken back"), ("drain", EAST, "taken back"),
                    ("drain", EAST, "replaced")]
        equal(ended(d), expected)
        rows = d.ctl_json("drains", "--ended")["ended"]
        equal([(row["by"], row["reason"], row["ended_by"]) for row in rows],
              [(None, None, None), ("Dan", "fire", None), ("Bob", "the other disk", "Carol"), ("Alice", "disk", "Bob")])
        check(rows[2]["ended_who"].startswith("uid ") and rows[0]["ended_who"] is None, rows)
        shown = d.ctl("drains", "--ended", as_json=False).out
        check(" for Alice" in shown and " for Carol" in shown and "ran out" in shown, shown)
        equal([f"drain BY FORCE  {WEST}" in line for line in shown.splitlines()].count(True), 1, shown)
        d.restart()
        equal(ended(d), expected, "a week, across restarts")
        equal(d.ctl_json("drains", "--ended")["ended"], rows, "in every word")


def through_sudo():
    """Who has logged in is told, not who he has become since."""
    def log_in():
        with open("/proc/self/loginuid", "w", encoding="ascii") as file:
            file.write("12345")

    with Daemon(config()) as d:
        try:
            subprocess.run(["true"], preexec_fn=log_in, check=True)
        except (OSError, subprocess.SubprocessError):
            raise Skip("the login's user cannot be set here") from None
        subprocess.run([harness.program("edgesteerctl"), "-s", str(d.socket_path), "drain", EAST], preexec_fn=log_in, check=True,
                       stdout=subprocess.DEVNULL)
        check(drains(d)[0]["who"].startswith(f"uid 12345 as uid {os.getuid()}"), drains(d))


def reason_required():
    with Daemon(config(**{"require-reason": True})) as d:
        for words in (("drain", EAST), ("force", f"{NAME}/{EAST}", "down")):
            equal(d.ctl("plan", *words).code, 0, "who only looks needs none")
            check("a reason is needed" in d.ctl(*words, code=2).err)
            d.ctl(*words, "--reason", "because")
        d.ctl("undrain", EAST)
        d.ctl("force", f"{NAME}/{EAST}", "auto")
        equal(drains(d), [])


# ---- What of ---------------------------------------------------------------------------------------------------------


def what_of():
    sites, all_wlz = (BOS, NYC, EAST, WEST), {BOS, NYC}
    rows = [((BOS,), {BOS}), ((f"{NAME}/{BOS}",), {BOS}), (("us-east-1-wl1-*",), all_wlz), (("*-wl1-?os-*",), {BOS}),
            (("--region", EAST), all_wlz | {EAST}), (("--region", WEST), {WEST}), (("--carrier", "verizon"), all_wlz),
            (("*nyc*", "--carrier", "verizon"), {NYC}), (("--region", EAST, "--carrier", "verizon"), all_wlz),
            (("*", "--app", NAME), set(sites)), ((f"{NAME}/us-east-1-wl1-*",), all_wlz)]
    with Daemon(config(sites, apps=(NAME, OTHER))) as d:
        for words, expected in rows:
            given = d.ctl_json("drain", "--force", *words)
            equal(drained(d), expected, words)
            equal(drained(d, OTHER), set() if given["app"] else expected, words)
            equal(given["targets"], len(expected) * (1 if given["app"] else 2), words)
            d.ctl("undrain", *words)
            equal(drained(d), set(), words)
            equal(d.ctl("undrain", *words, code=3).json["code"], 3)
        # Several at once: each takes its own away only.
        d.ctl("drain", "us-east-1-wl1-*")
        d.ctl("drain", "--carrier", "verizon", "--app", NAME)
        d.ctl("drain", NYC)
        d.ctl("undrain", "us-east-1-wl1-*")
        equal((drained(d), drained(d, OTHER)), (all_wlz, {NYC}))
        equal(d.ctl_json("undrain", NYC)["still_drained"], 1)
        equal((drained(d), drained(d, OTHER)), (all_wlz, set()))
        d.restart()
        equal((drained(d), drained(d, OTHER)), (all_wlz, set()))


def new_sites():
    """A pattern is looked at anew for each generation."""
    with Daemon(config((BOS, EAST))) as d:
        d.ctl("drain", "--carrier", "verizon")
        d.ctl("drain", "us-west-*", code=1)
        d.reload(config((BOS, NYC, EAST)))
        equal(drained(d), {BOS, NYC})
        done = d.reload(config((EAST, WEST)))
        check("no site matches" in done.json["warnings"][0], done)
        equal(drains(d)[0]["no_effect"], "no site matches")
        d.ctl("undrain", "--carrier", "verizon")


def part_of():
    """A part of a drain is not taken back by itself: it is refused, with what to do."""
    with Daemon(config((BOS, NYC, EAST))) as d:
        d.ctl("drain", "us-east-1-wl1-*", "--reason", "fibre cut")
        for words in ((BOS,), (BOS, "--app", NAME), ("--carrier", "verizon"), ("*",)):
            done = d.ctl("undrain", *words, code=1)
            check("us-east-1-wl1-*" in done.err and drained(d) == {BOS, NYC}, done)
        d.ctl("drain", NYC)
        d.ctl("undrain", "us-east-1-wl1-*")
        equal(drained(d), {NYC})
        check(NYC in d.ctl("undrain", "us-east-1-wl1-*", code=1).err)


# ---- When ------------------------------------------------------------------------------------------------------------


def at(seconds):
    return f"@{int(time.time()) + seconds}"


def later():
    """A drain that starts later is listed, survives kill -9, lowers the TTL ahead, and can be taken back."""
    with Daemon(config(**{"ttl-lead": "4s"})) as d:
        equal(d.ctl_json("drain", EAST, "--at", at(3600))["phase"], "scheduled")
        equal((drained(d), drains(d)[0]["moved"]), (set(), 0))
        lifted = d.ctl_json("undrain", EAST)
        equal((lifted["targets"], lifted["settled_left_s"]), (0, 0), "nobody had gone")
        equal((drains(d), ended(d)), ([], [("drain", EAST, "taken back")]))
        start = int(time.time()) + 8
        d.ctl("drain", EAST, "--at", f"@{start}", "--for", "1h", "--by", "Eve")
        d.ctl("drain", EAST, "--at", at(3000))  # takes its place: it has not begun
        d.ctl("drain", EAST, "--at", f"@{start}", "--until", f"@{start + 3600}", "--by", "Eve")
        d.kill()
        d.start()
        given, = drains(d)
        equal((given["phase"], given["start"], given["until"], given["by"]), ("scheduled", start, start + 3600, "Eve"))
        shown = d.ctl("status", as_json=False).out
        check(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(start)) in shown and " for Eve" in shown, shown)
        equal({d.query(NAME).answer[0].ttl for _ in range(3)}, {30})
        until(lambda: d.query(NAME).answer[0].ttl == LEAD_TTL_S, harness.PATIENCE_S, "the TTL is lowered ahead")
        check(time.time() < start, "it was lowered too late")
        equal(d.query(NAME).addresses, [ADDRESS[EAST]])
        until(lambda: drained(d) == {EAST}, harness.PATIENCE_S, "it starts")
        check(time.time() >= start, "it has started too early")
        begins, = [line for line in d.log().splitlines() if f"the drain of {EAST} for every app begins; set by uid " in line]
        check(" for Eve, reason: none given" in begins, begins)
        explained = d.ctl_json("explain", NAME, "--client", "192.0.2.1")["steps"]
        check(any("drained; the site's drain, by uid " in step and " for Eve, reason: " in step for step in explained), explained)
        equal(d.query(NAME).answer[0].ttl, 30, "of the other")
        given, = drains(d)
        check(given["safe_after"] <= start + 5 + 30 and given["phase"] == "drained", given)
        check("is drained already" in d.ctl("drain", EAST, "--at", at(60), code=1).err)
        d.ctl("undrain", EAST)
        equal(d.query(NAME).answer[0].ttl, 30)


def both():
    """A site that is drained, and an app there over a time: of that nobody is left to take any."""
    with Daemon(config()) as d:
        d.ctl("drain", EAST)
        d.ctl("drain", EAST, "--app", NAME, "--over", "1h")
        row, = [target for target in d.ctl_json("apps", NAME)["apps"][0]["targets"] if target["site"] == EAST]
        equal((row["state"], row.get("share")), ("drained", None))
        lifted = d.ctl_json("undrain", EAST, "--app", NAME)
        equal((lifted["still_drained"], lifted["settled_left_s"]), (1, 0), "nobody gets any, as before")
        d.ctl("drain", EAST, "--app", NAME, "--over", "1h")
        steps = d.ctl_json("explain", NAME, "--client", "192.0.2.1")["steps"]
        check(any(EAST in step and "drained; " in step for step in steps) and not any("takes" in step for step in steps), steps)
        d.ctl("undrain", EAST, "--app", NAME)
        d.ctl("drain", "us-east-?", "--over", "1h")
        lifted = d.ctl_json("undrain", EAST)
        equal((lifted["still_drained"], lifted["settled_left_s"] > 0), (1, True), "most get it again, as the other is only on its way")


def sooner():
    """With a whole lead, the end comes a few seconds after the start, not a TTL after it."""
    with Daemon(config(ttl="6s")) as d:
        start = int(time.time()) + 16
        d.ctl("drain", EAST, "--at", f"@{start}")
        until(lambda: drained(d) == {EAST}, harness.PATIENCE_S, "it starts")
        given, = drains(d)
        check(given["safe_after"] - start <= LEAD_TTL_S + 4, given)
        equal(d.ctl("drain", EAST, "--wait", "--timeout", "20").code, 0)
        check(time.time() >= start + LEAD_TTL_S, "it cannot be safe yet")


# ---- Over a time -----------------------------------------------------------------------------------------------------


class Clients:
    """Clients of many networks, and which of them the first site has."""

    def __init__(self, daemon, count=1000):  # 0.08 is five standard deviations then
        self.daemon = daemon
        self.nets = random.sample([f"10.{a}.{b}.0/24" for a in range(256) for b in range(256)], count)
        self.has = dict.fromkeys(self.nets, True)

    def share(self, falls):
        """The part that the first site has; none of them has come back since the last time (`falls`), or gone. None: it has
        just turned round."""
        for net in self.nets:
            reply = self.daemon.query(NAME, ecs=net)
            has = reply.addresses == [ADDRESS[EAST]]
            check(falls is None or has == self.has[net] or has != falls, f"{net} moved the wrong way")
            self.has[net] = has
        return sum(self.has.values()) / len(self.nets)


def follow(daemon, clients, falls, seconds):
    """Looks at them for so long: what they get follows what the drain says."""
    end = time.time() + seconds
    while time.time() < end:
        before = drains(daemon)
        share = clients.share(falls)
        after = drains(daemon)
        low, high = sorted((before[0]["moved"], after[0]["moved"] if after else 0.0))
        check(low - 0.08 <= 1 - share <= high + 0.08, f"{1 - share:.2f} have moved, not {low:.2f} to {high:.2f}")
        time.sleep(0.3)


def over():
    """No client moves twice: on the way out and in, turned round, across a reload and a kill -9; scopes are those of a hash
    from the first moment to the last."""
    with Daemon(config()) as d:
        clients = Clients(d)
        equal(d.query(NAME, ecs="10.1.2.0/24").scope, 0)
        given = d.ctl_json("drain", EAST, "--over", "12s")
        equal((given["phase"], given["over_s"]), ("draining", 12))
        equal(d.query(NAME, ecs="10.1.2.0/24").scope, 24)
        follow(d, clients, True, 2)
        d.reload(config())
        follow(d, clients, True, 2)
        d.kill()
        d.start()
        equal(d.query(NAME, ecs="10.1.2.0/24").scope, 24)
        follow(d, clients, True, 1)
        d.ctl("undrain", EAST, "--over", "8s")
        equal(drains(d)[0]["phase"], "returning")
        check(0 < clients.share(None) < 1, "it stands where it stood")
        follow(d, clients, False, 3)
        d.ctl("drain", EAST, "--over", "6s")
        check(0 < clients.share(None) < 1, "it stands where it stood")
        follow(d, clients, True, 3)
        until(lambda: clients.share(True) == 0, harness.PATIENCE_S, "all have gone")
        until(lambda: d.query(NAME, ecs="10.1.2.0/24").scope == 0, harness.PATIENCE_S, "no hash decides")  # those not looked at too
        d.ctl("undrain", EAST, "--over", "4s")
        equal(d.query(NAME, ecs="10.1.2.0/24").scope, 24)
        until(lambda: clients.share(False) == 1 and not drains(d), harness.PATIENCE_S, "all are back")
        until(lambda: d.query(NAME, ecs="10.1.2.0/24").scope == 0, harness.PATIENCE_S, "no hash decides")
        equal(ended(d)[0], ("drain", EAST, "taken back"))


# ---- What caches have ------------------------------------------------------------------------------------------------


def waits():
    """--wait returns when no correct cache has it, or says why not."""
    with Daemon(config(ttl="2s")) as d:
        begun = time.time()
        d.ctl("drain", EAST, "--wait")
        check(2 <= time.time() - begun <= 8, time.time() - begun)
        equal(drains(d)[0]["safe_left_s"], 0)
        begun = time.time()
        d.ctl("undrain", EAST, "--wait")
        check(2 <= time.time() - begun <= 8, time.time() - begun)
        d.reload(config(ttl="1h"))
        told = d.ctl("drain", EAST, "--wait", "--timeout", "1", code=6).err
        check(f"{EAST}: the time is over: the drain holds" in told, told)
        told = d.ctl("drain", EAST, "--app", NAME, "--for", "30m", "--wait", code=6).err  # or it would be waited for 30 minutes
        check(f"{NAME} at {EAST}: not waited: the drain holds, and ends before" in told, told)
        d.ctl("undrain", EAST)
        ends = threading.Timer(1, lambda: d.ctl("undrain", EAST))
        ends.start()
        check("does not hold any more" in d.ctl("drain", EAST, "--wait", code=6).err)
        ends.join()
        ends = threading.Timer(1, lambda: d.ctl("undrain", EAST, "--over", "1h"))
        ends.start()
        check("being taken back" in d.ctl("drain", EAST, "--wait", code=6).err)
        ends.join()


def safe_across_restarts():
    """What was answered before a kill -9 with a TTL that the config has no more, is not forgotten."""
    with Daemon(config(ttl="10m")) as d:
        equal(d.query(NAME).answer[0].ttl, 600)
        until(lambda: statefiles.provided(d, "/ttl").get(EAST) == "600 0", harness.PATIENCE_S, "it is written", 0.1)
        d.kill()
        d.write_config(config(ttl="5s"))
        d.start()
        started = time.time()
        given = d.ctl_json("drain", EAST)
        check(598 <= given["safe_after"] - started <= 606, given)
        safe = drains(d)[0]["safe_after"]
        d.ctl("drain", WEST, "--app", NAME, "--force")
        until(lambda: len(statefiles.provided(d, "/safe")) == 2, harness.PATIENCE_S, "it is written", 0.1)
        d.kill()
        d.start()
        now = {drain["site"]: drain["safe_after"] for drain in drains(d)}
        check(abs(now[EAST] - safe) <= 2, (now, safe), "the start is no reason to wait longer")
        time.sleep(2.5)
        d.ctl("undrain", EAST)
        d.restart()
        check(d.ctl_json("drain", EAST, "--force")["safe_after"] - time.time() > 500)


# ---- A full disk -----------------------------------------------------------------------------------------------------


def fill_disk(daemon, full=True):
    _, most = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (4096 if full else most, most))


def full_disk():
    """A full disk blocks no drain: it holds in memory, says so loudly, and is saved when the disk is back."""
    with Daemon(config()) as d:
        fill_disk(d)
        d.ctl("drain", EAST, code=1)
        done = d.ctl("drain", EAST, "--volatile", "--reason", "now")
        check(done.json["volatile"] and "in memory only" in done.json["warnings"][0], done)
        equal(d.query(NAME).addresses, [ADDRESS[WEST]])
        status = d.ctl_json("status")
        equal((status["volatile_count"], status["drains"][0]["volatile"]), (1, True))
        check("NOT SAVED" in d.ctl("status", as_json=False).out and "NOT SAVED" in d.ctl("drains", as_json=False).out)
        equal(d.ctl("check", code=None).json["level"], "warning")
        d.ctl("undrain", EAST)
        equal((d.query(NAME).addresses, drains(d)), ([ADDRESS[EAST]], []))
        d.ctl("drain", EAST, "--volatile", "--reason", "again")
        fill_disk(d, full=False)
        until(lambda: d.ctl_json("status")["volatile_count"] == 0, harness.PATIENCE_S, "it is saved")
        equal(len(drains(d)), 1)
        d.kill()
        d.start()
        equal([(drain["site"], drain["reason"]) for drain in drains(d)], [(EAST, "again")])
        equal(d.ctl_json("drain", WEST, "--volatile", "--force").get("volatile"), None, "there is room")


def undrained_on_a_full_disk():
    """Likewise what is taken back: without --volatile refused with what to do, with it done, told, and saved when there is room;
    in the order in which it was given, and if the daemon ends before it is as if it had not been."""
    with Daemon(config()) as d:
        for site in EAST, WEST:
            d.ctl("drain", site, "--reason", "old", "--force")
        d.ctl("drain", EAST, "--app", NAME, "--reason", "old")
        fill_disk(d)
        refused = d.ctl("undrain", EAST, code=1)
        check("with --volatile it is done all the same" in refused.err, refused)
        equal(len(drains(d)), 3)
        done = d.ctl("undrain", EAST, "--volatile")
        check(done.json["volatile"] and "in memory only" in done.json["warnings"][0] and done.json["ended_count"] == 2, done)
        equal((d.query(NAME).addresses, [row["site"] for row in drains(d)]), ([ADDRESS[EAST]], [WEST]))
        status = d.ctl_json("status")
        equal((status["volatile_count"], status["volatile_undrain_count"]), (2, 2))
        equal({(row["site"], row["app"]) for row in status["volatile_undrains"]}, {(EAST, None), (EAST, NAME)})
        check("NOT SAVED: 2 drains are taken back in memory only" in d.ctl("status", as_json=False).out)
        d.ctl("undrain", EAST, "--volatile", code=3)
        d.ctl("undrain", WEST, "--over", "1h", "--volatile")
        equal([row["phase"] for row in drains(d)], ["returning"])
        # The daemon ends before it is saved: all is as it was.
        d.kill()
        d.start()
        equal(sorted((row["site"], row["reason"]) for row in drains(d)), [(EAST, "old"), (EAST, "old"), (WEST, "old")])
        fill_disk(d)
        d.ctl("undrain", EAST, "--volatile")
        d.ctl("drain", EAST, "--volatile", "--force", "--reason", "new")
        d.ctl("undrain", WEST, "--volatile")
        equal(d.ctl_json("status")["volatile_count"], 4)
        fill_disk(d, full=False)
        until(lambda: d.ctl_json("status")["volatile_count"] == 0, harness.PATIENCE_S, "all of it is saved")
        equal([(row["site"], row["reason"]) for row in drains(d)], [(EAST, "new")])
        d.kill()
        d.start()
        equal([(row["site"], row["app"], row["reason"]) for row in drains(d)], [(EAST, None, "new")])
        equal(d.ctl_json("status")["volatile_count"], 0)


# ---- Wrong arguments -------------------------------------------------------------------------------------------------


def hostile():
    """Wrong, missing, huge arguments: a clear error, the exit code of the table, and nothing has changed."""
    rows = [(("drain",), 2), (("drain", ""), 2), (("drain", "nowhere"), 1), (("drain", "no*where"), 1),
            (("drain", "--region", ""), 2), (("drain", "--region", "a,b"), 2), (("drain", "--region", "x" * 70), 2),
            (("drain", "--region", "mars-1"), 1), (("drain", "--carrier", "nobody"), 1), (("drain", "*,carrier:"), 2),
            (("drain", "carrier:a,region:b"), 2), (("drain", "*" * 300), 1), (("drain", EAST, "--app", "x"), 1),
            (("drain", f"{NAME}/{EAST}", "--app", NAME), 2), (("drain", "*", "--app", "x"), 1),
            (("drain", EAST, "--for", "1h", "--until", "@99999999999"), 2), (("drain", EAST, "--until", "@1"), 2),
            (("drain", EAST, "--until", "tomorrow"), 2), (("drain", EAST, "--until", "2026-02-30T10:00:00Z"), 2),
            (("drain", EAST, "--at", "@1"), 2), (("drain", EAST, "--at", "25:00"), 2), (("drain", EAST, "--at", "@99999999999"), 2),
            (("drain", EAST, "--at", at(100), "--until", at(50)), 2), (("drain", EAST, "--over", "0s"), 2),
            (("drain", EAST, "--over", "8d"), 2), (("drain", EAST, "--over", "-1m"), 2),
            (("drain", EAST, "--over", "2h", "--for", "1h"), 2), (("drain", EAST, "--by", "x" * 256), 2),
            (("drain", EAST, "--by", ""), 2), (("drain", EAST, "--volatile=yes"), 2), (("undrain",), 2),
            (("undrain", EAST, "--over", "1m"), 3), (("undrain", EAST, "--over", "x"), 2), (("undrain", "--region", EAST), 3),
            (("undrain", EAST, "--wait"), 3), (("drains", "x"), 2), (("force", f"{NAME}/{EAST}", "up", "--reason", "x" * 256), 2),
            (("force", f"{NAME}/us-*", "up"), 1)]
    with Daemon(config()) as d:
        for words, code in rows:
            done = d.ctl(*words, code=code)
            check(done.err or done.json["error"], words)
        equal((drains(d), ended(d), d.ctl_json("status")["forces"]), ([], [], []))
        equal(d.query(NAME).addresses, [ADDRESS[EAST]])
        with d.control() as order:
            check("is not a time like" in order("drain", ok=False, site=EAST, at="14:03")["error"], "whose time zone is it?")


def two_operators():
    """Both at once: each change is there, or its reply says what it replaced."""
    with Daemon(config()) as d:
        replies = []
        operators = [threading.Thread(target=lambda n=n: replies.append(d.ctl_json("drain", EAST, "--by", f"op{n}")))
                     for n in range(8)]
        for operator in operators:
            operator.start()
        for operator in operators:
            operator.join()
        given, = drains(d)
        replaced = [reply["replaced"]["by"] for reply in replies if reply["replaced"]]
        equal(sorted([*replaced, given["by"]]), [f"op{n}" for n in range(8)])
        equal(len(ended(d)), 7)


def over_http():
    """The same verbs with the token's name as who; a time without a zone is refused, as it is nobody's."""
    with door.Door() as it:
        _, given = it.post("/v1/drain", {"region": EAST, "reason": "fire", "by": "Alice", "over": "1h"})
        check(given["ok"] and given["who"].startswith("token ") and given["by"] == "Alice", given)
        equal((given["site"], given["phase"], given["over_s"]), (f"region:{EAST}", "draining", 3600))
        status, listed = it.get("/v1/drains")
        equal((status, [drain["site"] for drain in listed["drains"]]), (200, [f"region:{EAST}"]))
        equal(it.post("/v1/undrain", {"site": EAST})[1]["code"], 1, "a part of it")
        check(it.post("/v1/undrain", {"site": f"region:{EAST}", "by": "Bob"})[1]["ok"])
        status, listed = it.get("/v1/drains?ended=true")
        equal((status, [(row["ended_by"], row["how"]) for row in listed["ended"]]), (200, [("Bob", "taken back")]))
        for fields in ({"site": EAST, "at": "14:03"}, {"site": EAST, "volatile": "yes"}, {"site": EAST, "over": 5}, {"region": ""}):
            status, reply = it.post("/v1/drain", fields)
            check(status == 400 and not reply["ok"], fields, status, reply)
        equal(it.post("/v1/drain", {"site": EAST}, token=door.READ)[0], 403)
        equal(it.get("/v1/drains")[1]["drains"], [])


def exported():
    """What older versions cannot hold is left out, named, and found again; what they have changed is taken over."""
    with Daemon(config((BOS, EAST))) as d:
        d.ctl("drain", BOS, "--by", "Alice")
        d.ctl("drain", "us-*", "--app", NAME, "--force")
        d.ctl("drain", EAST, "--at", at(3600))
        d.stop()
        done = subprocess.run([harness.program("edgesteerd"), "-c", str(d.config_path), "--export-state"], capture_output=True,
                              text=True, check=True)
        check("1 drain, 0 forces" in done.stdout and "2 drains are not written" in done.stdout, done.stdout)
        check("the drain of app.edge.example.com at us-* is not exported" in done.stderr, done.stderr)
        path = d.folder / "state" / "orders.json"
        orders = json.loads(path.read_text())
        equal([(drain["site"], drain["by"]) for drain in orders["drains"]], [(BOS, "Alice")])
        d.start()
        expected = {(BOS, "Alice"), ("us-*", None), (EAST, None)}
        equal({(drain["site"], drain["by"]) for drain in drains(d)}, expected)
        check("orders.json is taken over" not in d.log(), "nothing was new in it")
        # An older version has undrained it, and drained another one.
        d.stop()
        orders["drains"] = [{"site": "elsewhere", "who": "w", "since": 1, "until": 0}]
        path.write_text(json.dumps(orders))
        d.start()
        equal({drain["site"] for drain in drains(d)}, {"elsewhere", "us-*", EAST})


def migrated():
    """Rows from before there were these fields are read, with their sums, and written again with them."""
    with Daemon(config()) as d:
        d.ctl("drain", EAST, "--reason", "old")
        d.stop()
        for name in statefiles.BOTH:
            for column in ("behalf", "ender", "starts", "ramp", "whence", "gives_back", "share", "forced"):
                statefiles.run(d.folder / "state", name, f"ALTER TABLE override DROP COLUMN {column}")
            statefiles.set_version(d.folder / "state", name, 1)
        d.start()
        equal(([drain["reason"] for drain in drains(d)], drained(d)), (["old"], {EAST}))
        check("damaged" not in d.log(), d.log())
        d.ctl("drain", EAST, "--over", "1h", "--by", "Alice")
        d.restart()
        equal([(drain["by"], drain["over_s"]) for drain in drains(d)], [("Alice", 3600)])


def last_answers():
    """apps says when each target was handed out last."""
    with Daemon(config()) as d:
        d.query(NAME)

        def last():
            return {row["site"]: row["last_answer"] for row in d.ctl_json("apps")["apps"][0]["targets"]}

        until(lambda: last()[EAST], harness.PATIENCE_S, "it is seen")
        check(abs(last()[EAST] - time.time()) < 5 and last()[WEST] is None, last())
        seen = last()[EAST]
        d.ctl("drain", EAST)
        time.sleep(2.2)
        d.query(NAME)
        until(lambda: last()[WEST], harness.PATIENCE_S, "it is seen")
        equal(last()[EAST], seen)
        d.reload(config((EAST, WEST, BOS)))
        equal(last()[EAST], seen, "across a reload")


if __name__ == "__main__":
    harness.run(who, through_sudo, reason_required, what_of, new_sites, part_of, later, both, sooner, over, waits,
                safe_across_restarts, full_disk, undrained_on_a_full_disk, hostile,
                two_operators, over_http, exported, migrated, last_answers)
