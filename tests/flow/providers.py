"""Targets that come by themselves: a plugin outside the tree, built as a stranger would; the examples of the manual; what
a reload, a restart and an override do to them."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import harness
from harness import Daemon, Skip, check, equal, until

ZONE = {"e.x": {"ns": ["n.x"]}}
SLOW_S = 20
FACES = pathlib.Path(harness.program("edgesteerd")).parent / "tests" / "plugins" / "faces.so"


def config(*providers, folder=None, **more):
    server = {"plugin-dir": str(folder)} if folder else {}
    return {"server": server, "domains": ZONE, "providers": list(providers), "defaults": {"ttl": "7s"}, **more}


def answers(daemon, name):
    return daemon.query(name).addresses


def gives(daemon, name, *addresses, within_s=SLOW_S):
    until(lambda: answers(daemon, name) == sorted(addresses), within_s * harness.slowness(), f"{name}: {addresses}", 0.05)


def source(daemon, name):
    return next(one for one in daemon.ctl_json("sources")["sources"] if one["name"] == name)


def script(daemon, name, text):
    path = daemon.write(name + ".new", text)
    path.chmod(0o755)
    path.rename(daemon.folder / name)


def build_outside(folder):
    """plugins/template.c as `mine`, against an installed header that pkg-config finds."""
    build = pathlib.Path(harness.program("edgesteerd")).parent
    compiler = shutil.which(os.environ.get("CC", "cc").split()[0])
    if not compiler or not shutil.which("pkg-config") or not (build / "Makefile").exists():
        raise Skip("no compiler, no pkg-config, or not in a build's folder")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    root = folder / "root"
    made = subprocess.run(["make", "-C", build, "install-includeHEADERS", "install-nodist_pkgconfigDATA",
                           f"DESTDIR={root}"], env=env, capture_output=True, text=True, timeout=60, check=False)
    equal(made.returncode, 0, made.stderr)
    found, = root.rglob("edgesteer-plugin.pc")
    env.update(PKG_CONFIG_PATH=str(found.parent), PKG_CONFIG_SYSROOT_DIR=str(root))
    flags = subprocess.run(["pkg-config", "--cflags", "edgesteer-plugin"], env=env, capture_output=True, text=True,
                           check=True).stdout.split()
    header = (harness.TOP / "plugins" / "edgesteer-plugin.h").read_text()
    abi = ".".join(re.search(rf"^#define EDGESTEER_PLUGIN_ABI_{part} (\d+)$", header, re.M)[1] for part in ("MAJOR", "MINOR"))
    equal(subprocess.run(["pkg-config", "--modversion", "edgesteer-plugin"], env=env, capture_output=True, text=True,
                         check=True).stdout, abi + "\n")
    # The header of the tree must not be found by chance.
    text = (harness.TOP / "plugins" / "template.c").read_text().replace("template", "mine")
    (folder / "mine.c").write_text(text)
    subprocess.run([compiler, "-std=c11", "-Wall", "-Werror", "-shared", "-fPIC", *flags, "-o", folder / "mine.so",
                    folder / "mine.c"], check=True, cwd=folder)


def test_outside():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="edgesteer-plugins-"))
    try:
        build_outside(folder)
        mine = {"plugin": "mine", "app": "a.e.x", "address": "192.0.2.9"}
        with Daemon(config(mine, folder=folder)) as d:
            gives(d, "a.e.x", "192.0.2.9")
            # What cannot be loaded is refused, and the old state serves on.
            for name, said in (("wrong-abi", "another major version of the plugin contract"),
                               ("no-symbol", "has no symbol edgesteer_plugin_no_symbol"),
                               ("closed", "failed without reporting an error"),
                               ("no-list", "has no provide(), which `providers` needs")):
                shutil.copy(FACES, folder / f"{name}.so")
                done = d.reload(config(mine, {"plugin": name}, folder=folder), code=2)
                check(said in done.out + done.err, name, done)
                equal(answers(d, "a.e.x"), ["192.0.2.9"])
            test = subprocess.run([harness.program("edgesteerd"), "-t", "-c", d.config_path], capture_output=True, text=True,
                                  env=harness.program_env(), check=False)
            check(test.returncode == 2 and "no provide()" in test.stderr, test)
            d.reload(config({**mine, "address": "192.0.2.10"}, folder=folder))
            gives(d, "a.e.x", "192.0.2.10")
            d.reload(config(folder=folder))
            until(lambda: answers(d, "a.e.x") == [], SLOW_S, "the provider's app is gone")
    finally:
        shutil.rmtree(folder)


def test_readiness():
    """What a source says of its servers: none ready for `fall` intervals takes a target down, one ready brings it back;
    an app of the config may live on what is provided alone."""
    check_ = {"tcp": {"type": "tcp", "port": 1, "interval": "100ms", "timeout": "50ms", "fall": 3}}
    apps = {"a.e.x": {"check": "tcp", "ttl": "5s"}}
    target = {"app": "a.e.x", "addresses": ["192.0.2.1"]}
    provider = {"plugin": "exec", "command": ["./p"], "health": "endpoints"}
    line = "echo '{{\"list\": {}}}'\n"
    with Daemon(config(provider, apps=apps, checks=check_), start=False) as d:
        script(d, "p", "#!/bin/sh\nexec sleep 1000\n")
        d.start()
        equal(d.query("a.e.x").rcode, 2) # SERVFAIL: it has no target yet
        provider = {**provider, "command": ["./q"]}
        script(d, "q", "#!/bin/sh\n" + line.format(json.dumps([
            {**target, "site": "us-east-1", "ready": False},
            {**target, "addresses": ["192.0.2.2"], "site": "us-west-2", "ready": True}])) + "exec sleep 1000\n")
        d.reload(config(provider, apps=apps, checks=check_))
        gives(d, "a.e.x", "192.0.2.2")
        state = {one["site"]: one for one in d.ctl_json("apps", "a.e.x")["apps"][0]["targets"]}
        equal((state["us-east-1"]["state"], state["us-east-1"]["provider_says"]), ("down", "unready"))
        equal((state["us-west-2"]["state"], state["us-west-2"]["provider_says"]), ("up", "ready"))
        explained = d.ctl("explain", "a.e.x", "--client", "192.0.2.1", as_json=False).out
        check("down (no server ready)" in explained, explained)
        check("no server ready" in d.ctl("targets", as_json=False).out, "the table of targets")
        # With `both` the app's check counts too, which nothing answers.
        d.reload(config({**provider, "health": "both"}, apps=apps, checks=check_))
        until(lambda: {one["state"] for one in d.ctl_json("apps", "a.e.x")["apps"][0]["targets"]} == {"down"}, SLOW_S,
              "both are down")


def test_reload_and_restart():
    targets = "app,site,address\na.e.x,us-east-1,192.0.2.1\nb.e.x,us-east-1,192.0.2.2\n"
    apps = {"c.e.x": {"targets": {"us-west-2": {"addresses": ["192.0.2.3"]}}}}
    both = config({"plugin": "file", "file": "t.csv", "grace": "1s"}, sites={"us-west-2": {}}, apps=apps)
    with Daemon(both, files={"t.csv": targets + "c.e.x,us-east-1,192.0.2.4\nc.e.x,us-west-2,192.0.2.5\n"}) as d:
        gives(d, "a.e.x", "192.0.2.1")
        gives(d, "b.e.x", "192.0.2.2")
        # Each says where it comes from.
        equal(d.ctl_json("targets", "a.e.x")["targets"][0]["provider"], "file t.csv: a.e.x us-east-1")
        equal(d.ctl_json("apps", "a.e.x")["apps"][0]["targets"][0]["provider"], "file t.csv: a.e.x us-east-1")
        check("file t.csv: a.e.x us-east-1" in d.ctl("targets", as_json=False).out, "the table of targets")
        # The config's own target at the site of its app is the one that is used.
        until(lambda: source(d, "file t.csv")["unused"] == 1, SLOW_S, "one is not used")
        equal({(one["site"], *one["addresses"]) for one in d.ctl_json("apps", "c.e.x")["apps"][0]["targets"]},
              {("us-west-2", "192.0.2.3"), ("us-east-1", "192.0.2.4")})
        # An override stays with its target while others come and go.
        d.ctl("force", "a.e.x/us-east-1", "down")
        d.write("new.csv", targets + "d.e.x,us-east-1,192.0.2.6\n").rename(d.folder / "t.csv")
        gives(d, "d.e.x", "192.0.2.6")
        state = d.ctl_json("apps", "a.e.x")["apps"][0]["targets"][0]
        equal((state["state"], state["forced"]), ("down", "down"))
        d.ctl("force", "a.e.x/us-east-1", "auto")
        d.write("new.csv", targets).rename(d.folder / "t.csv")
        until(lambda: answers(d, "d.e.x") == [], SLOW_S, "what has vanished is gone after its grace time")
        # While the source is away, what it gave serves on, also after a start.
        (d.folder / "t.csv").unlink()
        until(lambda: source(d, "file t.csv")["state"] == "away", SLOW_S, "the source is away")
        d.restart()
        equal(answers(d, "a.e.x"), ["192.0.2.1"])  # from the first answer on
        equal(source(d, "file t.csv")["stale"], 2)
        d.write("new.csv", targets).rename(d.folder / "t.csv")
        until(lambda: source(d, "file t.csv")["stale"] == 0, SLOW_S, "confirmed")
        table = d.ctl("sources", as_json=False).out
        check("file t.csv" in table and "current" in table and "2 targets" in table, table)


def test_exec():
    lines = '#!/bin/sh\nPATH=/bin:/usr/bin\necho $$ >"${0%/*}/pid"\n' \
            'echo \'{"list": [{"app": "a.e.x", "site": "us-east-1", "addresses": "192.0.2.1"}]}\'\nsleep 1000\n'
    with Daemon(config({"plugin": "exec", "command": ["./p"]}), start=False) as d:
        script(d, "p", lines)
        d.start()
        gives(d, "a.e.x", "192.0.2.1")
        first = int((d.folder / "pid").read_text())
        os.kill(first, signal.SIGKILL)
        until(lambda: int((d.folder / "pid").read_text() or first) != first, SLOW_S, "it is started again")
        equal(answers(d, "a.e.x"), ["192.0.2.1"])
        check("has ended: signal 9: its last targets serve on" in d.log(), "the log")
        second = int((d.folder / "pid").read_text())
        d.stop()
        check(not os.path.exists(f"/proc/{second}"), "it goes with the daemon")


def test_stop_while_plugins_are_opened():
    program = {"plugin": "exec", "command": ["./p"]}
    with Daemon(config(), start=False) as d:
        script(d, "p", CHURN)
        shutil.copy(FACES, d.folder / "slow.so")
        d.write_config(config(program, folder=d.folder))
        d.start()
        until(lambda: source(d, "exec")["targets"] > 0, SLOW_S, "it has targets")
        # The builder opens the new one, and then looks for the one that runs.
        d.write_config(config({"plugin": "slow"}, program, folder=d.folder))
        d.signal(signal.SIGHUP)
        until(lambda: d.ctl_json("status").get("reload_began"), SLOW_S, "a reload is under way")
        time.sleep(0.2)
        equal(d.stop(), 0)
        check("exiting without it" not in d.log() and "says nothing of its servers" not in d.log(), "the log")


CHURN = """#!/usr/bin/python3
import json, time
def say(**line):
    print(json.dumps(line), flush=True)
east = {"app": "a.e.x", "site": "us-east-1", "addresses": ["127.0.0.1"], "ready": False}
west = {"app": "a.e.x", "site": "us-west-2", "addresses": ["127.0.0.3"], "ready": True}
say(list=[east, west])
for number in range(100000):
    time.sleep(0.05)
    say(add={"app": f"n{number}.e.x", "site": "us-east-1", "addresses": ["127.0.0.3"]})
    if number:
        say(remove=f"n{number - 1}.e.x us-east-1")
    say(commit=True)
"""


def test_unready_while_others_come_and_go():
    """What a provider says of a target's servers holds from the first answer of every generation on."""
    sites = {name: {"block": ["127.0.0.0/8"]} for name in ("us-east-1", "us-west-2")}
    with harness.Responder() as lb, harness.Responder("127.0.0.3", lb.port):
        churn = {"plugin": "exec", "command": ["./p"], "grace": "0s"}
        check_ = {"type": "tcp", "port": lb.port, "interval": "1s", "timeout": "500ms", "rise": 1, "fall": 1}
        both = config(churn, sites=sites, checks={"c": check_}, defaults={"ttl": "7s", "check": "c"})
        with Daemon(both, start=False) as d:
            script(d, "p", CHURN)
            d.start()
            gives(d, "a.e.x", "127.0.0.3")
            began = d.ctl_json("status")["generation"]
            end = time.monotonic() + 3 * harness.slowness()
            while time.monotonic() < end:
                equal(answers(d, "a.e.x"), ["127.0.0.3"])
            check(d.ctl_json("status")["generation"] >= began + 10, "generations have come and gone")


def manual_examples():
    """The two programs of edgesteer-plugins(7) that give targets, as man shows them; tests/flow/lookups.py has the third."""
    text = (harness.TOP / "conf" / "edgesteer-plugins.7").read_text().replace("\\e", "\\")
    python, _ = re.findall(r"^\.Bd[^\n]*\n(#!/usr/bin/python3\n.*?)^\.Ed$", text, re.M | re.S)
    shell, = re.findall(r"^\.Bd[^\n]*\n(#!/bin/sh\n.*?)^\.Ed$", text, re.M | re.S)
    check(python.count("\n") <= 18 and shell.count("\n") <= 10, "as short as the manual says")
    return python, shell


AWS = """#!/bin/sh
[ "$1 $2 $3" = "elbv2 describe-load-balancers --output" ] || exit 9
cat <<'JSON'
{
    "list": [
        {
            "key": "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/edge-1/0a",
            "alias": "edge-1.us-east-1.elb.amazonaws.com",
            "site": "us-east-1-wl1-bos-wlz-1"
        },
        {
            "key": "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/edge-2/0b",
            "alias": "edge-2.us-east-1.elb.amazonaws.com",
            "site": "us-east-1a"
        }
    ]
}
JSON
"""


def test_manual():
    python, shell = manual_examples()
    with Daemon(config(), start=False) as d:
        script(d, "watch.py", python)
        script(d, "lbs.sh", shell)
        script(d, "aws", AWS)
        folder = d.folder / "targets"
        folder.mkdir()
        one = folder / "one.json"
        one.write_text(json.dumps({"app": "a.e.x", "site": "us-east-1", "addresses": ["192.0.2.1"]}))
        d.write_config(config(
            {"plugin": "exec", "command": ["watch.py"], "env": {"TARGETS": str(folder)}, "grace": "0s"},
            {"plugin": "exec", "command": ["lbs.sh", "shop.e.x"], "env": {"PATH": f"{d.folder}:/usr/bin:/bin"}}))
        d.start()
        gives(d, "a.e.x", "192.0.2.1")
        new = folder / "new"
        new.write_text(json.dumps({"app": "a.e.x", "site": "us-east-1", "addresses": ["192.0.2.2"]}))
        new.rename(one)
        gives(d, "a.e.x", "192.0.2.2")
        one.unlink()
        gives(d, "a.e.x")
        until(lambda: source(d, "exec #2")["targets"] == 2, SLOW_S, "the load balancers", 0.05)
        equal(source(d, "exec #2")["state"], "current")
        equal({target["site"] for target in d.ctl_json("apps", "shop.e.x")["apps"][0]["targets"]},
              {"us-east-1-wl1-bos-wlz-1", "us-east-1a"})


if __name__ == "__main__":
    harness.run(test_outside, test_readiness, test_reload_and_restart, test_exec, test_unready_while_others_come_and_go,
                test_stop_while_plugins_are_opened, test_manual, limit_s=120)
