"""The real carriers' prefixes: for 10,000 random clients, half of them on carriers, the daemon's answers and scopes
equal what an independent oracle makes of DESIGN section 2."""

import csv
import ipaddress
import random
import re
import time

import harness
import wire
from harness import Daemon, Skip, check, equal
from oracle import App, Oracle, Site, Source, facts_of

ZONE = "edge.example.com"
CLIENTS = 10_000
# Sites of the catalogue, and two of our own; towns for the second source.
WAVELENGTH = {"us-east-1-wl1-bos-wlz-1", "us-east-1-wl1-nyc-wlz-1", "us-east-1-wl1-chi-wlz-1",
              "us-west-2-wl1-sfo-wlz-1",
              "us-west-2-wl1-den-wlz-1", "eu-central-1-wl1-ber-wlz-1", "eu-central-1-wl1-muc-wlz-1",
              "eu-west-2-wl1-lon-wlz-1",
              "ap-northeast-1-wl1-nrt-wlz-1", "ap-northeast-2-wl1-sel-wlz-1", "ca-central-1-wl1-yto-wlz-1"}
REGIONS = {"us-east-1", "us-west-2", "eu-central-1", "eu-west-2", "ap-northeast-1", "ca-central-1"}
OWN = {"plant-7": {"kind": "outpost", "location": [40.7, -74.0], "region": "us-east-1", "reach": ["verizon", "kddi"]},
       "slow": {"kind": "local-zone", "location": [34.0, -118.2], "region": "us-west-2", "bias": "7ms"}}
APPS = {
    "all": sorted(REGIONS) + sorted(WAVELENGTH) + sorted(OWN),
    "europe": ["eu-central-1", "eu-central-1-wl1-ber-wlz-1", "eu-central-1-wl1-muc-wlz-1", "eu-west-2-wl1-lon-wlz-1"],
    "carrier-first": ["us-east-1-wl1-bos-wlz-1", "us-west-2-wl1-sfo-wlz-1", "us-east-1", "plant-7"],
    "edge-only": ["us-east-1-wl1-nyc-wlz-1", "eu-central-1-wl1-ber-wlz-1", "plant-7"],
    "one": ["us-west-2"],
    "backwards": sorted(REGIONS | WAVELENGTH, reverse=True) + ["slow"],
}
TOWNS = [(42.36, -71.06), (40.71, -74.0), (41.88, -87.63), (37.77, -122.42), (34.05, -118.24), (52.52, 13.4),
         (48.14, 11.58),
         (51.51, -0.13), (35.68, 139.69), (37.57, 126.98), (43.65, -79.38), (39.74, -104.99), (0.0, 0.0),
         (-33.9, 151.2)]


def catalogue():
    """{name: Site} read without a YAML library: the catalogue has one site a line."""
    path, out = harness.TOP / "conf" / "catalogue.yaml", {}
    if not path.exists():
        raise Skip("no conf/catalogue.yaml")
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.match(r"\s+([\w-]+):\s*\{(.*)\}", line)
        if not found:
            continue
        name, body = found.groups()
        kind = re.search(r"kind:\s*([\w-]+)", body)
        place = re.search(r"location:\s*\[\s*([-\d.]+)\s*,\s*([-\d.]+)\s*\]", body)
        reach = re.search(r"reach:\s*\[([^\]]*)\]", body)
        carriers = {carrier.strip().strip('"') for carrier in reach.group(1).split(",")} if reach else None
        if kind:
            out[name] = Site(name, kind.group(1), tuple(map(float, place.groups())) if place else None, carriers)
    return out


def carrier_rows():
    path = harness.DATA / "carriers.csv"
    if not path.exists():
        raise Skip(f"no {path}")
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return [(line["prefix"], facts_of(line)) for line in csv.DictReader(lines)]


def detail_rows(rng, carriers):
    """The second source: coordinates and classes for parts of carriers' prefixes and for strangers, nested at
    random."""
    rows = {}
    for text, _ in rng.sample(carriers, min(len(carriers), 1500)):
        net = ipaddress.ip_network(text)
        facts = {"location": rng.choice(TOWNS)} if rng.random() < .9 else {}
        if rng.random() < .1:
            facts["class"] = rng.choice(("edge", "mvno", "roaming", "fixed"))
        rows[text] = facts
        # Parts of it elsewhere, up to three deep.
        for _ in range(rng.randrange(4)):
            more = rng.randrange(1, 10)
            if net.prefixlen + more > net.max_prefixlen:
                break
            base = int(net.network_address) | rng.randrange(1 << more) << net.max_prefixlen - net.prefixlen - more
            net = ipaddress.ip_network((base, net.prefixlen + more))
            rows[str(net)] = {"location": rng.choice(TOWNS), **({"class": "mvno"} if rng.random() < .1 else {})}
            if rng.random() < .5:
                break
    for _ in range(800):
        if rng.random() < .7:
            length = rng.randrange(8, 27)
            base = rng.randrange(1 << length) << 32 - length
            net = ipaddress.ip_network((base, length))
        else:
            length = rng.randrange(20, 57)
            base = (0x2000 << 112 | rng.randrange(1 << 125)) >> 128 - length << 128 - length
            net = ipaddress.ip_network((base, length))
        rows[str(net)] = {"location": rng.choice(TOWNS), **({"carrier": "verizon"} if rng.random() < .05 else {})}
    return [(text, facts) for text, facts in rows.items() if facts]


def as_csv(rows):
    out = ["prefix,carrier,class,latitude,longitude"]
    for text, facts in rows:
        latitude, longitude = facts.get("location", ("", ""))
        out.append(f"{text},{facts.get('carrier', '')},{facts.get('class', '')},{latitude},{longitude}")
    return "\n".join(out) + "\n"


def random_clients(rng, carriers, details):
    """(packed address, source length): half on carriers' prefixes, half anywhere, borders among them."""
    clients, edges = [], carriers + details
    for n in range(CLIENTS):
        if n % 2:
            net = ipaddress.ip_network(rng.choice(carriers)[0])
            address = int(net.network_address) + rng.randrange(net.num_addresses)
            version = net.version
        elif rng.random() < .5:
            net = ipaddress.ip_network(rng.choice(edges)[0])
            address = int(net.network_address) + rng.choice((-1, 0, net.num_addresses - 1, net.num_addresses))
            version = net.version
            address = min(max(address, 0), (1 << net.max_prefixlen) - 1)
        elif rng.random() < .6:
            version, address = 4, rng.randrange(1 << 32)
        else:
            version, address = 6, rng.choice((rng.randrange(1 << 128), 0x2000 << 112 | rng.randrange(1 << 125)))
        bits = 32 if version == 4 else 128
        usual = 24 if version == 4 else 56
        length = usual if rng.random() < .6 else rng.choice((bits, bits, rng.randrange(1, bits + 1), usual + 1,
                                                             usual - 1))
        address = address >> bits - length << bits - length
        clients.append((version, address, length))
    return clients


def compare(d, oracle, apps, addresses, clients, rng, shared=None):
    """Each client asks one of the apps, over A or AAAA. `shared`: the sites of apps that share a table."""
    asked, queries = [], []
    for version, address, length in clients:
        app, kind = rng.choice(list(apps)), rng.choice(("A", "A", "AAAA"))
        option = wire.ecs_packed(address.to_bytes(4 if version == 4 else 16, "big"), length)
        asked.append((app, kind, version, address, length, option))
        queries.append(wire.query(f"{app}.{ZONE}", kind, additional=[wire.opt(option)]))
    served = set()
    for (app, kind, version, address, length, option), data in zip(asked, d.ask(queries)):
        slot, scope = oracle.answer(apps[app], version, address, shared=shared)
        reply = wire.Reply(data)
        site = apps[app].targets[slot] if slot is not None else None
        served.add(site)
        want = [a for a in addresses[site] if (":" in a) == (kind == "AAAA")] if site else []
        client = f"{ipaddress.ip_address(address.to_bytes(4 if version == 4 else 16, 'big'))}/{length}"
        equal((reply.rcode, reply.addresses, reply.scope), (0 if site else wire.SERVFAIL, want, scope),
              f"{kind} of {app} for {client}, place {oracle.place(client.split('/')[0])}, expected {site}")
        equal(reply.option(wire.OPT_ECS), option[4:7] + bytes([scope]) + option[8:])
    return served


def against_oracle():
    rng = random.Random(7871)
    known = catalogue()
    missing = (WAVELENGTH | REGIONS) - set(known)
    check(not missing, "not in the catalogue:", missing)
    for name, site in OWN.items():
        known[name] = Site(name, site["kind"], tuple(site["location"]), set(site["reach"]) if "reach" in site else None,
                           7000 if "bias" in site else 0)
    carriers = carrier_rows()
    details = detail_rows(rng, carriers)
    names = APPS["all"]
    addresses = {name: [f"198.51.100.{n + 1}"] + ([f"2001:db8::{n + 1:x}"] if n % 3 else [])
                 for n, name in enumerate(names)}
    config = {
        "domains": harness.DOMAIN,
        "locate": [{"plugin": "ranges", "file": "details.csv"},
                   {"plugin": "ranges", "file": str(harness.DATA / "carriers.csv")}],
        "sites": {**{name: {} for name in sorted(WAVELENGTH | REGIONS)}, **OWN},
        "apps": {f"{app}.{ZONE}": {"targets": {name: {"addresses": addresses[name]} for name in targets}}
                 for app, targets in APPS.items()},
    }
    oracle = Oracle(known.values(), [Source(details), Source(carriers)])
    apps = {app: App(targets) for app, targets in APPS.items()}
    with Daemon(config, {"details.csv": as_csv(details)}) as d:
        begun = time.monotonic()
        served = compare(d, oracle, apps, addresses, random_clients(rng, carriers, details), rng)
        print(f"  {CLIENTS} clients, {len(carriers)} + {len(details)} prefixes, {len(served)} of {len(names)} sites, "
              f"{time.monotonic() - begun:.1f} s")
        check(len(served) > 12 and None in served, "too few different answers:", served)
        # The apps share a table: the same answers, and scopes as of all their sites at once.
        d.reload({**config, "steering": {"own-tables": 0}})
        equal(d.ctl_json("status")["steering_sets_shared"], len(apps))
        compare(d, oracle, apps, addresses, random_clients(rng, carriers, details)[:4000], rng,
                tuple(sorted({name for app in apps.values() for name in app.targets})))
        # Other figures of the model: the order is made of them and of nothing else.
        config["steering"] = {"access": {"wavelength": "40ms", "local-zone": "1ms", "region": "26ms"}, "per-km": "5us"}
        other = Oracle(known.values(), [Source(details), Source(carriers)],
                       {"wavelength": 40, "local-zone": 1, "region": 26}, us_per_km=5.0)
        d.reload(config)
        compare(d, other, apps, addresses, random_clients(rng, carriers, details)[:2000], rng)


if __name__ == "__main__":
    harness.run(against_oracle)
