"""From an Ingress to the answer of a query: the kubernetes plugin in the daemon, as a cluster's objects come, change, fail,
and go, and while the cluster is away."""

import re
import time

import harness
from harness import DOMAIN, Daemon, check, equal, until
from kubeapi import KubeApi
from kubeprovider import ingress, slice_of

NAME = "app.edge.example.com"
SOON_S = 5


def answers(daemon):
    reply = daemon.query(NAME)
    return reply.addresses if reply.rcode == 0 else reply.rcode


def from_the_cluster_to_the_answer():
    with KubeApi() as api:
        def publish(address):
            api.put("ingresses", ingress("bos", "web", [NAME, "www.example.org"], ips=[address], service="web"))

        publish("203.0.113.10")
        api.put("endpointslices", slice_of("bos", "web", [True]))
        files = {"ca-file": str(api.folder / "ca.crt"), "token-file": str(api.folder / "token")}
        provider = {"plugin": "kubernetes", "health": "endpoints", "grace": "1s", "namespaces": {"bos": "us-east-1"},
                    "clusters": {"prod": {"server": api.url, **files}}}
        config = {"domains": DOMAIN, "sites": {"us-east-1": {}}, "providers": [provider]}
        with Daemon(config) as daemon:
            def expect(wanted, what):
                until(lambda: answers(daemon) == wanted, SOON_S * harness.slowness(), what)

            expect(["203.0.113.10"], "the Ingress is answered")
            publish("203.0.113.11")
            expect(["203.0.113.11"], "its new address")
            check("it is in none of our domains" in daemon.log(), "a host elsewhere is told of")
            # No endpoint is ready, and there is no other target: the answer fails open.
            api.put("endpointslices", slice_of("bos", "web", [False]))
            api.stop()
            until(lambda: "Connection refused" in daemon.ctl("sources", as_json=False).out, SOON_S * harness.slowness(),
                  "the cluster is away")
            equal(answers(daemon), ["203.0.113.11"], "the answer while the cluster is away")
            api.delete("ingresses", "bos", "web")
            api.start()
            expect(3, "the name is gone after its grace time")


def unready_for_as_long_as_a_check_fails():
    """Where the cluster's word is all there is, the app's check says how long it is waited for: `fall` of its intervals."""
    with KubeApi() as api:
        for space, address in (("bos", "203.0.113.10"), ("far", "203.0.113.11")):
            api.put("ingresses", ingress(space, "web", [NAME], ips=[address], service="web"))
            api.put("endpointslices", slice_of(space, "web", [True]))
        provider = {"plugin": "kubernetes", "health": "endpoints", "namespaces": {"bos": "us-east-1", "far": "us-west-2"},
                    "clusters": {"prod": {"server": api.url, "ca-file": str(api.folder / "ca.crt"),
                                          "token-file": str(api.folder / "token")}}}
        config = {"domains": DOMAIN, "sites": {"us-east-1": {}, "us-west-2": {}}, "providers": [provider],
                  "checks": {"pods": {"type": "http", "interval": "1s", "fall": 2}}, "defaults": {"check": "pods"}}
        with Daemon(config) as daemon:
            until(lambda: answers(daemon) == ["203.0.113.10"], SOON_S * harness.slowness(), "the first site is answered")
            api.put("endpointslices", slice_of("bos", "web", [False]))
            began = time.monotonic()
            until(lambda: answers(daemon) == ["203.0.113.11"], SOON_S * harness.slowness(), "the other one is")
            check(time.monotonic() - began > 1.5, "not before two intervals are over")
            target, = daemon.ctl_json("apps", NAME, "--site", "us-east-1")["apps"][0]["targets"]
            equal((target["state"], target["unready"]), ("down", True), target)
            for words in (["apps"], ["targets"], ["explain", NAME, "--client", "192.0.2.1"]):
                said = daemon.ctl(*words, as_json=False).out
                check(re.search(r"us-east-1 .*down \(no server ready\)", said), said)
            daemon.ctl("force", f"{NAME}/us-east-1", "down")
            target, = daemon.ctl_json("targets", NAME)["targets"][:1]
            equal((target["forced"], target.get("unready")), ("down", None), target)


if __name__ == "__main__":
    harness.run(from_the_cluster_to_the_answer, unready_for_as_long_as_a_check_fails)
