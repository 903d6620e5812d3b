"""DNS messages for the flow tests, packed and unpacked by hand: fast enough for a million queries, and free to write
what no library would. Used by harness.py and by the scenarios. Knows nothing of the daemon."""

import socket
import struct

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
         "DNAME": 39, "OPT": 41, "DS": 43, "RRSIG": 46, "DNSKEY": 48, "SVCB": 64, "HTTPS": 65, "TSIG": 250, "IXFR": 251,
         "AXFR": 252, "ANY": 255}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH, BADVERS = 0, 1, 2, 3, 4, 5, 9, 16
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
OPT_NSID, OPT_ECS, OPT_COOKIE, OPT_KEEPALIVE, OPT_PADDING, OPT_EDE = 3, 8, 10, 11, 12, 15


class WireError(Exception):
    """The message is not well formed."""


def type_number(kind):
    return kind if isinstance(kind, int) else TYPES[kind]


def name_wire(name):
    """Presentation form (ASCII, \\. and \\DDD escapes) or a list of labels in bytes -> wire form."""
    if isinstance(name, bytes):
        return name
    if isinstance(name, str):
        name = labels(name)
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def labels(text):
    out, label, i = [], bytearray(), 0
    if text in ("", "."):
        return []
    while i < len(text):
        if text[i] == "\\":
            if text[i + 1].isdigit():
                label.append(int(text[i + 1:i + 4]))
                i += 4
            else:
                label.append(ord(text[i + 1]))
                i += 2
        elif text[i] == ".":
            out.append(bytes(label))
            label = bytearray()
            i += 1
        else:
            label.append(ord(text[i]))
            i += 1
    if label:
        out.append(bytes(label))
    return out


def option(code, data):
    return struct.pack("!HH", code, len(data)) + data


def ecs(text, scope=0, family=None, address=None):
    """The ECS option of "ADDRESS/LEN"; family and the address's octets can be given wrong on purpose."""
    if isinstance(text, bytes):
        return option(OPT_ECS, text)
    written, _, length = text.partition("/")
    packed = socket.inet_pton(socket.AF_INET6 if ":" in written else socket.AF_INET, written)
    length = int(length) if length else len(packed) * 8
    return ecs_packed(packed, length, scope, family, address)


def ecs_packed(packed, length, scope=0, family=None, address=None):
    if family is None:
        family = 1 if len(packed) == 4 else 2
    if address is None:
        octets = bytearray(packed[:(length + 7) // 8])
        if length % 8:
            octets[-1] &= 0xff << (8 - length % 8) & 0xff
        address = bytes(octets)
    return option(OPT_ECS, struct.pack("!HBB", family, length, scope) + address)


def opt(options=b"", size=1232, version=0, do=False, extended=0, name=b"\0", flags=0):
    flags |= 0x8000 if do else 0
    return name + struct.pack("!HHBBHH", 41, size, extended, version, flags, len(options)) + options


def query(name, kind="A", ident=0, flags=0, klass=1, additional=(), qdcount=1, opcode=0):
    """A query; `additional` are complete records in bytes, e.g. opt()."""
    return (struct.pack("!HHHHHH", ident, flags | opcode << 11, qdcount, 0, 0, len(additional)) +
            (name_wire(name) + struct.pack("!HH", type_number(kind), klass)) * qdcount + b"".join(additional))


class Record:
    """One record: the owner as text, numbers in host order; `rdata` in bytes; `value` for people."""

    __slots__ = ("owner", "type", "klass", "ttl", "rdata", "value", "labels")

    def __init__(self, owner, kind, klass, ttl, rdata, value):
        self.owner, self.type, self.klass, self.ttl = owner, kind, klass, ttl
        self.rdata, self.value = rdata, value

    def __repr__(self):
        return f"{self.owner} {self.ttl} {TYPE_NAMES.get(self.type, self.type)} {self.value}"


class Reply:
    """A parsed response. Raises WireError when it is malformed, so that parsing is itself a check."""

    def __init__(self, wire):
        if len(wire) < 12:
            raise WireError(f"{len(wire)} octets are no message")
        self.wire = wire
        self.id, self.flags, qdcount, ancount, nscount, arcount = struct.unpack_from("!HHHHHH", wire)
        self.counts = (qdcount, ancount, nscount, arcount)
        pos, self.questions = 12, []
        for _ in range(qdcount):
            start = pos
            _, pos = read_name(wire, pos)
            self.questions.append(wire[start:pos + 4])
            pos += 4
        self.answer, pos = self._section(pos, ancount)
        self.authority, pos = self._section(pos, nscount)
        self.additional, pos = self._section(pos, arcount)
        if pos != len(wire):
            raise WireError(f"{len(wire) - pos} octets after the last record")
        opts = [record for record in self.additional if record.type == 41]
        if len(opts) > 1:
            raise WireError("more than one OPT")
        self.opt = opts[0] if opts else None
        self.additional = [record for record in self.additional if record.type != 41]
        self.options = self._options() if self.opt else []
        self.rcode = self.flags & 15
        if self.opt:
            if self.opt.owner != ".":
                raise WireError("OPT is not owned by the root")
            self.rcode |= self.opt.ttl >> 24 << 4

    def _section(self, pos, count):
        out = []
        for _ in range(count):
            owner, pos = read_name(self.wire, pos)
            if pos + 10 > len(self.wire):
                raise WireError("record cut short")
            kind, klass, ttl, length = struct.unpack_from("!HHIH", self.wire, pos)
            pos += 10
            if pos + length > len(self.wire):
                raise WireError("rdata past the end")
            out.append(Record(owner, kind, klass, ttl, self.wire[pos:pos + length],
                              rdata_value(self.wire, kind, pos, length)))
            pos += length
        return out, pos

    def _options(self):
        out, pos, data = [], 0, self.opt.rdata
        while pos < len(data):
            if pos + 4 > len(data):
                raise WireError("EDNS option cut short")
            code, length = struct.unpack_from("!HH", data, pos)
            if pos + 4 + length > len(data):
                raise WireError("EDNS option past the end")
            out.append((code, data[pos + 4:pos + 4 + length]))
            pos += 4 + length
        return out

    aa = property(lambda self: bool(self.flags & AA))
    tc = property(lambda self: bool(self.flags & TC))
    qr = property(lambda self: bool(self.flags & QR))
    opcode = property(lambda self: self.flags >> 11 & 15)

    def option(self, code):
        """The data of the one option of this code, or None."""
        found = [data for number, data in self.options if number == code]
        if len(found) > 1:
            raise WireError(f"option {code} given {len(found)} times")
        return found[0] if found else None

    @property
    def ecs(self):
        """(family, source, scope, address octets) or None."""
        data = self.option(OPT_ECS)
        return None if data is None else struct.unpack_from("!HBB", data) + (data[4:],)

    @property
    def scope(self):
        return self.ecs[2] if self.ecs else None

    @property
    def ede(self):
        data = self.option(OPT_EDE)
        return None if data is None else (struct.unpack_from("!H", data)[0], data[2:].decode())

    def values(self, kind):
        return sorted(record.value for record in self.answer if record.type == type_number(kind))

    @property
    def addresses(self):
        return sorted(record.value for record in self.answer if record.type in (1, 28))

    def __repr__(self):
        return (f"<Reply rcode={self.rcode} flags={self.flags:04x} answer={self.answer} authority={self.authority} "
                f"additional={self.additional} options={self.options}>")


def read_name(wire, pos):
    """(text, position after it). Only backward pointers are accepted."""
    out, after, limit, size = [], None, pos, 0
    while True:
        if pos >= len(wire):
            raise WireError("name past the end")
        length = wire[pos]
        if length & 0xc0 == 0xc0:
            if pos + 2 > len(wire):
                raise WireError("pointer cut short")
            target = (length & 0x3f) << 8 | wire[pos + 1]
            if after is None:
                after = pos + 2
            if target >= limit or target < 12:
                raise WireError("compression pointer not to a prior name")
            pos = limit = target
            continue
        if length & 0xc0:
            raise WireError("label type")
        size += length + 1
        if size > 255:
            raise WireError("name above 255 octets")
        pos += 1
        if length == 0:
            return ".".join(out) or ".", after if after is not None else pos
        if pos + length > len(wire):
            raise WireError("label past the end")
        out.append(label_text(wire[pos:pos + length]))
        pos += length


def label_text(label):
    return "".join(chr(c) if 33 <= c < 127 and c not in b'."\\' else "\\%03d" % c for c in label)


def rdata_value(wire, kind, pos, length):
    end = pos + length
    if kind == 1:
        if length != 4:
            raise WireError("A record's length")
        return socket.inet_ntoa(wire[pos:end])
    if kind == 28:
        if length != 16:
            raise WireError("AAAA record's length")
        return socket.inet_ntop(socket.AF_INET6, wire[pos:end])
    if kind in (2, 5, 12, 39):
        text, after = read_name(wire, pos)
        if after != end:
            raise WireError("name and rdata length differ")
        return text
    if kind == 15:
        return f"{struct.unpack_from('!H', wire, pos)[0]} {read_name(wire, pos + 2)[0]}"
    if kind == 6:
        mname, after = read_name(wire, pos)
        rname, after = read_name(wire, after)
        if after + 20 != end:
            raise WireError("SOA rdata length")
        return (mname, rname) + struct.unpack_from("!IIIII", wire, after)
    if kind == 16:
        out = []
        while pos < end:
            out.append(wire[pos + 1:pos + 1 + wire[pos]].decode("latin-1"))
            pos += 1 + wire[pos]
        return "|".join(out)
    return wire[pos:end].hex()
