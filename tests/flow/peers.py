"""Other authoritative servers, NSD and Knot, with zones of a scenario's."""

import os
import shutil
import subprocess

import harness
import wire
from burst import Burst
from harness import Skip, check


class Peer:
    """A server with these zones, whose files ZONE.zone are in `folder`; on a port of its own of 127.0.0.1, unless others
    are given. `before` are the words of a program that runs it."""

    program, words = None, []

    def __init__(self, folder, zones, host="127.0.0.1", port=None, before=()):
        path = shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin")
        if path is None:
            raise Skip(f"{self.program} is not installed")
        self.name, self.host, self.port = f"{self.program}-{host}", host, port or harness.free_port()
        self.zones = list(zones)
        self.files, self.log = folder, folder / f"{self.name}.log"
        self.folder = folder / self.name
        self.folder.mkdir()
        written = folder / f"{self.name}.conf"
        written.write_text(self.config())
        self.process = subprocess.Popen([*before, path, *self.words, str(written)], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=open(self.log, "wb"), stderr=subprocess.STDOUT)

    def config(self):
        """The text of its file of that."""
        raise NotImplementedError

    def __enter__(self):
        def answers():
            check(self.process.poll() is None, self.name, "ended:", self.log.read_text())
            try:
                with Burst(self.host, self.port) as burst:
                    reply, = burst.ask([wire.query(self.zones[0], "SOA")], 0.1, 1)
                    return wire.Reply(reply).answer
            except (TimeoutError, OSError):
                return False
        try:
            harness.until(answers, harness.PATIENCE_S, f"{self.name} answers", every_s=0.05)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Nsd(Peer):
    """NSD."""

    program, words = "nsd", ["-d", "-c"]

    def config(self):
        zones = "".join(f'zone:\n  name: "{zone}"\n  zonefile: "{self.files}/{zone}.zone"\n' for zone in self.zones)
        return f"""server:
  ip-address: {self.host}@{self.port}
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
{zones}"""


class Knot(Peer):
    """Knot DNS."""

    program, words = "knotd", ["-c"]

    def config(self):
        zones = "".join(f"  - domain: {zone}\n    file: {self.files}/{zone}.zone\n" for zone in self.zones)
        return f"""server:
  listen: {self.host}@{self.port}
  nsid: peer
  rundir: {self.folder}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: {self.folder}
log:
  - target: stderr
    any: warning
template:
  - id: default
    storage: {self.folder}
    zonefile-sync: -1
    journal-content: none
zone:
{zones}"""
