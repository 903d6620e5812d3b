"""Everything an operator can get wrong: config, master files, CSV, databases, requests. Each is refused with its
place in its file and exit code 2, all of it at once, and the previous generation stays in service."""

import json
import os
import random
import re
import resource
import subprocess

import harness
from harness import Daemon, Skip, check, equal

ZONE = "edge.example.com"
NAME = "app." + ZONE
GOOD = """server:
  listen: ["127.0.0.1@{port}", "::1@{port}"]
  control: control.sock
  state-dir: state
domains:
  edge.example.com:
    file: zone
locate:
  - plugin: ranges
    file: ranges.csv
checks:
  alb: {type: tcp, port: 1, interval: 10s, timeout: 2s, rise: 2, fall: 3}
sites:
  w1: {kind: wavelength, location: [40.0, -74.0], region: r1, reach: [one]}
  r1: {kind: region, location: [39.0, -77.0]}
apps:
  app.edge.example.com:
    ttl: 30s
    targets:
      r1: {addresses: [203.0.113.1, "2001:db8::1"]}
      w1: {addresses: [155.146.1.1], check-address: 10.0.0.1}
"""
ZONE_FILE = """$ORIGIN edge.example.com.
$TTL 300
@ SOA ns1.example.net. hostmaster.example.net. 1 3600 900 604800 60
@ NS ns1.example.net.
www A 192.0.2.1
"""
RANGES = "prefix,carrier,class,latitude,longitude\n10.1.0.0/16,one,edge,40.0,-74.0\n"


class Bad:
    """One daemon with a good config; what is tried beside it must be refused by `-t` and by a reload."""

    def __init__(self):
        self.d = Daemon("", {"zone": ZONE_FILE, "ranges.csv": RANGES}, start=False)
        self.good = GOOD.replace("{port}", str(self.d.port))
        self.d.write_config(self.good)
        self.d.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self.d.__exit__(*error)

    def test(self):
        """edgesteerd -t: (exit code, what it prints)."""
        done = subprocess.run([harness.program("edgesteerd"), "-t", "-c", str(self.d.config_path)], capture_output=True,
                              text=True, errors="replace", timeout=60, env=harness.program_env(), check=False,
                              stdin=subprocess.DEVNULL)
        text = done.stdout + done.stderr
        check("Sanitizer" not in text and "runtime error" not in text, text)
        return done.returncode, text

    def refused(self, what, *patterns, reload=True):
        code, text = self.test()
        equal(code, 2, f"exit code for {what}: {text}")
        for pattern in patterns:
            check(re.search(pattern, text), f"{what}: {pattern!r} is not in what is said:\n{text}")
        check(text.count("\n") < 1200, f"{what}: {text.count(chr(10))} lines")
        if reload:
            self.d.ctl("reload", code=2)
            equal(self.d.query(NAME).addresses, ["203.0.113.1"], f"after {what}")

    def restore(self):
        self.d.write_config(self.good)
        self.d.write("zone", ZONE_FILE)
        self.d.write("ranges.csv", RANGES)


def config_values():
    """One wrong value each, found at its line and column."""
    cases = [  # in GOOD, becomes, line:column (None: any), a word of the message
        ("203.0.113.1,", "203.0.113.300,", "20:24", "203.0.113.300"),
        ("ttl: 30s", "ttl: 30", "18:10", "ttl"),
        ("ttl: 30s", "ttl: -1s", "18:10", "ttl"),
        ("ttl: 30s", "ttl: 9999999999999999999s", "18:10", "ttl"),
        ("ttl: 30s", "ttll: 30s", "18:5", "ttl"),
        ("kind: region", "kind: reggion", "15:14", "region"),
        ("location: [39.0, -77.0]", "location: [39.0]", "15:", "location"),
        ("location: [39.0, -77.0]", "location: [99.0, -77.0]", "15:", "location"),
        ("location: [39.0, -77.0]", "location: [39.0, .nan]", "15:", "location"),
        ("location: [39.0, -77.0]", "location: north", "15:", "location"),
        ("timeout: 2s", "timeout: 20s", "12:", "timeout"),
        ("interval: 10s", "interval: 1ms", "12:", "interval"),
        ("port: 1,", "port: 65536,", "12:", "port"),
        ("port: 1,", "port: 1.5,", "12:", "port"),
        ("rise: 2", "rise: 0", "12:", "rise"),
        ("type: tcp", "type: icmp", "12:", "icmp"),
        ("reach: [one]", "reach: []", "14:", "reach"),
        (", reach: [one]", "", "14:", "reach|carrier"),
        ("check-address: 10.0.0.1", "check-address: localhost", "21:", "check-address"),
        ("      w1: {", "      w9: {", "21:7", "w9"),
        ("addresses: [155.146.1.1]", "cname: lb.example.net, addresses: [155.146.1.1]", "21:", "cname"),
        ("{addresses: [155.146.1.1], check-address: 10.0.0.1}", "{}", "21:", "addresses"),
        ("  app.edge.example.com:", "  app.example.org:", "17:", "app.example.org"),
        ("  app.edge.example.com:", "  \"app..edge.example.com\":", "17:", "app"),
        ("  app.edge.example.com:", "  www.edge.example.com:", None, "www"),
        ("plugin: ranges", "plugin: rangez", "9:", "rangez"),
        ("    file: ranges.csv", "    fille: ranges.csv", "9:|10:", "file"),
        ("    file: ranges.csv", "    file: nowhere.csv", None, "nowhere.csv"),
        ("    file: zone", "    file: nowhere.zone", None, "nowhere.zone"),
        ("    file: zone", "    ns: []", "7:", "ns"),
        ("listen: [\"127", "listen: [\"300", "2:", "listen"),
        ("@{port}\", \"::1", "@0\", \"::1", None, None),
        ("domains:", "domain:", "5:1", "domains"),
        ("apps:", "apps: 7\nxapps:", "16:", "apps"),
    ]
    with Bad() as bad:
        for old, new, place, word in cases:
            old = old.replace("{port}", str(bad.d.port))
            check(bad.good.count(old) == 1, "the case itself is wrong:", old)
            bad.d.write_config(bad.good.replace(old, new))
            if word is None:
                code, _ = bad.test()
                check(code in (0, 2), "exit code", code)
                continue
            where = f"edgesteer.yaml:(?:{place})" if place else ""
            bad.refused(f"{new!r} for {old!r}", where, word, reload=False)
        # All of them at once, each reported.
        text = bad.good.replace("kind: region", "kind: reggion").replace("ttl: 30s", "ttl: soon")
        bad.d.write_config(text.replace("203.0.113.1,", "nowhere,").replace("rise: 2", "rise: x"))
        bad.refused("four errors", r"yaml:12:", r"yaml:15:", r"yaml:18:", r"yaml:20:")
        # Those of zones and sources too, for every caller.
        bad.d.write("zone", ZONE_FILE + "x A 1.2.3.400\n")
        bad.d.write("ranges.csv", RANGES + "10.300.0.0/16,one,,,\n")
        bad.refused("six errors", r"yaml:12:", r"yaml:15:", r"yaml:18:", r"yaml:20:", r"zone:6:", r"ranges.csv:3:")
        errors = bad.d.ctl("reload", code=2).json["errors"]
        equal(len(errors), 6, errors)
        check("zone:6:" in errors[-2] and "ranges.csv:3:" in errors[-1], errors)
        bad.restore()
        bad.d.reload()


def config_syntax():
    """What is no YAML, or YAML that we do not take: one clear line, never a crash, never minutes."""
    deep = "a: " + "[" * 100000
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n"
                                                   for old, new in zip("abcdefghi", "bcdefghij"))
    cases = {
        "nothing": "", "only a comment": "# nothing\n", "a list": "- 1\n- 2\n", "a word": "hello\n",
        "tab": "server:\n\tlisten: []\n",
        "not closed": "server: {listen: [\n", "quote not closed": "server: \"abc\n", "deep": deep,
        "deep mapping": "{a: " * 5000,
        "alias bomb": bomb, "alias to nothing": "server: *nowhere\n", "tag": "server: !!python/object:os.system {}\n",
        "key twice": GOOD + "apps: {}\n", "two documents": GOOD + "---\n" + GOOD,
        "zero octet": GOOD.replace("30s", "3\0s"),
        "not UTF-8": GOOD.encode().replace(b"region: r1", b"region: \xff\xfe"), "binary": bytes(range(256)) * 20,
        "UTF-16": GOOD.encode("utf-16"), "long line": "server: " + "x" * 3_000_000 + "\n",
        "merge": "<<: {a: 1}\n" + GOOD,
        "number as key": "1: 2\n", "list as key": "? [a, b]\n: c\n", "null everywhere": "server:\ndomains:\napps:\n",
        "many errors": "".join(f"key{n}: 1\n" for n in range(20000)),
    }
    with Bad() as bad:
        for what, text in cases.items():
            bad.d.config_path.write_bytes(text if isinstance(text, bytes) else text.encode())
            bad.refused(what, "edgesteer.yaml", reload=what in ("deep", "alias bomb", "binary", "nothing"))
        # A folder, a device without end, no permission, a FIFO without a writer is the operator's mistake.
        bad.d.config_path.unlink()
        bad.d.config_path.mkdir()
        bad.refused("a folder", "edgesteer.yaml")
        bad.d.config_path.rmdir()
        bad.d.config_path.symlink_to("/dev/zero")
        bad.refused("/dev/zero", "edgesteer.yaml", reload=False)
        bad.d.config_path.unlink()
        bad.restore()
        bad.d.reload()


def config_mutations():
    """The good config with random octets changed: taken or refused with a place, never anything else."""
    rng = random.Random(3)
    with Bad() as bad:
        codes = {0: 0, 2: 0}
        for _ in range(60):
            data = bytearray(bad.good.encode())
            for _ in range(rng.randrange(1, 4)):
                at, action = rng.randrange(len(data)), rng.randrange(3)
                if action == 0:
                    data[at] = rng.randrange(256)
                elif action == 1:
                    del data[at:at + rng.randrange(1, 20)]
                else:
                    data[at:at] = rng.choice((b":", b"{", b"]", b"\n", b"- ", b'"', b"&a ", b"*a", b"\t", b"0x"))
            bad.d.config_path.write_bytes(bytes(data))
            code, text = bad.test()
            check(code in codes, f"exit code {code} for {bytes(data)!r}: {text}")
            check(code == 0 or text.strip(), f"refused without a word: {bytes(data)!r}")
            codes[code] += 1
        check(codes[2] > 10, codes)


def zone_files():
    cases = {
        "no SOA": ZONE_FILE.replace("@ SOA", "; @ SOA"),
        "two SOAs": ZONE_FILE + ZONE_FILE.splitlines()[2].replace(" 1 ", " 2 ") + "\n",
        "no NS": ZONE_FILE.replace("@ NS", "; @ NS"), "bad address": ZONE_FILE + "x A 1.2.3.400\n",
        "no rdata": ZONE_FILE + "x A\n",
        "unknown type": ZONE_FILE + "x NOSUCH 1\n", "outside": ZONE_FILE + "www.example.org. A 192.0.2.1\n",
        "CNAME and more": ZONE_FILE + "www CNAME x\n", "two CNAMEs": ZONE_FILE + "c CNAME a\nc CNAME b\n",
        "label above 63": ZONE_FILE + "x" * 64 + " A 192.0.2.1\n",
        "name above 255": ZONE_FILE + "x." * 130 + " A 192.0.2.1\n",
        "parenthesis open": ZONE_FILE + "x TXT (\"a\"\n", "quote open": ZONE_FILE + "x TXT \"a\n", "address at the app":
        ZONE_FILE + "app A 192.0.2.9\n", "alias at the app": ZONE_FILE + "app CNAME www\n",
        "bad TTL": ZONE_FILE + "x 99999999999 A 192.0.2.1\n",
        "empty": "", "binary": bytes(range(256)) * 8, "class CH": ZONE_FILE + "x CH A 192.0.2.1\n", "include":
        ZONE_FILE + "$INCLUDE /etc/passwd\n", "long line": ZONE_FILE + "x TXT \"" + "y" * 300000 + "\"\n",
        "app below a cut": ZONE_FILE + "app NS ns.example.net.\n",
    }
    with Bad() as bad:
        for what, text in cases.items():
            bad.d.write("zone", text)
            bad.refused(what, "yaml:17:3" if what == "app below a cut" else "zone",
                        reload=what in ("empty", "binary", "bad address"))
        # The line of the error.
        bad.d.write("zone", ZONE_FILE + "x A 1.2.3.400\ny A 1.2.3.4\nz AAAA 1.2.3.4\n")
        bad.refused("two bad lines", "zone:6", "zone:8")
        bad.restore()
        bad.d.reload()


def csv_files():
    cases = {
        "bad prefix": ("10.1.0.0/33,one,,,", "ranges.csv:2"),
        "bits past the length": ("10.1.2.3/16,one,,,", "ranges.csv:2"),
        "no length": ("10.1.0.x,one,,,", "ranges.csv:2"), "latitude": ("10.1.0.0/16,one,,91,0", "ranges.csv:2"),
        "one coordinate": ("10.1.0.0/16,one,,40,", "ranges.csv:2"),
        "not a number": ("10.1.0.0/16,one,,north,0", "ranges.csv:2"),
        "NaN": ("10.1.0.0/16,one,,nan,nan", "ranges.csv:2"),
        "too many fields": ("10.1.0.0/16,one,,40,-74,7,8", "ranges.csv:2"),
        "too few": ("10.1.0.0/16", "ranges.csv:2"),
        "long carrier": ("10.1.0.0/16," + "c" * 200 + ",,,", "ranges.csv:2"),
        "long line": ("10.1.0.0/16," + "c" * 100000, "ranges.csv:2"), "binary": ("\0\1\2\3", "ranges.csv:2"),
    }
    head = RANGES.splitlines()[0] + "\n"
    with Bad() as bad:
        for what, (line, pattern) in cases.items():
            bad.d.write("ranges.csv", head + line + "\n")
            bad.refused(what, pattern, reload=what in ("bad prefix", "binary"))
        for what, text in {"no header": "10.1.0.0/16,one\n", "empty": "", "column twice": "prefix,carrier,carrier\n",
                           "no prefix column": "carrier,latitude,longitude\none,1,2\n"}.items():
            bad.d.write("ranges.csv", text)
            bad.refused(what, "ranges.csv", reload=False)
        bad.d.write("ranges.csv", head + "10.1.0.0/16,one,,,\nx,one,,,\n10.2.0.0/16,one,,,\ny,one,,,\n")
        bad.refused("two bad lines", "ranges.csv:3", "ranges.csv:5")
        # Duplicates are said, and the later counts.
        bad.d.write("ranges.csv", head + "10.1.0.0/16,two,,,\n10.1.0.0/16,one,edge,40.0,-74.0\n")
        code, text = bad.test()
        equal(code, 0, text)
        check(re.search(r"ranges\.csv:3.*10\.1\.0\.0/16", text), "a duplicate is not said:", text)
        bad.restore()
        bad.d.reload()


def databases():
    """An mmdb that is damaged in any way is refused with a message, or read; nothing else."""
    folders = [path for path in (harness.DATA, harness.DATA / "mmdb",
                                 harness.DATA / "mmdb" / "bad-data") if path.is_dir()]
    files = [path for folder in folders for path in sorted(folder.glob("*.mmdb"))]
    rng = random.Random(9)
    cases = {path.name: path.read_bytes() for path in files}
    for path in [path for path in files if "City-Test.mmdb" in path.name or "ISP-Test" in path.name][:2]:
        whole = path.read_bytes()
        cases[f"{path.name} cut"] = whole[:len(whole) // 2]
        cases[f"{path.name} without its head"] = whole[len(whole) // 2:]
        for n in range(5):
            data = bytearray(whole)
            for _ in range(200):
                data[rng.randrange(len(data))] = rng.randrange(256)
            cases[f"{path.name} changed {n}"] = bytes(data)
    cases.update({"empty": b"", "text": b"hello", "random": rng.randbytes(5000)})
    with Bad() as bad:
        refused = 0
        for what, data in cases.items():
            bad.d.write("geo.mmdb", data)
            bad.d.write_config(bad.good.replace("locate:",
                                                "locate:\n  - plugin: mmdb\n    city: geo.mmdb\n    isp: geo.mmdb"))
            code, text = bad.test()
            check(code in (0, 2), f"exit code {code} for {what}: {text}")
            if code == 2:
                refused += 1
                check("geo.mmdb" in text, f"{what}: the file is not named: {text}")
                if refused % 8 == 1:
                    bad.d.ctl("reload", code=2)
                    equal(bad.d.query(NAME).addresses, ["203.0.113.1"])
        check(refused >= 3, f"{refused} of {len(cases)} databases refused")


def control_requests():
    """An invalid request gets an error in JSON, or its connection is closed; the daemon continues."""
    requests = [
        b"\n", b"hello\n", b"{\n", b"[]\n", b"null\n", b"{}\n", b'{"verb": 7}\n', b'{"verb": "nosuch"}\n',
        b'{"verb": "drain"}\n',
        b'{"verb": "drain", "site": 7}\n', b'{"verb": "drain", "site": ""}\n',
        b'{"verb": "drain", "site": "nowhere"}\n',
        b'{"verb": "drain", "site": "r1", "extra": 1}\n', b'{"verb": "drain", "site": "r1", "for": "-5s"}\n',
        b'{"verb": "drain", "site": "r1", "for": "99999999999999999999h"}\n',
        b'{"verb": "drain", "site": "r1", "app": "nope"}\n',
        b'{"verb": "force", "app": "app.edge.example.com", "site": "r1", "to": "sideways"}\n',
        b'{"verb": "explain", "name": "app.edge.example.com", "client": "300.1.2.3"}\n',
        b'{"verb": "explain", "name": "app.edge.example.com", "client": "1.2.3.4/99"}\n',
        b'{"verb": "explain", "name": "' + b"x" * 5000 + b'", "client": "1.2.3.4"}\n',
        b'{"verb": "drain", "site": "r1", "reason": "' + b"y" * 60000 + b'"}\n',
        b'{"verb": "status", "verb": "status"}\n',
        b'{"verb": "dr\\u0000ain"}\n', b"\xff\xfe\xfd\n", b"[" * 60000 + b"\n", b'{"a":' * 10000 + b"\n",
        bytes(range(256)) + b"\n",
        b'{"verb": "status"' + b" " * 70000 + b"}\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    with Bad() as bad:
        for request in requests:
            reply = bad.d.control_octets(request)
            if reply:
                answer = json.loads(reply.splitlines()[0])
                check(answer.get("ok") is False and answer.get("error"), request[:80], answer)
        equal(bad.d.query(NAME).addresses, ["203.0.113.1"])
        # No end of line; 200 connections; what was refused has drained nothing.
        check(bad.d.control_octets(b'{"verb": "version"', timeout_s=0.3) == b"")
        socks = []
        for _ in range(200):
            try:
                socks.append(harness.Control(bad.d.socket_path))
            except OSError:
                break
        for control in socks:
            control.__exit__()
        harness.until(lambda: bad.d.ctl("version", code=None).code == 0, harness.PATIENCE_S, "the control socket is served again",
                      every_s=0.1)
        two = bad.d.control_octets(b'{"verb": "version"}\n{"verb": "stats"}\n')
        check(json.loads(two.splitlines()[0])["ok"] is True)
        equal(bad.d.query(NAME, ecs="10.1.2.0/24").addresses, ["155.146.1.1"])


def places():
    """What cannot be bound, made or written is said, with exit code 1 or 2, and at once."""
    with Bad() as bad:
        for what, old, new in (("a port that is taken", "", ""),
                               ("a state folder that is a file", "state-dir: state", "state-dir: zone"),
                               ("a control path that is a file", "control: control.sock", "control: zone"),
                               ("a control path in a file", "control: control.sock",
                                "control: zone/control.sock"),
                               ("an address of others", "127.0.0.1@", "192.0.2.1@")):
            text = bad.good.replace(old, new) if old else bad.good
            if old != "127.0.0.1@":
                text = text.replace(f"@{bad.d.port}", f"@{harness.free_port()}") if old else text
            if old and "control" not in old:
                text = text.replace("control: control.sock", "control: other.sock")
            if old and "state" not in old:
                text = text.replace("state-dir: state", "state-dir: state2")
            path = bad.d.write("other.yaml", text)
            done = subprocess.run([harness.program("edgesteerd"), "-c", str(path)], capture_output=True, text=True,
                                  timeout=harness.PATIENCE_S,
                                  env=harness.program_env(), check=False, stdin=subprocess.DEVNULL)
            check(done.returncode in (1, 2), f"{what}: exit code {done.returncode}: {done.stderr}")
            check(done.stderr.strip(), f"{what}: nothing is said")
            equal((bad.d.folder / "zone").read_text(), ZONE_FILE, what)
        equal(bad.d.query(NAME).addresses, ["203.0.113.1"])
        bad.d.ctl("version")


def no_memory():
    """Out of memory at the start is reported, with the exit code for errors other than the config's."""
    if harness.sanitizer():
        raise Skip("a sanitizer needs more address space than can be kept from it")
    with Bad() as bad:
        codes = set()
        # Some 20 MB more than a small config needs.
        bad.d.write("many.csv", "prefix,carrier\n" + "".join(f"10.{i >> 8}.{i & 255}.{j * 16}/28,one\n"
                                                            for i in range(1 << 16) for j in range(0, 16, 4)))
        bad.d.write_config({"domains": harness.DOMAIN, "locate": [{"plugin": "ranges", "file": "many.csv"}]})
        for megabytes in range(20, 120, 4):
            def limit(size=megabytes << 20):
                resource.setrlimit(resource.RLIMIT_AS, (size, size))

            done = subprocess.run([harness.program("edgesteerd"), "-t", "-c", str(bad.d.config_path)], text=True,
                                  capture_output=True, timeout=harness.PATIENCE_S, env=harness.program_env(), check=False,
                                  preexec_fn=limit)
            check(done.stdout.strip() or done.stderr.strip(), f"{megabytes} MB: nothing is said")
            codes.add(done.returncode)
        check(codes <= {0, 1, 127} and 1 in codes, codes)  # 127: not even the libraries found room


if __name__ == "__main__":
    os.umask(0o022)
    harness.run(config_values, config_syntax, config_mutations, zone_files, csv_files, databases, control_requests,
                places, no_memory)
