"""The plugin camara against a service that is held to CAMARA's OpenAPI files: every API and version, what identifies a
device, who the client is, and every code of every error that the files have."""

import harness
import lookupapi
from camaraapi import PROVIDER, CamaraApi, zone_id
from harness import check, equal
from looker import Looker, silent
from lookupapi import CLIENT_ID, FAULTS, SECRET

BOS, NYC = "us-east-1-wl1-bos-wlz-1", "us-east-1-wl1-nyc-wlz-1"
PROFILE, ENDPOINTS, APP = (f"{digit * 8}-5717-4562-b3fc-2c963f66afa6" for digit in "123")
SIX, SIX_64 = "2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::"
ALONE = "unasked: an IPv4 address alone does not tell a device (see `direct`, `nat`)"
OF_API = {
    "v2": {}, "v2rc2": {}, "v1": {"version": "v1"},
    "optimal": {"api": "optimal-edge-discovery", "application-profile-id": PROFILE},
    "endpoints": {"api": "application-endpoint-discovery", "application-endpoints-id": f'"{ENDPOINTS}"'},
}


def options(api, /, **more):
    words = {"base-url": api.base, "token-url": api.url + "/token", "client-id": CLIENT_ID, "ca-file": api.folder / "ca.crt",
             "secret-file": None if api.key else api.folder / "secret",
             "private-key-file": api.folder / f"{api.key}.key" if api.key else None,
             **OF_API[api.which]}
    api.escapes = True
    return {**words, **{name if ":" in name else name.replace("_", "-"): value for name, value in more.items()}}


def begin(api, /, **more):
    api.places.setdefault(SIX_64, [BOS, NYC])
    return Looker("camara", options(api, **more))


def every_api():
    for which in OF_API:
        with CamaraApi(which) as api:
            best = f"{BOS},{NYC}" if which in ("optimal", "endpoints") else BOS
            with begin(api) as looker:
                equal(looker.ask(SIX), f"found {best}", which)
                check(looker.ask("2001:db8::1").startswith("not-found: HTTP status 404: "), which, looker.lines)
                silent(looker, SECRET, *api.tokens)
            equal(api.wrong, [], which)
            equal(len(api.correlators), 2)


def zones_and_sites():
    names = {f"sites:{PROVIDER}/UK-SOUTH": NYC, f"sites:{PROVIDER}/{zone_id('UK-NORTH')}": BOS,
             "sites:lb.example.com": NYC}
    with CamaraApi("optimal") as api, begin(api, region="us-east-1", **names) as looker:
        api.places[SIX_64] = ["UK-NORTH", "Closed-1", "UK-SOUTH", "UK-WEST"]
        equal(looker.ask(SIX), f"found {BOS},{NYC},UK-WEST")
        equal(api.devices[0][1]["edgeCloudRegion"], "us-east-1")
        api.places[SIX_64] = ["Closed-1"]
        equal(looker.ask(SIX), "not-found: no zone, or none that is active")
        equal(api.wrong, [])
    ids = '{"shop.example.com": "%s"}' % APP
    with CamaraApi("endpoints") as api, begin(api, application_endpoints_id=None, app_id=ids, **names) as looker:
        api.places[SIX_64] = ["unknown.example.com", "UK-NORTH", "lb.example.com"]
        equal(looker.ask(SIX, app="shop.example.com"), f"found {BOS},{NYC}")
        equal(api.devices[0][1]["appId"], APP)
        equal(looker.ask(SIX, app="b.example.com"), "unasked: no ID for b.example.com")
        api.places[SIX_64] = ["unknown.example.com"]
        check(looker.ask(SIX, app="shop.example.com").startswith("broken: the reply names no zone"), looker.lines)
        equal(api.wrong, [])
    with CamaraApi("v2") as api, begin(api, **names) as looker:
        api.as_list = True
        equal(looker.ask(SIX), f"found {BOS}")


def what_identifies_a_device():
    four, port = "198.51.100.7", 40000
    # direct, nat: from the port of a query (0: not from the device itself) to what is sent.
    table = (
        ("off", "on", 0, None), ("off", "on", port, None),
        ("on", "on", 0, None), ("on", "on", 53, None), ("on", "on", port, {"publicAddress": four, "publicPort": port}),
        ("off", "off", 0, {"publicAddress": four, "privateAddress": four}),
        ("on", "off", 0, {"publicAddress": four, "privateAddress": four}),
        ("on", "off", 53, {"publicAddress": four, "privateAddress": four}),
        ("on", "off", port, {"publicAddress": four, "publicPort": port}))
    with CamaraApi("v2") as api:
        api.places = {f"{four} {port}": [NYC], f"{four} {four}": [BOS]}
        for direct, nat, source, wanted in table:
            api.devices = []
            with begin(api, direct=direct, nat=nat) as looker:
                got = looker.ask(four, port=source)
                if wanted is None:
                    equal((got, api.devices), (ALONE, []), direct, nat, source)
                else:
                    equal(got, f"found {NYC if 'publicPort' in wanted else BOS}")
                    equal(api.devices[0][0], {"ipv4Address": wanted})
                equal(bool(looker.said("only clients with IPv6")), direct == "off" and nat == "on")
        equal(api.wrong, [])
    with CamaraApi("v1") as api, begin(api, direct="on") as looker:
        api.places = {f"{four} {port}": [NYC], f"{four} None": [BOS]}
        equal(looker.ask(four, port=port), f"found {NYC}")
        equal(looker.ask(four), f"found {BOS}")
        equal(api.wrong, [])


def client_by_its_key():
    for key in ("RS256", "ES256"):
        with CamaraApi("v2") as api:
            api.key = key
            with begin(api) as looker:
                equal(looker.ask(SIX), f"found {BOS}")
                for number in range(3):  # each has a jti of its own
                    with api.lock:
                        api.tokens.clear()
                    equal(looker.ask(SIX), f"found {BOS}", key, number) if number == 0 else looker.ask(SIX)
                # Another key is not the one that the operator has.
                lookupapi.openssl(api.folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                                  "-out", "new.key")
                silent(looker, "PRIVATE", *api.tokens)
            equal(api.wrong, [], key)
            equal(len(api.jtis), api.token_requests)
    with CamaraApi("v2") as api:
        for words, said in ((("RSA", "-pkeyopt", "rsa_keygen_bits:1024"), "neither an RSA key of 2048 bits"),
                            (("EC", "-pkeyopt", "ec_paramgen_curve:secp384r1"), "neither an RSA key of 2048 bits"),
                            (("ED25519",), "neither an RSA key of 2048 bits"),
                            (("EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-aes256", "-pass", "pass:x"),
                             "not a private key as PEM, or one that is encrypted")):
            lookupapi.openssl(api.folder, "genpkey", "-algorithm", *words, "-out", "odd.key")
            (api.folder / "odd.key").chmod(0o600)
            with begin(api, secret_file=None, private_key_file=api.folder / "odd.key") as looker:
                got = looker.ask(SIX)
                check(got.startswith("broken: no token: ") and said in got, got)


def bad_options():
    with CamaraApi("v2") as api:
        for more, said in ((dict(api="simple"), "`api` is 'simple', expected simple-edge-discovery, optimal-edge-discovery or"),
                           (dict(version="v3"), "`version` is 'v3', expected v2 or v1"),
                           (dict(direct="yes"), "`direct` is 'yes', expected off or on"),
                           (dict(nat="no"), "`nat` is 'no', expected off or on"),
                           (dict(secret_file=None), "give either `private-key-file` or `secret-file`"),
                           (dict(private_key_file="x"), "give either `private-key-file` or `secret-file`"),
                           (dict(api="optimal-edge-discovery"), "`api: optimal-edge-discovery` needs `application-profile-id`"),
                           (dict(api="application-endpoint-discovery"), "needs either `application-endpoints-id` or `app-id`")):
            check(said in Looker("camara", options(api, **more)).refused(), more, said)


def every_code_of_every_error():
    denied = {"UNNECESSARY_IDENTIFIER"}
    unknown = {"NOT_FOUND", "IDENTIFIER_NOT_FOUND", "SERVICE_NOT_APPLICABLE", "UNSUPPORTED_IDENTIFIER"}
    of_status = {400: "broken", 401: "denied", 403: "denied", 422: "broken", 429: "busy"}
    for which in ("v2", "v2rc2", "optimal", "endpoints"):
        with CamaraApi(which) as api, begin(api) as looker:
            seen = 0
            for status in (400, 401, 403, 404, 422, 429):
                for code in api.file.codes(status):
                    api.fault = lambda handler, status=status, code=code: api.error(handler, status, code)
                    wanted = "denied" if code in denied else "not-found" if code in unknown else of_status[status]
                    equal(looker.ask(SIX), f"{wanted}: HTTP status {status}: {code}", which)
                    seen += 1
            check(seen >= 10, seen)
            equal(api.wrong, [], which)
    with CamaraApi("v1") as api, begin(api) as looker:
        for status, code, wanted in ((404, "DEVICE_NOT_FOUND", "not-found"), (422, "DEVICE_NOT_APPLICABLE", "not-found"),
                                     (422, "UNIDENTIFIABLE_DEVICE", "not-found"), (400, "INVALID_QUERYSTRING", "broken"),
                                     (422, "DEVICE_IDENTIFIERS_MISMATCH", "broken"),
                                     (401, "AUTHENTICATION_REQUIRED", "denied")):
            api.fault = lambda handler, status=status, code=code: api.error(handler, status, code)
            equal(looker.ask(SIX), f"{wanted}: HTTP status {status}: {code}")


def faults_end_well():
    for which in OF_API:
        with CamaraApi(which) as api, begin(api) as looker:
            good = looker.ask(SIX)
            member = {"optimal": "edgeCloudZones", "endpoints": "applicationEndpoints"}.get(which)
            cases = [*FAULTS]
            for value in (7, "x", None, [7], [{}], {"edgeCloudZoneName": 7, "edgeCloudProvider": "x"}, [None, []]):
                cases.append((value, lookupapi.status(200, {member: value} if member else value), "broken: the reply "))
            cases.append(("no zone", lookupapi.status(200, {member: []} if member else []), "not-found: no zone"))
            for what, fault, wanted in cases:
                api.fault = fault
                got = looker.ask(SIX)
                check(got.startswith(wanted), f"{which}, {what}: {got}, expected {wanted}")
            api.fault = None
            equal(looker.ask(SIX), good)
            check(not any("/stolen" in request[1] for request in api.requests), "a redirect was followed")
            equal(api.wrong, [])


def slow_ones_and_tokens_that_end():
    with CamaraApi("v2") as api, begin(api) as looker:
        equal(looker.ask(SIX), f"found {BOS}")
        for fault in (lookupapi.slow(1.5), lookupapi.drip):
            api.fault = fault
            check(looker.ask(SIX, within_ms=300).startswith("timeout"), looker.lines)
        api.fault = None
        with api.lock:
            api.tokens.clear()
        api.token_fault = lookupapi.slow(0.2)
        numbers = [looker.start(SIX) for _ in range(20)]
        equal({looker.wait(number) for number in numbers}, {f"found {BOS}"})
        equal((api.token_requests, api.tokens_at_once), (2, 1), "one new token for all")
        equal(api.wrong, [])


def certificate_of_another():
    with CamaraApi("v2", certificate="other") as api, begin(api) as looker:
        got = looker.ask(SIX)
        check(got.startswith("denied: no token: ") and "name" in got, got)
        equal((api.token_requests, api.requests), (0, []))


if __name__ == "__main__":
    harness.run(every_api, zones_and_sites, what_identifies_a_device, client_by_its_key, bad_options,
                every_code_of_every_error, faults_end_well, slow_ones_and_tokens_that_end, certificate_of_another)
