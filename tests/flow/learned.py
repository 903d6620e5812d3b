"""Learned prefixes: a service is asked about clients of its carrier, what it says is answered, within reach and with scopes
that do not overlap, and it may be as bad as it likes."""

import collections
import ipaddress
import pathlib
import random
import re
import socket
import time
import urllib.request

import harness
import statefiles
from harness import Daemon, Skip, check, equal, until

APP = "app.e.x"
ADDRESSES = {"bos": "192.0.2.1", "nyc": "192.0.2.2", "ber": "192.0.2.3", "region": "192.0.2.4"}
CLIENTS = ("prefix,carrier,latitude,longitude,class\n10.10.0.0/16,verizon,42.3,-71.0,\n10.11.0.0/16,verizon,42.3,-71.0,roaming\n"
           "10.20.0.0/16,vodafone-de,52.5,13.4,\n10.30.0.0/16,,42.3,-71.0,\n")


def config(learned=None, **more):
    plugins = pathlib.Path(harness.program("edgesteerd")).absolute().parent / "tests" / "plugins"
    if not (plugins / "teller.so").exists():
        raise Skip("tests/plugins/teller.so is not built")
    service = {"plugin": "teller", "carriers": ["Verizon"], "rate": 200, "timeout": "300ms", "file": "says", "log": "asked"}
    return {
        "server": {"plugin-dir": str(plugins)}, "domains": {"e.x": {"ns": ["n.x"]}},
        "locate": [{"plugin": "ranges", "file": "clients.csv"}],
        "discovery": [{**service, **more}], "learned": {"notes-from": ["127.0.0.0/8"], **(learned or {})},
        "sites": {"bos": {"kind": "wavelength", "reach": ["verizon"], "location": [42.36, -71.06]},
                  "nyc": {"kind": "wavelength", "reach": ["verizon"], "location": [40.71, -74.0]},
                  "ber": {"kind": "wavelength", "reach": ["vodafone-de"], "location": [52.52, 13.4]},
                  "region": {"kind": "region", "location": [39.04, -77.49]}},
        "apps": {APP: {"targets": {site: {"addresses": [address]} for site, address in ADDRESSES.items()}}},
    }


def daemon(says, **more):
    return Daemon(config(**more), files={"clients.csv": CLIENTS, "says": says})


def site(d, client):
    addresses = d.query(APP, ecs=client).addresses
    equal(len(addresses), 1, client)
    return next(name for name, address in ADDRESSES.items() if address == addresses[0])


def learns(d, client, expected, within_s=20):
    until(lambda: site(d, client) == expected, within_s * harness.slowness(), f"{client} is answered with {expected}", 0.02)


def asked(d):
    path = d.folder / "asked"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def stays(d, client, expected, for_s=2.0):
    """However often it is asked for."""
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        equal(site(d, client), expected, client)
        time.sleep(0.005)


def test_learns():
    says = "10.10.1. found nyc\n10.10.9. found ber,nyc\n10.11. found nyc\n10.10.7. missed\n"
    with daemon(says, timeout="30s") as d:  # so that none is asked again for want of time
        equal(site(d, "10.10.1.0/24"), "bos", "by the table")
        learns(d, "10.10.1.0/24", "nyc")
        equal(d.query(APP, ecs="10.10.1.0/24").scope, 24)
        equal(d.query(APP, ecs="10.10.0.0/24").scope, 24, "the gap beside it")
        learns(d, "10.10.9.0/24", "nyc")  # Berlin is another carrier's
        for client, expected in (("10.11.1.0/24", "region"), ("10.10.7.0/24", "bos"), ("10.20.1.0/24", "ber"),
                                 ("10.30.1.0/24", "region"), ("203.0.113.0/24", "region")):
            stays(d, client, expected, 0.7)
        lines = asked(d)
        check(lines and all(address.startswith(("10.10.", "10.11.")) for address, *_ in lines), lines)
        equal({tuple(rest) for _, *rest in lines}, {("0", APP, "0")})
        per_prefix = collections.Counter(address.rsplit(".", 1)[0] for address, *_ in lines)
        equal(per_prefix["10.10.1"], 3, "as many as have to agree, and no more while that is fresh")
        equal(per_prefix["10.10.7"], 3, "tries")
        equal(len({address for address, *_ in lines if address.startswith("10.10.1.")}), 3, "different addresses")
        told = [line for line in d.log().splitlines() if "ber for a client of verizon, which cannot reach it" in line]
        equal(len(told), 1, "told once")
        # No two answers' scopes overlap.
        cells = {}
        for _ in range(300):
            address = ipaddress.ip_address((10 << 24) | (10 << 16) | random.randrange(1 << 16))
            reply = d.query(APP, ecs=f"{address}/32")
            cells[ipaddress.ip_network(f"{address}/{reply.scope}", strict=False)] = reply.addresses
        for a in cells:
            check(not any(a != b and a.overlaps(b) for b in cells), a, sorted(cells))


def test_changes_its_mind():
    with daemon("10.10.1. found nyc\n", learned={"agree": 2}) as d:
        learns(d, "10.10.1.0/24", "nyc")
        # A reload that changes the sites: what was learned is in the first answer of the next generation.
        changed = config({"agree": 2})
        changed["sites"]["more"] = {"kind": "region", "location": [0, 0]}
        d.write_config(changed)
        d.signal(harness.signal.SIGHUP)
        stays(d, "10.10.1.0/24", "nyc", 3.0)
        check("generation 2" in d.log() or "reload" in d.log(), d.log())
        # Without the service it serves on.
        without = config({"agree": 2})
        del without["discovery"]
        d.reload(without)
        stays(d, "10.10.1.0/24", "nyc", 0.5)


def test_bad_services():
    for outcome, said in (("silent", None), ("late", None), ("other", None), ("busy", None), ("denied", None),
                          ("broken", None), ("return", "has stopped by itself: it is called again in 1 s")):
        with daemon(f"10.10. {outcome} nyc\n") as d:
            stays(d, "10.10.1.0/24", "bos", 1.2)
            check(len(asked(d)) <= 20, outcome, len(asked(d)))  # the breaker
            if said:
                check(said in d.log(), said)
            d.write("says", "10.10. found nyc\n")
            learns(d, "10.10.1.0/24", "nyc", 40)
    with daemon("10.10. twice nyc\n") as d:
        learns(d, "10.10.1.0/24", "nyc")


def test_cut_off():
    """What is learned takes sites out of reach, and brings others into it: the order that is shown says so."""
    with daemon("10.10.1. found region,ber vodafone-de\n", learned={"agree": 1, "tries": 1}) as d:
        learns(d, "10.10.1.0/24", "region")
        explained = d.ctl_json("explain", APP, "--client", "10.10.1.0/24")
        equal([(one["site"], one["reachable"], one["basis"]) for one in explained["candidates"]],
              [("region", True, "learned"), ("ber", True, "learned"), ("bos", False, None), ("nyc", False, None)])
        steps = "\n".join(explained["steps"])
        check("order 2: ber (wavelength), learned; by the table out of reach, up\n" in steps, steps)
        check("reach: bos (wavelength) is not reachable from this client, by what is learned\n" in steps, steps)


def test_digits():
    """Numbers of the config are told with the digits that they have there."""
    with daemon("") as d, socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(harness.PATIENCE_S)
        peer.connect(str(d.socket_path))
        peer.sendall(b'{"verb": "sites", "site": "ber"}\n')
        told = peer.makefile().readline()
        check('"location":[52.52,13.4]' in told, told)


def test_shown():
    with daemon("10.10.1. found nyc,ber\n10.10.2. found region verizon\n10.10.3. missed\n", learned={"agree": 1, "tries": 1}) as d:
        learns(d, "10.10.1.0/24", "nyc")
        learns(d, "10.10.2.0/24", "region")
        stays(d, "10.10.3.0/24", "bos", 0.3)
        explained = d.ctl_json("explain", APP, "--client", "10.10.1.0/24")
        told = explained["learned"]
        equal((told["sites"], told["reach"], told["source"], told["prefix"], told["table"], explained["decision"]["site"]),
              (["nyc"], "verizon", "teller", "10.10.1.0/24", "bos", "nyc"))
        check("learned" not in d.ctl_json("explain", APP, "--client", "10.10.77.0/24"))
        # The order is that of the answers: what is learned, then the table's.
        equal([(one["site"], one["reachable"], one["basis"]) for one in explained["candidates"]],
              [("nyc", True, "learned"), ("bos", True, "distance"), ("region", True, "distance"), ("ber", False, None)])
        orders = [step.split(",")[0] for step in explained["steps"] if step.startswith(("order ", "reach:", "answer:"))]
        equal(orders, ["order 1: nyc (wavelength)", "order 2: bos (wavelength)", "order 3: region (region)",
                       "reach: ber (wavelength) is not reachable from this client", "answer: nyc (healthy)"])
        check("order 1: nyc (wavelength), learned; by the table " in "\n".join(explained["steps"]), explained["steps"])
        drained = d.ctl_json("explain", APP, "--client", "10.10.1.0/24", "--without", "nyc")
        equal((drained["candidates"][0]["state"], drained["decision"]["site"]), ("drained", "bos"))
        rows = {row["prefix"]: row for row in d.ctl_json("learned")["learned"]}
        equal({prefix: (row["sites"], row["state"]) for prefix, row in rows.items()},
              {"10.10.1.0/24": (["nyc"], "fresh"), "10.10.2.0/24": (["region"], "fresh"), "10.10.3.0/24": ([], "not found")})
        equal(rows["10.10.2.0/24"]["carrier"], "verizon")
        for words, prefixes in ((("--site", "nyc"), ["10.10.1.0/24"]), (("--source", "teller", "10.10.2.0/23"), ["10.10.2.0/24", "10.10.3.0/24"]),
                                (("10.10.2.7",), ["10.10.2.0/24"]), (("--source", "nobody"), [])):
            equal(sorted(row["prefix"] for row in d.ctl_json("learned", *words)["learned"]), prefixes, words)
        check("10.10.1.0/24  nyc" in d.ctl("learned", as_json=False).out, "a table")
        # What is learned of them sends them to nyc.
        equal((site(d, "10.10.1.0/24"), rows["10.10.1.0/24"]["table"]), ("nyc", told["table"]))
        equal(d.ctl_json("learned", "--app", APP)["learned"][0]["table"], "bos")
        equal(d.ctl_json("learned")["app"], APP)
        d.ctl("learned", "--app", "nothing.example", code=1)
        service, = d.ctl_json("discovery")["services"]
        equal((service["name"], service["state"], service["found"], service["not_found"]), ("teller for verizon", "closed", 2, 1))
        check("teller" in d.ctl("discovery", as_json=False).out)
        stats = d.ctl_json("stats")
        equal((stats["learned"], stats["discovery_asked"], stats["learned_prefixes"], stats["learned_out_of_reach"]), (2, 3, 3, 1))
        # What is forgotten is the table's again, until it is learned anew.
        d.write("says", "10.10. silent\n")
        equal(d.ctl_json("learned", "forget", "10.10.1.0/24")["forgotten"], 1)
        learns(d, "10.10.1.0/24", "bos")
        equal(site(d, "10.10.2.0/24"), "region")
        d.ctl("learned", "forget", "10.10.1.0/24", code=3)
        d.ctl("learned", "forget", code=2)
        d.ctl("learned", "forget", "10.11.0.0/16", code=3)
        d.ctl("learned", "forget", "2001:db8::/32", code=3)
        equal(d.ctl_json("learned", "forget", "10.10.3.77")["forgotten"], 1)
        equal(d.ctl_json("learned")["count"], 1)
        equal(d.ctl_json("learned", "forget", "10.10.0.0/16")["forgotten"], 1)
        learns(d, "10.10.2.0/24", "bos")


def until_kept(d, *prefixes):
    until(lambda: set(statefiles.provided(d, "/learned")) == set(prefixes), harness.PATIENCE_S, f"just {prefixes} are written", 0.1)


def test_restart():
    """What was learned is in the first answer after a crash and after an orderly end; what was forgotten is not."""
    with daemon("10.10. found nyc\n") as d:
        for i in range(1, 4):
            learns(d, f"10.10.{i}.0/24", "nyc")
        d.ctl("learned", "forget", "10.10.3.0/24")
        until(lambda: d.query(APP, ecs="10.10.3.0/24") and
              [row["state"] for row in d.ctl_json("learned", "10.10.3.0/24")["learned"]] == ["fresh"], 10 * harness.slowness(),
              "it is learned anew", 0.02)
        d.write("says", "10.10. silent\n")
        d.ctl("learned", "forget", "10.10.2.0/24")
        until_kept(d, "10.10.1.0/24", "10.10.3.0/24")
        d.kill()
        d.start()
        for i, expected in ((1, "nyc"), (2, "bos"), (3, "nyc")):
            equal(site(d, f"10.10.{i}.0/24"), expected, i)
        d.ctl("learned", "forget", "10.10.1.0/24")
        d.restart()
        for i, expected in ((1, "bos"), (2, "bos"), (3, "nyc")):
            equal(site(d, f"10.10.{i}.0/24"), expected, i)
        row, = d.ctl_json("learned", "10.10.3.0/24")["learned"]
        equal((row["sites"], row["source"], row["state"], row["samples"]), (["nyc"], "teller", "fresh", 3))


def test_without_service():
    """What an earlier daemon learned serves on without any service, and is forgotten when it is told to."""
    without = config()
    del without["discovery"]
    with daemon("10.10. found nyc\n") as d:
        for i in (1, 2):
            learns(d, f"10.10.{i}.0/24", "nyc")
        d.write_config(without)
        d.restart()
        equal([site(d, f"10.10.{i}.0/24") for i in (1, 2)], ["nyc", "nyc"])
        d.ctl("learned", "forget", "10.10.1.0/24")
        learns(d, "10.10.1.0/24", "bos")
        until_kept(d, "10.10.2.0/24")
        d.kill()
        d.start()
        equal([site(d, f"10.10.{i}.0/24") for i in (1, 2)], ["bos", "nyc"])


def test_soon():
    """A change is answered sooner than a round is long."""
    clients = [f"10.10.{i}.0/24" for i in range(40)]
    with daemon("10.10. found nyc\n", learned={"agree": 1}, rate=2000) as d:
        waits = []
        for client in clients:
            learns(d, client, "nyc")
        d.write("says", "10.10. silent\n")
        for client in clients:
            d.ctl("learned", "forget", client)
            begun = time.monotonic()
            until(lambda: site(d, client) == "bos", 20 * harness.slowness(), "it is forgotten", 0)
            waits.append(time.monotonic() - begun)
        waits.sort()
        check(waits[len(waits) // 2] < 0.07 * harness.slowness(), waits)


def test_direct():
    """A client that asks by itself: its own address, and the scope is none of the answer's business."""
    with Daemon(config(carriers=["self"]), files={"clients.csv": "prefix,carrier,latitude,longitude,class\n127.0.0.0/8,self,0,0,\n",
                                                  "says": "127. found region\n"}) as d:
        until(lambda: d.query(APP) and asked(d), 10 * harness.slowness(), "it is asked about", 0.02)
        equal(asked(d)[0][:3], ["127.0.0.1", "1", APP])
        ports = [int(line[3]) for line in asked(d) if line[1] == "1"]
        check(ports and all(port >= 1024 for port in ports), "source ports", ports)
    # By TCP there is none of a device behind a NAT that a service would know.
    with Daemon(config(carriers=["self"]), files={"clients.csv": "prefix,carrier\n127.0.0.0/8,self\n",
                                                  "says": "127. found region\n"}) as d:
        until(lambda: d.query(APP, tcp=True) and asked(d), 10 * harness.slowness(), "it is asked about", 0.02)
        equal(asked(d)[0], ["127.0.0.1", "1", APP, "0"])


def test_registers():
    """What a plugin that keeps to the contract badly tells of a registration."""
    with daemon("register good\n", register=[APP]) as d:
        reply = d.ctl_json("discovery", "register")
        equal([(step["site"], step["text"]) for step in reply["services"][0]["steps"]],
              [("bos", ADDRESSES["bos"]), ("nyc", ADDRESSES["nyc"])], "what its carriers reach, and not everybody")
        d.write("says", "register fails\n")
        reply = d.ctl("discovery", "register", code=1).json
        equal(reply["services"][0]["error"], "failed without reporting an error")
        d.write("says", "register bad\n")
        reply = d.ctl("discovery", "register", code=5).json
        equal((len(reply["services"][0]["steps"]), reply["services"][0]["steps_not_shown"]), (5000, 1002))
        check("breaks the plugin contract" in reply["services"][0]["error"], reply["services"][0]["error"])
        check("\033" not in d.ctl("discovery", "register", code=5, as_json=False).out, "escapes")
        # One that does not stop keeps neither a reload nor the end; whoever waits is told.
        d.write("says", "register hangs\n10.10. found nyc\n")
        waiting = d.start_ctl("discovery", "register", "--apply")
        time.sleep(1 * harness.slowness())
        check("under way" in d.ctl("discovery", "register", code=1).out)
        stays(d, "10.10.1.0/24", "bos", 1.0)
        equal(asked(d), [], "nothing is looked up meanwhile")
        changed = config(register=[APP], rate=7)
        d.reload(changed)
        equal(d.query(APP).rcode, 0)
        begun = time.monotonic()
        d.stop()
        check(time.monotonic() - begun < 7 * harness.slowness(), "it has stopped in time")
        out, _ = waiting.communicate(timeout=10)
        check("the daemon is stopping" in out, out)


def test_unasked():
    """A client that cannot be asked about tells nothing of its prefix, nor of the service."""
    def service():
        return d.ctl_json("discovery")["services"][0]

    with daemon("10.10.2. found nyc\n10.10. unasked\n", learned={"tries": 1}, rate=1) as d:
        stays(d, "10.10.1.0/24", "bos", 1.0)
        equal(len(asked(d)), 1, "it is left alone for a while")
        begun = time.monotonic()
        for i in range(20):
            d.query(APP, ecs=f"10.10.{100 + i}.0/24")
        until(lambda: service()["unasked"] >= 20, 20, "the others are tried", 0.05)
        check(time.monotonic() - begun < 8, "they take nothing of the rate", time.monotonic() - begun)
        equal((service()["state"], service()["error"], d.ctl_json("learned")["count"]), ("closed", None, 0))
        learns(d, "10.10.2.0/24", "nyc")
        (d.folder / "says").write_text("10.10. found nyc\n")
        learns(d, "10.10.1.0/24", "nyc", 60)


def test_scraped():
    """What Prometheus gets: the breaker of each service, and counters that no reload lowers."""
    def samples():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=harness.PATIENCE_S) as response:
            lines = response.read().decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line.startswith("edgesteer_")}

    def breakers(entry):
        found = {re.search('state="([^"]*)"', name)[1]: value for name, value in samples().items()
                 if name.startswith("edgesteer_discovery_breaker{") and f'entry="{entry}"' in name}
        equal((len(found), sum(found.values())), (4, 1))
        return next(state for state, value in found.items() if value)

    port = harness.free_port()
    text = config({"agree": 1})
    text["server"]["http"] = [{"listen": f"127.0.0.1@{port}"}]
    text["discovery"].append({**text["discovery"][0], "carriers": ["vodafone-de"], "file": "also-says"})
    with Daemon(text, files={"clients.csv": CLIENTS, "says": "10.10. denied\n", "also-says": "10.20. found ber,nowhere\n"}) as d:
        equal((breakers(1), breakers(2)), ("closed", "closed"))
        def refused():
            site(d, "10.10.1.0/24")
            return breakers(1) in ("open", "half-open")
        until(refused, 20 * harness.slowness(), "its breaker opens", 0.05)
        def learned():
            site(d, "10.20.1.0/24")
            return samples()["edgesteer_learned_total"] == 1
        until(learned, 20 * harness.slowness(), "the other one is heard", 0.05)
        equal(breakers(2), "closed")
        before = samples()
        for name, least in (("asked", 2), ("found", 1), ("denied", 1), ("noted", 2), ("unknown_sites", 1)):
            check(before[f"edgesteer_discovery_{name}_total"] >= least, name)
        for name in ("discovery_limited_total", "discovery_not_believed_total", "discovery_short_subnets_total", "learned_waiting",
                     "learned_evicted_total", "learned_expired_total", "discovery_too_many_names_total"):
            equal(before[f"edgesteer_{name}"], 0, name)
        del text["discovery"][0]
        d.reload(text)
        now = samples()
        check(not [name for name in before if re.match("edgesteer_(discovery|learned)_.*_total", name) and now[name] < before[name]],
              before, now)
        equal((breakers(1), [name for name in now if 'entry="2"' in name]), ("closed", []))


def test_short_subnets():
    """A client subnet that is shorter than what is learned says nothing of where in it the client is: nobody is asked."""
    with daemon("10.10. found nyc\n2001:db8: found nyc\n", learned={"agree": 1}) as d:
        def noted():
            for subnet in ("10.10.0.0/16", "10.10.0.0/23"):
                d.query(APP, ecs=subnet)
            return d.ctl_json("discovery")["short_subnets"] > 20
        until(noted, 10 * harness.slowness(), "they are counted", 0.02)
        equal((asked(d), d.ctl_json("discovery")["noted"], site(d, "10.10.0.0/16")), ([], 0, "bos"))
        learns(d, "10.10.0.0/24", "nyc")
        learns(d, "10.10.3.77/32", "nyc")
        equal({address.rsplit(".", 1)[0] for address, *_ in asked(d)}, {"10.10.0", "10.10.3"})
        equal(site(d, "10.10.0.0/16"), "nyc", "as its first address")
    with daemon("10.10. found nyc\n", learned={"agree": 1, "prefix": {"ipv4": 16}}) as d:
        learns(d, "10.10.0.0/16", "nyc")


def test_believed():
    """Whoever is not in notes-from tells nothing; without it one sender tells so much a minute."""
    with daemon("10.10. found nyc\n", learned={"notes-from": ["192.0.2.0/24"]}) as d:
        stays(d, "10.10.1.0/24", "bos", 1.0)
        equal(asked(d), [])
    with daemon("10.10. missed\n", learned={"notes-from": [], "tries": 1}) as d:
        def ask_for_all():
            for i in range(250):
                d.query(APP, ecs=f"10.10.{i}.0/24")
            return len(asked(d)) >= 50
        until(ask_for_all, 10 * harness.slowness(), "prefixes are asked about", 0.1)
        time.sleep(1)
        check(len(asked(d)) <= 100, len(asked(d)))


if __name__ == "__main__":
    harness.run(test_learns, test_cut_off, test_digits, test_shown, test_restart, test_without_service, test_soon, test_changes_its_mind, test_bad_services, test_direct, test_registers, test_unasked,
                test_scraped, test_short_subnets, test_believed, limit_s=300)
