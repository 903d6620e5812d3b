"""`edgesteerctl discovery register`: what is registered with Verizon's service is brought in step with the targets of the
apps in `register`, or only told; nothing of others is touched; whatever the service does, each endpoint's fate is told."""

import copy
import json
import time

import harness
import lookupapi
from edsapi import ENDPOINTS_ID, EdsApi
from harness import Daemon, Responder, check, equal, run, until
from lookupapi import SECRET

BOS, NYC, REGION = "us-east-1-wl1-bos-wlz-1", "us-east-1-wl1-nyc-wlz-1", "us-east-1"
SHOP, GAME = "shop.e.x", "game.e.x"
PROFILE = "4054ea9a-593e-4776-b488-697b1bfa4f3b"


def config(api, apps=(SHOP,), ids=None, **more):
    entry = {"plugin": "verizon-eds", "carriers": ["Verizon"], "base-url": api.base, "token-url": api.url + "/token",
             "ca-file": str(api.folder / "ca.crt"), "key-file": str(api.folder / "id"),
             "secret-file": str(api.folder / "secret"), "endpoints-id": ids or {"*": ENDPOINTS_ID}, "register": list(apps),
             "service-profile-id": PROFILE, "rate": 1000, **more}
    targets = {BOS: {"addresses": ["155.146.1.10", "2001:db8::10"], "check": "none"},
               NYC: {"addresses": ["155.146.2.10"], "check": "none"}, REGION: {"addresses": ["192.0.2.1"], "check": "none"}}
    return {"domains": {"e.x": {"ns": ["n.x"]}}, "sites": {BOS: {}, NYC: {}, REGION: {}}, "discovery": [entry],
            "apps": {SHOP: {"targets": targets}, GAME: {"targets": {NYC: targets[NYC]}}}}


def steps(reply):
    return sorted((step["action"], step.get("state"), step["app"], step["site"])
                  for service in reply["services"] for step in service["steps"])


def register(d, *words, code=0):
    return json.loads(d.ctl("discovery", "register", *words, code=code).out)


def writes(api):
    return [(method, path.rpartition("/")[2]) for method, path, _, _ in api.requests if method != "GET"]


def dry_run_then_apply():
    with EdsApi() as api, Daemon(config(api)) as d:
        api.lists[ENDPOINTS_ID] = []
        reply = register(d)
        equal(steps(reply), [("add", "planned", SHOP, BOS), ("add", "planned", SHOP, NYC)])
        equal((reply["applied"], reply["kept"], reply["changes"], reply["failures"]), (False, 0, 2, 0))
        equal((writes(api), api.lists[ENDPOINTS_ID]), ([], []), "a dry run writes nothing")
        check("nothing was done yet: --apply does it" in d.ctl("discovery", "register", as_json=False).out)
        reply = register(d, "--apply")
        equal(steps(reply), [("add", "done", SHOP, BOS), ("add", "done", SHOP, NYC)])
        equal(writes(api), [("PUT", ENDPOINTS_ID)])
        bos, nyc = api.lists[ENDPOINTS_ID]
        equal(bos["serviceEndpoint"], {"IPv4Address": "155.146.1.10", "IPv6Address": "2001:db8::10", "port": 443,
                                       "FQDN": SHOP})
        equal([bos["ern"], bos["serviceDescription"], bos["serviceProfileID"]], [BOS, "edgesteer", PROFILE])
        check(nyc["applicationId"] == bos["applicationId"] and nyc["applicationId"].startswith("shopex"), nyc)
        # It is so already, also after a restart.
        for again in (lambda: None, d.restart):
            again()
            for words in ((), ("--apply",)):
                reply = register(d, *words, code=3)
                equal((reply["kept"], reply["changes"], len(writes(api))), (2, 0, 1), reply)
        table = d.ctl("discovery", "register", code=3, as_json=False)
        check("all 2 endpoints are registered as they should be" in table.err, table.err)
        log = d.log()
        check(f"register: {SHOP} at {BOS} is added" in log and "uid " in log, log)
        check(SECRET not in log, "the secret in the log")
        equal(d.ctl_json("discovery")["services"][0]["name"], f"verizon-eds {api.url.removeprefix('https://')} for verizon")
        equal(api.wrong, [])


def follows_the_targets():
    with EdsApi() as api, Daemon(config(api)) as d:
        api.lists[ENDPOINTS_ID] = []
        register(d, "--apply")
        # One goes, one's address changes; of the addresses that it has, the registered one stays.
        changed = config(api)
        targets = changed["apps"][SHOP]["targets"]
        del targets[NYC]
        targets[BOS]["addresses"] = ["155.146.1.9", "155.146.1.10", "2001:db8::99"]
        d.reload(changed)
        reply = register(d)
        equal(steps(reply), [("change", "planned", SHOP, BOS), ("remove", "planned", SHOP, NYC)])
        change, = (step for step in reply["services"][0]["steps"] if step["action"] == "change")
        equal((change["text"], change["endpoint"]), ("IPv6Address 2001:db8::99 instead of 2001:db8::10", f"{ENDPOINTS_ID}/{BOS}"))
        register(d, "--apply")
        equal([(entry["ern"], entry["serviceEndpoint"]["IPv4Address"]) for entry in api.lists[ENDPOINTS_ID]],
              [(BOS, "155.146.1.10")])
        # By another name of the service's; and the last one goes with its list.
        changed["discovery"][0]["sites"] = {"BOSTON-1": BOS}
        d.reload(changed)
        equal(steps(register(d, "--apply")), [("add", "done", SHOP, BOS), ("remove", "done", SHOP, BOS)])
        equal([entry["ern"] for entry in api.lists[ENDPOINTS_ID]], ["BOSTON-1"])
        del targets[BOS]
        d.reload(changed)
        equal(steps(register(d, "--apply")), [("remove", "done", SHOP, "BOSTON-1")])
        equal((api.lists, writes(api)[-1]), ({}, ("DELETE", ENDPOINTS_ID)))
        equal(api.wrong, [])


def touches_nothing_of_others():
    with EdsApi() as api, Daemon(config(api, apps=(SHOP, "typo.e.x", "Shop.E.x"))) as d:
        api.lists[ENDPOINTS_ID] = []
        reply = register(d, "--apply", code=5)
        left, = (step for step in reply["services"][0]["steps"] if step["action"] == "leave")
        equal((left["app"], left["text"][:36]), ("typo.e.x", "no app of that name is served: what "))
        # Ours, of an app that is not to be registered any more: as it is.
        ours = copy.deepcopy(api.lists[ENDPOINTS_ID])
        other_app = {**ours[0], "applicationId": "another1"}
        api.lists[ENDPOINTS_ID] = [other_app]
        changed = config(api)
        d.reload(changed)
        register(d, "--apply")
        equal(api.lists[ENDPOINTS_ID], [*ours, other_app])
        # What is there twice is there once too often.
        api.lists[ENDPOINTS_ID] = [ours[0], *ours]
        equal(steps(register(d, "--apply")), [("keep", None, SHOP, BOS), ("keep", None, SHOP, NYC), ("remove", "done", SHOP, BOS)])
        equal(api.lists[ENDPOINTS_ID], ours)
        # A list in which one entry is another's is not written at all.
        for foreign in ({**ours[0], "serviceDescription": "theirs"}, {key: ours[0][key] for key in ours[0] if key != "serviceDescription"}):
            api.lists[ENDPOINTS_ID] = [foreign]
            count = len(writes(api))
            reply = register(d, "--apply", code=1)
            equal((len(writes(api)) - count, api.lists[ENDPOINTS_ID]), (0, [foreign]))
            check(reply["services"][0]["steps"][0]["text"].startswith("others have endpoints in this list"), reply)
        # Another daemon with another word.
        changed["discovery"][0]["register-as"] = "theirs"
        api.lists[ENDPOINTS_ID] = [{**ours[0], "serviceDescription": "theirs"}]
        d.reload(changed)
        equal(steps(register(d, code=0)), [("add", "planned", SHOP, NYC), ("keep", None, SHOP, BOS)])
        equal(api.wrong, [])


def from_nothing():
    """Before there is any ID; then with the one that was shown."""
    with EdsApi() as api:
        first = config(api)
        del first["discovery"][0]["endpoints-id"]
        with Daemon(first) as d:
            check("without `endpoints-id` no client is asked about" in d.log(), d.log())
            step = register(d, "--apply")["services"][0]["steps"][0]
            key = step["endpoint"].partition("/")[0]
            check(step["text"] == f"in a new list: put `{SHOP}: {key}` into `endpoints-id`", step)
            d.reload(config(api, ids={SHOP: key}))
            equal(register(d, code=3)["kept"], 2)
        equal((len(api.lists), api.wrong), (1, []))


def lists_of_their_own():
    """Apps without an ID in `endpoints-id`."""
    with EdsApi() as api, Daemon(config(api, apps=(SHOP, GAME), ids={"x.e.x": ENDPOINTS_ID})) as d:
        foreign = "11111111-593e-4776-b488-697b1bfa4f3b"
        api.lists[foreign] = [{"ern": NYC, "applicationServerProviderId": "AWS", "applicationId": "theirs",
                               "serviceDescription": "theirs", "serviceProfileID": PROFILE}]
        before = copy.deepcopy(api.lists)
        equal(register(d)["changes"], 3)
        equal(api.lists, before)
        reply = register(d, "--apply")
        made = [key for key in api.lists if key != foreign]
        equal((len(made), [method for method, _ in writes(api)]), (2, ["POST", "POST"]))
        for step in reply["services"][0]["steps"]:
            key = step["endpoint"].partition("/")[0]
            check(key in made and step["text"] == f"in a new list: put `{step['app']}: {key}` into `endpoints-id`", step)
        equal(register(d, "--apply", code=3)["kept"], 3, "they are found again")
        # When not all can be looked through, none is made: there might be one.
        d.reload(config(api, apps=(SHOP, GAME, "new.e.x"), ids={"x.e.x": ENDPOINTS_ID}))
        api.lists.clear()
        api.lists[foreign] = before[foreign]
        count = len(writes(api))
        for fault in (lambda handler: foreign not in handler.path or lookupapi.status(500, {"message": "oops"})(handler),
                      lambda handler: "all" not in handler.path or lookupapi.status(200, {"data": 7})(handler)):
            api.fault = fault
            reply = register(d, "--apply", code=1)
            equal({step["action"] for step in reply["services"][0]["steps"]}, {"leave"}, reply)
        api.fault = None
        equal(len(writes(api)), count)
        api.lists.update({f"{i:08}-593e-4776-b488-697b1bfa4f3b": [] for i in range(200)})
        reply = register(d, "--apply", code=1)
        check("has 201 lists, more than 200" in json.dumps(reply), reply)
        equal((len(writes(api)), api.wrong), (count, []))


def faults_are_told():
    other = "22222222-593e-4776-b488-697b1bfa4f3b"
    with EdsApi() as api, Daemon(config(api, apps=(SHOP, GAME), ids={SHOP: ENDPOINTS_ID, GAME: other})) as d:
        whole = {"message": "oops"}
        for fault, said, tried in ((lookupapi.status(500, whole), "HTTP status 500: oops", 2),
                                   (lookupapi.status(429, whole, [("Retry-After", "60")]), "HTTP status 429: oops", 1),
                                   (lookupapi.status(403, whole), "HTTP status 403: oops", 1),
                                   (lookupapi.status(401, whole), "HTTP status 401: oops", 2),
                                   (lookupapi.raw(b"garbage\n"), "", 2), (lookupapi.huge, "the reply is too long", 2),
                                   (lookupapi.status(200, {"a": 1}), "the reply is not a list", 2),
                                   (lookupapi.status(200, [7]), "the reply is not a list", 2),
                                   (lookupapi.status(302, b"", [("Location", api.url + "/x")]), "redirects are not followed", 2)):
            api.requests.clear()
            api.fault = fault
            reply = register(d, "--apply", code=1)
            first, second = reply["services"][0]["steps"]
            check(said in first["text"], said, first)
            equal((first["app"], first["endpoint"], second["app"]), (SHOP, ENDPOINTS_ID, GAME))
            equal((len(api.requests), second["text"].startswith("not tried: ")), (tried, "429" in said or "403" in said or "401" in said), said)
        api.fault = None
        # A list that is not there: it is not made in its place.
        api.lists[other] = []
        reply = register(d, "--apply", code=5)
        left, done = reply["services"][0]["steps"]
        equal((left["action"], left["text"], done["state"]), ("leave", "the service has no list of this ID: take the ID out of "
                                                                "`endpoints-id` to have one made", "done"))
        equal(api.wrong, [])


def fails_half_way():
    other = "22222222-593e-4776-b488-697b1bfa4f3b"
    with EdsApi() as api, Daemon(config(api, apps=(SHOP, GAME), ids={SHOP: ENDPOINTS_ID, GAME: other})) as d:
        api.lists = {ENDPOINTS_ID: [], other: []}
        api.fault = lambda handler: handler.command != "PUT" or other not in handler.path or \
            lookupapi.status(503, {"message": "later"})(handler)
        reply = register(d, "--apply", code=5)
        equal(steps(reply), [("add", "done", SHOP, BOS), ("add", "done", SHOP, NYC), ("add", "failed", GAME, NYC)])
        check("1 are not as they should be" in reply["error"] and reply["code"] == 5, reply)
        failed, = (step for step in reply["services"][0]["steps"] if step["state"] == "failed")
        equal((failed["endpoint"], failed["text"]), (f"{other}/{NYC}", "HTTP status 503: later"))
        shown = d.ctl("discovery", "register", "--apply", code=5, as_json=False)
        check("FAILED" in shown.out and "HTTP status 503: later" in shown.out, shown.out)
        check(f"register: {GAME} at {NYC} is not added: HTTP status 503: later" in d.log())
        # Killed in between, it goes on where it was.
        api.fault = None
        d.kill()
        d.start()
        equal(steps(register(d, "--apply")), [("add", "done", GAME, NYC), ("keep", None, SHOP, BOS), ("keep", None, SHOP, NYC)])
        # What the service says it has taken is looked at.
        api.lists[other], api.deaf = [], True
        reply = register(d, "--apply", code=5)
        failed, = (step for step in reply["services"][0]["steps"] if step.get("state") == "failed")
        equal(failed["text"], "the service has taken it, and shows something else: 0 endpoints instead of 1")
        equal(api.wrong, [])


def tokens_end_meanwhile():
    with EdsApi() as api, Daemon(config(api)) as d:
        api.lists[ENDPOINTS_ID] = []

        def forget(handler):
            if handler.command == "PUT" and api.token_requests == 1:
                with api.lock:
                    api.tokens.clear()
                return api.unauthorized(handler)
            return True

        api.fault = forget
        register(d, "--apply")
        equal((api.token_requests, [method for method, _ in writes(api)]), (2, ["PUT", "PUT"]))
        api.token_fault = lookupapi.status(401, {"error": "invalid_client"})
        reply = register(d, code=1)
        check("no token: HTTP status 401: invalid_client" in reply["services"][0]["steps"][0]["text"], reply)


def limits_of_the_service():
    many = [f"a{i}.e.x" for i in range(60)]
    with EdsApi() as api:
        big = config(api, apps=many)
        for app in many:
            big["apps"][app] = big["apps"][SHOP]
        with Daemon(big) as d:
            api.lists[ENDPOINTS_ID] = []
            reply = register(d, "--apply", code=1)
            equal({step["text"][:32] for step in reply["services"][0]["steps"]}, {"a list has at most 100 endpoints"})
            equal(writes(api), [])
        odd = config(api)
        odd["sites"]["us_east_odd"] = {"kind": "wavelength", "reach": ["verizon"]}
        odd["apps"][SHOP]["targets"]["us_east_odd"] = {"addresses": ["155.146.3.10"], "check": "none"}
        odd["apps"]["a-name-that-is-long-with-hyphens.e.x"] = {"targets": {BOS: {"addresses": ["155.146.9.9"], "check": "none"}}}
        odd["discovery"][0]["register"] = [SHOP, "a-name-that-is-long-with-hyphens.e.x"]
        with Daemon(odd) as d:
            reply = register(d, "--apply", code=5)
            left, = (step for step in reply["services"][0]["steps"] if step["action"] == "leave")
            equal((left["site"], "give this site's `ern` in `sites`" in left["text"]), ("us_east_odd", True))
            long, = (entry for entry in api.lists[ENDPOINTS_ID] if entry["serviceEndpoint"]["IPv4Address"] == "155.146.9.9")
            check("FQDN" not in long["serviceEndpoint"], "a name with hyphens does not fit")
        equal(api.wrong, [])


def keeps_to_the_rate():
    times = []
    with EdsApi() as api, Daemon(config(api, apps=(SHOP, GAME), ids={"x.e.x": ENDPOINTS_ID}, rate=5)) as d:
        api.lists = {f"{i:08}-593e-4776-b488-697b1bfa4f3b": [] for i in range(12)}
        api.fault = lambda handler: times.append(time.monotonic()) or True
        register(d)
        equal(len(times), 13)
        check(times[-1] - times[0] >= 12 * 0.2 - 0.05, "13 requests in", times[-1] - times[0], "s")


def waits_for_nobody():
    """While the service is slow the daemon goes on; one registration at a time; a reload or the end stops it."""
    with EdsApi() as api, Daemon(config(api)) as d:
        api.lists[ENDPOINTS_ID] = []
        api.fault = lookupapi.slow(3)
        waiting = d.start_ctl("discovery", "register")
        until(lambda: api.requests, harness.PATIENCE_S, "it has asked")
        equal(d.query(SHOP).rcode, 0)
        check("already under way" in d.ctl("discovery", "register", code=1).out)
        changed = config(api)
        changed["discovery"][0]["rate"] = 7
        d.reload(changed)
        out, _ = waiting.communicate(timeout=10)
        check("its config has changed" in out, out)
        equal(waiting.returncode, 1)
        waiting = d.start_ctl("discovery", "register")
        until(lambda: len(api.requests) >= 2, harness.PATIENCE_S, "it has asked")
        d.stop()
        waiting.communicate(timeout=10)
        equal(waiting.returncode, 1)


def what_cannot_be_registered():
    with EdsApi() as api:
        without = config(api)
        del without["discovery"][0]["register"]
        with Daemon(without) as d:
            check("no entry of `discovery` has `register`" in d.ctl("discovery", "register", code=3).out)
            bad = config(api)
            bad["discovery"].append({"plugin": "exec", "carriers": ["x"], "command": ["/bin/cat"], "register": [SHOP]})
            reply = d.reload(bad, code=2)
            check("has no register_targets(), which `register` needs" in reply.out + reply.err, reply)
            for more, said in ((dict(port="0"), "`register-port` is '0'"), (dict(port="10001"), "`register-port` is '10001'")):
                worse = config(api)
                worse["discovery"][0]["register-port"] = more["port"]
                reply = d.reload(worse, code=2)
                check(said in reply.out + reply.err, said, reply)
            plain = config(api)
            del plain["discovery"][0]["service-profile-id"]
            d.reload(plain)
            reply = register(d, code=1)
            check("`service-profile-id` is missing" in reply["services"][0]["error"], reply)


if __name__ == "__main__":
    run(dry_run_then_apply, follows_the_targets, touches_nothing_of_others, from_nothing, lists_of_their_own, faults_are_told,
        fails_half_way, tokens_end_meanwhile, limits_of_the_service, keeps_to_the_rate, waits_for_nobody, what_cannot_be_registered, limit_s=120)
