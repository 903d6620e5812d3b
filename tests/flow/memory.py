"""A generation's memory goes back to the system when it is retired: soon after five reloads of the whole Internet's
prefixes and 80,000 targets the daemon is hardly larger than after the first load, and at no moment twice as large, or a
little more. The table is made by bench/make-internet from Debian's packages."""

import shutil
import subprocess
import threading
import time

import busy
import harness
from harness import Daemon, Skip, check, until

ZONE = "edge.example.com"
SITES = ["us-east-1", "us-east-2", "us-west-2", "eu-central-1", "eu-west-1", "ap-northeast-1", "sa-east-1", "ap-south-1",
         "us-east-1-wl1-bos-wlz-1", "eu-central-1-wl1-ber-wlz-1"]
SETS, APPS, RELOADS = 10, 20000, 5
AFTER_MAX, PEAK_MAX = 1.3, 2.2


def config(table):
    def app(sites):
        return {"targets": {site: {"addresses": [f"192.0.2.{SITES.index(site) + 1}"]} for site in sites}}

    # Sets of sites without weights each have a table of their own; most apps share one.
    apps = {f"set{i}.{ZONE}": app([SITES[i], *(site for k, site in enumerate(SITES[:8]) if (i + k) % 3 == 0 and k != i)])
            for i in range(SETS)}
    apps |= {f"app{i}.{ZONE}": app(SITES[:4]) for i in range(APPS)}
    return {"domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": table}], "sites": {site: {} for site in SITES},
            "apps": apps}


def memory_mb(pid):
    """Resident now, and at most so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


class Watch:
    """Asks over the control socket without a pause; the longest that an answer took, in milliseconds, without the time for
    which the kernel let others run in the place of the daemon's main thread or of this one."""

    def __init__(self, daemon):
        self.daemon, self.worst_ms, self.going = daemon, 0, True
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with self.daemon.control() as order:
            while self.going:
                begun, before_ns = time.monotonic(), self.waited_ns()
                order("version")
                took_ms = (time.monotonic() - begun) * 1000 - (self.waited_ns() - before_ns) / 1e6
                self.worst_ms = max(self.worst_ms, took_ms)
                time.sleep(0.005)

    def waited_ns(self):
        pid = self.daemon.process.pid
        return busy.waited_ns(f"/proc/{pid}/task/{pid}/schedstat") + busy.waited_ns("/proc/thread-self/schedstat")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()


def given_back():
    if harness.sanitizer():
        raise Skip("a sanitizer has an allocator of its own")
    if not shutil.which("location"):
        raise Skip("no table of the Internet: packages libloc-database and location")
    with Daemon(config("internet.csv"), workers=1, start=False) as d:
        with open(d.folder / "internet.csv", "wb") as file:
            subprocess.run([str(harness.TOP / "bench/make-internet")], stdout=file, check=True)
        d.start()
        first, _ = memory_mb(d.process.pid)
        # Over a connection: starting a program for each may hold up the watch, a thread of the same process.
        with Watch(d) as watch, d.control() as order:
            for _ in range(RELOADS):
                order("reload")
            until(lambda: memory_mb(d.process.pid)[0] <= AFTER_MAX * first, harness.PATIENCE_S, "it is given back")
            time.sleep(1)
        now, peak = memory_mb(d.process.pid)
        print(f"{first:.0f} MB after the first load; after {RELOADS} reloads {now:.0f} MB ({now / first:.2f} times), at most "
              f"{peak:.0f} MB ({peak / first:.2f} times); the slowest answer of the control socket took {watch.worst_ms:.1f} ms")
        check(now <= AFTER_MAX * first, f"{now:.0f} MB, {AFTER_MAX} times {first:.0f} MB at most")
        check(peak <= PEAK_MAX * first, f"{peak:.0f} MB at the peak, {PEAK_MAX} times {first:.0f} MB at most")


if __name__ == "__main__":
    harness.run(given_back, limit_s=240)
