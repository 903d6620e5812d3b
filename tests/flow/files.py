"""Files that the config names: whatever is wrong with one, a reload is refused in bounded time, edgesteerctl says why,
the generation in use serves on, and the next good reload works. A file system that hangs holds nothing but the reload
that reads it."""

import os
import socket
import time

import harness
from harness import Daemon, Skip, check, equal, until

ZONE = "edge.example.com"
NAME = "app." + ZONE
BOUND_S = 10 * harness.pace()

RANGES = "prefix,carrier\n10.1.0.0/16,one\n"
PARTS = {
    "ranges.csv": RANGES,
    "latency.csv": "from,site,ms\n10.1.0.0/16,w1,5\n",
    "zone.hung": f"$ORIGIN f.example.com.\n@ 60 SOA ns.example.net. h.example.net. 1 1 1 1 1\n@ 60 NS ns.example.net.\n",
    "catalogue.yaml": "sites: {r1: {kind: region}}\n",
    "more.yaml": "checks: {spare: {type: tcp, port: 9}}\n",
}


def config(generation, **more):
    it = {
        "domains": {**harness.DOMAIN, "f.example.com": {"file": "zone.hung"}},
        "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
        "latency": "latency.csv", "catalogue": "catalogue.yaml", "include": ["more.yaml"],
        "sites": {"w1": {"kind": "wavelength", "reach": ["one"]}, "r1": {}},
        "apps": {NAME: {"targets": {"w1": {"addresses": [f"155.146.1.{generation}"]},
                                    "r1": {"addresses": [f"203.0.113.{generation}"]}}}},
    }
    return {**it, **more}


def answer(daemon, client=None):
    return daemon.query(NAME, ecs=client).addresses[0].rsplit(".", 1)[1]


def refused(daemon, name, why):
    """A reload is refused soon, in text and JSON with the file and the reason, and the first generation serves on."""
    began = time.monotonic()
    done = daemon.ctl("reload", code=2)
    human = daemon.ctl("reload", code=2, as_json=False)
    check(time.monotonic() - began < BOUND_S, f"{name}: refused after {time.monotonic() - began:.1f} s")
    errors = done.json["errors"]
    check(any(name in line and why in line for line in errors), f"{name}: {why} is not in", done)
    check(name in human.err and why in human.err, f"{name}: {why} is not in", human)
    return errors


def not_files():
    """A FIFO, a folder, a socket and nothing at all in the place of each file."""
    everything = {
        **{name: config(2) for name in PARTS},
        "geo.mmdb": config(2, locate=[{"plugin": "mmdb", "city": "geo.mmdb"}]),
        "ca.pem": config(2, checks={"c": {"type": "https", "ca-file": "ca.pem"}}),
        "own.so": config(2, server={"plugin-dir": "."}, locate=[{"plugin": "own"}]),
        "edgesteer.yaml": None,
    }
    with Daemon(config(1), PARTS) as d:
        for name, wanted in everything.items():
            if wanted:
                d.write_config(wanted)
            kept = d.folder / (name + ".kept")
            path = d.folder / name
            if path.exists():
                path.rename(kept)
            os.mkfifo(path)
            refused(d, name, "not a regular file")
            path.unlink()
            path.mkdir()
            refused(d, name, {"own.so": "s a directory", "more.yaml": "is a folder, expected its files"}.get(name, "directory"))
            path.rmdir()
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(str(path))
                refused(d, name, "cannot be read")
            path.unlink()
            if name != "own.so":  # one that is not there is looked for among the built-in plugins
                refused(d, name, "No such file")
            if kept.exists():
                kept.rename(path)
            equal(answer(d), "1", f"after {name}")
            equal(d.ctl_json("status")["generation"], 1)
        d.reload(config(3))
        equal(answer(d), "3")


def certificates():
    """A CA file without a certificate is an error of the config, not of every probe."""
    with Daemon(config(1), {**PARTS, "ca.pem": "nothing\n"}) as d:
        d.write_config(config(2, checks={"c": {"type": "https", "ca-file": "ca.pem"}}))
        refused(d, "ca.pem", "has no certificate")


def rows(count, net=1):
    return "prefix,carrier\n" + "".join(f"10.{net}.{i}.0/24,one\n" for i in range(count))


def shrunk():
    """A table that lost more than its share is refused with the numbers, unless forced; what is taken counts from then
    on. A new source, or one with other options, is taken as it is."""
    with Daemon(config(1), {**PARTS, "ranges.csv": rows(100)}) as d:
        d.write("ranges.csv", rows(49))
        d.write_config(config(2))
        errors = refused(d, "ranges.csv", "has 49 prefixes where 100 are in use, and may lose 50 %")
        equal(len(errors), 1, errors)
        equal(answer(d), "1")
        d.signal(1)
        until(lambda: d.log().count("reload failed") >= 3, harness.PATIENCE_S, "SIGHUP does not force")
        equal(answer(d), "1")
        check(d.control_octets(b'{"verb": "reload", "force": "yes"}\n').count(b"must be true or false") == 1)
        d.ctl("reload", "--force")
        equal(answer(d), "2")
        check("by force" in d.log())
        d.reload(config(3))  # 49 of 49
        d.write("ranges.csv", rows(25))
        d.reload(config(4))  # 25 of 49 is within the limit
        d.write("other.csv", rows(1))
        d.reload(config(5, locate=[{"plugin": "ranges", "file": "other.csv"}]))
        d.reload(config(6, locate=[{"plugin": "ranges", "file": "ranges.csv"}]))
        # A limit of its own; a table that is empty.
        d.write("ranges.csv", rows(20))
        d.write_config(config(7, locate=[{"plugin": "ranges", "file": "ranges.csv", "shrink-limit": "10%"}]))
        refused(d, "ranges.csv", "has 20 prefixes where 25 are in use, and may lose 10 %")
        d.write("ranges.csv", "prefix,carrier\n")
        d.reload(config(8, locate=[{"plugin": "ranges", "file": "ranges.csv", "shrink-limit": "100%"}]))
        equal(answer(d), "8")
        # The latency table; prefixes of `ecs-ignore` shift the numbers of the sources.
        d.write("ranges.csv", rows(10))
        d.write("latency.csv", "from,site,ms\n" + "".join(f"10.1.{i}.0/24,w1,5\n" for i in range(10)))
        d.reload(config(9, server={"ecs-ignore": ["192.168.0.0/16"]}))
        d.write("latency.csv", "from,site,ms\n10.1.0.0/24,w1,5\n")
        d.write_config(config(10, server={"ecs-ignore": ["192.168.0.0/16"]}))
        refused(d, "latency.csv", "has 1 usable rows where 10 are in use, and may lose 50 %")
        d.write("ranges.csv", rows(1))
        equal(len(refused(d, "ranges.csv", "has 1 prefixes where 10 are in use")), 2)
        d.ctl("reload", "--force")
        equal(answer(d), "10")
        # A start takes whatever there is.
        d.write("ranges.csv", rows(0))
        d.restart()
        equal(answer(d), "10")


def unseen():
    """What operators and files give is shown without what a terminal would act on: in the log, in replies, in tables."""
    hidden = "\x1b[31m \x7f \x85 \u202e \u2066 \u200f \u061c"
    raw = [c for c in hidden if c not in " [31m"]
    with Daemon(config(1), PARTS) as d:
        d.ctl("drain", "w1", "--reason", f"a{hidden}z")
        d.write("ranges.csv", f"prefix,carrier\n10.1.0.0/16,one\n{hidden},two\n".encode() + b"\xff,two\n")
        d.write_config(config(2, **{f"x{hidden}y".replace("\x1b", "").replace("\x7f", "").replace("\x85", ""): 1}))
        shown = [d.ctl("reload", code=2, as_json=False).err, d.ctl("status", as_json=False).out, d.log(),
                 "".join(d.ctl("reload", code=2).json["errors"])]
        for text in shown:
            equal([c for c in raw if c in text], [], repr(text))
        check("a?[31m ? ? ? ? ? ?z" in shown[1], shown[1])
        check("'?[31m ? ? ? ? ? ?'" in shown[0] and "'?'" in shown[0], shown[0])


def hung():
    """Reading one file takes for ever: status, drains and answers do not wait, another reload says that one is under
    way; when the file system is back, the reload goes on."""
    if harness.sanitizer():
        raise Skip("a sanitizer's library has to come first")
    with Daemon(config(1), PARTS, start=False) as d:
        flag = d.folder / "hang"
        d.env = {"LD_PRELOAD": harness.library("hangread", d.folder), "HANGREAD_WHILE": str(flag)}
        d.start()
        flag.write_text("")
        d.write_config(config(2))
        d.signal(1)
        until(lambda: "reload_began" in d.ctl_json("status"), harness.PATIENCE_S, "the reload is under way")
        time.sleep(0.2)
        check("reload_began" in d.ctl_json("status"), "the reload does not hang")
        began = time.monotonic()
        check("under way" in d.ctl("reload", code=1).json["error"], "a second reload")
        d.ctl("drain", "w1")
        equal(answer(d, "10.1.0.0/16"), "1")
        equal(d.query(NAME, ecs="10.1.0.0/16").addresses, ["203.0.113.1"], "the drain is in force")
        check(time.monotonic() - began < BOUND_S, "verbs wait for the file")
        flag.unlink()
        until(lambda: answer(d) == "2", harness.PATIENCE_S, "the reload goes on")
        equal(d.query(NAME, ecs="10.1.0.0/16").addresses, ["203.0.113.2"], "the drain holds")


if __name__ == "__main__":
    harness.run(not_files, certificates, shrunk, unseen, hung)
