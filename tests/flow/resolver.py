"""A resolver that caches by client subnet (RFC 7871), to be put in front of a server."""

import os
import pathlib
import pwd
import shutil
import subprocess

import harness
import wire
from burst import Burst


class Unbound:
    """unbound with a subnet cache that queries only the server of `zones` on `server` and `server_port`. Its files are in
    `folder`. It keeps all answers, for an hour at least: by default it would keep those of 100 subnets a name."""

    def __init__(self, folder, server_port, *zones, server="127.0.0.1"):
        path = shutil.which("unbound", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if path is None:
            raise harness.Skip("unbound is not installed")
        self.port = harness.free_port()
        user = pwd.getpwuid(os.getuid()).pw_name
        folder = pathlib.Path(folder)
        config = folder / "unbound.conf"
        local = "".join(f'    local-zone: "{zone}." transparent\n' for zone in zones)
        stubs = "".join(f'stub-zone:\n    name: "{zone}"\n    stub-addr: {server}@{server_port}\n' for zone in zones)
        config.write_text(f"""server:
    interface: 127.0.0.1@{self.port}
    access-control: 127.0.0.0/8 allow
    directory: "{folder}"
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
    cache-min-ttl: 3600
{local}{stubs}remote-control:
    control-enable: no
""")
        self.log = folder / "unbound.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([path, "-d", "-p", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=log)

    def __enter__(self):
        def answers():
            harness.check(self.process.poll() is None, "unbound ended:", self.log.read_text())
            try:
                with Burst("127.0.0.1", self.port) as burst:
                    burst.load([wire.query("version.bind", "TXT", klass=3)])
                    return burst.exchange(patience_s=0.2, tries=1)
            except (TimeoutError, OSError):
                return None
        harness.until(answers, harness.PATIENCE_S, "unbound answers", every_s=0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def ask(self, name, clients, kind="A"):
        with Burst("127.0.0.1", self.port) as burst:
            queries = [wire.query(name, kind, flags=wire.RD,
                                  additional=[wire.opt(wire.ecs(client))]) for client in clients]
            return [wire.Reply(reply) for reply in burst.ask(queries, patience_s=3)]
