"""Many checks at once, each of one app with one target at a peer of its own, and what the daemon says of each."""

import contextlib
import threading

import harness
from harness import Daemon, check, until

SITE = "us-east-1"


def config(checks, **more):
    """One app for each of `checks`, by its name; `address` in a check is the target's."""
    targets = {name: {"addresses": [row.get("address", "127.0.0.1")]} for name, row in checks.items()}
    checks = {name: {"interval": "10s", "timeout": "10s", "rise": 1, "fall": 1, **row} for name, row in checks.items()}
    for row in checks.values():
        row.pop("address", None)
    apps = {f"{name}.edge.example.com": {"check": name, "targets": {SITE: target}} for name, target in targets.items()}
    return {"domains": harness.DOMAIN, "sites": {SITE: {}}, "checks": checks, "apps": apps, **more}


class Probed:
    """A daemon that probes so, with results."""

    def __init__(self, checks, files=None, daemon=None, **more):
        self.names = list(checks)
        self.daemon = daemon or Daemon(config(checks, **more), start=False)
        for name, content in (files or {}).items():
            self.daemon.write(name, content)
        if daemon:
            daemon.write_config(config(checks, **more))

    def __enter__(self):
        self.daemon.start()
        return self

    def __exit__(self, *why):
        return self.daemon.__exit__(*why)

    def health(self, name):
        apps = self.daemon.ctl_json("apps", f"{name}.edge.example.com")["apps"]
        return apps[0]["targets"][0]["health"]

    def settled(self, name, probes=1):
        """The first result, or one after so many probes: (layer, text)."""
        def has_one():
            health = self.health(name)
            return health if health["probes"] >= probes else None
        until(has_one, harness.PATIENCE_S, f"{name} is probed")
        health = self.health(name)
        return health["layer"], health["text"]

    def expect(self, rows):
        """`rows`: name -> (layer, a part of the text)."""
        for name, (layer, text) in rows.items():
            got = self.settled(name)
            check(got[0] == layer and text in got[1], f"{name}: {got}, expected {layer}: {text}")


class Server:
    """A peer: serve(connection) on a thread for each."""

    def __init__(self, serve, wrap=None):
        self.serve, self.wrap = serve, wrap
        self.port = harness.free_port()
        self.listener = harness.socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with contextlib.suppress(OSError, ValueError):
            connection.settimeout(harness.PATIENCE_S)
            if self.wrap:
                connection = self.wrap(connection)
            with connection:
                self.serve(connection)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(harness.socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
