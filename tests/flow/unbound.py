"""A resolver that caches by client subnet in front of the daemon: every client gets its own answer in whatever order
they come, and clients of one place cost one query."""

import ipaddress
import random

import harness
from harness import Daemon, equal
from oracle import App, Oracle, Site, Source
from resolver import Unbound

ZONE = "edge.example.com"
APP = "app." + ZONE
LOCATION = (40.0, -74.0)
# Nested prefixes, neighbours that differ, gaps, and one uniform /16; none longer than what the resolver passes on.
PREFIXES = [("10.0.0.0/12", "one"), ("10.1.0.0/16", "two"), ("10.1.128.0/17", "one"), ("10.1.200.0/24", "two"),
            ("10.1.201.0/24", "three"), ("10.2.3.0/24", "two"), ("10.2.4.0/22", "three"), ("10.77.0.0/16", "two"),
            ("2001:db8::/32", "one"), ("2001:db8:40::/42", "two"), ("2001:db8:40:100::/56", "three"),
            ("2001:db8:8000::/34", "three")]
SITES = {"r1": {"kind": "region", "location": list(LOCATION)}}
SITES.update({f"w-{c}": {"kind": "wavelength", "location": list(LOCATION), "region": "r1", "reach": [c]}
              for c in ("one", "two", "three")})
TARGETS = {"r1": ["203.0.113.1", "2001:db8:f::1"], "w-one": ["155.146.0.1"], "w-two": ["155.146.0.2", "2001:db8:f::2"],
           "w-three": ["155.146.0.3", "2001:db8:f::3"]}
CONFIG = {
    "domains": harness.DOMAIN,
    "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
    "sites": SITES,
    "apps": {APP: {"ttl": "300s", "targets": {site: {"addresses": a} for site, a in TARGETS.items()}}},
}
RANGES = "prefix,carrier,latitude,longitude\n" + "".join(f"{p},{c},{LOCATION[0]},{LOCATION[1]}\n" for p, c in PREFIXES)


def queries(daemon):
    return daemon.ctl_json("stats")["queries"]


def every_client_its_own():
    facts = [(p, {"carrier": c, "location": LOCATION}) for p, c in PREFIXES]
    oracle = Oracle([Site(name, s["kind"], tuple(s["location"]), set(s["reach"]) if "reach" in s else None)
                     for name, s in SITES.items()], [Source(facts)])
    app, names = App(TARGETS), list(TARGETS)
    rng = random.Random(11)
    clients = [f"10.{rng.randrange(20)}.{rng.randrange(256)}.0/{rng.choice((24, 24, 24, 16, 20, 22))}"
               for _ in range(150)]
    clients += [f"10.{a}.{b}.0/24" for a in (1, 2) for b in range(0, 256, 5)]
    clients += [f"10.1.{b}.0/24" for b in (127, 128, 199, 200, 201, 202)] + [f"10.2.{b}.0/24" for b in range(9)]
    clients += [f"2001:db8:{a:x}:{b:x}::/56" for a in (0, 0x3f, 0x40, 0x7f, 0x80, 0x7fff, 0x8000, 0xbfff)
                for b in (0, 0x100, 0x1ff, 0x200, 0xff00)]
    clients = list(dict.fromkeys(clients))
    with Daemon(CONFIG, {"ranges.csv": RANGES}) as d:
        for turn in range(3):
            with Unbound(d.folder, d.port, ZONE) as resolver:
                rng.shuffle(clients)
                for kind in ("A", "AAAA") if turn == 0 else ("A",):
                    for client, reply in zip(clients, resolver.ask(APP, clients, kind)):
                        family, number = client_number(client)
                        slot, _ = oracle.answer(app, family, number)
                        want = [a for a in TARGETS[names[slot]] if (":" in a) == (kind == "AAAA")]
                        equal((reply.rcode, reply.addresses), (0, want),
                              f"{kind} for {client} through unbound, turn {turn}")


def client_number(client):
    net = ipaddress.ip_network(client, strict=False)
    return net.version, int(net.network_address)


def one_place_one_query():
    clients = [f"10.77.{i}.0/24" for i in range(256)]
    with Daemon(CONFIG, {"ranges.csv": RANGES}) as d, Unbound(d.folder, d.port, ZONE) as resolver:
        before = queries(d)
        # The first answer must be in the cache before the others ask, or they would rightly ask beside it.
        first = resolver.ask(APP, clients[:1])[0]
        equal(first.addresses, TARGETS["w-two"][:1])
        for _ in range(2):
            for reply in resolver.ask(APP, clients):
                equal(reply.addresses, TARGETS["w-two"][:1])
                equal(reply.scope, 16)
        equal(queries(d) - before, 1, "queries of the daemon for 256 clients of one /16, each asked twice")


if __name__ == "__main__":
    harness.run(every_client_its_own, one_place_one_query)
