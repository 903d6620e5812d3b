"""What nobody ought to send: resolvers that answer with garbage, without end or with the wrong types, and programs that print
without end. The daemon answers on with what was good, says what is wrong in a line each, and its memory is bounded."""

import contextlib
import os
import socket
import struct
import threading
import time

import harness
import wire
from harness import Daemon, check, equal, until
from hosts import Hosts, record, reply

ZONE, HOSTS = "edge.example.com", "aws.test"
SITE = "us-east-1"
# Between two look-ups of a name, or after one that failed; and all attempts of one, and the rest.
LOOKUP_S, ATTEMPTS_S = 5 * 1.1, 3
MEMORY_MAX_KB = 64 << 10
LINES_AT_ONCE = 20


# ---- a resolver ------------------------------------------------------------------------------------------------------


def cname(owner, target):
    return record(target if isinstance(target, bytes) else wire.name_wire(target), "CNAME", owner)


def chain(query, right):
    names = [b"\xc0\x0c", *(wire.name_wire(f"c{i}.{HOSTS}") for i in range(100))]
    links = [cname(names[i], names[i + 1]) for i in range(100)]
    return reply(query, *links, names[-1] + right[2:])


def circle(query, _):
    there = wire.name_wire(f"there.{HOSTS}")
    return reply(query, cname(b"\xc0\x0c", there), cname(there, b"\xc0\x0c"))


def pointer_to_itself(query, right):
    at = query.index(b"\0", 12) + 5
    return reply(query, struct.pack("!H", 0xc000 | at) + right[2:])


# By the first label of a name: what is sent, from the query and the record that would be right.
DATAGRAMS = {
    "garbage": lambda query, right: query[:2] + os.urandom(300),
    "nothing": lambda query, right: b"",
    "header": lambda query, right: query[:2] + b"\x81\x80" + query[4:12],
    "cut": lambda query, right: reply(query, right)[:-3],
    "counts": lambda query, right: reply(query, right, count=65535),
    "pointer": pointer_to_itself,
    "text": lambda query, right: reply(query, record(b"\x04text", "TXT")),
    "long": lambda query, right: reply(query, record(bytes(200)), record(bytes(200), "AAAA")),
    "short": lambda query, right: reply(query, record(b"\1"), record(b"\1", "AAAA")),
    "class": lambda query, right: reply(query, right.replace(b"\0\1\0\0\0\3", b"\0\3\0\0\0\3")),
    "question": lambda query, right: reply(query, right, question=b"\1x\0\0\1\0\1"),
    "others": lambda query, right: reply(query, wire.name_wire("other.test") + right[2:]),
    "chain": chain,
    "circle": circle,
    "home": lambda query, right: reply(query, cname(b"\xc0\x0c", f"x.{ZONE}")),
    "control": lambda query, right: reply(query, cname(b"\xc0\x0c", b"\x0c\x1b[31m\n\rred\x85\xff\0")),
    "refused": lambda query, right: reply(query, flags=0x8185),
    "huge": lambda query, right: reply(query, *[right] * 2000),
    "silent": lambda query, right: None,
    # Octets without end over TCP; a message of 0 octets, again and again.
    "endless": lambda query, right: reply(query, flags=0x8380),
    "zeros": lambda query, right: reply(query, flags=0x8380),
    "flood": None,
}
STREAMS = {b"endless": b"\xff\xff" + b"x" * 65535, b"zeros": bytes(65536)}
FLOOD_S = 1.5


class Resolver(Hosts):
    """Answers for any name: rightly, or as its first label says."""

    def __init__(self):
        self.is_hostile, self.asked = False, set()
        super().__init__({})
        self.renumber(1)
        self.tcp = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self.serve_tcp, daemon=True).start()

    def renumber(self, first):
        self.addresses = {label: [f"203.0.113.{first + i}", f"2001:db8::{first + i:x}"] for i, label in enumerate(DATAGRAMS)}

    def answer(self, query, client, label):
        if not self.is_hostile:
            super().answer(query, client, label)
            return
        self.asked.add(label)
        right, = self.records(query, label)
        if label == "flood":
            threading.Thread(target=self.flood, args=(query, right, client), daemon=True).start()
            return
        data = DATAGRAMS[label](query, right)
        if data is not None:
            self.udp.sendto(data, client)

    def flood(self, query, right, client):
        """Replies with other ids, as fast as they can be sent."""
        forged, ends = bytes((query[0] ^ 0x55,)) + reply(query, right)[1:], time.monotonic() + FLOOD_S
        while time.monotonic() < ends and self.going:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    self.udp.sendto(forged, client)

    def serve_tcp(self):
        while self.going:
            with contextlib.suppress(OSError):
                threading.Thread(target=self.stream, args=(self.tcp.accept()[0],), daemon=True).start()

    def stream(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            query = connection.recv(4096)
            data = STREAMS.get(query[15:15 + query[14]], b"")
            while data and self.going:
                connection.sendall(data)

    def __exit__(self, *error):
        super().__exit__(*error)
        self.tcp.close()


def answers(daemon, resolver):
    """Those of each app; and those that it ought to have."""
    given = {label: daemon.query(f"{label}.{ZONE}").addresses for label in DATAGRAMS}
    wanted = {label: addresses[:1] for label, addresses in resolver.addresses.items()}
    return given, wanted


def is_as_wanted(daemon, resolver):
    given, wanted = answers(daemon, resolver)
    return given == wanted


def states(daemon):
    return {row["alias"].split(".")[0]: row for row in daemon.ctl_json("targets")["targets"]}


def resolvers():
    apps = {f"{label}.{ZONE}": {"targets": {SITE: {"alias": f"{label}.{HOSTS}"}}} for label in DATAGRAMS}
    with Resolver() as resolver, Daemon({
            "domains": harness.DOMAIN, "sites": {SITE: {}}, "apps": apps,
            "resolver": {"servers": [f"127.0.0.1@{resolver.port}"], "timeout": "300ms", "attempts": 2}}) as daemon:
        equal(*answers(daemon, resolver))
        before_kb = harness.memory_kb(daemon.process.pid)
        resolver.is_hostile = True
        until(lambda: resolver.asked == set(DATAGRAMS), LOOKUP_S + ATTEMPTS_S * harness.slowness(), "all are asked for")
        until(lambda: all(row["stale"] and row["error"] for row in states(daemon).values()),
              (LOOKUP_S + ATTEMPTS_S) * harness.slowness(), "all have failed")
        equal(*answers(daemon, resolver))
        until(lambda: all(row["failures"] > 1 for row in states(daemon).values()),
              (LOOKUP_S + ATTEMPTS_S) * harness.slowness(), "all have failed again")
        equal(*answers(daemon, resolver))
        grown_kb = harness.memory_kb(daemon.process.pid) - before_kb
        said = daemon.log() + daemon.ctl("targets", as_json=False).out
        check(all(octet.isprintable() or octet == "\n" for octet in said), "what the resolver sent is shown as it is:", said)
        equal(daemon.log().count(f".{HOSTS} cannot be resolved: "), min(len(DATAGRAMS), LINES_AT_ONCE))
        print(f"  {grown_kb} kB more; " + "; ".join(f"{label}: {row['error']}" for label, row in states(daemon).items()))
        check(harness.sanitizer() or grown_kb < MEMORY_MAX_KB, f"{grown_kb} kB more than before")
        resolver.renumber(101)
        resolver.is_hostile = False
        until(lambda: is_as_wanted(daemon, resolver), (LOOKUP_S + ATTEMPTS_S) * harness.slowness(), "fresh ones")
        check(not any(row["stale"] for row in states(daemon).values()))


# ---- programs --------------------------------------------------------------------------------------------------------

TARGET = '{{"app": "{0}.e.x", "site": "us-east-1", "addresses": "192.0.2.{1}"}}'
# What a program does when it has given its target, and what is said of it.
PROGRAMS = {
    "line": ("exec tr '\\0' x </dev/zero", "longer than 16 MiB: it is ended, and its last targets serve on"),
    "adds": ("exec yes '{\"add\": {\"app\": \"more.e.x\", \"site\": \"us-east-1\", \"alias\": \"lb.x\"}}'",
             "over the limit of 65536 targets"),
    "lists": ("exec yes '{\"list\": [" + TARGET.format("lists", 2) + "]}'", None),
    "says": ("yes 'a line of its standard error' >&2 &\nsleep 1000", " more lines"),
    "blanks": ("exec yes ''", None),
}


def programs():
    domains = {"e.x": {"ns": ["n.x"]}}
    with Daemon({"domains": domains}, start=False) as daemon:
        for number, (name, (then, _)) in enumerate(PROGRAMS.items()):
            path = daemon.write(name, "#!/bin/sh\nPATH=/bin:/usr/bin\n" + (
                f"echo '{{\"list\": [{TARGET.format(name, number)}]}}'\n" + then + "\n"))
            path.chmod(0o755)
        daemon.write_config({"domains": domains, "providers": [
            {"plugin": "exec", "command": [name], "deadline": "2s", "grace": "0s"} for name in PROGRAMS]})
        daemon.start()
        wanted = {name: ["192.0.2.2" if name == "lists" else f"192.0.2.{number}"] for number, name in enumerate(PROGRAMS)}

        def given():
            return {name: daemon.query(f"{name}.e.x").addresses for name in PROGRAMS}

        until(lambda: given() == wanted, 20 * harness.slowness(), "the target of each")
        before_kb, worst_kb, ends = harness.memory_kb(daemon.process.pid), 0, time.monotonic() + 12
        while time.monotonic() < ends or not all(said in daemon.log() for _, said in PROGRAMS.values() if said):
            check(time.monotonic() < ends + 30 * harness.slowness(), "not all is said:", daemon.log()[-3000:])
            equal(given(), wanted)
            worst_kb = max(worst_kb, harness.memory_kb(daemon.process.pid))
            time.sleep(0.05)
        lines = daemon.log().count("\n")
        print(f"  {worst_kb - before_kb} kB more at most, {lines} lines")
        check(lines < 200, lines, "lines")
        check(harness.sanitizer() or worst_kb - before_kb < 4 * MEMORY_MAX_KB, f"{worst_kb - before_kb} kB more than before")


if __name__ == "__main__":
    harness.run(resolvers, programs, limit_s=120)
