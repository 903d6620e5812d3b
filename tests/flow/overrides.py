"""What the replies to overrides say, and what is reported about them later: nothing that is not so."""

import json
import os
import resource
import subprocess

import harness
import statefiles
from harness import Daemon, Responder, check, equal

ZONE = "edge.example.com"
NAME, OTHER = "app." + ZONE, "other." + ZONE
EAST, WEST = "us-east-1", "us-west-2"
EAST_IP, WEST_IP = "203.0.113.1", "203.0.113.2"


def target(address, check_address=None):
    return {"addresses": [address], **({"check-address": check_address} if check_address else {})}


def config(apps=(NAME, OTHER), sites=(EAST, WEST), **more):
    """Apps without checks at both sites."""
    addresses = {EAST: EAST_IP, WEST: WEST_IP}
    return {"domains": harness.DOMAIN, "sites": {site: {"kind": "region"} for site in sites},
            "apps": {app: {"ttl": "30s", "targets": {site: target(addresses[site]) for site in sites}} for app in apps}, **more}


def left_with_the_dead():
    """A drain or a force that leaves a dead target alone is done, and warns: its clients get the dead one."""
    with Responder("127.0.1.1") as east:
        it = config()
        it["checks"] = {"tcp": {"type": "tcp", "port": east.port, "interval": "100ms", "timeout": "100ms", "rise": 1, "fall": 1}}
        for app in it["apps"].values():
            app["check"] = "tcp"
            app["targets"] = {EAST: target(EAST_IP, "127.0.1.1"), WEST: target(WEST_IP, "127.0.1.2")}
        with Daemon(it) as d:
            equal(d.query(NAME).addresses, [EAST_IP])
            warning = f"{NAME}: every target left for its clients is down (1 left of 2): they are answered all the same"
            done = d.ctl("drain", EAST, "--app", NAME, as_json=False)
            equal(done.err, f"warning: {warning}\n")
            equal(d.query(NAME).addresses, [WEST_IP], "what the warning says")
            explained = d.ctl_json("explain", NAME, "--client", "192.0.2.1")["candidates"]
            shown = d.ctl_json("apps", NAME)["apps"][0]["targets"]
            equal([row["state"] for row in explained], [row["state"] for row in shown])
            equal([row.get("drained") for row in explained], [row["drained"] for row in shown])
            d.ctl("undrain", EAST)
            equal(d.ctl_json("drain", EAST)["warnings"], [warning, warning.replace(NAME, OTHER)])
            d.ctl("undrain", EAST)
            equal(d.ctl_json("drain", WEST)["warnings"], [])
            d.ctl("undrain", WEST)
            done = d.ctl("force", f"{NAME}/{EAST}", "down")
            equal(done.json["warnings"], [warning.replace("1 left of 2", "2 left of 2")])
            explained = d.ctl_json("explain", NAME, "--client", "192.0.2.1")["candidates"]
            equal({row["site"]: row.get("forced") for row in explained}, {EAST: "down", WEST: None})
            check(warning.replace("1 left of 2", "2 left of 2") in done.err, done)


def renamed():
    """A reload that leaves drains and forces without effect warns in its reply and in the log; status marks them."""
    with Daemon(config()) as d:
        d.ctl("drain", EAST, "--app", NAME, "--reason", "disk dying")
        d.ctl("drain", "--force", WEST)
        d.ctl("force", f"{OTHER}/{EAST}", "up")
        check("warnings" not in d.reload().json)
        done = d.reload(config(apps=("new." + ZONE, OTHER)))
        equal(len(done.json["warnings"]), 1)
        text, = done.json["warnings"]
        check(text.startswith(f"the drain of {NAME} at {EAST} has no effect: no such app; given by uid ")
              and text.endswith("reason: disk dying"), text)
        check(text in d.log(), "the log does not say it")
        equal(d.query("new." + ZONE).addresses, [EAST_IP])
        drains = d.ctl_json("status")["drains"]
        equal([drain.get("no_effect") for drain in drains], ["no such app", None])
        check("has no effect: no such app" in d.ctl("status", as_json=False).out)
        done = d.reload(config(sites=(EAST,)))
        equal([line.split(";")[0] for line in done.json["warnings"]],
              [f"the drain of {WEST} has no effect: no such site"])
        # What has no effect is kept, and can be taken back.
        done = d.reload(config(apps=(NAME,)))
        equal([line.split(";")[0] for line in done.json["warnings"]],
              [f"the force of {OTHER} at {EAST} to up has no effect: no such app"])
        equal(d.query(NAME).rcode, 2)  # drained by name again, both of its sites
        d.ctl("force", f"{OTHER}/{EAST}", "auto")
        check("warnings" not in d.reload().json)
        # A start warns as well.
        d.write_config(config(apps=(OTHER,)))
        told = d.log().count(f"{NAME} at {EAST} has no effect: no such app")
        d.restart()
        equal(d.log().count(f"{NAME} at {EAST} has no effect: no such app"), told + 1)


def replaced():
    """A drain that replaces another operator's shows that one."""
    with Daemon(config()) as d:
        first = d.ctl_json("drain", EAST, "--reason", "disk dying, do not undrain")
        equal((first["replaced"], first["warnings"]), (None, []))
        done = d.ctl("drain", EAST, "--for", "2s")
        equal({key: done.json["replaced"][key] for key in ("who", "reason", "since", "until")},
              {"who": first["who"], "reason": "disk dying, do not undrain", "since": first["since"], "until": None})
        warning, = done.json["warnings"]
        check("ends sooner" in warning and "until undrain" in warning and "do not undrain" in warning, warning)
        shown = d.ctl("drain", EAST, "--for", "1h", as_json=False)
        check("It replaces the drain until " in shown.out and " +" in shown.out and shown.err == "", shown)


def odd_names():
    """Overrides of apps whose names have a slash, a dot in a label, any octet: by each way to write them, and after a
    restart."""
    odd = {rf"0/25.{ZONE}": rf"\048\0472\053.{ZONE}", rf"a\.b.{ZONE}": rf"A\046B.{ZONE}.", rf"\000\255.{ZONE}": rf"\000\255.{ZONE}"}
    with Daemon(config(apps=tuple(odd))) as d:
        for name, written in odd.items():
            d.ctl("force", f"{written}/{EAST}", "down")
            d.ctl("drain", WEST, "--app", written)
        for _ in range(2):
            equal(sorted(force["app"] for force in d.ctl_json("status")["forces"]), sorted(odd))
            equal(sorted(drain["app"] for drain in d.ctl_json("status")["drains"]), sorted(odd))
            for name, written in odd.items():
                equal(d.query(name).addresses, [EAST_IP], name)  # forced down, but the other is drained
                equal(d.ctl_json("explain", written, "--client", "192.0.2.1")["app"], name)
            d.restart()
        for written in odd.values():
            d.ctl("undrain", WEST, "--app", written)
        equal(d.query(next(iter(odd))).addresses, [WEST_IP])


def undrain_numbers():
    """Undrain counts what it has changed."""
    def numbers(*words):
        reply = d.ctl_json("undrain", *words)
        return reply["targets"], reply["up"], reply["still_drained"]

    with Daemon(config(apps=(NAME, OTHER, "third." + ZONE))) as d:
        d.ctl("drain", EAST, "--app", NAME)
        equal(numbers(EAST), (1, 1, 0))
        d.ctl("drain", EAST)
        d.ctl("force", f"{NAME}/{EAST}", "down")
        equal(numbers(EAST), (3, 2, 0))
        d.ctl("drain", EAST, "--app", NAME)
        d.ctl("drain", EAST, "--app", OTHER)
        d.reload(config(apps=(OTHER, "third." + ZONE)))
        equal(numbers(EAST, "--app", NAME), (0, 0, 0))
        equal(numbers(EAST), (1, 1, 0))
        given = d.ctl_json("drain", WEST, "--reason", "rack")
        done = d.ctl("undrain", WEST)
        equal([(drain["since"], drain["reason"]) for drain in done.json["ended"]], [(given["since"], "rack")])
        d.ctl("drain", WEST, "--reason", "rack")
        check("It ends the drain until undrained, given " in d.ctl("undrain", WEST, as_json=False).out)


def fill_disk(daemon, full=True):
    """The daemon's files cannot grow, as on a full disk: not by the page that a change takes, but the log has room."""
    _, most = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (4096 if full else most, most))


def cannot_be_saved():
    """What cannot be written is refused and changes nothing. A force that stays, as the disk is full, is not said to be
    of no app."""
    with Daemon(config()) as d:
        d.ctl("force", f"{NAME}/{EAST}", "down")
        d.reload(config(apps=(OTHER,)))
        fill_disk(d)
        done = d.ctl("force", f"{NAME}/{EAST}", "auto", code=1)
        why = f"{d.folder}/state/state.db cannot be written: File too large"
        equal(done.err, f"edgesteerctl: not done: {why}\n")
        done = d.ctl("drain", EAST, code=1)
        equal(done.err, f"edgesteerctl: not done: {why}; with --volatile it is done all the same, in memory until it can be "
                        "saved\n")
        equal(d.query(OTHER).addresses, [EAST_IP], "what was refused is not published")
        status = d.ctl_json("status")
        equal((len(status["forces"]), status["drains"]), (1, []))
        equal(status["changes_refused"]["why"], why)
        check(f": {why}\n" in d.ctl("status", as_json=False).out)
        fill_disk(d, full=False)
        d.ctl("force", f"{NAME}/{EAST}", "auto")
        check("no app" in d.ctl("force", f"{NAME}/{EAST}", "auto", code=1).err)
        d.ctl("drain", EAST)
        equal(d.query(OTHER).addresses, [WEST_IP])
        check(f"{why}: 1 change is refused\n" in d.log(), "the log does not say it")
        check("changes_refused" not in d.ctl_json("status"))
        d.kill()
        d.start()
        check(f"edgesteerd {d.ctl_json('version')['version']} started with {d.config_path}: 1 override holds\n" in d.log(), d.log())
        status = d.ctl_json("status")
        equal(([drain["site"] for drain in status["drains"]], status["forces"]), ([EAST], []))


def newer_version(daemon, folder):
    """Files of an unknown version are not touched: the daemon does not start."""
    (version,), = statefiles.run(folder, statefiles.STATE, "PRAGMA user_version")
    for name in statefiles.BOTH:
        statefiles.set_version(folder, name, 99)
    before = {name: (folder / name).read_bytes() for name in statefiles.BOTH}
    daemon.start(wait=False)
    equal(daemon.process.wait(harness.PATIENCE_S), 1, "the exit code")
    daemon.process = None
    check("is of version 99" in daemon.log(), "the log does not say why")
    equal({name: (folder / name).read_bytes() for name in statefiles.BOTH}, before)
    for name in statefiles.BOTH:
        statefiles.set_version(folder, name, version)


def lost():
    """Intact overrides in damaged files hold, what one file has lost is taken from the other, and status shows it
    until the files are removed."""
    with Daemon(config()) as d:
        folder = d.folder / "state"
        d.ctl("drain", EAST, "--reason", "kept")
        d.ctl("drain", "--force", WEST)
        check("overrides_damaged" not in d.ctl_json("status"))
        # One file of the two.
        d.stop()
        statefiles.damage_row(folder, statefiles.STATE, WEST)
        d.start()
        equal(d.query(NAME).rcode, 2, "both drains hold")
        damaged = d.ctl_json("status")["overrides_damaged"]
        check(os.path.isfile(damaged["file"]) and "state.db.damaged-" in damaged["file"], damaged)
        equal((damaged["kept"], damaged["lost"], damaged["files"]), (2, 0, 1))
        shown = d.ctl("status", as_json=False).out
        check("none is known to be lost; 2 were kept" in shown and "may be in service" not in shown, shown)
        # The same row of both.
        d.stop()
        for name in statefiles.BOTH:
            statefiles.damage_row(folder, name, WEST)
        d.start()
        equal(d.query(NAME).addresses, [WEST_IP], "the intact drain holds")
        damaged = d.ctl_json("status")["overrides_damaged"]
        equal((damaged["kept"], damaged["lost"], damaged["files"]), (1, 1, 3))
        shown = d.ctl("status", as_json=False).out
        check("LOST: at least 1; 1 were kept" in shown and "may be in service" in shown, shown)
        d.ctl("drain", EAST, "--app", NAME)
        d.kill()
        d.start()
        damaged = d.ctl_json("status")["overrides_damaged"]
        check(os.path.isfile(damaged["file"]) and damaged["files"] == 3 and "kept" not in damaged, damaged)
        equal([drain["reason"] for drain in d.ctl_json("status")["drains"]], ["kept", None])
        # Nothing of either can be read.
        d.stop()
        for name in statefiles.BOTH:
            statefiles.garble(folder, name, b"\0{" * 700)
        d.start()
        equal(d.ctl_json("status")["drains"], [])
        check("0 were kept; whether there were more cannot be known" in d.ctl("status", as_json=False).out)
        check("may be in service" in d.ctl("status", as_json=False).out)
        equal(d.ctl_json("status")["overrides_damaged"]["files"], 5)
        d.ctl("drain", EAST)
        d.stop()
        newer_version(d, folder)
        d.start()
        equal(d.query(NAME).addresses, [WEST_IP], "nothing was lost to the version")
        for file in folder.glob("*.damaged-*"):
            file.unlink()
        check("overrides_damaged" not in d.ctl_json("status"))
        check("damaged" not in d.ctl("status", as_json=False).out)


def exported():
    """What older versions read is written with its numbers, by a command of its own; and only where there is something."""
    def export(*words):
        done = subprocess.run([harness.program("edgesteerd"), "-c", str(d.config_path), "--export-state", *words],
                              capture_output=True, text=True, check=False, timeout=20 * harness.slowness())
        return done.returncode, done.stdout, done.stderr

    with Daemon(config()) as d:
        folder = d.folder / "state"
        d.ctl("drain", EAST)
        d.ctl("drain", "--force", WEST, "--app", NAME)
        d.ctl("force", f"{NAME}/{EAST}", "down")
        code, _, err = export()
        check(code == 1 and f"state folder {folder}: another edgesteerd is using it" in err, err)
        d.stop()
        for _ in range(2):
            code, out, err = export()
            equal((code, out), (0, f"{folder}: orders.json and health.json written: 2 drains, 1 force, health of 0 targets\n"), err)
            check("taken over" not in err, err)
        equal(export("-t")[0], 2)
        folder.rename(d.folder / "moved")
        code, _, err = export()
        check(code == 1 and f"state folder {folder}: nothing to export" in err and not folder.exists(), err)
        (d.folder / "moved").rename(folder)
        d.start()
        equal(len(d.ctl_json("status")["drains"]), 2)


def all_are_listed():
    """Every override, however many there are, here of a version before; and apps of one generation only."""
    names = [f"a{n}." + ZONE for n in range(1100)]
    count = 2500
    with Daemon(config(names)) as d:
        d.stop()
        drains = [{"site": f"s{n}", "who": "w", "since": 1, "until": 0} for n in range(count)]
        path = d.folder / "state" / "orders.json"
        path.write_text(json.dumps({"version": 1, "drains": drains, "forces": []}))
        d.start()
        check(not path.exists() and path.with_name("orders.json.imported").exists(), "it is taken over once")
        reply = d.ctl_json("status")
        equal([drain["site"] for drain in reply["drains"]], [f"s{n}" for n in range(count)])
        equal({drain["no_effect"] for drain in reply["drains"]}, {"no such site"})
        check(f"\ns{count - 1} " in d.ctl("status", as_json=False).out)
        equal([app["name"] for app in d.ctl_json("apps")["apps"]], names)
        with d.control() as order:
            first = order("apps")
            check(0 < first["next"] < len(names), first["next"])
            d.reload(config(names[5:]))
            rest = order("apps", **{"from": first["next"]})
            check(first["generation"] != rest["generation"], "a part of another generation cannot be told")


def told_once():
    """A reload refused because another is under way is logged once; a refused request does not fill the log."""
    rows = "".join(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}/32,one\n" for n in range(200000))  # takes a while to read
    it = config(locate=[{"plugin": "ranges", "file": "ranges.csv"}])
    with Daemon(it, {"ranges.csv": "prefix,carrier\n" + rows}) as d:
        with d.control() as order:
            for _ in range(5):
                order.sock.sendall(b'{"verb": "reload"}\n')
                done = d.ctl("reload", code=None, as_json=False)
                equal(json.loads(order.file.readline())["ok"], True)
                if done.code == 1:
                    break
        equal((done.code, done.err), (1, "edgesteerctl: a reload is already under way; try again when it has finished\n"))
        with d.control() as order:
            order("drain", ok=False, site=EAST, reason="y" * 60000)
        line = next(line for line in d.log().splitlines() if "yyyy" in line)
        check(len(line) < 500 and line.endswith("...: refused: reason: longer than 255 bytes"), line)


if __name__ == "__main__":
    harness.run(left_with_the_dead, renamed, replaced, odd_names, undrain_numbers, cannot_be_saved, lost, exported, all_are_listed, told_once)
