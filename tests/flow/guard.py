"""What a reload would change for the recent traffic: shown before, held where it is too much, taken by force."""

import json
import threading

import harness
from harness import Daemon, check, equal, until

NAME = "app.edge.example.com"
ADDRESSES = {"w1": "155.146.1.1", "r1": "203.0.113.1", "r2": "203.0.113.2"}
BLOCKS = 64  # prefixes of 10.0.0.0/8
QUERIES = 3000


def ranges(carriers):
    """The first of so many prefixes have the carrier, and are near its site."""
    return "prefix,carrier,latitude,longitude\n" + "".join(
        f"10.{i}.0.0/16,{'one,50,0' if i < carriers else ',38,-77'}\n" for i in range(BLOCKS))


def config(**more):
    it = {
        "server": {"watch": "off"}, "domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
        "sites": {"w1": {"kind": "wavelength", "reach": ["one"], "location": [50, 0]},
                  "r1": {"kind": "region", "location": [38, -77]}, "r2": {"kind": "region", "location": [51.5, 0]}},
        "apps": {NAME: {"targets": {site: {"addresses": [address]} for site, address in ADDRESSES.items()}}},
    }
    return {**it, **more}


def ask(d, queries=QUERIES, blocks=BLOCKS):
    """As many of each block, and waits until they are in the sample."""
    for i in range(queries):
        d.query(NAME, ecs=f"10.{i % blocks}.{i // blocks % 256}.0/24")


def sampled(d):
    return (d.ctl_json("reload", "--check")["effect"] or {}).get("queries", 0)


def asked(d, queries=QUERIES):
    before = sampled(d)
    ask(d, queries)
    counts = [before]

    def all_read():
        """The daemon reads what its workers have left four times a second."""
        counts.append(sampled(d))
        return counts[-1] >= before + queries * 0.9 and counts[-1] == counts[-2]

    until(all_read, harness.PATIENCE_S, "the sample", every_s=0.6)


def moves(effect):
    return {(move["from"], move["to"]): move["queries"] for move in effect["moves"]}


def generation(d):
    return d.ctl_json("status")["generation"]


def held():
    with Daemon(config(), {"ranges.csv": ranges(BLOCKS // 2)}) as d:
        # Without traffic nothing is held.
        d.write("ranges.csv", ranges(BLOCKS // 4))
        equal(d.ctl_json("reload")["effect"], None)
        d.write("ranges.csv", ranges(BLOCKS // 2))
        check("no traffic" in d.ctl("reload", "--check", as_json=False).out, "said")
        d.ctl_json("reload")
        asked(d)
        was = generation(d)

        # An eighth of the clients: shown exactly as it is, and taken.
        d.write("ranges.csv", ranges(BLOCKS * 3 // 8))
        shown = d.ctl_json("reload", "--check")
        equal((shown["would_be_taken"], generation(d), list(moves(shown["effect"]))), (True, was, [("w1", "r1")]))
        effect = shown["effect"]
        check(0.115 < effect["moved"] / effect["queries"] < 0.135, effect)
        check(effect["moves"][0]["ms_before"] < effect["moves"][0]["ms_after"], effect["moves"][0])
        check(all(int(client.split(".")[1]) in range(BLOCKS * 3 // 8, BLOCKS // 2) for client in effect["moves"][0]["examples"]),
              effect)
        text = d.ctl("reload", "--check", as_json=False).out
        share = f"{100 * effect['moved'] / effect['queries']:.1f} %"
        check("would be taken" in text and text.count(share) == 2 and "w1" in text, share, text)
        equal(d.ctl_json("reload")["effect"]["moved"], effect["moved"])
        check(generation(d) > was, "taken")
        was = generation(d)

        # All that the carrier has left: held, and said with numbers; what is answered stays.
        d.write("ranges.csv", ranges(0))
        effect = d.ctl("reload", "--check", code=None).json["effect"]
        share = effect["moved"] / effect["queries"]
        check(abs(share - 3 / 8) < 0.08 * 3 / 8, effect)  # of a sample, as above
        refused = d.ctl("reload", as_json=False, code=1)
        check(f"guard: {100 * share:.1f} % of the recent queries" in refused.err and "from w1 to r1" in refused.err, refused)
        check("the reload is held" in refused.err and "config" not in refused.err.splitlines()[0] and refused.out == "", refused)
        status = d.ctl_json("status")
        equal((status["last_reload_ok"], status["last_reload_held"]), (False, True))
        check("HELD: the previous generation" in d.ctl("status", as_json=False).out, "said")
        check("the last reload is held" in d.ctl("check", as_json=False, code=1).out, "said")
        equal((generation(d), d.query(NAME, ecs="10.1.0.0/24").addresses), (was, [ADDRESSES["w1"]]))
        shown = d.ctl("reload", "--check", code=1).json
        equal((shown["would_be_taken"], len(shown["errors"]), list(moves(shown["effect"]))), (False, 1, [("w1", "r1")]))
        shown = d.ctl("reload", "--check", as_json=False, code=1)
        check("HELD" in shown.out and "FOR INSTANCE" in shown.out and "a reload would be held" in shown.err, shown)
        check("reload held" in d.log() and "reload failed" not in d.log(), "logged")
        # The next good one replaces it; or force.
        d.write("ranges.csv", ranges(BLOCKS * 3 // 8 - 1))
        d.ctl_json("reload")
        d.write("ranges.csv", ranges(0))
        equal(d.ctl_json("reload", "--force")["effect"]["moved"] > 0, True)
        equal(d.query(NAME, ecs="10.1.0.0/24").addresses, [ADDRESSES["r1"]])
        # Samples live through all of this.
        check(sampled(d) >= QUERIES * 0.9, sampled(d))


def not_held():
    """What is gone moves, and is not held; nor is what health and overrides do; nor with a guard of 100 %."""
    with Daemon(config(), {"ranges.csv": ranges(BLOCKS)}) as d:
        asked(d)
        without = config()
        del without["apps"][NAME]["targets"]["w1"]
        d.write_config(without)
        effect = d.ctl_json("reload", "--check")["effect"]
        equal((effect["moved"], effect["gone"], effect["queries"] - effect["moved"]), (effect["queries"],) * 2 + (0,))
        equal(d.ctl_json("reload")["effect"]["gone"], effect["gone"])
        d.write_config(config())
        d.ctl("reload", "--force")
        d.ctl_json("drain", "w1")
        equal(d.ctl_json("reload")["effect"]["moved"], 0)
        d.ctl_json("undrain", "w1")
        d.write_config(config(guard="100%"))
        d.write("ranges.csv", ranges(0))
        effect = d.ctl_json("reload")["effect"]
        equal(effect["moved"], effect["queries"])


def taken_back():
    """What is held is no load to go back to, and a way back is not held, however many it moves."""
    with Daemon(config(), {"ranges.csv": ranges(BLOCKS // 2)}) as d:
        asked(d)
        d.write("ranges.csv", ranges(0))
        d.ctl("reload", code=1)
        equal(d.ctl("rollback", code=3).code, 3)
        d.ctl("reload", "--force")
        equal(d.query(NAME, ecs="10.1.0.0/24").addresses, [ADDRESSES["r1"]])
        d.ctl("reload", "--check")
        equal(d.ctl_json("status")["last_reload_held"], False)
        effect = d.ctl_json("rollback")["effect"]
        equal((d.query(NAME, ecs="10.1.0.0/24").addresses, list(moves(effect))), ([ADDRESSES["w1"]], [("r1", "w1")]))
        check(0.4 < effect["moved"] / effect["queries"] < 0.6, effect)
        equal(d.ctl("rollback", code=3).code, 3, "a second one")


def renumbered():
    """Samples stay with their app when a reload puts another one before it."""
    with Daemon(config(), {"ranges.csv": ranges(BLOCKS)}) as d:
        asked(d)
        other = {"aaa.edge.example.com": {"targets": {"r1": {"addresses": ["203.0.113.9"]}}}}
        d.reload(config(apps={**other, **config()["apps"]}))
        d.write("ranges.csv", ranges(BLOCKS * 7 // 8))
        effect = d.ctl_json("reload", "--check")["effect"]
        equal(list(moves(effect)), [("w1", "r1")])
        check(0.11 < effect["moved"] / effect["queries"] < 0.14, effect)


def watched():
    """A file that changes is held in the same way."""
    with Daemon(config(server={"watch": "feeds"}), {"ranges.csv": ranges(BLOCKS)}) as d:
        asked(d)
        d.write("ranges.csv", ranges(0))
        until(lambda: "guard: " in d.ctl_json("status")["watch"].get("refused", ""), harness.PATIENCE_S, "held")
        equal(d.query(NAME, ecs="10.1.0.0/24").addresses, [ADDRESSES["w1"]])
        d.ctl("reload", "--force")
        equal(d.query(NAME, ecs="10.1.0.0/24").addresses, [ADDRESSES["r1"]])


def wrong():
    with Daemon(config(), {"ranges.csv": ranges(BLOCKS)}) as d:
        check("not both" in d.ctl("reload", "--check", "--force", as_json=False, code=2).err)
        d.write("edgesteer.yaml", "apps: [")
        refused = d.ctl("reload", "--check", as_json=False, code=2)
        check("edgesteer.yaml:" in refused.err and "refused" in refused.err, refused)
        equal(d.ctl_json("status").get("last_reload_held", False), False)
        equal(json.dumps(d.ctl_json("status")["generation"]), "1")


def while_it_moves():
    """What is published anew all the time stays as long as a reload is looked at with it. (ThreadSanitizer sees whether it does.)"""
    with Daemon(config(), {"ranges.csv": ranges(BLOCKS // 2)}) as d:
        asked(d, 1000)
        stop, orders = threading.Event(), []

        def operate():
            with d.control() as order:
                while not stop.is_set():
                    order("drain", site="r2", app=NAME, over="1h")
                    order("adopt", app=NAME, percent=str(len(orders) % 90), over="1h")
                    orders.append(order("undrain", site="r2"))

        operator = threading.Thread(target=operate)
        operator.start()
        try:
            for _ in range(30):
                check(d.ctl_json("reload", "--check")["effect"]["queries"] >= 900, "looked at")
        finally:
            stop.set()
            operator.join()
        check(len(orders) > 5, len(orders))


if __name__ == "__main__":
    harness.run(held, not_held, taken_back, renumbered, watched, wrong, while_it_moves)
