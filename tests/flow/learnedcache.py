"""Resolvers that cache by client subnet in front of a daemon that learns: while prefixes are learned, merge with their
neighbours, split from them and are forgotten, every client gets an answer of its own in whatever order they ask. Only for
one TTL after a change may it be the one before."""

import random
import time

import harness
import learned
from harness import Daemon, check, equal, until
from learned import ADDRESSES, APP
from resolver import Recursor, Unbound

TTL_S = 1
CARRIER = [f"10.10.{i}" for i in range(96)] + [f"2001:db8:{i:x}" for i in range(1, 25)]
# Others, of another carrier, of none, off the edge; nobody may say anything of them.
OTHERS = {"10.20.1": "ber", "10.20.200": "ber", "10.30.1": "region", "10.11.7": "region", "203.0.113": "region"}
BY_TABLE = "bos"


def subnet(client):
    return f"{client}::/48" if ":" in client else f"{client}.0/24"


def steps(dice):
    """What the service says of each of the carrier's clients, step by step."""
    some = {client: "nyc" for client in dice.sample(CARRIER, 40)}
    yield "come", some
    yield "merge", dict.fromkeys(CARRIER, "nyc")
    yield "split", {client: "region" if number % 8 == 3 else "nyc" for number, client in enumerate(CARRIER)}
    yield "at random", {client: dice.choice(("nyc", "region", "bos")) for client in CARRIER if dice.random() < 0.8}
    yield "go", {}


def site_of(reply):
    equal((reply.rcode, len(reply.addresses)), (0, 1), reply)
    return next(name for name, address in ADDRESSES.items() if address == reply.addresses[0])


def says(step):
    return "".join(f"{client}{':' if ':' in client else '.'} found {site}\n" for client, site in step.items())


def play(resolver_of):
    dice = random.Random(7)
    config = learned.config({"agree": 1, "tries": 1}, rate=2000, concurrency=200)
    config["apps"][APP]["ttl"] = f"{TTL_S}s"
    files = {"clients.csv": learned.CLIENTS + "2001:db8::/32,verizon,42.3,-71.0,\n", "says": ""}
    clients, before = [*CARRIER, *OTHERS], dict.fromkeys(CARRIER, BY_TABLE)
    with Daemon(config, files=files) as d, resolver_of(d.folder, d.port, "e.x") as resolver:
        def ask(of):
            return {client: site_of(reply) for client, reply in zip(of, resolver.ask(APP, [subnet(one) for one in of]))}

        for name, step in steps(dice):
            wanted = {client: step.get(client, BY_TABLE) for client in CARRIER}
            d.write("says.new", says(step)).replace(d.folder / "says")
            d.ctl("learned", "forget", "--all", code=None)
            unlike = set(CARRIER)

            def settled():
                """All the while the resolver is asked in another order, and fills its cache."""
                for client, site in ask(dice.sample(clients, 30)).items():
                    check(site == OTHERS.get(client) or site in (before.get(client), wanted.get(client), BY_TABLE), name, client,
                          site)
                known = {row["prefix"] for row in d.ctl_json("learned")["learned"]}  # also those that are "not found"
                for client in dice.sample(sorted(unlike), min(20, len(unlike))):
                    if site_of(d.query(APP, ecs=subnet(client))) == wanted[client] and subnet(client) in known:
                        unlike.discard(client)
                return not unlike

            until(settled, 20 * harness.slowness(), f"{name}: what the service says is answered", 0.01)
            time.sleep(TTL_S + 1.2)  # unbound counts whole seconds
            for _ in range(2):
                dice.shuffle(clients)
                equal(ask(clients), {client: {**OTHERS, **wanted}[client] for client in clients}, name)
            before = wanted
        check(d.ctl_json("stats")["queries"] > 0)


def test_unbound():
    play(lambda *words: Unbound(*words, min_ttl_s=0))


def test_recursor():
    play(Recursor)


if __name__ == "__main__":
    harness.run(test_unbound, test_recursor)
