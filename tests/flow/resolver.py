"""Resolvers that cache by client subnet (RFC 7871), to be put in front of a server. `env`: what is to be in their environment."""

import os
import pathlib
import pwd
import shutil
import subprocess

import harness
import wire
from burst import Burst


class Resolver:
    """One that queries only the server of `zones` on `server` and `server_port`. Its files are in `folder`."""

    program = None

    def __init__(self, folder, server_port, *zones, server="127.0.0.1", env=None):
        path = shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if path is None:
            raise harness.Skip(f"{self.program} is not installed")
        self.port, self.folder = harness.free_port(), pathlib.Path(folder)
        self.log = self.folder / f"{self.program}.log"
        words = self.configure(zones, server, server_port)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([path, *words], stdout=log, stderr=log, env={**os.environ, **(env or {})})

    def configure(self, zones, server, server_port):
        """Writes its files; the words of its command line."""
        raise NotImplementedError

    def __enter__(self):
        def answers():
            harness.check(self.process.poll() is None, self.program, "ended:", self.log.read_text())
            try:
                with Burst("127.0.0.1", self.port) as burst:
                    burst.load([wire.query("version.bind", "TXT", klass=3)])
                    return burst.exchange(patience_s=0.2, tries=1)
            except (TimeoutError, OSError):
                return None
        harness.until(answers, harness.PATIENCE_S, f"{self.program} answers", every_s=0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def ask(self, name, clients, kind="A"):
        with Burst("127.0.0.1", self.port) as burst:
            queries = [wire.query(name, kind, flags=wire.RD,
                                  additional=[wire.opt(wire.ecs(client))]) for client in clients]
            return [wire.Reply(reply) for reply in burst.ask(queries, patience_s=3)]


class Unbound(Resolver):
    """unbound. It keeps the answers of all subnets (by default 100 a name), for an hour at least unless `min_ttl_s` says
    otherwise."""

    program = "unbound"

    def __init__(self, folder, server_port, *zones, server="127.0.0.1", min_ttl_s=3600, env=None):
        self.min_ttl_s = min_ttl_s
        super().__init__(folder, server_port, *zones, server=server, env=env)

    def configure(self, zones, server, server_port):
        user = pwd.getpwuid(os.getuid()).pw_name
        config = self.folder / "unbound.conf"
        local = "".join(f'    local-zone: "{zone}." transparent\n' for zone in zones)
        stubs = "".join(f'stub-zone:\n    name: "{zone}"\n    stub-addr: {server}@{server_port}\n' for zone in zones)
        config.write_text(f"""server:
    interface: 127.0.0.1@{self.port}
    access-control: 127.0.0.0/8 allow
    directory: "{self.folder}"
    username: "{user}"
    chroot: ""
    pidfile: ""
    use-syslog: no
    do-daemonize: no
    num-threads: 1
    module-config: "subnetcache iterator"
    send-client-subnet: 127.0.0.1
    client-subnet-always-forward: yes
    max-client-subnet-ipv4: 24
    max-client-subnet-ipv6: 56
    do-not-query-localhost: no
    do-ip6: no
    qname-minimisation: no
    max-ecs-tree-size-ipv4: 1000000
    max-ecs-tree-size-ipv6: 1000000
    msg-cache-size: 256m
    cache-min-ttl: {self.min_ttl_s}
{local}{stubs}remote-control:
    control-enable: no
""")
        return ["-d", "-p", "-c", str(config)]


class Recursor(Resolver):
    """The PowerDNS Recursor."""

    program = "pdns_recursor"

    def configure(self, zones, server, server_port):
        forwards = ",".join(f"{zone}={server}:{server_port}" for zone in zones)
        (self.folder / "recursor.conf").write_text(f"""local-address=127.0.0.1
local-port={self.port}
allow-from=127.0.0.0/8
socket-dir={self.folder}
daemon=no
write-pid=no
disable-syslog=yes
loglevel=4
threads=1
security-poll-suffix=
dnssec=off
dont-query=
forward-zones={forwards}
qname-minimization=no
use-incoming-edns-subnet=yes
edns-subnet-allow-list=127.0.0.0/8
ecs-ipv4-bits=24
ecs-ipv6-bits=56
ecs-ipv4-cache-bits=24
ecs-ipv6-cache-bits=56
disable-packetcache=yes
server-id=disabled
""")
        return [f"--config-dir={self.folder}"]
