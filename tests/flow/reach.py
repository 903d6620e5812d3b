"""Reach is an invariant: no combination of sites up, down, drained or forced answers a client with a site it cannot
reach. Every one of the 4096 combinations of six sites (forced up or down, drained or not), each client's answer held
against DESIGN section 2.4; and health measured to be down, the region included."""

import ipaddress
import random

import harness
import wire
from harness import Daemon, Responder, equal, until
from oracle import App, Oracle, Site, Source

ZONE = "edge.example.com"
NAME = "app." + ZONE
SITES = {
    "w-a1": {"kind": "wavelength", "location": [42.4, -71.1], "region": "r1", "reach": ["a"]},
    "r1": {"kind": "region", "location": [38.9, -77.0]},
    "w-b1": {"kind": "wavelength", "location": [40.7, -74.0], "region": "r1", "reach": ["b"]},
    "w-ab": {"kind": "wavelength", "location": [33.7, -84.4], "region": "r1", "reach": ["a", "b"]},
    "lz": {"kind": "local-zone", "location": [25.8, -80.2], "region": "r1"},
    "out-b": {"kind": "outpost", "location": [41.9, -87.6], "region": "r1", "reach": ["b"]},
}
ADDRESSES = {name: f"192.0.2.{number}" for number, name in enumerate(SITES, 1)}
RANGES = [
    ("10.1.0.0/16", {"carrier": "a", "location": (42.0, -71.0)}),
    ("10.2.0.0/16", {"carrier": "a"}),
    ("10.3.0.0/16", {"carrier": "a", "location": (42.0, -71.0), "class": "mvno"}),
    ("10.4.0.0/16", {"carrier": "b", "location": (41.0, -74.0)}),
    ("10.5.0.0/16", {"carrier": "b", "class": "edge"}),
    ("10.6.0.0/16", {"carrier": "c", "location": (26.0, -80.0)}),
    ("10.7.0.0/16", {"location": (33.0, -84.0)}),
    ("10.8.0.0/16", {"class": "roaming"}),
    ("2001:db8:1::/48", {"carrier": "b", "location": (42.0, -88.0), "class": "edge"}),
]
# One client in each, and an unknown one.
CLIENTS = [text.replace("/16", "/32").replace("0.0/", "7.7/").replace("/48", "/56") for text,
           _ in RANGES] + ["10.99.0.1/32"]


def csv():
    rows = ["prefix,carrier,class,latitude,longitude"]
    for prefix, facts in RANGES:
        latitude, longitude = facts.get("location", ("", ""))
        rows.append(f"{prefix},{facts.get('carrier', '')},{facts.get('class', '')},{latitude},{longitude}")
    return "\n".join(rows) + "\n"


def config(last_resort="servfail", check=None, addresses=None):
    app = {"ttl": "30s", "last-resort": last_resort, "targets": {
        site: {"addresses": [address], **({"check-address": addresses[site]} if addresses else {})}
        for site, address in ADDRESSES.items()}}
    out = {"domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}], "sites": SITES,
           "apps": {NAME: app}}
    if check:
        out["checks"], app["check"] = {"alb": check}, "alb"
    return out


class Expected:
    def __init__(self):
        sites = [Site(name, s["kind"], tuple(s["location"]), set(s["reach"]) if "reach" in s else None)
                 for name, s in SITES.items()]
        self.oracle, self.app = Oracle(sites, [Source(RANGES)]), App(SITES)
        self.orders = {}
        for client in CLIENTS:
            net = ipaddress.ip_network(client, strict=False)
            (order, _), scope = self.oracle.steer(self.app, net.version, int(net.network_address))
            self.orders[client] = [list(SITES)[number] for number in order], scope

    def answer(self, client, down, drained):
        """(rcode, addresses, scope): healthy first, then whatever is not drained, then the last resort."""
        order, scope = self.orders[client]
        for barred in (down | drained, drained):
            for name in order:
                if name not in barred:
                    return 0, [ADDRESSES[name]], scope
        return wire.SERVFAIL, [], scope


QUERIES = [wire.query(NAME, additional=[wire.opt(wire.ecs(client))]) for client in CLIENTS]


def compare(burst, expected, down, drained):
    burst.load(QUERIES)
    for client, data in zip(CLIENTS, burst.exchange()):
        reply = wire.Reply(data)
        equal((reply.rcode, reply.addresses, reply.scope), expected.answer(client, down, drained),
              f"client {client}, down {sorted(down)}, drained {sorted(drained)}")


def every_combination():
    """A Gray code: each step changes one thing, so 4096 orders visit all combinations."""
    expected, names, steps = Expected(), list(SITES), 4096
    if harness.sanitizer():
        steps = 2048
    folder = harness.memory_folder()
    with Daemon(config(), {"ranges.csv": csv()}, log_level="error", folder=folder) as d, d.control() as order, \
            d.burst() as burst:
        down, drained = set(), set()
        for name in names:
            order("force", app=NAME, site=name, to="up")
        compare(burst, expected, down, drained)
        for step in range(1, steps):
            bit = (step & -step).bit_length() - 1
            name = names[bit // 2]
            if bit % 2:
                order("undrain", site=name) if name in drained else order("drain", site=name, force=True)
                drained ^= {name}
            else:
                order("force", app=NAME, site=name, to="up" if name in down else "down")
                down ^= {name}
            compare(burst, expected, down, drained)


def one_app_drained():
    """A drain of one app's target is that app's alone."""
    expected, both = Expected(), config()
    both["apps"]["other." + ZONE] = both["apps"][NAME]
    with Daemon(both, {"ranges.csv": csv()}) as d, d.control() as order, d.burst() as burst:
        order("drain", force=True, site="w-a1", app="other." + ZONE)
        compare(burst, expected, set(), set())
        order("drain", force=True, site="w-a1", app=NAME)
        compare(burst, expected, set(), {"w-a1"})


def last_resort_addresses():
    """All that is reachable drained: the last resort's addresses."""
    with Daemon(config(last_resort=["203.0.113.77"]), {"ranges.csv": csv()}) as d:
        for site in SITES:
            d.ctl("drain", "--force", site)
        for client in CLIENTS:
            equal(d.query(NAME, ecs=client).addresses, ["203.0.113.77"], client)
            equal(d.query(NAME, "AAAA", ecs=client).addresses, [], client)


def last_resort_servfail():
    """SERVFAIL says why (RFC 8914 codes 22, 23)."""
    with Daemon(config(), {"ranges.csv": csv()}) as d:
        for site in SITES:
            d.ctl("drain", "--force", site)
        reply = d.query(NAME, ecs=CLIENTS[0])
        equal((reply.rcode, reply.answer), (wire.SERVFAIL, []))
        harness.check(reply.ede is not None and reply.ede[0] in (22, 23) and reply.ede[1], "EDE with a text", reply)
        equal(d.query(NAME).rcode, wire.SERVFAIL)


def measured_down():
    """Health as probes find it, random sites down at random, all of them and the region included."""
    expected, rng = Expected(), random.Random(6)
    addresses = {name: f"127.0.1.{number}" for number, name in enumerate(SITES, 1)}
    port, period = harness.free_port(), f"{300 * harness.pace()}ms"
    alb = {"type": "http", "port": port, "path": "/healthz", "interval": period, "timeout": period, "rise": 1,
           "fall": 1}
    responders = {name: Responder(address, port) for name, address in addresses.items()}
    sets = [{"r1"}, {"r1", "lz"}, set(SITES), set(), set(SITES) - {"w-b1"}, {"w-a1", "w-ab"}]
    sets += [{name for name in SITES if rng.random() < .5} for _ in range(6)]
    try:
        with Daemon(config(check=alb, addresses=addresses), {"ranges.csv": csv()}) as d, d.burst() as burst:
            held = set()
            for down in sets:
                if down == set(SITES):
                    continue  # a brake may hold the last good state; fail open is walked above
                for name, responder in responders.items():
                    responder.status = 503 if name in down else 200

                def settled():
                    burst.load(QUERIES)
                    return all(wire.Reply(data).addresses == expected.answer(client, down, held)[1]
                               for client, data in zip(CLIENTS, burst.exchange()))
                until(settled, harness.PATIENCE_S, f"answers with {sorted(down)} down", every_s=0.02)
                compare(burst, expected, down, held)
    finally:
        for responder in responders.values():
            responder.close()


if __name__ == "__main__":
    harness.run(every_combination, one_app_drained, last_resort_addresses, last_resort_servfail, measured_down)
