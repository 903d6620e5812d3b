"""The daemon with the services of carriers: what identifies a device goes from the query to the service, and no secret is
in a core dump."""

import base64
import bisect
import itertools
import os
import pathlib
import resource
import signal
import subprocess
import time

from camaraapi import CamaraApi
from edsapi import ENDPOINTS_ID, EdsApi
from harness import PATIENCE_S, Daemon, Skip, check, equal, program, program_env, run, sanitizer, slowness, until
from looker import in_memory
from lookupapi import CLIENT_ID, SECRET, slow
from samples import readme

APP, BOS = "app.e.x", "us-east-1-wl1-bos-wlz-1"


def eds(api, **more):
    return {"plugin": "verizon-eds", "carriers": ["verizon"], "base-url": api.base, "token-url": api.url + "/token",
            "ca-file": str(api.folder / "ca.crt"), "key-file": str(api.folder / "id"),
            "secret-file": str(api.folder / "secret"), "endpoints-id": ENDPOINTS_ID, "rate": 100, **more}


def camara(api, **more):
    return {"plugin": "camara", "carriers": ["kddi"], "base-url": api.base, "token-url": api.url + "/token",
            "client-id": CLIENT_ID, "ca-file": str(api.folder / "ca.crt"), "rate": 100, **more}


def config(*services, **learned):
    targets = {BOS: {"addresses": ["192.0.2.1"], "check": "none"}, "us-east-1": {"addresses": ["192.0.2.4"], "check": "none"}}
    return {"domains": {"e.x": {"ns": ["n.x"]}}, "locate": [{"plugin": "ranges", "file": "clients.csv"}],
            "sites": {BOS: {}, "us-east-1": {}}, "apps": {APP: {"targets": targets}}, "discovery": list(services),
            "learned": {"agree": 1, **learned}}


def daemon(*services, **learned):
    return Daemon(config(*services, **learned), files={"clients.csv": "prefix,carrier\n127.0.0.0/8,kddi\n10.0.0.0/9,verizon\n10.128.0.0/9,kddi\n"})


def as_readme_says():
    """README's configuration, with test services in the place of the carriers', and the commands that it names."""
    ber, app = "eu-central-1-wl1-ber-wlz-1", "app.edge.example.com"
    with EdsApi() as verizon, CamaraApi("v2") as operator:
        text = readme("Ask the carriers' discovery services", "yaml")
        for old, new in (("    carriers: [verizon]", f"    base-url: {verizon.base}\n    token-url: {verizon.url}/token\n"
                                                     f"    ca-file: {verizon.folder}/ca.crt\n    carriers: [verizon]"),
                         ("https://api.example.com/simple-edge-discovery/v2", operator.base),
                         ("https://auth.example.com/token", f"{operator.url}/token\n    ca-file: {operator.folder}/ca.crt"),
                         ("edgesteer\n", CLIENT_ID + "\n"), ("secrets/eds.key", f"{verizon.folder}/id"), ("AWS/", "Verizon/"),
                         ("secrets/eds.secret", f"{verizon.folder}/secret"), ("secrets/camara.pem", f"{operator.folder}/RS256.key"),
                         ("[198.51.100.0/24,", "[127.0.0.0/8,")):
            equal(text.count(old), 1, old)
            text = text.replace(old, new)
        operator.key = "RS256"
        operator.places = {"2001:db8:1:2::": ["FRANKFURT-1"]}
        for i in range(256):
            verizon.places[f"10.1.1.{i}"] = [(BOS, "active")]
        plain = {"domains": {"edge.example.com": {"ns": ["n.x"]}}, "include": ["readme.yaml"],
                 "locate": [{"plugin": "ranges", "file": "clients.csv"}], "sites": {BOS: {}, ber: {}, "us-east-1": {}},
                 "apps": {app: {"targets": {site: {"addresses": [address], "check": "none"} for site, address in
                                            ((BOS, "192.0.2.1"), (ber, "192.0.2.2"), ("us-east-1", "192.0.2.4"))}}}}
        with Daemon(plain, files={"readme.yaml": text, "clients.csv": "prefix,carrier\n10.1.0.0/16,verizon\n"
                                                                       "2001:db8:1::/48,vodafone-de\n"}) as d:
            verizon.lists[ENDPOINTS_ID] = []
            d.ctl("discovery", "register", "--apply")
            equal([entry["ern"] for entry in verizon.lists[ENDPOINTS_ID]], [BOS])
            until(lambda: d.query(app, ecs="10.1.1.0/24").addresses == ["192.0.2.1"], 20 * slowness(), "Verizon is asked", 0.05)
            until(lambda: d.query(app, ecs="2001:db8:1:2::/64") and operator.devices, 20 * slowness(), "and the other", 0.05)
            equal([service["name"].partition(" for ")[2] for service in d.ctl_json("discovery")["services"]],
                  ["verizon", "vodafone-de"])
        equal((verizon.wrong, operator.wrong), ([], []))


def core_of(d):
    """Ends the daemon with a core dump; its octets, None where this machine writes none into a file of ours."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").strip()
    if pattern.startswith("|") or "/" in pattern:
        return None
    resource.prlimit(d.process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    folder = pathlib.Path(os.readlink(f"/proc/{d.process.pid}/cwd"))
    before = set(folder.glob("core*"))
    d.stop(signal.SIGABRT, 60)
    made, = set(folder.glob("core*")) - before or [None]
    octets = made and made.read_bytes()
    if made:
        made.unlink()
    return octets


def a_device_by_its_port():
    with CamaraApi("v2") as api:
        api.escapes = True
        with daemon(camara(api, direct="on", **{"secret-file": str(api.folder / "secret")})) as d:
            # One client subnet more or less tells no device.
            until(lambda: d.query(APP, ecs="10.129.1.0/24") and d.ctl_json("discovery")["services"][0]["unasked"] > 0,
                  10 * slowness(), "it could be asked about", 0.05)
            equal((api.devices, d.ctl_json("learned")["count"]), ([], 0), "nothing is sent, and nothing remembered")
            until(lambda: d.query(APP) and api.devices, 10 * slowness(), "it is asked about", 0.05)
            device = api.devices[0][0]["ipv4Address"]
            equal(device["publicAddress"], "127.0.0.1")
            check(1024 <= device["publicPort"] <= 65535, device)
            equal(sorted(device), ["publicAddress", "publicPort"])
        equal(api.wrong, [])


class Counting(EdsApi):
    """Knows when each request came."""

    def __init__(self):
        self.times = []
        super().__init__()

    def serve(self, *request):
        with self.lock:
            self.times.append(time.monotonic())
        return super().serve(*request)

    def most_in_a_second(self):
        times = sorted(self.times)
        return max(bisect.bisect_left(times, first + 1) - i for i, first in enumerate(times))


def no_more_than_the_rate():
    """Also where a hundred questions wait for a token, at first, and when the service has refused the one that they had."""
    rate, bunched_s = 50, 0.2  # how much later than its predecessor a request may come here
    with Counting() as api:
        api.token_fault = slow(1.5)
        service = eds(api, rate=rate, concurrency=100, timeout="10s")
        with daemon(service, **{"notes-from": ["127.0.0.0/8"]}) as d:
            def asked(count):
                for number in itertools.islice(numbers, 60):
                    d.query(APP, ecs=f"10.{number >> 8 & 127}.{number & 255}.0/24")
                return len(api.times) >= count

            numbers = itertools.count()
            until(lambda: asked(rate), 20 * slowness(), "they are asked about", 0.02)
            for forgotten in range(1, 3):
                with api.lock:
                    api.tokens.clear()
                until(lambda: asked(0) and api.token_requests > forgotten, 20 * slowness(), "a new token", 0.02)
                enough = len(api.times) + 3 * rate
                until(lambda: asked(enough), 20 * slowness(), "they are asked about again", 0.02)
            most = api.most_in_a_second()
            check(most <= rate * (1.1 + bunched_s * slowness()), most, "requests in a second")
        equal(api.wrong, [])


def told_before():
    """`-t` warns of what no service could be asked with, or would say in vain: it may come right before one is."""
    with EdsApi() as verizon, CamaraApi("v2") as operator:
        operator.write("garbage", "not a key").chmod(0o600)
        services = [eds(verizon, sites={"edge-1": "us-east-1-wl1-bso-wlz-1", "edge-2": BOS, "edge-3": "us-west-2",
                                        **{f"edge-{n}": f"nowhere-{n}" for n in range(10, 22)}}),
                    camara(operator, nat="off", **{"private-key-file": str(operator.folder / "garbage")})]
        clusters = {"c": {"server": "https://127.0.0.1:1", "ca-file": str(verizon.folder / "ca.crt"), "token-file": str(verizon.folder / "id")}}
        given = config(*services)
        given["providers"] = [{"plugin": "kubernetes", "clusters": clusters, "namespaces": {"prod": "us-east-1", "test": "us-east-l"}}]
        with Daemon(given, files={"clients.csv": "prefix,carrier\n"}, start=False) as d:
            done = subprocess.run([program("edgesteerd"), "-t", "-c", str(d.config_path)], capture_output=True, text=True,
                                  timeout=PATIENCE_S, env=program_env(), check=False)
            said = done.stdout + done.stderr
            equal(done.returncode, 0, said)
            for line in (f"sites: `edge-1`: there is no site `us-east-1-wl1-bso-wlz-1`, did you mean `{BOS}`?",
                         "sites: `edge-10`: there is no site `nowhere-10`", "sites: 3 more names are of no site",
                         "namespaces: `test`: there is no site `us-east-l`, did you mean `us-east-1`?",
                         "garbage: has no private key in PEM"):
                equal(said.count(line), 1, line, said)
            check("edge-2" not in said and "edge-3" not in said, "a site of the config, one of the catalogue", said)


def no_secret_in_a_core():
    """Of what is not left out of core dumps: neither what is in the files, nor what is sent."""
    if sanitizer():
        raise Skip("its own memory has what was freed")
    with EdsApi() as verizon, CamaraApi("v2") as operator:
        operator.key, verizon.sessions = "ES256", set()
        session = {"m2m-user-file": str(verizon.write("user", verizon.user)), "m2m-url": verizon.url + verizon.session_path,
                   "m2m-password-file": str(verizon.write("password", verizon.password))}
        with daemon(eds(verizon, **session), camara(operator, nat="off", **{"private-key-file": str(operator.folder / "ES256.key")})) as d:
            until(lambda: d.query(APP, ecs="10.1.1.0/24") and d.query(APP, ecs="10.129.1.0/24") and verizon.requests and
                  operator.devices, 20 * slowness(),
                  "both are asked", 0.05)
            with verizon.lock, operator.lock:
                verizon.tokens.clear(), operator.tokens.clear()
            for i in range(50):
                d.query(APP, ecs=f"10.{2 + i % 2 * 128}.{i}.0/24")
            until(lambda: verizon.token_requests > 1 and operator.token_requests > 1, 20 * slowness(), "with new tokens", 0.05)
            key = (operator.folder / "ES256.key").read_text(encoding="ascii").splitlines()[1]
            pair = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode())
            tokens = [*verizon.tokens, *operator.tokens, *verizon.sessions]
            texts = {"secret": SECRET, "pair": pair, "password": verizon.password, "key": key,
                     "raw key": base64.b64decode(key)[36:48], **{f"token {i}": token for i, token in enumerate(tokens)}}
            found = {name: in_memory(d.process, text) for name, text in texts.items()}
            equal({name for name, where in found.items() if where}, set())
            check(in_memory(d.process, str(verizon.folder)), "what is in memory is found")
            for text in (SECRET, pair.decode(), verizon.password, key, *tokens):
                for verb in ("sources", "discovery", "status"):
                    check(text not in d.ctl(verb).out, verb)
                check(text not in d.log(), "the log")
            until(lambda: not any(service["in_flight"] for service in d.ctl_json("discovery")["services"]), 20, "it is quiet", 0.2)
            core = core_of(d)
            if core:
                check(str(verizon.folder).encode() in core, "a core dump has something")
                for name, text in texts.items():
                    check((text if isinstance(text, bytes) else text.encode()) not in core, name, "in a core dump")


if __name__ == "__main__":
    run(as_readme_says, a_device_by_its_port, no_more_than_the_rate, told_before, no_secret_in_a_core, limit_s=100)
