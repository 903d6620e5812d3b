"""`edgesteerctl rollback`: what was served before the last reload is served again at once, from memory. Files are not followed then
until a reload; overrides, health and what providers give stay as they are."""

import harness
from harness import Daemon, check, equal, until

NAME, GIVEN = "app.edge.example.com", "given.edge.example.com"
CLIENT = "10.1.0.0/24"
HERE, THERE = "203.0.113.1", "203.0.113.2"
NEAR = "prefix,carrier,latitude,longitude\n10.0.0.0/8,,50,0\n"
AWAY = "prefix,carrier,latitude,longitude\n10.0.0.0/8,,38,-77\n"


def config(addresses=(HERE, THERE), watch="feeds", **more):
    targets = {site: {"addresses": [address]} for site, address in zip(("here", "there"), addresses)}
    return {"server": {"watch": watch}, "domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
            "providers": [{"plugin": "file", "file": "given.csv", "grace": "1s"}],
            "sites": {"here": {"kind": "region", "location": [50, 0]}, "there": {"kind": "region", "location": [38, -77]}},
            "apps": {NAME: {"targets": targets}}, **more}


def given(address):
    return f"app,site,address\n{GIVEN},there,{address}\n"


FILES = {"ranges.csv": NEAR, "given.csv": given("192.0.2.1")}


def replace(d, name, content):
    d.write(name + ".new", content)
    (d.folder / (name + ".new")).rename(d.folder / name)


def answer(d, name=NAME):
    return d.query(name, ecs=CLIENT).addresses


def becomes(d, *addresses, name=NAME):
    until(lambda: answer(d, name) == list(addresses), harness.PATIENCE_S, f"{name}: {addresses}", every_s=0.05)


def status(d):
    return d.ctl_json("status")


def from_memory():
    """No file is read for it, overrides and targets of providers stay, and everybody is told."""
    with Daemon(config(), FILES) as d:
        becomes(d, "192.0.2.1", name=GIVEN)
        equal(d.ctl("rollback", code=3).code, 3)
        equal((status(d).get("rollback"), status(d).get("rolled_back")), (None, None))
        d.reload(config(addresses=("203.0.113.11", "203.0.113.12")))
        equal(answer(d), ["203.0.113.11"])
        kept = status(d)["rollback"]
        check(kept["bytes"] > 0 and kept["loaded"] > 0, kept)
        check("rollback     to generation" in d.ctl("status", as_json=False).out)

        d.ctl("drain", "here", "--reason", "after the reload")
        d.ctl("force", f"{NAME}/there", "up")
        replace(d, "given.csv", given("192.0.2.9"))
        becomes(d, "192.0.2.9", name=GIVEN)
        for name in ("ranges.csv", "edgesteer.yaml"):
            (d.folder / name).unlink()
        told = d.ctl_json("rollback", "--reason", "wrong addresses", "--by", "Bob")
        equal((answer(d), told["serving"]), ([THERE], True))
        equal([drain["reason"] for drain in d.ctl_json("drains")["drains"]], ["after the reload"])
        d.ctl("undrain", "here")
        equal(answer(d), [HERE])
        equal(answer(d, GIVEN), ["192.0.2.9"], "what the provider gives now")
        replace(d, "given.csv", given("192.0.2.10"))
        becomes(d, "192.0.2.10", name=GIVEN)
        equal(answer(d), [HERE], "a join is one of what is served")

        now = status(d)
        equal([now["rolled_back"][key] for key in ("to", "by", "reason")], [kept["generation"], "Bob", "wrong addresses"])
        equal((now.get("rollback"), now["watch"]["held"]), (None, True))
        text = d.ctl("status", as_json=False).out
        check("ROLLED BACK" in text and "wrong addresses" in text and "NOT FOLLOWED" in text, text)
        verdict = d.ctl("check", code=1, as_json=False)
        check("rolled back" in verdict.out, verdict)
        equal(d.ctl("rollback", code=3).code, 3, "one load back, not two")

        # A reload that fails leaves it so; a good one ends it, and may be taken back itself.
        d.ctl("reload", code=2)
        check("rolled_back" in status(d) and answer(d) == [HERE])
        d.write("ranges.csv", NEAR)
        d.reload(config(addresses=("203.0.113.21", "203.0.113.22")))
        equal((answer(d), "rolled_back" in status(d)), (["203.0.113.21"], False))
        d.ctl("check")
        d.ctl("rollback")
        equal(answer(d), [HERE])


def feeds():
    """A table that changes is a reload too. While rolled back none is taken, and told; afterwards it is again."""
    with Daemon(config(), FILES) as d:
        becomes(d, "192.0.2.1", name=GIVEN)
        replace(d, "ranges.csv", AWAY)
        becomes(d, THERE)
        d.ctl("rollback")
        equal(answer(d), [HERE])
        replace(d, "ranges.csv", AWAY + "10.99.0.0/16,,50,0\n")
        until(lambda: "is not taken: the daemon is rolled back" in d.log(), harness.PATIENCE_S, "it is noticed")
        equal(answer(d), [HERE])
        check("rolled_back" in status(d))
        d.ctl("reload")
        equal((answer(d), "rolled_back" in status(d)), ([THERE], False))
        replace(d, "ranges.csv", NEAR)
        becomes(d, HERE)


def restarts():
    """A kill -9 ends it: what is in the files is read. So does a signal to reload."""
    with Daemon(config(watch="off"), FILES) as d:
        d.reload(config(addresses=("203.0.113.11", "203.0.113.12"), watch="off"))
        d.ctl("adopt", NAME, "100")
        d.ctl("rollback")
        equal(answer(d), [HERE])
        d.kill()
        d.start()
        equal((answer(d), "rolled_back" in status(d), len(d.ctl_json("drains")["adoptions"])), (["203.0.113.11"], False, 1))
        d.reload(config(watch="off"))
        d.ctl("rollback")
        equal(answer(d), ["203.0.113.11"])
        d.signal(harness.signal.SIGHUP)
        becomes(d, HERE)
        check("rolled_back" not in status(d))


def same_again():
    """What has read the same is no load to go back to: an order that is given twice does not lose the one before. With `rollback:
    off` nothing is kept."""
    with Daemon(config(watch="off"), FILES) as d:
        d.ctl("reload")
        equal(d.ctl("rollback", code=3).code, 3)
        d.reload(config(addresses=("203.0.113.11", "203.0.113.12"), watch="off"))
        kept = status(d)["rollback"]
        for _ in range(3):
            d.ctl("reload")
        equal(status(d)["rollback"], kept)
        d.ctl("rollback")
        equal(answer(d), [HERE])
        # A reload to what is served already ends it all the same.
        d.reload(config(watch="off"))
        equal((answer(d), "rolled_back" in status(d)), ([HERE], False))
        d.reload(config(addresses=("203.0.113.11", "203.0.113.12"), server={"watch": "off", "rollback": "off"}))
        equal((answer(d), d.ctl("rollback", code=3).code, status(d).get("rollback")), (["203.0.113.11"], 3, None))


def refused():
    with Daemon(config(watch="off"), FILES) as d:
        d.reload(config(addresses=("203.0.113.11", "203.0.113.12"), watch="off"))
        for words in (["now"], ["--force"], ["--reason", "r" * 256], ["--by", ""], ["--reason", ""]):
            check(d.ctl("rollback", *words, code=2, as_json=False).err, words)
        with d.control() as control:
            for fields in ({"reason": 5}, {"to": 1}, {"by": []}):
                check(not control("rollback", ok=False, **fields)["ok"], fields)
        equal((answer(d), "rolled_back" in status(d)), (["203.0.113.11"], False))
        d.reload(config(server={"watch": "off", "require-reason": True}))
        check("a reason is needed" in d.ctl("rollback", code=2, as_json=False).err)
        d.ctl("rollback", "--reason", "as required")
        equal(answer(d), ["203.0.113.11"])


if __name__ == "__main__":
    harness.run(from_memory, feeds, restarts, same_again, refused, limit_s=150)
