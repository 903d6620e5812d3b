"""From an Ingress to the answer of a query: the kubernetes plugin in the daemon, as a cluster's objects come, change, fail,
and go, and while the cluster is away."""

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


if __name__ == "__main__":
    harness.run(from_the_cluster_to_the_answer)
