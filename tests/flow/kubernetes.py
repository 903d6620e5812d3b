"""What the kubernetes plugin makes of a cluster's objects; and real kubectl against the test API server, which it is held
to, with the manifests of conf/kubernetes."""

import json
import os
import shutil
import subprocess

import harness
from harness import Skip, check, equal
from kubeapi import KubeApi
from kubeprovider import (DOMAIN, FOLLOWED, SITES, START_S, Provider, ingress, plain, settled, slice_of, targets_of,
                          watching)


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
    harness.run(health_and_zones, names_belong_to_namespaces, one_load_balancer_is_one_target,
                services_gateways_classes_and_labels, kubectl_takes_the_server_for_real, the_manifests_are_enough, limit_s=90)
