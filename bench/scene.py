"""What is measured on: the sites, the apps, the prefix table and its sample, the clients, and which address each client
must get.

The decision is made here once more, from the definition (the longest prefix's place, the cheapest site it can reach), so
that a server's answers are checked against something that shares no code with it. Used by bench/run, sets and scopes.
"""

import bisect
import functools
import math
import os
import random
import re
import socket

DOMAIN = "edge.example"
APP = "app." + DOMAIN

# The daemon's defaults, written into its config explicitly: milliseconds to reach a kind of site, and per km.
ACCESS_MS = {"wavelength": 10, "outpost": 15, "local-zone": 18, "az": 25, "region": 25}
MS_PER_KM = 0.02
EARTH_KM = 6371.0088

# Name, kind, region, carrier (None: public), latitude, longitude. AWS's names; the coordinates are those of the cities,
# rounded. The first is for clients about which nothing is known.
SITES = [
    ("us-east-1", "region", "", None, 38.95, -77.45),
    ("us-west-2", "region", "", None, 45.84, -119.70),
    ("ca-central-1", "region", "", None, 45.50, -73.57),
    ("sa-east-1", "region", "", None, -23.55, -46.63),
    ("eu-west-2", "region", "", None, 51.51, -0.13),
    ("eu-central-1", "region", "", None, 50.11, 8.68),
    ("ap-northeast-1", "region", "", None, 35.69, 139.69),
    ("ap-northeast-2", "region", "", None, 37.57, 126.98),
    ("ap-southeast-1", "region", "", None, 1.35, 103.82),
    ("ap-southeast-2", "region", "", None, -33.87, 151.21),
    ("af-south-1", "region", "", None, -33.92, 18.42),
    ("us-east-1-mia-2a", "local-zone", "us-east-1", None, 25.76, -80.19),
    ("us-east-1-chi-2a", "local-zone", "us-east-1", None, 41.88, -87.63),
    ("us-west-2-lax-1a", "local-zone", "us-west-2", None, 34.05, -118.24),
    ("us-west-2-den-1a", "local-zone", "us-west-2", None, 39.74, -104.99),
    ("us-east-1-wl1-bos-wlz-1", "wavelength", "us-east-1", "verizon", 42.36, -71.06),
    ("us-east-1-wl1-nyc-wlz-1", "wavelength", "us-east-1", "verizon", 40.71, -74.01),
    ("us-east-1-wl1-atl-wlz-1", "wavelength", "us-east-1", "verizon", 33.75, -84.39),
    ("us-east-1-wl1-dfw-wlz-1", "wavelength", "us-east-1", "verizon", 32.78, -96.80),
    ("us-west-2-wl1-den-wlz-1", "wavelength", "us-west-2", "verizon", 39.74, -104.99),
    ("us-west-2-wl1-lax-wlz-1", "wavelength", "us-west-2", "verizon", 34.05, -118.24),
    ("us-west-2-wl1-sea-wlz-1", "wavelength", "us-west-2", "verizon", 47.61, -122.33),
    ("ca-central-1-wl1-yto-wlz-1", "wavelength", "ca-central-1", "bell", 43.65, -79.38),
    ("eu-central-1-wl1-ber-wlz-1", "wavelength", "eu-central-1", "vodafone-de", 52.52, 13.41),
    ("eu-central-1-wl1-muc-wlz-1", "wavelength", "eu-central-1", "vodafone-de", 48.14, 11.58),
    ("ap-northeast-1-wl1-nrt-wlz-1", "wavelength", "ap-northeast-1", "kddi", 35.69, 139.69),
    ("ap-northeast-1-wl1-kix-wlz-1", "wavelength", "ap-northeast-1", "kddi", 34.69, 135.50),
    ("ap-northeast-2-wl1-sel-wlz-1", "wavelength", "ap-northeast-2", "skt", 37.57, 126.98),
]
ADDRESSES = {site[0]: "203.0.113.%d" % (i + 1) for i, site in enumerate(SITES)}
NOWHERE = ("", "", "")
CATALOGUE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "conf", "catalogue.yaml")

# Parts of IPv6 that represent IPv4 clients: gdnsd treats them as such, edgesteerd as IPv6. Left out of the tables of
# both.
EMBEDDED_V4 = [("2002::", 16), ("2001::", 32), ("64:ff9b::", 96), ("::", 80)]
# Carriers without a site of their own, and where they are: their clients have the same orders as those of no carrier there,
# which is what makes a query look for its client's carrier.
SITELESS = {"eu-west-2": ["ee", "vodafone-uk"], "af-south-1": ["orange-ma"], "sa-east-1": ["sonatel"], "eu-central-1": ["telia"]}


def packed(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text)


def split(prefix):
    """(bits of the family, the address as an integer, length) of "ADDRESS/LENGTH"."""
    address, length = prefix.split("/")
    address = packed(address)
    return len(address) * 8, int.from_bytes(address, "big"), int(length)


def text(bits, number):
    return socket.inet_ntop(socket.AF_INET if bits == 32 else socket.AF_INET6, number.to_bytes(bits // 8, "big"))


def embeds_v4(bits, number):
    if bits == 32:
        return False
    return any(number >> (128 - n) == int.from_bytes(packed(net), "big") >> (128 - n) for net, n in EMBEDDED_V4)


def made_up(count, mixed=False):
    """Prefixes around the sites, half of them carriers'. `mixed`: all of the carriers without sites are everywhere."""
    rng, rows = random.Random(4), {}
    while len(rows) < count:
        name, _, _, carrier, latitude, longitude = rng.choice(SITES)
        others = sum(SITELESS.values(), []) if mixed else SITELESS.get(name, [])
        carrier = rng.choice([carrier, *others]) if rng.random() < 0.5 else None
        length = rng.randint(14, 24)
        prefix = f"{text(32, rng.randrange(1 << 24, 224 << 24) >> (32 - length) << (32 - length))}/{length}"
        if rng.random() < 0.2:
            prefix = f"{text(128, (0x2400 << 112) + (rng.getrandbits(28) << 84))}/44"
        near = (str(round(degrees + rng.uniform(-4, 4))) for degrees in (latitude, longitude))
        rows[prefix] = (carrier or "", *near)
    return list(rows.items())


def read_table(path):
    """The rows of bench/make-internet's CSV: (prefix, place), place being (carrier, latitude, longitude) as written."""
    rows = []
    places = {}
    with open(path, encoding="ascii") as file:
        header = file.readline().strip()
        if header != "prefix,carrier,latitude,longitude":
            raise SystemExit(f"{path}:1: expected the columns of bench/make-internet")
        for line in file:
            prefix, carrier, latitude, longitude = line.rstrip("\n").split(",")
            if ":" in prefix and embeds_v4(*split(prefix)[:2]):
                continue
            place = (carrier, latitude, longitude)
            rows.append((prefix, places.setdefault(place, place)))
    return rows


def sample(rows, count, seed=1):
    """Every carrier's prefixes and as many of the others as fit: the carriers' clients are the same in both tables."""
    carriers = [i for i, (_, place) in enumerate(rows) if place[0]]
    others = [i for i, (_, place) in enumerate(rows) if not place[0]]
    others = random.Random(seed).sample(others, max(0, count - len(carriers)))
    return [rows[i] for i in sorted(carriers[:count] + others)]


def without_covered(rows):
    """The rows without those whose prefix is completely covered by longer ones, so that no address depends on them."""
    nets = sorted((*split(prefix), i) for i, (prefix, _) in enumerate(rows))
    covered = set()
    above = []  # the prefixes around the present one: [bits, end, size, row, addresses covered by those within]

    def leave():
        bits, _, size, row, within = above.pop()
        if within == size:
            covered.add(row)
        if above:
            above[-1][4] += size

    for bits, number, length, row in nets:
        while above and (above[-1][0] != bits or above[-1][1] <= number):
            leave()
        size = 1 << (bits - length)
        above.append([bits, number + size, size, row, 0])
    while above:
        leave()
    return [row for i, row in enumerate(rows) if i not in covered]


def write_table(path, rows):
    with open(path, "w", encoding="ascii") as file:
        file.write("prefix,carrier,latitude,longitude\n")
        file.writelines(f"{prefix},{','.join(place)}\n" for prefix, place in rows)


def distance_km(lat1, lon1, lat2, lon2):
    lat1, lon1, lat2, lon2 = map(math.radians, (lat1, lon1, lat2, lon2))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(h)))


def cost_us(kind, here, there):
    """The estimated round trip. The daemon compares whole microseconds: what differs by less is in the order written."""
    return round(1000 * (ACCESS_MS[kind] + MS_PER_KM * distance_km(*here, *there)))


class Catalogue:
    """The daemon's catalogue of sites, an address for each, and which of some sites is the best for a place: the decision
    once more, for any set of sites."""

    ROW = re.compile(r"^  ([a-z0-9-]+): \{kind: ([a-z-]+)(?:, country: [A-Z]{2})?(?:, region: [a-z0-9-]+)?"
                     r", location: \[([-0-9.]+), ([-0-9.]+)\](?:, reach: \[([a-z0-9-]+)\])?\}", re.M)

    def __init__(self):
        with open(CATALOGUE, encoding="utf-8") as file:
            rows = self.ROW.findall(file.read())
        self.known = {name: (kind, float(lat), float(lon), carrier) for name, kind, lat, lon, carrier in rows
                      if kind != "wavelength" or carrier}
        self.names = sorted(self.known)
        self.addresses = {name: f"198.{18 + i // 250}.{i % 250}.1" for i, name in enumerate(self.names)}
        self.memory = {}

    def cost_us(self, site, place):
        """None: unreachable; infinite: unknown."""
        kind, lat, lon, carrier = self.known[site]
        if carrier and carrier != place[0]:
            return None
        if not place[1]:
            return float("inf")
        return cost_us(kind, (float(place[1]), float(place[2])), (lat, lon))

    def best(self, sites, place):
        """The site for a place, None when it reaches none; unknown costs are in the order written, public ones first."""
        key = (sites, place)
        if key not in self.memory:
            ranked = [((cost, self.known[site][3] != "" if cost == float("inf") else 0, number), site)
                      for number, site in enumerate(sites) for cost in [self.cost_us(site, place)] if cost is not None]
            self.memory[key] = min(ranked)[1] if ranked else None
        return self.memory[key]

    def make_sets(self, count, size=None, seed=3):
        """Distinct sets, each a tuple of `size` sites (None: 3 to 12) in random order."""
        dice, different, sets = random.Random(seed), set(), []
        while len(sets) < count:
            one = tuple(dice.sample(self.names, size or dice.randint(3, 12)))
            if frozenset(one) not in different:
                different.add(frozenset(one))
                sets.append(one)
        return sets

    def config(self, apps, ttl="30s"):
        """The daemon's config of `apps`, {name: sites}, with all sites of the catalogue."""
        return {"sites": {site: {} for site in self.names},
                "apps": {name: {"ttl": ttl, "targets": {site: {"addresses": [self.addresses[site]]} for site in sites}}
                         for name, sites in apps.items()}}


class OneApp:
    """The work of the main scenes: one app with all SITES. `pattern` and `names` are those of bench/load."""

    pattern, names = APP, 0

    def __init__(self):
        self.order = functools.cache(self.work_out)

    @staticmethod
    def config():
        sites = {}
        for name, kind, region, carrier, latitude, longitude in SITES:
            sites[name] = {"kind": kind, "location": [latitude, longitude]}
            if region:
                sites[name]["region"] = region
            if carrier:
                sites[name]["reach"] = [carrier]
        return {"sites": sites, "apps": {APP: {"ttl": "30s", "targets": {name: {"addresses": [address]}
                                                                         for name, address in ADDRESSES.items()}}}}

    @staticmethod
    def work_out(place):
        """The sites in order."""
        carrier, latitude, longitude = place
        reachable = [site for site in SITES if site[3] is None or site[3] == carrier]
        if latitude and longitude:
            here = float(latitude), float(longitude)
            reachable.sort(key=lambda site: cost_us(site[1], here, site[4:6]))
        else:
            reachable.sort(key=lambda site: site[3] is not None)
        return [site[0] for site in reachable]

    def address(self, _, place):
        """What a client gets; None: nothing."""
        return ADDRESSES[self.order(place)[0]]


class ManyApps:
    """Many apps, each with a set of sites of its own."""

    def __init__(self, count):
        digits = max(4, len(str(count - 1)))
        self.names, self.pattern = count, f"a{'#' * digits}.{DOMAIN}"
        self.catalogue = Catalogue()
        self.sets = self.catalogue.make_sets(count)
        # bench/load's order of names (ask_many() in ask.c).
        self.step = count * 618 // 1000 | 1
        while math.gcd(count, self.step) != 1:
            self.step += 1

    def config(self):
        digits = self.pattern.count("#")
        return self.catalogue.config({self.pattern.replace("#" * digits, f"{number:0{digits}}"): sites
                                      for number, sites in enumerate(self.sets)})

    def address(self, number, place):
        """What client `number` gets for the name that it asks for; None: nothing."""
        site = self.catalogue.best(self.sets[number * self.step % self.names], place)
        return site and self.catalogue.addresses[site]


class Table:
    """Longest-prefix match the slow, simple way: one dictionary for each length."""

    def __init__(self, rows):
        self.lengths = {}
        for prefix, place in rows:
            bits, number, length = split(prefix)
            self.lengths.setdefault((bits, length), {})[number >> (bits - length)] = place
        self.order = sorted(self.lengths, reverse=True)

    def place(self, bits, number):
        for family, length in self.order:
            if family == bits:
                place = self.lengths[family, length].get(number >> (bits - length))
                if place is not None:
                    return place
        return NOWHERE


class Ranges:
    """Which IPv4 and IPv6 addresses are in a carrier's prefixes."""

    def __init__(self, prefixes):
        spans = {32: [], 128: []}
        for bits, number, length in prefixes:
            spans[bits].append((number, number + (1 << (bits - length)) - 1))
        self.starts, self.ends = {}, {}
        for bits, list_ in spans.items():
            merged = []
            for low, high in sorted(list_):
                if merged and low <= merged[-1][1]:
                    merged[-1][1] = max(high, merged[-1][1])
                else:
                    merged.append([low, high])
            self.starts[bits] = [low for low, _ in merged]
            self.ends[bits] = [high for _, high in merged]

    def __contains__(self, address):
        bits, number = address
        at = bisect.bisect_right(self.starts[bits], number) - 1
        return at >= 0 and number <= self.ends[bits][at]


def make_clients(rows, count, seed=2):
    """Random clients as (bits, address cut to what a resolver sends): half in carriers' prefixes, half not; of the others
    four fifths anywhere in IPv4, one fifth in routed IPv6."""
    rng = random.Random(seed)
    carriers = [split(prefix) for prefix, place in rows if place[0]]
    routed_v6 = [split(prefix) for prefix, _ in rows if ":" in prefix]
    inside = Ranges(carriers)

    def within(prefix):
        bits, number, length = prefix
        return bits, number | rng.getrandbits(bits - length) if length < bits else number

    def cut(address):
        bits, number = address
        keep = 24 if bits == 32 else 56
        return bits, number >> (bits - keep) << (bits - keep)

    def outside():
        while True:
            if routed_v6 and rng.random() < 0.2:
                address = within(rng.choice(routed_v6))
            else:
                address = 32, rng.randrange(1 << 24, 224 << 24)
            if address not in inside and cut(address) not in inside:
                return address

    return [cut(within(rng.choice(carriers)) if carriers and i % 2 else outside()) for i in range(count)]


def write_clients(path, clients):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{text(bits, number)}/{24 if bits == 32 else 56}\n" for bits, number in clients)


def write_expected(path, clients, rows, app):
    """A line for each client as bench/load reads it; returns how many get nothing."""
    table = Table(rows)
    lines = [app.address(number, table.place(*client)) or "-" for number, client in enumerate(clients)]
    with open(path, "w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in lines)
    return lines.count("-")
