"""A resolver of a scenario's own, on loopback, which knows the addresses of a few hosts."""

import contextlib
import ipaddress
import socket
import struct
import threading

import harness
import wire

TTL_S = 3


def record(data, kind="A", owner=b"\xc0\x0c", klass=1):
    """Its owner is the name in the question, if none is given."""
    return owner + struct.pack("!HHIH", wire.type_number(kind), klass, TTL_S, len(data)) + data


def reply(query, *records, count=None, flags=0x8180, question=None):
    end = query.index(b"\0", 12) + 5
    head = query[:2] + struct.pack("!5H", flags, 1, len(records) if count is None else count, 0, 0)
    return head + (query[12:end] if question is None else question) + b"".join(records)


class Hosts:
    """`addresses` are lists by the first label of a name, and may be changed at any time."""

    def __init__(self, addresses):
        self.addresses, self.port, self.going = addresses, harness.free_port(), True
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while self.going:
            with contextlib.suppress(OSError):
                query, client = self.udp.recvfrom(4096)
                self.answer(query, client, query[13:13 + query[12]].decode())

    def records(self, query, label):
        """Those that a query asks for."""
        kind = struct.unpack_from("!H", query, query.index(b"\0", 12) + 1)[0]
        addresses = [ipaddress.ip_address(text) for text in self.addresses[label]]
        kinds = {4: wire.type_number("A"), 6: wire.type_number("AAAA")}
        return [record(one.packed, kind) for one in addresses if kinds[one.version] == kind]

    def answer(self, query, client, label):
        self.udp.sendto(reply(query, *self.records(query, label)), client)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.going = False
        self.udp.close()
