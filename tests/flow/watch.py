"""Files that change: feeds are watched by default, zones and the config where the config says so. A change reaches the
answers, however the file was written; what is refused is said once, and the generation in use stays."""

import json
import os
import shutil
import struct

import harness
from harness import Daemon, check, equal, until

ZONE = "edge.example.com"
NAME = "app." + ZONE
MMDB = harness.DATA / "mmdb"
# Boxford's longitude in the database, and one in Canada, as doubles.
ENGLISH, CANADIAN = (b"\x68" + struct.pack(">d", degrees) for degrees in (-1.25, -100))
ADDRESSES = {"w1": "155.146.1.1", "r1": "203.0.113.1", "r2": "203.0.113.2"}
FILES = {
    "ranges.csv": "prefix,carrier\n10.9.0.0/16,one\n",
    "latency.csv": "from,site,ms\n10.3.0.0/16,r1,5\n",
    "metros.csv": "carrier,country,latitude,longitude,share\none,,50,0,1\n",
    "ranges.json": '{"prefixes": [{}]}',
    "ca.pem": "-----BEGIN CERTIFICATE-----\n",
    "zone": f"@ 60 SOA ns.example.net. h.example.net. 1 1 1 1 1\n@ 60 NS ns.example.net.\nwww 60 A 192.0.2.1\n$INCLUDE part\n",
    "part": "more 60 A 192.0.2.1\n",
}


def config(**more):
    it = {
        "server": {"watch": None},
        "domains": {**harness.DOMAIN, "f.example.com": {"file": "zone"}},
        "locate": [{"plugin": "ranges", "file": "ranges.csv"}, {"plugin": "mmdb", "city": "city.mmdb"}],
        "latency": "latency.csv", "metros": "metros.csv",
        "checks": {"c": {"type": "https", "ca-file": "ca.pem"}},
        "sites": {"w1": {"kind": "wavelength", "reach": ["one"], "location": [50, 0]},
                  "r1": {"kind": "region", "location": [38, -77]}, "r2": {"kind": "region", "location": [51.5, 0]}},
        "apps": {NAME: {"targets": {site: {"addresses": [address]} for site, address in ADDRESSES.items()}}},
    }
    return {**it, **more}


def start(it=None):
    return Daemon(it or config(), {**FILES, "city.mmdb": (MMDB / "GeoIP2-City-Test.mmdb").read_bytes()})


def site(d, client):
    address = d.query(NAME, ecs=client).addresses[0]
    return next(name for name, own in ADDRESSES.items() if own == address)


def replace(d, name, content):
    d.write(name + ".new", content)
    (d.folder / (name + ".new")).rename(d.folder / name)


def becomes(what, get, wanted):
    until(lambda: get() == wanted, harness.PATIENCE_S, what, every_s=0.05)


def watch(d):
    return d.ctl_json("status")["watch"]


def taken(d, name):
    """The last reload was for this file, which was taken."""
    becomes(f"a reload for {name}", lambda: watch(d).get("file"), str(d.folder / name))
    check("refused" not in watch(d), watch(d))


def feeds():
    """A change of each kind of feed reaches the answers, whether the file is replaced or written in place."""
    with start() as d:
        equal(watch(d), {"files": 5})
        equal(site(d, "10.1.0.0/16"), "r1")
        replace(d, "ranges.csv", "prefix,carrier\n10.9.0.0/16,one\n10.1.0.0/16,one\n")
        taken(d, "ranges.csv")
        d.write("ranges.csv", "prefix,carrier,latitude,longitude\n10.9.0.0/16,one,,\n10.1.0.0/16,one,50,0\n")
        becomes("ranges in place", lambda: site(d, "10.1.0.0/16"), "w1")
        equal(site(d, "10.3.0.0/16"), "r1")
        replace(d, "latency.csv", "from,site,ms\n10.3.0.0/16,r1,50\n10.3.0.0/16,r2,1\n")
        becomes("latency", lambda: site(d, "10.3.0.0/16"), "r2")
        equal(site(d, "2.125.160.216/32"), "r2")  # in Boxford, says the database
        replace(d, "city.mmdb", (MMDB / "GeoIP2-City-Test.mmdb").read_bytes().replace(ENGLISH, CANADIAN))
        becomes("mmdb", lambda: site(d, "2.125.160.216/32"), "r1")
        replace(d, "metros.csv", "carrier,country,latitude,longitude,share\none,,40,-75,1\n")
        taken(d, "metros.csv")
        replace(d, "ca.pem", "-----BEGIN CERTIFICATE-----\n\n")
        taken(d, "ca.pem")
        status = d.ctl("status", as_json=False).out
        check("watching     5 files" in status and f"{d.folder}/ca.pem\n" in status, status)
        check("REFUSED" not in status, status)


def blocks():
    """AWS's ranges are a feed as well, though the config is read with them."""
    def ranges(prefix):
        return json.dumps({"prefixes": [{"service": "EC2", "network_border_group": "us-east-1", "ip_prefix": prefix}]})

    with start(config(server={"watch": None}, **{"aws-ranges": "ranges.json"})) as d:
        equal(watch(d), {"files": 6})
        replace(d, "ranges.json", ranges("198.51.100.0/24"))
        taken(d, "ranges.json")
        replace(d, "ranges.json", "{}")
        becomes("bad", lambda: "is not AWS's ip-ranges.json" in watch(d).get("refused", ""), True)
        replace(d, "ranges.json", ranges("203.0.113.0/24"))
        becomes("good again", lambda: "refused" in watch(d), False)
        equal((source(d, "ranges.csv")["state"], source(d, "ranges.csv")["error"]), ("current", None))
        d.reload(config(server={"watch": "off"}, **{"aws-ranges": "ranges.json"}))
        equal(watch(d)["files"], 0)


def source(d, name):
    """What `sources` says of a file."""
    return next(one for one in d.ctl_json("sources")["sources"] if one["kind"] == "file" and one["name"].endswith("/" + name))


def refused():
    """What is wrong is said once, in the log and in `status`, and the generation in use stays until the file is good."""
    with start() as d:
        good = "prefix,carrier,latitude,longitude\n" + "".join(f"10.{i}.0.0/16,one,50,0\n" for i in range(1, 5))
        replace(d, "ranges.csv", good)
        becomes("good", lambda: site(d, "10.1.0.0/16"), "w1")
        generation = d.ctl_json("status")["generation"]
        replace(d, "ranges.csv", good + "10.1.0.0/99,one,,\n")
        becomes("bad", lambda: "refused" in watch(d), True)
        line = f"{d.folder}/ranges.csv:6"
        check(line in watch(d)["refused"], watch(d))
        status = d.ctl("status", as_json=False)
        check("ranges.csv: REFUSED, the previous generation stays in service" in status.out, status)
        equal((d.ctl_json("status")["generation"], site(d, "10.1.0.0/16")), (generation, "w1"))
        file = source(d, "ranges.csv")
        check(file["state"] == "refused" and line in file["error"] and file["watched"] and file["last_good"], file)
        check("refused" in d.ctl("sources", as_json=False).out, "the table of sources")
        # The shrink limit holds, and a file that is gone is one that cannot be read.
        replace(d, "ranges.csv", "prefix,carrier\n10.1.0.0/16,one\n")
        becomes("shrunk", lambda: "shrink-limit" in watch(d).get("refused", ""), True)
        (d.folder / "ranges.csv").unlink()
        becomes("gone", lambda: "No such file" in watch(d).get("refused", ""), True)
        equal((d.ctl_json("status")["generation"], site(d, "10.1.0.0/16")), (generation, "w1"))
        d.write("ranges.csv", good)
        becomes("good again", lambda: "refused" in watch(d), False)
        log = d.log()
        equal(log.count("reload failed"), 3, log)
        equal(log.count(line), 1, log)
        equal(log.count("ranges.csv is gone: reloading"), 1, log)
        # By hand: what is refused stays until something is taken, whoever asked for it.
        replace(d, "ranges.csv", "prefix\n")
        becomes("bad", lambda: "refused" in watch(d), True)
        d.reload(config(locate=[]))
        check("refused" not in watch(d), watch(d))
        equal(watch(d)["files"], 3)


def everything():
    """With `watch: on` the config, what it includes, zones and what they include."""
    on = {"server": {"watch": "on"}, "include": ["conf.d/*.yaml"]}
    with start() as d:
        def static(name):
            return d.query(name + ".f.example.com").addresses

        (d.folder / "conf.d").mkdir()
        d.reload(config(**on))
        equal(watch(d)["files"], 9)
        replace(d, "zone", FILES["zone"].replace("www 60 A 192.0.2.1", "www 60 A 192.0.2.2"))
        becomes("zone", lambda: static("www"), ["192.0.2.2"])
        d.write("part", "more 60 A 192.0.2.3\n")
        becomes("$INCLUDE", lambda: static("more"), ["192.0.2.3"])
        d.write("conf.d/1.yaml", f'apps: {{extra.{ZONE}: {{targets: {{r1: {{addresses: 192.0.2.4}}}}}}}}\n')
        becomes("a new file", lambda: d.query("extra." + ZONE).addresses, ["192.0.2.4"])
        d.write("conf.d/1.yaml", f'apps: {{extra.{ZONE}: {{targets: {{r1: {{addresses: 192.0.2.5}}}}}}}}\n')
        becomes("and changed", lambda: d.query("extra." + ZONE).addresses, ["192.0.2.5"])
        d.write_config("domains: [\n")
        becomes("a broken config", lambda: "edgesteer.yaml" in watch(d).get("refused", ""), True)
        equal(d.query("extra." + ZONE).addresses, ["192.0.2.5"])
        targets = {**config()["apps"][NAME]["targets"], "r1": {"addresses": ["203.0.113.9"]}}
        # A setting that needs a restart is said to, as at any reload. The config is not watched any more.
        d.write_config(config(server={"watch": "feeds", "tcp-clients": 7}, apps={NAME: {"targets": targets}}))
        becomes("a good one", lambda: d.query(NAME).addresses, ["203.0.113.9"])
        check("server.tcp-clients: takes effect when the daemon is restarted" in d.log(), d.log())
        equal(d.log().count("reload failed"), 1)
        equal(watch(d)["files"], 5)


def nothing():
    """Without `watch` a change does nothing. That is seen beside a daemon that watches the same zone."""
    with start() as still, start(config(server={"watch": "off"})) as off, start() as d:
        for other in (still, off):
            other.reload(config(server={"watch": "off" if other is off else None}, latency=str(d.folder / "latency.csv"),
                                domains={**harness.DOMAIN, "f.example.com": {"file": str(d.folder / "zone")}}))
        d.reload(config(domains={**harness.DOMAIN, "f.example.com": {"file": "zone", "watch": "on"}}))
        equal([watch(x)["files"] for x in (still, off, d)], [5, 0, 7])
        before = [x.ctl_json("status")["generation"] for x in (still, off)]
        for i in range(2, 4):  # by the second change the others would have acted on the first
            replace(d, "zone", FILES["zone"].replace("www 60 A 192.0.2.1", f"www 60 A 192.0.2.{i}"))
            becomes("zone", lambda: d.query("www.f.example.com").addresses, [f"192.0.2.{i}"])
        equal([x.ctl_json("status")["generation"] for x in (still, off)], before)
        replace(d, "latency.csv", "from,site,ms\n10.3.0.0/16,r2,1\n")
        becomes("a feed", lambda: still.ctl_json("status")["generation"], before[0] + 1)
        # It is a whole reload, and says what else it took.
        equal(still.query("www.f.example.com").addresses, ["192.0.2.3"])
        check(f"{d.folder}/zone has changed too, and is taken with it" in still.log(), still.log())
        equal(off.query("www.f.example.com").addresses, ["192.0.2.1"])


def config_map():
    """As kubelet updates a ConfigMap: all files are links through `..data`, which is replaced."""
    it = config(domains={**harness.DOMAIN, "f.example.com": {"file": "map/zone", "watch": "on"}},
                locate=[{"plugin": "ranges", "file": "map/ranges.csv"}])
    d = Daemon(it, start=False)
    for name, text in FILES.items():
        d.write(name, text)
    folder = d.folder / "map"
    folder.mkdir()

    def publish(version):
        own = folder / f"..{version}"
        own.mkdir()
        (own / "zone").write_text(FILES["zone"].replace("www 60 A 192.0.2.1", f"www 60 A 192.0.2.{version}"))
        (own / "part").write_text(FILES["part"])
        (own / "ranges.csv").write_text(f"prefix,carrier,latitude,longitude\n10.{10 + version}.0.0/16,one,50,0\n")
        os.symlink(own.name, folder / "..data_tmp")
        (folder / "..data_tmp").rename(folder / "..data")
        for name in ("zone", "part", "ranges.csv"):
            if not (folder / name).is_symlink():
                os.symlink(f"..data/{name}", folder / name)
        if version > 1:
            shutil.rmtree(folder / f"..{version - 1}")

    publish(1)
    with d.start():
        equal(site(d, "10.11.0.0/16"), "w1")
        for version in (2, 3, 4):
            publish(version)
            becomes("feed", lambda: site(d, f"10.{10 + version}.0.0/16"), "w1")
            equal(d.query("www.f.example.com").addresses, [f"192.0.2.{version}"])
        equal(d.log().count("reloading"), 3, d.log())


if __name__ == "__main__":
    harness.run(feeds, blocks, refused, everything, nothing, config_map, limit_s=120)
