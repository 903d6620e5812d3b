"""The kubernetes plugin and a cluster's API server: every way in which a list or a watch can end, each followed by the
cluster's targets within the time that is promised."""

import json
import shutil
import time

import harness
from harness import check, equal, until
from kubeapi import Cut, KubeApi
from kubeprovider import (HALF_OPEN_S, RECONNECT_S, SOON_S, START_S, Provider, begin, plain, settled, slice_of,
                          targets_of, watching)


# ---- changes ---------------------------------------------------------------------------------------------------------


def changes_come_at_once():
    with KubeApi() as api, begin(api) as provider:
        api.put("ingresses", plain(7, "nyc"))
        settled(provider, api)
        api.patch("ingresses", "nyc", "web-7", {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}})
        settled(provider, api)
        api.delete("ingresses", "bos", "web-0")
        settled(provider, api)
        # Its load balancer goes: so does the target.
        api.patch("ingresses", "bos", "web-1", {"status": {"loadBalancer": {"ingress": []}}})
        settled(provider, api)
        equal(provider.said("source"), ["source\tprod: connecting", "source\tprod: current"], "how the source stood")
        equal((provider.puts, provider.drops), (3 + 2, 2), "puts and drops: only what has changed")


def bookmarks_are_where_a_watch_goes_on():
    with KubeApi() as api:
        api.bookmark_s = 0.1
        with begin(api) as provider:
            for number in range(20):  # another resource's versions pass
                api.put("endpointslices", slice_of("bos", f"other-{number}", [True]))
            time.sleep(0.5)
            lists = len([path for _, path in api.requests if "ingresses?limit" in path])
            api.compact()  # the history is gone: only a version from a bookmark would do, and bookmarks are newer
            time.sleep(0.3)
            api.order("ingresses", lambda _: True)
            api.put("ingresses", plain(8))
            settled(provider, api)
            equal(len([path for _, path in api.requests if "ingresses?limit" in path]), lists, "lists of Ingresses")


def history_that_is_gone_is_listed_again():
    with KubeApi() as api, begin(api) as provider:
        def gone(watch):
            watch.handler.event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
            return True

        with api.lock:  # what happens meanwhile is not told by the watch
            api.order("ingresses", gone)
            api.objects["ingresses"].pop(("bos", "web-2"))
        settled(provider, api)
        watching(api)
        # The other form: the status of the reply.
        api.fail("watch", "ingresses", 410)
        with api.lock:
            api.objects["ingresses"].pop(("bos", "web-1"))
            api.order("ingresses", lambda _: True)
        settled(provider, api)
        watching(api)
        # A page that is too old: from the start again.
        api.load("ingresses", [plain(100 + number) for number in range(600)])
        settled(provider, api, within_s=5)
        api.fault("list", "ingresses", lambda handler: (handler.list("ingresses", None), api.compact()))
        api.order("ingresses", gone)
        api.put("ingresses", plain(9))
        settled(provider, api, within_s=5)
        equal(provider.said("away"), [], "sources that were away")


def cut(watch):
    """Ends the connection in the middle of an object."""
    text = json.dumps({"type": "ADDED", "object": plain(99)}).encode()
    watch.handler.chunk(text[:len(text) // 2])
    raise Cut


def cuts_lose_nothing():
    with KubeApi() as api, begin(api) as provider:
        for number in range(10, 14):
            equal(api.order("ingresses", cut), 1, "watches that were cut")
            api.put("ingresses", plain(number))
            settled(provider, api)
            watching(api)
        api.drop_connections()
        api.put("ingresses", plain(20))
        settled(provider, api)


def ends_in_order_are_gone_on_from():
    with KubeApi() as api:
        api.longest_watch_s = 0.3
        with begin(api) as provider:
            for number in range(30, 40):
                time.sleep(0.11)
                api.put("ingresses", plain(number))
            settled(provider, api, within_s=RECONNECT_S)


def a_server_that_restarts_is_found_again():
    with KubeApi() as api, begin(api) as provider:
        api.stop()
        provider.hear(": Connection refused", within_s=5)
        equal(provider.now(), targets_of(api), "the targets of a cluster that is away")
        api.delete("ingresses", "bos", "web-0")
        api.put("ingresses", plain(50))
        time.sleep(6)  # deep in the back-off, each resource in its own
        equal(len(provider.said("prod: away")), 1, f"lines while it is away for one reason: {provider.said('source')}")
        api.start()
        settled(provider, api, within_s=8)
        until(lambda: provider.said("source")[-1] == "source\tprod: current", SOON_S * harness.slowness(),
              "the other resources follow at once")


# ---- refusals --------------------------------------------------------------------------------------------------------


def tokens_rotate():
    with KubeApi() as api, begin(api) as provider:
        api.tokens = {"second-token"}
        api.drop_connections()
        provider.hear("401", within_s=5)
        api.put("ingresses", plain(60))
        time.sleep(3)  # deep in the back-off
        api.write_token("second-token")
        settled(provider, api)
        # A file that everybody can read is no secret.
        api.write_token("second-token", mode=0o644)
        api.drop_connections()
        provider.hear("chmod o=", within_s=5)
        api.put("ingresses", plain(61))
        api.write_token("second-token")
        settled(provider, api)


def overload_is_waited_for():
    with KubeApi() as api, begin(api) as provider:
        api.fail("watch", "ingresses", 429, retry_after=2)
        api.order("ingresses", lambda _: True)
        refused = time.monotonic()
        until(lambda: not api.watching("ingresses"), 2, "the watch ends")
        api.put("ingresses", plain(70))
        settled(provider, api, within_s=2 + SOON_S)
        check(time.monotonic() - refused > 1.9, "Retry-After was not waited for")
        for verb in ("watch", "list"):
            api.fail(verb, "ingresses", 500, count=2)
        api.compact()
        api.order("ingresses", lambda _: True)
        api.put("ingresses", plain(71))
        settled(provider, api, within_s=4)


def gateways_may_be_missing():
    with KubeApi(gateways=False) as api:
        api.load("ingresses", [plain(1)])
        with Provider(api) as provider:
            settled(provider, api, within_s=START_S)
            api.put("ingresses", plain(2))
            settled(provider, api)
            equal(provider.said("away"), [], "sources that were away")
    with KubeApi() as api:
        api.load("ingresses", [plain(1)])
        for plural in ("gateways", "httproutes"):
            api.fail("any", plural, 403, count=1000)
        with Provider(api) as provider:
            settled(provider, api, within_s=START_S)
            equal(len(provider.said("not looked at: 403")), 2, "what is said of the Gateways")
    with KubeApi() as api:
        api.load("ingresses", [plain(1)])
        api.fail("list", "services", 403, count=1000)
        with Provider(api) as provider:
            provider.hear("prod: away services: 403 ordered to fail", within_s=5)
            equal(provider.commits, 0, "commits of a list that is not whole")


# ---- connections -----------------------------------------------------------------------------------------------------


def half_open_connections_are_noticed():
    with KubeApi() as api, begin(api) as provider:
        check(api.vanish() >= 5, "connections that have vanished")
        api.put("ingresses", plain(80))
        api.delete("ingresses", "bos", "web-0")
        took = settled(provider, api, within_s=HALF_OPEN_S)
        check(took > 5, f"noticed after {took:.1f} s: the connections were not half-open")


def certificates_are_verified_and_rotate():
    with KubeApi() as api, KubeApi() as other:
        api.load("ingresses", [plain(1)])
        mine = {"server": api.url, "ca-file": str(api.folder / "client-ca.crt"),
                "client-cert-file": str(api.folder / "client.crt"), "client-key-file": str(api.folder / "client.key")}
        (api.folder / "client.key").chmod(0o600)
        shutil.copy(other.folder / "ca.crt", api.folder / "client-ca.crt")
        with Provider(clusters={"prod": mine}) as provider:
            provider.hear("prod: away", within_s=5)
            check("certificate" in provider.said("prod: away")[0], "why it is away:", provider.said("away"))
            equal(provider.now(), {}, "targets of a server that is another")
            time.sleep(2)
            shutil.copy(api.folder / "ca.crt", api.folder / "client-ca.crt")
            settled(provider, api)


def clusters_do_not_wait_for_each_other():
    with KubeApi() as one, KubeApi() as two:
        one.load("ingresses", [plain(1), plain(2)])
        two.load("ingresses", [plain(3, "nyc")])
        two.stop()
        with Provider(one, two) as provider:
            provider.expect(targets_of(one), within_s=START_S)
            equal(provider.wholes, 0, "whole lists")
            provider.hear("test: away", within_s=5)
            one.delete("ingresses", "bos", "web-1")
            settled(provider, one)
            two.start()
            provider.expect({**targets_of(one), **targets_of(two, "test")}, within_s=10)
            equal(provider.wholes, 1, "whole lists")
            two.stop()
            provider.hear("test: away", within_s=10)
            one.put("ingresses", plain(4))
            provider.expect({**targets_of(one), **targets_of(two, "test")})
            two.start()


def twenty_thousand():
    with KubeApi() as api:
        api.load("ingresses", [plain(number) for number in range(20000)])
        with Provider(api) as provider:
            settled(provider, api, within_s=60)
            equal(provider.commits, 1, "commits for the first list")
            equal(len([path for _, path in api.requests if "ingresses?limit" in path]), 40, "pages")
            watching(api)
            api.delete("ingresses", "bos", "web-12345")
            settled(provider, api)
            api.compact()
            api.put("ingresses", plain(20001))
            settled(provider, api)
            check(provider.memory_kb() < 250000 or harness.sanitizer(), f"{provider.memory_kb()} kB for 20,000 Ingresses")


if __name__ == "__main__":
    harness.run(changes_come_at_once, bookmarks_are_where_a_watch_goes_on, history_that_is_gone_is_listed_again,
                cuts_lose_nothing, ends_in_order_are_gone_on_from, a_server_that_restarts_is_found_again,
                tokens_rotate, overload_is_waited_for, gateways_may_be_missing, half_open_connections_are_noticed,
                certificates_are_verified_and_rotate, clusters_do_not_wait_for_each_other, twenty_thousand, limit_s=90)
