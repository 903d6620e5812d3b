"""Sharing by weight: shares as the weights say, each client always with the same site, only its own clients moving
when a site leaves, and a scope that no cache can use to hand one client's answer to another."""

import collections
import random

import harness
import wire
from harness import Daemon, check, equal

ZONE = "edge.example.com"
NAME, PLAIN = "app." + ZONE, "plain." + ZONE
WEIGHTS = {"s1": 1, "s2": 2, "s3": 3, "s4": 4}
ADDRESSES = {site: f"203.0.113.{n}" for n, site in enumerate(list(WEIGHTS) + ["away"], 1)}
SITE_OF = {address: site for site, address in ADDRESSES.items()}
# Four sites in one town, one far away; the clients of 10/8 and of 2001:db8::/32 are in that town.
CONFIG = {
    "steering": {"hash-prefix": {"ipv4": 24, "ipv6": 48}, "tie": "2ms"},
    "domains": harness.DOMAIN,
    "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
    "sites": {**{site: {"kind": "region", "location": [40.0 + n / 100, -74.0]} for n, site in enumerate(WEIGHTS)},
              "away": {"kind": "region", "location": [20.0, 100.0]}},
    "apps": {
        NAME: {"targets": {**{site: {"addresses": [ADDRESSES[site]], "weight": weight} for site,
                              weight in WEIGHTS.items()},
                           "away": {"addresses": [ADDRESSES["away"]], "weight": 100}}},
        PLAIN: {"targets": {site: {"addresses": [address]} for site, address in ADDRESSES.items()}},
    },
}
RANGES = """prefix,latitude,longitude
10.0.0.0/8,40.0,-74.0
10.200.1.128/25,20.0,100.0
2001:db8::/32,40.0,-74.0
2001:db8:ff00::/56,20.0,100.0
"""
CLIENTS = [f"10.{a}.{b}.0/24" for a in range(24) for b in range(0, 256, 2)]
COUNT = len(CLIENTS)


def daemon():
    return Daemon(CONFIG, {"ranges.csv": RANGES})


def shares(d, clients, name=NAME):
    """{client: site}, checked: one address, scope at least the hash's prefix and never a wider truth."""
    queries = [wire.query(name, additional=[wire.opt(wire.ecs(client))]) for client in clients]
    out = {}
    for client, reply in zip(clients, map(wire.Reply, d.ask(queries))):
        address, = reply.addresses
        out[client] = SITE_OF[address]
        if name == NAME:
            equal(reply.scope, 48 if ":" in client else 24, client)
    return out


def tolerable(count, total, share):
    """Within five standard deviations of a fair draw."""
    return abs(count - total * share) < 5 * (total * share * (1 - share)) ** 0.5


def shares_by_weight():
    with daemon() as d:
        for clients in (CLIENTS, [f"2001:db8:{n:x}::/56" for n in range(0, 40000, 8)]):
            counts = collections.Counter(shares(d, clients).values())
            print("  " + ", ".join(f"{site}: {counts[site]} of {len(clients)}" for site in WEIGHTS))
            equal(set(counts), set(WEIGHTS), "sites that share")
            for site, weight in WEIGHTS.items():
                check(tolerable(counts[site], len(clients), weight / 10), site, counts)
        # Without weights the best takes all.
        equal(set(shares(d, CLIENTS[:200], PLAIN).values()), {"s1"})


def sticks():
    """The same site every time, from every address of the /24, after a restart and on another daemon."""
    with daemon() as d:
        first = shares(d, CLIENTS)
        equal(shares(d, CLIENTS), first)
        inside = [client.replace(".0/24", f".{random.randrange(256)}/32") for client in CLIENTS]
        equal(list(shares(d, inside).values()), list(first.values()))
        d.restart()
        equal(shares(d, CLIENTS), first)
    with daemon() as other:
        equal(shares(other, CLIENTS), first)


def only_its_own_move():
    """When a site leaves only its clients move, to the others by weight; when it comes back all is as before."""
    with daemon() as d:
        first = shares(d, CLIENTS)
        for leaving, weight in WEIGHTS.items():
            d.ctl("drain", leaving)
            now = shares(d, CLIENTS)
            moved = [client for client in CLIENTS if now[client] != first[client]]
            equal(set(moved), {client for client in CLIENTS if first[client] == leaving}, leaving)
            counts = collections.Counter(now[client] for client in moved)
            for site, other in WEIGHTS.items():
                if site != leaving:
                    check(tolerable(counts[site], len(moved), other / (10 - weight)), leaving, site, counts)
            d.ctl("undrain", leaving)
            equal(shares(d, CLIENTS), first)
        # Two are gone: each one's clients move once, no others.
        d.ctl("force", f"{NAME}/s1", "down")
        d.ctl("force", f"{NAME}/s4", "down")
        now = shares(d, CLIENTS)
        check(all(now[client] == first[client] for client in CLIENTS if first[client] in ("s2", "s3")))
        check(set(now.values()) == {"s2", "s3"})
        # All four: the one that is far away.
        d.ctl("force", f"{NAME}/s2", "down")
        d.ctl("force", f"{NAME}/s3", "down")
        equal(set(shares(d, CLIENTS[:100]).values()), {"away"})


def longer_leaf():
    """Where the table's leaf is longer than the hash's prefix, the scope is the leaf's."""
    with daemon() as d:
        for client, scope in (("10.200.1.0/32", 25), ("10.200.1.200/32", 25), ("10.200.0.1/32", 24),
                              ("10.200.1.0/24", 25),
                              ("2001:db8:ff00::1/128", 56), ("2001:db8:ff01::/64", 48), ("2001:db8:ff00:100::/64", 56)):
            reply = d.query(NAME, ecs=client)
            equal(reply.scope, scope, client)
        # Clients far from the four get the one near them, without a hash.
        equal(d.query(NAME, ecs="10.200.1.200/32").addresses, [ADDRESSES["away"]])
        # Where no hash can decide, the table's scope alone counts: clients of unknown coordinates.
        equal(d.query(PLAIN, ecs="10.1.2.0/24").scope, 9)


if __name__ == "__main__":
    harness.run(shares_by_weight, sticks, only_its_own_move, longer_leaf)
