"""Services that fail in every way that a network, a gateway or a service can, each in turn with good answers, and the config
of a daemon that asks them: a carrier and a service for each kind of fault. Good answers name a site out of reach and an
unknown one before the right one. For the scenario servicefaults.py and bench/faults."""

import collections
import contextlib
import threading

import lookupapi
from camaraapi import CamaraApi
from edsapi import BASE, ENDPOINTS_ID, EdsApi
from lookupapi import CLIENT_ID, FAULTS, raw, status

APP = "app.e.x"
PROFILE = "11111111-5717-4562-b3fc-2c963f66afa6"
PUBLIC = "203.0.113.1"
OF_NAME = {name: fault for name, fault, _ in FAULTS}


def forget_tokens(handler):
    """The token ends with questions under way; this one is refused."""
    with handler.api.lock:
        handler.api.tokens.clear()
    handler.api.unauthorized(handler)


def eds(*bodies):
    return [status(200, {"serviceEndpoints": body}) for body in bodies]


# What is wrong with each of Verizon's services.
KINDS = {
    "slow": [lookupapi.slow(2), lookupapi.drip],
    "garbage": [OF_NAME["garbage"], OF_NAME["not JSON"], OF_NAME["nothing"], OF_NAME["deep"]],
    "huge": [OF_NAME["huge"], OF_NAME["huge head"]],
    "half-closed": [OF_NAME["half closed"], OF_NAME["closed"]],
    "redirect": [OF_NAME["redirect"], OF_NAME["interim"]],
    "401": [status(401, {"status": "UNAUTHENTICATED", "message": "invalid_token"})],
    "404": [status(404, {"status": "NOT", "error": "UE unknown"}), OF_NAME["404 of another"]],
    "400": [status(400, {"status": "BAD", "message": "Bad parameter"}), OF_NAME["403"]],
    "429": [status(429), status(429, b"", [("Retry-After", "1")])],
    "5xx": [status(500), status(502, b"<html>"), status(503, b"", [("Retry-After", "1")]), status(504)],
    "types": [status(200, [1, 2]), *eds("x", [7, None, []], [{"ern": 7}], [{"ern": "a\nb"}], {})],
}
# Those with a server of their own: tokens that end with questions under way, faults of the token's service, and the
# certificate of another name.
NAMES = [*KINDS, "camara", "expiry", "token", "name"]
NEVER = {"name"}  # nothing is ever learned from it


def near(number):
    return f"near-{number}"


def far(number):
    return f"far-{number}"


class Truth(dict):
    """What is said of any address of 10.NUMBER.0.0/16."""

    def __init__(self, entry):
        super().__init__()
        self.entry = entry

    def get(self, key, default=None):
        number = int(key.split(".")[1])
        return [self.entry(site) for site in (near((number + 1) % len(NAMES)), "nowhere-1", far(number))]


class Turns:
    """One request in `every` goes wrong, in one way after another; the others are answered as they should be."""

    def __init__(self, faults, every=2):
        self.faults, self.every, self.count, self.lock = faults, every, 0, threading.Lock()

    def __call__(self, handler):
        with self.lock:
            self.count += 1
            count = self.count
        return count % self.every > 0 or self.faults[(count // self.every - 1) % len(self.faults)](handler)


class FaultyEds(EdsApi):
    """One server for all of the kinds, told apart by the path."""

    def __init__(self):
        super().__init__()
        self.places = Truth(lambda site: (site, "active"))
        self.turns = {name: Turns(faults) for name, faults in KINDS.items()}
        self.fault = lambda handler: self.turns[handler.path.split("/")[1]](handler)

    def serve(self, handler, method, path, query, headers, body):
        super().serve(handler, method, "/" + path.split("/", 2)[2], query, headers, body)


def eds_entry(api, path=""):
    return {"plugin": "verizon-eds", "base-url": f"{api.url}{path}{BASE}", "token-url": api.url + "/token",
            "key-file": str(api.folder / "id"), "secret-file": str(api.folder / "secret"),
            "ca-file": str(api.folder / "ca.crt"), "endpoints-id": ENDPOINTS_ID}


class Services(contextlib.ExitStack):
    def __init__(self):
        super().__init__()
        self.eds = self.enter_context(FaultyEds())
        self.camara = self.enter_context(CamaraApi("optimal"))
        self.expiry, self.token, self.name = (self.enter_context(EdsApi(certificate=one)) for one in
                                              ("server", "server", "other"))
        self.camara.escapes = True
        self.camara.places = Truth(lambda site: site)
        codes = [(code, word) for code in (400, 401, 403, 404, 422, 429) for word in self.camara.file.codes(code)]
        self.camara.fault = Turns([lambda handler, of=of: self.camara.error(handler, *of) for of in codes] +
                                  [status(200, value) for value in (7, "x", None, [7], {}, {"edgeCloudZones": [{}]})])
        self.token.places = self.expiry.places = self.eds.places
        self.expiry.fault = Turns([forget_tokens], every=10)
        self.token.lifetime_s = 2
        self.token.token_fault = Turns([raw(b"\0\1\2" * 50), status(200, b"<html>"), lookupapi.huge, lookupapi.slow(2),
                                        status(400, {"error": "invalid_scope"}), status(200, {"access_token": "a\r\nX: y"})])

    def entries(self, **more):
        camara = {"plugin": "camara", "api": "optimal-edge-discovery", "base-url": self.camara.base, "nat": "off",
                  "token-url": self.camara.url + "/token", "client-id": CLIENT_ID, "application-profile-id": PROFILE,
                  "secret-file": str(self.camara.folder / "secret"), "ca-file": str(self.camara.folder / "ca.crt")}
        plain = [*(eds_entry(self.eds, f"/{name}") for name in KINDS), camara,
                 *(eds_entry(api) for api in (self.expiry, self.token, self.name))]
        return [{**entry, "carriers": [name], "timeout": "500ms", **more} for name, entry in zip(NAMES, plain)]

    def served(self):
        """How often each kind of service has failed."""
        turns = {**self.eds.turns, "camara": self.camara.fault, "expiry": self.expiry.fault, "token": self.token.token_fault}
        return {name: one.count // one.every for name, one in turns.items()}

    def wrong(self):
        return [line for api in (self.eds, self.camara, self.expiry, self.token, self.name)
                for line in api.wrong]


def address(site):
    kind, _, number = site.partition("-")
    return f"192.0.2.{int(number) + (1 if kind == 'near' else 101)}"


def config(entries, **learned):
    sites = {"region": {"kind": "region", "location": [39, -77]}}
    for number, name in enumerate(NAMES):
        sites[near(number)] = {"kind": "wavelength", "reach": [name], "location": [42, -71]}
        sites[far(number)] = {"kind": "wavelength", "reach": [name], "location": [34, -118]}
    return {
        "domains": {"e.x": {"ns": ["n.x"]}}, "locate": [{"plugin": "ranges", "file": "clients.csv"}],
        **({"discovery": entries} if entries else {}), "learned": {"notes-from": ["127.0.0.0/8"], **learned}, "sites": sites,
        "apps": {APP: {"ttl": "1s", "targets": {site: {"addresses": [PUBLIC if site == "region" else address(site)]}
                                                for site in sites}}},
    }


CLIENTS = "prefix,carrier,latitude,longitude,class\n" + "".join(f"10.{number}.0.0/16,{name},42,-71,\n"
                                                                  for number, name in enumerate(NAMES))


def reachable(number):
    """What clients of 10.NUMBER.0.0/16 may be answered."""
    return {PUBLIC, address(near(number)), address(far(number))}


def learned_sites(daemon):
    """From a carrier's number to what was learned of its prefixes, each with its count."""
    found = collections.defaultdict(collections.Counter)
    for row in daemon.ctl_json("learned")["learned"]:
        if row["sites"]:
            found[int(row["prefix"].split(".")[1])][tuple(row["sites"])] += 1
    return found
