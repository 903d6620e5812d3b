"""The kubernetes plugin as kube*.py run it: in a process without a daemon (tests/flow/provider), against KubeApi, with the
targets that the cluster ought to have. Owns the process."""

import json
import pathlib
import subprocess
import threading
import time

import harness
from busy import Withheld
from harness import Failure, Skip, check, equal, until

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
    until(lambda: all(api.watching(plural) for plural in wanted), within_s * harness.slowness(), "everything is watched")
    time.sleep(1.2)


def begin(api, count=3):
    """A provider that knows a few Ingresses and watches."""
    api.load("ingresses", [plain(number) for number in range(count)])
    provider = Provider(api)
    provider.expect(targets_of(api), within_s=START_S)
    watching(api)
    return provider
