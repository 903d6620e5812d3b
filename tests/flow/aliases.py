"""Targets by host name, with NSD as the name server of a load balancer's names: addresses rotate, the server goes away, the
daemon is restarted meanwhile, the server comes back, and an address is not one of the site's."""

import json
import shutil
import signal
import socket
import subprocess
import time

import harness
import wire
from burst import Burst
from harness import Daemon, Responder, Skip, check, equal, until

ZONE = "aws.test"
APP = "app.edge.example.com"
BOS, USE1 = "us-east-1-wl1-bos-wlz-1", "us-east-1"
CLIENT = "10.1.7.7/32"    # of the Wavelength Zone's carrier
RANGES = "prefix,carrier,latitude,longitude\n10.1.0.0/16,verizon,42.36,-71.06\n"
# The least time between two look-ups of a name, and after one that failed; a tenth more at most, and some for the rest.
LOOKUP_S, SLACK_S = 5 * 1.1, 1.5
TTL_S = 3                 # of the names; the daemon's least is 5


class NameServer:
    """NSD with one zone of names for 127.0.0.1@port; `names` maps a name in it to its addresses, or to a CNAME's target."""

    def __init__(self, folder, names, start=True):
        self.path = shutil.which("nsd", path=harness.program_env().get("PATH", "") + ":/usr/sbin")
        if self.path is None:
            raise Skip("nsd is not installed")
        self.folder, self.port, self.serial, self.process = folder / "nsd", harness.free_port(), 0, None
        self.folder.mkdir()
        (self.folder / "nsd.conf").write_text(f"""server:
  ip-address: 127.0.0.1@{self.port}
  username: ""
  chroot: ""
  zonesdir: "{self.folder}"
  pidfile: "{self.folder}/pid"
  xfrdfile: "{self.folder}/xfrd.state"
  xfrdir: "{self.folder}"
  zonelistfile: "{self.folder}/zone.list"
  database: ""
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "{ZONE}"
  zonefile: "zone"
""")
        self.write(names)
        if start:
            self.start()

    def write(self, names):
        self.serial += 1
        lines = [f"$TTL {TTL_S}", f"@ SOA ns hostmaster {self.serial} 7200 3600 1209600 1", "@ NS ns", "ns A 127.0.0.1"]
        for name, data in names.items():
            if isinstance(data, str):
                lines.append(f"{name} CNAME {data}")
            else:
                lines += [f"{name} {'AAAA' if ':' in address else 'A'} {address}" for address in data]
        (self.folder / "zone").write_text("\n".join(lines) + "\n")

    def start(self):
        self.process = subprocess.Popen([self.path, "-d", "-c", str(self.folder / "nsd.conf")], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=open(self.folder / "log", "ab"),
                                        stderr=subprocess.STDOUT)
        try:
            until(self.is_current, harness.PATIENCE_S, "nsd answers", every_s=0.05)
        except BaseException:
            self.stop()
            raise

    def is_current(self):
        """Whether it answers from what was written last."""
        check(self.process.poll() is None, "nsd ended:", (self.folder / "log").read_text())
        try:
            with Burst("127.0.0.1", self.port) as burst:
                reply, = burst.ask([wire.query(ZONE, "SOA")], 0.1, 1)
                return wire.Reply(reply).answer[0].value[2] == self.serial
        except (TimeoutError, OSError, IndexError):
            return False

    def change(self, names):
        self.write(names)
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def config(server, apps, **more):
    return {"domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
            "resolver": {"servers": [f"127.0.0.1@{server.port}"], "timeout": "300ms", "attempts": 2},
            "sites": {BOS: {}, USE1: {}}, "apps": apps, **more}


def targets(daemon, site):
    found = [target for target in daemon.ctl_json("targets", APP)["targets"] if target["site"] == site]
    equal(len(found), 1, "the target at", site)
    return found[0]


def addresses(daemon, client=CLIENT, kind="A"):
    return daemon.query(APP, kind, ecs=client).addresses


def ttl(daemon, client=CLIENT):
    return daemon.query(APP, "A", ecs=client).answer[0].ttl


APPS = {APP: {"ttl": "60s", "targets": {BOS: {"alias": f"bos.{ZONE}"}, USE1: {"alias": f"LB.{ZONE}."}}}}
NAMES = {"bos": "bos-1", "bos-1": ["155.146.0.10", "155.146.0.11"], "lb": ["203.0.113.10", "2001:db8::10"]}


def rotation_loss_and_return():
    with Daemon({"domains": harness.DOMAIN}, {"ranges.csv": RANGES}, start=False) as daemon:
        server = NameServer(daemon.folder, NAMES)
        try:
            daemon.write_config(config(server, APPS))
            daemon.start()
            follow(daemon, server)
        finally:
            server.stop()


def follow(daemon, server):
    # From the first answer on.
    equal(addresses(daemon), ["155.146.0.10", "155.146.0.11"])
    equal(addresses(daemon, "10.99.0.1/32", "AAAA"), ["2001:db8::10"])
    equal(ttl(daemon), 5)
    equal(targets(daemon, BOS)["from"], "alias")
    check(not targets(daemon, BOS)["stale"])

    # Rotation.
    server.change({**NAMES, "bos-1": ["155.146.0.12"]})
    until(lambda: addresses(daemon) == ["155.146.0.12"], LOOKUP_S + SLACK_S, "the new address")

    # Another zone's address beside a good one: refused, and told.
    server.change({**NAMES, "bos-1": ["155.146.0.13", "155.146.48.9"]})
    until(lambda: addresses(daemon) == ["155.146.0.13"], LOOKUP_S + SLACK_S, "the good one of two addresses")
    equal([row["address"] for row in targets(daemon, BOS)["refused"]], ["155.146.48.9"])
    check(f"{APP} at {BOS}: the address 155.146.48.9 of bos.{ZONE} is refused: it is outside of the site's block" in daemon.log())
    check("REFUSED: it is outside" in daemon.ctl("targets", as_json=False).out)

    # Nothing but bad ones: the Region answers.
    server.change({**NAMES, "bos-1": ["155.146.48.9"]})
    until(lambda: addresses(daemon) == ["203.0.113.10"], LOOKUP_S + SLACK_S, "the Region's")
    server.change(NAMES)
    until(lambda: addresses(daemon) == ["155.146.0.10", "155.146.0.11"], LOOKUP_S + SLACK_S, "the first ones")

    # The server goes: what was good stays.
    server.stop()
    until(lambda: targets(daemon, BOS)["stale"] and targets(daemon, USE1)["stale"], LOOKUP_S + SLACK_S + 1.5, "stale")
    equal(addresses(daemon), ["155.146.0.10", "155.146.0.11"])
    check(f"bos.{ZONE} cannot be resolved" in daemon.log() and "stay in use" in daemon.log())
    stats = daemon.ctl_json("stats")
    equal((stats["aliases"], stats["aliases_stale"], stats["aliases_empty"]), (2, 2, 0))
    check(stats["alias_failures"] >= 2)

    # The daemon is restarted meanwhile, and waits for nothing.
    daemon.restart()
    check(time.monotonic() - daemon.started < 3, "served only after", time.monotonic() - daemon.started)
    equal(addresses(daemon), ["155.146.0.10", "155.146.0.11"])
    target = targets(daemon, BOS)
    check(target["stale"] and target["age_s"] >= 1, target)

    # It is back, with others.
    server.write({**NAMES, "bos-1": ["155.146.0.14"]})
    server.start()
    until(lambda: addresses(daemon) == ["155.146.0.14"], LOOKUP_S + SLACK_S + 1.5, "fresh ones")
    check(not targets(daemon, BOS)["stale"])


def unknown_names_do_not_hold_up_a_start():
    with Daemon({"domains": harness.DOMAIN}, {"ranges.csv": RANGES}, start=False) as daemon:
        server = NameServer(daemon.folder, NAMES, start=False)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", server.port))
            slow = config(server, {APP: {**APPS[APP], "last-resort": ["198.51.100.1"]}})
            slow["resolver"].update(timeout="6s", attempts=1)
            daemon.write_config(slow)
            daemon.start(wait=False)
            daemon.wait_ready(15)
            took = time.monotonic() - daemon.started
            check(4.5 <= took < 5 + SLACK_S * harness.slowness(), "served after", took)
            equal(addresses(daemon), ["198.51.100.1"])
            check("2 names of targets are not resolved yet" in daemon.log())
        server.start()
        try:
            until(lambda: addresses(daemon) == ["155.146.0.10", "155.146.0.11"], 20, "the addresses")
        finally:
            server.stop()


def reloads_keep_what_is_known():
    with Daemon({"domains": harness.DOMAIN}, {"ranges.csv": RANGES}, start=False) as daemon:
        server = NameServer(daemon.folder, NAMES)
        try:
            daemon.write_config(config(server, APPS))
            daemon.start()
            server.stop()
            more = {**APPS, "b.edge.example.com": {"ttl": "2s", "targets": {USE1: {"alias": f"lb.{ZONE}"}}}}
            daemon.reload(config(server, more))
            equal(addresses(daemon), ["155.146.0.10", "155.146.0.11"])
            equal(daemon.query("b.edge.example.com", "A").addresses, ["203.0.113.10"])
            equal(daemon.query("b.edge.example.com", "A").answer[0].ttl, 2)
            bad = daemon.reload(config(server, {APP: {"targets": {USE1: {"alias": "x.edge.example.com"}}}}), code=2)
            check("is in the zone edge.example.com, which is served here" in json.dumps(bad.json), bad)
        finally:
            if server.process.poll() is None:
                server.stop()


def addresses_are_probed():
    """Each of an alias's own; and those of a name to probe, by which the target stands or falls as a whole."""
    with Daemon({"domains": harness.DOMAIN}, {"ranges.csv": RANGES}, start=False) as daemon, \
            Responder("127.0.0.3") as one, Responder("127.0.0.4", one.port) as two, Responder("127.0.0.5", one.port) as probed:
        server = NameServer(daemon.folder, {"lb": ["127.0.0.3", "127.0.0.4"], "probe": ["127.0.0.5"]})
        two.down()
        check_ = {"type": "http", "port": one.port, "interval": "200ms", "timeout": "200ms", "rise": 1, "fall": 1}
        written = config(server, {
            APP: {"check": "c", "targets": {USE1: {"alias": f"lb.{ZONE}"}}},
            "b.edge.example.com": {"check": "c", "last-resort": ["198.51.100.1"], "targets": {
                USE1: {"addresses": ["203.0.113.1"], "check-address": f"probe.{ZONE}"},
                "us-west-2": {"addresses": ["203.0.113.2"], "check": "none"}}},
            "c.edge.example.com": {"check": "c", "targets": {
                USE1: {"alias": f"lb.{ZONE}", "check-address": f"probe.{ZONE}"}}},
        }, checks={"c": check_})
        written["sites"] = {USE1: {"block": ["127.0.0.0/8"]}, "us-west-2": {}}
        try:
            daemon.write_config(written)
            daemon.start()

            def answer(name):
                return daemon.query(name, "A").addresses

            until(lambda: answer(APP) == ["127.0.0.3"], 5, "the one that is up")
            table = daemon.ctl("targets", APP, as_json=False).out
            check("127.0.0.4" in table and "down:" in table and f"lb.{ZONE}" in table, table)
            equal(answer("b.edge.example.com"), ["203.0.113.1"])
            equal(answer("c.edge.example.com"), ["127.0.0.3", "127.0.0.4"])
            two.up()
            until(lambda: answer(APP) == ["127.0.0.3", "127.0.0.4"], 5, "both")
            probed.down()
            until(lambda: answer("b.edge.example.com") == ["203.0.113.2"], 5, "the other target")
            probed.up()
            until(lambda: answer("b.edge.example.com") == ["203.0.113.1"], 5, "the first again")
            target = daemon.ctl_json("targets", "b.edge.example.com")["targets"][0]
            equal((target["check_name"], target.get("check_error")), (f"probe.{ZONE}", None))
            # The name to probe moves.
            probed.down()
            server.change({"lb": ["127.0.0.3", "127.0.0.4"], "probe": ["127.0.0.3"]})
            until(lambda: answer("b.edge.example.com") == ["203.0.113.1"] and
                  daemon.ctl_json("targets", "b.edge.example.com")["targets"][0]["health"][0]["address"] == "127.0.0.3",
                  LOOKUP_S + SLACK_S, "probed elsewhere")
        finally:
            server.stop()


if __name__ == "__main__":
    harness.run(rotation_loss_and_return, unknown_names_do_not_hold_up_a_start, reloads_keep_what_is_known,
                addresses_are_probed, limit_s=120)
