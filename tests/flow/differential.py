"""Answers beside those of NSD and Knot: the same zones in all three, 20,000 made-up queries of every shape, and every
difference belongs to a class that is listed here with the RFC that decides. EDGESTEER_SEED makes others."""

import os
import random

import harness
import wire
from burst import Burst
from harness import Daemon, check
from peers import Knot, Nsd

COUNT = 20000
PATIENCE_S = 0.5

PARENT = """$TTL 300
@ SOA ns1 hostmaster 1 7200 3600 1209600 60
@ NS ns1
@ NS ns.elsewhere.net.
@ MX 10 mail
@ TXT "apex"
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
mail A 192.0.2.25
www A 192.0.2.80
www A 192.0.2.81
www AAAA 2001:db8::80
www TXT "static"
www 60 CAA 0 issue "ca.example.net"
_sip._udp SRV 1 2 5060 www
_sip._udp SRV 1 3 5060 sip.elsewhere.net.
svc HTTPS 1 . alpn=h2
odd TYPE65280 \\# 3 010203
mx MX 10 www
mx MX 20 mail.elsewhere.net.
alias CNAME www
chain1 CNAME chain2
chain2 CNAME chain3
chain3 CNAME www
away CNAME host.elsewhere.net.
to-missing CNAME missing
to-ent CNAME ent
to-wild CNAME any.wild
to-cut CNAME x.sub
to-child CNAME www.child
to-self CNAME to-self
loop1 CNAME loop2
loop2 CNAME loop1
a.deep.ent A 192.0.2.82
*.wild A 192.0.2.90
*.wild TXT "wild"
real.wild A 192.0.2.91
below.real2.wild A 192.0.2.92
*.cwild CNAME www
*.x.cwild CNAME any.wild
sub NS ns.sub
sub NS ns.other.sub
ns.sub A 192.0.2.53
ns.sub AAAA 2001:db8::53
ns.other.sub A 192.0.2.54
sib NS ns.sub
out NS ns.elsewhere.net.
signed NS ns1
signed DS 1 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
self NS self
self A 192.0.2.55
child NS ns1
child DS 2 8 2 11112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
plain NS ns1
0/25 TXT "slash"
a\\.b TXT "dot"
\\000\\255 TXT "octets"
big TXT "%s"
big TXT "%s"
big TXT "%s"
""" % tuple(str(i) * 200 for i in range(3))
CHILD = """$TTL 300
@ SOA ns1.edge.test. hostmaster 1 7200 3600 1209600 30
@ NS ns1.edge.test.
www A 192.0.2.180
*.w A 192.0.2.190
back CNAME www.edge.test.
"""
ZONES = {"edge.test": PARENT, "child.edge.test": CHILD, "plain.edge.test": CHILD}
EDGE = "edge.test"


# ---- The queries -----------------------------------------------------------------------------------------------------

TYPES = [1, 1, 1, 28, 28, 2, 5, 6, 12, 13, 15, 16, 33, 43, 43, 46, 47, 48, 64, 65, 99, 255, 257, 65280, 65535]
META_TYPES = [0, 41, 128, 249, 250, 251, 252, 253, 254]
LABELS = ["a", "x", "*", "www", "ns", "any", "deep", "real", "missing", "0/25", r"a\.b", r"\000\255", "q" * 63]


def owners():
    """The names in the zones, and those between them."""
    found = {}
    for zone, text in ZONES.items():
        for line in text.splitlines():
            owner = line.split()[0]
            if owner[0] in "$":
                continue
            labels = ([] if owner == "@" else wire.labels(owner)) + wire.labels(zone)
            while len(labels) >= 2:
                found[tuple(labels)] = True
                labels = labels[1:]
    return [list(labels) for labels in found]


class Query:
    """One query, and what its differences are judged by."""

    def __init__(self, rng, names):
        labels = list(rng.choice(names))
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 5))):
            labels.insert(0, wire.labels(rng.choice(LABELS))[0])
        if rng.random() < 0.05:
            labels = labels[rng.randrange(len(labels) + 1):]
        if rng.random() < 0.02:
            labels = [b"x"] * rng.choice((1, 60, 126))
        while sum(len(label) + 1 for label in labels) > 254:
            labels.pop(0)
        self.labels = labels
        self.name = b".".join(labels).lower()
        if rng.random() < 0.2:
            labels = [bytes(rng.choice((c, c ^ 0x20)) if chr(c).isalpha() and c < 128 else c for c in label) for label in labels]
        self.type = rng.choice(TYPES if rng.random() < 0.95 else META_TYPES)
        self.klass = 1 if rng.random() < 0.97 else rng.choice((0, 2, 3, 4, 254, 255, 65535))
        self.opcode = 0 if rng.random() < 0.97 else rng.randrange(1, 16)
        self.flags = rng.choice((0, 0, wire.RD)) | rng.choice((0, 0, 0, 0, 0, wire.AD, wire.CD, wire.RA, wire.AA, wire.TC, 0x40))
        self.flags |= 3 if rng.random() < 0.01 else 0  # an rcode
        self.response = rng.random() < 0.005
        self.qdcount = 1 if rng.random() < 0.99 else rng.choice((0, 2))
        self.shape = rng.choice(("none", "none", "plain", "plain", "do", "512", "4096", "0", "nsid", "ecs", "unknown")
                                if rng.random() < 0.95 else
                                ("version", "two", "owner", "overrun", "bad-ecs", "cookie", "tsig", "answer"))
        self.tail = b"" if rng.random() < 0.99 else bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20)))
        self.cut = rng.random() < 0.005
        self.wire = self.pack(labels, rng)
        self.odd = bool(self.tail or self.cut or self.qdcount != 1 or self.response or self.opcode)
        self.size = {"none": 512, "512": 512, "0": 512, "answer": 512, "tsig": 512, "owner": 512}.get(self.shape, 1232)
        self.edns = self.shape not in ("none", "tsig", "answer", "owner")

    def records(self):
        option = {"nsid": wire.option(wire.OPT_NSID, b""), "ecs": wire.ecs("192.0.2.0/24"),
                  "unknown": wire.option(65001, b"abc"), "overrun": b"\0\3\0\x10", "bad-ecs": wire.ecs("192.0.2.0/24", scope=1),
                  "cookie": wire.option(wire.OPT_COOKIE, b"12345678")}.get(self.shape, b"")
        size = {"512": 512, "4096": 4096, "0": 0}.get(self.shape, 1232)
        opt = wire.opt(option, size=size, do=self.shape == "do", version=1 if self.shape == "version" else 0)
        if self.shape == "none":
            return []
        if self.shape == "two":
            return [opt, opt]
        if self.shape == "owner":
            return [wire.opt(name=b"\1x\0")]
        if self.shape == "tsig":
            data = wire.name_wire("hmac-sha256") + bytes(6) + b"\1\x2c\0\0\0\0\0\0\0\0"
            return [b"\3key\0\0\xfa\0\xff\0\0\0\0" + len(data).to_bytes(2, "big") + data]
        return [opt]

    def pack(self, labels, rng):
        records = self.records()
        message = bytearray(wire.query(labels, self.type, flags=self.flags | (wire.QR if self.response else 0),
                                       klass=self.klass, additional=records, qdcount=self.qdcount, opcode=self.opcode))
        if self.shape == "answer":  # a record where a query has none
            message[6:8], message[10:12] = b"\0\1", b"\0\0"
            message = message[:-len(records[0])] + b"\0\0\1\0\1\0\0\0\0\0\4\1\2\3\4"
        if self.cut:
            message = message[:rng.randrange(1, len(message))]
        return bytes(message) + self.tail

    def __repr__(self):
        return (f"{self.name!r} type {self.type} class {self.klass} opcode {self.opcode} flags {self.flags:04x} "
                f"{self.shape}{' response' if self.response else ''}{' cut' if self.cut else ''} qdcount {self.qdcount} "
                f"tail {len(self.tail)}")


# ---- Comparing -------------------------------------------------------------------------------------------------------


def section(records):
    return tuple(sorted((record.owner.lower(), record.type, record.klass, record.ttl, str(record.value).lower())
                        for record in records))


def normal(message):
    """What is compared, by field."""
    if message is None:
        return {"reply": "none"}
    reply = wire.Reply(message)
    return {"reply": "some", "rcode": reply.rcode, "opcode": reply.opcode, "aa": reply.aa, "tc": reply.tc,
            "bits": reply.flags & (wire.RD | wire.RA | wire.AD | wire.CD | 0x40),
            "question": tuple(reply.questions), "answer": section(reply.answer), "authority": section(reply.authority),
            "additional": section(reply.additional), "opt": reply.opt is not None,
            "do": bool(reply.opt and reply.opt.ttl & 0x8000), "version": reply.opt.ttl >> 16 & 255 if reply.opt else None,
            "options": tuple(sorted(code for code, _ in reply.options))}


def differing(ours, theirs):
    return {field for field in set(ours) | set(theirs) if ours.get(field) != theirs.get(field)}


def error(reply, *rcodes):
    return reply.get("rcode") in rcodes


def only(field, allowed):
    """The field, where what only one of the two has is allowed."""
    return lambda query, ours, theirs: {field} if set(ours.get(field) or ()) ^ set(theirs.get(field) or ()) <= allowed else set()


def bit(mask):
    return lambda query, ours, theirs: {"bits"} if "bits" in theirs and (ours["bits"] ^ theirs["bits"]) & ~mask == 0 else set()


def whole(applies):
    """All fields, where `applies`."""
    return lambda query, ours, theirs: differing(ours, theirs) if applies(query, ours, theirs) else set()


def zone_of(name):
    return max((zone for zone in ZONES if name == zone or name.endswith("." + zone)), key=len, default=None)


def leaves_zone(query, ours, theirs):
    """Whether a CNAME of the answer leads from one of the zones into another."""
    return any(kind == 5 and zone_of(value) not in (None, zone_of(owner)) for owner, kind, _, _, value in ours.get("answer", ()))


def optional_records(query, ours, theirs):
    """Where we have nothing, they have the zone's NS and addresses."""
    return ({"authority", "additional"} if ours.get("rcode") == theirs.get("rcode") == 0 and ours["answer"] == theirs["answer"]
            and (ours["authority"] == theirs["authority"] or not ours["authority"] and {record[1] for record in theirs["authority"]} <= {2})
            and set(ours["additional"]) <= set(theirs["additional"]) and {record[1] for record in theirs["additional"]} <= {1, 28}
            else set())


# What differs, the RFC that decides, and a function from query and replies to the fields that this explains.
CLASSES = (
    ("CD is copied", "RFC 4035 section 3.1.6: the CD bit MUST be copied", bit(wire.CD)),
    ("client subnet", "RFC 7871 section 7.2.1: an option of the query is echoed by servers that support it", only("options", {8})),
    ("NSID", "RFC 5001 section 2.1: optional; none is configured here", only("options", {3})),
    ("extended error", "RFC 8914 section 2: optional", only("options", {15})),
    ("subnet and others", "as the three above", only("options", {3, 8, 15})),
    ("optional records", "RFC 1034 section 4.3.2 step 6, RFC 9471 section 3: only glue is required", optional_records),
    ("ANY", "RFC 8482 section 4.2: HINFO is one of the three ways to answer it",
     whole(lambda query, ours, theirs: query.type == 255 and ours.get("rcode") == 0)),
    ("NXNAME", "RFC 9824 section 3.5: FORMERR", whole(lambda query, ours, theirs: query.type == 128 and error(ours, 1))),
    ("zone transfer", "RFC 5936 section 2.2.1, RFC 1995 section 2: not served here: REFUSED",
     whole(lambda query, ours, theirs: query.type in (251, 252) and error(ours, 5))),
    ("other classes", "RFC 1035 section 3.2.4, RFC 8906 section 3.1: only IN is served: REFUSED",
     whole(lambda query, ours, theirs: query.klass != 1 and error(ours, 5))),
    ("rcode in a query", "RFC 1035 section 4.1.1: the field is part of responses, and ignored here",
     whole(lambda query, ours, theirs: query.flags & 15)),
    ("opcodes", "RFC 1035 section 4.1.1: NOTIMP, with OPT by RFC 6891 section 6.1.1",
     whole(lambda query, ours, theirs: query.opcode != 0 and error(ours, 4) and ours["opt"] == query.edns)),
    ("number of questions", "RFC 9619 section 4: FORMERR", whole(lambda query, ours, theirs: query.qdcount != 1 and error(ours, 1))),
    ("malformed EDNS", "RFC 6891 sections 6.1.1 and 7: FORMERR",
     whole(lambda query, ours, theirs: query.shape in ("two", "owner", "overrun") and error(ours, 1))),
    ("a subnet's scope in a query", "RFC 7871 section 7.2.1: FORMERR",
     whole(lambda query, ours, theirs: query.shape == "bad-ecs" and error(ours, 1))),
    ("TSIG", "RFC 8945 section 5.2: NOTAUTH, as there are no keys", whole(lambda query, ours, theirs: query.shape == "tsig" and error(ours, 9))),
    ("EDNS version", "RFC 6891 section 6.1.3: BADVERS, of an empty response",
     lambda query, ours, theirs: {"aa", "tc", "bits"} if error(ours, 16) and error(theirs, 16) else set()),
    ("an answer in a query", "RFC 1035 section 4.1: a query has none, and ours are ignored",
     whole(lambda query, ours, theirs: query.shape == "answer" and theirs.get("rcode") in (1, None))),
    ("octets after the message", "RFC 1035 section 4.1: not part of the sections, and ignored",
     whole(lambda query, ours, theirs: query.tail and theirs.get("rcode") in (1, None))),
    ("cut messages", "RFC 1035 section 4.1.1: FORMERR, where there is a header", whole(lambda query, ours, theirs: query.cut and ours.get("rcode") in (1, 4, None))),
    ("type 0", "RFC 6895 section 3.1.4: not assigned, and so never there", whole(lambda query, ours, theirs: query.type == 0 and error(theirs, 4))),
    ("RRSIG and NSEC at a CNAME", "RFC 1034 section 4.3.2 step 3a: a CNAME is followed for other types than CNAME",
     whole(lambda query, ours, theirs: query.type in (46, 47) and 5 in {record[1] for record in ours.get("answer", ())})),
    ("chain into another zone", "RFC 1034 section 4.3.2 step 3a: starts anew at step 2, with all zones", whole(leaves_zone)),
)


def compare(queries, ours, theirs, peer, hits):
    """Counts the differences of each class in `hits`; returns those that none explains."""
    unlisted = []
    for query, mine, other in zip(queries, ours, theirs):
        left = differing(mine, other)
        for name, _, fields in CLASSES if left else ():
            found = fields(query, mine, other) & left
            hits[name] = hits.get(name, 0) + bool(found)
            left -= found
        unlisted += [f"{peer}: {query}: {field}: ours {mine.get(field)!r}, theirs {other.get(field)!r}" for field in sorted(left)]
    return unlisted


def answers(port, queries):
    """What is compared of each query's reply. Few queries get none; they are asked again, slowly."""
    with Burst("127.0.0.1", port) as burst:
        replies = burst.ask([query.wire for query in queries], 0.1, 1, silence=True)
        missing = [i for i, reply in enumerate(replies) if reply is None]
        for i, reply in zip(missing, burst.ask([queries[i].wire for i in missing], PATIENCE_S, 2, silence=True)):
            replies[i] = reply
    return [normal(reply) for reply in replies]


def beside_nsd_and_knot():
    seed = int(os.environ.get("EDGESTEER_SEED", "1"))
    rng = random.Random(seed)
    names = owners()
    queries = sorted((Query(rng, names) for _ in range(COUNT)), key=lambda query: query.response or query.cut)
    files = {f"{zone}.zone": text for zone, text in ZONES.items()}
    with Daemon({"domains": {zone: {"file": f"{zone}.zone"} for zone in ZONES}}, files) as daemon:
        with Nsd(daemon.folder, ZONES) as nsd, Knot(daemon.folder, ZONES) as knot:
            ours, hits = answers(daemon.port, queries), {}
            unlisted = [line for peer in (nsd, knot)
                        for line in compare(queries, ours, answers(peer.port, queries), peer.name, hits)]
    for name, why, _ in CLASSES:
        print(f"{hits.get(name, 0):6} {name}: {why}")
    check(not unlisted, f"{len(unlisted)} differences that are not listed (seed {seed}):\n", "\n ".join(unlisted[:20]))
    for name, _, _ in CLASSES:
        check(hits.get(name) or seed != 1, "a class that nothing differs by:", name)


if __name__ == "__main__":
    harness.run(beside_nsd_and_knot, limit_s=240)
