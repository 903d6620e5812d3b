"""A state folder on a disk of its own that is filled up, or mounted read-only, while everything that is saved is written: the
daemon serves on, takes what it may, says what it could not keep, and has saved all of it a while after there is room again.
Mounts are made in a namespace of this process, which needs root."""

import contextlib
import ctypes
import errno
import os
import urllib.request

import door
import harness
import observe
from harness import Daemon, Responder, Skip, check, equal, until

CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_REC, MS_PRIVATE = 0x20000, 1, 32, 0x4000, 1 << 18
DISK_SIZE = "4m"
CHECKED, APP = "checked.e.x", observe.APP
FIRST = "10.10.1.0/24"  # of whom it is learned that nyc is nearer


def private_mounts():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise Skip(f"no namespace of mounts can be made: {os.strerror(ctypes.get_errno())}")
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        check(ctypes.get_errno() == errno.EINVAL, "mounts stay shared", os.strerror(ctypes.get_errno()))
        raise Skip("mounts stay shared, as the root is no mount: it has been changed")
    return libc


class Disk:
    """A file system of a few MiB at a folder."""

    def __init__(self, folder):
        self.folder, self.libc = folder, private_mounts()
        folder.mkdir()
        self.mount(0, f"size={DISK_SIZE},mode=755")

    def mount(self, flags, options=""):
        if self.libc.mount(b"tmpfs", str(self.folder).encode(), b"tmpfs", flags, options.encode()) != 0:
            raise Skip(f"nothing can be mounted: {os.strerror(ctypes.get_errno())}")

    def fill(self):
        """To the last octet."""
        with open(self.folder / "ballast", "ab", buffering=0) as file:
            for size in (1 << 16, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        check(file.write(bytes(size)) > 0)
        with open(self.folder / "more", "wb", buffering=0) as file, contextlib.suppress(OSError):
            check(file.write(b"x") == 0, "there is room")

    def empty(self):
        for name in "ballast", "more":
            (self.folder / name).unlink()

    def read_only(self):
        if self.libc.mount(None, str(self.folder).encode(), None, MS_REMOUNT | MS_RDONLY, None) != 0:
            raise Skip(f"nothing can be mounted read-only: {os.strerror(ctypes.get_errno())}")

    def writable(self):
        self.mount(MS_REMOUNT)

    def gone(self):
        self.libc.umount2(str(self.folder).encode(), 2)


class Bench:
    """A daemon on such a disk: checks, what is learned, and a door with tokens."""

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip("only root can mount")
        self.responder, self.port = Responder("127.0.1.1"), harness.free_port()
        check_ = {"type": "http", "port": self.responder.port, "path": "/", "interval": "100ms", "timeout": "90ms", "rise": 1, "fall": 1}
        config = observe.config(http=[{"listen": f"127.0.0.1@{self.port}", "tokens": "tokens"}])
        config["checks"] = {"c": check_}
        config["apps"][CHECKED] = {"targets": {
            "region": {"addresses": ["203.0.113.1"], "check": "c", "check-address": "127.0.1.1"}}}
        self.d = Daemon(config, files={"clients.csv": observe.CLIENTS}, start=False)
        self.d.write("tokens", door.TOKENS).chmod(0o600)
        try:
            self.disk = Disk(self.d.folder / "state")
            self.d.start()
        except BaseException:
            self.d._end()
            self.responder.close()
            raise
        self.d.__enter__()
        until(lambda: self.health() == "up", harness.PATIENCE_S, "it is up")
        return self

    def __exit__(self, *error):
        try:
            self.d.__exit__(*error)
        finally:
            self.disk.gone()
            self.responder.close()

    def health(self):
        return self.d.ctl_json("apps", CHECKED)["apps"][0]["targets"][0]["state"]

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=harness.PATIENCE_S) as reply:
            text = reply.read().decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


def goes_on(bench, why):
    """Everything that is saved, while nothing can be: it is done where it may be, and told."""
    d = bench.d
    refused = d.ctl("drain", "ber", "--reason", "no", code=1)
    check(why in refused.err and "with --volatile it is done" in refused.err, refused)
    equal([row["site"] for row in d.ctl_json("drains")["drains"]], ["bos"], "what was refused has not happened")
    given = d.ctl("drain", "ber", "--volatile", "--reason", "fire")
    check(given.json["volatile"] and "in memory only" in given.err, given)
    ended = d.ctl("undrain", "bos", "--volatile")
    check(ended.json["volatile"], ended)
    # Health, what is learned, reports.
    bench.responder.status = 503
    until(lambda: bench.health() != "up", harness.PATIENCE_S, "health is published")
    observe.observe(d, observe.lines("10.10.1.", {"bos": 40, "nyc": 20}))
    observe.learns(d, FIRST, "nyc", 20)
    d.ctl("report", f"{APP}/nyc", "up", "--vantage", "modem")
    equal([row["name"] for row in d.ctl_json("vantages")["vantages"] if row["name"] == "modem"], ["modem"])
    # Reloads and answers.
    d.ctl("reload")
    equal(len(d.query(APP, ecs="10.10.9.0/24").addresses), 1)
    # What cannot be kept is told, everywhere.
    until(lambda: "not_kept_since" in d.ctl_json("status"), harness.PATIENCE_S, "status tells that health is not saved", 0.2)
    status = d.ctl_json("status")
    check(why in status["changes_refused"]["why"] and (status["volatile_count"], status["volatile_undrain_count"]) == (2, 1), status)
    shown = d.ctl("status", as_json=False).out
    for said in "changes are REFUSED", "NOT SAVED: 1 drain is held", "NOT SAVED: 1 drain is taken back", "NOT SAVED since":
        check(said in shown, said, shown)
    found = d.ctl("check", code=None).json
    check(all(said in found["found"] for said in ("overrides are refused", "cannot be saved", "2 changes of drains are in memory only")), found)
    equal([bench.metric(f"edgesteer_{name}") for name in ("overrides_unsaved", "state_unsaved", "overrides_volatile")], [1, 1, 2])
    check(why in d.log() and "health is not saved until it can be" in d.log(), d.log())


def comes_back(bench):
    """All of it is saved by itself, and there after a kill -9."""
    d = bench.d
    until(lambda: d.ctl_json("status")["volatile_count"] == 0, harness.PATIENCE_S, "the drains are saved", 0.1)
    until(lambda: "not_kept_since" not in d.ctl_json("status"), harness.PATIENCE_S, "the rest is", 0.2)
    check("changes_refused" not in d.ctl_json("status"))
    until(lambda: [bench.metric(f"edgesteer_{name}") for name in ("overrides_unsaved", "state_unsaved", "overrides_volatile")] == [0, 0, 0],
          harness.PATIENCE_S, "the metrics say so")
    d.ctl("drain", "region", "--app", APP, "--force", "--reason", "after")
    expected = [("ber", "fire"), ("region", "after")]
    equal([(row["site"], row["reason"]) for row in d.ctl_json("drains")["drains"]], expected)
    d.kill()
    bench.responder.down()  # what is known of its health, it must know from before
    d.start(wait=False)
    d.wait_ready()
    equal([(row["site"], row["reason"]) for row in d.ctl_json("drains")["drains"]], expected)
    observe.learns(d, FIRST, "nyc", 20)
    equal([(row["site"], row["how"]) for row in d.ctl_json("drains", "--ended")["ended"]], [("bos", "taken back")])


def full():
    with Bench() as bench:
        bench.d.ctl("drain", "bos")
        bench.disk.fill()
        goes_on(bench, "No space left on device")
        bench.disk.empty()
        comes_back(bench)


def read_only():
    """It was mounted so before the start: the kernel makes nothing read-only in which files are open for writing."""
    with Bench() as bench:
        bench.d.ctl("drain", "bos")
        bench.d.kill()
        bench.disk.read_only()
        bench.d.start()
        goes_on(bench, "Read-only file system")
        bench.disk.writable()
        comes_back(bench)


def full_at_the_start():
    """One that starts on a full disk has what the files have; what it says to have saved, in room that they had, is saved."""
    with Bench() as bench:
        d = bench.d
        d.ctl("drain", "bos", "--reason", "before")
        d.kill()
        bench.disk.fill()
        d.start()
        expected = ["bos"]
        equal([row["site"] for row in d.ctl_json("drains")["drains"]], expected)
        for site in "ber", "nyc", "region":
            done = d.ctl("drain", site, "--force", code=None)
            check(done.code == 0 or "No space left on device" in done.err, done)
            expected += [site] if done.code == 0 else []
        d.kill()
        d.start()
        equal([row["site"] for row in d.ctl_json("drains")["drains"]], expected)
        d.ctl("drain", "ber", "--volatile", "--reason", "after")
        bench.disk.empty()
        until(lambda: d.ctl_json("status")["volatile_count"] == 0, harness.PATIENCE_S, "it is saved", 0.1)
        d.kill()
        d.start()
        equal([row["reason"] for row in d.ctl_json("drains")["drains"] if row["site"] == "ber"], ["after"])


if __name__ == "__main__":
    harness.run(full, read_only, full_at_the_start, limit_s=120)
