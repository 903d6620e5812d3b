"""edgesteer-probe, the agent, against real daemons: what it sees counts there, over TLS, through a daemon's restart, and with
arguments that are wrong."""

import json
import pathlib
import signal
import subprocess
import time

import harness
from harness import Daemon, Responder, check, equal, free_port, program, until
from door import REPORT, TOKENS, Authority

ZONE = "edge.example.com"
NAME = "app." + ZONE
NEAR, FAR = "203.0.113.1", "203.0.113.2"


class Site:
    """A responder that the daemon does not probe but the agent does, and a daemon with a door."""

    def __init__(self, tls=False):
        self.responder = Responder("127.0.1.1")
        self.port = free_port()
        self.tls = tls
        http = {"listen": f"127.0.0.1@{self.port}", "tokens": "tokens",
                **({"tls": {"cert": "door.pem", "key": "door.key", "client-ca": "ca.pem"}} if tls else {})}
        base = {"domains": harness.DOMAIN, "sites": {"near": {"kind": "region"}, "far": {"kind": "region"}}}
        near, far = {"addresses": [NEAR]}, {"addresses": [FAR]}
        self.daemon = Daemon({**base, "server": {"http": [http]}, "apps": {NAME: {"targets": {"near": near, "far": far}}}},
                             start=False)
        self.daemon.write("tokens", TOKENS).chmod(0o600)
        if tls:
            authority = Authority(self.daemon.folder)
            authority.issue("door", "/CN=localhost")
            authority.issue("agent", "/CN=zone-7/OU=report")
        checked = {"type": "http", "port": self.responder.port, "interval": "100ms", "rise": 1, "fall": 2}
        near = {**near, "check-address": "127.0.1.1", "check": "c"}
        self.config = self.daemon.write("agent.yaml", json.dumps(
            {**base, "checks": {"c": checked}, "apps": {NAME: {"targets": {"near": near, "far": far}}}}))
        self.token = self.daemon.write("token", REPORT + "\n")
        self.token.chmod(0o600)
        self.daemon.start()

    def url(self):
        return f"{'https://localhost' if self.tls else 'http://127.0.0.1'}:{self.port}"

    def command(self, *more):
        folder = self.daemon.folder
        known = ["--ca", str(folder / "ca.pem")] if self.tls else ["--token", str(self.token)]
        return [program("edgesteer-probe"), "-c", str(self.config), "--vantage", "zone-7", "--daemon", self.url(), *known, *more]

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.daemon.__exit__(*why)
        self.responder.close()

    def answer(self):
        return self.daemon.query(NAME).addresses


class Agent:
    def __init__(self, site, *more):
        self.log_path = pathlib.Path(str(site.config) + ".log")
        self.file = self.log_path.open("w")
        self.process = subprocess.Popen(site.command(*more), stderr=self.file, stdout=self.file, env=harness.program_env())

    def log(self):
        return self.log_path.read_text()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.file.close()
        if kind:
            print(self.log())
        equal(code, 0, "the agent's exit code", self.log())
        check("Sanitizer" not in self.log(), self.log())


def there_and_back(site, who, *more):
    with Agent(site, *more) as agent:
        until(lambda: site.daemon.ctl_json("vantages")["vantages"], harness.PATIENCE_S, "it reports")
        vantage = site.daemon.ctl_json("vantages")["vantages"][0]
        equal((vantage["name"], vantage["up"], vantage["down"]), ("zone-7", 1, 0))
        until(lambda: site.daemon.ctl_json("vantages")["vantages"][0]["who"].startswith(who), harness.PATIENCE_S, f"by {who}")
        site.responder.down()
        until(lambda: site.answer() == [FAR], harness.PATIENCE_S, "what it sees moves clients")
        site.responder.up()
        until(lambda: site.answer() == [NEAR], harness.PATIENCE_S, "and back")
        yield agent


def over_plain_http():
    with Site() as site:
        for _ in there_and_back(site, "token agent, ", "--ttl", "3s"):
            time.sleep(4)
            equal(site.daemon.ctl_json("vantages")["vantages"][0]["up"], 1, "it is told again before it ages out")
            site.responder.down()
            until(lambda: site.answer() == [FAR], harness.PATIENCE_S, "down")
        until(lambda: site.answer() == [NEAR], harness.PATIENCE_S, "without the agent its word ages out")


def over_tls():
    with Site(tls=True) as site:
        folder = site.daemon.folder
        certificate = ["--cert", str(folder / "agent.pem"), "--key", str(folder / "agent.key")]
        for who, by in (("certificate zone-7, ", certificate), ("token agent, ", ["--token", str(site.token)])):
            for _ in there_and_back(site, who, *by):
                pass
        with Agent(site, "--token", str(site.token), "--ca", str(folder / "token")) as agent:
            until(lambda: "is not told" in agent.log(), harness.PATIENCE_S, "a daemon that is not trusted is told nothing")


def a_daemon_that_restarts():
    """What changed while the daemon was away is told when it is back, and another daemon is told all the time."""
    with Site() as site, Site() as other:
        with Agent(site, "--daemon", other.url()) as agent:
            until(lambda: site.daemon.ctl_json("vantages")["vantages"], harness.PATIENCE_S, "it reports")
            site.daemon.stop()
            site.responder.down()
            until(lambda: other.answer() == [FAR], harness.PATIENCE_S, "the other daemon is told")
            until(lambda: "is not told" in agent.log(), harness.PATIENCE_S, "that is in the log")
            site.daemon.start()
            until(lambda: site.answer() == [FAR], harness.PATIENCE_S, "it is told when it is back")
            until(lambda: "is told again" in agent.log(), harness.PATIENCE_S, "that too")


def wrong_arguments():
    with Site() as site:
        good = site.command("-t")
        equal(subprocess.run(good, check=False, capture_output=True).returncode, 0)
        for wrong in (["--daemon", "http://192.0.2.1:80"], ["--daemon", "ftp://x"], ["--daemon", "https://x/y"],
                      ["--vantage", "a b"], ["--carrier", ""], ["--ttl", "5"], ["--ttl", "2h"], ["--site", "nowhere"],
                      ["--cert", "x"], ["--token", "/nowhere"], ["-c", "/nowhere"], ["word"], ["--wrong"]):
            done = subprocess.run(good + wrong, check=False, capture_output=True, text=True)
            equal(done.returncode, 2, wrong, done.stderr)
            check(done.stderr, wrong)
        site.token.chmod(0o644)
        equal(subprocess.run(good, check=False, capture_output=True).returncode, 2)
        site.token.chmod(0o600)
        done = subprocess.run(site.command("--site", "far"), check=False, capture_output=True, text=True)
        equal(done.returncode, 2, done.stderr)  # nothing to be probed there
        site.token.write_text("wrong-token-of-somebody\n")
        with Agent(site) as agent:
            until(lambda: "HTTP status 401" in agent.log(), harness.PATIENCE_S, "a token that is not known is told")


if __name__ == "__main__":
    harness.run(over_plain_http, over_tls, a_daemon_that_restarts, wrong_arguments)
