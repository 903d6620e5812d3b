"""What every authoritative name server must do: RFC 1034, 1035, 2181, 2308, 4343, 4592, 6891, 8020, 8482, 8906,
9619 and so on, with the RFC named at each check."""

import os
import random
import signal
import socket
import struct

import dns.flags
import dns.message
import dns.rcode

import harness
import wire
from harness import Daemon, check, equal, slowness

ZONE = "edge.example.com"
LONG = ".".join(["a" * 63] * 3) + "." + "b" * (254 - 3 * 64 - len(ZONE) - 1 - 1)
DEEP = ".".join(["d"] * ((254 - len(ZONE) - 1) // 2))
ZONE_FILE = f"""$ORIGIN {ZONE}.
$TTL 300
@ 600 SOA ns1 hostmaster 2026010101 3600 900 604800 60
@ NS ns1
@ NS ns2.example.net.
@ MX 10 mail
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
mail A 192.0.2.25
static A 192.0.2.10
static A 192.0.2.11
static AAAA 2001:db8::10
static TXT "hello" "world"
MixedCase A 192.0.2.12
odd 60 TYPE65280 \\# 4 c000020a
svc HTTPS 1 . alpn=h2
www CNAME static
chain1 CNAME chain2
chain2 CNAME chain3
chain3 CNAME static
toapp CNAME app
tochain CNAME toapp
out CNAME www.example.org.
dangling CNAME nothere
loop1 CNAME loop2
loop2 CNAME loop1
self CNAME self
tosub CNAME x.sub
a.b.ent A 192.0.2.13
sub NS ns.sub
sub NS ns.other
sub NS ns.example.net.
sub DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub A 192.0.2.53
ns.sub AAAA 2001:db8::53
other NS ns.other
ns.other A 192.0.2.54
dotted\\.label A 192.0.2.14
octet\\000zero A 192.0.2.15
{LONG} A 192.0.2.16
{DEEP} A 192.0.2.17
"""
ZONE_FILE += "".join(f"big A 198.51.100.{n}\n" for n in range(60))
ZONE_FILE += "".join(f"huge TXT \"{'h' * 200}{n}\"\n" for n in range(250))

# The zone of RFC 4592 section 2.2.1, under another name.
WILD = "wild.example.com"
WILD_FILE = f"""$ORIGIN {WILD}.
$TTL 3600
@ SOA ns.example.com. hostmaster.example.com. 1 3600 900 604800 60
@ NS ns.example.com.
@ NS ns.example.net.
* TXT "this is a wildcard"
* MX 10 host1
sub.* TXT "this is not a wildcard"
host1 A 192.0.2.1
_ssh._tcp.host1 SRV 0 0 22 host1
_ssh._tcp.host2 SRV 0 0 22 host2
subdel NS ns.example.com.
subdel NS ns.example.net.
*.alias CNAME host1
"""

CONFIG = {
    "server": {"nsid": "edge-test-1"},
    "domains": {ZONE: {"file": "zone"}, WILD: {"file": "wild"},
                "made.example.com": {"ns": ["ns1.example.net", "ns2.example.net"],
                                     "hostmaster": "hostmaster.example.net",
                                     "ttl": "1h", "negative-ttl": "30s"}},
    "sites": {"r1": {"kind": "region", "location": [40.0, -74.0]}},
    "apps": {
        "app." + ZONE: {"ttl": "30s",
                        "targets": {"r1": {"addresses": ["203.0.113.1", "203.0.113.2", "2001:db8:f::1"]}}},
        "*.many." + ZONE: {"ttl": "20s", "targets": {"r1": {"addresses": ["203.0.113.3"]}}},
        "alias." + ZONE: {"ttl": "10s", "targets": {"r1": {"cname": "lb.example.org"}}},
        "app.made.example.com": {"targets": {"r1": {"addresses": ["203.0.113.4"]}}},
    },
}


def daemon(**more):
    return Daemon(CONFIG, {"zone": ZONE_FILE, "wild": WILD_FILE}, **more)


def soa_says(reply, rcode, ttl=60, zone=ZONE):
    """RFC 2308 sections 2, 3: SOA in authority, TTL = min(its TTL, MINIMUM)."""
    equal((reply.rcode, reply.aa), (rcode, True), reply)
    equal([(record.owner.lower(), record.type, record.ttl) for record in reply.authority], [(zone, 6, ttl)])


def positive():
    with daemon() as d:
        for tcp in (False, True):
            reply = d.query("static." + ZONE, tcp=tcp)
            check(reply.aa and not reply.flags & (wire.RA | wire.AD | wire.TC), "flags", reply)
            equal(reply.values("A"), ["192.0.2.10", "192.0.2.11"])
            equal({record.ttl for record in reply.answer}, {300})
            equal(d.query("static." + ZONE, "AAAA", tcp=tcp).values("AAAA"), ["2001:db8::10"])
            equal(d.query("static." + ZONE, "TXT", tcp=tcp).values("TXT"), ["hello|world"])
        equal(d.query(ZONE, "SOA").answer[0].value[2:], (2026010101, 3600, 900, 604800, 60))
        equal(d.query(ZONE, "SOA").answer[0].ttl, 600)
        equal(d.query(ZONE, "NS").values("NS"), ["ns1." + ZONE, "ns2.example.net"])
        equal(d.query(ZONE, "MX").values("MX"), ["10 mail." + ZONE])
        # RFC 3597: an unknown type, and its rdata untouched.
        reply = d.query("odd." + ZONE, 65280)
        equal([(record.ttl, record.rdata.hex()) for record in reply.answer], [(60, "c000020a")])
        equal(len(d.query("svc." + ZONE, "HTTPS").answer), 1)
        # Labels of any octets (RFC 2181 section 11).
        equal(d.query(wire.name_wire([b"dotted.label"] + wire.labels(ZONE))).values("A"), ["192.0.2.14"])
        equal(d.query(wire.name_wire([b"octet\0zero"] + wire.labels(ZONE))).values("A"), ["192.0.2.15"])
        # RD is copied, CD may be; RA is never set.
        for flags in (0, wire.RD):
            equal(d.query("static." + ZONE, flags=flags).flags & (wire.RD | wire.RA), flags)
        # The reply comes from the address asked, in IPv6 as well (RFC 2181 section 4: the socket is connected).
        equal(d.query("static." + ZONE, six=True).values("A"), ["192.0.2.10", "192.0.2.11"])
        equal(d.query("static." + ZONE, six=True, tcp=True).values("A"), ["192.0.2.10", "192.0.2.11"])


def apps():
    with daemon() as d:
        reply = d.query("app." + ZONE)
        equal((reply.values("A"), reply.answer[0].ttl, reply.aa), (["203.0.113.1", "203.0.113.2"], 30, True))
        equal(d.query("app." + ZONE, "AAAA").values("AAAA"), ["2001:db8:f::1"])
        soa_says(d.query("app." + ZONE, "MX"), 0)
        soa_says(d.query("app." + ZONE, "TXT"), 0)
        soa_says(d.query("below.app." + ZONE), wire.NXDOMAIN)
        # A wildcard app (RFC 4592): any name below, none of its own.
        for name in ("x.many.", "x.y.many.", "*.many."):
            reply = d.query(name + ZONE)
            equal((reply.values("A"), reply.answer[0].owner), (["203.0.113.3"], name + ZONE))
        soa_says(d.query("x.many." + ZONE, "AAAA"), 0, 20)  # the next decision may be another: the app's TTL
        soa_says(d.query("many." + ZONE), 0)
        # A host name handed out: CNAME whatever is asked.
        for kind in ("A", "AAAA", "CNAME", "MX"):
            reply = d.query("alias." + ZONE, kind)
            equal((reply.rcode, reply.values("CNAME"), reply.answer[0].ttl), (0, ["lb.example.org"], 10), kind)
        # A zone without a file.
        reply = d.query("made.example.com", "SOA")
        equal((reply.answer[0].value[:2], reply.answer[0].ttl), (("ns1.example.net", "hostmaster.example.net"), 3600))
        equal(d.query("made.example.com", "NS").values("NS"), ["ns1.example.net", "ns2.example.net"])
        equal(d.query("app.made.example.com").values("A"), ["203.0.113.4"])
        soa_says(d.query("x.made.example.com"), wire.NXDOMAIN, 30, "made.example.com")


def negative():
    """RFC 2308, 8020: NXDOMAIN, NODATA, empty non-terminals."""
    with daemon() as d:
        for name in ("nothere.", "x.static.", "a.b.c.d.", "x.a.b.ent.", "x.b.ent."):
            for kind in ("A", "AAAA", "TXT", "SOA", "NS"):
                reply = d.query(name + ZONE, kind)
                soa_says(reply, wire.NXDOMAIN)
                equal(reply.answer, [])
        for name, kind in (("static.", "MX"), ("static.", "NS"), ("static.", "SOA"), ("b.ent.", "A"), ("ent.", "A"),
                           ("ent.", "NS"), ("", "A"), ("", "DS"), ("", "DNSKEY")):
            reply = d.query(name + ZONE, kind)
            soa_says(reply, 0)
            equal(reply.answer, [])


def outside():
    """Names in no zone of ours: REFUSED, with nothing in it; the parent is no exception."""
    with daemon() as d:
        for name in ("example.com", "www.example.org", ".", "com", "xedge.example.com", "edge.example.com.example.net"):
            for kind in ("A", "NS", "SOA", "ANY", "DS"):
                reply = d.query(name, kind)
                equal((reply.rcode, reply.answer, reply.authority, reply.additional, reply.aa),
                      (wire.REFUSED, [], [], [], False), name, kind)


def wildcards():
    """RFC 4592 section 2.2.1, its own examples, and section 3.3.1."""
    with daemon() as d:
        def ask(name, kind):
            return d.query(f"{name}.{WILD}", kind)

        equal(ask("host3", "MX").values("MX"), [f"10 host1.{WILD}"])
        equal(ask("host3", "MX").answer[0].owner, f"host3.{WILD}")
        soa_says(ask("host3", "A"), 0, zone=WILD)
        equal(ask("foo.bar", "TXT").values("TXT"), ["this is a wildcard"])
        soa_says(ask("host1", "MX"), 0, zone=WILD)
        soa_says(ask("sub.*", "MX"), 0, zone=WILD)
        equal(ask("sub.*", "TXT").values("TXT"), ["this is not a wildcard"])
        soa_says(ask("_telnet._tcp.host1", "SRV"), wire.NXDOMAIN, zone=WILD)
        soa_says(ask("x.host1", "TXT"), wire.NXDOMAIN, zone=WILD)
        soa_says(ask("_tcp.host1", "TXT"), 0, zone=WILD)
        soa_says(ask("host2", "TXT"), 0, zone=WILD)
        referral = ask("host.subdel", "A")
        equal((referral.rcode, referral.aa, sorted(r.value for r in referral.authority)),
              (0, False, ["ns.example.com", "ns.example.net"]))
        soa_says(ask("ghost.*", "MX"), wire.NXDOMAIN, zone=WILD)
        # The wildcard asked for itself.
        equal(ask("*", "TXT").values("TXT"), ["this is a wildcard"])
        # A CNAME at a wildcard: synthesised with the name asked, and followed.
        reply = ask("any.alias", "A")
        equal((reply.answer[0].owner, reply.values("CNAME")), (f"any.alias.{WILD}", [f"host1.{WILD}"]))
        if len(reply.answer) > 1:
            equal(reply.values("A"), ["192.0.2.1"])
        soa_says(ask("alias", "A"), 0, zone=WILD)


def referrals():
    """RFC 1034 section 4.3.2 3b, RFC 9471: not ours to answer; all in-domain glue goes along."""
    with daemon() as d:
        for name, kind in (("x.sub.", "A"), ("sub.", "A"), ("sub.", "NS"), ("ns.sub.", "A"), ("deep.x.sub.", "TXT"),
                           ("x.sub.", "DS"), ("sub.", "SOA"), ("x.sub.", "ANY")):
            reply = d.query(name + ZONE, kind, edns=True)
            equal((reply.rcode, reply.aa, reply.answer), (0, False, []), name, kind)
            equal(sorted(record.value for record in reply.authority if record.type == 2),
                  ["ns.example.net", "ns.other." + ZONE, "ns.sub." + ZONE])
            equal({record.owner for record in reply.authority if record.type == 2}, {"sub." + ZONE})
            glue = {(record.owner, record.value) for record in reply.additional}
            check({("ns.sub." + ZONE, "192.0.2.53"), ("ns.sub." + ZONE, "2001:db8::53")} <= glue, "glue", glue)
        # DS is answered by the parent (RFC 4035 section 3.1.4.1).
        reply = d.query("sub." + ZONE, "DS")
        equal((reply.aa, len(reply.answer)), (True, 1))
        soa_says(d.query("other." + ZONE, "DS"), 0)
        # Through a CNAME into a delegation: the CNAME is ours, the rest is referred or left out.
        reply = d.query("tosub." + ZONE)
        equal(reply.values("CNAME"), ["x.sub." + ZONE])
        equal(reply.values("A"), [])


def cnames():
    """RFC 1034 section 3.6.2: chains inside our zones are followed to the end, each record once."""
    with daemon() as d:
        reply = d.query("www." + ZONE)
        equal((reply.answer[0].value, reply.values("A")), ("static." + ZONE, ["192.0.2.10", "192.0.2.11"]))
        equal(d.query("www." + ZONE, "CNAME").values("A"), [])
        equal(d.query("www." + ZONE, "CNAME").values("CNAME"), ["static." + ZONE])
        reply = d.query("chain1." + ZONE)
        equal([record.value for record in reply.answer if record.type == 5],
              ["chain2." + ZONE, "chain3." + ZONE, "static." + ZONE])
        equal(reply.values("A"), ["192.0.2.10", "192.0.2.11"])
        equal(d.query("out." + ZONE).values("CNAME"), ["www.example.org"])
        equal(d.query("out." + ZONE).rcode, 0)
        # NODATA and NXDOMAIN at the end of a chain (RFC 2308 section 2.1: the rcode is the last name's).
        reply = d.query("www." + ZONE, "MX")
        equal((reply.values("CNAME"), reply.rcode, [r.type for r in reply.authority]), (["static." + ZONE], 0, [6]))
        reply = d.query("dangling." + ZONE)
        equal((reply.values("CNAME"), reply.rcode, [r.type for r in reply.authority]), (["nothere." + ZONE], 3, [6]))
        for name in ("loop1.", "self."):
            reply = d.query(name + ZONE)
            check(1 <= len(reply.answer) <= 16 and reply.rcode in (0, wire.SERVFAIL), "CNAME loop", reply)
        # Into an app: followed, or left to the resolver, but never half an answer.
        for name, first in (("toapp.", "app."), ("tochain.", "toapp.")):
            reply = d.query(name + ZONE)
            equal(reply.answer[0].value, first + ZONE)
            check(reply.values("A") in ([], ["203.0.113.1", "203.0.113.2"]), "chain into an app", reply)


def any_type():
    """RFC 8482: one RRset, HINFO or all; TCP may say more; never an error."""
    with daemon() as d:
        for name in ("static.", "app.", "www.", "", "alias."):
            for tcp in (False, True):
                reply = d.query(name + ZONE, "ANY", tcp=tcp)
                equal((reply.rcode, reply.aa), (0, True), name)
                check(reply.answer, "ANY with nothing", name)
        equal(d.query("nothere." + ZONE, "ANY").rcode, wire.NXDOMAIN)
        soa_says(d.query("ent." + ZONE, "ANY"), 0)


def classes():
    """Only IN is served: every other class is REFUSED or NOTIMP; none kills (a rival's fatal flaw of 2026)."""
    with daemon() as d:
        rng = random.Random(5)
        numbers = [0, 2, 3, 4, 254, 255, 256, 65280, 65535] + [rng.randrange(2, 65536) for _ in range(500)]
        for tcp_kind in ("A", "SOA"):
            replies = d.ask([wire.query("static." + ZONE, tcp_kind, klass=number) for number in numbers])
            for number, reply in zip(numbers, map(wire.Reply, replies)):
                if number == 255:
                    check(reply.rcode in (0, wire.REFUSED, wire.NOTIMP), number, reply)
                else:
                    check(reply.rcode in (wire.REFUSED, wire.NOTIMP, wire.FORMERR), number, reply)
                    equal(reply.answer, [], number)


def opcodes():
    """RFC 8906 section 8: unknown opcodes get NOTIMP; so do those we do not do."""
    with daemon() as d:
        for opcode in range(1, 16):
            for qdcount in (0, 1):
                for tcp in (False, True):
                    reply = d.query("static." + ZONE, "SOA", opcode=opcode, qdcount=qdcount, tcp=tcp)
                    check(reply.rcode in (wire.NOTIMP, wire.REFUSED, wire.NOTAUTH), opcode, reply)
                    equal((reply.opcode, reply.answer), (opcode, []))
        equal(d.query("static." + ZONE, opcode=3).rcode, wire.NOTIMP)


def question_counts():
    """RFC 9619: QDCOUNT > 1 is FORMERR; 0 without a cookie too."""
    with daemon() as d:
        for tcp in (False, True):
            for count in (0, 2, 3):
                reply = d.query("static." + ZONE, qdcount=count, tcp=tcp)
                equal((reply.rcode, reply.answer), (wire.FORMERR, []), count)
        for counts in ((1, 1, 0, 0), (1, 0, 1, 0), (1, 65535, 65535, 65535), (65535, 0, 0, 0), (1, 0, 0, 1)):
            data = struct.pack("!HHHHHH", 77, 0, *counts) + wire.name_wire("static." + ZONE) + struct.pack("!HH", 1, 1)
            reply = d.send(data)
            check(reply is None or wire.Reply(reply).rcode in (wire.FORMERR, wire.NOTIMP), "counts without records",
                  counts)


def silence():
    """Responses are never answered (two servers would talk for ever), nor what is too short to have an id and flags."""
    with daemon() as d:
        for data in (wire.query("static." + ZONE, flags=wire.QR),
                     wire.query("static." + ZONE, flags=wire.QR, opcode=15),
                     b"", b"\0", bytes(11), wire.query("static." + ZONE)[:11]):
            equal(d.send(data, timeout_s=0.2), None, data.hex())
        # An honest header with the question cut short has an id to answer to.
        whole = wire.query("static." + ZONE, ident=99)
        for size in range(12, len(whole)):
            reply = d.send(whole[:size], timeout_s=0.5)
            if reply is not None:
                parsed = wire.Reply(reply)
                equal((parsed.id, parsed.rcode), (99, wire.FORMERR), f"{size} octets")


def bad_names():
    """Compression pointers (there is nothing before the question to point to), label types, lengths."""
    tails = [b"\xc0\x0c", b"\xc0\x0e", b"\xc0\x00", b"\xc0\xff", b"\xff\xff", b"\x01a\xc0\x0c", b"\x01a\xc0\x0e",
             b"\x40a",
             b"\x80a", b"\x41" + b"a" * 65 + b"\0", b"\x3f" + b"a" * 10, (b"\x3f" + b"a" * 63) * 4 + b"\0",
             (b"\x3f" + b"a" * 63) * 3 + b"\x3e" + b"a" * 62 + b"\0", b"\x01a" * 128 + b"\0", b"\x01a" * 200, b"\xc0"]
    with daemon() as d:
        for name in tails:
            for tcp in (False, True):
                data = struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + name + struct.pack("!HH", 1, 1)
                reply = d.send_tcp(data) if tcp else d.send(data, timeout_s=0.5)
                if reply is not None:
                    equal(wire.Reply(reply).rcode, wire.FORMERR, name.hex())
        equal(d.query("static." + ZONE).rcode, 0)


def long_names():
    """Names of 255 octets, of 127 labels, the root: answered, or not there."""
    with daemon() as d:
        equal(len(wire.name_wire(f"{LONG}.{ZONE}")), 255)
        equal(d.query(f"{LONG}.{ZONE}").values("A"), ["192.0.2.16"])
        equal(d.query(f"{DEEP}.{ZONE}").values("A"), ["192.0.2.17"])
        soa_says(d.query(f"{DEEP[2:]}.{ZONE}"), 0)
        equal(d.query(f"{LONG[:-1]}c.{ZONE}").rcode, wire.NXDOMAIN)
        full = ".".join(["x"] * ((254 - len("many." + ZONE) - 1) // 2)) + ".many." + ZONE
        equal(d.query(full).values("A"), ["203.0.113.3"])
        outside = ".".join(["x"] * 127)
        equal(len(wire.name_wire(outside)), 255)
        equal(d.query(outside).rcode, wire.REFUSED)


def case():
    """RFC 4343: case does not count for finding, and the question comes back octet for octet."""
    with daemon() as d:
        rng = random.Random(4343)
        for name in ("static." + ZONE, "app." + ZONE, "mixedcase." + ZONE, "nothere." + ZONE, "x.many." + ZONE):
            for _ in range(20):
                mixed = "".join(rng.choice((c.lower(), c.upper())) for c in name)
                reply = d.query(mixed)
                equal(reply.questions, [wire.name_wire(mixed) + b"\0\1\0\1"])
                equal(reply.rcode, 0 if not name.startswith("nothere") else wire.NXDOMAIN)
                for record in reply.answer:
                    equal(record.owner.lower(), name)
        # ASCII only: bit 5 of other octets does count.
        equal(d.query(wire.name_wire([b"stat\x09c"] + wire.labels(ZONE))).rcode, wire.NXDOMAIN)
        equal(d.query(wire.name_wire([b"DOTTED\x0elabel"] + wire.labels(ZONE))).rcode, wire.NXDOMAIN)


def edns():
    """RFC 6891, 5001, 7828, 8906 section 8.2."""
    with daemon() as d:
        name = "static." + ZONE
        reply = d.query(name, edns=True)
        check(reply.opt is not None and 512 <= reply.opt.klass <= 4096, "our size in OPT", reply)
        equal((reply.opt.ttl >> 16 & 0xff, reply.options), (0, []))
        check(d.query(name).opt is None, "OPT without OPT")
        # Version 1: BADVERS, our own version, no answer; the rest of the OPT is not looked at.
        for version in (1, 2, 255):
            for options in (b"", wire.option(65001, b"x"), wire.ecs("1.2.3.0/24"), wire.option(wire.OPT_ECS, b"junk")):
                reply = d.query(name, edns={"version": version, "options": options})
                equal((reply.rcode, reply.answer, reply.opt.ttl >> 16 & 0xff), (wire.BADVERS, [], 0), version)
        # Unknown options and flags are ignored; MBZ bits come back zero.
        reply = d.query(name, edns={"options": wire.option(65001, b"abc") + wire.option(100, b""), "flags": 0x7fff})
        equal((reply.rcode, reply.options, len(reply.answer), reply.opt.ttl & 0x7fff), (0, [], 2, 0))
        equal(d.query(name, edns={"do": True}).rcode, 0)
        # An extended rcode in a query means nothing.
        equal(d.query(name, edns={"extended": 7}).rcode, 0)
        # More than one OPT, an OPT with an owner, an OPT elsewhere.
        equal(d.query(name, additional=[wire.opt(), wire.opt()]).rcode, wire.FORMERR)
        equal(d.query(name, additional=[wire.opt(name=wire.name_wire("x.example"))]).rcode, wire.FORMERR)
        equal(d.query(name, edns={"options": b"\0\5"}).rcode, wire.FORMERR)
        equal(d.query(name, edns={"options": struct.pack("!HH", 65001, 9) + b"short"}).rcode, wire.FORMERR)
        data = wire.query(name, additional=[wire.opt()])
        check(wire.Reply(d.send(data[:-2] + struct.pack("!H", 500))).rcode == wire.FORMERR, "RDLENGTH past the end")
        # NSID only when asked (RFC 5001 section 2).
        equal(d.query(name, edns={"options": wire.option(wire.OPT_NSID, b"")}).option(wire.OPT_NSID), b"edge-test-1")
        # Keepalive on TCP only (RFC 7828 section 3).
        keepalive = {"options": wire.option(wire.OPT_KEEPALIVE, b"")}
        equal(d.query(name, edns=keepalive).option(wire.OPT_KEEPALIVE), None, "keepalive over UDP")
        answer = d.query(name, edns=keepalive, tcp=True).option(wire.OPT_KEEPALIVE)
        check(answer is not None and len(answer) == 2 and struct.unpack("!H", answer)[0] > 0, "keepalive over TCP",
              answer)
        equal(d.query(name, edns=True, tcp=True).options, [], "keepalive without a request")
        # Padding is never sent in clear (RFC 7830 section 4); cookies that we do not do are ignored.
        equal(d.query(name, edns={"options": wire.option(wire.OPT_PADDING, bytes(64))}).option(wire.OPT_PADDING), None)
        equal(d.query(name, edns={"options": wire.option(wire.OPT_COOKIE, bytes(8))}).rcode, 0)
        # A record before the OPT (a TSIG's place is last; anything else is skipped).
        extra = wire.name_wire("x.example") + struct.pack("!HHIH", 1, 1, 0, 4) + bytes(4)
        reply = d.query(name, additional=[extra, wire.opt()])
        check(reply.rcode in (0, wire.FORMERR), "a record before OPT", reply)


def truncation():
    """RFC 2181 section 9, 6891 section 6.2: the size asked counts, below 512 is 512, our own cap above; TCP says it
    all."""
    with daemon() as d:
        name = "big." + ZONE
        full = d.query(name, tcp=True)
        equal((len(full.values("A")), full.tc), (60, False))
        for size, limit in ((None, 512), (0, 512), (100, 512), (511, 512), (512, 512), (700, 700), (1000, 1000),
                            (1232, 1232), (4096, 1232), (65535, 1232)):
            reply = d.query(name, edns={"size": size} if size is not None else None)
            check(len(reply.wire) <= limit, f"{len(reply.wire)} octets where {limit} are allowed")
            room = limit - (11 if size is not None else 0)
            equal(reply.tc, len(full.wire) > room, f"TC at size {size}")
        equal(len(d.query("huge." + ZONE, "TXT", tcp=True).answer), 250)
        check(d.query("huge." + ZONE, "TXT", edns=True).tc, "TC")
        # A referral keeps its in-domain glue or says TC (RFC 9471); a SOA that is not required never causes TC.
        check(not d.query("static." + ZONE, edns={"size": 512}).tc, "TC on a small answer")


def trailing():
    """Octets after the message: ignored or FORMERR, never believed."""
    with daemon() as d:
        for extra in (b"\0", b"garbage", bytes(400), wire.query("app." + ZONE)):
            for additional in ((), (wire.opt(),)):
                data = wire.query("static." + ZONE, ident=5, additional=additional) + extra
                for reply in (d.send(data), d.send_tcp(data)):
                    check(reply is not None, "no answer with octets after the message")
                    parsed = wire.Reply(reply)
                    check(parsed.rcode in (0, wire.FORMERR), parsed)
                    check(parsed.rcode or parsed.values("A") == ["192.0.2.10", "192.0.2.11"], parsed)


def every_type():
    """All 65,536 QTYPEs at an app, a static name and a missing one: alive, and nothing odd (one of them killed a
    rival)."""
    with daemon() as d:
        meta = {41, 128, 249, 250, 251, 252, 253, 254, 255}
        for name, has in (("app." + ZONE, {1, 28}), ("static." + ZONE, {1, 16, 28}), ("nothere." + ZONE, set())):
            replies = d.ask([wire.query(name, number) for number in range(65536)])
            missing = wire.NXDOMAIN if name.startswith("nothere") else 0
            for number, reply in enumerate(replies):
                flags, _, ancount, nscount = struct.unpack_from("!HHHH", reply, 2)
                if number in meta:
                    check(flags & 15 in (0, 1, 3, 4, 5), f"rcode {flags & 15} for type {number} at {name}")
                    wire.Reply(reply)
                elif number in has:
                    check(flags & 15 == 0 and ancount > 0, f"type {number} at {name}", reply.hex())
                else:
                    check((flags & 15, ancount, nscount) == (missing, 0, 1), f"type {number} at {name}", reply.hex())


def strangers():
    """TSIG, SIG(0), UPDATE, NOTIFY and transfers, right and wrong: an error, never more."""
    with daemon() as d:
        tsig = wire.name_wire("key.example") + struct.pack("!HHIH", 250, 255, 0, 27) + wire.name_wire("hmac-md5")[:10]
        for tail in (b"\0" * 17, b"\xff" * 17, b"\xc0\x0c" + bytes(15)):
            for kind in ("A", "SOA", "AXFR"):
                reply = wire.Reply(d.send(wire.query("static." + ZONE, kind, additional=[tsig + tail])))
                check(reply.rcode in (0, wire.FORMERR, wire.REFUSED, wire.NOTAUTH, wire.NOTIMP, wire.NXDOMAIN), reply)
        for kind in ("AXFR", "IXFR", 249, 250):
            for tcp in (False, True):
                reply = d.query(ZONE, kind, tcp=tcp)
                allowed = (wire.FORMERR, wire.REFUSED, wire.NOTAUTH, wire.NOTIMP)
                check(reply.rcode in allowed or kind in (249, 250), kind, reply)
                equal(reply.answer, [], kind)
        equal(d.query("static." + ZONE, 128).rcode, wire.FORMERR, "NXNAME, RFC 9824 section 3.5")


def random_packets():
    """Packets of random octets and right ones with random octets changed: answered or not, but alive and well
    formed."""
    rng = random.Random(1035)
    good = [wire.query("app." + ZONE, additional=[wire.opt(wire.ecs("1.2.3.0/24"))]),
            wire.query("static." + ZONE, "ANY"),
            wire.query("x.sub." + ZONE, additional=[wire.opt(do=True)]), wire.query("host3." + WILD, "MX")]
    with daemon() as d, d.burst() as burst:
        for _ in range(60):
            batch = []
            for _ in range(128):
                data = bytearray(rng.choice(good))
                if rng.random() < .2:
                    data = bytearray(rng.randbytes(rng.randrange(12, 300)))
                for _ in range(rng.randrange(1, 5)):
                    data[rng.randrange(2, len(data))] = rng.randrange(256)
                batch.append(bytes(data))
            burst.load(batch)
            burst._send(0)
            burst.sock.setblocking(False)
            try:
                while True:
                    wire.Reply(burst.sock.recv(65535))
            except BlockingIOError:
                pass
        equal(d.query("static." + ZONE).rcode, 0)


def full_batches():
    """As many messages as a batch or two hold, found waiting at once: each gets what it gets alone, once, and those that
    get nothing do not hold up the others."""
    kinds = [wire.query("static." + ZONE), wire.query("static." + ZONE, flags=wire.QR), wire.query("nothere." + ZONE),
             wire.query("static." + ZONE, additional=[wire.opt(wire.ecs("10.1.2.0/24"))]), bytes(11),
             wire.query("static." + ZONE)[:-1], wire.query("elsewhere.test")]
    with daemon() as d:
        alone = [d.send(data, timeout_s=0.3 * harness.pace()) for data in kinds]
        for count in (15, 16, 17, 63, 64, 65, 150):
            picked = [i * i % len(kinds) for i in range(count)]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.connect(("127.0.0.1", d.port))
                os.kill(d.process.pid, signal.SIGSTOP)
                for ident, kind in enumerate(picked):
                    sock.send(struct.pack("!H", ident) + kinds[kind][2:])
                os.kill(d.process.pid, signal.SIGCONT)
                wanted = sorted(struct.pack("!H", ident) + alone[kind][2:]
                                for ident, kind in enumerate(picked) if alone[kind])
                sock.settimeout(harness.PATIENCE_S)
                equal(sorted(sock.recv(65535) for _ in wanted), wanted, f"{count} at once")
                sock.settimeout(0.05)
                try:
                    check(False, "a reply too many:", sock.recv(65535))
                except socket.timeout:
                    pass


def third_party():
    """dnspython, which shares no line with wire.py, reads our replies the same way."""
    with daemon() as d:
        for name, kind in (("static." + ZONE, "A"), ("app." + ZONE, "AAAA"), ("x.sub." + ZONE, "A"),
                           ("nothere." + ZONE, "A"),
                           (ZONE, "SOA"), ("chain1." + ZONE, "A"), ("svc." + ZONE, "HTTPS"), ("host3." + WILD, "MX")):
            query = dns.message.make_query(name, kind, use_edns=0, want_dnssec=False)
            reply = dns.message.from_wire(d.send(query.to_wire()))
            check(query.is_response(reply), "not a response to the query", reply)
            wanted = wire.Reply(d.send(query.to_wire()))
            equal(sum(len(rrset) for rrset in reply.answer), len(wanted.answer))
            equal(bool(reply.flags & dns.flags.AA), wanted.aa)
            equal(reply.rcode(), dns.rcode.Rcode(wanted.rcode))


if __name__ == "__main__":
    harness.run(positive, apps, negative, outside, wildcards, referrals, cnames, any_type, classes, opcodes,
                question_counts,
                silence, bad_names, long_names, case, edns, truncation, trailing, every_type, strangers, random_packets,
                full_batches, third_party)
