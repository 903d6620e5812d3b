"""Allocations fail, one by one and in a row, at the start, in a reload, in overrides and at the stop: the daemon never
aborts, never loses an override that it has acknowledged, and serves on or refuses to start with a message. A preloaded
library makes them fail. $EDGESTEER_LONG walks through all of them, else a sample."""

import contextlib
import json
import mmap
import os
import random
import struct
import time

import harness
import learned
from fastclock import FastClock
from harness import Daemon, Responder, Skip, check, equal, until
from hosts import Hosts

ZONE = "edge.example.com"
NAME, OTHER, ALIAS, GIVEN = "app." + ZONE, "other." + ZONE, "alias." + ZONE, "given." + ZONE
EAST, WEST, LB, GIVEN_WEST = "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"
SO = os.path.abspath("tests/flow/failalloc.so")
SAMPLE = int(os.environ.get("EDGESTEER_SAMPLE", "60"))
# In a row: all that one request allocates, and more.
ROWS = (1, 1, 3, 50, 300)
# Records of every kind of field that server/zone/field.h has.
ZONE_FILE = r"""$TTL 300
@ SOA ns1.example.net. hostmaster.example.net. 1 7200 3600 1209600 60
@ NS ns1.example.net.
@ NS ns2
ns2 A 192.0.2.53
ns2 AAAA 2001:db8::53
www CNAME @
@ MX 10 mail.example.net.
txt TXT "a b" c
_sip._tcp SRV 1 2 5060 ns2
below NS ns.below
ns.below A 192.0.2.54
below DS 60485 RSASHA1 1 2BB183AF5F22588179A53B0A 98631FAD1A292118
@ CAA 0 issue "ca.example.net; policy=ev"
@ DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxIL fDLUT0rAK9iUzy1L53eKGQ==
@ CDS 0 0 0 00
@ CDNSKEY 0 3 0 AA==
@ CSYNC 66 3 A NS AAAA TYPE1234
@ LOC 42 21 54 N 71 06 18.123 W -24m 30m 10m 10m
@ HINFO "x86-64" "Linux"
@ RP hostmaster txt
@ ZONEMD 1 1 1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f000102030405060708090a0b0c0d0e0f
www2 HTTPS 1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 ech=AAAA mandatory=port key667="a\\,b"
_8443._foo SVCB 0 svc.example.net.
_443._tcp.www2 TLSA DANE-EE SPKI SHA2-256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
smime SMIMEA 3 1 1 00
key OPENPGPKEY AQIDBAUGBwg=
host SSHFP 1 1 123456789abcdef67890123456789abcdef67890
host CERT PKIX 1 RSASHA256 AAAA
host IPSECKEY 10 3 2 gw AQNRU3mG
host HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs.example.com. rvs2
host EUI48 00-00-5e-00-53-2a
host EUI64 00-00-5e-ef-10-00-00-2a
host NID 10 0014:4fff:ff20:ee64
host L32 10 10.1.2.0
host L64 10 2001:0db8:1140:1000
host LP 10 l64
host APL 1:192.0.2.0/24 !2:2001:db8::/32
host DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=
host NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00
host ISDN "150862028003217" "004"
host X25 "311061700956"
host AFSDB 1 afs
host RT 10 relay
host KX 10 kx
host PX 10 a b
e164 NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
uri URI 10 1 "https://example.com/"
relay AMTRELAY 10 1 2 2001:db8::15
spf SPF "v=spf1 -all"
any TYPE65280 \# 4 0102 0304
known TYPE15 \# 5 000a 0161 00
"""


class Plan:
    """What fails, as failalloc.c reads it."""

    def __init__(self, path):
        self.path = str(path)
        with open(path, "wb") as file:
            file.write(bytes(4096))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4096)

    def arm(self, first, length):
        struct.pack_into("4Q", self.map, 0, 0, 0, length, 0)
        struct.pack_into("Q", self.map, 8, first)

    def wait(self, limit_s):
        """Until one has failed, or so long."""
        end = time.monotonic() + limit_s
        while not struct.unpack_from("4Q", self.map, 0)[3] and time.monotonic() < end:
            time.sleep(0.005)

    def disarm(self):
        """How many allocations there were since arm(), and how many of them failed."""
        struct.pack_into("Q", self.map, 8, 0)
        count, _, _, failed = struct.unpack_from("4Q", self.map, 0)
        return count, failed


def config(port, hosts):
    target = {"east": {"addresses": [EAST], "check-address": "127.0.0.1"}, "west": {"addresses": [WEST]}}
    return {
        "domains": {ZONE: {"file": "zone"}},
        "locate": [{"plugin": "ranges", "file": "ranges.csv"}],
        "checks": {"alb": {"type": "http", "port": port, "interval": "1s", "timeout": "1s"}},
        "sites": {"east": {"kind": "region", "location": [40.0, -74.0]}, "west": {"kind": "region", "location": [40.0, -120.0]}},
        "apps": {NAME: {"check": "alb", "targets": target},
                 OTHER: {"targets": {"west": target["west"], "east": {"addresses": [EAST]}}},
                 ALIAS: {"targets": {"west": {"alias": "lb.aws.test"}}}},
        "resolver": {"servers": [f"127.0.0.1@{hosts.port}"]},
        "providers": [{"plugin": "file", "file": "targets.csv"}],
    }


def targets_csv(address):
    return f"app,site,address\n{GIVEN},west,{address}\n"


FILES = {
    "ranges.csv": "prefix,carrier,latitude,longitude\n10.0.0.0/8,one,40.0,-74.0\n",
    "zone": ZONE_FILE,
    "targets.csv": targets_csv(GIVEN_WEST),
}


@contextlib.contextmanager
def stage():
    """A daemon that is not started, and the plan for it."""
    if harness.sanitizer():
        raise Skip("a sanitizer has an allocator of its own")
    if not os.path.exists(SO):
        raise Skip("tests/flow/failalloc.so is not built")
    with Responder() as alb, Hosts({"lb": [LB]}) as hosts, \
            Daemon(config(alb.port, hosts), FILES, workers=1, start=False) as d:
        plan = Plan(d.folder / "plan")
        d.env = {"LD_PRELOAD": SO, "FAILALLOC_FILE": plan.path}
        yield d, plan


def sample(count):
    """Numbers of allocations that fail, and how many in a row."""
    if os.environ.get("EDGESTEER_LONG"):
        return [(number, length) for number in range(1, count + 1) for length in sorted(set(ROWS))]
    rng = random.Random(7)
    numbers = sorted(rng.sample(range(1, count + 1), min(SAMPLE, count)))
    return [(number, ROWS[i % len(ROWS)]) for i, number in enumerate(numbers)]


def all_come(d, what):
    """What names and providers give comes, though it may be tried again."""
    for name, address in ((ALIAS, LB), (GIVEN, GIVEN_WEST)):
        until(lambda name=name, address=address: d.query(name).addresses == [address], harness.PATIENCE_S, f"{what}: {name}")


def no_abort(d, code, what):
    check(code >= 0, f"{what}: ended by signal {-code}:", d.log()[-2000:])


def drained(d):
    return sorted(drain["site"] for drain in d.ctl_json("status")["drains"])


def serves(d):
    """Until it does, or ends. One that could not start all of its workers may have answered before it ends."""
    try:
        d.wait_ready()
        until(lambda: " serving " in d.log() or d.process.poll() is not None, harness.PATIENCE_S, "serves, or ends")
    except harness.Failure:
        check(d.process.poll() is not None, "neither serves nor ends")
    return " serving " in d.log()


def start():
    """It starts, or says why not; the drain from before is there when it next has memory."""
    with stage() as (d, plan):
        plan.arm(0, 0)
        d.start()
        d.ctl("drain", "east")
        d.stop()
        plan.arm(0, 0)
        d.start()
        count, _ = plan.disarm()
        equal(drained(d), ["east"])
        d.stop()
        served = refused = 0
        for number, length in sample(count):
            what = f"allocation {number} of {count} and {length - 1} more fail at the start"
            d.log_path.unlink()
            plan.arm(number, length)
            d.start(wait=False)
            if serves(d):
                plan.disarm()
                served += 1
                equal(drained(d), ["east"], what)
                equal(d.query(OTHER).addresses, [WEST], what)
                all_come(d, what)
                equal(d.stop(), 0, what)
                continue
            plan.disarm()
            code, d.process = d.process.wait(harness.PATIENCE_S), None
            no_abort(d, code, what)
            if code > 0:
                check(code in (1, 2, 127) and d.log().strip(), what, f"exit code {code}, and nothing is said")
            refused += 1
        d.start()
        equal(drained(d), ["east"])
        print(f"{count} allocations at the start; {served} times it served, {refused} times it refused with a message")
        check(refused > 0, "nothing was refused: do allocations fail?")


def begin(d):
    """Starts it, with all of its workers: the first may answer before the others have their memory."""
    before = d.log().count(" serving ")
    d.start()
    until(lambda: d.log().count(" serving ") > before, harness.PATIENCE_S, "serves")


def order(d, what="", **fields):
    """The reply to a request; None: the connection was closed instead."""
    try:
        with d.control() as control:
            control.sock.settimeout(20)
            return control(fields.pop("verb"), ok=None, **fields)
    except TimeoutError:
        raise harness.Failure(f"{what}: no reply to {fields}, and the connection stays open") from None
    except (OSError, ValueError):
        return None


def alive(d, what, name=OTHER):
    code = d.process.poll()
    if code is not None:
        d.process = None
        no_abort(d, code, what)
        check(False, what, f"ended with exit code {code}")
    equal(d.query(name).rcode, 0, what)


def reload():
    """The new generation, or the old one and a reason; queries are answered on; nothing lasts."""
    with stage() as (d, plan):
        begin(d)
        d.ctl("drain", "east")
        configs = [json.loads(d.config_path.read_text())]
        configs.append({**configs[0], "apps": {**configs[0]["apps"], "more." + ZONE: configs[0]["apps"][OTHER]}})
        plan.arm(0, 0)
        d.reload(configs[1])
        d.reload(configs[0])
        count = plan.disarm()[0] // 2
        done = 0
        for turn, (number, length) in enumerate(sample(count)):
            what = f"allocation {number} of {count} and {length - 1} more fail in a reload"
            d.write_config(configs[1 - turn % 2])
            plan.arm(number, length)
            reply = order(d, what, verb="reload")
            plan.disarm()
            done += bool(reply and reply["ok"])
            alive(d, what)
            equal(drained(d), ["east"], what)
            equal(d.query(OTHER).addresses, [WEST], what)
            all_come(d, what)
        d.reload(configs[1])
        equal(d.query("more." + ZONE).addresses, [WEST])
        print(f"{count} allocations in a reload; {done} times it was done all the same")


COMING = """#!/usr/bin/python3
import json, time
def say(**line):
    print(json.dumps(line), flush=True)
def one(name):
    return {"app": name + ".edge.example.com", "site": "west", "addresses": ["203.0.113.2"]}
say(list=[one("stays"), {"app": "lb.edge.example.com", "site": "west", "alias": "lb.test"}])
for number in range(100000):
    time.sleep(0.04)
    say(add=one(f"n{number}"))
    if number:
        say(remove=f"n{number - 1}.edge.example.com west")
    say(commit=True)
"""


def joins():
    """While targets come and go: those there were are answered on, and in the end new ones are."""
    with stage() as (d, plan):
        program = {"plugin": "exec", "command": ["./p"], "grace": "0s"}
        sets = {**json.loads(d.config_path.read_text()), "providers": [program],
                "resolver": {"servers": ["127.0.0.1@9"], "timeout": "100ms"}}
        d.write("p", COMING).chmod(0o755)
        d.write_config(sets)
        d.start()
        stays = "stays." + ZONE
        until(lambda: d.query(stays).addresses == [WEST], harness.PATIENCE_S, "the provider's target", 0.05)
        plan.arm(0, 0)
        time.sleep(1)
        count = plan.disarm()[0] // 4
        check(count > 0, "nothing comes or goes")
        failed = 0
        for turn, (number, length) in enumerate([*sample(count)[::2], (1, 0)]):
            what = f"allocation {number} of {count} and {length - 1} more fail while targets come and go"
            # Another entry: its program starts without the pause that one which has failed makes.
            d.reload({**sets, "providers": [{**program, "command": ["./p", str(turn)]}]})
            began = d.ctl_json("status")["generation"]
            until(lambda: d.ctl_json("status")["generation"] > began + 1, harness.PATIENCE_S, f"new targets before {what}", 0.02)
            plan.arm(number, length)
            plan.wait(0.5)
            time.sleep(0.01)
            failed += plan.disarm()[1] > 0
            alive(d, what)
            equal(d.query(stays).addresses, [WEST], what)
        equal(d.query(stays).addresses, [WEST])
        print(f"{count} allocations in a quarter of a second; {failed} times some failed")
        check(failed >= 10, "hardly any failed")
        # That joins fail is said once, and taken back.
        said, back = (d.log().count(text) for text in ("now cannot be taken into use", "are taken into use again"))
        check(said - back in (0, 1), f"said {said} times, taken back {back} times")


def learning():
    """While prefixes are imported and forgotten, and services come and go: what the daemon says is learned is answered once there is
    memory again, without another change, and what was learned before is not lost."""
    with stage() as (d, plan):
        d.write_config(learned.config())
        d.write("clients.csv", learned.CLIENTS)
        d.write("says", "10.10. silent\n")
        begin(d)
        kept, prefix, rng = "10.10.1.0/24", "10.10.2.0/24", random.Random(7)
        heard = int(time.time()) - 3600

        def bring(which, name):
            nonlocal heard
            heard += 1  # the later counts
            return {"verb": "learned import", "rows": [{"prefix": which, "sites": [name], "heard": heard}], "total": 2}

        def held(which):
            rows = d.ctl_json("learned", which)["learned"]
            return rows[0]["sites"][0] if rows and rows[0]["sites"] else "bos"  # none: a service that had no memory did not find it

        def counted(fields):
            plan.arm(0, 0)
            order(d, **fields)
            at_reply = plan.disarm()[0]
            time.sleep(0.3)
            return at_reply

        order(d, **bring(kept, "nyc"))
        imports, failed = counted(bring(prefix, "nyc")) + 60, 0
        d.write_config(learned.config(rate=99))
        reloads = counted({"verb": "reload"})
        print(f"  {imports} allocations in an import, {reloads} in a reload")
        for turn in range(80):
            length, number = (1, 2, 3, 4, 6, 300)[turn // 4 % 6], rng.randint(1, imports)
            fields = (bring(prefix, "nyc"), {"verb": "learned forget", "prefix": prefix}, bring(prefix, "region"), {"verb": "reload"})[turn % 4]
            if fields["verb"] == "reload":
                d.write_config(learned.config(rate=100 + turn))  # another service, for the same tables
                number = reloads - 40 + rng.randint(1, 100)  # the learner follows last
            what = f"allocation {number} and {length - 1} more fail in turn {turn} of learning"
            plan.arm(number, length)
            order(d, what, **fields)
            plan.wait(0.2)
            time.sleep(0.02)
            failed += plan.disarm()[1]
            alive(d, what, learned.APP)
            until(lambda: all(learned.site(d, which) == held(which) for which in (kept, prefix)), harness.PATIENCE_S, what)
            equal(learned.site(d, kept), "nyc", what)
        check(failed > 100, f"only {failed} allocations failed")
        print(f"  {failed} allocations failed, said {d.log().count('what is learned cannot be put into effect')} times")
        equal(d.stop(), 0)


def outcome(reply):
    if reply is None or "whether it was done" in reply.get("error", ""):
        return "not known"
    return "done" if reply["ok"] else "refused"


def overrides():
    """What is acknowledged holds and is kept; what is refused changes nothing."""
    with stage() as (d, plan):
        begin(d)
        plan.arm(0, 0)
        order(d, verb="drain", site="east", reason="measured")
        order(d, verb="undrain", site="east")
        count = plan.disarm()[0]
        counts = {"done": 0, "refused": 0, "not known": 0}
        drain, undrain = {"verb": "drain", "site": "east", "reason": "why"}, {"verb": "undrain", "site": "east"}
        requests = [drain, {"verb": "force", "app": OTHER, "site": "west", "to": "up"}, undrain, drain]
        for number, length in sample(count):
            what = f"allocation {number} of {count} and {length - 1} more fail in overrides"
            has = False
            plan.arm(number, length)
            replies = [order(d, what, **fields) for fields in requests]
            plan.disarm()
            alive(d, what)
            for reply, after in zip(replies, (True, None, False, True)):
                said = outcome(reply)
                counts[said] += 1
                if after is not None:
                    has = {"done": after, "refused": has, "not known": None}[said]
            if has is not None:
                equal(drained(d), ["east"] if has else [], what, replies)
            before = drained(d)
            d.kill()
            begin(d)
            equal(drained(d), before, what, "after kill -9")
            order(d, verb="undrain", site="east")
            order(d, verb="force", app=OTHER, site="west", to="auto")
            equal(drained(d), [])
        print(f"{count} allocations in overrides: {counts}")


def stop():
    """It ends well, and what was acknowledged is kept."""
    with stage() as (d, plan):
        begin(d)
        plan.arm(0, 0)
        d.stop()
        count = plan.disarm()[0]
        for number, length in sample(count):
            what = f"allocation {number} of {count} and {length - 1} more fail at the stop"
            begin(d)
            d.ctl("drain", "east")
            plan.arm(number, length)
            code = d.stop()
            plan.disarm()
            no_abort(d, code, what)
            equal(code, 0, what)
            begin(d)
            equal(drained(d), ["east"], what)
            d.ctl("undrain", "east")
            d.stop()
        print(f"{count} allocations at the stop")



def addresses():
    """An address falls and comes back while an allocation fails: what is answered follows all the same, without a probe
    that would tell it anew, and what is wrong meanwhile is said once."""
    with stage() as (d, plan):
        first, second = "127.0.1.1", "127.0.1.2"
        with Responder(first) as one, Responder(second, one.port) as two:
            d.write_config({
                "domains": {ZONE: {"ns": ["ns.example.net"]}},
                "checks": {"c": {"type": "tcp", "port": one.port, "interval": "100ms", "timeout": "90ms", "rise": 1, "fall": 1}},
                "sites": {"east": {"kind": "region", "location": [40.0, -74.0]}},
                "apps": {NAME: {"check": "c", "targets": {"east": {"addresses": [first, second]}}}}})
            plan.arm(0, 0)
            begin(d)
            failed = 0
            for number, length in [(number, length) for length in (1, 4) for number in range(1, 13)]:
                for change, expected in ((two.down, [first]), (two.up, [first, second])):
                    plan.arm(number, length)
                    change()
                    until(lambda: sorted(d.query(NAME).addresses) == expected, harness.PATIENCE_S * 5,
                          f"allocation {number} and {length - 1} more fail: {expected}")
                    failed += plan.disarm()[1]
            check(failed > 20, f"only {failed} allocations failed")
            said = d.log().count("out of memory: a change of health")
            check(0 < said <= failed, f"said {said} times")
            print(f"  {failed} allocations failed, said {said} times")
            equal(d.stop(), 0)


def names_and_providers():
    """The addresses of a name and the targets of a provider change while an allocation fails: both are followed, and until
    then what was good is answered. Time passes faster for the daemon: names are looked up every five seconds."""
    with stage() as (d, plan), Responder() as alb, Hosts({"lb": [LB]}) as hosts:
        fail_preload = d.env
        clock = FastClock(d)
        d.env = {**fail_preload, **d.env, "LD_PRELOAD": f"{SO}:{d.env['LD_PRELOAD']}"}
        d.write_config(config(alb.port, hosts))
        plan.arm(0, 0)
        begin(d)
        clock.pace(20)
        all_come(d, "at first")
        failed, before = 0, [[LB], [GIVEN_WEST]]
        for turn, (number, length) in enumerate([(number, length) for length in (1, 4, 40) for number in range(1, 121, 10)]):
            after = [[f"198.51.100.{turn + 1}"], [f"192.0.2.{turn + 1}"]]
            plan.arm(number, length)
            hosts.addresses["lb"] = after[0]
            d.write("new.csv", targets_csv(*after[1])).rename(d.folder / "targets.csv")

            def changed():
                alive(d, f"allocation {number} and {length - 1} more fail")
                given = [d.query(name).addresses for name in (ALIAS, GIVEN)]
                check(all(is_ in (was, will) for was, is_, will in zip(before, given, after)), "answered:", given, before, after)
                return given == after

            until(changed, harness.PATIENCE_S, f"allocation {number} and {length - 1} more fail: {after}")
            before = after
            failed += plan.disarm()[1]
        check(failed > 100, f"only {failed} allocations failed")
        print(f"  {failed} allocations failed")
        equal(d.stop(), 0)


if __name__ == "__main__":
    limit_s = 7200 if os.environ.get("EDGESTEER_LONG") else 200
    harness.run(start, reload, joins, overrides, learning, addresses, names_and_providers, stop, limit_s=limit_s)
