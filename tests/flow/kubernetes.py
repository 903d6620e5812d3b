"""The kubernetes plugin against a test API server (kubeapi.py), which real kubectl is held against too: every way in which
a list or a watch can end or go wrong, and after each the targets are the cluster's within the time that is promised."""

import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

import harness
from busy import Withheld
from harness import Failure, Skip, check, equal, until
from kubeapi import Cut, KubeApi

SOON_S = 1         # from an event to the commit
HALF_OPEN_S = 45   # until a connection is noticed that has gone without a word
RECONNECT_S = 2
START_S = 20

SITES = {"bos": "us-east-1-wl1-bos-wlz-1", "nyc": "us-east-1-wl1-nyc-wlz-1"}
DOMAIN = "edge.example.com"
FOLLOWED = ("ingresses", "services", "endpointslices", "gateways", "httproutes")


def ingress(space, name, hosts, alias=None, ips=(), service=None, annotations=None, created=None, cls=None, labels=None):
    status = ([{"hostname": alias}] if alias else []) + [{"ip": ip} for ip in ips]
    paths = [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}}]
    manifest = {"metadata": {"namespace": space, "name": name, "annotations": annotations or {}, "labels": labels or {}},
                "spec": {"rules": [{"host": host, **({"http": {"paths": paths}} if service else {})} for host in hosts]},
                "status": {"loadBalancer": {"ingress": status}}}
    if created:
        manifest["metadata"]["creationTimestamp"] = created
    if cls:
        manifest["spec"]["ingressClassName"] = cls
    return manifest


def plain(number, space="bos"):
    """An Ingress with all that a target needs."""
    return ingress(space, f"web-{number}", [f"app-{number}.{DOMAIN}"], alias=f"lb-{number}.us-east-1.elb.amazonaws.com")


def slice_of(space, service, ready, zone=None, name=None):
    """An EndpointSlice with an endpoint for each of `ready`."""
    return {"metadata": {"namespace": space, "name": name or f"{service}-abc",
                         "labels": {"kubernetes.io/service-name": service}}, "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": good}, **({"zone": zone} if zone else {})}
                          for good in ready]}


class Provider:
    """The plugin in a process of its own, and what the host has been told. Leaving it ends the process and checks that
    it ends well."""

    def __init__(self, *apis, namespaces=True, options=(), clusters=None):
        clusters = clusters or {
            name: {"server": api.url, "ca-file": str(api.folder / "ca.crt"), "token-file": str(api.folder / "token")}
            for name, api in zip(("prod", "test"), apis)}
        words = ["clusters=" + json.dumps(clusters), *options]
        if namespaces:
            words += [f"namespaces:{space}={site}" for space, site in SITES.items()]
        binary = pathlib.Path(harness.program("edgesteerd")).parent / "tests" / "flow" / "provider"
        if not binary.exists():
            raise Skip("tests/flow/provider is not built")
        self.lock, self.lines = threading.Lock(), []
        self.targets, self.pending, self.whole, self.commits = {}, [], False, 0
        self.puts = self.drops = self.wholes = 0
        self.process = subprocess.Popen([str(binary), "kubernetes", *words], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=harness.program_env(),
                                        errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            with self.lock:
                self._take(line.split("\t"), line)

    def _take(self, words, line):
        if words[0] == "begin":
            self.whole = True
            self.wholes += 1
        elif words[0] == "put":
            self.puts += 1
            self.pending.append((words[1], words[2]))
        elif words[0] == "drop":
            self.drops += 1
            self.pending.append((words[1], None))
        elif words[0] == "commit":
            if self.whole:
                self.targets.clear()
            for key, text in self.pending:
                self.targets.pop(key, None)
                if text is not None:
                    self.targets[key] = text
            self.pending, self.whole = [], False
            self.commits += 1
        else:
            self.lines.append(line)

    def now(self):
        with self.lock:
            return dict(self.targets)

    def said(self, word):
        with self.lock:
            return [line for line in self.lines if word in line]

    def memory_kb(self):
        return harness.memory_kb(self.process.pid)

    def expect(self, wanted, within_s=SOON_S, what="the targets are the cluster's"):
        """Waits until the targets are these: {key: text}."""
        try:
            return until(lambda: self.now() == wanted, within_s * harness.slowness(), what,
                         held=Withheld(self.process.pid))
        except Failure as failure:
            have = self.now()
            missing = {key: text for key, text in wanted.items() if have.get(key) != text}
            extra = {key: text for key, text in have.items() if wanted.get(key) != text}
            raise Failure(f"{failure}\n missing {str(missing)[:600]}\n has {str(extra)[:600]}\n"
                          f" {self.lines[-8:]}") from None

    def hear(self, word, within_s=SOON_S):
        until(lambda: self.said(word), within_s * harness.slowness(), f"it says '{word}'",
              held=Withheld(self.process.pid))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        begun = time.monotonic()
        try:
            code = self.process.wait(harness.PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure("provide() does not return") from None
        self.reader.join(5)
        if kind is None:
            check(time.monotonic() - begun < 2 * harness.slowness(), "provide() took more than 2 s to return")
            equal(code, 0, f"exit code of the provider: {self.lines[-30:]}")
            equal(self.said("result"), ["result\t0"], "what provide() returned")
            equal([line for line in self.lines if any(not " " <= c and c != "\t" for c in line)], [], "control characters")


def key_of(item, host, cluster="prod", kind="ingress"):
    meta = item["metadata"]
    return f"{cluster}/{meta['namespace']}/{kind}/{meta['name']} {host}"


def targets_of(api, cluster="prod", health="unknown"):
    """The targets of plain Ingresses: each host at the site of its namespace."""
    wanted = {}
    with api.lock:
        for item in api.objects["ingresses"].values():
            meta, status = item["metadata"], item["status"]["loadBalancer"]["ingress"]
            when = int(time.mktime(time.strptime(meta["creationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone)
            for rule in item["spec"]["rules"]:
                if status and meta["namespace"] in SITES:
                    load = status[0].get("hostname") or ",".join(entry["ip"] for entry in status)
                    wanted[key_of(item, rule["host"], cluster)] = \
                        f"{rule['host']} {SITES[meta['namespace']]} {load} {when} {health}"
    return wanted


def settled(provider, api, **words):
    return provider.expect(targets_of(api), **words)


def watching(api, within_s=START_S):
    """Until all resources are watched, and have been for long enough that what fails next is the first failure."""
    wanted = [plural for _, plural in api.kinds if plural in FOLLOWED]
    until(lambda: all(api.watching(plural) for plural in wanted), within_s, "everything is watched")
    time.sleep(1.2)


def begin(api, count=3):
    """A provider that knows a few Ingresses and watches."""
    api.load("ingresses", [plain(number) for number in range(count)])
    provider = Provider(api)
    provider.expect(targets_of(api), within_s=START_S)
    watching(api)
    return provider


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


# ---- what targets are made of ----------------------------------------------------------------------------------------


def health_and_zones():
    with KubeApi() as api:
        api.load("ingresses", [ingress("bos", "web", [f"a.{DOMAIN}"], alias="lb", service="web"),
                               ingress("elsewhere", "web", [f"b.{DOMAIN}"], alias="lb2", service="web")])
        api.put("endpointslices", slice_of("elsewhere", "web", [True, True], zone=SITES["nyc"]))
        apps = 'apps={"*": ["*.edge.example.com"]}'
        with Provider(api, options=[apps]) as provider:
            def wanted(health, zone=SITES["nyc"]):
                found = {f"prod/bos/ingress/web a.{DOMAIN}": f"a.{DOMAIN} {SITES['bos']} lb 1767323045 {health}"}
                if zone:
                    found[f"prod/elsewhere/ingress/web b.{DOMAIN}"] = f"b.{DOMAIN} {zone} lb2 1767323045 ready"
                return found

            provider.expect(wanted("unknown"), within_s=START_S)
            watching(api)
            api.put("endpointslices", slice_of("bos", "web", [False, False]))
            provider.expect(wanted("unready"))
            api.put("endpointslices", slice_of("bos", "web", [False, True]))
            provider.expect(wanted("ready"))
            api.put("endpointslices", slice_of("bos", "web", [False, False]))
            api.put("endpointslices", slice_of("bos", "web", [None], name="web-def"))
            provider.expect(wanted("ready"))
            api.delete("endpointslices", "bos", "web-abc")
            api.delete("endpointslices", "bos", "web-def")
            provider.expect(wanted("unknown"))
            # Endpoints in two zones do not tell the site.
            api.put("endpointslices", slice_of("elsewhere", "web", [True], zone=SITES["bos"], name="web-def"))
            provider.expect(wanted("unknown", zone=None))
            provider.hear("in several zones")


def names_belong_to_namespaces():
    apps = 'apps={"bos": ["shop.edge.example.com", "*.bos.edge.example.com"], "n*": ["nyc-*"]}'
    with KubeApi() as api:
        api.load("ingresses", [
            ingress("bos", "good", [f"Shop.{DOMAIN}.", f"a.bos.{DOMAIN}", f"*.bos.{DOMAIN}"], alias="lb"),
            ingress("bos", "stolen", [f"nyc-bank.{DOMAIN}"], alias="lb-thief"),
            ingress("nyc", "annotated", ["x"], alias="lb2", annotations={"edgesteer.io/app": f"nyc-a.{DOMAIN}, nyc-b.{DOMAIN}"}),
            ingress("nyc", "thief", [f"nyc-c.{DOMAIN}"], alias="lb3", annotations={"edgesteer.io/app": f"shop.{DOMAIN}"}),
            ingress("other", "quiet", ["internal.example.org"], alias="lb4"),
            ingress("other", "loud", ["y"], alias="lb5", annotations={"edgesteer.io/app": f"shop.{DOMAIN}"}),
            ingress("bos", "moved", [f"b.bos.{DOMAIN}"], alias="lb6", annotations={"edgesteer.io/site": SITES["nyc"]})])
        with Provider(api, options=[apps]) as provider:
            bos, nyc = SITES["bos"], SITES["nyc"]
            wanted = {
                f"prod/bos/ingress/good shop.{DOMAIN}": f"shop.{DOMAIN} {bos} lb 1767323045 unknown",
                f"prod/bos/ingress/good a.bos.{DOMAIN}": f"a.bos.{DOMAIN} {bos} lb 1767323045 unknown",
                f"prod/bos/ingress/good *.bos.{DOMAIN}": f"*.bos.{DOMAIN} {bos} lb 1767323045 unknown",
                f"prod/bos/ingress/moved b.bos.{DOMAIN}": f"b.bos.{DOMAIN} {nyc} lb6 1767323045 unknown",
                f"prod/nyc/ingress/annotated nyc-a.{DOMAIN}": f"nyc-a.{DOMAIN} {nyc} lb2 1767323045 unknown",
                f"prod/nyc/ingress/annotated nyc-b.{DOMAIN}": f"nyc-b.{DOMAIN} {nyc} lb2 1767323045 unknown"}
            provider.expect(wanted, within_s=START_S)
            for words in ("bos/stolen: namespace bos may not have the name nyc-bank.edge.example.com",
                          "nyc/thief: namespace nyc may not have the name shop.edge.example.com",
                          "other/loud: namespace other may have no name, not shop.edge.example.com"):
                equal(len(provider.said(words)), 1, f"lines with '{words}'")
            equal(provider.said("quiet"), [], "lines about a namespace that is none of ours")


def one_load_balancer_is_one_target():
    with KubeApi() as api:
        shared = f"a.{DOMAIN}"
        api.load("ingresses", [ingress("bos", "older", [shared], alias="lb", created="2026-01-01T00:00:00Z", service="down"),
                               ingress("bos", "newer", [shared], alias="lb", created="2026-02-01T00:00:00Z", service="up"),
                               ingress("bos", "rival", [shared], alias="lb-2", created="2025-02-01T00:00:00Z")])
        api.put("endpointslices", slice_of("bos", "down", [False]))
        api.put("endpointslices", slice_of("bos", "up", [True]))
        with Provider(api) as provider:
            rival = {f"prod/bos/ingress/rival {shared}": f"{shared} {SITES['bos']} lb-2 1738368000 unknown"}
            provider.expect({**rival, f"prod/bos/ingress/older {shared}": f"{shared} {SITES['bos']} lb 1767225600 ready"},
                            within_s=START_S)
            watching(api)
            api.delete("ingresses", "bos", "older")
            provider.expect({**rival, f"prod/bos/ingress/newer {shared}": f"{shared} {SITES['bos']} lb 1769904000 ready"})


def services_gateways_classes_and_labels():
    with KubeApi() as api:
        app = {"edgesteer.io/app": f"svc.{DOMAIN}"}
        api.load("services", [
            {"metadata": {"namespace": "bos", "name": "web", "annotations": app, "labels": {"tier": "edge"}},
             "spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}]}}},
            {"metadata": {"namespace": "bos", "name": "inner", "annotations": app, "labels": {"tier": "edge"}},
             "spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.2"}]}}}])
        api.put("endpointslices", slice_of("bos", "web", [True]))
        accepted = [{"parentRef": {"name": "gate", "namespace": "nyc", "sectionName": "https"},
                     "conditions": [{"type": "Accepted", "status": "True"}]}]
        api.put("gateways", {
            "metadata": {"namespace": "nyc", "name": "gate", "labels": {"tier": "edge"}},
            "spec": {"listeners": [{"name": "https", "hostname": f"*.{DOMAIN}"}, {"name": "other"}]},
            "status": {"addresses": [{"type": "Hostname", "value": "gate-lb"}, {"type": "IPAddress", "value": "192.0.2.3"}]}})
        api.load("httproutes", [
            {"metadata": {"namespace": "bos", "name": "in"}, "spec": {
                "hostnames": [f"g.{DOMAIN}", "other.example.org"],
                "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}, "status": {"parents": accepted}},
            {"metadata": {"namespace": "bos", "name": "refused"}, "spec": {"hostnames": [f"h.{DOMAIN}"]},
             "status": {"parents": [{**accepted[0], "conditions": [{"type": "Accepted", "status": "False"}]}]}}])
        api.load("ingresses", [
            ingress("bos", "alb", [f"i.{DOMAIN}"], alias="lb", cls="alb", labels={"tier": "edge"}),
            ingress("bos", "nginx", [f"j.{DOMAIN}"], alias="lb", cls="nginx", labels={"tier": "edge"}),
            ingress("bos", "unlabelled", [f"k.{DOMAIN}"], alias="lb", cls="alb")])
        with Provider(api, options=["ingress-class=alb", "label-selector=tier=edge"]) as provider:
            wanted = {
                f"prod/bos/service/web svc.{DOMAIN}": f"svc.{DOMAIN} {SITES['bos']} 192.0.2.1,2001:db8::1 1767323045 ready",
                f"prod/nyc/gateway/gate g.{DOMAIN}": f"g.{DOMAIN} {SITES['nyc']} gate-lb 1767323045 ready",
                f"prod/bos/ingress/alb i.{DOMAIN}": f"i.{DOMAIN} {SITES['bos']} lb 1767323045 unknown"}
            provider.expect(wanted, within_s=START_S)
            watching(api)
            # It changes to a class that is not ours.
            api.patch("ingresses", "bos", "alb", {"spec": {"ingressClassName": "nginx"}})
            # Without a route the listeners' names count, and without a type a Service is no load balancer.
            api.delete("httproutes", "bos", "in")
            api.patch("services", "bos", "web", {"spec": {"type": "NodePort"}})
            provider.expect({f"prod/nyc/gateway/gate *.{DOMAIN}": f"*.{DOMAIN} {SITES['nyc']} gate-lb 1767323045 unknown"})


# ---- hostile ---------------------------------------------------------------------------------------------------------


def raw(handler, data):
    """A whole reply with this as its body."""
    handler.begin_stream()
    handler.chunk(data)
    handler.wfile.write(b"0\r\n\r\n")


def hostile_servers_harm_nothing():
    deep = b'{"kind":"IngressList","metadata":' + b"[" * 100000
    replies = [b"\0\xff garbage", b"[1,2]", b'{"kind":"IngressList"}', b'{"kind":"Status","metadata":{"resourceVersion":"1"}}',
               b'{"kind":"IngressList","metadata":{"resourceVersion":"1"},"items":7}', b"{}{}", deep, b'{"kind":"IngressL',
               b'{"kind":"IngressList","metadata":{"resourceVersion":7},"items":[]}']
    with KubeApi() as api, begin(api) as provider:
        before = targets_of(api)
        for data in replies:
            api.fault("list", "ingresses", lambda handler, data=data: raw(handler, data))
            api.fail("watch", "ingresses", 410)
            api.order("ingresses", lambda _: True)
            until(lambda: not [fault for fault in api.faults if fault[2]], 10, "the reply was asked for")
            watching(api)
            equal((provider.now(), provider.drops), (before, 0), f"the targets after {data[:80]}, and what was dropped")
        events = [b"garbage\n", b'{"type":"GONE"}\n', b'{"type":"ADDED","object":null}\n', b"[]\n", deep,
                  b'{"type":"ADDED","object":{"metadata":{"namespace":"../x","name":"\\u0000"}}}\n',
                  b'{"type":"DELETED","object":{"metadata":7}}\n', b'{"type":"ERROR","object":[]}\n']
        for data in events:
            watching(api, within_s=60)
            api.order("ingresses", lambda watch, data=data: raw_event(watch, data))
            time.sleep(0.1)
        api.put("ingresses", plain(90))
        settled(provider, api, within_s=40)


def raw_event(watch, data):
    watch.handler.chunk(data)
    raise Cut


def endless_bodies_take_little_memory():
    with KubeApi() as api, begin(api) as provider:
        def endless(handler):
            handler.begin_stream()
            handler.chunk(b'{"kind":"IngressList","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"')
            for _ in range(600):
                handler.chunk(b"x" * (1 << 20))
            raise Cut

        def many(handler):
            handler.begin_stream()
            handler.chunk(b'{"kind":"IngressList","metadata":{"resourceVersion":"1"},"items":[')
            for _ in range(600):
                handler.chunk(b'{"metadata":{"labels":["' + b'x","' * 100000 + b'"]}},')
            raise Cut

        for action in (endless, many):
            api.fault("list", "ingresses", action)
            api.fail("watch", "ingresses", 410)
            api.order("ingresses", lambda _: True)
            until(lambda: not [fault for fault in api.faults if fault[2]], 40, "the body was asked for")
            watching(api, within_s=60)
        api.put("ingresses", plain(91))
        settled(provider, api)
        if not harness.sanitizer():
            check(provider.memory_kb() < 200000, f"{provider.memory_kb()} kB after endless bodies")


def huge_and_odd_objects():
    with KubeApi() as api, begin(api) as provider:
        huge = plain(92)
        huge["metadata"]["annotations"] = {"note": "x" * (10 << 20), "edgesteer.io/site": SITES["nyc"]}
        api.put("ingresses", huge)
        key = key_of(huge, f"app-92.{DOMAIN}")
        site = {key: f"app-92.{DOMAIN} {SITES['nyc']} lb-92.us-east-1.elb.amazonaws.com 1767323045 unknown"}
        provider.expect({**targets_of(api), **site}, within_s=3)
        provider.hear("longer than Kubernetes allows")
        # The same in a list.
        api.compact()
        api.fail("watch", "ingresses", 410)
        api.order("ingresses", lambda _: True)
        api.put("ingresses", plain(93))
        provider.expect({**targets_of(api), **site}, within_s=5)
        watching(api)
        odd = plain(94)
        odd["spec"]["rules"] = [{"host": "bad\nname\x1b[31m"}, {"host": 7}, 7, {"host": f"ok.{DOMAIN}"}, {"host": "x" * 300}]
        api.put("ingresses", odd)
        odd_key = key_of(odd, f"ok.{DOMAIN}")
        wanted = {key: text for key, text in targets_of_plain(api, odd).items()}
        wanted.update(site)
        wanted[odd_key] = f"ok.{DOMAIN} {SITES['bos']} lb-94.us-east-1.elb.amazonaws.com 1767323045 unknown"
        provider.expect(wanted)
        provider.hear("'bad?name?[31m' is no name")


def targets_of_plain(api, left_out):
    """Those of all others."""
    with api.lock:
        kept = api.objects["ingresses"].pop((left_out["metadata"]["namespace"], left_out["metadata"]["name"]))
        try:
            return targets_of(api)
        finally:
            api.objects["ingresses"]["bos", kept["metadata"]["name"]] = kept


# ---- kubectl ---------------------------------------------------------------------------------------------------------


class Kubectl:
    """The real client, with the server's kubeconfig."""

    def __init__(self, api):
        tools = harness.TOP / "build" / "tools" / "usr" / "bin"
        self.binary = shutil.which("kubectl", path=f"{os.environ.get('PATH', '')}:{tools}")
        if not self.binary:
            raise Skip("kubectl is not installed")
        self.env = {**os.environ, "KUBECONFIG": str(api.kubeconfig()), "HOME": str(api.folder)}

    def __call__(self, *words):
        done = subprocess.run([self.binary, *words], env=self.env, capture_output=True, text=True, timeout=30, check=False)
        equal((done.returncode, done.stderr), (0, ""), f"kubectl {words}: {done.stdout}")
        return done.stdout


def kubectl_takes_the_server_for_real():
    with KubeApi() as api:
        kubectl, path = Kubectl(api), api.folder / "web.json"

        def apply(manifest):
            path.write_text(json.dumps({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", **manifest}))
            return kubectl("apply", "--validate=false", "-f", str(path))

        with Provider(api) as provider:
            check("created" in apply(plain(1)), "kubectl apply")
            provider.expect(targets_of(api), within_s=START_S)
            check("web-1" in kubectl("get", "ingresses", "-n", "bos"), "kubectl get")
            changed = plain(1)
            changed["spec"]["rules"] = [{"host": f"renamed.{DOMAIN}"}]
            check("configured" in apply(changed), "kubectl apply again")
            settled(provider, api)
            check(list(provider.now())[0].endswith(f" renamed.{DOMAIN}"), "the name after kubectl apply")
            with subprocess.Popen([kubectl.binary, "get", "ingresses", "-n", "bos", "-w", "-o", "name"], env=kubectl.env,
                                  text=True, stdout=subprocess.PIPE) as watch:
                equal(watch.stdout.readline(), "ingress.networking.k8s.io/web-1\n", "kubectl get -w")
                api.put("ingresses", plain(2))
                equal(watch.stdout.readline(), "ingress.networking.k8s.io/web-2\n", "kubectl get -w, an event")
                watch.terminate()
            check("deleted" in kubectl("delete", "ingress", "web-1", "-n", "bos"), "kubectl delete")
            settled(provider, api)


def the_manifests_are_enough():
    """conf/kubernetes is what kubectl takes, its rules allow what the plugin asks for, and its config is a good one."""
    with KubeApi() as api:
        kubectl = Kubectl(api)
        kubectl("apply", "--validate=false", "-f", str(harness.TOP / "conf" / "kubernetes"))
        made = [path.split("?")[0] for method, path in api.requests if method == "POST"]
        equal(made[0], "/api/v1/namespaces", "what is made first: the others are in it")
        role = api.get("clusterroles", "", "edgesteer")
        allowed = {resource for rule in role["rules"] for resource in rule["resources"]
                   if rule["verbs"] == ["get", "list", "watch"]}
        with Provider(api):
            watching(api)
        asked = {path.split("?")[0].split("/")[-1] for method, path in api.requests if "limit=500" in path and method == "GET"}
        equal(asked & set(FOLLOWED), allowed, "what the plugin asks for, and what it may")
        binding = api.get("clusterrolebindings", "", "edgesteer")
        account = api.get("deployments", "edgesteer", "edgesteer")["spec"]["template"]["spec"]["serviceAccountName"]
        equal((binding["roleRef"]["name"], binding["subjects"][0]["name"]), ("edgesteer", account), "who may")
        ports = {port["name"]: port["containerPort"] for port in
                 api.get("deployments", "edgesteer", "edgesteer")["spec"]["template"]["spec"]["containers"][0]["ports"]}
        config = api.folder / "edgesteer.yaml"
        config.write_text(api.get("configmaps", "edgesteer", "edgesteer")["data"]["edgesteer.yaml"])
        check(f"@{ports['dns-udp']}" in config.read_text() and ports["dns-udp"] == ports["dns-tcp"], "the ports")
        text = config.read_text().replace("/run/edgesteer", str(api.folder)).replace("/var/lib/edgesteer", str(api.folder))
        config.write_text(text)
        env = {**harness.program_env(), "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api.port)}
        done = subprocess.run([harness.program("edgesteerd"), "-t", "-c", str(config)], env=env, capture_output=True,
                              text=True, timeout=harness.PATIENCE_S, check=False)
        equal(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    harness.run(changes_come_at_once, bookmarks_are_where_a_watch_goes_on, history_that_is_gone_is_listed_again,
                cuts_lose_nothing, ends_in_order_are_gone_on_from, a_server_that_restarts_is_found_again, tokens_rotate,
                overload_is_waited_for, gateways_may_be_missing, half_open_connections_are_noticed,
                certificates_are_verified_and_rotate, clusters_do_not_wait_for_each_other, twenty_thousand,
                health_and_zones, names_belong_to_namespaces, one_load_balancer_is_one_target,
                services_gateways_classes_and_labels, hostile_servers_harm_nothing, endless_bodies_take_little_memory,
                huge_and_odd_objects, kubectl_takes_the_server_for_real,
                the_manifests_are_enough, limit_s=90)
