"""A million queries with client subnets make no worker thread allocate or free memory, while an alias rotates: a preloaded
library counts."""

import os
import random
import struct
import time

import harness
import wire
from burst import BATCH
from fastclock import FastClock
from harness import Daemon, Skip, check, equal
from hosts import Hosts

ZONE = "edge.example.com"
QUERIES = 1_000_000
PACE = 20  # of the daemon's clock: an alias is looked up every five seconds
CONFIG = {
    "domains": {ZONE: {"file": "zone"}},
    "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
    "sites": {"w1": {"kind": "wavelength", "location": [40.0, -74.0], "region": "r1", "reach": ["one"]},
              "r1": {"kind": "region", "location": [39.0, -77.0]}, "r2": {"kind": "region", "location": [39.1, -77.0]}},
    "apps": {"app." + ZONE: {"targets": {"w1": {"addresses": ["155.146.1.1"]},
                                         "r1": {"addresses": ["203.0.113.1", "2001:db8::1"]}}},
             "shared." + ZONE: {"targets": {"r1": {"addresses": ["203.0.113.1"], "weight": 1},
                                            "r2": {"addresses": ["203.0.113.2"], "weight": 2}}},
             "drained." + ZONE: {"targets": {"r2": {"addresses": ["203.0.113.2"]}}},
             "alias." + ZONE: {"targets": {"r1": {"alias": "lb.aws.test"}}}},
}
ZONE_FILE = f"""$ORIGIN {ZONE}.
$TTL 300
@ SOA ns1.example.net. hostmaster.example.net. 1 3600 900 604800 60
@ NS ns1.example.net.
static A 192.0.2.10
www CNAME static
* TXT "wild"
sub NS ns.sub
ns.sub A 192.0.2.53
""" + "".join(f"big A 198.51.100.{n}\n" for n in range(100))
RANGES = "prefix,carrier,latitude,longitude\n"
RANGES += "".join(f"10.{n}.0.0/{16 + n % 3},one,40.0,-74.0\n" for n in range(0, 256, 2))


def mixed(rng):
    names = ["app."] * 8 + ["alias.", "shared.", "static.", "www.", "nothere.x.sub.", "big.", "drained.", "any.", ""]
    subnet = rng.choice((f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/24",
                         f"2001:db8:{rng.randrange(65536):x}::/56",
                         f"{rng.randrange(1, 224)}.{rng.randrange(256)}.0.0/16"))
    option = wire.ecs(subnet) if rng.random() > .02 else wire.option(wire.OPT_ECS, rng.randbytes(7))
    return wire.query(rng.choice(names) + ZONE, rng.choice(("A", "A", "AAAA", "TXT", "ANY", "HTTPS")),
                      additional=[wire.opt(option, version=rng.random() > .99)])


def read(path):
    return struct.unpack("QQ", path.read_bytes())


def no_allocation():
    if harness.sanitizer():
        raise Skip("a sanitizer has an allocator of its own")
    rng = random.Random(1)
    with Hosts({"lb": ["198.51.100.1"]}) as hosts, \
            Daemon({**CONFIG, "resolver": {"servers": [f"127.0.0.1@{hosts.port}"]}},
                   {"zone": ZONE_FILE, "ranges.csv": RANGES}, start=False) as d:
        clock = FastClock(d)
        d.env = {**d.env, "LD_PRELOAD": harness.library("countalloc", d.folder) + ":" + d.env["LD_PRELOAD"],
                 "COUNTALLOC_FILE": str(d.folder / "count")}
        d.start()
        clock.pace(PACE)
        d.ctl("drain", "--force", "r2", "--app", "drained." + ZONE)
        threads = {open(f"/proc/{d.process.pid}/task/{task}/comm", encoding="ascii").read().strip()
                   for task in os.listdir(f"/proc/{d.process.pid}/task")}
        for prefix in ("udp-", "tcp-"):
            check(any(name.startswith(prefix) for name in threads), "no thread is named", prefix, threads)
        begun = time.monotonic()
        with d.burst() as burst:
            burst.load([mixed(rng) for _ in range(BATCH)])
            burst.exchange()
            at_first = read(d.folder / "count")
            check(at_first[1] > 100, "the library counts nothing", at_first)
            sent, rotated, addresses = 0, 0, hosts.addresses["lb"]
            while sent < QUERIES:
                burst.load([mixed(rng) for _ in range(BATCH)])
                sent += burst.flood(200)
                if d.query("alias." + ZONE).addresses == addresses:
                    rotated += 1
                    addresses = hosts.addresses["lb"] = [f"198.51.{100 + rotated % 2}.{i + 1}" for i in range(rotated % 30 + 1)]
        took = time.monotonic() - begun
        at_last = read(d.folder / "count")
        print(f"  {sent} queries in {took:.1f} s; {rotated} rotations")
        check(rotated > 3, "too few rotations:", rotated)
        equal(at_last[0] - at_first[0], 0, "allocator calls of worker threads")


if __name__ == "__main__":
    harness.run(no_allocation)
