"""Measured round trips, without any service: by edgesteerctl, a file, a socket and the HTTP door they make learned prefixes,
within reach, kept over a crash; one host that lies persuades nobody; a share of prefixes explores; the recipes work."""

import grp
import json
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import time

import harness
import statefiles
from fastclock import FastClock
from harness import Daemon, Skip, check, equal, program, until

APP = "app.e.x"
ADDRESSES = {"bos": "192.0.2.1", "nyc": "192.0.2.2", "ber": "192.0.2.3", "region": "192.0.2.4"}
CLIENTS = ("prefix,carrier,latitude,longitude,class\n10.10.0.0/16,verizon,42.3,-71.0,\n10.11.0.0/16,verizon,42.3,-71.0,roaming\n"
           "10.20.0.0/16,vodafone-de,52.5,13.4,\n10.30.0.0/16,verizon,,,\n2001:db8:1::/48,verizon,42.3,-71.0,\n")
RECIPES = pathlib.Path(harness.TOP) / "conf" / "observe"


def config(learned=None, http=None, **observe):
    return {
        "server": {"http": http} if http else {}, "domains": {"e.x": {"ns": ["n.x"]}},
        "locate": [{"plugin": "ranges", "file": "clients.csv"}],
        "learned": {"agree": 2, **(learned or {})}, "observe": observe,
        "sites": {"bos": {"kind": "wavelength", "reach": ["verizon"], "location": [42.36, -71.06]},
                  "nyc": {"kind": "wavelength", "reach": ["verizon"], "location": [40.71, -74.0]},
                  "ber": {"kind": "wavelength", "reach": ["vodafone-de"], "location": [52.52, 13.4]},
                  "region": {"kind": "region", "location": [39.04, -77.49]}},
        "apps": {APP: {"ttl": "20s", "targets": {site: {"addresses": [address]} for site, address in ADDRESSES.items()}}},
    }


def daemon(**more):
    return Daemon(config(**more), files={"clients.csv": CLIENTS})


def site(d, client):
    addresses = d.query(APP, ecs=client).addresses
    equal(len(addresses), 1, client)
    return next(name for name, address in ADDRESSES.items() if address == addresses[0])


def learns(d, client, expected, within_s=10):
    until(lambda: site(d, client) == expected, within_s * harness.slowness(), f"{client} is answered with {expected}", 0.02)


def stays(d, client, expected, for_s=0.7):
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        equal(site(d, client), expected, client)
        time.sleep(0.01)


def lines(prefix, sites, hosts=("a", "b", "c"), each=3, first=1):
    """Of `each` clients of a prefix for each host; `sites` gives milliseconds, of a host where it is a mapping."""
    return "".join(f"{prefix}{first + i} {name} {ms if not isinstance(ms, dict) else ms.get(host, ms['else'])} {host}\n"
                   for name, ms in sites.items() for i in range(each) for host in hosts)


def observe(d, text, code=0):
    done = subprocess.run([program("edgesteerctl"), "-s", str(d.socket_path), "--json", "observe", "-"], input=text, text=True,
                          capture_output=True, timeout=60, env=harness.program_env(), check=False)
    equal(done.returncode, code, done)
    return done


def taken(d):
    return d.ctl_json("stats")["observed"]


def until_taken(d, count):
    until(lambda: taken(d) >= count, 10 * harness.slowness(), f"{count} are taken", 0.02)


def test_learns():
    with daemon() as d:
        equal(site(d, "10.10.1.0/24"), "bos", "by the table")
        observe(d, lines("10.10.1.", {"bos": 40, "nyc": 20}) + lines("10.10.2.", {"bos": 20, "nyc": 19}) +
                lines("10.10.3.", {"bos": 40, "nyc": 20}, hosts="a") + lines("10.10.4.", {"bos": 40, "nyc": 20}, each=1) +
                lines("10.10.5.", {"bos": 40, "ber": 1}) + lines("10.11.1.", {"nyc": 1, "region": 90}) +
                lines("10.10.6.", {"nyc": 12}) + lines("10.10.7.", {"nowhere": 1}) + lines("2001:db8:1::", {"bos": 40, "nyc": 20}))
        for client, expected in (("10.10.1.0/24", "nyc"), ("2001:db8:1::/56", "nyc")):
            learns(d, client, expected)
        for client, expected in (("10.10.2.0/24", "bos"),  # not by the margin
                                 ("10.10.3.0/24", "bos"),  # of one host
                                 ("10.10.4.0/24", "bos"),  # too few
                                 ("10.10.5.0/24", "bos"),  # out of reach
                                 ("10.11.1.0/24", "region"),  # of another class
                                 ("10.10.6.0/24", "bos"),  # not better than the table's estimate
                                 ("10.10.7.0/24", "bos")):  # no such site
            stays(d, client, expected, 0.2)
        equal(d.query(APP, ecs="10.10.1.0/24").scope, 24)
        stats = d.ctl_json("stats")
        equal((stats["observed_out_of_reach"], stats["observed_unknown_sites"], stats["learned"]), (18, 9, 2))
        for said in ("the site ber was measured by a client of verizon, which cannot reach it", "nowhere was measured, which the config has not",
                     "nyc was measured by a client of no carrier"):
            equal(len([line for line in d.log().splitlines() if said in line]), 1, said)
        # What is there is shown.
        row, = d.ctl_json("learned", "10.10.1.0/24")["learned"]
        equal((row["sites"], row["source"], row["state"]), (["nyc", "bos"], "observe", "fresh"))
        equal(d.ctl_json("learned", "--source", "observe")["count"], 2)
        explained = d.ctl_json("explain", APP, "--client", "10.10.1.7")
        equal((explained["learned"]["source"], explained["learned"]["table"], explained["decision"]["site"]), ("observe", "bos", "nyc"))
        equal({one["site"]: (one["ms"], one["hosts"], one["enough"]) for one in explained["observed"]},
              {"bos": (40, 3, True), "nyc": (20, 3, True)})
        check("observed: nyc 20.0 ms, by 9 samples of 3 hosts" in explained["steps"], explained["steps"])
        check("observed: nyc 20.0 ms, by 3 samples of 1 host: not enough yet" in
              d.ctl_json("explain", APP, "--client", "10.10.3.7")["steps"])
        check("observed" not in d.ctl_json("explain", APP, "--client", "10.10.99.7"))
        shown = d.ctl_json("discovery")["observe"]
        equal((shown["taken"], shown["bad"], shown["prefixes"], shown["error"]), (stats["observed"], 0, 8, None))
        check("observed " in d.ctl("discovery", as_json=False).out)
        # A change of the network is followed.
        observe(d, lines("10.10.1.", {"bos": 10}, each=7, first=100))
        learns(d, "10.10.1.0/24", "bos")
        equal(d.ctl_json("learned", "10.10.1.0/24")["learned"][0]["sites"], ["bos", "nyc"])
        equal(d.ctl_json("learned", "forget", "2001:db8:1::/48")["forgotten"], 1)
        learns(d, "2001:db8:1::/56", "bos")


def test_rollback():
    """What was learned counts from the first answer on after a rollback, also where the load between did not have the site."""
    with daemon() as d:
        observe(d, lines("10.10.1.", {"bos": 40, "nyc": 20}))
        learns(d, "10.10.1.0/24", "nyc")
        less = config()
        del less["sites"]["nyc"], less["apps"][APP]["targets"]["nyc"]
        d.reload(less)
        equal(site(d, "10.10.1.0/24"), "bos")
        d.ctl("rollback")
        equal((site(d, "10.10.1.0/24"), site(d, "10.10.2.0/24")), ("nyc", "bos"))


def test_mixed_hosts():
    """Lines that name no host, beside lines that do, neither make a second host nor need none."""
    with daemon() as d:
        unnamed = lines("10.10.1.", {"nyc": 1}, hosts=("",), each=20)
        observe(d, lines("10.10.1.", {"bos": 40, "nyc": 20}, hosts="a") + unnamed + lines("10.10.2.", {"bos": 40}) +
                unnamed.replace("10.10.1.", "10.10.2.") + unnamed.replace("10.10.1.", "10.10.3.") +
                lines("10.10.3.", {"bos": 40}, hosts=("",), each=20))
        learns(d, "10.10.3.0/24", "nyc")  # no line of it names a host
        for client in ("10.10.1.0/24", "10.10.2.0/24"):
            stays(d, client, "bos", 0.2)
        observe(d, lines("10.10.2.", {"nyc": 20}))
        learns(d, "10.10.2.0/24", "nyc")
        measured = d.ctl_json("explain", APP, "--client", "10.10.2.7")["observed"]
        equal({one["site"]: (one["ms"], one["hosts"]) for one in measured}, {"bos": (40, 3), "nyc": (20, 3)})


def test_unknown_cost():
    """Where the metro is not known, what clients get has to be measured before another site takes its place."""
    with daemon() as d:
        equal(site(d, "10.30.1.0/24"), "region")
        observe(d, lines("10.30.1.", {"nyc": 5}))
        until_taken(d, 9)
        stays(d, "10.30.1.0/24", "region")
        observe(d, lines("10.30.1.", {"region": 60}))
        learns(d, "10.30.1.0/24", "nyc")


def test_liar():
    """One of five hosts says 1 ms of everything, and says it a hundred times as often."""
    with daemon() as d:
        liar = "".join(f"10.10.{i}.{1 + k % 200} {name} 1 liar\n" for i in range(20) for k in range(100) for name in ("bos", "nyc"))
        observe(d, liar)
        until_taken(d, 4000)
        honest = ("a", "b", "c", "d")
        observe(d, "".join(lines(f"10.10.{i}.", {"bos": 40, "nyc": 20} if i % 2 else {"bos": 20, "nyc": 40}, honest[:1 + i % 4])
                           for i in range(20)) + liar)
        for i in range(20):
            learns(d, f"10.10.{i}.0/24", "nyc" if i % 2 else "bos")
        for i in range(20):
            equal(site(d, f"10.10.{i}.0/24"), "nyc" if i % 2 else "bos", i)


def test_agreement():
    """One client repeats itself: only `agree-for` makes that enough."""
    with daemon(learned={"agree-for": "3s"}) as d:
        text = "".join(f"10.10.1.1 {name} {ms} {host}\n" for name, ms in (("bos", 40), ("nyc", 20)) for host in "abc" for _ in range(3))
        observe(d, text)
        until_taken(d, 18)
        begun = time.monotonic()
        while site(d, "10.10.1.0/24") == "bos":
            observe(d, text)
            time.sleep(0.1)
            check(time.monotonic() - begun < 20 * harness.slowness(), "it is not learned")
        check(time.monotonic() - begun > 1.5, "too early")


def test_bad_lines():
    with daemon() as d:
        done = observe(d, "10.10.1.1 bos 1\nrubbish\n10.10.1.1 bos x a\n# fine\n\n10.10.1.1 bos 2 a b\n" + "x" * 40000 + "\n\xff\xfe\x1b[2J\n10.10.1.2 bos 3", code=2)
        equal((json.loads(done.stdout)["lines"], json.loads(done.stdout)["bad"] >= 5), (4, True), done)
        for said in ("standard input:2: there is a word missing", "standard input:3: 'x' is not a round trip", "standard input:6: there are too many words",
                     "longer than 256"):
            check(said in done.stderr, said, done.stderr)
        check("\x1b" not in done.stderr)
        check("not taken; the last one: " in d.log())
        equal(d.ctl_json("discovery")["observe"]["lines"], 2)
        check("/nonexistent: cannot be read" in d.ctl("observe", "/nonexistent", code=2).err)
        d.ctl("observe", "-", "x", code=2)
        # More than the queue has room for waits, and nothing is lost.
        count = 40000
        observe(d, "".join(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255} region 9\n" for i in range(count)))
        until_taken(d, count + 2)
    with Daemon({key: value for key, value in config().items() if key != "observe"}, files={"clients.csv": CLIENTS}) as d:
        check("no section `observe`" in observe(d, "10.10.1.1 bos 1\n", code=1).stdout)
        equal(d.ctl_json("discovery")["observe"], None)
        d.reload(config())  # turned on, and off
        observe(d, lines("10.10.1.", {"bos": 40, "nyc": 20}))
        learns(d, "10.10.1.0/24", "nyc")
        d.reload({key: value for key, value in config().items() if key != "observe"})
        stays(d, "10.10.1.0/24", "nyc", 0.3)
        observe(d, "10.10.1.1 bos 1\n", code=1)


def test_of_no_use():
    """Who sends lines is told which of them teach nothing, and fails if none does."""
    with daemon() as d:
        def said(text, code):
            done = observe(d, text, code=code)
            reply = json.loads(done.stdout)
            return [reply[key] for key in ("taken", "bad", "no_site", "out_of_reach", "empty")], done.stderr

        counts, told = said("10.10.1.1 boss 1\n", 1)
        equal(counts, [0, 0, 1, 0, 0])
        check("standard input:1: the config has no site 'boss', did you mean 'bos'?" in told, told)
        counts, told = said("# ours\n\n10.10.1.1 elsewhere-9 1\n10.10.1.1 bos 1\n203.0.113.1 bos 1\n", 0)
        equal(counts, [1, 0, 1, 1, 2])
        check("standard input:3: the config has no site 'elsewhere-9'" in told, told)
        check("standard input:5: its client cannot reach the site" in told, told)
        equal(said("203.0.113.1 bos 1\n", 1)[0], [0, 0, 0, 1, 0])
        equal(said("# nothing\n\n", 0)[0], [0, 0, 0, 0, 2])
        equal(said("10.10.1.1 boss 1\n10.10.1.1\n", 2)[0], [0, 1, 1, 0, 0])


def test_file():
    with daemon(file="rtt.log") as d:
        path = d.folder / "rtt.log"
        time.sleep(0.5)
        path.write_text(lines("10.10.1.", {"bos": 40, "nyc": 20}))  # it was not there at the start: all of it is new
        learns(d, "10.10.1.0/24", "nyc")
        text = lines("10.10.2.", {"bos": 40, "nyc": 20})
        with open(path, "a", encoding="utf-8") as file:
            file.write(text[:-7])  # a line without its end waits for it
            file.flush()
            until_taken(d, 18 + 17)
            time.sleep(1.2)
            equal(taken(d), 18 + 17)
            file.write(text[-7:])
        learns(d, "10.10.2.0/24", "nyc")
        path.rename(d.folder / "rtt.log.1")  # rotated
        path.write_text(lines("10.10.3.", {"bos": 40, "nyc": 20}, each=5))
        learns(d, "10.10.3.0/24", "nyc")
        path.write_text(lines("10.10.4.", {"bos": 40, "nyc": 20}))  # shorter than before
        learns(d, "10.10.4.0/24", "nyc")
        equal(d.ctl_json("stats")["observed_bad"], 0)
        before = taken(d)
        d.restart()  # what is in it already is not new
        stays(d, "10.10.1.0/24", "nyc", 1.5)
        check(before > 0 and taken(d) == 0, before, taken(d))
        path.unlink()
        path.mkdir()
        until(lambda: "observe: file" in d.log(), 10 * harness.slowness(), "it is told that it cannot be read")


def send(path, text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(text.encode(), str(path))


def test_socket():
    with daemon(socket="rtt.sock", **{"socket-mode": "0622"}) as d:
        path = d.folder / "rtt.sock"
        equal(stat.S_IMODE(path.stat().st_mode), 0o622)
        send(path, lines("10.10.1.", {"bos": 40, "nyc": 20}))
        learns(d, "10.10.1.0/24", "nyc")
        for line in lines("10.10.2.", {"bos": 40, "nyc": 20}).splitlines():
            send(path, line)
        learns(d, "10.10.2.0/24", "nyc")
        send(path, "rubbish")
        send(path, "")
        send(path, "x" * 60000)
        until(lambda: "socket " in (d.ctl_json("discovery")["observe"]["error"] or ""), 5 * harness.slowness(), "it is told")
        until(lambda: "10.10.1.0/24" in statefiles.provided(d, "/learned"), harness.PATIENCE_S, "it is written", 0.1)
        d.kill()
        check(path.exists(), "a stale one")
        d.start()
        equal(site(d, "10.10.1.0/24"), "nyc", "after a crash")
        send(path, lines("10.10.3.", {"bos": 40, "nyc": 20}))
        learns(d, "10.10.3.0/24", "nyc")
        # Another mode, another path; a file that is no socket is left alone.
        d.reload(config(socket="rtt.sock", **{"socket-mode": "0600"}))
        equal(stat.S_IMODE(path.stat().st_mode), 0o600)
        d.write("other", "precious")
        d.reload(config(socket="other"))
        check("exists and is not a socket" in d.log())
        equal((d.folder / "other").read_text(), "precious")
        check(not path.exists())
        equal(d.ctl_json("discovery")["observe"]["socket"], False)
        d.reload(config(socket="rtt.sock", **{"socket-mode": "0999"}), code=2)
        d.reload(config(socket="rtt.sock", **{"socket-group": "nobody-like-this"}), code=2)
        d.reload(config(socket="rtt.sock", **{"socket-group": grp.getgrgid(os.getgroups()[-1] if os.getgroups() else os.getgid()).gr_name}))
        equal(path.stat().st_gid, os.getgroups()[-1] if os.getgroups() else os.getgid())
        d.reload(config(socket="rtt.sock", **{"socket-group": "games"}))  # in which it is not
        check(path.exists() or "Operation not permitted" in d.log())
        d.reload(config(socket="rtt.sock"))
        send(path, lines("10.10.4.", {"bos": 40, "nyc": 20}))
        learns(d, "10.10.4.0/24", "nyc")
        d.stop()
        check(not path.exists(), "removed at the end")


def test_service():
    """What a service says is confirmed by what is measured, or moved by it; the service's carrier and class stay."""
    plugins = pathlib.Path(program("edgesteerd")).absolute().parent / "tests" / "plugins"
    if not (plugins / "teller.so").exists():
        raise Skip("tests/plugins/teller.so is not built")
    both = config(learned={"notes-from": ["127.0.0.0/8"]})
    both["server"] = {"plugin-dir": str(plugins)}
    both["discovery"] = [{"plugin": "teller", "carriers": ["verizon"], "rate": 200, "timeout": "300ms", "file": "says", "log": "asked"}]
    with Daemon(both, files={"clients.csv": CLIENTS, "says": "10.10. found nyc verizon\n"}) as d:
        for prefix in ("10.10.1.0/24", "10.10.2.0/24"):
            learns(d, prefix, "nyc")
        observe(d, lines("10.10.1.", {"bos": 40, "nyc": 20}) + lines("10.10.2.", {"bos": 20, "nyc": 40}))
        learns(d, "10.10.2.0/24", "bos")
        rows = {row["prefix"]: row for row in d.ctl_json("learned")["learned"]}
        equal({prefix: (row["sites"], row["source"], row["carrier"]) for prefix, row in rows.items()},
              {"10.10.1.0/24": (["nyc"], "teller", "verizon"), "10.10.2.0/24": (["bos", "nyc"], "observe", "verizon")})
        # What is measured is fresh: the service is not asked about it any more.
        asked = (d.folder / "asked").read_text().count("10.10.2.")
        stays(d, "10.10.2.0/24", "bos", 1.5)
        equal((d.folder / "asked").read_text().count("10.10.2."), asked)


def test_restart():
    with daemon() as d:
        observe(d, lines("10.10.1.", {"bos": 40, "nyc": 20}))
        learns(d, "10.10.1.0/24", "nyc")
        until(lambda: "10.10.1.0/24" in statefiles.provided(d, "/learned"), harness.PATIENCE_S, "it is written", 0.1)
        d.kill()
        d.start()
        equal(site(d, "10.10.1.0/24"), "nyc", "in the first answer")
        row, = d.ctl_json("learned")["learned"]
        equal((row["prefix"], row["sites"], row["source"]), ("10.10.1.0/24", ["nyc", "bos"], "observe"))
        # Nothing is measured any more, and it stays; what is measured now counts.
        changed = config()
        changed["sites"]["more"] = {"kind": "region", "location": [0, 0]}
        d.reload(changed)
        stays(d, "10.10.1.0/24", "nyc", 0.3)
        observe(d, lines("10.10.1.", {"bos": 10, "nyc": 20}))
        learns(d, "10.10.1.0/24", "bos")


def test_door():
    if not shutil.which("curl"):
        raise Skip("curl is not installed")
    port = harness.free_port()
    d = Daemon(config(http=[{"listen": f"127.0.0.1@{port}", "tokens": "tokens"}]), files={"clients.csv": CLIENTS}, start=False)
    d.write("tokens", "report agent 0123456789-report-token\nread who 0123456789-read-token\n").chmod(0o600)
    with d:
        d.start()
        for token, status in (("read", "403"), ("report", "200")):
            done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer 0123456789-{token}-token",
                                   "--json", json.dumps({"lines": lines("10.10.1.", {"bos": 40, "nyc": 20})}),
                                   f"http://127.0.0.1:{port}/v1/observe"], capture_output=True, text=True, timeout=30, check=True)
            equal(done.stdout, status)
        learns(d, "10.10.1.0/24", "nyc")


def test_explore():
    """A tenth of the prefixes get their second best site for a time, then others; scopes stay, and so does reach."""
    prefixes = [f"10.10.{i}." for i in range(0, 200, 2)]
    with Daemon(config(explore="10%"), files={"clients.csv": CLIENTS}, start=False) as d:
        clock = FastClock(d)
        d.start()
        observe(d, "".join(lines(prefix, {"bos": 40, "nyc": 20, "ber": 1}) for prefix in prefixes))
        until(lambda: d.ctl_json("stats")["learned"] == len(prefixes), 30, "all are learned", 0.1)
        clock.pace(20)
        counts, explored = [], set()
        for _ in range(12):  # each a TTL of 20 s later
            time.sleep(1.1)
            replies = {prefix: d.query(APP, ecs=f"{prefix}0/24") for prefix in prefixes}
            equal({reply.scope for reply in replies.values()}, {24})
            got = {prefix: reply.addresses[0] for prefix, reply in replies.items()}
            check(set(got.values()) <= {ADDRESSES["bos"], ADDRESSES["nyc"]}, got)
            now = {prefix for prefix in prefixes if got[prefix] == ADDRESSES["bos"]}
            counts.append(len(now))
            explored |= now
            check(len(now) < 40, counts)
        check(60 < sum(counts) < 200 and len(explored) > 40, counts, len(explored))
        d.ctl("drain", "bos")
        for _ in range(6):
            time.sleep(1.1)
            equal({site(d, f"{prefix}0/24") for prefix in prefixes}, {"nyc"}, "not to what is drained")
    with daemon() as d:  # off by default
        observe(d, "".join(lines(prefix, {"bos": 40, "nyc": 20}) for prefix in prefixes))
        until(lambda: d.ctl_json("stats")["learned"] == len(prefixes), 30, "all are learned", 0.1)
        for prefix in prefixes:
            learns(d, f"{prefix}0/24", "nyc")


def test_explore_alone():
    """Nobody measures but whom clients are sent to: exploring finds out where the second best site is the better one. It leaves
    the others where they are, and goes to nothing that is out of reach, drained or down."""
    prefixes = [f"10.10.{i}." for i in range(0, 80, 2)]
    truth = {prefix: {"bos": 40, "nyc": 10, "region": 90} if i % 2 else {"bos": 10, "nyc": 40, "region": 90}
             for i, prefix in enumerate(prefixes)}
    with Daemon(config(explore="10%", samples=2, hosts=2), files={"clients.csv": CLIENTS}, start=False) as d:
        clock = FastClock(d)
        d.start()
        clock.pace(50)

        def clients_come():
            """Each prefix's site is measured by its own servers; returns which prefix had which."""
            replies = {prefix: d.query(APP, ecs=f"{prefix}0/24") for prefix in prefixes}
            got = {prefix: next(name for name, address in ADDRESSES.items() if [address] == reply.addresses)
                   for prefix, reply in replies.items()}
            observe(d, "".join(lines(prefix, {name: truth[prefix][name]}, each=2) for prefix, name in got.items()))
            check(set(got.values()) <= {"bos", "nyc"}, got)
            return got

        def learned():
            clients_come()
            return d.ctl_json("learned", "--source", "explore")["count"] == len(prefixes)

        d.ctl("drain", "nyc")
        until(learned, 30 * harness.slowness(), "what the table says is measured", 0.02)
        equal({tuple(row["sites"]) for row in d.ctl_json("learned")["learned"]}, {("bos", "nyc")})
        equal({d.query(APP, ecs=f"{prefix}0/24").scope for prefix in prefixes}, {24})

        def goes_nowhere(epochs):
            end_s = clock.now_s() + 20 * epochs
            while clock.now_s() < end_s:
                equal(set(clients_come().values()), {"bos"})

        goes_nowhere(15)
        d.ctl("force", f"{APP}/nyc", "down")
        d.ctl("undrain", "nyc")
        goes_nowhere(15)
        d.ctl("force", f"{APP}/nyc", "auto")

        def is_found():
            return [d.ctl_json("learned", f"{prefix}0/24")["learned"][0]["sites"][0] for prefix in prefixes] == ["bos", "nyc"] * 20

        until(lambda: clients_come() and is_found(), 120 * harness.slowness(), "the better ones are found", 0.02)
        sources = {row["prefix"]: row["source"] for row in d.ctl_json("learned")["learned"]}
        equal({sources[f"{prefix}0/24"] for prefix in prefixes[1::2]}, {"observe"})
        equal({sources[f"{prefix}0/24"] for prefix in prefixes[::2]}, {"explore"})
        # The table says something else: what only it said is no reason to stay. Nor is it when nothing is explored any more.
        for more in {"nearer": {"kind": "wavelength", "reach": ["verizon"], "location": [42.3, -71.0]}}, {}:
            changed = config(explore="10%" if more else "0%", samples=2, hosts=2)
            changed["sites"].update(more)
            for name in more:
                changed["apps"][APP]["targets"][name] = {"addresses": ["192.0.2.9"]}
            d.reload(changed)
            until(lambda: d.ctl_json("learned", "--source", "explore")["count"] == 0, 20 * harness.slowness(), "it is given up", 0.02)
            expected = "192.0.2.9" if more else ADDRESSES["bos"]
            until(lambda: {tuple(d.query(APP, ecs=f"{prefix}0/24").addresses) for prefix in prefixes[::2]} == {(expected,)},
                  20 * harness.slowness(), "the table speaks", 0.02)
        equal(d.ctl_json("learned", "--source", "observe")["count"], 20)


class MainThread:
    """What verbs cost the daemon's main thread: its CPU time, as a loaded machine makes everything else longer."""

    def __init__(self, d):
        self.path = pathlib.Path(f"/proc/{d.process.pid}/task/{d.process.pid}/schedstat")

    def ran_ms(self):
        return int(self.path.read_text().split()[0]) / 1e6

    def cost_ms(self, ask, times=3):
        """The least of so many."""
        costs = []
        for _ in range(times):
            before = self.ran_ms()
            ask()
            costs.append(self.ran_ms() - before)
        return min(costs)


def test_many():
    """A hundred thousand entries: no verb holds the main thread for more than 50 ms, and a reload with less room does not either."""
    count, wide = 100_000, "prefix,carrier,latitude,longitude\n10.0.0.0/7,verizon,42.3,-71.0\n"
    text = config({"agree": 1, "max": 200_000}, samples=1, hosts=1, max=200_000)
    with Daemon(text, files={"clients.csv": wide}) as d:
        main = MainThread(d)
        observe(d, "".join(f"{10 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.1 nyc 1\n" for i in range(count)))
        until(lambda: d.ctl_json("stats")["learned"] == count, 60 * harness.slowness(), "all are learned", 0.2)
        costs = {words: main.cost_ms(lambda words=words: d.ctl(*words)) for words in (
            ("learned",), ("learned", "--site", "nyc"), ("learned", "--site", "bos"), ("learned", "--source", "observe"),
            ("learned", "10.1.2.0/24"), ("learned", "10.0.0.0/8"), ("discovery",), ("stats",), ("explain", APP, "--client", "10.1.2.3"))}
        listed = d.ctl_json("learned")
        equal((listed["count"], len(listed["learned"])), (count, 1000))
        equal([d.ctl_json("learned", *words)["count"] for words in (("--site", "nyc"), ("--source", "x"), ("10.1.2.0/24",), ("10.0.0.0/8",))],
              [count, 0, 1, 65536])

        text["learned"]["max"] = count // 2
        d.write_config(text)
        costs["less room"] = main.cost_ms(d.reload, 1)
        equal((d.ctl_json("learned")["count"], d.ctl_json("discovery")["evicted"]), (count // 2, count // 2))
        costs["forget one"] = main.cost_ms(lambda: d.ctl("learned", "forget", d.ctl_json("learned", "10.0.0.0/8")["learned"][0]["prefix"]))
        costs["forget all"] = main.cost_ms(lambda: equal(d.ctl_json("learned", "forget", "--all")["forgotten"], count // 2 - 3), 1)
        # It is processor time, of which ThreadSanitizer takes 5 to 15 times as much, as its manual says.
        check(max(costs.values()) <= 50 * (15 if harness.sanitizer() == "thread" else harness.slowness()), costs)
        print(", ".join(f"{' '.join(words) if isinstance(words, tuple) else words}: {cost:.1f} ms" for words, cost in costs.items()))


def recipe(name, *words, given=""):
    return subprocess.run([str(RECIPES / name), *words], input=given, text=True, capture_output=True, timeout=30, check=True).stdout


def test_recipes():
    nginx = "".join(f"10.10.1.{i} {name} {us} web-{i % 3}\n" for i in range(1, 10) for name, us in (("bos", 41234), ("nyc", 20111)))
    equal(recipe("from-log", given="10.10.1.1 bos 41234 web-1\n10.10.1.1 bos - web-1\n10.10.1.1 bos 0 web-1\n\n::1 bos 7\n"),
          "10.10.1.1 bos 41.234 web-1\n::1 bos 0.007 \n")
    sockets = "".join(f"0      0       192.0.2.9:443      10.10.2.{i}:5{i}324 cubic wscale:7,7 rto:204 rtt:{ms}/1.5 ato:40 minrtt:3.1\n"
                      for i in range(1, 10) for ms in (20.25,))
    equal(recipe("from-ss", "nyc", "-", "web-1", given=sockets.splitlines()[0] + "\n"), "10.10.2.1 nyc 20.25 web-1\n")
    equal(recipe("from-ss", "nyc", "-", "w", given="0 0 [2001:db8::9]:443 [2001:db8:1::7]:5 cubic rtt:7/1\n0 0 a b rto:5\n"),
          "2001:db8:1::7 nyc 7 w\n")
    with daemon() as d:
        observe(d, recipe("from-log", given=nginx))
        learns(d, "10.10.1.0/24", "nyc")
        observe(d, "".join(recipe("from-ss", name, "-", host, given=sockets.replace("20.25", ms)) for name, ms in (("bos", "33"), ("nyc", "20.25"))
                           for host in "ab"))
        learns(d, "10.10.2.0/24", "nyc")
        equal(d.ctl_json("stats")["observed_bad"], 0)


def test_beacons():
    """The beacons measure two doubles of sites, and report to a double of their collector as they say they do."""
    got = []

    class Collector(harness.Responder):
        def _answer_one(self, connection):
            got.append(connection.recv(4096).decode(errors="replace").splitlines()[0])
            connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with harness.Responder() as bos, harness.Responder() as nyc, Collector() as collector:
        sites = {"bos": bos.port, "nyc": nyc.port}
        if shutil.which("curl"):
            recipe("beacon.sh", f"http://127.0.0.1:{collector.port}/rtt", *(f"{name}=http://127.0.0.1:{port}/x" for name, port in sites.items()))
            equal(sorted(line.split("&")[0] for line in got), ["POST /rtt?site=bos", "POST /rtt?site=nyc"])
            check(all(0 <= float(line.split("ms=")[1].split()[0]) < 1000 for line in got), got)
        if shutil.which("node"):
            got.clear()
            text = (RECIPES / "beacon.js").read_text()
            check(text.count("https://rtt.example.com/rtt") == 1 and len([line for line in text.splitlines() if line and not line.startswith("//")]) <= 20)
            names = {"us-east-1": ("https://use1.probe.example.com/x", "bos"), "us-east-1-wl1-bos-wlz-1": ("https://bos.probe.example.com/x", "nyc")}
            text = text.replace("https://rtt.example.com/rtt", f"http://127.0.0.1:{collector.port}/rtt")
            for url, name in names.values():
                text = text.replace(url, f"http://127.0.0.1:{sites[name]}/x")
            stub = ("const sent = []; Object.defineProperty(globalThis, 'navigator', {value: {sendBeacon: url => sent.push(url)}, "
                    "configurable: true});\n")
            done = subprocess.run(["node", "-e", stub + text + "\nbeacon().then(() => console.log(JSON.stringify(sent)))"], capture_output=True,
                                  text=True, timeout=30, check=False)
            equal(done.returncode, 0, done.stderr)
            sent = json.loads(done.stdout)
            equal(sorted(url.split("site=")[1].split("&")[0] for url in sent), sorted(names), done.stderr)
            check(all(0 < float(url.split("ms=")[1]) < 1000 for url in sent), sent)


if __name__ == "__main__":
    harness.run(test_learns, test_rollback, test_mixed_hosts, test_unknown_cost, test_liar, test_agreement, test_bad_lines, test_of_no_use,
                test_file, test_socket, test_service, test_restart, test_door,
                test_explore, test_explore_alone, test_many, test_recipes, test_beacons, limit_s=300)
