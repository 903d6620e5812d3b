"""Carriers out of the box: with Debian's libloc-database alone, clients of a mobile AS reach their carrier's site,
those of an AS with fixed lines too the Region only, and the table costs less than 2 s and 128 MB."""

import csv
import ipaddress
import os
import random
import re
import shutil
import subprocess

import harness
from harness import Daemon, Skip, check, equal, program, sanitizer
from memory import memory_mb

PATHS = ("/var/lib/location/database.db", "/usr/share/libloc-location/location.db")
ZONE = "edge.example.com"
NAME = "app." + ZONE
TARGETS = {"us-east-1": "203.0.113.10", "us-east-1-wl1-bos-wlz-1": "192.0.2.1",
           "ap-northeast-2-wl1-sel-wlz-1": "192.0.2.2", "eu-central-1-wl1-ber-wlz-1": "192.0.2.3",
           "ap-northeast-1-wl1-nrt-wlz-1": "192.0.2.4"}
# Without coordinates the Region comes first: an app of carrier sites alone shows who can reach them.
CARRIERS_ONLY = "edge." + ZONE
CLIENTS = {
    "174.249.33.0/24": ["192.0.2.1"],      # Verizon
    "2600:1010:b1d0::/48": ["192.0.2.1"],
    "223.38.1.0/24": ["192.0.2.2"],        # SK Telecom
    "2.200.1.0/24": [],                    # AS3209: Vodafone Germany, mixed
    "106.72.1.0/24": [],                   # AS2516: KDDI, mixed
    "155.146.64.0/24": [],                 # a Wavelength Zone's block, which Verizon announces
    "8.8.8.0/24": [],
}

# What is known of the clients of an AS.
CARRIERS = {6167: ("verizon", "edge"), 22394: ("verizon", "edge"), 9644: ("skt", "edge"), 18302: ("skt", "mixed"),
            3209: ("vodafone-de", "mixed"), 2516: ("kddi", "mixed"), 577: ("bell", "mixed"), 15169: (None, None)}
CLIENTS_PER_AS = 60


def config(locate):
    targets = {site: {"addresses": [address]} for site, address in TARGETS.items()}
    carrier_sites = {site: target for site, target in targets.items() if "-wl1-" in site}
    return {"domains": harness.DOMAIN, "locate": locate, "sites": {site: {} for site in TARGETS},
            "apps": {NAME: {"targets": targets}, CARRIERS_ONLY: {"targets": carrier_sites}}}


def installed():
    if not any(os.path.exists(path) for path in PATHS):
        raise Skip("no libloc-database")


def clients_by_carrier():
    installed()
    with Daemon(config([{"plugin": "asn"}])) as d:
        for client, expected in CLIENTS.items():
            equal(d.query(CARRIERS_ONLY, ecs=client).addresses, expected, client)
            equal(d.query(NAME, ecs=client).addresses, ["203.0.113.10"], client)


def location(*words):
    """What Debian's own program says of its database."""
    return subprocess.run(["location", *words], capture_output=True, text=True, timeout=harness.PATIENCE_S, check=True).stdout


def random_clients(rng, number):
    """Addresses anywhere in the networks of an AS which, says the program, belong to no other: one may lie within another."""
    networks = [ipaddress.ip_network(line) for line in location("list-networks-by-as", str(number)).split()]
    some = [rng.choice(networks) for _ in range(CLIENTS_PER_AS)]
    clients = [str(network[rng.randrange(network.num_addresses)]) for network in some]
    told = re.split(r"^(\S+):$", location("lookup", *clients), flags=re.M)[1:]
    return [client for client, what in zip(told[::2], told[1::2]) if f": AS{number} " in what]


def real_prefixes():
    installed()
    if not shutil.which("location"):
        raise Skip("no program to read libloc's database with: package location")
    with open(harness.TOP / "conf" / "wavelength-blocks.csv", encoding="utf-8") as file:
        blocks = [ipaddress.ip_network(row["prefix"]) for row in csv.DictReader(line for line in file if line[0] != "#")]
    rng = random.Random(6167)
    with Daemon(config([{"plugin": "asn"}])) as d, d.control() as order:
        for number, known in CARRIERS.items():
            clients = random_clients(rng, number)
            check(len(clients) > CLIENTS_PER_AS / 2, "too few clients of", number)
            for client in clients:
                own = any(ipaddress.ip_address(client) in block for block in blocks)
                place = order("explain", name=NAME, client=client)["place"]
                equal((place["carrier"], place["class"]), (None, None) if own else known, f"{client} of AS{number}")


def cost(locate):
    """CPU seconds and peak memory (MB) of --carriers, and what it prints."""
    d = Daemon(config(locate), start=False)
    with d, open(d.folder / "carriers", "wb") as out, open(d.log_path, "ab") as log:
        process = subprocess.Popen([program("edgesteerd"), "--carriers", "-c", str(d.config_path)], stdout=out,
                                   stderr=log, env=harness.program_env())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        equal(process.returncode, 0, "exit code of --carriers")
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, (d.folder / "carriers").read_text()


def serving_cost(locate):
    """CPU seconds and peak memory (MB) of a daemon until it serves."""
    with Daemon(config(locate)) as d:
        return harness.cpu_s(d.process.pid), memory_mb(d.process.pid)[1]


def costs():
    installed()
    without_s, without_mb, text = cost([])
    check("verizon          no source" in text, text)
    with_s, with_mb, text = cost([{"plugin": "asn"}])
    found = {tuple(line.split()[:3]) for line in text.splitlines()}
    for row in (("verizon", "edge", "asn"), ("skt", "edge", "asn"), ("kddi", "mixed", "asn"), ("bell", "mixed", "asn")):
        check(row in found, row, text)
    check("no source" not in text, text)
    if sanitizer():
        return
    # Time of the CPU, which others on the machine take nothing of.
    serving = zip(serving_cost([{"plugin": "asn"}]), serving_cost([]))
    for what, (took_s, took_mb) in (("--carriers", (with_s - without_s, with_mb - without_mb)),
                                    ("the daemon", (more - less for more, less in serving))):
        print(f"  {what}: {took_s:.2f} s, {took_mb:.0f} MB")
        check(took_s < 2, f"{what} takes {took_s:.2f} s for the table")
        check(took_mb < 128, f"{what} takes {took_mb:.0f} MB for the table")


if __name__ == "__main__":
    harness.run(clients_by_carrier, real_prefixes, costs)
