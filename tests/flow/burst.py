"""Many datagrams with one system call: sendmmsg() and recvmmsg() through ctypes, since Python's socket module has
neither. Used by harness.py for scenarios that ask hundreds of thousands of queries; owns one connected UDP socket."""

import ctypes
import os
import select
import socket
import struct

BATCH = 128
ROOM = 4096

_libc = ctypes.CDLL(None, use_errno=True)
_MSG_DONTWAIT = 0x40


class _Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class _Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.POINTER(_Iovec)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class _Mmsghdr(ctypes.Structure):
    _fields_ = [("header", _Msghdr), ("len", ctypes.c_uint)]


class _Vector:
    """BATCH messages of ROOM octets each and what the kernel wants to know of them."""

    def __init__(self):
        self.octets = bytearray(BATCH * ROOM)
        self.view = memoryview(self.octets)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.octets))
        self.iovecs = (_Iovec * BATCH)()
        self.headers = (_Mmsghdr * BATCH)()
        for i in range(BATCH):
            self.iovecs[i].base, self.iovecs[i].len = base + i * ROOM, ROOM
            self.headers[i].header.iov, self.headers[i].header.iovlen = ctypes.pointer(self.iovecs[i]), 1


class Burst:
    """A UDP socket connected to (host, port)."""

    def __init__(self, host, port):
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.connect((host, port))
        self.out, self.back = _Vector(), _Vector()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def load(self, queries, base=0):
        """Puts at most BATCH queries in place; their ids become `base`, `base` + 1, …"""
        out = self.out
        self.base = base
        for i, query in enumerate(queries):
            begin = i * ROOM
            out.view[begin:begin + len(query)] = query
            struct.pack_into("!H", out.octets, begin, base + i)
            out.iovecs[i].len = len(query)
        self.loaded = len(queries)

    def _send(self, first):
        while first < self.loaded:
            sent = _libc.sendmmsg(self.sock.fileno(), ctypes.byref(self.out.headers, first * ctypes.sizeof(_Mmsghdr)),
                                  self.loaded - first, 0)
            if sent < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            first += sent

    def exchange(self, patience_s=1.0, tries=5, silence=False):
        """Sends what is loaded and waits for every reply: the replies in order. What is not answered within
        `patience_s` is sent again; raises TimeoutError after `tries`, or with `silence` has None for it."""
        replies, missing = [None] * self.loaded, self.loaded
        for _ in range(tries):
            self._send(0)
            while missing:
                got = _libc.recvmmsg(self.sock.fileno(), self.back.headers, BATCH, _MSG_DONTWAIT, None)
                if got <= 0:
                    if not select.select([self.sock], [], [], patience_s)[0]:
                        break
                    continue
                for i in range(got):
                    octets = self.back.octets
                    ident = (octets[i * ROOM] << 8 | octets[i * ROOM + 1]) - self.base
                    if 0 <= ident < self.loaded and replies[ident] is None:
                        end = i * ROOM + self.back.headers[i].len
                        replies[ident] = bytes(self.back.view[i * ROOM:end])
                        missing -= 1
            if not missing:
                return replies
        if silence:
            return replies
        raise TimeoutError(f"{missing} of {self.loaded} queries were not answered")

    def flood(self, times, patience_s=5.0):
        """Sends what is loaded so many times over and only counts the replies, each of which must come."""
        for _ in range(times):
            self._send(0)
            missing = self.loaded
            while missing > 0:
                got = _libc.recvmmsg(self.sock.fileno(), self.back.headers, BATCH, _MSG_DONTWAIT, None)
                if got > 0:
                    missing -= got
                elif not select.select([self.sock], [], [], patience_s)[0]:
                    raise TimeoutError(f"{missing} of {self.loaded} queries were not answered")
        return times * self.loaded

    def ask(self, queries, patience_s=1.0, tries=5, silence=False):
        """Any number of queries: their replies in order."""
        replies = []
        for first in range(0, len(queries), BATCH):
            # What comes too late is not taken for a reply to a later query.
            self.load(queries[first:first + BATCH], first % 0x8000 if silence else 0)
            replies += self.exchange(patience_s, tries, silence)
        return replies
