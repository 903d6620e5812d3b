"""What a client must be answered, worked out another way than the daemon does: DESIGN section 2 by interval arithmetic,
with no tree of prefixes anywhere. Used by carriers.py and other scenarios; its own checks run with `python3 oracle.py`.

All prefix boundaries of all sources cut the address space into elementary intervals; each has one place, so one
order of candidates. Neighbours with equal orders are joined; the scope of a client is the length of the widest
aligned block around it that lies inside its joined interval."""

import bisect
import csv
import ipaddress
import math
import random
import sys

EARTH_KM = 6371.0088
ACCESS_MS = {"wavelength": 10, "outpost": 15, "local-zone": 18, "az": 25, "region": 25}
US_PER_KM = 20.0
BITS = {4: 32, 6: 128}


def distance_km(lat1, lon1, lat2, lon2):
    """Great circle by the haversine."""
    a, b = math.radians(lat1), math.radians(lat2)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(h)))


class Site:
    """`reach`: None for public, or a set of carriers. `location`: (latitude, longitude) or None."""

    def __init__(self, name, kind, location=None, reach=None, bias_us=0):
        self.name, self.kind, self.location, self.reach, self.bias_us = name, kind, location, reach, bias_us


class App:
    """`targets`: site names in the order written. `weights`: None or one per target."""

    def __init__(self, targets, weights=None, tie_us=0):
        self.targets, self.weights, self.tie_us = list(targets), weights, tie_us


class Source:
    """One entry of `locate:`: rows of (prefix text, facts); facts: carrier, class, site, location, any of them left
    out."""

    def __init__(self, rows):
        self.rows = {4: [], 6: []}
        for number, (text, facts) in enumerate(rows):
            net = ipaddress.ip_network(text)
            first = int(net.network_address)
            self.rows[net.version].append((first, first + (1 << BITS[net.version] - net.prefixlen), net.prefixlen,
                                           number, facts))

    def intervals(self, family):
        """[(first address, facts)] covering the whole family: within one source only the longest prefix counts; of
        equal ones the later."""
        rows = sorted(self.rows[family], key=lambda row: (row[0], row[2], row[3]))
        out, open_rows = [(0, {})], []

        def close_until(address):
            while open_rows and open_rows[-1][1] <= address:
                end = open_rows.pop()[1]
                out.append((end, open_rows[-1][4] if open_rows else {}))

        for row in rows:
            close_until(row[0])
            open_rows.append(row)
            out.append((row[0], row[4]))
        close_until(1 << BITS[family])
        joined = []
        for begin, facts in out:
            if joined and joined[-1][0] == begin:
                joined.pop()
            joined.append((begin, facts))
        return joined


def read_ranges(path, **renamed):
    """Rows for a Source from a CSV with a header row, as `plugin: ranges` reads it. `renamed`: column=its name
    there."""
    rows = []
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(line for line in file if not line.startswith("#")):
            rows.append((line["prefix"], facts_of({ours: line.get(renamed.get(ours, ours)) for ours in
                                                   ("carrier", "class", "site", "latitude", "longitude")})))
    return rows


def facts_of(line):
    facts = {key: line[key] for key in ("carrier", "class", "site") if line.get(key)}
    if line.get("latitude"):
        facts["location"] = (float(line["latitude"]), float(line["longitude"]))
    return facts


class Oracle:
    """`sites`: list of Site. `sources`: list of Source in the order of `locate:`."""

    def __init__(self, sites, sources, access_ms=None, us_per_km=US_PER_KM):
        self.sites = {site.name: site for site in sites}
        self.access_us = {kind: round(ms * 1000) for kind, ms in {**ACCESS_MS, **(access_ms or {})}.items()}
        self.us_per_km = us_per_km
        self.places = {family: self._places(sources, family) for family in (4, 6)}
        self.tables = {}

    @staticmethod
    def _places(sources, family):
        lists = [source.intervals(family) for source in sources]
        starts = [[begin for begin, _ in one] for one in lists]
        out = []
        for begin in sorted({begin for one in starts for begin in one} | {0}):
            place = {}
            for one, begins in zip(lists, starts):
                for field, value in one[bisect.bisect_right(begins, begin) - 1][1].items():
                    place.setdefault(field, value)
            out.append((begin, place))
        return out

    def reachable(self, site, place):
        if site.reach is None:
            return True
        return place.get("carrier") in site.reach and place.get("class", "edge") == "edge"

    def cost_us(self, site, place):
        """Whole microseconds; None: unknown."""
        if not place.get("location") or not site.location:
            return None
        km = distance_km(*place["location"], *site.location)
        return math.floor(self.access_us[site.kind] + km * self.us_per_km + site.bias_us + 0.5)

    def key(self, name, place):
        """What a site is sorted by in a place; None: it cannot be reached."""
        site = self.sites[name]
        if not self.reachable(site, place):
            return None
        cost = self.cost_us(site, place)
        if place.get("site") == name:
            return 0, 0
        return (1, cost) if cost is not None else (2, site.reach is not None)

    def order(self, app, place):
        """((target numbers in order), (for each, up to which one it shares by weight))."""
        rows = []
        for number, name in enumerate(app.targets):
            key = self.key(name, place)
            if key:
                rows.append(((*key, number), self.cost_us(self.sites[name], place), number))
        rows.sort(key=lambda row: row[0])
        groups = list(range(len(rows)))
        if app.weights:
            for i, (key, cost, _) in enumerate(rows):
                # A hint stands alone, and so does who is at an unknown distance.
                groups[i] = max(j for j, (other, far, _) in enumerate(rows)
                                if j == i or j > i and key[0] == other[0] == 1 and far - cost <= app.tie_us)
        return tuple(number for _, _, number in rows), tuple(groups)

    def ranks(self, names, place):
        """The order of many sites as ranks, equal ones equal; None: it cannot be reached."""
        keys = [self.key(name, place) for name in names]
        known = sorted({key for key in keys if key})
        return tuple(key and known.index(key) for key in keys), tuple(key and key[0] == 2 for key in keys)

    def table(self, app, family):
        """Joined intervals of an app, or of a tuple of sites that share a table: (starts, orders)."""
        if (app, family) not in self.tables:
            starts, orders, seen = [], [], {}
            for begin, place in self.places[family]:
                key = tuple(sorted(place.items()))
                if key not in seen:
                    seen[key] = self.ranks(app, place) if isinstance(app, tuple) else self.order(app, place)
                if not orders or orders[-1] != seen[key]:
                    starts.append(begin)
                    orders.append(seen[key])
            self.tables[app, family] = starts, orders
        return self.tables[app, family]

    def place(self, address):
        ip = ipaddress.ip_address(address)
        places = self.places[ip.version]
        return places[bisect.bisect_right([begin for begin, _ in places], int(ip)) - 1][1]

    def steer(self, app, family, address):
        """(order, scope) of a client's address, an integer."""
        starts, orders = self.table(app, family)
        i = bisect.bisect_right(starts, address) - 1
        bits = BITS[family]
        begin, end = starts[i], starts[i + 1] if i + 1 < len(starts) else 1 << bits
        for length in range(bits + 1):
            first = address >> bits - length << bits - length
            if begin <= first and first + (1 << bits - length) <= end:
                return orders[i], length
        raise AssertionError("an address is a block of its own")

    def answer(self, app, family, address, unusable=(), shared=None):
        """(target number or None, scope), where no hash decides; `unusable`: target numbers down or drained. `shared`: the
        sites of all apps that share a table with this one."""
        (order, _), scope = self.steer(app, family, address)
        if shared:
            _, scope = self.steer(shared, family, address)
        return next((number for number in order if number not in unusable), None), scope


def _self_check():
    """Against the definition read literally, address by address, on a small part of the space."""
    sites = [Site("edge", "wavelength", (0, 0), {"c1"}), Site("r1", "region", (10, 10)),
             Site("r2", "region", (-10, -10))]
    base, rng = int(ipaddress.ip_address("10.0.0.0")), random.Random(1)
    for _ in range(50):
        sources = []
        for _ in range(2):
            rows = []
            for _ in range(rng.randrange(1, 12)):
                length = rng.randrange(24, 33)
                first = base + rng.randrange(256) >> 32 - length << 32 - length
                facts = {}
                if rng.random() < .6:
                    facts["carrier"] = rng.choice(("c1", "c2"))
                if rng.random() < .5:
                    facts["location"] = rng.choice(((0, 1), (11, 11), (-12, -12)))
                if rng.random() < .2:
                    facts["class"] = rng.choice(("edge", "mvno"))
                rows.append((f"{ipaddress.ip_address(first)}/{length}", facts))
            sources.append(Source(rows))
        oracle, app = Oracle(sites, sources), App(["r1", "edge", "r2"])

        def literal(address):
            place = {}
            for source in sources:
                best = max((row for row in source.rows[4] if row[0] <= address < row[1]),
                           key=lambda row: (row[2], row[3]), default=None)
                for field, value in (best[4] if best else {}).items():
                    place.setdefault(field, value)
            return oracle.order(app, place)

        orders = [literal(base + i) for i in range(-64, 320)]
        for i in range(256):
            got, scope = oracle.steer(app, 4, base + i)
            assert got == orders[i + 64]
            length = 32
            while length > 24:
                first = i >> 33 - length << 33 - length
                if any(orders[k + 64] != got for k in range(first, first + (1 << 33 - length))):
                    break
                length -= 1
            assert scope == length or length == 24 and scope <= 24, (i, scope, length)
    assert abs(distance_km(0, 0, 0, 180) - math.pi * EARTH_KM) < 1e-6
    return 0


if __name__ == "__main__":
    sys.exit(_self_check())
