"""A daemon that asks services which fail in every way, over TLS: what they do say is learned, nothing else, no answer leaves
reach, and none is late."""

import random
import time

import faulty
import harness
from faulty import APP, NAMES, NEVER
from harness import Daemon, check, equal


def every_fault():
    dice = random.Random(3)
    with faulty.Services() as services:
        settings = faulty.config(services.entries(rate=20, concurrency=4), agree=1)
        with Daemon(settings, files={"clients.csv": faulty.CLIENTS}) as d:
            end, waits = time.monotonic() + 14 * harness.slowness(), []
            while time.monotonic() < end:
                for number in range(len(NAMES)):
                    began = time.monotonic()
                    reply = d.query(APP, ecs=f"10.{number}.{dice.randrange(256)}.0/24", tries=1)
                    waits.append(time.monotonic() - began)
                    check(set(reply.addresses) <= faulty.reachable(number) and reply.addresses, NAMES[number], reply.addresses)
            found, served = faulty.learned_sites(d), services.served()
            for number, name in enumerate(NAMES):
                equal(set(found[number]), set() if name in NEVER else {(faulty.far(number),)}, name)
                check(name in NEVER or served[name] > 0, "faults of", name, served)
            rows = dict(zip(NAMES, d.ctl_json("discovery")["services"]))
            equal((rows["name"]["found"], services.name.requests, services.name.token_requests), (0, [], 0))
            check(sum(row["found"] for row in rows.values()) > 50, rows)
            waits.sort()
            check(waits[len(waits) // 2] < 0.01 * harness.slowness(), "half of the answers took more than", waits[len(waits) // 2])
        equal(services.wrong(), [])
        check(not any("/stolen" in request[1] for request in services.eds.requests), "a redirect was followed")


if __name__ == "__main__":
    harness.run(every_fault, limit_s=60)
