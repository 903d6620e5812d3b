"""`edgesteerd -t --online` among real servers on loopback: NSD has the parent zone, unbound resolves, the domains are
served by the daemon, by NSD, or by nobody. Every verdict once, and what is printed to be pasted makes the parent right."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time

import harness
import wire
from harness import Daemon, check, equal
from peers import Nsd
from resolver import Unbound

PARENT, OURS, THEIRS, NOBODY = "127.0.0.11", "127.0.0.21", "127.0.0.22", "127.0.0.23"
SOA = "$TTL 300\n@ SOA ns.example.net. hostmaster.example.net. {} 7200 3600 1209600 60\n"
MANY = [f"name-server-number-{i:02}-of-many-that-this-domain-has" for i in range(20)]

# By domain: our zone's records, and the parent's.
INSIDE = "@ NS ns1\nns1 A " + OURS + "\n"
BOTH = INSIDE + "@ NS ns2.example.net.\n"
DOMAINS = {
    "good.example.com": (BOTH, "good NS ns1.good\ngood NS ns2.example.net.\nns1.good A 127.0.0.21\n"),
    "lacks.example.com": (BOTH, "lacks NS ns1.lacks\nns1.lacks A 127.0.0.21\n"),
    "extra.example.com": (INSIDE, "extra NS ns1.extra\nextra NS ns2.example.net.\nns1.extra A 127.0.0.21\n"),
    "glue.example.com": (INSIDE, "glue NS ns1.glue\nns1.glue A 127.0.0.22\nns1.glue AAAA ::1\n"),
    "none.example.com": (INSIDE, ""),
    "lame.example.com": (BOTH, "lame NS ns1.lame\nlame NS ns2.example.net.\nns1.lame A 127.0.0.21\n"),
    "dead.example.com": ("@ NS ns3.example.net.\n", "dead NS ns3.example.net.\n"),
    "hidden.example.com": (INSIDE, "hidden NS ns1.hidden\nns1.hidden A 127.0.0.21\n"),
    "signed.example.com": (INSIDE, "signed NS ns1.signed\nns1.signed A 127.0.0.21\nsigned DS 1 8 2 " + "00" * 32 + "\n"),
    "steered.example.com": (None, "steered NS ns1.steered\nns1.steered A 127.0.0.21\n"),
    "six.example.com": ("@ NS ns1\nns1 A 127.0.0.21\nns1 AAAA 2001:db8::1\n",
                        "six NS ns1.six\nns1.six A 127.0.0.21\nns1.six AAAA 2001:db8::1\n"),
    "many.example.com": ("".join(f"@ NS {name}\n{name} A {OURS}\n" for name in MANY),
                         "".join(f"many NS {name}.many\n{name}.many A {OURS}\n" for name in MANY)),
    "away.example.org": (INSIDE, ""),
}
# Served by THEIRS too; of `glue` with another serial.
SECONDARY = {"good.example.com": 1, "lacks.example.com": 1, "extra.example.com": 1, "glue.example.com": 2}
VERDICTS = {"good.example.com": "agrees", "lacks.example.com": "differs", "extra.example.com": "differs",
            "glue.example.com": "differs", "none.example.com": "not-delegated", "lame.example.com": "lame",
            "dead.example.com": "lame", "hidden.example.com": "hidden", "signed.example.com": "agrees",
            "steered.example.com": "agrees", "many.example.com": "agrees", "away.example.org": "unasked"}
BROKEN = {"none.example.com", "dead.example.com", "signed.example.com", "away.example.org"}

NET = SOA.format(1) + f"@ NS ns\nns A {PARENT}\nns2 A {THEIRS}\nns3 A {NOBODY}\nlb A 203.0.113.10\nlb AAAA 2001:db8::10\ninner A 10.0.0.10\n"
ORG = SOA.format(1) + f"@ NS ns\nns A {NOBODY}\n"  # its server is not the one that it names


def parent_zone(delegations):
    return SOA.format(1) + "@ NS ns.example.net.\n" + "".join(delegations)


def domain_config(domain):
    if domain == "steered.example.com":
        return {"ns": ["ns1." + domain], "hostmaster": "hostmaster.example.net"}
    return {"file": domain + ".zone"}


# By app: its targets.
ALIASES = {
    "fine.good.example.com": {"r1": {"alias": "lb.example.net", "check-address": "inner.example.net", "check": "tcp"}},
    "inner.good.example.com": {"r1": {"alias": "inner.example.net"}},
    "half.good.example.com": {"r1": {"alias": "gone.example.net"}, "r2": {"addresses": ["203.0.113.20"]}},
}


def config(domains, listen, apps):
    """The name server of `steered` is an app."""
    targets = dict(apps)
    if "steered.example.com" in domains:
        targets["ns1.steered.example.com"] = {"r1": {"addresses": [OURS]}, "w1": {"addresses": ["155.146.0.1"]}}
    return {"server": {"listen": listen},
            "domains": {domain: domain_config(domain) for domain in domains},
            "sites": {"r1": {"kind": "region", "location": [40, -74]}, "r2": {"kind": "region", "location": [30, -90]},
                      "w1": {"kind": "wavelength", "location": [40, -74], "region": "r1", "reach": ["one"]}},
            "checks": {"tcp": {"type": "tcp", "port": 9}},
            "apps": {app: {"targets": these} for app, these in targets.items()}}


# ---- Servers that do not mean well -----------------------------------------------------------------------------------


class Liar:
    """A server that has `udp(query)` and `tcp(query)` for replies: lists of messages, sent one by one. None: nothing
    listens there. A message over TCP comes octet by octet where `slow`."""

    def __init__(self, host, port, udp, tcp=None, slow=False):
        self.udp, self.tcp, self.slow = udp, tcp, slow
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind((host, port))
        self.sockets = [self.datagrams]
        threading.Thread(target=self.serve_udp, daemon=True).start()
        if tcp:
            self.listener = socket.create_server((host, port))
            self.sockets.append(self.listener)
            threading.Thread(target=self.serve_tcp, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def serve_udp(self):
        with contextlib.suppress(OSError):
            while True:
                query, client = self.datagrams.recvfrom(4096)
                if not query:
                    return  # __exit__()
                for reply in self.udp(query):
                    self.datagrams.sendto(reply, client)

    def serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.answer_tcp, args=(connection,), daemon=True).start()

    def answer_tcp(self, connection):
        with connection, contextlib.suppress(OSError):
            query = connection.recv(4096)[2:]
            for reply in self.tcp(query):
                framed = len(reply).to_bytes(2, "big") + reply
                for at in range(0, len(framed), 1 if self.slow else len(framed)):
                    connection.sendall(framed[at:at + 1] if self.slow else framed)
                    time.sleep(0.5 if self.slow else 0)
            connection.recv(1)


def reply(query, flags, records=(), ident=None):
    """To a query with one additional record."""
    question = query[12:query.index(b"\0", 12) + 5]
    return ((ident or query[:2]) + (wire.QR | flags).to_bytes(2, "big") + b"\0\1" + len(records).to_bytes(2, "big") +
            bytes(4) + question + b"".join(records))


def soa(serial=1):
    data = b"\0\0" + serial.to_bytes(4, "big") + bytes(16)
    return b"\xc0\x0c\0\6\0\1\0\0\0\1" + len(data).to_bytes(2, "big") + data


def other_ident(query):
    return bytes((query[0] ^ 1, query[1]))


def other_question(query):
    return reply(query, wire.AA, [soa()])[:13] + b"x" + reply(query, wire.AA, [soa()])[14:]


A_RECORD = b"\0\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"
# By name of the server: what it does, and what is said of it.
LIARS = {
    "ident": (dict(udp=lambda query: [reply(query, wire.AA, [soa()], other_ident(query))] * 100), "no answer within"),
    "question": (dict(udp=lambda query: [other_question(query)]), "no answer within"),
    "octets": (dict(udp=lambda query: [bytes(range(256))]), "no answer within"),
    "circle": (dict(udp=lambda query: [reply(query, wire.AA, [b"\xc0" + bytes((len(reply(query, 0)),)) + A_RECORD[1:]])]),
               "answers with a malformed message"),
    "servfail": (dict(udp=lambda query: [reply(query, 2)]), "answers SERVFAIL"),
    "cached": (dict(udp=lambda query: [reply(query, 0, [soa()])]), "answers without authority"),
    "empty": (dict(udp=lambda query: [reply(query, wire.AA)]), "answers without an SOA record of the domain"),
    "slow": (dict(udp=lambda query: [reply(query, wire.TC)], tcp=lambda query: [reply(query, wire.AA, [soa()])], slow=True),
             "no answer within"),
    "closed": (dict(udp=lambda query: [reply(query, wire.TC)]), "nothing listens there"),
    "flood": (dict(udp=lambda query: [reply(query, wire.TC)], tcp=lambda query: [reply(query, wire.AA, [A_RECORD] * 4000)]),
              "answers without an SOA record of the domain"),
    "honest": (dict(udp=lambda query: [reply(query, wire.AA, [soa(7)], other_ident(query)), reply(query, wire.AA, [soa(7)])]),
               None),
}
HOSTS = {name: f"127.0.0.{40 + i}" for i, name in enumerate(LIARS)}
DOMAINS["liars.example.com"] = ("".join(f"@ NS {name}\n{name} A {host}\n" for name, host in HOSTS.items()),
                                "".join(f"liars NS {name}.liars\n{name}.liars A {host}\n" for name, host in HOSTS.items()))


# ---- The servers -----------------------------------------------------------------------------------------------------


class World:
    """The daemon that serves all of them, the servers around it, and the command."""

    def __init__(self, domains, parent=None, apps=()):
        self.apps = apps
        self.domains = {domain: DOMAINS[domain] for domain in domains}
        self.files = {f"{domain}.zone": SOA.format(1) + ours for domain, (ours, _) in self.domains.items() if ours}
        self.parent = parent or parent_zone(delegation for _, delegation in self.domains.values())
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with self.stack as stack:
            self.daemon = stack.enter_context(Daemon({}, self.files, start=False))
            self.port = self.daemon.port
            self.daemon.write_config(config(self.domains, [f"127.0.0.1@{self.port}", f"{OURS}@{self.port}"], self.apps))
            self.daemon.start()
            self.around(stack)
            self.stack = stack.pop_all()
        return self

    def around(self, stack):
        folder = self.daemon.folder
        parents = {"example.com": self.parent, "example.net": NET, "example.org": ORG}
        parents.update({domain: self.files[f"{domain}.zone"] for domain in self.domains if domain == "hidden.example.com"})
        secondary = {domain: SOA.format(SECONDARY[domain]) + self.domains[domain][0]
                     for domain in self.domains if domain in SECONDARY}
        for name, zones in (("parent", parents), ("theirs", secondary)):
            (folder / name).mkdir()
            for zone, text in zones.items():
                (folder / name / f"{zone}.zone").write_text(text)
        stack.enter_context(Nsd(folder / "parent", parents, PARENT, self.port))
        if secondary:
            stack.enter_context(Nsd(folder / "theirs", secondary, THEIRS, self.port))
        self.resolver = stack.enter_context(Unbound(folder, self.port, "example.com", "example.net", "example.org",
                                                    server=PARENT))
        self.at = f"127.0.0.1@{self.resolver.port}"

    def __exit__(self, *error):
        return self.stack.__exit__(*error)

    def run(self, *words, code, resolver=True):
        command = [harness.program("edgesteerd"), "-c", str(self.daemon.config_path), "-t", "--online", "--port",
                   str(self.port), *words, *(["--resolver", self.at] if resolver else [])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=harness.PATIENCE_S, check=False,
                              env=harness.program_env())
        equal(done.returncode, code, f"exit code with {words}: {done.stdout}{done.stderr}")
        check("error:" not in done.stderr and "Sanitizer" not in done.stderr, done.stderr)
        return done.stdout

    def json(self, code):
        objects = map(json.loads, self.run("--json", code=code).splitlines())
        return {told.get("domain") or told["app"]: told for told in objects}


def found(said, domain):
    return {(finding["level"], finding["kind"], finding.get("server"), finding.get("address"))
            for finding in said[domain]["findings"]}


def every_verdict():
    with World(VERDICTS) as world:
        said = world.json(code=1)
        equal({domain: told["verdict"] for domain, told in said.items()}, VERDICTS)
        equal({domain for domain, told in said.items() if told["breaks"]}, BROKEN)
        equal(found(said, "good.example.com"), set())
        equal(found(said, "many.example.com"), set(), "a referral that came over TCP")
        equal(found(said, "steered.example.com"), set(), "glue that an app has at a site for all")
        equal(found(said, "lacks.example.com"), {("warning", "parent-lacks", "ns2.example.net", None)})
        equal(found(said, "extra.example.com"), {("warning", "parent-extra", "ns2.example.net", None)})
        equal(found(said, "glue.example.com"),
              {("warning", "glue-lacks", "ns1.glue.example.com", OURS), ("warning", "glue-extra", "ns1.glue.example.com", THEIRS),
               ("warning", "glue-extra", "ns1.glue.example.com", "::1"), ("warning", "lame", "ns1.glue.example.com", "::1"),
               ("warning", "serial", "ns1.glue.example.com", OURS)})
        equal(found(said, "none.example.com"), {("error", "not-delegated", "ns.example.net", PARENT)})
        equal(found(said, "lame.example.com"), {("warning", "lame", "ns2.example.net", THEIRS)})
        equal(found(said, "dead.example.com"), {("warning", "lame", "ns3.example.net", NOBODY), ("error", "unanswered", None, None)})
        equal(found(said, "hidden.example.com"), {("warning", "hidden", "ns.example.net", PARENT)})
        equal(found(said, "signed.example.com"), {("error", "ds", None, None)})
        equal(found(said, "away.example.org"), {("error", "unasked", None, None)})
        why, = said["away.example.org"]["findings"]
        check(NOBODY in why["text"] and "nothing listens there" in why["text"], "why it cannot be asked:", why)
        for_people(world.run(code=1))


def for_people(text):
    lines = text.splitlines()
    for line in (f"good.example.com: agrees: example.com has the zone's name servers and glue, says ns.example.net ({PARENT}), "
                 "and they answer",
                 "lacks.example.com: warning: the parent lacks the name server ns2.example.net",
                 f"none.example.com: error: not delegated: example.com has no NS records of it, says ns.example.net ({PARENT})",
                 f"lame.example.com: warning: ns2.example.net ({THEIRS}) is lame: answers REFUSED",
                 f"dead.example.com: warning: ns3.example.net ({NOBODY}) is lame: nothing listens there",
                 "none.example.com. 300 IN NS ns1.none.example.com.",
                 f"ns1.none.example.com. 300 IN A {OURS}",
                 "delegation: 12 domains: 3 agree, 5 with warnings, 4 broken"):
        check(line in lines, "not printed:", repr(line), "but", text)


def targets_by_host_name():
    with World(["good.example.com"], apps=ALIASES) as world:
        said = world.json(code=1)
        equal(set(said), {"good.example.com", *ALIASES})
        equal({app for app, told in said.items() if told["breaks"]}, {"inner.good.example.com"})
        answered, probed = said["fine.good.example.com"]["targets"]
        equal(answered["addresses"], ["203.0.113.10", "2001:db8::10"])
        check(answered["ttl"] > 0 and not answered["probed"] and "error" not in answered, answered)
        equal((probed["name"], probed["probed"], probed["addresses"], probed["refused"]),
              ("inner.example.net", True, ["10.0.0.10"], []), "an address to probe may be anywhere")
        inner, = said["inner.good.example.com"]["targets"]
        equal((inner["addresses"], [told["address"] for told in inner["refused"]]), ([], ["10.0.0.10"]))
        gone, = said["half.good.example.com"]["targets"]
        check(gone["error"] and gone["addresses"] == [], "a name that does not exist:", gone)
        text = world.run(code=1)
        for part in ("fine.good.example.com at r1: lb.example.net: 203.0.113.10, 2001:db8::10 (TTL ",
                     "fine.good.example.com at r1: inner.example.net: probed at 10.0.0.10 (TTL ",
                     "inner.good.example.com at r1: inner.example.net: warning: 10.0.0.10 is refused: ",
                     "inner.good.example.com: error: none of its targets has an address\n",
                     f"half.good.example.com at r1: gone.example.net: warning: {gone['error']}\n",
                     "targets by host name: 3 apps, 1 without an address\n"):
            check(part in text, "not printed:", repr(part), "but", text)


def providers():
    """One that gives targets, good and bad ones, and one that gives nothing."""
    rows = ("app,site,address,alias\nnew.good.example.com,r1,,lb.example.net\nnew.good.example.com,r2,203.0.113.30,\n"
            "new.good.example.com,r9,203.0.113.31,\nwww.elsewhere.test,r1,203.0.113.32,\n")
    with World(["good.example.com"]) as world:
        world.daemon.write("targets.csv", rows)
        path = world.daemon.config_path
        config = json.loads(path.read_text())
        config["providers"] = [{"plugin": "file", "file": "targets.csv"}, {"plugin": "exec", "command": ["/bin/sleep", "60"]}]
        path.write_text(json.dumps(config))
        begun = time.monotonic()
        objects = list(map(json.loads, world.run("--json", code=0).splitlines()))
        took = time.monotonic() - begun
        check(10 <= took < 20 * harness.slowness(), f"it took {took:.1f} s")
        given, nothing, app, domain = objects
        equal((given["committed"], nothing["committed"], nothing["targets"]), (True, False, []))
        equal([(target["app"], target["site"]) for target in given["targets"]],
              [("new.good.example.com", "r1"), ("new.good.example.com", "r2"), ("new.good.example.com", "r9"),
               ("www.elsewhere.test", "r1")])
        equal({(target["app"], target["site"]) for target in given["refused"]},
              {("new.good.example.com", "r9"), ("www.elsewhere.test", "r1")})
        target, = app["targets"]
        equal((app["app"], target["site"], target["addresses"]),
              ("new.good.example.com", "r1", ["203.0.113.10", "2001:db8::10"]), "a provided target's alias")
        equal(domain["verdict"], "agrees")
        text = world.run(code=0)
        for part in (": gives 4 targets\n", "new.good.example.com at r2: 203.0.113.30\n",
                     ": warning: new.good.example.com at r9 is refused: its site is neither in `sites` nor in the catalogue\n",
                     ": warning: has given nothing within 10 s"):
            check(part in text, "not printed:", repr(part), "but", text)


def resolvers_of_the_config():
    with World(["good.example.com"]) as world:
        path = world.daemon.config_path
        path.write_text(json.dumps({**json.loads(path.read_text()), "resolver": {"servers": [world.at]}}))
        told, = map(json.loads, world.run("--json", code=0, resolver=False).splitlines())
        equal(told["verdict"], "agrees")


def has_way_to(address):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((address, 53))
        except OSError:
            return False
    return True


def no_way_is_nobodys_fault():
    """A name server at an IPv6 address, where this host has none of its own: else in a network namespace, with nothing but
    its loopback."""
    if has_way_to("2001:db8::1"):
        apart = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode != 0:
            raise harness.Skip("this host has a way to 2001:db8::1, and no network namespaces")
        command = [*apart, sys.executable, __file__, "no_way_is_nobodys_fault"]
        code = subprocess.run(command, check=False).returncode
        if code == 77: # skipped there
            raise harness.Skip("no name servers")
        return check(code == 0, "in a network namespace")
    with World(["six.example.com"]) as world:
        said = world.json(code=0)
        equal((said["six.example.com"]["verdict"], found(said, "six.example.com")),
              ("agrees", {("note", "not-asked", "ns1.six.example.com", "2001:db8::1")}))
        check("1 domain: 1 agree, 0 with warnings, 0 broken" in world.run(code=0), "for people")
    return None


def warnings_do_not_fail():
    with World(["good.example.com", "lacks.example.com", "lame.example.com"]) as world:
        equal({domain: told["verdict"] for domain, told in world.json(code=0).items()},
              {"good.example.com": "agrees", "lacks.example.com": "differs", "lame.example.com": "lame"})


def what_is_pasted_is_right():
    """Both forms, of a parent that has nothing, and of one that has the wrong things."""
    domains = ["lacks.example.com", "extra.example.com", "glue.example.com", "none.example.com"]
    with World(domains) as world:
        said = world.json(code=1)
    lines = [line + "\n" for told in said.values() for line in told["paste"]["zone-file"]]
    records = {}
    for told in said.values():
        for change in told["paste"]["route53"]["Changes"]:
            rrset = change["ResourceRecordSet"]
            key = rrset["Name"], rrset["Type"]
            check(change["Action"] in ("UPSERT", "DELETE") and key not in records, "changes:", told)
            records[key] = [(rrset["TTL"], value["Value"]) for value in rrset["ResourceRecords"]], change["Action"]
    equal(records["ns1.glue.example.com.", "AAAA"], ([(300, "::1")], "DELETE"))
    batch = [f"{name} {ttl} IN {kind} {value}\n" for (name, kind), (values, action) in records.items() if action == "UPSERT"
             for ttl, value in values]
    equal(sorted(lines), sorted(batch), "lines and change batch")
    with World(domains, parent_zone(lines)) as world:
        for domain, told in world.json(code=0).items():
            check(told["verdict"] in ("agrees", "lame") and "paste" not in told, "once pasted:", told)


def hostile_servers_do_no_harm():
    with World(["liars.example.com"]) as world, contextlib.ExitStack() as stack:
        for name, (does, _) in LIARS.items():
            stack.enter_context(Liar(HOSTS[name], world.port, **does))
        begun = time.monotonic()
        told = world.json(code=0)["liars.example.com"]
        took = time.monotonic() - begun
    check(took < 12 * harness.slowness(), f"all of them together held it for {took:.1f} s")
    said = {server["name"].split(".")[0]: server for server in told["servers"]}
    for name, (_, why) in LIARS.items():
        server = said[name]
        equal(server["answers"], why is None, name, server)
        check(why is None or server["error"].startswith(why), name, "gives", server, "not", why)
    equal(said["honest"]["serial"], 7)


def what_is_written_wrongly_is_refused():
    with Daemon({"domains": harness.DOMAIN}, start=False) as daemon:
        for words, why in ((["--online"], "--online is for -t"), (["-t", "--json"], "are for -t --online"),
                           (["-t", "--online", "--port", "0"], "--port 0: not a number"),
                           (["-t", "--online", "--resolver", "example.net"], "--resolver example.net: not ADDRESS"),
                           (["-t", "--online"] + ["--resolver", "127.0.0.1"] * 9, "there are 8 already")):
            done = subprocess.run([harness.program("edgesteerd"), "-c", str(daemon.config_path), *words], text=True,
                                  capture_output=True, timeout=harness.PATIENCE_S, check=False, env=harness.program_env())
            equal(done.returncode, 2, words)
            check(why in done.stderr, why, done.stderr)


if __name__ == "__main__":
    harness.run(every_verdict, targets_by_host_name, providers, resolvers_of_the_config, no_way_is_nobodys_fault, warnings_do_not_fail, what_is_pasted_is_right, hostile_servers_do_no_harm,
                what_is_written_wrongly_is_refused)
