"""Checks of type dns: with NSD as the target, over UDP and, where a reply is truncated, TCP; and with a double that says
anything."""

import pathlib
import socket
import struct
import tempfile
import threading
import time

import harness
from harness import check, equal
from peers import Nsd
from probed import Probed

ZONE = """$TTL 60
@ SOA ns1 hostmaster 7 3600 600 86400 60
@ NS ns1
@ MX 10 Mail
ns1 A 127.0.0.1
app A 192.0.2.1
app A 192.0.2.2
app AAAA 2001:db8::1
alias CNAME app
_sip._tcp SRV 0 5 5060 app
word TXT "all is" " well"
1 PTR app
"""


def a_real_server():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        big = "".join(f'big TXT "{i:03} {"x" * 200}"\n' for i in range(20))
        (folder / "e.x.zone").write_text(ZONE + big)
        with Nsd(folder, ["e.x"]) as nsd:
            rows = {
                "a": ({"query-name": "app.e.x", "expect": "192.0.2.2"}, "ok", "NOERROR, 2 A"),
                "any": ({"query-name": "app.e.x"}, "ok", "NOERROR, 2 A"),
                "other": ({"query-name": "app.e.x", "expect": "192.0.2.3"}, "body", '"192.0.2.3" is not in the answer, which has 2 A'),
                "aaaa": ({"query-name": "app.e.x", "query-type": "AAAA", "expect": "2001:DB8:0::1"}, "ok", "1 AAAA"),
                "chain": ({"query-name": "alias.e.x", "expect": "192.0.2.1"}, "ok", "2 A"),
                "cname": ({"query-name": "alias.e.x", "query-type": "CNAME", "expect": "APP.e.x."}, "ok", "1 CNAME"),
                "mx": ({"query-name": "e.x", "query-type": "MX", "expect": "10  MAIL.e.x"}, "ok", "1 MX"),
                "ns": ({"query-name": "e.x", "query-type": "NS", "expect": "ns1.e.x"}, "ok", "1 NS"),
                "srv": ({"query-name": "_sip._tcp.e.x", "query-type": "SRV", "expect": "0 5 5060 app.e.x"}, "ok", "1 SRV"),
                "txt": ({"query-name": "word.e.x", "query-type": "TXT", "expect": "all is well"}, "ok", "1 TXT"),
                "ptr": ({"query-name": "1.e.x", "query-type": "PTR", "expect": "app.e.x"}, "ok", "1 PTR"),
                "soa": ({"query-name": "e.x", "query-type": "SOA"}, "ok", "1 SOA"),
                "big": ({"query-name": "big.e.x", "query-type": "TXT", "expect": f"019 {'x' * 200}"}, "ok", "20 TXT"),
                "none": ({"query-name": "app.e.x", "query-type": "MX"}, "ok", "NOERROR, 0 MX"),
                "no-name": ({"query-name": "gone.e.x"}, "status", "NXDOMAIN, expected NOERROR"),
                "wanted": ({"query-name": "gone.e.x", "expect-rcode": "NXDOMAIN"}, "ok", "NXDOMAIN, 0 A"),
                "refused": ({}, "status", "REFUSED, expected NOERROR"),  # for the app's name, which is elsewhere
                "gone": ({"port": harness.free_port()}, "connect", "Connection refused"),
            }
            rows = {f"x-{name}": row for name, row in rows.items()}
            with Probed({name: {"type": "dns", "port": nsd.port, **row} for name, (row, _, _) in rows.items()}) as probed:
                probed.expect({name: (layer, text) for name, (_, layer, text) in rows.items()})


class Double:
    """A name server that replies to the n-th query with `udp`(query, n): a list of messages; over TCP with `tcp`(query)."""

    def __init__(self, udp, tcp=None):
        self.port = harness.free_port()
        self.udp, self.tcp, self.asked = udp, tcp, []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", self.port))
        self.listener = socket.create_server(("127.0.0.1", self.port))
        for run in (self._udp, self._tcp):
            threading.Thread(target=run, daemon=True).start()

    def _udp(self):
        while True:
            query, peer = self.sock.recvfrom(4096)
            self.asked.append(query)
            for message in self.udp(query, len(self.asked)):
                self.sock.sendto(message, peer)

    def _tcp(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                length = connection.recv(2, socket.MSG_WAITALL)
                if self.tcp and len(length) == 2:
                    connection.sendall(self.tcp(connection.recv(struct.unpack(">H", length)[0], socket.MSG_WAITALL)))


def answer(query, flags=0x8180, count=1, record=b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", ident=None):
    return (ident or query[:2]) + struct.pack(">HHHHH", flags, 1, count, 0, 0) + query[12:] + record * count


def framed(message):
    return struct.pack(">H", len(message)) + message


def whatever_a_target_says():
    tc = 0x8380
    doubles = {
        "good": (lambda q, n: [answer(q)], None, "ok", "1 A"),
        "late": (lambda q, n: [answer(q)] if n > 1 else [], None, "ok", "1 A"),  # the query is sent again
        "forged": (lambda q, n: [answer(q, 0x8182, ident=bytes([q[0] ^ 1, q[1]])), answer(q[:12] + q[12:].replace(b"\7", b"\6", 1), 0x8182),
                                 b"", b"x", answer(q)], None, "ok", "1 A"),
        "truncated": (lambda q, n: [answer(q, tc, 0)], lambda q: framed(answer(q)), "ok", "1 A"),
        "truncated-again": (lambda q, n: [answer(q, tc, 0)], lambda q: framed(answer(q, tc, 0)), "body", "over TCP is no reply"),
        "closed": (lambda q, n: [answer(q, tc, 0)], lambda q: framed(answer(q))[:-1], "body", "closed before the reply had ended"),
        "other-id": (lambda q, n: [answer(q, tc, 0)], lambda q: framed(answer(q, ident=b"\0\0" if q[:2] != b"\0\0" else b"\1\1")), "body",
                     "over TCP is no reply"),
        "empty": (lambda q, n: [answer(q, tc, 0)], lambda q: b"\0\0", "body", "over TCP is no reply"),
        "cut": (lambda q, n: [answer(q)[:-1]], None, "body", "the reply is malformed"),
        "count": (lambda q, n: [answer(q)[:7] + b"\7" + answer(q)[8:]], None, "body", "the reply is malformed"),
        "circle": (lambda q, n: [answer(q, record=b"\xc0" + bytes([len(q)]) + b"\0\1\0\1\0\0\0\0\0\0")], None, "body", "malformed"),
        "servfail": (lambda q, n: [q[:2] + b"\x80\2" + b"\0" * 8], None, "status", "SERVFAIL, expected NOERROR"),
        "odd": (lambda q, n: [answer(q, 0x818B)], None, "status", "rcode 11, expected NOERROR"),
    }
    made = {name: Double(*row[:2]) for name, row in doubles.items()}
    silent = Double(lambda q, n: [])
    rows = {name: {"type": "dns", "port": double.port} for name, double in made.items()}
    rows["late"].update(timeout="3s")
    rows["silent"] = {"type": "dns", "port": silent.port, "timeout": "600ms"}
    slow = Double(lambda q, n: [answer(q, tc, 0)], lambda q: time.sleep(5) or b"")
    rows["no-tcp"] = {"type": "dns", "port": slow.port, "timeout": "600ms"}
    with Probed(rows) as probed:
        probed.expect({name: row[2:] for name, row in doubles.items()})
        probed.expect({"silent": ("timeout", "no success within 600 ms: waiting for the reply"),
                       "no-tcp": ("timeout", "no success within 600 ms: waiting for the reply over TCP")})
    equal(made["late"].asked[0], made["late"].asked[1], "the same query again")
    first = [query for query in silent.asked if query[:2] == silent.asked[0][:2]]  # of the first probe
    check(2 <= len(first) <= 7, silent.asked)  # 3, or twice as many where its deadline was extended
    equal(set(first), {first[0]}, "the same query again")
    query = made["good"].asked[0]
    equal(query[2:12], b"\1\0\0\1\0\0\0\0\0\0", "one question, recursion desired")
    equal(len({double.asked[0][:2] for double in made.values()}) > 1, True, "IDs are not the same")


harness.run(a_real_server, whatever_a_target_says)
