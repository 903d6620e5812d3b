"""The metrics as Prometheus sees them: promtool's checks, a real Prometheus that scrapes through reloads, alerts that fire, and
a scrape of a hundred thousand targets that nobody waits for. promtool and prometheus: ./bootstrap check fetches them."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import harness
from asker import Asker
from busy import Withheld, pace
from harness import Daemon, Responder, Skip, check, equal, free_port, until

RULES = harness.TOP / "conf" / "prometheus" / "edgesteer.rules.yaml"
RULES_TEST = harness.DATA / "prometheus" / "alerts.test.yaml"
APP = "app.edge.example.com"
VERBS = [("version", {}), ("status", {}), ("explain", {"name": "app9.edge.example.com", "client": "192.0.2.7"}),
         ("apps", {"app": "app77.edge.example.com"}), ("drains", {}), ("stats", {})]


def tool(name):
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{harness.TOP / 'build' / 'tools' / 'usr' / 'bin'}")
    if not found:
        raise Skip(f"{name} is not installed")
    return found


def config(port, apps=3, check_port=None):
    checks = {"c": {"type": "http", "port": check_port, "path": "/", "interval": "1s", "timeout": "500ms", "rise": 1, "fall": 1}}
    return {"server": {"http": [{"listen": f"127.0.0.1@{port}"}]}, "domains": harness.DOMAIN, "sites": {"us-east-1": {}, "us-west-2": {}},
            "checks": checks if check_port else {},
            "apps": {f"app{i or ''}.edge.example.com": {"targets": {
                "us-east-1": {"addresses": ["127.0.0.1"], **({"check": "c"} if check_port else {})},
                "us-west-2": {"addresses": ["203.0.113.2"], **({"check": "c", "check-address": "127.0.0.3"} if check_port else {})}}}
                for i in range(apps)}}


def scrape(port, accept="text/plain"):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=harness.PATIENCE_S) as response:
        return response.read().decode()


def samples(text):
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


def counters(text):
    """The samples that must not fall."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    return {name: value for name, value in samples(text).items()
            if types.get(name.partition("{")[0]) == "counter" or re.match(r"\w+_(bucket|sum|count)\b", name)}


def with_the_tools():
    """promtool finds nothing to say of the metrics and the rules; each alert has a test, and each metric in a rule exists."""
    promtool, port = tool("promtool"), free_port()
    with Daemon(config(port)) as daemon:
        daemon.ctl("drain", "us-west-2", "--for", "1h")
        daemon.query(APP)
        daemon.reload()
        text = scrape(port)
        done = subprocess.run([promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
        equal((done.returncode, done.stdout, done.stderr), (0, b"", b""))
    for words in ("check", "rules", RULES), ("test", "rules", RULES_TEST):
        done = subprocess.run([promtool, *map(str, words)], capture_output=True, text=True, check=False)
        equal(done.returncode, 0, done.stdout, done.stderr)
    rules = RULES.read_text()
    alerts = re.findall(r"- alert: (\w+)", rules)
    check(len(alerts) > 10, alerts)
    for alert in alerts:
        check(f'ALERTS{{alertname="{alert}", alertstate="firing"' in RULES_TEST.read_text(), alert, "has no test")
    there = set(re.findall(r"^# TYPE (\S+)", text, re.M))
    for name in re.findall(r"\b(?:edgesteer|process)_\w+", rules):
        check(name in there, name, "does not exist")


def what_it_says():
    """Values that follow what happens."""
    port = free_port()
    with Responder("127.0.0.1") as alb, Responder("127.0.0.3", alb.port):
        with Daemon(config(port, 1, alb.port)) as daemon:
            before = samples(scrape(port))
            for _ in range(5):
                equal(daemon.query(APP).rcode, 0)
            daemon.query(APP, tcp=True)
            daemon.query("nix.edge.example.com")
            daemon.send(b"\0" * 5)
            now = samples(scrape(port))
            east, west = (f'{{app="{APP}",site="{site}"}}' for site in ("us-east-1", "us-west-2"))
            equal(now[f"edgesteer_answers_total{east}"], 6)
            for name, more in ('edgesteer_queries_total{transport="udp"}', 6), ("edgesteer_steered_total", 6):
                equal(now[name] - before[name], more, name)
            equal(now['edgesteer_queries_total{transport="tcp"}'], 1)
            equal(now['edgesteer_replies_total{rcode="nxdomain"}'], 1)
            equal(now['edgesteer_drops_total{reason="ignored"}'], 1)
            equal(now[f"edgesteer_target_up{east}"], 1)
            check(abs(now[f"edgesteer_target_since_timestamp_seconds{east}"] - time.time()) < 60 * pace(), "since")
            equal(now["edgesteer_serving"], 1)
            equal(now["edgesteer_overrides_unsaved"], 0)
            check(f"edgesteer_target_drained{east}" not in now, "not drained")
            probes = now["edgesteer_probe_duration_seconds_count"]
            check(probes >= 2 and now["edgesteer_probes_total"] == probes, probes)
            equal(now['edgesteer_probe_duration_seconds_bucket{le="+Inf"}'], probes)
            check(0 < now["edgesteer_probe_duration_seconds_sum"] < 60, "their time")
            check(now["process_open_fds"] > 10 and now["process_resident_memory_bytes"] > 1 << 20, "process")
            check(abs(now["process_start_time_seconds"] - time.time()) < 60 * pace(), "started")
            # A target fails; a site is drained.
            alb.status = 503
            until(lambda: samples(scrape(port))[f"edgesteer_target_up{east}"] == 0, harness.PATIENCE_S, "it is down")
            now = samples(scrape(port))
            check(now['edgesteer_probe_failures_total{layer="status"}'] >= 1, "at its layer")
            equal(now['edgesteer_probe_failures_total{layer="connect"}'], 0)
            equal(now['edgesteer_target_states{state="down"}'], 1)
            daemon.ctl("drain", "us-west-2", "--for", "1h")
            now = samples(scrape(port))
            equal(now[f"edgesteer_target_drained{west}"], 1)
            equal(now[f"edgesteer_target_up{west}"], 0)
            drain = '{site="us-west-2",app=""}'
            equal(now[f"edgesteer_drain_share_ratio{drain}"], 1)
            check(abs(now[f"edgesteer_drain_end_timestamp_seconds{drain}"] - time.time() - 3600) < 60 * pace(), "its end")
            daemon.query(APP)
            equal(samples(scrape(port))["edgesteer_fail_open_total"], 1)


class Prometheus:
    """The real one, in the daemon's folder, scraping every quarter of a second."""

    def __init__(self, daemon, port, rules=""):
        self.binary, self.port, self.folder = tool("prometheus"), free_port(), daemon.folder / "prometheus"
        self.folder.mkdir()
        (self.folder / "rules.yaml").write_text(rules)
        tick = f"{int(250 * harness.slowness() * pace())}ms"
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": tick, "scrape_timeout": tick, "evaluation_interval": "250ms"},
            "rule_files": ["rules.yaml"] if rules else [],
            "scrape_configs": [{"job_name": "edgesteer", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}]}))

    def __enter__(self):
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([self.binary, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}",
                                         f"--web.listen-address=127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log)
        until(lambda: self.value('up{job="edgesteer"}') == 1, harness.PATIENCE_S, "Prometheus has scraped", 0.1)
        return self

    def __exit__(self, kind, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()
        if kind:
            print((self.folder / "log").read_text()[-4000:])

    def query(self, expression):
        check(self.process.poll() is None, "Prometheus has ended", (self.folder / "log").read_text()[-2000:])
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=harness.PATIENCE_S) as response:
                return json.load(response)["data"]["result"]
        except OSError:
            return []

    def value(self, expression):
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def firing(self):
        return {alert["metric"]["alertname"] for alert in self.query('ALERTS{alertstate="firing"}')}


def through_reloads():
    """A real Prometheus scrapes (as OpenMetrics) while apps come and go: no counter falls, for it and for us."""
    port = free_port()
    with Daemon(config(port, 5)) as daemon, Prometheus(daemon, port) as prometheus:
        stop, seen, fallen = threading.Event(), {}, []

        def watch():
            while not stop.is_set():
                for name, value in counters(scrape(port)).items():
                    if value < seen.get(name, 0):
                        fallen.append((name, seen[name], value))
                    seen[name] = value

        def asks():
            while not stop.is_set():
                daemon.query(APP)
                daemon.query("app1.edge.example.com")

        threads = [threading.Thread(target=each, daemon=True) for each in (watch, asks)]
        for thread in threads:
            thread.start()
        for apps in (5, 4, 6, 2, 7, 5, 5, 3, 5, 9):
            daemon.reload(config(port, apps))
            time.sleep(0.5)
        check(daemon.reload({"server": {"workers": "x"}}, code=2), "one that is refused")
        until(lambda: prometheus.value("edgesteer_reloads_total{result='failed'}") == 1, harness.PATIENCE_S, "all are scraped")
        stop.set()
        for thread in threads:
            thread.join(harness.PATIENCE_S)
        equal(fallen, [], "counters that fell")
        check(len(seen) > 60, len(seen))
        equal(prometheus.query('resets({__name__=~".*_(total|bucket|count|sum)", job="edgesteer"}[5m]) > 0'), [])
        check(prometheus.value("edgesteer_reloads_total{result='ok'}") == 10, "reloads")
        check(prometheus.value(f'increase(edgesteer_answers_total{{app="{APP}",site="us-east-1"}}[5m])') > 0, "answers")
        equal(prometheus.value("min_over_time(up[5m])"), 1, "every scrape succeeded")
        equal(prometheus.value("edgesteer_last_reload_ok"), 0)
        daemon.write_config(config(port, 5))


def alerts_fire():
    """The alerts on a real daemon, without their patience: none when all is well, and each in its scenario."""
    port = free_port()
    rules = re.sub(r"\n +for: .*", "", RULES.read_text())
    with Responder("127.0.0.1") as east, Responder("127.0.0.3", east.port) as west:
        with Daemon(config(port, 1, east.port)) as daemon, Prometheus(daemon, port, rules) as prometheus:
            def fires(alert, *others):
                until(lambda: alert in prometheus.firing(), 30 * pace(), f"{alert} fires", 0.1)
                check(prometheus.firing() <= {alert, *others}, prometheus.firing())

            time.sleep(1)
            equal(prometheus.firing(), set(), "all is well")
            west.status = 503
            fires("EdgesteerTargetDown")
            east.status = 503
            fires("EdgesteerAppWithoutTarget", "EdgesteerTargetDown")
            for _ in range(20):
                daemon.query(APP)
                time.sleep(0.05)
            more = {"EdgesteerTargetDown", "EdgesteerAppWithoutTarget", "EdgesteerFailOpen"}
            fires("EdgesteerFailOpen", *more)
            for site in "us-east-1", "us-west-2":
                daemon.ctl("drain", "--force", site)
            for _ in range(20):
                daemon.query(APP)
                time.sleep(0.05)
            fires("EdgesteerLastResort", *more, "EdgesteerServfail")
            fires("EdgesteerServfail", *more, "EdgesteerLastResort")
            check("EdgesteerTargetDown" not in prometheus.firing(), "what is drained is not down")
            daemon.reload({"server": {"workers": "x"}}, code=2)
            fires("EdgesteerReloadFailed", *more, "EdgesteerLastResort", "EdgesteerServfail")
            daemon.kill()
            until(lambda: "EdgesteerDown" in prometheus.firing(), 30 * pace(), "EdgesteerDown fires", 0.1)


def waits_while_scraped(daemon, port):
    """The longest wait of each verb, by name, while one scrape follows another."""
    # In a process of its own: one that is busy with what it has got would keep the asker of this one waiting.
    loop = f"import urllib.request\nwhile True: print(len(urllib.request.urlopen('http://127.0.0.1:{port}/metrics').read()), flush=True)"
    with subprocess.Popen([sys.executable, "-c", loop], stdout=subprocess.PIPE) as scraper:
        try:
            asker = Asker(daemon, VERBS)
            for _ in range(10):
                check(int(scraper.stdout.readline()) > 1e6, "all of it")
            until(lambda: all(asker.times.values()), harness.PATIENCE_S, "each verb was asked for")
            return {verb: times[-1] for verb, times in asker.end().items()}
        finally:
            scraper.kill()


def many_targets():
    """Ten thousand apps at ten sites: scraped within half a second, and no verb waits for it."""
    sites = ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "sa-east-1", "ca-central-1",
             "ap-northeast-1"]
    port = free_port()
    big = config(port)
    big["sites"] = {site: {} for site in sites}
    big["apps"] = {f"app{i}.edge.example.com": {"targets": {site: {"addresses": [f"10.{i >> 8}.{i & 255}.{k + 1}"]}
                                                            for k, site in enumerate(sites)}} for i in range(10000)}
    with Daemon(big) as daemon:
        times, own, used_s = [], [], harness.cpu_s(daemon.process.pid) + time.thread_time()
        for _ in range(5):
            held, begun = Withheld(daemon.process.pid), time.monotonic()
            text = scrape(port)
            times.append(time.monotonic() - begun)
            own.append(max(0, times[-1] - held.s()))
        equal(text.count("\nedgesteer_answers_total{"), 100001)
        equal(text.count("\nedgesteer_target_up{"), 100000)
        used_s = (harness.cpu_s(daemon.process.pid) + time.thread_time() - used_s) / len(times)
        print(f"  a scrape takes {min(times):.3f} s, {used_s:.3f} s of the processor with its reader")
        check(min(own) < 0.5 * harness.slowness(), f"a scrape took {min(own):.3f} s of its own, {min(times):.3f} in all")
        check(used_s < 0.5 * harness.slowness(), f"a scrape takes {used_s:.3f} s of the processor")
        # Work that held the main thread up would do so each time, a machine that is busy otherwise does not.
        for attempt in range(3):
            worst = waits_while_scraped(daemon, port)
            print("  meanwhile, ms:", ", ".join(f"{verb} {1e3 * wait:.1f}" for verb, wait in worst.items()))
            if max(worst.values()) < 0.05 * harness.slowness() or attempt == 2:
                break
        check(max(worst.values()) < 0.05 * harness.slowness(), worst)
        # Peers that ask and do not read: nobody else goes without, and one address has no more than two.
        with contextlib.ExitStack() as stack:
            def asks_and_sleeps(source):
                sock = stack.enter_context(socket.socket())
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.bind((source, 0))
                sock.connect(("127.0.0.1", port))
                sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                return sock.recv(15)

            for source in (5, 5, 6, 6, 7, 7, 8):
                equal(asks_and_sleeps(f"127.0.0.{source}"), b"HTTP/1.1 200 OK", source)
            equal(asks_and_sleeps("127.0.0.8"), b"HTTP/1.1 200 OK")
            equal(asks_and_sleeps("127.0.0.8"), b"HTTP/1.1 503 Se")
            equal(scrape(port).count("\nedgesteer_target_up{"), 100000)


if __name__ == "__main__":
    harness.run(with_the_tools, what_it_says, through_reloads, alerts_fire, many_targets)
