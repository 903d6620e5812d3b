"""The kubernetes plugin and what no API server ought to send: garbage, endless bodies, huge and odd objects. Its memory is
bounded, it says what is wrong, and loses nothing."""

import time

import harness
from harness import check, equal, until
from kubeapi import Cut, KubeApi
from kubeprovider import DOMAIN, SITES, begin, key_of, plain, settled, targets_of, watching


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


if __name__ == "__main__":
    harness.run(hostile_servers_harm_nothing, endless_bodies_take_little_memory, huge_and_odd_objects, limit_s=90)
