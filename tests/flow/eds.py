"""The plugin verizon-eds against a service that speaks the documented API: what is asked, what is made of the replies,
tokens, and every fault that a network, a gateway or the service may have."""

import subprocess
import time

import harness
import lookupapi
from edsapi import ENDPOINTS_ID, EdsApi
from harness import check, equal, until
from looker import Looker, in_memory, silent
from lookupapi import CLIENT_ID, FAULTS, SECRET

BOS, NYC, LAS = "us-east-1-wl1-bos-wlz-1", "us-east-1-wl1-nyc-wlz-1", "us-west-2-wl1-las-wlz-1"
OTHER_ID = "4054ea9a-593e-4776-b488-697b1bfa4f3b"


def options(api, **more):
    words = {"base-url": api.base, "token-url": api.url + "/token", "key-file": api.folder / "id",
             "secret-file": api.folder / "secret", "ca-file": api.folder / "ca.crt", "endpoints-id": f'"{ENDPOINTS_ID}"'}
    return {**words, **{name if ":" in name else name.replace("_", "-"): value for name, value in more.items()}}


def begin(api, **more):
    api.places.setdefault("198.51.100.7", [(BOS, "active"), (NYC, "unknown")])
    return Looker("verizon-eds", options(api, **more))


def answers_of_every_shape():
    with EdsApi() as api:
        api.places = {"198.51.100.1": [("LASVEGAS_NV_WL", "active"), (NYC, "active"), ("5x4VBwmfZbzSL3", "active")],
                      "198.51.100.2": [(BOS, "active"), (BOS, "active"), (NYC, "active"), ("a-1", "active"), ("a-2", "active"),
                                       ("a-3", "active")],
                      "2600:1010:b1d0::12": [(NYC, "unknown")]}
        with begin(api, **{"sites:LASVEGAS_NV_WL": LAS, "sites:5x4VBwmfZbzSL3": BOS}) as looker:
            equal(looker.ask("198.51.100.7"), f"found {BOS},{NYC}")
            equal(looker.ask("198.51.100.1"), f"found {LAS},{NYC},{BOS}")
            equal(looker.ask("198.51.100.2"), f"found {BOS},{NYC},a-1,a-2")
            equal(looker.ask("2600:1010:b1d0::12"), f"found {NYC}")
            equal(looker.ask("192.0.2.1"), "not-found: the list is empty")
            check(f"serviceEndpointsIds={ENDPOINTS_ID}&UEIdentityType=IPAddress&UEIdentity=198.51.100.7" in
                  api.requests[0][1], api.requests[0])
            silent(looker, SECRET, CLIENT_ID, *api.tokens)
        equal(api.token_requests, 1)
        equal(api.wrong, [])


def platforms_of_a_region():
    with EdsApi() as api:
        api.places["198.51.100.1"] = [(BOS, "inactive"), (NYC, "active")]
        with begin(api, mode="platforms", region="US_EAST_1", endpoints_id=None, take="1") as looker:
            equal(looker.ask("198.51.100.7"), f"found {BOS}")
            equal(looker.ask("198.51.100.1"), f"found {NYC}")
        equal(api.wrong, [])


def an_id_for_each_app():
    ids = '{"shop.example.com.": "%s", "*": "%s"}' % (OTHER_ID, ENDPOINTS_ID)
    with EdsApi() as api:
        api.write("m2m", "session-token-1")
        with begin(api, endpoints_id=ids, region="US_WEST_2", m2m_token_file=api.folder / "m2m") as looker:
            for app, wanted in (("Shop.example.com", OTHER_ID), ("a.example.com", ENDPOINTS_ID), ("-", ENDPOINTS_ID)):
                looker.ask("198.51.100.7", app=app)
                check(f"region=US_WEST_2&serviceEndpointsIds={wanted}&" in api.requests[-1][1], api.requests[-1])
                equal(api.requests[-1][2]["vz-m2m-token"], "session-token-1")
            api.write("m2m", "session-token-2")
            looker.ask("198.51.100.7")
            equal(api.requests[-1][2]["vz-m2m-token"], "session-token-2")
            api.write("m2m", "session-token-3", mode=0o644)
            check("open to everybody" in looker.ask("198.51.100.7"), "a token that everybody may read")
            silent(looker, "session-token")
        with begin(api, endpoints_id='{"shop.example.com": "%s"}' % OTHER_ID) as looker:
            equal(looker.ask("198.51.100.7", app="b.example.com"), "unasked: `endpoints-id` has none for b.example.com")
        equal(api.wrong, [])


def sessions():
    """VZ-M2M-Token of a session that is begun here."""
    with EdsApi() as api:
        api.sessions = set()
        more = dict(m2m_user_file=api.write("user", api.user), m2m_password_file=api.write("password", api.password),
                    m2m_url=api.url + api.session_path)
        with begin(api, **more) as looker:
            numbers = [looker.start("198.51.100.7") for _ in range(20)]
            equal({looker.wait(number) for number in numbers}, {f"found {BOS},{NYC}"})
            equal((api.token_requests, api.session_requests), (1, 1), "one session for all")
            # The service ends it, with many questions under way; and then the token.
            for pause_s, forget in ((0, api.sessions.clear), (10.5, api.tokens.clear)):
                time.sleep(pause_s)  # what is refused again within 10 s is not renewed
                with api.lock:
                    forget()
                before = api.session_requests
                numbers = [looker.start("198.51.100.7") for _ in range(20)]
                equal({looker.wait(number) for number in numbers}, {f"found {BOS},{NYC}"})
                check(api.session_requests - before <= 2, "sessions begun", api.session_requests - before)
            # Another password, of the file.
            time.sleep(10.5)
            api.password = "another-1"
            with api.lock:
                api.sessions.clear()
            got = looker.ask("198.51.100.7")
            check(got.startswith("denied: no session: HTTP status 400: INPUT_INVALID.Invalid"), got)
            before = api.session_requests
            for _ in range(5):
                looker.ask("198.51.100.7", within_ms=100)
            check(api.session_requests - before <= 1, "it is not tried over and over")
            with api.lock:  # the token is of no use any more, which the session's refusal tells
                api.tokens.clear()
            api.write("password", api.password)
            until(lambda: looker.ask("198.51.100.7") == f"found {BOS},{NYC}", 20, "the new password is used", every_s=0.1)
            silent(looker, "pass-word+1", "another-1", *api.sessions)
        equal(api.wrong, [])
        for odd, said in ((dict(m2m_password_file=None), "a session needs either"),
                          (dict(m2m_token_file=api.folder / "id"), "a session needs either"),
                          (dict(m2m_url="http://x/"), "`m2m-url` is 'http://x/'")):
            check(said in Looker("verizon-eds", options(api, **{**more, **odd})).refused(), odd)


def bad_options():
    with EdsApi() as api:
        for more, said in ((dict(base_url="http://x/"), "`base-url` is 'http://x/': expected https://NAME/PATH"),
                           (dict(token_url="https://a@b/"), "`token-url` is 'https://a@b/'"),
                           (dict(mode="endpoint"), "`mode` is 'endpoint', expected endpoints or platforms"),
                           (dict(mode="platforms"), "`mode: platforms` needs `region`"),
                           (dict(region="us-east-1"), "`region` is 'us-east-1', expected Verizon's name of it"),
                           (dict(endpoints_id=None), "`mode: endpoints` needs `endpoints-id`"),
                           (dict(endpoints_id="7"), "`endpoints-id` is neither an ID nor a mapping"),
                           (dict(endpoints_id='{"a": "x y"}'), "`endpoints-id.a` is not an ID"),
                           (dict(take="5"), "`take` is '5', expected 1 to 4")):
            check(said in Looker("verizon-eds", options(api, **more)).refused(), more, said)


def faults_end_well():
    with EdsApi() as api, begin(api) as looker:
        equal(looker.ask("198.51.100.7"), f"found {BOS},{NYC}")
        cases = [*FAULTS,
                 ("400", lookupapi.status(400, {"status": "BAD", "message": "Bad parameter"}), "broken: HTTP status 400: Bad"),
                 ("404", lookupapi.status(404, {"status": "NOT", "error": "UE unknown"}), "not-found: HTTP status 404: UE"),
                 ("a list", lookupapi.status(200, [1, 2]), "broken: the reply has no list"),
                 ("a text", lookupapi.status(200, {"serviceEndpoints": "x"}), "broken: the reply has no list"),
                 ("numbers", lookupapi.status(200, {"serviceEndpoints": [7, None, []]}), "broken: no entry of"),
                 ("no ern", lookupapi.status(200, {"serviceEndpoints": [{"ern": 7}]}), "broken: no entry of"),
                 ("one ern", lookupapi.status(200, {"serviceEndpoints": [{"ern": None}, {"ern": "x-1"}]}), "found x-1"),
                 ("odd erns", lookupapi.status(200, {"serviceEndpoints": [{"ern": "a\nb"}, {"ern": "é"}, {"ern": "x" * 64},
                                                                          {"ern": ""}]}), "not-found"),
                 ("our token", lambda handler: handler.reply(400, {"message": "bad " + handler.headers["Authorization"]}),
                  "broken: HTTP status 400: bad Bearer ?")]
        for what, fault, wanted in cases:
            api.fault = fault
            got = looker.ask("198.51.100.7")
            check(got.startswith(wanted), f"{what}: {got}, expected {wanted}")
            api.fault = None
            equal(looker.ask("198.51.100.7"), f"found {BOS},{NYC}", f"after {what}")
        check(not any("/stolen" in request[1] for request in api.requests), "a redirect was followed")
        check(harness.sanitizer() or looker.peak_kb() < 50000, "kB of memory:", looker.peak_kb())
        silent(looker, SECRET, CLIENT_ID, *api.tokens)
        equal(api.wrong, [])


def slow_ones_hold_up_nobody():
    with EdsApi() as api, begin(api) as looker:
        looker.ask("198.51.100.7")
        api.fault = lambda handler: "198.51.100.9" not in handler.path or lookupapi.slow(3)(handler)
        begun = time.monotonic()
        numbers = [looker.start("198.51.100.9", within_ms=400) for _ in range(50)]
        equal(looker.ask("198.51.100.7"), f"found {BOS},{NYC}")
        check(time.monotonic() - begun < 1 * harness.slowness(), "the quick one waited")
        for number in numbers:
            check(looker.wait(number).startswith("timeout"), looker.answers[number])
        check(time.monotonic() - begun < 2 * harness.slowness(), "their deadline has passed")
        api.fault = lookupapi.drip
        begun = time.monotonic()
        check(looker.ask("198.51.100.7", within_ms=500).startswith("timeout"), looker.lines)
        check(time.monotonic() - begun < 1 * harness.slowness(), "its deadline has passed")


def a_resolver_that_hangs():
    if harness.sanitizer():
        raise harness.Skip("a sanitizer wants to be loaded first")
    with EdsApi() as api:
        words = options(api, base_url="https://slow.example.com/")
        with Looker("verizon-eds", words, env={"LD_PRELOAD": harness.library("slowname", api.folder)}) as looker:
            begun = time.monotonic()
            for number in [looker.start("198.51.100.7", within_ms=300) for _ in range(3)]:
                check(looker.wait(number).startswith("timeout"), looker.answers[number])
            check(time.monotonic() - begun < 1.5, "their deadline has passed")
            looker.start("198.51.100.7", within_ms=60000)
            time.sleep(0.2)


def many_at_a_time_and_connections_kept():
    with EdsApi() as api, begin(api) as looker:
        numbers = [looker.start("198.51.100.7", within_ms=30000) for _ in range(300)]
        equal({looker.wait(number, 30) for number in numbers}, {f"found {BOS},{NYC}"})
        equal((api.token_requests, api.tokens_at_once), (1, 1), "one token for all")
        before = api.connections
        for _ in range(30):
            looker.ask("198.51.100.7")
        check(api.connections - before < 3, "connections are used again", api.connections - before)
        equal(api.wrong, [])


def tokens_end():
    with EdsApi() as api:
        api.lifetime_s, api.tells_lifetime = 600, False
        with begin(api) as looker:
            looker.ask("198.51.100.7")
            # The service forgets it, with many questions under way: one new token serves all of them.
            with api.lock:
                api.tokens.clear()
            api.token_fault = lookupapi.slow(0.3)
            numbers = [looker.start("198.51.100.7") for _ in range(20)]
            equal({looker.wait(number) for number in numbers}, {f"found {BOS},{NYC}"})
            equal((api.token_requests, api.tokens_at_once), (2, 1))
            # The new one does not help either: no more than one.
            api.fault = lookupapi.status(401, {"status": "x", "message": "invalid_token"})
            equal({looker.wait(number) for number in [looker.start("198.51.100.7") for _ in range(20)]},
                  {"denied: HTTP status 401: invalid_token"})
            equal(api.token_requests, 2)
            api.fault = None
            equal(looker.ask("198.51.100.7"), f"found {BOS},{NYC}")
        equal(api.wrong, [])


def tokens_are_renewed_early():
    for same in (False, True):
        with EdsApi() as api:
            api.lifetime_s, api.same_token = 7, same
            refused = []
            api.unauthorized, plain = lambda handler: (refused.append(1), plain(handler)), api.unauthorized
            with begin(api) as looker:
                looker.ask("198.51.100.7")
                api.token_fault = lookupapi.slow(0.8)  # nobody waits for the next while the last one serves
                end, longest = time.monotonic() + 8, 0
                while time.monotonic() < end:
                    begun = time.monotonic()
                    equal(looker.ask("198.51.100.7"), f"found {BOS},{NYC}")
                    longest = max(longest, time.monotonic() - begun)
                    time.sleep(0.1)
                check(same or longest < 0.7 * harness.slowness(), "a question waited for", longest, "s")
                check(2 <= api.token_requests <= 5, "tokens", api.token_requests)
                check(api.tokens_at_once == 1, "at once", api.tokens_at_once)
                check(same or not refused, "a token that had ended was used", len(refused))


def token_faults():
    with EdsApi() as api, begin(api) as looker:
        cases = (("invalid", lookupapi.status(400, {"error": "invalid_scope"}), "denied: no token: HTTP status 400: invalid_sc"),
                 ("garbage", lookupapi.raw(b"\0\1\2" * 50), "broken: no token: "),
                 ("huge", lookupapi.huge, "broken: no token: the reply is too long"),
                 ("busy", lookupapi.status(429, b"", [("Retry-After", "1")]), "busy retry=1: no token: HTTP status 429"),
                 ("not JSON", lookupapi.status(200, b"<html>"), "broken: the token's reply is not a JSON object"),
                 ("injection", lookupapi.status(200, {"access_token": "a\r\nX: y"}), "broken: the token's reply has no `acc"),
                 ("number", lookupapi.status(200, {"access_token": 7}), "broken: the token's reply has no `access_token`"),
                 ("mac", lookupapi.status(200, {"access_token": "a", "token_type": "mac"}), "broken: the token's `token_type`"),
                 ("redirect", lookupapi.status(307, b"", [("Location", api.url + "/stolen")]), "broken: no token: HTTP status 307"),
                 ("slow", lookupapi.slow(2), "timeout: no token in time"))
        for what, fault, wanted in cases:
            api.token_fault = fault
            api.write("secret", SECRET)  # another file, so that it is tried at once
            time.sleep(1.1)
            got = looker.ask("198.51.100.7", within_ms=1500)
            check(got.startswith(wanted), f"{what}: {got}, expected {wanted}")
            # And what failed just now is not tried again for each question.
            before = api.token_requests
            for _ in range(5):
                looker.ask("198.51.100.7", within_ms=100)
            check(api.token_requests - before <= 1, what, api.token_requests - before)
        api.token_fault = None
        until(lambda: looker.ask("198.51.100.7").startswith("found"), 20, "it recovers", every_s=0.3)
        silent(looker, SECRET, CLIENT_ID)
        equal(api.requests[0][3], None)


def secrets_change():
    with EdsApi() as api:
        api.write("secret", "wrong-secret", mode=0o644)
        with begin(api) as looker:
            looker.hear(f"`secret-file`: {api.folder}/secret: open to everybody on this machine (mode 0644): chmod o= it")
            check("open to everybody" in looker.ask("198.51.100.7"), looker.lines[-1])
            equal(api.token_requests, 0)
            good = SECRET

            def is_found():
                return looker.ask("198.51.100.7") == f"found {BOS},{NYC}"

            api.write("secret", good)
            until(is_found, 3, "the new secret is used", every_s=0.1)
            (api.folder / "secret").unlink()
            api.write("other", good)
            with api.lock:
                api.tokens.clear()
            until(lambda: "No such file" in looker.ask("198.51.100.7"), 3, "it is told that the file is gone", every_s=0.1)
            api.write("secret", good)
            until(is_found, 3, "and back", every_s=0.1)
            silent(looker, good, "wrong-secret")


def secrets_are_wiped():
    if harness.sanitizer():
        raise harness.Skip("its own memory has what was freed")
    with EdsApi() as api, begin(api) as looker:
        for _ in range(5):
            looker.ask("198.51.100.7")
            with api.lock:
                api.tokens.clear()
        equal(in_memory(looker.process, SECRET), [], "where the secret is in memory")
        check(in_memory(looker.process, str(api.folder)), "what is in memory is found")


def certificate_of_another():
    with EdsApi(certificate="other") as api, begin(api) as looker:
        got = looker.ask("198.51.100.7")
        check(got.startswith("denied: no token: ") and "name" in got, got)
        equal((api.token_requests, api.requests), (0, []))
    with EdsApi() as api, EdsApi() as other, begin(api, ca_file=other.folder / "ca.crt") as looker:
        check(looker.ask("198.51.100.7").startswith("denied: no token: "), looker.lines[-1])
        equal(api.token_requests, 0)


def no_other_authority():
    """With `ca-file`, those that the system trusts do not count."""
    with EdsApi() as api:
        certs = api.folder / "certs"
        certs.mkdir()
        lookupapi.openssl(api.folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ours.key", "-out", "ours.crt",
                          "-subj", "/CN=ours")
        name = lookupapi.openssl(api.folder, "x509", "-hash", "-noout", "-in", "ca.crt").decode().strip()
        (certs / f"{name}.0").write_bytes((api.folder / "ca.crt").read_bytes())
        under = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs && exec "$@"', str(certs)]
        if subprocess.run([*under, "true"], capture_output=True, check=False).returncode:
            raise harness.Skip("no mount namespaces")
        with Looker("verizon-eds", options(api), under=under) as looker:
            equal(looker.ask("198.51.100.7"), "not-found: the list is empty")
        with Looker("verizon-eds", options(api, ca_file=api.folder / "ours.crt"), under=under) as looker:
            got = looker.ask("198.51.100.7")
            check(got.startswith("denied: no token: SSL"), got)


def stops_with_questions_under_way():
    with EdsApi() as api:
        api.fault = lookupapi.slow(5)
        with begin(api) as looker:
            for _ in range(50):
                looker.start("198.51.100.7", within_ms=60000)
            until(lambda: len(api.requests) > 10, 10, "they are under way")


if __name__ == "__main__":
    harness.run(answers_of_every_shape, platforms_of_a_region, an_id_for_each_app, sessions, bad_options, faults_end_well,
                slow_ones_hold_up_nobody, a_resolver_that_hangs, many_at_a_time_and_connections_kept, tokens_end, tokens_are_renewed_early,
                token_faults, secrets_change, secrets_are_wiped, certificate_of_another, no_other_authority, stops_with_questions_under_way)
