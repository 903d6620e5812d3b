"""Several operators at once, over the socket and over HTTP: all that they ask for is done, or refused with the reason, and in the
end it is as if they had come one after the other."""

import contextlib
import random
import threading

import door
import harness
from harness import Daemon, check, equal, until

OPERATORS, ORDERS = 6, 60
NAME = "app.edge.example.com"
SITES = ("us-east-1", "us-west-2")


class Operator:
    """Gives orders, and notes each with its reply."""

    def __init__(self, number, it):
        self.number, self.it, self.done = number, it, []
        self.random = random.Random(number)
        self.thread = threading.Thread(target=self.work)

    def order(self, n):
        site, name = self.random.choice(SITES), f"op{self.number}-{n}"
        if n == ORDERS - 1:
            return "drain", {"site": site, "by": name}
        return self.random.choice([
            ("drain", {"site": site, "by": name}), ("drain", {"site": site, "by": name, "app": NAME}),
            ("drain", {"site": "us-*", "by": name, "over": "1h"}), ("undrain", {"site": site}), ("undrain", {"site": "us-*"}),
            ("force", {"app": NAME, "site": site, "to": "down", "by": name}), ("force", {"app": NAME, "site": site, "to": "auto"})])

    def work(self):
        with self.it.daemon.control() as control:
            for n in range(ORDERS):
                verb, fields = self.order(n)
                if verb == "drain":
                    fields["force"] = True  # both sites may be drained
                reply = self.it.post(f"/v1/{verb}", fields)[1] if (self.number + n) % 2 else control(verb, ok=None, **fields)
                self.done.append((verb, fields, reply))


def by_of(drain):
    return drain["by"] if drain else None


def what_is_there(control):
    status = control("status")
    return {(row["site"], row.get("app"), row["by"]) for row in status["drains"]} | \
        {(row["site"], row["app"], row["by"], row["to"]) for row in status["forces"]}


def no_change_is_lost():
    """Each drain that was given either holds in the end, or is named by what replaced it, or by what ended it: nobody's is
    overwritten unseen."""
    with door.Door() as it, it.daemon.control() as control:
        until(lambda: it("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        operators = [Operator(number, it) for number in range(OPERATORS)]
        for operator in operators:
            operator.thread.start()
        for operator in operators:
            operator.thread.join()
        done = [row for operator in operators for row in operator.done]
        equal(len(done), OPERATORS * ORDERS)
        for verb, fields, reply in done:
            check(reply["ok"] or reply["code"] in (1, 3) and reply["error"], verb, fields, reply)
            check(reply["ok"] or verb != "drain", "a drain is refused", fields, reply)
        given = [fields["by"] for verb, fields, reply in done if verb == "drain" and reply["ok"]]
        gone = [by_of(reply["replaced"]) for verb, _, reply in done if verb == "drain" and reply["ok"]]
        gone += [by_of(drain) for verb, _, reply in done if verb == "undrain" and reply["ok"] for drain in reply["ended"]]
        holds = [row["by"] for row in control("status")["drains"]]
        equal(sorted(given), sorted([by for by in gone if by] + holds), "each has one fate")
        ended = {(row["kind"], row["by"]) for row in control("drains", ended=True)["ended"]}
        check({("drain", by) for by in gone if by} <= ended, "what has ended is listed")
        # What is served is what holds, and so it is after a restart.
        before = what_is_there(control)
        drained = {row["name"]: row["drained"] is not None for row in control("sites")["sites"]}
        for site in SITES:
            check(drained[site] or not any((row["site"], row["app"]) == (site, None) for row in control("status")["drains"]), site)
        it.daemon.kill()
        it.daemon.start()
        with it.daemon.control() as again:
            equal(what_is_there(again), before, "after a kill -9")
        print(f"  {len(given)} drains given, {len(holds)} hold, the fate of each is told; "
              f"{sum(not reply['ok'] for _, _, reply in done)} orders refused")


def some_order():
    """Two orders that exclude each other, again and again: the outcome is that of one of the two orders in time."""
    with door.Door() as it, it.daemon.control() as control:
        until(lambda: it("/readyz")[0] == 200, harness.PATIENCE_S, "it serves")
        seen = set()
        for _ in range(40):
            control("drain", site=SITES[0])
            replies = {}

            def undrain(replies=replies):
                replies["undrain"] = it.post("/v1/undrain", {"site": SITES[0]})[1]

            other = threading.Thread(target=undrain)
            other.start()
            with it.daemon.control() as mine:
                replies["drain"] = mine("drain", site=SITES[0], reason="mine")
            other.join()
            replaced, holds = replies["drain"]["replaced"], [row["reason"] for row in control("status")["drains"]]
            check(replies["undrain"]["ok"], replies)
            ended = [row["reason"] for row in replies["undrain"]["ended"]]
            # undrain first: it ended the old one, and mine holds. Mine first: it replaced the old one, and was ended.
            check((ended, replaced, holds) == ([None], None, ["mine"]) or
                  (ended, bool(replaced), holds) == (["mine"], True, []), replies, holds)
            seen.add(bool(replaced))
            if holds:
                control("undrain", site=SITES[0])
        print(f"  {len(seen)} of 2 orders in time were seen")


def stopped_meanwhile():
    """A daemon that is told to stop finishes what it has been asked for, and ends as it should; each drain is the last one that was
    acknowledged, or the one that was under way."""
    apps = {f"op{n}.edge.example.com": {"targets": {"r1": {"addresses": ["192.0.2.1"]}, "r2": {"addresses": ["192.0.2.2"]}}}
            for n in range(OPERATORS)}
    with Daemon({"domains": harness.DOMAIN, "sites": {"r1": {"kind": "region"}, "r2": {"kind": "region"}}, "apps": apps}) as d:
        given = [0] * OPERATORS

        def operate(n):
            # Ends with the connection.
            with contextlib.suppress(OSError, ValueError, harness.Failure), d.control() as order:
                while order("drain", ok=None, site="r1", app=f"op{n}.edge.example.com", by=str(given[n] + 1))["ok"]:
                    given[n] += 1

        for _ in range(5):
            threads = [threading.Thread(target=operate, args=(n,)) for n in range(OPERATORS)]
            least = min(given) + 3
            for thread in threads:
                thread.start()
            until(lambda least=least: min(given) >= least, harness.PATIENCE_S, "all are at work", every_s=0.001)
            equal(d.stop(), 0)
            for thread in threads:
                thread.join()
            d.start()
            for drain in d.ctl_json("drains")["drains"]:
                n, by = int(drain["app"].split(".")[0][2:]), int(drain["by"])
                check(given[n] <= by <= given[n] + 1, drain, given)
                given[n] = by


if __name__ == "__main__":
    harness.run(no_change_is_lost, some_order, stopped_meanwhile, limit_s=120)
