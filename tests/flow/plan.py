"""What a drain, an undrain or a force would do, before it is done: as it then happens; what is not safe is refused, in every
state of six sites as this test's own model has it; and given by force, which is kept. explain --without."""

import collections
import itertools
import re
import threading
import time

import door
import harness
from harness import Daemon, check, equal, until

ZONE = "edge.example.com"
APP, EDGE, WEB = "app." + ZONE, "edge." + ZONE, "web." + ZONE
# By kind and carriers; all at one place, so that what they cost is what their kind costs and the bias.
SITES = {"wa1": ("wavelength", "a", 0), "wa2": ("wavelength", "a", 3), "wb1": ("wavelength", "b", 1),
         "wab": ("wavelength", "ab", 5), "r1": ("region", "", 0), "r2": ("region", "", 4)}
ACCESS_MS = {"wavelength": 10, "region": 25}
APPS = {APP: list(SITES), EDGE: ["wa1", "wb1", "wab"], WEB: ["r1", "r2"]}
GROUPS = {"a": "10.1", "b": "10.2", "": "10.3"}  # of clients, by carrier: where their prefixes begin
CLIENTS = {"a": 40, "b": 35, "": 25}
PACE_S = 1 / 150  # so slow that every query is in the sample
RANGES = "prefix,carrier,latitude,longitude\n" + "".join(f"{start}.0.0/16,{carrier},40,-70\n" for carrier, start in GROUPS.items())


def address(app, site):
    return f"192.0.{2 + list(APPS).index(app)}.{1 + list(SITES).index(site)}"


def config(apps=tuple(APPS), ceilings=None, **more):
    sites = {name: {"kind": kind, "location": [40, -70], "bias": f"{bias}ms", **({"reach": list(carriers)} if carriers else {})}
             for name, (kind, carriers, bias) in SITES.items()}
    for site, ceiling in (ceilings or {}).items():
        sites[site]["ceiling"] = ceiling
    return {"domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}], "sites": sites,
            "apps": {app: {"targets": {site: {"addresses": [address(app, site)]} for site in APPS[app]}} for app in apps}, **more}


def daemon(*args, **more):
    return Daemon(config(*args, **more), {"ranges.csv": RANGES}, folder=harness.memory_folder())


def clients():
    for group, start in GROUPS.items():
        for n in range(CLIENTS[group]):
            yield group, f"{start}.{n}.0/24"


def site_of(reply, app):
    """Where a client is sent; None: nowhere."""
    return next((site for site in APPS[app] if reply.addresses == [address(app, site)]), None)


def ask(d, apps=tuple(APPS)):
    """Every client asks for every app, slowly. Who was sent where."""
    got = {}
    for (_, client), app in itertools.product(clients(), apps):
        began = time.monotonic()
        got[client, app] = site_of(d.query(app, ecs=client), app)
        time.sleep(max(0, began + PACE_S - time.monotonic()))
    return got


def sampled(d, count):
    """Waits until all of so many queries are in the sample."""
    until(lambda: plan(d, "force", f"{APP}/r1", "up")["effect"]["queries"] == count, harness.PATIENCE_S, f"{count} queries",
          every_s=0.3)


def plan(d, *words, code=0):
    return d.ctl("plan", *words, code=code).json


def moves_of(effect):
    return {(move["from"], move["to"]): move for move in effect["moves"]}


# ---- a plan and what then happens ------------------------------------------------------------------------------------

CHANGES = (("drain", "wa1"), ("drain", f"{APP}/r1"), ("drain", "--carrier", "b", "--app", APP, "--over", "1s"), ("undrain", "wa1"),
           ("force", f"{APP}/wa1", "down"), ("drain", "wa*", "--force"), ("force", f"{APP}/wa1", "auto"), ("undrain", f"{APP}/r1"))


def compare(d, words, before, asked):
    """Plans, does it, and asks again. What the clients get then."""
    planned = plan(d, *words)
    effect = planned["effect"]
    equal((effect["queries"], planned["would_be_refused"]), (asked, False), words)
    d.ctl(*words)
    until(lambda: not any(drain["phase"] == "draining" for drain in d.ctl_json("drains")["drains"]), harness.PATIENCE_S, "a ramp")
    after = ask(d)
    real = collections.Counter((before[who], after[who]) for who in before if before[who] != after[who])
    who = {move: {client for client, app in before if (before[client, app], after[client, app]) == move} for move in real}
    shown = moves_of(effect)
    for move in set(real) | set(shown):
        share = shown[move]["queries"] / effect["queries"] if move in shown else 0
        check(abs(share - real[move] / len(before)) < 0.01, words, move, share, real[move] / len(before))
        if share:
            equal(shown[move]["clients"], len(who[move]), words, move)
            check(all(f"{example.rsplit('.', 1)[0]}.0/24" in who[move] for example in shown[move]["examples"]), shown[move])
    for number, then in (("before", before), ("after", after)):
        total = sum(site[number] for site in effect["sites"])
        for site in effect["sites"]:
            real_share = sum(got == site["site"] for got in then.values()) / max(1, sum(got is not None for got in then.values()))
            check(abs(site[number] / total - real_share) < 0.01, words, number, site)
    return after


def agrees():
    with daemon() as d:
        got = ask(d)
        asked = len(got)
        few = plan(d, "force", f"{APP}/r1", "up")
        sampled(d, asked)
        check(few["effect"]["few"], few["effect"])
        check("TOO FEW" in d.ctl("plan", "drain", "wa1", as_json=False).out, "is said")
        for words in CHANGES:
            got = compare(d, words, got, asked)
            asked += len(got)
            sampled(d, asked)
        effect = plan(d, "drain", "r2", "--app", WEB)["effect"]
        equal(effect["few"], effect["samples"] < 1000, effect)
        # A ramp is planned with its end.
        one, other = (plan(d, "drain", "wb1", "--force", *over)["effect"] for over in ((), ("--over", "1h")))
        check(one["moves"] and one["moves"] == other["moves"], one, other)
        check(all(move["ms_before"] < move["ms_after"] for move in one["moves"] if move["to"]), one)


def nothing_is_changed():
    with daemon() as d:
        check("no traffic" in d.ctl("plan", "drain", "wa1", as_json=False).out, "said")
        before = (d.ctl_json("status"), ask(d, (APP,)))
        sampled(d, len(before[1]))
        for words, code in ((("drain", "wa1"), 0), (("drain", "*"), 1), (("undrain", "wa1"), 3), (("force", f"{APP}/r1", "down"), 0),
                            (("drain", "*", "--at", "@4102444800"), 2), (("drain", "*", "--force"), 0)):
            planned = d.ctl("plan", *words, code=code)
            dry = d.ctl(*words, "--dry-run", code=code)
            for one in planned, dry:  # of whom and when they are differs
                one.json.pop("plan", None)
                for key in "seconds", "sites":
                    (one.json.get("effect") or {}).pop(key, None)
            equal(dry.json, planned.json, words)
        status = d.ctl_json("status")
        for key in "overrides_revision", "drains", "forces", "generation":
            equal(status[key], before[0][key], key)
        equal(ask(d, (APP,)), before[1])
        check("REFUSED" in d.ctl("plan", "drain", "*", as_json=False, code=1).out, "said")


# ---- what is refused -------------------------------------------------------------------------------------------------

MOST_PERCENT = 60
CEILINGS = {"r2": 1, "wa2": 1000000000}


def reaches(group, site):
    carriers = SITES[site][1]
    return not carriers or group and group in carriers


def goes_to(app, group, drained):
    """The nearest site in reach that is not drained; None: there is none."""
    left = [site for site in APPS[app] if reaches(group, site) and site not in drained]
    return min(left, key=lambda site: ACCESS_MS[SITES[site][0]] + SITES[site][2], default=None)


def known_as(app, group):
    """The carrier whose clients these are to the app; None: those who reach its public sites alone."""
    return next((group for site in APPS[app] if group and group in SITES[site][1]), None)


def share_at(site, drained):
    return sum(CLIENTS[group] for group in GROUPS if goes_to(APP, group, drained) == site) / sum(CLIENTS.values())


def expected_of(sites, drained):
    """How the drain of more sites is to be refused: who has nothing, what is over, which carriers."""
    then = drained | sites
    nothing = {(app, known_as(app, group)) for app in APPS for group in GROUPS
               if goes_to(app, group, drained) and not goes_to(app, group, then)}
    over = {"r2"} if share_at("r2", then) > share_at("r2", drained) else set()
    carriers = {}
    for carrier in "ab":
        sites = [name for name, (_, carriers_of, _) in SITES.items() if carrier in carriers_of]
        before, after = (sum(name in which for name in sites) for which in (drained, then))
        if after > before and after * 100 > len(sites) * MOST_PERCENT:
            carriers[carrier] = (after, len(sites))
    return nothing, over, carriers


def check_refusal(reply, sites, drained, nothing, over, carriers):
    """Its numbers are the model's."""
    text = reply["error"]
    then = drained | sites
    equal({(row["app"], row["carrier"]) for row in reply["nothing"]}, nothing, sites, drained)
    for row in reply["nothing"]:
        equal(set(row["reach"]), {name for name in APPS[row["app"]] if reaches(row["carrier"], name)}, row)
        check(not row["carrier"] or row["examples"] == [GROUPS[row["carrier"]] + ".0.0/16"], row)
    if len(nothing) > 1:
        check(f"; and {len(nothing) - 1} more group{'s' if len(nothing) > 2 else ''} of clients" in text, text)
    lost = sum(CLIENTS[group] for group in GROUPS if goes_to(APP, group, drained) and not goes_to(APP, group, then))
    if lost:
        share = f"{100 * lost / sum(CLIENTS.values()):.1f} %"  # each has asked as often as any other
        check(f"{share} of the recent clients, with {share} of the queries" in text, lost, text)
    equal({row["site"] for row in reply["ceilings"] if row["over"]}, over, sites, drained)
    for row in reply["ceilings"]:
        before, after = (share_at(row["site"], which) for which in (drained, then))
        check(abs(row["before"] * after - row["after"] * before) < 0.01 * max(row["before"], row["after"]), row, before, after)
        equal((row["ceiling"], row["before"] > 0, row["after"] > 0), (CEILINGS[row["site"]], before > 0, after > 0), row)
        said = re.search(f"takes {row['site']} over its ceiling: ([0-9.]+) answers a second of 1, now ([0-9.]+)", text)
        equal(row["over"], said is not None, text)
        check(not said or all(abs(float(said[i]) - row[key]) < 0.06 for i, key in ((1, "after"), (2, "before"))), row, text)
    equal({row["carrier"]: (row["after"], row["sites"]) for row in reply["carriers"] if row["over"]}, carriers, sites, drained)
    for carrier, (count, of) in carriers.items():
        check(f"drains {count} of {of} sites of {carrier}, and `max-drained` is {MOST_PERCENT} %" in text, text)
    equal(len(reply["refusals"]), bool(nothing) + len(over) + len(carriers), reply["refusals"])


def every_state():
    """All states of six sites, and in each the drain of each other one: refused and given as the model has it."""
    with daemon(ceilings=CEILINGS, **{"max-drained": f"{MOST_PERCENT}%"}) as d:
        asked = sum(len(ask(d, (APP,))) for _ in range(6))  # so many that the rate is over the ceiling to the end
        sampled(d, asked)
        refused = given = 0
        drained = set()
        with d.control() as order:
            for step in range(2 ** len(SITES)):
                for site in SITES:
                    if site in drained:
                        continue
                    expected = expected_of({site}, drained)
                    planned = order("plan drain", ok=None, site=site)
                    reply = order("drain", ok=not any(expected), site=site)
                    equal(planned["would_be_refused"], any(expected), site, drained)
                    held = {row["site"] for row in order("drains")["drains"]}
                    equal(held, drained | (set() if any(expected) else {site}), site, drained)
                    if any(expected):
                        refused += 1
                        check_refusal(reply, {site}, drained, *expected)
                        check_refusal(planned, {site}, drained, *expected)
                    else:
                        given += 1
                        order("undrain", site=site)
                # The next state differs by one site (Gray's code).
                site = list(SITES)[((step + 1) & -(step + 1)).bit_length() - 1] if step + 1 < 2 ** len(SITES) else None
                if site in drained:
                    order("undrain", site=site)
                elif site:
                    order("drain", site=site, force=True)
                drained ^= {site} if site else set()
        print(f"  {refused} refused, {given} given")
        check(refused > 50 and given > 20, refused, given)


SELECTORS = ((("wa?",), "wa1 wa2 wab"), (("w*",), "wa1 wa2 wb1 wab"), (("r*",), "r1 r2"), (("*1",), "wa1 wb1 r1"), (("*2",), "wa2 r2"),
             (("--carrier", "a"), "wa1 wa2 wab"), (("--carrier", "b"), "wb1 wab"), (("--region", "r1"), "r1"), (("*",), "wa1 wa2 wb1 wab r1 r2"))


def of_many_sites():
    """Of what matches a pattern, of a carrier's, of a Region's; for a time, held in memory only: refused as the model has it."""
    with daemon(ceilings=CEILINGS, **{"max-drained": f"{MOST_PERCENT}%"}) as d:
        asked = sum(len(ask(d, (APP,))) for _ in range(6))
        sampled(d, asked)
        for before in (), ("wa1",), ("r1",), ("wab", "r1"):
            for site in before:
                d.ctl("drain", site, "--force")
            for words, names in SELECTORS:
                sites, drained = set(names.split()), set(before)
                expected = expected_of(sites, drained)
                for more in (), ("--volatile",), ("--over", "1h", "--for", "2h"), ("--at", f"@{int(time.time()) + 3600}"):
                    planned = plan(d, "drain", *words, *more, code=int(any(expected)))
                    equal((planned["would_be_refused"], planned["plan"]["sites"]), (any(expected), len(sites)), words, more)
                    if any(expected):
                        check_refusal(planned, sites, drained, *expected)
                reply = d.ctl("drain", *words, code=int(any(expected))).json
                if any(expected):
                    check_refusal(reply, sites, drained, *expected)
                else:
                    d.ctl("undrain", *words)
            for site in before:
                d.ctl("undrain", site)
        equal(d.ctl_json("drains")["drains"], [])


MANY = 110  # more than the 100 rows that a list has


def beside_very_many():
    """What is not safe is found behind more rows than are shown, by carriers and by ceilings, and shown first."""
    last = MANY - 1
    sites = {f"{kind}{n:03}": {"kind": "wavelength", "location": [40, -70], "reach": [f"c{n}"], "ceiling": 1 if n == last else 10 ** 6}
             for n in range(MANY) for kind in ("from", "to")}
    apps = {f"n{n:03}.{ZONE}": {"targets": {f"{kind}{n:03}": {"addresses": [f"192.0.{2 + (kind == 'to')}.{n + 1}"]}
                                            for kind in ("from", "to")}} for n in range(MANY)}
    alone = {"kind": "wavelength", "location": [40, -70], "reach": ["alone"]}
    ranges = "prefix,carrier\n" + "".join(f"10.{n}.0.0/16,c{n}\n" for n in range(MANY))
    more = {"domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}], "max-drained": "50%"}
    with Daemon({"sites": sites, "apps": apps, **more}, {"ranges.csv": ranges}, folder=harness.memory_folder()) as d:
        asked = 0
        for n in list(range(MANY)) + 60 * [last]:
            check(d.query(f"n{n:03}.{ZONE}", ecs=f"10.{n}.0.0/24").addresses, n)
            time.sleep(PACE_S)
            asked += 1
        until(lambda: plan(d, "force", f"n000.{ZONE}/to000", "up")["effect"]["queries"] == asked, harness.PATIENCE_S, "all queries")
        refused = d.ctl("drain", "from*", code=1).json
        equal(([row["over"] for row in refused["ceilings"]], refused["ceilings"][0]["site"]), ([True] + 99 * [False], f"to{last:03}"))
        equal(([row["over"] for row in refused["carriers"]], len(refused["refusals"])), (100 * [False], 1), refused["refusals"])
        for site in sites.values():
            site.pop("ceiling")
        sites["from-alone"] = alone
        for number, app in enumerate(apps.values()):
            app["targets"]["from-alone"] = {"addresses": [f"198.51.100.{number + 1}"]}
        d.reload({"sites": sites, "apps": apps, **more})
        refused = d.ctl("drain", "from*", code=1).json
        equal(([row["over"] for row in refused["carriers"]], refused["carriers"][0]["carrier"]), ([True] + 99 * [False], "alone"))
        # Of very many that are over, the others are counted.
        refused = d.ctl("drain", "*", code=1).json
        check(f"it drains more than `max-drained` of the sites of {MANY + 1 - 100} more carriers" in
              [f"it {line}" for line in refused["refusals"]], refused["refusals"][-1])


def one_app():
    """A drain of one app: its clients, and its part of a carrier's sites."""
    with daemon(**{"max-drained": "50%"}) as d:
        equal(d.ctl_json("drain", f"{EDGE}/wa1")["targets"], 1)  # of a's two, one
        refused = d.ctl("drain", f"{EDGE}/wab", code=1).json
        equal({(row["app"], row["carrier"]) for row in refused["nothing"]}, {(EDGE, "a")}, refused)
        equal({row["carrier"]: (row["after"], row["sites"]) for row in refused["carriers"] if row["over"]}, {"a": (2, 2)}, refused)
        check(f"drains 2 of 2 sites of a that have {EDGE}" in refused["error"], refused)
        d.ctl("drain", f"{APP}/wab")


def two_at_once():
    """Of two drains that are harmless alone and leave nothing together, one is given."""
    with daemon() as d, d.control() as one, d.control() as other:
        for _ in range(20):
            replies = {}

            def drain(order, site):
                replies[site] = order("drain", ok=None, site=site, app=WEB)

            both = [threading.Thread(target=drain, args=pair) for pair in ((one, "r1"), (other, "r2"))]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()
            equal(sorted(reply["ok"] for reply in replies.values()), [False, True], replies)
            one("undrain", site=next(site for site, reply in replies.items() if reply["ok"]), app=WEB)


# ---- by force --------------------------------------------------------------------------------------------------------


def forced():
    """--force does it, is kept over a kill -9, and shown."""
    with daemon() as d:
        d.ctl("drain", "r1")
        said = d.ctl("drain", "r2", code=1).json["error"]
        check("who can reach only r1, r2" in said and "--force drains it all the same" in said, said)
        given = d.ctl("drain", "r2", "--force")
        check(given.json["forced"] and any(line.startswith("by force: it leaves clients with nothing: ") for line in
                                           given.json["warnings"]), given)
        for _ in range(2):
            equal({row["site"]: row.get("forced", False) for row in d.ctl_json("drains")["drains"]}, {"r1": False, "r2": True})
            shown = d.ctl("drains", as_json=False).out
            equal([line.split()[0] for line in shown.splitlines() if "BY FORCE" in line], ["r2"], shown)
            d.kill()
            d.start()
        check("damaged" not in d.log(), d.log())
        d.ctl("undrain", "r2", "--over", "1h")
        check(d.ctl_json("drains")["drains"][-1]["forced"], "given back, it is the same")
        d.ctl("undrain", "r2")
        equal([row.get("forced", False) for row in d.ctl_json("drains", "--ended")["ended"]], [True])
        # A force is never refused.
        for site in "r1", "r2", "wab":
            d.ctl("force", f"{APP}/{site}", "down")


def by_schedule():
    """Looked at with what holds then, when it is ordered; and said when it begins, if that has become wrong meanwhile."""
    with daemon() as d:
        soon, later = (f"@{int(time.time()) + s}" for s in (3, 3600))
        d.ctl("drain", f"{WEB}/r1", "--until", f"@{int(time.time()) + 1800}")
        equal(d.ctl_json("drain", f"{WEB}/r2", "--at", later)["phase"], "scheduled")  # r1 will be back
        check("leaves clients with nothing" in d.ctl("drain", f"{WEB}/r2", "--at", soon, code=1).err, "r1 will not")
        d.ctl("undrain", f"{WEB}/r1")
        check("leaves clients with nothing" in d.ctl("drain", f"{WEB}/r1", "--at", later, code=1).err, "r2 will be drained too")
        d.ctl("undrain", f"{WEB}/r2")
        d.ctl("drain", f"{WEB}/r1", "--at", f"@{int(time.time()) + 2}")
        d.ctl("drain", f"{WEB}/r2", "--force")
        until(lambda: "would be REFUSED" in d.log(), harness.PATIENCE_S, "it is said")
        check("--" not in d.log().partition("REFUSED")[2].partition("\n")[0], "no advice to give it by force")
        equal({row["site"]: row["phase"] for row in d.ctl_json("drains")["drains"]}, {"r1": "drained", "r2": "drained"})
        check(not d.query(WEB, ecs="10.3.0.0/24").addresses, "it goes on all the same")


def gives_back():
    """One over a time counts as drained until it has given all clients back, and no longer; wherever in it another begins."""
    def at(s):
        return f"@{now + s}"

    with daemon() as d:
        now = int(time.time())
        for words in ((), ("--at", at(600))):  # has begun, or not yet
            d.ctl("drain", f"{WEB}/r1", *words, "--over", "1m", "--until", at(1800))
            for start, code in ((1200, 1), (1800, 1), (1855, 1), (1861, 0), (3600, 0)):
                planned = plan(d, "drain", f"{WEB}/r2", "--at", at(start), code=code)
                equal({row["app"] for row in planned["nothing"]}, {WEB} if code else set(), words, start)
            d.ctl("undrain", f"{WEB}/r1")
        d.ctl("drain", f"{WEB}/r1", "--at", at(3600))
        for until_s, code in ((3500, 0), (3541, 1), (3600, 1), (3700, 1)):
            planned = plan(d, "drain", f"{WEB}/r2", "--over", "1m", "--until", at(until_s), code=code)
            equal("later" in planned, bool(code), until_s)


def while_it_holds():
    """Looked at for all of the time that it holds, with each drain that begins by then."""
    def at(s):
        return f"@{now + s}"

    with daemon() as d:
        now = int(time.time())
        d.ctl("drain", f"{WEB}/r1", "--at", at(3600), "--for", "1h")
        for words in ((), ("--for", "90m"), ("--over", "1h"), ("--at", at(1800)), ("--at", at(5400))):
            planned = plan(d, "drain", f"{WEB}/r2", *words, code=1)
            refused = d.ctl("drain", f"{WEB}/r2", *words, code=1).json
            for reply in planned, refused:
                equal({(row["app"], row["carrier"]) for row in reply["nothing"]}, {(WEB, None)}, words)
            if words != ("--at", at(5400)):  # r1 is drained by then
                for reply in planned, refused:
                    equal(reply["later"], {"time": now + 3600, "site": "r1", "app": WEB}, words)
                    check(f"when the drain of {WEB} at r1 begins" in reply["error"], reply["error"])
        for words in (("--for", "30m"), ("--at", at(1800), "--until", at(3600)), ("--at", at(7300))):
            equal(plan(d, "drain", f"{WEB}/r2", *words)["would_be_refused"], False, words)
            d.ctl("drain", f"{WEB}/r2", *words)
            d.ctl("undrain", f"{WEB}/r2")
        d.ctl("drain", f"{WEB}/r2", "--for", "30m")
        check("r1 begins" in d.ctl("drain", f"{WEB}/r2", "--for", "2h", code=1).err, "nor is it made longer")
        said = d.ctl_json("drain", f"{WEB}/r2", "--for", "2h", "--force")["warnings"]
        check(any(line.startswith("by force: it leaves clients with nothing") and "r1 begins" in line for line in said), said)
        for site in "r1", "r2":
            d.ctl("undrain", f"{WEB}/{site}")
        # Of very many the first ones, and that is said.
        for n in range(40):
            d.ctl("drain", f"wa1{'*' * n}", "--at", at(3600 + n))
        said = d.ctl_json("drain", "wa2")["warnings"]
        equal(said, ["8 more drains begin after those that were looked at, the first 32, while this one holds"])


def ramps_end():
    """Ceilings are compared with what there is when drains that are under way have come to their ends."""
    with daemon(ceilings={"wab": 1}) as d:
        sampled(d, sum(len(ask(d, (APP,))) for _ in range(3)))
        d.ctl("drain", f"{APP}/wa1", "--over", "1h")  # a's clients begin to go to wa2
        for words in (), ("--over", "1h"):
            refused = d.ctl("drain", f"{APP}/wa2", *words, code=1).json
            equal([(row["site"], row["before"], row["over"]) for row in refused["ceilings"]], [("wab", 0, True)], refused)
        effect = plan(d, "drain", f"{APP}/wa2", code=1)["effect"]
        check(effect["moved"] < 0.1 * effect["queries"], "who would move now are few", effect)
        d.ctl("undrain", f"{APP}/wa1")
        d.ctl("drain", f"{APP}/wa2")


def nothing_counted():
    """After a start nothing is known of ceilings, which is said; the rest is known."""
    with daemon(ceilings={"r2": 1}) as d:
        unknown = "nothing has been counted yet: what this takes over a ceiling is not known"
        planned = plan(d, "drain", "r1")
        equal((planned["effect"], planned["ceilings"], planned["warnings"]), (None, [], [unknown]), planned)
        check("no traffic" in d.ctl("plan", "drain", "r1", as_json=False).out, "said")
        check(unknown in d.ctl_json("drain", "r1")["warnings"], "said")
        refused = d.ctl("drain", "r2", code=1).json
        equal({row["app"] for row in refused["nothing"]}, {APP, WEB}, refused)
    with daemon() as d:
        equal(d.ctl_json("drain", "r1")["warnings"], [])  # there is no ceiling


# ---- explain ---------------------------------------------------------------------------------------------------------


def without():
    with daemon() as d:
        def explained(*words, client="10.1.1.0/24", code=0):
            return d.ctl("explain", APP, "--client", client, *words, code=code).json

        equal(explained()["decision"]["site"], "wa1")
        for words, sites, group in ((("--without", "wa1"), ["wa1"], "a"), (("--without", "wa1,wa2"), ["wa1", "wa2"], "a"),
                                    (("--without", "wa1", "--without", "wa2,wab"), ["wa1", "wa2", "wab"], "a"),
                                    (("--without", "w*"), ["wa1", "wa2", "wb1", "wab"], "b"),
                                    (("--without", "r1,r1"), ["r1"], ""), (("--without", "*"), list(SITES), "")):
            then = explained(*words, client=GROUPS[group] + ".1.0/24")
            equal((then["without"], then["decision"]["site"]), (sites, goes_to(APP, group, set(sites))), words)
            equal((then["today"], then["steps"][0]), (goes_to(APP, group, set()), f"without: as if {sites[0]} were drained"), words)
            d.ctl("drain", "--force", *([sites[0]] if len(sites) == 1 else ["wa1"]))
            d.ctl("undrain", *([sites[0]] if len(sites) == 1 else ["wa1"]))
        d.ctl("drain", "wa1")
        real = explained()
        d.ctl("undrain", "wa1")
        as_if = explained("--without", "wa1")
        for one in real, as_if:  # who has drained it is nobody's word
            for candidate in one["candidates"]:
                candidate.pop("drained", None)
        for key in "decision", "candidates", "scope", "ttl", "place":
            equal(as_if[key], real[key], key)
        # One that takes a part of its clients takes none then.
        d.ctl("drain", "wa1", "--over", "1h")
        until(lambda: any("wa1" in step and "takes " in step for step in explained()["steps"]), harness.PATIENCE_S, "it takes a part")
        as_if = explained("--without", "wa*")
        check(any("order 1: wa1 " in step and ", drained; the site's drain, by " in step for step in as_if["steps"]), as_if["steps"])
        check(not any("takes " in step for step in as_if["steps"]) and "share" not in as_if["candidates"][0], as_if)
        d.ctl("undrain", "wa1")
        for words, code in ((("--without", "nope"), 1), (("--without", ","), 2), (("--without", "n*"), 1), (("--without", "x" * 300), 2),
                            (("--without", ""), 2), (("--without", "wa1," * 2000), 2)):
            explained(*words, code=code)


# ---- arguments, and HTTP ---------------------------------------------------------------------------------------------


def hostile():
    long = "x" * 256
    with daemon() as d:
        before = d.ctl_json("status")
        for verb, least in (("drain", 1), ("undrain", 3)):
            for words, code in (((), 2), (("nope",), least if verb == "drain" else 1), (("nope*",), least), ((long,), 1), (("a" * 70000,), 2),
                                (("r1", "r2"), 2), (("r1", "--over", "soon"), 2), (("r1", "--over", "8d"), 2),
                                (("--carrier", "nobody"), least), (("--region", "a,b"), 2), (("r1", "--by", long), 2),
                                (("r1", "--bogus"), 2), (("r1", "--wait"), 2), (("r1", "--dry-run"), 2), (("/",), 2)):
                d.ctl("plan", verb, *words, code=code)
        for words, code in (((), 2), ((f"{APP}/r1",), 2), ((f"{APP}/r1", "sideways"), 2), ((f"{APP}/nope", "up"), 1), (("r1", "up"), 2),
                            ((f"{APP}/r1", "auto"), 3), ((f"{APP}/r1", "up", "--force"), 2)):
            d.ctl("plan", "force", *words, code=code)
        for words, code in ((("drain", "r1", "--force=yes"), 2), (("reload", "--dry-run"), 2), (("plan", "reload"), 2), (("plan",), 2)):
            d.ctl(*words, code=code)
        with d.control() as order:
            for fields in ({"site": 5}, {"site": ["r1"]}, {"site": "r1", "force": "yes"}, {"site": "r1", "dry_run": True},
                           {"site": "r1", "at": "14:03"}, {"site": "r1", "for": "1h", "until": "@4102444800"}, {"site": ""}):
                equal(order("plan drain", ok=False, **fields)["code"], 2, fields)
        status = d.ctl_json("status")
        for key in "overrides_revision", "drains", "forces":
            equal(status[key], before[key], key)


def over_http():
    """The same verbs; plans are read, and need no more than that."""
    with door.Door() as it:
        sites = [site["name"] for site in it.get("/v1/sites")[1]["sites"]]
        status, reply = it.get(f"/v1/plan/drain?site={sites[0]}")
        equal((status, reply["ok"], reply["would_be_refused"]), (200, True, False), reply)
        status, reply = it.get("/v1/plan/drain?site=*&over=1h")
        equal((status, reply["ok"], reply["would_be_refused"]), (409, False, True), reply)
        check(reply["error"].startswith("would be refused: it leaves clients with nothing: ") and reply["nothing"], reply)
        equal(it.get("/v1/plan/undrain?site=" + sites[0])[1]["code"], 3)
        equal(it.get("/v1/plan/drain?site=r1&force=maybe")[0], 400)
        equal(it.get("/v1/plan/drain", token=door.REPORT)[0], 403)
        equal(it.post("/v1/plan/drain", {"site": sites[0]})[0], 405)
        status, reply = it.post("/v1/drain", {"site": "*"})
        check(status == 409 and "not done: it leaves" in reply["error"] and reply["refusals"], status, reply)
        equal(it.get("/v1/drains")[1]["drains"], [])
        status, reply = it.post("/v1/drain", {"site": "*", "force": True})
        equal((status, reply["forced"]), (200, True), reply)
        equal([row["forced"] for row in it.get("/v1/drains")[1]["drains"]], [True])


if __name__ == "__main__":
    harness.run(agrees, nothing_is_changed, every_state, of_many_sites, beside_very_many, one_app, two_at_once, forced, by_schedule,
                gives_back, while_it_holds, ramps_end, nothing_counted, without, hostile, over_http, limit_s=280)
